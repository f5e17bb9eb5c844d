/* The choice among tiles by a measurement, and how it is kept. */
#ifndef VB_GPU_CHOICE_H
#define VB_GPU_CHOICE_H

#include "kernels/gpu/gpu_device.h"
#include "kernels/gpu/gpu_tiles.h"

/* A text that names all that a choice depends on: sources, device, driver. Free with vb_free. */
char *vb_gpu_choice_key(const vb_gpu_device *device, vb_error *err);

/* Takes what the store has; *found: false, and nothing is changed, where that is nothing, or nothing that fits the table and the
 * device. -1: for lack of memory alone. */
int vb_gpu_choice_load(vb_gpu_device *device, bool *found, vb_error *err);
/* Measures for a moment and puts the choice into the store. A row of other bits than the first one's, or one that fails, is not
 * chosen. The device's error, when all fail: the choice is then vb_gpu_tiles_default's. */
int vb_gpu_choice_measure(vb_gpu_device *device, vb_error *err);

#endif
