/* Speed of the matrix product against the peak of fused multiply-adds, both measured in this run: GFLOP/s, medians, ratios.
 *
 * bench_gemm [threads]...   (1 and 2 when none is given; VOCABENCH_ISA chooses the level) */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/attention.h"
#include "kernels/gemm.h"
#include "kernels/isa.h"
#include "kernels/layers.h"
#include "kernels/memory.h"
#include "tests/bench/peak.h"

enum { TRIES = 9 };

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n) {
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

static void *floats(size_t n) {
    vb_error err;
    float *p = vb_array(n, sizeof *p, "benchmark", &err);
    if (!p) {
        fprintf(stderr, "bench_gemm: %s\n", err.text);
        exit(VB_EMEMORY);
    }
    for (size_t i = 0; i < n; i++) p[i] = (float)(i * 2654435761u % 1000) / 1000 - 0.5f;
    return p;
}

typedef struct shape { const char *what; int64_t m, n, k; vb_dtype dtype; vb_activation activation; int residual; } shape;

/* Rounds alternate with measurements of the peak, so that a slow phase of the machine meets both. */
static void bench_product(const shape *s, int threads) {
    float *a = floats((size_t)(s->m * s->k)), *b = floats((size_t)(s->n * s->k)), *c = floats((size_t)(s->m * s->n));
    float *bias = floats((size_t)s->n);
    vb_gemm_a left = {.data = a, .ld = s->k};
    vb_matrix right = {b, s->dtype, s->n, s->k, s->k, 1};
    if (s->dtype != VB_F32)
        for (int64_t i = 0; i < s->n * s->k; i++) ((uint16_t *)b)[i] = vb_float_to_half(0.25f);
    vb_epilogue e = {.bias = bias, .activation = s->activation, .residual = s->residual ? c : NULL, .ld_residual = s->n};
    double flop = 2.0 * (double)s->m * (double)s->n * (double)s->k, rates[TRIES], peaks[TRIES];
    int repeats = 1 + (int)(1e9 / flop);
    for (int t = -1; t < TRIES; t++) {
        double peak = fma_peak(threads), start = omp_get_wtime();
        for (int r = 0; r < repeats; r++) {
            if (s->residual) memset(c, 0, (size_t)s->n * sizeof *c);
            if (vb_gemm(s->m, &left, &right, c, s->n, &e, threads, NULL)) exit(VB_EMEMORY);
        }
        double seconds = omp_get_wtime() - start;
        if (t >= 0) rates[t] = flop * repeats / seconds / 1e9, peaks[t] = peak;
    }
    double rate = median(rates, TRIES), peak = median(peaks, TRIES);
    printf("%-22s %5lld %5lld %5lld %-5s %7d %9.1f %9.1f %7.1f %%\n", s->what, (long long)s->m, (long long)s->n, (long long)s->k,
           vb_dtype_name(s->dtype), threads, rate, peak, 100 * rate / peak);
    fflush(stdout);
    vb_free(a), vb_free(b), vb_free(c), vb_free(bias);
}

static void bench_attention(int64_t length, int64_t sequences, int heads, int causal, int threads) {
    int64_t width = heads * 64, rows = length * sequences;
    float *qkv = floats((size_t)(rows * width * 3)), *out = floats((size_t)(rows * width));
    int64_t *offsets = floats((size_t)(2 * (sequences + 1)));
    for (int64_t i = 0; i <= sequences; i++) offsets[i] = i * length;
    vb_attention_batch batch = {qkv, qkv + width, qkv + 2 * width, 3 * width, 3 * width, 3 * width, sequences, offsets, NULL,
                                heads, 64, causal, 0.125f};
    double flop = 4.0 * (double)(length * length * width * sequences) / (causal ? 2 : 1), rates[TRIES], peaks[TRIES];
    int repeats = 1 + (int)(3e8 / flop);
    for (int t = -1; t < TRIES; t++) {
        double peak = fma_peak(threads), start = omp_get_wtime();
        for (int r = 0; r < repeats; r++)
            if (vb_attention(&batch, out, width, threads, NULL)) exit(VB_EMEMORY);
        double seconds = omp_get_wtime() - start;
        if (t >= 0) rates[t] = flop * repeats / seconds / 1e9, peaks[t] = peak;
    }
    double rate = median(rates, TRIES), peak = median(peaks, TRIES);
    printf("%-22s %5lld x %3lld %d heads %12d %9.1f %9.1f %7.1f %%\n", causal ? "causal attention" : "attention", (long long)sequences,
           (long long)length, heads, threads, rate, peak, 100 * rate / peak);
    vb_free(qkv), vb_free(out), vb_free(offsets);
}

/* Rows of 768: nanoseconds an element. */
static void bench_layers(void) {
    enum { ROWS = 400, WIDTH = 3072 };
    float *x = floats(ROWS * WIDTH), *y = floats(ROWS * WIDTH);
    static const char *const names[] = {"LayerNorm", "QuickGELU", "GELU", "softmax"};
    for (int layer = 0; layer < 4; layer++) {
        double times[TRIES];
        for (int t = 0; t < TRIES; t++) {
            memcpy(y, x, sizeof *x * ROWS * WIDTH);
            double start = omp_get_wtime();
            if (layer == 0) vb_layer_norm(ROWS, WIDTH, y, WIDTH, x, x, 1e-5f, y, WIDTH, 1);
            else if (layer < 3) vb_activate(ROWS * WIDTH, y, layer == 1 ? VB_QUICK_GELU : VB_GELU, 1);
            else vb_softmax(ROWS, WIDTH, 1, y, WIDTH, 1);
            times[t] = (omp_get_wtime() - start) / (ROWS * WIDTH) * 1e9;
        }
        printf("%-22s %6.3f ns an element, 1 thread\n", names[layer], median(times, TRIES));
    }
    vb_free(x), vb_free(y);
}

int main(int argc, char **argv) {
    static const shape shapes[] = {
        {"projection", 2560, 768, 768, VB_F32, VB_LINEAR, 1},    {"MLP in", 2560, 3072, 768, VB_F32, VB_QUICK_GELU, 0},
        {"MLP out", 2560, 768, 3072, VB_F32, VB_LINEAR, 1},      {"projection, 8 images", 400, 768, 768, VB_F32, VB_LINEAR, 1},
        {"qkv, 8 images", 400, 2304, 768, VB_F32, VB_LINEAR, 0}, {"MLP in, 8 images", 400, 3072, 768, VB_F32, VB_QUICK_GELU, 0},
        {"MLP out, 8 images", 400, 768, 3072, VB_F32, VB_LINEAR, 1}, {"MLP in, 4 images", 200, 3072, 768, VB_F32, VB_QUICK_GELU, 0},
        {"projection, 1 image", 50, 768, 768, VB_F32, VB_LINEAR, 1}, {"MLP in, 1 image", 50, 3072, 768, VB_F32, VB_QUICK_GELU, 0},
        {"MLP out, 1 image", 50, 768, 3072, VB_F32, VB_LINEAR, 1}, {"MLP in, fp16", 400, 3072, 768, VB_F16, VB_QUICK_GELU, 0},
        {"text MLP in", 154, 2048, 512, VB_F32, VB_QUICK_GELU, 0}, {"exact GELU", 400, 3072, 768, VB_F32, VB_GELU, 0},
        {"3x3 conv, 64 channels", 3136, 64, 576, VB_F32, VB_RELU, 0}};
    printf("level %s\n%-22s %5s %5s %5s %-5s %7s %9s %9s %9s\n", vb_isa_name(vb_isa_level()), "product", "M", "N", "K", "B", "threads",
           "GFLOP/s", "peak", "ratio");
    for (int i = argc > 1 ? 1 : 0; i < (argc > 1 ? argc : 2); i++) {
        int threads = argc > 1 ? atoi(argv[i]) : i + 1;
        if (threads < 1) continue;
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) bench_product(shapes + s, threads);
        bench_attention(50, 8, 12, 0, threads);
        bench_attention(197, 4, 12, 0, threads);
        bench_attention(77, 8, 8, 1, threads);
    }
    bench_layers();
    return 0;
}
