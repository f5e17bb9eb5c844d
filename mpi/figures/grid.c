/* Tables in four forms. */
#include "mpi/figures/grid.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"

void vb_grid_cell(vb_grid *grid, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    vb_error ignored; /* `failed` says it */
    int n = vsnprintf(NULL, 0, format, args);
    char *cell = grid->failed || n < 0 ? NULL : vb_array((size_t)n + 1, 1, "table", &ignored);
    if (cell) vsnprintf(cell, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    if (!cell || vb_grow((void **)&grid->cells, &grid->capacity, grid->count + 1, sizeof *grid->cells, "table", &ignored)) {
        vb_free(cell);
        grid->failed = true;
        return;
    }
    grid->cells[grid->count++] = cell;
}

void vb_grid_begin(vb_grid *grid, int columns, const char *caption, const char *const *heads) {
    grid->columns = columns;
    grid->left = 1;
    grid->caption = caption;
    vb_grid_heads(grid, heads);
}

/* Columns beyond the bits are numbers. */
static bool is_left(const vb_grid *grid, size_t column) { return column < 8 * sizeof grid->left && grid->left >> column & 1; }

void vb_grid_heads(vb_grid *grid, const char *const *names) {
    for (int c = 0; c < grid->columns; c++) vb_grid_cell(grid, "%s", names[c]);
}

void vb_grid_arrange(vb_grid *grid, const int *columns, int count) {
    const size_t old = (size_t)grid->columns, rows = old ? grid->count / old : 0;
    vb_error ignored; /* `failed` says it */
    char **cells = grid->failed ? NULL : vb_array(rows * (size_t)count + 1, sizeof *cells, "table", &ignored);
    unsigned left = 0;
    if (!cells) {
        grid->failed = true;
        return;
    }
    for (int c = 0; c < count; c++) {
        left |= (unsigned)is_left(grid, (size_t)columns[c]) << c;
        for (size_t r = 0; r < rows; r++) {
            char **from = &grid->cells[r * old + (size_t)columns[c]];
            cells[r * (size_t)count + (size_t)c] = *from;
            *from = NULL;
        }
    }
    for (size_t i = 0; i < grid->count; i++) vb_free(grid->cells[i]);
    vb_free(grid->cells);
    grid->cells = cells;
    grid->count = rows * (size_t)count;
    grid->capacity = grid->count + 1;
    grid->columns = count;
    grid->left = left;
}

static void add_missing(vb_grid *grid) { vb_grid_cell(grid, "%s", grid->missing ? grid->missing : "–"); }

void vb_grid_percent(vb_grid *grid, double value, double error) {
    if (!isfinite(value)) add_missing(grid);
    else if (isfinite(error)) vb_grid_cell(grid, "%.2f ± %.2f", 100 * value, 100 * error);
    else vb_grid_cell(grid, "%.2f", 100 * value);
}

void vb_grid_points(vb_grid *grid, double difference) {
    if (isfinite(difference)) vb_grid_cell(grid, "%+.2f", 100 * difference);
    else add_missing(grid);
}

void vb_grid_number(vb_grid *grid, double value, int decimals) {
    if (isfinite(value)) vb_grid_cell(grid, "%.*f", decimals, value);
    else add_missing(grid);
}

void vb_grid_free(vb_grid *grid) {
    for (size_t i = 0; i < grid->count; i++) vb_free(grid->cells[i]);
    vb_free(grid->cells);
    *grid = (vb_grid){0};
}

int vb_grid_rows(const vb_grid *grid) { return grid->columns ? (int)grid->count / grid->columns - 1 : 0; }

static int display_width(const char *s) { return (int)vb_utf8_count(s); } /* a column a code point */

/* What is to be said of the errors, when there are any. */
static const char *note_of(const vb_grid *grid) {
    for (size_t i = 0; i < grid->count && grid->note; i++)
        if (strstr(grid->cells[i], "±")) return grid->note;
    return NULL;
}

static void put_html(const vb_grid *grid, vb_strbuf *out) {
    vb_strbuf_add(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    vb_strbuf_add_html(out, grid->caption ? grid->caption : "Table");
    vb_strbuf_add(out, "\">\n<table>\n");
    if (grid->caption) {
        vb_strbuf_add(out, "<caption><span>");
        vb_strbuf_add_html(out, grid->caption);
        const char *note = note_of(grid);
        if (note) {
            vb_strbuf_add(out, ". ");
            vb_strbuf_add_html(out, note);
        }
        vb_strbuf_add(out, "</span></caption>\n");
    }
    vb_strbuf_add(out, "<thead>\n");
    size_t columns = (size_t)grid->columns;
    for (size_t i = 0; i < grid->count; i++) {
        size_t c = i % columns;
        if (!c) vb_strbuf_add(out, "<tr>");
        const char *kind = i < columns ? "th scope=\"col\"" : !c ? "th scope=\"row\"" : "td";
        vb_strbuf_format(out, "<%s%s>", kind, is_left(grid, c) ? " class=\"word\"" : "");
        vb_strbuf_add_html(out, grid->cells[i]);
        vb_strbuf_add(out, i < columns || !c ? "</th>" : "</td>");
        if (c == columns - 1) vb_strbuf_add(out, "</tr>\n");
        if (i == columns - 1) vb_strbuf_add(out, "</thead>\n<tbody>\n");
    }
    vb_strbuf_add(out, "</tbody>\n</table>\n</div>\n");
}

/* The sign of a number in mathematics. A bracket at the beginning of a row would be an argument of the row's end before it. */
static void latex_cell(vb_strbuf *out, const char *cell) {
    if ((cell[0] == '+' || cell[0] == '-') && cell[1] >= '0' && cell[1] <= '9') vb_strbuf_format(out, "$%c$", *cell++);
    if (*cell == '[' || *cell == '*') vb_strbuf_add(out, "{}");
    vb_strbuf_add_latex_n(out, cell, strlen(cell));
}

static void put_latex(const vb_grid *grid, vb_strbuf *out) {
    size_t columns = (size_t)grid->columns;
    if (grid->caption) {
        vb_strbuf_add(out, "% ");
        for (const char *s = grid->caption; *s; s++) vb_strbuf_add_n(out, *s == '\n' ? " " : s, 1);
        vb_strbuf_add(out, "\n");
    }
    vb_strbuf_add(out, "\\begin{tabular}{");
    for (size_t c = 0; c < columns; c++) vb_strbuf_add(out, is_left(grid, c) ? "l" : "r");
    vb_strbuf_add(out, "}\n\\toprule\n");
    for (size_t i = 0; i < grid->count; i++) {
        size_t c = i % columns;
        if (c) vb_strbuf_add(out, " & ");
        latex_cell(out, grid->cells[i]);
        if (c == columns - 1) vb_strbuf_add(out, " \\\\\n");
        if (i == columns - 1) vb_strbuf_add(out, "\\midrule\n");
    }
    vb_strbuf_add(out, "\\bottomrule\n");
    const char *note = note_of(grid);
    if (note) {
        vb_strbuf_format(out, "\\multicolumn{%d}{l}{\\footnotesize ", grid->columns);
        latex_cell(out, note);
        vb_strbuf_add(out, "} \\\\\n");
    }
    vb_strbuf_add(out, "\\end{tabular}\n");
}

/* Markdown's cells hold no bar, and no HTML. */
static char *markdown_cell(const char *cell) {
    vb_strbuf text = {0};
    for (const char *s = cell; *s; s++)
        if (strchr("|\\`*_<&[]", *s)) vb_strbuf_format(&text, "\\%c", *s);
        else vb_strbuf_add_n(&text, (unsigned char)*s < 0x20 ? " " : s, 1);
    if (!text.bytes && !text.failed) vb_strbuf_add(&text, "");
    if (!text.failed) return text.bytes;
    vb_strbuf_free(&text);
    return NULL;
}

static void put_aligned_columns(const vb_grid *grid, bool markdown, int *widths, vb_strbuf *out) {
    size_t columns = (size_t)grid->columns;
    for (size_t i = 0; i < grid->count; i++) {
        int width = display_width(grid->cells[i]);
        if (width > widths[i % columns]) widths[i % columns] = width;
    }
    for (size_t i = 0; i < grid->count; i++) {
        size_t c = i % columns;
        char *escaped = markdown ? markdown_cell(grid->cells[i]) : NULL;
        if (markdown && !escaped) {
            out->failed = true;
            return;
        }
        const char *cell = markdown ? escaped : grid->cells[i];
        int pad = widths[c] - display_width(grid->cells[i]);
        bool left = is_left(grid, c), last = c == columns - 1;
        vb_strbuf_add(out, markdown ? c ? " | " : "| " : c ? "  " : "");
        if (!left) vb_strbuf_format(out, "%*s", pad, "");
        vb_strbuf_add(out, cell);
        if (left && (markdown || !last)) vb_strbuf_format(out, "%*s", pad, "");
        vb_free(escaped);
        if (last) vb_strbuf_add(out, markdown ? " |\n" : "\n");
        if (markdown && i == columns - 1) {
            for (size_t k = 0; k < columns; k++) vb_strbuf_add(out, is_left(grid, k) ? "|---" : "|---:");
            vb_strbuf_add(out, "|\n");
        }
    }
    const char *note = note_of(grid);
    if (note) vb_strbuf_format(out, "%s%s\n", markdown ? "\n" : "", note);
}

static void put_aligned(const vb_grid *grid, bool markdown, vb_strbuf *out) {
    vb_error ignored; /* `failed` says it */
    int *widths = vb_array((size_t)grid->columns, sizeof *widths, "table", &ignored);
    if (widths) put_aligned_columns(grid, markdown, widths, out);
    else out->failed = true;
    vb_free(widths);
}

void vb_grid_put(const vb_grid *grid, vb_grid_form form, vb_strbuf *out) {
    if (grid->failed) out->failed = true;
    else if (form == VB_GRID_HTML) put_html(grid, out);
    else if (form == VB_GRID_LATEX) put_latex(grid, out);
    else put_aligned(grid, form == VB_GRID_MARKDOWN, out);
}
