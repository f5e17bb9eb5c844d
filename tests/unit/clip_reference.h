/* For tests: small CLIP models with random weights, and their forward pass written straight from the definition, in double, one
 * value at a time: NCHW, whole contexts, explicit masks, BatchNorm as published. Shares nothing with the encoders but the tensor
 * accessor. */
#ifndef VB_CLIP_REFERENCE_H
#define VB_CLIP_REFERENCE_H

#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/towers/clip.h"

/* ---- models ---- */

enum { REF_TENSORS = 400 };

typedef struct ref_model {
    vb_tensor_set set;
    vb_named_tensor items[REF_TENSORS];
    char names[REF_TENSORS][80];
    uint64_t random;
    vb_dtype dtypes[3]; /* used in turn */
    bool scattered;     /* matrices stored transposed, vectors with gaps */
    bool hollow;        /* all elements are one zero: for sizes alone, of models too large to fill */
    bool uniform;       /* values are ref_uniform's, as whoever computed expected numbers elsewhere can make them again */
} ref_model;

static inline double ref_random(uint64_t *state) { /* about normal: the sum of twelve uniforms */
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += (double)(random_next64(state) >> 40) / 16777216.0;
    return sum;
}

static inline double ref_uniform(uint64_t *state) { /* from -1/2 to below 1/2, exact in fp32 */
    return (double)(random_next64(state) >> 40) / (1 << 24) - 0.5;
}

static inline void ref_store(void *data, vb_dtype dtype, int64_t at, double value) {
    float f = (float)value;
    uint32_t bits;
    memcpy(&bits, &f, 4);
    if (dtype == VB_F32) ((float *)data)[at] = f;
    if (dtype == VB_F16) ((uint16_t *)data)[at] = vb_dtype_float_to_half(f);
    if (dtype == VB_BF16) ((uint16_t *)data)[at] = (uint16_t)(bits >> 16);
}

/* Values centre + spread * normal, or uniform. Keeps the set sorted. */
static inline void ref_add(ref_model *m, const char *name, double centre, double spread, int ndim, const int64_t *shape) {
    vb_error err = {0};
    size_t at = m->set.count;
    assert_true(at < REF_TENSORS);
    strcpy(m->names[at], name);
    vb_tensor t = {.dtype = m->dtypes[at % 3], .ndim = ndim};
    for (int i = 0; i < ndim; i++) t.shape[i] = shape[i];
    vb_tensor_pack_strides(&t);
    int64_t count = m->hollow ? 1 : vb_tensor_count(&t), gap = 1;
    for (int i = 0; m->hollow && i < ndim; i++) t.stride[i] = 0;
    if (m->scattered && ndim == 1) t.stride[0] = gap = 3;
    if (m->scattered && ndim == 2) {
        t.stride[0] = 1;
        t.stride[1] = shape[0];
    }
    if (m->scattered && ndim == 4) { /* channels last */
        const int64_t order[4] = {shape[1] * shape[2] * shape[3], 1, shape[1] * shape[3], shape[1]};
        memcpy(t.stride, order, sizeof order);
    }
    void *data = vb_array((size_t)(count * gap), vb_dtype_size(t.dtype), name, &err);
    assert_non_null(data);
    for (int64_t i = 0; i < count * gap; i++)
        ref_store(data, t.dtype, i, centre + spread * (m->uniform ? ref_uniform : ref_random)(&m->random));
    t.data = data;
    for (; at && strcmp(m->items[at - 1].name, name) > 0; at--) m->items[at] = m->items[at - 1];
    m->items[at] = (vb_named_tensor){m->names[m->set.count], t};
    m->set.items = m->items;
    m->set.count++;
}

#define REF_SHAPE(...)                                                                                                           \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / 8), (int64_t[]) { __VA_ARGS__ }

static inline void ref_addf(ref_model *m, double centre, double spread, int ndim, const int64_t *shape, const char *format, ...) {
    char name[80];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    ref_add(m, name, centre, spread, ndim, shape);
}

static inline void ref_add_linear(ref_model *m, const char *name, int64_t out, int64_t in) {
    ref_addf(m, 0, 1 / sqrt((double)in), REF_SHAPE(out, in), "%s.weight", name);
    ref_addf(m, 0, 0.1, REF_SHAPE(out), "%s.bias", name);
}

static inline void ref_add_norm(ref_model *m, const char *name, int64_t width) {
    ref_addf(m, 1, 0.2, REF_SHAPE(width), "%s.weight", name);
    ref_addf(m, 0, 0.1, REF_SHAPE(width), "%s.bias", name);
}

static inline void ref_add_blocks(ref_model *m, const char *prefix, int64_t width, int layers, int64_t hidden, bool separate) {
    for (int i = 0; i < layers; i++) {
        char name[80], part[80];
        snprintf(name, sizeof name, "%s.resblocks.%d", prefix, i);
#define PART(suffix) (snprintf(part, sizeof part, "%.60s" suffix, name), part)
        ref_add_norm(m, PART(".ln_1"), width);
        ref_add_norm(m, PART(".ln_2"), width);
        if (separate) {
            ref_add_linear(m, PART(".attn.q_proj"), width, width);
            ref_add_linear(m, PART(".attn.k_proj"), width, width);
            ref_add_linear(m, PART(".attn.v_proj"), width, width);
        } else {
            ref_add(m, PART(".attn.in_proj_weight"), 0, 1 / sqrt((double)width), REF_SHAPE(3 * width, width));
            ref_add(m, PART(".attn.in_proj_bias"), 0, 0.1, REF_SHAPE(3 * width));
        }
        ref_add_linear(m, PART(".attn.out_proj"), width, width);
        ref_add_linear(m, PART(".mlp.c_fc"), hidden, width);
        ref_add_linear(m, PART(".mlp.c_proj"), width, hidden);
#undef PART
    }
}

static inline void ref_add_projection(ref_model *m, const char *name, int64_t width, int64_t embed, bool as_linear) {
    if (as_linear) ref_addf(m, 0, 1 / sqrt((double)width), REF_SHAPE(embed, width), "%s.weight", name);
    else ref_add(m, name, 0, 1 / sqrt((double)width), REF_SHAPE(width, embed));
}

typedef struct ref_sizes {
    const char *family;
    bool resnet, hugging_face; /* hugging_face: queries, keys and values apart, projections as linear layers */
    int width, layers[4], grid, patch, hidden, embed;
    int context, vocabulary, text_width, text_layers, text_hidden;
} ref_sizes;

static inline void ref_add_conv(ref_model *m, const char *conv, const char *norm, int64_t out, int64_t in, int64_t kernel) {
    ref_addf(m, 0, sqrt(2.0 / (double)(in * kernel * kernel)), REF_SHAPE(out, in, kernel, kernel), "visual.%s.weight", conv);
    ref_addf(m, 1, 0.2, REF_SHAPE(out), "visual.%s.weight", norm);
    ref_addf(m, 0, 0.1, REF_SHAPE(out), "visual.%s.bias", norm);
    ref_addf(m, 0, 0.1, REF_SHAPE(out), "visual.%s.running_mean", norm);
    ref_addf(m, 2, 0.1, REF_SHAPE(out), "visual.%s.running_var", norm);
}

static inline void ref_make(ref_model *m, const ref_sizes *s) {
    const int64_t w = s->width, cells = (int64_t)s->grid * s->grid + 1;
    if (s->resnet) {
        ref_add_conv(m, "conv1", "bn1", w / 2, 3, 3);
        ref_add_conv(m, "conv2", "bn2", w / 2, w / 2, 3);
        ref_add_conv(m, "conv3", "bn3", w, w / 2, 3);
        int64_t in = w;
        for (int l = 0; l < 4; l++)
            for (int i = 0; i < s->layers[l]; i++) {
                const int64_t planes = w << l;
                char conv[40], norm[40];
#define LAYER(c, n) (snprintf(conv, 40, "layer%d.%d." c, l + 1, i), snprintf(norm, 40, "layer%d.%d." n, l + 1, i))
                LAYER("conv1", "bn1"), ref_add_conv(m, conv, norm, planes, in, 1);
                LAYER("conv2", "bn2"), ref_add_conv(m, conv, norm, planes, planes, 3);
                LAYER("conv3", "bn3"), ref_add_conv(m, conv, norm, 4 * planes, planes, 1);
                if (!i) LAYER("downsample.0", "downsample.1"), ref_add_conv(m, conv, norm, 4 * planes, in, 1);
#undef LAYER
                in = 4 * planes;
            }
        ref_add(m, "visual.attnpool.positional_embedding", 0, 0.1, REF_SHAPE(cells, 32 * w));
        ref_add_linear(m, "visual.attnpool.q_proj", 32 * w, 32 * w);
        ref_add_linear(m, "visual.attnpool.k_proj", 32 * w, 32 * w);
        ref_add_linear(m, "visual.attnpool.v_proj", 32 * w, 32 * w);
        ref_add_linear(m, "visual.attnpool.c_proj", s->embed, 32 * w);
    } else if (w) {
        const bool slip = !strcmp(s->family, "slip");
        ref_add(m, "visual.conv1.weight", 0, 1 / sqrt(3.0 * s->patch * s->patch), REF_SHAPE(w, 3, s->patch, s->patch));
        if (slip) ref_add(m, "visual.conv1.bias", 0, 0.3, REF_SHAPE(w));
        else ref_add_norm(m, "visual.ln_pre", w);
        ref_add(m, "visual.class_embedding", 0, 0.5, REF_SHAPE(w));
        ref_add(m, "visual.positional_embedding", 0, 0.3, REF_SHAPE(cells, w));
        ref_add_blocks(m, "visual.transformer", w, s->layers[0], s->hidden, s->hugging_face);
        ref_add_norm(m, "visual.ln_post", w);
        ref_add_projection(m, "visual.proj", w, s->embed, s->hugging_face);
    }
    if (s->text_width) {
        const bool declip = !strcmp(s->family, "declip");
        ref_add(m, "token_embedding.weight", 0, 0.5, REF_SHAPE(s->vocabulary, s->text_width));
        ref_add(m, "positional_embedding", 0, 0.3, REF_SHAPE(s->context, s->text_width));
        ref_add_blocks(m, "transformer", s->text_width, s->text_layers, s->text_hidden, s->hugging_face);
        ref_add_norm(m, "ln_final", s->text_width);
        ref_add_projection(m, "text_projection", s->text_width, s->embed, s->hugging_face || declip);
        if (declip) ref_add(m, "text_projection.bias", 0, 0.3, REF_SHAPE(s->embed));
    }
    ref_add(m, "logit_scale", 2.5, 0, 0, NULL);
}

static inline void ref_free(ref_model *m) {
    for (size_t i = 0; i < m->set.count; i++) vb_free((void *)(uintptr_t)m->items[i].tensor.data);
    m->set.count = 0;
}

static inline vb_tensor *ref_find(ref_model *m, const char *name) {
    for (size_t i = 0; i < m->set.count; i++)
        if (!strcmp(m->items[i].name, name)) return &m->items[i].tensor;
    fail_msg("the test asks for tensor %s", name);
    return NULL;
}

/* ---- forward pass ---- */

typedef struct ref_ctx {
    ref_model *model;
    const ref_sizes *sizes;
    int heads, exact_gelu; /* exact_gelu: -1 as the family has it */
} ref_ctx;

static inline double *ref_zeros(int64_t count) {
    double *x = calloc((size_t)count, sizeof *x);
    assert_non_null(x);
    return x;
}

static inline bool ref_has(ref_model *m, const char *name) { return vb_tensor_find(&m->set, name); }

/* All values of a tensor in row-major order. Free with free. */
static inline double *ref_values(ref_model *m, const char *format, ...) {
    char name[120];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const vb_tensor *t = ref_find(m, name);
    double *values = ref_zeros(vb_tensor_count(t));
    for (int64_t i = 0; i < vb_tensor_count(t); i++) values[i] = vb_tensor_at(t, i);
    return values;
}

/* rows x in -> rows x out, the weight out x in, or in x out when transposed. */
static inline double *ref_matmul(const double *x, int rows, int in, int out, const double *weight, const double *bias,
                                 bool transposed) {
    double *y = ref_zeros((int64_t)rows * out);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < out; j++) {
            double sum = bias ? bias[j] : 0;
            for (int k = 0; k < in; k++) sum += x[i * in + k] * (transposed ? weight[k * out + j] : weight[j * in + k]);
            y[i * out + j] = sum;
        }
    return y;
}

static inline double *ref_linear(ref_model *m, const char *name, const double *x, int rows, int in, int out) {
    double *weight = ref_values(m, "%s.weight", name), *bias = ref_values(m, "%s.bias", name);
    double *y = ref_matmul(x, rows, in, out, weight, bias, false);
    free(weight);
    free(bias);
    return y;
}

static inline void ref_norm(ref_model *m, const char *name, double *x, int rows, int width, double epsilon) {
    double *weight = ref_values(m, "%s.weight", name), *bias = ref_values(m, "%s.bias", name);
    for (int i = 0; i < rows; i++) {
        double mean = 0, variance = 0, *row = x + i * width;
        for (int j = 0; j < width; j++) mean += row[j] / width;
        for (int j = 0; j < width; j++) variance += (row[j] - mean) * (row[j] - mean) / width;
        for (int j = 0; j < width; j++) row[j] = (row[j] - mean) / sqrt(variance + epsilon) * weight[j] + bias[j];
    }
    free(weight);
    free(bias);
}

/* q: nq x width, k and v: nk x width -> nq x width. */
static inline double *ref_attend(const double *q, const double *k, const double *v, int nq, int nk, int width, int heads,
                                 bool causal) {
    double *out = ref_zeros((int64_t)nq * width), *p = ref_zeros(nk);
    const int dim = width / heads;
    for (int h = 0; h < heads; h++)
        for (int i = 0; i < nq; i++) {
            double largest = -INFINITY, sum = 0;
            for (int j = 0; j < nk; j++) {
                p[j] = 0;
                for (int d = 0; d < dim; d++) p[j] += q[i * width + h * dim + d] * k[j * width + h * dim + d] / sqrt(dim);
                if (causal && j > i) p[j] = -INFINITY;
                if (p[j] > largest) largest = p[j];
            }
            for (int j = 0; j < nk; j++) sum += p[j] = exp(p[j] - largest);
            for (int j = 0; j < nk; j++)
                for (int d = 0; d < dim; d++) out[i * width + h * dim + d] += p[j] / sum * v[j * width + h * dim + d];
        }
    free(p);
    return out;
}

/* In place. */
static inline void ref_blocks(ref_model *m, const char *prefix, double *x, int rows, int width, int heads, int layers, int hidden,
                              bool causal, bool exact, double epsilon) {
    for (int l = 0; l < layers; l++) {
        char name[80], part[100];
        snprintf(name, sizeof name, "%s.resblocks.%d", prefix, l);
#define PART(suffix) (snprintf(part, sizeof part, "%s" suffix, name), part)
        double *h = ref_zeros((int64_t)rows * width), *qkv[3];
        memcpy(h, x, (size_t)(rows * width) * sizeof *h);
        ref_norm(m, PART(".ln_1"), h, rows, width, epsilon);
        if (ref_has(m, PART(".attn.in_proj_weight"))) {
            double *weight = ref_values(m, "%s.attn.in_proj_weight", name), *bias = ref_values(m, "%s.attn.in_proj_bias", name);
            for (int i = 0; i < 3; i++)
                qkv[i] = ref_matmul(h, rows, width, width, weight + i * width * width, bias + i * width, false);
            free(weight);
            free(bias);
        } else {
            qkv[0] = ref_linear(m, PART(".attn.q_proj"), h, rows, width, width);
            qkv[1] = ref_linear(m, PART(".attn.k_proj"), h, rows, width, width);
            qkv[2] = ref_linear(m, PART(".attn.v_proj"), h, rows, width, width);
        }
        free(h);
        double *attended = ref_attend(qkv[0], qkv[1], qkv[2], rows, rows, width, heads, causal);
        for (int i = 0; i < 3; i++) free(qkv[i]);
        double *out = ref_linear(m, PART(".attn.out_proj"), attended, rows, width, width);
        for (int i = 0; i < rows * width; i++) attended[i] = x[i] += out[i];
        free(out);
        ref_norm(m, PART(".ln_2"), attended, rows, width, epsilon);
        double *wide = ref_linear(m, PART(".mlp.c_fc"), attended, rows, width, hidden);
        free(attended);
        for (int i = 0; i < rows * hidden; i++)
            wide[i] = exact ? wide[i] * 0.5 * (1 + erf(wide[i] / sqrt(2))) : wide[i] / (1 + exp(-1.702 * wide[i]));
        out = ref_linear(m, PART(".mlp.c_proj"), wide, rows, hidden, width);
        for (int i = 0; i < rows * width; i++) x[i] += out[i];
        free(out);
        free(wide);
#undef PART
    }
}

static inline void ref_project(ref_model *m, const char *name, const double *x, int width, int embed, double *out) {
    bool as_linear = !ref_has(m, name);
    char with_bias[80];
    snprintf(with_bias, sizeof with_bias, "%s.bias", name);
    double *weight = ref_values(m, as_linear ? "%s.weight" : "%s", name);
    double *bias = ref_has(m, with_bias) ? ref_values(m, "%s", with_bias) : NULL;
    double *y = ref_matmul(x, 1, width, embed, weight, bias, !as_linear);
    memcpy(out, y, (size_t)embed * sizeof *out);
    free(y);
    free(weight);
    free(bias);
}

static inline void ref_vit(const ref_ctx *c, const float *pixels, double *out) {
    const ref_sizes *s = c->sizes;
    const int w = s->width, p = s->patch, side = s->grid * p, rows = s->grid * s->grid + 1;
    const bool slip = !strcmp(s->family, "slip");
    double *x = ref_values(c->model, "visual.positional_embedding"), *weight = ref_values(c->model, "visual.conv1.weight");
    double *class_token = ref_values(c->model, "visual.class_embedding"),
           *bias = slip ? ref_values(c->model, "visual.conv1.bias") : NULL;
    for (int j = 0; j < w; j++) {
        x[j] += class_token[j];
        for (int cell = 0; cell < rows - 1; cell++)
            for (int ch = 0; ch < 3; ch++)
                for (int dy = 0; dy < p; dy++)
                    for (int dx = 0; dx < p; dx++)
                        x[(1 + cell) * w + j] += weight[((j * 3 + ch) * p + dy) * p + dx] *
                                                 pixels[(ch * side + cell / s->grid * p + dy) * side + cell % s->grid * p + dx];
        for (int cell = 1; bias && cell < rows; cell++) x[cell * w + j] += bias[j];
    }
    const double epsilon = slip ? 1e-6 : 1e-5;
    if (!slip) ref_norm(c->model, "visual.ln_pre", x, rows, w, epsilon);
    ref_blocks(c->model, "visual.transformer", x, rows, w, c->heads, s->layers[0], s->hidden, false,
               c->exact_gelu < 0 ? slip : c->exact_gelu, epsilon);
    ref_norm(c->model, "visual.ln_post", x, 1, w, epsilon);
    ref_project(c->model, "visual.proj", x, w, s->embed, out);
    free(x);
    free(weight);
    free(class_token);
    free(bias);
}

/* embeddings: context x text_width, without positions; `end`: position of the end token. Computes the whole context. */
static inline void ref_text_rows(const ref_ctx *c, const double *embeddings, int end, double *out) {
    const ref_sizes *s = c->sizes;
    double *x = ref_values(c->model, "positional_embedding");
    for (int i = 0; i < s->context * s->text_width; i++) x[i] += embeddings[i];
    ref_blocks(c->model, "transformer", x, s->context, s->text_width, c->heads, s->text_layers, s->text_hidden, true,
               c->exact_gelu < 0 ? 0 : c->exact_gelu, 1e-5);
    ref_norm(c->model, "ln_final", x, s->context, s->text_width, 1e-5);
    ref_project(c->model, "text_projection", x + end * s->text_width, s->text_width, s->embed, out);
    free(x);
}

static inline double *ref_token_rows(const ref_ctx *c, const int32_t *tokens) {
    const ref_sizes *s = c->sizes;
    double *table = ref_values(c->model, "token_embedding.weight"), *rows = ref_zeros((int64_t)s->context * s->text_width);
    for (int i = 0; i < s->context; i++)
        memcpy(rows + i * s->text_width, table + tokens[i] * s->text_width, (size_t)s->text_width * 8);
    free(table);
    return rows;
}

static inline void ref_text(const ref_ctx *c, const int32_t *tokens, double *out) {
    double *rows = ref_token_rows(c, tokens);
    int end = 0;
    for (int i = 1; i < c->sizes->context; i++)
        if (tokens[i] > tokens[end]) end = i;
    ref_text_rows(c, rows, end, out);
    free(rows);
}

/* Convolution, BatchNorm, ReLU on one NCHW image; frees x. */
static inline double *ref_conv(ref_model *m, const char *conv, const char *norm, double *x, int in, int *size, int out,
                               int kernel, int stride, bool relu) {
    double *weight = ref_values(m, "visual.%s.weight", conv), *gamma = ref_values(m, "visual.%s.weight", norm);
    double *beta = ref_values(m, "visual.%s.bias", norm), *mean = ref_values(m, "visual.%s.running_mean", norm);
    double *variance = ref_values(m, "visual.%s.running_var", norm);
    const int n = *size, after = (n + stride - 1) / stride, pad = kernel / 2;
    double *y = ref_zeros((int64_t)out * after * after);
    for (int o = 0; o < out; o++)
        for (int i = 0; i < after; i++)
            for (int j = 0; j < after; j++) {
                double sum = 0;
                for (int c = 0; c < in; c++)
                    for (int dy = 0; dy < kernel; dy++)
                        for (int dx = 0; dx < kernel; dx++) {
                            int a = i * stride + dy - pad, b = j * stride + dx - pad;
                            if (a >= 0 && a < n && b >= 0 && b < n)
                                sum += weight[((o * in + c) * kernel + dy) * kernel + dx] * x[(c * n + a) * n + b];
                        }
                sum = (sum - mean[o]) / sqrt(variance[o] + 1e-5) * gamma[o] + beta[o];
                y[(o * after + i) * after + j] = relu && sum < 0 ? 0 : sum;
            }
    free(x), free(weight), free(gamma), free(beta), free(mean), free(variance);
    *size = after;
    return y;
}

static inline double *ref_pool(double *x, int channels, int *size) {
    const int n = *size / 2;
    double *y = ref_zeros((int64_t)channels * n * n);
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                for (int k = 0; k < 4; k++) y[(c * n + i) * n + j] += x[(c * *size + 2 * i + k / 2) * *size + 2 * j + k % 2] / 4;
    free(x);
    *size = n;
    return y;
}

static inline void ref_resnet(const ref_ctx *c, const float *pixels, double *out) {
    const ref_sizes *s = c->sizes;
    ref_model *m = c->model;
    int size = 32 * s->grid, in = s->width;
    double *x = ref_zeros(3LL * size * size);
    for (int i = 0; i < 3 * size * size; i++) x[i] = pixels[i];
    x = ref_conv(m, "conv1", "bn1", x, 3, &size, in / 2, 3, 2, true);
    x = ref_conv(m, "conv2", "bn2", x, in / 2, &size, in / 2, 3, 1, true);
    x = ref_conv(m, "conv3", "bn3", x, in / 2, &size, in, 3, 1, true);
    x = ref_pool(x, in, &size);
    for (int l = 0; l < 4; l++)
        for (int i = 0; i < s->layers[l]; i++) {
            const int planes = s->width << l;
            char conv[40], norm[40];
#define LAYER(a, b) (snprintf(conv, 40, "layer%d.%d." a, l + 1, i), snprintf(norm, 40, "layer%d.%d." b, l + 1, i))
            double *shortcut = ref_zeros((int64_t)in * size * size);
            memcpy(shortcut, x, (size_t)(in * size * size) * sizeof *x);
            int side = size;
            LAYER("conv1", "bn1"), x = ref_conv(m, conv, norm, x, in, &size, planes, 1, 1, true);
            LAYER("conv2", "bn2"), x = ref_conv(m, conv, norm, x, planes, &size, planes, 3, 1, true);
            if (l && !i) {
                x = ref_pool(x, planes, &size);
                shortcut = ref_pool(shortcut, in, &side);
            }
            LAYER("conv3", "bn3"), x = ref_conv(m, conv, norm, x, planes, &size, 4 * planes, 1, 1, false);
            if (!i)
                LAYER("downsample.0", "downsample.1"),
                    shortcut = ref_conv(m, conv, norm, shortcut, in, &side, 4 * planes, 1, 1, false);
#undef LAYER
            in = 4 * planes;
            for (int k = 0; k < in * size * size; k++) x[k] = x[k] + shortcut[k] < 0 ? 0 : x[k] + shortcut[k];
            free(shortcut);
        }
    const int cells = size * size;
    double *tokens = ref_values(m, "visual.attnpool.positional_embedding");
    for (int ch = 0; ch < in; ch++)
        for (int cell = 0; cell < cells; cell++) {
            tokens[ch] += x[ch * cells + cell] / cells;
            tokens[(1 + cell) * in + ch] += x[ch * cells + cell];
        }
    free(x);
    double *q = ref_linear(m, "visual.attnpool.q_proj", tokens, 1, in, in),
           *k = ref_linear(m, "visual.attnpool.k_proj", tokens, cells + 1, in, in);
    double *v = ref_linear(m, "visual.attnpool.v_proj", tokens, cells + 1, in, in);
    double *pooled = ref_attend(q, k, v, 1, cells + 1, in, c->heads, false),
           *y = ref_linear(m, "visual.attnpool.c_proj", pooled, 1, in, s->embed);
    memcpy(out, y, (size_t)s->embed * sizeof *out);
    free(tokens), free(q), free(k), free(v), free(pooled), free(y);
}

/* ---- comparison ---- */

/* Relative error of a whole embedding, and one minus the cosine. */
static inline void assert_close(const float *found, const double *expected, int width, double relative, const char *what) {
    double difference = 0, norm = 0, other = 0, dot = 0;
    for (int j = 0; j < width; j++) {
        difference += (found[j] - expected[j]) * (found[j] - expected[j]);
        norm += expected[j] * expected[j];
        other += (double)found[j] * found[j];
        dot += found[j] * expected[j];
    }
    if (!(sqrt(difference / norm) <= relative)) fail_msg("%s: relative error %g", what, sqrt(difference / norm));
    if (!(dot / sqrt(norm * other) >= 1 - 1e-6)) fail_msg("%s: cosine %.9f", what, dot / sqrt(norm * other));
}

/* ---- two small models ---- */

static const ref_sizes ref_small_vit = {.family = "clip",
                                        .width = 96,
                                        .layers = {2},
                                        .grid = 3,
                                        .patch = 4,
                                        .hidden = 200,
                                        .embed = 20,
                                        .context = 11,
                                        .vocabulary = 50,
                                        .text_width = 128,
                                        .text_layers = 3,
                                        .text_hidden = 256};
static const ref_sizes ref_small_resnet = {
    .family = "clip", .resnet = true, .width = 6, .layers = {1, 2, 1, 3}, .grid = 2, .embed = 17};

static inline void ref_make_typed(ref_model *m, const ref_sizes *sizes, vb_dtype first, vb_dtype second, vb_dtype third,
                                  bool scattered) {
    *m = (ref_model){.random = 7, .dtypes = {first, second, third}, .scattered = scattered};
    ref_make(m, sizes);
}

static inline vb_clip *ref_open(ref_model *m, const char *family, int threads) {
    vb_error err = {0};
    vb_clip *clip = NULL;
    const vb_clip_options options = {.family = vb_family_find(family), .threads = threads};
    assert_ok(vb_clip_open(&clip, &m->set, &options, &err));
    return clip;
}

#endif
