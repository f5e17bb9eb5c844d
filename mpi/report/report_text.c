/* The report as Markdown and as LaTeX tables. */
#include <string.h>

#include "mpi/report/report.h"

/* A name in running Markdown text. */
static void add_markdown(vb_strbuf *out, const char *name) {
    for (const char *at = name; *at; at++) {
        if (strchr("\\`*_<>&[]#|", *at)) vb_strbuf_add(out, "\\");
        vb_strbuf_add_n(out, (unsigned char)*at < 0x20 ? " " : at, 1);
    }
}

/* Writes and frees the grid; nothing of one without rows. */
static void put_table(vb_strbuf *out, vb_grid *grid) {
    if (vb_grid_rows(grid) > 0 || grid->failed) {
        if (grid->caption) vb_strbuf_format(out, "%s:\n\n", grid->caption);
        vb_grid_put(grid, VB_GRID_MARKDOWN, out);
        vb_strbuf_add(out, "\n");
    }
    vb_grid_free(grid);
}

static void put_figure(vb_strbuf *out, vb_figure *figure, const char *data) {
    if (figure->name) {
        vb_strbuf_add(out, "![");
        add_markdown(out, figure->title);
        vb_strbuf_add(out, "](<");
        for (const char *at = data; *at; at++) vb_strbuf_add_n(out, strchr("<>", *at) ? "_" : at, 1);
        vb_strbuf_format(out, "/%s.svg>)\n\n", figure->name);
        add_markdown(out, figure->description);
        vb_strbuf_add(out, "\n\n");
    }
    vb_plot_figure_free(figure);
}

static int put_entry(const vb_reported *it, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err) {
    static int (*const plots[])(vb_plotter *, const vb_reported *, vb_figure *,
                                vb_error *) = {vb_report_plots_vocabularies, vb_report_plots_theft,
                                               vb_report_plots_similarities, vb_report_plots_margins,
                                               vb_report_plots_adversarial,  vb_report_plots_retrieval};
    vb_strbuf_add(out, "### ");
    add_markdown(out, it->label);
    vb_strbuf_add(out, "\n\n");
    for (size_t p = 0; p < sizeof plots / sizeof *plots; p++) {
        vb_figure figure = {0};
        int status = plots[p](plotter, it, &figure, err);
        put_figure(out, &figure, data);
        if (status) return -1;
    }
    vb_grid grid = vb_report_vocabulary_table(it);
    put_table(out, &grid);
    grid = vb_report_adversarial_table(it);
    put_table(out, &grid);
    int status = vb_report_caption_table(it, &grid, err);
    put_table(out, &grid);
    return status;
}

int vb_report_markdown(const vb_report *report, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err) {
    static int (*const plots[])(vb_plotter *, const vb_report_group *, vb_figure *, vb_error *) = {vb_report_plots_curves,
                                                                                                   vb_report_plots_geometry};
    vb_strbuf_add(out, "# Openness of ");
    for (int f = 0; f < report->folder_count; f++) {
        if (f) vb_strbuf_add(out, ", ");
        add_markdown(out, vb_json_text(report->folders[f].document, "experiment"));
    }
    vb_strbuf_add(out, "\n\n");
    vb_grid grid = vb_report_main_table(report);
    put_table(out, &grid);
    for (int g = 0; g < report->group_count; g++) {
        const vb_report_group *group = &report->groups[g];
        vb_strbuf_add(out, "## ");
        add_markdown(out, group->title);
        vb_strbuf_add(out, "\n\n");
        for (int p = 0; p < 2; p++) {
            vb_figure figure = {0};
            int status = plots[p](plotter, group, &figure, err);
            put_figure(out, &figure, data);
            if (status) return -1;
        }
        grid = vb_report_analyses_table(group);
        put_table(out, &grid);
        for (int i = 0; i < group->count; i++)
            if (put_entry(&group->entries[i], plotter, data, out, err)) return -1;
    }
    vb_strbuf_add(out, "## Provenance\n\n");
    for (int f = 0; f < report->folder_count; f++) {
        grid = vb_report_run_table(&report->folders[f]);
        put_table(out, &grid);
    }
    for (int g = 0; g < report->group_count; g++)
        for (int i = 0; i < report->groups[g].count; i++) {
            vb_strbuf_add(out, "### ");
            add_markdown(out, report->groups[g].entries[i].label);
            vb_strbuf_add(out, " on ");
            add_markdown(out, report->groups[g].title);
            vb_strbuf_add(out, "\n\n");
            grid = vb_report_input_table(&report->groups[g].entries[i]);
            put_table(out, &grid);
        }
    return vb_strbuf_end(out, "the report", err);
}

int vb_report_latex(const vb_report *report, vb_strbuf *out, vb_error *err) {
    vb_grid grid = vb_report_main_table(report);
    vb_grid_put(&grid, VB_GRID_LATEX, out);
    vb_grid_free(&grid);
    for (int g = 0; g < report->group_count; g++)
        for (int i = 0; i < report->groups[g].count; i++) {
            const vb_reported *it = &report->groups[g].entries[i];
            vb_grid grids[] = {vb_report_vocabulary_table(it), vb_report_adversarial_table(it)};
            for (int t = 0; t < 2; t++) {
                if (vb_grid_rows(&grids[t]) > 0) {
                    vb_strbuf_add(out, "\n% ");
                    for (const char *at = it->label; *at; at++) vb_strbuf_add_n(out, (unsigned char)*at < 0x20 ? " " : at, 1);
                    vb_strbuf_add(out, "\n");
                    vb_grid_put(&grids[t], VB_GRID_LATEX, out);
                }
                vb_grid_free(&grids[t]);
            }
        }
    return vb_strbuf_end(out, "the report", err);
}
