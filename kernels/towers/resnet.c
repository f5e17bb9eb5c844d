/* Source: OpenAI CLIP model.py, ModifiedResNet, Bottleneck and AttentionPool2d. BatchNorms are folded into the convolutions. */
#include "kernels/towers/resnet.h"

#include <math.h>
#include <stdio.h>

#include "kernels/towers/fold.h"

enum { STAGES = 4, EXPANSION = 4 };

/* A convolution without bias and its BatchNorm, folded into a factor and a summand a channel. */
static int bind_conv(vb_binder *binder, vb_convolution *layer, int out, int in, int kernel, const char *conv, const char *norm) {
    *layer = (vb_convolution){.kernel = kernel, .stride = 1, .padding = kernel / 2, .last = VB_RELU};
    if (vb_binder_filter(binder, &layer->weight, out, in, kernel, "visual.%s.weight", conv)) return -1;
    return vb_fold_norm(binder, out, 0, &layer->scale, &layer->bias, "visual.%s", norm);
}

static int emit_stem(vb_binder *binder, int width, int x) {
    const int outs[3] = {width / 2, width / 2, width}, ins[3] = {3, width / 2, width / 2};
    for (int i = 0; i < 3 && x != VB_NO_VALUE; i++) {
        char conv[16], norm[16];
        vb_convolution layer;
        snprintf(conv, sizeof conv, "conv%d", i + 1);
        snprintf(norm, sizeof norm, "bn%d", i + 1);
        if (bind_conv(binder, &layer, outs[i], ins[i], 3, conv, norm)) return VB_NO_VALUE;
        if (!i) layer.stride = 2;
        x = vb_program_conv(binder->program, x, &layer, VB_NO_VALUE, binder->err);
    }
    return vb_program_pool(binder->program, x, &(vb_window){.size = 2, .stride = 2}, binder->err);
}

/* The block's convolutions and the one of its shortcut, the fourth; without data where the block has none. */
static int bind_bottleneck(vb_binder *binder, vb_convolution layers[4], int in, int planes, bool shortcut, const char *block) {
    const int ins[3] = {in, planes, planes}, outs[3] = {planes, planes, EXPANSION * planes}, kernels[3] = {1, 3, 1};
    char conv[VB_NAME / 2], norm[VB_NAME / 2];
    for (int i = 0; i < 3; i++) {
        snprintf(conv, sizeof conv, "%s.conv%d", block, i + 1);
        snprintf(norm, sizeof norm, "%s.bn%d", block, i + 1);
        if (bind_conv(binder, &layers[i], outs[i], ins[i], kernels[i], conv, norm)) return -1;
    }
    layers[3] = (vb_convolution){0};
    if (!shortcut) return 0;
    snprintf(conv, sizeof conv, "%s.downsample.0", block);
    snprintf(norm, sizeof norm, "%s.downsample.1", block);
    if (bind_conv(binder, &layers[3], EXPANSION * planes, in, 1, conv, norm)) return -1;
    layers[3].last = VB_LINEAR;
    return 0;
}

/* relu(x + conv3(relu(conv2(relu(conv1(x)))))), with `window` wide pools before conv3 and in the shortcut unless it is 1. */
static int emit_bottleneck(vb_binder *binder, const vb_convolution layers[4], int window, int x) {
    vb_program *program = binder->program;
    vb_error *err = binder->err;
    const vb_window pool = {.size = window, .stride = window};
    if (vb_program_open_layer(program, err)) return VB_NO_VALUE;
    int inner = vb_program_conv(program, x, &layers[0], VB_NO_VALUE, err);
    inner = vb_program_conv(program, inner, &layers[1], VB_NO_VALUE, err);
    if (window > 1) {
        inner = vb_program_pool(program, inner, &pool, err);
        x = vb_program_pool(program, x, &pool, err);
    }
    if (layers[3].weight.data) x = vb_program_conv(program, x, &layers[3], VB_NO_VALUE, err);
    return x == VB_NO_VALUE ? VB_NO_VALUE : vb_program_conv(program, inner, &layers[2], x, err);
}

static int emit_stages(vb_binder *binder, int layers[STAGES], int width, int x) {
    for (int s = 0; s < STAGES && x != VB_NO_VALUE; s++) {
        layers[s] = 0;
        while (vb_binder_has(binder, "visual.layer%d.%d.conv1.weight", s + 1, layers[s])) layers[s]++;
        if (!layers[s]) {
            vb_errorf(binder->err, VB_EMISMATCH, "tensor visual.layer%d.0.conv1.weight is missing", s + 1);
            return VB_NO_VALUE;
        }
    }
    for (int s = 0, in = width, planes = width; s < STAGES && x != VB_NO_VALUE; s++, planes *= 2)
        for (int i = 0; i < layers[s] && x != VB_NO_VALUE; i++) {
            const int window = s && !i ? 2 : 1;
            vb_convolution convolutions[4];
            char name[VB_NAME / 4];
            snprintf(name, sizeof name, "layer%d.%d", s + 1, i);
            if (bind_bottleneck(binder, convolutions, in, planes, window > 1 || in != EXPANSION * planes, name))
                return VB_NO_VALUE;
            x = emit_bottleneck(binder, convolutions, window, x);
            in = EXPANSION * planes;
        }
    return x;
}

/* Multi-head attention over the mean of the cells and the cells, whose only query is the mean. */
static int emit_pool(vb_binder *binder, int channels, int heads, int x, int *embed) {
    static const char *const prefix = "visual.attnpool";
    vb_program *program = binder->program;
    vb_error *err = binder->err;
    const int head_dim = channels / heads, rows = program->values[x].rows + 1;
    vb_linear query, key, value, projection;
    int shape[2];
    if (vb_binder_shape(binder, 2, shape, "%s.c_proj.weight", prefix)) return VB_NO_VALUE;
    *embed = shape[0];
    const float *positions = vb_binder_floats(binder, rows, channels, "%s.positional_embedding", prefix);
    if (!positions || vb_binder_linear(binder, &query, channels, channels, "%s.q_proj", prefix) ||
        vb_binder_linear(binder, &key, channels, channels, "%s.k_proj", prefix) ||
        vb_binder_linear(binder, &value, channels, channels, "%s.v_proj", prefix) ||
        vb_binder_linear(binder, &projection, *embed, channels, "%s.c_proj", prefix))
        return VB_NO_VALUE;
    const vb_heads attention = {.heads = heads, .head_dim = head_dim, .scale = (float)(1 / sqrt((double)head_dim))};
    const vb_sequence tokens = {.lead = VB_LEAD_MEAN, .row = positions, .positions = positions + channels};
    x = vb_program_sequence(program, x, &tokens, err);
    int operands[VB_OPERANDS], mean = vb_program_pick(program, x, VB_PICK_FIRST, err);
    operands[0] = vb_program_linear(program, mean, &query, VB_LINEAR, VB_NO_VALUE, err);
    operands[1] = vb_program_linear(program, x, &key, VB_LINEAR, VB_NO_VALUE, err);
    operands[2] = vb_program_linear(program, x, &value, VB_LINEAR, VB_NO_VALUE, err);
    x = vb_program_attention(program, operands, &attention, err);
    return vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, err);
}

bool vb_resnet_found(const vb_binder *binder) {
    return vb_binder_has_prefix(binder, "visual.layer1.") || vb_binder_has_prefix(binder, "visual.attnpool.");
}

int vb_resnet_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int *embed) {
    vb_program *program = binder->program;
    int filter[4], grid, *layers = info->image_layers;
    program->name = "ModifiedResNet";
    if (!family->resnets)
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "tensor visual.layer1.0.conv1.weight makes this a ModifiedResNet, which family %s does not have",
                         family->name);
    if (vb_binder_shape(binder, 4, filter, "visual.layer1.0.conv1.weight")) return -1;
    const int width = filter[0], channels = 8 * EXPANSION * width;
    if (width < 2 || width > 1 << 14)
        return vb_errorf(binder->err, VB_EMISMATCH, "tensor visual.layer1.0.conv1.weight has %d rows, expected 2 to %d", width,
                         1 << 14);
    if (vb_binder_grid(binder, 32, 1, &grid, "visual.attnpool.positional_embedding") ||
        vb_binder_heads(binder, &info->image_heads, channels, options->image.heads, channels / 64, "image"))
        return -1;
    info->image_width = width;
    info->resolution = 32 * grid;
    if (options->resolution && options->resolution != info->resolution)
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "a resolution of %d, but tensor visual.attnpool.positional_embedding has rows for %d x %d cells of 32: "
                         "expected %d",
                         options->resolution, grid, grid, info->resolution);
    int x = vb_program_pixels(program, info->resolution, binder->err);
    x = emit_stages(binder, layers, width, emit_stem(binder, width, x));
    if (x == VB_NO_VALUE) return -1;
    snprintf(program->summary, sizeof program->summary, "%d x %d pixels, width %d, layers %d %d %d %d", info->resolution,
             info->resolution, width, layers[0], layers[1], layers[2], layers[3]);
    return vb_program_finish(program, emit_pool(binder, channels, info->image_heads, x, embed), binder->err);
}
