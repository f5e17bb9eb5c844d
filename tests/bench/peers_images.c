/* Images: pixels through the image tower, and files through the program's way from a folder to embeddings. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/encode/encode_rows.h"
#include "tests/bench/operations.h"
#include "tests/bench/peers_modes.h"

enum { DECODE_MEMORY = 512 }; /* MiB */

static int open_images(peers_runner *r, char **arguments, vb_error *err) {
    r->spec.tower = VB_TOWER_IMAGE;
    if (vb_model_open(&r->model, &r->context, &r->spec, false, r->threads, NULL, err)) return -1;
    const vb_clip_info *info = vb_clip_describe(r->model.clip);
    if (!info->tower) return vb_errorf(err, VB_EMISMATCH, "%s: expected an image tower, found none", r->spec.weights);
    size_t image = 3 * (size_t)info->resolution * (size_t)info->resolution * sizeof(float);
    FILE *file = fopen(arguments[0], "rb");
    if (!file) return vb_errorf(err, VB_EMISSING, "%s: cannot be read", arguments[0]);
    long size = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    int status = 0;
    if (size <= 0 || (size_t)size % image)
        status = vb_errorf(err, VB_EDATA, "%s: expected images of %zu bytes, found %ld bytes", arguments[0], image, size);
    if (!status) {
        rewind(file);
        r->items = (int64_t)((size_t)size / image);
        r->pixels = vb_array((size_t)size / sizeof(float), sizeof(float), "pixels", err);
        r->out = vb_array((size_t)(r->items * info->embed_dim), sizeof(float), "embeddings", err);
        r->scratch = vb_format(err, "%s.%ld.npy", arguments[0], (long)getpid());
        status = r->pixels && r->out && r->scratch ? 0 : -1;
    }
    if (!status && fread(r->pixels, 1, (size_t)size, file) != (size_t)size)
        status = vb_errorf(err, VB_EDATA, "%s: cut short", arguments[0]);
    fclose(file);
    r->pictures = arguments[1];
    return status;
}

static void print_images_ready(const peers_runner *r) {
    const vb_clip_info *info = vb_clip_describe(r->model.clip);
    printf("%d %d %.9g\n", info->resolution, info->embed_dim, vb_program_flops(vb_clip_image_program(r->model.clip), 0));
}

static int run_images(peers_runner *r, int64_t items, vb_error *err) {
    return vb_clip_encode_images(r->model.clip, r->pixels, items, r->out, err);
}

/* "files BATCH RUNS": all of the folder's, read, decoded, resized and encoded beside each other, and written; seconds as those
 * of "time". "operations BATCH RUNS": a line an operation and "end", for people. */
static int more_of_images(peers_runner *r, const char *line, vb_error *err) {
    int batch = 0, runs = 0;
    if (sscanf(line, "operations %d %d", &batch, &runs) == 2 && batch >= 1 && batch <= r->items && runs >= 1)
        return operations_time(vb_clip_image_program(r->model.clip), r->pixels, batch, runs, r->out, r->threads, err);
    if (sscanf(line, "files %d %d", &batch, &runs) != 2 || batch < 1) return 1;
    const vb_encode_rows_job job = {.context = &r->context,
                                    .model = &r->model,
                                    .threads = r->threads,
                                    .batch = batch,
                                    .decode_memory = DECODE_MEMORY,
                                    .raw = true,
                                    .input = r->pictures,
                                    .output = r->scratch};
    const peers_seconds begun = peers_now();
    for (int i = 0; i < runs; i++)
        if (vb_encode_rows_images(&job, err)) return -1;
    peers_print_since(begun);
    return 0;
}

static void close_images(peers_runner *r) {
    if (r->scratch) unlink(r->scratch);
    vb_free(r->scratch);
    vb_free(r->pixels);
}

const peers_mode peers_images = {.name = "images",
                                 .arguments = "PIXELS PICTURES",
                                 .count = 2,
                                 .open = open_images,
                                 .print_ready = print_images_ready,
                                 .run = run_images,
                                 .save = run_images,
                                 .more = more_of_images,
                                 .close = close_images};
