/* EfficientNet image towers (ALIGN): blocks of depthwise convolutions with squeeze-and-excitation. */
#ifndef VB_EFFICIENTNET_H
#define VB_EFFICIENTNET_H

#include "kernels/towers/family.h"

/* A vb_family_emitter, from tensors visual.stem.* and visual.blocks.#.*, which are named as transformers names them there. The
 * embedding is the mean of the last picture's pixels. The side of the pictures is stated, or family->resolution. */
int vb_efficientnet_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                         int *embed);

#endif
