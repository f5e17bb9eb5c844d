/* A batch in pieces whose work space the device holds. Three queues: while one computes a piece, another uploads the next one's
 * pixels, whose kernels then wait behind it before its rows are awaited, which a third brings back. */
#include "kernels/gpu/gpu_engine.h"

#include <time.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_operations.h"
#include "kernels/towers/text_piece.h"

enum { TOWERS = 2 };
static const size_t processor_budget = (size_t)16 << 20, /* floats of work space: what a processor's caches like, */
    device_budget = (size_t)512 << 20,                   /* and enough rows to fill any GPU */
    scratch_budget = (size_t)64 << 20;

struct vb_gpu_engine {
    vb_engine_device interface;
    vb_gpu_device *device;
    vb_gpu_tower towers[TOWERS];
    uint64_t memory; /* of the device, this process's part */
    size_t budget;   /* floats of work space; becomes smaller when memory runs out, and stays so */
    int retries;
};

/* What a piece takes. */
typedef struct piece_sizes {
    int64_t items;                              /* at most */
    size_t capacity;                            /* floats of work space */
    size_t out, pixels, floats, scratch_floats; /* bytes; floats: of pixels that come as bytes */
} piece_sizes;

/* What a run has on the device: two of what the host fills or reads. */
typedef struct gpu_run {
    vb_gpu_engine *engine;
    const vb_program *program;
    const vb_engine_input *input;
    int64_t n;
    const vb_watch *watch;
    float *out;
    vb_gpu_piece piece;
    vb_text_order order; /* of some of the texts, and */
    int64_t *items[2];   /* which of them a piece has, */
    float *found[2];     /* and its results */
    cl_mem results[2];
    cl_mem pixels[2]; /* as they come from the host: floats, or bytes, of which `floats` then gets the floats */
    cl_mem values, floats;
    piece_sizes sizes;
} gpu_run;

/* A piece whose rows are on their way. */
typedef struct gpu_pending {
    cl_event event; /* NULL: none is */
    vb_piece host;
    int64_t from, end; /* pictures, or places in the order of texts */
    int turn;
} gpu_pending;

static int run_program(void *state, const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
                       const vb_watch *watch, vb_error *err);

/* A quarter of the memory: weights, pixels, scratch and the driver need some as well. */
static size_t full_budget(const vb_gpu_device_info *info, int share) {
    const size_t most = info->processor ? processor_budget : device_budget,
                 fair = (size_t)(info->memory / 4 / (uint64_t)(share < 1 ? 1 : share) / sizeof(float)),
                 largest = (size_t)(info->largest_buffer / sizeof(float)), least = fair < largest ? fair : largest;
    return most < least ? most : least;
}

int vb_gpu_engine_open(vb_gpu_engine **engine, vb_gpu_device *device, int share, vb_error *err) {
    vb_gpu_engine *made = *engine = vb_array(1, sizeof *made, "engine of a device", err);
    if (!made) return -1;
    made->device = device;
    made->interface = (vb_engine_device){made, run_program};
    made->memory = device->info.memory / (uint64_t)(share < 1 ? 1 : share);
    made->budget = full_budget(&device->info, share);
    return 0;
}

void vb_gpu_engine_close(vb_gpu_engine *engine) {
    if (!engine) return;
    for (int i = 0; i < TOWERS; i++)
        if (engine->towers[i].program) vb_gpu_tower_close(&engine->towers[i], engine->device);
    vb_free(engine);
}

const vb_engine_device *vb_gpu_engine_interface(const vb_gpu_engine *engine) { return &engine->interface; }
int vb_gpu_engine_retries(const vb_gpu_engine *engine) { return engine->retries; }

/* The tower of a program, uploaded. */
static int find_tower(vb_gpu_engine *engine, const vb_program *program, const vb_gpu_tower **tower, vb_error *err) {
    for (int i = 0; i < TOWERS; i++) {
        if (!engine->towers[i].program) {
            if (vb_gpu_tower_open(&engine->towers[i], engine->device, program, err)) {
                vb_gpu_tower_close(&engine->towers[i], engine->device);
                return -1;
            }
        }
        if (engine->towers[i].program == program) {
            *tower = &engine->towers[i];
            return 0;
        }
    }
    return vb_errorf(err, VB_EINTERNAL, "a device's engine serves two programs, and this is a third");
}

/* ---- a piece ---- */

enum { VALUES = 3 * 256 * sizeof(float) };

/* Items, of full size, for which a piece has room: pictures go in two pieces at least, so that the second one's pixels are
 * uploaded while the first is computed; but not in pieces that would leave a GPU idle. */
static int64_t most_items(const vb_gpu_device_info *info, const vb_program *program, int64_t left) {
    enum { FULL = 128 }; /* 6400 rows of ViT-B/32: 300 tiles */
    const int64_t least = info->processor ? 2 : FULL, half = (left + 1) / 2;
    if (!program->picture) return left;
    return half < least ? (left < least ? left : least) : half;
}

static piece_sizes find_sizes(const vb_gpu_device_info *info, size_t budget, const vb_program *program, bool bytes,
                              int64_t left) {
    piece_sizes sizes = {.capacity = vb_piece_capacity(program, most_items(info, program, left), budget)};
    int64_t items = vb_piece_most_items(program, left, sizes.capacity);
    if (!program->picture && items > VB_TEXT_PIECE_TEXTS) items = VB_TEXT_PIECE_TEXTS;
    if (program->most_patches) { /* of small pictures many would fit, each of which is uploaded as a full one */
        const int64_t most = (int64_t)(sizes.capacity / program->picture);
        if (items > most) items = most < 1 ? 1 : most;
    }
    const size_t count = (size_t)items, picture = count * program->picture;
    sizes.items = items;
    sizes.scratch_floats = vb_gpu_operations_scratch(program, items, program->text_rows ? items * program->text_rows : 0,
                                                     scratch_budget < budget ? scratch_budget : budget);
    sizes.out = count * (size_t)program->values[program->result].columns * sizeof(float);
    sizes.pixels = picture * (bytes ? 1 : sizeof(float));
    sizes.floats = bytes ? picture * sizeof(float) : 0;
    return sizes;
}

size_t vb_gpu_engine_work_bytes(const vb_gpu_device_info *info, int share, const vb_program *program, bool bytes, int64_t n) {
    const piece_sizes sizes = find_sizes(info, full_budget(info, share), program, bytes, n);
    return (sizes.capacity + sizes.scratch_floats) * sizeof(float) + 2 * (sizes.out + sizes.pixels) + sizes.floats;
}

static void free_buffers(gpu_run *run) {
    vb_gpu_device *device = run->engine->device;
    vb_gpu_work_release(device, &run->piece.work, run->sizes.capacity * sizeof(float));
    vb_gpu_work_release(device, &run->piece.scratch, run->sizes.scratch_floats * sizeof(float));
    for (int i = 0; i < 2; i++) {
        vb_gpu_work_release(device, &run->results[i], run->sizes.out);
        vb_gpu_work_release(device, &run->pixels[i], run->sizes.pixels);
        vb_free(run->found[i]);
        run->found[i] = NULL;
    }
    vb_gpu_work_release(device, &run->floats, run->sizes.floats);
    vb_gpu_work_release(device, &run->values, VALUES);
    vb_free(run->piece.host.starts);
    vb_free(run->piece.host.rows);
    run->piece.host.starts = run->piece.host.rows = NULL;
}

/* Which texts the piece has, where their rows are, and room for what is found. */
static int make_lists(gpu_run *run, vb_error *err) {
    vb_piece *host = &run->piece.host;
    const vb_program *program = run->program;
    const bool texts = !program->picture, shares = texts && vb_program_is_causal(program);
    const size_t most = (size_t)run->sizes.items + 1;
    if (!(host->starts = vb_array(4 * most, sizeof *host->starts, "offsets of the items", err))) return -1;
    if (!texts) return 0;
    host->places = shares ? host->starts + most : host->starts;
    for (size_t i = 0; i < 2; i++) {
        run->items[i] = host->starts + (2 + i) * most;
        if (!(run->found[i] = vb_array(run->sizes.out, 1, "results of texts", err))) return -1;
    }
    if (!shares) return 0;
    return (host->rows = vb_array(most * (size_t)program->text_rows, sizeof *host->rows, "rows of texts", err)) ? 0 : -1;
}

/* What the weights have left of the memory, half of it: pixels, results and scratch need some as well. */
static size_t budget_now(const vb_gpu_engine *engine) {
    const uint64_t used = engine->device->in_use, left = used < engine->memory ? (engine->memory - used) / 2 / sizeof(float) : 0;
    return left < engine->budget ? (size_t)left : engine->budget;
}

static int make_buffers(gpu_run *run, int64_t left, vb_error *err) {
    vb_gpu_device *device = run->engine->device;
    const bool bytes = run->input->bytes != NULL;
    const piece_sizes *sizes = &run->sizes;
    run->sizes = find_sizes(&device->info, budget_now(run->engine), run->program, bytes, left);
    run->piece.scratch_floats = sizes->scratch_floats;
    int status = make_lists(run, err);
    if (!status) status = vb_gpu_work_buffer(device, sizes->capacity * sizeof(float), &run->piece.work, err);
    if (!status && sizes->scratch_floats)
        status = vb_gpu_work_buffer(device, sizes->scratch_floats * sizeof(float), &run->piece.scratch, err);
    for (int i = 0; i < 2 && !status; i++) {
        status = vb_gpu_work_buffer(device, sizes->out, &run->results[i], err);
        if (!status && sizes->pixels) status = vb_gpu_work_buffer(device, sizes->pixels, &run->pixels[i], err);
    }
    if (!status && bytes) status = vb_gpu_work_buffer(device, sizes->floats, &run->floats, err);
    if (!status && bytes) status = vb_gpu_work_copy(device, run->input->values, VALUES, &run->values, err);
    return status;
}

/* Uploads the pixels of the piece that is filled, while the queue beside computes the one before. */
static int upload_pixels(const gpu_run *run, int turn, vb_error *err) {
    vb_gpu_device *device = run->engine->device;
    const vb_piece *host = &run->piece.host;
    const size_t picture = run->program->picture * (run->input->bytes ? 1 : sizeof(float));
    if (!picture) return 0;
    const char *from = run->input->bytes ? (const char *)run->input->bytes : (const char *)run->input->pixels;
    return vb_gpu_work_write(device, device->transfers, run->pixels[turn], from + (size_t)host->first * picture, 0,
                             (size_t)host->count * picture, err);
}

static int queue_piece(gpu_run *run, int turn, vb_error *err) {
    run->piece.out = run->results[turn];
    run->piece.pixels = run->input->bytes ? run->floats : run->pixels[turn];
    if (run->input->bytes && vb_gpu_operations_pixels(&run->piece, run->pixels[turn], run->values, err)) return -1;
    for (int i = 0; i < run->program->count; i++) {
        const vb_operation *operation = &run->program->operations[i];
        if (operation->opens_layer && run->watch->look && run->watch->look(run->watch->context, err)) return -1;
        if (vb_gpu_operations_queue(&run->piece, i, err)) return -1;
        if (operation->opens_layer) run->engine->device->cl.Flush(run->engine->device->queue);
    }
    return 0;
}

/* Has the rows of the piece that was queued last brought to `to`, when they are computed. */
static int begin_download(const gpu_run *run, gpu_pending *pending, float *to, vb_error *err) {
    vb_gpu_device *device = run->engine->device;
    const int64_t columns = run->program->values[run->program->result].columns;
    cl_event computed;
    const char *call = "clEnqueueMarkerWithWaitList";
    cl_int code = device->cl.EnqueueMarkerWithWaitList(device->queue, 0, NULL, &computed);
    if (!code) {
        device->cl.Flush(device->queue);
        call = "clEnqueueReadBuffer";
        code = device->cl.EnqueueReadBuffer(device->downloads, run->results[pending->turn], CL_FALSE, 0,
                                            (size_t)(pending->host.count * columns) * sizeof(float), to, 1, &computed,
                                            &pending->event);
        device->cl.ReleaseEvent(computed);
    }
    if (!code) {
        device->cl.Flush(device->downloads);
        return 0;
    }
    pending->event = NULL;
    return vb_opencl_failed(code, device->info.name, call, err);
}

/* Fills, uploads and queues the piece from pending->from on. */
static int begin_piece(gpu_run *run, int64_t n, gpu_pending *pending, vb_error *err) {
    vb_piece *host = &run->piece.host;
    const int turn = pending->turn;
    const int64_t columns = run->program->values[run->program->result].columns;
    float *to = run->out + pending->from * columns;
    if (run->program->picture) {
        const int64_t most = pending->from + run->sizes.items;
        vb_piece_fill(host, run->input->grids, pending->from, n < most ? n : most, run->sizes.capacity);
        host->grids = run->input->grids ? run->input->grids + pending->from : NULL;
        pending->end = pending->from + host->count;
    } else {
        host->items = run->items[turn];
        pending->end = vb_text_piece_take(host, &run->order, pending->from, n, run->sizes.capacity, run->items[turn]);
        to = run->found[turn];
    }
    pending->host = *host;
    if (upload_pixels(run, turn, err) || queue_piece(run, turn, err)) return -1;
    return begin_download(run, pending, to, err);
}

/* Waits for the rows of a piece, and looks after whoever watches meanwhile. */
static int end_piece(const gpu_run *run, gpu_pending *pending, vb_error *err) {
    vb_gpu_device *device = run->engine->device;
    int status = 0;
    cl_int code = 0, state = CL_QUEUED;
    const struct timespec moment = {.tv_nsec = 100000};
    while (!status && !code && state > CL_COMPLETE) {
        code = device->cl.GetEventInfo(pending->event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
        if (state > CL_COMPLETE) nanosleep(&moment, NULL);
        if (run->watch->look) status = run->watch->look(run->watch->context, err);
    }
    if (!status && (code || state < 0)) status = vb_opencl_failed(code ? code : state, device->info.name, "a kernel", err);
    if (!status && !run->program->picture)
        vb_text_piece_hand_out(&pending->host, &run->order, pending->from, pending->end, run->found[pending->turn], run->out);
    return status;
}

/* Ends what is on its way: nothing writes to the host's memory any more. A piece that was computed whole before another one
 * failed need not be computed again: *first is then behind it. */
static void leave_pieces(const gpu_run *run, gpu_pending *pending, int status, int64_t *first) {
    vb_gpu_device *device = run->engine->device;
    static const vb_watch nobody = {0};
    device->cl.Finish(device->queue);
    device->cl.Finish(device->downloads);
    for (int i = 0; i < 2; i++) {
        vb_error ignored;
        gpu_run unwatched = *run;
        unwatched.watch = &nobody;
        if (!pending[i].event) continue;
        if (status && pending[i].from == *first && !end_piece(&unwatched, &pending[i], &ignored)) *first = pending[i].end;
        device->cl.ReleaseEvent(pending[i].event);
    }
}

/* Pieces from *first on, of n pictures or texts in order, until all are done or one fails; *first is then where it began. */
static int run_pieces(gpu_run *run, int64_t n, int64_t *first, vb_error *err) {
    gpu_pending pending[2] = {0}; /* the one that is queued, and the one before */
    int64_t next = *first;
    int turn = 0, status = make_buffers(run, n - next, err);
    while (!status && *first < n) {
        gpu_pending *now = &pending[turn], *before = &pending[!turn];
        *now = (gpu_pending){.from = next, .end = next, .turn = turn};
        if (next < n) status = begin_piece(run, n, now, err);
        next = now->end;
        if (!status && before->event) {
            status = end_piece(run, before, err);
            if (status) break;
            *first = before->end;
            run->engine->device->cl.ReleaseEvent(before->event);
            before->event = NULL;
        }
        turn = !turn;
    }
    leave_pieces(run, pending, status, first);
    free_buffers(run);
    return status;
}

/* Whether what failed may be tried again in smaller pieces. */
static bool goes_smaller(const gpu_run *run, vb_error *err) {
    const size_t one = vb_piece_capacity(run->program, 1, 0),
                 had = run->sizes.capacity; /* less than a piece of one item cannot be */
    if (!err || err->code != VB_EMEMORY || had <= one) return false;
    run->engine->budget = had / 2 > one ? had / 2 : one;
    run->engine->retries++;
    vb_error_clear(err);
    return true;
}

static int run_texts(gpu_run *run, vb_error *err) {
    int status = 0;
    for (int64_t first = 0; first < run->n && !status; first += VB_TEXT_PIECE_TEXTS) {
        const int64_t count = run->n - first < VB_TEXT_PIECE_TEXTS ? run->n - first : VB_TEXT_PIECE_TEXTS;
        int64_t from = 0;
        status = vb_text_order_make(&run->order, run->input->texts, first, count, err);
        while (!status && from < count)
            if ((status = run_pieces(run, count, &from, err)) != 0 && goes_smaller(run, err)) status = 0;
    }
    vb_text_order_free(&run->order);
    return status;
}

static int run_program(void *state, const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
                       const vb_watch *watch, vb_error *err) {
    vb_gpu_engine *engine = state;
    gpu_run run = {.engine = engine,
                   .program = program,
                   .input = input,
                   .n = n,
                   .watch = watch,
                   .out = out,
                   .piece = {.device = engine->device, .host = {.program = program, .texts = input->texts}}};
    if (find_tower(engine, program, &run.piece.tower, err)) return -1;
    if (!program->picture) return run_texts(&run, err);
    int64_t first = 0;
    int status = 0;
    while (first < n && !status)
        if ((status = run_pieces(&run, n, &first, err)) != 0 && goes_smaller(&run, err)) status = 0;
    return status;
}
