/* The writing of results.json and its tables, for a run and for a merge of runs. */
#include "mpi/results/document.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/results/tables.h"
#include "shards/files/digest.h"
#include "shards/files/file_name.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

int vb_document_configuration_digest(const json_t *configuration, char *digest, vb_error *err) {
    char *text = vb_json_dump(configuration, VB_JSON_SORTED_LINE, "the configuration", err);
    if (!text) return -1;
    strcpy(digest, vb_digest_bytes(text, strlen(text)).hex);
    vb_free(text);
    return 0;
}

json_t *vb_document_new(const char *experiment, json_t *configuration, json_t *results, json_t *run, vb_error *err) {
    char digest[40];
    if (vb_document_configuration_digest(configuration, digest, err)) return NULL;
    vb_json json = {0};
    json_t *document = vb_json_object(&json), *series;
    vb_json_set_text(&json, document, "schema", "vocabench.results/1");
    vb_json_set_text(&json, document, "experiment", experiment);
    vb_json_set(&json, document, "configuration", json_incref(configuration));
    vb_json_set_text(&json, document, "configuration_digest", digest);
    vb_json_set(&json, document, "results", json_incref(results));
    vb_json_set(&json, document, "run", json_incref(run));
    int status = vb_tables_series_rows(results, &series, err);
    if (series) vb_json_set(&json, document, "series", series);
    if (!status) status = vb_json_end(&json, "the results", err);
    if (!status) return document;
    json_decref(document);
    return NULL;
}

/* Results of another experiment in the same folder are kept under another name, never overwritten. */
static int keep_earlier(const char *path, const char *digest, vb_error *err) {
    vb_error why = {0};
    json_t *earlier = vb_path_exists(path) ? vb_json_parse_file(path, &why) : NULL;
    if (!earlier) { /* none, or no JSON: nothing to keep */
        if (why.code == VB_EMEMORY) *err = why;
        return why.code == VB_EMEMORY ? -1 : 0;
    }
    const char *stored = vb_json_text(earlier, "configuration_digest");
    int status = 0;
    if (stored[0] && strcmp(stored, digest)) {
        char *kept = vb_format(err, "%.*sresults.%.8s.json", (int)(vb_path_base_name(path) - path), path, stored);
        status = kept ? vb_json_write(earlier, kept, err) : -1;
        if (!status) fprintf(stderr, "vocabench: results of another configuration are kept as %s\n", kept);
        vb_free(kept);
    }
    json_decref(earlier);
    return status;
}

typedef char *table_maker(const json_t *rows, vb_table_form form, vb_error *err);

/* NULL as the name: on the terminal. */
static int write_table(table_maker *make, const char *folder, const json_t *rows, vb_table_form form, const char *name,
                       vb_error *err) {
    char *table = make(rows, form, err);
    if (!table) return -1;
    int status = 0;
    if (name) {
        char *path = vb_format(err, "%s/%s", folder, name);
        status = path ? vb_writer_write_whole(path, table, strlen(table), err) : -1;
        vb_free(path);
    } else printf("%s", table);
    vb_free(table);
    return status;
}

/* One that earlier results have left would tell of these: not asked for, it is written anew; without rows it goes. */
static int put_table(table_maker *make, const char *folder, const json_t *rows, vb_table_form form, const char *name, bool asked,
                     vb_error *err) {
    char *path = vb_format(err, "%s/%s", folder, name);
    if (!path) return -1;
    const bool wanted = rows && (asked || vb_path_exists(path));
    if (!wanted) unlink(path);
    vb_free(path);
    return wanted ? write_table(make, folder, rows, form, name, err) : 0;
}

int vb_document_write(const char *folder, const json_t *document, bool latex, vb_error *err) {
    const json_t *results = json_object_get(document, "results");
    char *path = vb_format(err, "%s/results.json", folder);
    int status = -1;
    if (!path || keep_earlier(path, vb_json_text(document, "configuration_digest"), err)) goto done;
    if (vb_json_write(document, path, err)) goto done;
    const json_t *series = json_object_get(document, "series");
    struct {
        table_maker *make;
        const json_t *rows;
        const char *names[3];
    } tables[] = {{vb_tables_main, results, {"table.md", "table.csv", "table.tex"}},
                  {vb_tables_series, series, {"series.md", "series.csv", "series.tex"}}};
    static const vb_table_form forms[] = {VB_TABLE_MARKDOWN, VB_TABLE_CSV, VB_TABLE_LATEX};
    for (int t = 0; t < 2; t++) {
        for (int f = 0; f < 3; f++)
            if (put_table(tables[t].make, folder, tables[t].rows, forms[f], tables[t].names[f],
                          latex || forms[f] != VB_TABLE_LATEX, err))
                goto done;
        if (tables[t].rows && write_table(tables[t].make, folder, tables[t].rows, VB_TABLE_TERMINAL, NULL, err)) goto done;
    }
    status = 0;
done:
    vb_free(path);
    return status;
}

char *vb_document_pair_path(const char *folder, const char *below, const char *model, const char *dataset, const char *suffix,
                            vb_error *err) {
    char *name = vb_file_name_of_pair(model, dataset, err);
    char *path = name ? vb_format(err, "%s/%s/%s%s", folder, below, name, suffix) : NULL;
    vb_free(name);
    return path;
}

/* Without a file of the pair, or a list in it (of earlier versions), nothing speaks against it. */
static vb_file_owner owner_of(const json_t *pair, const json_t *entry, const char *below, const char *path) {
    const json_t *files = json_object_get(pair, "files"), *file;
    const size_t n = strlen(below);
    size_t i;
    if (!pair) return VB_FILE_OWN;
    if (!json_equal(json_object_get(pair, "result"), entry)) return VB_FILE_OTHER;
    json_array_foreach((json_t *)(uintptr_t)files, i, file) {
        const char *listed = vb_json_text(file, "path");
        if (!strncmp(listed, below, n) && listed[n] == '/' && !strcmp(listed + n + 1, vb_path_base_name(path)))
            return VB_FILE_OWN;
    }
    return files ? VB_FILE_LEFT : VB_FILE_OWN;
}

int vb_document_find_file(const char *folder, const char *below, const json_t *entry, const char *suffix, char **path,
                          vb_file_owner *owner, vb_error *err) {
    const char *model = vb_json_text(entry, "model"), *dataset = vb_json_text(entry, "dataset");
    char *beside = vb_document_pair_path(folder, "pairs", model, dataset, ".json", err);
    vb_error none;
    *owner = VB_FILE_NONE;
    *path = beside ? vb_document_pair_path(folder, below, model, dataset, suffix, err) : NULL;
    if (*path && vb_path_exists(*path)) {
        json_t *pair = vb_path_exists(beside) ? vb_json_parse_file(beside, &none) : NULL;
        *owner = owner_of(pair, entry, below, *path);
        json_decref(pair);
    }
    vb_free(beside);
    return *path ? 0 : -1;
}

/* Whether a model of a configuration has embeddings of a dataset, or encodes all. */
static bool model_has(const json_t *model, const char *dataset) {
    const char *only = vb_json_text(model, "dataset");
    const json_t *list = json_object_get(model, "embeddings");
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)list, i, entry) {
        if (!strcmp(vb_json_text(entry, "dataset"), dataset)) return true;
    }
    return !list && (!only[0] || !strcmp(only, dataset));
}

static bool model_covers(const json_t *model, const json_t *data, const char *name) {
    json_t *parts = json_object_get(data, "datasets"), *part;
    size_t i;
    if (!parts) return model_has(model, name);
    json_array_foreach(parts, i, part) {
        if (!json_is_string(part) || !model_has(model, json_string_value(part))) return false;
    }
    return true;
}

int vb_document_configured_pairs(const json_t *configuration, vb_pair_name **pairs, int *count, vb_error *err) {
    const json_t *models = json_object_get(configuration, "models"),
                 *lists[] = {json_object_get(configuration, "datasets"), json_object_get(configuration, "expansions")};
    *count = 0;
    if (!(*pairs = vb_array(json_array_size(models) * (json_array_size(lists[0]) + json_array_size(lists[1])), sizeof **pairs,
                            "pairs", err)))
        return -1;
    for (size_t m = 0; m < json_array_size(models); m++) {
        const json_t *model = json_array_get(models, m);
        const char *name = json_string_value(json_object_get(model, "name"));
        for (size_t k = 0; k < json_array_size(lists[0]) + json_array_size(lists[1]); k++) {
            bool whole = k < json_array_size(lists[0]);
            const json_t *data = whole ? json_array_get(lists[0], k) : json_array_get(lists[1], k - json_array_size(lists[0]));
            const char *dataset = json_string_value(json_object_get(data, "name"));
            if (!name || !dataset) {
                vb_free(*pairs);
                *pairs = NULL;
                return vb_errorf(err, VB_EDATA, "the configuration has a %s without a name",
                                 !name ? "model" :
                                 whole ? "dataset" :
                                         "expansion");
            }
            if (model_covers(model, data, dataset)) (*pairs)[(*count)++] = (vb_pair_name){name, dataset};
        }
    }
    return 0;
}
