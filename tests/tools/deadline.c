/* Test tool: deadline SECONDS COMMAND...: the command, ended when it takes longer, and then the code is 124. Unlike timeout it
 * heeds no signal and hands none on: who sends them sends them to the whole group, and mpirun, told twice, ends without its
 * ranks. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { IGNORED = sizeof ignored / sizeof *ignored, GRACE = 10 /* seconds from SIGTERM to SIGKILL */ };

/* Whether the command has ended before so many seconds have passed; *status is then what waitpid says. SIGCHLD is blocked. */
static bool ends(pid_t command, double seconds, int *status) {
    struct timespec now;
    sigset_t child;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double end = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec + seconds;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        if (waitpid(command, status, WNOHANG) == command) return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        const double left = end - (double)now.tv_sec - 1e-9 * (double)now.tv_nsec;
        if (left <= 0) return false;
        const struct timespec wait = {(time_t)left, (long)(1e9 * (left - (double)(time_t)left))};
        sigtimedwait(&child, NULL, &wait);
    }
}

int main(int argc, char **argv) {
    struct sigaction before[IGNORED];
    sigset_t child, mask;
    int status;
    if (argc < 3) {
        fprintf(stderr, "usage: deadline SECONDS COMMAND...\n");
        return 2;
    }
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &mask);
    for (int i = 0; i < IGNORED; i++) sigaction(ignored[i], &(struct sigaction){.sa_handler = SIG_IGN}, &before[i]);
    const pid_t command = fork();
    if (!command) {
        for (int i = 0; i < IGNORED; i++) sigaction(ignored[i], &before[i], NULL);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        execvp(argv[2], argv + 2);
    }
    if (command <= 0) {
        fprintf(stderr, "deadline: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    if (ends(command, atof(argv[1]), &status)) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(stderr, "deadline: %s has not ended after %s s\n", argv[2], argv[1]);
    kill(command, SIGTERM);
    if (!ends(command, GRACE, &status)) {
        kill(command, SIGKILL);
        waitpid(command, &status, 0);
    }
    return 124;
}
