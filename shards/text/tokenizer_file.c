/* Tokenizer files of every format, and the tables of tokenizers in a cache folder. */
#include "shards/text/tokenizer_file.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"
#include "shards/text/tokenizer_format.h"

/* ---- the formats: a new one is a row here, a file of its own, and its line in tokenizer_format.h ---- */

static const vb_tokenizer_format *const formats[] = {&vb_tokenizer_format_vocab, &vb_tokenizer_format_openai};

int vb_tokenizer_file_read(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    *tokenizer = NULL;
    bool folder = vb_path_is_folder(path);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->recognise(path, folder)) return formats[i]->read(tokenizer, path, mask_token, digest, err);
    return vb_errorf(err, VB_EMISSING,
                     "%s: a folder without vocab.json, expected it with merges.txt, or a path of OpenAI's merges file", path);
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
