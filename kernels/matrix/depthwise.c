/* Depthwise convolution, sixteen input channels at a time: their rows pass through a ring with the padding's zeros beside them,
 * so that the kernel sees neither edges nor strides of memory that fall into one set of the cache. A few such blocks of channels
 * go side by side, so that memory is read and written in runs of some lines. */
#include "kernels/matrix/depthwise.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

#include "kernels/matrix/depthwise_kernel.h"
#include "kernels/matrix/layers_kernel.h"

enum {
    BLOCK = VB_DEPTHWISE_BLOCK,
    BLOCKS = 4,            /* side by side, at least where there are as many: runs of memory of four lines */
    RING_FLOATS = 96 << 10 /* what more of them may take: a part of the second-level cache */
};

int vb_depthwise_out_height(const vb_depthwise *conv) {
    return (conv->height + 2 * conv->padding - conv->kernel) / conv->stride + 1;
}
int vb_depthwise_out_width(const vb_depthwise *conv) {
    return (conv->width + 2 * conv->padding - conv->kernel) / conv->stride + 1;
}

typedef struct vb_depthwise_job {
    const vb_depthwise *conv;
    const vb_depthwise_kernel *kernel;
    const vb_layers_kernel *layers;
    const vb_epilogue *epilogue;
    float *out;
    int64_t images;
    int out_height, out_width;
    int blocks;                                    /* side by side */
    int64_t row_floats, weight_floats, sum_floats; /* of a row in the ring, a block's weights, a row of sums of one filter */
} vb_depthwise_job;

/* A thread's work space: a row of zeros, the ring, weights, sums, sums in the order of the output channels. */
typedef struct vb_depthwise_work {
    float *zeros, *ring, *weight, *sums, *ordered;
} vb_depthwise_work;

static int64_t floats_of_work(const vb_depthwise_job *job) {
    const int64_t times = job->conv->times;
    return (1 + job->conv->kernel * job->blocks) * job->row_floats + times * job->blocks * job->weight_floats +
           times * job->sum_floats + (times > 1 ? times * job->sum_floats : 0);
}

/* `work` is all zeros. */
static vb_depthwise_work divide(const vb_depthwise_job *job, float *work) {
    const int times = job->conv->times;
    vb_depthwise_work parts = {.zeros = work, .ring = work + job->row_floats};
    parts.weight = parts.ring + job->conv->kernel * job->blocks * job->row_floats;
    parts.sums = parts.weight + times * job->blocks * job->weight_floats;
    parts.ordered = times > 1 ? parts.sums + times * job->sum_floats : parts.sums;
    return parts;
}

/* Filter j of each channel: taps x BLOCK. */
static void pack_weight(const vb_depthwise_job *job, int first, int channels, float *out) {
    const vb_depthwise *conv = job->conv;
    const int taps = conv->kernel * conv->kernel;
    for (int j = 0; j < conv->times; j++, out += job->weight_floats)
        for (int t = 0; t < taps; t++)
            for (int i = 0; i < BLOCK; i++)
                out[t * BLOCK + i] = i < channels ? conv->weight[((first + i) * (int64_t)conv->times + j) * taps + t] : 0;
}

/* `channels` channels of a picture's row into their places in the ring, a row for each block; the padding beside it stays
 * zero. */
static void pack_row(const vb_depthwise_job *job, const float *row, int channels, float *out) {
    const vb_depthwise *conv = job->conv;
    const int whole = channels / BLOCK, rest = channels % BLOCK;
    out += conv->padding * BLOCK;
    for (int x = 0; x < conv->width; x++, row += conv->channels, out += BLOCK) {
        for (int b = 0; b < whole; b++) memcpy(out + b * job->row_floats, row + b * BLOCK, BLOCK * sizeof *out);
        for (int i = 0; rest && i < BLOCK; i++) out[whole * job->row_floats + i] = i < rest ? row[whole * BLOCK + i] : 0;
    }
}

/* The sums of several filters a channel, in the order of the output channels. */
static void put_in_order(const vb_depthwise_job *job, const vb_depthwise_work *work) {
    const int times = job->conv->times;
    for (int j = 0; j < times; j++)
        for (int x = 0; x < job->out_width; x++)
            for (int i = 0; i < BLOCK; i++)
                work->ordered[(x * BLOCK + i) * times + j] = work->sums[j * job->sum_floats + x * BLOCK + i];
}

/* Row y of the result, of one block: `rows` are those of the ring that its filter covers. */
static void run_row(const vb_depthwise_job *job, int64_t image, int y, int first, int channels, const float *const *rows,
                    const float *weight, const vb_depthwise_work *work) {
    const vb_depthwise *conv = job->conv;
    const int times = conv->times;
    const int64_t columns = (int64_t)conv->channels * times, pixel = (image * job->out_height + y) * job->out_width,
                  column = (int64_t)first * times;
    for (int j = 0; j < times; j++)
        job->kernel->row(job->out_width, conv->kernel, conv->stride, rows, weight + j * job->weight_floats,
                         work->sums + j * job->sum_floats);
    if (times > 1) put_in_order(job, work);
    job->layers->epilogue(job->out_width, channels * times, work->ordered, BLOCK * times, job->epilogue, pixel, column,
                          job->out + pixel * columns + column, columns);
}

static void run_blocks(const vb_depthwise_job *job, int64_t image, int first, int channels, const vb_depthwise_work *work) {
    const vb_depthwise *conv = job->conv;
    const int kernel = conv->kernel;
    const int64_t slot = job->blocks * job->row_floats;
    const float *picture = conv->input + image * conv->height * conv->width * conv->channels + first;
    int next = 0; /* the row that enters the ring next */
    for (int y = 0; y < job->out_height; y++) {
        const int top = y * conv->stride - conv->padding;
        if (next < top) next = top; /* a stride wider than the filter */
        for (; next < top + kernel && next < conv->height; next++)
            pack_row(job, picture + (int64_t)next * conv->width * conv->channels, channels, work->ring + next % kernel * slot);
        for (int b = 0; b * BLOCK < channels; b++) {
            const float *rows[VB_DEPTHWISE_KERNEL];
            for (int r = 0; r < kernel; r++) {
                const bool inside = top + r >= 0 && top + r < conv->height;
                rows[r] = inside ? work->ring + (top + r) % kernel * slot + b * job->row_floats : work->zeros;
            }
            const int left = channels - b * BLOCK;
            run_row(job, image, y, first + b * BLOCK, left < BLOCK ? left : BLOCK, rows,
                    work->weight + b * conv->times * job->weight_floats, work);
        }
    }
}

/* Tasks begin .. end - 1: some blocks of channels of an image each. Those of the same channels follow each other. */
static void run_tasks(const vb_depthwise_job *job, int64_t begin, int64_t end, float *space) {
    const vb_depthwise_work work = divide(job, space);
    const int most = job->blocks * BLOCK;
    int packed = -1;
    for (int64_t task = begin; task < end; task++) {
        const int first = (int)(task / job->images) * most, left = job->conv->channels - first,
                  channels = left < most ? left : most;
        for (int b = 0; first != packed && b * BLOCK < channels; b++)
            pack_weight(job, first + b * BLOCK, channels - b * BLOCK, work.weight + b * job->conv->times * job->weight_floats);
        packed = first;
        run_blocks(job, task % job->images, first, channels, &work);
    }
}

/* Blocks that go side by side. The more, the longer are the runs in which rows are read: few channels of each pixel are another
 * page of memory every other pixel, which nothing fetches in advance. */
static int blocks_side_by_side(const vb_depthwise_job *job, int64_t blocks, int threads) {
    int64_t most = RING_FLOATS / (job->conv->kernel * job->row_floats);
    if (most < BLOCKS) most = BLOCKS;
    const int64_t passes = (blocks + most - 1) / most;
    int64_t some = (blocks + passes - 1) / passes;
    while (threads > 1 && some > 1 && job->images * ((blocks + some - 1) / some) < 2 * threads) some = (some + 1) / 2;
    return (int)some;
}

int vb_depthwise_run(const vb_depthwise *conv, int64_t images, float *out, const vb_epilogue *epilogue, int threads,
                     vb_error *err) {
    assert(conv->kernel >= 1 && conv->kernel <= VB_DEPTHWISE_KERNEL && conv->stride >= 1 && conv->padding >= 0 && threads >= 1);
    assert(conv->times >= 1 && vb_depthwise_out_height(conv) >= 1 && vb_depthwise_out_width(conv) >= 1);
    vb_depthwise_job job = {.conv = conv,
                            .kernel = vb_depthwise_kernel_get(),
                            .layers = vb_layers_kernel_get(),
                            .epilogue = epilogue,
                            .out = out,
                            .images = images,
                            .out_height = vb_depthwise_out_height(conv),
                            .out_width = vb_depthwise_out_width(conv)};
    /* An odd number of lines, so that rows side by side do not fall into one set of the cache. */
    job.row_floats = (((int64_t)conv->width + 2 * conv->padding) | 1) * BLOCK;
    job.weight_floats = (int64_t)conv->kernel * conv->kernel * BLOCK;
    job.sum_floats = (int64_t)job.out_width * BLOCK;
    const int64_t blocks = (conv->channels + BLOCK - 1) / BLOCK;
    job.blocks = blocks_side_by_side(&job, blocks, threads);
    const int64_t tasks = images * ((blocks + job.blocks - 1) / job.blocks);
    if (tasks <= 0) return 0;
    const int team = threads < tasks ? threads : (int)tasks;
    const size_t each = ((size_t)floats_of_work(&job) + 1023) / 1024 * 1024;
    const size_t all = (size_t)team * each;
    float *work = vb_scratch_take(conv->scratch, all, sizeof *work, "work space of a depthwise convolution", err);
    if (!work) return -1;
    memset(work, 0, all * sizeof *work);
    if (team == 1) run_tasks(&job, 0, tasks, work);
    else {
#pragma omp parallel num_threads(team)
        {
            const int64_t mates = omp_get_num_threads(), mate = omp_get_thread_num();
            run_tasks(&job, mate * tasks / mates, (mate + 1) * tasks / mates, work + (size_t)mate * each);
        }
    }
    vb_scratch_give(conv->scratch, work);
    return 0;
}
