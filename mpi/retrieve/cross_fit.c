/* Folds, the settings' counts by fold, the choice, and the tally of images under the settings of their folds. */
#include "mpi/retrieve/cross_fit.h"

#include <assert.h>

#include "kernels/base/memory.h"
#include "kernels/openness/openness.h"
#include "mpi/evaluate/tally_sum.h"
#include "mpi/evaluate/unit_pass.h"

/* ---- folds ---- */

/* This rank's images, by their places in the data. */
typedef struct dealt {
    int64_t place;
    int class;
} dealt;

typedef struct hand {
    dealt *images;
    size_t count, capacity;
    int64_t places; /* one more than the largest place, of all ranks */
} hand;

static int take_unit(void *context, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    hand *its = context;
    (void)unit;
    if (vb_grow((void **)&its->images, &its->capacity, its->count + (size_t)rows->count, sizeof *its->images, "folds", err))
        return -1;
    for (int i = 0; i < rows->count; i++) {
        its->images[its->count++] = (dealt){rows->places[i], rows->classes[i]};
        if (rows->places[i] >= its->places) its->places = rows->places[i] + 1;
    }
    return 0;
}

/* The n-th image of class c (of a set, the first one listed) is of fold (c + n) modulo the folds: classes are spread evenly
 * whatever the order of the data, and small classes do not all fill the first folds. classes: 1 + the class at every place, 0
 * where none counts. */
static void deal_images(vb_cross_fit *cross, const hand *its, const int64_t *classes, int64_t *next) {
    for (int64_t p = 0; p < its->places; p++) {
        if (!classes[p]) continue;
        const int64_t class = classes[p] - 1;
        cross->fold[p] = (uint8_t)((class + next[class]++) % cross->folds);
    }
}

/* Every rank learns every image's class, so that all deal alike. */
static int deal(vb_cross_fit *cross, vb_context *context, vb_error *err) {
    vb_comm *comm = &context->comm;
    hand its = {0};
    int64_t *classes = NULL, *next = NULL;
    int status = vb_unit_pass(context, cross->pair->source, take_unit, &its, err);
    status = vb_context_barrier(context, status, err);
    if (!status) status = vb_comm_max(comm, &its.places, 1, err);
    if (!status) {
        classes = vb_array((size_t)its.places, sizeof *classes, "folds", err);
        next = vb_array((size_t)cross->pair->data->space.classes, sizeof *next, "folds", err);
        cross->fold = vb_array((size_t)its.places, 1, "folds", err);
        status = vb_comm_agree(comm, classes && next && cross->fold ? 0 : -1, err);
    }
    for (size_t i = 0; i < its.count && !status; i++) classes[its.images[i].place] = its.images[i].class + 1;
    if (!status) status = vb_comm_sum_to_root(comm, classes, (size_t)its.places, err);
    if (!status) status = vb_comm_broadcast(comm, classes, (size_t)its.places * sizeof *classes, err);
    if (!status) deal_images(cross, &its, classes, next);
    vb_free(its.images);
    vb_free(classes);
    vb_free(next);
    return status;
}

int vb_cross_fit_open(vb_cross_fit *cross, vb_context *context, const vb_pair *pair, int folds, int settings, vb_error *err) {
    const size_t parts = (size_t)folds;
    assert(folds >= 2 && folds <= UINT8_MAX && settings >= 1);
    *cross = (vb_cross_fit){.pair = pair, .folds = folds, .settings = settings};
    cross->tallies = vb_array(parts, sizeof *cross->tallies, "folds", err);
    cross->scores = vb_array(parts * (size_t)settings, sizeof *cross->scores, "folds", err);
    cross->choice = vb_array(parts, sizeof *cross->choice, "folds", err);
    int status = cross->tallies && cross->scores && cross->choice ? 0 : -1;
    for (int f = 0; f < folds && !status; f++) status = vb_evaluate_tally_new(&cross->tallies[f], pair, err);
    status = vb_comm_agree(&context->comm, status, err);
    return status ? status : deal(cross, context, err);
}

void vb_cross_fit_close(vb_cross_fit *cross) {
    for (int f = 0; cross->tallies && f < cross->folds; f++) vb_tally_free(cross->tallies[f]);
    vb_free(cross->tallies);
    vb_free(cross->fold);
    vb_free(cross->scores);
    vb_free(cross->choice);
    *cross = (vb_cross_fit){0};
}

/* ---- the rounds ---- */

vb_tally *vb_cross_fit_tally(void *context, int64_t place) {
    vb_cross_fit *cross = context;
    const int fold = cross->fold[place];
    if (!cross->chosen) return cross->tallies[fold];
    return cross->choice[fold] == cross->setting ? cross->chosen : NULL;
}

int vb_cross_fit_score(vb_cross_fit *cross, vb_comm *comm, int setting, vb_error *err) {
    assert(setting >= 0 && setting < cross->settings && !cross->chosen);
    int status = 0;
    for (int f = 0; f < cross->folds && !status; f++) status = vb_tally_sum_to_root(comm, cross->tallies[f], err);
    for (int f = 0; f < cross->folds && !status && !comm->rank; f++)
        status = vb_openness_acc_e_without((const vb_tally *const *)cross->tallies, cross->folds, f,
                                           &cross->scores[setting * cross->folds + f], err);
    for (int f = 0; f < cross->folds; f++) vb_tally_clear(cross->tallies[f]);
    return vb_comm_agree(comm, status, err);
}

int vb_cross_fit_choose(vb_cross_fit *cross, vb_comm *comm, vb_error *err) {
    for (int f = 0; f < cross->folds && !comm->rank; f++)
        for (int s = 1; s < cross->settings; s++)
            if (cross->scores[s * cross->folds + f] > cross->scores[cross->choice[f] * cross->folds + f]) cross->choice[f] = s;
    if (vb_comm_broadcast(comm, cross->choice, (size_t)cross->folds * sizeof *cross->choice, err)) return -1;
    cross->chosen = cross->tallies[0]; /* it is empty again */
    return 0;
}

bool vb_cross_fit_chosen(const vb_cross_fit *cross, int setting) {
    for (int f = 0; f < cross->folds; f++)
        if (cross->choice[f] == setting) return true;
    return false;
}

int vb_cross_fit_figures(vb_cross_fit *cross, vb_comm *comm, json_t **figures, vb_error *err) {
    *figures = NULL;
    int status = vb_tally_sum_to_root(comm, cross->chosen, err);
    if (!status && !comm->rank)
        status = vb_evaluate_figures(cross->pair, cross->chosen, &(vb_evaluate_facts){.skipped = NULL}, figures, err);
    return vb_comm_agree(comm, status, err);
}

enum { DEALING = 24 }; /* bytes an image, while it lasts */

int64_t vb_cross_fit_bytes(const vb_retrieval_spec *retrieval, const vb_pair_shape *shape, int64_t tally) {
    if (!retrieval || retrieval->select != VB_SELECT_CROSS) return 0;
    return retrieval->folds * tally + vb_evaluate_sets_bytes(shape) + (DEALING + 1) * shape->images;
}
