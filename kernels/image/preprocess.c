/* CLIP's preprocessing: short side to R, centre crop, RGB, and (x / 255 - mean) / std in the order of torch's fp32 operations. */
#include "kernels/image/preprocess.h"

#include <limits.h>
#include <stdio.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"
#include "kernels/image/resize.h"

enum { MAX_RESOLUTION = 8192 }; /* beyond every model; a bound on memory */

vb_preprocess vb_preprocess_clip(int resolution) {
    return (vb_preprocess){.resolution = resolution,
                           .mean = {0.48145466f, 0.4578275f, 0.40821073f},
                           .std = {0.26862954f, 0.26130258f, 0.27577711f}};
}

/* Half of a non-negative length, halves of one to even: Python's round(), which torchvision's centre crop uses. */
static int half_to_even(int length) { return length / 2 + (length % 4 == 3); }

/* torchvision's Resize(R) and CenterCrop(R): the short side becomes R, the long side int(R * long / short). */
static int plan_resize(const vb_preprocess *spec, const vb_image *image, vb_resize_to *to, vb_error *err) {
    int r = spec->resolution;
    bool tall = image->height > image->width;
    int64_t shorter = tall ? image->width : image->height, longer = tall ? image->height : image->width;
    int64_t length = r * longer / shorter;
    if (length > INT_MAX)
        return vb_errorf(err, VB_EUNSUPPORTED, "an image of %dx%d pixels would be %lld pixels long at resolution %d (limit %d)",
                         image->width, image->height, (long long)length, r, INT_MAX);
    *to = (vb_resize_to){.width = tall ? r : (int)length, .height = tall ? (int)length : r, .crop_width = r, .crop_height = r};
    to->left = half_to_even(to->width - r);
    to->top = half_to_even(to->height - r);
    return 0;
}

/* A byte has 256 values a channel: each is normalised once, with the very operations torch applies to it. */
static void normalise_pixels(const vb_preprocess *spec, const uint8_t *rgb, float *out) {
    size_t pixels = (size_t)spec->resolution * (size_t)spec->resolution;
    for (size_t c = 0; c < 3; c++) {
        float table[256];
        for (int v = 0; v < 256; v++) table[v] = ((float)v / 255.0f - spec->mean[c]) / spec->std[c];
        for (size_t i = 0; i < pixels; i++) out[c * pixels + i] = table[rgb[3 * i + c]];
    }
}

int vb_preprocess_image(const vb_preprocess *spec, const vb_image *image, float *out, vb_error *err) {
    int status = -1;
    vb_image whole = *image, cropped = {0};
    uint8_t *converted = NULL, *rgb = NULL;
    vb_resize_to to;
    if (spec->resolution < 1 || spec->resolution > MAX_RESOLUTION)
        return vb_errorf(err, VB_EMISMATCH, "resolution %d: expected 1 to %d", spec->resolution, MAX_RESOLUTION);
    if (image->width < 1 || image->height < 1 || !image->pixels)
        return vb_errorf(err, VB_EDATA, "an image of %dx%d pixels: expected at least one", image->width, image->height);
    if (spec->rgb_first && image->mode != VB_MODE_RGB) {
        if (!(converted = vb_array((size_t)image->width * (size_t)image->height, 3, "RGB image", err))) goto done;
        vb_colour_to_rgb(image, converted);
        whole.mode = VB_MODE_RGB;
        whole.pixels = converted;
    }
    if (plan_resize(spec, &whole, &to, err) || vb_resize(&whole, &to, &cropped, err)) goto done;
    if (cropped.mode != VB_MODE_RGB) {
        if (!(rgb = vb_array((size_t)to.crop_width * (size_t)to.crop_height, 3, "RGB image", err))) goto done;
        vb_colour_to_rgb(&cropped, rgb);
    }
    normalise_pixels(spec, rgb ? rgb : cropped.pixels, out);
    status = 0;
done:
    vb_free(converted);
    vb_free(cropped.pixels);
    vb_free(rgb);
    return status;
}

void vb_preprocess_describe(const vb_preprocess *spec, char *text, int size) {
    if (size < 1) return;
    snprintf(text, (size_t)size,
             "pillow-9.4 bicubic short side %d, %s, centre crop %dx%d, mean %.9g %.9g %.9g, std %.9g %.9g %.9g", spec->resolution,
             spec->rgb_first ? "RGB first" : "own mode then RGB", spec->resolution, spec->resolution, (double)spec->mean[0],
             (double)spec->mean[1], (double)spec->mean[2], (double)spec->std[0], (double)spec->std[1], (double)spec->std[2]);
}
