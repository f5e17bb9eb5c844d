/* The sections of a report, and the table of the numbers that analyses give. */
#include "mpi/report/report_sections.h"

#include <assert.h>

#include "mpi/analyse/analyses.h"
#include "mpi/report/adversarial_section.h"
#include "mpi/report/curves_section.h"
#include "mpi/report/retrieval_section.h"
#include "mpi/report/theft_section.h"
#include "mpi/report/vocabularies_section.h"
#include "mpi/base/json.h"

enum { DECIMALS = 4 };

static int list_numbers(const vb_section_subject *subject, vb_grid *grid, vb_error *err);

static const vb_section numbers_section = {.scope = VB_SECTION_OF_GROUP, .place = 30, .table = list_numbers};

/* Those of no analysis. */
static const vb_section *const general[] = {
    &vb_curves_section, &vb_vocabularies_section, &vb_theft_section,
    &numbers_section,   &vb_adversarial_section,  &vb_retrieval_section,
};
enum { GENERAL = sizeof general / sizeof *general };
static_assert(GENERAL + VB_ANALYSES_SPEC_COUNT <= VB_REPORT_SECTIONS, "room for all sections");

/* Behind those of the same place. */
static void insert_section(const vb_section *list[VB_REPORT_SECTIONS], int *count, const vb_section *section) {
    int at = (*count)++;
    for (; at && list[at - 1]->place > section->place; at--) list[at] = list[at - 1];
    list[at] = section;
}

int vb_report_sections_list(const vb_section *list[VB_REPORT_SECTIONS]) {
    int count = 0;
    for (int s = 0; s < GENERAL; s++) insert_section(list, &count, general[s]);
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT; a++)
        if (vb_analyses_row(a)->section) insert_section(list, &count, vb_analyses_row(a)->section);
    return count;
}

/* A row for each result that was analysed, a column for each number. */
static int list_numbers(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    (void)err;
    const vb_section_number *numbers[64];
    int count = 0;
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT; a++) {
        const vb_section *section = vb_analyses_row(a)->section;
        for (const vb_section_number *number = section ? section->numbers : NULL; number && number->key; number++) {
            assert(count < 63);
            numbers[count++] = number;
        }
    }
    *grid = (vb_grid){.columns = count + 1, .left = 1, .caption = "Feature space"};
    vb_grid_cell(grid, "model");
    for (int k = 0; k < count; k++) vb_grid_cell(grid, "%s", numbers[k]->head);
    for (int m = 0; m < subject->count; m++) {
        const json_t *figures = json_object_get(subject->results[m].entry, "analyses");
        if (!figures) continue;
        vb_grid_cell(grid, "%s", subject->results[m].label);
        for (int k = 0; k < count; k++) vb_grid_number(grid, vb_json_number(figures, numbers[k]->key), DECIMALS);
    }
    return 0;
}
