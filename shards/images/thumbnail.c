/* Small JPEG copies: Pillow's resampling, white behind what is transparent, libjpeg's encoder. */
#include "shards/images/thumbnail.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "kernels/image/colour.h"
#include "kernels/base/memory.h"
#include "kernels/image/resize.h"

enum { QUALITY = 82, PIECE = 16384 };

typedef struct jpeg_file {
    struct jpeg_error_mgr errors; /* first members: libjpeg hands out pointers to them */
    struct jpeg_destination_mgr to;
    struct jpeg_compress_struct codec;
    jmp_buf failed;
    uint8_t *bytes;
    size_t capacity;
    vb_error *err;
} jpeg_file;

static void fail(j_common_ptr codec) {
    jpeg_file *file = (jpeg_file *)(void *)codec->err;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    vb_errorf(file->err, VB_EINTERNAL, "a thumbnail: JPEG: %s", text);
    longjmp(file->failed, 1);
}

static void thumbnail_print_nothing(j_common_ptr codec) { (void)codec; }

static jpeg_file *jpeg_file_of(j_compress_ptr codec) { return (jpeg_file *)(void *)codec->err; }

/* Room for another piece; what was written stays. libjpeg has filled all that it had. */
static boolean more_room(j_compress_ptr codec) {
    jpeg_file *file = jpeg_file_of(codec);
    size_t filled = file->capacity;
    if (vb_grow((void **)&file->bytes, &file->capacity, filled + PIECE, 1, "a thumbnail", file->err)) longjmp(file->failed, 1);
    file->to.next_output_byte = file->bytes + filled;
    file->to.free_in_buffer = file->capacity - filled;
    return TRUE;
}

static void begin(j_compress_ptr codec) { more_room(codec); }
static void end(j_compress_ptr codec) { (void)codec; }

static void compress_rows(jpeg_file *file, uint8_t *rgb, int width, int height) {
    jpeg_create_compress(&file->codec);
    file->to =
        (struct jpeg_destination_mgr){.init_destination = begin, .empty_output_buffer = more_room, .term_destination = end};
    file->codec.dest = &file->to;
    file->codec.image_width = (JDIMENSION)width;
    file->codec.image_height = (JDIMENSION)height;
    file->codec.input_components = 3;
    file->codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&file->codec);
    jpeg_set_quality(&file->codec, QUALITY, TRUE);
    file->codec.optimize_coding = TRUE;
    jpeg_start_compress(&file->codec, TRUE);
    for (int y = 0; y < height; y++) {
        JSAMPROW row = rgb + (size_t)y * (size_t)width * 3;
        jpeg_write_scanlines(&file->codec, &row, 1);
    }
    jpeg_finish_compress(&file->codec);
}

static int encode_jpeg(uint8_t *rgb, int width, int height, uint8_t **jpeg, size_t *size, vb_error *err) {
    jpeg_file file = {.err = err};
    file.codec.err = jpeg_std_error(&file.errors);
    file.errors.error_exit = fail;
    file.errors.output_message = thumbnail_print_nothing;
    if (setjmp(file.failed)) {
        jpeg_destroy_compress(&file.codec);
        vb_free(file.bytes);
        return -1;
    }
    compress_rows(&file, rgb, width, height);
    *jpeg = file.bytes;
    *size = file.capacity - file.to.free_in_buffer;
    jpeg_destroy_compress(&file.codec);
    return 0;
}

/* RGBA and LA: what shines through is white. */
static void on_white(const vb_image *image, uint8_t *rgb) {
    int channels = image->mode == VB_MODE_RGBA ? 4 : 2;
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height; i++) {
        const uint8_t *at = image->pixels + i * (size_t)channels;
        int alpha = at[channels - 1];
        for (int c = 0; c < 3; c++) {
            int level = at[channels == 4 ? c : 0];
            rgb[3 * i + (size_t)c] = (uint8_t)((level * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }
}

static int as_rgb(const vb_image *image, vb_image *rgb, vb_error *err) {
    *rgb = (vb_image){.mode = VB_MODE_RGB, .width = image->width, .height = image->height};
    rgb->pixels = vb_array((size_t)image->width * (size_t)image->height, 3, "a thumbnail", err);
    if (!rgb->pixels) return -1;
    if (image->mode == VB_MODE_RGBA || image->mode == VB_MODE_LA) on_white(image, rgb->pixels);
    else vb_colour_to_rgb(image, rgb->pixels);
    return 0;
}

int vb_thumbnail(const vb_image *image, int side, uint8_t **jpeg, size_t *size, int *width, int *height, vb_error *err) {
    vb_image rgb, small = {0};
    *jpeg = NULL;
    if (as_rgb(image, &rgb, err)) return -1;
    int longer = image->width > image->height ? image->width : image->height, status = 0;
    *width = image->width;
    *height = image->height;
    if (longer > side) {
        *width = (int)(((int64_t)image->width * side + longer / 2) / longer);
        *height = (int)(((int64_t)image->height * side + longer / 2) / longer);
        if (*width < 1) *width = 1;
        if (*height < 1) *height = 1;
        vb_resize_to to = {*width, *height, 0, 0, *width, *height, VB_FILTER_BICUBIC};
        status = vb_resize(&rgb, &to, &small, err);
    }
    if (!status) status = encode_jpeg(small.pixels ? small.pixels : rgb.pixels, *width, *height, jpeg, size, err);
    vb_free(small.pixels);
    vb_free(rgb.pixels);
    return status;
}
