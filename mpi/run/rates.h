/* What images and texts of a model took in earlier runs on machines of one kind, kept in the cache for `plan`. One rank, local.
 *
 * CACHE/rates/DIGEST.json, one for a model's encoder on a dataset, a processor, instruction set, device and number of threads a
 * rank: {model, dataset, processor, isa, device, threads, ranks, finished (UTC), image, text (seconds of one rank)}. */
#ifndef VB_RATES_H
#define VB_RATES_H

#include "mpi/encode/model.h"
#include "mpi/evaluate/evaluate.h"

/* Whose rates. */
typedef struct vb_rates_of {
    const char *cache;
    const vb_model *model; /* open */
    const char *dataset;
    int threads; /* of a rank */
    bool gpu;
} vb_rates_of;

typedef struct vb_rates {
    double image, text; /* seconds of one rank for one of each where ranks wait neither for cores nor devices; 0: not known */
    int ranks;          /* of the run */
    char finished[32];  /* when: UTC */
} vb_rates;

/* What a pair that is finished took: `ranks` of its group, `crowd` threads of the machine's ranks for each of its cores, or ranks
 * for each device (1: no more). Only what was encoded as a whole counts; what cannot be written is not known the next time. */
void vb_rates_keep(const vb_rates_of *of, const vb_live *live, const vb_pair_counts *counts, int ranks, double crowd);

/* False, and zeros, where no such run has been. */
bool vb_rates_find(const vb_rates_of *of, vb_rates *rates);

#endif
