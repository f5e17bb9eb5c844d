/* The table of results for terminals, Markdown, CSV and LaTeX. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "mpi/figures/grid.h"
#include "mpi/results/results.h"

static double number(const json_t *entry, const char *key) {
    const json_t *value = json_object_get(entry, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *word(const json_t *entry, const char *key) { return json_string_value(json_object_get(entry, key)); }

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
    double c = number(entry, "acc_c"), e = number(entry, "acc_e"), s = number(entry, "acc_s");
    vb_grid_cell(grid, "%s", word(entry, "model"));
    vb_grid_cell(grid, "%s", word(entry, "dataset"));
    vb_grid_cell(grid, "%.0f", number(entry, "images"));
    percent_cell(grid, c, number(entry, "acc_c_se"));
    percent_cell(grid, e, number(entry, "acc_e_se"));
    difference_cell(grid, e, c);
    percent_cell(grid, s, number(entry, "acc_s_se"));
    difference_cell(grid, s, c);
    percent_cell(grid, number(entry, "top1_all"), number(entry, "top1_all_se"));
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
static json_t *table_rows(const json_t *results, vb_table_form form) {
    json_t *rows = json_array(), *entry, *setting;
    size_t i, j;
    json_array_foreach(results, i, entry) {
        json_array_append(rows, entry);
        json_array_foreach(json_object_get(json_object_get(entry, "retrieval"), "results"), j, setting) {
            json_t *row = json_copy(setting);
            const char *model = json_string_value(json_object_get(entry, "model"));
            bool plain = form == VB_TABLE_CSV, best = json_is_true(json_object_get(setting, "best"));
            json_object_set_new(row, "model",
                                json_sprintf("%s+REPE k=%lld l=%g%s", plain ? model : "  ",
                                             (long long)json_integer_value(json_object_get(setting, "top_k")),
                                             json_real_value(json_object_get(setting, "lambda")), best && !plain ? " *" : ""));
            json_object_set(row, "dataset", json_object_get(entry, "dataset"));
            json_object_set(row, "protocol", json_object_get(entry, "protocol"));
            json_object_set(row, "images", json_object_get(entry, "images"));
            json_array_append_new(rows, row);
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
    json_t *results = table_rows(all, form);
    vb_strbuf out = {0};
    if (form == VB_TABLE_CSV) csv(&out, results, keys);
    else aligned(&out, results, forms[form]);
    json_decref(results);
    if (!vb_strbuf_end(&out, "the table", err)) return out.bytes;
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

static json_t *series_row(const json_t *entry) {
    json_t *row = json_object(), *series = json_object_get(entry, "series"), *figures = json_object_get(entry, "analyses");
    json_object_set(row, "series", json_object_get(series, "name"));
    json_object_set(row, "dataset", json_object_get(entry, "dataset"));
    json_object_set(row, "checkpoint", json_object_get(series, "checkpoint"));
    json_object_set(row, "model", json_object_get(entry, "model"));
    for (int k = 0; k < 3; k++) json_object_set(row, accuracies[k], json_object_get(entry, accuracies[k]));
    for (int k = 0; k < 3; k++) {
        json_t *value = json_object_get(figures, geometry[k]);
        json_object_set_new(row, geometry[k], value ? json_incref(value) : json_null());
    }
    return row;
}

json_t *vb_tables_series_rows(const json_t *results) {
    json_t *rows = json_array();
    size_t n = json_array_size(results);
    for (size_t i = 0; i < n; i++) {
        const json_t *first = json_array_get(results, i);
        bool begins = json_object_get(first, "series");
        for (size_t j = 0; j < i && begins; j++) begins = !same_path(json_array_get(results, j), first);
        for (size_t j = i; j < n && begins; j++)
            if (same_path(json_array_get(results, j), first)) json_array_append_new(rows, series_row(json_array_get(results, j)));
    }
    if (json_array_size(rows)) return rows;
    json_decref(rows);
    return NULL;
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
        for (int k = 0; k < 3; k++) vb_grid_cell(&grid, "%s", word(row, heads[k]));
        for (int k = 0; k < 3; k++) percent_cell(&grid, number(row, accuracies[k]), NAN);
        for (int k = 0; k < 3; k++) {
            double value = number(row, geometry[k]);
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
