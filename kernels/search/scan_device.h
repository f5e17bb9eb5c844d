/* The search of rows (kernels/search/scan.h) through a device: it has the products in fp32 and tells which rows of a piece may be
 * among the best of each query; those are scored exactly here. The lists and the counts of rows are the same.
 *
 * Why nothing is missed: a product's chain of fused multiply-adds is one of the sums that the search's bound B holds for. If k
 * rows of a piece have fp32 scores of s or more, their exact scores are s - B or more, and a row whose fp32 score is below
 * s - 2 B has an exact one below all of theirs. What the device passes over is below that, or B below what k rows are known
 * to reach.
 * Rows whose norms the bound does not hold for are scored exactly for every query.
 *
 * What a device fails at is done here instead: nothing is lost, and nothing offered twice. */
#ifndef VB_SCAN_DEVICE_H
#define VB_SCAN_DEVICE_H

#include "kernels/gpu/gpu_device.h"
#include "kernels/search/scan.h"

typedef struct vb_scan_device vb_scan_device;

/* scan, device: borrowed, and used by nobody else until it is freed. most: rows of a piece. share: processes that use the device.
 * VB_EUNSUPPORTED: a device that has no subnormal numbers, for which the bound would not hold, or too little memory for so many
 * queries. Free it in any case; NULL is allowed there. */
int vb_scan_device_new(vb_scan_device **out, vb_scan *scan, vb_gpu_device *device, int64_t most, int share, vb_error *err);
void vb_scan_device_free(vb_scan_device *its);

/* Bytes that it takes here, for pieces of so many rows. */
size_t vb_scan_device_bytes(int64_t queries, int64_t k, int64_t rows);

/* Most rows that vb_scan_device_rows takes; becomes less when the device's memory runs out. */
int64_t vb_scan_device_most(const vb_scan_device *its);

/* Uploads these rows while those of the call before are computed, then offers what is left of those: rows must stay until the
 * next call has returned. As vb_scan_rows otherwise. */
int vb_scan_device_rows(vb_scan_device *its, const void *rows, vb_dtype dtype, int64_t count, int64_t first_id, vb_error *err);
/* Offers what is left of the last call's rows. */
int vb_scan_device_end(vb_scan_device *its, vb_error *err);

/* Rows that the device has searched, and why it is not used any longer: "" while it is. */
int64_t vb_scan_device_searched(const vb_scan_device *its);
const char *vb_scan_device_lost(const vb_scan_device *its);

/* Seconds that a row takes here (processor time) and on the device (of the clock), with these queries and made rows of `dim`
 * elements. Builds what is not built. */
int vb_scan_device_measure(vb_gpu_device *device, const float *queries, int64_t count, int dim, vb_similarity similarity,
                           double *here, double *there, vb_error *err);

#endif
