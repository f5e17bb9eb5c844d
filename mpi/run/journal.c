/* state.json and the markers of pairs that are being made. */
#include "mpi/run/journal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/results/document.h"
#include "mpi/base/json.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

static void remove_markers(const char *output) {
    vb_error none;
    vb_strings names;
    char *folder = vb_format(&none, "%s/pairs", output);
    if (folder && !vb_path_list_folder(&names, folder, &none)) {
        for (size_t i = 0; i < names.count; i++) {
            if (!vb_path_ends_with(names.items[i], VB_JOURNAL_MARKER)) continue;
            char *path = vb_format(&none, "%s/%s", folder, names.items[i]);
            if (path) unlink(path);
            vb_free(path);
        }
        vb_strings_free(&names);
    }
    vb_free(folder);
}

static int write_state(const vb_experiment *experiment, const json_t *state, vb_error *err) {
    char *path = vb_format(err, "%s/state.json", experiment->output);
    int status = path ? vb_json_write(state, path, err) : -1;
    vb_free(path);
    return status;
}

int vb_journal_open(const vb_experiment *experiment, const vb_dataset_state *datasets, int ranks, bool resume, vb_error *err) {
    char host[256] = "", digest[40];
    gethostname(host, sizeof host - 1);
    if (vb_document_configuration_digest(experiment->configuration, digest, err)) return -1;
    json_t *list = json_array(),
           *state = json_pack("{s:s, s:s, s:O, s:s, s:b, s:s, s:i, s:s, s:I, s:I}", "schema", "vocabench.state/1", "experiment",
                              experiment->name, "configuration", experiment->configuration, "configuration_digest", digest,
                              "resume", resume, "cache", experiment->cache, "ranks", ranks, "host", host, "pid",
                              (json_int_t)getpid(), "started", (json_int_t)time(NULL));
    for (int d = 0; d < experiment->dataset_count; d++) {
        vb_dataset_sizes sizes = vb_dataset_state_measure(&datasets[d]);
        if (datasets[d].part_count) sizes.units = 0; /* its units are its datasets' */
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", experiment->datasets[d].name, "images",
                                              (json_int_t)sizes.images, "units", (json_int_t)sizes.units));
    }
    int status = state && list ? 0 : vb_errorf(err, VB_EMEMORY, "no memory for state.json");
    if (!status) {
        json_object_set(state, "datasets", list);
        if (experiment->only_model) json_object_set_new(state, "only_model", json_string(experiment->only_model));
        if (getenv("SLURM_JOB_ID")) json_object_set_new(state, "slurm_job", json_string(getenv("SLURM_JOB_ID")));
        remove_markers(experiment->output);
        status = write_state(experiment, state, err);
    }
    json_decref(list);
    json_decref(state);
    return status;
}

void vb_journal_close(const vb_experiment *experiment, int status, const vb_error *err) {
    vb_error none;
    char *path = vb_format(&none, "%s/state.json", experiment->output);
    json_t *state = path ? json_load_file(path, 0, NULL) : NULL;
    if (state) {
        json_object_set_new(state, "ended",
                            json_pack("{s:I, s:i, s:s}", "when", (json_int_t)time(NULL), "code", status ? err->code : 0, "error",
                                      status ? err->text : ""));
        write_state(experiment, state, &none);
    }
    json_decref(state);
    vb_free(path);
}

int vb_journal_begin(const char *pair_path, vb_error *err) {
    char *path = vb_format(err, "%s" VB_JOURNAL_MARKER, pair_path);
    int status = path ? vb_writer_write_whole(path, "", 0, err) : -1;
    vb_free(path);
    return status;
}

void vb_journal_end(const char *pair_path) {
    vb_error none;
    char *path = vb_format(&none, "%s" VB_JOURNAL_MARKER, pair_path);
    if (path) unlink(path);
    vb_free(path);
}
