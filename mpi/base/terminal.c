/* Words on lines. */
#include "mpi/base/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int vb_terminal_width(void) {
    const char *stated = getenv("COLUMNS");
    char *end;
    const long columns = stated ? strtol(stated, &end, 10) : 0;
    struct winsize size;
    if (stated && *stated && !*end && columns >= 20 && columns <= 1000) return (int)columns;
    if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 20) return size.ws_col;
    return VB_TERMINAL_WIDE;
}

static int columns_of(const char *text, size_t n) {
    int columns = 0;
    for (size_t i = 0; i < n; i++) columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

/* How much of a word that is longer than a line goes onto this one: up to a '|' or ',', else all. */
static size_t piece_of(const char *word, size_t n, int room) {
    size_t best = 0;
    for (size_t i = 0; i < n && columns_of(word, i + 1) <= room; i++)
        if (word[i] == '|' || word[i] == ',') best = i + 1;
    return best ? best : strcspn(word, "|,") + 1 < n ? strcspn(word, "|,") + 1 : n;
}

void vb_terminal_wrap(const char *text, int column, int indent, int width) {
    bool fresh = true; /* nothing of the text stands on this line yet */
    for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
        size_t n = strcspn(text, " \n");
        while (n) {
            size_t now = n;
            int columns = columns_of(text, n);
            if (!fresh && column + 1 + columns > width) {
                printf("\n%*s", indent, "");
                column = indent;
                fresh = true;
            }
            if (fresh && column + columns > width) now = piece_of(text, n, width - column);
            column += (!fresh) + columns_of(text, now);
            printf("%s%.*s", fresh ? "" : " ", (int)now, text);
            fresh = false;
            text += now;
            n -= now;
            if (n) { /* the rest of the word begins a line */
                printf("\n%*s", indent, "");
                column = indent;
                fresh = true;
            }
        }
    }
    printf("\n");
}

int vb_terminal_indent(int names, int width) { return width < 2 * names + 20 ? 6 : names; }

void vb_terminal_row(const char *name, const char *text, int indent, int width) {
    printf("  ");
    const int end = 2 + columns_of(name, strlen(name));
    if (end > width) vb_terminal_wrap(name, 2, 4, width);
    else printf("%s", name);
    if (end + 1 <= indent) printf("%*s", indent - end, "");
    else if (end > width) printf("%*s", indent, "");
    else if (width < VB_TERMINAL_WIDE) printf("\n%*s", indent, "");
    else { /* a thing a line */ printf(" ");
        vb_terminal_wrap(text, end + 1, indent, width);
        return;
    }
    vb_terminal_wrap(text, indent, indent, width);
}
