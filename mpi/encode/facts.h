/* What the tensors of a model do not tell: each fact, and who told it.
 *
 * The experiment's word goes before that of the files beside the weights, theirs before what the family fixes; where none tells
 * and the family has more than one answer, that is an error. */
#ifndef VB_FACTS_H
#define VB_FACTS_H

#include "kernels/image/preprocess.h"
#include "kernels/text/text_cleanup.h"
#include "kernels/towers/clip.h"
#include "mpi/base/json.h"
#include "mpi/experiment/experiment.h"
#include "shards/weights/side_facts.h"
#include "shards/weights/weights.h"

typedef enum vb_fact {
    VB_FACT_IMAGE_ACTIVATION,
    VB_FACT_TEXT_ACTIVATION,
    VB_FACT_IMAGE_HEADS,
    VB_FACT_TEXT_HEADS,
    VB_FACT_IMAGE_EPSILON,
    VB_FACT_TEXT_EPSILON,
    VB_FACT_CONVENTION,
    VB_FACT_CLEANING,
    VB_FACT_START_TOKEN,
    VB_FACT_PAD_TOKEN,
    VB_FACT_END_IDS,
    VB_FACT_CONTEXT,
    VB_FACT_TEXT_MASK,
    VB_FACT_TEXT_POOLING,
    VB_FACT_END_TOKEN,
    VB_FACT_RESOLUTION,
    VB_FACT_MAX_PATCHES,
    VB_FACT_PRECISION,
    VB_FACT_RESIZE,
    VB_FACT_RESIZE_TO,
    VB_FACT_INTERPOLATION,
    VB_FACT_CROP,
    VB_FACT_PREPROCESSING,
    VB_FACT_MEAN,
    VB_FACT_STD,
    VB_FACTS
} vb_fact;

typedef struct vb_facts {
    const char *source[VB_FACTS]; /* "experiment", "config.json", ..., "family", "tensors"; NULL: the model has no such thing */
    vb_side_facts side;
    vb_tower_options towers; /* for vb_clip_open */
    vb_preprocess preprocess;
    const char *convention; /* these five: text_convention.h, once the tokenizer is there */
    vb_cleaning cleaning;
    int start_token, pad_token;
    bool bf16x3;    /* precision.h, once that is decided; its fact has a source only where precision is stated */
    bool strip_end; /* has a source only where it is not the convention's */
} vb_facts;

/* A stated resolution: no image will be encoded, and the side need not be known. */
#define VB_FACTS_NO_IMAGES (VB_OPTION_NONE + 1)

/* Before the towers are bound: reads the files beside the weights and decides what towers need. VB_ECONFIG where a key must be
 * stated; errors of side_files.h. Local, as is the rest. */
int vb_facts_of_towers(vb_facts *facts, const vb_stated_facts *stated, const vb_weights *weights, const vb_family *family,
                       vb_error *err);
/* After: preprocessing, and whether the files' sizes are those of the tensors (VB_EMISMATCH). */
int vb_facts_of_pixels(vb_facts *facts, const vb_stated_facts *stated, const vb_weights *weights, const vb_family *family,
                       const vb_clip_info *info, vb_error *err);

/* What is stated of preprocessing, put over *spec; source (by vb_fact, may be NULL) is "experiment" for each. */
void vb_facts_state_pixels(vb_preprocess *spec, const vb_stated_facts *stated, const char **source);
/* VB_ECONFIG where a crop is stated and nothing is cropped. */
int vb_facts_check_crop(const vb_preprocess *spec, const vb_stated_facts *stated, vb_error *err);

/* Everything about a tower that its embeddings depend on and the family does not fix, as keys of cached units have it. */
void vb_facts_key(const vb_facts *facts, const vb_family *family, const vb_clip_info *info, bool text, char *key, size_t size);

/* The value of a fact as a YAML key has it: "quick_gelu", "16", "[0.5, 0.5, 0.5]"; and the key. */
void vb_facts_print(const vb_facts *facts, const vb_clip_info *info, vb_fact fact, char *text, size_t size);
const char *vb_facts_name(vb_fact fact);
/* {"resize": {"value": "squash", "source": "config.json"}, ...} of all facts that the model has. */
json_t *vb_facts_json(vb_json *json, const vb_facts *facts, const vb_clip_info *info);

#endif
