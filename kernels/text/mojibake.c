/* Mojibake: is a text likely broken, which encoding broke it, and what was it before. */
#include "kernels/text/mojibake.h"

#include <string.h>
#include <uchar.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/text/mojibake_tables.h"
#include "kernels/text/unicode.h"

enum { ENCODINGS = sizeof encodings / sizeof *encodings };

/* Classes beside those of the table: Latin letters, white space and word characters as Python's re has them. */
enum { LATIN = 1 << 19, LATIN_LOWER = 1 << 20, SPACE = 1 << 21, WORD = 1 << 22, NOT_LATIN = 1 << 23, NOT_NEWLINE = 1 << 24 };

enum { ACCENTED = LOWER_ACCENTED | UPPER_ACCENTED, SYMBOLS = BOX | START | END | CURRENCY | NUMERIC | LAW };

/* Sequences that hardly occur in text that is whole. A place is taken by a character of its classes or by one of its list. */
#define LONGEST_RULE 7
static const struct place {
    uint32_t classes;
    const char32_t *also;
} rules[][LONGEST_RULE] = {{{C1, 0}},
                           {{BAD | ACCENTED | SYMBOLS, 0}, {BAD, 0}},
                           {{LATIN, 0}, {LOWER_COMMON | UPPER_COMMON, 0}, {BAD, 0}},
                           {{BAD, 0}, {ACCENTED | SYMBOLS, 0}},
                           {{LOWER_ACCENTED | LOWER_COMMON | BOX | END | CURRENCY | NUMERIC, 0}, {UPPER_ACCENTED, 0}},
                           {{BOX | END | CURRENCY | NUMERIC, 0}, {LOWER_ACCENTED, 0}},
                           {{LOWER_ACCENTED | BOX | END, 0}, {CURRENCY, 0}},
                           {{SPACE, 0}, {UPPER_ACCENTED, 0}, {CURRENCY, 0}},
                           {{UPPER_ACCENTED | BOX, 0}, {NUMERIC | LAW, 0}},
                           {{ACCENTED | BOX | CURRENCY | END, 0}, {START, 0}, {NUMERIC, 0}},
                           {{ACCENTED | CURRENCY | NUMERIC | BOX | LAW, 0}, {END, 0}, {START, 0}},
                           {{CURRENCY | NUMERIC | BOX, 0}, {START, 0}},
                           {{LATIN_LOWER, 0}, {UPPER_ACCENTED, 0}, {START | CURRENCY, 0}},
                           {{BOX, 0}, {KAOMOJI, 0}},
                           {{ACCENTED | CURRENCY | NUMERIC | START | END | LAW, 0}, {BOX, 0}},
                           {{BOX, 0}, {END, 0}},
                           {{ACCENTED, 0}, {START | END, 0}, {WORD, 0}},
                           {{0, U"Œœ"}, {NOT_LATIN, 0}},
                           {{UPPER_ACCENTED, 0}, {0, U"°"}},
                           /* Windows-1252 */
                           {{0, U"ÂÃÎÐ"}, {START | END, U"€œŠš¢£Ÿž\u00a0\u00ad®©°·»–—´"}},
                           {{0, U"×"}, {0, U"²³"}},
                           {{0, U"ØÙ"},
                            {COMMON | CURRENCY | BAD | NUMERIC | START, U"ŸŠ®°µ»"},
                            {0, U"ØÙ"},
                            {COMMON | CURRENCY | BAD | NUMERIC | START, U"ŸŠ®°µ»"}},
                           {{0, U"à"}, {0, U"²µ¹¼½¾"}},
                           /* MacRoman */
                           {{0, U"√"}, {0, U"±∂†≠®™´≤≥¥µø"}},
                           {{0, U"≈"}, {0, U"°¢"}},
                           {{0, U"‚"}, {0, U"Ä"}, {0, U"ìîïòôúùû†°¢π"}},
                           {{0, U"‚"}, {0, U"âó"}, {0, U"àä°ê"}},
                           /* Windows-1251 */
                           {{0, U"в"}, {0, U"Ђ"}},
                           {{0, U"ВГРС"}, {C1 | BAD | START | END | CURRENCY, U"°µ"}, {0, U"ВГРС"}},
                           {{0, U"Г"}, {0, U"ў"}, {0, U"В"}, {0, U"Ђ"}, {0, U"В"}, {NOT_NEWLINE, 0}, {LATIN, U" "}},
                           /* Windows-1252 again, where a space may stand for a byte */
                           {{0, U"Ã"}, {0, U"\u00a0¡"}},
                           {{LATIN_LOWER, 0}, {0, U"ÃÂ"}, {0, U" "}},
                           {{LATIN_LOWER, 0}, {SPACE, 0}, {0, U"ÃÂ"}, {0, U" "}},
                           {{LATIN_LOWER | END, U".,?!"}, {0, U"Â"}, {START | END, U" "}},
                           /* Windows-1253 and Windows-1257 */
                           {{0, U"β"}, {0, U"€"}, {0, U"™\u00a0Ά\u00ad®°"}},
                           {{0, U"ΒΓΞΟ"}, {C1 | BAD | START | END | CURRENCY, U"°"}, {0, U"ΒΓΞΟ"}},
                           {{0, U"ā"}, {0, U"€"}}};

static uint32_t classes_of(uint32_t c) {
    uint32_t classes = NOT_NEWLINE | NOT_LATIN;
    if (c < 0x80) {
        if (c == '\n') classes = NOT_LATIN;
        if (c >= 'a' && c <= 'z') classes = NOT_NEWLINE | LATIN | LATIN_LOWER;
        if (c >= 'A' && c <= 'Z') classes = NOT_NEWLINE | LATIN;
        if (c == ' ') classes |= CONTINUATION;
    } else {
        size_t low = 0, high = sizeof character_classes / sizeof *character_classes;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (c > character_classes[middle].last) low = middle + 1;
            else high = middle;
        }
        if (low < sizeof character_classes / sizeof *character_classes && c >= character_classes[low].first)
            classes |= character_classes[low].classes;
    }
    if (vb_unicode_is_space(c)) classes |= SPACE;
    if (vb_unicode_is_word(c)) classes |= WORD;
    return classes;
}

static bool in_list(uint32_t c, const char32_t *list) {
    while (list && *list)
        if (*list++ == c) return true;
    return false;
}

static bool is_bad(const uint32_t *text, const uint32_t *classes, size_t n) {
    if (n >= 2 && (text[0] == U'Ã' || text[0] == U'Â') && text[1] == ' ') return true;
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
            size_t k = 0;
            while (k < LONGEST_RULE && (rules[r][k].classes || rules[r][k].also) && i + k < n &&
                   ((classes[i + k] & rules[r][k].classes) || in_list(text[i + k], rules[r][k].also)))
                k++;
            if (k == LONGEST_RULE || !(rules[r][k].classes || rules[r][k].also)) return true;
        }
    }
    return false;
}

/* Length of the run of UTF-8 look-alikes at i; none directly behind a character that may continue an earlier one. */
static size_t look_alikes(const uint32_t *classes, size_t i, size_t n) {
    static const uint32_t lead[3] = {FIRST_OF_2, FIRST_OF_3, FIRST_OF_4};
    if (i && (classes[i - 1] & CONTINUATION_STRICT)) return 0;
    size_t end = i;
    while (end < n) {
        size_t found = 0;
        for (size_t more = 1; more <= 3 && !found; more++) {
            if (!(classes[end] & lead[more - 1]) || end + more >= n) continue;
            found = more + 1;
            for (size_t k = 1; k <= more; k++)
                if (!(classes[end + k] & CONTINUATION)) found = 0;
        }
        if (!found) break;
        end += found;
    }
    return end - i;
}

/* ---- single-byte encodings: Latin-1 is -1, the others count from 0 ---- */

uint32_t vb_mojibake_windows_1252(uint32_t c) { return encodings[0].upper[c - 0x80]; }

static bool encode_as(const vb_codepoints *text, int encoding, uint8_t *bytes) {
    for (size_t i = 0; i < text->count; i++) {
        uint32_t c = text->items[i];
        if (encoding < 0) {
            if (c > 0xff) return false;
            bytes[i] = (uint8_t)c;
        } else if (c < 0x80) {
            if (c == 0x1a && encodings[encoding].sloppy) return false;
            bytes[i] = (uint8_t)c;
        } else if (c == 0xfffd && encodings[encoding].sloppy) {
            bytes[i] = 0x1a;
        } else {
            int k = 0;
            while (k < 128 && encodings[encoding].upper[k] != c) k++;
            if (k == 128) return false;
            bytes[i] = (uint8_t)(0x80 + k);
        }
    }
    return true;
}

/* ---- bytes that were altered on their way ---- */

typedef struct byte_string {
    uint8_t *bytes;
    size_t n;
} byte_string;

/* Byte i, or a line feed (which no sequence holds) beyond the end. */
static uint8_t byte_at(const byte_string *s, size_t i) { return i < s->n ? s->bytes[i] : '\n'; }
static bool continues(uint8_t b) { return b >= 0x80 && b <= 0xbf; }
static bool likely(uint8_t b) { return continues(b) && b != 0x85 && b != 0xa0; }

/* Length of a UTF-8 sequence at i whose byte A0 has become a space; *space is where. */
static size_t spaced_sequence(const byte_string *s, size_t i, size_t *space) {
    uint8_t a = byte_at(s, i), b = byte_at(s, i + 1), c = byte_at(s, i + 2), d = byte_at(s, i + 3);
    *space = i + 1;
    if (a == 0xc2 || a == 0xc3 || a == 0xc5 || a == 0xce || a == 0xd0 || a == 0xd9) return b == ' ' ? 2 : 0;
    if (a >= 0xe0 && a <= 0xe3) {
        if (a >= 0xe2 && b == ' ' && likely(c)) return 3;
        *space = i + 2;
        return likely(b) && c == ' ' ? 3 : 0;
    }
    if (a != 0xf0) return 0;
    if (b == ' ') return continues(c) && continues(d) ? 4 : 0;
    *space = c == ' ' ? i + 2 : i + 3;
    if (!continues(b) || (c != ' ' && d != ' ')) return 0;
    return continues(c == ' ' ? d : c) ? 4 : 0;
}

/* "Ã la" means "à la", but Portuguese "Ã s ", "Ã quele" mean "às", "àquele". */
static bool is_a_grave_word(const byte_string *s, size_t i) {
    static const char *const tails[] = {" ", "quele", "quela", "quilo", "s "};
    if (byte_at(s, i) != 0xc3 || byte_at(s, i + 1) != ' ') return false;
    for (size_t t = 0; t < sizeof tails / sizeof *tails; t++) {
        size_t n = strlen(tails[t]);
        if (i + 2 + n <= s->n && !memcmp(s->bytes + i + 2, tails[t], n)) return false;
    }
    return true;
}

static void restore_a0(byte_string *s, byte_string *scratch) {
    size_t space;
    bool found = false;
    for (size_t i = 0; i < s->n && !found; i++) found = spaced_sequence(s, i, &space);
    if (!found) return;
    scratch->n = 0;
    for (size_t i = 0; i < s->n; i++) {
        scratch->bytes[scratch->n++] = s->bytes[i];
        if (is_a_grave_word(s, i)) scratch->bytes[scratch->n++] = 0xa0; /* the space itself follows */
    }
    for (size_t i = 0; i < scratch->n;) {
        size_t length = spaced_sequence(scratch, i, &space);
        if (length) scratch->bytes[space] = 0xa0;
        i += length ? length : 1;
    }
    byte_string swap = *s;
    *s = *scratch;
    *scratch = swap;
}

static bool lost(uint8_t b) { return b == 0x1a || b == '?'; }
static bool kept(uint8_t b) { return b == 0x1a || continues(b); }

/* Length of a UTF-8 or CESU-8 sequence at i with bytes lost to 0x1a or '?', at most one of them to '?'. */
static size_t lossy_sequence(const byte_string *s, size_t i) {
    uint8_t a = byte_at(s, i), b = byte_at(s, i + 1), c = byte_at(s, i + 2), d = byte_at(s, i + 3), e = byte_at(s, i + 4),
            f = byte_at(s, i + 5);
    if (a == 0x1a) return 1;
    if (a >= 0xc2 && a <= 0xdf) return b == 0x1a || (a <= 0xc3 && b == '?') ? 2 : 0;
    if (a == 0xed && b >= 0xa0 && b <= 0xaf && d == 0xed && e >= 0xb0 && e <= 0xbf &&
        ((lost(c) && (lost(f) || continues(f))) || ((lost(c) || continues(c)) && lost(f))))
        return 6;
    if (a >= 0xe0 && a <= 0xef) return (lost(b) && kept(c)) || (kept(b) && lost(c)) ? 3 : 0;
    if (a < 0xf0 || a > 0xf4) return 0;
    return (lost(b) && kept(c) && kept(d)) || (kept(b) && lost(c) && kept(d)) || (kept(b) && kept(c) && lost(d)) ? 4 : 0;
}

static void replace_lost(byte_string *s, byte_string *scratch) {
    scratch->n = 0;
    for (size_t i = 0; i < s->n;) {
        size_t length = lossy_sequence(s, i);
        if (length) {
            memcpy(scratch->bytes + scratch->n, "\xef\xbf\xbd", 3);
            scratch->n += 3;
            i += length;
        } else {
            scratch->bytes[scratch->n++] = s->bytes[i++];
        }
    }
    byte_string swap = *s;
    *s = *scratch;
    *scratch = swap;
}

/* Length of Java's U+0000 (C0 80) or of a CESU-8 pair at i, and its character. A line feed that ends the bytes passes for the
 * last byte of either: so does ftfy's decoder. */
static size_t variant_sequence(const byte_string *s, size_t i, uint32_t *c) {
    const uint8_t *b = s->bytes + i;
    size_t left = s->n - i;
    if (b[0] == 0xc0 && left >= 2 && (b[1] == 0x80 || (b[1] == '\n' && left == 2))) {
        *c = 0;
        return 2;
    }
    if (b[0] != 0xed || left < 6 || b[1] < 0xa0 || b[1] > 0xaf || !continues(b[2]) || b[3] != 0xed || b[4] < 0xb0 ||
        b[4] > 0xbf || !(continues(b[5]) || (b[5] == '\n' && left == 6)))
        return 0;
    *c = 0x10000 + ((uint32_t)(b[1] & 0x0f) << 16 | (uint32_t)(b[2] & 0x3f) << 10 | (uint32_t)(b[4] & 0x0f) << 6 | (b[5] & 0x3f));
    return 6;
}

/* Strict UTF-8 (with the two variants) into `out`: 1 when it decodes, 0 when not, -1 on lack of memory. */
static int decode(const byte_string *s, vb_codepoints *out, vb_error *err) {
    out->count = 0;
    if (vb_codepoints_reserve(out, s->n, err)) return -1;
    for (size_t i = 0; i < s->n;) {
        uint32_t c;
        size_t variant = variant_sequence(s, i, &c);
        int length = variant ? (int)variant : vb_utf8_next(s->bytes + i, s->n - i, &c);
        if (length < 0) return 0;
        out->items[out->count++] = c;
        i += (size_t)length;
    }
    return 1;
}

/* Undoes the first encoding that explains the whole text: 1 when done, 0 when none does, -1 on lack of memory. */
static int undo_encoding(vb_codepoints *text, vb_codepoints *out, vb_error *err) {
    /* A restored A0 adds a byte to two, a lost byte becomes three. */
    size_t capacity = text->count * 5 + 16;
    uint8_t *storage = vb_array(2 * capacity, 1, "text repair", err);
    if (!storage) return -1;
    int done = 0;
    for (int encoding = -1; encoding < ENCODINGS && !done; encoding++) {
        byte_string s = {storage, text->count}, scratch = {storage + capacity, 0};
        if (!encode_as(text, encoding, s.bytes)) continue;
        if (encoding < 0 || encodings[encoding].spaces_restored) restore_a0(&s, &scratch);
        if (encoding >= 0 && encodings[encoding].sloppy) replace_lost(&s, &scratch);
        done = decode(&s, out, err);
    }
    if (done > 0) vb_codepoints_swap(text, out);
    vb_free(storage);
    return done;
}

static int fix_within(vb_codepoints *text, const uint32_t *classes, vb_codepoints *out, vb_error *err);

/* One step; *text is unchanged when there is nothing left to do. */
static int fix_step(vb_codepoints *text, vb_error *err) {
    bool ascii = true;
    for (size_t i = 0; i < text->count && ascii; i++) ascii = text->items[i] < 0x80;
    if (ascii) return 0;
    int status = -1;
    vb_codepoints out = {0};
    uint32_t *classes = vb_array(text->count, sizeof *classes, "text repair", err);
    if (!classes) return -1;
    for (size_t i = 0; i < text->count; i++) classes[i] = classes_of(text->items[i]);
    if (is_bad(text->items, classes, text->count)) {
        int repaired = undo_encoding(text, &out, err);
        if (!repaired) repaired = fix_within(text, classes, &out, err);
        if (repaired < 0) goto done;
        for (size_t i = 0; !repaired && i < text->count; i++)
            if (text->items[i] >= 0x80 && text->items[i] <= 0x9f) text->items[i] = vb_mojibake_windows_1252(text->items[i]);
    }
    status = 0;
done:
    vb_free(classes);
    vb_codepoints_free(&out);
    return status;
}

int vb_mojibake_fix(vb_codepoints *text, vb_error *err) {
    vb_codepoints before = {0};
    int status;
    do {
        before.count = 0;
        status = vb_codepoints_append(&before, text->items, text->count, err);
        if (!status) status = fix_step(text, err);
    } while (!status && !vb_codepoints_equal(&before, text));
    vb_codepoints_free(&before);
    return status;
}

/* Repairs runs of look-alikes on their own, for texts joined from several encodings: 1 when that changed something. The recursion
 * ends: a part is shorter than the text, and look-alikes alone are cut again only after a step has shortened them. */
static int fix_within(vb_codepoints *text, const uint32_t *classes, vb_codepoints *out, vb_error *err) {
    int status = -1;
    vb_codepoints part = {0};
    out->count = 0;
    for (size_t i = 0; i < text->count;) {
        size_t length = look_alikes(classes, i, text->count), n = length ? length : 1;
        const uint32_t *from = text->items + i;
        part.count = 0;
        if (vb_codepoints_append(&part, from, n, err)) goto done;
        if (length && length < text->count && is_bad(from, classes + i, length) && vb_mojibake_fix(&part, err)) goto done;
        if (vb_codepoints_append(out, part.items, part.count, err)) goto done;
        i += n;
    }
    status = !vb_codepoints_equal(out, text);
    if (status) vb_codepoints_swap(text, out);
done:
    vb_codepoints_free(&part);
    return status;
}
