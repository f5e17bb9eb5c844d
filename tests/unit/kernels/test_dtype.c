/* Tests of the conversions between fp16 and fp32, all of them against their definition, and of widened rows. */
#include <math.h>
#include <stdbool.h>

#include "kernels/base/dtype.h"
#include "tests/unit/vb_test.h"

static void halves_convert_exactly(void **state) {
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float value = vb_dtype_half_to_float((uint16_t)h);
        uint32_t exponent = h >> 10 & 31, fraction = h & 1023;
        if (exponent == 31 && fraction) {
            assert_true(isnan(value));
            continue;
        }
        double truth = exponent == 31 ? INFINITY : exponent ? ldexp(1024 + fraction, (int)exponent - 25) : ldexp(fraction, -24);
        if (h & 0x8000) truth = -truth;
        assert_true((double)value == truth);
        assert_int_equal(vb_dtype_float_to_half(value), h);
    }
    assert_int_equal(vb_dtype_float_to_half(65520.0f), 0x7c00); /* half way to the next: to infinity */
    assert_int_equal(vb_dtype_float_to_half(65519.996f), 0x7bff);
    assert_int_equal(vb_dtype_float_to_half(1.0f + 0x1p-11f), 0x3c00); /* tie: to even */
    assert_int_equal(vb_dtype_float_to_half(1.0f + 3 * 0x1p-11f), 0x3c02);
    assert_int_equal(vb_dtype_float_to_half(0x1p-25f), 0);
    assert_int_equal(vb_dtype_float_to_half(0x1.8p-24f), 2);
}

/* Rows of every type, at odd addresses: in one go as element by element, and the values that they hold. */
static void rows_widen_as_their_elements(void **state) {
    (void)state;
    static const double values[] = {-3, 0, 1, 2, 5, 100, 17, 1, 0, 4, 8};
    enum { COUNT = sizeof values / sizeof *values };
    for (vb_dtype dtype = 0; dtype < VB_OPAQUE; dtype++) {
        size_t size = vb_dtype_size(dtype);
        char bytes[1 + 8 * COUNT], *row = bytes + 1;
        float wide[COUNT], truth[COUNT];
        for (int i = 0; i < COUNT; i++) {
            bool is_signed = dtype != VB_U8 && dtype != VB_BOOL;
            double value = is_signed ? values[i] : dtype == VB_BOOL ? values[i] > 0 : fabs(values[i]);
            truth[i] = (float)value;
            int64_t whole = (int64_t)value; /* little-endian: its first bytes are every smaller integer */
            float single = (float)value;
            uint16_t half = vb_dtype_float_to_half(single);
            uint32_t bits;
            memcpy(&bits, &single, sizeof bits);
            uint16_t brain = (uint16_t)(bits >> 16);
            const void *from = dtype == VB_F32  ? (void *)&single :
                               dtype == VB_F64  ? (void *)&value :
                               dtype == VB_F16  ? (void *)&half :
                               dtype == VB_BF16 ? (void *)&brain :
                                                  (void *)&whole;
            memcpy(row + (size_t)i * size, from, size);
        }
        vb_dtype_widen(dtype, row, COUNT, wide);
        for (int i = 0; i < COUNT; i++) {
            assert_true(wide[i] == truth[i]);
            assert_true(vb_dtype_to_float(dtype, row + (size_t)i * size) == truth[i]);
            if (dtype <= VB_BF16) assert_true(vb_dtype_load(dtype, row + (size_t)i * size) == truth[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(halves_convert_exactly), cmocka_unit_test(rows_widen_as_their_elements)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
