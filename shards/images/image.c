/* Images: the format is told from the bytes, the pixels come from its codec; PNG writing with bytes that depend on no library. */
#include "shards/images/image.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "kernels/image/colour.h"
#include "kernels/base/memory.h"
#include "shards/images/codec.h"

enum { MAX_PIXELS = 1 << 28 };

typedef int decoder(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err);

/* First bytes of each format; 'x' in the mask of a byte means that any value will do. The first match counts. */
static const struct signature {
    const char *format, *magic, *mask;
    decoder *decode; /* NULL: known by name only */
} signatures[] = {
    {"JPEG", "\xff\xd8\xff", "...", vb_jpeg_decode},
    {"PNG", "\x89PNG", "....", vb_png_decode}, /* what follows tells transfer damage; libpng says so */
    {"WebP", "RIFF----WEBP", "....xxxx....", vb_webp_decode},
    {"GIF", "GIF8", "....", NULL},
    {"BMP", "BM", "..", NULL},
    {"TIFF", "II*\0", "....", NULL},
    {"TIFF", "MM\0*", "....", NULL},
    {"AVIF", "----ftypavif", "xxxx........", NULL},
    {"HEIF", "----ftyp", "xxxx....", NULL},
    {"JPEG 2000", "\0\0\0\x0cjP  ", "........", NULL},
    {"JPEG 2000", "\xff\x4f\xff\x51", "....", NULL},
    {"JPEG XL", "\0\0\0\x0cJXL ", "........", NULL},
    {"JPEG XL", "\xff\x0a", "..", NULL},
    {"Photoshop", "8BPS", "....", NULL},
    {"icon", "\0\0\1\0", "....", NULL},
    {"QOI", "qoif", "....", NULL},
    {"PNM", "P-\n", ".x.", NULL},
    {"SVG", "<svg", "....", NULL},
    {"XML", "<?xml", ".....", NULL},
    {"HTML", "<!DOCTYPE", ".........", NULL},
    {"HTML", "<html", ".....", NULL},
    {"gzip", "\x1f\x8b", "..", NULL},
};

/* Whether the bytes match as far as both go. */
static int matches(const struct signature *s, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size && s->mask[i]; i++)
        if (s->mask[i] == '.' && (uint8_t)s->magic[i] != bytes[i]) return 0;
    return 1;
}

int vb_image_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    memset(image, 0, sizeof *image);
    if (!size) return vb_errorf(err, VB_EDATA, "%s: empty file, expected a JPEG, PNG or WebP image", name);
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *s = &signatures[i];
        int whole = size >= strlen(s->mask);
        if ((!whole && !s->decode) || !matches(s, bytes, size)) continue;
        if (!whole) return vb_errorf(err, VB_EDATA, "%s: truncated %s, the file holds %zu bytes", name, s->format, size);
        if (s->decode) return s->decode(image, bytes, size, name, err);
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: the format is %s, expected JPEG, PNG or WebP", name, s->format);
    }
    uint8_t head[4] = {0};
    memcpy(head, bytes, size < sizeof head ? size : sizeof head);
    return vb_errorf(err, VB_EUNSUPPORTED,
                     "%s: unknown format (%zu bytes, begins with %02x %02x %02x %02x), expected JPEG, PNG or WebP", name, size,
                     head[0], head[1], head[2], head[3]);
}

int vb_image_reserve(vb_image *image, vb_mode mode, uint64_t width, uint64_t height, const char *name, vb_error *err) {
    if (!width || !height)
        return vb_errorf(err, VB_EDATA, "%s: %" PRIu64 "x%" PRIu64 " pixels, expected at least one", name, width, height);
    if (width > MAX_PIXELS || height > MAX_PIXELS || width * height > MAX_PIXELS)
        return vb_errorf(err, VB_EDATA, "%s: %" PRIu64 "x%" PRIu64 " pixels, expected at most %d in all", name, width, height,
                         MAX_PIXELS);
    image->mode = mode;
    image->width = (int)width;
    image->height = (int)height;
    image->pixels = vb_array(width * height, (size_t)vb_colour_mode_bytes(mode), "image", err);
    return image->pixels ? 0 : vb_error_prefix(err, "%s", name);
}

int vb_image_suffix(const char *name) {
    static const char *const suffixes[] = {".jpg", ".jpeg", ".png", ".webp"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t n = strlen(suffixes[i]);
        if (length > n && !strcasecmp(name + length - n, suffixes[i])) return 1;
    }
    return 0;
}

/* ---- writing PNG ---- */

static uint8_t *put32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
    return at + 4;
}

/* Length and type of a chunk; the content follows, then chunk_end, which writes the checksum over type and content. */
static uint8_t *chunk_begin(uint8_t *at, const char *type, size_t size) {
    at = put32(at, (uint32_t)size);
    memcpy(at, type, 4);
    return at + 4;
}

static uint8_t *chunk_end(uint8_t *at, size_t size) { return put32(at, (uint32_t)crc32_z(0, at - size - 4, size + 4)); }

int vb_image_encode_png(const uint8_t *rgb, int width, int height, uint8_t **png, size_t *size, vb_error *err) {
    enum { BLOCK = 65535, HEADER = 13, FRAME = 12 };
    static const uint8_t magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    *png = NULL;
    *size = 0;
    if (width < 1 || height < 1 || (int64_t)width * height > MAX_PIXELS)
        return vb_errorf(err, VB_EDATA, "PNG of %dx%d pixels: expected 1 to %d in all", width, height, MAX_PIXELS);
    /* Rows are stored, not deflated: what zlib makes of data changes with its version, stored blocks never do, and the archives
     * that hold these files are compressed as a whole. Differences to the left neighbour (filter 1) help that compression. */
    size_t row = 1 + (size_t)width * 3, raw = row * (size_t)height, blocks = (raw + BLOCK - 1) / BLOCK;
    size_t data = 2 + raw + 5 * blocks + 4;
    uint8_t *lines = vb_array(raw, 1, "PNG rows", err);
    if (!lines) return -1;
    size_t total = sizeof magic + FRAME + HEADER + FRAME + data + FRAME;
    uint8_t *file = vb_array(total, 1, "PNG file", err);
    if (!file) {
        vb_free(lines);
        return -1;
    }
    for (size_t y = 0; y < (size_t)height; y++) {
        const uint8_t *in = rgb + y * (row - 1);
        uint8_t *line = lines + y * row;
        *line++ = 1;
        for (size_t i = 0; i < row - 1; i++) line[i] = (uint8_t)(in[i] - (i < 3 ? 0 : in[i - 3]));
    }
    memcpy(file, magic, sizeof magic);
    uint8_t *at = chunk_begin(file + sizeof magic, "IHDR", HEADER);
    at = put32(put32(at, (uint32_t)width), (uint32_t)height);
    *at++ = 8; /* bits */
    *at++ = 2; /* colour type RGB; then compression, filter and interlace methods, all 0 */
    at = chunk_begin(chunk_end(at + 3, HEADER), "IDAT", data);
    *at++ = 0x78;
    *at++ = 0x01; /* zlib header, fastest */
    for (size_t done = 0; done < raw; done += BLOCK) {
        size_t n = raw - done < BLOCK ? raw - done : BLOCK;
        *at++ = done + n == raw; /* last block? stored */
        *at++ = (uint8_t)n;
        *at++ = (uint8_t)(n >> 8);
        *at++ = (uint8_t)~n;
        *at++ = (uint8_t)(~n >> 8);
        memcpy(at, lines + done, n);
        at += n;
    }
    at = put32(at, (uint32_t)adler32_z(1, lines, raw));
    at = chunk_end(chunk_begin(chunk_end(at, data), "IEND", 0), 0);
    vb_free(lines);
    *png = file;
    *size = total;
    return 0;
}
