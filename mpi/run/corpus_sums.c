/* Corpora as lists of files. */
#include "mpi/run/corpus_sums.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/strbuf.h"
#include "shards/files/path.h"

bool vb_corpus_sums_wanted(const vb_experiment *experiment, int corpus) {
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, &experiment->models[m]);
        if (!experiment->models[m].left_out && retrieval &&
            vb_experiment_find_corpus(experiment, retrieval->corpus) == &experiment->corpora[corpus])
            return true;
    }
    return false;
}

/* ---- the files ---- */

/* A pattern that nothing fits is no error: others tell it. A folder that is there and cannot be listed is one: a list without its
 * files would be that of another corpus. */
static int list_files(vb_strings *files, const char *path, int depth, vb_error *err) {
    vb_strings found = {0};
    vb_error why;
    const bool folder = vb_path_is_folder(path);
    int status = 0;
    if (folder ? vb_path_list_folder(&found, path, &why) : vb_path_glob(&found, path, &why)) {
        if (!folder && why.code != VB_EMEMORY) return 0;
        *err = why;
        return -1;
    }
    for (size_t i = 0; i < found.count && !status; i++) {
        if (folder && !strcmp(found.items[i], "lost+found")) continue; /* the filesystem's, which its owner alone may read */
        char *own = folder ? vb_path_join(path, found.items[i], err) : vb_strdup(found.items[i], err);
        if (!own) status = -1;
        else if (!vb_path_is_folder(own)) status = vb_strings_add(files, own, err);
        else if (depth > 0) status = list_files(files, own, depth - 1, err);
        vb_free(own);
    }
    vb_strings_free(&found);
    return status;
}

int vb_corpus_sums_files(vb_strings *files, const char *path, vb_error *err) { return list_files(files, path, 1, err); }

/* Drops those of the files from `first` on that stand before it already: captions inside of the embeddings' folder. */
static void drop_listed(vb_strings *files, size_t first) {
    size_t kept = first;
    for (size_t i = first; i < files->count; i++) {
        size_t same = 0;
        while (same < first && strcmp(files->items[same], files->items[i])) same++;
        if (same < first) vb_free(files->items[i]);
        else files->items[kept++] = files->items[i];
    }
    files->count = kept;
}

int vb_corpus_sums_open(vb_corpus_sums *sums, const vb_corpus_spec *corpus, vb_sha256_job *job, vb_error *err) {
    const char *const paths[] = {corpus->images, corpus->embeddings, corpus->captions, corpus->text_embeddings};
    *sums = (vb_corpus_sums){0};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const size_t first = sums->files.count;
        if (paths[i] && vb_corpus_sums_files(&sums->files, paths[i], err)) return -1;
        if (sums->files.count <= VB_CORPUS_SUMS_FILES) drop_listed(&sums->files, first);
    }
    if (!(sums->sizes = vb_array(sums->files.count + 1, sizeof *sums->sizes, "files of a corpus", err))) return -1;
    for (size_t i = 0; i < sums->files.count; i++) {
        vb_path_facts facts;
        vb_error none;
        sums->sizes[i] = vb_path_stat(sums->files.items[i], &facts, &none) ? 0 : (int64_t)facts.size;
        sums->bytes += sums->sizes[i];
    }
    if (sums->bytes > VB_CORPUS_SUMS_BYTES || sums->files.count > VB_CORPUS_SUMS_FILES) return 0;
    if (!(sums->index = vb_array(sums->files.count + 1, sizeof *sums->index, "files of a corpus", err))) return -1;
    for (size_t i = 0; i < sums->files.count; i++)
        if (vb_sha256_job_add(job, sums->files.items[i], &sums->index[i], err)) return -1;
    return 0;
}

void vb_corpus_sums_close(vb_corpus_sums *sums) {
    vb_strings_free(&sums->files);
    vb_free(sums->sizes);
    vb_free(sums->index);
    *sums = (vb_corpus_sums){0};
}

/* ---- the sums ---- */

/* As sha256sum writes it: a name with a backslash or a line break has a backslash before the line, and in it their escapes. */
static void add_line(vb_strbuf *lines, const char *sum, const char *name) {
    const bool escaped = strpbrk(name, "\\\n\r") != NULL;
    vb_strbuf_format(lines, "%s%s  ", escaped ? "\\" : "", sum);
    for (; *name; name++) {
        if (*name == '\\') vb_strbuf_add(lines, "\\\\");
        else if (*name == '\n') vb_strbuf_add(lines, "\\n");
        else if (*name == '\r') vb_strbuf_add(lines, "\\r");
        else vb_strbuf_add_n(lines, name, 1);
    }
    vb_strbuf_add(lines, "\n");
}

int vb_corpus_sums_of_list(vb_sha256 *sum, const json_t *list, vb_error *err) {
    vb_strbuf lines = {0};
    const json_t *file;
    size_t i;
    bool whole = json_array_size(list) > 0;
    *sum = (vb_sha256){""};
    json_array_foreach((json_t *)(uintptr_t)list, i, file) {
        const char *own = vb_json_text(file, "sha256");
        whole = whole && *own;
        add_line(&lines, own, vb_path_base_name(vb_json_text(file, "path")));
    }
    const int status = vb_strbuf_end(&lines, "the files of a corpus", err);
    if (!status && whole) *sum = vb_sha256_bytes(lines.bytes, lines.filled);
    vb_strbuf_free(&lines);
    return status;
}

static json_t *list_of(const vb_corpus_sums *sums, const vb_sha256_job *job, vb_json *json) {
    json_t *list = vb_json_array(json);
    for (size_t i = 0; i < sums->files.count; i++) {
        const char *sum = sums->index ? vb_sha256_job_file(job, sums->index[i])->sum.hex : "";
        vb_error none;
        char *path = vb_path_absolute(sums->files.items[i], &none);
        json_t *file = vb_json_object(json);
        json->failed = json->failed || !path;
        vb_json_set(json, file, "path", vb_json_text_value(json, path));
        vb_json_set_integer(json, file, "bytes", sums->sizes[i]);
        vb_json_set(json, file, "sha256", vb_json_text_value(json, *sum ? sum : NULL));
        vb_json_append(json, list, file);
        vb_free(path);
    }
    return list;
}

json_t *vb_corpus_sums_entry(const vb_corpus_sums *sums, const char *name, const vb_sha256_job *job, vb_json *json) {
    json_t *list = sums->files.count > VB_CORPUS_SUMS_FILES ? json_null() : list_of(sums, job, json),
           *entry = vb_json_object(json);
    vb_sha256 all;
    vb_error none;
    if (vb_corpus_sums_of_list(&all, list, &none)) json->failed = true;
    vb_json_set_text(json, entry, "corpus", name);
    vb_json_set_integer(json, entry, "files", (int64_t)sums->files.count);
    vb_json_set_integer(json, entry, "bytes", sums->bytes);
    vb_json_set(json, entry, "sha256", vb_json_text_value(json, *all.hex ? all.hex : NULL));
    vb_json_set(json, entry, "list", list);
    return entry;
}
