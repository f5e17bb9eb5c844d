/* What a hub leaves beside a file: its metadata, a table of known sums. Caches and clones: tests/cli/test_provenance.sh. */
#include <string.h>

#include "kernels/base/fault.h"
#include "shards/weights/published.h"
#include "tests/unit/scratch.h"

#define SUM "7c5d3f4b8b76583b422fcb9189ad6c89d5d97a094541ce8932dce3ecabde1421"
#define OTHER "abcd3f4b8b76583b422fcb9189ad6c89d5d97a094541ce8932dce3ecabde1421"

static void metadata(void **state) {
    (void)state;
    vb_sha256 sum;
    /* As huggingface_hub's documentation of the file shows it. */
    assert_true(vb_published_of_metadata("11c5a3d5811f50298f278a704980280950aedb10\n" SUM "\n1712656091.123\n", &sum));
    assert_string_equal(sum.hex, SUM);
    assert_true(vb_published_of_metadata("x\r\n " SUM " \r\n", &sum));
    assert_true(vb_published_of_metadata("\n" SUM, &sum));
    static const char *const none[] = {"",
                                       "\n",
                                       SUM "\n",
                                       "11c5a3d5811f50298f278a704980280950aedb10\na16a55fda99d2f2e7b69cce5cf93ff4ad3049930\n1\n",
                                       "x\n" SUM "0\n",
                                       "x\n7C5d3f4b8b76583b422fcb9189ad6c89d5d97a094541ce8932dce3ecabde1421\n",
                                       "x\n7c5d3f4b8b76583b422fcb9189ad6c89d5d97a094541ce8932dce3ecabde142\n",
                                       "x\n\n" SUM "\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(vb_published_of_metadata(none[i], &sum));
}

/* A file that is in the table is known by its bytes alone, wherever it lies, or, where eight digits are all that is published, by
 * them and its name; a file without a sum is not known. */
static void known_files(void **state) {
    (void)state;
    vb_error err = {0};
    vb_published found;
    vb_sha256 sum;
    char address[256];
    int rows = 0, whole = 0;
    for (; vb_published_table(rows); rows++) {
        const vb_published_row *row = vb_published_table(rows);
        const bool first_digits = strlen(row->sum) == 8;
        assert_true(first_digits || strlen(row->sum) == 64);
        assert_int_equal(strspn(row->sum, "0123456789abcdef"), strlen(row->sum));
        for (int other = 0; other < rows; other++) assert_string_not_equal(vb_published_table(other)->sum, row->sum);
        assert_non_null(strstr(vb_published_address(row, address, sizeof address), row->file));
        assert_string_equal(strrchr(address, '/') + 1, row->file);
        assert_int_equal(strncmp(address, "https://", 8), 0);
        if (first_digits) assert_non_null(strstr(row->file, row->sum)); /* which the file's name ends in */
        const char *name = first_digits ? row->file : "f.pt";
        put_file(name, "x", 1);
        memset(sum.hex, '7', 64);
        sum.hex[64] = 0;
        memcpy(sum.hex, row->sum, strlen(row->sum));
        assert_ok(vb_published_find(&found, scratch_path(name), 1, &sum, &err));
        assert_int_equal(found.verdict, VB_PUBLISHED_MATCH);
        assert_string_equal(found.sum.hex, row->sum);
        assert_string_equal(found.source, row->by);
        whole += !first_digits;
        /* One digit is another. */
        sum.hex[3] = sum.hex[3] == '0' ? '1' : '0';
        assert_ok(vb_published_find(&found, scratch_path(name), 1, &sum, &err));
        assert_int_equal(found.verdict, first_digits ? VB_PUBLISHED_DIFFERS : VB_PUBLISHED_NOT_KNOWN);
        assert_string_equal(found.sum.hex, first_digits ? row->sum : "");
    }
    assert_true(whole >= 9 && rows > whole);
    sum.hex[0] = 0;
    assert_ok(vb_published_find(&found, scratch_path("f.pt"), 1, &sum, &err));
    assert_int_equal(found.verdict, VB_PUBLISHED_NOT_KNOWN);
}

/* Names that end in digits of the sum, as torch.hub has them, tell a match; nothing else can be told from a name. */
static void names(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *digits; /* NULL: not known */
    } cases[] = {{"model-7c5d3f4b.pt", "7c5d3f4b"},
                 {"a-b-7c5d3f4b8b76.pth.tar", "7c5d3f4b8b76"},
                 {"model-" SUM ".safetensors", SUM},
                 {"model-7c5d3f4.pt", NULL},
                 {"model-7c5d3f4b", NULL},
                 {"model-7C5D3F4B.pt", NULL},
                 {"model-7c5d3f4bx.pt", NULL},
                 {"model_7c5d3f4b.pt", NULL},
                 {"7c5d3f4b.pt", NULL},
                 {"model-" SUM "0.pt", NULL},
                 {"model-deadbeef.pt", NULL}};
    const vb_sha256 sum = {SUM};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        vb_published found;
        put_file(cases[i].name, "x", 1);
        assert_ok(vb_published_find(&found, scratch_path(cases[i].name), 1, &sum, &err));
        assert_int_equal(found.verdict, cases[i].digits ? VB_PUBLISHED_MATCH : VB_PUBLISHED_NOT_KNOWN);
        assert_string_equal(found.sum.hex, cases[i].digits ? cases[i].digits : "");
        assert_string_equal(found.source, cases[i].digits ? "the file's name" : "");
    }
}

/* Every allocation fails once: an error or the answer. */
static void ends_by_memory(const char *file, vb_publication verdict) {
    vb_sha256 sum = {SUM};
    bool ended = false;
    for (int n = 1; n < 60 && !ended; n++) {
        char fault[32];
        vb_error err = {0};
        vb_published found;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        char path[1024];
        in_scratch(path, file);
        vb_fault_setup(fault, 0);
        const int status = vb_published_find(&found, path, 1, &sum, &err);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        else {
            assert_int_equal(found.verdict, verdict);
            ended = true;
        }
    }
    assert_true(ended);
}

static void memory(void **state) {
    (void)state;
    put_file("repo/.cache/huggingface/download/w.bin.metadata", "x\n" SUM "\n", 67);
    put_file("repo/w.bin", "y", 1);
    ends_by_memory("repo/w.bin", VB_PUBLISHED_MATCH);
    put_file("clone/.git/lfs/objects/ab/cd/" OTHER, "z", 1);
    put_file("clone/w.bin", "y", 1);
    ends_by_memory("clone/w.bin", VB_PUBLISHED_DIFFERS);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(metadata), cmocka_unit_test(known_files), cmocka_unit_test(names),
                                       cmocka_unit_test(memory)};
    return cmocka_run_group_tests_name("published", tests, make_scratch, remove_scratch);
}
