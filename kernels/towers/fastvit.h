/* FastViT image towers (MobileCLIP's MCi): convolutions whose branches are folded, and attention over the last pictures; and
 * their blocks over the rows of texts (MobileCLIP-S0). */
#ifndef VB_FASTVIT_H
#define VB_FASTVIT_H

#include "kernels/towers/family.h"

/* A vb_family_emitter, from tensors under timm's names, visual.trunk.*: with branches, or with the filters into which timm folds
 * them (reparam_conv). The side of the pictures is stated, or family->resolution. */
int vb_fastvit_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed);

/* PREFIX.token_mixer and PREFIX.mlp, filters along the rows of whole texts (vb_embed.picture); branches or folded. The value that
 * they make of x, VB_NO_VALUE on errors. */
int vb_fastvit_mix_rows(vb_binder *binder, vb_activation activation, int x, const char *prefix);

#endif
