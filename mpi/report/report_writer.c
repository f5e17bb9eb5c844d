/* The road through a report. */
#include "mpi/report/report_writer.h"

#include "kernels/base/memory.h"
#include "mpi/analyse/shown_rows.h"
#include "mpi/report/headline.h"
#include "mpi/report/overview.h"
#include "mpi/report/provenance_tables.h"
#include "mpi/report/report_sections.h"
#include "mpi/results/tables.h"

/* Writes and frees the grid; nothing of one without rows. */
static void hand_table(const vb_report_writer *writer, vb_grid *grid, const vb_section_subject *subject,
                       const vb_section *section) {
    if (grid->failed) writer->out->failed = true;
    else if (vb_grid_rows(grid) > 0) writer->table(writer, grid, subject, section);
    vb_grid_free(grid);
}

/* What the section is called for. Close with close_rows, also after a failure. */
static int open_rows(const vb_section *section, const vb_section_subject *subject, vb_section_subject *rows, vb_error *err) {
    *rows = *subject;
    return section->stated ? vb_shown_rows_open(rows, subject, section->stated, err) : 0;
}

static void close_rows(const vb_section *section, vb_section_subject *rows) {
    if (section->stated) vb_shown_rows_close(rows);
}

static int write_plot(const vb_report_writer *writer, const vb_section *section, const vb_section_subject *subject,
                      vb_error *err) {
    vb_figure figure = {0};
    vb_section_subject rows;
    int status = open_rows(section, subject, &rows, err);
    if (!status) status = section->plot(&rows, writer->plotter, &figure, err);
    if (!status && figure.name) status = writer->figure(writer, &figure, err);
    vb_plot_figure_free(&figure);
    close_rows(section, &rows);
    return status;
}

static int write_rest(const vb_report_writer *writer, const vb_section *section, const vb_section_subject *subject,
                      vb_error *err) {
    int status = 0;
    if (section->table && (!writer->latex || section->latex)) {
        vb_grid grid = {0};
        vb_section_subject rows;
        status = open_rows(section, subject, &rows, err);
        if (!status) status = section->table(&rows, &grid, err);
        hand_table(writer, &grid, subject, section);
        close_rows(section, &rows);
    }
    if (!status && section->html && writer->html) status = section->html(subject, writer->out, err);
    return status;
}

/* The sections of that scope: their figures, then their tables. */
static int write_sections(const vb_report_writer *writer, vb_section_scope scope, const vb_section_subject *subject,
                          vb_error *err) {
    const vb_section *sections[VB_REPORT_SECTIONS];
    int count = vb_report_sections_list(sections);
    if (writer->figures) writer->figures(writer, true);
    for (int s = 0; s < count && writer->plotter; s++)
        if (sections[s]->scope == scope && sections[s]->plot && write_plot(writer, sections[s], subject, err)) return -1;
    if (writer->figures) writer->figures(writer, false);
    for (int last = 0; last < (writer->folds ? 2 : 1); last++)
        for (int s = 0; s < count; s++) {
            bool now = !writer->folds || last == (sections[s]->folded != NULL);
            if (sections[s]->scope == scope && now && write_rest(writer, sections[s], subject, err)) return -1;
        }
    return 0;
}

int vb_report_writer_overview(const vb_report_writer *writer, const vb_report *report, vb_error *err) {
    vb_figure figure = {0};
    int status = writer->plotter ? vb_overview_plot(report, writer->plotter, &figure, err) : 0;
    if (!status && figure.name) status = writer->figure(writer, &figure, err);
    vb_plot_figure_free(&figure);
    return status;
}

/* The accuracies of a group's models. What matters most stands next to the name: Acc-E, and what it is compared with. */
static void write_accuracies(const vb_report_writer *writer, const vb_report_group *group) {
    enum { IMAGES = 2, CLOSED, OPEN, LOST, FIRST = 6 /* of the columns that stay as they are */ };
    bool unions = false;
    vb_error ignored; /* the document says it again */
    for (int i = 0; i < group->count; i++) unions |= vb_tables_is_expansion(group->results[i].entry);
    char *caption = vb_format(&ignored, "%s: accuracy in percent; E-C and S-C are differences from Acc-C in points%s",
                              group->title, unions ? "; union: Acc-E over the union of the images, large datasets for more" : "");
    vb_grid grid = vb_tables_main_begin(caption ? caption : "", unions);
    for (int i = 0; i < group->count; i++)
        vb_tables_main_add(&grid, group->results[i].entry, group->results[i].label, group->title, true);
    int order[16] = {0, OPEN, CLOSED, LOST}, count = 4;
    for (int c = FIRST; c < grid.columns; c++) order[count++] = c;
    order[count++] = IMAGES;
    vb_grid_arrange(&grid, order, count);
    if (!caption) writer->out->failed = true;
    hand_table(writer, &grid, NULL, NULL);
    vb_free(caption);
}

void vb_report_writer_main(const vb_report_writer *writer, const vb_report *report) {
    vb_grid matrix = vb_headline_matrix(report);
    hand_table(writer, &matrix, NULL, NULL);
    if (report->group_count == 1) write_accuracies(writer, report->groups);
}

int vb_report_writer_groups(const vb_report_writer *writer, const vb_report *report, vb_error *err) {
    for (int g = 0; g < report->group_count; g++) {
        const vb_report_group *group = &report->groups[g];
        if (writer->group) writer->group(writer, report, g);
        if (report->group_count > 1) write_accuracies(writer, group);
        if (write_sections(writer, VB_SECTION_OF_GROUP, &(vb_section_subject){group->title, group->count, group->results}, err))
            return -1;
        for (int i = 0; i < group->count; i++) {
            const vb_section_result *result = &group->results[i];
            if (writer->result) writer->result(writer, result);
            if (write_sections(writer, VB_SECTION_OF_RESULT, &(vb_section_subject){result->label, 1, result}, err)) return -1;
            if (writer->result_end) writer->result_end(writer);
        }
    }
    return 0;
}

void vb_report_writer_provenance(const vb_report_writer *writer, const vb_report *report) {
    for (int f = 0; f < report->folder_count; f++) {
        vb_grid grid = vb_provenance_tables_run(report->folders[f].document);
        if (writer->folder) writer->folder(writer, &report->folders[f]);
        hand_table(writer, &grid, NULL, NULL);
        if (writer->folder_end) writer->folder_end(writer, &report->folders[f]);
    }
    if (writer->inputs) writer->inputs(writer, true);
    for (int g = 0; g < report->group_count; g++)
        for (int i = 0; i < report->groups[g].count; i++) {
            vb_grid grid = vb_provenance_tables_input(report->groups[g].results[i].entry);
            writer->input(writer, report->groups[g].results[i].label, report->groups[g].title);
            hand_table(writer, &grid, NULL, NULL);
        }
    if (writer->inputs) writer->inputs(writer, false);
}
