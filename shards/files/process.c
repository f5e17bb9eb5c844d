/* /proc/PID/stat, taken apart. */
#include "shards/files/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "shards/files/file.h"

bool vb_process_look(long pid, vb_process_stat *stat) {
    char path[48], text[1024], state;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    vb_file_read_proc(path, text, sizeof text);
    /* "PID (NAME) STATE PARENT ...", the start being field 22; the name may hold anything. */
    const char *begin = strchr(text, '('), *end = strrchr(text, ')');
    *stat = (vb_process_stat){.parent = -1, .start = -1};
    if (!begin || !end || end < begin) return false;
    snprintf(stat->name, sizeof stat->name, "%.*s", (int)(end - begin - 1), begin + 1);
    enum { FIELDS = 3 };
    const int read = sscanf(end + 1, " %c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %lld", &state,
                            &stat->parent, &stat->start);
    stat->ended = read >= 1 && (state == 'Z' || state == 'X');
    return read == FIELDS;
}

bool vb_process_is_gone(long pid) {
    vb_process_stat stat;
    if (kill((pid_t)pid, 0) && errno == ESRCH) return true;
    return vb_process_look(pid, &stat) && stat.ended;
}

bool vb_process_is_another(long pid, long long start) {
    vb_process_stat stat;
    return vb_process_look(pid, &stat) && stat.start != start;
}
