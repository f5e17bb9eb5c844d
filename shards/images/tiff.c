/* TIFF: the first page, as Pillow 9.4 reads it. What is not compressed is read here, from where the file says that it lies; the
 * rest by libtiff. */
#include "shards/images/codec.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"
#include "shards/images/tiff_pixels.h"

enum { LARGEST_BLOCK = 1 << 30 }; /* bytes that libtiff may take at once */

typedef struct tiff_job {
    vb_tiff_tags tags;
    vb_tiff_layout layout;
    vb_image *image;
    const char *name;
    vb_error *err;
    uint64_t at;         /* libtiff's place in the file */
    char complaint[200]; /* libtiff's first, "" when it had none */
} tiff_job;

static size_t at_most(uint64_t value, size_t limit) { return value < limit ? (size_t)value : limit; }

static uint8_t *pixel_at(const tiff_job *job, size_t x, size_t y) {
    return job->image->pixels + (y * (size_t)job->image->width + x) * (size_t)vb_colour_mode_bytes(job->image->mode);
}

/* Beside the pixels: those of the turned image, a strip or tile as libtiff unpacks it (4 bytes a pixel where it makes colours of
 * it), and the packed one. */
static int reserve(tiff_job *job) {
    enum { UNPACKED = 1 };
    const vb_tiff_tags *tags = &job->tags;
    const uint64_t pixels = tags->width * tags->height, strip = tags->rows_per_strip ? tags->rows_per_strip : tags->height;
    const uint64_t most = LARGEST_BLOCK, row = vb_tiff_pixels_row(&job->layout, 1);
    uint64_t block = tags->width * (strip < tags->height ? strip : tags->height);
    if (tags->tiled) block = tags->tile_width < most && tags->tile_length < most ? tags->tile_width * tags->tile_length : most;
    if (tags->compression == UNPACKED) block = tags->width;
    uint64_t beside = tags->size + (block < most ? block * (row > 4 ? row : 4) : most);
    if (tags->orientation >= 2 && tags->orientation <= 8) beside += pixels * (uint64_t)vb_colour_mode_bytes(job->layout.mode);
    const vb_codec_size whole = {tags->width, tags->height, beside < 2 * most ? beside : 2 * most};
    return vb_codec_reserve(job->image, job->layout.mode, &whole, job->name, job->err);
}

/* ---- uncompressed ---- */

static uint8_t reversed(uint8_t byte) {
    uint8_t out = 0;
    for (int i = 0; i < 8; i++) out |= (uint8_t)((byte >> i & 1) << (7 - i));
    return out;
}

/* A strip or tile of `width` x `height` pixels that begins at a pixel, of which the image's part is taken. */
typedef struct block {
    size_t x, y, width, height;
    int plane; /* -1: all channels together */
} block;

/* Rows of a block, and their bytes in the file and as far as they are of the image. */
typedef struct extent {
    size_t lines, columns, stride, used;
} extent;

static extent extent_of(const tiff_job *job, const block *b) {
    vb_tiff_layout one = job->layout;
    if (b->plane >= 0) one.samples = 1;
    const size_t columns = at_most(b->width, (size_t)job->tags.width - b->x);
    return (extent){.lines = at_most(b->height, (size_t)job->tags.height - b->y),
                    .columns = columns,
                    .stride = vb_tiff_pixels_row(&one, b->width),
                    .used = vb_tiff_pixels_row(&one, columns)};
}

/* Of the last line of a strip at the right edge, Pillow reads no more than the image's part. */
static int check_block(const tiff_job *job, const block *b, uint64_t offset) {
    const extent e = extent_of(job, b);
    if (offset <= job->tags.size && (e.lines - 1) * e.stride + e.used <= job->tags.size - offset) return 0;
    return vb_errorf(job->err, VB_EDATA, "%s: TIFF: truncated: %zu rows of %zu bytes from offset %llu, the file holds %zu",
                     job->name, e.lines, e.stride, (unsigned long long)offset, job->tags.size);
}

static void take_block(const tiff_job *job, const block *b, uint64_t offset, uint8_t *row) {
    const extent e = extent_of(job, b);
    for (size_t y = 0; y < e.lines; y++) {
        const uint8_t *in = job->tags.bytes + offset + y * e.stride;
        if (job->tags.fill_order == 2) {
            for (size_t i = 0; i < e.used; i++) row[i] = reversed(in[i]);
            in = row;
        }
        uint8_t *out = pixel_at(job, b->x, b->y + y);
        if (b->plane < 0) vb_tiff_pixels_unpack(&job->layout, out, in, e.columns, job->tags.big_endian);
        else if (b->plane < vb_colour_mode_bytes(job->layout.mode))
            vb_tiff_pixels_plane(&job->layout, out, in, e.columns, b->plane);
    }
}

static int refuse_tiff(const tiff_job *job, const char *what) {
    return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: TIFF: %s", job->name, what);
}

/* What Pillow takes for something else than it is. Of a layout's name it keeps one letter for each plane: that bits are reversed,
 * or a single sample inverted, gets lost. */
static int check_plain(tiff_job *job) {
    enum { YCBCR = 6 };
    vb_tiff_tags *tags = &job->tags;
    const int channels = vb_colour_mode_bytes(job->layout.mode);
    if (tags->photometric == YCBCR) return refuse_tiff(job, "uncompressed YCbCr, which Pillow does not read");
    if (!tags->offsets.size) return refuse_tiff(job, "it tells neither strips nor tiles");
    if (tags->planes == 2) tags->fill_order = 1;
    if (tags->fill_order == 2 && ((job->layout.mode == VB_MODE_P && tags->bits < 8) || (job->layout.inverted && tags->bits == 8)))
        return refuse_tiff(job, "uncompressed samples of such bits in reverse, which Pillow does not read");
    if (tags->planes != 2) return 0;
    const bool single = tags->samples == 1 && (tags->bits == 8 || (tags->bits == 1 && job->layout.mode == VB_MODE_1));
    if (single) job->layout.inverted = false;
    if (single) return 0;
    const bool padded = job->layout.mode == VB_MODE_RGB && tags->samples > channels; /* "RGBX" and so on */
    if (tags->bits != 8 || (tags->samples != channels && !padded) || channels < 3 || job->layout.premultiplied)
        return refuse_tiff(job, "uncompressed planes of such samples, which Pillow does not read");
    if (tags->tiled && tags->samples == 4 && tags->photometric == 2 && !tags->extras)
        return refuse_tiff(job, "tiles of four planes without ExtraSamples, which Pillow does not read");
    return 0;
}

/* All strips or tiles in the order of the file: checked (row is NULL) or taken. Those that it does not list stay zero, as in
 * Pillow. */
static int for_all_blocks(const tiff_job *job, uint8_t *row) {
    const vb_tiff_tags *tags = &job->tags;
    const bool planes = tags->planes == 2 && tags->samples > 1;
    block b = {.width = (size_t)(tags->tiled ? tags->tile_width : tags->width),
               .height = at_most(tags->tiled ? tags->tile_length : tags->rows_per_strip, (size_t)tags->height),
               .plane = planes ? 0 : -1};
    for (size_t i = 0; i < tags->offsets.count; i++) {
        const uint64_t offset = vb_tiff_tags_value(tags, &tags->offsets, i);
        if (b.plane == tags->samples || (i && b.plane < 0 && !b.x && !b.y))
            return refuse_tiff(job, "more strips or tiles than the image has");
        if (row) take_block(job, &b, offset, row);
        else if (check_block(job, &b, offset)) return -1;
        if ((b.x += b.width) < tags->width) continue;
        b.x = 0;
        if ((b.y += b.height) < tags->height) continue;
        b.y = 0;
        if (planes) b.plane++;
    }
    return 0;
}

static int decode_plain(tiff_job *job) {
    const vb_tiff_tags *tags = &job->tags;
    if (check_plain(job)) return -1;
    const uint64_t width = tags->tiled ? tags->tile_width : tags->width;
    const uint64_t height = tags->tiled ? tags->tile_length : tags->rows_per_strip;
    if (!width || !height || width > VB_CODEC_PIXELS)
        return vb_errorf(job->err, VB_EDATA, "%s: TIFF: strips or tiles of %llu x %llu pixels", job->name,
                         (unsigned long long)width, (unsigned long long)height);
    if (for_all_blocks(job, NULL) || reserve(job)) return -1;
    uint8_t *row = vb_array(vb_tiff_pixels_row(&job->layout, (size_t)width), 1, "TIFF row", job->err);
    const int status = row ? for_all_blocks(job, row) : -1;
    vb_free(row);
    return status;
}

/* ---- libtiff ---- */

static tmsize_t tiff_read(thandle_t handle, void *out, tmsize_t size) {
    tiff_job *job = handle;
    if (job->at > job->tags.size || size < 0) return 0;
    const size_t n = at_most((uint64_t)size, job->tags.size - (size_t)job->at);
    memcpy(out, job->tags.bytes + job->at, n);
    job->at += n;
    return (tmsize_t)n;
}

static tmsize_t tiff_write(thandle_t handle, void *in, tmsize_t size) {
    (void)handle;
    (void)in;
    (void)size;
    return -1;
}

static toff_t tiff_seek(thandle_t handle, toff_t offset, int whence) {
    tiff_job *job = handle;
    return job->at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? job->at + offset : job->tags.size + offset;
}

static int tiff_close(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t tiff_size(thandle_t handle) { return ((tiff_job *)handle)->tags.size; }

/* The first complaint is the cause. libtiff complains of some damage and reads on, as Pillow then does: that makes a remark. */
static __attribute__((format(printf, 4, 0))) int tiff_complain(TIFF *tiff, void *data, const char *module, const char *format,
                                                               va_list arguments) {
    tiff_job *job = data;
    (void)tiff;
    (void)module;
    if (!job->complaint[0]) vsnprintf(job->complaint, sizeof job->complaint, format, arguments);
    return 1;
}

static int tiff_warn_nobody(TIFF *tiff, void *data, const char *module, const char *format, va_list arguments) {
    (void)tiff;
    (void)data;
    (void)module;
    (void)format;
    (void)arguments;
    return 1;
}

static int fail_tiff(const tiff_job *job, const char *what) {
    const char *text = job->complaint[0] ? job->complaint : what;
    const bool memory = strstr(text, "ut of memory") || strstr(text, "llocation") || strstr(text, "o space for");
    return vb_errorf(job->err, memory ? VB_EMEMORY : VB_EDATA, "%s: TIFF: %s", job->name, text);
}

/* YCbCr that libjpeg does not convert: libtiff makes pixels of four bytes of it, block by block. */
static int decode_rgba(tiff_job *job, TIFF *tiff) {
    const size_t width = (size_t)job->image->width, height = (size_t)job->image->height;
    uint32_t rows = 0;
    TIFFRGBAImage reader;
    char text[1024] = "";
    /* Of a tag that comes twice libtiff takes the first, as the layout was found by the last. */
    if (job->layout.mode != VB_MODE_RGB) return fail_tiff(job, "its directory tells two photometric interpretations");
    const int known = TIFFGetFieldDefaulted(tiff, TIFFIsTiled(tiff) ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &rows);
    if (known != 1 || !rows || rows > height) rows = (uint32_t)height;
    if (!TIFFRGBAImageOK(tiff, text) || !TIFFRGBAImageBegin(&reader, tiff, 0, text)) return fail_tiff(job, text);
    reader.req_orientation = ORIENTATION_TOPLEFT;
    reader.col_offset = 0;
    uint32_t *pixels = vb_array(width * rows, sizeof *pixels, "TIFF block", job->err);
    int status = pixels ? 0 : -1;
    for (size_t y = 0; !status && y < height; y += rows) {
        const size_t lines = at_most(rows, height - y);
        reader.row_offset = (int)y;
        if (!TIFFRGBAImageGet(&reader, pixels, reader.width, (uint32_t)lines)) status = fail_tiff(job, "corrupt image data");
        for (size_t i = 0; !status && i < lines * width; i++) {
            uint8_t *out = pixel_at(job, 0, y) + 3 * i;
            out[0] = (uint8_t)TIFFGetR(pixels[i]);
            out[1] = (uint8_t)TIFFGetG(pixels[i]);
            out[2] = (uint8_t)TIFFGetB(pixels[i]);
        }
    }
    vb_free(pixels);
    TIFFRGBAImageEnd(&reader);
    return status;
}

static void put_block(tiff_job *job, const block *b, const uint8_t *in, size_t stride) {
    const size_t columns = at_most(b->width, (size_t)job->image->width - b->x);
    const size_t lines = at_most(b->height, (size_t)job->image->height - b->y);
    for (size_t y = 0; y < lines; y++) {
        uint8_t *out = pixel_at(job, b->x, b->y + y);
        if (b->plane < 0) vb_tiff_pixels_unpack(&job->layout, out, in + y * stride, columns, false);
        else if (b->plane < vb_colour_mode_bytes(job->layout.mode))
            vb_tiff_pixels_plane(&job->layout, out, in + y * stride, columns, b->plane);
    }
}

/* One strip or tile. libtiff takes some damaged data for whole and leaves the rest of the block as it was (Pillow then shows what
 * memory holds): such a rest is zero here, and a remark. */
static int read_block(tiff_job *job, TIFF *tiff, const block *b, uint8_t *bytes, tmsize_t size) {
    enum { MARK = 0xa5, TAIL = 16 };
    const uint16_t plane = (uint16_t)(b->plane < 0 ? 0 : b->plane);
    const uint32_t x = (uint32_t)b->x, y = (uint32_t)b->y;
    static const int fills[] = {MARK, 0};
    for (int i = 0; i < 2; i++) {
        memset(bytes, fills[i], (size_t)size);
        const tmsize_t got = TIFFIsTiled(tiff) ? TIFFReadTile(tiff, bytes, x, y, 0, plane) :
                                                 TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, plane), bytes, size);
        if (got < 0) return fail_tiff(job, "corrupt image data");
        bool untouched = got > 0;
        for (tmsize_t k = got > TAIL ? got - TAIL : 0; k < got; k++)
            if (bytes[k] != fills[i]) untouched = false;
        if (!untouched) return 0;
    }
    if (!job->complaint[0]) snprintf(job->complaint, sizeof job->complaint, "the data of a strip or tile end early");
    return 0;
}

/* Strips or tiles, all channels together or plane by plane. */
static int decode_blocks(tiff_job *job, TIFF *tiff, bool planes) {
    const bool tiled = TIFFIsTiled(tiff);
    const size_t width = (size_t)job->image->width, height = (size_t)job->image->height;
    const tmsize_t size = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    const tmsize_t stride = tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
    uint32_t block_width = (uint32_t)width, block_height = 0;
    if (tiled) TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &block_width);
    TIFFGetField(tiff, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &block_height);
    if (!tiled && (!block_height || block_height > height)) block_height = (uint32_t)height;
    vb_tiff_layout one = job->layout;
    if (planes) one.samples = 1;
    const uint64_t row = block_width && block_width <= VB_CODEC_PIXELS ? vb_tiff_pixels_row(&one, block_width) : 0;
    /* Pillow's check: what libtiff will write is what is expected here. */
    if (size <= 0 || size > LARGEST_BLOCK || !row || !block_height || stride < 0 || (uint64_t)stride < row ||
        (uint64_t)size > row * block_height || (uint64_t)stride * at_most(block_height, height) > (uint64_t)size)
        return fail_tiff(job, "strips or tiles whose size contradicts the samples");
    uint8_t *bytes = vb_array((size_t)size, 1, "TIFF block", job->err);
    int status = bytes ? 0 : -1;
    const int channels = planes ? job->layout.samples : 1;
    for (size_t y = 0; !status && y < height; y += block_height)
        for (int c = 0; !status && c < channels; c++)
            for (size_t x = 0; !status && x < width; x += block_width) {
                const block b = {x, y, block_width, block_height, planes ? c : -1};
                if (!(status = read_block(job, tiff, &b, bytes, size))) put_block(job, &b, bytes, (size_t)stride);
            }
    vb_free(bytes);
    return status;
}

static int decode_planes(tiff_job *job, TIFF *tiff) {
    const vb_tiff_layout *layout = &job->layout;
    const int channels = vb_colour_mode_bytes(layout->mode);
    const bool padded = layout->mode == VB_MODE_RGB && layout->samples == 4; /* "RGBX" */
    if ((layout->bits != 8 && layout->bits != 16) || (layout->samples != channels && !padded) || channels < 3)
        return refuse_tiff(job, "planes of such samples, which Pillow does not read");
    if (decode_blocks(job, tiff, true)) return -1;
    if (layout->mode == VB_MODE_RGBA && (!job->tags.extras || layout->premultiplied))
        vb_tiff_pixels_divide(job->image->pixels, (size_t)job->image->width * (size_t)job->image->height);
    return 0;
}

static int decode_open(tiff_job *job, TIFF *tiff) {
    uint32_t width = 0, height = 0;
    uint16_t photometric = 0, compression = 0, planes = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    TIFFGetField(tiff, TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planes);
    if (width != (uint32_t)job->image->width || height != (uint32_t)job->image->height)
        return fail_tiff(job, "its directory tells two sizes");
    if (photometric == PHOTOMETRIC_YCBCR) {
        if (compression != COMPRESSION_JPEG || planes != PLANARCONFIG_CONTIG) return decode_rgba(job, tiff);
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    if (planes == PLANARCONFIG_SEPARATE && vb_colour_mode_bytes(job->layout.mode) > 1 && job->layout.samples > 1)
        return decode_planes(job, tiff);
    return decode_blocks(job, tiff, false);
}

static int decode_compressed(tiff_job *job) {
    static const int known[] = {2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000, 50001};
    bool found = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] == job->tags.compression && TIFFIsCODECConfigured((uint16_t)known[i])) found = true;
    if (!found)
        return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: TIFF: compression %d, which Pillow and libtiff do not read", job->name,
                         job->tags.compression);
    if (job->layout.bits == 32 && job->tags.big_endian)
        return refuse_tiff(job, "compressed big-endian samples of 32 bits, whose bytes Pillow 9.4 swaps twice");
    if (reserve(job)) return -1;
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return vb_errorf(job->err, VB_EMEMORY, "%s: TIFF: no memory for the decoder", job->name);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, LARGEST_BLOCK);
    TIFFOpenOptionsSetErrorHandlerExtR(options, tiff_complain, job);
    TIFFOpenOptionsSetWarningHandlerExtR(options, tiff_warn_nobody, NULL);
    TIFF *tiff =
        TIFFClientOpenExt("image", "rCm", job, tiff_read, tiff_write, tiff_seek, tiff_close, tiff_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    if (!tiff) return fail_tiff(job, "libtiff cannot open it");
    const int status = decode_open(job, tiff);
    TIFFClose(tiff);
    if (!status && job->complaint[0]) snprintf(job->image->remark, sizeof job->image->remark, "TIFF: %s", job->complaint);
    return status;
}

/* ---- the whole ---- */

/* Entries of 16 bits, first all reds; those that the file lacks are a grey ramp. */
static int read_colours(tiff_job *job) {
    const vb_tiff_list *list = &job->tags.colours;
    const size_t entries = list->count / 3;
    if (!list->size || entries > 256)
        return vb_errorf(job->err, VB_EDATA, "%s: TIFF: a palette of %zu colours, expected 1 to 256", job->name, entries);
    for (int i = 0; i < 256; i++) memset(job->image->palette + 3 * i, i, 3);
    for (size_t i = 0; i < entries; i++)
        for (size_t c = 0; c < 3; c++)
            job->image->palette[3 * i + c] = (uint8_t)(vb_tiff_tags_value(&job->tags, list, c * entries + i) >> 8);
    return 0;
}

static int tiff_decode_job(tiff_job *job, const void *bytes, size_t size) {
    enum { PLAIN = 1 };
    vb_tiff_tags *tags = &job->tags;
    if (vb_tiff_tags_read(tags, bytes, size, job->name, job->err)) return -1;
    if (vb_tiff_pixels_layout(&job->layout, tags, job->name, job->err)) return -1;
    if (vb_codec_check(tags->width, tags->height, job->name, job->err)) return -1;
    if ((job->layout.mode == VB_MODE_P || job->layout.mode == VB_MODE_PA) && read_colours(job)) return -1;
    if (tags->compression == PLAIN ? decode_plain(job) : decode_compressed(job)) return -1;
    return vb_tiff_pixels_turn(job->image, tags->orientation, job->err);
}

static int tiff_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    tiff_job job = {.image = image, .name = name, .err = err};
    if (!tiff_decode_job(&job, bytes, size)) return 0;
    vb_free(image->pixels);
    image->pixels = NULL;
    return -1;
}

const vb_codec vb_codec_tiff = {
    .name = "TIFF",
    .suffixes = {"tif", "tiff"},
    .signatures =
        {{"II*\0", "...."}, {"MM\0*", "...."}, {"MM*\0", "...."}, {"II\0*", "...."}, {"II+\0", "...."}, {"MM\0+", "...."}},
    .decode = tiff_decode,
};
