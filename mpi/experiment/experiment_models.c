/* Models: keys against family, prompts, embeddings, and the checkpoints of a series. */
#include "mpi/experiment/experiment_models.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/experiment/experiment_entry.h"
#include "mpi/experiment/experiment_tables.h"
#include "mpi/experiment/series.h"

static int read_prompts(const vb_experiment *experiment, vb_model_spec *model, const vb_yaml *node, vb_error *err) {
    if (node->kind == VB_YAML_MAP)
        return vb_options_read(vb_experiment_tables_coop(), model, node, experiment->path, "prompts", err);
    return vb_experiment_entry_templates(experiment, &model->prompts, node, err);
}

static json_t *prompts_json(vb_json *json, const vb_model_spec *model) {
    if (model->coop) return vb_options_json(json, vb_experiment_tables_coop(), model, false);
    return vb_experiment_entry_templates_json(json, &model->prompts);
}

/* Keys of a model against its family: what it needs and what it does not take. */
static int check_model(const vb_experiment *experiment, const vb_model_spec *model, const vb_yaml *node, vb_error *err) {
    bool precomputed = model->family == VB_PRECOMPUTED, listed = !vb_yaml_is_null(vb_yaml_get(node, "embeddings"));
    static const struct {
        const char *key;
        bool precomputed, needed;
    } rules[] = {{"weights", false, true},    {"tokenizer", false, false},      {"prompts", false, false},
                 {"embeddings", true, false}, {"image_embeddings", true, true}, {"text_embeddings", true, true},
                 {"labels", true, true},      {"text_names", true, false},      {"label_names", true, false},
                 {"dataset", true, false}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const vb_yaml *value = vb_yaml_get(node, rules[i].key);
        if (rules[i].precomputed == precomputed && rules[i].needed && !(precomputed && listed) && vb_yaml_is_null(value))
            return vb_yaml_errorf(node, experiment->path, err, "model '%s': family %s needs the key '%s'", model->name,
                                  vb_experiment_tables_family_word(model->family), rules[i].key);
        if (rules[i].precomputed != precomputed && !vb_yaml_is_null(value))
            return vb_yaml_errorf(value, experiment->path, err, "model '%s': family %s does not take the key '%s'", model->name,
                                  vb_experiment_tables_family_word(model->family), rules[i].key);
        if (precomputed && listed && !vb_yaml_is_null(value) && strcmp(rules[i].key, "embeddings"))
            return vb_yaml_errorf(value, experiment->path, err,
                                  "model '%s': '%s' beside 'embeddings', in whose entries it belongs", model->name, rules[i].key);
    }
    for (const vb_option *fact = vb_experiment_tables_facts(); precomputed && fact->key; fact++) {
        const vb_yaml *value = vb_yaml_get(node, fact->key);
        if (!vb_yaml_is_null(value))
            return vb_yaml_errorf(value, experiment->path, err, "model '%s': family %s does not take the key '%s'", model->name,
                                  vb_experiment_tables_family_word(model->family), fact->key);
    }
    if (precomputed && listed) return 0;
    const char *name = model->embeddings.dataset;
    if (!name && precomputed && experiment->dataset_count - experiment->expansion_count > 1)
        return vb_yaml_errorf(node, experiment->path, err,
                              "model '%s': with several datasets, 'dataset:' must say which one its embeddings belong to",
                              model->name);
    if (!name || vb_experiment_entry_find_dataset(experiment, name) >= 0) return 0;
    return vb_yaml_errorf(vb_yaml_get(node, "dataset"), experiment->path, err, "model '%s': there is no dataset '%s'",
                          model->name, name);
}

/* A model without prompts takes those of every dataset. */
static int check_prompts(const vb_experiment *experiment, const vb_model_spec *model, const vb_yaml *node, vb_error *err) {
    if (model->family == VB_PRECOMPUTED || model->prompts.count || model->coop) return 0;
    for (int d = 0; d < experiment->dataset_count - experiment->expansion_count; d++)
        if (!experiment->datasets[d].prompts.count)
            return vb_yaml_errorf(
                node, experiment->path, err,
                "model '%s': family %s needs the key 'prompts', or every dataset its own: dataset '%s' has none", model->name,
                vb_experiment_tables_family_word(model->family), experiment->datasets[d].name);
    return 0;
}

static int read_embeddings(vb_experiment *experiment, vb_model_spec *spec, const vb_yaml *list, vb_error *err) {
    if (list->kind != VB_YAML_LIST || !list->count)
        return vb_experiment_entry_errorf(experiment, list, err, "embeddings: expected a list of maps, one for each dataset", "");
    json_t *noted = vb_json_set_array(&experiment->json, vb_experiment_entry_noted(experiment, "models"), "embeddings");
    if (!(spec->embeddings_list = vb_array(list->count, sizeof *spec->embeddings_list, "embeddings", err))) return -1;
    for (size_t i = 0; i < list->count; i++) {
        const vb_yaml *node = list->items[i];
        vb_embeddings_spec *entry = &spec->embeddings_list[spec->embeddings_count++];
        if (vb_options_read(vb_experiment_tables_embeddings(), entry, node, experiment->path, "an entry of embeddings", err))
            return -1;
        if (vb_experiment_entry_find_dataset(experiment, entry->dataset) < 0)
            return vb_yaml_errorf(vb_yaml_get(node, "dataset"), experiment->path, err, "model '%s': there is no dataset '%s'",
                                  spec->name, entry->dataset);
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->embeddings_list[j].dataset, entry->dataset))
                return vb_yaml_errorf(node, experiment->path, err, "model '%s': embeddings of dataset '%s' are listed twice",
                                      spec->name, entry->dataset);
        vb_json_append(&experiment->json, noted,
                       vb_options_json(&experiment->json, vb_experiment_tables_embeddings(), entry, false));
        if (vb_options_resolve(vb_experiment_tables_embeddings(), entry, experiment->path, err)) return -1;
    }
    return 0;
}

static int replace_text(char **field, const char *text, bool found, vb_error *err) {
    char *written = vb_array(2 * strlen(text) + 1, 1, "a path", err);
    vb_free(*field);
    *field = written;
    for (const char *at = text; written && *at; *written++ = *at++)
        if (*at == '$' && !found) *written++ = '$';
    return *field ? 0 : -1;
}

/* Checkpoint k's file in place of the pattern: as it would be written, dollars doubled, or as it was found. */
static int put_checkpoint(vb_model_spec *spec, const vb_series *series, int k, bool found, vb_error *err) {
    char **const fields[VB_SERIES_KEYS] = {[VB_SERIES_WEIGHTS] = &spec->weights,
                                           [VB_SERIES_COOP] = &spec->coop,
                                           [VB_SERIES_IMAGES] = &spec->embeddings.image_embeddings,
                                           [VB_SERIES_TEXTS] = &spec->embeddings.text_embeddings};
    for (int key = 0; key < VB_SERIES_KEYS; key++) {
        if (!series->found[key].count) continue;
        if (replace_text(fields[key], series->found[key].items[k] + (found ? 0 : series->unwritten[key]), found, err)) return -1;
    }
    return 0;
}

/* Checkpoint k of a series; k is -1 for a model that is none. */
static int read_model(vb_experiment *experiment, vb_model_spec *spec, const vb_yaml *node, const vb_series *series, int k,
                      vb_error *err) {
    if (vb_options_read(vb_experiment_tables_model(), spec, node, experiment->path, "a model", err)) return -1;
    if (k >= 0) {
        if (!(spec->series = vb_strdup(spec->name, err)) || !(spec->checkpoint = vb_strdup(series->checkpoints[k], err)))
            return -1;
        vb_free(spec->name);
        if (!(spec->name = vb_format(err, "%s@%s", spec->series, spec->checkpoint))) return -1;
    }
    if (vb_experiment_entry_check_name(experiment, node, "model", spec->name, err) || check_model(experiment, spec, node, err))
        return -1;
    const vb_yaml *prompts = vb_yaml_get(node, "prompts"), *embeddings = vb_yaml_get(node, "embeddings"),
                  *retrieval = vb_yaml_get(node, "retrieval");
    if (!vb_yaml_is_null(prompts) && read_prompts(experiment, spec, prompts, err)) return -1;
    if (check_prompts(experiment, spec, node, err)) return -1;
    if (k >= 0 && put_checkpoint(spec, series, k, false, err)) return -1;
    vb_experiment_entry_note(experiment, "models", vb_experiment_tables_model(), spec);
    vb_json *json = &experiment->json;
    json_t *noted = vb_experiment_entry_noted(experiment, "models");
    if (k >= 0) {
        json_t *place = vb_json_set_object(json, noted, "series");
        vb_json_set_text(json, place, "name", spec->series);
        vb_json_set_text(json, place, "checkpoint", spec->checkpoint);
    }
    if (!vb_yaml_is_null(prompts)) vb_json_set(json, noted, "prompts", prompts_json(json, spec));
    if (!vb_yaml_is_null(embeddings) && read_embeddings(experiment, spec, embeddings, err)) return -1;
    if (vb_options_resolve(vb_experiment_tables_model(), spec, experiment->path, err)) return -1;
    if (!vb_yaml_is_null(retrieval)) {
        if (vb_experiment_entry_retrieval(experiment, &spec->retrieval, retrieval, err)) return -1;
        vb_json_set(json, noted, "retrieval", vb_retrieval_spec_json(json, &spec->retrieval));
    }
    if (spec->coop && vb_options_resolve(vb_experiment_tables_coop(), spec, experiment->path, err)) return -1;
    return k >= 0 ? put_checkpoint(spec, series, k, true, err) : 0;
}

/* An entry of the list: one model, or all of a series. */
static int read_entry(vb_experiment *experiment, size_t *capacity, const vb_yaml *node, vb_error *err) {
    vb_series series;
    int status = vb_series_find(&series, node, experiment->path, err);
    for (int k = series.count ? 0 : -1; !status && k < series.count; k++) {
        size_t n = (size_t)experiment->model_count;
        if ((status = vb_grow((void **)&experiment->models, capacity, n + 1, sizeof *experiment->models, "models", err))) break;
        vb_model_spec *spec = &experiment->models[experiment->model_count++];
        status = read_model(experiment, spec, node, &series, k, err);
        for (size_t j = 0; j < n && !status; j++)
            if (!strcmp(spec->name, experiment->models[j].name))
                status = vb_experiment_entry_errorf(experiment, node, err, spec->name, "two models are named ");
        if (!series.count) break;
    }
    vb_series_free(&series);
    return status;
}

int vb_experiment_models_read(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    const vb_yaml *list = vb_experiment_entry_list(experiment, root, "models", err);
    size_t capacity = 0;
    if (!list) return -1;
    for (size_t i = 0; i < list->count; i++)
        if (read_entry(experiment, &capacity, list->items[i], err)) return -1;
    for (int d = 0; d < experiment->dataset_count; d++) {
        const vb_dataset_spec *data = &experiment->datasets[d];
        int whole = experiment->dataset_count - experiment->expansion_count;
        const vb_yaml *node = vb_yaml_get(root, data->part_count ? "expansions" : "datasets")->items[d < whole ? d : d - whole];
        bool covered = false;
        for (int m = 0; m < experiment->model_count; m++)
            covered |= vb_experiment_covers(experiment, &experiment->models[m], data);
        if (vb_experiment_encodes(experiment) && !data->images && !data->part_count)
            return vb_yaml_errorf(node, experiment->path, err,
                                  "dataset '%s': the key 'images' is missing, and not all models are precomputed", data->name);
        if (!covered)
            return vb_yaml_errorf(node, experiment->path, err, "%s '%s': no model has embeddings of %s",
                                  data->part_count ? "expansion" : "dataset", data->name,
                                  data->part_count ? "all its datasets" : "it");
    }
    return 0;
}
