/* gnuplot's SVG made fit for a page: titled, free of ids that clash, in the page's colours. Pure functions of the text. */
#ifndef VB_SVG_H
#define VB_SVG_H

#include "mpi/base/strbuf.h"

/* Appends the <svg> element. `svg` is what gnuplot's svg terminal wrote; `name` is unique on the page and made of letters,
 * digits and hyphens; title and description are what a screen reader says. VB_EDATA when the text is no whole SVG of
 * gnuplot's.
 *
 * What is taken for granted of that text: a viewBox with double quotes, then a <desc>, and </svg> at the end; ids
 * gnuplot_canvas, gnuplot_plot_N, gpDot and gpPtN; colours as rgb(R,G,B) in decimal, with or without spaces, else black for
 * what has none; a <title> in every plot's group, filters in <defs> that nothing here uses. tests/unit/test_svg.c holds the
 * installed gnuplot to it. */
int vb_svg_inline(const char *svg, const char *name, const char *title, const char *description, vb_strbuf *out, vb_error *err);

#endif
