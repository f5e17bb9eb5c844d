/* Child processes by posix_spawn. */
#include "mpi/program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMPLAINT = 2048 };

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

static int spawn(pid_t *child, char *const argv[], const char *folder, int complaints) {
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code) return code;
    code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!code) code = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, complaints, 2);
    if (!code) code = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (!code) code = posix_spawnp(child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

int vb_run_program(char *const argv[], const char *folder, const char *hint, vb_error *err) {
    int pipes[2], status = 0;
    char text[COMPLAINT];
    pid_t child;
    if (pipe2(pipes, O_CLOEXEC)) return vb_errorf(err, VB_EINTERNAL, "%s: cannot be started: %s", argv[0], strerror(errno));
    int code = spawn(&child, argv, folder, pipes[1]);
    close(pipes[1]);
    if (code) {
        close(pipes[0]);
        if (code == ENOENT) return vb_errorf(err, VB_EMISSING, "%s: no such program; %s", argv[0], hint);
        return vb_errorf(err, VB_EINTERNAL, "%s: cannot be started: %s", argv[0], strerror(code));
    }
    read_complaint(pipes[0], text);
    close(pipes[0]);
    pid_t ended;
    do ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0) return vb_errorf(err, VB_EINTERNAL, "%s: its end was missed: %s", argv[0], strerror(errno));
    if (WIFEXITED(status) && !WEXITSTATUS(status)) return 0;
    bool signalled = WIFSIGNALED(status);
    return vb_errorf(err, VB_EINTERNAL, "%s ended %s %d: %s", argv[0], signalled ? "by signal" : "with code",
                     signalled ? WTERMSIG(status) : WEXITSTATUS(status), last_line(text));
}
