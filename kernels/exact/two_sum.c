/* Sums of doubles with what their roundings lose: eight of them to one. */
#include "kernels/exact/two_sum.h"

void vb_two_sum_join(const double sums[8], const double errors[8], double *sum, double *rest) {
    double s = 0, e = 0;
    for (int i = 0; i < 8; i++) {
        double lost = vb_two_sum(s, sums[i], &s);
        e += lost + errors[i];
    }
    *rest = vb_two_sum(s, e, sum);
}
