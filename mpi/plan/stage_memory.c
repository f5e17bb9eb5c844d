/* Sizes of the arrays that evaluation, analyses and adversarial vocabularies allocate. */
#include "mpi/plan/stage_memory.h"

#include "mpi/analyse/analyses.h"
#include "mpi/evaluate/class_shares.h"
#include "mpi/ranks/cyclic.h"

/* Measured: WordNet's lemmas and synsets in memory. */
enum { WORDNET = 30 << 20 };

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* vb_similarity_judge: scores of at most 32 MiB or 8 rows, and the text bank. */
static int64_t judging(int64_t classes) {
    return smaller(larger((int64_t)32 << 20, 8 * 4 * classes), VB_UNIT_SAMPLES * 4 * classes) + 36 * classes;
}

static int64_t evaluation(const vb_experiment *experiment, const vb_pair_shape *s) {
    int64_t unit = VB_UNIT_SAMPLES * s->vocabularies;
    if (experiment->similarity_engine)
        return vb_class_shares_bytes((int)s->classes, (int)s->dim, (int)s->vocabularies, s->ranks) + 16 * s->classes;
    return judging(s->classes) + unit;
}

static int64_t image_pass(const vb_pair_shape *s) {
    return s->classes * (s->dim * 4 + 8) + (int64_t)s->threads * 64 * 8 * s->classes + 16 * s->images;
}

static int64_t uniformity(const vb_pair_shape *s) {
    int64_t panel = smaller((int64_t)64 << 20, (s->images + VB_UNIT_SAMPLES) * s->dim * 4);
    return panel + panel / (s->dim * 4) * 8 + 2 * VB_UNIT_SAMPLES * s->dim * 4 + (int64_t)s->threads * 64 * 8 * VB_UNIT_SAMPLES +
           8 * s->classes;
}

/* Sums, rank 0's matrix, ScaLAPACK's part of it, and the work space of the products. */
static int64_t spectrum(const vb_pair_shape *s) {
    return s->dim * s->dim * 8 * 2 + s->dim * s->dim * 8 / s->ranks + 24 * VB_UNIT_SAMPLES * s->dim +
           (int64_t)s->threads * 64 * 8 * s->dim;
}

/* Texts of classes and candidates, one unit's bits, and sets: a bit an image of this rank and candidate, in arrays that
 * double. */
static int64_t adversarial(const vb_experiment *experiment, const vb_pair_shape *s) {
    const vb_adversarial_spec *spec = &experiment->adversarial;
    int64_t all = s->classes + s->candidates, targets = spec->target_count ? spec->target_count : s->vocabularies;
    int64_t attacked = s->vocabularies ? s->images * targets / s->vocabularies : 0;
    int64_t blocks = (attacked + 64 * s->ranks - 1) / (64 * s->ranks) + targets;
    int64_t sets = smaller(2 * blocks * s->candidates * 8, spec->memory << 20);
    int64_t search =
        spec->method == VB_EXACT_SEARCH && targets ? 3 * s->candidates * 8 * (attacked / targets / 64 + s->ranks) : 0;
    return all * s->dim * 4 + (s->encoded ? s->candidates * s->dim * 4 : 0) + judging(all) +
           s->candidates * (VB_UNIT_SAMPLES / 8 + 200) + sets + search + WORDNET;
}

int64_t vb_stage_memory_texts(const vb_experiment *experiment, const vb_pair_shape *s) {
    if (!experiment->similarity_engine) return s->classes * s->dim * 4;
    int64_t local = vb_cyclic_count((int)s->classes, 0, s->ranks);
    return (local + (s->encoded ? s->classes / s->ranks + 2 * VB_UNIT_SAMPLES : 1)) * s->dim * 4;
}

int64_t vb_stage_memory(const vb_experiment *experiment, const vb_pair_shape *s) {
    int64_t most = evaluation(experiment, s);
    if (experiment->analyses & (VB_MARGIN | VB_SIMILARITIES | VB_ALIGNMENT)) most = larger(most, image_pass(s));
    if (experiment->analyses & VB_UNIFORMITY) most = larger(most, uniformity(s));
    if (experiment->analyses & VB_SPECTRUM) most = larger(most, spectrum(s));
    if (experiment->analyses & VB_ORDER) most = larger(most, judging(s->classes) + s->images * 8 * (s->vocabularies / 64 + 2));
    if (experiment->adversarial.candidates) most = larger(most, adversarial(experiment, s));
    return most;
}
