/* GIF: the first frame on its screen, as Pillow's own decoder (9.4) reads it: palette indices, or greys where the palette is a
 * grey ramp or missing. libgif refuses files that Pillow reads, and reads some that Pillow refuses. */
#include "shards/images/codec.h"

#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"

enum { TABLE = 1 << 12, CODE_BITS = 12 };

typedef struct gif_frame {
    int left, top, width, height;
    int transparent; /* -1: none */
    bool interlaced, grey;
    uint8_t palette[768];
} gif_frame;

typedef struct gif_job {
    const uint8_t *bytes;
    size_t size, at;
    const char *name;
    vb_error *err;
} gif_job;

/* The next n bytes, NULL where the file ends before. */
static const uint8_t *gif_take(gif_job *job, size_t n) {
    if (n > job->size - job->at) {
        vb_errorf(job->err, VB_EDATA, "%s: GIF: truncated at offset %zu: expected %zu more bytes, found %zu", job->name, job->at,
                  n, job->size - job->at);
        return NULL;
    }
    const uint8_t *bytes = job->bytes + job->at;
    job->at += n;
    return bytes;
}

static int le16(const uint8_t *at) { return at[0] | at[1] << 8; }

/* ---- the way to the first frame ---- */

/* A grey ramp is no palette to Pillow: one of a frame leaves the colours of the screen's in place. Entries beyond the table are
 * that ramp. */
static int gif_palette(gif_job *job, gif_frame *frame, int flags) {
    const int entries = 2 << (flags & 7);
    const uint8_t *table = gif_take(job, (size_t)entries * 3);
    if (!table) return -1;
    bool grey = true;
    for (int i = 0; i < entries; i++)
        if (table[3 * i] != i || table[3 * i + 1] != i || table[3 * i + 2] != i) grey = false;
    if (grey) return 0;
    frame->grey = false;
    for (int i = 0; i < 256; i++) memset(frame->palette + 3 * i, i, 3);
    memcpy(frame->palette, table, (size_t)entries * 3);
    return 0;
}

/* One sub-block; its length 0 ends a list of them. */
static int gif_block(gif_job *job, const uint8_t **block, int *length) {
    const uint8_t *n = gif_take(job, 1);
    if (!n) return -1;
    *length = *n;
    return (*block = gif_take(job, (size_t)*n)) ? 0 : -1;
}

/* Pillow takes the first block of every kind but a comment as one of content, and reads on behind it even when it is empty. */
static int gif_extension(gif_job *job, gif_frame *frame) {
    enum { GRAPHIC_CONTROL = 249, COMMENT = 254, APPLICATION = 255, TRANSPARENT = 1, NETSCAPE = 11 };
    const uint8_t *kind = gif_take(job, 1), *block;
    int length;
    if (!kind || gif_block(job, &block, &length)) return -1;
    bool missing = *kind == APPLICATION && !length;
    if (*kind == APPLICATION && length >= NETSCAPE && !memcmp(block, "NETSCAPE2.0", NETSCAPE)) {
        if (gif_block(job, &block, &length)) return -1;
        missing = !length;
    }
    if (missing)
        return vb_errorf(job->err, VB_EDATA, "%s: GIF: offset %zu: an application extension without content", job->name, job->at);
    if (*kind == GRAPHIC_CONTROL) {
        if (length < 3 || (block[0] & TRANSPARENT && length < 4))
            return vb_errorf(job->err, VB_EDATA, "%s: GIF: offset %zu: a graphic control of %d bytes, expected 4", job->name,
                             job->at - (size_t)length, length);
        if (block[0] & TRANSPARENT) frame->transparent = block[3];
    }
    if (*kind == COMMENT && !length) return 0;
    do {
        if (gif_block(job, &block, &length)) return -1;
    } while (length);
    return 0;
}

static int gif_descriptor(gif_job *job, gif_frame *frame) {
    enum { LOCAL_PALETTE = 128, INTERLACED = 64 };
    const uint8_t *head = gif_take(job, 9);
    if (!head) return -1;
    frame->left = le16(head);
    frame->top = le16(head + 2);
    frame->width = le16(head + 4);
    frame->height = le16(head + 6);
    frame->interlaced = head[8] & INTERLACED;
    return head[8] & LOCAL_PALETTE ? gif_palette(job, frame, head[8]) : 0;
}

/* Bytes between blocks that begin none are passed over, as Pillow does. */
static int gif_find_frame(gif_job *job, gif_frame *frame) {
    for (;;) {
        const uint8_t *tag = gif_take(job, 1);
        if (!tag) return -1;
        if (*tag == ';') return vb_errorf(job->err, VB_EDATA, "%s: GIF: no image before the trailer", job->name);
        if (*tag == '!' && gif_extension(job, frame)) return -1;
        if (*tag == ',') return gif_descriptor(job, frame);
    }
}

/* ---- LZW ---- */

typedef struct gif_codes { /* bits from the left-over of sub-blocks */
    gif_job *job;
    const uint8_t *block;
    int left, bits;
    uint32_t buffer;
} gif_codes;

static int gif_code(gif_codes *codes, int size) {
    while (codes->bits < size) {
        while (!codes->left) /* Pillow reads on behind an empty block */
            if (gif_block(codes->job, &codes->block, &codes->left)) return -1;
        codes->buffer |= (uint32_t)*codes->block++ << codes->bits;
        codes->left--;
        codes->bits += 8;
    }
    const int code = (int)(codes->buffer & ((1u << size) - 1));
    codes->buffer >>= size;
    codes->bits -= size;
    return code;
}

typedef struct gif_canvas {
    uint8_t *pixels;
    size_t stride;
    const gif_frame *frame;
    int x, y, pass;
} gif_canvas;

/* Puts one index where it belongs; false: the frame is full. */
static bool gif_put(gif_canvas *canvas, uint8_t index) {
    static const struct { int first, step; } passes[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
    const gif_frame *frame = canvas->frame;
    canvas->pixels[(size_t)(frame->top + canvas->y) * canvas->stride + (size_t)(frame->left + canvas->x)] = index;
    if (++canvas->x < frame->width) return true;
    canvas->x = 0;
    canvas->y += frame->interlaced ? passes[canvas->pass].step : 1;
    while (frame->interlaced && canvas->y >= frame->height && canvas->pass < 3) canvas->y = passes[++canvas->pass].first;
    return canvas->y < frame->height;
}

static int gif_corrupt(const gif_job *job, const char *what, int code) {
    return vb_errorf(job->err, VB_EDATA, "%s: GIF: offset %zu: %s %d", job->name, job->at, what, code);
}

/* Strings are chains from their last byte to their first: `last` and `link` of each code. */
static int gif_expand(gif_job *job, gif_canvas *canvas, int bits) {
    uint8_t last[TABLE] = {0}, string[TABLE], first = 0;
    uint16_t link[TABLE] = {0};
    const int clear = 1 << bits;
    gif_codes codes = {.job = job};
    int size = bits + 1, next = clear + 2, before = -1;
    for (;;) {
        int code = gif_code(&codes, size);
        const int this = code;
        if (code < 0) return -1;
        if (code == clear) {
            size = bits + 1;
            next = clear + 2;
            before = -1;
            continue;
        }
        if (code == clear + 1) return vb_errorf(job->err, VB_EDATA, "%s: GIF: the image data end too early", job->name);
        int n = 0;
        if (before < 0) {
            if (code > clear) return gif_corrupt(job, "a code that begins a table cannot be", code);
            first = (uint8_t)code;
        } else {
            if (code > next) return gif_corrupt(job, "code beyond the table:", code);
            if (code == next) {
                string[n++] = first;
                code = before;
            }
            for (; code >= clear; code = link[code]) {
                if (n == TABLE || code >= TABLE || code == clear || code == clear + 1)
                    return gif_corrupt(job, "corrupt code", this);
                string[n++] = last[code];
            }
            first = (uint8_t)code;
            if (next < TABLE) {
                last[next] = first;
                link[next] = (uint16_t)before;
                if (next == (1 << size) - 1 && size < CODE_BITS) size++;
                next++;
            }
        }
        before = this;
        bool more = gif_put(canvas, first);
        while (more && n) more = gif_put(canvas, string[--n]);
        if (!more) return 0;
    }
}

/* ---- the whole ---- */

static int gif_decode_job(gif_job *job, vb_image *image) {
    enum { GLOBAL_PALETTE = 128 };
    gif_frame frame = {.transparent = -1, .grey = true};
    const uint8_t *screen = gif_take(job, 13), *bits;
    if (!screen) return -1;
    int width = le16(screen + 6), height = le16(screen + 8);
    if (screen[10] & GLOBAL_PALETTE && gif_palette(job, &frame, screen[10])) return -1;
    if (gif_find_frame(job, &frame) || !(bits = gif_take(job, 1))) return -1;
    if (*bits > CODE_BITS) return gif_corrupt(job, "codes of 0 to 12 bits expected, found", *bits);
    /* A frame that leaves the screen enlarges it; one of no width at the left edge is the whole screen: as in Pillow. */
    if (frame.left + frame.width > width) width = frame.left + frame.width;
    if (frame.top + frame.height > height) height = frame.top + frame.height;
    if (!frame.left && !frame.width) {
        frame.top = 0;
        frame.width = width;
        frame.height = height;
    }
    if (!frame.width || !frame.height)
        return vb_errorf(job->err, VB_EDATA, "%s: GIF: a frame of %dx%d pixels, expected at least one", job->name, frame.width,
                         frame.height);
    /* n codes make strings of 1 to n pixels. */
    const uint64_t codes = 8 * (uint64_t)(job->size - job->at) / 2;
    if ((uint64_t)frame.width * (uint64_t)frame.height > codes * (codes + 1) / 2)
        return vb_errorf(job->err, VB_EDATA, "%s: GIF: truncated: %zu bytes cannot hold the %dx%d pixels of a frame", job->name,
                         job->size - job->at, frame.width, frame.height);
    const vb_codec_size whole = {(uint64_t)width, (uint64_t)height, 0};
    if (vb_codec_reserve(image, frame.grey ? VB_MODE_L : VB_MODE_P, &whole, job->name, job->err)) return -1;
    memcpy(image->palette, frame.palette, sizeof image->palette);
    if (frame.transparent > 0) memset(image->pixels, frame.transparent, (size_t)width * (size_t)height);
    gif_canvas canvas = {.pixels = image->pixels, .stride = (size_t)width, .frame = &frame};
    return gif_expand(job, &canvas, *bits);
}

static int gif_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    gif_job job = {.bytes = bytes, .size = size, .name = name, .err = err};
    if (!gif_decode_job(&job, image)) return 0;
    vb_free(image->pixels);
    image->pixels = NULL;
    return -1;
}

const vb_codec vb_codec_gif = {
    .name = "GIF",
    .suffixes = {"gif"},
    .signatures = {{"GIF87a", "......"}, {"GIF89a", "......"}},
    .decode = gif_decode,
};
