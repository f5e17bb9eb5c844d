/* A batch in pieces whose work space the device holds. While a piece is computed, the next one's pixels are uploaded by another
 * queue. */
#include "kernels/gpu/gpu_engine.h"

#include <time.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_operations.h"

enum { TOWERS = 2 };
static const size_t processor_budget = (size_t)16 << 20, /* floats of work space: what a processor's caches like, */
    device_budget = (size_t)512 << 20,                   /* and enough rows to fill any GPU */
    scratch_budget = (size_t)64 << 20;

struct vb_gpu_engine {
    vb_engine_device interface;
    vb_gpu_device *device;
    vb_gpu_tower towers[TOWERS];
    size_t budget; /* floats of work space; becomes smaller when memory runs out, and stays so */
    int retries;
};

/* What a run has on the device. */
typedef struct gpu_run {
    vb_gpu_engine *engine;
    const vb_program *program;
    const vb_engine_input *input;
    int64_t n;
    const vb_watch *watch;
    float *out;
    vb_gpu_piece piece;
    cl_mem pixels[2];
    size_t capacity, pixel_bytes, out_bytes, scratch_bytes;
} gpu_run;

static int run_program(void *state, const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
                       const vb_watch *watch, vb_error *err);

int vb_gpu_engine_open(vb_gpu_engine **engine, vb_gpu_device *device, int share, vb_error *err) {
    vb_gpu_engine *made = *engine = vb_array(1, sizeof *made, "engine of a device", err);
    if (!made) return -1;
    made->device = device;
    made->interface = (vb_engine_device){made, run_program};
    made->budget = device->info.processor ? processor_budget : device_budget;
    /* a quarter of the memory: weights, pixels, scratch and the driver need some as well */
    const size_t fair = (size_t)(device->info.memory / 4 / (uint64_t)(share < 1 ? 1 : share) / sizeof(float)),
                 largest = (size_t)(device->info.largest_buffer / sizeof(float));
    if (made->budget > fair) made->budget = fair;
    if (made->budget > largest) made->budget = largest;
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

static void free_buffers(gpu_run *run) {
    vb_gpu_device *device = run->engine->device;
    vb_gpu_work_release(device, &run->piece.work, run->capacity * sizeof(float));
    vb_gpu_work_release(device, &run->piece.out, run->out_bytes);
    vb_gpu_work_release(device, &run->piece.scratch, run->scratch_bytes);
    for (int i = 0; i < 2; i++) vb_gpu_work_release(device, &run->pixels[i], run->pixel_bytes);
    vb_free(run->piece.host.starts);
    run->piece.host.starts = NULL;
}

static int make_buffers(gpu_run *run, int64_t left, vb_error *err) {
    vb_gpu_device *device = run->engine->device;
    const vb_program *program = run->program;
    run->capacity = vb_piece_capacity(program, left, run->engine->budget);
    const int64_t items = vb_piece_most_items(program, left, run->capacity), columns = program->values[program->result].columns;
    const int64_t rows = program->text_rows ? items * program->text_rows : 0;
    const size_t most = scratch_budget < run->engine->budget ? scratch_budget : run->engine->budget;
    run->piece.scratch_floats = vb_gpu_operations_scratch(program, items, rows, most);
    run->scratch_bytes = run->piece.scratch_floats * sizeof(float);
    run->out_bytes = (size_t)(items * columns) * sizeof(float);
    run->pixel_bytes = (size_t)items * program->picture * sizeof(float);
    run->piece.host.starts = vb_array((size_t)items + 1, sizeof(int64_t), "offsets of the items", err);
    int status = run->piece.host.starts ? 0 : -1;
    if (!status) status = vb_gpu_work_buffer(device, run->capacity * sizeof(float), &run->piece.work, err);
    if (!status) status = vb_gpu_work_buffer(device, run->out_bytes, &run->piece.out, err);
    if (!status && run->scratch_bytes) status = vb_gpu_work_buffer(device, run->scratch_bytes, &run->piece.scratch, err);
    for (int i = 0; i < 2 && !status && run->pixel_bytes; i++)
        status = vb_gpu_work_buffer(device, run->pixel_bytes, &run->pixels[i], err);
    return status;
}

/* Uploads the pixels of `count` pictures from `first` on while the other queue computes. */
static int upload_pixels(const gpu_run *run, cl_mem to, int64_t first, int64_t count, vb_error *err) {
    vb_gpu_device *device = run->engine->device;
    const size_t picture = run->program->picture;
    if (!picture || count < 1) return 0;
    const cl_int code = device->cl.EnqueueWriteBuffer(device->transfers, to, CL_TRUE, 0, (size_t)count * picture * sizeof(float),
                                                      run->input->pixels + (size_t)first * picture, 0, NULL, NULL);
    return code ? vb_opencl_failed(code, device->info.name, "clEnqueueWriteBuffer", err) : 0;
}

static int queue_piece(const gpu_run *run, vb_error *err) {
    for (int i = 0; i < run->program->count; i++) {
        const vb_operation *operation = &run->program->operations[i];
        if (operation->opens_layer && run->watch->look && run->watch->look(run->watch->context, err)) return -1;
        if (vb_gpu_operations_queue(&run->piece, i, err)) return -1;
        if (operation->opens_layer) run->engine->device->cl.Flush(run->engine->device->queue);
    }
    return 0;
}

/* Waits for the rows of the piece, and looks after whoever watches meanwhile. */
static int take_rows(const gpu_run *run, vb_error *err) {
    vb_gpu_device *device = run->engine->device;
    const int64_t columns = run->program->values[run->program->result].columns;
    const vb_piece *piece = &run->piece.host;
    cl_event event;
    cl_int code =
        device->cl.EnqueueReadBuffer(device->queue, run->piece.out, CL_FALSE, 0, (size_t)(piece->count * columns) * sizeof(float),
                                     run->out + piece->first * columns, 0, NULL, &event);
    if (code) return vb_opencl_failed(code, device->info.name, "clEnqueueReadBuffer", err);
    device->cl.Flush(device->queue);
    int status = 0;
    cl_int state = CL_QUEUED;
    const struct timespec moment = {.tv_nsec = 100000};
    while (!status && !code && state > CL_COMPLETE) {
        code = device->cl.GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
        if (state > CL_COMPLETE) nanosleep(&moment, NULL);
        if (run->watch->look) status = run->watch->look(run->watch->context, err);
    }
    if (status) device->cl.Finish(device->queue); /* it writes to `out` */
    device->cl.ReleaseEvent(event);
    if (!status && (code || state < 0)) status = vb_opencl_failed(code ? code : state, device->info.name, "a kernel", err);
    return status;
}

/* Pieces from *first on, until all are done or one fails; *first is then where it began. */
static int run_pieces(gpu_run *run, int64_t *first, vb_error *err) {
    int turn = 0;
    int status = make_buffers(run, run->n - *first, err);
    if (!status) {
        vb_piece_fill(&run->piece.host, run->input->grids, *first, run->n, run->capacity);
        status = upload_pixels(run, run->pixels[turn], *first, run->piece.host.count, err);
    }
    while (!status && *first < run->n) {
        run->piece.pixels = run->pixels[turn];
        run->piece.host.grids = run->input->grids ? run->input->grids + *first : NULL;
        status = queue_piece(run, err);
        const int64_t next = *first + run->piece.host.count, left = run->n - next;
        const int64_t ahead = left < run->piece.host.count ? left : run->piece.host.count; /* the next piece may take more */
        if (!status) status = upload_pixels(run, run->pixels[!turn], next, ahead, err);
        if (!status) status = take_rows(run, err);
        if (status) break;
        *first = next;
        turn = !turn;
        if (next == run->n) break;
        vb_piece_fill(&run->piece.host, run->input->grids, next, run->n, run->capacity);
        if (run->piece.host.count > ahead) status = upload_pixels(run, run->pixels[turn], next, run->piece.host.count, err);
    }
    run->engine->device->cl.Finish(run->engine->device->queue);
    free_buffers(run);
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
    const size_t one = vb_piece_capacity(program, 1, 0); /* less than a piece of one item cannot be */
    int64_t first = 0;
    int status = 0;
    while (first < n && (status = run_pieces(&run, &first, err)) != 0) {
        const size_t had = run.capacity;
        if (!err || err->code != VB_EMEMORY || had <= one) return -1;
        engine->budget = had / 2 > one ? had / 2 : one;
        engine->retries++;
        vb_error_clear(err);
    }
    return status;
}
