/* A report on the results of runs: what it covers, its tables and its figures. Rank 0 only, all local. */
#ifndef VB_REPORT_H
#define VB_REPORT_H

#include "mpi/figures/grid.h"
#include "mpi/figures/plot.h"
#include "mpi/results/result_folder.h"

/* One entry of results[]. */
typedef struct vb_reported {
    const vb_result_folder *folder;
    json_t *entry;
    char *label; /* the model's name, and the folder's where another entry of the group has the same name */
} vb_reported;

/* Entries of the same dataset and vocabularies. */
typedef struct vb_report_group {
    char *title;
    int count;
    vb_reported *entries;
} vb_report_group;

typedef struct vb_report {
    int folder_count, group_count, entry_count;
    vb_result_folder *folders;
    vb_report_group *groups; /* in the order of first occurrence */
} vb_report;

/* Reads the folders (or results.json files). Free also after a failure. */
int vb_report_open(vb_report *report, const char *const *given, int count, vb_error *err);
void vb_report_close(vb_report *report);

/* ---- tables; the grids are to be freed ---- */

/* Every pair, and below it what retrieval made of it. */
vb_grid vb_report_main_table(const vb_report *report);
vb_grid vb_report_vocabulary_table(const vb_reported *it);
/* Without rows but the heads where the result has no such part. */
vb_grid vb_report_adversarial_table(const vb_reported *it);
vb_grid vb_report_analyses_table(const vb_report_group *group);
vb_grid vb_report_run_table(const vb_result_folder *folder);
vb_grid vb_report_input_table(const vb_reported *it);
/* Retrieved captions of the first classes, from retrieval/MODEL--DATASET.jsonl.zst; only heads where there is no such file. */
int vb_report_caption_table(const vb_reported *it, vb_grid *grid, vb_error *err);

/* ---- figures ---- */

/* Each writes NAME.csv, NAME.gp and, by running gnuplot, NAME.svg. */
int vb_report_plots_curves(vb_plotter *plotter, const vb_report_group *group, vb_figure *figure, vb_error *err);
int vb_report_plots_vocabularies(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err);
int vb_report_plots_theft(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err);
/* These leave figure->name NULL where the results have no such part. */
int vb_report_plots_similarities(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err);
int vb_report_plots_margins(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err);
int vb_report_plots_geometry(vb_plotter *plotter, const vb_report_group *group, vb_figure *figure, vb_error *err);
int vb_report_plots_adversarial(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err);
int vb_report_plots_retrieval(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err);

/* ---- documents ---- */

/* `data` is the data folder's name as links in the document write it. */
int vb_report_html(const vb_report *report, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err);
int vb_report_markdown(const vb_report *report, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err);
/* Prints the finished HTML page with Chromium by way of files in the folder `data`. VB_EMISSING when it is not installed. */
int vb_report_pdf(const vb_strbuf *page, const char *data, const char *output, vb_error *err);
int vb_report_latex(const vb_report *report, vb_strbuf *out, vb_error *err);

#endif
