/* Writing a tower's list of operations, placing its values in the work space, and the totals that follow from the list. */
#include "kernels/towers/program.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/depthwise.h"
#include "kernels/matrix/winograd.h"

/* ---- memory ---- */

void *vb_program_memory(vb_program *program, size_t count, size_t size, const char *what, vb_error *err) {
    void *list = program->owned;
    if (vb_grow(&list, &program->owned_capacity, program->owned_count + 1, sizeof *program->owned, "list of the model's memory",
                err))
        return NULL;
    program->owned = list;
    program->owned_bytes += count * size; /* should that overflow, there is no memory either */
    return program->owned[program->owned_count++] = vb_array(count, size, what, err);
}

void vb_program_close(vb_program *program) {
    for (size_t i = 0; i < program->owned_count; i++) vb_free(program->owned[i]);
    vb_free(program->owned);
    vb_free(program->operations);
    vb_free(program->values);
    *program = (vb_program){0};
}

/* ---- writing ---- */

static int add_value(vb_program *program, const vb_value *value, vb_error *err) {
    void *list = program->values;
    if (vb_grow(&list, &program->value_capacity, (size_t)program->value_count + 1, sizeof *value, "values of a tower", err))
        return VB_NO_VALUE;
    program->values = list;
    vb_value *slot = &program->values[program->value_count];
    *slot = *value;
    slot->made = slot->last_use = -1;
    return program->value_count++;
}

/* The operation slot `count`, zeroed but for whether it opens a layer; NULL for lack of memory. */
static vb_operation *next_slot(vb_program *program, vb_error *err) {
    void *list = program->operations;
    if (vb_grow(&list, &program->capacity, (size_t)program->count + 1, sizeof *program->operations, "operations of a tower", err))
        return NULL;
    program->operations = list;
    return &program->operations[program->count];
}

/* Appends an operation whose operands are 0 .. value_count - 1 or VB_NO_VALUE, and the value that it makes. */
static int append(vb_program *program, vb_operation operation, const vb_value *made, vb_error *err) {
    vb_operation *slot = program->failed ? NULL : next_slot(program, err);
    int out = slot ? add_value(program, made, err) : VB_NO_VALUE;
    program->failed = out == VB_NO_VALUE;
    if (program->failed) return VB_NO_VALUE;
    assert(made->rows >= 0 && made->columns > 0);
    for (int i = 0; i < VB_OPERANDS; i++) {
        assert(operation.in[i] >= VB_NO_VALUE && operation.in[i] < out);
        if (operation.in[i] != VB_NO_VALUE) program->values[operation.in[i]].last_use = program->count;
    }
    operation.out = out;
    program->values[out].made = program->values[out].last_use = program->count;
    operation.opens_layer = slot->opens_layer;
    *slot = operation;
    program->count++;
    return out;
}

int vb_program_pixels(vb_program *program, int resolution, vb_error *err) {
    assert(!program->value_count && resolution > 0);
    program->picture = 3 * (size_t)resolution * (size_t)resolution;
    const vb_value pixels = {
        .rows = resolution * resolution, .columns = 3, .height = resolution, .width = resolution, .planar = true};
    return add_value(program, &pixels, err);
}

int vb_program_patches(vb_program *program, int most_patches, const vb_patches *patches, vb_error *err) {
    const int inputs = 3 * patches->patch * patches->patch;
    assert(!program->value_count && most_patches > 0 && patches->linear.weight.cols == inputs);
    program->picture = (size_t)most_patches * (size_t)inputs;
    program->most_patches = program->text_rows = most_patches;
    const vb_value pixels = {.rows = VB_ROW_A_TOKEN, .columns = inputs, .planar = true},
                   rows = {.rows = VB_ROW_A_TOKEN, .columns = (int)patches->linear.weight.rows};
    const int in = add_value(program, &pixels, err);
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_operation operation = {.kind = VB_OP_PATCHES, .in = {in, VB_NO_VALUE, VB_NO_VALUE}, .patches = *patches};
    return append(program, operation, &rows, err);
}

int vb_program_embed(vb_program *program, const vb_embed *embed, vb_error *err) {
    assert(!program->value_count && embed->context_length > 0);
    program->context_length = embed->context_length;
    program->text_rows = embed->context_length + (embed->class_row != NULL);
    program->vocabulary_size = (int)embed->table.rows;
    program->whole_texts = embed->whole;
    program->padded_texts = embed->padded;
    program->pad_token = embed->pad_token;
    assert(!embed->picture || (embed->whole && !embed->class_row));
    vb_value rows = {.rows = VB_ROW_A_TOKEN, .columns = (int)embed->table.cols};
    if (embed->picture) {
        rows.rows = rows.width = embed->context_length;
        rows.height = 1;
    }
    const vb_operation operation = {.kind = VB_OP_EMBED, .in = {VB_NO_VALUE, VB_NO_VALUE, VB_NO_VALUE}, .embed = *embed};
    return append(program, operation, &rows, err);
}

/* Whether a value can stand beside one that is made: none, or one of the same shape. */
static bool fits(const vb_program *program, int beside, const vb_value *made) {
    if (beside == VB_NO_VALUE) return true;
    const vb_value *value = &program->values[beside];
    return value->rows == made->rows && value->columns == made->columns;
}

/* The picture that windows of another one make: a pixel each. */
static vb_value picture_of(const vb_value *from, const vb_window *window, int columns) {
    const int height = vb_conv_windows(window, from->height), width = vb_conv_windows(window, from->width);
    assert(from->height > 0 && height > 0 && width > 0);
    return (vb_value){.rows = height * width, .columns = columns, .height = height, .width = width};
}

int vb_program_conv(vb_program *program, int in, const vb_convolution *conv, int residual, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value *from = &program->values[in];
    const vb_window window = {.size = conv->kernel, .stride = conv->stride, .padding = conv->padding};
    const vb_value made = picture_of(from, &window, (int)conv->weight.rows);
    assert(conv->weight.cols == (int64_t)from->columns * conv->kernel * conv->kernel && fits(program, residual, &made));
    return append(program, (vb_operation){.kind = VB_OP_CONV, .in = {in, residual, VB_NO_VALUE}, .conv = *conv}, &made, err);
}

int vb_program_depthwise(vb_program *program, int in, const vb_channel_filter *filter, int residual, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value *from = &program->values[in];
    const vb_window window = {.size = filter->kernel, .stride = filter->stride, .padding = filter->padding};
    const vb_value made = picture_of(from, &window, from->columns * filter->times);
    assert(!from->planar && filter->kernel <= VB_DEPTHWISE_KERNEL && fits(program, residual, &made));
    const vb_operation operation = {.kind = VB_OP_DEPTHWISE, .in = {in, residual, VB_NO_VALUE}, .filter = *filter};
    return append(program, operation, &made, err);
}

int vb_program_pool(vb_program *program, int in, const vb_window *window, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value *from = &program->values[in];
    const vb_value made = picture_of(from, window, from->columns);
    assert(!from->planar);
    const vb_operation operation = {.kind = VB_OP_POOL, .in = {in, VB_NO_VALUE, VB_NO_VALUE}, .window = *window};
    return append(program, operation, &made, err);
}

int vb_program_pool_all(vb_program *program, int in, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const int side = program->values[in].height;
    assert(side > 0 && program->values[in].width == side);
    return vb_program_pool(program, in, &(vb_window){.size = side, .stride = side}, err);
}

int vb_program_excite(vb_program *program, int in, int factors, vb_activation activation, vb_error *err) {
    if (in == VB_NO_VALUE || factors == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value *from = &program->values[in];
    const vb_value made = {.rows = from->rows, .columns = from->columns, .height = from->height, .width = from->width};
    assert(from->rows > 0 && program->values[factors].rows == 1 && program->values[factors].columns == from->columns);
    const vb_operation operation = {.kind = VB_OP_EXCITE, .in = {in, factors, VB_NO_VALUE}, .activation = activation};
    return append(program, operation, &made, err);
}

int vb_program_sequence(vb_program *program, int in, const vb_sequence *sequence, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value *from = &program->values[in];
    assert(from->rows > 0 && (sequence->lead == VB_LEAD_NONE || sequence->row));
    const vb_value made = {.rows = from->rows + (sequence->lead != VB_LEAD_NONE), .columns = from->columns};
    const vb_operation operation = {.kind = VB_OP_SEQUENCE, .in = {in, VB_NO_VALUE, VB_NO_VALUE}, .sequence = *sequence};
    return append(program, operation, &made, err);
}

static int add_norm(vb_program *program, int in, const vb_norm *norm, int residual, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value *from = &program->values[in];
    const vb_value made = {.rows = from->rows, .columns = from->columns, .height = from->height, .width = from->width};
    assert(norm->width == made.columns && residual != in && fits(program, residual, &made));
    return append(program, (vb_operation){.kind = VB_OP_NORM, .in = {in, residual, VB_NO_VALUE}, .norm = *norm}, &made, err);
}

int vb_program_norm(vb_program *program, int in, const vb_norm *norm, vb_error *err) {
    return add_norm(program, in, norm, VB_NO_VALUE, err);
}

int vb_program_post_norm(vb_program *program, int in, const vb_norm *norm, int residual, vb_error *err) {
    return residual == VB_NO_VALUE ? VB_NO_VALUE : add_norm(program, in, norm, residual, err);
}

static int add_linear(vb_program *program, const int operands[VB_OPERANDS], const vb_linear *linear, vb_activation activation,
                      vb_error *err) {
    const int in = operands[0], residual = operands[1], gate = operands[2];
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value *from = &program->values[in];
    const vb_value made = {.rows = from->rows, .columns = (int)linear->weight.rows, .height = from->height, .width = from->width};
    assert(linear->weight.cols == from->columns && !from->planar);
    assert(fits(program, residual, &made) && fits(program, gate, &made));
    const vb_operation operation = {.kind = VB_OP_LINEAR,
                                    .in = {in, residual, gate},
                                    .activation = activation,
                                    .linear = *linear};
    return append(program, operation, &made, err);
}

int vb_program_linear(vb_program *program, int in, const vb_linear *linear, vb_activation activation, int residual,
                      vb_error *err) {
    return add_linear(program, (const int[VB_OPERANDS]){in, residual, VB_NO_VALUE}, linear, activation, err);
}

int vb_program_gated(vb_program *program, int in, const vb_linear *linear, vb_activation activation, int gate, vb_error *err) {
    if (gate == VB_NO_VALUE) return VB_NO_VALUE;
    return add_linear(program, (const int[VB_OPERANDS]){in, VB_NO_VALUE, gate}, linear, activation, err);
}

int vb_program_rotary(vb_program *program, int in, const vb_rotary *rotary, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value made = {.rows = program->values[in].rows, .columns = program->values[in].columns};
    assert(rotary->rotation.period == made.rows && rotary->column >= 0);
    assert(rotary->column + rotary->heads * rotary->rotation.head_dim <= made.columns);
    return append(program, (vb_operation){.kind = VB_OP_ROTARY, .in = {in, VB_NO_VALUE, VB_NO_VALUE}, .rotary = *rotary}, &made,
                  err);
}

int vb_program_attention(vb_program *program, const int operands[VB_OPERANDS], const vb_heads *heads, vb_error *err) {
    const int columns[VB_OPERANDS] = {heads->query_column, heads->key_column, heads->value_column},
              width = heads->heads * heads->head_dim;
    vb_operation operation = {.kind = VB_OP_ATTENTION, .heads = *heads};
    for (int i = 0; i < VB_OPERANDS; i++) {
        if (operands[i] == VB_NO_VALUE) return VB_NO_VALUE;
        assert(columns[i] >= 0 && columns[i] + width <= program->values[operands[i]].columns);
        operation.in[i] = operands[i];
    }
    assert(program->values[operands[1]].rows == program->values[operands[2]].rows);
    const vb_value *from = &program->values[operands[0]];
    const vb_value made = {.rows = from->rows, .columns = width, .height = from->height, .width = from->width};
    return append(program, operation, &made, err);
}

int vb_program_pick(vb_program *program, int in, vb_pick pick, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value made = {.rows = 1, .columns = program->values[in].columns};
    return append(program, (vb_operation){.kind = VB_OP_PICK, .in = {in, VB_NO_VALUE, VB_NO_VALUE}, .pick = pick}, &made, err);
}

int vb_program_mean(vb_program *program, int in, int skip, vb_error *err) {
    if (in == VB_NO_VALUE) return VB_NO_VALUE;
    const vb_value *from = &program->values[in], made = {.rows = 1, .columns = from->columns};
    assert(from->rows == VB_ROW_A_TOKEN ? !skip : skip >= 0 && skip < from->rows);
    return append(program, (vb_operation){.kind = VB_OP_MEAN, .in = {in, VB_NO_VALUE, VB_NO_VALUE}, .skip = skip}, &made, err);
}

int vb_program_constant(vb_program *program, const vb_constant *constant, vb_error *err) {
    assert(program->value_count && constant->rows && constant->count > 0);
    const vb_value made = {.rows = constant->count, .columns = constant->columns};
    const vb_operation operation = {.kind = VB_OP_CONSTANT, .in = {VB_NO_VALUE, VB_NO_VALUE, VB_NO_VALUE}, .constant = *constant};
    return append(program, operation, &made, err);
}

int vb_program_open_layer(vb_program *program, vb_error *err) {
    vb_operation *slot = next_slot(program, err);
    if (!slot) return -1;
    slot->opens_layer = true;
    program->layers++;
    return 0;
}

/* ---- work space ---- */

static size_t floats_of(const vb_value *value) {
    return (size_t)value->columns * (value->rows == VB_ROW_A_TOKEN ? 1 : (size_t)value->rows);
}

/* The operand that operation `index` replaces by what it makes, in place; VB_NO_VALUE: none. */
static int replaced(const vb_program *program, int index) {
    const vb_operation *operation = &program->operations[index];
    const int *in = operation->in;
    int from = VB_NO_VALUE;
    if (operation->kind == VB_OP_NORM || operation->kind == VB_OP_ROTARY || operation->kind == VB_OP_EXCITE) from = in[0];
    if ((operation->kind == VB_OP_LINEAR || operation->kind == VB_OP_CONV || operation->kind == VB_OP_DEPTHWISE) &&
        in[1] != in[0])
        from = in[1];
    if (operation->kind == VB_OP_LINEAR && in[1] == VB_NO_VALUE && in[2] != in[0]) from = in[2];
    bool needed = from != VB_NO_VALUE && program->values[from].last_use > index;
    return needed || (from == 0 && program->picture) ? VB_NO_VALUE : from;
}

/* Finds the values that replace each other in place, and until when each such chain is needed. */
static void chain_values(vb_program *program) {
    for (int v = 0; v < program->value_count; v++) {
        vb_value *value = &program->values[v];
        int from = value->made < 0 ? VB_NO_VALUE : replaced(program, value->made);
        value->shares = from == VB_NO_VALUE || v == program->result ? v : program->values[from].shares;
        vb_value *first = &program->values[value->shares];
        if (first == value || value->last_use > first->needed_until) first->needed_until = value->last_use;
    }
}

/* Input and result lie elsewhere; of a chain the first value stands for all. */
static bool wants_place(const vb_program *program, int v) {
    return program->values[v].made >= 0 && v != program->result && program->values[v].shares == v;
}

/* Whether two values are needed at the same time, in the same part of the work space. */
static bool compete(const vb_value *a, const vb_value *b) {
    return (a->rows == VB_ROW_A_TOKEN) == (b->rows == VB_ROW_A_TOKEN) && a->made <= b->needed_until && b->made <= a->needed_until;
}

/* The lowest place for value v beside those that are placed already. */
static size_t find_place(const vb_program *program, int v, const bool *placed) {
    size_t place = 0, size = floats_of(&program->values[v]);
    for (int other = 0; other < program->value_count; other++) {
        const vb_value *other_value = &program->values[other];
        if (!placed[other] || !compete(other_value, &program->values[v])) continue;
        if (other_value->place >= place + size || other_value->place + floats_of(other_value) <= place) continue;
        place = other_value->place + floats_of(other_value);
        other = -1; /* once more, from there */
    }
    return place;
}

/* The largest values first: the small ones then fill the gaps. */
static void place_values(vb_program *program, bool *placed) {
    for (;;) {
        int next = VB_NO_VALUE;
        for (int v = 0; v < program->value_count; v++)
            if (!placed[v] && wants_place(program, v) &&
                (next == VB_NO_VALUE || floats_of(&program->values[v]) > floats_of(&program->values[next])))
                next = v;
        if (next == VB_NO_VALUE) return;
        program->values[next].place = find_place(program, next, placed);
        placed[next] = true;
    }
}

int vb_program_finish(vb_program *program, int result, vb_error *err) {
    if (result == VB_NO_VALUE || program->failed) return -1;
    bool *placed = vb_array((size_t)program->value_count, sizeof *placed, "marks of a tower's values", err);
    if (!placed) return -1;
    assert(program->values[result].rows == 1);
    program->result = result;
    chain_values(program);
    place_values(program, placed);
    for (int v = 0; v < program->value_count; v++) {
        vb_value *value = &program->values[v];
        if (value->made < 0 || v == result) continue;
        value->place = program->values[value->shares].place;
        size_t *total = value->rows == VB_ROW_A_TOKEN ? &program->floats_a_token : &program->floats_an_item;
        if (value->place + floats_of(value) > *total) *total = value->place + floats_of(value);
    }
    vb_free(placed);
    return 0;
}

size_t vb_program_floats(const vb_program *program, int64_t items, int64_t tokens) {
    return (size_t)items * program->floats_an_item + (size_t)tokens * program->floats_a_token;
}

bool vb_program_is_causal(const vb_program *program) {
    if (program->picture) return false;
    for (int i = 0; i < program->count; i++) {
        const vb_operation *operation = &program->operations[i];
        switch (operation->kind) {
        case VB_OP_EMBED:
            if (operation->embed.picture) return false;
            break;
        case VB_OP_ATTENTION:
            if (!operation->heads.causal) return false;
            break;
        case VB_OP_NORM:
        case VB_OP_LINEAR:
        case VB_OP_PICK: break;
        default: return false; /* mixes rows, or nobody has looked at it */
        }
    }
    return program->count > 0;
}

/* ---- totals ---- */

bool vb_program_has_winograd(const vb_program *program) {
    for (int i = 0; i < program->count; i++) {
        const vb_operation *operation = &program->operations[i];
        if (operation->kind == VB_OP_CONV &&
            vb_winograd_fits(operation->conv.kernel, operation->conv.stride, program->values[operation->in[0]].planar))
            return true;
    }
    return false;
}

static double rows_of(const vb_value *value, int tokens) { return value->rows == VB_ROW_A_TOKEN ? tokens : value->rows; }

static double flops_of(const vb_program *program, const vb_operation *operation, int tokens) {
    if (program->whole_texts) tokens = program->text_rows;
    double rows = rows_of(&program->values[operation->out], tokens);
    if (operation->kind == VB_OP_PATCHES)
        return 2 * rows * (double)operation->patches.linear.weight.rows * (double)operation->patches.linear.weight.cols;
    if (operation->kind == VB_OP_LINEAR)
        return 2 * rows * (double)operation->linear.weight.rows * (double)operation->linear.weight.cols;
    if (operation->kind == VB_OP_CONV)
        return 2 * rows * (double)operation->conv.weight.rows * (double)operation->conv.weight.cols;
    if (operation->kind == VB_OP_DEPTHWISE)
        return 2 * rows * program->values[operation->out].columns * operation->filter.kernel * operation->filter.kernel;
    if (operation->kind != VB_OP_ATTENTION) return 0;
    double keys = rows_of(&program->values[operation->in[1]], tokens), width = program->values[operation->out].columns;
    /* The last query sees every key, the one before it one less, and so on. */
    double pairs = operation->heads.causal ? rows * keys - rows * (rows - 1) / 2 : rows * keys;
    return 4 * pairs * width; /* scores, and the sum of the values */
}

double vb_program_operation_flops(const vb_program *program, int index, int tokens) {
    assert(index >= 0 && index < program->count);
    return flops_of(program, &program->operations[index], tokens);
}

double vb_program_flops(const vb_program *program, int tokens) {
    double sum = 0;
    for (int i = 0; i < program->count; i++) sum += vb_program_operation_flops(program, i, tokens);
    return sum;
}

static size_t matrix_bytes(const vb_matrix *matrix) {
    return (size_t)(matrix->rows * matrix->cols) * vb_dtype_size(matrix->dtype);
}

static size_t weight_bytes_of(const vb_program *program, const vb_operation *operation) {
    const vb_value *made = &program->values[operation->out];
    const size_t columns = (size_t)made->columns * sizeof(float);
    switch (operation->kind) {
    case VB_OP_EMBED:
        return matrix_bytes(&operation->embed.table) + (size_t)program->text_rows * columns +
               (operation->embed.class_row != NULL) * columns;
    case VB_OP_PATCHES:
        return matrix_bytes(&operation->patches.linear.weight) +
               (1 + (size_t)operation->patches.side * (size_t)operation->patches.side) * columns;
    case VB_OP_CONV:
        return matrix_bytes(&operation->conv.weight) +
               ((operation->conv.scale != NULL) + (operation->conv.bias != NULL)) * columns;
    case VB_OP_DEPTHWISE:
        return ((size_t)(operation->filter.kernel * operation->filter.kernel) + (operation->filter.bias != NULL)) * columns;
    case VB_OP_SEQUENCE: {
        const vb_sequence *sequence = &operation->sequence;
        return ((sequence->row != NULL) + (sequence->positions ? (size_t)program->values[operation->in[0]].rows : 0)) * columns;
    }
    case VB_OP_CONSTANT: return (size_t)made->rows * columns;
    case VB_OP_NORM: return 2 * columns;
    case VB_OP_ROTARY: {
        const vb_rotation *rotation = &operation->rotary.rotation;
        return 2 * (size_t)(rotation->period - rotation->skipped) * (size_t)rotation->head_dim * sizeof(float);
    }
    case VB_OP_LINEAR:
        return matrix_bytes(&operation->linear.weight) +
               ((operation->linear.bias != NULL) + (operation->linear.scale != NULL)) * columns;
    default: return 0;
    }
}

size_t vb_program_weight_bytes(const vb_program *program) {
    size_t sum = 0;
    for (int i = 0; i < program->count; i++) sum += weight_bytes_of(program, &program->operations[i]);
    return sum;
}

/* ---- for people ---- */

static void print_shape(const vb_program *program, int index, char *text, size_t size) {
    const vb_value *value = &program->values[index];
    if (value->height) snprintf(text, size, "%d x %d x %d", value->height, value->width, value->columns);
    else if (value->rows == VB_ROW_A_TOKEN)
        snprintf(text, size, "%s x %d", program->picture ? "patches" : "tokens", value->columns);
    else snprintf(text, size, "%d x %d", value->rows, value->columns);
}

static void print_details(const vb_operation *operation, char *text, size_t size) {
    static const char *const activations[] = {"", ", QuickGELU", ", GELU", ", tanh GELU", ", SiLU", ", ReLU", ", sigmoid"};
    static const char *const leads[] = {"no leading row", "class row", "mean row"}, *const picks[] = {"first", "last", "end"};
    const char *residual = operation->in[1] == VB_NO_VALUE ? "" : ", residual";
    *text = 0;
    if (operation->kind == VB_OP_EMBED) snprintf(text, size, "%lld tokens", (long long)operation->embed.table.rows);
    if (operation->kind == VB_OP_PATCHES)
        snprintf(text, size, "of %d x %d pixels, %d x %d positions", operation->patches.patch, operation->patches.patch,
                 operation->patches.side, operation->patches.side);
    if (operation->kind == VB_OP_CONV)
        snprintf(text, size, "%d x %d, stride %d%s%s", operation->conv.kernel, operation->conv.kernel, operation->conv.stride,
                 residual, activations[operation->conv.last]);
    if (operation->kind == VB_OP_DEPTHWISE)
        snprintf(text, size, "%d x %d, stride %d%s%s", operation->filter.kernel, operation->filter.kernel,
                 operation->filter.stride, residual, activations[operation->filter.last]);
    if (operation->kind == VB_OP_POOL)
        snprintf(text, size, "%d x %d, stride %d", operation->window.size, operation->window.size, operation->window.stride);
    if (operation->kind == VB_OP_EXCITE) snprintf(text, size, "%s", activations[operation->activation]);
    if (operation->kind == VB_OP_SEQUENCE) snprintf(text, size, "%s", leads[operation->sequence.lead]);
    if (operation->kind == VB_OP_NORM) snprintf(text, size, "%s", residual);
    if (operation->kind == VB_OP_LINEAR)
        snprintf(text, size, "%s%s%s", activations[operation->activation], operation->in[2] == VB_NO_VALUE ? "" : ", gate",
                 residual);
    if (operation->kind == VB_OP_ROTARY)
        snprintf(text, size, "%d heads of %d", operation->rotary.heads, operation->rotary.rotation.head_dim);
    if (operation->kind == VB_OP_ATTENTION)
        snprintf(text, size, "%d heads of %d%s", operation->heads.heads, operation->heads.head_dim,
                 operation->heads.causal ? ", causal" : "");
    if (operation->kind == VB_OP_PICK) snprintf(text, size, "%s row", picks[operation->pick]);
    if (operation->kind == VB_OP_MEAN && operation->skip) snprintf(text, size, "behind %d", operation->skip);
    if (!strncmp(text, ", ", 2)) memmove(text, text + 2, strlen(text + 2) + 1);
}

void vb_program_print(const vb_program *program, int index, int tokens, char *text, size_t size) {
    static const char *const kinds[] = {"embed", "patches", "conv",   "depthwise", "pool",      "sequence", "constant",
                                        "norm",  "excite",  "linear", "rotary",    "attention", "pick",     "mean"};
    static_assert(sizeof kinds / sizeof *kinds == VB_OP_KINDS, "a word for each kind of operation");
    assert(index >= 0 && index < program->count);
    const vb_operation *operation = &program->operations[index];
    char in[64], out[64], details[64];
    snprintf(in, sizeof in, "%s", operation->kind == VB_OP_EMBED ? "tokens" : "");
    if (operation->in[0] != VB_NO_VALUE) print_shape(program, operation->in[0], in, sizeof in);
    print_shape(program, operation->out, out, sizeof out);
    print_details(operation, details, sizeof details);
    snprintf(text, size, "%-10s %-18s -> %-18s %8.3f GFLOP%s%s", kinds[operation->kind], in, out,
             1e-9 * vb_program_operation_flops(program, index, tokens), *details ? "  " : "", details);
}
