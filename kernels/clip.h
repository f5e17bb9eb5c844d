/* CLIP encoders: images and token sequences to embeddings, from weights under OpenAI's names.
 *
 * Results do not depend on the batch, the thread count or the other items of a batch: not in one bit. */
#ifndef VB_CLIP_H
#define VB_CLIP_H

#include <stdbool.h>

#include "kernels/gemm.h"
#include "kernels/tensor.h"

typedef enum vb_tower { VB_TOWER_NONE, VB_TOWER_VIT, VB_TOWER_RESNET } vb_tower;

/* What a family fixes and the tensors cannot tell. One row a family in kernels/arch.c. */
typedef struct vb_family {
    const char *name; /* "clip", "slip", "declip" */
    vb_activation image_activation, text_activation;
    float image_epsilon, text_epsilon; /* of LayerNorm */
} vb_family;
const vb_family *vb_family_find(const char *name); /* NULL when unknown */

typedef struct vb_clip_options {
    const vb_family *family;
    bool override_activation; /* open_clip's exact GELU, stated by the user for both towers */
    vb_activation activation;
    int threads;
} vb_clip_options;

/* All sizes inferred from the tensors, as OpenAI's build_model infers them. Zero where a tower is absent. */
typedef struct vb_clip_info {
    vb_tower tower;
    int resolution, patch, image_width, image_layers[4], image_heads; /* image_layers[1..3] only for ResNets */
    int embed_dim;
    int context_length, vocabulary_size, text_width, text_layers, text_heads;
    int64_t parameters;
    float logit_scale; /* exp of the stored value; 0 when absent */
} vb_clip_info;

typedef struct vb_clip vb_clip;

/* Checks every tensor's presence and shape (VB_EMISMATCH names the tensor, the shape found and the shape expected). The tensors'
 * bytes are used where they lie and must outlive the model; only vectors (biases, norms, folded BatchNorms, positional tables)
 * are copied. */
int vb_clip_open(vb_clip **clip, const vb_tensor_set *weights, const vb_clip_options *options, vb_error *err);
const vb_clip_info *vb_clip_describe(const vb_clip *clip);
void vb_clip_close(vb_clip *clip);

/* pixels: n x 3 x R x R, preprocessed. out: n x embed_dim, not normalised. VB_EDATA when an embedding is not finite. */
int vb_clip_encode_images(const vb_clip *clip, const float *pixels, int64_t n, float *out, vb_error *err);

/* tokens: n x context_length; each text is computed up to its end token only (the largest id; causal attention makes that exact).
 * out: n x embed_dim, not normalised. VB_EMISMATCH when an id is outside of the vocabulary. */
int vb_clip_encode_texts(const vb_clip *clip, const int32_t *tokens, int64_t n, float *out, vb_error *err);

/* Bytes of work space that encoding n images or n texts takes: for plans. */
size_t vb_clip_image_workspace(const vb_clip *clip, int64_t n);
size_t vb_clip_text_workspace(const vb_clip *clip, int64_t n);

#endif
