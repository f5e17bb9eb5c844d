/* The pipeline from JPEG files to rows, as ratios of what is measured beside it:
 *
 *   decoding  processor time of a decoder: libjpeg, and resizing
 *   fed       a pretended engine that sleeps, 20 times as fast as two cores with ViT-B/32: images a second against what the same
 *             decoders do alone, or the engine where that is less; also with an engine that takes no time. Over pictures
 *             enough that filling and emptying the pipeline, a batch each, count for little
 *   encoding  ViT-B/32 with random weights from JPEG files against encoding alone: seconds of the processor and of the clock
 *
 * bench_pipeline [IMAGES [ROUNDS]] */
#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/base/memory.h"
#include "kernels/towers/clip.h"
#include "mpi/encode/pipeline.h"
#include "shards/images/image.h"
#include "shards/images/thumbnail.h"
#include "tests/bench/median.h"

enum {
    BATCH = 16,
    UNIT = 32,
    REPEAT = 8,
    MEMORY = 512, /* MiB for decoding */
    MOST_ROUNDS = 15,
    DIM = 512,
    LAYERS = 12,
    WIDTH = 768,
    PATCH = 32,
    TENSORS = 12 * LAYERS + 9
};

static double clock_of(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of the clock and of the processor. */
typedef struct seconds {
    double wall, cpu;
} seconds;
static seconds now(void) { return (seconds){clock_of(CLOCK_MONOTONIC), clock_of(CLOCK_PROCESS_CPUTIME_ID)}; }
static seconds since(seconds begun) {
    const seconds end = now();
    return (seconds){end.wall - begun.wall, end.cpu - begun.cpu};
}

static void fail(const vb_error *err) {
    fprintf(stderr, "bench_pipeline: %s\n", err->text);
    exit(1);
}

/* ---- pictures ---- */

static uint32_t random_state = 1;
static float random_unit(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return (float)(random_state >> 8) / 16777216.0f;
}

/* Smooth shapes and grain, of which a JPEG has about 4 bits a pixel as ImageNet's do. */
static vb_sample picture(int width, int height) {
    vb_error err = {0};
    vb_image image = {.mode = VB_MODE_RGB, .width = width, .height = height};
    if (!(image.pixels = vb_array((size_t)width * (size_t)height, 3, "picture", &err))) fail(&err);
    const float a = 0.01f + 0.03f * random_unit(), b = 0.01f + 0.03f * random_unit(), c = 6 * random_unit();
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int k = 0; k < 3; k++) {
                const float shape = 60 * sinf(a * (float)x + (float)k) + 40 * sinf(b * (float)y + c), grain = 70 * random_unit();
                image.pixels[3 * ((size_t)y * (size_t)width + (size_t)x) + (size_t)k] = (uint8_t)(92 + 0.8f * shape + grain);
            }
    uint8_t *jpeg;
    size_t size;
    int w, h;
    if (vb_thumbnail(&image, 1 << 16, &jpeg, &size, &w, &h, &err)) fail(&err);
    vb_free(image.pixels);
    return (vb_sample){.name = "picture", .bytes = jpeg, .size = size};
}

typedef struct pictures {
    vb_sample *samples;
    int count;
} pictures;

static pictures make_pictures(int count, bool mixed) {
    vb_error err = {0};
    pictures made = {vb_array((size_t)count, sizeof *made.samples, "pictures", &err), count};
    if (!made.samples) fail(&err);
    for (int i = 0; i < count; i++)
        made.samples[i] = mixed && i == count / 3 ? picture(6000, 4000) :
                          mixed && i % 16 == 5    ? picture(2048, 1536) :
                          mixed && i % 2          ? picture(64, 48) :
                          i % 2                   ? picture(500, 375) :
                                                    picture(375, 500);
    return made;
}

static void free_pictures(pictures *made) {
    for (int i = 0; i < made->count; i++) vb_free((void *)(uintptr_t)made->samples[i].bytes);
    vb_free(made->samples);
}

/* ---- ViT-B/32, its image tower alone ---- */

typedef struct tower {
    vb_named_tensor items[TENSORS];
    char names[TENSORS][64];
    vb_tensor_set set;
} tower;

static void add(tower *t, const char *name, float scale, int dims, const int64_t *shape) {
    vb_error err = {0};
    vb_named_tensor *item = &t->items[t->set.count];
    snprintf(t->names[t->set.count], sizeof t->names[0], "visual.%s", name);
    *item = (vb_named_tensor){.name = t->names[t->set.count++], .tensor = {.dtype = VB_F32, .ndim = dims}};
    for (int i = 0; i < dims; i++) item->tensor.shape[i] = shape[i];
    vb_tensor_pack_strides(&item->tensor);
    const int64_t n = vb_tensor_count(&item->tensor);
    float *data = vb_buffer((size_t)n, sizeof *data, "weights", &err);
    if (!data) fail(&err);
    for (int64_t i = 0; i < n; i++) data[i] = scale < 0 ? 1 : scale * (random_unit() - 0.5f);
    item->tensor.data = data;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const vb_named_tensor *)a)->name, ((const vb_named_tensor *)b)->name);
}

static tower *make_tower(void) {
    static const struct {
        const char *name;
        float scale;
        int rows, columns;
    } parts[12] = {
        {"attn.in_proj_weight", 0.06f, 3, 1}, {"attn.in_proj_bias", 0.02f, 3, 0}, {"attn.out_proj.weight", 0.06f, 1, 1},
        {"attn.out_proj.bias", 0.02f, 1, 0},  {"mlp.c_fc.weight", 0.06f, 4, 1},   {"mlp.c_fc.bias", 0.02f, 4, 0},
        {"mlp.c_proj.weight", 0.03f, 1, 4},   {"mlp.c_proj.bias", 0.02f, 1, 0},   {"ln_1.weight", -1, 1, 0},
        {"ln_1.bias", 0.02f, 1, 0},           {"ln_2.weight", -1, 1, 0},          {"ln_2.bias", 0.02f, 1, 0}};
    vb_error err = {0};
    tower *t = vb_array(1, sizeof *t, "tower", &err);
    if (!t) fail(&err);
    t->set.items = t->items;
    add(t, "class_embedding", 0.06f, 1, (int64_t[]){WIDTH});
    add(t, "positional_embedding", 0.06f, 2, (int64_t[]){50, WIDTH});
    add(t, "conv1.weight", 0.06f, 4, (int64_t[]){WIDTH, 3, PATCH, PATCH});
    add(t, "proj", 0.06f, 2, (int64_t[]){WIDTH, DIM});
    for (int ln = 0; ln < 2; ln++) {
        add(t, ln ? "ln_post.weight" : "ln_pre.weight", -1, 1, (int64_t[]){WIDTH});
        add(t, ln ? "ln_post.bias" : "ln_pre.bias", 0.02f, 1, (int64_t[]){WIDTH});
    }
    for (int layer = 0; layer < LAYERS; layer++)
        for (int i = 0; i < 12; i++) {
            char name[64];
            snprintf(name, sizeof name, "transformer.resblocks.%d.%s", layer, parts[i].name);
            add(t, name, parts[i].scale, parts[i].columns ? 2 : 1, (int64_t[]){parts[i].rows * WIDTH, parts[i].columns * WIDTH});
        }
    qsort(t->items, t->set.count, sizeof *t->items, by_name);
    return t;
}

static vb_clip *open_tower(const tower *t, int threads) {
    vb_error err = {0};
    vb_clip *clip;
    const vb_clip_options options = {.family = vb_family_find("clip"),
                                     .stated = {.image = {true, VB_QUICK_GELU, WIDTH / 64, 0}},
                                     .threads = threads};
    if (vb_clip_open(&clip, &t->set, &options, &err)) fail(&err);
    return clip;
}

/* ---- engines ---- */

typedef struct engine {
    vb_clip *clip;  /* or */
    double picture; /* seconds of a picture, slept; 0: none at all */
} engine;

static int encode(void *context, const float *pixels, const vb_patch_grid *grids, int n, float *out, vb_error *err) {
    const engine *e = context;
    (void)grids;
    if (e->clip) return vb_clip_encode_images(e->clip, pixels, n, out, err);
    const double all = e->picture * n;
    const struct timespec sleep = {.tv_sec = (time_t)all, .tv_nsec = (long)(1e9 * (all - floor(all)))};
    if (all > 0) nanosleep(&sleep, NULL);
    memset(out, 0, (size_t)n * DIM * sizeof *out);
    return 0;
}

/* ---- the pipeline, and its decoders alone ---- */

typedef struct job {
    const pictures *from;
    int count; /* its pictures, over and over */
    const vb_preprocess *spec;
    int *picked;
    const char **names;
    float *rows;
    atomic_int next;
    vb_decode_budget budget;
} job;

static int prepare(void *context, int64_t number, vb_pipeline_unit *unit, vb_error *err) {
    const job *j = context;
    const int first = (int)number * UNIT, count = j->count - first < UNIT ? j->count - first : UNIT;
    (void)err;
    *unit = (vb_pipeline_unit){.samples = j->from->samples,
                               .picked = j->picked + first,
                               .names = j->names + first,
                               .count = count,
                               .images = count,
                               .bytes = 1,
                               .rows = j->rows + (size_t)first * DIM};
    return 0;
}

static void keep(void *context, vb_pipeline_unit *unit) {
    (void)context;
    (void)unit;
}

static seconds time_pipeline(job *j, engine *e, int threads, vb_pipeline_counts *counts) {
    vb_error err = {0};
    vb_pipeline *pipeline;
    const vb_pipeline_options options = {
        .engine = {.encode = encode, .context = e, .floats = vb_preprocess_floats(j->spec), .dim = DIM},
        .spec = j->spec,
        .batch = BATCH,
        .threads = threads,
        .decode_memory = MEMORY};
    const vb_pipeline_source source = {
        .units = (j->count + UNIT - 1) / UNIT, .prepare = prepare, .release = keep, .drop = keep, .context = j};
    const seconds begun = now();
    if (vb_pipeline_open(&pipeline, &options, &source, &err)) fail(&err);
    for (int64_t u = 0; u < source.units; u++) {
        vb_pipeline_unit unit;
        if (vb_pipeline_next(pipeline, &unit, &err)) fail(&err);
        vb_free(unit.outcomes);
    }
    vb_pipeline_close(pipeline, counts);
    return since(begun);
}

static void *decode_alone(void *context) {
    job *j = context;
    const vb_sample_decoder decoder = {.spec = j->spec, .budget = &j->budget};
    vb_error err = {0};
    float *pixels = vb_buffer(vb_preprocess_floats(j->spec), sizeof *pixels, "pixels", &err);
    for (int i; (i = atomic_fetch_add(&j->next, 1)) < j->count;) {
        vb_sample_pixels made;
        if (!pixels || vb_sample_pixels_make(&decoder, &j->from->samples[j->picked[i]], &made, &err)) fail(&err);
        vb_preprocess_normalise(j->spec, &made.square, pixels);
        vb_free(made.square.pixels);
    }
    vb_free(pixels);
    return NULL;
}

static seconds time_decoders(job *j, int threads) {
    pthread_t more[64];
    const seconds begun = now();
    atomic_store(&j->next, 0);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&more[i], NULL, decode_alone, j)) exit(1);
    for (int i = 0; i < threads; i++) pthread_join(more[i], NULL);
    return since(begun);
}

static void begin_job(job *j, const pictures *from, int times, const vb_preprocess *spec) {
    vb_error err = {0};
    *j = (job){.from = from, .count = times * from->count, .spec = spec};
    j->picked = vb_array((size_t)j->count, sizeof *j->picked, "job", &err);
    j->names = vb_array((size_t)j->count, sizeof *j->names, "job", &err);
    j->rows = vb_array((size_t)j->count * DIM, sizeof *j->rows, "job", &err);
    if (!j->picked || !j->names || !j->rows) fail(&err);
    for (int i = 0; i < j->count; i++) {
        j->picked[i] = i % from->count;
        j->names[i] = "picture";
    }
    vb_decode_budget_open(&j->budget, MEMORY);
}

static void end_job(job *j) {
    vb_free(j->picked);
    vb_free(j->names);
    vb_free(j->rows);
    vb_decode_budget_close(&j->budget);
}

/* ---- what is printed ---- */

static void print_fed(const char *what, const pictures *from, const vb_preprocess *spec, double engine_rate, int threads,
                      int rounds) {
    double ratio[MOST_ROUNDS], free_ratio[MOST_ROUNDS], alone[MOST_ROUNDS];
    vb_pipeline_counts counts;
    job j;
    begin_job(&j, from, REPEAT, spec);
    for (int r = 0; r < rounds; r++) {
        engine sleeps = {.picture = 1 / engine_rate}, none = {0};
        const double before = time_decoders(&j, threads).wall, fed = time_pipeline(&j, &sleeps, threads, &counts).wall,
                     after = time_decoders(&j, threads).wall, open = time_pipeline(&j, &none, threads, NULL).wall;
        alone[r] = j.count / (0.5 * (before + after));
        ratio[r] = j.count / fed / fmin(alone[r], engine_rate);
        free_ratio[r] = j.count / open / alone[r];
    }
    printf(
        "fed       %-8s %d decoder%s  decoders alone %7.1f images/s  engine %7.1f  pipeline / the less %.3f  without engine %.3f"
        "  decoding memory %.1f MiB\n",
        what, threads, threads > 1 ? "s:" : ": ", median(alone, rounds), engine_rate, median(ratio, rounds),
        median(free_ratio, rounds), (double)counts.decode_most / (1 << 20));
    end_job(&j);
}

/* Where a decoder's time goes, on one thread: whole planes, then resized, against row by row. */
static void print_parts(const pictures *from, const vb_preprocess *spec, int rounds) {
    vb_error err = {0};
    double decode[MOST_ROUNDS], resize[MOST_ROUNDS], rows[MOST_ROUNDS];
    float *pixels = vb_buffer(vb_preprocess_floats(spec), sizeof *pixels, "pixels", &err);
    job j;
    if (!pixels) fail(&err);
    begin_job(&j, from, 1, spec);
    for (int r = 0; r < rounds; r++) {
        decode[r] = resize[r] = 0;
        for (int i = 0; i < from->count; i++) {
            vb_image image;
            const seconds begun = now();
            if (vb_image_decode(&image, from->samples[i].bytes, from->samples[i].size, "picture", &err)) fail(&err);
            decode[r] += since(begun).cpu;
            const seconds decoded = now();
            if (vb_preprocess_image(spec, &image, pixels, &err)) fail(&err);
            resize[r] += since(decoded).cpu;
            vb_free(image.pixels);
        }
        atomic_store(&j.next, 0);
        const seconds begun = now();
        decode_alone(&j);
        rows[r] = since(begun).cpu;
    }
    const double ms = 1e3 / from->count;
    printf("decoding  whole %.2f ms an image + resize, normalise %.2f ms; row by row %.2f ms together\n",
           ms * median(decode, rounds), ms * median(resize, rounds), ms * median(rows, rounds));
    end_job(&j);
    vb_free(pixels);
}

/* Images a second of encoding alone. */
static double print_encoding(const pictures *from, const vb_preprocess *spec, const tower *t, int threads, int rounds) {
    vb_error err = {0};
    vb_clip *clip = open_tower(t, threads);
    engine e = {.clip = clip};
    double cpu[MOST_ROUNDS], wall[MOST_ROUNDS], rate[MOST_ROUNDS];
    const size_t floats = vb_preprocess_floats(spec);
    float *pixels = vb_buffer(BATCH * floats, sizeof *pixels, "pixels", &err);
    job j;
    if (!pixels) fail(&err);
    for (size_t i = 0; i < BATCH * floats; i++) pixels[i] = random_unit() - 0.5f;
    begin_job(&j, from, 1, spec);
    for (int r = -1; r < rounds; r++) { /* a first time for the pages */
        const seconds begun = now();
        for (int at = 0; at < from->count; at += BATCH)
            if (encode(&e, pixels, NULL, from->count - at < BATCH ? from->count - at : BATCH, j.rows, &err)) fail(&err);
        const seconds alone = since(begun), all = time_pipeline(&j, &e, threads, NULL);
        if (r < 0) continue;
        cpu[r] = alone.cpu / all.cpu;
        wall[r] = alone.wall / all.wall;
        rate[r] = from->count / alone.wall;
    }
    const double per_second = median(rate, rounds);
    printf("encoding  ViT-B/32 %d thread%s  alone %6.2f images/s  from JPEG / alone: processor %.3f, clock %.3f\n", threads,
           threads > 1 ? "s:" : ": ", per_second, median(cpu, rounds), median(wall, rounds));
    end_job(&j);
    vb_free(pixels);
    vb_clip_close(clip);
    return per_second;
}

int main(int argc, char **argv) {
    const int images = argc > 1 ? atoi(argv[1]) : 96, rounds = argc > 2 ? atoi(argv[2]) : 3;
    if (images < UNIT || rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "bench_pipeline [IMAGES [ROUNDS]]: %d images or more, 1 to %d rounds\n", UNIT, MOST_ROUNDS);
        return 2;
    }
    const vb_preprocess spec = vb_preprocess_clip(224);
    setvbuf(stdout, NULL, _IOLBF, 0);
    pictures usual = make_pictures(images, false), mixed = make_pictures(images, true);
    double bytes = 0;
    for (int i = 0; i < images; i++) bytes += (double)usual.samples[i].size;
    printf("%d JPEGs of 500 x 375, %.0f kB each; mixed: also 64 x 48, 2048 x 1536 and one of 6000 x 4000; %d rounds\n", images,
           1e-3 * bytes / images, rounds);
    print_parts(&usual, &spec, rounds);
    tower *t = make_tower();
    print_encoding(&usual, &spec, t, 1, rounds);
    const double two_cores = print_encoding(&usual, &spec, t, 2, rounds);
    for (size_t i = 0; i < t->set.count; i++) vb_free((void *)(uintptr_t)t->items[i].tensor.data);
    vb_free(t);
    for (int threads = 1; threads <= omp_get_num_procs() && threads <= 64; threads *= 2) {
        print_fed("usual", &usual, &spec, 20 * two_cores, threads, rounds);
        print_fed("mixed", &mixed, &spec, 20 * two_cores, threads, rounds);
    }
    free_pictures(&usual);
    free_pictures(&mixed);
    return 0;
}
