/* For tests of devices: the first one of the machine, with a store of built programs that tests share; skipped without one. */
#ifndef VB_GPU_TEST_H
#define VB_GPU_TEST_H

#include "kernels/gpu/gpu_device.h"
#include "shards/files/blob_store.h"
#include "tests/unit/scratch.h"

static inline int gpu_test_load(void *folder, const char *key, uint8_t **bytes, size_t *size, vb_error *err) {
    return vb_blob_store_load(folder, key, bytes, size, err);
}
static inline void gpu_test_save(void *folder, const char *key, const void *bytes, size_t size) {
    vb_error err = {0};
    vb_blob_store_save(folder, key, bytes, size, &err);
}

static inline const vb_gpu_store *gpu_test_store(void) {
    static char folder[600];
    static vb_gpu_store store = {.context = folder, .load = gpu_test_load, .save = gpu_test_save};
    const char *build = getenv("VOCABENCH_BUILD");
    snprintf(folder, sizeof folder, "%s/tests/gpu-programs", build ? build : "build");
    return &store;
}

static inline vb_gpu_device *gpu_test_open(void) {
    vb_error err = {0};
    vb_gpu_device *device = NULL;
    if (vb_gpu_device_open(&device, 0, gpu_test_store(), &err)) {
        if (err.code != VB_EUNSUPPORTED) fail_msg("%s", err.text);
        print_message("%s\n", err.text);
        skip();
    }
    return device;
}

#endif
