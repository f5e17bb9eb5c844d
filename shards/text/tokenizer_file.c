/* Reads and unpacks tokenizer files, finds the two halves of Hugging Face's pair, and opens the tokenizer. */
#include "shards/text/tokenizer_file.h"

#include <jansson.h>
#include <string.h>
#include <zlib.h>

#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

enum { LARGEST_FILE = 64 << 20 };

static voidpf zlib_allocate(voidpf data, uInt count, uInt size) {
    (void)data;
    return vb_array(count, size, "gzip", NULL);
}

static void zlib_free(voidpf data, voidpf pointer) {
    (void)data;
    vb_free(pointer);
}

/* Unpacks one gzip stream that fills the bytes. */
static int unpack(const uint8_t *packed, size_t packed_size, const char *path, uint8_t **bytes, size_t *size, vb_error *err) {
    z_stream z = {.zalloc = zlib_allocate,
                  .zfree = zlib_free,
                  .next_in = (Bytef *)(uintptr_t)packed,
                  .avail_in = (uInt)packed_size};
    void *out = NULL;
    size_t capacity = 0;
    int code = Z_OK;
    *size = 0;
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return vb_errorf(err, VB_EMEMORY, "%s: no memory to unpack it", path);
    while (code == Z_OK) {
        if (vb_grow(&out, &capacity, *size + 65536, 1, path, err)) goto fail;
        z.next_out = (Bytef *)out + *size;
        z.avail_out = (uInt)(capacity - *size);
        code = inflate(&z, Z_NO_FLUSH);
        *size = capacity - z.avail_out;
        if (*size > LARGEST_FILE) {
            vb_errorf(err, VB_EDATA, "%s: more than %d bytes when unpacked, no merges file", path, LARGEST_FILE);
            goto fail;
        }
    }
    if (code == Z_STREAM_END && !z.avail_in) {
        inflateEnd(&z);
        *bytes = out;
        return 0;
    }
    if (code == Z_STREAM_END)
        vb_errorf(err, VB_EDATA, "%s: %u bytes behind the end of the gzip data, at byte %lu", path, z.avail_in, z.total_in);
    else if (code == Z_BUF_ERROR)
        vb_errorf(err, VB_EDATA, "%s: truncated gzip data, it ends at byte %zu in the middle of the stream", path, packed_size);
    else if (code == Z_MEM_ERROR) vb_errorf(err, VB_EMEMORY, "%s: no memory to unpack it", path);
    else vb_errorf(err, VB_EDATA, "%s: corrupt gzip data before byte %lu: %s", path, z.total_in, z.msg ? z.msg : zError(code));
fail:
    inflateEnd(&z);
    vb_free(out);
    return -1;
}

/* A file's content, unpacked when it is gzip. */
static int read_unpacked(const char *path, uint8_t **bytes, size_t *size, vb_error *err) {
    uint8_t *packed;
    size_t packed_size;
    if (vb_file_read_whole(path, LARGEST_FILE, &packed, &packed_size, err)) return -1;
    if (packed_size >= 2 && packed[0] == 0x1f && packed[1] == 0x8b) {
        int status = unpack(packed, packed_size, path, bytes, size, err);
        vb_free(packed);
        return status;
    }
    if (vb_path_ends_with(path, ".gz")) {
        vb_free(packed);
        return vb_errorf(err, VB_EDATA, "%s: the name ends in .gz, but the content is not gzip", path);
    }
    *bytes = packed;
    *size = packed_size;
    return 0;
}

static int make_digest(vb_digest *digest, const char *kind, const void *vocabulary, size_t vocabulary_size, const void *merges,
                       size_t merges_size, vb_error *err) {
    vb_digester *digester;
    if (!digest) return 0;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, kind);
    vb_digest_add(digester, vocabulary, vocabulary_size);
    vb_digest_add(digester, merges, merges_size);
    *digest = vb_digest_finish(digester);
    return 0;
}

static int read_merges_file(vb_tokenizer **tokenizer, const char *path, int mask_token, vb_digest *digest, vb_error *err) {
    uint8_t *merges;
    size_t size;
    if (read_unpacked(path, &merges, &size, err)) return -1;
    int status = make_digest(digest, mask_token ? "merges, mask token" : "merges", "", 0, merges, size, err);
    if (!status) status = vb_tokenizer_open_bpe(tokenizer, (const char *)merges, size, mask_token, path, err);
    vb_free(merges);
    return status;
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

static int read_pair(vb_tokenizer **tokenizer, const char *vocabulary_path, const char *merges_path, int mask_token,
                     vb_digest *digest, vb_error *err) {
    int status = -1;
    uint8_t *vocabulary = NULL, *merges = NULL;
    size_t vocabulary_size, merges_size, count = 0;
    vb_vocabulary_entry *entries = NULL;
    json_t *object = NULL;
    json_error_t json_err;
    if (vb_file_read_whole(vocabulary_path, LARGEST_FILE, &vocabulary, &vocabulary_size, err)) goto end;
    if (read_unpacked(merges_path, &merges, &merges_size, err)) goto end;
    if (make_digest(digest, mask_token ? "pair, mask token" : "pair", vocabulary, vocabulary_size, merges, merges_size, err))
        goto end;
    if (!(object = json_loadb((const char *)vocabulary, vocabulary_size, JSON_REJECT_DUPLICATES, &json_err))) {
        vb_errorf(err, VB_EDATA, "%s:%d:%d: %s", vocabulary_path, json_err.line, json_err.column, json_err.text);
        goto end;
    }
    if (list_entries(object, vocabulary_path, mask_token, &entries, &count, err)) goto end;
    status = vb_tokenizer_open_pairs(tokenizer, entries, count, (const char *)merges, merges_size, merges_path, err);
end:
    json_decref(object);
    vb_free(entries);
    vb_free(vocabulary);
    vb_free(merges);
    return status;
}

int vb_tokenizer_file_read(vb_tokenizer **tokenizer, const char *path, int mask_token, vb_digest *digest, vb_error *err) {
    *tokenizer = NULL;
    bool folder = vb_path_is_folder(path);
    int folder_length = folder ? (int)strlen(path) : (int)(vb_path_base_name(path) - path);
    const char *between = folder ? "/" : "";
    int status = -1;
    char *vocabulary = vb_format(err, "%.*s%svocab.json", folder_length, path, between);
    char *merges = vocabulary ? vb_format(err, "%.*s%smerges.txt", folder_length, path, between) : NULL;
    if (!merges) goto end;
    if (folder && !vb_path_exists(vocabulary)) {
        vb_errorf(err, VB_EMISSING,
                  "%s: a folder without vocab.json, expected it with merges.txt, or a path of OpenAI's merges file", path);
        goto end;
    }
    bool half = !strcmp(path, vocabulary) || (!strcmp(path, merges) && vb_path_exists(vocabulary));
    if (folder || half) status = read_pair(tokenizer, vocabulary, merges, mask_token, digest, err);
    else status = read_merges_file(tokenizer, path, mask_token, digest, err);
end:
    vb_free(vocabulary);
    vb_free(merges);
    return status;
}

/* ---- tables in a cache folder ---- */

static char *tables_path(const char *folder, const vb_digest *digest, vb_error *err) {
    return vb_format(err, "%s/tokenizers/%s.tables", folder, digest->hex);
}

int vb_tokenizer_file_find(vb_tokenizer **tokenizer, vb_map *map, const char *folder, const vb_digest *digest, vb_error *err) {
    *tokenizer = NULL;
    *map = (vb_map){0};
    char *path = tables_path(folder, digest, err);
    if (!path) return -1;
    vb_error damage;
    vb_error_clear(&damage);
    int status = 0;
    if (vb_path_exists(path) && !vb_map_open(map, path, &damage) && vb_tokenizer_map(tokenizer, map->data, map->size, &damage)) {
        vb_map_close(map);
        *map = (vb_map){0};
    }
    if (damage.code == VB_EMEMORY) {
        status = -1;
        if (err) *err = damage;
    }
    vb_free(path);
    return status;
}

int vb_tokenizer_file_share(vb_tokenizer **tokenizer, vb_map *map, const char *folder, const vb_digest *digest, vb_error *err) {
    vb_tokenizer *found;
    char *below = NULL, *path = NULL;
    int status = vb_tokenizer_file_find(&found, map, folder, digest, err);
    if (!status && !found) {
        size_t size;
        const void *bytes = vb_tokenizer_bytes(*tokenizer, &size);
        status = -1;
        if (!(below = vb_format(err, "%s/tokenizers", folder)) || !(path = tables_path(folder, digest, err))) goto done;
        if (vb_path_make_folders(below, err) || vb_writer_write_whole(path, bytes, size, err)) goto done;
        status = vb_tokenizer_file_find(&found, map, folder, digest, err);
    }
    if (!status && found) { /* else, on a disk that does not give back what it took, it stays as it was read */
        vb_tokenizer_close(*tokenizer);
        *tokenizer = found;
    }
done:
    vb_free(below);
    vb_free(path);
    return status;
}
