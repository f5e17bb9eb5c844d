/* Tests of the error value, fault injection, allocation, and the exact conversions of fp16. */
#include <errno.h>
#include <math.h>

#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/base/tensor.h"

static void errors_are_one_line(void **state) {
    (void)state;
    vb_error err = {0};
    assert_int_equal(vb_errorf(&err, VB_EDATA, "a\nb %d", 3), -1);
    assert_int_equal(err.code, VB_EDATA);
    assert_string_equal(err.text, "a?b 3");
    assert_int_equal(vb_error_prefix(&err, "file %s", "x"), -1);
    assert_string_equal(err.text, "file x: a?b 3");
    vb_errorf(&err, VB_EDATA, "again: %s", err.text);
    assert_string_equal(err.text, "again: file x: a?b 3");
    assert_int_equal(vb_errorf(NULL, VB_EDATA, "nobody listens"), -1);
    vb_errorf(&err, VB_EDATA, "%s", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb1 \x80 \xc3( \xc2\x9b \xed\xa0\x80 \xe2\x82");
    assert_string_equal(err.text, "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb1 ? ?( ?? ??? ??");
}

static void faults_hit_the_nth_call(void **state) {
    (void)state;
    assert_int_equal(vb_fault_setup("write:3:ENOSPC", 0), 0);
    assert_int_equal(vb_fault(VB_FAULT_WRITE), 0);
    assert_int_equal(vb_fault(VB_FAULT_READ), 0);
    assert_int_equal(vb_fault(VB_FAULT_WRITE), 0);
    assert_int_equal(vb_fault(VB_FAULT_WRITE), ENOSPC);
    assert_int_equal(vb_fault(VB_FAULT_WRITE), 0);
    assert_int_equal(vb_fault_setup("read:2+:short", 0), 0);
    assert_int_equal(vb_fault(VB_FAULT_READ), 0);
    assert_int_equal(vb_fault(VB_FAULT_READ), VB_FAULT_SHORT);
    assert_int_equal(vb_fault(VB_FAULT_READ), VB_FAULT_SHORT);
    assert_int_equal(vb_fault_setup("read:1:EIO@2", 1), 0);
    assert_int_equal(vb_fault(VB_FAULT_READ), 0);
    assert_int_equal(vb_fault_setup("unit:1:slow", 0), 0);
    assert_int_equal(vb_fault(VB_FAULT_UNIT), 0);
    assert_int_equal(vb_fault_setup("nonsense", 0), -1);
    assert_int_equal(vb_fault_setup("read:x:EIO", 0), -1);
    assert_int_equal(vb_fault_setup(NULL, 0), 0);
}

static void allocation_checks_overflow(void **state) {
    (void)state;
    vb_error err = {0};
    assert_null(vb_array(SIZE_MAX / 2, 3, "rows", &err));
    assert_int_equal(err.code, VB_EMEMORY);
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_null(vb_array(1, 1, "rows", &err));
    vb_fault_setup(NULL, 0);
    void *items = NULL;
    size_t capacity = 0;
    assert_ok(vb_grow(&items, &capacity, 100, 8, "items", &err));
    assert_true(capacity >= 100);
    assert_int_equal((uintptr_t)items % 64, 0);
    vb_free(items);
}

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
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_one_line), cmocka_unit_test(faults_hit_the_nth_call),
                                       cmocka_unit_test(allocation_checks_overflow), cmocka_unit_test(halves_convert_exactly)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
