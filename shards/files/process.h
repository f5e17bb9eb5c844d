/* Processes of this machine, looked at through /proc. */
#ifndef VB_PROCESS_H
#define VB_PROCESS_H

#include <stdbool.h>

/* One line of /proc/PID/stat. name is cut at 15 bytes by the kernel. */
typedef struct vb_process_stat {
    char name[32];
    bool ended; /* its parent has not asked yet: it does nothing any more */
    long parent;
    long long start; /* clock ticks since the machine's start */
} vb_process_stat;

/* False when it cannot be seen: there is none, or /proc is hidden. */
bool vb_process_look(long pid, vb_process_stat *stat);

/* Whether no such process runs any more: there is none of that number in this name space, or it has ended and waits for its
 * parent. A number may be another process' by now: vb_process_is_another. */
bool vb_process_is_gone(long pid);

/* Whether a process of that number can be seen that has another start than the one that was kept. */
bool vb_process_is_another(long pid, long long start);

#endif
