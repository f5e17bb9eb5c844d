/* Tests of the tokenizer and its text clean-up against golden texts from Python (ftfy, html, regex), OpenAI's tokens and broken
 * files. */
#include <errno.h>
#include <jansson.h>
#include <zlib.h>

#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "kernels/base/utf8.h"
#include "kernels/text/text_cleanup.h"
#include "kernels/text/tokenizer.h"
#include "kernels/text/unicode.h"
#include "shards/files/map.h"
#include "shards/files/writer.h"
#include "shards/embeddings/npy.h"
#include "shards/text/texts.h"
#include "shards/text/tokenizer_file.h"

enum { CONTEXT = 77, SHORT_CONTEXT = 40 };

static json_t *golden;
static vb_error err;

static int setup(void **state) {
    json_error_t json_err;
    golden = json_load_file("tests/golden/tokenizer.json", 0, &json_err);
    return golden ? make_scratch(state) : -1;
}

static int teardown(void **state) {
    json_decref(golden);
    return remove_scratch(state);
}

static const char *merges_text(void) { return json_string_value(json_object_get(golden, "merges")); }
static json_t *row(size_t i) { return json_array_get(json_object_get(golden, "rows"), i); }
static const char *row_text(size_t i) { return json_string_value(json_array_get(row(i), 0)); }
static size_t rows(void) { return json_array_size(json_object_get(golden, "rows")); }

static vb_tokenizer *open_short(void) {
    vb_tokenizer *t;
    assert_ok(vb_tokenizer_open_bpe(&t, merges_text(), strlen(merges_text()), 0, "short", &err));
    return t;
}

/* The golden ids of every row, in the given column, with zeros behind them. */
static void compare_ids(const vb_tokenizer *t, int column, int context) {
    int32_t ids[CONTEXT];
    int length;
    for (size_t i = 0; i < rows(); i++) {
        json_t *truth = json_array_get(row(i), (size_t)column);
        assert_ok(vb_tokenizer_encode(t, row_text(i), strlen(row_text(i)), context, ids, &length, &err));
        for (int k = 0; k < context; k++) {
            json_int_t expected = (size_t)k < json_array_size(truth) ? json_integer_value(json_array_get(truth, (size_t)k)) : 0;
            if (ids[k] != expected) fail_msg("'%s': id %d is %d, expected %d", row_text(i), k, ids[k], (int)expected);
        }
        int first_end = 0;
        while (ids[first_end] != vb_tokenizer_end(t)) first_end++;
        assert_int_equal(length, first_end + 1);
    }
}

static void texts_are_cleaned_as_in_python(void **state) {
    (void)state;
    assert_true(rows() > 300);
    for (size_t i = 0; i < rows(); i++) {
        const char *truth = json_string_value(json_array_get(row(i), 1));
        char *clean = vb_text_cleanup_as(VB_CLEAN_LOWER, row_text(i), strlen(row_text(i)), &err);
        assert_non_null(clean);
        if (strcmp(clean, truth)) fail_msg("row %zu '%s': found '%s', expected '%s'", i, row_text(i), clean, truth);
        vb_free(clean);
    }
}

/* Python's lower of a capital sigma between letters, with each of these characters behind it, and before it at a text's end. */
static void sigmas_end_words_as_in_python(void **state) {
    (void)state;
    static const struct {
        uint32_t c;
        bool passed_over; /* a word goes on behind it */
    } cases[] = {{'\'', true},   {'.', true},    {':', true},    {0xb7, true},   {0x387, true},  {0x55f, true},  {0x5f4, true},
                 {0x2018, true}, {0x2019, true}, {0x2024, true}, {0x2027, true}, {0xfe13, true}, {0xfe52, true}, {0xfe55, true},
                 {0xff07, true}, {0xff0e, true}, {0xff1a, true}, {0x301, true},  {0x20dd, true}, {0xad, true},   {0x2b0, true},
                 {'^', true},    {'`', true},    {0xa8, true},   {',', false},   {'-', false},   {'_', false},   {0xb0, false},
                 {0x37e, false}, {' ', false},   {'1', false},   {0x3002, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char c[8] = "", behind[32], before[32];
        vb_utf8_put(cases[i].c, c);
        snprintf(behind, sizeof behind, "\xce\x91\xce\xa3%s\xce\x91", c);
        snprintf(before, sizeof before, "\xce\x91%s\xce\xa3", c);
        char *inside = vb_unicode_fold(behind, &err), *last = vb_unicode_fold(before, &err);
        assert_true(inside && last);
        if (!strstr(inside, cases[i].passed_over ? "\xcf\x83" : "\xcf\x82")) fail_msg("before U+%04X: %s", cases[i].c, inside);
        if (!strstr(last, cases[i].passed_over ? "\xcf\x82" : "\xcf\x83")) fail_msg("behind U+%04X: %s", cases[i].c, last);
        vb_free(inside);
        vb_free(last);
    }
}

static void invalid_bytes_become_replacement_characters(void **state) {
    (void)state;
    /* Python: bytes.decode("utf-8", "replace"), then the clean-up */
    static const struct {
        const char *bytes;
        size_t n;
        const char *clean;
    } cases[] = {{"A\xff"
                  "B",
                  3,
                  "a\xef\xbf\xbd"
                  "b"},
                 {"a\xe2\x82", 3, "a\xef\xbf\xbd"},
                 {"\xe2\x82"
                  "A",
                  3,
                  "\xef\xbf\xbd"
                  "a"},
                 {"\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
                 {"\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                 {"\xf0\x9f\x98", 3, "\xef\xbf\xbd"},
                 {"\xf4\x90\x80\x80", 4, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                 {"a\0b", 3, "ab"},
                 {"", 0, ""},
                 {"\0", 1, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *clean = vb_text_cleanup_as(VB_CLEAN_LOWER, cases[i].bytes, cases[i].n, &err);
        assert_non_null(clean);
        assert_string_equal(clean, cases[i].clean);
        vb_free(clean);
    }
}

static void short_merges_give_golden_ids(void **state) {
    (void)state;
    vb_tokenizer *t = open_short();
    assert_int_equal(vb_tokenizer_start(t), 812);
    assert_int_equal(vb_tokenizer_end(t), 813);
    assert_int_equal(vb_tokenizer_size(t), 814);
    compare_ids(t, 3, SHORT_CONTEXT);
    vb_tokenizer_close(t);
    assert_ok(vb_tokenizer_open_bpe(&t, merges_text(), strlen(merges_text()), 1, "short", &err));
    assert_int_equal(vb_tokenizer_start(t), 813); /* the mask token is 812 */
    assert_int_equal(vb_tokenizer_size(t), 815);
    vb_tokenizer_close(t);
}

static void the_context_cuts_and_keeps_the_end(void **state) {
    (void)state;
    vb_tokenizer *t = open_short();
    const char *text = "abc 12345 <|endoftext|> zz";
    int32_t whole[64], ids[64];
    int length;
    assert_ok(vb_tokenizer_encode(t, text, strlen(text), 64, whole, &length, &err));
    int first_end = length - 1, last_end = 63;
    while (whole[last_end] != 813) last_end--;
    assert_true(first_end < last_end); /* the token in the text comes before the one that closes it */
    for (int context = 1; context <= 64; context++) {
        memset(ids, 0x55, sizeof ids);
        assert_ok(vb_tokenizer_encode(t, text, strlen(text), context, ids, &length, &err));
        for (int k = 0; k < context; k++) assert_int_equal(ids[k], k == context - 1 && context <= last_end ? 813 : whole[k]);
        assert_int_equal(length, context <= first_end ? context : first_end + 1);
        bool fits;
        assert_ok(vb_tokenizer_fits(t, text, strlen(text), context, &fits, &err));
        assert_int_equal(fits, context > last_end);
    }
    assert_fails(vb_tokenizer_encode(t, text, strlen(text), 0, ids, NULL, &err), VB_EUSAGE, "context length 0");
    /* Whether a text fits depends on the cleaning that is in use: without points these three are one word. */
    bool fits[2];
    assert_ok(vb_tokenizer_fits(t, "a.b.c", 5, 6, &fits[0], &err));
    vb_tokenizer_clean(t, VB_CLEAN_CANONICALIZE);
    assert_ok(vb_tokenizer_fits(t, "a.b.c", 5, 6, &fits[1], &err));
    assert_true(!fits[0] && fits[1]);
    vb_tokenizer_close(t);
}

static void openai_merges_give_golden_ids(void **state) {
    (void)state;
    char path[1024];
    vb_tokenizer *t;
    vb_digest digest, masked;
    shared_path(path, "reference/bpe_simple_vocab_16e6.txt.gz");
    assert_ok(vb_tokenizer_file_read(&t, path, 0, &digest, &err));
    assert_int_equal(vb_tokenizer_size(t), 49408);
    assert_int_equal(vb_tokenizer_start(t), 49406);
    compare_ids(t, 2, CONTEXT);
    vb_tokenizer_close(t);
    assert_ok(vb_tokenizer_file_read(&t, path, 1, &masked, &err));
    assert_int_equal(vb_tokenizer_size(t), 49409);
    vb_tokenizer_close(t);
    assert_string_not_equal(digest.hex, masked.hex);
}

static void fixtures_are_equal(void **state) {
    (void)state;
    char path[1024];
    vb_texts texts;
    shared_path(path, "fixtures/texts.json");
    assert_ok(vb_texts_read(&texts, path, &err));
    for (int mask = 0; mask < 2; mask++) {
        vb_tokenizer *t;
        vb_npy truth;
        assert_ok(vb_tokenizer_file_read(&t, shared_path(path, "reference/bpe_simple_vocab_16e6.txt.gz"), mask, NULL, &err));
        assert_ok(vb_npy_open(&truth, shared_path(path, mask ? "fixtures/tokens_declip.npy" : "fixtures/tokens.npy"), &err));
        assert_int_equal(truth.tensor.shape[0], texts.count);
        assert_int_equal(truth.tensor.shape[1], CONTEXT);
        for (size_t i = 0; i < texts.count; i++) {
            int32_t ids[CONTEXT];
            assert_ok(vb_tokenizer_encode(t, texts.items[i], strlen(texts.items[i]), CONTEXT, ids, NULL, &err));
            for (int k = 0; k < CONTEXT; k++)
                assert_int_equal(ids[k], (int)vb_tensor_at(&truth.tensor, (int64_t)i * CONTEXT + k)); /* ids are exact in fp32 */
        }
        vb_npy_close(&truth);
        vb_tokenizer_close(t);
    }
    vb_texts_free(&texts);
}

static void broken_merges_name_the_line(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {{"", "m:1: empty file"},
                 {"i n\nt h\n", "m:1: expected a line with '#version', found 'i n'"},
                 {"#version: 0.2\n", "m:2: the file ends here"},
                 {"#version: 0.2\ni n\nth\n", "m:3: expected two symbols"},
                 {"#version: 0.2\ni n\n\nt h\n", "m:3: expected two symbols"},
                 {"#version: 0.2\na b c\n", "m:2: expected two symbols"},
                 {"#version: 0.2\ni n\nt  h\n", "m:3: expected two symbols"},
                 {"#version: 0.2\n h\n", "m:2: expected two symbols"},
                 {"#version: 0.2\ni \xff\n", "m:2: 'i ?' is not in the byte alphabet"},
                 {"#version: 0.2\ni \xe6\x97\xa5\n", "byte alphabet"},
                 {"#version: 0.2\ni\tn x\n", "m:2: 'i?n x' is not in the byte alphabet"}};
    vb_tokenizer *t;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(vb_tokenizer_open_bpe(&t, cases[i].text, strlen(cases[i].text), 0, "m", &err), VB_EDATA, cases[i].message);
        assert_null(t);
    }
    char *longest = vb_array(10100, 1, "line", &err);
    memcpy(longest, "#version\nx ", 11);
    memset(longest + 11, 'y', 10000);
    assert_fails(vb_tokenizer_open_bpe(&t, longest, strlen(longest), 0, "m", &err), VB_EDATA, "m:2: a symbol of 10001 bytes");
    vb_free(longest);
    assert_ok(vb_tokenizer_open_bpe(&t, "#version\r\ni n\r\n", 15, 0, "m", &err)); /* CRLF */
    int32_t ids[8];
    assert_ok(vb_tokenizer_encode(t, "ina", 3, 8, ids, NULL, &err));
    assert_int_equal(ids[1], 512);
    vb_tokenizer_close(t);
    /* Of symbols with equal texts the last line's id counts, and of equal lines the last rank, as in Python's dicts. */
    const char *twice = "#version\na b\nab c\nb c\na bc\na b\n";
    assert_ok(vb_tokenizer_open_bpe(&t, twice, strlen(twice), 0, "m", &err));
    assert_ok(vb_tokenizer_encode(t, "abcd", 4, 8, ids, NULL, &err));
    const int32_t expected[8] = {517, 515, 323, 518};
    assert_memory_equal(ids, expected, sizeof expected);
    vb_tokenizer_close(t);
}

static size_t gzip(const char *text, uint8_t *out, size_t room) {
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)strlen(text);
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void packed_files_are_checked(void **state) {
    (void)state;
    uint8_t packed[16384];
    size_t n = gzip(merges_text(), packed, sizeof packed - 1);
    const char *plain = scratch_path("m.txt"), *gz = scratch_path("m.txt.gz");
    vb_tokenizer *t;
    vb_digest a, b;
    assert_ok(vb_writer_write_whole(plain, merges_text(), strlen(merges_text()), &err));
    assert_ok(vb_writer_write_whole(gz, packed, n, &err));
    assert_ok(vb_tokenizer_file_read(&t, plain, 0, &a, &err));
    vb_tokenizer_close(t);
    assert_ok(vb_tokenizer_file_read(&t, gz, 0, &b, &err));
    compare_ids(t, 3, SHORT_CONTEXT);
    vb_tokenizer_close(t);
    assert_string_equal(a.hex, b.hex); /* of the content, packed or not */
    for (size_t cut = 2; cut < n; cut += 97) {
        assert_ok(vb_writer_write_whole(gz, packed, cut, &err));
        assert_fails(vb_tokenizer_file_read(&t, gz, 0, NULL, &err), VB_EDATA, "truncated gzip data");
    }
    packed[n] = 'x';
    assert_ok(vb_writer_write_whole(gz, packed, n + 1, &err));
    assert_fails(vb_tokenizer_file_read(&t, gz, 0, NULL, &err), VB_EDATA, "1 bytes behind the end");
    packed[n - 8] ^= 1; /* the checksum */
    assert_ok(vb_writer_write_whole(gz, packed, n, &err));
    assert_fails(vb_tokenizer_file_read(&t, gz, 0, NULL, &err), VB_EDATA, "corrupt gzip data");
    assert_ok(vb_writer_write_whole(gz, "plain", 5, &err));
    assert_fails(vb_tokenizer_file_read(&t, gz, 0, NULL, &err), VB_EDATA, "expected gzip data, by its name");
    assert_fails(vb_tokenizer_file_read(&t, scratch_path("none.gz"), 0, NULL, &err), VB_EMISSING, "none.gz");
    assert_null(t);
}

/* vocab.json of the short merges, with ids counted from the far end, so that nothing agrees by chance. */
static json_t *reversed_vocabulary(void) {
    json_t *object = json_object();
    char merges[8192], token[64];
    int id = 813;
    for (int last = 0; last < 2; last++) { /* the byte alphabet, written down another way than in the tokenizer */
        for (int letter = 0x21; letter < 0x144; letter++) {
            if ((letter > 0x7e && letter < 0xa1) || letter == 0xad) continue;
            if (letter < 0x80) snprintf(token, sizeof token, "%c%s", letter, last ? "</w>" : "");
            else snprintf(token, sizeof token, "%c%c%s", 0xc0 | letter >> 6, 0x80 | (letter & 63), last ? "</w>" : "");
            json_object_set_new(object, token, json_integer(id--));
        }
    }
    snprintf(merges, sizeof merges, "%s", merges_text());
    strtok(merges, "\n");
    for (char *line; (line = strtok(NULL, "\n"));) {
        char *space = strchr(line, ' ');
        snprintf(token, sizeof token, "%.*s%s", (int)(space - line), line, space + 1);
        json_object_set_new(object, token, json_integer(id--));
    }
    json_object_set_new(object, "<|startoftext|>", json_integer(id--));
    json_object_set_new(object, "<|endoftext|>", json_integer(id--));
    assert_int_equal(id, -1);
    return object;
}

static void write_vocabulary(json_t *object) { assert_int_equal(json_dump_file(object, scratch_path("vocab.json"), 0), 0); }

static void hugging_face_pairs_have_their_own_ids(void **state) {
    (void)state;
    json_t *object = reversed_vocabulary();
    vb_tokenizer *bpe = open_short(), *t;
    vb_digest digests[3];
    write_vocabulary(object);
    assert_fails(vb_tokenizer_file_read(&t, scratch, 0, NULL, &err), VB_EMISSING, "merges.txt");
    assert_ok(vb_writer_write_whole(scratch_path("merges.txt"), merges_text(), strlen(merges_text()), &err));
    const char *paths[3] = {scratch, scratch_path("vocab.json"), scratch_path("merges.txt")};
    for (int p = 0; p < 3; p++) {
        assert_ok(vb_tokenizer_file_read(&t, paths[p], 0, &digests[p], &err));
        assert_string_equal(digests[p].hex, digests[0].hex);
        assert_int_equal(vb_tokenizer_size(t), 814);
        assert_int_equal(vb_tokenizer_start(t), 1);
        assert_int_equal(vb_tokenizer_end(t), 0);
        for (size_t i = 0; i < rows(); i++) {
            int32_t a[SHORT_CONTEXT], b[SHORT_CONTEXT];
            int length;
            assert_ok(vb_tokenizer_encode(bpe, row_text(i), strlen(row_text(i)), SHORT_CONTEXT, a, &length, &err));
            assert_ok(vb_tokenizer_encode(t, row_text(i), strlen(row_text(i)), SHORT_CONTEXT, b, NULL, &err));
            for (int k = 0; k < length; k++) assert_int_equal(b[k], 813 - a[k]);
        }
        vb_tokenizer_close(t);
    }
    vb_tokenizer_close(bpe);

    assert_fails(vb_tokenizer_file_read(&t, scratch, 1, NULL, &err), VB_EMISMATCH, "<|mask|>");
    json_object_set_new(object, "<|mask|>", json_integer(900));
    write_vocabulary(object);
    assert_ok(vb_tokenizer_file_read(&t, scratch, 1, NULL, &err));
    assert_int_equal(vb_tokenizer_size(t), 901);
    vb_tokenizer_close(t);

    static const struct {
        const char *token;
        const char *id;
        int code;
        const char *message;
    } breaks[] = {{"a</w>", NULL, VB_EMISMATCH, "lacks the token 'a</w>'"},
                  {"<|endoftext|>", NULL, VB_EMISMATCH, "lacks the token '<|endoftext|>'"},
                  {"the</w>", NULL, VB_EMISMATCH, "'the</w>' is not in the vocabulary"},
                  {"x", "\"7\"", VB_EDATA, "token 'x' is not an integer"},
                  {"x", "-1", VB_EDATA, "token 'x' is not an integer"},
                  {"x", "1.5", VB_EDATA, "token 'x' is not an integer"},
                  {"x", "99999999999", VB_EDATA, "token 'x' is not an integer"},
                  {"x", "999999999", VB_EDATA, "'x' the id 999999999"},
                  {"x", "0", VB_EDATA, "id 0 to both"},
                  {"zz</w>", "990", VB_EMISMATCH, "merges.txt: 1 of "},
                  {"<|</w>", "990", VB_EMISMATCH, "entries of the vocabulary are made by no merge, such as '<|</w>': is "}};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        json_t *broken = json_copy(object);
        if (breaks[i].id) json_object_set_new(broken, breaks[i].token, json_loads(breaks[i].id, JSON_DECODE_ANY, NULL));
        else json_object_del(broken, breaks[i].token);
        write_vocabulary(broken);
        json_decref(broken);
        assert_fails(vb_tokenizer_file_read(&t, scratch, 0, NULL, &err), breaks[i].code, breaks[i].message);
    }
    json_decref(object);
    assert_ok(vb_writer_write_whole(scratch_path("vocab.json"), "{\"a\": 1,\n \"a\": 2}", 17, &err));
    assert_fails(vb_tokenizer_file_read(&t, scratch, 0, NULL, &err), VB_EDATA, "vocab.json:2:");
    assert_ok(vb_writer_write_whole(scratch_path("vocab.json"), "[1]", 3, &err));
    assert_fails(vb_tokenizer_file_read(&t, scratch, 0, NULL, &err), VB_EDATA, "expected an object");
    unlink(scratch_path("vocab.json"));
    assert_fails(vb_tokenizer_file_read(&t, scratch, 0, NULL, &err), VB_EMISSING, "no tokenizer in this folder");
    assert_ok(
        vb_tokenizer_file_read(&t, scratch_path("merges.txt"), 0, NULL, &err)); /* alone it is a merges file like OpenAI's */
    assert_int_equal(vb_tokenizer_start(t), 812);
    vb_tokenizer_close(t);
    unlink(scratch_path("merges.txt"));
}

/* As many times "amp;" in a row as the letter before "!" says, from a; ftfy 6.3.1 and html.unescape decoded the same texts. */
static void nested_references_are_decoded_in_few_passes(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"a &i!lt; b", "a < b"},
        {"&g!eacute; &c!#38;#38;x &", "é &x &"},
        {"&&h!#108;t; c", "< c"},
        {"&AMP;AMP;AMP;AMP;AMP;AMP;b!EACUTE;", "é"},
        {"Ã©&l!#x26;Ã©", "é&é"},
        {"&k!copy &#38;#38;#38;#38;#38;nbsp;d", "© d"},
        {"&i!#59; &i!bogus;", "; &bogus;"},
        {"<&f!lt;", "<&amp;amp;amp;amp;lt;"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256], *to = text;
        for (const char *at = cases[i][0]; *at; at++)
            if (at[1] != '!') *to++ = *at;
            else
                for (int n = *at++ - 'a' + 1; n > 0; n--) to = stpcpy(to, "amp;");
        char *clean = vb_text_cleanup_as(VB_CLEAN_LOWER, text, (size_t)(to - text), &err);
        assert_non_null(clean);
        assert_string_equal(clean, cases[i][1]);
        vb_free(clean);
    }
    enum { LEVELS = 200000 }; /* level by level this would take an hour */
    char *deep = vb_array(4 * LEVELS + 10, 1, "a text", &err), *to = deep;
    assert_non_null(deep);
    *to++ = '&';
    for (int n = 0; n < LEVELS; n++) to = stpcpy(to, "amp;");
    to = stpcpy(to, "eacute;");
    char *clean = vb_text_cleanup_as(VB_CLEAN_LOWER, deep, (size_t)(to - deep), &err);
    assert_non_null(clean);
    assert_string_equal(clean, "é");
    vb_free(clean);
    vb_free(deep);
}

/* Windows-1251 read twice: told by seven characters, the last a Latin letter or a blank. As ftfy 6.3.1 has them. */
static void cyrillic_mojibake_is_told_by_seven_characters(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"itГўВЂВ™s", "it's"}, {"ГўВЂВў a", "• a"}, {"itГўВЂВ™1", "itгўвђв™1"}, {"ГўВЂВ", "гўвђв"}, {"ГўВЂВ™", "гўвђв™"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *clean = vb_text_cleanup_as(VB_CLEAN_LOWER, cases[i][0], strlen(cases[i][0]), &err);
        assert_non_null(clean);
        assert_string_equal(clean, cases[i][1]);
        vb_free(clean);
    }
}

static void lack_of_memory_is_an_error_and_no_leak(void **state) {
    (void)state;
    const char *text = "Ã©tÃ© Å‚Ã³dÅº “q” ﬁ &amp; &EACUTE; e\u0301\u0323\u0301 &lt; ΑΣ\nÃ\u00a0 x â€œ";
    const char *merges = "#version\ni n\n";
    const char *path = scratch_path("small.gz");
    uint8_t packed[256];
    assert_ok(vb_writer_write_whole(path, packed, gzip(merges, packed, sizeof packed), &err));
    int32_t ids[CONTEXT], truth[CONTEXT];
    vb_tokenizer *t;
    assert_ok(vb_tokenizer_open_bpe(&t, merges, strlen(merges), 0, "m", &err));
    assert_ok(vb_tokenizer_encode(t, text, strlen(text), CONTEXT, truth, NULL, &err));
    vb_tokenizer_close(t);
    int failures = 0, successes = 0;
    for (int n = 1; successes < 20; n++) { /* without memory for its machine code PCRE2 interprets: a success in between */
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_error_clear(&err);
        vb_fault_setup(fault, 0);
        int status = vb_tokenizer_file_read(&t, path, 0, NULL, &err);
        if (!status) status = vb_tokenizer_encode(t, text, strlen(text), CONTEXT, ids, NULL, &err);
        vb_fault_setup(NULL, 0);
        vb_tokenizer_close(t);
        successes = status ? 0 : successes + 1;
        failures += status != 0;
        if (!status) assert_memory_equal(ids, truth, sizeof ids);
        else if (err.code != VB_EMEMORY) fail_msg("allocation %d: code %d, %s", n, err.code, err.text);
    }
    assert_true(failures > 560); /* the 512 byte symbols, the tables, the file, the steps of the clean-up */
}

/* The block of one tokenizer serves another, from memory and from a file in a cache; damaged blocks are refused or harmless. */
static void tables_can_be_shared(void **state) {
    (void)state;
    static const char *const text = "in the inn, thin things \u00e9t\u00e9 <|endoftext|> 12";
    vb_tokenizer *t, *other;
    vb_digest digest;
    vb_map map;
    size_t size;
    int32_t truth[CONTEXT], ids[CONTEXT];
    const char *plain = scratch_path("m.txt");
    assert_ok(vb_writer_write_whole(plain, merges_text(), strlen(merges_text()), &err));
    assert_ok(vb_tokenizer_file_read(&t, plain, 0, &digest, &err));
    assert_ok(vb_tokenizer_encode(t, text, strlen(text), CONTEXT, truth, NULL, &err));
    const uint8_t *bytes = vb_tokenizer_bytes(t, &size);
    assert_ok(vb_tokenizer_map(&other, bytes, size, &err));
    assert_int_equal(vb_tokenizer_size(other), vb_tokenizer_size(t));
    assert_ok(vb_tokenizer_encode(other, text, strlen(text), CONTEXT, ids, NULL, &err));
    assert_memory_equal(ids, truth, sizeof ids);
    vb_tokenizer_close(other);
    for (size_t cut = 0; cut < size; cut += cut < 4096 ? 8 : 509)
        assert_fails(vb_tokenizer_map(&other, bytes, cut, &err), VB_EDATA, "no tables");
    uint8_t *damaged = vb_array(size, 1, "block", &err);
    for (size_t i = 0; i < size; i += i < 2200 ? 1 : 97) {
        memcpy(damaged, bytes, size);
        damaged[i] ^= 0x80;
        if (vb_tokenizer_map(&other, damaged, size, &err)) continue;
        vb_tokenizer_encode(other, text, strlen(text), CONTEXT, ids, NULL, &err); /* other ids perhaps, but none outside */
        for (int k = 0; k < CONTEXT; k++) assert_in_range(ids[k] + 1, 0, vb_tokenizer_size(other));
        vb_tokenizer_close(other);
    }
    /* In a cache: nothing there, then written once, then found; a damaged file is written again, be its tables sound. */
    memcpy(damaged, bytes, size);
    memcpy(damaged + size - 4, damaged + size - 8, 4);
    const char *cache = scratch_path("cache");
    char path[1200];
    snprintf(path, sizeof path, "%s/tokenizers/%s.tables", cache, digest.hex);
    vb_digest tables = {""};
    assert_ok(vb_tokenizer_file_find(&other, &map, cache, &digest, &tables, &err));
    assert_null(other);
    for (int k = 0; k < 3; k++) {
        assert_ok(vb_tokenizer_file_share(&t, &map, cache, &digest, &tables, &err));
        assert_int_equal(map.size, size);
        assert_ok(vb_tokenizer_encode(t, text, strlen(text), CONTEXT, ids, NULL, &err));
        assert_memory_equal(ids, truth, sizeof ids);
        vb_tokenizer_close(t);
        vb_map_close(&map);
        assert_ok(vb_tokenizer_file_find(&t, &map, cache, &digest, &tables, &err));
        assert_non_null(t);
        vb_tokenizer_close(t);
        vb_map_close(&map);
        if (k) assert_ok(vb_writer_write_whole(path, damaged, k == 1 ? 10 : size, &err));
        if (k) assert_ok(vb_tokenizer_file_find(&other, &map, cache, &digest, &tables, &err));
        if (k) assert_null(other);
        assert_ok(vb_tokenizer_file_read(&t, plain, 0, NULL, &err));
    }
    vb_fault_setup("write:1:ENOSPC", 0);
    assert_fails(vb_tokenizer_file_share(&t, &map, cache, &digest, &tables, &err), VB_EOUTPUT,
                 ".tables: cannot write: No space left");
    vb_free(damaged);
    vb_fault_setup(NULL, 0);
    vb_tokenizer_close(t);
}

static void one_tokenizer_serves_many_threads(void **state) {
    (void)state;
    vb_tokenizer *t = open_short();
    int wrong = 0;
#pragma omp parallel for num_threads(4) reduction(+ : wrong) schedule(dynamic)
    for (int i = 0; i < 4 * (int)rows(); i++) {
        size_t r = (size_t)i % rows();
        const char *text = row_text(r);
        json_t *truth = json_array_get(row(r), 3);
        int32_t ids[SHORT_CONTEXT];
        vb_error own;
        wrong += vb_tokenizer_encode(t, text, strlen(text), SHORT_CONTEXT, ids, NULL, &own) != 0;
        for (size_t k = 0; k < json_array_size(truth); k++) wrong += ids[k] != json_integer_value(json_array_get(truth, k));
    }
    assert_int_equal(wrong, 0);
    vb_tokenizer_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_cleaned_as_in_python),
                                       cmocka_unit_test(sigmas_end_words_as_in_python),
                                       cmocka_unit_test(invalid_bytes_become_replacement_characters),
                                       cmocka_unit_test(short_merges_give_golden_ids),
                                       cmocka_unit_test(the_context_cuts_and_keeps_the_end),
                                       cmocka_unit_test(openai_merges_give_golden_ids),
                                       cmocka_unit_test(fixtures_are_equal),
                                       cmocka_unit_test(broken_merges_name_the_line),
                                       cmocka_unit_test(packed_files_are_checked),
                                       cmocka_unit_test(hugging_face_pairs_have_their_own_ids),
                                       cmocka_unit_test(nested_references_are_decoded_in_few_passes),
                                       cmocka_unit_test(cyrillic_mojibake_is_told_by_seven_characters),
                                       cmocka_unit_test(lack_of_memory_is_an_error_and_no_leak),
                                       cmocka_unit_test(tables_can_be_shared),
                                       cmocka_unit_test(one_tokenizer_serves_many_threads)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
