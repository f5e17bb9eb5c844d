/* Repair of mojibake: UTF-8 that was decoded as a single-byte encoding, found and undone as ftfy 6.3.1's fix_encoding does. */
#ifndef VB_MOJIBAKE_H
#define VB_MOJIBAKE_H

#include "kernels/text/codepoints.h"

/* Repairs the text in place; text that does not look broken stays. Sources: the documented heuristic of ftfy 6.3.1 (Robyn Speer,
 * Apache License 2.0): classes of characters, unlikely sequences of them, and the encodings that are tried in order.
 * Thread-safe. */
int vb_mojibake_fix(vb_codepoints *text, vb_error *err);

/* The character of byte c (0x80 .. 0x9f) in Windows-1252; unassigned bytes keep their number. */
uint32_t vb_mojibake_windows_1252(uint32_t c);

#endif
