/* The loop over a rank's units of a pair's images, which evaluation, analyses and adversarial vocabularies have in common. */
#ifndef VB_UNIT_PASS_H
#define VB_UNIT_PASS_H

#include "mpi/encode/image_source.h"

/* What is done with a unit; its rows may be none. 0, or -1 to end the pass. */
typedef int vb_unit_pass_visit(void *work, int64_t unit, const vb_unit_rows *rows, vb_error *err);

/* Hands every unit of this rank (RANK, RANK + RANKS, ...) to `visit`, in this order; before each it looks whether to stop. Local:
 * a failure is carried to the next vb_context_barrier. Progress is shown as that of context->stage. */
int vb_unit_pass(vb_context *context, const vb_image_source *source, vb_unit_pass_visit *visit, void *work, vb_error *err);
/* The same without progress lines (mpi/ranks/progress.h), for who shows its own. */
int vb_unit_pass_silent(vb_context *context, const vb_image_source *source, vb_unit_pass_visit *visit, void *work, vb_error *err);

#endif
