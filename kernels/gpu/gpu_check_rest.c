/* Small made inputs, and what the kernels promise of them. */
#include "kernels/gpu/gpu_check_rest.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_best.h"
#include "kernels/gpu/gpu_operations.h"
#include "kernels/gpu/gpu_trial.h"

static void note(vb_gpu_check_difference *difference, const char *what, int64_t element, int64_t elements, float device,
                 float processor) {
    if (!difference->differ++) *difference = (vb_gpu_check_difference){what, 0, element, elements, 1, device, processor};
}

int vb_gpu_check_rest_pixels(vb_gpu_device *device, vb_gpu_check_difference *difference, vb_error *err) {
    enum { PICTURES = 2, PLANE = 91, COUNT = PICTURES * 3 * PLANE, BYTES = 256 };
    const vb_program program = {.picture = 3 * PLANE};
    vb_gpu_piece piece = {.device = device, .host = {.program = &program, .count = PICTURES}};
    cl_mem from = NULL, values = NULL;
    uint8_t bytes[COUNT];
    float table[3 * BYTES], found[COUNT];
    for (int i = 0; i < COUNT; i++) bytes[i] = (uint8_t)(i * 89 + i / 7);
    for (int i = 0; i < 3 * BYTES; i++) table[i] = (float)(i - 300) / 7;
    int status = vb_gpu_work_copy(device, bytes, sizeof bytes, &from, err);
    if (!status) status = vb_gpu_work_copy(device, table, sizeof table, &values, err);
    if (!status) status = vb_gpu_work_buffer(device, sizeof found, &piece.pixels, err);
    if (!status) status = vb_gpu_operations_pixels(&piece, from, values, err);
    if (!status) status = vb_gpu_work_read(device, piece.pixels, 0, found, sizeof found, err);
    for (int i = 0; i < COUNT && !status; i++) {
        const int line = i / PLANE, channel = line % 3;
        const float expected = table[channel * BYTES + bytes[(line / 3 * PLANE + i % PLANE) * 3 + channel]];
        if (memcmp(&found[i], &expected, sizeof expected)) note(difference, "pixels", i, COUNT, found[i], expected);
    }
    vb_gpu_work_release(device, &from, sizeof bytes);
    vb_gpu_work_release(device, &values, sizeof table);
    vb_gpu_work_release(device, &piece.pixels, sizeof found);
    return status;
}

enum { QUERIES = 3, ROWS = 150, DIM = 24, WANTED = 9 };

typedef struct search_check {
    float products[QUERIES * ROWS], factors[ROWS], squares[ROWS];
} search_check;

static const float floors[QUERIES] = {-INFINITY, 0.25f, INFINITY}, slacks[QUERIES] = {0, 0.5f, 0};

/* The score that so many rows reach. */
static float reached_by(const float *scores, int wanted) {
    float best = -INFINITY;
    for (int i = 0; i < ROWS; i++) {
        int reach = 0;
        for (int k = 0; k < ROWS; k++) reach += scores[k] >= scores[i];
        if (reach >= wanted && scores[i] > best) best = scores[i];
    }
    return best;
}

/* No threshold above what it may be, and all rows from there on. */
static void compare_picked(const search_check *its, const vb_gpu_best_picked *picked, uint32_t room,
                           vb_gpu_check_difference *difference) {
    for (int q = 0; q < QUERIES; q++) {
        float scores[ROWS];
        for (int i = 0; i < ROWS; i++) scores[i] = its->products[q * ROWS + i] * its->factors[i];
        const float threshold = picked->thresholds[q], most = fmaxf(floors[q], reached_by(scores, WANTED) - slacks[q]);
        if (!(threshold <= most)) note(difference, "search", q, QUERIES, threshold, most);
        const uint32_t *places = picked->places + (uint32_t)q * room;
        uint32_t missing = 0, reach = 0;
        for (uint32_t i = 0; i < ROWS; i++) {
            bool listed = picked->found[q] > room; /* of so many some are, and none is relied on */
            for (uint32_t k = 0; k < picked->found[q] && !listed; k++) listed = places[k] == i;
            reach += scores[i] >= threshold;
            missing += scores[i] >= threshold && !listed;
        }
        if (missing || reach != picked->found[q])
            note(difference, "search", q, QUERIES, (float)picked->found[q] - (float)missing, (float)reach);
    }
}

static void compare_squares(const search_check *its, const vb_matrix *rows, vb_gpu_check_difference *difference) {
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int k = 0; k < DIM; k++) sum += (double)vb_matrix_at(rows, i, k) * (double)vb_matrix_at(rows, i, k);
        if (!(fabs((double)its->squares[i] - sum) <= sum * DIM * 0x1p-24))
            note(difference, "search", i, ROWS, its->squares[i], (float)sum);
    }
}

int vb_gpu_check_rest_search(vb_gpu_device *device, vb_dtype type, vb_gpu_check_difference *difference, vb_error *err) {
    vb_gpu_trial trial;
    vb_gpu_best *best = NULL;
    vb_gpu_best_picked picked = {0};
    const vb_gpu_best_shape shape = {.queries = QUERIES, .dim = DIM, .wanted = WANTED, .rows = ROWS};
    search_check its;
    for (int i = 0; i < ROWS; i++) its.factors[i] = i % 11 ? 1 + 0.25f * (float)(i % 3) : NAN;
    int status = vb_gpu_trial_open(&trial, device, QUERIES, ROWS, DIM, type, err);
    const vb_gemm_a a = {.data = trial.a, .ld = DIM};
    const vb_matrix rows = {.data = trial.b, .dtype = type, .rows = ROWS, .cols = DIM, .row_stride = DIM, .col_stride = 1};
    if (!status) status = vb_gemm(QUERIES, &a, &rows, its.products, ROWS, NULL, 1, err);
    if (!status) status = vb_gpu_best_open(&best, device, &shape, trial.a, DIM, err);
    if (!status) status = vb_gpu_best_upload(best, 0, trial.b, type, ROWS, err);
    if (!status) status = vb_gpu_best_multiply(best, 0, type, ROWS, err);
    if (!status) status = vb_gpu_best_squares(best, its.squares, err);
    if (!status) status = vb_gpu_best_pick(best, its.factors, floors, slacks, &picked, err);
    if (!status) compare_picked(&its, &picked, (uint32_t)vb_gpu_best_shaped(best)->room, difference);
    if (!status) compare_squares(&its, &rows, difference);
    vb_gpu_best_close(best);
    vb_gpu_trial_close(&trial);
    return status ? vb_error_prefix(err, "search") : 0;
}
