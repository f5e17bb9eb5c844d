/* Taking texts, and giving them what was found. */
#include "kernels/towers/text_piece.h"

#include <string.h>

int64_t vb_text_piece_take(vb_piece *piece, const vb_text_order *order, int64_t from, int64_t n, size_t capacity,
                           int64_t *items) {
    int64_t at = from, tokens = 0;
    piece->count = 0;
    for (; at < n; at++) {
        const int64_t i = piece->count;
        const int length = order->length[at], shared = at == from ? 0 : order->shared[at];
        if (i && shared == length && length == order->length[at - 1]) continue; /* the same text again */
        const int known = piece->rows ? shared : 0;
        if (vb_program_floats(piece->program, i + 1, tokens + length - known) > capacity || i == VB_TEXT_PIECE_TEXTS) break;
        items[i] = order->text[at];
        if (piece->rows) {
            int64_t *rows = piece->rows + piece->places[i];
            for (int row = 0; row < length; row++)
                rows[row] = row < known ? rows[row - order->length[at - 1]] : tokens + row - known;
        }
        tokens += length - known;
        piece->starts[i + 1] = tokens;
        piece->places[i + 1] = piece->places[i] + length;
        piece->count++;
    }
    return at;
}

void vb_text_piece_hand_out(const vb_piece *piece, const vb_text_order *order, int64_t from, int64_t end, const float *found,
                            float *out) {
    const size_t columns = (size_t)piece->program->values[piece->program->result].columns;
    int64_t item = -1;
    for (int64_t at = from; at < end; at++) {
        if (item + 1 < piece->count && piece->items[item + 1] == order->text[at]) item++;
        memcpy(out + (size_t)order->text[at] * columns, found + (size_t)item * columns, columns * sizeof *out);
    }
}
