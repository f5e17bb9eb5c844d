/* Attention, head by head: scores of a few queries through the GEMM's micro kernel, softmax, and the weighted sum of the
 * values. */
#include "kernels/matrix/attention.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/gemm_kernel.h"
#include "kernels/matrix/layers_kernel.h"

/* Queries that are computed together, at most. The same at every level: with `causal`, the weights of unseen keys up to the
 * block's last seen one are zeros, which could turn a -0 into a +0 if blocks differed. */
enum { QUERIES = 14, DEPTH = VB_GEMM_DEPTH };

typedef struct vb_attention_job {
    const vb_attention_batch *batch;
    const vb_gemm_kernel *kernel;
    const vb_layers_kernel *layers;
    float *out;
    int64_t ld_out;
    int64_t keys; /* most keys of a sequence, in whole strips */
    size_t key_floats, value_floats, query_floats, weight_floats, tile_floats, score_floats; /* a thread's work space */
} vb_attention_job;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

/* Packs the rows of b, strip by strip, all columns deep. */
static void pack_all(const vb_gemm_kernel *kernel, const vb_matrix *b, float *out) {
    for (int64_t row = 0; row < b->rows; row += kernel->cols, out += kernel->cols * b->cols)
        kernel->pack(b, row, (int)smaller(kernel->cols, b->rows - row), 0, b->cols, out);
}

/* A product of packed operands: A of m rows, packed in blocks of DEPTH columns, QUERIES rows each; B in strips of the kernel's
 * width, `packed_depth` deep. */
typedef struct packed_product {
    const float *a, *b;
    int64_t m, cols, depth, packed_depth;
    float *tile; /* work space of a tile */
} packed_product;

/* out (m x cols) = A times B over `depth` values, in whole tiles. */
static void multiply_packed(const vb_attention_job *job, const packed_product *p, float *out, int64_t ld_out) {
    const vb_gemm_kernel *kernel = job->kernel;
    const vb_gemm_ahead nothing = {(const char *)p->a, 0, 0};
    int64_t strips = (p->m + kernel->rows - 1) / kernel->rows;
    for (int64_t j = 0; j < p->cols; j += kernel->cols) {
        for (int64_t strip = 0, i = 0, height; strip < strips; strip++, i += height) {
            height = (strip + 1) * p->m / strips - i;
            for (int64_t k = 0; k < p->depth; k += DEPTH)
                kernel->multiply(smaller(DEPTH, p->depth - k), (int)height, p->a + (k / DEPTH * QUERIES + i) * DEPTH, NULL,
                                 p->b + j * p->packed_depth + k * kernel->cols, p->tile, k == 0, &nothing);
            job->layers->epilogue((int)height, (int)smaller(kernel->cols, p->cols - j), p->tile, kernel->cols, NULL, 0, 0,
                                  out + i * ld_out + j, ld_out);
        }
    }
}

static void pack_queries(const float *data, int64_t ld, int64_t m, int64_t depth, float *out) {
    vb_gemm_a a = {.data = data, .ld = ld};
    for (int64_t k = 0; k < depth; k += DEPTH)
        vb_gemm_kernel_pack_rows(&a, 0, m, k, smaller(DEPTH, depth - k), out + k * QUERIES);
}

/* Scores that the softmax makes zeros. */
static void hide_keys(const uint8_t *hidden, int64_t count, float *scores) {
    for (int64_t j = 0; j < count; j++)
        if (hidden[j]) scores[j] = -INFINITY;
}

/* Rows of the head that comes next, 64 bytes each a time: they lie far apart, and nothing else would fetch them in advance. */
static void touch_rows(const float *data, int64_t ld, int64_t rows, int64_t width) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j += 16) __builtin_prefetch(data + i * ld + j, 0, 2);
}

static void run_head(const vb_attention_job *job, int64_t sequence, int head, float *work) {
    const vb_attention_batch *batch = job->batch;
    int64_t keys = batch->offsets[sequence + 1] - batch->offsets[sequence], d = batch->head_dim;
    const int64_t *query_offsets = batch->query_offsets ? batch->query_offsets : batch->offsets;
    int64_t queries = query_offsets[sequence + 1] - query_offsets[sequence];
    const float *query = batch->query + query_offsets[sequence] * batch->ld_query + head * d;
    float *out = job->out + query_offsets[sequence] * job->ld_out + head * d;
    vb_matrix key = {batch->key + batch->offsets[sequence] * batch->ld_key + head * d, VB_F32, keys, d, batch->ld_key, 1};
    vb_matrix value = {batch->value + batch->offsets[sequence] * batch->ld_value + head * d, VB_F32, d, keys, 1, batch->ld_value};
    if (queries <= 0) return;

    float *k = work, *v = k + job->key_floats, *q = v + job->value_floats, *weights = q + job->query_floats;
    float *tile = weights + job->weight_floats, *scores = tile + job->tile_floats;
    pack_all(job->kernel, &key, k);
    pack_all(job->kernel, &value, v);
    if (head + 1 < batch->heads) {
        touch_rows((const float *)key.data + d, batch->ld_key, keys, d);
        touch_rows((const float *)value.data + d, batch->ld_value, keys, d);
        touch_rows(query + d, batch->ld_query, queries, d);
    }
    int64_t blocks = (queries + QUERIES - 1) / QUERIES;
    for (int64_t block = 0, i = 0, m; block < blocks; block++, i += m) {
        m = (block + 1) * queries / blocks - i;
        int64_t unseen = batch->causal ? queries - (i + m) : 0, seen = keys > unseen ? keys - unseen : 0; /* by the last row */
        pack_queries(query + i * batch->ld_query, batch->ld_query, m, d, q);
        packed_product score = {q, k, m, seen, d, d, tile}, sum = {weights, v, m, d, seen, keys, tile};
        multiply_packed(job, &score, scores, job->keys);
        for (int64_t row = 0; row < m; row++) {
            int64_t hidden = batch->causal ? m - 1 - row : 0, width = seen > hidden ? seen - hidden : 0;
            float *line = scores + row * job->keys;
            if (batch->hidden) hide_keys(batch->hidden + batch->offsets[sequence], width, line);
            if (width) job->layers->softmax(width, batch->scale, line);
            memset(line + width, 0, (size_t)(seen - width) * sizeof *line);
        }
        pack_queries(scores, job->keys, m, seen, weights);
        multiply_packed(job, &sum, out + i * job->ld_out, job->ld_out);
        if (!seen)
            for (int64_t row = 0; row < m; row++) memset(out + (i + row) * job->ld_out, 0, (size_t)d * sizeof *out);
    }
}

int vb_attention(const vb_attention_batch *batch, float *out, int64_t ld_out, int threads, vb_error *err) {
    assert(threads >= 1 && batch->sequences >= 0 && batch->heads >= 0);
    const vb_gemm_kernel *kernel = vb_gemm_kernel_get();
    int64_t keys = 0, d = batch->head_dim, tasks = batch->sequences * batch->heads;
    for (int64_t s = 0; s < batch->sequences; s++)
        if (batch->offsets[s + 1] - batch->offsets[s] > keys) keys = batch->offsets[s + 1] - batch->offsets[s];
    if (tasks <= 0 || d <= 0) return 0;
    vb_attention_job job = {.batch = batch, .kernel = kernel, .layers = vb_layers_kernel_get(), .out = out, .ld_out = ld_out};
    job.keys = round_up(keys, kernel->cols);
    job.key_floats = (size_t)(job.keys * d);
    job.value_floats = (size_t)(keys * round_up(d, kernel->cols));
    job.query_floats = (size_t)(round_up(d, DEPTH) * QUERIES);
    job.weight_floats = (size_t)(round_up(keys, DEPTH) * QUERIES);
    job.tile_floats = (size_t)(kernel->rows * kernel->cols);
    job.score_floats = (size_t)(job.keys * QUERIES);
    int team = threads < 1 ? 1 : (int)smaller(threads, tasks);
    size_t each = job.key_floats + job.value_floats + job.query_floats + job.weight_floats + job.tile_floats + job.score_floats;
    each = (size_t)round_up((int64_t)each, 1024);
    float *work = vb_buffer((size_t)team * each, sizeof *work, "work space of attention", err);
    if (!work) return -1;
    if (team == 1) {
        for (int64_t task = 0; task < tasks; task++) run_head(&job, task / batch->heads, (int)(task % batch->heads), work);
    } else {
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
        for (int64_t task = 0; task < tasks; task++)
            run_head(&job, task / batch->heads, (int)(task % batch->heads), work + (size_t)omp_get_thread_num() * each);
    }
    vb_free(work);
    return 0;
}
