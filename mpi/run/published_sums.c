/* The files of models and corpora, and their sums in the results. */
#include "mpi/run/published_sums.h"

#include <string.h>
#include <time.h>

#include "kernels/base/memory.h"
#include "mpi/ranks/byte_progress.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_file.h"
#include "shards/weights/published.h"
#include "shards/weights/repository.h"

static int add_file(vb_published_sums *sums, int model, const char *role, const char *path, vb_error *err) {
    vb_published_file file = {.model = model, .role = role};
    if (vb_sha256_job_add(sums->job, path, &file.index, err)) return -1;
    if (vb_grow((void **)&sums->files, &sums->capacity, (size_t)sums->count + 1, sizeof *sums->files, "files of models", err))
        return -1;
    sums->files[sums->count++] = file;
    return 0;
}

/* A tokenizer's files, or all of a folder: what is read of them is the tokenizer's affair. */
static int add_tokenizers(vb_published_sums *sums, int model, const char *path, vb_error *err) {
    vb_strings paths = {0};
    int status = vb_tokenizer_file_list(&paths, path, err);
    for (size_t i = 0; i < paths.count && !status; i++) status = add_file(sums, model, "tokenizer", paths.items[i], err);
    vb_strings_free(&paths);
    return status;
}

/* What is missing or broken the model's opening has told, or will tell. */
static int add_model(vb_published_sums *sums, const vb_experiment *experiment, int m, vb_error *err) {
    const vb_model_spec *spec = &experiment->models[m];
    vb_repository where;
    vb_error none;
    if (!spec->weights || vb_repository_open(&where, spec->weights, &none)) return 0;
    int status = 0;
    for (size_t s = 0; s < where.shards.count && !status; s++) status = add_file(sums, m, "weights", where.shards.items[s], err);
    if (!status) status = add_tokenizers(sums, m, spec->tokenizer ? spec->tokenizer : where.folder, err);
    if (!status && spec->coop) status = add_file(sums, m, "coop", spec->coop, err);
    vb_repository_close(&where);
    return status;
}

/* A model that is evaluated, or makes the queries of one that is. */
static bool is_used(const vb_experiment *experiment, const vb_model_spec *spec) {
    bool used = !spec->left_out;
    for (int m = 0; m < experiment->model_count && !used; m++) {
        const vb_model_spec *other = &experiment->models[m];
        used = !other->left_out && vb_experiment_index_model(experiment, other) == spec;
    }
    return used;
}

int vb_published_sums_start(vb_published_sums *sums, const vb_experiment *experiment, vb_error *err) {
    *sums = (vb_published_sums){0};
    if (vb_sha256_job_new(&sums->job, experiment->cache, err)) return -1;
    for (int m = 0; m < experiment->model_count; m++)
        if (is_used(experiment, &experiment->models[m]) && add_model(sums, experiment, m, err)) return -1;
    const size_t corpora = (size_t)experiment->corpus_count;
    if (corpora && !(sums->corpora = vb_array(corpora, sizeof *sums->corpora, "files of corpora", err))) return -1;
    sums->corpus_count = experiment->corpus_count;
    for (int c = 0; c < sums->corpus_count; c++)
        if (vb_corpus_sums_wanted(experiment, c) &&
            vb_corpus_sums_open(&sums->corpora[c], &experiment->corpora[c], sums->job, err))
            return -1;
    vb_sha256_job_start(sums->job);
    return 0;
}

int vb_published_sums_wait(vb_sha256_job *job, vb_context *context, vb_error *err) {
    int64_t before, done, all;
    vb_byte_progress progress;
    const struct timespec moment = {.tv_nsec = 20000000};
    int status = 0;
    vb_sha256_job_under_way(job, &before, &all);
    vb_byte_progress_start(&progress, context, "SHA-256", "of models and corpora", all - before);
    while (!status && vb_sha256_job_under_way(job, &done, &all)) {
        nanosleep(&moment, NULL);
        vb_sha256_job_under_way(job, &done, &all);
        status = vb_byte_progress_step(&progress, done - before, err);
        before = done;
    }
    vb_sha256_job_wait(job, status != 0);
    vb_byte_progress_end(&progress);
    return status;
}

static json_t *text_or_null(vb_json *json, const char *text) { return *text ? vb_json_text_value(json, text) : json_null(); }

static json_t *file_entry(const vb_published_file *file, const vb_sha256_file *its, const vb_published *published,
                          vb_json *json) {
    vb_error none;
    char *path = vb_path_absolute(its->path, &none);
    json_t *entry = vb_json_object(json);
    vb_json_set_text(json, entry, "role", file->role);
    vb_json_set(json, entry, "name", vb_json_text_value(json, vb_path_base_name(its->path)));
    vb_json_set(json, entry, "path", vb_json_text_value(json, path));
    vb_json_set_integer(json, entry, "bytes", (int64_t)its->identity.size);
    vb_json_set(json, entry, "sha256", text_or_null(json, its->sum.hex));
    vb_json_set_text(json, entry, "published", vb_published_words[published->verdict]);
    vb_json_set(json, entry, "published_sha256", text_or_null(json, published->sum.hex));
    vb_json_set(json, entry, "published_by", text_or_null(json, published->source));
    vb_free(path);
    return entry;
}

int vb_published_sums_set(vb_published_sums *sums, const vb_experiment *experiment, json_t *facts, vb_strbuf *notes,
                          vb_error *err) {
    vb_json json = {0};
    json_t *models = vb_json_set_array(&json, facts, "models"), *files = NULL;
    json_t *corpora = NULL;
    for (int c = 0; c < sums->corpus_count; c++) {
        if (!vb_corpus_sums_wanted(experiment, c)) continue;
        if (!corpora) corpora = vb_json_set_array(&json, facts, "corpora");
        vb_json_append(&json, corpora, vb_corpus_sums_entry(&sums->corpora[c], experiment->corpora[c].name, sums->job, &json));
    }
    for (int f = 0; f < sums->count; f++) {
        const vb_published_file *file = &sums->files[f];
        const vb_sha256_file *its = vb_sha256_job_file(sums->job, file->index);
        const char *name = experiment->models[file->model].name;
        vb_published published;
        if (vb_published_find(&published, its->path, (int64_t)its->identity.size, &its->sum, err)) return -1;
        if (!f || sums->files[f - 1].model != file->model) {
            json_t *model = vb_json_object(&json);
            vb_json_set_text(&json, model, "model", name);
            files = vb_json_set_array(&json, model, "files");
            vb_json_append(&json, models, model);
        }
        vb_json_append(&json, files, file_entry(file, its, &published, &json));
        if (published.verdict == VB_PUBLISHED_DIFFERS)
            vb_strbuf_format(notes, "warning: %s: %s is not the published file: SHA-256 %s, by the %s %s\n", name, its->path,
                             its->sum.hex, published.source, published.sum.hex);
    }
    return vb_json_end(&json, "the results", err);
}

void vb_published_sums_keep(const vb_published_sums *sums) {
    if (sums->job) vb_sha256_job_keep(sums->job);
}

void vb_published_sums_close(vb_published_sums *sums) {
    vb_sha256_job_free(sums->job);
    vb_free(sums->files);
    for (int c = 0; c < sums->corpus_count; c++) vb_corpus_sums_close(&sums->corpora[c]);
    vb_free(sums->corpora);
    *sums = (vb_published_sums){0};
}
