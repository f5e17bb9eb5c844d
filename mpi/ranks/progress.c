/* Progress lines with rate and estimated time to go. */
#include "mpi/ranks/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shards/files/tty.h"

enum { LINE = 400 };
static const double quiet = 2, redraw = 0.2, logged = 10, logged_every = 300; /* seconds */

void vb_progress_start(vb_progress *progress, vb_context *context, const char *stage, const char *what, const char *unit,
                       int64_t whole) {
    const bool first = !context->comm.rank;
    const int ranks = context->comm.size > 0 ? context->comm.size : 1;
    *progress = (vb_progress){.counts = first,
                              .tty = first ? vb_tty_open() : -1,
                              .stage = stage,
                              .what = what,
                              .unit = unit,
                              .total = (whole + ranks - 1) / ranks,
                              .whole = whole,
                              .start = vb_live_now(),
                              .live = first ? context->live : NULL};
    /* A group's first rank is rank 0 of its communicator; one terminal takes one line. */
    progress->prints = first && (progress->tty < 0 || !context->comm.world_rank);
    progress->shown = progress->start;
    vb_live_stage *its = progress->live ? vb_live_stage_of(progress->live, stage, unit) : NULL;
    if (its) {
        its->total += whole;
        its->ended = false;
    }
}

void vb_progress_measures(vb_progress *progress) { progress->measures = true; }

void vb_progress_by(vb_progress *progress, int ranks) { progress->total = (progress->whole + ranks - 1) / ranks; }

void vb_progress_together(vb_progress *progress) { progress->total = progress->whole; }

/* Of all ranks, as far as this one can tell. */
static int64_t done_of_all(const vb_progress *progress) {
    if (!progress->whole) return progress->done;
    if (progress->done >= progress->total) return progress->whole;
    return (int64_t)((double)progress->whole * (double)progress->done / (double)progress->total);
}

/* "0:07", "12:30", "3:05:00". */
static int put_time(char *text, size_t size, double seconds) {
    const long long s = seconds < 3.6e8 ? (long long)(seconds + 0.5) : 360000000;
    if (s < 3600) return snprintf(text, size, "%lld:%02lld", s / 60, s % 60);
    return snprintf(text, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

static void write_all(int tty, const char *text) {
    for (size_t n = strlen(text); n;) {
        const ssize_t now = write(tty, text, n);
        if (now <= 0) return; /* nothing depends on it */
        text += now;
        n -= (size_t)now;
    }
}

/* "evaluate tiny / cifar100: 1200 of 10000 images, 55 images/s, 2:40 to go, run 7:10 to go". */
static void describe(const vb_progress *progress, double time, char *line, size_t size) {
    const int64_t done = done_of_all(progress);
    const double seconds = time - progress->start, rate = seconds > 0 ? (double)done / seconds : 0;
    const double run = progress->live ? vb_live_seconds_left(progress->live) : -1;
    const double left = progress->whole && rate > 0 ? (double)(progress->whole - done) / rate : 0;
    char to_go[32] = "?", whole[32] = "", all[32] = "";
    if (progress->whole) snprintf(all, sizeof all, " of %lld", (long long)progress->whole);
    if (rate > 0) put_time(to_go, sizeof to_go, left);
    int n = snprintf(line, size, "%s%s%s: %lld%s %s, %.*f/s", progress->stage, *progress->what ? " " : "", progress->what,
                     (long long)done, all, progress->unit, rate < 10, rate);
    if (progress->whole && n > 0 && (size_t)n < size) n += snprintf(line + n, size - (size_t)n, ", %s to go", to_go);
    if (run >= 0 && n > 0 && (size_t)n < size) {
        put_time(whole, sizeof whole, run > left ? run : left);
        snprintf(line + n, size - (size_t)n, ", run %s to go", whole);
    }
}

static void stamp(char *text, size_t size) {
    const time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static void show(vb_progress *progress, double time) {
    char line[LINE], when[32];
    describe(progress, time, line, sizeof line);
    if (progress->tty >= 0) {
        char drawn[LINE + 16];
        snprintf(drawn, sizeof drawn, "\r\033[K%.*s", vb_tty_columns(progress->tty) - 1, line);
        write_all(progress->tty, drawn);
        progress->drawn = true;
    } else {
        stamp(when, sizeof when);
        fprintf(stderr, "%s %s\n", when, line);
        fflush(stderr);
    }
    progress->shown = time;
}

/* What `status` reads. */
static void note(vb_progress *progress, double time, bool ended) {
    vb_live *live = progress->live;
    vb_live_stage *its = live ? vb_live_stage_of(live, progress->stage, progress->unit) : NULL;
    if (!its) return;
    const int64_t before = its->ended ? 0 : its->total - progress->whole; /* the same stage's earlier times */
    its->done = before + done_of_all(progress);
    if (ended) {
        its->seconds += time - progress->start;
        its->ended = true;
    }
    if (progress->measures) live->share = progress->whole ? (double)done_of_all(progress) / (double)progress->whole : 1;
    if (live->note && time > live->next) {
        const double kept = its->seconds;
        if (!ended) its->seconds += time - progress->start;
        live->next = time + VB_LIVE_EVERY;
        live->note(live, live->where);
        its->seconds = kept;
    }
}

void vb_progress_step(vb_progress *progress, int64_t items) {
    progress->done += items;
    if (!progress->counts) return;
    const double time = vb_live_now();
    note(progress, time, false);
    if (!progress->prints || (progress->whole && progress->done >= progress->total) || time - progress->start < quiet / 2) return;
    const int tenths = (int)(10 * progress->done / (progress->total ? progress->total : 1));
    /* A log gets a line every tenth, but not more than one in ten seconds, and at least one in five minutes. */
    const double since = time - progress->shown;
    const bool due = progress->tty >= 0 ? since > redraw : (tenths > progress->tenths && since > logged) || since > logged_every;
    if (!due) return;
    progress->tenths = tenths;
    show(progress, time);
}

void vb_progress_end(vb_progress *progress) {
    if (!progress->counts) return;
    const double time = vb_live_now(), seconds = time - progress->start;
    char line[LINE], when[32];
    note(progress, time, true);
    if (progress->drawn) write_all(progress->tty, "\r\033[K");
    if (progress->prints && seconds >= quiet) {
        snprintf(line, sizeof line, "%s%s%s: %lld %s in %.1f s", progress->stage, *progress->what ? " " : "", progress->what,
                 (long long)done_of_all(progress), progress->unit, seconds);
        if (progress->tty > STDERR_FILENO) {
            write_all(progress->tty, line);
            write_all(progress->tty, "\n");
        } else if (progress->tty >= 0) fprintf(stderr, "%s\n", line);
        else {
            stamp(when, sizeof when);
            fprintf(stderr, "%s %s\n", when, line);
        }
    }
    vb_tty_close(progress->tty);
    progress->tty = -1;
    progress->counts = progress->prints = false;
}
