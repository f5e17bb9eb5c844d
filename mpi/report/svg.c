/* From gnuplot's SVG to an inline figure. */
#include "mpi/report/svg.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Light: at least 4.5 to 1 against white for whatever is text, 3 to 1 for lines and bars; dark: the same against #14171c. */
const vb_colour vb_colours[VB_COLOURS] = {
    [VB_INK] = {27, 31, 36, "--ink", "#e6e9ee"},
    [VB_MUTED] = {87, 96, 106, "--muted", "#a3abb7"},
    [VB_GRID] = {222, 226, 231, "--line", "#343a45"},
    [VB_SERIES] = {37, 99, 174, "--s1", "#7db3ff"},
    {194, 87, 12, "--s2", "#ffab5e"},
    {25, 121, 75, "--s3", "#5fd39a"},
    {122, 63, 179, "--s4", "#c9a2ff"},
    {12, 124, 140, "--s5", "#58cfe0"},
    {184, 50, 94, "--s6", "#ff8fb3"},
    {107, 106, 0, "--s7", "#d2cf4a"},
    {85, 91, 102, "--s8", "#b5bcc9"},
    [VB_HEAT] = {240, 243, 247, "--h0", "#1d222b"},
    {222, 235, 247, "--h1", "#1f3147"},
    {198, 219, 239, "--h2", "#20405f"},
    {158, 202, 225, "--h3", "#1f5079"},
    {107, 174, 214, "--h4", "#205f92"},
    {47, 122, 184, "--h5", "#5b9bd0"},
    {31, 102, 171, "--h6", "#7fb3de"},
    {15, 76, 143, "--h7", "#a8cdec"},
    {8, 48, 107, "--h8", "#d6e8f8"},
    [VB_HEAT_INK] = {255, 255, 254, "--heat-ink", "#0f1216"},
};

void vb_svg_colours_css(vb_strbuf *out, int dark) {
    for (int c = 0; c < VB_COLOURS; c++) {
        const vb_colour *colour = &vb_colours[c];
        if (dark) vb_strbuf_format(out, "%s:%s;", colour->variable, colour->dark);
        else vb_strbuf_format(out, "%s:#%02x%02x%02x;", colour->variable, colour->red, colour->green, colour->blue);
    }
}

static bool starts(const char *at, const char *with) { return !strncmp(at, with, strlen(with)); }

/* Writes what stands for the text at `at` and returns how much of it is done; 0 when nothing special stands there. */
static size_t replace(const char *at, const char *name, vb_strbuf *out) {
    static const char *const pairs[][2] = {
        {" color=\"black\"", ""},           {" color=\"white\"", ""},          {" color=\"gray\"", ""},
        {"'black'", "'currentColor'"},      {"\"black\"", "\"currentColor\""}, {" id=\"gnuplot_canvas\"", ""},
        {" font-family=\"sans-serif\"", ""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (starts(at, pairs[i][0])) {
            vb_strbuf_add(out, pairs[i][1]);
            return strlen(pairs[i][0]);
        }
    if (starts(at, "rgb(")) {
        int red, green, blue, n = 0;
        if (sscanf(at, "rgb(%d,%d,%d)%n", &red, &green, &blue, &n) != 3 || !n) return 0;
        for (int c = 0; c < VB_COLOURS; c++)
            if (vb_colours[c].red == red && vb_colours[c].green == green && vb_colours[c].blue == blue) {
                vb_strbuf_format(out, "var(%s)", vb_colours[c].variable);
                return (size_t)n;
            }
        return 0;
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

int vb_svg_inline(const char *svg, const char *name, const char *title, const char *description, vb_strbuf *out, vb_error *err) {
    const char *box = strstr(svg, "viewBox=\""), *at = strstr(svg, "</desc>"), *end = strstr(svg, "</svg>");
    const char *box_end = box ? strchr(box + strlen("viewBox=\""), '"') : NULL;
    if (!box_end || !at || !end || box > at || end < at) return vb_errorf(err, VB_EDATA, "%s: gnuplot's SVG is not whole", name);
    const char *body = strstr(at, "</defs>");
    bool points = strstr(body ? body : at, "#gpPt") != NULL;
    vb_strbuf_format(out, "<svg role=\"img\" aria-labelledby=\"%s-t %s-d\" %.*s\" preserveAspectRatio=\"xMidYMin meet\">\n", name,
                     name, (int)(box_end - box), box);
    vb_strbuf_format(out, "<title id=\"%s-t\">", name);
    vb_strbuf_add_html(out, title);
    vb_strbuf_format(out, "</title>\n<desc id=\"%s-d\">", name);
    vb_strbuf_add_html(out, description);
    vb_strbuf_add(out, "</desc>");
    at += strlen("</desc>");
    while (at < end) {
        const char *defs = starts(at, "<defs>") && !points ? strstr(at, "</defs>") : NULL;
        if (defs) {
            at = defs + strlen("</defs>");
            continue;
        }
        size_t n = replace(at, name, out);
        if (!n) vb_strbuf_add_n(out, at, n = 1);
        at += n;
    }
    vb_strbuf_add(out, "</svg>\n");
    return 0;
}
