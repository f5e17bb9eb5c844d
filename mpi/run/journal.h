/* What a run leaves in its output folder for `vocabench status`: state.json, and a marker beside every pair's file that is being
 * made.
 *
 * state.json: {schema, experiment, configuration, configuration_digest, only_model, only_dataset, resume, cache, datasets:
 * [{name, images, units}] (expansions too, without units of their own), ranks, nodes, host, pid, slurm_job, restart, starts
 * (the earlier ones: mpi/run/starts.h), started (Unix seconds), begun (the same by the clock of the folder: the time of its
 * lock), taken: [{model, dataset}] (with resume, once they are known: pairs whose earlier results hold), ended: {when, seconds,
 * code, error}}; `ended` is missing while it runs and after a kill. */
#ifndef VB_JOURNAL_H
#define VB_JOURNAL_H

#include "mpi/base/json.h"
#include "mpi/ranks/context.h"
#include "mpi/encode/dataset_state.h"
#include "mpi/experiment/experiment.h"

typedef struct vb_journal_size {
    int ranks;
    int64_t nodes; /* machines */
} vb_journal_size;

/* Writes state.json and removes the markers of an earlier run. *starts: the earlier ones with which this run goes on (resume), to
 * be released. Rank 0 only, local. */
int vb_journal_open(const vb_experiment *experiment, const vb_dataset_state *datasets, const vb_journal_size *size, bool resume,
                    json_t **starts, vb_error *err);
/* Adds which pairs' earlier results are taken as they are. Rank 0 only, local. */
int vb_journal_take(const vb_experiment *experiment, json_t *taken, vb_error *err);
/* Adds how the run ended, after so many seconds: status 0, or that of *err. Says nothing when it cannot. Rank 0 only, local. */
void vb_journal_close(const vb_experiment *experiment, double seconds, int status, const vb_error *err);

/* "OUTPUT/around": what vb_journal_note is given before and after the pairs; of staging and of hashing. NULL with *err. */
char *vb_journal_around(const char *output, vb_error *err);

/* The pair whose file has that path is being made, or is made. The marker of a pair that fails stays. One rank, local. */
int vb_journal_begin(const char *pair_path, vb_error *err);
void vb_journal_end(const char *pair_path);

/* Writes into the marker of the pair in hand how far it is: {stages: [{stage, unit, done, total, seconds}], when (Unix seconds),
 * seconds_left (of the run; missing while nobody knows)}. pair_path: a char *, or NULL, and nothing is done. Says nothing when it
 * cannot. For vb_live.note. */
void vb_journal_note(const vb_live *live, void *pair_path);
/* The list `stages` of that. */
json_t *vb_journal_stages(vb_json *json, const vb_live *live);

#define VB_JOURNAL_MARKER ".running" /* behind the pair's path */

#endif
