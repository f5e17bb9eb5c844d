/* The check at the start: the same bits as the definition, and a race against fp32. */
#include "kernels/matrix/bf16x3_check.h"

#include <string.h>
#include <time.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/bf16x3_kernel.h"

/* Values from -1 to 1 from Knuth's generator (The Art of Computer Programming, volume 2, 3.3.4, line 26), a few of them so small
 * that their products and parts are denormal. */
static void fill(float *x, int64_t n, bool tiny) {
    uint64_t state = 1;
    for (int64_t i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        x[i] = (float)((double)(state >> 40) * 0x1p-23 - 1);
        if (tiny && state >> 37 & 1) x[i] *= 0x1p-64f;
    }
}

int vb_bf16x3_check_choose(vb_bf16x3_choice *choice, vb_error *err) {
    enum { ROWS = 35, COLS = 37, DEPTH = 300 };
    float *x = vb_array((size_t)(ROWS + COLS) * DEPTH + 2 * ROWS * COLS, sizeof *x, "check of the products", err);
    if (!x) return -1;
    fill(x, (ROWS + COLS) * DEPTH, true);
    float *expected = x + (ROWS + COLS) * DEPTH, *c = expected + ROWS * COLS;
    const vb_gemm_a a = {.data = x, .ld = DEPTH};
    const vb_matrix b = {x + ROWS * DEPTH, VB_F32, COLS, DEPTH, DEPTH, 1};
    int status = vb_bf16x3_gemm(&vb_bf16x3_kernel_scalar, ROWS, &a, &b, expected, COLS, NULL, 1, err);
    const vb_bf16x3_kernel *kernel = &vb_bf16x3_kernel_scalar;
    for (int i = 0; !status; i++) {
        kernel = vb_bf16x3_kernel_at(i);
        if (kernel == &vb_bf16x3_kernel_scalar) break;
        status = vb_bf16x3_gemm(kernel, ROWS, &a, &b, c, COLS, NULL, 1, err);
        if (!status && !memcmp(c, expected, ROWS * COLS * sizeof *c)) break;
    }
    vb_free(x);
    *choice = (vb_bf16x3_choice){kernel, kernel->name, kernel->native};
    return status;
}

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int vb_bf16x3_check_speed(const vb_bf16x3_kernel *kernel, double *times, vb_error *err) {
    enum { ROWS = 128, SIDE = 768, ROUNDS = 5 };
    float *x = vb_array((size_t)(2 * ROWS + SIDE) * SIDE, sizeof *x, "check of the products", err);
    if (!x) return -1;
    fill(x, (ROWS + SIDE) * SIDE, false);
    float *c = x + (ROWS + SIDE) * SIDE;
    const vb_gemm_a a = {.data = x, .ld = SIDE};
    const vb_matrix b = {x + ROWS * SIDE, VB_F32, SIDE, SIDE, SIDE, 1};
    double best[2] = {0};
    int status = 0;
    for (int round = 0; round < 2 * ROUNDS && !status; round++) {
        const double begin = thread_seconds();
        status = round % 2 ? vb_bf16x3_gemm(kernel, ROWS, &a, &b, c, SIDE, NULL, 1, err) :
                             vb_gemm(ROWS, &a, &b, c, SIDE, NULL, 1, err);
        const double taken = thread_seconds() - begin;
        if (round < 2 || taken < best[round % 2]) best[round % 2] = taken;
    }
    vb_free(x);
    *times = best[1] > 0 ? best[0] / best[1] : 0;
    return status;
}
