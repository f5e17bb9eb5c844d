/* The queries of a search, their error bounds, and the shared k-th best scores. */
#include "kernels/search/search.h"

#include <assert.h>
#include <math.h>

#include "kernels/base/memory.h"
#include "kernels/search/scan_kernel.h"
#include "kernels/search/scan_route.h"
#include "kernels/search/search_internal.h"

/* The exponent of a float's last bit is 23 below its own, unless it is subnormal and even higher. */
int vb_search_last_bit(const float *row, int64_t width) {
    float least = vb_scan_kernel_get()->least(row, width);
    return isinf(least) ? 0 : ilogbf(least) - 23;
}

static int copy_query(vb_search *search, int64_t q, const float *from, vb_error *err) {
    float *row = search->queries + q * search->width;
    double square = 0;
    for (int64_t k = 0; k < search->dim; k++) {
        row[k] = from[k];
        square += (double)row[k] * row[k];
        if (!isfinite(row[k]))
            return vb_errorf(err, VB_EDATA, "query row %lld: element %lld is %s, expected a finite number", (long long)q,
                             (long long)k, isnan(row[k]) ? "NaN" : "infinite");
    }
    if (square == 0 && search->similarity == VB_COSINE)
        return vb_errorf(err, VB_EDATA, "query row %lld: all elements are zero, a cosine needs a direction", (long long)q);
    if (sqrt(square) > VB_SEARCH_LARGEST)
        return vb_errorf(err, VB_EUNSUPPORTED, "query row %lld: its norm is %g, at most %g is handled", (long long)q,
                         sqrt(square), VB_SEARCH_LARGEST);
    search->norm[q] = sqrt(square) * (1 + 0x1p-30);
    search->last_bit[q] = vb_search_last_bit(row, search->width);
    atomic_init(&search->floor[q], -INFINITY);
    return 0;
}

int vb_search_new(vb_search **out, const float *queries, int64_t count, int dim, int64_t k, vb_similarity similarity,
                  vb_error *err) {
    assert(count >= 0 && k >= 1);
    *out = NULL;
    if (dim < 1 || dim > VB_EXACT_TERMS)
        return vb_errorf(err, VB_EUNSUPPORTED, "queries of %d dimensions, expected 1 to %d", dim, VB_EXACT_TERMS);
    int status = -1;
    vb_search *search = vb_array(1, sizeof *search, "search", err);
    if (!search) return -1;
    *search = (vb_search){.count = count, .k = k, .dim = dim, .width = vb_search_width(dim), .similarity = similarity};
    search->queries = vb_array((size_t)(count * search->width), sizeof(float), "queries", err);
    search->norm = vb_array((size_t)count, sizeof(double), "queries", err);
    search->last_bit = vb_array((size_t)count, sizeof(int), "queries", err);
    search->floor = vb_array((size_t)count, sizeof *search->floor, "queries", err);
    if (!search->queries || !search->norm || !search->last_bit || !search->floor) goto done;
    for (int64_t q = 0; q < count; q++)
        if (copy_query(search, q, queries + q * dim, err)) goto done;
    /* For cosines the row's norm in fp32, half as many roundings again, its inverse and the product with it. */
    double n = similarity == VB_COSINE ? 2.0 * dim + 16 : dim + 8.0, unit = 0x1p-24;
    search->radius = n * unit / (1 - n * unit) * VB_SEARCH_WIDEN;
    search->constant = n * 0x1p-148 * (similarity == VB_COSINE ? 2 / VB_SEARCH_SMALLEST : 1);
    if (vb_scan_route_choose(search, err)) goto done;
    *out = search;
    status = 0;
done:
    if (status) vb_search_free(search);
    return status;
}

void vb_search_free(vb_search *search) {
    if (!search) return;
    vb_free(search->queries);
    vb_free(search->norm);
    vb_free(search->last_bit);
    vb_free((void *)search->floor);
    vb_free(search);
}

double vb_search_floor(const vb_search *search, int64_t query) {
    assert(query >= 0 && query < search->count);
    return atomic_load_explicit(&search->floor[query], memory_order_relaxed);
}

void vb_search_raise(vb_search *search, int64_t query, double score) {
    double known = vb_search_floor(search, query);
    while (score > known && !atomic_compare_exchange_weak_explicit(&search->floor[query], &known, score, memory_order_relaxed,
                                                                   memory_order_relaxed)) {}
}

double vb_search_score(const vb_search *search, int64_t query, const vb_hit *hit) {
    assert(query >= 0 && query < search->count);
    if (search->similarity == VB_DOT) return hit->dot;
    const float *q = search->queries + query * search->width;
    double square = 0;
    for (int64_t k = 0; k < search->dim; k++) square += (double)q[k] * q[k];
    return hit->dot / (sqrt(square) * sqrt(hit->square));
}

size_t vb_search_bytes(int64_t queries, int dim) {
    return (size_t)queries * ((size_t)vb_search_width(dim) * sizeof(float) + sizeof(double) * 2 + sizeof(int));
}
