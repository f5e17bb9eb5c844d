/* Tests of allocation: sizes that overflow, failure, alignment. */
#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "tests/unit/vb_test.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(allocation_checks_overflow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
