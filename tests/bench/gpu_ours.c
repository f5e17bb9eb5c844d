/* How fast a device is with our kernels: the peak of its fused multiply-adds, products at encoder shapes, image towers of full
 * size, the best of many rows. Text on stdout, JSON into a file (tests/bench/gpu.sh reads it).
 *
 * gpu_ours FILE.json DEVICE LAYERS BATCH CORPUS    DEVICE: its number in `vocabench devices`; LAYERS of the towers, images of a
 * batch, rows that are searched: 0: all of them on a GPU, and few on a processor. Code 10: there is no such device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_best.h"
#include "kernels/gpu/gpu_check.h"
#include "kernels/gpu/gpu_choice.h"
#include "kernels/gpu/gpu_engine.h"
#include "kernels/gpu/gpu_trial.h"
#include "tests/bench/gpu_tower.h"
#include "tests/bench/peak.h"

typedef struct bench {
    vb_gpu_device *device;
    FILE *json;
    int layers, batch;
    int64_t corpus;
    double peak, moment; /* GFLOP/s; seconds of a measurement */
} bench;

/* ---- the peak: chains in registers, nothing loaded ---- */

static const char peak_text[] =
    "__kernel void peak(__global float *out, int rounds) {\n"
    "    const int at = (int)get_global_id(0);\n"
    "    const float16 a = (float16)(0.999f), b = (float16)((float)at * 1e-9f);\n"
    "    float16 s[CHAINS];\n"
    "    for (int i = 0; i < CHAINS; i++) s[i] = (float16)((float)i);\n"
    "    for (int r = 0; r < rounds; r++)\n"
    "        for (int i = 0; i < CHAINS; i++) s[i] = fma(s[i], a, b);\n"
    "    float16 sum = s[0];\n"
    "    for (int i = 1; i < CHAINS; i++) sum += s[i];\n"
    "    const float8 half_way = sum.lo + sum.hi;\n"
    "    out[at] = half_way.s0 + half_way.s1 + half_way.s2 + half_way.s3 + half_way.s4 + half_way.s5\n"
    "              + half_way.s6 + half_way.s7;\n"
    "}\n";

static int measure_peak(bench *b, vb_error *err) {
    enum { ITEMS = 64, LANES = 16 };
    vb_gpu_device *device = b->device;
    const bool small = device->info.processor;
    const int chains = small ? 8 : 4;
    const size_t groups = (size_t)device->info.units * (small ? 8 : 128);
    char options[32];
    snprintf(options, sizeof options, "-DCHAINS=%d", chains);
    vb_gpu_module *module;
    cl_mem out = NULL;
    if (vb_gpu_work_module(device, peak_text, options, &module, err)) return -1;
    int status = vb_gpu_work_buffer(device, groups * ITEMS * sizeof(float), &out, err);
    cl_int rounds = small ? 256 : 4096;
    const vb_gpu_argument arguments[] = {VB_GPU_ARGUMENT(out), VB_GPU_ARGUMENT(rounds)};
    const vb_gpu_launch launch = {module, "peak", arguments, 2, {groups, 1, 1}, {ITEMS, 1, 1}};
    for (int run = -1; run < 9 && !status; run++) {
        const double began = vb_gpu_trial_now();
        status = vb_gpu_work_launch(device, &launch, err);
        const cl_int code = status ? 0 : device->cl.Finish(device->queue);
        if (code) status = vb_opencl_failed(code, device->info.name, "clFinish", err);
        const double seconds = vb_gpu_trial_now() - began,
                     rate = 2e-9 * (double)groups * ITEMS * LANES * chains * (double)rounds / seconds;
        if (run >= 0 && rate > b->peak) b->peak = rate;
    }
    vb_gpu_work_release(device, &out, groups * ITEMS * sizeof(float));
    if (status) return -1;
    printf("peak of fused multiply-adds, measured: %.1f GFLOP/s\n\n", b->peak);
    fprintf(b->json, " \"peak_gflops\": %.1f,\n", b->peak);
    return 0;
}

/* ---- products ---- */

static const struct {
    const char *name;
    int tokens, columns, depth; /* tokens an image */
    vb_dtype type;
} shapes[] = {{"B/32 qkv", 50, 2304, 768, VB_F32},     {"B/32 projection", 50, 768, 768, VB_F32},
              {"B/32 MLP in", 50, 3072, 768, VB_F32},  {"B/32 MLP out", 50, 768, 3072, VB_F32},
              {"B/16 MLP in", 197, 3072, 768, VB_F32}, {"L/14 MLP in", 257, 4096, 1024, VB_F32},
              {"L/14 MLP in", 257, 4096, 1024, VB_F16}};

static int measure_products(const bench *b, vb_error *err) {
    printf("%-28s %22s %10s %8s\n", "product", "rows x columns x depth", "GFLOP/s", "of peak");
    fprintf(b->json, " \"products\": [");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        vb_gpu_trial trial;
        double seconds = 0;
        const int64_t rows = (int64_t)shapes[i].tokens * b->batch;
        int status = vb_gpu_trial_open(&trial, b->device, rows, shapes[i].columns, shapes[i].depth, shapes[i].type, err);
        if (!status) status = vb_gpu_trial_time(&trial, NULL, 5, b->moment / 5, &seconds, err);
        vb_gpu_trial_close(&trial);
        if (status) return -1;
        const double rate = 2e-9 * (double)rows * shapes[i].columns * shapes[i].depth / seconds;
        char size[64];
        snprintf(size, sizeof size, "%lld x %d x %d", (long long)rows, shapes[i].columns, shapes[i].depth);
        printf("%-21s %s %27s %10.1f %6.1f %%\n", shapes[i].name, vb_dtype_name(shapes[i].type), size, rate,
               100 * rate / b->peak);
        fflush(stdout);
        fprintf(b->json,
                "%s\n  {\"name\": \"%s\", \"weights\": \"%s\", \"rows\": %lld, \"columns\": %d, \"depth\": %d, \"gflops\": %.1f, "
                "\"share_of_peak\": %.4f}",
                i ? "," : "", shapes[i].name, vb_dtype_name(shapes[i].type), (long long)rows, shapes[i].columns, shapes[i].depth,
                rate, rate / b->peak);
    }
    fprintf(b->json, "\n ],\n");
    putchar('\n');
    return 0;
}

/* ---- towers ---- */

/* Seconds of a batch, pixels from the host and rows back; and whether the first image's row has the CPU's bits. */
static int time_tower(const bench *b, const vb_program *program, double *seconds, bool *equal, vb_error *err) {
    const size_t picture = program->picture, columns = (size_t)program->values[program->result].columns;
    float *pixels = vb_array((size_t)b->batch * picture, sizeof *pixels, "pixels", err),
          *rows = pixels ? vb_array((size_t)(b->batch + 1) * columns, sizeof *rows, "embeddings", err) : NULL;
    vb_gpu_engine *engine = NULL;
    int status = rows ? vb_gpu_engine_open(&engine, b->device, 1, err) : -1;
    for (size_t i = 0; i < (size_t)b->batch * picture && !status; i++)
        pixels[i] = (float)((i * 2654435761u) >> 8 & 0xffff) / 0x1p15f - 1;
    vb_engine_options options = {.threads = omp_get_max_threads()};
    const vb_engine_input input = {.pixels = pixels};
    if (!status) status = vb_engine_run(program, &input, 1, rows + (size_t)b->batch * columns, &options, err);
    if (!status) options.device = vb_gpu_engine_interface(engine);
    double all = 0;
    for (int run = -1; !status && (run < 2 || all < b->moment); run++) { /* the first uploads and builds */
        const double began = vb_gpu_trial_now();
        status = vb_engine_run(program, &input, b->batch, rows, &options, err);
        const double once = vb_gpu_trial_now() - began;
        if (run >= 0) all += once;
        if (run >= 0 && (!run || once < *seconds)) *seconds = once;
    }
    *equal = !status && !memcmp(rows, rows + (size_t)b->batch * columns, columns * sizeof *rows);
    vb_gpu_engine_close(engine);
    vb_free(pixels);
    vb_free(rows);
    return status;
}

static int measure_towers(const bench *b, vb_error *err) {
    printf("%-12s %7s %7s %12s %10s %8s   %s\n", "tower", "layers", "batch", "images/s", "GFLOP/s", "of peak", "bits of the CPU");
    fprintf(b->json, " \"towers\": [");
    for (int i = 0; i < GPU_VITS; i++) {
        const int layers = b->layers && b->layers < gpu_vits[i].layers ? b->layers : gpu_vits[i].layers;
        vb_program program = {0};
        double seconds = 0;
        bool equal = false;
        int status = gpu_tower_make(&program, &gpu_vits[i], layers, err);
        if (!status) status = time_tower(b, &program, &seconds, &equal, err);
        const double flops = status ? 0 : vb_program_flops(&program, 0);
        vb_program_close(&program);
        if (status) return vb_error_prefix(err, "%s", gpu_vits[i].name);
        const double rate = 1e-9 * flops * b->batch / seconds;
        printf("%-12s %7d %7d %12.1f %10.1f %6.1f %%   %s\n", gpu_vits[i].name, layers, b->batch, b->batch / seconds, rate,
               100 * rate / b->peak, equal ? "yes" : "NO");
        fflush(stdout);
        fprintf(b->json,
                "%s\n  {\"name\": \"%s\", \"layers\": %d, \"of_layers\": %d, \"patch\": %d, \"width\": %d, \"heads\": %d, "
                "\"columns\": %d, \"batch\": %d, \"images_per_second\": %.2f, \"gflop_an_image\": %.3f, \"share_of_peak\": %.4f, "
                "\"equal_to_cpu\": %s}",
                i ? "," : "", gpu_vits[i].name, layers, gpu_vits[i].layers, gpu_vits[i].patch, gpu_vits[i].width,
                gpu_vits[i].heads, gpu_vits[i].columns, b->batch, b->batch / seconds, flops * 1e-9, rate / b->peak,
                equal ? "true" : "false");
    }
    fprintf(b->json, "\n ],\n");
    putchar('\n');
    return 0;
}

/* ---- the best of many rows ---- */

enum { DIM = 512, WANTED = 100, QUERIES = 3 };
static const int64_t query_counts[QUERIES] = {20, 100, 1000};

/* Seconds of products and picks over `rows` rows that lie on the device, in pieces that fit. Factors are 1, since the rows of
 * norm 1 are; the rescoring of what is picked is the CPU's (kernels/search) and not in it. */
static int time_best(const bench *b, int64_t queries, int64_t *piece, double *seconds, vb_error *err) {
    const int64_t most = vb_gpu_best_rows(b->device, queries, DIM, WANTED, b->corpus, 1);
    if (!most) return vb_errorf(err, VB_EMEMORY, "no room for rows on the device");
    *piece = most;
    const vb_gpu_best_shape shape = {.queries = queries, .dim = DIM, .wanted = WANTED, .rows = most};
    float *asked = vb_array((size_t)queries * DIM, sizeof *asked, "queries", err),
          *floors = vb_array(2 * (size_t)queries, sizeof *floors, "floors", err),
          *factors = vb_array((size_t)most, sizeof *factors, "factors", err);
    uint16_t *rows = vb_array((size_t)most * DIM, sizeof *rows, "rows", err);
    int status = asked && floors && factors && rows ? 0 : -1;
    uint32_t seed = 3;
    for (int64_t i = 0; i < queries * DIM && !status; i++)
        asked[i] = (float)((int)((seed = seed * 1664525u + 1013904223u) >> 8) - (1 << 23)) * 0x1p-27f;
    for (int64_t i = 0; i < most * DIM && !status; i++)
        rows[i] = (uint16_t)((seed = seed * 1664525u + 1013904223u) >> 16 & 0x83ff) | 0x2400;
    for (int64_t i = 0; i < most && !status; i++) factors[i] = 1;
    for (int64_t i = 0; i < queries && !status; i++) floors[i] = -1e30f, floors[queries + i] = 1e-6f;
    vb_gpu_best *best = NULL;
    if (!status) status = vb_gpu_best_open(&best, b->device, &shape, asked, DIM, err);
    if (!status) status = vb_gpu_best_upload(best, 0, rows, VB_F16, most, err);
    for (int run = -1; run < 3 && !status; run++) {
        vb_gpu_best_picked picked;
        const double began = vb_gpu_trial_now();
        status = vb_gpu_best_multiply(best, 0, VB_F16, most, err);
        if (!status) status = vb_gpu_best_pick(best, factors, floors, floors + queries, &picked, err);
        const double all = (vb_gpu_trial_now() - began) * (double)b->corpus / (double)most;
        if (run >= 0 && (!run || all < *seconds)) *seconds = all;
    }
    vb_gpu_best_close(best);
    vb_free(asked), vb_free(floors), vb_free(factors), vb_free(rows);
    return status;
}

static int measure_best(const bench *b, vb_error *err) {
    printf("the best %d of %lld rows of %d (fp16) that lie on the device\n", WANTED, (long long)b->corpus, DIM);
    fprintf(b->json, " \"retrieval\": {\"rows\": %lld, \"dim\": %d, \"top_k\": %d, \"queries\": [", (long long)b->corpus, DIM,
            WANTED);
    for (int i = 0; i < QUERIES; i++) {
        double seconds = 0;
        int64_t piece = 0;
        if (time_best(b, query_counts[i], &piece, &seconds, err)) return -1;
        printf("%5lld queries %10.2f ms %12.0f queries/s   (pieces of %lld rows)\n", (long long)query_counts[i], 1e3 * seconds,
               (double)query_counts[i] / seconds, (long long)piece);
        fflush(stdout);
        fprintf(b->json, "%s{\"queries\": %lld, \"seconds\": %.6f}", i ? ", " : "", (long long)query_counts[i], seconds);
    }
    fprintf(b->json, "]},\n");
    return 0;
}

/* ---- all ---- */

static void write_text(FILE *json, const char *name, const char *text) {
    fprintf(json, " \"%s\": \"", name);
    for (; *text; text++)
        if (*text == '"' || *text == '\\') fprintf(json, "\\%c", *text);
        else if ((unsigned char)*text < 0x20) fprintf(json, "\\u%04x", (unsigned)*text);
        else fputc(*text, json);
    fprintf(json, "\",\n");
}

static int measure_all(bench *b, vb_error *err) {
    const vb_gpu_device_info *info = vb_gpu_device_facts(b->device);
    char tiles[VB_GPU_TILES_TEXT];
    bool differs;
    if (vb_gpu_choice_measure(b->device, err) || vb_gpu_check_device(b->device, 1, &differs, err)) return -1;
    vb_gpu_tiles_write(b->device, tiles);
    printf("%s, driver %s: equal to the CPU, bit for bit\n%s\n", info->name, info->driver, tiles);
    fprintf(b->json, "{\n");
    write_text(b->json, "device", info->name);
    write_text(b->json, "driver", info->driver);
    write_text(b->json, "tiles", tiles);
    fprintf(b->json, " \"processor\": %s,\n", info->processor ? "true" : "false");
    if (measure_peak(b, err) || measure_products(b, err) || measure_towers(b, err) || measure_best(b, err)) return -1;
    fprintf(b->json, " \"torch\": null\n}\n");
    return 0;
}

int main(int argc, char **argv) {
    vb_error err = {0};
    bench b = {0};
    if (argc != 6) {
        fprintf(stderr, "gpu_ours FILE.json DEVICE LAYERS BATCH CORPUS\n");
        return VB_EUSAGE;
    }
    int status = vb_gpu_device_open(&b.device, atoi(argv[2]), NULL, &err);
    if (!status) {
        const bool small = vb_gpu_device_facts(b.device)->processor;
        b.layers = atoi(argv[3]) ? atoi(argv[3]) : small ? 1 : 0;
        b.batch = atoi(argv[4]) > 0 ? atoi(argv[4]) : small ? 2 : 256;
        b.corpus = atoll(argv[5]) > 0 ? atoll(argv[5]) : small ? 4096 : 1000000;
        b.moment = small ? 0.1 : 1;
        b.json = fopen(argv[1], "w");
        status = b.json ? measure_all(&b, &err) : vb_errorf(&err, VB_EOUTPUT, "%s: cannot be written", argv[1]);
    }
    if (b.json && fclose(b.json) && !status) status = vb_errorf(&err, VB_EOUTPUT, "%s: cannot be written", argv[1]);
    if (status) fprintf(stderr, "gpu_ours: %s\n", err.text);
    vb_gpu_device_close(b.device);
    return status ? err.code : 0;
}
