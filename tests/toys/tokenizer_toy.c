/* Toy tokenizers: FILE.toytok holds the path of a merges file of OpenAI's. What tests/cli/test_extending.sh adds. */
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_format.h"

static bool recognise(const char *path) { return vb_path_ends_with(path, ".toytok"); }

static int read_toy(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    uint8_t *bytes;
    size_t size;
    if (vb_tokenizer_format_unpacked(path, "the path of a merges file", &bytes, &size, err)) return -1;
    char *merges = vb_strndup((const char *)bytes, strcspn((const char *)bytes, "\n"), err);
    int status = merges ? vb_tokenizer_format_openai.read(tokenizer, merges, mask_token, digest, err) : -1;
    vb_free(merges);
    vb_free(bytes);
    return status;
}

const vb_tokenizer_format vb_tokenizer_format_toy = {.what = "toy tokenizer", .recognise = recognise, .read = read_toy};
