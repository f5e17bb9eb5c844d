/* Files that are written: temporary name, fsync, rename; a file under its final name is always whole. */
#ifndef VB_WRITER_H
#define VB_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_writer vb_writer;

/* Makes path's temporary sibling ".<name>.<word>.<machine>.<pid>.tmp", whose word nobody can foretell; what is there already, be
 * it a link, is never opened. Nothing is visible under `path` before vb_writer_commit. */
int vb_writer_open(vb_writer **writer, const char *path, vb_error *err);
/* Buffered: VB_EOUTPUT may come with a later write, or with the commit. Not thread-safe. */
int vb_writer_write(vb_writer *writer, const void *bytes, size_t size, vb_error *err);
int vb_writer_printf(vb_writer *writer, vb_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
uint64_t vb_writer_offset(const vb_writer *writer); /* bytes written so far */
/* Flushes, syncs, renames, syncs the folder; frees the writer either way. On failure the temporary file is removed. */
int vb_writer_commit(vb_writer *writer, vb_error *err);
void vb_writer_abandon(vb_writer *writer); /* removes the temporary file; NULL is fine */

/* Open, write and commit in one. */
int vb_writer_write_whole(const char *path, const void *bytes, size_t size, vb_error *err);
/* The same for a file that must not be there yet: of several that ask at once, on any machine, one gets *made. It is whole from
 * its first moment on, but where the file system has no hard links. */
int vb_writer_create_whole(const char *path, const void *bytes, size_t size, bool *made, vb_error *err);

/* Removes what killed writers have left in a folder and the folders below it: temporary files as above whose process was of this
 * machine and is no more, and those that nobody has written to for a day, whatever machine they are of. Hidden folders and links
 * are passed over; so is what cannot be read or removed, since nothing depends on it. Returns how many were removed. */
int64_t vb_writer_sweep_temporaries(const char *folder);

/* The same for the temporaries of one file, in its folder alone. */
int64_t vb_writer_sweep_beside(const char *path);

/* Writes text to a file of /proc or /sys in place, if that is allowed. No fault is injected here, and nothing depends on it. */
void vb_writer_write_proc(const char *path, const char *text);

#endif
