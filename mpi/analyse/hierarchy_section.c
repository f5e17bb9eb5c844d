/* Errors by their way through WordNet: a line a model, and on pages the thefts, the nearest and the farthest. */
#include "mpi/analyse/hierarchy_section.h"

#include <math.h>
#include <stdlib.h>

#include "kernels/base/memory.h"
#include "kernels/openness/spread.h"
#include "mpi/base/json.h"

enum { NEAR = 4, LISTED = 10 }; /* steps of a way that counts as near; thefts of a list */

static const json_t *figures_of(const vb_section_result *result) {
    return json_object_get(json_object_get(result->entry, "analyses"), "hierarchy");
}

/* The share of ways of at most NEAR steps; NaN for none. */
static double near_share(const json_t *paths) {
    double near = 0, all = 0;
    size_t i;
    json_t *pair;
    json_array_foreach((json_t *)paths, i, pair) {
        const double count = json_number_value(json_array_get(pair, 1));
        all += count;
        if (json_integer_value(json_array_get(pair, 0)) <= NEAR) near += count;
    }
    return all > 0 ? near / all : NAN;
}

/* The error that tables show: by classes; of results of older versions none. */
static double shown_error(const json_t *part) {
    const json_t *errors = json_object_get(json_object_get(part, "errors"), "hypernyms");
    return errors ? vb_json_number(errors, vb_spread_names[VB_SPREAD_CLASSES]) : NAN;
}

static int fill_table(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    static const char *const heads[] = {"model",    "all classes",    "hypernyms forgiven", "hyponyms too", "path of errors",
                                        "near (%)", "path of thefts", "near (%)",           "by chance"};
    (void)err;
    vb_grid_begin(grid, sizeof heads / sizeof *heads,
                  "Accuracy (%) among all classes, and steps through WordNet from the right class to the prediction; near: at "
                  "most 4",
                  heads);
    grid->note = "±: standard error by classes as clusters; that by images: results.json";
    for (int m = 0; m < subject->count; m++) {
        const json_t *its = figures_of(&subject->results[m]), *all = json_object_get(its, "all"),
                     *theft = json_object_get(its, "theft");
        if (!its) continue;
        vb_grid_cell(grid, "%s", subject->results[m].label);
        vb_grid_percent(grid, vb_json_number(all, "accuracy"), NAN);
        vb_grid_percent(grid, vb_json_number(all, "hypernyms"), shown_error(all));
        vb_grid_percent(grid, vb_json_number(all, "hyponyms_too"), NAN);
        vb_grid_number(grid, vb_json_number(all, "mean_path"), 2);
        vb_grid_percent(grid, near_share(json_object_get(all, "paths")), NAN);
        vb_grid_number(grid, vb_json_number(theft, "mean_path"), 2);
        vb_grid_percent(grid, near_share(json_object_get(theft, "paths")), NAN);
        vb_grid_number(grid, vb_json_number(its, "chance"), 2);
    }
    return 0;
}

/* ---- thefts ---- */

typedef struct theft {
    size_t from, to;
    int64_t images;
    double path;
} theft;

static int by_path(const void *a, const void *b) {
    const theft *x = a, *y = b;
    if (x->path < y->path || x->path > y->path) return x->path < y->path ? -1 : 1;
    if (x->images != y->images) return x->images > y->images ? -1 : 1;
    return x->from != y->from ? (x->from > y->from) - (x->from < y->from) : (x->to > y->to) - (x->to < y->to);
}

static void put_thefts(const vb_section_result *result, const theft *list, size_t first, size_t last, const char *what,
                       vb_strbuf *out) {
    const json_t *vocabularies = json_object_get(result->entry, "vocabularies");
    vb_grid grid = {.columns = 4, .left = 3};
    vb_grid_heads(&grid, (const char *const[]){"images of", "taken by", "images", "mean path"});
    for (size_t i = first; i < last; i++) {
        vb_grid_cell(&grid, "%s", vb_json_text(json_array_get(vocabularies, list[i].from), "name"));
        vb_grid_cell(&grid, "%s", vb_json_text(json_array_get(vocabularies, list[i].to), "name"));
        vb_grid_cell(&grid, "%lld", (long long)list[i].images);
        vb_grid_number(&grid, list[i].path, 2);
    }
    vb_strbuf caption = {0};
    vb_strbuf_format(&caption, "%s: %s", result->label, what);
    grid.caption = caption.bytes;
    grid.failed |= caption.failed;
    vb_grid_put(&grid, VB_GRID_HTML, out);
    vb_grid_free(&grid);
    vb_strbuf_free(&caption);
}

static int put_result(const vb_section_result *result, vb_strbuf *out, vb_error *err) {
    const json_t *paths = json_object_get(json_object_get(figures_of(result), "theft"), "mean_paths"),
                 *thefts = json_object_get(result->entry, "theft");
    const size_t n = json_array_size(paths);
    size_t count = 0;
    theft *list = vb_array(n * n, sizeof *list, "thefts", err);
    if (!list) return -1;
    for (size_t t = 0; t < n; t++)
        for (size_t u = 0; u < n; u++) {
            const json_t *path = json_array_get(json_array_get(paths, t), u);
            if (!json_is_number(path)) continue;
            list[count++] =
                (theft){t, u, json_integer_value(json_array_get(json_array_get(thefts, t), u)), json_number_value(path)};
        }
    if (count) qsort(list, count, sizeof *list, by_path);
    if (count) put_thefts(result, list, 0, count < LISTED ? count : LISTED, "the nearest thefts", out);
    if (count > LISTED)
        put_thefts(result, list, count - LISTED < LISTED ? LISTED : count - LISTED, count, "the farthest thefts", out);
    vb_free(list);
    return 0;
}

static int64_t count_at(const json_t *paths, json_int_t length) {
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const json_t *pair = json_array_get(paths, i);
        if (json_integer_value(json_array_get(pair, 0)) == length) return (int64_t)json_integer_value(json_array_get(pair, 1));
    }
    return 0;
}

/* A row for every length that occurs. */
static void put_lengths(const vb_section_result *result, vb_strbuf *out) {
    static const char *const parts[] = {"own", "all", "theft"};
    enum { PARTS = sizeof parts / sizeof *parts, LONGEST = 64 };
    vb_grid grid = {.columns = 1 + PARTS};
    vb_strbuf caption = {0};
    vb_grid_heads(&grid, (const char *const[]){"steps", "errors within own", "errors among all", "thefts"});
    for (json_int_t length = 0; length < LONGEST; length++) {
        int64_t counts[PARTS], sum = 0;
        for (int p = 0; p < PARTS; p++) {
            const json_t *part = json_object_get(figures_of(result), parts[p]);
            sum += counts[p] = count_at(json_object_get(part, "paths"), length);
        }
        if (!sum) continue;
        vb_grid_cell(&grid, "%d", (int)length);
        for (int p = 0; p < PARTS; p++) vb_grid_cell(&grid, "%lld", (long long)counts[p]);
    }
    vb_strbuf_format(&caption, "%s: images by the steps to the wrong class", result->label);
    grid.caption = caption.bytes;
    grid.failed |= caption.failed;
    out->failed |= grid.failed; /* then it may have no rows */
    if (vb_grid_rows(&grid)) vb_grid_put(&grid, VB_GRID_HTML, out);
    vb_grid_free(&grid);
    vb_strbuf_free(&caption);
}

static int put_lists(const vb_section_subject *subject, vb_strbuf *out, vb_error *err) {
    int status = 0;
    for (int m = 0; m < subject->count && !status; m++) {
        if (!figures_of(&subject->results[m])) continue;
        put_lengths(&subject->results[m], out);
        status = put_result(&subject->results[m], out, err);
    }
    return status;
}

const vb_section vb_hierarchy_section = {.scope = VB_SECTION_OF_GROUP, .place = 58, .table = fill_table, .html = put_lists};
