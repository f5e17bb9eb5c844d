/* File names of pairs: what they look like, and that no two pairs share one. */
#include "shards/files/file_name.h"
#include "tests/unit/vb_test.h"

static void is_named(const char *first, const char *second, const char *expected) {
    vb_error err;
    char *name = vb_file_name_of_pair(first, second, &err);
    assert_non_null(name);
    assert_string_equal(name, expected);
    vb_free(name);
}

static void names_are_as_documented(void **state) {
    (void)state;
    is_named("ViT-B-32", "cifar100", "ViT-B-32--cifar100");
    is_named("a|b", "x", "a%7Cb--x");
    is_named("a_b", "x", "a_b--x");
    is_named("a b", "50%", "a%20b--50%25");
    is_named("a--b", "c", "a%2D-b--c");
    is_named("a", "b--c", "a--b--c");
    is_named("a-", "-c", "a%2D---c");
    is_named("-a", "-", "%2Da---");
    is_named(".a", ".b", "%2Ea--.b");
    is_named("run@epoch_2", "x", "run@epoch_2--x");
    is_named("$(rm x)`~;&'\"\\", "\n\033[31m", "%24%28rm%20x%29%60%7E%3B%26%27%22%5C--%0A%1B%5B31m");
    is_named("Gr\xc3\xb6\xc3\x9f"
             "e",
             "\xe7\x8c\xab",
             "Gr\xc3\xb6\xc3\x9f"
             "e--\xe7\x8c\xab");
    /* no UTF-8, a control of Latin-1, one that turns the text, a byte order mark */
    is_named("\xff\xc3", "\xc2\x85", "%FF%C3--%C2%85");
    is_named("\xe2\x80\xae", "\xef\xbb\xbf", "%E2%80%AE--%EF%BB%BF");
}

enum { MOST = 200000 };

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* All pairs of names of up to three of the letters that could be mistaken for each other. */
static void no_two_pairs_share_a_name(void **state) {
    (void)state;
    static const char letters[] = "-_|%.";
    char words[1 + 5 + 25 + 125][4];
    int count = 0, n = 0;
    for (int length = 1; length <= 3; length++)
        for (int i = 0, all = length == 1 ? 5 : length == 2 ? 25 : 125; i < all; i++, count++)
            for (int k = 0, rest = i; k <= length; k++, rest /= 5) words[count][k] = k < length ? letters[rest % 5] : 0;
    vb_error err;
    char **names = vb_array(MOST, sizeof *names, "names", &err);
    assert_non_null(names);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++) assert_non_null(names[n++] = vb_file_name_of_pair(words[i], words[j], &err));
    qsort(names, (size_t)n, sizeof *names, by_text);
    for (int i = 1; i < n; i++)
        if (!strcmp(names[i - 1], names[i])) fail_msg("twice: %s", names[i]);
    for (int i = 0; i < n; i++) vb_free(names[i]);
    vb_free(names);
}

static void long_names_are_cut(void **state) {
    (void)state;
    vb_error err;
    char long_name[101] = "", other[101], *names[64];
    int n = 0;
    for (int filling = 0; filling < 3; filling++)
        for (int from = 0; from < 8; from++) {
            /* plain, escaped, of two bytes: cut at every place */
            memset(long_name, 'x', 100);
            for (int i = from; i + 1 < 100; i += 2)
                memcpy(long_name + i, filling == 1 ? "||" : filling == 2 ? "\xc3\xb6" : "xx", 2);
            memcpy(other, long_name, sizeof other);
            other[99] = 'y';
            names[n++] = vb_file_name_of_pair(long_name, long_name, &err);
            names[n++] = vb_file_name_of_pair(long_name, other, &err);
            for (int k = n - 2; k < n; k++) {
                assert_non_null(names[k]);
                size_t size = strlen(names[k]);
                assert_true(size <= VB_FILE_NAME_BYTES);
                if (filling != 1) {
                    assert_int_equal(size, VB_FILE_NAME_BYTES); /* fits as it is */
                    continue;
                }
                assert_string_equal(strchr(names[k], '=') ? "=" : "", "=");
                assert_int_equal(size - (size_t)(strstr(names[k], "%=") - names[k]), 34);
                for (const char *at = names[k]; *at; at++)
                    if (*at == '%' && at[1] != '=') assert_memory_equal(at, "%7C", 3);
            }
            assert_string_not_equal(names[n - 1], names[n - 2]);
        }
    while (n) vb_free(names[--n]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_as_documented), cmocka_unit_test(no_two_pairs_share_a_name),
                                       cmocka_unit_test(long_names_are_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
