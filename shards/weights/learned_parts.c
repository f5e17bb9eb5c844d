/* The table of telling names. Sources: the methods' published code (CoOp/CoCoOp, MaPLe, PromptSRC, CLIP-Adapter, Tip-Adapter,
 * TaskRes, VPT) and Hugging Face's peft. */
#include "shards/weights/learned_parts.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *word, *method; /* a name has the word at its beginning, or behind a dot or an underscore */
} parts[] = {
    {"meta_net", "CoCoOp (its meta net)"},
    {"compound_prompt", "MaPLe (its deep prompts)"},
    {"VPT", "IVLP, MaPLe or PromptSRC (their prompts in the towers)"},
    {"prompt_embeddings", "visual prompt tuning (its prompts)"},
    {"text_feature_residuals", "TaskRes (its residuals)"},
    {"cache_keys", "Tip-Adapter (its cache)"},
    {"adapter", "an adapter"},
    {"adaptmlp", "AdaptFormer"},
    {"lora_", "LoRA"},
    {"hada_w", "LoHa"},
    {"lokr_w", "LoKr"},
    {"ia3_l", "(IA)3"},
    {"oft_r", "OFT"},
    {"vera_lambda", "VeRA"},
    {"prompt_encoder", "prompt tuning"},
    {"prompt_learner", "learned prompts (CoOp's belong to prompts: {coop: FILE})"}, /* the last one: see contexts */
};

static bool has_word(const char *name, const char *word) {
    for (const char *at = strstr(name, word); at; at = strstr(at + 1, word))
        if (at == name || at[-1] == '.' || at[-1] == '_') return true;
    return false;
}

int vb_learned_parts_refuse(const vb_tensor_set *set, bool contexts, const char *path, vb_error *err) {
    for (size_t p = 0; p < sizeof parts / sizeof *parts - contexts; p++)
        for (size_t i = 0; i < set->count; i++)
            if (has_word(set->items[i].name, parts[p].word))
                return vb_errorf(
                    err, VB_EUNSUPPORTED,
                    "%s: holds learned parts of %s, such as the tensor %.100s, which are not computed here; without them "
                    "the figures would be of no method",
                    path, parts[p].method, set->items[i].name);
    return 0;
}
