/* What libFuzzer calls; tests/unit/shards/test_fuzz_corpus.c calls the same under other names. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
