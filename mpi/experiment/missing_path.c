/* Paths of an experiment, found again in a message and in the file. */
#include "mpi/experiment/missing_path.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/install.h"
#include "mpi/base/resolve.h"
#include "mpi/experiment/experiment_tables.h"
#include "shards/files/path.h"

/* The entry and the key whose path a message names. */
typedef struct origin {
    const char *list, *what, *name; /* "models", "model", its name; of a map of the root: its key, "", NULL */
    const char *key, *path;
    int stated;  /* the message begins with the key (1), with the entry (2), with both (3) */
    size_t said; /* bytes of it that do */
} origin;

/* "model 'tiny': ", "adversarial: ". */
static void describe_entry(char *text, size_t size, const origin *it) {
    if (it->name) snprintf(text, size, "%s '%s': ", it->what, it->name);
    else snprintf(text, size, "%s: ", it->list);
}

static void look_for_statement(origin *it, const char *text) {
    char what[256];
    describe_entry(what, sizeof what, it);
    const size_t entry = strncmp(text, what, strlen(what)) ? 0 : strlen(what), n = strlen(it->key);
    const bool key = !strncmp(text + entry, it->key, n) && !strncmp(text + entry + n, ": ", 2);
    it->stated = 2 * (entry > 0) + key;
    it->said = entry + (key ? n + 2 : 0);
}

/* Whether the path stands at the beginning of the message, or behind a prefix, and a colon behind it. */
static bool names(const char *text, const char *path) {
    const size_t n = strlen(path);
    for (const char *at = strstr(text, path); at; at = strstr(at + 1, path))
        if ((at == text || at[-1] == ' ') && (at[n] == ':' || at[n] == '/')) return true;
    return false;
}

/* Takes the entry's path that the message names, if the message states more of it than of what was found before; or as much, and
 * it is longer. */
static void look(origin *best, const origin *entry, const vb_option *table, const void *fields, const char *text) {
    for (const vb_option *option = table; option->key; option++) {
        if (option->kind != VB_OPTION_PATH || option->machine) continue;
        const char *path = *(char *const *)((const char *)fields + option->offset);
        if (!path || !names(text, path)) continue;
        origin it = *entry;
        it.key = option->key;
        it.path = path;
        look_for_statement(&it, text);
        if (!best->path || it.stated > best->stated || (it.stated == best->stated && strlen(path) > strlen(best->path)))
            *best = it;
    }
}

static origin find(const vb_experiment *experiment, const char *text) {
    origin best = {0};
    for (int d = 0; d < experiment->dataset_count; d++)
        if (!experiment->datasets[d].part_count)
            look(&best, &(origin){.list = "datasets", .what = "dataset", .name = experiment->datasets[d].name},
                 vb_experiment_tables_dataset(), &experiment->datasets[d], text);
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_model_spec *model = &experiment->models[m];
        const origin entry = {.list = "models", .what = "model", .name = model->series ? model->series : model->name};
        look(&best, &entry, vb_experiment_tables_model(), model, text);
        for (int e = 0; e < model->embeddings_count; e++)
            look(&best, &entry, vb_experiment_tables_embeddings(), &model->embeddings_list[e], text);
    }
    for (int c = 0; c < experiment->corpus_count; c++)
        look(&best, &(origin){.list = "corpora", .what = "corpus", .name = experiment->corpora[c].name},
             vb_retrieval_spec_corpus_options(), &experiment->corpora[c], text);
    look(&best, &(origin){.list = "adversarial"}, vb_adversarial_spec_options(), &experiment->adversarial, text);
    look(&best, &(origin){.list = "open_curve"}, vb_open_curve_spec_options(), &experiment->open_curve, text);
    look(&best, &(origin){.list = "hierarchy"}, vb_hierarchy_spec_options(), &experiment->hierarchy, text);
    look(&best, &(origin){.list = "prompt_spread"}, vb_prompt_spread_spec_options(), &experiment->prompt_spread, text);
    return best;
}

/* The value in the file, unless it is another one: given on the command line. */
static const vb_yaml *find_node(const vb_experiment *experiment, const vb_yaml *root, const origin *it) {
    const vb_yaml *list = vb_yaml_get(root, it->list), *node = it->name ? NULL : vb_yaml_get(list, it->key);
    for (size_t i = 0; it->name && list && list->kind == VB_YAML_LIST && i < list->count; i++) {
        const vb_yaml *name = vb_yaml_get(list->items[i], "name");
        if (name && name->kind == VB_YAML_SCALAR && !strcmp(name->text, it->name)) node = vb_yaml_get(list->items[i], it->key);
    }
    if (!node || node->kind != VB_YAML_SCALAR) return NULL;
    vb_error none;
    char *path = vb_resolve(node->text, experiment->path, &none);
    const bool same = path && !strcmp(path, it->path);
    vb_free(path);
    return same ? node : NULL;
}

/* " (looked for beside mine.yaml, in the current folder and in /usr/share/vocabench/configs)". */
static void describe_places(char *text, size_t size, const vb_experiment *experiment, const char *path) {
    vb_error none;
    text[0] = 0;
    if (path[0] == '/' || vb_path_exists(path)) return;
    char *configs = strncmp(path, "configs/", 8) ? NULL : vb_install_configs_folder(&none);
    snprintf(text, size, " (looked for beside %s%s in the current folder%s%s)", vb_path_base_name(experiment->path),
             configs ? "," : " and", configs ? " and in " : "", configs ? configs : "");
    vb_free(configs);
}

int vb_missing_path_key(const char *key, vb_error *err) {
    return err && err->code == VB_EMISSING ? vb_error_prefix(err, "%s", key) : -1;
}

void vb_missing_path_explain(const vb_experiment *experiment, vb_error *err) {
    if (!err || err->code != VB_EMISSING) return;
    const origin it = find(experiment, err->text);
    if (!it.path) return;
    char what[256] = "", places[512], place[32] = "", text[VB_ERROR_TEXT];
    vb_error none;
    vb_yaml *root = NULL;
    const vb_yaml *node = vb_yaml_read(&root, experiment->path, &none) ? NULL : find_node(experiment, root, &it);
    if (node) snprintf(place, sizeof place, "%d:%d:", node->line, node->column);
    describe_entry(what, sizeof what, &it);
    describe_places(places, sizeof places, experiment, it.path);
    snprintf(text, sizeof text, "%s", err->text);
    const int rank = err->rank;
    vb_errorf(err, VB_EMISSING, "%s:%s %s%s: %s%s", experiment->path, place, what, it.key, text + it.said, places);
    err->rank = rank;
    vb_yaml_free(root);
}
