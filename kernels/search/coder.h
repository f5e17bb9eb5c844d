/* Certified 8-bit codes of embedding rows: what a code's inner products can be off by is stored with it.
 *
 * A row u (x for inner products, x / |x| for cosines) is coded as u = m + H' (s c + r): m is a mean vector, H an orthogonal map
 * that evens out the coordinates (signs, a permutation, and Hadamard matrices of a power of 4 along the diagonal, so that every
 * factor is a power of two), s a scale, c integers of -127 .. 127, and r what is left, of which the norm is kept, rounded up.
 * With y = H q,
 *
 *     <q, u> = <q, m> + s <y, c> + <y, r>        and        |<y, r>| <= |q| |r|.
 *
 * The mean matters: CLIP's embeddings have a few large coordinates that all rows share, which would otherwise use up the code. */
#ifndef VB_CODER_H
#define VB_CODER_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/base/dtype.h"
#include "kernels/exact/score.h"

typedef struct vb_coder vb_coder; /* immutable */

enum { VB_CODER_GROUP = 16 /* rows that are stored together */ };

/* mean: dim values, copied. seed: of signs and permutation, by splitmix64: part of the format. Free with vb_coder_free. */
int vb_coder_new(vb_coder **coder, int dim, const float *mean, uint64_t seed, vb_similarity similarity, vb_error *err);
/* The same for inner products with a diagonal map, which costs less than H: rows are coded as u = m + (s c + r) / stretch, and
 * y = q / stretch. stretch: dim powers of two, copied. Rows are coded by the caller. */
int vb_coder_new_stretched(vb_coder **coder, int dim, const float *mean, const float *stretch, vb_error *err);
/* NULL is allowed. */
void vb_coder_free(vb_coder *coder);
/* What the coder was made of. */
int vb_coder_dim(const vb_coder *coder);
int vb_coder_width(const vb_coder *coder); /* dim rounded up to a multiple of 64 */
double vb_coder_mean_norm(const vb_coder *coder);

/* A group: width / 4 times 16 rows times 4 codes, each plus 128 as a byte; then 16 scales, 16 residual norms and 16 norms of s c,
 * as floats. A row that is never listed (not finite, or for cosines zero; also those beyond `count`) has the residual -infinity;
 * one that the bound cannot cover has +infinity. */
size_t vb_coder_group_bytes(int width);

/* Codes `count` <= 16 rows of dim elements without gaps. work: 2 * width doubles. *not_finite and *zero are added to.
 * Thread-safe. */
void vb_coder_encode(const vb_coder *coder, const void *rows, vb_dtype dtype, int count, void *group, double *work,
                     int64_t *not_finite, int64_t *zero);

/* y of a query in place, H v or v / stretch: dim values, zeros behind up to width. The result is off by at most 2^-45 |v| (in
 * norm). */
void vb_coder_rotate(const vb_coder *coder, double *v, double *work);

/* <q, m>, off by at most (dim + 8) 2^-53 |q| |m|. */
double vb_coder_mean_product(const vb_coder *coder, const float *q);

#endif
