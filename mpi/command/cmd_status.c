/* `vocabench status DIR`: what of a run, or of the tasks of an array, is done, running, failed and to do, and the time left. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/command/cmd.h"
#include "mpi/results/document.h"
#include "mpi/run/journal.h"
#include "mpi/base/spawn.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

const vb_flag vb_cmd_status_flags[] = {
    {0},
};

const char vb_cmd_status_details[] = "DIR is the output folder of `run` or `submit`. The time left is reckoned from the images a "
                                     "second of the pairs that this run has\n"
                                     "finished, all models taken alike, and of the slowest task of an array.";

enum { MODEL = 24, DATASET = 20 };

typedef enum run_kind { RUN_ENDED, RUN_ALIVE, RUN_QUEUED, RUN_UNSEEN, RUN_GONE } run_kind;
typedef enum pair_state { PAIR_TO_DO, PAIR_DONE, PAIR_RUNNING, PAIR_FAILED } pair_state;
static const char *const state_names[] = {"to do", "done", "running", "failed"};

/* A folder with a state.json: the run itself, or a task of the array. */
typedef struct run_task {
    char *folder;
    json_t *state;
    run_kind kind;
    int code;             /* of a run that has ended */
    double started, last; /* Unix seconds; the last pair finished since then */
    double done, left;    /* images of pairs that it finished since it started, and of those still to do */
} run_task;

typedef struct survey {
    const vb_context *context;
    run_task *tasks;
    int count;
    vb_pair_name *pairs;
    pair_state *states;
    int pair_count;
    double unowned; /* images of pairs whose task has not started */
} survey;

static double changed(const char *path) {
    struct stat info;
    return stat(path, &info) ? 0 : (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
}

/* ---- what became of a run ---- */

/* The job's state in Slurm's words, "" when Slurm does not know it (any more). */
static void ask_slurm(const survey *all, const char *job, char *word, size_t size) {
    const char *argv[] = {"squeue", "-h", "-j", job, "-o", "%T", NULL};
    char *answer;
    vb_error none;
    word[0] = 0;
    if (vb_spawn(argv, all->context->environment, &answer, &none)) return;
    snprintf(word, size, "%.*s", (int)strcspn(answer, "\n"), answer);
    vb_free(answer);
}

static void find_kind(const survey *all, run_task *task) {
    const json_t *ended = json_object_get(task->state, "ended");
    char host[256] = "", word[64] = "";
    gethostname(host, sizeof host - 1);
    const char *job = vb_json_text(task->state, "slurm_job");
    pid_t pid = (pid_t)json_integer_value(json_object_get(task->state, "pid"));
    if (*job) ask_slurm(all, job, word, sizeof word);
    task->code = (int)json_integer_value(json_object_get(ended, "code"));
    if (!strcmp(word, "PENDING") || !strcmp(word, "REQUEUED")) task->kind = RUN_QUEUED;
    else if (ended) task->kind = RUN_ENDED;
    else if (!strcmp(word, "RUNNING") || !strcmp(word, "COMPLETING")) task->kind = RUN_ALIVE;
    else if (!strcmp(host, vb_json_text(task->state, "host")))
        task->kind = pid > 1 && (!kill(pid, 0) || errno == EPERM) ? RUN_ALIVE : RUN_GONE;
    else task->kind = *job ? RUN_GONE : RUN_UNSEEN;
}

static void print_task(const run_task *task) {
    const char *model = vb_json_text(task->state, "only_model"), *job = vb_json_text(task->state, "slurm_job");
    printf("  %s%s%s%s%s%s: ", task->folder, *model ? " (" : "", model, *model ? ")" : "", *job ? ", job " : "", job);
    const char *host = vb_json_text(task->state, "host");
    switch (task->kind) {
    case RUN_ALIVE: printf("running on %s\n", host); break;
    case RUN_QUEUED: printf("waiting in Slurm's queue to go on\n"); break;
    case RUN_UNSEEN: printf("started on %s and has not ended, as far as one can see from here\n", host); break;
    case RUN_GONE: printf("was lost without a word (killed?): run the same command again to go on\n"); break;
    case RUN_ENDED:
        if (!task->code) printf("done\n");
        else if (task->code == VB_EINCOMPLETE) printf("stopped: run the same command again to go on\n");
        else printf("failed with code %d: %s\n", task->code, vb_json_text(json_object_get(task->state, "ended"), "error"));
        break;
    }
}

/* ---- reading ---- */

static int add_task(survey *all, const char *folder, vb_error *err) {
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
    run_task *added = &all->tasks[all->count];
    if (!(added->folder = vb_strdup(folder, err))) status = -1;
    added->state = state;
    added->started = (double)json_integer_value(json_object_get(state, "started"));
    find_kind(all, added);
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

static int read_tasks(survey *all, const char *folder, vb_error *err) {
    char *array = vb_format(err, "%s/array", folder);
    vb_strings names = {0};
    int status = array ? 0 : -1;
    vb_error none;
    if (!status && vb_path_is_folder(array) && vb_path_list_folder(&names, array, &none)) names = (vb_strings){0};
    if (!status && !(all->tasks = vb_array(names.count + 1, sizeof *all->tasks, "tasks", err))) status = -1;
    if (!status) status = add_task(all, folder, err);
    for (size_t i = 0; i < names.count && !status; i++) {
        char *task = vb_format(err, "%s/%s", array, names.items[i]);
        status = task ? add_task(all, task, err) : -1;
        vb_free(task);
    }
    vb_strings_free(&names);
    vb_free(array);
    if (!status && !all->count)
        status = vb_errorf(err, VB_EMISSING, "%s: no state.json: nothing has been run with this output folder yet", folder);
    return status;
}

/* ---- pairs ---- */

static double images_of(const run_task *task, const char *dataset) {
    size_t i;
    json_t *data;
    json_array_foreach(json_object_get(task->state, "datasets"), i, data) if (!strcmp(vb_json_text(data, "name"), dataset)) {
        json_int_t images = json_integer_value(json_object_get(data, "images"));
        return images > 0 ? (double)images : 1;
    }
    return 1;
}

static int look_at_pair(survey *all, int p, run_task *task, vb_error *err) {
    const vb_pair_name *pair = &all->pairs[p];
    char *path = vb_document_pair_path(task->folder, "pairs", pair->model, pair->dataset, ".json", err),
         *marker = path ? vb_format(err, "%s" VB_JOURNAL_MARKER, path) : NULL;
    int status = marker ? 0 : -1;
    if (!status) {
        double images = images_of(task, pair->dataset), when = changed(path);
        bool fresh = when + 1 >= task->started, resumes = json_is_true(json_object_get(task->state, "resume"));
        pair_state state = PAIR_TO_DO;
        if (vb_path_exists(marker)) {
            if (task->kind == RUN_ALIVE || task->kind == RUN_UNSEEN) state = PAIR_RUNNING;
            if (task->kind == RUN_ENDED && task->code && task->code != VB_EINCOMPLETE) state = PAIR_FAILED;
        } else if (when > 0 && (fresh || resumes)) state = PAIR_DONE;
        if (state != PAIR_DONE) task->left += images;
        else if (fresh) {
            task->done += images;
            if (when > task->last) task->last = when;
        }
        if (all->states[p] == PAIR_TO_DO || state == PAIR_DONE) all->states[p] = state;
    }
    vb_free(path);
    vb_free(marker);
    return status;
}

/* ---- the cache ---- */

static int count_cache(const survey *all, vb_error *err) {
    const json_t *state = all->tasks[0].state;
    const char *cache = vb_json_text(state, "cache");
    vb_strings keys, names;
    vb_error none;
    long long units = 0, expected = 0;
    double bytes = 0;
    if (!vb_path_is_folder(cache) || vb_path_list_folder(&keys, cache, &none)) return 0;
    int status = 0;
    for (size_t k = 0; k < keys.count && !status; k++) {
        char *folder = vb_format(err, "%s/%s", cache, keys.items[k]);
        if (!folder) status = -1;
        if (folder && vb_path_is_folder(folder) && !vb_path_list_folder(&names, folder, &none)) {
            for (size_t i = 0; i < names.count && !status; i++) {
                struct stat info;
                if (!vb_path_ends_with(names.items[i], ".npy")) continue;
                char *path = vb_format(err, "%s/%s", folder, names.items[i]);
                if (!path) status = -1;
                if (path && !stat(path, &info)) bytes += (double)info.st_size;
                units++;
                vb_free(path);
            }
            vb_strings_free(&names);
        }
        vb_free(folder);
    }
    vb_strings_free(&keys);
    size_t m, d;
    json_t *model, *data;
    json_array_foreach(json_object_get(json_object_get(state, "configuration"), "models"), m, model) {
        if (!strcmp(vb_json_text(model, "family"), "precomputed")) continue;
        json_array_foreach(json_object_get(state, "datasets"), d, data) expected +=
            json_integer_value(json_object_get(data, "units"));
    }
    printf("cache %s: %lld file(s), %.1f MB; the images of this experiment make %lld unit(s)\n", cache, units, 1e-6 * bytes,
           expected);
    return status;
}

/* ---- the report ---- */

static void print_left(const survey *all) {
    double longest = 0, now = (double)time(NULL), rate = 0;
    int rates = 0, waiting = 0;
    for (int t = 0; t < all->count; t++) {
        const run_task *task = &all->tasks[t];
        if (task->done <= 0 || task->last <= task->started) continue;
        rate += task->done / (task->last - task->started);
        rates++;
    }
    for (int t = 0; t < all->count; t++) {
        const run_task *task = &all->tasks[t];
        if (task->left <= 0) continue;
        bool own = task->done > 0 && task->last > task->started, alive = task->kind == RUN_ALIVE || task->kind == RUN_UNSEEN;
        if (!own && !rates) {
            printf("time left: not known before a pair is finished\n");
            return;
        }
        double left = task->left / (own ? task->done / (task->last - task->started) : rate / rates);
        if (alive) left -= now - (own ? task->last : task->started);
        if (left < 0) left = 0;
        if (left > longest) longest = left;
        waiting += !alive;
    }
    if (all->unowned > 0 && rates && all->unowned / rate > longest) longest = all->unowned / rate;
    if (all->unowned > 0 && !rates) {
        printf("time left: not known before a pair is finished\n");
        return;
    }
    if (longest < 120) printf("time left: about %.0f s", longest);
    else if (longest < 7200) printf("time left: about %.0f min", longest / 60);
    else printf("time left: about %.1f h", longest / 3600);
    printf("%s\n", waiting ? " of running" : "");
}

static int report(survey *all, const char *folder, vb_error *err) {
    if (read_tasks(all, folder, err)) return -1;
    const json_t *state = all->tasks[0].state;
    if (vb_document_configured_pairs(json_object_get(state, "configuration"), &all->pairs, &all->pair_count, err)) return -1;
    if (!(all->states = vb_array((size_t)all->pair_count, sizeof *all->states, "pairs", err))) return -1;
    int counts[4] = {0};
    for (int p = 0; p < all->pair_count; p++) {
        bool owned = false;
        for (int t = 0; t < all->count; t++) {
            const char *only = vb_json_text(all->tasks[t].state, "only_model");
            if (*only && strcmp(only, all->pairs[p].model)) continue;
            owned = true;
            if (look_at_pair(all, p, &all->tasks[t], err)) return -1;
        }
        counts[all->states[p]]++;
        if (!owned) all->unowned += images_of(&all->tasks[0], all->pairs[p].dataset);
    }
    printf("experiment %s: %d pair(s): %d done, %d running, %d failed, %d to do\n", vb_json_text(state, "experiment"),
           all->pair_count, counts[PAIR_DONE], counts[PAIR_RUNNING], counts[PAIR_FAILED], counts[PAIR_TO_DO]);
    for (int t = 0; t < all->count; t++) print_task(&all->tasks[t]);
    for (int p = 0; p < all->pair_count; p++)
        printf("  %-*s %-*s %s\n", MODEL, all->pairs[p].model, DATASET, all->pairs[p].dataset, state_names[all->states[p]]);
    if (count_cache(all, err)) return -1;
    if (counts[PAIR_DONE] < all->pair_count) print_left(all);
    return 0;
}

int vb_cmd_status(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    survey all = {.context = context};
    int status = context->comm.rank ? 0 : report(&all, arguments->positional[0], err);
    for (int t = 0; all.tasks && t < all.count; t++) {
        vb_free(all.tasks[t].folder);
        json_decref(all.tasks[t].state);
    }
    vb_free(all.tasks);
    vb_free(all.pairs);
    vb_free(all.states);
    return vb_comm_agree(&context->comm, status, err);
}
