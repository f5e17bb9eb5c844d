/* Tests of the heap of pairs: whatever comes and goes, the first one is the one that a look at all of them finds. */
#include "kernels/base/memory.h"
#include "kernels/text/pair_heap.h"

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"

enum { MOST = 200 };

static vb_error err;

/* Of the list the pair of the highest priority, of these the leftmost. */
static size_t find_first(const vb_pair_heap_entry *list, size_t count) {
    size_t first = 0;
    for (size_t i = 1; i < count; i++)
        if (list[i].priority > list[first].priority ||
            (!(list[i].priority < list[first].priority) && list[i].left < list[first].left))
            first = i;
    return first;
}

static void the_first_comes_first(void **state) {
    (void)state;
    for (uint32_t seed = 0; seed < 40; seed++) {
        vb_pair_heap heap = {0};
        vb_pair_heap_entry list[MOST];
        size_t count = 0;
        uint64_t random = seed;
        for (uint32_t step = 0; step < 3 * MOST; step++) {
            if (count < MOST && random_below(&random, 5) < (step < 2 * MOST ? 3u : 1u)) {
                /* few priorities, so that many are equal; no place twice */
                const int32_t left = (int32_t)((step * 389) % 1021);
                list[count] = (vb_pair_heap_entry){-(double)random_below(&random, 1 + seed), left, left + 1, step, seed};
                assert_ok(vb_pair_heap_push(&heap, list[count++], &err));
            } else if (count) {
                const size_t first = find_first(list, count);
                const vb_pair_heap_entry got = vb_pair_heap_pop(&heap);
                assert_memory_equal(&got, &list[first], sizeof got);
                list[first] = list[--count];
            }
            assert_int_equal(heap.count, count);
        }
        while (count) {
            const size_t first = find_first(list, count);
            assert_int_equal(vb_pair_heap_pop(&heap).a, list[first].a);
            list[first] = list[--count];
        }
        assert_int_equal(heap.count, 0);
        vb_free(heap.items);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_first_comes_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
