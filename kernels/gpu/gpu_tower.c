/* Uploading weights as they are stored, rows without gaps. */
#include "kernels/gpu/gpu_tower.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_winograd.h"
#include "kernels/matrix/winograd.h"

int vb_gpu_tower_type(vb_dtype dtype) { return dtype == VB_F32 ? 0 : dtype == VB_F16 ? 1 : 2; }

typedef struct upload {
    vb_gpu_device *device;
    vb_gpu_step *step;
    vb_error *err;
    int status;
} upload;

static void put_bytes(upload *up, vb_gpu_weight which, const void *bytes, size_t size) {
    if (up->status || !bytes) return;
    up->status = vb_gpu_work_copy(up->device, bytes, size, &up->step->weights[which], up->err);
    if (!up->status) up->step->bytes[which] = size;
}

static void put_floats(upload *up, vb_gpu_weight which, const float *data, int64_t count) {
    put_bytes(up, which, data, (size_t)count * sizeof *data);
}

static void put_matrix(upload *up, const vb_matrix *m) {
    const size_t element = vb_dtype_size(m->dtype), size = (size_t)(m->rows * m->cols) * element;
    if (m->col_stride == 1 && m->row_stride == m->cols) {
        put_bytes(up, VB_GPU_MATRIX, m->data, size);
        return;
    }
    if (up->status) return;
    char *rows = vb_buffer(size, 1, "weights without gaps", up->err), *to = rows;
    if (!rows) {
        up->status = -1;
        return;
    }
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++, to += element)
            memcpy(to, (const char *)m->data + (i * m->row_stride + j * m->col_stride) * (int64_t)element, element);
    put_bytes(up, VB_GPU_MATRIX, rows, size);
    vb_free(rows);
}

static void put_filters(upload *up, const vb_convolution *conv, bool planar) {
    if (!vb_winograd_fits(conv->kernel, conv->stride, planar)) {
        put_matrix(up, &conv->weight);
        return;
    }
    if (up->status) return;
    float *factors = vb_gpu_winograd_factors(&conv->weight, up->err);
    if (!factors) up->status = -1;
    else put_floats(up, VB_GPU_MATRIX, factors, VB_WINOGRAD_POINTS * conv->weight.rows * (conv->weight.cols / 9));
    vb_free(factors);
}

static void put_embed(upload *up, const vb_embed *embed) {
    const int64_t width = embed->table.cols;
    put_matrix(up, &embed->table);
    put_floats(up, VB_GPU_SCALE, embed->class_row, width);
    put_floats(up, VB_GPU_BIAS, embed->positions, (embed->context_length + (embed->class_row != NULL)) * width);
}

static void put_operation(upload *up, const vb_program *program, const vb_operation *operation) {
    const int64_t columns = program->values[operation->out].columns;
    switch (operation->kind) {
    case VB_OP_EMBED: put_embed(up, &operation->embed); break;
    case VB_OP_PATCHES:
        put_matrix(up, &operation->patches.linear.weight);
        put_floats(up, VB_GPU_BIAS, operation->patches.linear.bias, columns);
        break;
    case VB_OP_CONV:
        put_filters(up, &operation->conv, program->values[operation->in[0]].planar);
        put_floats(up, VB_GPU_SCALE, operation->conv.scale, columns);
        put_floats(up, VB_GPU_BIAS, operation->conv.bias, columns);
        break;
    case VB_OP_DEPTHWISE:
        put_floats(up, VB_GPU_MATRIX, operation->filter.weight, columns * operation->filter.kernel * operation->filter.kernel);
        put_floats(up, VB_GPU_BIAS, operation->filter.bias, columns);
        break;
    case VB_OP_SEQUENCE:
        if (operation->sequence.lead != VB_LEAD_NONE) put_floats(up, VB_GPU_SCALE, operation->sequence.row, columns);
        put_floats(up, VB_GPU_BIAS, operation->sequence.positions, program->values[operation->in[0]].rows * columns);
        break;
    case VB_OP_CONSTANT: put_floats(up, VB_GPU_MATRIX, operation->constant.rows, operation->constant.count * columns); break;
    case VB_OP_NORM:
        put_floats(up, VB_GPU_SCALE, operation->norm.weight, columns);
        put_floats(up, VB_GPU_BIAS, operation->norm.bias, columns);
        break;
    case VB_OP_LINEAR:
        put_matrix(up, &operation->linear.weight);
        put_floats(up, VB_GPU_SCALE, operation->linear.scale, columns);
        put_floats(up, VB_GPU_BIAS, operation->linear.bias, columns);
        break;
    case VB_OP_ROTARY: {
        const vb_rotation *turn = &operation->rotary.rotation;
        put_floats(up, VB_GPU_MATRIX, turn->straight, (int64_t)(turn->period - turn->skipped) * turn->head_dim);
        put_floats(up, VB_GPU_SCALE, turn->crossed, (int64_t)(turn->period - turn->skipped) * turn->head_dim);
        break;
    }
    case VB_OP_POOL:
    case VB_OP_EXCITE:
    case VB_OP_ATTENTION:
    case VB_OP_PICK:
    case VB_OP_MEAN:
    case VB_OP_KINDS: break;
    }
}

int vb_gpu_tower_open(vb_gpu_tower *tower, vb_gpu_device *device, const vb_program *program, vb_error *err) {
    *tower = (vb_gpu_tower){.program = program};
    if (!(tower->steps = vb_array((size_t)program->count, sizeof *tower->steps, "weights on a device", err))) return -1;
    for (int i = 0; i < program->count; i++) {
        upload up = {.device = device, .step = &tower->steps[i], .err = err};
        put_operation(&up, program, &program->operations[i]);
        for (int w = 0; w < VB_GPU_WEIGHTS; w++) {
            tower->bytes += tower->steps[i].bytes[w];
            if (!tower->steps[i].bytes[w]) tower->steps[i].weights[w] = device->nothing;
        }
        if (up.status)
            return vb_error_prefix(err, "the model's weights (%zu bytes) do not fit", vb_program_weight_bytes(program));
    }
    return 0;
}

void vb_gpu_tower_close(vb_gpu_tower *tower, vb_gpu_device *device) {
    for (int i = 0; tower->steps && i < tower->program->count; i++)
        for (int w = 0; w < VB_GPU_WEIGHTS; w++)
            if (tower->steps[i].bytes[w]) vb_gpu_work_release(device, &tower->steps[i].weights[w], tower->steps[i].bytes[w]);
    vb_free(tower->steps);
    *tower = (vb_gpu_tower){0};
}
