/* Tests of towers on a device: texts and pieces, small memory and faults; bit for bit against the CPU. */
#include "kernels/base/fault.h"
#include "kernels/gpu/gpu_engine.h"
#include "kernels/gpu/gpu_scenes.h"
#include "kernels/gpu/gpu_work.h"
#include "kernels/towers/text_piece.h"
#include "kernels/image/preprocess.h"
#include "tests/unit/gpu_test.h"
#include "tests/unit/random.h"

static vb_gpu_device *device;

static void need_device(void) {
    if (!device) device = gpu_test_open();
}

static int looks;
static int look_until(void *context, vb_error *err) {
    const int *most = context;
    return ++looks > *most ? vb_errorf(err, VB_EINCOMPLETE, "stopped") : 0;
}

/* Rows of a scene by both engines; `retries`: how often the device begins anew. */
static void run_scene(int index, const char *fault, int retries, bool fails) {
    vb_error err = {0};
    vb_gpu_scene scene;
    assert_ok(vb_gpu_scenes_make(&scene, index, 3, &err));
    const int64_t columns = scene.program.values[scene.program.result].columns, n = scene.count;
    float expected[4 * 64], found[4 * 64] = {0};
    assert_true(n * columns <= 4 * 64);
    vb_engine_options options = {.threads = 1};
    assert_ok(vb_engine_run(&scene.program, &scene.input, n, expected, &options, &err));
    vb_gpu_engine *engine;
    assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
    options.device = vb_gpu_engine_interface(engine);
    if (!fails) assert_ok(vb_engine_run(&scene.program, &scene.input, n, found, &options, &err)); /* uploads */
    memset(found, 0, sizeof found);
    assert_int_equal(vb_fault_setup(fault, 0), 0);
    const int status = vb_engine_run(&scene.program, &scene.input, n, found, &options, &err);
    vb_fault_setup(NULL, 0);
    if (fails) assert_true(status && err.code == VB_EMEMORY);
    else {
        if (status) fail_msg("%s: %s", fault ? fault : "no fault", err.text);
        assert_int_equal(vb_gpu_engine_retries(engine), retries);
        assert_memory_equal(found, expected, (size_t)(n * columns) * sizeof *found);
    }
    vb_gpu_engine_close(engine);
    vb_gpu_scenes_free(&scene);
    assert_true(device->in_use == 64);
}

static void less_memory_means_smaller_pieces(void **state) {
    (void)state;
    need_device();
    for (int i = 0; i < VB_GPU_SCENES; i++) run_scene(i, NULL, 0, false);
    run_scene(0, "device-alloc:1:ENOMEM", 1, false);
    run_scene(0, "device-launch:7:ENOMEM", 1, false);
    run_scene(1, "device-launch:5:ENOMEM", 1, false);
    run_scene(2, "device-alloc:5:ENOMEM", 1, false);
    run_scene(3, "device-alloc:2:ENOMEM", 1, false);
    run_scene(0, "device-alloc:1+:ENOMEM", 0, true); /* not even the weights */
    run_scene(0, "device-launch:1+:ENOMEM", 0, true);
}

/* Pictures as bytes, in pieces, and with little memory: the rows of the floats that they stand for. */
static void bytes_are_normalised_on_the_device(void **state) {
    (void)state;
    need_device();
    vb_error err = {0};
    vb_gpu_scene scene;
    assert_ok(vb_gpu_scenes_make(&scene, 0, 3, &err));
    const vb_preprocess spec = vb_preprocess_clip(23);
    const size_t picture = scene.program.picture, plane = picture / 3;
    const int64_t columns = scene.program.values[scene.program.result].columns;
    enum { COUNT = 5 };
    float values[VB_PREPROCESS_VALUES], expected[COUNT * 64], found[COUNT * 64];
    assert_true(columns <= 64 && picture == 3 * 23 * 23);
    vb_preprocess_values(&spec, values);
    uint8_t *bytes = vb_array(COUNT * picture, 1, "bytes", &err);
    float *pixels = vb_array(COUNT * picture, sizeof *pixels, "pixels", &err);
    assert_true(bytes && pixels);
    uint32_t seed = 4;
    for (size_t i = 0; i < COUNT * picture; i++) bytes[i] = (uint8_t)random_next24(&seed);
    for (size_t i = 0; i < COUNT; i++) {
        const vb_image image = {.mode = VB_MODE_RGB, .width = 23, .height = 23, .pixels = bytes + i * picture};
        vb_preprocess_normalise(&spec, &image, pixels + i * picture);
        assert_true(pixels[i * picture + plane + 7] == values[256 + bytes[i * picture + 3 * 7 + 1]]);
    }
    vb_engine_options options = {.threads = 1};
    const vb_engine_input as_floats = {.pixels = pixels}, as_bytes = {.bytes = bytes, .values = values};
    assert_ok(vb_engine_run(&scene.program, &as_floats, COUNT, expected, &options, &err));
    static const char *const faults[] = {NULL, "device-alloc:4:ENOMEM", "device-launch:6:ENOMEM"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        vb_gpu_engine *engine;
        assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
        options.device = vb_gpu_engine_interface(engine);
        assert_ok(vb_engine_run(&scene.program, &as_floats, COUNT, found, &options, &err)); /* uploads the weights */
        assert_memory_equal(found, expected, (size_t)(COUNT * columns) * sizeof *found);
        memset(found, 0, sizeof found);
        vb_fault_setup(faults[i], 0);
        assert_ok(vb_engine_run(&scene.program, &as_bytes, COUNT, found, &options, &err));
        vb_fault_setup(NULL, 0);
        assert_memory_equal(found, expected, (size_t)(COUNT * columns) * sizeof *found);
        assert_int_equal(vb_gpu_engine_retries(engine), i > 0);
        vb_gpu_engine_close(engine);
    }
    vb_gpu_scenes_free(&scene);
    assert_true(device->in_use == 64);
    vb_free(bytes);
    vb_free(pixels);
}

/* What a run asks of OpenCL, in order: k kernels, r rows that are read, s whether they have come. */
static char asked[8192];
static size_t asked_count;
static vb_opencl real;
static void note_call(char what) {
    assert_true(asked_count + 1 < sizeof asked);
    asked[asked_count++] = what;
}
static cl_int CL_API_CALL noted_kernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                       const size_t *global, const size_t *local, cl_uint count, const cl_event *events,
                                       cl_event *event) {
    note_call('k');
    assert_ptr_equal(queue, device->queue);
    return real.EnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, count, events, event);
}
static cl_int CL_API_CALL noted_read(cl_command_queue queue, cl_mem buffer, cl_bool waits, size_t at, size_t size, void *to,
                                     cl_uint count, const cl_event *events, cl_event *event) {
    note_call('r');
    assert_ptr_equal(queue, device->downloads); /* beside the computing, */
    assert_true(!waits && count == 1 && event); /* of which it awaits what it needs */
    return real.EnqueueReadBuffer(queue, buffer, waits, at, size, to, count, events, event);
}
static cl_int CL_API_CALL noted_state(cl_event event, cl_event_info info, size_t size, void *value, size_t *written) {
    note_call('s');
    return real.GetEventInfo(event, info, size, value, written);
}

/* Pictures or texts in several pieces: each one's kernels are queued before the rows of the one before it are awaited. */
static void the_next_piece_is_queued_before_rows_are_awaited(void **state) {
    (void)state;
    need_device();
    const vb_gpu_device_info info = device->info;
    for (int index = 0; index < 2; index++) {
        vb_error err = {0};
        vb_gpu_scene scene;
        assert_ok(vb_gpu_scenes_make(&scene, index, 3, &err));
        float out[4 * 64];
        vb_gpu_engine *engine;
        if (index) device->info.memory = 16; /* a text a piece */
        assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
        vb_engine_options options = {.threads = 1, .device = vb_gpu_engine_interface(engine)};
        assert_ok(vb_engine_run(&scene.program, &scene.input, scene.count, out, &options, &err)); /* uploads, builds */
        real = device->cl;
        device->cl.EnqueueNDRangeKernel = noted_kernel;
        device->cl.EnqueueReadBuffer = noted_read;
        device->cl.GetEventInfo = noted_state;
        asked_count = 0;
        assert_ok(vb_engine_run(&scene.program, &scene.input, scene.count, out, &options, &err));
        device->cl = real;
        device->info = info;
        asked[asked_count] = 0;
        const char *first = strchr(asked, 'r'), *second = first ? strchr(first + 1, 'r') : NULL, *waits = strchr(asked, 's');
        assert_true(second && waits > second && strchr(first, 'k') < second);
        vb_gpu_engine_close(engine);
        vb_gpu_scenes_free(&scene);
    }
}

/* Every launch in turn fails once, with a piece before it on its way or not. */
static void every_launch_may_fail_once(void **state) {
    (void)state;
    need_device();
    for (int index = 0; index < 2; index++) {
        vb_error err = {0};
        vb_gpu_scene scene;
        assert_ok(vb_gpu_scenes_make(&scene, index, 3, &err));
        const size_t size = (size_t)scene.count * (size_t)scene.program.values[scene.program.result].columns * sizeof(float);
        float expected[4 * 64], found[4 * 64];
        assert_true(size <= sizeof found);
        vb_engine_options options = {.threads = 1};
        assert_ok(vb_engine_run(&scene.program, &scene.input, scene.count, expected, &options, &err));
        int retries = 1;
        for (int n = 1; retries; n++) {
            char fault[64];
            vb_gpu_engine *engine;
            assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
            options.device = vb_gpu_engine_interface(engine);
            memset(found, 0, sizeof found);
            snprintf(fault, sizeof fault, "device-launch:%d:ENOMEM", n);
            assert_false(vb_fault_setup(fault, 0));
            assert_ok(vb_engine_run(&scene.program, &scene.input, scene.count, found, &options, &err));
            vb_fault_setup(NULL, 0);
            assert_memory_equal(found, expected, size);
            retries = vb_gpu_engine_retries(engine);
            assert_true(n < 1000 && (retries || n > 10));
            vb_gpu_engine_close(engine);
            assert_true(device->in_use == 64);
        }
        vb_gpu_scenes_free(&scene);
    }
}

static cl_int CL_API_CALL no_marker(cl_command_queue queue, cl_uint count, const cl_event *events, cl_event *event) {
    (void)queue, (void)count, (void)events, (void)event;
    return CL_INVALID_COMMAND_QUEUE;
}
static cl_int CL_API_CALL no_read(cl_command_queue queue, cl_mem buffer, cl_bool waits, size_t at, size_t size, void *to,
                                  cl_uint count, const cl_event *events, cl_event *event) {
    (void)queue, (void)buffer, (void)waits, (void)at, (void)size, (void)to, (void)count, (void)events, (void)event;
    return CL_INVALID_MEM_OBJECT;
}
static cl_int CL_API_CALL no_state(cl_event event, cl_event_info info, size_t size, void *value, size_t *written) {
    (void)event, (void)info, (void)size, (void)value, (void)written;
    return CL_INVALID_EVENT;
}
static cl_int CL_API_CALL bad_state(cl_event event, cl_event_info info, size_t size, void *value, size_t *written) {
    const cl_int code = real.GetEventInfo(event, info, size, value, written);
    assert_int_equal(size, sizeof(cl_int));
    memcpy(value, &(cl_int){CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST}, size);
    return code;
}

static void what_fails_says_so(void **state) {
    (void)state;
    need_device();
    vb_error err = {0};
    float out[4 * 64];
    vb_gpu_scene scene[3];
    vb_gpu_engine *engine;
    real = device->cl;
    vb_opencl broken[] = {real, real, real, real};
    broken[0].EnqueueMarkerWithWaitList = no_marker;
    broken[1].EnqueueReadBuffer = no_read;
    broken[2].GetEventInfo = no_state;
    broken[3].GetEventInfo = bad_state;
    static const char *const says[] = {": clEnqueueMarkerWithWaitList: CL_INVALID_COMMAND_QUEUE (-36)",
                                       ": clEnqueueReadBuffer: CL_INVALID_MEM_OBJECT (-38)", ": a kernel: CL_INVALID_EVENT (-58)",
                                       ": a kernel: CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST (-14)"};
    assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
    const vb_engine_options options = {.threads = 1, .device = vb_gpu_engine_interface(engine)};
    for (int i = 0; i < 3; i++) assert_ok(vb_gpu_scenes_make(&scene[i], i, 3, &err));
    for (int i = 0; i < 4; i++) {
        device->cl = broken[i];
        assert_fails(vb_engine_run(&scene[0].program, &scene[0].input, scene[0].count, out, &options, &err), VB_EDEVICE, says[i]);
        device->cl = real;
    }
    const vb_gpu_device_info info = device->info;
    device->info.local_memory = 2048;
    assert_fails(vb_engine_run(&scene[0].program, &scene[0].input, scene[0].count, out, &options, &err), VB_EUNSUPPORTED,
                 " keys does not fit into its local memory (2048 bytes)");
    device->info = info;
    for (int i = 0; i < 2; i++) assert_ok(vb_engine_run(&scene[i].program, &scene[i].input, scene[i].count, out, &options, &err));
    assert_fails(vb_engine_run(&scene[2].program, &scene[2].input, scene[2].count, out, &options, &err), VB_EINTERNAL,
                 "a device's engine serves two programs, and this is a third");
    vb_gpu_engine_close(engine);
    for (int i = 0; i < 3; i++) vb_gpu_scenes_free(&scene[i]);
    assert_true(device->in_use == 64);
}

static void a_run_is_stopped_between_layers(void **state) {
    (void)state;
    need_device();
    vb_error err = {0};
    vb_gpu_scene scene;
    assert_ok(vb_gpu_scenes_make(&scene, 0, 3, &err));
    vb_gpu_engine *engine;
    assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
    float out[4 * 64];
    int most = 1;
    looks = 0;
    vb_engine_options options = {.threads = 1, .watch = {look_until, &most}, .device = vb_gpu_engine_interface(engine)};
    assert_fails(vb_engine_run(&scene.program, &scene.input, scene.count, out, &options, &err), VB_EINCOMPLETE, "stopped");
    most = 2; /* of two layers: while it waits for the rows */
    looks = 0;
    vb_error_clear(&err);
    assert_fails(vb_engine_run(&scene.program, &scene.input, scene.count, out, &options, &err), VB_EINCOMPLETE, "stopped");
    vb_gpu_engine_close(engine);
    vb_gpu_scenes_free(&scene);
}

enum { TEXTS = 90, CONTEXT = 37, MOST_COLUMNS = 64 };

/* Texts of a scene that begin alike, of a few beginnings, and every third of which is there before. */
static void make_beginnings(const vb_gpu_scene *scene, int32_t *tokens) {
    uint32_t seed = 5;
    for (int i = 0; i < TEXTS; i++) {
        int32_t *text = tokens + i * CONTEXT;
        const int kind = i % 4, begin = kind * 6, length = begin + 5 + (int)(random_next24(&seed) % 6);
        if (i >= 3 && i % 3 == 0) {
            memcpy(text, tokens + (i - 3) * CONTEXT, CONTEXT * sizeof *text);
            continue;
        }
        for (int at = 0; at < CONTEXT; at++) {
            const int32_t word = at < begin ? 1 + at + kind % 2 : 1 + (int32_t)(random_next24(&seed) % 40);
            text[at] = at + 1 < length ? word : at + 1 == length ? scene->texts.end_token : 0;
        }
    }
}

static int run_texts(const vb_gpu_scene *scene, const vb_text_input *texts, int n, bool on_device, float *out) {
    vb_error err = {0};
    const vb_engine_input input = {.texts = texts};
    vb_engine_options options = {.threads = 1};
    vb_gpu_engine *engine = NULL;
    if (on_device) {
        assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
        options.device = vb_gpu_engine_interface(engine);
    }
    const int status = vb_engine_run(&scene->program, &input, n, out, &options, &err);
    vb_gpu_engine_close(engine);
    return status;
}

/* In causal towers beginnings are computed once, in others equal texts: in whole batches and in pieces of a text or few. */
static void texts_share_their_beginnings(void **state) {
    (void)state;
    vb_error err = {0};
    need_device();
    const vb_gpu_device_info info = device->info;
    static float expected[TEXTS * MOST_COLUMNS], found[TEXTS * MOST_COLUMNS];
    static int32_t tokens[TEXTS * CONTEXT];
    for (int class_row = 0; class_row < 2; class_row++)
        for (int learned = 0; learned < 2 - class_row; learned++) {
            vb_gpu_scene scene;
            assert_ok(vb_gpu_scenes_make(&scene, 1 + class_row, 4, &err));
            const size_t columns = (size_t)scene.program.values[scene.program.result].columns;
            assert_true(columns <= MOST_COLUMNS && scene.texts.context_length == CONTEXT);
            assert_true(vb_program_is_causal(&scene.program) == !class_row);
            make_beginnings(&scene, tokens);
            vb_text_input texts = scene.texts;
            texts.tokens = tokens;
            if (!learned) texts.context = NULL;
            assert_false(run_texts(&scene, &texts, TEXTS, false, expected));
            for (int little = 0; little < 3; little++) {
                memset(found, 0, sizeof found);
                if (little) device->info.memory = (uint64_t)4 * sizeof(float) * (little == 1 ? 1 : 60000);
                assert_false(run_texts(&scene, &texts, TEXTS, true, found));
                device->info = info;
                assert_memory_equal(found, expected, TEXTS * columns * sizeof *found);
            }
            vb_gpu_scenes_free(&scene);
        }
}

/* Texts are ordered 512 at a time: those behind are themselves, not the first ones again. */
static void more_texts_than_are_ordered_at_once(void **state) {
    (void)state;
    enum { MANY = VB_TEXT_PIECE_TEXTS + 8 };
    vb_error err = {0};
    need_device();
    vb_gpu_scene scene;
    static float expected[MANY * MOST_COLUMNS], found[MANY * MOST_COLUMNS];
    static int32_t tokens[MANY * CONTEXT];
    assert_ok(vb_gpu_scenes_make(&scene, 1, 4, &err));
    make_beginnings(&scene, tokens);
    for (int i = TEXTS; i < MANY; i++) memcpy(tokens + i * CONTEXT, tokens + i % TEXTS * CONTEXT, CONTEXT * sizeof *tokens);
    vb_text_input texts = scene.texts;
    texts.tokens = tokens;
    texts.context = NULL;
    const size_t columns = (size_t)scene.program.values[scene.program.result].columns;
    assert_false(run_texts(&scene, &texts, MANY, false, expected));
    assert_false(run_texts(&scene, &texts, MANY, true, found));
    assert_memory_equal(found, expected, MANY * columns * sizeof *found);
    vb_gpu_scenes_free(&scene);
}

/* So many equal texts, one by one, take as many launches as one. */
static void equal_texts_are_computed_once(void **state) {
    (void)state;
    vb_error err = {0};
    need_device();
    vb_gpu_scene scene;
    const vb_gpu_device_info info = device->info;
    static float found[TEXTS * MOST_COLUMNS];
    static int32_t tokens[TEXTS * CONTEXT];
    assert_ok(vb_gpu_scenes_make(&scene, 1, 4, &err));
    make_beginnings(&scene, tokens);
    for (int i = 1; i < TEXTS; i++) memcpy(tokens + i * CONTEXT, tokens, CONTEXT * sizeof *tokens);
    vb_text_input texts = scene.texts;
    texts.tokens = tokens;
    texts.context = NULL;
    device->info.memory = 16;
    int launches = 0, status = -1;
    char fault[64];
    for (; status; launches++) {
        snprintf(fault, sizeof fault, "device-launch:%d:EIO", launches + 1);
        vb_fault_setup(fault, 0);
        status = run_texts(&scene, &texts, 1, true, found);
        assert_true(launches < 1000);
    }
    vb_fault_setup(fault, 0); /* at the first launch that is one too many */
    assert_false(run_texts(&scene, &texts, TEXTS, true, found));
    vb_fault_setup(NULL, 0);
    device->info = info;
    vb_gpu_scenes_free(&scene);
}

/* Of the pieces one fails at its end, when the next one is queued already: nothing of it comes, and the driver says so. */
static int reads, failing_read, live_events;
static cl_event failing_event;
static cl_int failing_state;
static cl_int CL_API_CALL counted_marker(cl_command_queue queue, cl_uint count, const cl_event *events, cl_event *event) {
    live_events++;
    return real.EnqueueMarkerWithWaitList(queue, count, events, event);
}
static cl_int CL_API_CALL lost_read(cl_command_queue queue, cl_mem buffer, cl_bool waits, size_t at, size_t size, void *to,
                                    cl_uint count, const cl_event *events, cl_event *event) {
    static char elsewhere[1 << 16];
    const bool fails = ++reads == failing_read;
    assert_true(size <= sizeof elsewhere);
    live_events++;
    const cl_int code = real.EnqueueReadBuffer(queue, buffer, waits, at, size, fails ? elsewhere : to, count, events, event);
    if (fails) failing_event = *event;
    return code;
}
static cl_int CL_API_CALL lost_state(cl_event event, cl_event_info info, size_t size, void *value, size_t *written) {
    const cl_int code = real.GetEventInfo(event, info, size, value, written);
    if (event == failing_event) memcpy(value, &failing_state, sizeof failing_state);
    return code;
}
static cl_int CL_API_CALL counted_release(cl_event event) {
    live_events--;
    if (event == failing_event) failing_event = NULL; /* another one may get its address */
    return real.ReleaseEvent(event);
}

/* Runs of `input` in pieces of some two items, with the rows of one piece after the other lost. */
static void lose_every_piece(const vb_program *program, const vb_engine_input *input, int64_t n, const float *expected) {
    const vb_gpu_device_info info = device->info;
    const size_t one = vb_program_floats(program, 1, program->text_rows),
                 count = (size_t)n * (size_t)program->values[program->result].columns;
    float *found = malloc(count * sizeof *found);
    for (int memory = 1; memory >= 0; memory--) { /* what failed for lack of memory is tried again */
        failing_state = memory ? CL_OUT_OF_RESOURCES : CL_INVALID_COMMAND_QUEUE;
        for (failing_read = 1, reads = 1; failing_read <= reads; failing_read++) {
            vb_error err = {0};
            vb_gpu_engine *engine;
            device->info.memory = 40 * one;
            assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
            const vb_engine_options options = {.threads = 1, .device = vb_gpu_engine_interface(engine)};
            memset(found, 0, count * sizeof *found);
            real = device->cl;
            device->cl.EnqueueMarkerWithWaitList = counted_marker;
            device->cl.EnqueueReadBuffer = lost_read;
            device->cl.GetEventInfo = lost_state;
            device->cl.ReleaseEvent = counted_release;
            reads = live_events = 0;
            const int status = vb_engine_run(program, input, n, found, &options, &err);
            device->cl = real;
            device->info = info;
            assert_true(reads >= failing_read && !live_events && !failing_event);
            assert_int_equal(vb_gpu_engine_retries(engine), memory);
            assert_int_equal(status, memory - 1);
            if (memory) assert_memory_equal(found, expected, count * sizeof *found);
            else assert_true(err.code == VB_EDEVICE && strstr(err.text, ": a kernel: CL_INVALID_COMMAND_QUEUE (-36)"));
            vb_gpu_engine_close(engine);
            if (failing_read == 3) break; /* each of the two places, and the first again */
        }
        assert_int_equal(failing_read, 3);
    }
    free(found);
    assert_true(device->in_use == 64);
}

static void a_piece_that_fails_at_its_end_is_computed_again(void **state) {
    (void)state;
    enum { PICTURES = 9 };
    need_device();
    vb_error err = {0};
    vb_gpu_scene scene;
    static float expected[TEXTS * MOST_COLUMNS];
    static int32_t tokens[TEXTS * CONTEXT];
    const vb_engine_options options = {.threads = 1};
    assert_ok(vb_gpu_scenes_make(&scene, 0, 3, &err));
    const size_t floats = PICTURES * scene.program.picture;
    float *pixels = malloc(floats * sizeof *pixels);
    uint32_t seed = 8;
    for (size_t i = 0; i < floats; i++) pixels[i] = random_short_float(&seed);
    const vb_engine_input pictures = {.pixels = pixels};
    assert_ok(vb_engine_run(&scene.program, &pictures, PICTURES, expected, &options, &err));
    lose_every_piece(&scene.program, &pictures, PICTURES, expected);
    vb_gpu_scenes_free(&scene);
    free(pixels);
    assert_ok(vb_gpu_scenes_make(&scene, 1, 4, &err));
    make_beginnings(&scene, tokens);
    vb_text_input texts = scene.texts;
    texts.tokens = tokens;
    texts.context = NULL;
    const vb_engine_input input = {.texts = &texts};
    assert_false(run_texts(&scene, &texts, TEXTS, false, expected));
    lose_every_piece(&scene.program, &input, TEXTS, expected);
    vb_gpu_scenes_free(&scene);
}

static size_t largest_made;
static cl_mem CL_API_CALL small_buffers(cl_context context, cl_mem_flags flags, size_t size, void *from, cl_int *code) {
    *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    return size > largest_made ? NULL : real.CreateBuffer(context, flags, size, from, code);
}

/* Many pictures of a patch each fit into the work space of one that is full, but not all their pixels into as much. */
static void small_pictures_go_in_smaller_pieces_too(void **state) {
    (void)state;
    enum { MANY = 300 };
    need_device();
    vb_error err = {0};
    vb_gpu_scene scene;
    static float expected[MANY * MOST_COLUMNS], found[MANY * MOST_COLUMNS];
    static vb_patch_grid grids[MANY];
    assert_ok(vb_gpu_scenes_make(&scene, 3, 3, &err));
    const vb_program *program = &scene.program;
    const size_t floats = MANY * program->picture, columns = (size_t)program->values[program->result].columns;
    float *pixels = malloc(floats * sizeof *pixels);
    uint32_t seed = 8;
    for (size_t i = 0; i < floats; i++) pixels[i] = random_short_float(&seed);
    for (int i = 0; i < MANY; i++) grids[i] = (vb_patch_grid){1, 1 + i % 2};
    const vb_engine_input input = {.pixels = pixels, .grids = grids};
    vb_gpu_engine *engine;
    vb_engine_options options = {.threads = 1};
    assert_ok(vb_engine_run(program, &input, MANY, expected, &options, &err));
    assert_ok(vb_gpu_engine_open(&engine, device, 1, &err));
    options.device = vb_gpu_engine_interface(engine);
    largest_made = vb_program_floats(program, 1, program->text_rows) * sizeof(float);
    real = device->cl;
    device->cl.CreateBuffer = small_buffers;
    const int status = vb_engine_run(program, &input, MANY, found, &options, &err);
    device->cl = real;
    if (status) fail_msg("%s", err.text);
    assert_memory_equal(found, expected, MANY * columns * sizeof *found);
    assert_true(vb_gpu_engine_retries(engine) > 0);
    vb_gpu_engine_close(engine);
    vb_gpu_scenes_free(&scene);
    free(pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(less_memory_means_smaller_pieces),
                                       cmocka_unit_test(bytes_are_normalised_on_the_device),
                                       cmocka_unit_test(what_fails_says_so),
                                       cmocka_unit_test(a_run_is_stopped_between_layers),
                                       cmocka_unit_test(texts_share_their_beginnings),
                                       cmocka_unit_test(the_next_piece_is_queued_before_rows_are_awaited),
                                       cmocka_unit_test(every_launch_may_fail_once),
                                       cmocka_unit_test(more_texts_than_are_ordered_at_once),
                                       cmocka_unit_test(equal_texts_are_computed_once),
                                       cmocka_unit_test(a_piece_that_fails_at_its_end_is_computed_again),
                                       cmocka_unit_test(small_pictures_go_in_smaller_pieces_too)};
    const int failed = cmocka_run_group_tests(tests, make_scratch, remove_scratch);
    vb_gpu_device_close(device);
    return failed;
}
