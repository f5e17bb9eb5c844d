/* Tests of digests: what xxhsum says, and texts that are added in pieces. */
#include "shards/files/digest.h"
#include "shards/files/writer.h"
#include "tests/unit/scratch.h"

static void digests_equal_xxhsum(void **state) {
    (void)state;
    vb_error err = {0};
    const char *path = scratch_path("file");
    /* `printf vocabench | xxhsum -H2`, and of nothing */
    assert_string_equal(vb_digest_bytes("", 0).hex, "99aa06d3014798d86001c324468d497f");
    vb_digest whole = vb_digest_bytes("vocabench", 9), file;
    assert_ok(vb_writer_write_whole(path, "vocabench", 9, &err));
    assert_ok(vb_digest_file(path, &file, &err));
    assert_string_equal(whole.hex, file.hex);
    vb_digester *digester;
    vb_digest pieces[2];
    for (int i = 0; i < 2; i++) {
        assert_ok(vb_digest_new(&digester, &err));
        vb_digest_add_text(digester, i ? "a" : "ab");
        vb_digest_add_text(digester, i ? "bc" : "c");
        pieces[i] = vb_digest_finish(digester);
    }
    assert_string_not_equal(pieces[0].hex, pieces[1].hex);
    unlink(path);
}

static void checksums(void **state) {
    (void)state;
    assert_true(vb_digest_checksum("", 0, 0) == 0x2d06800538d394c2); /* XXH3-64 of nothing, as xxHash publishes it */
    const char bytes[] = "vocabench";
    assert_true(vb_digest_checksum(bytes, 9, 0) != vb_digest_checksum(bytes, 9, 1));
    assert_true(vb_digest_checksum(bytes, 9, 0) != vb_digest_checksum(bytes, 8, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(digests_equal_xxhsum), cmocka_unit_test(checksums)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
