/* Which weights are kept, where each operation's lie, and making them. */
#include "kernels/towers/kept_weights.h"

#include <assert.h>

#include "kernels/matrix/winograd.h"

enum { LINE = 16 }; /* floats: each operation's weights begin a line of the cache */

static bool is_transformed(const vb_program *program, const vb_operation *operation) {
    return operation->kind == VB_OP_CONV &&
           vb_winograd_fits(operation->conv.kernel, operation->conv.stride, program->values[operation->in[0]].planar);
}

/* What an operation multiplies by; NULL: it is no product. */
static const vb_matrix *weight_of(const vb_operation *operation) {
    switch (operation->kind) {
    case VB_OP_LINEAR: return &operation->linear.weight;
    case VB_OP_CONV: return &operation->conv.weight;
    case VB_OP_PATCHES: return &operation->patches.linear.weight;
    default: return NULL;
    }
}

/* Floats of an operation's weights if they are kept, when *left are left of the bound, which they are taken from; else 0. */
static size_t take(const vb_program *program, const vb_operation *operation, int64_t batch, size_t *left) {
    const vb_matrix *weight = weight_of(operation);
    if (!weight) return 0;
    const bool transformed = is_transformed(program, operation);
    const int an_item = program->values[operation->out].rows;
    const int64_t rows = an_item == VB_ROW_A_TOKEN ? program->text_rows : an_item;
    if (transformed ? batch > VB_KEPT_WEIGHTS_FILTERS : batch > VB_KEPT_WEIGHTS_ROWS / rows) return 0;
    const size_t floats = transformed ? vb_winograd_kept_floats(weight) : vb_gemm_kept_floats(weight);
    const size_t taken = (floats + LINE - 1) / LINE * LINE;
    if (taken > *left) return 0;
    *left -= taken;
    return taken;
}

static size_t bound(void) { return ((size_t)VB_KEPT_WEIGHTS_MIB << 20) / sizeof(float); }

size_t vb_kept_weights_floats(const vb_program *program, int64_t batch) {
    size_t left = bound(), sum = 0;
    for (int i = 0; i < program->count; i++) sum += take(program, &program->operations[i], batch, &left);
    return sum;
}

int vb_kept_weights_fill(const vb_program *program, int64_t batch, float *floats, const vb_kept_share *share, vb_error *err) {
    assert(share->threads >= 1 && share->part >= 0 && share->part < share->parts);
    size_t left = bound();
    for (int i = 0; i < program->count; i++) {
        const vb_operation *operation = &program->operations[i];
        const size_t taken = take(program, operation, batch, &left);
        if (taken && i % share->parts == share->part) {
            if (!is_transformed(program, operation)) vb_gemm_keep(weight_of(operation), floats, share->threads);
            else if (vb_winograd_keep(weight_of(operation), floats, share->threads, err)) return -1;
        }
        floats += taken;
    }
    return 0;
}

void vb_kept_weights_use(vb_program *program, int64_t batch, const float *floats) {
    size_t left = bound();
    for (int i = 0; i < program->count; i++) {
        vb_operation *operation = &program->operations[i];
        const size_t taken = floats ? take(program, operation, batch, &left) : 0;
        operation->kept = taken ? (vb_kept){floats, vb_gemm_kept_columns()} : (vb_kept){0};
        if (floats) floats += taken;
    }
}
