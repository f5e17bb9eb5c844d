/* Whole files mapped read-only: every process of a machine shares the pages. */
#ifndef VB_MAP_H
#define VB_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_map {
    const uint8_t *data; /* aligned to a page; "" for a file of size 0 */
    size_t size;
} vb_map;

/* VB_EMISSING as vb_file_open, VB_EMEMORY when it cannot be mapped; the map is empty then. Close with vb_map_close. */
int vb_map_open(vb_map *map, const char *path, vb_error *err);
/* What was read so far need not stay in this process's memory: reading it again fetches it anew. */
void vb_map_drop_pages(const vb_map *map);
void vb_map_close(vb_map *map); /* {0} and a map that is closed already are fine */

#endif
