/* Tests of what tokenizer.json may hold that is not computed here, or cannot be: each is refused, and the place named; and of the
 * longest word of BERT's vocab.txt, and the digests of files that are two. */
#include "tests/unit/scratch.h"
#include "shards/text/tokenizer_file.h"

/* A byte-pair model of two letters, or a unigram one, and other parts of the file beside it. */
#define PAIRS(more)                                                                                                              \
    "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2}, \"merges\": [\"a b\"]}, " more "}"
#define UNIGRAM(more) "{\"model\": {\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<unk>\", 0], [\"a\", -1]]}, " more "}"
#define CHARSMAP "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAAAA==\"}"

static void parts_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *message;
    } cases[] = {
        {UNIGRAM("\"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": false}"), VB_EUNSUPPORTED,
         "clean_text: false is not"},
        {UNIGRAM("\"normalizer\": {\"type\": \"BertNormalizer\", \"handle_chinese_chars\": false}"), VB_EUNSUPPORTED,
         "handle_chinese_chars: false is not"},
        {UNIGRAM("\"normalizer\": {\"type\": \"BertNormalizer\", \"lowercase\": true, \"strip_accents\": false}"),
         VB_EUNSUPPORTED, "strip_accents: expected the same as lowercase"},
        {UNIGRAM("\"normalizer\": {\"type\": \"BertNormalizer\"}"), VB_EUNSUPPORTED,
         "BERT's normalizer or pre-tokenizer with a model that is not WordPiece"},
        {UNIGRAM("\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"A*\"}"), VB_EDATA, "expected base64"},
        {UNIGRAM("\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [" CHARSMAP ", " CHARSMAP "]}"), VB_EUNSUPPORTED,
         "precompiled_charsmap: a second one"},
        {UNIGRAM("\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"\"}"), VB_EDATA,
         "replacement: expected a character"},
        {UNIGRAM("\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"often\"}"), VB_EDATA,
         "prepend_scheme: expected always, first or never"},
        {PAIRS("\"normalizer\": {\"type\": \"BertNormalizer\"}"), VB_EUNSUPPORTED, "a model that is not WordPiece"},
        {"{\"model\": {\"type\": \"BPE\", \"continuing_subword_prefix\": \"##\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2}, "
         "\"merges\": [\"a b\"]}}",
         VB_EUNSUPPORTED, "continuing_subword_prefix: expected none with byte-pair encoding"},
        {"{\"model\": {\"type\": \"BPE\", \"dropout\": 0.1, \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2}, \"merges\": [\"a b\"]}}",
         VB_EUNSUPPORTED, "dropout: tokens that are left to chance"},
        {"{\"model\": {\"type\": \"Unigram\", \"unk_id\": 2, \"vocab\": [[\"<unk>\", 0], [\"a\", -1]]}}", VB_EDATA,
         "unk_id: expected the number of a piece"},
    };
    vb_tokenizer *tokenizer = NULL;
    vb_error err = {0};
    char many[1024] = "{\"type\": \"Lowercase\"}", file[2048];
    for (int i = 0; i < 32; i++) strcat(many, ", {\"type\": \"Lowercase\"}");
    snprintf(file, sizeof file, UNIGRAM("\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [%s]}"), many);
    put_text("tokenizer.json", file);
    assert_fails(vb_tokenizer_file_read(&tokenizer, scratch_path("tokenizer.json"), false, NULL, &err), VB_EUNSUPPORTED,
                 "tokenizer.json: more than 32 normalizers and pre-tokenizers");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_text("tokenizer.json", cases[i].text);
        assert_fails(vb_tokenizer_file_read(&tokenizer, scratch_path("tokenizer.json"), false, NULL, &err), cases[i].code,
                     cases[i].message);
    }
}

/* transformers' WordpieceTokenizer: words of more than 100 characters are unknown. */
static void words_of_100_characters(void **state) {
    (void)state;
    vb_error err;
    vb_tokenizer *t;
    char word[102];
    int32_t pieces[102];
    memset(word, 'a', sizeof word);
    put_text("vocab.txt", "[UNK]\na\n##a\n");
    assert_ok(vb_tokenizer_file_read(&t, scratch, false, NULL, &err));
    assert_int_equal(vb_tokenizer_cut(t, word, 100, 102, pieces, &err), 100);
    assert_true(pieces[0] == 1 && pieces[1] == 2 && pieces[99] == 2);
    assert_int_equal(vb_tokenizer_cut(t, word, 101, 102, pieces, &err), 1);
    assert_int_equal(pieces[0], 0);
    vb_tokenizer_close(t);
    /* characters, not bytes: ones of two */
    char wide[202];
    for (int i = 0; i < 101; i++) memcpy(wide + 2 * i, "\xc3\xb8", 2);
    put_text("vocab.txt", "[UNK]\n\xc3\xb8\n##\xc3\xb8\n");
    assert_ok(vb_tokenizer_file_read(&t, scratch, false, NULL, &err));
    assert_int_equal(vb_tokenizer_cut(t, wide, 200, 102, pieces, &err), 100);
    assert_int_equal(vb_tokenizer_cut(t, wide, 202, 102, pieces, &err), 1);
    vb_tokenizer_close(t);
    unlink(scratch_path("vocab.txt"));
}

/* open_clip's strip_sep_token: every end token becomes 0, those of the text too. */
static void stripped_ends_are_all_zeros(void **state) {
    (void)state;
    vb_error err;
    vb_tokenizer *t;
    int32_t ids[6];
    put_text(
        "tokenizer.json",
        "{\"added_tokens\": [{\"id\": 3, \"content\": \"[SEP]\"}], \"normalizer\": {\"type\": \"BertNormalizer\"}, "
        "\"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", "
        "\"continuing_subword_prefix\": \"##\", \"vocab\": {\"[PAD]\": 0, \"[UNK]\": 1, \"[CLS]\": 2, \"[SEP]\": 3, \"a\": 4}}}");
    assert_ok(vb_tokenizer_file_read(&t, scratch_path("tokenizer.json"), false, NULL, &err));
    assert_ok(vb_tokenizer_use(t, &vb_convention_rows[vb_convention_index("clipa")], "t", &err));
    assert_ok(vb_tokenizer_encode(t, "a [SEP] a", 9, 6, ids, NULL, &err));
    assert_memory_equal(ids, ((const int32_t[]){2, 4, 0, 4, 0, 0}), sizeof ids);
    assert_ok(vb_tokenizer_use(t, &vb_convention_rows[vb_convention_index("bert")], "t", &err));
    assert_ok(vb_tokenizer_encode(t, "a [SEP] a", 9, 6, ids, NULL, &err));
    assert_memory_equal(ids, ((const int32_t[]){2, 4, 3, 4, 3, 0}), sizeof ids);
    vb_tokenizer_close(t);
    unlink(scratch_path("tokenizer.json"));
}

/* transformers' BertTokenizer: without do_lower_case texts keep their case and their accents. */
static void case_is_that_of_the_config(void **state) {
    (void)state;
    static const struct {
        const char *config;
        int32_t big, accent; /* the pieces of "A" and of an a with an acute accent */
    } takes[] = {{NULL, 1, 1},
                 {"{\"model_max_length\": 1000000000000000019884624838656}", 1, 1},
                 {"{\"do_lower_case\": null, \"strip_accents\": null, \"tokenize_chinese_chars\": true}", 1, 1},
                 {"{\"do_lower_case\": true, \"strip_accents\": true}", 1, 1},
                 {"{\"do_lower_case\": false, \"strip_accents\": null}", 2, 3}};
    static const struct {
        const char *config;
        int code;
        const char *message;
    } refused[] = {
        {"{\"do_lower_case\": \"no\"}", VB_EDATA, "tokenizer_config.json: do_lower_case: expected true or false"},
        {"{\"do_lower_case\": false, \"strip_accents\": true}", VB_EUNSUPPORTED,
         "strip_accents: expected the same as do_lower_case"},
        {"{\"strip_accents\": false}", VB_EUNSUPPORTED, "strip_accents: expected the same as do_lower_case"},
        {"{\"tokenize_chinese_chars\": false}", VB_EUNSUPPORTED, "tokenize_chinese_chars: false is not computed"},
        {"[\"do_lower_case\"]", VB_EDATA, "tokenizer_config.json: expected an object of settings"},
        {"{\"do_lower_case\": ", VB_EDATA, "tokenizer_config.json:1:"},
    };
    vb_error err;
    vb_tokenizer *t;
    vb_digest lower, digest;
    int32_t piece;
    put_text("vocab.txt", "[UNK]\na\nA\n\xc3\xa1\n");
    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++) {
        if (takes[i].config) put_text("tokenizer_config.json", takes[i].config);
        assert_ok(vb_tokenizer_file_read(&t, scratch, false, &digest, &err));
        assert_int_equal(vb_tokenizer_cut(t, "A", 1, 1, &piece, &err), 1);
        assert_int_equal(piece, takes[i].big);
        assert_int_equal(vb_tokenizer_cut(t, "\xc3\xa1", 2, 1, &piece, &err), 1);
        assert_int_equal(piece, takes[i].accent);
        if (!i) lower = digest;
        assert_int_equal(!memcmp(&digest, &lower, sizeof digest), takes[i].big == 1);
        vb_tokenizer_close(t);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        put_text("tokenizer_config.json", refused[i].config);
        assert_fails(vb_tokenizer_file_read(&t, scratch, false, NULL, &err), refused[i].code, refused[i].message);
    }
    unlink(scratch_path("tokenizer_config.json"));
    unlink(scratch_path("vocab.txt"));
}

/* Tables are found in the cache by it. */
static void digests_are_of_both_files(void **state) {
    (void)state;
    static const char *const vocabularies[] = {"{\"!\": 0, \"a\": 1, \"b\": 2, \"ab\": 3, \"aa\": 4}",
                                               "{\"!\": 0, \"a\": 1, \"b\": 2, \"ab\": 4, \"aa\": 3}"};
    static const char *const merges[] = {"#version: 0.2\na b\na a\n", "#version: 0.2\na a\na b\n"};
    vb_error err = {0};
    vb_digest digests[3];
    for (int i = 0; i < 3; i++) { /* the first, with other merges, with other numbers */
        vb_tokenizer *t;
        put_text("vocab.json", vocabularies[i == 2]);
        put_text("merges.txt", merges[i == 1]);
        assert_ok(vb_tokenizer_file_read(&t, scratch_path("vocab.json"), false, &digests[i], &err));
        vb_tokenizer_close(t);
        if (i) assert_string_not_equal(digests[i].hex, digests[0].hex);
    }
    unlink(scratch_path("vocab.json"));
    unlink(scratch_path("merges.txt"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_refused), cmocka_unit_test(words_of_100_characters),
                                       cmocka_unit_test(stripped_ends_are_all_zeros),
                                       cmocka_unit_test(case_is_that_of_the_config), cmocka_unit_test(digests_are_of_both_files)};
    return cmocka_run_group_tests_name("tokenizer.json", tests, make_scratch, remove_scratch);
}
