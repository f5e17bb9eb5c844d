/* Doubles to floats that bound them: the rounding of a bound must not move it inwards. */
#ifndef VB_ROUND_OUTWARD_H
#define VB_ROUND_OUTWARD_H

#include <math.h>

/* The least float >= value; infinity beyond the largest float. NaN stays NaN. */
static inline float vb_round_outward_up(double value) {
    float rounded = (float)value;
    return (double)rounded < value ? nextafterf(rounded, INFINITY) : rounded;
}

/* The largest float <= value; -infinity below the least one. NaN stays NaN. */
static inline float vb_round_outward_down(double value) {
    float rounded = (float)value;
    return (double)rounded > value ? nextafterf(rounded, -INFINITY) : rounded;
}

#endif
