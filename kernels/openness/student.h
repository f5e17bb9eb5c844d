/* Student's distribution: how many standard errors a 95 % interval goes to either side.
 *
 * Source: the finite sums for whole degrees of freedom, Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and
 * 26.7.4; the expansion about the normal quantile, 26.7.5. Arithmetic and square roots only: the same on every machine. */
#ifndef VB_STUDENT_H
#define VB_STUDENT_H

#include <stdint.h>

#define VB_STUDENT_NORMAL 1.959963984540054 /* the limit of many degrees of freedom */

/* t with P(|T| <= t) = 0.95 for `df` >= 1 degrees of freedom; within 1e-12 of itself. */
double vb_student_quantile(int64_t df);

#endif
