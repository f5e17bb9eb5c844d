/* Figures computed again from what lies in the results. */
#include "mpi/plan/verify_figures.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/names_curve.h"
#include "mpi/base/strbuf.h"
#include "mpi/evaluate/pair_json.h"

enum { COMPARED_TEXT = 200 };

static const double tolerance = 1e-9;

/* What was compared so far, and the first figure that differs. */
typedef struct comparison {
    int64_t compared, wrong;
    char first[COMPARED_TEXT];
} comparison;

/* unit: how large what the figure is a sum of is, where that may be more than 1. */
static void compare_in(comparison *all, const char *name, double here, double there, double unit) {
    all->compared++;
    if (fabs(here - there) < tolerance * unit || (isnan(here) && isnan(there))) return;
    if (!all->wrong++) snprintf(all->first, sizeof all->first, "%s is %.17g, from what it rests on %.17g", name, there, here);
}

static void compare(comparison *all, const char *name, double here, double there) { compare_in(all, name, here, there, 1); }

static void tell(const vb_verify *verify, const char *where, const comparison *all, const char *what) {
    vb_error err = {0};
    if (!all->wrong && all->compared)
        vb_findings_add(verify->findings, VB_FINDING_OK, where, "%s: %lld more figures, as stated", what,
                        (long long)all->compared);
    else if (all->wrong) {
        vb_errorf(&err, VB_EMISMATCH, "%s: %lld of %lld figures are not what they should be: %s", what, (long long)all->wrong,
                  (long long)all->compared, all->first);
        vb_findings_take(verify->findings, where, &err);
    }
}

/* ---- from records ---- */

/* Sums over the images of a vocabulary. */
typedef struct vocabulary_sums {
    int64_t images;
    double c, e, s;
    double *curve;  /* a step each */
    int64_t *theft; /* of each other vocabulary */
} vocabulary_sums;

static void add_image(vocabulary_sums *sums, const vb_record_set *set, int64_t image, int v, const double *table) {
    const int n = set->space.vocabularies;
    const uint8_t *beaten = set->beaten + (size_t)image * (size_t)n;
    const vb_image_scores scores = vb_record_set_scores(set, image, v);
    int harmful = 0;
    sums->images++;
    sums->c += scores.c;
    sums->e += scores.e;
    sums->s += scores.s;
    if (beaten[v]) return;
    for (int u = 0; u < n; u++)
        if (u != v && beaten[u]) harmful++, sums->theft[u]++;
    for (int i = 0; i < n; i++) sums->curve[i] += table[harmful * n + i];
}

static void compare_vocabulary(comparison *all, const json_t *entry, const json_t *its, int v, const vocabulary_sums *sums, int n,
                               bool exact) {
    const double images = (double)sums->images;
    const json_t *curve = json_object_get(its, "curve"), *theft = json_array_get(json_object_get(entry, "theft"), (size_t)v);
    char name[COMPARED_TEXT];
    snprintf(name, sizeof name, "of vocabulary '%.100s' images", vb_json_text(its, "name"));
    compare(all, name, images, (double)vb_json_integer(its, "images"));
    snprintf(name, sizeof name, "of vocabulary '%.100s' acc_c", vb_json_text(its, "name"));
    compare(all, name, sums->c / images, vb_json_number(its, "acc_c"));
    if (exact) {
        snprintf(name, sizeof name, "of vocabulary '%.100s' acc_e", vb_json_text(its, "name"));
        compare(all, name, sums->e / images, vb_json_number(its, "acc_e"));
    }
    if (exact && n > 1) {
        snprintf(name, sizeof name, "of vocabulary '%.100s' acc_s", vb_json_text(its, "name"));
        compare(all, name, sums->s / images, vb_json_number(its, "acc_s"));
    }
    for (int i = 0; i < n; i++) {
        const json_t *point = json_array_get(curve, (size_t)i);
        snprintf(name, sizeof name, "of vocabulary '%.100s' curve[%d]", vb_json_text(its, "name"), i);
        compare(all, name, sums->curve[i] / images, json_is_number(point) ? json_number_value(point) : NAN);
        snprintf(name, sizeof name, "theft[%d][%d]", v, i);
        compare(all, name, (double)sums->theft[i], (double)json_integer_value(json_array_get(theft, (size_t)i)));
    }
}

/* Means over images that analyses state. */
static void compare_analyses(comparison *all, const vb_record_set *set, const int64_t *right, const int64_t *images) {
    const json_t *figures = json_object_get(set->entry, "analyses");
    double margin = 0, similarity = 0, recall = 0, unit = 1;
    int64_t margins = 0, classes = 0;
    for (int64_t i = 0; i < set->count; i++) {
        similarity += set->similarity[i];
        if (isfinite(set->margin[i])) margin += set->margin[i], margins++;
        unit = fmax(unit, fmax(fabs(set->similarity[i]), fabs(set->similarity[i] - set->margin[i]))); /* inner products */
    }
    for (int c = 0; c < set->space.classes; c++)
        if (images[c]) recall += (double)right[c] / (double)images[c], classes++;
    /* An image of several right classes has another runner-up; the first class listed counts for recall in any case. */
    const bool sets = json_object_get(json_object_get(set->entry, "data"), "label_sets");
    if (json_is_number(json_object_get(figures, "margin_mean")) && margins && !sets)
        compare_in(all, "margin_mean", margin / (double)margins, vb_json_number(figures, "margin_mean"), unit);
    if (json_is_number(json_object_get(figures, "positive_mean")) && !sets)
        compare_in(all, "positive_mean", similarity / (double)set->count, vb_json_number(figures, "positive_mean"), unit);
    if (json_is_number(json_object_get(figures, "class_recall")) && classes)
        compare(all, "class_recall", recall / (double)classes, vb_json_number(figures, "class_recall"));
}

static void compare_whole(comparison *all, const vb_record_set *set, const vocabulary_sums *sums, bool exact) {
    const int n = set->space.vocabularies;
    double s = 0;
    char name[32];
    for (int v = 0; v < n; v++) s += sums[v].s / (double)sums[v].images;
    if (n > 1 && exact) compare(all, "acc_s", s / n, vb_json_number(set->entry, "acc_s"));
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int v = 0; v < n; v++) sum += sums[v].curve[i] / (double)sums[v].images;
        const json_t *point = json_array_get(json_object_get(set->entry, "curve"), (size_t)i);
        snprintf(name, sizeof name, "curve[%d]", i);
        compare(all, name, sum / n, json_is_number(point) ? json_number_value(point) : NAN);
    }
}

static bool is_sampled(const vb_record_set *set) { return strcmp(vb_json_text(set->entry, "protocol"), "exact") != 0; }

int vb_verify_figures_of_records(const vb_verify *verify, const char *where, const vb_record_set *set, vb_error *err) {
    const size_t n = (size_t)set->space.vocabularies, classes = (size_t)set->space.classes;
    const bool exact = !is_sampled(set);
    const json_t *list = json_object_get(set->entry, "vocabularies");
    comparison all = {0};
    vocabulary_sums *sums = vb_array(n, sizeof *sums, "figures", err);
    double *table = vb_array(n * n, sizeof *table, "figures", err), *curves = vb_array(n * n, sizeof *curves, "figures", err);
    int64_t *thefts = vb_array(n * n, sizeof *thefts, "figures", err),
            *right = vb_array(2 * classes, sizeof *right, "figures", err);
    int status = sums && table && curves && thefts && right ? 0 : -1;
    /* table: the share of the sets of i of all foreign vocabularies that hold none of v harmful ones. */
    for (size_t v = 0; v < n && !status; v++) {
        sums[v].curve = curves + v * n;
        sums[v].theft = thefts + v * n;
        for (size_t i = 0; i < n; i++) table[v * n + i] = vb_names_curve_survival((int64_t)n - 1, (int64_t)v, (int64_t)i);
    }
    for (int64_t i = 0; i < set->count && !status; i++) {
        right[set->label[i]] += set->right[i];
        right[classes + (size_t)set->label[i]]++;
        for (int v = 0; v < (int)n; v++)
            if (vb_record_set_in(set, i, v)) add_image(&sums[v], set, i, v, table);
    }
    for (size_t v = 0; v < n && !status; v++)
        compare_vocabulary(&all, set->entry, json_array_get(list, v), (int)v, &sums[v], (int)n, exact);
    if (!status) {
        compare_whole(&all, set, sums, exact);
        compare_analyses(&all, set, right, right + classes);
        tell(verify, where, &all, "from the records");
    }
    vb_free(right);
    vb_free(thefts);
    vb_free(curves);
    vb_free(table);
    vb_free(sums);
    return status;
}

/* ---- counted anew ---- */

static void compare_json(comparison *all, const char *path, const json_t *here, const json_t *there);

static void compare_list(comparison *all, const char *path, const json_t *here, const json_t *there) {
    const size_t count = json_array_size(here);
    char name[COMPARED_TEXT];
    compare(all, path, (double)count, json_is_array(there) ? (double)json_array_size(there) : NAN);
    for (size_t i = 0; i < count && i < json_array_size(there); i++) {
        const json_t *its = json_array_get(here, i);
        if (json_is_object(its)) snprintf(name, sizeof name, "%.100s '%.60s'", path, vb_json_text(its, "name"));
        else snprintf(name, sizeof name, "%.150s[%zu]", path, i);
        compare_json(all, name, its, json_array_get(there, i));
    }
}

/* Numbers of the one that the other states, too. What it lacks an earlier version has not written. */
static void compare_json(comparison *all, const char *path, const json_t *here, const json_t *there) {
    const char *key;
    json_t *its;
    char name[COMPARED_TEXT];
    if (json_is_array(here)) compare_list(all, path, here, there);
    else if (json_is_number(here) || json_is_null(here))
        compare(all, path, json_is_null(here) ? NAN : json_number_value(here),
                json_is_number(there) ? json_number_value(there) : NAN);
    json_object_foreach((json_t *)(uintptr_t)here, key, its) {
        const json_t *stated = json_object_get(there, key);
        snprintf(name, sizeof name, "%.130s%s%.60s", path, *path ? " " : "", key);
        if (stated) compare_json(all, name, its, stated);
    }
}

/* The counts of all records, as the run had them. */
static int count_records(const vb_verify *verify, const vb_record_set *set, vb_tally **tally, vb_error *err) {
    const json_t *configuration = json_object_get(verify->folder->document, "configuration");
    const vb_protocol protocol = {.sampled = is_sampled(set),
                                  .trials = (int)vb_json_integer(configuration, "trials"),
                                  .seed = (uint32_t)vb_json_integer(configuration, "seed"),
                                  .union_permutations = (int)vb_json_integer(configuration, "union_permutations"),
                                  .curve_errors = true,
                                  .union_errors = true};
    if (vb_tally_new(tally, &set->space, &protocol, err)) return -1;
    for (int64_t i = 0; i < set->count; i++)
        vb_tally_add(*tally, set->label[i], set->beaten + (size_t)i * (size_t)set->space.vocabularies);
    vb_harm_sets *sets = vb_tally_harm_sets(*tally);
    return sets ? vb_harm_sets_end(sets, err) : 0;
}

/* The entry's figures of openness, as they follow from the records; NULL without memory. */
static json_t *figures_of(const vb_record_set *set, const vb_openness_result *openness, const vb_figure_errors *errors,
                          vb_error *err) {
    vb_vocabularies names = {.count = set->space.vocabularies,
                             .names = (char **)(uintptr_t)set->vocabulary,
                             .offsets = set->offsets,
                             .members = set->members,
                             .classes = set->space.classes};
    names.class = vb_array((size_t)names.classes, sizeof *names.class, "figures", err);
    if (!names.class) return NULL;
    for (int c = 0; c < names.classes; c++) names.class[c].name = (char *)(uintptr_t)set->class[c];
    vb_json json = {0};
    json_t *entry = vb_json_object(&json);
    vb_pair_json_figures(&json, entry, &(vb_counted){&names, openness, errors, 0, is_sampled(set)});
    json_object_del(entry, "tied_images"); /* records do not tell */
    vb_free(names.class);
    if (!vb_json_end(&json, "figures", err)) return entry;
    json_decref(entry);
    return NULL;
}

int vb_verify_figures_counted(const vb_verify *verify, const char *where, const vb_record_set *set, vb_error *err) {
    comparison all = {0};
    vb_tally *tally = NULL;
    vb_openness_result openness = {0};
    vb_figure_errors errors = {0};
    json_t *entry = NULL;
    int status = count_records(verify, set, &tally, err);
    if (!status) status = vb_openness(&openness, tally, err);
    if (!status) status = vb_figure_errors_new(&errors, tally, &openness, err);
    if (!status) {
        entry = figures_of(set, &openness, &errors, err);
        status = entry ? 0 : -1;
    }
    if (!status) {
        compare_json(&all, "", entry, set->entry);
        tell(verify, where, &all, "counted from the records, with errors and intervals");
    }
    json_decref(entry);
    vb_figure_errors_free(&errors);
    vb_openness_free(&openness);
    vb_tally_free(tally);
    if (!status || err->code == VB_EMEMORY) return status;
    vb_findings_take(verify->findings, where, err); /* a configuration by hand: no protocol that can be */
    return 0;
}

/* ---- from figures beside them ---- */

static void compare_retrieval(comparison *all, const json_t *entry) {
    const json_t *retrieval = json_object_get(entry, "retrieval"), *row;
    const double plain = vb_pair_json_exact(entry, "acc_e");
    double most = -INFINITY, best = NAN;
    size_t k;
    json_array_foreach(json_object_get(retrieval, "results"), k, row) {
        const double value = vb_pair_json_exact(row, "acc_e");
        compare(all, "retrieval: gain", value - plain, vb_json_number(row, "gain"));
        if (value > most) most = value;
        if (json_is_true(json_object_get(row, "best"))) best = value;
    }
    if (k) compare(all, "retrieval: the best setting's Acc-E", most, best);
}

static void compare_attack(comparison *all, const json_t *attack) {
    const double images = vb_json_number(attack, "images"), right = vb_json_number(attack, "right");
    const json_t *accuracy = json_object_get(attack, "accuracy"), *takes;
    const char *class;
    double left = right;
    size_t i;
    compare(all, "adversarial: accuracy_before", right / images, vb_json_number(attack, "accuracy_before"));
    json_array_foreach(json_object_get(attack, "takes"), i, takes) {
        json_t *taken;
        json_object_foreach((json_t *)(uintptr_t)takes, class, taken) { left -= (double)json_integer_value(taken); }
        const json_t *stated = json_array_get(accuracy, i);
        compare(all, "adversarial: accuracy", left / images, json_is_number(stated) ? json_number_value(stated) : NAN);
    }
    const double least = vb_json_number(attack, "accuracy_bound");
    compare(all, "adversarial: gap", left / images - least, vb_json_number(attack, "gap"));
    compare(all, "adversarial: proven", fabs(left / images - least) < tolerance, json_is_true(json_object_get(attack, "proven")));
}

/* The accuracy before the attack is that of the vocabulary among its own classes. */
static void compare_target(comparison *all, const json_t *entry, const json_t *attack) {
    size_t v;
    const json_t *its;
    json_array_foreach(json_object_get(entry, "vocabularies"), v, its) {
        if (!strcmp(vb_json_text(its, "name"), vb_json_text(attack, "target")))
            compare(all, "adversarial: accuracy_before", vb_json_number(its, "acc_c"), vb_json_number(attack, "accuracy_before"));
    }
}

void vb_verify_figures_of_entry(const vb_verify *verify, const char *where, const json_t *entry) {
    comparison retrieval = {0}, adversarial = {0};
    size_t t;
    json_t *attack;
    if (json_object_get(entry, "retrieval")) compare_retrieval(&retrieval, entry);
    json_array_foreach(json_object_get(entry, "adversarial"), t, attack) {
        compare_attack(&adversarial, attack);
        compare_target(&adversarial, entry, attack);
    }
    tell(verify, where, &retrieval, "REPE");
    tell(verify, where, &adversarial, "adversarial names");
}

void vb_verify_figures_uncovered(const vb_verify *verify, const char *where, const json_t *entry) {
    static const char *const covered[] = {"margin_mean", "positive_mean", "class_recall"};
    const json_t *figures = json_object_get(entry, "analyses");
    vb_strbuf list = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)figures, key, value) {
        bool known = false;
        for (size_t i = 0; i < sizeof covered / sizeof *covered; i++) known |= !strcmp(key, covered[i]);
        if (!known) vb_strbuf_format(&list, "%s%s", list.filled ? ", " : "", key);
    }
    if (json_object_get(entry, "retrieval")) vb_strbuf_format(&list, "%saccuracies of REPE", list.filled ? ", " : "");
    if (json_object_get(entry, "adversarial")) vb_strbuf_format(&list, "%swhat adversarial names take", list.filled ? ", " : "");
    if (list.filled)
        vb_findings_add(verify->findings, VB_FINDING_NOTE, where,
                        "not looked at: %s: they rest on embeddings; --whole computes all again", list.bytes);
    vb_strbuf_free(&list);
}
