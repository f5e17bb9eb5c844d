/* The search through codes: the two-plane bounds, pools of candidates, and their exact scores. */
#include "kernels/search/coded_scan.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"

enum { AT_ONCE = 32 /* groups before thresholds are read again */ };

typedef struct candidate {
    double middle, bound; /* the score is within bound of middle */
    int64_t id;
} candidate;

struct vb_coded_scan {
    const vb_coded_queries *coded;
    vb_search *search;
    vb_scan *exact;
    vb_row_reader *reader;
    void *reader_context;
    int64_t k, capacity; /* of each pool */
    candidate *pool;     /* count x capacity */
    int64_t *held;       /* in each */
    double *work;        /* capacity */
    float *thresholds;   /* of each query */
    int64_t pair_id;     /* of the first row of the groups in hand */
    int64_t rescored;
    double slack;
};

/* ---- pools ---- */

static int64_t pool_capacity(int64_t k) { return 4 * k + 256; }

size_t vb_coded_scan_bytes(int64_t queries, int64_t k) {
    /* and what settling takes: places in the pools, in the order of the rows */
    return (size_t)queries * ((size_t)pool_capacity(k) * (sizeof(candidate) + 16) + sizeof(int64_t) + sizeof(float)) +
           sizeof(vb_coded_scan);
}

int vb_coded_scan_new(vb_coded_scan **out, const vb_coded_queries *coded, vb_search *search, vb_scan *exact, int64_t k,
                      vb_row_reader *reader, void *reader_context, vb_error *err) {
    assert(k >= 1 && reader);
    *out = NULL;
    vb_coded_scan *scan = vb_array(1, sizeof *scan, "search through codes", err);
    if (!scan) return -1;
    *scan = (vb_coded_scan){.coded = coded,
                            .search = search,
                            .exact = exact,
                            .reader = reader,
                            .reader_context = reader_context,
                            .k = k,
                            .capacity = pool_capacity(k)};
    scan->pool = vb_buffer((size_t)(coded->count * scan->capacity), sizeof *scan->pool, "candidates", err);
    scan->held = vb_array((size_t)coded->count, sizeof *scan->held, "candidates", err);
    scan->work = vb_buffer((size_t)scan->capacity, sizeof *scan->work, "candidates", err);
    scan->thresholds = vb_array((size_t)coded->count, sizeof *scan->thresholds, "candidates", err);
    if (!scan->pool || !scan->held || !scan->work || !scan->thresholds) {
        vb_coded_scan_free(scan);
        return -1;
    }
    *out = scan;
    return 0;
}

void vb_coded_scan_free(vb_coded_scan *scan) {
    if (!scan) return;
    vb_free(scan->pool);
    vb_free(scan->held);
    vb_free(scan->work);
    vb_free(scan->thresholds);
    vb_free(scan);
}

void vb_coded_scan_certificate(const vb_coded_scan *scan, int64_t *rescored, double *slack) {
    *rescored = scan->rescored;
    *slack = scan->slack;
}

/* The k-th largest of n > k - 1 values, which are reordered (Hoare's selection). */
static double select_kth(double *values, int64_t n, int64_t k) {
    int64_t low = 0, high = n - 1, wanted = k - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (values[i] > pivot) i++;
            while (values[j] < pivot) j--;
            if (i > j) break;
            double kept = values[i];
            values[i++] = values[j];
            values[j--] = kept;
        }
        if (wanted <= j) high = j;
        else if (wanted >= i) low = i;
        else break;
    }
    return values[wanted];
}

/* Raises the query's threshold to the k-th best lower bound, and drops the candidates that cannot reach it. */
static void prune(vb_coded_scan *scan, int64_t q) {
    candidate *pool = scan->pool + q * scan->capacity;
    int64_t n = scan->held[q], kept = 0;
    if (n >= scan->k) {
        for (int64_t i = 0; i < n; i++) scan->work[i] = pool[i].middle - pool[i].bound;
        vb_search_raise(scan->search, q, select_kth(scan->work, n, scan->k));
    }
    double floor = vb_search_floor(scan->search, q);
    for (int64_t i = 0; i < n; i++)
        if (pool[i].middle + pool[i].bound >= floor) pool[kept++] = pool[i];
    scan->held[q] = kept;
}

/* ---- exact scores ---- */

/* A place in a pool. */
typedef struct place {
    int64_t id, query;
    const candidate *candidate;
} place;

static int by_row(const void *a, const void *b) {
    const place *x = a, *y = b;
    return x->id != y->id ? (x->id < y->id ? -1 : 1) : x->query < y->query ? -1 : x->query > y->query;
}

static int rescore(vb_coded_scan *scan, place *places, int64_t count, vb_error *err) {
    enum { QUERIES = 64 };
    qsort(places, (size_t)count, sizeof *places, by_row);
    for (int64_t at = 0; at < count;) {
        int64_t queries[QUERIES], n = 0;
        double scores[QUERIES];
        const void *row;
        vb_dtype dtype;
        if (scan->reader(scan->reader_context, places[at].id, &row, &dtype, err)) return -1;
        while (at + n < count && n < QUERIES && places[at + n].id == places[at].id) {
            queries[n] = places[at + n].query;
            n++;
        }
        if (vb_scan_row(scan->exact, row, dtype, places[at].id, queries, n, scores, err)) return -1;
        for (int64_t i = 0; i < n; i++) {
            const candidate *c = places[at + i].candidate;
            if (!(fabs(scores[i] - c->middle) <= c->bound))
                return vb_errorf(err, VB_EMISMATCH,
                                 "row %lld scores %.9g for query %lld, its code certifies %.9g to %.9g: the quantised copy is "
                                 "not of this corpus",
                                 (long long)c->id, scores[i], (long long)queries[i], c->middle - c->bound, c->middle + c->bound);
            if (isfinite(c->bound)) scan->slack += c->bound;
        }
        scan->rescored += n;
        at += n;
    }
    return 0;
}

static int by_middle(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    return x->middle != y->middle ? (x->middle > y->middle ? -1 : 1) : x->id < y->id ? -1 : x->id > y->id;
}

/* First the k most promising of each query, whose exact scores raise the threshold; then what still reaches it. */
static int settle(vb_coded_scan *scan, int64_t first, int64_t count, vb_error *err) {
    int64_t all = 0;
    int status = 0;
    for (int64_t q = first; q < first + count; q++) {
        prune(scan, q);
        all += scan->held[q];
    }
    place *places = vb_buffer((size_t)all, sizeof *places, "candidates", err);
    if (!places) return -1;
    for (int round = 0; round < 2 && !status; round++) {
        int64_t n = 0;
        for (int64_t q = first; q < first + count; q++) {
            candidate *pool = scan->pool + q * scan->capacity;
            int64_t held = scan->held[q], most = held < scan->k ? held : scan->k;
            if (!round) qsort(pool, (size_t)held, sizeof *pool, by_middle);
            double floor = vb_search_floor(scan->search, q);
            for (int64_t i = round ? most : 0; i < (round ? held : most); i++)
                if (pool[i].middle + pool[i].bound >= floor) places[n++] = (place){pool[i].id, q, &pool[i]};
        }
        status = rescore(scan, places, n, err);
    }
    for (int64_t q = first; q < first + count; q++) scan->held[q] = 0;
    vb_free(places);
    return status;
}

int vb_coded_scan_settle(vb_coded_scan *scan, vb_error *err) { return settle(scan, 0, scan->coded->count, err); }

/* ---- the scan ---- */

/* vb_passed: the second plane's bounds, and into the pool. id: of the first row of the pair. */
static int examine(void *context, int64_t q, unsigned pass, const uint8_t *group, const int32_t *first, int half, vb_error *err) {
    vb_coded_scan *scan = context;
    int64_t id = scan->pair_id + half * VB_CODER_GROUP;
    const vb_coded_queries *coded = scan->coded;
    const vb_coded_query *query = &coded->query[q];
    int32_t second[VB_CODED_PAIR];
    float numbers[3][VB_CODER_GROUP];
    memcpy(numbers, group + (size_t)VB_CODER_GROUP * (size_t)coded->width, sizeof numbers);
    coded->kernel->products(group, 0, 1, coded->second + q * coded->width, 1, &query->second_offset, coded->width, second);
    double floor = vb_search_floor(scan->search, q);
    for (; pass; pass &= pass - 1) {
        int i = __builtin_ctz(pass);
        double scale = numbers[0][i], residual = numbers[1][i], norm = numbers[2][i];
        if (residual < 0) continue;
        double dot = query->first_scale * first[i] + query->second_scale * second[i];
        candidate found = {.middle = query->base + scale * dot, .id = id + i};
        /* and the roundings of the line above, and of the exact score that this is compared with */
        found.bound = (query->second_left * norm + query->norm * residual) * (1 + 0x1p-20) + query->base_slack +
                      0x1p-44 * query->norm * (norm + residual + vb_coder_mean_norm(coded->coder)) + 0x1p-140;
        if (found.middle + found.bound < floor) continue;
        if (scan->held[q] == scan->capacity) {
            prune(scan, q);
            if (scan->held[q] > scan->capacity / 4 * 3 && settle(scan, q, 1, err)) return -1;
            floor = vb_search_floor(scan->search, q);
        }
        scan->pool[q * scan->capacity + scan->held[q]++] = found;
    }
    return 0;
}

int vb_coded_scan_groups(vb_coded_scan *scan, const void *groups, int64_t count, int64_t first_id, vb_error *err) {
    const vb_coded_queries *coded = scan->coded;
    size_t stride = vb_coder_group_bytes(coded->width);
    for (int64_t g = 0; g < count; g += 2) {
        vb_coded_groups pair = {.groups = (const uint8_t *)groups + (size_t)g * stride, .count = count - g >= 2 ? 2 : 1};
        if (g % AT_ONCE == 0)
            for (int64_t q = 0; q < coded->count; q++)
                scan->thresholds[q] = vb_coded_queries_threshold(coded, q, vb_search_floor(scan->search, q));
        scan->pair_id = first_id + g * VB_CODER_GROUP;
        if (vb_coded_queries_screen(coded, scan->thresholds, &pair, examine, scan, err)) return -1;
    }
    return 0;
}
