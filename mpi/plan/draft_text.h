/* What first experiments are made of: YAML scalars, names made from paths. For the drafts of mpi/plan/. */
#ifndef VB_DRAFT_TEXT_H
#define VB_DRAFT_TEXT_H

#include "mpi/base/strbuf.h"

/* A text as a YAML scalar that reads back as the same text: plain where nothing in it could be taken for YAML, else quoted. */
void vb_draft_text_scalar(vb_strbuf *out, const char *text);
/* The same of a path as experiment files have them, where $ and a leading ~ mean something. */
void vb_draft_text_path(vb_strbuf *out, const char *path);
/* A name of a dataset, from its path; of a model, from its checkpoint or repository folder: letters, digits, '.', '_' and '-'.
 * Free with vb_free; NULL without memory. */
char *vb_draft_text_dataset_name(const char *path, vb_error *err);
char *vb_draft_text_model_name(const char *path, vb_error *err);

#endif
