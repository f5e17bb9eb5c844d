/* `vocabench report`: results as a page. */
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/report/report.h"
#include "mpi/report/report_html.h"
#include "mpi/report/report_pdf.h"
#include "mpi/report/report_text.h"
#include "shards/files/path.h"
#include "shards/text/did_you_mean.h"
#include "shards/text/yaml.h"

const vb_flag vb_cmd_report_flags[] = {
    {.name = "output",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .plain = true,
     .help = "[report.html, report.md, report.tex or report.pdf]"},
    {.name = "format",
     .kind = VB_FLAG_TEXT,
     .value = "html|md|latex|pdf",
     .help = "[by the ending of --output; html without one]"},
    {0},
};

const char vb_cmd_report_details[] = "DIR... are output folders of `run`, or their results.json. The HTML page "
                                     "stands by itself, without network; of every\n"
                                     "figure the data (.csv), the gnuplot script and the picture (.svg) lie in a "
                                     "folder beside it, NAME-data. `latex` writes tables\n"
                                     "alone, `pdf` is the page as Chromium prints it. Figures need gnuplot. The "
                                     "same results give the same bytes (but for the PDF's date).";

static const char *const formats[] = {"html", "md", "latex", "pdf", NULL}, *const suffixes[] = {".html", ".md", ".tex", ".pdf",
                                                                                                NULL};
enum { HTML, MARKDOWN, LATEX, PDF };

static int choose_format(const char *format, const char *output, int *chosen, vb_error *err) {
    bool known = !output || !strchr(vb_path_base_name(output), '.');
    *chosen = HTML;
    for (int f = 0; !format && output && formats[f]; f++) {
        if (!vb_path_ends_with(output, suffixes[f])) continue;
        *chosen = f;
        known = true;
    }
    if (!format && !known)
        return vb_errorf(err, VB_EUSAGE, "--output: %s: expected a name that ends in .html, .md, .tex or .pdf, or --format",
                         output);
    if (!format) return 0;
    for (*chosen = 0; formats[*chosen]; ++*chosen)
        if (!strcmp(format, formats[*chosen])) return 0;
    char hint[VB_DID_YOU_MEAN_HINT];
    return vb_errorf(err, VB_EUSAGE, "--format: expected html, md, latex or pdf, found '%s'%s", format,
                     vb_did_you_mean_hint(hint, format, formats));
}

static int write_report(const vb_report *report, int format, const char *output, vb_error *err) {
    const char *name = vb_path_base_name(output), *dot = strrchr(name, '.');
    vb_strbuf out = {0};
    char *data = vb_format(err, "%.*s-data", dot && dot > name ? (int)(dot - output) : (int)strlen(output), output);
    vb_plotter plotter = {.folder = data};
    int status = data ? 0 : -1;
    if (!status && format != LATEX) status = vb_path_make_folders(data, err);
    if (!status && (format == HTML || format == PDF))
        status = vb_report_html(report, &plotter, vb_path_base_name(data), &out, err);
    if (!status && format == MARKDOWN) status = vb_report_text_markdown(report, &plotter, vb_path_base_name(data), &out, err);
    if (!status && format == LATEX) status = vb_report_text_latex(report, &out, err);
    if (!status) status = format == PDF ? vb_report_pdf(&out, data, output, err) : vb_strbuf_write(&out, output, err);
    if (!status && format == LATEX) printf("report: %s\n", output);
    if (!status && format != LATEX) printf("report: %s (%d figures, their data in %s)\n", output, plotter.count, data);
    vb_strbuf_free(&out);
    vb_free(data);
    return status;
}

static int make_report(const vb_arguments *arguments, vb_error *err) {
    static const char *const defaults[] = {"report.html", "report.md", "report.tex", "report.pdf"};
    const char *output = vb_arguments_text(arguments, "output");
    int format;
    if (choose_format(vb_arguments_text(arguments, "format"), output, &format, err)) return -1;
    vb_report report;
    int status = vb_report_open(&report, arguments->positional, arguments->positional_count, err);
    if (!status) status = write_report(&report, format, output ? output : defaults[format], err);
    vb_report_close(&report);
    return status;
}

int vb_cmd_report(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : make_report(arguments, err), err);
}
