/* Other programs: run one, wait for it, and say what it complained about. Local. */
#ifndef VB_PROGRAM_H
#define VB_PROGRAM_H

#include "kernels/status.h"

/* Runs argv[0], found by PATH, with the arguments (NULL-terminated) in `folder`, its standard input empty and its output dropped.
 * VB_EMISSING when there is no such program (`hint` says how to get it); VB_EINTERNAL, with the last line of its standard error, when
 * it ends with a code other than 0 or by a signal. */
int vb_run_program(char *const argv[], const char *folder, const char *hint, vb_error *err);

#endif
