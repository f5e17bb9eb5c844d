/* Unicode properties, canonical composition and lower case, from utf8proc's tables and the few rules that it leaves out. */
#include "kernels/text/unicode.h"

#include <string.h>
#include <utf8proc.h>

#include "kernels/base/memory.h"

static utf8proc_category_t category(uint32_t c) { return utf8proc_category((utf8proc_int32_t)c); }

bool vb_unicode_is_space(uint32_t c) {
    if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

bool vb_unicode_is_word(uint32_t c) {
    utf8proc_category_t k = category(c);
    return c == '_' || (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
           (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

bool vb_unicode_is_decimal(uint32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }

/* ---- NFC ---- */

static int combining_class(uint32_t c) { return utf8proc_get_property((utf8proc_int32_t)c)->combining_class; }

/* Orders a run of marks by combining class, stably, by counting. */
static void order_marks(uint32_t *marks, uint32_t *scratch, size_t n) {
    size_t start[257] = {0};
    for (size_t i = 0; i < n; i++) start[combining_class(marks[i]) + 1]++;
    for (int k = 1; k < 257; k++) start[k] += start[k - 1];
    for (size_t i = 0; i < n; i++) scratch[start[combining_class(marks[i])]++] = marks[i];
    for (size_t i = 0; i < n; i++) marks[i] = scratch[i];
}

int vb_unicode_nfc(vb_codepoints *text, vb_error *err) {
    enum { FIRST_MARK = 0x300, LONGEST = 4 }; /* below the first mark every text is NFC; no decomposition is longer than 4 */
    bool plain = true;
    for (size_t i = 0; i < text->count && plain; i++) plain = text->items[i] < FIRST_MARK;
    if (plain) return 0;

    int status = -1;
    vb_codepoints out = {0};
    uint32_t *scratch = NULL;
    if (vb_codepoints_reserve(&out, text->count * LONGEST + 1, err)) return -1;
    for (size_t i = 0; i < text->count; i++) {
        utf8proc_int32_t parts[LONGEST];
        utf8proc_ssize_t n =
            utf8proc_decompose_char((utf8proc_int32_t)text->items[i], parts, LONGEST, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, NULL);
        if (n < 0 || n > LONGEST) {
            vb_errorf(err, VB_EINTERNAL, "no decomposition of U+%04X", (unsigned)text->items[i]);
            goto done;
        }
        for (utf8proc_ssize_t k = 0; k < n; k++) out.items[out.count++] = (uint32_t)parts[k];
    }
    if (!(scratch = vb_array(out.count, sizeof *scratch, "text", err))) goto done;
    for (size_t i = 0; i < out.count;) {
        size_t end = i;
        bool ordered = true;
        for (int last = 0, k; end < out.count && (k = combining_class(out.items[end])); end++, last = k)
            ordered = ordered && k >= last;
        if (!ordered) order_marks(out.items + i, scratch, end - i);
        i = end + 1;
    }
    utf8proc_ssize_t n =
        utf8proc_normalize_utf32((utf8proc_int32_t *)out.items, (utf8proc_ssize_t)out.count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    if (n < 0) {
        vb_errorf(err, VB_EINTERNAL, "composition: %s", utf8proc_errmsg(n));
        goto done;
    }
    out.count = (size_t)n;
    vb_codepoints_swap(text, &out);
    status = 0;
done:
    vb_free(scratch);
    vb_codepoints_free(&out);
    return status;
}

/* ---- lower case ---- */

static bool is_case_ignorable(uint32_t c) {
    switch (c) { /* Word_Break MidLetter, MidNumLet and Single_Quote */
    case '\'':
    case '.':
    case ':':
    case 0xb7:
    case 0x387:
    case 0x55f:
    case 0x5f4:
    case 0x2018:
    case 0x2019:
    case 0x2024:
    case 0x2027:
    case 0xfe13:
    case 0xfe52:
    case 0xfe55:
    case 0xff07:
    case 0xff0e:
    case 0xff1a: return true;
    default: break;
    }
    switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK: return true;
    default: return false;
    }
}

/* Cased and not case-ignorable: letters with case, and what Other_Uppercase and Other_Lowercase add. */
static bool is_cased(uint32_t c) {
    utf8proc_category_t k = category(c);
    return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT || c == 0xaa || c == 0xba ||
           (c >= 0x2160 && c <= 0x217f) || (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) ||
           (c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189);
}

/* A capital sigma behind a cased letter and before none ends a word; what is case-ignorable in between does not count. */
static bool is_final_sigma(const vb_codepoints *text, size_t i) {
    size_t before = i, after = i + 1;
    while (before && is_case_ignorable(text->items[before - 1])) before--;
    if (!before || !is_cased(text->items[before - 1])) return false;
    while (after < text->count && is_case_ignorable(text->items[after])) after++;
    return after == text->count || !is_cased(text->items[after]);
}

int vb_unicode_lower(vb_codepoints *text, vb_error *err) {
    vb_codepoints out = {0};
    if (vb_codepoints_reserve(&out, text->count + 1, err)) return -1;
    for (size_t i = 0; i < text->count; i++) {
        uint32_t c = text->items[i];
        if (c < 0x80) c = c >= 'A' && c <= 'Z' ? c + 32 : c;
        else if (c == 0x3a3) c = is_final_sigma(text, i) ? 0x3c2 : 0x3c3;
        else if (c == 0x130) c = 'i';
        else c = (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
        if (vb_codepoints_push(&out, c, err) || (text->items[i] == 0x130 && vb_codepoints_push(&out, 0x307, err))) {
            vb_codepoints_free(&out);
            return -1;
        }
    }
    vb_codepoints_swap(text, &out);
    vb_codepoints_free(&out);
    return 0;
}

/* ---- both ---- */

char *vb_unicode_fold(const char *text, vb_error *err) {
    vb_codepoints points = {0};
    char *folded = NULL;
    if (!vb_codepoints_from_utf8(&points, text, strlen(text), err) && !vb_unicode_nfc(&points, err) &&
        !vb_unicode_lower(&points, err))
        folded = vb_codepoints_to_utf8(&points, err);
    vb_codepoints_free(&points);
    return folded;
}
