/* The tables of results. */
#include "mpi/results/tables.h"

#include <math.h>
#include <stdio.h>

#include "kernels/base/memory.h"
#include "kernels/openness/spread.h"
#include "mpi/base/json.h"

static void csv_field(vb_strbuf *out, const json_t *value) {
    if (json_is_string(value)) vb_strbuf_add_csv(out, json_string_value(value));
    else if (json_is_integer(value)) vb_strbuf_format(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value)) vb_strbuf_format(out, "%.17g", json_real_value(value));
}

static void csv(vb_strbuf *out, const json_t *rows, const char *const *keys) {
    for (int k = 0; keys[k]; k++) vb_strbuf_format(out, "%s%s", k ? "," : "", keys[k]);
    vb_strbuf_add(out, "\n");
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        for (int k = 0; keys[k]; k++) {
            if (k) vb_strbuf_add(out, ",");
            csv_field(out, json_object_get(row, keys[k]));
        }
        vb_strbuf_add(out, "\n");
    }
}

/* ---- the main table ---- */

const char vb_tables_note[] =
    "±: standard error by classes as clusters; those by images and by vocabularies: results.json, table.csv";

double vb_tables_error(const json_t *figures, const char *key) {
    const json_t *errors = json_object_get(json_object_get(figures, "errors"), key);
    return vb_json_number(errors, vb_spread_names[VB_SPREAD_CLASSES]);
}

char *vb_tables_dataset(const json_t *entry, vb_error *err) {
    const char *dataset = vb_json_text(entry, "dataset");
    const int64_t limit = vb_json_integer(entry, "limit");
    return limit ? vb_format(err, "%s (first %lld a class)", dataset, (long long)limit) : vb_strdup(dataset, err);
}

/* The entry itself, or a copy whose dataset says that it was a quick look. */
static json_t *marked(vb_json *json, json_t *entry) {
    vb_error ignored; /* the end of the JSON says it again */
    if (!vb_json_integer(entry, "limit")) return json_incref(entry);
    char *dataset = vb_tables_dataset(entry, &ignored);
    json_t *copy = vb_json_copy(json, entry);
    if (dataset) vb_json_set_text(json, copy, "dataset", dataset);
    else json->failed = true;
    vb_free(dataset);
    return copy;
}

enum { COLUMNS = 10 /* without the union's */ };

bool vb_tables_is_expansion(const json_t *entry) { return json_object_get(entry, "expansion"); }

const char *vb_tables_shared_names(const json_t *entry) {
    const json_t *expansion = json_object_get(entry, "expansion");
    return json_array_size(json_object_get(expansion, "shared")) ? vb_json_text(expansion, "shared_names") : "";
}

vb_grid vb_tables_main_begin(const char *caption, bool unions) {
    static const char *const heads[] = {"model", "dataset", "images", "Acc-C",       "Acc-E", "E-C",
                                        "Acc-S", "S-C",     "union",  "all classes", "tied"};
    enum { UNION = 8 };
    vb_grid grid = {.columns = COLUMNS + unions, .left = 3, .caption = caption, .note = vb_tables_note};
    for (int h = 0; h <= COLUMNS; h++)
        if (unions || h != UNION) vb_grid_cell(&grid, "%s", heads[h]);
    return grid;
}

void vb_tables_add_accuracies(vb_grid *grid, const json_t *figures) {
    double c = vb_json_number(figures, "acc_c"), e = vb_json_number(figures, "acc_e"), s = vb_json_number(figures, "acc_s");
    vb_grid_percent(grid, c, vb_tables_error(figures, "acc_c"));
    vb_grid_percent(grid, e, vb_tables_error(figures, "acc_e"));
    vb_grid_points(grid, e - c);
    vb_grid_percent(grid, s, vb_tables_error(figures, "acc_s"));
    vb_grid_points(grid, s - c);
}

/* What follows the name in a row: the figures are the entry's or a retrieval setting's, the images are the entry's in any
 * case. */
static void add_figures(vb_grid *grid, const json_t *entry, const char *dataset, const json_t *figures) {
    vb_grid_cell(grid, "%s", dataset);
    vb_grid_number(grid, vb_json_number(entry, "images"), 0);
    vb_tables_add_accuracies(grid, figures);
    if (grid->columns > COLUMNS)
        vb_grid_percent(grid, vb_json_number(figures, "acc_e_union"), vb_tables_error(figures, "acc_e_union"));
    vb_grid_percent(grid, vb_json_number(figures, "top1_all"), vb_tables_error(figures, "top1_all"));
    vb_grid_percent(grid, vb_json_number(figures, "tied_images") / vb_json_number(entry, "images"), NAN);
}

/* A setting's row, or (without a mark, from results that have none) any. */
static void add_setting(vb_grid *grid, const json_t *entry, const char *model, const char *dataset, const json_t *setting) {
    double top_k = vb_json_number(setting, "top_k"), lambda = vb_json_number(setting, "lambda");
    if (model) vb_grid_cell(grid, "%s + REPE, k = %.0f, λ = %g", model, top_k, lambda);
    else vb_grid_cell(grid, "  +REPE k=%.0f l=%g", top_k, lambda);
    add_figures(grid, entry, dataset, setting);
}

/* What was chosen by the images of the table themselves is no result but a bound, and says so. */
static void add_best(vb_grid *grid, const json_t *entry, const char *model, const char *dataset, const json_t *setting) {
    if (model)
        vb_grid_cell(grid, "%s + REPE, upper bound: the best of %zu settings on these images, k = %.0f, λ = %g", model,
                     json_array_size(json_object_get(json_object_get(entry, "retrieval"), "results")),
                     vb_json_number(setting, "top_k"), vb_json_number(setting, "lambda"));
    else vb_grid_cell(grid, "  +REPE upper bound (best on test)");
    add_figures(grid, entry, dataset, setting);
}

/* REPE's rows below a model's: the stated setting, the cross-fitted choice where it was asked for, and of several settings the
 * bound. model: NULL for short names. */
static void add_retrieval(vb_grid *grid, const json_t *entry, const char *model, const char *dataset) {
    const json_t *retrieval = json_object_get(entry, "retrieval"), *rows = json_object_get(retrieval, "results"), *row;
    const json_t *stated = NULL, *best = NULL, *cross = json_object_get(retrieval, "cross");
    size_t k;
    json_array_foreach(rows, k, row) {
        if (json_is_true(json_object_get(row, "stated"))) stated = row;
        if (json_is_true(json_object_get(row, "best"))) best = row;
    }
    json_array_foreach(rows, k, row) {
        if (!stated || row == stated) add_setting(grid, entry, model, dataset, row);
    }
    if (cross) {
        int64_t folds = vb_json_integer(cross, "folds");
        if (model) vb_grid_cell(grid, "%s + REPE, setting cross-fitted in %lld folds", model, (long long)folds);
        else vb_grid_cell(grid, "  +REPE cross-fitted, %lld folds", (long long)folds);
        add_figures(grid, entry, dataset, cross);
    }
    if (stated && best && json_array_size(rows) > 1) add_best(grid, entry, model, dataset, best);
}

void vb_tables_main_add(vb_grid *grid, const json_t *entry, const char *model, const char *dataset, bool long_names) {
    vb_grid_cell(grid, "%s", model);
    add_figures(grid, entry, dataset, entry);
    add_retrieval(grid, entry, long_names ? model : NULL, dataset);
}

/* The columns of one figure's errors, and the interval of the error that tables show. */
#define ERRORS_OF(figure)                                                                                                        \
    figure "_se_images", figure "_se_classes", figure "_se_vocabularies", figure "_low_classes", figure "_high_classes"

static void flatten_errors(vb_json *json, json_t *row) {
    const char *figure;
    json_t *its;
    json_object_foreach(json_object_get(row, "errors"), figure, its) {
        char key[80];
        for (int k = 0; k < VB_SPREAD_KINDS; k++) {
            snprintf(key, sizeof key, "%s_se_%s", figure, vb_spread_names[k]);
            vb_json_set_real(json, row, key, vb_json_number(its, vb_spread_names[k]));
        }
        const char *shown = vb_spread_names[VB_SPREAD_CLASSES];
        const json_t *interval = json_object_get(json_object_get(its, "interval"), shown);
        for (size_t end = 0; end < 2; end++) {
            const json_t *bound = json_array_get(interval, end);
            snprintf(key, sizeof key, "%s_%s_%s", figure, end ? "high" : "low", shown);
            vb_json_set_real(json, row, key, json_is_number(bound) ? json_number_value(bound) : NAN);
        }
    }
}

/* The rows of CSV: every result, and below it what retrieval made of it. */
static json_t *list_rows(vb_json *json, const json_t *results) {
    json_t *rows = vb_json_array(json), *entry, *setting;
    static const char *const inherited[] = {"dataset", "protocol", "images"};
    size_t i, j;
    json_array_foreach(results, i, entry) {
        json_t *row_of = marked(json, entry), *plain = vb_json_copy(json, row_of);
        flatten_errors(json, plain);
        vb_json_append(json, rows, plain);
        json_t *retrieval = json_object_get(entry, "retrieval"), *cross = json_object_get(retrieval, "cross");
        json_array_foreach(json_object_get(retrieval, "results"), j, setting) {
            bool stated = json_is_true(json_object_get(setting, "stated")), best = json_is_true(json_object_get(setting, "best"));
            json_t *row = vb_json_copy(json, setting);
            vb_json_set_format(json, row, "model", "%s+REPE k=%lld l=%g", vb_json_text(entry, "model"),
                               (long long)vb_json_integer(setting, "top_k"), json_real_value(json_object_get(setting, "lambda")));
            if (stated || best)
                vb_json_set_format(json, row, "selected", "%s%s%s", stated ? "stated" : "", stated && best ? ", " : "",
                                   best ? "best on test images" : "");
            for (int k = 0; k < 3; k++) vb_json_set_same(json, row, inherited[k], row_of);
            flatten_errors(json, row);
            vb_json_append(json, rows, row);
        }
        if (cross) {
            json_t *row = vb_json_copy(json, cross);
            vb_json_set_format(json, row, "model", "%s+REPE cross-fitted", vb_json_text(entry, "model"));
            vb_json_set_text(json, row, "selected", "cross-fitted");
            for (int k = 0; k < 3; k++) vb_json_set_same(json, row, inherited[k], row_of);
            flatten_errors(json, row);
            vb_json_append(json, rows, row);
        }
        json_decref(row_of);
    }
    return rows;
}

static const vb_grid_form forms[] = {
    [VB_TABLE_TERMINAL] = VB_GRID_TERMINAL, [VB_TABLE_MARKDOWN] = VB_GRID_MARKDOWN, [VB_TABLE_LATEX] = VB_GRID_LATEX};

char *vb_tables_main(const json_t *all, vb_table_form form, vb_error *err) {
    static const char *const keys[] = {"model",
                                       "dataset",
                                       "protocol",
                                       "images",
                                       "acc_c",
                                       "acc_c_se",
                                       "acc_e",
                                       "acc_e_se",
                                       "acc_s",
                                       "acc_s_se",
                                       "acc_e_union",
                                       "acc_e_union_se",
                                       "top1_all",
                                       "top1_all_se",
                                       "tied_images",
                                       "top_k",
                                       "lambda",
                                       "selected",
                                       ERRORS_OF("acc_c"),
                                       ERRORS_OF("acc_e"),
                                       ERRORS_OF("acc_s"),
                                       ERRORS_OF("acc_e_union"),
                                       ERRORS_OF("top1_all"),
                                       NULL};
    vb_json json = {0};
    vb_strbuf out = {0};
    if (form == VB_TABLE_CSV) {
        json_t *rows = list_rows(&json, all);
        csv(&out, rows, keys);
        json_decref(rows);
    } else {
        const json_t *entry;
        size_t i;
        bool unions = false;
        json_array_foreach(all, i, entry) { unions |= vb_tables_is_expansion(entry); }
        vb_grid grid = vb_tables_main_begin(NULL, unions);
        grid.missing = "-";
        json_array_foreach(all, i, entry) {
            char *dataset = vb_tables_dataset(entry, err);
            if (dataset) vb_tables_main_add(&grid, entry, vb_json_text(entry, "model"), dataset, false);
            out.failed |= !dataset;
            vb_free(dataset);
        }
        vb_grid_put(&grid, forms[form], &out);
        vb_grid_free(&grid);
    }
    if (!vb_json_end(&json, "the table", err) && !vb_strbuf_end(&out, "the table", err)) return out.bytes;
    vb_strbuf_free(&out);
    return NULL;
}

/* ---- series of checkpoints ---- */

static const char *const accuracies[] = {"acc_c", "acc_e", "acc_s"};
static const char *const geometry[] = {"alignment", "uniformity_text", "uniformity_image"};

static bool same_path(const json_t *a, const json_t *b) {
    return json_equal(json_object_get(json_object_get(a, "series"), "name"),
                      json_object_get(json_object_get(b, "series"), "name")) &&
           json_equal(json_object_get(a, "dataset"), json_object_get(b, "dataset"));
}

static json_t *series_row(vb_json *json, const json_t *entry) {
    json_t *row = vb_json_object(json), *series = json_object_get(entry, "series"), *figures = json_object_get(entry, "analyses");
    vb_json_set_text(json, row, "series", vb_json_text(series, "name"));
    json_t *shown = marked(json, (json_t *)(uintptr_t)entry);
    vb_json_set_same(json, row, "dataset", shown);
    json_decref(shown);
    vb_json_set_same(json, row, "checkpoint", series);
    vb_json_set_same(json, row, "model", entry);
    for (int k = 0; k < 3; k++) vb_json_set_same(json, row, accuracies[k], entry);
    for (int k = 0; k < 3; k++) {
        json_t *value = json_object_get(figures, geometry[k]);
        vb_json_set(json, row, geometry[k], value ? json_incref(value) : json_null());
    }
    return row;
}

int vb_tables_series_rows(const json_t *results, json_t **rows, vb_error *err) {
    vb_json json = {0};
    json_t *list = vb_json_array(&json);
    size_t n = json_array_size(results);
    for (size_t i = 0; i < n; i++) {
        const json_t *first = json_array_get(results, i);
        bool begins = json_object_get(first, "series");
        for (size_t j = 0; j < i && begins; j++) begins = !same_path(json_array_get(results, j), first);
        for (size_t j = i; j < n && begins; j++)
            if (same_path(json_array_get(results, j), first))
                vb_json_append(&json, list, series_row(&json, json_array_get(results, j)));
    }
    bool some = json_array_size(list) && !json.failed;
    *rows = some ? list : NULL;
    if (!some) json_decref(list);
    return vb_json_end(&json, "the table of series", err);
}

static void series_grid(vb_strbuf *out, const json_t *rows, vb_grid_form form) {
    static const char *const heads[] = {"series", "dataset",   "checkpoint",          "Acc-C",    "Acc-E",
                                        "Acc-S",  "alignment", "uniformity of texts", "of images"};
    vb_grid grid = {.columns = sizeof heads / sizeof *heads, .left = 7, .missing = "-"};
    vb_grid_heads(&grid, heads);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        for (int k = 0; k < 3; k++) vb_grid_cell(&grid, "%s", vb_json_text(row, heads[k]));
        for (int k = 0; k < 3; k++) vb_grid_percent(&grid, vb_json_number(row, accuracies[k]), NAN);
        for (int k = 0; k < 3; k++) vb_grid_number(&grid, vb_json_number(row, geometry[k]), 4);
    }
    vb_grid_put(&grid, form, out);
    vb_grid_free(&grid);
}

char *vb_tables_series(const json_t *rows, vb_table_form form, vb_error *err) {
    static const char *const keys[] = {"series",    "dataset",         "checkpoint",       "model", "acc_c", "acc_e", "acc_s",
                                       "alignment", "uniformity_text", "uniformity_image", NULL};
    vb_strbuf out = {0};
    if (form == VB_TABLE_CSV) csv(&out, rows, keys);
    else series_grid(&out, rows, forms[form]);
    if (!vb_strbuf_end(&out, "the table of series", err)) return out.bytes;
    vb_strbuf_free(&out);
    return NULL;
}
