/* Convolutions that are put together at binding: BatchNorms folded in, parallel branches summed into one filter.
 *
 * Sums are in double, rounded to float once. Functions of a binder return 0 or -1 with its error. */
#ifndef VB_FOLD_H
#define VB_FOLD_H

#include "kernels/towers/binder.h"

/* A filter under construction: out x in x kernel x kernel, and a bias an output channel. `in` counts the inputs that an output
 * channel reads: 1 of a depthwise convolution. */
typedef struct vb_fold {
    int out, in, kernel;
    double epsilon;  /* of the BatchNorms; 0: 1e-5 */
    bool behind;     /* filters that are smaller by one stand behind a row and a column of zeros, not in the middle */
    bool along_rows; /* the file's filters are 1 x kernel, and lie in the middle row */
    double *weight, *bias;
} vb_fold;

/* All zeros. Close it in any case. */
int vb_fold_open(vb_fold *fold, int out, int in, int kernel, vb_error *err);
void vb_fold_close(vb_fold *fold);

/* Adds the convolution CONV.weight (out x in x kernel x kernel, or x 1 x kernel, kernel odd or that of the fold), put in the
 * middle, with the BatchNorm NORM.weight, .bias, .running_mean and .running_var behind it; with CONV.bias instead where `norm`
 * is NULL. */
int vb_fold_convolution(vb_binder *binder, vb_fold *fold, int kernel, const char *conv, const char *norm);
/* Adds the input itself, behind the BatchNorm `norm`; as it is where that is NULL. out must be in times the groups. */
int vb_fold_identity(vb_binder *binder, vb_fold *fold, const char *norm);
/* Subtracts another one of the same shape. */
void vb_fold_subtract(vb_fold *fold, const vb_fold *other);
/* Multiplies each output channel. */
void vb_fold_multiply(vb_fold *fold, const float *factors);

/* Copies as floats that the binder's program owns: out rows of in x kernel x kernel, and out. */
int vb_fold_finish(vb_binder *binder, const vb_fold *fold, const float **weight, const float **bias);

/* A depthwise convolution NAME.weight (channels x 1 x kernel x kernel, by filter->kernel) with NAME.bias. */
int vb_fold_depthwise(vb_binder *binder, vb_channel_filter *filter, int channels, const char *name);

/* A convolution of 1 x 1, NAME.weight (out x in x 1 x 1) and NAME.bias, as a product of rows. */
int vb_fold_pointwise(vb_binder *binder, vb_linear *linear, int out, int in, const char *name);

/* Multiplies the outputs of a bound linear layer that has a bias by the vector `name`. */
int vb_fold_layer_scale(vb_binder *binder, vb_linear *linear, int width, const char *name);

/* A BatchNorm (epsilon 0: 1e-5) as a factor and a summand a channel, owned by the program. NAME is a printf format. */
int vb_fold_norm(vb_binder *binder, int channels, double epsilon, const float **scale, const float **bias, const char *format,
                 ...) __attribute__((format(printf, 6, 7)));

#endif
