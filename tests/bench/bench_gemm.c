/* Speed of the matrix product against the peak of fused multiply-adds, both measured in this run: GFLOP/s and ratios,
 * medians and the best of several. On a machine that others use too, the best is what the code can do.
 *
 * bench_gemm [threads]...   (1 and 2 when none is given; VOCABENCH_ISA chooses the level) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/matrix/attention.h"
#include "kernels/matrix/gemm.h"
#include "kernels/base/isa.h"
#include "kernels/matrix/layers_internal.h"
#include "kernels/base/memory.h"
#include "tests/bench/median.h"
#include "tests/bench/peak.h"
#include "tests/unit/random.h"

enum { TRIES = 15 };

/* Rounds of the work alternate with measurements of the peak, so that a slow phase of the machine meets both. */
static void report(const char *what, int threads, double *rates, double *peaks) {
    double rate = median(rates, TRIES), peak = median(peaks, TRIES); /* sorts: the best is the last */
    printf("%-52s %7d %9.1f %9.1f %7.1f %% %9.1f %7.1f %%\n", what, threads, rate, peak, 100 * rate / peak, rates[TRIES - 1],
           100 * rates[TRIES - 1] / peaks[TRIES - 1]);
    fflush(stdout);
}

static void *floats(size_t n) {
    vb_error err;
    float *p = vb_array(n, sizeof *p, "benchmark", &err);
    if (!p) {
        fprintf(stderr, "bench_gemm: %s\n", err.text);
        exit(VB_EMEMORY);
    }
    uint32_t noise = 1;
    for (size_t i = 0; i < n; i++) p[i] = (float)(int32_t)random_next32(&noise) * 0x1p-33f;
    return p;
}

typedef struct shape {
    const char *what;
    int64_t m, n, k;
    vb_dtype dtype;
    vb_activation activation;
    int residual;
} shape;

static void bench_product(const shape *s, int threads) {
    float *a = floats((size_t)(s->m * s->k)), *b = floats((size_t)(s->n * s->k)), *c = floats((size_t)(s->m * s->n));
    float *bias = floats((size_t)s->n);
    vb_gemm_a left = {.data = a, .ld = s->k};
    vb_matrix right = {b, s->dtype, s->n, s->k, s->k, 1};
    if (s->dtype != VB_F32)
        for (int64_t i = 0; i < s->n * s->k; i++) ((uint16_t *)b)[i] = vb_dtype_float_to_half(0.25f);
    vb_epilogue e = {.bias = bias, .activation = s->activation, .residual = s->residual ? c : NULL, .ld_residual = s->n};
    double flop = 2.0 * (double)s->m * (double)s->n * (double)s->k, rates[TRIES], peaks[TRIES];
    int repeats = 1 + (int)(2e8 / flop);
    for (int t = -1; t < TRIES; t++) {
        double peak = fma_peak(threads), start = bench_seconds(threads);
        for (int r = 0; r < repeats; r++) {
            if (s->residual) memset(c, 0, (size_t)s->n * sizeof *c);
            if (vb_gemm(s->m, &left, &right, c, s->n, &e, threads, NULL)) exit(VB_EMEMORY);
        }
        double seconds = bench_seconds(threads) - start;
        if (t >= 0) rates[t] = flop * repeats / seconds / 1e9, peaks[t] = peak;
    }
    char what[64];
    snprintf(what, sizeof what, "%-24s %5lld x %5lld x %5lld %s", s->what, (long long)s->m, (long long)s->n, (long long)s->k,
             vb_dtype_name(s->dtype));
    report(what, threads, rates, peaks);
    vb_free(a), vb_free(b), vb_free(c), vb_free(bias);
}

static void bench_attention(int64_t length, int64_t sequences, int heads, int causal, int threads) {
    int64_t width = heads * 64, rows = length * sequences;
    float *qkv = floats((size_t)(rows * width * 3)), *out = floats((size_t)(rows * width));
    int64_t *offsets = floats((size_t)(2 * (sequences + 1)));
    for (int64_t i = 0; i <= sequences; i++) offsets[i] = i * length;
    const vb_attention_batch batch = {.query = qkv,
                                      .key = qkv + width,
                                      .value = qkv + 2 * width,
                                      .ld_query = 3 * width,
                                      .ld_key = 3 * width,
                                      .ld_value = 3 * width,
                                      .sequences = sequences,
                                      .offsets = offsets,
                                      .heads = heads,
                                      .head_dim = 64,
                                      .causal = causal,
                                      .scale = 0.125f};
    double flop = 4.0 * (double)(length * length * width * sequences) / (causal ? 2 : 1), rates[TRIES], peaks[TRIES];
    int repeats = 1 + (int)(1e8 / flop);
    for (int t = -1; t < TRIES; t++) {
        double peak = fma_peak(threads), start = bench_seconds(threads);
        for (int r = 0; r < repeats; r++)
            if (vb_attention(&batch, out, width, threads, NULL)) exit(VB_EMEMORY);
        double seconds = bench_seconds(threads) - start;
        if (t >= 0) rates[t] = flop * repeats / seconds / 1e9, peaks[t] = peak;
    }
    char what[64];
    snprintf(what, sizeof what, "%-24s %lld sequences of %lld, %d heads", causal ? "causal attention" : "attention",
             (long long)sequences, (long long)length, heads);
    report(what, threads, rates, peaks);
    vb_free(qkv), vb_free(out), vb_free(offsets);
}

/* Rows of 3072: nanoseconds an element. */
static void bench_layers(void) {
    enum { ROWS = 400, WIDTH = 3072 };
    float *x = floats(ROWS * WIDTH), *y = floats(ROWS * WIDTH);
    static const char *const names[] = {"LayerNorm", "QuickGELU", "GELU", "softmax"};
    for (int layer = 0; layer < 4; layer++) {
        double times[TRIES];
        for (int t = 0; t < TRIES; t++) {
            memcpy(y, x, sizeof *x * ROWS * WIDTH);
            double start = bench_seconds(1);
            if (layer == 0) vb_layers_norm(ROWS, WIDTH, y, WIDTH, x, x, 1e-5f, NULL, y, WIDTH, 1);
            else if (layer < 3) vb_layers_activate(ROWS * WIDTH, y, layer == 1 ? VB_QUICK_GELU : VB_GELU, 1);
            else vb_layers_softmax(ROWS, WIDTH, 1, y, WIDTH, 1);
            times[t] = (bench_seconds(1) - start) / (ROWS * WIDTH) * 1e9;
        }
        printf("%-22s %6.3f ns an element, 1 thread\n", names[layer], median(times, TRIES));
    }
    vb_free(x), vb_free(y);
}

int main(int argc, char **argv) {
    static const shape shapes[] = {{"projection", 2560, 768, 768, VB_F32, VB_LINEAR, 1},
                                   {"MLP in", 2560, 3072, 768, VB_F32, VB_QUICK_GELU, 0},
                                   {"MLP out", 2560, 768, 3072, VB_F32, VB_LINEAR, 1},
                                   {"projection, 8 images", 400, 768, 768, VB_F32, VB_LINEAR, 1},
                                   {"qkv, 8 images", 400, 2304, 768, VB_F32, VB_LINEAR, 0},
                                   {"MLP in, 8 images", 400, 3072, 768, VB_F32, VB_QUICK_GELU, 0},
                                   {"MLP in, 8 images, GELU", 400, 3072, 768, VB_F32, VB_GELU, 0},
                                   {"MLP in, 8 images", 400, 3072, 768, VB_F16, VB_QUICK_GELU, 0},
                                   {"MLP out, 8 images", 400, 768, 3072, VB_F32, VB_LINEAR, 1},
                                   {"projection, 1 image", 50, 768, 768, VB_F32, VB_LINEAR, 1},
                                   {"MLP in, 1 image", 50, 3072, 768, VB_F32, VB_QUICK_GELU, 0},
                                   {"MLP out, 1 image", 50, 768, 3072, VB_F32, VB_LINEAR, 1},
                                   {"MLP in, texts", 154, 2048, 512, VB_F32, VB_QUICK_GELU, 0},
                                   {"3x3 convolution", 3136, 64, 576, VB_F32, VB_RELU, 0}};
    printf("level %s; products are M x N x K\n%-52s %7s %9s %9s %9s %9s %9s\n", vb_isa_name(vb_isa_level()), "GFLOP/s", "threads",
           "median", "peak", "ratio", "best", "ratio");
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
