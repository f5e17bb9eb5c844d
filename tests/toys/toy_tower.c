/* The image tower of the family `toy`: a ViT under another name. What tests/cli/test_extending.sh adds. */
#include "kernels/towers/toy_tower.h"

#include "kernels/towers/vit.h"

int vb_toy_tower_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed) {
    if (vb_vit_emit(binder, family, options, info, embed)) return -1;
    info->tower = "toy tower";
    return 0;
}
