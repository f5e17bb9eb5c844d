/* NumPy's .npy files: mapped for reading, written atomically. Versions 1.0, 2.0 and 3.0, little-endian, C order. */
#ifndef VB_NPY_H
#define VB_NPY_H

#include "kernels/base/tensor.h"
#include "shards/files/map.h"
#include "shards/files/writer.h"

typedef struct vb_npy {
    vb_map map;
    vb_tensor tensor; /* view into the map */
    const char *note; /* a comment of ours behind the header's dict ("# ..."), without the mark; into the map, not terminated */
    size_t note_size; /* 0: there is none */
} vb_npy;
/* Checks magic, header, dtype, order and that the file holds exactly the bytes the shape asks for. Fortran order is
 * VB_EUNSUPPORTED unless the array has at most one dimension longer than 1. */
int vb_npy_open(vb_npy *npy, const char *path, vb_error *err);
void vb_npy_close(vb_npy *npy); /* {0} is fine */

/* Whole array at once. */
int vb_npy_write(const char *path, vb_dtype dtype, int ndim, const int64_t *shape, const void *data, vb_error *err);
/* The same with a note, fewer than 64 bytes of one line: in the padding of the header, where NumPy reads over it. */
int vb_npy_write_noted(const char *path, vb_dtype dtype, int ndim, const int64_t *shape, const void *data, const char *note,
                       vb_error *err);
/* Header only, for writers that stream rows: appends it to an open writer. */
int vb_npy_write_header(vb_writer *writer, vb_dtype dtype, int ndim, const int64_t *shape, vb_error *err);

#endif
