/* What is common to all documents: the road through a report, in one order, and what a format does on the way. */
#ifndef VB_REPORT_WRITER_H
#define VB_REPORT_WRITER_H

#include "mpi/report/report.h"

/* A format. Members that are NULL leave out what they would write. */
typedef struct vb_report_writer vb_report_writer;
struct vb_report_writer {
    vb_strbuf *out;
    const char *data;    /* the folder of the figures' files, as links in the document write it */
    vb_plotter *plotter; /* NULL: no figures are drawn */
    bool folds;          /* tables that are folded come last */
    bool latex;          /* only tables of sections that say so */
    bool html;           /* what sections have for pages alone */
    /* Headings: of a group, of a result within it; and what follows all that is said of a result. */
    void (*group)(const vb_report_writer *writer, const vb_report *report, int group);
    void (*result)(const vb_report_writer *writer, const vb_section_result *result);
    void (*result_end)(const vb_report_writer *writer);
    /* Before the figures of a group or of a result, and after them. */
    void (*figures)(const vb_report_writer *writer, bool begin);
    int (*figure)(const vb_report_writer *writer, const vb_figure *figure, vb_error *err);
    /* A table with rows. Of provenance, subject and section are NULL. */
    void (*table)(const vb_report_writer *writer, const vb_grid *grid, const vb_section_subject *subject,
                  const vb_section *section);
    /* Provenance: a heading for a folder, what follows its table; before all results and after them, and a heading for each. */
    void (*folder)(const vb_report_writer *writer, const vb_result_folder *folder);
    void (*folder_end)(const vb_report_writer *writer, const vb_result_folder *folder);
    void (*inputs)(const vb_report_writer *writer, bool begin);
    void (*input)(const vb_report_writer *writer, const char *label, const char *title);
};

/* The picture of all models. */
int vb_report_writer_overview(const vb_report_writer *writer, const vb_report *report, vb_error *err);
/* All models on all datasets where there are several; of one dataset the accuracies of every result. */
void vb_report_writer_main(const vb_report_writer *writer, const vb_report *report);
/* Every group, with its accuracies where there are several, and every result, with all their sections. */
int vb_report_writer_groups(const vb_report_writer *writer, const vb_report *report, vb_error *err);
/* Where the results come from. */
void vb_report_writer_provenance(const vb_report_writer *writer, const vb_report *report);

#endif
