/* The formats of datasets: a row and a file each. A new one is listed in shards/datasets/dataset.c. For shards/datasets/ only. */
#ifndef VB_DATASET_FORMAT_H
#define VB_DATASET_FORMAT_H

#include "kernels/base/strings.h"
#include "shards/datasets/dataset_index.h"
#include "shards/files/path.h"

typedef struct vb_dataset_listing vb_dataset_listing;

enum { VB_DATASET_FORMAT_VARIANTS = 2 }; /* at most */

typedef struct vb_dataset_format {
    /* What `inspect`, messages and digests call its variants: "CIFAR-100 binary", "CIFAR-10 binary". */
    const char *variants[VB_DATASET_FORMAT_VARIANTS];
    const char *expected; /* what it takes, for messages: "WebDataset shards (.tar, .tar.zst)" */

    bool fixed_records;  /* samples are records of one size, with their labels in them: no name, place or label is listed */
    bool placed;         /* a sample lies somewhere within its file */
    bool integer_labels; /* labels may be integers that class names, or a vocabulary, give a name to */
    bool sample_files;   /* every sample is a file of its own below the dataset's folder */
    bool has_captions;   /* read() can give extras */

    /* Whether a path is of this format, by its name and size; by the first bytes of its content (NULL: they do not tell). */
    bool (*recognise)(const char *path, const vb_path_facts *facts);
    bool (*recognise_bytes)(const uint8_t *head, size_t size);
    /* Or NULL: 0, or -1 with what is wrong with a path that looks as if it was meant to be of this format. */
    int (*refuse)(const char *path, const vb_path_facts *facts, vb_error *err);
    /* Or NULL: the files of this format inside a folder, none being no error. *files is empty after a failure. */
    int (*find)(vb_strings *files, const char *folder, vb_error *err);

    /* Lists the samples of paths of this format (one or more, distinct, in byte order) and sets the listing's variant. No sample
     * is no error. */
    int (*list)(vb_dataset_listing *listing, const vb_strings *paths, vb_error *err);
    /* Fills bytes and size of data->samples, whose names and labels are there; with fixed records, names and labels too, and
     * nothing else when `bytes` is false. `extras` (or NULL): one a sample, zeroed. Thread-safe. */
    int (*read)(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_sample_extra *extras, bool bytes,
                vb_error *err);
} vb_dataset_format;

enum { VB_DATASET_FORMAT_HEAD = 512 }; /* bytes that recognise_bytes gets, when the content has so many */

extern const vb_dataset_format vb_dataset_format_folder; /* dataset_folder.c */
extern const vb_dataset_format vb_dataset_format_tar;    /* dataset_tar.c */
extern const vb_dataset_format vb_dataset_format_cifar;  /* dataset_cifar.c */

#endif
