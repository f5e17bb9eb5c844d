/* The towers are written as a family's emitters would; nothing in them means anything. */
#include "kernels/gpu/gpu_scenes.h"

#include <math.h>
#include <string.h>

/* A tower under construction: after a failure all is NULL and VB_NO_VALUE. */
typedef struct maker {
    vb_gpu_scene *scene;
    vb_program *program;
    uint32_t seed;
    vb_error *err;
} maker;

/* From -1 to below 1; Numerical Recipes' generator. */
static float next(maker *m) {
    m->seed = m->seed * 1664525u + 1013904223u;
    return (float)((int)(m->seed >> 8) - (1 << 23)) * 0x1p-23f;
}

static float *floats(maker *m, int64_t count, float factor) {
    float *x = vb_program_memory(m->program, (size_t)count, sizeof *x, "made weights", m->err);
    for (int64_t i = 0; x && i < count; i++) x[i] = next(m) * factor;
    return x;
}

/* Rows of `cols`; transposed ones are stored column by column. */
static vb_matrix matrix(maker *m, vb_dtype dtype, int rows, int cols, bool transposed) {
    const int64_t count = (int64_t)rows * cols;
    const float factor = 2 / sqrtf((float)cols);
    vb_matrix made = {NULL, dtype, rows, cols, transposed ? 1 : cols, transposed ? rows : 1};
    if (dtype == VB_F32) {
        made.data = floats(m, count, factor);
        return made;
    }
    uint16_t *data = vb_program_memory(m->program, (size_t)count, sizeof *data, "made weights", m->err);
    for (int64_t i = 0; data && i < count; i++) {
        const float x = next(m) * factor * (i % 97 ? 1 : 0x1p-20f); /* some are subnormal in fp16 */
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        data[i] = dtype == VB_F16 ? vb_dtype_float_to_half(x) : (uint16_t)(bits >> 16);
    }
    made.data = data;
    return made;
}

static vb_linear linear(maker *m, vb_dtype dtype, int outputs, int inputs, bool scaled) {
    return (vb_linear){matrix(m, dtype, outputs, inputs, outputs % 2), floats(m, outputs, 1),
                       scaled ? floats(m, outputs, 1) : NULL};
}

static vb_convolution convolution(maker *m, vb_dtype dtype, int outputs, int inputs, int kernel, vb_activation last) {
    return (vb_convolution){.weight = matrix(m, dtype, outputs, inputs * kernel * kernel, false),
                            .scale = floats(m, outputs, 1),
                            .bias = floats(m, outputs, 1),
                            .kernel = kernel,
                            .stride = 1,
                            .padding = kernel / 2,
                            .last = last};
}

static vb_channel_filter filter(maker *m, int channels, int times, int kernel, int stride, vb_activation last) {
    return (vb_channel_filter){.weight = floats(m, (int64_t)channels * times * kernel * kernel, 0.5f),
                               .bias = floats(m, (int64_t)channels * times, 1),
                               .times = times,
                               .kernel = kernel,
                               .stride = stride,
                               .padding = kernel / 2,
                               .last = last};
}

static vb_norm norm(maker *m, int width) { return (vb_norm){floats(m, width, 2), floats(m, width, 1), width, 1e-5f}; }

/* Angles need not be angles here. */
static vb_rotary rotary(maker *m, int period, int skipped, int column, int heads, int head_dim) {
    const int64_t count = (int64_t)(period - skipped) * head_dim;
    return (vb_rotary){{floats(m, count, 1), floats(m, count, 1), period, skipped, head_dim}, column, heads};
}

/* A block as transformers have it: norm, attention over `heads` heads, residual, norm, gated product, residual. */
static int block(maker *m, int x, int width, const vb_heads *heads, const vb_rotary *turn, vb_activation activation) {
    vb_program *p = m->program;
    const int inner = heads->heads * heads->head_dim;
    vb_program_open_layer(p, m->err);
    const vb_norm before = norm(m, width), between = {NULL, NULL, width, 1e-6f}, behind = norm(m, width);
    const vb_linear qkv = linear(m, VB_F16, 3 * inner, width, false), out = linear(m, VB_F32, width, inner, true),
                    gate = linear(m, VB_BF16, 2 * width + 1, width, false), up = linear(m, VB_F32, 2 * width + 1, width, false),
                    down = linear(m, VB_F16, width, 2 * width + 1, false);
    int y = vb_program_linear(p, vb_program_norm(p, x, &before, m->err), &qkv, VB_LINEAR, VB_NO_VALUE, m->err);
    if (turn) y = vb_program_rotary(p, y, turn, m->err);
    y = vb_program_attention(p, (const int[]){y, y, y}, heads, m->err);
    x = vb_program_linear(p, y, &out, VB_LINEAR, x, m->err);
    y = vb_program_norm(p, x, &between, m->err);
    const int gates = vb_program_linear(p, y, &gate, VB_LINEAR, VB_NO_VALUE, m->err);
    y = vb_program_gated(p, y, &up, activation, gates, m->err);
    y = vb_program_linear(p, y, &down, activation, VB_NO_VALUE, m->err);
    return vb_program_post_norm(p, y, &behind, x, m->err);
}

static int make_pictures(maker *m) {
    enum { SIDE = 23, HEADS = 3, HEAD_DIM = 6, WIDTH = 21 };
    vb_program *p = m->program;
    vb_error *err = m->err;
    vb_convolution stem = convolution(m, VB_F32, 10, 3, 3, VB_RELU), point = convolution(m, VB_F16, 12, 20, 1, VB_LINEAR),
                   square = convolution(m, VB_BF16, WIDTH, 12, 3, VB_GELU), again = convolution(m, VB_F32, 12, 12, 1, VB_SILU);
    stem.stride = 2;
    const vb_channel_filter wide = filter(m, 10, 2, 3, 1, VB_GELU_TANH), deep = filter(m, 12, 1, 5, 1, VB_QUICK_GELU);
    int x = vb_program_conv(p, vb_program_pixels(p, SIDE, err), &stem, VB_NO_VALUE, err); /* 12 x 12 x 10 */
    x = vb_program_depthwise(p, x, &wide, VB_NO_VALUE, err);
    x = vb_program_pool(p, x, &(vb_window){.size = 3, .stride = 2, .padding = 1}, err); /* 6 x 6 x 20 */
    x = vb_program_conv(p, x, &point, VB_NO_VALUE, err);
    x = vb_program_depthwise(p, x, &deep, x, err);
    x = vb_program_conv(p, x, &again, x, err);
    const vb_linear squeeze = linear(m, VB_F32, 12, 12, false);
    const int factors = vb_program_linear(p, vb_program_pool_all(p, x, err), &squeeze, VB_SIGMOID, VB_NO_VALUE, err);
    x = vb_program_conv(p, vb_program_excite(p, x, factors, VB_RELU, err), &square, VB_NO_VALUE, err);
    const vb_sequence mean = {VB_LEAD_MEAN, floats(m, WIDTH, 1), floats(m, 36 * WIDTH, 1)};
    x = vb_program_sequence(p, x, &mean, err);
    const vb_heads heads = {0, HEADS * HEAD_DIM, 2 * HEADS * HEAD_DIM, HEADS, HEAD_DIM, false, false, 0.4f};
    const vb_rotary turn = rotary(m, 37, 1, 0, 2 * HEADS, HEAD_DIM);
    x = block(m, x, WIDTH, &heads, &turn, VB_QUICK_GELU);
    x = block(m, x, WIDTH, &heads, NULL, VB_SILU);
    /* a pool by attention, whose query is the same for all */
    const vb_constant query = {floats(m, 2 * HEADS * HEAD_DIM, 1), 2, HEADS * HEAD_DIM};
    const vb_linear keys = linear(m, VB_F32, 2 * HEADS * HEAD_DIM, WIDTH, false),
                    last = linear(m, VB_F16, 9, HEADS * HEAD_DIM, false);
    const int rows = vb_program_linear(p, x, &keys, VB_LINEAR, VB_NO_VALUE, err), q = vb_program_constant(p, &query, err);
    const vb_heads pool = {0, 0, HEADS * HEAD_DIM, HEADS, HEAD_DIM, false, false, 1.5f};
    x = vb_program_attention(p, (const int[]){q, rows, rows}, &pool, err);
    x = vb_program_mean(p, x, 1, err);
    x = vb_program_linear(p, x, &last, VB_LINEAR, VB_NO_VALUE, err);
    m->scene->count = 3;
    m->scene->input.pixels = floats(m, 3 * 3 * SIDE * SIDE, 2);
    return vb_program_finish(p, x, err);
}

/* Texts of different lengths; with a class row, padding is hidden. */
static int make_texts(maker *m, bool class_row) {
    enum { CONTEXT = 37, WIDTH = 20, WORDS = 50, HEADS = 2, HEAD_DIM = 8, COUNT = 4, LEARNED = 3 };
    vb_program *p = m->program;
    vb_error *err = m->err;
    vb_embed embed = {.table = matrix(m, VB_F16, WORDS, WIDTH, false),
                      .positions = floats(m, (CONTEXT + 1) * WIDTH, 1),
                      .context_length = CONTEXT,
                      .class_row = class_row ? floats(m, WIDTH, 1) : NULL,
                      .scale = class_row ? 0 : 1.7f};
    int x = vb_program_embed(p, &embed, err);
    const vb_heads heads = {0, HEADS * HEAD_DIM, 2 * HEADS * HEAD_DIM, HEADS, HEAD_DIM, true, class_row, 0.35f};
    x = block(m, x, WIDTH, &heads, NULL, class_row ? VB_GELU_TANH : VB_GELU);
    const int mean = class_row ? vb_program_mean(p, x, 0, err) : VB_NO_VALUE,
              picked = vb_program_pick(p, x, class_row ? VB_PICK_LAST : VB_PICK_END, err);
    const vb_linear last = linear(m, VB_F32, WIDTH, WIDTH, false);
    if (class_row) x = vb_program_linear(p, mean, &last, VB_LINEAR, picked, err);
    else x = vb_program_linear(p, picked, &last, VB_LINEAR, VB_NO_VALUE, err); /* causal: texts share their beginnings */
    x = vb_program_linear(p, x, &last, VB_LINEAR, VB_NO_VALUE, err);
    int32_t *tokens = vb_program_memory(p, COUNT * CONTEXT, sizeof *tokens, "made texts", err);
    static const int lengths[COUNT] = {CONTEXT, 1 + LEARNED + 3, 29, 15};
    for (int i = 0; tokens && i < COUNT; i++)
        for (int at = 0; at < CONTEXT; at++) {
            const int32_t word = at ? 1 + (int32_t)((next(m) + 1) * 20) : 1; /* all begin alike */
            tokens[i * CONTEXT + at] = at + 1 < lengths[i] ? word : at + 1 == lengths[i] ? WORDS - 1 : 0;
        }
    m->scene->context = (vb_prompt_context){floats(m, LEARNED * WIDTH, 1), LEARNED, WIDTH, false, VB_PROMPT_END, NULL};
    m->scene->texts = (vb_text_input){.tokens = tokens,
                                      .context = class_row ? NULL : &m->scene->context,
                                      .context_length = CONTEXT,
                                      .vocabulary_size = WORDS,
                                      .end_token = WORDS - 1,
                                      .class_row = class_row};
    m->scene->input.texts = &m->scene->texts;
    m->scene->count = COUNT;
    return vb_program_finish(p, x, err);
}

static int make_shapes(maker *m) {
    enum { PATCH = 3, WIDTH = 12, SIDE = 4, MOST = 24, COUNT = 3 };
    vb_program *p = m->program;
    vb_error *err = m->err;
    const vb_patches patches = {linear(m, VB_F32, WIDTH, 3 * PATCH * PATCH, false), floats(m, SIDE * SIDE * WIDTH, 1), PATCH,
                                SIDE};
    int x = vb_program_patches(p, MOST, &patches, err);
    const vb_heads heads = {0, WIDTH, 2 * WIDTH, 2, WIDTH / 2, false, false, 0.5f};
    x = block(m, x, WIDTH, &heads, NULL, VB_GELU);
    const int first = vb_program_pick(p, x, VB_PICK_FIRST, err);
    const vb_linear last = linear(m, VB_BF16, WIDTH, WIDTH, false);
    x = vb_program_linear(p, vb_program_mean(p, x, 0, err), &last, VB_GELU, first, err);
    static const vb_patch_grid grids[COUNT] = {{4, 6}, {1, 5}, {7, 2}};
    m->scene->input = (vb_engine_input){.pixels = floats(m, COUNT * MOST * 3 * PATCH * PATCH, 2), .grids = grids};
    m->scene->count = COUNT;
    return vb_program_finish(p, x, err);
}

int vb_gpu_scenes_make(vb_gpu_scene *scene, int index, unsigned seed, vb_error *err) {
    *scene = (vb_gpu_scene){0};
    maker m = {.scene = scene, .program = &scene->program, .seed = seed * 2654435761u + (unsigned)index, .err = err};
    int status = index == 0 ? make_pictures(&m) : index == 3 ? make_shapes(&m) : make_texts(&m, index == 2);
    for (size_t i = 0; i < scene->program.owned_count; i++)
        if (!scene->program.owned[i]) status = -1; /* its error is set */
    return status;
}

void vb_gpu_scenes_free(vb_gpu_scene *scene) { vb_program_close(&scene->program); }
