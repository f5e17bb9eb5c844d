/* Cutting work into blocks. Internal. */
#ifndef VB_BLOCKING_H
#define VB_BLOCKING_H

#include <stdint.h>

static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t parts(int64_t whole, int64_t part) { return (whole + part - 1) / part; } /* the last may be smaller */
static inline int64_t round_up(int64_t value, int64_t unit) { return parts(value, unit) * unit; }

#endif
