/* Which vocabulary takes images from which: a matrix in colours. */
#include "mpi/report/theft_section.h"

#include "kernels/base/memory.h"
#include "mpi/base/json.h"

enum { LABELLED_CELLS = 20, LARGE_CELLS = 40 /* vocabularies up to which cells are labelled, and are large */ };

extern const char vb_theft_gp[]; /* theft.gp, by make */

/* How many images of vocabulary t are taken by u, and which part of its images that is. */
static double images_taken(const json_t *entry, int t, int u, double *share) {
    double images = json_number_value(json_array_get(json_array_get(json_object_get(entry, "theft"), (size_t)t), (size_t)u));
    *share = images / vb_json_number(json_array_get(json_object_get(entry, "vocabularies"), (size_t)t), "images");
    return images;
}

static void add_cells(vb_plot *plot, const json_t *entry, const char *const *names, int n, double most) {
    vb_strbuf_add(&plot->csv, "row,column,images,percent,colour,ink,of,taken_by\n");
    for (int t = 0; t < n; t++)
        for (int u = 0; u < n; u++) {
            double share, images = images_taken(entry, t, u, &share);
            int level = !(share > 0) ? 0 : share < most ? 1 + (int)(share / most * 7.999) : 8;
            if (t == u) continue;
            vb_colour fill = (vb_colour)(VB_PALETTE_HEAT + level), ink = level < 5 ? VB_PALETTE_INK : VB_PALETTE_HEAT_INK;
            vb_strbuf_format(&plot->csv, "%d,%d,%.0f,%.10g,%d,%d,", t, u, images, 100 * share, vb_palette_rgb(fill),
                             vb_palette_rgb(ink));
            vb_strbuf_add_csv(&plot->csv, names[t]);
            vb_strbuf_add(&plot->csv, ",");
            vb_strbuf_add_csv(&plot->csv, names[u]);
            vb_strbuf_add(&plot->csv, "\n");
        }
}

static int draw_matrix(vb_plot *plot, const char *const *names, int n, int margin, int height, vb_error *err) {
    vb_plot_set(plot, "EDGE", "%g", n - 0.5);
    vb_plot_set(plot, "MARGIN", "%d", margin + 1);
    vb_plot_set(plot, "BOTTOM", "%.4f", (16.0 + 8 * margin) / height);
    vb_plot_add_tics(vb_plot_slot(plot, "NAMES"), names, n);
    vb_plot_set(plot, "FONT", "%s", n > LARGE_CELLS ? " font ',9'" : n > LABELLED_CELLS ? " font ',11'" : "");
    vb_plot_set(plot, "MORE", "%s", n <= LABELLED_CELLS ? ", \\" : "");
    vb_plot_keep(plot, "NUMBERED", n <= LABELLED_CELLS);
    return vb_plot_script(plot, vb_theft_gp, "theft.gp", err);
}

static int plot_theft(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    const json_t *entry = subject->results->entry, *list = json_object_get(entry, "vocabularies");
    int n = (int)json_array_size(list), worst[2] = {0, 0}, status = -1;
    double most = 0, share;
    vb_plot plot;
    const char **names = vb_array((size_t)n, sizeof *names, "names", err);
    if (!names) return -1;
    for (int t = 0; t < n; t++) {
        names[t] = vb_json_text(json_array_get(list, (size_t)t), "name");
        for (int u = 0; u < n; u++) {
            images_taken(entry, t, u, &share);
            if (share > most) most = share, worst[0] = t, worst[1] = u;
        }
    }
    int side = n > LARGE_CELLS ? 12 : n > LABELLED_CELLS ? 16 : 24, margin = vb_plot_tics_width(names, n);
    int height = 40 + 8 * margin + n * side;
    if (vb_plot_begin(&plot, plotter, figure, "theft", subject->title, height, err)) goto done;
    add_cells(&plot, entry, names, n, most);
    status = draw_matrix(&plot, names, n, margin, height, err);
    vb_strbuf_format(&plot.title,
                     "%s: which vocabulary (column) takes how many right images from which (row), in percent of the row's images",
                     subject->title);
    if (most > 0)
        vb_strbuf_format(&plot.description,
                         "A matrix of %d rows and columns. The largest theft: %s takes %.1f percent of the images of %s.", n,
                         names[worst[1]], 100 * most, names[worst[0]]);
    else vb_strbuf_format(&plot.description, "A matrix of %d rows and columns: nothing is taken.", n);
    status = vb_plot_end(&plot, status, err);
done:
    vb_free(names);
    return status;
}

const vb_section vb_theft_section = {.scope = VB_SECTION_OF_RESULT, .place = 50, .plot = plot_theft};
