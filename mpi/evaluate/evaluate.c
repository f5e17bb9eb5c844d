/* The evaluation loop: judge, tally, record; then the reduction and the figures. */
#include "mpi/evaluate/evaluate.h"

#include <assert.h>
#include <string.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "kernels/openness/openness.h"
#include "kernels/openness/similarity.h"
#include "kernels/openness/subsets.h"
#include "mpi/evaluate/class_shares.h"
#include "mpi/evaluate/device_products.h"
#include "mpi/encode/encode_ahead.h"
#include "mpi/encode/image_stream.h"
#include "mpi/ranks/cyclic.h"
#include "mpi/ranks/progress.h"
#include "mpi/evaluate/records.h"
#include "mpi/evaluate/pair_json.h"
#include "mpi/evaluate/tally_sum.h"
#include "mpi/evaluate/unit_pass.h"

/* One rank's state of the loop. */
typedef struct evaluation {
    const vb_pair *pair;
    vb_label_space space;       /* the dataset's, and whether labels are sets */
    vb_memberships memberships; /* of it */
    const vb_class_sets *sets;  /* NULL: images have one class each */
    vb_text_bank *bank;         /* all classes, or */
    vb_device_products device;  /* of the bank */
    vb_class_shares shares;     /* this rank's, when they are divided among the ranks */
    vb_tally *tally;
    vb_pair_counts counts;
    json_t *units; /* [{unit, digest, skipped}] of units with something to say */
    vb_progress progress;
} evaluation;

static int note_unit(evaluation *work, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    if (!rows->digest.hex[0] && !rows->skipped) return 0;
    vb_json json = {0};
    json_t *entry = vb_json_object(&json);
    vb_json_set_integer(&json, entry, "unit", unit);
    vb_json_set_text(&json, entry, "digest", rows->digest.hex);
    if (rows->skipped) vb_json_set(&json, entry, "skipped", json_incref(rows->skipped));
    vb_json_append(&json, work->units, entry);
    return vb_json_end(&json, "the notes of a unit", err);
}

/* The pair's other tally in which an image counts; NULL: none. */
static vb_tally *other_tally(const vb_pair *pair, int64_t place) {
    return pair->further ? pair->further(pair->further_context, place) : NULL;
}

static void count_outcome(evaluation *work, const vb_unit_rows *rows, const uint8_t *beaten, const uint8_t *tied) {
    for (int i = 0; i < rows->count; i++) {
        const uint8_t *its = beaten + (int64_t)i * work->pair->data->space.vocabularies;
        vb_tally *other = other_tally(work->pair, rows->places[i]);
        vb_tally_add(work->tally, rows->classes[i], its);
        if (other) vb_tally_add(other, rows->classes[i], its);
        work->counts.tied += tied[i];
    }
}

/* An image of several views is tied when one of them is. */
static void count_sets(evaluation *work, const vb_unit_outcome *outcome) {
    const vb_unit_views *views = outcome->views;
    const int64_t vocabularies = work->space.vocabularies;
    for (int i = 0; i < views->rows->count; i++) {
        const int64_t first = vb_unit_views_first(views, i), count = vb_unit_views_count(views, i);
        bool tied = false;
        for (int64_t k = first; k < first + count; k++) tied |= views->block.tied[k];
        const uint8_t *beaten = outcome->beaten + first * vocabularies;
        vb_tally *other = other_tally(work->pair, views->rows->places[i]);
        vb_tally_add_set(work->tally, &views->sets[i], views->block.labels + first, (int)count, beaten);
        if (other) vb_tally_add_set(other, &views->sets[i], views->block.labels + first, (int)count, beaten);
        work->counts.tied += tied;
    }
}

static int judge_unit(evaluation *work, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    const vb_pair *pair = work->pair;
    size_t vocabularies = (size_t)work->space.vocabularies;
    vb_unit_views views;
    vb_unit_outcome outcome = {0};
    int status = vb_unit_views_open(&views, rows, work->sets, work->bank, &work->memberships, err);
    size_t count = status ? 0 : (size_t)views.block.rows;
    outcome.views = &views;
    outcome.beaten = vb_array(count * vocabularies, 1, "outcome of a unit", err);
    outcome.verdicts = pair->records ? vb_array(count, sizeof *outcome.verdicts, "outcome of a unit", err) : NULL;
    uint8_t *tied = views.block.tied = vb_array(count, 1, "outcome of a unit", err);
    if (!outcome.beaten || !tied || (pair->records && !outcome.verdicts)) status = -1;
    if (!status && pair->records) status = vb_records_name_vocabularies(&outcome, &pair->data->vocabularies, err);
    if (!status)
        status =
            vb_similarity_judge(work->bank, &work->space, &views.block, outcome.beaten, outcome.verdicts, pair->threads, err);
    if (!status && work->sets) count_sets(work, &outcome);
    else if (!status) count_outcome(work, rows, outcome.beaten, tied);
    if (!status && pair->records)
        status = vb_records_unit(pair->records, unit, &pair->data->vocabularies, pair->data->part_count > 0, &outcome, err);
    vb_free(outcome.beaten);
    vb_free(tied);
    vb_free(outcome.verdicts);
    vb_free(outcome.own);
    vb_unit_views_close(&views);
    return status;
}

static void count_unit(evaluation *work, const vb_unit_rows *rows) {
    int64_t skipped;
    bool current;
    vb_encode_broken(rows->skipped, &skipped, &current);
    work->counts.images += rows->count;
    work->counts.outside += rows->outside;
    work->counts.skipped += skipped;
    if (!work->pair->source->model || !(rows->count + skipped)) return;
    *(rows->encoded ? &work->counts.units_encoded : &work->counts.units_cached) += 1;
    if (rows->encoded) work->counts.images_encoded += rows->count;
}

static int fault_unit(int64_t unit, vb_error *err) {
    return vb_fault(VB_FAULT_UNIT) ? vb_errorf(err, VB_EINTERNAL, "unit %lld: injected fault", (long long)unit) : 0;
}

static void step_progress(evaluation *work) {
    const vb_pair_counts *counts = &work->counts;
    vb_progress_step(&work->progress, counts->images + counts->outside + counts->skipped - work->progress.done);
}

static int evaluate_unit(void *context, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    evaluation *work = context;
    const char *records = work->pair->records;
    int status = fault_unit(unit, err);
    if (!status && rows->count) status = judge_unit(work, unit, rows, err);
    else if (!status && records) status = vb_records_none(records, unit, err);
    if (status || note_unit(work, unit, rows, err)) return -1;
    count_unit(work, rows);
    step_progress(work);
    return 0;
}

/* With the classes divided among the ranks: a unit of every rank at once is judged by all of them. Ranks without a unit take
 * part. Collective. */
static int evaluate_together(evaluation *work, vb_context *context, vb_image_stream *stream, int64_t first, uint8_t *beaten,
                             uint8_t *tied, vb_error *err) {
    const vb_pair *pair = work->pair;
    int64_t unit = first + context->comm.rank;
    bool mine = unit < pair->source->units;
    vb_unit_rows rows = {0};
    int status = vb_context_check_stop(context, err);
    if (!status && mine) status = fault_unit(unit, err);
    if (!status && mine) status = vb_image_stream_next(stream, &rows, err);
    if (status) vb_error_prefix(err, "dataset '%s'", pair->data->spec->name);
    status = vb_comm_agree(&context->comm, status, err);
    const vb_image_block images = {.rows = rows.count, .images = rows.rows, .labels = rows.classes, .tied = tied};
    if (!status) status = vb_class_shares_judge(&work->shares, &images, beaten, pair->threads, err);
    if (!status) count_outcome(work, &rows, beaten, tied);
    if (!status && mine) {
        status = note_unit(work, unit, &rows, err);
        count_unit(work, &rows);
    }
    vb_unit_rows_free(&rows);
    return vb_comm_agree(&context->comm, status, err);
}

/* All images, by the engine for classes that are divided among the ranks. Collective. */
static int pass_divided(evaluation *work, vb_context *context, vb_error *err) {
    vb_comm *comm = &context->comm;
    const vb_pair *pair = work->pair;
    uint8_t *beaten = NULL, *tied = NULL; /* of a unit */
    vb_image_stream *stream = NULL;
    int status = vb_class_shares_open(&work->shares, comm, pair->classifier, &pair->data->space, pair->spec->similarity, err);
    if (status) vb_error_prefix(err, "model '%s': text embeddings", pair->spec->name);
    if (!status) beaten = vb_array((size_t)VB_UNIT_SAMPLES * (size_t)pair->data->space.vocabularies, 1, "outcome of a unit", err);
    if (beaten) tied = vb_array(VB_UNIT_SAMPLES, 1, "outcome of a unit", err);
    if (!tied) status = -1;
    if (!status) status = vb_image_stream_open(&stream, pair->source, comm->rank, comm->size, err);
    status = vb_comm_agree(comm, status, err);
    for (int64_t u = 0; !status && u < pair->source->units; u += comm->size) {
        status = evaluate_together(work, context, stream, u, beaten, tied, err);
        if (!status) step_progress(work);
    }
    vb_image_stream_close(stream);
    vb_free(beaten);
    vb_free(tied);
    return vb_comm_agree(comm, status, err);
}

/* All images, where every rank has all classes. Collective. */
static int pass_replicated(evaluation *work, vb_context *context, vb_error *err) {
    int status = vb_unit_pass_silent(context, work->pair->source, evaluate_unit, work, err);
    if (status) vb_error_prefix(err, "dataset '%s'", work->pair->data->spec->name);
    return vb_context_barrier(context, status, err);
}

static vb_protocol protocol_of(const vb_experiment *experiment) {
    return (vb_protocol){.sampled = experiment->protocol == VB_PROTOCOL_SAMPLED,
                         .trials = (int)experiment->trials,
                         .seed = (uint32_t)experiment->seed,
                         .union_permutations = (int)experiment->union_permutations,
                         .curve_errors = true,
                         .union_errors = true};
}

static vb_label_space space_of(const vb_pair *pair) {
    vb_label_space space = pair->data->space;
    space.sets = vb_image_source_sets(pair->source);
    return space;
}

int vb_evaluate_tally_new(vb_tally **tally, const vb_pair *pair, vb_error *err) {
    const vb_label_space space = space_of(pair);
    const vb_protocol protocol = protocol_of(pair->experiment);
    return vb_tally_new(tally, &space, &protocol, err);
}

int vb_evaluate_check(const vb_experiment *experiment, const vb_model_spec *spec, const vb_dataset_state *data,
                      const vb_class_sets *sets, vb_error *err) {
    const vb_protocol protocol = protocol_of(experiment);
    if (vb_tally_check(&data->space, &protocol, err)) {
        vb_error_prefix(err, "model '%s' on dataset '%s'", spec->name, data->spec->name);
        return -1;
    }
    if (!sets || experiment->similarity_engine != VB_ENGINE_SCALAPACK) return 0;
    return vb_errorf(err, VB_EUNSUPPORTED,
                     "model '%s' on dataset '%s': labels are sets, and similarity_engine: scalapack takes images of one class "
                     "each; expected similarity_engine: replicated",
                     spec->name, data->spec->name);
}

static int prepare_evaluation(evaluation *work, const vb_context *context, const vb_pair *pair, vb_error *err) {
    const vb_classifier *classifier = pair->classifier;
    if (pair->source->dim != classifier->dim)
        return vb_errorf(err, VB_EMISMATCH, "model '%s': image embeddings have %d dimensions, text embeddings %d",
                         pair->spec->name, pair->source->dim, classifier->dim);
    work->space = space_of(pair);
    work->sets = vb_image_source_sets(pair->source);
    if (vb_evaluate_check(pair->experiment, pair->spec, pair->data, work->sets, err)) return -1;
    if (vb_label_space_memberships_new(&work->memberships, &work->space, err)) return -1;
    vb_json json = {0};
    work->units = vb_json_array(&json);
    if (vb_json_end(&json, "the notes of units", err)) return -1;
    if (!classifier->divided && vb_device_products_bank(&work->device, &work->bank, context, pair, classifier->texts,
                                                        classifier->classes, classifier->dim, err)) {
        vb_error_prefix(err, "model '%s': text embeddings", pair->spec->name);
        return -1;
    }
    return vb_evaluate_tally_new(&work->tally, pair, err);
}

/* All ranks' notes of units, merged in the order of the units: the digest of the data and the list of broken images. */
static int merge_units(vb_comm *comm, const evaluation *work, json_t **skipped, vb_digest *digest, vb_error *err) {
    char *text = vb_json_dump(work->units, VB_JSON_LINE, "the notes of units", err);
    int status = text ? 0 : -1;
    vb_json json = {0};
    vb_blocks blocks = {0};
    vb_digester *digester = NULL;
    const json_t **by_unit = NULL;
    json_t *lists = NULL;
    *skipped = NULL;
    if ((status = vb_comm_agree(comm, status, err))) goto done;
    if ((status = vb_comm_gather(comm, text, strlen(text), &blocks, err)) || comm->rank) goto done;
    size_t units = (size_t)work->pair->source->units;
    by_unit = vb_array(units, sizeof *by_unit, "units", err);
    lists = vb_json_array(&json);
    *skipped = vb_json_array(&json);
    if (!by_unit || vb_digest_new(&digester, err)) {
        status = -1;
        goto done;
    }
    for (int r = 0; r < comm->size; r++) {
        json_t *list = vb_json_parse(blocks.bytes[r], blocks.sizes[r], 0, "notes of units", err);
        if (!list) {
            status = vb_error_prefix(err, "rank %d", r);
            goto done;
        }
        vb_json_append(&json, lists, list);
        size_t i;
        json_t *entry;
        json_array_foreach(list, i, entry) by_unit[vb_json_integer(entry, "unit")] = entry;
    }
    for (size_t u = 0; u < units; u++) {
        vb_digest_add_text(digester, by_unit[u] ? vb_json_text(by_unit[u], "digest") : "");
        if (by_unit[u]) vb_json_extend(&json, *skipped, json_object_get(by_unit[u], "skipped"));
    }
    if (work->pair->data->limit) { /* a unit's digest is of all of its images */
        const int64_t limit = work->pair->data->limit;
        vb_digest_add_text(digester, "limit");
        vb_digest_add(digester, &limit, sizeof limit);
    }
    status = vb_json_end(&json, "the notes of units", err);
    *digest = vb_digest_finish(digester);
    digester = NULL;
done:
    vb_free(digester);
    vb_free(by_unit);
    json_decref(lists);
    vb_comm_blocks_free(&blocks);
    vb_free(text);
    return status;
}

/* A skipped image would have counted for a vocabulary that has its class, or one of its set. */
static bool was_of_vocabulary(const vb_pair *pair, const json_t *skipped, int v) {
    const vb_label_space *space = &pair->data->space;
    const vb_class_sets *sets = vb_image_source_sets(pair->source);
    const json_t *class = json_object_get(skipped, "class");
    const int its = (int)json_integer_value(class);
    if (!class) return false;
    const vb_class_set set = sets ? vb_class_sets_at(sets, vb_json_integer(skipped, "place")) : (vb_class_set){&its, 1};
    for (int i = space->offsets[v]; i < space->offsets[v + 1]; i++)
        if (vb_label_space_holds(&set, space->members[i])) return true;
    return false;
}

/* That broken images were skipped may leave a vocabulary none. */
static int check_left(const vb_pair *pair, const vb_tally *tally, const json_t *skipped, vb_error *err) {
    const vb_label_space *space = &pair->data->space;
    for (int v = 0; v < space->vocabularies; v++) {
        int64_t lost = 0;
        if (vb_tally_images(tally, v)) continue;
        const json_t *first = NULL, *entry;
        size_t i;
        json_array_foreach(skipped, i, entry) {
            if (was_of_vocabulary(pair, entry, v) && !lost++) first = entry;
        }
        return vb_errorf(err, VB_EDATA,
                         "model '%s' on dataset '%s': vocabulary '%s' has no images left: %lld %s skipped, the first: %s",
                         pair->spec->name, pair->data->spec->name, pair->data->vocabularies.names[v], (long long)lost,
                         lost == 1 ? "was" : "were", vb_json_text(first, "reason"));
    }
    return 0;
}

int vb_evaluate_figures(const vb_pair *pair, const vb_tally *tally, const vb_evaluate_facts *facts, json_t **result,
                        vb_error *err) {
    vb_openness_result openness = {0};
    vb_figure_errors errors = {0};
    if (vb_openness(&openness, tally, err)) {
        vb_error_prefix(err, "dataset '%s'", pair->data->spec->name);
        return -1;
    }
    int status = vb_figure_errors_new(&errors, tally, &openness, err);
    if (!status)
        status = vb_pair_json(pair, &openness, &errors, &facts->counts, facts->skipped, &facts->data_digest, result, err);
    vb_figure_errors_free(&errors);
    vb_openness_free(&openness);
    return status;
}

static int make_result(const evaluation *work, json_t *skipped, const vb_digest *data_digest, json_t **result, vb_error *err) {
    size_t i;
    json_t *entry;
    if (check_left(work->pair, work->tally, skipped, err)) return -1;
    /* Both were for the message. */
    json_array_foreach(skipped, i, entry) {
        json_object_del(entry, "class");
        json_object_del(entry, "place");
    }
    return vb_evaluate_figures(work->pair, work->tally, &(vb_evaluate_facts){work->counts, skipped, *data_digest}, result, err);
}

int vb_evaluate(vb_context *context, const vb_pair *pair, json_t **result, vb_pair_counts *counts, vb_error *err) {
    vb_comm *comm = &context->comm;
    evaluation work = {.pair = pair};
    json_t *skipped = NULL;
    vb_digest data_digest = {""};
    vb_encode_ahead_counts ahead;
    assert(pair->threads >= 1 && pair->source && pair->classifier && pair->data);
    char *what = vb_format(err, "%s / %s", pair->spec->name, pair->data->spec->name);
    *result = NULL;
    int status = what ? prepare_evaluation(&work, context, pair, err) : -1;
    if ((status = vb_comm_agree(comm, status, err))) goto done;

    if ((status = vb_encode_ahead(context, pair->source, what, &ahead, err))) {
        vb_error_prefix(err, "dataset '%s'", pair->data->spec->name);
        goto done;
    }
    vb_progress_start(&work.progress, context, "evaluate", what, "images", pair->source->images);
    if (!pair->source->model || !vb_model_is_lent_to(pair->source->model, context))
        vb_progress_measures(&work.progress); /* else the stage before was the most */
    status = pair->classifier->divided ? pass_divided(&work, context, err) : pass_replicated(&work, context, err);
    vb_progress_end(&work.progress);
    if (status) goto done;

    work.counts.units_encoded += ahead.units; /* which were found in the cache then */
    work.counts.units_cached -= ahead.units;
    work.counts.images_encoded += ahead.images;
    work.counts.texts_encoded = pair->classifier->encoded;
    work.counts.texts_cached = pair->classifier->cached;
    work.counts.compared = work.shares.compared;
    work.counts.rescored = work.shares.rescored;
    if ((status = vb_tally_sum_to_root(comm, work.tally, err))) goto done;
    if ((status = vb_comm_sum_to_root(comm, (int64_t *)&work.counts, sizeof work.counts / sizeof(int64_t), err))) goto done;
    if ((status = merge_units(comm, &work, &skipped, &data_digest, err))) goto done;
    if (!comm->rank) status = make_result(&work, skipped, &data_digest, result, err);
    if (!comm->rank && !status && pair->records) status = vb_records_join(pair->records, pair->source->units, err);
    status = vb_comm_agree(comm, status, err);
    if (!comm->rank) *counts = work.counts;
done:
    if (status) {
        json_decref(*result);
        *result = NULL;
    }
    vb_tally_free(work.tally);
    vb_label_space_memberships_free(&work.memberships);
    vb_similarity_bank_free(work.bank);
    vb_device_products_close(&work.device);
    vb_class_shares_close(&work.shares);
    json_decref(work.units);
    json_decref(skipped);
    vb_free(what);
    return status;
}

int64_t vb_evaluate_texts_bytes(const vb_experiment *experiment, const vb_pair_shape *s) {
    if (experiment->similarity_engine == VB_ENGINE_REPLICATED) return s->classes * s->dim * 4;
    int64_t local = vb_cyclic_count((int)s->classes, 0, s->ranks);
    return (local + (s->encoded ? s->classes / s->ranks + 2 * VB_UNIT_SAMPLES : 1)) * s->dim * 4;
}

int vb_evaluate_counts_bytes(const vb_experiment *experiment, const vb_label_space *space, int64_t *counts, int64_t *orders,
                             vb_error *err) {
    vb_protocol protocol = protocol_of(experiment);
    return vb_tally_bytes(space, &protocol, counts, orders, err);
}

int64_t vb_evaluate_sets_bytes(const vb_pair_shape *s) {
    return s->vocabularies > VB_SUBSETS_MAX ? 0 : vb_harm_sets_bytes(s->images, s->sets ? s->vocabularies : 1);
}

int64_t vb_evaluate_bytes(const vb_experiment *experiment, const vb_pair_shape *s) {
    const int64_t sets = vb_evaluate_sets_bytes(s);
    if (experiment->similarity_engine == VB_ENGINE_SCALAPACK)
        return vb_class_shares_bytes((int)s->classes, (int)s->dim, (int)s->vocabularies, s->ranks) + 16 * s->classes + sets;
    return vb_similarity_judge_bytes(s->classes, VB_UNIT_SAMPLES) + VB_UNIT_SAMPLES * (s->vocabularies + 1) + sets;
}
