/* Cutting a batch into pieces, and running the list of operations over each. */
#include "kernels/towers/engine.h"

#include <assert.h>

#include "kernels/base/memory.h"
#include "kernels/towers/cpu_operations.h"

/* Batches go in pieces whose work space stays near this (64 MiB), whatever their size; one item at least. */
enum { WORK_FLOATS = 16 << 20 };

static size_t floats_of_one(const vb_program *program) { return vb_program_floats(program, 1, program->text_rows); }

/* Floats of work space for n items: what all of them take, what a piece may take, or what one item takes. */
static size_t capacity_for(const vb_program *program, int64_t n) {
    size_t one = floats_of_one(program), most = one > WORK_FLOATS ? 1 : WORK_FLOATS / one;
    return one * ((uint64_t)n < most ? (size_t)n : most);
}

/* Items of a piece, at most: each text has a token, each picture a patch. */
static int64_t most_items(const vb_program *program, int64_t n) {
    int64_t most = (int64_t)(capacity_for(program, n) / vb_program_floats(program, 1, program->text_rows > 0));
    return n < most ? n : most;
}

size_t vb_engine_workspace(const vb_program *program, int64_t n) {
    if (n < 1 || !program->count) return 0;
    size_t offsets = program->text_rows ? 3 * ((size_t)most_items(program, n) + 1) : 0;
    return capacity_for(program, n) * sizeof(float) + offsets * sizeof(int64_t);
}

/* Tokens of an item, or its patches. */
static int64_t rows_of(const vb_piece *piece, const vb_engine_input *input, int64_t item) {
    return input->grids ? (int64_t)input->grids[item].rows * input->grids[item].columns :
                          vb_text_input_length(piece->texts, item);
}

/* Takes as many of the n items from `first` on as fit into the work space. */
static void fill(vb_piece *piece, const vb_engine_input *input, int64_t first, int64_t n, size_t capacity) {
    const vb_program *program = piece->program;
    piece->first = first;
    piece->count = 0;
    if (!program->text_rows) {
        int64_t most = (int64_t)(capacity / program->floats_an_item);
        piece->count = n - first < most ? n - first : most;
        return;
    }
    for (int64_t tokens = 0; first + piece->count < n; piece->count++) {
        tokens += rows_of(piece, input, first + piece->count);
        if (vb_program_floats(program, piece->count + 1, tokens) > capacity) break;
        piece->starts[piece->count + 1] = tokens;
    }
}

static int run_piece(const vb_piece *piece, const vb_watch *watch, vb_error *err) {
    for (int i = 0; i < piece->program->count; i++) {
        const vb_operation *operation = &piece->program->operations[i];
        if (operation->opens_layer && watch->look && watch->look(watch->context, err)) return -1;
        assert(vb_cpu_operations[operation->kind]);
        if (vb_cpu_operations[operation->kind](piece, operation, err)) return -1;
    }
    return 0;
}

int vb_engine_run(const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
                  const vb_engine_options *options, vb_error *err) {
    assert(program->count && options->threads >= 1 && (program->picture ? input->pixels != NULL : input->texts != NULL));
    assert(!program->most_patches == !input->grids);
    if (n < 1) return 0;
    const size_t capacity = capacity_for(program, n), most = (size_t)most_items(program, n) + 1;
    const int64_t columns = program->values[program->result].columns;
    float *work = vb_buffer(capacity, sizeof *work, "encoder's work space", err);
    int64_t *rows = vb_array(3 * most, sizeof *rows, "offsets of the items", err);
    int status = work && rows ? 0 : -1;
    vb_piece piece = {.program = program,
                      .texts = input->texts,
                      .starts = rows,
                      .keys = rows ? rows + most : NULL,
                      .queries = rows ? rows + 2 * most : NULL,
                      .work = work,
                      .threads = options->threads,
                      .bf16x3 = options->bf16x3};
    for (int64_t first = 0; !status && first < n; first += piece.count) {
        fill(&piece, input, first, n, capacity);
        assert(piece.count > 0 && (size_t)piece.count < most);
        piece.pixels = program->picture ? input->pixels + (size_t)first * program->picture : NULL;
        piece.grids = input->grids ? input->grids + first : NULL;
        piece.out = out + first * columns;
        status = run_piece(&piece, &options->watch, err);
    }
    vb_free(rows);
    vb_free(work);
    return status;
}
