/* Completion for shells, from the table of commands. */
#ifndef VB_COMPLETION_H
#define VB_COMPLETION_H

#include "mpi/command/arguments.h"
#include "mpi/base/strbuf.h"

/* A file for bash's completions/ folder, and one for zsh's site-functions/ (_vocabench), added to `out`, which keeps a failed
 * allocation in mind. `commands` ends with a row without a name. Local. */
void vb_completion_bash(const vb_command *commands, vb_strbuf *out);
void vb_completion_zsh(const vb_command *commands, vb_strbuf *out);

#endif
