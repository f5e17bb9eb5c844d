/* tokenizer.json: what is read must cut any text into ids of its own. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "shards/text/huggingface.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char text[] = "a b\xe2\x96\x81 <s>\xc3\xa9 ab  AB\n\xef\xbd\x81";
    vb_tokenizer *tokenizer;
    vb_error err = {0};
    int32_t ids[32];
    if (vb_huggingface_read(&tokenizer, (const char *)data, size, "fuzz", &err)) {
        touch_error(&err);
        return 0;
    }
    const int n = vb_tokenizer_cut(tokenizer, text, sizeof text - 1, 32, ids, &err);
    if (n < 0) touch_error(&err);
    for (int i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= vb_tokenizer_size(tokenizer)) abort();
    vb_tokenizer_close(tokenizer);
    return 0;
}
