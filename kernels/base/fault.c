/* Fault injection: parses one specification and counts the passages through its site. */
#include "kernels/base/fault.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const site_names[] = {[VB_FAULT_OPEN] = "open",
                                         [VB_FAULT_READ] = "read",
                                         [VB_FAULT_WRITE] = "write",
                                         [VB_FAULT_FSYNC] = "fsync",
                                         [VB_FAULT_RENAME] = "rename",
                                         [VB_FAULT_MMAP] = "mmap",
                                         [VB_FAULT_ALLOC] = "alloc",
                                         [VB_FAULT_MPI] = "mpi",
                                         [VB_FAULT_UNIT] = "unit",
                                         [VB_FAULT_DECODE] = "decode",
                                         [VB_FAULT_HASH] = "hash",
                                         [VB_FAULT_DEVICE_ALLOC] = "device-alloc",
                                         [VB_FAULT_DEVICE_BUILD] = "device-build",
                                         [VB_FAULT_DEVICE_LAUNCH] = "device-launch"};
static_assert(sizeof site_names / sizeof *site_names == VB_FAULT_SITES, "a name for every site");
enum { SLOW = -2 };
static const struct {
    const char *name;
    int effect;
} effects[] = {{"ENOSPC", ENOSPC},        {"EIO", EIO},       {"ENOMEM", ENOMEM}, {"EACCES", EACCES},
               {"short", VB_FAULT_SHORT}, {"kill", -SIGKILL}, {"slow", SLOW}};

/* Global on purpose: a test's instrument that must reach every call without being handed through all of them. */
static struct {
    bool active, onwards;
    int site, effect;
    long n;
    atomic_long count;
} plan;

int vb_fault_setup(const char *specification, int rank) {
    plan.active = false;
    if (!specification || !*specification) return 0;
    char text[64];
    if (strlen(specification) >= sizeof text) return -1;
    strcpy(text, specification);
    char *at = strchr(text, '@');
    if (at) *at++ = 0;
    char *n = strchr(text, ':');
    if (!n) return -1;
    *n++ = 0;
    char *effect = strchr(n, ':');
    if (!effect) return -1;
    *effect++ = 0;
    int site = -1, code = 0;
    for (int i = 0; i < VB_FAULT_SITES; i++)
        if (!strcmp(text, site_names[i])) site = i;
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
        if (!strcmp(effect, effects[i].name)) code = effects[i].effect;
    char *end;
    long nth = strtol(n, &end, 10);
    int onwards = *end == '+';
    if (site < 0 || !code || nth < 1 || end[onwards]) return -1;
    plan.site = site;
    plan.effect = code;
    plan.n = nth;
    plan.onwards = onwards;
    atomic_store(&plan.count, 0);
    plan.active = !at || atoi(at) == rank;
    return 0;
}

int vb_fault(vb_fault_site site) {
    if (!plan.active || plan.site != (int)site) return 0;
    long count = atomic_fetch_add(&plan.count, 1) + 1;
    if (plan.onwards ? count < plan.n : count != plan.n) return 0;
    if (plan.effect == -SIGKILL) raise(SIGKILL);
    if (plan.effect == SLOW) {
        const struct timespec tenth = {.tv_nsec = 100000000};
        nanosleep(&tenth, NULL);
        return 0;
    }
    return plan.effect;
}
