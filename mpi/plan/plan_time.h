/* How long a run will take: rates measured here for a moment, times the work. */
#ifndef VB_PLAN_TIME_H
#define VB_PLAN_TIME_H

#include "mpi/encode/dataset_state.h"
#include "mpi/encode/model.h"

/* Seconds of one rank for one of each; 0: not measured. */
typedef struct vb_plan_rates {
    double image; /* read, decoded and encoded */
    double text;
    double operation; /* floating-point, of what the tower does */
} vb_plan_rates;

/* Encodes a few images of the dataset (NULL: none, and only texts) and a few texts, two seconds or so. model: opened with its
 * tokenizer. What cannot be read is not measured: check says what it is. VB_EMEMORY. Local. */
int vb_plan_time_measure(vb_context *alone, const vb_experiment *experiment, const vb_model *model, const vb_dataset_state *data,
                         int threads, vb_plan_rates *rates, vb_error *err);

/* Of a matrix product of middling size: for models whose embeddings were made elsewhere. 0: no memory. Local. */
double vb_plan_time_operation(int threads);

/* "about 40 s", "about 3 min", "about 2.5 h". */
void vb_plan_time_text(double seconds, char text[32]);

#endif
