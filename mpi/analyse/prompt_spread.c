/* The analysis `prompt_spread`: the figures of openness with each prompt template alone, and with WordNet's other names of the
 * classes: how much of a figure is the wording's. */
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/numpy_rng.h"
#include "kernels/openness/openness.h"
#include "kernels/openness/similarity.h"
#include "mpi/analyse/analysis.h"
#include "mpi/analyse/prompt_spread_section.h"
#include "mpi/analyse/synonyms.h"
#include "mpi/evaluate/device_products.h"
#include "mpi/evaluate/tally_sum.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/evaluate/unit_views.h"

enum { FIGURES = 4 };
static const char *const figure_names[FIGURES] = {"acc_c", "acc_e", "acc_s", "top1_all"};
typedef struct spread_figures {
    double value[FIGURES];
} spread_figures;

/* The figures of the pair with other texts. */
typedef struct spread_work {
    vb_analysis_work *analysis;
    const vb_pair *pair;
    vb_encoding how;
    vb_label_space space;       /* the dataset's, and whether labels are sets */
    vb_memberships memberships; /* of it */
    const vb_class_sets *sets;
    float *texts; /* classes x dim, of the variant at hand */
    vb_text_bank *bank;
    vb_device_products device; /* of the bank */
    vb_tally *tally;
    spread_figures *figures; /* of each variant so far: on rank 0 */
} spread_work;

static int count_unit(void *context, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    spread_work *work = context;
    const size_t vocabularies = (size_t)work->space.vocabularies;
    if (!rows->count) return 0;
    vb_unit_views views;
    int status = vb_unit_views_open(&views, rows, work->sets, work->bank, &work->memberships, err);
    uint8_t *beaten = vb_array((status ? 0 : (size_t)views.block.rows) * vocabularies, 1, "outcome of a unit", err);
    if (!beaten) status = -1;
    if (!status) status = vb_similarity_judge(work->bank, &work->space, &views.block, beaten, NULL, work->pair->threads, err);
    for (int i = 0; i < rows->count && !status; i++) {
        const int64_t first = vb_unit_views_first(&views, i);
        const uint8_t *its = beaten + (size_t)first * vocabularies;
        if (work->sets)
            vb_tally_add_set(work->tally, &views.sets[i], views.block.labels + first, (int)vb_unit_views_count(&views, i), its);
        else vb_tally_add(work->tally, rows->classes[i], its);
    }
    vb_free(beaten);
    vb_unit_views_close(&views);
    return status;
}

/* work->texts to *figures, on rank 0. Collective. */
static int evaluate_texts(spread_work *work, spread_figures *figures, vb_error *err) {
    vb_context *context = work->analysis->context;
    const vb_pair *pair = work->pair;
    const vb_protocol protocol = {.union_permutations = 2}; /* acc_e_union is not shown */
    vb_openness_result openness = {0};
    int status = vb_device_products_bank(&work->device, &work->bank, context, pair, work->texts, pair->classifier->classes,
                                         pair->classifier->dim, err);
    if (!status) status = vb_tally_new(&work->tally, &work->space, &protocol, err);
    if (!status) status = vb_unit_pass(context, pair->source, count_unit, work, err);
    status = vb_context_barrier(context, status, err);
    if (!status) status = vb_tally_sum_to_root(&context->comm, work->tally, err);
    if (!status && !context->comm.rank) {
        status = vb_openness(&openness, work->tally, err);
        if (!status) *figures = (spread_figures){{openness.acc_c, openness.acc_e, openness.acc_s, openness.top1_all}};
        vb_openness_free(&openness);
    }
    vb_tally_free(work->tally);
    vb_similarity_bank_free(work->bank);
    vb_device_products_close(&work->device);
    work->tally = NULL;
    work->bank = NULL;
    return vb_comm_agree(&context->comm, status, err);
}

/* ---- figures ---- */

/* {mean, sd, min, max} of each figure, and under `least` and `most` which variants these are, when they have names. */
static void set_spread(vb_json *json, json_t *to, const spread_figures *figures, int64_t count, const char *const *names) {
    for (int f = 0; f < FIGURES; f++) {
        json_t *part = vb_json_set_object(json, to, figure_names[f]);
        const double first = figures[0].value[f]; /* equal values have their mean exactly, and no deviation */
        double sum = 0, squares = 0;
        int64_t least = 0, most = 0;
        for (int64_t k = 0; k < count; k++) {
            double value = figures[k].value[f];
            sum += value - first;
            if (value < figures[least].value[f]) least = k;
            if (value > figures[most].value[f]) most = k;
        }
        const double mean = first + sum / (double)count;
        for (int64_t k = 0; k < count; k++) squares += (figures[k].value[f] - mean) * (figures[k].value[f] - mean);
        vb_json_set_real(json, part, "mean", mean);
        vb_json_set_real(json, part, "sd", sqrt(squares / (double)(count - 1)));
        vb_json_set_real(json, part, "min", figures[least].value[f]);
        vb_json_set_real(json, part, "max", figures[most].value[f]);
        if (!names) continue;
        vb_json_set_text(json, part, "least", names[least]);
        vb_json_set_text(json, part, "most", names[most]);
    }
}

static void set_list(vb_json *json, json_t *to, const spread_figures *figures, int64_t count, const char *const *names) {
    json_t *list = vb_json_set_array(json, to, "list");
    for (int64_t k = 0; k < count; k++) {
        json_t *entry = vb_json_object(json);
        if (names) vb_json_set_text(json, entry, "template", names[k]);
        for (int f = 0; f < FIGURES; f++) vb_json_set_real(json, entry, figure_names[f], figures[k].value[f]);
        vb_json_append(json, list, entry);
    }
}

/* ---- templates ---- */

static int vary_templates(spread_work *work, json_t *to, vb_error *err) {
    vb_comm *comm = &work->analysis->context->comm;
    const vb_pair *pair = work->pair;
    const vb_prompts *prompts = vb_experiment_prompts(pair->spec, pair->data->spec);
    vb_json *json = work->analysis->json;
    vb_classifier encoded;
    if (!pair->experiment->prompt_spread.templates || pair->spec->coop || prompts->count < 2) {
        if (!comm->rank) vb_json_set(json, to, "templates", json_null());
        return 0;
    }
    if (vb_classifier_encode(&encoded, &work->how, pair->data, true, false, err)) return -1;
    size_t dim = (size_t)encoded.dim, count = (size_t)prompts->count;
    spread_figures *figures = vb_array(count, sizeof *figures, "figures of templates", err);
    int status = vb_comm_agree(comm, figures ? 0 : -1, err);
    for (size_t k = 0; k < count && !status; k++) {
        for (size_t c = 0; c < (size_t)encoded.classes; c++)
            memcpy(work->texts + c * dim, encoded.prompt_rows + (c * count + k) * dim, dim * sizeof *work->texts);
        status = evaluate_texts(work, &figures[k], err);
    }
    if (!status && !comm->rank) {
        json_t *part = vb_json_set_object(json, to, "templates");
        vb_json_set_integer(json, part, "count", prompts->count);
        set_spread(json, part, figures, prompts->count, (const char *const *)prompts->items);
        set_list(json, part, figures, prompts->count, (const char *const *)prompts->items);
    }
    vb_free(figures);
    vb_classifier_free(&encoded);
    return status;
}

/* ---- synonyms ---- */

static void set_names(vb_json *json, json_t *part, const vb_synonyms *synonyms, const vb_vocabularies *vocabularies) {
    json_t *list = vb_json_array(json);
    for (int c = 0; c < vocabularies->classes; c++) {
        if (synonyms->offsets[c] == synonyms->offsets[c + 1]) continue;
        json_t *entry = vb_json_object(json);
        vb_json_set_text(json, entry, "name", vocabularies->class[c].name);
        json_t *names = vb_json_set_array(json, entry, "synonyms");
        for (int i = synonyms->offsets[c]; i < synonyms->offsets[c + 1]; i++)
            vb_json_append_text(json, names, synonyms->names[i].name);
        vb_json_append(json, list, entry);
    }
    vb_json_set_integer(json, part, "classes_with_synonyms", (int64_t)json_array_size(list));
    vb_json_set_integer(json, part, "names", synonyms->count);
    vb_json_set_integer(json, part, "ambiguous_classes", synonyms->ambiguous);
    vb_json_set_integer(json, part, "shared_names", synonyms->shared);
    vb_json_set(json, part, "classes", list);
    vb_json_set_text(json, part, "wordnet_digest", synonyms->wordnet.hex);
}

/* A name for each class: its own, or one of its synonyms, each with the same chance. rows: the synonyms' embeddings. */
static void draw_texts(spread_work *work, const vb_synonyms *synonyms, const float *rows, vb_numpy_rng *rng) {
    const vb_classifier *classifier = work->pair->classifier;
    size_t dim = (size_t)classifier->dim;
    for (int c = 0; c < classifier->classes; c++) {
        int others = synonyms->offsets[c + 1] - synonyms->offsets[c];
        uint32_t choice = others ? vb_numpy_rng_interval(rng, (uint32_t)others) : 0;
        const float *from =
            choice ? rows + ((size_t)synonyms->offsets[c] + choice - 1) * dim : classifier->texts + (size_t)c * dim;
        memcpy(work->texts + (size_t)c * dim, from, dim * sizeof *from);
    }
}

/* With the synonyms found, and agreed upon. Collective. */
static int draw_synonyms(spread_work *work, json_t *to, const vb_synonyms *synonyms, vb_error *err) {
    vb_comm *comm = &work->analysis->context->comm;
    const vb_pair *pair = work->pair;
    const vb_prompt_spread_spec *spec = &pair->experiment->prompt_spread;
    vb_json *json = work->analysis->json;
    const vb_name_list names = {spec->wordnet, synonyms->count, synonyms->names,
                                vb_experiment_prompts(pair->spec, pair->data->spec), pair->spec->coop};
    vb_classifier encoded = {0};
    vb_numpy_rng rng;
    if (vb_classifier_encode_names(&encoded, &work->how, &names, false, err)) return -1;
    spread_figures *figures = vb_array((size_t)spec->draws, sizeof *figures, "figures of synonyms", err);
    int status = vb_comm_agree(comm, figures ? 0 : -1, err);
    vb_numpy_rng_seed(&rng, (uint32_t)pair->experiment->seed);
    for (int64_t d = 0; d < spec->draws && !status; d++) {
        draw_texts(work, synonyms, encoded.texts, &rng);
        status = evaluate_texts(work, &figures[d], err);
    }
    if (!status && !comm->rank) {
        json_t *part = vb_json_set_object(json, to, "synonyms");
        vb_json_set_integer(json, part, "draws", spec->draws);
        vb_json_set_integer(json, part, "seed", pair->experiment->seed);
        set_spread(json, part, figures, spec->draws, NULL);
        set_list(json, part, figures, spec->draws, NULL);
        set_names(json, part, synonyms, &pair->data->vocabularies);
    }
    vb_free(figures);
    vb_classifier_free(&encoded);
    return status;
}

static int vary_synonyms(spread_work *work, json_t *to, vb_error *err) {
    vb_comm *comm = &work->analysis->context->comm;
    const vb_pair *pair = work->pair;
    const vb_prompt_spread_spec *spec = &pair->experiment->prompt_spread;
    vb_wordnet *wordnet = NULL;
    vb_synonyms synonyms = {0};
    if (!spec->synonyms) {
        if (!comm->rank) vb_json_set(work->analysis->json, to, "synonyms", json_null());
        return 0;
    }
    int status = vb_wordnet_open(&wordnet, spec->wordnet, err);
    if (!status) status = vb_synonyms_find(&synonyms, wordnet, &pair->data->vocabularies, err);
    vb_wordnet_close(wordnet);
    status = vb_comm_agree_same(comm, status, synonyms.wordnet.hex, spec->wordnet, err);
    if (!status && synonyms.count) status = draw_synonyms(work, to, &synonyms, err);
    else if (!status && !comm->rank) vb_json_set(work->analysis->json, to, "synonyms", json_null()); /* nothing to vary */
    vb_synonyms_free(&synonyms);
    return status;
}

/* ---- the row ---- */

static int run_prompt_spread(vb_analysis_work *analysis, vb_error *err) {
    vb_comm *comm = &analysis->context->comm;
    const vb_pair *pair = analysis->pair;
    /* Of the plain texts of a dataset: a blend has one wording. */
    if (!analysis->images || pair->data->part_count) return 0;
    spread_work work = {.analysis = analysis,
                        .pair = pair,
                        .space = pair->data->space,
                        .sets = vb_image_source_sets(pair->source),
                        .how = {.context = analysis->context,
                                .model = pair->source->model,
                                .cache = pair->experiment->cache,
                                .threads = pair->threads,
                                .text_rules = pair->experiment->text_rules}};
    work.texts =
        vb_buffer((size_t)pair->classifier->classes * (size_t)pair->classifier->dim, sizeof *work.texts, "text embeddings", err);
    work.space.sets = work.sets;
    int status = work.texts ? vb_label_space_memberships_new(&work.memberships, &work.space, err) : -1;
    status = vb_comm_agree(comm, status, err);
    json_t *to = comm->rank || status ? NULL : vb_json_set_object(analysis->json, analysis->figures, "prompt_spread");
    if (!status) status = vary_templates(&work, to, err);
    if (!status) status = vary_synonyms(&work, to, err);
    vb_label_space_memberships_free(&work.memberships);
    vb_free(work.texts);
    return status;
}

/* The texts at hand, all prompts' (as encoded, and gathered), synonyms likewise, and what judging takes. */
static int64_t prompt_spread_bytes(const vb_pair_shape *s) {
    return (s->classes * (3 + s->prompts) + 2 * s->synonyms) * s->dim * 4 +
           vb_similarity_judge_bytes(s->classes, VB_UNIT_SAMPLES) + VB_UNIT_SAMPLES * s->vocabularies;
}

static double prompt_spread_operations(const vb_pair_shape *s) {
    return 2.0 * (double)s->images * (double)s->classes * (double)s->dim * (double)s->variants;
}

/* WordNet's names are English: beside names of another language they would not be other words for the same. */
static int check_prompt_spread(const vb_analysis_subject *subject, vb_error *err) {
    const vb_prompt_spread_spec *its = &subject->experiment->prompt_spread;
    const vb_dataset_state *data = subject->data;
    if (!its->synonyms || data->part_count) return 0;
    if (subject->spec->coop && vb_classifier_check_names(subject->spec->coop, its->wordnet, err)) return -1;
    if (!data->spec->names) return 0;
    return vb_errorf(err, VB_EUNSUPPORTED,
                     "synonyms are WordNet's, and the classes have the names of %s: synonyms: false leaves them out",
                     data->spec->names);
}

const vb_analysis vb_analysis_prompt_spread = {.check = check_prompt_spread,
                                               .run = run_prompt_spread,
                                               .bytes = prompt_spread_bytes,
                                               .operations = prompt_spread_operations,
                                               .section = &vb_prompt_spread_section};
