/* What the formats of tokenizer files share: content that may be gzip, and digests. */
#include "shards/text/tokenizer_format.h"

#include <string.h>
#include <zlib.h>

#include "kernels/base/memory.h"
#include "shards/files/content.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

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
    int code = Z_OK, status = -1;
    *size = 0;
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return vb_errorf(err, VB_EMEMORY, "%s: no memory to unpack it", path);
    while (code == Z_OK) {
        if (vb_grow(&out, &capacity, *size + 65536, 1, path, err)) goto done;
        z.next_out = (Bytef *)out + *size;
        z.avail_out = (uInt)(capacity - *size);
        code = inflate(&z, Z_NO_FLUSH);
        *size = capacity - z.avail_out;
        if (*size > VB_TOKENIZER_FORMAT_BYTES) {
            vb_errorf(err, VB_EDATA, "%s: more than %d bytes when unpacked, no tokenizer", path, VB_TOKENIZER_FORMAT_BYTES);
            goto done;
        }
    }
    if (code == Z_STREAM_END && !z.avail_in) {
        *bytes = out;
        out = NULL;
        status = 0;
    } else if (code == Z_STREAM_END)
        vb_errorf(err, VB_EDATA, "%s: %u bytes behind the end of the gzip data, at byte %lu", path, z.avail_in, z.total_in);
    else if (code == Z_BUF_ERROR)
        vb_errorf(err, VB_EDATA, "%s: truncated gzip data, it ends at byte %zu in the middle of the stream", path, packed_size);
    else if (code == Z_MEM_ERROR) vb_errorf(err, VB_EMEMORY, "%s: no memory to unpack it", path);
    else vb_errorf(err, VB_EDATA, "%s: corrupt gzip data before byte %lu: %s", path, z.total_in, z.msg ? z.msg : zError(code));
done:
    inflateEnd(&z);
    vb_free(out);
    return status;
}

/* A file's content, unpacked when it is gzip. */
int vb_tokenizer_format_unpacked(const char *path, const char *expected, uint8_t **bytes, size_t *size, vb_error *err) {
    uint8_t *packed;
    size_t packed_size;
    if (vb_file_read_whole(path, VB_TOKENIZER_FORMAT_BYTES, &packed, &packed_size, err)) return -1;
    if (packed_size >= 2 && packed[0] == 0x1f && packed[1] == 0x8b) {
        int status = unpack(packed, packed_size, path, bytes, size, err);
        vb_free(packed);
        return status;
    }
    if (vb_path_ends_with(path, ".gz") || vb_content_is_no_text(packed, packed_size)) {
        vb_content_refuse(path, packed, packed_size, vb_path_ends_with(path, ".gz") ? "gzip data, by its name" : expected,
                          VB_EDATA, err);
        vb_free(packed);
        return -1;
    }
    *bytes = packed;
    *size = packed_size;
    return 0;
}

int vb_tokenizer_format_digest(vb_digest *digest, const char *kind, const void *vocabulary, size_t vocabulary_size,
                               const void *merges, size_t merges_size, vb_error *err) {
    vb_digester *digester;
    if (!digest) return 0;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, kind);
    vb_digest_add(digester, vocabulary, vocabulary_size);
    vb_digest_add(digester, merges, merges_size);
    *digest = vb_digest_finish(digester);
    return 0;
}

size_t vb_tokenizer_format_start(const char *path, uint8_t *bytes, size_t n) {
    vb_file file;
    vb_error none;
    if (vb_file_open(&file, path, &none)) return 0;
    if (file.size < n) n = (size_t)file.size;
    const int status = n ? vb_file_read(&file, 0, bytes, n, &none) : 0;
    vb_file_close(&file);
    return status ? 0 : n;
}

int vb_tokenizer_format_no_mask(const char *path, vb_error *err) {
    return vb_errorf(err, VB_EMISMATCH, "%s: a model with a mask token needs OpenAI's byte-pair encoding", path);
}
