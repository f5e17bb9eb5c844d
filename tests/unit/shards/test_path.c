/* Absolute paths. */
#include <limits.h>

#include "shards/files/path.h"
#include "tests/unit/vb_test.h"

static void paths_become_absolute(void **state) {
    (void)state;
    vb_error err = {0};
    char folder[PATH_MAX], expected[PATH_MAX + 16];
    assert_non_null(getcwd(folder, sizeof folder));
    snprintf(expected, sizeof expected, "%s/a/*.tar", folder);
    char *path = vb_path_absolute("a/*.tar", &err);
    assert_string_equal(path, expected);
    vb_free(path);
    path = vb_path_absolute("/x/../y", &err);
    assert_string_equal(path, "/x/../y");
    vb_free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths_become_absolute)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
