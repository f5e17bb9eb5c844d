/* Directions of embeddings: means that are normalised again, as prompt ensembles and blends need them. In fp64 and one fixed
 * order; thread-safe. */
#ifndef VB_DIRECTION_H
#define VB_DIRECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* 1 / |row|, or 0 when the row has no direction: it is zero or not finite. */
double vb_direction_inverse_norm(const float *row, int dim);

/* out (dim) = sum / |sum|, or sum as it is without `normalise`. VB_EDATA when the sum has no direction. */
int vb_direction_of_sum(const double *sum, int dim, bool normalise, float *out, vb_error *err);

/* Normalised mean of normalised rows (prompt ensembles; Radford et al. 2021, section 3.1.4). rows: n x dim; out: dim. VB_EDATA
 * when the mean has no direction, VB_EMEMORY. */
int vb_direction_ensemble(const float *rows, int64_t n, int dim, float *out, vb_error *err);

/* The direction of the plain mean of rows as they are. Otherwise the same. */
int vb_direction_mean(const float *rows, int64_t n, int dim, float *out, vb_error *err);

#endif
