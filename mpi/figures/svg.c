/* From gnuplot's SVG to an inline figure. */
#include "mpi/figures/svg.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mpi/figures/palette.h"

static bool starts(const char *at, const char *with) { return !strncmp(at, with, strlen(with)); }

/* The text of that number. */
static void add_value(const char *values, int number, vb_strbuf *out) {
    const char *at = values ? values : "";
    for (; number && *at; number--) at += strcspn(at, "\n") + 1;
    char text[1024]; /* longer than vb_plot_value's */
    snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\n"), at);
    vb_strbuf_add_html(out, text);
}

static const char hypertext[] = "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'";

/* A hidden point that tells its value: gnuplot wrote a group that calls a script, here is a circle that can be hit. */
static size_t replace_value(const char *at, const char *values, vb_strbuf *out) {
    const char *end = strstr(at, "</g>"), *place = strstr(at, "translate(");
    double x, y;
    int number;
    if (!end || !place || place > end || sscanf(at + strlen(hypertext), "%d'", &number) != 1 || number < 0 ||
        sscanf(place, "translate(%lf,%lf)", &x, &y) != 2)
        return 0;
    vb_strbuf_format(out, "<circle class=\"mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"><title>", x, y);
    add_value(values, number, out);
    vb_strbuf_add(out, "</title></circle>");
    return (size_t)(end - at) + strlen("</g>");
}

/* Whether the figure has points beside those hidden ones. */
static bool has_points(const char *at) {
    static const char hidden[] = "<title> </title>\n\t<use ";
    const size_t back = strlen(hidden);
    for (const char *start = at; (at = strstr(at, "xlink:href='#gpPt")); at++)
        if (at < start + back || strncmp(at - back, hidden, back)) return true;
    return false;
}

/* Writes what stands for the text at `at` and returns how much of it is done; 0 when nothing special stands there. */
static size_t replace(const char *at, const char *name, const char *values, vb_strbuf *out) {
    static const char *const pairs[][2] = {
        {" color=\"black\"", ""},           {" color=\"white\"", ""},          {" color=\"gray\"", ""},
        {"'black'", "'currentColor'"},      {"\"black\"", "\"currentColor\""}, {" id=\"gnuplot_canvas\"", ""},
        {" font-family=\"sans-serif\"", ""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (starts(at, pairs[i][0])) {
            vb_strbuf_add(out, pairs[i][1]);
            return strlen(pairs[i][0]);
        }
    if (starts(at, hypertext)) return replace_value(at, values, out);
    if (starts(at, "rgb(")) {
        int red, green, blue, n = 0;
        if (sscanf(at, "rgb(%3d,%3d,%3d)%n", &red, &green, &blue, &n) != 3 || !n || (red | green | blue) & ~0xff) return 0;
        const char *variable = vb_palette_variable(red << 16 | green << 8 | blue);
        if (!variable) return 0;
        vb_strbuf_format(out, "var(%s)", variable);
        return (size_t)n;
    }
    if (starts(at, "gnuplot_plot_")) {
        vb_strbuf_format(out, "%s-", name);
        return strlen("gnuplot_");
    }
    if (starts(at, "gpPt") || starts(at, "gpDot")) {
        vb_strbuf_format(out, "%s-gp", name);
        return 2;
    }
    /* The names of plots are no titles, filters are for boxes of text that we do not draw. */
    const char *end = starts(at, "<title>") ? strstr(at, "</title>") : starts(at, "<filter") ? strstr(at, "</filter>") : NULL;
    if (end) return (size_t)(strchr(end, '>') + 1 - at);
    if (starts(at, "<g fill=\"none\"")) { /* groups that hold nothing */
        const char *close = strchr(at, '>');
        if (close && starts(close, ">\n</g>\n")) return (size_t)(close - at) + strlen(">\n</g>\n");
    }
    return 0;
}

int vb_svg_inline(const vb_figure *figure, const char *name, vb_strbuf *out, vb_error *err) {
    const char *svg = figure->svg;
    const char *box = strstr(svg, "viewBox=\""), *at = strstr(svg, "</desc>"), *end = strstr(svg, "</svg>");
    const char *box_end = box ? strchr(box + strlen("viewBox=\""), '"') : NULL;
    if (!box_end || !at || !end || box > at || end < at) return vb_errorf(err, VB_EDATA, "%s: gnuplot's SVG is not whole", name);
    const char *body = strstr(at, "</defs>");
    bool points = has_points(body ? body : at);
    vb_strbuf_format(out, "<svg role=\"img\" aria-labelledby=\"%s-t %s-d\" %.*s\" preserveAspectRatio=\"xMidYMin meet\">\n", name,
                     name, (int)(box_end - box), box);
    vb_strbuf_format(out, "<title id=\"%s-t\">", name);
    vb_strbuf_add_html(out, figure->title);
    vb_strbuf_format(out, "</title>\n<desc id=\"%s-d\">", name);
    vb_strbuf_add_html(out, figure->description);
    vb_strbuf_add(out, "</desc>");
    at += strlen("</desc>");
    bool within = false; /* a tag: what stands between them are names, which stay as they are */
    while (at < end) {
        const char *defs = starts(at, "<defs>") && !points ? strstr(at, "</defs>") : NULL;
        if (defs) {
            at = defs + strlen("</defs>");
            continue;
        }
        const bool begins = *at == '<';
        size_t n = begins || within ? replace(at, name, figure->values, out) : 0;
        if (!n) {
            if (begins) within = true;
            else if (*at == '>') within = false;
            vb_strbuf_add_n(out, at, n = 1);
        } else if (begins) within = false; /* all of it was replaced */
        at += n;
    }
    vb_strbuf_add(out, "</svg>\n");
    return 0;
}
