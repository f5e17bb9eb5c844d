/* Tests of sums and means over subsets, against loops over them all. */
#include "kernels/openness/subsets.h"
#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"

static void subset_sums_are_sums_over_subsets(void **state) {
    (void)state;
    vb_error err = {0};
    uint64_t random_state = 1;
    for (int n = 0; n <= 8; n++) {
        int64_t f[256], sums[256];
        for (int set = 0; set < 1 << n; set++) f[set] = sums[set] = (int)random_below(&random_state, 2001) - 1000;
        vb_subsets_sums(sums, n);
        for (int set = 0; set < 1 << n; set++) {
            int64_t sum = 0;
            for (int x = 0; x < 1 << n; x++)
                if ((x & set) == x) sum += f[x];
            assert_int_equal(sums[set], sum);
        }
    }
    double mean;
    int64_t right[4] = {0}, count[4] = {0, 5, 0, 0};
    assert_fails(vb_subsets_mean(&mean, right, count, 2, &err), VB_EDATA, "no images");
    assert_fails(vb_subsets_mean(&mean, right, count, 21, &err), VB_EINTERNAL, "21");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(subset_sums_are_sums_over_subsets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
