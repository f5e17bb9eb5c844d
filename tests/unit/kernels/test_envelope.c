/* Tests of the envelope over orders of arrival: against all sets of vocabularies, on both sides of the limit of the exact
 * method. */
#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/openness/envelope.h"
#include "kernels/base/fault.h"

static uint64_t random_state = 5;

enum { MOST = 80, IMAGES = 200 };
static int64_t worst[MOST], best[MOST], least[MOST], most[MOST];
static const vb_envelope envelope = {worst, best, least, most};

static void all_sets_up_to_twenty(void **state) {
    (void)state;
    vb_error err = {0};
    for (int n = 1; n <= 11; n += 2) {
        uint64_t masks[IMAGES];
        int own_vocabulary = n / 2;
        for (int i = 0; i < IMAGES; i++)
            masks[i] = random_below(&random_state, 1u << n) & random_below(&random_state, 1u << n) &
                       ~((uint64_t)1 << own_vocabulary) & (i % 3 ? ~(uint64_t)0 : 3);
        assert_ok(vb_envelope_of_orders(&envelope, masks, IMAGES, n, own_vocabulary, &err));
        for (int size = 0; size < n; size++) {
            int64_t low = IMAGES, high = 0;
            for (uint64_t set = 0; set < 1u << n; set++) {
                if (set >> own_vocabulary & 1 || __builtin_popcountll(set) != size) continue;
                int64_t stay = 0;
                for (int i = 0; i < IMAGES; i++) stay += !(masks[i] & set);
                if (stay < low) low = stay;
                if (stay > high) high = stay;
            }
            assert_int_equal(worst[size], low);
            assert_int_equal(best[size], high);
            assert_int_equal(least[size], low);
            assert_int_equal(most[size], high);
        }
    }
}

static void bounds_beyond(void **state) {
    (void)state;
    vb_error err = {0};
    enum { N = 70 };
    static uint64_t masks[IMAGES * 2];
    for (int i = 0; i < IMAGES; i++)
        for (int b = 0; b < 3; b++) {
            int u = (int)random_below(&random_state, N - 1);
            masks[2 * i + u / 64] |= (uint64_t)1 << u % 64; /* N - 1 is the own vocabulary */
        }
    assert_ok(vb_envelope_of_orders(&envelope, masks, IMAGES, N, N - 1, &err));
    assert_true(worst[0] == IMAGES && best[0] == IMAGES && least[0] == IMAGES && most[0] == IMAGES);
    assert_true(worst[N - 1] == 0 && best[N - 1] == 0 && most[N - 1] == 0);
    for (int i = 0; i < N; i++) {
        assert_true(least[i] <= worst[i] && worst[i] <= best[i] && best[i] <= most[i]);
        if (i)
            assert_true(worst[i] <= worst[i - 1] && best[i] <= best[i - 1] && least[i] <= least[i - 1] && most[i] <= most[i - 1]);
    }
    /* One and two arrivals by enumeration: the first step of a greedy choice is exact, the bounds hold. */
    for (int size = 1; size <= 2; size++) {
        int64_t low = IMAGES, high = 0;
        for (int u = 0; u < N - 1; u++)
            for (int v = size == 1 ? u : u + 1; v < (size == 1 ? u + 1 : N - 1); v++) {
                int64_t stay = 0;
                for (int i = 0; i < IMAGES; i++)
                    stay += !(masks[2 * i + u / 64] >> u % 64 & 1) && !(masks[2 * i + v / 64] >> v % 64 & 1);
                if (stay < low) low = stay;
                if (stay > high) high = stay;
            }
        assert_true(least[size] <= low && low <= worst[size] && best[size] <= high && high <= most[size]);
        if (size == 1) assert_true(worst[1] == low && best[1] == high && least[1] == low && most[1] == high);
    }
    for (int n = 1; n <= 4; n++) {
        char fault[64];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        assert_int_equal(vb_envelope_of_orders(&envelope, masks, IMAGES, N, N - 1, &err), -1);
        assert_int_equal(err.code, VB_EMEMORY);
    }
    vb_fault_setup(NULL, 0);
    assert_ok(vb_envelope_of_orders(&envelope, masks, 0, N, 0, &err));
    assert_true(worst[0] == 0 && most[N - 1] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_sets_up_to_twenty), cmocka_unit_test(bounds_beyond)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
