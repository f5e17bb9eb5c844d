/* One figure: its data as CSV, a gnuplot script, and the SVG that gnuplot makes of both. Local. */
#ifndef VB_PLOT_H
#define VB_PLOT_H

#include "mpi/base/strbuf.h"
#include "mpi/figures/palette.h"

typedef struct vb_figure {
    char *name; /* of its files in the folder, without extension; unique. NULL: not drawn */
    char *title, *description;
    char *svg; /* as gnuplot wrote it */
} vb_figure;

/* Where figures go. */
typedef struct vb_plotter {
    const char *folder; /* of data, scripts and SVG files; borrowed */
    int count;          /* figures so far: numbers their names */
} vb_plotter;

/* A figure in the making. The caller fills the four texts between vb_plot_begin and vb_plot_end. */
typedef struct vb_plot {
    vb_plotter *plotter;
    vb_figure *figure;
    vb_strbuf csv, script, title, description;
} vb_plot;

/* Names the figure NUMBER-KIND-OF, of which letters, digits and hyphens remain, and begins its script: 640 x `height` units, the
 * look that all figures share. VB_EMEMORY, with nothing to free but the figure. */
int vb_plot_begin(vb_plot *plot, vb_plotter *plotter, vb_figure *figure, const char *kind, const char *of, int height,
                  vb_error *err);
/* Writes NAME.csv and NAME.gp into the plotter's folder, runs gnuplot there, which writes NAME.svg, and reads that into the figure.
 * Frees the plot, also after a failure. VB_EMISSING without gnuplot; errors name the script. */
int vb_plot_end(vb_plot *plot, vb_error *err);
/* Also of a figure that was not drawn. */
void vb_plot_figure_free(vb_figure *figure);

/* Appends a name as a text of gnuplot in single quotes, cut to `width` characters, at most 256 bytes. For labels of tics, in which a
 * percent sign begins a format, it is doubled. */
void vb_plot_add_name(vb_strbuf *script, const char *name, int width, bool tic);
/* Appends a number with 10 digits; nothing for what is none. */
void vb_plot_add_number(vb_strbuf *csv, double value);
/* Code points of a text: what names take in a figure. */
int vb_plot_text_width(const char *text);

/* A name with two horizontal bars; values are fractions of 1. */
typedef struct vb_bar {
    const char *name;
    double first, second;
} vb_bar;

/* The data and the script of bars, with a key that names the two series. */
void vb_plot_add_bars(vb_plot *plot, const vb_bar *bars, int count, const char *const names[2]);

#endif
