/* Tests of devices: a machine without any, the list, OpenCL that lacks something or fails, built programs that are kept and
 * damaged, faults, the activations. The linker gives us the loading of OpenCL (tests/tests.mk). */
#include <errno.h>
#include <math.h>
#include <sys/wait.h>

#include "kernels/base/fault.h"
#include "kernels/gpu/gpu_texts.h"
#include "kernels/gpu/gpu_work.h"
#include "kernels/matrix/layers_internal.h"
#include "tests/unit/gpu_test.h"
#include "tests/unit/random.h"

/* What a loader without drivers gives; in a process of its own, since it looks for drivers once. */
static void without_drivers_it_says_what_to_install(void **state) {
    (void)state;
    char path[1024];
    in_scratch(path, "vendors/none"); /* makes the folder */
    *strrchr(path, '/') = 0;
    const pid_t child = fork();
    if (!child) {
        setenv("OCL_ICD_VENDORS", path, 1);
        vb_gpu_device *device;
        vb_gpu_device_info *list;
        int count = -1;
        vb_error err = {0};
        const int listed = vb_gpu_device_list(&list, &count, &err);
        if (!listed && (count != 0 || list)) _exit(1);
        if (listed && !strstr(err.text, "ocl-icd-libopencl1")) _exit(2);
        if (!vb_gpu_device_open(&device, 0, NULL, &err)) _exit(3);
        _exit(err.code == VB_EUNSUPPORTED && strstr(err.text, "pocl-opencl-icd") && !device ? 0 : 4);
    }
    int code = -1;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
}

static void devices_are_listed(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_device *device = gpu_test_open();
    vb_gpu_device_info *list;
    int count;
    assert_ok(vb_gpu_device_list(&list, &count, &err));
    assert_true(count >= 1);
    assert_string_equal(list[0].name, vb_gpu_device_facts(device)->name);
    assert_true(list[0].name[0] && list[0].vendor[0] && list[0].driver[0] && list[0].units >= 1 && list[0].memory > 1 << 20);
    for (int i = 1; i < count; i++) assert_true(list[i].processor >= list[i - 1].processor);
    vb_gpu_device_close(device);
    assert_fails(vb_gpu_device_open(&device, count, NULL, &err), VB_EUNSUPPORTED, "there is no device");
    assert_null(device);
    assert_fails(vb_gpu_device_open(&device, -1, NULL, &err), VB_EUNSUPPORTED, "there is no device");
    vb_free(list);
}

/* ---- OpenCL that lacks something or fails ---- */

static bool without_library;
static const char *missing; /* a function */
static struct {
    const char *name; /* of the function in whose place we are */
    void *ours, *real;
} replaced;

void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags) { return __real_dlopen(without_library ? "/none/libOpenCL.so.1" : name, flags); }
void *__real_dlsym(void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name) {
    void *real = __real_dlsym(library, name);
    if (missing && !strcmp(name, missing)) return NULL;
    if (!replaced.name || strcmp(name, replaced.name)) return real;
    replaced.real = real;
    return replaced.ours;
}

static cl_int failing_code;
static int good_calls; /* before the one that fails */

static cl_int CL_API_CALL no_platforms(cl_uint room, cl_platform_id *platforms, cl_uint *count) {
    (void)room, (void)platforms, (void)count;
    return failing_code;
}
static cl_context CL_API_CALL no_context(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                                         void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data,
                                         cl_int *code) {
    (void)properties, (void)count, (void)devices, (void)notify, (void)data;
    *code = failing_code;
    return NULL;
}
static cl_command_queue CL_API_CALL few_queues(cl_context context, cl_device_id id, cl_command_queue_properties properties,
                                               cl_int *code) {
    if (good_calls-- > 0)
        return ((cl_command_queue(CL_API_CALL *)(cl_context, cl_device_id, cl_command_queue_properties,
                                                 cl_int *))replaced.real)(context, id, properties, code);
    *code = failing_code;
    return NULL;
}

/* What the device says of itself, but for one number or text. */
static struct {
    cl_device_info what;
    const char *text;
    cl_ulong number;
} lie;
static cl_int CL_API_CALL lying_facts(cl_device_id id, cl_device_info what, size_t size, void *value, size_t *written) {
    if (what != lie.what)
        return ((cl_int(CL_API_CALL *)(cl_device_id, cl_device_info, size_t, void *, size_t *))replaced.real)(id, what, size,
                                                                                                              value, written);
    if (lie.text) snprintf(value, size, "%s", lie.text);
    else memcpy(value, &lie.number, size < sizeof lie.number ? size : sizeof lie.number);
    return CL_SUCCESS;
}

static void a_loader_that_lacks_something_is_told(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_device *device;
    vb_gpu_device_info *list;
    int count;
    vb_gpu_device_close(gpu_test_open()); /* or skips */
    without_library = true;
    assert_fails(vb_gpu_device_list(&list, &count, &err), VB_EUNSUPPORTED, "no OpenCL on this machine: /none/libOpenCL.so.1: ");
    assert_non_null(strstr(err.text, "install its loader (Debian: ocl-icd-libopencl1)"));
    assert_true(!list && !count);
    assert_fails(vb_gpu_device_open(&device, 0, NULL, &err), VB_EUNSUPPORTED, "no OpenCL on this machine: ");
    without_library = false;
    missing = "clEnqueueMarkerWithWaitList";
    assert_fails(vb_gpu_device_open(&device, 0, NULL, &err), VB_EUNSUPPORTED,
                 "libOpenCL.so.1 has no clEnqueueMarkerWithWaitList: OpenCL 1.2 is needed");
    assert_null(device);
    missing = NULL;
}

static void a_device_that_lacks_something_is_refused(void **state) {
    (void)state;
    static const struct {
        cl_device_info what;
        const char *text;
        cl_ulong number;
        const char *says;
    } cases[] = {{CL_DEVICE_VERSION, "OpenCL 1.1 old", 0, "it says version \"OpenCL 1.1 old\": OpenCL 1.2 is needed"},
                 {CL_DEVICE_VERSION, "CUDA 12.4", 0, "it says version \"CUDA 12.4\": OpenCL 1.2 is needed"},
                 {CL_DEVICE_DOUBLE_FP_CONFIG, NULL, 0, "it has no fp64, which LayerNorm is computed in: use another device"},
                 {CL_DEVICE_MAX_WORK_GROUP_SIZE, NULL, 255, "work groups of 255 items and "},
                 {CL_DEVICE_LOCAL_MEM_SIZE, NULL, 32767, " items and 32767 bytes of local memory: 256 and 32768 are needed"}};
    vb_error err = {0};
    vb_gpu_device *device;
    vb_gpu_device_close(gpu_test_open()); /* or skips */
    replaced.name = "clGetDeviceInfo";
    replaced.ours = (void *)lying_facts;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lie.what = cases[i].what;
        lie.text = cases[i].text;
        lie.number = cases[i].number;
        assert_fails(vb_gpu_device_open(&device, 0, NULL, &err), VB_EUNSUPPORTED, cases[i].says);
        assert_null(device);
    }
    lie.what = CL_DEVICE_VERSION;
    lie.text = "OpenCL 1.2 new";
    assert_ok(vb_gpu_device_open(&device, 0, NULL, &err));
    vb_gpu_device_close(device);
    replaced.name = NULL;
}

static void a_device_that_does_not_open_says_why(void **state) {
    (void)state;
    static const struct {
        const char *name;
        void *ours;
        int good, with, code;
        const char *says;
    } cases[] = {{"clGetPlatformIDs", (void *)no_platforms, 0, CL_OUT_OF_HOST_MEMORY, VB_EMEMORY,
                  "device list: clGetPlatformIDs: CL_OUT_OF_HOST_MEMORY (-6)"},
                 {"clCreateContext", (void *)no_context, 0, CL_DEVICE_NOT_AVAILABLE, VB_EDEVICE,
                  ": clCreateContext: CL_DEVICE_NOT_AVAILABLE (-2)"},
                 {"clCreateCommandQueue", (void *)few_queues, 0, CL_OUT_OF_RESOURCES, VB_EMEMORY,
                  ": clCreateCommandQueue: CL_OUT_OF_RESOURCES (-5)"},
                 {"clCreateCommandQueue", (void *)few_queues, 2, CL_INVALID_DEVICE, VB_EDEVICE,
                  ": clCreateCommandQueue: CL_INVALID_DEVICE (-33)"}};
    vb_error err = {0};
    vb_gpu_device *device;
    vb_gpu_device_close(gpu_test_open()); /* or skips */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        replaced.name = cases[i].name;
        replaced.ours = cases[i].ours;
        good_calls = cases[i].good;
        failing_code = cases[i].with;
        assert_fails(vb_gpu_device_open(&device, 0, NULL, &err), cases[i].code, cases[i].says);
        assert_null(device);
    }
    replaced.name = NULL;
}

/* ---- programs ---- */

static const char tiny[] = "__kernel void twice(__global float *x) { x[get_global_id(0)] *= 2; }\n";

static void run_twice(vb_gpu_device *device, vb_gpu_module *module) {
    vb_error err = {0};
    float x[3] = {1, -2.5f, 0x1p-130f};
    cl_mem buffer;
    assert_ok(vb_gpu_work_copy(device, x, sizeof x, &buffer, &err));
    const vb_gpu_argument arguments[] = {VB_GPU_ARGUMENT(buffer)};
    const vb_gpu_launch launch = {module, "twice", arguments, 1, {3, 1, 1}, {1, 1, 1}};
    assert_ok(vb_gpu_work_launch(device, &launch, &err));
    assert_ok(vb_gpu_work_read(device, buffer, 0, x, sizeof x, &err));
    assert_true(x[0] == 2 && x[1] == -5 && x[2] == 0x1p-129f);
    vb_gpu_work_release(device, &buffer, sizeof x);
}

static void programs_are_kept_and_damaged_ones_built_anew(void **state) {
    (void)state;
    vb_error err = {0};
    char folder[1024], command[1200];
    snprintf(folder, sizeof folder, "%s/programs", scratch);
    const vb_gpu_store store = {.context = folder, .load = gpu_test_load, .save = gpu_test_save};
    static const char *const damages[] = {"true", "for f in *.blob; do head -c 40 $f >x; mv x $f; done",
                                          "for f in *.blob; do printf x | dd of=$f bs=1 seek=60 conv=notrunc; done",
                                          /* whole, but nothing that a driver has made */
                                          "for f in *.blob; do printf nonsense >y; (xxhsum -H2 y | cut -c1-32; cat y) >$f; done",
                                          "rm *.blob"};
    vb_gpu_device_close(gpu_test_open()); /* or skips */
    for (int round = 0; round < 6; round++) {
        if (round) {
            snprintf(command, sizeof command, "cd '%s' && { %s; } >/dev/null 2>&1", folder, damages[round - 1]);
            if (round == 4 && !have("xxhsum")) continue;
            assert_int_equal(run_command("%s", command), 0);
        }
        vb_gpu_device *device;
        vb_gpu_module *module, *again;
        assert_ok(vb_gpu_device_open(&device, 0, &store, &err));
        assert_ok(vb_gpu_work_module(device, tiny, "", &module, &err));
        assert_int_equal(device->builds, round != 1);
        assert_int_equal(device->loads, round == 1);
        run_twice(device, module);
        assert_ok(vb_gpu_work_module(device, tiny, "", &again, &err));
        assert_ptr_equal(module, again);
        vb_gpu_device_close(device);
    }
}

static char *noted_key;

static int load_nothing(void *unused, const char *key, uint8_t **bytes, size_t *size, vb_error *err) {
    (void)unused, (void)key, (void)err;
    *bytes = NULL;
    *size = 0;
    return 0;
}

static void note_key(void *unused, const char *key, const void *bytes, size_t size) {
    (void)unused, (void)bytes, (void)size;
    free(noted_key);
    noted_key = strdup(key);
}

/* A program is kept under all that it was made of, and for: what changes any of it makes it another one. */
static void programs_are_kept_by_all_they_depend_on(void **state) {
    (void)state;
    vb_error err = {0};
    const vb_gpu_store store = {.load = load_nothing, .save = note_key};
    vb_gpu_device *device;
    vb_gpu_module *module;
    vb_gpu_device_close(gpu_test_open()); /* or skips */
    assert_ok(vb_gpu_device_open(&device, 0, &store, &err));
    assert_ok(vb_gpu_work_module(device, tiny, "-DVB_NOTED=3", &module, &err));
    if (!noted_key) fail_msg("the driver gave no binary");
    const char *const parts[] = {device->info.platform,
                                 device->info.name,
                                 device->info.version,
                                 device->info.driver,
                                 "-DVB_NOTED=3",
                                 vb_gpu_math_cl,
                                 tiny};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(noted_key, parts[i])) fail_msg("part %zu is not in the key: %.60s", i, parts[i]);
    free(noted_key);
    vb_gpu_device_close(device);
}

static cl_program CL_API_CALL no_program(cl_context context, cl_uint count, const char **texts, const size_t *sizes,
                                         cl_int *code) {
    (void)context, (void)count, (void)texts, (void)sizes;
    *code = CL_OUT_OF_HOST_MEMORY;
    return NULL;
}

static void what_fails_says_so(void **state) {
    (void)state;
    vb_error err = {0};
    vb_gpu_device *device = gpu_test_open();
    vb_gpu_module *module;
    assert_fails(vb_gpu_work_module(device, "__kernel void twice(float x { }\n", "", &module, &err), VB_EDEVICE,
                 "CL_BUILD_PROGRAM_FAILURE");
    assert_non_null(strstr(err.text, "error"));
    vb_fault_setup("device-build:1:EIO", 0);
    vb_gpu_device_close(device);
    assert_ok(vb_gpu_device_open(&device, 0, NULL, &err));
    assert_fails(vb_gpu_work_module(device, tiny, "", &module, &err), VB_EDEVICE, "CL_BUILD_PROGRAM_FAILURE");
    const vb_opencl real = device->cl;
    device->cl.CreateProgramWithSource = no_program;
    assert_fails(vb_gpu_work_module(device, tiny, "", &module, &err), VB_EMEMORY,
                 ": clCreateProgramWithSource: CL_OUT_OF_HOST_MEMORY (-6)");
    device->cl = real;
    assert_ok(vb_gpu_work_module(device, tiny, "", &module, &err));
    cl_mem buffer;
    vb_fault_setup("device-alloc:1:ENOMEM", 0);
    assert_fails(vb_gpu_work_buffer(device, 100, &buffer, &err), VB_EMEMORY, "100 bytes");
    assert_non_null(strstr(err.text, "CL_MEM_OBJECT_ALLOCATION_FAILURE"));
    assert_ok(vb_gpu_work_buffer(device, 100, &buffer, &err));
    const vb_gpu_argument arguments[] = {VB_GPU_ARGUMENT(buffer)};
    vb_gpu_launch launch = {module, "twice", arguments, 1, {3, 1, 1}, {1, 1, 1}};
    vb_fault_setup("device-launch:1:EIO", 0);
    assert_fails(vb_gpu_work_launch(device, &launch, &err), VB_EMEMORY, "kernel twice: ");
    vb_fault_setup(NULL, 0);
    launch.kernel = "thrice";
    assert_fails(vb_gpu_work_launch(device, &launch, &err), VB_EDEVICE, "kernel thrice: ");
    vb_gpu_work_release(device, &buffer, 100);
    vb_gpu_device_close(device);
    assert_string_equal(vb_opencl_error_name(CL_OUT_OF_RESOURCES), "CL_OUT_OF_RESOURCES");
    assert_string_equal(vb_opencl_error_name(-12345), "an OpenCL error without a name");
}

/* Every exponent, both signs, and what lies between; infinities, NaN and zeros. */
static int make_arguments(float *x, int count) {
    uint64_t seed = 5;
    static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 0x1p-149f, -0x1p-149f, 15, -15, 90, -105, -64};
    int n = sizeof special / sizeof *special;
    memcpy(x, special, sizeof special);
    while (n < count) {
        const uint32_t bits = (uint32_t)(random_next64(&seed) >> 32);
        if (n % 2) memcpy(&x[n], &bits, sizeof bits);
        else x[n] = 120 * random_unit_float(&seed);
        n++;
    }
    return n;
}

static void activations_have_the_processors_bits(void **state) {
    (void)state;
    vb_error err = {0};
    enum { COUNT = 1 << 18 };
    vb_gpu_device *device = gpu_test_open();
    float *x = vb_array(COUNT, sizeof *x, "x", &err), *y = vb_array(COUNT, sizeof *y, "y", &err),
          *expected = vb_array(COUNT, sizeof *y, "y", &err);
    assert_true(x && y && expected);
    int count = make_arguments(x, COUNT);
    /* with the promise of correctly rounded division, where there is one, and without */
    for (int promised = device->info.divides; promised >= 0; promised--) {
        device->info.divides = promised;
        vb_gpu_module *module;
        cl_mem in, out;
        assert_ok(vb_gpu_work_module(device, vb_gpu_rows_cl, "", &module, &err));
        assert_ok(vb_gpu_work_copy(device, x, COUNT * sizeof *x, &in, &err));
        assert_ok(vb_gpu_work_buffer(device, COUNT * sizeof *x, &out, &err));
        for (int kind = -1; kind <= (int)VB_SIGMOID; kind++) {
            const vb_gpu_argument arguments[] = {VB_GPU_ARGUMENT(in), VB_GPU_ARGUMENT(out), VB_GPU_ARGUMENT(count),
                                                 VB_GPU_ARGUMENT(kind)};
            const vb_gpu_launch launch = {module, "activations", arguments, 4, {COUNT / 64, 1, 1}, {64, 1, 1}};
            assert_ok(vb_gpu_work_launch(device, &launch, &err));
            assert_ok(vb_gpu_work_read(device, out, 0, y, COUNT * sizeof *y, &err));
            memcpy(expected, x, COUNT * sizeof *x);
            if (kind < 0) vb_layers_exp(COUNT, expected, 1);
            else vb_layers_activate(COUNT, expected, (vb_activation)kind, 1);
            for (int i = 0; i < COUNT; i++)
                if (isnan(expected[i]) ? !isnan(y[i]) : memcmp(&y[i], &expected[i], sizeof *y) != 0)
                    fail_msg("activation %d of %a: %a, the CPU has %a (promised division: %d)", kind, x[i], y[i], expected[i],
                             promised);
        }
        vb_gpu_work_release(device, &in, COUNT * sizeof *x);
        vb_gpu_work_release(device, &out, COUNT * sizeof *x);
    }
    vb_gpu_device_close(device);
    vb_free(x);
    vb_free(y);
    vb_free(expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_drivers_it_says_what_to_install),
                                       cmocka_unit_test(devices_are_listed),
                                       cmocka_unit_test(a_loader_that_lacks_something_is_told),
                                       cmocka_unit_test(a_device_that_lacks_something_is_refused),
                                       cmocka_unit_test(a_device_that_does_not_open_says_why),
                                       cmocka_unit_test(programs_are_kept_and_damaged_ones_built_anew),
                                       cmocka_unit_test(programs_are_kept_by_all_they_depend_on),
                                       cmocka_unit_test(what_fails_says_so),
                                       cmocka_unit_test(activations_have_the_processors_bits)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
