/* Where a tower's time goes: each of its operations timed by itself, over a batch, as the engine runs it. */
#ifndef VB_BENCH_OPERATIONS_H
#define VB_BENCH_OPERATIONS_H

#include "kernels/towers/program.h"

/* Runs an image tower on `batch` images `runs` times after a first time, and prints a line an operation and "end". pixels: of as
 * many images; out: as many embeddings. 0, or -1 for lack of memory. */
int operations_time(const vb_program *program, const float *pixels, int batch, int runs, float *out, int threads, vb_error *err);

#endif
