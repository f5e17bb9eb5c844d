/* The scan: blocks shared among ranks and threads, checkpoints, and the merge of all lists on rank 0. */
#include "mpi/retrieve/retrieve.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <string.h>

#include "kernels/search/coded_scan.h"
#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "mpi/ranks/progress.h"
#include "mpi/retrieve/coded_sources.h"
#include "mpi/retrieve/device_scan.h"
#include "mpi/retrieve/scan_state.h"
#include "shards/embeddings/quantized.h"

enum {
    WINDOW = 256 << 10, /* bytes that a thread reads at once: they stay in its second-level cache until they are searched */
    AHEAD = 16,         /* windows that the system is told about before they are read: */
    AT_ONCE = 8,        /* so many at a time */
    BLOCK = 64 << 20,   /* most bytes of a block, in fp32 */
    LEAST_BLOCK = 240,  /* rows */
    BLOCKS = 256,       /* that a small corpus is cut into */
    GATHERED = 64 << 20 /* bytes of lists that rank 0 holds at once for the merge */
};

/* One thread. */
typedef struct worker {
    vb_scan *scan;
    vb_corpus_reader reader;
    unsigned char *window;
    /* with a quantised copy */
    vb_quantized_reader code_reader;
    vb_coded_scan *coded;
    unsigned char *row;
    int64_t bytes_read;
} worker;

/* One rank. */
typedef struct retrieval {
    vb_context *context;
    const vb_corpus *corpus;
    const vb_retrieve_options *options;
    const vb_retrieve_sink *sink;
    vb_search *search;
    vb_quantized copy; /* the corpus in codes, */
    vb_coder *coder;   /* or NULL */
    vb_coded_queries *coded;
    vb_topk topk; /* of the blocks finished in this run, then of all */
    int threads;
    worker *workers;
    vb_device_scan device; /* the first one's */
    vb_corpus_block *blocks;
    int64_t block_count;
    uint8_t *finished;         /* of all blocks, by earlier runs */
    int64_t *todo, todo_count; /* this rank's */
    int64_t *mine, mine_count; /* those finished in this run */
    vb_scan_state state;
    vb_strings checkpoints; /* rank 0: of earlier runs */
    vb_scan_counts counts;
    int64_t bytes_read, candidates;
    double slack;
    vb_progress progress;
} retrieval;

/* ---- blocks ---- */

/* A function of the corpus alone, so that checkpoints fit any number of ranks. A multiple of 240, which windows and tiles divide
 * well.
 */
static int64_t block_rows(int64_t all, int dim) {
    int64_t most = BLOCK / ((int64_t)dim * 4) / LEAST_BLOCK * LEAST_BLOCK, rows = all / BLOCKS / LEAST_BLOCK * LEAST_BLOCK;
    if (rows > most) rows = most;
    return rows < LEAST_BLOCK ? LEAST_BLOCK : rows;
}

int64_t vb_retrieve_pieces(int64_t rows, int dim) {
    const int64_t block = block_rows(rows, dim);
    return (rows + block - 1) / block;
}

static int64_t window_rows(const vb_corpus *corpus, size_t part) {
    int64_t bytes = (int64_t)corpus->dim * (int64_t)vb_dtype_size(corpus->parts[part].dtype), rows = WINDOW / bytes / 12 * 12;
    return rows < 1 ? 1 : rows;
}

/* Which steps of a block, beginning at `at`, to announce when those before have been read: *first and how many. */
static int64_t expected(int64_t at, int64_t step, int64_t count, int64_t *first) {
    if (at / step % AT_ONCE) return 0;
    *first = at ? at + AHEAD * step : step; /* the first step itself is read at once */
    int64_t end = at + (AHEAD + AT_ONCE) * step;
    return (end < count ? end : count) - *first;
}

/* Through the codes. Blocks begin at whole groups. */
static int scan_codes(const retrieval *work, worker *w, const vb_corpus_block *block, vb_error *err) {
    size_t bytes = vb_coder_group_bytes(work->copy.width);
    int64_t step = (int64_t)(WINDOW / bytes) / 2 * 2, first = block->first / VB_CODER_GROUP,
            count = (block->rows + VB_CODER_GROUP - 1) / VB_CODER_GROUP;
    if (step < 1) step = 1;
    for (int64_t at = 0; at < count; at += step) {
        int64_t n = count - at < step ? count - at : step;
        int64_t row = work->corpus->parts[block->part].first + (first + at) * VB_CODER_GROUP;
        if (vb_quantized_read(&w->code_reader, block->part, first + at, n, w->window, err)) return -1;
        int64_t soon, some = expected(at, step, count, &soon);
        if (some > 0) vb_quantized_expect(&w->code_reader, first + soon, some);
        if (vb_coded_scan_groups(w->coded, w->window, n, row, err)) return -1;
        w->bytes_read += n * (int64_t)bytes;
    }
    vb_scan_counted(w->scan)->rows += block->rows;
    return 0;
}

/* vb_row_reader */
static int read_row(void *context, int64_t id, const void **row, vb_dtype *dtype, vb_error *err) {
    worker *w = context;
    const vb_corpus *corpus = w->reader.corpus;
    size_t part = vb_corpus_find(corpus, id);
    *row = w->row;
    *dtype = corpus->parts[part].dtype;
    w->bytes_read += corpus->dim * (int64_t)vb_dtype_size(*dtype);
    return vb_corpus_read_rows(&w->reader, part, id - corpus->parts[part].first, 1, w->row, err);
}

static int scan_block(retrieval *work, worker *w, const vb_corpus_block *block, vb_error *err) {
    if (work->coder) return scan_codes(work, w, block, err);
    if (w == work->workers && work->device.search)
        return vb_device_scan_block(&work->device, &w->reader, block, &w->bytes_read, err);
    const vb_corpus_part *part = &work->corpus->parts[block->part];
    int64_t step = window_rows(work->corpus, block->part);
    for (int64_t at = 0; at < block->rows; at += step) {
        int64_t first = block->first + at, rows = block->rows - at < step ? block->rows - at : step;
        if (vb_corpus_read_rows(&w->reader, block->part, first, rows, w->window, err)) return -1;
        int64_t soon, some = expected(at, step, block->rows, &soon);
        if (some > 0) vb_corpus_expect_rows(&w->reader, block->first + soon, some);
        if (vb_scan_rows(w->scan, w->window, part->dtype, rows, part->first + first, err)) return -1;
        w->bytes_read += rows * work->corpus->dim * (int64_t)vb_dtype_size(part->dtype);
    }
    return 0;
}

/* ---- the scan ---- */

/* What the threads of a round share. */
typedef struct round_state {
    _Atomic int64_t next, done, rows;
    _Atomic bool stop;
    double due;       /* the next checkpoint, by vb_live_now */
    vb_error *errors; /* of each thread */
} round_state;

/* One thread's part of a round: blocks until there are no more, a checkpoint is due, or something is wrong. What is taken is
 * finished, unless that fails. The first thread also looks for signals and alarms. */
static void scan_some(retrieval *work, round_state *round, int thread) {
    worker *w = &work->workers[thread];
    vb_error *err = &round->errors[thread];
    while (!atomic_load(&round->stop)) {
        if (!thread && vb_context_check_stop(work->context, err)) break;
        int64_t at = atomic_fetch_add(&round->next, 1);
        if (at >= work->todo_count) return;
        int64_t b = work->todo[at];
        if (scan_block(work, w, &work->blocks[b], err)) break;
        work->mine[atomic_fetch_add(&round->done, 1)] = b;
        atomic_fetch_add(&round->rows, work->blocks[b].rows);
        if (vb_fault(VB_FAULT_UNIT) && vb_errorf(err, VB_EINCOMPLETE, "stopped after a block by an injected fault")) break;
        if (thread) continue;
        vb_progress_step(&work->progress, atomic_load(&round->rows) - work->progress.done);
        if (vb_live_now() >= round->due) break;
    }
    atomic_store(&round->stop, true);
}

/* The threads' lists and counts to the rank's. */
static void merge_threads(retrieval *work) {
    work->candidates = 0;
    work->slack = 0;
    for (int t = 0; t < work->threads; t++) {
        worker *w = &work->workers[t];
        vb_scan_counts *counts = vb_scan_counted(w->scan);
        vb_topk_merge(&work->topk, vb_scan_topk(w->scan));
        work->counts.rows += counts->rows;
        work->counts.not_finite += counts->not_finite;
        work->counts.zero += counts->zero;
        work->counts.rescored += counts->rescored;
        work->bytes_read += w->bytes_read;
        *counts = (vb_scan_counts){0};
        w->bytes_read = 0;
        if (!w->coded) continue;
        int64_t candidates; /* since the scan began */
        double slack;
        vb_coded_scan_certificate(w->coded, &candidates, &slack);
        work->candidates += candidates;
        work->slack += slack;
    }
}

static int write_state(retrieval *work, vb_error *err) {
    return vb_scan_state_write(&work->state, work->context->comm.rank, work->mine, work->mine_count, &work->counts, &work->topk,
                               err);
}

/* All of this rank's blocks, with a checkpoint every so often, at a stop, and at the end of a scan that was long enough to need
 * one. */
static int scan_all(retrieval *work, vb_error *err) {
    int threads = work->threads, status = 0;
    bool keeps = work->options->checkpoint, finished = false;
    double seconds = work->options->checkpoint_seconds, start = vb_live_now();
    round_state round = {.errors = vb_array((size_t)threads, sizeof *round.errors, "scan", err)};
    if (!round.errors) return -1;
    while (!finished && !status) {
        atomic_store(&round.stop, false);
        atomic_store(&round.next, work->mine_count);
        round.due = keeps ? vb_live_now() + seconds : INFINITY;
#pragma omp parallel num_threads(threads)
        {
            int t = omp_get_thread_num();
            vb_error unsettled;
            scan_some(work, &round, t);
            /* All thresholds are known now, so that fewer candidates have to be read. */
#pragma omp barrier
            bool whole = !round.errors[t].code || round.errors[t].code == VB_EINCOMPLETE;
            if (work->coder && whole && vb_coded_scan_settle(work->workers[t].coded, &unsettled)) round.errors[t] = unsettled;
        }
        for (int t = 0; t < threads; t++) {
            const vb_error *found = &round.errors[t];
            if (!found->code || (status && found->code == VB_EINCOMPLETE)) continue;
            *err = *found;
            status = -1;
        }
        vb_progress_step(&work->progress, atomic_load(&round.rows) - work->progress.done);
        merge_threads(work);
        work->mine_count = atomic_load(&round.done);
        finished = work->mine_count == work->todo_count;
        bool whole = !status || err->code == VB_EINCOMPLETE; /* else a list may hold hits of an unfinished block */
        vb_error unwritten;
        if (keeps && whole && work->mine_count && (!finished || status || vb_live_now() >= start + seconds) &&
            write_state(work, &unwritten)) {
            *err = unwritten;
            status = -1;
        }
    }
    vb_free(round.errors);
    return status;
}

/* ---- before and after ---- */

int64_t vb_retrieve_memory(int64_t queries, int dim, int64_t top_k, int threads, int ranks, bool quantized) {
    size_t lists = (size_t)queries * (size_t)top_k * sizeof(vb_hit), gathered = (size_t)ranks * lists;
    size_t each = vb_scan_bytes(queries, dim, top_k) + WINDOW + (size_t)dim * 4;
    size_t shared = vb_search_bytes(queries, dim);
    if (quantized) {
        shared += vb_coded_queries_bytes(queries, dim);
        each += vb_coded_scan_bytes(queries, top_k) + (size_t)dim * 4;
    }
    return (int64_t)(shared + (size_t)threads * each + lists + (gathered < GATHERED ? gathered : GATHERED));
}

static int64_t memory_needed(const retrieval *work, int64_t count, int threads) {
    return vb_retrieve_memory(count, work->corpus->dim, work->topk.k, threads, work->context->comm.size,
                              work->options->quantized != NULL);
}

static int key_of(const vb_corpus *corpus, const float *queries, int64_t count, const vb_retrieve_options *options,
                  vb_digest *key, vb_error *err) {
    vb_digest digest;
    vb_digester *digester;
    if (vb_corpus_digest(corpus, &digest, err) || vb_digest_new(&digester, err)) return -1;
    int64_t numbers[] = {count, options->top_k, options->similarity, block_rows(corpus->rows, corpus->dim)};
    vb_digest_add_text(digester, options->quantized ? "vocabench scan 1, int8" : "vocabench scan 1");
    vb_digest_add_text(digester, digest.hex);
    vb_digest_add(digester, numbers, sizeof numbers);
    vb_digest_add(digester, queries, (size_t)count * (size_t)corpus->dim * sizeof *queries);
    *key = vb_digest_finish(digester);
    return 0;
}

static int open_workers(retrieval *work, vb_error *err) {
    size_t row_bytes = (size_t)work->corpus->dim * sizeof(float), window = row_bytes > WINDOW ? row_bytes : WINDOW;
    if (work->coder && vb_coder_group_bytes(work->copy.width) > window) window = vb_coder_group_bytes(work->copy.width);
    if (!(work->workers = vb_array((size_t)work->threads, sizeof *work->workers, "threads of a scan", err))) return -1;
    for (int t = 0; t < work->threads; t++) {
        worker *w = &work->workers[t];
        vb_corpus_reader_open(&w->reader, work->corpus);
        vb_quantized_reader_open(&w->code_reader, &work->copy);
        if (vb_scan_new(&w->scan, work->search, err)) return -1;
        if (!(w->window = vb_buffer(window, 1, "window of a corpus", err))) return -1;
        if (!work->coder) continue;
        if (!(w->row = vb_buffer(row_bytes, 1, "a row", err))) return -1;
        if (vb_coded_scan_new(&w->coded, work->coded, work->search, w->scan, work->topk.k, read_row, w, err)) return -1;
    }
    return 0;
}

static int open_copy(retrieval *work, const float *queries, int64_t count, vb_error *err) {
    const vb_retrieve_options *options = work->options;
    vb_quantized *copy = &work->copy;
    if (vb_quantized_open(copy, options->quantized, !work->context->comm.rank, err)) return -1;
    if (vb_quantized_matches(copy, work->corpus, err)) return -1;
    if (copy->similarity != options->similarity)
        return vb_errorf(err, VB_EMISMATCH, "%s: codes for the similarity %s, asked for is %s", copy->folder,
                         vb_score_names[copy->similarity], vb_score_names[options->similarity]);
    if (vb_coded_sources_check(work->context, copy, work->corpus, err)) return -1;
    if (vb_coder_new(&work->coder, copy->dim, copy->mean, copy->seed, copy->similarity, err)) return -1;
    return vb_coded_queries_new(&work->coded, work->coder, queries, count, err);
}

/* The rank's device for the first thread. Codes are searched here. */
static int open_device(retrieval *work, const float *queries, int64_t count, vb_error *err) {
    if (work->coder) return 0;
    const vb_device_scan_job job = {.context = work->context,
                                    .corpus = work->corpus,
                                    .scan = work->workers[0].scan,
                                    .queries = queries,
                                    .count = count,
                                    .top_k = work->topk.k,
                                    .similarity = work->options->similarity,
                                    .memory = work->options->memory - memory_needed(work, count, work->threads)};
    return vb_device_scan_open(&work->device, &job, err);
}

/* Everything local, before the first exchange. */
static int prepare(retrieval *work, const float *queries, int64_t count, vb_error *err) {
    const vb_retrieve_options *options = work->options;
    int64_t k = options->top_k < work->corpus->rows ? options->top_k : work->corpus->rows;
    work->topk.k = k > 0 ? k : 1;
    work->threads = options->threads > 0 ? options->threads : 1;
    while (work->threads > 1 && memory_needed(work, count, work->threads) > options->memory) work->threads--;
    int64_t needed = memory_needed(work, count, work->threads);
    if (needed > options->memory)
        return vb_errorf(err, VB_EMEMORY, "%lld queries with %lld hits each need %.1f MiB a rank, the budget is %.1f MiB",
                         (long long)count, (long long)work->topk.k, (double)needed / 1048576, (double)options->memory / 1048576);
    if (vb_search_new(&work->search, queries, count, work->corpus->dim, work->topk.k, options->similarity, err)) return -1;
    if (vb_topk_new(&work->topk, count, work->topk.k, err)) return -1;
    if (options->quantized && open_copy(work, queries, count, err)) return -1;
    if (open_workers(work, err) || open_device(work, queries, count, err)) return -1;
    if (vb_corpus_blocks(work->corpus, block_rows(work->corpus->rows, work->corpus->dim), &work->blocks, &work->block_count, err))
        return -1;
    size_t blocks = (size_t)work->block_count;
    if (!(work->finished = vb_array(blocks, 1, "blocks of a scan", err))) return -1;
    if (!(work->todo = vb_array(blocks, sizeof *work->todo, "blocks of a scan", err))) return -1;
    if (!(work->mine = vb_array(blocks, sizeof *work->mine, "blocks of a scan", err))) return -1;
    work->state = (vb_scan_state){.folder = options->checkpoint, .blocks = work->block_count};
    return options->checkpoint ? key_of(work->corpus, queries, count, options, &work->state.key, err) : 0;
}

/* What earlier runs have finished, as rank 0 finds it; the rest is divided in order. Collective. */
static int divide(retrieval *work, vb_scan_counts *resumed, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    int status = 0;
    int64_t generation = 0, left = 0, first, count, seen = 0;
    *resumed = (vb_scan_counts){0};
    if (!comm->rank && work->options->checkpoint)
        status =
            vb_scan_state_find(&work->state, work->finished, &work->checkpoints, resumed, work->topk.queries, work->topk.k, err);
    if (vb_comm_agree(comm, status, err)) return -1;
    generation = work->state.generation;
    if (vb_comm_broadcast(comm, &generation, sizeof generation, err)) return -1;
    if (vb_comm_broadcast(comm, work->finished, (size_t)work->block_count, err)) return -1;
    work->state.generation = (int)generation;
    for (int64_t b = 0; b < work->block_count; b++) left += !work->finished[b];
    count = vb_comm_range_of_rank(left, comm->rank, comm->size, &first);
    for (int64_t b = 0; b < work->block_count; b++) {
        if (work->finished[b]) continue;
        if (seen >= first && seen < first + count) work->todo[work->todo_count++] = b;
        seen++;
    }
    return 0;
}

/* One batch of queries on rank 0: all ranks' lists into one. */
static int deliver_batch(const retrieval *work, int64_t first, int64_t count, const vb_blocks *blocks, int64_t listed,
                         vb_error *err) {
    const vb_retrieve_sink *sink = work->sink;
    vb_topk merged;
    double *scores = vb_array((size_t)work->topk.k, sizeof *scores, "scores", err);
    int status = scores ? 0 : -1;
    if (status || vb_topk_new(&merged, count, work->topk.k, err)) {
        vb_free(scores);
        return -1;
    }
    for (int r = 0; !status && r < blocks->count; r++)
        status = vb_topk_unpack(&merged, 0, count, blocks->bytes[r], blocks->sizes[r], err);
    if (!status) vb_topk_sort(&merged);
    for (int64_t q = 0; !status && q < count; q++) {
        const vb_hit *hits = merged.hits + q * merged.k;
        if (merged.count[q] != listed)
            status = vb_errorf(err, VB_EINTERNAL, "query %lld: %lld hits, expected %lld", (long long)(first + q),
                               (long long)merged.count[q], (long long)listed);
        for (int64_t i = 0; !status && i < listed; i++) scores[i] = vb_search_score(work->search, first + q, &hits[i]);
        if (!status) status = sink->list(sink->context, first + q, hits, scores, listed, err);
    }
    vb_topk_free(&merged);
    vb_free(scores);
    return status;
}

/* All lists to rank 0, some queries at a time. Collective. */
static int deliver(retrieval *work, int64_t listed, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    int64_t queries = work->topk.queries, batch = GATHERED / (comm->size * (work->topk.k + 1) * (int64_t)sizeof(vb_hit));
    unsigned char *bytes = NULL;
    size_t capacity = 0;
    int status = 0;
    if (batch < 1) batch = 1;
    for (int64_t first = 0; first < queries && !status; first += batch) {
        int64_t count = queries - first < batch ? queries - first : batch;
        size_t size = 0;
        vb_blocks blocks = {0};
        status = vb_comm_agree(comm, vb_topk_pack(&work->topk, first, count, &bytes, &size, &capacity, err), err);
        if (!status) status = vb_comm_gather(comm, bytes, size, &blocks, err);
        if (status) break;
        if (!comm->rank) status = deliver_batch(work, first, count, &blocks, listed, err);
        vb_comm_blocks_free(&blocks);
        status = vb_comm_agree(comm, status, err);
    }
    vb_free(bytes);
    return status;
}

/* Counts of all ranks, and of the checkpoints, on rank 0. Collective. */
static int sum_up(retrieval *work, const vb_scan_counts *resumed, vb_retrieve_summary *summary, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    int64_t sums[] = {work->counts.rows, work->counts.not_finite, work->counts.zero, work->counts.rescored,
                      work->bytes_read,  work->todo_count,        work->candidates,  vb_device_scan_rows(&work->device)};
    if (vb_comm_sum_to_root(comm, sums, sizeof sums / sizeof *sums, err)) return -1;
    vb_blocks slacks;
    if (vb_comm_gather(comm, &work->slack, sizeof work->slack, &slacks, err)) return -1;
    double slack = 0;
    for (int r = 0; r < slacks.count; r++) slack += *(const double *)slacks.bytes[r];
    vb_comm_blocks_free(&slacks);
    int status = 0;
    *summary = (vb_retrieve_summary){.queries = work->topk.queries,
                                     .rows = sums[0] + resumed->rows,
                                     .not_finite = sums[1] + resumed->not_finite,
                                     .zero = sums[2] + resumed->zero,
                                     .rescored = sums[3],
                                     .bytes_read = sums[4],
                                     .blocks = work->block_count,
                                     .blocks_resumed = work->block_count - sums[5],
                                     .candidates = sums[6],
                                     .rows_on_device = sums[7],
                                     .slack = sums[6] ? slack / (double)sums[6] : 0};
    if (work->coder) { /* the codes know which rows they leave out */
        summary->not_finite = work->copy.not_finite;
        summary->zero = work->copy.zero;
    }
    int64_t rankable = summary->rows - summary->not_finite - (work->options->similarity == VB_COSINE ? summary->zero : 0);
    summary->listed = work->topk.k < rankable ? work->topk.k : rankable;
    if (!comm->rank && summary->rows != work->corpus->rows)
        status =
            vb_errorf(err, VB_EINTERNAL, "%lld rows scanned of %lld", (long long)summary->rows, (long long)work->corpus->rows);
    return vb_comm_agree(comm, status, err);
}

/* The hits of earlier runs: each file to one rank. Collective. */
static int load_checkpoints(retrieval *work, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    int64_t count = (int64_t)work->checkpoints.count;
    int status = 0;
    if (vb_comm_broadcast(comm, &count, sizeof count, err)) return -1;
    for (int64_t i = 0; i < count && !status; i++) {
        void *path = comm->rank ? NULL : work->checkpoints.items[i];
        size_t size = comm->rank ? 0 : strlen(work->checkpoints.items[i]) + 1;
        if (vb_comm_broadcast_block(comm, &path, &size, err)) return -1;
        if (i % comm->size == comm->rank) status = vb_scan_state_load(path, &work->topk, err);
        if (comm->rank) vb_free(path);
        status = vb_comm_agree(comm, status, err);
    }
    return status;
}

static void close_retrieval(retrieval *work) {
    vb_device_scan_close(&work->device); /* which uses a worker's scan */
    for (int t = 0; work->workers && t < work->threads; t++) {
        worker *w = &work->workers[t];
        vb_scan_free(w->scan);
        vb_free(w->window);
        vb_free(w->row);
        vb_coded_scan_free(w->coded);
        if (w->reader.corpus) vb_corpus_reader_close(&w->reader);
        if (w->code_reader.copy) vb_quantized_reader_close(&w->code_reader);
    }
    vb_coded_queries_free(work->coded);
    vb_coder_free(work->coder);
    vb_quantized_close(&work->copy);
    vb_free(work->workers);
    vb_search_free(work->search);
    vb_topk_free(&work->topk);
    vb_free(work->blocks);
    vb_free(work->finished);
    vb_free(work->todo);
    vb_free(work->mine);
    vb_strings_free(&work->checkpoints);
}

int vb_retrieve(vb_context *context, const vb_corpus *corpus, const float *queries, int64_t count,
                const vb_retrieve_options *options, const vb_retrieve_sink *sink, vb_retrieve_summary *summary, vb_error *err) {
    vb_comm *comm = &context->comm;
    retrieval work = {.context = context, .corpus = corpus, .options = options, .sink = sink};
    vb_scan_counts resumed;
    int status = vb_comm_agree(comm, prepare(&work, queries, count, err), err);
    if (!status) status = divide(&work, &resumed, err);
    if (status) goto done;

    vb_progress_start(&work.progress, context, "retrieve", corpus->name, "rows", corpus->rows);
    status = scan_all(&work, err);
    vb_progress_end(&work.progress);
    if ((status = vb_context_barrier(context, status, err))) goto done;

    if ((status = load_checkpoints(&work, err))) goto done;
    if ((status = sum_up(&work, &resumed, summary, err))) goto done;
    if (!comm->rank && sink->begin) status = sink->begin(sink->context, summary, err);
    if ((status = vb_comm_agree(comm, status, err))) goto done;
    status = deliver(&work, summary->listed, err);
done:
    close_retrieval(&work);
    return status;
}

void vb_retrieve_forget(const vb_corpus *corpus, const float *queries, int64_t count, const vb_retrieve_options *options) {
    vb_scan_state state = {.folder = options->checkpoint};
    vb_error ignored;
    if (options->checkpoint && !key_of(corpus, queries, count, options, &state.key, &ignored)) vb_scan_state_remove(&state);
}

int vb_retrieve_corpus_open_shared(vb_corpus *corpus, vb_comm *comm, const char *name, vb_error *err) {
    *corpus = (vb_corpus){0};
    void *bytes = NULL;
    size_t size = 0;
    int status = comm->rank ? 0 : vb_corpus_open(corpus, name, err);
    if (!status && !comm->rank) status = vb_corpus_pack(corpus, &bytes, &size, err);
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_broadcast_block(comm, &bytes, &size, err);
    if (!status) status = vb_comm_agree(comm, comm->rank ? vb_corpus_unpack(corpus, bytes, size, err) : 0, err);
    vb_free(bytes);
    if (status) vb_corpus_close(corpus);
    return status;
}
