/* Programs in a folder, such as gnuplot: how they end is told in one line. vb_spawn: test_script.c. */
#include <string.h>

#include "mpi/base/spawn.h"
#include "tests/unit/vb_test.h"

/* What fills a pipe over and over: its last line is kept. */
static const char *const long_complaint = "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i + 1)); done; exit 3";

static void in_a_folder(void **state) {
    (void)state;
    static const struct {
        const char *argv[4];
        int code; /* VB_OK: it ends well */
        const char *text;
    } cases[] = {
        {{"sh", "-c", "test \"$PWD\" = / && echo unseen"}, VB_OK, ""},
        {{"sh", "-c", "echo first >&2; printf '  second \\n\\n' >&2; exit 7"}, VB_EINTERNAL, "sh ended with code 7: second"},
        {{"sh", "-c", "exit 2"}, VB_EINTERNAL, "sh ended with code 2: "},
        {{"sh", "-c", "echo why >&2; kill -9 $$"}, VB_EINTERNAL, "sh ended by signal 9: why"},
        {{"sh", "-c", NULL}, VB_EINTERNAL, "sh ended with code 3: line 2999"},
        {{"vocabench-no-such-program"}, VB_EMISSING, "vocabench-no-such-program: no such program; get it"},
        {{"/etc"}, VB_EINTERNAL, "/etc: cannot be started: Permission denied"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argv[4];
        vb_error err = {0};
        memcpy(argv, cases[i].argv, sizeof argv);
        if (argv[1] && !argv[2]) argv[2] = long_complaint;
        int status = vb_spawn_in("/", argv, "get it", &err);
        if (cases[i].code ? !status || err.code != cases[i].code || strcmp(err.text, cases[i].text) : status)
            fail_msg("case %zu: expected '%s', found %d, %d, '%s'", i, cases[i].text, status, err.code, err.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_a_folder)};
    return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
