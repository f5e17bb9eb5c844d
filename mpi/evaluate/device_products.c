/* Whether the device is used, and what it is asked for. */
#include "mpi/evaluate/device_products.h"

#include <stdio.h>

#include "kernels/gpu/gpu_scores.h"
#include "mpi/base/device.h"

/* vb_similarity_products.multiply */
static int multiply(void *state, const float *images, int64_t rows, float *scores) {
    vb_device_products *its = state;
    vb_error why;
    if (!its->scores) return -1;
    if (!vb_gpu_scores_multiply(its->scores, images, rows, scores, &why)) return 0;
    fprintf(stderr, "vocabench: note: rank %d compares on with the CPU: %s\n", its->context->comm.world_rank, why.text);
    vb_gpu_scores_close(its->scores);
    its->scores = NULL;
    return -1;
}

static int open_products(vb_device_products *its, vb_text_bank *bank, const float *texts, int64_t classes, int dim, int threads,
                         vb_error *err) {
    vb_gpu_device *device = vb_device_for_decisions(its->context);
    if (!device) return 0;
    const int share = its->context->device->share;
    const bool processor = vb_gpu_device_facts(device)->processor;
    if (!processor && classes * dim < VB_DEVICE_PRODUCTS_LEAST) return 0;
    vb_error why;
    bool pays = !vb_gpu_scores_open(&its->scores, device, texts, vb_similarity_bank_scale(bank), classes, dim, share, &why);
    int status = 0;
    if (pays && !processor) {
        double here, there;
        status = vb_gpu_scores_measure(its->scores, texts, threads, &here, &there, err);
        pays = !status && there * share < here;
    }
    if (pays && !status) vb_similarity_bank_use(bank, &its->products);
    else vb_device_products_close(its);
    return status;
}

int vb_device_products_bank(vb_device_products *its, vb_text_bank **bank, const vb_context *context, const vb_pair *pair,
                            const float *texts, int classes, int dim, vb_error *err) {
    *its = (vb_device_products){.products = {its, multiply}, .context = context};
    if (vb_similarity_bank_new(bank, texts, classes, dim, pair->spec->similarity, err)) return -1;
    return open_products(its, *bank, texts, classes, dim, pair->threads, err);
}

void vb_device_products_close(vb_device_products *its) {
    vb_gpu_scores_close(its->scores);
    its->scores = NULL;
}
