/* Times a few rows by either route. */
#include "kernels/search/scan_route.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "kernels/search/coded_queries.h"
#include "kernels/search/scan_coded.h"
#include "kernels/search/scan_kernel.h"

enum {
    LEAST_QUERIES = 12, /* for fewer, coding a row costs more than all of its products */
    MOST_QUERIES = 96,  /* that are timed: beyond these, both routes grow alike */
    ROWS = VB_SCAN_CODED_ROWS,
    TIMES = 5 /* of which the fastest counts: what disturbs a measurement makes it longer */
};
#define MARGIN 1.25 /* rows that pass the codes are scored in fp32 all the same */

bool vb_scan_route_may_code(int64_t queries, int64_t width) {
    return vb_isa_level() > VB_SCALAR && queries >= LEAST_QUERIES && width <= VB_SCAN_CODED_WIDTH;
}

/* Of this thread's processor time: other programs do not count. */
static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

typedef struct trial {
    const vb_search *search;
    const vb_scan_kernel *kernel;
    int64_t queries;
    vb_coded_queries *coded;
    float *rows, *mean, *stretch, *scores; /* any finite values do */
    float *thresholds;                     /* that nothing reaches */
    uint8_t *groups;
    float factors[ROWS], widened[ROWS];
} trial;

static void in_fp32(trial *t) {
    enum { STRIP = 6 };
    vb_scan_ahead nothing = {(const char *)t->rows, 0};
    for (int64_t i = 0; i < ROWS; i += STRIP) {
        int64_t n = ROWS - i < STRIP ? ROWS - i : STRIP;
        t->kernel->products(t->rows + i * t->search->width, n, t->search->queries, t->queries, t->search->width, t->scores,
                            MOST_QUERIES, nothing);
    }
}

static int never(void *context, int64_t query, unsigned pass, const uint8_t *group, const int32_t *first, int half,
                 vb_error *err) {
    (void)context, (void)query, (void)pass, (void)group, (void)first, (void)half, (void)err;
    return 0;
}

static void in_codes(trial *t) {
    vb_error err;
    size_t bytes = vb_coder_group_bytes(t->coded->width);
    bool cosine = t->search->similarity == VB_COSINE;
    vb_scan_map map = {.stretch = t->stretch, .mean = t->mean, .width = t->coded->width};
    vb_coded_groups groups = {.groups = t->groups, .count = 2, .ahead = (const char *)t->rows, .ahead_bytes = 0};
    for (int h = 0; h < 2; h++) {
        int at = h * VB_CODER_GROUP;
        t->kernel->encode(t->rows + at * t->search->width, cosine ? t->factors + at : NULL, t->widened + at, VB_CODER_GROUP,
                          t->search->width, &map, t->groups + (size_t)h * bytes);
    }
    vb_coded_queries_screen(t->coded, t->thresholds, &groups, never, t, &err); /* fails only when `never` does */
}

static double fastest(void (*route)(trial *), trial *t) {
    double least = INFINITY;
    for (int i = 0; i < TIMES; i++) {
        double start = seconds();
        route(t);
        double taken = seconds() - start;
        if (taken < least) least = taken;
    }
    return least;
}

static int prepare(trial *t, vb_coder **coder, vb_error *err) {
    const vb_search *search = t->search;
    size_t dim = (size_t)search->dim, width = (size_t)search->width, queries = (size_t)t->queries;
    static const char *const what = "the choice of a search's route";
    float *packed = vb_array(queries * dim, sizeof *packed, what, err);
    t->mean = vb_array(2 * VB_SCAN_CODED_WIDTH, sizeof *t->mean, what, err);
    t->rows = vb_array(ROWS * width, sizeof *t->rows, what, err);
    t->scores = vb_array((size_t)(ROWS * MOST_QUERIES), sizeof *t->scores, what, err);
    t->thresholds = vb_array(queries, sizeof *t->thresholds, what, err);
    t->groups = vb_buffer(2 * vb_coder_group_bytes((int)((dim + 63) / 64 * 64)), 1, what, err);
    int status = packed && t->mean && t->rows && t->scores && t->thresholds && t->groups ? 0 : -1;
    if (!status) t->stretch = t->mean + VB_SCAN_CODED_WIDTH;
    for (size_t k = 0; !status && k < dim; k++) t->stretch[k] = 1;
    for (size_t q = 0; !status && q < queries; q++) {
        memcpy(packed + q * dim, search->queries + q * width, dim * sizeof *packed);
        t->thresholds[q] = INFINITY;
    }
    for (size_t i = 0; !status && i < ROWS; i++) {
        memcpy(t->rows + i * width, search->queries + i % queries * width, width * sizeof *t->rows);
        t->factors[i] = 1;
    }
    if (!status) status = vb_coder_new_stretched(coder, (int)dim, t->mean, t->stretch, err);
    if (!status) status = vb_coded_queries_new(&t->coded, *coder, packed, t->queries, err);
    vb_free(packed);
    return status;
}

int vb_scan_route_choose(vb_search *search, vb_error *err) {
    search->codes_pay = false;
    if (!vb_scan_route_may_code(search->count, search->width)) return 0;
    trial t = {.search = search,
               .kernel = vb_scan_kernel_get(),
               .queries = search->count < MOST_QUERIES ? search->count : MOST_QUERIES};
    vb_coder *coder = NULL;
    int status = prepare(&t, &coder, err);
    if (!status) search->codes_pay = fastest(in_codes, &t) * MARGIN < fastest(in_fp32, &t);
    vb_coded_queries_free(t.coded);
    vb_coder_free(coder);
    vb_free(t.mean), vb_free(t.rows), vb_free(t.scores), vb_free(t.thresholds), vb_free(t.groups);
    return status;
}
