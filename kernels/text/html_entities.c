/* HTML character references: HTML5's table, numeric references with their corrections, and ftfy's capitals. */
#include "kernels/text/html_entities.h"

#include <string.h>
#include <uchar.h>
#include <utf8proc.h>

#include "kernels/text/html_entities_table.h"
#include "kernels/text/mojibake.h"

enum { LONGEST_TAIL = 32, LONGEST_CLOSED = 24 };

static const struct entity *find_name(const char *name, size_t n) {
    size_t low = 0, high = sizeof entities / sizeof *entities;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(name, entities[middle].name, n);
        if (!order && entities[middle].name[n]) order = -1;
        if (!order) return &entities[middle];
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

static const struct entity *find_bare(const char *name, size_t n) {
    const struct entity *entity = find_name(name, n);
    return entity && entity->bare ? entity : NULL;
}

static int push_entity(vb_codepoints *out, const struct entity *entity, vb_error *err) {
    if (vb_codepoints_push(out, entity->text[0], err)) return -1;
    return entity->text[1] ? vb_codepoints_push(out, entity->text[1], err) : 0;
}

static bool is_ascii_digit(uint32_t c) { return c >= '0' && c <= '9'; }
static bool is_hex(uint32_t c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
static bool is_alnum(uint32_t c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Length of "#123" or "#x1f" at s (0 when there is none) and its value, held at 0x110000 when larger. */
static size_t numeric_reference(const uint32_t *s, size_t n, uint32_t *value) {
    if (n < 2 || s[0] != '#') return 0;
    bool hex = s[1] == 'x' || s[1] == 'X';
    size_t start = hex ? 2 : 1, i = start;
    *value = 0;
    for (; i < n && (hex ? is_hex(s[i]) : is_ascii_digit(s[i])); i++) {
        uint32_t digit = is_ascii_digit(s[i]) ? s[i] - '0' : (s[i] | 32) - 'a' + 10;
        *value = *value * (hex ? 16 : 10) + digit;
        if (*value > 0x110000) *value = 0x110000;
    }
    return i > start ? i : 0;
}

static int push_number(vb_codepoints *out, uint32_t value, vb_error *err) {
    if (!value || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) value = 0xfffd;
    else if (value >= 0x80 && value <= 0x9f) value = vb_mojibake_windows_1252(value);
    else if (value < 9 || value == 0xb || (value > 0xd && value < 0x20) || value == 0x7f ||
             (value >= 0xfdd0 && value <= 0xfdef) || (value & 0xfffe) == 0xfffe)
        return 0;
    return vb_codepoints_push(out, value, err);
}

/* What follows an ampersand at s: writes its meaning to `out` and returns how many code points it took, 0 when it is no
 * reference; -1 on lack of memory. */
static long unescape_one(vb_codepoints *out, const uint32_t *s, size_t n, vb_error *err) {
    uint32_t value;
    size_t length = numeric_reference(s, n, &value);
    if (length) {
        if (push_number(out, value, err)) return -1;
        return (long)(length + (length < n && s[length] == ';'));
    }
    char name[LONGEST_TAIL + 1];
    size_t ascii = 0;
    for (length = 0; length < n && length < LONGEST_TAIL; length++) {
        uint32_t c = s[length];
        if (c == '\t' || c == '\n' || c == '\f' || c == ' ' || c == '<' || c == '&' || c == '#' || c == ';') break;
        if (c >= 0x80 || !c) break; /* such a character ends every name that could be known */
        name[ascii++] = (char)c;
    }
    bool closed = length < n && s[length] == ';';
    const struct entity *entity = closed ? find_name(name, ascii) : NULL;
    if (entity) return push_entity(out, entity, err) ? -1 : (long)ascii + 1;
    for (size_t x = ascii; x >= 2 && !entity; x--)
        if ((entity = find_bare(name, x))) length = x;
    if (!entity) return 0;
    return push_entity(out, entity, err) ? -1 : (long)length;
}

/* Python's upper() of an entity's text. */
static int push_upper(vb_codepoints *out, uint32_t c, vb_error *err) {
    static const struct {
        uint32_t c;
        char32_t upper[4];
    } several[] = {{0xdf, U"SS"},   {0x149, U"\u02bcN"}, {0xfb00, U"FF"}, {0xfb01, U"FI"},
                   {0xfb02, U"FL"}, {0xfb03, U"FFI"},    {0xfb04, U"FFL"}};
    for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
        if (several[i].c != c) continue;
        for (const char32_t *u = several[i].upper; *u; u++)
            if (vb_codepoints_push(out, *u, err)) return -1;
        return 0;
    }
    return vb_codepoints_push(out, (uint32_t)utf8proc_toupper((utf8proc_int32_t)c), err);
}

/* The same by ftfy's rules. */
static long unescape_one_closed(vb_codepoints *out, const uint32_t *s, size_t n, vb_error *err) {
    size_t hash = n && s[0] == '#', length = hash;
    char name[LONGEST_CLOSED + 1], lower[LONGEST_CLOSED + 1];
    bool capitals = true;
    for (; length < n && length - hash < LONGEST_CLOSED && is_alnum(s[length]); length++) {
        name[length - hash] = (char)s[length];
        lower[length - hash] = (char)(s[length] >= 'A' && s[length] <= 'Z' ? s[length] + 32 : s[length]);
        capitals = capitals && !(s[length] >= 'a' && s[length] <= 'z');
    }
    if (length == hash || length == n || s[length] != ';') return 0;
    if (hash) {
        uint32_t value;
        if (numeric_reference(s, length, &value) != length || value == ';') return 0;
        return push_number(out, value, err) ? -1 : (long)length + 1;
    }
    const struct entity *entity = find_name(name, length);
    if (entity) return push_entity(out, entity, err) ? -1 : (long)length + 1;
    if (!capitals) return 0;
    for (size_t x = 2; x <= length; x++)
        if (find_bare(name, x)) return 0;
    if (!(entity = find_name(lower, length))) return 0;
    for (int i = 0; i < 2 && entity->text[i]; i++)
        if (push_upper(out, entity->text[i], err)) return -1;
    return (long)length + 1;
}

typedef long unescape_function(vb_codepoints *, const uint32_t *, size_t, vb_error *);

static int unescape_all(vb_codepoints *text, unescape_function *unescape, vb_error *err) {
    vb_codepoints out = {0};
    size_t i = 0;
    int status = -1;
    while (i < text->count && text->items[i] != '&') i++;
    if (i == text->count) return 0;
    if (vb_codepoints_append(&out, text->items, i, err)) goto done;
    while (i < text->count) {
        long taken = 0;
        if (text->items[i] == '&') taken = unescape(&out, text->items + i + 1, text->count - i - 1, err);
        if (taken < 0 || (!taken && vb_codepoints_push(&out, text->items[i], err))) goto done;
        i += 1 + (size_t)taken;
    }
    vb_codepoints_swap(text, &out);
    status = 0;
done:
    vb_codepoints_free(&out);
    return status;
}

int vb_html_entities_unescape(vb_codepoints *text, vb_error *err) { return unescape_all(text, unescape_one, err); }
int vb_html_entities_unescape_closed(vb_codepoints *text, vb_error *err) { return unescape_all(text, unescape_one_closed, err); }

/* How many references in a row, the first at s[0] = '&', stand for an ampersand: "&amp;#38;lt;" has two, and each round of
 * decoding takes one. *end is behind the last, *more whether a reference to something else follows it. -1 on lack of memory. */
static int64_t count_levels(const uint32_t *s, size_t n, vb_codepoints *scratch, size_t *end, bool *more, vb_error *err) {
    int64_t levels = 0;
    for (*end = 1;; levels++) {
        scratch->count = 0;
        long length = unescape_one_closed(scratch, s + *end, n - *end, err);
        if (length < 0) return -1;
        *more = length > 0;
        if (!length || scratch->count != 1 || scratch->items[0] != '&') return levels;
        *end += (size_t)length;
    }
}

int vb_html_entities_skip_levels(vb_codepoints *text, vb_error *err) {
    enum { KEPT = 2 };
    vb_codepoints scratch = {0};
    int64_t least = INT64_MAX, levels = 0;
    size_t end;
    bool more;
    for (size_t i = 0; i < text->count && levels >= 0; i++) {
        if (text->items[i] != '&') continue;
        levels = count_levels(text->items + i, text->count - i, &scratch, &end, &more, err);
        if ((levels || more) && levels < least) least = levels;
        i += end - 1;
    }
    size_t kept = 0;
    for (size_t i = 0; i < text->count && levels >= 0 && least > KEPT && least < INT64_MAX; i++) {
        text->items[kept++] = text->items[i];
        if (text->items[i] != '&') continue;
        for (int64_t skipped = 0; skipped < least - KEPT; skipped++) {
            scratch.count = 0;
            long length = unescape_one_closed(&scratch, text->items + i + 1, text->count - i - 1, err);
            if (length < 0) levels = -1;
            if (length <= 0 || scratch.count != 1 || scratch.items[0] != '&') break; /* no reference */
            i += (size_t)length;
        }
    }
    if (kept) text->count = kept;
    vb_codepoints_free(&scratch);
    return levels < 0 ? -1 : 0;
}
