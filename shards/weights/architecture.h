/* Architectures that are not encoded here, told by the names of their tensors: so that a refusal says what a file is. */
#ifndef VB_ARCHITECTURE_H
#define VB_ARCHITECTURE_H

#include <stdbool.h>

#include "kernels/base/tensor.h"

/* Of which tower something is. */
typedef enum vb_tower { VB_TOWER_BOTH, VB_TOWER_IMAGE, VB_TOWER_TEXT } vb_tower;

/* A row goes when its family comes (kernels/towers/family.h). */
typedef struct vb_architecture {
    const char *name;    /* for people: "SigLIP", "PE-Core" */
    const char *present; /* a tensor's name begins so, or has it behind a dot: wrappers do not matter */
    const char *also;    /* the same of another one; NULL: nothing else is asked */
    const char *absent;  /* no tensor's name does; NULL: as before */
    int ndim;            /* of the tensor `present`; 0: any */
    vb_tower tower;      /* that is not encoded here; the other one may be */
} vb_architecture;

/* The first row that fits the file's names, or NULL: a family of the registry, or nothing known. `family`: names of a family's
 * own were found, so that a tower of timm's says nothing. Local. */
const vb_architecture *vb_architecture_find(const vb_tensor_set *file, bool family);

#endif
