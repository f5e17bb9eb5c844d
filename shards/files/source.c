/* One positional-read interface over a plain file and a zstd file. */
#include "shards/files/source.h"

#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/zst.h"

struct vb_source {
    vb_file file;
    vb_zst *zst; /* NULL: the file is plain */
};

int vb_source_open(vb_source **out, const char *path, vb_error *err) {
    *out = NULL;
    vb_source *source = vb_array(1, sizeof *source, "source", err);
    int status = -1;
    if (!source) return -1;
    source->file.fd = -1;
    uint8_t magic[4];
    if (vb_file_open(&source->file, path, err)) goto done;
    size_t n = source->file.size < sizeof magic ? (size_t)source->file.size : sizeof magic;
    if (vb_file_read(&source->file, 0, magic, n, err)) goto done;
    if ((vb_zst_magic(magic, n) || vb_path_ends_with(path, ".zst")) && vb_zst_open(&source->zst, path, err)) goto done;
    *out = source;
    status = 0;
done:
    if (status) vb_source_close(source);
    return status;
}

void vb_source_close(vb_source *source) {
    if (!source) return;
    vb_zst_close(source->zst);
    vb_file_close(&source->file);
    vb_free(source);
}

const char *vb_source_path(const vb_source *source) { return source->file.path; }

bool vb_source_size(const vb_source *source, uint64_t *size) {
    if (source->zst) return vb_zst_size(source->zst, size);
    *size = source->file.size;
    return true;
}

uint64_t vb_source_position(const vb_source *source) { return source->zst ? vb_zst_position(source->zst) : 0; }

int vb_source_read_some(vb_source *source, uint64_t offset, void *buffer, size_t size, size_t *got, vb_error *err) {
    if (source->zst) return vb_zst_read(source->zst, offset, buffer, size, got, err);
    uint64_t left = offset < source->file.size ? source->file.size - offset : 0;
    *got = size < left ? size : (size_t)left;
    return vb_file_read(&source->file, offset, buffer, *got, err);
}

int vb_source_read(vb_source *source, uint64_t offset, void *buffer, size_t size, vb_error *err) {
    size_t got;
    if (vb_source_read_some(source, offset, buffer, size, &got, err)) return -1;
    if (got == size) return 0;
    return vb_errorf(err, VB_EDATA, "%s: truncated: wanted %zu bytes at offset %llu, the data ends after %zu of them",
                     source->file.path, size, (unsigned long long)offset, got);
}
