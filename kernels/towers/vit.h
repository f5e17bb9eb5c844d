/* The ViT image tower: patches, class token, transformer, projection of the class token. */
#ifndef VB_VIT_H
#define VB_VIT_H

#include "kernels/towers/family.h"

/* A vb_family_emitter for tensors visual.conv1.*, visual.class_embedding, ..., visual.proj. */
int vb_vit_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed);

/* Its parts, for towers that differ in others. The sizes that visual.conv1.weight and visual.positional_embedding tell go to *info,
 * cells a side to *grid; `resolution` as in vb_tower_options. 0 or -1. */
int vb_vit_measure(vb_binder *binder, int resolution, vb_clip_info *info, int *grid);
/* The input, and the value of its rows: the class token's and one a patch, with positions. VB_NO_VALUE on errors. */
int vb_vit_rows(vb_binder *binder, const vb_family *family, const vb_clip_info *info, int grid);
/* What *info tells of the tower, as the program's summary. */
void vb_vit_summarise(vb_program *program, const vb_clip_info *info);

#endif
