/* The key `open_curve` of an experiment file. */
#include "mpi/experiment/open_curve_spec.h"

static const vb_option options[] = {
    {.key = "names",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_open_curve_spec, pool.names),
     .help = "file of foreign names, one a line [WordNet's nouns]"},
    VB_NAMES_SPEC_EMBEDDINGS(vb_open_curve_spec, pool),
    VB_NAMES_SPEC_EXCLUDE(vb_open_curve_spec, pool),
    VB_NAMES_SPEC_WORDNET(vb_open_curve_spec, pool),
    {0},
};

const vb_option *vb_open_curve_spec_options(void) { return options; }

int vb_open_curve_spec_read(vb_open_curve_spec *spec, const vb_yaml *root, const char *path, uint32_t analyses,
                            json_t *configuration, vb_error *err) {
    static const vb_yaml nothing = {.kind = VB_YAML_MAP};
    *spec = (vb_open_curve_spec){0};
    const vb_yaml *node = vb_yaml_get(root, "open_curve");
    const bool curve = analyses >> VB_ANALYSES_SPEC_open_curve & 1,
               confidence = (analyses >> VB_ANALYSES_SPEC_open_set | analyses >> VB_ANALYSES_SPEC_calibration) & 1;
    if (vb_yaml_is_null(node)) {
        if (!curve) return 0;
        node = &nothing;
    } else if (!curve && !confidence)
        return vb_yaml_errorf(
            node, path, err,
            "open_curve: its names serve the analyses open_curve, open_set and calibration, none of which 'analyses' lists");
    if (vb_options_read(options, spec, node, path, "open_curve", err)) return -1;
    spec->pool.asked = true;
    vb_json json = {0};
    vb_json_set(&json, configuration, "open_curve", vb_options_json(&json, options, spec, false));
    if (vb_json_end(&json, "the configuration", err)) return -1;
    return vb_options_resolve(options, spec, path, err);
}

void vb_open_curve_spec_free(vb_open_curve_spec *spec) {
    vb_options_free(options, spec);
    *spec = (vb_open_curve_spec){0};
}
