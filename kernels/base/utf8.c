/* UTF-8: strict decoding, encoding, and what follows from where a character begins. */
#include "kernels/base/utf8.h"

#include <assert.h>

int vb_utf8_next(const uint8_t *bytes, size_t n, uint32_t *c) {
    assert(n >= 1);
    uint8_t lead = bytes[0];
    if (lead < 0x80) {
        *c = lead;
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) return -1;
    int length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    /* The second byte alone decides about overlong forms, surrogates and the upper end. */
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80, high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    uint32_t value = lead & (0xffu >> (length + 1));
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= n || bytes[i] < low || bytes[i] > high) return -i;
        value = value << 6 | (bytes[i] & 0x3f);
        low = 0x80;
        high = 0xbf;
    }
    *c = value;
    return length;
}

int vb_utf8_put(uint32_t c, char *out) {
    assert(c <= 0x10ffff);
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(0xf00u >> length | c);
    return length;
}

bool vb_utf8_is_text(const char *text, size_t n, size_t *bad) {
    size_t i = 0;
    for (int length = 1; i < n; i += (size_t)length) {
        uint32_t c;
        length = vb_utf8_next((const uint8_t *)text + i, n - i, &c);
        if (length < 0 || !c) break;
    }
    if (bad) *bad = i;
    return i >= n;
}

size_t vb_utf8_count(const char *text) {
    size_t count = 0;
    for (; *text; text++) count += vb_utf8_begins(*text);
    return count;
}

size_t vb_utf8_cut(const char *text, size_t most) {
    size_t n = 0;
    while (n < most && text[n]) n++;
    while (n && !vb_utf8_begins(text[n])) n--;
    return n;
}

/* Terminals obey the controls from U+0080 on, too; U+2028 and U+2029 end lines and paragraphs, those behind them, and U+2066 to
 * U+2069, turn the text that follows. */
static bool is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

const char *vb_utf8_find_control(const char *text) {
    uint32_t c;
    for (int n; *text; text += n) {
        n = vb_utf8_next((const uint8_t *)text, 4, &c); /* ends at the NUL, which continues no sequence */
        if (n < 0 || is_control(c)) return text;
    }
    return NULL;
}

void vb_utf8_one_line(char *text) {
    for (char *at; (at = (char *)(uintptr_t)vb_utf8_find_control(text)); text = at) *at = '?';
}
