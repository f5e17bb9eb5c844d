/* Rotary positions of a picture's cells. Source: timm layers/pos_embed_sincos.py, RotaryEmbeddingCat. */
#include "kernels/towers/rotary.h"

#include <math.h>

/* The row of one cell in both tables. */
static void set_row(const vb_rotary_grid *grid, int row, int column, float *straight, float *crossed) {
    const int n = grid->head_dim / 4;
    const double first = (grid->column_first ? column : row) + grid->offset,
                 second = (grid->column_first ? row : column) + grid->offset;
    for (int i = 0; i < 2 * n; i++) {
        const double angle = (i < n ? first : second) * grid->scale * pow(10000, -(double)(i % n) / n);
        straight[2 * i] = straight[2 * i + 1] = (float)cos(angle);
        crossed[2 * i + 1] = (float)sin(angle);
        crossed[2 * i] = -crossed[2 * i + 1];
    }
}

const vb_rotation *vb_rotary_tables(vb_program *program, const vb_rotary_grid *grid, vb_error *err) {
    const int side = grid->grid, width = grid->head_dim;
    if (width % 4) {
        vb_errorf(err, VB_EMISMATCH, "image tower: heads of %d do not split into pairs for rows and pairs for columns", width);
        return NULL;
    }
    const size_t count = (size_t)side * (size_t)side * (size_t)width;
    vb_rotation *rotation = vb_program_memory(program, 1, sizeof *rotation, "rotary positions", err);
    float *straight = rotation ? vb_program_memory(program, count, sizeof *straight, "rotary positions", err) : NULL;
    float *crossed = straight ? vb_program_memory(program, count, sizeof *crossed, "rotary positions", err) : NULL;
    if (!crossed) return NULL;
    for (int cell = 0; cell < side * side; cell++)
        set_row(grid, cell / side, cell % side, straight + (int64_t)cell * width, crossed + (int64_t)cell * width);
    *rotation = (vb_rotation){.straight = straight,
                              .crossed = crossed,
                              .period = grid->skipped + side * side,
                              .skipped = grid->skipped,
                              .head_dim = width};
    return rotation;
}
