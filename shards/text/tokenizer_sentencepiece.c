/* SentencePiece's model files: spiece.model, sentencepiece.bpe.model, tokenizer.model. */
#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/text/sentencepiece.h"
#include "shards/text/tokenizer_format.h"

static const char *const names[] = {"spiece.model", "sentencepiece.bpe.model", "tokenizer.model", NULL};

static bool recognise(const char *path) {
    uint8_t start[8];
    const size_t n = vb_tokenizer_format_start(path, start, sizeof start);
    return vb_path_ends_with(path, ".model") || vb_sentencepiece_begins(start, n);
}

static int read_model(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    uint8_t *bytes;
    size_t size;
    if (mask_token) return vb_tokenizer_format_no_mask(path, err);
    if (vb_tokenizer_format_unpacked(path, "a SentencePiece model", &bytes, &size, err)) return -1;
    int status = vb_tokenizer_format_digest(digest, "sentencepiece", bytes, size, "", 0, err);
    if (!status) status = vb_sentencepiece_read(tokenizer, bytes, size, path, err);
    vb_free(bytes);
    return status;
}

const vb_tokenizer_format vb_tokenizer_format_sentencepiece = {
    .what = "SentencePiece model",
    .names = names,
    .recognise = recognise,
    .read = read_model,
};
