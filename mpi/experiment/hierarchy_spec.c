/* The key `hierarchy` of an experiment file. */
#include "mpi/experiment/hierarchy_spec.h"

#include "shards/text/wordnet.h"

static const vb_option options[] = {
    {.key = "wordnet",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_hierarchy_spec, wordnet),
     .fallback = VB_WORDNET_FOLDER,
     .help = "folder of index.noun and data.noun, of WordNet 3.0"},
    {0},
};

const vb_option *vb_hierarchy_spec_options(void) { return options; }

int vb_hierarchy_spec_read(vb_hierarchy_spec *spec, const vb_yaml *root, const char *path, bool asked, json_t *configuration,
                           vb_error *err) {
    static const vb_yaml nothing = {.kind = VB_YAML_MAP};
    *spec = (vb_hierarchy_spec){0};
    const vb_yaml *node = vb_yaml_get(root, "hierarchy");
    if (vb_yaml_is_null(node)) {
        if (!asked) return 0;
        node = &nothing;
    } else if (!asked)
        return vb_yaml_errorf(node, path, err, "hierarchy: it is for the analysis of that name, which 'analyses' does not list");
    if (vb_options_read(options, spec, node, path, "hierarchy", err)) return -1;
    vb_json json = {0};
    vb_json_set(&json, configuration, "hierarchy", vb_options_json(&json, options, spec, false));
    if (vb_json_end(&json, "the configuration", err)) return -1;
    return vb_options_resolve(options, spec, path, err);
}

void vb_hierarchy_spec_free(vb_hierarchy_spec *spec) {
    vb_options_free(options, spec);
    *spec = (vb_hierarchy_spec){0};
}
