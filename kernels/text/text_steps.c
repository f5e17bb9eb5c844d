/* One function for each kind of step; each gets a part and appends what it makes of it. */
#include "kernels/text/text_steps.h"

#include <utf8proc.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/text/charsmap.h"
#include "kernels/text/pattern.h"
#include "kernels/text/tokenizer_tables.h"
#include "kernels/text/unicode.h"

static const char space_symbol[] = "\xe2\x96\x81"; /* U+2581 */
enum { SYMBOL = sizeof space_symbol - 1 };

/* GPT-2's words, as the step of bytes has them. Source: tokenizers pre_tokenizers/byte_level.rs. */
static const char gpt2_words[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

struct vb_text_steps {
    const vb_piece_tables *tables;
    vb_piece_layout at;
    vb_charsmap map;
    pcre2_general_context *memory;
    pcre2_code **codes;    /* of each step, or NULL */
    uint16_t letters[256]; /* of the byte alphabet */
};

/* ---- opening ---- */

int vb_text_steps_open(vb_text_steps **steps, const vb_piece_tables *tables, vb_error *err) {
    *steps = NULL;
    vb_text_steps *s = vb_array(1, sizeof *s, "tokenizer", err);
    if (!s) return -1;
    s->tables = tables;
    s->at = vb_piece_tables_layout(tables);
    s->map = (vb_charsmap){s->at.units, tables->units, s->at.map, tables->map_bytes};
    for (int b = 0; b < 256; b++) s->letters[b] = (uint16_t)vb_tokenizer_tables_letter(b);
    int status = 0;
    if (!(s->memory = vb_pattern_memory(err)) || !(s->codes = vb_array(tables->steps, sizeof *s->codes, "tokenizer", err)))
        status = -1;
    for (uint32_t i = 0; !status && i < tables->steps; i++) {
        const vb_text_step *step = &s->at.steps[i];
        const bool written = step->kind == VB_STEP_REPLACE_REGEX || step->kind == VB_STEP_SPLIT_REGEX;
        if (!written && !(step->kind == VB_STEP_BYTES && step->flags & VB_BYTES_WORDS)) continue;
        s->codes[i] = written ? vb_pattern_compile(s->memory, s->at.text + step->a, step->a_size, 0, err) :
                                vb_pattern_compile(s->memory, gpt2_words, sizeof gpt2_words - 1, 0, err);
        if (!s->codes[i]) status = -1;
    }
    if (status) vb_text_steps_close(s);
    else *steps = s;
    return status;
}

void vb_text_steps_close(vb_text_steps *s) {
    if (!s) return;
    for (uint32_t i = 0; s->codes && i < s->tables->steps; i++) pcre2_code_free(s->codes[i]);
    vb_free(s->codes);
    pcre2_general_context_free(s->memory);
    vb_free(s);
}

/* ---- appending ---- */

static int push(vb_byte_text *out, const char *bytes, size_t n, vb_error *err) {
    void *all = out->bytes;
    if (!n) return 0;
    if (out->count + n > out->capacity) {
        if (vb_grow(&all, &out->capacity, out->count + n, 1, "text", err)) return -1;
        out->bytes = all;
    }
    memcpy(out->bytes + out->count, bytes, n);
    out->count += n;
    return 0;
}

static int push_break(vb_byte_text *out, vb_error *err) {
    const char mark = (char)VB_TEXT_BREAK;
    return push(out, &mark, 1, err);
}

static size_t character(const char *text, size_t n) {
    uint32_t c;
    int length = vb_utf8_next((const uint8_t *)text, n, &c);
    return (size_t)(length > 0 ? length : -length);
}

static uint32_t code_point(const char *text, size_t n, size_t *length) {
    uint32_t c = 0xfffd;
    int found = vb_utf8_next((const uint8_t *)text, n, &c);
    *length = (size_t)(found > 0 ? found : -found);
    return c;
}

typedef struct part {
    const vb_text_steps *steps;
    const vb_text_step *step;
    pcre2_code *code;
    const char *text;
    size_t n;
    bool *begins; /* of the text's first part: whether its first character is still there; of others NULL */
} part;

static void lose_front(const part *p) {
    if (p->begins) *p->begins = false;
}

static const char *text_a(const part *p) { return p->steps->at.text + p->step->a; }

/* ---- SentencePiece's normaliser ---- */

/* What stands at the beginning of n bytes after normalising: *made (and its size), and how many bytes it was. A user-defined
 * piece stays as it is. */
static size_t normal_prefix(const part *p, const char *text, size_t n, const char **made, size_t *size) {
    const int32_t user = vb_piece_tables_user(p->steps->tables, &p->steps->at, text, n);
    *made = text;
    if (user >= 0) return *size = p->steps->at.entries[user].size;
    const size_t found = vb_charsmap_match(&p->steps->map, text, n, false, made);
    if (found) {
        *size = strlen(*made);
        return found;
    }
    *made = text;
    return *size = character(text, n);
}

static int sentencepiece(const part *p, vb_byte_text *out, vb_error *err) {
    const bool squeeze = p->step->flags & VB_SP_SQUEEZE, escape = p->step->flags & VB_SP_ESCAPE;
    const char *space = escape ? space_symbol : " ", *made;
    const size_t space_size = escape ? SYMBOL : 1, start = out->count;
    size_t i = 0, size;
    while (squeeze && i < p->n) {
        size_t read = normal_prefix(p, p->text + i, p->n - i, &made, &size);
        if (size != 1 || *made != ' ') break;
        i += read;
    }
    if (i == p->n) return 0;
    if (p->step->flags & VB_SP_PREFIX && push(out, space, space_size, err)) return -1;
    for (bool after_space = squeeze; i < p->n;) {
        i += normal_prefix(p, p->text + i, p->n - i, &made, &size);
        for (; after_space && size && *made == ' '; size--) made++;
        for (size_t k = 0; k < size; k++)
            if (escape && made[k] == ' ' ? push(out, space, space_size, err) : push(out, made + k, 1, err)) return -1;
        if (size) after_space = made[size - 1] == ' ';
        if (!squeeze) after_space = false;
    }
    while (squeeze && out->count - start >= space_size && !memcmp(out->bytes + out->count - space_size, space, space_size))
        out->count -= space_size;
    return 0;
}

/* ---- Hugging Face's normalizers ---- */

static size_t grapheme(const char *text, size_t n) {
    utf8proc_int32_t state = 0;
    size_t length, end;
    uint32_t before = code_point(text, n, &end);
    while (end < n) {
        const uint32_t c = code_point(text + end, n - end, &length);
        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)before, (utf8proc_int32_t)c, &state)) break;
        before = c;
        end += length;
    }
    return end;
}

/* The shortest rule at the beginning of a chunk replaces all of it: first of short graphemes, then of their characters. */
static int charsmap(const part *p, vb_byte_text *out, vb_error *err) {
    enum { LONG_GRAPHEME = 6 };
    const char *made;
    for (size_t i = 0; i < p->n;) {
        const size_t whole = grapheme(p->text + i, p->n - i);
        if (whole < LONG_GRAPHEME && vb_charsmap_match(&p->steps->map, p->text + i, whole, true, &made)) {
            if (push(out, made, strlen(made), err)) return -1;
            i += whole;
            continue;
        }
        for (const size_t end = i + whole; i < end;) {
            const size_t n = character(p->text + i, end - i);
            const bool found = vb_charsmap_match(&p->steps->map, p->text + i, n, true, &made);
            if (found ? push(out, made, strlen(made), err) : push(out, p->text + i, n, err)) return -1;
            i += n;
        }
    }
    return 0;
}

static int prepend(const part *p, vb_byte_text *out, vb_error *err) {
    if (p->n && push(out, text_a(p), p->step->a_size, err)) return -1;
    return push(out, p->text, p->n, err);
}

/* Character by character: no final sigma. */
static int lower(const part *p, vb_byte_text *out, vb_error *err) {
    for (size_t i = 0, length; i < p->n; i += length) {
        const uint32_t c = code_point(p->text + i, p->n - i, &length);
        char made[8];
        size_t n = (size_t)vb_utf8_put(c == 0x130 ? 'i' : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c), made);
        if (c == 0x130) n += (size_t)vb_utf8_put(0x307, made + n);
        if (push(out, made, n, err)) return -1;
    }
    return 0;
}

static int nfc(const part *p, vb_byte_text *out, vb_error *err) {
    vb_codepoints points = {0};
    char *text = NULL;
    int status = vb_codepoints_from_utf8(&points, p->text, p->n, err);
    if (!status) status = vb_unicode_nfc(&points, err);
    if (!status && !(text = vb_codepoints_to_utf8(&points, err))) status = -1;
    if (!status) status = push(out, text, strlen(text), err);
    vb_free(text);
    vb_codepoints_free(&points);
    return status;
}

static int strip(const part *p, vb_byte_text *out, vb_error *err) {
    size_t from = 0, to = 0, length;
    for (size_t i = 0; i < p->n; i += length) {
        const bool space = vb_unicode_is_space(code_point(p->text + i, p->n - i, &length));
        if (space && from == i && p->step->flags & VB_STRIP_LEFT) from = i + length;
        if (!space || !(p->step->flags & VB_STRIP_RIGHT)) to = i + length;
    }
    if (from) lose_front(p);
    return to > from ? push(out, p->text + from, to - from, err) : 0;
}

/* ---- matches of a text or a pattern ---- */

typedef struct matcher {
    pcre2_match_data *data; /* NULL: of the text a */
    bool failed;
} matcher;

static int open_matcher(matcher *m, const part *p, vb_error *err) {
    *m = (matcher){0};
    if (!p->code || (m->data = pcre2_match_data_create(1, p->steps->memory))) return 0;
    return vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for a match");
}

/* The next match that is not empty, from `at` on: [*from, *to). False at the end. */
static bool next_match(matcher *m, const part *p, size_t at, size_t *from, size_t *to, vb_error *err) {
    if (!p->code) {
        const char *found = p->step->a_size && at < p->n ? memmem(p->text + at, p->n - at, text_a(p), p->step->a_size) : NULL;
        *from = found ? (size_t)(found - p->text) : 0;
        *to = *from + p->step->a_size;
        return found;
    }
    if (at >= p->n) return false;
    const uint32_t options = PCRE2_NOTEMPTY | (at ? PCRE2_NO_UTF_CHECK : 0); /* once is enough */
    const int found = pcre2_match(p->code, (PCRE2_SPTR)p->text, p->n, at, options, m->data, NULL);
    if (found < 0) {
        m->failed = found != PCRE2_ERROR_NOMATCH;
        if (m->failed)
            vb_errorf(err, found == PCRE2_ERROR_NOMEMORY ? VB_EMEMORY : VB_EDATA, "tokenizer: a pattern fails (PCRE2 error %d)",
                      found);
        return false;
    }
    *from = pcre2_get_ovector_pointer(m->data)[0];
    *to = pcre2_get_ovector_pointer(m->data)[1];
    m->failed = *from < at || *to <= *from; /* \K can move the beginning out of what was looked at */
    if (m->failed) vb_errorf(err, VB_EDATA, "tokenizer: a pattern finds what begins before its search, or behind its end");
    return !m->failed;
}

static int replace(const part *p, vb_byte_text *out, vb_error *err) {
    matcher m;
    size_t at = 0, from, to;
    if (open_matcher(&m, p, err)) return -1;
    int status = 0;
    while (!status && next_match(&m, p, at, &from, &to, err)) {
        status = push(out, p->text + at, from - at, err);
        if (!from && !p->step->b_size) lose_front(p);
        if (!status) status = push(out, p->steps->at.text + p->step->b, p->step->b_size, err);
        at = to;
    }
    if (!status) status = m.failed ? -1 : push(out, p->text + at, p->n - at, err);
    pcre2_match_data_free(m.data);
    return status;
}

/* ---- pre-tokenizers ---- */

/* Pieces of the part, matches and what is between them, in their order: what becomes of each is for `way` to say. */
typedef struct splitter {
    vb_byte_text *out;
    const part *of;
    size_t start; /* of the part in out */
    int way;
    bool was_match; /* the piece before */
} splitter;

static int add_split(splitter *s, const char *text, size_t n, bool match, vb_error *err) {
    if (!n || (match && s->way == VB_SPLIT_REMOVED)) {
        if (n && text == s->of->text) lose_front(s->of);
        s->was_match |= n > 0;
        return 0;
    }
    bool apart = s->out->count > s->start;
    if (s->way == VB_SPLIT_WITH_PREVIOUS && match && !s->was_match) apart = false;
    if (s->way == VB_SPLIT_WITH_NEXT && !match && s->was_match) apart = false;
    s->was_match = match;
    if (apart && push_break(s->out, err)) return -1;
    return push(s->out, text, n, err);
}

static int split(const part *p, vb_byte_text *out, vb_error *err) {
    matcher m;
    size_t at = 0, from, to;
    const bool invert = p->step->flags & VB_SPLIT_INVERT;
    splitter s = {.of = p, .out = out, .start = out->count, .way = (int)(p->step->flags & 3), .was_match = false};
    if (open_matcher(&m, p, err)) return -1;
    int status = 0;
    while (!status && next_match(&m, p, at, &from, &to, err)) {
        status = add_split(&s, p->text + at, from - at, invert, err);
        if (!status) status = add_split(&s, p->text + from, to - from, !invert, err);
        at = to;
    }
    if (!status) status = m.failed ? -1 : add_split(&s, p->text + at, p->n - at, invert, err);
    pcre2_match_data_free(m.data);
    return status;
}

static int words(const part *p, vb_byte_text *out, vb_error *err) {
    splitter s = {.of = p, .out = out, .start = out->count, .way = VB_SPLIT_REMOVED, .was_match = false};
    size_t from = 0, length;
    for (size_t i = 0; i < p->n; i += length) {
        if (!vb_unicode_is_space(code_point(p->text + i, p->n - i, &length))) continue;
        if (!i) lose_front(p);
        if (add_split(&s, p->text + from, i - from, false, err)) return -1;
        from = i + length;
    }
    return add_split(&s, p->text + from, p->n - from, false, err);
}

static int metaspace(const part *p, vb_byte_text *out, vb_error *err) {
    const char *symbol = text_a(p);
    const size_t size = p->step->a_size, start = out->count;
    const bool in_front = p->step->flags & VB_META_ALWAYS || (p->step->flags & VB_META_FIRST && p->begins && *p->begins);
    if (!p->n) return 0;
    if (in_front && *p->text != ' ' && (p->n < size || memcmp(p->text, symbol, size)) && push(out, symbol, size, err)) return -1;
    for (size_t i = 0; i < p->n;) {
        const bool space = p->text[i] == ' ', is_symbol = p->n - i >= size && !memcmp(p->text + i, symbol, size);
        if ((space || is_symbol) && p->step->flags & VB_META_SPLIT && out->count > start && push_break(out, err)) return -1;
        const size_t n = is_symbol ? size : character(p->text + i, p->n - i);
        if (space || is_symbol ? push(out, symbol, size, err) : push(out, p->text + i, n, err)) return -1;
        i += n;
    }
    return 0;
}

static int map_bytes(const part *p, vb_byte_text *out, vb_error *err) {
    vb_byte_text cut = {0};
    int status = 0;
    const part bare = {.steps = p->steps, .step = &(const vb_text_step){.flags = VB_SPLIT_ISOLATED}, .code = p->code};
    if (p->step->flags & VB_BYTES_SPACE && p->n && *p->text != ' ') status = push(&cut, " ", 1, err);
    if (!status) status = push(&cut, p->text, p->n, err);
    if (!status && p->code) {
        vb_byte_text whole = cut;
        part all = bare;
        all.text = whole.bytes;
        all.n = whole.count;
        cut = (vb_byte_text){0};
        status = split(&all, &cut, err);
        vb_free(whole.bytes);
    }
    for (size_t i = 0; !status && i < cut.count; i++) {
        char made[4];
        const uint8_t byte = (uint8_t)cut.bytes[i];
        if (byte == VB_TEXT_BREAK) status = push_break(out, err);
        else status = push(out, made, (size_t)vb_utf8_put(p->steps->letters[byte], made), err);
    }
    vb_free(cut.bytes);
    return status;
}

/* ---- all of them ---- */

typedef int step_function(const part *p, vb_byte_text *out, vb_error *err);

static step_function *const functions[VB_STEPS] = {[VB_STEP_SENTENCEPIECE] = sentencepiece,
                                                   [VB_STEP_CHARSMAP] = charsmap,
                                                   [VB_STEP_REPLACE] = replace,
                                                   [VB_STEP_REPLACE_REGEX] = replace,
                                                   [VB_STEP_LOWER] = lower,
                                                   [VB_STEP_NFC] = nfc,
                                                   [VB_STEP_PREPEND] = prepend,
                                                   [VB_STEP_STRIP] = strip,
                                                   [VB_STEP_METASPACE] = metaspace,
                                                   [VB_STEP_WORDS] = words,
                                                   [VB_STEP_SPLIT] = split,
                                                   [VB_STEP_SPLIT_REGEX] = split,
                                                   [VB_STEP_BYTES] = map_bytes};

static int run_step(const vb_text_steps *s, uint32_t i, bool *begins, const vb_byte_text *in, vb_byte_text *out, vb_error *err) {
    out->count = 0;
    for (size_t at = 0; at <= in->count;) {
        const char *mark = at < in->count ? memchr(in->bytes + at, VB_TEXT_BREAK, in->count - at) : NULL;
        const size_t end = mark ? (size_t)(mark - in->bytes) : in->count;
        const part p = {s, &s->at.steps[i], s->codes[i], in->bytes + at, end - at, at ? NULL : begins};
        if (at && push_break(out, err)) return -1;
        if (end > at && functions[p.step->kind](&p, out, err)) return -1;
        at = end + 1;
    }
    return 0;
}

int vb_text_steps_run(const vb_text_steps *s, const char *text, size_t n, bool begins, vb_byte_text *out, vb_error *err) {
    vb_byte_text in = {0};
    int status = 0;
    out->count = 0;
    status = push(out, text, n, err);
    for (uint32_t i = 0; !status && i < s->tables->steps; i++) {
        const vb_byte_text swap = in;
        in = *out;
        *out = swap;
        status = run_step(s, i, &begins, &in, out, err);
    }
    vb_free(in.bytes);
    return status;
}
