/* The 8-bit copy: a mean from a sample of the rows, then every part through the coder. */
#include "mpi/retrieve/corpus_coding.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "mpi/ranks/progress.h"
#include "shards/files/path.h"

enum {
    SAMPLES = 64,      /* places in the corpus that the mean is taken from, */
    SAMPLE_ROWS = 512, /* and rows at each */
    CHUNK_GROUPS = 256 /* coded between two writes */
};
static const uint64_t SEED = 20220701;

/* Adds the rows (for cosines their directions) that are finite and not zero. */
static void add_rows(double *sum, int64_t *count, const void *rows, vb_dtype dtype, int64_t n, int dim,
                     vb_similarity similarity) {
    vb_tensor view = {.dtype = dtype, .ndim = 2, .shape = {n, dim}, .data = rows};
    vb_tensor_pack_strides(&view);
    for (int64_t i = 0; i < n; i++) {
        double square = 0;
        for (int k = 0; k < dim; k++) {
            double x = vb_tensor_at(&view, i * dim + k);
            square += x * x;
        }
        if (!isfinite(square) || square == 0) continue;
        double factor = similarity == VB_COSINE ? 1 / sqrt(square) : 1;
        for (int k = 0; k < dim; k++) sum[k] += factor * vb_tensor_at(&view, i * dim + k);
        ++*count;
    }
}

/* The mean of rows at evenly spaced places: any vector is right, the nearer to the mean the better the codes. */
static int sample_mean(float *mean, const vb_corpus *corpus, vb_similarity similarity, vb_error *err) {
    int dim = corpus->dim, status = 0;
    int64_t count = 0;
    double *sum = vb_array((size_t)dim, sizeof *sum, "mean of a corpus", err);
    float *rows = vb_array((size_t)SAMPLE_ROWS * (size_t)dim, sizeof *rows, "mean of a corpus", err);
    vb_corpus_reader reader;
    vb_corpus_reader_open(&reader, corpus);
    if (!sum || !rows) status = -1;
    for (int64_t s = 0, end = 0; s < SAMPLES && !status; s++) {
        int64_t row = (int64_t)((double)corpus->rows * (double)s / SAMPLES);
        if (row < end) row = end;
        if (row >= corpus->rows) break;
        size_t part = vb_corpus_find(corpus, row);
        int64_t first = row - corpus->parts[part].first, n = corpus->parts[part].rows - first;
        if (n > SAMPLE_ROWS) n = SAMPLE_ROWS;
        status = vb_corpus_read_rows(&reader, part, first, n, rows, err);
        if (!status) add_rows(sum, &count, rows, corpus->parts[part].dtype, n, dim, similarity);
        end = row + n;
    }
    for (int k = 0; k < dim && !status; k++) {
        mean[k] = count ? (float)(sum[k] / (double)count) : 0;
        if (!isfinite(mean[k])) mean[k] = 0;
    }
    vb_corpus_reader_close(&reader);
    vb_free(sum);
    vb_free(rows);
    return status;
}

/* What one rank works with. */
typedef struct coding {
    const vb_corpus *corpus;
    const vb_quantized *copy;
    const vb_coder *coder;
    int threads;
    unsigned char *rows, *groups;
    vb_corpus_reader reader;
    int64_t not_finite, zero;
} coding;

static int code_part(coding *job, size_t p, const char *path, vb_context *context, vb_progress *progress, vb_error *err) {
    const vb_corpus_part *part = &job->corpus->parts[p];
    int width = vb_coder_width(job->coder), dim = job->corpus->dim;
    size_t row_bytes = (size_t)dim * vb_dtype_size(part->dtype), group_bytes = vb_coder_group_bytes(width);
    vb_quantized_writer writer;
    if (vb_quantized_part_begin(&writer, job->copy, p, path, part->rows, err)) return -1;
    int status = 0;
    for (int64_t at = 0; at < part->rows && !status; at += (int64_t)CHUNK_GROUPS * VB_CODER_GROUP) {
        int64_t left = part->rows - at,
                n = left < (int64_t)CHUNK_GROUPS * VB_CODER_GROUP ? left : (int64_t)CHUNK_GROUPS * VB_CODER_GROUP;
        int64_t groups = (n + VB_CODER_GROUP - 1) / VB_CODER_GROUP, not_finite = 0, zero = 0;
        if ((status = vb_context_check_stop(context, err))) break;
        if ((status = vb_corpus_read_rows(&job->reader, p, at, n, job->rows, err))) break;
#pragma omp parallel num_threads(job->threads) reduction(+ : not_finite, zero)
        {
            double *work = vb_array(2 * (size_t)width, sizeof *work, "coder", NULL);
#pragma omp for schedule(static)
            for (int64_t g = 0; g < groups; g++)
                if (work)
                    vb_coder_encode(job->coder, job->rows + (size_t)(g * VB_CODER_GROUP) * row_bytes, part->dtype,
                                    (int)(n - g * VB_CODER_GROUP < VB_CODER_GROUP ? n - g * VB_CODER_GROUP : VB_CODER_GROUP),
                                    job->groups + (size_t)g * group_bytes, work, &not_finite, &zero);
            if (!work) not_finite += INT32_MAX; /* more than a chunk has */
            vb_free(work);
        }
        if (not_finite >= INT32_MAX) status = vb_errorf(err, VB_EMEMORY, "coder: no memory");
        if (!status) status = vb_quantized_part_add(&writer, job->groups, groups, err);
        job->not_finite += not_finite;
        job->zero += zero;
        vb_progress_step(progress, n);
    }
    return vb_quantized_part_end(&writer, status, err);
}

static int open_coding(coding *job, const vb_corpus *corpus, const vb_quantized *copy, const vb_coder *coder, int threads,
                       vb_error *err) {
    size_t rows = (size_t)CHUNK_GROUPS * VB_CODER_GROUP;
    *job = (coding){.corpus = corpus, .copy = copy, .coder = coder, .threads = threads};
    vb_corpus_reader_open(&job->reader, corpus);
    job->rows = vb_buffer(rows, (size_t)corpus->dim * sizeof(float), "rows to code", err);
    job->groups = vb_buffer(CHUNK_GROUPS, vb_coder_group_bytes(vb_coder_width(coder)), "codes", err);
    return job->rows && job->groups ? 0 : -1;
}

static void close_coding(coding *job) {
    if (job->corpus) vb_corpus_reader_close(&job->reader);
    vb_free(job->rows);
    vb_free(job->groups);
}

/* The manifest's entries of all parts, their digests from the ranks that coded them. Collective. */
static int write_manifest(vb_quantized *copy, vb_comm *comm, const vb_corpus *corpus, const vb_digest *digests, vb_error *err) {
    vb_blocks blocks;
    int status = vb_comm_gather(comm, digests, corpus->part_count * sizeof *digests, &blocks, err);
    if (status) return -1;
    if (!comm->rank && !(copy->parts = vb_array(corpus->part_count, sizeof *copy->parts, "parts of a copy", err))) status = -1;
    for (size_t p = 0; !comm->rank && !status && p < corpus->part_count; p++) {
        const vb_corpus_part *from = &corpus->parts[p];
        vb_quantized_part *part = &copy->parts[p];
        copy->part_count++;
        *part = (vb_quantized_part){.rows = from->rows, .dtype = from->dtype, .bytes = from->bytes};
        memcpy(&part->digest, (const vb_digest *)blocks.bytes[p % (size_t)comm->size] + p, sizeof part->digest);
        part->file_bytes = vb_quantized_file_bytes(from->rows, copy->width);
        part->file = vb_format(err, "%06zu.vbq", p);
        part->source = vb_strdup(vb_path_base_name(from->path), err);
        if (!part->file || !part->source) status = -1;
    }
    if (!comm->rank && !status) status = vb_quantized_write(copy, err);
    vb_comm_blocks_free(&blocks);
    return vb_comm_agree(comm, status, err);
}

/* This rank's parts. Local. */
static int code_parts(coding *job, vb_context *context, const char *folder, vb_digest *digests, vb_error *err) {
    vb_comm *comm = &context->comm;
    const vb_corpus *corpus = job->corpus;
    vb_progress progress;
    int status = 0;
    vb_progress_start(&progress, context, "quantize", corpus->name, "rows", corpus->rows);
    for (size_t p = (size_t)comm->rank; p < corpus->part_count && !status; p += (size_t)comm->size) {
        char *path = vb_format(err, "%s/%06zu.vbq", folder, p);
        status = path ? code_part(job, p, path, context, &progress, err) : -1;
        if (!status) status = vb_digest_file(corpus->parts[p].path, &digests[p], err);
        if (!status) status = vb_identity_check(&corpus->parts[p].identity, corpus->parts[p].path, err);
        vb_free(path);
    }
    vb_progress_end(&progress);
    return status;
}

/* The folder without the manifest of an earlier copy: stopped half way, this one would leave it beside other codes. */
static int clear_folder(const char *folder, vb_error *err) {
    vb_quantized earlier;
    vb_error why = {0};
    if (vb_path_make_folders(folder, err)) return -1;
    char *path = vb_path_join(folder, "manifest.json", err);
    if (!path) return -1;
    int status = 0;
    if (!vb_quantized_open(&earlier, folder, false, &why)) vb_quantized_close(&earlier);
    if (why.code == VB_EMEMORY) status = vb_errorf(err, VB_EMEMORY, "%s", why.text);
    else if (why.code == VB_EUNSUPPORTED)
        status = vb_errorf(err, VB_EOUTPUT, "%s: holds a manifest.json of something else than a quantised corpus", folder);
    else if (unlink(path) && errno != ENOENT)
        status = vb_errorf(err, VB_EOUTPUT, "%s: cannot be removed: %s", path, strerror(errno));
    vb_free(path);
    return status;
}

/* What would be found when all is coded: a name that the manifest cannot hold; mean.npy beside parts, taken for one. */
static int check_parts(const vb_corpus *corpus, const char *folder, vb_error *err) {
    for (size_t p = 0; p < corpus->part_count; p++) {
        const char *path = corpus->parts[p].path, *name = vb_path_base_name(path);
        if (!vb_utf8_is_text(name, strlen(name), NULL))
            return vb_errorf(err, VB_EUNSUPPORTED, "part %s: its name is not UTF-8", name);
        char *home = vb_path_beside(path, ".", err);
        if (!home) return -1;
        const bool same = vb_path_is_same(home, folder);
        vb_free(home);
        if (same)
            return vb_errorf(err, VB_EUSAGE, "%s: the folder of the corpus' parts, expected another for their copy", folder);
    }
    return 0;
}

int vb_corpus_coding_write(vb_context *context, const vb_corpus *corpus, const char *folder, vb_similarity similarity,
                           int threads, vb_quantized *summary, vb_error *err) {
    vb_comm *comm = &context->comm;
    vb_quantized copy = {.dim = corpus->dim, .similarity = similarity, .seed = SEED, .rows = corpus->rows};
    vb_coder *coder = NULL;
    coding job = {0};
    vb_digest *digests = vb_array(corpus->part_count, sizeof *digests, "digests", err);
    copy.mean = vb_array((size_t)corpus->dim, sizeof *copy.mean, "mean of a corpus", err);
    copy.folder = vb_strdup(folder, err);
    int status = digests && copy.mean && copy.folder ? 0 : -1;
    if (!status && !comm->rank)
        status =
            check_parts(corpus, folder, err) || clear_folder(folder, err) || sample_mean(copy.mean, corpus, similarity, err) ?
                -1 :
                0;
    if ((status = vb_comm_agree(comm, status, err))) goto done;
    if ((status = vb_comm_broadcast(comm, copy.mean, (size_t)corpus->dim * sizeof *copy.mean, err))) goto done;

    status = vb_coder_new(&coder, corpus->dim, copy.mean, copy.seed, similarity, err);
    if (!status) copy.width = vb_coder_width(coder);
    if (!status) status = open_coding(&job, corpus, &copy, coder, threads, err);
    if (!status) status = code_parts(&job, context, folder, digests, err);
    if ((status = vb_context_barrier(context, status, err))) goto done;
    int64_t counts[2] = {job.not_finite, job.zero};
    if ((status = vb_comm_sum_to_root(comm, counts, 2, err))) goto done;
    copy.not_finite = counts[0];
    copy.zero = counts[1];
    status = write_manifest(&copy, comm, corpus, digests, err);
done:
    close_coding(&job);
    vb_coder_free(coder);
    vb_free(digests);
    if (!status && summary && !comm->rank) *summary = copy;
    else vb_quantized_close(&copy);
    return status;
}
