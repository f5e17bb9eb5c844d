/* The three standard errors of accuracy among n foreign names (kernels/openness/names_curve.h), from how many names take each
 * image. */
#ifndef VB_NAMES_ERRORS_H
#define VB_NAMES_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/openness/spread.h"

/* An image within one of its vocabularies: the names that take it among the vocabulary's classes and among all;
 * VB_NAMES_WRONG where it is wrong without names. */
enum { VB_NAMES_WRONG = -1 };
typedef struct vb_names_row {
    int32_t vocabulary, class, own, all;
    int32_t sole, without; /* the only vocabulary that makes it wrong among all, and the names that take it then; else WRONG */
    int32_t only, beside;  /* likewise: another one that alone holds its first-ranked right class, of several; else WRONG */
    int32_t image;         /* the same in an image's rows */
} vb_names_row;

typedef struct vb_names_rows {
    vb_names_row *rows; /* reordered */
    size_t count;
    int vocabularies, classes;
    const int64_t *pools; /* names of each vocabulary, then of all */
} vb_names_rows;

/* At each of `count` points, of the mean and then of each vocabulary: out[p * (vocabularies + 1) ...]; vb_spread_none beyond the
 * pool. A function of the rows as a set. VB_EMEMORY. */
int vb_names_errors(vb_spread *out, const vb_names_rows *rows, bool all, const int64_t *points, int count, vb_error *err);

/* Of every class that has rows, ascending, within the first vocabulary in which it has some: out[entry * count + p]. A class
 * is one cluster: none by classes. VB_EMEMORY. */
int vb_names_errors_of_classes(vb_spread *out, const vb_names_rows *rows, bool all, const int64_t *points, int count,
                               vb_error *err);

#endif
