/* Tar: headers checked to the last field, GNU and pax extensions for names and sizes; a deterministic writer. */
#include "shards/files/tar.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/content.h"

/* Fields of a header: offset and width (POSIX.1-1988, ustar). */
enum {
    NAME = 0,
    NAME_SIZE = 100,
    MODE = 100,
    OWNER = 108,
    GROUP = 116,
    SIZE = 124,
    TIME = 136,
    CHECKSUM = 148,
    TYPE = 156,
    MAGIC = 257,
    VERSION = 263,
    PREFIX = 345,
    PREFIX_SIZE = 155
};
static_assert(PREFIX + PREFIX_SIZE <= VB_TAR_BLOCK, "the fields lie inside of a block");
enum { NAME_LIMIT = 1 << 16, PAX_LIMIT = 1 << 20 }; /* longer ones are no names but corruption */

struct vb_tar {
    vb_source *source;
    uint64_t next; /* offset of the next header */
    char *name;
    size_t name_capacity;
    char *extended; /* data of a pax or GNU header */
    size_t extended_capacity;
    bool ended;
};

/* What extended headers say of the entry that follows. */
typedef struct extension {
    bool has_name, has_size;
    uint64_t size;
} extension;

static uint64_t tar_padded(uint64_t size) { return (size + VB_TAR_BLOCK - 1) / VB_TAR_BLOCK * VB_TAR_BLOCK; }

static int tar_fails(const vb_tar *tar, uint64_t offset, const char *what, vb_error *err) {
    return vb_errorf(err, VB_EDATA, "%s: offset %llu: %s", vb_source_path(tar->source), (unsigned long long)offset, what);
}

/* Octal digits between optional spaces and a NUL or space (or the field's end), or GNU's base-256. */
static bool parse_number(const uint8_t *field, int width, uint64_t *value) {
    *value = 0;
    if (field[0] & 0x80) {
        if (field[0] != 0x80) return false; /* negative, or over 2^63 */
        for (int i = 1; i < width; i++) {
            if (*value >> 55) return false;
            *value = *value << 8 | field[i];
        }
        return true;
    }
    int i = 0;
    while (i < width && field[i] == ' ') i++;
    int first = i;
    for (; i < width && field[i] >= '0' && field[i] <= '7'; i++) *value = *value << 3 | (uint64_t)(field[i] - '0');
    if (i == first) return false;
    for (; i < width; i++)
        if (field[i] != ' ' && field[i] != 0) return false;
    return true;
}

bool vb_tar_is_header(const uint8_t block[VB_TAR_BLOCK]) {
    uint64_t stated;
    if (!parse_number(block + CHECKSUM, 8, &stated)) return false;
    /* Old programs summed signed characters. */
    int64_t sum = 0, signed_sum = 0;
    for (int i = 0; i < VB_TAR_BLOCK; i++) {
        uint8_t byte = i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : block[i];
        sum += byte;
        signed_sum += (int8_t)byte;
    }
    return stated == (uint64_t)sum || (int64_t)stated == signed_sum;
}

int vb_tar_open(vb_tar **tar, vb_source *source, uint64_t offset, vb_error *err) {
    if (!(*tar = vb_array(1, sizeof **tar, "tar reader", err))) return -1;
    (*tar)->source = source;
    (*tar)->next = offset;
    return 0;
}

void vb_tar_close(vb_tar *tar) {
    if (!tar) return;
    vb_free(tar->name);
    vb_free(tar->extended);
    vb_free(tar);
}

static bool all_zero(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i]) return false;
    return true;
}

/* After a zero block at `offset`: nothing but zeros to the end of the file, with which tar programs fill a record of some KiB. A
 * file with a hole of many TiB, or a small one in zstd, would be read for days. */
enum { ZEROS_MAX = 256 << 20 };
static int check_end(vb_tar *tar, uint64_t offset, vb_error *err) {
    uint8_t rest[16 * VB_TAR_BLOCK];
    const uint64_t begin = offset;
    for (size_t got = sizeof rest; got == sizeof rest; offset += got) {
        if (offset - begin > ZEROS_MAX)
            return tar_fails(tar, begin, "more than 256 MiB of zeros after the end of the archive", err);
        if (vb_source_read_some(tar->source, offset, rest, sizeof rest, &got, err)) return -1;
        if (!all_zero(rest, got))
            return tar_fails(tar, offset, "data after the end of the archive (archives joined end to end?)", err);
    }
    tar->ended = true;
    return 0;
}

static int set_name(vb_tar *tar, const char *text, size_t n, uint64_t offset, vb_error *err) {
    if (n > NAME_LIMIT) return tar_fails(tar, offset, "name longer than 65536 bytes", err);
    if (memchr(text, 0, n)) return tar_fails(tar, offset, "name with a NUL inside", err);
    if (vb_grow((void **)&tar->name, &tar->name_capacity, n + 1, 1, "tar name", err)) return -1;
    memcpy(tar->name, text, n);
    tar->name[n] = 0;
    return 0;
}

/* "length key=value\n" records; path and size matter to us. `global` ones may not set either. */
static int parse_pax(vb_tar *tar, const char *bytes, size_t size, uint64_t offset, bool global, extension *ext, vb_error *err) {
    size_t at = 0;
    while (at < size) {
        size_t length = 0, i = at;
        for (; i < size && bytes[i] >= '0' && bytes[i] <= '9' && length <= PAX_LIMIT; i++)
            length = length * 10 + (size_t)(bytes[i] - '0');
        if (i == at || i == size || bytes[i] != ' ' || length > size - at || length <= i + 1 - at ||
            bytes[at + length - 1] != '\n')
            return tar_fails(tar, offset, "malformed pax header", err);
        const char *key = bytes + i + 1, *end = bytes + at + length - 1, *equal = memchr(key, '=', (size_t)(end - key));
        if (!equal || equal == key) return tar_fails(tar, offset, "pax record without a key", err);
        size_t key_size = (size_t)(equal - key), value_size = (size_t)(end - equal - 1);
        const char *value = equal + 1;
        bool is_path = key_size == 4 && !memcmp(key, "path", 4), is_size = key_size == 4 && !memcmp(key, "size", 4);
        if (key_size > 10 && !memcmp(key, "GNU.sparse", 10))
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: offset %llu: sparse file in the archive", vb_source_path(tar->source),
                             (unsigned long long)offset);
        if (global && (is_path || is_size)) return tar_fails(tar, offset, "global pax header that sets path or size", err);
        if (is_path && value_size) {
            if (set_name(tar, value, value_size, offset, err)) return -1;
            ext->has_name = true;
        }
        if (is_size) {
            ext->size = 0;
            for (size_t k = 0; k < value_size; k++) {
                if (value[k] < '0' || value[k] > '9' || ext->size > (uint64_t)1 << 58)
                    return tar_fails(tar, offset, "malformed size in a pax header", err);
                ext->size = ext->size * 10 + (uint64_t)(value[k] - '0');
            }
            if (!value_size) return tar_fails(tar, offset, "malformed size in a pax header", err);
            ext->has_size = true;
        }
        at += length;
    }
    return 0;
}

/* The data of a pax or GNU header, NUL-terminated. */
static int read_extended(vb_tar *tar, uint64_t header, uint64_t size, vb_error *err) {
    if (size > PAX_LIMIT) return tar_fails(tar, header, "extended header over 1 MiB", err);
    if (vb_grow((void **)&tar->extended, &tar->extended_capacity, (size_t)size + 1, 1, "tar header", err)) return -1;
    if (vb_source_read(tar->source, header + VB_TAR_BLOCK, tar->extended, (size_t)size, err)) return -1;
    tar->extended[size] = 0;
    return 0;
}

static int name_from_header(vb_tar *tar, const uint8_t *block, uint64_t offset, vb_error *err) {
    char joined[PREFIX_SIZE + 1 + NAME_SIZE + 1];
    size_t n = strnlen((const char *)block + NAME, NAME_SIZE), p = 0;
    /* GNU's own format ("ustar  ") keeps times in the prefix field. */
    if (!memcmp(block + MAGIC, "ustar\0", 6)) p = strnlen((const char *)block + PREFIX, PREFIX_SIZE);
    if (p) {
        memcpy(joined, block + PREFIX, p);
        joined[p++] = '/';
    }
    memcpy(joined + p, block + NAME, n);
    return set_name(tar, joined, p + n, offset, err);
}

static int read_tar_header(vb_tar *tar, uint8_t *block, uint64_t first, vb_error *err) {
    size_t got;
    uint64_t at = tar->next;
    if (vb_source_read_some(tar->source, at, block, VB_TAR_BLOCK, &got, err)) return -1;
    memset(block + got, 0, VB_TAR_BLOCK - got);
    const bool other = !at && memcmp(block + MAGIC, "ustar", 5) && vb_content_name(block, got);
    if (other && (got < VB_TAR_BLOCK || !vb_tar_is_header(block)) && got && !all_zero(block, got))
        return vb_content_refuse(vb_source_path(tar->source), block, got, "a tar archive, plain or in zstd", VB_EDATA, err);
    if (got < VB_TAR_BLOCK)
        return vb_errorf(err, VB_EDATA,
                         "%s: truncated archive: expected a header or the end blocks at offset %llu, found %zu bytes",
                         vb_source_path(tar->source), (unsigned long long)at, got);
    if (all_zero(block, VB_TAR_BLOCK)) {
        if (first != at) return tar_fails(tar, at, "the archive ends after an extended header", err);
        return check_end(tar, at + VB_TAR_BLOCK, err);
    }
    if (!vb_tar_is_header(block)) return tar_fails(tar, at, "no tar header (wrong checksum)", err);
    return 0;
}

/* The entry's data lies inside the archive, padding included; sources of unknown size are checked by the next header's read. */
static int check_extent(vb_tar *tar, uint64_t header, uint64_t offset, uint64_t size, const char *name, vb_error *err) {
    uint64_t whole;
    bool known = vb_source_size(tar->source, &whole);
    if (size > ((uint64_t)1 << 62) || offset > ((uint64_t)1 << 62))
        return vb_errorf(err, VB_EDATA, "%s: offset %llu: '%s' with an impossible size of %llu bytes",
                         vb_source_path(tar->source), (unsigned long long)header, name, (unsigned long long)size);
    if (known && offset + tar_padded(size) > whole)
        return vb_errorf(err, VB_EDATA,
                         "%s: truncated archive: '%s' at offset %llu needs %llu bytes, the archive ends after %llu of them",
                         vb_source_path(tar->source), name, (unsigned long long)offset, (unsigned long long)tar_padded(size),
                         (unsigned long long)(whole > offset ? whole - offset : 0));
    return 0;
}

int vb_tar_next(vb_tar *tar, vb_tar_entry *entry, vb_error *err) {
    *entry = (vb_tar_entry){0};
    extension ext = {0};
    uint64_t first = tar->next;
    while (!tar->ended) {
        uint8_t block[VB_TAR_BLOCK];
        uint64_t at = tar->next, size;
        if (read_tar_header(tar, block, first, err)) return -1;
        if (tar->ended) return 0;
        char type = block[TYPE] ? (char)block[TYPE] : '0';
        if (type == 'X') type = 'x'; /* Solaris wrote pax headers before POSIX had a letter for them */
        if (!parse_number(block + SIZE, 12, &size)) return tar_fails(tar, at, "malformed size in a header", err);
        uint64_t data = at + VB_TAR_BLOCK;
        if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
            if (check_extent(tar, at, data, size, "an extended header", err) || read_extended(tar, at, size, err)) return -1;
            if ((type == 'x' || type == 'g') && parse_pax(tar, tar->extended, (size_t)size, at, type == 'g', &ext, err))
                return -1;
            if (type == 'L') {
                size_t n = strnlen(tar->extended, (size_t)size);
                if (!n) return tar_fails(tar, at, "empty long name", err);
                if (set_name(tar, tar->extended, n, at, err)) return -1;
                ext.has_name = true;
            }
            tar->next = data + tar_padded(size);
            if (type == 'g' && first == at) first = tar->next; /* belongs to no single entry */
            continue;
        }
        if (type == 'S' || type == 'M')
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: offset %llu: %s in the archive", vb_source_path(tar->source),
                             (unsigned long long)at, type == 'S' ? "sparse file" : "continued file of a multi-volume set");
        bool vendor = type >= 'A' && type <= 'Z';
        if (!vendor && (type < '0' || type > '7')) return tar_fails(tar, at, "unknown type of entry", err);
        if (!ext.has_name && name_from_header(tar, block, at, err)) return -1;
        if (ext.has_size) size = ext.size;
        if ((type == '1' || type == '2') && size)
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: offset %llu: link '%s' with data", vb_source_path(tar->source),
                             (unsigned long long)at, tar->name);
        if (type >= '3' && type <= '6') size = 0; /* a folder's size is an allocation hint, devices have none */
        const char *name = tar->name;
        while (name[0] == '.' && name[1] == '/') {
            name += 2;
            while (*name == '/') name++;
        }
        size_t n = strlen(name);
        if (type == '7') type = '0';                                      /* contiguous */
        if (type == '0' && n && name[n - 1] == '/') type = '5', size = 0; /* v7's folders */
        if (!n && type != '5' && !vendor) return tar_fails(tar, at, "entry without a name", err);
        if (check_extent(tar, at, data, size, name, err)) return -1;
        tar->next = data + tar_padded(size);
        *entry = (vb_tar_entry){name, type, first, data, size};
        return 0;
    }
    return 0;
}

/* ---- writing ---- */

static void octal(uint8_t *field, int width, uint64_t value) {
    snprintf((char *)field, (size_t)width, "%0*llo", width - 1, (unsigned long long)value);
}

/* What an entry's header says. The whole name is the prefix (or none), a slash and the name. */
typedef struct header {
    const char *prefix, *name; /* at most PREFIX_SIZE and NAME_SIZE bytes */
    size_t prefix_size, name_size;
    char type;
    uint64_t size;
} header;

static int write_header(const vb_tar_sink *sink, const header *h, vb_error *err) {
    uint8_t block[VB_TAR_BLOCK] = {0};
    assert(h->name_size <= NAME_SIZE && h->prefix_size <= PREFIX_SIZE);
    memcpy(block + NAME, h->name, h->name_size);
    octal(block + MODE, 8, 0644);
    octal(block + OWNER, 8, 0);
    octal(block + GROUP, 8, 0);
    octal(block + SIZE, 12, h->size);
    octal(block + TIME, 12, 0);
    memset(block + CHECKSUM, ' ', 8);
    block[TYPE] = (uint8_t)h->type;
    memcpy(block + MAGIC, "ustar", 6);
    memcpy(block + VERSION, "00", 2);
    if (h->prefix_size) memcpy(block + PREFIX, h->prefix, h->prefix_size);
    uint64_t sum = 0;
    for (int i = 0; i < VB_TAR_BLOCK; i++) sum += block[i];
    octal(block + CHECKSUM, 7, sum); /* six digits, NUL, and the space that is there */
    return sink->write(sink->context, block, sizeof block, err);
}

static int write_padded(const vb_tar_sink *sink, const void *bytes, size_t size, vb_error *err) {
    static const uint8_t zeros[VB_TAR_BLOCK];
    if (size && sink->write(sink->context, bytes, size, err)) return -1;
    size_t padding = (size_t)(tar_padded(size) - size);
    return padding ? sink->write(sink->context, zeros, padding, err) : 0;
}

/* "length key=value\n", where the length counts its own digits. */
static size_t pax_record(char *to, size_t room, const char *key, const char *value) {
    size_t rest = strlen(key) + strlen(value) + 3, length = rest + 1;
    for (size_t before = 0; before != length;) {
        before = length;
        length = rest + (size_t)snprintf(NULL, 0, "%zu", before);
    }
    snprintf(to, room, "%zu %s=%s\n", length, key, value);
    return length;
}

int vb_tar_write_file(const vb_tar_sink *sink, const char *name, const void *bytes, size_t size, vb_error *err) {
    size_t n = strlen(name);
    if (!n || n > NAME_LIMIT) return vb_errorf(err, VB_EDATA, "tar: a name of %zu bytes cannot be written", n);
    size_t split = 0; /* prefix: name[0..split), then a slash */
    if (n > NAME_SIZE)
        for (size_t i = n - NAME_SIZE - 1; i < n - 1 && i <= PREFIX_SIZE; i++)
            if (i && name[i] == '/') {
                split = i;
                break;
            }
    bool long_name = n > NAME_SIZE && !split, large = (uint64_t)size >= (uint64_t)1 << 33;
    if (long_name || large) {
        char number[24];
        snprintf(number, sizeof number, "%zu", size);
        size_t room = n + 96, filled = 0;
        char *records = vb_array(room, 1, "pax header", err);
        if (!records) return -1;
        if (long_name) filled += pax_record(records, room, "path", name);
        if (large) filled += pax_record(records + filled, room - filled, "size", number);
        int status = write_header(sink, &(header){.name = "pax", .name_size = 3, .type = 'x', .size = filled}, err);
        if (!status) status = write_padded(sink, records, filled, err);
        vb_free(records);
        if (status) return -1;
    }
    header own = {.prefix = name, .prefix_size = split, .type = '0', .size = large ? 0 : size};
    own.name = split ? name + split + 1 : name;
    own.name_size = split ? n - split - 1 : n < NAME_SIZE ? n : NAME_SIZE;
    return write_header(sink, &own, err) ? -1 : write_padded(sink, bytes, size, err);
}

int vb_tar_write_end(const vb_tar_sink *sink, vb_error *err) {
    static const uint8_t zeros[2 * VB_TAR_BLOCK];
    return sink->write(sink->context, zeros, sizeof zeros, err);
}
