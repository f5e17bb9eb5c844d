/* Tests of a process alone, in which MPI does not run, and of the pauses of a rank that waits. */
#include "mpi/ranks/calls.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/ranks/context.h"
#include "mpi/ranks/groups.h"
#include "tests/unit/vb_test.h"

static void pauses_grow_to_some_milliseconds(void **state) {
    (void)state;
    vb_calls_pause pause = {0};
    vb_calls_pause_once(&pause);
    assert_int_equal(pause.slept, 0); /* the first moment only yields */
    usleep(100);
    vb_calls_pause_once(&pause);
    assert_int_equal(pause.slept, 20000);
    vb_calls_pause_once(&pause);
    assert_int_equal(pause.slept, 20000 + 22500);
    for (int i = 0; i < 60; i++) {
        const int64_t before = pause.slept;
        vb_calls_pause_once(&pause);
        assert_true(pause.slept - before <= 5000000);
    }
    assert_true(pause.slept > 39000000 && pause.slept < 45000000); /* where a step has its full length */
    const int64_t last = pause.slept;
    const double begun = vb_live_now();
    for (int i = 0; i < 5; i++) vb_calls_pause_once(&pause);
    assert_true(vb_live_now() - begun >= 0.025);
    assert_int_equal(pause.slept, last);
}

static void pauses_stay_short_while_bytes_are_moved(void **state) {
    (void)state;
    vb_calls_pause pause = {.moving = true};
    vb_calls_pause_once(&pause);
    assert_int_equal(pause.slept, 0);
    usleep(20000);
    for (int i = 1; i <= 400; i++) { /* by far enough for the longest of others */
        vb_calls_pause_once(&pause);
        assert_int_equal(pause.slept, i * INT64_C(20000));
    }
}

static void one_process_gives_itself_everything(void **state) {
    (void)state;
    vb_comm comm;
    vb_error err;
    vb_error_clear(&err);
    assert_ok(vb_comm_open_alone(&comm, &err));
    assert_true(comm.mpi == MPI_COMM_NULL);
    assert_int_equal(comm.rank, 0);
    assert_int_equal(comm.size, 1);
    assert_true(comm.own_cores >= 1 && comm.own_cores == comm.node_cores);
    int64_t numbers[3] = {5, -6, 7};
    assert_ok(vb_comm_sum_to_root(&comm, numbers, 3, &err));
    assert_ok(vb_comm_max(&comm, numbers, 3, &err));
    assert_ok(vb_comm_broadcast(&comm, numbers, sizeof numbers, &err));
    assert_ok(vb_comm_or_bits(&comm, numbers, sizeof numbers, &err));
    assert_ok(vb_comm_allgather_rows(&comm, numbers, 3, sizeof *numbers, &err));
    assert_ok(vb_comm_agree_same(&comm, 0, "this", "what", &err));
    assert_true(numbers[0] == 5 && numbers[1] == -6 && numbers[2] == 7);
    int64_t own[3] = {0};
    assert_ok(vb_comm_or_blocks(&comm, numbers, own, sizeof own, &err));
    assert_memory_equal(own, numbers, sizeof own);
    vb_blocks blocks;
    assert_ok(vb_comm_gather(&comm, "a block", 7, &blocks, &err));
    assert_int_equal(blocks.count, 1);
    assert_int_equal(blocks.sizes[0], 7);
    assert_string_equal(blocks.bytes[0], "a block");
    vb_comm_blocks_free(&blocks);
    assert_true(comm.sent == 0 && comm.received == 0);
    vb_comm_progress();
    vb_comm_close(&comm);
}

static void errors_and_alarms_end_with_the_agreement(void **state) {
    (void)state;
    vb_context world = {0};
    vb_groups groups;
    vb_error err;
    vb_error_clear(&err);
    int64_t item;
    assert_ok(vb_comm_open_alone(&world.comm, &err));
    assert_ok(vb_groups_open(&groups, &world, 1, 2, &err));
    for (int64_t i = 0; i < 3; i++) {
        assert_ok(vb_groups_next(&groups, &item, &err));
        assert_int_equal(item, i);
    }
    vb_context *group = &groups.context;
    assert_false(vb_comm_alarm_heard(&group->comm));
    vb_comm_alarm_raise(&group->comm);
    assert_true(vb_comm_alarm_heard(&group->comm));
    assert_int_equal(vb_comm_agree(&group->comm, vb_errorf(&err, VB_EDATA, "broken"), &err), -1);
    assert_int_equal(err.code, VB_EDATA);
    assert_string_equal(err.text, "broken");
    assert_int_equal(vb_groups_wait(&groups, -1, &err), -1);
    assert_int_equal(err.code, VB_EDATA);
    assert_false(vb_comm_alarm_heard(&group->comm));
    vb_error_clear(&err);
    assert_ok(vb_context_barrier(group, 0, &err));
    raise(SIGTERM);
    assert_int_equal(vb_context_barrier(group, 0, &err), -1);
    assert_int_equal(err.code, VB_EINCOMPLETE);
    vb_groups_close(&groups);
    vb_comm_close(&world.comm);
}

static void a_launcher_is_known_by_its_variables(void **state) {
    (void)state;
    static const char *const names[] = {"PMI_RANK",       "PMIX_RANK",           "OMPI_COMM_WORLD_SIZE",
                                        "SLURM_PROCID",   "PALS_RANKID",         "MPI_LOCALRANKID",
                                        "FLUX_TASK_RANK", "MV2_COMM_WORLD_RANK", "JSM_NAMESPACE_RANK"};
    char **kept = environ, *none[] = {NULL};
    environ = none;
    setenv("SLURM_JOB_ID", "7", 1);                 /* a shell in an allocation */
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1); /* a setting */
    setenv("VOCABENCH_MPI", "0", 1);
    assert_false(vb_context_is_launched());
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv(names[i], "0", 1);
        assert_true(vb_context_is_launched());
        unsetenv(names[i]);
        assert_false(vb_context_is_launched());
    }
    setenv("VOCABENCH_MPI", "1", 1);
    assert_true(vb_context_is_launched());
    environ = kept;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pauses_grow_to_some_milliseconds),
                                       cmocka_unit_test(pauses_stay_short_while_bytes_are_moved),
                                       cmocka_unit_test(one_process_gives_itself_everything),
                                       cmocka_unit_test(errors_and_alarms_end_with_the_agreement),
                                       cmocka_unit_test(a_launcher_is_known_by_its_variables)};
    vb_context_catch_signals(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
