/* Files that are read: opened, read at a place, read whole. Every open and read of a file passes here, so that faults can be
 * injected. */
#include "shards/files/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "shards/files/descriptor.h"
#include "shards/files/staged.h"

static const char *kind_name(mode_t mode) {
    return S_ISDIR(mode)  ? "a folder" :
           S_ISFIFO(mode) ? "a pipe, which can be read only once (write its content to a file first)" :
           S_ISSOCK(mode) ? "a socket" :
           S_ISBLK(mode)  ? "a block device" :
           S_ISCHR(mode)  ? "a character device" :
                            "a special file";
}

static int expect_regular(const char *path, mode_t mode, vb_error *err) {
    return S_ISREG(mode) ? 0 : vb_errorf(err, VB_EMISSING, "%s: expected a file, found %s", path, kind_name(mode));
}

int vb_file_expect(const char *path, vb_error *err) {
    struct stat info;
    if (stat(path, &info)) return vb_errorf(err, VB_EMISSING, "%s: %s", path, strerror(errno));
    return expect_regular(path, info.st_mode, err);
}

int vb_file_descriptor(const char *path, uint64_t *size, vb_error *err) {
    int fault = vb_fault(VB_FAULT_OPEN), fd = -1;
    struct stat info;
    if (fault) errno = fault > 0 ? fault : EIO;
    else if ((fd = vb_staged_open(path)) < 0)
        fd = vb_descriptor_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0); /* not to wait for a pipe's writer */
    if (fd < 0) return vb_errorf(err, VB_EMISSING, "%s: cannot open: %s", path, strerror(errno));
    if (fstat(fd, &info)) {
        vb_errorf(err, VB_EMISSING, "%s: cannot stat: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    if (expect_regular(path, info.st_mode, err)) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, 0); /* a file that lies on tape is waited for */
    *size = (uint64_t)info.st_size;
    return fd;
}

int vb_file_open(vb_file *file, const char *path, vb_error *err) {
    *file = (vb_file){.fd = -1};
    if (!(file->path = vb_strdup(path, err))) return -1;
    file->fd = vb_file_descriptor(path, &file->size, err);
    if (file->fd >= 0) return 0;
    vb_file_close(file);
    return -1;
}

int vb_file_read(const vb_file *file, uint64_t offset, void *buffer, size_t size, vb_error *err) {
    assert(file->fd >= 0);
    uint8_t *at = buffer;
    size_t done = 0;
    while (done < size) {
        int fault = vb_fault(VB_FAULT_READ);
        ssize_t n = -1;
        if (fault == VB_FAULT_SHORT) n = 0;
        else if (fault) errno = fault;
        else n = pread(file->fd, at + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return vb_errorf(err, VB_EMISSING, "%s: offset %llu: cannot read: %s", file->path,
                             (unsigned long long)(offset + done), strerror(errno));
        if (!n)
            return vb_errorf(err, VB_EDATA, "%s: truncated: wanted %zu bytes at offset %llu, the file ends after %zu of them",
                             file->path, size, (unsigned long long)offset, done);
        done += (size_t)n;
    }
    return 0;
}

void vb_file_prefetch(const vb_file *file, uint64_t offset, uint64_t bytes) {
    posix_fadvise(file->fd, (off_t)offset, (off_t)bytes, POSIX_FADV_WILLNEED);
}

void vb_file_close(vb_file *file) {
    if (file->fd >= 0) close(file->fd);
    vb_free(file->path);
    *file = (vb_file){.fd = -1};
}

int vb_file_read_whole(const char *path, size_t limit, uint8_t **bytes, size_t *size, vb_error *err) {
    *bytes = NULL;
    *size = 0;
    vb_file file;
    if (vb_file_open(&file, path, err)) return -1;
    int status = -1;
    uint8_t *buffer = NULL;
    if (file.size > limit)
        vb_errorf(err, VB_EDATA, "%s: %llu bytes, at most %zu are expected of such a file", path, (unsigned long long)file.size,
                  limit);
    else if ((buffer = vb_array(file.size + 1, 1, path, err)) && !vb_file_read(&file, 0, buffer, file.size, err)) {
        *bytes = buffer;
        *size = file.size;
        buffer = NULL;
        status = 0;
    }
    vb_free(buffer);
    vb_file_close(&file);
    return status;
}

void vb_file_read_proc(const char *path, char *text, size_t size) {
    int file = vb_descriptor_open(path, O_RDONLY, 0);
    ssize_t n = file < 0 ? -1 : vb_descriptor_read(file, text, size - 1);
    text[n < 0 ? 0 : n] = 0;
    if (file >= 0) close(file);
}
