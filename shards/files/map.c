/* Whole files mapped read-only. */
#include "shards/files/map.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "shards/files/file.h"

int vb_map_open(vb_map *map, const char *path, vb_error *err) {
    *map = (vb_map){(const uint8_t *)"", 0};
    uint64_t size;
    int fd = vb_file_descriptor(path, &size, err);
    if (fd < 0) return -1;
    int status = 0;
    if (size) {
        int fault = vb_fault(VB_FAULT_MMAP);
        void *data = MAP_FAILED;
        if (fault) errno = fault > 0 ? fault : ENOMEM;
        else data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            status = vb_errorf(err, VB_EMEMORY, "%s: cannot map %llu bytes: %s", path, (unsigned long long)size, strerror(errno));
        else *map = (vb_map){data, size};
    }
    close(fd);
    return status;
}

void vb_map_drop_pages(const vb_map *map) {
    if (map->size) madvise((void *)(uintptr_t)map->data, map->size, MADV_DONTNEED);
}

void vb_map_close(vb_map *map) {
    if (map->size) munmap((void *)(uintptr_t)map->data, map->size);
    *map = (vb_map){(const uint8_t *)"", 0};
}
