/* Tasks of job arrays, and which of them are to be tried again. */
#include "mpi/cluster/job_tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/spawn.h"
#include "mpi/base/strbuf.h"
#include "mpi/results/document.h"
#include "mpi/run/schedule.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

int vb_job_tasks_list(vb_job_tasks *tasks, const vb_experiment *experiment, bool by_pair, vb_error *err) {
    vb_schedule schedule = {0};
    *tasks = (vb_job_tasks){0};
    int status = vb_schedule_list(&schedule, experiment, err);
    if (!status && !(tasks->items = vb_array((size_t)schedule.count + 1, sizeof *tasks->items, "tasks", err))) status = -1;
    for (int u = 0; u < schedule.count && !status; u++) {
        const vb_pair_unit *unit = &schedule.units[u];
        if (!by_pair && u && unit->model == schedule.units[u - 1].model) continue;
        tasks->items[tasks->count++] = (vb_job_task){.model = experiment->models[unit->model].name,
                                                     .dataset = by_pair ? experiment->datasets[unit->dataset].name : NULL,
                                                     .wanted = true};
    }
    tasks->wanted = tasks->part = tasks->count;
    vb_schedule_free(&schedule);
    return status;
}

void vb_job_tasks_free(vb_job_tasks *tasks) {
    vb_free(tasks->items);
    vb_free(tasks->pending);
    *tasks = (vb_job_tasks){0};
}

void vb_job_tasks_bound(vb_job_tasks *tasks, char *const *environment) {
    const char *argv[] = {"scontrol", "show", "config", NULL};
    char *answer = NULL;
    vb_error why = {0};
    long most = 0;
    if (!vb_spawn_quiet(argv, environment, &answer, &why)) {
        const char *line = strstr(answer, "MaxArraySize");
        if (line && (line = strchr(line, '='))) most = strtol(line + 1, NULL, 10);
    }
    vb_free(answer);
    if (most < 1) {
        most = VB_JOB_TASKS_USUAL;
        if (tasks->count > most)
            fprintf(stderr, "vocabench: note: Slurm's MaxArraySize is not known (%s): %ld, its default, is taken\n",
                    why.text[0] ? why.text : "scontrol does not tell it", most);
    }
    if (tasks->part > most) tasks->part = (int)most;
}

/* ---- once more ---- */

/* Whether a task's run has ended well, and with which configuration; *mine is false when its folder belongs to another one. */
static int read_task(const vb_job_task *task, const char *folder, bool *done, bool *mine, char digest[40], vb_error *err) {
    char *path = vb_format(err, "%s/state.json", folder), *results = vb_format(err, "%s/results.json", folder);
    int status = path && results ? 0 : -1;
    *done = false;
    *mine = true;
    if (!status && vb_path_exists(path)) {
        json_t *state = vb_json_parse_file(path, err);
        const json_t *ended = json_object_get(state, "ended");
        *mine = !strcmp(vb_json_text(state, "only_model"), task->model) &&
                !strcmp(vb_json_text(state, "only_dataset"), task->dataset ? task->dataset : "");
        snprintf(digest, 40, "%s", vb_json_text(state, "configuration_digest"));
        *done = ended && !vb_json_integer(ended, "code") && vb_path_exists(results);
        if (!state) status = -1;
        json_decref(state);
    }
    vb_free(path);
    vb_free(results);
    return status;
}

/* A folder that merge would refuse behind all tasks: of an earlier array with more of them, and another configuration. */
static int check_folder(const vb_job_tasks *tasks, const char *parent, const char *name, const char *wanted, vb_error *err) {
    const size_t n = strlen(name);
    if (n > 9 || strspn(name, "0123456789") != n || atoi(name) < tasks->count) return 0;
    char *path = vb_format(err, "%s/%s/results.json", parent, name);
    json_t *results = NULL;
    int status = path ? 0 : -1;
    if (!status && vb_path_exists(path) && !(results = vb_json_parse_file(path, err))) status = -1;
    if (!status && results && strcmp(vb_json_text(results, "configuration_digest"), wanted))
        status =
            vb_errorf(err, VB_EMISMATCH,
                      "%s/%s: of an earlier array, which had more than %d task(s), with another configuration: what is merged "
                      "would not be of one; move it away",
                      parent, name, tasks->count);
    json_decref(results);
    vb_free(path);
    return status;
}

int vb_job_tasks_check_folders(const vb_job_tasks *tasks, const vb_experiment *experiment, vb_error *err) {
    char wanted[40];
    vb_strings names = {0};
    char *parent = vb_format(err, "%s/array", experiment->output);
    int status = parent ? vb_document_configuration_digest(experiment->configuration, wanted, err) : -1;
    if (!status && vb_path_is_folder(parent)) status = vb_path_list_folder(&names, parent, err);
    for (size_t i = 0; i < names.count && !status; i++) status = check_folder(tasks, parent, names.items[i], wanted, err);
    vb_strings_free(&names);
    vb_free(parent);
    return status;
}

/* The number of the array whose task this is, from a line "JOB NUMBER ..." of squeue; -1: not ours. */
static int task_of_line(const char *line, const char *submitted) {
    long long job, number, known, first;
    if (sscanf(line, "%lld %lld", &job, &number) != 2) return -1;
    for (const char *at = submitted; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (sscanf(at, "%lld %lld", &known, &first) == 2 && known == job && first + number < 1 << 30)
            return (int)(first + number);
    return -1;
}

static int read_submitted(const char *output, char **text, vb_error *err) {
    char *path = vb_format(err, "%s/array/submitted", output);
    uint8_t *bytes = NULL;
    size_t n;
    int status = path ? 0 : -1;
    if (!status && vb_path_exists(path)) status = vb_file_read_whole(path, 1 << 24, &bytes, &n, err);
    *text = (char *)bytes;
    vb_free(path);
    return status;
}

/* Tasks that wait or run are not wanted; their numbers, as sbatch's afterok takes them, to tasks->pending. */
static int leave_out_queued(vb_job_tasks *tasks, const char *output, char *const *environment, bool guess, int *queued,
                            vb_error *err) {
    const char *argv[] = {"squeue", "-h", "-r", "--me", "-o", "%F %K", NULL};
    char *answer = NULL, *submitted = NULL;
    vb_strbuf pending = {0};
    vb_error why;
    int status = read_submitted(output, &submitted, err);
    *queued = 0;
    if (!status && submitted && vb_spawn_quiet(argv, environment, &answer, &why)) {
        if (!guess) {
            if (err) *err = why;
            status = vb_error_prefix(err, "--retry-failed: whether tasks are in the queue is not known");
        } else fprintf(stderr, "vocabench: note: whether tasks are in the queue is not known: %s\n", why.text);
    }
    for (const char *line = answer; !status && line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
        int task = task_of_line(line, submitted);
        if (task < 0 || task >= tasks->count || !tasks->items[task].wanted) continue;
        tasks->items[task].wanted = false;
        ++*queued;
        long long job, number;
        if (sscanf(line, "%lld %lld", &job, &number) == 2)
            vb_strbuf_format(&pending, "%s%lld_%lld", pending.filled ? ":" : "", job, number);
    }
    if (!status && *queued) status = vb_strbuf_end(&pending, "tasks", err);
    tasks->pending = pending.bytes;
    vb_free(answer);
    vb_free(submitted);
    return status;
}

int vb_job_tasks_retry(vb_job_tasks *tasks, const vb_experiment *experiment, char *const *environment, bool guess,
                       vb_error *err) {
    const char *output = experiment->output;
    int done = 0, queued;
    char wanted[40], digest[40];
    if (vb_document_configuration_digest(experiment->configuration, wanted, err)) return -1;
    for (int t = 0; t < tasks->count; t++) {
        vb_job_task *task = &tasks->items[t];
        char *folder = vb_format(err, "%s/array/%d", output, t);
        bool ended_well, mine;
        int status = folder ? read_task(task, folder, &ended_well, &mine, digest, err) : -1;
        if (!status && !mine)
            status = vb_errorf(err, VB_EMISMATCH,
                               "--retry-failed: %s is not of model '%s'%s%s: the experiment, or --by, was another one when the "
                               "array was submitted",
                               folder, task->model, task->dataset ? " on " : "", task->dataset ? task->dataset : "");
        if (!status && ended_well && *digest && strcmp(digest, wanted)) /* earlier versions stated none: merge compares */
            status = vb_errorf(err, VB_EMISMATCH,
                               "--retry-failed: %s has ended well with another configuration, and would not be merged: submit "
                               "all tasks again, without --retry-failed",
                               folder);
        vb_free(folder);
        if (status) return -1;
        task->wanted = !ended_well;
        done += ended_well;
    }
    if (leave_out_queued(tasks, output, environment, guess, &queued, err)) return -1;
    tasks->wanted = tasks->count - done - queued;
    fprintf(stderr, "vocabench: %d task(s): %d done, %d in the queue or running, %d to be submitted\n", tasks->count, done,
            queued, tasks->wanted);
    return 0;
}

/* ---- what sbatch is told ---- */

char *vb_job_tasks_numbers(const vb_job_tasks *tasks, int first, int64_t at_once, vb_error *err) {
    vb_strbuf text = {0};
    const int end = tasks->count - first < tasks->part ? tasks->count : first + tasks->part;
    vb_strbuf_add(&text, "");
    for (int t = first; t < end; t++) {
        int last = t;
        if (!tasks->items[t].wanted) continue;
        while (last + 1 < end && tasks->items[last + 1].wanted) last++;
        vb_strbuf_format(&text, "%s%d", text.filled ? "," : "", t - first);
        if (last > t) vb_strbuf_format(&text, "-%d", last - first);
        t = last;
    }
    if (text.filled && at_once > 0) vb_strbuf_format(&text, "%%%lld", (long long)at_once);
    if (vb_strbuf_end(&text, "tasks", err)) vb_strbuf_free(&text);
    return text.bytes;
}

int vb_job_tasks_note(const char *output, const char *job, int first, vb_error *err) {
    char *before = NULL, *folder = vb_format(err, "%s/array", output), *path = vb_format(err, "%s/array/submitted", output);
    int status = folder && path ? read_submitted(output, &before, err) : -1;
    char *text = status ? NULL : vb_format(err, "%s%s %d\n", before ? before : "", job, first);
    if (!text) status = -1;
    if (!status) status = vb_path_make_folders(folder, err);
    if (!status) status = vb_writer_write_whole(path, text, strlen(text), err);
    vb_free(before);
    vb_free(text);
    vb_free(folder);
    vb_free(path);
    return status;
}
