/* The index of a dataset: one block of arrays without pointers, which can be sent, and the accessors to them.
 *
 * The ground floor of datasets: it knows units, files, samples and labels, but no format. For shards/datasets/ only. */
#ifndef VB_DATASET_INDEX_H
#define VB_DATASET_INDEX_H

#include <assert.h>
#include <stdbool.h>

#include "shards/datasets/dataset_sources.h"
#include "shards/datasets/dataset_types.h"

enum { VB_NO_LABEL = -1, VB_IGNORED_NAMES = 3 };

typedef uint32_t vb_pooled; /* offset of a NUL-terminated string in the pool */

typedef struct vb_dataset_file { /* the folder, a shard or a file of records */
    int64_t first, count;        /* its samples */
    int64_t first_unit;
    uint64_t bytes;
    vb_pooled path;
    uint32_t reserved; /* zero */
} vb_dataset_file;
static_assert(sizeof(vb_dataset_file) == 40, "sent as it lies in memory");

typedef struct vb_place { /* of a sample in a shard */
    uint64_t offset;      /* of the image's bytes; of the sample's first header when it has no image */
    uint32_t size;        /* 0: no image */
    uint32_t before;      /* bytes from the sample's first header to `offset` */
} vb_place;
static_assert(sizeof(vb_place) == 16, "sent as it lies in memory");

typedef struct vb_dataset_head { /* the block's beginning; then the arrays of vb_dataset in their order there */
    char magic[8];
    uint64_t size; /* of the whole block */
    uint64_t bytes;
    int64_t samples, units, ignored;
    /* Lengths. cuts: units + 1; cuts, names and places 0 with fixed records; places 0 where samples are not placed;
     * ignored_names: at most VB_IGNORED_NAMES. */
    uint64_t files, cuts, places, names, label_names, ignored_names, pool;
    int32_t format, variant; /* row and variant of the format (shards/datasets/dataset_format.h) */
    uint8_t numbers;         /* integers could not be named: label i is the decimal number */
    uint8_t fixed_records;   /* sample and unit numbers give every place, and records hold the labels */
    uint8_t placed;          /* every sample has a vb_place */
    uint8_t reserved[5];     /* zero */
} vb_dataset_head;
static_assert(sizeof(vb_dataset_head) == 120, "sent as it lies in memory");

struct vb_dataset {
    vb_dataset_head *head;
    vb_dataset_file *file;
    int64_t *cut; /* first sample of every unit, then the number of samples */
    vb_place *place;
    vb_pooled *name;
    int32_t *label;                       /* as many as names */
    vb_pooled *label_name, *ignored_name; /* the second: some of the files that were passed over */
    char *pool;
    vb_digest labels_digest; /* of all label names: read under other names, data has other labels */
    vb_dataset_sources *sources;
};

/* The size of a block with such a head, and the pointers into one. */
size_t vb_dataset_index_size(const vb_dataset_head *head);
void vb_dataset_index_point(vb_dataset *dataset, void *block);
extern const char vb_dataset_index_magic[8];

/* Takes over the block (freed here on failure, too) and checks every number in it but format and variant: VB_EINTERNAL when it is
 * no index. Free with vb_dataset_index_free. */
int vb_dataset_index_attach(vb_dataset **dataset, void *block, size_t size, vb_error *err);
void vb_dataset_index_free(vb_dataset *dataset); /* NULL is fine */

/* The samples of a full unit: the largest power of two from 8 to VB_UNIT_SAMPLES of which so many samples make at least 64 units.
 * So ranks have something to divide in small datasets too, and the cut is the same for any number of ranks. */
int vb_dataset_index_unit_size(int64_t samples);
vb_unit_range vb_dataset_index_unit(const vb_dataset *dataset, int64_t unit); /* unit: 0 .. units - 1 */
/* The file that holds a sample. */
int64_t vb_dataset_index_file_of(const vb_dataset *dataset, int64_t sample);
/* A string of the pool, and the path of a file; valid as long as the dataset. */
static inline const char *vb_dataset_index_text(const vb_dataset *dataset, vb_pooled at) {
    assert(at < dataset->head->pool);
    return dataset->pool + at;
}
static inline const char *vb_dataset_index_path(const vb_dataset *dataset, int64_t file) {
    assert(file >= 0 && (uint64_t)file < dataset->head->files);
    return vb_dataset_index_text(dataset, dataset->file[file].path);
}

/* An open source of a file at or before `offset`; hand it back with vb_dataset_sources_return(dataset->sources, ...), or close it
 * after an error. */
static inline int vb_dataset_index_source(const vb_dataset *dataset, int64_t file, uint64_t offset, vb_source **source,
                                          vb_error *err) {
    return vb_dataset_sources_take(dataset->sources, file, vb_dataset_index_path(dataset, file), offset, source, err);
}

#endif
