/* Lines of findings, counted. */
#include "mpi/plan/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "mpi/experiment/missing_path.h"

enum { WHERE = 24 }; /* columns, so that most lines stand below each other */

void vb_findings_add(vb_findings *findings, vb_finding_level level, const char *where, const char *format, ...) {
    static const char *const words[VB_FINDING_LEVELS] = {
        [VB_FINDING_OK] = "ok", [VB_FINDING_NOTE] = "note", [VB_FINDING_ERROR] = "error"};
    findings->count[level]++;
    if (findings->brief && level != VB_FINDING_NOTE) return;
    printf("%-6s %-*s ", words[level], WHERE, where);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

void vb_findings_take(vb_findings *findings, const char *where, vb_error *err) {
    if (findings->experiment) vb_missing_path_explain(findings->experiment, err);
    if (!findings->first_code) {
        findings->first_code = err->code;
        findings->first = *err;
    }
    vb_findings_add(findings, VB_FINDING_ERROR, where, "%s", err->text);
    vb_error_clear(err);
}

int vb_findings_close(const vb_findings *findings, vb_error *err) {
    int errors = findings->count[VB_FINDING_ERROR], notes = findings->count[VB_FINDING_NOTE];
    printf("%d ok, %d note%s, %d error%s\n", findings->count[VB_FINDING_OK], notes, notes == 1 ? "" : "s", errors,
           errors == 1 ? "" : "s");
    if (!errors) return 0;
    return vb_errorf(err, findings->first_code ? findings->first_code : VB_ECONFIG, "check: %d error%s; a run would stop", errors,
                     errors == 1 ? "" : "s");
}

int vb_findings_brief(const vb_findings *findings, vb_error *err) {
    const int more = findings->count[VB_FINDING_ERROR] - 1;
    if (more < 0) return 0;
    *err = findings->first;
    if (!more) return -1;
    vb_error again = findings->first;
    return vb_errorf(err, again.code, "%s; and %d more error%s, which vocabench check lists", again.text, more,
                     more == 1 ? "" : "s");
}
