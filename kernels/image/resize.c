/* Antialiased resampling, bicubic or bilinear, with Pillow's arithmetic: 8-bit channels in 22-bit fixed point, 32-bit integers
 * and floats in doubles. */
#include "kernels/image/resize.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"
#include "kernels/image/resize_kernel.h"

static double keys_cubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static double triangle(double x) {
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* The filters by vb_filter, and how far they reach. */
static const struct {
    double (*value)(double x);
    double support;
} filters[] = {[VB_FILTER_BICUBIC] = {keys_cubic, 2.0}, [VB_FILTER_BILINEAR] = {triangle, 1.0}};

static void axis_free(vb_resize_axis *a) {
    vb_free(a->first);
    vb_free(a->count);
    vb_free(a->weight);
    vb_free(a->fixed);
}

/* Outputs [begin, begin + outputs) of an axis that goes from in_size to out_size. The order of the operations is part of the
 * result. */
static int axis_make(vb_resize_axis *a, vb_filter filter, int in_size, int out_size, int begin, int outputs, bool integers,
                     vb_error *err) {
    double scale = (double)in_size / out_size, stretch = scale < 1.0 ? 1.0 : scale, support = filters[filter].support * stretch,
           squeeze = 1.0 / stretch;
    a->identity = in_size == out_size;
    a->inputs = in_size;
    a->outputs = outputs;
    if (!(a->first = vb_array((size_t)outputs, sizeof *a->first, "resize bounds", err))) return -1;
    if (!(a->count = vb_array((size_t)outputs, sizeof *a->count, "resize bounds", err))) return -1;
    for (int i = 0; i < outputs; i++) {
        double center = (begin + i + 0.5) * scale, low = center - support + 0.5, high = center + support + 0.5;
        int end = high > in_size ? in_size : (int)high;
        a->first[i] = low < 0 ? 0 : (int)low;
        a->count[i] = end - a->first[i];
        if (a->span < a->count[i]) a->span = a->count[i];
    }
    a->span += a->span & 1;
    size_t weights = (size_t)outputs * (size_t)a->span;
    if (!(a->weight = vb_array(weights, sizeof *a->weight, "resize weights", err))) return -1;
    if (integers && !(a->fixed = vb_array(weights, sizeof *a->fixed, "resize weights", err))) return -1;
    for (int i = 0; i < outputs; i++) {
        double center = (begin + i + 0.5) * scale, total = 0.0;
        double *weight = a->weight + (size_t)i * (size_t)a->span;
        int32_t *fixed = integers ? a->fixed + (size_t)i * (size_t)a->span : NULL;
        for (int j = 0; j < a->count[i]; j++)
            total += weight[j] = filters[filter].value((a->first[i] + j - center + 0.5) * squeeze);
        for (int j = 0; total != 0.0 && j < a->count[i]; j++) weight[j] /= total;
        for (int j = 0; fixed && j < a->count[i]; j++)
            fixed[j] = (int32_t)(weight[j] * (1 << VB_RESIZE_FRACTION) + (weight[j] < 0 ? -0.5 : 0.5));
    }
    return 0;
}

/* Halves away from zero, as Pillow rounds its 32-bit pixels; beyond int32, which the kernel's overshoot can reach, the nearest
 * int32. */
static inline int32_t round_level(double sum) {
    double level = sum >= 0.0 ? floor(sum + 0.5) : -floor(fabs(sum) + 0.5);
    return level >= INT32_MAX ? INT32_MAX : level <= INT32_MIN ? INT32_MIN : (int32_t)level;
}

static void row_levels(int32_t *out, const int32_t *in, const vb_resize_axis *a) {
    for (int i = 0; i < a->outputs; i++) {
        const double *weight = a->weight + (size_t)i * (size_t)a->span;
        double sum = 0.0;
        for (int j = 0; j < a->count[i]; j++) sum += in[a->first[i] + j] * weight[j];
        out[i] = round_level(sum);
    }
}

static void row_reals(float *out, const float *in, const vb_resize_axis *a) {
    for (int i = 0; i < a->outputs; i++) {
        const double *weight = a->weight + (size_t)i * (size_t)a->span;
        double sum = 0.0;
        for (int j = 0; j < a->count[i]; j++) sum += (double)in[a->first[i] + j] * weight[j];
        out[i] = (float)sum;
    }
}

static void resample_row(vb_mode mode, const vb_resize_kernel *kernel, uint8_t *out, const uint8_t *in, const vb_resize_axis *a) {
    if (mode == VB_MODE_I) row_levels((int32_t *)(void *)out, (const int32_t *)(const void *)in, a);
    else if (mode == VB_MODE_F) row_reals((float *)(void *)out, (const float *)(const void *)in, a);
    else kernel->horizontal(out, in, a, vb_colour_mode_bytes(mode));
}

static void column_levels(int32_t *out, const uint8_t *in, size_t stride, size_t levels, const double *weight, int count) {
    for (size_t i = 0; i < levels; i++) {
        double sum = 0.0;
        for (int j = 0; j < count; j++) sum += ((const int32_t *)(const void *)(in + (size_t)j * stride))[i] * weight[j];
        out[i] = round_level(sum);
    }
}

static void column_reals(float *out, const uint8_t *in, size_t stride, size_t count, const double *weight, int rows) {
    for (size_t i = 0; i < count; i++) {
        double sum = 0.0;
        for (int j = 0; j < rows; j++) sum += (double)((const float *)(const void *)(in + (size_t)j * stride))[i] * weight[j];
        out[i] = (float)sum;
    }
}

/* Both passes over an image whose alpha, if any, is already premultiplied; out->pixels is there. */
static int resample(const vb_image *image, const vb_resize_to *to, vb_image *out, vb_error *err) {
    vb_resize_axis across = {0}, down = {0};
    uint8_t *narrow = NULL;
    int status = -1;
    const bool integers = image->mode != VB_MODE_I && image->mode != VB_MODE_F;
    const vb_resize_kernel *kernel = vb_resize_kernel_get();
    size_t pixel = (size_t)vb_colour_mode_bytes(image->mode), in_stride = (size_t)image->width * pixel;
    size_t stride = (size_t)to->crop_width * pixel;
    if (axis_make(&across, to->filter, image->width, to->width, to->left, to->crop_width, integers, err)) goto done;
    if (axis_make(&down, to->filter, image->height, to->height, to->top, to->crop_height, integers, err)) goto done;

    /* The first pass makes only the rows that the second will read. */
    int last = down.outputs - 1;
    int begin = down.identity ? to->top : down.first[0];
    int end = down.identity ? to->top + to->crop_height : down.first[last] + down.count[last];
    const uint8_t *rows = image->pixels + (size_t)begin * in_stride + (size_t)to->left * pixel;
    size_t rows_stride = in_stride;
    if (!across.identity) {
        if (!(narrow = vb_array((size_t)(end - begin), stride, "resize rows", err))) goto done;
        for (size_t y = 0; y < (size_t)(end - begin); y++)
            resample_row(image->mode, kernel, narrow + y * stride, image->pixels + ((size_t)begin + y) * in_stride, &across);
        rows = narrow;
        rows_stride = stride;
    }
    for (int y = 0; y < to->crop_height; y++) {
        uint8_t *target = out->pixels + (size_t)y * stride;
        if (down.identity) {
            memcpy(target, rows + (size_t)y * rows_stride, stride);
            continue;
        }
        const uint8_t *top = rows + (size_t)(down.first[y] - begin) * rows_stride;
        size_t weights = (size_t)y * (size_t)down.span;
        if (integers) kernel->vertical(target, top, rows_stride, stride, down.fixed + weights, down.count[y]);
        else if (image->mode == VB_MODE_F)
            column_reals((float *)(void *)target, top, rows_stride, (size_t)to->crop_width, down.weight + weights, down.count[y]);
        else
            column_levels((int32_t *)(void *)target, top, rows_stride, (size_t)to->crop_width, down.weight + weights,
                          down.count[y]);
    }
    status = 0;
done:
    axis_free(&across);
    axis_free(&down);
    vb_free(narrow);
    return status;
}

/* Source index of each output, or -1. Pillow adds the step up instead of multiplying, and so must we:
 * the rounding is part of the result. */
static int *nearest_indices(int in_size, int out_size, int begin, int outputs, vb_error *err) {
    int *source = vb_array((size_t)outputs, sizeof *source, "resize indices", err);
    if (!source) return NULL;
    double step = (double)in_size / out_size, at = step * 0.5;
    for (int i = 0; i < begin + outputs; i++, at += step)
        if (i >= begin) source[i - begin] = at < in_size ? (int)at : -1;
    return source;
}

static int take_nearest(const vb_image *image, const vb_resize_to *to, vb_image *out, vb_error *err) {
    int status = -1;
    int *columns = nearest_indices(image->width, to->width, to->left, to->crop_width, err);
    int *rows = nearest_indices(image->height, to->height, to->top, to->crop_height, err);
    if (!columns || !rows) goto done;
    for (int y = 0; y < to->crop_height; y++)
        for (int x = 0; x < to->crop_width; x++)
            out->pixels[(size_t)y * (size_t)to->crop_width + (size_t)x] =
                rows[y] < 0 || columns[x] < 0 ? 0 : image->pixels[(size_t)rows[y] * (size_t)image->width + (size_t)columns[x]];
    status = 0;
done:
    vb_free(columns);
    vb_free(rows);
    return status;
}

static void copy_crop(const vb_image *image, const vb_resize_to *to, vb_image *out) {
    size_t pixel = (size_t)vb_colour_mode_bytes(image->mode), stride = (size_t)to->crop_width * pixel;
    for (int y = 0; y < to->crop_height; y++)
        memcpy(out->pixels + (size_t)y * stride,
               image->pixels + ((size_t)(to->top + y) * (size_t)image->width + (size_t)to->left) * pixel, stride);
}

static int resample_premultiplied(const vb_image *image, const vb_resize_to *to, vb_image *out, vb_error *err) {
    int channels = vb_colour_mode_bytes(image->mode);
    size_t pixels = (size_t)image->width * (size_t)image->height;
    vb_image flat = {.mode = image->mode, .width = image->width, .height = image->height};
    if (!(flat.pixels = vb_array(pixels, (size_t)channels, "premultiplied image", err))) return -1;
    vb_colour_premultiply(flat.pixels, image->pixels, pixels, channels);
    int status = resample(&flat, to, out, err);
    if (!status) vb_colour_unpremultiply(out->pixels, out->pixels, (size_t)to->crop_width * (size_t)to->crop_height, channels);
    vb_free(flat.pixels);
    return status;
}

int vb_resize(const vb_image *image, const vb_resize_to *to, vb_image *out, vb_error *err) {
    int bytes = vb_colour_mode_bytes(image->mode);
    out->pixels = NULL;
    if (!bytes || !image->pixels || image->width < 1 || image->height < 1 || to->left < 0 || to->top < 0 || to->crop_width < 1 ||
        to->crop_height < 1 || to->crop_width > to->width - to->left || to->crop_height > to->height - to->top)
        return vb_errorf(err, VB_EINTERNAL, "resize of a %dx%d image of mode %s to %dx%d, crop %dx%d at %d,%d: contradiction",
                         image->width, image->height, vb_colour_mode_name(image->mode), to->width, to->height, to->crop_width,
                         to->crop_height, to->left, to->top);
    if (image->mode == VB_MODE_I16 && (image->width != to->width || image->height != to->height))
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "an image of mode I;16, which Pillow does not resize in its own mode: state preprocessing: rgb_first");
    *out = (vb_image){.mode = image->mode, .width = to->crop_width, .height = to->crop_height};
    memcpy(out->palette, image->palette, sizeof out->palette);
    size_t pixels = (size_t)to->crop_width * (size_t)to->crop_height;
    if (!(out->pixels = vb_array(pixels, (size_t)bytes, "resized image", err))) return -1;
    int status = 0;
    const bool same = image->width == to->width && image->height == to->height;
    for (int i = 0; i < 256 && image->mode == VB_MODE_PA && !same; i++) memset(out->palette + 3 * i, i, 3); /* Pillow loses it */
    if (same) copy_crop(image, to, out);
    else if (image->mode == VB_MODE_1 || image->mode == VB_MODE_P) status = take_nearest(image, to, out, err);
    else if (image->mode == VB_MODE_LA || image->mode == VB_MODE_RGBA) status = resample_premultiplied(image, to, out, err);
    else status = resample(image, to, out, err);
    if (!status) return 0;
    vb_free(out->pixels);
    out->pixels = NULL;
    return -1;
}
