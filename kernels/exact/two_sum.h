/* Sums of doubles with what their roundings lose.
 *
 * Source: Knuth, The Art of Computer Programming, vol. 2, section 4.2.2, theorem B; Ogita, Rump and Oishi 2005, Accurate Sum and
 * Dot Product. */
#ifndef VB_TWO_SUM_H
#define VB_TWO_SUM_H

/* a + b = *sum + the returned error, exactly, *sum being the nearest double; provided that nothing overflows. */
static inline double vb_two_sum(double a, double b, double *sum) {
    *sum = a + b;
    double back = *sum - a;
    return (a - (*sum - back)) + (b - back);
}

/* Joins eight running sums and their collected errors into sum + rest, in one fixed order. */
void vb_two_sum_join(const double sums[8], const double errors[8], double *sum, double *rest);

#endif
