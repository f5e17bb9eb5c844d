/* Tests of sums and means over subsets, against loops over them all. */
#include <math.h>

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

/* The most vocabularies that are handled, one image in each, all right among whichever have come: those away leave the size of
 * the rest, and every mean is 1. */
static void the_most_are_handled(void **state) {
    (void)state;
    const size_t all = (size_t)1 << VB_SUBSETS_MAX;
    int64_t *right = test_calloc(all, sizeof *right), *count = test_calloc(all, sizeof *count);
    double mean, means[VB_SUBSETS_MAX];
    vb_error err = {0};
    for (int times = 0; times < 2; times++) {
        memset(right, 0, all * sizeof *right);
        memset(count, 0, all * sizeof *count);
        right[0] = VB_SUBSETS_MAX;
        for (int v = 0; v < VB_SUBSETS_MAX; v++) right[(size_t)1 << v] = -1, count[(size_t)1 << v] = 1;
        if (!times) {
            assert_ok(vb_subsets_mean(&mean, right, count, VB_SUBSETS_MAX, &err));
            assert_true(fabs(mean - 1) < 1e-12);
        } else assert_ok(vb_subsets_means_without(means, right, count, VB_SUBSETS_MAX, &err));
    }
    for (int v = 0; v < VB_SUBSETS_MAX; v++) assert_true(fabs(means[v] - 1) < 1e-12);
    test_free(right);
    test_free(count);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(subset_sums_are_sums_over_subsets),
                                       cmocka_unit_test(the_most_are_handled)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
