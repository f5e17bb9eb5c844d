/* Fault injection: makes the n-th file operation, allocation or MPI call of ours fail, be short or kill the process.
 *
 * VOCABENCH_FAULT=site:n:effect[@rank], with site one of open read write fsync rename mmap alloc mpi unit decode
 * hash device-alloc device-build device-launch,
 * n counted from 1 (n+ means from the n-th on), effect an errno name (ENOSPC EIO ENOMEM EACCES), "short", "slow" (a tenth of a
 * second) or "kill".
 * Nothing set: one predictable branch a call. */
#ifndef VB_FAULT_H
#define VB_FAULT_H

typedef enum vb_fault_site {
    VB_FAULT_OPEN,
    VB_FAULT_READ,
    VB_FAULT_WRITE,
    VB_FAULT_FSYNC,
    VB_FAULT_RENAME,
    VB_FAULT_MMAP,
    VB_FAULT_ALLOC,
    VB_FAULT_MPI,
    VB_FAULT_UNIT,
    VB_FAULT_DECODE,
    VB_FAULT_HASH,         /* a piece of a large file, while its digest or SHA-256 is made */
    VB_FAULT_DEVICE_ALLOC, /* these three of kernels/gpu/: any errno makes them fail as OpenCL does */
    VB_FAULT_DEVICE_BUILD,
    VB_FAULT_DEVICE_LAUNCH, /* short: nothing is computed, and nobody says so */
    VB_FAULT_SITES
} vb_fault_site;

enum { VB_FAULT_SHORT = -1 };

/* Reads the specification (normally getenv("VOCABENCH_FAULT"); NULL or "" clears). 0, or -1 when it does not parse.
 * Not thread-safe; call before threads start. `rank` selects "@rank" specifications. */
int vb_fault_setup(const char *specification, int rank);

/* Counts one passage through `site`. Returns 0 (go on), an errno value (fail with it) or VB_FAULT_SHORT.
 * A "kill" effect does not return, a "slow" one returns 0, later. Thread-safe. */
int vb_fault(vb_fault_site site);

#endif
