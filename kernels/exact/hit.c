/* The total order of hits: doubles where they decide, pairs of doubles and integers where they do not. */
#include "kernels/exact/hit.h"

#include <math.h>

double vb_hit_score(const vb_hit *hit) { return hit->square == 1 ? hit->dot : hit->dot / sqrt(hit->square); }

static void exact_parts(const vb_hit *hit, vb_exact parts[2]) {
    if (hit->wide) {
        parts[0] = hit->wide[0];
        parts[1] = hit->wide[1];
        return;
    }
    vb_exact_sum(&parts[0], (const double[]){hit->dot, hit->dot_rest}, 2);
    vb_exact_sum(&parts[1], (const double[]){hit->square, hit->square_rest}, 2);
}

/* -1, 0 or 1 as the score of a is below, equal to or above that of b. */
static int compare_scores(const vb_hit *a, const vb_hit *b) {
    /* Inner products: the nearest doubles of two numbers are never the other way round than the numbers. */
    if (a->square == 1 && b->square == 1 && a->square_rest == 0 && b->square_rest == 0) {
        if (a->dot != b->dot) return a->dot < b->dot ? -1 : 1;
    } else {
        double difference = vb_hit_score(a) - vb_hit_score(b);
        double margin = 0x1p-50 * (fabs(vb_hit_score(a)) + fabs(vb_hit_score(b)));
        if (difference > margin) return 1;
        if (difference < -margin) return -1;
    }
    if (!a->wide && !b->wide && a->square == b->square && a->square_rest == b->square_rest) {
        if (a->dot != b->dot) return a->dot < b->dot ? -1 : 1;
        return a->dot_rest < b->dot_rest ? -1 : a->dot_rest > b->dot_rest;
    }
    vb_exact left[2], right[2];
    exact_parts(a, left);
    exact_parts(b, right);
    return vb_exact_compare_ratio(&left[0], &left[1], &right[0], &right[1]);
}

bool vb_hit_before(const vb_hit *a, const vb_hit *b) {
    int order = compare_scores(a, b);
    return order > 0 || (order == 0 && a->id < b->id);
}
