/* The report as one HTML file without scripts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/figures/palette.h"
#include "mpi/figures/svg.h"
#include "mpi/report/report.h"
#include "mpi/report/report_pictures.h"

/* Colours are variables: plots and text follow the reader's light or dark theme. */
static const char style[] =
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}"
    "body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica "
    "Neue',"
    "'Liberation Sans',Arial,sans-serif}"
    "main,header,footer{max-width:84rem;margin:0 auto;padding:0 1rem}header{padding-top:2rem}footer{padding-bottom:3rem}"
    "h1{font-size:1.9rem;line-height:1.2;margin:0 0 .4rem}h2{font-size:1.4rem;margin:2.6rem 0 .6rem;padding-top:.9rem;"
    "border-top:1px solid var(--line)}h3{font-size:1.12rem;margin:2rem 0 .4rem}"
    "h1,h2,h3{overflow-wrap:anywhere}p,dl,ul{max-width:46rem}p{margin:.5rem 0}.quiet,figcaption small{color:var(--muted)}"
    "dl.terms{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem;margin:1rem 0}dt{font-weight:600}dd{margin:0}"
    "nav ul{padding:0;margin:.8rem 0;list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem}"
    "a{color:var(--s1)}a:focus-visible,.scroll:focus-visible,summary:focus-visible{outline:3px solid "
    "var(--s2);outline-offset:2px}"
    ".skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--page);padding:.3rem .6rem}"
    ".scroll{overflow-x:auto;margin:.8rem 0}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.94rem}caption{text-align:left;color:var(--muted)"
    ";"
    "padding:0 0 .4rem;font-size:.9rem}caption span{display:block;position:sticky;left:0;max-width:calc(100vw - 2.5rem)}"
    "th,td{padding:.32rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:top}"
    "th:first-child,td:first-child{padding-left:0}th.word,td.word{text-align:left}td.word{white-space:normal;min-width:10rem;"
    "overflow-wrap:anywhere}thead th{border-bottom:2px solid var(--ink)}tbody th{font-weight:500}tbody "
    "th.word{white-space:normal;min-width:8rem}"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,36rem),1fr));gap:1.6rem "
    "2.4rem;align-items:start;"
    "margin:1rem "
    "0}figure{margin:0;min-width:0}figcaption{font-size:.94rem;font-weight:600;margin-bottom:.3rem;overflow-wrap:anywhere}"
    "figcaption small{display:block;font-weight:400}"
    "figure svg{display:block;width:100%;min-width:30rem;max-width:46rem;height:auto}svg text{font-family:inherit}"
    ".targets{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:.4rem 1.6rem;margin:1rem 0}"
    ".target{border-top:1px solid var(--line);padding:.5rem 0}h4{font-size:1rem;margin:0 0 .3rem;overflow-wrap:anywhere}"
    "h4 small{font-weight:400;color:var(--muted);white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".target p{margin:.4rem 0 .2rem;font-size:.94rem}.target "
    "ul{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(6,minmax(0,4rem));gap:.3rem}"
    ".target img{display:block;width:100%;height:auto;aspect-ratio:1;object-fit:contain}"
    "details{margin:.8rem 0}summary{cursor:pointer;font-weight:500}"
    "pre{overflow-x:auto;font-size:.85rem;line-height:1.4;padding:.8rem;border:1px solid var(--line)}"
    "@page{size:A4;margin:14mm}@media "
    "(max-width:40rem){h1{font-size:1.5rem}dl.terms{grid-template-columns:1fr}dd{margin-bottom:.5rem}tr>:first-child{position:"
    "sticky;"
    "left:0;background:var(--page);max-width:9rem;min-width:6rem;white-space:normal}td.word{min-width:6rem}td.word:last-child{"
    "min-"
    "width:18rem}}"
    "@media "
    "print{body{font-size:10pt}.skip,nav,.data{display:none}details::details-content{content-visibility:visible;block-size:auto}"
    "main,header,footer{max-width:none;padding:0}.target,li{break-inside:avoid}pre,td.word{white-space:pre-wrap;overflow-wrap:"
    "anywhere}"
    ".scroll{overflow:visible}figure,tr{break-inside:avoid}h2,h3{break-after:avoid}"
    "figure svg{min-width:0}.figures{grid-template-columns:1fr 1fr}th,td{padding:.2rem "
    ".4rem}th{white-space:normal}a{color:inherit;text-decoration:none}}";

static void put_style(vb_strbuf *out) {
    vb_strbuf_add(out, "<style>:root{color-scheme:light dark;--page:#ffffff;");
    vb_palette_css(out, false);
    vb_strbuf_add(out, "}@media screen and (prefers-color-scheme:dark){:root{--page:#14171c;");
    vb_palette_css(out, true);
    vb_strbuf_add(out, "}}");
    vb_strbuf_add(out, style);
    vb_strbuf_add(out, "</style>\n");
}

static void put_heading(vb_strbuf *out, int level, const char *before, const char *name, const char *anchor) {
    vb_strbuf_format(out, "<h%d", level);
    if (anchor) vb_strbuf_format(out, " id=\"%s\"", anchor);
    vb_strbuf_format(out, ">%s", before);
    vb_strbuf_add_html(out, name);
    vb_strbuf_format(out, "</h%d>\n", level);
}

/* Writes and frees the grid; nothing of one without rows. */
static void put_table(vb_strbuf *out, vb_grid *grid, const char *summary) {
    bool rows = vb_grid_rows(grid) > 0 || grid->failed;
    if (rows && summary) vb_strbuf_format(out, "<details><summary>%s</summary>\n", summary);
    if (rows) vb_grid_put(grid, VB_GRID_HTML, out);
    if (rows && summary) vb_strbuf_add(out, "</details>\n");
    vb_grid_free(grid);
}

typedef struct page {
    const vb_report *report;
    vb_plotter *plotter;
    const char *data;
    vb_strbuf *out;
} page;

/* Writes and frees the figure; nothing of one that was not drawn. */
static int put_figure(page *work, vb_figure *figure, vb_error *err) {
    vb_strbuf *out = work->out;
    int status = 0;
    if (figure->name) {
        vb_strbuf_add(out, "<figure>\n<figcaption>");
        vb_strbuf_add_html(out, figure->title);
        vb_strbuf_add(out, "<small>");
        vb_strbuf_add_html(out, figure->description);
        vb_strbuf_add(out, " <a class=\"data\" href=\"");
        vb_strbuf_add_html(out, work->data);
        vb_strbuf_format(out, "/%s.csv\" aria-label=\"Data of: ", figure->name);
        vb_strbuf_add_html(out, figure->title);
        vb_strbuf_add(out, "\">Data</a></small></figcaption>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
        vb_strbuf_add_html(out, figure->title);
        vb_strbuf_add(out, "\">\n");
        vb_strbuf id = {0};
        vb_strbuf_format(&id, "fig-%s", figure->name);
        status = vb_strbuf_end(&id, "a figure", err);
        if (!status) status = vb_svg_inline(figure->svg, id.bytes, figure->title, figure->description, out, err);
        vb_strbuf_free(&id);
        vb_strbuf_add(out, "</div>\n</figure>\n");
    }
    vb_plot_figure_free(figure);
    return status;
}

typedef int (*entry_plot)(vb_plotter *, const vb_reported *, vb_figure *, vb_error *);
typedef int (*group_plot)(vb_plotter *, const vb_report_group *, vb_figure *, vb_error *);

static int draw_entry(page *work, entry_plot draw, const vb_reported *it, vb_error *err) {
    vb_figure figure = {0};
    if (!draw(work->plotter, it, &figure, err)) return put_figure(work, &figure, err);
    vb_plot_figure_free(&figure);
    return -1;
}

static int draw_group(page *work, group_plot draw, const vb_report_group *group, vb_error *err) {
    vb_figure figure = {0};
    if (!draw(work->plotter, group, &figure, err)) return put_figure(work, &figure, err);
    vb_plot_figure_free(&figure);
    return -1;
}

/* ---- sections ---- */

static void put_head(page *work) {
    vb_strbuf *out = work->out;
    const vb_report *report = work->report;
    vb_strbuf_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" "
                       "content=\"light dark\">\n"
                       "<title>Openness of ");
    vb_strbuf_add_html(out, vb_json_text(report->folders[0].document, "experiment"));
    vb_strbuf_add(out, report->folder_count > 1 ? " and others" : "");
    vb_strbuf_add(out, " – vocabench</title>\n<link rel=\"icon\" href=\"data:,\">\n");
    put_style(out);
    vb_strbuf_add(out,
                  "</head>\n<body>\n<a class=\"skip\" href=\"#results\">Skip to the results</a>\n<header>\n<h1>Openness of ");
    for (int f = 0; f < report->folder_count; f++) {
        if (f) vb_strbuf_add(out, f == report->folder_count - 1 ? " and " : ", ");
        vb_strbuf_add_html(out, vb_json_text(report->folders[f].document, "experiment"));
    }
    vb_strbuf_format(out, "</h1>\n<p class=\"quiet\">%d result%s on %d dataset%s", report->entry_count,
                     report->entry_count == 1 ? "" : "s", report->group_count, report->group_count == 1 ? "" : "s");
    const char *latest = "";
    for (int f = 0; f < report->folder_count; f++) {
        const char *finished = vb_json_text(json_object_get(report->folders[f].document, "run"), "finished");
        if (strcmp(finished, latest) > 0) latest = finished;
    }
    if (*latest) vb_strbuf_add(out, ", finished "), vb_strbuf_add_html(out, latest);
    vb_strbuf_add(out, ".</p>\n<nav aria-label=\"Contents\"><ul><li><a href=\"#results\">Results</a></li>");
    for (int g = 0; g < report->group_count; g++) {
        vb_strbuf_format(out, "<li><a href=\"#dataset-%d\">", g + 1);
        vb_strbuf_add_html(out, report->groups[g].title);
        vb_strbuf_add(out, "</a></li>");
    }
    vb_strbuf_add(out, "<li><a href=\"#provenance\">Provenance</a></li></ul></nav>\n</header>\n<main>\n");
}

static void put_results(page *work) {
    vb_strbuf *out = work->out;
    put_heading(out, 2, "", "Results", "results");
    vb_strbuf_add(
        out,
        "<p>A classifier that chooses among names is <em>open</em> when new names do not spoil what it already gets right. Three "
        "accuracies measure that:</p>\n<dl class=\"terms\">"
        "<dt>Acc-C</dt><dd>closed: each image among the classes of its own vocabulary</dd>"
        "<dt>Acc-E</dt><dd>extensibility: averaged while vocabularies with their images are added one by one</dd>"
        "<dt>Acc-S</dt><dd>stability: averaged over the same images while foreign vocabularies are added that only distract</dd>"
        "</dl>\n");
    vb_grid grid = vb_report_main_table(work->report);
    put_table(out, &grid, NULL);
}

static int put_model(page *work, const vb_reported *it, vb_error *err) {
    vb_strbuf *out = work->out;
    put_heading(out, 3, "", it->label, NULL);
    vb_strbuf_add(out, "<div class=\"figures\">\n");
    static const entry_plot plots[] = {vb_report_plots_vocabularies, vb_report_plots_theft,       vb_report_plots_similarities,
                                       vb_report_plots_margins,      vb_report_plots_adversarial, vb_report_plots_retrieval};
    for (size_t p = 0; p < sizeof plots / sizeof *plots; p++)
        if (draw_entry(work, plots[p], it, err)) return -1;
    vb_strbuf_add(out, "</div>\n");
    vb_grid grid = vb_report_adversarial_table(it);
    put_table(out, &grid, NULL);
    if (vb_report_pictures(it, out, err)) return -1;
    int status = vb_report_caption_table(it, &grid, err);
    put_table(out, &grid, NULL);
    grid = vb_report_vocabulary_table(it);
    put_table(out, &grid, "Numbers by vocabulary");
    return status;
}

static int put_group(page *work, int g, vb_error *err) {
    const vb_report_group *group = &work->report->groups[g];
    const json_t *first = group->entries[0].entry, *data = json_object_get(first, "data");
    vb_strbuf *out = work->out;
    vb_strbuf anchor = {0};
    vb_strbuf_format(&anchor, "dataset-%d", g + 1);
    if (vb_strbuf_end(&anchor, "the report", err)) return -1;
    put_heading(out, 2, "", group->title, anchor.bytes);
    vb_strbuf_free(&anchor);
    vb_strbuf_format(out, "<p class=\"quiet\">%zu vocabularies, %.0f classes, %.0f images.</p>\n<div class=\"figures\">\n",
                     json_array_size(json_object_get(first, "vocabularies")), vb_json_number(data, "classes"),
                     vb_json_number(first, "images"));
    if (draw_group(work, vb_report_plots_curves, group, err) || draw_group(work, vb_report_plots_geometry, group, err)) return -1;
    vb_strbuf_add(out, "</div>\n");
    vb_grid grid = vb_report_analyses_table(group);
    put_table(out, &grid, NULL);
    for (int i = 0; i < group->count; i++)
        if (put_model(work, &group->entries[i], err)) return -1;
    return 0;
}

static void put_provenance(page *work) {
    vb_strbuf *out = work->out;
    const vb_report *report = work->report;
    put_heading(out, 2, "", "Provenance", "provenance");
    vb_strbuf_add(out,
                  "<p>Digests are XXH3-128. Equal digests mean equal bytes: of weights, images with their labels, vocabularies, "
                  "tokenizers.</p>\n");
    for (int f = 0; f < report->folder_count; f++) {
        const json_t *document = report->folders[f].document;
        put_heading(out, 3, "", vb_json_text(document, "experiment"), NULL);
        vb_grid grid = vb_report_run_table(&report->folders[f]);
        put_table(out, &grid, NULL);
        char *text = json_dumps(json_object_get(document, "configuration"), JSON_INDENT(2));
        if (text) {
            vb_strbuf_add(out, "<details><summary>Configuration</summary>\n<pre tabindex=\"0\">");
            vb_strbuf_add_html(out, text);
            vb_strbuf_add(out, "</pre></details>\n");
        }
        free(text); /* jansson's */
    }
    for (int g = 0; g < report->group_count; g++)
        for (int i = 0; i < report->groups[g].count; i++) {
            vb_strbuf_add(out, "<h3>");
            vb_strbuf_add_html(out, report->groups[g].entries[i].label);
            vb_strbuf_add(out, " on ");
            vb_strbuf_add_html(out, report->groups[g].title);
            vb_strbuf_add(out, "</h3>\n");
            vb_grid grid = vb_report_input_table(&report->groups[g].entries[i]);
            put_table(out, &grid, NULL);
        }
}

int vb_report_html(const vb_report *report, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err) {
    page work = {report, plotter, data, out};
    put_head(&work);
    put_results(&work);
    for (int g = 0; g < report->group_count; g++)
        if (put_group(&work, g, err)) return -1;
    put_provenance(&work);
    vb_strbuf_add(out,
                  "</main>\n<footer>\n<p class=\"quiet\">Made by vocabench, after Ren et al., <cite>Delving into the Openness "
                  "of CLIP</cite> "
                  "(2022). The data and the gnuplot script of every figure lie in ");
    vb_strbuf_add_html(out, data);
    vb_strbuf_add(out, "/.</p>\n</footer>\n</body>\n</html>\n");
    return vb_strbuf_end(out, "the report", err);
}
