/* A report on the results of runs: what it covers, and the documents that are made of it. Rank 0 only, all local. */
#ifndef VB_REPORT_H
#define VB_REPORT_H

#include "mpi/figures/section.h"
#include "mpi/results/result_folder.h"

/* The results on the same dataset and vocabularies. */
typedef struct vb_report_group {
    char *title; /* the dataset's name, and a digest of its vocabularies where another group has the same name */
    int count;
    vb_section_result *results; /* labels are owned, all else belongs to the folders */
} vb_report_group;

typedef struct vb_report {
    int folder_count, group_count, result_count;
    vb_result_folder *folders;
    vb_report_group *groups; /* in the order of first occurrence */
} vb_report;

/* Reads the folders (or results.json files). Close also after a failure. */
int vb_report_open(vb_report *report, const char *const *given, int count, vb_error *err);
void vb_report_close(vb_report *report);

#endif
