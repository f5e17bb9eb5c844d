/* Tests of CIFAR's binary files as datasets: both kinds, how they are told apart, and the official test set. */
#include "kernels/base/memory.h"
#include "tests/unit/dataset_files.h"

static vb_error err;

static void cifar_binaries(void **state) {
    (void)state;
    char path[1024];
    put_cifar("ten/data_1.bin", 300, 1, 10);
    put_cifar("ten/data_2.bin", 5, 1, 10);
    put_cifar("hundred/test.bin", 257, 2, 100);
    vb_dataset *dataset, *other;
    vb_unit_data data;
    vb_image image;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "ten/data_*.bin"), NULL, &err));
    assert_string_equal(vb_dataset_kind(dataset), "CIFAR-10 binary");
    assert_int_equal(vb_dataset_samples(dataset), 305);
    assert_int_equal(vb_dataset_bytes(dataset), 305 * 3073);
    assert_int_equal(vb_dataset_units(dataset), 39); /* of eight; none across two files */
    assert_int_equal(vb_dataset_unit(dataset, 1).first, 8);
    assert_int_equal(vb_dataset_unit(dataset, 37).count, 300 - 296);
    assert_int_equal(vb_dataset_unit(dataset, 38).first, 300);
    assert_int_equal(vb_dataset_labels(dataset), 10);
    assert_string_equal(vb_dataset_label(dataset, 9), "truck");
    assert_ok(vb_dataset_read_unit(dataset, 38, &data, &err));
    assert_string_equal(data.samples[4].name, "data_2.bin/000004");
    assert_int_equal(data.samples[4].label, 4);
    assert_ok(vb_dataset_sample_decode(&data.samples[4], &image, &err));
    assert_int_equal(image.mode, VB_MODE_RGB);
    assert_int_equal(image.width * image.height, 1024);
    for (int k = 0; k < 1024; k++)
        for (int c = 0; c < 3; c++) assert_int_equal(image.pixels[3 * k + c], (uint8_t)(4 + k + 1024 * c));
    vb_free(image.pixels);
    vb_dataset_unit_free(&data);
    vb_dataset_close(dataset);
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "hundred/test.bin"), NULL, &err));
    assert_string_equal(vb_dataset_kind(dataset), "CIFAR-100 binary");
    assert_int_equal(vb_dataset_samples(dataset), 257);
    assert_int_equal(vb_dataset_labels(dataset), 100);
    assert_string_equal(vb_dataset_label(dataset, 99), "worm");
    void *block;
    size_t size;
    assert_ok(vb_dataset_export(dataset, &block, &size, &err));
    assert_true(size < 4096);
    assert_ok(vb_dataset_import(&other, block, size, &err));
    assert_ok(vb_dataset_read_unit(other, 32, &data, &err));
    assert_string_equal(data.samples[0].name, "000256");
    assert_int_equal(data.samples[0].label, 56);
    vb_dataset_unit_free(&data);
    vb_free(block);
    vb_dataset_close(other);
    vb_dataset_close(dataset);
    put_text("hundred/fine_label_names.txt", "a\nb\n");
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "hundred/test.bin"), NULL, &err));
    assert_string_equal(vb_dataset_label(dataset, 1), "b");
    assert_fails(vb_dataset_read_unit(dataset, 0, &data, &err), VB_EDATA,
                 "record 2 (offset 6148): label byte 2, expected 0 to 1");
    vb_dataset_close(dataset);
    put_cifar("odd/a.bin", 1, 1, 10);
    put_cifar("odd/b.bin", 1, 2, 100);
    assert_fails(open_in_scratch("odd/*.bin", NULL, &err), VB_EMISMATCH, "CIFAR-10 binary");
    put_text("odd/c.bin", "short");
    assert_fails(open_in_scratch("odd/c.bin", NULL, &err), VB_EDATA, "expected a multiple of 3074");
    PUT_TAR("odd/d.tar", {"a.jpg", "1"});
    assert_fails(open_in_scratch("odd/{a.bin,d.tar}", NULL, &err), VB_EMISMATCH, "different kinds");
    /* 3074 records of 3073 bytes: only the labels tell. */
    put_cifar("odd/both.bin", 3074, 1, 10);
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "odd/both.bin"), NULL, &err));
    assert_string_equal(vb_dataset_kind(dataset), "CIFAR-10 binary");
    vb_dataset_close(dataset);
    /* 3073 records of CIFAR-100 may be dark images of CIFAR-10: a coarse label of 20 in the last of them is none. */
    uint8_t *dark = vb_array(3073, 3074, "records", &err);
    assert_non_null(dark);
    for (int coarse = 19; coarse <= 20; coarse++) {
        dark[(size_t)3072 * 3074] = (uint8_t)coarse;
        put_file("odd/both.bin", dark, (size_t)3073 * 3074);
        assert_ok(vb_dataset_open(&dataset, path, NULL, &err));
        assert_string_equal(vb_dataset_kind(dataset), coarse < 20 ? "CIFAR-100 binary" : "CIFAR-10 binary");
        vb_dataset_close(dataset);
    }
    vb_free(dark);
    put_cifar("odd/both.bin", 3073, 2, 100);
    assert_ok(vb_dataset_open(&dataset, path, NULL, &err));
    assert_string_equal(vb_dataset_kind(dataset), "CIFAR-100 binary");
    vb_dataset_close(dataset);
}

/* A file of more than 4 GiB, nearly all of it a hole: the last record is where its number says. */
static void records_beyond_4_gib(void **state) {
    (void)state;
    enum { RECORDS = 1400000, RECORD = 3074, LAST = RECORDS - 1 };
    vb_dataset *dataset;
    vb_unit_data data;
    char path[1024];
    const uint8_t head[] = {7, 42, 201}; /* coarse and fine label, the first pixel */
    FILE *file = fopen(in_scratch(path, "large.bin"), "wb");
    assert_non_null(file);
    const bool fits = !fseeko(file, (off_t)LAST * RECORD, SEEK_SET) && fwrite(head, 1, sizeof head, file) == sizeof head &&
                      !fflush(file) && !ftruncate(fileno(file), (off_t)RECORDS * RECORD);
    fclose(file);
    if (!fits) skip(); /* a file system without holes or of small files */
    assert_ok(vb_dataset_open(&dataset, path, NULL, &err));
    assert_int_equal(vb_dataset_samples(dataset), RECORDS);
    const int64_t unit = vb_dataset_units(dataset) - 1;
    assert_ok(vb_dataset_read_unit_labels(dataset, unit, &data, &err));
    assert_int_equal(data.samples[data.count - 1].label, 42);
    assert_int_equal(data.samples[data.count - 2].label, 0);
    vb_dataset_unit_free(&data);
    assert_ok(vb_dataset_read_unit(dataset, unit, &data, &err));
    assert_string_equal(data.samples[data.count - 1].name, "1399999");
    assert_int_equal(data.samples[data.count - 1].label, 42);
    assert_int_equal(data.samples[data.count - 1].bytes[0], 201);
    vb_dataset_unit_free(&data);
    vb_dataset_close(dataset);
    unlink(path);
}

static void shared_cifar(void **state) {
    (void)state;
    char path[1024];
    shared_path(path, "data/cifar-100-binary/test.bin");
    vb_dataset *dataset;
    vb_unit_data data;
    assert_ok(vb_dataset_open(&dataset, path, NULL, &err));
    assert_int_equal(vb_dataset_samples(dataset), 10000);
    assert_int_equal(vb_dataset_units(dataset), 79); /* of 128 */
    int counts[100] = {0};
    for (int64_t unit = 0; unit < 79; unit++) {
        assert_ok(vb_dataset_read_unit_labels(dataset, unit, &data, &err));
        for (int i = 0; i < data.count; i++) counts[data.samples[i].label]++;
        /* test_file_names.txt: record 0 is world_trade_center_s_000060.png, record 1 beer_can_s_001520.png */
        if (!unit) assert_string_equal(vb_dataset_label(dataset, data.samples[0].label), "skyscraper");
        if (!unit) assert_string_equal(vb_dataset_label(dataset, data.samples[1].label), "can");
        vb_dataset_unit_free(&data);
    }
    for (int i = 0; i < 100; i++) assert_int_equal(counts[i], 100);
    vb_dataset_close(dataset);
    /* Our table of names is the official file's. */
    char copy[1024];
    assert_int_equal(run_command("head -c 3074 %s > %s/bare.bin", path, scratch), 0);
    vb_dataset *bare;
    assert_ok(vb_dataset_open(&bare, in_scratch(copy, "bare.bin"), NULL, &err));
    assert_ok(vb_dataset_open(&dataset, path, NULL, &err));
    for (int i = 0; i < 100; i++) assert_string_equal(vb_dataset_label(bare, i), vb_dataset_label(dataset, i));
    vb_dataset_close(bare);
    vb_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(cifar_binaries), cmocka_unit_test(records_beyond_4_gib),
                                       cmocka_unit_test(shared_cifar)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
