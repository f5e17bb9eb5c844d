/* zstd: random access through the seek table, plain files as a stream, and a writer of the seekable format. */
#include "shards/files/zst.h"

#include <string.h>
#include <xxhash.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "kernels/base/memory.h"
#include "shards/files/content.h"
#include "shards/files/file.h"
#include "shards/files/writer.h"

#define FRAME_MAGIC 0xFD2FB528u
#define SKIPPABLE_MAGIC 0x184D2A50u /* the low four bits are free */
#define TABLE_MAGIC 0x184D2A5Eu
#define FOOTER_MAGIC 0x8F92EAB1u
#define FRAME_LIMIT ((uint64_t)1 << 30) /* the seekable format's own bound of a frame */

enum { FOOTER = 9, SKIPPABLE_HEADER = 8, ENTRY = 12 /* of the seek table: two sizes and a checksum */ };
enum { CHECKSUM_FLAG = 0x80, RESERVED_BITS = 0x7C, BLOCK = 1 << 16, ZSTD_BLOCK = 1 << 17 };

typedef struct frame {
    uint64_t packed, plain; /* where it begins, compressed and decompressed; one more than there are frames */
    uint32_t checksum;
} frame;

struct vb_zst {
    vb_file file;
    ZSTD_DCtx *context;
    /* with a seek table */
    bool seekable, checksums;
    size_t frames, current; /* current: the frame in `plain`; `frames` when none is */
    frame *frame;
    uint8_t *packed, *plain;
    size_t packed_capacity, plain_capacity;
    /* a stream */
    ZSTD_inBuffer in;
    uint64_t consumed, position; /* compressed bytes handed to `in`; decompressed bytes handed out */
    bool inside;                 /* a frame has begun and not ended */
    bool broken;                 /* the context is of no use before a restart */
};

static uint32_t le32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_le32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

bool vb_zst_magic(const uint8_t *bytes, size_t size) {
    return size >= 4 && (le32(bytes) == FRAME_MAGIC || (le32(bytes) & 0xFFFFFFF0u) == SKIPPABLE_MAGIC);
}

/* The seek table, if the file ends with one: every number in it is checked against the file before it is used. */
static int read_seek_table(vb_zst *zst, vb_error *err) {
    const char *path = zst->file.path;
    uint64_t size = zst->file.size;
    uint8_t footer[FOOTER], header[SKIPPABLE_HEADER];
    if (size < FOOTER + SKIPPABLE_HEADER) return 0;
    if (vb_file_read(&zst->file, size - FOOTER, footer, FOOTER, err)) return -1;
    if (le32(footer + 5) != FOOTER_MAGIC) return 0;
    uint32_t frames = le32(footer);
    if (footer[4] & RESERVED_BITS)
        return vb_errorf(err, VB_EDATA, "%s: offset %llu: seek table with reserved bits set (descriptor 0x%02x)", path,
                         (unsigned long long)(size - 5), footer[4]);
    zst->checksums = footer[4] & CHECKSUM_FLAG;
    size_t entry = zst->checksums ? ENTRY : ENTRY - 4;
    uint64_t table = (uint64_t)frames * entry, whole = SKIPPABLE_HEADER + table + FOOTER;
    if (whole > size)
        return vb_errorf(err, VB_EDATA, "%s: seek table of %u frames needs %llu bytes, the file has %llu", path, frames,
                         (unsigned long long)whole, (unsigned long long)size);
    uint64_t begin = size - whole;
    if (vb_file_read(&zst->file, begin, header, SKIPPABLE_HEADER, err)) return -1;
    if (le32(header) != TABLE_MAGIC || le32(header + 4) != table + FOOTER)
        return vb_errorf(err, VB_EDATA,
                         "%s: offset %llu: expected the seek table of %u frames (0x%08x, %llu bytes), found 0x%08x, %u "
                         "bytes",
                         path, (unsigned long long)begin, frames, TABLE_MAGIC, (unsigned long long)(table + FOOTER), le32(header),
                         le32(header + 4));
    int status = -1;
    uint8_t *bytes = vb_array((size_t)table, 1, "seek table", err);
    zst->frame = vb_array((size_t)frames + 1, sizeof *zst->frame, "seek table", err);
    if (!bytes || !zst->frame || vb_file_read(&zst->file, begin + SKIPPABLE_HEADER, bytes, (size_t)table, err)) goto done;
    for (uint32_t i = 0; i < frames; i++) {
        const uint8_t *at = bytes + (size_t)i * entry;
        uint64_t packed = le32(at), plain = le32(at + 4);
        zst->frame[i].checksum = zst->checksums ? le32(at + 8) : 0;
        zst->frame[i + 1] = (frame){zst->frame[i].packed + packed, zst->frame[i].plain + plain, 0};
        if (plain > FRAME_LIMIT) {
            vb_errorf(err, VB_EUNSUPPORTED, "%s: seek table: frame %u of %llu bytes, at most %llu are handled", path, i,
                      (unsigned long long)plain, (unsigned long long)FRAME_LIMIT);
            goto done;
        }
        /* A block takes 4 bytes at least and gives 128 KiB at most. A table that states more is wrong, and must not decide how
         * much is allocated. */
        if (plain > (packed / 4 + 1) * ZSTD_BLOCK) {
            vb_errorf(err, VB_EDATA, "%s: seek table: frame %u of %llu bytes cannot hold the stated %llu", path, i,
                      (unsigned long long)packed, (unsigned long long)plain);
            goto done;
        }
    }
    if (zst->frame[frames].packed != begin) {
        vb_errorf(err, VB_EDATA, "%s: seek table: its frames take %llu bytes, %llu lie before the table", path,
                  (unsigned long long)zst->frame[frames].packed, (unsigned long long)begin);
        goto done;
    }
    zst->frames = zst->current = frames;
    zst->seekable = true;
    status = 0;
done:
    vb_free(bytes);
    return status;
}

void vb_zst_close(vb_zst *zst) {
    if (!zst) return;
    ZSTD_freeDCtx(zst->context);
    vb_free(zst->frame);
    vb_free(zst->packed);
    vb_free(zst->plain);
    vb_file_close(&zst->file);
    vb_free(zst);
}

bool vb_zst_size(const vb_zst *zst, uint64_t *size) {
    if (zst->seekable) *size = zst->frame[zst->frames].plain;
    return zst->seekable;
}

uint64_t vb_zst_position(const vb_zst *zst) { return zst->seekable ? 0 : zst->position; }

static int zstd_failed(const vb_zst *zst, uint64_t offset, size_t result, vb_error *err) {
    vb_code code = VB_EDATA;
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) code = VB_EUNSUPPORTED;
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) code = VB_EMEMORY;
    return vb_errorf(err, code, "%s: compressed offset %llu: zstd: %s", zst->file.path, (unsigned long long)offset,
                     ZSTD_getErrorName(result));
}

/* Decompresses frame i into zst->plain and verifies it. */
static int load_frame(vb_zst *zst, size_t i, vb_error *err) {
    const char *path = zst->file.path;
    uint64_t begin = zst->frame[i].packed;
    size_t packed = (size_t)(zst->frame[i + 1].packed - begin), plain = (size_t)(zst->frame[i + 1].plain - zst->frame[i].plain);
    zst->current = zst->frames;
    if (vb_grow((void **)&zst->packed, &zst->packed_capacity, packed, 1, "zstd frame", err)) return -1;
    if (vb_file_read(&zst->file, begin, zst->packed, packed, err)) return -1;
    unsigned long long stated = ZSTD_getFrameContentSize(zst->packed, packed);
    if (stated != ZSTD_CONTENTSIZE_UNKNOWN && stated != ZSTD_CONTENTSIZE_ERROR && stated != plain)
        return vb_errorf(err, VB_EDATA, "%s: compressed offset %llu: frame %zu holds %llu bytes, the seek table says %zu", path,
                         (unsigned long long)begin, i, stated, plain);
    if (vb_grow((void **)&zst->plain, &zst->plain_capacity, plain, 1, "zstd frame", err)) return -1;
    size_t n = ZSTD_decompressDCtx(zst->context, zst->plain, plain, zst->packed, packed);
    if (ZSTD_isError(n)) return zstd_failed(zst, begin, n, err);
    if (n != plain)
        return vb_errorf(err, VB_EDATA, "%s: compressed offset %llu: frame %zu holds %zu bytes, the seek table says %zu", path,
                         (unsigned long long)begin, i, n, plain);
    uint32_t checksum = zst->checksums ? (uint32_t)XXH64(zst->plain, plain, 0) : 0;
    if (checksum != zst->frame[i].checksum)
        return vb_errorf(err, VB_EDATA, "%s: compressed offset %llu: frame %zu has checksum %08x, the seek table says %08x", path,
                         (unsigned long long)begin, i, checksum, zst->frame[i].checksum);
    zst->current = i;
    return 0;
}

int vb_zst_open(vb_zst **out, const char *path, vb_error *err) {
    *out = NULL;
    vb_zst *zst = vb_array(1, sizeof *zst, "zstd reader", err);
    int status = -1;
    if (!zst) return -1;
    zst->file.fd = -1;
    uint8_t head[VB_CONTENT_HEAD];
    if (vb_file_open(&zst->file, path, err)) goto done;
    size_t n = zst->file.size < sizeof head ? (size_t)zst->file.size : sizeof head;
    if (vb_file_read(&zst->file, 0, head, n, err)) goto done;
    if (!vb_zst_magic(head, n)) {
        vb_content_refuse(path, head, n, "zstd data, by its name", VB_EDATA, err);
        goto done;
    }
    if (read_seek_table(zst, err)) goto done;
    if (!(zst->context = ZSTD_createDCtx())) {
        vb_errorf(err, VB_EMEMORY, "%s: no memory for a zstd context", path);
        goto done;
    }
    /* No read ever comes to a frame of no bytes: whether it is one is asked here. */
    for (size_t i = 0; i < zst->frames; i++)
        if (zst->frame[i].plain == zst->frame[i + 1].plain && load_frame(zst, i, err)) goto done;
    if (!zst->seekable && !(zst->packed = vb_array(BLOCK, 1, "zstd input", err))) goto done;
    *out = zst;
    status = 0;
done:
    if (status) vb_zst_close(zst);
    return status;
}

/* The frame that holds the byte at `offset`, which lies before the end. Empty frames hold none and are passed over. */
static size_t find_frame(const vb_zst *zst, uint64_t offset) {
    size_t low = 0, high = zst->frames;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zst->frame[middle].plain <= offset) low = middle;
        else high = middle;
    }
    return low;
}

static int read_frames(vb_zst *zst, uint64_t offset, uint8_t *to, size_t size, size_t *got, vb_error *err) {
    uint64_t end = zst->frame[zst->frames].plain;
    while (*got < size && offset + *got < end) {
        uint64_t at = offset + *got;
        size_t i = zst->current;
        if (i == zst->frames || at < zst->frame[i].plain || at >= zst->frame[i + 1].plain) {
            i = find_frame(zst, at);
            if (load_frame(zst, i, err)) return -1;
        }
        size_t n = (size_t)(zst->frame[i + 1].plain - at);
        if (n > size - *got) n = size - *got;
        memcpy(to + *got, zst->plain + (at - zst->frame[i].plain), n);
        *got += n;
    }
    return 0;
}

/* Up to `size` next bytes of the stream; fewer only at its end. */
static int read_on(vb_zst *zst, uint8_t *to, size_t size, size_t *got, vb_error *err) {
    ZSTD_outBuffer out = {to, size, 0};
    while (out.pos < size) {
        if (zst->in.pos == zst->in.size && zst->consumed < zst->file.size) {
            uint64_t left = zst->file.size - zst->consumed;
            size_t n = left < BLOCK ? (size_t)left : BLOCK;
            if (vb_file_read(&zst->file, zst->consumed, zst->packed, n, err)) return -1;
            zst->in = (ZSTD_inBuffer){zst->packed, n, 0};
            zst->consumed += n;
        }
        bool drained = zst->in.pos == zst->in.size;
        if (drained && !zst->inside) break;
        size_t before = out.pos, result = ZSTD_decompressStream(zst->context, &out, &zst->in);
        if (ZSTD_isError(result)) return zstd_failed(zst, zst->consumed - zst->in.size + zst->in.pos, result, err);
        zst->inside = result != 0;
        if (drained && out.pos == before && zst->inside)
            return vb_errorf(err, VB_EDATA, "%s: truncated: the file ends at compressed offset %llu inside a zstd frame",
                             zst->file.path, (unsigned long long)zst->file.size);
    }
    zst->position += out.pos;
    *got = out.pos;
    return 0;
}

static int read_stream(vb_zst *zst, uint64_t offset, uint8_t *to, size_t size, size_t *got, vb_error *err) {
    if (zst->broken || offset < zst->position) {
        ZSTD_DCtx_reset(zst->context, ZSTD_reset_session_only);
        zst->in = (ZSTD_inBuffer){0};
        zst->consumed = zst->position = 0;
        zst->inside = false;
    }
    zst->broken = true; /* until we come through */
    while (zst->position < offset) {
        uint8_t skipped[BLOCK];
        uint64_t left = offset - zst->position;
        size_t wanted = left < BLOCK ? (size_t)left : BLOCK, n = 0;
        if (read_on(zst, skipped, wanted, &n, err)) return -1;
        if (n < wanted) {
            zst->broken = false;
            return 0; /* the data ends before `offset` */
        }
    }
    if (read_on(zst, to, size, got, err)) return -1;
    zst->broken = false;
    return 0;
}

int vb_zst_read(vb_zst *zst, uint64_t offset, void *buffer, size_t size, size_t *got, vb_error *err) {
    *got = 0;
    return zst->seekable ? read_frames(zst, offset, buffer, size, got, err) : read_stream(zst, offset, buffer, size, got, err);
}

/* ---- writing ---- */

struct vb_zst_writer {
    vb_writer *file;
    ZSTD_CCtx *context;
    uint8_t *plain, *packed; /* the open frame; the compressed one */
    size_t filled, plain_capacity, packed_capacity;
    uint8_t *table; /* entries of ENTRY bytes */
    size_t frames, table_capacity;
};

int vb_zst_writer_open(vb_zst_writer **out, const char *path, int level, vb_error *err) {
    *out = NULL;
    if (level < 1 || level > 19) return vb_errorf(err, VB_EUSAGE, "zstd level %d: expected 1 to 19", level);
    vb_zst_writer *writer = vb_array(1, sizeof *writer, "zstd writer", err);
    int status = -1;
    if (!writer) return -1;
    if (!(writer->context = ZSTD_createCCtx())) {
        vb_errorf(err, VB_EMEMORY, "%s: no memory for a zstd context", path);
        goto done;
    }
    size_t set = ZSTD_CCtx_setParameter(writer->context, ZSTD_c_compressionLevel, level);
    if (!ZSTD_isError(set)) set = ZSTD_CCtx_setParameter(writer->context, ZSTD_c_checksumFlag, 1);
    if (ZSTD_isError(set)) {
        vb_errorf(err, VB_EINTERNAL, "%s: zstd: %s", path, ZSTD_getErrorName(set));
        goto done;
    }
    if (vb_writer_open(&writer->file, path, err)) goto done;
    *out = writer;
    status = 0;
done:
    if (status) vb_zst_writer_abandon(writer);
    return status;
}

int vb_zst_writer_write(vb_zst_writer *writer, const void *bytes, size_t size, vb_error *err) {
    const uint8_t *from = bytes;
    while (size) {
        size_t room = FRAME_LIMIT - writer->filled, n = size < room ? size : room;
        if (vb_grow((void **)&writer->plain, &writer->plain_capacity, writer->filled + n, 1, "zstd frame", err)) return -1;
        memcpy(writer->plain + writer->filled, from, n);
        writer->filled += n;
        from += n;
        size -= n;
        if (writer->filled == FRAME_LIMIT && vb_zst_writer_cut(writer, err)) return -1;
    }
    return 0;
}

int vb_zst_writer_cut(vb_zst_writer *writer, vb_error *err) {
    if (!writer->filled) return 0;
    if (writer->frames == UINT32_MAX / ENTRY - 1)
        return vb_errorf(err, VB_EUNSUPPORTED, "more zstd frames than a seek table can list");
    if (vb_grow((void **)&writer->packed, &writer->packed_capacity, ZSTD_compressBound(writer->filled), 1, "zstd frame", err))
        return -1;
    if (vb_grow((void **)&writer->table, &writer->table_capacity, (writer->frames + 1) * ENTRY, 1, "seek table", err)) return -1;
    size_t n = ZSTD_compress2(writer->context, writer->packed, writer->packed_capacity, writer->plain, writer->filled);
    if (ZSTD_isError(n))
        return vb_errorf(err, VB_EMEMORY, "zstd cannot compress %zu bytes: %s", writer->filled, ZSTD_getErrorName(n));
    uint8_t *entry = writer->table + writer->frames * ENTRY;
    put_le32(entry, (uint32_t)n);
    put_le32(entry + 4, (uint32_t)writer->filled);
    put_le32(entry + 8, (uint32_t)XXH64(writer->plain, writer->filled, 0));
    if (vb_writer_write(writer->file, writer->packed, n, err)) return -1;
    writer->frames++;
    writer->filled = 0;
    return 0;
}

size_t vb_zst_writer_frame_bytes(const vb_zst_writer *writer) { return writer->filled; }

int vb_zst_writer_commit(vb_zst_writer *writer, uint64_t *bytes, vb_error *err) {
    uint8_t header[SKIPPABLE_HEADER], footer[FOOTER];
    int status = vb_zst_writer_cut(writer, err);
    if (status) goto done;
    size_t table = writer->frames * ENTRY;
    put_le32(header, TABLE_MAGIC);
    put_le32(header + 4, (uint32_t)(table + FOOTER));
    put_le32(footer, (uint32_t)writer->frames);
    footer[4] = CHECKSUM_FLAG;
    put_le32(footer + 5, FOOTER_MAGIC);
    status = -1;
    if (vb_writer_write(writer->file, header, sizeof header, err) || vb_writer_write(writer->file, writer->table, table, err) ||
        vb_writer_write(writer->file, footer, sizeof footer, err))
        goto done;
    if (bytes) *bytes = vb_writer_offset(writer->file);
    status = vb_writer_commit(writer->file, err);
    writer->file = NULL; /* freed either way */
done:
    vb_zst_writer_abandon(writer);
    return status;
}

void vb_zst_writer_abandon(vb_zst_writer *writer) {
    if (!writer) return;
    vb_writer_abandon(writer->file);
    ZSTD_freeCCtx(writer->context);
    vb_free(writer->plain);
    vb_free(writer->packed);
    vb_free(writer->table);
    vb_free(writer);
}

int vb_zst_frame(const void *bytes, size_t size, int level, void **packed, size_t *packed_size, vb_error *err) {
    size_t bound = ZSTD_compressBound(size);
    if (!(*packed = vb_array(bound, 1, "zstd frame", err))) return -1;
    *packed_size = ZSTD_compress(*packed, bound, bytes, size, level);
    if (!ZSTD_isError(*packed_size)) return 0;
    vb_errorf(err, VB_EINTERNAL, "zstd: %s", ZSTD_getErrorName(*packed_size));
    vb_free(*packed);
    *packed = NULL;
    return -1;
}
