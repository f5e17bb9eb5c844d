/* Sets of taken images on every rank, gains summed over the ranks, choices on rank 0. */
#include "mpi/adversarial/adversarial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/openness/cover.h"
#include "kernels/openness/names_curve.h"
#include "kernels/base/memory.h"
#include "kernels/openness/similarity.h"
#include "mpi/adversarial/examples.h"
#include "mpi/adversarial/name_relations.h"
#include "mpi/evaluate/foreign_names.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/evaluate/unit_views.h"
#include "mpi/ranks/progress.h"

typedef struct attack_target {
    int vocabulary;
    int64_t images, right; /* of all ranks */
    vb_cover cover;        /* of this rank's right images */
    int64_t *places;       /* of those in the data */
    size_t place_capacity;
} attack_target;

typedef struct adversary {
    const vb_pair *pair;
    const vb_adversarial_spec *spec;
    vb_foreign_names names; /* the candidates */
    int target_count;
    attack_target *targets;
} adversary;

int vb_adversarial_target(const vb_adversarial_spec *spec, int target, const vb_vocabularies *vocabularies, const char *path,
                          vb_error *err) {
    for (int v = 0; v < vocabularies->count; v++)
        if (!strcmp(vocabularies->names[v], spec->targets[target])) return v;
    return vb_errorf(err, VB_EMISMATCH, "adversarial: there is no vocabulary '%s' in %s", spec->targets[target], path);
}

/* excluded: the pool's candidates that are kept out of vocabulary v, at first none. */
static int exclude(int *count, uint8_t *excluded, const vb_adversarial_spec *spec, const vb_candidates *pool,
                   const vb_vocabularies *vocabularies, int v, vb_error *err) {
    if (vb_candidates_exclude(pool, vocabularies, v, excluded, err)) return -1;
    for (int c = 0; c < pool->count; c++) *count += excluded[c];
    if (pool->count - *count >= spec->k) return 0;
    return vb_errorf(err, VB_EMISMATCH,
                     "adversarial, target '%s': %d of %d candidates are excluded, fewer than k = %lld are left",
                     vocabularies->names[v], *count, pool->count, (long long)spec->k);
}

int vb_adversarial_check_target(const vb_adversarial_spec *spec, const vb_candidates *pool, const vb_vocabularies *vocabularies,
                                int v, vb_error *err) {
    int count = 0;
    uint8_t *excluded = vb_array((size_t)pool->count, 1, "excluded candidates", err);
    const int status = excluded ? exclude(&count, excluded, spec, pool, vocabularies, v, err) : -1;
    vb_free(excluded);
    return status;
}

static int find_targets(adversary *work, vb_error *err) {
    const vb_vocabularies *vocabularies = &work->pair->data->vocabularies;
    int wanted = work->spec->target_count;
    work->targets = vb_array((size_t)vocabularies->count, sizeof *work->targets, "targets", err);
    if (!work->targets) return -1;
    for (int i = 0; i < (wanted ? wanted : vocabularies->count); i++) {
        int v = wanted ? vb_adversarial_target(work->spec, i, vocabularies, work->pair->data->spec->vocabularies, err) : i;
        if (v < 0) return -1;
        work->targets[work->target_count++] = (attack_target){.vocabulary = v, .cover = {.candidates = work->names.pool.count}};
    }
    return 0;
}

static int prepare_attack(adversary *work, vb_context *context, vb_error *err) {
    const vb_adversarial_spec *spec = work->spec;
    if (vb_foreign_names_open(&work->names, context, work->pair, &spec->pool, "adversarial", spec->k, err)) return -1;
    return vb_comm_agree(&context->comm, find_targets(work, err), err);
}

static void adversary_free(adversary *work) {
    for (int t = 0; t < work->target_count; t++) {
        vb_cover_free(&work->targets[t].cover);
        vb_free(work->targets[t].places);
    }
    vb_free(work->targets);
    vb_foreign_names_close(&work->names);
}

/* ---- who takes what ---- */

static int check_memory(const adversary *work, vb_error *err) {
    int64_t bytes = 0;
    for (int t = 0; t < work->target_count; t++) bytes += (int64_t)work->targets[t].cover.word_capacity * 8;
    if (bytes <= work->spec->memory << 20) return 0;
    return vb_errorf(err, VB_EMEMORY,
                     "adversarial: the sets of images that %d candidates take need more than the %lld MiB a rank of 'memory': "
                     "use more ranks, fewer targets or fewer candidates",
                     work->names.pool.count, (long long)work->spec->memory);
}

/* While this rank's units are visited. */
typedef struct attack_pass {
    adversary *work;
    vb_progress progress;
} attack_pass;

/* The image, right for target t: which candidates take it. */
static int add_right_image(attack_target *target, int64_t place, int class, const uint64_t *takers, vb_error *err) {
    size_t n = (size_t)target->cover.images;
    if (vb_grow((void **)&target->places, &target->place_capacity, n + 1, sizeof *target->places, "taken images", err)) return -1;
    target->places[n] = place;
    return vb_cover_add(&target->cover, takers, class, err);
}

static int judge_with_pool(adversary *work, const vb_unit_rows *rows, vb_error *err) {
    size_t words = vb_similarity_pool_words(work->names.pool.count), vocabularies = (size_t)work->names.space.vocabularies;
    vb_unit_views views;
    int status = vb_unit_views_open(&views, rows, vb_image_source_sets(work->pair->source), work->names.bank,
                                    &work->names.memberships, err);
    size_t count = status ? 0 : (size_t)views.block.rows;
    uint8_t *beaten = vb_array(count * vocabularies, 1, "outcome of a unit", err);
    uint64_t *pool = vb_array(count * words, sizeof *pool, "candidates that take images", err);
    if (!beaten || !pool) status = -1;
    if (!status)
        status = vb_similarity_judge_pool(work->names.bank, &work->names.space, &views.block, work->pair->classifier->classes,
                                          beaten, pool, work->pair->threads, err);
    for (int i = 0; i < rows->count && !status; i++)
        for (int t = 0; t < work->target_count && !status; t++) {
            const int v = work->targets[t].vocabulary;
            int64_t view;
            int class;
            if (!vb_unit_views_in(&views, i, v, &view, &class)) continue;
            work->targets[t].images++;
            if (!beaten[(size_t)view * vocabularies + (size_t)v])
                status = add_right_image(&work->targets[t], rows->places[i], class, pool + (size_t)view * words, err);
        }
    if (!status) status = check_memory(work, err);
    vb_free(beaten);
    vb_free(pool);
    vb_unit_views_close(&views);
    return status;
}

static int attack_unit(void *context, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    attack_pass *its = context;
    if (rows->count && judge_with_pool(its->work, rows, err)) return -1;
    vb_progress_step(&its->progress, 1);
    return 0;
}

/* All of this rank's units; then everyone knows every target's image counts. */
static int judge_images(adversary *work, vb_context *context, vb_error *err) {
    vb_comm *comm = &context->comm;
    const vb_image_source *source = work->pair->source;
    attack_pass its = {.work = work};
    size_t n = 2 * (size_t)work->target_count;
    vb_progress_start(&its.progress, context, "adversarial", work->pair->spec->name, "units", source->units);
    int status = vb_unit_pass_silent(context, source, attack_unit, &its, err);
    vb_progress_end(&its.progress);
    int64_t *counts = vb_array(n, sizeof *counts, "images of the targets", err);
    if (!counts) status = -1;
    status = vb_context_barrier(context, status, err);
    for (int t = 0; !status && t < work->target_count; t++) {
        counts[2 * t] = work->targets[t].images;
        counts[2 * t + 1] = work->targets[t].cover.images;
    }
    if (!status) status = vb_comm_sum_to_root(comm, counts, n, err);
    if (!status) status = vb_comm_broadcast(comm, counts, n * sizeof *counts, err);
    for (int t = 0; !status && t < work->target_count; t++) {
        work->targets[t].images = counts[2 * t];
        work->targets[t].right = counts[2 * t + 1];
    }
    vb_free(counts);
    return status;
}

/* ---- the choice for one target ---- */

/* Names that are chosen: fewer than k where no other candidate takes an image. */
typedef struct choice {
    int count, name[VB_ADVERSARIES];
} choice;

typedef struct outcome {
    int k; /* asked for */
    choice chosen;
    int64_t alone[VB_ADVERSARIES]; /* images that each takes by itself; rank 0 */
    int64_t bound;                 /* no k candidates take more; rank 0 */
    double random[VB_ADVERSARIES]; /* accuracy among 1, 2, ... random candidates; rank 0 */
    int64_t evaluations;
    bool out_of_time;
    int excluded_count;
    uint8_t *excluded, *gone;
    int64_t *gains;    /* of all ranks, on rank 0 */
    uint64_t *taken;   /* of this rank's images */
    int64_t *by_class; /* k x classes: images that each takes beyond those before it */
} outcome;

static void outcome_free(outcome *out) {
    vb_free(out->excluded);
    vb_free(out->gone);
    vb_free(out->gains);
    vb_free(out->taken);
    vb_free(out->by_class);
}

static int outcome_new(outcome *out, const adversary *work, const attack_target *target, vb_error *err) {
    size_t count = (size_t)work->names.pool.count;
    *out = (outcome){.k = (int)work->spec->k};
    out->excluded = vb_array(count, 1, "excluded candidates", err);
    out->gone = vb_array(count, 1, "chosen candidates", err);
    out->gains = vb_array(count, sizeof *out->gains, "gains of candidates", err);
    out->taken = vb_array((size_t)vb_cover_blocks(&target->cover), sizeof *out->taken, "taken images", err);
    out->by_class =
        vb_array((size_t)out->k * (size_t)work->pair->classifier->classes, sizeof *out->by_class, "taken images", err);
    if (!out->excluded || !out->gone || !out->gains || !out->taken || !out->by_class) return -1;
    return exclude(&out->excluded_count, out->excluded, work->spec, &work->names.pool, &work->pair->data->vocabularies,
                   target->vocabulary, err);
}

/* What each candidate takes beyond `taken`: the sum over ranks, on rank 0. */
static int sum_gains(outcome *out, vb_comm *comm, const adversary *work, const attack_target *target, vb_error *err) {
    memset(out->gains, 0, (size_t)work->names.pool.count * sizeof *out->gains);
    vb_cover_gains(&target->cover, out->taken, out->gains, work->pair->threads);
    return vb_comm_sum_to_root(comm, out->gains, (size_t)work->names.pool.count, err);
}

/* What as many names drawn at random would leave: the baseline of the choice (kernels/openness/names_curve.h). */
static int find_baseline(outcome *out, vb_comm *comm, const adversary *work, const attack_target *target, vb_error *err) {
    const int candidates = work->names.pool.count;
    int64_t *right = vb_array((size_t)candidates + 1, sizeof *right, "candidates that take images", err),
            *h = vb_array((size_t)candidates + 1, sizeof *h, "candidates that take images", err), entries = 0;
    int status = right && h ? vb_cover_takers(&target->cover, out->excluded, right, err) : -1;
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_sum_to_root(comm, right, (size_t)candidates + 1, err);
    for (int i = 0; i <= candidates && !status; i++)
        if (right[i]) {
            h[entries] = i;
            right[entries++] = right[i];
        }
    const vb_names_counts counts = {candidates - out->excluded_count, target->images, h, right, entries};
    for (int n = 1; n <= out->k && !status && !comm->rank; n++) out->random[n - 1] = vb_names_curve_at(&counts, n);
    vb_free(right);
    vb_free(h);
    return status;
}

/* The up to `n` largest gains join the choice, by gain, then by name; their sum. What gains nothing is not chosen. */
static int64_t take_largest(outcome *out, int candidates, int n) {
    int64_t sum = 0;
    for (int i = 0; i < n; i++) {
        int c = vb_cover_largest_gain(out->gains, candidates, out->excluded, out->gone);
        if (c < 0 || !out->gains[c]) break;
        out->chosen.name[out->chosen.count++] = c;
        out->gone[c] = 1;
        sum += out->gains[c];
    }
    return sum;
}

/* With `covered` images taken, no k candidates take more than covered + the k largest gains. */
static void tighten(outcome *out, int candidates, int64_t covered) {
    int chosen[VB_ADVERSARIES], n = 0;
    int64_t sum = covered;
    for (; n < out->k; n++) {
        int c = vb_cover_largest_gain(out->gains, candidates, out->excluded, out->gone);
        if (c < 0) break;
        chosen[n] = c;
        out->gone[c] = 1;
        sum += out->gains[c];
    }
    for (int i = 0; i < n; i++) out->gone[chosen[i]] = 0;
    if (sum < out->bound) out->bound = sum;
}

static void join_choice(outcome *out, const adversary *work, const attack_target *target, int step) {
    vb_cover_take(&target->cover, out->chosen.name[step], out->taken,
                  out->by_class + (int64_t)step * work->pair->classifier->classes);
}

static int choose_greedily(outcome *out, vb_comm *comm, const adversary *work, const attack_target *target, vb_error *err) {
    int64_t covered = 0;
    int64_t *first = NULL; /* the gains of the first round, on rank 0 */
    int status = 0;
    if (!comm->rank && !(first = vb_array((size_t)work->names.pool.count, sizeof *first, "gains of candidates", err)))
        status = -1;
    status = vb_comm_agree(comm, status, err);
    for (int step = 0; step < out->k && !status; step++) {
        if ((status = sum_gains(out, comm, work, target, err))) break;
        if (!comm->rank) {
            if (!step) memcpy(first, out->gains, (size_t)work->names.pool.count * sizeof *first);
            tighten(out, work->names.pool.count, covered);
            covered += take_largest(out, work->names.pool.count, 1);
            if (out->chosen.count > step) out->alone[step] = first[out->chosen.name[step]];
        }
        if ((status = vb_comm_broadcast(comm, &out->chosen, sizeof out->chosen, err)) || out->chosen.count == step) break;
        join_choice(out, work, target, step);
    }
    vb_free(first);
    return status;
}

static int choose_singles(outcome *out, vb_comm *comm, const adversary *work, const attack_target *target, vb_error *err) {
    if (sum_gains(out, comm, work, target, err)) return -1;
    if (!comm->rank) {
        tighten(out, work->names.pool.count, 0);
        take_largest(out, work->names.pool.count, out->k);
        for (int i = 0; i < out->chosen.count; i++) out->alone[i] = out->gains[out->chosen.name[i]];
    }
    if (vb_comm_broadcast(comm, &out->chosen, sizeof out->chosen, err)) return -1;
    for (int i = 0; i < out->chosen.count; i++) join_choice(out, work, target, i);
    return 0;
}

/* Rank 0: all ranks' sets of the listed candidates side by side; then the search. */
static int search_exactly(outcome *out, const adversary *work, const int *list, int n, vb_blocks *blocks, vb_error *err) {
    vb_coverage problem = {.count = n, .k = out->k, .evaluations = work->spec->evaluations, .seconds = work->spec->seconds};
    vb_coverage_result found;
    size_t words = 0, at = 0;
    for (int r = 0; r < blocks->count; r++) words += n ? blocks->sizes[r] / sizeof(uint64_t) / (size_t)n : 0;
    uint64_t *sets = vb_array((size_t)n * words, sizeof *sets, "sets of candidates", err);
    if (!sets) return -1;
    for (int r = 0; r < blocks->count && n; r++) {
        size_t some = blocks->sizes[r] / sizeof(uint64_t) / (size_t)n;
        for (int i = 0; i < n && some; i++)
            memcpy(sets + (size_t)i * words + at, (const uint64_t *)blocks->bytes[r] + (size_t)i * some, some * sizeof *sets);
        at += some;
        vb_free(blocks->bytes[r]); /* the copies would double the memory */
        blocks->bytes[r] = NULL;
    }
    problem.words = (int64_t)words;
    problem.sets = sets;
    int status = vb_cover_most(&problem, &found, err);
    if (!status) {
        out->chosen.count = found.n;
        for (int i = 0; i < found.n; i++) {
            out->chosen.name[i] = list[found.chosen[i]];
            out->alone[i] = out->gains[out->chosen.name[i]];
        }
        if (found.bound < out->bound) out->bound = found.bound;
        out->evaluations = found.evaluations;
        out->out_of_time = found.out_of_time;
    }
    vb_free(sets);
    return status;
}

static int choose_exactly(outcome *out, vb_comm *comm, const adversary *work, const attack_target *target, vb_error *err) {
    vb_blocks blocks = {0};
    uint64_t *sets = NULL;
    int n = 0, status = sum_gains(out, comm, work, target, err);
    int *list = vb_array((size_t)work->names.pool.count, sizeof *list, "candidates that take something", err);
    if (vb_comm_agree(comm, list ? status : -1, err)) {
        vb_free(list);
        return -1;
    }
    if (!comm->rank) {
        tighten(out, work->names.pool.count, 0);
        for (int c = 0; c < work->names.pool.count; c++)
            if (!out->excluded[c] && out->gains[c]) list[n++] = c;
    }
    status = vb_comm_broadcast(comm, &n, sizeof n, err);
    if (!status) status = vb_comm_broadcast(comm, list, (size_t)n * sizeof *list, err);
    if (!status) {
        size_t words = (size_t)n * (size_t)vb_cover_blocks(&target->cover);
        sets = vb_array(words, sizeof *sets, "sets of candidates", err);
        status = vb_comm_agree(comm, sets ? 0 : -1, err);
        if (!status) {
            vb_cover_sets(&target->cover, list, n, sets);
            status = vb_comm_gather(comm, sets, words * sizeof *sets, &blocks, err);
        }
    }
    vb_free(sets);
    if (!status) status = vb_comm_agree(comm, comm->rank ? 0 : search_exactly(out, work, list, n, &blocks, err), err);
    vb_comm_blocks_free(&blocks);
    vb_free(list);
    if (!status) status = vb_comm_broadcast(comm, &out->chosen, sizeof out->chosen, err);
    for (int i = 0; i < out->chosen.count && !status; i++) join_choice(out, work, target, i);
    return status;
}

/* The images that each name takes beyond those before it, of all ranks. The search orders its names by that, and may come upon a
 * set of which the others take all that the last ones take: those go. */
static int sum_choice(outcome *out, vb_comm *comm, const adversary *work, vb_error *err) {
    const size_t classes = (size_t)work->pair->classifier->classes;
    if (vb_comm_sum_to_root(comm, out->by_class, (size_t)out->k * classes, err)) return -1;
    while (!comm->rank && work->spec->method == VB_ADVERSARIAL_EXACT && out->chosen.count) {
        const int64_t *last = out->by_class + (size_t)(out->chosen.count - 1) * classes;
        int64_t images = 0;
        for (size_t c = 0; c < classes; c++) images += last[c];
        if (images) break;
        out->chosen.count--;
    }
    return vb_comm_broadcast(comm, &out->chosen, sizeof out->chosen, err);
}

/* ---- JSON ---- */

/* What the chosen names take: the keys names, accuracy, accuracy_alone, takes. The images that are left. */
static int64_t set_names(vb_json *json, json_t *entry, const outcome *out, const adversary *work, const attack_target *target) {
    const vb_vocabularies *vocabularies = &work->pair->data->vocabularies;
    int classes = work->pair->classifier->classes;
    double images = (double)target->images;
    int64_t left = target->right;
    json_t *names = vb_json_set_array(json, entry, "names"), *accuracy = vb_json_set_array(json, entry, "accuracy"),
           *alone = vb_json_set_array(json, entry, "accuracy_alone"), *random = vb_json_set_array(json, entry, "accuracy_random"),
           *takes = vb_json_set_array(json, entry, "takes");
    for (int i = 0; i < out->chosen.count; i++) {
        json_t *taken = vb_json_object(json);
        for (int c = 0; c < classes; c++) {
            int64_t n = out->by_class[(int64_t)i * classes + c];
            left -= n;
            if (n) vb_json_set_integer(json, taken, vocabularies->class[c].name, n);
        }
        vb_json_append_text(json, names, work->names.pool.class[out->chosen.name[i]].name);
        vb_json_append_real(json, accuracy, (double)left / images);
        vb_json_append_real(json, alone, (double)(target->right - out->alone[i]) / images);
        vb_json_append_real(json, random, out->random[i]);
        vb_json_append(json, takes, taken);
    }
    return left;
}

static const char *note_on(const outcome *out, const attack_target *target) {
    if (!target->right) return "no image of the target is right: nothing can be taken";
    return out->chosen.count < out->k ? "fewer names than asked for: no other candidate takes an image" : NULL;
}

/* Takes over `examples`. */
static json_t *outcome_json(vb_json *json, const outcome *out, const adversary *work, const attack_target *target,
                            json_t *examples) {
    double images = (double)target->images;
    json_t *entry = vb_json_object(json);
    vb_json_set_text(json, entry, "target", work->pair->data->vocabularies.names[target->vocabulary]);
    vb_json_set_text(json, entry, "method", vb_adversarial_spec_method_name(work->spec->method));
    vb_json_set_integer(json, entry, "k", out->k);
    vb_json_set_integer(json, entry, "images", target->images);
    vb_json_set_integer(json, entry, "right", target->right);
    vb_json_set_real(json, entry, "accuracy_before", (double)target->right / images);
    vb_json_set_integer(json, entry, "excluded", out->excluded_count);
    int64_t left = set_names(json, entry, out, work, target), least = target->right - (target->right ? out->bound : 0);
    if (least < 0) least = 0;
    vb_json_set(json, entry, "examples", examples ? examples : vb_json_array(json));
    vb_json_set_real(json, entry, "accuracy_bound", (double)least / images);
    vb_json_set_bool(json, entry, "proven", left == least);
    vb_json_set_real(json, entry, "gap", (double)(left - least) / images);
    if (work->spec->method == VB_ADVERSARIAL_EXACT) vb_json_set_integer(json, entry, "evaluations", out->evaluations);
    if (out->out_of_time) vb_json_set_real(json, entry, "stopped_after_seconds", work->spec->seconds);
    const char *note = note_on(out, target);
    if (note) vb_json_set_text(json, entry, "note", note);
    return entry;
}

/* Chooses for one target; rank 0 puts the outcome into the list. Collective. */
static int attack(vb_context *context, const adversary *work, const attack_target *target, json_t *list, vb_error *err) {
    static int (*const choose[])(outcome *, vb_comm *, const adversary *, const struct attack_target *,
                                 vb_error *) = {[VB_ADVERSARIAL_SINGLE] = choose_singles,
                                                [VB_ADVERSARIAL_GREEDY] = choose_greedily,
                                                [VB_ADVERSARIAL_EXACT] = choose_exactly};
    vb_comm *comm = &context->comm;
    outcome out;
    json_t *examples = NULL;
    int status = outcome_new(&out, work, target, err);
    if (!status) status = vb_context_check_stop(context, err);
    status = vb_comm_agree(comm, status, err);
    out.bound = target->right;
    if (!status && target->right) {
        status = find_baseline(&out, comm, work, target, err);
        if (!status) status = choose[work->spec->method](&out, comm, work, target, err);
        if (!status) status = sum_choice(&out, comm, work, err);
        if (!status)
            status = vb_examples_json(comm, &target->cover, target->places, out.chosen.name, out.chosen.count, work->pair->source,
                                      &examples, err);
    }
    if (!status && !comm->rank) {
        vb_json json = {0};
        json_t *entry = outcome_json(&json, &out, work, target, examples);
        vb_json_append(&json, list, entry);
        status = vb_json_end(&json, "the results", err);
        if (!status)
            status = vb_name_relations_add(entry, &work->names.pool, &work->pair->data->vocabularies, out.chosen.name,
                                           out.chosen.count, out.by_class, err);
    }
    outcome_free(&out);
    return vb_comm_agree(comm, status, err);
}

/* Target after target, by all ranks together. */
static int attack_all(vb_context *context, const adversary *work, json_t *list, vb_error *err) {
    vb_progress progress;
    int status = 0;
    vb_progress_start(&progress, context, "adversarial names", work->pair->spec->name, "targets", work->target_count);
    vb_progress_together(&progress);
    for (int t = 0; t < work->target_count && !status; t++) {
        status = attack(context, work, &work->targets[t], list, err);
        vb_progress_step(&progress, 1);
    }
    vb_progress_end(&progress);
    return status;
}

int vb_adversarial(vb_context *context, const vb_pair *pair, json_t *result, vb_error *err) {
    adversary work = {.pair = pair, .spec = &pair->experiment->adversarial};
    vb_json json = {0};
    json_t *list = vb_json_array(&json);
    int status = vb_comm_agree(&context->comm, vb_json_end(&json, "the results", err), err);
    if (!status) status = prepare_attack(&work, context, err);
    if (!status) status = judge_images(&work, context, err);
    if (!status) status = attack_all(context, &work, list, err);
    if (!status && !context->comm.rank) {
        vb_json_set(&json, result, "adversarial", json_incref(list));
        vb_json_set(&json, result, "adversarial_pool", vb_foreign_names_json(&json, &work.names));
        status = vb_json_end(&json, "the results", err);
    }
    if (status) vb_error_prefix(err, "adversarial vocabularies of '%s' on '%s'", pair->spec->name, pair->data->spec->name);
    json_decref(list);
    adversary_free(&work);
    return vb_comm_agree(&context->comm, status, err);
}

int vb_adversarial_check(const vb_experiment *experiment, const vb_model_spec *spec, const vb_model *model, int dim,
                         const vb_dataset_state *data, vb_error *err) {
    const vb_names_spec *pool = &experiment->adversarial.pool;
    if (!pool->asked || data->part_count ||
        !vb_foreign_names_check(pool, spec, model, dim, "adversarial", experiment->adversarial.k, err))
        return 0;
    return vb_error_prefix(err, "adversarial vocabularies of '%s' on '%s'", spec->name, data->spec->name);
}

/* Measured: WordNet's lemmas and synsets in memory. */
enum { WORDNET_BYTES = 30 << 20 };

/* Texts of classes and candidates, one unit's bits, and sets: a bit an image of this rank and candidate, in arrays that
 * double. */
int64_t vb_adversarial_bytes(const vb_adversarial_spec *spec, const vb_pair_shape *s) {
    if (!spec->pool.asked) return 0;
    int64_t all = s->classes + s->candidates, targets = spec->target_count ? spec->target_count : s->vocabularies;
    int64_t attacked = s->vocabularies ? s->images * targets / s->vocabularies : 0;
    int64_t blocks = (attacked + 64 * s->ranks - 1) / (64 * s->ranks) + targets;
    int64_t sets = 2 * blocks * s->candidates * 8, most = spec->memory << 20;
    int64_t exact =
        spec->method == VB_ADVERSARIAL_EXACT && targets ? 3 * s->candidates * 8 * (attacked / targets / 64 + s->ranks) : 0;
    return all * s->dim * 4 + (s->encoded ? s->candidates * s->dim * 4 : 0) + vb_similarity_judge_bytes(all, VB_UNIT_SAMPLES) +
           s->candidates * (VB_UNIT_SAMPLES / 8 + 200) + (sets < most ? sets : most) + exact + WORDNET_BYTES;
}

/* A step of bit sets (an operation for 64 images of a candidate) counts as ten. */
double vb_adversarial_operations(const vb_adversarial_spec *spec, const vb_pair_shape *s) {
    double images = (double)s->images, candidates = (double)s->candidates, dim = (double)s->dim;
    double steps = (double)(spec->k + 1) * 10 * images / 64 * candidates;
    return s->candidates ? 2 * images * (double)s->classes * dim + 2 * images * candidates * dim + steps : 0;
}
