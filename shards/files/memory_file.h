/* Files in memory, without a name: one process makes one, others of the machine open it by its descriptor in /proc. Nothing of it
 * is left when those that have it end, however they do. */
#ifndef VB_MEMORY_FILE_H
#define VB_MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* Where it is, in numbers that can be sent to others; `fd` -1: there is none. Device and inode tell it from another process's of
 * the same number, where processes of a machine are numbered each for themselves (containers). */
typedef struct vb_memory_file {
    int64_t pid, fd, device, inode;
} vb_memory_file;

/* `size` bytes; `what` is for messages. Without an error fd is -1 where the system has no such files. VB_EMEMORY: all of its
 * pages are asked for now, later a lack of them would end the process by SIGBUS. */
int vb_memory_file_make(vb_memory_file *at, size_t size, const char *what, vb_error *err);
/* A descriptor of another process's, or -1 where the system does not let this one open it. */
int vb_memory_file_open(const vb_memory_file *at);
/* Its bytes, shared, to read and write. VB_EMEMORY. */
int vb_memory_file_map(int fd, size_t size, const char *what, void **data, vb_error *err);
void vb_memory_file_close(int fd); /* maps stay; -1 is fine */
void vb_memory_file_unmap(void *data, size_t size);

#endif
