/* Tiles of products and sizes of work groups: the table of what may be used, and what a device has chosen. No choice changes a
 * bit. */
#ifndef VB_GPU_TILES_H
#define VB_GPU_TILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

struct vb_gpu_device;

/* A row of the table: what a work group computes of a product, and an item of it (the options of gpu_gemm.cl). */
typedef struct vb_gpu_tile {
    int rows, columns, depth, item_rows, item_columns;
    unsigned makers; /* a bit for each vb_gpu_maker on whose devices it is tried */
} vb_gpu_tile;

/* A row of the table of attention: items of a work group. */
typedef struct vb_gpu_group {
    int items;
    unsigned makers;
} vb_gpu_group;

typedef enum vb_gpu_maker { VB_GPU_PROCESSOR, VB_GPU_NVIDIA, VB_GPU_AMD, VB_GPU_INTEL, VB_GPU_OTHER } vb_gpu_maker;

/* Products that are alike: many rows (encoders' layers), few rows (a row an item, small batches), few columns (convolutions). */
typedef enum vb_gpu_shape { VB_GPU_LARGE, VB_GPU_SHORT, VB_GPU_NARROW, VB_GPU_SHAPES } vb_gpu_shape;

/* Numbers in the tables. */
typedef struct vb_gpu_choice {
    int tile[VB_GPU_SHAPES][2]; /* of fp32 weights, of those of 16 bits */
    int attention;
} vb_gpu_choice;

enum { VB_GPU_TILES_TEXT = 512 };

/* The tables, the same for every device. */
const vb_gpu_tile *vb_gpu_tiles_table(int *count);
const vb_gpu_group *vb_gpu_tiles_attention(int *count);

/* Whether the device has room for a row of the table. */
bool vb_gpu_tiles_fit(const struct vb_gpu_device *device, const vb_gpu_tile *tile);

/* Whether the table has it for devices of this maker, and it fits. */
bool vb_gpu_tiles_tried(const struct vb_gpu_device *device, int tile);
bool vb_gpu_tiles_attention_tried(const struct vb_gpu_device *device, int size);

/* What a device uses without a measurement: the first rows that are tried on it. */
void vb_gpu_tiles_default(struct vb_gpu_device *device);

/* The tile of a product. */
const vb_gpu_tile *vb_gpu_tiles_of(const struct vb_gpu_device *device, uint64_t rows, int columns, bool half);

/* The choice as a text, a line a kind: "large 128x128x16/8x8 ..."; and back: false, and nothing is changed, where a text is not
 * one of this table and device. */
void vb_gpu_tiles_write(const struct vb_gpu_device *device, char text[VB_GPU_TILES_TEXT]);
bool vb_gpu_tiles_read(struct vb_gpu_device *device, const char *text);

#endif
