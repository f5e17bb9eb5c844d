/* Windows and OS/2 bitmaps, with or without their file header (BMP, DIB), as Pillow 9.4 reads them: its modes, its masks, its
 * run-length decoding. */
#include "shards/images/codec.h"

#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"

enum { PLAIN = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3 }; /* compressions */

/* How bytes of a pixel are laid out. */
typedef enum layout { INDICES, BITS, WORDS_555, WORDS_565, BYTES } layout;

typedef struct bmp_job {
    const uint8_t *bytes;
    size_t size, at; /* at: behind what was read of the header */
    const char *name;
    vb_error *err;
    size_t pixels_at; /* 0: behind the header and the palette */
    uint64_t width, height;
    bool top_down;
    uint32_t bits, compression, colours, entry; /* colours of the palette, bytes of an entry */
    uint32_t mask[4];
    vb_mode mode;
    layout layout;
    uint32_t raw_bits; /* of a pixel, by the layout; Pillow's differs from `bits` where it takes the palette for greys */
    uint8_t order[4];  /* BYTES: where red, green, blue and alpha lie */
    uint8_t palette[768];
} bmp_job;

static const uint8_t *bmp_take(bmp_job *job, size_t n) {
    if (n > job->size - job->at) {
        vb_errorf(job->err, VB_EDATA, "%s: BMP: truncated: %zu bytes expected at offset %zu, the file holds %zu", job->name, n,
                  job->at, job->size);
        return NULL;
    }
    const uint8_t *bytes = job->bytes + job->at;
    job->at += n;
    return bytes;
}

static uint32_t le16(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }
static uint32_t le32(const uint8_t *at) { return le16(at) | le16(at + 2) << 16; }

/* ---- headers ---- */

static int bmp_masks(bmp_job *job, const uint8_t *info, uint32_t info_size) {
    const bool inside = info_size >= 56;
    const uint8_t *masks = inside ? info + 40 : bmp_take(job, 12);
    if (!masks) return -1;
    for (int i = 0; i < (inside ? 4 : 3); i++) job->mask[i] = le32(masks + 4 * i);
    return 0;
}

static int bmp_header(bmp_job *job) {
    enum { CORE = 12, INFO = 40, OS2 = 64, V4 = 108, V5 = 124 };
    const uint8_t *file = NULL, *info;
    if (job->bytes[0] == 'B' && !(file = bmp_take(job, 14))) return -1;
    if (!(info = bmp_take(job, 4))) return -1;
    const uint32_t size = le32(info);
    if (size != CORE && size != INFO && size != OS2 && size != V4 && size != V5)
        return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: BMP: an information header of %u bytes, expected 12, 40, 64, 108 or 124",
                         job->name, size);
    if (!bmp_take(job, size - 4)) return -1;
    if (size == CORE) {
        job->width = le16(info + 4);
        job->height = le16(info + 6);
        job->bits = le16(info + 10);
        job->entry = 3;
    } else {
        job->top_down = info[11] == 0xff; /* Pillow's way to see a negative height */
        job->width = le32(info + 4);
        job->height = job->top_down ? (1ull << 32) - le32(info + 8) : le32(info + 8);
        job->bits = le16(info + 14);
        job->compression = le32(info + 16);
        job->colours = le32(info + 32);
        job->entry = 4;
        if (job->compression == BITFIELDS && bmp_masks(job, info, size)) return -1;
    }
    if (job->bits > 32) return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: BMP: %u bits a pixel", job->name, job->bits);
    if (!job->colours) job->colours = (uint32_t)(1ull << job->bits);
    job->pixels_at = file ? le32(file + 10) : 0;
    if (job->pixels_at == 14 + size && job->bits <= 8) job->pixels_at += 4 * (size_t)job->colours;
    return 0;
}

/* ---- what a pixel is ---- */

/* The masks that Pillow knows: where the bytes of a pixel lie, or a layout of 16 bits. */
static const struct {
    uint32_t bits, mask[4];
    layout layout;
    vb_mode mode;
    uint8_t order[4];
} known_masks[] = {{32, {0xff0000, 0xff00, 0xff, 0}, BYTES, VB_MODE_RGB, {2, 1, 0, 0}},
                   {32, {0xff000000, 0xff0000, 0xff00, 0}, BYTES, VB_MODE_RGB, {3, 2, 1, 0}},
                   {32, {0xff000000, 0xff0000, 0xff00, 0xff}, BYTES, VB_MODE_RGBA, {3, 2, 1, 0}},
                   {32, {0xff, 0xff00, 0xff0000, 0xff000000}, BYTES, VB_MODE_RGBA, {0, 1, 2, 3}},
                   {32, {0xff0000, 0xff00, 0xff, 0xff000000}, BYTES, VB_MODE_RGBA, {2, 1, 0, 3}},
                   {32, {0, 0, 0, 0}, BYTES, VB_MODE_RGBA, {2, 1, 0, 3}},
                   {24, {0xff0000, 0xff00, 0xff, 0}, BYTES, VB_MODE_RGB, {2, 1, 0, 0}},
                   {16, {0xf800, 0x7e0, 0x1f, 0}, WORDS_565, VB_MODE_RGB, {0}},
                   {16, {0x7c00, 0x3e0, 0x1f, 0}, WORDS_555, VB_MODE_RGB, {0}}};

static int bmp_apply_masks(bmp_job *job) {
    for (size_t i = 0; i < sizeof known_masks / sizeof *known_masks; i++) {
        if (known_masks[i].bits != job->bits || memcmp(known_masks[i].mask, job->mask, 3 * sizeof *job->mask)) continue;
        if (job->bits == 32 && known_masks[i].mask[3] != job->mask[3]) continue;
        job->layout = known_masks[i].layout;
        job->mode = known_masks[i].mode;
        memcpy(job->order, known_masks[i].order, sizeof job->order);
        return 0;
    }
    return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: BMP: %u bits with the masks %08x %08x %08x %08x, which Pillow does not read",
                     job->name, job->bits, job->mask[0], job->mask[1], job->mask[2], job->mask[3]);
}

/* Reads the palette. One that is black and white makes an image of mode "1", a grey ramp one of mode "L", and its pixels are then
 * taken for such, as Pillow does, whatever their number of bits. */
static int bmp_palette(bmp_job *job) {
    if (job->colours > 65536)
        return vb_errorf(job->err, VB_EDATA, "%s: BMP: a palette of %u colours, expected at most 65536", job->name, job->colours);
    const size_t left = job->size - job->at, wanted = (size_t)job->entry * job->colours, size = left < wanted ? left : wanted;
    const uint8_t *table = bmp_take(job, size);
    bool grey = size == wanted || (job->entry == 4 && size + 1 == wanted);
    for (uint32_t i = 0; grey && i < job->colours; i++) {
        const uint8_t *at = table + (size_t)job->entry * i, level = (uint8_t)(job->colours == 2 ? 255 * i : i);
        if (at[0] != level || at[1] != level || at[2] != level) grey = false;
    }
    job->layout = INDICES;
    job->raw_bits = job->bits;
    if (grey) {
        job->mode = job->colours == 2 ? VB_MODE_1 : VB_MODE_L;
        job->layout = job->colours == 2 ? BITS : INDICES;
        job->raw_bits = job->colours == 2 ? 1 : 8;
        return 0;
    }
    job->mode = VB_MODE_P;
    if (size / job->entry > 256)
        return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: BMP: a palette of %zu colours, expected at most 256", job->name,
                         size / job->entry);
    for (int i = 0; i < 256; i++) memset(job->palette + 3 * i, i, 3);
    for (size_t i = 0; i < size / job->entry; i++)
        for (size_t c = 0; c < 3; c++) job->palette[3 * i + c] = table[i * job->entry + 2 - c];
    return 0;
}

static int bmp_find_layout(bmp_job *job) {
    const uint32_t bits = job->bits;
    static const uint8_t bgr[4] = {2, 1, 0, 0};
    if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
        return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: BMP: %u bits a pixel, expected 1, 4, 8, 16, 24 or 32", job->name, bits);
    if (job->compression > BITFIELDS)
        return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: BMP: compression %u, expected 0 to 3", job->name, job->compression);
    job->mode = VB_MODE_RGB;
    job->layout = bits == 16 ? WORDS_555 : BYTES;
    job->raw_bits = bits;
    memcpy(job->order, bgr, sizeof bgr);
    if (job->compression == BITFIELDS && bmp_apply_masks(job)) return -1;
    if (bits <= 8 && bmp_palette(job)) return -1;
    if ((job->compression == RLE8 || job->compression == RLE4) && job->mode != VB_MODE_P && job->mode != VB_MODE_L)
        return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: BMP: run lengths of mode %s, which Pillow does not read", job->name,
                         vb_colour_mode_name(job->mode));
    return 0;
}

/* ---- pixels ---- */

static void unpack_words(uint8_t *out, const uint8_t *in, size_t width, bool six) {
    for (size_t x = 0; x < width; x++) {
        const uint32_t word = le16(in + 2 * x), green = six ? 63 : 31;
        out[3 * x] = (uint8_t)((word >> (six ? 11 : 10) & 31) * 255 / 31);
        out[3 * x + 1] = (uint8_t)((word >> 5 & green) * 255 / green);
        out[3 * x + 2] = (uint8_t)((word & 31) * 255 / 31);
    }
}

static void unpack_row(const bmp_job *job, uint8_t *out, const uint8_t *in) {
    const size_t width = (size_t)job->width, channels = (size_t)vb_colour_mode_bytes(job->mode), bits = job->raw_bits;
    switch (job->layout) {
    case INDICES:
    case BITS:
        for (size_t x = 0; x < width; x++) {
            const size_t bit = x * bits;
            const uint8_t value = (uint8_t)(in[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1));
            out[x] = job->layout == BITS ? (uint8_t)(value ? 255 : 0) : value;
        }
        break;
    case WORDS_555:
    case WORDS_565: unpack_words(out, in, width, job->layout == WORDS_565); break;
    case BYTES:
        for (size_t x = 0; x < width; x++)
            for (size_t c = 0; c < channels; c++) out[x * channels + c] = in[x * bits / 8 + job->order[c]];
        break;
    }
}

static uint8_t *row_of(const bmp_job *job, const vb_image *image, size_t y) {
    const size_t stride = (size_t)job->width * (size_t)vb_colour_mode_bytes(job->mode);
    return image->pixels + (job->top_down ? y : (size_t)job->height - 1 - y) * stride;
}

static size_t bmp_stride(const bmp_job *job) { return (size_t)(((job->width * job->bits + 31) >> 3) & ~3ull); }

/* Whether the file holds all rows. */
static int bmp_check_rows(bmp_job *job) {
    const size_t stride = bmp_stride(job), row = ((size_t)job->width * job->raw_bits + 7) / 8, height = (size_t)job->height;
    if (vb_codec_check(job->width, job->height, job->name, job->err)) return -1;
    if (row > stride)
        return vb_errorf(job->err, VB_EUNSUPPORTED,
                         "%s: BMP: %u bits a pixel with a palette of greys, which Pillow does not read", job->name, job->bits);
    if (job->pixels_at > job->size || (height - 1) * stride + row > job->size - job->pixels_at)
        return vb_errorf(job->err, VB_EDATA, "%s: BMP: truncated: %zu rows of %zu bytes from offset %zu, the file holds %zu",
                         job->name, height, stride, job->pixels_at, job->size);
    return 0;
}

static void bmp_plain(const bmp_job *job, const vb_image *image) {
    for (size_t y = 0; y < (size_t)job->height; y++)
        unpack_row(job, row_of(job, image, y), job->bytes + job->pixels_at + y * bmp_stride(job));
}

/* The indices of a bitmap in file order, as far as they go. */
typedef struct rle {
    const bmp_job *job;
    const vb_image *image;
    size_t count, total, x;
} rle;

static void rle_put(rle *out, uint8_t index) {
    const size_t width = (size_t)out->job->width;
    if (out->count < out->total) row_of(out->job, out->image, out->count / width)[out->count % width] = index;
    out->count++;
}

static void rle_skip(rle *out, uint64_t zeros) { /* the image begins as zeros */
    out->count = zeros < out->total - out->count ? out->count + (size_t)zeros : out->total;
}

static void rle_run(rle *out, size_t n, uint8_t byte) {
    const size_t width = (size_t)out->job->width;
    const bool four = out->job->compression == RLE4;
    if (out->x + n > width) n = out->x < width ? width - out->x : 0;
    for (size_t i = 0; i < n; i++) rle_put(out, !four ? byte : i % 2 ? byte & 15 : byte >> 4);
    out->x += n;
}

/* n literal indices; of an odd number of half bytes Pillow drops the last. */
static int rle_literal(bmp_job *job, rle *out, uint8_t n) {
    const bool four = job->compression == RLE4;
    const size_t wanted = four ? n / 2 : n, left = job->size - job->at, got = left < wanted ? left : wanted;
    const uint8_t *in = bmp_take(job, got);
    for (size_t i = 0; i < (four ? 2 * got : got); i++) rle_put(out, !four ? in[i] : i % 2 ? in[i / 2] & 15 : in[i / 2] >> 4);
    if (got < wanted && out->count < out->total) bmp_take(job, wanted); /* says what is missing */
    if (got < wanted) return out->count < out->total ? -1 : 0;
    out->x += n;
    if (job->at % 2 && job->at < job->size) job->at++;
    return 0;
}

static int bmp_runs(bmp_job *job, vb_image *image) {
    enum { END_OF_LINE, END_OF_BITMAP, DELTA };
    const size_t width = (size_t)job->width;
    rle out = {.job = job, .image = image, .total = width * (size_t)job->height};
    if (job->pixels_at > job->size)
        return vb_errorf(job->err, VB_EDATA, "%s: BMP: pixels at offset %zu, the file holds %zu bytes", job->name, job->pixels_at,
                         job->size);
    job->at = job->pixels_at;
    while (out.count < out.total) {
        const uint8_t *pair = bmp_take(job, 2), *step;
        if (!pair) return -1;
        if (pair[0]) rle_run(&out, pair[0], pair[1]);
        else if (pair[1] == END_OF_LINE) {
            if (out.count % width) rle_skip(&out, width - out.count % width);
            out.x = 0;
        } else if (pair[1] == END_OF_BITMAP)
            return vb_errorf(job->err, VB_EDATA, "%s: BMP: run lengths end after %zu of %zu pixels", job->name, out.count,
                             out.total);
        else if (pair[1] == DELTA) {
            if (!(step = bmp_take(job, 4))) return -1; /* Pillow 9.4 takes the two bytes behind the step for it */
            rle_skip(&out, step[2] + step[3] * (uint64_t)width);
            out.x = out.count % width;
        } else if (rle_literal(job, &out, pair[1])) return -1;
    }
    return 0;
}

static int bmp_decode_job(bmp_job *job, vb_image *image) {
    if (bmp_header(job) || bmp_find_layout(job)) return -1;
    if (!job->pixels_at) job->pixels_at = job->at;
    const bool runs = job->compression == RLE8 || job->compression == RLE4;
    if (!runs && bmp_check_rows(job)) return -1;
    const vb_codec_size whole = {job->width, job->height, 0};
    if (vb_codec_reserve(image, job->mode, &whole, job->name, job->err)) return -1;
    memcpy(image->palette, job->palette, sizeof image->palette);
    if (runs) return bmp_runs(job, image);
    bmp_plain(job, image);
    return 0;
}

static int bmp_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    bmp_job job = {.bytes = bytes, .size = size, .name = name, .err = err};
    if (!bmp_decode_job(&job, image)) return 0;
    vb_free(image->pixels);
    image->pixels = NULL;
    return -1;
}

const vb_codec vb_codec_bmp = {
    .name = "BMP",
    .suffixes = {"bmp", "dib"},
    .signatures = {{"BM", ".."},
                   {"\x0c\0\0\0", "...."},
                   {"\x28\0\0\0", "...."},
                   {"\x40\0\0\0", "...."},
                   {"\x6c\0\0\0", "...."},
                   {"\x7c\0\0\0", "...."}},
    .decode = bmp_decode,
};
