/* Both engines' functions side by side over one piece. */
#include "kernels/gpu/gpu_check.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_check_rest.h"
#include "kernels/gpu/gpu_operations.h"
#include "kernels/gpu/gpu_scenes.h"
#include "kernels/gpu/gpu_trial.h"
#include "kernels/towers/cpu_operations.h"
#include "kernels/towers/text_piece.h"

static const char *const names[] = {
    [VB_OP_EMBED] = "embedding", [VB_OP_PATCHES] = "patches",   [VB_OP_CONV] = "convolution",  [VB_OP_DEPTHWISE] = "depthwise",
    [VB_OP_POOL] = "pool",       [VB_OP_SEQUENCE] = "sequence", [VB_OP_CONSTANT] = "constant", [VB_OP_NORM] = "norm",
    [VB_OP_EXCITE] = "excite",   [VB_OP_LINEAR] = "linear",     [VB_OP_ROTARY] = "rotary",     [VB_OP_ATTENTION] = "attention",
    [VB_OP_PICK] = "pick",       [VB_OP_MEAN] = "mean"};

typedef struct sides {
    vb_piece cpu;
    vb_gpu_piece gpu;
    float *found; /* of the device */
    size_t work_bytes, out_bytes, pixel_bytes, scratch_bytes;
} sides;

/* As the engine takes them: equal ones once, and of those that begin alike, in causal towers, only the rows behind. */
static int take_texts(sides *s, int64_t n, size_t floats, vb_error *err) {
    vb_text_order order = {0};
    vb_piece *piece = &s->cpu;
    int64_t *items = piece->queries + n + 1;
    piece->items = items;
    piece->places = piece->starts;
    if (vb_program_is_causal(piece->program)) {
        piece->places = items + n + 1;
        piece->rows = vb_array((size_t)(n * piece->program->text_rows), sizeof *piece->rows, "rows of texts", err);
        if (!piece->rows) return -1;
    }
    const int status = vb_text_order_make(&order, piece->texts, 0, n, err);
    if (!status) vb_text_piece_take(piece, &order, 0, n, floats, items);
    vb_text_order_free(&order);
    return status;
}

static int open_sides(sides *s, vb_gpu_device *device, const vb_gpu_tower *tower, const vb_engine_input *input, int64_t n,
                      vb_error *err) {
    const vb_program *program = tower->program;
    const size_t floats = vb_program_floats(program, n, n * program->text_rows),
                 results = (size_t)n * (size_t)program->values[program->result].columns;
    int64_t *starts = vb_array(5 * (size_t)(n + 1), sizeof *starts, "offsets", err);
    float *work = vb_array(floats, sizeof *work, "work space", err), *out = vb_array(results, sizeof *out, "results", err);
    s->cpu = (vb_piece){.program = program,
                        .pixels = input->pixels,
                        .grids = input->grids,
                        .texts = input->texts,
                        .starts = starts,
                        .work = work,
                        .out = out,
                        .threads = 1};
    s->found = vb_array(floats > results ? floats : results, sizeof *s->found, "what a device found", err);
    if (!starts || !work || !out || !s->found) return -1;
    s->cpu.keys = starts + n + 1;
    s->cpu.queries = s->cpu.keys + n + 1;
    if (program->picture) vb_piece_fill(&s->cpu, input->grids, 0, n, floats);
    else if (take_texts(s, n, floats, err)) return -1;
    s->gpu = (vb_gpu_piece){.device = device, .tower = tower, .host = s->cpu};
    s->gpu.host.work = s->gpu.host.out = NULL;
    s->work_bytes = floats * sizeof(float);
    s->out_bytes = results * sizeof(float);
    s->pixel_bytes = (size_t)n * program->picture * sizeof(float);
    /* little scratch, so that convolutions go in several pieces */
    s->gpu.scratch_floats = vb_gpu_operations_scratch(program, n, n * program->text_rows, 10000);
    s->scratch_bytes = s->gpu.scratch_floats * sizeof(float);
    int status = vb_gpu_work_buffer(device, s->work_bytes, &s->gpu.work, err);
    if (!status) status = vb_gpu_work_buffer(device, s->out_bytes, &s->gpu.out, err);
    if (!status) status = vb_gpu_work_buffer(device, s->scratch_bytes, &s->gpu.scratch, err);
    if (!status && s->pixel_bytes) status = vb_gpu_work_copy(device, input->pixels, s->pixel_bytes, &s->gpu.pixels, err);
    return status;
}

static void close_sides(sides *s, vb_gpu_device *device) {
    vb_gpu_work_release(device, &s->gpu.work, s->work_bytes);
    vb_gpu_work_release(device, &s->gpu.out, s->out_bytes);
    vb_gpu_work_release(device, &s->gpu.scratch, s->scratch_bytes);
    vb_gpu_work_release(device, &s->gpu.pixels, s->pixel_bytes);
    vb_free(s->cpu.starts);
    vb_free(s->cpu.rows);
    vb_free(s->cpu.work);
    vb_free(s->cpu.out);
    vb_free(s->found);
}

static int compare(const sides *s, int index, vb_gpu_check_difference *difference, vb_error *err) {
    const vb_operation *operation = &s->cpu.program->operations[index];
    const float *expected = vb_piece_at(&s->cpu, operation->out);
    const bool last = operation->out == s->cpu.program->result;
    const size_t at = last ? 0 : (size_t)(expected - s->cpu.work);
    const int64_t count = vb_piece_rows(&s->cpu, operation->out) * s->cpu.program->values[operation->out].columns;
    if (vb_gpu_work_read(s->gpu.device, last ? s->gpu.out : s->gpu.work, at * sizeof(float), s->found,
                         (size_t)count * sizeof(float), err))
        return -1;
    for (int64_t i = 0; i < count; i++) {
        const float a = s->found[i], b = expected[i];
        if (!memcmp(&a, &b, sizeof a) || (isnan(a) && isnan(b))) continue;
        if (!difference->differ++) *difference = (vb_gpu_check_difference){names[operation->kind], index, i, count, 1, a, b};
    }
    return 0;
}

int vb_gpu_check_program(vb_gpu_device *device, const vb_program *program, const vb_engine_input *input, int64_t n,
                         vb_gpu_check_difference *difference, vb_error *err) {
    *difference = (vb_gpu_check_difference){0};
    vb_gpu_tower tower;
    sides s = {0};
    int status = vb_gpu_tower_open(&tower, device, program, err);
    if (!status) status = open_sides(&s, device, &tower, input, n, err);
    for (int i = 0; i < program->count && !status && !difference->operation; i++) {
        status = vb_gpu_operations_queue(&s.gpu, i, err);
        if (!status) status = vb_cpu_operations[program->operations[i].kind](&s.cpu, &program->operations[i], err);
        if (!status) status = compare(&s, i, difference, err);
        if (status) vb_error_prefix(err, "operation %s", names[program->operations[i].kind]);
    }
    close_sides(&s, device);
    vb_gpu_tower_close(&tower, device);
    return status;
}

/* Elements of a product with a tile, over more than one tile each way, that are not the CPU's. */
static int check_tile(vb_gpu_device *device, const vb_gpu_tile *tile, vb_dtype type, vb_gpu_check_difference *found,
                      vb_error *err) {
    const int64_t rows = tile->rows + 5;
    const int columns = tile->columns + 3, depth = 2 * tile->depth + 4;
    const int64_t count = rows * columns;
    vb_gpu_trial trial;
    int status = vb_gpu_trial_open(&trial, device, rows, columns, depth, type, err);
    float *expected = status ? NULL : vb_buffer((size_t)count, sizeof *expected, "a product", err);
    if (!expected) status = -1;
    const vb_gemm_a a = {.data = trial.a, .ld = depth};
    const vb_matrix b = {.data = trial.b, .dtype = type, .rows = columns, .cols = depth, .row_stride = depth, .col_stride = 1};
    if (!status) status = vb_gemm(rows, &a, &b, expected, columns, NULL, 1, err);
    if (!status) status = vb_gpu_trial_run(&trial, tile, trial.result, err);
    for (int64_t i = 0; i < count && !status; i++)
        if (memcmp(&trial.result[i], &expected[i], sizeof *expected) && !found->differ++)
            *found = (vb_gpu_check_difference){names[VB_OP_LINEAR], 0, i, count, 1, trial.result[i], expected[i]};
    vb_gpu_trial_close(&trial);
    vb_free(expected);
    return status;
}

/* The tiles that the device has chosen, each once with fp32 weights and once with fp16. */
static int check_tiles(vb_gpu_device *device, vb_gpu_check_difference *found, vb_error *err) {
    const vb_gpu_choice *choice = &device->choice;
    int count, status = 0;
    const vb_gpu_tile *tiles = vb_gpu_tiles_table(&count);
    for (int half = 0; half < 2; half++)
        for (int shape = 0; shape < VB_GPU_SHAPES && !status && !found->operation; shape++) {
            bool seen = false;
            for (int before = 0; before < shape; before++) seen = seen || choice->tile[before][half] == choice->tile[shape][half];
            if (!seen) status = check_tile(device, &tiles[choice->tile[shape][half]], half ? VB_F16 : VB_F32, found, err);
        }
    if (status) vb_error_prefix(err, "operation %s", names[VB_OP_LINEAR]);
    return status;
}

static int tell_difference(const vb_gpu_device *device, const vb_gpu_check_difference *found, vb_error *err) {
    return vb_errorf(err, VB_EDEVICE,
                     "device %s: operation %s gives other bits than the CPU: %lld of %lld elements, the first %a instead of %a: "
                     "use device: cpu, or device_check: tolerate",
                     vb_gpu_device_facts(device)->name, found->operation, (long long)found->differ, (long long)found->elements,
                     (double)found->device, (double)found->processor);
}

int vb_gpu_check_device(vb_gpu_device *device, unsigned seed, bool *differs, vb_error *err) {
    vb_gpu_check_difference first = {0};
    int status = check_tiles(device, &first, err);
    if (!status && !first.operation) status = vb_gpu_check_rest_pixels(device, &first, err);
    for (int half = 0; half < 2 && !status && !first.operation; half++)
        status = vb_gpu_check_rest_search(device, half ? VB_F16 : VB_F32, &first, err);
    *differs = !status && first.operation;
    if (*differs) status = tell_difference(device, &first, err);
    for (int i = 0; i < VB_GPU_SCENES && !status; i++) {
        vb_gpu_scene scene;
        vb_gpu_check_difference found = {0};
        status = vb_gpu_scenes_make(&scene, i, seed, err);
        if (!status) status = vb_gpu_check_program(device, &scene.program, &scene.input, scene.count, &found, err);
        vb_gpu_scenes_free(&scene);
        *differs = !status && found.operation;
        if (*differs) status = tell_difference(device, &found, err);
    }
    return status;
}
