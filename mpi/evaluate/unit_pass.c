/* A pass over this rank's units. */
#include "mpi/evaluate/unit_pass.h"

#include "mpi/encode/image_stream.h"
#include "mpi/ranks/progress.h"

/* progress NULL: whoever visits shows it. */
static int pass(vb_context *context, const vb_image_source *source, vb_unit_pass_visit *visit, void *work, vb_progress *progress,
                vb_error *err) {
    vb_image_stream *stream;
    int status = vb_image_stream_open(&stream, source, context->comm.rank, context->comm.size, err);
    for (int64_t u = context->comm.rank; !status && u < source->units; u += context->comm.size) {
        vb_unit_rows rows = {0};
        if ((status = vb_context_check_stop(context, err))) break;
        status = vb_image_stream_next(stream, &rows, err);
        if (!status) status = visit(work, u, &rows, err);
        vb_unit_rows_free(&rows);
        if (progress) vb_progress_step(progress, 1);
    }
    vb_image_stream_close(stream);
    return status;
}

int vb_unit_pass(vb_context *context, const vb_image_source *source, vb_unit_pass_visit *visit, void *work, vb_error *err) {
    vb_progress progress;
    vb_progress_start(&progress, context, context->stage ? context->stage : "images", source->data->spec->name, "units",
                      source->units);
    int status = pass(context, source, visit, work, &progress, err);
    vb_progress_end(&progress);
    return status;
}

int vb_unit_pass_silent(vb_context *context, const vb_image_source *source, vb_unit_pass_visit *visit, void *work,
                        vb_error *err) {
    return pass(context, source, visit, work, NULL, err);
}
