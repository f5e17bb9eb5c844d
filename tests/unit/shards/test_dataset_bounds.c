/* Tests of what data sets refuse at their bounds: members too large, manifests of other samples, lack of memory. */
#include "kernels/base/fault.h"
#include "tests/unit/dataset_files.h"
#include "shards/datasets/dataset.h"
#include "shards/datasets/dataset_listing.h"
#include "shards/files/json_parse.h"
#include "shards/files/tar.h"

static vb_error err;

/* What reading the captions of the first unit says. */
static void check_captions(const char *images, int code, const char *says) {
    char path[1024], *captions[VB_UNIT_SAMPLES];
    vb_dataset *dataset;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, images), NULL, &err));
    assert_fails(vb_dataset_read_captions(dataset, 0, captions, &err), code, says);
    vb_dataset_close(dataset);
}

static void members_are_bounded(void **state) {
    (void)state;
    char *large = vb_array((1 << 20) + 2, 1, "text", NULL);
    memset(large, ' ', (1 << 20) + 1);
    PUT_TAR("x/large.tar", {"a.jpg", "1"}, {"a.json", large});
    assert_fails(open_in_scratch("x/large.tar", NULL, &err), VB_EDATA,
                 "sample 'a': .json of 1048577 bytes, at most 1048576 are expected");
    /* Captions are looked at when they are asked for. */
    PUT_TAR("x/large.tar", {"a.jpg", "1"}, {"a.txt", large});
    check_captions("x/large.tar", VB_EDATA, "x/large.tar: 'a.txt' of 1048577 bytes, at most 1048576 are expected");
    vb_free(large);
}

/* A sparse file: an image's content that a place in an index cannot tell. */
static void images_beyond_4_gib(void **state) {
    (void)state;
    char path[1024];
    PUT_TAR("x/giant.tar", {"a.jpg", ""});
    FILE *tar = fopen(in_scratch(path, "x/giant.tar"), "r+b");
    assert_non_null(tar);
    uint8_t header[VB_TAR_BLOCK];
    assert_int_equal(fread(header, 1, sizeof header, tar), sizeof header);
    memcpy(header + 124, "40000000000", 11); /* 4 GiB, octal */
    memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++) sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
    rewind(tar);
    assert_int_equal(fwrite(header, 1, sizeof header, tar), sizeof header);
    fclose(tar);
    if (truncate(path, ((off_t)1 << 32) + 3 * VB_TAR_BLOCK)) skip(); /* a file system of small files */
    assert_fails(open_in_scratch("x/giant.tar", NULL, &err), VB_EUNSUPPORTED, "x/giant.tar: sample 'a' of more than 4 GiB");
    unlink(path);
}

/* The classes of a data set, joined by spaces. */
static void check_labels(const char *images, const char *names, const char *expected) {
    char path[1024], joined[256] = "";
    vb_dataset *dataset;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, images), names, &err));
    for (int i = 0; i < vb_dataset_labels(dataset); i++) strcat(strcat(joined, i ? " " : ""), vb_dataset_label(dataset, i));
    assert_string_equal(joined, expected);
    vb_dataset_close(dataset);
}

/* What is told of the samples beside them has to fit them. */
static void manifests_tell_the_samples(void **state) {
    (void)state;
    char path[1024], text[512];
    struct stat info;
    PUT_TAR("told/1.tar", {"a.jpg", "1"}, {"b.jpg", "2"});
    assert_int_equal(stat(in_scratch(path, "told/1.tar"), &info), 0);
    for (int rows = 2; rows <= 3; rows++) {
        snprintf(text, sizeof text,
                 "{\"schema\": \"vocabench.shards/1\", \"rows\": %d, \"class_names\": [], \"shards\": [{\"file\": \"1.tar\", "
                 "\"rows\": %d, \"bytes\": %lld, \"xxh3_128\": \"00112233445566778899aabbccddeeff\"}]}",
                 rows, rows, (long long)info.st_size);
        put_text("told/manifest.json", text);
        if (rows == 2) assert_ok(open_in_scratch("told", NULL, &err));
        else assert_fails(open_in_scratch("told", NULL, &err), VB_EDATA, "told/1.tar: 2 samples, manifest.json says 3");
    }
    /* Its names of classes come before those of a file beside it (docs/formats.md); captions alone are no samples. */
    for (int captions = 0; captions < 2; captions++) {
        if (captions) PUT_TAR("told/1.tar", {"a.txt", "1"}, {"b.txt", "2"});
        else PUT_TAR("told/1.tar", {"a.jpg", "1"}, {"a.cls", "1"}, {"b.jpg", "2"}, {"b.cls", "0"});
        assert_int_equal(stat(in_scratch(path, "told/1.tar"), &info), 0);
        snprintf(text, sizeof text,
                 "{\"schema\": \"vocabench.shards/1\", \"rows\": 2, \"class_names\": [\"cat\", \"dog\"], \"shards\": "
                 "[{\"file\": \"1.tar\", \"rows\": 2, \"bytes\": %lld, \"xxh3_128\": \"00112233445566778899aabbccddeeff\"}]}",
                 (long long)info.st_size);
        put_text("told/manifest.json", text);
        put_text("told/classnames.txt", "fox\nhen\n");
        if (captions) assert_fails(open_in_scratch("told", NULL, &err), VB_EDATA, "told/1.tar: 0 samples, manifest.json says 2");
        else check_labels("told", NULL, "cat dog");
    }
}

/* Shards in a folder and below it: what lies beside the inner ones is not said of the outer ones. */
static void names_are_of_their_folder(void **state) {
    (void)state;
    char path[1024];
    PUT_TAR("out/z.tar", {"b.jpg", "3"}, {"b.cls", "\xef\xbb\xbf 0\r\n"}); /* as an editor of Windows saves it */
    PUT_TAR("out/in/a.tar", {"a.jpg", "4"}, {"a.cls", "0"});
    put_text("out/classnames.txt", "cat\n");
    put_text("out/in/classnames.txt", "dog\n");
    assert_fails(open_in_scratch("out/{in/a,z}.tar", NULL, &err), VB_EMISMATCH, "differ");
    put_text("out/in/classnames.txt", "cat\n");
    check_labels("out/{in/a,z}.tar", NULL, "cat");
    put_text("given", "hen\n");
    check_labels("out", in_scratch(path, "given"), "hen"); /* by its folder, which is looked at for images first */
    check_labels("out", NULL, "cat");
}

/* What no reader of ours hands on. */
static void impossible_samples_are_refused(void **state) {
    (void)state;
    vb_image image;
    const vb_sample sample = {.name = "raw", .bytes = (const uint8_t *)"123456", .size = 6, .raw_width = 2, .raw_height = 2};
    assert_fails(vb_dataset_sample_decode(&sample, &image, &err), VB_EINTERNAL, "raw: 6 bytes, expected 3 x 2 x 2");
    vb_dataset_listing full = {.pool_size = UINT32_MAX - 3};
    vb_pooled at;
    assert_fails(vb_dataset_listing_text(&full, "abc", 3, &at, &err), VB_EUNSUPPORTED,
                 "the names of the samples take more than 4 GiB");
}

/* Metadata as img2dataset writes it, with Python's numbers that are no JSON; and what is none at all. */
static void captions_of_metadata(void **state) {
    (void)state;
    char path[1024], *captions[VB_UNIT_SAMPLES];
    static const char *const expected[] = {"a \"NaN\" cat", "", "", "a dog", "a hen", NULL};
    vb_dataset *dataset;
    PUT_TAR("x/json.tar", {"a.jpg", "1"},
            {"a.json", "{\"similarity\": NaN, \"caption\": \"a \\\"NaN\\\" cat\", \"p\": -Infinity}"}, {"b.jpg", "2"},
            {"b.json", "{\"caption\": NaN}"}, {"c.jpg", "3"}, {"c.json", "{\"caption\": \"c\", NaN}"}, {"d.jpg", "4"},
            {"d.json", "{\"caption\": \" a dog\\n\", \"hash\": 18446744073709551615}"}, {"e.jpg", "5"},
            {"e.txt", "\xef\xbb\xbf" /* a mark */ "a hen\r\n"}, {"f.jpg", "6"}, {"f.txt", "caf\xe9"}); /* no UTF-8 */
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "x/json.tar"), NULL, &err));
    assert_ok(vb_dataset_read_captions(dataset, 0, captions, &err));
    for (int i = 0; i < 6; i++)
        if (!expected[i]) assert_null(captions[i]);
        else if (!captions[i] || strcmp(captions[i], expected[i])) fail_msg("caption %d: '%s'", i, captions[i]);
    for (int i = 0; i < VB_UNIT_SAMPLES; i++) vb_free(captions[i]);
    vb_dataset_close(dataset);
}

/* Every allocation fails once, jansson's too: an error, never captions that are not there. */
static void captions_without_memory(void **state) {
    (void)state;
    char path[1024], fault[32], *captions[VB_UNIT_SAMPLES];
    vb_dataset *dataset;
    bool told = false;
    PUT_TAR("x/json.tar", {"a.jpg", "1"}, {"a.json", "{\"caption\": \"a cat\"}"});
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "x/json.tar"), NULL, &err));
    for (int n = 1;; n++) {
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_error_clear(&err);
        vb_fault_setup(fault, 0);
        int status = vb_dataset_read_captions(dataset, 0, captions, &err);
        vb_fault_setup(NULL, 0);
        if (!status) break;
        assert_int_equal(err.code, VB_EMEMORY);
        told |= !strcmp(err.text, "a: no memory for the JSON");
    }
    assert_string_equal(captions[0], "a cat");
    assert_true(told);
    vb_free(captions[0]);
    vb_dataset_close(dataset);
}

int main(void) {
    vb_json_parse_setup();
    const struct CMUnitTest tests[] = {cmocka_unit_test(members_are_bounded),
                                       cmocka_unit_test(images_beyond_4_gib),
                                       cmocka_unit_test(manifests_tell_the_samples),
                                       cmocka_unit_test(names_are_of_their_folder),
                                       cmocka_unit_test(impossible_samples_are_refused),
                                       cmocka_unit_test(captions_of_metadata),
                                       cmocka_unit_test(captions_without_memory)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
