/* Some items of a batch on their way through a tower: what an engine's functions, one a kind of operation, work on. */
#ifndef VB_PIECE_H
#define VB_PIECE_H

#include "kernels/base/patch_grid.h"
#include "kernels/towers/program.h"
#include "kernels/towers/text_input.h"

typedef struct vb_piece {
    const vb_program *program;
    const float *pixels;        /* of the piece's pictures; NULL when the program reads texts */
    const vb_patch_grid *grids; /* theirs; NULL of squares and texts */
    const vb_text_input *texts; /* of the whole batch */
    int64_t first, count;       /* the piece's items */
    const int64_t *items;       /* which item of the batch each of them is; NULL: first, first + 1 .. */
    /* count + 1: where the rows of each text begin among the piece's tokens, or of each picture of any shape among its patches;
     * squares have none. Of texts that share beginnings only the rows that the item before has not: */
    int64_t *starts;
    int64_t *places, *rows;  /* row p of item i is row rows[places[i] + p] of the piece; rows is NULL where nothing is shared, and
                               places the same as starts */
    int64_t *keys, *queries; /* count + 1 each, for the function that runs */
    float *work;
    float *out; /* count x columns of the result */
    int threads;
    const struct vb_bf16x3_kernel *bf16x3; /* or NULL */
    vb_scratch *tiles, *marks;             /* work space of kernels/matrix/, marks of hidden rows: kept, or NULL */
} vb_piece;

/* Floats of work space for n items: what all of them take, `budget`, or what one item takes. */
size_t vb_piece_capacity(const vb_program *program, int64_t n, size_t budget);
/* Items of a piece of so much work space, at most. */
int64_t vb_piece_most_items(const vb_program *program, int64_t n, size_t capacity);
/* Takes as many of the n items from `first` on as fit into the work space: at least one. Sets first, count and starts. grids: of
 * all n pictures of any shape, else NULL. */
void vb_piece_fill(vb_piece *piece, const vb_patch_grid *grids, int64_t first, int64_t n, size_t capacity);

/* Runs one operation on all items of a piece. Fails for lack of memory only. */
typedef int vb_piece_function(const vb_piece *piece, const vb_operation *operation, vb_error *err);

/* Rows of a value in all. */
static inline int64_t vb_piece_rows(const vb_piece *piece, int value) {
    int rows = piece->program->values[value].rows;
    return rows == VB_ROW_A_TOKEN ? piece->starts[piece->count] : piece->count * rows;
}

/* Which item of the batch item i of the piece is, and where its rows begin among those of all the piece's items. */
static inline int64_t vb_piece_item(const vb_piece *piece, int64_t i) {
    return piece->items ? piece->items[i] : piece->first + i;
}
static inline int64_t vb_piece_place(const vb_piece *piece, int64_t i) {
    return piece->places ? piece->places[i] : piece->starts[i];
}

/* The first row of item i among those that the piece computes of a value. */
static inline int64_t vb_piece_first_row(const vb_piece *piece, int value, int64_t i) {
    const int rows = piece->program->values[value].rows;
    return rows == VB_ROW_A_TOKEN ? piece->starts[i] : i * rows;
}

/* The row of the piece that is row `at` of item i, of a value with a row a token. */
static inline int64_t vb_piece_row(const vb_piece *piece, int64_t item, int64_t at) {
    return piece->rows ? piece->rows[piece->places[item] + at] : piece->starts[item] + at;
}

/* Where a value lies. */
static inline float *vb_piece_at(const vb_piece *piece, int value) {
    const vb_program *program = piece->program;
    const vb_value *it = &program->values[value];
    if (value == program->result) return piece->out;
    if (it->rows != VB_ROW_A_TOKEN) return piece->work + it->place * (size_t)piece->count;
    size_t tokens = (size_t)piece->starts[piece->count]; /* behind what has its rows an item */
    return piece->work + program->floats_an_item * (size_t)piece->count + it->place * tokens;
}

#endif
