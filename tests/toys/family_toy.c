/* The family `toy`: a ViT under another name. What tests/cli/test_extending.sh adds. */
#include "kernels/towers/family.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

static int emit_image(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                      int *embed) {
    if (vb_vit_emit(binder, family, options, info, embed)) return -1;
    binder->program->name = info->tower = "toy tower";
    return 0;
}

const vb_family vb_family_toy = {
    .name = "toy",
    .published = "toy-vit",
    .tested = "by its description",
    .cache_key = 99,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .ln_pre = true,
    .image = emit_image,
    .text = vb_text_tower_emit,
};
