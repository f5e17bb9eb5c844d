/* Tests of fault injection: which passage through a site fails, and at which rank. */
#include <errno.h>

#include "kernels/base/fault.h"
#include "tests/unit/vb_test.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults_hit_the_nth_call)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
