/* Starts of a run, from the state that each left. */
#include "mpi/run/starts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/base/memory.h"
#include "kernels/base/strings.h"
#include "mpi/base/output_lock.h"
#include "shards/files/path.h"

static double changed(const char *folder, const char *name) {
    vb_path_facts facts;
    vb_error none;
    char *path = vb_path_join(folder, name, &none);
    const double when = path && !vb_path_stat(path, &facts, &none) ? 1e-9 * (double)facts.mtime_ns : 0;
    vb_free(path);
    return when;
}

/* When a run that was killed had last written of itself: its state, its pairs, their markers. */
static double last_sign(const char *output) {
    vb_error none;
    vb_strings names = {0};
    double last = changed(output, "state.json");
    char *pairs = vb_path_join(output, "pairs", &none);
    if (pairs && vb_path_is_folder(pairs) && vb_path_list_folder(&names, pairs, &none)) names = (vb_strings){0};
    for (size_t i = 0; i < names.count; i++) {
        const double when = changed(pairs, names.items[i]);
        if (when > last) last = when;
    }
    vb_strings_free(&names);
    vb_free(pairs);
    return last;
}

/* Nothing where a state that was written by others states a time of no year. */
static void set_time(vb_json *json, json_t *entry, double started) {
    char text[32] = "";
    struct tm utc;
    const bool fits = fabs(started) < 1e15;
    const time_t when = fits ? (time_t)started : 0;
    if (fits && gmtime_r(&when, &utc)) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    vb_json_set_text(json, entry, "started", text);
}

static json_t *new_entry(vb_json *json, double started, double seconds, int64_t nodes, int64_t ranks) {
    json_t *entry = vb_json_object(json);
    set_time(json, entry, started);
    vb_json_set_real(json, entry, "seconds", seconds > 0 ? seconds : 0);
    vb_json_set_integer(json, entry, "nodes", nodes > 0 ? nodes : 1);
    vb_json_set_integer(json, entry, "ranks", ranks);
    return entry;
}

/* Earlier versions noted only when. */
static double ended_after(const json_t *ended, double started) {
    return json_object_get(ended, "seconds") ? vb_json_number(ended, "seconds") :
                                               (double)vb_json_integer(ended, "when") - started;
}

double vb_starts_begun(const char *output) { return changed(output, VB_OUTPUT_LOCK_NAME); }

json_t *vb_starts_of_state(vb_json *json, const json_t *state, const char *output, bool alive) {
    static const char *const copied[] = {"slurm_job", "restart"};
    const json_t *ended = json_object_get(state, "ended"), *earlier = json_object_get(state, "starts");
    const double started = (double)vb_json_integer(state, "started"), begun = vb_json_number(state, "begun");
    /* Each by one clock: the run's own, this machine's, or that of its files. */
    const double seconds = ended ? ended_after(ended, started) :
                           alive ? (double)time(NULL) - started :
                                   last_sign(output) - (begun > 0 ? begun : started);
    json_t *list = vb_json_array(json),
           *entry = new_entry(json, started, seconds, vb_json_integer(state, "nodes"), vb_json_integer(state, "ranks"));
    if (ended) vb_json_set_integer(json, entry, "code", vb_json_integer(ended, "code"));
    if (!ended && !alive) vb_json_set_bool(json, entry, "lost", true);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        if (*vb_json_text(state, copied[i])) vb_json_set_text(json, entry, copied[i], vb_json_text(state, copied[i]));
    if (earlier) vb_json_extend(json, list, (json_t *)(uintptr_t)earlier);
    vb_json_append(json, list, entry);
    return list;
}

json_t *vb_starts_entry(vb_json *json, double seconds, int64_t nodes, int64_t ranks) {
    json_t *entry = new_entry(json, (double)time(NULL) - seconds, seconds, nodes, ranks);
    vb_json_set_integer(json, entry, "code", 0);
    if (getenv("SLURM_JOB_ID")) vb_json_set_text(json, entry, "slurm_job", getenv("SLURM_JOB_ID"));
    if (getenv("SLURM_RESTART_COUNT")) vb_json_set_text(json, entry, "restart", getenv("SLURM_RESTART_COUNT"));
    return entry;
}

double vb_starts_node_hours(const json_t *starts) {
    double hours = 0;
    for (size_t i = 0; i < json_array_size(starts); i++) {
        const json_t *entry = json_array_get(starts, i);
        hours += vb_json_number(entry, "seconds") / 3600 * (double)vb_json_integer(entry, "nodes");
    }
    return hours;
}
