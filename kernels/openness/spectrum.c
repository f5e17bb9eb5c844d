/* Gram matrices by exact products of split rows; tridiagonal reduction and implicit QL.
 *
 * The eigen solver is ours, and not LAPACK's, for the reason why the matrix product is (kernels/matrix/gemm.c): spectra must be
 * the same bits on every rank, thread count and processor, and a library's order of summation changes with the machine. */
#include "kernels/openness/spectrum.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/dots.h"

enum { SLICE = 64 }; /* rows of a Gram matrix that a thread computes at once: eight tiles of products */

int vb_spectrum_gram_bits(int64_t rows) {
    int bits = 62;
    while (rows > 1) {
        rows = (rows + 1) / 2;
        bits--;
    }
    return bits;
}

int vb_spectrum_gram_add(int64_t *gram, int bits, const float *rows, const double *inverse, int64_t count, int dim, int threads,
                         vb_error *err) {
    if (count > VB_GRAM_ROWS) return vb_errorf(err, VB_EINTERNAL, "Gram matrix of %lld rows at once", (long long)count);
    /* f = high + low in floats: high high + high low + low high as one product of three times the length. */
    int depth = (int)count * 3, slices = (dim + SLICE - 1) / SLICE, team = threads < 1 ? 1 : threads < slices ? threads : slices;
    int64_t ld = vb_dots_cols(dim);
    float *left = vb_buffer((size_t)dim * (size_t)depth, sizeof *left, "Gram matrix", err);
    float *right = left ? vb_buffer((size_t)dim * (size_t)depth, sizeof *right, "Gram matrix", err) : NULL;
    float *packed = right ? vb_buffer((size_t)ld * (size_t)depth, sizeof *packed, "Gram matrix", err) : NULL;
    double *products = packed ? vb_buffer((size_t)team * SLICE * (size_t)ld, sizeof *products, "Gram matrix", err) : NULL;
    if (products) {
        for (int64_t i = 0; i < count; i++)
            for (int k = 0; k < dim; k++) {
                double f = (double)rows[i * dim + k] * inverse[i];
                float high = (float)f, low = (float)(f - (double)high);
                float *l = left + (int64_t)k * depth + 3 * i, *r = right + (int64_t)k * depth + 3 * i;
                l[0] = l[1] = r[0] = r[2] = high;
                l[2] = r[1] = low;
            }
        vb_dots_pack(dim, right, depth, packed);
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
        for (int s = 0; s < slices; s++) {
            int first = s * SLICE, n = dim - first < SLICE ? dim - first : SLICE;
            double *block = products + (size_t)omp_get_thread_num() * SLICE * (size_t)ld;
            vb_dots(n, left + (int64_t)first * depth, dim, packed, depth, block, ld);
            for (int i = 0; i < n; i++)
                for (int j = 0; j < dim; j++) gram[(int64_t)(first + i) * dim + j] += llrint(ldexp(block[i * ld + j], bits));
        }
    }
    int status = products ? 0 : -1;
    vb_free(products);
    vb_free(packed);
    vb_free(right);
    vb_free(left);
    return status;
}

/* ---- eigenvalues ------------------------------------------------------------------------------------------------------- */

/* Eight interleaved sums: a fixed order that does not wait for each addition. */
static double dot_product(const double *a, const double *b, int n) {
    double lane[8] = {0};
    int k = 0;
    for (; k + 8 <= n; k += 8)
        for (int j = 0; j < 8; j++) lane[j] += a[k + j] * b[k + j];
    for (int j = 0; k + j < n; j++) lane[j] += a[k + j] * b[k + j];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* diagonal[0..n-1] and beside[0..n-2] of a tridiagonal matrix with a's eigenvalues. v, w: n doubles each. */
static void tridiagonalise(double *a, int n, double *diagonal, double *beside, double *v, double *w) {
    for (int k = 0; k + 2 < n; k++) {
        int m = n - k - 1;
        double *rest = a + (int64_t)(k + 1) * n + k + 1; /* m x m, rows n apart */
        for (int i = 0; i < m; i++) v[i] = a[(int64_t)(k + 1 + i) * n + k];
        diagonal[k] = a[(int64_t)k * n + k];
        double norm = sqrt(dot_product(v, v, m)), tail = dot_product(v + 1, v + 1, m - 1);
        if (tail == 0) {
            beside[k] = v[0];
            continue;
        }
        beside[k] = v[0] > 0 ? -norm : norm;
        v[0] -= beside[k];
        double beta = 2 / dot_product(v, v, m); /* reflection: 1 - beta v v' */
        for (int i = 0; i < m; i++) w[i] = beta * dot_product(rest + (int64_t)i * n, v, m);
        double half = beta / 2 * dot_product(w, v, m);
        for (int i = 0; i < m; i++) w[i] -= half * v[i];
        for (int i = 0; i < m; i++)
            for (int j = 0; j < m; j++) rest[(int64_t)i * n + j] -= v[i] * w[j] + w[i] * v[j];
    }
    for (int k = n > 1 ? n - 2 : 0; k < n; k++) diagonal[k] = a[(int64_t)k * n + k];
    if (n > 1) beside[n - 2] = a[(int64_t)(n - 1) * n + n - 2];
}

/* Implicit QL: eigenvalues replace the diagonal. */
static int diagonalise(double *d, double *e, int n, vb_error *err) {
    /* What lies this far below the largest elements cannot be told from zero; waiting for less may never end. */
    double negligible = 0;
    for (int i = 0; i < n; i++) negligible = fmax(negligible, fabs(d[i]));
    negligible *= 0x1p-56;
    e[n - 1] = 0;
    for (int l = 0; l < n; l++)
        for (int rounds = 0;; rounds++) {
            int m = l;
            while (m < n - 1 && fabs(e[m]) > 0x1p-53 * (fabs(d[m]) + fabs(d[m + 1])) + negligible) m++;
            if (m == l) break;
            if (rounds == 100) return vb_errorf(err, VB_EINTERNAL, "eigenvalues: no convergence after %d rounds", rounds);
            double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1);
            g = d[m] - d[l] + e[l] / (g + copysign(r, g));
            double s = 1, c = 1, p = 0;
            int i = m - 1;
            for (; i >= l; i--) {
                double f = s * e[i], b = c * e[i];
                r = hypot(f, g);
                e[i + 1] = r;
                if (r == 0) { /* a rotation fell apart: the matrix has split here */
                    d[i + 1] -= p;
                    e[m] = 0;
                    break;
                }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                r = (d[i] - g) * s + 2 * c * b;
                p = s * r;
                d[i + 1] = g + p;
                g = c * r - b;
            }
            if (i >= l) continue;
            d[l] -= p;
            e[l] = g;
            e[m] = 0;
        }
    return 0;
}

static int descending_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

int vb_spectrum_eigenvalues(double *a, int n, double *values, vb_error *err) {
    assert(n >= 1);
    double *work = vb_array(3 * (size_t)n, sizeof *work, "eigenvalues", err);
    if (!work) return -1;
    double *beside = work, *v = work + n, *w = v + n;
    tridiagonalise(a, n, values, beside, v, w);
    int status = diagonalise(values, beside, n, err);
    for (int i = 0; i < n && !status; i++)
        if (!isfinite(values[i]))
            status = vb_errorf(err, VB_EINTERNAL, "eigenvalues of a matrix with elements that are not finite");
    if (!status) qsort(values, (size_t)n, sizeof *values, descending_doubles);
    vb_free(work);
    return status;
}
