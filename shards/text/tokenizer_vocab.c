/* Hugging Face's pair: vocab.json, which gives the ids, and merges.txt beside it. */
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
        (*entries)[(*count)++] = (vb_vocabulary_entry){token, (int32_t)json_integer_value(id)};
    }
    return 0;
}

static int read_pair(vb_tokenizer **tokenizer, const char *vocabulary_path, const char *merges_path, bool mask_token,
                     vb_digest *digest, vb_error *err) {
    int status = -1;
    uint8_t *vocabulary = NULL, *merges = NULL;
    size_t vocabulary_size, merges_size, count = 0;
    vb_vocabulary_entry *entries = NULL;
    json_t *object = NULL;
    if (vb_file_read_whole(vocabulary_path, VB_TOKENIZER_FORMAT_BYTES, &vocabulary, &vocabulary_size, err)) goto done;
    if (vb_tokenizer_format_unpacked(merges_path, &merges, &merges_size, err)) goto done;
    if (vb_tokenizer_format_digest(digest, mask_token ? "pair, mask token" : "pair", vocabulary, vocabulary_size, merges,
                                   merges_size, err))
        goto done;
    object = vb_json_parse((const char *)vocabulary, vocabulary_size, JSON_REJECT_DUPLICATES, vocabulary_path, err);
    if (!object) goto done;
    if (list_entries(object, vocabulary_path, mask_token, &entries, &count, err)) goto done;
    status = vb_tokenizer_open_pairs(tokenizer, entries, count, (const char *)merges, merges_size, merges_path, err);
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
    .recognise = vocab_recognise,
    .read = vocab_read,
};
