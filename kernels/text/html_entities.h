/* HTML character references decoded as Python's html.unescape does, and as ftfy does. */
#ifndef VB_HTML_ENTITIES_H
#define VB_HTML_ENTITIES_H

#include "kernels/text/codepoints.h"

/* Python's html.unescape (HTML5): names with and without semicolon, the longest known beginning of an unknown name, decimal and
 * hexadecimal references, Windows-1252 for 128 .. 159, U+FFFD for 0, surrogates and beyond U+10FFFF, nothing for noncharacters
 * and controls. */
int vb_html_entities_unescape(vb_codepoints *text, vb_error *err);

/* ftfy 6.3's narrower unescape_html: only references that end in a semicolon and have 1 to 24 letters and digits, and names
 * written in capitals ("&EACUTE;") where HTML5 gives those no meaning; "&#59;" stays. */
int vb_html_entities_unescape_closed(vb_codepoints *text, vb_error *err);

/* References nested in references ("&amp;amp;amp;lt;"), from each of which a round of vb_html_entities_unescape_closed takes one
 * level: the rounds that would do nothing else, but for the last two, at once. Decoding to the end then takes as many rounds as
 * there are different depths, not as the deepest has levels. The text is not to be used after a failure. */
int vb_html_entities_skip_levels(vb_codepoints *text, vb_error *err);

#endif
