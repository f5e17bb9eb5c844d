/* Sources: state dicts of open_clip 3.3 (hf_model.py) and transformers 5.24. */
#include "shards/weights/bert_names.h"

#include <stddef.h>

/* Text towers of BERT's kind behind the prefix of their scheme: `tower` precedes embeddings, `layers` the blocks. */
#define BERT(tower, layers)                                                                                                      \
    {tower VB_BERT_NAMES_WORDS, "token_embedding.weight"},                                                                       \
        {tower "embeddings.position_embeddings.weight", "positional_embedding"},                                                 \
        {tower "embeddings.token_type_embeddings.weight", "token_type_embedding"},                                               \
        {tower "embeddings.LayerNorm.$", "ln_embedding.$"},                                                                      \
        {tower layers ".#.attention.self.query.$", "transformer.resblocks.#.attn.q_proj.$"},                                     \
        {tower layers ".#.attention.self.key.$", "transformer.resblocks.#.attn.k_proj.$"},                                       \
        {tower layers ".#.attention.self.value.$", "transformer.resblocks.#.attn.v_proj.$"},                                     \
        {tower layers ".#.attention.output.dense.$", "transformer.resblocks.#.attn.out_proj.$"},                                 \
        {tower layers ".#.attention.output.LayerNorm.$", "transformer.resblocks.#.ln_1.$"},                                      \
        {tower layers ".#.intermediate.dense.$", "transformer.resblocks.#.mlp.c_fc.$"},                                          \
        {tower layers ".#.output.dense.$", "transformer.resblocks.#.mlp.c_proj.$"}, {                                            \
        tower layers ".#.output.LayerNorm.$", "transformer.resblocks.#.ln_2.$"                                                   \
    }
const vb_bert_names_rule vb_bert_names_roberta[] = {BERT("transformer.", "encoder.layer"),
                                                    {"proj.0.weight", "text_hidden.weight"},
                                                    {"proj.2.weight", "text_projection.weight"},
                                                    {"proj.weight", "text_projection.weight"},
                                                    {0}};
/* Older files have the first, transformers 5 writes the second. */
const vb_bert_names_rule vb_bert_names_alt[] = {BERT("roberta.", "encoder.layer"),
                                                BERT("roberta.", "encoder.layers"),
                                                {"pre_LN.$", "ln_final.$"},
                                                {"transformation.$", "text_hidden.$"},
                                                {0}};
const vb_bert_names_rule vb_bert_names_bert[] = {BERT("", "encoder.layer"), {0}};
/* Its files hold BERT's pooling layer, through which no embedding goes. */
const vb_bert_names_rule vb_bert_names_align[] = {BERT("", "encoder.layer"), {"pooler.dense.$", "unused.pooler.dense.$"}, {0}};
const vb_bert_names_rule vb_bert_names_m2m[] = {
    {"transformer.embed_tokens.weight", "token_embedding.weight"},
    {"transformer.layers.#.self_attn.q_proj.$", "transformer.resblocks.#.attn.q_proj.$"},
    {"transformer.layers.#.self_attn.k_proj.$", "transformer.resblocks.#.attn.k_proj.$"},
    {"transformer.layers.#.self_attn.v_proj.$", "transformer.resblocks.#.attn.v_proj.$"},
    {"transformer.layers.#.self_attn.out_proj.$", "transformer.resblocks.#.attn.out_proj.$"},
    {"transformer.layers.#.self_attn_layer_norm.$", "transformer.resblocks.#.ln_1.$"},
    {"transformer.layers.#.fc1.$", "transformer.resblocks.#.mlp.c_fc.$"},
    {"transformer.layers.#.fc2.$", "transformer.resblocks.#.mlp.c_proj.$"},
    {"transformer.layers.#.final_layer_norm.$", "transformer.resblocks.#.ln_2.$"},
    {"transformer.layer_norm.$", "ln_encoder.$"},
    {"proj.weight", "text_projection.weight"},
    {0}};
#undef BERT
