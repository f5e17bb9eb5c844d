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
    vb_free(a->high);
    vb_free(a->low);
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
    a->span = (a->span + VB_RESIZE_STEP - 1) / VB_RESIZE_STEP * VB_RESIZE_STEP;
    size_t weights = (size_t)outputs * (size_t)a->span;
    if (!(a->weight = vb_array(weights, sizeof *a->weight, "resize weights", err))) return -1;
    if (integers && (!(a->fixed = vb_array(weights, sizeof *a->fixed, "resize weights", err)) ||
                     !(a->high = vb_array(weights, sizeof *a->high, "resize weights", err)) ||
                     !(a->low = vb_array(weights, sizeof *a->low, "resize weights", err))))
        return -1;
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
    for (size_t i = 0; i < weights && integers; i++) {
        a->high[i] = (int16_t)(a->fixed[i] >> VB_RESIZE_LOW);
        a->low[i] = (int16_t)(a->fixed[i] & ((1 << VB_RESIZE_LOW) - 1));
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

/* An output reads `span` rows at most: twice as many, or all there are. */
static int window_rows(int span, int rows) { return rows < 2 * span ? rows : 2 * span; }

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

/* ---- row by row ---- */

/* What is done with a row. */
typedef enum way { COPIED, NEAREST, RESAMPLED } way;

/* Rows that the first pass has made and the second still reads lie in a window that slides down the image: when it is full, those
 * that no later output reads are dropped. It is twice as high as an output reads, so that a row is moved once at most. */
struct vb_resize_rows {
    vb_resize_to to;
    vb_image out; /* head and palette of the image; the crop's size and pixels */
    way way;
    bool integers, premultiplied;
    const vb_resize_kernel *kernel;
    vb_resize_axis across, down;
    int *columns, *sources; /* NEAREST */
    uint8_t *flat;          /* a row, premultiplied */
    uint8_t *window;
    int capacity, first, held; /* rows of the window; the image's row that is its first; how many it holds */
    int begin, end;            /* rows of the image that matter */
    int row, made;             /* rows that came; rows of the crop that are made */
    size_t pixel, stride;      /* bytes of a pixel, and of a row of the crop */
};

static int prepare_nearest(vb_resize_rows *r, const vb_image *head, vb_error *err) {
    const vb_resize_to *to = &r->to;
    r->columns = nearest_indices(head->width, to->width, to->left, to->crop_width, err);
    r->sources = r->columns ? nearest_indices(head->height, to->height, to->top, to->crop_height, err) : NULL;
    return r->sources ? 0 : -1;
}

static int prepare_resampled(vb_resize_rows *r, const vb_image *head, vb_error *err) {
    const vb_resize_to *to = &r->to;
    r->integers = head->mode != VB_MODE_I && head->mode != VB_MODE_F;
    r->premultiplied = head->mode == VB_MODE_LA || head->mode == VB_MODE_RGBA;
    if (axis_make(&r->across, to->filter, head->width, to->width, to->left, to->crop_width, r->integers, err)) return -1;
    if (axis_make(&r->down, to->filter, head->height, to->height, to->top, to->crop_height, r->integers, err)) return -1;
    const int last = r->down.outputs - 1;
    r->begin = r->down.identity ? to->top : r->down.first[0];
    r->end = r->down.identity ? to->top + to->crop_height : r->down.first[last] + r->down.count[last];
    r->first = r->begin;
    r->capacity = window_rows(r->down.span, r->end - r->begin);
    if (r->premultiplied && !(r->flat = vb_buffer((size_t)head->width, r->pixel, "premultiplied row", err))) return -1;
    if (r->down.identity) return 0;
    return (r->window = vb_buffer((size_t)r->capacity, r->stride, "resize rows", err)) ? 0 : -1;
}

static int check_resize(const vb_image *head, const vb_resize_to *to, vb_error *err) {
    if (!vb_colour_mode_bytes(head->mode) || head->width < 1 || head->height < 1 || to->left < 0 || to->top < 0 ||
        to->crop_width < 1 || to->crop_height < 1 || to->crop_width > to->width - to->left ||
        to->crop_height > to->height - to->top)
        return vb_errorf(err, VB_EINTERNAL, "resize of a %dx%d image of mode %s to %dx%d, crop %dx%d at %d,%d: contradiction",
                         head->width, head->height, vb_colour_mode_name(head->mode), to->width, to->height, to->crop_width,
                         to->crop_height, to->left, to->top);
    if (head->mode == VB_MODE_I16 && (head->width != to->width || head->height != to->height))
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "an image of mode I;16, which Pillow does not resize in its own mode: state preprocessing: rgb_first");
    return 0;
}

static way way_of(const vb_image *head, const vb_resize_to *to) {
    if (head->width == to->width && head->height == to->height) return COPIED;
    return head->mode == VB_MODE_1 || head->mode == VB_MODE_P ? NEAREST : RESAMPLED;
}

int vb_resize_rows_new(vb_resize_rows **rows, const vb_image *head, const vb_resize_to *to, vb_error *err) {
    *rows = NULL;
    if (check_resize(head, to, err)) return -1;
    vb_resize_rows *r = vb_array(1, sizeof *r, "resize", err);
    if (!r) return -1;
    r->to = *to;
    r->way = way_of(head, to);
    r->kernel = vb_resize_kernel_get();
    r->pixel = (size_t)vb_colour_mode_bytes(head->mode);
    r->stride = (size_t)to->crop_width * r->pixel;
    r->out = (vb_image){.mode = head->mode, .width = to->crop_width, .height = to->crop_height};
    memcpy(r->out.palette, head->palette, sizeof r->out.palette);
    for (int i = 0; i < 256 && head->mode == VB_MODE_PA && r->way != COPIED; i++)
        memset(r->out.palette + 3 * i, i, 3); /* Pillow loses it */
    r->end = head->height;
    int status = (r->out.pixels = vb_array((size_t)to->crop_height, r->stride, "resized image", err)) ? 0 : -1;
    if (!status && r->way == NEAREST) status = prepare_nearest(r, head, err);
    if (!status && r->way == RESAMPLED) status = prepare_resampled(r, head, err);
    if (!status) *rows = r;
    else vb_resize_rows_free(r);
    return status;
}

void vb_resize_rows_free(vb_resize_rows *rows) {
    if (!rows) return;
    axis_free(&rows->across);
    axis_free(&rows->down);
    vb_free(rows->columns);
    vb_free(rows->sources);
    vb_free(rows->flat);
    vb_free(rows->window);
    vb_free(rows->out.pixels);
    vb_free(rows);
}

static void put_copied(vb_resize_rows *r, const uint8_t *row) {
    const int y = r->row - r->to.top;
    if (y < 0 || y >= r->to.crop_height) return;
    memcpy(r->out.pixels + (size_t)y * r->stride, row + (size_t)r->to.left * r->pixel, r->stride);
}

static void put_nearest(vb_resize_rows *r, const uint8_t *row) {
    for (; r->made < r->to.crop_height && r->sources[r->made] == r->row; r->made++) {
        uint8_t *target = r->out.pixels + (size_t)r->made * r->stride;
        for (int x = 0; x < r->to.crop_width; x++) target[x] = r->columns[x] < 0 ? 0 : row[r->columns[x]];
    }
}

/* A row of the crop, from the window. */
static void make_row(vb_resize_rows *r) {
    const size_t y = (size_t)r->made, weights = y * (size_t)r->down.span, columns = (size_t)r->to.crop_width;
    const uint8_t *top = r->window + (size_t)(r->down.first[y] - r->first) * r->stride;
    const int count = r->down.count[y];
    uint8_t *target = r->out.pixels + y * r->stride;
    if (r->integers) r->kernel->vertical(target, top, r->stride, r->stride, r->down.fixed + weights, count);
    else if (r->out.mode == VB_MODE_F)
        column_reals((float *)(void *)target, top, r->stride, columns, r->down.weight + weights, count);
    else column_levels((int32_t *)(void *)target, top, r->stride, columns, r->down.weight + weights, count);
    r->made++;
}

static void slide(vb_resize_rows *r) {
    const int gone = r->down.first[r->made] - r->first;
    r->held -= gone;
    r->first += gone;
    memmove(r->window, r->window + (size_t)gone * r->stride, (size_t)r->held * r->stride);
}

static void put_resampled(vb_resize_rows *r, const uint8_t *row) {
    if (r->row < r->begin || r->row >= r->end) return;
    if (r->premultiplied) vb_colour_premultiply(r->flat, row, (size_t)r->across.inputs, (int)r->pixel);
    const uint8_t *in = r->premultiplied ? r->flat : row;
    if (!r->down.identity && r->held == r->capacity) slide(r);
    uint8_t *target =
        r->down.identity ? r->out.pixels + (size_t)(r->row - r->begin) * r->stride : r->window + (size_t)r->held++ * r->stride;
    if (r->across.identity) memcpy(target, in + (size_t)r->to.left * r->pixel, r->stride);
    else resample_row(r->out.mode, r->kernel, target, in, &r->across);
    while (!r->down.identity && r->made < r->to.crop_height && r->down.first[r->made] + r->down.count[r->made] <= r->row + 1)
        make_row(r);
}

void vb_resize_rows_put(vb_resize_rows *rows, const uint8_t *row) {
    static void (*const ways[])(vb_resize_rows *,
                                const uint8_t *) = {[COPIED] = put_copied, [NEAREST] = put_nearest, [RESAMPLED] = put_resampled};
    ways[rows->way](rows, row);
    rows->row++;
}

void vb_resize_rows_take(vb_resize_rows *rows, vb_image *out) {
    *out = rows->out;
    rows->out.pixels = NULL;
    if (rows->premultiplied)
        vb_colour_unpremultiply(out->pixels, out->pixels, (size_t)out->width * (size_t)out->height, (int)rows->pixel);
}

/* Of the tables of an axis. */
static double axis_bytes(vb_filter filter, int in_size, int out_size, int outputs, double *span) {
    const double scale = (double)in_size / out_size, support = filters[filter].support * (scale < 1.0 ? 1.0 : scale);
    *span = 2 * support + 2 + VB_RESIZE_STEP;
    if (*span > in_size + (double)VB_RESIZE_STEP) *span = in_size + (double)VB_RESIZE_STEP;
    return outputs * (8 + 16 * *span);
}

uint64_t vb_resize_bytes(const vb_image *head, const vb_resize_to *to) {
    const double pixel = vb_colour_mode_bytes(head->mode), out = pixel * to->crop_width * to->crop_height;
    double across, down;
    if (way_of(head, to) != RESAMPLED) return (uint64_t)(out + 4.0 * to->crop_width + 4.0 * to->crop_height);
    const double tables = axis_bytes(to->filter, head->width, to->width, to->crop_width, &across) +
                          axis_bytes(to->filter, head->height, to->height, to->crop_height, &down);
    const double window = 2 * down < head->height ? 2 * down : head->height;
    return (uint64_t)(out + tables + window * pixel * to->crop_width + pixel * head->width);
}

int vb_resize(const vb_image *image, const vb_resize_to *to, vb_image *out, vb_error *err) {
    vb_resize_rows *rows = NULL;
    out->pixels = NULL;
    if (!image->pixels) return vb_errorf(err, VB_EINTERNAL, "resize of an image without pixels: contradiction");
    if (vb_resize_rows_new(&rows, image, to, err)) return -1;
    const size_t stride = (size_t)image->width * rows->pixel;
    for (int y = 0; y < image->height; y++) vb_resize_rows_put(rows, image->pixels + (size_t)y * stride);
    vb_resize_rows_take(rows, out);
    vb_resize_rows_free(rows);
    return 0;
}
