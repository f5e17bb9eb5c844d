/* Parts that methods of fine-tuning learn beside a model, told by the names of their tensors: so that a file that holds some is
 * refused by the method's name. Without them its figures would be of no method. */
#ifndef VB_LEARNED_PARTS_H
#define VB_LEARNED_PARTS_H

#include <stdbool.h>

#include "kernels/base/error.h"
#include "kernels/base/tensor.h"

/* VB_EUNSUPPORTED, with the method and the tensor, when a name in the set is such a part's; 0: none is. `contexts`: the file is
 * looked at for CoOp's contexts, and a prompt learner is what is expected. */
int vb_learned_parts_refuse(const vb_tensor_set *set, bool contexts, const char *path, vb_error *err);

#endif
