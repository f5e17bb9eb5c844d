/* The man page, from the table of commands. */
#ifndef VB_MANUAL_H
#define VB_MANUAL_H

#include "mpi/command/arguments.h"
#include "mpi/base/strbuf.h"

/* vocabench.1 in mdoc, added to `out`, which notes a failed allocation. `commands` ends with a row without a name. Local. */
void vb_manual(const vb_command *commands, vb_strbuf *out);

#endif
