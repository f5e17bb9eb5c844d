/* OpenAI's merges file, bpe_simple_vocab_16e6.txt, gzipped or plain. */
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_format.h"

static const char *const names[] = {"bpe_simple_vocab_16e6.txt.gz", NULL};

/* gzip by name or content, or a first line with the version. */
static bool openai_recognise(const char *path) {
    uint8_t start[64];
    const size_t n = vb_tokenizer_format_start(path, start, sizeof start);
    if (vb_path_ends_with(path, ".gz")) return true;
    return (n > 2 && start[0] == 0x1f && start[1] == 0x8b) || memmem(start, n, "#version", 8);
}

static int openai_read(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    uint8_t *merges;
    size_t size;
    if (vb_tokenizer_format_unpacked(path, "a merges file", &merges, &size, err)) return -1;
    int status = vb_tokenizer_format_digest(digest, mask_token ? "merges, mask token" : "merges", "", 0, merges, size, err);
    if (!status) status = vb_tokenizer_open_bpe(tokenizer, (const char *)merges, size, mask_token, path, err);
    vb_free(merges);
    return status;
}

const vb_tokenizer_format vb_tokenizer_format_openai = {
    .what = "OpenAI's merges",
    .names = names,
    .recognise = openai_recognise,
    .read = openai_read,
};
