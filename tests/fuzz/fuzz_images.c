/* Image files of every format: pixels, RGB, and the way to a model's pixels. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "kernels/base/memory.h"
#include "kernels/image/colour.h"
#include "shards/images/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vb_error err = {0};
    vb_image image;
    if (vb_image_decode(&image, data, size, "fuzz", &err)) {
        touch_error(&err);
        if (image.pixels) abort();
        return 0;
    }
    const size_t pixels = (size_t)image.width * (size_t)image.height;
    touch_bytes(image.pixels, pixels * (size_t)vb_colour_mode_bytes(image.mode));
    if (strchr(image.remark, '\n')) abort();
    float out[3 * 8 * 8];
    vb_preprocess spec = vb_preprocess_clip(8);
    for (int rgb_first = 0; rgb_first < 2; rgb_first++) {
        spec.rgb_first = rgb_first;
        spec.resize = VB_RESIZE_SQUASH;
        if (!vb_preprocess_image(&spec, &image, out, &err)) touch_bytes(out, sizeof out);
        else touch_error(&err);
    }
    vb_free(image.pixels);
    return 0;
}
