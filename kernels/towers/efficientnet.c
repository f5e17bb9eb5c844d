/* Source: transformers 5.24 modeling_align.py (AlignVisionModel), configuration_align.py.
 *
 * Tensors tell widths, kernels and numbers of blocks. A stage begins where the width changes, as it does between all stages of
 * the published sizes; which stages halve the picture is EfficientNet's own table. Where a convolution halves, padding at the
 * right and the bottom is one pixel more than at the left and the top: that is a filter of one row and one column more, of
 * zeros, in front. */
#include "kernels/towers/efficientnet.h"

#include <assert.h>
#include <stdio.h>

#include "kernels/matrix/depthwise.h"
#include "kernels/towers/fold.h"

enum { STAGES = 7, NAME = VB_NAME / 2 };
static const int strides[STAGES] = {1, 2, 2, 2, 1, 2, 1};
static const double norm_epsilon = 1e-3;

/* A convolution with the BatchNorm behind it, folded; `inputs` that an output channel reads. `conv` and `norm` are names. */
typedef struct filter {
    int out, inputs, kernel, stride;
    const char *conv, *norm;
    const float *weight, *bias; /* of `kernel` and, where it halves, a row and a column more */
} filter;

static int taps_of(const filter *f) { return f->kernel + (f->stride == 2); }

static int bind_filter(vb_binder *binder, filter *f) {
    vb_fold fold;
    int status = vb_fold_open(&fold, f->out, f->inputs, taps_of(f), binder->err);
    fold.epsilon = norm_epsilon;
    fold.behind = f->stride == 2;
    if (!status) status = vb_fold_convolution(binder, &fold, f->kernel, f->conv, f->norm);
    if (!status) status = vb_fold_finish(binder, &fold, &f->weight, &f->bias);
    vb_fold_close(&fold);
    return status;
}

static int emit_stem(vb_binder *binder, int x) {
    int shape[4];
    filter f = {.inputs = 3, .kernel = 3, .stride = 2, .conv = "visual.stem.conv", .norm = "visual.stem.norm"};
    if (vb_binder_shape(binder, 4, shape, "visual.stem.conv.weight")) return VB_NO_VALUE;
    f.out = shape[0];
    if (bind_filter(binder, &f)) return VB_NO_VALUE;
    const int columns = f.inputs * taps_of(&f) * taps_of(&f);
    const vb_convolution conv = {
        .weight = {.data = f.weight, .dtype = VB_F32, .rows = f.out, .cols = columns, .row_stride = columns, .col_stride = 1},
        .bias = f.bias,
        .kernel = taps_of(&f),
        .stride = f.stride,
        .padding = f.kernel / 2,
        .last = VB_SILU};
    return vb_program_conv(binder->program, x, &conv, VB_NO_VALUE, binder->err);
}

static int emit_depthwise(vb_binder *binder, const char *block, int stride, int x) {
    if (x == VB_NO_VALUE) return VB_NO_VALUE;
    int shape[4];
    char conv[NAME], norm[NAME];
    snprintf(conv, sizeof conv, "%s.depthwise_conv.depthwise_conv", block);
    snprintf(norm, sizeof norm, "%s.depthwise_conv.depthwise_norm", block);
    if (vb_binder_shape(binder, 4, shape, "%s.weight", conv)) return VB_NO_VALUE;
    filter f = {
        .out = binder->program->values[x].columns, .inputs = 1, .kernel = shape[3], .stride = stride, .conv = conv, .norm = norm};
    if (f.kernel % 2 == 0 || taps_of(&f) > VB_DEPTHWISE_KERNEL) {
        vb_errorf(binder->err, VB_EMISMATCH, "tensor %s.weight has a filter of side %d, expected an odd one below %d", conv,
                  f.kernel, VB_DEPTHWISE_KERNEL);
        return VB_NO_VALUE;
    }
    if (bind_filter(binder, &f)) return VB_NO_VALUE;
    const vb_channel_filter step = {.weight = f.weight,
                                    .bias = f.bias,
                                    .times = 1,
                                    .kernel = taps_of(&f),
                                    .stride = stride,
                                    .padding = f.kernel / 2,
                                    .last = VB_SILU};
    return vb_program_depthwise(binder->program, x, &step, VB_NO_VALUE, binder->err);
}

/* A convolution of 1 x 1 with its BatchNorm: the matrix stays where it lies. */
static int emit_pointwise(vb_binder *binder, const char *block, const char *conv, const char *norm, vb_activation activation,
                          const int operands[2]) {
    const int x = operands[0], residual = operands[1];
    int shape[4];
    vb_linear linear = {0};
    if (x == VB_NO_VALUE || vb_binder_shape(binder, 4, shape, "%s.%s.weight", block, conv) ||
        vb_binder_filter(binder, &linear.weight, shape[0], binder->program->values[x].columns, 1, "%s.%s.weight", block, conv) ||
        vb_fold_norm(binder, shape[0], norm_epsilon, &linear.scale, &linear.bias, "%s.%s", block, norm))
        return VB_NO_VALUE;
    /* emit_blocks: another width begins a stage, and nothing is added there */
    assert(residual == VB_NO_VALUE || binder->program->values[residual].columns == shape[0]);
    return vb_program_linear(binder->program, x, &linear, activation, residual, binder->err);
}

/* x times sigmoid(expand(silu(reduce(mean of x)))) */
static int emit_excitation(vb_binder *binder, const char *block, int x) {
    if (x == VB_NO_VALUE) return VB_NO_VALUE;
    vb_program *program = binder->program;
    const int channels = program->values[x].columns;
    int shape[4];
    char reduce_name[NAME], expand_name[NAME];
    vb_linear reduce, expand;
    snprintf(reduce_name, sizeof reduce_name, "%s.squeeze_excite.reduce", block);
    snprintf(expand_name, sizeof expand_name, "%s.squeeze_excite.expand", block);
    if (vb_binder_shape(binder, 4, shape, "%s.weight", reduce_name) ||
        vb_fold_pointwise(binder, &reduce, shape[0], channels, reduce_name) ||
        vb_fold_pointwise(binder, &expand, channels, shape[0], expand_name))
        return VB_NO_VALUE;
    int gate = vb_program_pool_all(program, x, binder->err);
    gate = vb_program_linear(program, gate, &reduce, VB_SILU, VB_NO_VALUE, binder->err);
    gate = vb_program_linear(program, gate, &expand, VB_SIGMOID, VB_NO_VALUE, binder->err);
    return vb_program_excite(program, x, gate, VB_LINEAR, binder->err);
}

/* stride 0: not the first of its stage, so that x is added. */
static int emit_block(vb_binder *binder, const char *block, int stride, int x) {
    if (vb_program_open_layer(binder->program, binder->err)) return VB_NO_VALUE;
    int inner = x;
    if (vb_binder_has(binder, "%s.expansion.expand_conv.weight", block))
        inner =
            emit_pointwise(binder, block, "expansion.expand_conv", "expansion.expand_bn", VB_SILU, (const int[]){x, VB_NO_VALUE});
    inner = emit_depthwise(binder, block, stride ? stride : 1, inner);
    inner = emit_excitation(binder, block, inner);
    return emit_pointwise(binder, block, "projection.project_conv", "projection.project_bn", VB_LINEAR,
                          (const int[]){inner, stride ? VB_NO_VALUE : x});
}

/* All blocks; *stages: how many stages they are. */
static int emit_blocks(vb_binder *binder, int x, int *blocks, int *stages) {
    for (*blocks = *stages = 0; x != VB_NO_VALUE; ++*blocks) {
        int shape[4];
        char block[NAME / 2];
        snprintf(block, sizeof block, "visual.blocks.%d", *blocks);
        if (*blocks && !vb_binder_has(binder, "%s.projection.project_conv.weight", block)) break;
        if (vb_binder_shape(binder, 4, shape, "%s.projection.project_conv.weight", block)) return VB_NO_VALUE;
        const bool begins = !*blocks || shape[0] != binder->program->values[x].columns;
        *stages += begins;
        if (*stages > STAGES) break;
        x = emit_block(binder, block, begins ? strides[*stages - 1] : 0, x);
    }
    if (x == VB_NO_VALUE || *stages == STAGES) return x;
    vb_errorf(binder->err, VB_EMISMATCH,
              "the widths of visual.blocks.* change %s times than those of an EfficientNet's %d stages",
              *stages > STAGES ? "more" : "fewer", STAGES);
    return VB_NO_VALUE;
}

int vb_efficientnet_emit(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                         int *embed) {
    vb_program *program = binder->program;
    int stages;
    program->name = "EfficientNet";
    info->resolution = options->resolution ? options->resolution : family->resolution;
    info->patch = 2;
    info->image_gated = true; /* SiLU, whatever is stated */
    int x = emit_stem(binder, vb_program_pixels(program, info->resolution, binder->err));
    if (x == VB_NO_VALUE) return -1;
    info->image_width = program->values[x].columns;
    x = emit_blocks(binder, x, &info->image_layers[0], &stages);
    if (x == VB_NO_VALUE) return -1;
    *embed = program->values[x].columns;
    snprintf(program->summary, sizeof program->summary, "%d x %d pixels, width %d, %d blocks in %d stages", info->resolution,
             info->resolution, info->image_width, info->image_layers[0], stages);
    return vb_program_finish(program, vb_program_pool_all(program, x, binder->err), binder->err);
}
