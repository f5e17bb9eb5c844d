/* The ViT image tower: patches, class row or none, transformer, pooling, projection. */
#ifndef VB_VIT_H
#define VB_VIT_H

#include "kernels/towers/family.h"

/* A vb_family_emitter for tensors visual.conv1.*, visual.class_embedding, ..., visual.attn_pool.*, visual.proj, as far as the
 * family has them. */
int vb_vit_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed);

/* Its first part: all rows behind the last block where `whole`, else the class row, before visual.ln_post. VB_NO_VALUE on errors.
 * For families that pool in another way. */
int vb_vit_trunk(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, bool whole);
/* The side of the pictures, stated or 0, for a table of grid x grid patches of info->patch: fills in info->resolution, and
 * refuses what the patches do not cover but for less than one of them. 0 or -1. */
int vb_vit_side(vb_binder *binder, int grid, int stated, vb_clip_info *info);

#endif
