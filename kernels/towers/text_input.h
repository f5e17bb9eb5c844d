/* Texts as an encoder reads them: rows of tokens, each up to its end token, with learned context vectors spliced in or not. */
#ifndef VB_TEXT_INPUT_H
#define VB_TEXT_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* Where CoOp's learned context stands. With S the start token, N the name's tokens, C the context and R the rest (".", end
 * token): end S C N R, middle S C1 N C2 R with C1 the first n_ctx / 2 vectors, front S N C R. */
typedef enum vb_prompt_position { VB_PROMPT_END, VB_PROMPT_MIDDLE, VB_PROMPT_FRONT } vb_prompt_position;

/* Prompts with learned context vectors (CoOp: Zhou et al. 2022, PromptLearner of the official code). The tokens are those of
 * "X X ... X name." with one placeholder token for each of the n_ctx vectors right after the start token; placeholders are
 * replaced by the context, the positional embedding is added after the splice.
 * name_lengths[i]: tokens of the name alone, without the full stop; not read, and may be NULL, for VB_PROMPT_END. */
typedef struct vb_prompt_context {
    const float *vectors; /* n_ctx x width, or n x n_ctx x width when class-specific */
    int n_ctx, width;     /* width of a vector, as its file has it: VB_EMISMATCH when it is not the text tower's */
    bool class_specific;
    vb_prompt_position position;
    const int *name_lengths;
} vb_prompt_context;

enum { VB_NO_END_TOKEN = -1 };

/* n texts. Each ends where its end token comes first: mostly the vocabulary's last id, which is what OpenAI's argmax finds. Of
 * whole texts all tokens are read, whatever stands behind the end. */
typedef struct vb_text_input {
    const int32_t *tokens;            /* n x context_length */
    const vb_prompt_context *context; /* NULL: plain texts */
    int context_length, vocabulary_size;
    int32_t end_token; /* or VB_NO_END_TOKEN, with `whole` or `padded`: texts need not have one */
    bool whole;
    bool padded; /* texts end before their first pad_token, and have no end token that counts */
    int32_t pad_token;
    bool class_row; /* behind the tokens stands a row of its own, which is the one that is pooled (CoCa) */
} vb_text_input;

/* Everything that can be wrong with n texts, before any work is done: ids outside of the vocabulary, no end token, no room for
 * the context and the name, a context in texts without an end token. VB_EMISMATCH names the text. */
int vb_text_input_check(const vb_text_input *input, int64_t n, vb_error *err);

/* Where a text's end token stands. */
int vb_text_input_end(const vb_text_input *input, int64_t text);
/* Rows of a text that are computed: tokens up to and with its end token, those before the padding, or all of them, or as many as
 * anything sees (see below) and the class row. */
int vb_text_input_length(const vb_text_input *input, int64_t text);

/* Whether no row sees the row `at` of a text with a class row: those behind a token 0 (padding) are hidden, as CoCa was trained;
 * so are all rows but one behind a text's last token, which need not be computed, and the class row itself. */
bool vb_text_input_hidden(const vb_text_input *input, int64_t text, int at);

/* Where row `at` of a text comes from: the learned vector that is returned, or NULL and then the token *token. */
const float *vb_text_input_row(const vb_text_input *input, int64_t text, int at, int32_t *token);

#endif
