/* Open files of a dataset between two reads, so that a reader that goes forward finds its place again. */
#ifndef VB_DATASET_SOURCES_H
#define VB_DATASET_SOURCES_H

#include "shards/files/source.h"

typedef struct vb_dataset_sources vb_dataset_sources; /* thread-safe */

int vb_dataset_sources_new(vb_dataset_sources **sources, vb_error *err); /* none open */
void vb_dataset_sources_close_idle(vb_dataset_sources *sources);         /* the next reads open their files anew */
void vb_dataset_sources_free(vb_dataset_sources *sources);               /* closes what was given back; NULL is fine */

/* An open source of file number `file`: the idle one nearest before `offset`, or a new one of `path`. Give it back, or close it
 * after an error. */
int vb_dataset_sources_take(vb_dataset_sources *sources, int64_t file, const char *path, uint64_t offset, vb_source **source,
                            vb_error *err);
void vb_dataset_sources_return(vb_dataset_sources *sources, int64_t file, vb_source *source);

#endif
