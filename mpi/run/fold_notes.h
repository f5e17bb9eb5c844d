/* A run's notes, shorter. */
#ifndef VB_FOLD_NOTES_H
#define VB_FOLD_NOTES_H

#include "mpi/base/strbuf.h"

/* Lines "KIND: MODEL / REST" of three models and more that are the same but for the model become one, in the place of the first:
 * "KIND: FIRST, SECOND and 10 more models / REST". Other lines stay. Failures are the text's, which vb_strbuf_end tells. */
void vb_fold_notes(vb_strbuf *notes);

#endif
