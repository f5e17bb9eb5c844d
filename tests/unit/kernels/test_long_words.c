/* Tests of how OpenAI's tokenizer merges long words, and words of equal letters: against its rule, one pass a merge. */
#include <jansson.h>

#include "tests/unit/vb_test.h"
#include "kernels/text/tokenizer.h"

enum { LONG_WORD = 700 };

static vb_error err;

/* A word by OpenAI's rule, one pass over the whole word a merge: the texts of its symbols, compared as texts. */
static size_t merge_slowly(const char *lines, char (*symbols)[16], size_t n) {
    enum { MOST = 2000 };
    static char left[MOST][16], right[MOST][16];
    size_t merges = 0;
    const char *line = strchr(lines, '\n') + 1;
    for (; *line && merges < MOST; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "")
        if (sscanf(line, "%15s %15s", left[merges], right[merges]) == 2) merges++;
    for (;;) {
        size_t best = merges, kept = 0;
        for (size_t i = 0; i + 1 < n; i++)
            for (size_t k = 0; k < best; k++)
                if (!strcmp(symbols[i], left[k]) && !strcmp(symbols[i + 1], right[k])) best = k;
        if (best == merges) return n;
        for (size_t i = 0; i < n; i++) {
            memmove(symbols[kept], symbols[i], sizeof *symbols);
            if (i + 1 < n && !strcmp(symbols[i], left[best]) && !strcmp(symbols[i + 1], right[best]))
                strcat(symbols[kept], symbols[++i]);
            kept++;
        }
        n = kept;
    }
}

typedef struct id_table {
    char texts[400][16];
    int32_t ids[400];
    size_t count;
} id_table;

static void compare_long_word(const vb_tokenizer *t, const char *merges, const char *word, id_table *known) {
    char symbols[LONG_WORD + 8][16];
    int32_t ids[LONG_WORD + 8];
    const size_t letters = strlen(word);
    for (size_t i = 0; i < letters; i++) snprintf(symbols[i], 16, "%c%s", word[i], i + 1 < letters ? "" : "</w>");
    const size_t n = merge_slowly(merges, symbols, letters);
    assert_int_equal(vb_tokenizer_cut(t, word, letters, LONG_WORD, ids, &err), n);
    for (size_t i = 0; i < n; i++) { /* one id a text, and one text an id */
        size_t k = 0;
        while (k < known->count && strcmp(known->texts[k], symbols[i]) && known->ids[k] != ids[i]) k++;
        assert_true(k < 400);
        if (k == known->count) {
            strcpy(known->texts[k], symbols[i]);
            known->ids[known->count++] = ids[i];
        }
        assert_string_equal(known->texts[k], symbols[i]);
        assert_int_equal(known->ids[k], ids[i]);
    }
}

/* Words of more than 256 letters are merged from a heap: cut elsewhere they would differ from OpenAI's. */
static void long_words_are_merged_by_the_same_rule(void **state) {
    (void)state;
    enum { LONG = 1 << 20 };
    static const char *const parts[] = {"a", "t", "th", "the", "in", "an", "er", "ing", "q", "e"};
    json_error_t where;
    json_t *golden = json_load_file("tests/golden/tokenizer.json", 0, &where);
    const char *merges = json_string_value(json_object_get(golden, "merges"));
    vb_tokenizer *t;
    assert_non_null(merges);
    assert_ok(vb_tokenizer_open_bpe(&t, merges, strlen(merges), 0, "short", &err));
    uint32_t random = 5;
    id_table known = {.count = 0};
    for (int round = 0; round < 6; round++) {
        char word[LONG_WORD + 8] = "";
        while (strlen(word) < (size_t)(round ? LONG_WORD - 4 : 255)) {
            random = random * 1664525u + 1013904223u;
            strcat(word, parts[(random >> 16) % (round == 5 ? 2 : 10)]);
        }
        compare_long_word(t, merges, word, &known);
    }
    char *text = malloc(LONG);
    int32_t *ids = malloc(LONG * sizeof *ids);
    assert_true(text && ids);
    for (size_t i = 0; i < LONG; i++) text[i] = "thein"[i % 5];
    assert_true(vb_tokenizer_cut(t, text, LONG, LONG, ids, &err) > 0); /* a million letters, in less than a second */
    free(text);
    free(ids);
    vb_tokenizer_close(t);
    json_decref(golden);
}

/* Of pairs of one rank that overlap, as in "aaa", the left one is merged: in words of either length. */
static void equal_letters_are_merged_from_the_left(void **state) {
    (void)state;
    static const char merges[] = "#version\na a\naa b\naa aa\na b</w>\naaaa aa\naa a</w>\nb a\n";
    vb_tokenizer *t;
    uint32_t random = 9;
    id_table known = {.count = 0};
    assert_ok(vb_tokenizer_open_bpe(&t, merges, sizeof merges - 1, 0, "equal", &err));
    for (int round = 0; round < 24; round++) {
        char word[LONG_WORD + 8] = "";
        const size_t letters = (size_t)(round % 2 ? 5 + round : 250 + round);
        for (size_t i = 0; i < letters; i++) {
            random = random * 1664525u + 1013904223u;
            word[i] = round < 8 || random >> 28 ? 'a' : 'b';
        }
        compare_long_word(t, merges, word, &known);
    }
    vb_tokenizer_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(long_words_are_merged_by_the_same_rule),
                                       cmocka_unit_test(equal_letters_are_merged_from_the_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
