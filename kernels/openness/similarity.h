/* Which classes, and so which vocabularies, beat the true class of an image: decided as if in real arithmetic.
 *
 * s(x, c) is x . t_c / (|x| |t_c|) for VB_COSINE and x . t_c / |x| for VB_DOT, on the fp32 embeddings as they are stored; rows of
 * any norm are welcome. Class c is ranked before class d when s(x, c) > s(x, d), or when they are equal and c < d. A fp32 matrix
 * product with a rigorous bound on its error settles nearly all comparisons, fp64 the close ones, integers
 * (kernels/exact/exact.h) the rest: the outcome depends on the embeddings alone, never on blocks, threads, ranks or instruction
 * set. */
#ifndef VB_SIMILARITY_H
#define VB_SIMILARITY_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/exact/score.h"
#include "kernels/openness/label_space.h"

/* The texts of all classes, prepared once: norms, error bounds, equal rows. Immutable, so that threads may share it. */
typedef struct vb_text_bank vb_text_bank;

/* texts: classes x dim, row-major, class order; borrowed, and must outlive the bank. dim is at most 65,536 (VB_EUNSUPPORTED).
 * A NaN, an infinity, or for VB_COSINE a zero row is VB_EDATA and named by row. Costs some 16 bytes a class. */
int vb_similarity_bank_new(vb_text_bank **bank, const float *texts, int classes, int dim, vb_similarity similarity,
                           vb_error *err);
/* The same for some of the classes only, for vb_similarity_judge_part: row i is the text of class ids[i], ascending; both
 * borrowed. */
int vb_similarity_bank_part(vb_text_bank **bank, const float *texts, const int *ids, int classes, int dim,
                            vb_similarity similarity, vb_error *err);
/* Somebody who computes a bank's products: scores[i * classes + c] = (x_i . t_c) * scale[c] for `rows` images x, with the bits of
 * vb_gemm (kernels/matrix/gemm.h). -1: they are computed here. */
typedef struct vb_similarity_products {
    void *state;
    int (*multiply)(void *state, const float *images, int64_t rows, float *scores);
} vb_similarity_products;

/* From now on judging asks `products` (borrowed; not thread-safe, so that one thread may judge at a time). */
void vb_similarity_bank_use(vb_text_bank *bank, const vb_similarity_products *products);
/* The factor of each class's products; NULL: none. */
const float *vb_similarity_bank_scale(const vb_text_bank *bank);

/* NULL is allowed. */
void vb_similarity_bank_free(vb_text_bank *bank);

/* What happened to one image, y being its class. */
typedef struct vb_verdict {
    int label;         /* y */
    int predicted_all; /* the first-ranked of all classes, y's equivalents aside */
    int predicted_own; /* the first-ranked class of the first vocabulary that holds y, or of the stated one; -1 when none does */
    double similarity; /* s(x, y), in fp64 and one fixed order of summation */
    double margin;     /* s(x, y) - s(x, best other class, y's equivalents aside), likewise; NaN when there is none */
} vb_verdict;

/* Images of known classes, all row-major of the bank's dim. */
typedef struct vb_image_block {
    int64_t rows;
    const float *images;
    const int *labels;  /* classes; for vb_similarity_judge_part -1: the row holds no image */
    const float *texts; /* of the images' classes, a row each: for vb_similarity_judge_part alone */
    /* Other classes that are right for an image, a set each, and so no rivals; NULL: none. Not for vb_similarity_judge_part. */
    const vb_class_set *sets;
    const int *own; /* the vocabulary of each image's predicted_own; NULL: the first that holds its class */
    /* Out; NULL: not wanted. tied[i] = 1 when another class of a vocabulary (for vb_similarity_judge_part: one of the part), no
     * equivalent of the image's, has exactly its similarity, so that the numbers of the classes decide between them; else 0 (the
     * part leaves it). Not by vb_similarity_judge_pool. */
    uint8_t *tied;
    /* Out of vb_similarity_judge; NULL: not wanted. takers[i * vocabularies + u]: the first-ranked class of vocabulary u, where u
     * beats image i; else -1. */
    int *takers;
} vb_image_block;

/* Sorts classes by rank for the image x of the bank's dim (row number `row` in messages), the first-ranked first. VB_EDATA as
 * vb_similarity_judge; VB_EMISMATCH for what is no class. */
int vb_similarity_rank(const vb_text_bank *bank, const float *x, int64_t row, int *classes, int count, vb_error *err);

/* For each image i of the block, of class labels[i]: beaten[i * vocabularies + u] = 1 when a class of vocabulary u other than the
 * image's own, its equivalents and those of its set is ranked before it, else 0. `verdicts` (one a row) may be NULL. `threads`
 * >= 1 OpenMP threads. Work space is bounded (32 MiB, or 8 rows of all classes) however many rows there are. Rows in messages
 * count from this call's first one: a zero row, a NaN or an infinity is VB_EDATA; a label that is no class, or a space of other
 * classes than the bank's, VB_EMISMATCH. On failure the outputs are undefined. */
int vb_similarity_judge(const vb_text_bank *bank, const vb_label_space *space, const vb_image_block *block, uint8_t *beaten,
                        vb_verdict *verdicts, int threads, vb_error *err);

/* The bytes of a bank of `classes` texts and of the work space for judging `rows` images at once, at most. */
int64_t vb_similarity_judge_bytes(int64_t classes, int64_t rows);

/* Words of 64 bits that a bit set of so many candidates takes. */
static inline size_t vb_similarity_pool_words(int candidates) { return ((size_t)candidates + 63) / 64; }

/* The same without verdicts, and which of the classes from `from` on, a pool of candidates (as a rule in no vocabulary), are
 * ranked before the image's class: bit (c - from) % 64 of
 * pool[i * vb_similarity_pool_words(classes - from) + (c - from) / 64]. */
int vb_similarity_judge_pool(const vb_text_bank *bank, const vb_label_space *space, const vb_image_block *block, int from,
                             uint8_t *beaten, uint64_t *pool, int threads, vb_error *err);

/* Sets beaten[i * vocabularies + u] = 1 where a class of the part (vb_similarity_bank_part) that is in vocabulary u is ranked
 * before image i's own, its equivalents aside; leaves all other entries. products[c * rows + i] is the product of image i and row
 * c of the part in fp32, summed in any order whatever: what differs by less than every such sum's bound, gamma_n |x| |t| with
 * n = dim + 4 roundings, is decided by fp64 and integers from the rows themselves. *rescored grows by the number of those
 * comparisons, the only thing that depends on the products' last bits. A NaN or an infinity in an image or in the text of its
 * class is VB_EDATA. */
int vb_similarity_judge_part(const vb_text_bank *part, const vb_memberships *memberships, const vb_image_block *block,
                             const float *products, uint8_t *beaten, int64_t *rescored, int threads, vb_error *err);

#endif
