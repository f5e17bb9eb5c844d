/* The angles of rotary positions on a square grid of cells, as EVA-02 and PE have them. */
#ifndef VB_ROTARY_H
#define VB_ROTARY_H

#include "kernels/towers/program.h"

typedef struct vb_rotary_grid {
    int grid, head_dim;
    int skipped;          /* rows in front of the cells, which have no position: 1 for a class token */
    bool column_first;    /* the first half of the pairs turns by the column, the other by the row; false: the other way round */
    double offset, scale; /* the coordinate of cell c is (c + offset) * scale */
} vb_rotary_grid;

/* Tables for rows of skipped + grid * grid, which the program owns, or NULL. With n = head_dim / 4 and f_k = 10000^(-k / n), pair
 * i of a cell turns by f_i times its first coordinate for i < n, else by f_(i-n) times the second one; cosine and sine are
 * computed in double and rounded once. VB_EMISMATCH when head_dim is no multiple of 4; VB_EMEMORY. */
const vb_rotation *vb_rotary_tables(vb_program *program, const vb_rotary_grid *grid, vb_error *err);

#endif
