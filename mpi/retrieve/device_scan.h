/* A rank's device in a scan of a corpus: beside the other threads, which take blocks as they come, the first one has it search
 * its blocks (kernels/search/scan_device.h). */
#ifndef VB_DEVICE_SCAN_H
#define VB_DEVICE_SCAN_H

#include "kernels/search/scan_device.h"
#include "mpi/ranks/context.h"
#include "shards/embeddings/corpus.h"

enum {
    VB_DEVICE_SCAN_QUERIES = 16,      /* for fewer, reading the rows is most of the work */
    VB_DEVICE_SCAN_WINDOW = 16 << 20, /* bytes of rows at once, at most; */
    VB_DEVICE_SCAN_LEAST = 64         /* rows at least */
};

typedef struct vb_device_scan {
    vb_scan_device *search; /* NULL: there is no device, or it is not used */
    const vb_context *context;
    const vb_corpus *corpus;
    unsigned char *windows[2];
    int64_t window_bytes;
    int turn;
    bool told; /* that it was lost */
} vb_device_scan;

typedef struct vb_device_scan_job {
    const vb_context *context;
    const vb_corpus *corpus;
    vb_scan *scan; /* of the thread that will use it */
    const float *queries;
    int64_t count, top_k;
    vb_similarity similarity;
    int64_t memory; /* bytes that are left for it */
} vb_device_scan_job;

/* Opens the rank's device for a scan where it has one whose bits are the CPU's, there is memory for it, and it is of use: for
 * VB_DEVICE_SCAN_QUERIES or more, when a short measurement says that a row takes it less time than a thread here, shared by the
 * ranks that use it. A processor that OpenCL offers, which only `device: gpu` takes, is always used: whoever names it means to
 * try it. Fails for lack of memory alone. Local. Close it in any case. */
int vb_device_scan_open(vb_device_scan *its, const vb_device_scan_job *job, vb_error *err);
void vb_device_scan_close(vb_device_scan *its);

/* Searches a block; adds to *bytes_read. What the device fails at is done here, which is told on stderr. */
int vb_device_scan_block(vb_device_scan *its, vb_corpus_reader *reader, const vb_corpus_block *block, int64_t *bytes_read,
                         vb_error *err);

/* Rows that it has searched. */
int64_t vb_device_scan_rows(const vb_device_scan *its);

#endif
