/* What tests need of a tokenizer besides its own header. */
#ifndef VB_TOKENIZER_INTERNAL_H
#define VB_TOKENIZER_INTERNAL_H

#include "kernels/text/tokenizer.h"

int32_t vb_tokenizer_start(const vb_tokenizer *tokenizer); /* the id of <|startoftext|> */
int32_t vb_tokenizer_end(const vb_tokenizer *tokenizer);   /* the id of <|endoftext|> */

#endif
