/* Cutting a batch into pieces, and running the list of operations over each. */
#include "kernels/towers/engine.h"

#include <assert.h>
#include <string.h>

#include "kernels/towers/cpu_operations.h"
#include "kernels/towers/text_piece.h"

/* Batches go in pieces whose work space stays near this (64 MiB), whatever their size; one item at least. */
enum { WORK_FLOATS = 16 << 20 };

enum { TEXTS = VB_TEXT_PIECE_TEXTS };

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
    vb_text_order *order;
    int64_t *items;
    size_t capacity;
    const vb_watch *watch;
} texts_run;

static int run_some_texts(const texts_run *run, int64_t first, int64_t n, float *out, vb_error *err) {
    int status = vb_text_order_make(run->order, run->piece->texts, first, n, err);
    for (int64_t from = 0, end; !status && from < n; from = end) {
        end = vb_text_piece_take(run->piece, run->order, from, n, run->capacity, run->items);
        assert(run->piece->count > 0);
        status = run_piece(run->piece, run->watch, err);
        if (!status) vb_text_piece_hand_out(run->piece, run->order, from, end, run->piece->out, out);
    }
    return status;
}

static int run_texts(vb_piece *piece, vb_engine_work *work, int64_t n, float *out, const vb_engine_options *options,
                     vb_error *err) {
    const vb_program *program = piece->program;
    const size_t most = (size_t)most_items(program, n), columns = (size_t)program->values[program->result].columns;
    int64_t *items = piece->starts + 4 * (most + 1);
    const texts_run run = {piece, &work->order, items, capacity_for(program, n), &options->watch};
    int status = -1;
    piece->items = items;
    piece->out = vb_scratch_take(&work->out, most * columns, sizeof *out, "embeddings of a piece", err);
    if (vb_program_is_causal(program)) {
        piece->places = piece->starts + most + 1;
        piece->rows = vb_scratch_take(&work->rows, most * (size_t)program->text_rows, sizeof *piece->rows, "rows of texts", err);
        if (!piece->rows) goto done;
    }
    if (!piece->out) goto done;
    status = 0;
    for (int64_t first = 0; !status && first < n; first += TEXTS)
        status = run_some_texts(&run, first, n - first < TEXTS ? n - first : TEXTS, out, err);
done:
    vb_scratch_give(&work->rows, piece->rows);
    vb_scratch_give(&work->out, piece->out);
    return status;
}

static int run_on_cpu(const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
                      const vb_engine_options *options, vb_engine_work *work, vb_error *err) {
    const size_t most = (size_t)most_items(program, n) + 1;
    float *values = vb_scratch_take(&work->values, capacity_for(program, n), sizeof *values, "encoder's work space", err);
    int64_t *lists = vb_scratch_take(&work->lists, LISTS * most, sizeof *lists, "offsets of the items", err);
    int status = -1;
    if (values && lists) {
        memset(lists, 0, LISTS * most * sizeof *lists);
        vb_piece piece = {.program = program,
                          .texts = input->texts,
                          .starts = lists,
                          .places = lists,
                          .keys = lists + 2 * most,
                          .queries = lists + 3 * most,
                          .work = values,
                          .threads = options->threads,
                          .bf16x3 = options->bf16x3,
                          .tiles = &work->tiles,
                          .marks = &work->marks};
        status =
            program->picture ? run_pictures(&piece, input, n, out, options, err) : run_texts(&piece, work, n, out, options, err);
    }
    vb_scratch_give(&work->lists, lists);
    vb_scratch_give(&work->values, values);
    return status;
}

int vb_engine_run(const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
                  const vb_engine_options *options, vb_error *err) {
    assert(program->count && options->threads >= 1 && (program->picture ? input->pixels || input->bytes : input->texts != NULL));
    assert(!input->bytes || (options->device && !options->bf16x3 && input->values && !program->most_patches));
    assert(!program->most_patches == !input->grids);
    if (n < 1) return 0;
    if (options->device && !options->bf16x3)
        return options->device->run(options->device->state, program, input, n, out, &options->watch, err);
    vb_engine_work own = {0};
    const int status = run_on_cpu(program, input, n, out, options, options->work ? options->work : &own, err);
    vb_engine_work_free(&own);
    return status;
}
