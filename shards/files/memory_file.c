/* Files in memory, by memfd_create and /proc. */
#include "shards/files/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "shards/files/descriptor.h"

static int no_memory(const char *what, size_t size, int code, vb_error *err) {
    return vb_errorf(err, VB_EMEMORY, "%s: no shared memory for %zu bytes: %s", what, size, strerror(code));
}

int vb_memory_file_make(vb_memory_file *at, size_t size, const char *what, vb_error *err) {
    struct stat facts;
    const int fault = vb_fault(VB_FAULT_MMAP), fd = memfd_create("vocabench", MFD_CLOEXEC);
    *at = (vb_memory_file){.pid = getpid(), .fd = fd};
    if (fd < 0) return 0;
    int code = fault > 0 ? fault : fault ? ENOMEM : vb_descriptor_allocate(fd, size);
    if (!code && fstat(fd, &facts)) code = errno;
    if (code) {
        close(fd);
        at->fd = -1;
        return no_memory(what, size, code, err);
    }
    at->device = (int64_t)facts.st_dev;
    at->inode = (int64_t)facts.st_ino;
    return 0;
}

int vb_memory_file_open(const vb_memory_file *at) {
    char path[64];
    struct stat facts;
    if (at->fd < 0) return -1;
    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)at->pid, (long long)at->fd);
    const int fd = vb_descriptor_open(path, O_RDWR, 0);
    if (fd < 0) return -1;
    if (!fstat(fd, &facts) && (int64_t)facts.st_dev == at->device && (int64_t)facts.st_ino == at->inode) return fd;
    close(fd);
    return -1;
}

int vb_memory_file_map(int fd, size_t size, const char *what, void **data, vb_error *err) {
    const int fault = vb_fault(VB_FAULT_MMAP);
    void *mapped = MAP_FAILED;
    *data = NULL;
    if (fault) errno = fault > 0 ? fault : ENOMEM;
    else mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) return no_memory(what, size, errno, err);
    madvise(mapped, size, MADV_HUGEPAGE); /* where the system has them for files in memory */
    *data = mapped;
    return 0;
}

void vb_memory_file_close(int fd) {
    if (fd >= 0) close(fd);
}

void vb_memory_file_unmap(void *data, size_t size) { munmap(data, size); }
