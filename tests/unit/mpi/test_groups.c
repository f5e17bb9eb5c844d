/* Tests of the split into rank groups and of their number, against cases worked out by hand and an exhaustive search. */
#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "mpi/ranks/groups.h"

static void groups_cover_the_ranks(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 40; ranks++)
        for (int groups = 1; groups <= ranks; groups++) {
            int next = 0, most = 0, fewest = ranks;
            for (int g = 0; g < groups; g++) {
                int first, count = vb_groups_ranks(ranks, groups, g, &first);
                assert_int_equal(first, next);
                assert_true(count >= 1);
                next += count;
                if (count > most) most = count;
                if (count < fewest) fewest = count;
            }
            assert_int_equal(next, ranks);
            assert_true(most - fewest <= 1);
        }
    for (int ranks = 1; ranks <= 40; ranks++)
        for (int size = 1; size <= 50; size++) {
            /* The fewest groups that leave none with more than `size` ranks. */
            int fewest = 1, first;
            while (vb_groups_ranks(ranks, fewest, 0, &first) > size) fewest++;
            assert_int_equal(vb_groups_of_size(ranks, size), fewest);
        }
}

static int plan(const double *costs, const int64_t *parts, int count, int ranks, int groups, double *idle) {
    vb_error err = {0};
    int found = vb_groups_plan(costs, parts, count, ranks, groups, idle, &err);
    assert_true(found >= 1);
    return found;
}

static void plans_worked_out_by_hand(void **state) {
    (void)state;
    double idle, equal[4] = {3, 3, 3, 3}, mixed[3] = {6, 3, 3}, fine[1] = {100};
    int64_t whole[4] = {1, 1, 1, 1}, many[4] = {1000, 1000, 1000, 1000};
    assert_int_equal(plan(equal, whole, 4, 1, 0, &idle), 1);
    assert_true(idle == 0);
    assert_int_equal(plan(equal, whole, 0, 8, 0, NULL), 1); /* nothing to do */
    assert_int_equal(plan(fine, many, 1, 8, 0, NULL), 1);   /* one item */
    /* Items that nobody can divide: a group each; one rank of five is one too many for its group. */
    assert_int_equal(plan(equal, whole, 4, 4, 0, &idle), 4);
    assert_true(idle == 0);
    assert_int_equal(plan(equal, whole, 3, 4, 0, NULL), 3);
    /* 6, 3, 3 on two ranks: one takes 6, the other 3 and 3. */
    assert_int_equal(plan(mixed, whole, 3, 2, 0, &idle), 2);
    assert_true(idle == 0);
    /* The other way round: 3 and 3 first, then 6 on one of them: busy 9 and 3 of 2 x 9. */
    double shortest_first[3] = {3, 3, 6};
    assert_int_equal(plan(shortest_first, whole, 3, 2, 2, &idle), 2);
    assert_true(idle > 0.3333 && idle < 0.3334);
    /* Stated numbers are kept. */
    for (int groups = 1; groups <= 8; groups++) assert_int_equal(plan(equal, many, 4, 8, groups, NULL), groups);
}

/* When the last of `groups` ends that take indivisible items in the order of the list. */
static double list_schedule(const double *costs, int count, int groups) {
    double free_at[64] = {0}, last = 0;
    for (int i = 0; i < count; i++) {
        int next = 0;
        for (int g = 1; g < groups; g++) next = free_at[g] < free_at[next] ? g : next;
        free_at[next] += costs[i];
        last = free_at[next] > last ? free_at[next] : last;
    }
    return last;
}

static void plans_are_good(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (int trial = 0; trial < 500; trial++) {
        double costs[20], idle, total = 0;
        int64_t whole[20], parts[20];
        random_next32(&seed);
        int count = 1 + (int)(seed >> 16) % 20, ranks = 1 + (int)(seed >> 8) % 12, most = count < ranks ? count : ranks;
        for (int i = 0; i < count; i++) {
            random_next32(&seed);
            total += costs[i] = 1 + (double)(seed >> 24) / 8;
            parts[i] = 1 + (seed >> 16) % 16;
            whole[i] = 1;
        }
        int chosen = plan(costs, whole, count, ranks, 0, NULL);
        assert_true(chosen <= most);
        assert_true(0.99 * list_schedule(costs, count, chosen) <= list_schedule(costs, count, most));
        /* With as many groups as ranks each rank is busy with its own items: the idle share follows from the end. */
        plan(costs, parts, count, ranks, ranks, &idle);
        double expected = 1 - total / (ranks * list_schedule(costs, count, ranks));
        assert_true(idle > expected - 1e-9 && idle < expected + 1e-9);
        chosen = plan(costs, parts, count, ranks, 0, &idle);
        assert_true(chosen >= 1 && chosen <= most && idle > -1e-9 && idle < 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(groups_cover_the_ranks), cmocka_unit_test(plans_worked_out_by_hand),
                                       cmocka_unit_test(plans_are_good)};
    return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
