/* What the kernels of texts answer where PCRE2 or utf8proc fails, and at sizes that tables do not have. The linker gives us the
 * libraries' calls (tests/tests.mk). */
#include <stdbool.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <utf8proc.h>

#include "kernels/text/codepoints.h"
#include "kernels/text/merging.h"
#include "kernels/text/text_cleanup.h"
#include "kernels/text/tokenizer.h"
#include "kernels/text/unicode.h"
#include "tests/unit/vb_test.h"

/* ---- calls that fail ---- */

static enum { NOTHING, MATCH, LONG_MATCH, MATCH_DATA, DECOMPOSE, COMPOSE } failing;
static int with; /* which code */
static vb_error err;

int __real_pcre2_match_8(const pcre2_code *code, PCRE2_SPTR text, PCRE2_SIZE n, PCRE2_SIZE at, uint32_t options,
                         pcre2_match_data *match, pcre2_match_context *context);
int __wrap_pcre2_match_8(const pcre2_code *code, PCRE2_SPTR text, PCRE2_SIZE n, PCRE2_SIZE at, uint32_t options,
                         pcre2_match_data *match, pcre2_match_context *context);
int __wrap_pcre2_match_8(const pcre2_code *code, PCRE2_SPTR text, PCRE2_SIZE n, PCRE2_SIZE at, uint32_t options,
                         pcre2_match_data *match, pcre2_match_context *context) {
    if (failing == MATCH) return with;
    if (failing != LONG_MATCH) return __real_pcre2_match_8(code, text, n, at, options, match, context);
    pcre2_get_ovector_pointer(match)[0] = 0;
    pcre2_get_ovector_pointer(match)[1] = INT32_MAX;
    return 1;
}

pcre2_match_data *__real_pcre2_match_data_create_8(uint32_t pairs, pcre2_general_context *memory);
pcre2_match_data *__wrap_pcre2_match_data_create_8(uint32_t pairs, pcre2_general_context *memory);
pcre2_match_data *__wrap_pcre2_match_data_create_8(uint32_t pairs, pcre2_general_context *memory) {
    return failing == MATCH_DATA ? NULL : __real_pcre2_match_data_create_8(pairs, memory);
}

utf8proc_ssize_t __real_utf8proc_decompose_char(utf8proc_int32_t c, utf8proc_int32_t *out, utf8proc_ssize_t room,
                                                utf8proc_option_t options, int *last);
utf8proc_ssize_t __wrap_utf8proc_decompose_char(utf8proc_int32_t c, utf8proc_int32_t *out, utf8proc_ssize_t room,
                                                utf8proc_option_t options, int *last);
utf8proc_ssize_t __wrap_utf8proc_decompose_char(utf8proc_int32_t c, utf8proc_int32_t *out, utf8proc_ssize_t room,
                                                utf8proc_option_t options, int *last) {
    return failing == DECOMPOSE ? with : __real_utf8proc_decompose_char(c, out, room, options, last);
}

utf8proc_ssize_t __real_utf8proc_normalize_utf32(utf8proc_int32_t *text, utf8proc_ssize_t n, utf8proc_option_t options);
utf8proc_ssize_t __wrap_utf8proc_normalize_utf32(utf8proc_int32_t *text, utf8proc_ssize_t n, utf8proc_option_t options);
utf8proc_ssize_t __wrap_utf8proc_normalize_utf32(utf8proc_int32_t *text, utf8proc_ssize_t n, utf8proc_option_t options) {
    return failing == COMPOSE ? with : __real_utf8proc_normalize_utf32(text, n, options);
}

/* ---- what makes them ---- */

static const vb_listed_piece letter = {.text = "a", .size = 1, .type = VB_PIECE_NORMAL};

/* The ids of a text; what fails, fails in this only. */
static int cut(vb_tokenizer *tokenizer, const char *text) {
    int32_t ids[8];
    const int chosen = failing;
    failing = NOTHING;
    assert_true(vb_tokenizer_cut(tokenizer, text, strlen(text), 8, ids, &err) >= 0);
    failing = chosen;
    const int count = vb_tokenizer_cut(tokenizer, text, strlen(text), 8, ids, &err);
    vb_tokenizer_close(tokenizer);
    return count < 0 ? -1 : 0;
}

static int openai(void) {
    static const char merges[] = "#version: 0.2\ni n\n";
    vb_tokenizer *tokenizer;
    assert_ok(vb_tokenizer_open_bpe(&tokenizer, merges, strlen(merges), false, "merges", &err));
    return cut(tokenizer, "in it");
}

static int pattern(void) {
    const vb_step_spec step = {.kind = VB_STEP_REPLACE_REGEX, .a = "b+", .a_size = 2, .b = "a", .b_size = 1};
    const vb_piece_spec spec = {.pieces = &letter, .count = 1, .steps = &step, .step_count = 1, .unknown = SIZE_MAX};
    vb_tokenizer *tokenizer;
    assert_ok(vb_tokenizer_open_pieces(&tokenizer, &spec, "pieces", &err));
    return cut(tokenizer, "abba");
}

static int words(void) {
    const vb_piece_spec spec = {
        .algorithm = VB_PIECES_WORDS, .pieces = &letter, .count = 1, .unknown = SIZE_MAX, .word_limit = 100};
    vb_tokenizer *tokenizer;
    assert_ok(vb_tokenizer_open_pieces(&tokenizer, &spec, "pieces", &err));
    return cut(tokenizer, "\u00e9");
}

static int clean(void) {
    char *made = vb_text_cleanup_as(VB_CLEAN_WHITESPACE, "\uff21", 3, &err);
    vb_free(made);
    return made ? 0 : -1;
}

static int compose(void) {
    vb_codepoints text = {0};
    assert_ok(vb_codepoints_push(&text, 'a', &err) || vb_codepoints_push(&text, 0x301, &err));
    const int status = vb_unicode_nfc(&text, &err);
    assert_true(status ? text.count == 2 : text.count == 1 && text.items[0] == 0xe1);
    vb_codepoints_free(&text);
    return status;
}

static void calls_that_fail_are_told(void **state) {
    (void)state;
    static const struct {
        int (*run)(void);
        int failing, with, code;
        const char *says;
    } cases[] = {
        {openai, MATCH_DATA, 0, VB_EMEMORY, "tokenizer: no memory for a match"},
        {openai, MATCH, PCRE2_ERROR_NOMEMORY, VB_EMEMORY, "tokenizer: PCRE2 error -48"},
        {openai, MATCH, PCRE2_ERROR_INTERNAL, VB_EINTERNAL, "tokenizer: PCRE2 error -44"},
        {openai, LONG_MATCH, 0, VB_EUNSUPPORTED, "a word of 2147483647 bytes, expected less than 2 GiB"},
        {pattern, MATCH_DATA, 0, VB_EMEMORY, "tokenizer: no memory for a match"},
        {pattern, MATCH, PCRE2_ERROR_NOMEMORY, VB_EMEMORY, "tokenizer: a pattern fails (PCRE2 error -48)"},
        {pattern, MATCH, PCRE2_ERROR_MATCHLIMIT, VB_EDATA, "tokenizer: a pattern fails (PCRE2 error -47)"},
        {words, DECOMPOSE, UTF8PROC_ERROR_NOTASSIGNED, VB_EINTERNAL, "no decomposition of U+00E9"},
        {words, DECOMPOSE, 5, VB_EINTERNAL, "no decomposition of U+00E9"},
        {clean, DECOMPOSE, UTF8PROC_ERROR_NOTASSIGNED, VB_EINTERNAL, "no standard width of U+FF21"},
        {clean, DECOMPOSE, 9, VB_EINTERNAL, "no standard width of U+FF21"},
        {compose, DECOMPOSE, UTF8PROC_ERROR_NOTASSIGNED, VB_EINTERNAL, "no decomposition of U+0061"},
        {compose, DECOMPOSE, 5, VB_EINTERNAL, "no decomposition of U+0061"},
        {compose, COMPOSE, UTF8PROC_ERROR_NOMEM, VB_EINTERNAL, "composition: Memory for processing UTF-8 data could not be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        failing = NOTHING;
        assert_ok(cases[i].run());
        failing = cases[i].failing;
        with = cases[i].with;
        assert_fails(cases[i].run(), cases[i].code, cases[i].says);
    }
    failing = NOTHING;
}

/* A pattern may set its own limits. */
static void a_pattern_that_gives_up_is_told(void **state) {
    (void)state;
    static const char limited[] = "(*LIMIT_MATCH=9)(a+)+[bd]";
    const vb_step_spec step = {.kind = VB_STEP_REPLACE_REGEX, .a = limited, .a_size = sizeof limited - 1};
    const vb_piece_spec spec = {.pieces = &letter, .count = 1, .steps = &step, .step_count = 1, .unknown = SIZE_MAX};
    static const char text[] = "aaaaaaaaaaaaaaaaaaaac";
    vb_tokenizer *tokenizer;
    int32_t ids[8];
    assert_ok(vb_tokenizer_open_pieces(&tokenizer, &spec, "pieces", &err));
    assert_fails(vb_tokenizer_cut(tokenizer, text, strlen(text), 8, ids, &err) < 0, VB_EDATA,
                 "tokenizer: a pattern fails (PCRE2 error -47)");
    vb_tokenizer_close(tokenizer);
}

/* ---- sizes ---- */

static void sizes_that_tables_do_not_have(void **state) {
    (void)state;
    vb_tokenizer *tokenizer;
    char text[4097];
    memset(text, 'b', sizeof text);
    vb_listed_piece pieces[] = {letter, {.text = text, .size = sizeof text, .type = VB_PIECE_NORMAL}};
    const vb_step_spec step = {.kind = VB_STEP_PREPEND, .a = text, .a_size = 1 << 30}; /* which nobody reads */
    vb_piece_spec spec = {.pieces = pieces, .count = 2, .steps = &step, .unknown = SIZE_MAX};
    assert_fails(vb_tokenizer_open_pieces(&tokenizer, &spec, "P", &err), VB_EDATA,
                 "P: piece 1 has 4097 bytes, expected at most 4096");
    pieces[1].size--;
    assert_ok(vb_tokenizer_open_pieces(&tokenizer, &spec, "P", &err));
    vb_tokenizer_close(tokenizer);
    spec.step_count = 1;
    assert_fails(vb_tokenizer_open_pieces(&tokenizer, &spec, "P", &err), VB_EDATA,
                 "P: a tokenizer with more than 1073741824 bytes of pieces");
    for (int i = 0; i < 2; i++) {
        spec.count = i ? (1 << 24) + 1 : 0;
        assert_fails(vb_tokenizer_open_pieces(&tokenizer, &spec, "P", &err), VB_EDATA,
                     i ? "P: a tokenizer of 16777217 pieces, expected 1 to 16777216" :
                         "P: a tokenizer of 0 pieces, expected 1 to 16777216");
    }
    const vb_piece_tables tables = {.algorithm = VB_PIECES_SCORES};
    vb_piece_sink sink = {.tables = &tables};
    assert_fails(vb_merging_cut(&sink, text, INT32_MAX, &err), VB_EUNSUPPORTED,
                 "a text of 2147483647 bytes, expected less than 2 GiB");
}

static void a_token_that_is_there_twice(void **state) {
    (void)state;
    vb_tokenizer *tokenizer;
    const vb_vocabulary_entry entries[] = {{"a", 0, false}, {"b", 1, false}, {"a", 2, false}};
    assert_fails(vb_tokenizer_open_pairs(&tokenizer, entries, 3, "#version: 0.2\na b\n", 18, "V", &err), VB_EDATA,
                 "V: the vocabulary holds 'a' twice");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(calls_that_fail_are_told),
                                       cmocka_unit_test(a_pattern_that_gives_up_is_told),
                                       cmocka_unit_test(sizes_that_tables_do_not_have),
                                       cmocka_unit_test(a_token_that_is_there_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
