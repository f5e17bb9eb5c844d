/* Rates that a plan measures. */
#include "mpi/plan/plan_time.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/matrix/gemm.h"
#include "mpi/encode/encode.h"
#include "mpi/ranks/live.h"

enum { BATCH = 16, MOST = 256, PRODUCT = 256 }; /* of a batch: on processors, on devices, which few would leave idle */
static const double enough = 0.4;               /* seconds of a measurement */

/* Passes over samples of the first unit: one that also brings the weights into memory, then as many as fit the time. */
static int measure_images(const vb_encoding *how, const vb_dataset_state *data, vb_plan_rates *rates, vb_error *err) {
    const size_t dim = (size_t)vb_clip_describe(how->model->clip)->embed_dim;
    vb_unit_data unit = {0};
    vb_error ignored;
    int picked[MOST];
    if (!vb_dataset_units(data->dataset) || vb_dataset_read_unit(data->dataset, 0, &unit, &ignored)) return 0;
    vb_encode_batch batch = {.data = &unit, .picked = picked};
    const int count = unit.count < how->batch ? unit.count : how->batch;
    for (int i = 0; i < count; i++) picked[i] = i;
    float *rows = vb_array((size_t)MOST * dim, sizeof *rows, "a measurement", err);
    int status = rows ? 0 : -1;
    double once = 0, all = 0;
    for (int passed = 0; count && all < enough && !status;) {
        json_t *skipped = NULL;
        const int fitting = once > 0 ? (int)(enough / once) : 1;
        batch.count = fitting < 1 ? 1 : fitting < count ? fitting : count;
        const double began = vb_live_now();
        status = vb_encode_samples(how, &batch, rows, &skipped, err);
        const double seconds = vb_live_now() - began;
        json_decref(skipped);
        if (once > 0) all += seconds, passed += batch.count;
        once = passed ? all / passed : seconds > 0 ? seconds : 1e-9;
        if (seconds > enough) break;
    }
    if (!status) rates->image = once;
    vb_free(rows);
    vb_dataset_unit_free(&unit);
    return status;
}

static int measure_texts(const vb_encoding *how, const vb_dataset_state *data, vb_plan_rates *rates, vb_error *err) {
    const vb_clip_info *info = vb_clip_describe(how->model->clip);
    char texts[MOST][200];
    const char *list[MOST];
    if (!how->model->tokenizer) return 0;
    for (int i = 0; i < how->batch; i++) {
        snprintf(texts[i], sizeof texts[i], "a photo of a %.150s.",
                 data->vocabularies.class[i % data->vocabularies.classes].name);
        texts[i][vb_utf8_cut(texts[i], sizeof texts[i] - 1)] = 0;
        list[i] = texts[i];
    }
    int32_t *tokens = vb_array((size_t)how->batch * (size_t)info->context_length, sizeof *tokens, "a measurement", err);
    float *rows = vb_array((size_t)how->batch * (size_t)info->embed_dim, sizeof *rows, "a measurement", err);
    int status = tokens && rows ? 0 : -1, n = 1, passed = 0;
    double once = 0, all = 0;
    while (all < enough && !status) {
        const double began = vb_live_now();
        status = vb_encode_tokenize(how->model->tokenizer, list, n, info->context_length, how->threads, tokens, err);
        if (!status) status = vb_clip_encode_texts(how->model->clip, tokens, n, rows, err);
        const double seconds = vb_live_now() - began;
        if (once > 0) all += seconds, passed += n;
        once = passed ? all / passed : seconds > 0 ? seconds : 1e-9;
        n = enough / once < how->batch ? (int)(enough / once) : how->batch;
        if (n < 1) n = 1;
        if (seconds > enough) break;
    }
    if (!status) rates->text = once;
    vb_free(tokens);
    vb_free(rows);
    return status;
}

int vb_plan_time_measure(vb_context *alone, const vb_experiment *experiment, const vb_model *model, const vb_dataset_state *data,
                         int threads, vb_plan_rates *rates, vb_error *err) {
    const vb_encoding how = {.context = alone,
                             .model = model,
                             .batch = vb_model_batch(model, alone, BATCH),
                             .threads = threads,
                             .decode_memory = experiment->decode_memory,
                             .skip_broken = true};
    *rates = (vb_plan_rates){0};
    int status = data->dataset ? measure_images(&how, data, rates, err) : 0;
    if (!status) status = measure_texts(&how, data, rates, err);
    vb_model_sizes sizes;
    vb_error ignored;
    if (!status && !vb_model_measure(model->spec, 1, &sizes, &ignored) && rates->image > 0 && sizes.image_flops > 0)
        rates->operation = rates->image / sizes.image_flops;
    if (status && err->code != VB_EMEMORY && err->code != VB_EINCOMPLETE) {
        vb_error_clear(err);
        status = 0;
    }
    return status;
}

double vb_plan_time_operation(int threads) {
    vb_error ignored;
    const size_t count = (size_t)PRODUCT * PRODUCT;
    float *values = vb_array(3 * count, sizeof *values, "a measurement", &ignored);
    double least = 0;
    if (!values) return 0;
    for (size_t i = 0; i < 2 * count; i++) values[i] = (float)(i % 17) - 8;
    const vb_gemm_a a = {.data = values, .ld = PRODUCT};
    const vb_matrix b = {
        .data = values + count, .dtype = VB_F32, .rows = PRODUCT, .cols = PRODUCT, .row_stride = PRODUCT, .col_stride = 1};
    for (int round = 0; round < 3; round++) {
        const double began = vb_live_now();
        if (vb_gemm(PRODUCT, &a, &b, values + 2 * count, PRODUCT, NULL, threads, &ignored)) break;
        const double seconds = vb_live_now() - began;
        if (!round || seconds < least) least = seconds;
    }
    vb_free(values);
    return least / (2.0 * PRODUCT * PRODUCT * PRODUCT);
}

void vb_plan_time_text(double seconds, char text[32]) {
    if (seconds < 1) snprintf(text, 32, "below 1 s");
    else if (seconds < 90) snprintf(text, 32, "about %.0f s", seconds);
    else if (seconds < 5400) snprintf(text, 32, "about %.0f min", seconds / 60);
    else snprintf(text, 32, "about %.1f h", seconds / 3600);
}
