/* An experiment as structs: what its file says, with every default filled in. */
#ifndef VB_EXPERIMENT_H
#define VB_EXPERIMENT_H

#include "kernels/exact/score.h"
#include "kernels/towers/clip.h"
#include "mpi/experiment/adversarial_spec.h"
#include "mpi/experiment/analyses_spec.h"
#include "mpi/experiment/hierarchy_spec.h"
#include "mpi/experiment/open_curve_spec.h"
#include "mpi/experiment/options.h"
#include "mpi/experiment/prompt_spread_spec.h"
#include "mpi/experiment/retrieval_spec.h"
#include "shards/files/digest.h"
#include "shards/text/prompts.h"
#include "shards/text/vocabularies.h"
#include "shards/weights/architecture.h"

/* Values of options that are one of several words; the words stand beside the option tables, in this order. */
typedef enum vb_protocol_kind { VB_PROTOCOL_EXACT, VB_PROTOCOL_SAMPLED, VB_PROTOCOLS } vb_protocol_kind;
typedef enum vb_on_error { VB_ON_ERROR_STRICT, VB_ON_ERROR_SKIP, VB_ON_ERRORS } vb_on_error; /* of a broken image */
/* Of texts that a model cannot take as they are. Said is an error, or nothing but a note; unsaid (-1): see docs/experiment.md. */
typedef enum vb_on_fault { VB_ON_FAULT_UNSAID = -1, VB_ON_FAULT_ERROR, VB_ON_FAULT_ALLOW, VB_ON_FAULTS } vb_on_fault;
typedef struct vb_text_rules {
    int cut, equal; /* vb_on_fault: the context cuts a text; classes have the same texts, or embeddings */
} vb_text_rules;
typedef enum vb_on_unmatched { VB_ON_UNMATCHED_ERROR, VB_ON_UNMATCHED_SKIP, VB_ON_UNMATCHEDS } vb_on_unmatched; /* of labels */
typedef enum vb_stated_activation {
    VB_ACTIVATION_QUICK_GELU,
    VB_ACTIVATION_GELU,
    VB_ACTIVATION_GELU_TANH,
    VB_ACTIVATIONS
} vb_stated_activation;
typedef enum vb_preprocessing { VB_PREPROCESSING_OPENAI, VB_PREPROCESSING_RGB_FIRST, VB_PREPROCESSINGS } vb_preprocessing;
typedef enum vb_stated_precision {
    VB_PRECISION_UNSAID = -1, /* fp32 */
    VB_PRECISION_FP32,
    VB_PRECISION_BF16X3,
    VB_PRECISION_FASTEST,
    VB_PRECISIONS
} vb_stated_precision;
typedef enum vb_similarity_engine { VB_ENGINE_REPLICATED, VB_ENGINE_SCALAPACK, VB_ENGINES } vb_similarity_engine;
/* A model's family: an index for vb_family_at, or one of these. */
enum { VB_FAMILY_FOUND = -1 /* from the tensors' names */, VB_PRECOMPUTED = VB_FAMILY_COUNT /* embeddings made elsewhere */ };

/* A dataset; or an expansion: several of the datasets, each one vocabulary, which has a name, parts and shared_names only. */
typedef struct vb_dataset_spec {
    char *name, *images, *vocabularies, *class_names;
    char *labels;           /* sets of right labels, instead of those of the data; or NULL */
    char *names, *language; /* the classes' names for prompts, by id; or NULL */
    vb_on_error on_error;
    vb_on_unmatched on_unmatched;
    vb_prompts prompts; /* its own, for models without; none: count 0 */
    bool left_out;      /* only_dataset names another one: no pair of it is evaluated */
    int part_count;     /* of an expansion; 0: a dataset */
    int *parts;         /* indices into the experiment's datasets */
    vb_shared_names shared_names;
} vb_dataset_spec;

/* Embeddings of a dataset's images and classes that another program made. */
typedef struct vb_embeddings_spec {
    char *dataset; /* its name; NULL: the only one */
    char *image_embeddings, *text_embeddings, *labels, *text_names, *label_names;
} vb_embeddings_spec;

/* What is stated of a model beside its weights, before what files beside them tell (mpi/encode/facts.h). Not stated: NaN,
 * VB_OPTION_NONE, -1. */
typedef struct vb_stated_facts {
    double image_epsilon, text_epsilon, mean[3], std[3];
    int64_t image_heads, text_heads, start_token, end_token, resolution, max_patches, resize_to;
    int activation, image_activation, text_activation; /* vb_stated_activation; the first is of both towers */
    int text_mask, text_pooling;                       /* vb_text_mask, vb_text_pooling, less 1: there, 0 is unset */
    int resize, interpolation, crop;                   /* kernels/image/preprocess.h */
    int preprocessing;                                 /* vb_preprocessing */
    int precision;                                     /* vb_stated_precision */
    int convention, cleaning;                          /* kernels/text/convention.h, text_cleanup.h */
} vb_stated_facts;

typedef struct vb_model_spec {
    char *name;
    char *series, *checkpoint; /* of a series of checkpoints: the entry's name, and which of its files; NULL without */
    bool left_out;             /* only_model names another one: no pair of it is evaluated */
    int family;                /* for vb_family_at, or VB_FAMILY_FOUND, VB_PRECOMPUTED */
    char *weights, *tokenizer;
    vb_tower tower; /* the only one that is needed; of an experiment both */
    vb_stated_facts stated;
    vb_similarity similarity;
    double logit_scale;            /* as stated; NaN: that of the weights */
    vb_embeddings_spec embeddings; /* of a precomputed model that has those of one dataset, else empty */
    int embeddings_count;
    vb_embeddings_spec *embeddings_list; /* of one that has those of several */
    vb_prompts prompts;                  /* templates in order; none (count 0) with CoOp, and where the datasets bring them */
    char *coop;                          /* checkpoint */
    vb_prompt_position coop_position;
    vb_retrieval_spec retrieval; /* its own; see vb_experiment_retrieval */
} vb_model_spec;

typedef struct vb_experiment {
    char *name, *output, *cache, *only_model, *only_dataset, *scratch;
    vb_protocol_kind protocol;
    int64_t trials, seed, union_permutations, batch, threads, ranks_per_model;
    int device, device_check; /* vb_device_kind, vb_device_check (mpi/base/device.h) */
    int64_t decode_memory;    /* MiB a rank */
    int64_t limit;            /* images of a class, for a quick look; VB_OPTION_NONE: all */
    vb_similarity_engine similarity_engine;
    vb_text_rules text_rules;
    uint32_t analyses; /* bits: see mpi/experiment/analyses_spec.h */
    vb_adversarial_spec adversarial;
    vb_open_curve_spec open_curve;
    vb_hierarchy_spec hierarchy;
    vb_prompt_spread_spec prompt_spread;
    bool per_image, latex;
    int dataset_count, model_count;
    int expansion_count;       /* of the dataset_count, the last ones */
    vb_dataset_spec *datasets; /* the expansions after the datasets */
    vb_model_spec *models;
    int corpus_count;
    vb_corpus_spec *corpora;
    vb_retrieval_spec retrieval; /* of all models without their own */
    char *path;                  /* of the file, for messages and relative paths */
    json_t *configuration; /* what decides the results, as every result carries it: paths as written, without machine options */
    vb_json json;          /* of the configuration, while the file is read */
} vb_experiment;

/* Frees what vb_experiment_read has read, also in part; *experiment is empty after it. */
void vb_experiment_free(vb_experiment *experiment);

/* The templates of a model on a dataset: the model's own, else the dataset's. Count 0 with CoOp. */
const vb_prompts *vb_experiment_prompts(const vb_model_spec *model, const vb_dataset_spec *dataset);
/* The templates of names that are no classes: those on the dataset, or of an expansion on all of its datasets; NULL where these
 * have different ones. Of a precomputed model, which encodes nothing, never NULL. */
const vb_prompts *vb_experiment_name_prompts(const vb_experiment *experiment, const vb_model_spec *model,
                                             const vb_dataset_spec *dataset);
/* A precomputed model's embeddings of a dataset; NULL when it has none. */
const vb_embeddings_spec *vb_experiment_embeddings(const vb_model_spec *model, const vb_dataset_spec *dataset);
/* Whether any model encodes, so that images are needed. */
bool vb_experiment_encodes(const vb_experiment *experiment);
/* Whether a model is evaluated on a dataset or an expansion: a precomputed one needs the embeddings of all of it; only_dataset
 * leaves others out. */
bool vb_experiment_covers(const vb_experiment *experiment, const vb_model_spec *model, const vb_dataset_spec *dataset);

/* The retrieval settings of a model: its own, else the experiment's; NULL when there are none. */
const vb_retrieval_spec *vb_experiment_retrieval(const vb_experiment *experiment, const vb_model_spec *model);
/* The model that makes the queries of a model's retrieval and encodes its corpus: index_model, else the model itself. */
const vb_model_spec *vb_experiment_index_model(const vb_experiment *experiment, const vb_model_spec *model);
/* The corpus that settings name (vb_experiment_read has checked that it exists). */
const vb_corpus_spec *vb_experiment_find_corpus(const vb_experiment *experiment, const char *name);

/* The machine options in effect. Owned by the caller. */
json_t *vb_experiment_machine_json(vb_json *json, const vb_experiment *experiment);

#endif
