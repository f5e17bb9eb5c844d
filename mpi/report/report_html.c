/* The report as one HTML page: page.html, style.css and page.js, filled with tables and figures. */
#include "mpi/report/report_html.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/script.h"
#include "mpi/figures/palette.h"
#include "mpi/figures/svg.h"
#include "mpi/report/headline.h"
#include "mpi/report/report_writer.h"

extern const char vb_page_html[], vb_style_css[], vb_page_js[]; /* page.html, style.css and page.js, by make */

enum { LONG_DESCRIPTION = 300 };

/* ---- how a page writes things ---- */

static void page_group(const vb_report_writer *writer, const vb_report *report, int g) {
    const vb_report_group *group = &report->groups[g];
    const json_t *first = group->results->entry;
    vb_strbuf_format(writer->out, "<h2 id=\"dataset-%d\">", g + 1);
    vb_strbuf_add_html(writer->out, group->title);
    vb_strbuf_format(writer->out, "</h2>\n<p class=\"quiet\">%zu vocabularies, %.0f classes, %.0f images.</p>\n",
                     json_array_size(json_object_get(first, "vocabularies")),
                     vb_json_number(json_object_get(first, "data"), "classes"), vb_json_number(first, "images"));
}

static void page_heading(vb_strbuf *out, const char *text) {
    vb_strbuf_add(out, "<h3>");
    vb_strbuf_add_html(out, text);
    vb_strbuf_add(out, "</h3>\n");
}

/* Figures and tables of a result are unfolded by whoever wants them; what they come to stands beside the name. */
static void page_result(const vb_report_writer *writer, const vb_section_result *result) {
    static const struct { const char *key, *name; } figures[] = {{"acc_c", "Acc-C"}, {"acc_e", "Acc-E"}, {"acc_s", "Acc-S"}};
    vb_strbuf_add(writer->out, "<details class=\"result\"><summary><h3>");
    vb_strbuf_add_html(writer->out, result->label);
    vb_strbuf_add(writer->out, "</h3> <span class=\"quiet\">");
    for (int f = 0; f < 3; f++) {
        double value = vb_json_number(result->entry, figures[f].key);
        if (isfinite(value)) vb_strbuf_format(writer->out, "%s %.1f ", figures[f].name, 100 * value);
    }
    vb_strbuf_add(writer->out, "</span></summary>\n");
}

static void page_result_end(const vb_report_writer *writer) { vb_strbuf_add(writer->out, "</details>\n"); }

static void page_inputs(const vb_report_writer *writer, bool begin) {
    vb_strbuf_add(writer->out, begin ? "<details><summary>Models and data</summary>\n" : "</details>\n");
}

static void page_sentence(vb_strbuf *out, const char *piece, bool name) {
    if (name) vb_strbuf_add(out, "<strong>");
    vb_strbuf_add_html(out, piece);
    if (name) vb_strbuf_add(out, "</strong>");
}

static void page_figures(const vb_report_writer *writer, bool begin) {
    vb_strbuf_add(writer->out, begin ? "<div class=\"figures\">\n" : "</div>\n");
}

static int page_figure(const vb_report_writer *writer, const vb_figure *figure, vb_error *err) {
    vb_strbuf *out = writer->out, id = {0};
    vb_strbuf_add(out, "<figure>\n<figcaption>");
    vb_strbuf_add_html(out, figure->title);
    vb_strbuf_add(out, "<small>");
    /* Many models make a long description, which says what the figure and its values do. */
    const bool folded = strlen(figure->description) > LONG_DESCRIPTION;
    if (!folded) vb_strbuf_add_html(out, figure->description);
    vb_strbuf_add(out, " <a class=\"data\" href=\"");
    vb_strbuf_add_html(out, writer->data);
    vb_strbuf_format(out, "/%s.csv\" aria-label=\"Data of: ", figure->name);
    vb_strbuf_add_html(out, figure->title);
    vb_strbuf_add(out, "\">Data</a></small>");
    if (folded) {
        vb_strbuf_add(out, "<details class=\"words\"><summary>In words</summary><small>");
        vb_strbuf_add_html(out, figure->description);
        vb_strbuf_add(out, "</small></details>");
    }
    vb_strbuf_add(out, "</figcaption>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
    vb_strbuf_add_html(out, figure->title);
    vb_strbuf_add(out, "\">\n");
    vb_strbuf_format(&id, "fig-%s", figure->name);
    int status = vb_strbuf_end(&id, "a figure", err);
    if (!status) status = vb_svg_inline(figure, id.bytes, out, err);
    vb_strbuf_free(&id);
    vb_strbuf_add(out, "</div>\n</figure>\n");
    return status;
}

static void page_table(const vb_report_writer *writer, const vb_grid *grid, const vb_section_subject *subject,
                       const vb_section *section) {
    (void)subject;
    const char *folded = section ? section->folded : NULL;
    if (folded) vb_strbuf_format(writer->out, "<details><summary>%s</summary>\n", folded);
    vb_grid_put(grid, VB_GRID_HTML, writer->out);
    if (folded) vb_strbuf_add(writer->out, "</details>\n");
}

static void page_folder(const vb_report_writer *writer, const vb_result_folder *folder) {
    page_heading(writer->out, vb_json_text(folder->document, "experiment"));
}

static void page_folder_end(const vb_report_writer *writer, const vb_result_folder *folder) {
    vb_error ignored; /* the page says it again */
    char *text = vb_json_dump(json_object_get(folder->document, "configuration"), VB_JSON_INDENTED, "the page", &ignored);
    if (!text) writer->out->failed = true;
    else {
        vb_strbuf_add(writer->out, "<details><summary>Configuration</summary>\n<pre tabindex=\"0\">");
        vb_strbuf_add_html(writer->out, text);
        vb_strbuf_add(writer->out, "</pre></details>\n");
    }
    vb_free(text);
}

static void page_input(const vb_report_writer *writer, const char *label, const char *title) {
    vb_strbuf_add(writer->out, "<h3>");
    vb_strbuf_add_html(writer->out, label);
    vb_strbuf_add(writer->out, " on ");
    vb_strbuf_add_html(writer->out, title);
    vb_strbuf_add(writer->out, "</h3>\n");
}

/* ---- the page ---- */

/* The places of page.html, in the order of its slots. */
enum { TITLE, EXPERIMENTS, SUMMARY, HEADLINE, OVERVIEW, CONTENTS, LIGHT, DARK, RESULTS, GROUPS, PROVENANCE, DATA, PLACES };
static const char *const places[PLACES] = {"TITLE", "EXPERIMENTS", "SUMMARY", "HEADLINE", "OVERVIEW",   "CONTENTS",
                                           "LIGHT", "DARK",        "RESULTS", "GROUPS",   "PROVENANCE", "DATA"};

/* In one sentence, over all datasets. */
static int write_answer(const vb_report *report, vb_strbuf *out, vb_error *err) {
    vb_strbuf text = {0};
    bool all;
    const int status = vb_headline_all(report, page_sentence, &text, &all, err);
    if (!status && all) {
        vb_strbuf_add(out, "<p class=\"answer\">");
        vb_strbuf_add(out, text.bytes ? text.bytes : "");
        vb_strbuf_add(out, "</p>\n");
        out->failed = out->failed || text.failed;
    }
    vb_strbuf_free(&text);
    return status;
}

static void write_head(const vb_report *report, vb_strbuf texts[PLACES]) {
    const char *latest = "";
    for (int f = 0; f < report->folder_count; f++) {
        const json_t *document = report->folders[f].document;
        const char *finished = vb_json_text(json_object_get(document, "run"), "finished");
        if (strcmp(finished, latest) > 0) latest = finished;
        if (f) vb_strbuf_add(&texts[EXPERIMENTS], f == report->folder_count - 1 ? " and " : ", ");
        vb_strbuf_add_html(&texts[EXPERIMENTS], vb_json_text(document, "experiment"));
    }
    vb_strbuf_add_html(&texts[TITLE], vb_json_text(report->folders[0].document, "experiment"));
    vb_strbuf_add(&texts[TITLE], report->folder_count > 1 ? " and others" : "");
    vb_strbuf_format(&texts[SUMMARY], "%d result%s on %d dataset%s", report->result_count, report->result_count == 1 ? "" : "s",
                     report->group_count, report->group_count == 1 ? "" : "s");
    if (*latest) vb_strbuf_add(&texts[SUMMARY], ", finished "), vb_strbuf_add_html(&texts[SUMMARY], latest);
    for (int g = 0; g < report->group_count; g++) {
        vb_strbuf_format(&texts[CONTENTS], "<li><a href=\"#dataset-%d\">", g + 1);
        vb_strbuf_add_html(&texts[CONTENTS], report->groups[g].title);
        vb_strbuf_add(&texts[CONTENTS], "</a></li>");
    }
    for (int g = 0; g < report->group_count; g++) {
        vb_strbuf_add(&texts[HEADLINE], "<p>");
        vb_headline_group(&report->groups[g], page_sentence, &texts[HEADLINE]);
        vb_strbuf_add(&texts[HEADLINE], "</p>\n");
    }
    vb_palette_css(&texts[LIGHT], false);
    vb_palette_css(&texts[DARK], true);
}

static int fill_page(vb_strbuf texts[PLACES], vb_strbuf *out, vb_error *err) {
    vb_slot slots[PLACES + 3] = {{"STYLE", vb_style_css}, {"SCRIPT", vb_page_js}};
    char *page;
    for (int p = 0; p < PLACES; p++) {
        if (vb_strbuf_end(&texts[p], "the report", err)) return -1;
        slots[p + 2] = (vb_slot){places[p], texts[p].bytes ? texts[p].bytes : ""};
    }
    if (vb_script_fill(vb_page_html, "page.html", slots, &page, err)) return -1;
    vb_strbuf_add(out, page);
    vb_free(page);
    return vb_strbuf_end(out, "the report", err);
}

int vb_report_html(const vb_report *report, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err) {
    vb_strbuf texts[PLACES] = {{0}};
    vb_report_writer writer = {.data = data,
                               .plotter = plotter,
                               .folds = true,
                               .html = true,
                               .group = page_group,
                               .result = page_result,
                               .result_end = page_result_end,
                               .inputs = page_inputs,
                               .figures = page_figures,
                               .figure = page_figure,
                               .table = page_table,
                               .folder = page_folder,
                               .folder_end = page_folder_end,
                               .input = page_input};
    int status = write_answer(report, &texts[HEADLINE], err);
    write_head(report, texts);
    vb_strbuf_add_html(&texts[DATA], data);
    writer.out = &texts[OVERVIEW];
    if (!status) status = vb_report_writer_overview(&writer, report, err);
    writer.out = &texts[RESULTS];
    vb_report_writer_main(&writer, report);
    writer.out = &texts[GROUPS];
    if (!status) status = vb_report_writer_groups(&writer, report, err);
    writer.out = &texts[PROVENANCE];
    if (!status) vb_report_writer_provenance(&writer, report);
    if (!status) status = fill_page(texts, out, err);
    for (int p = 0; p < PLACES; p++) vb_strbuf_free(&texts[p]);
    return status;
}
