/* A run: what is finished already, groups of ranks for the rest, and the document of all results. */
#include "mpi/run/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/device.h"
#include "mpi/base/device_lending.h"
#include "mpi/base/json.h"
#include "mpi/base/output_lock.h"
#include "mpi/base/provenance.h"
#include "mpi/encode/precomputed_labels.h"
#include "mpi/ranks/groups.h"
#include "mpi/ranks/threads.h"
#include "mpi/results/document.h"
#include "mpi/run/journal.h"
#include "mpi/run/fold_notes.h"
#include "mpi/run/published_sums.h"
#include "mpi/run/resume.h"
#include "mpi/run/run_unit.h"
#include "mpi/run/staging.h"
#include "mpi/run/starts.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

typedef struct run_state {
    vb_context *world; /* all ranks */
    const vb_experiment *experiment;
    bool resume;
    vb_dataset_state *datasets;
    vb_output_lock lock; /* rank 0 */
    vb_schedule schedule;
    vb_groups groups;
    vb_runner runner;        /* of this rank's group */
    vb_device device;        /* of this rank */
    vb_resume_files files;   /* rank 0: as they were when the keys were made */
    vb_journal_size size;    /* its nodes on rank 0 only */
    json_t *starts;          /* rank 0: earlier ones, with which this one goes on */
    json_t *found;           /* rank 0: results of earlier runs by unit, for --resume */
    vb_published_sums sums;  /* rank 0 */
    vb_live around;          /* rank 0: what it tells before and after the pairs */
    json_t *results, *pairs; /* rank 0, at the end: results[] and the `run` block's pairs[] */
} run_state;

/* ---- all units ---- */

static char *pair_path(const run_state *run, const vb_pair_unit *unit, vb_error *err) {
    return vb_document_pair_path(run->experiment->output, "pairs", run->experiment->models[unit->model].name,
                                 run->datasets[unit->dataset].spec->name, ".json", err);
}

static int unit_key(const run_state *run, const vb_pair_unit *unit, vb_digest *key, vb_error *err) {
    return vb_resume_key(run->experiment, unit, &run->datasets[unit->dataset], vb_device_tolerated(run->world), key, err);
}

/* Rank 0: those found are told to `status`, which cannot make keys. */
static int note_taken(const run_state *run, vb_error *err) {
    vb_json json = {0};
    json_t *taken = vb_json_array(&json);
    for (int u = 0; u < run->schedule.count; u++) {
        const vb_pair_unit *unit = &run->schedule.units[u];
        if (!unit->finished) continue;
        json_t *pair = vb_json_object(&json);
        vb_json_set_text(&json, pair, "model", run->experiment->models[unit->model].name);
        vb_json_set_text(&json, pair, "dataset", run->datasets[unit->dataset].spec->name);
        vb_json_append(&json, taken, pair);
    }
    int status = vb_json_end(&json, "the results", err);
    if (!status) status = vb_journal_take(run->experiment, taken, err);
    json_decref(taken);
    return status;
}

/* Rank 0 makes the keys and looks for results of earlier runs; all others get its list of units. */
static int find_finished(run_state *run, vb_error *err) {
    vb_schedule *schedule = &run->schedule;
    vb_comm *comm = &run->world->comm;
    int status = vb_comm_agree(comm, vb_schedule_list(schedule, run->experiment, err), err);
    if (status) return -1;
    vb_json json = {0};
    if (!comm->rank) run->found = vb_json_object(&json);
    for (int u = 0; !comm->rank && !status && u < schedule->count; u++) {
        vb_pair_unit *unit = &schedule->units[u];
        char name[16];
        snprintf(name, sizeof name, "%d", u);
        char *path = pair_path(run, unit, err);
        status = path ? unit_key(run, unit, &unit->key, err) : -1;
        if (!status) status = vb_resume_files_add(&run->files, run->experiment, unit, &run->datasets[unit->dataset], err);
        json_t *result = !status && run->resume ? vb_resume_find(&unit->key, run->experiment->output, path) : NULL;
        unit->finished = result != NULL;
        if (result) vb_json_set(&json, run->found, name, result);
        vb_free(path);
    }
    if (!status) status = vb_json_end(&json, "the results", err);
    if (!status && !comm->rank && run->resume) status = note_taken(run, err);
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_broadcast(comm, schedule->units, (size_t)schedule->count * sizeof *schedule->units, err);
    return status;
}

/* On rank 0, at the end: the data are still what they were when the keys were made. Results of data that changed meanwhile would
 * lie under the keys of the old. */
static int check_inputs(run_state *run, vb_error *err) {
    int changed = -1;
    vb_error why; /* the first pair's whose key cannot be made again */
    vb_error_clear(&why);
    for (int u = 0; u < run->schedule.count; u++) {
        const vb_pair_unit *unit = &run->schedule.units[u];
        vb_digest key;
        vb_error own;
        if (unit->finished) continue;
        const bool made = !unit_key(run, unit, &key, &own);
        if (made && !strcmp(key.hex, unit->key.hex)) continue;
        changed = u;
        if (!made && !why.code) why = own;
        char *path = pair_path(run, unit, err);
        if (path) unlink(path);
        vb_free(path);
    }
    if (why.code != VB_EMEMORY && vb_resume_files_check(&run->files, err)) return -1;
    if (why.code) {
        *err = why;
        return -1;
    }
    if (changed < 0) return 0;
    const vb_pair_unit *unit = &run->schedule.units[changed];
    return vb_errorf(err, VB_EDATA, "model '%s' on dataset '%s': files of its images, or of its corpus, changed during the run",
                     run->experiment->models[unit->model].name, run->datasets[unit->dataset].spec->name);
}

/* How many groups: as the option says, or as many as end soonest. */
static int count_groups(run_state *run, int *groups, vb_error *err) {
    vb_schedule *schedule = &run->schedule;
    int ranks = run->world->comm.size;
    int64_t wanted = run->experiment->ranks_per_model;
    int found = wanted ? vb_groups_of_size(ranks, wanted) :
                         vb_groups_plan(schedule->item_costs, schedule->item_parts, schedule->item_count, ranks, 0, NULL, err);
    if (vb_comm_agree(&run->world->comm, found < 0 ? -1 : 0, err)) return -1;
    *groups = found;
    if (vb_comm_broadcast(&run->world->comm, groups, sizeof *groups, err)) return -1;
    return vb_comm_agree(&run->world->comm, *groups == 1 ? vb_schedule_as_listed(schedule, err) : 0, err);
}

static int run_items(run_state *run, vb_error *err) {
    const vb_schedule *schedule = &run->schedule;
    int64_t item = 0;
    int status = 0;
    while (!status && !(status = vb_groups_next(&run->groups, &item, err)) && item < schedule->item_count)
        for (int i = schedule->items[item]; i < schedule->items[item + 1] && !status; i++)
            status = vb_run_unit(&run->runner, &schedule->units[schedule->order[i]], schedule->order[i], err);
    vb_run_unit_end(&run->runner);
    return status;
}

/* What rank 0 gets from one group's leader; free with vb_free. */
static char *group_report(const run_state *run, vb_error *err) {
    const vb_groups *groups = &run->groups;
    vb_json json = {0};
    json_t *report = vb_json_object(&json), *facts = vb_json_set_object(&json, report, "facts");
    vb_json_set_integer(&json, facts, "ranks", groups->context.comm.size);
    vb_json_set_integer(&json, facts, "units", (int64_t)json_array_size(run->runner.done));
    vb_json_set_real(&json, facts, "busy_seconds", groups->busy);
    vb_json_set_real(&json, facts, "idle_seconds", groups->idle);
    vb_json_set(&json, report, "done", json_incref(run->runner.done));
    char *text = vb_json_end(&json, "the results", err) ? NULL : vb_json_dump(report, VB_JSON_LINE, "the results", err);
    json_decref(report);
    return text;
}

/* All groups' results in the experiment's order, from the ranks' reports, empty where a rank led no group. */
static int put_together(run_state *run, const vb_blocks *blocks, json_t *groups, double times[2], vb_error *err) {
    int status = -1;
    vb_json json = {0};
    json_t *reports = vb_json_array(&json),
           **by_unit = vb_array((size_t)run->schedule.count + 1, sizeof(json_t *), "results", err), *entry;
    size_t i;
    if (!by_unit) goto done;
    for (int r = 0; r < blocks->count; r++) {
        if (!blocks->sizes[r]) continue;
        json_t *report = vb_json_parse(blocks->bytes[r], blocks->sizes[r], 0, "results of a group", err),
               *facts = json_object_get(report, "facts");
        if (!report) goto done;
        vb_json_append(&json, reports, report);
        if (vb_json_end(&json, "results of a group", err)) goto done; /* the report is gone */
        vb_json_append(&json, groups, json_incref(facts));
        double share = (double)vb_json_integer(facts, "ranks");
        times[0] += share * json_real_value(json_object_get(facts, "busy_seconds"));
        times[1] += share * json_real_value(json_object_get(facts, "idle_seconds"));
        json_array_foreach(json_object_get(report, "done"), i, entry) by_unit[vb_json_integer(entry, "unit")] = entry;
    }
    for (int u = 0; u < run->schedule.count; u++) {
        char name[16];
        snprintf(name, sizeof name, "%d", u);
        json_t *result = by_unit[u] ? json_object_get(by_unit[u], "result") : json_object_get(run->found, name);
        if (!result) {
            vb_errorf(err, VB_EINTERNAL, "no result of unit %d", u);
            goto done;
        }
        vb_json_append(&json, run->results, json_incref(result));
        if (by_unit[u]) vb_json_append(&json, run->pairs, json_incref(json_object_get(by_unit[u], "pair")));
    }
    status = vb_json_end(&json, "the results", err);
done:
    json_decref(reports);
    vb_free(by_unit);
    return status;
}

/* The groups' results to rank 0, and the `run` block's facts of the groups. */
static int gather_results(run_state *run, json_t **groups, double *idle_share, vb_error *err) {
    vb_comm *comm = &run->world->comm;
    bool leads = !run->groups.context.comm.rank;
    char *text = leads ? group_report(run, err) : NULL;
    int status = !leads || text ? 0 : -1;
    vb_json json = {0};
    vb_blocks blocks = {0};
    double times[2] = {0};
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_gather(comm, text, text ? strlen(text) : 0, &blocks, err);
    if (!status && !comm->rank) {
        *groups = vb_json_array(&json);
        status = put_together(run, &blocks, *groups, times, err);
        *idle_share = times[0] + times[1] > 0 ? times[1] / (times[0] + times[1]) : 0;
    }
    vb_comm_blocks_free(&blocks);
    vb_free(text);
    return vb_comm_agree(comm, status, err);
}

/* The group's first rank tells how far the run is. Groups end together: each takes its share of all work. */
static void begin_live(run_state *run) {
    vb_live *live = &run->runner.live;
    *live = (vb_live){.started = vb_live_now(), .note = vb_journal_note};
    for (int u = 0; u < run->schedule.count; u++)
        if (!run->schedule.units[u].finished) live->all += run->schedule.units[u].cost / run->groups.count;
    run->groups.context.live = live;
}

/* Every unit that is not finished, by groups of ranks. */
static int run_units(run_state *run, json_t **facts, vb_error *err) {
    vb_comm *world = &run->world->comm;
    json_t *groups = NULL;
    double idle_share = 0;
    int count, status = find_finished(run, err);
    if (!status) status = vb_schedule_order(&run->schedule, run->experiment, run->datasets, world, err);
    if (!status) status = count_groups(run, &count, err);
    if (!status) status = vb_groups_open(&run->groups, run->world, count, run->schedule.item_count, err);
    if (status) return -1;
    run->runner.context = &run->groups.context;
    status = vb_device_lending_agree(&run->device, run->world, run->runner.context, run->groups.mine, run->runner.threads, err);
    run->runner.group = run->groups.mine;
    if (!run->groups.context.comm.rank) begin_live(run);
    double startup = run->groups.started - run->world->started;
    status = vb_groups_wait(&run->groups, status ? status : run_items(run, err), err);
    if (!status) status = gather_results(run, &groups, &idle_share, err);
    vb_groups_close(&run->groups);
    if (!status) status = vb_provenance_run_facts(run->world, run->runner.threads, &run->runner.memory, facts, err);
    if (!status && !world->rank) {
        vb_json json = {0};
        vb_json_set_real(&json, *facts, "startup_seconds", startup);
        vb_json_set(&json, *facts, "groups", json_incref(groups));
        vb_json_set_real(&json, *facts, "idle_share", idle_share);
        status = vb_json_end(&json, "the results", err);
    }
    json_decref(groups);
    return status;
}

/* ---- the whole ---- */

typedef struct counted {
    const char *key, *text;
} counted;

/* Those of the counts of an object of a pair's entry that are not 0; `counts` ends with {0}. */
static void note_counts(vb_strbuf *notes, const json_t *entry, const json_t *object, const counted *counts) {
    for (; counts->key; counts++) {
        int64_t count = vb_json_integer(object, counts->key);
        if (count)
            vb_strbuf_format(notes, "note: %s / %s: %s: %lld\n", vb_json_text(entry, "model"), vb_json_text(entry, "dataset"),
                             counts->text, (long long)count);
    }
}

/* Classes for which no caption counts keep their prompts: REPE is not what was measured there. */
static void note_captionless(vb_strbuf *notes, const json_t *entry) {
    enum { SHOWN = 3 };
    const json_t *list = json_object_get(json_object_get(entry, "retrieval"), "without_captions"), *at;
    size_t i;
    json_array_foreach(list, i, at) {
        const json_t *classes = json_object_get(at, "classes");
        const size_t count = json_array_size(classes);
        vb_strbuf_format(notes, "warning: %s / %s: classes without captions at top_k %lld, which keep their prompts: %zu (",
                         vb_json_text(entry, "model"), vb_json_text(entry, "dataset"), (long long)vb_json_integer(at, "top_k"),
                         count);
        for (size_t c = 0; c < count && c < SHOWN; c++)
            vb_strbuf_format(notes, "%s%s", c ? ", " : "", json_string_value(json_array_get(classes, c)));
        vb_strbuf_add(notes, count > SHOWN ? ", ...)\n" : ")\n");
    }
}

/* What a reader of the figures should know of the data. */
static int add_notes(const run_state *run, vb_strbuf *notes, vb_error *err) {
    for (int d = 0; d < run->experiment->dataset_count; d++) {
        const char *name = run->datasets[d].spec->name;
        vb_strings told = {0};
        const int status = vb_dataset_state_notes(&run->datasets[d], &told, err);
        for (size_t i = 0; i < told.count; i++) vb_strbuf_format(notes, "note: %s: %s\n", name, told.items[i]);
        vb_strings_free(&told);
        if (status) return -1;
        const vb_dataset *dataset = run->datasets[d].dataset;
        char *passed = NULL;
        if (!dataset || !vb_dataset_ignored(dataset)) continue;
        if (!(passed = vb_dataset_ignored_text(dataset, err))) return -1;
        vb_strbuf_format(notes, "note: %s: %s\n", name, passed);
        vb_free(passed);
    }
    static const counted images[] = {{"images_of_no_vocabulary", "images of no vocabulary's class, left out"},
                                     {"images_skipped", "broken images, skipped and listed in results.json"},
                                     {"images_damaged",
                                      "images read although damaged, as Pillow reads them, listed in results.json"},
                                     {"classes_without_images", "classes without images, which only distract"},
                                     {0}},
                         labels[] = {{"by_position", "labels that are places in the vocabulary file, from 0"},
                                     {"ambiguous", "labels that could mean two classes, by id, name or place, in this order"},
                                     {"unmatched", "labels that match no class"},
                                     {0}},
                         sets[] = {{"images_with_several_classes", "images with several right classes"}, {0}},
                         empty[] = {{"images_with_an_empty_set", "images whose set of labels is empty, left out"}, {0}};
    size_t i;
    json_t *entry;
    if (run->experiment->limit > 0)
        vb_strbuf_format(notes, "note: a quick look: of every class the first %lld images at most, not the whole of a dataset\n",
                         (long long)run->experiment->limit);
    json_array_foreach(run->results, i, entry) {
        const json_t *data = json_object_get(entry, "data");
        note_counts(notes, entry, data, images);
        note_counts(notes, entry, json_object_get(data, "label_sets"), sets);
        if (!strcmp(vb_json_text(data, "kind"), "precomputed")) { /* of others the dataset's notes tell */
            note_counts(notes, entry, json_object_get(data, "labels"), labels);
            note_counts(notes, entry, json_object_get(data, "label_sets"), empty);
        }
        const json_t *texts = json_object_get(entry, "texts");
        static const char *const faults[][3] = {{"cut", "texts cut by the context", "cut_example"},
                                                {"equal_classes", "classes that are the same as another one to the model",
                                                 "equal_example"}};
        for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
            if (json_object_get(texts, faults[f][0]))
                vb_strbuf_format(notes, "note: %s / %s: %s: %lld, such as %s\n", vb_json_text(entry, "model"),
                                 vb_json_text(entry, "dataset"), faults[f][1], (long long)vb_json_integer(texts, faults[f][0]),
                                 vb_json_text(texts, faults[f][2]));
        note_captionless(notes, entry);
        const json_t *odd = json_object_get(json_object_get(entry, "retrieval"), "odd_captions");
        if (odd)
            vb_strbuf_format(notes, "note: %s / %s: listed rows whose captions cannot be used: %lld, such as %s\n",
                             vb_json_text(entry, "model"), vb_json_text(entry, "dataset"),
                             (long long)vb_json_integer(odd, "rows"),
                             json_string_value(json_array_get(json_object_get(odd, "examples"), 0)));
    }
    vb_fold_notes(notes);
    return vb_strbuf_end(notes, "notes", err);
}

/* Where the images lie, for a report that shows some of them. */
static int add_sources(const run_state *run, json_t *facts, vb_error *err) {
    vb_json json = {0};
    json_t *sources = vb_json_set_array(&json, facts, "sources");
    int status = 0;
    for (int d = 0; d < run->experiment->dataset_count && !status; d++) {
        const vb_dataset_spec *spec = &run->experiment->datasets[d];
        if (!spec->images) continue;
        char *images = vb_path_absolute(spec->images, err),
             *names = spec->class_names ? vb_path_absolute(spec->class_names, err) : NULL;
        if (!images || (spec->class_names && !names)) status = -1;
        /* A path that is not UTF-8 cannot be written down: its pictures will not be shown. */
        else if (vb_json_holds(images) && (!names || vb_json_holds(names))) {
            json_t *source = vb_json_object(&json);
            vb_json_set_text(&json, source, "dataset", spec->name);
            vb_json_set_text(&json, source, "images", images);
            if (names) vb_json_set_text(&json, source, "class_names", names);
            vb_json_append(&json, sources, source);
        }
        vb_free(images);
        vb_free(names);
    }
    return status ? status : vb_json_end(&json, "the results", err);
}

static int write_results(run_state *run, json_t *facts, vb_strbuf *notes, vb_error *err) {
    const vb_experiment *experiment = run->experiment;
    vb_json json = {0};
    const double seconds = vb_live_now() - run->world->started;
    vb_json_append(&json, run->starts, vb_starts_entry(&json, seconds, run->size.nodes, run->size.ranks));
    vb_json_set(&json, facts, "starts", json_incref(run->starts));
    vb_json_set_real(&json, facts, "node_hours", vb_starts_node_hours(run->starts));
    vb_json_set(&json, facts, "pairs", json_incref(run->pairs));
    vb_json_set(&json, facts, "options", vb_experiment_machine_json(&json, experiment));
    if (vb_json_end(&json, "the results", err) || add_sources(run, facts, err)) return -1;
    if (vb_published_sums_set(&run->sums, experiment, facts, notes, err)) return -1;
    json_t *document = vb_document_new(experiment->name, experiment->configuration, run->results, facts, err);
    int status = document ? vb_document_write(experiment->output, document, experiment->latex, err) : -1;
    json_decref(document);
    if (!status) vb_published_sums_keep(&run->sums);
    return status;
}

/* Waits for what a thread hashes. Rank 0. */
static int await_sums(run_state *run, vb_error *err) {
    const int status = vb_published_sums_wait(run->sums.job, run->world, err);
    if (status) vb_published_sums_keep(&run->sums); /* the next start goes on with the rest */
    return status;
}

/* Rank 0: what goes on before and after the pairs is told in a file of its own. */
static void begin_around(run_state *run, char *path) {
    run->around = (vb_live){.note = path ? vb_journal_note : NULL, .where = path};
    vb_live_begin(&run->around, 0);
    run->world->live = &run->around;
}

/* Machines of all ranks, on rank 0. Collective. */
static int count_nodes(run_state *run, vb_error *err) {
    run->size = (vb_journal_size){.ranks = run->world->comm.size, .nodes = !run->world->comm.node_rank};
    return vb_comm_sum_to_root(&run->world->comm, &run->size.nodes, 1, err);
}

static int prepare_output(run_state *run, vb_error *err) {
    int status = 0;
    if (!run->world->comm.rank) {
        char *pairs = vb_format(err, "%s/pairs", run->experiment->output);
        status = pairs ? vb_output_lock_take(&run->lock, run->experiment->output, run->world->environment, err) : -1;
        if (!status) status = vb_path_make_folders(pairs, err) || vb_path_make_folders(run->experiment->cache, err) ? -1 : 0;
        if (!status) vb_writer_sweep_temporaries(run->experiment->output);
        if (!status) vb_writer_sweep_temporaries(run->experiment->cache);
        vb_free(pairs);
    }
    vb_json json = {0};
    run->results = vb_json_array(&json);
    run->pairs = vb_json_array(&json);
    run->runner.done = vb_json_array(&json);
    if (!status) status = vb_json_end(&json, "the results", err);
    return vb_comm_agree(&run->world->comm, status, err);
}

/* The labels of precomputed embeddings, before other models are encoded: a pair reads them when its turn comes. Collective. */
static int check_given_labels(const run_state *run, vb_error *err) {
    const vb_experiment *experiment = run->experiment;
    int status = 0;
    for (int m = 0; m < experiment->model_count && !run->world->comm.rank; m++) {
        const vb_model_spec *spec = &experiment->models[m];
        if (spec->family != VB_PRECOMPUTED || spec->left_out) continue;
        for (int d = 0; d < experiment->dataset_count - experiment->expansion_count && !status; d++) {
            const vb_embeddings_spec *embeddings = vb_experiment_embeddings(spec, &experiment->datasets[d]);
            int64_t images;
            if (embeddings) status = vb_precomputed_labels_check(&run->datasets[d], embeddings, &images, err);
        }
    }
    return vb_comm_agree(&run->world->comm, status, err);
}

int vb_run(vb_context *context, const vb_experiment *experiment, bool resume, vb_strbuf *notes, vb_error *err) {
    vb_comm *comm = &context->comm;
    run_state run = {.world = context, .experiment = experiment, .resume = resume};
    json_t *facts = NULL;
    run.runner.experiment = experiment;
    run.runner.threads = experiment->threads ? (int)experiment->threads : vb_threads_default(comm);
    run.runner.crowd = fmax(1, (double)run.runner.threads * comm->node_size / comm->node_cores);
    int status =
        vb_device_open(&run.device, context, (vb_device_kind)experiment->device, (vb_device_check)experiment->device_check, err);
    if (run.device.gpu) run.runner.crowd = fmax(run.runner.crowd, run.device.share);
    if (!status) status = prepare_output(&run, err);
    if (!status) status = vb_dataset_state_open_all(&run.datasets, context, experiment, err);
    run.runner.datasets = run.datasets;
    if (!status) status = check_given_labels(&run, err);
    if (!status) status = count_nodes(&run, err);
    if (!status && !comm->rank) status = vb_published_sums_start(&run.sums, experiment, err);
    if (!status && !comm->rank) status = vb_journal_open(experiment, run.datasets, &run.size, resume, &run.starts, err);
    status = vb_comm_agree(comm, status, err);
    bool noted = !status && !comm->rank;
    vb_staging staging = {.lock = -1};
    char *around = noted ? vb_journal_around(experiment->output, err) : NULL;
    if (noted) begin_around(&run, around);
    if (!status) status = vb_staging_begin(&staging, context, experiment, run.datasets, err);
    if (!status) status = vb_threads_warn(comm, run.runner.threads, err);
    if (!status) status = run_units(&run, &facts, err);
    if (!status && !comm->rank) {
        begin_around(&run, around);
        status = await_sums(&run, err) || check_inputs(&run, err) || write_results(&run, facts, notes, err) ? -1 : 0;
    }
    if (!status && !comm->rank) status = add_notes(&run, notes, err);
    status = vb_comm_agree(comm, status, err);
    if (noted) vb_journal_close(experiment, vb_live_now() - context->started, status, err);
    context->live = NULL;
    vb_free(around);
    vb_published_sums_close(&run.sums);
    vb_output_lock_release(&run.lock);
    json_decref(facts);
    json_decref(run.runner.done);
    json_decref(run.found);
    json_decref(run.starts);
    json_decref(run.results);
    json_decref(run.pairs);
    vb_device_close(&run.device, context);
    vb_resume_files_free(&run.files);
    vb_schedule_free(&run.schedule);
    vb_dataset_state_close_all(run.datasets, experiment);
    vb_staging_end(&staging);
    return status;
}
