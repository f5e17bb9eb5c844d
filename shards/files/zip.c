/* The central directory of a ZIP archive, and its entries in place. */
#include "shards/files/zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "kernels/base/memory.h"

enum {
    END_SIZE = 22,
    END_SIGNATURE = 0x06054b50, /* end of central directory */
    LOCATOR_SIZE = 20,
    LOCATOR_SIGNATURE = 0x07064b50, /* where its ZIP64 sister is */
    END64_SIZE = 56,
    END64_SIGNATURE = 0x06064b50,
    CENTRAL_SIZE = 46,
    CENTRAL_SIGNATURE = 0x02014b50,
    LOCAL_SIZE = 30,
    LOCAL_SIGNATURE = 0x04034b50,
    STORED = 0,
    DEFLATED = 8,
    ENCRYPTED = 1
};

static uint64_t little(const uint8_t *bytes, int count) {
    uint64_t number = 0;
    for (int i = count - 1; i >= 0; i--) number = number << 8 | bytes[i];
    return number;
}

bool vb_zip_begins(const uint8_t *data, size_t size) {
    return size >= 4 && (little(data, 4) == LOCAL_SIGNATURE || little(data, 4) == END_SIGNATURE);
}

typedef struct directory {
    uint64_t count, offset, size;
} directory;

/* The end record stands before the archive's comment, which may be as long as 65535 bytes. */
static int find_directory(const vb_zip *zip, directory *found, const char *path, vb_error *err) {
    const uint8_t *end = NULL;
    for (size_t back = END_SIZE; back <= zip->size && back <= END_SIZE + 65535 && !end; back++) {
        const uint8_t *at = zip->data + zip->size - back;
        if (little(at, 4) == END_SIGNATURE && little(at + 20, 2) == back - END_SIZE) end = at;
    }
    if (!end)
        return vb_errorf(err, VB_EDATA, "%s: a zip archive without its end record at byte %zu (cut short?)", path, zip->size);
    *found = (directory){little(end + 10, 2), little(end + 16, 4), little(end + 12, 4)};
    size_t end_at = (size_t)(end - zip->data);
    if (little(end + 4, 2) != 0 && little(end + 4, 2) != 0xffff)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: a zip archive of several disks", path);
    if (end_at < LOCATOR_SIZE || little(end - LOCATOR_SIZE, 4) != LOCATOR_SIGNATURE) return 0;

    uint64_t at = little(end - LOCATOR_SIZE + 8, 8);
    if (end_at - LOCATOR_SIZE < END64_SIZE || at > end_at - LOCATOR_SIZE - END64_SIZE ||
        little(zip->data + at, 4) != END64_SIGNATURE)
        return vb_errorf(err, VB_EDATA, "%s: no ZIP64 end record at byte %" PRIu64 ", where byte %zu says it is", path, at,
                         end_at - LOCATOR_SIZE);
    const uint8_t *end64 = zip->data + at;
    *found = (directory){little(end64 + 32, 8), little(end64 + 48, 8), little(end64 + 40, 8)};
    return 0;
}

/* Sizes and offset that do not fit 32 bits stand in extra field 1, only those, in this order. */
static int read_zip64(vb_zip_entry *entry, const uint8_t *extra, size_t size) {
    uint64_t *fields[] = {&entry->size, &entry->compressed, &entry->header};
    bool wanted = false;
    for (int i = 0; i < 3; i++) wanted |= *fields[i] == UINT32_MAX;
    while (wanted && size >= 4) {
        size_t length = (size_t)little(extra + 2, 2);
        if (length > size - 4) return -1;
        if (little(extra, 2) == 1) {
            const uint8_t *at = extra + 4;
            for (int i = 0; i < 3; i++) {
                if (*fields[i] != UINT32_MAX) continue;
                if (length < 8) return -1;
                *fields[i] = little(at, 8);
                at += 8;
                length -= 8;
            }
            return 0;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
    return 0; /* without the field, 0xffffffff is the value itself */
}

static int entry_by_name(const void *a, const void *b) {
    return strcmp(((const vb_zip_entry *)a)->name, ((const vb_zip_entry *)b)->name);
}

static int read_entries(vb_zip *zip, const directory *found, const char *path, vb_error *err) {
    const uint8_t *at = zip->data + found->offset, *end = at + found->size;
    char *name = zip->names;
    for (uint64_t i = 0; i < found->count; i++) {
        size_t left = (size_t)(end - at), place = (size_t)(at - zip->data);
        if (left < CENTRAL_SIZE || little(at, 4) != CENTRAL_SIGNATURE)
            return vb_errorf(err, VB_EDATA,
                             "%s: no directory entry at byte %zu, where number %" PRIu64 " of %" PRIu64 " is expected", path,
                             place, i + 1, found->count);
        size_t name_size = (size_t)little(at + 28, 2), extra_size = (size_t)little(at + 30, 2),
               comment = (size_t)little(at + 32, 2);
        if (name_size + extra_size + comment > left - CENTRAL_SIZE)
            return vb_errorf(err, VB_EDATA, "%s: the directory entry at byte %zu runs over the directory's end", path, place);
        vb_zip_entry *entry = &zip->entries[zip->count++];
        *entry = (vb_zip_entry){.name = name,
                                .flags = (uint16_t)little(at + 8, 2),
                                .method = (uint16_t)little(at + 10, 2),
                                .crc = (uint32_t)little(at + 16, 4),
                                .compressed = little(at + 20, 4),
                                .size = little(at + 24, 4),
                                .header = little(at + 42, 4)};
        if (memchr(at + CENTRAL_SIZE, 0, name_size))
            return vb_errorf(err, VB_EDATA, "%s: the directory entry at byte %zu has a name with a NUL byte", path, place);
        memcpy(name, at + CENTRAL_SIZE, name_size);
        name += name_size + 1;
        if (read_zip64(entry, at + CENTRAL_SIZE + name_size, extra_size))
            return vb_errorf(err, VB_EDATA, "%s: the directory entry at byte %zu has a broken extra field", path, place);
        at += CENTRAL_SIZE + name_size + extra_size + comment;
    }
    qsort(zip->entries, zip->count, sizeof *zip->entries, entry_by_name);
    for (size_t i = 1; i < zip->count; i++)
        if (!strcmp(zip->entries[i - 1].name, zip->entries[i].name))
            return vb_errorf(err, VB_EDATA, "%s: the archive lists '%s' twice", path, zip->entries[i].name);
    return 0;
}

int vb_zip_open(vb_zip *zip, const uint8_t *data, size_t size, const char *path, vb_error *err) {
    *zip = (vb_zip){.data = data, .size = size};
    directory found = {0};
    if (find_directory(zip, &found, path, err)) return -1;
    if (found.offset > size || found.size > size - found.offset || found.count > found.size / CENTRAL_SIZE)
        return vb_errorf(err, VB_EDATA,
                         "%s: the archive's directory of %" PRIu64 " entries in %" PRIu64 " bytes at byte %" PRIu64
                         " does not fit the file's %zu bytes",
                         path, found.count, found.size, found.offset, size);
    if (!(zip->entries = vb_array((size_t)found.count, sizeof *zip->entries, "zip directory", err)) ||
        !(zip->names = vb_array((size_t)found.size, 1, "zip directory", err)) || read_entries(zip, &found, path, err)) {
        vb_zip_close(zip);
        return -1;
    }
    return 0;
}

vb_zip_entry *vb_zip_find(const vb_zip *zip, const char *name) {
    vb_zip_entry wanted = {.name = name};
    return zip->count ? bsearch(&wanted, zip->entries, zip->count, sizeof wanted, entry_by_name) : NULL;
}

/* Where an entry's bytes are, by its local header, which must agree with the directory. */
static int locate_content(const vb_zip *zip, const vb_zip_entry *entry, const uint8_t **bytes, const char *path, vb_error *err) {
    size_t name_size = strlen(entry->name);
    if (zip->size < LOCAL_SIZE || entry->header > zip->size - LOCAL_SIZE ||
        little(zip->data + entry->header, 4) != LOCAL_SIGNATURE)
        return vb_errorf(err, VB_EDATA, "%s: '%s' has no header at byte %" PRIu64 ", where the directory says it is", path,
                         entry->name, entry->header);
    const uint8_t *header = zip->data + entry->header;
    size_t skip = LOCAL_SIZE + (size_t)little(header + 26, 2) + (size_t)little(header + 28, 2);
    size_t left = zip->size - (size_t)entry->header;
    if (skip > left || entry->compressed > left - skip)
        return vb_errorf(err, VB_EDATA, "%s: '%s' at byte %" PRIu64 " has %" PRIu64 " bytes, the file has %zu left", path,
                         entry->name, entry->header, entry->compressed, skip > left ? 0 : left - skip);
    if (little(header + 26, 2) != name_size || memcmp(header + LOCAL_SIZE, entry->name, name_size))
        return vb_errorf(err, VB_EDATA, "%s: the header at byte %" PRIu64 " is not that of '%s'", path, entry->header,
                         entry->name);
    *bytes = header + skip;
    return 0;
}

static int inflate_entry(vb_zip *zip, vb_zip_entry *entry, const uint8_t *bytes, const char *path, vb_error *err) {
    if (entry->size > VB_ZIP_INFLATED - zip->inflated || entry->compressed > VB_ZIP_INFLATED)
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "%s: '%s' is compressed (%" PRIu64 " bytes); weights are used where they lie in the file: "
                         "store the archive without compression",
                         path, entry->name, entry->size);
    uint8_t *content = vb_array((size_t)entry->size, 1, entry->name, err);
    if (!content) return -1;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes,
                       .avail_in = (uInt)entry->compressed,
                       .next_out = content,
                       .avail_out = (uInt)entry->size};
    int code = inflateInit2(&stream, -MAX_WBITS); /* raw deflate */
    if (code == Z_OK) {
        code = inflate(&stream, Z_FINISH);
        inflateEnd(&stream);
    }
    int status = 0;
    if (code == Z_MEM_ERROR) status = vb_errorf(err, VB_EMEMORY, "%s: '%s': no memory to inflate it", path, entry->name);
    else if (code != Z_STREAM_END || stream.avail_out || crc32(crc32(0, NULL, 0), content, (uInt)entry->size) != entry->crc)
        status = vb_errorf(err, VB_EDATA, "%s: '%s' does not inflate to its %" PRIu64 " bytes with CRC %08" PRIx32, path,
                           entry->name, entry->size, entry->crc);
    if (status) {
        vb_free(content);
        return -1;
    }
    entry->inflated = content;
    zip->inflated += entry->size;
    return 0;
}

int vb_zip_content(vb_zip *zip, vb_zip_entry *entry, const uint8_t **bytes, const char *path, vb_error *err) {
    if (entry->inflated) {
        *bytes = entry->inflated;
        return 0;
    }
    if (locate_content(zip, entry, bytes, path, err)) return -1;
    if (entry->flags & ENCRYPTED) return vb_errorf(err, VB_EUNSUPPORTED, "%s: '%s' is encrypted", path, entry->name);
    switch (entry->method) {
    case STORED:
        if (entry->size == entry->compressed) return 0;
        return vb_errorf(err, VB_EDATA, "%s: '%s' is stored, but has %" PRIu64 " bytes in the file and %" PRIu64 " outside of it",
                         path, entry->name, entry->compressed, entry->size);
    case DEFLATED:
        if (inflate_entry(zip, entry, *bytes, path, err)) return -1;
        *bytes = entry->inflated;
        return 0;
    default:
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: '%s' is packed by method %d; stored or deflate expected", path, entry->name,
                         entry->method);
    }
}

void vb_zip_close(vb_zip *zip) {
    for (size_t i = 0; i < zip->count; i++) vb_free(zip->entries[i].inflated);
    vb_free(zip->entries);
    vb_free(zip->names);
    *zip = (vb_zip){0};
}
