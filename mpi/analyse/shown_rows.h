/* The rows of a section: its results, and behind each of them the setting of retrieval that stands for REPE, where it has an
 * analysis. */
#ifndef VB_SHOWN_ROWS_H
#define VB_SHOWN_ROWS_H

#include "mpi/figures/section.h"

/* A subject of its own, whose labels are copied and whose entries are the results' and the settings'. Free with
 * vb_shown_rows_close, also after a failure. VB_EMEMORY. */
int vb_shown_rows_open(vb_section_subject *rows, const vb_section_subject *subject, const char *analysis, vb_error *err);
void vb_shown_rows_close(vb_section_subject *rows);

#endif
