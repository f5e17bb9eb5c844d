/* Pieces of rows: uploaded, multiplied, picked, offered. */
#include "kernels/search/scan_device.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_best.h"
#include "kernels/search/scan_block.h"

typedef struct piece {
    const char *rows;
    vb_dtype dtype;
    int64_t count, first_id;
    int place; /* on the device */
} piece;

struct vb_scan_device {
    vb_scan *scan;
    vb_gpu_device *device;
    vb_gpu_best *best; /* NULL: lost */
    vb_gpu_best_picked picked;
    piece held; /* is being multiplied; count 0: none */
    int64_t most, searched;
    float *squares, *factors, *products; /* of a piece's rows; products: of one query */
    float *floors, *slacks;              /* of the queries */
    int64_t *queries;                    /* 0, 1, ... */
    int64_t *beyond, beyond_count;       /* rows of the piece that the bound does not hold for */
    char lost[VB_ERROR_TEXT];            /* why the device failed last */
};

static int open_best(vb_scan_device *its, vb_error *err) {
    const vb_search *search = vb_scan_its_block(its->scan)->search;
    const vb_gpu_best_shape shape = {.queries = search->count, .dim = (int)search->dim, .wanted = search->k, .rows = its->most};
    return vb_gpu_best_open(&its->best, its->device, &shape, search->queries, search->width, err);
}

int vb_scan_device_new(vb_scan_device **out, vb_scan *scan, vb_gpu_device *device, int64_t most, int share, vb_error *err) {
    const vb_search *search = vb_scan_its_block(scan)->search;
    const vb_gpu_device_info *info = vb_gpu_device_facts(device);
    *out = NULL;
    if (!info->subnormals)
        return vb_errorf(err, VB_EUNSUPPORTED, "device %s: it has no subnormal numbers, without which no error bound holds",
                         info->name);
    const int64_t rows = vb_gpu_best_rows(device, search->count, (int)search->dim, search->k, most, share);
    if (!rows)
        return vb_errorf(err, VB_EUNSUPPORTED, "device %s: too little memory for %lld queries", info->name,
                         (long long)search->count);
    vb_scan_device *its = *out = vb_array(1, sizeof *its, "search on a device", err);
    if (!its) return -1;
    *its = (vb_scan_device){.scan = scan, .device = device, .most = rows};
    static const char *const what = "search on a device";
    const size_t queries = (size_t)search->count, floats = sizeof(float);
    its->squares = vb_array((size_t)rows, floats, what, err);
    its->factors = vb_array((size_t)rows, floats, what, err);
    its->products = vb_array((size_t)rows, floats, what, err);
    its->beyond = vb_array((size_t)rows, sizeof *its->beyond, what, err);
    its->floors = vb_array(queries, floats, what, err);
    its->slacks = vb_array(queries, floats, what, err);
    its->queries = vb_array(queries, sizeof *its->queries, what, err);
    if (!its->squares || !its->factors || !its->products || !its->beyond || !its->floors || !its->slacks || !its->queries)
        return -1;
    for (int64_t q = 0; q < search->count; q++) its->queries[q] = q;
    return open_best(its, err);
}

void vb_scan_device_free(vb_scan_device *its) {
    if (!its) return;
    vb_gpu_best_close(its->best);
    vb_free(its->squares), vb_free(its->factors), vb_free(its->products), vb_free(its->beyond);
    vb_free(its->floors), vb_free(its->slacks), vb_free(its->queries);
    vb_free(its);
}

size_t vb_scan_device_bytes(int64_t queries, int64_t k, int64_t rows) {
    const size_t row = 3 * sizeof(float) + sizeof(int64_t), places = (size_t)vb_gpu_best_room(k, rows) * sizeof(uint32_t),
                 query = 3 * sizeof(float) + sizeof(int64_t) + sizeof(uint32_t) + places;
    return (size_t)rows * row + (size_t)queries * query;
}

int64_t vb_scan_device_most(const vb_scan_device *its) { return its->most; }
int64_t vb_scan_device_searched(const vb_scan_device *its) { return its->searched; }
const char *vb_scan_device_lost(const vb_scan_device *its) { return its->best ? "" : its->lost; }

/* ---- a piece ---- */

/* The kinds of a piece's rows, their factors, and the largest norm, from their squares. */
static void note_rows(vb_scan_device *its, const piece *p) {
    vb_scan_block *block = vb_scan_its_block(its->scan);
    const vb_search *search = block->search;
    const size_t row_bytes = (size_t)search->dim * vb_dtype_size(p->dtype);
    const bool direct = p->dtype == VB_F32 && search->dim == search->width && (uintptr_t)p->rows % sizeof(float) == 0;
    double largest = 0;
    its->beyond_count = 0;
    for (int64_t at = 0; at < p->count; at += block->most) {
        const int64_t n = p->count - at < block->most ? p->count - at : block->most;
        vb_scan_block_begin(block, p->rows + (size_t)at * row_bytes, p->dtype, direct);
        memcpy(block->square, its->squares + at, (size_t)n * sizeof *block->square);
        vb_scan_block_note(block, n);
        for (int64_t i = 0; i < n; i++) {
            its->factors[at + i] = block->kind[i] == VB_ROW_ORDINARY ? block->inverse[i] : NAN;
            if (block->kind[i] == VB_ROW_BEYOND) its->beyond[its->beyond_count++] = at + i;
        }
        if (block->largest > largest) largest = block->largest;
    }
    block->largest = largest;
    for (int64_t q = 0; q < search->count; q++) {
        its->floors[q] = vb_scan_block_threshold(block, q);
        its->slacks[q] = vb_scan_block_slack(block, q);
    }
}

static int offer(vb_scan_device *its, const piece *p, int64_t i, const int64_t *queries, int64_t count, vb_error *err) {
    const vb_search *search = vb_scan_its_block(its->scan)->search;
    const char *row = p->rows + (size_t)i * (size_t)search->dim * vb_dtype_size(p->dtype);
    return vb_scan_row(its->scan, row, p->dtype, p->first_id + i, queries, count, NULL, err);
}

/* What was picked for the queries that found room, and the rows beyond. */
static int offer_picked(vb_scan_device *its, const piece *p, vb_error *err) {
    const vb_gpu_best_shape *shape = vb_gpu_best_shaped(its->best);
    for (int64_t b = 0; b < its->beyond_count; b++)
        if (offer(its, p, its->beyond[b], its->queries, shape->queries, err)) return -1;
    for (int64_t q = 0; q < shape->queries; q++) {
        const uint32_t found = its->picked.found[q], *places = its->picked.places + q * shape->room;
        for (uint32_t h = 0; found <= shape->room && h < found; h++)
            if (offer(its, p, places[h], &its->queries[q], 1, err)) return -1;
    }
    return 0;
}

/* Queries of which more rows than there was room for are left (ties, as a rule): by all of their products, or where the device
 * does not give them, every row. */
static int offer_crowded(vb_scan_device *its, const piece *p, vb_error *err) {
    const vb_gpu_best_shape *shape = vb_gpu_best_shaped(its->best);
    for (int64_t q = 0; q < shape->queries; q++) {
        if (its->picked.found[q] <= shape->room) continue;
        vb_error ignored;
        const bool known = !vb_gpu_best_products(its->best, q, its->products, &ignored);
        const float threshold = its->picked.thresholds[q];
        for (int64_t i = 0; i < p->count; i++) {
            const bool passes = known ? its->products[i] * its->factors[i] >= threshold : !isnan(its->factors[i]);
            if (passes && offer(its, p, i, &its->queries[q], 1, err)) return -1;
        }
    }
    return 0;
}

/* What the device has to say about the piece that is held. */
static int pick_held(vb_scan_device *its, vb_error *why) {
    if (vb_gpu_best_squares(its->best, its->squares, why)) return -1;
    note_rows(its, &its->held);
    return vb_gpu_best_pick(its->best, its->factors, its->floors, its->slacks, &its->picked, why);
}

/* ---- what fails ---- */

/* With smaller pieces where memory is what lacks; else without the device. */
static void open_smaller(vb_scan_device *its, vb_error *why) {
    int status = -1;
    snprintf(its->lost, sizeof its->lost, "%s", why->text);
    while (status && why->code == VB_EMEMORY && its->most / 2 >= VB_GPU_BEST_LEAST) {
        vb_gpu_best_close(its->best);
        its->most /= 2;
        status = open_best(its, why);
    }
    if (!status) return;
    vb_gpu_best_close(its->best);
    its->best = NULL;
}

static int search_here(vb_scan_device *its, const piece *p, vb_error *err) {
    return p->count ? vb_scan_rows(its->scan, p->rows, p->dtype, p->count, p->first_id, err) : 0;
}

/* Of what is held nothing has been offered. */
static int go_on_without(vb_scan_device *its, const piece *next, vb_error *why, vb_error *err) {
    const piece held = its->held;
    its->held.count = 0;
    open_smaller(its, why);
    return search_here(its, &held, err) || search_here(its, next, err) ? -1 : 0;
}

/* ---- the search ---- */

/* Offers what is held, and begins with the next piece in between. */
static int step(vb_scan_device *its, const piece *next, vb_error *err) {
    vb_error why;
    const vb_scan_counts before = *vb_scan_counted(its->scan);
    int failed = next->count ? vb_gpu_best_upload(its->best, next->place, next->rows, next->dtype, next->count, &why) : 0;
    if (!failed && its->held.count) failed = pick_held(its, &why);
    if (failed) {
        *vb_scan_counted(its->scan) = before;
        return go_on_without(its, next, &why, err);
    }
    int status = its->held.count ? offer_crowded(its, &its->held, err) : 0;
    if (next->count && !status) failed = vb_gpu_best_multiply(its->best, next->place, next->dtype, next->count, &why);
    if (its->held.count && !status) status = offer_picked(its, &its->held, err);
    its->searched += its->held.count;
    its->held.count = 0;
    if (status) return -1;
    if (failed) return go_on_without(its, next, &why, err);
    its->held = *next;
    return 0;
}

int vb_scan_device_rows(vb_scan_device *its, const void *rows, vb_dtype dtype, int64_t count, int64_t first_id, vb_error *err) {
    const piece next = {rows, dtype, count, first_id, (its->held.place + 1) % VB_GPU_BEST_PLACES};
    return its->best && count <= its->most ? step(its, &next, err) : search_here(its, &next, err);
}

int vb_scan_device_end(vb_scan_device *its, vb_error *err) {
    return its->held.count ? step(its, &(piece){.place = its->held.place}, err) : 0;
}

/* ---- the measurement ---- */

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

typedef struct trial {
    vb_search *search;
    vb_scan *scan, *other;
    vb_scan_device *device;
    float *rows;
    int64_t count;
} trial;

/* The same rows twice: the second time the best are known, as they are for most of a corpus. */
static int time_both(trial *t, double *here, double *there, vb_error *err) {
    enum { HERE = 192 };
    const int64_t few = t->count < HERE ? t->count : HERE;
    for (int turn = 0; turn < 2; turn++) {
        const double start = seconds(CLOCK_MONOTONIC);
        if (vb_scan_device_rows(t->device, t->rows, VB_F32, t->count, turn * t->count, err) || vb_scan_device_end(t->device, err))
            return -1;
        *there = (seconds(CLOCK_MONOTONIC) - start) / (double)t->count;
    }
    if (t->device->searched != 2 * t->count)
        return vb_errorf(err, VB_EDEVICE, "device %s: it did not search all rows: %s",
                         vb_gpu_device_facts(t->device->device)->name, t->device->lost);
    const double start = seconds(CLOCK_THREAD_CPUTIME_ID);
    if (vb_scan_rows(t->other, t->rows, VB_F32, few, 0, err)) return -1;
    *here = (seconds(CLOCK_THREAD_CPUTIME_ID) - start) / (double)few;
    return 0;
}

int vb_scan_device_measure(vb_gpu_device *device, const float *queries, int64_t count, int dim, vb_similarity similarity,
                           double *here, double *there, vb_error *err) {
    enum { FLOATS = 2 << 20, LEAST = 256 };
    trial t = {.count = FLOATS / dim > LEAST ? FLOATS / dim : LEAST};
    uint32_t seed = 1; /* Numerical Recipes' generator */
    int status = vb_search_new(&t.search, queries, count, dim, 1, similarity, err);
    if (!status) status = vb_scan_new(&t.scan, t.search, err);
    if (!status) status = vb_scan_new(&t.other, t.search, err);
    if (!status) status = vb_scan_device_new(&t.device, t.scan, device, t.count, 1, err);
    if (!status && t.device->most < t.count) t.count = t.device->most;
    if (!status && !(t.rows = vb_array((size_t)t.count * (size_t)dim, sizeof *t.rows, "made rows", err))) status = -1;
    for (int64_t i = 0; !status && i < t.count * dim; i++) {
        seed = seed * 1664525u + 1013904223u;
        t.rows[i] = (float)((int)(seed >> 8) - (1 << 23)) * 0x1p-23f;
    }
    if (!status) status = time_both(&t, here, there, err);
    vb_scan_device_free(t.device);
    vb_scan_free(t.scan);
    vb_scan_free(t.other);
    vb_search_free(t.search);
    vb_free(t.rows);
    return status;
}
