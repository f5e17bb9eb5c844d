/* Threads, two blocks and a list of units under one lock. */
#include "mpi/encode/pipeline.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "kernels/base/memory.h"

/* Units are read ahead as long as fewer images than these wait for a decoder, fewer bytes are held, and less lies between the
 * unit that is asked for and the last one. */
enum { AHEAD_BYTES = VB_UNIT_BYTES, AHEAD_IMAGES = 8 * VB_UNIT_SAMPLES, AHEAD_UNITS = 256, WAIT_NS = 20000000 };

/* A unit and how far it is. */
typedef struct job {
    vb_pipeline_unit unit;
    int64_t number;
    int begun, undecoded, left; /* images: taken by a decoder; not through one; without their row */
    int failed_at;              /* the first that ends the work; count: none */
    bool prepared;              /* or failed, by `error` */
    int status;
    vb_error error;
    struct job *next;
} job;

typedef struct entry { /* a picture of a block */
    job *job;
    int index;
} entry;

typedef struct block {
    void *pixels; /* floats, or bytes for an engine that normalises */
    float *out;
    vb_patch_grid *grids;
    entry *entries;
    int reserved, done; /* places taken, and filled */
    bool taken;         /* by the engine */
} block;

struct vb_pipeline {
    vb_pipeline_options options;
    vb_pipeline_source source;
    vb_decode_budget budget;
    vb_sample_decoder decoder;
    atomic_bool cancelled;
    pthread_mutex_t lock;
    pthread_cond_t work, space, news; /* for decoders without work, decoders without a place, and the caller */
    pthread_t *threads;
    int started;
    block blocks[2];
    int filling;
    job *first, *last; /* units in order, from the one that is asked for */
    job *next_job;     /* the first that may have images for a decoder */
    int64_t read;      /* units that were given to a reader */
    int64_t end;       /* units that matter: all, or up to the first that failed */
    bool reading;
    int jobs, waiting, decoding; /* units in the list; images: for a decoder, in one */
    int64_t images;              /* of the units in the list */
    size_t bytes;                /* held by them */
    bool lost;                   /* no memory for the list, */
    vb_error loss;
    double looked; /* when it was last looked whether to stop */
    vb_pipeline_counts counts;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- under the lock ---- */

static bool may_read(const vb_pipeline *p) {
    const int batch = p->options.batch, low = 2 * batch > VB_UNIT_SAMPLES ? 2 * batch : VB_UNIT_SAMPLES;
    const int64_t most = 4 * batch > AHEAD_IMAGES ? 4 * batch : AHEAD_IMAGES;
    if (p->reading || p->read >= p->end) return false;
    return !p->first || (p->waiting < low && p->bytes < AHEAD_BYTES && p->images < most && p->jobs < AHEAD_UNITS);
}

/* Images beyond the first failure in order need no decoder any more. */
static void give_up(vb_pipeline *p, job *j, int from) {
    if (j->begun < from) return;
    const int rest = j->unit.count - j->begun;
    j->begun += rest;
    j->undecoded -= rest;
    j->left -= rest;
    p->waiting -= rest;
}

static void fail_at(vb_pipeline *p, job *j, int index) {
    if (index < j->failed_at) j->failed_at = index;
    if (j->number + 1 < p->end) p->end = j->number + 1;
    for (job *k = j; k; k = k->next)
        if (k->prepared) give_up(p, k, k->number > j->number ? 0 : j->failed_at);
}

/* The next image in order. */
static job *next_image(vb_pipeline *p, int *index) {
    for (; p->next_job && p->next_job->prepared; p->next_job = p->next_job->next) {
        job *j = p->next_job;
        if (j->failed_at < j->unit.count) give_up(p, j, j->failed_at);
        if (j->begun == j->unit.count) continue;
        *index = j->begun++;
        p->waiting--;
        p->decoding++;
        return j;
    }
    return NULL;
}

/* A place in the block that is being filled; NULL: none is free. */
static block *free_block(vb_pipeline *p) {
    for (int i = 0; i < 2; i++) {
        block *b = &p->blocks[p->filling];
        if (!b->taken && b->reserved < p->options.batch) return b;
        const block *other = &p->blocks[!p->filling];
        if (other->taken || other->reserved) return NULL;
        p->filling = !p->filling;
    }
    return NULL;
}

/* A block for the engine: a full one, or what there is when no more images can fill it. */
static block *ready_block(vb_pipeline *p) {
    for (int i = 0; i < 2; i++) {
        block *b = &p->blocks[i ? p->filling : !p->filling];
        if (!b->reserved || b->done < b->reserved) continue;
        const bool more = p->reading || may_read(p) || b->reserved + p->waiting + p->decoding >= p->options.batch;
        if (b->reserved == p->options.batch || !more) return b;
    }
    return NULL;
}

/* ---- decoders ---- */

static void read_unit(vb_pipeline *p, job *j) {
    pthread_mutex_unlock(&p->lock);
    vb_error err = {0};
    int status = p->source.prepare(p->source.context, j->number, &j->unit, &err);
    if (!status && j->unit.count &&
        !(j->unit.outcomes = vb_array((size_t)j->unit.count, sizeof *j->unit.outcomes, "outcomes of a unit", &err)))
        status = -1;
    pthread_mutex_lock(&p->lock);
    p->reading = false;
    j->prepared = true;
    j->status = status;
    if (status) {
        j->error = err;
        j->unit.count = 0;
    }
    j->undecoded = j->left = j->failed_at = j->unit.count;
    p->waiting += j->unit.count;
    p->images += j->unit.images;
    p->bytes += j->unit.bytes;
    if (status) fail_at(p, j, 0);
    else if (j->number >= p->end) give_up(p, j, 0);
}

/* A place in the list, so that units stay in order, then the reading. */
static void begin_reading(vb_pipeline *p) {
    job *j = vb_array(1, sizeof *j, "unit", &p->loss);
    if (!j) {
        p->lost = true;
        p->end = p->read;
        return;
    }
    j->number = p->read++;
    if (p->last) p->last->next = j;
    else p->first = j;
    p->last = j;
    if (!p->next_job) p->next_job = j;
    p->jobs++;
    p->reading = true;
    read_unit(p, j);
    pthread_cond_broadcast(&p->work);
}

static void release_bytes(vb_pipeline *p, job *j) {
    if (j->undecoded || !j->unit.bytes) return;
    const size_t bytes = j->unit.bytes;
    j->unit.bytes = 0;
    p->bytes -= bytes;
    p->source.release(p->source.context, &j->unit);
}

static size_t element_of(const vb_pipeline *p) { return p->options.engine.encode_bytes ? 1 : sizeof(float); }

static void *picture_of(const vb_pipeline *p, const block *b, int at) {
    return (char *)b->pixels + (size_t)at * p->options.engine.floats * element_of(p);
}

static void put_pixels(const vb_pipeline *p, const block *b, int at, const vb_image *square) {
    if (!p->options.engine.encode_bytes) vb_preprocess_normalise(p->options.spec, square, picture_of(p, b, at));
    else memcpy(picture_of(p, b, at), square->pixels, p->options.engine.floats);
}

/* Pictures `first` .. of a block. */
static int encode_some(const vb_pipeline *p, const block *b, int first, int n, float *out, vb_error *err) {
    const vb_picture_engine *engine = &p->options.engine;
    if (engine->encode_bytes) return engine->encode_bytes(engine->context, picture_of(p, b, first), n, out, err);
    return engine->encode(engine->context, picture_of(p, b, first), p->options.spec->max_patches ? b->grids + first : NULL, n,
                          out, err);
}

/* Waits for a place, and puts the picture there. */
static void place(vb_pipeline *p, job *j, int index, vb_sample_pixels *pixels) {
    block *b;
    while (!(b = free_block(p)) && !atomic_load(&p->cancelled)) pthread_cond_wait(&p->space, &p->lock);
    if (b) {
        const int at = b->reserved++;
        p->decoding--;
        b->entries[at] = (entry){j, index};
        pthread_mutex_unlock(&p->lock);
        put_pixels(p, b, at, &pixels->square);
        b->grids[at] = pixels->grid;
        pthread_mutex_lock(&p->lock);
        b->done++;
    } else p->decoding--;
}

static void decode_image(vb_pipeline *p, job *j, int index) {
    vb_pipeline_outcome *outcome = &j->unit.outcomes[index];
    const vb_sample *sample = &j->unit.samples[j->unit.picked[index]];
    vb_sample_pixels pixels;
    vb_error err = {0};
    pthread_mutex_unlock(&p->lock);
    const int status = vb_sample_pixels_make(&p->decoder, sample, &pixels, &err);
    pthread_mutex_lock(&p->lock);
    j->undecoded--;
    if (status) {
        outcome->failed = true;
        outcome->error = err;
        for (int k = 0; k < p->options.engine.dim; k++)
            j->unit.rows[(size_t)index * (size_t)p->options.engine.dim + (size_t)k] = NAN;
        j->left--;
        p->decoding--;
        if (!j->unit.skip_broken || !vb_sample_pixels_is_broken(&err)) fail_at(p, j, index);
    } else memcpy(outcome->remark, pixels.remark, sizeof outcome->remark);
    release_bytes(p, j);
    if (!status) {
        place(p, j, index, &pixels);
        vb_free(pixels.square.pixels);
    }
}

static void *decode_images(void *context) {
    vb_pipeline *p = context;
    int index;
    pthread_mutex_lock(&p->lock);
    while (!atomic_load(&p->cancelled)) {
        job *j;
        if (may_read(p)) begin_reading(p);
        else if ((j = next_image(p, &index))) decode_image(p, j, index);
        else {
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        pthread_cond_signal(&p->news);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- the caller: the engine ---- */

/* Where a row is not finite, its picture is the failure: each is tried alone. */
static int encode_singly(vb_pipeline *p, block *b, bool *failed, vb_error *err) {
    const vb_error whole = *err;
    int found = 0;
    for (int i = 0; i < b->reserved; i++) {
        vb_pipeline_outcome *outcome = &b->entries[i].job->unit.outcomes[b->entries[i].index];
        vb_error why = {0};
        failed[i] = encode_some(p, b, i, 1, b->out + (size_t)i * (size_t)p->options.engine.dim, &why) != 0;
        if (!failed[i]) continue;
        found++;
        vb_error_prefix(&why, "%s", b->entries[i].job->unit.names[b->entries[i].index]);
        if (why.code != VB_EDATA) {
            *err = why;
            return -1;
        }
        outcome->failed = true;
        outcome->error = why;
    }
    if (!found) *err = whole;
    return found ? 0 : -1;
}

/* The block's rows to their units. */
static int encode_block(vb_pipeline *p, block *b, vb_error *err) {
    const size_t dim = (size_t)p->options.engine.dim;
    const int n = b->reserved;
    bool *failed = NULL;
    b->taken = true;
    pthread_mutex_unlock(&p->lock);
    int status = encode_some(p, b, 0, n, b->out, err) ? -1 : 0;
    if (status && err->code == VB_EDATA && (failed = vb_array((size_t)n, sizeof *failed, "batch", err)))
        status = encode_singly(p, b, failed, err);
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < n && !status; i++) {
        const entry *e = &b->entries[i];
        memcpy(e->job->unit.rows + (size_t)e->index * dim, b->out + (size_t)i * dim, dim * sizeof *b->out);
        e->job->left--;
        if (failed && failed[i]) fail_at(p, e->job, e->index);
    }
    p->counts.blocks++;
    p->counts.pictures += n;
    p->counts.full += n == p->options.batch;
    b->reserved = b->done = 0;
    b->taken = false;
    pthread_cond_broadcast(&p->space);
    vb_free(failed);
    return status;
}

/* Whether to stop; the lock is held by nobody in the meantime. */
static int look(vb_pipeline *p, vb_error *err) {
    if (!p->options.look) return 0;
    pthread_mutex_unlock(&p->lock);
    const int status = p->options.look(p->options.look_context, err);
    pthread_mutex_lock(&p->lock);
    p->looked = now();
    return status;
}

/* Waits for decoders, and looks now and then. */
static int wait_for_news(vb_pipeline *p, vb_error *err) {
    struct timespec until;
    const double begun = now();
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&p->news, &p->lock, &until);
    const double ended = now();
    p->counts.waited += ended - begun;
    return ended - p->looked < 1e-9 * WAIT_NS ? 0 : look(p, err);
}

/* Takes the first unit out of the list. */
static int take_first(vb_pipeline *p, vb_pipeline_unit *unit, vb_error *err) {
    job *j = p->first;
    int status = j->status;
    if (status && err) *err = j->error;
    if (!status && j->failed_at < j->unit.count) {
        if (err) *err = j->unit.outcomes[j->failed_at].error;
        status = -1;
    }
    release_bytes(p, j);
    *unit = j->unit;
    p->first = j->next;
    if (p->last == j) p->last = NULL;
    if (p->next_job == j) p->next_job = j->next;
    p->jobs--;
    p->images -= j->unit.images;
    vb_free(j);
    pthread_cond_broadcast(&p->work);
    return status;
}

static bool is_finished(const job *j) { return j && j->prepared && !j->left && !j->undecoded; }

int vb_pipeline_next(vb_pipeline *p, vb_pipeline_unit *unit, vb_error *err) {
    vb_error local = {0}, *why = err ? err : &local;
    *unit = (vb_pipeline_unit){0};
    pthread_mutex_lock(&p->lock);
    int status = 0;
    while (!status && !is_finished(p->first)) {
        block *b = ready_block(p);
        if (b) status = encode_block(p, b, why) || look(p, why) ? -1 : 0;
        else if (p->lost && !p->first) status = -1;
        else status = wait_for_news(p, why);
        if (status && p->lost && !p->first) *why = p->loss;
    }
    if (!status) status = take_first(p, unit, why);
    pthread_mutex_unlock(&p->lock);
    return status;
}

/* ---- opening and closing ---- */

static int make_blocks(vb_pipeline *p, vb_error *err) {
    const size_t batch = (size_t)p->options.batch;
    for (int i = 0; i < 2; i++) {
        block *b = &p->blocks[i];
        if (!(b->pixels = vb_buffer(batch * p->options.engine.floats, element_of(p), "pixels of a batch", err)) ||
            !(b->out = vb_buffer(batch * (size_t)p->options.engine.dim, sizeof *b->out, "embeddings of a batch", err)) ||
            !(b->grids = vb_array(batch, sizeof *b->grids, "shapes of a batch", err)) ||
            !(b->entries = vb_array(batch, sizeof *b->entries, "batch", err)))
            return -1;
    }
    return 0;
}

/* Where OpenMP binds threads to places (OMP_PROC_BIND) it has bound the one that calls; ours may run in all of the places. */
static void leave_the_place(pthread_attr_t *attributes) {
    cpu_set_t all;
    const int places = omp_get_proc_bind() == omp_proc_bind_false ? 0 : omp_get_num_places();
    CPU_ZERO(&all);
    for (int p = 0; p < places; p++) {
        int ids[CPU_SETSIZE];
        const int count = omp_get_place_num_procs(p);
        if (count > CPU_SETSIZE) return;
        omp_get_place_proc_ids(p, ids);
        for (int i = 0; i < count; i++)
            if (ids[i] < CPU_SETSIZE) CPU_SET(ids[i], &all);
    }
    if (CPU_COUNT(&all)) pthread_attr_setaffinity_np(attributes, sizeof all, &all);
}

/* Signals that ask for a stop are for the thread that looks at them. One thread is enough where there cannot be more. */
static int start_threads(vb_pipeline *p, vb_error *err) {
    sigset_t all, before;
    static const int own[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL}; /* of the thread itself */
    pthread_attr_t attributes;
    int code = 0;
    if (!(p->threads = vb_array((size_t)p->options.threads, sizeof *p->threads, "threads", err))) return -1;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
    pthread_attr_init(&attributes);
    leave_the_place(&attributes);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (int i = 0; i < p->options.threads && !code; i++)
        if (!(code = pthread_create(&p->threads[p->started], &attributes, decode_images, p))) p->started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return p->started ? 0 : vb_errorf(err, VB_EMEMORY, "no thread for decoding: %s", strerror(code));
}

int vb_pipeline_open(vb_pipeline **pipeline, const vb_pipeline_options *options, const vb_pipeline_source *source,
                     vb_error *err) {
    assert(options->batch >= 1 && options->threads >= 1 && options->engine.floats && options->engine.dim >= 1);
    assert(!options->engine.encode_bytes || !options->spec->max_patches);
    *pipeline = NULL;
    vb_pipeline *p = vb_array(1, sizeof *p, "pipeline", err);
    if (!p) return -1;
    p->options = *options;
    p->source = *source;
    p->end = source->units;
    vb_decode_budget_open(&p->budget, options->decode_memory);
    p->decoder = (vb_sample_decoder){.spec = options->spec, .budget = &p->budget, .cancelled = &p->cancelled};
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->space, NULL);
    pthread_cond_init(&p->news, &clock);
    pthread_condattr_destroy(&clock);
    if (!make_blocks(p, err) && !start_threads(p, err)) {
        *pipeline = p;
        return 0;
    }
    vb_pipeline_close(p, NULL);
    return -1;
}

void vb_pipeline_close(vb_pipeline *p, vb_pipeline_counts *counts) {
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->cancelled, true);
    pthread_cond_broadcast(&p->work);
    pthread_cond_broadcast(&p->space);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->started; i++) pthread_join(p->threads[i], NULL);
    p->counts.decode_most = p->budget.most;
    if (counts) *counts = p->counts;
    for (job *j = p->first, *next; j; j = next) {
        next = j->next;
        if (j->unit.bytes) p->source.release(p->source.context, &j->unit);
        vb_free(j->unit.outcomes);
        p->source.drop(p->source.context, &j->unit);
        vb_free(j);
    }
    for (int i = 0; i < 2; i++) {
        vb_free(p->blocks[i].pixels);
        vb_free(p->blocks[i].out);
        vb_free(p->blocks[i].grids);
        vb_free(p->blocks[i].entries);
    }
    vb_free(p->threads);
    vb_decode_budget_close(&p->budget);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->space);
    pthread_cond_destroy(&p->news);
    pthread_mutex_destroy(&p->lock);
    vb_free(p);
}

int64_t vb_pipeline_bytes(const vb_preprocess *spec, bool as_bytes, int batch, int threads, int64_t decode_memory,
                          int64_t unit_bytes) {
    const int64_t floats = (int64_t)vb_preprocess_floats(spec), ahead = unit_bytes < AHEAD_BYTES ? unit_bytes : AHEAD_BYTES;
    enum { THREAD = 256 << 10 }; /* measured: of one that decodes, with what the allocator keeps for it */
    return 2 * batch * floats * (as_bytes ? 1 : (int64_t)sizeof(float)) + (decode_memory << 20) + threads * (floats + THREAD) +
           ahead;
}
