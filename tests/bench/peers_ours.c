/* One runner of peers_race.py: our image encoder, opened from a folder of weights as the program opens it.
 *
 * peers_ours FOLDER PIXELS THREADS. PIXELS: fp32 images, all that is in the file. Says "ready LEVEL RESOLUTION COLUMNS FLOPS" and
 * answers each line of standard input: "time BATCH RUNS" with seconds of the processor and of the clock; "peak" with GFLOP/s of
 * multiply-adds; "save BATCH FILE" with "saved"; "operations BATCH RUNS" with a line an operation and "end", for people. Each
 * other answer is a line; the first that fails ends the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/encode/model.h"
#include "mpi/experiment/experiment_tables.h"
#include "tests/bench/operations.h"
#include "tests/bench/peak.h"

typedef struct runner {
    vb_stated_facts stated;
    vb_weights weights;
    vb_facts facts;
    vb_clip *clip;
    const vb_clip_info *info;
    float *pixels, *out;
    int64_t images; /* in pixels */
    int threads;
} runner;

static int open_encoder(runner *r, const char *folder, vb_error *err) {
    const vb_family *family = NULL;
    if (vb_options_defaults(vb_experiment_tables_facts(), &r->stated, err) || vb_weights_open(&r->weights, folder, false, err) ||
        vb_model_family(&r->weights, VB_FAMILY_FOUND, &family, err) ||
        vb_facts_of_towers(&r->facts, &r->stated, &r->weights, family, err))
        return -1;
    vb_clip_options options = {.family = family, .stated = r->facts.towers, .threads = r->threads};
    if (vb_clip_open(&r->clip, &r->weights.set, &options, err)) return -1;
    r->info = vb_clip_describe(r->clip);
    return r->info->tower ? 0 : vb_errorf(err, VB_EMISMATCH, "%s: expected an image tower, found none", folder);
}

static int read_pixels(runner *r, const char *path, vb_error *err) {
    size_t image = 3 * (size_t)r->info->resolution * (size_t)r->info->resolution * sizeof(float);
    FILE *file = fopen(path, "rb");
    if (!file) return vb_errorf(err, VB_EMISSING, "%s: cannot be read", path);
    long size = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    int status = 0;
    if (size <= 0 || (size_t)size % image)
        status = vb_errorf(err, VB_EDATA, "%s: expected images of %zu bytes, found %ld bytes", path, image, size);
    if (!status) {
        rewind(file);
        r->images = (int64_t)((size_t)size / image);
        r->pixels = vb_array((size_t)size / sizeof(float), sizeof(float), "pixels", err);
        r->out = vb_array((size_t)(r->images * r->info->embed_dim), sizeof(float), "embeddings", err);
        status = r->pixels && r->out ? 0 : -1;
    }
    if (!status && fread(r->pixels, 1, (size_t)size, file) != (size_t)size)
        status = vb_errorf(err, VB_EDATA, "%s: cut short", path);
    fclose(file);
    return status;
}

static int save(const runner *r, int64_t batch, const char *path, vb_error *err) {
    if (vb_clip_encode_images(r->clip, r->pixels, batch, r->out, err)) return -1;
    size_t count = (size_t)(batch * r->info->embed_dim);
    FILE *file = fopen(path, "wb");
    if (!file) return vb_errorf(err, VB_EOUTPUT, "%s: cannot be written", path);
    bool written = fwrite(r->out, sizeof(float), count, file) == count;
    if (fclose(file)) written = false;
    return written ? 0 : vb_errorf(err, VB_EOUTPUT, "%s: cannot be written", path);
}

static int run_times(const runner *r, int64_t batch, int runs, vb_error *err) {
    double processor = bench_seconds(1), clock = omp_get_wtime();
    for (int i = 0; i < runs; i++)
        if (vb_clip_encode_images(r->clip, r->pixels, batch, r->out, err)) return -1;
    printf("%.9g %.9g\n", bench_seconds(1) - processor, omp_get_wtime() - clock);
    return 0;
}

static void print_peak(int threads) {
    double best = 0;
    for (int i = 0; i < 9; i++) {
        double peak = fma_peak(threads);
        if (peak > best) best = peak;
    }
    printf("%.9g\n", best);
}

static int answer(const runner *r, const char *line, vb_error *err) {
    long batch = 0;
    int runs = 0;
    char path[1024];
    if (!strncmp(line, "peak", 4)) {
        print_peak(r->threads);
        return 0;
    }
    bool timed = sscanf(line, "time %ld %d", &batch, &runs) == 2;
    bool taken_apart = !timed && sscanf(line, "operations %ld %d", &batch, &runs) == 2 && runs >= 1;
    bool saved = !timed && !taken_apart && sscanf(line, "save %ld %1023s", &batch, path) == 2;
    if ((!timed && !saved && !taken_apart) || batch < 1 || batch > r->images)
        return vb_errorf(err, VB_EUSAGE, "expected time, peak, save or operations, and up to %lld images, found %s",
                         (long long)r->images, line);
    if (taken_apart) return operations_time(vb_clip_image_program(r->clip), r->pixels, (int)batch, runs, r->out, r->threads, err);
    if (timed) return run_times(r, batch, runs, err);
    if (save(r, batch, path, err)) return -1;
    puts("saved");
    return 0;
}

int main(int argc, char **argv) {
    runner r = {.threads = argc == 4 ? atoi(argv[3]) : 0};
    vb_error err;
    char line[1200];
    if (r.threads < 1) {
        fprintf(stderr, "peers_ours FOLDER PIXELS THREADS\n");
        return VB_EUSAGE;
    }
    int status = open_encoder(&r, argv[1], &err);
    if (!status) status = read_pixels(&r, argv[2], &err);
    if (!status)
        printf("ready %s %d %d %.9g\n", vb_isa_name(vb_isa_level()), r.info->resolution, r.info->embed_dim,
               vb_program_flops(vb_clip_image_program(r.clip), 0));
    fflush(stdout);
    while (!status && fgets(line, sizeof line, stdin)) {
        status = answer(&r, line, &err);
        fflush(stdout);
    }
    if (status) fprintf(stderr, "peers_ours: %s\n", err.text);
    vb_clip_close(r.clip);
    vb_weights_close(&r.weights);
    vb_free(r.pixels), vb_free(r.out);
    return status ? err.code : 0;
}
