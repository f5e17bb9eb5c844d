/* CLIP's text transformer. Sources: OpenAI CLIP model.py; DeCLIP's text_encoder/transformer.py; open_clip 3.3 transformer.py.
 *
 * Where attention is causal and the end token's row pooled, each text is computed up to that only: what follows changes nothing.
 * Else all rows of the context are. */
#include "kernels/towers/text_tower.h"

#include <stdio.h>

#include "kernels/towers/fastvit.h"
#include "kernels/towers/text_input.h"
#include "kernels/towers/transformer.h"

/* The sizes that the tensors tell. */
static int measure(vb_binder *binder, const vb_family *family, vb_clip_info *info) {
    int embedding[2], positions[2];
    if (vb_binder_shape(binder, 2, embedding, "token_embedding.weight") ||
        vb_binder_shape(binder, 2, positions, "positional_embedding"))
        return -1;
    info->vocabulary_size = embedding[0];
    info->text_width = embedding[1];
    info->context_length = positions[0] - family->text_class_row;
    if (info->context_length > 0) return 0;
    return vb_errorf(binder->err, VB_EMISMATCH, "tensor positional_embedding has one row, for the class row: no text has tokens");
}

/* Long-CLIP's second table, positional_embedding_res, takes over from row 20 on. Source: its model_longclip.py, encode_text. */
enum { SHORT_POSITIONS = 20 };

static const float *bind_positions(vb_binder *binder, const vb_family *family, vb_clip_info *info) {
    const int rows = info->context_length + family->text_class_row, width = info->text_width;
    const float *table = vb_binder_floats(binder, rows, width, "positional_embedding");
    info->long_positions = vb_binder_has(binder, "positional_embedding_res");
    if (!table || !info->long_positions) return table;
    const float *rest = vb_binder_floats(binder, rows, width, "positional_embedding_res");
    float *joined =
        rest ? vb_program_memory(binder->program, (size_t)rows * (size_t)width, sizeof *joined, "positions", binder->err) : NULL;
    for (int64_t i = 0; joined && i < (int64_t)rows * width; i++)
        joined[i] = (i < (int64_t)SHORT_POSITIONS * width ? table : rest)[i];
    return joined;
}

/* Which rows see which, and which one is pooled. */
static int choose_rows(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info) {
    info->text_mask = options->text_mask ? options->text_mask : family->text_mask ? family->text_mask : VB_MASK_CAUSAL;
    info->text_pooling = options->text_pooling ? options->text_pooling :
                         family->text_pooling  ? family->text_pooling :
                                                 VB_POOLING_END;
    if (info->text_mask == VB_MASK_PADDING || info->text_pooling == VB_POOLING_MEAN)
        return vb_errorf(binder->err, VB_EUNSUPPORTED, "a %s of texts that only towers of BERT's kind have is stated",
                         info->text_mask == VB_MASK_PADDING ? "mask" : "pooling");
    if (info->text_mask == VB_MASK_CAUSAL && info->text_pooling == VB_POOLING_FIRST)
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "texts are causal and pooled at their first row, which sees no other: all would have one embedding");
    if (family->text_class_row && (info->text_mask != VB_MASK_CAUSAL || info->text_pooling != VB_POOLING_LAST))
        return vb_errorf(binder->err, VB_EMISMATCH, "texts of family %s are causal and pooled at their last row, the class row",
                         family->name);
    if (info->text_pooling != VB_POOLING_END) {
        info->end_token = VB_NO_END_TOKEN;
        return 0;
    }
    info->end_token = options->end_token ? options->end_token : info->vocabulary_size - 1;
    if (info->end_token < info->vocabulary_size) return 0;
    return vb_errorf(binder->err, VB_EMISMATCH, "texts end with token %d, but token_embedding.weight has %d rows",
                     info->end_token, info->vocabulary_size);
}

/* The row of a text that is pooled: where it is computed up to its end only, that is the last one. */
static vb_pick pooled_row(vb_text_pooling pooling, bool whole) {
    if (pooling == VB_POOLING_FIRST) return VB_PICK_FIRST;
    return pooling == VB_POOLING_END && whole ? VB_PICK_END : VB_PICK_LAST;
}

/* The pooled row's norm and projection, or the norm alone where the family has such models and the tensors no projection. */
static int emit_end(vb_binder *binder, const vb_family *family, const vb_clip_info *info, int x, int *embed) {
    vb_program *program = binder->program;
    const int width = info->text_width;
    const bool projected = !family->text_unprojected_too || vb_binder_has_prefix(binder, "text_projection");
    vb_norm norm;
    vb_linear projection;
    *embed = width;
    if (vb_binder_norm(binder, &norm, width, info->text_epsilon, "ln_final") ||
        (projected &&
         (vb_binder_expect(binder, family->text_projection_bias, "text_projection.bias", "bias of the text projection") ||
          vb_binder_projection(binder, &projection, width, family->text_projection_bias, embed, "text_projection"))))
        return VB_NO_VALUE;
    x = vb_program_norm(program, x, &norm, binder->err);
    return projected ? vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, binder->err) : x;
}

/* The block of convolutions behind the transformer's, and the pooled row of what it makes. */
static int mix_last_rows(vb_binder *binder, const vb_transformer_facts *facts, const vb_clip_info *info, int x) {
    char name[VB_NAME / 4];
    snprintf(name, sizeof name, "transformer.mixers.%d", 1 + info->text_layers);
    x = vb_fastvit_mix_rows(binder, facts->activation, x, name);
    return vb_program_pick(binder->program, x, facts->pooled, binder->err);
}

int vb_text_tower_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                       int *embed) {
    vb_program *program = binder->program;
    program->name = "text transformer";
    if (measure(binder, family, info) || choose_rows(binder, family, options, info)) return -1;
    const int width = info->text_width, usual = vb_family_heads(family->text_head_widths, width);
    const vb_tower_facts stated = vb_family_text_facts(family, options);
    const bool causal = info->text_mask == VB_MASK_CAUSAL, class_row = family->text_class_row,
               mixed = family->text_mixers && vb_binder_has_prefix(binder, "transformer.mixers."),
               whole = mixed || (!class_row && (!causal || info->text_pooling == VB_POOLING_LAST));
    vb_embed tokens = {.context_length = info->context_length, .whole = whole, .picture = mixed};
    vb_transformer_facts facts = {.width = width,
                                  .first = mixed,
                                  .whole = mixed,
                                  .causal = causal,
                                  .hides_padding = class_row,
                                  .activation = stated.activation,
                                  .epsilon = stated.epsilon,
                                  .pooled = pooled_row(info->text_pooling, whole)};
    if (vb_binder_matrix(binder, &tokens.table, info->vocabulary_size, width, false, "token_embedding.weight") ||
        !(tokens.positions = bind_positions(binder, family, info)) ||
        vb_binder_heads(binder, &facts.heads, width, stated.heads, usual, "text") ||
        vb_binder_expect(binder, class_row, "cls_emb", "class row of texts") ||
        (class_row && !(tokens.class_row = vb_binder_floats(binder, width, 0, "cls_emb"))))
        return -1;
    info->text_heads = facts.heads;
    info->text_epsilon = facts.epsilon;
    int x = vb_program_embed(program, &tokens, binder->err);
    if (mixed) x = vb_fastvit_mix_rows(binder, facts.activation, x, "transformer.mixers.0");
    x = x == VB_NO_VALUE ? x : vb_transformer_emit(binder, &facts, x, "transformer", &info->text_layers);
    if (mixed) x = mix_last_rows(binder, &facts, info, x);
    x = x == VB_NO_VALUE ? x : emit_end(binder, family, info, x, embed);
    if (x == VB_NO_VALUE) return -1;
    snprintf(program->summary, sizeof program->summary, "%d tokens of %d, width %d, %d layers, %d heads", info->context_length,
             info->vocabulary_size, width, info->text_layers, info->text_heads);
    return vb_program_finish(program, x, binder->err);
}
