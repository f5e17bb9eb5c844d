/* Convolution with 3 x 3 filters through Winograd's transforms F(4 x 4, 3 x 3): 36 products give sixteen results, which take 144
 * otherwise. It is what conv_run.h does where vb_winograd_fits says so; the order of operations is part of every result:
 *
 * An output image is cut into tiles of 4 x 4 from its upper left corner; what stands over at the right and the bottom is dropped.
 * A tile reads a window of 6 x 6 pixels, which begins at the tile's first row and column minus the padding; outside are zeros.
 *
 *   1. The window d of each input channel becomes 36 values v: the line below is applied to each column (from top to bottom),
 *      then to each row of what that gives (from left to right).
 *   2. The taps g of each filter become 36 factors u: columns, then rows.
 *   3. Sum p of an output channel is ONE chain of fused multiply-adds over the input channels c = 0, 1, ..., from 0:
 *      m[p] = fma(v[c][p], u[c][p], m[p]).
 *   4. The 36 sums m of an output channel become its 16 results y: columns, then rows.
 *   5. The epilogue follows, as behind a matrix product (gemm.h).
 *
 * The lines, for the points 0, 3/4, -3/4, 3/2, -3/2 and infinity. Each fma(x, y, z) = x y + z, product, sum and difference is
 * rounded once; constants that are not whole multiples of a power of two are the nearest floats.
 *
 *   v0 = fma(81/64, d0, fma(-45/16, d2, d4))
 *   v1 = fma(3/4, o, e)   v2 = fma(-3/4, o, e)      with e = fma(-9/4, d2, d4), o = fma(-9/4, d1, d3)
 *   v3 = fma(3/2, o, e)   v4 = fma(-3/2, o, e)      with e = fma(-9/16, d2, d4), o = fma(-9/16, d1, d3)
 *   v5 = fma(81/64, d1, fma(-45/16, d3, d5))
 *
 *   u0 = 64/81 g0
 *   u1 = -128/243 fma(3/4, g1, n)   u2 = -128/243 fma(-3/4, g1, n)      with n = fma(9/16, g2, g0)
 *   u3 = 32/243 fma(3/2, g1, f)     u4 = 32/243 fma(-3/2, g1, f)        with f = fma(9/4, g2, g0)
 *   u5 = g2
 *
 *   s = m1 + m2, d = m1 - m2, S = m3 + m4, D = m3 - m4
 *   y0 = (m0 + s) + S               y1 = fma(3/2, D, 3/4 d)
 *   y2 = fma(9/4, S, 9/16 s)        y3 = fma(27/8, D, fma(27/64, d, m5))
 *
 * Why these points: with them the error is about twice that of a plain chain of multiply-adds, with 0, 1, -1, 2, -2 five times
 * (docs/measurements.md), and the constants of steps 1 and 4 are exact. winograd_reference.h has the lines as functions. */
#ifndef VB_WINOGRAD_H
#define VB_WINOGRAD_H

#include <stdbool.h>

#include "kernels/matrix/conv.h"

enum { VB_WINOGRAD_SIDE = 4, VB_WINOGRAD_WINDOW = 6, VB_WINOGRAD_POINTS = 36 };

/* Filters of 3 x 3 with stride 1 over activations, whatever their sizes. `planar`: over pixels, whose channels lie apart. */
bool vb_winograd_fits(int kernel, int stride, bool planar);

/* As vb_conv_run (conv_run.h), for a convolution that fits: the same bits at any batch, thread count and level. */
int vb_winograd_run(const vb_conv *conv, int64_t images, const vb_matrix *weight, float *out, const vb_epilogue *epilogue,
                    int threads, vb_error *err);

/* Filters that are transformed once instead of with every call: the same bits. They take four times the bytes of fp32 weights,
 * and are read from memory each time, which is faster than to transform them where a call has few tiles.
 *
 * Makes those of `weight` for the level in use in `floats`, vb_winograd_kept_floats of them; columns of vb_kept are those of a
 * product (vb_gemm_kept_columns). VB_EMEMORY. */
int vb_winograd_keep(const vb_matrix *weight, float *floats, int threads, vb_error *err);
size_t vb_winograd_kept_floats(const vb_matrix *weight);

#endif
