/* What other tools print beside top-1, over all classes at once: accuracy at 5, and the mean over classes of their recall, with
 * the three errors of each (kernels/openness/spread.h). */
#ifndef VB_CLASS_RECALL_H
#define VB_CLASS_RECALL_H

#include <stddef.h>

#include "kernels/openness/spread.h"

enum { VB_RECALL_IMAGES, VB_RECALL_AT_1, VB_RECALL_AT_TOP, VB_RECALL_COUNTS, VB_RECALL_TOP = 5 };
/* Up to so many vocabularies each is deleted once: its counts stand by class. */
enum { VB_RECALL_VOCABULARIES_MAX = 100 };

/* Of each class 1 + `deletions` rows of VB_RECALL_COUNTS: its images, those right, and those of which fewer than VB_RECALL_TOP
 * wrong classes are ranked before the right one; then the same without vocabulary 0, 1, ... and with the images that are left. */
typedef struct vb_recall_counts {
    int classes, deletions;
    const int64_t *counts;
} vb_recall_counts;

typedef enum vb_recall_figure { VB_RECALL_TOP_ALL, VB_RECALL_MEAN, VB_RECALL_MEAN_AT_TOP, VB_RECALL_FIGURES } vb_recall_figure;

typedef struct vb_recall {
    double value[VB_RECALL_FIGURES]; /* NaN without images */
    vb_spread errors[VB_RECALL_FIGURES];
    double wilson[2]; /* of the accuracy at VB_RECALL_TOP, a share of images */
} vb_recall;

/* Rows of a class. */
static inline size_t vb_class_recall_rows(int deletions) { return 1 + (size_t)deletions; }

/* A function of the counts alone. VB_EMEMORY. */
int vb_class_recall(vb_recall *out, const vb_recall_counts *counts, vb_error *err);

#endif
