/* BERT's vocab.txt: a piece a line, whose number is its id. Source: google-research/bert tokenization.py load_vocab. It does not
 * tell whether texts are in lower case: tokenizer_config.json beside it does, by do_lower_case (transformers 5.24
 * tokenization_bert.py); without it, or that file, they are. */
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_format.h"

enum { LONGEST_WORD = 100 /* characters */ };

static const char *const names[] = {"vocab.txt", NULL}, *const parts[] = {"tokenizer_config.json", NULL};

/* By its name, or by a line [UNK] near the beginning. */
static bool recognise(const char *path) {
    char start[4096];
    const size_t n = vb_tokenizer_format_start(path, (uint8_t *)start, sizeof start);
    return !strcmp(vb_path_base_name(path), names[0]) || memmem(start, n, "\n[UNK]\n", 7) || memmem(start, n, "\n[UNK]\r\n", 8);
}

static int list_pieces(const char *text, size_t size, vb_listed_piece **pieces, size_t *count, vb_error *err) {
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    *count = 0;
    if (!(*pieces = vb_array(lines, sizeof **pieces, "vocabulary", err))) return -1;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;
        const size_t next = at + n + 1;
        while (n && (text[at + n - 1] == '\r' || text[at + n - 1] == ' ')) n--;
        (*pieces)[*count] = (vb_listed_piece){.text = text + at, .size = n, .id = (int32_t)*count, .type = VB_PIECE_NORMAL};
        ++*count;
        at = next;
    }
    return 0;
}

static int is_true(const json_t *config, const char *key, bool missing, const char *path, bool *is, vb_error *err) {
    const json_t *value = json_object_get(config, key);
    *is = value && !json_is_null(value) ? json_is_true(value) : missing;
    if (!value || json_is_null(value) || json_is_boolean(value)) return 0;
    return vb_errorf(err, VB_EDATA, "%s: %s: expected true or false", path, key);
}

static int read_case(const json_t *config, const char *path, bool *keeps_case, vb_error *err) {
    bool lower, strips, chinese;
    *keeps_case = false;
    if (!config) return 0; /* no such file */
    if (!json_is_object(config)) return vb_errorf(err, VB_EDATA, "%s: expected an object of settings", path);
    if (is_true(config, "do_lower_case", true, path, &lower, err) ||
        is_true(config, "strip_accents", lower, path, &strips, err) ||
        is_true(config, "tokenize_chinese_chars", true, path, &chinese, err))
        return -1;
    *keeps_case = !lower;
    if (strips != lower)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: strip_accents: expected the same as do_lower_case, or null", path);
    return chinese ? 0 : vb_errorf(err, VB_EUNSUPPORTED, "%s: tokenize_chinese_chars: false is not computed here", path);
}

static int find_case(const char *vocabulary, bool *keeps_case, vb_error *err) {
    char *path = vb_path_beside(vocabulary, parts[0], err);
    if (!path) return -1;
    uint8_t *bytes = NULL;
    size_t size;
    json_t *config = NULL;
    int status = vb_path_exists(path) ? vb_file_read_whole(path, VB_TOKENIZER_FORMAT_BYTES, &bytes, &size, err) : 0;
    /* Lengths without a limit are 10^30 there. */
    if (bytes && !status)
        status = (config = vb_json_parse((const char *)bytes, size, JSON_DECODE_INT_AS_REAL, path, err)) ? 0 : -1;
    if (!status) status = read_case(config, path, keeps_case, err);
    json_decref(config);
    vb_free(bytes);
    vb_free(path);
    return status;
}

static int open_words(vb_tokenizer **tokenizer, const vb_listed_piece *pieces, size_t count, bool keeps_case, const char *name,
                      vb_error *err) {
    static const char unknown[] = "[UNK]";
    size_t i = 0;
    while (i < count && (pieces[i].size != strlen(unknown) || memcmp(pieces[i].text, unknown, pieces[i].size))) i++;
    if (i == count)
        return vb_errorf(err, VB_EDATA, "%s: %zu pieces without %s, expected a vocabulary of WordPiece", name, count, unknown);
    const vb_piece_spec spec = {.algorithm = VB_PIECES_WORDS,
                                .pieces = pieces,
                                .count = count,
                                .unknown = i,
                                .keep_case = keeps_case,
                                .word_limit = LONGEST_WORD};
    return vb_tokenizer_open_pieces(tokenizer, &spec, name, err);
}

static int read_words(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    uint8_t *bytes;
    size_t size, count;
    bool keeps_case;
    vb_listed_piece *pieces = NULL;
    if (mask_token) return vb_tokenizer_format_no_mask(path, err);
    if (find_case(path, &keeps_case, err)) return -1;
    if (vb_tokenizer_format_unpacked(path, "a vocabulary of WordPiece", &bytes, &size, err)) return -1;
    int status = vb_tokenizer_format_digest(digest, keeps_case ? "wordpiece, case" : "wordpiece", bytes, size, "", 0, err);
    if (!status) status = list_pieces((const char *)bytes, size, &pieces, &count, err);
    if (!status) status = open_words(tokenizer, pieces, count, keeps_case, path, err);
    vb_free(pieces);
    vb_free(bytes);
    return status;
}

const vb_tokenizer_format vb_tokenizer_format_wordpiece = {
    .what = "WordPiece vocabulary",
    .names = names,
    .parts = parts,
    .recognise = recognise,
    .read = read_words,
};
