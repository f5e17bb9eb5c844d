/* Growable arrays of code points; from UTF-8 with maximal-subpart replacement, and back. */
#include "kernels/text/codepoints.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"

int vb_codepoints_reserve(vb_codepoints *text, size_t capacity, vb_error *err) {
    void *items = text->items;
    if (vb_grow(&items, &text->capacity, capacity, sizeof *text->items, "text", err)) return -1;
    text->items = items;
    return 0;
}

int vb_codepoints_append(vb_codepoints *text, const uint32_t *items, size_t count, vb_error *err) {
    if (!count) return 0;
    if (vb_codepoints_reserve(text, text->count + count, err)) return -1;
    memcpy(text->items + text->count, items, count * sizeof *items);
    text->count += count;
    return 0;
}

bool vb_codepoints_equal(const vb_codepoints *a, const vb_codepoints *b) {
    return a->count == b->count && (!a->count || !memcmp(a->items, b->items, a->count * sizeof *a->items));
}

void vb_codepoints_free(vb_codepoints *text) {
    vb_free(text->items);
    *text = (vb_codepoints){0};
}

int vb_codepoints_from_utf8(vb_codepoints *text, const char *bytes, size_t n, vb_error *err) {
    if (vb_codepoints_reserve(text, text->count + n, err)) return -1;
    for (size_t i = 0; i < n;) {
        uint32_t c;
        int length = vb_utf8_next((const uint8_t *)bytes + i, n - i, &c);
        text->items[text->count++] = length > 0 ? c : 0xfffd;
        i += (size_t)(length > 0 ? length : -length);
    }
    return 0;
}

char *vb_codepoints_to_utf8(const vb_codepoints *text, vb_error *err) {
    size_t size = 0;
    for (size_t i = 0; i < text->count; i++) {
        uint32_t c = text->items[i];
        size += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    char *out = vb_array(size + 1, 1, "text", err);
    if (!out) return NULL;
    size_t at = 0;
    for (size_t i = 0; i < text->count; i++) at += (size_t)vb_utf8_put(text->items[i], out + at);
    return out;
}
