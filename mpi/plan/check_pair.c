/* Pairs: shapes and labels of precomputed embeddings, prompts of encoded ones. */
#include "mpi/plan/check_pair.h"

#include <stdio.h>

#include "mpi/encode/pair_inputs.h"

static void check_precomputed(const char *where, const vb_experiment *experiment, const vb_model_spec *spec,
                              const vb_dataset_state *data, vb_context *alone, vb_findings *findings) {
    vb_pair_inputs inputs;
    vb_error err = {0};
    const vb_encoding how = {.context = alone, .batch = (int)experiment->batch, .threads = 1};
    if (vb_pair_inputs_open(&inputs, &how, experiment, spec, data, false, &err)) vb_findings_take(findings, where, &err);
    else
        vb_findings_add(findings, VB_FINDING_OK, where, "%lld images and %d classes of %d dimensions",
                        (long long)inputs.source.images, inputs.classifier.classes, inputs.source.dim);
    vb_pair_inputs_close(&inputs);
}

void vb_check_pair(const vb_experiment *experiment, const vb_model_spec *spec, const vb_model *model,
                   const vb_dataset_state *data, vb_context *alone, vb_findings *findings) {
    char where[200];
    snprintf(where, sizeof where, "'%.80s' on '%.80s'", spec->name, data->spec->name);
    if (!model) check_precomputed(where, experiment, spec, data, alone, findings);
}
