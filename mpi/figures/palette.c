/* The colours of figures and pages. */
#include "mpi/figures/palette.h"

#include <assert.h>
#include <stdlib.h>

/* Light: at least 4.5 to 1 against the page for whatever is text, 3 to 1 for lines and bars; dark: the same against the dark
 * page. No two light colours are the same: a page finds the variable by the colour that gnuplot wrote. */
static const struct {
    const char *light, *variable, *dark;
    const char *name; /* in scripts: @NAME@ */
} palette[] = {
    [VB_PALETTE_PAGE] = {"#ffffff", "--page", "#14171c", NULL},
    [VB_PALETTE_INK] = {"#1b1f24", "--ink", "#e6e9ee", "INK"},
    [VB_PALETTE_MUTED] = {"#57606a", "--muted", "#a3abb7", "MUTED"},
    [VB_PALETTE_LINE] = {"#dee2e7", "--line", "#343a45", "LINE"},
    [VB_PALETTE_SERIES] = {"#2563ae", "--s1", "#7db3ff", "BLUE"},
    {"#c2570c", "--s2", "#ffab5e", "ORANGE"},
    {"#19794b", "--s3", "#5fd39a", "GREEN"},
    {"#7a3fb3", "--s4", "#c9a2ff", "PURPLE"},
    {"#0c7c8c", "--s5", "#58cfe0", "TEAL"},
    {"#b8325e", "--s6", "#ff8fb3", "PINK"},
    {"#6b6a00", "--s7", "#d2cf4a", "OLIVE"},
    {"#555b66", "--s8", "#b5bcc9", "GREY"},
    [VB_PALETTE_HEAT] = {"#f0f3f7", "--h0", "#1d222b"},
    {"#deebf7", "--h1", "#1f3147"},
    {"#c6dbef", "--h2", "#20405f"},
    {"#9ecae1", "--h3", "#1f5079"},
    {"#6baed6", "--h4", "#205f92"},
    {"#2f7ab8", "--h5", "#5b9bd0"},
    {"#1f66ab", "--h6", "#7fb3de"},
    {"#0f4c8f", "--h7", "#a8cdec"},
    {"#08306b", "--h8", "#d6e8f8"},
    [VB_PALETTE_HEAT_INK] = {"#fffffe", "--heat-ink", "#0f1216"},
    [VB_PALETTE_ARROW] = {"#8b949e", NULL, NULL, "ARROW"},
};
static_assert(sizeof palette / sizeof *palette == VB_PALETTE_COUNT, "a row for each colour");

const char *vb_palette_hex(vb_colour colour) {
    assert(colour < VB_PALETTE_COUNT);
    return palette[colour].light;
}

int vb_palette_rgb(vb_colour colour) { return (int)strtol(vb_palette_hex(colour) + 1, NULL, 16); }

const char *vb_palette_name(vb_colour colour) {
    assert(colour < VB_PALETTE_COUNT);
    return palette[colour].name;
}

vb_colour vb_palette_series(int n) { return (vb_colour)(VB_PALETTE_SERIES + n % VB_PALETTE_SERIES_COUNT); }

const char *vb_palette_variable(int rgb) {
    for (vb_colour c = 0; c < VB_PALETTE_COUNT; c++)
        if (palette[c].variable && vb_palette_rgb(c) == rgb) return palette[c].variable;
    return NULL;
}

void vb_palette_css(vb_strbuf *out, bool dark) {
    for (vb_colour c = 0; c < VB_PALETTE_COUNT; c++)
        if (palette[c].variable) vb_strbuf_format(out, "%s:%s;", palette[c].variable, dark ? palette[c].dark : palette[c].light);
}
