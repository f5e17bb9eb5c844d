/* The ends of the pipeline of an image source: units go in as the reader takes them, and come out in their order. */
#include "mpi/encode/image_stream.h"

#include "kernels/base/memory.h"

struct vb_image_stream {
    const vb_image_source *source;
    int64_t first, step, asked; /* asked: units that came out */
    vb_pipeline *pipeline;      /* NULL: rows that another program made */
};

static int64_t unit_at(const vb_image_stream *stream, int64_t number) { return stream->first + number * stream->step; }

static int prepare(void *context, int64_t number, vb_pipeline_unit *asked, vb_error *err) {
    const vb_image_stream *stream = context;
    int64_t unit = unit_at(stream, number);
    int part;
    const vb_encoded_units *units = &vb_image_source_part(stream->source, &unit, &part)->encoded;
    vb_encoded_unit *its = vb_array(1, sizeof *its, "unit", err);
    if (!its) return -1;
    asked->owner = its;
    if (vb_encoded_unit_prepare(its, units, unit, err)) return -1;
    vb_encoded_unit_ask(its, units, asked);
    return 0;
}

static void release(void *context, vb_pipeline_unit *unit) {
    (void)context;
    vb_encoded_unit_release(unit->owner);
}

static void drop(void *context, vb_pipeline_unit *unit) {
    (void)context;
    if (unit->owner) vb_encoded_unit_free(unit->owner);
    vb_free(unit->owner);
}

int vb_image_stream_open(vb_image_stream **stream, const vb_image_source *source, int64_t first, int64_t step, vb_error *err) {
    vb_image_stream *its = *stream = vb_array(1, sizeof *its, "stream of units", err);
    if (!its) return -1;
    *its = (vb_image_stream){.source = source, .first = first, .step = step};
    if (!source->model || first >= source->units) return 0;
    const vb_image_source *one = source->part_count ? source->parts : source; /* of one model all */
    const vb_pipeline_options options = vb_encode_pipeline_options(&one->encoded.how, source->images);
    const vb_pipeline_source units = {
        .units = (source->units - first + step - 1) / step, .prepare = prepare, .release = release, .drop = drop, .context = its};
    if (!vb_pipeline_open(&its->pipeline, &options, &units, err)) return 0;
    vb_image_stream_close(its);
    *stream = NULL;
    return -1;
}

static int next_encoded(vb_image_stream *stream, int64_t unit, vb_unit_rows *rows, vb_error *err) {
    vb_pipeline_unit passed;
    int part;
    const vb_encoded_units *units = &vb_image_source_part(stream->source, &unit, &part)->encoded;
    int status = vb_pipeline_next(stream->pipeline, &passed, err);
    vb_encoded_unit *its = passed.owner;
    if (status) status = vb_model_check(units->how.model, status, err);
    else status = vb_encoded_unit_finish(its, units, &passed, err);
    if (its) {
        *rows = its->rows;
        its->rows = (vb_unit_rows){0};
    }
    vb_free(passed.outcomes);
    drop(NULL, &passed);
    return status ? status : vb_image_source_join_rows(stream->source, part, rows, err);
}

int vb_image_stream_next(vb_image_stream *stream, vb_unit_rows *rows, vb_error *err) {
    const int64_t unit = unit_at(stream, stream->asked++);
    *rows = (vb_unit_rows){0};
    if (!stream->pipeline) return vb_image_source_unit(stream->source, unit, rows, err);
    return next_encoded(stream, unit, rows, err);
}

void vb_image_stream_close(vb_image_stream *stream) {
    if (!stream) return;
    vb_pipeline_close(stream->pipeline, NULL);
    vb_free(stream);
}
