/* Parts that are newer than their codes, and their digests. */
#include "mpi/retrieve/coded_sources.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/ranks/byte_progress.h"
#include "shards/files/path.h"

/* By the times of their contents; of equal ones the part may be the later. */
static int find_newer(const vb_quantized *copy, const vb_corpus *corpus, size_t part, bool *newer, vb_error *err) {
    vb_path_facts codes;
    char *path = vb_path_join(copy->folder, copy->parts[part].file, err);
    const int status = path ? vb_path_stat(path, &codes, err) : -1;
    *newer = !status && corpus->parts[part].identity.mtime_ns >= codes.mtime_ns;
    vb_free(path);
    return status;
}

static int check_part(const vb_quantized *copy, const vb_corpus *corpus, size_t part, const vb_digest_watch *watch,
                      vb_error *err) {
    const char *path = corpus->parts[part].path;
    vb_digest now;
    if (vb_digest_file_watched(path, watch, &now, err)) return -1;
    if (!strcmp(now.hex, copy->parts[part].digest.hex)) return 0;
    return vb_errorf(err, VB_EMISMATCH,
                     "%s: written after its codes in %s, with another content: the quantised copy is not of this corpus", path,
                     copy->folder);
}

int vb_coded_sources_check(vb_context *context, const vb_quantized *copy, const vb_corpus *corpus, vb_error *err) {
    const size_t first = (size_t)context->comm.rank, step = (size_t)context->comm.size;
    vb_byte_progress progress;
    int64_t bytes = 0;
    bool newer;
    for (size_t p = first; p < corpus->part_count; p += step) {
        if (find_newer(copy, corpus, p, &newer, err)) return -1;
        if (newer) bytes = vb_byte_progress_add(bytes, corpus->parts[p].bytes, 1);
    }
    if (!bytes) return 0;
    vb_byte_progress_start(&progress, context, "embeddings", corpus->name, bytes);
    const vb_digest_watch watch = vb_byte_progress_watch(&progress);
    int status = 0;
    for (size_t p = first; p < corpus->part_count && !status; p += step)
        if (!(status = find_newer(copy, corpus, p, &newer, err)) && newer) status = check_part(copy, corpus, p, &watch, err);
    vb_byte_progress_end(&progress);
    return status;
}
