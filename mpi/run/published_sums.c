/* The files of models, and their sums in the results. */
#include "mpi/run/published_sums.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/text/tokenizer_file.h"
#include "shards/weights/repository.h"

static int add_file(vb_published_sums *sums, int model, const char *role, const char *path, vb_error *err) {
    vb_published_file file = {.model = model, .role = role};
    if (vb_sha256_job_add(sums->job, path, &file.index, err)) return -1;
    if (vb_grow((void **)&sums->files, &sums->capacity, (size_t)sums->count + 1, sizeof *sums->files, "files of models", err))
        return -1;
    sums->files[sums->count++] = file;
    return 0;
}

/* All tokenizer files of a folder: what is read of them is the tokenizer's affair. */
static int add_tokenizers(vb_published_sums *sums, int model, const char *folder, vb_error *err) {
    vb_strings paths = {0};
    int status = vb_tokenizer_file_list(&paths, folder, err);
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
    const char *tokenizer = spec->tokenizer ? spec->tokenizer : where.folder;
    if (!status && vb_path_is_folder(tokenizer)) status = add_tokenizers(sums, m, tokenizer, err);
    else if (!status) status = add_file(sums, m, "tokenizer", tokenizer, err);
    if (!status && spec->coop) status = add_file(sums, m, "coop", spec->coop, err);
    vb_repository_close(&where);
    return status;
}

int vb_published_sums_start(vb_published_sums *sums, const vb_experiment *experiment, vb_error *err) {
    *sums = (vb_published_sums){0};
    if (vb_sha256_job_new(&sums->job, experiment->cache, err)) return -1;
    for (int m = 0; m < experiment->model_count; m++)
        if (!experiment->models[m].left_out && add_model(sums, experiment, m, err)) return -1;
    vb_sha256_job_start(sums->job);
    return 0;
}

void vb_published_sums_set(vb_published_sums *sums, const vb_experiment *experiment, vb_json *json, json_t *facts) {
    json_t *models = vb_json_set_array(json, facts, "models"), *files = NULL;
    vb_sha256_job_wait(sums->job, false);
    for (int f = 0; f < sums->count; f++) {
        const vb_published_file *file = &sums->files[f];
        const vb_sha256_file *its = vb_sha256_job_file(sums->job, file->index);
        if (!f || sums->files[f - 1].model != file->model) {
            json_t *model = vb_json_object(json);
            vb_json_set_text(json, model, "model", experiment->models[file->model].name);
            files = vb_json_set_array(json, model, "files");
            vb_json_append(json, models, model);
        }
        vb_error none;
        char *path = vb_path_absolute(its->path, &none);
        json_t *entry = vb_json_object(json);
        vb_json_set_text(json, entry, "role", file->role);
        vb_json_set(json, entry, "name", vb_json_text_value(json, vb_path_base_name(its->path)));
        vb_json_set(json, entry, "path", vb_json_text_value(json, path));
        vb_json_set_integer(json, entry, "bytes", (int64_t)its->identity.size);
        vb_json_set(json, entry, "sha256", its->sum.hex[0] ? vb_json_text_value(json, its->sum.hex) : json_null());
        vb_json_append(json, files, entry);
        vb_free(path);
    }
}

void vb_published_sums_keep(const vb_published_sums *sums) {
    if (sums->job) vb_sha256_job_keep(sums->job);
}

void vb_published_sums_close(vb_published_sums *sums) {
    vb_sha256_job_free(sums->job);
    vb_free(sums->files);
    *sums = (vb_published_sums){0};
}
