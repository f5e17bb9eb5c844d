/* Checking texts, their lengths, and the splice of CoOp's learned context vectors. */
#include "kernels/towers/text_input.h"

#include <assert.h>
#include <stddef.h>

int vb_text_input_end(const vb_text_input *input, int64_t text) {
    const int32_t *tokens = input->tokens + text * input->context_length, end = input->end_token;
    int at = 0;
    while (at < input->context_length && tokens[at] != end) at++;
    assert(at < input->context_length); /* the input was checked */
    return at;
}

static int before_padding(const vb_text_input *input, int64_t text) {
    const int32_t *tokens = input->tokens + text * input->context_length;
    int n = 0;
    while (n < input->context_length && tokens[n] != input->pad_token) n++;
    return n;
}

int vb_text_input_length(const vb_text_input *input, int64_t text) {
    if (input->padded) return before_padding(input, text);
    if (input->class_row) {
        const int32_t *tokens = input->tokens + text * input->context_length;
        int count = input->context_length;
        while (count > 0 && !tokens[count - 1]) count--;
        return (count < input->context_length ? count + 1 : count) + 1;
    }
    return input->whole ? input->context_length : vb_text_input_end(input, text) + 1;
}

bool vb_text_input_hidden(const vb_text_input *input, int64_t text, int at) {
    const int32_t *tokens = input->tokens + text * input->context_length;
    if (at + 1 == vb_text_input_length(input, text)) at = input->context_length; /* the class row */
    return at > 0 && !tokens[at - 1];
}

/* Padding stands behind a text, and nowhere in it. */
static int check_padding(const vb_text_input *input, int64_t text, vb_error *err) {
    const int32_t *tokens = input->tokens + text * input->context_length;
    const int n = before_padding(input, text);
    for (int i = n; n && i < input->context_length; i++)
        if (tokens[i] != input->pad_token)
            return vb_errorf(err, VB_EMISMATCH, "text %lld: token %d at position %d stands behind padding (id %d)",
                             (long long)text, (int)tokens[i], i, (int)input->pad_token);
    if (n) return 0;
    return vb_errorf(err, VB_EMISMATCH, "text %lld has no token before its padding (id %d)", (long long)text,
                     (int)input->pad_token);
}

static int check_tokens(const vb_text_input *input, int64_t text, vb_error *err) {
    const int32_t *tokens = input->tokens + text * input->context_length, end = input->end_token;
    bool ended = false;
    for (int i = 0; i < input->context_length; i++) {
        if (tokens[i] < 0 || tokens[i] >= input->vocabulary_size)
            return vb_errorf(err, VB_EMISMATCH, "text %lld: token %d at position %d is outside of the model's vocabulary of %d",
                             (long long)text, (int)tokens[i], i, input->vocabulary_size);
        ended |= tokens[i] == end;
    }
    if (input->padded) return check_padding(input, text, err);
    if (ended || end == VB_NO_END_TOKEN) return 0;
    return vb_errorf(err, VB_EMISMATCH, "text %lld has no end token (id %d): a tokenizer of another vocabulary?", (long long)text,
                     (int)end);
}

int vb_text_input_check(const vb_text_input *input, int64_t n, vb_error *err) {
    const vb_prompt_context *context = input->context;
    if (context && input->end_token == VB_NO_END_TOKEN)
        return vb_errorf(err, VB_EMISMATCH, "learned contexts are for texts that are pooled at their end token");
    for (int64_t i = 0; i < n; i++) {
        if (check_tokens(input, i, err)) return -1;
        if (!context) continue;
        int length = vb_text_input_end(input, i) + 1, name = context->position == VB_PROMPT_END ? 0 : context->name_lengths[i];
        if (name < 0 || (int64_t)1 + context->n_ctx + name >= length)
            return vb_errorf(
                err, VB_EMISMATCH,
                "prompt %lld has its end token at position %d: no room for a start token, %d context vectors and %d tokens "
                "of the name",
                (long long)i, length - 1, context->n_ctx, name);
    }
    return 0;
}

/* Where row `at` of a spliced prompt comes from: context vector *vector, or the token at the returned position when *vector is
 * -1. Placeholders stand at 1 .. n_ctx, the name behind them. */
static int splice(const vb_prompt_context *context, int name, int at, int *vector) {
    const int n = context->n_ctx;
    int before = n; /* context vectors in front of the name */
    if (context->position == VB_PROMPT_MIDDLE) before = n / 2;
    if (context->position == VB_PROMPT_FRONT) before = 0;
    *vector = -1;
    if (at < 1 || at > n + name) return at;
    if (at <= before) *vector = at - 1;
    else if (at > before + name) *vector = at - 1 - name;
    return at - before + n; /* the name, moved; meaningless for a vector */
}

const float *vb_text_input_row(const vb_text_input *input, int64_t text, int at, int32_t *token) {
    const vb_prompt_context *context = input->context;
    const int32_t *tokens = input->tokens + text * input->context_length;
    if (!context) {
        *token = tokens[at];
        return NULL;
    }
    const int name = context->position == VB_PROMPT_END ? 0 : context->name_lengths[text];
    int vector, from = splice(context, name, at, &vector);
    if (vector >= 0) return context->vectors + ((context->class_specific ? text * context->n_ctx : 0) + vector) * context->width;
    *token = tokens[from];
    return NULL;
}
