/* Batch scripts: placeholders, quoting held against a real shell, Slurm's times, and programs run without a shell. */
#include "kernels/base/fault.h"
#include "mpi/base/script.h"
#include "mpi/base/spawn.h"
#include "tests/unit/scratch.h"

static void fill_replaces_and_drops(void **state) {
    (void)state;
    vb_error err = {0};
    const vb_slot slots[] = {{"NAME", "n@N@"}, {"N", "3"}, {"NOT", NULL}, {"EMPTY", ""}, {NULL, NULL}};
    char *script;
    assert_ok(vb_script_fill("#SBATCH --a=@NAME@/@N@\n#SBATCH --b=@NOT@\nx@y @ @@ @low@ [@EMPTY@]\nend @N@", "t", slots, &script,
                             &err));
    /* Values are not looked through again; a line that asks for what is not given is left out. */
    assert_string_equal(script, "#SBATCH --a=n@N@/3\nx@y @ @@ @low@ []\nend 3");
    vb_free(script);
    assert_ok(vb_script_fill("", "t", slots, &script, &err));
    assert_string_equal(script, "");
    vb_free(script);
    assert_ok(vb_script_fill("@NOT@\n", "t", slots, &script, &err));
    assert_string_equal(script, "");
    vb_free(script);
    assert_fails(vb_script_fill("one\ntwo @WHAT@\n", "dir/t.sbatch", slots, &script, &err), VB_ECONFIG,
                 "dir/t.sbatch:2: unknown placeholder @WHAT@");
}

static void words_survive_a_shell(void **state) {
    (void)state;
    vb_error err = {0};
    const char *const texts[] = {
        "plain/path_1.0,x=y:@%+-", "a b", "", "it's", "''", "$HOME `id` \"q\" \\ ; & | > * ? [a] {b} ~ #", "naïve ü", "!x"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *word = vb_script_shell_word(texts[i], "text", &err), line[512], *output;
        assert_non_null(word);
        snprintf(line, sizeof line, "printf %%s %s", word);
        const char *argv[] = {"sh", "-c", line, NULL};
        assert_ok(vb_spawn(argv, NULL, &output, &err));
        assert_string_equal(output, texts[i]);
        vb_free(output);
        vb_free(word);
    }
    char *slurms = vb_script_sbatch_word("it's a\\b", "path", &err); /* as sbatch -v shows it: it's a\b */
    assert_string_equal(slurms, "'it'\\''s a\\\\b'");
    vb_free(slurms);
    char *path = vb_script_path_word("~a $x", "path", &err);
    assert_string_equal(path, "'./~a $$x'");
    vb_free(path);
    char *plain = vb_script_shell_word("4:00:00", "time", &err);
    assert_string_equal(plain, "4:00:00");
    vb_free(plain);
    assert_fails(!vb_script_shell_word("two\nlines", "--option", &err), VB_EUSAGE,
                 "--option: expected no control characters, found one at byte 3");
    assert_fails(!vb_script_shell_word("tab\there", "x", &err), VB_EUSAGE, "byte 3");
}

static void words_are_joined(void **state) {
    (void)state;
    vb_error err = {0};
    char *words = vb_script_append_word(NULL, "a", &err);
    words = vb_script_append_word(words, "b c", &err);
    assert_string_equal(words, "a b c");
    vb_free(words);
}

static void times_are_slurms(void **state) {
    (void)state;
    vb_error err = {0};
    /* sbatch(1): "minutes", "minutes:seconds", "hours:minutes:seconds", "days-hours", "days-hours:minutes",
     * "days-hours:minutes:seconds" */
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"30", 1800},       {"1:30", 90},       {"4:00:00", 14400}, {"1-12", 129600},
                {"2-0:30", 174600}, {"1-2:3:4", 93784}, {"0:01", 1}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t seconds;
        assert_ok(vb_script_slurm_time(good[i].text, &seconds, &err));
        assert_int_equal(seconds, good[i].seconds);
    }
    static const char *const bad[] = {"",        "0",         "0:00",  "x",   "1:", ":1", "1-",       "-1",
                                      "1:2:3:4", "1-2:3:4:5", "1:2-3", "10m", " 5", "5 ", "99999999", "1--2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t seconds;
        assert_fails(vb_script_slurm_time(bad[i], &seconds, &err), VB_EUSAGE, "expected MINUTES");
    }
}

static void programs_are_run(void **state) {
    (void)state;
    vb_error err = {0};
    char *output;
    char *const environment[] = {(char *)(uintptr_t) "VB_GREETING=hello", NULL};
    assert_ok(vb_spawn((const char *[]){"sh", "-c", "printf \"$VB_GREETING\"; cat", NULL}, environment, &output, &err));
    assert_string_equal(output, "hello"); /* and its input is empty */
    vb_free(output);
    /* More than a pipe holds. */
    assert_ok(vb_spawn((const char *[]){"head", "-c", "300000", "/dev/zero", NULL}, NULL, &output, &err));
    vb_free(output);
    assert_fails(vb_spawn((const char *[]){"head", "-c", "30000000", "/dev/zero", NULL}, NULL, &output, &err), VB_EDATA,
                 "more than");
    assert_fails(vb_spawn((const char *[]){"no-such-program-here", NULL}, NULL, &output, &err), VB_EMISSING, "cannot be started");
    assert_fails(vb_spawn((const char *[]){"sh", "-c", "exit 3", NULL}, NULL, &output, &err), VB_EUSAGE, "sh: ended with code 3");
    assert_fails(vb_spawn((const char *[]){"sh", "-c", "kill -9 $$", NULL}, NULL, &output, &err), VB_EUSAGE, "signal 9");
    assert_null(output);
}

static void no_memory_is_an_error(void **state) {
    (void)state;
    vb_error err = {0};
    const vb_slot slots[] = {{"X", "value"}, {NULL, NULL}};
    int failures = 0;
    for (int n = 1; n < 40; n++) {
        char setting[32], *script = NULL, *word = NULL;
        snprintf(setting, sizeof setting, "alloc:%d:ENOMEM", n);
        assert_int_equal(vb_fault_setup(setting, 0), 0);
        int status = vb_script_fill("a @X@ line of text that is longer than what is allocated at first @X@ @X@ @X@ @X@ @X@ @X@\n",
                                    "t", slots, &script, &err);
        if (!status)
            word = vb_script_shell_word("it's a word to be quoted, and so long that it has to grow more than once", "w", &err);
        assert_int_equal(vb_fault_setup(NULL, 0), 0);
        if (status || !word) {
            assert_int_equal(err.code, VB_EMEMORY);
            failures++;
        }
        vb_free(script);
        vb_free(word);
    }
    assert_true(failures > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill_replaces_and_drops), cmocka_unit_test(words_survive_a_shell),
        cmocka_unit_test(words_are_joined),        cmocka_unit_test(times_are_slurms),
        cmocka_unit_test(programs_are_run),        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
