/* Inside of datasets: the index every kind fills, and what each kind does with it. For shards/dataset*.c and
 * shards/datasets/pack.c only. */
#ifndef VB_DATASET_KINDS_H
#define VB_DATASET_KINDS_H

#include "shards/datasets/dataset.h"
#include "kernels/base/strings.h"
#include "shards/files/source.h"

typedef enum vb_dataset_sort {
    VB_CLASS_FOLDERS,
    VB_IMAGES,
    VB_WEBDATASET,
    VB_CIFAR100,
    VB_CIFAR10,
    VB_DATASET_SORTS
} vb_dataset_sort;

enum { VB_CIFAR_SIDE = 32, VB_CIFAR_PIXELS = 3 * VB_CIFAR_SIDE * VB_CIFAR_SIDE, VB_NO_LABEL = -1 };

typedef uint32_t vb_pooled; /* offset of a NUL-terminated string in the pool */

/* ---- the index, frozen into one block that can be sent (dataset_index.c) ---- */

typedef struct vb_dataset_file { /* the folder, a shard or a CIFAR binary */
    int64_t first, count;        /* its samples */
    int64_t first_unit;
    uint64_t bytes;
    vb_pooled path;
    uint32_t reserved; /* zero */
} vb_dataset_file;

typedef struct vb_place { /* of a sample in a shard */
    uint64_t offset;      /* of the image's bytes; of the sample's first header when it has no image */
    uint32_t size;        /* 0: no image */
    uint32_t before;      /* bytes from the sample's first header to `offset` */
} vb_place;

typedef struct vb_dataset_head { /* the block's beginning; then the arrays of vb_dataset in their order there */
    char magic[8];
    uint64_t size; /* of the whole block */
    uint64_t bytes;
    int64_t samples, units, ignored;
    /* Lengths. cuts: units + 1; cuts, names and places 0 for CIFAR; places 0 for folders. */
    uint64_t files, cuts, places, names, label_names, pool;
    int32_t sort, numbers;
} vb_dataset_head;

typedef struct vb_idle_sources vb_idle_sources;

struct vb_dataset {
    vb_dataset_head *head;
    vb_dataset_file *file;
    int64_t *cut; /* first sample of every unit, then the number of samples */
    vb_place *place;
    vb_pooled *name;
    int32_t *label; /* as many as names */
    vb_pooled *label_name;
    char *pool;
    vb_digest labels_digest; /* of all label names: read under other names, data has other labels */
    vb_idle_sources *idle;
};

/* Takes over the block (freed here on failure, too) and checks every number in it: VB_EINTERNAL when it is no index. */
int vb_dataset_attach(vb_dataset **dataset, void *block, size_t size, vb_error *err);
int64_t vb_dataset_file_of(const vb_dataset *dataset, int64_t sample);
static inline const char *vb_dataset_text(const vb_dataset *dataset, vb_pooled at) { return dataset->pool + at; }

/* ---- listing: what a kind fills on rank 0 ---- */

typedef struct vb_listed {
    vb_pooled name;
    int32_t label; /* index into label_text, or VB_NO_LABEL */
    vb_place place;
    uint64_t weight; /* bytes to hold in memory: what units are cut by */
} vb_listed;

typedef struct vb_listing {
    vb_dataset_sort sort;
    vb_dataset_file *file;
    vb_listed *sample;
    vb_pooled *label_text; /* distinct labels as found, in any order */
    uint32_t *slot;        /* hash table over label_text: index + 1, 0 when free */
    char *pool;
    size_t files, samples, labels, slots, pool_size;
    size_t file_capacity, sample_capacity, label_capacity, pool_capacity;
    int64_t ignored;
    char **class_names; /* what integer labels index: given, or found beside the data */
    size_t class_count;
} vb_listing;

void vb_listing_free(vb_listing *listing);
int vb_listing_text(vb_listing *listing, const char *text, size_t size, vb_pooled *at, vb_error *err);
/* The index of a label; the same for the same text. */
int vb_listing_label(vb_listing *listing, const char *text, size_t size, int32_t *label, vb_error *err);
/* A file whose samples follow. */
int vb_listing_file(vb_listing *listing, const char *path, uint64_t bytes, vb_error *err);
int vb_listing_sample(vb_listing *listing, const vb_listed *sample, vb_error *err);
/* Sorts the samples from `first` on by name, in byte order. */
void vb_listing_sort(vb_listing *listing, size_t first);
/* Resolves the labels, cuts the units and freezes the index. */
int vb_listing_freeze(vb_listing *listing, vb_dataset **dataset, vb_error *err);

/* One name a line; CR and blank lines at the end are dropped. VB_EDATA: an empty line between names, no name at all. */
int vb_read_class_names(const char *path, char ***names, size_t *count, vb_error *err);
void vb_free_names(char **names, size_t count);

/* ---- the kinds ---- */

/* dataset_folder.c: sets sort to VB_CLASS_FOLDERS or VB_IMAGES. A folder without any image: no samples, and no error. */
int vb_list_images(vb_listing *listing, const char *folder, vb_error *err);
/* dataset_tar.c: finds class names beside the shards when the listing has none. */
int vb_list_shards(vb_listing *listing, const vb_strings *paths, vb_error *err);
/* dataset_cifar.c */
bool vb_is_cifar(const char *path, uint64_t size);
int vb_list_cifar(vb_listing *listing, const vb_strings *paths, vb_error *err);

typedef struct vb_unit_storage { /* behind vb_unit_data.storage */
    int blocks;
    void **block; /* one a sample, or fewer */
    char *names;
} vb_unit_storage;

/* What a sample of a shard holds besides its image. NULL where there is none. */
typedef struct vb_sample_extra {
    uint8_t *text, *json;
    size_t text_size, json_size;
} vb_sample_extra;
void vb_free_extras(vb_sample_extra *extras, int count);

/* Fill bytes and size of data->samples, whose names and labels are there (CIFAR: those, too). `extras` (or NULL): one a sample.
 * Without
 * `bytes`, CIFAR's names and labels only. */
int vb_read_images(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_error *err);
int vb_read_shard(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_sample_extra *extras, vb_error *err);
int vb_read_cifar(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, bool bytes, vb_error *err);

/* vb_dataset_read_unit with the extras of each sample: VB_UNIT_SAMPLES of them, zeroed by the caller; free with vb_free_extras
 * either way. */
int vb_dataset_read_unit_extras(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_sample_extra *extras,
                                vb_error *err);

/* ---- open files between two reads, so that a reader that goes forward finds its place again (dataset.c) ---- */

int vb_idle_sources_new(vb_idle_sources **idle, vb_error *err);

/* An open source of the file: the idle one nearest before `offset`, or a new one. Give it back, or close it after an error. */
int vb_dataset_take_source(const vb_dataset *dataset, int64_t file, uint64_t offset, vb_source **source, vb_error *err);
void vb_dataset_return_source(const vb_dataset *dataset, int64_t file, vb_source *source);

#endif
