/* Bytes told as whole MB. */
#include "mpi/ranks/byte_progress.h"

enum { MB = 1000000 };

void vb_byte_progress_start(vb_byte_progress *progress, vb_context *context, const char *stage, const char *what, int64_t bytes) {
    *progress = (vb_byte_progress){.context = context, .shown = bytes >= MB};
    if (!progress->shown) return;
    vb_progress_start(&progress->progress, context, stage, what, "MB", bytes / MB);
    vb_progress_together(&progress->progress);
}

int64_t vb_byte_progress_add(int64_t sum, uint64_t bytes, int passes) {
    uint64_t all;
    int64_t more;
    return __builtin_mul_overflow(bytes, (uint64_t)passes, &all) || __builtin_add_overflow(sum, all, &more) ? INT64_MAX : more;
}

int vb_byte_progress_step(vb_byte_progress *progress, int64_t bytes, vb_error *err) {
    const int64_t before = progress->passed / MB;
    if (__builtin_add_overflow(progress->passed, bytes, &progress->passed)) progress->passed = INT64_MAX;
    if (progress->shown && progress->passed / MB > before) vb_progress_step(&progress->progress, progress->passed / MB - before);
    return vb_context_check_stop(progress->context, err);
}

static int step(void *progress, int64_t bytes, vb_error *err) { return vb_byte_progress_step(progress, bytes, err); }

vb_digest_watch vb_byte_progress_watch(vb_byte_progress *progress) { return (vb_digest_watch){step, progress}; }

void vb_byte_progress_end(vb_byte_progress *progress) {
    if (progress->shown) vb_progress_end(&progress->progress);
}
