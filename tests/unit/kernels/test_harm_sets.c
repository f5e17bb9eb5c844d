/* Tests of images by sets of vocabularies: against counting them one by one, in any order and over any number of tables. */
#include <stdlib.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/openness/harm_sets.h"

enum { CLASSES = 3, MEMBERS = 4, EVENTS = 3, SETS = 256, KINDS = CLASSES * MEMBERS * EVENTS * SETS, TABLES = 3 };

static uint64_t random_state = 5;

/* Kind number k: of 0 to 2 events with two sets of two vocabularies each, in the order that the table puts them in. */
static vb_harm_kind kind_of(int k, uint32_t *sets) {
    const int events = k / SETS % EVENTS;
    for (int i = 0; i < 2 * events; i++) sets[i] = (uint32_t)(k % SETS >> (2 * (2 * events - 1 - i)) & 3);
    return (vb_harm_kind){.class = k / SETS / EVENTS / MEMBERS,
                          .members = (uint32_t)(k / SETS / EVENTS % MEMBERS),
                          .sets = sets,
                          .events = events};
}

static int random_kind(void) {
    const int k = (int)random_below(&random_state, KINDS / SETS) * SETS, events = k / SETS % EVENTS;
    return k + (int)random_below(&random_state, (uint32_t)1 << (4 * events)); /* of fewer events there are fewer sets */
}

/* What stands in the table is what was counted, each kind once and in order. */
static void holds(const vb_harm_sets *table, const int64_t *counted) {
    vb_harm_kind kind;
    uint32_t sets[2 * EVENTS];
    size_t at = 0;
    for (int k = 0; k < KINDS; k++) {
        if (!counted[k]) continue;
        const vb_harm_kind expected = kind_of(k, sets);
        assert_true(vb_harm_sets_next(table, &at, &kind));
        assert_int_equal(kind.class, expected.class);
        assert_int_equal(kind.members, expected.members);
        assert_int_equal(kind.events, expected.events);
        assert_memory_equal(kind.sets, sets, 2 * (size_t)kind.events * sizeof *sets);
        assert_int_equal(kind.images, counted[k]);
    }
    assert_false(vb_harm_sets_next(table, &at, &kind));
    assert_int_equal(at, table->used);
}

static void tables_count_kinds(void **state) {
    (void)state;
    static int64_t counted[KINDS];
    uint32_t sets[2 * EVENTS];
    vb_error err = {0};
    vb_harm_sets table[TABLES] = {{0}}, all = {0}, backwards = {0};
    for (int n = 0; n < 200000; n++) {
        const int k = random_kind();
        vb_harm_kind kind = kind_of(k, sets);
        kind.images = n % 1000 ? 1 : INT64_C(3) << 31; /* sums go beyond 32 bits */
        counted[k] += kind.images;
        vb_harm_sets_add(&table[n % 7 % TABLES], &kind);
        assert_true(table[n % 7 % TABLES].used <= table[n % 7 % TABLES].capacity);
    }
    for (int t = 0; t < TABLES; t++) {
        assert_ok(vb_harm_sets_end(&table[t], &err));
        assert_true(table[t].capacity < 20 * KINDS);  /* records of one kind were joined on the way */
        assert_ok(vb_harm_sets_end(&table[t], &err)); /* and stay as they are */
    }
    for (int t = 0; t < TABLES; t++) {
        assert_ok(vb_harm_sets_merge(&all, table[t].words, table[t].used * sizeof(uint32_t), &err));
        const vb_harm_sets *last = &table[TABLES - 1 - t];
        assert_ok(vb_harm_sets_merge(&backwards, last->words, last->used * sizeof(uint32_t), &err));
    }
    assert_ok(vb_harm_sets_end(&all, &err));
    assert_ok(vb_harm_sets_end(&backwards, &err));
    holds(&all, counted);
    holds(&backwards, counted);
    /* Single additions behind a merge. */
    for (int k = 0; k < KINDS; k += 131) {
        if (k % SETS >= 1 << (4 * (k / SETS % EVENTS))) continue;
        vb_harm_kind kind = kind_of(k, sets);
        kind.images = 2;
        counted[k] += 2;
        vb_harm_sets_add(&all, &kind);
    }
    assert_ok(vb_harm_sets_end(&all, &err));
    holds(&all, counted);
    vb_harm_sets_free(&all);
    vb_harm_sets_free(&backwards);
    for (int t = 0; t < TABLES; t++) vb_harm_sets_free(&table[t]);
}

static void damage_is_told(void **state) {
    (void)state;
    const uint32_t sets[] = {1, 3, 2, 3};
    vb_error err = {0};
    vb_harm_sets table = {0}, other = {0};
    vb_harm_sets_add(&table, &(vb_harm_kind){4, 1, sets, 2, 5});
    vb_harm_sets_add(&table, &(vb_harm_kind){4, 1, sets, 1, 6});
    assert_ok(vb_harm_sets_end(&table, &err));
    const size_t words = table.used;
    for (size_t size = 1; size < words * sizeof(uint32_t); size++) {
        if (size == 7 * sizeof(uint32_t)) continue; /* the first record: the one of fewer events */
        assert_fails(vb_harm_sets_merge(&other, table.words, size, &err), VB_EINTERNAL,
                     size % sizeof(uint32_t) ? "expected whole words" : "begins no whole record");
    }
    assert_ok(vb_harm_sets_merge(&other, table.words, 0, &err));
    assert_int_equal(other.used, 0);
    table.words[2] = UINT32_MAX; /* events */
    assert_fails(vb_harm_sets_merge(&other, table.words, words * sizeof(uint32_t), &err), VB_EINTERNAL, "word 0 of 16");
    vb_harm_sets_free(&table);
    vb_harm_sets_free(&other);
}

static void memory_may_run_out_anywhere(void **state) {
    (void)state;
    uint32_t sets[2 * EVENTS];
    for (int n = 1, status = -1; status; n++) {
        char fault[64];
        vb_error err = {0};
        vb_harm_sets table = {0};
        assert_true(n < 50);
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        for (int i = 0; i < 3000; i++) {
            vb_harm_kind kind = kind_of(random_kind(), sets);
            kind.images = 1;
            vb_harm_sets_add(&table, &kind);
        }
        status = vb_harm_sets_end(&table, &err);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        vb_harm_sets_free(&table);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables_count_kinds), cmocka_unit_test(damage_is_told),
                                       cmocka_unit_test(memory_may_run_out_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
