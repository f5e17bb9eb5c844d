/* manifest.json: a strict reader and a deterministic writer. */
#include "shards/files/manifest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/writer.h"

static const char schema[] = "vocabench.shards/1";
enum { MANIFEST_LIMIT = 1 << 28 };

static int wrong_value(const char *path, const char *key, const char *expected, vb_error *err) {
    return vb_errorf(err, VB_EDATA, "%s: %s: expected %s", path, key, expected);
}

/* Every key is known and every known key is there. `keys` ends with NULL. */
static int check_keys(const json_t *object, const char *const *keys, const char *path, const char *place, vb_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        bool known = false;
        for (int i = 0; keys[i]; i++) known |= !strcmp(keys[i], key);
        if (!known) return vb_errorf(err, VB_EDATA, "%s: %s: unknown key '%s'", path, place, key);
    }
    for (int i = 0; keys[i]; i++)
        if (!json_object_get(object, keys[i]))
            return vb_errorf(err, VB_EDATA, "%s: %s: key '%s' is missing", path, place, keys[i]);
    return 0;
}

static int read_count(const json_t *object, const char *key, const char *path, const char *place, int64_t *value, vb_error *err) {
    const json_t *number = json_object_get(object, key);
    if (!json_is_integer(number) || json_integer_value(number) < 0)
        return vb_errorf(err, VB_EDATA, "%s: %s: %s: expected an integer of 0 or more", path, place, key);
    *value = json_integer_value(number);
    return 0;
}

static int read_shard_entry(vb_manifest_shard *shard, const json_t *object, const char *path, const char *place, vb_error *err) {
    static const char *const keys[] = {"file", "rows", "bytes", "xxh3_128", NULL};
    if (!json_is_object(object)) return wrong_value(path, place, "an object", err);
    int64_t bytes;
    if (check_keys(object, keys, path, place, err) || read_count(object, "rows", path, place, &shard->rows, err) ||
        read_count(object, "bytes", path, place, &bytes, err))
        return -1;
    shard->bytes = (uint64_t)bytes;
    const char *file = json_string_value(json_object_get(object, "file")),
               *hex = json_string_value(json_object_get(object, "xxh3_128"));
    if (!file || !*file || file[0] == '.' || strchr(file, '/'))
        return vb_errorf(err, VB_EDATA, "%s: %s: file: expected the name of a file inside the folder, found '%s'", path, place,
                         file ? file : "");
    if (!hex || strlen(hex) != 32 || strspn(hex, "0123456789abcdef") != 32)
        return vb_errorf(err, VB_EDATA, "%s: %s: xxh3_128: expected 32 hexadecimal digits", path, place);
    snprintf(shard->digest.hex, sizeof shard->digest.hex, "%s", hex);
    return (shard->file = vb_strdup(file, err)) ? 0 : -1;
}

static int read_root(vb_manifest *manifest, const json_t *root, const char *path, vb_error *err) {
    static const char *const keys[] = {"schema", "rows", "class_names", "shards", NULL};
    const char *found = json_string_value(json_object_get(root, "schema"));
    if (!json_is_object(root) || !found || strcmp(found, schema))
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: expected \"schema\": \"%s\", found '%s'", path, schema, found ? found : "");
    if (check_keys(root, keys, path, "manifest", err) || read_count(root, "rows", path, "manifest", &manifest->rows, err))
        return -1;
    const json_t *names = json_object_get(root, "class_names"), *shards = json_object_get(root, "shards");
    if (!json_is_array(names)) return wrong_value(path, "class_names", "a list of strings", err);
    if (!json_is_array(shards)) return wrong_value(path, "shards", "a list of objects", err);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!name || !*name) return wrong_value(path, "class_names", "non-empty strings", err);
        if (vb_strings_add(&manifest->class_names, name, err)) return -1;
    }
    if (!(manifest->shards = vb_array(json_array_size(shards), sizeof *manifest->shards, "shards", err))) return -1;
    int64_t rows = 0;
    for (size_t i = 0; i < json_array_size(shards); i++) {
        char place[32];
        snprintf(place, sizeof place, "shards[%zu]", i);
        vb_manifest_shard *shard = &manifest->shards[i];
        manifest->shard_count = i + 1;
        if (read_shard_entry(shard, json_array_get(shards, i), path, place, err)) return -1;
        if (i && strcmp(manifest->shards[i - 1].file, shard->file) >= 0)
            return vb_errorf(err, VB_EDATA, "%s: %s: '%s' after '%s': expected files in byte order, each once", path, place,
                             shard->file, manifest->shards[i - 1].file);
        if (shard->rows > manifest->rows - rows)
            return vb_errorf(err, VB_EDATA, "%s: %s: the shards hold more rows than the %lld of the manifest", path, place,
                             (long long)manifest->rows);
        rows += shard->rows;
    }
    if (rows != manifest->rows)
        return vb_errorf(err, VB_EDATA, "%s: rows: the shards hold %lld, the manifest says %lld", path, (long long)rows,
                         (long long)manifest->rows);
    return 0;
}

int vb_manifest_read(vb_manifest *manifest, const char *path, vb_error *err) {
    *manifest = (vb_manifest){0};
    uint8_t *bytes;
    size_t size;
    if (vb_file_read_whole(path, MANIFEST_LIMIT, &bytes, &size, err)) return -1;
    json_t *root = vb_json_parse((const char *)bytes, size, JSON_REJECT_DUPLICATES, path, err);
    int status = root ? read_root(manifest, root, path, err) : -1;
    json_decref(root);
    vb_free(bytes);
    if (status) vb_manifest_free(manifest);
    return status;
}

void vb_manifest_free(vb_manifest *manifest) {
    for (size_t i = 0; i < manifest->shard_count; i++) vb_free(manifest->shards[i].file);
    vb_strings_free(&manifest->class_names);
    vb_free(manifest->shards);
    *manifest = (vb_manifest){0};
}

/* The manifest as JSON; NULL on lack of memory. Names that are not UTF-8 are refused before. */
static json_t *manifest_json(const vb_manifest *manifest) {
    json_t *names = json_array(), *shards = json_array();
    bool failed = false;
    for (size_t i = 0; i < manifest->class_names.count; i++)
        failed |= json_array_append_new(names, json_string(manifest->class_names.items[i])) != 0;
    for (size_t i = 0; i < manifest->shard_count; i++) {
        const vb_manifest_shard *shard = &manifest->shards[i];
        failed |=
            json_array_append_new(shards, json_pack("{s:s, s:I, s:I, s:s}", "file", shard->file, "rows", (json_int_t)shard->rows,
                                                    "bytes", (json_int_t)shard->bytes, "xxh3_128", shard->digest.hex)) != 0;
    }
    json_t *root = json_pack("{s:s, s:I, s:o, s:o}", "schema", schema, "rows", (json_int_t)manifest->rows, "class_names", names,
                             "shards", shards);
    if (root && !failed) return root;
    json_decref(root);
    return NULL;
}

int vb_manifest_write(const vb_manifest *manifest, const char *path, vb_error *err) {
    for (size_t i = 0; i < manifest->class_names.count; i++) {
        const char *name = manifest->class_names.items[i];
        if (!vb_utf8_is_text(name, strlen(name), NULL))
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: class name '%s' is not UTF-8", path, name);
    }
    json_t *root = manifest_json(manifest);
    char *text = root ? vb_json_parse_text(root, JSON_INDENT(1)) : NULL;
    int status = -1;
    vb_writer *writer = NULL;
    if (!text) vb_errorf(err, VB_EMEMORY, "%s: no memory for the manifest", path);
    else if (!vb_writer_open(&writer, path, err)) {
        if (vb_writer_write(writer, text, strlen(text), err) || vb_writer_write(writer, "\n", 1, err)) vb_writer_abandon(writer);
        else status = vb_writer_commit(writer, err);
    }
    vb_free(text);
    json_decref(root);
    return status;
}
