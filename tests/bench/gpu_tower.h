/* Image towers of random weights, of the sizes that CLIP's have: for timing a device without a model at hand. */
#ifndef VB_BENCH_GPU_TOWER_H
#define VB_BENCH_GPU_TOWER_H

#include "kernels/towers/program.h"

typedef struct gpu_vit {
    const char *name;
    int patch, width, layers, heads, columns;
} gpu_vit;

enum { GPU_VITS = 3 };
extern const gpu_vit gpu_vits[GPU_VITS];

/* With so many layers of it. The program owns its weights; close it in any case. VB_EMEMORY. */
int gpu_tower_make(vb_program *program, const gpu_vit *vit, int layers, vb_error *err);

#endif
