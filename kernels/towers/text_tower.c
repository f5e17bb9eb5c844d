/* The causal text tower, texts of different lengths one after the other without padding, and CoOp's spliced prompts. */
#include "kernels/towers/binder.h"

#include "kernels/matrix/layers.h"
#include "kernels/base/memory.h"

int vb_text_bind(vb_binder *binder, vb_text_tower *text, int *embed) {
    const vb_clip_options *options = binder->options;
    const vb_family *family = options->family;
    int embedding[2], positions[2], heads;
    if (vb_bind_shape(binder, 2, embedding, "token_embedding.weight") ||
        vb_bind_shape(binder, 2, positions, "positional_embedding"))
        return -1;
    text->vocabulary_size = embedding[0];
    text->width = embedding[1];
    text->context_length = positions[0];
    if (vb_bind_matrix(binder, &text->embedding, text->vocabulary_size, text->width, false, "token_embedding.weight")) return -1;
    text->positions = vb_bind_floats(binder, text->context_length, text->width, "positional_embedding");
    if (!text->positions || vb_bind_heads(binder, &heads, text->width, options->text_heads, text->width / 64, "text") ||
        vb_transformer_bind(binder, &text->transformer, text->width, heads, true,
                            options->override_activation ? options->activation : family->text_activation, family->text_epsilon,
                            "transformer") ||
        vb_bind_norm(binder, &text->ln_final, text->width, family->text_epsilon, "ln_final") ||
        vb_bind_family(binder, family->text_projection_bias, "text_projection.bias", "bias of the text projection") ||
        vb_bind_projection(binder, &text->projection, text->width, embed, "text_projection"))
        return -1;
    if (family->text_projection_bias && !(text->projection.bias = vb_bind_floats(binder, *embed, 0, "text_projection.bias")))
        return -1;
    return 0;
}

/* Tokens up to and with the end token, or -1. */
static int text_length(const vb_text_tower *text, const int32_t *tokens, int64_t index, vb_error *err) {
    const int32_t end = text->vocabulary_size - 1;
    int length = 0;
    for (int i = 0; i < text->context_length; i++) {
        if (tokens[i] < 0 || tokens[i] > end)
            return vb_errorf(err, VB_EMISMATCH, "text %lld: token %d at position %d is outside of the model's vocabulary of %d",
                             (long long)index, (int)tokens[i], i, text->vocabulary_size);
        if (tokens[i] == end && !length) length = i + 1;
    }
    if (length) return length;
    return vb_errorf(err, VB_EMISMATCH, "text %lld has no end token (id %d): a tokenizer of another vocabulary?",
                     (long long)index, (int)end);
}

/* Everything that can be wrong with the input, before any work is done. */
static int check_input(const vb_text_tower *text, const int32_t *tokens, const vb_prompt_context *context, int64_t n,
                       vb_error *err) {
    for (int64_t i = 0; i < n; i++) {
        int length = text_length(text, tokens + i * text->context_length, i, err);
        if (length < 0) return -1;
        if (!context) continue;
        int name = context->position == VB_PROMPT_END ? 0 : context->name_lengths[i];
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

static void embed_text(const vb_text_tower *text, const int32_t *tokens, const vb_prompt_context *context, int64_t index,
                       int64_t rows, float *x) {
    const int64_t width = text->width;
    const int name = context && context->position != VB_PROMPT_END ? context->name_lengths[index] : 0;
    for (int at = 0; at < rows; at++, x += width) {
        int vector = -1, token = context ? splice(context, name, at, &vector) : at;
        const float *position = text->positions + at * width;
        if (vector >= 0) {
            const float *from = context->vectors + ((context->class_specific ? index * context->n_ctx : 0) + vector) * width;
            for (int64_t j = 0; j < width; j++) x[j] = from[j] + position[j];
        } else {
            for (int64_t j = 0; j < width; j++) x[j] = vb_matrix_at(&text->embedding, tokens[token], j) + position[j];
        }
    }
}

/* Rows computed at once, for texts of up to `rows` rows in all. */
static int64_t rows_at_once(const vb_text_tower *text, int64_t rows) {
    int64_t most = VB_WORK_FLOATS / (int64_t)(text->width + vb_transformer_floats(&text->transformer, 1));
    if (most < text->context_length) most = text->context_length;
    return rows < most ? rows : most;
}

static size_t floats(const vb_text_tower *text, int64_t rows) {
    return (size_t)(rows * text->width) + vb_transformer_floats(&text->transformer, rows);
}

size_t vb_text_bytes(const vb_text_tower *text, int64_t n) {
    int64_t rows = rows_at_once(text, n * text->context_length);
    return floats(text, rows) * sizeof(float) + ((size_t)(n < rows ? n : rows) + 1) * sizeof(int64_t);
}

int vb_text_run(const vb_text_tower *text, const int32_t *tokens, const vb_prompt_context *context, int64_t n, float *out,
                int threads, vb_error *err) {
    if (check_input(text, tokens, context, n, err)) return -1;
    const int64_t width = text->width, most = rows_at_once(text, n * text->context_length);
    const vb_norm *norm = &text->ln_final;
    int status = -1;
    float *x = vb_array(floats(text, most), sizeof *x, "text encoder's work space", err);
    int64_t *starts = vb_array((size_t)(n < most ? n : most) + 1, sizeof *starts, "offsets of the texts", err);
    if (!x || !starts) goto done;
    for (int64_t first = 0, count; first < n; first += count) {
        for (count = 0; first + count < n; count++) {
            int64_t rows = text_length(text, tokens + (first + count) * text->context_length, first + count, err);
            if (starts[count] + rows > most) break;
            starts[count + 1] = starts[count] + rows;
        }
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
        for (int64_t i = 0; i < count; i++)
            embed_text(text, tokens + (first + i) * text->context_length, context, first + i, starts[i + 1] - starts[i],
                       x + starts[i] * width);
        if (vb_transformer_run(&text->transformer, x, starts, count, x + starts[count] * width, threads, err)) goto done;
        vb_layers_norm(count, width, x, width, norm->weight, norm->bias, norm->epsilon, x, width, threads);
        if (vb_linear_run(&text->projection, count, x, width, out + first * text->projection.weight.rows,
                          text->projection.weight.rows, VB_LINEAR, NULL, threads, err))
            goto done;
    }
    status = 0;
done:
    vb_free(starts);
    vb_free(x);
    return status;
}
