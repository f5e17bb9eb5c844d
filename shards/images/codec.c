/* What every codec needs: room for the pixels. */
#include "shards/images/codec.h"

#include <assert.h>
#include <inttypes.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"

int vb_codec_check(uint64_t width, uint64_t height, const char *name, vb_error *err) {
    if (!width || !height)
        return vb_errorf(err, VB_EDATA, "%s: %" PRIu64 "x%" PRIu64 " pixels, expected at least one", name, width, height);
    if (width > VB_CODEC_PIXELS || height > VB_CODEC_PIXELS || width * height > VB_CODEC_PIXELS)
        return vb_errorf(err, VB_EDATA, "%s: %" PRIu64 "x%" PRIu64 " pixels, expected at most %d in all", name, width, height,
                         VB_CODEC_PIXELS);
    return 0;
}

/* Asks for the memory, and sets mode and size. */
static int admit(vb_image *image, vb_mode mode, const vb_codec_size *size, uint64_t bytes, const char *name, vb_error *err) {
    if (vb_codec_check(size->width, size->height, name, err)) return -1;
    image->mode = mode;
    image->width = (int)size->width;
    image->height = (int)size->height;
    return image->sink ? image->sink->admit(image->sink->context, image, bytes, name, err) : 0;
}

int vb_codec_reserve(vb_image *image, vb_mode mode, const vb_codec_size *size, const char *name, vb_error *err) {
    assert(!image->pixels);
    const uint64_t pixel = (uint64_t)vb_colour_mode_bytes(mode);
    if (admit(image, mode, size, size->width * size->height * pixel + size->beside, name, err)) return -1;
    image->pixels = vb_array(size->width * size->height, pixel, "image", err);
    return image->pixels ? 0 : vb_error_prefix(err, "%s", name);
}

int vb_codec_stream(vb_image *image, vb_mode mode, const vb_codec_size *size, const char *name, vb_error *err) {
    assert(image->sink && !image->pixels);
    if (admit(image, mode, size, size->beside, name, err)) return -1;
    return image->sink->begin(image->sink->context, image, err) ? vb_error_prefix(err, "%s", name) : 0;
}

int vb_codec_row(const vb_image *image, const uint8_t *row, vb_error *err) {
    return image->sink->row(image->sink->context, row, err);
}
