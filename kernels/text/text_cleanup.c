/* The clean-up of texts: ftfy's repairs line by line, HTML references twice, white space, lower case. */
#include "kernels/text/text_cleanup.h"

#include <uchar.h>
#include <utf8proc.h>

#include "kernels/text/html_entities.h"
#include "kernels/base/memory.h"
#include "kernels/text/mojibake.h"
#include "kernels/text/unicode.h"

enum { LONGEST_SEGMENT = 1000000 }; /* ftfy's max_decode_length, in code points */

/* ---- ftfy's repairs of single characters ---- */

/* Latin ligatures and digraphs that stand for typography or an old encoding, not for a letter of a language. */
static const char32_t *ligature(uint32_t c) {
    switch (c) {
    case 0x132: return U"IJ";
    case 0x133: return U"ij";
    case 0x149: return U"\u02bcn";
    case 0x1c4: return U"D\u017d";
    case 0x1c5: return U"D\u017e";
    case 0x1c6: return U"d\u017e";
    case 0x1c7: return U"LJ";
    case 0x1c8: return U"Lj";
    case 0x1c9: return U"lj";
    case 0x1ca: return U"NJ";
    case 0x1cb: return U"Nj";
    case 0x1cc: return U"nj";
    case 0x1f1: return U"DZ";
    case 0x1f2: return U"Dz";
    case 0x1f3: return U"dz";
    case 0xfb00: return U"ff";
    case 0xfb01: return U"fi";
    case 0xfb02: return U"fl";
    case 0xfb03: return U"ffi";
    case 0xfb04: return U"ffl";
    case 0xfb05: return U"\u017ft";
    case 0xfb06: return U"st";
    default: return NULL;
    }
}

static int push_uncurled(vb_codepoints *out, uint32_t c, vb_error *err) {
    if (c == 0x2bc || (c >= 0x2018 && c <= 0x201b)) c = '\'';
    else if (c >= 0x201c && c <= 0x201f) c = '"';
    return vb_codepoints_push(out, c, err);
}

/* C1 controls are Windows-1252; ligatures, full and half width, quotes: in ftfy's order, each step seeing what the one before it
 * made. */
static int push_repaired(vb_codepoints *out, uint32_t c, vb_error *err) {
    if (c >= 0x80 && c <= 0x9f) c = vb_mojibake_windows_1252(c);
    const char32_t *letters = ligature(c);
    if (letters) {
        for (; *letters; letters++)
            if (push_uncurled(out, *letters, err)) return -1;
        return 0;
    }
    if (c == 0x3000) c = ' ';
    if (c < 0xff01 || c > 0xffef) return push_uncurled(out, c, err);
    utf8proc_int32_t parts[8];
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, parts, 8, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, NULL);
    if (n < 0 || n > 8) return vb_errorf(err, VB_EINTERNAL, "no standard width of U+%04X", (unsigned)c);
    for (utf8proc_ssize_t k = 0; k < n; k++)
        if (push_uncurled(out, (uint32_t)parts[k], err)) return -1;
    return 0;
}

/* ---- ftfy's repairs of line breaks, terminal escapes and control characters ---- */

static bool is_control(uint32_t c) {
    return c < 9 || c == 0xb || (c >= 0xe && c < 0x20) || c == 0x7f || (c >= 0x206a && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffc);
}

/* Length of "ESC [ digits and semicolons, letter" at i, or 0. */
static size_t terminal_escape(const vb_codepoints *text, size_t i) {
    size_t k = i + 2;
    if (text->items[i] != 0x1b || k >= text->count || text->items[i + 1] != '[') return 0;
    while (k < text->count && (text->items[k] == ';' || vb_unicode_is_decimal(text->items[k]))) k++;
    if (k == text->count) return 0;
    uint32_t last = text->items[k] | 32;
    return last >= 'a' && last <= 'z' ? k + 1 - i : 0;
}

static void remove_controls(vb_codepoints *text) {
    size_t kept = 0;
    for (size_t i = 0; i < text->count; i++) {
        uint32_t c = text->items[i];
        if (c == '\r' && i + 1 < text->count && text->items[i + 1] == '\n') continue;
        size_t escape = terminal_escape(text, i);
        if (escape) {
            i += escape - 1;
            continue;
        }
        if (c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85) c = '\n';
        if (!is_control(c)) text->items[kept++] = c;
    }
    text->count = kept;
}

/* ---- ftfy's fix_text ---- */

static int fix_segment(vb_codepoints *text, bool unescape, vb_error *err) {
    int status = -1;
    vb_codepoints before = {0}, decoded = {0}, out = {0};
    bool rest_stands = false; /* in the round before, nothing but references changed */
    do {
        before.count = decoded.count = out.count = 0;
        if (vb_codepoints_append(&before, text->items, text->count, err)) goto done;
        if (unescape && rest_stands && vb_html_entities_skip_levels(text, err)) goto done;
        if (unescape && vb_html_entities_unescape_closed(text, err)) goto done;
        if (vb_codepoints_append(&decoded, text->items, text->count, err)) goto done;
        if (vb_mojibake_fix(text, err)) goto done;
        for (size_t i = 0; i < text->count; i++)
            if (push_repaired(&out, text->items[i], err)) goto done;
        vb_codepoints_swap(text, &out);
        remove_controls(text);
        if (vb_unicode_nfc(text, err)) goto done;
        rest_stands = vb_codepoints_equal(&decoded, text);
    } while (!vb_codepoints_equal(&before, text));
    status = 0;
done:
    vb_codepoints_free(&before);
    vb_codepoints_free(&decoded);
    vb_codepoints_free(&out);
    return status;
}

/* Lines are repaired one by one; from the first that holds a '<' on, references are left to html.unescape. */
static int fix_text(vb_codepoints *text, vb_error *err) {
    int status = -1;
    bool unescape = true;
    vb_codepoints segment = {0}, out = {0};
    for (size_t i = 0; i < text->count;) {
        size_t end = i;
        while (end < text->count && text->items[end] != '\n' && end - i < LONGEST_SEGMENT) end++;
        if (end < text->count && end - i < LONGEST_SEGMENT) end++; /* the line feed belongs to its line */
        segment.count = 0;
        if (vb_codepoints_append(&segment, text->items + i, end - i, err)) goto done;
        for (size_t k = i; k < end; k++)
            if (text->items[k] == '<') unescape = false;
        if (fix_segment(&segment, unescape, err)) goto done;
        if (vb_codepoints_append(&out, segment.items, segment.count, err)) goto done;
        i = end;
    }
    vb_codepoints_swap(text, &out);
    status = 0;
done:
    vb_codepoints_free(&segment);
    vb_codepoints_free(&out);
    return status;
}

/* Runs of white space become one space, none at either end. */
static void clean_spaces(vb_codepoints *text) {
    size_t kept = 0;
    for (size_t i = 0; i < text->count; i++) {
        if (!vb_unicode_is_space(text->items[i])) text->items[kept++] = text->items[i];
        else if (kept && text->items[kept - 1] != ' ') text->items[kept++] = ' ';
    }
    while (kept && text->items[kept - 1] == ' ') kept--;
    text->count = kept;
}

/* Python's string.punctuation. */
static bool is_punctuation(uint32_t c) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

static void remove_punctuation(vb_codepoints *text) {
    size_t kept = 0;
    for (size_t i = 0; i < text->count; i++) {
        if (text->items[i] == '_') text->items[kept++] = ' ';
        else if (!is_punctuation(text->items[i])) text->items[kept++] = text->items[i];
    }
    text->count = kept;
}

/* Printable ASCII without references: nothing to repair, the common case of captions and class names. */
static char *clean_plain(vb_cleaning cleaning, const char *text, size_t n, vb_error *err) {
    const bool lower = cleaning != VB_CLEAN_WHITESPACE, canonical = cleaning == VB_CLEAN_CANONICALIZE;
    char *out = vb_array(n + 1, 1, "text", err);
    if (!out) return NULL;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == ' ' || c == '\t' || c == '\n' || (canonical && c == '_')) {
            if (kept && out[kept - 1] != ' ') out[kept++] = ' ';
        } else if (!canonical || !is_punctuation((uint32_t)c)) {
            out[kept++] = (char)(lower && c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
    }
    while (kept && out[kept - 1] == ' ') kept--;
    out[kept] = 0;
    return out;
}

const char *const vb_text_cleanup_names[] = {"none", "whitespace", "lower", "canonicalize", NULL};

static char *replace_invalid(const char *text, size_t n, vb_error *err) {
    vb_codepoints points = {0};
    char *out = NULL;
    if (!vb_codepoints_from_utf8(&points, text, n, err)) {
        size_t kept = 0;
        for (size_t i = 0; i < points.count; i++)
            if (points.items[i]) points.items[kept++] = points.items[i];
        points.count = kept;
        out = vb_codepoints_to_utf8(&points, err);
    }
    vb_codepoints_free(&points);
    return out;
}

char *vb_text_cleanup_as(vb_cleaning cleaning, const char *text, size_t n, vb_error *err) {
    bool plain = true;
    if (cleaning == VB_CLEAN_NONE) return replace_invalid(text, n, err);
    for (size_t i = 0; i < n && plain; i++)
        plain = (text[i] >= ' ' && text[i] <= '~' && text[i] != '&') || text[i] == '\t' || text[i] == '\n';
    if (plain) return clean_plain(cleaning, text, n, err);

    char *clean = NULL;
    vb_codepoints points = {0};
    if (vb_codepoints_from_utf8(&points, text, n, err) || fix_text(&points, err)) goto done;
    if (vb_html_entities_unescape(&points, err) || vb_html_entities_unescape(&points, err)) goto done;
    if (cleaning == VB_CLEAN_CANONICALIZE) remove_punctuation(&points);
    clean_spaces(&points);
    if (cleaning != VB_CLEAN_WHITESPACE && vb_unicode_lower(&points, err)) goto done;
    clean = vb_codepoints_to_utf8(&points, err);
done:
    vb_codepoints_free(&points);
    return clean;
}
