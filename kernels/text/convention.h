/* What surrounds a tokenizer: cleaning in front, ids around the text, padding. One row for each way that models were published
 * with; everything that names, chooses or explains them reads the row.
 *
 * Sources: OpenAI CLIP clip.py; open_clip 3.3 tokenizer.py (SimpleTokenizer, HFTokenizer) and its model configurations;
 * transformers 5.24 tokenization_xlm_roberta.py, tokenization_siglip.py, tokenization_nllb.py. */
#ifndef VB_CONVENTION_H
#define VB_CONVENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/text/text_cleanup.h"

/* Kinds of tokenizers, as bits. */
typedef enum vb_tokenizer_kind {
    VB_TOKENIZER_OPENAI = 1,  /* byte-pair encoding with </w> */
    VB_TOKENIZER_UNIGRAM = 2, /* SentencePiece's, or Hugging Face's */
    VB_TOKENIZER_MERGES = 4,  /* byte-pair encoding of characters */
    VB_TOKENIZER_WORDS = 8,   /* WordPiece */
    VB_TOKENIZER_BYTES = 16   /* byte-pair encoding of bytes, without </w> */
} vb_tokenizer_kind;

/* A token is a number, or texts of which the tokenizer has one: "</s>", "<eos> </s>", "0"; NULL: there is none. */
typedef struct vb_convention {
    const char *name, *about;
    unsigned kinds; /* the tokenizers that it goes with */
    vb_cleaning cleaning;
    const char *start, *end, *pad;
    bool strip_end; /* end tokens become 0 (open_clip's strip_sep_token) */
    bool fairseq;   /* SentencePiece's numbers are moved: unknown is 3, else one more */
} vb_convention;

/* All rows; the last has no name. */
extern const vb_convention vb_convention_rows[];

/* The index of a name; -1 when unknown. */
int vb_convention_index(const char *name);
/* The index of the first of the names (apart by spaces), or of the first behind the row `after`, that goes with the kind; -1 when
 * none does. `after` -1: from the beginning. */
int vb_convention_choose(const char *names, int after, vb_tokenizer_kind kind);

/* Every name as choices have it: "openai", ..., NULL. */
extern const char *const vb_convention_names[];

#endif
