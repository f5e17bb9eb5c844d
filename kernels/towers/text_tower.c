/* CLIP's text transformer. Source: OpenAI CLIP model.py; DeCLIP's text_encoder/transformer.py.
 *
 * Each text is computed up to its end token only: attention is causal, so that what follows changes nothing. */
#include "kernels/towers/text_tower.h"

#include <stdio.h>

#include "kernels/towers/transformer.h"

/* The sizes that the tensors tell. */
static int measure(vb_binder *binder, vb_clip_info *info) {
    int embedding[2], positions[2];
    if (vb_binder_shape(binder, 2, embedding, "token_embedding.weight") ||
        vb_binder_shape(binder, 2, positions, "positional_embedding"))
        return -1;
    info->vocabulary_size = embedding[0];
    info->text_width = embedding[1];
    info->context_length = positions[0];
    return 0;
}

static int bind_projection(vb_binder *binder, const vb_family *family, int width, vb_linear *projection, int *embed) {
    if (vb_binder_expect(binder, family->text_projection_bias, "text_projection.bias", "bias of the text projection") ||
        vb_binder_projection(binder, projection, width, embed, "text_projection"))
        return -1;
    if (family->text_projection_bias && !(projection->bias = vb_binder_floats(binder, *embed, 0, "text_projection.bias")))
        return -1;
    return 0;
}

int vb_text_tower_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                       int *embed) {
    vb_program *program = binder->program;
    vb_norm norm;
    vb_linear projection;
    program->name = "text transformer";
    if (measure(binder, info)) return -1;
    const int width = info->text_width;
    vb_embed tokens = {.context_length = info->context_length};
    vb_transformer_facts facts = {.width = width,
                                  .causal = true,
                                  .activation = options->override_activation ? options->activation : family->text_activation,
                                  .epsilon = family->text_epsilon,
                                  .pooled = VB_PICK_LAST};
    if (vb_binder_matrix(binder, &tokens.table, info->vocabulary_size, width, false, "token_embedding.weight") ||
        !(tokens.positions = vb_binder_floats(binder, info->context_length, width, "positional_embedding")) ||
        vb_binder_heads(binder, &facts.heads, width, options->text_heads, width / 64, "text"))
        return -1;
    info->text_heads = facts.heads;
    int x = vb_program_embed(program, &tokens, binder->err);
    x = vb_transformer_emit(binder, &facts, x, "transformer", &info->text_layers);
    if (x == VB_NO_VALUE || vb_binder_norm(binder, &norm, width, family->text_epsilon, "ln_final") ||
        bind_projection(binder, family, width, &projection, embed))
        return -1;
    snprintf(program->summary, sizeof program->summary, "%d tokens of %d, width %d, %d layers, %d heads", info->context_length,
             info->vocabulary_size, width, info->text_layers, info->text_heads);
    x = vb_program_norm(program, x, &norm, binder->err);
    x = vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, binder->err);
    return vb_program_finish(program, x, binder->err);
}
