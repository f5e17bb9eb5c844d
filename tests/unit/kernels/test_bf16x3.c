/* Tests of the product in three products of bf16: bit for bit a definition written here, at every level and on AMX's instructions
 * in C; its error against fp64; the choice at the start. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"
#include "kernels/matrix/bf16x3_check.h"
#include "kernels/matrix/bf16x3_kernel.h"
#include "kernels/matrix/conv_run.h"

/* AMX's instructions as the Software Developer's Manual has them, for the kernel's file, which is included below. */
static _Thread_local struct { uint32_t rows[16][16]; } tiles[8];
static _Thread_local int tile_rows[8], tile_bytes[8], tile_calls;

static float flushed(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }
static float of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
/* One rounding to 24 bits whatever the exponent, then the flush. long double holds the product and, near 2^-126, the sum. */
static float fused_flushed(float x, float y, float sum) {
    const float got = fmaf(flushed(x), flushed(y), flushed(sum));
    const long double exact = (long double)flushed(x) * flushed(y) + flushed(sum);
    return fabsl(exact) < 0x1p-126L - 0x1p-151L ? copysignf(0, (float)copysignl(1, exact)) : got;
}

static void emulate_config(const void *at) {
    const uint8_t *bytes = at;
    assert_int_equal(bytes[0], 1);
    for (int i = 0; i < 8; i++) tile_bytes[i] = bytes[16 + 2 * i] | bytes[17 + 2 * i] << 8, tile_rows[i] = bytes[48 + i];
}
static void emulate_load(int tile, const void *at, long stride) {
    memset(&tiles[tile], 0, sizeof tiles[tile]);
    for (int i = 0; i < tile_rows[tile]; i++)
        memcpy(tiles[tile].rows[i], (const char *)at + i * stride, (size_t)tile_bytes[tile]);
}
static void emulate_store(int tile, void *at, long stride) {
    for (int i = 0; i < tile_rows[tile]; i++) memcpy((char *)at + i * stride, tiles[tile].rows[i], (size_t)tile_bytes[tile]);
}
static void emulate_dot(int to, int left, int right) {
    tile_calls++;
    for (int m = 0; m < tile_rows[to]; m++) {
        float sums[32] = {0};
        for (int k = 0; k < tile_bytes[left] / 4; k++)
            for (int n = 0; n < tile_bytes[to] / 4; n++)
                for (int half = 0; half < 2; half++) {
                    const uint32_t x = tiles[left].rows[m][k], y = tiles[right].rows[k][n];
                    sums[2 * n + half] = fused_flushed(of_bits(half ? x & 0xffff0000u : x << 16),
                                                       of_bits(half ? y & 0xffff0000u : y << 16), sums[2 * n + half]);
                }
        for (int n = 0; n < tile_bytes[to] / 4; n++)
            tiles[to].rows[m][n] = bits_of(flushed(of_bits(tiles[to].rows[m][n]) + flushed(sums[2 * n] + sums[2 * n + 1])));
    }
}
#define _tile_loadconfig emulate_config
#define _tile_loadd emulate_load
#define _tile_stored emulate_store
#define _tile_dpbf16ps emulate_dot
#define _tile_release() ((void)0)
#if defined(__x86_64__)
#define VB_BF16X3_AMX_WRITTEN_IN_C
#include "kernels/matrix/bf16x3_amx.c"
static void pack_in_c(const vb_matrix *b, int64_t row, int n, int64_t first, int64_t count, float *out) {
    for (int64_t k = 0; k < count; k++)
        for (int j = 0; j < COLS; j++) out[k * COLS + j] = j < n ? vb_matrix_at(b, row + j, first + k) : 0;
}
static const vb_gemm_kernel wide = {.cols = COLS, .pack = pack_in_c};
static const vb_bf16x3_kernel amx = {.name = "amx_bf16 in C",
                                     .rows = ROWS,
                                     .fp32 = &wide,
                                     .pack_a = bf16x3_pack_a,
                                     .pack_b = bf16x3_pack_b,
                                     .multiply = bf16x3_multiply_amx};
#endif

/* The definition of bf16x3.h, from the floats on. */
static float to_bf16(float x) {
    const double magnitude = fabs((double)x);
    if (!(magnitude >= 0x1p-126)) return isnan(x) ? x : copysignf(0, x);
    if (isinf(x)) return x;
    const double step = ldexp(1, ilogb(magnitude) - 7), steps = nearbyint(magnitude / step); /* ties to even */
    return copysignf((float)(steps * step), x);                                              /* too large: infinity */
}
static float expected_element(const float *a, const float *b, int64_t depth, int64_t b_stride) {
    float c = 0;
    for (int64_t k = 0; k < depth; k += 32)
        for (int part = 0; part < 3; part++) {
            float half[2] = {0};
            for (int i = 0; i < 32; i++) {
                const float x = k + i < depth ? a[k + i] : 0, y = k + i < depth ? b[(k + i) * b_stride] : 0;
                const float xh = to_bf16(x), yh = to_bf16(y), xl = to_bf16(x - xh), yl = to_bf16(y - yh);
                half[i / 16] = fused_flushed(part == 2 ? xl : xh, part == 1 ? yl : yh, half[i / 16]);
            }
            c = flushed(c + flushed(half[0] + half[1]));
        }
    return c;
}

static uint64_t state = 5;
/* kind 0: as activations are; 1: products around 2^-126; 2: any bits at all. */
static float value(int kind) {
    if (kind == 0) return (float)(random_unit_float(&state) * 4 - 2);
    const uint32_t bits = random_below(&state, 1u << 31) << 1 ^ random_below(&state, 1u << 31);
    if (kind == 2) return of_bits(bits);
    return of_bits((bits & 0x807fffffu) | (60 + random_below(&state, 6)) << 23);
}

static int same(float x, float y) { return bits_of(x) == bits_of(y) || (isnan(x) && isnan(y)); }

static void compare(const vb_bf16x3_kernel *kernel, const char *level, const float *a, const vb_matrix *b, int64_t rows,
                    const float *expected, int kind) {
    vb_error err = {0};
    const vb_gemm_a left = {.data = a, .ld = b->cols};
    float *c = vb_array((size_t)(rows * b->rows), sizeof *c, "C", &err);
    assert_non_null(c);
    for (int threads = 1; threads <= 3; threads++) {
        memset(c, 0xff, (size_t)(rows * b->rows) * sizeof *c);
        assert_ok(vb_bf16x3_gemm(kernel, rows, &left, b, c, b->rows, NULL, threads, &err));
        for (int64_t i = 0; i < rows * b->rows; i++)
            if (!same(c[i], expected[i]))
                fail_msg("%s (%s), %d threads, %lld x %lld x %lld, kind %d: C[%lld][%lld] is %a instead of %a", kernel->name,
                         level, threads, (long long)rows, (long long)b->rows, (long long)b->cols, kind, (long long)(i / b->rows),
                         (long long)(i % b->rows), (double)c[i], (double)expected[i]);
    }
    vb_free(c);
}

static void every_kernel_gives_the_definition(void **unused) {
    (void)unused;
    vb_error err = {0};
    static const int64_t sizes[][3] = {{1, 1, 1},    {3, 33, 31},   {7, 17, 32},  {35, 40, 33}, {33, 65, 64},
                                       {6, 32, 256}, {34, 31, 300}, {530, 3, 40}, {2, 400, 20}, {2, 2, 0}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int kind = 0; kind < 3; kind++) {
            const int64_t m = sizes[s][0], n = sizes[s][1], depth = sizes[s][2];
            float *a = vb_array((size_t)(m * depth), 4, "A", &err), *b = vb_array((size_t)(n * depth), 4, "B", &err),
                  *expected = vb_array((size_t)(m * n), 4, "C", &err);
            assert_true(a && b && expected);
            for (int64_t i = 0; i < m * depth; i++) a[i] = value(kind);
            for (int64_t i = 0; i < n * depth; i++) b[i] = value(kind);
            const bool across = s % 2; /* rows of B run fastest */
            const vb_matrix right = {b, VB_F32, n, depth, across ? 1 : depth, across ? n : 1};
            for (int64_t i = 0; i < m; i++)
                for (int64_t j = 0; j < n; j++)
                    expected[i * n + j] = expected_element(a + i * depth, b + (across ? j : j * depth), depth, across ? n : 1);
            for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
                vb_isa_limit((vb_isa)level);
                if ((int)vb_isa_level() < level) continue;
                for (int i = 0; vb_bf16x3_kernel_at(i); i++)
                    compare(vb_bf16x3_kernel_at(i), vb_isa_name((vb_isa)level), a, &right, m, expected, kind);
            }
            vb_isa_limit(VB_VNNI);
#if defined(__x86_64__)
            tile_calls = 0;
            compare(&amx, "C", a, &right, m, expected, kind);
            assert_true(tile_calls > 0 || !depth);
#endif
            vb_free(a), vb_free(b), vb_free(expected);
        }
}

/* The bound that hi and lo promise: 2^-16 of each product, three fp32 sums. bf16 alone would be 2^-8. */
static void it_is_nearly_fp32(void **unused) {
    (void)unused;
    vb_error err = {0};
    enum { DEPTH = 768, N = 20 };
    static float a[N * DEPTH], b[N * DEPTH], c[N * N];
    for (int i = 0; i < N * DEPTH; i++) a[i] = value(0), b[i] = value(0);
    const vb_gemm_a left = {.data = a, .ld = DEPTH};
    const vb_matrix right = {b, VB_F32, N, DEPTH, DEPTH, 1};
    vb_bf16x3_choice choice;
    assert_ok(vb_bf16x3_check_choose(&choice, &err));
    assert_ok(vb_bf16x3_gemm(choice.kernel, N, &left, &right, c, N, NULL, 1, &err));
    double worst = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double exact = 0, size = 0;
            for (int k = 0; k < DEPTH; k++) {
                const double product = (double)a[i * DEPTH + k] * b[j * DEPTH + k];
                exact += product, size += fabs(product);
            }
            if (fabs(c[i * N + j] - exact) / size > worst) worst = fabs(c[i * N + j] - exact) / size;
        }
    assert_true(worst < 0x1p-15);
    assert_true(worst > 0x1p-30); /* it is not fp64, nor was nothing compared */
}

/* vb_gemm and convolutions pass it on; epilogues and sources of rows are theirs. */
static void products_and_convolutions_take_it(void **unused) {
    (void)unused;
    vb_error err = {0};
    enum { C = 8, EDGE = 5, OUT = 3 };
    static float picture[C * EDGE * EDGE], filter[OUT * C * 9], bias[OUT] = {1, -2, 3}, out[OUT * EDGE * EDGE], patch[C * 9];
    for (int i = 0; i < C * EDGE * EDGE; i++) picture[i] = value(0);
    for (int i = 0; i < OUT * C * 9; i++) filter[i] = value(0);
    vb_bf16x3_choice choice;
    assert_ok(vb_bf16x3_check_choose(&choice, &err));
    vb_conv conv = vb_conv_over_nhwc(picture, C, EDGE, EDGE, 3, 1, 1);
    conv.bf16x3 = choice.kernel;
    const vb_matrix weight = {filter, VB_F32, OUT, C * 9, C * 9, 1};
    const vb_epilogue epilogue = {.bias = bias, .last = VB_RELU};
    assert_ok(vb_conv_run(&conv, 1, &weight, out, &epilogue, 1, &err));
    for (int at = 0; at < EDGE * EDGE; at++) {
        for (int k = 0; k < C * 9; k++) {
            const int c = k / 9, y = at / EDGE + k % 9 / 3 - 1, x = at % EDGE + k % 3 - 1;
            patch[k] = y < 0 || x < 0 || y >= EDGE || x >= EDGE ? 0 : picture[(y * EDGE + x) * C + c];
        }
        for (int o = 0; o < OUT; o++) {
            const float sum = expected_element(patch, filter + o * C * 9, C * 9, 1) + bias[o], expected = sum > 0 ? sum : 0;
            if (!same(out[at * OUT + o], expected))
                fail_msg("pixel %d, channel %d: %a instead of %a", at, o, (double)out[at * OUT + o], (double)expected);
        }
    }
}

static void the_choice_is_the_best_with_the_right_bits(void **unused) {
    (void)unused;
    vb_error err = {0};
    vb_bf16x3_choice choice;
    double times = -1;
    assert_ok(vb_bf16x3_check_choose(&choice, &err));
    assert_ptr_equal(choice.kernel, vb_bf16x3_kernel_at(0));
    assert_int_equal(choice.native, vb_isa_has_bf16());
    assert_ok(vb_bf16x3_check_speed(choice.kernel, &times, &err));
    assert_true(times > 0 && times < 1000);
    vb_isa_limit(VB_SCALAR);
    assert_ok(vb_bf16x3_check_choose(&choice, &err));
    assert_string_equal(choice.name, "scalar");
    assert_false(choice.native);
    vb_isa_limit(VB_VNNI);
}

static void lack_of_memory_is_an_error(void **unused) {
    (void)unused;
    vb_error err = {0};
    vb_bf16x3_choice choice;
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_bf16x3_check_choose(&choice, &err), VB_EMEMORY, "memory");
    vb_fault_setup("alloc:2:ENOMEM", 0);
    assert_fails(vb_bf16x3_check_choose(&choice, &err), VB_EMEMORY, "work space of a matrix product");
    vb_fault_setup(NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kernel_gives_the_definition), cmocka_unit_test(it_is_nearly_fp32),
                                       cmocka_unit_test(products_and_convolutions_take_it),
                                       cmocka_unit_test(the_choice_is_the_best_with_the_right_bits),
                                       cmocka_unit_test(lack_of_memory_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
