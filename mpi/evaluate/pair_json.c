/* The JSON of a (model, dataset) pair: figures of vocabularies and classes, what the data were, what the embeddings came from. */
#include "mpi/evaluate/pair_json.h"

#include "mpi/evaluate/errors_json.h"

/* An accuracy and its standard error. */
typedef struct accuracy {
    double value, error;
} accuracy;

/* Acc-C, Acc-E and Acc-S; sampled_e and sampled_s by the sampled protocol, and the name of the former. */
typedef struct accuracies {
    accuracy c, e, s;
    double sampled_e, sampled_s;
    const char *sampled_e_key;
    const vb_spread *errors; /* of Acc-C, Acc-E and Acc-S */
    const double *wilson;    /* of Acc-C, where it is a share of images; NULL elsewhere */
} accuracies;

/* The sampled protocol's Acc-E and Acc-S take the names; the exact ones stand under `exact`. A vocabulary's sampled Acc-E is over
 * the images of all that have arrived, not its own: another quantity, and `acc_e_union` by name. Returns the `errors`. */
static json_t *set_accuracies(vb_json *json, json_t *to, const accuracies *figures, bool sampled) {
    vb_json_set_real(json, to, "acc_c", figures->c.value);
    vb_json_set_real(json, to, "acc_c_se", figures->c.error);
    json_t *exact = to;
    if (sampled) {
        vb_json_set_real(json, to, figures->sampled_e_key, figures->sampled_e);
        vb_json_set_real(json, to, "acc_s", figures->sampled_s);
        exact = vb_json_set_object(json, to, "exact");
    }
    vb_json_set_real(json, exact, "acc_e", figures->e.value);
    vb_json_set_real(json, exact, "acc_e_se", figures->e.error);
    vb_json_set_real(json, exact, "acc_s", figures->s.value);
    vb_json_set_real(json, exact, "acc_s_se", figures->s.error);
    return vb_errors_json_set_accuracies(json, to, exact, figures->errors, figures->wilson);
}

double vb_pair_json_exact(const json_t *figures, const char *key) {
    const json_t *exact = json_object_get(figures, "exact");
    return vb_json_number(json_object_get(exact, key) ? exact : figures, key);
}

static json_t *classes_json(vb_json *json, const vb_vocabularies *vocabularies, const vb_openness_result *openness,
                            const vb_figure_errors *errors, int v) {
    json_t *list = vb_json_array(json);
    for (int i = vocabularies->offsets[v]; i < vocabularies->offsets[v + 1]; i++) {
        int c = vocabularies->members[i];
        const vb_class_openness *figures = &openness->class[c];
        json_t *entry = vb_json_object(json);
        vb_json_set_text(json, entry, "name", vocabularies->class[c].name);
        vb_json_set_integer(json, entry, "images", figures->images);
        if (vocabularies->class[c].id) vb_json_set_text(json, entry, "id", vocabularies->class[c].id);
        if (vocabularies->class[c].called) vb_json_set_text(json, entry, "called", vocabularies->class[c].called);
        vb_json_set_real(json, entry, "acc_c", figures->acc_c);
        vb_json_set_real(json, entry, "acc_e", figures->acc_e);
        vb_json_set_real(json, entry, "acc_s", figures->acc_s);
        vb_errors_json_set_class(json, entry, &errors->class[c]);
        vb_json_append(json, list, entry);
    }
    return list;
}

/* Whether any image has right classes in several vocabularies of which one may come before the other. */
static bool is_some_rescued(const vb_openness_result *openness) {
    const int n = openness->vocabularies;
    for (int v = 0; openness->shared_images && v < n; v++)
        for (int b = 0; b < n; b++)
            if (openness->vocabulary[v].kept[b] || openness->vocabulary[v].rescued[b]) return true;
    return false;
}

static json_t *vocabularies_json(vb_json *json, const vb_vocabularies *vocabularies, const vb_openness_result *openness,
                                 const vb_figure_errors *errors, bool sampled) {
    const bool some_rescued = is_some_rescued(openness);
    json_t *list = vb_json_array(json);
    for (int v = 0; v < openness->vocabularies; v++) {
        const vb_vocabulary_openness *its = &openness->vocabulary[v];
        json_t *entry = vb_json_object(json);
        vb_json_set_text(json, entry, "name", vocabularies->names[v]);
        vb_json_set_integer(json, entry, "images", its->images);
        accuracies figures = {.c = {its->acc_c, its->acc_c_se},
                              .e = {its->acc_e, its->acc_e_se},
                              .s = {its->acc_s, its->acc_s_se},
                              .sampled_e = its->sampled_e,
                              .sampled_s = its->sampled_s,
                              .sampled_e_key = "acc_e_union",
                              .errors = errors->vocabulary[v].figure,
                              .wilson = errors->vocabulary[v].wilson};
        const size_t points = (size_t)openness->vocabularies * VB_SPREAD_KINDS;
        json_t *named = set_accuracies(json, entry, &figures, sampled);
        vb_errors_json_set_curve(json, named, errors->curve ? errors->curve + (size_t)(v + 1) * points : NULL,
                                 openness->vocabularies);
        vb_json_set(json, entry, "harm_histogram", vb_json_integer_list(json, its->harm_histogram, openness->vocabularies));
        if (some_rescued) {
            vb_json_set(json, entry, "kept", vb_json_integer_list(json, its->kept, openness->vocabularies));
            vb_json_set(json, entry, "rescued", vb_json_integer_list(json, its->rescued, openness->vocabularies));
        }
        vb_json_set(json, entry, "curve", vb_json_real_list(json, its->curve, openness->vocabularies));
        vb_json_set(json, entry, "classes", classes_json(json, vocabularies, openness, errors, v));
        vb_json_append(json, list, entry);
    }
    return list;
}

static json_t *theft_json(vb_json *json, const vb_openness_result *openness) {
    json_t *matrix = vb_json_array(json);
    for (int v = 0; v < openness->vocabularies; v++)
        vb_json_append(json, matrix, vb_json_integer_list(json, openness->vocabulary[v].theft, openness->vocabularies));
    return matrix;
}

static json_t *curve_json(vb_json *json, const vb_openness_result *openness) {
    json_t *curve = vb_json_array(json);
    for (int i = 0; i < openness->vocabularies; i++) {
        double sum = 0;
        for (int v = 0; v < openness->vocabularies; v++) sum += openness->vocabulary[v].curve[i];
        vb_json_append_real(json, curve, sum / openness->vocabularies);
    }
    return curve;
}

void vb_pair_json_figures(vb_json *json, json_t *entry, const vb_counted *counted) {
    const vb_openness_result *openness = counted->openness;
    const vb_figure_errors *errors = counted->errors;
    accuracies figures = {.c = {openness->acc_c, openness->acc_c_se},
                          .e = {openness->acc_e, openness->acc_e_se},
                          .s = {openness->acc_s, openness->acc_s_se},
                          .sampled_e = openness->sampled_e,
                          .sampled_s = openness->sampled_s,
                          .sampled_e_key = "acc_e",
                          .errors = errors->figure};
    json_t *named = set_accuracies(json, entry, &figures, counted->sampled);
    vb_errors_json_set(json, named, "acc_e_union", &errors->over_union, NULL);
    vb_errors_json_set_curve(json, named, errors->curve, openness->vocabularies);
    vb_errors_json_set(json, named, vb_errors_json_keys[VB_TOP1_ALL], &errors->figure[VB_TOP1_ALL], errors->wilson);
    vb_json_set_real(json, entry, "acc_e_union", openness->acc_e_union);
    vb_json_set_real(json, entry, "acc_e_union_se", openness->acc_e_union_se);
    vb_json_set_text(json, entry, "acc_e_union_method", openness->union_method);
    vb_json_set_real(json, entry, "top1_all", openness->top1_all);
    vb_json_set_real(json, entry, "top1_all_se", openness->top1_all_se);
    vb_json_set_integer(json, entry, "tied_images", counted->tied);
    vb_json_set(json, entry, "curve", curve_json(json, openness));
    vb_json_set(json, entry, "vocabularies", vocabularies_json(json, counted->vocabularies, openness, errors, counted->sampled));
    vb_json_set(json, entry, "theft", theft_json(json, openness));
}

/* Puts the samples that have such a key under `list`, and their number under `count`; the number of the decoders' version is for
 * caches. */
static void list_samples(vb_json *json, json_t *object, const json_t *skipped, const char *key, const char *count,
                         const char *list) {
    size_t i;
    json_t *entry, *found = NULL;
    json_array_foreach((json_t *)skipped, i, entry) {
        if (!json_object_get(entry, key)) continue;
        json_t *copy = vb_json_copy(json, entry);
        json_object_del(copy, "decoders");
        if (!found) {
            if (count) vb_json_set_integer(json, object, count, 0);
            found = vb_json_set_array(json, object, list);
        }
        vb_json_append(json, found, copy);
    }
    if (found && count) vb_json_set_integer(json, object, count, (int64_t)json_array_size(found));
}

static void set_passed_over(vb_json *json, json_t *object, const vb_dataset *dataset) {
    if (!dataset || !vb_dataset_ignored(dataset)) return;
    json_t *files = vb_json_set_object(json, object, "files_passed_over");
    vb_json_set_integer(json, files, "count", vb_dataset_ignored(dataset));
    json_t *examples = vb_json_set_array(json, files, "examples");
    for (int i = 0; i < vb_dataset_ignored_names(dataset); i++)
        vb_json_append_text(json, examples, vb_dataset_ignored_name(dataset, i));
}

static json_t *data_json(vb_json *json, const vb_pair *pair, const vb_openness_result *openness, const vb_pair_counts *counts,
                         const json_t *skipped, const vb_digest *digest) {
    const vb_dataset_state *data = pair->data;
    json_t *object = vb_json_object(json);
    int empty = 0;
    for (int c = 0; c < openness->classes; c++) empty += openness->class[c].images == 0;
    const char *kind = !pair->source->model ? "precomputed" : data->part_count ? "expansion" : vb_dataset_kind(data->dataset);
    vb_json_set_text(json, object, "kind", kind);
    vb_json_set_integer(json, object, "classes", openness->classes);
    vb_json_set_integer(json, object, "classes_without_images", empty);
    vb_json_set_integer(json, object, "images_of_no_vocabulary", counts->outside);
    vb_json_set(json, object, "labels", vb_label_report_json(json, &pair->source->labels));
    const vb_class_sets *sets = vb_image_source_sets(pair->source);
    if (sets) {
        json_t *its = vb_class_sets_json(json, sets);
        vb_json_set_integer(json, its, "images_of_several_vocabularies", openness->shared_images);
        vb_json_set(json, object, "label_sets", its);
    }
    vb_json_set_integer(json, object, "images_skipped", counts->skipped);
    list_samples(json, object, skipped, "reason", NULL, "skipped");
    list_samples(json, object, skipped, "remark", "images_damaged", "damaged");
    if (pair->source->model && !data->part_count) set_passed_over(json, object, data->dataset);
    json_t *duplicates = vb_json_set_array(json, object, "duplicate_class_names");
    for (int i = 0; i < data->vocabularies.duplicates; i++)
        vb_json_append_text(json, duplicates, data->vocabularies.duplicate_notes[i]);
    vb_json_set_text(json, object, "vocabularies_digest", data->vocabularies.digest.hex);
    if (*data->names_digest.hex) {
        json_t *names = vb_json_set_object(json, object, "names");
        if (data->spec->names) vb_json_set_text(json, names, "language", data->spec->language);
        vb_json_set_text(json, names, "digest", data->names_digest.hex);
        vb_json_set_integer(json, names, "unused", data->names_unused);
    }
    if (pair->source->model) {
        vb_json_set_text(json, object, "images_digest", digest->hex);
        if (sets) vb_json_set_text(json, object, "labels_digest", data->sets_digest.hex);
    } else {
        vb_json_set_text(json, object, "images_digest", pair->source->file_digest.hex);
        vb_json_set_text(json, object, "labels_digest", pair->source->labels_digest.hex);
    }
    return object;
}

static json_t *model_json(vb_json *json, const vb_pair *pair) {
    const vb_model *model = pair->source->model;
    json_t *object = vb_json_object(json);
    vb_json_set_integer(json, object, "dimensions", pair->classifier->dim);
    vb_json_set_text(json, object, "similarity", vb_score_names[pair->spec->similarity]);
    vb_json_set_text(json, object, "text_embeddings_digest", pair->classifier->digest.hex);
    if (!model) return object;
    vb_json_set_text(json, object, "weights_digest", model->weights.digest.hex);
    vb_json_set_text(json, object, "weights_container", model->weights.container);
    vb_json_set_text(json, object, "tokenizer_digest", model->tokenizer_digest.hex);
    vb_json_set_text(json, object, "preprocessing", model->preprocess_text);
    vb_json_set(json, object, "facts", vb_facts_json(json, &model->facts, vb_clip_describe(model->clip)));
    if (model->precision.bf16x3) {
        json_t *error = vb_json_set_object(json, object, "precision_error");
        vb_json_set_real(json, error, "images", model->precision.image_error);
        vb_json_set_real(json, error, "texts", model->precision.text_error);
    }
    int prompts = pair->spec->coop ? 0 : pair->classifier->prompts;
    if (prompts < 0) vb_json_set(json, object, "prompts", json_null());
    else vb_json_set_integer(json, object, "prompts", prompts);
    return object;
}

/* Which datasets make the expansion, and which class names they share. */
static json_t *expansion_json(vb_json *json, const vb_pair *pair) {
    static const char *const rules[] = {"same", "different", "merge", "drop"};
    const vb_dataset_state *data = pair->data;
    const vb_joined *joined = &data->joined;
    json_t *object = vb_json_object(json), *datasets = vb_json_set_array(json, object, "datasets");
    for (int p = 0; p < data->part_count; p++) {
        const vb_dataset_state *part = data->parts[p];
        json_t *entry = vb_json_object(json);
        vb_json_set_text(json, entry, "name", part->spec->name);
        vb_json_set_integer(json, entry, "classes", part->space.classes);
        vb_json_set_text(json, entry, "vocabularies_digest", part->vocabularies.digest.hex);
        if (pair->source->model)
            vb_json_set_integer(json, entry, "prompts", vb_experiment_prompts(pair->spec, part->spec)->count);
        vb_json_append(json, datasets, entry);
    }
    vb_json_set_text(json, object, "shared_names", rules[data->spec->shared_names]);
    json_t *shared = vb_json_set_array(json, object, "shared");
    for (int s = 0; s < joined->shared; s++) {
        json_t *holders = vb_json_object(json);
        for (int p = 0; p < joined->parts; p++) {
            int class = joined->shared_of[s * joined->parts + p];
            if (class >= 0)
                vb_json_set_text(json, holders, data->parts[p]->spec->name, data->parts[p]->vocabularies.class[class].name);
        }
        vb_json_append(json, shared, holders);
    }
    return object;
}

int vb_pair_json(const vb_pair *pair, const vb_openness_result *openness, const vb_figure_errors *errors,
                 const vb_pair_counts *counts, json_t *skipped, const vb_digest *data_digest, json_t **entry, vb_error *err) {
    bool sampled = pair->experiment->protocol == VB_PROTOCOL_SAMPLED;
    vb_json json = {0};
    json_t *object = *entry = vb_json_object(&json);
    vb_json_set_text(&json, object, "model", pair->spec->name);
    vb_json_set_text(&json, object, "dataset", pair->data->spec->name);
    vb_json_set_text(&json, object, "protocol", sampled ? "sampled" : "exact");
    vb_json_set_integer(&json, object, "images", openness->images);
    if (pair->data->limit) vb_json_set_integer(&json, object, "limit", pair->data->limit);
    if (pair->spec->series) {
        json_t *series = vb_json_set_object(&json, object, "series");
        vb_json_set_text(&json, series, "name", pair->spec->series);
        vb_json_set_text(&json, series, "checkpoint", pair->spec->checkpoint);
    }
    if (pair->data->part_count) vb_json_set(&json, object, "expansion", expansion_json(&json, pair));
    const vb_counted counted = {&pair->data->vocabularies, openness, errors, counts->tied, sampled};
    vb_pair_json_figures(&json, object, &counted);
    vb_json_set(&json, object, "data", data_json(&json, pair, openness, counts, skipped, data_digest));
    vb_json_set(&json, object, "embedding", model_json(&json, pair));
    json_t *faults = vb_class_texts_json(&json, &pair->classifier->faults);
    if (faults) vb_json_set(&json, object, "texts", faults);
    if (!vb_json_end(&json, "the results", err)) return 0;
    json_decref(object);
    *entry = NULL;
    return -1;
}
