/* Tests of tiles: every row of the table against the CPU bit for bit, the choice and how it is kept. */
#include <limits.h>

#include "kernels/base/fault.h"
#include "kernels/gpu/gpu_check.h"
#include "kernels/gpu/gpu_choice.h"
#include "kernels/gpu/gpu_scenes.h"
#include "kernels/gpu/gpu_trial.h"
#include "tests/unit/gpu_test.h"

/* A product of parts of tiles in both directions and in depth, by every row that has room here. */
static void check_rows(vb_gpu_device *device, int first, int last, int depth, vb_dtype type) {
    vb_error err = {0};
    int count;
    const vb_gpu_tile *tiles = vb_gpu_tiles_table(&count);
    assert_true(count >= 5);
    for (int i = first; i < count && i <= last; i++) {
        const int rows = tiles[i].rows + 9, columns = tiles[i].columns + 5;
        vb_gpu_trial trial;
        if (!vb_gpu_tiles_fit(device, &tiles[i])) continue;
        assert_ok(vb_gpu_trial_open(&trial, device, rows, columns, depth, type, &err));
        float *expected = vb_array((size_t)(rows * columns), sizeof *expected, "c", &err);
        assert_non_null(expected);
        const vb_gemm_a a = {.data = trial.a, .ld = depth};
        const vb_matrix b = {trial.b, type, columns, depth, depth, 1};
        assert_ok(vb_gemm(rows, &a, &b, expected, columns, NULL, 1, &err));
        if (vb_gpu_trial_run(&trial, &tiles[i], trial.result, &err)) fail_msg("tile %d: %s", i, err.text);
        for (int e = 0; e < rows * columns; e++)
            if (memcmp(&trial.result[e], &expected[e], sizeof *expected))
                fail_msg("tile %d, %s, depth %d: element %d is %a instead of %a", i, vb_dtype_name(type), depth, e,
                         trial.result[e], expected[e]);
        vb_gpu_trial_close(&trial);
        vb_free(expected);
    }
    assert_true(device->in_use == 64);
}

static void every_tile_has_the_processors_bits(void **state) {
    (void)state;
    vb_gpu_device *device = gpu_test_open();
    check_rows(device, 0, INT_MAX, 37, VB_F32);
    check_rows(device, 0, INT_MAX, 48, VB_F16);
    check_rows(device, 0, INT_MAX, 3, VB_BF16);
    device->generic = false; /* a program that GPUs get: seconds for a compiler, so one stands for all */
    check_rows(device, 1, 1, 36, VB_F16);
    vb_gpu_device_close(device);
}

static void every_size_of_attention_has_the_processors_bits(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_device *device = gpu_test_open();
    int count;
    vb_gpu_tiles_attention(&count);
    for (int size = 0; size < count; size++)
        for (int i = 0; i < VB_GPU_SCENES; i++) {
            vb_gpu_scene scene;
            vb_gpu_check_difference found;
            device->choice.attention = size;
            assert_ok(vb_gpu_scenes_make(&scene, i, 11, &err));
            assert_ok(vb_gpu_check_program(device, &scene.program, &scene.input, scene.count, &found, &err));
            if (found.operation) fail_msg("size %d, scene %d: %s differs", size, i, found.operation);
            vb_gpu_scenes_free(&scene);
        }
    vb_gpu_device_close(device);
}

/* A store whose tiles lie in a folder of the test's; programs are everybody's. */
static char folder[600];
static int load(void *unused, const char *key, uint8_t **bytes, size_t *size, vb_error *err) {
    (void)unused;
    const vb_gpu_store *shared = gpu_test_store();
    if (!strncmp(key, "vocabench device tiles", 22)) return vb_blob_store_load(folder, key, bytes, size, err);
    return shared->load(shared->context, key, bytes, size, err);
}
static void save(void *unused, const char *key, const void *bytes, size_t size) {
    (void)unused;
    const vb_gpu_store *shared = gpu_test_store();
    vb_error err = {0};
    if (!strncmp(key, "vocabench device tiles", 22)) vb_blob_store_save(folder, key, bytes, size, &err);
    else shared->save(shared->context, key, bytes, size);
}
static const vb_gpu_store own = {NULL, load, save};

static void the_choice_is_measured_once_and_kept(void **state) {
    (void)state;
    vb_error err = {0};
    bool found = true;
    static const char *const damages[] = {"true", "head -c 60 $f >x && mv x $f", "printf x | dd of=$f bs=1 seek=50 conv=notrunc",
                                          /* whole files of other content */
                                          "printf 'large 1x1x1/1x1 1x1x1/1x1\\n' >y && (xxhsum -H2 y | cut -c1-32; cat y) >$f",
                                          "tail -n +2 $f >y && echo more >>y && (xxhsum -H2 y | cut -c1-32; cat y) >$f", "rm $f"};
    snprintf(folder, sizeof folder, "%s/tiles", scratch);
    vb_gpu_device_close(gpu_test_open()); /* or skips */
    char first[VB_GPU_TILES_TEXT] = "";
    for (size_t round = 0; round <= sizeof damages / sizeof *damages; round++) {
        if (round) {
            const char *damage = damages[round - 1];
            if (strstr(damage, "xxhsum") && !have("xxhsum")) continue;
            assert_int_equal(run_command("cd '%s' && for f in *.blob; do %s; done >/dev/null 2>&1", folder, damage), 0);
        }
        vb_gpu_device *device;
        assert_ok(vb_gpu_device_open(&device, 0, &own, &err));
        assert_ok(vb_gpu_choice_load(device, &found, &err));
        assert_int_equal(found, round == 1);
        if (!found) assert_ok(vb_gpu_choice_measure(device, &err));
        assert_int_equal(device->measured, !found);
        char text[VB_GPU_TILES_TEXT], again[VB_GPU_TILES_TEXT];
        vb_gpu_tiles_write(device, text);
        if (!round) strcpy(first, text);
        if (found) assert_string_equal(text, first);
        vb_gpu_tiles_default(device);
        assert_true(vb_gpu_tiles_read(device, text));
        vb_gpu_tiles_write(device, again);
        assert_string_equal(text, again);
        assert_true(device->in_use == 64);
        vb_gpu_device_close(device);
    }
    /* another driver's is not taken */
    vb_gpu_device *device;
    assert_ok(vb_gpu_device_open(&device, 0, &own, &err));
    assert_ok(vb_gpu_choice_load(device, &found, &err));
    assert_true(found);
    device->info.driver[0] ^= 1;
    assert_ok(vb_gpu_choice_load(device, &found, &err));
    assert_false(found);
    vb_gpu_device_close(device);
}

static void what_does_not_fit_is_not_read(void **state) {
    (void)state;
    vb_gpu_device *device = gpu_test_open();
    char before[VB_GPU_TILES_TEXT], text[VB_GPU_TILES_TEXT], changed[VB_GPU_TILES_TEXT + 64];
    vb_gpu_tiles_write(device, before);
    static const char *const bad[] = {"", "large", "large 64x64x16/4x4 64x64x16/4x4\n", "attention 64\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(vb_gpu_tiles_read(device, bad[i]));
    snprintf(changed, sizeof changed, "%s\n", before);
    assert_false(vb_gpu_tiles_read(device, changed));
    snprintf(changed, sizeof changed, "%s", before);
    strcpy(strstr(changed, "attention"), "attention 65\n");
    assert_false(vb_gpu_tiles_read(device, changed));
    assert_true(vb_gpu_tiles_read(device, before));
    device->info.local_memory = 1000; /* a choice of a larger device */
    assert_false(vb_gpu_tiles_read(device, before));
    vb_gpu_tiles_write(device, text);
    assert_string_equal(text, before);
    vb_gpu_device_close(device);
}

static void rows_that_fail_are_left_out(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_device *device = gpu_test_open();
    device->store = NULL;
    char text[VB_GPU_TILES_TEXT], defaults[VB_GPU_TILES_TEXT];
    vb_gpu_tiles_write(device, defaults);
    vb_fault_setup("device-launch:1:ENOMEM", 0); /* the first row's first: another is chosen for large products */
    assert_ok(vb_gpu_choice_measure(device, &err));
    vb_gpu_tiles_write(device, text);
    assert_true(strcspn(text, "\n") != strcspn(defaults, "\n") || memcmp(text, defaults, strcspn(text, "\n")) != 0);
    vb_fault_setup("device-launch:1+:ENOMEM", 0);
    assert_fails(vb_gpu_choice_measure(device, &err), VB_EMEMORY, "the choice of tiles: kernel gemm: ");
    vb_fault_setup("device-alloc:2:ENOMEM", 0);
    assert_fails(vb_gpu_choice_measure(device, &err), VB_EMEMORY, "the choice of tiles: ");
    vb_fault_setup(NULL, 0);
    vb_gpu_tiles_write(device, text);
    assert_string_equal(text, defaults);
    assert_true(device->in_use == 64);
    vb_gpu_device_close(device);
}

static vb_gpu_device *measured_device;
static int measured_before;
static bool finish_fails_always;
static vb_opencl real;
static cl_int CL_API_CALL failing_finish(cl_command_queue queue) {
    const cl_int code = real.Finish(queue);
    return finish_fails_always || measured_device->measured > measured_before ? CL_INVALID_COMMAND_QUEUE : code;
}

/* The computing of every row fails, or that of attention alone, which is tried when tiles are chosen. */
static void computing_that_fails_is_told(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_device *device = measured_device = gpu_test_open();
    device->store = NULL;
    real = device->cl;
    device->cl.Finish = failing_finish;
    for (int always = 1; always >= 0; always--) {
        finish_fails_always = always;
        measured_before = device->measured;
        assert_fails(vb_gpu_choice_measure(device, &err), VB_EDEVICE, "the choice of tiles: device ");
        assert_non_null(strstr(err.text, ": clFinish: CL_INVALID_COMMAND_QUEUE (-36)"));
        assert_int_equal(device->measured - measured_before, !always);
        assert_true(device->in_use == 64);
    }
    device->cl = real;
    vb_gpu_device_close(device);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_tile_has_the_processors_bits),
                                       cmocka_unit_test(every_size_of_attention_has_the_processors_bits),
                                       cmocka_unit_test(the_choice_is_measured_once_and_kept),
                                       cmocka_unit_test(what_does_not_fit_is_not_read),
                                       cmocka_unit_test(rows_that_fail_are_left_out),
                                       cmocka_unit_test(computing_that_fails_is_told)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
