/* A dataset of the experiment on every rank: index, vocabularies, the class of every label, and how many images each class has.
 *
 * An expansion is one too, whose vocabularies are other datasets with all their classes. It has no index: its images are
 * theirs. */
#ifndef VB_DATASET_STATE_H
#define VB_DATASET_STATE_H

#include "kernels/openness/label_space.h"
#include "mpi/encode/class_sets.h"
#include "mpi/encode/label_report.h"
#include "mpi/ranks/context.h"
#include "mpi/experiment/experiment.h"
#include "shards/datasets/dataset.h"
#include "shards/text/vocabularies.h"

typedef struct vb_dataset_state vb_dataset_state;
struct vb_dataset_state {
    const vb_dataset_spec *spec;
    vb_vocabularies vocabularies;
    vb_label_space space; /* view into vocabularies */
    vb_dataset *dataset;  /* NULL when only precomputed models use it */
    vb_label_match match; /* the classes of the dataset's labels */
    vb_class_sets sets;   /* of its samples, instead, where the experiment has `labels` of it */
    vb_digest sets_digest;
    vb_digest names_digest; /* where the experiment has `names`, of an expansion of its datasets'; so many are of no class */
    int64_t names_unused;
    /* after the survey, on every rank */
    vb_label_report labels; /* what became of the labels; of an expansion empty */
    int64_t *class_images;  /* images of every class */
    int64_t outside;        /* images whose class is in no vocabulary, or that have no label */
    /* mpi/encode/image_limit.h */
    int64_t limit, beyond; /* images a class, 0: all; how many are left out for it */
    uint8_t *kept;         /* of every sample whether it is not; NULL: none is left out */
    int part_count;        /* of an expansion, else 0 */
    const vb_dataset_state **parts;
    vb_joined joined; /* behind vocabularies */
};

/* The class of a sample with that label of the data, -1: none; where labels are sets, the first one listed. */
static inline int vb_dataset_state_class(const vb_dataset_state *state, int64_t sample, int label) {
    if (!state->sets.offsets) return label < 0 ? -1 : state->match.class_of[label];
    const vb_class_set set = vb_class_sets_at(&state->sets, sample);
    return set.count ? set.classes[0] : -1;
}

/* vb_dataset_open on rank 0, whose index all others get. Free with vb_dataset_close. Collective. */
int vb_dataset_state_open_shared(vb_dataset **dataset, vb_comm *comm, const char *images, const char *class_names, vb_error *err);

/* Reads the vocabularies on every rank, the index on rank 0 only, which sends it. Collective. */
int vb_dataset_state_open(vb_dataset_state *state, vb_context *context, const vb_dataset_spec *spec, bool images, vb_error *err);
void vb_dataset_state_close(vb_dataset_state *state);

/* An expansion of opened datasets (indexed by spec->parts), which must outlive it. images: theirs have been counted, and every
 * one must have some. Local; close also after a failure. */
int vb_dataset_state_expand(vb_dataset_state *state, const vb_dataset_state *datasets, const vb_dataset_spec *spec, bool images,
                            vb_error *err);

/* What a reader of its figures should know of it, a line each, added to `notes`: names that are listed twice, labels. Local. */
int vb_dataset_state_notes(const vb_dataset_state *state, vb_strings *notes, vb_error *err);

/* All datasets of the experiment, surveyed where `images`, and its expansions: dataset_count states, allocated. Collective. Free
 * with vb_dataset_state_close_all, also after a failure. */
int vb_dataset_state_open_all(vb_dataset_state **datasets, vb_context *context, const vb_experiment *experiment, vb_error *err);
void vb_dataset_state_close_all(vb_dataset_state *datasets, const vb_experiment *experiment);

/* Images, units and bytes to read, of an expansion all its parts' together, and the images of the largest unit; 0 where there is
 * no index. Local. */
typedef struct vb_dataset_sizes {
    int64_t images, units, bytes, unit_images;
} vb_dataset_sizes;
vb_dataset_sizes vb_dataset_state_measure(const vb_dataset_state *state);

/* Counts the images of every label and class without reading an image, each rank its units' labels, and makes the report of the
 * labels. What does not fit is no error yet. Collective. */
int vb_dataset_state_survey(vb_dataset_state *state, vb_context *context, vb_error *err);
/* VB_EMISMATCH when a vocabulary has no images, naming it and some labels that were found instead, or when the report has a fault
 * and on_unmatched is not skip. Local. */
int vb_dataset_state_judge(const vb_dataset_state *state, vb_error *err);

/* The first of the two checks alone, for other images; labels: what is known of theirs, or NULL. Local. */
int vb_dataset_state_check_images(const vb_dataset_state *state, const int64_t *class_images, const vb_label_report *labels,
                                  int64_t outside, vb_error *err);
/* The second. Local. */
int vb_dataset_state_check_labels(const vb_dataset_state *state, const vb_label_report *labels, vb_error *err);

#endif
