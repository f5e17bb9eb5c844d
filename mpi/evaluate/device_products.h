/* A rank's device for the products of images and many texts: classes, foreign names. */
#ifndef VB_DEVICE_PRODUCTS_H
#define VB_DEVICE_PRODUCTS_H

#include "kernels/openness/similarity.h"
#include "mpi/evaluate/evaluate.h"
#include "mpi/ranks/context.h"

/* Fewer elements than this of texts are multiplied here: starting work on a device takes longer. */
enum { VB_DEVICE_PRODUCTS_LEAST = 1 << 21 };

typedef struct vb_device_products {
    vb_similarity_products products; /* what the bank is given */
    struct vb_gpu_scores *scores;    /* NULL: there is no device, or it is not used */
    const vb_context *context;
} vb_device_products;

/* A bank of `classes` texts of `dim` elements (vb_similarity_bank_new), for which the rank's device multiplies, where it has one
 * whose bits are the CPU's and a short measurement says that it is faster than pair->threads threads here, shared by the ranks
 * that use it. A processor that OpenCL offers, which only `device: gpu` takes, is always used. What a device cannot do is done
 * here, so the bank's errors and memory are all that fails. *its must stay where it is. Local. Close both in any case, the bank
 * first. */
int vb_device_products_bank(vb_device_products *its, vb_text_bank **bank, const vb_context *context, const vb_pair *pair,
                            const float *texts, int classes, int dim, vb_error *err);
void vb_device_products_close(vb_device_products *its);

#endif
