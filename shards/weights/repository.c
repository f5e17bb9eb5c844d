/* Names of files in repositories of models: Hugging Face's and open_clip's layouts. Sources: transformers utils/__init__.py and
 * utils/hub.py (get_checkpoint_shard_files), open_clip constants.py. */
#include "shards/weights/repository.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"

static const char *const weights_files[] = {"open_clip_model.safetensors", "open_clip_pytorch_model.bin",
                                            "model.safetensors",           "model.safetensors.index.json",
                                            "pytorch_model.bin",           "pytorch_model.bin.index.json"};
static const char *const side_files[] = {"open_clip_config.json", "config.json", "preprocessor_config.json",
                                         "processor_config.json"};
static const char index_ending[] = ".index.json";

/* The path of the first of the names that is in the folder; NULL, without an error, when none is. */
static char *first_of(const char *folder, const char *const *names, size_t count, vb_error *err) {
    for (size_t i = 0; i < count; i++) {
        char *path = vb_path_join(folder, names[i], err);
        if (!path || vb_path_exists(path)) return path;
        vb_free(path);
    }
    return NULL;
}
#define FIRST_OF(folder, names, err) first_of(folder, names, sizeof(names) / sizeof *(names), err)

bool vb_repository_recognises(const char *folder) {
    vb_error none;
    char *found = vb_path_is_folder(folder) ? FIRST_OF(folder, weights_files, &none) : NULL;
    vb_free(found);
    return found;
}

bool vb_repository_is_weights_name(const char *name) {
    for (size_t i = 0; i < sizeof weights_files / sizeof *weights_files; i++)
        if (!strcmp(name, weights_files[i])) return true;
    return false;
}

static bool is_file_name(const char *name) { return *name && *name != '.' && !strchr(name, '/'); }

static int read_index(vb_repository *repository, vb_error *err) {
    const char *path = repository->file, *tensor, *name;
    json_t *index = vb_json_parse_file(path, err), *value;
    if (!index) return -1;
    repository->weight_map = json_incref(json_object_get(index, "weight_map"));
    json_decref(index);
    if (!json_is_object(repository->weight_map) || !json_object_size(repository->weight_map))
        return vb_errorf(err, VB_EDATA, "%s: no \"weight_map\": expected an object of tensor names and shards", path);
    json_object_foreach(repository->weight_map, tensor, value) {
        name = json_string_value(value);
        if (!name || !is_file_name(name))
            return vb_errorf(err, VB_EDATA,
                             "%s: weight_map: %.100s: expected the name of a file in the same folder, found %.100s", path, tensor,
                             name ? name : "no text");
        size_t known = 0;
        while (known < repository->shards.count && strcmp(vb_path_base_name(repository->shards.items[known]), name)) known++;
        if (known < repository->shards.count) continue;
        if (vb_strings_take(&repository->shards, vb_path_join(repository->folder, name, err), err)) return -1;
        if (!vb_path_exists(repository->shards.items[known]))
            return vb_errorf(err, VB_EMISSING, "%s: no such file: the shard of tensor %.100s by %s",
                             repository->shards.items[known], tensor, path);
    }
    vb_strings_sort(&repository->shards);
    return 0;
}

/* The folder of a file: "." for a bare name. */
static char *folder_of(const char *path, vb_error *err) {
    const char *base = vb_path_base_name(path);
    if (base == path) return vb_strdup(".", err);
    return vb_strndup(path, base - path > 1 ? (size_t)(base - path) - 1 : 1, err);
}

/* "; it holds X: name that file", of the one file in a folder whose ending weights have; else nothing. Others are several models,
 * or none. */
static void name_file(char *text, size_t size, const char *folder) {
    static const char *const endings[] = {".pt", ".pth", ".pth.tar", ".bin", ".safetensors"};
    vb_strings names;
    vb_error none;
    const char *only = NULL;
    int count = 0;
    *text = 0;
    if (vb_path_list_folder(&names, folder, &none)) return;
    for (size_t i = 0; i < names.count; i++) {
        bool fits = false;
        for (size_t e = 0; e < sizeof endings / sizeof *endings; e++)
            fits = fits || vb_path_ends_with(names.items[i], endings[e]);
        if (fits && !count++) only = names.items[i];
    }
    if (count == 1) snprintf(text, size, "; it holds %.200s: name that file, %.200s/%.200s", only, folder, only);
    vb_strings_free(&names);
}

static int open_folder(vb_repository *repository, const char *path, vb_error *err) {
    char names[256] = "", there[640];
    if (!(repository->folder = vb_strdup(path, err))) return -1;
    vb_error_clear(err);
    if ((repository->file = FIRST_OF(path, weights_files, err))) return 0;
    if (err && err->code) return -1;
    for (size_t i = 0; i < sizeof weights_files / sizeof *weights_files; i++) {
        strcat(names, i ? ", " : "");
        strcat(names, weights_files[i]);
    }
    name_file(there, sizeof there, path);
    return vb_errorf(err, VB_EMISSING, "%s: a folder without weights: expected one of %s%s", path, names, there);
}

int vb_repository_open(vb_repository *repository, const char *path, vb_error *err) {
    *repository = (vb_repository){0};
    int status = -1;
    if (vb_path_is_folder(path)) status = open_folder(repository, path, err);
    else if ((repository->folder = folder_of(path, err)) && (repository->file = vb_strdup(path, err))) status = 0;
    if (!status)
        status = vb_path_ends_with(repository->file, index_ending) ? read_index(repository, err) :
                                                                     vb_strings_add(&repository->shards, repository->file, err);
    if (status) vb_repository_close(repository);
    return status;
}

void vb_repository_close(vb_repository *repository) {
    vb_free(repository->folder);
    vb_free(repository->file);
    vb_strings_free(&repository->shards);
    json_decref(repository->weight_map);
    *repository = (vb_repository){0};
}

static int add_existing(vb_strings *paths, const char *folder, const char *const *names, size_t count, vb_error *err) {
    for (size_t i = 0; i < count; i++) {
        char *path = vb_path_join(folder, names[i], err);
        if (!path) return -1;
        if (!vb_path_exists(path)) vb_free(path);
        else if (vb_strings_take(paths, path, err)) return -1;
    }
    return 0;
}

int vb_repository_list(vb_strings *paths, const char *path, vb_error *err) {
    vb_repository repository;
    *paths = (vb_strings){0};
    if (!vb_path_exists(path)) return 0;
    if (vb_repository_open(&repository, path, err)) return -1;
    int status = vb_strings_add(paths, repository.file, err);
    for (size_t i = 0; i < repository.shards.count && !status; i++)
        if (repository.weight_map) status = vb_strings_add(paths, repository.shards.items[i], err);
    if (!status) status = add_existing(paths, repository.folder, side_files, sizeof side_files / sizeof *side_files, err);
    if (status) vb_strings_free(paths);
    vb_repository_close(&repository);
    return status;
}
