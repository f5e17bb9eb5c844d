/* Hugging Face's pair: vocab.json, which gives the ids, and merges.txt beside it. CLIP's has </w> at the end of words; without it
 * this is GPT-2's and RoBERTa's. Source: transformers 5.24 tokenization_roberta.py. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_format.h"

static const char vocabulary_name[] = "vocab.json", merges_name[] = "merges.txt";

static const char *const names[] = {vocabulary_name, merges_name, NULL};

/* Either file; merges.txt without vocab.json beside it is OpenAI's. */
static bool vocab_recognise(const char *path) {
    const char *base = vb_path_base_name(path);
    if (!strcmp(base, vocabulary_name)) return true;
    if (strcmp(base, merges_name)) return false;
    char beside[PATH_MAX]; /* a path that does not fit does not exist */
    int n = snprintf(beside, sizeof beside, "%.*s%s", (int)(base - path), path, vocabulary_name);
    return n > 0 && n < (int)sizeof beside && vb_path_exists(beside);
}

/* Specials are found in the text before anything else. */
static bool is_special(const char *token) {
    static const char *const specials[] = {"<s>", "</s>", "<pad>", "<unk>", "<mask>", "<|endoftext|>"};
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (!strcmp(token, specials[i])) return true;
    return false;
}

/* vocab.json's object as entries that point into it. */
static int list_entries(json_t *object, const char *path, bool mask_token, vb_vocabulary_entry **entries, size_t *count,
                        vb_error *err) {
    if (!json_is_object(object)) return vb_errorf(err, VB_EDATA, "%s: expected an object of tokens and ids", path);
    if (mask_token && !json_object_get(object, "<|mask|>"))
        return vb_errorf(err, VB_EMISMATCH, "%s: a model with a mask token needs '<|mask|>' in its vocabulary", path);
    if (!(*entries = vb_array(json_object_size(object), sizeof **entries, "vocabulary", err))) return -1;
    const char *token;
    json_t *id;
    json_object_foreach(object, token, id) {
        if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) > INT32_MAX)
            return vb_errorf(err, VB_EDATA, "%s: the id of token '%.60s' is not an integer from 0 to %d", path, token, INT32_MAX);
        (*entries)[(*count)++] = (vb_vocabulary_entry){token, (int32_t)json_integer_value(id), is_special(token)};
    }
    return 0;
}

/* The lines of merges.txt behind its version. */
static int list_merges(const char *text, size_t size, const char *path, vb_piece_pair **pairs, size_t *count, vb_error *err) {
    size_t lines = 1, line = 0;
    bool begun = false;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    if (!(*pairs = vb_array(lines, sizeof **pairs, "merges", err))) return -1;
    for (size_t at = 0, n; at < size; at += n + 1) {
        const char *begin = text + at, *end = memchr(begin, '\n', size - at);
        n = end ? (size_t)(end - begin) : size - at;
        size_t used = n;
        while (used && (begin[used - 1] == '\r' || begin[used - 1] == ' ')) used--;
        const char *space = memchr(begin, ' ', used);
        line++;
        if (!used) continue;
        const bool first = !begun;
        begun = true;
        if (first && memmem(begin, used, "#version", 8)) continue;
        const size_t left = space ? (size_t)(space - begin) : 0, right = space ? used - left - 1 : 0;
        if (!left || !right || memchr(space + 1, ' ', right))
            return vb_errorf(err, VB_EDATA, "%s:%zu: expected two symbols with a space between, found '%.*s'", path, line,
                             used < 60 ? (int)used : 60, begin);
        (*pairs)[(*count)++] = (vb_piece_pair){begin, space + 1, left, right};
    }
    return 0;
}

static int open_bytes(vb_tokenizer **tokenizer, const vb_vocabulary_entry *entries, size_t count, const char *merges, size_t size,
                      const char *path, vb_error *err) {
    vb_piece_pair *pairs = NULL;
    size_t pair_count = 0, unknown = SIZE_MAX;
    vb_listed_piece *pieces = vb_array(count, sizeof *pieces, "vocabulary", err);
    int status = pieces ? list_merges(merges, size, path, &pairs, &pair_count, err) : -1;
    for (size_t i = 0; i < count && !status; i++) {
        const char *token = entries[i].token;
        pieces[i] = (vb_listed_piece){.text = token,
                                      .size = strlen(token),
                                      .id = entries[i].id,
                                      .type = is_special(token) ? VB_PIECE_USER : VB_PIECE_NORMAL};
        if (!strcmp(token, "<unk>")) unknown = i;
    }
    const vb_step_spec step = {.kind = VB_STEP_BYTES, .flags = VB_BYTES_WORDS};
    const vb_piece_spec spec = {.algorithm = VB_PIECES_PAIRS,
                                .pieces = pieces,
                                .count = count,
                                .pairs = pairs,
                                .pair_count = pair_count,
                                .steps = &step,
                                .step_count = 1,
                                .unknown = unknown,
                                .apart = true};
    if (!status) status = vb_tokenizer_open_pieces(tokenizer, &spec, path, err);
    vb_free(pieces);
    vb_free(pairs);
    return status;
}

static int read_pair(vb_tokenizer **tokenizer, const char *vocabulary_path, const char *merges_path, bool mask_token,
                     vb_digest *digest, vb_error *err) {
    int status = -1;
    uint8_t *vocabulary = NULL, *merges = NULL;
    size_t vocabulary_size, merges_size, count = 0;
    vb_vocabulary_entry *entries = NULL;
    json_t *object = NULL;
    if (vb_file_read_whole(vocabulary_path, VB_TOKENIZER_FORMAT_BYTES, &vocabulary, &vocabulary_size, err)) goto done;
    if (vb_tokenizer_format_unpacked(merges_path, "a merges file", &merges, &merges_size, err)) goto done;
    if (vb_tokenizer_format_digest(digest, mask_token ? "pair, mask token" : "pair", vocabulary, vocabulary_size, merges,
                                   merges_size, err))
        goto done;
    object = vb_json_parse((const char *)vocabulary, vocabulary_size, JSON_REJECT_DUPLICATES, vocabulary_path, err);
    if (!object) goto done;
    if (list_entries(object, vocabulary_path, mask_token, &entries, &count, err)) goto done;
    status = (json_object_get(object, "!</w>") || !json_object_get(object, "!") ?
                  vb_tokenizer_open_pairs :
                  open_bytes)(tokenizer, entries, count, (const char *)merges, merges_size, merges_path, err);
done:
    json_decref(object);
    vb_free(entries);
    vb_free(vocabulary);
    vb_free(merges);
    return status;
}

static int vocab_read(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    char *vocabulary = vb_path_beside(path, vocabulary_name, err);
    char *merges = vocabulary ? vb_path_beside(path, merges_name, err) : NULL;
    int status = merges ? read_pair(tokenizer, vocabulary, merges, mask_token, digest, err) : -1;
    vb_free(vocabulary);
    vb_free(merges);
    return status;
}

const vb_tokenizer_format vb_tokenizer_format_vocab = {
    .what = "byte-pair encoding of vocab.json and merges.txt",
    .names = names,
    .parts = names,
    .recognise = vocab_recognise,
    .read = vocab_read,
};
