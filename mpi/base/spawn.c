/* Programs run without a shell: posix_spawn, a pipe for the output, and waiting for the end. */
#include "mpi/base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/base/memory.h"

enum { LIMIT = 16 << 20, PIECE = 4096, COMPLAINT = 2048, OURS = -1, DROPPED = -2 };

static int read_all(int fd, const char *name, char **output, vb_error *err) {
    char *bytes = NULL;
    size_t capacity = 0, filled = 0;
    for (;;) {
        if (filled > LIMIT) {
            vb_errorf(err, VB_EDATA, "%s: wrote more than %d bytes", name, LIMIT);
            break;
        }
        if (vb_grow((void **)&bytes, &capacity, filled + PIECE, 1, name, err)) break;
        ssize_t n = read(fd, bytes + filled, PIECE - 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            vb_errorf(err, VB_EMISSING, "%s: cannot read what it wrote: %s", name, strerror(errno));
            break;
        }
        if (!n) {
            bytes[filled] = 0;
            *output = bytes;
            return 0;
        }
        filled += (size_t)n;
    }
    vb_free(bytes);
    return -1;
}

/* Reads to the end, keeping the last bytes. */
static void read_complaint(int from, char *text) {
    size_t filled = 0;
    for (;;) {
        if (filled == COMPLAINT - 1) {
            memmove(text, text + COMPLAINT / 2, COMPLAINT / 2);
            filled = COMPLAINT / 2 - 1;
        }
        ssize_t n = read(from, text + filled, COMPLAINT - 1 - filled);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        filled += (size_t)n;
    }
    text[filled] = 0;
}

static const char *last_line(char *text) {
    size_t n = strlen(text);
    while (n && (text[n - 1] == '\n' || text[n - 1] == ' ')) text[--n] = 0;
    char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    return line + strspn(line, " ");
}

/* Standard output and errors go to these descriptors; -1: the output is dropped, the errors go where ours go; -2: so are the
 * errors. Returns an errno value. */
static int start(const char *const *argv, char *const *environment, const char *folder, int output, int complaints,
                 pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions)) return ENOMEM;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    /* The program must be able to end by the signals that we catch or ignore. */
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    int failed = posix_spawnattr_setsigdefault(&attributes, &usual);
    if (!failed) failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (!failed) failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed && output < 0) failed = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!failed && output >= 0) failed = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!failed && complaints >= 0) failed = posix_spawn_file_actions_adddup2(&actions, complaints, 2);
    if (!failed && complaints == DROPPED) failed = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (!failed && folder) failed = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (!failed)
        failed = posix_spawnp(child, argv[0], &actions, &attributes, (char *const *)argv, environment ? environment : environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int wait_for(pid_t child, const char *name, int *ended, vb_error *err) {
    pid_t waited;
    while ((waited = waitpid(child, ended, 0)) < 0 && errno == EINTR) continue;
    return waited < 0 ? vb_errorf(err, VB_EINTERNAL, "%s: cannot wait for it: %s", name, strerror(errno)) : 0;
}

static int run(const char *const *argv, char *const *environment, int complaints, char **output, vb_error *err) {
    *output = NULL;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return vb_errorf(err, VB_EMISSING, "%s: no pipe: %s", argv[0], strerror(errno));
    pid_t child;
    int failed = start(argv, environment, NULL, ends[1], complaints, &child);
    close(ends[1]);
    if (failed) {
        close(ends[0]);
        return vb_errorf(err, VB_EMISSING, "%s: cannot be started: %s", argv[0], strerror(failed));
    }
    int status = read_all(ends[0], argv[0], output, err), ended = 0;
    close(ends[0]); /* before waiting: a program that still writes must not wait for us */
    if (wait_for(child, argv[0], &ended, status ? NULL : err)) status = -1;
    if (!status && WIFSIGNALED(ended)) status = vb_errorf(err, VB_EUSAGE, "%s: ended by signal %d", argv[0], WTERMSIG(ended));
    if (!status && WIFEXITED(ended) && WEXITSTATUS(ended))
        status = vb_errorf(err, VB_EUSAGE, "%s: ended with code %d", argv[0], WEXITSTATUS(ended));
    if (status) {
        vb_free(*output);
        *output = NULL;
    }
    return status;
}

int vb_spawn(const char *const *argv, char *const *environment, char **output, vb_error *err) {
    return run(argv, environment, OURS, output, err);
}

int vb_spawn_quiet(const char *const *argv, char *const *environment, char **output, vb_error *err) {
    return run(argv, environment, DROPPED, output, err);
}

int vb_spawn_in(const char *folder, const char *const *argv, const char *hint, vb_error *err) {
    int pipes[2], ended = 0;
    char text[COMPLAINT];
    pid_t child;
    if (pipe2(pipes, O_CLOEXEC)) return vb_errorf(err, VB_EINTERNAL, "%s: cannot be started: %s", argv[0], strerror(errno));
    int failed = start(argv, NULL, folder, -1, pipes[1], &child);
    close(pipes[1]);
    if (failed) {
        close(pipes[0]);
        if (failed == ENOENT) return vb_errorf(err, VB_EMISSING, "%s: no such program; %s", argv[0], hint);
        return vb_errorf(err, VB_EINTERNAL, "%s: cannot be started: %s", argv[0], strerror(failed));
    }
    read_complaint(pipes[0], text);
    close(pipes[0]);
    if (wait_for(child, argv[0], &ended, err)) return -1;
    if (WIFEXITED(ended) && !WEXITSTATUS(ended)) return 0;
    bool signalled = WIFSIGNALED(ended);
    return vb_errorf(err, VB_EINTERNAL, "%s ended %s %d: %s", argv[0], signalled ? "by signal" : "with code",
                     signalled ? WTERMSIG(ended) : WEXITSTATUS(ended), last_line(text));
}
