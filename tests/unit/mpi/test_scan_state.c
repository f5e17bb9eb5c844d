/* Tests of a scan's checkpoints: what is found again, and files that are whole and state what cannot be. */
#include "mpi/retrieve/scan_state.h"
#include "kernels/base/memory.h"
#include "tests/unit/scratch.h"

enum { BLOCKS = 8, QUERIES = 2, K = 3 };

static vb_scan_state state_of_tests(char *folder) {
    return (vb_scan_state){.folder = in_scratch(folder, "scan"), .key = vb_digest_bytes("key", 3), .blocks = BLOCKS};
}

/* A rank's file with these counts, of one block. */
static void put_state(const vb_scan_state *state, int rank, int64_t block, vb_scan_counts counts) {
    vb_error err;
    vb_topk topk;
    assert_ok(vb_topk_new(&topk, QUERIES, K, &err));
    assert_ok(vb_scan_state_write(state, rank, &block, 1, &counts, &topk, &err));
    vb_topk_free(&topk);
}

/* What is found of the files there: how many, whose counts, and which blocks as bits. */
static size_t find(vb_scan_state *state, vb_scan_counts *counts, unsigned *blocks) {
    vb_error err;
    vb_strings paths;
    uint8_t finished[BLOCKS] = {0};
    assert_ok(vb_scan_state_find(state, finished, &paths, counts, QUERIES, K, &err));
    const size_t count = paths.count;
    vb_strings_free(&paths);
    *blocks = 0;
    for (int b = 0; b < BLOCKS; b++) *blocks |= (unsigned)finished[b] << b;
    return count;
}

static void counts_are_added_up(void **unused) {
    (void)unused;
    char folder[1024];
    vb_scan_state state = state_of_tests(folder);
    vb_scan_counts counts;
    unsigned blocks;
    put_state(&state, 0, 1, (vb_scan_counts){100, 1, 2, 3});
    put_state(&state, 1, 3, (vb_scan_counts){10, 10, 20, 30});
    assert_int_equal(find(&state, &counts, &blocks), 2);
    assert_int_equal(blocks, 1 << 1 | 1 << 3);
    assert_true(counts.rows == 110 && counts.not_finite == 11 && counts.zero == 22 && counts.rescored == 33);
    assert_int_equal(state.generation, 1);
    vb_scan_state_remove(&state);
}

/* Anyone can compute the digest: a file may be whole and wrong. It is passed over, and its blocks are scanned again. */
static void impossible_counts_are_passed_over(void **unused) {
    (void)unused;
    char folder[1024];
    static const vb_scan_counts wrong[] = {{-1, 0, 0, 0},        {0, INT64_MIN, 0, 0}, {0, 0, -5, 0},
                                           {0, 0, 0, -1},        {INT64_MAX, 0, 0, 0}, {0, INT64_MAX, 0, 0},
                                           {0, 0, INT64_MAX, 0}, {0, 0, 0, INT64_MAX}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vb_scan_state state = state_of_tests(folder);
        vb_scan_counts counts;
        unsigned blocks;
        put_state(&state, 0, 1, (vb_scan_counts){7, 7, 7, 7});
        put_state(&state, 1, 2, wrong[i]);
        assert_int_equal(find(&state, &counts, &blocks), 1);
        assert_int_equal(blocks, 1 << 1);
        assert_true(counts.rows == 7 && counts.not_finite == 7 && counts.zero == 7 && counts.rescored == 7);
        vb_scan_state_remove(&state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_are_added_up),
                                       cmocka_unit_test(impossible_counts_are_passed_over)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
