/* Random weights of full size; nothing in them means anything. */
#include "tests/bench/gpu_tower.h"

#include <math.h>

const gpu_vit gpu_vits[GPU_VITS] = {{"ViT-B/32", 32, 768, 12, 12, 512},
                                    {"ViT-B/16", 16, 768, 12, 12, 512},
                                    {"ViT-L/14", 14, 1024, 24, 16, 768}};

enum { RESOLUTION = 224, HEAD = 64 };

typedef struct maker {
    vb_program *program;
    uint32_t seed;
    vb_error *err;
} maker;

/* From -1 to below 1, times a factor; Numerical Recipes' generator. */
static float *numbers(maker *m, int64_t count, float factor) {
    float *x = vb_program_memory(m->program, (size_t)count, sizeof *x, "random weights", m->err);
    for (int64_t i = 0; x && i < count; i++) {
        m->seed = m->seed * 1664525u + 1013904223u;
        x[i] = (float)((int)(m->seed >> 8) - (1 << 23)) * 0x1p-23f * factor;
    }
    return x;
}

static vb_matrix matrix(maker *m, int rows, int cols) {
    return (vb_matrix){numbers(m, (int64_t)rows * cols, 1 / sqrtf((float)cols)), VB_F32, rows, cols, cols, 1};
}

static vb_linear linear(maker *m, int outputs, int inputs) {
    return (vb_linear){matrix(m, outputs, inputs), numbers(m, outputs, 0.1f), NULL};
}

static vb_norm norm(maker *m, int width) { return (vb_norm){numbers(m, width, 1), numbers(m, width, 0.1f), width, 1e-5f}; }

static int layer(maker *m, int x, int width, int heads) {
    vb_program *p = m->program;
    vb_program_open_layer(p, m->err);
    const vb_norm before = norm(m, width), between = norm(m, width);
    const vb_linear qkv = linear(m, 3 * width, width), out = linear(m, width, width), up = linear(m, 4 * width, width),
                    down = linear(m, width, 4 * width);
    const vb_heads over = {0, width, 2 * width, heads, HEAD, false, false, 0.125f};
    int y = vb_program_linear(p, vb_program_norm(p, x, &before, m->err), &qkv, VB_LINEAR, VB_NO_VALUE, m->err);
    y = vb_program_attention(p, (const int[]){y, y, y}, &over, m->err);
    x = vb_program_linear(p, y, &out, VB_LINEAR, x, m->err);
    y = vb_program_linear(p, vb_program_norm(p, x, &between, m->err), &up, VB_QUICK_GELU, VB_NO_VALUE, m->err);
    return vb_program_linear(p, y, &down, VB_LINEAR, x, m->err);
}

int gpu_tower_make(vb_program *program, const gpu_vit *vit, int layers, vb_error *err) {
    maker m = {program, 1, err};
    const int side = RESOLUTION / vit->patch, width = vit->width;
    const vb_convolution patches = {.weight = matrix(&m, width, 3 * vit->patch * vit->patch),
                                    .kernel = vit->patch,
                                    .stride = vit->patch};
    int x = vb_program_conv(program, vb_program_pixels(program, RESOLUTION, err), &patches, VB_NO_VALUE, err);
    const vb_sequence sequence = {VB_LEAD_ROW, numbers(&m, width, 1), numbers(&m, (int64_t)side * side * width, 0.1f)};
    x = vb_program_sequence(program, x, &sequence, err);
    const vb_norm before = norm(&m, width), behind = norm(&m, width);
    const vb_linear last = linear(&m, vit->columns, width);
    x = vb_program_norm(program, x, &before, err);
    for (int i = 0; i < layers; i++) x = layer(&m, x, width, vit->heads);
    x = vb_program_norm(program, vb_program_pick(program, x, VB_PICK_FIRST, err), &behind, err);
    return vb_program_finish(program, vb_program_linear(program, x, &last, VB_LINEAR, VB_NO_VALUE, err), err);
}
