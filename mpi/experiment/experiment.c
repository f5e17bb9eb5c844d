/* The reader of the experiment file, and the checks that need no data. */
#include "mpi/experiment/experiment.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/resolve.h"
#include "mpi/experiment/experiment_tables.h"
#include "mpi/experiment/series.h"
#include "shards/files/path.h"
#include "shards/text/prompts.h"
#include "shards/text/yaml_set.h"

static int resolve_paths(const vb_option *table, void *fields, const char *beside, vb_error *err) {
    for (const vb_option *option = table; option->key; option++) {
        char **field = (char **)((char *)fields + option->offset);
        if (option->kind != VB_OPTION_PATH || option->machine || !*field) continue;
        char *resolved = vb_resolve(*field, beside, err);
        if (!resolved) return -1;
        vb_free(*field);
        *field = resolved;
    }
    return 0;
}

static int wrong_at(const vb_experiment *experiment, const vb_yaml *node, vb_error *err, const char *text, const char *what) {
    return vb_yaml_errorf(node, experiment->path, err, "%s%s", what, text);
}

/* A list of templates, or the name of a file that holds one. */
static int read_templates(const vb_experiment *experiment, vb_prompts *prompts, const vb_yaml *node, vb_error *err) {
    if (node->kind != VB_YAML_SCALAR || strstr(node->text, "{}"))
        return vb_prompts_from_yaml(prompts, node, experiment->path, err);
    bool path = strchr(node->text, '/') || vb_path_ends_with(node->text, ".yaml");
    char *wanted = path ? vb_strdup(node->text, err) : vb_format(err, "configs/prompts/%s.yaml", node->text);
    char *file = wanted ? vb_resolve(wanted, experiment->path, err) : NULL;
    int status = file ? vb_prompts_read(prompts, file, err) : -1;
    if (file && status) vb_error_prefix(err, "prompts '%s'", node->text);
    vb_free(file);
    vb_free(wanted);
    return status;
}

static int read_prompts(const vb_experiment *experiment, vb_model_spec *model, const vb_yaml *node, vb_error *err) {
    if (node->kind == VB_YAML_MAP)
        return vb_options_read(vb_experiment_tables_coop(), model, node, experiment->path, "prompts", err);
    return read_templates(experiment, &model->prompts, node, err);
}

/* The configuration carries paths as they were written: where they were found belongs to the machine. */
static void note_configuration(vb_experiment *experiment, const char *list, const vb_option *table, const void *fields) {
    vb_json *json = &experiment->json;
    json_t *items = json_object_get(experiment->configuration, list);
    if (!items) items = vb_json_set_array(json, experiment->configuration, list);
    vb_json_append(json, items, vb_options_json(json, table, fields, false));
}

static json_t *last_noted(const vb_experiment *experiment, const char *list) {
    json_t *items = json_object_get(experiment->configuration, list);
    return json_array_get(items, json_array_size(items) - 1);
}

static json_t *templates_json(vb_json *json, const vb_prompts *prompts) {
    json_t *list = vb_json_array(json);
    for (int p = 0; p < prompts->count; p++) vb_json_append_text(json, list, prompts->items[p]);
    return list;
}

static json_t *prompts_json(vb_json *json, const vb_model_spec *model) {
    if (model->coop) return vb_options_json(json, vb_experiment_tables_coop(), model, false);
    return templates_json(json, &model->prompts);
}

/* A name becomes a file name and a table cell. */
static int check_name(const vb_experiment *experiment, const vb_yaml *node, const char *what, const char *text, vb_error *err) {
    bool good = text[0] != '.' && strlen(text) <= 100;
    for (const char *at = text; *at; at++) good = good && *at != '/' && (unsigned char)*at >= 0x20;
    if (good) return 0;
    const vb_yaml *at = vb_yaml_get(node, "name");
    return vb_yaml_errorf(at ? at : node, experiment->path, err,
                          "%s name '%s': it must not begin with a dot, hold a slash or be longer than 100 bytes", what, text);
}

/* The dataset of that name, not an expansion; -1 when there is none. */
static int find_dataset(const vb_experiment *experiment, const char *name) {
    for (int d = 0; d < experiment->dataset_count - experiment->expansion_count; d++)
        if (!strcmp(name, experiment->datasets[d].name)) return d;
    return -1;
}

/* Keys of a model against its family: what it needs and what it does not take. */
static int check_model(const vb_experiment *experiment, const vb_model_spec *model, const vb_yaml *node, vb_error *err) {
    bool precomputed = model->family == VB_PRECOMPUTED, listed = vb_yaml_get(node, "embeddings");
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
        if (rules[i].precomputed != precomputed && value)
            return vb_yaml_errorf(value, experiment->path, err, "model '%s': family %s does not take the key '%s'", model->name,
                                  vb_experiment_tables_family_word(model->family), rules[i].key);
        if (precomputed && listed && value && strcmp(rules[i].key, "embeddings"))
            return vb_yaml_errorf(value, experiment->path, err,
                                  "model '%s': '%s' beside 'embeddings', in whose entries it belongs", model->name, rules[i].key);
    }
    for (const vb_option *fact = vb_experiment_tables_facts(); precomputed && fact->key; fact++) {
        const vb_yaml *value = vb_yaml_get(node, fact->key);
        if (value)
            return vb_yaml_errorf(value, experiment->path, err, "model '%s': family %s does not take the key '%s'", model->name,
                                  vb_experiment_tables_family_word(model->family), fact->key);
    }
    if (precomputed && listed) return 0;
    const char *name = model->embeddings.dataset;
    if (!name && precomputed && experiment->dataset_count - experiment->expansion_count > 1)
        return vb_yaml_errorf(node, experiment->path, err,
                              "model '%s': with several datasets, 'dataset:' must say which one its embeddings belong to",
                              model->name);
    if (!name || find_dataset(experiment, name) >= 0) return 0;
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

static const vb_yaml *list_of(const vb_experiment *experiment, const vb_yaml *root, const char *key, vb_error *err) {
    const vb_yaml *list = vb_yaml_get(root, key);
    if (list->kind != VB_YAML_LIST || !list->count) {
        vb_yaml_errorf(list, experiment->path, err, "%s: expected a list with at least one entry", key);
        return NULL;
    }
    return list;
}

static int read_dataset(vb_experiment *experiment, vb_dataset_spec *spec, const vb_yaml *node, vb_error *err) {
    if (vb_options_read(vb_experiment_tables_dataset(), spec, node, experiment->path, "a dataset", err)) return -1;
    if (check_name(experiment, node, "dataset", spec->name, err)) return -1;
    note_configuration(experiment, "datasets", vb_experiment_tables_dataset(), spec);
    const vb_yaml *prompts = vb_yaml_get(node, "prompts");
    if (!vb_yaml_is_null(prompts)) {
        if (read_templates(experiment, &spec->prompts, prompts, err)) return -1;
        vb_json_set(&experiment->json, last_noted(experiment, "datasets"), "prompts",
                    templates_json(&experiment->json, &spec->prompts));
    }
    return resolve_paths(vb_experiment_tables_dataset(), spec, experiment->path, err);
}

static int read_expansion(vb_experiment *experiment, vb_dataset_spec *spec, const vb_yaml *node, vb_error *err) {
    if (vb_options_read(vb_experiment_tables_expansion(), spec, node, experiment->path, "an expansion", err)) return -1;
    if (check_name(experiment, node, "expansion", spec->name, err)) return -1;
    note_configuration(experiment, "expansions", vb_experiment_tables_expansion(), spec);
    const vb_yaml *list = vb_yaml_get(node, "datasets");
    if (list->kind != VB_YAML_LIST || list->count < 2)
        return vb_yaml_errorf(list, experiment->path, err,
                              "expansion '%s': datasets: expected a list of at least two datasets, found %s", spec->name,
                              list->kind != VB_YAML_LIST ? "no list" :
                              list->count                ? "one" :
                                                           "none");
    json_t *names = vb_json_set_array(&experiment->json, last_noted(experiment, "expansions"), "datasets");
    if (!(spec->parts = vb_array(list->count, sizeof *spec->parts, "datasets", err))) return -1;
    for (size_t i = 0; i < list->count; i++) {
        const char *name;
        if (vb_yaml_text(list->items[i], experiment->path, &name, err)) return -1;
        int d = find_dataset(experiment, name);
        if (d < 0)
            return vb_yaml_errorf(list->items[i], experiment->path, err, "expansion '%s': there is no dataset '%s'", spec->name,
                                  name);
        for (int p = 0; p < spec->part_count; p++)
            if (spec->parts[p] == d)
                return vb_yaml_errorf(list->items[i], experiment->path, err, "expansion '%s': '%s' is listed twice", spec->name,
                                      name);
        spec->parts[spec->part_count++] = d;
        vb_json_append_text(&experiment->json, names, name);
    }
    return 0;
}

static int read_datasets(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    const vb_yaml *list = list_of(experiment, root, "datasets", err), *expansions = NULL;
    if (!list || (vb_yaml_get(root, "expansions") && !(expansions = list_of(experiment, root, "expansions", err)))) return -1;
    size_t count = list->count + (expansions ? expansions->count : 0);
    if (!(experiment->datasets = vb_array(count, sizeof *experiment->datasets, "datasets", err))) return -1;
    for (size_t i = 0; i < count; i++) {
        bool whole = i < list->count;
        const vb_yaml *node = whole ? list->items[i] : expansions->items[i - list->count];
        vb_dataset_spec *spec = &experiment->datasets[experiment->dataset_count++];
        experiment->expansion_count += !whole;
        if (whole ? read_dataset(experiment, spec, node, err) : read_expansion(experiment, spec, node, err)) return -1;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->name, experiment->datasets[j].name))
                return wrong_at(experiment, node, err, spec->name,
                                whole ? "two datasets are named " : "two expansions or datasets are named ");
    }
    return 0;
}

static int read_corpora(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    if (!vb_yaml_get(root, "corpora")) return 0;
    const vb_yaml *list = list_of(experiment, root, "corpora", err);
    if (!list || !(experiment->corpora = vb_array(list->count, sizeof *experiment->corpora, "corpora", err))) return -1;
    for (size_t i = 0; i < list->count; i++) {
        vb_corpus_spec *spec = &experiment->corpora[i];
        experiment->corpus_count++;
        if (vb_retrieval_spec_corpus_read(spec, list->items[i], experiment->path, err)) return -1;
        note_configuration(experiment, "corpora", vb_retrieval_spec_corpus_options(), spec);
        if (resolve_paths(vb_retrieval_spec_corpus_options(), spec, experiment->path, err)) return -1;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->name, experiment->corpora[j].name))
                return wrong_at(experiment, list->items[i], err, spec->name, "two corpora are named ");
    }
    return 0;
}

const vb_corpus_spec *vb_experiment_find_corpus(const vb_experiment *experiment, const char *name) {
    for (int i = 0; i < experiment->corpus_count; i++)
        if (!strcmp(experiment->corpora[i].name, name)) return &experiment->corpora[i];
    return NULL;
}

const vb_retrieval_spec *vb_experiment_retrieval(const vb_experiment *experiment, const vb_model_spec *model) {
    return model->retrieval.given ? &model->retrieval : experiment->retrieval.given ? &experiment->retrieval : NULL;
}

static int read_retrieval(vb_experiment *experiment, vb_retrieval_spec *spec, const vb_yaml *node, vb_error *err) {
    if (vb_retrieval_spec_read(spec, node, experiment->path, err)) return -1;
    if (vb_experiment_find_corpus(experiment, spec->corpus)) return 0;
    return wrong_at(experiment, node, err, spec->corpus, "retrieval: there is no corpus ");
}

static int read_embeddings(vb_experiment *experiment, vb_model_spec *spec, const vb_yaml *list, vb_error *err) {
    if (list->kind != VB_YAML_LIST || !list->count)
        return wrong_at(experiment, list, err, "embeddings: expected a list of maps, one for each dataset", "");
    json_t *noted = vb_json_set_array(&experiment->json, last_noted(experiment, "models"), "embeddings");
    if (!(spec->embeddings_list = vb_array(list->count, sizeof *spec->embeddings_list, "embeddings", err))) return -1;
    for (size_t i = 0; i < list->count; i++) {
        const vb_yaml *node = list->items[i];
        vb_embeddings_spec *entry = &spec->embeddings_list[spec->embeddings_count++];
        if (vb_options_read(vb_experiment_tables_embeddings(), entry, node, experiment->path, "an entry of embeddings", err))
            return -1;
        if (find_dataset(experiment, entry->dataset) < 0)
            return vb_yaml_errorf(vb_yaml_get(node, "dataset"), experiment->path, err, "model '%s': there is no dataset '%s'",
                                  spec->name, entry->dataset);
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->embeddings_list[j].dataset, entry->dataset))
                return vb_yaml_errorf(node, experiment->path, err, "model '%s': embeddings of dataset '%s' are listed twice",
                                      spec->name, entry->dataset);
        vb_json_append(&experiment->json, noted,
                       vb_options_json(&experiment->json, vb_experiment_tables_embeddings(), entry, false));
        if (resolve_paths(vb_experiment_tables_embeddings(), entry, experiment->path, err)) return -1;
    }
    return 0;
}

static int replace_text(char **field, const char *text, vb_error *err) {
    vb_free(*field);
    return (*field = vb_strdup(text, err)) ? 0 : -1;
}

/* Checkpoint k's file in place of the pattern: as it would be written, or as it was found. */
static int put_checkpoint(vb_model_spec *spec, const vb_series *series, int k, bool found, vb_error *err) {
    char **const fields[VB_SERIES_KEYS] = {[VB_SERIES_WEIGHTS] = &spec->weights,
                                           [VB_SERIES_COOP] = &spec->coop,
                                           [VB_SERIES_IMAGES] = &spec->embeddings.image_embeddings,
                                           [VB_SERIES_TEXTS] = &spec->embeddings.text_embeddings};
    for (int key = 0; key < VB_SERIES_KEYS; key++) {
        if (!series->found[key].count) continue;
        if (replace_text(fields[key], series->found[key].items[k] + (found ? 0 : series->unwritten[key]), err)) return -1;
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
    if (check_name(experiment, node, "model", spec->name, err) || check_model(experiment, spec, node, err)) return -1;
    const vb_yaml *prompts = vb_yaml_get(node, "prompts"), *embeddings = vb_yaml_get(node, "embeddings"),
                  *retrieval = vb_yaml_get(node, "retrieval");
    if (!vb_yaml_is_null(prompts) && read_prompts(experiment, spec, prompts, err)) return -1;
    if (check_prompts(experiment, spec, node, err)) return -1;
    if (k >= 0 && put_checkpoint(spec, series, k, false, err)) return -1;
    note_configuration(experiment, "models", vb_experiment_tables_model(), spec);
    vb_json *json = &experiment->json;
    json_t *noted = last_noted(experiment, "models");
    if (k >= 0) {
        json_t *place = vb_json_set_object(json, noted, "series");
        vb_json_set_text(json, place, "name", spec->series);
        vb_json_set_text(json, place, "checkpoint", spec->checkpoint);
    }
    if (!vb_yaml_is_null(prompts)) vb_json_set(json, noted, "prompts", prompts_json(json, spec));
    if (embeddings && read_embeddings(experiment, spec, embeddings, err)) return -1;
    if (resolve_paths(vb_experiment_tables_model(), spec, experiment->path, err)) return -1;
    if (retrieval) {
        if (read_retrieval(experiment, &spec->retrieval, retrieval, err)) return -1;
        vb_json_set(json, noted, "retrieval", vb_retrieval_spec_json(json, &spec->retrieval));
    }
    if (spec->coop && resolve_paths(vb_experiment_tables_coop(), spec, experiment->path, err)) return -1;
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
                status = wrong_at(experiment, node, err, spec->name, "two models are named ");
        if (!series.count) break;
    }
    vb_series_free(&series);
    return status;
}

static int read_models(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    const vb_yaml *list = list_of(experiment, root, "models", err);
    size_t capacity = 0;
    if (!list) return -1;
    for (size_t i = 0; i < list->count; i++)
        if (read_entry(experiment, &capacity, list->items[i], err)) return -1;
    for (int d = 0; d < experiment->dataset_count; d++) {
        const vb_dataset_spec *data = &experiment->datasets[d];
        int whole = experiment->dataset_count - experiment->expansion_count;
        const vb_yaml *node = vb_yaml_get(root, data->part_count ? "expansions" : "datasets")->items[d < whole ? d : d - whole];
        bool encoded = false, covered = false;
        for (int m = 0; m < experiment->model_count; m++) {
            encoded |= experiment->models[m].family != VB_PRECOMPUTED;
            covered |= vb_experiment_covers(experiment, &experiment->models[m], data);
        }
        if (encoded && !data->images && !data->part_count)
            return vb_yaml_errorf(node, experiment->path, err,
                                  "dataset '%s': the key 'images' is missing, and not all models are precomputed", data->name);
        if (data->part_count && !covered)
            return vb_yaml_errorf(node, experiment->path, err, "expansion '%s': no model has embeddings of all its datasets",
                                  data->name);
    }
    return 0;
}

const vb_prompts *vb_experiment_prompts(const vb_model_spec *model, const vb_dataset_spec *dataset) {
    return model->prompts.count || model->coop ? &model->prompts : &dataset->prompts;
}

const vb_embeddings_spec *vb_experiment_embeddings(const vb_model_spec *model, const vb_dataset_spec *dataset) {
    for (int i = 0; i < model->embeddings_count; i++)
        if (!strcmp(model->embeddings_list[i].dataset, dataset->name)) return &model->embeddings_list[i];
    const vb_embeddings_spec *only = &model->embeddings;
    return only->image_embeddings && (!only->dataset || !strcmp(only->dataset, dataset->name)) ? only : NULL;
}

bool vb_experiment_covers(const vb_experiment *experiment, const vb_model_spec *model, const vb_dataset_spec *dataset) {
    if (model->family != VB_PRECOMPUTED) return true;
    for (int p = 0; p < dataset->part_count; p++)
        if (!vb_experiment_embeddings(model, &experiment->datasets[dataset->parts[p]])) return false;
    return dataset->part_count || vb_experiment_embeddings(model, dataset);
}

static int check_index_models(const vb_experiment *experiment, vb_error *err) {
    for (int m = -1; m < experiment->model_count; m++) {
        const char *wanted = m < 0 ? experiment->retrieval.index_model : experiment->models[m].retrieval.index_model;
        bool found = !wanted;
        for (int i = 0; i < experiment->model_count && !found; i++)
            found = !strcmp(wanted, experiment->models[i].name) && experiment->models[i].family != VB_PRECOMPUTED;
        if (!found)
            return vb_errorf(err, VB_ECONFIG, "%s: retrieval: index_model '%s' is no model of this file with weights",
                             experiment->path, wanted);
    }
    return 0;
}

/* The other models stay in the list: an index model of a retrieval may be one of them, and numbers of models keep their
 * meaning. */
static int choose_model(vb_experiment *experiment, vb_error *err) {
    bool found = !experiment->only_model;
    for (int m = 0; m < experiment->model_count && experiment->only_model; m++) {
        experiment->models[m].left_out = strcmp(experiment->models[m].name, experiment->only_model) != 0;
        found |= !experiment->models[m].left_out;
    }
    if (found) return 0;
    return vb_errorf(err, VB_ECONFIG, "%s: only_model: there is no model '%s' among the %d of this file", experiment->path,
                     experiment->only_model, experiment->model_count);
}

/* What needs all text embeddings on every rank. */
static int check_engine(const vb_experiment *experiment, vb_error *err) {
    bool retrieval = experiment->retrieval.given;
    for (int m = 0; m < experiment->model_count; m++) retrieval |= experiment->models[m].retrieval.given;
    const char *what = experiment->analyses                       ? "analyses" :
                       experiment->adversarial.candidates != NULL ? "adversarial" :
                       retrieval                                  ? "retrieval" :
                       experiment->per_image                      ? "per_image" :
                       experiment->expansion_count                ? "expansions" :
                                                                    NULL;
    if (experiment->similarity_engine == VB_ENGINE_REPLICATED || !what) return 0;
    return vb_errorf(err, VB_ECONFIG, "%s: similarity_engine: scalapack evaluates only; '%s' needs 'replicated'",
                     experiment->path, what);
}

int vb_experiment_read(vb_experiment *experiment, const char *given, const vb_override *overrides, int override_count,
                       vb_error *err) {
    *experiment = (vb_experiment){0};
    vb_yaml *root = NULL;
    int status = -1;
    const char *path = experiment->path = vb_resolve(given, "", err);
    if (!path || vb_yaml_read(&root, path, err)) goto done;
    if (root->kind != VB_YAML_MAP) {
        vb_yaml_errorf(root, path, err, "expected an experiment: a map with the keys experiment, datasets, models");
        goto done;
    }
    for (int i = 0; i < override_count; i++)
        if (vb_yaml_set(root, overrides[i].path, overrides[i].value, err)) goto done;
    if (vb_options_read(vb_experiment_tables_root(), experiment, root, path, "the experiment", err)) goto done;
    if (check_name(experiment, root, "experiment", experiment->name, err)) goto done;
    experiment->configuration = vb_options_json(&experiment->json, vb_experiment_tables_root(), experiment, false);
    if (vb_analyses_spec_read(&experiment->analyses, root, path, experiment->configuration, err)) goto done;
    if (vb_adversarial_spec_read(&experiment->adversarial, root, path, experiment->configuration, err)) goto done;
    if (read_datasets(experiment, root, err) || read_corpora(experiment, root, err)) goto done;
    const vb_yaml *retrieval = vb_yaml_get(root, "retrieval");
    if (retrieval) {
        if (read_retrieval(experiment, &experiment->retrieval, retrieval, err)) goto done;
        vb_json_set(&experiment->json, experiment->configuration, "retrieval",
                    vb_retrieval_spec_json(&experiment->json, &experiment->retrieval));
    }
    if (read_models(experiment, root, err) || check_index_models(experiment, err) || choose_model(experiment, err)) goto done;
    if (check_engine(experiment, err) || vb_json_end(&experiment->json, "the configuration", err)) goto done;
    if (!experiment->output && !(experiment->output = vb_format(err, "results/%s", experiment->name))) goto done;
    if (!experiment->cache && !(experiment->cache = vb_format(err, "%s/cache", experiment->output))) goto done;
    status = 0;
done:
    vb_yaml_free(root);
    if (status) vb_experiment_free(experiment);
    return status;
}

void vb_experiment_free(vb_experiment *experiment) {
    vb_options_free(vb_experiment_tables_root(), experiment);
    vb_adversarial_spec_free(&experiment->adversarial);
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
