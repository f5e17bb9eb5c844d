/* Sums of files' sizes and progress over them: by hand, and where they would overflow. */
#include "mpi/ranks/byte_progress.h"
#include "tests/unit/vb_test.h"

static void sums_end_at_the_largest_number(void **state) {
    (void)state;
    const uint64_t quarter = (uint64_t)1 << 62;
    assert_int_equal(vb_byte_progress_add(5, 7, 2), 19);
    assert_int_equal(vb_byte_progress_add(0, quarter - 1, 2), INT64_MAX - 1);
    assert_int_equal(vb_byte_progress_add(1, quarter - 1, 2), INT64_MAX);
    assert_int_equal(vb_byte_progress_add(2, quarter - 1, 2), INT64_MAX);
    assert_int_equal(vb_byte_progress_add(0, quarter, 2), INT64_MAX);     /* 2^63: negative as int64_t */
    assert_int_equal(vb_byte_progress_add(0, 2 * quarter, 2), INT64_MAX); /* 2^64: 0 */
    assert_int_equal(vb_byte_progress_add(0, UINT64_MAX, 1), INT64_MAX);
    assert_int_equal(vb_byte_progress_add(INT64_MAX, quarter, 2), INT64_MAX);
}

static void progress_goes_no_further(void **state) {
    (void)state;
    vb_error err = {0};
    vb_context context = {.comm = {.mpi = MPI_COMM_NULL, .size = 1}};
    vb_byte_progress progress;
    vb_byte_progress_start(&progress, &context, "test", "", INT64_MAX);
    assert_ok(vb_byte_progress_step(&progress, 2500000, &err));
    assert_int_equal(progress.passed, 2500000);
    assert_int_equal(progress.progress.done, 2);
    assert_ok(vb_byte_progress_step(&progress, INT64_MAX - 1, &err));
    assert_ok(vb_byte_progress_step(&progress, 1, &err));
    assert_int_equal(progress.passed, INT64_MAX);
    assert_int_equal(progress.progress.done, INT64_MAX / 1000000);
    vb_byte_progress_end(&progress);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_end_at_the_largest_number),
                                       cmocka_unit_test(progress_goes_no_further)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
