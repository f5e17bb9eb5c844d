/* What a reader wants first: per dataset the most open model, what it loses, whether the lead over the next is real, and what
 * guessing gives; and all models on all datasets side by side. Local. */
#ifndef VB_HEADLINE_H
#define VB_HEADLINE_H

#include "mpi/report/report.h"

/* Writes one piece of a sentence; `name` says that it is one of the user's. */
typedef void vb_headline_write(vb_strbuf *out, const char *piece, bool name);

/* The sentences on a group, as plain text through `write`. */
void vb_headline_group(const vb_report_group *group, vb_headline_write *write, vb_strbuf *out);

/* What guessing among the names of the own vocabulary gives on average over vocabularies, as Acc-C is averaged; NaN without
 * vocabularies. */
double vb_headline_chance(const json_t *entry);

/* Models x datasets: Acc-E, and what of Acc-C it is short of. Without rows where there is one dataset or one model. Free with
 * vb_grid_free. */
vb_grid vb_headline_matrix(const vb_report *report);

#endif
