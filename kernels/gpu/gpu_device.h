/* Devices that OpenCL offers: GPUs and accelerators first, then processors (PoCL). */
#ifndef VB_GPU_DEVICE_H
#define VB_GPU_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_gpu_device vb_gpu_device; /* an opened one; used by one thread at a time */

typedef struct vb_gpu_device_info {
    char name[128], vendor[128], version[128], driver[128], platform[128];
    char identity[48]; /* which of the machine's devices it is, the same in every process; "": its driver does not tell */
    uint64_t memory, largest_buffer, local_memory; /* bytes */
    int units, mhz, group_size;
    bool processor;           /* OpenCL on the CPU */
    bool doubles;             /* fp64, which LayerNorm needs: a device without is not used */
    bool subnormals, divides; /* fp32: keeps subnormal numbers; promises correctly rounded division when asked */
} vb_gpu_device_info;

/* Where built programs are kept. A key is a text that names all that a program depends on. */
typedef struct vb_gpu_store {
    void *context;
    /* *bytes (vb_free) of a key; NULL where there are none, or none that are whole. -1: for lack of memory alone. */
    int (*load)(void *context, const char *key, uint8_t **bytes, size_t *size, vb_error *err);
    void (*save)(void *context, const char *key, const void *bytes, size_t size); /* nothing depends on it */
} vb_gpu_store;

/* All devices of the machine that this process may see (drivers honour CUDA_VISIBLE_DEVICES and their like). *list: an array
 * (vb_free), NULL where *count is 0. VB_EUNSUPPORTED: no OpenCL on this machine. */
int vb_gpu_device_list(vb_gpu_device_info **list, int *count, vb_error *err);

/* Device `index` of the list. store: borrowed, or NULL: nothing is kept. VB_EUNSUPPORTED: there is none, or it lacks what is
 * needed. Close it in any case, also after a failure: *device may be NULL. */
int vb_gpu_device_open(vb_gpu_device **device, int index, const vb_gpu_store *store, vb_error *err);
void vb_gpu_device_close(vb_gpu_device *device);

const vb_gpu_device_info *vb_gpu_device_facts(const vb_gpu_device *device);

#endif
