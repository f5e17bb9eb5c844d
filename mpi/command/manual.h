/* What is made of the table of commands besides their help: the man page, and completion for shells. Local. */
#ifndef VB_MANUAL_H
#define VB_MANUAL_H

#include "mpi/command/arguments.h"
#include "mpi/base/strbuf.h"

/* vocabench.1 in mdoc. `commands` ends with a row without a name. */
void vb_manual(const vb_command *commands, vb_strbuf *out);

/* A file for bash's completions/ folder, and one for zsh's site-functions/ (_vocabench). */
void vb_completion_bash(const vb_command *commands, vb_strbuf *out);
void vb_completion_zsh(const vb_command *commands, vb_strbuf *out);

#endif
