/* Every row that is tried on the device multiplies made operands for a moment. */
#include "kernels/gpu/gpu_choice.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_operations.h"
#include "kernels/gpu/gpu_texts.h"
#include "kernels/gpu/gpu_trial.h"

/* A row that fails, for lack of registers say, is not chosen; what it failed at is kept for when all do. */
static int leave_out(vb_error *err, vb_error *why) {
    if (err->code != VB_EMEMORY && err->code != VB_EDEVICE) return -1;
    if (!why->code) *why = *err;
    vb_error_clear(err);
    return 0;
}

static const struct {
    int64_t rows;
    int columns, depth;
} on_gpus[] = {[VB_GPU_LARGE] = {6400, 768, 768}, [VB_GPU_SHORT] = {256, 768, 768}, [VB_GPU_NARROW] = {12544, 64, 576}},
  on_processors[] = {[VB_GPU_LARGE] = {256, 128, 128}, [VB_GPU_SHORT] = {32, 128, 128}, [VB_GPU_NARROW] = {256, 64, 128}};

static int choose_tile(vb_gpu_device *device, int shape, vb_dtype type, int *chosen, vb_error *err) {
    enum { ROUNDS = 3 };
    const bool small = device->info.processor;
    const int64_t rows = small ? on_processors[shape].rows : on_gpus[shape].rows;
    const int columns = small ? on_processors[shape].columns : on_gpus[shape].columns,
              depth = small ? on_processors[shape].depth : on_gpus[shape].depth;
    int count;
    const vb_gpu_tile *tiles = vb_gpu_tiles_table(&count);
    vb_gpu_trial trial;
    vb_error why = {0};
    double least = 0;
    int status = vb_gpu_trial_open(&trial, device, rows, columns, depth, type, err);
    float *first = status ? NULL : vb_buffer(trial.c_size, 1, "a trial's results", err);
    if (!first) status = -1;
    *chosen = -1;
    for (int i = 0; i < count && !status; i++) {
        double seconds = 0;
        if (!vb_gpu_tiles_tried(device, i)) continue;
        const int failed = vb_gpu_trial_run(&trial, &tiles[i], *chosen < 0 ? first : trial.result, err) ||
                           vb_gpu_trial_time(&trial, &tiles[i], ROUNDS, small ? 0 : 2e-3, &seconds, err);
        if (failed) status = leave_out(err, &why);
        else if (*chosen >= 0 && memcmp(first, trial.result, trial.c_size)) continue;
        else if (*chosen < 0 || seconds < least) {
            least = seconds;
            *chosen = i;
        }
    }
    vb_gpu_trial_close(&trial);
    vb_free(first);
    if (!status && *chosen < 0) {
        *err = why;
        status = -1;
    }
    return status;
}

/* Attention over the same rows for all pictures, as towers have it. */
static int make_attention(vb_program *program, bool small, vb_error *err) {
    enum { WIDTH = 64 };
    const int rows = small ? 20 : 197, heads = small ? 2 : 12, columns = 3 * heads * WIDTH;
    float *values = vb_program_memory(program, (size_t)(rows * columns), sizeof *values, "a trial's rows", err);
    for (int i = 0; values && i < rows * columns; i++) values[i] = (float)(i % 61 - 30) / 32;
    const vb_constant constant = {values, rows, columns};
    const vb_heads over = {0, heads * WIDTH, 2 * heads * WIDTH, heads, WIDTH, false, false, 0.125f};
    vb_program_pixels(program, 1, err); /* every program has an input */
    const int x = vb_program_constant(program, &constant, err);
    const int y = vb_program_attention(program, (const int[]){x, x, x}, &over, err);
    return vb_program_finish(program, vb_program_mean(program, y, 0, err), err);
}

static int time_attention(const vb_gpu_piece *piece, double *least, vb_error *err) {
    enum { ROUNDS = 4 }; /* the first builds */
    for (int round = 0; round < ROUNDS; round++) {
        const double began = vb_gpu_trial_now();
        if (vb_gpu_operations_queue(piece, 1, err)) return -1;
        const cl_int code = piece->device->cl.Finish(piece->device->queue);
        if (code) return vb_opencl_failed(code, piece->device->info.name, "clFinish", err);
        const double seconds = vb_gpu_trial_now() - began;
        if (round == 1 || seconds < *least) *least = seconds;
    }
    return 0;
}

static int choose_among(vb_gpu_device *device, const vb_gpu_piece *piece, vb_error *err) {
    vb_error why = {0};
    int sizes;
    vb_gpu_tiles_attention(&sizes);
    int chosen = -1, status = vb_gpu_operations_queue(piece, 0, err);
    double least = 0;
    for (int i = 0; i < sizes && !status; i++) {
        double seconds = 0;
        if (!vb_gpu_tiles_attention_tried(device, i)) continue;
        device->choice.attention = i;
        if (time_attention(piece, &seconds, err)) status = leave_out(err, &why);
        else if (chosen < 0 || seconds < least) {
            least = seconds;
            chosen = i;
        }
    }
    device->choice.attention = chosen < 0 ? 0 : chosen;
    if (!status && chosen < 0) {
        *err = why;
        status = -1;
    }
    return status;
}

static int choose_attention(vb_gpu_device *device, vb_error *err) {
    enum { ITEMS = 16 };
    const int64_t items = device->info.processor ? 1 : ITEMS;
    int64_t starts[ITEMS + 1];
    vb_program program = {0};
    vb_gpu_tower tower = {0};
    int status = make_attention(&program, device->info.processor, err);
    if (!status) status = vb_gpu_tower_open(&tower, device, &program, err);
    vb_gpu_piece piece = {.device = device, .tower = &tower, .host = {.program = &program, .starts = starts}};
    const size_t floats = status ? 0 : vb_program_floats(&program, items, 0),
                 out = status ? 0 : (size_t)items * (size_t)program.values[program.result].columns;
    if (!status) {
        vb_piece_fill(&piece.host, NULL, 0, items, floats);
        status = vb_gpu_work_buffer(device, floats * sizeof(float), &piece.work, err);
    }
    if (!status) status = vb_gpu_work_buffer(device, out * sizeof(float), &piece.out, err);
    if (!status) status = choose_among(device, &piece, err);
    vb_gpu_work_release(device, &piece.work, floats * sizeof(float));
    vb_gpu_work_release(device, &piece.out, out * sizeof(float));
    if (tower.program) vb_gpu_tower_close(&tower, device);
    vb_program_close(&program);
    return status;
}

static int measure(vb_gpu_device *device, vb_error *err) {
    for (int shape = 0; shape < VB_GPU_SHAPES; shape++)
        for (int half = 0; half < 2; half++) {
            int *chosen = &device->choice.tile[shape][half];
            if (half && device->generic) *chosen = device->choice.tile[shape][0]; /* the same program serves both */
            else if (choose_tile(device, shape, half ? VB_F16 : VB_F32, chosen, err)) return -1;
        }
    device->measured++;
    return choose_attention(device, err);
}

/* ---- kept ---- */

char *vb_gpu_choice_key(const vb_gpu_device *device, vb_error *err) {
    const vb_gpu_device_info *info = &device->info;
    return vb_format(err, "vocabench device tiles 1\n%s\n%s\n%s\n%s\n%s%s%s", info->platform, info->name, info->version,
                     info->driver, vb_gpu_math_cl, vb_gpu_gemm_cl, vb_gpu_attention_cl);
}

int vb_gpu_choice_load(vb_gpu_device *device, bool *found, vb_error *err) {
    char *key = vb_gpu_choice_key(device, err), text[VB_GPU_TILES_TEXT] = "";
    uint8_t *bytes = NULL;
    size_t size = 0;
    int status = key ? 0 : -1;
    if (!status && device->store) status = device->store->load(device->store->context, key, &bytes, &size, err);
    if (bytes && size < sizeof text) memcpy(text, bytes, size); /* a NUL within is its end: then it is no whole choice */
    *found = !status && vb_gpu_tiles_read(device, text);
    vb_free(bytes);
    vb_free(key);
    return status;
}

int vb_gpu_choice_measure(vb_gpu_device *device, vb_error *err) {
    char *key = vb_gpu_choice_key(device, err), text[VB_GPU_TILES_TEXT];
    int status = key ? measure(device, err) : -1;
    if (status) {
        vb_gpu_tiles_default(device);
        vb_error_prefix(err, "the choice of tiles");
    } else if (device->store) {
        vb_gpu_tiles_write(device, text);
        device->store->save(device->store->context, key, text, strlen(text));
    }
    vb_free(key);
    return status;
}
