/* Programs run without a shell: posix_spawn, a pipe for the output, and waiting for the end. */
#include "mpi/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/memory.h"

enum { LIMIT = 16 << 20, PIECE = 4096 };

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

static int start(const char *const *argv, char *const *environment, int output, pid_t *child) {
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
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!failed) failed = posix_spawnp(child, argv[0], &actions, &attributes, (char *const *)argv, environment ? environment : environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

int vb_spawn(const char *const *argv, char *const *environment, char **output, vb_error *err) {
    *output = NULL;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return vb_errorf(err, VB_EMISSING, "%s: no pipe: %s", argv[0], strerror(errno));
    pid_t child;
    int failed = start(argv, environment, ends[1], &child);
    close(ends[1]);
    if (failed) {
        close(ends[0]);
        return vb_errorf(err, VB_EMISSING, "%s: cannot be started: %s", argv[0], strerror(failed));
    }
    int status = read_all(ends[0], argv[0], output, err), ended = 0;
    close(ends[0]); /* before waiting: a program that still writes must not wait for us */
    pid_t waited;
    while ((waited = waitpid(child, &ended, 0)) < 0 && errno == EINTR) continue;
    if (!status && waited < 0) status = vb_errorf(err, VB_EINTERNAL, "%s: cannot wait for it: %s", argv[0], strerror(errno));
    if (!status && WIFSIGNALED(ended)) status = vb_errorf(err, VB_EUSAGE, "%s: ended by signal %d", argv[0], WTERMSIG(ended));
    if (!status && WIFEXITED(ended) && WEXITSTATUS(ended))
        status = vb_errorf(err, VB_EUSAGE, "%s: ended with code %d", argv[0], WEXITSTATUS(ended));
    if (status) {
        vb_free(*output);
        *output = NULL;
    }
    return status;
}
