/* `vocabench compare`: paired statistics of two results on the same images. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/results/comparison.h"
#include "mpi/figures/grid.h"
#include "mpi/base/json.h"
#include "shards/text/yaml.h"
#include "shards/text/did_you_mean.h"

static const char *const categories[] = {"data", "vocabularies", "prompts", "preprocessing", NULL};
enum { DATA, VOCABULARIES, PROMPTS, PREPROCESSING, CATEGORIES };

const vb_flag vb_cmd_compare_flags[] = {
    {.name = "model",
     .kind = VB_FLAG_LIST,
     .value = "NAME",
     .help = "the model, where results hold several; twice: of A, then of B"},
    {.name = "dataset",
     .kind = VB_FLAG_LIST,
     .value = "NAME",
     .help = "the dataset, where results hold several; twice: of A, then of B"},
    {.name = "allow",
     .kind = VB_FLAG_TEXT,
     .value = "LIST",
     .help = "compare although these differ: data,vocabularies,prompts,preprocessing"},
    {.name = "permutations",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "sign vectors drawn for a permutation test [10000]",
     .low = 1,
     .high = 1000000000},
    {.name = "seed", .kind = VB_FLAG_NUMBER, .value = "N", .help = "of that drawing [0]", .high = 0xffffffff},
    {.name = "json", .kind = VB_FLAG_TEXT, .value = "FILE", .help = "write everything, in full precision, as JSON too"},
    {0},
};

const char vb_cmd_compare_details[] =
    "A and B are output folders of `run --per-image`, or their results.json. Differences are B - A; standard errors are those of "
    "the\n"
    "paired differences. p: McNemar's exact test where images are right or wrong; elsewhere a permutation test that flips the "
    "signs\n"
    "of the images' differences (all sign vectors up to 20 differing images, else drawn ones). Both are two-sided.";

typedef struct side {
    char letter;
    vb_result_folder folder;
    json_t *entry;
    vb_record_set records;
} side;

typedef struct comparing {
    side a, b;
    bool allowed[CATEGORIES];
    vb_json json;        /* of the differences */
    json_t *differences; /* what differs, of the allowed kinds */
    vb_strbuf refused;
    vb_pairing pairing;
    vb_comparison result;
    int64_t trials, seed;
} comparing;

/* ---- may they be compared ---- */

static int read_allow(comparing *work, const char *list, vb_error *err) {
    while (list && *list) {
        char word[32];
        size_t n = strcspn(list, ",");
        snprintf(word, sizeof word, "%.*s", (int)n, list);
        int c = 0;
        while (categories[c] && strcmp(categories[c], word)) c++;
        if (!categories[c]) {
            const char *near = vb_did_you_mean(word, categories);
            return vb_errorf(err, VB_EUSAGE, "--allow: expected data, vocabularies, prompts or preprocessing, found '%s'%s%s%s",
                             word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        work->allowed[c] = true;
        list += n + (list[n] == ',');
    }
    return 0;
}

static void differ(comparing *work, int category, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void differ(comparing *work, int category, const char *format, ...) {
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
    } else vb_strbuf_format(&work->refused, "%s%s", work->refused.filled ? "; " : "", text);
}

static const json_t *section(const side *it, const char *name) { return json_object_get(it->entry, name); }

static bool is_precomputed(const side *it) { return !strcmp(vb_json_text(section(it, "data"), "kind"), "precomputed"); }

/* Precomputed embeddings of other models are other bytes: there, the labels must be the same. */
static void check_data(comparing *work) {
    bool precomputed_a = is_precomputed(&work->a), precomputed_b = is_precomputed(&work->b);
    if (precomputed_a != precomputed_b) {
        differ(work, DATA, "data: the images of %c are precomputed embeddings, those of %c are not", precomputed_a ? 'A' : 'B',
               precomputed_a ? 'B' : 'A');
        return;
    }
    const char *key = precomputed_a ? "labels_digest" : "images_digest", *a = vb_json_text(section(&work->a, "data"), key),
               *b = vb_json_text(section(&work->b, "data"), key);
    if (strcmp(a, b)) differ(work, DATA, "data: %s %.8s of A, %.8s of B", key, a, b);
}

static const json_t *prompts_of(const side *it) {
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

static void check_prompts(comparing *work) {
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
    differ(work, PROMPTS, "prompts: %s of A, %s of B", of_a, of_b);
}

static int check(comparing *work, vb_error *err) {
    const char *a, *b;
    check_data(work);
    a = vb_json_text(section(&work->a, "data"), "vocabularies_digest");
    b = vb_json_text(section(&work->b, "data"), "vocabularies_digest");
    if (strcmp(a, b)) differ(work, VOCABULARIES, "vocabularies: digest %.8s of A, %.8s of B", a, b);
    check_prompts(work);
    a = vb_json_text(section(&work->a, "embedding"), "preprocessing");
    b = vb_json_text(section(&work->b, "embedding"), "preprocessing");
    if (strcmp(a, b)) differ(work, PREPROCESSING, "preprocessing: '%s' of A, '%s' of B", *a ? a : "unknown", *b ? b : "unknown");
    if (!work->refused.filled) return vb_strbuf_end(&work->refused, "the comparison", err);
    return vb_errorf(err, VB_EMISMATCH, "A and B cannot be compared as they are: %s (--allow names what may differ)",
                     work->refused.bytes);
}

static int check_images(comparing *work, vb_error *err) {
    if (vb_comparison_pairing_new(&work->pairing, &work->a.records, &work->b.records, err)) return -1;
    if (work->pairing.in_order || work->allowed[DATA]) return 0;
    return vb_errorf(
        err, VB_EMISMATCH,
        "A and B cannot be compared as they are: data: %lld images are in both, %lld only in A, %lld only in B, or their "
        "order differs (--allow data pairs those of the same name)",
        (long long)work->pairing.count, (long long)work->pairing.only_a, (long long)work->pairing.only_b);
}

/* ---- the table ---- */

static const char *const figure_names[VB_FIGURES] = {"Acc-C", "Acc-E", "Acc-S", "all classes"};
static const char *const figure_keys[VB_FIGURES] = {"acc_c", "acc_e", "acc_s", "top1_all"};

static void p_cell(vb_grid *grid, double p) {
    if (!isfinite(p)) vb_grid_cell(grid, "-");
    else if (p == 0) vb_grid_cell(grid, "<1e-300");
    else if (p < 1e-4) vb_grid_cell(grid, "%.1e", p);
    else vb_grid_cell(grid, "%.4f", p);
}

static void difference_cell(vb_grid *grid, const vb_compared *figure) {
    if (!isfinite(figure->mean.difference)) vb_grid_cell(grid, "-");
    else if (!isfinite(figure->mean.error)) vb_grid_cell(grid, "%+.2f", 100 * figure->mean.difference);
    else vb_grid_cell(grid, "%+.2f ± %.2f", 100 * figure->mean.difference, 100 * figure->mean.error);
}

static void value_cell(vb_grid *grid, double value) {
    if (isfinite(value)) vb_grid_cell(grid, "%.2f", 100 * value);
    else vb_grid_cell(grid, "-");
}

static void overall_row(vb_grid *grid, const char *name, const vb_compared *figure) {
    vb_grid_cell(grid, "%s", name);
    value_cell(grid, figure->mean.a);
    value_cell(grid, figure->mean.b);
    difference_cell(grid, figure);
    p_cell(grid, figure->p);
    const vb_flip_test *flips = &figure->flips;
    if (!isfinite(figure->p)) vb_grid_cell(grid, "-");
    else if (!flips->trials)
        vb_grid_cell(grid, "McNemar: %lld right in A only, %lld in B only", (long long)figure->only_a, (long long)figure->only_b);
    else
        vb_grid_cell(grid, "permutation: %lld sign vectors%s of %lld images", (long long)flips->trials,
                     flips->exact ? ", all," : "", (long long)flips->moving);
}

static void put_heads(vb_strbuf *out, const side *it) {
    vb_strbuf_format(out, "%c  '%s' on '%s'  %s\n", it->letter, vb_json_text(it->entry, "model"),
                     vb_json_text(it->entry, "dataset"), it->folder.path);
}

static int print_tables(const comparing *work, vb_error *err) {
    const vb_comparison *result = &work->result;
    vb_strbuf out = {0};
    put_heads(&out, &work->a);
    put_heads(&out, &work->b);
    vb_strbuf_format(&out, "%lld images in both, %d vocabularies; percent, differences in points\n",
                     (long long)work->pairing.count, result->vocabularies);
    size_t i;
    json_t *difference;
    json_array_foreach(work->differences, i, difference) {
        vb_strbuf_format(&out, "note: %s (allowed)\n", vb_json_text(difference, "what"));
    }
    if (is_precomputed(&work->a) && is_precomputed(&work->b))
        vb_strbuf_add(
            &out, "note: of precomputed embeddings, prompts, preprocessing and images cannot be compared: only labels were\n");
    if (work->pairing.only_a || work->pairing.only_b)
        vb_strbuf_format(&out, "note: left out: %lld images only in A, %lld only in B\n", (long long)work->pairing.only_a,
                         (long long)work->pairing.only_b);

    vb_grid overall = {.columns = 6, .left = 1 | 1 << 5}, rows = {.columns = 10, .left = 1};
    static const char *const heads[] = {"", "A", "B", "B-A", "p", "test"};
    for (int c = 0; c < 6; c++) vb_grid_cell(&overall, "%s", heads[c]);
    for (int f = 0; f < VB_FIGURES; f++) overall_row(&overall, figure_names[f], &result->figure[f]);
    overall_row(&overall, "own, by image", &result->own);
    vb_strbuf_add(&out, "\n");
    vb_grid_put(&overall, VB_GRID_TERMINAL, &out);

    vb_grid_cell(&rows, "vocabulary");
    vb_grid_cell(&rows, "images");
    for (int f = 0; f < VB_FIGURES; f++) {
        vb_grid_cell(&rows, "%s B-A", figure_names[f]);
        vb_grid_cell(&rows, "p");
    }
    for (int v = 0; v < result->vocabularies; v++) {
        vb_grid_cell(&rows, "%s", result->vocabulary[v].name);
        vb_grid_cell(&rows, "%lld", (long long)result->vocabulary[v].images);
        for (int f = 0; f < VB_FIGURES; f++) {
            difference_cell(&rows, &result->vocabulary[v].figure[f]);
            p_cell(&rows, result->vocabulary[v].figure[f].p);
        }
    }
    vb_strbuf_add(&out, "\n");
    vb_grid_put(&rows, VB_GRID_TERMINAL, &out);
    int status = vb_strbuf_end(&out, "the table", err);
    if (!status) printf("%s", out.bytes);
    vb_grid_free(&overall);
    vb_grid_free(&rows);
    vb_strbuf_free(&out);
    return status;
}

/* ---- JSON ---- */

static json_t *figure_json(vb_json *json, const vb_compared *figure) {
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
    return object;
}

static void put_figures(vb_json *json, json_t *to, const vb_compared *figures) {
    for (int f = 0; f < VB_FIGURES; f++) vb_json_set(json, to, figure_keys[f], figure_json(json, &figures[f]));
}

static json_t *side_json(vb_json *json, const side *it) {
    json_t *object = vb_json_object(json);
    vb_json_set_text(json, object, "results", it->folder.path);
    vb_json_set_text(json, object, "model", vb_json_text(it->entry, "model"));
    vb_json_set_text(json, object, "dataset", vb_json_text(it->entry, "dataset"));
    vb_json_set_text(json, object, "configuration_digest", vb_json_text(it->folder.document, "configuration_digest"));
    return object;
}

static int write_json(const comparing *work, const char *path, vb_error *err) {
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
    put_figures(&json, overall, result->figure);
    vb_json_set(&json, overall, "own", figure_json(&json, &result->own));
    for (int v = 0; v < result->vocabularies; v++) {
        const vb_compared_vocabulary *vocabulary = &result->vocabulary[v];
        json_t *entry = vb_json_object(&json);
        vb_json_set_text(&json, entry, "name", vocabulary->name);
        vb_json_set_integer(&json, entry, "images", vocabulary->images);
        put_figures(&json, entry, vocabulary->figure);
        vb_json_append(&json, list, entry);
    }
    int status = vb_json_end(&json, "the comparison", err);
    if (!status) status = vb_json_write(document, path, err);
    json_decref(document);
    return status;
}

/* ---- the whole ---- */

/* The value for side n, 0 or 1, of a flag that may be given twice: once serves both sides. */
static const char *of_side(const vb_arguments *arguments, const char *name, int n) {
    const char *first = vb_arguments_list(arguments, name, 0), *second = vb_arguments_list(arguments, name, 1);
    return n && second ? second : first;
}

static int open_side(side *it, const vb_arguments *arguments, int n, vb_error *err) {
    it->letter = n ? 'B' : 'A';
    if (vb_result_folder_open(&it->folder, arguments->positional[n], err)) return -1;
    if (vb_result_folder_pick(&it->folder, of_side(arguments, "model", n), of_side(arguments, "dataset", n), &it->entry, err))
        return vb_error_prefix(err, "%c", it->letter);
    return 0;
}

static int compare(const vb_arguments *arguments, vb_error *err) {
    comparing work = {.trials = vb_arguments_number(arguments, "permutations", 10000),
                      .seed = vb_arguments_number(arguments, "seed", 0)};
    work.differences = vb_json_array(&work.json);
    const char *path = vb_arguments_text(arguments, "json");
    int status = vb_json_end(&work.json, "the comparison", err);
    if (!status) status = read_allow(&work, vb_arguments_text(arguments, "allow"), err);
    if (!status) status = open_side(&work.a, arguments, 0, err);
    if (!status) status = open_side(&work.b, arguments, 1, err);
    if (!status) status = check(&work, err);
    if (!status) status = vb_record_set_open(&work.a.records, &work.a.folder, work.a.entry, err);
    if (!status) status = vb_record_set_open(&work.b.records, &work.b.folder, work.b.entry, err);
    if (!status) status = check_images(&work, err);
    if (!status)
        status = vb_comparison_new(&work.result, &work.a.records, &work.b.records, &work.pairing, work.trials,
                                   (uint32_t)work.seed, err);
    if (!status && path) status = write_json(&work, path, err);
    if (!status) status = print_tables(&work, err);
    side *const sides[] = {&work.a, &work.b};
    for (int s = 0; s < 2; s++) {
        vb_record_set_close(&sides[s]->records);
        vb_result_folder_close(&sides[s]->folder);
    }
    vb_comparison_free(&work.result);
    vb_comparison_pairing_free(&work.pairing);
    vb_strbuf_free(&work.refused);
    json_decref(work.differences);
    return status;
}

int vb_cmd_compare(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : compare(arguments, err), err);
}
