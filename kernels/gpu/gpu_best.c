/* Buffers and launches of a search. */
#include "kernels/gpu/gpu_best.h"

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_product.h"
#include "kernels/gpu/gpu_texts.h"
#include "kernels/gpu/gpu_tower.h"

enum { SQUARES = 64, PICKERS = 256, SPARE = 64 /* places beyond those wanted: ties, and what the slack lets in */ };
static const size_t processor_budget = (size_t)64 << 20, device_budget = (size_t)1 << 30; /* bytes of products and places */

enum { QUERIES, ROWS, MORE_ROWS, PRODUCTS, LENGTHS, FACTORS, FLOORS, SLACKS, THRESHOLDS, FOUND, PICKS, BUFFERS };

struct vb_gpu_best {
    vb_gpu_device *device;
    vb_gpu_best_shape shape;
    cl_mem buffers[BUFFERS];
    size_t bytes[BUFFERS];
    int64_t count; /* rows of the latest product */
    float *thresholds;
    uint32_t *found, *places;
};

int64_t vb_gpu_best_room(int64_t wanted, int64_t rows) { return wanted < rows - SPARE ? wanted + SPARE : rows; }

int64_t vb_gpu_best_rows(const vb_gpu_device *device, int64_t queries, int dim, int64_t wanted, int64_t most, int share) {
    size_t budget = device->info.processor ? processor_budget : device_budget;
    const size_t fair = (size_t)(device->info.memory / 4 / (uint64_t)(share < 1 ? 1 : share)),
                 whole = (size_t)device->info.largest_buffer;
    if (budget > fair) budget = fair;
    const size_t row = (size_t)dim * sizeof(float), fixed = (size_t)queries * row;
    if (fixed > whole || fixed > fair) return 0;
    int64_t rows = (int64_t)((budget < whole ? budget : whole) / ((size_t)queries * sizeof(float)));
    while (rows > 1 && (size_t)(rows + vb_gpu_best_room(wanted, rows)) * (size_t)queries * sizeof(float) > budget) rows /= 2;
    if (rows > most) rows = most;
    if ((size_t)rows * row > whole) rows = (int64_t)(whole / row);
    return rows < (most < VB_GPU_BEST_LEAST ? most : VB_GPU_BEST_LEAST) ? 0 : rows;
}

static int make_buffers(vb_gpu_best *best, vb_error *err) {
    const vb_gpu_best_shape *s = &best->shape;
    const size_t queries = (size_t)s->queries, rows = (size_t)s->rows, floats = sizeof(float);
    const size_t bytes[BUFFERS] = {[QUERIES] = queries * (size_t)s->dim * floats,
                                   [ROWS] = rows * (size_t)s->dim * floats,
                                   [MORE_ROWS] = rows * (size_t)s->dim * floats,
                                   [PRODUCTS] = queries * rows * floats,
                                   [LENGTHS] = rows * floats,
                                   [FACTORS] = rows * floats,
                                   [FLOORS] = queries * floats,
                                   [SLACKS] = queries * floats,
                                   [THRESHOLDS] = queries * floats,
                                   [FOUND] = queries * sizeof *best->found,
                                   [PICKS] = queries * (size_t)s->room * sizeof *best->places};
    for (int i = 0; i < BUFFERS; i++) {
        if (vb_gpu_work_buffer(best->device, bytes[i], &best->buffers[i], err)) return -1;
        best->bytes[i] = bytes[i];
    }
    return 0;
}

/* Queued on the queue that computes; the host's memory may change afterwards. */
static int write_buffer(const vb_gpu_best *best, int which, const void *bytes, size_t at, size_t size, vb_error *err) {
    return vb_gpu_work_write(best->device, best->device->queue, best->buffers[which], bytes, at, size, err);
}

int vb_gpu_best_open(vb_gpu_best **out, vb_gpu_device *device, const vb_gpu_best_shape *shape, const float *queries,
                     int64_t apart, vb_error *err) {
    vb_gpu_best *best = *out = vb_array(1, sizeof *best, "search on a device", err);
    if (!best) return -1;
    best->device = device;
    best->shape = *shape;
    best->shape.room = vb_gpu_best_room(shape->wanted, shape->rows);
    const size_t count = (size_t)shape->queries, row = (size_t)shape->dim * sizeof *queries;
    best->thresholds = vb_array(count, sizeof *best->thresholds, "search on a device", err);
    best->found = vb_array(count, sizeof *best->found, "search on a device", err);
    best->places = vb_array(count * (size_t)best->shape.room, sizeof *best->places, "search on a device", err);
    if (!best->thresholds || !best->found || !best->places || make_buffers(best, err)) return -1;
    for (size_t q = 0; q < count; q++)
        if (write_buffer(best, QUERIES, queries + (int64_t)q * apart, q * row, row, err)) return -1;
    return 0;
}

void vb_gpu_best_close(vb_gpu_best *best) {
    if (!best) return;
    best->device->cl.Finish(best->device->queue);
    for (int i = 0; i < BUFFERS; i++) vb_gpu_work_release(best->device, &best->buffers[i], best->bytes[i]);
    vb_free(best->thresholds);
    vb_free(best->found);
    vb_free(best->places);
    vb_free(best);
}

const vb_gpu_best_shape *vb_gpu_best_shaped(const vb_gpu_best *best) { return &best->shape; }

int vb_gpu_best_upload(vb_gpu_best *best, int place, const void *rows, vb_dtype dtype, int64_t count, vb_error *err) {
    const size_t size = (size_t)count * (size_t)best->shape.dim * vb_dtype_size(dtype);
    return vb_gpu_work_write(best->device, best->device->transfers, best->buffers[ROWS + place], rows, 0, size, err);
}

static int queue_squares(const vb_gpu_best *best, int place, int type, vb_error *err) {
    const cl_int depth = best->shape.dim, its_type = type;
    const cl_mem rows = best->buffers[ROWS + place], squares = best->buffers[LENGTHS];
    const vb_gpu_argument arguments[] = {VB_GPU_ARGUMENT(depth), VB_GPU_ARGUMENT(rows), VB_GPU_ARGUMENT(rows),
                                         VB_GPU_ARGUMENT(its_type), VB_GPU_ARGUMENT(squares)};
    vb_gpu_launch launch = {.kernel = "row_squares",
                            .arguments = arguments,
                            .count = sizeof arguments / sizeof *arguments,
                            .groups = {(size_t)best->count, 1, 1},
                            .items = {SQUARES, 1, 1}};
    if (vb_gpu_work_module(best->device, vb_gpu_best_cl, "", &launch.module, err)) return -1;
    return vb_gpu_work_launch(best->device, &launch, err);
}

int vb_gpu_best_multiply(vb_gpu_best *best, int place, vb_dtype dtype, int64_t count, vb_error *err) {
    const vb_gpu_product product = {.rows = (cl_ulong)best->shape.queries,
                                    .columns = (cl_int)count,
                                    .depth = best->shape.dim,
                                    .a = {best->buffers[QUERIES], 0},
                                    .b = best->buffers[ROWS + place],
                                    .type = dtype,
                                    .c = {best->buffers[PRODUCTS], 0}};
    best->count = count;
    if (queue_squares(best, place, vb_gpu_tower_type(dtype), err)) return -1;
    if (vb_gpu_product_queue(best->device, &product, err)) return -1;
    best->device->cl.Flush(best->device->queue);
    return 0;
}

int vb_gpu_best_squares(vb_gpu_best *best, float *squares, vb_error *err) {
    return vb_gpu_work_read(best->device, best->buffers[LENGTHS], 0, squares, (size_t)best->count * sizeof *squares, err);
}

int vb_gpu_best_pick(vb_gpu_best *best, const float *factors, const float *floors, const float *slacks,
                     vb_gpu_best_picked *picked, vb_error *err) {
    const vb_gpu_best_shape *s = &best->shape;
    const size_t queries = (size_t)s->queries * sizeof *floors;
    if (write_buffer(best, FACTORS, factors, 0, (size_t)best->count * sizeof *factors, err) ||
        write_buffer(best, FLOORS, floors, 0, queries, err) || write_buffer(best, SLACKS, slacks, 0, queries, err))
        return -1;
    const cl_uint rows = (cl_uint)best->count, wanted = (cl_uint)(s->wanted < s->rows ? s->wanted : s->rows),
                  room = (cl_uint)s->room;
    cl_mem *buffers = best->buffers;
    const vb_gpu_argument arguments[] = {VB_GPU_ARGUMENT(buffers[PRODUCTS]),
                                         VB_GPU_ARGUMENT(rows),
                                         VB_GPU_ARGUMENT(buffers[FACTORS]),
                                         VB_GPU_ARGUMENT(buffers[FLOORS]),
                                         VB_GPU_ARGUMENT(buffers[SLACKS]),
                                         VB_GPU_ARGUMENT(wanted),
                                         VB_GPU_ARGUMENT(room),
                                         VB_GPU_ARGUMENT(buffers[THRESHOLDS]),
                                         VB_GPU_ARGUMENT(buffers[FOUND]),
                                         VB_GPU_ARGUMENT(buffers[PICKS])};
    vb_gpu_launch launch = {.kernel = "pick_best",
                            .arguments = arguments,
                            .count = sizeof arguments / sizeof *arguments,
                            .groups = {(size_t)s->queries, 1, 1},
                            .items = {PICKERS, 1, 1}};
    if (vb_gpu_work_module(best->device, vb_gpu_best_cl, "", &launch.module, err)) return -1;
    if (vb_gpu_work_launch(best->device, &launch, err)) return -1;
    if (vb_gpu_work_read(best->device, buffers[THRESHOLDS], 0, best->thresholds, queries, err) ||
        vb_gpu_work_read(best->device, buffers[FOUND], 0, best->found, (size_t)s->queries * sizeof *best->found, err) ||
        vb_gpu_work_read(best->device, buffers[PICKS], 0, best->places, best->bytes[PICKS], err))
        return -1;
    *picked = (vb_gpu_best_picked){best->thresholds, best->found, best->places};
    return 0;
}

int vb_gpu_best_products(vb_gpu_best *best, int64_t query, float *products, vb_error *err) {
    const size_t size = (size_t)best->count * sizeof *products;
    return vb_gpu_work_read(best->device, best->buffers[PRODUCTS], (size_t)query * size, products, size, err);
}
