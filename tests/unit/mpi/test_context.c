/* Tests of the signals that ask for a stop: kept when a library puts handlers of its own in their place. */
#include "mpi/ranks/context.h"

#include <signal.h>

#include "tests/unit/vb_test.h"

static int stolen;
static void on_theirs(int number) { stolen = number; }

static void handlers_are_taken_back(void **state) {
    (void)state;
    vb_context_catch_signals(true);
    assert_int_equal(vb_context_keep_signals(), 0);
    signal(SIGUSR1, on_theirs);
    assert_int_equal(vb_context_keep_signals(), SIGUSR1);
    assert_int_equal(vb_context_keep_signals(), 0);
    raise(SIGUSR1); /* the default would end the process */
    assert_int_equal(stolen, 0);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, on_theirs);
    assert_true(vb_context_keep_signals() > 0);
    raise(SIGTERM);
    raise(SIGINT);
    assert_int_equal(stolen, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(handlers_are_taken_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
