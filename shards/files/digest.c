/* XXH3-128 digests of bytes, files and sequences of fields. */
#include "shards/files/digest.h"

#include <stdio.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY /* makes the state a complete type, so that our allocator holds it */
#include <xxhash.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "shards/files/file.h"

struct vb_digester {
    XXH3_state_t state;
};

static vb_digest in_hex(XXH128_hash_t hash) {
    vb_digest digest;
    snprintf(digest.hex, sizeof digest.hex, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
    return digest;
}

int vb_digest_new(vb_digester **digester, vb_error *err) {
    if (!(*digester = vb_array(1, sizeof **digester, "digest", err))) return -1;
    XXH3_128bits_reset(&(*digester)->state);
    return 0;
}

void vb_digest_add(vb_digester *digester, const void *bytes, size_t size) {
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)((unsigned long long)size >> (8 * i));
    vb_digest_add_piece(digester, length, sizeof length);
    vb_digest_add_piece(digester, bytes, size);
}

void vb_digest_add_piece(vb_digester *digester, const void *bytes, size_t size) {
    XXH3_128bits_update(&digester->state, bytes, size);
}

void vb_digest_add_text(vb_digester *digester, const char *text) { vb_digest_add(digester, text, strlen(text)); }

vb_digest vb_digest_finish(vb_digester *digester) {
    vb_digest digest = in_hex(XXH3_128bits_digest(&digester->state));
    vb_free(digester);
    return digest;
}

void vb_digest_free(vb_digester *digester) { vb_free(digester); }

uint64_t vb_digest_checksum(const void *bytes, size_t size, uint64_t seed) { return XXH3_64bits_withSeed(bytes, size, seed); }

vb_digest vb_digest_bytes(const void *bytes, size_t size) { return in_hex(XXH3_128bits(bytes, size)); }

/* After a piece. */
static int look(const vb_digest_watch *watch, size_t bytes, vb_error *err) {
    const int fault = vb_fault(VB_FAULT_HASH);
    if (fault > 0) return vb_errorf(err, VB_EDATA, "cannot be hashed: %s", strerror(fault));
    return watch->step ? watch->step(watch->context, (int64_t)bytes, err) : 0;
}

int vb_digest_watched(const void *bytes, size_t size, const vb_digest_watch *watch, vb_digest *digest, vb_error *err) {
    vb_digester *digester;
    int status = vb_digest_new(&digester, err);
    if (status) return -1;
    for (size_t at = 0; at < size && !status;) {
        const size_t n = size - at < VB_DIGEST_PIECE ? size - at : VB_DIGEST_PIECE;
        vb_digest_add_piece(digester, (const uint8_t *)bytes + at, n);
        status = look(watch, n, err);
        at += n;
    }
    if (status) vb_digest_free(digester);
    else *digest = vb_digest_finish(digester);
    return status;
}

int vb_digest_file(const char *path, vb_digest *digest, vb_error *err) { return vb_digest_file_watched(path, NULL, digest, err); }

int vb_digest_file_watched(const char *path, const vb_digest_watch *watch, vb_digest *digest, vb_error *err) {
    vb_file file;
    if (vb_file_open(&file, path, err)) return -1;
    int status = -1;
    vb_digester *digester = NULL;
    unsigned char *block = vb_array(VB_DIGEST_PIECE, 1, "digest", err);
    if (!block || vb_digest_new(&digester, err)) goto done;
    for (uint64_t at = 0; at < file.size;) {
        size_t n = file.size - at < VB_DIGEST_PIECE ? (size_t)(file.size - at) : VB_DIGEST_PIECE;
        if (vb_file_read(&file, at, block, n, err)) goto done;
        vb_digest_add_piece(digester, block, n);
        at += n;
        if (watch && look(watch, n, err)) goto done;
    }
    *digest = vb_digest_finish(digester);
    digester = NULL;
    status = 0;
done:
    vb_digest_free(digester);
    vb_free(block);
    vb_file_close(&file);
    return status;
}
