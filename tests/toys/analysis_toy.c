/* The analysis `toy`: how many classes there are, and half of it. What tests/cli/test_extending.sh adds. */
#include "mpi/analyse/analysis.h"

static int run(vb_analysis_work *work, vb_error *err) {
    (void)err;
    vb_json_set_integer(work->json, work->figures, "toy_classes", work->pair->classifier->classes);
    vb_json_set_real(work->json, work->figures, "toy_half", work->pair->classifier->classes / 2.0);
    return 0;
}

/* So much that it shows in a plan. */
static int64_t bytes(const vb_pair_shape *shape) {
    (void)shape;
    return (int64_t)7 << 30;
}

static int table(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    (void)err;
    grid->columns = 2;
    vb_grid_cell(grid, "model");
    vb_grid_cell(grid, "half of the toys");
    for (int i = 0; i < subject->count; i++) {
        const json_t *figures = json_object_get(subject->results[i].entry, "analyses");
        if (!json_object_get(figures, "toy_half")) continue;
        vb_grid_cell(grid, "%s", subject->results[i].label);
        vb_grid_cell(grid, "%.1f", json_number_value(json_object_get(figures, "toy_half")));
    }
    return 0;
}

static const vb_section_number numbers[] = {{"toy_classes", "toys"}, {0}};
static const vb_section section = {.scope = VB_SECTION_OF_GROUP, .place = 999, .numbers = numbers, .table = table};

const vb_analysis vb_analysis_toy = {.run = run, .bytes = bytes, .section = &section};
