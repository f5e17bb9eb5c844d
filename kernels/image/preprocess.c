/* Preprocessing: short side to R and centre crop, or squash, or long side to R in a frame; RGB; and (x / 255 - mean) / std in the
 * order of torch's fp32 operations. Sources: torchvision transforms, open_clip transform.py (ResizeKeepRatio, CenterCropOrPad),
 * transformers image_transforms.py. */
#include "kernels/image/preprocess.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"
#include "kernels/image/resize.h"

enum { MAX_RESOLUTION = 8192, MAX_PATCHES = 4096, MAX_PATCH = 256 }; /* beyond every model; bounds on memory */

const char *const vb_preprocess_resizes[] = {"shortest", "squash", "longest", NULL};
const char *const vb_preprocess_filters[] = {"bicubic", "bilinear", NULL};
const char *const vb_preprocess_crops[] = {"round", "floor", NULL};

vb_preprocess vb_preprocess_clip(int resolution) {
    return (vb_preprocess){.resolution = resolution,
                           .mean = {0.48145466f, 0.4578275f, 0.40821073f},
                           .std = {0.26862954f, 0.26130258f, 0.27577711f}};
}

/* Half of a non-negative length, halves of one to even: Python's round(), which torchvision's centre crop uses. */
static int half_to_even(int length) { return length / 2 + (length % 4 == 3); }

/* torchvision's Resize(R): the short side becomes R, the long side int(R * long / short). */
static int plan_shortest(const vb_preprocess *spec, const vb_image *image, vb_resize_to *to, vb_error *err) {
    const int r = spec->resize_to ? spec->resize_to : spec->resolution;
    bool tall = image->height > image->width;
    int64_t shorter = tall ? image->width : image->height, longer = tall ? image->height : image->width;
    int64_t length = r * longer / shorter;
    if (length > INT_MAX)
        return vb_errorf(err, VB_EUNSUPPORTED, "an image of %dx%d pixels would be %lld pixels long at resolution %d (limit %d)",
                         image->width, image->height, (long long)length, r, INT_MAX);
    *to = (vb_resize_to){.width = tall ? r : (int)length, .height = tall ? (int)length : r};
    return 0;
}

static void plan_crop(const vb_preprocess *spec, vb_resize_to *to) {
    const int r = spec->resolution;
    const bool floor = spec->crop == VB_CROP_FLOOR;
    to->crop_width = to->crop_height = r;
    to->left = floor ? (to->width - r) / 2 : half_to_even(to->width - r);
    to->top = floor ? (to->height - r) / 2 : half_to_even(to->height - r);
}

/* open_clip's ResizeKeepRatio(R, longest=1): sides divided by the larger of height / R and width / R, rounded half to even. */
static int plan_longest(const vb_preprocess *spec, const vb_image *image, vb_resize_to *to, vb_error *err) {
    const double r = spec->resolution, ratio = fmax(image->height / r, image->width / r);
    const int width = (int)nearbyint(image->width / ratio), height = (int)nearbyint(image->height / ratio);
    if (width < 1 || height < 1)
        return vb_errorf(err, VB_EUNSUPPORTED, "an image of %dx%d pixels would be %dx%d at resolution %d with resize longest",
                         image->width, image->height, width, height, spec->resolution);
    *to = (vb_resize_to){.width = width, .height = height, .crop_width = width, .crop_height = height};
    return 0;
}

/* ceil(size * scale) patches, in the order of transformers' operations, or one. */
static double patches_along(double scale, int size, int patch) {
    const double pixels = ceil(size * scale / patch) * patch;
    return fmax(patch, pixels) / patch;
}

/* Source: transformers 5.24 image_processing_siglip2.py, get_image_size_for_max_num_patches: bisection of the scale. */
int vb_preprocess_grid(const vb_preprocess *spec, int width, int height, vb_patch_grid *grid, vb_error *err) {
    const double precision = 1e-5;
    double low = precision / 10, high = 100;
    while (high - low >= precision) {
        const double scale = (low + high) / 2;
        const bool fits =
            patches_along(scale, height, spec->patch) * patches_along(scale, width, spec->patch) <= spec->max_patches;
        *(fits ? &low : &high) = scale;
    }
    const double rows = patches_along(low, height, spec->patch), columns = patches_along(low, width, spec->patch);
    if (rows * columns > spec->max_patches)
        return vb_errorf(err, VB_EUNSUPPORTED, "an image of %dx%d pixels has no size of at most %d patches of %d", width, height,
                         spec->max_patches, spec->patch);
    *grid = (vb_patch_grid){.rows = (int)rows, .columns = (int)columns};
    return 0;
}

size_t vb_preprocess_floats(const vb_preprocess *spec) {
    if (spec->max_patches) return 3 * (size_t)spec->max_patches * (size_t)spec->patch * (size_t)spec->patch;
    return 3 * (size_t)spec->resolution * (size_t)spec->resolution;
}

static int plan_patches(const vb_preprocess *spec, const vb_image *image, vb_resize_to *to, vb_error *err) {
    vb_patch_grid grid;
    if (vb_preprocess_grid(spec, image->width, image->height, &grid, err)) return -1;
    *to = (vb_resize_to){.width = grid.columns * spec->patch, .height = grid.rows * spec->patch, .filter = spec->filter};
    to->crop_width = to->width;
    to->crop_height = to->height;
    return 0;
}

static int plan_resize(const vb_preprocess *spec, const vb_image *image, vb_resize_to *to, vb_error *err) {
    const int r = spec->resize_to ? spec->resize_to : spec->resolution;
    int status = 0;
    if (spec->max_patches) return plan_patches(spec, image, to, err);
    if (spec->resize == VB_RESIZE_SHORTEST) status = plan_shortest(spec, image, to, err);
    else if (spec->resize == VB_RESIZE_LONGEST) status = plan_longest(spec, image, to, err);
    else *to = (vb_resize_to){.width = r, .height = r};
    if (!status && spec->resize != VB_RESIZE_LONGEST) plan_crop(spec, to);
    to->filter = spec->filter;
    return status;
}

/* The image in the middle of an R x R one of zero bytes, which takes its place. */
static int frame(const vb_preprocess *spec, vb_image *image, vb_error *err) {
    const int r = spec->resolution;
    if (spec->max_patches || (image->width == r && image->height == r)) return 0;
    const size_t pixel = (size_t)vb_colour_mode_bytes(image->mode), row = (size_t)image->width * pixel;
    const size_t left = (size_t)((r - image->width) / 2), top = (size_t)((r - image->height) / 2);
    uint8_t *square = vb_array((size_t)r * (size_t)r, pixel, "framed image", err);
    if (!square) return -1;
    for (size_t y = 0; y < (size_t)image->height; y++)
        memcpy(square + ((top + y) * (size_t)r + left) * pixel, image->pixels + y * row, row);
    vb_free(image->pixels);
    image->pixels = square;
    image->width = image->height = r;
    return 0;
}

/* A byte has 256 values a channel: each is normalised once, with the very operations torch applies to it. */
void vb_preprocess_values(const vb_preprocess *spec, float values[VB_PREPROCESS_VALUES]) {
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++) values[c * 256 + v] = ((float)v / 255.0f - spec->mean[c]) / spec->std[c];
}

static void normalise_pixels(const vb_preprocess *spec, const uint8_t *rgb, size_t pixels, float *out) {
    float values[VB_PREPROCESS_VALUES];
    vb_preprocess_values(spec, values);
    for (size_t c = 0; c < 3; c++) {
        const float *table = values + c * 256;
        for (size_t i = 0; i < pixels; i++) out[c * pixels + i] = table[rgb[3 * i + c]];
    }
}

static int check_spec(const vb_preprocess *spec, vb_error *err) {
    if (spec->max_patches) {
        if (spec->max_patches >= 1 && spec->max_patches <= MAX_PATCHES && spec->patch >= 1 && spec->patch <= MAX_PATCH) return 0;
        return vb_errorf(err, VB_EMISMATCH, "%d patches of %d: expected 1 to %d, of 1 to %d", spec->max_patches, spec->patch,
                         MAX_PATCHES, MAX_PATCH);
    }
    if (spec->resolution < 1 || spec->resolution > MAX_RESOLUTION)
        return vb_errorf(err, VB_EMISMATCH, "resolution %d: expected 1 to %d", spec->resolution, MAX_RESOLUTION);
    if (spec->resize_to && (spec->resize_to < spec->resolution || spec->resize_to > MAX_RESOLUTION ||
                            (spec->resize == VB_RESIZE_LONGEST && spec->resize_to != spec->resolution)))
        return vb_errorf(err, VB_EMISMATCH, "resize to %d before a crop to %d: expected %s", spec->resize_to, spec->resolution,
                         spec->resize == VB_RESIZE_LONGEST ? "the same, with resize longest" : "as much or more");
    return 0;
}

/* The image as the resize sees it. */
static vb_image seen_by_resize(const vb_preprocess *spec, const vb_image *head) {
    vb_image seen = {.mode = spec->rgb_first ? VB_MODE_RGB : head->mode, .width = head->width, .height = head->height};
    memcpy(seen.palette, head->palette, sizeof seen.palette);
    return seen;
}

int vb_preprocess_begin(vb_preprocess_rows *rows, const vb_preprocess *spec, const vb_image *head, vb_error *err) {
    *rows = (vb_preprocess_rows){.spec = spec};
    if (check_spec(spec, err)) return -1;
    if (head->width < 1 || head->height < 1)
        return vb_errorf(err, VB_EDATA, "an image of %dx%d pixels: expected at least one", head->width, head->height);
    const vb_image seen = seen_by_resize(spec, head);
    vb_resize_to to;
    if (plan_resize(spec, &seen, &to, err)) return -1;
    if (seen.mode != head->mode) {
        rows->row = (vb_image){.mode = head->mode, .width = head->width, .height = 1};
        memcpy(rows->row.palette, head->palette, sizeof rows->row.palette);
        if (!(rows->rgb = vb_buffer((size_t)head->width, 3, "RGB row", err))) return -1;
    }
    if (!vb_resize_rows_new(&rows->resize, &seen, &to, err)) return 0;
    vb_preprocess_free(rows);
    return -1;
}

void vb_preprocess_put(vb_preprocess_rows *rows, const uint8_t *row) {
    if (rows->rgb) {
        rows->row.pixels = (uint8_t *)(uintptr_t)row; /* only read */
        vb_colour_to_rgb(&rows->row, rows->rgb);
        row = rows->rgb;
    }
    vb_resize_rows_put(rows->resize, row);
}

int vb_preprocess_end(vb_preprocess_rows *rows, vb_image *out, vb_error *err) {
    vb_image cropped;
    uint8_t *rgb = NULL;
    vb_resize_rows_take(rows->resize, &cropped);
    int status = frame(rows->spec, &cropped, err);
    if (!status && cropped.mode != VB_MODE_RGB) {
        if ((rgb = vb_buffer((size_t)cropped.width * (size_t)cropped.height, 3, "RGB image", err)))
            vb_colour_to_rgb(&cropped, rgb);
        else status = -1;
        vb_free(cropped.pixels);
        cropped.pixels = rgb;
        cropped.mode = VB_MODE_RGB;
    }
    if (status) vb_free(cropped.pixels);
    else *out = cropped;
    return status;
}

void vb_preprocess_free(vb_preprocess_rows *rows) {
    vb_resize_rows_free(rows->resize);
    vb_free(rows->rgb);
    *rows = (vb_preprocess_rows){0};
}

void vb_preprocess_normalise(const vb_preprocess *spec, const vb_image *image, float *out) {
    normalise_pixels(spec, image->pixels, (size_t)image->width * (size_t)image->height, out);
}

uint64_t vb_preprocess_bytes(const vb_preprocess *spec, const vb_image *head) {
    const vb_image seen = seen_by_resize(spec, head);
    vb_resize_to to;
    vb_error none;
    if (check_spec(spec, &none) || plan_resize(spec, &seen, &to, &none)) return 0; /* which vb_preprocess_begin refuses */
    const uint64_t side = spec->max_patches ? 0 : (uint64_t)spec->resolution;
    const uint64_t crop = (uint64_t)to.crop_width * (uint64_t)to.crop_height;
    return vb_resize_bytes(&seen, &to) + 3 * (uint64_t)head->width + 3 * crop + 4 * side * side;
}

int vb_preprocess_image(const vb_preprocess *spec, const vb_image *image, float *out, vb_error *err) {
    vb_preprocess_rows rows;
    vb_image square;
    if (!image->pixels)
        return vb_errorf(err, VB_EDATA, "an image of %dx%d pixels: expected at least one", image->width, image->height);
    if (vb_preprocess_begin(&rows, spec, image, err)) return -1;
    const size_t stride = (size_t)image->width * (size_t)vb_colour_mode_bytes(image->mode);
    for (size_t y = 0; y < (size_t)image->height; y++) vb_preprocess_put(&rows, image->pixels + y * stride);
    const int status = vb_preprocess_end(&rows, &square, err);
    vb_preprocess_free(&rows);
    if (status) return -1;
    vb_preprocess_normalise(spec, &square, out);
    vb_free(square.pixels);
    return 0;
}

void vb_preprocess_describe(const vb_preprocess *spec, char *text, int size) {
    if (size < 1) return;
    /* The words for what OpenAI does stay as they are: cached embeddings are found by them. */
    static const char *const sides[] = {"short side ", "squashed to ", "long side "};
    static const char *const ends[] = {"centre crop", "whole", "framed in"};
    const int side = spec->resize_to ? spec->resize_to : spec->resolution;
    const bool crops = spec->resize == VB_RESIZE_SHORTEST || (spec->resize == VB_RESIZE_SQUASH && side > spec->resolution);
    const bool floor = crops && spec->crop == VB_CROP_FLOOR;
    const char *order = spec->rgb_first ? "RGB first" : "own mode then RGB";
    char shape[128];
    if (spec->max_patches)
        snprintf(shape, sizeof shape, "own shape, %s, at most %d patches of %d", order, spec->max_patches, spec->patch);
    else
        snprintf(shape, sizeof shape, "%s%d, %s, %s %dx%d%s", sides[spec->resize], side, order,
                 crops ? ends[0] : ends[spec->resize], spec->resolution, spec->resolution, floor ? " rounded down" : "");
    snprintf(text, (size_t)size, "pillow-9.4 %s %s, mean %.9g %.9g %.9g, std %.9g %.9g %.9g", vb_preprocess_filters[spec->filter],
             shape, (double)spec->mean[0], (double)spec->mean[1], (double)spec->mean[2], (double)spec->std[0],
             (double)spec->std[1], (double)spec->std[2]);
}
