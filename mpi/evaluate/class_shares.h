/* The alternative engine of evaluation (similarity_engine: scalapack): every rank has the text embeddings of some of the classes
 * only.
 *
 * Classes are divided among the ranks in blocks of 64 (mpi/ranks/scalapack.h). Blocks of images, a few from every rank, visit all
 * classes at once: psgemm multiplies them, each rank judges its classes' scores (vb_similarity_judge_part: what the product's
 * error leaves open is decided by fp64 and integers from the rows), and what they beat is joined over the ranks. The outcome is
 * the replicated engine's to the last bit. */
#ifndef VB_CLASS_SHARES_H
#define VB_CLASS_SHARES_H

#include "kernels/openness/similarity.h"
#include "mpi/encode/classifier.h"
#include "mpi/ranks/scalapack.h"

typedef struct vb_class_shares {
    vb_comm *comm;
    const vb_classifier *classifier; /* its texts are those of this rank's classes */
    vb_memberships memberships;
    int vocabularies, a_rank; /* images of one rank in a block */
    int *ids;                 /* this rank's classes */
    vb_text_bank *bank;       /* NULL: none */
    vb_product product;
    float *images, *texts; /* a block's images and the texts of their classes, on all ranks */
    int *labels;
    float *scores;            /* of this rank's classes */
    uint8_t *beaten, *joined; /* by all classes here; by all classes everywhere, for this rank's images */
    uint8_t *tied;            /* likewise: of a block, and behind it of this rank's images */
    int64_t compared,
        rescored; /* comparisons of an image's class with a class of this rank, and how many the exact route decided */
} vb_class_shares;

/* Memory: 4 bytes a block's image and class of this rank, at most 64 MiB or one image a rank; 8 bytes a block's image and
 * dimension. Free with vb_class_shares_close, also after a failure. Collective. */
int vb_class_shares_open(vb_class_shares *shares, vb_comm *comm, const vb_classifier *classifier, const vb_label_space *space,
                         vb_similarity similarity, vb_error *err);
void vb_class_shares_close(vb_class_shares *shares); /* collective */

/* vb_similarity_judge for this rank's images, 0 to VB_UNIT_SAMPLES rows, into beaten (VB_UNIT_SAMPLES x vocabularies) and
 * images->tied (VB_UNIT_SAMPLES). Collective. */
int vb_class_shares_judge(vb_class_shares *shares, const vb_image_block *images, uint8_t *beaten, int threads, vb_error *err);

/* Images of one rank in a block, and the bytes of a rank's work space beside the texts: what vb_class_shares_open will take.
 * Local. */
int vb_class_shares_images(int classes, int ranks);
int64_t vb_class_shares_bytes(int classes, int dim, int vocabularies, int ranks);

#endif
