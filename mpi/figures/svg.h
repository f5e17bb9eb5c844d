/* gnuplot's SVG made fit for a page: titled, free of ids that clash, in the page's colours. Pure functions of the text. */
#ifndef VB_SVG_H
#define VB_SVG_H

#include "mpi/figures/plot.h"

/* Appends the <svg> element. `name` is unique on the page and made of letters, digits and hyphens; the figure's title and
 * description are what a screen reader says, its values become circles of class "mark", each with its text as <title>. VB_EDATA
 * when the figure's text is no whole SVG of gnuplot's.
 *
 * What is taken for granted of that text: a viewBox with double quotes, then a <desc>, and </svg> at the end; ids
 * gnuplot_canvas, gnuplot_plot_N, gpDot and gpPtN; colours as rgb(R,G,B) in decimal, with or without spaces, else black for
 * what has none; hypertext as the number of a value,
 * a <title> in every plot's group, filters in <defs> that nothing here uses. tests/unit/test_svg.c holds the
 * installed gnuplot to it. */
int vb_svg_inline(const vb_figure *figure, const char *name, vb_strbuf *out, vb_error *err);

#endif
