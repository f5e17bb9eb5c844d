/* Similarities of a few images with all texts at a time, and what is summed of them. */
#include "kernels/openness/masses.h"

#include <assert.h>
#include <math.h>
#include <omp.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/dots.h"

/* What a thread needs: products with classes and with names, and similarities in some order. */
typedef struct mass_space {
    double *classes, *names, *ordered;
} mass_space;

static int64_t ordered_size(const vb_mass_texts *texts) {
    return texts->classes->count > texts->names->count ? texts->classes->count : texts->names->count;
}

/* Products of one image become similarities. */
static void scale_row(double *dots, const vb_feature_block *texts, double inverse) {
    for (int64_t c = 0; c < texts->count; c++) {
        dots[c] *= inverse;
        if (texts->similarity == VB_COSINE) dots[c] *= texts->inverse[c];
    }
}

static void sum_image(const vb_mass_texts *texts, const double *classes, const double *names, double *ordered, vb_mass *out) {
    const vb_label_space *space = texts->space;
    for (int v = 0; v < space->vocabularies; v++) {
        int first = space->offsets[v], n = space->offsets[v + 1] - first;
        for (int i = 0; i < n; i++) ordered[i] = classes[space->members[first + i]];
        *out++ = vb_confidence_mass(ordered, n, texts->scale);
    }
    *out++ = vb_confidence_mass(classes, texts->classes->count, texts->scale);
    for (int d = 0; d < texts->draws; d++) {
        const int *order = texts->order + d * texts->names->count;
        vb_mass mass = {-INFINITY, 0};
        for (int64_t i = 0; i < texts->names->count; i++) ordered[i] = names[order[i]];
        for (int p = 1; p < texts->point_count; p++) {
            int64_t from = texts->points[p - 1];
            mass =
                vb_confidence_join(mass, vb_confidence_mass(ordered + from, texts->points[p] - from, texts->scale), texts->scale);
            *out++ = mass;
        }
    }
}

int64_t vb_masses_bytes(int64_t classes, int64_t names, int threads) {
    return (int64_t)threads * 8 *
           (VB_DOTS_ROWS * (vb_dots_cols(classes) + vb_dots_cols(names)) + (classes > names ? classes : names));
}

int vb_masses(const vb_mass_texts *texts, const float *images, int64_t count, vb_mass *out, int threads, vb_error *err) {
    assert(count >= 0 && threads >= 1 && texts->point_count >= 1 && !texts->points[0] && !texts->space->equivalence);
    int64_t slices = (count + VB_DOTS_ROWS - 1) / VB_DOTS_ROWS, masses = vb_masses_count(texts);
    int team = threads < slices ? threads : slices ? (int)slices : 1, dim = texts->classes->dim;
    int64_t class_ld = vb_dots_cols(texts->classes->count), name_ld = vb_dots_cols(texts->names->count);
    int64_t size = VB_DOTS_ROWS * (class_ld + name_ld) + ordered_size(texts);
    double *space = vb_buffer((size_t)team * (size_t)size, sizeof *space, "similarities", err);
    double *inverse = vb_array((size_t)count, sizeof *inverse, "norms of images", err);
    int status = space && inverse ? vb_features_inverse_norms(images, count, dim, inverse, err) : -1;
    if (!status) {
#pragma omp parallel for num_threads(team) schedule(dynamic, 1) if (team > 1)
        for (int64_t s = 0; s < slices; s++) {
            double *own = space + (int64_t)omp_get_thread_num() * size;
            const mass_space its = {own, own + VB_DOTS_ROWS * class_ld, own + VB_DOTS_ROWS * (class_ld + name_ld)};
            int64_t first = s * VB_DOTS_ROWS, n = count - first < VB_DOTS_ROWS ? count - first : VB_DOTS_ROWS;
            vb_dots(n, images + first * dim, texts->classes->count, texts->classes->packed, dim, its.classes, class_ld);
            if (name_ld) vb_dots(n, images + first * dim, texts->names->count, texts->names->packed, dim, its.names, name_ld);
            for (int64_t i = 0; i < n; i++) {
                double *classes = its.classes + i * class_ld, *names = its.names + i * name_ld;
                scale_row(classes, texts->classes, inverse[first + i]);
                scale_row(names, texts->names, inverse[first + i]);
                sum_image(texts, classes, names, its.ordered, out + (first + i) * masses);
            }
        }
    }
    vb_free(space);
    vb_free(inverse);
    return status;
}
