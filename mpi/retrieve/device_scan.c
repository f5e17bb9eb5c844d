/* Whether the device is used, and windows of rows for it. */
#include "mpi/retrieve/device_scan.h"

#include <stdio.h>

#include "kernels/base/memory.h"
#include "mpi/base/device.h"

/* A device that cannot do it is not used, whatever the reason: the lists are the same. */
static bool pays(vb_gpu_device *device, int share, const vb_device_scan_job *job) {
    vb_error ignored;
    double here, there;
    if (vb_gpu_device_facts(device)->processor) return true;
    if (job->count < VB_DEVICE_SCAN_QUERIES) return false;
    if (vb_scan_device_measure(device, job->queries, job->count, job->corpus->dim, job->similarity, &here, &there, &ignored))
        return false;
    return there * share < here;
}

int vb_device_scan_open(vb_device_scan *its, const vb_device_scan_job *job, vb_error *err) {
    vb_gpu_device *device = vb_device_for_decisions(job->context);
    *its = (vb_device_scan){.context = job->context, .corpus = job->corpus};
    if (!device) return 0;
    const int share = job->context->device->share;
    const int64_t row = (int64_t)job->corpus->dim * (int64_t)sizeof(float);
    int64_t rows = VB_DEVICE_SCAN_WINDOW / row;
    while (rows && 2 * rows * row + (int64_t)vb_scan_device_bytes(job->count, job->top_k, rows) > job->memory) rows /= 2;
    if (rows < VB_DEVICE_SCAN_LEAST || !pays(device, share, job)) return 0;
    vb_error why;
    if (vb_scan_device_new(&its->search, job->scan, device, rows, share, &why)) {
        vb_scan_device_free(its->search);
        its->search = NULL;
        return 0;
    }
    its->window_bytes = rows * row;
    for (int i = 0; i < 2; i++)
        if (!(its->windows[i] = vb_buffer((size_t)its->window_bytes, 1, "window of a corpus", err))) return -1;
    return 0;
}

void vb_device_scan_close(vb_device_scan *its) {
    vb_scan_device_free(its->search);
    its->search = NULL;
    for (int i = 0; i < 2; i++) {
        vb_free(its->windows[i]);
        its->windows[i] = NULL;
    }
}

int64_t vb_device_scan_rows(const vb_device_scan *its) { return its->search ? vb_scan_device_searched(its->search) : 0; }

int vb_device_scan_block(vb_device_scan *its, vb_corpus_reader *reader, const vb_corpus_block *block, int64_t *bytes_read,
                         vb_error *err) {
    const vb_corpus_part *part = &its->corpus->parts[block->part];
    const int64_t row = (int64_t)its->corpus->dim * (int64_t)vb_dtype_size(part->dtype);
    int status = 0;
    for (int64_t at = 0, step; at < block->rows && !status; at += step) {
        step = its->window_bytes / row;
        if (step > vb_scan_device_most(its->search)) step = vb_scan_device_most(its->search);
        if (step > block->rows - at) step = block->rows - at;
        unsigned char *window = its->windows[its->turn];
        its->turn = !its->turn;
        status = vb_corpus_read_rows(reader, block->part, block->first + at, step, window, err);
        if (!status) status = vb_scan_device_rows(its->search, window, part->dtype, step, part->first + block->first + at, err);
        *bytes_read += step * row;
    }
    if (!status) status = vb_scan_device_end(its->search, err);
    if (!its->told && vb_scan_device_lost(its->search)[0]) {
        fprintf(stderr, "vocabench: note: rank %d searches on with the CPU: %s\n", its->context->comm.world_rank,
                vb_scan_device_lost(its->search));
        its->told = true;
    }
    return status;
}
