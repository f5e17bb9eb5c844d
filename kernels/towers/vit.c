/* Vision transformers as OpenAI's and timm's VisionTransformer are. Source: CLIP model.py, timm vision_transformer.py. */
#include "kernels/towers/vit.h"

#include <stdio.h>

#include "kernels/towers/transformer.h"

int vb_vit_measure(vb_binder *binder, int resolution, vb_clip_info *info, int *grid) {
    int filter[4];
    if (vb_binder_shape(binder, 4, filter, "visual.conv1.weight") ||
        vb_binder_grid(binder, filter[2], grid, "visual.positional_embedding"))
        return -1;
    info->image_width = filter[0];
    info->patch = filter[2];
    const int read = *grid * info->patch;
    info->resolution = resolution ? resolution : read;
    if (info->resolution >= read && info->resolution < read + info->patch) return 0;
    return vb_errorf(
        binder->err, VB_EMISMATCH,
        "a resolution of %d, but tensor visual.positional_embedding has rows for %d x %d patches of %d: expected %d to %d",
        info->resolution, *grid, *grid, info->patch, read, read + info->patch - 1);
}

int vb_vit_rows(vb_binder *binder, const vb_family *family, const vb_clip_info *info, int grid) {
    vb_program *program = binder->program;
    const int width = info->image_width, rows = grid * grid + 1;
    vb_convolution patches = {.kernel = info->patch, .stride = info->patch};
    if (vb_binder_expect(binder, family->patch_bias, "visual.conv1.bias", "bias of the patch embedding") ||
        vb_binder_expect(binder, family->ln_pre, "visual.ln_pre.weight", "layer norm before the transformer") ||
        vb_binder_filter(binder, &patches.weight, width, 3, info->patch, "visual.conv1.weight") ||
        (family->patch_bias && !(patches.bias = vb_binder_floats(binder, width, 0, "visual.conv1.bias"))))
        return VB_NO_VALUE;
    const float *class_token = vb_binder_floats(binder, width, 0, "visual.class_embedding");
    const float *positions = class_token ? vb_binder_floats(binder, rows, width, "visual.positional_embedding") : NULL;
    float *lead =
        positions ? vb_program_memory(program, (size_t)width, sizeof *lead, "row of the class token", binder->err) : NULL;
    if (!lead) return VB_NO_VALUE;
    for (int j = 0; j < width; j++) lead[j] = class_token[j] + positions[j];
    int x = vb_program_pixels(program, info->resolution, binder->err);
    x = vb_program_conv(program, x, &patches, VB_NO_VALUE, binder->err);
    return vb_program_sequence(program, x, &(vb_sequence){.lead = lead, .positions = positions}, binder->err);
}

static int emit_transformer(vb_binder *binder, const vb_family *family, const vb_tower_facts *stated, float epsilon,
                            vb_clip_info *info, int x) {
    vb_transformer_facts facts = {.width = info->image_width,
                                  .activation = stated->activation_known ? stated->activation : family->image_activation,
                                  .epsilon = epsilon,
                                  .pooled = VB_PICK_FIRST};
    const int usual = vb_family_heads(family->head_widths, facts.width);
    if (vb_binder_heads(binder, &facts.heads, facts.width, stated->heads, usual, "image")) return VB_NO_VALUE;
    info->image_heads = facts.heads;
    return vb_transformer_emit(binder, &facts, x, "visual.transformer", &info->image_layers[0]);
}

void vb_vit_summarise(vb_program *program, const vb_clip_info *info) {
    snprintf(program->summary, sizeof program->summary, "%d x %d pixels, patches of %d, width %d, %d layers, %d heads",
             info->resolution, info->resolution, info->patch, info->image_width, info->image_layers[0], info->image_heads);
}

int vb_vit_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed) {
    vb_program *program = binder->program;
    vb_norm norm;
    vb_linear projection;
    int grid;
    program->name = "ViT";
    if (vb_vit_measure(binder, options->resolution, info, &grid)) return -1;
    const int width = info->image_width;
    const float epsilon = options->image.epsilon > 0 ? options->image.epsilon : family->image_epsilon;
    info->image_epsilon = epsilon;
    int x = vb_vit_rows(binder, family, info, grid);
    if (x == VB_NO_VALUE) return -1;
    if (family->ln_pre) {
        if (vb_binder_norm(binder, &norm, width, epsilon, "visual.ln_pre")) return -1;
        x = vb_program_norm(program, x, &norm, binder->err);
    }
    x = emit_transformer(binder, family, &options->image, epsilon, info, x);
    if (x == VB_NO_VALUE || vb_binder_norm(binder, &norm, width, epsilon, "visual.ln_post") ||
        vb_binder_projection(binder, &projection, width, embed, "visual.proj"))
        return -1;
    vb_vit_summarise(program, info);
    x = vb_program_norm(program, x, &norm, binder->err);
    x = vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, binder->err);
    return vb_program_finish(program, x, binder->err);
}
