/* Images of a pair into the cache before its ranks read them, where ranks share devices and so not all of them encode
 * (mpi/base/device_lending.h). */
#ifndef VB_ENCODE_AHEAD_H
#define VB_ENCODE_AHEAD_H

#include "mpi/encode/image_source.h"

/* What this rank has encoded. */
typedef struct vb_encode_ahead_counts {
    int64_t units, images;
} vb_encode_ahead_counts;

/* Units of the source that the cache lacks, by the ranks that encode. Nothing where all ranks do, or where rows were made
 * elsewhere. what: for progress. Collective. */
int vb_encode_ahead(vb_context *context, const vb_image_source *source, const char *what, vb_encode_ahead_counts *counts,
                    vb_error *err);

#endif
