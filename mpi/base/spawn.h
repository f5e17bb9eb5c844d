/* Other programs, run without a shell: Slurm's commands, gnuplot. Local; not for use while other threads start programs. */
#ifndef VB_SPAWN_H
#define VB_SPAWN_H

#include "kernels/base/error.h"

/* Runs argv[0], looked for in PATH, with that environment (NULL: this process's own) and waits for it. What it writes to its
 * standard output comes back in *output (free with vb_free), its errors go where ours go, its input is empty. VB_EMISSING when it
 * cannot be started, VB_EUSAGE when it ends with a code other than 0, VB_EDATA when it writes more than 16 MiB. */
int vb_spawn(const char *const *argv, char *const *environment, char **output, vb_error *err);

/* The same for a program that may well fail, or not be there: its errors are dropped. */
int vb_spawn_quiet(const char *const *argv, char *const *environment, char **output, vb_error *err);

/* Runs argv[0] in `folder`, its input empty and its output dropped. VB_EMISSING when there is no such program (`hint` says how to
 * get it); VB_EINTERNAL, with the last line of its standard error, when it ends with a code other than 0 or by a signal. */
int vb_spawn_in(const char *folder, const char *const *argv, const char *hint, vb_error *err);

#endif
