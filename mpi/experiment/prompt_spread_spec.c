/* The key `prompt_spread` of an experiment file. */
#include "mpi/experiment/prompt_spread_spec.h"

#include "shards/text/wordnet.h"

static const vb_option options[] = {
    {.key = "templates",
     .kind = VB_OPTION_BOOLEAN,
     .offset = offsetof(vb_prompt_spread_spec, templates),
     .fallback = "true",
     .help = "each of the model's templates alone"},
    {.key = "synonyms",
     .kind = VB_OPTION_BOOLEAN,
     .offset = offsetof(vb_prompt_spread_spec, synonyms),
     .fallback = "true",
     .help = "WordNet's other names of the classes, drawn at random"},
    {.key = "draws",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_prompt_spread_spec, draws),
     .fallback = "20",
     .low = 2,
     .high = 10000,
     .help = "of a name for each class"},
    {.key = "wordnet",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_prompt_spread_spec, wordnet),
     .fallback = VB_WORDNET_FOLDER,
     .help = "folder of index.noun and data.noun"},
    {0},
};

const vb_option *vb_prompt_spread_spec_options(void) { return options; }

int vb_prompt_spread_spec_read(vb_prompt_spread_spec *spec, const vb_yaml *root, const char *path, uint32_t analyses,
                               json_t *configuration, vb_error *err) {
    static const vb_yaml nothing = {.kind = VB_YAML_MAP};
    *spec = (vb_prompt_spread_spec){0};
    const vb_yaml *node = vb_yaml_get(root, "prompt_spread");
    const bool asked = analyses >> VB_ANALYSES_SPEC_prompt_spread & 1, given = !vb_yaml_is_null(node);
    if (!asked && !given) return 0;
    if (!asked)
        return vb_yaml_errorf(node, path, err,
                              "prompt_spread: it is about the analysis of that name, which 'analyses' does not list");
    if (vb_options_read(options, spec, given ? node : &nothing, path, "prompt_spread", err)) return -1;
    spec->asked = true;
    vb_json json = {0};
    vb_json_set(&json, configuration, "prompt_spread", vb_options_json(&json, options, spec, false));
    if (vb_json_end(&json, "the configuration", err)) return -1;
    return vb_options_resolve(options, spec, path, err);
}

void vb_prompt_spread_spec_free(vb_prompt_spread_spec *spec) {
    vb_options_free(options, spec);
    *spec = (vb_prompt_spread_spec){0};
}

int64_t vb_prompt_spread_spec_variants(const vb_prompt_spread_spec *spec, int templates) {
    if (!spec->asked) return 0;
    return (spec->templates && templates > 1 ? templates : 0) + (spec->synonyms ? spec->draws : 0);
}
