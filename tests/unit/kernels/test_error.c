/* Tests of the error value: one line, whatever goes into it. */
#include "kernels/base/error.h"
#include "tests/unit/vb_test.h"

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
    err.rank = 3; /* of the error before, which this one replaces */
    vb_errorf(&err, VB_EDATA, "here");
    assert_int_equal(err.rank, -1);
    vb_errorf(&err, VB_EDATA, "%s", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb1 \x80 \xc3( \xc2\x9b \xed\xa0\x80 \xe2\x82");
    assert_string_equal(err.text, "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb1 ? ?( ?? ??? ??");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_one_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
