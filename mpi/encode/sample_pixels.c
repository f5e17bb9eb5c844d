/* The sink of a decoder's rows: asks the budget, resizes. */
#include "mpi/encode/sample_pixels.h"

#include <errno.h>
#include <string.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"

typedef struct intake {
    const vb_sample_decoder *decoder;
    vb_preprocess_rows rows;
    vb_patch_grid grid;
    uint64_t granted;
} intake;

static void give_back(intake *in) {
    if (in->granted) vb_decode_budget_give(in->decoder->budget, in->granted);
    in->granted = 0;
}

static int check_stop(const intake *in, vb_error *err) {
    const atomic_bool *cancelled = in->decoder->cancelled;
    if (!cancelled || !atomic_load_explicit(cancelled, memory_order_relaxed)) return 0;
    return vb_errorf(err, VB_EINCOMPLETE, "stopped while an image was decoded");
}

/* Looks for a stop again when its turn has come: many decoders take the whole image before its first row. */
static int admit(void *context, const vb_image *head, uint64_t bytes, const char *name, vb_error *err) {
    intake *in = context;
    vb_preprocess_free(&in->rows);
    give_back(in);
    bytes += vb_preprocess_bytes(in->decoder->spec, head);
    if (vb_decode_budget_take(in->decoder->budget, bytes, name, head->width, head->height, err)) return -1;
    in->granted = bytes;
    return check_stop(in, err);
}

static int begin(void *context, const vb_image *head, vb_error *err) {
    intake *in = context;
    const vb_preprocess *spec = in->decoder->spec;
    if (spec->max_patches && vb_preprocess_grid(spec, head->width, head->height, &in->grid, err)) return -1;
    return vb_preprocess_begin(&in->rows, spec, head, err);
}

static int take_row(void *context, const uint8_t *row, vb_error *err) {
    intake *in = context;
    if (check_stop(in, err)) return -1;
    vb_preprocess_put(&in->rows, row);
    return 0;
}

static int injected(const char *name, vb_error *err) {
    const int fault = vb_fault(VB_FAULT_DECODE);
    if (!fault) return 0;
    return vb_errorf(err, fault == ENOMEM ? VB_EMEMORY : VB_EINTERNAL, "%s: injected fault while decoding", name);
}

int vb_sample_pixels_make(const vb_sample_decoder *decoder, const vb_sample *sample, vb_sample_pixels *out, vb_error *err) {
    intake in = {.decoder = decoder};
    const vb_row_sink sink = {.admit = admit, .begin = begin, .row = take_row, .context = &in};
    vb_image image = {0};
    *out = (vb_sample_pixels){.remark = ""};
    int status = injected(sample->name, err);
    if (!status) status = vb_dataset_sample_rows(sample, &sink, &image, err);
    if (!status && vb_preprocess_end(&in.rows, &out->square, err)) status = vb_error_prefix(err, "%s", sample->name);
    out->grid = in.grid;
    memcpy(out->remark, image.remark, sizeof out->remark);
    vb_preprocess_free(&in.rows);
    give_back(&in);
    return status;
}

bool vb_sample_pixels_is_broken(const vb_error *err) {
    return err->code != VB_EMEMORY && err->code != VB_EINTERNAL && err->code != VB_EINCOMPLETE;
}
