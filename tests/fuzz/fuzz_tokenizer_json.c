/* tokenizer.json: what is read must cut any text into ids of its own. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "shards/text/huggingface.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vb_tokenizer *tokenizer;
    vb_error err = {0};
    if (vb_huggingface_read(&tokenizer, (const char *)data, size, "fuzz", &err)) touch_error(&err);
    else touch_tokenizer(tokenizer);
    return 0;
}
