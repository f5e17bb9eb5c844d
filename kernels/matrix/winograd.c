/* The convolution through Winograd's transforms: blocking and threads. The matrix product's micro kernels do the work.
 *
 * The work is cut into tasks: some tiles times some output channels. A task transforms the pixels of its tiles once, laid out as
 * packed rows of A, a matrix for each of the 36 points. Then it takes a strip of output channels after the other: for a block of
 * input channels it transforms their filters, laid out as packed B, and multiplies the 36 pairs of matrices, whose chains go on
 * with the next block; at the end it transforms the sums. */
#include "kernels/matrix/winograd.h"

#include <assert.h>
#include <omp.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/blocking.h"
#include "kernels/matrix/layers_kernel.h"
#include "kernels/matrix/winograd_kernel.h"

enum {
    SIDE = VB_WINOGRAD_SIDE,
    WINDOW = VB_WINOGRAD_WINDOW,
    POINTS = VB_WINOGRAD_POINTS,
    TAPS = 9,
    BLOCK = VB_WINOGRAD_BLOCK,
    BESIDE = VB_WINOGRAD_BESIDE,
    DEPTH = VB_GEMM_DEPTH,
    GAP = 48,         /* floats left free between points, an odd number of lines: else all 36 fall into one set of the cache */
    MOST_TILES = 112, /* of a task: the more, the less do the filters' transforms cost */
    PIXEL_FLOATS = 1 << 20, /* bounds them by what their pixels take */
    PACKED = 16,            /* channels whose filters are transposed at once, within the first-level cache */
    LINE = 16,              /* floats of a line of the cache */
    RUN = 8                 /* tiles beside each other whose results go through the epilogue together */
};

typedef struct vb_winograd_job {
    const vb_conv *conv;
    const vb_winograd_kernel *kernel;
    const vb_gemm_kernel *gemm;
    const vb_layers_kernel *layers;
    const vb_matrix *weight;
    const vb_epilogue *epilogue;
    float *out;
    int out_height, out_width, down, across; /* the last two: tiles of an image */
    int64_t tiles, task_tiles, tile_tasks;   /* of the batch */
    int64_t strips, task_strips, strip_tasks;
    int blocks;                                  /* of input channels */
    int depth;                                   /* input channels of a block */
    const float *kept;                           /* filters that need no transform: strip by strip, block by block; or NULL */
    int64_t pixel_step, filter_step, sum_step;   /* floats from a point to the next, of pixels from BESIDE points to the next */
    int64_t block_floats;                        /* of a block's pixels */
    size_t pixels, filters, taps, sums, results; /* floats of a thread's work space */
} vb_winograd_job;

typedef struct vb_winograd_work {
    float *pixels, *filters, *taps, *sums, *results;
} vb_winograd_work;

static const float outside[BLOCK]; /* what padding reads */

bool vb_winograd_fits(int kernel, int stride, bool planar) { return kernel == 3 && stride == 1 && !planar; }

/* The upper left corner of a tile, in its image. */
static void place_tile(const vb_winograd_job *job, int64_t tile, int64_t *image, int *top, int *left) {
    const int64_t of_image = (int64_t)job->down * job->across, at = tile % of_image;
    *image = tile / of_image;
    *top = (int)(at / job->across) * SIDE;
    *left = (int)(at % job->across) * SIDE;
}

static void transform_pixels(const vb_winograd_job *job, int64_t first, int64_t count, float *out) {
    const vb_conv *conv = job->conv;
    for (int64_t t = 0; t < count; t++, out += DEPTH) {
        int64_t image;
        int top, left;
        place_tile(job, first + t, &image, &top, &left);
        const float *corner = conv->input + image * conv->image_stride;
        for (int b = 0, c = 0; b < job->blocks; b++, c += job->depth) {
            const float *from[POINTS];
            for (int p = 0; p < POINTS; p++) {
                const int y = top - conv->padding + p / WINDOW, x = left - conv->padding + p % WINDOW;
                const bool inside = y >= 0 && y < conv->height && x >= 0 && x < conv->width;
                from[p] = inside ? corner + y * conv->row_stride + x * conv->column_stride + c : outside;
            }
            job->kernel->input((int)smaller(job->depth, conv->channels - c), from, out + b * job->block_floats, job->pixel_step);
        }
    }
}

/* The filters of a strip of output channels, of `count` input channels from `channel` on. */
static void transform_filters(const vb_winograd_job *job, int64_t strip, int channel, int count, float *taps, float *out) {
    const int cols = job->gemm->cols, n = (int)smaller(cols, job->weight->rows - strip * cols);
    for (int c = 0; c < count; c += PACKED) {
        const int some = (int)smaller(PACKED, count - c);
        job->gemm->pack(job->weight, strip * cols, n, (int64_t)(channel + c) * TAPS, (int64_t)some * TAPS, taps);
        job->kernel->filter(some, cols, taps, out + (int64_t)c * cols, job->filter_step);
    }
}

/* The 36 products of a block of input channels: their chains go on, or begin. Kept filters come from memory, so those of the next
 * point are asked for meanwhile. */
static void multiply(const vb_winograd_job *job, int64_t tiles, int count, bool first, const float *pixels, const float *filters,
                     float *sums) {
    const int cols = job->gemm->cols;
    const int64_t groups = parts(tiles, job->gemm->rows), lines = cols / LINE, run = VB_GEMM_AHEAD_LINES * LINE * sizeof *filters;
    const bool ahead = job->kept && groups >= lines; /* half of a panel is worse than none: the processor asks by itself */
    for (int p = 0; p < POINTS; p++, filters += job->filter_step) {
        const float *a = pixels + p / BESIDE * job->pixel_step + p % BESIDE * BLOCK;
        for (int64_t g = 0; g < groups; g++) {
            const int64_t i = g * tiles / groups, next = (g + 1) * tiles / groups;
            const vb_gemm_ahead rows = {(const char *)(a + next * DEPTH), DEPTH * (int64_t)sizeof *a},
                                panel = {(const char *)(filters + job->filter_step + g % lines * count * LINE), run};
            job->gemm->multiply(count, (int)(next - i), a + i * DEPTH, NULL, filters, sums + p * job->sum_step + i * cols, first,
                                ahead ? &panel : &rows);
        }
    }
}

/* Results of `count` tiles beside each other, from tile `first` on, of the output channels from `column` on. */
static void finish_run(const vb_winograd_job *job, int64_t first, int count, int64_t column, const float *sums, float *results) {
    const int cols = job->gemm->cols, n = (int)smaller(cols, job->weight->rows - column), ld = RUN * SIDE;
    int64_t image;
    int top, left;
    place_tile(job, first, &image, &top, &left);
    for (int t = 0; t < count; t++)
        job->kernel->output(cols, sums + (int64_t)t * cols, job->sum_step, results + (int64_t)t * SIDE * cols, ld);
    const int pixels = (int)smaller((int64_t)count * SIDE, job->out_width - left);
    for (int r = 0; r < SIDE && top + r < job->out_height; r++) {
        const int64_t pixel = (image * job->out_height + top + r) * job->out_width + left;
        job->layers->epilogue(pixels, n, results + (int64_t)r * ld * cols, cols, job->epilogue, pixel, column,
                              job->out + pixel * job->weight->rows + column, job->weight->rows);
    }
}

static const float *kept_filters(const vb_winograd_job *job, int64_t strip, int block) {
    return job->kept + (strip * job->blocks + block) * (int64_t)job->filters;
}

static void run_task(const vb_winograd_job *job, int64_t task, const vb_winograd_work *work) {
    const int cols = job->gemm->cols;
    const int64_t first = task / job->strip_tasks * job->task_tiles, tiles = smaller(job->task_tiles, job->tiles - first);
    const int64_t strip0 = task % job->strip_tasks * job->task_strips, strip1 = smaller(job->strips, strip0 + job->task_strips);
    transform_pixels(job, first, tiles, work->pixels);
    for (int64_t strip = strip0; strip < strip1; strip++) {
        const int64_t column = strip * cols;
        for (int b = 0, c = 0; b < job->blocks; b++, c += job->depth) {
            const int count = (int)smaller(job->depth, job->conv->channels - c);
            const float *filters = job->kept ? kept_filters(job, strip, b) : work->filters;
            if (!job->kept) transform_filters(job, strip, c, count, work->taps, work->filters);
            multiply(job, tiles, count, b == 0, work->pixels + b * job->block_floats, filters, work->sums);
        }
        for (int64_t t = 0, run; t < tiles; t += run) {
            run = smaller(smaller(RUN, tiles - t), job->across - (first + t) % job->across);
            finish_run(job, first + t, (int)run, column, work->sums + t * cols, work->results);
        }
    }
}

/* How filters lie, which the batch and the threads do not change. */
static void lay_out_filters(vb_winograd_job *job) {
    const int64_t cols = job->gemm->cols, channels = job->weight->cols / TAPS;
    job->blocks = (int)parts(channels, BLOCK);
    job->depth = (int)parts(channels, job->blocks);
    job->strips = parts(job->weight->rows, cols);
    job->filter_step = job->depth * cols + GAP;
    job->filters = (size_t)(POINTS * job->filter_step);
    job->taps = (size_t)(PACKED * TAPS * cols);
}

/* Cuts the work into enough tasks for the threads. Tasks of few output channels transform pixels again, those of few tiles
 * filters, which takes longer. */
static void cut(vb_winograd_job *job, int threads) {
    const int64_t rows = job->gemm->rows, cols = job->gemm->cols, wanted = threads > 1 ? 3 * threads : 1;
    const int64_t most = larger(rows, smaller(MOST_TILES, PIXEL_FLOATS / ((int64_t)job->blocks * BLOCK * POINTS)));
    int64_t *chunks = &job->tile_tasks, *groups = &job->strip_tasks;
    *chunks = parts(job->tiles, most);
    *groups = 1;
    while (*chunks * *groups < wanted && job->strips / (*groups + 1) >= 2) ++*groups;
    while (*chunks * *groups < wanted && job->tiles / (*chunks + 1) >= 2 * rows) ++*chunks;
    job->task_tiles = parts(job->tiles, *chunks);
    *chunks = parts(job->tiles, job->task_tiles);
    job->task_strips = parts(job->strips, *groups);
    *groups = parts(job->strips, job->task_strips);

    job->pixel_step = job->task_tiles * DEPTH + GAP;
    job->sum_step = job->task_tiles * cols + GAP;
    job->block_floats = POINTS / BESIDE * job->pixel_step;
    job->pixels = (size_t)(job->blocks * job->block_floats);
    job->sums = (size_t)(POINTS * job->sum_step);
    job->results = (size_t)(RUN * SIDE * SIDE * cols);
}

static vb_winograd_work divide(const vb_winograd_job *job, float *work) {
    vb_winograd_work parts_of = {.pixels = work};
    parts_of.filters = parts_of.pixels + job->pixels;
    parts_of.taps = parts_of.filters + job->filters;
    parts_of.sums = parts_of.taps + job->taps;
    parts_of.results = parts_of.sums + job->sums;
    return parts_of;
}

int vb_winograd_run(const vb_conv *conv, int64_t images, const vb_matrix *weight, float *out, const vb_epilogue *epilogue,
                    int threads, vb_error *err) {
    assert(threads >= 1 && conv->padding >= 0 && weight->cols == (int64_t)conv->channels * TAPS);
    assert(vb_winograd_fits(conv->kernel, conv->stride, conv->channel_stride != 1));
    vb_winograd_job job = {.conv = conv,
                           .kernel = vb_winograd_kernel_get(),
                           .gemm = vb_gemm_kernel_get(),
                           .layers = vb_layers_kernel_get(),
                           .weight = weight,
                           .epilogue = epilogue,
                           .out = out,
                           .out_height = vb_conv_out_height(conv),
                           .out_width = vb_conv_out_width(conv)};
    job.down = (int)parts(job.out_height, SIDE);
    job.across = (int)parts(job.out_width, SIDE);
    job.tiles = images * job.down * job.across;
    if (job.tiles <= 0 || weight->rows <= 0) return 0;
    lay_out_filters(&job);
    if (conv->kept && conv->kept->floats && conv->kept->columns == job.gemm->cols) job.kept = conv->kept->floats;
    cut(&job, threads);
    const int64_t tasks = job.tile_tasks * job.strip_tasks;
    const int team = (int)smaller(threads, tasks);
    const size_t each = (job.pixels + job.filters + job.taps + job.sums + job.results + 1023) / 1024 * 1024;
    float *space = vb_scratch_take(conv->scratch, (size_t)team * each, sizeof *space, "work space of a convolution", err);
    if (!space) return -1;
    if (team == 1) {
        const vb_winograd_work work = divide(&job, space);
        for (int64_t task = 0; task < tasks; task++) run_task(&job, task, &work);
    } else {
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
        for (int64_t task = 0; task < tasks; task++) {
            const vb_winograd_work work = divide(&job, space + (size_t)omp_get_thread_num() * each);
            run_task(&job, task, &work);
        }
    }
    vb_scratch_give(conv->scratch, space);
    return 0;
}

/* ---- filters that are kept ---- */

static vb_winograd_job job_of_filters(const vb_matrix *weight) {
    vb_winograd_job job = {.kernel = vb_winograd_kernel_get(), .gemm = vb_gemm_kernel_get(), .weight = weight};
    assert(weight->cols % TAPS == 0 && weight->cols > 0);
    lay_out_filters(&job);
    return job;
}

/* One point more, so that what is asked for ahead lies within them. */
static size_t kept_floats(const vb_winograd_job *job) {
    return (size_t)job->strips * (size_t)job->blocks * job->filters + (size_t)job->filter_step;
}

size_t vb_winograd_kept_floats(const vb_matrix *weight) {
    const vb_winograd_job job = job_of_filters(weight);
    return kept_floats(&job);
}

int vb_winograd_keep(const vb_matrix *weight, float *floats, int threads, vb_error *err) {
    const vb_winograd_job job = job_of_filters(weight);
    float *taps = vb_buffer((size_t)threads * job.taps, sizeof *taps, "work space of filters", err);
    if (!taps) return -1;
    const int channels = (int)(weight->cols / TAPS);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t strip = 0; strip < job.strips; strip++)
        for (int b = 0, c = 0; b < job.blocks; b++, c += job.depth)
            transform_filters(&job, strip, c, (int)smaller(job.depth, channels - c),
                              taps + (size_t)omp_get_thread_num() * job.taps,
                              floats + (strip * job.blocks + b) * (int64_t)job.filters);
    vb_free(taps);
    return 0;
}
