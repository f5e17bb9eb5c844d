/* Work on an opened device: buffers, built programs, launches. Private to kernels/gpu/. */
#ifndef VB_GPU_WORK_H
#define VB_GPU_WORK_H

#include "kernels/gpu/gpu_device.h"
#include "kernels/gpu/gpu_tiles.h"
#include "kernels/gpu/opencl.h"

enum { VB_GPU_KERNELS = 24, VB_GPU_OPTIONS = 256 };

/* A program that was built with some options, and those of its kernels that were asked for. */
typedef struct vb_gpu_module {
    cl_program program;
    const char *source; /* the text's own address */
    char options[VB_GPU_OPTIONS];
    struct {
        const char *name;
        cl_kernel kernel;
    } kernels[VB_GPU_KERNELS];
} vb_gpu_module;

struct vb_gpu_device {
    vb_opencl cl;
    vb_gpu_device_info info;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue, transfers, downloads; /* each in order: computing, and uploads and downloads that go beside it */
    bool generic; /* few programs that serve all cases, instead of one for each: for processors, whose compilers are slow */
    vb_gpu_choice choice;
    const vb_gpu_store *store;
    vb_gpu_module **modules;
    size_t module_count, module_capacity;
    cl_mem nothing;    /* stands for an argument that a kernel does not read */
    uint64_t in_use;   /* bytes of buffers */
    int builds, loads; /* programs that were built from source, and taken from the store */
    int measured;      /* choices that were made by measuring */
};

/* A buffer of at least a byte; what it holds is undefined. */
int vb_gpu_work_buffer(vb_gpu_device *device, size_t bytes, cl_mem *buffer, vb_error *err);
void vb_gpu_work_release(vb_gpu_device *device, cl_mem *buffer, size_t bytes); /* NULL is fine, and what it leaves */
/* A buffer with a copy of host memory, which may go afterwards. */
int vb_gpu_work_copy(vb_gpu_device *device, const void *bytes, size_t size, cl_mem *buffer, vb_error *err);
/* Both return when it is done; it is written on one of the device's queues. */
int vb_gpu_work_write(vb_gpu_device *device, cl_command_queue queue, cl_mem buffer, const void *bytes, size_t at, size_t size,
                      vb_error *err);
int vb_gpu_work_read(vb_gpu_device *device, cl_mem buffer, size_t at, void *bytes, size_t size, vb_error *err);

/* The program of a text behind that of gpu_math.cl, built or from the store. It belongs to the device. */
int vb_gpu_work_module(vb_gpu_device *device, const char *source, const char *options, vb_gpu_module **module, vb_error *err);

/* Elements of a buffer from one on. */
typedef struct vb_gpu_place {
    cl_mem buffer;
    cl_ulong at;
} vb_gpu_place;

typedef struct vb_gpu_argument {
    size_t size;
    const void *value; /* NULL: so many bytes of local memory; a driver aligns it to what the kernel's argument points to */
} vb_gpu_argument;
#define VB_GPU_ARGUMENT(variable)                                                                                                \
    { sizeof(variable), &(variable) }

/* A launch of groups[0] x groups[1] x groups[2] work groups of so many items; of no group: nothing happens. */
typedef struct vb_gpu_launch {
    vb_gpu_module *module;
    const char *kernel; /* a constant */
    const vb_gpu_argument *arguments;
    int count;
    size_t groups[3], items[3];
} vb_gpu_launch;

/* Queues it. */
int vb_gpu_work_launch(vb_gpu_device *device, const vb_gpu_launch *launch, vb_error *err);

#endif
