/* Tests of paths: folders made and listed, globs, absolute paths, joined ones and their parts. */
#include <fcntl.h>
#include <limits.h>

#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"
#include "tests/unit/scratch.h"

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

static void folders_that_are_gone(void **state) {
    (void)state;
    vb_error err = {0};
    char path[1024];
    int64_t bytes = 0;
    assert_ok(vb_path_free_space(scratch, &bytes, &err));
    assert_true(bytes >= 0);
    in_scratch(path, "gone/x");
    path[strlen(path) - 2] = 0;
    int here = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(path), 0);
    assert_int_equal(rmdir(path), 0);
    char *absolute = vb_path_absolute("a", &err);
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_null(absolute);
    assert_int_equal(err.code, VB_EMISSING);
    assert_string_equal(err.text, "the current folder has no path: No such file or directory");
    assert_fails(vb_path_free_space(path, &bytes, &err), VB_EMISSING, "gone: No such file or directory");
    assert_fails(vb_file_expect(path, &err), VB_EMISSING, "gone: No such file or directory");
}

static void expands(const char *written, const char *expected) {
    vb_error err;
    char *path = vb_path_expand(written, &err);
    if (!path) fail_msg("%s: %s", written, err.text);
    assert_string_equal(path, expected);
    char *again = vb_path_written(path, &err), *back = again ? vb_path_expand(again, &err) : NULL;
    if (!back) fail_msg("%s, written %s: %s", path, again ? again : "", err.text);
    assert_string_equal(*path == '~' ? back + 2 : back, path); /* ./~x */
    vb_free(again);
    vb_free(back);
    vb_free(path);
}

static void variables_are_expanded(void **state) {
    (void)state;
    vb_error err;
    setenv("HOME", "/home/me", 1), setenv("VB_A", "/a b", 1), setenv("VB_A2", "x$VB_A~", 1), setenv("VB_EMPTY", "", 1);
    unsetenv("VB_NONE");
    expands("plain/a~b-1.tar", "plain/a~b-1.tar");
    expands("", "");
    expands("~", "/home/me");
    expands("~/x/~", "/home/me/x/~");
    expands("./~x", "./~x");
    expands("$VB_A/y", "/a b/y");
    expands("x/${VB_A}y${VB_A2}", "x//a byx$VB_A~"); /* once: what a variable holds is taken as it is */
    expands("$VB_A2$VB_A.$$HOME$$", "x$VB_A~/a b.$HOME$");
    setenv("VB_A2", "~x$", 1);
    expands("$VB_A2", "~x$");
    expands("{a,b}/$VB_A{00..01}", "{a,b}//a b{00..01}");
    assert_fails(!vb_path_expand("$VB_NONE/x", &err), VB_ECONFIG, "$VB_NONE/x: the environment variable VB_NONE is not set");
    assert_fails(!vb_path_expand("a/${VB_EMPTY}", &err), VB_ECONFIG, "VB_EMPTY is empty");
    static const char *const bad[] = {"$", "a$", "$/x", "${}", "${VB_A", "${VB_A:-x}", "$1", "${1}", "a$-b", "$(pwd)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(!vb_path_expand(bad[i], &err), VB_ECONFIG, "expected $NAME or ${NAME} of the environment");
    assert_fails(!vb_path_expand("~root/x", &err), VB_ECONFIG, "folders of other users are not looked up");
    unsetenv("HOME");
    assert_fails(!vb_path_expand("~/x", &err), VB_ECONFIG, "the environment variable HOME is not set");
}

static void folders_and_globs(void **state) {
    (void)state;
    vb_error err = {0};
    char path[800], deep[600], pattern[700];
    snprintf(deep, sizeof deep, "%s/a/b/c", scratch);
    assert_ok(vb_path_make_folders(deep, &err));
    assert_ok(vb_path_make_folders(deep, &err));
    const char *names[] = {"z.tar", "b.tar", "[x].tar", ".hidden.tar"};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", deep, names[i]);
        assert_ok(vb_writer_write_whole(path, "x", 1, &err));
    }
    vb_strings paths;
    snprintf(pattern, sizeof pattern, "%s/*.tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 3);
    assert_string_equal(vb_path_base_name(paths.items[0]), "[x].tar");
    assert_string_equal(vb_path_base_name(paths.items[2]), "z.tar");
    vb_strings_free(&paths);
    snprintf(pattern, sizeof pattern, "%s/{b,z}.tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 2);
    vb_strings_free(&paths);
    snprintf(pattern, sizeof pattern, "%s/[x].tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 1);
    vb_strings_free(&paths);
    for (int i = 8; i < 12; i++) {
        snprintf(path, sizeof path, "%s/s%03d.tar", deep, i);
        assert_ok(vb_writer_write_whole(path, "x", 1, &err));
    }
    snprintf(pattern, sizeof pattern, "%s/s{008..011}.tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 4);
    assert_string_equal(vb_path_base_name(paths.items[3]), "s011.tar");
    vb_strings_free(&paths);
    /* as in bash: without zeros before it a number has none, though the last one is longer */
    for (int i = 9; i < 11; i++) {
        snprintf(path, sizeof path, "%s/t%d.tar", deep, i);
        assert_ok(vb_writer_write_whole(path, "x", 1, &err));
    }
    snprintf(pattern, sizeof pattern, "%s/t{9..10}.tar", deep);
    assert_ok(vb_path_glob(&paths, pattern, &err));
    assert_int_equal(paths.count, 2);
    vb_strings_free(&paths);
    snprintf(pattern, sizeof pattern, "%s/s{008..012}.tar", deep);
    assert_fails(vb_path_glob(&paths, pattern, &err), VB_EMISSING, "s012.tar: no such file");
    snprintf(pattern, sizeof pattern, "%s/s{011..008}.tar", deep);
    assert_fails(vb_path_glob(&paths, pattern, &err), VB_EMISSING, "empty or too long");
    assert_fails(vb_path_glob(&paths, "/nowhere/*.tar", &err), VB_EMISSING, "/nowhere/*.tar");
    snprintf(pattern, sizeof pattern, "%s/z.tar/x", deep);
    assert_fails(vb_path_make_folders(pattern, &err), VB_EOUTPUT, "z.tar");
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths_become_absolute), cmocka_unit_test(folders_that_are_gone),
                                       cmocka_unit_test(variables_are_expanded), cmocka_unit_test(paths_are_joined),
                                       cmocka_unit_test(folders_and_globs)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
