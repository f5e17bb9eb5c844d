/* Escapes of Python literals, decoded. */
#include "shards/weights/pickle_text.h"

/* -1 when fewer than `count` hexadecimal digits stand at `text`. */
static int64_t hex(const char *text, const char *end, int count) {
    int64_t number = 0;
    if (end - text < count) return -1;
    for (int i = 0; i < count; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0) return -1;
        number = number << 4 | digit;
    }
    return number;
}

static char *put_utf8(char *out, int64_t code) {
    if (code < 0x80) *out++ = (char)code;
    else if (code < 0x800) *out++ = (char)(0xc0 | code >> 6);
    else if (code < 0x10000) *out++ = (char)(0xe0 | code >> 12);
    else *out++ = (char)(0xf0 | code >> 18);
    if (code >= 0x10000) *out++ = (char)(0x80 | (code >> 12 & 63));
    if (code >= 0x800) *out++ = (char)(0x80 | (code >> 6 & 63));
    if (code >= 0x80) *out++ = (char)(0x80 | (code & 63));
    return out;
}

int64_t vb_pickle_text_raw_unicode_escape(const char *text, size_t size, char *out) {
    char *start = out;
    for (const char *c = text, *end = text + size; c < end;) {
        int digits = end - c > 1 && *c == '\\' ? (c[1] == 'u' ? 4 : c[1] == 'U' ? 8 : 0) : 0;
        int64_t code = digits ? hex(c + 2, end, digits) : (unsigned char)*c;
        if (code < 0 || code > 0x10ffff) return -1;
        out = put_utf8(out, code);
        c += digits ? digits + 2 : 1;
    }
    return out - start;
}

int64_t vb_pickle_text_unquote(const char *text, size_t size, char *out) {
    static const char codes[] = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v"; /* escape, meaning, escape, meaning, ... */
    if (size < 2 || (text[0] != '\'' && text[0] != '"') || text[size - 1] != text[0]) return -1;
    char *start = out;
    for (const char *c = text + 1, *end = text + size - 1; c < end; c++) {
        if (*c != '\\') {
            *out++ = *c;
            continue;
        }
        if (++c == end) return -1;
        const char *code = codes;
        while (*code && *code != *c) code += 2;
        if (*code) *out++ = code[1];
        else if (*c == 'x') {
            int64_t byte = hex(c + 1, end, 2);
            if (byte < 0) return -1;
            *out++ = (char)byte;
            c += 2;
        } else if (*c >= '0' && *c <= '7') {
            int byte = 0;
            for (int i = 0; i < 3 && c < end && *c >= '0' && *c <= '7'; i++) byte = byte << 3 | (*c++ - '0');
            *out++ = (char)byte;
            c--;
        } else { /* as Python: the backslash stays */
            *out++ = '\\';
            *out++ = *c;
        }
    }
    return out - start;
}
