/* The ViT image tower: patches, class token, transformer, projection of the class token. */
#include "kernels/towers/binder.h"

#include <math.h>
#include <string.h>

#include "kernels/matrix/layers.h"
#include "kernels/base/memory.h"

static int bind_sizes(vb_binder *binder, vb_vit *vit) {
    int filter[4], positions[2];
    if (vb_bind_shape(binder, 4, filter, "visual.conv1.weight") ||
        vb_bind_shape(binder, 2, positions, "visual.positional_embedding"))
        return -1;
    vit->width = filter[0];
    vit->patch = filter[2];
    vit->grid = (int)lround(sqrt((double)(positions[0] - 1)));
    vit->resolution = vit->grid * vit->patch;
    if (vit->grid < 1 || vit->grid * vit->grid + 1 != positions[0])
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "tensor visual.positional_embedding has %d rows, expected 1 and a square's cells", positions[0]);
    return 0;
}

int vb_vit_bind(vb_binder *binder, vb_vit *vit, int *embed) {
    const vb_clip_options *options = binder->options;
    const vb_family *family = options->family;
    if (bind_sizes(binder, vit)) return -1;
    const int64_t width = vit->width, rows = (int64_t)vit->grid * vit->grid + 1;

    if (vb_bind_family(binder, family->patch_bias, "visual.conv1.bias", "bias of the patch embedding") ||
        vb_bind_family(binder, family->ln_pre, "visual.ln_pre.weight", "layer norm before the transformer") ||
        vb_bind_filter(binder, &vit->patches.weight, vit->width, 3, vit->patch, "visual.conv1.weight"))
        return -1;
    if (family->patch_bias && !(vit->patches.bias = vb_bind_floats(binder, width, 0, "visual.conv1.bias"))) return -1;
    const float *class_token = vb_bind_floats(binder, width, 0, "visual.class_embedding");
    if (!class_token) return -1;
    if (!(vit->positions = vb_bind_floats(binder, rows, width, "visual.positional_embedding"))) return -1;
    float *class_row = vb_bind_memory(binder, (size_t)width, sizeof *class_row, "row of the class token");
    if (!class_row) return -1;
    for (int64_t j = 0; j < width; j++) class_row[j] = class_token[j] + vit->positions[j];
    vit->class_row = class_row;

    vit->has_ln_pre = family->ln_pre;
    if (vit->has_ln_pre && vb_bind_norm(binder, &vit->ln_pre, vit->width, family->image_epsilon, "visual.ln_pre")) return -1;
    int heads;
    if (vb_bind_heads(binder, &heads, vit->width, options->image_heads, vb_arch_vit_heads(family, vit->width), "image") ||
        vb_transformer_bind(binder, &vit->transformer, vit->width, heads, false,
                            options->override_activation ? options->activation : family->image_activation, family->image_epsilon,
                            "visual.transformer") ||
        vb_bind_norm(binder, &vit->ln_post, vit->width, family->image_epsilon, "visual.ln_post"))
        return -1;
    return vb_bind_projection(binder, &vit->projection, vit->width, embed, "visual.proj");
}

size_t vb_vit_floats(const vb_vit *vit, int64_t n) {
    int64_t rows = n * ((int64_t)vit->grid * vit->grid + 1);
    return (size_t)(rows * vit->width) + vb_transformer_floats(&vit->transformer, rows);
}

/* The rows of the patch embedding, with an empty row for each class token so that one product fills the batch in place. */
typedef struct token_rows {
    vb_conv conv;
    int64_t tokens; /* of an image */
} token_rows;

static void token_row(const void *context, int64_t row, int64_t first, int64_t count, float *out) {
    const token_rows *rows = context;
    int64_t image = row / rows->tokens, token = row % rows->tokens;
    if (token) vb_conv_row(&rows->conv, image * (rows->tokens - 1) + token - 1, first, count, out);
    else memset(out, 0, (size_t)count * sizeof *out);
}

static int embed_patches(const vb_vit *vit, const float *pixels, int64_t n, float *x, int threads, vb_error *err) {
    const int64_t width = vit->width;
    const token_rows rows = {vb_conv_over_nchw(pixels, 3, vit->resolution, vit->resolution, vit->patch, vit->patch, 0),
                             (int64_t)vit->grid * vit->grid + 1};
    for (int64_t i = 0; i < n; i++)
        memcpy(x + i * rows.tokens * width, vit->positions, (size_t)(rows.tokens * width) * sizeof *x);
    const vb_gemm_a a = {.source = token_row, .context = &rows};
    const vb_epilogue epilogue = {.bias = vit->patches.bias, .residual = x, .ld_residual = width};
    if (vb_gemm(n * rows.tokens, &a, &vit->patches.weight, x, width, &epilogue, threads, err)) return -1;
    for (int64_t i = 0; i < n; i++) memcpy(x + i * rows.tokens * width, vit->class_row, (size_t)width * sizeof *x);
    return 0;
}

int vb_vit_run(const vb_vit *vit, const float *pixels, int64_t n, float *out, float *work, int threads, vb_error *err) {
    const int64_t width = vit->width, tokens = (int64_t)vit->grid * vit->grid + 1, rows = n * tokens;
    int64_t *starts = vb_array((size_t)n + 1, sizeof *starts, "offsets of the images", err);
    if (!starts) return -1;
    for (int64_t i = 0; i <= n; i++) starts[i] = i * tokens;

    float *x = work;
    int status = embed_patches(vit, pixels, n, x, threads, err);
    if (!status && vit->has_ln_pre)
        vb_layers_norm(rows, width, x, width, vit->ln_pre.weight, vit->ln_pre.bias, vit->ln_pre.epsilon, x, width, threads);
    if (!status) status = vb_transformer_run(&vit->transformer, x, starts, n, work + rows * width, threads, err);
    vb_free(starts);
    if (status) return -1;
    vb_layers_norm(n, width, x, width, vit->ln_post.weight, vit->ln_post.bias, vit->ln_post.epsilon, x, width, threads);
    return vb_linear_run(&vit->projection, n, x, width, out, vit->projection.weight.rows, VB_LINEAR, NULL, threads, err);
}
