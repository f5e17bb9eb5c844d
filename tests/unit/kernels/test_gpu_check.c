/* Tests of the check of a device: every kind of operation and the programs that GPUs get, bit for bit; devices that differ in one
 * place. */
#include "kernels/base/fault.h"
#include "kernels/gpu/gpu_check.h"
#include "kernels/gpu/gpu_product.h"
#include "kernels/gpu/gpu_scenes.h"
#include "kernels/gpu/gpu_texts.h"
#include "kernels/gpu/gpu_work.h"
#include "tests/unit/gpu_test.h"
#include "tests/unit/random.h"

static vb_gpu_device *device;
static vb_opencl real;

static void need_device(void) {
    if (!device) device = gpu_test_open();
}

static void every_operation_has_the_processors_bits(void **state) {
    (void)state;
    vb_error err = {0};
    need_device();
    bool seen[VB_OP_KINDS] = {0}, active[VB_SIGMOID + 1] = {0}, differs = true;
    for (unsigned seed = 1; seed <= 2; seed++)
        for (int i = 0; i < VB_GPU_SCENES; i++) {
            vb_gpu_scene scene;
            vb_gpu_check_difference found;
            assert_ok(vb_gpu_scenes_make(&scene, i, seed, &err));
            assert_ok(vb_gpu_check_program(device, &scene.program, &scene.input, scene.count, &found, &err));
            if (found.operation)
                fail_msg("scene %d: operation %d, %s: %lld of %lld differ, element %lld is %a instead of %a", i, found.index,
                         found.operation, (long long)found.differ, (long long)found.elements, (long long)found.element,
                         (double)found.device, (double)found.processor);
            for (int k = 0; k < scene.program.count; k++) {
                seen[scene.program.operations[k].kind] = true;
                active[scene.program.operations[k].activation] = true;
            }
            vb_gpu_scenes_free(&scene);
        }
    for (int i = 0; i < VB_OP_KINDS; i++) assert_true(seen[i]);
    for (int i = 0; i <= (int)VB_SIGMOID; i++) assert_true(active[i] || i == VB_RELU); /* that one is of convolutions */
    assert_ok(vb_gpu_check_device(device, 7, &differs, &err));
    assert_false(differs);
    assert_true(device->in_use == 64); /* all else was given back */
}

/* One product in its own program, as GPUs get them: the large tile, and the small one with what is not aligned. */
static void check_product(int rows, int columns, int depth, vb_dtype type, vb_activation activation, bool last) {
    vb_error err = {0};
    uint32_t seed = 9;
    float *a = vb_array((size_t)(rows * depth), sizeof *a, "a", &err),
          *side = vb_array((size_t)(rows * columns), sizeof *a, "r", &err),
          *expected = vb_array((size_t)(rows * columns), sizeof *a, "c", &err),
          *bias = vb_array((size_t)columns, sizeof *a, "b", &err),
          *found = vb_array((size_t)(rows * columns), sizeof *a, "c", &err);
    uint16_t *b = vb_array((size_t)(columns * depth), sizeof *b, "b", &err);
    assert_true(a && side && expected && bias && found && b);
    for (int i = 0; i < rows * depth; i++) a[i] = random_short_float(&seed);
    for (int i = 0; i < rows * columns; i++) side[i] = random_short_float(&seed);
    for (int i = 0; i < columns; i++) bias[i] = random_short_float(&seed);
    for (int i = 0; i < columns * depth; i++)
        b[i] = (uint16_t)((random_next24(&seed) & 0x83ff) | (type == VB_F16 ? 0x3000 : 0x3d80));
    const vb_matrix matrix = {b, type, columns, depth, depth, 1};
    const vb_gemm_a left = {.data = a, .ld = depth};
    const vb_epilogue epilogue = {.bias = bias,
                                  .activation = last ? VB_LINEAR : activation,
                                  .residual = side,
                                  .ld_residual = columns,
                                  .last = last ? activation : VB_LINEAR};
    assert_ok(vb_gemm(rows, &left, &matrix, expected, columns, &epilogue, 1, &err));
    vb_gpu_product product = {.rows = (cl_ulong)rows,
                              .columns = columns,
                              .depth = depth,
                              .type = type,
                              .epilogue = {.activation = activation, .last = last, .ld_residual = (cl_ulong)columns}};
    const size_t size = (size_t)(rows * columns) * sizeof *a;
    assert_ok(vb_gpu_work_copy(device, a, (size_t)(rows * depth) * sizeof *a, &product.a.buffer, &err));
    assert_ok(vb_gpu_work_copy(device, b, (size_t)(columns * depth) * sizeof *b, &product.b, &err));
    assert_ok(vb_gpu_work_copy(device, bias, (size_t)columns * sizeof *a, &product.epilogue.bias, &err));
    assert_ok(vb_gpu_work_copy(device, side, size, &product.c.buffer, &err)); /* the residual is replaced */
    product.epilogue.residual = product.c;
    assert_ok(vb_gpu_product_queue(device, &product, &err));
    assert_ok(vb_gpu_work_read(device, product.c.buffer, 0, found, size, &err));
    for (int i = 0; i < rows * columns; i++)
        if (memcmp(&found[i], &expected[i], sizeof *found)) fail_msg("element %d: %a, expected %a", i, found[i], expected[i]);
    vb_gpu_work_release(device, &product.a.buffer, (size_t)(rows * depth) * sizeof *a);
    vb_gpu_work_release(device, &product.b, (size_t)(columns * depth) * sizeof *b);
    vb_gpu_work_release(device, &product.epilogue.bias, (size_t)columns * sizeof *a);
    vb_gpu_work_release(device, &product.c.buffer, size);
    vb_free(a), vb_free(side), vb_free(expected), vb_free(bias), vb_free(found), vb_free(b);
}

static void special_programs_have_the_processors_bits(void **state) {
    (void)state;
    need_device();
    const bool generic = device->generic;
    device->generic = false;
    check_product(150, 131, 44, VB_F16, VB_GELU, false);
    check_product(70, 33, 19, VB_BF16, VB_RELU, true);
    device->generic = generic;
}

/* Attention has its queries in local memory, read by fours. A driver gives an argument of local memory the alignment of what it
 * points to: behind another one of odd size floats lie where no four of them may. */
static int local_arguments, most_local_arguments;
static cl_int CL_API_CALL counted_argument(cl_kernel kernel, cl_uint index, size_t size, const void *value) {
    if (!index) local_arguments = 0;
    local_arguments += !value;
    if (local_arguments > most_local_arguments) most_local_arguments = local_arguments;
    return real.SetKernelArg(kernel, index, size, value);
}

static void local_memory_is_one_argument(void **state) {
    (void)state;
    need_device();
    vb_error err = {0};
    assert_non_null(strstr(vb_gpu_attention_cl, "int stride, __local float4 *room)"));
    for (int i = 0; i < VB_GPU_SCENES; i++) {
        vb_gpu_scene scene;
        vb_gpu_check_difference found;
        assert_ok(vb_gpu_scenes_make(&scene, i, 5, &err));
        real = device->cl;
        device->cl.SetKernelArg = counted_argument;
        most_local_arguments = 0;
        assert_ok(vb_gpu_check_program(device, &scene.program, &scene.input, scene.count, &found, &err));
        device->cl = real;
        assert_int_equal(most_local_arguments, 1);
        vb_gpu_scenes_free(&scene);
    }
}

/* Devices that compute something else in one place: a text's is changed on its way to the compiler. */
static const struct change {
    const char *text, *key; /* of the programs that are made of it, as the store has them */
    const char *from, *to, *says;
} changes[] = {{vb_gpu_attention_cl, "-DPATHS", "paths[first_key + (j)]", "paths[first_key      ]", "operation attention"},
               {vb_gpu_rows_cl, "pixels_of_bytes", "channel * 256", "channel * 255", "operation pixels"},
               {vb_gpu_best_cl, "pick_best", "places[slot] = i", "places[slot] = 7", "operation search"},
               {vb_gpu_best_cl, "pick_best", "of_key(prefix) - slacks", "of_key(prefix) + slacks", "operation search"},
               {vb_gpu_best_cl, "pick_best", "fma(x, x, sum)", "fma(x, x, 1.f)", "operation search"}};
static const struct change *change;
static char *changed;
static int load_unchanged(void *unused, const char *key, uint8_t **bytes, size_t *size, vb_error *err) {
    (void)unused;
    const vb_gpu_store *shared = gpu_test_store();
    return strstr(key, change->key) ? (*bytes = NULL, 0) : shared->load(shared->context, key, bytes, size, err);
}
static void save_nothing(void *unused, const char *key, const void *bytes, size_t size) {
    (void)unused, (void)key, (void)bytes, (void)size;
}
static cl_program CL_API_CALL build_changed(cl_context context, cl_uint count, const char **texts, const size_t *sizes,
                                            cl_int *code) {
    const char *given[] = {texts[0], texts[1] == change->text ? changed : texts[1]};
    assert_true(count == 2 && !sizes);
    return real.CreateProgramWithSource(context, count, given, NULL, code);
}

static void every_kernel_that_is_used_is_checked(void **state) {
    (void)state;
    need_device();
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        vb_error err = {0};
        bool differs = false;
        vb_gpu_device *other;
        const vb_gpu_store store = {NULL, load_unchanged, save_nothing};
        change = &changes[i];
        changed = vb_strdup(change->text, &err);
        char *at = changed ? strstr(changed, change->from) : NULL;
        assert_non_null(at);
        memcpy(at, change->to, strlen(change->from));
        assert_ok(vb_gpu_device_open(&other, 0, &store, &err));
        real = other->cl;
        other->cl.CreateProgramWithSource = build_changed;
        assert_fails(vb_gpu_check_device(other, 1, &differs, &err), VB_EDEVICE, change->says);
        assert_true(differs && strstr(err.text, " gives other bits than the CPU"));
        vb_gpu_device_close(other);
        vb_free(changed);
    }
}

/* A device whose LayerNorm is wrong by one bit: the program of another text stands in the store under the
 * key of the right one. */
static char wrong_folder[600];
static int load_wrong(void *folder, const char *key, uint8_t **bytes, size_t *size, vb_error *err) {
    return strstr(key, "__kernel") && strstr(key, "void norm") ? vb_blob_store_load(folder, "wrong", bytes, size, err) :
                                                                 (*bytes = NULL, 0);
}
static void save_wrong(void *folder, const char *key, const void *bytes, size_t size) {
    vb_error err = {0};
    if (strstr(key, "void norm")) vb_blob_store_save(folder, "wrong", bytes, size, &err);
}

static void a_device_that_differs_is_named(void **state) {
    (void)state;
    need_device();
    vb_error err = {0};
    bool differs = false;
    snprintf(wrong_folder, sizeof wrong_folder, "%s/wrong", scratch);
    const vb_gpu_store store = {wrong_folder, load_wrong, save_wrong};
    char *wrong = vb_strdup(vb_gpu_rows_cl, &err), *at = wrong ? strstr(wrong, "+ (double)epsilon") : NULL;
    assert_non_null(at);
    *at = '-';
    vb_gpu_device *other;
    vb_gpu_module *module;
    assert_ok(vb_gpu_device_open(&other, 0, &store, &err));
    assert_ok(vb_gpu_work_module(other, wrong, "", &module, &err)); /* goes into the store */
    vb_gpu_device_close(other);
    assert_ok(vb_gpu_device_open(&other, 0, &store, &err));
    assert_fails(vb_gpu_check_device(other, 1, &differs, &err), VB_EDEVICE, "operation norm gives other bits than the CPU");
    assert_true(differs);
    assert_int_equal(other->loads, 1);
    vb_gpu_device_close(other);
    /* one that fails is not one that differs */
    differs = true;
    vb_fault_setup("device-build:1:EIO", 0);
    assert_ok(vb_gpu_device_open(&other, 0, NULL, &err));
    assert_fails(vb_gpu_check_device(other, 1, &differs, &err), VB_EDEVICE, "CL_BUILD_PROGRAM_FAILURE");
    assert_false(differs);
    vb_fault_setup(NULL, 0);
    vb_gpu_device_close(other);
    vb_free(wrong);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_operation_has_the_processors_bits),
                                       cmocka_unit_test(special_programs_have_the_processors_bits),
                                       cmocka_unit_test(local_memory_is_one_argument),
                                       cmocka_unit_test(every_kernel_that_is_used_is_checked),
                                       cmocka_unit_test(a_device_that_differs_is_named)};
    const int failed = cmocka_run_group_tests(tests, make_scratch, remove_scratch);
    vb_gpu_device_close(device);
    return failed;
}
