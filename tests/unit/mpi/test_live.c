/* What a run tells while it goes on: shares of its work, time to go, stages that come again, of ranks that take a part each; the
 * rates that it keeps for the next plan; threads a rank; memory that processes share. Numbers by hand. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mpi/base/memory_peak.h"
#include "mpi/ranks/progress.h"
#include "mpi/ranks/threads.h"
#include "mpi/run/rates.h"
#include "tests/unit/scratch.h"

/* Hours, against which it is short how long a busy machine lets the test wait. */
static void assert_near(double found, double expected) {
    if (found < expected - 60 || found > expected + 60) fail_msg("found %g, expected about %g", found, expected);
}

static void time_to_go_follows_the_work(void **state) {
    (void)state;
    vb_live live = {.started = vb_live_now() - 6000, .all = 100};
    assert_true(vb_live_seconds_left(&live) < 0); /* nothing is done */
    vb_live_begin(&live, 40);
    assert_true(vb_live_seconds_left(&live) < 0);
    live.share = 0.5; /* 20 of 100 in 6,000 s */
    assert_near(vb_live_seconds_left(&live), 24000);
    vb_live_end(&live);
    assert_near(vb_live_seconds_left(&live), 9000);
    vb_live_begin(&live, 35);
    assert_near(vb_live_seconds_left(&live), 9000); /* the second pair has its own share */
    live.share = 1;
    assert_near(vb_live_seconds_left(&live), 2000);
    vb_live_end(&live);
    assert_near(vb_live_seconds_left(&live), 2000);
    vb_live_begin(&live, 25);
    vb_live_end(&live);
    assert_true(vb_live_seconds_left(&live) == 0);
    vb_live_begin(&live, 7); /* the estimate was too low */
    vb_live_end(&live);
    assert_true(vb_live_seconds_left(&live) == 0);
}

static void step(vb_progress *progress, int64_t items, const vb_live *live, int64_t done) {
    vb_progress_step(progress, items);
    assert_int_equal(live->stages[live->count - 1].done, done);
}

/* As the first of three ranks, which has four of ten items. */
static void stages_count_all_ranks(void **state) {
    (void)state;
    vb_live live = {.started = vb_live_now(), .all = 1};
    vb_context context = {.comm = {.mpi = MPI_COMM_NULL, .size = 3}, .live = &live};
    vb_progress progress;
    vb_live_begin(&live, 1);
    vb_progress_start(&progress, &context, "first", "", "items", 10);
    vb_progress_measures(&progress);
    step(&progress, 1, &live, 2); /* 2.5 */
    assert_true(live.share == 0.2);
    step(&progress, 1, &live, 5);
    step(&progress, 2, &live, 10);
    assert_true(live.share == 1);
    vb_progress_end(&progress);
    assert_true(live.stages[0].ended);
    assert_int_equal(live.stages[0].total, 10);
    vb_progress_start(&progress, &context, "first", "", "items", 6); /* two a rank, behind the ten */
    assert_false(live.stages[0].ended);
    step(&progress, 1, &live, 13);
    step(&progress, 1, &live, 16);
    vb_progress_end(&progress);
    assert_int_equal(live.stages[0].total, 16);
    vb_progress_start(&progress, &context, "second", "", "items", 10);
    vb_progress_by(&progress, 4);
    step(&progress, 2, &live, 6); /* of three; two is what the last of the four has */
    step(&progress, 1, &live, 10);
    vb_progress_end(&progress);
    vb_progress_start(&progress, &context, "third", "", "items", 10);
    vb_progress_together(&progress);
    step(&progress, 4, &live, 4);
    step(&progress, 6, &live, 10);
    vb_progress_end(&progress);
    vb_progress_start(&progress, &context, "fourth", "", "items", 0);
    step(&progress, 7, &live, 7);
    vb_progress_end(&progress);
    assert_int_equal(live.stages[3].total, 0);
    assert_int_equal(live.count, 4);
    assert_true(live.share == 1); /* of the stage that measures */
    vb_live_begin(&live, 1);
    assert_int_equal(live.count, 0);
}

/* 200 images of four ranks in 50 s and 40 texts in 4 s, of two threads for each core. */
static void rates_are_of_one_rank_by_itself(void **state) {
    (void)state;
    char cache[1024];
    vb_model_spec spec = {.name = (char *)"m"};
    vb_model model = {.spec = &spec}, other = {.spec = &spec};
    snprintf(model.image_key.hex, sizeof model.image_key.hex, "image");
    snprintf(model.text_key.hex, sizeof model.text_key.hex, "text");
    other.image_key = model.image_key;
    const vb_rates_of of = {.cache = in_scratch(cache, "kept"), .model = &model, .dataset = "d", .threads = 2};
    vb_live live = {.count = 3,
                    .stages = {{.name = "texts", .done = 40, .seconds = 4, .ended = true},
                               {.name = "encode", .done = 200, .seconds = 30, .ended = true},
                               {.name = "evaluate", .done = 200, .seconds = 20, .ended = true}}};
    vb_pair_counts counts = {.images_encoded = 190, .texts_encoded = 40};
    vb_rates rates;
    assert_false(vb_rates_find(&of, &rates));
    vb_rates_keep(&of, &live, &counts, 4, 2);
    assert_true(vb_rates_find(&of, &rates));
    assert_true(rates.image == 0.5 && rates.text == 0.2 && rates.ranks == 4);
    /* What was not all encoded is no measure; the other one is. */
    live.stages[0].seconds = 8;
    counts.units_cached = 1;
    vb_rates_keep(&of, &live, &counts, 4, 2);
    assert_true(vb_rates_find(&of, &rates));
    assert_true(rates.image == 0.5 && rates.text == 0.4);
    counts = (vb_pair_counts){.images_encoded = 200, .texts_encoded = 1, .texts_cached = 39};
    live.stages[1].seconds = 20;
    vb_rates_keep(&of, &live, &counts, 2, 1);
    assert_true(vb_rates_find(&of, &rates));
    assert_true(rates.image == 0.4 && rates.text == 0.4 && rates.ranks == 2);
    vb_rates_of others[4] = {of, of, of, of};
    others[0].dataset = "e";
    others[1].threads = 3;
    others[2].gpu = true;
    others[3].model = &other;
    for (int i = 0; i < 4; i++) assert_false(vb_rates_find(&others[i], &rates));
}

static void threads_are_shared_out(void **state) {
    (void)state;
    vb_comm comm = {.own_cores = 8, .sharing = 1, .node_cores = 8, .node_size = 1};
    unsetenv("OMP_NUM_THREADS");
    assert_int_equal(vb_threads_default(&comm), 8);
    comm.sharing = 3;
    assert_int_equal(vb_threads_default(&comm), 2);
    comm.sharing = 9;
    assert_int_equal(vb_threads_default(&comm), 1);
    setenv("OMP_NUM_THREADS", "5,2", 1);
    assert_int_equal(vb_threads_default(&comm), 5);
    setenv("OMP_NUM_THREADS", "0", 1);
    assert_int_equal(vb_threads_default(&comm), 1);
    unsetenv("OMP_NUM_THREADS");
}

/* Two processes that have the same 64 MiB: each has half of them; and 48 MiB of this one's own, which are gone by then. */
static void shared_memory_counts_once(void **state) {
    (void)state;
    enum { SHARED = 64 << 20, OWN = 48 << 20, NOISE = 8 << 20 };
    vb_memory_peak peak = {0};
    int ready[2], done[2];
    char byte = 0;
    if (access("/proc/self/smaps_rollup", R_OK)) skip();
    char *memory = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED && !pipe(ready) && !pipe(done));
    memset(memory, 1, SHARED);
    const pid_t child = fork();
    if (!child) {
        for (int i = 0; i < SHARED; i += 4096) byte = (char)(byte | memory[i]);
        const bool told = write(ready[1], &byte, 1) == 1 && read(done[0], &byte, 1) == 1;
        _exit(!told);
    }
    assert_true(child > 0 && read(ready[0], &byte, 1) == 1);
    char *own = mmap(NULL, OWN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(own != MAP_FAILED);
    memset(own, 1, OWN);
    munmap(own, OWN);
    vb_memory_peak_note(&peak);
    assert_int_equal(write(done[1], &byte, 1), 1);
    waitpid(child, NULL, 0);
    munmap(memory, SHARED);
    assert_true(peak.resident >= SHARED + OWN);
    assert_true(peak.share >= SHARED / 2 + OWN);
    assert_true(peak.share <= peak.resident - SHARED / 2 + NOISE);
    const vb_memory_peak before = peak;
    vb_memory_peak_note(&peak); /* less by now: the peak stays */
    assert_true(peak.resident >= before.resident && peak.share >= before.share);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_to_go_follows_the_work),     cmocka_unit_test(stages_count_all_ranks),
        cmocka_unit_test(rates_are_of_one_rank_by_itself), cmocka_unit_test(threads_are_shared_out),
        cmocka_unit_test(shared_memory_counts_once),
    };
    return cmocka_run_group_tests_name("live", tests, make_scratch, remove_scratch);
}
