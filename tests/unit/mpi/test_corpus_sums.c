/* Tests of corpora as lists of files: which files they are, and folders that cannot be listed. */
#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "mpi/run/corpus_sums.h"

static void a_list_is_whole_or_an_error(void **state) {
    (void)state;
    vb_strings files = {0};
    vb_error err = {0};
    assert_int_equal(chdir(scratch), 0);
    put_text("corpus/a.npy", "a");
    put_text("corpus/metadata/b.parquet", "b");
    put_text("corpus/lost+found/c", "c");
    assert_ok(vb_corpus_sums_files(&files, "corpus", &err));
    assert_int_equal(files.count, 2);
    assert_string_equal(files.items[0], "corpus/a.npy");
    assert_string_equal(files.items[1], "corpus/metadata/b.parquet");
    vb_strings_free(&files);
    assert_ok(vb_corpus_sums_files(&files, "nowhere/*.npy", &err)); /* its readers tell it */
    assert_int_equal(files.count, 0);
    for (int folder = 1; folder <= 2; folder++) {
        vb_fault_setup(folder == 1 ? "open:1:EACCES" : "open:2:EACCES", 0);
        assert_fails(vb_corpus_sums_files(&files, "corpus", &err), VB_EMISSING,
                     folder == 1 ? "corpus: cannot open folder: Permission denied" :
                                   "corpus/metadata: cannot open folder: Permission denied");
        vb_fault_setup(NULL, 0);
        vb_strings_free(&files);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_list_is_whole_or_an_error)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
