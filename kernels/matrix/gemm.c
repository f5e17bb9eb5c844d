/* The matrix product: blocking, packing, threads. It is ours, and not a BLAS, because results must be the same bits on every
 * rank, thread count and processor: a library's order of summation changes with all three.
 *
 * The work is cut into tasks: some rows of C times some columns. A task goes through k in blocks; for each it packs its columns
 * of B once, then one strip of rows of A after the other, and continues the chains of one tile of C after the other. Between
 * blocks of k the chains rest in a buffer of the task's, never in C, which may be the residual. While a tile is multiplied, what
 * will be packed next is fetched towards the cache: without that, the processor waits for memory whenever it packs.
 *
 * Kept weights are B packed as a whole, a strip of the micro kernel's columns after the other, all values of k of each: a block
 * of k is a part of a strip wherever blocks begin, so that every cut of the work reads them. */
#include "kernels/matrix/gemm.h"

#include <assert.h>
#include <omp.h>
#include <stdbool.h>

#include "kernels/matrix/bf16x3.h"
#include "kernels/matrix/blocking.h"
#include "kernels/matrix/gemm_kernel.h"
#include "kernels/matrix/layers_kernel.h"

enum {
    TASK_ROWS = 512, /* bounds the resting chains */
    TASK_COLS = 384, /* packed columns of B that stay in the second-level cache */
    FEW_ROWS = 256,  /* below, B passes through quickly, and its next columns need room in that cache as well */
    FEW_COLS = 256,
    DEPTH = VB_GEMM_DEPTH
};

typedef struct vb_gemm_job {
    const vb_gemm_kernel *kernel;
    const vb_layers_kernel *layers;
    const vb_gemm_a *a;
    const vb_matrix *b;
    const vb_epilogue *epilogue;
    const float *kept; /* B packed as a whole; NULL: each task packs its own */
    float *c;
    int64_t rows, ldc;
    int64_t task_rows, row_tasks; /* a task's part of C */
    int64_t task_cols, col_tasks;
    int64_t depth;
    size_t b_floats, a_floats, rest_floats; /* a thread's work space */
} vb_gemm_job;

/* What is still to be fetched: some groups of rows, of which a call takes a part of one. */
typedef struct fetches {
    const char *group;
    int64_t step, stride; /* bytes from a group to the next, from a row to the next */
    int64_t groups, rows; /* that are left; of a group */
    int64_t taken;        /* rows of the group */
} fetches;

static fetches fetches_of_a(const vb_gemm_a *a, int64_t row, int64_t rows, int64_t first) {
    if (!a->data || rows <= 0) return (fetches){0};
    return (fetches){.group = (const char *)(a->data + row * a->ld + first),
                     .stride = a->ld * (int64_t)sizeof *a->data,
                     .groups = 1,
                     .rows = rows};
}

/* A block of k from `first` on of the columns from `column` on. */
static fetches fetches_of_b(const vb_gemm_job *job, int64_t column, int64_t columns, int64_t first) {
    const vb_matrix *b = job->b;
    if (columns <= 0) return (fetches){0};
    if (job->kept) {
        const int64_t line = VB_GEMM_DEPTH * (int64_t)sizeof *job->kept, strip = job->kernel->cols * (int64_t)sizeof *job->kept;
        return (fetches){.group = (const char *)(job->kept + column * b->cols + first * job->kernel->cols),
                         .step = b->cols * strip,
                         .stride = line,
                         .groups = parts(columns, job->kernel->cols),
                         .rows = parts(smaller(job->depth, b->cols - first) * strip, line)};
    }
    const int64_t size = (int64_t)vb_dtype_size(b->dtype);
    const char *at = (const char *)b->data + (column * b->row_stride + first * b->col_stride) * size;
    if (b->row_stride == 1) return (fetches){.group = at, .stride = b->col_stride * size, .groups = 1, .rows = job->depth};
    return (fetches){.group = at, .stride = b->row_stride * size, .groups = 1, .rows = columns};
}

/* A call's, which fetches `rows` of them. */
static vb_gemm_ahead take(fetches *left, int64_t rows) {
    const vb_gemm_ahead ahead = {left->group + left->taken * left->stride, left->stride};
    left->taken += rows;
    if (left->taken >= left->rows) left->taken = 0, left->group += left->step, left->groups--;
    return ahead;
}

/* Calls that will take what is left. */
static int64_t calls_for(const fetches *left, int64_t rows) {
    return left->groups * parts(left->rows, rows) - left->taken / rows;
}

/* The lines that the epilogue of a tile reads and writes. */
static void touch_tile_of_c(const vb_gemm_job *job, int64_t i, int m, int64_t j) {
    const vb_epilogue *e = job->epilogue;
    for (int64_t row = i; row < i + m; row++) {
        __builtin_prefetch(job->c + row * job->ldc + j, 1);
        __builtin_prefetch(job->c + row * job->ldc + j + 16, 1);
        const float *beside = !e ? NULL : e->residual ? e->residual : e->gate;
        if (!beside || beside == job->c) continue;
        beside += row * (e->residual ? e->ld_residual : e->ld_gate) + j;
        __builtin_prefetch(beside);
        __builtin_prefetch(beside + 16);
    }
}

/* Where the source of A has put the values of k. */
static void put_order(int taps, int64_t count, int32_t *order) {
    const int64_t groups = count / taps;
    for (int64_t k = 0; k < count; k++) order[k] = (int32_t)(k % taps * groups + k / taps);
}

/* A block of k of the columns j0 .. j1 - 1 of B, packed: here, into `work`, unless it is kept. *step: floats from a strip to the
 * next. */
static const float *block_of_b(const vb_gemm_job *job, int64_t j0, int64_t j1, int64_t k, int64_t count, float *work,
                               int64_t *step) {
    const int64_t cols = job->kernel->cols;
    *step = (job->kept ? job->b->cols : count) * cols;
    if (job->kept) return job->kept + j0 * job->b->cols + k * cols;
    for (int64_t j = j0; j < j1; j += cols)
        job->kernel->pack(job->b, j, (int)smaller(cols, j1 - j), k, count, work + (j - j0) * count);
    return work;
}

/* `next_task` is a guess of what this thread does afterwards. */
static void run_task(const vb_gemm_job *job, int64_t task, int64_t next_task, float *work) {
    const vb_gemm_kernel *kernel = job->kernel;
    float *packed = work, *a = packed + job->b_floats, *rest = a + job->a_floats;
    int64_t n = job->b->rows, depth = job->b->cols;
    int64_t i0 = task % job->row_tasks * job->task_rows, i1 = smaller(job->rows, i0 + job->task_rows);
    int64_t j0 = task / job->row_tasks * job->task_cols, j1 = smaller(n, j0 + job->task_cols);
    int64_t next_j0 = next_task / job->row_tasks * job->task_cols;
    int64_t strips = parts(i1 - i0, kernel->rows), across = parts(j1 - j0, kernel->cols);
    int32_t order[VB_GEMM_DEPTH];
    const int32_t *a_order = job->a->taps > 1 ? order : NULL;
    bool last = false;
    for (int64_t k = 0, count; !last; k += count) { /* once for a depth of 0, too */
        count = smaller(job->depth, depth - k);
        last = k + count == depth;
        if (a_order) put_order(job->a->taps, count, order);
        int64_t step;
        const float *b = block_of_b(job, j0, j1, k, count, packed, &step);

        fetches next_b = last ? fetches_of_b(job, next_j0, smaller(job->task_cols, n - next_j0), 0) :
                                fetches_of_b(job, j0, j1 - j0, k + count);
        const int64_t fetched = larger(count / VB_GEMM_LINE, 1); /* rows a call */
        int64_t calls = strips * across;                         /* still to come in this block */
        for (int64_t s = 0; s < strips; s++) {
            int64_t i = i0 + s * (i1 - i0) / strips, next_i = i0 + (s + 1) * (i1 - i0) / strips;
            int m = (int)(next_i - i);
            vb_gemm_kernel_pack_rows(job->a, i, m, k, count, a);
            fetches next_a = fetches_of_a(job->a, next_i, smaller(kernel->rows, i1 - next_i), k);
            for (int64_t t = 0; t < across; t++, calls--) {
                float *tile = depth > job->depth ? rest + (s * across + t) * kernel->rows * kernel->cols : rest;
                int64_t j = j0 + t * kernel->cols;
                vb_gemm_ahead ahead = {(const char *)a, 0};
                if (next_a.groups > 0) ahead = take(&next_a, fetched);
                else if (next_b.groups > 0 && calls_for(&next_b, fetched) * 2 >= calls)
                    ahead = take(&next_b, fetched); /* in every other of the last calls */
                if (last) touch_tile_of_c(job, i, m, j);
                kernel->multiply(count, m, a, a_order, b + t * step, tile, k == 0, &ahead);
                if (last)
                    job->layers->epilogue(m, (int)smaller(kernel->cols, j1 - j), tile, kernel->cols, job->epilogue, i, j,
                                          job->c + i * job->ldc + j, job->ldc);
            }
        }
    }
}

/* Cuts C into enough tasks for the threads, none so small that packing shows. */
static void cut(vb_gemm_job *job, int64_t threads) {
    int64_t strips = parts(job->b->rows, job->kernel->cols), wanted = threads > 1 ? 3 * threads : 1;
    job->row_tasks = parts(job->rows, TASK_ROWS);
    job->col_tasks = parts(strips, (job->rows < FEW_ROWS ? FEW_COLS : TASK_COLS) / job->kernel->cols);
    int64_t *rows = &job->row_tasks, *cols = &job->col_tasks;
    while (*rows * *cols < wanted && strips / (*cols + 1) >= 4) ++*cols;
    while (*rows * *cols < wanted && job->rows / (*rows + 1) >= 8 * job->kernel->rows) ++*rows;
    job->task_rows = parts(job->rows, job->row_tasks);
    job->row_tasks = parts(job->rows, job->task_rows);
    job->task_cols = parts(strips, job->col_tasks) * job->kernel->cols;
    job->col_tasks = parts(job->b->rows, job->task_cols);
    int64_t depth = job->b->cols, unit = job->a->taps > 1 ? job->a->taps : 16, blocks = parts(depth, DEPTH / unit * unit);
    job->depth = depth ? round_up(parts(depth, blocks), unit) : 0;

    int64_t strips_down = parts(job->task_rows, job->kernel->rows);
    job->b_floats = job->kept ? 0 : (size_t)(job->task_cols * job->depth);
    job->a_floats = (size_t)(job->kernel->rows * DEPTH);
    job->rest_floats = (size_t)(job->kernel->rows * (depth > job->depth ? strips_down * job->task_cols : job->kernel->cols));
}

int vb_gemm(int64_t rows, const vb_gemm_a *a, const vb_matrix *b, float *c, int64_t ldc, const vb_epilogue *epilogue, int threads,
            vb_error *err) {
    assert(threads >= 1 && (a->data || a->source) && ldc >= b->rows);
    assert(a->taps <= 1 || (a->source && a->taps <= DEPTH && b->cols % a->taps == 0));
    if (rows <= 0 || b->rows <= 0) return 0;
    if (a->bf16x3) return vb_bf16x3_gemm(a->bf16x3, rows, a, b, c, ldc, epilogue, threads, err);
    vb_gemm_job job = {.kernel = vb_gemm_kernel_get(),
                       .layers = vb_layers_kernel_get(),
                       .a = a,
                       .b = b,
                       .epilogue = epilogue,
                       .c = c,
                       .rows = rows,
                       .ldc = ldc};
    if (a->kept && a->kept->floats && a->kept->columns == job.kernel->cols) job.kept = a->kept->floats;
    cut(&job, threads);
    int64_t tasks = job.row_tasks * job.col_tasks;
    int team = threads < 1 ? 1 : (int)smaller(threads, tasks);
    size_t each = (size_t)round_up((int64_t)(job.b_floats + job.a_floats + job.rest_floats), 1024);
    float *work = vb_scratch_take(a->scratch, (size_t)team * each, sizeof *work, "work space of a matrix product", err);
    if (!work) return -1;
    if (team == 1) {
        for (int64_t task = 0; task < tasks; task++) run_task(&job, task, task + 1, work);
    } else {
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
        for (int64_t task = 0; task < tasks; task++)
            run_task(&job, task, task + team, work + (size_t)omp_get_thread_num() * each);
    }
    vb_scratch_give(a->scratch, work);
    return 0;
}

/* ---- weights that are kept ---- */

int vb_gemm_kept_columns(void) { return vb_gemm_kernel_get()->cols; }

size_t vb_gemm_kept_floats(const vb_matrix *b) { return (size_t)round_up(b->rows, vb_gemm_kernel_get()->cols) * (size_t)b->cols; }

void vb_gemm_keep(const vb_matrix *b, float *floats, int threads) {
    assert(threads >= 1);
    const vb_gemm_kernel *kernel = vb_gemm_kernel_get();
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t j = 0; j < b->rows; j += kernel->cols)
        kernel->pack(b, j, (int)smaller(kernel->cols, b->rows - j), 0, b->cols, floats + j * b->cols);
}
