/* Two results on the same images, opened, checked and compared. Local. */
#ifndef VB_COMPARE_RUNS_H
#define VB_COMPARE_RUNS_H

#include "mpi/base/strbuf.h"
#include "mpi/results/comparison.h"

/* What is to be compared: index 0 is A, 1 is B. */
typedef struct vb_compare_request {
    const char *paths[2];                /* output folders of runs with records, or their results.json */
    const char *models[2], *datasets[2]; /* NULL: the only one */
    const char *allow;                   /* of data,vocabularies,prompts,preprocessing: what may differ; NULL: nothing */
    int64_t trials;                      /* sign vectors drawn for a permutation test, */
    uint32_t seed;                       /* and with which seed */
} vb_compare_request;

typedef struct vb_compared_run {
    char letter; /* A or B */
    vb_result_folder folder;
    json_t *entry; /* of results[] */
    vb_record_set records;
} vb_compared_run;

/* What may differ where it is allowed. */
typedef enum vb_compare_category {
    VB_COMPARE_DATA,
    VB_COMPARE_VOCABULARIES,
    VB_COMPARE_PROMPTS,
    VB_COMPARE_PREPROCESSING,
    VB_COMPARE_CATEGORIES
} vb_compare_category;

typedef struct vb_compare_runs {
    vb_compared_run a, b;
    bool allowed[VB_COMPARE_CATEGORIES], needed[VB_COMPARE_CATEGORIES]; /* the second: and not allowed */
    vb_json json;                                                       /* of the differences */
    json_t *differences;                                                /* {kind, what} of all that differs and may */
    vb_strbuf refused;
    vb_pairing pairing;
    vb_comparison result;
    int64_t trials, seed;
} vb_compare_runs;

/* VB_EMISMATCH names what differs and may not, and ends with the flag that allows it; VB_EUSAGE for a word of `allow`, a model
 * or a dataset that is none. Close also after a failure. */
int vb_compare_runs_open(vb_compare_runs *runs, const vb_compare_request *request, vb_error *err);
void vb_compare_runs_close(vb_compare_runs *runs);

/* Whether a run's images are precomputed embeddings. */
bool vb_compare_runs_precomputed(const vb_compared_run *run);

/* Puts the figures of a pair or a vocabulary under their keys; of_several: with p_holm. */
void vb_compare_runs_put_figures(vb_json *json, json_t *to, const vb_compared *figures, bool of_several);

/* Everything in full precision: schema vocabench.compare/1. */
int vb_compare_runs_write(const vb_compare_runs *runs, const char *path, vb_error *err);

#endif
