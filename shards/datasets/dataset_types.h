/* What is read from a dataset: units, their samples, and what lies beside an image. Types only. */
#ifndef VB_DATASET_TYPES_H
#define VB_DATASET_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "shards/files/digest.h"

/* A unit's bounds: samples, and bytes of them in memory (one larger sample is a unit alone). */
enum { VB_UNIT_SAMPLES = 256, VB_UNIT_BYTES = 1 << 26 };

typedef struct vb_dataset vb_dataset;

typedef struct vb_unit_range { /* samples of a unit, in dataset order */
    int64_t first;
    int count;
} vb_unit_range;

/* One sample's bytes: an encoded image, or raw RGB when raw_width > 0. */
typedef struct vb_sample {
    const char *name; /* relative path, key or record number: for messages and per-image records */
    int label;        /* index for vb_dataset_label, -1 when it has none */
    const uint8_t *bytes;
    size_t size;
    int raw_width, raw_height; /* channels in planes (3 x H x W) as CIFAR stores them, when > 0 */
} vb_sample;

typedef struct vb_unit_data {
    int count;
    vb_sample *samples;
    vb_digest digest; /* of the samples' names, labels and bytes */
    void *storage;    /* a vb_unit_storage */
} vb_unit_data;

typedef struct vb_unit_storage { /* what owns the bytes and names of a unit; for the formats' readers */
    int blocks;
    void **block; /* one a sample, or fewer */
    char *names;
} vb_unit_storage;

/* What a sample holds besides its image. NULL where there is none. */
typedef struct vb_sample_extra {
    uint8_t *text, *json;
    size_t text_size, json_size;
} vb_sample_extra;

#endif
