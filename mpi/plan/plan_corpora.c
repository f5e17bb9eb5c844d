/* The corpora in a plan: rows, bytes and scans of each. */
#include "mpi/plan/plan_corpora.h"

#include <stdio.h>
#include <string.h>

#include "mpi/retrieve/retrieve.h"
#include "shards/datasets/dataset.h"
#include "mpi/encode/model.h"
#include "mpi/run/schedule.h"
#include "shards/embeddings/quantized.h"
#include "shards/files/path.h"
#include "shards/text/captions.h"

enum { COUNTED = 1 << 28 }; /* bytes of captions */

typedef struct corpus_facts {
    const char *kind;
    int64_t rows;
    int dim;      /* 0: that of the model which encodes them */
    double bytes; /* of one scan */
    bool about;   /* rows: what the size of the files lets expect */
} corpus_facts;

/* The lines of caption files; of what lies beyond COUNTED bytes as many a byte as before. */
static int count_captions(const vb_corpus_spec *spec, corpus_facts *facts, vb_error *err) {
    vb_strings paths = {0};
    double counted = 0;
    int status = vb_path_glob(&paths, spec->captions, err);
    for (size_t i = 0; i < paths.count && !status; i++) {
        vb_captions *captions = NULL;
        vb_path_facts file;
        bool found = true;
        if ((status = vb_path_stat(paths.items[i], &file, err))) break;
        facts->bytes += (double)file.size;
        if (counted + (double)file.size > COUNTED && counted > 0) {
            facts->about = true;
            continue;
        }
        counted += (double)file.size;
        status = vb_captions_open(&captions, paths.items[i], spec->caption_column, err);
        while (!status && found) {
            status = vb_captions_skip(captions, &found, err);
            facts->rows += !status && found;
        }
        vb_captions_close(captions);
    }
    if (facts->about) facts->rows = (int64_t)((double)facts->rows * facts->bytes / counted);
    vb_strings_free(&paths);
    return status;
}

static int look_at(const vb_corpus_spec *spec, corpus_facts *facts, vb_error *err) {
    if (spec->embeddings) {
        vb_corpus corpus;
        if (vb_corpus_open(&corpus, spec->embeddings, err)) return -1;
        *facts = (corpus_facts){"embeddings", corpus.rows, corpus.dim, 0, false};
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
        *facts = (corpus_facts){"images", vb_dataset_samples(dataset), 0, (double)vb_dataset_bytes(dataset), false};
        vb_dataset_close(dataset);
        return 0;
    }
    *facts = (corpus_facts){.kind = "captions"};
    return count_captions(spec, facts, err);
}

/* What the scans of a corpus come to. */
typedef struct corpus_work {
    int64_t scans, memory;
    double encoded, operations, seconds; /* rows that are encoded, each encoder's once; operations of all; of one rank */
} corpus_work;

/* The number of the model that encodes a corpus for a model's retrieval. */
static int encoder_of(const vb_experiment *experiment, int m) {
    return (int)(vb_experiment_index_model(experiment, &experiment->models[m]) - experiment->models);
}

static bool retrieves(const vb_experiment *experiment, int m, const vb_corpus_spec *corpus) {
    const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, &experiment->models[m]);
    return !experiment->models[m].left_out && retrieval && vb_experiment_find_corpus(experiment, retrieval->corpus) == corpus;
}

static void add_encoding(const vb_experiment *experiment, const vb_corpus_spec *corpus, const vb_corpora_request *request, int m,
                         const corpus_facts *facts, corpus_work *work) {
    const int encoder = encoder_of(experiment, m);
    vb_model_sizes sizes;
    vb_error ignored;
    if (facts->dim || facts->rows < 0) return; /* embeddings */
    for (int k = 0; k < m; k++)
        if (retrieves(experiment, k, corpus) &&
            vb_schedule_same_encoder(&experiment->models[encoder_of(experiment, k)], &experiment->models[encoder]))
            return;
    const vb_plan_rates *rates = &request->rates[encoder];
    work->encoded += (double)facts->rows;
    work->seconds += (double)facts->rows * (corpus->images ? rates->image : rates->text);
    if (!vb_model_measure(&experiment->models[encoder], VB_MODEL_PROMPT_TOKENS, &sizes, &ignored))
        work->operations += (double)facts->rows * (corpus->images ? sizes.image_flops : sizes.text_flops);
}

static int plan_corpus(const vb_experiment *experiment, const vb_corpus_spec *corpus, const vb_corpora_request *request,
                       vb_corpora_sizes *sizes, vb_error *err) {
    corpus_facts facts;
    corpus_work work = {0};
    bool used = false; /* else no run opens it */
    for (int m = 0; m < experiment->model_count; m++) used |= retrieves(experiment, m, corpus);
    if (!used) return 0;
    if (look_at(corpus, &facts, err)) return vb_error_prefix(err, "corpus '%s'", corpus->name);
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_model_spec *model = &experiment->models[m];
        if (!retrieves(experiment, m, corpus)) continue;
        add_encoding(experiment, corpus, request, m, &facts, &work);
        for (int d = 0; d < experiment->dataset_count - experiment->expansion_count; d++) {
            if (!vb_experiment_covers(experiment, model, &experiment->datasets[d])) continue;
            const int threads = experiment->threads ? (int)experiment->threads : 1, dim = facts.dim ? facts.dim : 1024;
            const double operations = 2.0 * (double)facts.rows * (double)request->classes[d] * dim;
            work.scans++;
            work.operations += operations;
            work.seconds += operations * request->rates[m].operation;
            int64_t need = vb_retrieve_memory(request->classes[d], dim, vb_experiment_retrieval(experiment, model)->depth,
                                              threads, request->ranks, corpus->quantized != NULL);
            if (need > sizes->memory_a_rank) sizes->memory_a_rank = need;
            const int64_t pieces = vb_retrieve_pieces(facts.rows, dim);
            if (pieces > sizes->pieces) sizes->pieces = pieces;
        }
    }
    if (!work.scans) return 0;
    sizes->read_bytes += (double)work.scans * facts.bytes;
    sizes->seconds += work.seconds;
    if (!request->print) return 0;
    printf("  corpus %-13s %-20s ", corpus->name, facts.kind);
    if (facts.dim) printf("%lld rows x %d, %.4g GB", (long long)facts.rows, facts.dim, facts.bytes * 1e-9);
    else printf("%s%lld rows, %.4g GB", facts.about ? "about " : "", (long long)facts.rows, facts.bytes * 1e-9);
    printf(", %lld scan%s", (long long)work.scans, work.scans == 1 ? "" : "s");
    if (work.encoded > 0) printf(", %.0f %s to encode", work.encoded, corpus->images ? "images" : "texts");
    printf(", %.3g TFLOP\n", work.operations * 1e-12);
    return 0;
}

int vb_plan_corpora(const vb_experiment *experiment, const vb_corpora_request *request, vb_corpora_sizes *sizes, vb_error *err) {
    *sizes = (vb_corpora_sizes){0};
    for (int c = 0; c < experiment->corpus_count; c++)
        if (plan_corpus(experiment, &experiment->corpora[c], request, sizes, err)) return -1;
    return 0;
}
