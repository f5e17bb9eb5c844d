/* Cutting a batch into pieces, and running the list of operations over each. */
#include "kernels/towers/engine.h"

#include <assert.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/towers/cpu_operations.h"
#include "kernels/towers/text_order.h"

/* Batches go in pieces whose work space stays near this (64 MiB), whatever their size; one item at least. */
enum { WORK_FLOATS = 16 << 20 };

/* Texts that are put in order at a time, which bounds what their order and their paths take. */
enum { TEXTS = 512 };

static size_t capacity_for(const vb_program *program, int64_t n) { return vb_piece_capacity(program, n, WORK_FLOATS); }

/* Items of a piece, at most. */
static int64_t most_items(const vb_program *program, int64_t n) {
    const int64_t most = vb_piece_most_items(program, n, capacity_for(program, n));
    return !program->picture && most > TEXTS ? TEXTS : most;
}

/* Offsets of the items of texts, or of pictures of any shape: for starts, places, keys, queries, items. */
enum { LISTS = 5 };

size_t vb_engine_workspace(const vb_program *program, int64_t n) {
    if (n < 1 || !program->count) return 0;
    size_t bytes = capacity_for(program, n) * sizeof(float);
    if (!program->text_rows) return bytes;
    const size_t items = (size_t)most_items(program, n);
    bytes += LISTS * (items + 1) * sizeof(int64_t);
    if (program->picture) return bytes;
    bytes +=
        items * (size_t)program->values[program->result].columns * sizeof(float) + vb_text_order_bytes(n < TEXTS ? n : TEXTS);
    return bytes + (vb_program_is_causal(program) ? items * (size_t)program->text_rows * sizeof(int64_t) : 0);
}

/* ---- texts in their order ---- */

/* Takes as many texts from place `from` on as fit into the work space, equal ones as one item. Returns the place behind them. */
static int64_t take_texts(vb_piece *piece, const vb_text_order *order, int64_t from, int64_t n, size_t capacity, int64_t *items) {
    int64_t at = from, tokens = 0;
    piece->count = 0;
    for (; at < n; at++) {
        const int64_t i = piece->count;
        const int length = order->length[at], shared = at == from ? 0 : order->shared[at];
        if (i && shared == length && length == order->length[at - 1]) continue; /* the same text again */
        const int known = piece->rows ? shared : 0;
        if (vb_program_floats(piece->program, i + 1, tokens + length - known) > capacity || i == TEXTS) break;
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

/* The piece's results, an item each, to the texts from `from` to `end` in their order. */
static void hand_out(const vb_piece *piece, const vb_text_order *order, int64_t from, int64_t end, float *out) {
    const size_t columns = (size_t)piece->program->values[piece->program->result].columns;
    int64_t item = -1;
    for (int64_t at = from; at < end; at++) {
        if (item + 1 < piece->count && piece->items[item + 1] == order->text[at]) item++;
        memcpy(out + (size_t)order->text[at] * columns, piece->out + (size_t)item * columns, columns * sizeof *out);
    }
}

/* ---- running ---- */

static int run_piece(const vb_piece *piece, const vb_watch *watch, vb_error *err) {
    for (int i = 0; i < piece->program->count; i++) {
        const vb_operation *operation = &piece->program->operations[i];
        if (operation->opens_layer && watch->look && watch->look(watch->context, err)) return -1;
        assert(vb_cpu_operations[operation->kind]);
        if (vb_cpu_operations[operation->kind](piece, operation, err)) return -1;
    }
    return 0;
}

static int run_pictures(vb_piece *piece, const vb_engine_input *input, int64_t n, float *out, const vb_engine_options *options,
                        vb_error *err) {
    const vb_program *program = piece->program;
    const size_t capacity = capacity_for(program, n);
    for (int64_t first = 0; first < n; first += piece->count) {
        vb_piece_fill(piece, input->grids, first, n, capacity);
        assert(piece->count > 0 && piece->count <= most_items(program, n));
        piece->pixels = input->pixels + (size_t)first * program->picture;
        piece->grids = input->grids ? input->grids + first : NULL;
        piece->out = out + first * program->values[program->result].columns;
        if (run_piece(piece, &options->watch, err)) return -1;
    }
    return 0;
}

/* Texts on their way: some of them, in their order. */
typedef struct texts_run {
    vb_piece *piece;
    int64_t *items;
    size_t capacity;
    const vb_watch *watch;
} texts_run;

static int run_some_texts(const texts_run *run, int64_t first, int64_t n, float *out, vb_error *err) {
    vb_text_order order;
    int status = vb_text_order_make(&order, run->piece->texts, first, n, err);
    for (int64_t from = 0, end; !status && from < n; from = end) {
        end = take_texts(run->piece, &order, from, n, run->capacity, run->items);
        assert(run->piece->count > 0);
        status = run_piece(run->piece, run->watch, err);
        if (!status) hand_out(run->piece, &order, from, end, out);
    }
    vb_text_order_free(&order);
    return status;
}

static int run_texts(vb_piece *piece, int64_t *items, int64_t n, float *out, const vb_engine_options *options, vb_error *err) {
    const vb_program *program = piece->program;
    const size_t most = (size_t)most_items(program, n);
    const texts_run run = {piece, items, capacity_for(program, n), &options->watch};
    int status = -1;
    piece->out = vb_buffer(most * (size_t)program->values[program->result].columns, sizeof *out, "embeddings of a piece", err);
    if (vb_program_is_causal(program)) {
        piece->rows = vb_buffer(most * (size_t)program->text_rows, sizeof *piece->rows, "rows of texts", err);
        if (!piece->rows) goto done;
    } else piece->places = piece->starts;
    if (!piece->out) goto done;
    status = 0;
    for (int64_t first = 0; !status && first < n; first += TEXTS)
        status = run_some_texts(&run, first, n - first < TEXTS ? n - first : TEXTS, out, err);
done:
    vb_free(piece->rows);
    vb_free(piece->out);
    return status;
}

int vb_engine_run(const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
                  const vb_engine_options *options, vb_error *err) {
    assert(program->count && options->threads >= 1 && (program->picture ? input->pixels != NULL : input->texts != NULL));
    assert(!program->most_patches == !input->grids);
    if (n < 1) return 0;
    if (options->device && !options->bf16x3)
        return options->device->run(options->device->state, program, input, n, out, &options->watch, err);
    const size_t most = (size_t)most_items(program, n) + 1;
    float *work = vb_buffer(capacity_for(program, n), sizeof *work, "encoder's work space", err);
    int64_t *lists = vb_array(LISTS * most, sizeof *lists, "offsets of the items", err);
    int status = -1;
    if (work && lists) {
        vb_piece piece = {.program = program,
                          .texts = input->texts,
                          .starts = lists,
                          .places = program->picture ? lists : lists + most,
                          .keys = lists + 2 * most,
                          .queries = lists + 3 * most,
                          .items = program->picture ? NULL : lists + 4 * most,
                          .work = work,
                          .threads = options->threads,
                          .bf16x3 = options->bf16x3};
        status = program->picture ? run_pictures(&piece, input, n, out, options, err) :
                                    run_texts(&piece, lists + 4 * most, n, out, options, err);
    }
    vb_free(lists);
    vb_free(work);
    return status;
}
