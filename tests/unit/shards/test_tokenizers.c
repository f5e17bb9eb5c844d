/* Tests of SentencePiece, WordPiece and Hugging Face's tokenizers against the libraries' ids, and of broken files. */
#include <jansson.h>
#include <math.h>

#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "kernels/text/tokenizer.h"
#include "shards/text/tokenizer_file.h"

enum { ROOM = 4096 };
static vb_error err;

/* ---- SentencePiece models, written field by field ---- */

typedef struct bytes {
    uint8_t data[1 << 18];
    size_t n;
} bytes;

static void put_bytes(bytes *out, const void *data, size_t n) {
    assert_true(out->n + n <= sizeof out->data);
    if (n) memcpy(out->data + out->n, data, n);
    out->n += n;
}

static void put_varint(bytes *out, uint64_t value) {
    for (; value > 127; value >>= 7) put_bytes(out, &(uint8_t){(uint8_t)(value & 127) | 128}, 1);
    put_bytes(out, &(uint8_t){(uint8_t)value}, 1);
}

static void put_number(bytes *out, int field, uint64_t value) {
    put_varint(out, (uint64_t)field << 3);
    put_varint(out, value);
}

static void put_block(bytes *out, int field, const void *data, size_t n) {
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, n);
    put_bytes(out, data, n);
}

static void put_piece(bytes *out, const char *text, size_t n, float score, int type) {
    static bytes piece;
    piece.n = 0;
    put_block(&piece, 1, text, n);
    put_bytes(&piece, &(uint8_t){2 << 3 | 5}, 1);
    put_bytes(&piece, &score, sizeof score);
    put_number(&piece, 3, (uint64_t)type);
    put_block(out, 1, piece.data, piece.n);
}

typedef struct settings {
    int type, byte_fallback, suffix;
    const uint8_t *charsmap;
    size_t charsmap_size;
    int prefix, squeeze, escape;
} settings;
static const settings usual = {.type = 1, .prefix = 1, .squeeze = 1, .escape = 1};

static void put_settings(bytes *out, const settings *s) {
    static bytes spec;
    spec.n = 0;
    put_number(&spec, 3, (uint64_t)s->type);
    put_number(&spec, 24, (uint64_t)s->suffix);
    put_number(&spec, 35, (uint64_t)s->byte_fallback);
    put_block(out, 2, spec.data, spec.n);
    spec.n = 0;
    if (s->charsmap_size) put_block(&spec, 2, s->charsmap, s->charsmap_size);
    put_number(&spec, 3, (uint64_t)s->prefix);
    put_number(&spec, 4, (uint64_t)s->squeeze);
    put_number(&spec, 5, (uint64_t)s->escape);
    put_block(out, 3, spec.data, spec.n);
}

static int read_bytes(vb_tokenizer **t, const bytes *model) {
    put_file("made.model", model->data, model->n);
    return vb_tokenizer_file_read(t, scratch_path("made.model"), false, NULL, &err);
}

/* ---- the libraries' ids ---- */

static bool same_ids(const vb_tokenizer *t, const char *text, const json_t *row) {
    static int32_t ids[ROOM];
    const int n = vb_tokenizer_cut(t, text, strlen(text), ROOM, ids, &err);
    if (n < 0) fail_msg("%s", err.text);
    bool same = (size_t)n == json_array_size(row);
    for (int k = 0; k < n && same; k++) same = ids[k] == json_integer_value(json_array_get(row, (size_t)k));
    return same;
}

static json_t *read_json(const char *path) {
    json_error_t why;
    json_t *json = json_load_file(path, 0, &why);
    if (!json) fail_msg("%s: %s", path, why.text);
    return json;
}

static size_t unhex(const char *hex, uint8_t *out, size_t room) {
    const size_t n = strlen(hex) / 2;
    assert_true(n <= room);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    return n;
}

static void models_give_the_library_s_ids(void **state) {
    (void)state;
    static bytes model;
    static uint8_t charsmap[1 << 16];
    json_t *golden = read_json("tests/golden/pieces.json"), *made, *piece, *row;
    const size_t size = unhex(json_string_value(json_object_get(golden, "charsmap")), charsmap, sizeof charsmap);
    size_t m, i;
    json_array_foreach(json_object_get(golden, "models"), m, made) {
        model.n = 0;
        json_array_foreach(json_object_get(made, "pieces"), i, piece) {
            const char *text = json_string_value(json_array_get(piece, 0));
            put_piece(&model, text, strlen(text), (float)json_number_value(json_array_get(piece, 1)),
                      (int)json_integer_value(json_array_get(piece, 2)));
        }
        settings s = {.type = (int)json_integer_value(json_object_get(made, "type")),
                      .byte_fallback = (int)json_integer_value(json_object_get(made, "bytes")),
                      .prefix = (int)json_integer_value(json_object_get(made, "prefix")),
                      .squeeze = (int)json_integer_value(json_object_get(made, "squeeze")),
                      .escape = (int)json_integer_value(json_object_get(made, "escape"))};
        if (json_is_true(json_object_get(made, "charsmap"))) {
            s.charsmap = charsmap;
            s.charsmap_size = size;
        }
        put_settings(&model, &s);
        vb_tokenizer *t;
        assert_ok(read_bytes(&t, &model));
        json_array_foreach(json_object_get(made, "rows"), i, row) {
            const char *text = json_string_value(json_array_get(row, 0));
            if (!same_ids(t, text, json_array_get(row, 1))) fail_msg("model %zu, text %zu '%s': other ids", m, i, text);
        }
        vb_tokenizer_close(t);
    }
    assert_int_equal(m, 8);
    json_decref(golden);
}

static void json_files_give_the_library_s_ids(void **state) {
    (void)state;
    const char *more = getenv("VB_MORE_TOKENIZERS");
    json_t *golden = read_json(more ? more : "tests/golden/huggingface.json"), *made, *row;
    size_t m, i;
    json_array_foreach(golden, m, made) {
        vb_tokenizer *t;
        put_text("tokenizer.json", json_string_value(json_object_get(made, "json")));
        assert_ok(vb_tokenizer_file_read(&t, scratch_path("tokenizer.json"), false, NULL, &err));
        json_array_foreach(json_object_get(made, "rows"), i, row) {
            const char *text = json_string_value(json_array_get(row, 0));
            if (!same_ids(t, text, json_array_get(row, 1)))
                fail_msg("tokenizer %zu, text %zu '%s': other ids: %s", m, i, text, json_dumps(made, 0));
        }
        vb_tokenizer_close(t);
    }
    unlink(scratch_path("tokenizer.json"));
    json_decref(golden);
}

/* Ids of 1,110 texts: class prompts, captions, random Unicode. */
static void compare_all(const char *file, const char *column) {
    char path[1024];
    json_t *truth = read_json(shared_path(path, "zoo/fixtures/tok/ids.json")), *texts = json_object_get(truth, "texts"),
           *rows = json_object_get(truth, column), *row;
    vb_tokenizer *t;
    vb_digest digest;
    assert_ok(vb_tokenizer_file_read(&t, shared_path(path, file), false, &digest, &err));
    size_t i;
    assert_int_equal(json_array_size(rows), 1110);
    json_array_foreach(rows, i, row) {
        const char *text = json_string_value(json_array_get(texts, i));
        if (!same_ids(t, text, row)) fail_msg("%s, text %zu '%s': other ids", file, i, text);
    }
    vb_tokenizer_close(t);
    json_decref(truth);
}

static void unigram_of_siglip(void **state) { (void)state, compare_all("zoo/fixtures/tok/uni.model", "uni"); }
static void unigram_of_xlm_roberta(void **state) { (void)state, compare_all("zoo/fixtures/tok/xlm.model", "xlm"); }
static void bpe_of_gemma(void **state) { (void)state, compare_all("zoo/fixtures/tok/bpe.model", "bpe"); }
static void wordpiece_of_bert(void **state) { (void)state, compare_all("zoo/fixtures/tok/vocab.txt", "wordpiece"); }

/* ---- broken models ---- */

static void put_usual_pieces(bytes *model) {
    model->n = 0;
    put_piece(model, "<unk>", 5, 0, 2);
    put_piece(model, "a", 1, -1, 1);
    put_piece(model, "b", 1, -2, 1);
}

static void broken_models_are_told(void **state) {
    (void)state;
    static bytes model;
    vb_tokenizer *t;
    static const struct {
        const char *text, *message;
        size_t n;
        float score;
        int type;
        vb_code code;
    } pieces[] = {{"a", "pieces 1 and 3 are both 'a'", 1, 0, 1, VB_EDATA},
                  {"", "piece 3 has no text", 0, 0, 1, VB_EDATA},
                  {"\xff", "piece 3 ('?') is no UTF-8", 1, 0, 1, VB_EDATA},
                  {"c", "piece 3 ('c') has the score nan", 1, NAN, 1, VB_EDATA},
                  {"c", "piece 3 ('c') has the score inf", 1, INFINITY, 1, VB_EDATA},
                  {"c", "piece 3 ('c') has the type 7", 1, 0, 7, VB_EDATA},
                  {"c", "both of the type unknown", 1, 0, 2, VB_EDATA}};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        put_usual_pieces(&model);
        put_piece(&model, pieces[i].text, pieces[i].n, pieces[i].score, pieces[i].type);
        put_settings(&model, &usual);
        assert_fails(read_bytes(&t, &model), pieces[i].code, pieces[i].message);
        assert_null(t);
    }
    static const struct {
        settings s;
        const char *message;
        vb_code code;
    } kinds[] = {{{.type = 3}, "SentencePiece model of words", VB_EUNSUPPORTED},
                 {{.type = 4}, "SentencePiece model of characters", VB_EUNSUPPORTED},
                 {{.type = 9}, "of type 9", VB_EDATA},
                 {{.type = 1, .suffix = 1}, "treat_whitespace_as_suffix", VB_EUNSUPPORTED},
                 {{.type = 2, .byte_fallback = 1}, "there is no piece <0x00>", VB_EMISMATCH}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        put_usual_pieces(&model);
        put_settings(&model, &kinds[i].s);
        assert_fails(read_bytes(&t, &model), kinds[i].code, kinds[i].message);
    }
    model.n = 0;
    put_piece(&model, "a", 1, -1, 1);
    assert_fails(read_bytes(&t, &model), VB_EDATA, "none of them of the type unknown");
    put_file("made.model", "", 0);
    assert_fails(vb_tokenizer_file_read(&t, scratch_path("made.model"), false, NULL, &err), VB_EDATA, "0 pieces");
    put_usual_pieces(&model);
    assert_fails(vb_tokenizer_file_read(&t, scratch_path("made.model"), true, NULL, &err), VB_EMISMATCH, "mask token");
}

/* Every beginning of a model is an error, or a model with fewer fields; nothing is read beyond it (make sanitize). */
static void truncated_models_are_told(void **state) {
    (void)state;
    static bytes model, part;
    vb_tokenizer *t;
    put_usual_pieces(&model);
    put_settings(&model, &usual);
    int refused = 0;
    for (part.n = 0; part.n < model.n; part.n++) {
        memcpy(part.data, model.data, part.n);
        if (!read_bytes(&t, &part)) vb_tokenizer_close(t);
        else {
            assert_int_equal(err.code, VB_EDATA);
            refused++;
        }
    }
    assert_true(refused > (int)model.n / 2);
    memcpy(part.data, model.data, part.n = 10);
    assert_fails(read_bytes(&t, &part), VB_EDATA, "made.model: byte 2: a field is longer than what is left");
    /* The tenth byte of a number has its highest bit alone. */
    memcpy(part.data, model.data, part.n = model.n);
    put_number(&part, 99, UINT64_MAX);
    assert_ok(read_bytes(&t, &part));
    vb_tokenizer_close(t);
    part.data[part.n - 1] = 2;
    assert_fails(read_bytes(&t, &part), VB_EDATA, "a number of more than 64 bits");
}

/* The charsmap of the golden models with one of its units changed. */
static void broken_charsmaps_are_told(void **state) {
    (void)state;
    static bytes model;
    static uint8_t charsmap[1 << 16];
    vb_tokenizer *t;
    json_t *golden = read_json("tests/golden/pieces.json");
    const size_t size = unhex(json_string_value(json_object_get(golden, "charsmap")), charsmap, sizeof charsmap);
    json_decref(golden);
    uint32_t n;
    memcpy(&n, charsmap, 4);
    uint32_t unit; /* of "A", whose value lies where its children begin */
    memcpy(&unit, charsmap + 4 + 4 * (256 + 'A'), 4);
    const size_t value = (256 + 'A') ^ (size_t)(unit >> 10);
    settings s = usual;
    s.charsmap = charsmap;
    const struct {
        size_t at;
        uint32_t value;
        size_t size;
        const char *message;
    } cases[] = {{0, n, 3, "precompiled_charsmap of 3 bytes"},
                 {0, n + 1, size, "expected whole units"},
                 {0, (uint32_t)size, size, "expected whole units within it"},
                 {0, 0, size, "a double array of 0 bytes"},
                 {0, n, size - 1, "do not end with a NUL"},
                 {4, 0x1fffffu << 10, size, "unit 0 points to 2097151"},
                 {4 + 4 * (256 + 'A'), 'A' | ('A' ^ 0) << 10, size, "lies on a circle"},
                 {4 + 4 * value, 1u << 31 | (uint32_t)size, size, "has its replacement at byte"},
                 {4 + n, 0xff, size, "is no UTF-8"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t before[4];
        memcpy(before, charsmap + cases[i].at, 4);
        memcpy(charsmap + cases[i].at, &cases[i].value, 4);
        s.charsmap_size = cases[i].size;
        put_usual_pieces(&model);
        put_settings(&model, &s);
        if (!read_bytes(&t, &model)) fail_msg("case %zu was read", i);
        memcpy(charsmap + cases[i].at, before, 4);
        if (err.code != VB_EDATA || !strstr(err.text, cases[i].message)) fail_msg("case %zu: %s", i, err.text);
    }
}

static void broken_json_files_are_told(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
        vb_code code;
    } cases[] = {
        {"[1]", "model: type: expected Unigram, BPE or WordPiece", VB_EDATA},
        {"{\"model\": ", "tokenizer.json:1:", VB_EDATA},
        {"{\"model\": {\"type\": \"WordLevel\"}}", "model of the type WordLevel, which is not computed here", VB_EUNSUPPORTED},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": {}}}", "vocab: expected a list", VB_EDATA},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", \"b\"]]}}", "vocab: entry 0", VB_EDATA},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", 0]], \"unk_id\": 1}}", "unk_id: expected the number", VB_EDATA},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", 0], [\"a\", 1]], \"unk_id\": 0}}",
         "pieces 0 and 1 are both 'a'", VB_EDATA},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", 0]]}}", "a unigram model needs an unknown one", VB_EDATA},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": \"b\"}, \"merges\": []}}", "'a': expected an id", VB_EDATA},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}, \"merges\": []}}", "piece 'a' has the id -1", VB_EDATA},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [\"aa\"]}}", "merges: entry 0", VB_EDATA},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [\"a a\"]}}", "merge 0 ('a' and 'a'): their join is",
         VB_EMISMATCH},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [[\"b\", \"a\"]]}}", "the first is not in the",
         VB_EMISMATCH},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [], \"byte_fallback\": true}}", "no piece <0x00>",
         VB_EMISMATCH},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [], \"unk_token\": \"b\"}}",
         "unk_token: expected a piece", VB_EDATA},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [], \"end_of_word_suffix\": \"_\"}}",
         "expected </w>", VB_EUNSUPPORTED},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [], \"dropout\": 0.1}}", "dropout", VB_EUNSUPPORTED},
        {"{\"added_tokens\": [{\"id\": 2, \"content\": \"a\"}], \"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, "
         "\"merges\": []}}",
         "'a' has the id 2, and another one in the vocabulary", VB_EMISMATCH},
        {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 1}}}", "needs the normalizer BertNormalizer", VB_EUNSUPPORTED},
        {"{\"normalizer\": {\"type\": \"BertNormalizer\"}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"model\": "
         "{\"type\": "
         "\"WordPiece\", \"vocab\": {\"a\": 1}, \"unk_token\": \"a\", \"continuing_subword_prefix\": \"##\", "
         "\"max_input_chars_per_word\": 0}}",
         "max_input_chars_per_word: expected a number from 1", VB_EDATA},
        {"{\"normalizer\": {\"type\": \"Nmt\"}}", "normalizer of the type Nmt, which is not computed here", VB_EUNSUPPORTED},
        {"{\"normalizer\": {\"type\": \"Sequence\"}}", "normalizer: expected a list normalizers", VB_EDATA},
        {"{\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"?\"}}", "expected base64", VB_EDATA},
        {"{\"normalizer\": {\"type\": \"Replace\", \"pattern\": {}, \"content\": \"\"}}", "pattern: expected an object",
         VB_EDATA},
        {"{\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"Regex\": \"(\"}, \"content\": \"\"}, \"model\": {\"type\": "
         "\"BPE\", "
         "\"vocab\": {\"a\": 1}, \"merges\": []}}",
         "the pattern '(' is refused", VB_EDATA},
        {"{\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"Regex\": \"\\\\C\"}, \"content\": \"\"}, \"model\": "
         "{\"type\": "
         "\"BPE\", "
         "\"vocab\": {\"a\": 1}, \"merges\": []}}",
         "the pattern '\\C' is refused", VB_EDATA},
        {"{\"pre_tokenizer\": {\"type\": \"Digits\"}}", "pre_tokenizer of the type Digits", VB_EUNSUPPORTED},
        {"{\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"String\": \"a\"}, \"behavior\": \"Contiguous\"}}", "behavior",
         VB_EUNSUPPORTED},
        {"{\"post_processor\": {\"type\": \"Strange\"}}", "post_processor of the type Strange", VB_EUNSUPPORTED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_tokenizer *t;
        put_text("tokenizer.json", cases[i].text);
        if (!vb_tokenizer_file_read(&t, scratch_path("tokenizer.json"), false, NULL, &err)) fail_msg("case %zu was read", i);
        if (err.code != (int)cases[i].code || !strstr(err.text, cases[i].message)) fail_msg("case %zu: %s", i, err.text);
        assert_null(t);
    }
    unlink(scratch_path("tokenizer.json"));
}

static void lines_of_merges_are_counted(void **state) {
    (void)state;
    vb_tokenizer *t;
    put_text("vocab.json", "{\"!\": 0, \"a\": 1}");
    put_text("merges.txt", "#version: 0.2\n\na b c\n");
    assert_fails(vb_tokenizer_file_read(&t, scratch_path("merges.txt"), false, NULL, &err), VB_EDATA,
                 "merges.txt:3: expected two symbols");
    unlink(scratch_path("vocab.json"));
    unlink(scratch_path("merges.txt"));
}

/* A look-ahead that calls a group can move a match's beginning behind its end. */
static void patterns_find_forwards(void **state) {
    (void)state;
    static const char *const kinds[] = {"\"normalizer\": {\"type\": \"Replace\", \"content\": \"\",",
                                        "\"pre_tokenizer\": {\"type\": \"Split\", \"behavior\": \"Isolated\","};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        vb_tokenizer *t;
        char text[512];
        int32_t ids[4];
        snprintf(
            text, sizeof text,
            "{%s \"pattern\": {\"Regex\": \"(?=(?&x))a(?(DEFINE)(?<x>ab\\\\K))\"}}, \"model\": {\"type\": \"BPE\", \"vocab\": "
            "{\"a\": 1}, \"merges\": []}}",
            kinds[i]);
        put_text("tokenizer.json", text);
        assert_ok(vb_tokenizer_file_read(&t, scratch_path("tokenizer.json"), false, NULL, &err));
        assert_int_equal(vb_tokenizer_cut(t, "a", 1, 4, ids, &err), 1);
        assert_fails(vb_tokenizer_cut(t, "ab", 2, 4, ids, &err), VB_EDATA, "begins before its search, or behind its end");
        vb_tokenizer_close(t);
    }
    unlink(scratch_path("tokenizer.json"));
}

/* ---- what surrounds a tokenizer ---- */

static void conventions_surround_the_ids(void **state) {
    (void)state;
    vb_tokenizer *t;
    int32_t ids[12];
    int length;
    put_text("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##able\n.\n##d\n");
    assert_ok(vb_tokenizer_file_read(&t, scratch, false, NULL, &err));
    assert_string_equal(vb_tokenizer_convention(t)->name, "plain");
    static const struct {
        const char *convention, *text;
        int context, length, ids[8];
    } rows[] = {{"plain", "Unable.", 8, 3, {4, 5, 6, 0, 0, 0, 0, 0}},
                {"bert", "\303\234nabled . &amp; x", 8, 8, {2, 4, 5, 7, 6, 1, 1, 3}},
                {"bert", "unable", 8, 4, {2, 4, 5, 3, 0, 0, 0, 0}},
                {"bert", "unable", 3, 3, {2, 4, 3}},
                {"bert", "unable", 1, 1, {3}},
                {"clipa", "unable", 8, 4, {2, 4, 5, 0, 0, 0, 0, 0}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_ok(vb_tokenizer_use(t, &vb_convention_rows[vb_convention_index(rows[i].convention)], "v", &err));
        assert_ok(vb_tokenizer_encode(t, rows[i].text, strlen(rows[i].text), rows[i].context, ids, &length, &err));
        for (int k = 0; k < rows[i].context; k++)
            if (ids[k] != rows[i].ids[k]) fail_msg("row %zu, id %d is %d", i, k, ids[k]);
        assert_int_equal(length, rows[i].length);
    }
    assert_fails(vb_tokenizer_use(t, &vb_convention_rows[vb_convention_index("siglip")], "v", &err), VB_EMISMATCH,
                 "v: a tokenizer of the kind WordPiece, with which the convention siglip (SigLIP) does not go");
    assert_int_equal(vb_convention_choose("siglip clipa bert", -1, VB_TOKENIZER_WORDS), vb_convention_index("clipa"));
    assert_int_equal(vb_convention_choose("siglip", -1, VB_TOKENIZER_WORDS), -1);
    vb_tokenizer_close(t);
    put_text("vocab.txt", "[UNK]\na\n");
    assert_ok(vb_tokenizer_file_read(&t, scratch, false, NULL, &err));
    assert_fails(vb_tokenizer_use(t, &vb_convention_rows[vb_convention_index("bert")], "v", &err), VB_EMISMATCH,
                 "v: the tokenizer has no token [CLS], which begins texts");
    vb_tokenizer_close(t);
    put_text("vocab.txt", "a\nb\n");
    assert_fails(vb_tokenizer_file_read(&t, scratch, false, NULL, &err), VB_EDATA, "without [UNK]");
    unlink(scratch_path("vocab.txt"));
}

/* Fairseq's ids: SentencePiece's are one more, <unk> is 3. */
static void xlm_roberta_moves_the_ids(void **state) {
    (void)state;
    static bytes model;
    vb_tokenizer *t;
    int32_t ids[8];
    model.n = 0;
    put_piece(&model, "<unk>", 5, 0, 2);
    put_piece(&model, "<s>", 3, 0, 3);
    put_piece(&model, "</s>", 4, 0, 3);
    put_piece(&model, "\342\226\201a", 4, -1, 1);
    put_settings(&model, &usual);
    assert_ok(read_bytes(&t, &model));
    assert_ok(vb_tokenizer_use(t, &vb_convention_rows[vb_convention_index("xlm_roberta")], "m", &err));
    assert_int_equal(vb_tokenizer_size(t), 5);
    assert_ok(vb_tokenizer_encode(t, "a A", 3, 8, ids, NULL, &err));
    const int32_t expected[8] = {0, 4, 3, 2, 1, 1, 1, 1};
    assert_memory_equal(ids, expected, sizeof ids);
    vb_tokenizer_close(t);
}

static void canonical_texts(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"A_photo of, a  {DOG}!", "a photo of a dog"},
                                           {"caf\303\211_& \342\200\234x\342\200\235", "caf\303\251 x"},
                                           {" \n", ""},
                                           {"&lt;b&gt; it's", "b its"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *clean = vb_text_cleanup_as(VB_CLEAN_CANONICALIZE, cases[i][0], strlen(cases[i][0]), &err);
        assert_string_equal(clean, cases[i][1]);
        vb_free(clean);
    }
    char *kept = vb_text_cleanup_as(VB_CLEAN_WHITESPACE, "  A &amp;\tB ", 12, &err);
    assert_string_equal(kept, "A & B");
    vb_free(kept);
    kept = vb_text_cleanup_as(VB_CLEAN_NONE, " A\377 ", 4, &err);
    assert_string_equal(kept, " A\357\277\275 ");
    vb_free(kept);
}

/* ---- long texts, shared tables, lack of memory ---- */

static void long_texts_are_cut_in_little_time(void **state) {
    (void)state;
    static bytes model;
    enum { N = 1 << 20 };
    char *text = malloc(N);
    int32_t *ids = malloc(N * sizeof *ids);
    assert_true(text && ids);
    memset(text, 'a', N);
    for (int type = 1; type <= 2; type++) {
        vb_tokenizer *t;
        settings s = usual;
        s.type = type;
        put_usual_pieces(&model);
        put_piece(&model, "aa", 2, -1.5f, 1);
        put_piece(&model, "aaaa", 4, -1.75f, 1);
        put_settings(&model, &s);
        assert_ok(read_bytes(&t, &model));
        assert_int_equal(vb_tokenizer_cut(t, text, N, N, ids, &err), N / 4 + 1);
        vb_tokenizer_close(t);
    }
    free(text);
    free(ids);
}

static void tables_are_checked_before_they_are_used(void **state) {
    (void)state;
    static bytes model;
    vb_tokenizer *t, *mapped;
    size_t size;
    put_usual_pieces(&model);
    put_settings(&model, &usual);
    assert_ok(read_bytes(&t, &model));
    const void *tables = vb_tokenizer_bytes(t, &size);
    uint8_t *copy = vb_array(size, 1, "copy", &err);
    memcpy(copy, tables, size);
    assert_ok(vb_tokenizer_map(&mapped, copy, size, &err));
    int32_t ids[4], other[4];
    const int n = vb_tokenizer_cut(t, "ab", 2, 4, ids, &err);
    assert_int_equal(vb_tokenizer_cut(mapped, "ab", 2, 4, other, &err), n);
    assert_memory_equal(ids, other, (size_t)n * sizeof *ids);
    vb_tokenizer_close(mapped);
    for (size_t i = 0; i < size; i++) { /* what is taken can be used: nothing crashes, nothing hangs */
        copy[i] ^= 0xff;
        if (!vb_tokenizer_map(&mapped, copy, size, &err)) {
            vb_tokenizer_cut(mapped, "ab c", 4, 4, other, &err);
            vb_tokenizer_close(mapped);
        }
        copy[i] ^= 0xff;
    }
    assert_fails(vb_tokenizer_map(&mapped, copy, size - 1, &err), VB_EDATA, "no tables of a tokenizer");
    vb_free(copy);
    vb_tokenizer_close(t);
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    static bytes model;
    vb_tokenizer *t;
    int32_t ids[8];
    put_usual_pieces(&model);
    put_settings(&model, &usual);
    put_file("made.model", model.data, model.n);
    for (int n = 1; n < 40; n++) {
        char fault[32];
        const char *path = scratch_path("made.model");
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        err.code = 0;
        int status = vb_tokenizer_file_read(&t, path, false, NULL, &err);
        int count = status ? -1 : vb_tokenizer_encode(t, "ab ba", 5, 8, ids, NULL, &err);
        vb_fault_setup(NULL, 0);
        assert_int_equal(err.code, count < 0 ? VB_EMEMORY : VB_OK);
        if (!status) vb_tokenizer_close(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(models_give_the_library_s_ids),
                                       cmocka_unit_test(json_files_give_the_library_s_ids),
                                       cmocka_unit_test(unigram_of_siglip),
                                       cmocka_unit_test(unigram_of_xlm_roberta),
                                       cmocka_unit_test(bpe_of_gemma),
                                       cmocka_unit_test(wordpiece_of_bert),
                                       cmocka_unit_test(broken_models_are_told),
                                       cmocka_unit_test(truncated_models_are_told),
                                       cmocka_unit_test(broken_charsmaps_are_told),
                                       cmocka_unit_test(broken_json_files_are_told),
                                       cmocka_unit_test(lines_of_merges_are_counted),
                                       cmocka_unit_test(patterns_find_forwards),
                                       cmocka_unit_test(conventions_surround_the_ids),
                                       cmocka_unit_test(xlm_roberta_moves_the_ids),
                                       cmocka_unit_test(canonical_texts),
                                       cmocka_unit_test(long_texts_are_cut_in_little_time),
                                       cmocka_unit_test(tables_are_checked_before_they_are_used),
                                       cmocka_unit_test(lack_of_memory_is_an_error)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
