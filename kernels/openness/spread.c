/* Standard errors by strata, clusters and deletions, and their intervals. */
#include "kernels/openness/spread.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "kernels/openness/student.h"

const char *const vb_spread_names[] = {"images", "classes", "vocabularies"};
const vb_spread vb_spread_none = {{NAN, NAN, NAN}, {NAN, NAN, NAN}, {NAN, NAN, NAN}};

/* A standard error below this is rounding. */
static const double nothing = 1e-12;
/* What a class adds to a variance within vocabularies and takes away across them leaves this share of it by rounding. */
static const double cancelled = 1e-13;

double vb_spread_jackknife(const double *values, int n) {
    double mean = 0, squares = 0;
    for (int i = 0; i < n; i++) mean += values[i];
    mean /= n;
    for (int i = 0; i < n; i++) squares += (values[i] - mean) * (values[i] - mean);
    double error = n < 2 ? NAN : sqrt((double)(n - 1) / n * squares);
    return error < nothing ? 0 : error;
}

/* ratio: the squared quantile over the number of draws */
static double lower_bound(double value, double ratio) {
    double low = (value + ratio / 2 - sqrt(ratio * value * (1 - value) + ratio * ratio / 4)) / (1 + ratio);
    return low > 0 ? low : 0;
}

static void wilson(double value, double ratio, double *low, double *high) {
    *low = lower_bound(value, ratio);
    *high = 1 - lower_bound(1 - value, ratio); /* exactly 1 for 1, as 0 for 0 */
}

void vb_spread_wilson(int64_t right, int64_t n, double interval[2]) {
    wilson((double)right / (double)n, VB_STUDENT_NORMAL * VB_STUDENT_NORMAL / (double)n, &interval[0], &interval[1]);
}

void vb_spread_interval(double value, double error, int64_t units, int64_t df, double *low, double *high) {
    *low = *high = NAN;
    if (!isfinite(value) || !isfinite(error)) return;
    double t = vb_student_quantile(df < 1 ? 1 : df), most = value * (1 - value);
    if (error < nothing) wilson(value, VB_STUDENT_NORMAL * VB_STUDENT_NORMAL / (double)units, low, high);
    else if (most > 0) wilson(value, t * t * error * error / most, low, high);
    else { /* where deletions move a figure that is 0 or 1, nothing is known of it */ *low = 0;
        *high = 1;
    }
}

/* ---- what is drawn ---- */

/* Images, classes and the degrees of freedom that they leave. */
typedef struct draws {
    int64_t images, classes, images_df, classes_df;
    double mean;
} draws;

static draws draws_of(const vb_spread_table *table, int t) {
    draws its = {0};
    double sum = 0;
    int64_t alone = 0;
    for (int i = table->offsets[t]; i < table->offsets[t + 1]; i++) {
        const vb_spread_cell *cell = &table->cells[i];
        if (!cell->images) continue;
        its.images += cell->images;
        its.classes++;
        sum += cell->sum;
        if (cell->images > 1) its.images_df += cell->images - 1;
        else alone++;
    }
    if (alone) its.images_df += alone - 1;
    its.classes_df = its.classes - 1;
    its.mean = sum / (double)its.images;
    return its;
}

/* n / (n - 1) */
static double unbiased(int64_t n) { return (double)n / (double)(n - 1); }

static void set_intervals(vb_spread *out, double value, const draws *drawn, int vocabularies) {
    const int64_t units[] = {drawn->images, drawn->classes, vocabularies},
                  df[] = {drawn->images_df, drawn->classes_df, vocabularies - 1};
    for (int k = 0; k < VB_SPREAD_KINDS; k++)
        vb_spread_interval(value, out->error[k], units[k], df[k], &out->low[k], &out->high[k]);
}

void vb_spread_of_vocabulary(vb_spread *out, const vb_spread_table *table, int t, const double *without, int count) {
    const draws its = draws_of(table, t);
    const double n = (double)its.images;
    double images = 0, classes = 0;
    for (int i = table->offsets[t]; i < table->offsets[t + 1]; i++) {
        const vb_spread_cell *cell = &table->cells[i];
        if (!cell->images) continue;
        double off = cell->sum - (double)cell->images * its.mean;
        /* The only image of its class: from the mean of the vocabulary. */
        images += cell->images > 1 ? unbiased(cell->images) * cell->squares : unbiased(its.images) * off * off;
        classes += off * off;
    }
    out->error[VB_SPREAD_IMAGES] = its.images < 2 ? NAN : sqrt(images) / n;
    out->error[VB_SPREAD_CLASSES] = its.classes < 2 ? NAN : sqrt(unbiased(its.classes) * classes) / n;
    out->error[VB_SPREAD_VOCABULARIES] = vb_spread_jackknife(without, count);
    set_intervals(out, its.mean, &its, count);
}

/* By class: what it moves the mean over vocabularies by, as a cluster and as a single image. */
typedef struct moved {
    int64_t images;
    double cluster, alone;
} moved;

/* The variance of the images within classes, but for the only images of a class; theirs, and the clusters', go to `by_class`. */
static double add_vocabulary(moved *by_class, const vb_spread_table *table, int t, const draws *its, double overall) {
    const double n = table->vocabularies,
                 weight = table->weights ? table->weights[t] / (double)its->images : 1 / (n * (double)its->images);
    /* The only class, or image, of its vocabulary: from the mean over the vocabularies. */
    const double only = sqrt(unbiased(table->vocabularies)) * (its->mean - overall) * (table->weights ? table->weights[t] : 1) /
                        (table->weights ? 1 : n);
    double images = 0, alone = sqrt(unbiased(its->images)), cluster = sqrt(unbiased(its->classes));
    for (int i = table->offsets[t]; i < table->offsets[t + 1]; i++) {
        const vb_spread_cell *cell = &table->cells[i];
        if (!cell->images) continue;
        moved *class = &by_class[cell->class];
        double off = cell->sum - (double)cell->images * its->mean;
        class->images = cell->images + (table->weights ? class->images : 0);
        double single = its->images > 1 ? weight * alone * off : only;
        if (cell->images > 1) images += weight * weight * unbiased(cell->images) * cell->squares;
        else if (table->weights) images += single * single;
        else class->alone += single;
        class->cluster += its->classes > 1 ? weight * cluster * off : only;
    }
    return images;
}

int vb_spread_of_mean(vb_spread *out, const vb_spread_table *table, const double *without, int count, vb_error *err) {
    const int n = table->vocabularies;
    draws *each = vb_array((size_t)n, sizeof *each, "standard errors", err);
    moved *by_class = each ? vb_array((size_t)table->classes, sizeof *by_class, "standard errors", err) : NULL;
    draws all = {0};
    double images = 0, classes = 0, terms = 0;
    int64_t single = 0;
    *out = vb_spread_none;
    if (!by_class) {
        vb_free(each);
        return -1;
    }
    for (int t = 0; t < n; t++) {
        each[t] = draws_of(table, t);
        all.mean += each[t].mean * (table->weights ? table->weights[t] : 1);
        all.images_df += each[t].images_df;
        all.classes_df += each[t].classes_df;
        single += each[t].classes == 1;
    }
    if (!table->weights) all.mean /= n;
    if (single) all.classes_df += single - 1;
    for (int t = 0; t < n; t++) {
        images += add_vocabulary(by_class, table, t, &each[t], all.mean);
        if (each[t].images < 2 && !(table->weights && n > 1)) images = NAN;
    }
    for (int64_t i = 0; i < table->cross_count; i++) {
        const vb_spread_cross *cross = &table->crosses[i];
        if (cross->images < 2) continue;
        const double term = 2 * unbiased(cross->images) * cross->products /
                            ((double)n * (double)each[cross->first].images * (double)n * (double)each[cross->second].images);
        images += term;
        terms += fabs(term);
    }
    if (images < cancelled * terms) images = 0;
    for (int c = 0; c < table->classes; c++) {
        images += by_class[c].alone * by_class[c].alone;
        classes += by_class[c].cluster * by_class[c].cluster;
        all.images += by_class[c].images;
        all.classes += by_class[c].images > 0;
    }
    out->error[VB_SPREAD_IMAGES] = sqrt(images);
    out->error[VB_SPREAD_CLASSES] = n == 1 && single ? NAN : sqrt(classes);
    out->error[VB_SPREAD_VOCABULARIES] = vb_spread_jackknife(without, count);
    set_intervals(out, all.mean, &all, count);
    vb_free(each);
    vb_free(by_class);
    return 0;
}

void vb_spread_of_deletions(vb_spread *out, double value, const double *without, int count) {
    const int kind = VB_SPREAD_VOCABULARIES;
    *out = vb_spread_none;
    out->error[kind] = vb_spread_jackknife(without, count);
    vb_spread_interval(value, out->error[kind], count, count - 1, &out->low[kind], &out->high[kind]);
}
