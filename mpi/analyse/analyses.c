/* The analyses of a pair: those that share a pass over the images first, then the others, each by its row. */
#include "mpi/analyse/analyses.h"

#include <assert.h>

#define ROW(name, help) &vb_analysis_##name,
static const vb_analysis *const rows[VB_ANALYSES_SPEC_COUNT] = {VB_ANALYSES_LIST(ROW)};
#undef ROW

const vb_analysis *vb_analyses_row(int a) {
    assert(a >= 0 && a < VB_ANALYSES_SPEC_COUNT);
    return rows[a];
}

static bool is_in(uint32_t set, int a) { return set >> a & 1; }

static unsigned needs_of(uint32_t set) {
    unsigned needs = 0;
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT; a++)
        if (is_in(set, a)) needs |= rows[a]->needs;
    return needs;
}

/* The pass, and what rank 0 makes of it. */
static int run_pass(vb_analysis_work *work, vb_image_pass *pass, uint32_t set, vb_error *err) {
    unsigned needs = needs_of(set);
    if (!needs) return 0;
    work->context->stage = "analyses";
    if (vb_image_pass_run(pass, work->context, work->pair, needs, err)) return -1;
    json_t *histograms = work->histograms;
    int status = 0;
    if (!work->context->comm.rank) {
        vb_json_set_integer(work->json, histograms, "low", -1);
        vb_json_set_integer(work->json, histograms, "high", 1);
        vb_json_set_integer(work->json, histograms, "bins", VB_HISTOGRAM_BINS);
        size_t before = json_object_size(histograms);
        for (int a = 0; a < VB_ANALYSES_SPEC_COUNT && !status; a++)
            if (is_in(set, a) && rows[a]->needs) status = rows[a]->run(work, err);
        if (json_object_size(histograms) > before) vb_json_set(work->json, work->figures, "histograms", json_incref(histograms));
    }
    return vb_comm_agree(&work->context->comm, status, err);
}

int vb_analyses_check(const vb_analysis_subject *subject, vb_error *err) {
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT; a++) {
        const char *name = vb_analyses_spec_options()[a].key;
        if (!is_in(subject->experiment->analyses, a)) continue;
        if (rows[a]->check && rows[a]->check(subject, err))
            return vb_error_prefix(err, "dataset '%s', analysis '%s'", subject->data->spec->name, name);
    }
    return 0;
}

int vb_analyses(vb_context *context, const vb_pair *pair, uint32_t set, vb_analyses_texts texts, json_t *result, vb_error *err) {
    vb_comm *comm = &context->comm;
    vb_json json = {0};
    vb_image_pass pass = {0};
    vb_confidence_pass confidences = {0};
    vb_analysis_work work = {.context = context,
                             .pair = pair,
                             .images = texts == VB_TEXTS_PLAIN,
                             .shown = texts != VB_TEXTS_OTHER,
                             .pass = &pass,
                             .confidences = &confidences,
                             .json = &json};
    work.figures = vb_json_object(&json);
    work.histograms = vb_json_object(&json);
    int status = vb_comm_agree(comm, vb_json_end(&json, "the analyses", err), err);
    if (!status) status = run_pass(&work, &pass, set, err);
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT && !status; a++)
        if (is_in(set, a) && !rows[a]->needs) {
            context->stage = vb_analyses_spec_options()[a].key;
            status = rows[a]->run(&work, err);
        }
    context->stage = NULL;
    if (!status && !comm->rank) vb_json_set(&json, result, "analyses", json_incref(work.figures));
    if (!status) status = vb_json_end(&json, "the analyses", err);
    if (status) vb_error_prefix(err, "analyses of '%s' on '%s'", pair->spec->name, pair->data->spec->name);
    json_decref(work.histograms);
    json_decref(work.figures);
    vb_image_pass_free(&pass);
    vb_confidence_pass_free(&confidences);
    return vb_comm_agree(comm, status, err);
}

int64_t vb_analyses_bytes(uint32_t set, const vb_pair_shape *shape) {
    int64_t most = 0;
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT; a++) {
        int64_t bytes = is_in(set, a) && rows[a]->bytes ? rows[a]->bytes(shape) : 0;
        if (bytes > most) most = bytes;
    }
    return most;
}

double vb_analyses_operations(uint32_t set, const vb_pair_shape *shape) {
    double sum = set ? 2.0 * (double)shape->images * (double)shape->classes * (double)shape->dim : 0;
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT; a++)
        if (is_in(set, a) && rows[a]->operations) sum += rows[a]->operations(shape);
    return sum;
}
