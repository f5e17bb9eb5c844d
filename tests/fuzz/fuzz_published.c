/* What huggingface_hub leaves beside a download: a sum that is taken is one of 64 lower-case digits that stands in the text. */
#include <stdlib.h>
#include <string.h>

#include "shards/weights/published.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[512];
    vb_sha256 sum;
    const size_t n = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = 0;
    if (!vb_published_of_metadata(text, &sum)) return 0;
    if (strlen(sum.hex) != 64 || strspn(sum.hex, "0123456789abcdef") != 64 || !strstr(text, sum.hex)) abort();
    return 0;
}
