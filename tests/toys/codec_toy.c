/* Toy images: "TOYPIC", a byte for the width, one for the height, and RGB pixels. What tests/cli/test_extending.sh adds. */
#include <string.h>

#include "shards/images/codec.h"

enum { HEAD = 8 };

static int decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    const uint8_t *at = bytes;
    size_t width = size < HEAD ? 0 : at[6], height = size < HEAD ? 0 : at[7];
    if (size != HEAD + 3 * width * height)
        return vb_errorf(err, VB_EDATA, "%s: toy picture: %zu bytes, expected %zu", name, size, HEAD + 3 * width * height);
    const vb_codec_size whole = {width, height, 0};
    if (vb_codec_reserve(image, VB_MODE_RGB, &whole, name, err)) return -1;
    memcpy(image->pixels, at + HEAD, size - HEAD);
    return 0;
}

const vb_codec vb_codec_toy = {
    .name = "toy picture",
    .suffixes = {"toypic"},
    .signatures = {{"TOYPIC", "......"}},
    .decode = decode,
};
