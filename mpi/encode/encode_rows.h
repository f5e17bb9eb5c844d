/* Embeddings of a whole input as one .npy, float32, rows x dimensions, in the order of the input. */
#ifndef VB_ENCODE_ROWS_H
#define VB_ENCODE_ROWS_H

#include "mpi/encode/model.h"
#include "mpi/ranks/context.h"

typedef struct vb_encode_rows_job {
    vb_context *context;
    const vb_model *model; /* open */
    int threads, batch;    /* a rank; images encoded at once */
    int64_t decode_memory; /* MiB */
    bool raw;              /* leave the rows unnormalised */
    const char *input, *output;
} vb_encode_rows_job;

/* input: a dataset. Round after round, every rank that encodes (vb_model_encodes) does one unit: the rows do not depend on ranks,
 * threads or batch. Stops with VB_EINCOMPLETE at a signal; VB_EDATA for a broken image. Collective. */
int vb_encode_rows_images(const vb_encode_rows_job *job, vb_error *err);

/* input: FILE.txt or FILE.json. Rank 0 holds all rows. Collective. */
int vb_encode_rows_texts(const vb_encode_rows_job *job, vb_error *err);

#endif
