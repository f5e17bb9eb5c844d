/* The cache of encoded units: .npy files under content digests. */
#include "shards/embeddings/cache.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "shards/embeddings/npy.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"

/* FOLDER/KEY[/seen]/ followed by name and suffix; makes the folders when asked to. */
static char *cache_path_of(const vb_cache *cache, const char *below, const char *name, const char *suffix, bool make,
                           vb_error *err) {
    char *folder = vb_format(err, "%s/%s%s", cache->folder, cache->key.hex, below), *path = NULL;
    if (folder && (!make || !vb_path_make_folders(folder, err))) path = vb_format(err, "%s/%s%s", folder, name, suffix);
    vb_free(folder);
    return path;
}

char *vb_cache_path(const vb_cache *cache, const vb_digest *unit, vb_error *err) {
    return cache_path_of(cache, "", unit->hex, ".npy", false, err);
}

/* The checksum of a unit: its rows, and the text of its list of skipped samples, "" where there is none. */
static int check_sum(const void *rows, size_t size, const char *notes, size_t notes_size, char note[64], vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add(digester, rows, size);
    vb_digest_add(digester, notes, notes_size);
    snprintf(note, 64, "xxh3 %s", vb_digest_finish(digester).hex);
    return 0;
}

/* Whatever is wrong with a unit on disk, it is as if it were not there; lack of memory alone is an error. */
static int unless_memory(const vb_error *damage, vb_error *err) {
    if (damage->code != VB_EMEMORY) return 0;
    if (err) *err = *damage;
    return -1;
}

/* The text beside a unit in *text (free with vb_free), "" when there is none; *there is false when it cannot be read. */
static int read_notes(const char *path, uint8_t **text, size_t *size, bool *there, vb_error *err) {
    enum { LIMIT = 1 << 26 };
    vb_error damage;
    *text = NULL;
    *size = 0;
    *there = true;
    if (!vb_path_exists(path) || !vb_file_read_whole(path, LIMIT, text, size, &damage)) return 0;
    *there = false;
    return unless_memory(&damage, err);
}

static int parse_notes(const uint8_t *text, size_t size, json_t **skipped, bool *found, vb_error *err) {
    json_error_t where;
    vb_error damage;
    if (!size || (*skipped = vb_json_parse_bare((const char *)text, size, 0, &where, &damage))) return 0;
    *found = false;
    return unless_memory(&damage, err);
}

int vb_cache_load(const vb_cache *cache, const vb_digest *unit, int64_t rows, int dim, float *out, bool *found, json_t **skipped,
                  vb_error *err) {
    *found = false;
    if (skipped) *skipped = NULL;
    char *path = vb_cache_path(cache, unit, err), *notes = NULL, note[64];
    if (!path) return -1;
    vb_npy npy = {0};
    vb_error damage;
    uint8_t *text = NULL;
    size_t text_size, size = (size_t)rows * (size_t)dim * sizeof *out;
    bool there;
    int status = 0;
    if (!vb_path_exists(path)) goto done;
    if (vb_npy_open(&npy, path, &damage)) goto done; /* nor is what cannot be mapped */
    const vb_tensor *tensor = &npy.tensor;
    if (tensor->dtype != VB_F32 || tensor->ndim != 2 || tensor->shape[0] != rows || tensor->shape[1] != dim) goto done;
    if (!(notes = cache_path_of(cache, "", unit->hex, ".skipped.json", false, err))) status = -1;
    else status = read_notes(notes, &text, &text_size, &there, err);
    if (status || !there) goto done;
    if (out) memcpy(out, tensor->data, size); /* what is used is what was checked */
    if ((status = check_sum(out ? (const void *)out : tensor->data, size, text ? (const char *)text : "", text_size, note, err)))
        goto done;
    *found = npy.note_size == strlen(note) && !memcmp(npy.note, note, npy.note_size);
    if (*found && skipped) status = parse_notes(text, text_size, skipped, found, err);
done:
    vb_npy_close(&npy);
    vb_free(text);
    vb_free(notes);
    vb_free(path);
    return status;
}

int vb_cache_store(const vb_cache *cache, const vb_digest *unit, int64_t rows, int dim, const float *data, json_t *skipped,
                   vb_error *err) {
    char *path = cache_path_of(cache, "", unit->hex, ".npy", true, err), note[64];
    char *notes = cache_path_of(cache, "", unit->hex, ".skipped.json", false, err), *text = NULL;
    int status = path && notes ? 0 : -1;
    if (!status && skipped && json_array_size(skipped)) {
        if (!(text = vb_json_parse_text(skipped, JSON_INDENT(1)))) status = vb_errorf(err, VB_EMEMORY, "%s: no memory", notes);
        else status = vb_writer_write_whole(notes, text, strlen(text), err);
    } else if (!status) unlink(notes); /* of damaged ones before */
    int64_t shape[2] = {rows, dim};
    if (!status)
        status = check_sum(data, (size_t)rows * (size_t)dim * sizeof *data, text ? text : "", text ? strlen(text) : 0, note, err);
    if (!status) status = vb_npy_write_noted(path, VB_F32, 2, shape, data, note, err);
    vb_free(text);
    vb_free(notes);
    vb_free(path);
    return status;
}

int vb_cache_recall(const vb_cache *cache, const vb_digest *signature, vb_digest *digest, bool *found, vb_error *err) {
    *found = false;
    char *path = cache_path_of(cache, "/seen", signature->hex, "", false, err);
    if (!path) return -1;
    uint8_t *bytes = NULL;
    size_t size;
    vb_error ignored;
    if (vb_path_exists(path) && !vb_file_read_whole(path, 64, &bytes, &size, &ignored) && size == sizeof digest->hex - 1 &&
        strspn((const char *)bytes, "0123456789abcdef") == size) { /* it becomes a path */
        memcpy(digest->hex, bytes, sizeof digest->hex);
        *found = true;
    }
    vb_free(bytes);
    vb_free(path);
    return 0;
}

int vb_cache_note(const vb_cache *cache, const vb_digest *signature, const vb_digest *digest, vb_error *err) {
    char *path = cache_path_of(cache, "/seen", signature->hex, "", true, err);
    if (!path) return -1;
    int status = vb_writer_write_whole(path, digest->hex, sizeof digest->hex - 1, err);
    vb_free(path);
    return status;
}
