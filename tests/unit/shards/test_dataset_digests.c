/* Tests of what tells units of a dataset apart: the digest of what they hold, and the signature by which a cache finds it. */
#include "tests/unit/dataset_files.h"

static vb_error err;

/* What is told of the images goes by it. */
static void labels_are_digested(void **state) {
    (void)state;
    static const char *const names[] = {"l/1.tar", "l/2.tar", "l/3.tar"};
    char path[1024];
    vb_digest digests[3];
    PUT_TAR("l/1.tar", {"a.jpg", "a"}, {"a.cls", "one"});
    PUT_TAR("l/2.tar", {"a.jpg", "a"}, {"a.cls", "two"});
    PUT_TAR("l/3.tar", {"a.jpg", "a"}, {"a.txt", "one"});
    for (int i = 0; i < 3; i++) {
        vb_dataset *dataset;
        vb_unit_data data;
        assert_ok(vb_dataset_open(&dataset, in_scratch(path, names[i]), NULL, &err));
        assert_ok(vb_dataset_read_unit(dataset, 0, &data, &err));
        digests[i] = data.digest;
        vb_dataset_unit_free(&data);
        vb_dataset_close(dataset);
        for (int k = 0; k < i; k++) assert_string_not_equal(digests[k].hex, digests[i].hex);
    }
}

/* The same file by the same path, listed from two folders: another name, another digest of the content, another signature. */
static void names_are_signed(void **state) {
    (void)state;
    static const char *const folders[] = {"cat", "cat/cat"};
    static const char *const names[] = {"cat/cat/x.png", "cat/x.png"};
    char path[1024];
    vb_dataset *dataset;
    vb_unit_data data;
    vb_digest signatures[2], digests[2];
    put_text("cat/cat/cat/x.png", "not looked at");
    for (int i = 0; i < 2; i++) {
        assert_ok(vb_dataset_open(&dataset, in_scratch(path, folders[i]), NULL, &err));
        assert_ok(vb_dataset_unit_signature(dataset, 0, &signatures[i], &err));
        assert_ok(vb_dataset_read_unit(dataset, 0, &data, &err));
        assert_string_equal(data.samples[0].name, names[i]);
        digests[i] = data.digest;
        vb_dataset_unit_free(&data);
        vb_dataset_close(dataset);
    }
    assert_string_not_equal(digests[0].hex, digests[1].hex);
    assert_string_not_equal(signatures[0].hex, signatures[1].hex);
}

/* What a unit's signature leads to, in the cache, is the digest of its content, names included: the same file read alone and
 * beside another has two of either. */
static void read_alone_and_beside_others(void **state) {
    (void)state;
    static const char *const patterns[] = {"pair/data_1.bin", "pair/data_*.bin"};
    char path[1024];
    vb_dataset *dataset;
    vb_unit_data data[2];
    vb_digest signatures[2];
    put_cifar("pair/data_1.bin", 4, 1, 10);
    put_cifar("pair/data_2.bin", 4, 1, 10);
    for (int i = 0; i < 2; i++) {
        assert_ok(vb_dataset_open(&dataset, in_scratch(path, patterns[i]), NULL, &err));
        assert_int_equal(vb_dataset_unit(dataset, 0).count, 4);
        assert_ok(vb_dataset_unit_signature(dataset, 0, &signatures[i], &err));
        assert_ok(vb_dataset_read_unit(dataset, 0, &data[i], &err));
        vb_dataset_close(dataset);
    }
    /* Nor have two units of a file one. */
    put_cifar("pair/long.bin", 16, 1, 10);
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "pair/long.bin"), NULL, &err));
    vb_digest units[2];
    for (int u = 0; u < 2; u++) assert_ok(vb_dataset_unit_signature(dataset, u, &units[u], &err));
    assert_string_not_equal(units[0].hex, units[1].hex);
    vb_dataset_close(dataset);
    assert_string_equal(data[0].samples[0].name, "000000");
    assert_string_equal(data[1].samples[0].name, "data_1.bin/000000");
    assert_string_not_equal(data[0].digest.hex, data[1].digest.hex);
    assert_string_not_equal(signatures[0].hex, signatures[1].hex);
    for (int i = 0; i < 2; i++) vb_dataset_unit_free(&data[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(labels_are_digested), cmocka_unit_test(names_are_signed),
                                       cmocka_unit_test(read_alone_and_beside_others)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
