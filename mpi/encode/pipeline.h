/* A rank's pipeline: units are read and their images decoded and resized by threads of their own, while the calling thread has
 * the engine encode what is ready.
 *
 *   reader (one thread at a time) -> decoders -> two blocks of a batch each -> engine -> rows of the units
 *
 * Images join a block in the order in which they are ready, across units: a large one holds up nothing but the unit that it is
 * of. Rows do not depend on that. Of several images that fail, the first in order is told, whatever thread met it. What is read
 * ahead, decoded ahead and kept is bounded, whatever the sizes of images and units. */
#ifndef VB_PIPELINE_H
#define VB_PIPELINE_H

#include "mpi/encode/picture_engine.h"
#include "mpi/encode/sample_pixels.h"

/* What became of an image of a unit. */
typedef struct vb_pipeline_outcome {
    bool failed;
    vb_error error;
    char remark[VB_IMAGE_REMARK];
} vb_pipeline_outcome;

/* A unit on its way. What there is to encode are samples[picked[0 .. count - 1]]; a count of 0 is fine: a unit from the cache. */
typedef struct vb_pipeline_unit {
    /* From `prepare`: */
    const vb_sample *samples;
    const int *picked;
    const char *const *names; /* of the picked; they outlive `release` */
    int count;
    bool skip_broken; /* broken images are outcomes; else the first ends the work */
    int images;       /* of the unit, for the bound on what lies ahead */
    size_t bytes;     /* that it holds until `release` */
    float *rows;      /* count x dim; rows of failed images become NaN */
    void *owner;
    /* From the pipeline: */
    vb_pipeline_outcome *outcomes; /* count; free with vb_free */
} vb_pipeline_unit;

/* Where the units come from. */
typedef struct vb_pipeline_source {
    int64_t units;
    /* Unit `number` (0, 1, ...), in this order, by one thread at a time. After a failure only the owner of `unit` counts. */
    int (*prepare)(void *context, int64_t number, vb_pipeline_unit *unit, vb_error *err);
    /* All images of the unit are decoded or given up: their bytes can go. By any thread. */
    void (*release)(void *context, vb_pipeline_unit *unit);
    /* A unit that nobody will ask for: its owner can go. */
    void (*drop)(void *context, vb_pipeline_unit *unit);
    void *context;
} vb_pipeline_source;

typedef struct vb_pipeline_options {
    vb_picture_engine engine;
    const vb_preprocess *spec;
    int batch, threads;    /* pictures of a block; decoders */
    int64_t decode_memory; /* MiB */
    /* Called by the thread that waits, now and then: -1 with the reason to stop. */
    int (*look)(void *context, vb_error *err);
    void *look_context;
} vb_pipeline_options;

/* What it has done, for measurements. */
typedef struct vb_pipeline_counts {
    int64_t blocks, pictures, full; /* full: blocks of a whole batch */
    double waited;                  /* seconds that the engine had nothing to do */
    uint64_t decode_most;           /* bytes of decoding memory at once, as they were asked for */
} vb_pipeline_counts;

typedef struct vb_pipeline vb_pipeline;

/* Starts the threads. VB_EMEMORY. The options are copied, what they point to must last. */
int vb_pipeline_open(vb_pipeline **pipeline, const vb_pipeline_options *options, const vb_pipeline_source *source, vb_error *err);
/* The next unit, finished: call it source->units times, from one thread. -1: the unit's first failure in order, or a stop; then
 * only closing is left; `unit` is the caller's either way (owner and outcomes may be NULL). */
int vb_pipeline_next(vb_pipeline *pipeline, vb_pipeline_unit *unit, vb_error *err);
/* Ends the threads at once: within a row, or within an image that comes as a whole. NULL is fine; counts may be NULL. */
void vb_pipeline_close(vb_pipeline *pipeline, vb_pipeline_counts *counts);

/* Bytes that a pipeline takes: its blocks (as_bytes: for an engine that normalises), what its threads have at hand, the decoding
 * memory (MiB), and what is read ahead of units of so many bytes in all. */
int64_t vb_pipeline_bytes(const vb_preprocess *spec, bool as_bytes, int batch, int threads, int64_t decode_memory,
                          int64_t unit_bytes);

#endif
