/* The models of a tokenizer.json as pieces and merges. */
#include "shards/text/huggingface.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/json_parse.h"
#include "shards/text/huggingface_steps.h"

typedef struct model {
    const char *name; /* of the file */
    const json_t *root, *object;
    vb_huggingface_steps steps;
    vb_listed_piece *pieces;
    size_t count, capacity;
    vb_piece_pair *pairs;
    size_t pair_count;
    vb_error *err;
} model;

static int fail(const model *m, vb_code code, const char *key, const char *what) {
    return vb_errorf(m->err, code, "%s: model: %s: %s", m->name, key, what);
}

static int add_piece(model *m, const char *text, size_t n, double score, int64_t id, vb_piece_type type) {
    void *pieces = m->pieces;
    if (vb_grow(&pieces, &m->capacity, m->count + 1, sizeof *m->pieces, "pieces", m->err)) return -1;
    m->pieces = pieces;
    m->pieces[m->count++] = (vb_listed_piece){
        .text = text, .size = n, .score = score, .id = id >= 0 && id <= INT32_MAX ? (int32_t)id : -1, .type = type};
    return 0;
}

/* "vocab": [[piece, score], ...] */
static int list_scored(model *m) {
    const json_t *vocabulary = json_object_get(m->object, "vocab");
    if (!json_is_array(vocabulary)) return fail(m, VB_EDATA, "vocab", "expected a list of pieces with scores");
    for (size_t i = 0; i < json_array_size(vocabulary); i++) {
        const json_t *pair = json_array_get(vocabulary, i), *text = json_array_get(pair, 0), *score = json_array_get(pair, 1);
        if (!json_is_string(text) || !json_is_number(score))
            return vb_errorf(m->err, VB_EDATA, "%s: model: vocab: entry %zu: expected a piece and its score", m->name, i);
        if (add_piece(m, json_string_value(text), json_string_length(text), json_number_value(score), (int64_t)i,
                      VB_PIECE_NORMAL))
            return -1;
    }
    return 0;
}

/* "vocab": {piece: id, ...} */
static int list_numbered(model *m) {
    json_t *vocabulary = json_object_get(m->object, "vocab"), *id;
    const char *text;
    if (!json_is_object(vocabulary)) return fail(m, VB_EDATA, "vocab", "expected an object of pieces and ids");
    json_object_foreach(vocabulary, text, id) {
        if (!json_is_integer(id)) return vb_errorf(m->err, VB_EDATA, "%s: model: vocab: '%.60s': expected an id", m->name, text);
        if (add_piece(m, text, strlen(text), 0, json_integer_value(id), VB_PIECE_NORMAL)) return -1;
    }
    return 0;
}

/* The piece of each id, from 0 to *size - 1; SIZE_MAX: none. */
static size_t *index_ids(const model *m, size_t *size) {
    enum { LARGEST_ID = 1 << 24 }; /* larger ones are refused later */
    *size = 0;
    for (size_t i = 0; i < m->count; i++)
        if (m->pieces[i].id >= 0 && m->pieces[i].id < LARGEST_ID && (size_t)m->pieces[i].id >= *size)
            *size = (size_t)m->pieces[i].id + 1;
    size_t *places = vb_array(*size, sizeof *places, "ids", m->err);
    for (size_t i = 0; places && i < *size; i++) places[i] = SIZE_MAX;
    for (size_t i = 0; places && i < m->count; i++)
        if (m->pieces[i].id >= 0 && m->pieces[i].id < LARGEST_ID) places[m->pieces[i].id] = i;
    return places;
}

/* Tokens that are found in the text before anything else. Those of the vocabulary have a place there already. */
static int list_added(model *m) {
    const json_t *added = json_object_get(m->root, "added_tokens"), *vocabulary = json_object_get(m->object, "vocab");
    size_t size, *places = index_ids(m, &size);
    int status = places ? 0 : -1;
    for (size_t i = 0; !status && i < json_array_size(added); i++) {
        const json_t *token = json_array_get(added, i), *content = json_object_get(token, "content"),
                     *number = json_object_get(token, "id");
        const char *text = json_string_value(content);
        const size_t n = text ? json_string_length(content) : 0;
        const json_int_t id = json_is_integer(number) ? json_integer_value(number) : -1;
        const size_t place = id >= 0 && (size_t)id < size ? places[id] : SIZE_MAX;
        if (!text || id < 0)
            status = vb_errorf(m->err, VB_EDATA, "%s: added_tokens: entry %zu: expected content and id", m->name, i);
        else if (place != SIZE_MAX && m->pieces[place].size == n && !memcmp(m->pieces[place].text, text, n))
            m->pieces[place].type = VB_PIECE_USER;
        else if (json_object_get(vocabulary, text))
            status =
                vb_errorf(m->err, VB_EMISMATCH, "%s: added_tokens: '%.60s' has the id %lld, and another one in the vocabulary",
                          m->name, text, (long long)id);
        else status = add_piece(m, text, n, 0, id, VB_PIECE_USER);
    }
    vb_free(places);
    return status;
}

/* "merges": ["a b", ...] or [["a", "b"], ...] */
static int list_pairs(model *m) {
    const json_t *merges = json_object_get(m->object, "merges");
    if (!json_is_array(merges)) return fail(m, VB_EDATA, "merges", "expected a list");
    if (!(m->pairs = vb_array(json_array_size(merges), sizeof *m->pairs, "merges", m->err))) return -1;
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const json_t *merge = json_array_get(merges, i), *left = json_array_get(merge, 0), *right = json_array_get(merge, 1);
        vb_piece_pair *pair = &m->pairs[m->pair_count];
        if (json_is_string(left) && json_is_string(right) && json_array_size(merge) == 2)
            *pair = (vb_piece_pair){json_string_value(left), json_string_value(right), json_string_length(left),
                                    json_string_length(right)};
        else {
            const char *text = json_string_value(merge), *space = text ? strchr(text, ' ') : NULL;
            if (!space || space == text || !space[1] || strchr(space + 1, ' '))
                return vb_errorf(m->err, VB_EDATA, "%s: model: merges: entry %zu: expected two symbols", m->name, i);
            *pair = (vb_piece_pair){text, space + 1, (size_t)(space - text), strlen(space + 1)};
        }
        m->pair_count++;
    }
    return 0;
}

static int find_unknown(const model *m, const json_t *token, size_t *unknown) {
    *unknown = SIZE_MAX;
    if (!token || json_is_null(token)) return 0;
    const char *text = json_string_value(token);
    for (size_t i = 0; text && i < m->count && *unknown == SIZE_MAX; i++)
        if (m->pieces[i].size == strlen(text) && !memcmp(m->pieces[i].text, text, m->pieces[i].size)) *unknown = i;
    return *unknown == SIZE_MAX ? fail(m, VB_EDATA, "unk_token", "expected a piece of the vocabulary") : 0;
}

static bool is_true(const json_t *object, const char *key) { return json_is_true(json_object_get(object, key)); }

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static vb_piece_spec common(const model *m, vb_piece_algorithm algorithm, size_t unknown) {
    return (vb_piece_spec){.algorithm = algorithm,
                           .pieces = m->pieces,
                           .count = m->count,
                           .pairs = m->pairs,
                           .pair_count = m->pair_count,
                           .charsmap = m->steps.charsmap,
                           .charsmap_size = m->steps.charsmap_size,
                           .steps = m->steps.steps,
                           .step_count = m->steps.count,
                           .unknown = unknown,
                           .byte_fallback = is_true(m->object, "byte_fallback"),
                           .apart = true};
}

/* ---- models ---- */

static int refuse_bert(const model *m) {
    if (!m->steps.bert_normalizer && !m->steps.bert_words) return 0;
    return vb_errorf(m->err, VB_EUNSUPPORTED, "%s: BERT's normalizer or pre-tokenizer with a model that is not WordPiece",
                     m->name);
}

static int unigram(model *m, vb_tokenizer **tokenizer) {
    const json_t *unknown = json_object_get(m->object, "unk_id");
    if (refuse_bert(m) || list_scored(m)) return -1;
    const size_t vocabulary = m->count;
    if (list_added(m)) return -1;
    if (!json_is_integer(unknown) || json_integer_value(unknown) < 0 || (size_t)json_integer_value(unknown) >= vocabulary)
        return fail(m, VB_EDATA, "unk_id", "expected the number of a piece: a unigram model needs an unknown one");
    vb_piece_spec spec = common(m, VB_PIECES_UNIGRAM, (size_t)json_integer_value(unknown));
    spec.fuse_unknown = true;
    return vb_tokenizer_open_pieces(tokenizer, &spec, m->name, m->err);
}

/* Byte-level encoding with </w> is OpenAI's: its own tables have it, from the text of merges.txt. */
static int openai(model *m, vb_tokenizer **tokenizer) {
    int status = -1;
    size_t size = sizeof "#version\n", at = 0;
    vb_vocabulary_entry *entries = vb_array(m->count, sizeof *entries, "vocabulary", m->err);
    char *text = NULL;
    if (!m->steps.bytes) {
        fail(m, VB_EUNSUPPORTED, "end_of_word_suffix", "expected with the pre-tokenizer ByteLevel only");
        goto done;
    }
    if (!entries) goto done;
    for (size_t i = 0; i < m->count; i++)
        entries[i] = (vb_vocabulary_entry){m->pieces[i].text, m->pieces[i].id, m->pieces[i].type == VB_PIECE_USER};
    for (size_t i = 0; i < m->pair_count; i++) size += m->pairs[i].left_size + m->pairs[i].right_size + 2;
    if (!(text = vb_array(size, 1, "merges", m->err))) goto done;
    at = (size_t)snprintf(text, size, "#version\n");
    for (size_t i = 0; i < m->pair_count; i++) {
        memcpy(text + at, m->pairs[i].left, m->pairs[i].left_size);
        at += m->pairs[i].left_size;
        text[at++] = ' ';
        memcpy(text + at, m->pairs[i].right, m->pairs[i].right_size);
        at += m->pairs[i].right_size;
        text[at++] = '\n';
    }
    status = vb_tokenizer_open_pairs(tokenizer, entries, m->count, text, at, m->name, m->err);
done:
    vb_free(entries);
    vb_free(text);
    return status;
}

static int merges(model *m, vb_tokenizer **tokenizer) {
    const char *suffix = text_of(m->object, "end_of_word_suffix");
    const json_t *dropout = json_object_get(m->object, "dropout");
    size_t unknown;
    if (refuse_bert(m) || list_numbered(m) || list_added(m) || list_pairs(m)) return -1;
    if (*text_of(m->object, "continuing_subword_prefix"))
        return fail(m, VB_EUNSUPPORTED, "continuing_subword_prefix", "expected none with byte-pair encoding");
    if (json_is_number(dropout) && json_number_value(dropout) > 0)
        return fail(m, VB_EUNSUPPORTED, "dropout", "tokens that are left to chance are not computed here");
    if (!strcmp(suffix, "</w>")) return openai(m, tokenizer);
    if (*suffix) return fail(m, VB_EUNSUPPORTED, "end_of_word_suffix", "expected </w> or none");
    if (find_unknown(m, json_object_get(m->object, "unk_token"), &unknown)) return -1;
    vb_piece_spec spec = common(m, VB_PIECES_PAIRS, unknown);
    spec.fuse_unknown = is_true(m->object, "fuse_unk");
    spec.whole_first = is_true(m->object, "ignore_merges");
    return vb_tokenizer_open_pieces(tokenizer, &spec, m->name, m->err);
}

static int wordpiece(model *m, vb_tokenizer **tokenizer) {
    enum { USUAL_LIMIT = 100, LARGEST_LIMIT = 1 << 20 };
    const json_t *limit = json_object_get(m->object, "max_input_chars_per_word");
    size_t unknown;
    if (list_numbered(m) || list_added(m)) return -1;
    if (!m->steps.bert_normalizer || !m->steps.bert_words || m->steps.count)
        return fail(m, VB_EUNSUPPORTED, "type",
                    "WordPiece needs the normalizer BertNormalizer and the pre-tokenizer BertPreTokenizer");
    if (strcmp(text_of(m->object, "continuing_subword_prefix"), "##"))
        return fail(m, VB_EUNSUPPORTED, "continuing_subword_prefix", "expected ##");
    if (find_unknown(m, json_object_get(m->object, "unk_token"), &unknown)) return -1;
    if (limit && (!json_is_integer(limit) || json_integer_value(limit) < 1 || json_integer_value(limit) > LARGEST_LIMIT))
        return fail(m, VB_EDATA, "max_input_chars_per_word", "expected a number from 1 to 1048576");
    if (unknown == SIZE_MAX) return fail(m, VB_EDATA, "unk_token", "expected a piece: WordPiece needs an unknown one");
    vb_piece_spec spec = common(m, VB_PIECES_WORDS, unknown);
    spec.keep_case = m->steps.keep_case;
    spec.word_limit = limit ? (uint32_t)json_integer_value(limit) : USUAL_LIMIT;
    return vb_tokenizer_open_pieces(tokenizer, &spec, m->name, m->err);
}

static int read_model(model *m, vb_tokenizer **tokenizer) {
    static const struct {
        const char *type;
        int (*read)(model *m, vb_tokenizer **tokenizer);
    } types[] = {{"Unigram", unigram}, {"BPE", merges}, {"WordPiece", wordpiece}};
    const char *type = text_of(m->object, "type");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(type, types[i].type)) return types[i].read(m, tokenizer);
    if (!*type) return fail(m, VB_EDATA, "type", "expected Unigram, BPE or WordPiece: not a tokenizer.json?");
    return vb_errorf(m->err, VB_EUNSUPPORTED, "%s: model of the type %.60s, which is not computed here", m->name, type);
}

int vb_huggingface_read(vb_tokenizer **tokenizer, const char *text, size_t size, const char *name, vb_error *err) {
    *tokenizer = NULL;
    json_t *root = vb_json_parse(text, size, JSON_REJECT_DUPLICATES, name, err);
    if (!root) return -1;
    model m = {.name = name, .root = root, .object = json_object_get(root, "model"), .err = err};
    int status = vb_huggingface_steps_read(&m.steps, root, name, err);
    if (!status) status = read_model(&m, tokenizer);
    vb_free(m.steps.charsmap);
    vb_free(m.pieces);
    vb_free(m.pairs);
    json_decref(root);
    return status;
}
