/* Images and class texts of a pair: of one dataset, or joined of several. */
#include "mpi/encode/pair_inputs.h"

#include "kernels/base/memory.h"

typedef struct setting {
    const vb_encoding *how;
    const vb_experiment *experiment;
    const vb_model_spec *spec;
} setting;

static int open_dataset(vb_image_source *source, vb_classifier *classifier, const setting *by, const vb_dataset_state *data,
                        bool keep_prompts, vb_error *err) {
    bool divide = by->experiment->similarity_engine == VB_ENGINE_SCALAPACK;
    if (!by->how->model) {
        const vb_embeddings_spec *embeddings = vb_experiment_embeddings(by->spec, data->spec);
        if (vb_image_source_precomputed(source, by->how->context, data, embeddings, err)) return -1;
        return vb_classifier_precomputed(classifier, by->how, by->spec, data, divide, err);
    }
    vb_encoding how = *by->how;
    how.skip_broken = data->spec->on_error == VB_ON_ERROR_SKIP;
    if (vb_classifier_encode(classifier, &how, data, keep_prompts, divide, err)) return -1;
    vb_image_source_encoded(source, data, &how);
    return 0;
}

static int open_expansion(vb_pair_inputs *inputs, const setting *by, const vb_dataset_state *data, vb_error *err) {
    vb_comm *comm = &by->how->context->comm;
    vb_image_source *sources = vb_array((size_t)data->part_count, sizeof *sources, "expansion", err);
    vb_classifier *classifiers = vb_array((size_t)data->part_count, sizeof *classifiers, "expansion", err);
    int status = vb_comm_agree(comm, sources && classifiers ? 0 : -1, err), opened = 0;
    while (!status && opened < data->part_count) {
        const vb_dataset_state *part = data->parts[opened];
        status = open_dataset(&sources[opened], &classifiers[opened], by, part, false, err);
        opened++;
    }
    if (!status) {
        status = vb_classifier_joined(&inputs->classifier, by->how, by->spec->name, data, classifiers, err);
        if (!status) {
            status = vb_image_source_joined(&inputs->source, data, sources, err);
            sources = NULL;
        }
        if (status) vb_error_prefix(err, "model '%s' on expansion '%s'", by->spec->name, data->spec->name);
        status = vb_comm_agree(comm, status, err);
    }
    for (int p = 0; p < opened; p++) {
        if (sources) vb_image_source_close(&sources[p]);
        vb_classifier_free(&classifiers[p]);
    }
    vb_free(sources);
    vb_free(classifiers);
    return status;
}

int vb_pair_inputs_open(vb_pair_inputs *inputs, const vb_encoding *how, const vb_experiment *experiment,
                        const vb_model_spec *spec, const vb_dataset_state *data, bool keep_prompts, vb_error *err) {
    *inputs = (vb_pair_inputs){0};
    setting by = {.how = how, .experiment = experiment, .spec = spec};
    if (data->part_count) return open_expansion(inputs, &by, data, err);
    return open_dataset(&inputs->source, &inputs->classifier, &by, data, keep_prompts, err);
}

void vb_pair_inputs_close(vb_pair_inputs *inputs) {
    vb_classifier_free(&inputs->classifier);
    vb_image_source_close(&inputs->source);
}
