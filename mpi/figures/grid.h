/* A table of cells that is filled once and written for the terminal or as Markdown, LaTeX or HTML. */
#ifndef VB_GRID_H
#define VB_GRID_H

#include "mpi/base/strbuf.h"

typedef enum vb_grid_form { VB_GRID_TERMINAL, VB_GRID_MARKDOWN, VB_GRID_LATEX, VB_GRID_HTML } vb_grid_form;

/* Cells are added row by row, the heads first. */
typedef struct vb_grid {
    int columns;
    unsigned left;       /* bit c: column c holds words and is aligned to the left */
    const char *caption; /* HTML's <caption>, LaTeX's comment; NULL for none */
    const char *note;    /* a line below the cells that says what ± is, shown where a cell has one; NULL for none */
    const char *missing; /* stands for what is no number; NULL: a dash */
    char **cells;
    size_t count, capacity;
    bool failed;
} vb_grid;

/* Only these columns stay, in this order; `left` follows them. */
void vb_grid_arrange(vb_grid *grid, const int *columns, int count);
/* Adds a cell; without memory `failed` is set, and writing the grid fails. */
void vb_grid_cell(vb_grid *grid, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A grid of so many columns, the first one of words, and its heads. */
void vb_grid_begin(vb_grid *grid, int columns, const char *caption, const char *const *heads);
/* A cell for each column. */
void vb_grid_heads(vb_grid *grid, const char *const *names);
/* "71.79 ± 0.44": a fraction in percent, with its standard error where there is one. */
void vb_grid_percent(vb_grid *grid, double value, double error);
/* "+1.25": a difference of fractions in percentage points. */
void vb_grid_points(vb_grid *grid, double difference);
void vb_grid_number(vb_grid *grid, double value, int decimals);
/* Everything in it that is special to a form is escaped. Cells that begin a row are row headers in HTML. */
void vb_grid_put(const vb_grid *grid, vb_grid_form form, vb_strbuf *out);
void vb_grid_free(vb_grid *grid);
/* Rows below the heads. */
int vb_grid_rows(const vb_grid *grid);

#endif
