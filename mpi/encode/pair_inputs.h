/* What a model makes of a dataset or an expansion: the embeddings of its images and of its classes. */
#ifndef VB_PAIR_INPUTS_H
#define VB_PAIR_INPUTS_H

#include "mpi/encode/classifier.h"
#include "mpi/encode/image_source.h"

typedef struct vb_pair_inputs {
    vb_image_source source;
    vb_classifier classifier;
} vb_pair_inputs;

/* how->model: opened, or NULL of a precomputed one; whether broken images are skipped is the dataset's to say. Of an expansion,
 * each dataset's images and classes are what they are on their own: the same cache files, its own prompts. keep_prompts: see
 * vb_classifier_encode; not of expansions. Collective. Close also after a failure.
 */
int vb_pair_inputs_open(vb_pair_inputs *inputs, const vb_encoding *how, const vb_experiment *experiment,
                        const vb_model_spec *spec, const vb_dataset_state *data, bool keep_prompts, vb_error *err);
void vb_pair_inputs_close(vb_pair_inputs *inputs);

#endif
