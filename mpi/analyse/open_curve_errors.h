/* The three standard errors of the open curve (kernels/openness/spread.h), at its points. Rank 0, local. */
#ifndef VB_OPEN_CURVE_ERRORS_H
#define VB_OPEN_CURVE_ERRORS_H

#include "mpi/base/json.h"

/* An image within one of its vocabularies: the names that take it among the vocabulary's classes and among all;
 * VB_OPEN_CURVE_WRONG where it is wrong without names. */
enum { VB_OPEN_CURVE_WRONG = -1 };
typedef struct vb_open_curve_row {
    int32_t vocabulary, class, own, all;
    int32_t sole, without; /* the only vocabulary that makes it wrong among all, and the names that take it then; else WRONG */
    int32_t image;         /* the same in an image's rows */
} vb_open_curve_row;

typedef struct vb_open_curve_rows {
    vb_open_curve_row *rows; /* reordered */
    size_t count;
    int vocabularies, classes;
    const int64_t *pools; /* names of each vocabulary, then of all */
    const int64_t *points;
    int point_count;
    bool sets; /* several classes may be right: nothing is known of deleted vocabularies */
} vb_open_curve_rows;

/* Puts `errors` into the parts `own` and `all` of the curves and of each of their `vocabularies`: lists by kind, of a number for
 * each point, null beyond the pool. A function of the rows as a set. VB_EMEMORY. */
int vb_open_curve_errors(vb_json *json, json_t *curves, const vb_open_curve_rows *rows, vb_error *err);

#endif
