/* Directions of embeddings: unit vectors of rows, of their sums and means. In fp64 and one fixed order; all pure. */
#ifndef VB_DIRECTION_H
#define VB_DIRECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* 1 / |row|, or 0 when the row has no direction. */
double vb_direction_inverse_norm(const float *row, int dim);

/* A sum of rows as floats, normalised when asked for. sum, out: dim. VB_EDATA when it is zero or not finite. */
int vb_direction_of_sum(const double *sum, int dim, bool normalise, float *out, vb_error *err);

/* Normalised mean of normalised rows (prompt ensembles). rows: n x dim; out: dim. VB_EDATA when it has no direction. */
int vb_direction_ensemble(const float *rows, int64_t n, int dim, float *out, vb_error *err);
/* The direction of the plain mean of rows as they are. rows: n x dim; out: dim, normalised. */
int vb_direction_mean(const float *rows, int64_t n, int dim, float *out, vb_error *err);

/* Normalises every row in place; rows of zeros stay. rows: n x dim. */
void vb_direction_normalise(float *rows, int64_t n, int dim);

#endif
