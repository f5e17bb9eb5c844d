/* Unit vectors, in fp64 and one fixed order of summation. */
#include "kernels/openness/direction.h"

#include <math.h>

#include "kernels/base/memory.h"

double vb_direction_inverse_norm(const float *row, int dim) {
    double square = 0;
    for (int k = 0; k < dim; k++) square += (double)row[k] * row[k];
    return square > 0 && isfinite(square) ? 1 / sqrt(square) : 0;
}

int vb_direction_of_sum(const double *sum, int dim, bool normalise, float *out, vb_error *err) {
    double square = 0;
    for (int k = 0; k < dim; k++) square += sum[k] * sum[k];
    if (!(square > 0) || !isfinite(square)) return vb_errorf(err, VB_EDATA, "the mean of embeddings has no direction");
    double scale = normalise ? 1 / sqrt(square) : 1;
    for (int k = 0; k < dim; k++) out[k] = (float)(sum[k] * scale);
    return 0;
}

static int direction_of_rows(const float *rows, int64_t n, int dim, bool of_directions, float *out, vb_error *err) {
    double *sum = vb_array((size_t)dim, sizeof *sum, "ensemble", err);
    if (!sum) return -1;
    for (int64_t i = 0; i < n; i++) {
        double scale = of_directions ? vb_direction_inverse_norm(rows + i * dim, dim) : 1;
        for (int k = 0; k < dim; k++) sum[k] += rows[i * dim + k] * scale;
    }
    int status = vb_direction_of_sum(sum, dim, true, out, err);
    vb_free(sum);
    return status;
}

int vb_direction_ensemble(const float *rows, int64_t n, int dim, float *out, vb_error *err) {
    return direction_of_rows(rows, n, dim, true, out, err);
}

int vb_direction_mean(const float *rows, int64_t n, int dim, float *out, vb_error *err) {
    return direction_of_rows(rows, n, dim, false, out, err);
}

void vb_direction_normalise(float *rows, int64_t n, int dim) {
    for (int64_t i = 0; i < n; i++) {
        float *row = rows + i * dim;
        double square = 0;
        for (int k = 0; k < dim; k++) square += (double)row[k] * row[k];
        double norm = sqrt(square);
        for (int k = 0; k < dim && norm > 0; k++) row[k] = (float)(row[k] / norm);
    }
}
