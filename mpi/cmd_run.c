/* `vocabench run`: an experiment from its file to results.json and tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/memory.h"
#include "mpi/adversarial.h"
#include "mpi/analyses.h"
#include "mpi/commands.h"
#include "mpi/evaluate.h"
#include "mpi/provenance.h"
#include "mpi/repe.h"
#include "mpi/results.h"

const vb_flag vb_run_flags[] = {{"output", VB_FLAG_TEXT, "DIR", false, "folder of the results [results/EXPERIMENT]", 0, 0},
                                {"set", VB_FLAG_LIST, "path.to.key=value", false,
                                 "override a key of the file: seed=7, models.tiny.weights=W, datasets.0.images=DIR", 0, 0},
                                {"resume", VB_FLAG_SWITCH, NULL, false,
                                 "take (model, dataset) results that an earlier run of the same experiment finished as they are", 0, 0},
                                {"cache", VB_FLAG_TEXT, "DIR", false, "folder of encoded units [OUTPUT/cache]", 0, 0},
                                {"batch", VB_FLAG_TEXT, "N", false, "images encoded at once", 0, 0},
                                {"threads", VB_FLAG_TEXT, "N", false, "threads a rank", 0, 0},
                                {"per-image", VB_FLAG_SWITCH, NULL, false, "write a record for every image", 0, 0},
                                {"latex", VB_FLAG_SWITCH, NULL, false, "write table.tex as well", 0, 0},
                                {0}};

const char vb_run_details[] = "Writes DIR/results.json, table.md and table.csv, and prints the table. Encoded units are kept in the "
                              "cache: a second run encodes nothing, and a\n"
                              "run that was stopped or killed goes on where it was, at any number of ranks. The same experiment gives "
                              "the same bytes (the `run` block of timings\n"
                              "and hosts aside) at any number of ranks and threads and any batch size.";

void vb_run_help(void) {
    printf("\nkeys of the experiment file:\n");
    vb_options_help(vb_experiment_options(), false);
    printf("\nkeys of a dataset:\n");
    vb_options_help(vb_dataset_options(), false);
    printf("\nkeys of a model:\n");
    vb_options_help(vb_model_options(), false);
    printf("\nkeys of adversarial:\n");
    vb_options_help(vb_adversarial_options(), false);
}

typedef struct run_state {
    vb_context *context;
    vb_experiment experiment;
    vb_dataset_state *datasets;
    int threads;
    bool resume;
    json_t *results, *pairs; /* rank 0: results[] and the `run` block's pairs[] */
} run_state;

int vb_read_experiment(vb_experiment *experiment, vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_override overrides[VB_ARGUMENTS + 8];
    char *keys[VB_ARGUMENTS] = {NULL};
    int n = 0, copies = 0, status = 0;
    for (int i = 0; i < arguments->list_count && !status; i++) {
        const char *text = arguments->list[i].text, *equals = strchr(text, '=');
        if (!equals || equals == text) {
            status = vb_errorf(err, VB_EUSAGE, "--set: expected path.to.key=value, found '%s'", text);
            break;
        }
        if (!(keys[copies] = vb_strndup(text, (size_t)(equals - text), err)))
            status = -1;
        else
            overrides[n++] = (vb_override){keys[copies++], equals + 1};
    }
    static const char *const flags[][2] = {{"output", "output"},   {"cache", "cache"},         {"batch", "batch"},
                                           {"threads", "threads"}, {"per-image", "per_image"}, {"latex", "latex"}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (!vb_argument_given(arguments, context->command, flags[i][0])) continue;
        const char *text = vb_argument(arguments, context->command, flags[i][0]);
        overrides[n++] = (vb_override){flags[i][1], text ? text : "true"};
    }
    if (!status) status = vb_experiment_read(experiment, arguments->positional[0], overrides, n, err);
    for (int i = 0; i < copies; i++) vb_free(keys[i]);
    return vb_agree(&context->comm, status, err);
}

/* ---- one pair ---- */

/* A file name for a pair: whatever is unusual in a name becomes '_'. */
static char *pair_path(const run_state *run, const char *folder, const char *model, const char *dataset, const char *suffix,
                       vb_error *err) {
    char *path = vb_format(err, "%s/%s/%s--%s%s", run->experiment.output, folder, model, dataset, suffix);
    for (char *at = path ? path + strlen(run->experiment.output) + strlen(folder) + 2 : NULL; at && *at; at++)
        if (strchr(" \\:*?\"<>|", *at)) *at = '_';
    return path;
}

static void add_file(vb_digester *digester, const char *path) {
    struct stat info;
    if (!path) return;
    vb_digester_add_text(digester, path);
    if (stat(path, &info)) return;
    int64_t facts[3] = {info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
    vb_digester_add(digester, facts, sizeof facts);
}

/* A corpus as it lies: every file of its globs. */
static void add_corpus(vb_digester *digester, const vb_corpus_spec *corpus) {
    const char *const patterns[] = {corpus->images, corpus->embeddings, corpus->captions, corpus->text_embeddings};
    vb_error none;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        vb_paths paths;
        if (!patterns[i] || vb_glob(&paths, patterns[i], &none)) continue;
        for (size_t p = 0; p < paths.count; p++) add_file(digester, paths.items[p]);
        vb_paths_free(&paths);
    }
}

/* What a finished pair's result depends on: when nothing of it has changed, --resume takes the result as it is. */
static int pair_key(const run_state *run, const vb_model_spec *spec, int m, const vb_dataset_state *data, vb_digest *key,
                    vb_error *err) {
    const vb_experiment *experiment = &run->experiment;
    vb_digester *digester;
    if (vb_digester_new(&digester, err)) return -1;
    vb_digester_add_text(digester, vb_version());
    int64_t protocol[] = {experiment->protocol,           experiment->trials,    experiment->seed,
                          experiment->union_permutations, experiment->per_image, experiment->analyses};
    vb_digester_add(digester, protocol, sizeof protocol);
    /* All settings of the experiment, but of the models only this one; datasets speak through their digests below. */
    json_t *settings = json_copy(experiment->configuration);
    json_object_del(settings, "datasets");
    json_object_set(settings, "models", json_array_get(json_object_get(experiment->configuration, "models"), (size_t)m));
    char *text = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    vb_digester_add_text(digester, text ? text : "");
    free(text); /* jansson's */
    json_decref(settings);
    const vb_retrieval_spec *retrieval = vb_model_retrieval(experiment, spec);
    if (retrieval) add_corpus(digester, vb_find_corpus(experiment, retrieval->corpus));
    add_file(digester, experiment->adversarial.candidates);
    add_file(digester, experiment->adversarial.embeddings);
    const char *const files[] = {spec->weights,         spec->tokenizer, spec->coop,       spec->image_embeddings,
                                 spec->text_embeddings, spec->labels,    spec->text_names, spec->label_names};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) add_file(digester, files[i]);
    vb_digester_add_text(digester, data->vocabularies.digest.hex);
    vb_digester_add(digester, &data->spec->on_error, sizeof data->spec->on_error);
    int status = 0;
    for (int64_t u = 0; data->dataset && !status && u < vb_dataset_units(data->dataset); u++) {
        vb_digest signature;
        status = vb_dataset_unit_signature(data->dataset, u, &signature, err);
        if (!status) vb_digester_add_text(digester, signature.hex);
    }
    *key = vb_digester_finish(digester);
    return status;
}

/* Rank 0: the pair's finished result, when --resume was given and its key fits. Everyone learns whether there is one. */
static int find_finished(run_state *run, const vb_digest *key, const char *path, bool *found, vb_error *err) {
    int have = 0;
    if (!run->context->comm.rank && run->resume && vb_exists(path)) {
        json_t *file = json_load_file(path, 0, NULL);
        const char *stored = json_string_value(json_object_get(file, "key"));
        json_t *result = json_object_get(file, "result");
        if (stored && !strcmp(stored, key->hex) && json_is_object(result)) {
            json_array_append(run->results, result);
            have = 1;
        }
        json_decref(file);
    }
    if (vb_broadcast(&run->context->comm, &have, sizeof have, err)) return -1;
    *found = have;
    return 0;
}

static int store_pair(run_state *run, json_t *result, const vb_pair_counts *counts, double seconds, const vb_digest *key,
                      const char *path, vb_error *err) {
    json_t *file = json_pack("{s:s, s:O}", "key", key->hex, "result", result);
    int status = vb_write_json(file, path, err);
    json_decref(file);
    json_array_append(run->results, result);
    json_array_append_new(run->pairs, json_pack("{s:O, s:O, s:f, s:I, s:I, s:I, s:I, s:I}", "model", json_object_get(result, "model"),
                                                "dataset", json_object_get(result, "dataset"), "seconds", seconds, "units_encoded",
                                                (json_int_t)counts->units_encoded, "units_cached", (json_int_t)counts->units_cached,
                                                "images_encoded", (json_int_t)counts->images_encoded, "texts_encoded",
                                                (json_int_t)counts->texts_encoded, "texts_cached", (json_int_t)counts->texts_cached));
    return status;
}

/* Records of an earlier, interrupted run must not be joined into this one's. */
static int clear_parts(run_state *run, const char *records, vb_error *err) {
    int status = 0;
    if (!run->context->comm.rank) {
        vb_paths names;
        vb_error none;
        char *folder = vb_format(err, "%s.parts", records);
        if (!folder)
            status = -1;
        else if (vb_is_folder(folder) && !vb_list_folder(&names, folder, &none)) {
            for (size_t i = 0; i < names.count; i++) {
                char *part = vb_format(err, "%s/%s", folder, names.items[i]);
                if (part) unlink(part);
                vb_free(part);
            }
            vb_paths_free(&names);
        }
        vb_free(folder);
    }
    return vb_agree(&run->context->comm, status, err);
}

/* REPE after the plain evaluation: its figures become the result's `retrieval`. */
static int retrieve_pair(run_state *run, const vb_pair *pair, json_t *result, vb_error *err) {
    char *list = pair_path(run, "retrieval", pair->spec->name, pair->data->spec->name, ".jsonl.zst", err);
    char *embeddings = pair_path(run, "retrieval", pair->spec->name, pair->data->spec->name, "", err);
    char *checkpoint = vb_format(err, "%s/scan", run->experiment.output),
         *folder = vb_format(err, "%s/retrieval", run->experiment.output);
    int status = list && embeddings && checkpoint && folder ? 0 : -1;
    if (!status && !run->context->comm.rank) status = vb_make_folders(folder, err);
    status = vb_agree(&run->context->comm, status, err);
    vb_repe_job job = {.pair = *pair, .list = list, .embeddings = embeddings, .checkpoint = checkpoint};
    json_t *retrieval = NULL;
    if (!status) status = vb_repe(run->context, &job, &retrieval, err);
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
    if (run->experiment.per_image && !(records = pair_path(run, "records", spec->name, data->spec->name, ".jsonl.zst", err)))
        status = -1;
    status = vb_agree(&run->context->comm, status, err);
    if (!status && records) status = clear_parts(run, records, err);
    json_t *result = NULL;
    vb_pair_counts counts = {0};
    vb_pair pair = {.experiment = &run->experiment,
                    .spec = spec,
                    .data = data,
                    .source = source,
                    .classifier = classifier,
                    .records = records,
                    .threads = run->threads};
    if (!status) status = vb_evaluate(run->context, &pair, &result, &counts, err);
    if (!status && run->experiment.analyses) status = vb_analyses(run->context, &pair, result, err);
    if (!status && run->experiment.adversarial.candidates) status = vb_adversarial(run->context, &pair, result, err);
    if (!status && vb_model_retrieval(&run->experiment, spec)) status = retrieve_pair(run, &pair, result, err);
    if (!status && result) status = store_pair(run, result, &counts, MPI_Wtime() - start, key, path, err);
    status = vb_agree(&run->context->comm, status, err);
    json_decref(result);
    vb_free(records);
    return status;
}

/* ---- a model with all its datasets ---- */

static int run_precomputed(run_state *run, const vb_model_spec *spec, const vb_dataset_state *data, const vb_digest *key,
                           const char *path, vb_error *err) {
    vb_image_source source = {0};
    vb_classifier classifier = {0};
    int64_t *images = vb_array((size_t)data->space.classes + 1, sizeof *images, "class counts", err);
    int status = vb_agree(&run->context->comm, images ? 0 : -1, err);
    if (!status) status = vb_image_source_precomputed(&source, &run->context->comm, data, spec, images, err);
    if (!status) status = vb_classifier_precomputed(&classifier, &run->context->comm, data, spec, err);
    if (!status) status = evaluate_pair(run, spec, data, &source, &classifier, key, path, err);
    vb_classifier_free(&classifier);
    vb_image_source_close(&source);
    vb_free(images);
    return status;
}

static int run_encoded(run_state *run, const vb_model *model, const vb_dataset_state *data, const vb_digest *key, const char *path,
                       vb_error *err) {
    const vb_experiment *experiment = &run->experiment;
    vb_classifier classifier = {0};
    vb_image_source source;
    vb_encode_options options = {.batch = (int)experiment->batch,
                                 .threads = run->threads,
                                 .skip_broken = data->spec->on_error == 1,
                                 .dataset = data->spec->name};
    int status = vb_classifier_encode(&classifier, run->context, model, data, experiment->cache, run->threads,
                                      vb_model_retrieval(experiment, model->spec) != NULL, err);
    if (!status) {
        vb_image_source_encoded(&source, data, model, experiment->cache, &options);
        status = evaluate_pair(run, model->spec, data, &source, &classifier, key, path, err);
    }
    vb_classifier_free(&classifier);
    return status;
}

static bool wants(const vb_model_spec *spec, const vb_dataset_state *data) {
    return !spec->dataset || !strcmp(spec->dataset, data->spec->name);
}

static int run_model(run_state *run, int m, vb_error *err) {
    const vb_model_spec *spec = &run->experiment.models[m];
    vb_comm *comm = &run->context->comm;
    vb_model model = {0};
    int status = 0;
    for (int d = 0; d < run->experiment.dataset_count && !status; d++) {
        const vb_dataset_state *data = &run->datasets[d];
        if (!wants(spec, data)) continue;
        if ((status = vb_agree(comm, vb_check_stop(run->context, err), err))) break;
        vb_digest key = {""};
        bool finished = false;
        char *path = pair_path(run, "pairs", spec->name, data->spec->name, ".json", err);
        status = path ? 0 : -1;
        if (!status && !comm->rank) status = pair_key(run, spec, m, data, &key, err);
        status = vb_agree(comm, status, err);
        if (!status) status = find_finished(run, &key, path, &finished, err);
        if (!status && !finished && spec->family == VB_PRECOMPUTED) status = run_precomputed(run, spec, data, &key, path, err);
        if (!status && !finished && spec->family != VB_PRECOMPUTED) {
            if (!model.spec) status = vb_model_open(&model, comm, spec, true, run->threads, err);
            if (!status) status = run_encoded(run, &model, data, &key, path, err);
        }
        vb_free(path);
    }
    if (model.spec) vb_model_close(&model);
    return status;
}

/* ---- the whole ---- */

static int open_datasets(run_state *run, vb_error *err) {
    const vb_experiment *experiment = &run->experiment;
    bool encoded = false;
    for (int m = 0; m < experiment->model_count; m++) encoded |= experiment->models[m].family != VB_PRECOMPUTED;
    run->datasets = vb_array((size_t)experiment->dataset_count, sizeof *run->datasets, "datasets", err);
    if (vb_agree(&run->context->comm, run->datasets ? 0 : -1, err)) return -1;
    for (int d = 0; d < experiment->dataset_count; d++) {
        if (vb_dataset_state_open(&run->datasets[d], run->context, &experiment->datasets[d], encoded, err)) return -1;
        if (encoded && vb_dataset_survey(&run->datasets[d], run->context, err)) return -1;
    }
    return 0;
}

/* Results of another experiment in the same folder are kept under another name, never overwritten. */
static int keep_earlier(const char *path, const char *digest, vb_error *err) {
    json_t *earlier = json_load_file(path, 0, NULL);
    if (!earlier) return 0;
    const char *stored = json_string_value(json_object_get(earlier, "configuration_digest"));
    int status = 0;
    if (stored && strcmp(stored, digest)) {
        char *kept = vb_format(err, "%.*sresults.%.8s.json", (int)(vb_base_name(path) - path), path, stored);
        status = kept ? vb_write_json(earlier, kept, err) : -1;
        if (!status) fprintf(stderr, "vocabench: results of another configuration are kept as %s\n", kept);
        vb_free(kept);
    }
    json_decref(earlier);
    return status;
}

static int write_table(const run_state *run, vb_table_form form, const char *name, vb_error *err) {
    char *table = vb_table(run->results, form, err);
    if (!table) return -1;
    int status = 0;
    if (name) {
        char *path = vb_format(err, "%s/%s", run->experiment.output, name);
        status = path ? vb_write_file(path, table, strlen(table), err) : -1;
        vb_free(path);
    } else
        printf("%s", table);
    vb_free(table);
    return status;
}

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
        if (outside) printf("note: %s / %s: images of no vocabulary's class, left out: %lld\n", model, dataset, (long long)outside);
        if (skipped)
            printf("note: %s / %s: broken images, skipped and listed in results.json: %lld\n", model, dataset, (long long)skipped);
        if (distractors)
            printf("note: %s / %s: classes without images, which only distract: %lld\n", model, dataset, (long long)distractors);
    }
}

static int write_results(run_state *run, json_t *facts, vb_error *err) {
    json_t *document = json_object(), *configuration = run->experiment.configuration;
    char *text = json_dumps(configuration, JSON_COMPACT | JSON_SORT_KEYS),
         *path = vb_format(err, "%s/results.json", run->experiment.output);
    int status = -1;
    if (!document || !text || !path) {
        vb_errorf(err, VB_EMEMORY, "no memory for the results");
        goto done;
    }
    vb_digest digest = vb_digest_bytes(text, strlen(text));
    json_object_set_new(document, "schema", json_string("vocabench.results/1"));
    json_object_set_new(document, "experiment", json_string(run->experiment.name));
    json_object_set(document, "configuration", configuration);
    json_object_set_new(document, "configuration_digest", json_string(digest.hex));
    json_object_set(document, "results", run->results);
    json_object_set(facts, "pairs", run->pairs);
    json_object_set_new(facts, "options", vb_experiment_machine_json(&run->experiment));
    json_object_set(document, "run", facts);
    if (keep_earlier(path, digest.hex, err) || vb_write_json(document, path, err)) goto done;
    if (write_table(run, VB_TABLE_MARKDOWN, "table.md", err) || write_table(run, VB_TABLE_CSV, "table.csv", err)) goto done;
    if (run->experiment.latex && write_table(run, VB_TABLE_LATEX, "table.tex", err)) goto done;
    if (write_table(run, VB_TABLE_TERMINAL, NULL, err)) goto done;
    print_notes(run);
    printf("results: %s\n", path);
    status = 0;
done:
    vb_free(path);
    free(text); /* jansson's */
    json_decref(document);
    return status;
}

static int prepare_output(run_state *run, vb_error *err) {
    int status = 0;
    if (!run->context->comm.rank) {
        char *pairs = vb_format(err, "%s/pairs", run->experiment.output);
        status = !pairs || vb_make_folders(pairs, err) || vb_make_folders(run->experiment.cache, err) ? -1 : 0;
        if (!status && access(run->experiment.output, W_OK))
            status = vb_errorf(err, VB_EOUTPUT, "%s: the output folder is not writable", run->experiment.output);
        vb_free(pairs);
        run->results = json_array();
        run->pairs = json_array();
        if (!status && (!run->results || !run->pairs)) status = vb_errorf(err, VB_EMEMORY, "no memory");
    }
    return vb_agree(&run->context->comm, status, err);
}

int vb_cmd_run(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    run_state run = {.context = context, .resume = vb_argument_given(arguments, context->command, "resume")};
    json_t *facts = NULL;
    int status = vb_read_experiment(&run.experiment, context, arguments, err);
    if (status) return -1;
    run.threads = run.experiment.threads ? (int)run.experiment.threads : vb_default_threads(&context->comm);
    status = prepare_output(&run, err);
    if (!status) status = open_datasets(&run, err);
    for (int m = 0; m < run.experiment.model_count && !status; m++) status = run_model(&run, m, err);
    if (!status) status = vb_run_facts(&context->comm, run.threads, MPI_Wtime() - context->started, &facts, err);
    if (!status && !context->comm.rank) status = write_results(&run, facts, err);
    status = vb_agree(&context->comm, status, err);
    json_decref(facts);
    json_decref(run.results);
    json_decref(run.pairs);
    for (int d = 0; run.datasets && d < run.experiment.dataset_count; d++)
        if (run.datasets[d].spec) vb_dataset_state_close(&run.datasets[d]);
    vb_free(run.datasets);
    vb_experiment_free(&run.experiment);
    return status;
}
