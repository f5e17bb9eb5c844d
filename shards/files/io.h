/* Files: every open, read, write, sync, rename and map of the house passes here, so that faults can be injected. */
#ifndef VB_IO_H
#define VB_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* ---- reading ---- */

/* A whole file mapped read-only (shared by every process of the node). Zero-length files give size 0 and data "". */
typedef struct vb_map {
    const uint8_t *data;
    size_t size;
} vb_map;
int vb_map_open(vb_map *map, const char *path, vb_error *err);
void vb_map_close(vb_map *map);
/* What was read so far need not stay in this process's memory: reading it again fetches it anew. */
void vb_map_drop_pages(const vb_map *map);

/* Reads the whole file into memory of its own, NUL-terminated beyond *size; VB_EDATA when larger than `limit` bytes. Free with
 * vb_free. */
int vb_file_read_whole(const char *path, size_t limit, uint8_t **bytes, size_t *size, vb_error *err);

/* For files of /proc and /sys, which have no size: reads what fits into text, always NUL-terminated; "" when it cannot be read.
 * No fault is injected here: they tell of the machine, and no result depends on them. */
void vb_file_read_proc(const char *path, char *text, size_t size);
/* Writes text to such a file, if that is allowed. */
void vb_writer_write_proc(const char *path, const char *text);

/* Positional reads. A file that ends early is VB_EDATA with path, offset, wanted and found bytes. */
typedef struct vb_file {
    int fd;
    uint64_t size;
    char *path;
} vb_file;
int vb_file_open(vb_file *file, const char *path, vb_error *err);
int vb_file_read(const vb_file *file, uint64_t offset, void *buffer, size_t size, vb_error *err);
/* Tells the system that these bytes will be read soon, which begins to fetch them. A hint: nothing is waited for, nothing can
 * fail. */
void vb_file_prefetch(const vb_file *file, uint64_t offset, uint64_t bytes);
void vb_file_close(vb_file *file);

/* ---- writing: temporary name, fsync, rename; a file under its final name is always whole ---- */

typedef struct vb_writer vb_writer;
/* Opens path's temporary sibling ".<name>.<machine>.<pid>.tmp". Nothing is visible under `path` before vb_writer_commit. */
int vb_writer_open(vb_writer **writer, const char *path, vb_error *err);
int vb_writer_write(vb_writer *writer, const void *bytes, size_t size, vb_error *err); /* buffered */
int vb_writer_printf(vb_writer *writer, vb_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
uint64_t vb_writer_offset(const vb_writer *writer); /* bytes written so far */
/* Flushes, syncs, renames, syncs the folder; frees the writer either way. On failure the temporary file is removed. */
int vb_writer_commit(vb_writer *writer, vb_error *err);
void vb_writer_abandon(vb_writer *writer); /* removes the temporary file; NULL is fine */

/* Removes what killed writers have left in a folder and the folders below it: temporary files as above whose process was of this
 * machine and is no more, and those that nobody has written to for a day, whatever machine they are of. Hidden folders and links
 * are passed over; so is what cannot be read or removed, since nothing depends on it. Returns how many were removed. */
int64_t vb_writer_sweep_temporaries(const char *folder);

/* All three in one. */
int vb_writer_write_whole(const char *path, const void *bytes, size_t size, vb_error *err);

/* ---- names ---- */

int vb_path_make_folders(const char *path, vb_error *err); /* mkdir -p */
bool vb_path_exists(const char *path);
/* `path` behind the current folder unless it begins with a slash: links and globs stay as they are. Free with vb_free. */
char *vb_path_absolute(const char *path, vb_error *err);
bool vb_path_is_folder(const char *path);
/* printf into a new string; free with vb_free. */
char *vb_format(vb_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The last part of a path. Points into it. */
const char *vb_path_base_name(const char *path);
bool vb_path_ends_with(const char *text, const char *suffix);

/* Paths that match a glob (with {a,b} braces and {00000..00041} ranges, no ~), or the path itself when there is one of that name;
 * in byte order. VB_EMISSING when nothing matches, and when a number of a range is missing. */
typedef struct vb_paths {
    size_t count;
    char **items;
} vb_paths;
int vb_path_glob(vb_paths *paths, const char *pattern, vb_error *err);
/* Entries of a folder except hidden ones (leading dot), names only, in byte order. */
int vb_path_list_folder(vb_paths *names, const char *folder, vb_error *err);
void vb_path_list_free(vb_paths *paths);

#endif
