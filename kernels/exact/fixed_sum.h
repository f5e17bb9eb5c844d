/* Exact sums of doubles: a fixed-point number wide enough for every double, so that no order of addition can change a bit.
 *
 * The state is int64 counters alone, which add element by element over threads and ranks (MPI_SUM) to the state of the joint sum.
 * The value is the exact sum rounded once, to nearest even. One accumulator belongs to one thread at a time. */
#ifndef VB_FIXED_SUM_H
#define VB_FIXED_SUM_H

#include <stddef.h>
#include <stdint.h>

enum { VB_FIXED_DIGITS = 68 };

/* sum of digit[i] * 2^(32 i - 1074). All zero is the empty sum. */
typedef struct vb_fixed_sum {
    int64_t digit[VB_FIXED_DIGITS];
    int64_t broken; /* terms that were infinite or NaN: the value is then NaN */
    int64_t room;   /* additions since the last carry; meaningless, but harmless, once states were added up */
} vb_fixed_sum;

enum { VB_FIXED_COUNTERS = sizeof(vb_fixed_sum) / sizeof(int64_t) };

/* sum += term. */
void vb_fixed_sum_add(vb_fixed_sum *sum, double term);

/* sum += other. */
void vb_fixed_sum_join(vb_fixed_sum *sum, const vb_fixed_sum *other);

/* Makes the digits small, so that up to 2^30 states may be added up element by element: to be called before that. */
void vb_fixed_sum_settle(vb_fixed_sum *sum);

/* The sum, correctly rounded; infinity beyond the largest double. */
double vb_fixed_sum_value(const vb_fixed_sum *sum);

#endif
