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
    bool differs;
    if (!vb_gpu_check_device(device->gpu, SEED, &differs, err)) return 0;
    if (!differs || check != VB_DEVICE_TOLERATE) return -1;
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

/* The devices of all ranks that differ and are used: what one rank computes goes into what all ranks find. Collective. */
static int agree_on_tolerated(vb_device *device, vb_comm *comm, vb_error *err) {
    char own[sizeof((vb_gpu_device_info){0}.name) + sizeof((vb_gpu_device_info){0}.driver)] = "";
    if (device->differs) {
        const vb_gpu_device_info *info = vb_gpu_device_facts(device->gpu);
        snprintf(own, sizeof own, "%s\n%s", info->name, info->driver);
    }
    vb_blocks blocks;
    if (vb_comm_gather(comm, own, strlen(own), &blocks, err)) return -1;
    vb_digester *digester = NULL;
    bool any = false;
    for (int r = 0; r < blocks.count; r++) any = any || blocks.sizes[r];
    int status = any ? vb_digest_new(&digester, err) : 0;
    for (int r = 0; digester && r < blocks.count; r++) {
        int same = 0; /* each once: how many ranks use it is nothing */
        while (same < r && strcmp(blocks.bytes[same], blocks.bytes[r])) same++;
        if (same == r && blocks.sizes[r]) vb_digest_add_text(digester, blocks.bytes[r]);
    }
    if (digester) device->tolerated = vb_digest_finish(digester);
    vb_comm_blocks_free(&blocks);
    if (vb_comm_agree(comm, status, err)) return -1;
    return vb_comm_broadcast(comm, &device->tolerated, sizeof device->tolerated, err);
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
    if (vb_comm_agree(&context->comm, status, err)) return -1;
    return agree_on_tolerated(device, &context->comm, err);
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

const char *vb_device_tolerated(const vb_context *context) { return context->device ? context->device->tolerated.hex : ""; }

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
