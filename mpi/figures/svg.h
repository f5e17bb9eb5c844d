/* gnuplot's SVG made fit for a page: titled, free of ids that clash, in the page's colours. Pure functions of the text. */
#ifndef VB_SVG_H
#define VB_SVG_H

#include "mpi/base/strbuf.h"

/* Appends the <svg> element. `svg` is what gnuplot's svg terminal wrote; `name` is unique on the page and made of letters, digits
 * and hyphens; title and description are what a screen reader says. VB_EDATA when the text is no whole SVG of gnuplot's. */
int vb_svg_inline(const char *svg, const char *name, const char *title, const char *description, vb_strbuf *out, vb_error *err);

#endif
