/* One function a kind of operation, over the kernels of kernels/matrix/. */
#include "kernels/towers/cpu_operations.h"

#include <string.h>

#include "kernels/matrix/attention.h"
#include "kernels/matrix/conv_run.h"
#include "kernels/matrix/depthwise.h"
#include "kernels/matrix/layers.h"
#include "kernels/towers/patch_rows.h"

static const float *operand(const vb_piece *piece, const vb_operation *operation, int index) {
    int value = operation->in[index];
    if (value == VB_NO_VALUE) return NULL;
    return !value && piece->pixels ? piece->pixels : vb_piece_at(piece, value);
}

static int64_t columns(const vb_piece *piece, int value) { return piece->program->values[value].columns; }

/* out (a row a token x columns): token or context vector, plus the position's row; then the class row. Rows that the item before
 * has are left out. */
static int run_embed(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    const vb_embed *embed = &operation->embed;
    const int64_t width = embed->table.cols;
    float *out = vb_piece_at(piece, operation->out);
#pragma omp parallel for schedule(static) num_threads(piece->threads) if (piece->threads > 1)
    for (int64_t i = 0; i < piece->count; i++) {
        const int64_t rows = vb_piece_place(piece, i + 1) - vb_piece_place(piece, i),
                      computed = piece->starts[i + 1] - piece->starts[i];
        float *x = out + piece->starts[i] * width;
        for (int at = (int)(rows - computed); at < rows; at++, x += width) {
            if (embed->class_row && at + 1 == rows) {
                const float *position = embed->positions + embed->context_length * width;
                for (int64_t j = 0; j < width; j++) x[j] = embed->class_row[j] + position[j];
                continue;
            }
            int32_t token;
            const float *from = vb_text_input_row(piece->texts, vb_piece_item(piece, i), at, &token),
                        *position = embed->positions + at * width;
            if (from)
                for (int64_t j = 0; j < width; j++) x[j] = from[j] + position[j];
            else if (embed->scale > 0)
                for (int64_t j = 0; j < width; j++) x[j] = vb_matrix_at(&embed->table, token, j) * embed->scale + position[j];
            else
                for (int64_t j = 0; j < width; j++) x[j] = vb_matrix_at(&embed->table, token, j) + position[j];
        }
    }
    return 0;
}

/* The input pictures to out (a row a patch x columns). */
static int run_patches(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    const vb_patches *patches = &operation->patches;
    const vb_patch_rows rows = {.pixels = piece->pixels,
                                .stride = (int64_t)piece->program->picture,
                                .count = piece->count,
                                .grids = piece->grids,
                                .starts = piece->starts,
                                .patch = patches->patch};
    const vb_gemm_a a = {.source = vb_patch_rows_row,
                         .context = &rows,
                         .bf16x3 = piece->bf16x3,
                         .kept = &operation->kept,
                         .scratch = piece->tiles};
    const int64_t width = columns(piece, operation->out);
    float *out = vb_piece_at(piece, operation->out);
#pragma omp parallel for schedule(static) num_threads(piece->threads) if (piece->threads > 1)
    for (int64_t i = 0; i < piece->count; i++)
        vb_patch_rows_positions(patches->positions, patches->side, (int)width, &piece->grids[i], out + piece->starts[i] * width);
    const vb_epilogue epilogue = {.bias = patches->linear.bias, .residual = out, .ld_residual = width};
    return vb_gemm(vb_piece_rows(piece, operation->out), &a, &patches->linear.weight, out, width, &epilogue, piece->threads, err);
}

/* in (n x height x width x channels; the input picture: n x channels x height x width) to out (n x height' x width' x
 * channels'). */
static int run_conv(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    const vb_convolution *step = &operation->conv;
    const vb_value *from = &piece->program->values[operation->in[0]];
    vb_conv conv =
        (from->planar ? vb_conv_over_nchw : vb_conv_over_nhwc)(operand(piece, operation, 0), from->columns, from->height,
                                                               from->width, step->kernel, step->stride, step->padding);
    conv.bf16x3 = piece->bf16x3;
    conv.kept = &operation->kept;
    conv.scratch = piece->tiles;
    const vb_epilogue epilogue = {.scale = step->scale,
                                  .bias = step->bias,
                                  .residual = operand(piece, operation, 1),
                                  .ld_residual = step->weight.rows,
                                  .last = step->last};
    return vb_conv_run(&conv, piece->count, &step->weight, vb_piece_at(piece, operation->out), &epilogue, piece->threads, err);
}

/* in (n x height x width x channels) to out (n x height' x width' x channels * times). */
static int run_depthwise(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    const vb_channel_filter *filter = &operation->filter;
    const vb_value *from = &piece->program->values[operation->in[0]];
    const vb_depthwise conv = {.input = operand(piece, operation, 0),
                               .channels = from->columns,
                               .height = from->height,
                               .width = from->width,
                               .times = filter->times,
                               .kernel = filter->kernel,
                               .stride = filter->stride,
                               .padding = filter->padding,
                               .weight = filter->weight,
                               .scratch = piece->tiles};
    const vb_epilogue epilogue = {.bias = filter->bias,
                                  .residual = operand(piece, operation, 1),
                                  .ld_residual = columns(piece, operation->out),
                                  .last = filter->last};
    return vb_depthwise_run(&conv, piece->count, vb_piece_at(piece, operation->out), &epilogue, piece->threads, err);
}

/* in (n x height x width x channels) to out (n x height' x width' x channels). */
static int run_pool(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    const vb_value *from = &piece->program->values[operation->in[0]];
    vb_conv_average_pool(operand(piece, operation, 0), piece->count, from->height, from->width, from->columns, &operation->window,
                         vb_piece_at(piece, operation->out), piece->threads);
    return 0;
}

/* The mean of some rows, summed in their order. */
static void mean_rows(const float *rows, int64_t count, int64_t width, float *mean) {
    memset(mean, 0, (size_t)width * sizeof *mean);
    for (int64_t k = 0; k < count; k++)
        for (int64_t j = 0; j < width; j++) mean[j] += rows[k * width + j];
    for (int64_t j = 0; j < width; j++) mean[j] /= (float)count;
}

/* in (n x cells x columns) to out (n x cells x columns, or a row more an item). */
static int run_sequence(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    const vb_sequence *sequence = &operation->sequence;
    const int64_t width = columns(piece, operation->out), cells = piece->program->values[operation->in[0]].rows;
    const int64_t rows = cells + (sequence->lead != VB_LEAD_NONE);
    const float *in = operand(piece, operation, 0), *positions = sequence->positions;
    float *out = vb_piece_at(piece, operation->out);
#pragma omp parallel for schedule(static) num_threads(piece->threads) if (piece->threads > 1)
    for (int64_t i = 0; i < piece->count; i++) {
        const float *cell = in + i * cells * width;
        float *row = out + i * rows * width;
        if (sequence->lead == VB_LEAD_ROW) memcpy(row, sequence->row, (size_t)width * sizeof *row);
        if (sequence->lead == VB_LEAD_MEAN) {
            mean_rows(cell, cells, width, row);
            for (int64_t j = 0; j < width; j++) row[j] += sequence->row[j];
        }
        row += (rows - cells) * width;
        if (positions)
            for (int64_t j = 0; j < cells * width; j++) row[j] = cell[j] + positions[j];
        else memcpy(row, cell, (size_t)(cells * width) * sizeof *row);
    }
    return 0;
}

/* out: n x rows x columns. */
static int run_constant(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    const size_t size = (size_t)operation->constant.count * (size_t)operation->constant.columns;
    float *out = vb_piece_at(piece, operation->out);
    for (int64_t i = 0; i < piece->count; i++) memcpy(out + (size_t)i * size, operation->constant.rows, size * sizeof *out);
    return 0;
}

/* in and out: rows x columns; may be the same. The residual is neither. */
static int run_norm(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    const vb_norm *norm = &operation->norm;
    vb_layers_norm(vb_piece_rows(piece, operation->out), norm->width, operand(piece, operation, 0), norm->width, norm->weight,
                   norm->bias, norm->epsilon, operand(piece, operation, 1), vb_piece_at(piece, operation->out), norm->width,
                   piece->threads);
    return 0;
}

/* in and out: n x rows of an item x columns, may be the same; the factors: n x columns. */
static int run_excite(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    vb_layers_scale(piece->count, piece->program->values[operation->out].rows, columns(piece, operation->out),
                    operand(piece, operation, 0), operand(piece, operation, 1), operation->activation,
                    vb_piece_at(piece, operation->out), piece->threads);
    return 0;
}

/* in (rows x inputs) to out (rows x outputs); residual or gate may be out. */
static int run_linear(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    const vb_linear *linear = &operation->linear;
    const vb_gemm_a a = {.data = operand(piece, operation, 0),
                         .ld = linear->weight.cols,
                         .bf16x3 = piece->bf16x3,
                         .kept = &operation->kept,
                         .scratch = piece->tiles};
    const vb_epilogue epilogue = {.scale = linear->scale,
                                  .bias = linear->bias,
                                  .activation = operation->activation,
                                  .gate = operand(piece, operation, 2),
                                  .ld_gate = linear->weight.rows,
                                  .residual = operand(piece, operation, 1),
                                  .ld_residual = linear->weight.rows};
    return vb_gemm(vb_piece_rows(piece, operation->out), &a, &linear->weight, vb_piece_at(piece, operation->out),
                   linear->weight.rows, &epilogue, piece->threads, err);
}

/* in and out: rows x columns; may be the same. */
static int run_rotary(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    const vb_rotary *rotary = &operation->rotary;
    const int64_t rows = vb_piece_rows(piece, operation->out), width = columns(piece, operation->out);
    const float *in = operand(piece, operation, 0);
    float *out = vb_piece_at(piece, operation->out);
    if (out != in) memcpy(out, in, (size_t)(rows * width) * sizeof *out);
    vb_layers_rotate(rows, rotary->heads, &rotary->rotation, out + rotary->column, width, piece->threads);
    return 0;
}

/* A byte a row of each of the piece's texts: whether it is hidden. NULL for lack of memory. */
static uint8_t *find_hidden(const vb_piece *piece, vb_error *err) {
    uint8_t *hidden = vb_scratch_take(piece->marks, (size_t)vb_piece_place(piece, piece->count), 1, "marks of hidden rows", err);
    for (int64_t i = 0; hidden && i < piece->count; i++)
        for (int64_t at = vb_piece_place(piece, i); at < vb_piece_place(piece, i + 1); at++)
            hidden[at] = vb_text_input_hidden(piece->texts, vb_piece_item(piece, i), (int)(at - vb_piece_place(piece, i)));
    return hidden;
}

/* Queries of an item (their rows x heads * head_dim) over its keys and values, to out of the queries' shape. */
static int run_attention(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    const vb_heads *heads = &operation->heads;
    const bool by_token = piece->program->values[operation->in[1]].rows == VB_ROW_A_TOKEN;
    for (int64_t i = 0; i <= piece->count; i++) {
        piece->queries[i] = vb_piece_first_row(piece, operation->in[0], i);
        piece->keys[i] = by_token ? vb_piece_place(piece, i) : vb_piece_first_row(piece, operation->in[1], i);
    }
    uint8_t *hidden = heads->hides_padding ? find_hidden(piece, err) : NULL;
    if (heads->hides_padding && !hidden) return -1;
    const vb_attention_batch batch = {.query = operand(piece, operation, 0) + heads->query_column,
                                      .key = operand(piece, operation, 1) + heads->key_column,
                                      .value = operand(piece, operation, 2) + heads->value_column,
                                      .ld_query = columns(piece, operation->in[0]),
                                      .ld_key = columns(piece, operation->in[1]),
                                      .ld_value = columns(piece, operation->in[2]),
                                      .sequences = piece->count,
                                      .offsets = piece->keys,
                                      .query_offsets = piece->queries,
                                      .rows = by_token ? piece->rows : NULL,
                                      .heads = heads->heads,
                                      .head_dim = heads->head_dim,
                                      .causal = heads->causal,
                                      .hidden = hidden,
                                      .scale = heads->scale,
                                      .scratch = piece->tiles};
    int status = vb_attention(&batch, vb_piece_at(piece, operation->out), columns(piece, operation->out), piece->threads, err);
    vb_scratch_give(piece->marks, hidden);
    return status;
}

/* in (rows of each item x columns) to out (n x columns). */
static int run_pick(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    const int64_t rows = piece->program->values[operation->in[0]].rows;
    const bool by_token = rows == VB_ROW_A_TOKEN;
    const int64_t width = columns(piece, operation->out);
    const float *in = operand(piece, operation, 0);
    float *out = vb_piece_at(piece, operation->out);
    for (int64_t i = 0; i < piece->count; i++) {
        int64_t at = 0, row;
        if (operation->pick == VB_PICK_LAST) at = (by_token ? vb_piece_place(piece, i + 1) - vb_piece_place(piece, i) : rows) - 1;
        if (operation->pick == VB_PICK_END) at = vb_text_input_end(piece->texts, vb_piece_item(piece, i));
        row = by_token ? vb_piece_row(piece, i, at) : i * rows + at;
        memcpy(out + i * width, in + row * width, (size_t)width * sizeof *out);
    }
    return 0;
}

/* in (rows of each item x columns) to out (n x columns). */
static int run_mean(const vb_piece *piece, const vb_operation *operation, vb_error *err) {
    (void)err;
    const int64_t width = columns(piece, operation->out);
    const float *in = operand(piece, operation, 0);
    float *out = vb_piece_at(piece, operation->out);
#pragma omp parallel for schedule(static) num_threads(piece->threads) if (piece->threads > 1)
    for (int64_t i = 0; i < piece->count; i++) {
        const int64_t first = vb_piece_first_row(piece, operation->in[0], i) + operation->skip;
        mean_rows(in + first * width, vb_piece_first_row(piece, operation->in[0], i + 1) - first, width, out + i * width);
    }
    return 0;
}

vb_piece_function *const vb_cpu_operations[] = {
    [VB_OP_EMBED] = run_embed,         [VB_OP_PATCHES] = run_patches,   [VB_OP_CONV] = run_conv,
    [VB_OP_DEPTHWISE] = run_depthwise, [VB_OP_EXCITE] = run_excite,     [VB_OP_POOL] = run_pool,
    [VB_OP_SEQUENCE] = run_sequence,   [VB_OP_CONSTANT] = run_constant, [VB_OP_NORM] = run_norm,
    [VB_OP_LINEAR] = run_linear,       [VB_OP_ROTARY] = run_rotary,     [VB_OP_ATTENTION] = run_attention,
    [VB_OP_PICK] = run_pick,           [VB_OP_MEAN] = run_mean};
