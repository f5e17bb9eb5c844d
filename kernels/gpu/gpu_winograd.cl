/* Convolution of 3 x 3 filters through Winograd's transforms: the lines of kernels/matrix/winograd.h, of pixels and of sums.
 * Filters were transformed when they were uploaded; the 36 products between are gpu_gemm.cl's. */
#define SIDE 4
#define WINDOW 6
#define POINTS 36

/* Six numbers, `step` apart in d, to six, `to` apart in v. */
static void input_line(const float *d, int step, float *v, int to) {
    const float d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    const float near_even = fma(-9.0f / 4, d2, d4), near_odd = fma(-9.0f / 4, d1, d3);
    const float far_even = fma(-9.0f / 16, d2, d4), far_odd = fma(-9.0f / 16, d1, d3);
    v[0] = fma(81.0f / 64, d0, fma(-45.0f / 16, d2, d4));
    v[to] = fma(3.0f / 4, near_odd, near_even);
    v[2 * to] = fma(-3.0f / 4, near_odd, near_even);
    v[3 * to] = fma(3.0f / 2, far_odd, far_even);
    v[4 * to] = fma(-3.0f / 2, far_odd, far_even);
    v[5 * to] = fma(81.0f / 64, d1, fma(-45.0f / 16, d3, d5));
}

/* Six sums to four results. */
static void output_line(const float *m, int step, float *y, int to) {
    const float m0 = m[0], m1 = m[step], m2 = m[2 * step], m3 = m[3 * step], m4 = m[4 * step], m5 = m[5 * step];
    const float sum = m1 + m2, difference = m1 - m2, far_sum = m3 + m4, far_difference = m3 - m4;
    y[0] = (m0 + sum) + far_sum;
    y[to] = fma(3.0f / 2, far_difference, (3.0f / 4) * difference);
    y[2 * to] = fma(9.0f / 4, far_sum, (9.0f / 16) * sum);
    y[3 * to] = fma(27.0f / 8, far_difference, fma(27.0f / 64, difference, m5));
}

/* Item x of a launch: channel x % channels of tile x / channels. */
#define TILE(count)                                                                                                              \
    const ulong item_ = get_global_id(0);                                                                                        \
    const int channel = (int)(item_ % (count));                                                                                  \
    const ulong line = item_ / (count), tile = first + line;                                                                     \
    if (line >= tiles) return;                                                                                                   \
    const ulong image = tile / (down * across);                                                                                  \
    const int y0 = (int)(tile % (down * across) / across) * SIDE, x0 = (int)(tile % across) * SIDE;

/* Tiles first .. first + tiles - 1: point p of channel c of tile t to values[(p * tiles + t) * channels + c]. */
__kernel void winograd_input(__global const float *in, ulong in_at, __global float *values, ulong values_at, ulong first,
                             ulong tiles, ulong down, ulong across, int channels, int height, int width, int padding) {
    TILE((uint)channels)
    float d[POINTS], v[POINTS];
    for (int y = 0; y < WINDOW; y++)
        for (int x = 0; x < WINDOW; x++) {
            const int i = y0 - padding + y, j = x0 - padding + x;
            const bool inside = i >= 0 && i < height && j >= 0 && j < width;
            d[y * WINDOW + x] = inside ? in[in_at + ((image * height + i) * width + j) * channels + channel] : 0.0f;
        }
    for (int x = 0; x < WINDOW; x++) input_line(d + x, WINDOW, v + x, WINDOW);
    for (int y = 0; y < WINDOW; y++) input_line(v + y * WINDOW, 1, d + y * WINDOW, 1);
    for (int p = 0; p < POINTS; p++) values[values_at + (p * tiles + line) * channels + channel] = d[p];
}

/* The sums, laid out as the values are, to the output image, with the epilogue. */
__kernel void winograd_output(__global const float *sums, ulong sums_at, __global float *out, ulong out_at, ulong first,
                              ulong tiles, ulong down, ulong across, int outputs, int height, int width, int flags,
                              __global const float *scale, __global const float *bias, __global const float *residual,
                              ulong residual_at, int last) {
    TILE((uint)outputs)
    float m[POINTS], half_way[SIDE * WINDOW], y[SIDE * SIDE];
    for (int p = 0; p < POINTS; p++) m[p] = sums[sums_at + (p * tiles + line) * outputs + channel];
    for (int x = 0; x < WINDOW; x++) output_line(m + x, WINDOW, half_way + x, WINDOW);
    for (int r = 0; r < SIDE; r++) output_line(half_way + r * WINDOW, 1, y + r * SIDE, 1);
    for (int r = 0; r < SIDE; r++)
        for (int s = 0; s < SIDE; s++) {
            if (y0 + r >= height || x0 + s >= width) continue;
            const ulong at = ((image * height + y0 + r) * width + x0 + s) * outputs + channel;
            float z = y[r * SIDE + s];
            if (flags & HAS_SCALE) z *= scale[channel];
            if (flags & HAS_BIAS) z += bias[channel];
            if (flags & HAS_RESIDUAL) z += residual[residual_at + at];
            out[out_at + at] = activate(z, last);
        }
}
