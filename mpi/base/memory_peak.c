/* The memory peak of this process, from /proc. */
#include "mpi/base/memory_peak.h"

#include <stdlib.h>
#include <string.h>

#include "shards/files/file.h"
#include "shards/files/writer.h"

/* The number of kB behind "NAME:" in a file of /proc; -1 when it is not there. */
static int64_t proc_bytes(const char *text, const char *name) {
    const char *at = strstr(text, name);
    return at ? 1024 * strtoll(at + strlen(name), NULL, 10) : -1;
}

void vb_memory_peak_note(vb_memory_peak *peak) {
    char status[4096], rollup[4096];
    vb_file_read_proc("/proc/self/status", status, sizeof status);
    vb_file_read_proc("/proc/self/smaps_rollup", rollup, sizeof rollup);
    int64_t high = proc_bytes(status, "\nVmHWM:"), resident = proc_bytes(status, "\nVmRSS:"),
            shared = proc_bytes(rollup, "\nPss:");
    if (high < 0) return;
    /* Pages mapped by others too are counted in full in the resident set: take out what is not this process's part. */
    int64_t share = shared >= 0 && shared < resident ? high - (resident - shared) : high;
    if (high > peak->resident) peak->resident = high;
    if (share > peak->share) peak->share = share;
    /* The high-water mark begins again, so that the next unit's is its own; where that is not allowed, it stays a bound. */
    vb_writer_write_proc("/proc/self/clear_refs", "5");
}
