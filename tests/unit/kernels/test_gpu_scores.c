/* Tests of products on a device: the bits of vb_gemm, in whole and in pieces, with little memory; judging by them. */
#include <math.h>

#include "kernels/base/fault.h"
#include "kernels/gpu/gpu_best.h"
#include "kernels/gpu/gpu_scores.h"
#include "kernels/gpu/gpu_work.h"
#include "kernels/matrix/gemm.h"
#include "kernels/openness/similarity.h"
#include "tests/unit/gpu_test.h"
#include "tests/unit/random.h"

enum { TEXTS = 77, ROWS = 150, DIM = 45 };
static vb_gpu_device *device;
static float texts[TEXTS * DIM], images[ROWS * DIM], scale[TEXTS], expected[ROWS * TEXTS], found[ROWS * TEXTS];

static void make(bool scaled) {
    vb_error err = {0};
    uint32_t seed = 4;
    if (!device) device = gpu_test_open();
    for (int i = 0; i < TEXTS * DIM; i++) texts[i] = random_short_float(&seed);
    for (int i = 0; i < ROWS * DIM; i++) images[i] = random_short_float(&seed);
    for (int i = 0; i < TEXTS; i++) scale[i] = random_short_float(&seed);
    const vb_matrix matrix = {texts, VB_F32, TEXTS, DIM, DIM, 1};
    const vb_gemm_a a = {.data = images, .ld = DIM};
    const vb_epilogue epilogue = {.scale = scaled ? scale : NULL};
    assert_ok(vb_gemm(ROWS, &a, &matrix, expected, TEXTS, &epilogue, 1, &err));
    memset(found, 0, sizeof found);
}

static void products_have_the_processors_bits(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_scores *scores;
    for (int scaled = 0; scaled < 2; scaled++) {
        make(scaled);
        const vb_gpu_device_info info = device->info;
        for (int little = 0; little < 2; little++) {
            if (little) device->info.memory = 2 * 4 * 20 * TEXTS * sizeof(float); /* 20 rows a piece */
            assert_ok(vb_gpu_scores_open(&scores, device, texts, scaled ? scale : NULL, TEXTS, DIM, 2, &err));
            assert_ok(vb_gpu_scores_multiply(scores, images, ROWS, found, &err));
            assert_memory_equal(found, expected, sizeof found);
            vb_gpu_scores_close(scores);
        }
        device->info = info;
    }
    assert_true(device->in_use == 64);
}

static void less_memory_means_smaller_pieces(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_scores *scores;
    make(true);
    assert_ok(vb_gpu_scores_open(&scores, device, texts, scale, TEXTS, DIM, 1, &err));
    vb_fault_setup("device-alloc:2:ENOMEM", 0);
    assert_ok(vb_gpu_scores_multiply(scores, images, ROWS, found, &err));
    assert_memory_equal(found, expected, sizeof found);
    vb_fault_setup("device-alloc:2+:ENOMEM", 0);
    assert_fails(vb_gpu_scores_multiply(scores, images, ROWS, found, &err), VB_EMEMORY, "clCreateBuffer");
    vb_fault_setup(NULL, 0);
    vb_gpu_scores_close(scores);
    for (int n = 1; n <= 2; n++) {
        vb_fault_setup(n == 1 ? "device-alloc:1:ENOMEM" : "device-alloc:2:ENOMEM", 0);
        assert_fails(vb_gpu_scores_open(&scores, device, texts, scale, TEXTS, DIM, 1, &err), VB_EMEMORY, "clCreateBuffer");
        vb_gpu_scores_close(scores);
    }
    vb_fault_setup(NULL, 0);
    assert_true(device->in_use == 64);
}

/* What the choice between device and processor rests on: both have multiplied; a device that fails is never the faster one. */
static void both_are_measured(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_scores *scores;
    double here = -1, there = -1;
    make(false);
    assert_ok(vb_gpu_scores_open(&scores, device, texts, NULL, TEXTS, DIM, 1, &err));
    assert_ok(vb_gpu_scores_measure(scores, texts, 1, &here, &there, &err));
    assert_true(here > 0 && there > 0 && here < 1 && there < INFINITY);
    vb_fault_setup("device-launch:2+:EIO", 0); /* of the second time, which counts */
    assert_ok(vb_gpu_scores_measure(scores, texts, 1, &here, &there, &err));
    assert_true(here > 0 && isinf(there));
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_gpu_scores_measure(scores, texts, 1, &here, &there, &err), VB_EMEMORY, "measurement");
    vb_fault_setup(NULL, 0);
    vb_gpu_scores_close(scores);
    assert_true(device->in_use == 64);
}

static int calls;
static int by_device(void *state, const float *x, int64_t rows, float *out) {
    vb_error err = {0};
    calls++;
    return state ? vb_gpu_scores_multiply(state, x, rows, out, &err) : -1;
}

/* Images of both kinds of similarity: the same verdicts with the device's products, and with a device that has none. */
static void judging_asks_for_them(void **state) {
    (void)state;
    vb_error err = {0};
    make(false);
    static int labels[ROWS], members[TEXTS], offsets[] = {0, 30, TEXTS};
    for (int i = 0; i < ROWS; i++) labels[i] = i % TEXTS;
    for (int c = 0; c < TEXTS; c++) members[c] = c;
    const vb_label_space space = {.classes = TEXTS, .vocabularies = 2, .offsets = offsets, .members = members};
    const vb_image_block block = {.rows = ROWS, .images = images, .labels = labels};
    static vb_verdict verdicts[3][ROWS];
    static uint8_t beaten[3][ROWS * 2];
    for (int s = 0; s < 2; s++) {
        vb_text_bank *bank;
        vb_gpu_scores *scores;
        assert_ok(vb_similarity_bank_new(&bank, texts, TEXTS, DIM, s ? VB_COSINE : VB_DOT, &err));
        assert_true((vb_similarity_bank_scale(bank) != NULL) == (s == 1));
        assert_ok(vb_gpu_scores_open(&scores, device, texts, vb_similarity_bank_scale(bank), TEXTS, DIM, 1, &err));
        const vb_similarity_products given[] = {{scores, by_device}, {NULL, by_device}};
        for (int who = 0; who < 3; who++) {
            calls = 0;
            if (who) vb_similarity_bank_use(bank, &given[who - 1]);
            assert_ok(vb_similarity_judge(bank, &space, &block, beaten[who], verdicts[who], 1, &err));
            assert_true((calls > 0) == (who > 0));
            assert_memory_equal(beaten[who], beaten[0], sizeof *beaten);
            assert_memory_equal(verdicts[who], verdicts[0], sizeof *verdicts);
        }
        vb_gpu_scores_close(scores);
        vb_similarity_bank_free(bank);
    }
}

static int larger_first(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* Against sorted scores: thresholds just below those that so many rows reach, and all rows from there on. Rows without a factor,
 * and rows that are no numbers, are none of them. */
static void the_best_rows_are_picked(void **state) {
    (void)state;
    enum { QUERIES = 5, WANTED = 9 };
    vb_error err = {0};
    static float factors[ROWS];
    const float floors[QUERIES] = {-INFINITY, -INFINITY, -1000, 20, INFINITY}, slacks[QUERIES] = {0, 0.25f, 8, 0, 0};
    vb_gpu_best *best;
    vb_gpu_best_picked picked;
    make(false);
    memcpy(images + 4 * DIM, images + 3 * DIM, DIM * sizeof *images); /* ties */
    images[7 * DIM + 5] = NAN;
    const vb_matrix matrix = {texts, VB_F32, TEXTS, DIM, DIM, 1};
    assert_ok(vb_gemm(ROWS, &(vb_gemm_a){.data = images, .ld = DIM}, &matrix, expected, TEXTS, NULL, 1, &err));
    for (int i = 0; i < ROWS; i++) factors[i] = i % 11 ? 1 + 0.25f * (float)(i % 3) : NAN;
    const vb_gpu_best_shape shape = {.queries = QUERIES, .dim = DIM, .wanted = WANTED, .rows = ROWS};
    assert_ok(vb_gpu_best_open(&best, device, &shape, texts, DIM, &err));
    assert_ok(vb_gpu_best_upload(best, 0, images, VB_F32, ROWS, &err));
    assert_int_equal(device->cl.Finish(device->transfers), 0);
    assert_ok(vb_gpu_best_multiply(best, 0, VB_F32, ROWS, &err));
    assert_ok(vb_gpu_best_pick(best, factors, floors, slacks, &picked, &err));
    for (int q = 0; q < QUERIES; q++) {
        float score[ROWS], sorted[ROWS];
        uint32_t count = 0, reached = 0;
        for (int i = 0; i < ROWS; i++)
            if (!isnan(score[i] = expected[i * TEXTS + q] * factors[i])) sorted[count++] = score[i];
        assert_int_equal(count, ROWS - ROWS / 11 - 2);
        qsort(sorted, count, sizeof *sorted, larger_first);
        const float threshold = picked.thresholds[q], below = sorted[WANTED - 1] - slacks[q];
        if (below <= floors[q] || sorted[WANTED] < floors[q]) assert_true(threshold == floors[q]);
        else assert_true(threshold <= below && threshold >= below - 1e-5f * fabsf(below));
        for (int i = 0; i < ROWS; i++) reached += score[i] >= threshold;
        assert_int_equal(picked.found[q], reached);
        const uint32_t *places = picked.places + q * vb_gpu_best_shaped(best)->room;
        for (uint32_t k = 0; k < reached; k++) {
            assert_true(places[k] < ROWS && score[places[k]] >= threshold);
            for (uint32_t j = 0; j < k; j++) assert_int_not_equal(places[j], places[k]);
        }
    }
    assert_true(picked.found[0] == WANTED && picked.found[2] > WANTED && !picked.found[4]);
    vb_gpu_best_close(best);
    assert_true(device->in_use == 64);
}

static int close_device(void **state) {
    vb_gpu_device_close(device);
    return remove_scratch(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_have_the_processors_bits),
                                       cmocka_unit_test(less_memory_means_smaller_pieces), cmocka_unit_test(both_are_measured),
                                       cmocka_unit_test(judging_asks_for_them), cmocka_unit_test(the_best_rows_are_picked)};
    return cmocka_run_group_tests(tests, make_scratch, close_device);
}
