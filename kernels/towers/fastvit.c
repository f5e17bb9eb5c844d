/* Source: timm 1.0 fastvit.py: MobileOneBlock, ReparamLargeKernelConv, RepMixer, RepConditionalPosEnc, ConvMlp, Attention. */
#include "kernels/towers/fastvit.h"

#include <math.h>
#include <stdio.h>

#include "kernels/towers/fold.h"

enum { HEAD = 32, STEM = 3, MOST_STAGES = 5, NAME = VB_NAME / 2, ALONG_TEXTS = 11 /* the kernel */ };

/* MobileCLIP2-S3 and -S4, unlike those of four stages. */
static const vb_family_pixels of_five_stages = {.mean = {0.48145466f, 0.4578275f, 0.40821073f},
                                                .std = {0.26862954f, 0.26130258f, 0.27577711f},
                                                .bilinear = true};

/* What all steps need. */
typedef struct tower {
    vb_binder *binder;
    vb_program *program;
    vb_error *err;
    vb_activation activation;
    float epsilon; /* of the LayerNorms, which models of five stages have */
    bool texts;    /* not a tower of images, but blocks over the rows of texts */
} tower;

/* One filter that the branches of a block are folded into, and how it is applied. `channels` is the width of its input. */
typedef struct block {
    int channels, kernel, stride;
    bool along_rows; /* the filter is 1 x kernel */
    bool depthwise;  /* each output channel reads one of the input's */
    bool scaled;     /* a branch of 1 x 1 is part of it */
    vb_fold fold;
} block;

/* ---- filters ---- */

/* Begins the filter that NAME.weight says the outputs of. */
static int open_filter(const tower *t, block *b, const char *name) {
    int shape[4];
    if (vb_binder_shape(t->binder, 4, shape, "%s.weight", name)) return -1;
    if (b->depthwise && shape[0] % b->channels)
        return vb_errorf(t->err, VB_EMISMATCH, "tensor %s.weight has %d rows, expected a multiple of the %d channels before it",
                         name, shape[0], b->channels);
    if (vb_fold_open(&b->fold, shape[0], b->depthwise ? 1 : b->channels, b->kernel, t->err)) return -1;
    b->fold.along_rows = b->along_rows;
    return 0;
}

/* The folded form, in which timm publishes models for inference. *found: it is that. */
static int bind_folded(const tower *t, block *b, const char *name, bool *found) {
    char conv[NAME];
    snprintf(conv, sizeof conv, "%s.reparam_conv", name);
    *found = vb_binder_has(t->binder, "%s.weight", conv) || vb_binder_has(t->binder, "%s.bias", conv);
    if (!*found) return 0;
    return open_filter(t, b, conv) || vb_fold_convolution(t->binder, &b->fold, b->kernel, conv, NULL) ? -1 : 0;
}

/* PREFIX.conv with PREFIX.bn behind it. */
static int add_branch(const tower *t, block *b, int kernel, const char *prefix) {
    char conv[NAME], norm[NAME];
    snprintf(conv, sizeof conv, "%s.conv", prefix);
    snprintf(norm, sizeof norm, "%s.bn", prefix);
    return vb_fold_convolution(t->binder, &b->fold, kernel, conv, norm);
}

/* MobileOneBlock: filters side by side, one of 1 x 1, and the input itself where its shape is the output's. */
static int bind_mobileone(const tower *t, block *b, const char *name) {
    char branch[NAME];
    bool folded;
    if (bind_folded(t, b, name, &folded)) return -1;
    if (folded) return 0;
    snprintf(branch, sizeof branch, "%s.conv_kxk.0.conv", name);
    if (open_filter(t, b, branch)) return -1;
    for (int i = 0; !i || vb_binder_has(t->binder, "%s.conv_kxk.%d.conv.weight", name, i); i++) {
        snprintf(branch, sizeof branch, "%s.conv_kxk.%d", name, i);
        if (add_branch(t, b, b->kernel, branch)) return -1;
    }
    snprintf(branch, sizeof branch, "%s.conv_scale", name);
    if (b->scaled && add_branch(t, b, 1, branch)) return -1;
    snprintf(branch, sizeof branch, "%s.identity", name);
    return b->stride == 1 && b->fold.out == b->channels ? vb_fold_identity(t->binder, &b->fold, branch) : 0;
}

/* x through the filter, then the activation. Closes the fold. */
static int emit_filter(const tower *t, block *b, vb_activation activation, int x) {
    const float *weight, *bias;
    const int out = b->fold.out, inputs = b->fold.in * b->kernel * b->kernel;
    int status = vb_fold_finish(t->binder, &b->fold, &weight, &bias);
    vb_fold_close(&b->fold);
    if (status) return VB_NO_VALUE;
    const vb_matrix matrix = {
        .data = weight, .dtype = VB_F32, .rows = out, .cols = inputs, .row_stride = inputs, .col_stride = 1};
    if (b->depthwise) {
        const vb_channel_filter filter = {.weight = weight,
                                          .bias = bias,
                                          .times = out / b->channels,
                                          .kernel = b->kernel,
                                          .stride = b->stride,
                                          .padding = b->kernel / 2,
                                          .last = activation};
        return vb_program_depthwise(t->program, x, &filter, VB_NO_VALUE, t->err);
    }
    if (b->kernel == 1 && b->stride == 1)
        return vb_program_linear(t->program, x, &(vb_linear){.weight = matrix, .bias = bias}, activation, VB_NO_VALUE, t->err);
    const vb_convolution conv = {
        .weight = matrix, .bias = bias, .kernel = b->kernel, .stride = b->stride, .padding = b->kernel / 2, .last = activation};
    return vb_program_conv(t->program, x, &conv, VB_NO_VALUE, t->err);
}

static int emit_mobileone(const tower *t, block b, const char *name, vb_activation activation, int x) {
    if (x != VB_NO_VALUE && !bind_mobileone(t, &b, name)) return emit_filter(t, &b, activation, x);
    vb_fold_close(&b.fold);
    return VB_NO_VALUE;
}

/* ---- parts ---- */

/* activation(x times sigmoid(fc2(relu(fc1(mean of x))))) */
static int emit_excitation(const tower *t, const char *prefix, int x) {
    if (x == VB_NO_VALUE) return VB_NO_VALUE;
    const int channels = t->program->values[x].columns;
    int shape[4];
    char fc1[NAME], fc2[NAME];
    vb_linear reduce, expand;
    snprintf(fc1, sizeof fc1, "%s.se.fc1", prefix);
    snprintf(fc2, sizeof fc2, "%s.se.fc2", prefix);
    if (vb_binder_shape(t->binder, 4, shape, "%s.weight", fc1) ||
        vb_fold_pointwise(t->binder, &reduce, shape[0], channels, fc1) ||
        vb_fold_pointwise(t->binder, &expand, channels, shape[0], fc2))
        return VB_NO_VALUE;
    int gate = vb_program_pool_all(t->program, x, t->err);
    gate = vb_program_linear(t->program, gate, &reduce, VB_RELU, VB_NO_VALUE, t->err);
    gate = vb_program_linear(t->program, gate, &expand, VB_SIGMOID, VB_NO_VALUE, t->err);
    return vb_program_excite(t->program, x, gate, t->activation, t->err);
}

/* x + scale times fc2(activation(fc1(depthwise 7 x 7 of x))), or 1 x 11 along texts. */
static int emit_mlp(const tower *t, const char *prefix, const char *scale, int x) {
    if (x == VB_NO_VALUE) return VB_NO_VALUE;
    const int channels = t->program->values[x].columns;
    block mix = {
        .channels = channels, .kernel = t->texts ? ALONG_TEXTS : 7, .stride = 1, .along_rows = t->texts, .depthwise = true};
    vb_linear expand, contract;
    char name[NAME];
    int hidden[4], inner = VB_NO_VALUE;
    snprintf(name, sizeof name, "%s.mlp.conv", prefix);
    int status = vb_fold_open(&mix.fold, channels, 1, mix.kernel, t->err);
    mix.fold.along_rows = mix.along_rows;
    if (!status && !add_branch(t, &mix, mix.kernel, name)) inner = emit_filter(t, &mix, VB_LINEAR, x);
    vb_fold_close(&mix.fold);
    snprintf(name, sizeof name, "%s.mlp.fc1", prefix);
    if (inner == VB_NO_VALUE || vb_binder_shape(t->binder, 4, hidden, "%s.weight", name) ||
        vb_fold_pointwise(t->binder, &expand, hidden[0], channels, name))
        return VB_NO_VALUE;
    snprintf(name, sizeof name, "%s.mlp.fc2", prefix);
    if (vb_fold_pointwise(t->binder, &contract, channels, hidden[0], name)) return VB_NO_VALUE;
    snprintf(name, sizeof name, "%s.%s.gamma", prefix, scale);
    if (vb_fold_layer_scale(t->binder, &contract, channels, name)) return VB_NO_VALUE;
    inner = vb_program_linear(t->program, inner, &expand, t->activation, VB_NO_VALUE, t->err);
    return vb_program_linear(t->program, inner, &contract, VB_LINEAR, x, t->err);
}

/* RepMixer: x + scale times (mixer(x) - norm(x)), one filter of 3 x 3, or of 1 x 11. */
static int bind_mixer(const tower *t, block *b, const char *mixer) {
    char name[NAME];
    vb_fold norm;
    snprintf(name, sizeof name, "%s.mixer", mixer);
    if (bind_mobileone(t, b, name)) return -1;
    if (b->fold.out != b->channels)
        return vb_errorf(t->err, VB_EMISMATCH, "tensor %s.conv_kxk.0.conv.weight has %d rows, expected %d", name, b->fold.out,
                         b->channels);
    snprintf(name, sizeof name, "%s.norm.identity", mixer);
    int status = vb_fold_open(&norm, b->channels, 1, b->kernel, t->err);
    if (!status) status = vb_fold_identity(t->binder, &norm, name);
    const float *scale = status ? NULL : vb_binder_channels(t->binder, b->channels, "%s.layer_scale.gamma", mixer);
    if (scale) {
        vb_fold_subtract(&b->fold, &norm);
        vb_fold_multiply(&b->fold, scale);
    }
    vb_fold_close(&norm);
    return scale ? vb_fold_identity(t->binder, &b->fold, NULL) : -1;
}

static int emit_mixer(const tower *t, const char *prefix, int x) {
    block b = {.channels = t->program->values[x].columns,
               .kernel = t->texts ? ALONG_TEXTS : 3,
               .stride = 1,
               .along_rows = t->texts,
               .depthwise = true,
               .scaled = !t->texts};
    char name[NAME];
    bool folded;
    snprintf(name, sizeof name, "%s.token_mixer", prefix);
    int status = bind_folded(t, &b, name, &folded);
    if (!status && !folded) status = bind_mixer(t, &b, name);
    if (!status) return emit_filter(t, &b, VB_LINEAR, x);
    vb_fold_close(&b.fold);
    return VB_NO_VALUE;
}

/* Attention's norm: a BatchNorm, which is a filter of 1 x 1, or a LayerNorm of the channels. */
static int emit_norm(const tower *t, const char *prefix, int x) {
    const int channels = t->program->values[x].columns;
    if (vb_binder_has(t->binder, "%s.norm.running_mean", prefix)) {
        vb_channel_filter filter = {.times = 1, .kernel = 1, .stride = 1};
        if (vb_fold_norm(t->binder, channels, 0, &filter.weight, &filter.bias, "%s.norm", prefix)) return VB_NO_VALUE;
        return vb_program_depthwise(t->program, x, &filter, VB_NO_VALUE, t->err);
    }
    vb_norm norm;
    if (vb_binder_norm(t->binder, &norm, channels, t->epsilon, "%s.norm", prefix)) return VB_NO_VALUE;
    return vb_program_norm(t->program, x, &norm, t->err);
}

/* x + scale times attention(norm(x)) */
static int emit_attention(const tower *t, const char *prefix, int x) {
    const int channels = t->program->values[x].columns;
    vb_linear qkv = {0}, out;
    char scale[NAME];
    if (channels % HEAD) {
        vb_errorf(t->err, VB_EMISMATCH, "tensor %s.token_mixer.qkv.weight: width %d does not split into heads of %d", prefix,
                  channels, HEAD);
        return VB_NO_VALUE;
    }
    snprintf(scale, sizeof scale, "%s.layer_scale_1.gamma", prefix);
    int normed = emit_norm(t, prefix, x);
    if (normed == VB_NO_VALUE ||
        vb_binder_matrix(t->binder, &qkv.weight, 3 * (int64_t)channels, channels, false, "%s.token_mixer.qkv.weight", prefix) ||
        vb_binder_linear(t->binder, &out, channels, channels, "%s.token_mixer.proj", prefix) ||
        vb_fold_layer_scale(t->binder, &out, channels, scale))
        return VB_NO_VALUE;
    const vb_heads heads = {.key_column = channels,
                            .value_column = 2 * channels,
                            .heads = channels / HEAD,
                            .head_dim = HEAD,
                            .scale = (float)(1 / sqrt((double)HEAD))};
    const int rows = vb_program_linear(t->program, normed, &qkv, VB_LINEAR, VB_NO_VALUE, t->err);
    const int mixed = vb_program_attention(t->program, (const int[VB_OPERANDS]){rows, rows, rows}, &heads, t->err);
    return vb_program_linear(t->program, mixed, &out, VB_LINEAR, x, t->err);
}

/* ---- the tower ---- */

static int emit_stem(const tower *t, int x) {
    const bool scaled = vb_binder_has_prefix(t->binder, "visual.trunk.stem.0.conv_scale.") ||
                        vb_binder_has_prefix(t->binder, "visual.trunk.stem.1.conv_scale.");
    for (int i = 0; i < STEM && x != VB_NO_VALUE; i++) {
        char name[NAME];
        snprintf(name, sizeof name, "visual.trunk.stem.%d", i);
        const block b = {.channels = t->program->values[x].columns,
                         .kernel = i < 2 ? 3 : 1,
                         .stride = i < 2 ? 2 : 1,
                         .depthwise = i == 1,
                         .scaled = scaled && i < 2};
        x = emit_mobileone(t, b, name, t->activation, x);
    }
    return x;
}

/* A depthwise 7 x 7 with a 3 x 3 beside it, two pixels apart; excitation in some models; a block of 1 x 1. */
static int emit_downsample(const tower *t, const char *stage, int x) {
    block b = {.channels = t->program->values[x].columns, .kernel = 7, .stride = 2, .depthwise = true};
    char name[NAME], branch[NAME];
    bool folded;
    snprintf(name, sizeof name, "%s.downsample.proj.0", stage);
    int status = bind_folded(t, &b, name, &folded);
    if (!status && !folded) {
        snprintf(branch, sizeof branch, "%s.large_conv.conv", name);
        status = open_filter(t, &b, branch);
        snprintf(branch, sizeof branch, "%s.large_conv", name);
        if (!status) status = add_branch(t, &b, b.kernel, branch);
        snprintf(branch, sizeof branch, "%s.small_conv", name);
        if (!status) status = add_branch(t, &b, 3, branch);
    }
    const bool excited = vb_binder_has(t->binder, "%s.se.fc1.weight", name) || vb_binder_has(t->binder, "%s.se.fc2.weight", name);
    x = status ? VB_NO_VALUE : emit_filter(t, &b, excited ? VB_LINEAR : t->activation, x);
    vb_fold_close(&b.fold);
    if (excited) x = emit_excitation(t, name, x);
    if (x == VB_NO_VALUE) return VB_NO_VALUE;
    snprintf(name, sizeof name, "%s.downsample.proj.1", stage);
    return emit_mobileone(t, (block){.channels = t->program->values[x].columns, .kernel = 1, .stride = 1}, name, t->activation,
                          x);
}

/* Positions: x plus a depthwise 7 x 7 of it. */
static int emit_positions(const tower *t, const char *stage, int x) {
    block b = {.channels = t->program->values[x].columns, .kernel = 7, .stride = 1, .depthwise = true};
    char name[NAME];
    bool folded;
    snprintf(name, sizeof name, "%s.pos_emb", stage);
    int status = bind_folded(t, &b, name, &folded);
    if (!status && !folded) {
        snprintf(name, sizeof name, "%s.pos_emb.pos_enc", stage);
        status = vb_fold_open(&b.fold, b.channels, 1, b.kernel, t->err) ||
                 vb_fold_convolution(t->binder, &b.fold, b.kernel, name, NULL) || vb_fold_identity(t->binder, &b.fold, NULL);
    }
    x = status ? VB_NO_VALUE : emit_filter(t, &b, VB_LINEAR, x);
    vb_fold_close(&b.fold);
    return x;
}

static int emit_stage(const tower *t, vb_clip_info *info, int index, int x) {
    char stage[NAME / 2], prefix[NAME / 2];
    int blocks = 0;
    snprintf(stage, sizeof stage, "visual.trunk.stages.%d", index);
    if (index) x = emit_downsample(t, stage, x);
    if (x != VB_NO_VALUE && (vb_binder_has(t->binder, "%s.pos_emb.pos_enc.weight", stage) ||
                             vb_binder_has(t->binder, "%s.pos_emb.reparam_conv.weight", stage)))
        x = emit_positions(t, stage, x);
    for (; x != VB_NO_VALUE; blocks++) {
        snprintf(prefix, sizeof prefix, "%s.blocks.%d", stage, blocks);
        if (blocks && !vb_binder_has(t->binder, "%s.mlp.fc1.weight", prefix)) break;
        const bool attention = vb_binder_has(t->binder, "%s.token_mixer.qkv.weight", prefix);
        if (vb_program_open_layer(t->program, t->err)) return VB_NO_VALUE;
        x = attention ? emit_attention(t, prefix, x) : emit_mixer(t, prefix, x);
        x = emit_mlp(t, prefix, attention ? "layer_scale_2" : "layer_scale", x);
        if (attention && x != VB_NO_VALUE) info->image_heads = t->program->values[x].columns / HEAD;
    }
    info->image_layers[index] = blocks;
    return x;
}

static int emit_head(const tower *t, int x, int *embed) {
    static const char last[] = "visual.trunk.final_conv";
    int shape[2];
    vb_linear head;
    if (x == VB_NO_VALUE) return VB_NO_VALUE;
    const block b = {.channels = t->program->values[x].columns, .kernel = 3, .stride = 1, .depthwise = true, .scaled = true};
    x = emit_mobileone(t, b, last, VB_LINEAR, x);
    x = emit_excitation(t, last, x);
    if (x == VB_NO_VALUE) return VB_NO_VALUE;
    const int width = t->program->values[x].columns;
    if (vb_binder_has(t->binder, "visual.proj")) { /* Apple's names */
        if (vb_binder_projection(t->binder, &head, width, false, embed, "visual.proj")) return VB_NO_VALUE;
    } else {
        if (vb_binder_shape(t->binder, 2, shape, "visual.trunk.head.fc.weight") ||
            vb_binder_linear(t->binder, &head, shape[0], width, "visual.trunk.head.fc"))
            return VB_NO_VALUE;
        *embed = shape[0];
    }
    x = vb_program_pool_all(t->program, x, t->err);
    return vb_program_linear(t->program, x, &head, VB_LINEAR, VB_NO_VALUE, t->err);
}

int vb_fastvit_mix_rows(vb_binder *binder, vb_activation activation, int x, const char *prefix) {
    const tower t = {.binder = binder, .program = binder->program, .err = binder->err, .activation = activation, .texts = true};
    if (x == VB_NO_VALUE || vb_program_open_layer(t.program, t.err)) return VB_NO_VALUE;
    return emit_mlp(&t, prefix, "layer_scale", emit_mixer(&t, prefix, x));
}

int vb_fastvit_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed) {
    vb_program *program = binder->program;
    const vb_tower_facts stated = vb_family_image_facts(family, options);
    const tower t = {
        .binder = binder, .program = program, .err = binder->err, .activation = stated.activation, .epsilon = stated.epsilon};
    int stages = 0;
    program->name = "FastViT";
    info->resolution = options->resolution ? options->resolution : family->resolution;
    info->patch = 4;
    int x = emit_stem(&t, vb_program_pixels(program, info->resolution, binder->err));
    if (x == VB_NO_VALUE) return -1;
    info->image_width = program->values[x].columns;
    char layers[80] = "";
    size_t used = 0;
    for (; x != VB_NO_VALUE && stages < MOST_STAGES; stages++) {
        if (stages && !vb_binder_has(binder, "visual.trunk.stages.%d.blocks.0.mlp.fc1.weight", stages)) break;
        x = emit_stage(&t, info, stages, x);
        used += (size_t)snprintf(layers + used, sizeof layers - used, " %d", info->image_layers[stages]);
    }
    if (stages == MOST_STAGES) {
        info->pixels = &of_five_stages;
        info->image_epsilon = t.epsilon;
    }
    x = emit_head(&t, x, embed);
    if (x == VB_NO_VALUE) return -1;
    snprintf(program->summary, sizeof program->summary, "%d x %d pixels, width %d, layers%s", info->resolution, info->resolution,
             info->image_width, layers);
    return vb_program_finish(program, x, binder->err);
}
