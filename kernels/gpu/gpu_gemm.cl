/* The matrix product in register tiles: C = epilogue(A times B transposed), each element ONE chain of fused multiply-adds from
 * k = 0 upward, whatever the tile. A work item has TM x TN sums; a work group BM x BN, whose operands it lays out in local memory
 * k by k, the next ones being fetched meanwhile.
 *
 * Options: BM BN BK TM TN the tile (TM, TN: 4 or 8; BK: a multiple of 4). TYPE of B: 0 fp32, 1 fp16, 2 bf16; ALIGNED: rows of A
 * and B begin at multiples of four elements; ACTIVATION, and LATE: it comes after the residual; UNROLL the steps of a tile's
 * depth. Without TYPE one program serves all types and activations: slower, but built once (for processors). */
#define ACROSS (BN / TN)
#define DOWN (BM / TM)
#define THREADS (ACROSS * DOWN)
#define LDA (BM + 4)
#define LDB (BN + 4)
#define QUADS (BK / 4)
#define QUADS_A ((BM * QUADS + THREADS - 1) / THREADS)
#define QUADS_B ((BN * QUADS + THREADS - 1) / THREADS)
#ifdef TYPE
#define B_TYPE TYPE
#define SUM(i, j) sums[i][j]
#else
#define B_TYPE type
#define ACTIVATION activation
#define SUM(i, j) line[j]
#endif
#define ELEMENT(row, k) (B_TYPE ? widen(((__global const ushort *)(row))[k], B_TYPE) : ((__global const float *)(row))[k])

/* Four elements of a row of `depth` from k on; zeros behind its end are never multiplied. */
static float4 quad_of_a(__global const float *row, int k, int depth) {
#ifdef ALIGNED
    return k < depth ? *(__global const float4 *)(row + k) : (float4)(0.0f);
#else
    return (float4)(k < depth ? row[k] : 0.0f, k + 1 < depth ? row[k + 1] : 0.0f, k + 2 < depth ? row[k + 2] : 0.0f,
                    k + 3 < depth ? row[k + 3] : 0.0f);
#endif
}
static float4 quad_of_b(__global const char *row, int k, int depth, int type) {
#ifdef ALIGNED
    if (k >= depth) return (float4)(0.0f);
    if (!B_TYPE) return *(__global const float4 *)((__global const float *)row + k);
    const ushort4 x = *(__global const ushort4 *)((__global const ushort *)row + k);
    return (float4)(widen(x.x, B_TYPE), widen(x.y, B_TYPE), widen(x.z, B_TYPE), widen(x.w, B_TYPE));
#else
    return (float4)(k < depth ? ELEMENT(row, k) : 0.0f, k + 1 < depth ? ELEMENT(row, k + 1) : 0.0f,
                    k + 2 < depth ? ELEMENT(row, k + 2) : 0.0f, k + 3 < depth ? ELEMENT(row, k + 3) : 0.0f);
#endif
}

/* Items' rows and columns in fours that lie DOWN * 4 and ACROSS * 4 apart: neighbours read neighbouring banks. */
#define ROW_OF(i) ((i) / 4 * (DOWN * 4) + y * 4 + (i) % 4)
#define COLUMN_OF(j) ((j) / 4 * (ACROSS * 4) + x * 4 + (j) % 4)

#define MULTIPLY(kk)                                                                                                             \
    {                                                                                                                            \
        float a[TM], b[TN];                                                                                                      \
        _Pragma("unroll") for (int i = 0; i < TM; i += 4) {                                                                      \
            const float4 v = *(__local const float4 *)&a_tile[stage][kk][ROW_OF(i)];                                             \
            a[i] = v.x, a[i + 1] = v.y, a[i + 2] = v.z, a[i + 3] = v.w;                                                          \
        }                                                                                                                        \
        _Pragma("unroll") for (int j = 0; j < TN; j += 4) {                                                                      \
            const float4 v = *(__local const float4 *)&b_tile[stage][kk][COLUMN_OF(j)];                                          \
            b[j] = v.x, b[j + 1] = v.y, b[j + 2] = v.z, b[j + 3] = v.w;                                                          \
        }                                                                                                                        \
        _Pragma("unroll") for (int i = 0; i < TM; i++)                                                                           \
            _Pragma("unroll") for (int j = 0; j < TN; j++) sums[i][j] = fma(a[i], b[j], sums[i][j]);                             \
    }

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
gemm(ulong rows, int columns, int depth, __global const float *a, ulong a_at, ulong lda, __global const char *b,
     int type, int activation, int late, __global float *c, ulong c_at, ulong ldc, int flags,
     __global const float *scale, __global const float *bias,
     __global const float *gate, ulong gate_at, ulong ld_gate, __global const float *residual, ulong residual_at,
     ulong ld_residual) {
    __local float a_tile[2][BK][LDA] __attribute__((aligned(16))), b_tile[2][BK][LDB] __attribute__((aligned(16)));
    const int t = (int)get_local_id(0), x = t % ACROSS, y = t / ACROSS;
    const uint tiles_across = ((uint)columns + BN - 1) / BN;
    const ulong i0 = (ulong)((uint)get_group_id(0) / tiles_across) * BM;
    const int j0 = (int)((uint)get_group_id(0) % tiles_across * BN);
    /* one of several products, whose operands follow each other */
    a_at += get_group_id(1) * rows * lda;
    b += get_group_id(1) * columns * depth * (B_TYPE ? 2 : 4);
    c_at += get_group_id(1) * rows * ldc;
    float sums[TM][TN];
    float4 next_a[QUADS_A], next_b[QUADS_B];
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++) sums[i][j] = 0.0f;

#define FETCH(from)                                                                                                              \
    {                                                                                                                            \
        _Pragma("unroll") for (int p = 0; p < QUADS_A; p++) {                                                                    \
            const int quad = t + p * THREADS, row = quad / QUADS;                                                                \
            next_a[p] = row < BM && i0 + row < rows ?                                                                            \
                            quad_of_a(a + a_at + (i0 + row) * lda, (from) + quad % QUADS * 4, depth) :                           \
                            (float4)(0.0f);                                                                                      \
        }                                                                                                                        \
        _Pragma("unroll") for (int p = 0; p < QUADS_B; p++) {                                                                    \
            const int quad = t + p * THREADS, row = quad / QUADS;                                                                \
            next_b[p] = row < BN && j0 + row < columns ?                                                                         \
                            quad_of_b(b + (ulong)(j0 + row) * depth * (B_TYPE ? 2 : 4), (from) + quad % QUADS * 4, depth,        \
                                      type) :                                                                                    \
                            (float4)(0.0f);                                                                                      \
        }                                                                                                                        \
    }
#define LAY_OUT(into)                                                                                                            \
    {                                                                                                                            \
        _Pragma("unroll") for (int p = 0; p < QUADS_A; p++) {                                                                    \
            const int quad = t + p * THREADS, row = quad / QUADS, k = quad % QUADS * 4;                                          \
            if (row < BM) {                                                                                                      \
                a_tile[into][k][row] = next_a[p].x, a_tile[into][k + 1][row] = next_a[p].y;                                      \
                a_tile[into][k + 2][row] = next_a[p].z, a_tile[into][k + 3][row] = next_a[p].w;                                  \
            }                                                                                                                    \
        }                                                                                                                        \
        _Pragma("unroll") for (int p = 0; p < QUADS_B; p++) {                                                                    \
            const int quad = t + p * THREADS, row = quad / QUADS, k = quad % QUADS * 4;                                          \
            if (row < BN) {                                                                                                      \
                b_tile[into][k][row] = next_b[p].x, b_tile[into][k + 1][row] = next_b[p].y;                                      \
                b_tile[into][k + 2][row] = next_b[p].z, b_tile[into][k + 3][row] = next_b[p].w;                                  \
            }                                                                                                                    \
        }                                                                                                                        \
    }

    int stage = 0;
    FETCH(0)
    LAY_OUT(0)
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < depth; k += BK) {
        const bool more = k + BK < depth;
        if (more) FETCH(k + BK)
        if (k + BK <= depth) {
#ifdef UNROLL
#pragma unroll
#endif
            for (int kk = 0; kk < BK; kk++) MULTIPLY(kk)
        } else
            for (int kk = 0; kk < depth - k; kk++) MULTIPLY(kk) /* no zeros: they would turn a sum of -0 into +0 */
        if (more) {
            LAY_OUT(stage ^ 1)
            barrier(CLK_LOCAL_MEM_FENCE);
            stage ^= 1;
        }
    }

#pragma unroll
    for (int i = 0; i < TM; i++) {
        const ulong row = i0 + ROW_OF(i);
        if (row < rows) {
#ifdef TYPE
#pragma unroll
#else
            /* all activations once for each row, not for each sum: compilers would take their time */
            float line[TN];
#pragma unroll
            for (int j = 0; j < TN; j++) line[j] = sums[i][j];
#pragma nounroll
#endif
            for (int j = 0; j < TN; j++) {
                const int column = j0 + COLUMN_OF(j);
                if (column < columns) {
                    float z = SUM(i, j);
                    if (flags & HAS_SCALE) z *= scale[column];
                    if (flags & HAS_BIAS) z += bias[column];
#ifndef TYPE
                    z = activate(z, late ? LINEAR : activation);
#elif !defined(LATE)
                    z = activate(z, ACTIVATION);
#endif
                    if (flags & HAS_GATE) z *= gate[gate_at + row * ld_gate + column];
                    if (flags & HAS_RESIDUAL) z += residual[residual_at + row * ld_residual + column];
#ifndef TYPE
                    z = activate(z, late ? activation : LINEAR);
#elif defined(LATE)
                    z = activate(z, ACTIVATION);
#endif
                    c[c_at + row * ldc + column] = z;
                }
            }
        }
    }
}
