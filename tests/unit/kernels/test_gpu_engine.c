/* Tests of towers on a device: every kind of operation, whole towers, small memory and faults, bit for bit against the CPU. */
#include "kernels/base/fault.h"
#include "kernels/gpu/gpu_check.h"
#include "kernels/gpu/gpu_engine.h"
#include "kernels/gpu/gpu_scenes.h"
#include "kernels/gpu/gpu_work.h"
#include "tests/unit/gpu_test.h"

static vb_gpu_device *device;

static void need_device(void) {
    if (!device) device = gpu_test_open();
}

static void every_operation_has_the_processors_bits(void **state) {
    (void)state;
    vb_error err = {0};
    need_device();
    bool seen[VB_OP_KINDS] = {0}, active[VB_SIGMOID + 1] = {0};
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
    for (int i = 0; i <= (int)VB_SIGMOID; i++) assert_true(active[i] || i == VB_RELU); /* of convolutions */
    assert_ok(vb_gpu_check_device(device, 7, &err));
    assert_true(device->in_use == 0 || device->in_use == 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_operation_has_the_processors_bits)};
    const int failed = cmocka_run_group_tests(tests, make_scratch, remove_scratch);
    vb_gpu_device_close(device);
    return failed;
}
