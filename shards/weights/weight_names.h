/* The published naming schemes of CLIP-like weights, mapped to OpenAI's names, which kernels/towers/clip.h expects. */
#ifndef VB_WEIGHT_NAMES_H
#define VB_WEIGHT_NAMES_H

#include "kernels/base/error.h"
#include "kernels/base/tensor.h"

typedef struct vb_weight_names {
    vb_tensor_set set;    /* sorted: canonical names, and what of the model has none, under its own name less the wrappers */
    vb_tensor_set unused; /* what has no canonical name, under its name in the file, sorted */
    const char *naming;   /* "OpenAI", "open_clip", "Hugging Face", "SLIP", "DeCLIP"; "unknown": the set is empty then */
    const char *family;   /* that goes with the naming, by its name (kernels/towers/family.h); NULL when unknown */
    void *storage;
} vb_weight_names;

/* Finds the model in the file's names, below wrappers ("state_dict.", "model.", "module."), and names its tensors. Views, never
 * copies: leading dimensions of 1 are dropped where OpenAI has none. Linear projections keep a name of their own
 * ("visual.proj.weight",
 * "text_projection.weight": embed x width, where "visual.proj" and "text_projection" are width x embed), and so do separate
 * attention projections ("attn.q_proj.weight"). `file` must be sorted, and outlive the result.
 * VB_EDATA when two tensors claim one name, VB_EUNSUPPORTED when the file holds several models. */
int vb_weight_names_map(vb_weight_names *names, const vb_tensor_set *file, const char *path, vb_error *err);
void vb_weight_names_free(vb_weight_names *names);

/* The namings under which a family is found, "OpenAI, open_clip, ...": those of which it is the family, and those whose names
 * have all that one of its signs asks for. Returns text. */
struct vb_family;
const char *vb_weight_names_of(const struct vb_family *family, char *text, size_t size);

#endif
