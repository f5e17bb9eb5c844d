/* Folding BatchNorms and branches. Sources: timm 1.0 fastvit.py, MobileOneBlock.reparameterize, _fuse_bn; OpenAI CLIP
 * model.py. */
#include "kernels/towers/fold.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "kernels/base/memory.h"

/* The four vectors of a BatchNorm. */
typedef struct statistics {
    const float *gamma, *beta, *mean, *variance;
} statistics;

static int bind_statistics(vb_binder *binder, int channels, statistics *s, const char *name) {
    s->gamma = vb_binder_floats(binder, channels, 0, "%s.weight", name);
    s->beta = s->gamma ? vb_binder_floats(binder, channels, 0, "%s.bias", name) : NULL;
    s->mean = s->beta ? vb_binder_statistics(binder, channels, "%s.running_mean", name) : NULL;
    s->variance = s->mean ? vb_binder_statistics(binder, channels, "%s.running_var", name) : NULL;
    return s->variance ? 0 : -1;
}

static double factor_of(const statistics *s, double epsilon, int channel) {
    return s->gamma[channel] / sqrt(s->variance[channel] + (epsilon > 0 ? epsilon : 1e-5));
}

int vb_fold_norm(vb_binder *binder, int channels, double epsilon, const float **scale, const float **bias, const char *format,
                 ...) {
    char name[VB_NAME - 16];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    statistics s;
    if (bind_statistics(binder, channels, &s, name)) return -1;
    float *factors = vb_program_memory(binder->program, 2 * (size_t)channels, sizeof *factors, "folded BatchNorm", binder->err);
    if (!factors) return -1;
    float *summands = factors + channels;
    for (int j = 0; j < channels; j++) {
        double factor = factor_of(&s, epsilon, j);
        factors[j] = (float)factor;
        summands[j] = (float)(s.beta[j] - s.mean[j] * factor);
    }
    *scale = factors;
    *bias = summands;
    return 0;
}

int vb_fold_open(vb_fold *fold, int out, int in, int kernel, vb_error *err) {
    *fold = (vb_fold){.out = out, .in = in, .kernel = kernel};
    fold->weight = vb_array((size_t)out * (size_t)in * (size_t)(kernel * kernel), sizeof *fold->weight, "folded filter", err);
    fold->bias = fold->weight ? vb_array((size_t)out, sizeof *fold->bias, "folded bias", err) : NULL;
    return fold->bias ? 0 : -1;
}

void vb_fold_close(vb_fold *fold) {
    vb_free(fold->weight);
    vb_free(fold->bias);
    *fold = (vb_fold){0};
}

static double *at(vb_fold *fold, int out, int in, int row, int column) {
    return fold->weight + (((int64_t)out * fold->in + in) * fold->kernel + row) * fold->kernel + column;
}

int vb_fold_convolution(vb_binder *binder, vb_fold *fold, int kernel, const char *conv, const char *norm) {
    const int spare = fold->kernel - kernel, border = fold->behind ? spare : spare / 2, rows = fold->along_rows ? 1 : kernel,
              top = fold->behind ? spare : (fold->kernel - rows) / 2;
    assert(kernel >= 1 && kernel <= fold->kernel && (fold->behind ? spare <= 1 : spare % 2 == 0));
    vb_matrix matrix = {0};
    statistics s;
    const float *bias = NULL;
    if ((fold->along_rows ? vb_binder_row_filter : vb_binder_filter)(binder, &matrix, fold->out, fold->in, kernel, "%s.weight",
                                                                     conv) ||
        (norm && bind_statistics(binder, fold->out, &s, norm)) ||
        (!norm && !(bias = vb_binder_floats(binder, fold->out, 0, "%s.bias", conv))))
        return -1;
    for (int o = 0; o < fold->out; o++) {
        const double factor = norm ? factor_of(&s, fold->epsilon, o) : 1;
        fold->bias[o] += norm ? s.beta[o] - s.mean[o] * factor : (double)bias[o];
        for (int64_t k = 0; k < matrix.cols; k++) {
            const int tap = (int)(k % (rows * kernel));
            *at(fold, o, (int)(k / (rows * kernel)), top + tap / kernel, border + tap % kernel) +=
                factor * (double)vb_matrix_at(&matrix, o, k);
        }
    }
    return 0;
}

int vb_fold_identity(vb_binder *binder, vb_fold *fold, const char *norm) {
    statistics s;
    const int middle = fold->kernel / 2;
    assert(fold->kernel % 2 && fold->out % fold->in == 0);
    if (norm && bind_statistics(binder, fold->out, &s, norm)) return -1;
    for (int o = 0; o < fold->out; o++) {
        const double factor = norm ? factor_of(&s, fold->epsilon, o) : 1;
        if (norm) fold->bias[o] += s.beta[o] - s.mean[o] * factor;
        *at(fold, o, o % fold->in, middle, middle) += factor;
    }
    return 0;
}

static int64_t count_of(const vb_fold *fold) { return (int64_t)fold->out * fold->in * fold->kernel * fold->kernel; }

void vb_fold_subtract(vb_fold *fold, const vb_fold *other) {
    assert(fold->out == other->out && fold->in == other->in && fold->kernel == other->kernel);
    for (int64_t i = 0; i < count_of(fold); i++) fold->weight[i] -= other->weight[i];
    for (int o = 0; o < fold->out; o++) fold->bias[o] -= other->bias[o];
}

void vb_fold_multiply(vb_fold *fold, const float *factors) {
    const int64_t row = count_of(fold) / fold->out;
    for (int o = 0; o < fold->out; o++) {
        for (int64_t i = 0; i < row; i++) fold->weight[o * row + i] *= (double)factors[o];
        fold->bias[o] *= (double)factors[o];
    }
}

int vb_fold_finish(vb_binder *binder, const vb_fold *fold, const float **weight, const float **bias) {
    const int64_t count = count_of(fold);
    float *copy = vb_program_memory(binder->program, (size_t)(count + fold->out), sizeof *copy, "folded filter", binder->err);
    if (!copy) return -1;
    for (int64_t i = 0; i < count; i++) copy[i] = (float)fold->weight[i];
    for (int o = 0; o < fold->out; o++) copy[count + o] = (float)fold->bias[o];
    *weight = copy;
    *bias = copy + count;
    return 0;
}

int vb_fold_depthwise(vb_binder *binder, vb_channel_filter *filter, int channels, const char *name) {
    vb_fold fold;
    int status = vb_fold_open(&fold, channels * filter->times, 1, filter->kernel, binder->err);
    if (!status) status = vb_fold_convolution(binder, &fold, filter->kernel, name, NULL);
    if (!status) status = vb_fold_finish(binder, &fold, &filter->weight, &filter->bias);
    vb_fold_close(&fold);
    return status;
}

int vb_fold_layer_scale(vb_binder *binder, vb_linear *linear, int width, const char *name) {
    const float *factors = vb_binder_channels(binder, width, "%s", name);
    float *bias = factors ? vb_program_memory(binder->program, (size_t)width, sizeof *bias, "scaled bias", binder->err) : NULL;
    if (!bias) return -1;
    for (int j = 0; j < width; j++) bias[j] = factors[j] * linear->bias[j];
    linear->scale = factors;
    linear->bias = bias;
    return 0;
}

int vb_fold_pointwise(vb_binder *binder, vb_linear *linear, int out, int in, const char *name) {
    *linear = (vb_linear){0};
    if (vb_binder_filter(binder, &linear->weight, out, in, 1, "%s.weight", name)) return -1;
    linear->bias = vb_binder_floats(binder, out, 0, "%s.bias", name);
    return linear->bias ? 0 : -1;
}
