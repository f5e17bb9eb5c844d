/* Tests of unigram models by hand: what decides between paths of the same pieces, and what an unknown character costs. */
#include "kernels/text/tokenizer.h"
#include "tests/unit/vb_test.h"

/* The piece of that id; the first one is the unknown one. */
static vb_listed_piece normal_piece(const char *const *names, int id, double score) {
    return (vb_listed_piece){
        .text = names[id], .size = strlen(names[id]), .id = id, .score = score, .type = id ? VB_PIECE_NORMAL : VB_PIECE_UNKNOWN};
}

/* Paths of pieces that are equal but for the rounding of their sums, which are floats: in doubles the ids are 6 2 and 1 4 4 2.
 * These are sentencepiece 0.2.3's. */
static void sums_are_floats(void **state) {
    (void)state;
    enum { PIECES = 7 };
    static const char *const names[PIECES] = {"<unk>", "a", "b", "ab", "ba", "aab", "bb"};
    static const struct {
        float scores[PIECES];
        const char *text;
        int32_t ids[3];
        int count;
    } models[] = {{{0, -1.7f, -3.8f, -7.6f, -7.8f, -5.6f, -4.5f}, "bbb", {2, 6}, 2},
                  {{0, -3.2f, -2.3f, -4.3f, -3.7f, -1.3f, -9.2f}, "ababab", {3, 3, 3}, 3}};
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        vb_error err = {0};
        vb_tokenizer *t;
        int32_t ids[8];
        vb_listed_piece pieces[PIECES];
        for (int i = 0; i < PIECES; i++) pieces[i] = normal_piece(names, i, (double)models[m].scores[i]);
        const vb_piece_spec spec = {.algorithm = VB_PIECES_UNIGRAM, .pieces = pieces, .count = PIECES, .single_precision = true};
        assert_ok(vb_tokenizer_open_pieces(&t, &spec, "pieces", &err));
        assert_int_equal(vb_tokenizer_cut(t, models[m].text, strlen(models[m].text), 8, ids, &err), models[m].count);
        assert_memory_equal(ids, models[m].ids, (size_t)models[m].count * sizeof *ids);
        vb_tokenizer_close(t);
    }
}

/* "abc" and an unknown character, or two pieces: by 10 less than the worst piece, among which sentencepiece 0.2.3 counts normal
 * ones, tokenizers 0.23.3 all that the model has. The ids are theirs. */
static void unknown_characters_cost_more_than_any_piece(void **state) {
    (void)state;
    enum { PIECES = 5 };
    static const char *const names[PIECES] = {"<unk>", "abc", "ab", "cX", "zz"};
    static const double scores[PIECES] = {0, -1, -20, -20, -50};
    static const struct {
        bool of_sentencepiece;
        vb_piece_type last; /* of zz */
        int32_t ids[2];
    } models[] = {{true, VB_PIECE_NORMAL, {2, 3}}, {true, VB_PIECE_USER, {1, 0}},    {true, VB_PIECE_CONTROL, {1, 0}},
                  {true, VB_PIECE_UNUSED, {1, 0}}, {false, VB_PIECE_NORMAL, {2, 3}}, {false, VB_PIECE_USER, {2, 3}}};
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        vb_error err = {0};
        vb_tokenizer *t;
        int32_t ids[8];
        vb_listed_piece pieces[PIECES];
        for (int i = 0; i < PIECES; i++) pieces[i] = normal_piece(names, i, scores[i]);
        pieces[PIECES - 1].type = models[m].last;
        const vb_piece_spec spec = {.algorithm = VB_PIECES_UNIGRAM,
                                    .pieces = pieces,
                                    .count = PIECES,
                                    .fuse_unknown = true,
                                    .single_precision = models[m].of_sentencepiece};
        assert_ok(vb_tokenizer_open_pieces(&t, &spec, "pieces", &err));
        assert_int_equal(vb_tokenizer_cut(t, "abcX", 4, 8, ids, &err), 2);
        assert_memory_equal(ids, models[m].ids, sizeof models[m].ids);
        vb_tokenizer_close(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_floats),
                                       cmocka_unit_test(unknown_characters_cost_more_than_any_piece)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
