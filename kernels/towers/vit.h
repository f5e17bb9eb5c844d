/* The ViT image tower: patches, class token, transformer, projection of the class token. */
#ifndef VB_VIT_H
#define VB_VIT_H

#include "kernels/towers/family.h"

/* A vb_family_emitter for tensors visual.conv1.*, visual.class_embedding, ..., visual.proj. */
int vb_vit_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed);

#endif
