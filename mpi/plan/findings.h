/* What `check` finds, one line each: "ok", "note" or "error", where, and what. */
#ifndef VB_FINDINGS_H
#define VB_FINDINGS_H

#include "mpi/base/strbuf.h"
#include "mpi/experiment/experiment.h"

typedef enum vb_finding_level {
    VB_FINDING_OK,
    VB_FINDING_NOTE,  /* a run would go on, and someone may not want that */
    VB_FINDING_ERROR, /* a run would stop */
    VB_FINDING_LEVELS
} vb_finding_level;

typedef struct vb_findings {
    int count[VB_FINDING_LEVELS];
    int first_code; /* of the first error; VB_OK without one */
    bool brief;     /* print notes alone: vb_findings_brief has the errors */
    vb_error first;
    vb_error stopped;                /* by a signal, which is no finding: code 0 when it was not */
    vb_strbuf *cases;                /* as JUnit's test cases, too: vb_findings_write_junit; NULL: not */
    bool gaps;                       /* notes are of what could not be looked at: JUnit's "skipped" */
    const vb_experiment *experiment; /* whose paths messages may name; NULL: none */
} vb_findings;

/* Prints a line on the standard output. where: "dataset 'd'". */
void vb_findings_add(vb_findings *findings, vb_finding_level level, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* An error that a run would stop with; that this look itself was stopped is kept for the end. Clears *err. */
void vb_findings_take(vb_findings *findings, const char *where, vb_error *err);
/* The closing line; 0, or -1 with the first error's code when there were any. Of what was stopped no line, and how. */
int vb_findings_close(const vb_findings *findings, vb_error *err);

/* The cases as a file of JUnit's XML, one suite of that name: an error is a failure. */
int vb_findings_write_junit(const vb_findings *findings, const char *suite, const char *path, vb_error *err);

/* Of brief findings, in place of the closing line: 0, or -1 with the first error, and how many more there are. */
int vb_findings_brief(const vb_findings *findings, vb_error *err);

#endif
