/* The experiment file's tables, its reader and the checks that need no data. */
#include "mpi/experiment.h"

#include <string.h>

#include "kernels/memory.h"
#include "mpi/analyses.h"
#include "mpi/provenance.h"
#include "shards/io.h"
#include "shards/prompts.h"

static const char *const protocols[] = {"exact", "sampled", NULL};
static const char *const on_error[] = {"strict", "skip", NULL};
static const char *const families[] = {"clip", "slip", "declip", "precomputed", NULL};
static const char *const activations[] = {"family", "quick_gelu", "gelu", NULL};
static const char *const preprocessings[] = {"openai", "rgb_first", NULL};
static const char *const similarities[] = {"cosine", "dot", NULL};
static const char *const engines[] = {"replicated", "scalapack", NULL};
static const char *const positions[] = {"end", "middle", "front", NULL};

#define AT(type, field) offsetof(type, field)

static const vb_option experiment_options[] = {
    {"experiment", VB_TEXT, AT(vb_experiment, name), true, false, NULL, 0, 0, NULL, NULL, "name of the experiment"},
    {"protocol", VB_CHOICE, AT(vb_experiment, protocol), false, false, "exact", 0, 0, protocols, NULL,
     "average over all orders of arrival, or over sampled ones"},
    {"trials", VB_INTEGER, AT(vb_experiment, trials), false, false, "3", 1, 100000, NULL, "permutations",
     "orders drawn for each target vocabulary (sampled)"},
    {"seed", VB_INTEGER, AT(vb_experiment, seed), false, false, "42", 0, 4294967295.0, NULL, NULL,
     "seed of numpy's legacy generator (sampled)"},
    {"union_permutations", VB_INTEGER, AT(vb_experiment, union_permutations), false, false, "1000", 2, 1000000, NULL, "permutations",
     "for acc_e_union where it has no closed form (over 20 vocabularies of unequal image counts)"},
    {"per_image", VB_BOOLEAN, AT(vb_experiment, per_image), false, true, "false", 0, 0, NULL, NULL,
     "write a record for every image (records/*.jsonl.zst)"},
    {"latex", VB_BOOLEAN, AT(vb_experiment, latex), false, true, "false", 0, 0, NULL, NULL, "write table.tex as well"},
    {"output", VB_PATH, AT(vb_experiment, output), false, true, NULL, 0, 0, NULL, NULL, "folder of the results [results/EXPERIMENT]"},
    {"cache", VB_PATH, AT(vb_experiment, cache), false, true, NULL, 0, 0, NULL, NULL,
     "folder of encoded units; may be shared by experiments [OUTPUT/cache]"},
    {"only_model", VB_TEXT, AT(vb_experiment, only_model), false, true, NULL, 0, 0, NULL, NULL,
     "evaluate this model alone; the configuration stays that of the whole, so that 'merge' can join the parts"},
    {"batch", VB_INTEGER, AT(vb_experiment, batch), false, true, "16", 1, 4096, NULL, "images",
     "encoded at once; changes speed and memory, never a result"},
    {"threads", VB_INTEGER, AT(vb_experiment, threads), false, true, "0", 0, 1024, NULL, "threads",
     "a rank; 0: OMP_NUM_THREADS, else the cores it may use, shared by the ranks on them"},
    {"ranks_per_model", VB_INTEGER, AT(vb_experiment, ranks_per_model), false, true, "0", 0, 1 << 20, NULL, "ranks",
     "at most, of a group that evaluates models beside other groups; 0: as many groups as end soonest"},
    {"similarity_engine", VB_CHOICE, AT(vb_experiment, similarity_engine), false, true, "replicated", 0, 0, engines, NULL,
     "text embeddings whole on every rank, or divided among the ranks for label sets too large for that; the same results"},
    {"corpora", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL, "list of corpora for retrieval"},
    {"retrieval", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL, "retrieval-enhanced prompts (REPE) for all models"},
    {"analyses", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL,
     "list of margin, similarity, alignment, uniformity, spectrum, order: why a model is stable or not"},
    {"adversarial", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL, "candidate names that take most images from a vocabulary"},
    {"datasets", VB_CUSTOM, 0, true, false, NULL, 0, 0, NULL, NULL, "list of datasets"},
    {"models", VB_CUSTOM, 0, true, false, NULL, 0, 0, NULL, NULL, "list of models"},
    {0}};

static const vb_option dataset_options[] = {
    {"name", VB_TEXT, AT(vb_dataset_spec, name), true, false, NULL, 0, 0, NULL, NULL, "name of the dataset"},
    {"images", VB_PATH, AT(vb_dataset_spec, images), false, false, NULL, 0, 0, NULL, NULL,
     "folder of class folders, WebDataset .tar/.tar.zst (glob) or CIFAR-10/100 binary; not needed by precomputed models"},
    {"vocabularies", VB_PATH, AT(vb_dataset_spec, vocabularies), true, false, NULL, 0, 0, NULL, NULL, "vocabulary file"},
    {"class_names", VB_PATH, AT(vb_dataset_spec, class_names), false, false, NULL, 0, 0, NULL, NULL,
     "file with the names of integer labels, one a line"},
    {"on_error", VB_CHOICE, AT(vb_dataset_spec, on_error), false, false, "strict", 0, 0, on_error, NULL,
     "what a broken image does: stop the run, or be counted and listed"},
    {0}};

static const vb_option model_options[] = {
    {"name", VB_TEXT, AT(vb_model_spec, name), true, false, NULL, 0, 0, NULL, NULL, "name of the model"},
    {"family", VB_CHOICE, AT(vb_model_spec, family), true, false, NULL, 0, 0, families, NULL, "kind of model"},
    {"weights", VB_PATH, AT(vb_model_spec, weights), false, false, NULL, 0, 0, NULL, NULL, "checkpoint: safetensors or PyTorch"},
    {"tokenizer", VB_PATH, AT(vb_model_spec, tokenizer), false, false, NULL, 0, 0, NULL, NULL,
     "bpe_simple_vocab_16e6.txt.gz, or vocab.json with merges.txt beside it"},
    {"prompts", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL,
     "list of templates with one {} each, the name of a list in configs/prompts, or {coop: FILE, position: end|middle|front}"},
    {"retrieval", VB_CUSTOM, 0, false, false, NULL, 0, 0, NULL, NULL, "retrieval-enhanced prompts (REPE) for this model"},
    {"activation", VB_CHOICE, AT(vb_model_spec, activation), false, false, "family", 0, 0, activations, NULL,
     "of an open_clip model: quick_gelu or gelu"},
    {"preprocessing", VB_CHOICE, AT(vb_model_spec, preprocessing), false, false, "openai", 0, 0, preprocessings, NULL,
     "resize in the image's own mode, or convert to RGB first"},
    {"similarity", VB_CHOICE, AT(vb_model_spec, similarity), false, false, "cosine", 0, 0, similarities, NULL,
     "cosine, or the dot product with the text embeddings as they are"},
    {"dataset", VB_TEXT, AT(vb_model_spec, dataset), false, false, NULL, 0, 0, NULL, NULL,
     "the dataset that precomputed embeddings belong to, where there are several"},
    {"image_embeddings", VB_PATH, AT(vb_model_spec, image_embeddings), false, false, NULL, 0, 0, NULL, NULL,
     ".npy, images x dimensions (precomputed)"},
    {"text_embeddings", VB_PATH, AT(vb_model_spec, text_embeddings), false, false, NULL, 0, 0, NULL, NULL,
     ".npy, classes x dimensions, in the order of the vocabulary file (precomputed)"},
    {"labels", VB_PATH, AT(vb_model_spec, labels), false, false, NULL, 0, 0, NULL, NULL,
     ".npy of class indices in that order, or .txt of class names or ids (precomputed)"},
    {"text_names", VB_PATH, AT(vb_model_spec, text_names), false, false, NULL, 0, 0, NULL, NULL,
     "names or ids of text_embeddings' rows, one a line, where they are not the vocabulary file's order"},
    {"label_names", VB_PATH, AT(vb_model_spec, label_names), false, false, NULL, 0, 0, NULL, NULL,
     "names or ids that integer labels index, one a line, where they do not index the vocabulary file's order"},
    {0}};

static const vb_option coop_options[] = {{"coop", VB_PATH, AT(vb_model_spec, coop), true, false, NULL, 0, 0, NULL, NULL,
                                          "CoOp checkpoint (model.pth.tar-50)"},
                                         {"position", VB_CHOICE, AT(vb_model_spec, coop_position), false, false, "end", 0, 0, positions,
                                          NULL, "where the class name stands among the learned tokens"},
                                         {0}};

const vb_option *vb_experiment_options(void) { return experiment_options; }
const vb_option *vb_dataset_options(void) { return dataset_options; }
const vb_option *vb_model_options(void) { return model_options; }

char *vb_resolve(const char *path, const char *beside, vb_error *err) {
    if (path[0] == '/') return vb_strdup(path, err);
    const char *configs = vb_configs_folder();
    vb_error ignored;
    for (int i = 0; i < 4; i++) {
        char *candidate = NULL;
        if (i == 0)
            candidate = vb_format(err, "%.*s%s", (int)(vb_base_name(beside) - beside), beside, path);
        else if (i == 1)
            candidate = vb_strdup(path, err);
        else if (i == 2 && !strncmp(path, "configs/", 8))
            candidate = vb_format(err, "%s/%s", configs, path + 8);
        else if (i == 3)
            return vb_strdup(path, err);
        else
            continue;
        if (!candidate) return NULL;
        vb_paths found;
        if (!vb_glob(&found, candidate, &ignored)) {
            vb_paths_free(&found);
            return candidate;
        }
        vb_free(candidate);
    }
    return NULL;
}

static int resolve_paths(const vb_option *table, void *fields, const char *beside, vb_error *err) {
    for (const vb_option *option = table; option->key; option++) {
        char **field = (char **)((char *)fields + option->offset);
        if (option->kind != VB_PATH || option->machine || !*field) continue;
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

static int keep_prompts(vb_model_spec *model, const vb_prompts *list, vb_error *err) {
    if (!(model->prompts = vb_array((size_t)list->count, sizeof *model->prompts, "prompts", err))) return -1;
    for (int i = 0; i < list->count; i++) {
        if (!(model->prompts[i] = vb_strdup(list->items[i], err))) return -1;
        model->prompt_count++;
    }
    return 0;
}

static int named_prompts(const vb_experiment *experiment, vb_model_spec *model, const vb_yaml *node, vb_error *err) {
    bool path = strchr(node->text, '/') || vb_ends_with(node->text, ".yaml");
    char *wanted = path ? vb_strdup(node->text, err) : vb_format(err, "configs/prompts/%s.yaml", node->text), *file = NULL;
    vb_prompts list = {0};
    int status = -1;
    if (!wanted || !(file = vb_resolve(wanted, experiment->path, err))) goto done;
    if (vb_prompts_read(&list, file, err)) {
        vb_error_prefix(err, "prompts '%s'", node->text);
        goto done;
    }
    if ((model->prompt_list = vb_strdup(node->text, err))) status = keep_prompts(model, &list, err);
done:
    vb_prompts_free(&list);
    vb_free(file);
    vb_free(wanted);
    return status;
}

static int read_prompts(const vb_experiment *experiment, vb_model_spec *model, const vb_yaml *node, vb_error *err) {
    if (node->kind == VB_YAML_MAP) return vb_options_read(coop_options, model, node, experiment->path, "prompts", err);
    if (node->kind == VB_YAML_SCALAR && !strstr(node->text, "{}")) return named_prompts(experiment, model, node, err);
    vb_prompts list;
    int status = vb_prompts_from_yaml(&list, node, experiment->path, err) || keep_prompts(model, &list, err) ? -1 : 0;
    vb_prompts_free(&list);
    return status;
}

/* The configuration carries paths as they were written: where they were found belongs to the machine. */
static int note_configuration(vb_experiment *experiment, const char *list, const vb_option *table, const void *fields, vb_error *err) {
    json_t *items = json_object_get(experiment->configuration, list);
    if (!items && json_object_set_new(experiment->configuration, list, items = json_array())) items = NULL;
    if (!items || json_array_append_new(items, vb_options_json(table, fields, false)))
        return vb_errorf(err, VB_EMEMORY, "no memory for the configuration");
    return 0;
}

static json_t *prompts_json(const vb_model_spec *model) {
    if (model->coop) return json_pack("{s:s, s:s}", "coop", model->coop, "position", positions[model->coop_position]);
    json_t *prompts = json_array();
    for (int p = 0; p < model->prompt_count; p++) json_array_append_new(prompts, json_string(model->prompts[p]));
    return prompts;
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

/* Keys of a model against its family: what it needs and what it does not take. */
static int check_model(const vb_experiment *experiment, const vb_model_spec *model, const vb_yaml *node, vb_error *err) {
    bool precomputed = model->family == VB_PRECOMPUTED;
    static const struct {
        const char *key;
        bool precomputed, needed;
    } rules[] = {{"weights", false, true},        {"tokenizer", false, true},      {"prompts", false, true},
                 {"activation", false, false},    {"preprocessing", false, false}, {"image_embeddings", true, true},
                 {"text_embeddings", true, true}, {"labels", true, true},          {"text_names", true, false},
                 {"label_names", true, false},    {"dataset", true, false}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const vb_yaml *value = vb_yaml_get(node, rules[i].key);
        if (rules[i].precomputed == precomputed && rules[i].needed && vb_yaml_is_null(value))
            return vb_yaml_errorf(node, experiment->path, err, "model '%s': family %s needs the key '%s'", model->name,
                                  families[model->family], rules[i].key);
        if (rules[i].precomputed != precomputed && value)
            return vb_yaml_errorf(value, experiment->path, err, "model '%s': family %s does not take the key '%s'", model->name,
                                  families[model->family], rules[i].key);
    }
    if (!model->dataset) {
        if (precomputed && experiment->dataset_count > 1)
            return vb_yaml_errorf(node, experiment->path, err,
                                  "model '%s': with several datasets, 'dataset:' must say which one its embeddings belong to",
                                  model->name);
        return 0;
    }
    for (int d = 0; d < experiment->dataset_count; d++)
        if (!strcmp(model->dataset, experiment->datasets[d].name)) return 0;
    const vb_yaml *value = vb_yaml_get(node, "dataset");
    return vb_yaml_errorf(value, experiment->path, err, "model '%s': there is no dataset '%s'", model->name, model->dataset);
}

static const vb_yaml *list_of(const vb_experiment *experiment, const vb_yaml *root, const char *key, vb_error *err) {
    const vb_yaml *list = vb_yaml_get(root, key);
    if (list->kind != VB_YAML_LIST || !list->count) {
        vb_yaml_errorf(list, experiment->path, err, "%s: expected a list with at least one entry", key);
        return NULL;
    }
    return list;
}

static int read_datasets(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    const vb_yaml *list = list_of(experiment, root, "datasets", err);
    if (!list || !(experiment->datasets = vb_array(list->count, sizeof *experiment->datasets, "datasets", err))) return -1;
    for (size_t i = 0; i < list->count; i++) {
        vb_dataset_spec *spec = &experiment->datasets[i];
        experiment->dataset_count++;
        if (vb_options_read(dataset_options, spec, list->items[i], experiment->path, "a dataset", err)) return -1;
        if (check_name(experiment, list->items[i], "dataset", spec->name, err)) return -1;
        if (note_configuration(experiment, "datasets", dataset_options, spec, err)) return -1;
        if (resolve_paths(dataset_options, spec, experiment->path, err)) return -1;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->name, experiment->datasets[j].name))
                return wrong_at(experiment, list->items[i], err, spec->name, "two datasets are named ");
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
        if (vb_corpus_spec_read(spec, list->items[i], experiment->path, err)) return -1;
        if (note_configuration(experiment, "corpora", vb_corpus_options(), spec, err)) return -1;
        if (resolve_paths(vb_corpus_options(), spec, experiment->path, err)) return -1;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->name, experiment->corpora[j].name))
                return wrong_at(experiment, list->items[i], err, spec->name, "two corpora are named ");
    }
    return 0;
}

const vb_corpus_spec *vb_find_corpus(const vb_experiment *experiment, const char *name) {
    for (int i = 0; i < experiment->corpus_count; i++)
        if (!strcmp(experiment->corpora[i].name, name)) return &experiment->corpora[i];
    return NULL;
}

const vb_retrieval_spec *vb_model_retrieval(const vb_experiment *experiment, const vb_model_spec *model) {
    return model->retrieval.given ? &model->retrieval : experiment->retrieval.given ? &experiment->retrieval : NULL;
}

static int read_retrieval(vb_experiment *experiment, vb_retrieval_spec *spec, const vb_yaml *node, vb_error *err) {
    if (vb_retrieval_read(spec, node, experiment->path, err)) return -1;
    if (vb_find_corpus(experiment, spec->corpus)) return 0;
    return wrong_at(experiment, node, err, spec->corpus, "retrieval: there is no corpus ");
}

static int read_models(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    const vb_yaml *list = list_of(experiment, root, "models", err);
    if (!list || !(experiment->models = vb_array(list->count, sizeof *experiment->models, "models", err))) return -1;
    for (size_t i = 0; i < list->count; i++) {
        vb_model_spec *spec = &experiment->models[i];
        const vb_yaml *node = list->items[i];
        experiment->model_count++;
        if (vb_options_read(model_options, spec, node, experiment->path, "a model", err)) return -1;
        if (check_name(experiment, node, "model", spec->name, err)) return -1;
        const vb_yaml *prompts = vb_yaml_get(node, "prompts");
        if (check_model(experiment, spec, node, err) || note_configuration(experiment, "models", model_options, spec, err)) return -1;
        if (prompts && read_prompts(experiment, spec, prompts, err)) return -1;
        if (prompts)
            json_object_set_new(json_array_get(json_object_get(experiment->configuration, "models"), i), "prompts", prompts_json(spec));
        if (resolve_paths(model_options, spec, experiment->path, err)) return -1;
        const vb_yaml *retrieval = vb_yaml_get(node, "retrieval");
        if (retrieval) {
            if (read_retrieval(experiment, &spec->retrieval, retrieval, err)) return -1;
            json_object_set_new(json_array_get(json_object_get(experiment->configuration, "models"), i), "retrieval",
                                vb_retrieval_json(&spec->retrieval));
        }
        if (spec->coop && resolve_paths(coop_options, spec, experiment->path, err)) return -1;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->name, experiment->models[j].name))
                return wrong_at(experiment, node, err, spec->name, "two models are named ");
    }
    for (int d = 0; d < experiment->dataset_count; d++) {
        bool encoded = false;
        for (int m = 0; m < experiment->model_count; m++) encoded |= experiment->models[m].family != VB_PRECOMPUTED;
        const vb_yaml *node = vb_yaml_get(root, "datasets")->items[d];
        if (encoded && !experiment->datasets[d].images)
            return vb_yaml_errorf(node, experiment->path, err,
                                  "dataset '%s': the key 'images' is missing, and not all models are precomputed",
                                  experiment->datasets[d].name);
    }
    return 0;
}

static int check_index_models(const vb_experiment *experiment, vb_error *err) {
    for (int m = -1; m < experiment->model_count; m++) {
        const char *wanted = m < 0 ? experiment->retrieval.index_model : experiment->models[m].retrieval.index_model;
        bool found = !wanted;
        for (int i = 0; i < experiment->model_count && !found; i++)
            found = !strcmp(wanted, experiment->models[i].name) && experiment->models[i].family != VB_PRECOMPUTED;
        if (!found)
            return vb_errorf(err, VB_ECONFIG, "%s: retrieval: index_model '%s' is no model of this file with weights", experiment->path,
                             wanted);
    }
    return 0;
}

/* The other models stay in the list: an index model of a retrieval may be one of them, and numbers of models keep their meaning. */
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
                                                                    NULL;
    if (!experiment->similarity_engine || !what) return 0;
    return vb_errorf(err, VB_ECONFIG, "%s: similarity_engine: scalapack evaluates only; '%s' needs 'replicated'", experiment->path,
                     what);
}

int vb_experiment_read(vb_experiment *experiment, const char *path, const vb_override *overrides, int override_count, vb_error *err) {
    *experiment = (vb_experiment){0};
    vb_yaml *root = NULL;
    int status = -1;
    if (!(experiment->path = vb_strdup(path, err)) || vb_yaml_read(&root, path, err)) goto done;
    if (root->kind != VB_YAML_MAP) {
        vb_yaml_errorf(root, path, err, "expected an experiment: a map with the keys experiment, datasets, models");
        goto done;
    }
    for (int i = 0; i < override_count; i++)
        if (vb_yaml_set(root, overrides[i].path, overrides[i].value, err)) goto done;
    if (vb_options_read(experiment_options, experiment, root, path, "the experiment", err)) goto done;
    if (check_name(experiment, root, "experiment", experiment->name, err)) goto done;
    if (!(experiment->configuration = vb_options_json(experiment_options, experiment, false))) {
        vb_errorf(err, VB_EMEMORY, "no memory for the configuration");
        goto done;
    }
    if (vb_analyses_read(experiment, root, err)) goto done;
    if (vb_adversarial_read(&experiment->adversarial, root, path, experiment->configuration, err)) goto done;
    if (read_datasets(experiment, root, err) || read_corpora(experiment, root, err)) goto done;
    const vb_yaml *retrieval = vb_yaml_get(root, "retrieval");
    if (retrieval) {
        if (read_retrieval(experiment, &experiment->retrieval, retrieval, err)) goto done;
        json_object_set_new(experiment->configuration, "retrieval", vb_retrieval_json(&experiment->retrieval));
    }
    if (read_models(experiment, root, err) || check_index_models(experiment, err) || choose_model(experiment, err)) goto done;
    if (check_engine(experiment, err)) goto done;
    if (!experiment->output && !(experiment->output = vb_format(err, "results/%s", experiment->name))) goto done;
    if (!experiment->cache && !(experiment->cache = vb_format(err, "%s/cache", experiment->output))) goto done;
    status = 0;
done:
    vb_yaml_free(root);
    if (status) vb_experiment_free(experiment);
    return status;
}

void vb_experiment_free(vb_experiment *experiment) {
    vb_options_free(experiment_options, experiment);
    vb_adversarial_free(&experiment->adversarial);
    for (int d = 0; d < experiment->dataset_count; d++) vb_options_free(dataset_options, &experiment->datasets[d]);
    for (int m = 0; m < experiment->model_count; m++) {
        vb_model_spec *model = &experiment->models[m];
        vb_options_free(model_options, model);
        vb_options_free(coop_options, model);
        vb_retrieval_free(&model->retrieval);
        for (int p = 0; p < model->prompt_count; p++) vb_free(model->prompts[p]);
        vb_free(model->prompts);
        vb_free(model->prompt_list);
    }
    for (int c = 0; c < experiment->corpus_count; c++) vb_corpus_spec_free(&experiment->corpora[c]);
    vb_retrieval_free(&experiment->retrieval);
    vb_free(experiment->corpora);
    vb_free(experiment->datasets);
    vb_free(experiment->models);
    vb_free(experiment->path);
    json_decref(experiment->configuration);
    *experiment = (vb_experiment){0};
}

json_t *vb_experiment_machine_json(const vb_experiment *experiment) { return vb_options_json(experiment_options, experiment, true); }
