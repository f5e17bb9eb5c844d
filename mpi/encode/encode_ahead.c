/* A pass over units of which nothing is kept but what the cache keeps. */
#include "mpi/encode/encode_ahead.h"

#include "mpi/encode/image_stream.h"
#include "mpi/ranks/progress.h"

static int encode_units(vb_context *context, const vb_image_source *source, vb_progress *progress, vb_encode_ahead_counts *counts,
                        vb_error *err) {
    int number, count;
    vb_image_stream *stream = NULL;
    if (!vb_model_encodes(source->model, context, &number, &count)) return 0;
    int status = vb_image_stream_open(&stream, source, number, count, err);
    for (int64_t u = number; !status && u < source->units; u += count) {
        vb_unit_rows rows = {0};
        if ((status = vb_context_check_stop(context, err))) break;
        status = vb_image_stream_next(stream, &rows, err);
        if (rows.encoded) counts->units++, counts->images += rows.count;
        vb_progress_step(progress, rows.count);
        vb_unit_rows_free(&rows);
    }
    vb_image_stream_close(stream);
    return status;
}

int vb_encode_ahead(vb_context *context, const vb_image_source *source, const char *what, vb_encode_ahead_counts *counts,
                    vb_error *err) {
    *counts = (vb_encode_ahead_counts){0};
    if (!source->model || !vb_model_is_lent_to(source->model, context)) return 0;
    vb_progress progress;
    vb_progress_start(&progress, context, "encode", what, "images", source->images);
    vb_progress_by(&progress, context->encoders);
    vb_progress_measures(&progress);
    const int status = encode_units(context, source, &progress, counts, err);
    vb_progress_end(&progress);
    return vb_context_barrier(context, status, err);
}
