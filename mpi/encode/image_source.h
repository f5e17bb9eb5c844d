/* Image embeddings of a (model, dataset) pair, unit by unit: encoded here and cached, or precomputed elsewhere. */
#ifndef VB_IMAGE_SOURCE_H
#define VB_IMAGE_SOURCE_H

#include "mpi/encode/class_sets.h"
#include "mpi/encode/dataset_state.h"
#include "mpi/encode/encoded_unit.h"
#include "shards/embeddings/npy.h"

typedef struct vb_image_source vb_image_source;
struct vb_image_source {
    const vb_dataset_state *data;
    /* encoded */
    const vb_model *model;
    vb_encoded_units encoded;
    /* precomputed */
    vb_npy embeddings;
    int *classes;                         /* of every row, -1: in no vocabulary */
    vb_class_sets sets;                   /* of every row, where labels are sets */
    vb_digest file_digest, labels_digest; /* rank 0 */
    const char *path;
    vb_label_counts labels; /* of an expansion the sums */
    int64_t units, images;  /* images: all, also those of no vocabulary's class */
    int unit_images;        /* no unit has more */
    int dim;
    /* of an expansion: its datasets' images, the units of one after those of the other */
    int part_count;
    vb_image_source *parts;
};

/* Images of `data` through how->model. Local. */
void vb_image_source_encoded(vb_image_source *source, const vb_dataset_state *data, const vb_encoding *how);
/* Rows of spec->image_embeddings with spec->labels. Every vocabulary must have images. Collective. */
int vb_image_source_precomputed(vb_image_source *source, vb_context *context, const vb_dataset_state *data,
                                const vb_embeddings_spec *spec, vb_error *err);
/* The images of an expansion's datasets; takes over `parts` (vb_array), also on failure. VB_EMISMATCH when dimensions differ.
 * Local. */
int vb_image_source_joined(vb_image_source *source, const vb_dataset_state *data, vb_image_source *parts, vb_error *err);
void vb_image_source_close(vb_image_source *source);

/* Local. Free the rows with vb_unit_rows_free, also after a failure. */
int vb_image_source_unit(const vb_image_source *source, int64_t unit, vb_unit_rows *rows, vb_error *err);
/* The source that has a unit: of an expansion the part's, *part, in which it is unit *unit; and what becomes of the part's rows
 * then. Without parts, the source itself, and nothing. Local. */
const vb_image_source *vb_image_source_part(const vb_image_source *source, int64_t *unit, int *part);
int vb_image_source_join_rows(const vb_image_source *source, int part, vb_unit_rows *rows, vb_error *err);
/* The right classes of images by their places, where labels are sets; NULL: each has one. Local. */
const vb_class_sets *vb_image_source_sets(const vb_image_source *source);
/* The name of the image at a place. Local; free with vb_free. */
char *vb_image_source_name(const vb_image_source *source, int64_t place, vb_error *err);

/* An .npy of 2 dimensions as fp32: rows [first, first + count) to out. NaN, infinity or a zero row is VB_EDATA naming file and
 * row. Local. */
int vb_image_source_float_rows(const vb_npy *npy, const char *path, int64_t first, int64_t count, float *out, vb_error *err);

#endif
