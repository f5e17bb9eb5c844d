/* results.json read back and checked. */
#include "mpi/results/result_folder.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/results/document.h"
#include "mpi/base/strbuf.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/text/did_you_mean.h"

/* NULL, or what of a vocabulary is not as it should be. */
static const char *wrong_vocabulary(const json_t *vocabulary, size_t n) {
    const json_t *histogram = json_object_get(vocabulary, "harm_histogram"), *classes = json_object_get(vocabulary, "classes");
    if (!json_is_string(json_object_get(vocabulary, "name"))) return "name";
    if (!json_is_integer(json_object_get(vocabulary, "images")) || vb_json_integer(vocabulary, "images") < 0) return "images";
    if (json_array_size(histogram) != n) return "harm_histogram";
    if (json_array_size(json_object_get(vocabulary, "curve")) != n) return "curve";
    if (!json_array_size(classes)) return "classes";
    size_t i;
    json_t *class;
    json_array_foreach(classes, i, class) {
        if (!json_is_string(json_object_get(class, "name"))) return "classes";
    }
    return NULL;
}

/* Whether a row says of each vocabulary how many of these images it takes. */
static bool are_thefts(const json_t *row, size_t n, json_int_t images) {
    size_t i;
    json_t *taken;
    json_array_foreach((json_t *)(uintptr_t)row, i, taken) {
        if (!json_is_integer(taken) || json_integer_value(taken) < 0 || json_integer_value(taken) > images) return false;
    }
    return json_array_size(row) == n;
}

static const char *wrong_entry(const json_t *entry) {
    const json_t *vocabularies = json_object_get(entry, "vocabularies"), *theft = json_object_get(entry, "theft");
    size_t n = json_array_size(vocabularies), i;
    json_t *item;
    if (!json_is_string(json_object_get(entry, "model"))) return "model";
    if (!json_is_string(json_object_get(entry, "dataset"))) return "dataset";
    if (!json_is_integer(json_object_get(entry, "images"))) return "images";
    if (!n) return "vocabularies";
    json_array_foreach(vocabularies, i, item) {
        const char *wrong = wrong_vocabulary(item, n);
        if (wrong) return wrong;
    }
    if (json_array_size(theft) != n) return "theft";
    json_array_foreach(theft, i, item) {
        if (!are_thefts(item, n, vb_json_integer(json_array_get(vocabularies, i), "images"))) return "theft";
    }
    if (json_array_size(json_object_get(entry, "curve")) != n) return "curve";
    if (!json_is_object(json_object_get(entry, "data"))) return "data";
    if (!json_is_object(json_object_get(entry, "embedding"))) return "embedding";
    return NULL;
}

static int check_document(const vb_result_folder *folder, vb_error *err) {
    const json_t *document = folder->document, *results = json_object_get(document, "results");
    const char *schema = vb_json_text(document, "schema");
    if (strcmp(schema, "vocabench.results/1"))
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: schema: expected vocabench.results/1, found '%s'", folder->path, schema);
    if (!json_array_size(results))
        return vb_errorf(err, VB_EDATA, "%s: results: expected a list with at least one entry", folder->path);
    size_t i;
    json_t *entry;
    json_array_foreach(results, i, entry) {
        const char *wrong = wrong_entry(entry);
        if (wrong)
            return vb_errorf(err, VB_EDATA, "%s: results[%zu]: '%s' is missing or not of the kind or size it should be",
                             folder->path, i, wrong);
    }
    return 0;
}

/* A folder without results.json, which is written last: what the run's state says, where that is there. */
static int refuse_unfinished(const vb_result_folder *folder, vb_error *err) {
    vb_error none;
    char *path = vb_format(&none, "%s/state.json", folder->folder);
    json_t *state = path && vb_path_exists(path) ? vb_json_parse_file(path, &none) : NULL;
    const json_t *ended = json_object_get(state, "ended");
    const int code = (int)vb_json_integer(ended, "code");
    char how[VB_ERROR_TEXT];
    if (!ended) snprintf(how, sizeof how, "has not ended, or was killed");
    else if (code == VB_EINCOMPLETE) snprintf(how, sizeof how, "was stopped");
    else if (code) snprintf(how, sizeof how, "failed with code %d (%s)", code, vb_json_text(ended, "error"));
    else snprintf(how, sizeof how, "ended well, and the file is gone");
    if (!strcmp(vb_json_text(state, "schema"), "vocabench.state/1"))
        vb_errorf(err, VB_EMISSING,
                  "%s: no such file: the run in that folder %s; 'vocabench status %s' says more, run --resume %s", folder->path,
                  how, folder->folder, ended && !code ? "writes it again" : "ends it");
    json_decref(state);
    vb_free(path);
    return -1;
}

int vb_result_folder_open(vb_result_folder *folder, const char *given, vb_error *err) {
    *folder = (vb_result_folder){0};
    bool file = !vb_path_is_folder(given);
    size_t slash = (size_t)(vb_path_base_name(given) - given);
    folder->folder = !file     ? vb_strdup(given, err) :
                     slash > 1 ? vb_strndup(given, slash - 1, err) :
                                 vb_strdup(slash ? "/" : ".", err);
    folder->path = file ? vb_strdup(given, err) : vb_format(err, "%s/results.json", given);
    if (!folder->folder || !folder->path) return -1;
    const bool known = !strcmp(vb_path_base_name(folder->path), "results.json");
    if (!(folder->document = vb_json_parse_file(folder->path, err)))
        return known && !vb_path_exists(folder->path) ? refuse_unfinished(folder, err) : -1;
    return check_document(folder, err);
}

void vb_result_folder_close(vb_result_folder *folder) {
    vb_free(folder->folder);
    vb_free(folder->path);
    json_decref(folder->document);
    *folder = (vb_result_folder){0};
}

/* "'tiny' on 'cifar100', ...": the first twenty. */
static void list_results(const json_t *results, vb_strbuf *out) {
    size_t i;
    json_t *entry;
    json_array_foreach(results, i, entry) {
        if (i == 20) break;
        vb_strbuf_format(out, "%s'%s' on '%s'", i ? ", " : "", vb_json_text(entry, "model"), vb_json_text(entry, "dataset"));
    }
}

/* "; did you mean 'tiny-rn'?" of a name that none of the results has; nothing when one has it, or none is like it. */
static void hint_name(char *hint, const json_t *results, const char *key, const char *name) {
    enum { MOST = 200 };
    const char *names[MOST + 1];
    int n = 0;
    size_t i;
    json_t *entry;
    json_array_foreach(results, i, entry) {
        if (n == MOST) break;
        names[n++] = vb_json_text(entry, key);
        if (!strcmp(names[n - 1], name)) return;
    }
    names[n] = NULL;
    vb_did_you_mean_hint(hint, name, names);
}

int vb_result_folder_pick(const vb_result_folder *folder, const char *model, const char *dataset, json_t **entry, vb_error *err) {
    json_t *results = json_object_get(folder->document, "results"), *item;
    size_t i, found = 0;
    json_array_foreach(results, i, item) {
        if (model && strcmp(model, vb_json_text(item, "model"))) continue;
        if (dataset && strcmp(dataset, vb_json_text(item, "dataset"))) continue;
        *entry = item;
        found++;
    }
    if (found == 1) return 0;
    vb_strbuf there = {0};
    char of_model[VB_DID_YOU_MEAN_HINT] = "", on_dataset[VB_DID_YOU_MEAN_HINT] = "";
    list_results(results, &there);
    if (!found && model) hint_name(of_model, results, "model", model);
    if (!found && dataset) hint_name(on_dataset, results, "dataset", dataset);
    vb_errorf(err, VB_EUSAGE, "%s: %s results%s%s%s%s%s%s; name one with --model and --dataset: %s", folder->path,
              found ? "several" : "no such", model ? " of " : "", model ? model : "", of_model, dataset ? " on " : "",
              dataset ? dataset : "", on_dataset, there.bytes ? there.bytes : "");
    vb_strbuf_free(&there);
    return -1;
}

char *vb_result_folder_file(const vb_result_folder *folder, const char *below, const json_t *entry, const char *suffix,
                            vb_error *err) {
    return vb_document_pair_path(folder->folder, below, vb_json_text(entry, "model"), vb_json_text(entry, "dataset"), suffix,
                                 err);
}
