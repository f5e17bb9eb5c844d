/* Cells of the images' chances to stay right among n names, by class and vocabulary, for each point of the curve. */
#include "kernels/openness/names_errors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/names_curve.h"

/* An image in two vocabularies by the same class: cells, and names that take it. */
typedef struct twice {
    int32_t first, second; /* cells */
    int32_t h_first, h_second;
} twice;

typedef struct errors_work {
    const vb_names_rows *in;
    int *offsets; /* cells by vocabulary */
    vb_spread_cell *cells;
    size_t *begin; /* rows of each cell */
    int cell_count;
    twice *twice;
    size_t twice_count, twice_capacity;
    vb_spread_cross *crosses; /* one for each run of `twice` in the same cells */
    double *kept;             /* by h: the chance at the point at hand, valid where stamp is the current one */
    int32_t *stamp, now;
    int64_t kept_pool, kept_n;
    double *mean, *relief, *without; /* N; N x N; N */
} errors_work;

/* ---- order ---- */

static int compare_rows(const vb_names_row *x, const vb_names_row *y, bool all) {
    const int32_t of_x[] = {x->vocabulary, x->class, all ? x->all : x->own, x->sole, x->without, x->only, x->beside, x->image},
                  of_y[] = {y->vocabulary, y->class, all ? y->all : y->own, y->sole, y->without, y->only, y->beside, y->image};
    for (int k = 0; k < 8; k++)
        if (of_x[k] != of_y[k]) return of_x[k] < of_y[k] ? -1 : 1;
    return 0;
}

static int by_own(const void *a, const void *b) { return compare_rows(a, b, false); }
static int by_all(const void *a, const void *b) { return compare_rows(a, b, true); }

static int by_image(const void *a, const void *b) {
    const vb_names_row *x = a, *y = b;
    if (x->image != y->image) return x->image < y->image ? -1 : 1;
    return (x->vocabulary > y->vocabulary) - (x->vocabulary < y->vocabulary);
}

static int by_cells(const void *a, const void *b) {
    const twice *x = a, *y = b;
    const int32_t of_x[] = {x->first, x->second, x->h_first, x->h_second},
                  of_y[] = {y->first, y->second, y->h_first, y->h_second};
    for (int k = 0; k < 4; k++)
        if (of_x[k] != of_y[k]) return of_x[k] < of_y[k] ? -1 : 1;
    return 0;
}

static int32_t names_of(const vb_names_row *row, bool all) { return all ? row->all : row->own; }

/* The cell of a row, by its vocabulary's ascending classes. */
static int cell_of(const errors_work *work, const vb_names_row *row) {
    int low = work->offsets[row->vocabulary], high = work->offsets[row->vocabulary + 1] - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (work->cells[middle].class < row->class) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Whether row i, in order, is the first one of its vocabulary and class. */
static bool begins_cell(const vb_names_rows *in, size_t i) {
    const vb_names_row *row = &in->rows[i];
    return !i || row->vocabulary != row[-1].vocabulary || row->class != row[-1].class;
}

/* Runs of rows in one vocabulary and class. */
static void find_cells(errors_work *work) {
    const vb_names_rows *in = work->in;
    work->cell_count = 0;
    memset(work->offsets, 0, ((size_t)in->vocabularies + 1) * sizeof *work->offsets);
    for (size_t i = 0; i < in->count; i++) {
        const vb_names_row *row = &in->rows[i];
        if (begins_cell(in, i)) {
            work->begin[work->cell_count] = i;
            work->cells[work->cell_count++] = (vb_spread_cell){.class = row->class};
            work->offsets[row->vocabulary + 1] = work->cell_count;
        }
        work->cells[work->cell_count - 1].images++;
    }
    work->begin[work->cell_count] = in->count;
    for (int t = 0; t < in->vocabularies; t++)
        if (work->offsets[t + 1] < work->offsets[t]) work->offsets[t + 1] = work->offsets[t];
}

static int find_twice(errors_work *work, bool all, vb_error *err) {
    const vb_names_rows *in = work->in;
    work->twice_count = 0;
    qsort(in->rows, in->count, sizeof *in->rows, by_image);
    for (size_t i = 1; i < in->count; i++)
        for (size_t j = i; j-- && in->rows[j].image == in->rows[i].image;) {
            const vb_names_row *x = &in->rows[j], *y = &in->rows[i];
            if (x->class != y->class) continue;
            if (vb_grow((void **)&work->twice, &work->twice_capacity, work->twice_count + 1, sizeof *work->twice, "images", err))
                return -1;
            work->twice[work->twice_count++] = (twice){cell_of(work, x), cell_of(work, y), names_of(x, all), names_of(y, all)};
        }
    if (work->twice_count) qsort(work->twice, work->twice_count, sizeof *work->twice, by_cells);
    vb_free(work->crosses);
    work->crosses = vb_array(work->twice_count, sizeof *work->crosses, "standard errors", err);
    return work->crosses ? 0 : -1;
}

/* ---- one point ---- */

/* What an image that h of the pool's names take has at n. */
static double chance(errors_work *work, int64_t pool, int32_t h, int64_t n) {
    if (h == VB_NAMES_WRONG) return 0;
    if (pool != work->kept_pool || n != work->kept_n) {
        work->kept_pool = pool;
        work->kept_n = n;
        work->now++;
    }
    if (work->stamp[h] != work->now) {
        work->stamp[h] = work->now;
        work->kept[h] = vb_names_curve_survival(pool, h, n);
    }
    return work->kept[h];
}

static int64_t pool_of(const errors_work *work, bool all, int t) { return work->in->pools[all ? work->in->vocabularies : t]; }

/* What the image gains, by the vocabulary that is gone: among all classes one may make it wrong, or hold its best right class. */
static void add_reliefs(errors_work *work, const vb_names_row *row, bool all, int64_t n, double *relief) {
    const int64_t pool = work->in->pools[work->in->vocabularies];
    if (!all) return;
    if (row->sole >= 0) relief[row->sole] += chance(work, pool, row->without, n) - chance(work, pool, row->all, n);
    if (row->only >= 0) relief[row->only] += chance(work, pool, row->beside, n) - chance(work, pool, row->all, n);
}

/* Cells, the vocabularies' means, and what they gain when another is deleted. */
static void fill_cells(errors_work *work, bool all, int64_t n) {
    const vb_names_rows *in = work->in;
    const size_t side = (size_t)in->vocabularies;
    memset(work->relief, 0, side * side * sizeof *work->relief);
    for (int t = 0; t < in->vocabularies; t++) {
        const int64_t pool = pool_of(work, all, t);
        int64_t images = 0;
        double total = 0;
        for (int k = work->offsets[t]; k < work->offsets[t + 1] && n <= pool; k++) {
            vb_spread_cell *cell = &work->cells[k];
            cell->sum = cell->squares = 0;
            for (size_t i = work->begin[k]; i < work->begin[k + 1]; i++) {
                const vb_names_row *row = &in->rows[i];
                cell->sum += chance(work, pool, names_of(row, all), n);
                add_reliefs(work, row, all, n, work->relief + (size_t)t * side);
            }
            for (size_t i = work->begin[k]; i < work->begin[k + 1]; i++) {
                double off = chance(work, pool, names_of(&in->rows[i], all), n) - cell->sum / (double)cell->images;
                cell->squares += off * off;
            }
            images += cell->images;
            total += cell->sum;
        }
        work->mean[t] = images ? total / (double)images : NAN;
        for (size_t u = 0; u < side && images; u++) work->relief[(size_t)t * side + u] /= (double)images;
    }
}

static int vocabulary_of(const errors_work *work, int cell) {
    int t = 0;
    while (cell >= work->offsets[t + 1]) t++;
    return t;
}

/* How many. */
static int64_t fill_crosses(errors_work *work, bool all, int64_t n) {
    int64_t count = 0;
    int first = 0, second = 0;
    for (size_t i = 0; i < work->twice_count; i++) {
        const twice *its = &work->twice[i];
        const vb_spread_cell *x = &work->cells[its->first], *y = &work->cells[its->second];
        if (!i || its->first != its[-1].first || its->second != its[-1].second) {
            first = vocabulary_of(work, its->first);
            second = vocabulary_of(work, its->second);
            work->crosses[count++] = (vb_spread_cross){x->class, first, second, x->images, 0};
        }
        double off_x = chance(work, pool_of(work, all, first), its->h_first, n) - x->sum / (double)x->images,
               off_y = chance(work, pool_of(work, all, second), its->h_second, n) - y->sum / (double)y->images;
        work->crosses[count - 1].products += off_x * off_y;
    }
    return count;
}

static int errors_at(errors_work *work, bool all, int64_t n, vb_spread *mean, vb_spread *each, vb_error *err) {
    const vb_names_rows *in = work->in;
    const int count = in->vocabularies;
    int64_t least = pool_of(work, all, 0);
    fill_cells(work, all, n);
    for (int t = 0; t < count; t++) {
        int others = 0;
        for (int u = 0; u < count; u++)
            if (u != t) work->without[others++] = work->mean[t] + work->relief[(size_t)t * (size_t)count + (size_t)u];
        const vb_spread_table table = {count, in->classes, work->offsets, work->cells, NULL, 0, NULL};
        each[t] = vb_spread_none;
        if (n <= pool_of(work, all, t)) vb_spread_of_vocabulary(&each[t], &table, t, work->without, others);
        if (pool_of(work, all, t) < least) least = pool_of(work, all, t);
    }
    *mean = vb_spread_none;
    if (n > least) return 0;
    for (int u = 0; u < count; u++) {
        work->without[u] = 0;
        for (int t = 0; t < count; t++)
            if (t != u) work->without[u] += work->mean[t] + work->relief[(size_t)t * (size_t)count + (size_t)u];
        work->without[u] /= count - 1;
    }
    const vb_spread_table table = {count, in->classes, work->offsets, work->cells, work->crosses, fill_crosses(work, all, n),
                                   NULL};
    return vb_spread_of_mean(mean, &table, work->without, count, err);
}

/* Of cell k's images alone. */
static void class_errors_at(errors_work *work, bool all, int64_t n, int t, int k, vb_spread *out) {
    const vb_names_rows *in = work->in;
    const int count = in->vocabularies, offsets[] = {0, 1};
    const int64_t pool = pool_of(work, all, t);
    vb_spread_cell cell = work->cells[k];
    int others = 0;
    *out = vb_spread_none;
    if (n > pool) return;
    cell.sum = cell.squares = 0;
    memset(work->relief, 0, (size_t)count * sizeof *work->relief);
    for (size_t i = work->begin[k]; i < work->begin[k + 1]; i++) {
        cell.sum += chance(work, pool, names_of(&in->rows[i], all), n);
        add_reliefs(work, &in->rows[i], all, n, work->relief);
    }
    const double images = (double)cell.images, mean = cell.sum / images;
    for (size_t i = work->begin[k]; i < work->begin[k + 1]; i++) {
        double off = chance(work, pool, names_of(&in->rows[i], all), n) - mean;
        cell.squares += off * off;
    }
    for (int u = 0; u < count; u++)
        if (u != t) work->without[others++] = mean + work->relief[u] / images;
    const vb_spread_table table = {1, in->classes, offsets, &cell, NULL, 0, NULL};
    vb_spread_of_vocabulary(out, &table, 0, work->without, others);
}

/* ---- all points ---- */

static int work_new(errors_work *work, bool all, vb_error *err) {
    const vb_names_rows *in = work->in;
    const size_t n = (size_t)in->vocabularies;
    size_t cells = 0;
    int64_t largest = 0;
    for (size_t t = 0; t <= n; t++)
        if (in->pools[t] > largest) largest = in->pools[t];
    if (!(work->offsets = vb_array(n + 1, sizeof *work->offsets, "standard errors", err))) return -1;
    qsort(in->rows, in->count, sizeof *in->rows, all ? by_all : by_own);
    for (size_t i = 0; i < in->count; i++) cells += begins_cell(in, i);
    if (!(work->cells = vb_array(cells, sizeof *work->cells, "standard errors", err))) return -1;
    if (!(work->begin = vb_array(cells + 1, sizeof *work->begin, "standard errors", err))) return -1;
    if (!(work->kept = vb_array((size_t)largest + 1, sizeof *work->kept, "standard errors", err))) return -1;
    if (!(work->stamp = vb_array((size_t)largest + 1, sizeof *work->stamp, "standard errors", err))) return -1;
    if (!(work->mean = vb_array(n, sizeof *work->mean, "standard errors", err))) return -1;
    if (!(work->relief = vb_array(n * n, sizeof *work->relief, "standard errors", err))) return -1;
    if (!(work->without = vb_array(n, sizeof *work->without, "standard errors", err))) return -1;
    find_cells(work);
    work->kept_n = -1;
    return 0;
}

static void work_free(errors_work *work) {
    vb_free(work->offsets);
    vb_free(work->cells);
    vb_free(work->begin);
    vb_free(work->twice);
    vb_free(work->crosses);
    vb_free(work->kept);
    vb_free(work->stamp);
    vb_free(work->mean);
    vb_free(work->relief);
    vb_free(work->without);
}

int vb_names_errors(vb_spread *out, const vb_names_rows *rows, bool all, const int64_t *points, int count, vb_error *err) {
    const size_t stride = (size_t)rows->vocabularies + 1;
    errors_work work = {.in = rows};
    int status = work_new(&work, all, err);
    if (!status) status = find_twice(&work, all, err);
    if (!status) qsort(rows->rows, rows->count, sizeof *rows->rows, all ? by_all : by_own);
    for (int p = 0; p < count && !status; p++) {
        vb_spread *at = out + (size_t)p * stride;
        status = errors_at(&work, all, points[p], at, at + 1, err);
    }
    work_free(&work);
    return status;
}

int vb_names_errors_of_classes(vb_spread *out, const vb_names_rows *rows, bool all, const int64_t *points, int count,
                               vb_error *err) {
    errors_work work = {.in = rows};
    int *first = vb_array((size_t)rows->classes, sizeof *first, "standard errors", err); /* cell of each class, from 1 */
    int status = first ? work_new(&work, all, err) : -1;
    for (int k = 0; k < work.cell_count && !status; k++)
        if (!first[work.cells[k].class]) first[work.cells[k].class] = k + 1;
    for (int p = 0; p < count && !status; p++) /* chances are kept by point */
        for (int c = 0, entry = 0; c < rows->classes; c++)
            if (first[c])
                class_errors_at(&work, all, points[p], vocabulary_of(&work, first[c] - 1), first[c] - 1,
                                &out[(size_t)entry++ * (size_t)count + (size_t)p]);
    vb_free(first);
    work_free(&work);
    return status;
}
