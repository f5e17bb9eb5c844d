/* Whole files mapped read-only: every process of a machine shares the pages.
 *
 * A file that is cut short under its map would end the process by SIGBUS. Here the lost bytes read as zeros from then on, and
 * vb_map_check tells: who uses a map for long calls it before anything that was computed from the map is kept. */
#ifndef VB_MAP_H
#define VB_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "shards/files/identity.h"

typedef struct vb_map {
    const uint8_t *data; /* aligned to a page; "" for a file of size 0 */
    size_t size;
    char *path;           /* NULL: of memory, not of a file */
    vb_identity identity; /* at opening */
    int slot;             /* of the table of maps, from 1; 0: in none */
} vb_map;

/* VB_EMISSING as vb_file_open, VB_EMEMORY when it cannot be mapped; the map is empty then. Close with vb_map_close. Installs the
 * handler of SIGBUS unless it is in place; it leaves faults elsewhere to the handler before it. Thread-safe for different
 * maps. */
int vb_map_open(vb_map *map, const char *path, vb_error *err);
/* VB_EDATA, with the path and what is different, when the file is not what it was at opening, or bytes of it were lost: call it
 * after the last look at the map. 0 for what is no file's. Thread-safe. */
int vb_map_check(const vb_map *map, vb_error *err);
/* The same after work that may have failed: a file that changed is the reason then. Else status. */
int vb_map_judge(const vb_map *map, int status, vb_error *err);
/* The second half of the check alone: for a file that others may replace by an equal one. */
int vb_map_check_whole(const vb_map *map, vb_error *err);
/* What was read so far need not stay in this process's memory: reading it again fetches it anew. */
void vb_map_drop_pages(const vb_map *map);
void vb_map_close(vb_map *map); /* {0} and a map that is closed already are fine */

#endif
