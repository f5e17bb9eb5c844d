/* Arrays of one length. */
#include "mpi/encode/unit_rows.h"

#include <string.h>

#include "kernels/base/memory.h"

int vb_unit_rows_allocate(vb_unit_rows *rows, int count, int dim, vb_error *err) {
    rows->count = count;
    rows->dim = dim;
    rows->rows = vb_array((size_t)count * (size_t)dim, sizeof *rows->rows, "embeddings of a unit", err);
    rows->classes = vb_array((size_t)count, sizeof *rows->classes, "classes of a unit", err);
    rows->names = vb_array((size_t)count, sizeof *rows->names, "names of a unit", err);
    rows->places = vb_array((size_t)count, sizeof *rows->places, "places of a unit", err);
    return rows->rows && rows->classes && rows->names && rows->places ? 0 : -1;
}

void vb_unit_rows_free(vb_unit_rows *rows) {
    for (int i = 0; rows->names && i < rows->count; i++) vb_free(rows->names[i]);
    vb_free(rows->names);
    vb_free(rows->rows);
    vb_free(rows->classes);
    vb_free(rows->places);
    json_decref(rows->skipped);
    *rows = (vb_unit_rows){0};
}

void vb_unit_rows_drop(vb_unit_rows *rows, int from) {
    vb_free(rows->names[from]);
    rows->names[from] = NULL;
}

void vb_unit_rows_move(vb_unit_rows *rows, int to, int from) {
    if (to == from) return;
    size_t dim = (size_t)rows->dim;
    memcpy(rows->rows + (size_t)to * dim, rows->rows + (size_t)from * dim, dim * sizeof *rows->rows);
    rows->classes[to] = rows->classes[from];
    rows->places[to] = rows->places[from];
    rows->names[to] = rows->names[from];
    rows->names[from] = NULL;
}
