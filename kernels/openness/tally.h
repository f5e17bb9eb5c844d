/* Tallies of judged images: the integer counts from which all figures of openness follow.
 *
 * What is counted, and why the counts suffice: kernels/openness/openness.h. */
#ifndef VB_TALLY_H
#define VB_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/openness/harm_sets.h"
#include "kernels/openness/label_space.h"

enum { VB_UNION_PERMUTATIONS = 1000, VB_CURVE_ERRORS_MAX = 100 };

typedef struct vb_protocol {
    bool sampled;           /* also keep what the official code's protocol needs */
    int trials;             /* permutations a target vocabulary, sampled only */
    uint32_t seed;          /* of NumPy's legacy generator, for `sampled` and for the union's permutations */
    int union_permutations; /* for the union of images when N > 20; 0 means VB_UNION_PERMUTATIONS */
    bool curve_errors;      /* also keep, up to VB_CURVE_ERRORS_MAX vocabularies, what the curve's errors need: up to 3 N^3 */
    bool union_errors;      /* also keep, up to 20 vocabularies, the harmful sets by class: vb_tally_harm_sets */
} vb_protocol;

/* Integer counts of images seen so far. Tallies of the same label space and protocol add up element by element, in any
 * grouping. */
typedef struct vb_tally vb_tally;

/* Whether so many vocabularies are handled, and so many orders drawn: VB_EUNSUPPORTED, VB_ECONFIG. */
int vb_tally_check(const vb_label_space *space, const vb_protocol *protocol, vb_error *err);
/* Copies what it needs of the space and the protocol. Counters, of 8 bytes: N^2 + N, one a class and one, 3 N an entry of the
 * label space (82,000 classes in 26 vocabularies: 49 MiB) and N for each two vocabularies that hold a class; for acc_e_union 2^N
 * up to 20 vocabularies (8 MiB at 20) and union_permutations (N + 1) beyond, since only the last image tells whether image counts
 * are equal and the closed form does; `sampled` adds trials N (N + 1) and one an entry. Orders take half as much again as their
 * counters, not to be reduced.
 * VB_EMISMATCH for a label space that is not one; vb_tally_check's errors. Free with vb_tally_free. */
int vb_tally_new(vb_tally **tally, const vb_label_space *space, const vb_protocol *protocol, vb_error *err);
/* What vb_tally_new takes of a space and a protocol that it takes: bytes of the counters and of the orders. VB_EMEMORY. */
int vb_tally_bytes(const vb_label_space *space, const vb_protocol *protocol, int64_t *counters, int64_t *orders, vb_error *err);
/* No image any more. */
void vb_tally_clear(vb_tally *tally);
/* NULL is allowed. */
void vb_tally_free(vb_tally *tally);

/* Counts one image of class `label` (0..classes-1) with beaten[u] != 0 for the vocabularies u that beat it (vb_similarity_judge).
 * An image whose class is in no vocabulary is not counted. Not thread-safe for one tally. */
void vb_tally_add(vb_tally *tally, int label, const uint8_t *beaten);

/* The same for an image with a set of right classes, where the label space has `sets`. labels: `views` classes of the set,
 * ranked, the first-ranked first, of which each is the first-ranked one of the set in some vocabulary; beaten: a row of N for
 * each of them, with the set's classes for no rivals. The image is right among any union of vocabularies in which the
 * first-ranked class is of its set. It belongs to each vocabulary that holds one of the set, there to the first one listed. */
void vb_tally_add_set(vb_tally *tally, const vb_class_set *set, const int *labels, int views, const uint8_t *beaten);

/* How many images of a vocabulary (0 .. N - 1) were counted. */
int64_t vb_tally_images(const vb_tally *tally, int vocabulary);

/* The counts as one flat block, to be summed over ranks in place. Valid as long as the tally. */
int64_t *vb_tally_counters(vb_tally *tally, size_t *count);

/* With union_errors and 2 to 20 vocabularies: the images by class and harmful sets, not part of the counters: to be ended, and
 * merged over ranks, beside them. Else NULL. The tally's. */
vb_harm_sets *vb_tally_harm_sets(vb_tally *tally);

#endif
