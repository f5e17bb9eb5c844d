/* What the exact scan of a corpus will take: bytes, memory, and the time that rates measured here imply. */
#ifndef VB_PLAN_SCAN_H
#define VB_PLAN_SCAN_H

#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/base/tensor.h"

typedef struct vb_scan_plan {
    int64_t rows, queries, top_k;
    int dim;
    vb_dtype dtype; /* of the rows; VB_I8: the certified 8-bit copy, whose originals are fp16 */
    int threads;    /* of a node */
    double disk;    /* bytes a second that a node reads */
} vb_scan_plan;

/* "413862335x512" as rows and dimensions. VB_EUSAGE. */
int vb_plan_scan_shape(vb_scan_plan *plan, const char *text, vb_error *err);

/* "fp16" and so on. VB_EUSAGE. */
int vb_plan_scan_storage(vb_scan_plan *plan, const char *name, vb_error *err);

/* Bytes of the rows as they are scanned. */
double vb_plan_scan_bytes(const vb_scan_plan *plan);

/* Measures for about half a second what the threads of this machine do, and prints the plan for 1 to 1024 nodes. Local. */
int vb_plan_scan_print(const vb_scan_plan *plan, vb_error *err);

#endif
