/* The choice between fp32 and three products of bf16, and what the latter costs in accuracy. */
#include "mpi/encode/precision.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/bf16x3_check.h"

enum { SAMPLE = 4, WIDTH = 320, HEIGHT = 240 };

/* Faster by less is noise. */
static const double worth_it = 1.05;

const char *const vb_precision_prompts[SAMPLE] = {"a photo of a dog.", "a bad photo of the tall building.",
                                                  "an origami flower on a wooden table.", "itap of a small red airplane"};

/* Slopes, rings and a texture: smooth parts, edges and noise. */
void vb_precision_pixel(int picture, int x, int y, uint8_t rgb[3]) {
    const int dx = x - 40 * (picture + 1), dy = y - 120;
    rgb[0] = (uint8_t)((x * (picture + 1) + y) & 255);
    rgb[1] = (uint8_t)(((dx * dx + dy * dy) / (200 * (picture + 1))) % 2 * 180 + y / 4);
    rgb[2] = (uint8_t)(((unsigned)x * 2654435761u ^ (unsigned)y * 2246822519u ^ (unsigned)picture * 3266489917u) >> 24);
}

/* Embeddings of the pictures by both ways: out holds 2 x SAMPLE rows, those in fp32 first. */
static int encode_pictures(const vb_precision_model *model, const vb_bf16x3_kernel *kernel, float *out, vb_error *err) {
    const int64_t dim = vb_clip_describe(model->clip)->embed_dim;
    const size_t size = vb_preprocess_floats(model->preprocess);
    uint8_t *bytes = vb_array((size_t)WIDTH * HEIGHT, 3, "pictures of the check of precision", err);
    float *pixels = vb_array(SAMPLE * size, sizeof *pixels, "pictures of the check of precision", err);
    vb_patch_grid grids[SAMPLE] = {{0}};
    int status = bytes && pixels ? 0 : -1;
    for (int i = 0; i < SAMPLE && !status; i++) {
        const vb_image image = {.mode = VB_MODE_RGB, .width = WIDTH, .height = HEIGHT, .pixels = bytes};
        for (int at = 0; at < WIDTH * HEIGHT; at++) vb_precision_pixel(i, at % WIDTH, at / WIDTH, bytes + 3 * at);
        if (model->preprocess->max_patches) status = vb_preprocess_grid(model->preprocess, WIDTH, HEIGHT, &grids[i], err);
        if (!status) status = vb_preprocess_image(model->preprocess, &image, pixels + (size_t)i * size, err);
    }
    for (int way = 0; way < 2 && !status; way++) {
        vb_clip_multiply_by(model->clip, way ? kernel : NULL);
        status = vb_clip_encode_pictures(model->clip, pixels, model->preprocess->max_patches ? grids : NULL, SAMPLE,
                                         out + way * SAMPLE * dim, err);
    }
    vb_free(bytes);
    vb_free(pixels);
    return status;
}

static int encode_prompts(const vb_precision_model *model, const vb_bf16x3_kernel *kernel, float *out, vb_error *err) {
    const vb_clip_info *info = vb_clip_describe(model->clip);
    int32_t *ids = vb_array((size_t)SAMPLE * (size_t)info->context_length, sizeof *ids, "prompts of the check of precision", err);
    int status = ids ? 0 : -1;
    for (int i = 0; i < SAMPLE && !status; i++)
        status = vb_tokenizer_encode(model->tokenizer, vb_precision_prompts[i], strlen(vb_precision_prompts[i]),
                                     info->context_length, ids + i * info->context_length, NULL, err);
    for (int way = 0; way < 2 && !status; way++) {
        vb_clip_multiply_by(model->clip, way ? kernel : NULL);
        status = vb_clip_encode_texts(model->clip, ids, SAMPLE, out + way * SAMPLE * info->embed_dim, err);
    }
    vb_free(ids);
    return status;
}

/* Between rows of unit length, computed in fp64; a row of zeros counts as it is. */
static double largest_difference(const float *rows, int64_t dim) {
    double worst = 0;
    for (int i = 0; i < SAMPLE; i++) {
        const float *x = rows + i * dim, *y = x + SAMPLE * dim;
        double xx = 0, yy = 0;
        for (int64_t k = 0; k < dim; k++) xx += (double)x[k] * x[k], yy += (double)y[k] * y[k];
        for (int64_t k = 0; k < dim; k++)
            worst = fmax(worst, fabs(x[k] / (xx > 0 ? sqrt(xx) : 1) - y[k] / (yy > 0 ? sqrt(yy) : 1)));
    }
    return worst;
}

static int measure_error(vb_precision *precision, const vb_precision_model *model, const vb_bf16x3_kernel *kernel,
                         vb_error *err) {
    const vb_clip_info *info = vb_clip_describe(model->clip);
    float *rows = vb_array((size_t)(2 * SAMPLE * info->embed_dim), sizeof *rows, "embeddings of the check of precision", err);
    int status = rows ? 0 : -1;
    if (!status && info->tower && !(status = encode_pictures(model, kernel, rows, err)))
        precision->image_error = largest_difference(rows, info->embed_dim);
    if (!status && info->context_length && model->tokenizer && !(status = encode_prompts(model, kernel, rows, err)))
        precision->text_error = largest_difference(rows, info->embed_dim);
    vb_free(rows);
    if (status) vb_error_prefix(err, "%s: check of precision bf16x3", model->name);
    return status;
}

/* What the slowest rank measures: times[0] as fast as fp32, 0 where one has no instructions. Collective. */
static int measure_ranks(const vb_bf16x3_choice *choice, int status, vb_comm *comm, double *times, vb_error *err) {
    *times = 0;
    if (!status && choice->native) status = vb_bf16x3_check_speed(choice->kernel, times, err);
    int64_t slowest = -(int64_t)(*times * 1e6);
    if (vb_comm_agree(comm, status, err) || vb_comm_max(comm, &slowest, 1, err)) return -1;
    *times = -1e-6 * (double)slowest;
    return 0;
}

static void note(const vb_precision_model *model, vb_stated_precision stated, bool bf16x3, double times) {
    fprintf(stderr, "vocabench: note: model %s: precision: %s: ", model->name,
            stated == VB_PRECISION_BF16X3 ? "bf16x3" : "fastest");
    if (stated == VB_PRECISION_FASTEST) fprintf(stderr, "%s is used: ", bf16x3 ? "bf16x3" : "fp32");
    if (times > 0) fprintf(stderr, "on the slowest rank bf16x3 is %.2f times as fast as fp32\n", times);
    else
        fprintf(stderr, "a rank has no instructions for bf16%s\n",
                bf16x3 ? ": it computes the same bits in fp32, several times slower" : "");
}

int vb_precision_decide(vb_precision *precision, vb_stated_precision stated, const vb_precision_model *model, vb_comm *comm,
                        vb_error *err) {
    *precision = (vb_precision){.image_error = NAN, .text_error = NAN};
    if (stated != VB_PRECISION_BF16X3 && stated != VB_PRECISION_FASTEST) return 0;
    vb_bf16x3_choice choice;
    double times;
    int status = vb_bf16x3_check_choose(&choice, err);
    if (measure_ranks(&choice, status, comm, &times, err)) return -1;
    precision->bf16x3 = stated == VB_PRECISION_BF16X3 || times >= worth_it;
    if (!comm->rank) note(model, stated, precision->bf16x3, times);
    if (!precision->bf16x3) return 0;
    if (!comm->rank) status = measure_error(precision, model, choice.kernel, err);
    vb_clip_multiply_by(model->clip, choice.kernel);
    if (vb_comm_agree(comm, status, err)) return -1;
    return vb_comm_broadcast(comm, precision, sizeof *precision, err);
}

int vb_precision_describe(char *text, size_t size, vb_error *err) {
    vb_bf16x3_choice choice;
    double times;
    if (vb_bf16x3_check_choose(&choice, err) || vb_bf16x3_check_speed(choice.kernel, &times, err)) return -1;
    snprintf(text, size, "bf16x3 by %s, %.2f times as fast as fp32 here: precision: fastest takes %s", choice.name, times,
             choice.native && times >= worth_it ? "it" : "fp32");
    return 0;
}
