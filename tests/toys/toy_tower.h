/* The image tower of the family `toy`. */
#ifndef VB_TOY_TOWER_H
#define VB_TOY_TOWER_H

#include "kernels/towers/family.h"

/* A vb_family_emitter: a ViT whose tensors are called as OpenAI's. */
int vb_toy_tower_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed);

#endif
