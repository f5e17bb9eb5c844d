/* What must be the same in two results before their figures are compared, and the comparison as JSON. */
#include "mpi/results/compare_runs.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mpi/base/json.h"
#include "mpi/evaluate/errors_json.h"
#include "mpi/results/tables.h"
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
    if (work->allowed[category]) {
        json_t *difference = vb_json_object(&work->json);
        vb_json_set_text(&work->json, difference, "kind", categories[category]);
        vb_json_set_text(&work->json, difference, "what", text);
        vb_json_append(&work->json, work->differences, difference);
    } else {
        vb_strbuf_format(&work->refused, "%s%s", work->refused.filled ? "; " : "", text);
        work->needed[category] = true;
    }
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
    const int64_t limit_a = vb_json_integer(work->a.entry, "limit"), limit_b = vb_json_integer(work->b.entry, "limit");
    if (limit_a != limit_b) {
        differ(work, VB_COMPARE_DATA, "data: at most %lld images a class of A, %lld of B (limit; 0: all)", (long long)limit_a,
               (long long)limit_b);
        return;
    }
    /* Sets of labels are a file beside the images; without sets there is none. */
    static const char *const keys[] = {"images_digest", "labels_digest"};
    for (int k = precomputed_a; k < 2; k++) {
        const char *a = vb_json_text(section(&work->a, "data"), keys[k]), *b = vb_json_text(section(&work->b, "data"), keys[k]);
        if (strcmp(a, b))
            differ(work, VB_COMPARE_DATA, "data: %s %.8s of A, %.8s of B", keys[k], *a ? a : "(none)", *b ? b : "(none)");
    }
}

/* The entry of that name in a list of the configuration; NULL without. */
static const json_t *configured(const vb_compared_run *it, const char *list, const char *name) {
    const json_t *entries = json_object_get(json_object_get(it->folder.document, "configuration"), list), *entry;
    size_t i;
    json_array_foreach(entries, i, entry) {
        if (!strcmp(vb_json_text(entry, "name"), name)) return entry;
    }
    return NULL;
}

/* The model's, else the dataset's; of an expansion a list of its datasets'. A new reference; NULL: nothing is known of any. */
static json_t *prompts_of(vb_compare_runs *work, const vb_compared_run *it) {
    const char *dataset = vb_json_text(it->entry, "dataset");
    json_t *own = json_object_get(configured(it, "models", vb_json_text(it->entry, "model")), "prompts"), *list, *part;
    const json_t *parts = json_object_get(configured(it, "expansions", dataset), "datasets");
    size_t i;
    if (!own && !parts) own = json_object_get(configured(it, "datasets", dataset), "prompts");
    if (own || !parts || vb_compare_runs_precomputed(it)) return json_incref(own);
    list = vb_json_array(&work->json);
    json_array_foreach((json_t *)(uintptr_t)parts, i, part) {
        json_t *its = json_object_get(configured(it, "datasets", json_is_string(part) ? json_string_value(part) : ""), "prompts");
        vb_json_append(&work->json, list, its ? json_incref(its) : json_null());
    }
    return list;
}

static void describe_prompts(char *text, size_t size, const json_t *prompts) {
    const json_t *first = json_array_get(prompts, 0);
    if (json_is_object(prompts)) snprintf(text, size, "CoOp '%s'", vb_json_text(prompts, "coop"));
    else if (first && !json_is_string(first)) snprintf(text, size, "those of %zu datasets", json_array_size(prompts));
    else if (json_array_size(prompts) == 1) snprintf(text, size, "'%s'", json_string_value(first));
    else if (prompts) snprintf(text, size, "%zu templates", json_array_size(prompts));
    else snprintf(text, size, "unknown ones");
}

/* Class names of another language, or of another file, are other texts. */
static void check_names(vb_compare_runs *work) {
    const json_t *a = json_object_get(section(&work->a, "data"), "names"),
                 *b = json_object_get(section(&work->b, "data"), "names");
    const char *digest_a = vb_json_text(a, "digest"), *digest_b = vb_json_text(b, "digest");
    if (strcmp(digest_a, digest_b))
        differ(work, VB_COMPARE_PROMPTS, "prompts: names of classes %.8s of A, %.8s of B", a ? digest_a : "its own",
               b ? digest_b : "its own");
}

static void check_prompts(vb_compare_runs *work) {
    json_t *a = prompts_of(work, &work->a), *b = prompts_of(work, &work->b);
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
    char of_a[240], of_b[240];
    describe_prompts(of_a, sizeof of_a, a);
    describe_prompts(of_b, sizeof of_b, b);
    if (!equal) differ(work, VB_COMPARE_PROMPTS, "prompts: %s of A, %s of B", of_a, of_b);
    check_names(work);
    json_decref(a);
    json_decref(b);
}

/* The flag at the end is ready to be copied: what is allowed already, and what it takes beside that. */
static int refuse(const vb_compare_runs *work, const char *what, vb_error *err) {
    char list[64] = "";
    for (int c = 0; c < VB_COMPARE_CATEGORIES; c++)
        if (work->allowed[c] || work->needed[c]) {
            if (*list) strcat(list, ",");
            strcat(list, categories[c]);
        }
    return vb_errorf(err, VB_EMISMATCH, "A and B cannot be compared as they are: %s; to compare them all the same: --allow %s",
                     what, list);
}

/* The digest is of names: what classes of one name are in several datasets is for the rule to say. */
static void check_vocabularies(vb_compare_runs *work) {
    const char *a = vb_json_text(section(&work->a, "data"), "vocabularies_digest"),
               *b = vb_json_text(section(&work->b, "data"), "vocabularies_digest");
    const char *rule_a = vb_tables_shared_names(work->a.entry), *rule_b = vb_tables_shared_names(work->b.entry);
    if (strcmp(a, b)) differ(work, VB_COMPARE_VOCABULARIES, "vocabularies: digest %.8s of A, %.8s of B", a, b);
    else if (strcmp(rule_a, rule_b))
        differ(work, VB_COMPARE_VOCABULARIES, "vocabularies: shared_names %s of A, %s of B", *rule_a ? rule_a : "none",
               *rule_b ? rule_b : "none");
}

static int check(vb_compare_runs *work, vb_error *err) {
    const char *a, *b;
    check_data(work);
    check_vocabularies(work);
    check_prompts(work);
    a = vb_json_text(section(&work->a, "embedding"), "preprocessing");
    b = vb_json_text(section(&work->b, "embedding"), "preprocessing");
    if (strcmp(a, b))
        differ(work, VB_COMPARE_PREPROCESSING, "preprocessing: '%s' of A, '%s' of B", *a ? a : "unknown", *b ? b : "unknown");
    return work->refused.filled ? refuse(work, work->refused.bytes, err) : vb_strbuf_end(&work->refused, "the comparison", err);
}

static int check_images(vb_compare_runs *work, vb_error *err) {
    if (vb_comparison_pairing_new(&work->pairing, &work->a.records, &work->b.records, err)) return -1;
    if (work->pairing.in_order || work->allowed[VB_COMPARE_DATA]) return 0;
    char what[200];
    snprintf(
        what, sizeof what,
        "data: %lld images are in both, %lld only in A, %lld only in B, or their order differs (those of one name are paired)",
        (long long)work->pairing.count, (long long)work->pairing.only_a, (long long)work->pairing.only_b);
    work->needed[VB_COMPARE_DATA] = true;
    return refuse(work, what, err);
}

/* ---- JSON ---- */

static json_t *figure_json(vb_json *json, const vb_compared *figure, bool of_several) {
    json_t *object = vb_json_object(json);
    vb_json_set_real(json, object, "a", figure->mean.a);
    vb_json_set_real(json, object, "b", figure->mean.b);
    vb_json_set_real(json, object, "difference", figure->mean.difference);
    vb_json_set_real(json, object, "difference_se", figure->mean.error);
    vb_json_set_real(json, object, "p", figure->p);
    if (figure->only_a >= 0) {
        vb_json_set_text(json, object, "test", "McNemar, exact");
        vb_json_set_integer(json, object, "only_a", figure->only_a);
        vb_json_set_integer(json, object, "only_b", figure->only_b);
    } else if (isfinite(figure->p)) {
        vb_json_set_text(json, object, "test", figure->flips.exact ? "sign flips, all" : "sign flips, drawn");
        vb_json_set_integer(json, object, "sign_vectors", figure->flips.trials);
        vb_json_set_integer(json, object, "differing_images", figure->flips.moving);
    }
    json_t *errors = vb_json_set_object(json, object, "errors");
    for (int k = 0; k < VB_SPREAD_KINDS; k++) vb_json_set_real(json, errors, vb_spread_names[k], figure->error[k]);
    json_t *classes = vb_json_set_object(json, object, "by_class");
    vb_json_set_real(json, classes, "p", figure->by_class.p);
    if (isfinite(figure->by_class.p)) {
        vb_json_set_text(json, classes, "test", figure->by_class.exact ? "sign flips, all" : "sign flips, drawn");
        vb_json_set_integer(json, classes, "sign_vectors", figure->by_class.trials);
        vb_json_set_integer(json, classes, "differing_classes", figure->by_class.moving);
    }
    if (of_several) {
        vb_json_set_real(json, object, "p_holm", figure->holm[0]);
        vb_json_set_real(json, classes, "p_holm", figure->holm[1]);
    }
    return object;
}

void vb_compare_runs_put_figures(vb_json *json, json_t *to, const vb_compared *figures, bool of_several) {
    for (int f = 0; f < VB_FIGURES; f++)
        vb_json_set(json, to, vb_errors_json_keys[f], figure_json(json, &figures[f], of_several));
}

static json_t *side_json(vb_json *json, const vb_compared_run *it) {
    json_t *object = vb_json_object(json);
    vb_json_set_text(json, object, "results", it->folder.path);
    vb_json_set_text(json, object, "model", vb_json_text(it->entry, "model"));
    vb_json_set_text(json, object, "dataset", vb_json_text(it->entry, "dataset"));
    vb_json_set_text(json, object, "configuration_digest", vb_json_text(it->folder.document, "configuration_digest"));
    return object;
}

int vb_compare_runs_write(const vb_compare_runs *work, const char *path, vb_error *err) {
    const vb_comparison *result = &work->result;
    vb_json json = {0};
    json_t *document = vb_json_object(&json);
    vb_json_set_text(&json, document, "schema", "vocabench.compare/1");
    vb_json_set(&json, document, "a", side_json(&json, &work->a));
    vb_json_set(&json, document, "b", side_json(&json, &work->b));
    vb_json_set_integer(&json, document, "images", work->pairing.count);
    vb_json_set_integer(&json, document, "only_a", work->pairing.only_a);
    vb_json_set_integer(&json, document, "only_b", work->pairing.only_b);
    vb_json_set(&json, document, "allowed_differences", json_incref(work->differences));
    vb_json_set_integer(&json, document, "permutations", work->trials);
    vb_json_set_integer(&json, document, "seed", work->seed);
    json_t *overall = vb_json_set_object(&json, document, "overall"), *list = vb_json_set_array(&json, document, "vocabularies");
    vb_compare_runs_put_figures(&json, overall, result->figure, false);
    vb_json_set(&json, overall, "own", figure_json(&json, &result->own, false));
    for (int v = 0; v < result->vocabularies; v++) {
        const vb_compared_vocabulary *vocabulary = &result->vocabulary[v];
        json_t *entry = vb_json_object(&json);
        vb_json_set_text(&json, entry, "name", vocabulary->name);
        vb_json_set_integer(&json, entry, "images", vocabulary->images);
        vb_compare_runs_put_figures(&json, entry, vocabulary->figure, true);
        vb_json_append(&json, list, entry);
    }
    int status = vb_json_end(&json, "the comparison", err);
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
    *work = (vb_compare_runs){.trials = request->trials, .seed = request->seed};
    work->differences = vb_json_array(&work->json);
    if (read_allow(work, request->allow, err)) return -1;
    if (open_run(&work->a, request, 0, err) || open_run(&work->b, request, 1, err) || check(work, err)) return -1;
    if (vb_record_set_open(&work->a.records, &work->a.folder, work->a.entry, err)) return -1;
    if (vb_record_set_open(&work->b.records, &work->b.folder, work->b.entry, err)) return -1;
    if (check_images(work, err) || vb_json_end(&work->json, "the comparison", err)) return -1;
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
