/* Every colour of figures and pages, in a light and a dark theme. Pure functions. */
#ifndef VB_PALETTE_H
#define VB_PALETTE_H

#include <stdbool.h>

#include "mpi/base/strbuf.h"

enum { VB_PALETTE_SERIES_COUNT = 8, VB_PALETTE_HEAT_COUNT = 9 };

typedef enum vb_colour {
    VB_PALETTE_PAGE,  /* behind everything */
    VB_PALETTE_INK,   /* text */
    VB_PALETTE_MUTED, /* text that matters less: axes */
    VB_PALETTE_LINE,  /* rules and grid lines */
    VB_PALETTE_SERIES,
    VB_PALETTE_HEAT = VB_PALETTE_SERIES + VB_PALETTE_SERIES_COUNT, /* from nothing to most */
    VB_PALETTE_HEAT_INK = VB_PALETTE_HEAT + VB_PALETTE_HEAT_COUNT, /* text on the upper half of the heat colours */
    VB_PALETTE_ARROW,                                              /* the same in both themes */
    VB_PALETTE_COUNT
} vb_colour;

/* As figures are drawn, in the light theme: "#1b1f24", and 0x1b1f24. */
const char *vb_palette_hex(vb_colour colour);
int vb_palette_rgb(vb_colour colour);
/* What stands for a colour in the template of a script, between two @: "INK"; NULL for a colour that scripts find in their
 * data. */
const char *vb_palette_name(vb_colour colour);
/* Of the nth series of a figure: they begin again after VB_PALETTE_SERIES_COUNT. */
vb_colour vb_palette_series(int n);
/* The CSS variable, "--ink", that stands on a page for the light theme's 0xrrggbb; NULL for a colour that has none. */
const char *vb_palette_variable(int rgb);
/* Appends CSS declarations of all variables. */
void vb_palette_css(vb_strbuf *out, bool dark);

#endif
