/* Tests of lists of strings. */
#include "kernels/base/fault.h"
#include "kernels/base/strings.h"
#include "tests/unit/vb_test.h"

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
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_of_strings_own_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
