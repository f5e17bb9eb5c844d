/* `vocabench run`: an experiment from its file to results.json and tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/adversarial/adversarial.h"
#include "mpi/analyse/analyses.h"
#include "mpi/command/cmd.h"
#include "mpi/results/document.h"
#include "mpi/evaluate/evaluate.h"
#include "mpi/ranks/groups.h"
#include "mpi/run/journal.h"
#include "mpi/encode/pair_inputs.h"
#include "mpi/base/provenance.h"
#include "mpi/retrieve/repe_stage.h"
#include "mpi/base/json.h"
#include "mpi/run/schedule.h"
#include "shards/files/path.h"

const vb_flag vb_run_flags[] = {
    {"output", VB_FLAG_TEXT, "DIR", false, "folder of the results [results/EXPERIMENT]", 0, 0},
    {"set", VB_FLAG_LIST, "path.to.key=value", false,
     "override a key of the file: seed=7, models.tiny.weights=W, datasets.0.images=DIR", 0, 0},
    {"resume", VB_FLAG_SWITCH, NULL, false,
     "take (model, dataset) results that an earlier run of the same experiment finished as they are", 0, 0},
    {"cache", VB_FLAG_TEXT, "DIR", false, "folder of encoded units [OUTPUT/cache]", 0, 0},
    {"only-model", VB_FLAG_TEXT, "NAME", false, "evaluate this model alone, as a part that 'merge' joins", 0, 0},
    {"batch", VB_FLAG_TEXT, "N", false, "images encoded at once", 0, 0},
    {"threads", VB_FLAG_TEXT, "N", false, "threads a rank", 0, 0},
    {"ranks-per-model", VB_FLAG_TEXT, "N", false,
     "evaluate models side by side in groups of at most N ranks [0: as many groups as end soonest]", 0, 0},
    {"per-image", VB_FLAG_SWITCH, NULL, false, "write a record for every image", 0, 0},
    {"latex", VB_FLAG_SWITCH, NULL, false, "write table.tex as well", 0, 0},
    {0}};

const char vb_run_details[] =
    "Writes DIR/results.json, table.md and table.csv, and prints the table. Encoded units are kept in the "
    "cache: a second run encodes nothing, and a\n"
    "run that was stopped or killed goes on where it was, at any number of ranks. The same experiment gives "
    "the same bytes (the `run` block of timings\n"
    "and hosts aside) at any number of ranks and threads and any batch size.";

const vb_option_group vb_experiment_arguments_keys[] = {
    {"keys of the experiment file", vb_experiment_tables_root}, {"keys of a dataset", vb_experiment_tables_dataset},
    {"keys of an expansion", vb_experiment_tables_expansion},   {"keys of a model", vb_experiment_tables_model},
    {"keys of a corpus", vb_retrieval_spec_corpus_options},     {"keys of retrieval", vb_retrieval_spec_options},
    {"keys of adversarial", vb_adversarial_spec_options},       {0}};

typedef struct run_state {
    vb_context *world, *context; /* all ranks; this rank's group, which evaluates a pair */
    vb_experiment experiment;
    vb_dataset_state *datasets;
    vb_schedule schedule;
    vb_groups groups;
    const vb_pair_unit *unit; /* in hand */
    vb_model model;           /* open while units in a row need it */
    int threads;
    bool resume;
    vb_memory_peak memory;
    json_t *done;            /* a group's leader: {unit, result, pair} of what the group has finished */
    json_t *found;           /* rank 0: results of earlier runs by unit, for --resume */
    json_t *results, *pairs; /* rank 0, at the end: results[] and the `run` block's pairs[] */
} run_state;

int vb_experiment_arguments_read(vb_experiment *experiment, vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_override overrides[VB_ARGUMENTS + 8];
    char *keys[VB_ARGUMENTS] = {NULL};
    int n = 0, copies = 0, status = 0;
    for (int i = 0; i < arguments->list_count && !status; i++) {
        if (strcmp(context->command->flags[arguments->list[i].flag].name, "set")) continue;
        const char *text = arguments->list[i].text, *equals = strchr(text, '=');
        if (!equals || equals == text) {
            status = vb_errorf(err, VB_EUSAGE, "--set: expected path.to.key=value, found '%s'", text);
            break;
        }
        if (!(keys[copies] = vb_strndup(text, (size_t)(equals - text), err))) status = -1;
        else overrides[n++] = (vb_override){keys[copies++], equals + 1};
    }
    static const char *const flags[][2] = {{"output", "output"},
                                           {"cache", "cache"},
                                           {"batch", "batch"},
                                           {"threads", "threads"},
                                           {"per-image", "per_image"},
                                           {"latex", "latex"},
                                           {"ranks-per-model", "ranks_per_model"},
                                           {"only-model", "only_model"}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (!vb_arguments_given(arguments, context->command, flags[i][0])) continue;
        const char *text = vb_arguments_text(arguments, context->command, flags[i][0]);
        overrides[n++] = (vb_override){flags[i][1], text ? text : "true"};
    }
    if (!status) status = vb_experiment_read(experiment, arguments->positional[0], overrides, n, err);
    for (int i = 0; i < copies; i++) vb_free(keys[i]);
    if (vb_comm_agree(&context->comm, status, err)) {
        if (!status) vb_experiment_free(experiment);
        return -1;
    }
    /* A pattern of checkpoints may match more files by the time that another rank looks. */
    char first[40] = "", own[40] = "";
    status = vb_document_configuration_digest(experiment->configuration, own, err);
    memcpy(first, own, sizeof first);
    if (vb_comm_broadcast(&context->comm, first, sizeof first, err)) status = -1;
    if (!status && strcmp(first, own))
        status = vb_errorf(err, VB_EMISMATCH, "%s: rank %d reads another experiment than rank 0: do files come while it starts?",
                           experiment->path, context->comm.rank);
    status = vb_comm_agree(&context->comm, status, err);
    if (status) vb_experiment_free(experiment);
    return status;
}

/* ---- one pair ---- */

static void add_file(vb_digester *digester, const char *path) {
    struct stat info;
    if (!path) return;
    vb_digest_add_text(digester, path);
    if (stat(path, &info)) return;
    int64_t facts[3] = {info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
    vb_digest_add(digester, facts, sizeof facts);
}

/* A corpus as it lies: every file of its globs. */
static void add_corpus(vb_digester *digester, const vb_corpus_spec *corpus) {
    const char *const patterns[] = {corpus->images, corpus->embeddings, corpus->captions, corpus->text_embeddings};
    vb_error none;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        vb_strings paths;
        if (!patterns[i] || vb_path_glob(&paths, patterns[i], &none)) continue;
        for (size_t p = 0; p < paths.count; p++) add_file(digester, paths.items[p]);
        vb_strings_free(&paths);
    }
}

/* A dataset as this model sees it. */
static int add_dataset(vb_digester *digester, const vb_model_spec *spec, const vb_dataset_state *data, vb_error *err) {
    const vb_embeddings_spec *embeddings = vb_experiment_embeddings(spec, data->spec);
    if (embeddings) {
        const char *const files[] = {embeddings->image_embeddings, embeddings->text_embeddings, embeddings->labels,
                                     embeddings->text_names, embeddings->label_names};
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) add_file(digester, files[i]);
    }
    const vb_prompts *prompts = vb_experiment_prompts(spec, data->spec);
    for (int p = 0; p < prompts->count; p++) vb_digest_add_text(digester, prompts->items[p]);
    vb_digest_add_text(digester, data->vocabularies.digest.hex);
    vb_digest_add(digester, &data->spec->on_error, sizeof data->spec->on_error);
    for (int64_t u = 0; data->dataset && u < vb_dataset_units(data->dataset); u++) {
        vb_digest signature;
        if (vb_dataset_unit_signature(data->dataset, u, &signature, err)) return -1;
        vb_digest_add_text(digester, signature.hex);
    }
    return 0;
}

/* What a finished pair's result depends on: when nothing of it has changed, --resume takes the result as it is. */
static int pair_key(const run_state *run, const vb_pair_unit *unit, vb_digest *key, vb_error *err) {
    const vb_experiment *experiment = &run->experiment;
    const vb_model_spec *spec = &experiment->models[unit->model];
    const vb_dataset_state *data = &run->datasets[unit->dataset];
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, vb_provenance_version());
    int64_t protocol[] = {experiment->protocol,           experiment->trials,    experiment->seed,
                          experiment->union_permutations, experiment->per_image, experiment->analyses};
    vb_digest_add(digester, protocol, sizeof protocol);
    /* All settings of the experiment, but of the models only this one; datasets and expansions speak for themselves below. */
    json_t *settings = json_copy(experiment->configuration);
    json_object_del(settings, "datasets");
    json_object_del(settings, "expansions");
    json_object_set(settings, "models",
                    json_array_get(json_object_get(experiment->configuration, "models"), (size_t)unit->model));
    char *text = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    vb_digest_add_text(digester, text ? text : "");
    free(text); /* jansson's */
    json_decref(settings);
    const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, spec);
    if (retrieval) add_corpus(digester, vb_experiment_find_corpus(experiment, retrieval->corpus));
    const char *const files[] = {experiment->adversarial.candidates, experiment->adversarial.embeddings, spec->weights,
                                 spec->tokenizer, spec->coop};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) add_file(digester, files[i]);
    int status = data->part_count ? 0 : add_dataset(digester, spec, data, err);
    if (data->part_count) {
        vb_digest_add_text(digester, data->vocabularies.digest.hex);
        vb_digest_add(digester, &data->spec->shared_names, sizeof data->spec->shared_names);
    }
    for (int p = 0; p < data->part_count && !status; p++) status = add_dataset(digester, spec, data->parts[p], err);
    *key = vb_digest_finish(digester);
    return status;
}

/* The unit's result of an earlier run, when its key fits; NULL otherwise. */
static json_t *find_finished(const vb_pair_unit *unit, const char *path) {
    json_t *file = vb_path_exists(path) ? json_load_file(path, 0, NULL) : NULL;
    const char *stored = json_string_value(json_object_get(file, "key"));
    json_t *result = json_object_get(file, "result");
    result = stored && !strcmp(stored, unit->key.hex) && json_is_object(result) ? json_incref(result) : NULL;
    json_decref(file);
    return result;
}

static int store_pair(run_state *run, json_t *result, const vb_pair_counts *counts, json_t *scan, double seconds,
                      const vb_digest *key, const char *path, vb_error *err) {
    json_t *file = json_pack("{s:s, s:O}", "key", key->hex, "result", result);
    int status = vb_json_write(file, path, err);
    json_decref(file);
    json_t *pair = json_pack("{s:O, s:O, s:i, s:f, s:I, s:I, s:I, s:I, s:I}", "model", json_object_get(result, "model"),
                             "dataset", json_object_get(result, "dataset"), "group", run->groups.mine, "seconds", seconds,
                             "units_encoded", (json_int_t)counts->units_encoded, "units_cached", (json_int_t)counts->units_cached,
                             "images_encoded", (json_int_t)counts->images_encoded, "texts_encoded",
                             (json_int_t)counts->texts_encoded, "texts_cached", (json_int_t)counts->texts_cached);
    if (scan) json_object_set(pair, "retrieval", scan);
    if (run->experiment.similarity_engine)
        json_object_set_new(pair, "similarity",
                            json_pack("{s:s, s:i, s:I, s:I}", "engine", "scalapack", "ranks", run->context->comm.size, "compared",
                                      (json_int_t)counts->compared, "rescored", (json_int_t)counts->rescored));
    json_t *entry = json_pack("{s:i, s:O, s:o}", "unit", (int)(run->unit - run->schedule.units), "result", result, "pair", pair);
    if (!status && json_array_append_new(run->done, entry)) status = vb_errorf(err, VB_EMEMORY, "no memory for the results");
    return status;
}

/* Records of an earlier, interrupted run must not be joined into this one's. */
static int clear_parts(run_state *run, const char *records, vb_error *err) {
    int status = 0;
    if (!run->context->comm.rank) {
        vb_strings names;
        vb_error none;
        char *folder = vb_format(err, "%s.parts", records);
        if (!folder) status = -1;
        else if (vb_path_is_folder(folder) && !vb_path_list_folder(&names, folder, &none)) {
            for (size_t i = 0; i < names.count; i++) {
                char *part = vb_format(err, "%s/%s", folder, names.items[i]);
                if (part) unlink(part);
                vb_free(part);
            }
            vb_strings_free(&names);
        }
        vb_free(folder);
    }
    return vb_comm_agree(&run->context->comm, status, err);
}

/* REPE after the plain evaluation: its figures become the result's `retrieval`. */
static int retrieve_pair(run_state *run, const vb_pair *pair, json_t *result, json_t **scan, vb_error *err) {
    char *list =
        vb_document_pair_path(run->experiment.output, "retrieval", pair->spec->name, pair->data->spec->name, ".jsonl.zst", err);
    char *embeddings =
        vb_document_pair_path(run->experiment.output, "retrieval", pair->spec->name, pair->data->spec->name, "", err);
    /* A folder each: groups may ask the same of one corpus at the same time. */
    char *checkpoint = vb_document_pair_path(run->experiment.output, "scan", pair->spec->name, pair->data->spec->name, "", err),
         *folder = vb_format(err, "%s/retrieval", run->experiment.output);
    int status = list && embeddings && checkpoint && folder ? 0 : -1;
    if (!status && !run->context->comm.rank) status = vb_path_make_folders(folder, err);
    status = vb_comm_agree(&run->context->comm, status, err);
    vb_repe_job job = {.pair = *pair, .list = list, .embeddings = embeddings, .checkpoint = checkpoint};
    json_t *retrieval = NULL;
    *scan = NULL;
    if (!status) status = vb_repe_stage(run->context, &job, &retrieval, scan, err);
    if (result && retrieval) json_object_set(result, "retrieval", retrieval);
    json_decref(retrieval);
    vb_free(list);
    vb_free(embeddings);
    vb_free(checkpoint);
    vb_free(folder);
    return status;
}

static int evaluate_pair(run_state *run, const vb_model_spec *spec, const vb_dataset_state *data, const vb_image_source *source,
                         const vb_classifier *classifier, const vb_digest *key, const char *path, vb_error *err) {
    double start = MPI_Wtime();
    char *records = NULL;
    int status = 0;
    if (run->experiment.per_image &&
        !(records = vb_document_pair_path(run->experiment.output, "records", spec->name, data->spec->name, ".jsonl.zst", err)))
        status = -1;
    status = vb_comm_agree(&run->context->comm, status, err);
    if (!status && records) status = clear_parts(run, records, err);
    json_t *result = NULL, *scan = NULL;
    vb_pair_counts counts = {0};
    vb_pair pair = {.experiment = &run->experiment,
                    .spec = spec,
                    .data = data,
                    .source = source,
                    .classifier = classifier,
                    .records = records,
                    .threads = run->threads};
    if (!status) status = vb_evaluate(run->context, &pair, &result, &counts, err);
    if (!status && run->experiment.analyses) status = vb_analyses(run->context, &pair, run->experiment.analyses, result, err);
    bool whole = !data->part_count; /* what adds texts to a dataset's own is not made for expansions */
    if (!status && whole && run->experiment.adversarial.candidates) status = vb_adversarial(run->context, &pair, result, err);
    if (!status && whole && vb_experiment_retrieval(&run->experiment, spec))
        status = retrieve_pair(run, &pair, result, &scan, err);
    if (!status && result) status = store_pair(run, result, &counts, scan, MPI_Wtime() - start, key, path, err);
    vb_memory_peak_note(&run->memory);
    status = vb_comm_agree(&run->context->comm, status, err);
    json_decref(scan);
    json_decref(result);
    vb_free(records);
    return status;
}

/* ---- one unit ---- */

/* The model of the unit in hand, which may be that of the unit before under another name and with other prompts. */
static int open_model(run_state *run, const vb_model_spec *spec, vb_error *err) {
    if (run->model.spec && vb_schedule_same_encoder(run->model.spec, spec)) {
        run->model.spec = spec;
        return 0;
    }
    if (run->model.spec) vb_model_close(&run->model);
    return vb_model_open(&run->model, run->context, spec, true, run->threads, run->experiment.cache, err);
}

static int run_unit(run_state *run, const vb_pair_unit *unit, vb_error *err) {
    const vb_model_spec *spec = &run->experiment.models[unit->model];
    const vb_dataset_state *data = &run->datasets[unit->dataset];
    vb_comm *comm = &run->context->comm;
    int status = vb_comm_agree(comm, vb_context_check_stop(run->context, err), err);
    if (status) return -1;
    run->unit = unit;
    char *path = vb_document_pair_path(run->experiment.output, "pairs", spec->name, data->spec->name, ".json", err);
    status = !path || (!comm->rank && vb_journal_begin(path, err)) ? -1 : 0;
    status = vb_comm_agree(comm, status, err);
    bool encoded = spec->family != VB_PRECOMPUTED;
    vb_pair_inputs inputs = {0};
    if (!status && encoded) status = open_model(run, spec, err);
    if (!status)
        status = vb_pair_inputs_open(&inputs, run->context, &run->experiment, spec, encoded ? &run->model : NULL, data,
                                     run->threads, vb_experiment_retrieval(&run->experiment, spec) != NULL, err);
    if (!status) status = evaluate_pair(run, spec, data, &inputs.source, &inputs.classifier, &unit->key, path, err);
    vb_pair_inputs_close(&inputs);
    if (!status && !comm->rank) vb_journal_end(path);
    vb_free(path);
    return status;
}

/* ---- all units ---- */

/* Rank 0 makes the keys and looks for results of earlier runs; all others get its list of units. */
static int look_for_finished(run_state *run, vb_error *err) {
    vb_schedule *schedule = &run->schedule;
    vb_comm *comm = &run->world->comm;
    int status = vb_comm_agree(comm, vb_schedule_list(schedule, &run->experiment, err), err);
    if (status) return -1;
    if (!comm->rank && !(run->found = json_object())) status = vb_errorf(err, VB_EMEMORY, "no memory");
    for (int u = 0; !comm->rank && !status && u < schedule->count; u++) {
        vb_pair_unit *unit = &schedule->units[u];
        char name[16];
        snprintf(name, sizeof name, "%d", u);
        char *path = vb_document_pair_path(run->experiment.output, "pairs", run->experiment.models[unit->model].name,
                                           run->datasets[unit->dataset].spec->name, ".json", err);
        status = path ? pair_key(run, unit, &unit->key, err) : -1;
        json_t *result = !status && run->resume ? find_finished(unit, path) : NULL;
        unit->finished = result != NULL;
        if (result && json_object_set_new(run->found, name, result)) status = vb_errorf(err, VB_EMEMORY, "no memory");
        vb_free(path);
    }
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_broadcast(comm, schedule->units, (size_t)schedule->count * sizeof *schedule->units, err);
    return status;
}

/* How many groups: as the option says, or as many as end soonest. */
static int count_groups(run_state *run, int *groups, vb_error *err) {
    vb_schedule *schedule = &run->schedule;
    int ranks = run->world->comm.size;
    int64_t wanted = run->experiment.ranks_per_model;
    int found = wanted ? vb_groups_of_size(ranks, wanted) :
                         vb_groups_plan(schedule->item_costs, schedule->item_parts, schedule->item_count, ranks, 0, NULL, err);
    *groups = found;
    if (found == 1 && vb_schedule_as_listed(schedule, err)) found = -1;
    return vb_comm_agree(&run->world->comm, found < 0 ? -1 : 0, err);
}

static int run_items(run_state *run, vb_error *err) {
    const vb_schedule *schedule = &run->schedule;
    int64_t item = 0;
    int status = 0;
    while (!status && !(status = vb_groups_next(&run->groups, &item, err)) && item < schedule->item_count)
        for (int i = schedule->items[item]; i < schedule->items[item + 1] && !status; i++)
            status = run_unit(run, &schedule->units[schedule->order[i]], err);
    if (run->model.spec) vb_model_close(&run->model);
    return status;
}

/* What rank 0 gets from one group's leader. */
static json_t *group_report(const run_state *run) {
    const vb_groups *groups = &run->groups;
    json_t *facts = json_pack("{s:i, s:i, s:f, s:f}", "ranks", groups->context.comm.size, "units",
                              (int)json_array_size(run->done), "busy_seconds", groups->busy, "idle_seconds", groups->idle);
    return json_pack("{s:o, s:O}", "facts", facts, "done", run->done);
}

/* All groups' results in the experiment's order. blocks[r] is rank r's report, empty where it led no group. */
static int put_together(run_state *run, void *const *blocks, const size_t *sizes, json_t *groups, double times[2],
                        vb_error *err) {
    int ranks = run->world->comm.size, status = -1;
    json_t *reports = json_array(), **by_unit = vb_array((size_t)run->schedule.count + 1, sizeof(json_t *), "results", err),
           *entry;
    size_t i;
    if (!reports || !by_unit) goto done;
    for (int r = 0; r < ranks; r++) {
        if (!sizes[r]) continue;
        json_t *report = json_loads(blocks[r], 0, NULL), *facts = json_object_get(report, "facts");
        if (json_array_append_new(reports, report) || json_array_append(groups, facts)) {
            vb_errorf(err, VB_EINTERNAL, "results of rank %d did not arrive whole", r);
            goto done;
        }
        double share = (double)json_integer_value(json_object_get(facts, "ranks"));
        times[0] += share * json_real_value(json_object_get(facts, "busy_seconds"));
        times[1] += share * json_real_value(json_object_get(facts, "idle_seconds"));
        json_array_foreach(json_object_get(report, "done"), i, entry)
            by_unit[json_integer_value(json_object_get(entry, "unit"))] = entry;
    }
    for (int u = 0; u < run->schedule.count; u++) {
        char name[16];
        snprintf(name, sizeof name, "%d", u);
        json_t *result = by_unit[u] ? json_object_get(by_unit[u], "result") : json_object_get(run->found, name);
        if (!result || json_array_append(run->results, result)) {
            vb_errorf(err, VB_EINTERNAL, "no result of unit %d", u);
            goto done;
        }
        if (by_unit[u]) json_array_append(run->pairs, json_object_get(by_unit[u], "pair"));
    }
    status = 0;
done:
    json_decref(reports);
    vb_free(by_unit);
    return status;
}

/* The groups' results to rank 0, and the `run` block's facts of the groups. */
static int gather_results(run_state *run, json_t **groups, double *idle_share, vb_error *err) {
    vb_comm *comm = &run->world->comm;
    json_t *report = run->context->comm.rank ? NULL : group_report(run);
    char *text = report ? json_dumps(report, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    int status = run->context->comm.rank || text ? 0 : vb_errorf(err, VB_EMEMORY, "no memory for the results");
    void **blocks = NULL;
    size_t *sizes = NULL;
    double times[2] = {0};
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_gather(comm, text, text ? strlen(text) : 0, &blocks, &sizes, err);
    if (!status && !comm->rank) {
        *groups = json_array();
        status = *groups ? put_together(run, blocks, sizes, *groups, times, err) : vb_errorf(err, VB_EMEMORY, "no memory");
        *idle_share = times[0] + times[1] > 0 ? times[1] / (times[0] + times[1]) : 0;
    }
    for (int r = 0; blocks && r < comm->size; r++) vb_free(blocks[r]);
    vb_free(blocks);
    vb_free(sizes);
    free(text); /* jansson's */
    json_decref(report);
    return vb_comm_agree(comm, status, err);
}

/* Every unit that is not finished, by groups of ranks. */
static int run_units(run_state *run, json_t **facts, vb_error *err) {
    vb_comm *world = &run->world->comm;
    json_t *groups = NULL;
    double idle_share = 0;
    int count, status = look_for_finished(run, err);
    if (!status) status = vb_schedule_order(&run->schedule, &run->experiment, run->datasets, world, err);
    if (!status) status = count_groups(run, &count, err);
    if (!status) status = vb_groups_open(&run->groups, run->world, count, run->schedule.item_count, err);
    if (status) return -1;
    run->context = &run->groups.context;
    double startup = run->groups.started - run->world->started;
    status = vb_groups_wait(&run->groups, run_items(run, err), err);
    if (!status) status = gather_results(run, &groups, &idle_share, err);
    vb_groups_close(&run->groups);
    run->context = run->world;
    if (!status)
        status = vb_provenance_run_facts(world, run->threads, MPI_Wtime() - run->world->started, &run->memory, facts, err);
    if (!status && !world->rank) {
        json_object_set_new(*facts, "startup_seconds", json_real(startup));
        json_object_set(*facts, "groups", groups);
        json_object_set_new(*facts, "idle_share", json_real(idle_share));
    }
    json_decref(groups);
    return status;
}

/* ---- the whole ---- */

static void print_notes(const run_state *run) {
    for (int d = 0; d < run->experiment.dataset_count; d++) {
        const vb_vocabularies *vocabularies = &run->datasets[d].vocabularies;
        for (int i = 0; i < vocabularies->duplicates && i < 5; i++)
            printf("note: %s: %s\n", run->datasets[d].spec->name, vocabularies->duplicate_notes[i]);
        if (vocabularies->duplicates > 5)
            printf("note: %s: %d more class names occur twice\n", run->datasets[d].spec->name, vocabularies->duplicates - 5);
    }
    size_t i;
    json_t *entry;
    json_array_foreach(run->results, i, entry) {
        const json_t *data = json_object_get(entry, "data");
        json_int_t outside = json_integer_value(json_object_get(data, "images_of_no_vocabulary")),
                   skipped = json_integer_value(json_object_get(data, "images_skipped"));
        json_int_t distractors = json_integer_value(json_object_get(data, "classes_without_images"));
        const char *model = json_string_value(json_object_get(entry, "model")),
                   *dataset = json_string_value(json_object_get(entry, "dataset"));
        if (outside)
            printf("note: %s / %s: images of no vocabulary's class, left out: %lld\n", model, dataset, (long long)outside);
        if (skipped)
            printf("note: %s / %s: broken images, skipped and listed in results.json: %lld\n", model, dataset,
                   (long long)skipped);
        if (distractors)
            printf("note: %s / %s: classes without images, which only distract: %lld\n", model, dataset, (long long)distractors);
    }
}

/* Where the images lie, for a report that shows some of them. */
static int add_sources(const run_state *run, json_t *facts, vb_error *err) {
    json_t *sources = json_array();
    int status = sources && !json_object_set_new(facts, "sources", sources) ? 0 : vb_errorf(err, VB_EMEMORY, "no memory");
    for (int d = 0; d < run->experiment.dataset_count && !status; d++) {
        const vb_dataset_spec *spec = &run->experiment.datasets[d];
        if (!spec->images) continue;
        char *images = vb_path_absolute(spec->images, err),
             *names = spec->class_names ? vb_path_absolute(spec->class_names, err) : NULL;
        json_t *source = images && (names || !spec->class_names) ?
                             json_pack("{s:s, s:s, s:s*}", "dataset", spec->name, "images", images, "class_names", names) :
                             NULL;
        /* A path that is not UTF-8 cannot be written down: its pictures will not be shown. */
        if (source) json_array_append_new(sources, source);
        else if (!images || (spec->class_names && !names)) status = -1;
        vb_free(images);
        vb_free(names);
    }
    return status;
}

static int write_results(run_state *run, json_t *facts, vb_error *err) {
    const vb_experiment *experiment = &run->experiment;
    json_object_set(facts, "pairs", run->pairs);
    json_object_set_new(facts, "options", vb_experiment_machine_json(experiment));
    if (add_sources(run, facts, err)) return -1;
    json_t *document = vb_document_new(experiment->name, experiment->configuration, run->results, facts, err);
    int status = document ? vb_document_write(experiment->output, document, experiment->latex, err) : -1;
    if (!status) {
        print_notes(run);
        printf("results: %s/results.json\n", experiment->output);
    }
    json_decref(document);
    return status;
}

static int prepare_output(run_state *run, vb_error *err) {
    int status = 0;
    if (!run->world->comm.rank) {
        char *pairs = vb_format(err, "%s/pairs", run->experiment.output);
        status = !pairs || vb_path_make_folders(pairs, err) || vb_path_make_folders(run->experiment.cache, err) ? -1 : 0;
        if (!status && access(run->experiment.output, W_OK))
            status = vb_errorf(err, VB_EOUTPUT, "%s: the output folder is not writable", run->experiment.output);
        if (!status) vb_writer_sweep_temporaries(run->experiment.output);
        if (!status) vb_writer_sweep_temporaries(run->experiment.cache);
        vb_free(pairs);
    }
    run->results = json_array();
    run->pairs = json_array();
    run->done = json_array();
    if (!status && (!run->results || !run->pairs || !run->done)) status = vb_errorf(err, VB_EMEMORY, "no memory");
    return vb_comm_agree(&run->context->comm, status, err);
}

int vb_cmd_run(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    run_state run = {.world = context, .context = context, .resume = vb_arguments_given(arguments, context->command, "resume")};
    json_t *facts = NULL;
    int status = vb_experiment_arguments_read(&run.experiment, context, arguments, err);
    if (status) return -1;
    run.threads = run.experiment.threads ? (int)run.experiment.threads : vb_threads_default(&context->comm);
    status = prepare_output(&run, err);
    if (!status) status = vb_dataset_state_open_all(&run.datasets, context, &run.experiment, err);
    if (!status && !context->comm.rank)
        status = vb_journal_open(&run.experiment, run.datasets, context->comm.size, run.resume, err);
    status = vb_comm_agree(&context->comm, status, err);
    bool noted = !status && !context->comm.rank;
    if (!status) status = vb_threads_warn(&context->comm, run.threads, err);
    if (!status) status = run_units(&run, &facts, err);
    if (!status && !context->comm.rank) status = write_results(&run, facts, err);
    status = vb_comm_agree(&context->comm, status, err);
    if (noted) vb_journal_close(&run.experiment, status, err);
    json_decref(facts);
    json_decref(run.done);
    json_decref(run.found);
    json_decref(run.results);
    json_decref(run.pairs);
    vb_schedule_free(&run.schedule);
    vb_dataset_state_close_all(run.datasets, &run.experiment);
    vb_experiment_free(&run.experiment);
    return status;
}
