/* What belongs to what in an experiment, and its end. */
#include "mpi/experiment/experiment.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/experiment/experiment_tables.h"

const vb_corpus_spec *vb_experiment_find_corpus(const vb_experiment *experiment, const char *name) {
    for (int i = 0; i < experiment->corpus_count; i++)
        if (!strcmp(experiment->corpora[i].name, name)) return &experiment->corpora[i];
    return NULL;
}

const vb_retrieval_spec *vb_experiment_retrieval(const vb_experiment *experiment, const vb_model_spec *model) {
    return model->retrieval.given ? &model->retrieval : experiment->retrieval.given ? &experiment->retrieval : NULL;
}

const vb_model_spec *vb_experiment_index_model(const vb_experiment *experiment, const vb_model_spec *model) {
    const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, model);
    for (int m = 0; retrieval && retrieval->index_model && m < experiment->model_count; m++)
        if (!strcmp(experiment->models[m].name, retrieval->index_model)) return &experiment->models[m];
    return model;
}

const vb_prompts *vb_experiment_prompts(const vb_model_spec *model, const vb_dataset_spec *dataset) {
    return model->prompts.count || model->coop ? &model->prompts : &dataset->prompts;
}

const vb_prompts *vb_experiment_name_prompts(const vb_experiment *experiment, const vb_model_spec *model,
                                             const vb_dataset_spec *dataset) {
    if (!dataset->part_count || model->family == VB_PRECOMPUTED) return vb_experiment_prompts(model, dataset);
    const vb_prompts *shared = vb_experiment_prompts(model, &experiment->datasets[dataset->parts[0]]);
    for (int p = 1; p < dataset->part_count; p++)
        if (strcmp(vb_experiment_prompts(model, &experiment->datasets[dataset->parts[p]])->digest.hex, shared->digest.hex))
            return NULL;
    return shared;
}

const vb_embeddings_spec *vb_experiment_embeddings(const vb_model_spec *model, const vb_dataset_spec *dataset) {
    for (int i = 0; i < model->embeddings_count; i++)
        if (!strcmp(model->embeddings_list[i].dataset, dataset->name)) return &model->embeddings_list[i];
    const vb_embeddings_spec *only = &model->embeddings;
    return only->image_embeddings && (!only->dataset || !strcmp(only->dataset, dataset->name)) ? only : NULL;
}

bool vb_experiment_encodes(const vb_experiment *experiment) {
    for (int m = 0; m < experiment->model_count; m++)
        if (experiment->models[m].family != VB_PRECOMPUTED) return true;
    return false;
}

bool vb_experiment_covers(const vb_experiment *experiment, const vb_model_spec *model, const vb_dataset_spec *dataset) {
    if (dataset->left_out) return false;
    if (model->family != VB_PRECOMPUTED) return true;
    for (int p = 0; p < dataset->part_count; p++)
        if (!vb_experiment_embeddings(model, &experiment->datasets[dataset->parts[p]])) return false;
    return dataset->part_count || vb_experiment_embeddings(model, dataset);
}

void vb_experiment_free(vb_experiment *experiment) {
    vb_options_free(vb_experiment_tables_root(), experiment);
    vb_adversarial_spec_free(&experiment->adversarial);
    vb_open_curve_spec_free(&experiment->open_curve);
    vb_hierarchy_spec_free(&experiment->hierarchy);
    vb_prompt_spread_spec_free(&experiment->prompt_spread);
    for (int d = 0; d < experiment->dataset_count; d++) {
        vb_options_free(vb_experiment_tables_dataset(), &experiment->datasets[d]);
        vb_prompts_free(&experiment->datasets[d].prompts);
        vb_free(experiment->datasets[d].parts);
    }
    for (int m = 0; m < experiment->model_count; m++) {
        vb_model_spec *model = &experiment->models[m];
        vb_options_free(vb_experiment_tables_model(), model);
        vb_options_free(vb_experiment_tables_coop(), model);
        vb_retrieval_spec_free(&model->retrieval);
        vb_prompts_free(&model->prompts);
        for (int e = 0; e < model->embeddings_count; e++)
            vb_options_free(vb_experiment_tables_embeddings(), &model->embeddings_list[e]);
        vb_free(model->embeddings_list);
        vb_free(model->series);
        vb_free(model->checkpoint);
    }
    for (int c = 0; c < experiment->corpus_count; c++) vb_retrieval_spec_corpus_free(&experiment->corpora[c]);
    vb_retrieval_spec_free(&experiment->retrieval);
    vb_free(experiment->corpora);
    vb_free(experiment->datasets);
    vb_free(experiment->models);
    vb_free(experiment->path);
    json_decref(experiment->configuration);
    *experiment = (vb_experiment){0};
}

json_t *vb_experiment_machine_json(vb_json *json, const vb_experiment *experiment) {
    return vb_options_json(json, vb_experiment_tables_root(), experiment, true);
}
