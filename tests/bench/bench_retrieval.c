/* Speed of exact retrieval against a plain reading loop, the matrix product and its own fp32 path, all measured in this run.
 *
 * bench_retrieval [rows [queries]...]   (1,000,000 rows of 512 dimensions and 1, 20 and 100 queries when none are given)
 * Rows lie in memory. Rounds of all alternate, so that a slow phase of the machine meets each; medians of the rounds.
 *
 * bench_retrieval --worker rows queries FILE   for race_retrieval.py: writes the rows and the queries to FILE in fp32, then
 * answers each line "fp32|int8|reading|reading8|gemm QUERIES THREADS IDS" with seconds (GFLOP/s for gemm), and writes the lists'
 * row numbers to the file IDS. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/search/coded_scan.h"
#include "kernels/matrix/gemm.h"
#include "kernels/base/memory.h"
#include "tests/bench/median.h"
#include "tests/bench/peak.h"
#include "tests/unit/random.h"

enum { DIM = 512, K = 100, ROUNDS = 5, PIECE = 3840 /* rows that a thread takes at once */ };
enum { USUAL_THREADS = 2, MOST_THREADS = 256 /* of a worker */ };

typedef enum storage { FLOATS, HALVES, BRAINS, CODES, STORAGES } storage;
static const char *const names[STORAGES] = {"fp32", "fp16", "bf16", "int8"};

static int64_t rows;
static float *floats, *queries;
static uint16_t *halves, *brains;
static uint8_t *codes;
static size_t group_bytes;
static vb_coder *coder;

static void die(const vb_error *err) {
    fprintf(stderr, "bench_retrieval: %s\n", err->text);
    exit(err->code);
}

static void *memory(size_t bytes) {
    vb_error err;
    void *p = vb_buffer(bytes + (2 << 20), 1, "benchmark", &err);
    if (!p) die(&err);
    p = (void *)(((uintptr_t)p + (2 << 20) - 1) / (2 << 20) * (2 << 20)); /* never freed */
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

/* CLIP-like: a large coordinate in common, the rest nearly normal; rows of norm 1. */
static void make_row(float *row, uint64_t seed) {
    double square = 0;
    for (int k = 0; k < DIM; k++) {
        float sum = 0;
        for (int i = 0; i < 4; i++) sum += (float)(random_next64(&seed) >> 40) * 0x1p-24f;
        row[k] = (sum - 2) * 0.06f + (k == 133 ? 0.63f : k < 5 ? 0.1f : 0);
        square += (double)row[k] * row[k];
    }
    for (int k = 0; k < DIM; k++) row[k] = (float)(row[k] / sqrt(square));
}

/* halves_too: in 16 bits as well. */
static void make_corpus(int64_t most_queries, bool halves_too) {
    vb_error err;
    float mean[DIM];
    double sum[DIM] = {0};
    floats = memory((size_t)rows * DIM * 4);
    if (halves_too) {
        halves = memory((size_t)rows * DIM * 2);
        brains = memory((size_t)rows * DIM * 2);
    }
    queries = memory((size_t)most_queries * DIM * 4);
    for (int64_t q = 0; q < most_queries; q++) make_row(queries + q * DIM, (uint64_t)q * 977 + 5);
#pragma omp parallel for
    for (int64_t i = 0; i < rows; i++) {
        make_row(floats + i * DIM, (uint64_t)i * 7919 + 1);
        for (int k = 0; k < DIM && halves_too; k++) {
            uint32_t bits;
            memcpy(&bits, floats + i * DIM + k, 4);
            halves[i * DIM + k] = vb_dtype_float_to_half(floats[i * DIM + k]);
            brains[i * DIM + k] = (uint16_t)(bits >> 16);
        }
    }
    for (int64_t i = 0; i < 4096 && i < rows; i++)
        for (int k = 0; k < DIM; k++) sum[k] += floats[i * DIM + k];
    for (int k = 0; k < DIM; k++) mean[k] = (float)(sum[k] / (double)(rows < 4096 ? rows : 4096));
    if (vb_coder_new(&coder, DIM, mean, 1, VB_DOT, &err)) die(&err);
    int64_t groups = (rows + VB_CODER_GROUP - 1) / VB_CODER_GROUP;
    group_bytes = vb_coder_group_bytes(vb_coder_width(coder));
    codes = memory((size_t)groups * group_bytes);
#pragma omp parallel for
    for (int64_t g = 0; g < groups; g++) {
        double work[2 * DIM];
        int64_t not_finite = 0, zero = 0, n = rows - g * VB_CODER_GROUP;
        vb_coder_encode(coder, floats + g * VB_CODER_GROUP * DIM, VB_F32, (int)(n < VB_CODER_GROUP ? n : VB_CODER_GROUP),
                        codes + (size_t)g * group_bytes, work, &not_finite, &zero);
    }
}

static const void *bytes_of(storage kind, size_t *size) {
    static const size_t widths[] = {4, 2, 2};
    *size =
        kind == CODES ? (size_t)((rows + VB_CODER_GROUP - 1) / VB_CODER_GROUP) * group_bytes : (size_t)rows * DIM * widths[kind];
    return kind == FLOATS ? (const void *)floats :
           kind == HALVES ? (const void *)halves :
           kind == BRAINS ? (const void *)brains :
                            codes;
}

/* ---- the plain loop
 * ------------------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static long read_512(const char *p, size_t n) {
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (size_t i = 0; i + 256 <= n; i += 256) {
        a = _mm512_add_epi64(a, _mm512_loadu_si512(p + i));
        b = _mm512_add_epi64(b, _mm512_loadu_si512(p + i + 64));
        c = _mm512_add_epi64(c, _mm512_loadu_si512(p + i + 128));
        d = _mm512_add_epi64(d, _mm512_loadu_si512(p + i + 192));
    }
    return _mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d)));
}
#endif

#if defined(__x86_64__)
__attribute__((target("avx2"))) static long read_256(const char *p, size_t n) {
    __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (size_t i = 0; i + 128 <= n; i += 128)
        for (size_t j = 0; j < 4; j++)
            sum[j] = _mm256_add_epi64(sum[j], _mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32 * j)));
    long parts[4];
    _mm256_storeu_si256((__m256i *)(void *)parts,
                        _mm256_add_epi64(_mm256_add_epi64(sum[0], sum[1]), _mm256_add_epi64(sum[2], sum[3])));
    return parts[0] + parts[1] + parts[2] + parts[3];
}
#endif

static long read_plain(const char *p, size_t n) {
    long sum[8] = {0}, word;
    for (size_t i = 0; i + 64 <= n; i += 64)
        for (int j = 0; j < 8; j++) {
            memcpy(&word, p + i + 8 * (size_t)j, 8);
            sum[j] += word;
        }
    return sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
}

static double time_reading(storage kind, int threads) {
    size_t size, piece = 1 << 20;
    const char *p = bytes_of(kind, &size);
    volatile long keep = 0;
    double start = bench_seconds(threads);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
#if defined(__x86_64__)
        keep = vb_isa_level() >= VB_AVX512 ? read_512(p + at, n) :
               vb_isa_level() >= VB_AVX2   ? read_256(p + at, n) :
                                             read_plain(p + at, n);
#else
        keep = read_plain(p + at, n);
#endif
    }
    (void)keep;
    return bench_seconds(threads) - start;
}

/* ---- the product: what the fp32 units do for our own GEMM at a shape that suits it
 * ---------------------------------------------- */

static double product_rate(int threads) {
    enum { M = 2560, N = 768, DEPTH = 768 };
    static float *c;
    if (!c) c = memory(sizeof(float) * M * N);
    vb_gemm_a a = {.data = floats, .ld = DEPTH};
    vb_matrix b = {floats + M * DEPTH, VB_F32, N, DEPTH, DEPTH, 1};
    double start = bench_seconds(threads);
    if (vb_gemm(M, &a, &b, c, N, NULL, threads, NULL)) exit(VB_EMEMORY);
    return 2.0 * M * N * DEPTH / (bench_seconds(threads) - start) / 1e9;
}

/* ---- the search
 * ----------------------------------------------------------------------------------------------------------------- */

static int read_row(void *context, int64_t id, const void **row, vb_dtype *dtype, vb_error *err) {
    (void)context;
    (void)err;
    *row = floats + id * DIM;
    *dtype = VB_F32;
    return 0;
}

/* Seconds; the row numbers of all lists in ids. */
static double time_search(storage kind, int64_t n, int threads, int64_t *ids) {
    vb_error err;
    vb_search *search;
    vb_coded_queries *coded = NULL;
    vb_scan *scan[MOST_THREADS] = {NULL};
    vb_coded_scan *through[MOST_THREADS] = {NULL};
    size_t size, row_bytes = kind == FLOATS ? DIM * 4 : DIM * 2;
    const char *p = bytes_of(kind, &size);
    static const vb_dtype dtypes[] = {VB_F32, VB_F16, VB_BF16};
    int failed = 0;
    double start = bench_seconds(threads);
    if (vb_search_new(&search, queries, n, DIM, K, VB_DOT, &err)) die(&err);
    if (kind == CODES && vb_coded_queries_new(&coded, coder, queries, n, &err)) die(&err);
    for (int t = 0; t < threads; t++) {
        if (vb_scan_new(&scan[t], search, &err)) die(&err);
        if (coded && vb_coded_scan_new(&through[t], coded, search, scan[t], K, read_row, NULL, &err)) die(&err);
    }
#pragma omp parallel num_threads(threads) reduction(+ : failed)
    {
        int t = omp_get_thread_num();
        vb_error mine;
#pragma omp for schedule(dynamic, 1)
        for (int64_t at = 0; at < rows; at += PIECE) {
            int64_t piece = rows - at < PIECE ? rows - at : PIECE;
            if (coded)
                failed += vb_coded_scan_groups(through[t], p + (size_t)(at / VB_CODER_GROUP) * group_bytes,
                                               (piece + VB_CODER_GROUP - 1) / VB_CODER_GROUP, at, &mine);
            else failed += vb_scan_rows(scan[t], p + (size_t)at * row_bytes, dtypes[kind], piece, at, &mine);
        }
        if (coded) failed += vb_coded_scan_settle(through[t], &mine);
    }
    for (int t = 1; t < threads; t++) vb_topk_merge(vb_scan_topk(scan[0]), vb_scan_topk(scan[t]));
    vb_topk *lists = vb_scan_topk(scan[0]);
    vb_topk_sort(lists);
    double seconds = bench_seconds(threads) - start;
    if (failed) exit(VB_EINTERNAL);
    for (int64_t i = 0; i < n * K; i++) ids[i] = lists->hits[i].id;
    for (int t = 0; t < threads; t++) {
        vb_coded_scan_free(through[t]);
        vb_scan_free(scan[t]);
    }
    vb_coded_queries_free(coded);
    vb_search_free(search);
    return seconds;
}

static bool bench(int threads, int64_t n, int64_t *ids) {
    double search[STORAGES][ROUNDS], reading[STORAGES][ROUNDS], product[ROUNDS], ratio[ROUNDS];
    int64_t *expected = ids + n * K;
    bool same = true;
    for (int r = 0; r < ROUNDS; r++) {
        for (int kind = 0; kind < STORAGES; kind++) {
            reading[kind][r] = time_reading((storage)kind, threads);
            search[kind][r] = time_search((storage)kind, n, threads, kind ? ids : expected);
            if (kind == CODES) same &= !memcmp(ids, expected, (size_t)(n * K) * sizeof *ids);
        }
        product[r] = product_rate(threads);
        ratio[r] = search[FLOATS][r] / search[CODES][r];
    }
    double faster = median(ratio, ROUNDS), gemm = median(product, ROUNDS);
    for (int kind = 0; kind < STORAGES; kind++) {
        size_t size;
        bytes_of((storage)kind, &size);
        double seconds = median(search[kind], ROUNDS), read = median(reading[kind], ROUNDS),
               flop = 2.0 * (double)rows * DIM * (double)n;
        printf("%-5s %7d %8lld %9.1f %10.2f %8.1f %8.1f %6.0f %% %9.1f %6.0f %%", names[kind], threads, (long long)n,
               1e3 * seconds, (double)rows * 1e-6 / seconds, (double)size / seconds / 1e9, (double)size / read / 1e9,
               100 * read / seconds, flop / seconds / 1e9, 100 * flop / seconds / 1e9 / gemm);
        if (kind == CODES) printf("   %.2f times fp32, lists %s", faster, same ? "equal" : "DIFFER");
        printf("\n");
    }
    fflush(stdout);
    return same;
}

/* ---- as one of several runners
 * -------------------------------------------------------------------------------------------------- */

static int worker(int64_t most_queries, const char *path) {
    char line[4200], kind[16], ids_path[4096];
    long long n;
    int threads;
    make_corpus(most_queries, false);
    FILE *file = fopen(path, "wb");
    bool written = file && fwrite(floats, DIM * 4, (size_t)rows, file) == (size_t)rows &&
                   fwrite(queries, DIM * 4, (size_t)most_queries, file) == (size_t)most_queries;
    if ((file && fclose(file)) || !written) {
        fprintf(stderr, "bench_retrieval: %s: cannot be written\n", path);
        return VB_EOUTPUT;
    }
    int64_t *ids = memory((size_t)most_queries * K * sizeof *ids);
    printf("ready %s\n", vb_isa_name(vb_isa_level()));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%15s %lld %d %4095s", kind, &n, &threads, ids_path) != 4 || n < 1 || n > most_queries || threads < 1 ||
            threads > MOST_THREADS) {
            fprintf(stderr, "bench_retrieval: cannot do '%s'\n", line);
            return VB_EUSAGE;
        }
        bool coded = !strcmp(kind, "int8");
        if (!strcmp(kind, "reading")) printf("%.9g\n", time_reading(FLOATS, threads));
        else if (!strcmp(kind, "reading8")) printf("%.9g\n", time_reading(CODES, threads));
        else if (!strcmp(kind, "gemm")) printf("%.9g\n", product_rate(threads));
        else {
            printf("%.9g\n", time_search(coded ? CODES : FLOATS, n, threads, ids));
            file = fopen(ids_path, "wb");
            if (!file || fwrite(ids, K * sizeof *ids, (size_t)n, file) != (size_t)n || fclose(file)) return VB_EOUTPUT;
        }
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv) {
    static const int64_t usual[] = {1, 20, 100};
    int64_t counts[16], count = 0, most = 0;
    if (argc == 5 && !strcmp(argv[1], "--worker")) {
        rows = atoll(argv[2]);
        return worker(atoll(argv[3]), argv[4]);
    }
    rows = argc > 1 ? atoll(argv[1]) : 1000000;
    for (int i = 2; i < argc && count < 16; i++) counts[count++] = atoll(argv[i]);
    for (int i = 0; i < 3 && argc < 3; i++) counts[count++] = usual[i];
    for (int i = 0; i < count; i++) most = counts[i] > most ? counts[i] : most;
    if (rows < 10000 || most < 1) {
        fprintf(stderr, "usage: bench_retrieval [rows [queries]...], at least 10000 rows\n");
        return VB_EUSAGE;
    }
    make_corpus(most, true);
    int64_t *ids = memory((size_t)most * K * 2 * sizeof *ids);
    bool same = true;
    printf("%lld rows of %d dimensions, k = %d, level %s\n", (long long)rows, DIM, K, vb_isa_name(vb_isa_level()));
    printf("%-5s %7s %8s %9s %10s %8s %8s %8s %9s %8s\n", "rows", "threads", "queries", "ms", "Mrows/s", "GB/s", "reading",
           "of it", "GFLOP/s", "of GEMM");
    for (int threads = 1; threads <= USUAL_THREADS; threads++)
        for (int i = 0; i < count; i++) same &= bench(threads, counts[i], ids);
    return same ? 0 : VB_EINTERNAL;
}
