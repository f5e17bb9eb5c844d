/* The table of results for terminals, Markdown, CSV and LaTeX. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernels/memory.h"
#include "mpi/results.h"

enum { COLUMNS = 9, CELL = 128 };

typedef struct text {
    char *bytes;
    size_t filled, capacity;
    int failed;
} text;

static void put(text *out, vb_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void put(text *out, vb_error *err, const char *format, ...) {
    char piece[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n >= (int)sizeof piece) n = sizeof piece - 1;
    if (out->failed || vb_grow((void **)&out->bytes, &out->capacity, out->filled + (size_t)n + 1, 1, "table", err)) {
        out->failed = 1;
        return;
    }
    memcpy(out->bytes + out->filled, piece, (size_t)n + 1);
    out->filled += (size_t)n;
}

static double number(const json_t *entry, const char *key) {
    const json_t *value = json_object_get(entry, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* "71.79 ± 0.44": percent, with the standard error where there is one. */
static void percent(char *cell, double value, double error, vb_table_form form) {
    const char *plus_minus = form == VB_TABLE_LATEX ? " $\\pm$ " : " ± ";
    if (!isfinite(value))
        snprintf(cell, CELL, "-");
    else if (isfinite(error))
        snprintf(cell, CELL, "%.2f%s%.2f", 100 * value, plus_minus, 100 * error);
    else
        snprintf(cell, CELL, "%.2f", 100 * value);
}

static void difference(char *cell, double value, double from, vb_table_form form) {
    if (!isfinite(value))
        snprintf(cell, CELL, "-");
    else
        snprintf(cell, CELL, form == VB_TABLE_LATEX ? "$%+.2f$" : "%+.2f", 100 * (value - from));
}

static void row_cells(char cells[COLUMNS][CELL], const json_t *entry, vb_table_form form) {
    double c = number(entry, "acc_c"), e = number(entry, "acc_e"), s = number(entry, "acc_s");
    snprintf(cells[0], CELL, "%s", json_string_value(json_object_get(entry, "model")));
    snprintf(cells[1], CELL, "%s", json_string_value(json_object_get(entry, "dataset")));
    snprintf(cells[2], CELL, "%.0f", number(entry, "images"));
    percent(cells[3], c, number(entry, "acc_c_se"), form);
    percent(cells[4], e, number(entry, "acc_e_se"), form);
    difference(cells[5], e, c, form);
    percent(cells[6], s, number(entry, "acc_s_se"), form);
    difference(cells[7], s, c, form);
    percent(cells[8], number(entry, "top1_all"), number(entry, "top1_all_se"), form);
}

static int display_width(const char *s) {
    int n = 0;
    for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80; /* code points */
    return n;
}

static void escape_latex(char *cell) {
    char out[CELL];
    size_t n = 0;
    for (const char *s = cell; *s && n < CELL - 3; s++) {
        if (strchr("_&%#", *s)) out[n++] = '\\';
        out[n++] = *s;
    }
    out[n] = 0;
    memcpy(cell, out, n + 1);
}

static void csv_field(text *out, vb_error *err, const json_t *entry, const char *key) {
    const json_t *value = json_object_get(entry, key);
    if (json_is_string(value)) {
        put(out, err, "\"");
        for (const char *s = json_string_value(value); *s; s++) put(out, err, *s == '"' ? "\"\"" : "%c", *s);
        put(out, err, "\"");
    } else if (json_is_integer(value))
        put(out, err, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        put(out, err, "%.17g", json_real_value(value));
}

static void csv(text *out, const json_t *results, vb_error *err) {
    static const char *const keys[] = {"model",    "dataset",     "protocol", "images",   "acc_c",       "acc_c_se",
                                       "acc_e",    "acc_e_se",    "acc_s",    "acc_s_se", "acc_e_union", "acc_e_union_se",
                                       "top1_all", "top1_all_se", "top_k",    "lambda"};
    enum { KEYS = sizeof keys / sizeof *keys };
    for (int k = 0; k < KEYS; k++) put(out, err, "%s%s", k ? "," : "", keys[k]);
    put(out, err, "\n");
    size_t i;
    json_t *entry;
    json_array_foreach(results, i, entry) {
        for (int k = 0; k < KEYS; k++) {
            if (k) put(out, err, ",");
            csv_field(out, err, entry, keys[k]);
        }
        put(out, err, "\n");
    }
}

static void table_row(text *out, char cells[COLUMNS][CELL], const int *widths, vb_table_form form, vb_error *err) {
    static const char *const before[] = {"", "| ", "", ""}, *const between[] = {"  ", " | ", "", " & "},
                             *const after[] = {"\n", " |\n", "", " \\\\\n"};
    put(out, err, "%s", before[form]);
    for (int c = 0; c < COLUMNS; c++) {
        int pad = widths[c] - display_width(cells[c]);
        if (c) put(out, err, "%s", between[form]);
        put(out, err, c < 2 ? "%2$s%1$*3$s" : "%1$*3$s%2$s", "", cells[c], pad);
    }
    put(out, err, "%s", after[form]);
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

char *vb_table(const json_t *all, vb_table_form form, vb_error *err) {
    json_t *results = table_rows(all, form);
    text out = {0};
    char heads[COLUMNS][CELL] = {"model", "dataset", "images", "Acc-C", "Acc-E", "E-C", "Acc-S", "S-C", "all classes"},
         cells[COLUMNS][CELL];
    put(&out, err, "%s", "");
    if (form == VB_TABLE_CSV) {
        csv(&out, results, err);
        goto done;
    }
    int widths[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) widths[c] = display_width(heads[c]);
    size_t i;
    json_t *entry;
    json_array_foreach(results, i, entry) {
        row_cells(cells, entry, form);
        for (int c = 0; c < COLUMNS; c++) {
            if (form == VB_TABLE_LATEX && c < 2) escape_latex(cells[c]);
            if (display_width(cells[c]) > widths[c]) widths[c] = display_width(cells[c]);
        }
    }
    if (form == VB_TABLE_LATEX) put(&out, err, "\\begin{tabular}{llrrrrrrr}\n\\hline\n");
    table_row(&out, heads, widths, form, err);
    if (form == VB_TABLE_LATEX) put(&out, err, "\\hline\n");
    if (form == VB_TABLE_MARKDOWN) {
        for (int c = 0; c < COLUMNS; c++) put(&out, err, c < 2 ? "|---" : "|---:");
        put(&out, err, "|\n");
    }
    json_array_foreach(results, i, entry) {
        row_cells(cells, entry, form);
        for (int c = 0; c < 2 && form == VB_TABLE_LATEX; c++) escape_latex(cells[c]);
        table_row(&out, cells, widths, form, err);
    }
    if (form == VB_TABLE_LATEX) put(&out, err, "\\hline\n\\end{tabular}\n");
done:
    json_decref(results);
    if (!out.failed) return out.bytes;
    vb_free(out.bytes);
    return NULL;
}
