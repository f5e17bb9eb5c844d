/* The steps of a tokenizer.json: a part of huggingface.c. */
#ifndef VB_HUGGINGFACE_STEPS_H
#define VB_HUGGINGFACE_STEPS_H

#include <jansson.h>

#include "kernels/text/piece_tables.h"

enum { VB_HUGGINGFACE_STEPS = 32 }; /* at most */

/* What normalizer and pre-tokenizer ask for; texts point into the JSON. */
typedef struct vb_huggingface_steps {
    vb_step_spec steps[VB_HUGGINGFACE_STEPS];
    size_t count;
    uint8_t *charsmap; /* of "Precompiled": vb_free */
    size_t charsmap_size;
    bool bert_normalizer, bert_words, keep_case; /* "BertNormalizer", "BertPreTokenizer" */
    bool bytes;                                  /* "ByteLevel" */
} vb_huggingface_steps;

/* From the objects "normalizer", "pre_tokenizer" and "post_processor" of the root (each may be null or absent). */
int vb_huggingface_steps_read(vb_huggingface_steps *steps, const json_t *root, const char *name, vb_error *err);

#endif
