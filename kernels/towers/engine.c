/* Cutting a batch into pieces, and running the list of operations over each. */
#include "kernels/towers/engine.h"

#include <assert.h>

#include "kernels/base/memory.h"
#include "kernels/towers/cpu_operations.h"

/* Batches go in pieces whose work space stays near this (64 MiB), whatever their size; one item at least. */
enum { WORK_FLOATS = 16 << 20 };

size_t vb_engine_workspace(const vb_program *program, int64_t n) {
    if (n < 1 || !program->count) return 0;
    const size_t capacity = vb_piece_capacity(program, n, WORK_FLOATS);
    size_t offsets = program->text_rows ? 3 * ((size_t)vb_piece_most_items(program, n, capacity) + 1) : 0;
    return capacity * sizeof(float) + offsets * sizeof(int64_t);
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
    if (options->device) return options->device->run(options->device->state, program, input, n, out, &options->watch, err);
    const size_t capacity = vb_piece_capacity(program, n, WORK_FLOATS),
                 most = (size_t)vb_piece_most_items(program, n, capacity) + 1;
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
                      .threads = options->threads};
    for (int64_t first = 0; !status && first < n; first += piece.count) {
        vb_piece_fill(&piece, input->grids, first, n, capacity);
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
