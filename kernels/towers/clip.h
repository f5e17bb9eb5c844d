/* CLIP encoders: images and token sequences to embeddings, from weights under OpenAI's names.
 *
 * Results do not depend on the batch, the thread count or the other items of a batch: not in one bit. */
#ifndef VB_CLIP_H
#define VB_CLIP_H

#include "kernels/towers/engine.h"
#include "kernels/towers/family.h"

typedef struct vb_clip_options {
    const vb_family *family;
    vb_tower_options stated;
    int threads;
    vb_watch watch;
    const vb_engine_device *device; /* NULL: the CPU; borrowed */
} vb_clip_options;

typedef struct vb_clip vb_clip;

/* Finds the towers and their sizes and checks every tensor: presence, shape, dtype (fp32, fp16 or bf16, with any strides), and
 * whether the family has it. Tensors inside of a tower that the model does not use are refused too: they would change its
 * results. The canonical set may hold attn.in_proj_weight and .in_proj_bias or attn.{q,k,v}_proj.{weight,bias}, and either
 * visual.proj [width x embed] or visual.proj.weight [embed x width]; the same for text_projection.
 * The tensors' bytes are used where they lie and must outlive the model; only vectors (biases, norms, folded BatchNorms,
 * positional tables) and filters that are folded (fold.h) are copied. A filter whose input, row and column strides do not
 * collapse into one is copied as well.
 * Errors: VB_EMISMATCH names the tensor, what was found and what was expected; VB_EUNSUPPORTED for other towers. */
int vb_clip_open(vb_clip **clip, const vb_tensor_set *weights, const vb_clip_options *options, vb_error *err);
/* From now on the products of linear layers and convolutions in three products of bf16 (bf16x3.h), attention as before; NULL: all
 * in fp32, as at first. */
void vb_clip_multiply_by(vb_clip *clip, const struct vb_bf16x3_kernel *bf16x3);
/* For batches of so many images: where that is worth it, weights of the image tower are brought into the layout of the kernels
 * once instead of with every batch (kept_weights.h). They take vb_clip_kept_floats, which are the caller's: several processes may
 * share them, each filling its part of `parts`. From vb_clip_use_kept on the model reads them there, and they must stay; NULL: it
 * keeps none. Embeddings do not change. Filling: VB_EMEMORY. */
size_t vb_clip_kept_floats(const vb_clip *clip, int64_t batch);
int vb_clip_fill_kept(const vb_clip *clip, int64_t batch, float *floats, int part, int parts, vb_error *err);
void vb_clip_use_kept(vb_clip *clip, int64_t batch, const float *floats);
const vb_clip_info *vb_clip_describe(const vb_clip *clip);
/* The towers as lists of operations; one that the weights do not hold has no name and no operations. */
const vb_program *vb_clip_image_program(const vb_clip *clip);
const vb_program *vb_clip_text_program(const vb_clip *clip);
void vb_clip_close(vb_clip *clip); /* NULL is fine */

/* The functions below leave the model as it is: several threads may call them at once, each with threads of its own inside. The
 * work space of as many calls as there were at one time is kept for later ones, until the model is closed or rests. */

/* Frees work space that no call is using: before other work that needs the memory. NULL is fine. */
void vb_clip_rest(const vb_clip *clip);

/* pixels: n x 3 x R x R, preprocessed. out: n x embed_dim, not normalised. VB_EDATA when an embedding is not finite;
 * VB_EUNSUPPORTED without an image tower. */
int vb_clip_encode_images(const vb_clip *clip, const float *pixels, int64_t n, float *out, vb_error *err);
/* The same for towers that see pictures of any shape (max_patches of vb_clip_info): picture i begins at pixels + i * 3 *
 * max_patches * patch * patch and is 3 x height x width without gaps. grids: n, or NULL with a tower that sees squares.
 * VB_EMISMATCH: no grids, or one of more patches than stated. */
int vb_clip_encode_pictures(const vb_clip *clip, const float *pixels, const vb_patch_grid *grids, int64_t n, float *out,
                            vb_error *err);

/* Whether pictures may be given as bytes: their normalisation is then the device's, with the same bits. */
bool vb_clip_takes_bytes(const vb_clip *clip);
/* The same of n x R x R x 3 bytes, where values[c * 256 + v] is what byte v of channel c is normalised to. */
int vb_clip_encode_bytes(const vb_clip *clip, const uint8_t *bytes, const float *values, int64_t n, float *out, vb_error *err);

/* tokens: n x context_length; each text is computed up to its end token only where attention is causal, which makes that exact,
 * and whole, padding included, where it is not. The end token is mostly the vocabulary's last id, which is what OpenAI's argmax
 * finds; VB_EMISMATCH for a text without it (another model's tokenizer), where texts are pooled there, or with an id outside of
 * the vocabulary. out: n x embed_dim, not normalised. VB_EDATA when an embedding is not
 * finite. */
int vb_clip_encode_texts(const vb_clip *clip, const int32_t *tokens, int64_t n, float *out, vb_error *err);

/* Texts with CoOp's learned context vectors (text_input.h). tokens, out, errors: as vb_clip_encode_texts; VB_EMISMATCH also for a
 * prompt too short for its context and name. */
int vb_clip_encode_prompts(const vb_clip *clip, const int32_t *tokens, const vb_prompt_context *context, int64_t n, float *out,
                           vb_error *err);

/* Bytes of work space that encoding n images or n texts takes: for plans. Bounded: large n are computed in pieces. The matrix
 * products' and the attention's tiles come on top, a few MiB a thread. */
size_t vb_clip_image_workspace(const vb_clip *clip, int64_t n);
size_t vb_clip_text_workspace(const vb_clip *clip, int64_t n);

#endif
