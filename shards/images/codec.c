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

int vb_codec_reserve(vb_image *image, vb_mode mode, uint64_t width, uint64_t height, const char *name, vb_error *err) {
    assert(!image->pixels);
    if (vb_codec_check(width, height, name, err)) return -1;
    image->larger = image->most && width * height > (uint64_t)image->most;
    if (image->larger)
        return vb_errorf(err, VB_EDATA, "%s: %" PRIu64 "x%" PRIu64 " pixels, expected at most %" PRId64 " here", name, width,
                         height, image->most);
    image->mode = mode;
    image->width = (int)width;
    image->height = (int)height;
    image->pixels = vb_array(width * height, (size_t)vb_colour_mode_bytes(mode), "image", err);
    return image->pixels ? 0 : vb_error_prefix(err, "%s", name);
}
