/* Ranks every image's set, and takes the first class of each vocabulary. */
#include "kernels/openness/set_views.h"

#include <string.h>

#include "kernels/base/memory.h"

static bool is_in(const vb_memberships *memberships, int class, int v) {
    for (int h = memberships->offsets[class]; h < memberships->offsets[class + 1]; h++)
        if (memberships->vocabularies[h] == v) return true;
    return false;
}

/* Whether ranked[at] is the first of its list in some vocabulary. */
static bool is_first(const vb_memberships *memberships, const int *ranked, int at) {
    for (int h = memberships->offsets[ranked[at]]; h < memberships->offsets[ranked[at] + 1]; h++) {
        bool earlier = false;
        for (int i = 0; i < at && !earlier; i++) earlier = is_in(memberships, ranked[i], memberships->vocabularies[h]);
        if (!earlier) return true;
    }
    return false;
}

int vb_set_views_new(vb_set_views *views, const vb_text_bank *bank, int dim, const vb_memberships *memberships,
                     const vb_image_block *block, vb_error *err) {
    size_t most = 0, largest = 0, count = 0, width = (size_t)dim;
    for (int64_t i = 0; i < block->rows; i++) {
        size_t classes = (size_t)block->sets[i].count;
        most += classes;
        if (classes > largest) largest = classes;
    }
    *views = (vb_set_views){.first = vb_array((size_t)block->rows + 1, sizeof *views->first, "views of images", err),
                            .labels = vb_array(most, sizeof *views->labels, "views of images", err),
                            .sets = vb_array(most, sizeof *views->sets, "views of images", err),
                            .images = vb_array(most * width, sizeof *views->images, "views of images", err)};
    int *ranked = vb_array(largest, sizeof *ranked, "views of images", err), status = 0;
    if (!views->first || !views->labels || !views->sets || !views->images || !ranked) status = -1;
    for (int64_t i = 0; i < block->rows && !status; i++) {
        const vb_class_set *set = &block->sets[i];
        const float *image = block->images + (size_t)i * width;
        memcpy(ranked, set->classes, (size_t)set->count * sizeof *ranked);
        status = vb_similarity_rank(bank, image, i, ranked, set->count, err);
        for (int at = 0; at < set->count && !status; at++) {
            if (!is_first(memberships, ranked, at)) continue;
            views->labels[count] = ranked[at];
            views->sets[count] = *set;
            memcpy(views->images + count++ * width, image, width * sizeof *image);
        }
        views->first[i + 1] = (int64_t)count;
    }
    views->block =
        (vb_image_block){.rows = (int64_t)count, .images = views->images, .labels = views->labels, .sets = views->sets};
    vb_free(ranked);
    return status;
}

void vb_set_views_free(vb_set_views *views) {
    vb_free(views->first);
    vb_free(views->labels);
    vb_free(views->sets);
    vb_free(views->images);
    *views = (vb_set_views){0};
}

int64_t vb_set_views_of(const vb_set_views *views, const vb_memberships *memberships, int64_t i, int v) {
    for (int64_t k = views->first[i]; k < views->first[i + 1]; k++)
        if (is_in(memberships, views->labels[k], v)) return k;
    return -1;
}
