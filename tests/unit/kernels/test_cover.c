/* Tests of bit sets, gains and the search for adversarial names: against enumeration, and of what stops the search. */
#include <stdbool.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/openness/cover.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"
#include "kernels/openness/similarity.h"

static uint64_t random_state = 11;

static int64_t union_size(const uint64_t *sets, int64_t words, const int *chosen, int n) {
    int64_t size = 0;
    for (int64_t w = 0; w < words; w++) {
        uint64_t all = 0;
        for (int i = 0; i < n; i++) all |= sets[chosen[i] * words + w];
        size += __builtin_popcountll(all);
    }
    return size;
}

/* The most that k <= 3 of the sets take, by looking at all choices. */
static int64_t enumerate(const uint64_t *sets, int64_t words, int count, int k) {
    int64_t most = 0;
    for (int a = 0; a < count; a++)
        for (int b = k > 1 ? a + 1 : a; b < (k > 1 ? count : a + 1); b++)
            for (int c = k > 2 ? b + 1 : b; c < (k > 2 ? count : b + 1); c++) {
                int64_t size = union_size(sets, words, (int[]){a, b, c}, 3);
                if (size > most) most = size;
            }
    return most;
}

static void exact_is_enumeration(void **state) {
    (void)state;
    enum { COUNT = 60, WORDS = 4 };
    uint64_t sets[COUNT * WORDS];
    vb_error err = {0};
    vb_isa best = vb_isa_level();
    for (int trial = 0; trial < 40; trial++) {
        memset(sets, 0, sizeof sets);
        int size = trial % 4 == 3 ? 0 : 1 << (trial % 7); /* from sparse, where ties abound, to dense, and empty */
        for (int c = 0; c < COUNT; c++)
            for (int i = 0; i < size; i++)
                sets[c * WORDS + random_below(&random_state, WORDS)] |= (uint64_t)1 << random_below(&random_state, 64);
        memcpy(sets + 5 * WORDS, sets + 40 * WORDS, WORDS * sizeof *sets); /* equal sets */
        for (int k = 1; k <= 3; k++) {
            vb_coverage problem = {.count = COUNT, .words = WORDS, .sets = sets, .k = k, .evaluations = INT64_MAX};
            vb_coverage_result result, plain;
            assert_ok(vb_cover_most(&problem, &result, &err));
            assert_int_equal(result.taken, enumerate(sets, WORDS, COUNT, k));
            assert_int_equal(result.bound, result.taken);
            assert_true(result.n <= k);
            assert_int_equal(union_size(sets, WORDS, result.chosen, result.n), result.taken);
            /* In the order of what each adds. */
            for (int i = 0, before = 1 << 30; i < result.n; i++) {
                int adds = (int)(union_size(sets, WORDS, result.chosen, i + 1) - union_size(sets, WORDS, result.chosen, i));
                assert_true(adds <= before);
                before = adds;
            }
            vb_isa_limit(VB_SCALAR);
            assert_ok(vb_cover_most(&problem, &plain, &err));
            vb_isa_limit(best);
            assert_memory_equal(&plain, &result, sizeof plain);
        }
    }
}

static void greedy_is_not_enough(void **state) {
    (void)state;
    /* Greedy takes {0..5} first and then needs two more; {0,1,2,6} and {3,4,5,7} take all eight. */
    static const uint64_t sets[] = {0x3f, 0x47, 0xb8};
    vb_coverage problem = {.count = 3, .words = 1, .sets = sets, .k = 2, .evaluations = 1000};
    vb_coverage_result result;
    vb_error err = {0};
    assert_ok(vb_cover_most(&problem, &result, &err));
    assert_int_equal(result.taken, 8);
    assert_int_equal(result.chosen[0], 1);
    assert_int_equal(result.chosen[1], 2);
    /* {0..4}, {4..7} and {8, 9, 10}: the last two add three each to the first. The earlier candidate goes first, though it takes
     * less alone. */
    static const uint64_t equal[] = {0x700, 0x1f, 0xf0};
    problem = (vb_coverage){.count = 3, .words = 1, .sets = equal, .k = 3, .evaluations = 1000};
    assert_ok(vb_cover_most(&problem, &result, &err));
    assert_int_equal(result.taken, 11);
    assert_memory_equal(result.chosen, ((const int[]){1, 0, 2}), 3 * sizeof(int));
}

static void put_range(uint64_t *set, int first, int end) {
    for (int i = first; i < end; i++) set[i / 64] |= (uint64_t)1 << i % 64;
}

/* A search that stops among the continuations of its first set: they hold the best choice, X, P and Q with 180, and promise more
 * than all that begin later, 57 + 57 + 57; the greedy choice, X, T and P, has 163. */
static void a_gap_covers_what_was_begun(void **state) {
    (void)state;
    enum { X, Y, Z, W, T, P, Q, COUNT, WORDS = 3 };
    static uint64_t sets[COUNT * WORDS];
    vb_error err = {0};
    put_range(sets + X * WORDS, 0, 100);
    put_range(sets + P * WORDS, 100, 140);
    put_range(sets + Q * WORDS, 140, 180);
    put_range(sets + T * WORDS, 100, 122), put_range(sets + T * WORDS, 140, 163);
    for (int c = Y; c <= W; c++)
        put_range(sets + c * WORDS, 20 * (c - Y), 20 * (c - Y) + 56), put_range(sets + c * WORDS, 179, 180);
    const int64_t most = enumerate(sets, WORDS, COUNT, 3);
    assert_int_equal(most, 180);
    for (int64_t limit = 1; limit < 40; limit++) {
        const vb_coverage problem = {.count = COUNT, .words = WORDS, .sets = sets, .k = 3, .evaluations = limit};
        vb_coverage_result result;
        assert_ok(vb_cover_most(&problem, &result, &err));
        assert_true(result.taken >= 163 && result.taken <= most && result.bound >= most);
        if (limit == 1) assert_true(result.taken < most);
    }
}

static void a_stopped_search_states_its_gap(void **state) {
    (void)state;
    enum { COUNT = 60, WORDS = 8 };
    static uint64_t sets[COUNT * WORDS];
    vb_error err = {0};
    for (int c = 0; c < COUNT; c++)
        for (int i = 0; i < 40; i++)
            sets[c * WORDS + random_below(&random_state, WORDS)] |= (uint64_t)1 << random_below(&random_state, 64);
    int64_t most = enumerate(sets, WORDS, COUNT, 3);
    bool open = false;
    for (int64_t limit = 1; limit < 100000; limit *= 3) {
        vb_coverage problem = {.count = COUNT, .words = WORDS, .sets = sets, .k = 3, .evaluations = limit};
        vb_coverage_result result;
        assert_ok(vb_cover_most(&problem, &result, &err));
        assert_true(result.taken <= most && result.bound >= most && !result.out_of_time);
        assert_true((double)result.taken >= 0.632 * (double)most);
        open |= result.bound > result.taken;
    }
    assert_true(open);
    vb_coverage problem = {.count = COUNT, .words = WORDS, .sets = sets, .k = 3, .evaluations = INT64_MAX, .seconds = 1e-9};
    vb_coverage_result result;
    assert_ok(vb_cover_most(&problem, &result, &err));
    assert_true(result.out_of_time && result.bound >= most && result.taken <= most);
    problem.k = 16;
    problem.seconds = 0;
    problem.evaluations = 1;
    assert_ok(vb_cover_most(&problem, &result, &err));
    assert_int_equal(result.n, 16);
    problem.k = 17;
    assert_fails(vb_cover_most(&problem, &result, &err), VB_ECONFIG, "17 adversarial names, expected 1 to 16");
    problem = (vb_coverage){.count = 0, .words = 0, .sets = sets, .k = 2, .evaluations = 1};
    assert_ok(vb_cover_most(&problem, &result, &err));
    assert_true(result.n == 0 && result.taken == 0 && result.bound == 0);
}

static void covers_count_what_was_added(void **state) {
    (void)state;
    enum { CANDIDATES = 130, IMAGES = 150 };
    static uint8_t takes[IMAGES][CANDIDATES];
    vb_error err = {0};
    vb_cover cover = {.candidates = CANDIDATES};
    for (int i = 0; i < IMAGES; i++) {
        uint64_t pool[3] = {0};
        for (int c = 0; c < CANDIDATES; c++)
            if ((takes[i][c] = random_below(&random_state, 3) == 0)) pool[c / 64] |= (uint64_t)1 << c % 64;
        assert_ok(vb_cover_add(&cover, pool, i % 4, &err));
    }
    assert_int_equal(vb_cover_blocks(&cover), 3);
    uint64_t taken[3] = {0}, sets[2 * 3];
    int64_t gains[CANDIDATES], by_class[4] = {0};
    uint8_t was[IMAGES] = {0};
    static const int chosen[] = {77, 129, 0};
    vb_cover_sets(&cover, chosen, 2, sets);
    for (int step = 0; step < 3; step++) {
        memset(gains, 0, sizeof gains);
        vb_cover_gains(&cover, taken, gains, 1 + step);
        for (int c = 0; c < CANDIDATES; c++) {
            int64_t expected = 0;
            for (int i = 0; i < IMAGES; i++) expected += takes[i][c] && !was[i];
            assert_int_equal(gains[c], expected);
        }
        vb_cover_take(&cover, chosen[step], taken, by_class);
        for (int i = 0; i < IMAGES; i++) was[i] |= takes[i][chosen[step]];
        for (int i = 0; i < IMAGES && step < 2; i++)
            assert_int_equal(sets[step * 3 + i / 64] >> i % 64 & 1, takes[i][chosen[step]]);
    }
    int64_t count[4] = {0};
    for (int i = 0; i < IMAGES; i++) count[i % 4] += was[i];
    assert_memory_equal(by_class, count, sizeof count);
    /* Images by how many candidates take them, all or every other one. */
    static uint8_t odd[CANDIDATES];
    for (int c = 1; c < CANDIDATES; c += 2) odd[c] = 1;
    for (int without = 0; without < 2; without++) {
        int64_t takers[CANDIDATES + 1] = {0}, expected[CANDIDATES + 1] = {0};
        for (int i = 0; i < IMAGES; i++) {
            int n = 0;
            for (int c = 0; c < CANDIDATES; c++) n += takes[i][c] && !(without && odd[c]);
            expected[n]++;
        }
        assert_ok(vb_cover_takers(&cover, without ? odd : NULL, takers, &err));
        assert_memory_equal(takers, expected, sizeof takers);
    }
    vb_cover_free(&cover);

    static const int64_t some[] = {3, 5, 5, 1};
    assert_int_equal(vb_cover_largest_gain(some, 4, NULL, NULL), 1);
    assert_int_equal(vb_cover_largest_gain(some, 4, (uint8_t[]){0, 1, 0, 0}, NULL), 2);
    assert_int_equal(vb_cover_largest_gain(some, 4, (uint8_t[]){0, 1, 0, 0}, (uint8_t[]){0, 0, 1, 0}), 0);
    assert_int_equal(vb_cover_largest_gain(some, 1, (uint8_t[]){1}, NULL), -1);
}

static void candidates_are_judged_exactly(void **state) {
    (void)state;
    /* Image (1, 0) of class 0 = (1, 0.5). Candidates: better, the same text, the same direction, worse, better by one bit, the
     * image itself: ties go to the class, which comes before. */
    static const float texts[] = {1, 0.5f, 0, 1, 1, 0.4f, 1, 0.5f, 2, 1, 1, 0.6f, 1, 0.49999997f, 7, 0};
    static const float image[] = {1, 0};
    static const int offsets[] = {0, 2}, members[] = {0, 1}, label[] = {0};
    vb_label_space space = {8, 1, offsets, members, NULL, false};
    vb_text_bank *bank;
    vb_error err = {0};
    uint8_t beaten = 9;
    uint64_t pool = ~(uint64_t)0;
    assert_ok(vb_similarity_bank_new(&bank, texts, 8, 2, VB_COSINE, &err));
    assert_ok(vb_similarity_judge_pool(bank, &space, &(vb_image_block){.rows = 1, .images = image, .labels = label}, 2, &beaten,
                                       &pool, 1, &err));
    assert_int_equal(beaten, 0);
    assert_int_equal(pool, 1 | 1 << 4 | 1 << 5);
    vb_similarity_bank_free(bank);
}

static void memory_may_run_out_anywhere(void **state) {
    (void)state;
    static const uint64_t sets[] = {0x3f, 0x47, 0xb8};
    for (int n = 1, status = -1; status; n++) {
        char fault[64];
        vb_error err = {0};
        vb_cover cover = {.candidates = 70};
        vb_coverage problem = {.count = 3, .words = 1, .sets = sets, .k = 3, .evaluations = 1000};
        vb_coverage_result result;
        assert_true(n < 50);
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        status = 0;
        for (int i = 0; i < 70 && !status; i++) status = vb_cover_add(&cover, sets, 0, &err);
        if (!status) status = vb_cover_most(&problem, &result, &err);
        vb_fault_setup(NULL, 0);
        vb_cover_free(&cover);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exact_is_enumeration),
                                       cmocka_unit_test(greedy_is_not_enough),
                                       cmocka_unit_test(a_gap_covers_what_was_begun),
                                       cmocka_unit_test(a_stopped_search_states_its_gap),
                                       cmocka_unit_test(covers_count_what_was_added),
                                       cmocka_unit_test(candidates_are_judged_exactly),
                                       cmocka_unit_test(memory_may_run_out_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
