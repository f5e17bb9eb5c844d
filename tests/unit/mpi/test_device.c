/* Tests of devices as ranks have them: how many images are encoded at once. */
#include "kernels/gpu/gpu_work.h"
#include "mpi/base/device.h"
#include "mpi/encode/model.h"
#include "tests/unit/vb_test.h"

/* On GPUs a unit at least; not of what the processors compute all the same. */
static void batches_are_larger_where_a_gpu_computes_them(void **state) {
    (void)state;
    vb_gpu_device gpu = {.info = {.processor = false}};
    vb_device device = {.gpu = &gpu};
    vb_context context = {.device = &device};
    vb_model model = {.precision = {.bf16x3 = false}};
    assert_int_equal(vb_model_batch(&model, &context, 16), 256);
    assert_int_equal(vb_model_batch(&model, &context, 257), 257);
    model.precision.bf16x3 = true;
    assert_int_equal(vb_model_batch(&model, &context, 16), 16);
    model.precision.bf16x3 = false;
    gpu.info.processor = true;
    assert_int_equal(vb_model_batch(&model, &context, 16), 16);
    device.gpu = NULL; /* lent, or none */
    assert_int_equal(vb_model_batch(&model, &context, 16), 16);
    context.device = NULL;
    assert_int_equal(vb_model_batch(&model, &context, 16), 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(batches_are_larger_where_a_gpu_computes_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
