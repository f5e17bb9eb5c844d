/* The inside of a model, shared by the encoder files only: bound weights, their loading, and the towers' forward passes. */
#ifndef VB_BINDER_H
#define VB_BINDER_H

#include "kernels/towers/clip.h"
#include "kernels/matrix/conv.h"

enum {
    VB_NAME = 256,            /* longest tensor name that is put together here */
    VB_WORK_FLOATS = 16 << 20 /* batches go in pieces whose work space stays near this (64 MiB), whatever their size */
};

/* x -> x times weight transposed, plus bias (NULL: none). */
typedef struct vb_linear {
    vb_matrix weight;
    const float *bias;
} vb_linear;

typedef struct vb_norm {
    const float *weight, *bias;
    int width;
    float epsilon;
} vb_norm;

/* A pre-norm residual block. */
typedef struct vb_block {
    vb_norm ln_1, ln_2;
    vb_linear query, key, value; /* three matrices, or views into `fused` */
    vb_linear fused, key_value;  /* all three, and the last two, as one matrix; without data when the file holds them apart */
    vb_linear out, expand, contract;
} vb_block;

typedef struct vb_transformer {
    int width, heads, layers, widest; /* widest: of the blocks' hidden layers */
    bool causal;
    vb_activation activation;
    vb_block *blocks;
    const vb_watch *watch; /* the model's */
} vb_transformer;

typedef struct vb_vit {
    int grid, patch, width, resolution;
    vb_linear patches;
    const float *class_row; /* class embedding plus its position */
    const float *positions; /* (1 + grid * grid) x width */
    bool has_ln_pre;
    vb_norm ln_pre, ln_post;
    vb_transformer transformer;
    vb_linear projection;
} vb_vit;

/* A convolution without bias and its BatchNorm, folded into a factor and a summand a channel. */
typedef struct vb_conv_layer {
    vb_matrix weight;
    int kernel, stride, padding;
    const float *scale, *bias;
} vb_conv_layer;

typedef struct vb_bottleneck {
    vb_conv_layer conv1, conv2, conv3, shortcut;
    int stride; /* of the average pools before conv3 and the shortcut; 1: none */
    bool has_shortcut;
} vb_bottleneck;

typedef struct vb_resnet {
    int width, resolution, heads, layers[4];
    vb_conv_layer stem[3];
    vb_bottleneck *blocks;  /* of all four layers, in order */
    int grid;               /* of the attention pool */
    const float *positions; /* (1 + grid * grid) x 32 width */
    vb_linear query, key, value, projection;
    const vb_watch *watch; /* the model's */
} vb_resnet;

typedef struct vb_text_tower {
    int context_length, vocabulary_size, width;
    vb_matrix embedding;
    const float *positions; /* context_length x width */
    vb_transformer transformer;
    vb_norm ln_final;
    vb_linear projection;
} vb_text_tower;

struct vb_clip {
    vb_clip_info info;
    int threads;
    vb_watch watch;
    vb_vit vit;
    vb_resnet resnet;
    vb_text_tower text;
    void **owned; /* every copied vector and table of blocks */
    size_t owned_count, owned_capacity;
};

/* Whether somebody wants the work to end here: 0, or -1 with the error that says so. */
int vb_watch_check(const vb_watch *watch, vb_error *err);

/* ---- arch.c ---- */

int vb_arch_vit_heads(const vb_family *family, int width);

/* ---- bind.c: tensors by name, checked ----
 *
 * Binding marks a tensor as used. All return 0 or -1 (VB_EMISMATCH naming the tensor), or a null pointer. Names are printf
 * formats. */

typedef struct vb_binder {
    vb_clip *clip;
    const vb_tensor_set *set;
    const vb_clip_options *options;
    bool *used; /* one a tensor */
    vb_error *err;
} vb_binder;

bool vb_bind_has(const vb_binder *binder, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether any tensor's name begins so. */
bool vb_bind_has_prefix(const vb_binder *binder, const char *prefix);
/* The shape of a tensor that must have `ndim` dimensions, each between 1 and 2^24. Does not mark it. */
int vb_bind_shape(const vb_binder *binder, int ndim, int *shape, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A copy as floats, row-major, of a tensor of exactly this shape (columns 0: one dimension). Owned by the model. */
const float *vb_bind_floats(vb_binder *binder, int64_t rows, int64_t columns, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Like vb_bind_floats for running statistics, which are no parameters. */
const float *vb_bind_statistics(vb_binder *binder, int64_t count, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A view of a rows x columns tensor; `transposed` when it is stored as columns x rows. */
int vb_bind_matrix(vb_binder *binder, vb_matrix *matrix, int64_t rows, int64_t columns, bool transposed, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* A view of an out x in x kernel x kernel filter as a matrix of out rows. */
int vb_bind_filter(vb_binder *binder, vb_matrix *matrix, int out, int in, int kernel, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* NAME.weight and NAME.bias. */
int vb_bind_linear(vb_binder *binder, vb_linear *linear, int out, int in, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int vb_bind_norm(vb_binder *binder, vb_norm *norm, int width, float epsilon, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* NAME (width x embed) or NAME.weight (embed x width), without bias. The embedding's width goes to *embed. */
int vb_bind_projection(vb_binder *binder, vb_linear *linear, int width, int *embed, const char *name);
/* Memory that the model owns; zeroed. */
void *vb_bind_memory(vb_binder *binder, size_t count, size_t size, const char *what);
/* The heads for a width: `stated` unless 0, else `usual`. Checked to divide the width. */
int vb_bind_heads(const vb_binder *binder, int *heads, int width, int stated, int usual, const char *tower);
/* Whether an optional tensor is there exactly when the family has it. `what` says in words what the tensor is. */
int vb_bind_family(const vb_binder *binder, bool expected, const char *tensor, const char *what);
/* Every tensor inside of the towers must have been bound by now. */
int vb_bind_check_unused(const vb_binder *binder);

/* ---- transformer.c ---- */

/* Blocks PREFIX.resblocks.0, .1, ... */
int vb_transformer_bind(vb_binder *binder, vb_transformer *transformer, int width, int heads, bool causal,
                        vb_activation activation, float epsilon, const char *prefix);

/* Floats of work space for `rows` rows in all. */
size_t vb_transformer_floats(const vb_transformer *transformer, int64_t rows);

/* x: the rows of n sequences one after the other; sequence i is rows starts[i] .. starts[i+1]-1. Only one row of a sequence is
 * computed to the end, the first one (the last one when causal): for sequence i it lies in row i of x afterwards. */
int vb_transformer_run(const vb_transformer *transformer, float *x, const int64_t *starts, int64_t n, float *work, int threads,
                       vb_error *err);

/* y = x times weight transposed plus bias, then the activation, plus residual (NULL: none; same leading dimension as y). */
int vb_linear_run(const vb_linear *linear, int64_t rows, const float *x, int64_t ldx, float *y, int64_t ldy,
                  vb_activation activation, const float *residual, int threads, vb_error *err);

/* ---- towers: binding; floats of work space for n items; forward pass of n items ---- */

int vb_vit_bind(vb_binder *binder, vb_vit *vit, int *embed);
size_t vb_vit_floats(const vb_vit *vit, int64_t n);
int vb_vit_run(const vb_vit *vit, const float *pixels, int64_t n, float *out, float *work, int threads, vb_error *err);

int vb_resnet_bind(vb_binder *binder, vb_resnet *resnet, int *embed);
size_t vb_resnet_floats(const vb_resnet *resnet, int64_t n);
int vb_resnet_run(const vb_resnet *resnet, const float *pixels, int64_t n, float *out, float *work, int threads, vb_error *err);

int vb_text_bind(vb_binder *binder, vb_text_tower *text, int *embed);
/* `context` NULL: plain texts. Goes in pieces by itself. */
int vb_text_run(const vb_text_tower *text, const int32_t *tokens, const vb_prompt_context *context, int64_t n, float *out,
                int threads, vb_error *err);
size_t vb_text_bytes(const vb_text_tower *text, int64_t n);

#endif
