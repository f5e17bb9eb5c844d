/* The sentences that a report begins with, and the table of all models on all datasets. */
#include "mpi/report/headline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/report/lead.h"
#include "mpi/results/tables.h"

double vb_headline_chance(const json_t *entry) {
    double sum = 0;
    size_t v;
    /* It depends on how many of each image's right classes the vocabularies hold. */
    if (vb_json_integer(json_object_get(json_object_get(entry, "data"), "label_sets"), "images_with_several_classes")) return NAN;
    const json_t *list = json_object_get(entry, "vocabularies"), *vocabulary;
    json_array_foreach(list, v, vocabulary) sum += 1 / (double)json_array_size(json_object_get(vocabulary, "classes"));
    return sum / (double)json_array_size(list);
}

static void write_format(vb_headline_write *write, vb_strbuf *out, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void write_format(vb_headline_write *write, vb_strbuf *out, const char *format, ...) {
    char piece[256]; /* numbers and fixed words, no names */
    va_list args;
    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    write(out, piece, false);
}

static double extensibility(const vb_section_result *result) { return vb_json_number(result->entry, "acc_e"); }

/* The result with the largest Acc-E but `not`, the first of equals; NULL where no other has one. */
static const vb_section_result *find_most_open(const vb_report_group *group, const vb_section_result * not ) {
    const vb_section_result *best = NULL;
    for (int i = 0; i < group->count; i++) {
        const vb_section_result *it = &group->results[i];
        if (it != not &&isfinite(extensibility(it)) && (!best || extensibility(it) > extensibility(best))) best = it;
    }
    return best;
}

static void write_with_error(vb_headline_write *write, vb_strbuf *out, double value, double error) {
    if (isfinite(error)) write_format(write, out, "%.1f ± %.1f", 100 * value, 100 * error);
    else write_format(write, out, "%.1f", 100 * value);
}

/* The lead over the next model. Without records the errors are taken as independent: both saw the same images, so that the error
 * of the difference is smaller wherever the models find the same images hard, and a lead that stands here stands. What is paired
 * is exact Acc-E, by which the next model may be ahead where orders are drawn. */
static void write_lead(const vb_section_result *best, const vb_section_result *next, vb_headline_write *write, vb_strbuf *out) {
    const vb_lead lead = vb_lead_find(best, next);
    out->failed |= lead.failed;
    write(out, " Next is ", false);
    write(out, next->label, true);
    write(out, ", ", false);
    write_with_error(write, out, lead.paired ? fabs(lead.difference) : lead.difference, lead.error);
    write(out, lead.paired && lead.difference < 0 ? " points ahead" : " points behind", false);
    if (lead.paired && json_object_get(best->entry, "exact")) write(out, " by exact Acc-E", false);
    if (lead.paired) {
        if (lead.on_classes) write(out, " on the same images: more than chance explains", false);
        else if (lead.on_images)
            write(out, " on the same images: more than chance explains for these classes, not for others", false);
        else write(out, " on the same images: not told apart", false);
        write_format(write, out, " (p %.2g by images", lead.by_images);
        if (isfinite(lead.by_classes)) write_format(write, out, ", %.2g by classes", lead.by_classes);
        write(out, ").", false);
    } else if (!isfinite(lead.error)) write(out, ".", false);
    else if (lead.on_classes) write(out, ": more than chance explains, even if the errors were independent.", false);
    else if (lead.unpaired) write(out, ": not told apart, were the errors independent.", false);
    else write(out, ": not told apart, were the errors independent; with records (per_image) they are paired here.", false);
}

void vb_headline_group(const vb_report_group *group, vb_headline_write *write, vb_strbuf *out) {
    const vb_section_result *best = find_most_open(group, NULL), *next = best ? find_most_open(group, best) : NULL;
    const json_t *first = group->results->entry;
    const double chance = vb_headline_chance(first), classes = vb_json_number(json_object_get(first, "data"), "classes");
    write(out, "On ", false);
    write(out, group->title, true);
    if (!best) write(out, " nothing has an Acc-E.", false);
    else {
        const double closed = vb_json_number(best->entry, "acc_c");
        write(out, next ? " the most open of " : " ", false);
        if (next) write_format(write, out, "%d models is ", group->count);
        write(out, best->label, true);
        write(out, next ? ": Acc-E " : " has Acc-E ", false);
        write_with_error(write, out, extensibility(best), vb_tables_error(best->entry, "acc_e"));
        /* Above it may be where images have right classes in several vocabularies, and by the sampled protocol. */
        write_format(write, out, " percent, %.1f points %s its Acc-C of %.1f.", 100 * fabs(closed - extensibility(best)),
                     extensibility(best) > closed ? "above" : "below", 100 * closed);
        if (next) write_lead(best, next, write, out);
    }
    if (isfinite(chance)) write_format(write, out, " Guessing gives %.1f percent within the own vocabulary", 100 * chance);
    if (isfinite(chance) && classes > 0)
        write_format(write, out, classes > 1 ? ", %.2g among all names" : ", %.0f among all names", 100 / classes);
    if (isfinite(chance)) write(out, ".", false);
}

const vb_section_result *vb_headline_find(const vb_report_group *group, const char *label) {
    for (int i = 0; i < group->count; i++)
        if (!strcmp(group->results[i].label, label)) return &group->results[i];
    return NULL;
}

static int by_mean(const void *a, const void *b) {
    const vb_headline_model *x = a, *y = b;
    const bool has = isfinite(x->mean), other = isfinite(y->mean);
    if (has != other) return has ? -1 : 1;
    if (has && x->mean != y->mean) return x->mean > y->mean ? -1 : 1;
    return x->first - y->first;
}

int vb_headline_models(const vb_report *report, vb_headline_model *models) {
    const int groups = report->group_count;
    int count = 0;
    for (int g = 0; g < groups; g++)
        for (int i = 0; i < report->groups[g].count; i++) {
            const char *label = report->groups[g].results[i].label;
            bool seen = false;
            double sum = 0;
            int n = 0;
            for (int r = 0; r < count; r++) seen |= !strcmp(models[r].label, label);
            if (seen) continue;
            for (int h = 0; h < groups; h++) {
                const vb_section_result *it = vb_headline_find(&report->groups[h], label);
                if (it && isfinite(extensibility(it))) sum += extensibility(it), n++;
            }
            models[count] = (vb_headline_model){label, n ? sum / n : NAN, count};
            count++;
        }
    qsort(models, (size_t)count, sizeof *models, by_mean);
    return count;
}

bool vb_headline_complete(const vb_report *report, const vb_headline_model *models, int count) {
    for (int m = 0; m < count; m++)
        for (int g = 0; g < report->group_count; g++) {
            const vb_section_result *it = vb_headline_find(&report->groups[g], models[m].label);
            if (!it || !isfinite(extensibility(it))) return false;
        }
    return true;
}

/* On how many datasets the first of two models is told apart from the second, on these classes and on others, and on how many it
 * is the most open; whether orders were drawn, beside which leads are exact. */
typedef struct leads {
    int apart, on_others, most;
    bool drawn, failed;
} leads;

static leads count_leads(const vb_report *report, const char *first, const char *second) {
    leads all = {0};
    for (int g = 0; g < report->group_count; g++) {
        const vb_section_result *one = vb_headline_find(&report->groups[g], first),
                                *other = vb_headline_find(&report->groups[g], second);
        const vb_lead lead = vb_lead_find(one, other);
        all.failed |= lead.failed;
        all.apart += lead.difference > 0 && lead.on_images;
        all.on_others += lead.difference > 0 && lead.on_classes;
        all.drawn |= lead.paired && json_object_get(one->entry, "exact");
        all.most += find_most_open(&report->groups[g], NULL) == one;
    }
    return all;
}

/* Of one dataset there is a group more for each protocol, limit or other vocabularies. */
static int count_datasets(const vb_report *report) {
    int count = 0;
    for (int g = 0; g < report->group_count; g++) {
        const char *name = vb_json_text(report->groups[g].results->entry, "dataset");
        bool seen = false;
        for (int h = 0; h < g; h++) seen |= !strcmp(name, vb_json_text(report->groups[h].results->entry, "dataset"));
        count += !seen;
    }
    return count;
}

static void write_overall(const vb_report *report, const vb_headline_model *models, int count, vb_headline_write *write,
                          vb_strbuf *out) {
    const leads all = count_leads(report, models[0].label, models[1].label);
    const int datasets = count_datasets(report);
    out->failed |= all.failed;
    write(out, models[0].label, true);
    write_format(write, out, " is the most open of %d models: mean Acc-E %.1f percent over ", count, 100 * models[0].mean);
    if (datasets < report->group_count) write_format(write, out, "%d evaluations of ", report->group_count);
    write_format(write, out, "%d dataset%s, first on %d. Next is ", datasets, datasets == 1 ? "" : "s", all.most);
    write(out, models[1].label, true);
    write_format(write, out, ", %.1f points behind: ", 100 * (models[0].mean - models[1].mean));
    if (all.drawn) write(out, "by exact Acc-E ", false);
    if (!all.apart) write_format(write, out, "no more than chance explains on any of the %d.", report->group_count);
    else if (all.on_others == all.apart)
        write_format(write, out, "more than chance explains on %d of the %d.", all.apart, report->group_count);
    else
        write_format(write, out, "more than chance explains on %d of the %d for these classes, on %d for others, too.", all.apart,
                     report->group_count, all.on_others);
}

int vb_headline_all(const vb_report *report, vb_headline_write *write, vb_strbuf *out, bool *written, vb_error *err) {
    *written = false;
    if (report->group_count < 2) return 0;
    vb_headline_model *models = vb_array((size_t)report->result_count, sizeof *models, "models", err);
    if (!models) return -1;
    const int count = vb_headline_models(report, models);
    const bool all = count > 1 && vb_headline_complete(report, models, count);
    if (all) write_overall(report, models, count, write, out);
    *written = all;
    vb_free(models);
    return 0;
}

static void add_row(vb_grid *grid, const vb_report *report, const char *label) {
    vb_grid_cell(grid, "%s", label);
    for (int g = 0; g < report->group_count; g++) {
        const vb_section_result *found = vb_headline_find(&report->groups[g], label);
        double open = found ? extensibility(found) : NAN, closed = found ? vb_json_number(found->entry, "acc_c") : NAN;
        if (isfinite(open)) vb_grid_cell(grid, "%.1f (%+.1f)", 100 * open, 100 * (open - closed));
        else vb_grid_points(grid, NAN);
    }
}

vb_grid vb_headline_matrix(const vb_report *report) {
    vb_grid grid = {.columns = report->group_count + 1,
                    .left = 1,
                    .caption = "Acc-E in percent, and its difference from Acc-C in points; the most open first, by the mean over "
                               "the datasets"};
    vb_error ignored; /* `failed` says it */
    vb_grid_cell(&grid, "model");
    for (int g = 0; g < report->group_count; g++) vb_grid_cell(&grid, "%s", report->groups[g].title);
    if (report->group_count < 2) return grid;
    vb_headline_model *models = vb_array((size_t)report->result_count, sizeof *models, "models", &ignored);
    if (!models) {
        grid.failed = true;
        return grid;
    }
    const int count = vb_headline_models(report, models);
    for (int m = 0; m < count; m++) add_row(&grid, report, models[m].label);
    vb_free(models);
    return grid;
}
