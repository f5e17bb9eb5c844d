/* Text for people at a terminal: its width, and lines broken between words. */
#ifndef VB_TERMINAL_H
#define VB_TERMINAL_H

#include <stdbool.h>

/* Columns of the standard output: $COLUMNS where that is a number from 20 to 1000, else the terminal's; VB_TERMINAL_WIDE where
 * it is none, so that what is piped into a program keeps a thing a line. */
enum { VB_TERMINAL_WIDE = 1 << 20 };
int vb_terminal_width(void);

/* Prints words of `text` to the standard output, with a line's end at the end; lines are at most `width` columns where words
 * allow, and further ones begin at column `indent`. `column`: where the first one stands. Longer words are broken behind '|'
 * and ','. A line's end in the text is a blank. ASCII is counted right, other characters by their bytes but for those that
 * continue one. */
void vb_terminal_wrap(const char *text, int column, int indent, int width);

/* Where the text of a list begins whose names take about `names` columns: behind them, or on narrow terminals near the left
 * edge. */
int vb_terminal_indent(int names, int width);
/* A row of such a list: the name at two columns, and the text at `indent`, on a line of its own where the name is too long. */
void vb_terminal_row(const char *name, const char *text, int indent, int width);

#endif
