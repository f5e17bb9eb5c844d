/* BERT's basic tokenizer over code points, then the pieces of each word over its UTF-8. */
#include "kernels/text/wordpiece.h"

#include <utf8proc.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/text/codepoints.h"
#include "kernels/text/unicode.h"

static utf8proc_category_t category(uint32_t c) { return utf8proc_category((utf8proc_int32_t)c); }

static bool is_other(uint32_t c) {
    const utf8proc_category_t k = category(c);
    return k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CN || k == UTF8PROC_CATEGORY_CO ||
           k == UTF8PROC_CATEGORY_CS;
}

static bool is_chinese(uint32_t c) {
    static const uint32_t ranges[][2] = {{0x4e00, 0x9fff},   {0x3400, 0x4dbf},   {0x20000, 0x2a6df}, {0x2a700, 0x2b73f},
                                         {0x2b740, 0x2b81f}, {0x2b820, 0x2ceaf}, {0xf900, 0xfaff},   {0x2f800, 0x2fa1f}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

static bool is_punctuation(uint32_t c) {
    if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
    const utf8proc_category_t k = category(c);
    return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

/* Controls go, white space becomes spaces, Chinese characters get spaces around them. */
static int clean(vb_codepoints *out, const vb_codepoints *text, vb_error *err) {
    if (vb_codepoints_reserve(out, 3 * text->count + 1, err)) return -1;
    for (size_t i = 0; i < text->count; i++) {
        const uint32_t c = text->items[i];
        if (c == '\t' || c == '\n' || c == '\r' || category(c) == UTF8PROC_CATEGORY_ZS) out->items[out->count++] = ' ';
        else if (!c || c == 0xfffd || is_other(c)) continue;
        else if (is_chinese(c)) {
            out->items[out->count++] = ' ';
            out->items[out->count++] = c;
            out->items[out->count++] = ' ';
        } else out->items[out->count++] = c;
    }
    return 0;
}

/* Canonical decomposition without marks; their order does not matter then. Lower case of each character by itself. */
static int fold(vb_codepoints *out, const vb_codepoints *text, vb_error *err) {
    enum { LONGEST = 4 };
    if (vb_codepoints_reserve(out, 2 * LONGEST * text->count + 1, err)) return -1;
    for (size_t i = 0; i < text->count; i++) {
        utf8proc_int32_t parts[LONGEST];
        const utf8proc_ssize_t n =
            utf8proc_decompose_char((utf8proc_int32_t)text->items[i], parts, LONGEST, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, NULL);
        if (n < 0 || n > LONGEST) return vb_errorf(err, VB_EINTERNAL, "no decomposition of U+%04X", (unsigned)text->items[i]);
        for (utf8proc_ssize_t k = 0; k < n; k++)
            if (category((uint32_t)parts[k]) != UTF8PROC_CATEGORY_MN)
                out->items[out->count++] = (uint32_t)utf8proc_tolower(parts[k]);
    }
    return 0;
}

/* The pieces of a word of n bytes, which has two bytes of room in front: for the "##" of pieces behind the first, which is
 * written over what was cut off. */
static void cut_word(vb_piece_sink *sink, char *word, size_t n, size_t characters) {
    const vb_piece_tables *t = sink->tables;
    const int before = sink->count;
    for (size_t at = 0; at < n;) {
        const size_t prefix = at ? 2 : 0;
        const char *begin = word + at - prefix;
        uint64_t hash = VB_PIECE_HASH;
        int32_t found = -1;
        size_t size = 0;
        if (prefix) memset(word + at - 2, '#', 2);
        for (size_t k = 0; characters <= t->word_limit && k < n - at + prefix && k < t->longest; k++) {
            hash = vb_piece_tables_hash(hash, begin[k]);
            if (k < prefix || (k + 1 < n - at + prefix && !vb_utf8_begins(begin[k + 1]))) continue;
            const int32_t piece = vb_piece_tables_look(&sink->at, t->slots, hash, begin, k + 1);
            if (piece >= 0) {
                found = piece;
                size = k + 1 - prefix;
            }
        }
        if (found < 0) {
            sink->count = before;
            sink->after_unknown = false;
            vb_piece_sink_unknown(sink, word, n);
            return;
        }
        vb_piece_sink_put(sink, found);
        at += size;
    }
}

/* Words of a line without other white space than spaces. */
static void cut_words(vb_piece_sink *sink, const vb_codepoints *text, char *scratch) {
    for (size_t i = 0; i < text->count && sink->count < sink->room;) {
        if (vb_unicode_is_space(text->items[i])) {
            i++;
            continue;
        }
        size_t n = 2, characters = 0;
        const bool alone = is_punctuation(text->items[i]);
        for (; i < text->count && !vb_unicode_is_space(text->items[i]); i++) {
            if (characters && (alone || is_punctuation(text->items[i]))) break;
            n += (size_t)vb_utf8_put(text->items[i], scratch + n);
            characters++;
        }
        cut_word(sink, scratch + 2, n - 2, characters);
    }
}

int vb_wordpiece_cut(vb_piece_sink *sink, const char *text, size_t n, vb_error *err) {
    int status = -1;
    char *scratch = NULL;
    vb_codepoints points = {0}, cleaned = {0}, folded = {0};
    if (vb_codepoints_from_utf8(&points, text, n, err) || clean(&cleaned, &points, err)) goto done;
    if (!sink->tables->keep_case && fold(&folded, &cleaned, err)) goto done;
    const vb_codepoints *line = sink->tables->keep_case ? &cleaned : &folded;
    if (!(scratch = vb_buffer(4 * line->count + 2, 1, "word", err))) goto done;
    cut_words(sink, line, scratch);
    status = 0;
done:
    vb_free(scratch);
    vb_codepoints_free(&points);
    vb_codepoints_free(&cleaned);
    vb_codepoints_free(&folded);
    return status;
}
