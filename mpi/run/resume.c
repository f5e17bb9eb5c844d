/* Keys and files of finished pairs. */
#include "mpi/run/resume.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/provenance.h"
#include "mpi/base/json.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/run/corpus_sums.h"
#include "shards/files/identity.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_file.h"
#include "shards/weights/repository.h"

static void add_file(vb_digester *digester, const char *path) {
    vb_identity identity;
    vb_error none;
    if (!path) return;
    vb_digest_add_text(digester, path);
    if (!vb_identity_of_path(&identity, path, &none)) vb_digest_add(digester, &identity, sizeof identity);
}

/* A model's weights: all files of it, and those beside them that tell of it; and of its tokenizer. */
static int add_weights(vb_digester *digester, const vb_model_spec *spec, vb_error *err) {
    vb_strings paths = {0};
    if (!spec->weights) return 0;
    vb_digest_add_text(digester, spec->weights);
    vb_repository where;
    int status = vb_repository_list(&paths, spec->weights, err);
    if (status) vb_missing_path_key("weights", err);
    if (!status && spec->tokenizer) status = vb_tokenizer_file_list(&paths, spec->tokenizer, err);
    else if (!status && paths.count) {
        status = vb_repository_open(&where, spec->weights, err) ? -1 : vb_tokenizer_file_list(&paths, where.folder, err);
        vb_repository_close(&where);
    }
    for (size_t i = 0; i < paths.count; i++) add_file(digester, paths.items[i]);
    vb_strings_free(&paths);
    return status;
}

/* A corpus as it lies: its files are those whose sums the results state. Which are there is seen when they are read. */
static int add_corpus(vb_digester *digester, const vb_corpus_spec *corpus, vb_error *err) {
    const char *const paths[] = {corpus->images, corpus->embeddings, corpus->captions, corpus->text_embeddings};
    vb_strings files = {0};
    int status = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && !status; i++)
        if (paths[i]) status = vb_corpus_sums_files(&files, paths[i], err);
    for (size_t i = 0; i < files.count; i++) add_file(digester, files.items[i]);
    vb_strings_free(&files);
    return status;
}

static void add_prompts(vb_digester *digester, const vb_model_spec *spec, const vb_dataset_state *data) {
    const vb_prompts *prompts = vb_experiment_prompts(spec, data->spec);
    for (int p = 0; p < prompts->count; p++) vb_digest_add_text(digester, prompts->items[p]);
}

/* A dataset as this model sees it. */
static int add_dataset(vb_digester *digester, const vb_model_spec *spec, const vb_dataset_state *data, vb_error *err) {
    const vb_embeddings_spec *embeddings = vb_experiment_embeddings(spec, data->spec);
    if (embeddings) {
        const char *const files[] = {embeddings->image_embeddings, embeddings->text_embeddings, embeddings->labels,
                                     embeddings->text_names, embeddings->label_names};
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) add_file(digester, files[i]);
    }
    add_prompts(digester, spec, data);
    vb_digest_add_text(digester, data->vocabularies.digest.hex);
    add_file(digester, data->spec->names);
    if (data->spec->language) vb_digest_add_text(digester, data->spec->language);
    if (data->spec->labels) {
        add_file(digester, data->spec->labels);
        add_file(digester, data->spec->class_names);
    }
    vb_digest_add(digester, &data->spec->on_error, sizeof data->spec->on_error);
    for (int64_t u = 0; data->dataset && u < vb_dataset_units(data->dataset); u++) {
        vb_digest signature;
        if (vb_dataset_unit_signature(data->dataset, u, &signature, err)) return -1;
        vb_digest_add_text(digester, signature.hex);
    }
    return 0;
}

/* The model that makes a model's queries, where that is another one; else NULL. */
static const vb_model_spec *other_index_model(const vb_experiment *experiment, const vb_model_spec *spec) {
    const vb_model_spec *other = vb_experiment_index_model(experiment, spec);
    return other == spec ? NULL : other;
}

/* All settings of the experiment, but of the models only this one and its index model; what datasets and expansions are is in
 * the key by itself. */
static char *settings_text(const vb_experiment *experiment, int model, vb_error *err) {
    const json_t *models = json_object_get(experiment->configuration, "models");
    const vb_model_spec *other = other_index_model(experiment, &experiment->models[model]);
    vb_json json = {0};
    json_t *settings = vb_json_copy(&json, experiment->configuration);
    json_object_del(settings, "datasets");
    json_object_del(settings, "expansions");
    vb_json_set(&json, settings, "models", json_incref(json_array_get(models, (size_t)model)));
    if (other)
        vb_json_set(&json, settings, "index_model", json_incref(json_array_get(models, (size_t)(other - experiment->models))));
    bool whole = !vb_json_end(&json, "the settings", err);
    char *text = whole ? vb_json_dump(settings, VB_JSON_SORTED_LINE, "the settings", err) : NULL;
    json_decref(settings);
    return text;
}

static int list_wordnet(vb_strings *files, const char *folder, vb_error *err) {
    if (vb_strings_take(files, vb_path_join(folder, "index.noun", err), err)) return -1;
    return vb_strings_take(files, vb_path_join(folder, "data.noun", err), err);
}

static int list_pool(vb_strings *files, const vb_names_spec *pool, vb_error *err) {
    const bool wordnet =
        pool->kinship ||
        (pool->asked && (!pool->names || (pool->exclude != VB_EXCLUDE_NAMES && pool->exclude != VB_EXCLUDE_NONE)));
    if ((pool->names && vb_strings_add(files, pool->names, err)) ||
        (pool->embeddings && vb_strings_add(files, pool->embeddings, err)))
        return -1;
    return wordnet ? list_wordnet(files, pool->wordnet, err) : 0;
}

/* What a pair is made from beside weights, corpora and the dataset: pools of names with WordNet, learned contexts. */
static int list_files(vb_strings *files, const vb_experiment *experiment, const vb_model_spec *spec, vb_error *err) {
    if (list_pool(files, &experiment->adversarial.pool, err) || list_pool(files, &experiment->open_curve.pool, err)) return -1;
    if (experiment->hierarchy.wordnet && list_wordnet(files, experiment->hierarchy.wordnet, err)) return -1;
    const vb_names_spec synonyms = {.kinship = experiment->prompt_spread.synonyms, .wordnet = experiment->prompt_spread.wordnet};
    if (list_pool(files, &synonyms, err)) return -1;
    for (const vb_model_spec *its = spec; its; its = its == spec ? other_index_model(experiment, spec) : NULL)
        if (its->coop && vb_strings_add(files, its->coop, err)) return -1;
    return 0;
}

int vb_resume_key(const vb_experiment *experiment, const vb_pair_unit *unit, const vb_dataset_state *data, const char *tolerated,
                  vb_digest *key, vb_error *err) {
    const vb_model_spec *spec = &experiment->models[unit->model], *other = other_index_model(experiment, spec);
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, vb_provenance_version());
    int64_t protocol[] = {experiment->protocol,           experiment->trials,    experiment->seed,
                          experiment->union_permutations, experiment->per_image, experiment->analyses};
    vb_digest_add(digester, protocol, sizeof protocol);
    if ((spec->weights || other) && *tolerated) vb_digest_add_text(digester, tolerated);
    char *settings = settings_text(experiment, unit->model, err);
    vb_digest_add_text(digester, settings ? settings : "");
    const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, spec);
    vb_strings files = {0};
    int status = settings ? 0 : -1;
    if (!status && retrieval) status = add_corpus(digester, vb_experiment_find_corpus(experiment, retrieval->corpus), err);
    if (!status) status = list_files(&files, experiment, spec, err);
    for (size_t i = 0; i < files.count; i++) add_file(digester, files.items[i]);
    vb_strings_free(&files);
    if (!status) status = add_weights(digester, spec, err);
    if (!status && other) {
        status = add_weights(digester, other, err);
        add_prompts(digester, other, data);
    }
    if (!status && !data->part_count) status = add_dataset(digester, spec, data, err);
    if (data->part_count) {
        vb_digest_add_text(digester, data->vocabularies.digest.hex);
        vb_digest_add(digester, &data->spec->shared_names, sizeof data->spec->shared_names);
    }
    for (int p = 0; p < data->part_count && !status; p++) status = add_dataset(digester, spec, data->parts[p], err);
    *key = vb_digest_finish(digester);
    vb_free(settings);
    return status;
}

/* ---- files as they were ---- */

static int note_file(vb_resume_files *files, const char *path, vb_error *err) {
    vb_identity identity;
    vb_error none;
    if (!path || vb_path_is_folder(path) || vb_identity_of_path(&identity, path, &none)) return 0;
    if (vb_grow((void **)&files->items, &files->capacity, files->count + 1, sizeof *files->items, "files of a pair", err))
        return -1;
    char *copy = vb_strdup(path, err);
    if (!copy) return -1;
    files->items[files->count++] = (struct vb_resume_file){copy, identity};
    return 0;
}

static int note_embeddings(vb_resume_files *files, const vb_model_spec *spec, const vb_dataset_state *data, vb_error *err) {
    const vb_embeddings_spec *embeddings = vb_experiment_embeddings(spec, data->spec);
    if (!embeddings) return 0;
    const char *const paths[] = {embeddings->image_embeddings, embeddings->text_embeddings, embeddings->labels,
                                 embeddings->text_names, embeddings->label_names};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (note_file(files, paths[i], err)) return -1;
    return 0;
}

int vb_resume_files_add(vb_resume_files *files, const vb_experiment *experiment, const vb_pair_unit *unit,
                        const vb_dataset_state *data, vb_error *err) {
    const vb_model_spec *spec = &experiment->models[unit->model], *other = other_index_model(experiment, spec);
    vb_strings paths = {0};
    int status = note_file(files, spec->weights, err) || (other && note_file(files, other->weights, err)) ||
                         (data->dataset && note_file(files, data->spec->labels, err)) ||
                         list_files(&paths, experiment, spec, err) ?
                     -1 :
                     0;
    for (size_t i = 0; i < paths.count && !status; i++) status = note_file(files, paths.items[i], err);
    vb_strings_free(&paths);
    if (status) return -1;
    if (!data->part_count) return note_embeddings(files, spec, data, err);
    for (int p = 0; p < data->part_count; p++)
        if (note_embeddings(files, spec, data->parts[p], err)) return -1;
    return 0;
}

int vb_resume_files_check(const vb_resume_files *files, vb_error *err) {
    for (size_t i = 0; i < files->count; i++)
        if (vb_identity_check(&files->items[i].identity, files->items[i].path, err)) return -1;
    return 0;
}

void vb_resume_files_free(vb_resume_files *files) {
    for (size_t i = 0; i < files->count; i++) vb_free(files->items[i].path);
    vb_free(files->items);
    *files = (vb_resume_files){0};
}

/* ---- finished pairs ---- */

static int digest_result(const json_t *result, vb_digest *digest, vb_error *err) {
    char *text = vb_json_dump(result, VB_JSON_SORTED_LINE, "the results", err);
    if (!text) return -1;
    *digest = vb_digest_bytes(text, strlen(text));
    vb_free(text);
    return 0;
}

/* Size and digest of a file below the folder. */
static int look_at_file(const char *output, const char *below, int64_t *bytes, vb_digest *digest, vb_error *err) {
    vb_path_facts facts;
    char *path = vb_path_join(output, below, err);
    int status = path && !vb_path_stat(path, &facts, err) && !vb_digest_file(path, digest, err) ? 0 : -1;
    if (!status) *bytes = (int64_t)facts.size;
    vb_free(path);
    return status;
}

int vb_resume_store(const vb_digest *key, json_t *result, const char *output, const vb_strings *files, const char *path,
                    vb_error *err) {
    vb_digest digest;
    if (digest_result(result, &digest, err)) return -1;
    vb_json json = {0};
    json_t *file = vb_json_object(&json);
    vb_json_set_text(&json, file, "key", key->hex);
    vb_json_set(&json, file, "result", json_incref(result));
    vb_json_set_text(&json, file, "result_digest", digest.hex);
    json_t *list = vb_json_set_array(&json, file, "files");
    int status = 0;
    for (size_t i = 0; i < files->count && !status; i++) {
        int64_t bytes;
        if ((status = look_at_file(output, files->items[i], &bytes, &digest, err))) break;
        json_t *entry = vb_json_object(&json);
        vb_json_set_text(&json, entry, "path", files->items[i]);
        vb_json_set_integer(&json, entry, "bytes", bytes);
        vb_json_set_text(&json, entry, "digest", digest.hex);
        vb_json_append(&json, list, entry);
    }
    if (!status) status = vb_json_end(&json, "the results", err);
    if (!status) status = vb_json_write(file, path, err);
    json_decref(file);
    return status;
}

/* Whether the files of a pair are all there as they were written. */
static bool files_are_whole(const json_t *files, const char *output) {
    size_t i;
    json_t *entry;
    if (!json_is_array(files)) return false;
    json_array_foreach(files, i, entry) {
        vb_error none;
        vb_digest digest;
        int64_t bytes;
        if (look_at_file(output, vb_json_text(entry, "path"), &bytes, &digest, &none)) return false;
        if (bytes != vb_json_integer(entry, "bytes") || strcmp(digest.hex, vb_json_text(entry, "digest"))) return false;
    }
    return true;
}

json_t *vb_resume_find(const vb_digest *key, const char *output, const char *path) {
    vb_error ignored; /* what cannot be read is computed again */
    vb_digest digest;
    json_t *file = vb_path_exists(path) ? vb_json_parse_file(path, &ignored) : NULL;
    json_t *result = json_object_get(file, "result");
    bool whole = json_is_object(result) && !strcmp(vb_json_text(file, "key"), key->hex) &&
                 !digest_result(result, &digest, &ignored) && !strcmp(vb_json_text(file, "result_digest"), digest.hex) &&
                 files_are_whole(json_object_get(file, "files"), output);
    result = whole ? json_incref(result) : NULL;
    json_decref(file);
    return result;
}

int vb_resume_verify(const char *output, const char *path, const json_t *entry, int *files, vb_error *err) {
    vb_digest digest;
    size_t i;
    json_t *pair, *file;
    int64_t bytes;
    *files = 0;
    if (!vb_path_exists(path)) return vb_errorf(err, VB_EMISSING, "%s: not there", path);
    if (!(pair = vb_json_parse_file(path, err))) return -1;
    const json_t *result = json_object_get(pair, "result");
    int status = result ? digest_result(result, &digest, err) : vb_errorf(err, VB_EDATA, "%s: no result in it", path);
    if (!status && strcmp(digest.hex, vb_json_text(pair, "result_digest")))
        status = vb_errorf(err, VB_EDATA, "%s: result_digest: expected %s, found %s: it was changed by hand", path, digest.hex,
                           vb_json_text(pair, "result_digest"));
    if (!status && !json_equal(result, entry))
        status = vb_errorf(err, VB_EDATA, "%s: its result is not that of results.json", path);
    json_array_foreach(status ? NULL : json_object_get(pair, "files"), i, file) {
        const char *below = vb_json_text(file, "path");
        if ((status = look_at_file(output, below, &bytes, &digest, err))) break;
        if (bytes != vb_json_integer(file, "bytes") || strcmp(digest.hex, vb_json_text(file, "digest"))) {
            status = vb_errorf(err, VB_EDATA, "%s/%s: not as the run has written it: its digest was %s, and is %s", output, below,
                               vb_json_text(file, "digest"), digest.hex);
            break;
        }
        ++*files;
    }
    json_decref(pair);
    return status;
}
