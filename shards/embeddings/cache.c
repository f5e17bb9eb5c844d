/* The cache of encoded units: .npy files under content digests. */
#include "shards/embeddings/cache.h"

#include <string.h>

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

static int read_notes(const char *path, json_t **notes, vb_error *err) {
    enum { LIMIT = 1 << 26 };
    json_error_t where;
    vb_error why;
    uint8_t *bytes;
    size_t size;
    if (vb_file_read_whole(path, LIMIT, &bytes, &size, err)) return -1;
    *notes = vb_json_parse_bare((const char *)bytes, size, 0, &where, &why);
    vb_free(bytes);
    if (*notes) return 0;
    return vb_errorf(err, (vb_code)why.code, "%s:%d: %s; remove it and run again", path, where.line, why.text);
}

int vb_cache_load(const vb_cache *cache, const vb_digest *unit, int64_t rows, int dim, float *out, bool *found, json_t **skipped,
                  vb_error *err) {
    *found = false;
    if (skipped) *skipped = NULL;
    char *path = vb_cache_path(cache, unit, err), *notes = NULL;
    if (!path) return -1;
    vb_npy npy = {0};
    vb_error damage;
    int status = 0;
    if (!vb_path_exists(path) || vb_npy_open(&npy, path, &damage)) goto done;
    const vb_tensor *tensor = &npy.tensor;
    if (tensor->dtype == VB_F32 && tensor->ndim == 2 && tensor->shape[0] == rows && tensor->shape[1] == dim) {
        *found = true;
        if (out) memcpy(out, tensor->data, (size_t)rows * (size_t)dim * sizeof *out);
    }
    vb_npy_close(&npy);
    if (!*found || !skipped) goto done;
    if (!(notes = cache_path_of(cache, "", unit->hex, ".skipped.json", false, err))) status = -1;
    else if (vb_path_exists(notes)) status = read_notes(notes, skipped, err);
done:
    vb_free(notes);
    vb_free(path);
    return status;
}

int vb_cache_store(const vb_cache *cache, const vb_digest *unit, int64_t rows, int dim, const float *data, json_t *skipped,
                   vb_error *err) {
    char *path = cache_path_of(cache, "", unit->hex, ".npy", true, err), *notes = NULL, *text = NULL;
    int status = -1;
    if (!path) return -1;
    if (skipped && json_array_size(skipped)) {
        if (!(notes = cache_path_of(cache, "", unit->hex, ".skipped.json", false, err))) goto done;
        if (!(text = vb_json_parse_text(skipped, JSON_INDENT(1)))) {
            vb_errorf(err, VB_EMEMORY, "%s: no memory", notes);
            goto done;
        }
        if (vb_writer_write_whole(notes, text, strlen(text), err)) goto done;
    }
    int64_t shape[2] = {rows, dim};
    status = vb_npy_write(path, VB_F32, 2, shape, data, err);
done:
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
    if (vb_path_exists(path) && !vb_file_read_whole(path, 64, &bytes, &size, &ignored) && size == sizeof digest->hex - 1) {
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
