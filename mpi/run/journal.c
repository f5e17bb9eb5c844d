/* state.json and the markers of pairs that are being made. */
#include "mpi/run/journal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/results/document.h"
#include "mpi/base/json.h"
#include "mpi/run/starts.h"
#include "shards/files/path.h"
#include "shards/files/process.h"
#include "shards/files/writer.h"

static void remove_around(const char *output) {
    vb_error none;
    char *around = vb_journal_around(output, &none);
    if (around) vb_journal_end(around);
    vb_free(around);
}

static void remove_markers(const char *output) {
    vb_error none;
    vb_strings names;
    remove_around(output);
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

/* What an earlier run in this folder left, when this one goes on with it; NULL: none. */
static json_t *read_state(const char *output, const char *digest, bool resume) {
    vb_error none;
    char *path = resume ? vb_format(&none, "%s/state.json", output) : NULL;
    json_t *state = path && vb_path_exists(path) ? vb_json_parse_file(path, &none) : NULL;
    vb_free(path);
    if (!strcmp(vb_json_text(state, "configuration_digest"), digest)) return state;
    json_decref(state);
    return NULL;
}

int vb_journal_open(const vb_experiment *experiment, const vb_dataset_state *datasets, const vb_journal_size *size, bool resume,
                    json_t **starts, vb_error *err) {
    char host[256] = "", digest[40];
    vb_process_stat own;
    *starts = NULL;
    gethostname(host, sizeof host - 1);
    if (vb_document_configuration_digest(experiment->configuration, digest, err)) return -1;
    vb_json json = {0};
    json_t *state = vb_json_object(&json), *earlier = read_state(experiment->output, digest, resume);
    *starts = earlier ? vb_starts_of_state(&json, earlier, experiment->output, false) : vb_json_array(&json);
    json_decref(earlier);
    vb_json_set_text(&json, state, "schema", "vocabench.state/1");
    vb_json_set_text(&json, state, "experiment", experiment->name);
    vb_json_set(&json, state, "configuration", json_incref(experiment->configuration));
    vb_json_set_text(&json, state, "configuration_digest", digest);
    vb_json_set_bool(&json, state, "resume", resume);
    vb_json_set_text(&json, state, "cache", experiment->cache);
    vb_json_set_integer(&json, state, "ranks", size->ranks);
    vb_json_set_integer(&json, state, "nodes", size->nodes);
    vb_json_set_text(&json, state, "host", host);
    vb_json_set_integer(&json, state, "pid", getpid());
    if (vb_process_look(getpid(), &own)) vb_json_set_integer(&json, state, "process_started", own.start);
    vb_json_set_integer(&json, state, "started", time(NULL));
    vb_json_set_real(&json, state, "begun", vb_starts_begun(experiment->output));
    json_t *list = vb_json_set_array(&json, state, "datasets");
    for (int d = 0; d < experiment->dataset_count; d++) {
        vb_dataset_sizes sizes = vb_dataset_state_measure(&datasets[d]);
        if (datasets[d].part_count) sizes.units = 0; /* its units are its datasets' */
        json_t *entry = vb_json_object(&json);
        vb_json_set_text(&json, entry, "name", experiment->datasets[d].name);
        vb_json_set_integer(&json, entry, "images", sizes.images);
        vb_json_set_integer(&json, entry, "units", sizes.units);
        vb_json_append(&json, list, entry);
    }
    if (experiment->only_model) vb_json_set_text(&json, state, "only_model", experiment->only_model);
    if (experiment->only_dataset) vb_json_set_text(&json, state, "only_dataset", experiment->only_dataset);
    if (getenv("SLURM_JOB_ID")) vb_json_set_text(&json, state, "slurm_job", getenv("SLURM_JOB_ID"));
    if (getenv("SLURM_RESTART_COUNT")) vb_json_set_text(&json, state, "restart", getenv("SLURM_RESTART_COUNT"));
    vb_json_set(&json, state, "starts", json_incref(*starts));
    int status = vb_json_end(&json, "state.json", err);
    if (!status) {
        remove_markers(experiment->output);
        status = write_state(experiment, state, err);
    }
    json_decref(state);
    return status;
}

/* Puts a value under a key of the state that was written last. */
static int add_to_state(const vb_experiment *experiment, const char *key, json_t *value, vb_error *err) {
    vb_json json = {0};
    char *path = vb_format(err, "%s/state.json", experiment->output);
    json_t *state = path ? vb_json_parse_file(path, err) : NULL;
    int status = state ? 0 : -1;
    if (state) vb_json_set(&json, state, key, json_incref(value));
    if (!status) status = vb_json_end(&json, "state.json", err);
    if (!status) status = write_state(experiment, state, err);
    json_decref(state);
    vb_free(path);
    return status;
}

int vb_journal_take(const vb_experiment *experiment, json_t *taken, vb_error *err) {
    return add_to_state(experiment, "taken", taken, err);
}

void vb_journal_close(const vb_experiment *experiment, double seconds, int status, const vb_error *err) {
    vb_error none;
    vb_json json = {0};
    remove_around(experiment->output);
    json_t *ended = vb_json_object(&json);
    vb_json_set_integer(&json, ended, "when", time(NULL));
    vb_json_set_real(&json, ended, "seconds", seconds);
    vb_json_set_integer(&json, ended, "code", status ? err->code : 0);
    vb_json_set_text(&json, ended, "error", status ? err->text : "");
    if (!json.failed) add_to_state(experiment, "ended", ended, &none);
    json_decref(ended);
}

char *vb_journal_around(const char *output, vb_error *err) { return vb_format(err, "%s/around", output); }

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

json_t *vb_journal_stages(vb_json *json, const vb_live *live) {
    json_t *list = vb_json_array(json);
    for (int s = 0; s < live->count; s++) {
        const vb_live_stage *stage = &live->stages[s];
        json_t *entry = vb_json_object(json);
        vb_json_set_text(json, entry, "stage", stage->name);
        vb_json_set_text(json, entry, "unit", stage->unit);
        vb_json_set_integer(json, entry, "done", stage->done);
        if (stage->total) vb_json_set_integer(json, entry, "total", stage->total);
        vb_json_set_real(json, entry, "seconds", stage->seconds);
        vb_json_append(json, list, entry);
    }
    return list;
}

void vb_journal_note(const vb_live *live, void *pair_path) {
    vb_error none;
    vb_json json = {0};
    if (!pair_path) return;
    char *path = vb_format(&none, "%s" VB_JOURNAL_MARKER, (const char *)pair_path), *text = NULL;
    json_t *state = vb_json_object(&json);
    const double left = vb_live_seconds_left(live);
    vb_json_set(&json, state, "stages", vb_journal_stages(&json, live));
    vb_json_set_integer(&json, state, "when", time(NULL));
    if (left >= 0) vb_json_set_real(&json, state, "seconds_left", left);
    if (path && !vb_json_end(&json, "a marker", &none)) text = vb_json_dump(state, VB_JSON_LINE, "a marker", &none);
    if (text) vb_writer_write_whole(path, text, strlen(text), &none);
    json_decref(state);
    vb_free(text);
    vb_free(path);
}
