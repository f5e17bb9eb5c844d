/* The units of an image source one after the other, as a rank takes them: while one is judged, later ones are read, decoded and
 * encoded (mpi/encode/pipeline.h). The same rows and errors as unit by unit (vb_image_source_unit). */
#ifndef VB_IMAGE_STREAM_H
#define VB_IMAGE_STREAM_H

#include "mpi/encode/image_source.h"

typedef struct vb_image_stream vb_image_stream;

/* Units first, first + step, ... of a source, which must outlive the stream. VB_EMEMORY. Local. */
int vb_image_stream_open(vb_image_stream **stream, const vb_image_source *source, int64_t first, int64_t step, vb_error *err);
/* The next unit, as long as there are some; after a failure only closing is left. Free the rows with vb_unit_rows_free
 * either way. Local. */
int vb_image_stream_next(vb_image_stream *stream, vb_unit_rows *rows, vb_error *err);
void vb_image_stream_close(vb_image_stream *stream); /* NULL is fine. Local. */

#endif
