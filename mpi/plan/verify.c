/* Results looked at again. */
#include "mpi/plan/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/similarity.h"
#include "mpi/encode/model.h"
#include "mpi/encode/pair_inputs.h"
#include "mpi/evaluate/unit_views.h"
#include "mpi/plan/verify_figures.h"
#include "mpi/plan/verify_sums.h"
#include "mpi/ranks/threads.h"
#include "mpi/results/document.h"
#include "mpi/results/record_set.h"
#include "mpi/run/resume.h"
#include "mpi/run/run.h"
#include "shards/files/path.h"
#include "shards/files/zst_lines.h"

enum { WHERE = 256 };

static void name_pair(char where[WHERE], const json_t *entry) {
    snprintf(where, WHERE, "'%s' on '%s'", vb_json_text(entry, "model"), vb_json_text(entry, "dataset"));
}

/* What is missing, or of a kind that is not handled, could not be looked at; all else is an error. */
static void take(const vb_verify *verify, const char *where, vb_error *err) {
    if (err->code != VB_EMISSING && err->code != VB_EUNSUPPORTED) {
        vb_findings_take(verify->findings, where, err);
        return;
    }
    vb_findings_add(verify->findings, VB_FINDING_NOTE, where, "not looked at: %s", err->text);
    vb_error_clear(err);
}

/* ---- files ---- */

static int check_configuration(const vb_verify *verify, vb_error *err) {
    char digest[40];
    const char *stated = vb_json_text(verify->folder->document, "configuration_digest");
    if (vb_document_configuration_digest(json_object_get(verify->folder->document, "configuration"), digest, err)) return -1;
    if (!strcmp(digest, stated))
        vb_findings_add(verify->findings, VB_FINDING_OK, "configuration", "its digest is %s, as stated", digest);
    else {
        vb_errorf(err, VB_EDATA, "%s: configuration_digest: expected %s, found '%s': the file was changed by hand",
                  verify->folder->path, digest, stated);
        vb_findings_take(verify->findings, "configuration", err);
    }
    return 0;
}

static int check_pair(const vb_verify *verify, const json_t *entry, vb_error *err) {
    const vb_result_folder *folder = verify->folder;
    char where[WHERE];
    int files;
    vb_file_owner owner = VB_FILE_NONE;
    name_pair(where, entry);
    char *path = vb_result_folder_file(folder, "pairs", entry, ".json", err), *records = NULL;
    if (!path || vb_document_find_file(folder->folder, "records", entry, ".jsonl.zst", &records, &owner, err)) {
        vb_free(path);
        return -1;
    }
    if (vb_resume_verify(folder->folder, path, entry, &files, err)) take(verify, where, err);
    else
        vb_findings_add(verify->findings, VB_FINDING_OK, where,
                        "the pair's file has the same result, and %d other file%s as written", files, files == 1 ? "" : "s");
    if (owner == VB_FILE_NONE)
        vb_findings_add(verify->findings, VB_FINDING_NOTE, where, "not looked at: no records of the images (run --per-image)");
    else if (owner == VB_FILE_LEFT)
        vb_findings_add(verify->findings, VB_FINDING_NOTE, where,
                        "not looked at: %s: the records of an earlier run; this one wrote none (run --per-image)", records);
    else {
        vb_record_set set;
        int status = 0;
        if (vb_record_set_open(&set, folder, entry, err)) take(verify, where, err);
        else {
            vb_findings_add(verify->findings, VB_FINDING_OK, where,
                            "%" PRId64 " records give its Acc-C, Acc-E and accuracy of all classes", set.count);
            status = vb_verify_figures_of_records(verify, where, &set, err);
            if (!status) status = vb_verify_figures_counted(verify, where, &set, err);
        }
        vb_record_set_close(&set);
        if (status) {
            vb_free(path);
            vb_free(records);
            return -1;
        }
    }
    vb_verify_figures_of_entry(verify, where, entry);
    if (!verify->whole) vb_verify_figures_uncovered(verify, where, entry);
    vb_free(path);
    vb_free(records);
    return 0;
}

int vb_verify_files(const vb_verify *verify, vb_context *context, vb_error *err) {
    size_t i;
    json_t *entry;
    if (check_configuration(verify, err)) return -1;
    json_array_foreach(json_object_get(verify->folder->document, "results"), i, entry) {
        if (check_pair(verify, entry, err)) return -1;
    }
    return vb_verify_sums(verify, context, err);
}

/* ---- a sample ---- */

/* Similarities of sampled images by name, to be compared with the records' lines. Shards may have a name twice: each of its
 * images is looked for among all records of that name. */
typedef struct sample {
    vb_label_space space;
    vb_memberships memberships;
    vb_json json;
    /* name -> [{class, similarity}], and `found` once a record has the class: true, or its similarity where that is another */
    json_t *expected;
    int64_t compared, wrong;
    char first[256]; /* that is wrong */
} sample;

/* Whether a record has been found that agrees. */
static bool is_settled(const json_t *its) { return json_is_true(json_object_get(its, "found")); }

static void compare_line(sample *work, const char *line, size_t n) {
    vb_error none;
    json_error_t where;
    json_t *record = vb_json_parse_bare(line, n, 0, &where, &none), *its;
    const json_t *images = json_object_get(work->expected, vb_json_text(record, "image"));
    json_t *similarity = json_object_get(record, "similarity");
    bool agrees = false;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)images, i, its) {
        if (agrees || is_settled(its) || !json_is_number(similarity) ||
            strcmp(vb_json_text(its, "class"), vb_json_text(record, "class")))
            continue;
        agrees = vb_json_number(its, "similarity") == json_number_value(similarity);
        if (agrees) vb_json_set_bool(&work->json, its, "found", true);
        else if (!json_object_get(its, "found")) vb_json_set_real(&work->json, its, "found", json_number_value(similarity));
    }
    json_decref(record);
}

/* What all records have said. */
static void count_images(sample *work) {
    const char *name;
    json_t *images, *its;
    size_t i;
    json_object_foreach(work->expected, name, images) {
        json_array_foreach(images, i, its) {
            if (!json_object_get(its, "found")) continue;
            work->compared++;
            if (!is_settled(its) && !work->wrong++)
                snprintf(work->first, sizeof work->first,
                         "image '%.120s': similarity with its class %.17g, the records have %.17g", name,
                         vb_json_number(its, "similarity"), vb_json_number(its, "found"));
        }
    }
}

static int compare_records(sample *work, const char *path, vb_error *err) {
    vb_zst_lines lines;
    const char *line;
    size_t length;
    int status = vb_zst_lines_open(&lines, path, err);
    while (!status && !(status = vb_zst_lines_next(&lines, &line, &length, err)) && line) compare_line(work, line, length);
    vb_zst_lines_close(&lines);
    count_images(work);
    return status ? status : vb_json_end(&work->json, "a sample", err);
}

/* A unit's images, encoded here and now. Of an image of several right classes the first-ranked one counts, as in its record. */
static int add_unit(sample *work, const vb_pair_inputs *inputs, const vb_text_bank *bank, const vb_dataset_state *data,
                    int64_t unit, vb_error *err) {
    vb_unit_rows rows = {0};
    vb_unit_views views = {0};
    int status = vb_image_source_unit(&inputs->source, unit, &rows, err);
    if (!status) status = vb_unit_views_open(&views, &rows, vb_image_source_sets(&inputs->source), bank, &work->memberships, err);
    const size_t count = (size_t)views.block.rows;
    vb_verdict *verdicts = status ? NULL : vb_array(count, sizeof *verdicts, "outcome of a unit", err);
    uint8_t *beaten = verdicts ? vb_array(count * (size_t)work->space.vocabularies, 1, "outcome of a unit", err) : NULL;
    if (!status) status = beaten ? vb_similarity_judge(bank, &work->space, &views.block, beaten, verdicts, 1, err) : -1;
    for (int i = 0; i < rows.count && !status; i++) {
        json_t *its = vb_json_object(&work->json);
        vb_json_set_text(&work->json, its, "class", data->vocabularies.class[rows.classes[i]].name);
        vb_json_set_real(&work->json, its, "similarity", verdicts[vb_unit_views_first(&views, i)].similarity);
        json_t *images = json_object_get(work->expected, rows.names[i]);
        if (!images) images = vb_json_set_array(&work->json, work->expected, rows.names[i]);
        vb_json_append(&work->json, images, its);
    }
    vb_free(beaten);
    vb_free(verdicts);
    vb_unit_views_close(&views);
    vb_unit_rows_free(&rows);
    return status;
}

/* A number below `count`, the n-th that is drawn: by the pair and the configuration, so that nobody chooses. */
static int64_t draw(const vb_verify *verify, const json_t *entry, int n, int64_t count) {
    char text[512];
    const int length = snprintf(text, sizeof text, "%s/%s/%s/%d", vb_json_text(verify->folder->document, "configuration_digest"),
                                vb_json_text(entry, "model"), vb_json_text(entry, "dataset"), n);
    const vb_digest digest = vb_digest_bytes(text, length < (int)sizeof text ? (size_t)length : sizeof text - 1);
    char word[16];
    snprintf(word, sizeof word, "%.15s", digest.hex);
    return (int64_t)(strtoull(word, NULL, 16) % (unsigned long long)count);
}

/* Up to `most` of the units, each once, ascending; how many, -1 for an error. Each draw is among those that are left: its number
 * is moved beyond the units drawn before. Free *drawn. */
static int draw_units(const vb_verify *verify, const json_t *entry, int most, int64_t units, int64_t **drawn, vb_error *err) {
    const int count = most < units ? most : (int)units;
    if (!(*drawn = vb_array((size_t)count + 1, sizeof **drawn, "a sample", err))) return -1;
    for (int n = 0; n < count; n++) {
        int64_t unit = draw(verify, entry, n, units - n);
        int at = 0;
        while (at < n && (*drawn)[at] <= unit) at++, unit++;
        memmove(*drawn + at + 1, *drawn + at, (size_t)(n - at) * sizeof **drawn);
        (*drawn)[at] = unit;
    }
    return count;
}

static void check_digest(const vb_verify *verify, const char *where, const char *what, const char *here, const char *there) {
    vb_error err = {0};
    if (!strcmp(here, there)) {
        vb_findings_add(verify->findings, VB_FINDING_OK, where, "%s again: digest %.8s..., as stated", what, here);
        return;
    }
    vb_errorf(&err, VB_EMISMATCH, "%s again: digest %s, the results state %s", what, here, there);
    vb_findings_take(verify->findings, where, &err);
}

static int sample_images(const vb_verify *verify, const json_t *entry, const vb_pair_inputs *inputs, const vb_dataset_state *data,
                         const vb_model_spec *spec, int units, vb_error *err) {
    sample work = {.space = data->space};
    vb_text_bank *bank = NULL;
    char where[WHERE], list[256] = "";
    int used = 0, drawn = 0;
    int64_t *unit = NULL;
    vb_file_owner owner;
    char *records;
    name_pair(where, entry);
    work.expected = vb_json_object(&work.json);
    int status = vb_document_find_file(verify->folder->folder, "records", entry, ".jsonl.zst", &records, &owner, err);
    if (!status)
        status = vb_similarity_bank_new(&bank, inputs->classifier.texts, inputs->classifier.classes, inputs->classifier.dim,
                                        spec->similarity, err);
    work.space.sets = vb_image_source_sets(&inputs->source) != NULL;
    if (!status) status = vb_label_space_memberships_new(&work.memberships, &work.space, err);
    if (!status && (drawn = draw_units(verify, entry, units, inputs->source.units, &unit, err)) < 0) status = -1;
    for (int n = 0; n < drawn && !status; n++) {
        if (used < (int)sizeof list)
            used += snprintf(list + used, sizeof list - (size_t)used, "%s%" PRId64, n ? ", " : "", unit[n]);
        status = add_unit(&work, inputs, bank, data, unit[n], err);
    }
    if (!status) status = vb_json_end(&work.json, "a sample", err);
    if (!status && (owner == VB_FILE_OWN || owner == VB_FILE_OTHER)) status = compare_records(&work, records, err);
    if (!status && work.wrong) {
        vb_errorf(err, VB_EMISMATCH, "%" PRId64 " of %" PRId64 " images of units %s are not as recorded: %s", work.wrong,
                  work.compared, list, work.first);
        vb_findings_take(verify->findings, where, err);
    } else if (!status && work.compared)
        vb_findings_add(verify->findings, VB_FINDING_OK, where,
                        "units %s of %" PRId64 " again: %" PRId64
                        " images as similar to their classes as recorded, to the last bit",
                        list, inputs->source.units, work.compared);
    else if (!status)
        vb_findings_add(verify->findings, VB_FINDING_NOTE, where, "not looked at: no record of an image of units %s", list);
    json_decref(work.expected);
    vb_label_space_memberships_free(&work.memberships);
    vb_similarity_bank_free(bank);
    vb_free(unit);
    vb_free(records);
    return status;
}

/* A pair of the experiment whose entry is in the results. Errors of its inputs are findings. */
static int sample_pair(const vb_verify *verify, const vb_encoding *how, const vb_experiment *experiment, const json_t *entry,
                       const vb_model_spec *spec, const vb_dataset_state *data, int units, vb_error *err) {
    vb_pair_inputs inputs = {0};
    char where[WHERE];
    name_pair(where, entry);
    const json_t *embedding = json_object_get(entry, "embedding");
    int status = vb_pair_inputs_open(&inputs, how, experiment, spec, data, false, err);
    if (!status) {
        check_digest(verify, where, "all class texts", inputs.classifier.digest.hex,
                     vb_json_text(embedding, "text_embeddings_digest"));
        if (how->model)
            check_digest(verify, where, "weights", how->model->weights.digest.hex, vb_json_text(embedding, "weights_digest"));
        status = sample_images(verify, entry, &inputs, data, spec, units, err);
    }
    vb_pair_inputs_close(&inputs);
    if (status && err->code != VB_EINCOMPLETE && err->code != VB_EMEMORY) {
        take(verify, where, err);
        status = 0;
    }
    return status;
}

static const json_t *entry_of(const vb_verify *verify, const char *model, const char *dataset) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(verify->folder->document, "results"), i, entry) {
        if (!strcmp(vb_json_text(entry, "model"), model) && !strcmp(vb_json_text(entry, "dataset"), dataset)) return entry;
    }
    return NULL;
}

int vb_verify_sample(const vb_verify *verify, vb_context *context, const vb_experiment *experiment, int units,
                     const char *scratch, vb_error *err) {
    vb_dataset_state *datasets = NULL;
    const int threads = experiment->threads ? (int)experiment->threads : vb_threads_default(&context->comm);
    int status = vb_dataset_state_open_all(&datasets, context, experiment, err);
    if (status && err->code != VB_EINCOMPLETE && err->code != VB_EMEMORY) {
        take(verify, "datasets", err);
        vb_dataset_state_close_all(datasets, experiment);
        return 0;
    }
    for (int m = 0; m < experiment->model_count && !status; m++) {
        const vb_model_spec *spec = &experiment->models[m];
        vb_model model = {0};
        const bool encoded = spec->family != VB_PRECOMPUTED;
        char where[WHERE];
        snprintf(where, sizeof where, "model '%s'", spec->name);
        if (spec->left_out) continue;
        if (encoded && vb_model_open(&model, context, spec, true, threads, scratch, err)) {
            take(verify, where, err);
            continue;
        }
        const vb_encoding how = {.context = context,
                                 .model = encoded ? &model : NULL,
                                 .cache = scratch,
                                 .batch = (int)experiment->batch,
                                 .text_rules = experiment->text_rules,
                                 .threads = threads,
                                 .decode_memory = experiment->decode_memory};
        for (int d = 0; d < experiment->dataset_count && !status; d++) {
            const json_t *entry = entry_of(verify, spec->name, experiment->datasets[d].name);
            if (entry && vb_experiment_covers(experiment, spec, &experiment->datasets[d]))
                status = sample_pair(verify, &how, experiment, entry, spec, &datasets[d], units, err);
        }
        if (encoded) vb_model_close(&model);
    }
    vb_dataset_state_close_all(datasets, experiment);
    return status;
}

/* ---- all of it ---- */

/* One entry against that of the run made again. */
static void compare_entry(const vb_verify *verify, const json_t *entry, const json_t *results) {
    char where[WHERE];
    const char *key;
    json_t *its = NULL, *value;
    size_t i;
    vb_error err = {0};
    name_pair(where, entry);
    for (i = 0; i < json_array_size(results); i++) {
        json_t *other = json_array_get(results, i);
        if (!strcmp(vb_json_text(other, "model"), vb_json_text(entry, "model")) &&
            !strcmp(vb_json_text(other, "dataset"), vb_json_text(entry, "dataset")))
            its = other;
    }
    if (its && json_equal(its, entry)) {
        vb_findings_add(verify->findings, VB_FINDING_OK, where, "all of it again, from the images on: the same to the last bit");
        return;
    }
    vb_errorf(&err, VB_EMISMATCH, "all of it again, from the images on: %s", its ? "other figures" : "there is no such result");
    json_object_foreach((json_t *)(uintptr_t)entry, key, value) {
        if (its && !json_equal(value, json_object_get(its, key))) {
            vb_errorf(&err, VB_EMISMATCH, "all of it again, from the images on: '%s' is another", key);
            break;
        }
    }
    vb_findings_take(verify->findings, where, &err);
}

/* Whether the run makes the entry: of merged results it may be another part's. */
static bool is_made(const vb_experiment *experiment, const json_t *entry) {
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_model_spec *model = &experiment->models[m];
        for (int d = 0; d < experiment->dataset_count && !model->left_out; d++) {
            const vb_dataset_spec *dataset = &experiment->datasets[d];
            if (!strcmp(model->name, vb_json_text(entry, "model")) && !strcmp(dataset->name, vb_json_text(entry, "dataset")))
                return vb_experiment_covers(experiment, model, dataset);
        }
    }
    return false;
}

int vb_verify_whole(const vb_verify *verify, vb_context *context, const vb_experiment *experiment, vb_error *err) {
    vb_strbuf notes = {0};
    vb_result_folder again = {0};
    const bool merged = json_object_get(json_object_get(verify->folder->document, "run"), "merged") != NULL;
    size_t i;
    json_t *entry;
    int status = vb_run(context, experiment, false, &notes, err);
    vb_strbuf_free(&notes);
    if (status && err->code != VB_EINCOMPLETE && err->code != VB_EMEMORY) {
        take(verify, "again", err);
        return 0;
    }
    if (!status) status = vb_result_folder_open(&again, experiment->output, err);
    if (!status) {
        json_array_foreach(json_object_get(verify->folder->document, "results"), i, entry) {
            if (!merged || is_made(experiment, entry)) compare_entry(verify, entry, json_object_get(again.document, "results"));
        }
    }
    vb_result_folder_close(&again);
    return status;
}
