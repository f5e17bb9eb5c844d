/* Progress lines with rate and estimated time to go. */
#include "mpi/ranks/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void vb_progress_start(vb_progress *progress, int rank, int ranks, const char *stage, const char *what, const char *unit,
                       int64_t total) {
    *progress = (vb_progress){.prints = !rank,
                              .terminal = !rank && isatty(2),
                              .stage = stage,
                              .what = what,
                              .unit = unit,
                              .total = total,
                              .scale = ranks,
                              .start = now()};
    progress->shown = progress->start;
}

static void show(vb_progress *progress, double time) {
    double seconds = time - progress->start, rate = seconds > 0 ? (double)progress->done * progress->scale / seconds : 0;
    double left = progress->done ? seconds * (double)(progress->total - progress->done) / (double)progress->done : 0;
    fprintf(stderr, "%s%s %s: %3.0f%%  %.0f %s/s  %d:%02d to go%s", progress->terminal ? "\r\033[K" : "", progress->stage,
            progress->what, progress->total ? 100.0 * (double)progress->done / (double)progress->total : 100.0, rate,
            progress->unit, (int)left / 60, (int)left % 60, progress->terminal ? "" : "\n");
    fflush(stderr);
    progress->shown = time;
}

void vb_progress_step(vb_progress *progress, int64_t items) {
    progress->done += items;
    if (!progress->prints || progress->done >= progress->total) return;
    double time = now();
    int tenths = (int)(10 * progress->done / (progress->total ? progress->total : 1));
    /* A log gets a line every tenth, but not more than one in ten seconds, and at least one in five minutes. */
    bool due = progress->terminal ? time - progress->shown > 0.2 :
                                    (tenths > progress->tenths && time - progress->shown > 10) || time - progress->shown > 300;
    if (!due) return;
    progress->tenths = tenths;
    show(progress, time);
}

void vb_progress_end(vb_progress *progress) {
    if (!progress->prints) return;
    double seconds = now() - progress->start;
    int64_t items =
        progress->done < progress->total ? progress->done : progress->total; /* this rank may have had more than its share */
    if (progress->terminal && progress->shown > progress->start) fprintf(stderr, "\r\033[K");
    if (seconds < 1 && !progress->terminal) return;
    fprintf(stderr, "%s %s: %.0f %s in %.1f s\n", progress->stage, progress->what, (double)items * progress->scale,
            progress->unit, seconds);
}
