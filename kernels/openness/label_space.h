/* The label space of a benchmark: classes, the vocabularies that list them, and for each class the vocabularies it is in. */
#ifndef VB_LABEL_SPACE_H
#define VB_LABEL_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* Vocabulary v holds the classes members[offsets[v]] .. members[offsets[v+1]-1] (indices 0..classes-1, each at most once a
 * vocabulary; a class may be in several vocabularies, or in none: then it is only a text row). A view; whoever made it owns the
 * arrays. */
typedef struct vb_label_space {
    int classes, vocabularies;
    const int *offsets, *members;
    /* Of every class: classes of an equal number are one thing under one name, and none is wrong for an image of the other. NULL:
     * every class is a thing of its own. */
    const int *equivalence;
    bool sets; /* images have sets of classes that are right, rather than one each */
} vb_label_space;

/* Whether class c is not wrong for an image of class y: y itself, or an equivalent. */
static inline bool vb_label_space_same(const int *equivalence, int c, int y) {
    return c == y || (equivalence && equivalence[c] == equivalence[y]);
}

/* The correct classes of an image that has several, in the order in which they are listed; borrowed. */
typedef struct vb_class_set {
    const int *classes;
    int count;
} vb_class_set;

static inline bool vb_label_space_holds(const vb_class_set *set, int c) {
    for (int i = 0; i < set->count; i++)
        if (set->classes[i] == c) return true;
    return false;
}

/* The same relation by class: class c is in the vocabularies vocabularies[offsets[c]] .. [offsets[c+1]-1], ascending; the first
 * one is its own vocabulary when one is asked for. slots[i] is where that vocabulary lists the class: members[slots[i]] == c. */
typedef struct vb_memberships {
    int count; /* vocabularies */
    int *offsets, *vocabularies, *slots;
    const int *equivalence; /* the label space's; borrowed */
} vb_memberships;

/* Checks the label space (VB_EMISMATCH names the vocabulary and the entry) and fills *memberships; on failure *memberships is
 * empty. */
int vb_label_space_memberships_new(vb_memberships *memberships, const vb_label_space *space, vb_error *err);
/* Leaves *memberships empty. */
void vb_label_space_memberships_free(vb_memberships *memberships);

/* classes + 1 numbers: where each class's pairs of vocabularies begin, and how many there are in all. VB_EMEMORY; vb_free. */
int64_t *vb_label_space_pairs_new(const vb_memberships *memberships, int classes, vb_error *err);
/* The place of the class's i-th and j-th vocabulary, i < j. */
static inline int64_t vb_label_space_pair(const int64_t *pairs, int class, int i, int j) {
    return pairs[class] + (int64_t)j * (j - 1) / 2 + i;
}

#endif
