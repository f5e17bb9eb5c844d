/* Parts and what belongs to them, by the numbers in their names. */
#include "shards/files/numbered.h"
#include "tests/unit/vb_test.h"

static int pair(const char *parts, const char *others, char *joined, vb_error *err) {
    char left[512], *names[32], *save;
    size_t count = 0;
    vb_strings list = {0};
    snprintf(left, sizeof left, "%s", parts);
    for (char *at = strtok_r(left, " ", &save); at; at = strtok_r(NULL, " ", &save)) names[count++] = at;
    char right[512], *next;
    snprintf(right, sizeof right, "%s", others);
    for (char *at = strtok_r(right, " ", &next); at; at = strtok_r(NULL, " ", &next)) vb_strings_add(&list, at, err);
    int status = vb_numbered_pair((const char *const *)names, count, &list, "caption files", "parts", err);
    *joined = 0;
    for (size_t i = 0; i < list.count && !status; i++) strcat(strcat(joined, i ? " " : ""), list.items[i]);
    vb_strings_free(&list);
    return status;
}

static void numbers_pair(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        /* in byte order 10 comes before 2 where nothing is padded */
        {"e/emb_0.npy e/emb_1.npy e/emb_10.npy e/emb_2.npy", "m/meta_00.jsonl m/meta_01.jsonl m/meta_02.jsonl m/meta_10.jsonl",
         "m/meta_00.jsonl m/meta_01.jsonl m/meta_10.jsonl m/meta_02.jsonl"},
        {"a7/x0.npy a7/x1.npy", "b9/0001.tsv b9/00.tsv", "b9/00.tsv b9/0001.tsv"},
        /* the last number that tells them apart */
        {"part-0-of-2.npy part-1-of-2.npy", "c2017_1.v2.txt c2017_0.v2.txt", "c2017_0.v2.txt c2017_1.v2.txt"},
        {"x99999999999999999999.npy x100000000000000000000.npy", "y100000000000000000000.txt y099999999999999999999.txt",
         "y099999999999999999999.txt y100000000000000000000.txt"},
        /* no numbers: names */
        {"e/b.npy e/a.npy", "m/a.jsonl.zst m/b.jsonl.zst", "m/b.jsonl.zst m/a.jsonl.zst"},
        {"emb.npy", "coco2017.json", "coco2017.json"},
        /* those of folders tell nothing */
        {"e/1/b.npy e/2/a.npy", "m/1/a.tsv m/2/b.tsv", "m/2/b.tsv m/1/a.tsv"},
    };
    vb_error err;
    char joined[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(pair(cases[i][0], cases[i][1], joined, &err));
        assert_string_equal(joined, cases[i][2]);
    }
}

static void what_does_not_pair_is_refused(void **state) {
    (void)state;
    vb_error err;
    char joined[512];
    assert_fails(pair("e_0.npy e_1.npy", "m_1.txt m_2.txt", joined, &err), VB_EMISMATCH,
                 "e_0.npy: its number is 0, which none of the 2 caption files has, such as m_1.txt");
    assert_fails(pair("e_1.npy e_2.npy", "m_0.txt m_1.txt", joined, &err), VB_EMISMATCH,
                 "m_0.txt: its number is 0, which none of the 2 parts has, such as e_1.npy");
    assert_fails(pair("e_0.npy e_1.npy", "m_0.txt", joined, &err), VB_EMISMATCH, "1 caption files for 2 parts");
    assert_fails(pair("a.npy b.npy", "m_0.txt m_1.txt", joined, &err), VB_EMISMATCH, "cannot be paired");
    assert_fails(pair("a_0.npy b_0.npy", "a_0.txt c_0.txt", joined, &err), VB_EMISMATCH, "b_0.npy: its name is b_0");
    assert_fails(pair("a_0.npy a_00.npy", "x_0.txt x_1.txt", joined, &err), VB_EMISMATCH, "cannot be paired");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_pair), cmocka_unit_test(what_does_not_pair_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
