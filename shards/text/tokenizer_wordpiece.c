/* BERT's vocab.txt: a piece a line, whose number is its id. Source: google-research/bert tokenization.py load_vocab. */
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_format.h"

enum { LONGEST_WORD = 100 /* characters */ };

static const char *const names[] = {"vocab.txt", NULL};

/* By its name, or by a line [UNK] near the beginning. */
static bool recognise(const char *path) {
    char start[4096];
    const size_t n = vb_tokenizer_format_start(path, (uint8_t *)start, sizeof start);
    return !strcmp(vb_path_base_name(path), names[0]) || memmem(start, n, "\n[UNK]\n", 7) || memmem(start, n, "\n[UNK]\r\n", 8);
}

static int list_pieces(const char *text, size_t size, vb_listed_piece **pieces, size_t *count, vb_error *err) {
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    *count = 0;
    if (!(*pieces = vb_array(lines, sizeof **pieces, "vocabulary", err))) return -1;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;
        const size_t next = at + n + 1;
        while (n && (text[at + n - 1] == '\r' || text[at + n - 1] == ' ')) n--;
        (*pieces)[*count] = (vb_listed_piece){.text = text + at, .size = n, .id = (int32_t)*count, .type = VB_PIECE_NORMAL};
        ++*count;
        at = next;
    }
    return 0;
}

static int open_words(vb_tokenizer **tokenizer, const vb_listed_piece *pieces, size_t count, const char *name, vb_error *err) {
    static const char unknown[] = "[UNK]";
    size_t i = 0;
    while (i < count && (pieces[i].size != strlen(unknown) || memcmp(pieces[i].text, unknown, pieces[i].size))) i++;
    if (i == count)
        return vb_errorf(err, VB_EDATA, "%s: %zu pieces without %s, expected a vocabulary of WordPiece", name, count, unknown);
    const vb_piece_spec spec = {
        .algorithm = VB_PIECES_WORDS, .pieces = pieces, .count = count, .unknown = i, .word_limit = LONGEST_WORD};
    return vb_tokenizer_open_pieces(tokenizer, &spec, name, err);
}

static int read_words(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err) {
    uint8_t *bytes;
    size_t size, count;
    vb_listed_piece *pieces = NULL;
    if (mask_token) return vb_tokenizer_format_no_mask(path, err);
    if (vb_tokenizer_format_unpacked(path, "a vocabulary of WordPiece", &bytes, &size, err)) return -1;
    int status = vb_tokenizer_format_digest(digest, "wordpiece", bytes, size, "", 0, err);
    if (!status) status = list_pieces((const char *)bytes, size, &pieces, &count, err);
    if (!status) status = open_words(tokenizer, pieces, count, path, err);
    vb_free(pieces);
    vb_free(bytes);
    return status;
}

const vb_tokenizer_format vb_tokenizer_format_wordpiece = {
    .what = "WordPiece vocabulary",
    .names = names,
    .recognise = recognise,
    .read = read_words,
};
