/* Runs towers' programs on a device: the same bytes as kernels/towers/engine.h; texts share their beginnings as there. */
#ifndef VB_GPU_ENGINE_H
#define VB_GPU_ENGINE_H

#include "kernels/gpu/gpu_device.h"
#include "kernels/towers/engine.h"

/* For the programs of one model, whose weights it uploads when one is run first. Used by one thread at a time. */
typedef struct vb_gpu_engine vb_gpu_engine;

/* device: borrowed; may serve several engines, one at a time. share: how many processes use the device, each of which takes its
 * part of the memory. Close it before the programs go, in any case. */
int vb_gpu_engine_open(vb_gpu_engine **engine, vb_gpu_device *device, int share, vb_error *err);
void vb_gpu_engine_close(vb_gpu_engine *engine);

/* What vb_engine_options.device points to. Where the device's memory runs out, the batch goes in smaller pieces; what one item
 * takes must fit: VB_EMEMORY. VB_EDEVICE: the device failed; nothing was written that is not whole. */
const vb_engine_device *vb_gpu_engine_interface(const vb_gpu_engine *engine);

/* Bytes of buffers on a device that n items take beside the weights, where memory does not run out. bytes: pictures come as
 * such. */
size_t vb_gpu_engine_work_bytes(const vb_gpu_device_info *info, int share, const vb_program *program, bool bytes, int64_t n);

/* Pieces that were begun anew, smaller, for lack of memory. */
int vb_gpu_engine_retries(const vb_gpu_engine *engine);

#endif
