/* Hugging Face's tokenizer.json: model, normalizer, pre-tokenizer and added tokens. Source: huggingface/tokenizers 0.23
 * (tokenizer/serialization.rs, models/, normalizers/, pre_tokenizers/), transformers 5.24. */
#ifndef VB_HUGGINGFACE_H
#define VB_HUGGINGFACE_H

#include "kernels/text/tokenizer.h"

/* A tokenizer from such a file's text. Ids around the text are the convention's; the file's post-processor is only looked at.
 * VB_EDATA: no such file, a broken one (scores that are no numbers, duplicate pieces, a charsmap that is none, ...);
 * VB_EMISMATCH: merges of what is not in the vocabulary; VB_EUNSUPPORTED: a kind of model, normalizer, pre-tokenizer or
 * post-processor that is not computed here, by its name. */
int vb_huggingface_read(vb_tokenizer **tokenizer, const char *text, size_t size, const char *name, vb_error *err);

#endif
