/* The report as Markdown and as LaTeX tables. */
#include "mpi/report/report_text.h"

#include <string.h>

#include "mpi/report/headline.h"
#include "mpi/report/report_writer.h"

/* ---- Markdown ---- */

/* A name in running text. */
static void markdown_name(vb_strbuf *out, const char *name) {
    for (const char *at = name; *at; at++) {
        if (strchr("\\`*_<>&[]#|", *at)) vb_strbuf_add(out, "\\");
        vb_strbuf_add_n(out, (unsigned char)*at < 0x20 ? " " : at, 1);
    }
}

static void markdown_sentence(vb_strbuf *out, const char *piece, bool name) {
    if (name) vb_strbuf_add(out, "**"), markdown_name(out, piece), vb_strbuf_add(out, "**");
    else vb_strbuf_add(out, piece);
}

static void markdown_heading(vb_strbuf *out, const char *level, const char *name) {
    vb_strbuf_add(out, level);
    markdown_name(out, name);
    vb_strbuf_add(out, "\n\n");
}

static void markdown_group(const vb_report_writer *writer, const vb_report *report, int g) {
    markdown_heading(writer->out, "## ", report->groups[g].title);
}

static void markdown_result(const vb_report_writer *writer, const vb_section_result *result) {
    markdown_heading(writer->out, "### ", result->label);
}

static int markdown_figure(const vb_report_writer *writer, const vb_figure *figure, vb_error *err) {
    vb_strbuf *out = writer->out;
    (void)err;
    vb_strbuf_add(out, "![");
    markdown_name(out, figure->title);
    vb_strbuf_add(out, "](<");
    for (const char *at = writer->data; *at; at++) vb_strbuf_add_n(out, strchr("<>", *at) ? "_" : at, 1);
    vb_strbuf_format(out, "/%s.svg>)\n\n", figure->name);
    markdown_name(out, figure->description);
    vb_strbuf_add(out, "\n\n");
    return 0;
}

static void markdown_table(const vb_report_writer *writer, const vb_grid *grid, const vb_section_subject *subject,
                           const vb_section *section) {
    (void)subject;
    (void)section;
    if (grid->caption) markdown_name(writer->out, grid->caption), vb_strbuf_add(writer->out, ":\n\n");
    vb_grid_put(grid, VB_GRID_MARKDOWN, writer->out);
    vb_strbuf_add(writer->out, "\n");
}

static void markdown_input(const vb_report_writer *writer, const char *label, const char *title) {
    vb_strbuf_add(writer->out, "### ");
    markdown_name(writer->out, label);
    vb_strbuf_add(writer->out, " on ");
    markdown_name(writer->out, title);
    vb_strbuf_add(writer->out, "\n\n");
}

int vb_report_text_markdown(const vb_report *report, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err) {
    const vb_report_writer writer = {.out = out,
                                     .data = data,
                                     .plotter = plotter,
                                     .group = markdown_group,
                                     .result = markdown_result,
                                     .figure = markdown_figure,
                                     .table = markdown_table,
                                     .input = markdown_input};
    vb_strbuf_add(out, "# Openness of ");
    for (int f = 0; f < report->folder_count; f++) {
        if (f) vb_strbuf_add(out, ", ");
        markdown_name(out, vb_json_text(report->folders[f].document, "experiment"));
    }
    vb_strbuf_add(out, "\n\n");
    bool all;
    if (vb_headline_all(report, markdown_sentence, out, &all, err)) return -1;
    if (all) vb_strbuf_add(out, "\n\n");
    for (int g = 0; g < report->group_count; g++) {
        vb_headline_group(&report->groups[g], markdown_sentence, out);
        vb_strbuf_add(out, "\n\n");
    }
    if (vb_report_writer_overview(&writer, report, err)) return -1;
    vb_report_writer_main(&writer, report);
    if (vb_report_writer_groups(&writer, report, err)) return -1;
    vb_strbuf_add(out, "## Provenance\n\n");
    vb_report_writer_provenance(&writer, report);
    return vb_strbuf_end(out, "the report", err);
}

/* ---- LaTeX ---- */

/* Tables of results have their model in a comment. */
static void latex_table(const vb_report_writer *writer, const vb_grid *grid, const vb_section_subject *subject,
                        const vb_section *section) {
    (void)section;
    if (subject) {
        vb_strbuf_add(writer->out, "\n% ");
        for (const char *at = subject->title; *at; at++) vb_strbuf_add_n(writer->out, (unsigned char)*at < 0x20 ? " " : at, 1);
        vb_strbuf_add(writer->out, "\n");
    }
    vb_grid_put(grid, VB_GRID_LATEX, writer->out);
}

int vb_report_text_latex(const vb_report *report, vb_strbuf *out, vb_error *err) {
    const vb_report_writer writer = {.out = out, .latex = true, .table = latex_table};
    vb_strbuf_add(out, "% Tables for pdflatex; in the preamble: \\usepackage{booktabs} \\usepackage[T1]{fontenc}\n");
    vb_report_writer_main(&writer, report);
    if (vb_report_writer_groups(&writer, report, err)) return -1;
    return vb_strbuf_end(out, "the report", err);
}
