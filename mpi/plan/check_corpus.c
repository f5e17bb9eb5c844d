/* Corpora, opened without a scan. */
#include "mpi/plan/check_corpus.h"

#include <stdio.h>
#include <string.h>

#include "mpi/encode/model.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/retrieve/coded_sources.h"
#include "mpi/retrieve/corpus_parts.h"
#include "shards/embeddings/npy.h"
#include "shards/embeddings/quantized.h"
#include "shards/files/path.h"
#include "shards/text/captions.h"

/* The first caption of every file: whether it opens, and is not empty. One at least has captions; each, where they are those of
 * the rows of a part. */
static int check_captions(const vb_corpus_spec *spec, const vb_strings *paths, vb_error *err) {
    int status = 0;
    size_t empty = 0;
    for (size_t i = 0; i < paths->count && !status; i++) {
        vb_captions *captions = NULL;
        const char *text = NULL, *odd = NULL;
        status = vb_captions_open(&captions, paths->items[i], spec->caption_column, err);
        if (!status) status = vb_captions_next(captions, &text, &odd, err);
        empty += !status && !text && !odd;
        if (empty && (spec->embeddings || empty == paths->count))
            status = vb_errorf(err, VB_EMISSING, "%s: no captions in it", paths->items[i]);
        vb_captions_close(captions);
    }
    return status;
}

/* The dimensions of a precomputed model's texts on the first dataset that it has embeddings of; 0: they cannot be read, which has
 * been told. */
static int stored_dimensions(const vb_experiment *experiment, const vb_model_spec *model) {
    for (int d = 0; d < experiment->dataset_count; d++) {
        const vb_embeddings_spec *embeddings = vb_experiment_embeddings(model, &experiment->datasets[d]);
        vb_npy npy;
        vb_error ignored;
        if (!embeddings || vb_npy_open(&npy, embeddings->text_embeddings, &ignored)) continue;
        const int dim = npy.tensor.ndim == 2 ? (int)npy.tensor.shape[1] : 0;
        vb_npy_close(&npy);
        return dim;
    }
    return 0;
}

static int dimensions(const vb_experiment *experiment, const vb_model_spec *model) {
    vb_model_sizes sizes;
    vb_error ignored;
    if (model->family == VB_PRECOMPUTED) return stored_dimensions(experiment, model);
    return vb_model_measure(model, 1, &sizes, &ignored) ? 0 : sizes.embed_dim;
}

/* What a model needs of the corpus: queries of the dimensions of its rows, captions, and who has embeddings of these. `parts` has
 * no rows where a model is to encode the corpus. */
static int check_use(const vb_experiment *experiment, const vb_model_spec *model, const vb_retrieval_spec *retrieval,
                     const vb_corpus_parts *parts, vb_error *err) {
    const vb_model_spec *queries = vb_experiment_index_model(experiment, model);
    const bool encodes = model->family != VB_PRECOMPUTED, laid = parts->kind == VB_CORPUS_EMBEDDINGS;
    const int dim = laid ? dimensions(experiment, queries) : 0;
    if (!laid && queries->family == VB_PRECOMPUTED)
        return vb_errorf(err, VB_EMISMATCH, "model '%s' is precomputed and encodes nothing; give embeddings and text_embeddings",
                         model->name);
    if (dim && dim != parts->index.dim)
        return vb_errorf(err, VB_EMISMATCH,
                         "its embeddings have %d dimensions, the queries of model '%s' %d; name the model that made them as "
                         "index_model",
                         parts->index.dim, queries->name, dim);
    if (!encodes && !parts->text_parts.count)
        return vb_errorf(err, VB_EMISSING,
                         "model '%s' is precomputed and encodes no captions; give their embeddings as text_embeddings",
                         model->name);
    if (laid && !parts->captions.count && (encodes || retrieval->filter == VB_FILTER_CLASS_WORD || retrieval->deduplicate))
        return vb_errorf(err, VB_EMISSING,
                         "no captions beside %s, which model '%s' needs; name them with captions:", parts->spec->embeddings,
                         model->name);
    return 0;
}

static int check_uses(const vb_experiment *experiment, const vb_corpus_parts *parts, vb_error *err) {
    int status = 0;
    for (int m = 0; m < experiment->model_count && !status; m++) {
        const vb_model_spec *model = &experiment->models[m];
        const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, model);
        if (!model->left_out && retrieval && vb_experiment_find_corpus(experiment, retrieval->corpus) == parts->spec)
            status = check_use(experiment, model, retrieval, parts, err);
    }
    return status;
}

/* The 8-bit copy, whether it is one of this corpus. */
static int check_copy(const vb_corpus_parts *parts, vb_context *alone, vb_error *err) {
    vb_quantized copy = {0};
    if (!parts->spec->quantized) return 0;
    int status = vb_quantized_open(&copy, parts->spec->quantized, true, err);
    if (status) vb_missing_path_key("quantized", err);
    if (!status) status = vb_quantized_matches(&copy, &parts->index, err);
    if (!status) status = vb_coded_sources_check(alone, &copy, &parts->index, err);
    vb_quantized_close(&copy);
    return status;
}

static void check_embeddings(const char *where, const vb_experiment *experiment, const vb_corpus_spec *spec, vb_context *alone,
                             vb_findings *findings) {
    vb_corpus_parts parts = {0};
    vb_error err = {0};
    const vb_encoding how = {.context = alone, .threads = 1};
    int status = vb_corpus_parts_open(&parts, &how, spec, &err);
    if (!status) status = check_uses(experiment, &parts, &err);
    if (!status) status = check_captions(spec, &parts.captions, &err);
    if (!status) status = check_copy(&parts, alone, &err);
    if (status) vb_findings_take(findings, where, &err);
    else
        vb_findings_add(findings, VB_FINDING_OK, where, "%lld rows of %d dimensions in %zu parts, %zu files of captions",
                        (long long)parts.index.rows, parts.index.dim, parts.index.part_count, parts.captions.count);
    vb_corpus_parts_close(&parts);
}

void vb_check_corpus(const vb_experiment *experiment, const vb_corpus_spec *spec, vb_context *alone, vb_findings *findings) {
    char where[160];
    vb_error err = {0};
    snprintf(where, sizeof where, "corpus '%.120s'", spec->name);
    if (spec->embeddings) check_embeddings(where, experiment, spec, alone, findings);
    else if (spec->images) {
        vb_dataset *dataset = NULL;
        int status = vb_dataset_open(&dataset, spec->images, NULL, &err);
        if (!status) status = check_uses(experiment, &(vb_corpus_parts){.spec = spec, .kind = VB_CORPUS_IMAGES}, &err);
        if (status) vb_findings_take(findings, where, &err);
        else
            vb_findings_add(findings, VB_FINDING_OK, where, "%lld images; %s", (long long)vb_dataset_samples(dataset),
                            vb_dataset_kind(dataset));
        vb_dataset_close(dataset);
    } else {
        vb_strings paths = {0};
        int status = vb_path_glob(&paths, spec->captions, &err);
        if (!status) status = check_captions(spec, &paths, &err);
        if (!status) status = check_uses(experiment, &(vb_corpus_parts){.spec = spec, .kind = VB_CORPUS_CAPTIONS}, &err);
        if (status) vb_findings_take(findings, where, &err);
        else vb_findings_add(findings, VB_FINDING_OK, where, "%zu files of captions", paths.count);
        vb_strings_free(&paths);
    }
}
