/* Everything but products and attention: an item of work for each element, or sixteen for each row of a LayerNorm.
 *
 * An array is a buffer and the place where it begins in it, in elements. `flags` say which optional arrays are there. */
#define ARRAY(name) __global const float *name, ulong name##_at
#define RESULT(name) __global float *name, ulong name##_at

/* Column j of row `row`: 64 columns a work group, the groups of a row side by side. */
#define PLACE(j, row, width)                                                                                                     \
    const uint slices_ = ((uint)(width) + 63) / 64;                                                                              \
    const int j = (int)((uint)get_group_id(0) % slices_ * 64 + get_local_id(0));                                                 \
    const ulong row = (uint)get_group_id(0) / slices_;                                                                           \
    if (j >= (int)(width)) return;

/* Row r: of the table (its elements of `type`), of the vectors (source < 0: vector -1 - source), or the class row (source ==
 * class_source); plus a row of positions. table16 and table32 are the same buffer. */
__kernel void embed(int rows, int width, __global const float *table32, __global const ushort *table16, int type, float scale,
                    ARRAY(vectors), __global const float *class_row, int class_source, __global const float *positions,
                    __global const int *sources, __global const int *places, RESULT(out)) {
    PLACE(j, r, width)
    const int source = sources[r];
    float x;
    if (source == class_source) x = class_row[j];
    else if (source < 0) x = vectors[vectors_at + (ulong)(-1 - source) * width + j];
    else {
        const ulong at = (ulong)source * width + j;
        x = type == 0 ? table32[at] : widen(table16[at], type);
        if (scale > 0) x = x * scale;
    }
    out[out_at + r * width + j] = x + positions[(ulong)places[r] * width + j];
}

/* Pixels of pictures whose bytes lie interleaved: plane by plane, each byte being what `values` has for its channel. */
__kernel void pixels_of_bytes(__global const uchar *bytes, __global const float *values, int plane, __global float *out) {
    PLACE(p, line, plane)
    const ulong picture = line / 3;
    const int channel = (int)(line % 3);
    out[line * plane + p] = values[channel * 256 + bytes[(picture * plane + p) * 3 + channel]];
}

/* Rows first .. of the im2col matrix: columns are channel, row, column of the filter. */
__kernel void im2col(ARRAY(in), RESULT(out), ulong first, int kernel_side, int stride, int padding, int height, int width,
                     int out_height, int out_width, int depth, ulong image_stride, ulong channel_stride, ulong row_stride,
                     ulong column_stride) {
    PLACE(k, line, depth)
    const ulong row = first + line, pixels = (ulong)out_height * out_width, pixel = row % pixels;
    const int taps = kernel_side * kernel_side, channel = k / taps, tap = k % taps;
    const int y = (int)(pixel / out_width) * stride - padding + tap / kernel_side;
    const int x = (int)(pixel % out_width) * stride - padding + tap % kernel_side;
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    out[out_at + line * depth + k] =
        inside ? in[in_at + row / pixels * image_stride + channel * channel_stride + y * row_stride + x * column_stride] : 0.0f;
}

/* Patches of pictures of any shape: of patch r, `corners` has where its upper left pixel lies, `strides` a plane's floats and a
 * row's. Columns are row, column, channel of the patch. */
__kernel void patch_rows(ARRAY(in), __global const ulong *corners, __global const int2 *strides, int patch, int depth,
                         RESULT(out)) {
    PLACE(k, r, depth)
    const int channel = k % 3, x = k / 3 % patch, y = k / 3 / patch;
    out[out_at + r * depth + k] =
        in[in_at + corners[r] + (ulong)channel * strides[r].x + (ulong)y * strides[r].y + x];
}

/* A depthwise convolution over NHWC: output channel o reads channel o / times. */
__kernel void depthwise(ARRAY(in), __global const float *weight, __global const float *bias, ARRAY(residual), RESULT(out),
                        int flags, int last, int channels, int times, int height, int width, int out_height, int out_width,
                        int kernel_side, int stride, int padding) {
    const int outputs = channels * times;
    PLACE(o, row, outputs)
    const ulong pixels = (ulong)out_height * out_width, pixel = row % pixels;
    const int top = (int)(pixel / out_width) * stride - padding, left = (int)(pixel % out_width) * stride - padding;
    const ulong from = in_at + row / pixels * height * width * channels + o / times;
    __global const float *taps = weight + (ulong)o * kernel_side * kernel_side;
    float sum = 0;
    for (int r = 0; r < kernel_side; r++)
        for (int c = 0; c < kernel_side; c++) {
            const int y = top + r, x = left + c;
            const bool inside = y >= 0 && y < height && x >= 0 && x < width;
            sum = fma(inside ? in[from + ((ulong)y * width + x) * channels] : 0.0f, taps[r * kernel_side + c], sum);
        }
    if (flags & HAS_BIAS) sum += bias[o];
    if (flags & HAS_RESIDUAL) sum += residual[residual_at + row * outputs + o];
    out[out_at + row * outputs + o] = activate(sum, last);
}

/* Means of windows over NHWC. */
__kernel void pool(ARRAY(in), RESULT(out), int channels, int height, int width, int out_height, int out_width, int size,
                   int stride, int padding) {
    PLACE(c, row, channels)
    const ulong pixels = (ulong)out_height * out_width, pixel = row % pixels;
    const int y = (int)(pixel / out_width) * stride - padding, x = (int)(pixel % out_width) * stride - padding;
    const int top = max(y, 0), bottom = min(y + size, height), left = max(x, 0), right = min(x + size, width);
    const ulong from = in_at + row / pixels * height * width * channels + c;
    float sum = 0;
    for (int i = top; i < bottom; i++)
        for (int j = left; j < right; j++) {
            const float next = in[from + ((ulong)i * width + j) * channels];
            sum = i == top && j == left ? next : sum + next;
        }
    out[out_at + row * channels + c] = sum * divide(1.0f, (float)((bottom - top) * (right - left)));
}

/* The mean of `count` rows, summed in their order. */
static float mean_of(__global const float *column, int count, int width) {
    float sum = 0;
    for (int k = 0; k < count; k++) sum += column[(ulong)k * width];
    return divide(sum, (float)count);
}

/* A picture's cells behind a leading row: lead 0: none, 1: `row`, 2: the mean of the cells plus `row`. */
__kernel void sequence(ARRAY(in), RESULT(out), int cells, int width, int lead, __global const float *row,
                       __global const float *positions, int has_positions) {
    PLACE(j, line, width)
    const int rows = cells + (lead != 0), r = (int)(line % rows);
    const ulong picture = in_at + line / rows * cells * width + j;
    const int cell = r - (lead != 0);
    float x;
    if (cell < 0) x = lead == 1 ? row[j] : mean_of(in + picture, cells, width) + row[j];
    else {
        x = in[picture + (ulong)cell * width];
        if (has_positions) x = x + positions[(ulong)cell * width + j];
    }
    out[out_at + line * width + j] = x;
}

/* The same rows for every item. */
__kernel void repeat_rows(__global const float *rows, int count, int width, RESULT(out)) {
    PLACE(j, row, width)
    out[out_at + row * width + j] = rows[row % count * width + j];
}

/* Rows of `in` by their numbers. */
__kernel void pick_rows(ARRAY(in), __global const long *picked, int width, RESULT(out)) {
    PLACE(j, row, width)
    out[out_at + row * width + j] = in[in_at + (ulong)picked[row] * width + j];
}

/* Means of the rows picked[i].x .. picked[i].y - 1. */
__kernel void mean_rows(ARRAY(in), __global const long2 *picked, int width, RESULT(out)) {
    PLACE(j, row, width)
    const long2 rows = picked[row];
    out[out_at + row * width + j] = mean_of(in + in_at + (ulong)rows.x * width + j, (int)(rows.y - rows.x), width);
}

/* Each item's rows times one row of the item. */
__kernel void excite(ARRAY(in), ARRAY(factors), RESULT(out), int rows, int width, int activation) {
    PLACE(j, row, width)
    const ulong at = row * width + j;
    out[out_at + at] = activate(in[in_at + at] * factors[factors_at + row / rows * width + j], activation);
}

/* Heads 0 .. heads - 1 from `column` on are turned; `in` may be `out`: one item has both of a pair. */
__kernel void rotary(ARRAY(in), RESULT(out), int width, int column, int head_dim, int heads, int period, int skipped,
                     __global const float *straight, __global const float *crossed) {
    PLACE(j, row, width)
    const ulong from = in_at + row * width + j, to = out_at + row * width + j;
    const int at = (int)(row % period) - skipped, c = j - column;
    if (at < 0 || c < 0 || c >= heads * head_dim) {
        out[to] = in[from];
        return;
    }
    if (c & 1) return;
    const int d = at * head_dim + c % head_dim;
    const float x = in[from], y = in[from + 1];
    out[to] = fma(y, crossed[d], x * straight[d]);
    out[to + 1] = fma(x, crossed[d + 1], y * straight[d + 1]);
}

/* Elements by themselves: for the check of a device. */
__kernel void activations(__global const float *in, __global float *out, int count, int kind) {
    const int i = (int)get_global_id(0);
    if (i < count) out[i] = kind < 0 ? exponential(in[i]) : activate(in[i], kind);
}

#define NORM_ROWS 8
#define PARTS 16

static double halve(__local double *parts, int lane) {
    for (int half_way = PARTS / 2; half_way; half_way /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < half_way) parts[lane] += parts[lane + half_way];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const double sum = parts[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

/* Sixteen items a row, each a part of its sums, as kernels/matrix/layers_lanes.h divides them; `in` may be `out`. */
__kernel __attribute__((reqd_work_group_size(PARTS, NORM_ROWS, 1))) void norm(ARRAY(in), RESULT(out), ulong rows, int width,
                                                                              float epsilon, int flags,
                                                                              __global const float *weight,
                                                                              __global const float *bias, ARRAY(residual)) {
    __local double parts[NORM_ROWS][PARTS];
    const int lane = (int)get_local_id(0), line = (int)get_local_id(1);
    const ulong mine = (ulong)get_group_id(0) * NORM_ROWS + line;
    const bool there = mine < rows;
    const ulong row = there ? mine : rows - 1; /* the last group's others compute along, and write nothing */
    __global const float *x = in + in_at + row * width;
    double sum = 0;
    for (int j = lane; j < width; j += PARTS) sum += (double)x[j];
    parts[line][lane] = sum;
    const double mean = halve(parts[line], lane) / (double)width;
    sum = 0;
    for (int j = lane; j < width; j += PARTS) {
        const double off = (double)x[j] - mean;
        sum += off * off;
    }
    parts[line][lane] = sum;
    const double inverse = 1.0 / sqrt(halve(parts[line], lane) / (double)width + (double)epsilon);
    for (int j = lane; j < width && there; j += PARTS) {
        float y = (float)(((double)x[j] - mean) * inverse);
        if (flags & HAS_SCALE) y *= weight[j];
        if (flags & HAS_BIAS) y += bias[j];
        if (flags & HAS_RESIDUAL) y += residual[residual_at + row * width + j];
        out[out_at + row * width + j] = y;
    }
}
