/* Tensors by name, checked, for the operations of a tower's program. Binding marks a tensor as used.
 *
 * Names are printf formats. All functions return 0 or -1 (VB_EMISMATCH naming the tensor, what was found and what was expected),
 * or a null pointer. */
#ifndef VB_BINDER_H
#define VB_BINDER_H

#include "kernels/base/tensor.h"
#include "kernels/towers/program.h"

enum { VB_NAME = 256 }; /* longest tensor name that is put together here */

typedef struct vb_binder {
    const vb_tensor_set *set;
    bool *used;          /* one a tensor */
    const char *family;  /* its name, for messages */
    vb_program *program; /* that is being written: owns the copies, counts the parameters */
    bool misfit;         /* a tensor told that the weights are of another family */
    vb_error *err;
} vb_binder;

bool vb_binder_has(const vb_binder *binder, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether any tensor's name begins so. */
bool vb_binder_has_prefix(const vb_binder *binder, const char *prefix);
/* The shape of a tensor that must have `ndim` dimensions, each between 1 and 2^24. Does not mark it. */
int vb_binder_shape(const vb_binder *binder, int ndim, int *shape, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A copy as floats, row-major, of a tensor of exactly this shape (columns 0: one dimension). Owned by the program. */
const float *vb_binder_floats(vb_binder *binder, int64_t rows, int64_t columns, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Like vb_binder_floats of one dimension; the tensor may have two more, of one element each. */
const float *vb_binder_channels(vb_binder *binder, int64_t count, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Like vb_binder_floats for running statistics, which are no parameters. */
const float *vb_binder_statistics(vb_binder *binder, int64_t count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A view of a rows x columns tensor; `transposed` when it is stored as columns x rows. */
int vb_binder_matrix(vb_binder *binder, vb_matrix *matrix, int64_t rows, int64_t columns, bool transposed, const char *format,
                     ...) __attribute__((format(printf, 6, 7)));
/* A view of a filter of out x in x 1 x kernel, along rows. */
int vb_binder_row_filter(vb_binder *binder, vb_matrix *matrix, int out, int in, int kernel, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* A view of an out x in x kernel x kernel filter as a matrix of out rows; a copy where its strides do not collapse into two. */
int vb_binder_filter(vb_binder *binder, vb_matrix *matrix, int out, int in, int kernel, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* NAME.weight and NAME.bias. */
int vb_binder_linear(vb_binder *binder, vb_linear *linear, int out, int in, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int vb_binder_norm(vb_binder *binder, vb_norm *norm, int width, float epsilon, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Rows first .. first+count-1 of a linear layer, in place. */
vb_linear vb_binder_rows_of(const vb_linear *linear, int64_t first, int64_t count);
/* NAME (width x embed) or NAME.weight (embed x width), with NAME.bias where `bias`. The embedding's width goes to *embed. */
int vb_binder_projection(vb_binder *binder, vb_linear *linear, int width, bool bias, int *embed, const char *name);
/* The side of the square whose cells, and `more` rows, are the rows of a table of positions. A cell is `patch` x `patch` pixels:
 * pictures of more than 2^14 pixels a side are refused. */
int vb_binder_grid(const vb_binder *binder, int patch, int more, int *grid, const char *name);
/* The heads for a width: `stated` unless 0, else `usual`. Checked to divide the width. */
int vb_binder_heads(const vb_binder *binder, int *heads, int width, int stated, int usual, const char *tower);
/* Whether an optional tensor is there exactly when the family has it. `what` says in words what the tensor is. */
int vb_binder_expect(vb_binder *binder, bool expected, const char *tensor, const char *what);
/* Every tensor inside of the towers must have been bound by now: another would change the results. */
int vb_binder_check_unused(const vb_binder *binder, const char *architecture);

#endif
