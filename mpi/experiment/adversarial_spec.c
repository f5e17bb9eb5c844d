/* The key `adversarial` of an experiment file. */
#include "mpi/experiment/adversarial_spec.h"

#include <assert.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/cover.h"

static const char *const methods[] = {
    [VB_ADVERSARIAL_SINGLE] = "single", [VB_ADVERSARIAL_GREEDY] = "greedy", [VB_ADVERSARIAL_EXACT] = "exact", NULL};
static_assert(sizeof methods / sizeof *methods == VB_ADVERSARIAL_METHODS + 1, "a word for each value");
static const vb_option options[] = {
    {.key = "candidates",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_adversarial_spec, pool.names),
     .required = true,
     .help = "file of candidate names, one a line"},
    VB_NAMES_SPEC_EMBEDDINGS(vb_adversarial_spec, pool),
    {.key = "k",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_adversarial_spec, k),
     .fallback = "3",
     .low = 1,
     .high = VB_ADVERSARIES,
     .unit = "names",
     .help = "to choose for each target"},
    {.key = "method",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_adversarial_spec, method),
     .fallback = "greedy",
     .choices = methods,
     .help = "the best k alone, one after the other, or together with a proof"},
    {.key = "targets", .kind = VB_OPTION_CUSTOM, .help = "all, or a list of vocabularies [all]"},
    VB_NAMES_SPEC_EXCLUDE(vb_adversarial_spec, pool),
    VB_NAMES_SPEC_WORDNET(vb_adversarial_spec, pool),
    {.key = "evaluations",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_adversarial_spec, evaluations),
     .fallback = "1000000000",
     .low = 1,
     .high = 1e15,
     .help = "of a set's gain, after which exact stops for a target and reports the gap"},
    {.key = "seconds",
     .kind = VB_OPTION_REAL,
     .offset = offsetof(vb_adversarial_spec, seconds),
     .fallback = "0",
     .high = 1e6,
     .unit = "seconds",
     .help = "after which exact stops for a target as well; 0: never (only then is the same result promised everywhere)"},
    {.key = "memory",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_adversarial_spec, memory),
     .machine = true,
     .fallback = "4096",
     .low = 1,
     .high = 1 << 30,
     .unit = "MiB",
     .help = "a rank for the sets of taken images"},
    {0},
};

const vb_option *vb_adversarial_spec_options(void) { return options; }
const char *vb_adversarial_spec_method_name(vb_adversarial_method method) {
    assert(method < sizeof methods / sizeof *methods - 1);
    return methods[method];
}

static int read_targets(vb_adversarial_spec *spec, const vb_yaml *node, const char *path, vb_error *err) {
    const char *text;
    if (vb_yaml_is_null(node) || (node->kind == VB_YAML_SCALAR && !strcmp(node->text, "all"))) return 0;
    if (node->kind != VB_YAML_LIST || !node->count) return vb_yaml_expected(node, path, "'all' or a list of vocabularies", err);
    if (!(spec->targets = vb_array(node->count, sizeof *spec->targets, "targets", err))) return -1;
    for (size_t i = 0; i < node->count; i++) {
        if (vb_yaml_text(node->items[i], path, &text, err)) return -1;
        if (!(spec->targets[spec->target_count++] = vb_strdup(text, err))) return -1;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(spec->targets[j], text))
                return vb_yaml_errorf(node->items[i], path, err, "targets: '%s' is listed twice", text);
    }
    return 0;
}

int vb_adversarial_spec_read(vb_adversarial_spec *spec, const vb_yaml *root, const char *path, json_t *configuration,
                             vb_error *err) {
    *spec = (vb_adversarial_spec){0};
    const vb_yaml *node = vb_yaml_get(root, "adversarial");
    if (vb_yaml_is_null(node)) return 0;
    if (vb_options_read(options, spec, node, path, "adversarial", err) ||
        read_targets(spec, vb_yaml_get(node, "targets"), path, err))
        return -1;
    spec->pool.asked = spec->pool.kinship = true;
    vb_json json = {0};
    json_t *noted = vb_options_json(&json, options, spec, false);
    vb_json_set(&json, configuration, "adversarial", noted);
    if (!spec->target_count) vb_json_set_text(&json, noted, "targets", "all");
    else {
        json_t *targets = vb_json_set_array(&json, noted, "targets");
        for (int t = 0; t < spec->target_count; t++) vb_json_append_text(&json, targets, spec->targets[t]);
    }
    if (vb_json_end(&json, "the configuration", err)) return -1;
    return vb_options_resolve(options, spec, path, err);
}

void vb_adversarial_spec_free(vb_adversarial_spec *spec) {
    vb_options_free(options, spec);
    for (int t = 0; t < spec->target_count; t++) vb_free(spec->targets[t]);
    vb_free(spec->targets);
    *spec = (vb_adversarial_spec){0};
}
