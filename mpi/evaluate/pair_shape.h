/* The sizes of a (model, dataset) pair, from which memory and operations are estimated before anything runs. */
#ifndef VB_PAIR_SHAPE_H
#define VB_PAIR_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct vb_pair_shape {
    int64_t images, classes, vocabularies, dim;
    int64_t candidates; /* lines of the adversarial pool */
    int64_t names;      /* of the open curve */
    int64_t trials;     /* orders of these */
    int64_t prompts;    /* templates of a class; of CoOp and of precomputed models 1 */
    int64_t synonyms;   /* of the classes, which prompt_spread encodes */
    int64_t variants;   /* of the texts, with which prompt_spread evaluates again */
    int ranks, threads;
    bool sets;    /* labels are sets */
    bool encoded; /* by a model, rather than precomputed */
} vb_pair_shape;

#endif
