/* A series of checkpoints: a model entry with patterns for files becomes a model for each file.
 *
 * weights, prompts.coop, image_embeddings and text_embeddings may be patterns (*, ?, [...], {a,b}, {0..9}). Their files are taken
 * in the natural order of their paths, in which numbers compare as numbers: epoch_2 before epoch_10. */
#ifndef VB_SERIES_H
#define VB_SERIES_H

#include "kernels/base/strings.h"
#include "shards/text/yaml.h"

typedef enum vb_series_key { VB_SERIES_WEIGHTS, VB_SERIES_COOP, VB_SERIES_IMAGES, VB_SERIES_TEXTS, VB_SERIES_KEYS } vb_series_key;

typedef struct vb_series {
    int count;                        /* checkpoints; 0: the entry is no series */
    char **checkpoints;               /* what tells the files of the first pattern apart, for names */
    vb_strings found[VB_SERIES_KEYS]; /* as many as checkpoints, or none where the key is no pattern */
    size_t unwritten[VB_SERIES_KEYS]; /* leading bytes of found paths that were not in the experiment file */
} vb_series;

/* Looks at a model's node of the experiment file `path`. VB_EMISSING when a pattern matches nothing, VB_ECONFIG when two match
 * different numbers of files. A path that exists as it is written is no pattern. Free with vb_series_free, also after a failure.
 * Local.
 */
int vb_series_find(vb_series *series, const vb_yaml *model, const char *path, vb_error *err);
void vb_series_free(vb_series *series);

/* Text order in which runs of digits compare as numbers; as bytes when those are equal. */
int vb_series_natural_order(const char *a, const char *b);

#endif
