/* Packs any dataset into WebDataset shards (NNNNN.tar.zst, zstd seekable) with a manifest. */
#ifndef VB_PACK_H
#define VB_PACK_H

#include "shards/datasets/dataset.h"

typedef struct vb_pack_options {
    int64_t samples_per_shard;                                                    /* 1 or more */
    int level;                                                                    /* zstd's, 1 to 19 */
    int (*progress)(void *context, int64_t done, int64_t samples, vb_error *err); /* after every unit; -1 stops; or NULL */
    void *context;
} vb_pack_options;

vb_pack_options vb_pack_defaults(void); /* 4096 samples a shard, level 3 */

typedef struct vb_pack_result {
    int64_t samples, shards;
    uint64_t bytes; /* of all shards */
} vb_pack_result;

/* Samples keep their order; keys are their numbers (%09d). A sample is key.jpg|png|webp with the source's bytes (raw pixels
 * become PNG), key.cls (index into the manifest's class_names, or the number itself when labels are numbers), key.txt (the
 * source's caption, else the class name) and key.json (the source's, else {"label", "source"}). Frames end at sample boundaries.
 * One unit is held in memory. Shards appear whole, the manifest last; the same dataset, options and zstd version give the same
 * bytes. VB_EOUTPUT: the folder already holds a manifest, or shards beyond those that will be written; shards of an interrupted
 * run are replaced. VB_EDATA: a sample without an image. */
int vb_pack(const vb_dataset *dataset, const char *folder, const vb_pack_options *options, vb_pack_result *result, vb_error *err);

#endif
