/* One runner of peers_race.py: our encoders, on a model that is opened and encoded with as the program does it.
 *
 * peers_ours FOLDER THREADS images PIXELS PICTURES    PIXELS: fp32 images, all that is in the file; PICTURES: a folder of files
 * peers_ours FOLDER THREADS prompts TEMPLATES VOCABULARIES CACHE    CACHE: an empty folder
 *
 * Says "ready LEVEL RESOLUTION COLUMNS FLOPS", or "ready LEVEL PROMPTS COLUMNS FLOPS CONTEXT UNIT" (of a padded prompt; prompts
 * that are encoded together), and answers each line of standard input: "time ITEMS RUNS" with seconds of the processor, all
 * threads of this process, and of the clock; "peak" with GFLOP/s of multiply-adds; "gemm" with those of the products of a
 * ViT-B's layer; "save ITEMS FILE" with "saved", the embeddings as fp32; and what peers_images.c has besides. Each other answer
 * is a line; the first that fails ends the program. */
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/gemm.h"
#include "mpi/experiment/experiment_tables.h"
#include "shards/files/json_parse.h"
#include "tests/bench/peak.h"
#include "tests/bench/peers_modes.h"

static const peers_mode *const modes[] = {&peers_images, &peers_prompts};

static double best_peak(int threads) {
    double best = 0;
    for (int i = 0; i < 9; i++) {
        double peak = fma_peak(threads);
        if (peak > best) best = peak;
    }
    return best;
}

/* GFLOP/s of the products of a ViT-B's layer for 8 images of 50 tokens: the best of three times; -1 without memory. */
static double best_gemm(int threads, vb_error *err) {
    enum { ROWS = 400, WIDTH = 768, WIDEST = 4 * WIDTH, PRODUCTS = 4 };
    static const int64_t columns[PRODUCTS] = {3 * WIDTH, WIDTH, WIDEST, WIDTH}, depths[PRODUCTS] = {WIDTH, WIDTH, WIDTH, WIDEST};
    float *a = vb_array((size_t)ROWS * WIDEST, sizeof *a, "products", err),
          *b = vb_array((size_t)WIDTH * WIDEST, sizeof *b, "products", err),
          *c = vb_array((size_t)ROWS * WIDEST, sizeof *c, "products", err);
    double best = a && b && c ? 0 : -1;
    for (int run = -1; run < 3 && best >= 0; run++) {
        double flop = 0, start = bench_seconds(threads);
        for (int p = 0; p < PRODUCTS && best >= 0; p++) {
            const vb_gemm_a left = {.data = a, .ld = depths[p]};
            const vb_matrix right = {b, VB_F32, columns[p], depths[p], depths[p], 1};
            const vb_epilogue none = {0};
            if (vb_gemm(ROWS, &left, &right, c, columns[p], &none, threads, err)) best = -1;
            flop += 2.0 * ROWS * (double)columns[p] * (double)depths[p];
        }
        const double rate = flop / (bench_seconds(threads) - start) / 1e9;
        if (run >= 0 && best >= 0 && rate > best) best = rate;
    }
    vb_free(a), vb_free(b), vb_free(c);
    return best;
}

static int time_runs(peers_runner *r, const peers_mode *mode, int64_t items, int runs, vb_error *err) {
    const peers_seconds begun = peers_now();
    for (int i = 0; i < runs; i++)
        if (mode->run(r, items, err)) return -1;
    peers_print_since(begun);
    return 0;
}

static int save(peers_runner *r, const peers_mode *mode, int64_t items, const char *path, vb_error *err) {
    if (mode->save(r, items, err)) return -1;
    size_t count = (size_t)(items * vb_clip_describe(r->model.clip)->embed_dim);
    FILE *file = fopen(path, "wb");
    if (!file) return vb_errorf(err, VB_EOUTPUT, "%s: cannot be written", path);
    bool written = fwrite(r->out, sizeof(float), count, file) == count;
    if (fclose(file)) written = false;
    if (!written) return vb_errorf(err, VB_EOUTPUT, "%s: cannot be written", path);
    puts("saved");
    return 0;
}

static int answer(peers_runner *r, const peers_mode *mode, const char *line, vb_error *err) {
    long items = 0;
    int runs = 0;
    char path[1024];
    if (!strncmp(line, "peak", 4)) return printf("%.9g\n", best_peak(r->threads)) < 0 ? -1 : 0;
    if (!strncmp(line, "gemm", 4)) {
        const double rate = best_gemm(r->threads, err);
        if (rate >= 0) printf("%.9g\n", rate);
        return rate < 0 ? -1 : 0;
    }
    if (mode == &peers_images && sscanf(line, "%*s %ld", &items) == 1 && items != r->batch) {
        if (vb_model_expect(&r->model, &r->context, (int)items, err)) return -1; /* as a run does before its first batch */
        r->batch = items;
    }
    if (sscanf(line, "time %ld %d", &items, &runs) == 2 && items >= 1 && items <= r->items)
        return time_runs(r, mode, items, runs, err);
    if (sscanf(line, "save %ld %1023s", &items, path) == 2 && items >= 1 && items <= r->items)
        return save(r, mode, items, path, err);
    const int status = mode->more(r, line, err);
    return status <= 0 ?
               status :
               vb_errorf(err, VB_EUSAGE, "expected time, save, peak, gemm, files or operations, and up to %lld items, found %s",
                         (long long)r->items, line);
}

static int serve(peers_runner *r, const peers_mode *mode, char **arguments, vb_error *err) {
    char line[1200];
    vb_model_spec *spec = &r->spec;
    int status = vb_options_defaults(vb_experiment_tables_facts(), &spec->stated, err);
    if (!status) status = vb_comm_open(&r->context.comm, MPI_COMM_WORLD, err);
    if (!status) status = mode->open(r, arguments, err);
    if (!status) {
        printf("ready %s ", vb_isa_name(vb_isa_level()));
        mode->print_ready(r);
    }
    fflush(stdout);
    while (!status && fgets(line, sizeof line, stdin)) {
        status = answer(r, mode, line, err);
        fflush(stdout);
    }
    return status;
}

int main(int argc, char **argv) {
    const peers_mode *mode = NULL;
    peers_runner r = {.threads = argc > 3 ? atoi(argv[2]) : 0};
    for (size_t i = 0; argc > 3 && i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[3], modes[i]->name) && argc == 4 + modes[i]->count) mode = modes[i];
    if (!mode || r.threads < 1) {
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
            fprintf(stderr, "peers_ours FOLDER THREADS %s %s\n", modes[i]->name, modes[i]->arguments);
        return VB_EUSAGE;
    }
    vb_error err;
    vb_error_clear(&err);
    vb_json_parse_setup();
    int provided;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) return VB_EMPI;
    r.context.started = vb_live_now();
    r.spec = (vb_model_spec){.name = (char *)"peers", .weights = argv[1], .family = VB_FAMILY_FOUND};
    const int status = serve(&r, mode, argv + 4, &err);
    if (status) fprintf(stderr, "peers_ours: %s\n", err.text);
    vb_model_close(&r.model);
    mode->close(&r);
    vb_free(r.out);
    vb_comm_close(&r.context.comm);
    MPI_Finalize();
    return status ? err.code : 0;
}
