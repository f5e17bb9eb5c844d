/* CLIP encoders: images and token sequences to embeddings, from weights under OpenAI's names.
 *
 * Results do not depend on the batch, the thread count or the other items of a batch: not in one bit. */
#ifndef VB_CLIP_H
#define VB_CLIP_H

#include <stdbool.h>

#include "kernels/matrix/gemm.h"
#include "kernels/base/tensor.h"

typedef enum vb_tower { VB_TOWER_NONE, VB_TOWER_VIT, VB_TOWER_RESNET } vb_tower;

/* What a family fixes and the tensors cannot tell. One row a family in kernels/towers/arch.c. */
typedef struct vb_family {
    const char *name; /* "clip", "slip", "declip" */
    vb_activation image_activation, text_activation;
    float image_epsilon, text_epsilon; /* of LayerNorm */
    bool resnets;                      /* the image tower may be a ModifiedResNet */
    bool patch_bias, ln_pre;           /* ViTs of the family hold visual.conv1.bias, visual.ln_pre.* */
    bool text_projection_bias;         /* its text towers hold text_projection.bias */
} vb_family;
const vb_family *vb_family_find(const char *name); /* NULL when unknown */
const vb_family *vb_family_table(size_t *count);   /* the whole table */

/* Looked at between the layers of a tower, by the thread that encodes: encoding ends where `look` returns other than 0, with the
 * error that it has set. So work that takes minutes can be stopped within a layer of a batch. */
typedef struct vb_watch {
    int (*look)(void *context, vb_error *err); /* NULL: nobody looks */
    void *context;
} vb_watch;

typedef struct vb_clip_options {
    const vb_family *family;
    bool override_activation; /* open_clip's exact GELU, stated by the user for both towers; ResNets keep their ReLU */
    vb_activation activation;
    int image_heads, text_heads; /* 0: as the family has them for that width (kernels/towers/arch.c); the tensors cannot tell */
    int threads;
    vb_watch watch;
} vb_clip_options;

/* All sizes inferred from the tensors, as OpenAI's build_model infers them. Zero where a tower is absent. */
typedef struct vb_clip_info {
    vb_tower tower;
    int resolution, patch, image_width, image_layers[4], image_heads; /* image_layers[1..3] only for ResNets */
    int embed_dim;
    int context_length, vocabulary_size, text_width, text_layers, text_heads;
    int64_t parameters; /* of both towers, logit_scale included; running statistics are none */
    float logit_scale;  /* exp of the stored value; 0 when absent */
} vb_clip_info;

typedef struct vb_clip vb_clip;

/* Finds the towers and their sizes and checks every tensor: presence, shape, dtype (fp32, fp16 or bf16, with any strides), and
 * whether the family has it. Tensors inside of a tower that the model does not use are refused too: they would change its
 * results. The canonical set may hold attn.in_proj_weight and .in_proj_bias or attn.{q,k,v}_proj.{weight,bias}, and either
 * visual.proj
 * [width x embed] or visual.proj.weight [embed x width]; the same for text_projection.
 * The tensors' bytes are used where they lie and must outlive the model; only vectors (biases, norms, folded BatchNorms,
 * positional tables) are copied. A filter whose input, row and column strides do not collapse into one is copied as well.
 * Errors: VB_EMISMATCH names the tensor, what was found and what was expected; VB_EUNSUPPORTED for other towers. */
int vb_clip_open(vb_clip **clip, const vb_tensor_set *weights, const vb_clip_options *options, vb_error *err);
const vb_clip_info *vb_clip_describe(const vb_clip *clip);
void vb_clip_close(vb_clip *clip); /* NULL is fine */

/* The functions below leave the model as it is: several threads may call them at once, each with threads of its own inside. */

/* pixels: n x 3 x R x R, preprocessed. out: n x embed_dim, not normalised. VB_EDATA when an embedding is not finite;
 * VB_EUNSUPPORTED without an image tower. */
int vb_clip_encode_images(const vb_clip *clip, const float *pixels, int64_t n, float *out, vb_error *err);

/* tokens: n x context_length; each text is computed up to its end token only (causal attention makes that exact). The end token
 * is the vocabulary's last id, which is what OpenAI's argmax finds; VB_EMISMATCH for a text without it (another model's
 * tokenizer) or with an id outside of the vocabulary. out: n x embed_dim, not normalised. VB_EDATA when an embedding is not
 * finite. */
int vb_clip_encode_texts(const vb_clip *clip, const int32_t *tokens, int64_t n, float *out, vb_error *err);

/* Where CoOp's learned context stands. With S the start token, N the name's tokens, C the context and R the rest (".", end
 * token): end S C N R, middle S C1 N C2 R with C1 the first n_ctx / 2 vectors, front S N C R. */
typedef enum vb_prompt_position { VB_PROMPT_END, VB_PROMPT_MIDDLE, VB_PROMPT_FRONT } vb_prompt_position;

/* Prompts with learned context vectors (CoOp: Zhou et al. 2022, PromptLearner of the official code). The tokens are those of
 * "X X ... X name." with one placeholder token for each of the n_ctx vectors right after the start token; placeholders are
 * replaced by the context, the positional embedding is added after the splice.
 * name_lengths[i]: tokens of the name alone, without the full stop; not read, and may be NULL, for VB_PROMPT_END. */
typedef struct vb_prompt_context {
    const float *vectors; /* n_ctx x width, or n x n_ctx x width when class-specific */
    int n_ctx, width;     /* width of a vector, as its file has it: VB_EMISMATCH when it is not the text tower's */
    bool class_specific;
    vb_prompt_position position;
    const int *name_lengths;
} vb_prompt_context;
/* tokens, out, errors: as vb_clip_encode_texts; VB_EMISMATCH also for a prompt too short for its context and name. */
int vb_clip_encode_prompts(const vb_clip *clip, const int32_t *tokens, const vb_prompt_context *context, int64_t n, float *out,
                           vb_error *err);

/* Bytes of work space that encoding n images or n texts takes: for plans. Bounded: large n are computed in pieces. The GEMM's and
 * the attention's tiles come on top, a few MiB a thread. */
size_t vb_clip_image_workspace(const vb_clip *clip, int64_t n);
size_t vb_clip_text_workspace(const vb_clip *clip, int64_t n);

#endif
