/* Growing text and its escapes. */
#include "mpi/base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/writer.h"

static bool make_room(vb_strbuf *text, size_t n) {
    vb_error ignored; /* vb_strbuf_end says it again */
    if (!text->failed && vb_grow((void **)&text->bytes, &text->capacity, text->filled + n + 1, 1, "text", &ignored))
        text->failed = true;
    return !text->failed;
}

void vb_strbuf_add_n(vb_strbuf *text, const char *piece, size_t n) {
    if (!make_room(text, n)) return;
    memcpy(text->bytes + text->filled, piece, n);
    text->filled += n;
    text->bytes[text->filled] = 0;
}

void vb_strbuf_add(vb_strbuf *text, const char *piece) { vb_strbuf_add_n(text, piece, strlen(piece)); }

void vb_strbuf_format(vb_strbuf *text, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0) text->failed = true;
    else if (make_room(text, (size_t)n)) {
        vsnprintf(text->bytes + text->filled, (size_t)n + 1, format, again);
        text->filled += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void vb_strbuf_add_html(vb_strbuf *text, const char *piece) {
    for (const char *at = piece; *at; at++) switch (*at) {
        case '&': vb_strbuf_add(text, "&amp;"); break;
        case '<': vb_strbuf_add(text, "&lt;"); break;
        case '>': vb_strbuf_add(text, "&gt;"); break;
        case '"': vb_strbuf_add(text, "&quot;"); break;
        case '\'': vb_strbuf_add(text, "&#39;"); break;
        default:
            if (((unsigned char)*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f) vb_strbuf_add(text, "\xef\xbf\xbd");
            else vb_strbuf_add_n(text, at, 1);
        }
}

void vb_strbuf_add_csv(vb_strbuf *text, const char *piece) {
    vb_strbuf_add(text, "\"");
    if (*piece && strchr("=+-@", *piece)) vb_strbuf_add(text, "'"); /* to a spreadsheet it would be a formula */
    for (const char *at = piece; *at; at++)
        if (*at == '"') vb_strbuf_add(text, "\"\"");
        else vb_strbuf_add_n(text, (unsigned char)*at < 0x20 ? " " : at, 1);
    vb_strbuf_add(text, "\"");
}

/* What pdflatex can set of a character beyond ASCII: itself where inputenc's tables and T1 fonts have it, mathematics for the
 * signs of ours, else the character's number, which says what is missing instead of stopping the compiler. */
static void add_latex_character(vb_strbuf *text, const char *bytes, size_t n, uint32_t c) {
    static const struct {
        uint32_t c;
        const char *command;
    } signs[] = {{0x2212, "$-$"},       {0x2264, "$\\leq$"}, {0x2265, "$\\geq$"},
                 {0x3bb, "$\\lambda$"}, {0xb1, "$\\pm$"},    {0xd7, "$\\times$"}};
    static const uint32_t latin_without[] = {0x126, 0x127, 0x138, 0x13f, 0x140, 0x149, 0x166, 0x167, 0x17f},
                          others[] = {0x2013, 0x2014, 0x2018, 0x2019, 0x201a, 0x201c, 0x201d, 0x201e, 0x2020,
                                      0x2021, 0x2022, 0x2026, 0x20ac, 0x2122, 0x2190, 0x2191, 0x2192, 0x2193};
    bool set = c >= 0xa0 && c < 0x180;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].c == c) {
            vb_strbuf_add(text, signs[i].command);
            return;
        }
    for (size_t i = 0; i < sizeof latin_without / sizeof *latin_without; i++) set = set && latin_without[i] != c;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) set = set || others[i] == c;
    if (set) vb_strbuf_add_n(text, bytes, n);
    else vb_strbuf_format(text, "\\texttt{U+%04X}", (unsigned)c);
}

void vb_strbuf_add_latex_n(vb_strbuf *text, const char *piece, size_t n) {
    for (size_t i = 0; i < n;) {
        const char *at = piece + i;
        uint32_t c = 0xfffd;
        int length = 1;
        if ((unsigned char)*at >= 0x80) {
            length = vb_utf8_next((const uint8_t *)at, n - i, &c);
            if (length < 1) length = 1, c = 0xfffd;
            add_latex_character(text, at, (size_t)length, c);
        } else if (*at == '\\') vb_strbuf_add(text, "\\textbackslash{}");
        else if (*at == '~') vb_strbuf_add(text, "\\textasciitilde{}");
        else if (*at == '^') vb_strbuf_add(text, "\\textasciicircum{}");
        else {
            if (strchr("_&%#${}", *at)) vb_strbuf_add(text, "\\");
            vb_strbuf_add_n(text, (unsigned char)*at < 0x20 ? " " : at, 1);
        }
        i += (size_t)length;
    }
}

void vb_strbuf_add_base64(vb_strbuf *text, const void *bytes, size_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t three = (uint32_t)at[i] << 16 | (i + 1 < n ? (uint32_t)at[i + 1] << 8 : 0) | (i + 2 < n ? at[i + 2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63], i + 1 < n ? digits[three >> 6 & 63] : '=',
                        i + 2 < n ? digits[three & 63] : '='};
        vb_strbuf_add_n(text, four, 4);
    }
}

int vb_strbuf_end(const vb_strbuf *text, const char *what, vb_error *err) {
    return text->failed ? vb_errorf(err, VB_EMEMORY, "no memory for %s", what) : 0;
}

int vb_strbuf_write(const vb_strbuf *text, const char *path, vb_error *err) {
    if (vb_strbuf_end(text, path, err)) return -1;
    return vb_writer_write_whole(path, text->bytes ? text->bytes : "", text->filled, err);
}

void vb_strbuf_free(vb_strbuf *text) {
    vb_free(text->bytes);
    *text = (vb_strbuf){0};
}
