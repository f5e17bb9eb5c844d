/* CLIP's text tower: token rows, transformer, one row's norm and projection. */
#ifndef VB_TEXT_TOWER_H
#define VB_TEXT_TOWER_H

#include "kernels/towers/family.h"

/* A vb_family_emitter for tensors token_embedding.weight, positional_embedding, transformer.*, ln_final.*, text_projection. */
int vb_text_tower_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                       int *embed);

#endif
