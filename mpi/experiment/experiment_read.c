/* The whole of an experiment file, and the checks across its lists. */
#include "mpi/experiment/experiment_read.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/resolve.h"
#include "mpi/experiment/experiment_datasets.h"
#include "mpi/experiment/experiment_entry.h"
#include "mpi/experiment/experiment_models.h"
#include "mpi/experiment/experiment_tables.h"
#include "shards/text/yaml_set.h"

static int read_corpora(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    if (vb_yaml_is_null(vb_yaml_get(root, "corpora"))) return 0;
    const vb_yaml *list = vb_experiment_entry_list(experiment, root, "corpora", err);
    if (!list || !(experiment->corpora = vb_array(list->count, sizeof *experiment->corpora, "corpora", err))) return -1;
    for (size_t i = 0; i < list->count; i++) {
        vb_corpus_spec *spec = &experiment->corpora[i];
        experiment->corpus_count++;
        if (vb_retrieval_spec_corpus_read(spec, list->items[i], experiment->path, err)) return -1;
        vb_experiment_entry_note(experiment, "corpora", vb_retrieval_spec_corpus_options(), spec);
        if (vb_options_resolve(vb_retrieval_spec_corpus_options(), spec, experiment->path, err)) return -1;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->name, experiment->corpora[j].name))
                return vb_experiment_entry_errorf(experiment, list->items[i], err, spec->name, "two corpora are named ");
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
            return vb_errorf(err, VB_ECONFIG, "%s: retrieval: index_model '%s' is no model of this file with weights",
                             experiment->path, wanted);
    }
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_model_spec *model = &experiment->models[m];
        const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, model);
        if (retrieval && retrieval->query && vb_experiment_index_model(experiment, model)->family == VB_PRECOMPUTED)
            return vb_errorf(err, VB_ECONFIG,
                             "%s: model '%s' is precomputed and encodes no queries: retrieval: 'query' needs an index_model",
                             experiment->path, model->name);
    }
    return 0;
}

/* The other datasets stay in the list: an expansion is made of them, and numbers of datasets keep their meaning. */
static int choose_dataset(vb_experiment *experiment, vb_error *err) {
    const char *only = experiment->only_dataset;
    int found = -1;
    for (int d = 0; d < experiment->dataset_count && only; d++) {
        experiment->datasets[d].left_out = strcmp(experiment->datasets[d].name, only) != 0;
        if (!experiment->datasets[d].left_out) found = d;
    }
    if (only && found < 0)
        return vb_errorf(err, VB_ECONFIG, "%s: only_dataset: there is no dataset or expansion '%s' among the %d of this file",
                         experiment->path, only, experiment->dataset_count);
    bool covered = !only;
    for (int m = 0; m < experiment->model_count && !covered; m++)
        covered = !experiment->models[m].left_out &&
                  vb_experiment_covers(experiment, &experiment->models[m], &experiment->datasets[found]);
    if (covered) return 0;
    return vb_errorf(err, VB_ECONFIG, "%s: only_dataset: no model that is to be evaluated has embeddings of '%s'",
                     experiment->path, only);
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

/* What embeddings do not tell: by what a softmax multiplies them, and those of other texts. */
static int check_precomputed(const vb_experiment *experiment, vb_error *err) {
    const bool calibration = experiment->analyses >> VB_ANALYSES_SPEC_calibration & 1;
    for (int m = 0; m < experiment->model_count; m++) {
        if (experiment->models[m].family != VB_PRECOMPUTED) continue;
        if (experiment->prompt_spread.asked)
            return vb_errorf(err, VB_ECONFIG,
                             "%s: model '%s' is precomputed: the analysis 'prompt_spread' needs models that encode texts",
                             experiment->path, experiment->models[m].name);
        if (calibration && isnan(experiment->models[m].logit_scale))
            return vb_errorf(
                err, VB_ECONFIG,
                "%s: model '%s' is precomputed: the analysis 'calibration' needs its key 'logit_scale' (100 for most "
                "of OpenAI's and open_clip's models)",
                experiment->path, experiment->models[m].name);
    }
    return 0;
}

/* What is said of labels of images, where no image is read: it would have no effect. */
static int check_labels(const vb_experiment *experiment, vb_error *err) {
    for (int d = 0; d < experiment->dataset_count && !vb_experiment_encodes(experiment); d++) {
        const vb_dataset_spec *data = &experiment->datasets[d];
        if (data->labels || data->class_names)
            return vb_errorf(err, VB_ECONFIG,
                             "%s: dataset '%s': '%s' is of its images, and all models are precomputed: it belongs in a model, as "
                             "'%s'",
                             experiment->path, data->name, data->labels ? "labels" : "class_names",
                             data->labels ? "labels" : "label_names");
    }
    return 0;
}

/* What needs all text embeddings on every rank. */
static int check_engine(const vb_experiment *experiment, vb_error *err) {
    bool retrieval = experiment->retrieval.given;
    for (int m = 0; m < experiment->model_count; m++) retrieval |= experiment->models[m].retrieval.given;
    const char *what = experiment->analyses               ? "analyses" :
                       experiment->adversarial.pool.asked ? "adversarial" :
                       retrieval                          ? "retrieval" :
                       experiment->per_image              ? "per_image" :
                       experiment->expansion_count        ? "expansions" :
                                                            NULL;
    if (experiment->similarity_engine == VB_ENGINE_REPLICATED || !what) return 0;
    return vb_errorf(err, VB_ECONFIG, "%s: similarity_engine: scalapack evaluates only; '%s' needs 'replicated'",
                     experiment->path, what);
}

/* A quick look writes over no results of all images, and shares their cache. */
static int fill_folders(vb_experiment *experiment, vb_error *err) {
    char *whole = vb_format(err, "results/%s", experiment->name);
    const char *beside = experiment->output ? experiment->output : whole;
    if (!whole) return -1;
    if (!experiment->cache) experiment->cache = vb_format(err, "%s/cache", beside);
    if (!experiment->output)
        experiment->output =
            experiment->limit > 0 ? vb_format(err, "%s-limit-%lld", whole, (long long)experiment->limit) : vb_strdup(whole, err);
    vb_free(whole);
    return experiment->cache && experiment->output ? 0 : -1;
}

int vb_experiment_read(vb_experiment *experiment, const char *given, const vb_override *overrides, int override_count,
                       vb_error *err) {
    *experiment = (vb_experiment){0};
    vb_yaml *root = NULL;
    int status = -1;
    const char *path = experiment->path = vb_resolve_place(given, "", err);
    if (!path || vb_yaml_read(&root, path, err)) goto done;
    if (root->kind != VB_YAML_MAP) {
        vb_yaml_errorf(root, path, err, "expected an experiment: a map with the keys experiment, datasets, models");
        goto done;
    }
    for (int i = 0; i < override_count; i++) {
        const vb_override *it = &overrides[i];
        if ((it->text ? vb_yaml_set_text : vb_yaml_set)(root, it->path, it->value, err)) goto done;
    }
    if (vb_options_read(vb_experiment_tables_root(), experiment, root, path, "the experiment", err)) goto done;
    if (vb_options_resolve(vb_experiment_tables_root(), experiment, path, err)) goto done;
    if (vb_experiment_entry_check_name(experiment, root, "experiment", experiment->name, err)) goto done;
    experiment->configuration = vb_options_json(&experiment->json, vb_experiment_tables_root(), experiment, false);
    if (vb_analyses_spec_read(&experiment->analyses, root, path, experiment->configuration, err)) goto done;
    if (vb_adversarial_spec_read(&experiment->adversarial, root, path, experiment->configuration, err)) goto done;
    if (vb_open_curve_spec_read(&experiment->open_curve, root, path, experiment->analyses, experiment->configuration, err))
        goto done;
    if (vb_hierarchy_spec_read(&experiment->hierarchy, root, path, experiment->analyses >> VB_ANALYSES_SPEC_hierarchy & 1,
                               experiment->configuration, err))
        goto done;
    if (vb_prompt_spread_spec_read(&experiment->prompt_spread, root, path, experiment->analyses, experiment->configuration, err))
        goto done;
    if (vb_experiment_datasets_read(experiment, root, err) || read_corpora(experiment, root, err)) goto done;
    const vb_yaml *retrieval = vb_yaml_get(root, "retrieval");
    if (!vb_yaml_is_null(retrieval)) {
        if (vb_experiment_entry_retrieval(experiment, &experiment->retrieval, retrieval, err)) goto done;
        vb_json_set(&experiment->json, experiment->configuration, "retrieval",
                    vb_retrieval_spec_json(&experiment->json, &experiment->retrieval));
    }
    if (vb_experiment_models_read(experiment, root, err) || check_index_models(experiment, err) ||
        choose_model(experiment, err) || choose_dataset(experiment, err))
        goto done;
    if (check_precomputed(experiment, err) || check_labels(experiment, err) || check_engine(experiment, err) ||
        vb_json_end(&experiment->json, "the configuration", err))
        goto done;
    if (fill_folders(experiment, err)) goto done;
    status = 0;
done:
    vb_yaml_free(root);
    if (status) vb_experiment_free(experiment);
    return status;
}
