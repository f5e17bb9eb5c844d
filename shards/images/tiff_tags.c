/* The first directory of a TIFF or BigTIFF. libtiff repairs what it reads (it adds ExtraSamples that a file lacks, for one), and
 * Pillow decides by what the file says: hence a reader of our own. */
#include "shards/images/tiff_tags.h"

#include <inttypes.h>

enum {
    WIDTH = 256,
    LENGTH = 257,
    BITS = 258,
    COMPRESSION = 259,
    PHOTOMETRIC = 262,
    FILL_ORDER = 266,
    STRIP_OFFSETS = 273,
    ORIENTATION = 274,
    SAMPLES = 277,
    ROWS_PER_STRIP = 278,
    PLANES = 284,
    COLOUR_MAP = 320,
    TILE_WIDTH = 322,
    TILE_LENGTH = 323,
    TILE_OFFSETS = 324,
    EXTRA_SAMPLES = 338,
    SAMPLE_FORMAT = 339,
    OLD_JPEG = 6,
    RGB = 2,
    YCBCR = 6
};

static uint64_t number(const vb_tiff_tags *tags, size_t at, int size) {
    uint64_t value = 0;
    for (int i = 0; i < size; i++) {
        const int byte = tags->big_endian ? size - 1 - i : i;
        value |= (uint64_t)tags->bytes[at + (size_t)byte] << (8 * i);
    }
    return value;
}

uint64_t vb_tiff_tags_value(const vb_tiff_tags *tags, const vb_tiff_list *list, size_t i) {
    return number(tags, list->at + i * (size_t)list->size, list->size);
}

static bool lies_inside(const vb_tiff_tags *tags, uint64_t at, uint64_t size) {
    return at <= tags->size && size <= tags->size - at;
}

/* Bytes of a value of each type, and whether it is a whole number. Entries of other types do not count. */
static const struct {
    int size;
    bool whole;
} types[] = {[1] = {1, false},  [2] = {1, false},  [3] = {2, true},  [4] = {4, true},  [5] = {8, false},
             [6] = {1, false},  [7] = {1, false},  [8] = {2, false}, [9] = {4, false}, [10] = {8, false},
             [11] = {4, false}, [12] = {8, false}, [13] = {4, true}, [16] = {8, true}};

typedef struct directory {
    vb_tiff_list width, height, bits, compression, photometric, fill_order, strips, orientation, samples, rows, planes, colours,
        tile_width, tile_length, tiles, extras, formats;
} directory;

static vb_tiff_list *slot_of(directory *found, uint64_t tag) {
    switch (tag) {
    case WIDTH: return &found->width;
    case LENGTH: return &found->height;
    case BITS: return &found->bits;
    case COMPRESSION: return &found->compression;
    case PHOTOMETRIC: return &found->photometric;
    case FILL_ORDER: return &found->fill_order;
    case STRIP_OFFSETS: return &found->strips;
    case ORIENTATION: return &found->orientation;
    case SAMPLES: return &found->samples;
    case ROWS_PER_STRIP: return &found->rows;
    case PLANES: return &found->planes;
    case COLOUR_MAP: return &found->colours;
    case TILE_WIDTH: return &found->tile_width;
    case TILE_LENGTH: return &found->tile_length;
    case TILE_OFFSETS: return &found->tiles;
    case EXTRA_SAMPLES: return &found->extras;
    case SAMPLE_FORMAT: return &found->formats;
    default: return NULL;
    }
}

/* The first value, or `usual` where there is none. */
static uint64_t first_of(const vb_tiff_tags *tags, const vb_tiff_list *list, uint64_t usual) {
    return list->size ? vb_tiff_tags_value(tags, list, 0) : usual;
}

static int small_of(const vb_tiff_tags *tags, const vb_tiff_list *list, int usual) {
    const uint64_t value = first_of(tags, list, (uint64_t)usual);
    return value > INT16_MAX * 2 + 1 ? -1 : (int)value;
}

static int read_directory(vb_tiff_tags *tags, directory *found, const char *name, vb_error *err) {
    const bool bigtiff = tags->bytes[2] == 43 || tags->bytes[3] == 43;
    const size_t head = bigtiff ? 16 : 8, count_size = bigtiff ? 8 : 2, entry_size = bigtiff ? 20 : 12, room = bigtiff ? 8 : 4;
    if (tags->size < head) return vb_errorf(err, VB_EDATA, "%s: TIFF: truncated: the file holds %zu bytes", name, tags->size);
    const uint64_t start = number(tags, bigtiff ? 8 : 4, bigtiff ? 8 : 4);
    if (!lies_inside(tags, start, count_size))
        return vb_errorf(err, VB_EDATA, "%s: TIFF: truncated: its directory at offset %" PRIu64 ", the file holds %zu bytes",
                         name, start, tags->size);
    const uint64_t entries = number(tags, (size_t)start, (int)count_size);
    /* What follows an entry whose values the file does not hold is lost to Pillow, and so is what lies behind the end. */
    for (uint64_t i = 0, at = start + count_size; i < entries && lies_inside(tags, at, entry_size); i++, at += entry_size) {
        const uint64_t tag = number(tags, (size_t)at, 2), type = number(tags, (size_t)at + 2, 2);
        const uint64_t count = number(tags, (size_t)at + 4, (int)room);
        const int size = type < sizeof types / sizeof *types ? types[type].size : 0;
        uint64_t values = at + 4 + room;
        if (!size || !count) continue;
        if (count > tags->size) break;
        if (count * (uint64_t)size > room) values = number(tags, (size_t)values, (int)room);
        if (!lies_inside(tags, values, count * (uint64_t)size)) break;
        vb_tiff_list *slot = slot_of(found, tag);
        if (!slot) continue;
        if (!types[type].whole)
            return vb_errorf(err, VB_EDATA, "%s: TIFF: tag %d is of type %d, expected whole numbers", name, (int)tag, (int)type);
        *slot = (vb_tiff_list){.at = (size_t)values, .count = (size_t)count, .size = size};
    }
    return 0;
}

/* All values of a list are the same. */
static bool is_even(const vb_tiff_tags *tags, const vb_tiff_list *list, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (vb_tiff_tags_value(tags, list, i) != vb_tiff_tags_value(tags, list, 0)) return false;
    return true;
}

/* Bits, formats and extra samples, by Pillow's rules of what may lack or be too much. */
static int read_samples(vb_tiff_tags *tags, const directory *found, const char *name, vb_error *err) {
    const bool three = tags->compression == OLD_JPEG && (tags->photometric == RGB || tags->photometric == YCBCR);
    const size_t depths = found->bits.size ? found->bits.count : 1, extras = found->extras.size ? found->extras.count : 0;
    const size_t formats = found->formats.size ? found->formats.count : 1;
    tags->samples = small_of(tags, &found->samples, three ? 3 : 1);
    tags->bits = small_of(tags, &found->bits, 1);
    tags->format = small_of(tags, &found->formats, 1);
    tags->extras = (int)(extras < 100 ? extras : 100);
    tags->extra = small_of(tags, &found->extras, 0);
    if (tags->samples < 1 || tags->samples > VB_TIFF_SAMPLES)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: TIFF: %d samples a pixel, expected 1 to %d", name, tags->samples,
                         VB_TIFF_SAMPLES);
    if ((size_t)tags->samples > depths && depths != 1)
        return vb_errorf(err, VB_EDATA, "%s: TIFF: bits of %zu samples, but %d a pixel", name, depths, tags->samples);
    const size_t used = depths < (size_t)tags->samples ? depths : (size_t)tags->samples;
    if (!is_even(tags, &found->bits, used))
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: TIFF: samples of different numbers of bits", name);
    if (formats > 1 && (tags->format != 1 || !is_even(tags, &found->formats, formats)))
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: TIFF: %zu samples of format %d: expected unsigned integers", name, formats,
                         tags->format);
    for (size_t i = 1; i < extras; i++)
        if (vb_tiff_tags_value(tags, &found->extras, i))
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: TIFF: extra sample %zu is of kind %" PRIu64 ", expected 0", name, i + 1,
                             vb_tiff_tags_value(tags, &found->extras, i));
    return 0;
}

int vb_tiff_tags_read(vb_tiff_tags *tags, const void *bytes, size_t size, const char *name, vb_error *err) {
    *tags = (vb_tiff_tags){.bytes = bytes, .size = size, .big_endian = *(const uint8_t *)bytes == 'M'};
    directory found = {0};
    if (read_directory(tags, &found, name, err)) return -1;
    if (!found.width.size || !found.height.size)
        return vb_errorf(err, VB_EDATA, "%s: TIFF: its directory tells no width and height", name);
    tags->width = first_of(tags, &found.width, 0);
    tags->height = first_of(tags, &found.height, 0);
    tags->rows_per_strip = first_of(tags, &found.rows, tags->height);
    tags->tile_width = first_of(tags, &found.tile_width, 0);
    tags->tile_length = first_of(tags, &found.tile_length, 0);
    tags->compression = small_of(tags, &found.compression, 1);
    tags->photometric = small_of(tags, &found.photometric, 0);
    tags->fill_order = small_of(tags, &found.fill_order, 1);
    tags->planes = small_of(tags, &found.planes, 1);
    tags->orientation = small_of(tags, &found.orientation, 0);
    tags->tiled = !found.strips.size;
    tags->offsets = found.strips.size ? found.strips : found.tiles;
    tags->colours = found.colours;
    if (tags->compression == OLD_JPEG) tags->photometric = YCBCR;
    return read_samples(tags, &found, name, err);
}
