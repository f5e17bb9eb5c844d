/* The registry of families, and what is asked of it as a whole. */
#include "kernels/towers/family.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY(name) &vb_family_##name,

static const vb_family *const families[] = {VB_FAMILIES(ENTRY)};
static_assert(sizeof families / sizeof *families == VB_FAMILY_COUNT, "an entry for each name");

const vb_family *vb_family_at(int index) {
    assert(index >= 0 && index < VB_FAMILY_COUNT);
    return families[index];
}

int vb_family_index(const char *name) {
    for (int i = 0; i < VB_FAMILY_COUNT; i++)
        if (!strcmp(name, families[i]->name)) return i;
    return -1;
}

const vb_family *vb_family_find(const char *name) {
    int index = vb_family_index(name);
    return index < 0 ? NULL : families[index];
}

const char *vb_family_names(char *text, size_t size, const char *last) {
    size_t used = 0;
    *text = 0;
    for (int i = 0; i < VB_FAMILY_COUNT && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 !i                      ? "" :
                                 i + 1 < VB_FAMILY_COUNT ? ", " :
                                                           last,
                                 families[i]->name);
    return text;
}

const char *vb_family_conventions(const vb_family *family) { return family->conventions ? family->conventions : "openai"; }

const char *const vb_family_text_masks[] = {
    [VB_MASK_UNSET] = "", [VB_MASK_CAUSAL] = "causal", [VB_MASK_NONE] = "none", [VB_MASK_PADDING] = "padding", NULL};
static_assert(sizeof vb_family_text_masks / sizeof *vb_family_text_masks == VB_TEXT_MASKS + 1, "a word for each value");
const char *const vb_family_text_poolings[] = {
    [VB_POOLING_UNSET] = "",      [VB_POOLING_END] = "end",   [VB_POOLING_LAST] = "last",
    [VB_POOLING_FIRST] = "first", [VB_POOLING_MEAN] = "mean", NULL};
static_assert(sizeof vb_family_text_poolings / sizeof *vb_family_text_poolings == VB_TEXT_POOLINGS + 1, "a word for each value");

static vb_tower_facts complete(vb_tower_facts facts, vb_activation activation, float epsilon) {
    if (!facts.activation_known) facts.activation = activation;
    if (!(facts.epsilon > 0)) facts.epsilon = epsilon;
    return facts;
}

vb_tower_facts vb_family_image_facts(const vb_family *family, const vb_tower_options *options) {
    return complete(options->image, family->image_activation, family->image_epsilon);
}

vb_tower_facts vb_family_text_facts(const vb_family *family, const vb_tower_options *options) {
    return complete(options->text, family->text_activation, family->text_epsilon);
}

int vb_family_heads(const vb_head_width *table, int width) {
    for (const vb_head_width *odd = table; odd && odd->width; odd++)
        if (odd->width == width) return odd->head_width ? width / odd->head_width : 0;
    return width / 64;
}

/* A tensor by its name, by "NAME[rows]" or by "NAME(dimensions)"; whatever its rows where `any_rows`. */
static bool tensor_there(const vb_tensor_set *weights, const char *sign, bool any_rows) {
    char name[VB_NAME];
    const char *rows = strchr(sign, '['), *dimensions = strchr(sign, '(');
    snprintf(name, sizeof name, "%.*s", (int)strcspn(sign, "[("), sign);
    const vb_tensor *tensor = vb_tensor_find(weights, name);
    if (rows && any_rows) return true;
    return tensor && (!rows || (tensor->ndim && tensor->shape[0] == atoi(rows + 1))) &&
           (!dimensions || tensor->ndim == atoi(dimensions + 1));
}

static bool sign_fits(const vb_family_sign *sign, const vb_tensor_set *weights, bool any_rows) {
    for (int i = 0; i < 4; i++)
        if ((sign->has[i] && !tensor_there(weights, sign->has[i], any_rows)) ||
            (sign->lacks[i] && tensor_there(weights, sign->lacks[i], false)))
            return false;
    return true;
}

bool vb_family_needs_side(const vb_family *family, const vb_tensor_set *weights) {
    return family->resolution_varies && !vb_tensor_find(weights, "visual.positional_embedding");
}

const vb_family *vb_family_by_signs(const vb_tensor_set *weights) {
    for (int i = 0; i < VB_FAMILY_COUNT; i++)
        for (const vb_family_sign *sign = families[i]->signs; sign && sign->has[0]; sign++)
            if (sign_fits(sign, weights, false)) return families[i];
    return NULL;
}

bool vb_family_fits(const vb_family *family, const vb_tensor_set *weights) {
    for (const vb_family_sign *sign = family->signs; sign && sign->has[0]; sign++)
        if (sign_fits(sign, weights, true)) return true;
    if (vb_tensor_has_prefix(weights, "visual.")) return false;
    return family->signs && vb_tensor_find(weights, "token_embedding.weight") &&
           family->text_projection_bias == !!vb_tensor_find(weights, "text_projection.bias");
}

const vb_family *vb_family_guess(const vb_tensor_set *weights) {
    const vb_family *told = vb_family_by_signs(weights);
    if (told) return told;
    const bool patch_bias = vb_tensor_find(weights, "visual.conv1.bias"),
               ln_pre = vb_tensor_find(weights, "visual.ln_pre.weight");
    const bool text_bias = vb_tensor_find(weights, "text_projection.bias");
    const bool vit = vb_tensor_find(weights, "visual.class_embedding");
    const bool text =
        text_bias || vb_tensor_find(weights, "text_projection") || vb_tensor_find(weights, "text_projection.weight");
    for (int i = VB_FAMILY_COUNT; i--;) {
        const vb_family *family = families[i];
        if (family->signs) continue;
        if ((!vit || (family->patch_bias == patch_bias && family->ln_pre == ln_pre)) && (vit || family->resnets) &&
            (!text || family->text_projection_bias == text_bias))
            return family;
    }
    return NULL;
}
