/* Named tensors for a program's operations: presence, shape and dtype checks, views of matrices, copies of vectors. */
#include "kernels/towers/binder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    LARGEST_DIMENSION = 1 << 24, /* keeps every product of two sizes far from overflow */
    LARGEST_PICTURE = 1 << 14    /* pixels a side: their number fits an int */
};

#define FORMAT_NAME(name, format)                                                                                                \
    do {                                                                                                                         \
        va_list args;                                                                                                            \
        va_start(args, format);                                                                                                  \
        vsnprintf(name, sizeof name, format, args);                                                                              \
        va_end(args);                                                                                                            \
    } while (0)

static void print_shape(char text[VB_NAME], int ndim, const int64_t *shape) {
    size_t n = 0;
    text[n++] = '[';
    for (int i = 0; i < ndim && n < VB_NAME - 24; i++) n += (size_t)sprintf(text + n, i ? ", %lld" : "%lld", (long long)shape[i]);
    text[n++] = ']';
    text[n] = 0;
}

static const vb_named_tensor *find(const vb_binder *binder, const char *name) {
    const vb_tensor *tensor = vb_tensor_find(binder->set, name);
    if (!tensor) return NULL;
    return (const vb_named_tensor *)(const void *)((const char *)tensor - offsetof(vb_named_tensor, tensor));
}

bool vb_binder_has(const vb_binder *binder, const char *format, ...) {
    char name[VB_NAME];
    FORMAT_NAME(name, format);
    return vb_tensor_find(binder->set, name);
}

bool vb_binder_has_prefix(const vb_binder *binder, const char *prefix) { return vb_tensor_has_prefix(binder->set, prefix); }

static const vb_tensor *must_find(const vb_binder *binder, const char *name) {
    const vb_named_tensor *named = find(binder, name);
    if (!named) {
        vb_errorf(binder->err, VB_EMISMATCH, "tensor %s is missing", name);
        return NULL;
    }
    const vb_tensor *tensor = &named->tensor;
    if (tensor->dtype == VB_F32 || tensor->dtype == VB_F16 || tensor->dtype == VB_BF16) return tensor;
    vb_errorf(binder->err, VB_EMISMATCH, "tensor %s holds %s, expected fp32, fp16 or bf16", name, vb_dtype_name(tensor->dtype));
    return NULL;
}

int vb_binder_shape(const vb_binder *binder, int ndim, int *shape, const char *format, ...) {
    char name[VB_NAME], found[VB_NAME];
    FORMAT_NAME(name, format);
    const vb_tensor *tensor = must_find(binder, name);
    if (!tensor) return -1;
    print_shape(found, tensor->ndim, tensor->shape);
    if (tensor->ndim != ndim)
        return vb_errorf(binder->err, VB_EMISMATCH, "tensor %s has shape %s, expected %d dimension%s", name, found, ndim,
                         ndim == 1 ? "" : "s");
    for (int i = 0; i < ndim; i++) {
        if (tensor->shape[i] < 1 || tensor->shape[i] > LARGEST_DIMENSION)
            return vb_errorf(binder->err, VB_EMISMATCH, "tensor %s has shape %s, expected sizes from 1 to %d", name, found,
                             LARGEST_DIMENSION);
        shape[i] = (int)tensor->shape[i];
    }
    return 0;
}

/* The tensor, if its shape is the expected one; marks it as used. */
static const vb_tensor *take(vb_binder *binder, const char *name, int ndim, const int64_t *shape) {
    const vb_tensor *tensor = must_find(binder, name);
    if (!tensor) return NULL;
    bool same = tensor->ndim == ndim;
    for (int i = 0; same && i < ndim; i++) same = tensor->shape[i] == shape[i];
    if (!same) {
        char found[VB_NAME], expected[VB_NAME];
        print_shape(found, tensor->ndim, tensor->shape);
        print_shape(expected, ndim, shape);
        vb_errorf(binder->err, VB_EMISMATCH, "tensor %s has shape %s, expected %s", name, found, expected);
        return NULL;
    }
    binder->used[find(binder, name) - binder->set->items] = true;
    return tensor;
}

static const float *copy_floats(vb_binder *binder, const vb_tensor *tensor, const char *name) {
    int64_t count = vb_tensor_count(tensor);
    float *copy = vb_program_memory(binder->program, (size_t)count, sizeof *copy, name, binder->err);
    for (int64_t i = 0; copy && i < count; i++) copy[i] = vb_tensor_at(tensor, i);
    return copy;
}

const float *vb_binder_floats(vb_binder *binder, int64_t rows, int64_t columns, const char *format, ...) {
    char name[VB_NAME];
    FORMAT_NAME(name, format);
    const vb_tensor *tensor = take(binder, name, columns ? 2 : 1, (const int64_t[]){rows, columns});
    if (!tensor) return NULL;
    binder->program->parameters += vb_tensor_count(tensor);
    return copy_floats(binder, tensor, name);
}

const float *vb_binder_channels(vb_binder *binder, int64_t count, const char *format, ...) {
    char name[VB_NAME];
    FORMAT_NAME(name, format);
    const vb_tensor *tensor = vb_tensor_find(binder->set, name);
    tensor = take(binder, name, tensor && tensor->ndim == 3 ? 3 : 1, (const int64_t[]){count, 1, 1});
    if (!tensor) return NULL;
    binder->program->parameters += count;
    return copy_floats(binder, tensor, name);
}

const float *vb_binder_statistics(vb_binder *binder, int64_t count, const char *format, ...) {
    char name[VB_NAME];
    FORMAT_NAME(name, format);
    const vb_tensor *tensor = take(binder, name, 1, &count);
    return tensor ? copy_floats(binder, tensor, name) : NULL;
}

static int bind_matrix(vb_binder *binder, vb_matrix *matrix, int64_t rows, int64_t columns, bool transposed, const char *name) {
    const vb_tensor *tensor =
        take(binder, name, 2, transposed ? (const int64_t[]){columns, rows} : (const int64_t[]){rows, columns});
    if (!tensor) return -1;
    *matrix = (vb_matrix){.data = tensor->data,
                          .dtype = tensor->dtype,
                          .rows = rows,
                          .cols = columns,
                          .row_stride = tensor->stride[transposed],
                          .col_stride = tensor->stride[!transposed]};
    binder->program->parameters += rows * columns;
    return 0;
}

int vb_binder_matrix(vb_binder *binder, vb_matrix *matrix, int64_t rows, int64_t columns, bool transposed, const char *format,
                     ...) {
    char name[VB_NAME];
    FORMAT_NAME(name, format);
    return bind_matrix(binder, matrix, rows, columns, transposed, name);
}

static int bind_filter(vb_binder *binder, vb_matrix *matrix, const int64_t shape[4], const char *name) {
    const vb_tensor *tensor = take(binder, name, 4, shape);
    if (!tensor) return -1;
    const int64_t out = shape[0], in = shape[1], kernel = shape[3];
    const int64_t *stride = tensor->stride, taps = shape[2] * kernel, columns = in * taps;
    binder->program->parameters += out * columns;
    *matrix = (vb_matrix){.data = tensor->data,
                          .dtype = tensor->dtype,
                          .rows = out,
                          .cols = columns,
                          .row_stride = stride[0],
                          .col_stride = kernel > 1 ? stride[3] : stride[1]};
    bool collapses =
        kernel == 1 || ((shape[2] == 1 || stride[2] == kernel * stride[3]) && (in == 1 || stride[1] == taps * stride[3]));
    if (collapses) return 0;
    const float *copy = copy_floats(binder, tensor, name); /* channels-last and other rare layouts */
    if (!copy) return -1;
    *matrix = (vb_matrix){.data = copy, .dtype = VB_F32, .rows = out, .cols = columns, .row_stride = columns, .col_stride = 1};
    return 0;
}

int vb_binder_filter(vb_binder *binder, vb_matrix *matrix, int out, int in, int kernel, const char *format, ...) {
    char name[VB_NAME];
    FORMAT_NAME(name, format);
    return bind_filter(binder, matrix, (const int64_t[]){out, in, kernel, kernel}, name);
}

int vb_binder_row_filter(vb_binder *binder, vb_matrix *matrix, int out, int in, int kernel, const char *format, ...) {
    char name[VB_NAME];
    FORMAT_NAME(name, format);
    return bind_filter(binder, matrix, (const int64_t[]){out, in, 1, kernel}, name);
}

int vb_binder_linear(vb_binder *binder, vb_linear *linear, int out, int in, const char *format, ...) {
    char name[VB_NAME - 8];
    FORMAT_NAME(name, format);
    linear->scale = NULL;
    if (vb_binder_matrix(binder, &linear->weight, out, in, false, "%s.weight", name)) return -1;
    linear->bias = vb_binder_floats(binder, out, 0, "%s.bias", name);
    return linear->bias ? 0 : -1;
}

int vb_binder_norm(vb_binder *binder, vb_norm *norm, int width, float epsilon, const char *format, ...) {
    char name[VB_NAME - 8];
    FORMAT_NAME(name, format);
    *norm = (vb_norm){.weight = vb_binder_floats(binder, width, 0, "%s.weight", name), .width = width, .epsilon = epsilon};
    if (!norm->weight) return -1;
    norm->bias = vb_binder_floats(binder, width, 0, "%s.bias", name);
    return norm->bias ? 0 : -1;
}

vb_linear vb_binder_rows_of(const vb_linear *linear, int64_t first, int64_t count) {
    vb_linear part = *linear;
    part.weight.data =
        (const char *)part.weight.data + first * part.weight.row_stride * (int64_t)vb_dtype_size(part.weight.dtype);
    part.weight.rows = count;
    if (part.bias) part.bias += first;
    return part;
}

int vb_binder_projection(vb_binder *binder, vb_linear *linear, int width, bool bias, int *embed, const char *name) {
    int shape[2];
    bool is_linear = !vb_binder_has(binder, "%s", name) && vb_binder_has(binder, "%s.weight", name);
    const char *suffix = is_linear ? ".weight" : "";
    if (vb_binder_shape(binder, 2, shape, "%s%s", name, suffix)) return -1;
    *embed = shape[!is_linear];
    linear->bias = linear->scale = NULL;
    if (vb_binder_matrix(binder, &linear->weight, *embed, width, !is_linear, "%s%s", name, suffix)) return -1;
    if (bias) linear->bias = vb_binder_floats(binder, *embed, 0, "%s.bias", name);
    return bias && !linear->bias ? -1 : 0;
}

int vb_binder_grid(const vb_binder *binder, int patch, int more, int *grid, const char *name) {
    int shape[2];
    if (vb_binder_shape(binder, 2, shape, "%s", name)) return -1;
    *grid = shape[0] > more ? (int)lround(sqrt((double)(shape[0] - more))) : 0;
    if (*grid < 1 || *grid * *grid + more != shape[0]) {
        char lead[16] = "";
        if (more) snprintf(lead, sizeof lead, "%d and ", more);
        return vb_errorf(binder->err, VB_EMISMATCH, "tensor %s has %d rows, expected %sa square's cells", name, shape[0], lead);
    }
    if ((int64_t)*grid * patch <= LARGEST_PICTURE) return 0;
    return vb_errorf(binder->err, VB_EMISMATCH, "tensor %s has %d rows: with cells of %d pixels, pictures above %d pixels a side",
                     name, shape[0], patch, LARGEST_PICTURE);
}

int vb_binder_heads(const vb_binder *binder, int *heads, int width, int stated, int usual, const char *tower) {
    *heads = stated ? stated : usual;
    if (!*heads && width >= 64)
        return vb_errorf(
            binder->err, VB_EMISMATCH,
            "%s tower: models of width %d were published with heads of several widths, and no file beside the weights "
            "tells: state %s_heads",
            tower, width, tower);
    if (*heads >= 1 && width % *heads == 0) return 0;
    return vb_errorf(binder->err, VB_EMISMATCH, "%s tower: width %d does not split into %d heads%s", tower, width, *heads,
                     stated ? "" : " (width / 64); state the number of heads");
}

int vb_binder_expect(vb_binder *binder, bool expected, const char *tensor, const char *what) {
    const vb_tensor *found = vb_tensor_find(binder->set, tensor);
    if (expected == !!found) return 0;
    binder->misfit = true;
    return vb_errorf(binder->err, VB_EMISMATCH, "tensor %s is %s, but family %s has %s %s", tensor, found ? "present" : "missing",
                     binder->family, expected ? "a" : "no", what);
}

/* What frameworks store beside the parameters: BatchNorm's counter, causal masks, the numbers 0, 1, 2, ..., angles of rotary
 * positions (rotary.h computes them). */
static bool is_buffer(const char *name) {
    static const char *const buffers[] = {"num_batches_tracked", "attn_mask", "position_ids", "freqs_cos", "freqs_sin"};
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (!strcmp(last, buffers[i])) return true;
    return false;
}

int vb_binder_check_unused(const vb_binder *binder, const char *architecture) {
    /* cls_emb: CoCa's texts are pooled by a token of their own. From vision_model. on: what
     * has no OpenAI name in a file of Hugging Face's, or in a text tower that is a module of its own. */
    static const char *const towers[] = {"visual.",
                                         "transformer.",
                                         "ln_final.",
                                         "token_embedding.",
                                         "text_projection.",
                                         "cls_emb",
                                         "ln_embedding.",
                                         "ln_encoder.",
                                         "text_hidden.",
                                         "vision_model.",
                                         "text_model.",
                                         "text.transformer.",
                                         "encode_text.transformer.",
                                         "text.cls_emb"};
    for (size_t i = 0; i < binder->set->count; i++) {
        const char *name = binder->set->items[i].name;
        if (binder->used[i] || is_buffer(name)) continue;
        for (size_t t = 0; t < sizeof towers / sizeof *towers; t++)
            if (!strncmp(name, towers[t], strlen(towers[t])))
                return vb_errorf(
                    binder->err, VB_EMISMATCH,
                    "tensor %s is not part of a %s model of family %s: another architecture, or a block missing before it", name,
                    architecture, binder->family);
    }
    return 0;
}
