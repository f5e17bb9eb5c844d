/* A section of a report: what an analysis (or another part of the results) shows as numbers, as a table and as a figure. Who
 * computes a thing describes its section; reports in every format are made from the list of sections. All of it local, rank 0
 * only. */
#ifndef VB_SECTION_H
#define VB_SECTION_H

#include <jansson.h>

#include "mpi/figures/grid.h"
#include "mpi/figures/plot.h"

/* A result as sections see it; all of it is the report's. */
typedef struct vb_section_result {
    char *label;               /* the model's name, and the folder's where two results of a group have the same name */
    const json_t *entry;       /* of results[] */
    const json_t *document;    /* the results.json that holds it */
    const char *folder, *path; /* of that document */
} vb_section_result;

/* What a section is about: the results on the same dataset and vocabularies (title: the dataset's), or one of them alone (its
 * label). */
typedef struct vb_section_subject {
    const char *title;
    int count;
    const vb_section_result *results;
} vb_section_subject;

typedef enum vb_section_scope { VB_SECTION_OF_GROUP, VB_SECTION_OF_RESULT } vb_section_scope;

/* A column of the group's table of analyses: the number entry.analyses.KEY. Lists end with a row without a key. */
typedef struct vb_section_number {
    const char *key, *head;
} vb_section_number;

/* Any of the members but the first two may be left out. */
typedef struct vb_section {
    vb_section_scope scope; /* what `table`, `plot` and `html` are called for */
    int place;              /* sections stand in ascending order */
    const char *folded;     /* what a page calls the table, which it then shows only when asked; NULL: it stands open */
    bool latex;             /* the table is one of those that are written as LaTeX, too */
    const vb_section_number *numbers;
    /* An analysis: behind each result of the subject of `table` and `plot` stands, where it has the analysis, the setting of
     * retrieval that was stated beforehand, labelled as REPE. NULL: the results alone. */
    const char *stated;
    /* Fills an empty grid; without rows but the heads where the results have nothing of the kind. The caller frees it, also
     * after a failure. */
    int (*table)(const vb_section_subject *subject, vb_grid *grid, vb_error *err);
    /* Draws; leaves figure->name NULL where the results have nothing of the kind. The caller frees it, also after a failure. */
    int (*plot)(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err);
    /* More for HTML pages alone, appended after the table. */
    int (*html)(const vb_section_subject *subject, vb_strbuf *out, vb_error *err);
} vb_section;

#endif
