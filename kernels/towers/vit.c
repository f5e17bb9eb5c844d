/* Vision transformers as OpenAI's and timm's VisionTransformer are. Sources: CLIP model.py, open_clip 3.3
 * transformer.py, timm vision_transformer.py. */
#include "kernels/towers/vit.h"

#include <stdio.h>

#include "kernels/towers/map_pool.h"
#include "kernels/towers/transformer.h"

/* Rows in front of the patches': that of the class token. */
static int leading_rows(const vb_binder *binder, const vb_family *family) {
    return family->class_row_varies ? vb_binder_has(binder, "visual.class_embedding") : !family->no_class_row;
}

int vb_vit_side(vb_binder *binder, int grid, int stated, vb_clip_info *info) {
    const int read = grid * info->patch;
    info->resolution = stated ? stated : read;
    if (info->resolution >= read && info->resolution < read + info->patch) return 0;
    return vb_errorf(
        binder->err, VB_EMISMATCH,
        "a resolution of %d, but tensor visual.positional_embedding has rows for %d x %d patches of %d: expected %d to %d",
        info->resolution, grid, grid, info->patch, read, read + info->patch - 1);
}

/* The sizes that the tensors tell. */
static int measure(vb_binder *binder, const vb_family *family, int resolution, vb_clip_info *info, int *grid) {
    int filter[4];
    if (vb_binder_shape(binder, 4, filter, "visual.conv1.weight") ||
        vb_binder_grid(binder, filter[2], leading_rows(binder, family), grid, "visual.positional_embedding"))
        return -1;
    info->image_width = filter[0];
    info->patch = filter[2];
    return vb_vit_side(binder, *grid, resolution, info);
}

/* The class token, if there is one, and the patches, with their positions: a row each. */
static int emit_rows(vb_binder *binder, const vb_family *family, const vb_clip_info *info, int grid) {
    vb_program *program = binder->program;
    const int width = info->image_width, more = leading_rows(binder, family), rows = grid * grid + more;
    vb_convolution patches = {.kernel = info->patch, .stride = info->patch};
    vb_sequence sequence = {.lead = more ? VB_LEAD_ROW : VB_LEAD_NONE};
    if (vb_binder_expect(binder, family->patch_bias, "visual.conv1.bias", "bias of the patch embedding") ||
        vb_binder_expect(binder, family->ln_pre, "visual.ln_pre.weight", "layer norm before the transformer") ||
        vb_binder_filter(binder, &patches.weight, width, 3, info->patch, "visual.conv1.weight") ||
        (family->patch_bias && !(patches.bias = vb_binder_floats(binder, width, 0, "visual.conv1.bias"))))
        return VB_NO_VALUE;
    const float *positions = vb_binder_floats(binder, rows, width, "visual.positional_embedding");
    if (!positions) return VB_NO_VALUE;
    sequence.positions = positions + more * width;
    if (more) {
        const float *class_token = vb_binder_floats(binder, width, 0, "visual.class_embedding");
        float *lead =
            class_token ? vb_program_memory(program, (size_t)width, sizeof *lead, "row of the class token", binder->err) : NULL;
        if (!lead) return VB_NO_VALUE;
        for (int j = 0; j < width; j++) lead[j] = class_token[j] + positions[j];
        sequence.row = lead;
    }
    int x = vb_program_pixels(program, info->resolution, binder->err);
    x = vb_program_conv(program, x, &patches, VB_NO_VALUE, binder->err);
    return vb_program_sequence(program, x, &sequence, binder->err);
}

int vb_vit_trunk(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, bool whole) {
    vb_program *program = binder->program;
    vb_norm norm;
    int grid;
    if (measure(binder, family, options->resolution, info, &grid)) return VB_NO_VALUE;
    const vb_tower_facts stated = vb_family_image_facts(family, options);
    vb_transformer_facts facts = {.width = info->image_width,
                                  .activation = stated.activation,
                                  .epsilon = stated.epsilon,
                                  .whole = whole,
                                  .pooled = VB_PICK_FIRST};
    info->image_epsilon = stated.epsilon;
    const int usual = vb_family_heads(family->head_widths, facts.width);
    if (vb_binder_heads(binder, &facts.heads, facts.width, stated.heads, usual, "image")) return VB_NO_VALUE;
    info->image_heads = facts.heads;
    if (family->blocks && family->blocks(binder, grid, info, &facts)) return VB_NO_VALUE;
    int x = emit_rows(binder, family, info, grid);
    if (x == VB_NO_VALUE) return VB_NO_VALUE;
    if (family->ln_pre) {
        if (vb_binder_norm(binder, &norm, facts.width, stated.epsilon, "visual.ln_pre")) return VB_NO_VALUE;
        x = vb_program_norm(program, x, &norm, binder->err);
    }
    x = vb_transformer_emit(binder, &facts, x, "visual.transformer", &info->image_layers[0]);
    snprintf(program->summary, sizeof program->summary, "%d x %d pixels, patches of %d, width %d, %d layers, %d heads",
             info->resolution, info->resolution, info->patch, facts.width, info->image_layers[0], info->image_heads);
    return x;
}

/* One row an item, normed: the class row, the mean of the patches, or what a query finds in the normed rows. */
static int emit_pooling(vb_binder *binder, const vb_family *family, const vb_tower_options *options, const vb_clip_info *info,
                        int x) {
    vb_program *program = binder->program;
    vb_norm norm;
    if (x == VB_NO_VALUE || vb_binder_norm(binder, &norm, info->image_width, info->image_epsilon, "visual.ln_post"))
        return VB_NO_VALUE;
    if (family->image_pooling == VB_IMAGE_MEAN) x = vb_program_mean(program, x, leading_rows(binder, family), binder->err);
    x = vb_program_norm(program, x, &norm, binder->err);
    if (family->image_pooling != VB_IMAGE_QUERY) return x;
    const vb_map_pool pool = {.width = info->image_width,
                              .heads = family->pool_heads ? family->pool_heads : info->image_heads,
                              .activation = vb_family_image_facts(family, options).activation,
                              .epsilon = info->image_epsilon};
    return vb_map_pool_emit(binder, &pool, x, "visual.attn_pool");
}

int vb_vit_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed) {
    vb_program *program = binder->program;
    vb_linear projection;
    program->name = "ViT";
    int x = vb_vit_trunk(binder, family, options, info, family->image_pooling != VB_IMAGE_CLASS);
    x = emit_pooling(binder, family, options, info, x);
    if (x == VB_NO_VALUE) return -1;
    *embed = info->image_width;
    if (family->image_projection != VB_IMAGE_UNPROJECTED) {
        const bool bias = family->image_projection == VB_IMAGE_MATRIX_AND_BIAS ||
                          (family->image_projection == VB_IMAGE_BIAS_VARIES && vb_binder_has(binder, "visual.proj.bias"));
        if (vb_binder_projection(binder, &projection, info->image_width, bias, embed, "visual.proj")) return -1;
        x = vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, binder->err);
    }
    return vb_program_finish(program, x, binder->err);
}
