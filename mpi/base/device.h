/* Where this rank's models are computed: the CPU, or a device that OpenCL offers. Embeddings have the same bytes either way. */
#ifndef VB_DEVICE_H
#define VB_DEVICE_H

#include <stdbool.h>

#include "kernels/gpu/gpu_device.h"
#include "kernels/gpu/gpu_tiles.h"
#include "mpi/ranks/context.h"
#include "shards/files/digest.h"

typedef enum vb_device_kind { VB_DEVICE_CPU, VB_DEVICE_GPU, VB_DEVICE_AUTO, VB_DEVICE_KINDS } vb_device_kind;
typedef enum vb_device_check { VB_DEVICE_STRICT, VB_DEVICE_TOLERATE, VB_DEVICE_CHECKS } vb_device_check;

typedef struct vb_device {
    vb_gpu_device *gpu;   /* NULL: the CPU */
    int index, share;     /* in the list of devices; ranks of this machine that use it */
    int count;            /* devices that ranks of this machine take in turn */
    bool any;             /* some rank has one */
    vb_digest identity;   /* of the device among those of the machine, whatever a rank's variables show of them */
    char lends[320];      /* what vb_device_describe says of a rank that lends its cores (mpi/base/device_lending.h) */
    bool differs;         /* from the CPU, and used nevertheless */
    char difference[512]; /* what the start-up check found */
    vb_digest tolerated;  /* vb_device_tolerated */
    char store[1024];     /* folder of built programs; "": none */
    vb_gpu_store programs;
} vb_device;

/* Opens this rank's device, holds it against the CPU and puts it into context->device, for all models that are opened afterwards.
 * Ranks of a machine take its devices in turn. VB_DEVICE_GPU: GPUs and accelerators, or where there are none processors that
 * OpenCL offers (PoCL); VB_EUNSUPPORTED without any; VB_EDEVICE when it does not prove itself, unless `check` tolerates it.
 * VB_DEVICE_AUTO: GPUs and accelerators that prove themselves, else the CPU, which is told on stderr. The signals' handlers,
 * which drivers take, are taken back. Tiles that are not yet kept for a kind of device are measured by the
 * first rank that has one, which tells so on stderr. Close it in any case. Collective. */
int vb_device_open(vb_device *device, vb_context *context, vb_device_kind kind, vb_device_check check, vb_error *err);
void vb_device_close(vb_device *device, vb_context *context);

/* How many of `ranks` ranks of a machine would share each of the devices that are seen here; 0: there is none. Local. */
double vb_device_crowd(const vb_device *device, double ranks);

/* Local, for a list: opens device `index`, checks it and says what was found: "equal to the CPU, bit for bit", or why not. Memory
 * aside nothing fails. tiles: its choice, measured where none is kept; "" where it cannot be opened. */
void vb_device_try(int index, char tiles[VB_GPU_TILES_TEXT + 16], char *text, size_t size);

/* Belongs into every key of what models compute: a digest of the names and drivers of the devices that differ from the CPU and
 * are used nevertheless, by whichever rank; the same text on all ranks. "": all have the CPU's bits. */
const char *vb_device_tolerated(const vb_context *context);

/* The device whose products may take part in decisions, next to error bounds: one whose bits are the CPU's and that keeps
 * subnormal numbers. NULL: there is none. */
vb_gpu_device *vb_device_for_decisions(const vb_context *context);

/* "cpu", or the device's name and driver and what the check found: for the results. */
void vb_device_describe(const vb_context *context, char *text, size_t size);

/* Whether such a text is of a device that differs from the CPU and was used nevertheless. */
bool vb_device_described_tolerated(const char *text);

/* Images that are encoded at once: as stated, more on a GPU, which few would leave idle. */
int vb_device_batch(const vb_context *context, int batch);
int vb_device_batch_on_gpu(int batch); /* of a GPU, whether one is here or not */

#endif
