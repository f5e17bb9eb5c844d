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
#define LLVMFuzzerTestOneInput fuzz_published
#include "tests/fuzz/fuzz_published.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_images
#include "tests/fuzz/fuzz_images.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_files
#include "tests/fuzz/fuzz_files.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_texts
#include "tests/fuzz/fuzz_texts.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_datasets
#include "tests/fuzz/fuzz_datasets.c"
#undef LLVMFuzzerTestOneInput
#include "tests/fuzz/replay.h"

enum { PLACES = 400 };

static void pickles(void **state) {
    (void)state;
    replay("pickle", fuzz_pickle, PLACES);
}
static void archives(void **state) {
    (void)state;
    replay("zip", fuzz_zip, PLACES);
}
static void safetensors(void **state) {
    (void)state;
    replay("safetensors", fuzz_safetensors, PLACES);
}

static void captions(void **state) {
    (void)state;
    replay("captions", fuzz_captions, PLACES);
}

static void published(void **state) {
    (void)state;
    replay("published", fuzz_published, PLACES);
}

static void labels(void **state) {
    (void)state;
    replay("labels", fuzz_labels, PLACES);
}

static void side_files(void **state) {
    (void)state;
    replay("side_files", fuzz_side_files, PLACES);
}

static void files(void **state) {
    (void)state;
    replay("files", fuzz_files, PLACES);
}

static void images(void **state) {
    (void)state;
    replay("images", fuzz_images, PLACES);
}

static void tokenizers(void **state) {
    (void)state;
    replay("sentencepiece", fuzz_sentencepiece, PLACES);
    replay("tokenizer_json", fuzz_tokenizer_json, PLACES);
    replay("charsmap", fuzz_charsmap, PLACES);
}

static void texts(void **state) {
    (void)state;
    replay("texts", fuzz_texts, PLACES);
}

static void datasets(void **state) {
    (void)state;
    replay("datasets", fuzz_datasets, PLACES);
}

static void nothing_was_executed(void **state) {
    (void)state;
    assert_int_not_equal(access("hostile-pickle-was-here", F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pickles),
                                       cmocka_unit_test(archives),
                                       cmocka_unit_test(safetensors),
                                       cmocka_unit_test(captions),
                                       cmocka_unit_test(side_files),
                                       cmocka_unit_test(tokenizers),
                                       cmocka_unit_test(images),
                                       cmocka_unit_test(labels),
                                       cmocka_unit_test(published),
                                       cmocka_unit_test(files),
                                       cmocka_unit_test(texts),
                                       cmocka_unit_test(datasets),
                                       cmocka_unit_test(nothing_was_executed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
