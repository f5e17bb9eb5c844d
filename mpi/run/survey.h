/* What of a run, or of the tasks of an array, is done, running, failed and to do, read from its output folder. Local. */
#ifndef VB_SURVEY_H
#define VB_SURVEY_H

#include <jansson.h>
#include <stdbool.h>

#include "mpi/results/document.h"

typedef enum vb_task_kind {
    VB_TASK_ENDED,
    VB_TASK_ALIVE,
    VB_TASK_QUEUED, /* waits in Slurm's queue to go on */
    VB_TASK_UNSEEN, /* on another machine; has not ended, as far as one can see from here */
    VB_TASK_GONE    /* was lost without a word */
} vb_task_kind;

typedef enum vb_pair_state { VB_PAIR_TO_DO, VB_PAIR_DONE, VB_PAIR_RUNNING, VB_PAIR_FAILED, VB_PAIR_STATES } vb_pair_state;

/* A results.json of an earlier start: the last one has not ended well, and has left it as it was. */
typedef struct vb_survey_results {
    char *folder;  /* NULL: there is none */
    char *started; /* UTC, of the start that made it; "": it does not say (merged ones) */
    int64_t pairs; /* results in it */
    bool other;    /* of another configuration than the last start's */
} vb_survey_results;

/* A folder with a state.json: the run itself, or a task of the array. */
typedef struct vb_survey_task {
    char *folder;
    json_t *state;
    json_t *around; /* of one that is alive: what it does before or after its pairs (mpi/run/journal.h); NULL: nothing */
    json_t *starts; /* of the task, the last one included: mpi/run/starts.h */
    vb_task_kind kind;
    int code; /* of a run that has ended */
    vb_survey_results earlier;
    double started, last; /* Unix seconds; the last pair finished since then */
    double done, left;    /* images of pairs that it finished since it started, and of those still to do */
    double told, told_at; /* seconds left by its own reckoning, and when it said so; told_at 0: it has not */
} vb_survey_task;

typedef struct vb_survey {
    char *const *environment; /* for Slurm's commands */
    vb_survey_task *tasks;    /* at least one */
    int count;
    vb_pair_name *pairs;
    vb_pair_state *states;
    bool *earlier;     /* of each pair that is not done: whether the result of an earlier start lies there */
    json_t **progress; /* of each running pair what its marker says (mpi/run/journal.h); NULL: nothing */
    int pair_count;
    int counts[VB_PAIR_STATES]; /* of pairs in each state */
    vb_survey_results merged;   /* of an array whose tasks have not all ended well */
    double unowned;             /* images of pairs whose task has not started */
    struct {
        const char *folder;        /* NULL: there is none yet */
        long long units, expected; /* units of images in it, whatever experiment's; of this one's images at most: none is made
                                    * of images of no class */
        long long others;          /* other files of embeddings: texts, corpora */
        double bytes;
    } cache;
} vb_survey;

/* Reads FOLDER/state.json and FOLDER/array/TASK/state.json and looks at the pairs' files and the cache; asks Slurm (squeue) and
 * this machine whether what has not ended is alive. VB_EMISSING without any state.json, VB_EDATA for one that is none of ours,
 * VB_EMISMATCH for runs of different configurations. Close also after a failure. */
int vb_survey_open(vb_survey *survey, const char *folder, char *const *environment, vb_error *err);
void vb_survey_close(vb_survey *survey);

/* Seconds until the slowest task ends: as a task that runs reckons itself, from the work it has done and all that it has to do;
 * else from the images a second of the pairs finished since it started, all models taken alike; -1 while neither tells.
 * waiting: some of what is to do waits for a task to be started. */
double vb_survey_seconds_left(const vb_survey *survey, bool *waiting);

#endif
