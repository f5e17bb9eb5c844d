/* The label space of a benchmark: classes, the vocabularies that list them, and for each class the vocabularies it is in. */
#ifndef VB_LABEL_SPACE_H
#define VB_LABEL_SPACE_H

#include <stdbool.h>

#include "kernels/base/error.h"

/* Vocabulary v holds the classes members[offsets[v]] .. members[offsets[v+1]-1] (indices 0..classes-1, each at most once a
 * vocabulary; a class may be in several vocabularies, or in none: then it is only a text row). A view; whoever made it owns the
 * arrays. */
typedef struct vb_label_space {
    int classes, vocabularies;
    const int *offsets, *members;
    /* Of every class: classes of equal kin are one thing under one name, and none is wrong for an image of the other. NULL: every
     * class is a thing of its own. */
    const int *kin;
} vb_label_space;

/* Whether class c is not wrong for an image of class y: y itself, or its kin. */
static inline bool vb_label_space_same(const int *kin, int c, int y) { return c == y || (kin && kin[c] == kin[y]); }

/* The same relation by class: class c is in the vocabularies vocabularies[offsets[c]] .. [offsets[c+1]-1], ascending; the first
 * one is its home when one is asked for. slots[i] is where that vocabulary lists the class: members[slots[i]] == c. */
typedef struct vb_memberships {
    int count; /* vocabularies */
    int *offsets, *vocabularies, *slots;
} vb_memberships;

/* Checks the label space (VB_EMISMATCH names the vocabulary and the entry) and fills *homes; on failure *homes is empty. */
int vb_label_space_memberships_new(vb_memberships *homes, const vb_label_space *space, vb_error *err);
/* Leaves *homes empty. */
void vb_label_space_memberships_free(vb_memberships *homes);

#endif
