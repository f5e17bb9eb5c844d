/* The right classes of every image, where labels are sets: from texts (shards/text/label_sets.h) to the classes of a vocabulary
 * file. */
#ifndef VB_CLASS_SETS_H
#define VB_CLASS_SETS_H

#include "kernels/openness/label_space.h"
#include "mpi/encode/label_report.h"
#include "shards/text/label_sets.h"
#include "shards/text/texts.h"

typedef struct vb_class_sets {
    int64_t images;         /* in the order of the data */
    int64_t *offsets;       /* images + 1; NULL: labels are single ones */
    int *classes;           /* as listed, less what is of no class, and a class that two labels mean once */
    int64_t empty, several; /* images whose list of labels is empty; with two or more classes */
} vb_class_sets;

/* What the labels are resolved with. */
typedef struct vb_class_sets_rules {
    const vb_vocabularies *vocabularies;
    const vb_texts *label_names; /* that integers index; NULL: none */
    const char *path;            /* of the labels, for messages */
} vb_class_sets_rules;

/* Labels are resolved as single ones are (shards/text/label_match.h). *report gets what became of them, and class_images
 * (vocabularies->classes counters, zeroed) the images that have each class. VB_EMISMATCH with file and label: an integer beyond
 * label_names or, where labels are places, beyond the last class. Local; free both also after a failure. */
int vb_class_sets_make(vb_class_sets *sets, vb_label_report *report, int64_t *class_images, const vb_label_sets *labels,
                       const vb_class_sets_rules *rules, vb_error *err);
void vb_class_sets_free(vb_class_sets *sets); /* {0} is fine */

/* Image `place`'s set, which may be empty. */
static inline vb_class_set vb_class_sets_at(const vb_class_sets *sets, int64_t place) {
    const int64_t first = sets->offsets[place];
    return (vb_class_set){sets->classes + first, (int)(sets->offsets[place + 1] - first)};
}

/* Of all sets; empty where there are none. */
vb_digest vb_class_sets_digest(const vb_class_sets *sets);

/* {"images_with_several_classes", "images_with_an_empty_set"}. */
json_t *vb_class_sets_json(vb_json *json, const vb_class_sets *sets);

#endif
