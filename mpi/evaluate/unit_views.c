/* Rows as views. */
#include "mpi/evaluate/unit_views.h"

#include "kernels/base/memory.h"

int vb_unit_views_open(vb_unit_views *its, const vb_unit_rows *rows, const vb_class_sets *sets, const vb_text_bank *bank,
                       const vb_memberships *memberships, vb_error *err) {
    *its = (vb_unit_views){.rows = rows, .memberships = memberships};
    its->block = (vb_image_block){.rows = rows->count, .images = rows->rows, .labels = rows->classes};
    if (!sets) return 0;
    if (!(its->sets = vb_array((size_t)rows->count, sizeof *its->sets, "sets of a unit", err))) return -1;
    for (int i = 0; i < rows->count; i++) its->sets[i] = vb_class_sets_at(sets, rows->places[i]);
    its->block.sets = its->sets;
    if (vb_set_views_new(&its->views, bank, rows->dim, memberships, &its->block, err)) return -1;
    its->block = its->views.block;
    return 0;
}

void vb_unit_views_close(vb_unit_views *its) {
    vb_set_views_free(&its->views);
    vb_free(its->sets);
    *its = (vb_unit_views){0};
}

static bool is_of(const vb_memberships *memberships, int class, int v) {
    for (int h = memberships->offsets[class]; h < memberships->offsets[class + 1]; h++)
        if (memberships->vocabularies[h] == v) return true;
    return false;
}

bool vb_unit_views_in(const vb_unit_views *its, int64_t i, int v, int64_t *view, int *class) {
    const vb_class_set set = vb_unit_views_right(its, i);
    for (int c = 0; c < set.count; c++) {
        if (!is_of(its->memberships, set.classes[c], v)) continue;
        *class = set.classes[c];
        *view = its->sets ? vb_set_views_of(&its->views, its->memberships, i, v) : i;
        return true;
    }
    return false;
}
