/* How many items go through a tower at a time. */
#include "kernels/towers/piece.h"

static size_t floats_of_one(const vb_program *program) { return vb_program_floats(program, 1, program->text_rows); }

size_t vb_piece_capacity(const vb_program *program, int64_t n, size_t budget) {
    size_t one = floats_of_one(program), most = one > budget ? 1 : budget / one;
    return one * ((uint64_t)n < most ? (size_t)n : most);
}

/* Each text has a token, each picture a patch. */
int64_t vb_piece_most_items(const vb_program *program, int64_t n, size_t capacity) {
    int64_t most = (int64_t)(capacity / vb_program_floats(program, 1, program->text_rows > 0));
    return n < most ? n : most;
}

/* Tokens of an item, or its patches. */
static int64_t rows_of(const vb_piece *piece, const vb_patch_grid *grids, int64_t item) {
    return grids ? (int64_t)grids[item].rows * grids[item].columns : vb_text_input_length(piece->texts, item);
}

void vb_piece_fill(vb_piece *piece, const vb_patch_grid *grids, int64_t first, int64_t n, size_t capacity) {
    const vb_program *program = piece->program;
    piece->first = first;
    piece->count = 0;
    if (!program->text_rows) {
        int64_t most = (int64_t)(capacity / program->floats_an_item);
        piece->count = n - first < most ? n - first : most;
        return;
    }
    for (int64_t tokens = 0; first + piece->count < n; piece->count++) {
        tokens += rows_of(piece, grids, first + piece->count);
        if (vb_program_floats(program, piece->count + 1, tokens) > capacity) break;
        piece->starts[piece->count + 1] = tokens;
    }
}
