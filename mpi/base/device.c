/* Choosing, opening and proving a device. */
#include "mpi/base/device.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_check.h"
#include "shards/files/blob_store.h"

enum { SEED = 1 }; /* of the check's programs */

static int load_program(void *folder, const char *key, uint8_t **bytes, size_t *size, vb_error *err) {
    return vb_blob_store_load(folder, key, bytes, size, err);
}

/* A folder that cannot be written to makes the next start slower, nothing else. */
static void save_program(void *folder, const char *key, const void *bytes, size_t size) {
    vb_error ignored = {0};
    vb_blob_store_save(folder, key, bytes, size, &ignored);
}

static const vb_gpu_store *set_store(vb_device *device) {
    vb_error ignored = {0};
    char *folder = vb_blob_store_default("devices", &ignored);
    const bool fits = folder && strlen(folder) < sizeof device->store;
    if (fits) strcpy(device->store, folder);
    vb_free(folder);
    device->programs = (vb_gpu_store){device->store, load_program, save_program};
    return fits ? &device->programs : NULL;
}

/* Which device is this rank's, of those to be had; *index -1: none. */
static int choose(vb_device *device, const vb_comm *comm, bool processors, int *index, vb_error *err) {
    vb_gpu_device_info *list;
    int all, count = 0;
    *index = -1;
    if (vb_gpu_device_list(&list, &all, err)) return -1;
    while (count < all && !list[count].processor) count++;
    if (!count && processors) count = all;
    vb_free(list);
    if (!count) return 0;
    *index = comm->node_rank % count;
    device->share = (comm->node_size + count - 1) / count;
    return 0;
}

/* Opens and checks. */
static int prove(vb_device *device, int index, vb_device_check check, vb_error *err) {
    device->index = index;
    if (vb_gpu_device_open(&device->gpu, index, set_store(device), err)) return -1;
    if (!vb_gpu_check_device(device->gpu, SEED, err)) return 0;
    if (err->code != VB_EDEVICE || check != VB_DEVICE_TOLERATE) return -1;
    device->differs = true;
    snprintf(device->difference, sizeof device->difference, "%s", err->text);
    fprintf(stderr, "vocabench: warning: %s\n", err->text);
    vb_error_clear(err);
    return 0;
}

/* The device's part of a failure goes; what `auto` does instead is told. */
static int fall_back(vb_device *device, const vb_context *context, vb_error *err) {
    if (err->code == VB_EINTERNAL) return -1;
    if (device->gpu) fprintf(stderr, "vocabench: note: rank %d goes on with the CPU: %s\n", context->comm.world_rank, err->text);
    vb_gpu_device_close(device->gpu);
    device->gpu = NULL;
    vb_error_clear(err);
    return 0;
}

int vb_device_open(vb_device *device, vb_context *context, vb_device_kind kind, vb_device_check check, vb_error *err) {
    *device = (vb_device){.index = -1};
    int status = 0;
    if (kind != VB_DEVICE_CPU) {
        int index;
        status = choose(device, &context->comm, kind == VB_DEVICE_GPU, &index, err);
        /* of none, opening says what to install */
        if (!status && (index >= 0 || kind == VB_DEVICE_GPU)) status = prove(device, index < 0 ? 0 : index, check, err);
        vb_context_keep_signals();
        if (status && kind == VB_DEVICE_AUTO) status = fall_back(device, context, err);
    }
    context->device = device;
    return vb_comm_agree(&context->comm, status, err);
}

void vb_device_close(vb_device *device, vb_context *context) {
    vb_gpu_device_close(device->gpu);
    device->gpu = NULL;
    context->device = NULL;
}

void vb_device_try(int index, char *text, size_t size) {
    vb_device device = {0};
    vb_error err = {0};
    if (!prove(&device, index, VB_DEVICE_STRICT, &err)) snprintf(text, size, "equal to the CPU, bit for bit");
    else snprintf(text, size, "not used: %s", err.text);
    vb_gpu_device_close(device.gpu);
}

const char *vb_device_name(const vb_context *context) {
    return context->device && context->device->gpu ? vb_gpu_device_facts(context->device->gpu)->name : "cpu";
}

void vb_device_describe(const vb_context *context, char *text, size_t size) {
    const vb_device *device = context->device;
    if (!device || !device->gpu) snprintf(text, size, "cpu");
    else {
        const vb_gpu_device_info *info = vb_gpu_device_facts(device->gpu);
        snprintf(text, size, "%s, %s%s%s", info->name, info->driver, device->differs ? "; tolerated: " : "", device->difference);
    }
}

int vb_device_batch(const vb_context *context, int batch) {
    enum { DEVICE_BATCH = 256 }; /* a whole unit: rows enough for any GPU */
    const vb_device *device = context->device;
    if (!device || !device->gpu || vb_gpu_device_facts(device->gpu)->processor) return batch;
    return batch < DEVICE_BATCH ? DEVICE_BATCH : batch;
}
