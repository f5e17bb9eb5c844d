/* One unit after the other: open what it needs, evaluate, analyse, attack, retrieve, store. */
#include "mpi/run/run_unit.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/adversarial/adversarial.h"
#include "mpi/analyse/analyses.h"
#include "mpi/base/json.h"
#include "mpi/encode/pair_inputs.h"
#include "mpi/evaluate/evaluate.h"
#include "mpi/results/document.h"
#include "mpi/retrieve/repe_stage.h"
#include "mpi/run/journal.h"
#include "mpi/run/rates.h"
#include "mpi/run/resume.h"
#include "shards/files/path.h"

/* Records of an earlier, interrupted run must not be joined into this one's. */
static int clear_parts(vb_runner *runner, const char *records, vb_error *err) {
    int status = 0;
    if (!runner->context->comm.rank) {
        vb_strings names = {0};
        char *folder = vb_format(err, "%s.parts", records);
        if (!folder || (vb_path_is_folder(folder) && vb_path_list_folder(&names, folder, err))) status = -1;
        for (size_t i = 0; !status && i < names.count; i++) {
            char *part = vb_path_join(folder, names.items[i], err);
            if (!part) status = -1;
            else if (unlink(part) && errno != ENOENT)
                status = vb_errorf(err, VB_EOUTPUT, "%s: cannot remove the records of an earlier run: %s", part, strerror(errno));
            vb_free(part);
        }
        vb_strings_free(&names);
        vb_free(folder);
    }
    return vb_comm_agree(&runner->context->comm, status, err);
}

/* What a pair's evaluation leaves: result and scan (of its corpus; NULL without) on the group's first rank. */
typedef struct finished_pair {
    json_t *result, *scan;
    vb_pair_counts counts;
    double started; /* vb_live_now */
} finished_pair;

/* The `run` block's entry of the pair. */
static json_t *pair_facts(const vb_runner *runner, const finished_pair *finished, vb_json *json) {
    const vb_pair_counts *counts = &finished->counts;
    json_t *pair = vb_json_object(json);
    vb_json_set_same(json, pair, "model", finished->result);
    vb_json_set_same(json, pair, "dataset", finished->result);
    vb_json_set_integer(json, pair, "group", runner->group);
    vb_json_set_real(json, pair, "seconds", vb_live_now() - finished->started);
    vb_json_set_integer(json, pair, "units_encoded", counts->units_encoded);
    vb_json_set_integer(json, pair, "units_cached", counts->units_cached);
    vb_json_set_integer(json, pair, "images_encoded", counts->images_encoded);
    vb_json_set_integer(json, pair, "texts_encoded", counts->texts_encoded);
    vb_json_set_integer(json, pair, "texts_cached", counts->texts_cached);
    vb_json_set(json, pair, "stages", vb_journal_stages(json, &runner->live));
    if (finished->scan) vb_json_set(json, pair, "retrieval", json_incref(finished->scan));
    if (runner->experiment->similarity_engine == VB_ENGINE_SCALAPACK) {
        json_t *similarity = vb_json_set_object(json, pair, "similarity");
        vb_json_set_text(json, similarity, "engine", "scalapack");
        vb_json_set_integer(json, similarity, "ranks", runner->context->comm.size);
        vb_json_set_integer(json, similarity, "compared", counts->compared);
        vb_json_set_integer(json, similarity, "rescored", counts->rescored);
    }
    return pair;
}

/* What the pair in hand has written beside its result, below the output folder. */
static int list_written(const vb_runner *runner, vb_strings *files, vb_error *err) {
    const vb_experiment *experiment = runner->experiment;
    const vb_model_spec *spec = &experiment->models[runner->unit->model];
    const vb_dataset_spec *data = runner->datasets[runner->unit->dataset].spec;
    const vb_retrieval_spec *retrieval = data->part_count ? NULL : vb_experiment_retrieval(experiment, spec);
    const char *output = experiment->output;
    size_t above = strlen(output) + 1;
    char *records = vb_document_pair_path(output, "records", spec->name, data->name, ".jsonl.zst", err),
         *list = vb_document_pair_path(output, "retrieval", spec->name, data->name, ".jsonl.zst", err),
         *start = vb_document_pair_path(output, "retrieval", spec->name, data->name, "", err);
    int status = records && list && start ? 0 : -1;
    if (!status && experiment->per_image) status = vb_strings_add(files, records + above, err);
    if (!status && retrieval) status = vb_strings_add(files, list + above, err);
    for (int k = 0; retrieval && k < retrieval->top_k_count && !status; k++)
        for (int l = 0; l < retrieval->lambda_count && !status; l++)
            status =
                vb_strings_take(files, vb_repe_stage_blend_path(start + above, retrieval->top_k[k], retrieval->lambda[l], err),
                                err);
    vb_free(records);
    vb_free(list);
    vb_free(start);
    return status;
}

/* Records and a list of an earlier evaluation that this one has not written anew would be taken for its own. */
static int remove_earlier(const vb_runner *runner, const vb_strings *written, vb_error *err) {
    static const char *const folders[] = {"records", "retrieval"};
    const vb_experiment *experiment = runner->experiment;
    const vb_model_spec *spec = &experiment->models[runner->unit->model];
    const vb_dataset_spec *data = runner->datasets[runner->unit->dataset].spec;
    const size_t above = strlen(experiment->output) + 1;
    for (size_t f = 0; f < sizeof folders / sizeof *folders; f++) {
        char *path = vb_document_pair_path(experiment->output, folders[f], spec->name, data->name, ".jsonl.zst", err);
        if (!path) return -1;
        bool own = false;
        for (size_t i = 0; i < written->count; i++) own = own || !strcmp(written->items[i], path + above);
        if (!own) unlink(path);
        vb_free(path);
    }
    return 0;
}

/* Writes the pair's file and notes it in runner->done. */
static int store_pair(vb_runner *runner, const finished_pair *finished, const char *path, vb_error *err) {
    vb_strings files = {0};
    int status = vb_resume_files_check(&runner->files, err);
    if (!status) status = list_written(runner, &files, err);
    if (!status) status = remove_earlier(runner, &files, err);
    if (!status) status = vb_resume_store(&runner->unit->key, finished->result, runner->experiment->output, &files, path, err);
    vb_strings_free(&files);
    if (status) return -1;
    vb_json json = {0};
    json_t *entry = vb_json_object(&json);
    vb_json_set_integer(&json, entry, "unit", runner->number);
    vb_json_set(&json, entry, "result", json_incref(finished->result));
    vb_json_set(&json, entry, "pair", pair_facts(runner, finished, &json));
    vb_json_append(&json, runner->done, entry);
    return vb_json_end(&json, "the results", err);
}

/* REPE after the plain evaluation: its figures become the result's `retrieval`. */
static int retrieve_pair(vb_runner *runner, const vb_pair *pair, finished_pair *finished, vb_error *err) {
    char *list = vb_document_pair_path(runner->experiment->output, "retrieval", pair->spec->name, pair->data->spec->name,
                                       ".jsonl.zst", err);
    char *embeddings =
        vb_document_pair_path(runner->experiment->output, "retrieval", pair->spec->name, pair->data->spec->name, "", err);
    /* A folder each: groups may ask the same of one corpus at the same time. */
    char *checkpoint =
             vb_document_pair_path(runner->experiment->output, "scan", pair->spec->name, pair->data->spec->name, "", err),
         *folder = vb_format(err, "%s/retrieval", runner->experiment->output);
    int status = list && embeddings && checkpoint && folder ? 0 : -1;
    if (!status && !runner->context->comm.rank) status = vb_path_make_folders(folder, err);
    status = vb_comm_agree(&runner->context->comm, status, err);
    vb_repe_job job = {
        .pair = *pair, .plain = finished->result, .list = list, .embeddings = embeddings, .checkpoint = checkpoint};
    json_t *retrieval = NULL;
    if (!status) status = vb_repe_stage(runner->context, &job, &retrieval, &finished->scan, err);
    vb_json json = {0};
    if (finished->result && retrieval) vb_json_set(&json, finished->result, "retrieval", json_incref(retrieval));
    if (!status) status = vb_json_end(&json, "the results", err);
    json_decref(retrieval);
    vb_free(list);
    vb_free(embeddings);
    vb_free(checkpoint);
    vb_free(folder);
    return status;
}

/* What it took is told to the next plan. */
static void keep_rates(const vb_runner *runner, const finished_pair *finished) {
    const vb_dataset_state *data = &runner->datasets[runner->unit->dataset];
    const vb_rates_of of = {.cache = runner->experiment->cache,
                            .model = &runner->model,
                            .dataset = data->spec->name,
                            .threads = runner->threads,
                            .gpu = runner->model.engine != NULL};
    if (!data->part_count && runner->experiment->models[runner->unit->model].family != VB_PRECOMPUTED)
        vb_rates_keep(&of, &runner->live, &finished->counts, runner->context->comm.size, runner->crowd);
}

/* Everything that the experiment asks of the unit in hand; its result goes to `path`. */
static int evaluate_pair(vb_runner *runner, const vb_pair_inputs *inputs, const char *path, vb_error *err) {
    const vb_experiment *experiment = runner->experiment;
    const vb_model_spec *spec = &experiment->models[runner->unit->model];
    const vb_dataset_state *data = &runner->datasets[runner->unit->dataset];
    char *records = NULL;
    int status = 0;
    if (runner->experiment->per_image && !(records = vb_document_pair_path(runner->experiment->output, "records", spec->name,
                                                                           data->spec->name, ".jsonl.zst", err)))
        status = -1;
    status = vb_comm_agree(&runner->context->comm, status, err);
    if (!status && records) status = clear_parts(runner, records, err);
    finished_pair finished = {.started = vb_live_now()};
    vb_pair pair = {.experiment = runner->experiment,
                    .spec = spec,
                    .data = data,
                    .source = &inputs->source,
                    .classifier = &inputs->classifier,
                    .records = records,
                    .threads = runner->threads};
    const vb_analysis_subject subject = {experiment,
                                         spec,
                                         inputs->source.model,
                                         inputs->classifier.dim,
                                         data,
                                         vb_image_source_sets(&inputs->source),
                                         inputs->source.classes};
    if (!status) status = vb_analyses_check(&subject, err);
    if (!status) status = vb_adversarial_check(experiment, spec, inputs->source.model, inputs->classifier.dim, data, err);
    status = vb_comm_agree(&runner->context->comm, status, err);
    if (!status) status = vb_evaluate(runner->context, &pair, &finished.result, &finished.counts, err);
    if (!status && experiment->analyses)
        status = vb_analyses(runner->context, &pair, experiment->analyses, VB_TEXTS_PLAIN, finished.result, err);
    bool whole = !data->part_count; /* what adds texts to a dataset's own is not made for expansions */
    if (!status && whole && experiment->adversarial.pool.asked)
        status = vb_adversarial(runner->context, &pair, finished.result, err);
    if (!status && whole && vb_experiment_retrieval(experiment, spec)) status = retrieve_pair(runner, &pair, &finished, err);
    if (!status && finished.result) status = store_pair(runner, &finished, path, err);
    if (!status && finished.result) keep_rates(runner, &finished);
    vb_memory_peak_note(&runner->memory);
    status = vb_comm_agree(&runner->context->comm, status, err);
    json_decref(finished.scan);
    json_decref(finished.result);
    vb_free(records);
    return status;
}

/* The model of the unit in hand, which may be that of the unit before under another name and with other prompts. */
static int open_model(vb_runner *runner, const vb_model_spec *spec, vb_error *err) {
    if (runner->model.spec && vb_schedule_same_encoder(runner->model.spec, spec)) {
        runner->model.spec = spec;
        return 0;
    }
    if (runner->model.spec) vb_model_close(&runner->model);
    if (vb_model_open(&runner->model, runner->context, spec, true, runner->threads, runner->experiment->cache, err)) return -1;
    return vb_model_expect(&runner->model, runner->context, (int)runner->experiment->batch, err);
}

int vb_run_unit(vb_runner *runner, const vb_pair_unit *unit, int number, vb_error *err) {
    const vb_model_spec *spec = &runner->experiment->models[unit->model];
    const vb_dataset_state *data = &runner->datasets[unit->dataset];
    vb_comm *comm = &runner->context->comm;
    assert(!unit->finished && runner->threads > 0 && runner->done);
    int status = vb_comm_agree(comm, vb_context_check_stop(runner->context, err), err);
    if (status) return -1;
    runner->unit = unit;
    runner->number = number;
    vb_live_begin(&runner->live, unit->cost);
    char *path = vb_document_pair_path(runner->experiment->output, "pairs", spec->name, data->spec->name, ".json", err);
    status = (!path || (!comm->rank && vb_journal_begin(path, err))) ? -1 : 0;
    runner->live.where = path;
    if (!status && !comm->rank) status = vb_resume_files_add(&runner->files, runner->experiment, unit, data, err);
    status = vb_comm_agree(comm, status, err);
    bool encoded = spec->family != VB_PRECOMPUTED;
    vb_pair_inputs inputs = {0};
    const vb_encoding how = {.context = runner->context,
                             .model = encoded ? &runner->model : NULL,
                             .cache = runner->experiment->cache,
                             .batch = (int)runner->experiment->batch,
                             .text_rules = runner->experiment->text_rules,
                             .threads = runner->threads,
                             .decode_memory = runner->experiment->decode_memory};
    if (!status && encoded) status = open_model(runner, spec, err);
    if (!status)
        status = vb_pair_inputs_open(&inputs, &how, runner->experiment, spec, data,
                                     vb_experiment_retrieval(runner->experiment, spec) != NULL, err);
    if (!status) status = evaluate_pair(runner, &inputs, path, err);
    vb_pair_inputs_close(&inputs);
    vb_resume_files_free(&runner->files);
    runner->live.where = NULL;
    vb_live_end(&runner->live);
    if (!status && !comm->rank) vb_journal_end(path);
    vb_free(path);
    return status;
}

void vb_run_unit_end(vb_runner *runner) {
    if (runner->model.spec) vb_model_close(&runner->model);
}
