/* Tests of the pipeline from samples to rows: the rows against images decoded whole, at any number of threads and batch; the
 * first failure in order; stops, faults, lack of memory; bounds on what is taken. */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "mpi/encode/pipeline.h"
#include "shards/images/image.h"

enum { SIDE = 8, DIM = 3, UNITS = 6, MOST = 9, IMAGES = 31 };

/* Units of 9, 1, 0, 7, 9 and 5 images; image 12 is huge beside the others. */
static const int counts[UNITS] = {9, 1, 0, 7, 9, 5};
enum { HUGE_ONE = 12 };

typedef struct picture_file {
    uint8_t *png;
    size_t size;
    char name[16];
    float row[DIM]; /* expected */
} picture_file;
static picture_file files[IMAGES];

static vb_preprocess spec_of(void) { return vb_preprocess_clip(SIDE); }

/* A row that every pixel decides, in an order of its own. */
static void digest_row(const float *pixels, float *row) {
    for (int k = 0; k < DIM; k++) row[k] = 0;
    for (int i = 0; i < 3 * SIDE * SIDE; i++) row[i % DIM] = row[i % DIM] * 0.5f + pixels[i] * (float)(i % 7 + 1);
}

static int make_files(void **state) {
    (void)state;
    vb_error err = {0};
    const vb_preprocess spec = spec_of();
    for (int f = 0; f < IMAGES; f++) {
        const int width = f == HUGE_ONE ? 700 : 5 + f % 11, height = f == HUGE_ONE ? 500 : 4 + f % 7;
        uint8_t *rgb = vb_array((size_t)width * (size_t)height, 3, "test", &err);
        for (int i = 0; rgb && i < 3 * width * height; i++) rgb[i] = (uint8_t)(i * 37 + f * 101 + i / 50);
        snprintf(files[f].name, sizeof files[f].name, "image %d", f);
        if (!rgb || vb_image_encode_png(rgb, width, height, &files[f].png, &files[f].size, &err)) return -1;
        vb_free(rgb);
        vb_image image;
        float pixels[3 * SIDE * SIDE];
        if (vb_image_decode(&image, files[f].png, files[f].size, "x", &err) || vb_preprocess_image(&spec, &image, pixels, &err))
            return -1;
        vb_free(image.pixels);
        digest_row(pixels, files[f].row);
    }
    return 0;
}

static int drop_files(void **state) {
    (void)state;
    for (int f = 0; f < IMAGES; f++) vb_free(files[f].png);
    return 0;
}

/* ---- a source and an engine ---- */

typedef struct unit_state {
    vb_sample samples[MOST];
    int picked[MOST];
    const char *names[MOST];
    float rows[MOST * DIM];
} unit_state;

typedef struct world {
    unsigned broken; /* bits: files that are cut */
    bool skip;
    int prepare_fails;  /* unit, or -1 */
    int engine_refuses; /* an image whose row is not finite, or -1 */
    int engine_fails;   /* call, or -1, with VB_EMEMORY */
    int stop_after;     /* looks; or -1 */
    size_t unit_bytes;
    atomic_int held, most_held, owners, calls, looks, largest;
    int next;
    bool bytes; /* the engine normalises */
} world;

static world fresh(void) { return (world){.prepare_fails = -1, .engine_refuses = -1, .engine_fails = -1, .stop_after = -1}; }

static int prepare(void *context, int64_t number, vb_pipeline_unit *unit, vb_error *err) {
    world *w = context;
    int first = 0;
    if (number != w->next++) return vb_errorf(err, VB_EINTERNAL, "unit %d out of order", (int)number);
    unit_state *u = vb_array(1, sizeof *u, "test unit", err);
    if (!u) return -1;
    w->owners++;
    unit->owner = u;
    if (number == w->prepare_fails) return vb_errorf(err, VB_EMISSING, "unit %d cannot be read", (int)number);
    for (int i = 0; i < number; i++) first += counts[i];
    for (int i = 0; i < counts[number]; i++) {
        const int f = first + i;
        const bool cut = w->broken >> f & 1;
        u->samples[i] = (vb_sample){.name = files[f].name, .bytes = files[f].png, .size = cut ? 30 : files[f].size};
        u->picked[i] = i;
        u->names[i] = files[f].name;
    }
    *unit = (vb_pipeline_unit){.samples = u->samples,
                               .picked = u->picked,
                               .names = u->names,
                               .count = counts[number],
                               .images = counts[number],
                               .skip_broken = w->skip,
                               .bytes = w->unit_bytes,
                               .rows = u->rows,
                               .owner = u};
    const int held = ++w->held;
    if (held > w->most_held) w->most_held = held;
    return 0;
}

static void release(void *context, vb_pipeline_unit *unit) {
    world *w = context;
    unit_state *u = unit->owner;
    memset(u->samples, 0, sizeof u->samples); /* nobody may look at them any more */
    w->held--;
}

static void drop(void *context, vb_pipeline_unit *unit) {
    world *w = context;
    if (unit->owner) w->owners--;
    vb_free(unit->owner);
}

static int encode(void *context, const float *pixels, const vb_patch_grid *grids, int n, float *out, vb_error *err) {
    world *w = context;
    const int call = w->calls++;
    assert_null(grids);
    if (n > w->largest) w->largest = n;
    if (call == w->engine_fails) return vb_errorf(err, VB_EMEMORY, "engine: no memory");
    int status = 0;
    for (int i = 0; i < n; i++) {
        digest_row(pixels + (size_t)i * 3 * SIDE * SIDE, out + (size_t)i * DIM);
        if (w->engine_refuses >= 0 && !memcmp(out + (size_t)i * DIM, files[w->engine_refuses].row, sizeof(float) * DIM))
            status = vb_errorf(err, VB_EDATA, "the embedding of image %d is not finite", i);
    }
    return status;
}

static int encode_bytes(void *context, const uint8_t *bytes, int n, float *out, vb_error *err) {
    enum { FLOATS = 3 * SIDE * SIDE };
    const vb_preprocess spec = spec_of();
    float *pixels = vb_array((size_t)n * FLOATS, sizeof *pixels, "pixels", NULL), values[VB_PREPROCESS_VALUES];
    assert_non_null(pixels);
    vb_preprocess_values(&spec, values);
    for (int i = 0; i < n * FLOATS; i++) {
        const int c = i % 3, at = i % FLOATS / 3;
        pixels[i / FLOATS * FLOATS + c * SIDE * SIDE + at] = values[c * 256 + bytes[i]];
    }
    const int status = encode(context, pixels, NULL, n, out, err);
    vb_free(pixels);
    return status;
}

static int stop(void *context, vb_error *err) {
    world *w = context;
    return w->stop_after >= 0 && w->looks++ >= w->stop_after ? vb_errorf(err, VB_EINCOMPLETE, "stopped by a test") : 0;
}

typedef struct shape {
    int threads, batch, memory;
    bool skip;
} shape;

static int start(vb_pipeline **pipeline, world *w, const shape *s, vb_error *err) {
    static vb_preprocess spec;
    w->skip = s->skip;
    spec = spec_of();
    const vb_pipeline_options options = {.engine = {.encode = encode,
                                                    .encode_bytes = w->bytes ? encode_bytes : NULL,
                                                    .context = w,
                                                    .floats = (size_t)3 * SIDE * SIDE,
                                                    .dim = DIM},
                                         .spec = &spec,
                                         .batch = s->batch,
                                         .threads = s->threads,
                                         .decode_memory = s->memory,
                                         .look = stop,
                                         .look_context = w};
    const vb_pipeline_source source = {.units = UNITS, .prepare = prepare, .release = release, .drop = drop, .context = w};
    return vb_pipeline_open(pipeline, &options, &source, err);
}

/* Goes through all units and checks every row; -1 with the error of the first unit that fails. */
static int go_through(world *w, const shape *s, vb_pipeline_counts *seen, vb_error *err) {
    vb_pipeline *pipeline;
    int status = start(&pipeline, w, s, err), f = 0;
    for (int u = 0; u < UNITS && !status; u++) {
        vb_pipeline_unit unit;
        status = vb_pipeline_next(pipeline, &unit, err);
        for (int i = 0; i < unit.count && !status; i++, f++) {
            const float *row = unit.rows + (size_t)i * DIM;
            const bool broken = w->broken >> f & 1;
            if (unit.outcomes[i].failed != broken) fail_msg("%s: failed %d", files[f].name, unit.outcomes[i].failed);
            if (broken ? !isnan(row[0]) : memcmp(row, files[f].row, sizeof files[f].row) != 0)
                fail_msg("%s: another row with %d threads, batch %d", files[f].name, s->threads, s->batch);
            if (broken && !strstr(unit.outcomes[i].error.text, files[f].name)) fail_msg("%s", unit.outcomes[i].error.text);
        }
        vb_free(unit.outcomes);
        if (unit.owner) drop(w, &unit);
    }
    vb_pipeline_close(pipeline, seen);
    assert_int_equal(w->owners, 0);
    return status;
}

static const shape shapes[] = {{1, 1, 64, false},  {1, 4, 64, false}, {2, 3, 64, false}, {3, 16, 64, false},
                               {8, 64, 64, false}, {8, 2, 64, false}, {2, 16, 2, false}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void rows_do_not_depend_on_threads(void **state) {
    (void)state;
    vb_error err = {0};
    for (int s = 0; s < 2 * SHAPES; s++) {
        world w = fresh();
        vb_pipeline_counts seen;
        w.bytes = s >= SHAPES;
        assert_ok(go_through(&w, &shapes[s % SHAPES], &seen, &err));
        assert_int_equal(seen.pictures, IMAGES);
        assert_true(w.largest <= shapes[s % SHAPES].batch);
        assert_true(seen.decode_most > 0 && seen.decode_most <= (uint64_t)shapes[s % SHAPES].memory << 20);
        assert_int_equal(seen.blocks, w.calls);
    }
}

/* Batches are filled across units: 31 images in blocks of 8 are 3 full ones and the rest, with one decoder or many. */
static void blocks_are_filled(void **state) {
    (void)state;
    vb_error err = {0};
    for (int threads = 1; threads <= 4; threads += 3) {
        world w = fresh();
        vb_pipeline_counts seen;
        assert_ok(go_through(&w, &(shape){threads, 8, 64, false}, &seen, &err));
        assert_int_equal(seen.full, 3);
        assert_true(seen.blocks >= 4);
    }
}

static void broken_images_are_outcomes_or_errors(void **state) {
    (void)state;
    vb_error err = {0};
    for (int s = 0; s < SHAPES; s++) {
        shape its = shapes[s];
        world w = fresh();
        w.broken = 1u << 30 | 1u << 17 | 1u << 12 | 1u << 11; /* 11 and 12 are of the fourth unit, 12 is the huge one's place */
        assert_fails(go_through(&w, &its, NULL, &err), VB_EDATA, "image 11: ");
        w = fresh();
        w.broken = 1u << 30 | 1u << 17 | 1u << 11;
        its.skip = true;
        assert_ok(go_through(&w, &its, NULL, &err));
        w = fresh();
        w.broken = (1u << IMAGES) - 1;
        assert_ok(go_through(&w, &its, NULL, &err));
        assert_int_equal(w.calls, 0);
        w = fresh();
        w.broken = (1u << IMAGES) - 1;
        its.skip = false;
        assert_fails(go_through(&w, &its, NULL, &err), VB_EDATA, "image 0: ");
    }
}

/* An image whose row is not finite is named, whatever block it came in; before and behind a broken one. */
static void the_engine_names_the_image(void **state) {
    (void)state;
    vb_error err = {0};
    for (int s = 0; s < SHAPES; s++) {
        shape its = shapes[s];
        its.skip = s % 2;
        world w = fresh();
        w.engine_refuses = 14;
        w.bytes = s % 3 == 1;
        assert_fails(go_through(&w, &its, NULL, &err), VB_EDATA, "image 14: the embedding of image 0 is not finite");
        its.skip = false;
        w = fresh();
        w.engine_refuses = 14;
        w.broken = 1u << 13;
        assert_fails(go_through(&w, &its, NULL, &err), VB_EDATA, "image 13: PNG");
        w = fresh();
        w.engine_refuses = 14;
        w.broken = 1u << 15;
        assert_fails(go_through(&w, &its, NULL, &err), VB_EDATA, "image 14: the embedding");
        w = fresh();
        w.engine_fails = 0;
        assert_fails(go_through(&w, &its, NULL, &err), VB_EMEMORY, "engine: no memory");
    }
}

static void units_fail_in_order(void **state) {
    (void)state;
    vb_error err = {0};
    for (int s = 0; s < SHAPES; s++) {
        world w = fresh();
        w.prepare_fails = 4;
        assert_fails(go_through(&w, &shapes[s], NULL, &err), VB_EMISSING, "unit 4 cannot be read");
        w = fresh();
        w.prepare_fails = 4;
        w.broken = 1u << 16;
        assert_fails(go_through(&w, &shapes[s], NULL, &err), VB_EDATA, "image 16: ");
        w = fresh();
        w.prepare_fails = 0;
        assert_fails(go_through(&w, &shapes[s], NULL, &err), VB_EMISSING, "unit 0 cannot be read");
    }
}

/* A fault of a decoder is no broken image; those of all decoders name the first image. */
static void faults_of_decoders(void **state) {
    (void)state;
    vb_error err = {0};
    for (int s = 0; s < SHAPES; s++) {
        shape its = shapes[s];
        its.skip = s % 2;
        world w = fresh();
        assert_int_equal(vb_fault_setup("decode:1+:EIO", 0), 0);
        assert_fails(go_through(&w, &its, NULL, &err), VB_EINTERNAL, "image 0: injected fault while decoding");
        w = fresh();
        assert_int_equal(vb_fault_setup("decode:20:ENOMEM", 0), 0);
        assert_fails(go_through(&w, &its, NULL, &err), VB_EMEMORY, ": injected fault while decoding");
        if (its.threads == 1) assert_non_null(strstr(err.text, "image 19: "));
        w = fresh();
        w.broken = 1u << 30 | 1u << 5 | 1u << 4;
        its.skip = false;
        assert_int_equal(vb_fault_setup("decode:5:slow", 0), 0); /* image 4, or one decoded beside it, comes late */
        assert_fails(go_through(&w, &its, NULL, &err), VB_EDATA, "image 4: ");
        vb_fault_setup(NULL, 0);
    }
}

static void memory_for_decoding_is_bounded(void **state) {
    (void)state;
    vb_error err = {0};
    /* The huge image's file has 1 MB, its pixels as many: its rows need a fraction of that beside the file. */
    for (int threads = 1; threads <= 8; threads += 7) {
        world w = fresh();
        vb_pipeline_counts seen;
        assert_ok(go_through(&w, &(shape){threads, 4, 2, false}, &seen, &err));
        assert_true(seen.decode_most > files[HUGE_ONE].size && seen.decode_most <= 2 << 20);
    }
    vb_decode_budget budget;
    vb_decode_budget_open(&budget, 3);
    assert_ok(vb_decode_budget_take(&budget, 3 << 20, "a", 1, 1, &err));
    vb_decode_budget_give(&budget, 3 << 20);
    assert_fails(vb_decode_budget_take(&budget, (3 << 20) + 1, "b.png", 70, 80, &err), VB_EMEMORY,
                 "b.png: decoding its 70x80 pixels takes 4 MiB of memory, decode_memory allows a rank 3 MiB: raise it");
    vb_decode_budget_close(&budget);
}

/* One who asks for memory, and when it got it. */
typedef struct taker {
    vb_decode_budget *budget;
    uint64_t bytes;
    atomic_int *turns;
    int turn;
} taker;

static void *take_memory(void *context) {
    taker *t = context;
    vb_error err = {0};
    if (vb_decode_budget_take(t->budget, t->bytes, "x", 1, 1, &err)) return NULL;
    t->turn = ++*t->turns;
    vb_decode_budget_give(t->budget, t->bytes);
    return NULL;
}

static uint64_t asked(vb_decode_budget *budget, uint64_t *served) {
    pthread_mutex_lock(&budget->lock);
    const uint64_t count = budget->asked;
    *served = budget->served;
    pthread_mutex_unlock(&budget->lock);
    return count;
}

/* Whoever asks beyond what is free waits, and those behind it, though there is enough for them. */
static void memory_is_given_in_turn(void **state) {
    (void)state;
    vb_error err = {0};
    vb_decode_budget budget;
    atomic_int turns = 0;
    uint64_t served;
    pthread_t threads[2];
    vb_decode_budget_open(&budget, 1);
    assert_ok(vb_decode_budget_take(&budget, 600 << 10, "x", 1, 1, &err));
    taker takers[2] = {{&budget, 1 << 20, &turns, 0}, {&budget, 100 << 10, &turns, 0}};
    for (uint64_t t = 0; t < 2; t++) {
        assert_int_equal(pthread_create(&threads[t], NULL, take_memory, &takers[t]), 0);
        while (asked(&budget, &served) < t + 2) sched_yield();
        assert_int_equal(served, 1);
    }
    vb_decode_budget_give(&budget, 600 << 10);
    for (int t = 0; t < 2; t++) pthread_join(threads[t], NULL);
    assert_int_equal(takers[0].turn, 1);
    assert_int_equal(takers[1].turn, 2);
    assert_int_equal(budget.most, 1 << 20);
    vb_decode_budget_close(&budget);
}

/* A stop is seen before an image that comes as a whole is decoded: else this one would be found damaged. */
static void a_stop_waits_for_no_whole_image(void **state) {
    (void)state;
    static const char text[] = "P3 2 1 255 1 2 3 4 5 z\n";
    const vb_preprocess spec = spec_of();
    const vb_sample sample = {.name = "x.ppm", .bytes = (const uint8_t *)text, .size = sizeof text - 1};
    vb_decode_budget budget;
    vb_decode_budget_open(&budget, 1);
    atomic_bool cancelled = false;
    const vb_sample_decoder decoder = {.spec = &spec, .budget = &budget, .cancelled = &cancelled};
    vb_sample_pixels made;
    vb_error err = {0};
    assert_fails(vb_sample_pixels_make(&decoder, &sample, &made, &err), VB_EDATA, "x.ppm: ");
    cancelled = true;
    assert_fails(vb_sample_pixels_make(&decoder, &sample, &made, &err), VB_EINCOMPLETE, "stopped");
    assert_int_equal(budget.used, 0);
    vb_decode_budget_close(&budget);
}

static void stops_end_it(void **state) {
    (void)state;
    vb_error err = {0};
    for (int s = 0; s < SHAPES; s++) {
        for (int after = 0; after < 3; after++) {
            world w = fresh();
            w.stop_after = after;
            vb_error why = {0};
            /* With one block all may be done before the first look. */
            if (go_through(&w, &shapes[s], NULL, &why)) assert_int_equal(why.code, VB_EINCOMPLETE);
            else assert_true(shapes[s].batch >= 16 || after);
        }
        for (int asked = 0; asked < UNITS; asked++) { /* closed early */
            world w = fresh();
            w.unit_bytes = 1;
            vb_pipeline *pipeline;
            assert_ok(start(&pipeline, &w, &shapes[s], &err));
            for (int u = 0; u < asked; u++) {
                vb_pipeline_unit unit;
                assert_ok(vb_pipeline_next(pipeline, &unit, &err));
                vb_free(unit.outcomes);
                drop(&w, &unit);
            }
            vb_pipeline_close(pipeline, NULL);
            assert_int_equal(w.owners, 0);
            assert_int_equal(w.held, 0);
        }
    }
}

/* Units are read ahead until so many bytes are held, not more. */
static void reading_ahead_is_bounded(void **state) {
    (void)state;
    vb_error err = {0};
    for (int threads = 1; threads <= 8; threads += 7) {
        world w = fresh();
        w.unit_bytes = VB_UNIT_BYTES;
        assert_ok(go_through(&w, &(shape){threads, 4, 64, false}, NULL, &err));
        assert_int_equal(w.most_held, 1);
        assert_int_equal(w.held, 0);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    vb_error err = {0};
    for (int s = 0; s < SHAPES; s += 3)
        for (int n = 1;; n += 1 + n / 24) {
            char fault[32];
            world w = fresh();
            snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
            assert_int_equal(vb_fault_setup(fault, 0), 0);
            const int status = go_through(&w, &shapes[s], NULL, &err);
            vb_fault_setup(NULL, 0);
            if (!status) break;
            if (err.code != VB_EMEMORY) fail_msg("allocation %d: code %d: %s", n, err.code, err.text);
            assert_true(n < 5000);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_do_not_depend_on_threads),
        cmocka_unit_test(blocks_are_filled),
        cmocka_unit_test(broken_images_are_outcomes_or_errors),
        cmocka_unit_test(the_engine_names_the_image),
        cmocka_unit_test(units_fail_in_order),
        cmocka_unit_test(faults_of_decoders),
        cmocka_unit_test(memory_for_decoding_is_bounded),
        cmocka_unit_test(memory_is_given_in_turn),
        cmocka_unit_test(a_stop_waits_for_no_whole_image),
        cmocka_unit_test(stops_end_it),
        cmocka_unit_test(reading_ahead_is_bounded),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_files, drop_files);
}
