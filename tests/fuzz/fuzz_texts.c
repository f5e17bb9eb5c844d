/* Texts on their way to a model: any bytes, through every clean-up and to the ids of CLIP's byte pairs. The first byte
 * chooses the clean-up. */
#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/text/text_cleanup.h"
#include "shards/text/tokenizer_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch_files.h"
#include "tests/fuzz/touch.h"

enum { CONTEXT = 20 };

static void encode_text(const char *text, size_t size) {
    static vb_tokenizer *tokenizer;
    vb_error err = {0};
    int32_t ids[CONTEXT];
    if (!tokenizer) {
        static const char merges[] = "#version: 0.2\na b\na b</w>\nab ab</w>\nc a\n";
        char folder[SCRATCH_PATH], path[SCRATCH_PATH];
        if (!scratch_folder(folder, "texts") || !scratch_put(path, folder, "merges.txt", merges, sizeof merges - 1)) return;
        if (vb_tokenizer_file_read(&tokenizer, path, false, NULL, &err)) abort();
        unlink(path);
        rmdir(folder);
    }
    int length;
    bool fits;
    if (vb_tokenizer_encode(tokenizer, text, size, CONTEXT, ids, &length, &err) ||
        vb_tokenizer_fits(tokenizer, text, size, CONTEXT, &fits, &err)) {
        touch_error(&err);
        return;
    }
    if (length < 2 || length > CONTEXT) abort();
    for (int i = 0; i < CONTEXT; i++)
        if (ids[i] < 0 || ids[i] >= vb_tokenizer_size(tokenizer)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vb_error err = {0};
    if (!size) return 0;
    const char *text = (const char *)data + 1;
    char *clean = vb_text_cleanup_as((vb_cleaning)(data[0] % (VB_CLEAN_CANONICALIZE + 1)), text, size - 1, &err);
    if (!clean) touch_error(&err);
    else if (!vb_utf8_is_text(clean, strlen(clean), NULL)) abort();
    vb_free(clean);
    encode_text(text, size - 1);
    return 0;
}
