/* The entry of a (model, dataset) pair in results[], and the writing of JSON. */
#include "mpi/results/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/writer.h"

static json_t *real(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *integers(const int64_t *values, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(list, json_integer(values[i]));
    return list;
}

static json_t *reals(const double *values, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(list, real(values[i]));
    return list;
}

/* acc_c and its kin with their standard errors. The sampled protocol's Acc-E and Acc-S take the names; the exact ones stand under
 * `exact`. */
static void put_accuracies(json_t *to, const double c[2], const double e[2], const double s[2], bool sampled, double sampled_e,
                           double sampled_s) {
    json_object_set_new(to, "acc_c", real(c[0]));
    json_object_set_new(to, "acc_c_se", real(c[1]));
    json_t *exact = to;
    if (sampled) {
        json_object_set_new(to, "acc_e", real(sampled_e));
        json_object_set_new(to, "acc_s", real(sampled_s));
        json_object_set_new(to, "exact", exact = json_object());
    }
    json_object_set_new(exact, "acc_e", real(e[0]));
    json_object_set_new(exact, "acc_e_se", real(e[1]));
    json_object_set_new(exact, "acc_s", real(s[0]));
    json_object_set_new(exact, "acc_s_se", real(s[1]));
}

static json_t *classes_json(const vb_vocabularies *vocabularies, const vb_openness_result *openness, int v) {
    json_t *list = json_array();
    for (int i = vocabularies->offsets[v]; i < vocabularies->offsets[v + 1]; i++) {
        int c = vocabularies->members[i];
        const vb_class_openness *figures = &openness->class[c];
        json_t *entry = json_pack("{s:s, s:I}", "name", vocabularies->class[c].name, "images", (json_int_t)figures->images);
        if (vocabularies->class[c].id) json_object_set_new(entry, "id", json_string(vocabularies->class[c].id));
        json_object_set_new(entry, "acc_c", real(figures->acc_c));
        json_object_set_new(entry, "acc_e", real(figures->acc_e));
        json_object_set_new(entry, "acc_s", real(figures->acc_s));
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *vocabularies_json(const vb_pair *pair, const vb_openness_result *openness, bool sampled) {
    const vb_vocabularies *vocabularies = &pair->data->vocabularies;
    json_t *list = json_array();
    for (int v = 0; v < openness->vocabularies; v++) {
        const vb_vocabulary_openness *figures = &openness->vocabulary[v];
        json_t *entry = json_pack("{s:s, s:I}", "name", vocabularies->names[v], "images", (json_int_t)figures->images);
        put_accuracies(entry, (double[]){figures->acc_c, figures->acc_c_se}, (double[]){figures->acc_e, figures->acc_e_se},
                       (double[]){figures->acc_s, figures->acc_s_se}, sampled, figures->sampled_e, figures->sampled_s);
        json_object_set_new(entry, "harm_histogram", integers(figures->harm_histogram, openness->vocabularies));
        json_object_set_new(entry, "curve", reals(figures->curve, openness->vocabularies));
        json_object_set_new(entry, "classes", classes_json(vocabularies, openness, v));
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *theft_json(const vb_openness_result *openness) {
    json_t *matrix = json_array();
    for (int v = 0; v < openness->vocabularies; v++)
        json_array_append_new(matrix, integers(openness->vocabulary[v].theft, openness->vocabularies));
    return matrix;
}

static json_t *curve_json(const vb_openness_result *openness) {
    json_t *curve = json_array();
    for (int i = 0; i < openness->vocabularies; i++) {
        double sum = 0;
        for (int v = 0; v < openness->vocabularies; v++) sum += openness->vocabulary[v].curve[i];
        json_array_append_new(curve, real(sum / openness->vocabularies));
    }
    return curve;
}

static json_t *data_json(const vb_pair *pair, const vb_openness_result *openness, const vb_pair_counts *counts, json_t *skipped,
                         const vb_digest *digest) {
    const vb_dataset_state *data = pair->data;
    json_t *object = json_object();
    int empty = 0;
    for (int c = 0; c < openness->classes; c++) empty += openness->class[c].images == 0;
    const char *kind = !pair->source->model ? "precomputed" : data->part_count ? "expansion" : vb_dataset_kind(data->dataset);
    json_object_set_new(object, "kind", json_string(kind));
    json_object_set_new(object, "classes", json_integer(openness->classes));
    json_object_set_new(object, "classes_without_images", json_integer(empty));
    json_object_set_new(object, "images_of_no_vocabulary", json_integer(counts->outside));
    json_object_set_new(object, "images_skipped", json_integer(counts->skipped));
    if (counts->skipped) json_object_set(object, "skipped", skipped);
    json_t *duplicates = json_array();
    for (int i = 0; i < data->vocabularies.duplicates; i++)
        json_array_append_new(duplicates, json_string(data->vocabularies.duplicate_notes[i]));
    json_object_set_new(object, "duplicate_class_names", duplicates);
    json_object_set_new(object, "vocabularies_digest", json_string(data->vocabularies.digest.hex));
    if (pair->source->model) json_object_set_new(object, "images_digest", json_string(digest->hex));
    else {
        json_object_set_new(object, "images_digest", json_string(pair->source->file_digest.hex));
        json_object_set_new(object, "labels_digest", json_string(pair->source->labels_digest.hex));
    }
    return object;
}

static json_t *model_json(const vb_pair *pair) {
    const vb_model *model = pair->source->model;
    json_t *object = json_object();
    json_object_set_new(object, "dimensions", json_integer(pair->classifier->dim));
    json_object_set_new(object, "similarity", json_string(pair->spec->similarity ? "dot" : "cosine"));
    json_object_set_new(object, "text_embeddings_digest", json_string(pair->classifier->digest.hex));
    if (!model) return object;
    json_object_set_new(object, "weights_digest", json_string(model->weights.digest.hex));
    json_object_set_new(object, "weights_container", json_string(model->weights.container));
    json_object_set_new(object, "tokenizer_digest", json_string(model->tokenizer_digest.hex));
    json_object_set_new(object, "preprocessing", json_string(model->preprocess_text));
    int prompts = pair->spec->coop ? 0 : pair->classifier->prompts;
    json_object_set_new(object, "prompts", prompts < 0 ? json_null() : json_integer(prompts));
    return object;
}

/* Which datasets make the expansion, and which class names they share. */
static json_t *expansion_json(const vb_pair *pair) {
    static const char *const rules[] = {"same", "different", "merge", "drop"};
    const vb_dataset_state *data = pair->data;
    const vb_joined *joined = &data->joined;
    json_t *datasets = json_array(), *shared = json_array();
    for (int p = 0; p < data->part_count; p++) {
        const vb_dataset_state *part = data->parts[p];
        json_t *entry = json_pack("{s:s, s:i, s:s}", "name", part->spec->name, "classes", part->space.classes,
                                  "vocabularies_digest", part->vocabularies.digest.hex);
        if (pair->source->model)
            json_object_set_new(entry, "prompts", json_integer(vb_experiment_prompts(pair->spec, part->spec)->count));
        json_array_append_new(datasets, entry);
    }
    for (int s = 0; s < joined->shared; s++) {
        json_t *holders = json_object();
        for (int p = 0; p < joined->parts; p++) {
            int class = joined->shared_of[s * joined->parts + p];
            if (class >= 0)
                json_object_set_new(holders, data->parts[p]->spec->name,
                                    json_string(data->parts[p]->vocabularies.class[class].name));
        }
        json_array_append_new(shared, holders);
    }
    return json_pack("{s:o, s:s, s:o}", "datasets", datasets, "shared_names", rules[data->spec->shared_names], "shared", shared);
}

json_t *vb_pair_json(const vb_pair *pair, const vb_openness_result *openness, const vb_pair_counts *counts, json_t *skipped,
                     const vb_digest *data_digest) {
    bool sampled = pair->experiment->protocol == VB_SAMPLED;
    json_t *entry = json_pack("{s:s, s:s, s:s, s:I}", "model", pair->spec->name, "dataset", pair->data->spec->name, "protocol",
                              sampled ? "sampled" : "exact", "images", (json_int_t)openness->images);
    if (!entry) return NULL;
    if (pair->spec->series)
        json_object_set_new(entry, "series",
                            json_pack("{s:s, s:s}", "name", pair->spec->series, "checkpoint", pair->spec->checkpoint));
    if (pair->data->part_count) json_object_set_new(entry, "expansion", expansion_json(pair));
    put_accuracies(entry, (double[]){openness->acc_c, openness->acc_c_se}, (double[]){openness->acc_e, openness->acc_e_se},
                   (double[]){openness->acc_s, openness->acc_s_se}, sampled, openness->sampled_e, openness->sampled_s);
    json_object_set_new(entry, "acc_e_union", real(openness->acc_e_union));
    json_object_set_new(entry, "acc_e_union_se", real(openness->acc_e_union_se));
    json_object_set_new(entry, "acc_e_union_method", json_string(openness->union_method));
    json_object_set_new(entry, "top1_all", real(openness->top1_all));
    json_object_set_new(entry, "top1_all_se", real(openness->top1_all_se));
    json_object_set_new(entry, "curve", curve_json(openness));
    json_object_set_new(entry, "vocabularies", vocabularies_json(pair, openness, sampled));
    json_object_set_new(entry, "theft", theft_json(openness));
    json_object_set_new(entry, "data", data_json(pair, openness, counts, skipped, data_digest));
    json_object_set_new(entry, "embedding", model_json(pair));
    return entry;
}

int vb_json_write(const json_t *value, const char *path, vb_error *err) {
    char *text = json_dumps(value, JSON_INDENT(1));
    if (!text) return vb_errorf(err, VB_EMEMORY, "%s: no memory for the JSON text", path);
    size_t n = strlen(text);
    text[n] = '\n'; /* in place of the NUL */
    int status = vb_writer_write_whole(path, text, n + 1, err);
    free(text); /* jansson's */
    return status;
}
