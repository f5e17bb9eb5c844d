/* One rank's encoding: a unit of samples to embeddings (decode, preprocess, encode in batches), and texts to embeddings. */
#ifndef VB_ENCODE_H
#define VB_ENCODE_H

#include <jansson.h>

#include "mpi/encode/model.h"
#include "mpi/encode/pipeline.h"
#include "mpi/ranks/context.h"
#include "shards/datasets/dataset.h"
#include "shards/embeddings/cache.h"

/* What travels with all work of an encoder: who asks, with which model, where embeddings are kept, how much at once. */
typedef struct vb_encoding {
    vb_context *context;
    const vb_model *model;
    const char *cache;     /* folder */
    int batch, threads;    /* images at once, as stated (vb_model_batch); threads of this rank */
    int64_t decode_memory; /* MiB that decoding may take, where images are decoded (mpi/encode/decode_budget.h) */
    bool skip_broken;      /* a broken image is listed and its row NaN; else it is an error */
    vb_text_rules text_rules;
} vb_encoding;

/* Samples of a unit: data->samples[picked[0 .. count - 1]]; row_of_first: the row of the first of them, for lists of broken
 * ones. */
typedef struct vb_encode_batch {
    const vb_unit_data *data;
    const int *picked;
    int count, row_of_first;
} vb_encode_batch;

/* The samples of a batch of any size, through a pipeline. *skipped (an array, made when needed) gets an object for every broken
 * sample: {"sample", "row", "reason", "decoders"}, and for every one that was read although something was wrong with it:
 * {"sample", "row", "remark"}. out: count x embed_dim; rows of broken samples are NaN. Errors of a sample begin with its name.
 * Local. */
int vb_encode_samples(const vb_encoding *how, const vb_encode_batch *batch, float *out, json_t **skipped, vb_error *err);

/* A pipeline for how->model on its threads, looking for stops; images: that there will be at most. Local. */
vb_pipeline_options vb_encode_pipeline_options(const vb_encoding *how, int64_t images);
/* A unit that is there already, through a pipeline of its own; unit->outcomes is the caller's, also after a failure. Local. */
int vb_encode_unit(const vb_encoding *how, vb_pipeline_unit *unit, vb_error *err);
/* What became of the images of a finished unit, as such a list. Local. */
int vb_encode_note_outcomes(const vb_pipeline_unit *unit, int row_of_first, json_t **skipped, vb_error *err);

/* The broken samples of such a list (NULL is fine): the first, or NULL, and their number; *current: whether it was this version's
 * decoders that could not read them. */
const json_t *vb_encode_broken(const json_t *skipped, int64_t *count, bool *current);

/* vb_cache_load of a unit of images, but one whose broken images another version's decoders could not read is not there. */
int vb_encode_cached(const vb_cache *cache, const vb_digest *unit, int n, int dim, float *rows, bool *found, json_t **skipped,
                     vb_error *err);
/* Such a list may be of a run that skipped broken images: VB_EDATA, with the reason of the first, where `how` does not. */
int vb_encode_allow(const vb_encoding *how, const json_t *skipped, vb_error *err);

/* Where the pixels of a batch go. */
typedef struct vb_encode_pixels {
    float *pixels;
    vb_patch_grid *grids; /* of images of any shape (spec->max_patches): one each; else not written */
    bool *broken;
} vb_encode_pixels;

/* Pixels only: count images, vb_preprocess_floats apart, on how->threads threads; broken samples as above (their pixels are
 * zero). broken[i] says which. Of `how` only threads, decode_memory and skip_broken are used. Local. */
int vb_encode_preprocess(const vb_encoding *how, const vb_preprocess *spec, const vb_encode_batch *batch,
                         const vb_encode_pixels *to, json_t **skipped, vb_error *err);

/* Texts to token ids (n x context_length). Local. */
int vb_encode_tokenize(const vb_tokenizer *tokenizer, const char *const *texts, int64_t n, int context_length, int threads,
                       int32_t *tokens, vb_error *err);

/* Whether the context cuts a text. Local. */
int vb_encode_is_cut(const vb_tokenizer *tokenizer, const char *text, int context_length, bool *cut, vb_error *err);
/* Says on stderr how many texts of `source` the context cuts, and which is the first; nothing when none is. Local. */
int vb_encode_note_cut(const vb_tokenizer *tokenizer, const char *const *texts, int64_t n, int context_length, const char *source,
                       vb_error *err);

#endif
