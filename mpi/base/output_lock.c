/* Who owns an output folder, and whether it still does. */
#include "mpi/base/output_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/base/slurm_job.h"
#include "shards/files/file.h"
#include "shards/files/lock.h"
#include "shards/files/path.h"
#include "shards/files/process.h"

static const char schema[] = "vocabench.lock/1";

typedef enum owner_state { OWNER_ALIVE, OWNER_GONE, OWNER_UNSEEN } owner_state;

/* ---- the text ---- */

static void read_line(const char *path, char *line, size_t size) {
    vb_file_read_proc(path, line, size);
    line[strcspn(line, "\n")] = 0;
}

static char *describe_self(vb_error *err) {
    char host[256] = "", boot[64], machine[64], pids[64] = "";
    vb_process_stat own;
    gethostname(host, sizeof host - 1);
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    read_line("/etc/machine-id", machine, sizeof machine);
    if (readlink("/proc/self/ns/pid", pids, sizeof pids - 1) < 0) pids[0] = 0;
    vb_json json = {0};
    json_t *self = vb_json_object(&json);
    vb_json_set_text(&json, self, "schema", schema);
    vb_json_set_text(&json, self, "host", host);
    vb_json_set_integer(&json, self, "pid", getpid());
    vb_json_set_integer(&json, self, "user", (int64_t)getuid());
    vb_json_set_integer(&json, self, "started", (int64_t)time(NULL));
    vb_process_look(getpid(), &own);
    vb_json_set_integer(&json, self, "process_started", own.start);
    vb_json_set_text(&json, self, "boot", boot);
    vb_json_set_text(&json, self, "machine", machine);
    vb_json_set_text(&json, self, "pids", pids);
    const char *job = getenv("SLURM_JOB_ID"), *restart = getenv("SLURM_RESTART_COUNT");
    if (job) vb_json_set_text(&json, self, "slurm_job", job);
    if (job) vb_json_set_text(&json, self, "slurm_restart", restart ? restart : "0");
    char *text = vb_json_end(&json, "the lock of the output folder", err) ?
                     NULL :
                     vb_json_dump(self, VB_JSON_LINE, "the lock of the output folder", err);
    json_decref(self);
    return text;
}

/* ---- the owner ---- */

static bool same(const json_t *a, const json_t *b, const char *key) {
    const char *x = vb_json_text(a, key);
    return *x && !strcmp(x, vb_json_text(b, key));
}

/* Of this machine since its last start, in this name space of processes. */
static owner_state look_at_process(const json_t *owner) {
    long pid = (long)vb_json_integer(owner, "pid");
    const bool gone = pid < 2 || vb_process_is_gone(pid) || vb_process_is_another(pid, vb_json_integer(owner, "process_started"));
    return gone ? OWNER_GONE : OWNER_ALIVE;
}

static owner_state look_at_owner(const json_t *owner, const json_t *self, char *const *environment) {
    const char *job = vb_json_text(owner, "slurm_job");
    if (same(owner, self, "boot")) {
        if (same(owner, self, "pids")) return look_at_process(owner);
    } else if (same(owner, self, "machine") && same(owner, self, "host")) return OWNER_GONE; /* it has been started again */
    if (!*job) return OWNER_UNSEEN;
    if (same(owner, self, "slurm_job")) return same(owner, self, "slurm_restart") ? OWNER_UNSEEN : OWNER_GONE;
    char word[64];
    char *answer = vb_slurm_job_ask(job, environment);
    vb_slurm_job_state(answer, job, word, sizeof word);
    vb_free(answer);
    if (!strcmp(word, "RUNNING") || !strcmp(word, "COMPLETING")) return OWNER_ALIVE;
    /* Slurm may be told to hide other users' jobs. */
    bool own = vb_json_integer(owner, "user") == vb_json_integer(self, "user");
    return own && vb_slurm_job_is_gone(job, environment) ? OWNER_GONE : OWNER_UNSEEN;
}

static int refuse(const char *folder, const char *path, const json_t *owner, owner_state state, vb_error *err) {
    char since[64] = "";
    time_t started = (time_t)vb_json_integer(owner, "started");
    struct tm parts;
    if (localtime_r(&started, &parts)) strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", &parts);
    if (strcmp(vb_json_text(owner, "schema"), schema))
        return vb_errorf(err, VB_EOUTPUT, "%s: not a lock of this program; if no run uses %s, remove it and run again", path,
                         folder);
    const char *job = vb_json_text(owner, "slurm_job");
    if (state == OWNER_ALIVE)
        return vb_errorf(
            err, VB_EOUTPUT,
            "%s: in use by another run: process %lld on %s%s%s, since %s; wait for it, or name another output folder", folder,
            (long long)vb_json_integer(owner, "pid"), vb_json_text(owner, "host"), *job ? ", job " : "", job, since);
    return vb_errorf(
        err, VB_EOUTPUT,
        "%s: in use by another run, as far as can be seen from here: process %lld on %s%s%s, since %s; when it is no "
        "more, remove %s and run again",
        folder, (long long)vb_json_integer(owner, "pid"), vb_json_text(owner, "host"), *job ? ", job " : "", job, since, path);
}

/* Refuses unless the run whose lock is `there` has gone. */
static int check_owner(const vb_output_lock *lock, const char *there, const char *folder, char *const *environment,
                       vb_error *err) {
    vb_error damaged; /* it is none of ours then */
    json_t *owner = vb_json_parse(there, strlen(there), 0, lock->path, &damaged),
           *self = vb_json_parse(lock->text, strlen(lock->text), 0, lock->path, err);
    int status = self ? 0 : -1;
    bool ours = owner && !strcmp(vb_json_text(owner, "schema"), schema);
    owner_state state = ours && !status ? look_at_owner(owner, self, environment) : OWNER_UNSEEN;
    if (!status && state != OWNER_GONE) status = refuse(folder, lock->path, owner, state, err);
    json_decref(self);
    json_decref(owner);
    return status;
}

/* A link is not followed: what lies at its end is not of this folder, and it cannot be replaced in one step. */
static int refuse_link(const char *path, vb_error *err) {
    char end[2];
    if (readlink(path, end, sizeof end) < 0) return 0;
    return vb_errorf(err, VB_EOUTPUT, "%s: run.lock is a link; if no run uses the folder, remove it and run again", path);
}

/* One try: *taken, or not when the lock changed on the way. */
static int try_to_take(const vb_output_lock *lock, const char *folder, char *const *environment, bool *taken, vb_error *err) {
    char *there = NULL;
    int status = vb_lock_create(lock->path, lock->text, taken, err);
    if (status || *taken) return status;
    if (refuse_link(lock->path, err)) return -1;
    if (vb_lock_read(lock->path, &there, err)) return -1;
    if (there) status = check_owner(lock, there, folder, environment, err);
    if (there && !status) status = vb_lock_replace(lock->path, there, lock->text, taken, err);
    vb_free(there);
    return status;
}

int vb_output_lock_look(const char *folder, char *const *environment, vb_error *err) {
    vb_output_lock lock = {.path = vb_format(err, "%s/" VB_OUTPUT_LOCK_NAME, folder), .text = describe_self(err)};
    char *there = NULL;
    int status = lock.path && lock.text ? 0 : -1;
    if (!status) status = refuse_link(lock.path, err);
    if (!status && vb_path_exists(lock.path)) status = vb_lock_read(lock.path, &there, err);
    if (there) status = check_owner(&lock, there, folder, environment, err);
    vb_free(there);
    vb_free(lock.path);
    vb_free(lock.text);
    return status;
}

int vb_output_lock_take(vb_output_lock *lock, const char *folder, char *const *environment, vb_error *err) {
    enum { TRIES = 100 };
    *lock = (vb_output_lock){0};
    if (folder[0] && vb_path_make_folders(folder, err)) return -1;
    if (access(folder[0] ? folder : ".", W_OK))
        return vb_errorf(err, VB_EOUTPUT, "%s: the output folder is not writable", folder);
    bool taken = false;
    int status = (lock->path = vb_format(err, "%s/" VB_OUTPUT_LOCK_NAME, folder)) && (lock->text = describe_self(err)) ? 0 : -1;
    for (int i = 0; i < TRIES && !status && !taken; i++) {
        const struct timespec moment = {.tv_nsec = 20000000};
        if (i) nanosleep(&moment, NULL);
        status = try_to_take(lock, folder, environment, &taken, err);
    }
    if (!status && !taken) status = vb_errorf(err, VB_EOUTPUT, "%s: other runs begin in this folder at the same time", folder);
    if (!status) return 0;
    vb_free(lock->path);
    vb_free(lock->text);
    *lock = (vb_output_lock){0};
    return -1;
}

void vb_output_lock_release(vb_output_lock *lock) {
    if (lock->path) vb_lock_remove(lock->path, lock->text);
    vb_free(lock->path);
    vb_free(lock->text);
    *lock = (vb_output_lock){0};
}
