/* The codecs of images: a row and a file each. A new one is listed in shards/images/image.c. For shards/images/ only. */
#ifndef VB_CODEC_H
#define VB_CODEC_H

#include <stddef.h>

#include "kernels/base/error.h"
#include "kernels/image/preprocess.h"
#include "shards/images/row_sink.h"

/* At most. The pixels are twice Pillow's MAX_IMAGE_PIXELS, beyond which it refuses an image as a decompression bomb. */
#ifndef VB_CODEC_MOST_PIXELS
#define VB_CODEC_MOST_PIXELS 178956970
#endif
enum { VB_CODEC_SUFFIXES = 4, VB_CODEC_SIGNATURES = 6, VB_CODEC_PIXELS = VB_CODEC_MOST_PIXELS };

/* How files of a format begin: at every '.' of the mask the byte of `magic`, at every 'x' any byte. */
typedef struct vb_codec_signature {
    const char *magic, *mask;
} vb_codec_signature;

typedef struct vb_codec {
    const char *name;                        /* for messages: "JPEG" */
    const char *suffixes[VB_CODEC_SUFFIXES]; /* of files, lower case, without dot; the first is what packed files get */
    vb_codec_signature signatures[VB_CODEC_SIGNATURES]; /* any of them */
    /* `image` starts empty but for its sink; `bytes` fit a signature. On success image->pixels is owned by the caller, on failure
     * it is NULL. With a sink, a decoder that has the rows one after the other may hand them over (vb_codec_stream) and keep no
     * pixels.
     * Messages begin with `name`. Thread-safe, nothing is printed. */
    int (*decode)(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err);
} vb_codec;

extern const vb_codec vb_codec_jpeg; /* jpeg.c */
extern const vb_codec vb_codec_png;  /* png.c */
extern const vb_codec vb_codec_webp; /* webp.c */
extern const vb_codec vb_codec_gif;  /* gif.c */
extern const vb_codec vb_codec_bmp;  /* bmp.c */
extern const vb_codec vb_codec_tiff; /* tiff.c */
extern const vb_codec vb_codec_pnm;  /* pnm.c */

/* Checks the dimensions and the bound of VB_CODEC_PIXELS: VB_EDATA. A decoder that can tell from the file's size that it is cut
 * does so between this and the next, so that a header that lies costs nothing. */
int vb_codec_check(uint64_t width, uint64_t height, const char *name, vb_error *err);
/* An image, and the bytes that a decoder takes beside its pixels, as far as they grow with it. */
typedef struct vb_codec_size {
    uint64_t width, height, beside;
} vb_codec_size;
/* The same check; asks the sink, if there is one, whether there may be so much memory; then sets mode, width and height and
 * allocates the pixels, zeroed. */
int vb_codec_reserve(vb_image *image, vb_mode mode, const vb_codec_size *size, const char *name, vb_error *err);
/* The same without pixels: the rows follow, each by vb_codec_row. The palette, if any, is there. */
int vb_codec_stream(vb_image *image, vb_mode mode, const vb_codec_size *size, const char *name, vb_error *err);
int vb_codec_row(const vb_image *image, const uint8_t *row, vb_error *err);

#endif
