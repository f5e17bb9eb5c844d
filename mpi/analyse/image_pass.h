/* One pass over a pair's images for all analyses of similarities with classes: exact sums over images and ranks. */
#ifndef VB_IMAGE_PASS_H
#define VB_IMAGE_PASS_H

#include "kernels/openness/features.h"
#include "mpi/evaluate/evaluate.h"
#include "mpi/evaluate/pair_shape.h"

/* What an analysis needs of the pass: bits. */
enum {
    VB_IMAGE_PASS_SUMS = 1,
    VB_IMAGE_PASS_MARGINS = 2, /* those of all images, sorted */
    VB_IMAGE_PASS_CENTROID = 4
};

/* On rank 0 of all ranks' images, elsewhere of this rank's. */
typedef struct vb_image_pass {
    vb_similarity_sums sums;
    vb_fixed_sum *centroid; /* dim sums, of the images' unit vectors; NULL without need */
    double *margins;        /* of the images that have one */
    int64_t margin_count;
    size_t margin_capacity;
} vb_image_pass;

/* Memory a rank: the texts once more, 64 rows of all classes a thread, and 8 bytes an image of its own (on rank 0: of all). Begin
 * with a zeroed pass; free it also after a failure. Collective. */
int vb_image_pass_run(vb_image_pass *pass, vb_context *context, const vb_pair *pair, unsigned needs, vb_error *err);
void vb_image_pass_free(vb_image_pass *pass);

/* The bytes that this takes on rank 0, at most. Local. */
int64_t vb_image_pass_bytes(const vb_pair_shape *shape);

#endif
