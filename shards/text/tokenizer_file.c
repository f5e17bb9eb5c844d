/* Tokenizer files of every format, and the tables of tokenizers in a cache folder. */
#include "shards/text/tokenizer_file.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"
#include "shards/text/tokenizer_format.h"

/* ---- the formats: a new one is a row here, a file of its own, and its line in tokenizer_format.h ---- */

static const vb_tokenizer_format *const formats[] = {&vb_tokenizer_format_vocab, &vb_tokenizer_format_sentencepiece,
                                                     &vb_tokenizer_format_wordpiece, &vb_tokenizer_format_openai,
                                                     &vb_tokenizer_format_json};
enum { FORMATS = sizeof formats / sizeof *formats };

static const vb_tokenizer_format *find_format(const char *path) {
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i]->recognise(path)) return formats[i];
    return NULL;
}

const char *vb_tokenizer_file_what(const char *path) {
    const vb_tokenizer_format *format = vb_path_is_folder(path) ? NULL : find_format(path);
    return format ? format->what : NULL;
}

static bool is_listed(const vb_strings *paths, const char *path) {
    for (size_t i = 0; i < paths->count; i++)
        if (!strcmp(paths->items[i], path)) return true;
    return false;
}

static int list_once(vb_strings *paths, const char *path, vb_error *err) {
    return vb_path_exists(path) && !is_listed(paths, path) ? vb_strings_add(paths, path, err) : 0;
}

static int list_parts(vb_strings *paths, const vb_tokenizer_format *format, const char *path, vb_error *err) {
    int status = 0;
    for (const char *const *part = format->parts; part && *part && !status && vb_path_exists(path); part++) {
        char *beside = vb_path_beside(path, *part, err);
        status = beside ? list_once(paths, beside, err) : -1;
        vb_free(beside);
    }
    return status;
}

static int list_folder(vb_strings *paths, const char *folder, vb_error *err) {
    int status = 0;
    for (size_t i = 0; i < FORMATS; i++)
        for (const char *const *name = formats[i]->names; name && *name && !status; name++) {
            char *path = vb_path_join(folder, *name, err);
            status = path && !list_once(paths, path, err) ? list_parts(paths, formats[i], path, err) : -1;
            vb_free(path);
        }
    return status;
}

int vb_tokenizer_file_list(vb_strings *paths, const char *path, vb_error *err) {
    if (vb_path_is_folder(path)) return list_folder(paths, path, err);
    const vb_tokenizer_format *format = find_format(path);
    return vb_strings_add(paths, path, err) || (format && list_parts(paths, format, path, err)) ? -1 : 0;
}

char *vb_tokenizer_file_in(const char *folder, vb_error *err) {
    char names[256] = "";
    for (size_t i = 0; i < FORMATS; i++)
        for (const char *const *name = formats[i]->names; name && *name; name++) {
            char *path = vb_path_join(folder, *name, err);
            if (!path || (vb_path_exists(path) && formats[i]->recognise(path))) return path;
            vb_free(path);
        }
    for (size_t i = 0; i < FORMATS; i++)
        for (const char *const *name = formats[i]->names; name && *name; name++) {
            const size_t n = strlen(names);
            snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", *name);
        }
    vb_errorf(err, VB_EMISSING, "%s: no tokenizer in this folder: expected one of %s, or a statement of the key tokenizer",
              folder, names);
    return NULL;
}

int vb_tokenizer_file_read(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    *tokenizer = NULL;
    char *inside = vb_path_is_folder(path) ? vb_tokenizer_file_in(path, err) : vb_strdup(path, err);
    if (!inside) return -1;
    const vb_tokenizer_format *format = find_format(inside);
    int status = (format ? format : &vb_tokenizer_format_openai)->read(tokenizer, inside, mask_token, digest, err);
    vb_free(inside);
    return status;
}

/* ---- tables in a cache folder ---- */

static char *tables_path(const char *folder, const vb_digest *digest, vb_error *err) {
    return vb_format(err, "%s/tokenizers/%s.tables", folder, digest->hex);
}

int vb_tokenizer_file_find(vb_tokenizer **tokenizer, vb_map *map, const char *folder, const vb_digest *digest,
                           const vb_digest *tables, vb_error *err) {
    *tokenizer = NULL;
    *map = (vb_map){0};
    char *path = tables_path(folder, digest, err);
    if (!path) return -1;
    vb_error damage;
    vb_error_clear(&damage);
    int status = 0;
    if (vb_path_exists(path) && !vb_map_open(map, path, &damage) &&
        (strcmp(vb_digest_bytes(map->data, map->size).hex, tables->hex) ||
         vb_tokenizer_map(tokenizer, map->data, map->size, &damage))) {
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

int vb_tokenizer_file_share(vb_tokenizer **tokenizer, vb_map *map, const char *folder, const vb_digest *digest, vb_digest *tables,
                            vb_error *err) {
    vb_tokenizer *found;
    char *below = NULL, *path = NULL;
    size_t size;
    const void *bytes = vb_tokenizer_bytes(*tokenizer, &size);
    *tables = vb_digest_bytes(bytes, size);
    int status = vb_tokenizer_file_find(&found, map, folder, digest, tables, err);
    if (!status && !found) {
        status = -1;
        if (!(below = vb_format(err, "%s/tokenizers", folder)) || !(path = tables_path(folder, digest, err))) goto done;
        if (vb_path_make_folders(below, err) || vb_writer_write_whole(path, bytes, size, err)) goto done;
        status = vb_tokenizer_file_find(&found, map, folder, digest, tables, err);
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
