/* Attention of one block of queries of a head: scores, softmax, and the weighted sum of the values, all in one work group.
 *
 * Blocks are of up to BLOCK queries, cut into PIECES of ROWS queries where scores would not fit into local memory; a query's
 * chains do not depend on them. With PATHS the j-th key and value of all is row paths[j], which sequences may share.
 * Options: ROWS; ITEMS of a work group, a multiple of PARTS; ALIGNED (rows of queries and keys begin at multiples of four
 * elements); PATHS. */
#define BLOCK 14
#define PIECES ((BLOCK + ROWS - 1) / ROWS)
#define PARTS 16
#ifdef PATHS
#define KEY(j) ((ulong)paths[first_key + (j)])
#else
#define KEY(j) (first_key + (j))
#endif

/* The largest and the sum of sixteen parts in local memory, halving, for each of the ITEMS / PARTS rows at a time. */
static float halve(__local float *parts, int lane, bool sums) {
    for (int half_way = PARTS / 2; half_way; half_way /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < half_way) {
            const float a = parts[lane], b = parts[lane + half_way];
            parts[lane] = sums ? a + b : a > b ? a : b;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const float result = parts[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return result;
}

/* A row of scores to weights, by sixteen items. The largest does not depend on the order of comparisons; the sum's is that of
 * kernels/matrix/layers_lanes.h. Without `there` the items only meet the others' barriers. */
static void softmax(__local float *row, int width, float scale, __local float *parts, int lane, bool there) {
    float most = -INFINITY;
    if (there)
        for (int j = lane; j < width; j += PARTS) most = larger(row[j] * scale, most);
    parts[lane] = most;
    const float shift = halve(parts, lane, false);
    float sum = 0.0f;
    if (there)
        for (int j = lane; j < width; j += PARTS) {
            const float e = exponential(row[j] * scale - shift);
            row[j] = e;
            sum = sum + e;
        }
    parts[lane] = sum;
    const float inverse = divide(1.0f, halve(parts, lane, true));
    if (there)
        for (int j = lane; j < width; j += PARTS) row[j] = row[j] * inverse;
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
attention(__global const float *query, ulong query_at, ulong ld_query, __global const float *key, ulong key_at, ulong ld_key,
          __global const float *value, ulong value_at, ulong ld_value, __global float *out, ulong out_at, ulong ld_out,
          __global const long *query_starts, __global const long *key_starts, int causal, int has_hidden,
          __global const uchar *hidden, __global const int *paths, int heads, int blocks_a_sequence, int head_dim, float scale,
          int stride, __local float4 *room) {
    __local float parts[ITEMS];
    const int t = (int)get_local_id(0), piece = (int)get_group_id(0) % PIECES;
    const uint all_blocks = (uint)get_group_id(0) / PIECES; /* of all heads of all sequences */
    const int block = (int)(all_blocks % blocks_a_sequence), head = (int)(all_blocks / blocks_a_sequence % heads);
    const uint sequence = all_blocks / blocks_a_sequence / heads;
    const ulong first_query = query_starts[sequence], first_key = key_starts[sequence];
    const int queries = (int)(query_starts[sequence + 1] - first_query), keys = (int)(key_starts[sequence + 1] - first_key);
    const int blocks = (queries + BLOCK - 1) / BLOCK;
    if (block >= blocks) return;
    const int begin = (int)((long)block * queries / blocks), end = (int)((long)(block + 1) * queries / blocks);
    const int from = begin + piece * ROWS, m = min(ROWS, end - from);
    if (m <= 0) return;
    const int unseen = causal ? queries - end : 0, seen = keys > unseen ? keys - unseen : 0;
    const int quads = head_dim / 4, q_stride = (head_dim + 3) / 4 * 4;
    __local float *q = (__local float *)room, *scores = q + ROWS * q_stride; /* q: read by fours */
    query += query_at + (first_query + from) * ld_query + (ulong)head * head_dim;
    key += key_at + (ulong)head * head_dim;
    value += value_at + (ulong)head * head_dim;
    out += out_at + (first_query + from) * ld_out + (ulong)head * head_dim;

    for (int i = t; i < ROWS * q_stride; i += ITEMS) {
        const int r = i / q_stride, c = i % q_stride;
        q[i] = r < m && c < head_dim ? query[r * ld_query + c] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    for (int j = t; j < seen; j += ITEMS) {
        __global const float *line = key + KEY(j) * ld_key;
        float sums[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) sums[r] = 0.0f;
        for (int c = 0; c < quads; c++) {
#ifdef ALIGNED
            const float4 k = ((__global const float4 *)line)[c];
#else
            const float4 k = vload4(c, line);
#endif
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const float4 v = *(__local const float4 *)(q + r * q_stride + c * 4);
                sums[r] = fma(v.w, k.w, fma(v.z, k.z, fma(v.y, k.y, fma(v.x, k.x, sums[r]))));
            }
        }
        for (int c = quads * 4; c < head_dim; c++)
#pragma unroll
            for (int r = 0; r < ROWS; r++) sums[r] = fma(q[r * q_stride + c], line[c], sums[r]);
        const bool unseen_by_all = has_hidden && hidden[first_key + j];
#pragma unroll
        for (int r = 0; r < ROWS; r++) scores[r * stride + j] = unseen_by_all ? -INFINITY : sums[r];
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    for (int first = 0; first < ROWS; first += ITEMS / PARTS) { /* all items, so that all meet the barriers */
        const int r = first + t / PARTS, past = causal ? end - 1 - (from + r) : 0, width = seen > past ? seen - past : 0;
        softmax(scores + min(r, ROWS - 1) * stride, width, scale, parts + t / PARTS * PARTS, t % PARTS, r < m && width > 0);
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    const int least = causal ? seen - (end - 1 - from) : seen; /* keys that all rows see; row r: least + r */
    for (int c = t; c < head_dim; c += ITEMS) {
        float sums[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) sums[r] = 0.0f;
        for (int k = 0; k < least; k++) {
            const float v = value[KEY(k) * ld_value + c];
#pragma unroll
            for (int r = 0; r < ROWS; r++) sums[r] = fma(scores[r * stride + k], v, sums[r]);
        }
        for (int k = max(least, 0); k < seen; k++) {
            const float v = value[KEY(k) * ld_value + c];
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                if (k < least + r) sums[r] = fma(scores[r * stride + k], v, sums[r]);
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            if (r < m) out[r * ld_out + c] = sums[r];
    }
}
