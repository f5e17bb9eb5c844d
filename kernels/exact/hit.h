/* A row found by a query: its score kept exactly, in a form that needs neither row nor query to be ranked against another. */
#ifndef VB_HIT_H
#define VB_HIT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/exact/exact.h"

/* The score is dot / sqrt(square), times a factor that all hits of the query share: x . q and 1 for inner products, x . q and x .
 * x for cosines. dot + dot_rest is x . q exactly, dot being the nearest double; the same for square. Sums that two doubles cannot
 * hold (rows whose elements differ by many orders of magnitude) stand in wide[0] and wide[1]; dot_rest means nothing then, and
 * square_rest is NaN unless square is 1 exactly. */
typedef struct vb_hit {
    int64_t id; /* global row number */
    double dot, dot_rest, square, square_rest;
    vb_exact *wide; /* owned; NULL for nearly every row */
} vb_hit;

/* dot / sqrt(square) in fp64, within 2^-51 of the exact value (relatively). */
double vb_hit_score(const vb_hit *hit);

/* Whether a is ranked before b: a higher score as if in real arithmetic, or equal scores and a lower id. Equal ids: false. */
bool vb_hit_before(const vb_hit *a, const vb_hit *b);

#endif
