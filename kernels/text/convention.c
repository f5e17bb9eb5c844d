/* The rows of conventions. */
#include "kernels/text/convention.h"

#include <string.h>

#define ROWS(row)                                                                                                                \
    row(openai, "OpenAI's CLIP", VB_TOKENIZER_OPENAI, VB_CLEAN_LOWER, "<|startoftext|>", "<|endoftext|>", "0", false,            \
        false) row(siglip, "SigLIP", VB_TOKENIZER_UNIGRAM, VB_CLEAN_CANONICALIZE, NULL, "</s>", "</s>", false, false)            \
        row(siglip2, "SigLIP 2", VB_TOKENIZER_MERGES, VB_CLEAN_CANONICALIZE, NULL, "<eos> </s>", "<pad>", false,                 \
            false) row(xlm_roberta, "MetaCLIP 2, XLM-RoBERTa, AltCLIP", VB_TOKENIZER_UNIGRAM, VB_CLEAN_WHITESPACE, "0", "2",     \
                       "1", false, true) row(nllb, "NLLB-CLIP", VB_TOKENIZER_MERGES | VB_TOKENIZER_UNIGRAM, VB_CLEAN_WHITESPACE, \
                                             "eng_Latn 256047", "2", "1", false, true)                                           \
            row(roberta, "RoBERTa", VB_TOKENIZER_BYTES, VB_CLEAN_WHITESPACE, "<s>", "</s>", "<pad>", false, false)               \
                row(clipa, "CLIPA, OpenVision", VB_TOKENIZER_WORDS, VB_CLEAN_WHITESPACE, "[CLS]", "[SEP]", "[PAD]", true, false) \
                    row(bert, "Chinese-CLIP, ALIGN", VB_TOKENIZER_WORDS, VB_CLEAN_NONE, "[CLS]", "[SEP]", "[PAD]", false, false) \
                        row(plain, "the tokenizer alone", ~0u, VB_CLEAN_NONE, NULL, NULL, "0", false, false)

#define ROW(name, about, kinds, cleaning, start, end, pad, strip_end, fairseq)                                                   \
    {#name, about, kinds, cleaning, start, end, pad, strip_end, fairseq},
#define NAME(name, about, kinds, cleaning, start, end, pad, strip_end, fairseq) #name,

const vb_convention vb_convention_rows[] = {ROWS(ROW){0}};
const char *const vb_convention_names[] = {ROWS(NAME) NULL};

static int find(const char *name, size_t n) {
    for (int i = 0; vb_convention_rows[i].name; i++)
        if (strlen(vb_convention_rows[i].name) == n && !memcmp(vb_convention_rows[i].name, name, n)) return i;
    return -1;
}

int vb_convention_index(const char *name) { return find(name, strlen(name)); }

int vb_convention_choose(const char *names, int after, vb_tokenizer_kind kind) {
    bool behind = after < 0;
    for (size_t n; *names; names += n + (names[n] == ' ')) {
        n = strcspn(names, " ");
        const int row = find(names, n);
        if (behind && row >= 0 && vb_convention_rows[row].kinds & (unsigned)kind) return row;
        behind = behind || row == after;
    }
    return -1;
}
