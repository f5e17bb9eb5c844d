/* Pillow 9.4's table of TIFF layouts (TiffImagePlugin.py, OPEN_INFO) and its unpackers (Unpack.c). */
#include "shards/images/tiff_pixels.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"

enum { II = 1, MM = 2, BOTH = 3, NORMAL = 1, ANY_FILL = 3, NONE = -1 };
enum { WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK = 5, YCBCR = 6 };
enum { UNSIGNED = 1, SIGNED = 2, REAL = 3 };

/* The layouts that Pillow knows. fills: bit n - 1 for fill order n; extra: the kind of the first extra sample (the others are 0),
 * NONE: the file may have none. */
static const struct row {
    int orders, photometric, format, fills, bits, least, most, extra;
    vb_mode mode;
    bool inverted, premultiplied;
} rows[] = {
    {BOTH, WHITE_IS_ZERO, UNSIGNED, ANY_FILL, 1, 1, 1, NONE, VB_MODE_1, true, false},
    {BOTH, WHITE_IS_ZERO, UNSIGNED, ANY_FILL, 2, 1, 1, NONE, VB_MODE_L, true, false},
    {BOTH, WHITE_IS_ZERO, UNSIGNED, ANY_FILL, 4, 1, 1, NONE, VB_MODE_L, true, false},
    {BOTH, WHITE_IS_ZERO, UNSIGNED, ANY_FILL, 8, 1, 1, NONE, VB_MODE_L, true, false},
    {II, WHITE_IS_ZERO, UNSIGNED, NORMAL, 16, 1, 1, NONE, VB_MODE_I16, false, false},
    {BOTH, WHITE_IS_ZERO, REAL, NORMAL, 32, 1, 1, NONE, VB_MODE_F, false, false},
    {BOTH, BLACK_IS_ZERO, UNSIGNED, ANY_FILL, 1, 1, 1, NONE, VB_MODE_1, false, false},
    {BOTH, BLACK_IS_ZERO, UNSIGNED, ANY_FILL, 2, 1, 1, NONE, VB_MODE_L, false, false},
    {BOTH, BLACK_IS_ZERO, UNSIGNED, ANY_FILL, 4, 1, 1, NONE, VB_MODE_L, false, false},
    {BOTH, BLACK_IS_ZERO, UNSIGNED, ANY_FILL, 8, 1, 1, NONE, VB_MODE_L, false, false},
    {II, BLACK_IS_ZERO, UNSIGNED, NORMAL, 12, 1, 1, NONE, VB_MODE_I16, false, false},
    {II, BLACK_IS_ZERO, UNSIGNED, ANY_FILL, 16, 1, 1, NONE, VB_MODE_I16, false, false},
    {MM, BLACK_IS_ZERO, UNSIGNED, NORMAL, 16, 1, 1, NONE, VB_MODE_I16, false, false},
    {BOTH, BLACK_IS_ZERO, SIGNED, NORMAL, 16, 1, 1, NONE, VB_MODE_I, false, false},
    {II, BLACK_IS_ZERO, UNSIGNED, NORMAL, 32, 1, 1, NONE, VB_MODE_I, false, false},
    {BOTH, BLACK_IS_ZERO, SIGNED, NORMAL, 32, 1, 1, NONE, VB_MODE_I, false, false},
    {BOTH, BLACK_IS_ZERO, REAL, NORMAL, 32, 1, 1, NONE, VB_MODE_F, false, false},
    {BOTH, BLACK_IS_ZERO, UNSIGNED, NORMAL, 8, 2, 2, 2, VB_MODE_LA, false, false},
    {BOTH, RGB, UNSIGNED, ANY_FILL, 8, 3, 3, NONE, VB_MODE_RGB, false, false},
    {BOTH, RGB, UNSIGNED, NORMAL, 8, 4, 4, NONE, VB_MODE_RGBA, false, false},
    {BOTH, RGB, UNSIGNED, NORMAL, 8, 4, 6, 0, VB_MODE_RGB, false, false},
    {BOTH, RGB, UNSIGNED, NORMAL, 8, 4, 6, 1, VB_MODE_RGBA, false, true},
    {BOTH, RGB, UNSIGNED, NORMAL, 8, 4, 6, 2, VB_MODE_RGBA, false, false},
    {BOTH, RGB, UNSIGNED, NORMAL, 8, 4, 4, 999, VB_MODE_RGBA, false, false},
    {BOTH, RGB, UNSIGNED, NORMAL, 16, 3, 3, NONE, VB_MODE_RGB, false, false},
    {BOTH, RGB, UNSIGNED, NORMAL, 16, 4, 4, NONE, VB_MODE_RGBA, false, false},
    {BOTH, RGB, UNSIGNED, NORMAL, 16, 4, 4, 0, VB_MODE_RGB, false, false},
    {BOTH, RGB, UNSIGNED, NORMAL, 16, 4, 4, 1, VB_MODE_RGBA, false, true},
    {BOTH, RGB, UNSIGNED, NORMAL, 16, 4, 4, 2, VB_MODE_RGBA, false, false},
    {BOTH, PALETTE, UNSIGNED, ANY_FILL, 1, 1, 1, NONE, VB_MODE_P, false, false},
    {BOTH, PALETTE, UNSIGNED, ANY_FILL, 2, 1, 1, NONE, VB_MODE_P, false, false},
    {BOTH, PALETTE, UNSIGNED, ANY_FILL, 4, 1, 1, NONE, VB_MODE_P, false, false},
    {BOTH, PALETTE, UNSIGNED, ANY_FILL, 8, 1, 1, NONE, VB_MODE_P, false, false},
    {BOTH, PALETTE, UNSIGNED, NORMAL, 8, 2, 2, 2, VB_MODE_PA, false, false},
    {BOTH, CMYK, UNSIGNED, NORMAL, 8, 4, 4, NONE, VB_MODE_CMYK, false, false},
    {BOTH, CMYK, UNSIGNED, NORMAL, 8, 5, 6, 0, VB_MODE_CMYK, false, false},
    {II, CMYK, UNSIGNED, NORMAL, 16, 4, 4, NONE, VB_MODE_CMYK, false, false},
    {BOTH, YCBCR, UNSIGNED, NORMAL, 8, 3, 3, NONE, VB_MODE_RGB, false, false},
};

static bool is_row(const struct row *row, const vb_tiff_tags *tags) {
    const int colours = row->photometric == RGB ? 3 : row->photometric == CMYK ? 4 : row->photometric == YCBCR ? 3 : 1;
    return row->orders & (tags->big_endian ? MM : II) && row->photometric == tags->photometric && row->format == tags->format &&
           (tags->fill_order == 1 || tags->fill_order == 2) && row->fills & tags->fill_order && row->bits == tags->bits &&
           tags->samples >= row->least && tags->samples <= row->most &&
           (row->extra == NONE ? !tags->extras : tags->extras == tags->samples - colours && tags->extra == row->extra);
}

int vb_tiff_pixels_layout(vb_tiff_layout *layout, const vb_tiff_tags *tags, const char *name, vb_error *err) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!is_row(&rows[i], tags)) continue;
        *layout = (vb_tiff_layout){.mode = rows[i].mode,
                                   .bits = rows[i].bits,
                                   .samples = tags->samples,
                                   .inverted = rows[i].inverted,
                                   .premultiplied = rows[i].premultiplied,
                                   .is_signed = rows[i].format == SIGNED,
                                   .real = rows[i].format == REAL};
        return 0;
    }
    return vb_errorf(
        err, VB_EUNSUPPORTED,
        "%s: TIFF: photometric interpretation %d, %d samples of %d bits, format %d, fill order %d, %d extra (%d), %s "
        "endian: Pillow has no mode for it, or needs colour management",
        name, tags->photometric, tags->samples, tags->bits, tags->format, tags->fill_order, tags->extras, tags->extra,
        tags->big_endian ? "big" : "little");
}

size_t vb_tiff_pixels_row(const vb_tiff_layout *layout, size_t width) {
    return (width * (size_t)layout->bits * (size_t)layout->samples + 7) / 8;
}

/* ---- one sample a pixel ---- */

static void unpack_small(const vb_tiff_layout *layout, uint8_t *out, const uint8_t *in, size_t count) {
    const unsigned bits = (unsigned)layout->bits, top = (1u << bits) - 1;
    const unsigned scale = layout->mode == VB_MODE_P ? 1 : 255 / top;
    for (size_t x = 0; x < count; x++) {
        const size_t bit = x * bits;
        const unsigned value = in[bit / 8] >> (8 - bits - bit % 8) & top;
        out[x] = (uint8_t)(layout->inverted ? 255 - value * scale : value * scale);
    }
}

/* 12 bits: two samples in three bytes, high bits first. */
static void unpack_12(uint8_t *out, const uint8_t *in, size_t count) {
    for (size_t x = 0; x < count; x++) {
        const uint8_t *at = in + x / 2 * 3;
        const uint16_t value = (uint16_t)(x % 2 ? (at[1] & 15) << 8 | at[2] : at[0] << 4 | at[1] >> 4);
        memcpy(out + 2 * x, &value, sizeof value);
    }
}

static void unpack_16(const vb_tiff_layout *layout, uint8_t *out, const uint8_t *in, size_t count, bool swapped) {
    for (size_t x = 0; x < count; x++) {
        const uint16_t value = (uint16_t)(in[2 * x + !!swapped] | in[2 * x + !swapped] << 8);
        const int32_t level = layout->is_signed ? (int16_t)value : value;
        if (layout->mode == VB_MODE_I16) memcpy(out + 2 * x, &value, sizeof value);
        else memcpy(out + 4 * x, &level, sizeof level);
    }
}

static void unpack_32(uint8_t *out, const uint8_t *in, size_t count, bool swapped) {
    for (size_t x = 0; x < count; x++)
        for (size_t b = 0; b < 4; b++) out[4 * x + b] = in[4 * x + (swapped ? 3 - b : b)];
}

/* ---- many ---- */

void vb_tiff_pixels_divide(uint8_t *pixels, size_t count) {
    for (uint8_t *at = pixels; count--; at += 4) {
        const int alpha = at[3];
        for (int c = 0; c < 3 && alpha != 255; c++) {
            const int value = alpha ? at[c] * 255 / alpha : 0;
            at[c] = (uint8_t)(value > 255 ? 255 : value);
        }
    }
}

void vb_tiff_pixels_unpack(const vb_tiff_layout *layout, uint8_t *out, const uint8_t *in, size_t count, bool swapped) {
    if (layout->samples == 1) {
        if (layout->bits <= 8) unpack_small(layout, out, in, count);
        else if (layout->bits == 12) unpack_12(out, in, count);
        else if (layout->bits == 16) unpack_16(layout, out, in, count, swapped);
        else unpack_32(out, in, count, swapped);
        return;
    }
    const size_t channels = (size_t)vb_colour_mode_bytes(layout->mode), bytes = (size_t)layout->bits / 8;
    const size_t step = bytes * (size_t)layout->samples, high = bytes == 2 && !swapped ? 1 : 0;
    for (size_t x = 0; x < count; x++)
        for (size_t c = 0; c < channels; c++) out[x * channels + c] = in[x * step + c * bytes + high];
    if (layout->premultiplied) vb_tiff_pixels_divide(out, count);
}

void vb_tiff_pixels_plane(const vb_tiff_layout *layout, uint8_t *out, const uint8_t *in, size_t count, int channel) {
    const size_t channels = (size_t)vb_colour_mode_bytes(layout->mode), bytes = (size_t)layout->bits / 8;
    for (size_t x = 0; x < count; x++) out[x * channels + (size_t)channel] = in[x * bytes + bytes - 1];
}

/* ---- orientation ---- */

int vb_tiff_pixels_turn(vb_image *image, int orientation, vb_error *err) {
    if (orientation < 2 || orientation > 8) return 0;
    const bool across = orientation >= 5; /* rows become columns */
    const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const size_t pixel = (size_t)vb_colour_mode_bytes(image->mode), width = (size_t)image->width, height = (size_t)image->height;
    uint8_t *turned = vb_array(width * height, pixel, "turned image", err);
    if (!turned) return -1;
    const size_t new_width = across ? height : width, new_height = across ? width : height;
    for (size_t y = 0; y < new_height; y++)
        for (size_t x = 0; x < new_width; x++) {
            size_t from_x = across ? y : x, from_y = across ? x : y;
            if (mirror_x) from_x = width - 1 - from_x;
            if (mirror_y) from_y = height - 1 - from_y;
            memcpy(turned + (y * new_width + x) * pixel, image->pixels + (from_y * width + from_x) * pixel, pixel);
        }
    vb_free(image->pixels);
    image->pixels = turned;
    image->width = (int)new_width;
    image->height = (int)new_height;
    return 0;
}
