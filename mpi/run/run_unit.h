/* The evaluation of one (model, dataset) unit by the ranks of a group. */
#ifndef VB_RUN_UNIT_H
#define VB_RUN_UNIT_H

#include <jansson.h>

#include "mpi/base/memory_peak.h"
#include "mpi/encode/model.h"
#include "mpi/run/resume.h"
#include "mpi/run/schedule.h"

/* What a group keeps from unit to unit. The caller sets the first six and `done`, an empty list. */
typedef struct vb_runner {
    vb_context *context; /* of the group */
    int group;           /* its number */
    int threads;         /* a rank */
    double crowd;        /* threads of the machine's ranks for each of its cores, or ranks for each device; 1: no more */
    const vb_experiment *experiment;
    const vb_dataset_state *datasets;
    json_t *done;             /* first rank: {unit, result, pair} of what the group has finished */
    const vb_pair_unit *unit; /* in hand, */
    int number;               /* and its place in the schedule */
    vb_resume_files files;    /* first rank: of the unit, as they were when it began */
    vb_model model;           /* open while units in a row need it */
    vb_memory_peak memory;    /* so far */
    vb_live live;             /* first rank: what `status` and progress lines tell */
} vb_runner;

/* Evaluates unit `number` with all that the experiment asks for, writes pairs/MODEL--DATASET.json (and records, ranked lists) and
 * adds to runner->done. VB_EINCOMPLETE when a stop is asked for before it begins. Collective over the group. */
int vb_run_unit(vb_runner *runner, const vb_pair_unit *unit, int number, vb_error *err);

/* Closes the model that the last unit left open. */
void vb_run_unit_end(vb_runner *runner);

#endif
