/* FastViT image towers (MobileCLIP's MCi): convolutions whose branches are folded, and attention over the last pictures. */
#ifndef VB_FASTVIT_H
#define VB_FASTVIT_H

#include "kernels/towers/family.h"

/* A vb_family_emitter, from tensors under timm's names, visual.trunk.*: with branches, or with the filters into which timm folds
 * them (reparam_conv). The side of the pictures is stated, or family->resolution. */
int vb_fastvit_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed);

#endif
