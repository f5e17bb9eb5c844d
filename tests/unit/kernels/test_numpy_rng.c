/* Tests of NumPy's legacy generator against values that numpy 1.24's RandomState printed. */
#include "tests/unit/vb_test.h"
#include "kernels/openness/numpy_rng.h"

static const struct {
    uint32_t seed, first[5];
    int ten[10], seventeen[17], sixteen[16]; /* permutation(10), permutation(17), permutation(list of 16 strings), in sequence */
    uint64_t checksum;                       /* then permutation(5000): sum of p[k] (k + 1)^2 */
    uint32_t after;                          /* then permutation(1), permutation(2), and the next 32 bits */
} golden[] = {{0,
               {2357136044u, 2546248239u, 3071714933u, 3626093760u, 2588848963u},
               {2, 8, 4, 9, 1, 6, 7, 3, 0, 5},
               {5, 2, 3, 16, 11, 0, 9, 12, 15, 14, 1, 10, 13, 8, 6, 7, 4},
               {14, 7, 13, 6, 1, 15, 10, 2, 11, 5, 12, 0, 3, 4, 9, 8},
               104332436555760u,
               2043799704u},
              {42,
               {1608637542u, 3421126067u, 4083286876u, 787846414u, 3143890026u},
               {8, 1, 5, 0, 7, 2, 9, 4, 3, 6},
               {15, 9, 0, 8, 6, 12, 1, 13, 5, 2, 11, 14, 3, 4, 7, 16, 10},
               {1, 13, 4, 10, 14, 7, 6, 3, 2, 0, 8, 15, 12, 5, 9, 11},
               105633905703798u,
               1345025719u},
              {4294967295u,
               {419326371u, 479346978u, 3918654476u, 2416749639u, 3388880820u},
               {6, 9, 5, 1, 8, 0, 7, 4, 2, 3},
               {2, 8, 3, 0, 4, 9, 14, 1, 5, 12, 13, 7, 6, 15, 10, 16, 11},
               {12, 2, 11, 0, 15, 14, 5, 13, 7, 3, 9, 10, 4, 1, 6, 8},
               104305582373118u,
               3344211742u}};

static int values[5000];

static void draw(vb_numpy_rng *rng, int n) {
    for (int i = 0; i < n; i++) values[i] = i;
    vb_numpy_rng_permutation(rng, values, n);
}

static void sequences_are_numpys(void **state) {
    (void)state;
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        vb_numpy_rng rng;
        vb_numpy_rng_seed(&rng, golden[g].seed);
        for (int i = 0; i < 5; i++) assert_int_equal(vb_numpy_rng_next(&rng), golden[g].first[i]);
        vb_numpy_rng_seed(&rng, golden[g].seed);
        draw(&rng, 10);
        assert_memory_equal(values, golden[g].ten, sizeof golden[g].ten);
        draw(&rng, 17);
        assert_memory_equal(values, golden[g].seventeen, sizeof golden[g].seventeen);
        draw(&rng, 16);
        assert_memory_equal(values, golden[g].sixteen, sizeof golden[g].sixteen);
        draw(&rng, 5000);
        uint64_t checksum = 0;
        for (uint64_t k = 0; k < 5000; k++) checksum += (uint64_t)values[k] * (k + 1) * (k + 1);
        assert_int_equal(checksum, golden[g].checksum);
        draw(&rng, 1);
        draw(&rng, 2);
        assert_int_equal(values[0], 0);
        assert_int_equal(vb_numpy_rng_next(&rng), golden[g].after);
    }
}

static void state_is_refilled(void **state) {
    (void)state;
    static const uint32_t around_first[] = {336967606u, 1077437785u, 108880612u, 791707097u};
    static const uint32_t around_second[] = {1014112781u, 2655384025u, 3263983643u};
    vb_numpy_rng rng, copy;
    vb_numpy_rng_seed(&rng, 42);
    for (int i = 0; i < 622; i++) vb_numpy_rng_next(&rng);
    copy = rng;
    for (int i = 0; i < 4; i++) assert_int_equal(vb_numpy_rng_next(&rng), around_first[i]);
    for (int i = 626; i < 1247; i++) vb_numpy_rng_next(&rng);
    for (int i = 0; i < 3; i++) assert_int_equal(vb_numpy_rng_next(&rng), around_second[i]);
    assert_int_equal(vb_numpy_rng_next(&copy), around_first[0]); /* a copy goes on by itself */
}

static void intervals_are_closed(void **state) {
    (void)state;
    vb_numpy_rng rng, untouched;
    vb_numpy_rng_seed(&rng, 1);
    untouched = rng;
    assert_int_equal(vb_numpy_rng_interval(&rng, 0), 0);
    assert_memory_equal(&rng, &untouched, sizeof rng);
    int seen[6] = {0};
    for (int i = 0; i < 1000; i++) {
        uint32_t value = vb_numpy_rng_interval(&rng, 5);
        assert_true(value <= 5);
        seen[value]++;
    }
    for (int i = 0; i < 6; i++) assert_true(seen[i] > 100);
    untouched = rng;
    assert_int_equal(vb_numpy_rng_interval(&rng, 0xffffffffu), vb_numpy_rng_next(&untouched));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sequences_are_numpys), cmocka_unit_test(state_is_refilled),
                                       cmocka_unit_test(intervals_are_closed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
