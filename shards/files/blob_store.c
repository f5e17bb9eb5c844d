/* A piece is a file DIGEST-OF-KEY.blob: a line of the digest of its bytes, then the bytes. */
#include "shards/files/blob_store.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/digest.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

enum { HEAD = 33, LARGEST = 256 << 20 };

static char *path_of(const char *folder, const char *key, vb_error *err) {
    const vb_digest digest = vb_digest_bytes(key, strlen(key));
    return vb_format(err, "%s/%s.blob", folder, digest.hex);
}

int vb_blob_store_load(const char *folder, const char *key, uint8_t **bytes, size_t *size, vb_error *err) {
    *bytes = NULL;
    *size = 0;
    char *path = path_of(folder, key, err);
    if (!path) return -1;
    uint8_t *all = NULL;
    size_t whole = 0;
    vb_error reason = {0};
    const int failed = !vb_path_exists(path) || vb_file_read_whole(path, LARGEST, &all, &whole, &reason);
    vb_free(path);
    if (failed && reason.code == VB_EMEMORY) return vb_errorf(err, VB_EMEMORY, "%s", reason.text);
    if (failed || whole < HEAD || all[HEAD - 1] != '\n' ||
        memcmp(all, vb_digest_bytes(all + HEAD, whole - HEAD).hex, HEAD - 1) != 0) {
        vb_free(all);
        return 0;
    }
    *size = whole - HEAD;
    memmove(all, all + HEAD, *size);
    *bytes = all;
    return 0;
}

int vb_blob_store_save(const char *folder, const char *key, const void *bytes, size_t size, vb_error *err) {
    if (vb_path_make_folders(folder, err)) return -1;
    char *path = path_of(folder, key, err);
    if (!path) return -1;
    vb_writer *writer = NULL;
    int status = vb_writer_open(&writer, path, err);
    if (!status) {
        status = vb_writer_printf(writer, err, "%s\n", vb_digest_bytes(bytes, size).hex);
        if (!status) status = vb_writer_write(writer, bytes, size, err);
        if (!status) status = vb_writer_commit(writer, err);
        else vb_writer_abandon(writer);
    }
    vb_free(path);
    return status;
}

char *vb_blob_store_default(const char *name, vb_error *err) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache) return vb_format(err, "%s/vocabench/%s", cache, name);
    if (home && *home) return vb_format(err, "%s/.cache/vocabench/%s", home, name);
    return NULL;
}
