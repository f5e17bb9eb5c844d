/* Where paths of an experiment file are looked for: beside it, below the current folder, in the installed configs. */
#include "kernels/base/fault.h"
#include "mpi/base/resolve.h"
#include "tests/unit/scratch.h"

static void touch(const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void resolves(const char *path, const char *beside, const char *expected) {
    vb_error err;
    char *found = vb_resolve(path, beside, &err);
    assert_non_null(found);
    assert_string_equal(found, expected);
    vb_free(found);
}

static void places_are_tried_in_order(void **state) {
    (void)state;
    assert_int_equal(chdir(scratch), 0);
    mkdir("beside", 0700), mkdir("installed", 0700), mkdir("installed/prompts", 0700);
    touch("beside/both"), touch("both"), touch("here"), touch("beside/part-0.npy"), touch("installed/prompts/p.yaml");
    setenv("VOCABENCH_CONFIGS", "installed", 1);
    resolves("both", "beside/e.yaml", "beside/both");
    resolves("here", "beside/e.yaml", "here");
    resolves("part-*.npy", "beside/e.yaml", "beside/part-*.npy"); /* a glob that matches */
    resolves("configs/prompts/p.yaml", "beside/e.yaml", "installed/prompts/p.yaml");
    resolves("configs/prompts/q.yaml", "beside/e.yaml", "configs/prompts/q.yaml"); /* nowhere: as it is written */
    resolves("prompts/p.yaml", "beside/e.yaml", "prompts/p.yaml");
    resolves("/not/there", "beside/e.yaml", "/not/there");
    resolves("here", "e.yaml", "here");
    setenv("VB_PLACE", "both", 1);
    resolves("$VB_PLACE", "beside/e.yaml", "beside/both");
}

static void no_memory_is_an_error(void **state) {
    (void)state;
    vb_error err;
    int failures = 0;
    for (int n = 1; n < 20; n++) {
        char plan[32];
        snprintf(plan, sizeof plan, "alloc:%d:ENOMEM", n);
        vb_error_clear(&err);
        assert_int_equal(vb_fault_setup(plan, 0), 0);
        char *found = vb_resolve("configs/prompts/q.yaml", "beside/e.yaml", &err);
        assert_int_equal(vb_fault_setup(NULL, 0), 0);
        if (!found) assert_int_equal(err.code, VB_EMEMORY);
        failures += !found;
        vb_free(found);
    }
    assert_true(failures > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_are_tried_in_order), cmocka_unit_test(no_memory_is_an_error)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
