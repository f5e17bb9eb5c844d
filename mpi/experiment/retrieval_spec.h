/* The `corpora:` and `retrieval:` parts of an experiment file. */
#ifndef VB_RETRIEVAL_SPEC_H
#define VB_RETRIEVAL_SPEC_H

#include "kernels/exact/score.h"
#include "mpi/experiment/options.h"

/* A corpus: WebDataset images with captions (encoded by the index model), embedding parts with captions beside them, or captions
 * alone.
 */
typedef struct vb_corpus_spec {
    char *name, *images, *embeddings, *captions, *caption_column, *text_embeddings, *quantized;
} vb_corpus_spec;

enum { VB_RETRIEVAL_VALUES = 16 };

typedef enum vb_caption_filter { VB_FILTER_CLASS_WORD, VB_FILTER_NONE, VB_FILTERS } vb_caption_filter;
typedef enum vb_renormalize {
    VB_RENORMALIZE_OFFICIAL, /* in prompt ensembles only, as the official code does */
    VB_RENORMALIZE_ALWAYS,
    VB_RENORMALIZE_NEVER,
    VB_RENORMALIZATIONS
} vb_renormalize;

/* How a setting is chosen of several. */
typedef enum vb_repe_select {
    VB_SELECT_STATED, /* by the experiment, before anything is known: vb_retrieval_spec_stated */
    VB_SELECT_CROSS,  /* and, beside it, by the images outside of an image's fold */
    VB_SELECTIONS
} vb_repe_select;

typedef struct vb_retrieval_spec {
    bool given;
    char *corpus, *query, *index_model, *memory;
    int64_t budget; /* memory in bytes */
    vb_caption_filter filter;
    vb_renormalize renormalize; /* of the blended prompts */
    vb_similarity similarity;
    vb_repe_select select;
    int64_t folds; /* of VB_SELECT_CROSS */
    bool deduplicate, depth_given;
    int64_t
        depth; /* rows retrieved a class before the filter; given: top_k counts what the filter keeps of them, as in the official
                      code; not given: the largest top_k, and top_k counts rows before the filter */
    int top_k_count, lambda_count;
    int64_t top_k[VB_RETRIEVAL_VALUES];
    double lambda[VB_RETRIEVAL_VALUES];
} vb_retrieval_spec;

const vb_option *vb_retrieval_spec_corpus_options(void);
const vb_option *vb_retrieval_spec_options(void);

/* Checks one corpus: exactly one of images, embeddings, captions alone; paths are left as written. `file` names the experiment
 * file. */
int vb_retrieval_spec_corpus_read(vb_corpus_spec *spec, const vb_yaml *node, const char *file, vb_error *err);
void vb_retrieval_spec_corpus_free(vb_corpus_spec *spec);

/* Reads a `retrieval:` map; numbers may be single or lists. */
int vb_retrieval_spec_read(vb_retrieval_spec *spec, const vb_yaml *node, const char *file, vb_error *err);
void vb_retrieval_spec_free(vb_retrieval_spec *spec);
/* The setting that counts as REPE's: top_k[*k] and lambda[*l] are the paper's, 100 and 0.25, where these are listed; else the
 * first top_k, and the first lambda above 0. */
void vb_retrieval_spec_stated(const vb_retrieval_spec *spec, int *k, int *l);
json_t *vb_retrieval_spec_json(vb_json *json, const vb_retrieval_spec *spec);

#endif
