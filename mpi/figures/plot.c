/* Figures by gnuplot: names, templates, files. */
#include "mpi/figures/plot.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "mpi/base/script.h"
#include "mpi/base/spawn.h"
#include "shards/files/file.h"

enum { SVG_LIMIT = 1 << 27 };

extern const char vb_figure_gp[]; /* figure.gp, by make */

/* Letters, digits and hyphens of a name. */
static void add_slug(vb_strbuf *out, const char *name) {
    size_t n = 0;
    bool gap = true;
    for (const char *at = name; *at && n < 40; at++) {
        char c = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && gap) continue;
        vb_strbuf_add_n(out, plain ? &c : "-", 1);
        gap = !plain;
        n++;
    }
}

static void free_texts(vb_plot *plot) {
    vb_strbuf_free(&plot->csv);
    vb_strbuf_free(&plot->title);
    vb_strbuf_free(&plot->description);
    vb_strbuf_free(&plot->values);
    vb_strbuf_free(&plot->script);
    for (int s = 0; s < plot->slots; s++) vb_strbuf_free(&plot->slot[s].value);
}

/* A file name has its number first, so that no two are the same. */
int vb_plot_begin(vb_plot *plot, vb_plotter *plotter, vb_figure *figure, const char *kind, const char *of, int height,
                  vb_error *err) {
    vb_strbuf name = {0};
    *plot = (vb_plot){.plotter = plotter, .figure = figure};
    vb_strbuf_format(&name, "%02d-%s-", ++plotter->count, kind);
    add_slug(&name, of);
    if (vb_strbuf_end(&name, "a figure", err)) {
        vb_strbuf_free(&name);
        return -1;
    }
    while (name.bytes[name.filled - 1] == '-') name.bytes[--name.filled] = 0;
    figure->name = name.bytes;
    vb_plot_set(plot, "FILE", "%s", figure->name);
    vb_plot_set(plot, "HEIGHT", "%d", height);
    vb_plot_set(plot, "VALUES", "%s", "");
    if (!vb_plot_script(plot, vb_figure_gp, "figure.gp", err)) return 0;
    free_texts(plot);
    return -1;
}

/* ---- templates ---- */

static struct vb_plot_slot *find_slot(vb_plot *plot, const char *name) {
    for (int s = 0; s < plot->slots; s++)
        if (!strcmp(plot->slot[s].name, name)) return &plot->slot[s];
    assert(plot->slots < VB_PLOT_SLOTS);
    plot->slot[plot->slots] = (struct vb_plot_slot){.name = name};
    return &plot->slot[plot->slots++];
}

vb_strbuf *vb_plot_slot(vb_plot *plot, const char *slot) { return &find_slot(plot, slot)->value; }

void vb_plot_set(vb_plot *plot, const char *slot, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(n >= 0 && n < (int)sizeof text);
    vb_strbuf *value = vb_plot_slot(plot, slot);
    value->filled = 0;
    vb_strbuf_add_n(value, text, n < 0 ? 0 : (size_t)n);
}

void vb_plot_value(vb_plot *plot, int panel, double x, double y, const char *format, ...) {
    if (!isfinite(x) || !isfinite(y)) return;
    char text[512]; /* of a longer name the rest is left out */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text[vb_utf8_cut(text, sizeof text - 1)] = 0;
    vb_utf8_one_line(text);
    vb_strbuf_format(vb_plot_slot(plot, "VALUES"), "%.10g,%.10g,%d,%d\n", x, y, plot->value_count++, panel);
    vb_strbuf_format(&plot->values, "%s\n", text);
}

void vb_plot_keep(vb_plot *plot, const char *slot, bool kept) { find_slot(plot, slot)->left_out = !kept; }

int vb_plot_script(vb_plot *plot, const char *text, const char *name, vb_error *err) {
    vb_slot slots[VB_PALETTE_COUNT + VB_PLOT_SLOTS + 1] = {0};
    size_t n = 0;
    for (vb_colour c = 0; c < VB_PALETTE_COUNT; c++)
        if (vb_palette_name(c)) slots[n++] = (vb_slot){vb_palette_name(c), vb_palette_hex(c)};
    for (int s = 0; s < plot->slots; s++) {
        const struct vb_plot_slot *slot = &plot->slot[s];
        if (vb_strbuf_end(&slot->value, "a figure", err)) return -1;
        slots[n++] = (vb_slot){slot->name, slot->left_out ? NULL : slot->value.bytes ? slot->value.bytes : ""};
    }
    char *script;
    if (vb_script_fill(text, name, slots, &script, err)) return -1;
    vb_strbuf_add(&plot->script, script);
    vb_free(script);
    return 0;
}

/* ---- files ---- */

static char *figure_path(const vb_plot *plot, const char *suffix, vb_error *err) {
    return vb_format(err, "%s/%s%s", plot->plotter->folder, plot->figure->name, suffix);
}

int vb_plot_end(vb_plot *plot, int status, vb_error *err) {
    vb_figure *figure = plot->figure;
    char *csv = NULL, *script = NULL, *svg = NULL, *name = NULL;
    uint8_t *bytes = NULL;
    size_t n;
    if (status) goto done;
    status = -1;
    if (!(csv = figure_path(plot, ".csv", err)) || !(script = figure_path(plot, ".gp", err)) ||
        !(svg = figure_path(plot, ".svg", err)) || !(name = vb_format(err, "%s.gp", figure->name)))
        goto done;
    if (!plot->description.filled) vb_strbuf_add(&plot->description, "Nothing is there to be shown.");
    if (vb_strbuf_end(&plot->title, "a figure", err) || vb_strbuf_end(&plot->description, "a figure", err) ||
        vb_strbuf_end(&plot->values, "a figure", err) || vb_strbuf_write(&plot->csv, csv, err) ||
        vb_strbuf_write(&plot->script, script, err))
        goto done;
    const char *const argv[] = {"gnuplot", "-d", name, NULL};
    if (vb_spawn_in(plot->plotter->folder, argv, "install it (Debian: apt-get install gnuplot-nox)", err)) {
        vb_error_prefix(err, "%s", script);
        goto done;
    }
    if (vb_file_read_whole(svg, SVG_LIMIT, &bytes, &n, err)) goto done;
    figure->svg = (char *)bytes;
    figure->title = plot->title.bytes;
    figure->description = plot->description.bytes;
    figure->values = plot->values.bytes;
    plot->title = plot->description = plot->values = (vb_strbuf){0};
    status = 0;
done:
    free_texts(plot);
    vb_free(csv);
    vb_free(script);
    vb_free(svg);
    vb_free(name);
    return status;
}

void vb_plot_figure_free(vb_figure *figure) {
    vb_free(figure->name);
    vb_free(figure->title);
    vb_free(figure->description);
    vb_free(figure->svg);
    vb_free(figure->values);
    *figure = (vb_figure){0};
}

/* ---- what scripts and data are made of ---- */

/* A name as a text of gnuplot: nothing within single quotes is special but the quote itself. */
static void add_quoted(vb_strbuf *script, const char *name) {
    vb_strbuf_add(script, "'");
    for (const char *at = name; *at; at++)
        if (*at == '\'') vb_strbuf_add(script, "''");
        else vb_strbuf_add_n(script, (unsigned char)*at < 0x20 ? " " : at, 1);
    vb_strbuf_add(script, "'");
}

void vb_plot_add_name(vb_strbuf *script, const char *name, int width, bool tic) {
    char text[2 * 4 * 64 + 8];
    size_t n = 0, i = 0;
    int shown = 0;
    for (; name[i] && i < 4 * 64; i++) {
        bool begins = vb_utf8_begins(name[i]);
        if (begins && shown == width) break;
        shown += begins;
        text[n++] = name[i];
        if (tic && name[i] == '%') text[n++] = '%';
    }
    snprintf(text + n, sizeof text - n, "%s", name[i] ? "…" : "");
    add_quoted(script, text);
}

void vb_plot_add_tics(vb_strbuf *script, const char *const *names, int count) {
    for (int i = 0; i < count; i++) {
        if (i) vb_strbuf_add(script, ", ");
        vb_plot_add_name(script, names[i], VB_PLOT_NAME_WIDTH, true);
        vb_strbuf_format(script, " %d", i);
    }
}

int vb_plot_tics_width(const char *const *names, int count) {
    int longest = 4;
    for (int i = 0; i < count; i++) {
        int length = (int)vb_utf8_count(names[i]);
        if (length > longest) longest = length;
    }
    return longest > VB_PLOT_NAME_WIDTH ? VB_PLOT_NAME_WIDTH + 1 : longest;
}

void vb_plot_add_number(vb_strbuf *csv, double value) {
    if (isfinite(value)) vb_strbuf_format(csv, "%.10g", value);
}

const char *vb_plot_error(double error, char text[VB_PLOT_ERROR]) {
    *text = 0;
    if (isfinite(error)) snprintf(text, VB_PLOT_ERROR, " ± %.2f", error);
    return text;
}
