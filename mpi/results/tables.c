/* The table of results for terminals, Markdown, CSV and LaTeX. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "mpi/figures/grid.h"
#include "mpi/base/json.h"
#include "mpi/results/tables.h"

/* "71.79 ± 0.44": percent, with the standard error where there is one. */
static void percent_cell(vb_grid *grid, double value, double error) {
    if (!isfinite(value)) vb_grid_cell(grid, "-");
    else if (isfinite(error)) vb_grid_cell(grid, "%.2f ± %.2f", 100 * value, 100 * error);
    else vb_grid_cell(grid, "%.2f", 100 * value);
}

static void difference_cell(vb_grid *grid, double value, double from) {
    if (isfinite(value)) vb_grid_cell(grid, "%+.2f", 100 * (value - from));
    else vb_grid_cell(grid, "-");
}

static void grid_row(vb_grid *grid, const json_t *entry) {
    double c = vb_json_number(entry, "acc_c"), e = vb_json_number(entry, "acc_e"), s = vb_json_number(entry, "acc_s");
    vb_grid_cell(grid, "%s", vb_json_text(entry, "model"));
    vb_grid_cell(grid, "%s", vb_json_text(entry, "dataset"));
    vb_grid_cell(grid, "%.0f", vb_json_number(entry, "images"));
    percent_cell(grid, c, vb_json_number(entry, "acc_c_se"));
    percent_cell(grid, e, vb_json_number(entry, "acc_e_se"));
    difference_cell(grid, e, c);
    percent_cell(grid, s, vb_json_number(entry, "acc_s_se"));
    difference_cell(grid, s, c);
    percent_cell(grid, vb_json_number(entry, "top1_all"), vb_json_number(entry, "top1_all_se"));
}

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

static void aligned(vb_strbuf *out, const json_t *results, vb_grid_form form) {
    static const char *const heads[] = {"model", "dataset", "images", "Acc-C", "Acc-E", "E-C", "Acc-S", "S-C", "all classes"};
    enum { COLUMNS = sizeof heads / sizeof *heads };
    vb_grid grid = {.columns = COLUMNS, .left = 3};
    for (int c = 0; c < COLUMNS; c++) vb_grid_cell(&grid, "%s", heads[c]);
    size_t i;
    json_t *entry;
    json_array_foreach(results, i, entry) { grid_row(&grid, entry); }
    vb_grid_put(&grid, form, out);
    vb_grid_free(&grid);
}

/* The rows of the table: every result, and below it what retrieval made of it, the best one marked. */
static json_t *table_rows(vb_json *json, const json_t *results, vb_table_form form) {
    json_t *rows = vb_json_array(json), *entry, *setting;
    static const char *const inherited[] = {"dataset", "protocol", "images"};
    size_t i, j;
    json_array_foreach(results, i, entry) {
        vb_json_append(json, rows, json_incref(entry));
        json_array_foreach(json_object_get(json_object_get(entry, "retrieval"), "results"), j, setting) {
            json_t *row = json_copy(setting);
            const char *model = vb_json_text(entry, "model");
            bool plain = form == VB_TABLE_CSV, best = json_is_true(json_object_get(setting, "best"));
            vb_json_set(json, row, "model",
                        json_sprintf("%s+REPE k=%lld l=%g%s", plain ? model : "  ", (long long)vb_json_integer(setting, "top_k"),
                                     json_real_value(json_object_get(setting, "lambda")), best && !plain ? " *" : ""));
            for (int k = 0; k < 3; k++) vb_json_set_same(json, row, inherited[k], entry);
            vb_json_append(json, rows, row);
        }
    }
    return rows;
}

static const vb_grid_form forms[] = {
    [VB_TABLE_TERMINAL] = VB_GRID_TERMINAL, [VB_TABLE_MARKDOWN] = VB_GRID_MARKDOWN, [VB_TABLE_LATEX] = VB_GRID_LATEX};

char *vb_tables_main(const json_t *all, vb_table_form form, vb_error *err) {
    static const char *const keys[] = {"model",    "dataset",     "protocol", "images",   "acc_c",       "acc_c_se",
                                       "acc_e",    "acc_e_se",    "acc_s",    "acc_s_se", "acc_e_union", "acc_e_union_se",
                                       "top1_all", "top1_all_se", "top_k",    "lambda",   NULL};
    vb_json json = {0};
    json_t *results = table_rows(&json, all, form);
    vb_strbuf out = {0};
    if (form == VB_TABLE_CSV) csv(&out, results, keys);
    else aligned(&out, results, forms[form]);
    json_decref(results);
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
    vb_json_set_same(json, row, "dataset", entry);
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
    enum { COLUMNS = sizeof heads / sizeof *heads };
    vb_grid grid = {.columns = COLUMNS, .left = 7};
    for (int c = 0; c < COLUMNS; c++) vb_grid_cell(&grid, "%s", heads[c]);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        for (int k = 0; k < 3; k++) vb_grid_cell(&grid, "%s", vb_json_text(row, heads[k]));
        for (int k = 0; k < 3; k++) percent_cell(&grid, vb_json_number(row, accuracies[k]), NAN);
        for (int k = 0; k < 3; k++) {
            double value = vb_json_number(row, geometry[k]);
            if (isfinite(value)) vb_grid_cell(&grid, "%.4f", value);
            else vb_grid_cell(&grid, "-");
        }
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
