/* What the first directory of a TIFF says of its image, as Pillow reads it. For shards/images/ only. */
#ifndef VB_TIFF_TAGS_H
#define VB_TIFF_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

enum { VB_TIFF_SAMPLES = 6 }; /* Pillow knows no layout of more */

/* Values of an entry, where they lie in the file. */
typedef struct vb_tiff_list {
    size_t at, count;
    int size; /* bytes of a value: 2, 4 or 8; 0: there is no such entry */
} vb_tiff_list;

typedef struct vb_tiff_tags {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
    uint64_t width, height, rows_per_strip, tile_width, tile_length;
    int compression, photometric, fill_order, planes, orientation; /* planes: 1 together, 2 apart */
    int samples, bits, format, extras, extra;                      /* extras: how many; extra: the first (the others are 0) */
    bool tiled;
    vb_tiff_list offsets, colours;
} vb_tiff_tags;

/* VB_EDATA, VB_EUNSUPPORTED: the file is truncated, or Pillow has no mode for it. Thread-safe. */
int vb_tiff_tags_read(vb_tiff_tags *tags, const void *bytes, size_t size, const char *name, vb_error *err);

/* Value i of a list. */
uint64_t vb_tiff_tags_value(const vb_tiff_tags *tags, const vb_tiff_list *list, size_t i);

#endif
