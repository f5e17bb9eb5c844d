/* Choosing, opening and proving a device. */
#include "mpi/base/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_check.h"
#include "kernels/gpu/gpu_choice.h"
#include "shards/files/blob_store.h"

enum { SEED = 1 }; /* of the check's programs */
static const char tolerated_mark[] = "; tolerated: ";

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
    device->count = count;
    return 0;
}

static int open_device(vb_device *device, int index, vb_error *err) {
    device->index = index;
    return vb_gpu_device_open(&device->gpu, index, set_store(device), err);
}

/* Kept ones, or measured ones; a first start tells why it takes its time. */
static int choose_tiles(const vb_device *device, vb_error *err) {
    bool found;
    if (vb_gpu_choice_load(device->gpu, &found, err)) return -1;
    if (found) return 0;
    fprintf(stderr, "vocabench: note: %s: the fastest tiles are measured, once for this driver\n",
            vb_gpu_device_facts(device->gpu)->name);
    return vb_gpu_choice_measure(device->gpu, err);
}

/* Which of the machine's devices it is: as its driver tells, or by what this rank is shown of them and its place there. */
static vb_digest identify(const vb_device *device, vb_error *err) {
    static const char *const variables[] = {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
                                            "GPU_DEVICE_ORDINAL", "ZE_AFFINITY_MASK"};
    const vb_gpu_device_info *info = vb_gpu_device_facts(device->gpu);
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return (vb_digest){""};
    vb_digest_add_text(digester, info->name);
    vb_digest_add_text(digester, info->identity);
    if (!info->identity[0]) {
        vb_digest_add(digester, &device->index, sizeof device->index);
        for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
            vb_digest_add_text(digester, getenv(variables[i]) ? getenv(variables[i]) : "");
    }
    return vb_digest_finish(digester);
}

/* What a rank tells the others of its device. */
typedef struct tiles_note {
    char key[sizeof((vb_digest){0}.hex)]; /* of the choice of tiles; "": no device */
    char choice[VB_GPU_TILES_TEXT];       /* "": none */
    vb_digest identity;
    int node;
} tiles_note;

static void count_share(vb_device *device, const vb_comm *comm, const tiles_note *notes) {
    device->share = 0;
    for (int r = 0; r < comm->size; r++)
        device->share += notes[r].node == comm->node && !strcmp(notes[r].identity.hex, device->identity.hex);
}

/* Of the ranks whose devices are of one kind the first chooses (it measures where nothing is kept), while the others leave the
 * devices alone; they take its choice. Without one the tiles are those that go unmeasured. Where no rank has a device nothing is
 * sent. Collective. */
static int share_tiles(vb_device *device, vb_comm *comm, int status, vb_error *err) {
    vb_error why = {0};
    int64_t any = !!device->gpu;
    if (vb_comm_max(comm, &any, 1, &why)) return vb_errorf(err, why.code, "%s", why.text);
    device->any = any != 0;
    if (!any) return status;
    tiles_note *notes = vb_array((size_t)comm->size, sizeof *notes, "tiles", &why);
    if (vb_comm_agree(comm, notes ? 0 : -1, &why)) {
        vb_free(notes);
        return vb_errorf(err, why.code, "%s", why.text);
    }
    int shared = 0, owner = comm->rank;
    char *key = status || !device->gpu ? NULL : vb_gpu_choice_key(device->gpu, err);
    if (!status && device->gpu && !key) status = -1;
    if (key) {
        snprintf(notes[comm->rank].key, sizeof notes->key, "%s", vb_digest_bytes(key, strlen(key)).hex);
        device->identity = identify(device, err);
        if (!device->identity.hex[0]) status = -1;
    }
    vb_free(key);
    notes[comm->rank].identity = device->identity;
    notes[comm->rank].node = comm->node;
    shared = vb_comm_allgather_rows(comm, notes, comm->size, sizeof *notes, &why);
    if (!shared && device->identity.hex[0]) count_share(device, comm, notes);
    const char *own = notes[comm->rank].key;
    for (int r = comm->rank - 1; r >= 0 && *own; r--)
        if (!strcmp(notes[r].key, own)) owner = r;
    if (!status && *own && owner == comm->rank) {
        status = choose_tiles(device, err);
        if (!status) vb_gpu_tiles_write(device->gpu, notes[owner].choice);
    }
    if (!shared) shared = vb_comm_allgather_rows(comm, notes, comm->size, sizeof *notes, &why);
    if (!shared && *own && owner != comm->rank) vb_gpu_tiles_read(device->gpu, notes[owner].choice);
    vb_free(notes);
    if (shared) return vb_errorf(err, why.code, "%s", why.text);
    return status;
}

static int prove(vb_device *device, vb_device_check check, vb_error *err) {
    bool differs;
    if (!vb_gpu_check_device(device->gpu, SEED, &differs, err)) return 0;
    if (!differs || check != VB_DEVICE_TOLERATE) return -1;
    device->differs = true;
    snprintf(device->difference, sizeof device->difference, "%s", err->text);
    fprintf(stderr, "vocabench: warning: %s\n", err->text);
    vb_error_clear(err);
    return 0;
}

/* The device's part of a failure goes, which what MPI fails at is not; what `auto` does instead is told. */
static int fall_back(vb_device *device, const vb_context *context, vb_error *err) {
    if (err->code == VB_EINTERNAL || err->code == VB_EMPI) return -1;
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
        if (!status && (index >= 0 || kind == VB_DEVICE_GPU)) status = open_device(device, index < 0 ? 0 : index, err);
        vb_context_keep_signals();
    }
    status = share_tiles(device, &context->comm, status, err);
    if (!status && device->gpu) status = prove(device, check, err);
    if (kind != VB_DEVICE_CPU) vb_context_keep_signals(); /* compilers may take them, too */
    if (status && kind == VB_DEVICE_AUTO) status = fall_back(device, context, err);
    context->device = device;
    if (vb_comm_agree(&context->comm, status, err)) return -1;
    return agree_on_tolerated(device, &context->comm, err);
}

void vb_device_close(vb_device *device, vb_context *context) {
    vb_gpu_device_close(device->gpu);
    device->gpu = NULL;
    context->device = NULL;
}

double vb_device_crowd(const vb_device *device, double ranks) { return device->gpu ? ranks / device->count : 0; }

void vb_device_try(int index, char tiles[VB_GPU_TILES_TEXT + 16], char *text, size_t size) {
    vb_device device = {0};
    vb_error err = {0};
    int status = open_device(&device, index, &err);
    if (!status) status = choose_tiles(&device, &err);
    if (!status) status = prove(&device, VB_DEVICE_STRICT, &err);
    tiles[0] = 0;
    if (device.gpu) vb_gpu_tiles_write(device.gpu, tiles);
    for (char *end; (end = strchr(tiles, '\n'));) { /* lines as a list */
        if (!end[1]) *end = 0;
        else {
            memmove(end + 2, end + 1, strlen(end + 1) + 1);
            memcpy(end, ", ", 2);
        }
    }
    if (!status) snprintf(text, size, "equal to the CPU, bit for bit");
    else snprintf(text, size, "not used: %s", err.text);
    vb_gpu_device_close(device.gpu);
}

const char *vb_device_tolerated(const vb_context *context) { return context->device ? context->device->tolerated.hex : ""; }

vb_gpu_device *vb_device_for_decisions(const vb_context *context) {
    const vb_device *device = context->device;
    return device && device->gpu && !device->differs && vb_gpu_device_facts(device->gpu)->subnormals ? device->gpu : NULL;
}

void vb_device_describe(const vb_context *context, char *text, size_t size) {
    const vb_device *device = context->device;
    if (device && device->lends[0]) snprintf(text, size, "%s", device->lends);
    else if (!device || !device->gpu) snprintf(text, size, "cpu");
    else {
        const vb_gpu_device_info *info = vb_gpu_device_facts(device->gpu);
        snprintf(text, size, "%s, %s%s%s", info->name, info->driver, device->differs ? tolerated_mark : "", device->difference);
    }
}

bool vb_device_described_tolerated(const char *text) { return strstr(text, tolerated_mark) != NULL; }

int vb_device_batch_on_gpu(int batch) {
    enum { DEVICE_BATCH = 256 }; /* a whole unit: rows enough for any GPU */
    return batch < DEVICE_BATCH ? DEVICE_BATCH : batch;
}

int vb_device_batch(const vb_context *context, int batch) {
    const vb_device *device = context->device;
    return device && device->gpu && !vb_gpu_device_facts(device->gpu)->processor ? vb_device_batch_on_gpu(batch) : batch;
}
