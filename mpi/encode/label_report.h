/* What became of the labels of a dataset: which match a class and by which rule, which match none, which classes have no images.
 *
 * Made without an image being read, so that whatever is wrong is known before anything is encoded. */
#ifndef VB_LABEL_REPORT_H
#define VB_LABEL_REPORT_H

#include "kernels/base/strings.h"
#include "mpi/base/json.h"
#include "shards/text/label_match.h"

/* What is known of the labels; all of it is the caller's. */
typedef struct vb_label_survey {
    const vb_vocabularies *vocabularies;
    const vb_label_match *match;
    const char *const *labels;
    const int64_t *images; /* of every label; 0: a name of the data's list of classes that no image has */
    int64_t unlabelled;    /* images without a label, where the others have one and none was stated to have none */
} vb_label_survey;

/* Counts that stand in the results: of labels that have images, by rule (VB_LABEL_UNMATCHED: of no class). */
typedef struct vb_label_counts {
    int64_t by[VB_LABEL_RULES];
    int64_t ambiguous; /* that a later rule would have given another class */
    int64_t unlabelled;
} vb_label_counts;

typedef struct vb_label_report {
    vb_label_counts counts;
    int64_t unmatched_images;
    int *unmatched, *empty; /* labels of no class, most images first; classes without images, in their order */
    int unmatched_count, empty_count;
    vb_strings notes; /* what a reader of the figures should know, a line each */
    char *nearest;    /* "label 'dgo': class 'dog'?, ...", of the first labels of no class; NULL where no class is near */
    bool from_one;    /* labels are places, none is 0, and the first class has no images */
    char *fault;      /* why it is refused unless on_unmatched is skip; NULL: nothing is */
} vb_label_report;

/* A fault is
 * - labels that match no class while classes have no images: the one may be the other under another name;
 * - a label of no class that differs from what a class is called in case, blanks, punctuation and the form of Unicode only;
 * - integers that match no class beside names that do;
 * - images without a label beside images with one;
 * - places of which none is 0, while the first class has no images: they may count from 1.
 * Labels beyond a vocabulary file whose classes all have images are none, nor are classes without images where every label
 * matches. Local. Free with vb_label_report_free, also after a failure. */
int vb_label_report_make(vb_label_report *report, const vb_label_survey *survey, vb_error *err);
void vb_label_report_free(vb_label_report *report); /* {0} is fine */

/* {"by_id", "by_name", "by_position", "unmatched", "ambiguous", "images_without_label"}. */
json_t *vb_label_report_json(vb_json *json, const vb_label_counts *counts);

#endif
