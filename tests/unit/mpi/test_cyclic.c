/* The block-cyclic split against ScaLAPACK's own, and against itself: every index has one place. */
#include "mpi/ranks/cyclic.h"
#include "tests/unit/vb_test.h"

int numroc_(const int *n, const int *block, const int *process, const int *source, const int *processes);

static const int totals[] = {0, 1, 63, 64, 65, 127, 128, 129, 1000, 4096, 4097};

static void counts_are_scalapacks(void **state) {
    (void)state;
    const int block = VB_CYCLIC_BLOCK, zero = 0;
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++)
        for (int ranks = 1; ranks <= 9; ranks++)
            for (int rank = 0; rank < ranks; rank++)
                assert_int_equal(vb_cyclic_count(totals[t], rank, ranks), numroc_(&totals[t], &block, &rank, &zero, &ranks));
}

static void every_index_has_one_place(void **state) {
    (void)state;
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++)
        for (int ranks = 1; ranks <= 9; ranks++) {
            int next[9] = {0}; /* places are taken in order on each rank */
            for (int i = 0; i < totals[t]; i++) {
                int rank, place = vb_cyclic_place(i, ranks, &rank);
                assert_int_equal(place, next[rank]++);
                assert_int_equal(vb_cyclic_index(place, rank, ranks), i);
            }
            for (int rank = 0; rank < ranks; rank++) assert_int_equal(next[rank], vb_cyclic_count(totals[t], rank, ranks));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_are_scalapacks), cmocka_unit_test(every_index_has_one_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
