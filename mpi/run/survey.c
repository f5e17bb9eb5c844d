/* The state of a run from the files that it leaves. */
#include "mpi/run/survey.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "kernels/base/strings.h"
#include "mpi/base/json.h"
#include "mpi/base/slurm_job.h"
#include "mpi/base/strbuf.h"
#include "mpi/results/result_folder.h"
#include "mpi/run/journal.h"
#include "mpi/run/starts.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/process.h"

static double changed(const char *path) {
    vb_path_facts facts;
    vb_error none;
    return vb_path_stat(path, &facts, &none) ? 0 : 1e-9 * (double)facts.mtime_ns;
}

/* ---- what became of a run ---- */

/* Of all tasks' jobs at once; NULL: none has one, or Slurm does not say. */
static char *ask_slurm(const vb_survey *all, vb_error *err, int *status) {
    vb_strbuf jobs = {0};
    for (int t = 0; t < all->count; t++) {
        const char *job = vb_json_text(all->tasks[t].state, "slurm_job");
        if (*job) vb_strbuf_format(&jobs, "%s%s", jobs.filled ? "," : "", job);
    }
    *status = vb_strbuf_end(&jobs, "the tasks' jobs", err);
    char *answer = !*status && jobs.filled ? vb_slurm_job_ask(jobs.bytes, all->environment) : NULL;
    vb_strbuf_free(&jobs);
    return answer;
}

/* The number is another process' by now. Earlier versions did not state when theirs had begun. */
static bool is_another(const json_t *state, pid_t pid) {
    const json_t *start = json_object_get(state, "process_started");
    return start && vb_process_is_another(pid, json_integer_value(start));
}

/* slurm: the answer to that question. */
static void find_kind(vb_survey_task *task, const char *slurm) {
    const json_t *ended = json_object_get(task->state, "ended");
    char host[256] = "", word[64] = "";
    gethostname(host, sizeof host - 1);
    const char *job = vb_json_text(task->state, "slurm_job");
    pid_t pid = (pid_t)json_integer_value(json_object_get(task->state, "pid"));
    vb_slurm_job_state(slurm, job, word, sizeof word);
    task->code = (int)json_integer_value(json_object_get(ended, "code"));
    if (!strcmp(word, "PENDING") || !strcmp(word, "REQUEUED")) task->kind = VB_TASK_QUEUED;
    else if (ended) task->kind = VB_TASK_ENDED;
    else if (!strcmp(word, "RUNNING") || !strcmp(word, "COMPLETING")) task->kind = VB_TASK_ALIVE;
    else if (!strcmp(host, vb_json_text(task->state, "host")))
        task->kind = pid > 1 && !vb_process_is_gone(pid) && !is_another(task->state, pid) ? VB_TASK_ALIVE : VB_TASK_GONE;
    else task->kind = *job ? VB_TASK_GONE : VB_TASK_UNSEEN;
}

/* ---- what an earlier start left ---- */

static bool ended_well(const vb_survey_task *task) { return task->kind == VB_TASK_ENDED && !task->code; }

/* What cannot be read as results is none: of what is wrong with it `verify` tells. */
static int find_earlier(vb_survey_results *earlier, const char *folder, const json_t *state, vb_error *err) {
    vb_result_folder results;
    vb_error why;
    vb_error_clear(&why);
    int status = vb_result_folder_open(&results, folder, &why);
    if (!status) {
        const json_t *document = results.document;
        earlier->pairs = (int64_t)json_array_size(json_object_get(document, "results"));
        earlier->other = strcmp(vb_json_text(document, "configuration_digest"), vb_json_text(state, "configuration_digest")) != 0;
        earlier->started = vb_strdup(vb_json_text(json_object_get(document, "run"), "started"), err);
        earlier->folder = vb_strdup(folder, err);
        if (!earlier->started || !earlier->folder) status = -1;
    } else if (why.code == VB_EMEMORY) *err = why;
    else status = 0;
    vb_result_folder_close(&results);
    return status;
}

static void free_earlier(vb_survey_results *earlier) {
    vb_free(earlier->folder);
    vb_free(earlier->started);
}

/* ---- reading ---- */

static int read_state(vb_survey *all, const char *folder, vb_error *err) {
    char *path = vb_format(err, "%s/state.json", folder);
    int status = path ? 0 : -1;
    uint8_t *bytes = NULL;
    size_t n;
    if (!path || !vb_path_exists(path)) goto done;
    if ((status = vb_file_read_whole(path, (size_t)1 << 28, &bytes, &n, err))) goto done;
    json_error_t where;
    json_t *state = vb_json_parse_bare((const char *)bytes, n, 0, &where, err);
    if (!state || strcmp(vb_json_text(state, "schema"), "vocabench.state/1")) {
        status = state ? vb_errorf(err, VB_EDATA, "%s: expected the schema vocabench.state/1", path) :
                         vb_error_prefix(err, "%s: expected the schema vocabench.state/1", path);
        json_decref(state);
        goto done;
    }
    vb_survey_task *added = &all->tasks[all->count];
    if (!(added->folder = vb_strdup(folder, err))) status = -1;
    added->state = state;
    added->started = (double)json_integer_value(json_object_get(state, "started"));
    all->count++;
    const json_t *first = all->tasks[0].state;
    if (!status && strcmp(vb_json_text(first, "configuration_digest"), vb_json_text(state, "configuration_digest")))
        status = vb_errorf(err, VB_EMISMATCH, "%s: a run of another configuration than that of %s/state.json", path,
                           all->tasks[0].folder);
done:
    vb_free(bytes);
    vb_free(path);
    return status;
}

/* What became of the task. */
static int look_at_task(vb_survey_task *task, const char *slurm, vb_error *err) {
    vb_error none;
    find_kind(task, slurm);
    const bool alive = task->kind == VB_TASK_ALIVE;
    char *around = vb_journal_around(task->folder, &none),
         *marker = around ? vb_format(&none, "%s" VB_JOURNAL_MARKER, around) : NULL;
    if (marker && alive && vb_path_exists(marker)) task->around = vb_json_parse_file(marker, &none);
    vb_free(around);
    vb_free(marker);
    vb_json json = {0};
    task->starts = vb_starts_of_state(&json, task->state, task->folder, alive || task->kind == VB_TASK_UNSEEN);
    if (vb_json_end(&json, "the starts", err)) return -1;
    return ended_well(task) ? 0 : find_earlier(&task->earlier, task->folder, task->state, err);
}

static int read_tasks(vb_survey *all, const char *folder, vb_error *err) {
    char *array = vb_format(err, "%s/array", folder);
    vb_strings names = {0};
    int status = array ? 0 : -1;
    if (!status && vb_path_is_folder(array)) status = vb_path_list_folder(&names, array, err);
    if (!status && !(all->tasks = vb_array(names.count + 1, sizeof *all->tasks, "tasks", err))) status = -1;
    if (!status) status = read_state(all, folder, err);
    for (size_t i = 0; i < names.count && !status; i++) {
        char *task = vb_format(err, "%s/%s", array, names.items[i]);
        status = task ? read_state(all, task, err) : -1;
        vb_free(task);
    }
    char *slurm = status ? NULL : ask_slurm(all, err, &status);
    for (int t = 0; t < all->count && !status; t++) status = look_at_task(&all->tasks[t], slurm, err);
    vb_free(slurm);
    bool well = true;
    for (int t = 0; t < all->count; t++) well = well && ended_well(&all->tasks[t]);
    if (!status && all->count && !well && strcmp(all->tasks[0].folder, folder))
        status = find_earlier(&all->merged, folder, all->tasks[0].state, err);
    vb_strings_free(&names);
    vb_free(array);
    if (!status && !all->count)
        status = vb_errorf(err, VB_EMISSING, "%s: no state.json: nothing has been run with this output folder yet", folder);
    return status;
}

/* ---- pairs ---- */

static double images_of(const vb_survey_task *task, const char *dataset) {
    size_t i;
    json_t *data;
    json_array_foreach(json_object_get(task->state, "datasets"), i, data) if (!strcmp(vb_json_text(data, "name"), dataset)) {
        json_int_t images = json_integer_value(json_object_get(data, "images"));
        return images > 0 ? (double)images : 1;
    }
    return 1;
}

/* What the pair's marker says, if anything yet. */
static void read_marker(vb_survey *all, int p, vb_survey_task *task, const char *marker) {
    vb_error none;
    json_t *said = vb_json_parse_file(marker, &none);
    const json_t *left = json_object_get(said, "seconds_left");
    const double when = (double)vb_json_integer(said, "when");
    if (!json_is_object(said)) {
        json_decref(said);
        return;
    }
    json_decref(all->progress[p]);
    all->progress[p] = said;
    if (!json_is_number(left) || when <= task->told_at) return;
    task->told = json_number_value(left);
    task->told_at = when;
}

/* Whether the last start has taken the pair's earlier result as it is. */
static bool is_taken(const vb_survey_task *task, const vb_pair_name *pair) {
    const json_t *list = json_object_get(task->state, "taken");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *taken = json_array_get(list, i);
        if (!strcmp(vb_json_text(taken, "model"), pair->model) && !strcmp(vb_json_text(taken, "dataset"), pair->dataset))
            return true;
    }
    return false;
}

static int look_at_pair(vb_survey *all, int p, vb_survey_task *task, vb_error *err) {
    const vb_pair_name *pair = &all->pairs[p];
    char *path = vb_document_pair_path(task->folder, "pairs", pair->model, pair->dataset, ".json", err),
         *marker = path ? vb_format(err, "%s" VB_JOURNAL_MARKER, path) : NULL;
    int status = marker ? 0 : -1;
    if (!status) {
        double images = images_of(task, pair->dataset), when = changed(path);
        bool fresh = when + 1 >= task->started;
        vb_pair_state state = VB_PAIR_TO_DO;
        if (vb_path_exists(marker)) {
            if (task->kind == VB_TASK_ALIVE || task->kind == VB_TASK_UNSEEN) state = VB_PAIR_RUNNING;
            if (state == VB_PAIR_RUNNING) read_marker(all, p, task, marker);
            if (task->kind == VB_TASK_ENDED && task->code && task->code != VB_EINCOMPLETE) state = VB_PAIR_FAILED;
        } else if (when > 0 && (fresh || is_taken(task, pair))) state = VB_PAIR_DONE;
        if (state != VB_PAIR_DONE && when > 0) all->earlier[p] = true;
        if (state != VB_PAIR_DONE) task->left += images;
        else if (fresh) {
            task->done += images;
            if (when > task->last) task->last = when;
        }
        if (all->states[p] == VB_PAIR_TO_DO || state == VB_PAIR_DONE) all->states[p] = state;
    }
    vb_free(path);
    vb_free(marker);
    return status;
}

/* ---- the cache ---- */

/* Files of encoded units in one folder of the cache. What was seen of images lies beside theirs. */
static int count_units(vb_survey *all, const char *folder, vb_error *err) {
    vb_strings names;
    vb_error none;
    int status = 0;
    char *seen = vb_format(err, "%s/seen", folder);
    if (!seen) return -1;
    long long *count = vb_path_is_folder(seen) ? &all->cache.units : &all->cache.others;
    vb_free(seen);
    if (!vb_path_is_folder(folder) || vb_path_list_folder(&names, folder, &none)) return 0;
    for (size_t i = 0; i < names.count && !status; i++) {
        vb_path_facts facts;
        if (!vb_path_ends_with(names.items[i], ".npy")) continue;
        char *path = vb_format(err, "%s/%s", folder, names.items[i]);
        if (!path) status = -1;
        if (path && !vb_path_stat(path, &facts, &none)) all->cache.bytes += (double)facts.size;
        ++*count;
        vb_free(path);
    }
    vb_strings_free(&names);
    return status;
}

static int count_cache(vb_survey *all, vb_error *err) {
    const json_t *state = all->tasks[0].state;
    const char *cache = vb_json_text(state, "cache");
    vb_strings keys;
    vb_error none;
    int status = 0;
    if (!vb_path_is_folder(cache) || vb_path_list_folder(&keys, cache, &none)) return 0;
    all->cache.folder = cache;
    for (size_t k = 0; k < keys.count && !status; k++) {
        char *folder = vb_format(err, "%s/%s", cache, keys.items[k]);
        status = folder ? count_units(all, folder, err) : -1;
        vb_free(folder);
    }
    vb_strings_free(&keys);
    size_t m, d;
    json_t *model, *data;
    json_array_foreach(json_object_get(json_object_get(state, "configuration"), "models"), m, model) {
        if (!strcmp(vb_json_text(model, "family"), "precomputed")) continue;
        json_array_foreach(json_object_get(state, "datasets"), d, data) {
            all->cache.expected += json_integer_value(json_object_get(data, "units"));
        }
    }
    return status;
}

/* ---- the whole ---- */

static int look_at_pairs(vb_survey *all, vb_error *err) {
    for (int p = 0; p < all->pair_count; p++) {
        bool owned = false;
        for (int t = 0; t < all->count; t++) {
            const char *only = vb_json_text(all->tasks[t].state, "only_model");
            const char *data = vb_json_text(all->tasks[t].state, "only_dataset");
            if ((*only && strcmp(only, all->pairs[p].model)) || (*data && strcmp(data, all->pairs[p].dataset))) continue;
            owned = true;
            if (look_at_pair(all, p, &all->tasks[t], err)) return -1;
        }
        all->counts[all->states[p]]++;
        if (!owned) all->unowned += images_of(&all->tasks[0], all->pairs[p].dataset);
    }
    return 0;
}

int vb_survey_open(vb_survey *all, const char *folder, char *const *environment, vb_error *err) {
    *all = (vb_survey){.environment = environment};
    if (read_tasks(all, folder, err)) return -1;
    const json_t *state = all->tasks[0].state;
    if (vb_document_configured_pairs(json_object_get(state, "configuration"), &all->pairs, &all->pair_count, err)) return -1;
    if (!(all->states = vb_array((size_t)all->pair_count, sizeof *all->states, "pairs", err))) return -1;
    if (!(all->earlier = vb_array((size_t)all->pair_count, sizeof *all->earlier, "pairs", err))) return -1;
    if (!(all->progress = vb_array((size_t)all->pair_count, sizeof(json_t *), "pairs", err))) return -1;
    return (look_at_pairs(all, err) || count_cache(all, err)) ? -1 : 0;
}

void vb_survey_close(vb_survey *all) {
    for (int t = 0; all->tasks && t < all->count; t++) {
        vb_free(all->tasks[t].folder);
        json_decref(all->tasks[t].state);
        json_decref(all->tasks[t].starts);
        json_decref(all->tasks[t].around);
        free_earlier(&all->tasks[t].earlier);
    }
    vb_free(all->tasks);
    for (int p = 0; all->progress && p < all->pair_count; p++) json_decref(all->progress[p]);
    vb_free(all->pairs);
    vb_free(all->states);
    vb_free(all->earlier);
    free_earlier(&all->merged);
    vb_free(all->progress);
    *all = (vb_survey){0};
}

/* Images a second of a task since it started; 0: not known yet. */
static double rate_of(const vb_survey_task *task) {
    return task->done > 0 && task->last > task->started ? task->done / (task->last - task->started) : 0;
}

double vb_survey_seconds_left(const vb_survey *all, bool *waiting) {
    double longest = 0, now = (double)time(NULL), rate = 0;
    int rates = 0;
    *waiting = false;
    for (int t = 0; t < all->count; t++) {
        rate += rate_of(&all->tasks[t]);
        rates += rate_of(&all->tasks[t]) > 0;
    }
    for (int t = 0; t < all->count; t++) {
        const vb_survey_task *task = &all->tasks[t];
        if (task->left <= 0) continue;
        double own = rate_of(task);
        bool alive = task->kind == VB_TASK_ALIVE || task->kind == VB_TASK_UNSEEN, tells = alive && task->told_at > 0;
        if (!tells && own <= 0 && !rates) return -1;
        if (tells && task->told - (now - task->told_at) > longest) longest = task->told - (now - task->told_at);
        if (tells) continue;
        double left = task->left / (own > 0 ? own : rate / rates);
        if (alive) left -= now - (own > 0 ? task->last : task->started);
        if (left > longest) longest = left;
        *waiting |= !alive;
    }
    if (all->unowned > 0 && !rates) return -1;
    if (all->unowned > 0 && all->unowned / rate > longest) longest = all->unowned / rate;
    return longest;
}
