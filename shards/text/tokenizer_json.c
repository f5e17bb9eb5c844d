/* Hugging Face's tokenizer.json. */
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/text/huggingface.h"
#include "shards/text/tokenizer_format.h"

static const char *const names[] = {"tokenizer.json", NULL};

/* By its name, or by the keys with which such files begin. */
static bool recognise(const char *path) {
    uint8_t start[256];
    const size_t n = vb_tokenizer_format_start(path, start, sizeof start);
    return !strcmp(vb_path_base_name(path), names[0]) ||
           (n && start[0] == '{' && memmem(start, n, "\"version\"", 9) && memmem(start, n, "\"truncation\"", 12));
}

static int read_json(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    uint8_t *bytes;
    size_t size;
    if (mask_token) return vb_tokenizer_format_no_mask(path, err);
    if (vb_tokenizer_format_unpacked(path, "a tokenizer.json", &bytes, &size, err)) return -1;
    int status = vb_tokenizer_format_digest(digest, "tokenizer.json", bytes, size, "", 0, err);
    if (!status) status = vb_huggingface_read(tokenizer, (const char *)bytes, size, path, err);
    vb_free(bytes);
    return status;
}

const vb_tokenizer_format vb_tokenizer_format_json = {
    .what = "tokenizer.json",
    .names = names,
    .recognise = recognise,
    .read = read_json,
};
