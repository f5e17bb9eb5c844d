/* Tests of the matrix product: bit for bit the definition at every level, and the definition against integers. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"
#include "kernels/matrix/gemm_reference.h"

static uint32_t noise_state = 1;
static uint32_t noise(void) { return random_next24(&noise_state); }
static float noise_float(void) { return random_short_float(&noise_state); }

/* Equal bits; any NaN equals any other. */
static int64_t first_difference(const float *x, const float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (memcmp(x + i, y + i, sizeof *x) && !(isnan(x[i]) && isnan(y[i]))) return i;
    return -1;
}

typedef struct shape {
    int64_t rows, cols, depth;
} shape;

typedef struct problem {
    shape size;
    vb_dtype dtype;
    int layout; /* 0: k runs fastest; 1: rows run fastest; 2: neither */
    int misaligned;
    int64_t pad;          /* of all leading dimensions */
    unsigned char *bytes; /* of B */
    float *a, *c, *expected, *vectors, *residual;
    vb_matrix b;
} problem;

static void set_element(problem *p, int64_t row, int64_t col, float value) {
    int64_t index = row * p->b.row_stride + col * p->b.col_stride;
    unsigned char *at = p->bytes + p->misaligned + index * (int64_t)vb_dtype_size(p->dtype);
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t half = p->dtype == VB_F16 ? vb_dtype_float_to_half(value) : (uint16_t)(bits >> 16);
    if (p->dtype == VB_F32) memcpy(at, &value, 4);
    else memcpy(at, &half, 2);
}

static void open_problem(problem *p, float (*value)(void)) {
    vb_error err = {0};
    int64_t m = p->size.rows, n = p->size.cols, k = p->size.depth, pad = p->pad, ldc = n + pad;
    int64_t strides[3][2] = {{k + pad, 1}, {1, n + pad}, {2 * (k + pad), 2}};
    p->b = (vb_matrix){NULL, p->dtype, n, k, strides[p->layout][0], strides[p->layout][1]};
    size_t last = n && k ? (size_t)((n - 1) * p->b.row_stride + (k - 1) * p->b.col_stride + 1) : 0;
    /* exactly as many bytes as the matrix has: the sanitizer sees a read beyond them */
    p->bytes = vb_array(last * vb_dtype_size(p->dtype) + (size_t)p->misaligned, 1, "B", &err);
    p->a = vb_array((size_t)(m * (k + pad)), 4, "A", &err);
    p->c = vb_array((size_t)(m * ldc), 4, "C", &err);
    p->expected = vb_array((size_t)(m * ldc), 4, "expected", &err);
    p->vectors = vb_array((size_t)(2 * n), 4, "vectors", &err);
    p->residual = vb_array((size_t)(m * ldc), 4, "residual", &err);
    assert_true(p->bytes && p->a && p->c && p->expected && p->vectors && p->residual);
    p->b.data = p->bytes + p->misaligned;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++) set_element(p, i, j, value());
    for (int64_t i = 0; i < m * (k + pad); i++) p->a[i] = value();
    for (int64_t i = 0; i < 2 * n; i++) p->vectors[i] = value();
    for (int64_t i = 0; i < m * ldc; i++) p->residual[i] = value();
}

static void close_problem(problem *p) {
    vb_free(p->bytes), vb_free(p->a), vb_free(p->c), vb_free(p->expected), vb_free(p->vectors), vb_free(p->residual);
}

static void from_rows(const void *context, int64_t row, int64_t first, int64_t count, float *out) {
    const problem *p = context;
    memcpy(out, p->a + row * (p->size.depth + p->pad) + first, (size_t)count * sizeof *out);
}

static void compare(const problem *p, int level, int threads, const char *how) {
    const int64_t ldc = p->size.cols + p->pad, at = first_difference(p->c, p->expected, p->size.rows * ldc);
    if (at < 0) return;
    fail_msg("%s, %d threads, %lld x %lld x %lld, %s, layout %d, %s: C[%lld][%lld] is %a instead of %a",
             vb_isa_name((vb_isa)level), threads, (long long)p->size.rows, (long long)p->size.cols, (long long)p->size.depth,
             vb_dtype_name(p->dtype), p->layout, how, (long long)(at / ldc), (long long)(at % ldc), (double)p->c[at],
             (double)p->expected[at]);
}

/* B packed before, in exactly as many floats as it takes; the matrix itself is then not read: it has no data. */
static void check_kept(problem *p, vb_gemm_a a, vb_epilogue *epilogue, int in_place, int level) {
    vb_error err = {0};
    const int64_t ldc = p->size.cols + p->pad;
    float *floats = vb_array(vb_gemm_kept_floats(&p->b), sizeof *floats, "kept", &err);
    assert_non_null(floats);
    vb_gemm_keep(&p->b, floats, 1 + level % 2);
    const vb_kept kept = {floats, vb_gemm_kept_columns()};
    vb_matrix b = p->b;
    b.data = NULL;
    a.kept = &kept;
    for (int threads = 1; threads <= 3; threads++) {
        memcpy(p->c, p->residual, (size_t)(p->size.rows * ldc) * 4);
        if (in_place) epilogue->residual = p->c;
        assert_ok(vb_gemm(p->size.rows, &a, &b, p->c, ldc, epilogue, threads, &err));
        compare(p, level, threads, "kept");
    }
    vb_free(floats);
}

/* All levels and thread counts give the reference's bits, in C and nowhere else, whether B is packed on the way or was before. */
static void check_all_levels(problem *p, const vb_epilogue *epilogue, int from_source, int in_place) {
    vb_error err = {0};
    int64_t ldc = p->size.cols + p->pad, count = p->size.rows * ldc;
    vb_gemm_a stored = {.data = p->a, .ld = p->size.depth + p->pad}, supplied = {.source = from_rows, .context = p};
    vb_epilogue own = epilogue ? *epilogue : (vb_epilogue){0};
    memcpy(p->expected, p->residual, (size_t)count * 4);
    if (in_place) own.residual = p->expected, own.ld_residual = ldc;
    assert_ok(vb_gemm_reference(p->size.rows, &stored, &p->b, p->expected, ldc, epilogue || in_place ? &own : NULL, &err));
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        if ((int)vb_isa_level() < level) continue;
        for (int threads = 1; threads <= 3; threads++) {
            memcpy(p->c, p->residual, (size_t)count * 4);
            if (in_place) own.residual = p->c;
            assert_ok(vb_gemm(p->size.rows, from_source ? &supplied : &stored, &p->b, p->c, ldc,
                              epilogue || in_place ? &own : NULL, threads, &err));
            compare(p, level, threads, "packed");
        }
        check_kept(p, from_source ? supplied : stored, epilogue || in_place ? &own : NULL, in_place, level);
    }
    vb_isa_limit(VB_VNNI);
}

static void every_level_gives_the_reference_bits(void **state) {
    (void)state;
    static const shape shapes[] = {{1, 1, 1},     {1, 33, 7},    {2, 16, 16},    {5, 17, 31},   {6, 32, 33},
                                   {13, 31, 64},  {14, 32, 65},  {15, 64, 48},   {27, 47, 100}, {28, 1, 257},
                                   {29, 95, 256}, {43, 65, 255}, {57, 130, 600}, {3, 500, 17},  {130, 3, 40}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int dtype = VB_F32; dtype <= VB_BF16; dtype++)
            for (int layout = 0; layout < 3; layout++) {
                problem p = {
                    .size = shapes[s], .dtype = (vb_dtype)dtype, .layout = layout, .misaligned = layout & 1, .pad = 3 * layout};
                open_problem(&p, noise_float);
                check_all_levels(&p, NULL, layout == 1, layout == 2);
                close_problem(&p);
            }
}

static void every_epilogue_gives_the_reference_bits(void **state) {
    (void)state;
    static const shape shapes[] = {{15, 37, 20}, {31, 70, 300}};
    for (int choice = 0; choice < 2 * 2 * 4 * 3 * 2; choice++) {
        problem p = {.size = shapes[choice % 2], .dtype = VB_F32, .pad = choice % 3};
        open_problem(&p, noise_float);
        vb_epilogue e = {.scale = choice & 1 ? p.vectors : NULL,
                         .bias = choice >> 1 & 1 ? p.vectors + p.size.cols : NULL,
                         .activation = (vb_activation)(choice >> 2 & 3),
                         .last = choice / 48 ? VB_RELU : VB_LINEAR};
        int residual = choice / 16 % 3; /* none, beside C, C itself */
        if (residual == 1) e.residual = p.residual, e.ld_residual = p.size.cols + p.pad;
        check_all_levels(&p, &e, choice % 5 == 0, residual == 2);
        close_problem(&p);
    }
}

/* Gates beside C and in C itself, with a residual and without, times SwiGLU's activation. */
static void gates_give_the_reference_bits(void **state) {
    (void)state;
    vb_error err = {0};
    for (int choice = 0; choice < 4; choice++) {
        problem p = {.size = {31, 70, 300}, .dtype = VB_F16, .pad = choice};
        open_problem(&p, noise_float);
        const int64_t ldc = p.size.cols + p.pad, count = p.size.rows * ldc;
        const vb_gemm_a a = {.data = p.a, .ld = p.size.depth + p.pad};
        vb_epilogue e = {.bias = p.vectors, .activation = choice < 2 ? VB_SILU : VB_GELU, .ld_gate = ldc};
        if (choice == 3) e.residual = p.residual, e.ld_residual = ldc;
        for (int64_t i = 0; i < count; i++) p.expected[i] = p.residual[i] / 3;
        e.gate = choice ? p.expected : p.residual;
        assert_ok(vb_gemm_reference(p.size.rows, &a, &p.b, p.expected, ldc, &e, &err));
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 2; threads++) {
                vb_isa_limit((vb_isa)level);
                for (int64_t i = 0; i < count; i++) p.c[i] = p.residual[i] / 3;
                e.gate = choice ? p.c : p.residual;
                assert_ok(vb_gemm(p.size.rows, &a, &p.b, p.c, ldc, &e, threads, &err));
                assert_int_equal(first_difference(p.c, p.expected, count), -1);
            }
        close_problem(&p);
    }
    vb_isa_limit(VB_VNNI);
}

static void many_rows_and_columns_are_cut_into_tasks(void **state) {
    (void)state;
    static const shape shapes[] = {{1100, 37, 5}, {20, 1700, 9}, {1030, 400, 3}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        problem p = {.size = shapes[s], .dtype = VB_F32, .pad = 1};
        open_problem(&p, noise_float);
        check_all_levels(&p, NULL, 0, 1);
        close_problem(&p);
    }
    problem p = {.size = {1040, 40, 520}, .dtype = VB_F16};
    open_problem(&p, noise_float);
    check_all_levels(&p, NULL, 1, 1);
    close_problem(&p);
}

static float small_integer(void) { return (float)((int)(noise() % 17) - 8); }

static void integers_multiply_exactly(void **state) {
    (void)state;
    vb_error err = {0};
    static const shape shapes[] = {{19, 45, 33}, {50, 96, 700}};
    for (size_t s = 0; s < 2; s++)
        for (int dtype = VB_F32; dtype <= VB_BF16; dtype++)
            for (int layout = 0; layout < 3; layout++) {
                problem p = {.size = shapes[s], .dtype = (vb_dtype)dtype, .layout = layout, .pad = 2};
                open_problem(&p, small_integer);
                int64_t n = p.size.cols, k = p.size.depth;
                vb_gemm_a a = {.data = p.a, .ld = k + p.pad};
                vb_epilogue e = {.scale = p.vectors,
                                 .bias = p.vectors + n,
                                 .activation = VB_RELU,
                                 .residual = p.residual,
                                 .ld_residual = n + p.pad};
                assert_ok(vb_gemm(p.size.rows, &a, &p.b, p.c, n + p.pad, &e, 2, &err));
                for (int64_t i = 0; i < p.size.rows; i++)
                    for (int64_t j = 0; j < n; j++) {
                        int64_t sum = 0;
                        for (int64_t x = 0; x < k; x++) {
                            float b;
                            uint16_t half;
                            int64_t index = j * p.b.row_stride + x * p.b.col_stride;
                            const unsigned char *at = p.bytes + index * (int64_t)vb_dtype_size(p.dtype);
                            if (dtype == VB_F32) memcpy(&b, at, 4);
                            else
                                memcpy(&half, at, 2),
                                    b = dtype == VB_F16 ? vb_dtype_half_to_float(half) : vb_dtype_bf16_to_float(half);
                            sum += (int64_t)b * (int64_t)p.a[i * a.ld + x];
                        }
                        sum = sum * (int64_t)p.vectors[j] + (int64_t)p.vectors[n + j];
                        sum = (sum > 0 ? sum : 0) + (int64_t)p.residual[i * e.ld_residual + j];
                        assert_true(p.c[i * (n + p.pad) + j] == (float)sum);
                    }
                close_problem(&p);
            }
}

static void empty_products(void **state) {
    (void)state;
    vb_error err = {0};
    problem none = {.size = {0, 5, 7}};
    open_problem(&none, noise_float);
    vb_gemm_a a = {.data = none.a, .ld = 7};
    assert_ok(vb_gemm(0, &a, &none.b, none.c, 5, NULL, 2, &err));
    close_problem(&none);
    problem narrow = {.size = {4, 0, 7}};
    open_problem(&narrow, noise_float);
    assert_ok(vb_gemm(4, &a, &narrow.b, narrow.c, 5, NULL, 1, &err));
    close_problem(&narrow);
    problem flat = {.size = {17, 35, 0}}; /* an empty sum is 0, and the epilogue still runs */
    open_problem(&flat, noise_float);
    vb_epilogue e = {.bias = flat.vectors};
    check_all_levels(&flat, &e, 0, 0);
    for (int j = 0; j < 35; j++) assert_true(flat.c[16 * 35 + j] == flat.vectors[j]);
    close_problem(&flat);
}

static void rows_do_not_know_their_batch(void **state) {
    (void)state;
    vb_error err = {0};
    problem p = {.size = {75, 70, 300}, .dtype = VB_F16};
    open_problem(&p, noise_float);
    vb_gemm_a a = {.data = p.a, .ld = 300};
    assert_ok(vb_gemm(75, &a, &p.b, p.c, 70, NULL, 2, &err));
    for (int64_t i = 0; i < 75; i += 11) {
        vb_gemm_a one = {.data = p.a + i * 300, .ld = 300};
        assert_ok(vb_gemm(1, &one, &p.b, p.expected, 70, NULL, 1, &err));
        assert_int_equal(first_difference(p.expected, p.c + i * 70, 70), -1);
    }
    close_problem(&p);
}

/* Weights that were kept for tiles of another width are not looked at. */
static void kept_weights_of_another_level_are_ignored(void **state) {
    (void)state;
    vb_error err = {0};
    problem p = {.size = {20, 50, 40}, .dtype = VB_F32};
    open_problem(&p, noise_float);
    const vb_kept others = {p.a, 2 * vb_gemm_kept_columns()}, none = {NULL, vb_gemm_kept_columns()};
    vb_gemm_a a = {.data = p.a, .ld = 40, .kept = &others};
    assert_ok(vb_gemm_reference(20, &a, &p.b, p.expected, 50, NULL, &err));
    assert_ok(vb_gemm(20, &a, &p.b, p.c, 50, NULL, 1, &err));
    compare(&p, VB_VNNI, 1, "another level's");
    a.kept = &none;
    memset(p.c, 0xff, 20 * 50 * sizeof *p.c);
    assert_ok(vb_gemm(20, &a, &p.b, p.c, 50, NULL, 1, &err));
    compare(&p, VB_VNNI, 1, "none");
    close_problem(&p);
}

static void broken_values_stay_broken_and_alone(void **state) {
    (void)state;
    vb_error err = {0};
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        problem p = {.size = {20, 50, 40}, .dtype = VB_F16};
        open_problem(&p, noise_float);
        p.a[3 * 40 + 39] = INFINITY;
        p.a[5 * 40 + 2] = NAN;
        set_element(&p, 49, 39, NAN);
        vb_gemm_a a = {.data = p.a, .ld = 40};
        vb_epilogue e = {.activation = VB_RELU, .last = VB_RELU};
        assert_ok(vb_gemm(20, &a, &p.b, p.c, 50, &e, 1, &err));
        for (int i = 0; i < 20; i++)
            for (int j = 0; j < 50; j++) {
                float x = p.c[i * 50 + j];
                if (i == 5 || j == 49) assert_true(isnan(x));
                else assert_true(!isnan(x) && (i == 3 || isfinite(x)));
            }
        close_problem(&p);
    }
    vb_isa_limit(VB_VNNI);
}

static void calls_inside_a_parallel_region(void **state) {
    (void)state;
    problem p = {.size = {40, 33, 64}, .dtype = VB_BF16};
    open_problem(&p, noise_float);
    vb_gemm_a a = {.data = p.a, .ld = 64};
    vb_error err = {0};
    assert_ok(vb_gemm_reference(40, &a, &p.b, p.expected, 33, NULL, &err));
    int failures = 0;
#pragma omp parallel for num_threads(3) reduction(+ : failures)
    for (int i = 0; i < 40; i++) {
        vb_gemm_a row = {.data = p.a + i * 64, .ld = 64};
        failures += vb_gemm(1, &row, &p.b, p.c + i * 33, 33, NULL, 1, NULL) != 0;
    }
    assert_int_equal(failures, 0);
    assert_int_equal(first_difference(p.c, p.expected, 40 * 33), -1);
    close_problem(&p);
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    vb_error err = {0};
    problem p = {.size = {5, 6, 7}};
    open_problem(&p, noise_float);
    vb_gemm_a a = {.data = p.a, .ld = 7};
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_gemm(5, &a, &p.b, p.c, 6, NULL, 2, &err), VB_EMEMORY, "matrix product");
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_gemm_reference(5, &a, &p.b, p.c, 6, NULL, &err), VB_EMEMORY, "row of A");
    vb_fault_setup(NULL, 0);
    close_problem(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_level_gives_the_reference_bits),
                                       cmocka_unit_test(every_epilogue_gives_the_reference_bits),
                                       cmocka_unit_test(gates_give_the_reference_bits),
                                       cmocka_unit_test(many_rows_and_columns_are_cut_into_tasks),
                                       cmocka_unit_test(integers_multiply_exactly),
                                       cmocka_unit_test(empty_products),
                                       cmocka_unit_test(rows_do_not_know_their_batch),
                                       cmocka_unit_test(kept_weights_of_another_level_are_ignored),
                                       cmocka_unit_test(broken_values_stay_broken_and_alone),
                                       cmocka_unit_test(calls_inside_a_parallel_region),
                                       cmocka_unit_test(lack_of_memory_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
