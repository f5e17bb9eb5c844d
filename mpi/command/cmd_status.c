/* `vocabench status DIR`: what of a run, or of the tasks of an array, is done, running, failed and to do, and the time left. */
#include <stdio.h>
#include <time.h>

#include "mpi/base/json.h"
#include "mpi/command/cmd.h"
#include "mpi/run/starts.h"
#include "mpi/run/survey.h"

const vb_flag vb_cmd_status_flags[] = {
    {0},
};

const char vb_cmd_status_details[] =
    "DIR is the output folder of `run` or `submit`. Of pairs that are being made it shows the stages, "
    "what is done of all, and rates, as the run noted them ten seconds ago at most. The time left "
    "is that of the slowest task: from the work that it has done and has to do, else from the "
    "images a second of the pairs that it has finished. Where the last start has not ended well it "
    "tells what an earlier one left, too.";

/* The stages of a pair that is running, or of what a run does around them, the last one in hand. */
static void print_stages(const json_t *progress) {
    const json_t *stages = json_object_get(progress, "stages"), *stage;
    const size_t count = json_array_size(stages);
    const double age = difftime(time(NULL), (time_t)vb_json_integer(progress, "when"));
    for (size_t s = 0; s < count; s++) {
        stage = json_array_get(stages, s);
        const double done = (double)vb_json_integer(stage, "done"), total = (double)vb_json_integer(stage, "total"),
                     seconds = vb_json_number(stage, "seconds"), rate = seconds > 0 ? done / seconds : 0;
        printf("      %-16s %.0f", vb_json_text(stage, "stage"), done);
        if (total > 0) printf(" of %.0f", total);
        printf(" %s in %.0f s", vb_json_text(stage, "unit"), seconds);
        if (s + 1 == count && rate > 0) {
            printf(", %.*f/s", rate < 10, rate);
            if (total > done) printf(", %.0f s to go", (total - done) / rate);
            printf(" (%.0f s ago)", age > 0 ? age : 0);
        }
        printf("\n");
    }
}

/* A start that fails takes nothing away: what an earlier one left is told beside it. */
static void print_earlier(const vb_survey_results *earlier) {
    if (!earlier->folder) return;
    printf("      %s/results.json of an earlier start stands: %lld pair(s)", earlier->folder, (long long)earlier->pairs);
    if (*earlier->started) printf(", started %s", earlier->started);
    printf("%s\n", earlier->other ? ", of another configuration" : "");
}

static void print_task(const vb_survey_task *task) {
    const char *model = vb_json_text(task->state, "only_model"), *job = vb_json_text(task->state, "slurm_job"),
               *data = vb_json_text(task->state, "only_dataset"), *between = *model && *data ? " on " : "";
    const bool part = *model || *data;
    printf("  %s%s%s%s%s%s%s%s: ", task->folder, part ? " (" : "", model, between, data, part ? ")" : "", *job ? ", job " : "",
           job);
    const char *host = vb_json_text(task->state, "host");
    switch (task->kind) {
    case VB_TASK_ALIVE: printf("running on %s\n", host); break;
    case VB_TASK_QUEUED: printf("waiting in Slurm's queue to go on\n"); break;
    case VB_TASK_UNSEEN: printf("started on %s and has not ended, as far as one can see from here\n", host); break;
    case VB_TASK_GONE:
        printf("was lost without a word (killed, or no room to write one?): run the same command again to go on\n");
        break;
    case VB_TASK_ENDED:
        if (!task->code) printf("done\n");
        else if (task->code == VB_EINCOMPLETE) printf("stopped: run the same command again to go on\n");
        else printf("failed with code %d: %s\n", task->code, vb_json_text(json_object_get(task->state, "ended"), "error"));
        break;
    }
    print_earlier(&task->earlier);
}

/* Machines times hours of all starts of all tasks, and how those ended. */
static void print_used(const vb_survey *all) {
    double hours = 0;
    int starts = 0, stopped = 0, lost = 0, failed = 0;
    for (int t = 0; t < all->count; t++) {
        const json_t *list = all->tasks[t].starts;
        hours += vb_starts_node_hours(list);
        starts += (int)json_array_size(list);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *code = json_object_get(json_array_get(list, i), "code");
            const bool gone = json_is_true(json_object_get(json_array_get(list, i), "lost"));
            const bool stop = json_integer_value(code) == VB_EINCOMPLETE;
            lost += gone;
            stopped += stop;
            failed += json_integer_value(code) && !stop;
        }
    }
    printf("used: %.*f node-hours in %d start(s)", hours < 0.1 ? 4 : 2, hours, starts);
    if (stopped) printf(", %d stopped", stopped);
    if (lost) printf(", %d lost", lost);
    if (failed) printf(", %d failed", failed);
    printf("\n");
}

static void print_left(const vb_survey *all) {
    bool waiting;
    double left = vb_survey_seconds_left(all, &waiting);
    if (left < 0) {
        printf("time left: not known before images are encoded\n");
        return;
    }
    if (left < 120) printf("time left: about %.0f s", left);
    else if (left < 7200) printf("time left: about %.0f min", left / 60);
    else printf("time left: about %.1f h", left / 3600);
    printf("%s\n", waiting ? " of running" : "");
}

static void print_survey(const vb_survey *all) {
    enum { MODEL = 24, DATASET = 20 }; /* columns */
    static const char *const states[VB_PAIR_STATES] = {
        [VB_PAIR_TO_DO] = "to do", [VB_PAIR_DONE] = "done", [VB_PAIR_RUNNING] = "running", [VB_PAIR_FAILED] = "failed"};
    printf("experiment %s: %d pair(s): %d done, %d running, %d failed, %d to do\n",
           vb_json_text(all->tasks[0].state, "experiment"), all->pair_count, all->counts[VB_PAIR_DONE],
           all->counts[VB_PAIR_RUNNING], all->counts[VB_PAIR_FAILED], all->counts[VB_PAIR_TO_DO]);
    for (int t = 0; t < all->count; t++) {
        print_task(&all->tasks[t]);
        if (all->tasks[t].around) print_stages(all->tasks[t].around);
    }
    print_earlier(&all->merged);
    for (int p = 0; p < all->pair_count; p++) {
        printf("  %-*s %-*s %s%s\n", MODEL, all->pairs[p].model, DATASET, all->pairs[p].dataset, states[all->states[p]],
               all->earlier[p] && all->states[p] != VB_PAIR_DONE ? " (the result of an earlier start is there)" : "");
        if (all->states[p] == VB_PAIR_RUNNING && all->progress[p]) print_stages(all->progress[p]);
    }
    if (all->cache.folder)
        printf(
            "cache %s: %lld unit(s) of images; this experiment makes %lld at most; %lld file(s) of texts and corpora; %.1f MB\n",
            all->cache.folder, all->cache.units, all->cache.expected, all->cache.others, 1e-6 * all->cache.bytes);
    print_used(all);
    if (all->counts[VB_PAIR_DONE] < all->pair_count) print_left(all);
}

int vb_cmd_status(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    int status = 0;
    if (!context->comm.rank) {
        vb_survey survey;
        status = vb_survey_open(&survey, arguments->positional[0], context->environment, err);
        if (!status) print_survey(&survey);
        vb_survey_close(&survey);
    }
    return vb_comm_agree(&context->comm, status, err);
}
