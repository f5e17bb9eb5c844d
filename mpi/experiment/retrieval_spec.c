/* Tables and readers of corpora and retrieval settings. */
#include "mpi/experiment/retrieval_spec.h"

#include <assert.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/text/prompts.h"

/* The paper's, and the fallbacks of `top_k` and `lambda` below. */
static const int64_t OFFICIAL_TOP_K = 100;
static const double OFFICIAL_LAMBDA = 0.25;
static const int64_t DEFAULT_FOLDS = 2;

static const char *const filters[] = {[VB_FILTER_CLASS_WORD] = "class-word", [VB_FILTER_NONE] = "none", NULL};
static_assert(sizeof filters / sizeof *filters == VB_FILTERS + 1, "a word for each value");
static const char *const renormalizations[] = {
    [VB_RENORMALIZE_OFFICIAL] = "official", [VB_RENORMALIZE_ALWAYS] = "true", [VB_RENORMALIZE_NEVER] = "false", NULL};
static_assert(sizeof renormalizations / sizeof *renormalizations == VB_RENORMALIZATIONS + 1, "a word for each value");
static const char *const selections[] = {[VB_SELECT_STATED] = "stated", [VB_SELECT_CROSS] = "cross", NULL};
static_assert(sizeof selections / sizeof *selections == VB_SELECTIONS + 1, "a word for each value");

static const vb_option corpus_options[] = {
    {.key = "name",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_corpus_spec, name),
     .required = true,
     .help = "name of the corpus"},
    {.key = "images",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_corpus_spec, images),
     .help = "WebDataset .tar/.tar.zst (glob) of images and captions; the model encodes both"},
    {.key = "embeddings",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_corpus_spec, embeddings),
     .help = "folder or glob of image embedding parts (.npy), as clip-retrieval writes them (img_emb/)"},
    {.key = "captions",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_corpus_spec, captions),
     .help = "captions of the parts, of the same numbers (.jsonl .tsv .txt .json, plain or .zst; "
             "glob) [metadata/ beside them]; alone: the corpus itself"},
    {.key = "caption_column",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_corpus_spec, caption_column),
     .help = "key or column of the captions: a name, or a number from 1 [caption]"},
    {.key = "text_embeddings",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_corpus_spec, text_embeddings),
     .help = "the captions' embeddings by the evaluated model, parts of the same "
             "numbers [text_emb/ beside them, for precomputed models]"},
    {.key = "quantized",
     .kind = VB_OPTION_PATH,
     .offset = offsetof(vb_corpus_spec, quantized),
     .help = "8-bit copy of the embeddings made by 'pack --quantize int8': the same lists, faster"},
    {0},
};

static const vb_option retrieval_options[] = {
    {.key = "corpus",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_retrieval_spec, corpus),
     .required = true,
     .help = "name of the corpus"},
    {.key = "top_k", .kind = VB_OPTION_CUSTOM, .fallback = "100", .help = "rows a class; one number or a list"},
    {.key = "lambda",
     .kind = VB_OPTION_CUSTOM,
     .fallback = "0.25",
     .help = "weight of the captions, 0 to 1; one number or a list"},
    {.key = "filter",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_retrieval_spec, filter),
     .fallback = "class-word",
     .choices = filters,
     .help = "keep captions that hold a word of the class name, or all"},
    {.key = "renormalize",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_retrieval_spec, renormalize),
     .fallback = "true",
     .choices = renormalizations,
     .help = "the blend to length 1; official: in prompt ensembles only, as the paper's code does; false: never"},
    {.key = "select",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_retrieval_spec, select),
     .fallback = "stated",
     .choices = selections,
     .help = "of several settings; stated: top_k 100 and lambda 0.25 count, else the first top_k and the first lambda above 0; "
             "cross: beside it for each fold of the images the setting that is best on all others"},
    {.key = "folds",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_retrieval_spec, folds),
     .fallback = "2",
     .low = 2,
     .high = 16,
     .unit = "folds",
     .help = "of select: cross; the images of each class are dealt to them in turn"},
    {.key = "similarity",
     .kind = VB_OPTION_CHOICE,
     .offset = offsetof(vb_retrieval_spec, similarity),
     .fallback = "cosine",
     .choices = vb_score_names,
     .help = "of query and row: cosine, or the dot product with rows as they are stored"},
    {.key = "deduplicate",
     .kind = VB_OPTION_BOOLEAN,
     .offset = offsetof(vb_retrieval_spec, deduplicate),
     .fallback = "false",
     .help = "count equal captions once"},
    {.key = "depth",
     .kind = VB_OPTION_INTEGER,
     .offset = offsetof(vb_retrieval_spec, depth),
     .fallback = "0",
     .high = 1000000,
     .unit = "rows",
     .help = "retrieved a class, of which top_k that pass the filter count (the official "
             "code: 1000); 0: top_k are retrieved, then filtered"},
    {.key = "query",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_retrieval_spec, query),
     .help = "template of the queries [the model's prompts; the official code: \"a photo of a {}\"]"},
    {.key = "index_model",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_retrieval_spec, index_model),
     .help = "model of this file that made the corpus' embeddings, when it is not the evaluated one"},
    {.key = "memory",
     .kind = VB_OPTION_TEXT,
     .offset = offsetof(vb_retrieval_spec, memory),
     .machine = true,
     .fallback = "1GiB",
     .help = "budget of a rank for the scan, such as 512MiB"},
    {0},
};

const vb_option *vb_retrieval_spec_corpus_options(void) { return corpus_options; }
const vb_option *vb_retrieval_spec_options(void) { return retrieval_options; }

int vb_retrieval_spec_corpus_read(vb_corpus_spec *spec, const vb_yaml *node, const char *file, vb_error *err) {
    if (vb_options_read(corpus_options, spec, node, file, "a corpus", err)) return -1;
    if (spec->images && (spec->embeddings || spec->quantized || spec->captions || spec->text_embeddings))
        return vb_yaml_errorf(node, file, err,
                              "corpus '%s': images bring their own captions; leave out embeddings, captions, text_embeddings",
                              spec->name);
    if (!spec->images && !spec->embeddings && !spec->captions)
        return vb_yaml_errorf(node, file, err, "corpus '%s': one of images, embeddings, captions is needed", spec->name);
    if (spec->images && spec->caption_column)
        return vb_yaml_errorf(vb_yaml_get(node, "caption_column"), file, err,
                              "corpus '%s': caption_column is of files of captions; those of images are key.txt, or caption of "
                              "key.json",
                              spec->name);
    if (!spec->embeddings && (spec->text_embeddings || spec->quantized))
        return vb_yaml_errorf(vb_yaml_get(node, spec->text_embeddings ? "text_embeddings" : "quantized"), file, err,
                              "corpus '%s': %s without the embeddings that it belongs to", spec->name,
                              spec->text_embeddings ? "text_embeddings" : "quantized");
    return 0;
}

void vb_retrieval_spec_corpus_free(vb_corpus_spec *spec) { vb_options_free(corpus_options, spec); }

/* A key that holds a number or a list of them, at most VB_RETRIEVAL_VALUES. One of integers and reals is set. */
typedef struct numbers {
    const char *key;
    double low, high;
    int64_t *integers;
    double *reals;
    int *count;
} numbers;

static int read_numbers(const vb_yaml *map, const char *file, const numbers *to, vb_error *err) {
    const vb_yaml *node = vb_yaml_get(map, to->key);
    if (!node || vb_options_unset(node)) return 0;
    size_t n = node->kind == VB_YAML_LIST ? node->count : 1;
    if (!n || n > VB_RETRIEVAL_VALUES)
        return vb_yaml_errorf(node, file, err, "%s: expected 1 to %d numbers, found %zu", to->key, VB_RETRIEVAL_VALUES, n);
    *to->count = (int)n;
    for (size_t i = 0; i < n; i++) {
        const vb_yaml *item = node->kind == VB_YAML_LIST ? node->items[i] : node;
        int status = to->integers ? vb_yaml_integer(item, file, (int64_t)to->low, (int64_t)to->high, &to->integers[i], err) :
                                    vb_yaml_real(item, file, to->low, to->high, &to->reals[i], err);
        if (status) return vb_options_wrong(to->key, item, file, err);
        for (size_t j = 0; j < i; j++)
            if (to->integers ? to->integers[i] == to->integers[j] : to->reals[i] == to->reals[j])
                return vb_yaml_errorf(item, file, err, "%s: '%s' is listed twice", to->key, item->text);
    }
    return 0;
}

/* A template like any prompt's. */
static int check_query(const char *query, const vb_yaml *node, const char *file, vb_error *err) {
    vb_error why;
    char *filled = vb_prompts_fill(query, "", &why);
    vb_free(filled);
    if (filled) return 0;
    return why.code == VB_ECONFIG ? vb_yaml_errorf(node, file, err, "retrieval: query: %s", why.text) :
                                    vb_errorf(err, why.code, "%s", why.text);
}

int vb_retrieval_spec_read(vb_retrieval_spec *spec, const vb_yaml *node, const char *file, vb_error *err) {
    *spec = (vb_retrieval_spec){.given = true};
    if (vb_options_read(retrieval_options, spec, node, file, "retrieval", err)) return -1;
    spec->top_k[0] = OFFICIAL_TOP_K;
    spec->lambda[0] = OFFICIAL_LAMBDA;
    spec->top_k_count = spec->lambda_count = 1;
    const numbers top_k = {.key = "top_k", .low = 1, .high = 1000000, .integers = spec->top_k, .count = &spec->top_k_count},
                  lambda = {.key = "lambda", .low = 0, .high = 1, .reals = spec->lambda, .count = &spec->lambda_count};
    if (read_numbers(node, file, &top_k, err) || read_numbers(node, file, &lambda, err)) return -1;
    int64_t most = 0;
    for (int i = 0; i < spec->top_k_count; i++) most = spec->top_k[i] > most ? spec->top_k[i] : most;
    if (vb_options_parse_size(spec->memory, &spec->budget, err))
        return vb_error_prefix(err, "%s:%d:%d: retrieval", file, node->line, node->column);
    spec->depth_given = spec->depth > 0;
    if (!spec->depth) spec->depth = most;
    if (spec->depth < most)
        return vb_yaml_errorf(node, file, err, "retrieval: depth %lld is below the largest top_k %lld", (long long)spec->depth,
                              (long long)most);
    if (spec->folds != DEFAULT_FOLDS && spec->select != VB_SELECT_CROSS)
        return vb_yaml_errorf(vb_yaml_get(node, "folds"), file, err,
                              "retrieval: folds: images are dealt to them by select: cross alone");
    return spec->query ? check_query(spec->query, vb_yaml_get(node, "query"), file, err) : 0;
}

void vb_retrieval_spec_stated(const vb_retrieval_spec *spec, int *k, int *l) {
    *k = *l = 0;
    while (*l + 1 < spec->lambda_count && spec->lambda[*l] == 0) ++*l;
    for (int i = spec->top_k_count - 1; i >= 0; i--)
        if (spec->top_k[i] == OFFICIAL_TOP_K) *k = i;
    for (int i = spec->lambda_count - 1; i >= 0; i--)
        if (spec->lambda[i] == OFFICIAL_LAMBDA) *l = i;
}

void vb_retrieval_spec_free(vb_retrieval_spec *spec) { vb_options_free(retrieval_options, spec); }

json_t *vb_retrieval_spec_json(vb_json *json, const vb_retrieval_spec *spec) {
    json_t *object = vb_options_json(json, retrieval_options, spec, false);
    if (!spec->depth_given) json_object_del(object, "depth"); /* as deep as the largest top_k, but another rule: no setting */
    vb_json_set(json, object, "top_k", vb_json_integer_list(json, spec->top_k, spec->top_k_count));
    vb_json_set(json, object, "lambda", vb_json_real_list(json, spec->lambda, spec->lambda_count));
    return object;
}
