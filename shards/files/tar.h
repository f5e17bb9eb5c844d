/* Tar archives: a strict reader of v7, ustar, GNU and pax archives, and a writer of deterministic ustar (pax where needed). */
#ifndef VB_TAR_H
#define VB_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shards/files/source.h"

enum { VB_TAR_BLOCK = 512 };

typedef struct vb_tar_entry {
    const char *name;      /* without leading "./"; valid until the next call; NULL at the end of the archive */
    char type;             /* '0' regular file, '1' hard link, '2' symbolic link, '5' folder; others as in the header */
    uint64_t header;       /* offset of the entry's first header block (the extended one, when it has one) */
    uint64_t offset, size; /* of its data; size 0 for everything but files */
} vb_tar_entry;

typedef struct vb_tar vb_tar;

/* Starts at `offset`, which must be a header (0, or vb_tar_entry.header of an earlier run). The source stays the caller's and may
 * be read in between. Not thread-safe. */
int vb_tar_open(vb_tar **tar, vb_source *source, uint64_t offset, vb_error *err);
void vb_tar_close(vb_tar *tar); /* NULL is fine */

/* The next entry. VB_EDATA with path and offset: wrong checksum, malformed number, extended header or name, data that reaches
 * beyond the end. VB_EUNSUPPORTED: sparse files, multi-volume archives, links with data.
 *
 * The end: an archive ends with two zero blocks; one is accepted where the file ends with it; after them only zeros may follow,
 * 256 MiB at most.
 * An archive that ends in any other way is VB_EDATA (truncated), even right after a whole entry: tar programs always write the
 * end, and a file cut there would lose samples in silence. */
int vb_tar_next(vb_tar *tar, vb_tar_entry *entry, vb_error *err);

/* Whether the block is a header with a right checksum: how an archive is told from other files. */
bool vb_tar_is_header(const uint8_t block[VB_TAR_BLOCK]);

/* Where a writer's bytes go: 0, or -1 with *err, which ends the writing. */
typedef struct vb_tar_sink {
    int (*write)(void *context, const void *bytes, size_t size, vb_error *err);
    void *context;
} vb_tar_sink;

/* One file: mode 0644, owner and group 0, time 0. Names over what ustar holds get a pax header. */
int vb_tar_write_file(const vb_tar_sink *sink, const char *name, const void *bytes, size_t size, vb_error *err);
/* The two zero blocks. */
int vb_tar_write_end(const vb_tar_sink *sink, vb_error *err);

#endif
