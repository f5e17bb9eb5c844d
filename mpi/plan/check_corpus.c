/* Corpora, opened without a scan. */
#include "mpi/plan/check_corpus.h"

#include <stdio.h>
#include <string.h>

#include "mpi/encode/model.h"
#include "mpi/retrieve/corpus_parts.h"
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

/* Queries must have the dimensions of the rows. Models that cannot be measured have been told already. */
static int check_dimensions(const vb_experiment *experiment, const vb_corpus_spec *spec, int dim, vb_error *err) {
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_model_spec *model = &experiment->models[m];
        const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, model);
        if (model->left_out || !retrieval || vb_experiment_find_corpus(experiment, retrieval->corpus) != spec) continue;
        const vb_model_spec *queries = vb_experiment_index_model(experiment, model);
        vb_model_sizes sizes;
        vb_error ignored;
        if (queries->family == VB_PRECOMPUTED || vb_model_measure(queries, 1, &sizes, &ignored) || sizes.embed_dim == dim)
            continue;
        return vb_errorf(err, VB_EMISMATCH,
                         "its embeddings have %d dimensions, the queries of model '%s' %d; name the model that made them as "
                         "index_model",
                         dim, queries->name, sizes.embed_dim);
    }
    return 0;
}

static void check_embeddings(const char *where, const vb_experiment *experiment, const vb_corpus_spec *spec, vb_context *alone,
                             vb_findings *findings) {
    vb_corpus_parts parts = {0};
    vb_error err = {0};
    const vb_encoding how = {.context = alone, .threads = 1};
    int status = vb_corpus_parts_open(&parts, &how, spec, &err);
    if (!status) status = check_dimensions(experiment, spec, parts.index.dim, &err);
    if (!status) status = check_captions(spec, &parts.captions, &err);
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
        if (vb_dataset_open(&dataset, spec->images, NULL, &err)) vb_findings_take(findings, where, &err);
        else
            vb_findings_add(findings, VB_FINDING_OK, where, "%lld images; %s", (long long)vb_dataset_samples(dataset),
                            vb_dataset_kind(dataset));
        vb_dataset_close(dataset);
    } else {
        vb_strings paths = {0};
        int status = vb_path_glob(&paths, spec->captions, &err);
        if (!status) status = check_captions(spec, &paths, &err);
        if (status) vb_findings_take(findings, where, &err);
        else vb_findings_add(findings, VB_FINDING_OK, where, "%zu files of captions", paths.count);
        vb_strings_free(&paths);
    }
}
