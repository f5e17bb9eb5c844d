/* What must be the same in two results before their figures are compared, and the comparison as JSON. */
#include "mpi/results/compare_runs.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mpi/base/json.h"
#include "shards/text/did_you_mean.h"

static const char *const categories[] = {"data", "vocabularies", "prompts", "preprocessing", NULL};
static_assert(sizeof categories / sizeof *categories == VB_COMPARE_CATEGORIES + 1, "a name for each category");

static int read_allow(vb_compare_runs *work, const char *list, vb_error *err) {
    while (list && *list) {
        char word[32];
        size_t n = strcspn(list, ",");
        snprintf(word, sizeof word, "%.*s", (int)n, list);
        int c = 0;
        while (categories[c] && strcmp(categories[c], word)) c++;
        if (!categories[c]) {
            char hint[VB_DID_YOU_MEAN_HINT];
            return vb_errorf(err, VB_EUSAGE, "--allow: expected data, vocabularies, prompts or preprocessing, found '%s'%s", word,
                             vb_did_you_mean_hint(hint, word, categories));
        }
        work->allowed[c] = true;
        list += n + (list[n] == ',');
    }
    return 0;
}

static void differ(vb_compare_runs *work, vb_compare_category category, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void differ(vb_compare_runs *work, vb_compare_category category, const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (work->allowed[category])
        json_array_append_new(work->differences, json_pack("{s:s, s:s}", "kind", categories[category], "what", text));
    else vb_strbuf_format(&work->refused, "%s%s", work->refused.filled ? "; " : "", text);
}

static const json_t *section(const vb_compared_run *it, const char *name) { return json_object_get(it->entry, name); }

bool vb_compare_runs_precomputed(const vb_compared_run *it) {
    return !strcmp(vb_json_text(section(it, "data"), "kind"), "precomputed");
}

/* Precomputed embeddings of other models are other bytes: there, the labels must be the same. */
static void check_data(vb_compare_runs *work) {
    bool precomputed_a = vb_compare_runs_precomputed(&work->a), precomputed_b = vb_compare_runs_precomputed(&work->b);
    if (precomputed_a != precomputed_b) {
        differ(work, VB_COMPARE_DATA, "data: the images of %c are precomputed embeddings, those of %c are not",
               precomputed_a ? 'A' : 'B', precomputed_a ? 'B' : 'A');
        return;
    }
    const char *key = precomputed_a ? "labels_digest" : "images_digest", *a = vb_json_text(section(&work->a, "data"), key),
               *b = vb_json_text(section(&work->b, "data"), key);
    if (strcmp(a, b)) differ(work, VB_COMPARE_DATA, "data: %s %.8s of A, %.8s of B", key, a, b);
}

static const json_t *prompts_of(const vb_compared_run *it) {
    const json_t *models = json_object_get(json_object_get(it->folder.document, "configuration"), "models"), *model;
    size_t i;
    json_array_foreach(models, i, model) {
        if (!strcmp(vb_json_text(model, "name"), vb_json_text(it->entry, "model"))) return json_object_get(model, "prompts");
    }
    return NULL;
}

static void describe_prompts(char *text, size_t size, const json_t *prompts) {
    if (json_is_object(prompts)) snprintf(text, size, "CoOp '%s'", vb_json_text(prompts, "coop"));
    else if (json_array_size(prompts) == 1) snprintf(text, size, "'%s'", json_string_value(json_array_get(prompts, 0)));
    else if (prompts) snprintf(text, size, "%zu templates", json_array_size(prompts));
    else snprintf(text, size, "unknown ones");
}

static void check_prompts(vb_compare_runs *work) {
    const json_t *a = prompts_of(&work->a), *b = prompts_of(&work->b);
    static const char *const same[] = {"weights_digest", "tokenizer_digest", "vocabularies_digest"};
    bool all_else = a && b;
    for (int i = 0; i < 3; i++) {
        const char *part = i < 2 ? "embedding" : "data";
        all_else =
            all_else && !strcmp(vb_json_text(section(&work->a, part), same[i]), vb_json_text(section(&work->b, part), same[i]));
    }
    bool equal = a == b || (a && b && json_equal(a, b));
    /* A learned prompt is a file, whose content may change under its name. */
    if (equal && all_else && json_is_object(a) &&
        strcmp(vb_json_text(section(&work->a, "embedding"), "text_embeddings_digest"),
               vb_json_text(section(&work->b, "embedding"), "text_embeddings_digest")))
        equal = false;
    if (equal) return;
    char of_a[240], of_b[240];
    describe_prompts(of_a, sizeof of_a, a);
    describe_prompts(of_b, sizeof of_b, b);
    differ(work, VB_COMPARE_PROMPTS, "prompts: %s of A, %s of B", of_a, of_b);
}

static int check(vb_compare_runs *work, vb_error *err) {
    const char *a, *b;
    check_data(work);
    a = vb_json_text(section(&work->a, "data"), "vocabularies_digest");
    b = vb_json_text(section(&work->b, "data"), "vocabularies_digest");
    if (strcmp(a, b)) differ(work, VB_COMPARE_VOCABULARIES, "vocabularies: digest %.8s of A, %.8s of B", a, b);
    check_prompts(work);
    a = vb_json_text(section(&work->a, "embedding"), "preprocessing");
    b = vb_json_text(section(&work->b, "embedding"), "preprocessing");
    if (strcmp(a, b))
        differ(work, VB_COMPARE_PREPROCESSING, "preprocessing: '%s' of A, '%s' of B", *a ? a : "unknown", *b ? b : "unknown");
    if (!work->refused.filled) return vb_strbuf_end(&work->refused, "the comparison", err);
    return vb_errorf(err, VB_EMISMATCH, "A and B cannot be compared as they are: %s (--allow names what may differ)",
                     work->refused.bytes);
}

static int check_images(vb_compare_runs *work, vb_error *err) {
    if (vb_comparison_pairing_new(&work->pairing, &work->a.records, &work->b.records, err)) return -1;
    if (work->pairing.in_order || work->allowed[VB_COMPARE_DATA]) return 0;
    return vb_errorf(
        err, VB_EMISMATCH,
        "A and B cannot be compared as they are: data: %lld images are in both, %lld only in A, %lld only in B, or their "
        "order differs (--allow data pairs those of the same name)",
        (long long)work->pairing.count, (long long)work->pairing.only_a, (long long)work->pairing.only_b);
}

/* ---- JSON ---- */

static const char *const figure_keys[VB_FIGURES] = {"acc_c", "acc_e", "acc_s", "top1_all"};

static json_t *real(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *figure_json(const vb_compared *figure) {
    json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o}", "a", real(figure->mean.a), "b", real(figure->mean.b), "difference",
                               real(figure->mean.difference), "difference_se", real(figure->mean.error), "p", real(figure->p));
    if (figure->only_a >= 0) {
        json_object_set_new(object, "test", json_string("McNemar, exact"));
        json_object_set_new(object, "only_a", json_integer(figure->only_a));
        json_object_set_new(object, "only_b", json_integer(figure->only_b));
    } else if (isfinite(figure->p)) {
        json_object_set_new(object, "test", json_string(figure->flips.exact ? "sign flips, all" : "sign flips, drawn"));
        json_object_set_new(object, "sign_vectors", json_integer(figure->flips.trials));
        json_object_set_new(object, "differing_images", json_integer(figure->flips.moving));
    }
    return object;
}

static void put_figures(json_t *to, const vb_compared *figures) {
    for (int f = 0; f < VB_FIGURES; f++) json_object_set_new(to, figure_keys[f], figure_json(&figures[f]));
}

static json_t *side_json(const vb_compared_run *it) {
    return json_pack("{s:s, s:s, s:s, s:s}", "results", it->folder.path, "model", vb_json_text(it->entry, "model"), "dataset",
                     vb_json_text(it->entry, "dataset"), "configuration_digest",
                     vb_json_text(it->folder.document, "configuration_digest"));
}

int vb_compare_runs_write(const vb_compare_runs *work, const char *path, vb_error *err) {
    const vb_comparison *result = &work->result;
    json_t *document =
        json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:O, s:I, s:I}", "schema", "vocabench.compare/1", "a", side_json(&work->a), "b",
                  side_json(&work->b), "images", (json_int_t)work->pairing.count, "only_a", (json_int_t)work->pairing.only_a,
                  "only_b", (json_int_t)work->pairing.only_b, "allowed_differences", work->differences, "permutations",
                  (json_int_t)work->trials, "seed", (json_int_t)work->seed);
    json_t *overall = json_object(), *list = json_array();
    put_figures(overall, result->figure);
    json_object_set_new(overall, "own", figure_json(&result->own));
    for (int v = 0; v < result->vocabularies; v++) {
        const vb_compared_vocabulary *vocabulary = &result->vocabulary[v];
        json_t *entry = json_pack("{s:s, s:I}", "name", vocabulary->name, "images", (json_int_t)vocabulary->images);
        put_figures(entry, vocabulary->figure);
        json_array_append_new(list, entry);
    }
    int status = 0;
    if (json_object_set_new(document, "overall", overall) || json_object_set_new(document, "vocabularies", list))
        status = vb_errorf(err, VB_EMEMORY, "no memory for the comparison");
    if (!status) status = vb_json_write(document, path, err);
    json_decref(document);
    return status;
}

/* ---- the whole ---- */

static int open_run(vb_compared_run *it, const vb_compare_request *request, int n, vb_error *err) {
    it->letter = n ? 'B' : 'A';
    if (vb_result_folder_open(&it->folder, request->paths[n], err)) return -1;
    if (vb_result_folder_pick(&it->folder, request->models[n], request->datasets[n], &it->entry, err))
        return vb_error_prefix(err, "%c", it->letter);
    return 0;
}

int vb_compare_runs_open(vb_compare_runs *work, const vb_compare_request *request, vb_error *err) {
    *work = (vb_compare_runs){.trials = request->trials, .seed = request->seed, .differences = json_array()};
    if (!work->differences) return vb_errorf(err, VB_EMEMORY, "no memory for the comparison");
    if (read_allow(work, request->allow, err)) return -1;
    if (open_run(&work->a, request, 0, err) || open_run(&work->b, request, 1, err) || check(work, err)) return -1;
    if (vb_record_set_open(&work->a.records, &work->a.folder, work->a.entry, err)) return -1;
    if (vb_record_set_open(&work->b.records, &work->b.folder, work->b.entry, err)) return -1;
    if (check_images(work, err)) return -1;
    return vb_comparison_new(&work->result, &work->a.records, &work->b.records, &work->pairing, work->trials,
                             (uint32_t)work->seed, err);
}

void vb_compare_runs_close(vb_compare_runs *work) {
    vb_compared_run *const both[] = {&work->a, &work->b};
    for (int s = 0; s < 2; s++) {
        vb_record_set_close(&both[s]->records);
        vb_result_folder_close(&both[s]->folder);
    }
    vb_comparison_free(&work->result);
    vb_comparison_pairing_free(&work->pairing);
    vb_strbuf_free(&work->refused);
    json_decref(work->differences);
    *work = (vb_compare_runs){0};
}
