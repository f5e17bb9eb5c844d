/* gnuplot's SVG made fit for a page: titled, free of ids that clash, in the page's colours. Pure functions of the text. */
#ifndef VB_SVG_H
#define VB_SVG_H

#include "mpi/base/strbuf.h"

/* The colours of the plots: as gnuplot draws them (the light theme), and the CSS variable that takes their place. */
typedef struct vb_colour {
    int red, green, blue;
    const char *variable; /* "--ink" */
    const char *dark;     /* "#e6e9ee": of the dark theme */
} vb_colour;

enum {
    VB_INK,
    VB_MUTED,
    VB_GRID,
    VB_SERIES,
    VB_SERIES_COUNT = 8,
    VB_HEAT = VB_SERIES + VB_SERIES_COUNT,
    VB_HEAT_COUNT = 9,
    VB_HEAT_INK = VB_HEAT + VB_HEAT_COUNT,
    VB_COLOURS
};
extern const vb_colour vb_colours[VB_COLOURS];

/* Declarations of all variables for CSS. */
void vb_svg_colours_css(vb_strbuf *out, int dark);

/* Appends the <svg> element. `svg` is what gnuplot's svg terminal wrote; `name` is unique on the page and made of letters, digits
 * and hyphens; title and description are what a screen reader says. VB_EDATA when the text is no whole SVG of gnuplot's. */
int vb_svg_inline(const char *svg, const char *name, const char *title, const char *description, vb_strbuf *out, vb_error *err);

#endif
