/* Checks a label space and inverts it: from "vocabulary lists classes" to "class is in vocabularies". */
#include "kernels/openness/label_space.h"

#include "kernels/base/memory.h"

static int check_space(const vb_label_space *space, vb_error *err) {
    if (space->classes < 1 || space->vocabularies < 1)
        return vb_errorf(err, VB_EMISMATCH, "label space of %d classes and %d vocabularies, expected at least one of each",
                         space->classes, space->vocabularies);
    if (space->offsets[0] != 0)
        return vb_errorf(err, VB_EMISMATCH, "label space starts at entry %d, expected 0", space->offsets[0]);
    for (int v = 0; v < space->vocabularies; v++) {
        if (space->offsets[v + 1] <= space->offsets[v]) return vb_errorf(err, VB_EMISMATCH, "vocabulary %d has no classes", v);
        for (int i = space->offsets[v]; i < space->offsets[v + 1]; i++)
            if (space->members[i] < 0 || space->members[i] >= space->classes)
                return vb_errorf(err, VB_EMISMATCH, "vocabulary %d, entry %d: class %d, expected 0 to %d", v,
                                 i - space->offsets[v], space->members[i], space->classes - 1);
    }
    return 0;
}

int vb_label_space_memberships_new(vb_memberships *memberships, const vb_label_space *space, vb_error *err) {
    int status = -1;
    *memberships = (vb_memberships){.count = space->vocabularies, .equivalence = space->equivalence};
    if (check_space(space, err)) goto done;
    size_t entries = (size_t)space->offsets[space->vocabularies];
    memberships->offsets = vb_array((size_t)space->classes + 2, sizeof(int), "vocabularies of the classes", err);
    if (!memberships->offsets) goto done;
    memberships->vocabularies = vb_array(entries, sizeof(int), "vocabularies of the classes", err);
    memberships->slots = memberships->vocabularies ? vb_array(entries, sizeof(int), "vocabularies of the classes", err) : NULL;
    if (!memberships->slots) goto done;
    int *next = memberships->offsets + 1; /* next[c] runs from the start of class c to its end, and so becomes offsets[c + 1] */
    for (size_t i = 0; i < entries; i++) next[space->members[i] + 1]++;
    for (int c = 0; c < space->classes; c++) next[c + 1] += next[c];
    for (int v = 0; v < space->vocabularies; v++)
        for (int i = space->offsets[v]; i < space->offsets[v + 1]; i++) {
            int at = next[space->members[i]]++;
            memberships->vocabularies[at] = v;
            memberships->slots[at] = i;
        }
    for (int c = 0; c < space->classes; c++)
        for (int i = memberships->offsets[c] + 1; i < memberships->offsets[c + 1]; i++)
            if (memberships->vocabularies[i] == memberships->vocabularies[i - 1]) {
                vb_errorf(err, VB_EMISMATCH, "vocabulary %d lists class %d twice", memberships->vocabularies[i], c);
                goto done;
            }
    status = 0;
done:
    if (status) vb_label_space_memberships_free(memberships);
    return status;
}

void vb_label_space_memberships_free(vb_memberships *memberships) {
    vb_free(memberships->offsets);
    vb_free(memberships->vocabularies);
    vb_free(memberships->slots);
    *memberships = (vb_memberships){0};
}

int64_t *vb_label_space_pairs_new(const vb_memberships *memberships, int classes, vb_error *err) {
    int64_t *pairs = vb_array((size_t)classes + 1, sizeof *pairs, "pairs of vocabularies", err);
    for (int c = 0; c < classes && pairs; c++) {
        const int64_t k = memberships->offsets[c + 1] - memberships->offsets[c];
        pairs[c + 1] = pairs[c] + k * (k - 1) / 2;
    }
    return pairs;
}
