/* Per-image records of a (model, dataset) pair, read back from records/MODEL--DATASET.jsonl.zst and checked against its result.
 * Local.
 */
#ifndef VB_RECORD_SET_H
#define VB_RECORD_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/openness/judged.h"
#include "mpi/results/result_folder.h"

typedef struct vb_record_set {
    char *path;
    int64_t count;           /* images, in the order of the data */
    const json_t *entry;     /* of results[]: borrowed, its texts are the names below */
    const char **vocabulary; /* names, in file order */
    bool apart;              /* classes of one name in two vocabularies are two classes: an expansion's, unless merged */
    const char **class;      /* names, in order of first occurrence */
    vb_label_space space;
    vb_memberships memberships;
    int *members, *offsets; /* behind space */
    char *names;            /* the images' names, one after the other */
    size_t *name_at;        /* place of each image's name in names */
    int *label;             /* class of each image */
    uint8_t *beaten;        /* images x vocabularies: 1 where a class of the vocabulary is ranked before the image's class */
    uint8_t *right;         /* first-ranked of all classes */
    double *similarity;     /* of each image with its class, */
    double *margin;         /* and over the best other one; NaN where the record has none */
} vb_record_set;

/* Reads the records that belong to `entry` of the folder. The class' vocabularies come from the result, `beaten` from `own` and
 * `harmful`. VB_EMISSING without records (`per_image: true` writes them); VB_EUNSUPPORTED where images have right
 * classes in several vocabularies; VB_EDATA with path and line for a line that is none of
 * ours; VB_EMISMATCH when the records are not those of this result: number of images, Acc-C, Acc-E or accuracy among all classes.
 * Close also after a failure. */
int vb_record_set_open(vb_record_set *set, const vb_result_folder *folder, const json_t *entry, vb_error *err);
void vb_record_set_close(vb_record_set *set);

static inline const char *vb_record_set_name(const vb_record_set *set, int64_t image) { return set->names + set->name_at[image]; }

/* The outcomes alone; a view of the set. */
static inline vb_judged vb_record_set_judged(const vb_record_set *set) {
    return (vb_judged){&set->space, &set->memberships, set->label, set->beaten, set->right};
}

/* vb_judged_scores, vb_judged_in. Image and vocabulary are within the set. */
vb_image_scores vb_record_set_scores(const vb_record_set *set, int64_t image, int v);
bool vb_record_set_in(const vb_record_set *set, int64_t image, int v);

#endif
