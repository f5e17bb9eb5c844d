/* REPE of one (model, dataset) pair: queries, retrieval, captions, blends, evaluations. */
#include "mpi/retrieve/repe_stage.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/direction.h"
#include "kernels/openness/repe.h"
#include "mpi/analyse/analyses.h"
#include "mpi/base/json.h"
#include "mpi/evaluate/pair_json.h"
#include "mpi/retrieve/repe_lists.h"
#include "mpi/encode/text_list.h"
#include "shards/embeddings/npy.h"
#include "shards/files/zst.h"

/* ---- queries and retrieval ---- */

/* The classes as queries in the index model's space: the evaluated classifier itself, or other prompts, or another model. */
static int make_queries(vb_repe_work *work, float **queries, int *dim, vb_error *err) {
    const vb_retrieval_spec *settings = work->settings;
    const vb_classifier *plain = work->pair->classifier;
    vb_classifier other = {0};
    int status = 0;
    *dim = plain->dim;
    if (settings->query || work->index_model != work->model) {
        vb_encoding how = work->how;
        how.model = work->index_model;
        if (how.text_rules.cut == VB_ON_FAULT_UNSAID) how.text_rules.cut = VB_ON_FAULT_ERROR; /* they are classes */
        const vb_dataset_state *data = work->pair->data;
        char *query = settings->query;
        const vb_name_list names = {data->spec->vocabularies, work->classes, data->vocabularies.class,
                                    &(vb_prompts){.count = 1, .items = &query}, NULL};
        if (query ? vb_classifier_encode_names(&other, &how, &names, false, err) :
                    vb_classifier_encode(&other, &how, data, false, false, err))
            return -1;
        plain = &other;
        *dim = other.dim;
    }
    size_t n = (size_t)work->classes * (size_t)*dim;
    if (!(*queries = vb_array(n, sizeof **queries, "queries", err))) status = -1;
    for (int c = 0; c < work->classes && !status; c++)
        status =
            vb_direction_ensemble(plain->texts + (size_t)c * (size_t)*dim, 1, *dim, *queries + (size_t)c * (size_t)*dim, err);
    vb_classifier_free(&other);
    return vb_comm_agree(&work->context->comm, status, err);
}

/* One query's list into the table of rank 0. */
static int take_list(void *context, int64_t query, const vb_hit *hits, const double *scores, int64_t count, vb_error *err) {
    vb_repe_work *work = context;
    (void)err;
    for (int64_t i = 0; i < count; i++) {
        work->ids[query * work->depth + i] = hits[i].id;
        work->scores[query * work->depth + i] = scores[i];
    }
    return 0;
}

/* The lists are as long as the corpus allows: known before the first of them comes. */
static int begin_lists(void *context, const vb_retrieve_summary *summary, vb_error *err) {
    vb_repe_work *work = context;
    size_t n = (size_t)work->classes * (size_t)summary->listed;
    work->depth = summary->listed;
    work->ids = vb_array(n, sizeof *work->ids, "retrieved rows", err);
    work->scores = vb_array(n, sizeof *work->scores, "scores", err);
    return work->ids && work->scores ? 0 : -1;
}

static int retrieve(vb_repe_work *work, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    int dim, status = make_queries(work, &work->queries, &dim, err);
    if (!status && dim != work->corpus.index.dim)
        status =
            vb_errorf(err, VB_EMISMATCH,
                      "corpus '%s': its embeddings have %d dimensions, the queries of model '%s' %d; name the model that made "
                      "them as index_model",
                      work->corpus_spec->name, work->corpus.index.dim, work->pair->spec->name, dim);
    work->options = (vb_retrieve_options){.top_k = work->settings->depth,
                                          .similarity = work->settings->similarity,
                                          .threads = work->pair->threads,
                                          .memory = work->settings->budget,
                                          .quantized = work->corpus_spec->quantized,
                                          .checkpoint = work->job->checkpoint,
                                          .checkpoint_seconds = 60};
    if (!status)
        status = vb_retrieve(work->context, &work->corpus.index, work->queries, work->classes, &work->options,
                             &(vb_retrieve_sink){begin_lists, take_list, work}, &work->summary, err);
    if (!status) status = vb_comm_broadcast(comm, &work->depth, sizeof work->depth, err);
    size_t id_bytes = (size_t)work->classes * (size_t)work->depth * sizeof *work->ids,
           score_bytes = (size_t)work->classes * (size_t)work->depth * sizeof *work->scores;
    if (!status && comm->rank) {
        work->ids = vb_array(id_bytes, 1, "retrieved rows", err);
        work->scores = vb_array(score_bytes, 1, "scores", err);
        if (!work->ids || !work->scores) status = -1;
    }
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_broadcast(comm, work->ids, id_bytes, err);
    if (!status) status = vb_comm_broadcast(comm, work->scores, score_bytes, err);
    return status;
}

/* ---- captions ---- */

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

enum { HOPELESS = 16 };

static int read_captions(vb_repe_work *work, vb_error *err) {
    size_t n = (size_t)work->classes * (size_t)work->depth;
    work->unique = vb_array(n, sizeof *work->unique, "retrieved rows", err);
    int status = work->unique ? 0 : -1;
    if (!status) {
        memcpy(work->unique, work->ids, n * sizeof *work->unique);
        qsort(work->unique, n, sizeof *work->unique, ascending);
        for (size_t i = 0; i < n; i++)
            if (!i || work->unique[i] != work->unique[work->unique_count - 1])
                work->unique[work->unique_count++] = work->unique[i];
    }
    status = vb_comm_agree(&work->context->comm, status, err);
    /* Precomputed caption embeddings without a filter need no captions, and may have none. */
    bool needed = work->model || work->settings->filter == VB_FILTER_CLASS_WORD || work->settings->deduplicate;
    if (status || (!needed && !work->corpus.captions.count)) return status;
    work->captions = vb_array((size_t)work->unique_count, sizeof *work->captions, "captions", err);
    work->odd = vb_array((size_t)work->unique_count, sizeof *work->odd, "captions", err);
    if (vb_comm_agree(&work->context->comm, work->captions && work->odd ? 0 : -1, err)) return -1;
    if (vb_corpus_parts_captions(&work->corpus, work->context, work->unique, work->unique_count, work->captions, work->odd,
                                 &work->caption_block, err))
        return -1;
    for (int64_t i = 0; i < work->unique_count; i++) work->odd_count += work->odd[i] != NULL;
    /* One or a few may be bad luck, and are counted; so many and no other are the captions of something else. */
    if (work->odd_count < work->unique_count || work->unique_count < HOPELESS) return 0;
    return vb_errorf(err, VB_EDATA, "corpus '%s': none of the %lld rows that were listed has a caption that can be used: %s",
                     work->corpus_spec->name, (long long)work->unique_count, work->odd[0]);
}

static int filter_class(vb_repe_work *work, int class, vb_error *err) {
    const vb_retrieval_spec *settings = work->settings;
    const int64_t *ids = work->ids + class * work->depth;
    uint8_t *kept = work->kept + class * work->depth;
    vb_class_words words;
    if (vb_repe_words_new(&words, vb_vocabularies_called(&work->pair->data->vocabularies.class[class]), err)) return -1;
    int status = 0;
    for (int64_t i = 0; i < work->depth && !status; i++) {
        const int64_t place = work->captions ? vb_repe_place(work, ids[i]) : 0;
        const char *caption = work->captions ? work->captions[place] : "";
        bool holds = !work->captions || !work->odd[place];
        if (holds && settings->filter == VB_FILTER_CLASS_WORD) status = vb_repe_caption_holds(&words, caption, &holds, err);
        for (int64_t j = 0; j < i && holds && settings->deduplicate; j++)
            if (kept[j] && !strcmp(caption, work->captions[vb_repe_place(work, ids[j])])) holds = false;
        kept[i] = holds;
    }
    vb_repe_words_free(&words);
    return status;
}

static int filter(vb_repe_work *work, vb_error *err) {
    work->kept = vb_array((size_t)work->classes * (size_t)work->depth, 1, "filter", err);
    int status = work->kept ? 0 : -1;
    for (int c = 0; c < work->classes && !status; c++) status = filter_class(work, c, err);
    return vb_comm_agree(&work->context->comm, status, err);
}

/* Embeddings of all captions that any class keeps. */
static int encode_captions(vb_repe_work *work, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    work->rows = vb_array((size_t)work->unique_count * (size_t)work->dim, sizeof *work->rows, "caption embeddings", err);
    int64_t *needed = vb_array((size_t)work->unique_count, sizeof *needed, "captions", err), n = 0, encoded = 0;
    const char **texts = vb_array((size_t)work->unique_count, sizeof *texts, "captions", err);
    float *rows = NULL;
    int status = work->rows && needed && texts ? 0 : -1;
    if ((status = vb_comm_agree(comm, status, err))) goto done;
    for (int64_t i = 0; i < work->classes * work->depth; i++)
        if (work->kept[i]) needed[vb_repe_place(work, work->ids[i])] = 1;
    for (int64_t u = 0; u < work->unique_count; u++)
        if (needed[u]) {
            texts[n] = work->captions ? work->captions[u] : NULL;
            needed[n++] = u;
        }
    if (work->model) status = vb_text_list_encode(&work->how, texts, n, &rows, &encoded, err);
    else {
        rows = vb_array((size_t)n * (size_t)work->dim, sizeof *rows, "caption embeddings", err);
        int64_t *ids = vb_array((size_t)n, sizeof *ids, "captions", err);
        for (int64_t i = 0; ids && i < n; i++) ids[i] = work->unique[needed[i]];
        status = vb_comm_agree(comm, rows && ids ? 0 : -1, err);
        if (!status && !work->corpus.text_parts.count)
            status = vb_errorf(err, VB_EMISSING,
                               "corpus '%s': a precomputed model encodes no captions; give their embeddings as text_embeddings",
                               work->corpus_spec->name);
        if (!status) status = vb_corpus_parts_text_rows(&work->corpus, work->context, ids, n, work->dim, rows, err);
        vb_free(ids);
    }
    for (int64_t i = 0; i < n && !status; i++)
        memcpy(work->rows + needed[i] * work->dim, rows + i * work->dim, (size_t)work->dim * sizeof *rows);
done:
    vb_free(rows);
    vb_free(texts);
    vb_free(needed);
    return status;
}

/* ---- blends ---- */

static int prompts_of(const vb_repe_work *work) {
    return work->pair->classifier->prompt_rows ? work->pair->classifier->prompts : 1;
}

/* By what the blends are compared: the model's own similarity. But a single prompt's blend that is not normalised is compared as
 * it is under cosine too, as in the official code; at lambda 0 there is no blend. */
static vb_similarity similarity_of(const vb_repe_work *work, double lambda) {
    bool as_it_is = prompts_of(work) == 1 && work->settings->renormalize != VB_RENORMALIZE_ALWAYS && lambda > 0;
    return as_it_is ? VB_DOT : work->pair->spec->similarity;
}

/* One class: its single prompt blended; or every prompt blended and the blends averaged to a direction. Where no caption has a
 * weight, and the model's similarity decides, it is the plain text, not rounded a second time. */
static int blend_class(const vb_repe_work *work, int class, int64_t top_k, double lambda, const float **selected, float *scratch,
                       float *out, vb_error *err) {
    const vb_classifier *plain = work->pair->classifier;
    int prompts = prompts_of(work);
    size_t dim = (size_t)work->dim;
    vb_renormalize setting = work->settings->renormalize;
    vb_similarity own = work->pair->spec->similarity;
    const float *texts = (plain->prompt_rows ? plain->prompt_rows : plain->texts) + (size_t) class * (size_t)prompts * dim;
    int64_t n = vb_repe_kept_rows(work, class, top_k, selected);
    if ((!n || lambda == 0) && similarity_of(work, lambda) == own) {
        memcpy(out, plain->texts + (size_t) class * dim, dim * sizeof *out);
        return 0;
    }
    vb_blend how = {lambda, setting == VB_RENORMALIZE_ALWAYS, own == VB_DOT};
    if (prompts == 1) return vb_repe_blend(texts, selected, n, work->dim, &how, out, err);
    how = (vb_blend){lambda, setting != VB_RENORMALIZE_NEVER, false};
    for (int p = 0; p < prompts; p++)
        if (vb_repe_blend(texts + (size_t)p * dim, selected, n, work->dim, &how, scratch + (size_t)p * dim, err)) return -1;
    return setting == VB_RENORMALIZE_NEVER ? vb_direction_mean(scratch, prompts, work->dim, out, err) :
                                             vb_direction_ensemble(scratch, prompts, work->dim, out, err);
}

static int blend(const vb_repe_work *work, int64_t top_k, double lambda, float *texts, int *fallbacks, vb_error *err) {
    const vb_classifier *plain = work->pair->classifier;
    const float **selected = vb_array((size_t)work->depth, sizeof *selected, "captions of a class", err);
    float *scratch = vb_array((size_t)(plain->prompts > 1 ? plain->prompts : 1) * (size_t)work->dim, sizeof *scratch,
                              "prompts of a class", err);
    int status = selected && scratch ? 0 : -1;
    *fallbacks = 0;
    for (int c = 0; c < work->classes && !status; c++) {
        status = blend_class(work, c, top_k, lambda, selected, scratch, texts + (size_t)c * (size_t)work->dim, err);
        if (status) vb_error_prefix(err, "class '%s'", work->pair->data->vocabularies.class[c].name);
        *fallbacks += vb_repe_kept_rows(work, c, top_k, NULL) == 0;
    }
    vb_free(scratch);
    vb_free(selected);
    return vb_comm_agree(&work->context->comm, status, err);
}

char *vb_repe_stage_blend_path(const char *embeddings, int64_t top_k, double lambda, vb_error *err) {
    char text[32];
    for (int digits = 6; digits <= DBL_DECIMAL_DIG; digits++) { /* so that no two settings share a file */
        snprintf(text, sizeof text, "%.*g", digits, lambda);
        if (strtod(text, NULL) == lambda) break;
    }
    return vb_format(err, "%s-k%lld-l%s.npy", embeddings, (long long)top_k, text);
}

static int store_blend(const vb_repe_work *work, int setting, const float *texts, vb_error *err) {
    int64_t shape[2] = {work->classes, work->dim};
    char *path =
        vb_repe_stage_blend_path(work->job->embeddings, vb_repe_top_k(work, setting), vb_repe_lambda(work, setting), err);
    int status = path ? vb_npy_write(path, VB_F32, 2, shape, texts, err) : -1;
    vb_free(path);
    return status;
}

/* ---- settings ---- */

/* A setting's texts, and the pair as they make it; it must stay where it is. */
typedef struct blended {
    vb_classifier texts;
    vb_model_spec spec;
    vb_pair pair;
    int fallbacks;
    json_t *result; /* on rank 0, once evaluated */
} blended;

static int judge_setting(vb_repe_work *work, int setting, blended *it, vb_error *err) {
    const size_t n = (size_t)work->classes * (size_t)work->dim;
    vb_pair_counts counts;
    *it = (blended){.texts = {.classes = work->classes, .dim = work->dim, .prompts = prompts_of(work)},
                    .spec = *work->pair->spec,
                    .pair = *work->pair};
    it->texts.texts = vb_array(n, sizeof *it->texts.texts, "blended texts", err);
    int status = vb_comm_agree(&work->context->comm, it->texts.texts ? 0 : -1, err);
    if (!status)
        status = blend(work, vb_repe_top_k(work, setting), vb_repe_lambda(work, setting), it->texts.texts, &it->fallbacks, err);
    if (status) return -1;
    it->texts.digest = vb_digest_bytes(it->texts.texts, n * sizeof(float));
    it->spec.similarity = similarity_of(work, vb_repe_lambda(work, setting));
    it->pair.spec = &it->spec;
    it->pair.classifier = &it->texts;
    it->pair.records = NULL;
    if (work->settings->select == VB_SELECT_CROSS) {
        it->pair.further = vb_cross_fit_tally;
        it->pair.further_context = &work->cross;
    }
    return vb_evaluate(work->context, &it->pair, &it->result, &counts, err);
}

static void blended_free(blended *it) {
    json_decref(it->result);
    vb_classifier_free(&it->texts);
}

/* The figures of a pair's entry that rows of REPE have too, and how much they gain over the plain one. */
static void set_figures(vb_json *json, json_t *row, const vb_repe_work *work, const json_t *result) {
    static const char *const keys[] = {"acc_c",    "acc_c_se",    "acc_e",       "acc_e_se",       "acc_s",
                                       "acc_s_se", "exact",       "acc_e_union", "acc_e_union_se", "acc_e_union_method",
                                       "top1_all", "top1_all_se", "errors"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) vb_json_set_same(json, row, keys[i], result);
    vb_json_set_real(json, row, "gain", vb_pair_json_exact(result, "acc_e") - vb_pair_json_exact(work->job->plain, "acc_e"));
}

/* Foreign names are no blends: where these are compared as the plain texts are, the stated setting can be held against them. */
static vb_analyses_texts texts_of(const vb_repe_work *work, int setting, const blended *it) {
    int k, l;
    vb_retrieval_spec_stated(work->settings, &k, &l);
    const bool stated = setting == k * work->settings->lambda_count + l;
    return stated && it->spec.similarity == work->pair->spec->similarity ? VB_TEXTS_STATED : VB_TEXTS_OTHER;
}

/* One setting: blend, evaluate, and on rank 0 its row. */
static int evaluate_setting(vb_repe_work *work, int setting, json_t *rows, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    blended it;
    int status = judge_setting(work, setting, &it, err);
    if (!status) status = vb_comm_agree(comm, comm->rank ? 0 : store_blend(work, setting, it.texts.texts, err), err);
    if (!status && it.pair.experiment->analyses)
        status = vb_analyses(work->context, &it.pair, it.pair.experiment->analyses, texts_of(work, setting, &it), it.result, err);
    if (!status && it.pair.further) status = vb_cross_fit_score(&work->cross, comm, setting, err);
    if (!status && it.result) {
        vb_json json = {0};
        json_t *row = vb_json_object(&json);
        vb_json_set_integer(&json, row, "top_k", vb_repe_top_k(work, setting));
        vb_json_set_real(&json, row, "lambda", vb_repe_lambda(work, setting));
        vb_json_set_integer(&json, row, "classes_without_captions", it.fallbacks);
        vb_json_set_text(&json, row, "similarity", vb_score_names[it.spec.similarity]);
        vb_json_set_text(&json, row, "text_embeddings_digest", it.texts.digest.hex);
        set_figures(&json, row, work, it.result);
        vb_json_set_same(&json, row, "tied_images", it.result);
        vb_json_set_same(&json, row, "analyses", it.result);
        vb_json_append(&json, rows, row);
        status = vb_json_end(&json, "the results", err);
    }
    blended_free(&it);
    return vb_comm_agree(comm, status, err);
}

/* The second round of cross-fitting; on rank 0 *entry is its entry. Collective. */
static int cross_fit(vb_repe_work *work, json_t **entry, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    vb_cross_fit *cross = &work->cross;
    json_t *figures = NULL;
    int status = vb_cross_fit_choose(cross, comm, err);
    for (int s = 0; s < cross->settings && !status; s++) {
        if (!vb_cross_fit_chosen(cross, s)) continue;
        blended it;
        cross->setting = s;
        status = judge_setting(work, s, &it, err);
        blended_free(&it);
    }
    if (!status) status = vb_cross_fit_figures(cross, comm, &figures, err);
    if (!status && figures) {
        vb_json json = {0};
        *entry = vb_json_object(&json);
        vb_json_set_integer(&json, *entry, "folds", cross->folds);
        json_t *choices = vb_json_set_array(&json, *entry, "choices");
        for (int f = 0; f < cross->folds; f++) {
            json_t *choice = vb_json_object(&json);
            vb_json_set_integer(&json, choice, "top_k", vb_repe_top_k(work, cross->choice[f]));
            vb_json_set_real(&json, choice, "lambda", vb_repe_lambda(work, cross->choice[f]));
            vb_json_append(&json, choices, choice);
        }
        set_figures(&json, *entry, work, figures);
        status = vb_json_end(&json, "the results", err);
    }
    json_decref(figures);
    return vb_comm_agree(comm, status, err);
}

/* Which row counts as REPE's: the one stated beforehand; and the best of several, for which the images were looked at. */
static void mark_rows(vb_json *json, json_t *rows, const vb_repe_work *work) {
    size_t best = 0;
    int k, l;
    vb_retrieval_spec_stated(work->settings, &k, &l);
    vb_json_set_bool(json, json_array_get(rows, (size_t)(k * work->settings->lambda_count + l)), "stated", true);
    for (size_t i = 1; i < json_array_size(rows); i++)
        if (vb_pair_json_exact(json_array_get(rows, i), "acc_e") > vb_pair_json_exact(json_array_get(rows, best), "acc_e"))
            best = i;
    vb_json_set_bool(json, json_array_get(rows, best), "best", true);
    vb_json_set_text(json, json_array_get(rows, best), "selected_on", "the test images");
}

static int run_settings(vb_repe_work *work, json_t **result, vb_error *err) {
    const vb_retrieval_spec *settings = work->settings;
    const int count = settings->top_k_count * settings->lambda_count;
    bool is_root = !work->context->comm.rank, crossed = settings->select == VB_SELECT_CROSS;
    vb_json json = {0};
    json_t *rows = is_root ? vb_json_array(&json) : NULL, *cross = NULL;
    int status = vb_comm_agree(&work->context->comm, is_root ? vb_repe_lists_write(work, err) : 0, err);
    if (!status && crossed) status = vb_cross_fit_open(&work->cross, work->context, work->pair, (int)settings->folds, count, err);
    for (int s = 0; s < count && !status; s++) status = evaluate_setting(work, s, rows, err);
    if (!status && crossed) status = cross_fit(work, &cross, err);
    if (!status && is_root) {
        mark_rows(&json, rows, work);
        json_t *object = *result = vb_json_object(&json);
        vb_json_set_text(&json, object, "corpus", work->corpus_spec->name);
        vb_json_set_integer(&json, object, "rows_not_finite", work->summary.not_finite);
        vb_json_set_integer(&json, object, "rows_zero", work->summary.zero);
        vb_repe_lists_note_odd(&json, object, work);
        vb_repe_lists_note_captionless(&json, object, work);
        vb_json_set_text(&json, object, "exact", "proven");
        vb_json_set_integer(&json, object, "rows", work->corpus.index.rows);
        vb_json_set_integer(&json, object, "depth", work->depth);
        vb_json_set(&json, object, "settings", vb_retrieval_spec_json(&json, settings));
        vb_json_set(&json, object, "results", json_incref(rows));
        if (cross) vb_json_set(&json, object, "cross", json_incref(cross));
        status = vb_json_end(&json, "the results", err);
    }
    json_decref(rows);
    json_decref(cross);
    return vb_comm_agree(&work->context->comm, status, err);
}

/* The model that the corpus' embeddings are of: another one of the experiment, or the evaluated one. */
static int open_index_model(vb_repe_work *work, vb_model *other, vb_error *err) {
    const vb_experiment *experiment = work->pair->experiment;
    const vb_model_spec *spec = vb_experiment_index_model(experiment, work->pair->spec);
    work->model = work->index_model = work->pair->source->model;
    if (spec == work->pair->spec) return 0;
    if (work->model) vb_clip_rest(work->model->clip);
    work->index_model = other;
    return vb_model_open(other, work->context, spec, true, work->pair->threads, experiment->cache, err);
}

/* What the scan did to get there: it depends on ranks, threads and interruptions. encoded: rows, by all ranks. */
static json_t *certificate(vb_json *json, const vb_repe_work *work, int64_t encoded) {
    const vb_retrieve_summary *summary = &work->summary;
    json_t *object = vb_json_object(json);
    vb_json_set_text(json, object, "engine", work->corpus_spec->quantized ? "int8" : "float");
    vb_json_set_integer(json, object, "blocks", summary->blocks);
    vb_json_set_integer(json, object, "blocks_resumed", summary->blocks_resumed);
    vb_json_set_integer(json, object, "bytes_read", summary->bytes_read);
    vb_json_set_integer(json, object, "rows_encoded", encoded);
    vb_json_set_integer(json, object, "rescored", summary->rescored);
    vb_json_set_integer(json, object, "rows_on_device", summary->rows_on_device);
    vb_json_set_integer(json, object, "candidates", summary->candidates);
    vb_json_set_real(json, object, "mean_slack", summary->slack);
    return object;
}

int vb_repe_stage(vb_context *context, const vb_repe_job *job, json_t **result, json_t **scan, vb_error *err) {
    vb_repe_work work = {.context = context,
                         .job = job,
                         .pair = &job->pair,
                         .settings = vb_experiment_retrieval(job->pair.experiment, job->pair.spec),
                         .classes = job->pair.data->space.classes,
                         .dim = job->pair.classifier->dim};
    vb_model other = {0};
    work.corpus_spec = vb_experiment_find_corpus(job->pair.experiment, work.settings->corpus);
    *result = *scan = NULL;
    int status = open_index_model(&work, &other, err);
    work.how = (vb_encoding){.context = context,
                             .model = work.index_model,
                             .cache = job->pair.experiment->cache,
                             .batch = (int)job->pair.experiment->batch,
                             .threads = job->pair.threads,
                             .decode_memory = job->pair.experiment->decode_memory,
                             .text_rules = job->pair.experiment->text_rules,
                             .skip_broken = job->pair.data->spec->on_error == VB_ON_ERROR_SKIP};
    if (!status) status = vb_corpus_parts_open(&work.corpus, &work.how, work.corpus_spec, err);
    work.how.model = work.model;
    if (!status) status = retrieve(&work, err);
    vb_clip_rest(other.clip); /* the two models' work space is not needed at the same time */
    if (!status) status = read_captions(&work, err);
    if (!status) status = filter(&work, err);
    if (!status) status = encode_captions(&work, err);
    if (!status) status = run_settings(&work, result, err);
    int64_t encoded = work.corpus.encoded;
    if (!status) status = vb_comm_sum_to_root(&context->comm, &encoded, 1, err);
    if (!status && !context->comm.rank) {
        vb_json json = {0};
        *scan = certificate(&json, &work, encoded);
        status = vb_json_end(&json, "the results", err);
    }
    status = vb_comm_agree(&context->comm, status, err);
    /* Not before: captions that are missing, or whatever stops the evaluation, would cost the whole scan again. */
    if (!status && !context->comm.rank) vb_retrieve_forget(&work.corpus.index, work.queries, work.classes, &work.options);
    vb_cross_fit_close(&work.cross);
    vb_corpus_parts_close(&work.corpus);
    if (other.spec) vb_model_close(&other);
    vb_free(work.queries);
    vb_free(work.ids);
    vb_free(work.scores);
    vb_free(work.unique);
    vb_free(work.captions);
    vb_free(work.odd);
    vb_free(work.caption_block);
    vb_free(work.kept);
    vb_free(work.rows);
    return status;
}
