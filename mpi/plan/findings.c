/* Lines of findings, counted. */
#include "mpi/plan/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "kernels/base/utf8.h"
#include "mpi/experiment/missing_path.h"

enum { TEXT = 4096 };
enum { WHERE = 24 }; /* columns, so that most lines stand below each other */

/* Only what went well says nothing more than its name. */
static void add_case(const vb_findings *findings, vb_finding_level level, const char *where, const char *text) {
    vb_strbuf *out = findings->cases;
    const bool fine = level == VB_FINDING_OK;
    vb_strbuf_add(out, "  <testcase classname=\"");
    vb_strbuf_add_html(out, where);
    vb_strbuf_add(out, "\" name=\"");
    vb_strbuf_add_html(out, text);
    vb_strbuf_add(out, fine ? "\"/>\n" : "\">");
    if (fine) return;
    const char *tag = level == VB_FINDING_ERROR ? "failure" : findings->gaps ? "skipped" : "system-out";
    vb_strbuf_format(out, "<%s>", tag);
    vb_strbuf_add_html(out, text);
    vb_strbuf_format(out, "</%s></testcase>\n", tag);
}

void vb_findings_add(vb_findings *findings, vb_finding_level level, const char *where, const char *format, ...) {
    static const char *const words[VB_FINDING_LEVELS] = {
        [VB_FINDING_OK] = "ok", [VB_FINDING_NOTE] = "note", [VB_FINDING_ERROR] = "error"};
    findings->count[level]++;
    if (findings->brief && level != VB_FINDING_NOTE) return;
    char text[TEXT], place[TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(place, sizeof place, "%s", where);
    vb_utf8_one_line(text); /* names of results are others' texts, and may be cut amid a character; neither is XML */
    vb_utf8_one_line(place);
    printf("%-6s %-*s %s\n", words[level], WHERE, place, text);
    if (findings->cases) add_case(findings, level, place, text);
}

void vb_findings_take(vb_findings *findings, const char *where, vb_error *err) {
    if (err->code == VB_EINCOMPLETE) {
        findings->stopped = *err;
        vb_error_clear(err);
        return;
    }
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
    if (findings->stopped.code) {
        *err = findings->stopped;
        return -1;
    }
    printf("%d ok, %d note%s, %d error%s\n", findings->count[VB_FINDING_OK], notes, notes == 1 ? "" : "s", errors,
           errors == 1 ? "" : "s");
    if (!errors) return 0;
    return vb_errorf(err, findings->first_code ? findings->first_code : VB_ECONFIG, "check: %d error%s; a run would stop", errors,
                     errors == 1 ? "" : "s");
}

int vb_findings_write_junit(const vb_findings *findings, const char *suite, const char *path, vb_error *err) {
    vb_strbuf out = {0};
    const int *count = findings->count, notes = count[VB_FINDING_NOTE];
    vb_strbuf_format(&out,
                     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<testsuite name=\"vocabench %s\" tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\">\n",
                     suite, count[VB_FINDING_OK] + notes + count[VB_FINDING_ERROR], count[VB_FINDING_ERROR],
                     findings->gaps ? notes : 0);
    if (findings->cases->filled) vb_strbuf_add(&out, findings->cases->bytes);
    vb_strbuf_add(&out, "</testsuite>\n");
    out.failed = out.failed || findings->cases->failed;
    const int status = vb_strbuf_write(&out, path, err);
    vb_strbuf_free(&out);
    return status;
}

int vb_findings_brief(const vb_findings *findings, vb_error *err) {
    const int more = findings->count[VB_FINDING_ERROR] - 1;
    if (findings->stopped.code) *err = findings->stopped;
    if (findings->stopped.code || more < 0) return findings->stopped.code ? -1 : 0;
    *err = findings->first;
    if (!more) return -1;
    vb_error again = findings->first;
    return vb_errorf(err, again.code, "%s; and %d more error%s, which vocabench check lists", again.text, more,
                     more == 1 ? "" : "s");
}
