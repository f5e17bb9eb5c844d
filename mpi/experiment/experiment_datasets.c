/* Datasets, and the expansions that are made of them. */
#include "mpi/experiment/experiment_datasets.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/experiment/experiment_entry.h"
#include "mpi/experiment/experiment_tables.h"

static int read_dataset(vb_experiment *experiment, vb_dataset_spec *spec, const vb_yaml *node, vb_error *err) {
    if (vb_options_read(vb_experiment_tables_dataset(), spec, node, experiment->path, "a dataset", err)) return -1;
    if (vb_experiment_entry_check_name(experiment, node, "dataset", spec->name, err)) return -1;
    if (spec->language && !spec->names)
        return vb_yaml_errorf(vb_yaml_get(node, "language"), experiment->path, err,
                              "dataset '%s': 'language' tells of what 'names' are: expected both, or none", spec->name);
    vb_experiment_entry_note(experiment, "datasets", vb_experiment_tables_dataset(), spec);
    const vb_yaml *prompts = vb_yaml_get(node, "prompts");
    if (!vb_yaml_is_null(prompts)) {
        if (vb_experiment_entry_templates(experiment, &spec->prompts, prompts, err)) return -1;
        vb_json_set(&experiment->json, vb_experiment_entry_noted(experiment, "datasets"), "prompts",
                    vb_experiment_entry_templates_json(&experiment->json, &spec->prompts));
    }
    return vb_options_resolve(vb_experiment_tables_dataset(), spec, experiment->path, err);
}

static int read_expansion(vb_experiment *experiment, vb_dataset_spec *spec, const vb_yaml *node, vb_error *err) {
    if (vb_options_read(vb_experiment_tables_expansion(), spec, node, experiment->path, "an expansion", err)) return -1;
    if (vb_experiment_entry_check_name(experiment, node, "expansion", spec->name, err)) return -1;
    vb_experiment_entry_note(experiment, "expansions", vb_experiment_tables_expansion(), spec);
    const vb_yaml *list = vb_yaml_get(node, "datasets");
    if (list->kind != VB_YAML_LIST || list->count < 2)
        return vb_yaml_errorf(list, experiment->path, err,
                              "expansion '%s': datasets: expected a list of at least two datasets, found %s", spec->name,
                              list->kind != VB_YAML_LIST ? "no list" :
                              list->count                ? "one" :
                                                           "none");
    json_t *names = vb_json_set_array(&experiment->json, vb_experiment_entry_noted(experiment, "expansions"), "datasets");
    if (!(spec->parts = vb_array(list->count, sizeof *spec->parts, "datasets", err))) return -1;
    for (size_t i = 0; i < list->count; i++) {
        const char *name;
        if (vb_yaml_text(list->items[i], experiment->path, &name, err)) return -1;
        int d = vb_experiment_entry_find_dataset(experiment, name);
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

int vb_experiment_datasets_read(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    const vb_yaml *list = vb_experiment_entry_list(experiment, root, "datasets", err), *expansions = NULL;
    if (!list || (!vb_yaml_is_null(vb_yaml_get(root, "expansions")) &&
                  !(expansions = vb_experiment_entry_list(experiment, root, "expansions", err))))
        return -1;
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
                return vb_experiment_entry_errorf(experiment, node, err, spec->name,
                                                  whole ? "two datasets are named " : "two expansions or datasets are named ");
    }
    return 0;
}
