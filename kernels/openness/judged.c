/* Scores of single images from who beats them. */
#include "kernels/openness/judged.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

vb_image_scores vb_judged_scores(const vb_judged *its, int64_t image, int v) {
    int n = its->space->vocabularies, others = n - 1, harmful = 0;
    assert(image >= 0 && v >= 0 && v < n);
    const uint8_t *beaten = its->beaten + (size_t)image * (size_t)n;
    for (int u = 0; u < n; u++) harmful += u != v && beaten[u];
    double own = !beaten[v];
    return (vb_image_scores){own, own / (harmful + 1), others ? own * (others - harmful) / (others * (harmful + 1.0)) : NAN};
}

bool vb_judged_in(const vb_judged *its, int64_t image, int v) {
    const vb_memberships *memberships = its->memberships;
    for (int i = memberships->offsets[its->label[image]]; i < memberships->offsets[its->label[image] + 1]; i++)
        if (memberships->vocabularies[i] == v) return true;
    return false;
}
