/* Search: lengths of rows, and for each query the rows of a piece that may be among its best. */

/* An element of a stored matrix; rows32 and rows16 are the same buffer. */
static float element_of(__global const float *rows32, __global const ushort *rows16, int type, ulong at) {
    return type == 0 ? rows32[at] : widen(rows16[at], type);
}

/* The sum of a row's squares: a work group of SQUARES items a row. */
#define SQUARES 64
__kernel __attribute__((reqd_work_group_size(SQUARES, 1, 1))) void
row_squares(int depth, __global const float *rows32, __global const ushort *rows16, int type, __global float *squares) {
    __local float sums[SQUARES];
    const int t = (int)get_local_id(0);
    const ulong row = get_group_id(0);
    float sum = 0.0f;
    for (int k = t; k < depth; k += SQUARES) {
        const float x = element_of(rows32, rows16, type, row * depth + k);
        sum = fma(x, x, sum);
    }
    sums[t] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int apart = SQUARES / 2; apart > 0; apart /= 2) {
        if (t < apart) sums[t] += sums[t + apart];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (!t) squares[row] = sums[0];
}

/* Keys are ordered as the numbers are, a NaN below all. */
static uint key_of(float x) {
    const uint bits = as_uint(x);
    return x != x ? 0u : bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
static float of_key(uint key) { return as_float(key & 0x80000000u ? key & 0x7fffffffu : ~key); }

/* A work group a query: where scores[i] * factors[i] >= its threshold. That is its floor; or, where more than `wanted` rows reach
 * the floor, slack below the score that `wanted` rows reach, whichever is higher. found[q] is how many, of which places holds the
 * first `room` that were met. */
#define PICKERS 256
__kernel __attribute__((reqd_work_group_size(PICKERS, 1, 1))) void
pick_best(__global const float *scores, uint rows, __global const float *factors, __global const float *floors,
          __global const float *slacks, uint wanted, uint room, __global float *thresholds, __global uint *found,
          __global uint *places) {
    __local uint bins[PICKERS], count, prefix, left;
    const ulong q = get_group_id(0);
    const uint t = (uint)get_local_id(0);
    float threshold = floors[q];
    scores += q * rows;
    places += q * room;
    if (!t) count = 0, prefix = 0, left = wanted;
    barrier(CLK_LOCAL_MEM_FENCE);
    uint own = 0;
    for (uint i = t; i < rows; i += PICKERS) own += scores[i] * factors[i] >= threshold;
    atomic_add(&count, own);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (count > wanted) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            bins[t] = 0;
            barrier(CLK_LOCAL_MEM_FENCE);
            const uint known = prefix;
            for (uint i = t; i < rows; i += PICKERS) {
                const uint key = key_of(scores[i] * factors[i]);
                if (shift == 24 || key >> (shift + 8) == known >> (shift + 8)) atomic_inc(&bins[key >> shift & 255]);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            if (!t) {
                uint b = 255;
                while (b && bins[b] < left) left -= bins[b--];
                prefix = known | b << shift;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        /* lowered by more than both roundings */
        const float below = of_key(prefix) - slacks[q], lowered = fma(0.0f - fabs(below), 0x1p-22f, below);
        if (lowered > threshold) threshold = lowered;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (!t) count = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = t; i < rows; i += PICKERS)
        if (scores[i] * factors[i] >= threshold) {
            const uint slot = atomic_inc(&count);
            if (slot < room) places[slot] = i;
        }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (!t) found[q] = count, thresholds[q] = threshold;
}
