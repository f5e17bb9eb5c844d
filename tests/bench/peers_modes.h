/* What peers_ours times: a model's image tower, or its classes' prompts, opened and encoded as the program does it. */
#ifndef VB_BENCH_PEERS_MODES_H
#define VB_BENCH_PEERS_MODES_H

#include <omp.h>
#include <stdio.h>
#include <time.h>

#include "mpi/encode/model.h"
#include "mpi/ranks/context.h"
#include "shards/text/prompts.h"
#include "shards/text/vocabularies.h"

typedef struct peers_runner {
    vb_context context; /* of one rank */
    vb_model_spec spec;
    vb_model model;
    int threads;
    int64_t items; /* images in `pixels`, or prompts */
    float *out;    /* a row an item */
    /* images */
    int64_t batch; /* that the model was told to expect */
    float *pixels;
    const char *pictures; /* a folder of image files */
    char *scratch;        /* where their embeddings go */
    /* prompts */
    vb_prompts templates;
    vb_vocabularies vocabularies;
    const char *cache;
    int64_t passes;
} peers_runner;

/* All return 0, or -1 with the error. */
typedef struct peers_mode {
    const char *name, *arguments;
    int count; /* of arguments */
    int (*open)(peers_runner *runner, char **arguments, vb_error *err);
    void (*print_ready)(const peers_runner *runner); /* behind the level */
    int (*run)(peers_runner *runner, int64_t items, vb_error *err);
    int (*save)(peers_runner *runner, int64_t items, vb_error *err); /* rows to runner->out */
    /* Other lines: 1 when it is none of the mode's. */
    int (*more)(peers_runner *runner, const char *line, vb_error *err);
    void (*close)(peers_runner *runner);
} peers_mode;

extern const peers_mode peers_images, peers_prompts;

/* Seconds of the processor, all threads of this process, and of the clock. */
typedef struct peers_seconds {
    double processor, clock;
} peers_seconds;

static inline peers_seconds peers_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (peers_seconds){(double)t.tv_sec + 1e-9 * (double)t.tv_nsec, omp_get_wtime()};
}

static inline void peers_print_since(peers_seconds begun) {
    const peers_seconds end = peers_now();
    printf("%.9g %.9g\n", end.processor - begun.processor, end.clock - begun.clock);
}

#endif
