/* Stages and work of a run, counted. */
#include "mpi/ranks/live.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

double vb_live_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void vb_live_begin(vb_live *live, double work) {
    live->pair = work;
    live->share = 0;
    live->count = 0;
    live->next = vb_live_now() + VB_LIVE_FIRST;
}

void vb_live_end(vb_live *live) {
    live->finished += live->pair;
    live->pair = live->share = 0;
}

vb_live_stage *vb_live_stage_of(vb_live *live, const char *name, const char *unit) {
    for (int s = 0; s < live->count; s++)
        if (!strncmp(live->stages[s].name, name, VB_LIVE_NAME - 1)) return &live->stages[s];
    if (live->count == VB_LIVE_STAGES) return NULL;
    vb_live_stage *stage = &live->stages[live->count++];
    *stage = (vb_live_stage){.total = 0};
    snprintf(stage->name, sizeof stage->name, "%s", name);
    snprintf(stage->unit, sizeof stage->unit, "%s", unit);
    return stage;
}

double vb_live_seconds_left(const vb_live *live) {
    const double done = live->finished + live->share * live->pair, seconds = vb_live_now() - live->started;
    if (!(done > 0) || !(live->all > 0) || seconds <= 0) return -1;
    return done < live->all ? seconds * (live->all - done) / done : 0;
}
