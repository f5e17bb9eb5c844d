/* Figures by gnuplot: names, files, bars. */
#include "mpi/figures/plot.h"

#include <math.h>
#include <stdio.h>

#include "kernels/base/memory.h"
#include "mpi/base/spawn.h"
#include "shards/files/file.h"

enum { WIDTH = 640, NAME_WIDTH = 26, SVG_LIMIT = 1 << 27 };

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

/* A file name has its number first, so that no two are the same. */
int vb_plot_begin(vb_plot *work, vb_plotter *plotter, vb_figure *figure, const char *kind, const char *of, int height,
                  vb_error *err) {
    vb_strbuf name = {0};
    *work = (vb_plot){.plotter = plotter, .figure = figure};
    vb_strbuf_format(&name, "%02d-%s-", ++plotter->count, kind);
    add_slug(&name, of);
    if (vb_strbuf_end(&name, "a figure", err)) {
        vb_strbuf_free(&name);
        return -1;
    }
    while (name.bytes[name.filled - 1] == '-') name.bytes[--name.filled] = 0;
    figure->name = name.bytes;
    vb_strbuf_format(
        &work->script,
        "# gnuplot -d %s.gp\nset encoding utf8\nset terminal svg size %d,%d dynamic noenhanced font 'sans-serif,13'\n"
        "set output '%s.svg'\nset datafile separator ','\nset border 0\nset tics scale 0 nomirror textcolor rgb '#57606a'\n"
        "set style fill solid 1 noborder\n"
        "set key tmargin left Left reverse samplen 1.2 maxrows 3 textcolor rgb '#1b1f24'\n",
        figure->name, WIDTH, height, figure->name);
    return 0;
}

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
        bool begins = ((unsigned char)name[i] & 0xc0) != 0x80;
        if (begins && shown == width) break;
        shown += begins;
        text[n++] = name[i];
        if (tic && name[i] == '%') text[n++] = '%';
    }
    snprintf(text + n, sizeof text - n, "%s", name[i] ? "…" : "");
    add_quoted(script, text);
}

static char *file_of(const vb_plot *work, const char *suffix, vb_error *err) {
    return vb_format(err, "%s/%s%s", work->plotter->folder, work->figure->name, suffix);
}

int vb_plot_end(vb_plot *work, vb_error *err) {
    vb_figure *figure = work->figure;
    char *csv = file_of(work, ".csv", err), *script = file_of(work, ".gp", err), *svg = file_of(work, ".svg", err);
    char *name = vb_format(err, "%s.gp", figure->name);
    uint8_t *bytes = NULL;
    size_t n;
    int status = csv && script && svg && name ? 0 : -1;
    if (!status)
        status = vb_strbuf_end(&work->title, "a figure", err) || vb_strbuf_end(&work->description, "a figure", err) ? -1 : 0;
    if (!status) status = vb_strbuf_write(&work->csv, csv, err) || vb_strbuf_write(&work->script, script, err) ? -1 : 0;
    if (!status) {
        const char *const argv[] = {"gnuplot", "-d", name, NULL};
        status = vb_spawn_in(work->plotter->folder, argv, "install it (Debian: apt-get install gnuplot-nox)", err);
        if (status) vb_error_prefix(err, "%s", script);
    }
    if (!status) status = vb_file_read_whole(svg, SVG_LIMIT, &bytes, &n, err);
    figure->svg = (char *)bytes;
    figure->title = work->title.bytes;
    figure->description = work->description.bytes;
    work->title = work->description = (vb_strbuf){0};
    vb_strbuf_free(&work->csv);
    vb_strbuf_free(&work->script);
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
    *figure = (vb_figure){0};
}

void vb_plot_add_number(vb_strbuf *csv, double value) {
    if (isfinite(value)) vb_strbuf_format(csv, "%.10g", value);
}

int vb_plot_text_width(const char *text) {
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* ---- horizontal bars, two a name ---- */

void vb_plot_add_bars(vb_plot *work, const vb_bar *bars, int count, const char *const names[2]) {
    vb_strbuf *script = &work->script;
    int width = 4;
    vb_strbuf_format(&work->csv, "place,%s,%s,name\n", names[0], names[1]);
    for (int i = 0; i < count; i++) {
        vb_strbuf_format(&work->csv, "%d,", i);
        vb_plot_add_number(&work->csv, 100 * bars[i].first);
        vb_strbuf_add(&work->csv, ",");
        vb_plot_add_number(&work->csv, 100 * bars[i].second);
        vb_strbuf_add(&work->csv, ",");
        vb_strbuf_add_csv(&work->csv, bars[i].name);
        vb_strbuf_add(&work->csv, "\n");
        int length = vb_plot_text_width(bars[i].name);
        if (length > width) width = length;
    }
    if (width > NAME_WIDTH) width = NAME_WIDTH + 1;
    vb_strbuf_format(script,
                     "set lmargin %d\nset rmargin 6\nset tmargin 2.4\nset bmargin 2\nset xrange [0:100]\nset yrange [%g:-0.6]\n",
                     width + 1, count - 0.4);
    vb_strbuf_add(script, "set xtics 0,20,100 format '%.0f %%'\nset grid xtics lt 1 lc rgb '#dee2e7' lw 1\nset ytics (");
    for (int i = 0; i < count; i++) {
        if (i) vb_strbuf_add(script, ", ");
        vb_plot_add_name(script, bars[i].name, NAME_WIDTH, true);
        vb_strbuf_format(script, " %d", i);
    }
    vb_strbuf_add(script, ") textcolor rgb '#1b1f24'\nplot ");
    for (int k = 0; k < 2; k++) {
        double shift = k ? 0.2 : -0.2;
        vb_strbuf_format(script, "%s'%s.csv' skip 1 using ($%d/2):($1%+g):($%d/2):(0.18) with boxxyerror lc rgb '%s' title ",
                         k ? ", \\\n  " : "", work->figure->name, k + 2, shift, k + 2, vb_palette_hex(vb_palette_series(k)));
        add_quoted(script, names[k]);
        if (count <= 60)
            vb_strbuf_format(script,
                             ", \\\n  '' skip 1 using %d:($1%+g):(sprintf('%%.1f', $%d)) with labels left offset 0.4,0 "
                             "font ',10' textcolor rgb '#57606a' notitle",
                             k + 2, shift, k + 2);
    }
    vb_strbuf_add(script, "\n");
}
