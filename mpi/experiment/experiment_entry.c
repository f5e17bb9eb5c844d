/* Steps that the readers of datasets, models and corpora have in common. */
#include "mpi/experiment/experiment_entry.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "mpi/base/resolve.h"
#include "shards/files/path.h"

const vb_yaml *vb_experiment_entry_list(const vb_experiment *experiment, const vb_yaml *root, const char *key, vb_error *err) {
    const vb_yaml *list = vb_yaml_get(root, key);
    if (list->kind != VB_YAML_LIST || !list->count) {
        vb_yaml_errorf(list, experiment->path, err, "%s: expected a list with at least one entry", key);
        return NULL;
    }
    return list;
}

int vb_experiment_entry_errorf(const vb_experiment *experiment, const vb_yaml *node, vb_error *err, const char *text,
                               const char *what) {
    return vb_yaml_errorf(node, experiment->path, err, "%s%s", what, text);
}

int vb_experiment_entry_check_name(const vb_experiment *experiment, const vb_yaml *node, const char *what, const char *text,
                                   vb_error *err) {
    if (text[0] != '.' && strlen(text) <= 100 && !strchr(text, '/') && !vb_utf8_find_control(text)) return 0;
    const vb_yaml *at = vb_yaml_get(node, vb_yaml_get(node, "name") ? "name" : what); /* the experiment's own is its key */
    return vb_yaml_errorf(
        at ? at : node, experiment->path, err,
        "%s name '%s': it must not begin with a dot, hold a slash or a control character, or be longer than 100 bytes", what,
        text);
}

int vb_experiment_entry_find_dataset(const vb_experiment *experiment, const char *name) {
    for (int d = 0; d < experiment->dataset_count - experiment->expansion_count; d++)
        if (!strcmp(name, experiment->datasets[d].name)) return d;
    return -1;
}

void vb_experiment_entry_note(vb_experiment *experiment, const char *list, const vb_option *table, const void *fields) {
    vb_json *json = &experiment->json;
    json_t *items = json_object_get(experiment->configuration, list);
    if (!items) items = vb_json_set_array(json, experiment->configuration, list);
    vb_json_append(json, items, vb_options_json(json, table, fields, false));
}

json_t *vb_experiment_entry_noted(const vb_experiment *experiment, const char *list) {
    json_t *items = json_object_get(experiment->configuration, list);
    return json_array_get(items, json_array_size(items) - 1);
}

int vb_experiment_entry_templates(const vb_experiment *experiment, vb_prompts *prompts, const vb_yaml *node, vb_error *err) {
    if (node->kind != VB_YAML_SCALAR || strstr(node->text, "{}"))
        return vb_prompts_from_yaml(prompts, node, experiment->path, err);
    bool path = strchr(node->text, '/') || vb_path_ends_with(node->text, ".yaml");
    char *wanted = path ? vb_strdup(node->text, err) : vb_format(err, "configs/prompts/%s.yaml", node->text);
    char *file = wanted ? vb_resolve(wanted, experiment->path, err) : NULL;
    int status = file ? vb_prompts_read(prompts, file, err) : -1;
    if (status) vb_error_prefix(err, "prompts '%s'", node->text);
    vb_free(file);
    vb_free(wanted);
    return status;
}

json_t *vb_experiment_entry_templates_json(vb_json *json, const vb_prompts *prompts) {
    json_t *list = vb_json_array(json);
    for (int p = 0; p < prompts->count; p++) vb_json_append_text(json, list, prompts->items[p]);
    return list;
}

int vb_experiment_entry_retrieval(const vb_experiment *experiment, vb_retrieval_spec *spec, const vb_yaml *node, vb_error *err) {
    if (vb_retrieval_spec_read(spec, node, experiment->path, err)) return -1;
    if (vb_experiment_find_corpus(experiment, spec->corpus)) return 0;
    return vb_experiment_entry_errorf(experiment, node, err, spec->corpus, "retrieval: there is no corpus ");
}
