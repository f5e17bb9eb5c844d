/* What kept weights save: the products of a ViT-B's layer for few rows and many, with weights that each call packs, and with
 * weights that were packed once (gemm.h). Layers are as many as a tower has, so that each call's weights come from memory.
 *
 * bench_kept [THREADS [ROUNDS [ROWS...]]]   (1, 9 and some when not given; VOCABENCH_ISA chooses the level) */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/gemm.h"
#include "tests/bench/median.h"
#include "tests/bench/peak.h"
#include "tests/unit/random.h"

enum { LAYERS = 12, WIDTH = 768, PRODUCTS = 4, MOST_ROWS = 1568, ROUNDS = 64 };

static const struct {
    const char *what;
    int64_t n, k;
} products[PRODUCTS] = {{"qkv", 3 * WIDTH, WIDTH},
                        {"out", WIDTH, WIDTH},
                        {"expand", 4 * WIDTH, WIDTH},
                        {"contract", WIDTH, 4 * WIDTH}};

static const int64_t counts[] = {1, 14, 50, 100, 196, 400, 784, MOST_ROWS};

typedef struct layer {
    vb_matrix weights[PRODUCTS];
    vb_kept kept[PRODUCTS];
} layer;

static float *noise(size_t n) {
    vb_error err = {0};
    float *p = vb_buffer(n, sizeof *p, "benchmark", &err);
    if (!p) {
        fprintf(stderr, "bench_kept: %s\n", err.text);
        exit(err.code);
    }
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) p[i] = (float)(int32_t)random_next32(&state) * 0x1p-35f;
    return p;
}

static double run(const layer *layers, int64_t rows, bool kept, const float *a, float *c, vb_scratch *scratch, int threads) {
    const double start = bench_seconds(threads);
    for (int l = 0; l < LAYERS; l++)
        for (int p = 0; p < PRODUCTS; p++) {
            const vb_gemm_a left = {.data = a, .ld = products[p].k, .kept = kept ? &layers[l].kept[p] : NULL, .scratch = scratch};
            if (vb_gemm(rows, &left, &layers[l].weights[p], c, products[p].n, NULL, threads, NULL)) exit(VB_EMEMORY);
        }
    return bench_seconds(threads) - start;
}

static void report(const layer *layers, int64_t rows, const float *a, float *c, int threads, int rounds) {
    static double seconds[2][ROUNDS], peaks[ROUNDS];
    vb_scratch scratch = {0};
    double flop = 0, rates[2];
    for (int p = 0; p < PRODUCTS; p++) flop += 2.0 * LAYERS * (double)rows * (double)products[p].n * (double)products[p].k;
    for (int round = -1; round < rounds; round++) {
        const int at = round < 0 ? 0 : round;
        peaks[at] = fma_peak(threads);
        for (int kept = 0; kept < 2; kept++) seconds[kept][at] = run(layers, rows, kept, a, c, &scratch, threads);
    }
    const double peak = median(peaks, rounds);
    for (int kept = 0; kept < 2; kept++) rates[kept] = flop / median(seconds[kept], rounds) * 1e-9;
    printf("%5lld %7d %9.2f %9.2f %8.1f %8.1f %8.1f %7.1f %% %7.1f %% %7.3f\n", (long long)rows, threads,
           1e3 * median(seconds[0], rounds), 1e3 * median(seconds[1], rounds), rates[0], rates[1], peak, 100 * rates[0] / peak,
           100 * rates[1] / peak, rates[1] / rates[0]);
    fflush(stdout);
    vb_scratch_free(&scratch);
}

int main(int argc, char **argv) {
    const int threads = argc > 1 ? atoi(argv[1]) : 1, rounds = argc > 2 ? atoi(argv[2]) : 9;
    if (threads < 1 || rounds < 1 || rounds > ROUNDS) {
        fprintf(stderr, "bench_kept [THREADS [ROUNDS, 1 to 64 [ROWS...]]]\n");
        return VB_EUSAGE;
    }
    static layer layers[LAYERS];
    for (int l = 0; l < LAYERS; l++)
        for (int p = 0; p < PRODUCTS; p++) {
            const vb_matrix weight = {
                noise((size_t)(products[p].n * products[p].k)), VB_F32, products[p].n, products[p].k, products[p].k, 1};
            float *kept = noise(vb_gemm_kept_floats(&weight));
            vb_gemm_keep(&weight, kept, threads);
            layers[l].weights[p] = weight;
            layers[l].kept[p] = (vb_kept){kept, vb_gemm_kept_columns()};
        }
    const float *a = noise(MOST_ROWS * 4 * WIDTH);
    float *c = noise(MOST_ROWS * 4 * WIDTH);
    printf("level %s, medians of %d: the products of %d layers of ViT-B\n%5s %7s %9s %9s %8s %8s %8s %9s %9s %7s\n",
           vb_isa_name(vb_isa_level()), rounds, LAYERS, "rows", "threads", "ms", "ms, kept", "GFLOP/s", "kept", "peak", "of peak",
           "kept", "times");
    for (size_t i = 0; argc <= 3 && i < sizeof counts / sizeof *counts; i++) report(layers, counts[i], a, c, threads, rounds);
    for (int i = 3; i < argc; i++)
        if (atoi(argv[i]) >= 1 && atoi(argv[i]) <= MOST_ROWS) report(layers, atoi(argv[i]), a, c, threads, rounds);
    return 0;
}
