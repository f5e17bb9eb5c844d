/* Alignment of images with their texts, and uniformity of the texts: a point for each model, arrows along series of
 * checkpoints. */
#include "mpi/analyse/geometry_section.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/figures/labels.h"

enum { PLOT_WIDTH = 530, PLOT_HEIGHT = 250 }; /* between the axes */

static const double least_span = 0.05; /* of an axis */

extern const char vb_geometry_gp[]; /* geometry.gp, by make */

typedef struct point {
    double x, y; /* uniformity of the texts, alignment */
} point;

/* Whether the result has both figures. */
static bool find_point(const vb_section_result *result, point *where) {
    const json_t *figures = json_object_get(result->entry, "analyses");
    *where = (point){vb_json_number(figures, "uniformity_text"), vb_json_number(figures, "alignment")};
    return isfinite(where->x) && isfinite(where->y);
}

/* An arrow from one checkpoint of a series to the next; a series of that name in other results is another one. */
static void join_checkpoints(vb_strbuf *marks, const vb_section_result *from, const vb_section_result *to, point a, point b) {
    const json_t *one = from ? json_object_get(json_object_get(from->entry, "series"), "name") : NULL,
                 *other = json_object_get(json_object_get(to->entry, "series"), "name");
    if (!one || !other || !json_equal(one, other) || from->document != to->document) return;
    vb_strbuf_format(marks, "set arrow from %.10g,%.10g to %.10g,%.10g head filled size screen 0.012,18 lc rgb '%s' lw 1.5\n",
                     a.x, a.y, b.x, b.y, vb_palette_hex(VB_PALETTE_ARROW));
}

static void add_model(vb_plot *plot, const vb_section_result *result, int m, point at) {
    vb_strbuf_format(&plot->csv, "%.10g,%.10g,", at.x, at.y);
    vb_plot_add_number(&plot->csv, vb_json_number(result->entry, "acc_e"));
    vb_strbuf_format(&plot->csv, ",%d,", vb_palette_rgb(vb_palette_series(m)));
    vb_strbuf_add_csv(&plot->csv, result->label);
    vb_strbuf_add(&plot->csv, "\n");
    vb_strbuf_format(&plot->description, " %s: uniformity %.3f, alignment %.3f.", result->label, at.x, at.y);
    vb_plot_value(plot, 0, at.x, at.y, "%s: uniformity %.4f, alignment %.4f", result->label, at.x, at.y);
}

/* The name at each point, where it lies over no other. */
static int add_names(vb_plot *plot, const vb_section_subject *subject, point low, point high, vb_error *err) {
    vb_label *labels = vb_array((size_t)subject->count, sizeof *labels, "names", err);
    vb_strbuf *marks = vb_plot_slot(plot, "MARKS");
    const point wide = {high.x - low.x, high.y - low.y};
    int count = 0;
    point at;
    if (!labels) return -1;
    for (int m = 0; m < subject->count; m++)
        if (find_point(&subject->results[m], &at))
            labels[count++] = (vb_label){.name = subject->results[m].label,
                                         .x = (at.x - low.x) / wide.x,
                                         .y = (at.y - low.y) / wide.y,
                                         .left = at.x > (low.x + high.x) / 2};
    vb_labels_choose(labels, count, PLOT_WIDTH, PLOT_HEIGHT);
    for (int i = 0; i < count; i++) {
        if (!labels[i].shown) continue;
        vb_strbuf_add(marks, "set label ");
        vb_plot_add_name(marks, labels[i].name, 36, false);
        vb_strbuf_format(marks, " at %.10g,%.10g %s offset %s,0 textcolor rgb '%s'\n", low.x + labels[i].x * wide.x,
                         low.y + labels[i].y * wide.y, labels[i].left ? "right" : "left", labels[i].left ? "-1" : "1",
                         vb_palette_hex(VB_PALETTE_INK));
    }
    vb_free(labels);
    return 0;
}

/* The axis from low to high with room on both sides. Models that differ by nothing that matters do not fill it. */
static void set_range(vb_plot *plot, const char *from, const char *to, double *low, double *high) {
    const double middle = (*low + *high) / 2, half = 0.85 * fmax(*high - *low, least_span);
    *low = middle - half;
    *high = middle + half;
    vb_plot_set(plot, from, "%.10g", *low);
    vb_plot_set(plot, to, "%.10g", *high);
}

static int plot_geometry(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    point low = {INFINITY, INFINITY}, high = {-INFINITY, -INFINITY}, at, last = {0, 0};
    int count = 0;
    vb_plot plot;
    for (int m = 0; m < subject->count; m++) {
        if (!find_point(&subject->results[m], &at)) continue;
        low = (point){fmin(low.x, at.x), fmin(low.y, at.y)};
        high = (point){fmax(high.x, at.x), fmax(high.y, at.y)};
        count++;
    }
    if (!count) return 0;
    if (vb_plot_begin(&plot, plotter, figure, "geometry", subject->title, 330, err)) return -1;
    vb_strbuf_add(&plot.csv, "uniformity_text,alignment,acc_e,colour,name\n");
    vb_strbuf_add(&plot.description, "A point for each model, arrows along a series of checkpoints:");
    const vb_section_result *before = NULL;
    for (int m = 0; m < subject->count; m++) {
        const vb_section_result *result = &subject->results[m];
        if (!find_point(result, &at)) continue;
        join_checkpoints(vb_plot_slot(&plot, "MARKS"), before, result, last, at);
        before = result;
        last = at;
        add_model(&plot, result, m, at);
    }
    set_range(&plot, "LEFT", "RIGHT", &low.x, &high.x);
    set_range(&plot, "LOW", "HIGH", &low.y, &high.y);
    int status = add_names(&plot, subject, low, high, err);
    vb_strbuf_format(&plot.title, "%s: alignment of images with their texts, and uniformity of the texts", subject->title);
    return vb_plot_end(&plot, status ? status : vb_plot_script(&plot, vb_geometry_gp, "geometry.gp", err), err);
}

static const vb_section_number uniformity_numbers[] = {{"uniformity_text", "uniformity of texts"},
                                                       {"uniformity_image", "of images"},
                                                       {NULL, NULL}};

const vb_section vb_geometry_section = {.scope = VB_SECTION_OF_GROUP,
                                        .place = 20,
                                        .numbers = uniformity_numbers,
                                        .plot = plot_geometry};
