/* Images: the format is told from the bytes, the pixels come from its codec; PNG writing with bytes that depend on no library. */
#include "shards/images/image.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"
#include "shards/files/content.h"
#include "shards/images/codec.h"

/* ---- the codecs: a new one is a row here, a file of its own, and its line in codec.h ---- */

static const vb_codec *const codecs[] = {&vb_codec_jpeg, &vb_codec_png,  &vb_codec_webp, &vb_codec_gif,
                                         &vb_codec_bmp,  &vb_codec_tiff, &vb_codec_pnm};
enum { CODECS = sizeof codecs / sizeof *codecs, CODEC_NAMES = 256 };

/* "JPEG, PNG or WebP", for messages. */
static const char *codec_names(char text[CODEC_NAMES]) {
    size_t n = 0;
    for (size_t i = 0; i < CODECS && n < CODEC_NAMES; i++)
        n += (size_t)snprintf(text + n, CODEC_NAMES - n, "%s%s", !i ? "" : i + 1 < CODECS ? ", " : " or ", codecs[i]->name);
    return text;
}

/* Formats that are known by name only, for a message that helps. The first match counts, behind the codecs. */
static const struct other {
    const char *name;
    vb_codec_signature signature;
} others[] = {
    {"AVIF", {"----ftypavif", "xxxx........"}},
    {"HEIF", {"----ftyp", "xxxx...."}},
    {"JPEG 2000", {"\0\0\0\x0cjP  ", "........"}},
    {"JPEG 2000", {"\xff\x4f\xff\x51", "...."}},
    {"JPEG XL", {"\0\0\0\x0cJXL ", "........"}},
    {"JPEG XL", {"\xff\x0a", ".."}},
    {"Photoshop", {"8BPS", "...."}},
    {"icon", {"\0\0\1\0", "...."}},
    {"QOI", {"qoif", "...."}},
    {"PAM", {"P7\n", "..."}},
    {"PFM", {"PF\n", "..."}},
    {"PFM", {"Pf\n", "..."}},
    {"SVG", {"<svg", "...."}},
    {"XML", {"<?xml", "....."}},
    {"HTML", {"<!DOCTYPE", "........."}},
    {"HTML", {"<html", "....."}},
    {"gzip", {"\x1f\x8b", ".."}},
};

/* Whether the bytes match as far as both go. */
static bool fits_signature(const vb_codec_signature *s, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size && s->mask[i]; i++)
        if (s->mask[i] == '.' && (uint8_t)s->magic[i] != bytes[i]) return false;
    return true;
}

static bool is_whole(const vb_codec_signature *s, size_t size) { return size >= strlen(s->mask); }

/* The codec that the bytes begin like, else NULL; *begun: one whose signature they may be the beginning of, or NULL. */
static const vb_codec *find_codec(const void *bytes, size_t size, const vb_codec **begun) {
    *begun = NULL;
    for (size_t i = 0; i < CODECS; i++)
        for (int k = 0; k < VB_CODEC_SIGNATURES && codecs[i]->signatures[k].mask; k++) {
            const vb_codec_signature *signature = &codecs[i]->signatures[k];
            if (!fits_signature(signature, bytes, size)) continue;
            if (is_whole(signature, size)) return codecs[i];
            if (!*begun) *begun = codecs[i];
        }
    return NULL;
}

static int decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    char expected[CODEC_NAMES];
    if (!size) return vb_errorf(err, VB_EDATA, "%s: empty file, expected a %s image", name, codec_names(expected));
    const vb_codec *begun = NULL, *codec = find_codec(bytes, size, &begun);
    if (codec) return codec->decode(image, bytes, size, name, err);
    if (begun) return vb_errorf(err, VB_EDATA, "%s: truncated %s, the file holds %zu bytes", name, begun->name, size);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_whole(&others[i].signature, size) && fits_signature(&others[i].signature, bytes, size))
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: the format is %s, expected %s", name, others[i].name,
                             codec_names(expected));
    const char *known = vb_content_name(bytes, size);
    if (known) return vb_errorf(err, VB_EUNSUPPORTED, "%s: %s, expected %s", name, known, codec_names(expected));
    uint8_t head[4] = {0};
    memcpy(head, bytes, size < sizeof head ? size : sizeof head);
    return vb_errorf(err, VB_EUNSUPPORTED, "%s: unknown format (%zu bytes, begins with %02x %02x %02x %02x), expected %s", name,
                     size, head[0], head[1], head[2], head[3], codec_names(expected));
}

int vb_image_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    *image = (vb_image){0};
    return decode(image, bytes, size, name, err);
}

int vb_image_decode_rows(vb_image *image, const vb_row_sink *sink, const void *bytes, size_t size, const char *name,
                         vb_error *err) {
    *image = (vb_image){.sink = sink};
    int status = decode(image, bytes, size, name, err);
    if (!status && image->pixels) {
        const size_t stride = (size_t)image->width * (size_t)vb_colour_mode_bytes(image->mode);
        if (sink->begin(sink->context, image, err)) status = vb_error_prefix(err, "%s", name);
        for (size_t y = 0; y < (size_t)image->height && !status; y++)
            status = vb_codec_row(image, image->pixels + y * stride, err);
        vb_free(image->pixels);
        image->pixels = NULL;
    }
    return status;
}

const char *vb_image_format_suffix(const void *bytes, size_t size) {
    const vb_codec *begun, *codec = find_codec(bytes, size, &begun);
    return codec ? codec->suffixes[0] : NULL;
}

const char *vb_image_suffixes(char text[VB_IMAGE_SUFFIXES]) {
    size_t n = 0;
    for (size_t i = 0; i < CODECS; i++)
        for (int k = 0; k < VB_CODEC_SUFFIXES && codecs[i]->suffixes[k] && n < VB_IMAGE_SUFFIXES; k++)
            n += (size_t)snprintf(text + n, VB_IMAGE_SUFFIXES - n, "%s%s", n ? ", " : "", codecs[i]->suffixes[k]);
    return text;
}

bool vb_image_is_suffix(const char *suffix) {
    for (size_t i = 0; i < CODECS; i++)
        for (int k = 0; k < VB_CODEC_SUFFIXES && codecs[i]->suffixes[k]; k++)
            if (!strcasecmp(suffix, codecs[i]->suffixes[k])) return true;
    return false;
}

bool vb_image_has_suffix(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && dot > name && vb_image_is_suffix(dot + 1);
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
    static const uint8_t png_magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    *png = NULL;
    *size = 0;
    if (width < 1 || height < 1 || (int64_t)width * height > VB_CODEC_PIXELS)
        return vb_errorf(err, VB_EDATA, "PNG of %dx%d pixels: expected 1 to %d in all", width, height, VB_CODEC_PIXELS);
    /* Rows are stored, not deflated: what zlib makes of data changes with its version, stored blocks never do, and the archives
     * that hold these files are compressed as a whole. Differences to the left neighbour (filter 1) help that compression. */
    size_t row = 1 + (size_t)width * 3, raw = row * (size_t)height, blocks = (raw + BLOCK - 1) / BLOCK;
    size_t data = 2 + raw + 5 * blocks + 4;
    uint8_t *lines = vb_array(raw, 1, "PNG rows", err);
    if (!lines) return -1;
    size_t total = sizeof png_magic + FRAME + HEADER + FRAME + data + FRAME;
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
    memcpy(file, png_magic, sizeof png_magic);
    uint8_t *at = chunk_begin(file + sizeof png_magic, "IHDR", HEADER);
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
