/* What a reader wants first: per dataset the most open model, what it loses, whether the lead over the next is real, and what
 * guessing gives; and all models on all datasets side by side. Local. */
#ifndef VB_HEADLINE_H
#define VB_HEADLINE_H

#include "mpi/report/report.h"

/* Writes one piece of a sentence; `name` says that it is one of the user's. */
typedef void vb_headline_write(vb_strbuf *out, const char *piece, bool name);

/* The sentences on a group, as plain text through `write`. */
void vb_headline_group(const vb_report_group *group, vb_headline_write *write, vb_strbuf *out);

/* The sentences on all datasets, where every model has a result on each of several: the most open by the mean, the next, and on
 * how many datasets its lead is more than chance explains. *written: whether there are any. VB_EMEMORY. */
int vb_headline_all(const vb_report *report, vb_headline_write *write, vb_strbuf *out, bool *written, vb_error *err);

/* What guessing among the names of the own vocabulary gives on average over vocabularies, as Acc-C is averaged; NaN without
 * vocabularies, and for images of several right classes. */
double vb_headline_chance(const json_t *entry);

/* A model of a report. */
typedef struct vb_headline_model {
    const char *label; /* the report's */
    double mean;       /* of its Acc-E over the datasets that it has one on; NaN without any */
    int first;         /* its place among the report's models */
} vb_headline_model;

/* The report's models, each once, the most open first; returns how many. `models` has room for one a result. */
int vb_headline_models(const vb_report *report, vb_headline_model *models);
/* Whether each of them has an Acc-E on every dataset: else their means are over different ones, and none is the most open. */
bool vb_headline_complete(const vb_report *report, const vb_headline_model *models, int count);
/* The model's result on that dataset, or NULL. */
const vb_section_result *vb_headline_find(const vb_report_group *group, const char *label);

/* Models x datasets, the most open first: Acc-E, and what of Acc-C it is short of. Without rows where there is one dataset. Free
 * with vb_grid_free. */
vb_grid vb_headline_matrix(const vb_report *report);

#endif
