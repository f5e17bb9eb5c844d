/* The corpus of the fuzzers of what vocabench keeps and of what its commands read, replayed (tests/fuzz/replay.h). */
#include "tests/unit/vb_test.h"

#define LLVMFuzzerTestOneInput fuzz_kept
#include "tests/fuzz/fuzz_kept.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_commands
#include "tests/fuzz/fuzz_commands.c"
#undef LLVMFuzzerTestOneInput
#include "tests/fuzz/replay.h"

static void kept(void **state) {
    (void)state;
    replay("kept", fuzz_kept, 400);
}

static void commands(void **state) {
    (void)state;
    vb_error err = {0};
    uint8_t *results;
    size_t size;
    assert_ok(vb_file_read_whole("tests/fuzz/corpus/commands/results", 1 << 16, &results, &size, &err));
    feed(fuzz_commands, results, size);
    vb_free(results);
    assert_int_equal(commands_done, 4); /* the corpus leads where it should */
    replay("commands", fuzz_commands, 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(kept), cmocka_unit_test(commands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
