/* Ranked lists on their way into files. */
#include "mpi/retrieve/hit_lists.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernels/base/memory.h"
#include "shards/embeddings/npy.h"
#include "shards/files/path.h"

enum { FRAME = 1 << 20, ENTRY = 80 /* bytes that a result takes at most */ };

static int begin_lists(void *context, const vb_retrieve_summary *summary, vb_error *err) {
    vb_hit_lists *to = context;
    int64_t shape[2] = {summary->queries, summary->listed};
    if (!(to->row = vb_array((size_t)summary->listed, sizeof *to->row, "ids", err))) return -1;
    if (!(to->text = vb_array((size_t)summary->listed + 1, ENTRY, "a line", err))) return -1;
    to->capacity = ((size_t)summary->listed + 1) * ENTRY;
    const bool packed = vb_path_ends_with(to->output, ".zst");
    if (packed ? vb_zst_writer_open(&to->lines, to->output, 3, err) : vb_writer_open(&to->plain, to->output, err)) return -1;
    if (!to->ids) return 0;
    if (vb_writer_open(&to->numbers, to->ids, err)) return -1;
    return vb_npy_write_header(to->numbers, VB_I64, 2, shape, err);
}

static int write_line(vb_hit_lists *to, size_t n, vb_error *err) {
    if (to->plain) return vb_writer_write(to->plain, to->text, n, err);
    if (vb_zst_writer_write(to->lines, to->text, n, err)) return -1;
    return vb_zst_writer_frame_bytes(to->lines) >= FRAME ? vb_zst_writer_cut(to->lines, err) : 0;
}

static int take_list(void *context, int64_t query, const vb_hit *hits, const double *scores, int64_t count, vb_error *err) {
    vb_hit_lists *to = context;
    size_t at = (size_t)snprintf(to->text, to->capacity, "{\"query\": %" PRId64 ", \"results\": [", query);
    for (int64_t i = 0; i < count; i++) {
        to->row[i] = hits[i].id;
        at += (size_t)snprintf(to->text + at, to->capacity - at, "%s{\"id\": %" PRId64 ", \"score\": %.17g}", i ? ", " : "",
                               hits[i].id, scores[i]);
    }
    at += (size_t)snprintf(to->text + at, to->capacity - at, "]}\n");
    if (write_line(to, at, err)) return -1;
    return to->numbers ? vb_writer_write(to->numbers, to->row, (size_t)count * sizeof *to->row, err) : 0;
}

void vb_hit_lists_close(vb_hit_lists *to) {
    vb_zst_writer_abandon(to->lines);
    vb_writer_abandon(to->plain);
    vb_writer_abandon(to->numbers);
    vb_free(to->row);
    vb_free(to->text);
    *to = (vb_hit_lists){0};
}

int vb_hit_lists_commit(vb_hit_lists *to, vb_error *err) {
    int status = 0;
    if (to->numbers) status = vb_writer_commit(to->numbers, err);
    to->numbers = NULL;
    if (!status) {
        status = to->plain ? vb_writer_commit(to->plain, err) : vb_zst_writer_commit(to->lines, NULL, err);
        to->lines = NULL;
        to->plain = NULL;
    }
    return status;
}

vb_retrieve_sink vb_hit_lists_sink(vb_hit_lists *to) {
    return (vb_retrieve_sink){.begin = begin_lists, .list = take_list, .context = to};
}
