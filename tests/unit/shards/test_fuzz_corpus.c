/* The fuzzers' corpus, replayed: each file whole, cut at every byte, and with every byte changed; of larger files at some four
 * hundred places. Nothing may crash or say nothing. */
#include "tests/unit/vb_test.h"

#define LLVMFuzzerTestOneInput fuzz_pickle
#include "tests/fuzz/fuzz_pickle.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_zip
#include "tests/fuzz/fuzz_zip.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_safetensors
#include "tests/fuzz/fuzz_safetensors.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_side_files
#include "tests/fuzz/fuzz_side_files.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_sentencepiece
#include "tests/fuzz/fuzz_sentencepiece.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_tokenizer_json
#include "tests/fuzz/fuzz_tokenizer_json.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_charsmap
#include "tests/fuzz/fuzz_charsmap.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_captions
#include "tests/fuzz/fuzz_captions.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_labels
#include "tests/fuzz/fuzz_labels.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_images
#include "tests/fuzz/fuzz_images.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_files
#include "tests/fuzz/fuzz_files.c"
#include "shards/files/file.h"
#include "shards/files/path.h"
#undef LLVMFuzzerTestOneInput

typedef int fuzz_target(const uint8_t *data, size_t size);

/* A copy of exactly that size: the address sanitizer sees a read of one byte beyond. */
static void feed(fuzz_target *target, const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    assert_int_equal(target(copy, size), 0);
    free(copy);
}

static void replay(const char *folder, fuzz_target *target) {
    vb_error err = {0};
    vb_strings names;
    assert_ok(vb_path_list_folder(&names, folder, &err));
    assert_true(names.count > 5);
    for (size_t f = 0; f < names.count; f++) {
        char path[1024];
        uint8_t *bytes;
        size_t size;
        snprintf(path, sizeof path, "%s/%s", folder, names.items[f]);
        assert_ok(vb_file_read_whole(path, 1 << 16, &bytes, &size, &err));
        feed(target, bytes, size);
        if (!strstr(path, "aliases")) { /* whose walk is long, by its nature */
            const size_t step = 1 + size / 400;
            for (size_t cut = 0; cut < size; cut += step) feed(target, bytes, cut);
            for (size_t at = f % step; at < size; at += step) {
                bytes[at] ^= 0xff;
                feed(target, bytes, size);
                bytes[at] ^= 0xfe;
                feed(target, bytes, size);
                bytes[at] ^= 0x01;
            }
        }
        vb_free(bytes);
    }
    vb_strings_free(&names);
}

static void pickles(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/pickle", fuzz_pickle);
}
static void archives(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/zip", fuzz_zip);
}
static void safetensors(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/safetensors", fuzz_safetensors);
}

static void captions(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/captions", fuzz_captions);
}

static void labels(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/labels", fuzz_labels);
}

static void side_files(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/side_files", fuzz_side_files);
}

static void files(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/files", fuzz_files);
}

static void images(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/images", fuzz_images);
}

static void tokenizers(void **state) {
    (void)state;
    replay("tests/fuzz/corpus/sentencepiece", fuzz_sentencepiece);
    replay("tests/fuzz/corpus/tokenizer_json", fuzz_tokenizer_json);
    replay("tests/fuzz/corpus/charsmap", fuzz_charsmap);
}

static void nothing_was_executed(void **state) {
    (void)state;
    assert_int_not_equal(access("hostile-pickle-was-here", F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pickles),     cmocka_unit_test(archives),
                                       cmocka_unit_test(safetensors), cmocka_unit_test(captions),
                                       cmocka_unit_test(side_files),  cmocka_unit_test(tokenizers),
                                       cmocka_unit_test(images),      cmocka_unit_test(labels),
                                       cmocka_unit_test(files),       cmocka_unit_test(nothing_was_executed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
