/* Terminals, found through /proc: Open MPI gives every rank pipes, whose other ends mpirun holds. */
#include "shards/files/tty.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "shards/files/descriptor.h"
#include "shards/files/process.h"

enum { ANCESTORS = 8 }; /* timeout, numactl and shells may stand between a rank and mpirun */

static bool is_launcher(const char *name) {
    static const char *const names[] = {"mpirun", "orterun", "mpiexec", "prterun", "prun", "mpiexec.hydra"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(name, names[i], 15)) return true; /* the kernel keeps 15 bytes */
    return false;
}

static bool stops_writers(int tty) {
    struct termios settings;
    return tcgetattr(tty, &settings) || (settings.c_lflag & TOSTOP);
}

/* mpirun's standard error, when that is a terminal. */
static int launchers_terminal(void) {
    char path[48], target[128];
    vb_process_stat process;
    long pid = getppid();
    for (int i = 0; i < ANCESTORS && pid > 1; i++, pid = process.parent) {
        if (!vb_process_look(pid, &process)) return -1;
        if (!is_launcher(process.name)) continue;
        snprintf(path, sizeof path, "/proc/%ld/fd/2", pid);
        const ssize_t n = readlink(path, target, sizeof target - 1);
        if (n <= 0) return -1;
        target[n] = 0;
        if (strncmp(target, "/dev/pts/", 9) && strncmp(target, "/dev/tty", 8)) return -1;
        const int tty = vb_descriptor_open(target, O_WRONLY | O_NOCTTY, 0);
        if (tty >= 0 && isatty(tty) && !stops_writers(tty)) return tty;
        if (tty >= 0) close(tty);
        return -1;
    }
    return -1;
}

int vb_tty_open(void) {
    if (isatty(STDERR_FILENO)) return stops_writers(STDERR_FILENO) ? -1 : STDERR_FILENO;
    return getenv("OMPI_COMM_WORLD_RANK") || getenv("PMIX_RANK") || getenv("PMI_RANK") ? launchers_terminal() : -1;
}

void vb_tty_close(int tty) {
    if (tty > STDERR_FILENO) close(tty);
}

int vb_tty_columns(int tty) {
    struct winsize size;
    return !ioctl(tty, TIOCGWINSZ, &size) && size.ws_col >= 20 ? size.ws_col : 80;
}
