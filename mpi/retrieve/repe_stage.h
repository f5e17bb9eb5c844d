/* REPE inside a run: retrieve for every class, filter captions, encode them, blend for every lambda and top_k, evaluate again. */
#ifndef VB_REPE_STAGE_H
#define VB_REPE_STAGE_H

#include "mpi/retrieve/corpus_parts.h"
#include "mpi/evaluate/evaluate.h"

typedef struct vb_repe_job {
    vb_pair pair;           /* the plain evaluation's; its classifier kept its prompt_rows when the model encodes */
    const json_t *plain;    /* the plain evaluation's result, on rank 0 */
    const char *list;       /* file for the ranked lists (.jsonl.zst) */
    const char *embeddings; /* beginning of the names of files for blended embeddings: "-k100-l0.25.npy" is added */
    const char *checkpoint; /* folder for an unfinished scan */
} vb_repe_job;

/* On rank 0 (NULL elsewhere): *result is the `retrieval` entry of a pair, *scan what the scan did, for the `run` block;
 * docs/retrieval.md describes both. Collective. */
int vb_repe_stage(vb_context *context, const vb_repe_job *job, json_t **result, json_t **scan, vb_error *err);

/* The file of a setting's blended embeddings; `embeddings` as in the job. Free with vb_free. Local. */
char *vb_repe_stage_blend_path(const char *embeddings, int64_t top_k, double lambda, vb_error *err);

#endif
