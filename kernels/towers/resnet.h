/* OpenAI's ModifiedResNet: a stem of three convolutions, bottlenecks with average pools instead of strides, an attention pool. */
#ifndef VB_RESNET_H
#define VB_RESNET_H

#include "kernels/towers/family.h"

/* Whether the tensors are those of such a tower. */
bool vb_resnet_found(const vb_binder *binder);

/* A vb_family_emitter for tensors visual.conv1.weight, visual.bn1.*, visual.layer1.0.*, ..., visual.attnpool.*. */
int vb_resnet_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed);

#endif
