/* The corpora in a plan: rows, bytes and scans of each. */
#include "mpi/plan/plan_corpora.h"

#include <stdio.h>

#include "mpi/retrieve/retrieve.h"
#include "shards/datasets/dataset.h"
#include "shards/embeddings/quantized.h"

typedef struct corpus_facts {
    const char *kind;
    int64_t rows; /* -1: captions, which are not counted */
    int dim;      /* 0: that of the model which encodes them */
    double bytes; /* of one scan */
} corpus_facts;

static int look_at(const vb_corpus_spec *spec, corpus_facts *facts, vb_error *err) {
    if (spec->embeddings) {
        vb_corpus corpus;
        if (vb_corpus_open(&corpus, spec->embeddings, err)) return -1;
        *facts = (corpus_facts){"embeddings", corpus.rows, corpus.dim, 0};
        for (size_t p = 0; p < corpus.part_count; p++)
            facts->bytes += (double)corpus.parts[p].rows * corpus.dim * (double)vb_dtype_size(corpus.parts[p].dtype);
        vb_corpus_close(&corpus);
        if (!spec->quantized) return 0;
        vb_quantized copy;
        if (vb_quantized_open(&copy, spec->quantized, false, err)) return -1;
        facts->kind = "8-bit codes";
        facts->bytes = 0;
        for (size_t p = 0; p < copy.part_count; p++) facts->bytes += (double)copy.parts[p].file_bytes;
        vb_quantized_close(&copy);
        return 0;
    }
    if (spec->images) {
        vb_dataset *dataset;
        if (vb_dataset_open(&dataset, spec->images, NULL, err)) return -1;
        *facts = (corpus_facts){"images", vb_dataset_samples(dataset), 0, (double)vb_dataset_bytes(dataset)};
        vb_dataset_close(dataset);
        return 0;
    }
    *facts = (corpus_facts){"captions", -1, 0, 0};
    return 0;
}

static int plan_corpus(const vb_experiment *experiment, const vb_corpus_spec *corpus, const int64_t *classes, int ranks,
                       bool print, vb_corpora_sizes *sizes, vb_error *err) {
    corpus_facts facts;
    int64_t scans = 0;
    if (look_at(corpus, &facts, err)) return vb_error_prefix(err, "corpus '%s'", corpus->name);
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_model_spec *model = &experiment->models[m];
        const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, model);
        if (model->left_out || !retrieval || vb_experiment_find_corpus(experiment, retrieval->corpus) != corpus) continue;
        for (int d = 0; d < experiment->dataset_count - experiment->expansion_count; d++) {
            if (!vb_experiment_covers(experiment, model, &experiment->datasets[d])) continue;
            scans++;
            int threads = experiment->threads ? (int)experiment->threads : 1;
            int64_t need = vb_retrieve_memory(classes[d], facts.dim ? facts.dim : 1024, retrieval->depth, threads, ranks,
                                              corpus->quantized != NULL);
            if (need > sizes->memory_a_rank) sizes->memory_a_rank = need;
        }
    }
    if (!scans) return 0;
    sizes->read_bytes += (double)scans * facts.bytes;
    if (!print) return 0;
    printf("  corpus %-13s %-20s ", corpus->name, facts.kind);
    if (facts.rows < 0) printf("not counted");
    else if (facts.dim) printf("%lld rows x %d, %.4g GB", (long long)facts.rows, facts.dim, facts.bytes * 1e-9);
    else printf("%lld rows, %.4g GB", (long long)facts.rows, facts.bytes * 1e-9);
    printf(", %lld scan%s\n", (long long)scans, scans == 1 ? "" : "s");
    return 0;
}

int vb_plan_corpora(const vb_experiment *experiment, const int64_t *classes, int ranks, bool print, vb_corpora_sizes *sizes,
                    vb_error *err) {
    *sizes = (vb_corpora_sizes){0};
    for (int c = 0; c < experiment->corpus_count; c++)
        if (plan_corpus(experiment, &experiment->corpora[c], classes, ranks, print, sizes, err)) return -1;
    return 0;
}
