/* A dataset while it is being listed: samples, labels and files as a format finds them, frozen into an index at the end.
 *
 * For shards/datasets/ only. Not thread-safe. */
#ifndef VB_DATASET_LISTING_H
#define VB_DATASET_LISTING_H

#include "shards/datasets/dataset_format.h"

typedef struct vb_dataset_listed {
    vb_pooled name;
    int32_t label; /* index into label_text, or VB_NO_LABEL */
    vb_place place;
    uint64_t weight; /* bytes to hold in memory: what units are cut by */
} vb_dataset_listed;

struct vb_dataset_listing {
    const vb_dataset_format *format;
    int variant; /* of the format; its list function sets it */
    vb_dataset_file *file;
    vb_dataset_listed *sample;
    vb_pooled *label_text; /* distinct labels as found, in any order */
    uint32_t *slot;        /* hash table over label_text: index + 1, 0 when free */
    char *pool;
    size_t files, samples, labels, slots, pool_size;
    size_t file_capacity, sample_capacity, label_capacity, pool_capacity;
    int64_t ignored;
    vb_pooled ignored_name[VB_IGNORED_NAMES]; /* of the first of them */
    vb_strings class_names;                   /* what integer labels index: given, or found beside the data */
};

void vb_dataset_listing_free(vb_dataset_listing *listing); /* leaves {0} */

/* Puts n bytes of text, and a NUL, into the pool. VB_EUNSUPPORTED when it is full. */
int vb_dataset_listing_text(vb_dataset_listing *listing, const char *text, size_t size, vb_pooled *at, vb_error *err);
/* The index of a label; the same for the same text. */
int vb_dataset_listing_label(vb_dataset_listing *listing, const char *text, size_t size, int32_t *label, vb_error *err);
/* A file whose samples follow. */
int vb_dataset_listing_file(vb_dataset_listing *listing, const char *path, uint64_t bytes, vb_error *err);
/* A sample of the file that was added last. */
int vb_dataset_listing_sample(vb_dataset_listing *listing, const vb_dataset_listed *sample, vb_error *err);
/* A file or member that is no sample's: counted, and the first ones kept as examples. */
int vb_dataset_listing_ignore(vb_dataset_listing *listing, const char *name, vb_error *err);
/* Sorts the samples from `first` on by name, in byte order. */
void vb_dataset_listing_sort(vb_dataset_listing *listing, size_t first);

/* Resolves the labels, cuts the units and freezes the index, whose format is the row of that number. VB_EDATA and VB_EMISMATCH
 * name the sample whose label does not fit. */
int vb_dataset_listing_freeze(vb_dataset_listing *listing, int format, vb_dataset **dataset, vb_error *err);

#endif
