/* The (model, dataset) units of an experiment: what each is estimated to cost, which belong together, in what order they are
 * taken. */
#ifndef VB_SCHEDULE_H
#define VB_SCHEDULE_H

#include "mpi/encode/dataset_state.h"

typedef struct vb_pair_unit {
    int model, dataset; /* a dataset or an expansion */
    bool finished;      /* by an earlier run, for the caller to set: such units are in no item */
    vb_digest key;      /* the caller's */
    double cost;        /* estimated floating-point operations, as if nothing were cached; the scan of a corpus is not in it */
    int64_t parts;      /* pieces into which ranks can divide it */
    /* What the cost is made of: images and texts that the model encodes, and operations of all that follows. */
    double images, texts, operations;
} vb_pair_unit;

/* Units of models with the same encoder share cached embeddings of a dataset's images (an expansion's are its datasets'), or of a
 * corpus: were they evaluated at the same time, both would encode them. So they are one item, done one after the other. */
typedef struct vb_schedule {
    vb_pair_unit *units; /* in the experiment's order: by model, then by dataset, expansions last */
    int count;
    int *bundle; /* of every unit: the first unit of its item */
    int *order;  /* units of all items, item by item, longest item first */
    int *items;  /* item i: order[items[i]] to order[items[i + 1] - 1] */
    int item_count;
    double *item_costs;
    int64_t *item_parts;
} vb_schedule;

/* Whether two models differ at most in prompts, retrieval and similarity. Local. */
bool vb_schedule_same_encoder(const vb_model_spec *a, const vb_model_spec *b);

/* Lists the units. Local. Free with vb_schedule_free, also after a failure. */
int vb_schedule_list(vb_schedule *schedule, const vb_experiment *experiment, vb_error *err);
/* Estimates, bundles and orders what is not finished, the same on every rank whatever a rank can read. A model that cannot be
 * opened is estimated from its file's size: its unit will say what is wrong. Collective. */
int vb_schedule_order(vb_schedule *schedule, const vb_experiment *experiment, const vb_dataset_state *datasets, vb_comm *comm,
                      vb_error *err);
/* Items in the experiment's order instead: for one group, which then opens every model once. Local. */
int vb_schedule_as_listed(vb_schedule *schedule, vb_error *err);
void vb_schedule_free(vb_schedule *schedule);

#endif
