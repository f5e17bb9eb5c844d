/* Small towers of random weights that have every kind of operation, for holding one engine against another. */
#ifndef VB_GPU_SCENES_H
#define VB_GPU_SCENES_H

#include "kernels/towers/engine.h"

enum { VB_GPU_SCENES = 4 }; /* pictures, texts, texts with a class row, pictures of any shape */

typedef struct vb_gpu_scene {
    vb_program program; /* owns its weights and inputs */
    vb_engine_input input;
    vb_text_input texts;
    vb_prompt_context context;
    int64_t count;
} vb_gpu_scene;

/* Scene `index`; sizes that are no multiple of anything. Free it in any case. VB_EMEMORY. */
int vb_gpu_scenes_make(vb_gpu_scene *scene, int index, unsigned seed, vb_error *err);
void vb_gpu_scenes_free(vb_gpu_scene *scene);

#endif
