/* One figure: its data as CSV, a gnuplot script, and the SVG that gnuplot makes of both. Local. */
#ifndef VB_PLOT_H
#define VB_PLOT_H

#include "mpi/base/strbuf.h"
#include "mpi/figures/palette.h"

typedef struct vb_figure {
    char *name; /* of its files in the folder, without extension; unique. NULL: not drawn */
    char *title, *description;
    char *svg;    /* as gnuplot wrote it */
    char *values; /* the texts of vb_plot_value, one a line, in their order; NULL: none */
} vb_figure;

/* Where figures go. */
typedef struct vb_plotter {
    const char *folder; /* of data, scripts and SVG files; borrowed */
    int count;          /* figures so far: numbers their names */
} vb_plotter;

enum { VB_PLOT_SLOTS = 12 };

/* A figure in the making. Between vb_plot_begin and vb_plot_end the caller fills data, title and description, sets the slots
 * of its template, and adds that to the script. */
typedef struct vb_plot {
    vb_plotter *plotter;
    vb_figure *figure;
    vb_strbuf csv, title, description;
    vb_strbuf values; /* vb_plot_value's */
    int value_count;
    /* What follows is for the functions below. */
    vb_strbuf script;
    int slots;
    struct vb_plot_slot {
        const char *name;
        bool left_out;
        vb_strbuf value;
    } slot[VB_PLOT_SLOTS];
} vb_plot;

/* Names the figure NUMBER-KIND-OF, of which letters, digits and hyphens remain, and begins its script with figure.gp: 640 x
 * `height` units, the look that all figures share. VB_EMEMORY, with nothing to free but the figure. */
int vb_plot_begin(vb_plot *plot, vb_plotter *plotter, vb_figure *figure, const char *kind, const char *of, int height,
                  vb_error *err);

/* The text that stands in templates for @SLOT@ (capitals and underscores), to be appended to; empty at first. `slot` is a
 * constant text. Known without: @FILE@, @HEIGHT@, @VALUES@ and the colours by their names (vb_palette_name). */
vb_strbuf *vb_plot_slot(vb_plot *plot, const char *slot);
void vb_plot_set(vb_plot *plot, const char *slot, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What is told of the point (x, y), in the units of the axes, to who points at it: "ViT-B-32: 71.8 after 3 vocabularies".
 * panel: of vb_panels_add, else 0. Templates plot them, hidden, from $values << END, @VALUES@END. */
void vb_plot_value(vb_plot *plot, int panel, double x, double y, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Lines of templates that hold @SLOT@ are left out from here on, unless `kept`. */
void vb_plot_keep(vb_plot *plot, const char *slot, bool kept);
/* Appends a template, a text of the file `name`, with its slots filled. VB_ECONFIG: a slot that nobody set. */
int vb_plot_script(vb_plot *plot, const char *text, const char *name, vb_error *err);

/* Writes NAME.csv and NAME.gp into the plotter's folder, runs gnuplot there, which writes NAME.svg, and reads that into the
 * figure. With `status`, that of the steps before, other than 0 nothing is written. Frees the plot in any case. Returns 0 or
 * -1: VB_EMISSING without gnuplot; errors name the script. */
int vb_plot_end(vb_plot *plot, int status, vb_error *err);
/* Also of a figure that was not drawn. */
void vb_plot_figure_free(vb_figure *figure);

/* Appends a name as a text of gnuplot in single quotes, cut to `width` characters, at most 256 bytes. For labels of tics, in
 * which a percent sign begins a format, it is doubled. */
void vb_plot_add_name(vb_strbuf *script, const char *name, int width, bool tic);
/* Appends a list of tics: names at 0, 1, 2, ... */
void vb_plot_add_tics(vb_strbuf *script, const char *const *names, int count);
/* What the names of tics take, in characters: the longest, at least 4, at most VB_PLOT_NAME_WIDTH and the sign that they are
 * cut. */
enum { VB_PLOT_NAME_WIDTH = 26 };
int vb_plot_tics_width(const char *const *names, int count);
/* Appends a number with 10 digits; nothing for what is none. */
void vb_plot_add_number(vb_strbuf *csv, double value);

/* " ± 1.23", for texts of vb_plot_value; nothing of an error that is undefined. Returns the text. */
enum { VB_PLOT_ERROR = 40 };
const char *vb_plot_error(double error, char text[VB_PLOT_ERROR]);

#endif
