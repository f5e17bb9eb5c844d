/* What REPE retrieved, class by class: the file of ranked lists, and notes for the results. Rank 0, local. */
#ifndef VB_REPE_LISTS_H
#define VB_REPE_LISTS_H

#include "mpi/base/json.h"
#include "mpi/retrieve/repe_internal.h"

/* job->list, as docs/retrieval.md describes it. */
int vb_repe_lists_write(const vb_repe_work *work, vb_error *err);
/* `odd_captions`, where there are any: listed rows whose captions cannot be used. */
void vb_repe_lists_note_odd(vb_json *json, json_t *object, const vb_repe_work *work);
/* `without_captions`: the classes that keep their prompts for want of captions, for every top_k at which there are some. */
void vb_repe_lists_note_captionless(vb_json *json, json_t *object, const vb_repe_work *work);

#endif
