/* The search through codes: panels of queries, the two-plane bounds, pools of candidates, and their exact scores. */
#include "kernels/coded_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/coded_kernel.h"
#include "kernels/isa.h"
#include "kernels/memory.h"

enum { AT_ONCE = 32 /* groups between two looks at the thresholds */ };

/* A query in two planes. */
typedef struct coded_query {
    double first_scale, second_scale;
    double norm;                    /* of the query, rounded up */
    double first_left, second_left; /* norms of what the planes leave, rounded up */
    double base, base_slack;        /* <q, m> and its error */
    int32_t second_offset;
} coded_query;

struct vb_coded_queries {
    const vb_coder *coder;
    int64_t count;
    int width;
    coded_query *query;
    int32_t *offset;     /* 128 times the sum of the first plane's codes */
    float *alpha, *beta; /* the screen's factors of residual and norm, in units of first_scale */
    int8_t *panels; /* first planes, in panels of VB_PANEL queries */
    int8_t *second; /* second planes, one after the other; the codes of a single query are a panel of one */
    int8_t *first;  /* the same of the first planes */
};

typedef struct candidate {
    double middle, bound; /* the score is within bound of middle */
    int64_t id;
} candidate;

struct vb_coded_scan {
    const vb_coded_queries *coded;
    const vb_coded_kernel *kernel;
    vb_search *search;
    vb_scan *exact;
    vb_row_reader *reader;
    void *reader_context;
    int64_t k, capacity; /* of each pool */
    candidate *pool;     /* count x capacity */
    int64_t *held;       /* in each */
    double *work;        /* capacity */
    float *thresholds;   /* of each query */
    int64_t rescored;
    double slack;
};

/* ---- the plain kernel ----------------------------------------------------------------------------------------------------------- */

static void plain_products(const uint8_t *codes, size_t stride, int groups, const int8_t *panel, int queries, const int32_t *offsets,
                           int width, int32_t *out) {
    for (int g = 0; g < groups; g++)
        for (int q = 0; q < queries; q++)
            for (int i = 0; i < VB_GROUP; i++) {
                int32_t sum = -offsets[q];
                for (int k = 0; k < width; k++)
                    sum += codes[(size_t)g * stride + (size_t)(k / 4 * 4 * VB_GROUP + 4 * i + k % 4)] *
                           panel[(k / 4 * queries + q) * 4 + k % 4];
                out[q * VB_PAIR + g * VB_GROUP + i] = sum;
            }
}

static unsigned plain_screen(const int32_t *products, const float *numbers, int queries, const float *alpha, const float *beta,
                             const float *thresholds, uint16_t *pass) {
    unsigned any = 0;
    for (int q = 0; q < queries; q++) {
        pass[q] = 0;
        for (int i = 0; i < VB_GROUP; i++) {
            float bound = fmaf(beta[q], numbers[2 * VB_GROUP + i], alpha[q] * numbers[VB_GROUP + i]);
            if (fmaf(numbers[i], (float)products[q * VB_PAIR + i], bound) >= thresholds[q]) pass[q] |= (uint16_t)(1u << i);
        }
        any |= pass[q];
    }
    return any;
}

const vb_coded_kernel vb_coded_kernel_scalar = {plain_products, plain_screen};

const vb_coded_kernel *vb_coded_kernel_get(void) {
#if defined(__x86_64__)
    vb_isa level = vb_isa_level();
    if (level >= VB_VNNI) return &vb_coded_kernel_vnni;
    if (level >= VB_AVX2) return &vb_coded_kernel_avx2;
#endif
    return &vb_coded_kernel_scalar;
}

/* ---- queries --------------------------------------------------------------------------------------------------------------------- */

static float float_above(double value) {
    float rounded = (float)value;
    return (double)rounded < value ? nextafterf(rounded, INFINITY) : rounded;
}

/* y to codes, leaving y - scale * codes in y; the norm of that, not rounded up. */
static double take_plane(double *y, int width, double *scale, int8_t *codes, int32_t *offset, double *coded_norm) {
    double largest = 0, left = 0, square = 0;
    *offset = 0;
    for (int k = 0; k < width; k++) largest = fmax(largest, fabs(y[k]));
    *scale = largest > 0 ? largest / 127 : 1;
    for (int k = 0; k < width; k++) {
        double c = fmin(fmax(rint(y[k] / *scale), -127), 127);
        codes[k] = (int8_t)c;
        *offset += 128 * codes[k];
        y[k] -= c * *scale;
        left += y[k] * y[k];
        square += c * c;
    }
    *coded_norm = sqrt(square);
    return sqrt(left);
}

static void take_query(vb_coded_queries *coded, int64_t q, const float *from, double *work) {
    const vb_coder *coder = coded->coder;
    const double UP = 1 + 0x1p-20;
    int width = coded->width, dim = vb_coder_dim(coder);
    coded_query *query = &coded->query[q];
    double *y = work + width, square = 0, first_norm, second_norm;
    memset(y, 0, (size_t)width * sizeof *y);
    for (int k = 0; k < dim; k++) {
        y[k] = from[k];
        square += y[k] * y[k];
    }
    query->norm = sqrt(square) * (1 + 0x1p-30);
    vb_coder_rotate(coder, y, work);
    int8_t *first = coded->first + q * width;
    double slack = 0x1p-44 * query->norm; /* roundings of the rotation and of the planes */
    query->first_left = take_plane(y, width, &query->first_scale, first, &coded->offset[q], &first_norm) * UP + slack;
    query->second_left =
        take_plane(y, width, &query->second_scale, coded->second + q * width, &query->second_offset, &second_norm) * UP + slack;
    query->base = vb_coder_mean_product(coder, from);
    query->base_slack = (dim + 8.0) * 0x1p-52 * query->norm * vb_coder_mean_norm(coder);
    /* The screen is computed in fp32, in units of first_scale: five roundings of numbers that add up to no more than these. */
    coded->alpha[q] = float_above(fmax(query->norm / query->first_scale * UP, 1e-30));
    coded->beta[q] = float_above((query->first_left / query->first_scale + 0x1p-21 * first_norm) * UP);
    int64_t panel = q / VB_PANEL, place = q % VB_PANEL, left = coded->count - panel * VB_PANEL;
    int64_t queries = left < VB_PANEL ? left : VB_PANEL;
    int8_t *to = coded->panels + panel * VB_PANEL * width;
    for (int k = 0; k < width; k += 4) memcpy(to + (k / 4 * queries + place) * 4, first + k, 4);
}

int vb_coded_queries_new(vb_coded_queries **out, const vb_coder *coder, const float *queries, int64_t count, vb_error *err) {
    *out = NULL;
    vb_coded_queries *coded = vb_array(1, sizeof *coded, "coded queries", err);
    if (!coded) return -1;
    *coded = (vb_coded_queries){.coder = coder, .count = count, .width = vb_coder_width(coder)};
    size_t codes = (size_t)count * (size_t)coded->width;
    double *work = vb_array((size_t)coded->width * 2, sizeof *work, "coded queries", err);
    coded->query = vb_array((size_t)count, sizeof *coded->query, "coded queries", err);
    coded->offset = vb_array((size_t)count, sizeof *coded->offset, "coded queries", err);
    coded->alpha = vb_array((size_t)count, sizeof *coded->alpha, "coded queries", err);
    coded->beta = vb_array((size_t)count, sizeof *coded->beta, "coded queries", err);
    coded->panels = vb_array(codes, 1, "coded queries", err);
    coded->first = vb_array(codes, 1, "coded queries", err);
    coded->second = vb_array(codes, 1, "coded queries", err);
    bool whole = coded->query && coded->offset && coded->alpha && coded->beta && coded->panels && coded->first && coded->second;
    int status = work && whole ? 0 : -1;
    for (int64_t q = 0; !status && q < count; q++) take_query(coded, q, queries + q * vb_coder_dim(coder), work);
    vb_free(work);
    if (status)
        vb_coded_queries_free(coded);
    else
        *out = coded;
    return status;
}

void vb_coded_queries_free(vb_coded_queries *coded) {
    if (!coded) return;
    vb_free(coded->query);
    vb_free(coded->offset);
    vb_free(coded->alpha);
    vb_free(coded->beta);
    vb_free(coded->panels);
    vb_free(coded->first);
    vb_free(coded->second);
    vb_free(coded);
}

size_t vb_coded_queries_bytes(int64_t queries, int dim) {
    return (size_t)queries * (sizeof(coded_query) + sizeof(int32_t) + 2 * sizeof(float) + 3 * (((size_t)dim + 63) / 64 * 64));
}

/* ---- pools ------------------------------------------------------------------------------------------------------------------------
 */

static int64_t pool_capacity(int64_t k) { return 4 * k + 256; }

size_t vb_coded_scan_bytes(int64_t queries, int64_t k) {
    /* and what settling takes: places in the pools, in the order of the rows */
    return (size_t)queries * ((size_t)pool_capacity(k) * (sizeof(candidate) + 16) + sizeof(int64_t) + sizeof(float)) +
           sizeof(vb_coded_scan);
}

int vb_coded_scan_new(vb_coded_scan **out, const vb_coded_queries *coded, vb_search *search, vb_scan *exact, int64_t k,
                      vb_row_reader *reader, void *reader_context, vb_error *err) {
    *out = NULL;
    vb_coded_scan *scan = vb_array(1, sizeof *scan, "search through codes", err);
    if (!scan) return -1;
    *scan = (vb_coded_scan){.coded = coded,
                            .kernel = vb_coded_kernel_get(),
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
        if (wanted <= j)
            high = j;
        else if (wanted >= i)
            low = i;
        else
            break;
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

static float threshold_of(const vb_coded_scan *scan, int64_t q) {
    const coded_query *query = &scan->coded->query[q];
    double floor = vb_search_floor(scan->search, q), value = (floor - query->base - query->base_slack) / query->first_scale;
    if (value == -INFINITY) return -INFINITY;
    value -= 0x1p-45 * (fabs(floor) + fabs(query->base)) / query->first_scale;
    float rounded = (float)value;
    return (double)rounded > value ? nextafterf(rounded, -INFINITY) : rounded;
}

/* ---- exact scores --------------------------------------------------------------------------------------------------------------- */

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
                return vb_errorf(
                    err, VB_EMISMATCH,
                    "row %lld scores %.9g for query %lld, its code certifies %.9g to %.9g: the quantised copy is not of this corpus",
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

/* ---- the scan ---------------------------------------------------------------------------------------------------------------------
 */

/* Rows of one group that passed the screen for query q: the second plane's bounds, and into the pool. */
static int examine(vb_coded_scan *scan, int64_t q, unsigned pass, const uint8_t *group, const int32_t *first, int64_t id,
                   vb_error *err) {
    const vb_coded_queries *coded = scan->coded;
    const coded_query *query = &coded->query[q];
    int32_t second[VB_PAIR];
    float numbers[3][VB_GROUP];
    memcpy(numbers, group + (size_t)VB_GROUP * (size_t)coded->width, sizeof numbers);
    scan->kernel->products(group, 0, 1, coded->second + q * coded->width, 1, &query->second_offset, coded->width, second);
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
    size_t stride = vb_group_bytes(coded->width), codes = (size_t)VB_GROUP * (size_t)coded->width;
    int32_t products[VB_PANEL * VB_PAIR];
    for (int64_t g = 0; g < count; g += 2) {
        const uint8_t *group = (const uint8_t *)groups + (size_t)g * stride;
        int pair = count - g >= 2 ? 2 : 1;
        if (g % AT_ONCE == 0)
            for (int64_t q = 0; q < coded->count; q++) scan->thresholds[q] = threshold_of(scan, q);
        for (int64_t at = 0; at < coded->count; at += VB_PANEL) {
            int queries = coded->count - at < VB_PANEL ? (int)(coded->count - at) : VB_PANEL;
            scan->kernel->products(group, stride, pair, coded->panels + at * coded->width, queries, coded->offset + at, coded->width,
                                   products);
            for (int h = 0; h < pair; h++) {
                const uint8_t *half = group + (size_t)h * stride;
                uint16_t pass[VB_PANEL];
                if (!scan->kernel->screen(products + h * VB_GROUP, (const float *)(const void *)(half + codes), queries,
                                          coded->alpha + at, coded->beta + at, scan->thresholds + at, pass))
                    continue;
                for (int i = 0; i < queries; i++)
                    if (pass[i] && examine(scan, at + i, pass[i], half, products + i * VB_PAIR + h * VB_GROUP,
                                           first_id + (g + h) * VB_GROUP, err))
                        return -1;
            }
        }
    }
    return 0;
}
