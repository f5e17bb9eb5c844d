/* Percent escapes, as in addresses of the web, that are never ambiguous. */
#include "shards/files/file_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/digest.h"

/* Characters of other scripts that show: neither controls nor spaces, nor what turns or hides the text around it. */
static bool shows(uint32_t c) {
    return c > 0xa0 && c != 0xad && c != 0x61c && c != 0x1680 && c != 0x180e && !(c >= 0x2000 && c <= 0x200f) &&
           !(c >= 0x2028 && c <= 0x202f) && !(c >= 0x205f && c <= 0x206f) && c != 0x3000 && !(c >= 0xd800 && c <= 0xf8ff) &&
           c != 0xfeff && !(c >= 0xfff0 && c <= 0xffff) && c < 0xe0000;
}

static bool is_plain(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._@+=,", c));
}

/* Appends the name to `out`, which has three bytes for each of its own; the new end. */
static char *escape(char *out, const char *name, bool first) {
    const size_t size = strlen(name);
    for (size_t i = 0; i < size;) {
        const unsigned char c = (unsigned char)name[i];
        uint32_t code;
        const int length = vb_utf8_next((const uint8_t *)name + i, size - i, &code);
        bool kept = c < 0x80 ? is_plain(c) : length > 0 && shows(code);
        if (c == '-') kept = !first || (i && name[i + 1] && name[i + 1] != '-');
        if (c == '.' && first && !i) kept = false;
        const size_t n = kept ? (size_t)length : 1;
        if (kept) memcpy(out, name + i, n);
        else sprintf(out, "%%%02X", c);
        out += kept ? n : 3;
        i += n;
    }
    *out = 0;
    return out;
}

/* Cuts a name that is too long, between characters and escapes, and ends it in the digest. */
static int shorten(char *text, const char *first, const char *second, vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, first);
    vb_digest_add_text(digester, second);
    const vb_digest digest = vb_digest_finish(digester);
    size_t n = vb_utf8_cut(text, VB_FILE_NAME_BYTES - 2 - strlen(digest.hex));
    for (size_t back = 1; back <= 2 && back <= n; back++)
        if (text[n - back] == '%') n -= back;
    sprintf(text + n, "%%=%s", digest.hex);
    return 0;
}

char *vb_file_name_of_pair(const char *first, const char *second, vb_error *err) {
    char *text = vb_array(3 * (strlen(first) + strlen(second)) + 3 + VB_FILE_NAME_BYTES, 1, "a file name", err);
    if (!text) return NULL;
    char *end = escape(text, first, true);
    *end++ = '-';
    *end++ = '-';
    end = escape(end, second, false);
    if (end - text <= VB_FILE_NAME_BYTES || !shorten(text, first, second, err)) return text;
    vb_free(text);
    return NULL;
}
