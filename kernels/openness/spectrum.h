/* Gram matrices of unit vectors in fixed point, and eigenvalues of symmetric matrices: singular spectra of feature spaces.
 *
 * A block's part of the Gram matrix is computed in fp64 in one fixed order and rounded to multiples of 2^-bits, so that sums over
 * blocks are integers: the same in any order, on any number of threads and ranks. */
#ifndef VB_SPECTRUM_H
#define VB_SPECTRUM_H

#include <stdint.h>

#include "kernels/base/error.h"

enum { VB_GRAM_ROWS = 256 };

/* Fraction bits that leave room for the sum over so many rows. The rounding moves an eigenvalue by at most dim * 2^-bits / 2 a
 * block. */
int vb_spectrum_gram_bits(int64_t rows);

/* gram[k * dim + l] += 2^bits * sum over i of f_i[k] f_i[l], where f_i = row i * inverse[i]; count <= VB_GRAM_ROWS (more is
 * VB_EINTERNAL). fp64 to relative 1e-14. Work space: 24 count dim + 8 dim 64 threads bytes. */
int vb_spectrum_gram_add(int64_t *gram, int bits, const float *rows, const double *inverse, int64_t count, int dim, int threads,
                         vb_error *err);

/* The eigenvalues of the symmetric matrix a (n x n, both triangles, overwritten), descending: Householder's reduction to
 * tridiagonal form, then implicit QL (Golub and Van Loan, Matrix Computations, ch. 8). Absolute error some n * 2^-53 |a|. One
 * fixed order of operations. VB_EINTERNAL when elements are not finite, or so small (below 1e-300) that rotations do not end. */
int vb_spectrum_eigenvalues(double *a, int n, double *values, vb_error *err);

#endif
