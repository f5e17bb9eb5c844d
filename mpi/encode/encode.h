/* One rank's encoding: a unit of samples to embeddings (decode, preprocess, encode in batches), and texts to embeddings. */
#ifndef VB_ENCODE_H
#define VB_ENCODE_H

#include <jansson.h>

#include "mpi/encode/model.h"
#include "shards/datasets/dataset.h"

typedef struct vb_encode_options {
    int batch, threads;
    bool skip_broken; /* a broken image is listed and its row NaN; else it is an error */
} vb_encode_options;

/* Samples picked[0..n-1] of a unit, decoded and preprocessed batch by batch. *skipped (an array, made when needed) gets an object
 * for every broken sample: {"sample", "row", "reason"}. out: n x embed_dim. Errors begin with a sample's name. Local. */
int vb_encode_samples(const vb_model *model, const vb_unit_data *data, const int *picked, int n, const vb_encode_options *options,
                      float *out, json_t **skipped, vb_error *err);

/* Pixels only: out: n x 3 x R x R, in parallel; broken samples as above (their pixels are zero). broken[i] says which. Local. */
int vb_encode_preprocess_samples(const vb_preprocess *spec, const vb_unit_data *data, const int *picked, int n, int first_row,
                                 const vb_encode_options *options, float *pixels, bool *broken, json_t **skipped, vb_error *err);

/* Texts to token ids (n x context_length) and to raw embeddings (n x embed_dim). Local. */
int vb_encode_tokenize(const vb_tokenizer *tokenizer, const char *const *texts, int64_t n, int context_length, int threads,
                       int32_t *tokens, vb_error *err);

#endif
