/* The plan of a corpus scan: a short measured search on this machine, scaled to rows, queries and nodes. */
#include "mpi/plan/plan_scan.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/search/coded_scan.h"
#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "mpi/figures/grid.h"
#include "mpi/ranks/live.h"
#include "mpi/retrieve/retrieve.h"

enum {
    SAMPLE = 48 << 20,   /* bytes of rows that the measurement searches: more than caches near a core hold */
    LEAST_ROW = 128,     /* bytes that a row counts for there: narrower ones take as long */
    MOST_QUERIES = 1024, /* in the measurement; time is proportional to queries from 128 on */
    ROUNDS = 5,
    ENOUGH = 2, /* seconds of rounds, after which there is no other */
    MOST_NODES = 1024
};

int vb_plan_scan_shape(vb_scan_plan *plan, const char *text, vb_error *err) {
    char *end;
    long long rows = strtoll(text, &end, 10), dim = *end == 'x' ? strtoll(end + 1, &end, 10) : 0;
    if (*end || rows < 1 || dim < 1 || dim > 1 << 16 || rows > (int64_t)1 << 50)
        return vb_errorf(err, VB_EUSAGE, "plan: --scan: expected ROWSxDIMENSIONS such as 413862335x512, found '%s'", text);
    plan->rows = rows;
    plan->dim = (int)dim;
    return 0;
}

int vb_plan_scan_storage(vb_scan_plan *plan, const char *name, vb_error *err) {
    static const struct {
        const char *name;
        vb_dtype dtype;
    } kinds[] = {{"fp32", VB_F32}, {"fp16", VB_F16}, {"bf16", VB_BF16}, {"int8", VB_I8}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].name, name)) {
            plan->dtype = kinds[i].dtype;
            return 0;
        }
    return vb_errorf(err, VB_EUSAGE, "plan: --storage: expected fp32, fp16, bf16 or int8, found '%s'", name);
}

static double row_bytes(const vb_scan_plan *plan) {
    if (plan->dtype == VB_I8) return (double)vb_coder_group_bytes((plan->dim + 63) / 64 * 64) / VB_CODER_GROUP;
    return (double)plan->dim * (double)vb_dtype_size(plan->dtype);
}

double vb_plan_scan_bytes(const vb_scan_plan *plan) { return (double)plan->rows * row_bytes(plan); }

/* ---- the measurement
 * --------------------------------------------------------------------------------------------------------------
 */

/* Sixteen random rows over and over: how fast a row is searched does not depend on what it holds, as long as none is good
 * enough. */
typedef struct sample {
    int64_t rows, queries;
    size_t group; /* bytes of sixteen rows */
    float *values, *asked;
    unsigned char *stored;
    double *work;
    vb_coder *coder; /* int8 */
    vb_search *search;
    vb_coded_queries *coded;
    int threads;
    struct searcher {
        vb_scan *scan;
        vb_coded_scan *through;
    } * searchers;
} sample;

static void fill(float *values, int64_t count, uint64_t state) {
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (float)(int32_t)(state >> 32) * 0x1p-31f;
    }
}

static void make_rows(sample *made, const vb_scan_plan *plan) {
    int64_t count = (int64_t)VB_CODER_GROUP * plan->dim, unlisted = 0;
    fill(made->values, count, 1);
    if (made->coder)
        vb_coder_encode(made->coder, made->values, VB_F32, VB_CODER_GROUP, made->stored, made->work, &unlisted, &unlisted);
    for (int64_t i = 0; i < count && !made->coder; i++) {
        uint16_t half = vb_dtype_float_to_half(made->values[i]); /* taken for bf16 another number */
        if (plan->dtype == VB_F32) memcpy(made->stored + i * 4, &made->values[i], sizeof(float));
        else memcpy(made->stored + i * 2, &half, sizeof half);
    }
    for (int64_t g = 1; g < made->rows / VB_CODER_GROUP; g++)
        memcpy(made->stored + (size_t)g * made->group, made->stored, made->group);
}

static int no_row(void *context, int64_t id, const void **row, vb_dtype *dtype, vb_error *err) {
    (void)context, (void)row, (void)dtype;
    return vb_errorf(err, VB_EINTERNAL, "a measurement asked for row %lld", (long long)id);
}

static int open_sample(sample *made, const vb_scan_plan *plan, vb_error *err) {
    int dim = plan->dim, cores = omp_get_num_procs();
    *made = (sample){.queries = plan->queries < MOST_QUERIES ? plan->queries : MOST_QUERIES,
                     .threads = plan->threads < cores ? plan->threads : cores,
                     .group = (size_t)(row_bytes(plan) * VB_CODER_GROUP)};
    const int64_t groups =
        (int64_t)(SAMPLE / (made->group < LEAST_ROW * VB_CODER_GROUP ? LEAST_ROW * VB_CODER_GROUP : made->group));
    made->rows = groups * VB_CODER_GROUP;
    if (made->threads > groups) made->threads = (int)groups; /* each searches a group at least */
    made->values = vb_array((size_t)VB_CODER_GROUP * (size_t)dim, sizeof(float), "a measurement", err);
    made->asked = vb_array((size_t)made->queries * (size_t)dim, sizeof(float), "a measurement", err);
    made->stored = vb_buffer((size_t)made->rows / VB_CODER_GROUP * made->group, 1, "a measurement", err);
    made->work = vb_array(2 * ((size_t)dim + 64), sizeof(double), "a measurement", err);
    made->searchers = vb_array((size_t)made->threads, sizeof *made->searchers, "a measurement", err);
    if (!made->values || !made->asked || !made->stored || !made->work || !made->searchers) return -1;
    fill(made->asked, made->queries * dim, 2);
    fill(made->values, dim, 3); /* for the mean */
    if (plan->dtype == VB_I8 && vb_coder_new(&made->coder, dim, made->values, 1, VB_DOT, err)) return -1;
    make_rows(made, plan);
    if (vb_search_new(&made->search, made->asked, made->queries, dim, plan->top_k, VB_DOT, err)) return -1;
    for (int64_t q = 0; q < made->queries; q++) vb_search_raise(made->search, q, 1e30);
    if (made->coder && vb_coded_queries_new(&made->coded, made->coder, made->asked, made->queries, err)) return -1;
    for (int t = 0; t < made->threads; t++) {
        struct searcher *one = &made->searchers[t];
        if (vb_scan_new(&one->scan, made->search, err)) return -1;
        if (made->coded && vb_coded_scan_new(&one->through, made->coded, made->search, one->scan, plan->top_k, no_row, NULL, err))
            return -1;
    }
    return 0;
}

static void close_sample(sample *made) {
    for (int t = 0; made->searchers && t < made->threads; t++) {
        vb_coded_scan_free(made->searchers[t].through);
        vb_scan_free(made->searchers[t].scan);
    }
    vb_coded_queries_free(made->coded);
    vb_search_free(made->search);
    vb_coder_free(made->coder);
    vb_free(made->values);
    vb_free(made->asked);
    vb_free(made->stored);
    vb_free(made->work);
    vb_free(made->searchers);
}

/* Rows a second of one thread while the others work as well: the best of the rounds. */
static double search_rate(const sample *made, const vb_scan_plan *plan) {
    double best = 0, all = 0;
    int64_t piece = made->rows / made->threads / VB_CODER_GROUP * VB_CODER_GROUP;
    for (int round = 0; round < ROUNDS && all < ENOUGH; round++) {
        double start = vb_live_now();
#pragma omp parallel num_threads(made->threads)
        {
            int64_t first = omp_get_thread_num() * piece;
            const struct searcher *one = &made->searchers[omp_get_thread_num()];
            const unsigned char *from = made->stored + (size_t)(first / VB_CODER_GROUP) * made->group;
            if (one->through) vb_coded_scan_groups(one->through, from, piece / VB_CODER_GROUP, first, NULL);
            else vb_scan_rows(one->scan, from, plan->dtype, piece, first, NULL);
        }
        const double took = vb_live_now() - start;
        all += took;
        if ((double)piece / took > best) best = (double)piece / took;
    }
    return best * (double)made->queries / (double)plan->queries;
}

/* ---- the plan
 * ---------------------------------------------------------------------------------------------------------------------
 */

static void duration(vb_grid *grid, double seconds) {
    if (seconds < 120) vb_grid_cell(grid, "%.1f s", seconds);
    else if (seconds < 7200) vb_grid_cell(grid, "%.1f min", seconds / 60);
    else vb_grid_cell(grid, "%.1f h", seconds / 3600);
}

int vb_plan_scan_print(const vb_scan_plan *plan, vb_error *err) {
    sample made;
    assert(plan->rows > 0 && plan->dim > 0 && plan->queries > 0 && plan->top_k > 0 && plan->threads > 0 && plan->disk > 0);
    int status = open_sample(&made, plan, err);
    double rate = status ? 0 : search_rate(&made, plan);
    int measured_with = made.threads;
    close_sample(&made);
    if (status) return -1;
    double bytes = vb_plan_scan_bytes(plan), node = rate * plan->threads;
    int64_t rank = vb_retrieve_memory(plan->queries, plan->dim, plan->top_k, plan->threads, 2, plan->dtype == VB_I8);
    printf("scan of %lld rows of %d dimensions for %lld quer%s, top %lld\n", (long long)plan->rows, plan->dim,
           (long long)plan->queries, plan->queries == 1 ? "y" : "ies", (long long)plan->top_k);
    printf("%.1f GB, %.0f bytes a row; a rank with %d threads needs %.0f MiB beside what it reads\n", bytes * 1e-9,
           row_bytes(plan), plan->threads, (double)rank / 1048576);
    printf("measured here at level %s, %d thread%s: %.4g rows a second and thread; a node has %d, its disk gives %.3g GB/s\n\n",
           vb_isa_name(vb_isa_level()), measured_with, measured_with == 1 ? "" : "s", rate, plan->threads, plan->disk * 1e-9);
    vb_grid grid = {.columns = 5};
    vb_strbuf text = {0};
    static const char *const heads[] = {"nodes", "GB a node", "from disk", "from memory", "the disk's limit"};
    for (int i = 0; i < grid.columns; i++) vb_grid_cell(&grid, "%s", heads[i]);
    for (int nodes = 1; nodes <= MOST_NODES; nodes *= 4) {
        double search = (double)plan->rows / node / nodes, read = bytes / plan->disk / nodes;
        vb_grid_cell(&grid, "%d", nodes);
        vb_grid_cell(&grid, "%.4g", bytes * 1e-9 / nodes);
        duration(&grid, fmax(search, read));
        duration(&grid, search);
        duration(&grid, read);
    }
    vb_grid_put(&grid, VB_GRID_TERMINAL, &text);
    status = vb_strbuf_end(&text, "the plan of a scan", err);
    if (!status) fputs(text.bytes, stdout);
    vb_strbuf_free(&text);
    vb_grid_free(&grid);
    return status;
}
