/* An opened model: weights mapped once a node, encoder, tokenizer, and the digests under which its work is cached. */
#ifndef VB_MODEL_H
#define VB_MODEL_H

#include "kernels/gpu/gpu_engine.h"
#include "kernels/towers/clip.h"
#include "kernels/image/preprocess.h"
#include "kernels/text/tokenizer.h"
#include "mpi/ranks/context.h"
#include "mpi/ranks/node_memory.h"
#include "mpi/encode/facts.h"
#include "mpi/encode/precision.h"
#include "mpi/experiment/experiment.h"
#include "shards/weights/weights.h"

typedef struct vb_model {
    const vb_model_spec *spec;
    const vb_family *family;
    vb_weights weights;
    vb_clip *clip;
    vb_gpu_engine *engine;   /* of its towers on the rank's device; NULL: the CPU */
    vb_tokenizer *tokenizer; /* NULL when not asked for */
    vb_map tokenizer_map;    /* of its tables, when they lie in the cache */
    char *tokenizer_path;    /* as stated, or as found beside the weights; NULL when not asked for */
    vb_digest tokenizer_digest;
    vb_facts facts;
    vb_precision precision;
    vb_node_memory kept; /* weights in the kernels' layout (vb_model_expect) */
    char preprocess_text[256];
    vb_digest image_key, text_key; /* of everything but the data that an embedding depends on */
} vb_model;

/* Opens spec's weights (and tokenizer, when `texts`); says which sizes disagree when they do not fit. Encoding with the model
 * ends with VB_EINCOMPLETE, within a layer of a batch, when `context` is asked to stop; it must outlive the model. cache: a
 * folder from which the ranks of a machine map the tokenizer's tables together, or NULL: each has its own. Collective. */
int vb_model_open(vb_model *model, vb_context *context, const vb_model_spec *spec, bool texts, int threads, const char *cache,
                  vb_error *err);
/* What is worth doing once for an opened model that encodes so many images at once: weights in the kernels' layout
 * (vb_clip_fill_kept), which the ranks of a machine make together and share. Collective. */
int vb_model_expect(vb_model *model, vb_context *context, int batch, vb_error *err);
void vb_model_close(vb_model *model);

/* Whether some of the ranks encode for all, those that have a device which others gave back (mpi/base/device_lending.h). The
 * products of bf16 are the processors'. Local. */
bool vb_model_is_lent_to(const vb_model *model, const vb_context *context);
/* Whether this rank encodes, as number *number of *count. Local. */
bool vb_model_encodes(const vb_model *model, const vb_context *context, int *number, int *count);

/* Images that this rank encodes at once: as stated, more on a GPU (vb_device_batch), but of products of bf16, which are the
 * processors'. Local. */
int vb_model_batch(const vb_model *model, const vb_context *context, int batch);

/* The family as stated (an index, or VB_FAMILY_FOUND), or as the tensors' names tell. VB_EUNSUPPORTED: an architecture that is
 * not encoded here, by its name; VB_EMISMATCH: none, or plainly another one than was stated. Local. */
int vb_model_family(const vb_weights *weights, int stated, const vb_family **family, vb_error *err);

/* Call it after the model was used and before anything that it gave is kept: VB_EDATA when its files are not what they were when
 * they were opened; that is then the reason for a failure (`status`) too. Else status. Local. */
int vb_model_check(const vb_model *model, int status, vb_error *err);

/* Tokens of a prompt, on average: a text is computed up to its end token. */
enum { VB_MODEL_PROMPT_TOKENS = 14 };
/* What a model costs: floating-point operations for an image, and for a text of so many tokens. */
typedef struct vb_model_sizes {
    double image_flops, text_flops;
    int embed_dim;
} vb_model_sizes;
/* The sizes of spec's model, from the head of its file: nothing is hashed, no tokenizer read. Local. */
int vb_model_measure(const vb_model_spec *spec, int tokens, vb_model_sizes *sizes, vb_error *err);

#endif
