/* PNG by libpng, in the mode that Pillow 9.4 picks for each colour type and depth. Every checksum counts; where Pillow passes
 * over one (it does not look at those of the image data, nor at what lies behind them), the image is read with a remark. */
#include "shards/images/codec.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"

typedef struct png_job {
    const uint8_t *bytes;
    size_t size, at;
    bool out_of_memory;
    jmp_buf failed;
    vb_image *image;
    uint8_t *row; /* on its way to a sink */
    const char *name;
    vb_error *err;
} png_job;

static void png_fail(png_structp png, png_const_charp message) {
    png_job *job = png_get_error_ptr(png);
    vb_errorf(job->err, job->out_of_memory ? VB_EMEMORY : VB_EDATA, "%s: PNG: %s", job->name, message);
    longjmp(job->failed, 1);
}

/* libpng warns of what does not touch the pixels (and of surplus bytes behind them). */
static void warn_nobody(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void feed(png_structp png, png_bytep out, size_t wanted) {
    png_job *job = png_get_io_ptr(png);
    if (wanted > job->size - job->at) png_error(png, "truncated: the file ends before its IEND chunk");
    memcpy(out, job->bytes + job->at, wanted);
    job->at += wanted;
}

static png_voidp png_allocate(png_structp png, png_alloc_size_t size) {
    png_job *job = png_get_mem_ptr(png);
    void *memory = vb_array(size, 1, "PNG decoder", NULL);
    if (!memory) job->out_of_memory = true;
    return memory;
}

static void png_release(png_structp png, png_voidp memory) {
    (void)png;
    vb_free(memory);
}

/* Asks libpng for 8-bit samples, one byte a sample, except for 16-bit greys, which become 32-bit integers. */
static vb_mode choose_mode(png_structp png, int type, int depth) {
    if (depth < 8) png_set_packing(png);
    if (depth == 16 && type != PNG_COLOR_TYPE_GRAY) png_set_strip_16(png);
    switch (type) {
    case PNG_COLOR_TYPE_GRAY:
        if (depth == 16) return VB_MODE_I;
        if (depth < 8) png_set_expand_gray_1_2_4_to_8(png);
        return depth == 1 ? VB_MODE_1 : VB_MODE_L;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        if (depth == 8) return VB_MODE_LA;
        png_set_gray_to_rgb(png); /* Pillow 9.4 knows 16-bit LA as RGBA only */
        return VB_MODE_RGBA;
    case PNG_COLOR_TYPE_PALETTE: return VB_MODE_P;
    case PNG_COLOR_TYPE_RGB: return VB_MODE_RGB;
    default: return VB_MODE_RGBA;
    }
}

/* Entries that the file does not define are a grey ramp in Pillow. */
static void copy_palette(uint8_t *palette, png_structp png, png_infop info) {
    png_colorp entries = NULL;
    int count = 0;
    for (int i = 0; i < 256; i++) memset(palette + 3 * i, i, 3);
    png_get_PLTE(png, info, &entries, &count);
    for (int i = 0; i < count; i++) {
        palette[3 * i] = entries[i].red;
        palette[3 * i + 1] = entries[i].green;
        palette[3 * i + 2] = entries[i].blue;
    }
}

/* 16-bit big-endian samples, which fill the first half of a row, become int32, last first. */
static void widen_row(uint8_t *row, size_t width) {
    for (size_t x = width; x-- > 0;) {
        int32_t level = row[2 * x] << 8 | row[2 * x + 1];
        memcpy(row + 4 * x, &level, sizeof level);
    }
}

/* One row after the other, to the sink. */
static int png_stream(png_job *job, png_structp png) {
    const vb_image *image = job->image;
    for (int y = 0; y < image->height; y++) {
        png_read_row(png, job->row, NULL);
        if (image->mode == VB_MODE_I) widen_row(job->row, (size_t)image->width);
        if (vb_codec_row(image, job->row, job->err)) return -1;
    }
    return 0;
}

/* All rows to the image's pixels. */
static void png_keep(const vb_image *image, png_structp png, int passes) {
    const size_t width = (size_t)image->width, stride = width * (size_t)vb_colour_mode_bytes(image->mode);
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < (size_t)image->height; y++) png_read_row(png, image->pixels + y * stride, NULL);
    for (size_t y = 0; y < (size_t)image->height && image->mode == VB_MODE_I; y++) widen_row(image->pixels + y * stride, width);
}

/* Everything that may jump to job->failed. */
static int png_decode_job(png_job *job, png_structp png, png_infop info) {
    png_uint_32 width, height;
    int depth, type;
    png_set_read_fn(png, job, feed);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* vb_codec_reserve bounds the product instead */
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* gamma, profiles, texts: Pillow's pixels ignore them */
    png_set_check_for_invalid_index(png, 0);
    png_read_info(png, info);
    png_get_IHDR(png, info, &width, &height, &depth, &type, NULL, NULL, NULL);
    vb_mode mode = choose_mode(png, type, depth);
    const int passes = png_set_interlace_handling(png);
    const bool stream = job->image->sink && passes == 1;
    const uint64_t row = (uint64_t)width * 8; /* of the file, at most: libpng has two of them */
    const vb_codec_size size = {width, height, 4 * row + job->size};
    if (mode == VB_MODE_P) copy_palette(job->image->palette, png, info);
    if (stream ? vb_codec_stream(job->image, mode, &size, job->name, job->err) :
                 vb_codec_reserve(job->image, mode, &size, job->name, job->err))
        return -1;
    png_read_update_info(png, info);
    if (stream && !(job->row = vb_buffer(width, (size_t)vb_colour_mode_bytes(mode), "PNG row", job->err)))
        return vb_error_prefix(job->err, "%s", job->name);
    if (!stream) png_keep(job->image, png, passes);
    else if (png_stream(job, png)) return -1;
    png_read_end(png, NULL);
    return 0;
}

static int png_decode_strictly(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    png_job job = {.bytes = bytes, .size = size, .image = image, .name = name, .err = err};
    /* volatile: they are read after a jump */
    png_structp volatile png = NULL;
    png_infop volatile info = NULL;
    volatile int status = -1;
    if (!setjmp(job.failed)) {
        png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &job, png_fail, warn_nobody, &job, png_allocate, png_release);
        if (png) info = png_create_info_struct(png);
        if (!info) vb_errorf(err, VB_EMEMORY, "%s: PNG: no memory for the decoder", name);
        else status = png_decode_job(&job, png, info);
    }
    png_structp used = png;
    png_infop used_info = info;
    if (used) png_destroy_read_struct(&used, &used_info, NULL);
    vb_free(job.row);
    if (!status) return 0;
    vb_free(image->pixels);
    image->pixels = NULL;
    return -1;
}

/* ---- damage that Pillow passes over ---- */

static uint32_t be32(const uint8_t *at) { return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]; }

static void put_be32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static bool is_data(const uint8_t *chunk) { return !memcmp(chunk + 4, "IDAT", 4); }

/* A copy of the file with all of its image data, the last of it cut where the file is, under right checksums, and an end. NULL
 * when there is nothing to mend by that: no image data, or damage before them. */
static uint8_t *png_mend(const uint8_t *bytes, size_t size, size_t *mended_size, vb_error *err) {
    enum { START = 8, FRAME = 12 };
    size_t at = START, used = 0, data = 0;
    uint8_t *out = vb_array(size + 2 * FRAME, 1, "PNG", err);
    while (out && size - at >= FRAME - 4 && at < size) {
        const uint8_t *chunk = bytes + at;
        const size_t left = size - at - (FRAME - 4), length = be32(chunk) < left ? be32(chunk) : left;
        if (!is_data(chunk) && data) break;
        const uint32_t sum = (uint32_t)crc32_z(crc32_z(0, NULL, 0), chunk + 4, length + 4);
        const bool whole = left >= 4 && be32(chunk) <= left - 4;
        if (!is_data(chunk) && (!whole || be32(chunk + FRAME - 4 + length) != sum)) break;
        uint8_t *copy = out + START + used;
        memcpy(copy, chunk, FRAME - 4 + length);
        put_be32(copy, (uint32_t)length);
        put_be32(copy + FRAME - 4 + length, sum);
        used += FRAME + length;
        data += is_data(chunk) ? 1 : 0;
        at += whole ? FRAME + length : size - at;
    }
    if (!data) {
        vb_free(out);
        return NULL;
    }
    static const uint8_t end[FRAME] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
    memcpy(out, bytes, START);
    memcpy(out + START + used, end, FRAME);
    *mended_size = START + used + FRAME;
    return out;
}

static int png_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    vb_error why = {0}, again = {0};
    size_t mended_size;
    if (!png_decode_strictly(image, bytes, size, name, &why)) return 0;
    uint8_t *mended = why.code == VB_EDATA && size > 8 ? png_mend(bytes, size, &mended_size, &again) : NULL;
    *image = (vb_image){.sink = image->sink};
    const int status = mended ? png_decode_strictly(image, mended, mended_size, name, &again) : -1;
    vb_free(mended);
    const char *words = strstr(why.text, "PNG: ");
    if (!status) snprintf(image->remark, sizeof image->remark, "%s", words ? words : "PNG: damaged");
    else if (err) *err = again.code && again.code != VB_EDATA ? again : why; /* lack of memory is not the image's fault */
    return status;
}

const vb_codec vb_codec_png = {
    .name = "PNG",
    .suffixes = {"png"},
    .signatures = {{"\x89PNG", "...."}}, /* four bytes: libpng reports the damage of a transfer that the other four detect */
    .decode = png_decode,
};
