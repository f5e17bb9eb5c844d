/* Bounded heaps, one a query, and their form as bytes. */
#include "kernels/exact/topk.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"

int vb_topk_new(vb_topk *topk, int64_t queries, int64_t k, vb_error *err) {
    assert(queries >= 0 && k >= 0);
    *topk = (vb_topk){.queries = queries, .k = k};
    size_t all;
    if (__builtin_mul_overflow((size_t)queries, (size_t)k, &all))
        return vb_errorf(err, VB_EMEMORY, "%lld queries with %lld hits each are more than can be counted", (long long)queries,
                         (long long)k);
    topk->hits = vb_buffer(all, sizeof *topk->hits, "hits of the queries", err);
    topk->count = vb_array((size_t)queries, sizeof *topk->count, "hits of the queries", err);
    if (topk->hits && topk->count) return 0;
    vb_topk_free(topk);
    return -1;
}

void vb_topk_free(vb_topk *topk) {
    for (int64_t q = 0; topk->count && q < topk->queries; q++)
        for (int64_t i = 0; i < topk->count[q]; i++) vb_free(topk->hits[q * topk->k + i].wide);
    vb_free(topk->hits);
    vb_free(topk->count);
    *topk = (vb_topk){0};
}

const vb_hit *vb_topk_worst(const vb_topk *topk, int64_t query) {
    return topk->count[query] < topk->k ? NULL : topk->hits + query * topk->k;
}

/* From place i down to where the hit is ranked behind all below it. */
static void sift_down(vb_hit *heap, int64_t count, int64_t i, vb_hit hit) {
    for (;;) {
        int64_t child = 2 * i + 1;
        if (child >= count) break;
        if (child + 1 < count && vb_hit_before(&heap[child], &heap[child + 1])) child++;
        if (!vb_hit_before(&hit, &heap[child])) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = hit;
}

void vb_topk_offer(vb_topk *topk, int64_t query, vb_hit hit) {
    assert(query >= 0 && query < topk->queries);
    vb_hit *heap = topk->hits + query * topk->k;
    int64_t count = topk->count[query], i = count;
    if (count == topk->k) {
        if (!count || !vb_hit_before(&hit, &heap[0])) {
            vb_free(hit.wide);
            return;
        }
        vb_free(heap[0].wide);
        sift_down(heap, count, 0, hit);
        return;
    }
    while (i && vb_hit_before(&heap[(i - 1) / 2], &hit)) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = hit;
    topk->count[query] = count + 1;
}

void vb_topk_merge(vb_topk *topk, vb_topk *from) {
    assert(topk->queries == from->queries && topk->k == from->k);
    for (int64_t q = 0; q < from->queries; q++) {
        for (int64_t i = 0; i < from->count[q]; i++) vb_topk_offer(topk, q, from->hits[q * from->k + i]);
        from->count[q] = 0;
    }
}

void vb_topk_sort(vb_topk *topk) {
    for (int64_t q = 0; q < topk->queries; q++) {
        vb_hit *heap = topk->hits + q * topk->k;
        for (int64_t n = topk->count[q] - 1; n > 0; n--) {
            vb_hit worst = heap[0];
            sift_down(heap, n, 0, heap[n]);
            heap[n] = worst;
        }
    }
}

/* ---- as bytes: for each query the number of hits, then the hits, each with a flag and, if set, its wide sums ---- */

typedef struct packed_hit {
    int64_t id;
    double dot, dot_rest, square, square_rest;
    int64_t wide;
} packed_hit;
static_assert(sizeof(packed_hit) == 48, "the layout of hits in saved states");

static int append_bytes(unsigned char **bytes, size_t *size, size_t *capacity, const void *from, size_t n, vb_error *err) {
    if (vb_grow((void **)bytes, capacity, *size + n, 1, "hits as bytes", err)) return -1;
    memcpy(*bytes + *size, from, n);
    *size += n;
    return 0;
}

int vb_topk_pack(const vb_topk *topk, int64_t first, int64_t queries, unsigned char **bytes, size_t *size, size_t *capacity,
                 vb_error *err) {
    for (int64_t q = first; q < first + queries; q++) {
        int64_t count = topk->count[q];
        if (append_bytes(bytes, size, capacity, &count, sizeof count, err)) return -1;
        for (int64_t i = 0; i < count; i++) {
            const vb_hit *hit = topk->hits + q * topk->k + i;
            packed_hit packed = {hit->id, hit->dot, hit->dot_rest, hit->square, hit->square_rest, hit->wide != NULL};
            if (append_bytes(bytes, size, capacity, &packed, sizeof packed, err)) return -1;
            if (hit->wide && append_bytes(bytes, size, capacity, hit->wide, 2 * sizeof *hit->wide, err)) return -1;
        }
    }
    return 0;
}

static bool take_bytes(void *to, const unsigned char **at, const unsigned char *end, size_t n) {
    if ((size_t)(end - *at) < n) return false;
    memcpy(to, *at, n);
    *at += n;
    return true;
}

/* What vb_exact_sum can hold, and a square above zero; bytes of a file may say anything. */
static bool is_hit(const packed_hit *packed) {
    const double most = 0x1p271; /* half of what a sum of two terms may be */
    bool rests = packed->wide || (fabs(packed->dot_rest) < most && fabs(packed->square_rest) < most);
    return packed->id >= 0 && fabs(packed->dot) < most && packed->square > 0 && packed->square < most && rests;
}

/* One hit from the bytes; *whole says whether it was there. */
static int unpack_hit(vb_hit *hit, const unsigned char **at, const unsigned char *end, bool *whole, vb_error *err) {
    packed_hit packed;
    *whole = take_bytes(&packed, at, end, sizeof packed) && is_hit(&packed);
    if (!*whole) return 0;
    *hit = (vb_hit){packed.id, packed.dot, packed.dot_rest, packed.square, packed.square_rest, NULL};
    if (!packed.wide) return 0;
    if (!(hit->wide = vb_array(2, sizeof *hit->wide, "a wide hit", err))) return -1;
    *whole = take_bytes(hit->wide, at, end, 2 * sizeof *hit->wide);
    if (!*whole) vb_free(hit->wide);
    return 0;
}

int vb_topk_unpack(vb_topk *topk, int64_t first, int64_t queries, const unsigned char *bytes, size_t size, vb_error *err) {
    assert(first >= 0 && queries >= 0 && first + queries <= topk->queries);
    const unsigned char *end = bytes + size, *at = bytes;
    bool whole = true;
    for (int64_t q = first; q < first + queries && whole; q++) {
        int64_t count = 0;
        whole = take_bytes(&count, &at, end, sizeof count) && count >= 0 && count <= topk->k;
        for (int64_t i = 0; i < count && whole; i++) {
            vb_hit hit;
            if (unpack_hit(&hit, &at, end, &whole, err)) return -1;
            if (whole) vb_topk_offer(topk, q, hit);
        }
    }
    if (whole && at == end) return 0;
    return vb_errorf(err, VB_EDATA, "lists of hits: %zu bytes that are none, or cut off", size);
}
