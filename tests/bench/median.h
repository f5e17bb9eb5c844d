/* The median that benchmarks report. */
#ifndef VB_BENCH_MEDIAN_H
#define VB_BENCH_MEDIAN_H

#include <stdlib.h>

static inline int bench_by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. Of an even number the greater one in the middle. */
static inline double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, bench_by_value);
    return values[count / 2];
}

#endif
