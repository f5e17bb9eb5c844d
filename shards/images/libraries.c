/* Versions of the image libraries. */
#include "shards/images/libraries.h"

#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>
#include <webp/decode.h>
#include <zlib.h>

#define WORD(x) #x
#define TEXT(x) WORD(x)

void vb_libraries_images(vb_library list[VB_IMAGE_LIBRARIES]) {
    const int webp = WebPGetDecoderVersion();
    const char *tiff = TIFFGetVersion(); /* "LIBTIFF, Version 4.5.0", then its licence */
    const char *number = strstr(tiff, "Version ");
    list[0] = (vb_library){.name = "zlib"};
    snprintf(list[0].version, sizeof list[0].version, "%s", zlibVersion());
    list[1] = (vb_library){.name = "libpng"};
    snprintf(list[1].version, sizeof list[1].version, "%s", png_get_libpng_ver(NULL));
    list[2] = (vb_library){.name = "libwebp"};
    snprintf(list[2].version, sizeof list[2].version, "%d.%d.%d", webp >> 16, webp >> 8 & 255, webp & 255);
    list[3] = (vb_library){.name = "libtiff"};
    snprintf(list[3].version, sizeof list[3].version, "%.*s", number ? (int)strcspn(number + 8, "\n") : 7,
             number ? number + 8 : "unknown");
    list[4] = (vb_library){.name = "libjpeg"};
#ifdef LIBJPEG_TURBO_VERSION
    snprintf(list[4].version, sizeof list[4].version, "%s (turbo, API %d)", TEXT(LIBJPEG_TURBO_VERSION), JPEG_LIB_VERSION);
#else
    snprintf(list[4].version, sizeof list[4].version, "API %d", JPEG_LIB_VERSION);
#endif
}
