/* The key `analyses` of an experiment file. */
#include "mpi/experiment/analyses_spec.h"

#include <assert.h>
#include <string.h>

#include "mpi/base/strbuf.h"
#include "shards/text/did_you_mean.h"

static_assert(VB_ANALYSES_SPEC_COUNT <= 32, "a set of analyses has 32 bits");

#define NAME(name, help) #name,
static const char *const names[] = {VB_ANALYSES_LIST(NAME) NULL};
#undef NAME

#define ROW(name, text) {.key = #name, .kind = VB_OPTION_CUSTOM, .help = text},
static const vb_option options[] = {VB_ANALYSES_LIST(ROW){0}};
#undef ROW

const vb_option *vb_analyses_spec_options(void) { return options; }

/* "margin, similarity, ... LAST order" */
static void list_names(vb_strbuf *out, const char *last) {
    for (int a = 0; names[a]; a++) vb_strbuf_format(out, "%s%s", !a ? "" : names[a + 1] ? ", " : last, names[a]);
}

static int no_list(const vb_yaml *node, const char *path, vb_error *err) {
    vb_strbuf all = {0};
    list_names(&all, ", ");
    if (!vb_strbuf_end(&all, "a message", err)) vb_yaml_errorf(node, path, err, "analyses: expected a list of %s", all.bytes);
    vb_strbuf_free(&all);
    return -1;
}

static int unknown(const vb_yaml *node, const char *path, const char *text, vb_error *err) {
    char hint[VB_DID_YOU_MEAN_HINT];
    vb_strbuf all = {0};
    list_names(&all, " or ");
    if (!vb_strbuf_end(&all, "a message", err))
        vb_yaml_errorf(node, path, err, "analyses: expected %s, found '%s'%s", all.bytes, text,
                       vb_did_you_mean_hint(hint, text, names));
    vb_strbuf_free(&all);
    return -1;
}

int vb_analyses_spec_read(uint32_t *set, const vb_yaml *root, const char *path, json_t *configuration, vb_error *err) {
    const vb_yaml *list = vb_yaml_get(root, "analyses");
    vb_json json = {0};
    *set = 0;
    if (vb_yaml_is_null(list)) return 0;
    if (list->kind != VB_YAML_LIST || !list->count) return no_list(list, path, err);
    for (size_t i = 0; i < list->count; i++) {
        const char *text;
        int a = 0;
        if (vb_yaml_text(list->items[i], path, &text, err)) return -1;
        while (names[a] && strcmp(names[a], text)) a++;
        if (!names[a]) return unknown(list->items[i], path, text, err);
        if (*set >> a & 1) return vb_yaml_errorf(list->items[i], path, err, "analyses: '%s' is listed twice", text);
        *set |= UINT32_C(1) << a;
    }
    json_t *chosen = vb_json_set_array(&json, configuration, "analyses");
    for (int a = 0; names[a]; a++)
        if (*set >> a & 1) vb_json_append_text(&json, chosen, names[a]);
    return vb_json_end(&json, "the configuration", err);
}
