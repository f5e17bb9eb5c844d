/* The sections of a report, and the table of the numbers that analyses give. */
#include "mpi/report/report_sections.h"

#include <assert.h>

#include "mpi/adversarial/adversarial_section.h"
#include "mpi/analyse/analyses.h"
#include "mpi/base/json.h"
#include "mpi/report/errors_section.h"
#include "mpi/report/openness_section.h"
#include "mpi/report/stolen_section.h"
#include "mpi/report/theft_section.h"
#include "mpi/report/vocabularies_section.h"
#include "mpi/retrieve/retrieval_section.h"

enum { DECIMALS = 4, NUMBERS = 63 };

static int list_analyses(const vb_section_subject *subject, vb_grid *grid, vb_error *err);

static const vb_section numbers_section = {.scope = VB_SECTION_OF_GROUP, .place = 30, .table = list_analyses};

/* Those that belong to no analysis. */
static const vb_section *const own[] = {&numbers_section,         &vb_errors_section,
                                        &vb_vocabularies_section, &vb_theft_section,
                                        &vb_adversarial_section,  &vb_retrieval_section,
                                        &vb_openness_section,     &vb_retrieval_settings_section,
                                        &vb_stolen_section};
enum { OWN = sizeof own / sizeof *own };
static_assert(OWN + (int)VB_ANALYSES_SPEC_COUNT <= (int)VB_REPORT_SECTIONS, "room for all sections");

/* Among sections of the same place, if ever, the list's order decides. */
static void insert_section(const vb_section **list, int count, const vb_section *section) {
    int place = count;
    for (; place && list[place - 1]->place > section->place; place--) list[place] = list[place - 1];
    list[place] = section;
}

int vb_report_sections_list(const vb_section *list[VB_REPORT_SECTIONS]) {
    int count = 0;
    for (; count < OWN; count++) insert_section(list, count, own[count]);
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT; a++)
        if (vb_analyses_row(a)->section) insert_section(list, count++, vb_analyses_row(a)->section);
    return count;
}

/* A row for each result that was analysed, a column for each number, in the analyses' order. */
static int list_analyses(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    (void)err;
    const vb_section_number *numbers[NUMBERS];
    int count = 0;
    for (int a = 0; a < VB_ANALYSES_SPEC_COUNT; a++) {
        const vb_section *section = vb_analyses_row(a)->section;
        for (const vb_section_number *number = section ? section->numbers : NULL; number && number->key; number++) {
            assert(count < NUMBERS);
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
