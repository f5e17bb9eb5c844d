/* Paths as texts: absolute, joined, beside one another, and their parts. */
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

static void paths_are_joined(void **state) {
    (void)state;
    static const struct {
        char *(*join)(const char *, const char *, vb_error *);
        const char *first, *second, *expected;
    } cases[] = {{vb_path_join, "a/b", "c.tar", "a/b/c.tar"},
                 {vb_path_join, "a/b/", "c.tar", "a/b/c.tar"},
                 {vb_path_join, "/", "c", "/c"},
                 {vb_path_beside, "a/b.tar", "c.txt", "a/c.txt"},
                 {vb_path_beside, "b.tar", "c.txt", "c.txt"},
                 {vb_path_beside, "/b.tar", "", "/"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        char *path = cases[i].join(cases[i].first, cases[i].second, &err);
        assert_string_equal(path, cases[i].expected);
        vb_free(path);
    }
    assert_string_equal(vb_path_base_name("a/b.tar"), "b.tar");
    assert_string_equal(vb_path_base_name("b.tar"), "b.tar");
    assert_true(vb_path_ends_with("x.tar.zst", ".zst") && !vb_path_ends_with("zst", ".zst"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths_become_absolute), cmocka_unit_test(paths_are_joined)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
