/* The product in three products of bf16: blocking, cutting, packing, threads, as gemm.c has them for fp32. */
#include "kernels/matrix/bf16x3.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

#include "kernels/matrix/bf16x3_kernel.h"
#include "kernels/matrix/blocking.h"
#include "kernels/matrix/layers_kernel.h"

enum { TASK_ROWS = 512, TASK_COLS = 384, BLOCK = VB_BF16X3_BLOCK, DEPTH = VB_GEMM_DEPTH };
static_assert(DEPTH % BLOCK == 0, "whole blocks of the chain");

typedef struct bf16x3_job {
    const vb_bf16x3_kernel *kernel;
    const vb_layers_kernel *layers;
    const vb_gemm_a *a;
    const vb_matrix *b;
    const vb_epilogue *epilogue;
    float *c;
    int64_t rows, ldc, row_tasks, task_cols;
    size_t b_words, a_words, b_floats, a_floats, rest_floats; /* a thread's work space, in this order */
} bf16x3_job;

/* Columns j0 .. j1 - 1 of B, `count` values of k from `first` on, in strips of the kernel's width. */
static void pack_columns(const bf16x3_job *job, int64_t j0, int64_t j1, int64_t first, int64_t count, float *floats,
                         uint32_t *out) {
    const vb_gemm_kernel *fp32 = job->kernel->fp32;
    const int64_t blocks = parts(count, BLOCK), depth = blocks * BLOCK;
    for (int64_t j = j0; j < j1; j += fp32->cols, out += depth * fp32->cols) {
        fp32->pack(job->b, j, (int)smaller(fp32->cols, j1 - j), first, count, floats);
        memset(floats + count * fp32->cols, 0, (size_t)((depth - count) * fp32->cols) * sizeof *floats);
        job->kernel->pack_b(floats, blocks, out);
    }
}

static void pack_rows(const bf16x3_job *job, int64_t i, int m, int64_t first, int64_t count, float *floats, uint32_t *out) {
    const int64_t blocks = parts(count, BLOCK);
    vb_gemm_kernel_pack_rows(job->a, i, m, first, count, floats);
    for (int row = 0; row < m && count < blocks * BLOCK; row++)
        memset(floats + row * DEPTH + count, 0, (size_t)(blocks * BLOCK - count) * sizeof *floats);
    job->kernel->pack_a(floats, m, blocks, out);
}

static void run_task(const bf16x3_job *job, int64_t task, uint32_t *work) {
    const vb_bf16x3_kernel *kernel = job->kernel;
    uint32_t *b = work, *a = b + job->b_words;
    float *b_floats = (float *)(a + job->a_words), *a_floats = b_floats + job->b_floats, *rest = a_floats + job->a_floats;
    const int cols = kernel->fp32->cols, tile_floats = kernel->rows * cols;
    const int64_t n = job->b->rows, depth = job->b->cols;
    const int64_t i0 = task % job->row_tasks * TASK_ROWS, i1 = smaller(job->rows, i0 + TASK_ROWS);
    const int64_t j0 = task / job->row_tasks * job->task_cols, j1 = smaller(n, j0 + job->task_cols);
    const int64_t across = parts(j1 - j0, cols);
    int64_t k = 0;
    do { /* once for a depth of 0, too */
        const int64_t count = smaller(DEPTH, depth - k), blocks = parts(count, BLOCK);
        const bool last = k + count == depth;
        pack_columns(job, j0, j1, k, count, b_floats, b);
        for (int64_t i = i0, strip = 0; i < i1; i += kernel->rows, strip++) {
            const int m = (int)smaller(kernel->rows, i1 - i);
            pack_rows(job, i, m, k, count, a_floats, a);
            for (int64_t t = 0; t < across; t++) {
                float *tile = depth > DEPTH ? rest + (strip * across + t) * tile_floats : rest;
                const int64_t j = j0 + t * cols;
                kernel->multiply(blocks, a, b + t * cols * blocks * BLOCK, tile, k == 0);
                if (last)
                    job->layers->epilogue(m, (int)smaller(cols, j1 - j), tile, cols, job->epilogue, i, j,
                                          job->c + i * job->ldc + j, job->ldc);
            }
        }
        k += count;
    } while (k < depth);
}

int vb_bf16x3_gemm(const vb_bf16x3_kernel *kernel, int64_t rows, const vb_gemm_a *a, const vb_matrix *b, float *c, int64_t ldc,
                   const vb_epilogue *epilogue, int threads, vb_error *err) {
    assert(threads >= 1 && (a->data || a->source) && a->taps <= 1 && ldc >= b->rows);
    if (rows <= 0 || b->rows <= 0) return 0;
    bf16x3_job job = {.kernel = kernel,
                      .layers = vb_layers_kernel_get(),
                      .a = a,
                      .b = b,
                      .epilogue = epilogue,
                      .c = c,
                      .rows = rows,
                      .ldc = ldc};
    const int64_t cols = kernel->fp32->cols, strips = parts(b->rows, cols);
    job.row_tasks = parts(rows, TASK_ROWS);
    int64_t col_tasks = parts(strips, TASK_COLS / cols);
    while (job.row_tasks * col_tasks < 3 * threads && threads > 1 && strips / (col_tasks + 1) >= 4) col_tasks++;
    job.task_cols = parts(strips, col_tasks) * cols;
    const int64_t tasks = job.row_tasks * parts(b->rows, job.task_cols);
    job.b_words = (size_t)(job.task_cols * DEPTH);
    job.a_words = job.a_floats = (size_t)kernel->rows * DEPTH;
    job.b_floats = (size_t)cols * DEPTH;
    const int64_t tiles = b->cols > DEPTH ? parts(smaller(rows, TASK_ROWS), kernel->rows) * (job.task_cols / cols) : 1;
    job.rest_floats = (size_t)(tiles * kernel->rows * cols);
    const size_t each = (job.b_words + job.a_words + job.b_floats + job.a_floats + job.rest_floats + 1023) / 1024 * 1024;
    const int team = (int)smaller(threads, tasks);
    uint32_t *work = vb_scratch_take(a->scratch, (size_t)team * each, sizeof *work, "work space of a matrix product", err);
    if (!work) return -1;
#pragma omp parallel for num_threads(team) schedule(dynamic, 1) if (team > 1)
    for (int64_t task = 0; task < tasks; task++)
        run_task(&job, task, work + (size_t)(team > 1 ? omp_get_thread_num() : 0) * each);
    vb_scratch_give(a->scratch, work);
    return 0;
}
