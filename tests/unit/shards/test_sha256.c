/* SHA-256 against FIPS 180-4's examples, and Python's or coreutils' in the shell tests. */
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/sha256.h"
#include "tests/unit/scratch.h"

static void published_examples(void **state) {
    (void)state;
    static const struct {
        const char *text, *sum;
    } examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"}};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        assert_string_equal(vb_sha256_bytes(examples[i].text, strlen(examples[i].text)).hex, examples[i].sum);
    vb_error err;
    char *million = vb_array(1000000, 1, "test", &err);
    memset(million, 'a', 1000000);
    assert_string_equal(vb_sha256_bytes(million, 1000000).hex,
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    vb_free(million);
}

/* A file through the job: sizes around blocks and reads, each against the bytes in memory. */
static void files(void **state) {
    (void)state;
    vb_error err;
    char path[1024], folder[1024];
    vb_sha256_job *job;
    static const size_t sizes[] = {0, 1, 55, 56, 63, 64, 65, 65535, 65536, 65537, 200000};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    uint8_t *bytes = vb_array(200000, 1, "test", &err);
    for (size_t i = 0; i < 200000; i++) bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    assert_int_equal(vb_sha256_job_new(&job, in_scratch(folder, "cache"), &err), 0);
    int index;
    for (size_t i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%zu", i);
        put_file(name, bytes, sizes[i]);
        assert_int_equal(vb_sha256_job_add(job, in_scratch(path, name), &index, &err), 0);
        assert_int_equal(index, (int)i);
    }
    assert_int_equal(vb_sha256_job_add(job, in_scratch(path, "f3"), &index, &err), 0);
    assert_int_equal(index, 3);
    assert_int_equal(vb_sha256_job_add(job, in_scratch(path, "none"), &index, &err), 0);
    vb_sha256_job_start(job);
    vb_sha256_job_wait(job, false);
    for (size_t i = 0; i < COUNT; i++) {
        assert_string_equal(vb_sha256_job_file(job, (int)i)->sum.hex, vb_sha256_bytes(bytes, sizes[i]).hex);
        assert_false(vb_sha256_job_file(job, (int)i)->known);
    }
    assert_string_equal(vb_sha256_job_file(job, index)->sum.hex, "");
    vb_sha256_job_keep(job);
    vb_sha256_job_free(job);
    /* Again: from the folder; a file that was written to since: anew. */
    put_file("f5", bytes + 1, 70);
    assert_int_equal(vb_sha256_job_new(&job, folder, &err), 0);
    assert_int_equal(vb_sha256_job_add(job, in_scratch(path, "f4"), &index, &err), 0);
    assert_int_equal(vb_sha256_job_add(job, in_scratch(path, "f5"), &index, &err), 0);
    vb_sha256_job_start(job);
    vb_sha256_job_wait(job, false);
    assert_true(vb_sha256_job_file(job, 0)->known);
    assert_string_equal(vb_sha256_job_file(job, 0)->sum.hex, vb_sha256_bytes(bytes, 63).hex);
    assert_false(vb_sha256_job_file(job, 1)->known);
    assert_string_equal(vb_sha256_job_file(job, 1)->sum.hex, vb_sha256_bytes(bytes + 1, 70).hex);
    vb_sha256_job_free(job);
    /* One that is written to before it is read: no sum of what the run has not used. */
    put_file("f6", bytes, 40);
    assert_int_equal(vb_sha256_job_new(&job, folder, &err), 0);
    assert_int_equal(vb_sha256_job_add(job, in_scratch(path, "f6"), &index, &err), 0);
    put_file("f6", bytes, 41);
    vb_sha256_job_start(job);
    vb_sha256_job_wait(job, false);
    assert_string_equal(vb_sha256_job_file(job, 0)->sum.hex, "");
    vb_sha256_job_free(job);
    vb_free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(published_examples), cmocka_unit_test(files)};
    return cmocka_run_group_tests_name("sha256", tests, make_scratch, remove_scratch);
}
