/* Small multiples. */
#include "mpi/figures/panels.h"

#include <assert.h>
#include <math.h>

enum { COLUMNS = 4, PANEL = 118, EDGE = 52 /* units of height: of a row, and of what stands around all */, WIDTH = 22, TICS = 4 };

extern const char vb_panels_gp[]; /* panels.gp, by make */

static int rows_of(int count) { return (count + COLUMNS - 1) / COLUMNS; }

int vb_panels_height(int count) { return EDGE + PANEL * rows_of(count); }

/* The others first, then the band, the panel's own line, and what can be pointed at. */
static void add_panel(vb_plot *plot, vb_strbuf *out, const vb_panel *panels, int count, int p) {
    const char *file = plot->figure->name, *own = vb_palette_hex(vb_palette_series(p));
    vb_strbuf_add(out, "set title ");
    vb_plot_add_name(out, panels[p].label, WIDTH, false);
    vb_strbuf_format(out, " offset 0,-0.7 font ',11' textcolor rgb '%s'\n", vb_palette_hex(VB_PALETTE_INK));
    vb_strbuf_format(out, "set format y '%s'\nset format x '%s'\nplot ", p % COLUMNS ? "" : "%.0f",
                     p + COLUMNS < count ? "" : "%.0f");
    for (int q = 0; q < count; q++)
        if (q != p)
            vb_strbuf_format(out, "'%s.csv' skip 1 using %s with lines lw 0.7 lc rgb '%s', \\\n  ", file, panels[q].line,
                             vb_palette_hex(VB_PALETTE_ARROW));
    if (panels[p].band[0])
        vb_strbuf_format(out, "'%s.csv' skip 1 using %s with filledcurves fs transparent solid 0.16 lc rgb '%s', \\\n  ", file,
                         panels[p].band, own);
    vb_strbuf_format(out, "'%s.csv' skip 1 using %s with lines lw 2.5 lc rgb '%s', \\\n  ", file, panels[p].line, own);
    vb_strbuf_format(out, "$values using ($4==%d?$1:NaN):2:3 with labels hypertext point pt 6 ps 0.1\n%s", p,
                     p ? "" : "unset label 1\n"); /* the axis' name is drawn once */
}

int vb_panels_add(vb_plot *plot, const vb_panel *panels, int count, const vb_panels_axes *axes, vb_error *err) {
    assert(count >= VB_PANELS_FROM);
    vb_strbuf *out = vb_plot_slot(plot, "PANELS");
    const int height = vb_panels_height(count);
    for (int p = 0; p < count; p++) add_panel(plot, out, panels, count, p);
    vb_plot_set(plot, "LAYOUT", "%d,%d", rows_of(count), COLUMNS);
    vb_plot_set(plot, "MARGINS", "0.06,0.985,%.4f,%.4f", 38.0 / height, 1 - 20.0 / height);
    vb_plot_set(plot, "SPACING", "0.02,%.4f", 26.0 / height);
    vb_plot_set(plot, "AXIS", "%s", axes->name);
    vb_plot_set(plot, "RANGES", "[%.10g:%.10g]\nset yrange [%.10g:%.10g]", axes->left, axes->right, axes->low, axes->high);
    if (axes->logarithmic) vb_plot_set(plot, "SCALE", "set logscale x 10\nset xtics 1,100");
    else vb_plot_set(plot, "SCALE", "set xtics %.10g", ceil((axes->right - axes->left) / TICS));
    return vb_plot_script(plot, vb_panels_gp, "panels.gp", err);
}
