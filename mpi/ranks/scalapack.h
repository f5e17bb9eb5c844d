/* ScaLAPACK: dense distributed algebra on a block-cyclic grid of ranks. Results may differ in the last bits with the number of
 * ranks.
 */
#ifndef VB_SCALAPACK_H
#define VB_SCALAPACK_H

#include "mpi/ranks/comm.h"

/* The eigenvalues, descending, of the symmetric matrix whose element (i, j) is element(context, i, j), which every rank can give,
 * on every rank. Absolute error some n * 2^-53 of the largest. Memory a rank: 8 n^2 / ranks bytes and work space. Collective. */
int vb_scalapack_eigenvalues(vb_comm *comm, int n, double (*element)(const void *context, int i, int j), const void *context,
                             double *values, vb_error *err);

/* Products of `rows` vectors, which all ranks have, with `columns` vectors, which are divided among them. */
typedef struct vb_product {
    int rows, columns, depth;
    int handle, grid, ranks, rank, local_depth, first_depth, local_columns;
    int left[9], right[9], result[9]; /* descriptors */
    float *slice;                     /* this rank's dimensions of the rows */
} vb_product;

/* Memory: 4 rows * depth / ranks bytes. Free with vb_scalapack_product_close, also after a failure. Collective. */
int vb_scalapack_product_open(vb_product *product, vb_comm *comm, int rows, int columns, int depth, vb_error *err);
void vb_scalapack_product_close(vb_product *product); /* collective */

/* out[c * rows + i] = sum over k of a[i * depth + k] * b[c * depth + k], for this rank's columns c, by psgemm: in fp32 and in an
 * order of summation that is ScaLAPACK's and its BLAS's own. Error: at most gamma_depth |a_i| |b_c|. b holds this rank's columns.
 * Collective.
 */
void vb_scalapack_product_multiply(const vb_product *product, const float *a, const float *b, float *out);

#endif
