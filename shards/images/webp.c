/* WebP by libwebp: still images and the first frame of animations, on the canvas, with alpha when the file announces it. */
#include "shards/images/codec.h"

#include <inttypes.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "kernels/image/colour.h"
#include "kernels/base/memory.h"

static const char *word_for(VP8StatusCode status) {
    switch (status) {
    case VP8_STATUS_OK: return "no error";
    case VP8_STATUS_OUT_OF_MEMORY: return "out of memory";
    case VP8_STATUS_INVALID_PARAM: return "invalid parameter";
    case VP8_STATUS_BITSTREAM_ERROR: return "bitstream error";
    case VP8_STATUS_UNSUPPORTED_FEATURE: return "unsupported feature";
    case VP8_STATUS_SUSPENDED: return "suspended";
    case VP8_STATUS_USER_ABORT: return "aborted";
    case VP8_STATUS_NOT_ENOUGH_DATA: return "not enough data";
    }
    return "unknown status";
}

static int webp_refuse(VP8StatusCode status, const char *place, const char *name, vb_error *err) {
    vb_code code = status == VP8_STATUS_OUT_OF_MEMORY       ? VB_EMEMORY :
                   status == VP8_STATUS_UNSUPPORTED_FEATURE ? VB_EUNSUPPORTED :
                                                              VB_EDATA;
    return vb_errorf(err, code, "%s: WebP: %s: %s", name, place, word_for(status));
}

/* Decodes the frame to its place on the canvas; what it leaves free stays zero: black, or transparent. */
static int draw(vb_image *image, const WebPIterator *frame, const char *name, vb_error *err) {
    WebPDecoderConfig config;
    size_t channels = (size_t)vb_colour_mode_bytes(image->mode), stride = (size_t)image->width * channels;
    if (!WebPInitDecoderConfig(&config)) return vb_errorf(err, VB_EINTERNAL, "libwebp: the library does not fit its headers");
    if (frame->x_offset < 0 || frame->y_offset < 0 || frame->width < 1 || frame->height < 1 ||
        frame->width > image->width - frame->x_offset || frame->height > image->height - frame->y_offset)
        return vb_errorf(err, VB_EDATA, "%s: WebP: a frame of %dx%d at %d,%d leaves the canvas of %dx%d", name, frame->width,
                         frame->height, frame->x_offset, frame->y_offset, image->width, image->height);
    size_t skipped = (size_t)frame->y_offset * stride + (size_t)frame->x_offset * channels;
    config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = image->pixels + skipped;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * (size_t)image->height - skipped;
    VP8StatusCode status = WebPDecode(frame->fragment.bytes, frame->fragment.size, &config);
    WebPFreeDecBuffer(&config.output);
    return status == VP8_STATUS_OK ? 0 : webp_refuse(status, "first frame", name, err);
}

static int webp_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    const uint8_t *head = bytes;
    WebPBitstreamFeatures features;
    WebPIterator frame = {0};
    WebPData data = {.bytes = bytes, .size = size};
    uint64_t promised = 8 + ((uint64_t)head[4] | (uint64_t)head[5] << 8 | (uint64_t)head[6] << 16 | (uint64_t)head[7] << 24);
    if (promised > size)
        return vb_errorf(err, VB_EDATA, "%s: WebP: truncated, the header promises %" PRIu64 " bytes, the file holds %zu", name,
                         promised, size);
    VP8StatusCode status = WebPGetFeatures(bytes, size, &features);
    if (status != VP8_STATUS_OK) return webp_refuse(status, "header", name, err);
    int result = -1;
    WebPDemuxer *demuxer = WebPDemux(&data);
    if (!demuxer) return vb_errorf(err, VB_EDATA, "%s: WebP: the container's chunks are corrupt or cut off", name);
    uint64_t width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH), height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
    /* libwebp unpacks what is lossless, and planes of alpha, to 4 bytes a pixel; of the rest it keeps some rows. */
    const uint64_t beside = (features.format != 1 || features.has_alpha ? 5 * width * height : 0) + 128 * width;
    const vb_codec_size whole = {width, height, beside};
    if (!WebPDemuxGetFrame(demuxer, 1, &frame) || !frame.complete)
        vb_errorf(err, VB_EDATA, "%s: WebP: no complete first frame", name);
    else if (!vb_codec_reserve(image, features.has_alpha ? VB_MODE_RGBA : VB_MODE_RGB, &whole, name, err))
        result = draw(image, &frame, name, err);
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demuxer);
    if (!result) return 0;
    vb_free(image->pixels);
    image->pixels = NULL;
    return -1;
}

const vb_codec vb_codec_webp = {
    .name = "WebP",
    .suffixes = {"webp"},
    .signatures = {{"RIFF----WEBP", "....xxxx...."}},
    .decode = webp_decode,
};
