/* Listing and opening devices. */
#include "kernels/gpu/gpu_device.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_work.h"

enum { MOST_PLATFORMS = 16, MOST_DEVICES = 256 };

typedef struct found_device {
    cl_platform_id platform;
    cl_device_id id;
} found_device;

/* GPUs and accelerators of all platforms, then processors; each in the platforms' order. */
static int find_devices(const vb_opencl *cl, found_device found[MOST_DEVICES], int *count, vb_error *err) {
    static const cl_device_type types[] = {CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR, CL_DEVICE_TYPE_CPU};
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint platform_count = 0;
    *count = 0;
    const cl_int code = cl->GetPlatformIDs(MOST_PLATFORMS, platforms, &platform_count);
    if (code == -1001) return 0; /* a loader without drivers */
    if (code) return vb_opencl_failed(code, "list", "clGetPlatformIDs", err);
    if (platform_count > MOST_PLATFORMS) platform_count = MOST_PLATFORMS;
    for (size_t type = 0; type < sizeof types / sizeof *types; type++)
        for (cl_uint p = 0; p < platform_count; p++) {
            cl_device_id ids[MOST_DEVICES];
            cl_uint here = 0;
            if (cl->GetDeviceIDs(platforms[p], types[type], MOST_DEVICES, ids, &here)) continue; /* none of this type */
            for (cl_uint i = 0; i < here && i < MOST_DEVICES && *count < MOST_DEVICES; i++)
                found[(*count)++] = (found_device){platforms[p], ids[i]};
        }
    return 0;
}

/* Without the blanks that some drivers pad names with. */
static void get_text(const vb_opencl *cl, cl_device_id id, cl_device_info what, char text[128]) {
    char all[1024] = "";
    if (cl->GetDeviceInfo(id, what, sizeof all - 1, all, NULL)) all[0] = 0;
    const char *begin = all + strspn(all, " ");
    size_t size = strlen(begin);
    while (size && begin[size - 1] == ' ') size--;
    if (size > 127) size = 127;
    memcpy(text, begin, size);
    text[size] = 0;
}

/* A number of any width; 0 where the device does not say. */
static uint64_t get_number(const vb_opencl *cl, cl_device_id id, cl_device_info what) {
    uint64_t value = 0; /* little-endian: narrower ones fill its low bytes */
    return cl->GetDeviceInfo(id, what, sizeof value, &value, NULL) ? 0 : value;
}

/* By extensions that older headers have no names for: a UUID of its own, or its place on the bus. */
static void identify(const vb_opencl *cl, cl_device_id id, char identity[48]) {
    enum {
        UUID = 0x106A,
        PCI = 0x410F,
        NVIDIA_BUS = 0x4008,
        NVIDIA_SLOT = 0x4009,
        NVIDIA_DOMAIN = 0x400A,
        AMD_TOPOLOGY = 0x4037
    };
    static const uint8_t none[16];
    uint8_t uuid[16] = {0}, amd[24]; /* a type of 4 bytes, 17 that are not used, bus, device, function */
    cl_uint place[4] = {0};          /* domain, bus, device, function */
    if (!cl->GetDeviceInfo(id, UUID, sizeof uuid, uuid, NULL) && memcmp(uuid, none, sizeof uuid)) {
        int at = snprintf(identity, 48, "uuid ");
        for (size_t i = 0; i < sizeof uuid; i++) at += snprintf(identity + at, (size_t)(48 - at), "%02x", uuid[i]);
        return;
    }
    bool known = !cl->GetDeviceInfo(id, PCI, sizeof place, place, NULL);
    if (!known) {
        known = !cl->GetDeviceInfo(id, NVIDIA_BUS, sizeof place[1], &place[1], NULL) &&
                !cl->GetDeviceInfo(id, NVIDIA_SLOT, sizeof place[2], &place[2], NULL);
        if (known) (void)cl->GetDeviceInfo(id, NVIDIA_DOMAIN, sizeof place[0], &place[0], NULL); /* of older drivers 0 */
    }
    if (!known && !cl->GetDeviceInfo(id, AMD_TOPOLOGY, sizeof amd, amd, NULL)) {
        for (int i = 0; i < 3; i++) place[1 + i] = amd[21 + i];
        known = true;
    }
    identity[0] = 0;
    if (known) snprintf(identity, 48, "pci %x:%x:%x.%x", place[0], place[1], place[2], place[3]);
}

static void describe(const vb_opencl *cl, const found_device *found, vb_gpu_device_info *info) {
    *info = (vb_gpu_device_info){0};
    get_text(cl, found->id, CL_DEVICE_NAME, info->name);
    get_text(cl, found->id, CL_DEVICE_VENDOR, info->vendor);
    get_text(cl, found->id, CL_DEVICE_VERSION, info->version);
    get_text(cl, found->id, CL_DRIVER_VERSION, info->driver);
    if (cl->GetPlatformInfo(found->platform, CL_PLATFORM_NAME, sizeof info->platform - 1, info->platform, NULL))
        info->platform[0] = 0;
    identify(cl, found->id, info->identity);
    info->memory = get_number(cl, found->id, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->largest_buffer = get_number(cl, found->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info->local_memory = get_number(cl, found->id, CL_DEVICE_LOCAL_MEM_SIZE);
    info->units = (int)get_number(cl, found->id, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->mhz = (int)get_number(cl, found->id, CL_DEVICE_MAX_CLOCK_FREQUENCY);
    info->group_size = (int)get_number(cl, found->id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    info->processor = get_number(cl, found->id, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU;
    const uint64_t single = get_number(cl, found->id, CL_DEVICE_SINGLE_FP_CONFIG);
    info->doubles = get_number(cl, found->id, CL_DEVICE_DOUBLE_FP_CONFIG) != 0;
    info->subnormals = single & CL_FP_DENORM;
    info->divides = single & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT;
}

int vb_gpu_device_list(vb_gpu_device_info **list, int *count, vb_error *err) {
    vb_opencl cl;
    found_device found[MOST_DEVICES];
    *list = NULL;
    *count = 0;
    int here = 0;
    if (vb_opencl_load(&cl, err) || find_devices(&cl, found, &here, err)) return -1;
    if (!here) return 0;
    if (!(*list = vb_array((size_t)here, sizeof **list, "list of devices", err))) return -1;
    for (int i = 0; i < here; i++) describe(&cl, &found[i], &(*list)[i]);
    *count = here;
    return 0;
}

static int check_facts(const vb_gpu_device_info *info, vb_error *err) {
    int major = 0, minor = 0;
    if (sscanf(info->version, "OpenCL %d.%d", &major, &minor) != 2 || major * 10 + minor < 12)
        return vb_errorf(err, VB_EUNSUPPORTED, "device %s: it says version \"%s\": OpenCL 1.2 is needed", info->name,
                         info->version);
    if (!info->doubles)
        return vb_errorf(err, VB_EUNSUPPORTED, "device %s: it has no fp64, which LayerNorm is computed in: use another device",
                         info->name);
    if (info->group_size < 256 || info->local_memory < 32 << 10)
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "device %s: work groups of %d items and %llu bytes of local memory: 256 and 32768 are needed",
                         info->name, info->group_size, (unsigned long long)info->local_memory);
    return 0;
}

static int set_up(vb_gpu_device *device, int index, vb_error *err) {
    vb_opencl *cl = &device->cl;
    found_device found[MOST_DEVICES];
    int here = 0;
    if (vb_opencl_load(cl, err) || find_devices(cl, found, &here, err)) return -1;
    if (!here)
        return vb_errorf(
            err, VB_EUNSUPPORTED,
            "OpenCL finds no device: install the device's driver (NVIDIA: nvidia-opencl-icd; AMD: rocm-opencl-icd or "
            "ROCm's; Intel: intel-opencl-icd; a processor: pocl-opencl-icd), or look at CUDA_VISIBLE_DEVICES, "
            "ROCR_VISIBLE_DEVICES and OCL_ICD_VENDORS");
    if (index < 0 || index >= here)
        return vb_errorf(err, VB_EUNSUPPORTED, "there is no device %d: OpenCL finds %d, counted from 0", index, here);
    describe(cl, &found[index], &device->info);
    if (check_facts(&device->info, err)) return -1;
    device->id = found[index].id;
    device->generic = device->info.processor;
    vb_gpu_tiles_default(device);
    cl_int code;
    const char *call = "clCreateContext";
    device->context = cl->CreateContext(NULL, 1, &device->id, NULL, NULL, &code);
    if (!code) {
        call = "clCreateCommandQueue";
        device->queue = cl->CreateCommandQueue(device->context, device->id, 0, &code);
    }
    if (!code) device->transfers = cl->CreateCommandQueue(device->context, device->id, 0, &code);
    if (!code) device->downloads = cl->CreateCommandQueue(device->context, device->id, 0, &code);
    if (code) return vb_opencl_failed(code, device->info.name, call, err);
    static const float zeros[16];
    return vb_gpu_work_copy(device, zeros, sizeof zeros, &device->nothing, err);
}

int vb_gpu_device_open(vb_gpu_device **device, int index, const vb_gpu_store *store, vb_error *err) {
    if (!(*device = vb_array(1, sizeof **device, "device", err))) return -1;
    (*device)->store = store;
    if (!set_up(*device, index, err)) return 0;
    vb_gpu_device_close(*device);
    *device = NULL;
    return -1;
}

void vb_gpu_device_close(vb_gpu_device *device) {
    if (!device) return;
    const vb_opencl *cl = &device->cl;
    if (device->queue) cl->Finish(device->queue);
    if (device->transfers) cl->Finish(device->transfers);
    if (device->downloads) cl->Finish(device->downloads);
    for (size_t i = 0; i < device->module_count; i++) {
        vb_gpu_module *module = device->modules[i];
        for (int k = 0; k < VB_GPU_KERNELS; k++)
            if (module->kernels[k].kernel) cl->ReleaseKernel(module->kernels[k].kernel);
        if (module->program) cl->ReleaseProgram(module->program);
        vb_free(module);
    }
    vb_free(device->modules);
    vb_gpu_work_release(device, &device->nothing, 0);
    if (device->transfers) cl->ReleaseCommandQueue(device->transfers);
    if (device->downloads) cl->ReleaseCommandQueue(device->downloads);
    if (device->queue) cl->ReleaseCommandQueue(device->queue);
    if (device->context) cl->ReleaseContext(device->context);
    vb_free(device);
}

const vb_gpu_device_info *vb_gpu_device_facts(const vb_gpu_device *device) { return &device->info; }
