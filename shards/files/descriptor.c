/* Calls that are made again when a signal has ended them. */
#include "shards/files/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int vb_descriptor_open(const char *path, int flags, mode_t mode) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

DIR *vb_descriptor_open_folder(const char *path) {
    DIR *folder;
    do folder = opendir(path);
    while (!folder && errno == EINTR);
    return folder;
}

ssize_t vb_descriptor_read(int fd, void *bytes, size_t size) {
    ssize_t n;
    do n = read(fd, bytes, size);
    while (n < 0 && errno == EINTR);
    return n;
}

int vb_descriptor_write(int fd, const void *bytes, size_t size) {
    const char *at = bytes;
    while (size) {
        const ssize_t n = write(fd, at, size);
        if (n < 0 && errno != EINTR) return -1;
        if (n > 0) at += n, size -= (size_t)n;
    }
    return 0;
}

int vb_descriptor_sync(int fd) {
    int status;
    do status = fsync(fd);
    while (status && errno == EINTR);
    return status;
}

int vb_descriptor_lock(int fd, int how) {
    int status;
    do status = flock(fd, how);
    while (status && errno == EINTR);
    return status;
}

int vb_descriptor_allocate(int fd, uint64_t size) {
    int code;
    do code = posix_fallocate(fd, 0, (off_t)size);
    while (code == EINTR);
    return code;
}
