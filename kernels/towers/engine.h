/* Runs a tower's program over any number of items, in pieces of bounded work space.
 *
 * Texts are taken in the order of their rows (text_order.h). Equal ones are computed once. Where rows depend on nothing behind
 * them (vb_program_is_causal), a text's rows that the one before has, too, are not computed again: the piece holds a tree of
 * rows, each text is a path in it, and attention gathers a text's keys and values along its path. So a template's beginning is
 * computed once for all names. Every row is the same chain of operations as in a text by itself: the bytes do not differ. */
#ifndef VB_ENGINE_H
#define VB_ENGINE_H

#include "kernels/base/patch_grid.h"
#include "kernels/towers/engine_work.h"
#include "kernels/towers/program.h"
#include "kernels/towers/text_input.h"

/* Looked at between the layers of a tower, by the thread that encodes: encoding ends where `look` returns other than 0, with the
 * error that it has set. So work that takes minutes can be stopped within a layer of a batch. */
typedef struct vb_watch {
    int (*look)(void *context, vb_error *err); /* NULL: nobody looks */
    void *context;
} vb_watch;

/* Pixels or texts, as the program reads it. */
typedef struct vb_engine_input {
    const float *pixels; /* n pictures, program->picture floats apart */
    /* In the place of pixels, for a device and pictures of one shape: n pictures, program->picture bytes apart, their channels
     * interleaved. Byte v of channel c stands for values[c * 256 + v]. */
    const uint8_t *bytes;
    const float *values;
    const vb_patch_grid *grids; /* of pictures of any shape, checked: n */
    const vb_text_input *texts; /* checked */
} vb_engine_input;

/* Another engine than the CPU's, which gives the same bytes (kernels/gpu/gpu_engine.h). Used by one thread at a time. */
typedef struct vb_engine_device {
    void *state;
    int (*run)(void *state, const vb_program *program, const vb_engine_input *input, int64_t n, float *out, const vb_watch *watch,
               vb_error *err);
} vb_engine_device;

typedef struct vb_engine_options {
    int threads; /* >= 1 */
    vb_watch watch;
    const vb_engine_device *device; /* NULL: the CPU; borrowed */
    /* The products of linear layers and convolutions so (bf16x3.h), on the CPU whatever `device` is; NULL: in fp32. */
    const struct vb_bf16x3_kernel *bf16x3;
    vb_engine_work *work; /* kept for the next run; NULL: work space is allocated and freed inside */
} vb_engine_options;

/* out: n x columns of the result, in the order of the input. Nothing is allocated an item, and nothing at all by a run
 * that needs no more of options->work than runs before it. Errors: VB_EMEMORY, and the watch's. */
int vb_engine_run(const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
                  const vb_engine_options *options, vb_error *err);

/* Bytes that vb_engine_run takes for n items, which are texts of full length in the worst case. The matrix products' and the
 * attention's tiles come on top, and 24 bytes a picture of a piece. */
size_t vb_engine_workspace(const vb_program *program, int64_t n);

#endif
