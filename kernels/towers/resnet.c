/* OpenAI's ModifiedResNet: a stem of three convolutions, bottlenecks with average pools instead of strides, an attention pool. */
#include "kernels/towers/binder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/matrix/attention.h"
#include "kernels/base/memory.h"

/* ---- binding ---- */

static int bind_conv(vb_binder *binder, vb_conv_layer *layer, int out, int in, int kernel, int stride, const char *conv,
                     const char *norm) {
    *layer = (vb_conv_layer){.kernel = kernel, .stride = stride, .padding = kernel / 2};
    if (vb_bind_filter(binder, &layer->weight, out, in, kernel, "visual.%s.weight", conv)) return -1;
    const float *gamma = vb_bind_floats(binder, out, 0, "visual.%s.weight", norm);
    const float *beta = gamma ? vb_bind_floats(binder, out, 0, "visual.%s.bias", norm) : NULL;
    const float *mean = beta ? vb_bind_statistics(binder, out, "visual.%s.running_mean", norm) : NULL;
    const float *variance = mean ? vb_bind_statistics(binder, out, "visual.%s.running_var", norm) : NULL;
    float *scale = variance ? vb_bind_memory(binder, (size_t)out, sizeof *scale, "folded BatchNorm") : NULL;
    float *bias = scale ? vb_bind_memory(binder, (size_t)out, sizeof *bias, "folded BatchNorm") : NULL;
    if (!bias) return -1;
    for (int j = 0; j < out; j++) {
        double factor = gamma[j] / sqrt(variance[j] + 1e-5);
        scale[j] = (float)factor;
        bias[j] = (float)(beta[j] - mean[j] * factor);
    }
    layer->scale = scale;
    layer->bias = bias;
    return 0;
}

static int bind_bottleneck(vb_binder *binder, vb_bottleneck *block, int in, int planes, int stride, int layer, int index) {
    char conv[VB_NAME / 2], norm[VB_NAME / 2];
    vb_conv_layer *convs[3] = {&block->conv1, &block->conv2, &block->conv3};
    const int ins[3] = {in, planes, planes}, outs[3] = {planes, planes, 4 * planes}, kernels[3] = {1, 3, 1};
    block->stride = stride;
    for (int i = 0; i < 3; i++) {
        snprintf(conv, sizeof conv, "layer%d.%d.conv%d", layer, index, i + 1);
        snprintf(norm, sizeof norm, "layer%d.%d.bn%d", layer, index, i + 1);
        if (bind_conv(binder, convs[i], outs[i], ins[i], kernels[i], 1, conv, norm)) return -1;
    }
    block->has_shortcut = stride > 1 || in != 4 * planes;
    if (!block->has_shortcut) return 0;
    snprintf(conv, sizeof conv, "layer%d.%d.downsample.0", layer, index);
    snprintf(norm, sizeof norm, "layer%d.%d.downsample.1", layer, index);
    return bind_conv(binder, &block->shortcut, 4 * planes, in, 1, 1, conv, norm);
}

static int bind_blocks(vb_binder *binder, vb_resnet *resnet) {
    int count = 0;
    for (int l = 0; l < 4; l++) {
        while (vb_bind_has(binder, "visual.layer%d.%d.conv1.weight", l + 1, resnet->layers[l])) resnet->layers[l]++;
        if (!resnet->layers[l])
            return vb_errorf(binder->err, VB_EMISMATCH, "tensor visual.layer%d.0.conv1.weight is missing", l + 1);
        count += resnet->layers[l];
    }
    resnet->blocks = vb_bind_memory(binder, (size_t)count, sizeof *resnet->blocks, "residual blocks");
    if (!resnet->blocks) return -1;
    vb_bottleneck *block = resnet->blocks;
    int in = resnet->width, planes = resnet->width;
    for (int l = 0; l < 4; l++, planes *= 2)
        for (int i = 0; i < resnet->layers[l]; i++, block++) {
            if (bind_bottleneck(binder, block, in, planes, l && !i ? 2 : 1, l + 1, i)) return -1;
            in = 4 * planes;
        }
    return 0;
}

static int bind_pool(vb_binder *binder, vb_resnet *resnet, int *embed) {
    static const char *const prefix = "visual.attnpool";
    const int channels = 32 * resnet->width;
    int positions[2], projection[2];
    if (vb_bind_shape(binder, 2, positions, "%s.positional_embedding", prefix) ||
        vb_bind_shape(binder, 2, projection, "%s.c_proj.weight", prefix))
        return -1;
    resnet->grid = (int)lround(sqrt((double)(positions[0] - 1)));
    resnet->resolution = 32 * resnet->grid;
    if (resnet->grid < 1 || resnet->grid * resnet->grid + 1 != positions[0])
        return vb_errorf(binder->err, VB_EMISMATCH, "tensor %s.positional_embedding has %d rows, expected 1 and a square's cells",
                         prefix, positions[0]);
    *embed = projection[0];
    resnet->positions = vb_bind_floats(binder, positions[0], channels, "%s.positional_embedding", prefix);
    return !resnet->positions || vb_bind_linear(binder, &resnet->query, channels, channels, "%s.q_proj", prefix) ||
                   vb_bind_linear(binder, &resnet->key, channels, channels, "%s.k_proj", prefix) ||
                   vb_bind_linear(binder, &resnet->value, channels, channels, "%s.v_proj", prefix) ||
                   vb_bind_linear(binder, &resnet->projection, *embed, channels, "%s.c_proj", prefix) ?
               -1 :
               0;
}

int vb_resnet_bind(vb_binder *binder, vb_resnet *resnet, int *embed) {
    int filter[4];
    if (vb_bind_shape(binder, 4, filter, "visual.layer1.0.conv1.weight")) return -1;
    const int width = filter[0];
    if (width < 2 || width > 1 << 14)
        return vb_errorf(binder->err, VB_EMISMATCH, "tensor visual.layer1.0.conv1.weight has %d rows, expected 2 to %d", width,
                         1 << 14);
    resnet->width = width;
    resnet->watch = &binder->clip->watch;
    if (bind_conv(binder, &resnet->stem[0], width / 2, 3, 3, 2, "conv1", "bn1") ||
        bind_conv(binder, &resnet->stem[1], width / 2, width / 2, 3, 1, "conv2", "bn2") ||
        bind_conv(binder, &resnet->stem[2], width, width / 2, 3, 1, "conv3", "bn3") || bind_blocks(binder, resnet) ||
        bind_pool(binder, resnet, embed))
        return -1;
    return vb_bind_heads(binder, &resnet->heads, 32 * width, binder->options->image_heads, 32 * width / 64, "image");
}

/* ---- forward pass ---- */

/* Four buffers of activations an image. With g the attention pool's grid and w the width, the stem works at (16 g)^2 pixels and
 * the first layer at (8 g)^2 with 4 w channels; everything after them is smaller. */
typedef struct buffers {
    float *x, *y; /* a block's input and output */
    float *a, *b; /* inside of a block */
} buffers;

static size_t cells(const vb_resnet *resnet) { return 64 * (size_t)resnet->grid * (size_t)resnet->grid * (size_t)resnet->width; }

size_t vb_resnet_floats(const vb_resnet *resnet, int64_t n) { return (size_t)n * 14 * cells(resnet); }

static buffers lay_out(const vb_resnet *resnet, int64_t n, float *work) {
    size_t unit = (size_t)n * cells(resnet);
    return (buffers){.x = work, .y = work + 4 * unit, .a = work + 8 * unit, .b = work + 12 * unit};
}

static int run_conv(const vb_conv_layer *layer, const float *in, int64_t n, int size, float *out, const float *residual,
                    bool relu, int threads, vb_error *err) {
    int channels = (int)(layer->weight.cols / (layer->kernel * layer->kernel));
    vb_conv conv = vb_conv_over_nhwc(in, channels, size, size, layer->kernel, layer->stride, layer->padding);
    const vb_epilogue epilogue = {.scale = layer->scale,
                                  .bias = layer->bias,
                                  .residual = residual,
                                  .ld_residual = layer->weight.rows,
                                  .last = relu ? VB_RELU : VB_LINEAR};
    return vb_conv_run(&conv, n, &layer->weight, out, &epilogue, threads, err);
}

static int run_stem(const vb_resnet *resnet, const float *pixels, int64_t n, buffers *to, int threads, vb_error *err) {
    const vb_conv_layer *first = &resnet->stem[0];
    const int half = resnet->resolution / 2;
    vb_conv conv =
        vb_conv_over_nchw(pixels, 3, resnet->resolution, resnet->resolution, first->kernel, first->stride, first->padding);
    const vb_epilogue epilogue = {.scale = first->scale, .bias = first->bias, .activation = VB_RELU};
    if (vb_conv_run(&conv, n, &first->weight, to->a, &epilogue, threads, err) ||
        run_conv(&resnet->stem[1], to->a, n, half, to->b, NULL, true, threads, err) ||
        run_conv(&resnet->stem[2], to->b, n, half, to->a, NULL, true, threads, err))
        return -1;
    vb_conv_average_pool(to->a, n, half, half, resnet->width, 2, to->x, threads);
    return 0;
}

/* x to x; *size is the side of the activations and is halved by a pooling block. */
static int run_bottleneck(const vb_bottleneck *block, int64_t n, int *size, buffers *at, int threads, vb_error *err) {
    const int planes = (int)block->conv1.weight.rows, in = (int)block->conv1.weight.cols;
    float *inner = at->b;
    const float *source = at->x;
    if (run_conv(&block->conv1, at->x, n, *size, at->a, NULL, true, threads, err) ||
        run_conv(&block->conv2, at->a, n, *size, at->b, NULL, true, threads, err))
        return -1;
    if (block->stride > 1) {
        vb_conv_average_pool(at->b, n, *size, *size, planes, block->stride, at->a, threads);
        vb_conv_average_pool(at->x, n, *size, *size, in, block->stride, at->b, threads);
        inner = at->a;
        source = at->b;
        *size /= block->stride;
    }
    if (!block->has_shortcut) return run_conv(&block->conv3, inner, n, *size, at->x, at->x, true, threads, err);
    if (run_conv(&block->shortcut, source, n, *size, at->y, NULL, false, threads, err) ||
        run_conv(&block->conv3, inner, n, *size, at->y, at->y, true, threads, err))
        return -1;
    float *x = at->x;
    at->x = at->y;
    at->y = x;
    return 0;
}

/* The mean of the cells and then the cells, plus positions: x (n x cells x channels) to tokens (n x (1 + cells) x channels). */
static void gather_tokens(const vb_resnet *resnet, const float *x, int64_t n, float *tokens, int threads) {
    const int64_t channels = 32 * (int64_t)resnet->width, count = (int64_t)resnet->grid * resnet->grid;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < n; i++) {
        const float *in = x + i * count * channels, *position = resnet->positions;
        float *mean = tokens + i * (count + 1) * channels, *token = mean + channels;
        memset(mean, 0, (size_t)channels * sizeof *mean);
        for (int64_t cell = 0; cell < count; cell++)
            for (int64_t c = 0; c < channels; c++) mean[c] += in[cell * channels + c];
        for (int64_t c = 0; c < channels; c++) mean[c] = mean[c] / (float)count + position[c];
        for (int64_t c = 0; c < count * channels; c++) token[c] = in[c] + position[channels + c];
    }
}

/* Multi-head attention whose only query is the mean token. */
static int run_pool(const vb_resnet *resnet, int64_t n, const buffers *at, float *out, int threads, vb_error *err) {
    const int64_t channels = 32 * (int64_t)resnet->width, count = (int64_t)resnet->grid * resnet->grid + 1;
    const int head_dim = (int)channels / resnet->heads;
    float *tokens = at->y, *key = at->a, *value = at->b, *query = at->x, *pooled = at->x + n * channels;
    gather_tokens(resnet, at->x, n, tokens, threads);
    if (vb_linear_run(&resnet->query, n, tokens, count * channels, query, channels, VB_LINEAR, NULL, threads, err) ||
        vb_linear_run(&resnet->key, n * count, tokens, channels, key, channels, VB_LINEAR, NULL, threads, err) ||
        vb_linear_run(&resnet->value, n * count, tokens, channels, value, channels, VB_LINEAR, NULL, threads, err))
        return -1;
    int64_t *offsets = vb_array(2 * ((size_t)n + 1), sizeof *offsets, "offsets of the images", err);
    if (!offsets) return -1;
    int64_t *queries = offsets + n + 1;
    for (int64_t i = 0; i <= n; i++) {
        offsets[i] = i * count;
        queries[i] = i;
    }
    const vb_attention_batch batch = {.query = query,
                                      .key = key,
                                      .value = value,
                                      .ld_query = channels,
                                      .ld_key = channels,
                                      .ld_value = channels,
                                      .sequences = n,
                                      .offsets = offsets,
                                      .query_offsets = queries,
                                      .heads = resnet->heads,
                                      .head_dim = head_dim,
                                      .scale = (float)(1 / sqrt((double)head_dim))};
    int status = vb_attention(&batch, pooled, channels, threads, err);
    vb_free(offsets);
    if (status) return -1;
    return vb_linear_run(&resnet->projection, n, pooled, channels, out, resnet->projection.weight.rows, VB_LINEAR, NULL, threads,
                         err);
}

int vb_resnet_run(const vb_resnet *resnet, const float *pixels, int64_t n, float *out, float *work, int threads, vb_error *err) {
    buffers at = lay_out(resnet, n, work);
    if (run_stem(resnet, pixels, n, &at, threads, err)) return -1;
    const vb_bottleneck *block = resnet->blocks;
    int size = resnet->resolution / 4;
    for (int l = 0; l < 4; l++)
        for (int i = 0; i < resnet->layers[l]; i++)
            if (vb_watch_check(resnet->watch, err) || run_bottleneck(block++, n, &size, &at, threads, err)) return -1;
    return run_pool(resnet, n, &at, out, threads, err);
}
