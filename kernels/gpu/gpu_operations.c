/* What each kind of operation queues. The CPU's counterparts are in kernels/towers/cpu_operations.c, in the same order. */
#include "kernels/gpu/gpu_operations.h"

#include <assert.h>
#include <stdio.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_heads.h"
#include "kernels/gpu/gpu_patches.h"
#include "kernels/gpu/gpu_product.h"
#include "kernels/gpu/gpu_texts.h"
#include "kernels/gpu/gpu_winograd.h"
#include "kernels/matrix/conv.h"
#include "kernels/matrix/winograd.h"

enum { COLUMNS = 64, NORM_ROWS = 8, NORM_PARTS = 16 }; /* of its work groups */

#define ARG VB_GPU_ARGUMENT
#define PLACE(place) ARG((place).buffer), ARG((place).at)

typedef struct job {
    const vb_gpu_piece *piece;
    const vb_program *program;
    const vb_operation *operation;
    const vb_gpu_step *step;
    const vb_value *from, *to; /* of operand 0 (NULL: it reads the input texts or nothing) and of the result */
    vb_error *err;
} job;

static vb_gpu_place place_of(const vb_gpu_piece *piece, int value) {
    const vb_program *program = piece->host.program;
    const vb_value *it = &program->values[value];
    if (value == program->result) return (vb_gpu_place){piece->out, 0};
    if (!value && piece->pixels) return (vb_gpu_place){piece->pixels, 0};
    if (it->rows != VB_ROW_A_TOKEN) return (vb_gpu_place){piece->work, it->place * (size_t)piece->host.count};
    const size_t tokens = (size_t)piece->host.starts[piece->host.count]; /* as vb_piece_at has it */
    return (vb_gpu_place){piece->work, program->floats_an_item * (size_t)piece->host.count + it->place * tokens};
}

/* The place of operand `index`, or of nothing. */
static vb_gpu_place operand(const job *j, int index) {
    const int value = j->operation->in[index];
    return value == VB_NO_VALUE ? (vb_gpu_place){j->piece->device->nothing, 0} : place_of(j->piece, value);
}

static bool has_operand(const job *j, int index) { return j->operation->in[index] != VB_NO_VALUE; }
static vb_gpu_place result(const job *j) { return place_of(j->piece, j->operation->out); }
static int64_t rows_of_result(const job *j) { return vb_piece_rows(&j->piece->host, j->operation->out); }
static cl_mem weight(const job *j, vb_gpu_weight which) { return j->step->bytes[which] ? j->step->weights[which] : NULL; }

static bool by_token(const job *j, int index) { return j->program->values[j->operation->in[index]].rows == VB_ROW_A_TOKEN; }

/* A kernel of gpu_rows.cl over rows x width. */
static int queue_rows(const job *j, const char *kernel, const vb_gpu_argument *arguments, int count, int64_t rows,
                      int64_t width) {
    vb_gpu_launch launch = {.kernel = kernel,
                            .arguments = arguments,
                            .count = count,
                            .groups = {(size_t)rows * (size_t)((width + COLUMNS - 1) / COLUMNS), 1, 1},
                            .items = {COLUMNS, 1, 1}};
    if (vb_gpu_work_module(j->piece->device, vb_gpu_rows_cl, "", &launch.module, j->err)) return -1;
    return vb_gpu_work_launch(j->piece->device, &launch, j->err);
}
#define QUEUE_ROWS(j, kernel, arguments, rows, width)                                                                            \
    queue_rows(j, kernel, arguments, (int)(sizeof(arguments) / sizeof *(arguments)), rows, width)

/* Numbers that the host has made for one launch: `free_numbers` may follow at once, OpenCL keeps them while it needs them. */
static int put_numbers(const job *j, const void *numbers, size_t size, cl_mem *buffer) {
    return vb_gpu_work_copy(j->piece->device, numbers, size, buffer, j->err);
}
static void free_numbers(const job *j, cl_mem *buffer, size_t size) { vb_gpu_work_release(j->piece->device, buffer, size); }

/* ---- inputs ---- */

/* Where each row that is computed comes from: a row of the table, -1 - a learned vector, or class_source. */
static void find_sources(const job *j, cl_int class_source, cl_int *sources, cl_int *places) {
    const vb_embed *embed = &j->operation->embed;
    const vb_piece *host = &j->piece->host;
    const vb_prompt_context *context = host->texts->context;
    for (int64_t i = 0; i < host->count; i++) {
        const int rows = (int)(vb_piece_place(host, i + 1) - vb_piece_place(host, i)),
                  computed = (int)(host->starts[i + 1] - host->starts[i]);
        for (int at = rows - computed; at < rows; at++, sources++, places++) {
            *places = at;
            if (embed->class_row && at + 1 == rows) {
                *sources = class_source;
                *places = embed->context_length;
                continue;
            }
            int32_t token = 0;
            const float *vector = vb_text_input_row(host->texts, vb_piece_item(host, i), at, &token);
            *sources = vector ? (cl_int)(-1 - (vector - context->vectors) / context->width) : token;
        }
    }
}

/* As many of the learned vectors as hold those of all texts of a piece. */
static int64_t vectors_of(const vb_piece *host) {
    const vb_prompt_context *context = host->texts->context;
    int64_t last = 0;
    for (int64_t i = 0; i < host->count; i++)
        if (vb_piece_item(host, i) > last) last = vb_piece_item(host, i);
    return !context ? 0 : context->class_specific ? (last + 1) * context->n_ctx : context->n_ctx;
}

static int queue_embed(const job *j) {
    const vb_embed *embed = &j->operation->embed;
    const vb_piece *host = &j->piece->host;
    const vb_prompt_context *context = host->texts->context;
    const cl_int rows = (cl_int)host->starts[host->count], width = (cl_int)embed->table.cols,
                 type = vb_gpu_tower_type(embed->table.dtype), class_source = CL_INT_MIN;
    const cl_float scale = embed->scale;
    const size_t size = (size_t)rows * sizeof(cl_int), vector_size = (size_t)vectors_of(host) * (size_t)width * sizeof(float);
    cl_int *numbers = vb_array(2 * (size_t)rows, sizeof *numbers, "where rows come from", j->err);
    if (!numbers) return -1;
    find_sources(j, class_source, numbers, numbers + rows);
    cl_mem sources = NULL, places = NULL, vectors = NULL;
    int status = put_numbers(j, numbers, size, &sources);
    if (!status) status = put_numbers(j, numbers + rows, size, &places);
    if (!status && vector_size) status = put_numbers(j, context->vectors, vector_size, &vectors);
    if (!status) {
        const cl_mem table = j->step->weights[VB_GPU_MATRIX], class_row = j->step->weights[VB_GPU_SCALE],
                     positions = j->step->weights[VB_GPU_BIAS];
        const vb_gpu_place learned = {vectors ? vectors : j->piece->device->nothing, 0}, out = result(j);
        const vb_gpu_argument arguments[] = {ARG(rows),    ARG(width),     ARG(table),     ARG(table),        ARG(type),
                                             ARG(scale),   PLACE(learned), ARG(class_row), ARG(class_source), ARG(positions),
                                             ARG(sources), ARG(places),    PLACE(out)};
        status = QUEUE_ROWS(j, "embed", arguments, rows, width);
    }
    free_numbers(j, &sources, size);
    free_numbers(j, &places, size);
    free_numbers(j, &vectors, vector_size);
    vb_free(numbers);
    return status;
}

/* The first rows of scratch = the patches of rows `first` .. of the piece. */
static int queue_patch_rows(const job *j, int64_t first, int64_t rows, cl_int depth) {
    const cl_int patch = j->operation->patches.patch;
    cl_mem corners = NULL, strides = NULL;
    int status = vb_gpu_patches_corners(j->piece, patch, first, rows, &corners, &strides, j->err);
    if (!status) {
        const vb_gpu_place in = {j->piece->pixels, 0}, out = {j->piece->scratch, 0};
        const vb_gpu_argument arguments[] = {PLACE(in), ARG(corners), ARG(strides), ARG(patch), ARG(depth), PLACE(out)};
        status = QUEUE_ROWS(j, "patch_rows", arguments, rows, depth);
    }
    free_numbers(j, &corners, (size_t)rows * VB_GPU_PATCHES_CORNER);
    free_numbers(j, &strides, (size_t)rows * VB_GPU_PATCHES_STRIDES);
    return status;
}

static int queue_patches(const job *j) {
    const vb_linear *linear = &j->operation->patches.linear;
    const int64_t rows = rows_of_result(j), depth = linear->weight.cols, width = j->to->columns,
                  most = (int64_t)(j->piece->scratch_floats / (size_t)depth);
    const size_t size = (size_t)(rows * width) * sizeof(float);
    cl_mem positions = NULL;
    const vb_gpu_place out = result(j);
    int status = vb_gpu_patches_positions(j->piece, &j->operation->patches, (int)width, &positions, j->err);
    for (int64_t first = 0; !status && first < rows; first += most) {
        const int64_t some = rows - first < most ? rows - first : most;
        const cl_ulong at = (cl_ulong)(first * width);
        const vb_gpu_product product = {.rows = (cl_ulong)some,
                                        .columns = (cl_int)width,
                                        .depth = (cl_int)depth,
                                        .a = {j->piece->scratch, 0},
                                        .b = j->step->weights[VB_GPU_MATRIX],
                                        .type = linear->weight.dtype,
                                        .c = {out.buffer, out.at + at},
                                        .epilogue = {.bias = weight(j, VB_GPU_BIAS),
                                                     .residual = {positions, at},
                                                     .ld_residual = (cl_ulong)width}};
        status = queue_patch_rows(j, first, some, (cl_int)depth);
        if (!status) status = vb_gpu_product_queue(j->piece->device, &product, j->err);
    }
    free_numbers(j, &positions, size);
    return status;
}

/* ---- pictures ---- */

static bool reads_in_place(const vb_convolution *step, const vb_value *from) {
    return step->kernel == 1 && step->stride == 1 && !step->padding && !from->planar;
}

/* The first rows of scratch = rows `first` .. of the im2col matrix. */
static int queue_im2col(const job *j, int64_t first, int64_t rows) {
    const vb_convolution *step = &j->operation->conv;
    const vb_value *from = j->from;
    const vb_conv conv = (from->planar ? vb_conv_over_nchw : vb_conv_over_nhwc)(NULL, from->columns, from->height, from->width,
                                                                                step->kernel, step->stride, step->padding);
    const vb_gpu_place in = operand(j, 0), out = {j->piece->scratch, 0};
    const cl_ulong begin = (cl_ulong)first, image = (cl_ulong)conv.image_stride, channel = (cl_ulong)conv.channel_stride,
                   row = (cl_ulong)conv.row_stride, column = (cl_ulong)conv.column_stride;
    const cl_int out_height = vb_conv_out_height(&conv), out_width = vb_conv_out_width(&conv), depth = (cl_int)step->weight.cols;
    const vb_gpu_argument arguments[] = {PLACE(in),         PLACE(out),       ARG(begin),      ARG(conv.kernel), ARG(conv.stride),
                                         ARG(conv.padding), ARG(conv.height), ARG(conv.width), ARG(out_height),  ARG(out_width),
                                         ARG(depth),        ARG(image),       ARG(channel),    ARG(row),         ARG(column)};
    return QUEUE_ROWS(j, "im2col", arguments, rows, depth);
}

static int queue_winograd(const job *j) {
    const vb_convolution *step = &j->operation->conv;
    vb_gpu_winograd work = {.images = j->piece->host.count,
                            .channels = j->from->columns,
                            .outputs = j->to->columns,
                            .height = j->from->height,
                            .width = j->from->width,
                            .padding = step->padding,
                            .in = operand(j, 0),
                            .out = result(j),
                            .factors = j->step->weights[VB_GPU_MATRIX],
                            .epilogue = {weight(j, VB_GPU_SCALE), weight(j, VB_GPU_BIAS), step->last, .last = true},
                            .scratch = j->piece->scratch,
                            .scratch_floats = j->piece->scratch_floats};
    if (has_operand(j, 1)) work.epilogue.residual = operand(j, 1);
    return vb_gpu_winograd_queue(j->piece->device, &work, j->err);
}

static int queue_conv(const job *j) {
    const vb_convolution *step = &j->operation->conv;
    if (vb_winograd_fits(step->kernel, step->stride, j->from->planar)) return queue_winograd(j);
    const bool in_place = reads_in_place(step, j->from);
    const int64_t rows = rows_of_result(j), depth = step->weight.cols, width = j->to->columns,
                  most = in_place ? rows : (int64_t)(j->piece->scratch_floats / (size_t)depth);
    const vb_gpu_place in = operand(j, 0), out = result(j), residual = operand(j, 1);
    int status = 0;
    for (int64_t first = 0; !status && first < rows; first += most) {
        const int64_t some = rows - first < most ? rows - first : most;
        const cl_ulong at = (cl_ulong)(first * width);
        vb_gpu_product product = {.rows = (cl_ulong)some,
                                  .columns = (cl_int)width,
                                  .depth = (cl_int)depth,
                                  .a = in_place ? in : (vb_gpu_place){j->piece->scratch, 0},
                                  .b = j->step->weights[VB_GPU_MATRIX],
                                  .type = step->weight.dtype,
                                  .c = {out.buffer, out.at + at},
                                  .epilogue = {.scale = weight(j, VB_GPU_SCALE),
                                               .bias = weight(j, VB_GPU_BIAS),
                                               .activation = step->last,
                                               .last = true,
                                               .ld_residual = (cl_ulong)width}};
        if (has_operand(j, 1)) product.epilogue.residual = (vb_gpu_place){residual.buffer, residual.at + at};
        if (!in_place) status = queue_im2col(j, first, some);
        if (!status) status = vb_gpu_product_queue(j->piece->device, &product, j->err);
    }
    return status;
}

static int queue_depthwise(const job *j) {
    const vb_channel_filter *filter = &j->operation->filter;
    const vb_value *from = j->from, *to = j->to;
    const vb_gpu_place in = operand(j, 0), residual = operand(j, 1), out = result(j);
    const cl_int flags = (weight(j, VB_GPU_BIAS) ? VB_GPU_HAS_BIAS : 0) | (has_operand(j, 1) ? VB_GPU_HAS_RESIDUAL : 0),
                 last = (cl_int)filter->last;
    const vb_gpu_argument arguments[] = {PLACE(in),
                                         ARG(j->step->weights[VB_GPU_MATRIX]),
                                         ARG(j->step->weights[VB_GPU_BIAS]),
                                         PLACE(residual),
                                         PLACE(out),
                                         ARG(flags),
                                         ARG(last),
                                         ARG(from->columns),
                                         ARG(filter->times),
                                         ARG(from->height),
                                         ARG(from->width),
                                         ARG(to->height),
                                         ARG(to->width),
                                         ARG(filter->kernel),
                                         ARG(filter->stride),
                                         ARG(filter->padding)};
    return QUEUE_ROWS(j, "depthwise", arguments, rows_of_result(j), to->columns);
}

static int queue_pool(const job *j) {
    const vb_window *window = &j->operation->window;
    const vb_value *from = j->from;
    const vb_gpu_place in = operand(j, 0), out = result(j);
    const cl_int out_height = vb_conv_windows(window, from->height), out_width = vb_conv_windows(window, from->width);
    const vb_gpu_argument arguments[] = {PLACE(in),           PLACE(out),          ARG(from->columns), ARG(from->height),
                                         ARG(from->width),    ARG(out_height),     ARG(out_width),     ARG(window->size),
                                         ARG(window->stride), ARG(window->padding)};
    return QUEUE_ROWS(j, "pool", arguments, j->piece->host.count * out_height * out_width, from->columns);
}

static int queue_sequence(const job *j) {
    const vb_sequence *sequence = &j->operation->sequence;
    const vb_gpu_place in = operand(j, 0), out = result(j);
    const cl_int cells = j->from->rows, width = j->to->columns, lead = (cl_int)sequence->lead,
                 has_positions = sequence->positions != NULL;
    const vb_gpu_argument arguments[] = {PLACE(in),
                                         PLACE(out),
                                         ARG(cells),
                                         ARG(width),
                                         ARG(lead),
                                         ARG(j->step->weights[VB_GPU_SCALE]),
                                         ARG(j->step->weights[VB_GPU_BIAS]),
                                         ARG(has_positions)};
    return QUEUE_ROWS(j, "sequence", arguments, rows_of_result(j), width);
}

static int queue_constant(const job *j) {
    const vb_constant *constant = &j->operation->constant;
    const vb_gpu_place out = result(j);
    const vb_gpu_argument arguments[] = {ARG(j->step->weights[VB_GPU_MATRIX]), ARG(constant->count), ARG(constant->columns),
                                         PLACE(out)};
    return QUEUE_ROWS(j, "repeat_rows", arguments, rows_of_result(j), constant->columns);
}

/* ---- rows ---- */

static int queue_norm(const job *j) {
    const vb_norm *norm = &j->operation->norm;
    const vb_gpu_place in = operand(j, 0), residual = operand(j, 1), out = result(j);
    const cl_ulong rows = (cl_ulong)rows_of_result(j);
    const cl_int flags = (norm->weight ? VB_GPU_HAS_SCALE : 0) | (norm->bias ? VB_GPU_HAS_BIAS : 0) |
                         (has_operand(j, 1) ? VB_GPU_HAS_RESIDUAL : 0);
    const vb_gpu_argument arguments[] = {PLACE(in),
                                         PLACE(out),
                                         ARG(rows),
                                         ARG(norm->width),
                                         ARG(norm->epsilon),
                                         ARG(flags),
                                         ARG(j->step->weights[VB_GPU_SCALE]),
                                         ARG(j->step->weights[VB_GPU_BIAS]),
                                         PLACE(residual)};
    vb_gpu_launch launch = {.kernel = "norm",
                            .arguments = arguments,
                            .count = sizeof arguments / sizeof *arguments,
                            .groups = {((size_t)rows + NORM_ROWS - 1) / NORM_ROWS, 1, 1},
                            .items = {NORM_PARTS, NORM_ROWS, 1}};
    if (vb_gpu_work_module(j->piece->device, vb_gpu_rows_cl, "", &launch.module, j->err)) return -1;
    return vb_gpu_work_launch(j->piece->device, &launch, j->err);
}

static int queue_excite(const job *j) {
    const vb_gpu_place in = operand(j, 0), factors = operand(j, 1), out = result(j);
    const cl_int activation = (cl_int)j->operation->activation;
    const vb_gpu_argument arguments[] = {PLACE(in),        PLACE(factors),      PLACE(out),
                                         ARG(j->to->rows), ARG(j->to->columns), ARG(activation)};
    return QUEUE_ROWS(j, "excite", arguments, rows_of_result(j), j->to->columns);
}

static int queue_linear(const job *j) {
    const vb_linear *linear = &j->operation->linear;
    vb_gpu_product product = {.rows = (cl_ulong)rows_of_result(j),
                              .columns = (cl_int)linear->weight.rows,
                              .depth = (cl_int)linear->weight.cols,
                              .a = operand(j, 0),
                              .b = j->step->weights[VB_GPU_MATRIX],
                              .type = linear->weight.dtype,
                              .c = result(j),
                              .epilogue = {.scale = weight(j, VB_GPU_SCALE),
                                           .bias = weight(j, VB_GPU_BIAS),
                                           .activation = j->operation->activation,
                                           .ld_gate = (cl_ulong)linear->weight.rows,
                                           .ld_residual = (cl_ulong)linear->weight.rows}};
    if (has_operand(j, 1)) product.epilogue.residual = operand(j, 1);
    if (has_operand(j, 2)) product.epilogue.gate = operand(j, 2);
    return vb_gpu_product_queue(j->piece->device, &product, j->err);
}

static int queue_rotary(const job *j) {
    const vb_rotary *rotary = &j->operation->rotary;
    const vb_rotation *turn = &rotary->rotation;
    const vb_gpu_place in = operand(j, 0), out = result(j);
    const vb_gpu_argument arguments[] = {PLACE(in),
                                         PLACE(out),
                                         ARG(j->to->columns),
                                         ARG(rotary->column),
                                         ARG(turn->head_dim),
                                         ARG(rotary->heads),
                                         ARG(turn->period),
                                         ARG(turn->skipped),
                                         ARG(j->step->weights[VB_GPU_MATRIX]),
                                         ARG(j->step->weights[VB_GPU_SCALE])};
    return QUEUE_ROWS(j, "rotary", arguments, rows_of_result(j), j->to->columns);
}

/* ---- attention ---- */

/* The rows that a work group computes: fewer where scores of many keys would not fit into local memory. 0: not even one fits. */
static int rows_that_fit(const vb_gpu_device *device, int64_t keys, int head_dim) {
    static const int choices[] = {14, 4, 1};
    const size_t have = device->info.local_memory - 2048; /* what the kernel has beside */
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if ((size_t)choices[i] * (size_t)(keys + head_dim + 8) * sizeof(float) <= have) return choices[i];
    return 0;
}

static int launch_attention(const job *j, const vb_gpu_heads *numbers) {
    const vb_heads *heads = &j->operation->heads;
    vb_gpu_device *device = j->piece->device;
    const int rows = rows_that_fit(device, numbers->most_keys, heads->head_dim);
    if (!rows)
        return vb_errorf(j->err, VB_EUNSUPPORTED,
                         "device %s: attention over %lld keys does not fit into its local memory (%llu bytes)", device->info.name,
                         (long long)numbers->most_keys, (unsigned long long)device->info.local_memory);
    vb_gpu_place query = operand(j, 0), key = operand(j, 1), value = operand(j, 2), out = result(j);
    query.at += (cl_ulong)heads->query_column;
    key.at += (cl_ulong)heads->key_column;
    value.at += (cl_ulong)heads->value_column;
    const vb_value *values = j->program->values;
    const cl_ulong ld_query = (cl_ulong)values[j->operation->in[0]].columns,
                   ld_key = (cl_ulong)values[j->operation->in[1]].columns,
                   ld_value = (cl_ulong)values[j->operation->in[2]].columns, ld_out = (cl_ulong)j->to->columns;
    enum { BLOCK = 14 }; /* gpu_attention.cl */
    int sizes;
    const int items = vb_gpu_tiles_attention(&sizes)[device->choice.attention].items;
    const cl_int blocks = (cl_int)((numbers->most_queries + BLOCK - 1) / BLOCK), stride = (cl_int)numbers->most_keys,
                 causal = heads->causal, has_hidden = numbers->hidden != NULL;
    const cl_mem hidden = numbers->hidden ? numbers->hidden : device->nothing,
                 paths = numbers->paths ? numbers->paths : device->nothing;
    const bool aligned = !device->generic && !((key.at | ld_key | (cl_ulong)heads->head_dim) % 4);
    const vb_gpu_argument arguments[] = {PLACE(query),
                                         ARG(ld_query),
                                         PLACE(key),
                                         ARG(ld_key),
                                         PLACE(value),
                                         ARG(ld_value),
                                         PLACE(out),
                                         ARG(ld_out),
                                         ARG(numbers->queries),
                                         ARG(numbers->keys),
                                         ARG(causal),
                                         ARG(has_hidden),
                                         ARG(hidden),
                                         ARG(paths),
                                         ARG(heads->heads),
                                         ARG(blocks),
                                         ARG(heads->head_dim),
                                         ARG(heads->scale),
                                         ARG(stride),
                                         {(size_t)(rows * ((heads->head_dim + 3) / 4 * 4 + stride)) * sizeof(float), NULL}};
    char options[VB_GPU_OPTIONS];
    snprintf(options, sizeof options, "-DROWS=%d -DITEMS=%d%s%s", rows, items, aligned ? " -DALIGNED" : "",
             numbers->paths ? " -DPATHS" : "");
    vb_gpu_launch launch = {.kernel = "attention",
                            .arguments = arguments,
                            .count = sizeof arguments / sizeof *arguments,
                            .groups = {(size_t)j->piece->host.count * (size_t)heads->heads * (size_t)blocks *
                                           (size_t)((BLOCK + rows - 1) / rows),
                                       1, 1},
                            .items = {(size_t)items, 1, 1}};
    if (vb_gpu_work_module(device, vb_gpu_attention_cl, options, &launch.module, j->err)) return -1;
    return vb_gpu_work_launch(device, &launch, j->err);
}

static int queue_attention(const job *j) {
    vb_gpu_heads numbers = {0};
    int status = vb_gpu_heads_put(&numbers, j->piece, j->operation, j->err);
    if (!status) status = launch_attention(j, &numbers);
    vb_gpu_heads_free(&numbers, j->piece->device);
    return status;
}

/* ---- a row an item ---- */

/* One number or two an item, made by `find`, for a kernel (rows of operand 0, the numbers, width, result). */
static int queue_picked(const job *j, const char *kernel, const cl_long *numbers, size_t size) {
    cl_mem picked = NULL;
    int status = put_numbers(j, numbers, size, &picked);
    if (!status) {
        const vb_gpu_place in = operand(j, 0), out = result(j);
        const vb_gpu_argument arguments[] = {PLACE(in), ARG(picked), ARG(j->to->columns), PLACE(out)};
        status = QUEUE_ROWS(j, kernel, arguments, j->piece->host.count, j->to->columns);
    }
    free_numbers(j, &picked, size);
    return status;
}

static int queue_pick(const job *j) {
    const vb_piece *host = &j->piece->host;
    const int value = j->operation->in[0];
    cl_long *rows = vb_array((size_t)host->count, sizeof *rows, "picked rows", j->err);
    if (!rows) return -1;
    for (int64_t i = 0; i < host->count; i++) {
        int64_t at = 0;
        if (j->operation->pick == VB_PICK_LAST)
            at = (by_token(j, 0) ? vb_piece_place(host, i + 1) - vb_piece_place(host, i) : j->from->rows) - 1;
        if (j->operation->pick == VB_PICK_END) at = vb_text_input_end(host->texts, vb_piece_item(host, i));
        rows[i] = by_token(j, 0) ? vb_piece_row(host, i, at) : vb_piece_first_row(host, value, i) + at;
    }
    const int status = queue_picked(j, "pick_rows", rows, (size_t)host->count * sizeof *rows);
    vb_free(rows);
    return status;
}

static int queue_mean(const job *j) {
    const vb_piece *host = &j->piece->host;
    cl_long *rows = vb_array((size_t)host->count, 2 * sizeof *rows, "rows of means", j->err);
    if (!rows) return -1;
    for (int64_t i = 0; i < host->count; i++) {
        rows[2 * i] = vb_piece_first_row(host, j->operation->in[0], i) + j->operation->skip;
        rows[2 * i + 1] = vb_piece_first_row(host, j->operation->in[0], i + 1);
    }
    const int status = queue_picked(j, "mean_rows", rows, (size_t)host->count * 2 * sizeof *rows);
    vb_free(rows);
    return status;
}

static int (*const queue_kind[])(const job *) = {
    [VB_OP_EMBED] = queue_embed,         [VB_OP_PATCHES] = queue_patches,   [VB_OP_CONV] = queue_conv,
    [VB_OP_DEPTHWISE] = queue_depthwise, [VB_OP_EXCITE] = queue_excite,     [VB_OP_POOL] = queue_pool,
    [VB_OP_SEQUENCE] = queue_sequence,   [VB_OP_CONSTANT] = queue_constant, [VB_OP_NORM] = queue_norm,
    [VB_OP_LINEAR] = queue_linear,       [VB_OP_ROTARY] = queue_rotary,     [VB_OP_ATTENTION] = queue_attention,
    [VB_OP_PICK] = queue_pick,           [VB_OP_MEAN] = queue_mean};
static_assert(sizeof queue_kind / sizeof *queue_kind == VB_OP_KINDS, "a function for every kind");

int vb_gpu_operations_queue(const vb_gpu_piece *piece, int index, vb_error *err) {
    const vb_program *program = piece->host.program;
    const vb_operation *operation = &program->operations[index];
    const job j = {.piece = piece,
                   .program = program,
                   .operation = operation,
                   .step = &piece->tower->steps[index],
                   .from = operation->in[0] == VB_NO_VALUE ? NULL : &program->values[operation->in[0]],
                   .to = &program->values[operation->out],
                   .err = err};
    return queue_kind[operation->kind](&j);
}

int vb_gpu_operations_pixels(const vb_gpu_piece *piece, cl_mem bytes, cl_mem values, vb_error *err) {
    const job j = {.piece = piece, .program = piece->host.program, .err = err};
    const cl_int plane = (cl_int)(piece->host.program->picture / 3);
    const vb_gpu_argument arguments[] = {ARG(bytes), ARG(values), ARG(plane), ARG(piece->pixels)};
    return QUEUE_ROWS(&j, "pixels_of_bytes", arguments, 3 * piece->host.count, plane);
}

size_t vb_gpu_operations_scratch(const vb_program *program, int64_t items, int64_t rows, size_t most) {
    size_t wanted = 0;
    for (int i = 0; i < program->count; i++) {
        const vb_operation *operation = &program->operations[i];
        size_t depth = 0, lines = 0;
        if (operation->kind == VB_OP_PATCHES) {
            depth = (size_t)operation->patches.linear.weight.cols;
            lines = (size_t)rows;
        } else if (operation->kind == VB_OP_CONV && !reads_in_place(&operation->conv, &program->values[operation->in[0]])) {
            const vb_value *from = &program->values[operation->in[0]], *to = &program->values[operation->out];
            const bool winograd = vb_winograd_fits(operation->conv.kernel, operation->conv.stride, from->planar);
            depth = winograd ? vb_gpu_winograd_scratch(from->columns, to->columns) : (size_t)operation->conv.weight.cols;
            lines = (size_t)(items * (winograd ? vb_gpu_winograd_tiles(to->height, to->width) : to->rows));
        }
        size_t floats = depth * lines;
        if (floats > most) floats = depth > most ? depth : most;
        if (floats > wanted) wanted = floats;
    }
    return wanted;
}
