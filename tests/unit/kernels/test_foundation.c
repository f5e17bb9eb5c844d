/* Tests of the error value, fault injection, allocation, element types, UTF-8 and lists of strings. */
#include <errno.h>
#include <math.h>

#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "kernels/base/strings.h"
#include "kernels/base/tensor.h"
#include "kernels/base/utf8.h"

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

/* Rows of every type, at odd addresses: in one go as element by element, and the values that they hold. */
static void rows_widen_as_their_elements(void **state) {
    (void)state;
    static const double values[] = {-3, 0, 1, 2, 5, 100, 17, 1, 0, 4, 8};
    enum { COUNT = sizeof values / sizeof *values };
    for (vb_dtype dtype = 0; dtype < VB_DTYPES; dtype++) {
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

static void characters_are_counted_and_cut(void **state) {
    (void)state;
    static const char text[] = "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb1"; /* naive with a diaeresis, a euro, a cat */
    size_t bad;
    assert_int_equal(vb_utf8_count(""), 0);
    assert_int_equal(vb_utf8_count(text), 9);
    assert_int_equal(vb_utf8_cut(text, 2), 2);
    assert_int_equal(vb_utf8_cut(text, 3), 2);
    assert_int_equal(vb_utf8_cut(text, 4), 4);
    assert_int_equal(vb_utf8_cut(text, sizeof text - 2), sizeof text - 5);
    assert_int_equal(vb_utf8_cut(text, 100), sizeof text - 1);
    assert_true(vb_utf8_is_text(text, sizeof text - 1, &bad));
    assert_int_equal(bad, sizeof text - 1);
    assert_false(vb_utf8_is_text(text, sizeof text, &bad)); /* its NUL */
    assert_int_equal(bad, sizeof text - 1);
    assert_false(vb_utf8_is_text(text, 3, &bad)); /* half a character */
    assert_int_equal(bad, 2);
    assert_true(vb_utf8_is_text("", 0, NULL));
}

static void lists_of_strings_own_them(void **state) {
    (void)state;
    vb_error err = {0};
    vb_strings list = {0};
    vb_strings_sort(&list);
    for (int i = 20; i-- > 0;) assert_ok(vb_strings_take(&list, vb_format(&err, "%02d", i), &err));
    assert_ok(vb_strings_add(&list, "b", &err));
    assert_ok(vb_strings_add_n(&list, "abc", 1, &err));
    assert_int_equal(vb_strings_take(&list, NULL, &err), -1);
    vb_strings_sort(&list);
    assert_int_equal(list.count, 22);
    assert_string_equal(list.items[0], "00");
    assert_string_equal(list.items[19], "19");
    assert_string_equal(list.items[20], "a");
    assert_string_equal(list.items[21], "b");
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_strings_add(&list, "c", &err), VB_EMEMORY, "no memory");
    vb_fault_setup(NULL, 0);
    assert_int_equal(list.count, 22);
    vb_strings_free(&list);
    assert_null(list.items);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_one_line),
                                       cmocka_unit_test(faults_hit_the_nth_call),
                                       cmocka_unit_test(allocation_checks_overflow),
                                       cmocka_unit_test(halves_convert_exactly),
                                       cmocka_unit_test(rows_widen_as_their_elements),
                                       cmocka_unit_test(characters_are_counted_and_cut),
                                       cmocka_unit_test(lists_of_strings_own_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
