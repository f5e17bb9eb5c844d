/* System calls on files that a signal with a handler may end early (EINTR): made again. Slurm's notice, or a stop that is looked
 * at elsewhere, is no reason for a file not to open. */
#ifndef VB_DESCRIPTOR_H
#define VB_DESCRIPTOR_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* open with O_CLOEXEC; files that O_CREAT makes have the mode. -1 with errno. */
int vb_descriptor_open(const char *path, int flags, mode_t mode);
/* opendir; NULL with errno. */
DIR *vb_descriptor_open_folder(const char *path);
/* read; -1 with errno. */
ssize_t vb_descriptor_read(int fd, void *bytes, size_t size);
/* write of all bytes; -1 with errno. */
int vb_descriptor_write(int fd, const void *bytes, size_t size);
/* fsync; -1 with errno. */
int vb_descriptor_sync(int fd);
/* flock; -1 with errno. Where it waits a stop waits, too: for locks that are held for a moment. */
int vb_descriptor_lock(int fd, int how);
/* posix_fallocate from the file's beginning: 0, or its error code. */
int vb_descriptor_allocate(int fd, uint64_t size);

#endif
