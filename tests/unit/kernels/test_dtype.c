/* Tests of the conversions between fp16 and fp32, all of them against their definition. */
#include <math.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(halves_convert_exactly)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
