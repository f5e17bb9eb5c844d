/* zstd files: the seekable format (read at any place, written with frames cut by the caller) and plain .zst as a forward stream.
 *
 * Source: zstd's contrib/seekable_format description, version 0.1.0: ordinary frames, then one skippable frame (0x184D2A5E) with
 * the sizes of every frame, a footer and the magic 0x8F92EAB1. Every zstd program reads such a file as an ordinary one. */
#ifndef VB_ZST_H
#define VB_ZST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* ---- reading ---- */

typedef struct vb_zst vb_zst;

/* Whether a file that begins with these bytes is zstd (a frame or a skippable frame). */
bool vb_zst_magic(const uint8_t *bytes, size_t size);

/* With a seek table: checks it against the size of the file (VB_EDATA: sizes that do not add up, reserved bits; VB_EUNSUPPORTED:
 * a frame over 1 GiB). Without: a stream, read from its beginning. Not thread-safe: one reader a thread. */
int vb_zst_open(vb_zst **zst, const char *path, vb_error *err);
void vb_zst_close(vb_zst *zst); /* NULL is fine */

/* True with the decompressed size when a seek table states it. */
bool vb_zst_size(const vb_zst *zst, uint64_t *size);

/* Where reading goes on at no cost: the stream's position, or 0 with a seek table (every place is equally near). */
uint64_t vb_zst_position(const vb_zst *zst);

/* `size` decompressed bytes from `offset`; *got is smaller only at the end of the data. VB_EDATA with path and compressed offset
 * for a corrupt or truncated frame, a frame whose decompressed size is not the stated one, or a wrong checksum: with a seek table
 * nothing of a frame is handed out before the whole frame is verified. Memory: one frame with a seek table, zstd's window (at
 * most 128 MiB) without. A stream that is asked for an earlier offset starts again from its beginning. */
int vb_zst_read(vb_zst *zst, uint64_t offset, void *buffer, size_t size, size_t *got, vb_error *err);

/* ---- writing ---- */

typedef struct vb_zst_writer vb_zst_writer;

/* Atomic as vb_writer is: nothing under `path` before commit. Level 1 to 19. The same input, cuts and zstd version give the same
 * bytes. */
int vb_zst_writer_open(vb_zst_writer **writer, const char *path, int level, vb_error *err);
/* Adds to the frame that is open. A frame is kept in memory until it is cut, and cut by itself at 1 GiB. */
int vb_zst_writer_write(vb_zst_writer *writer, const void *bytes, size_t size, vb_error *err);
/* Ends the frame, if it holds anything. */
int vb_zst_writer_cut(vb_zst_writer *writer, vb_error *err);
size_t vb_zst_writer_frame_bytes(const vb_zst_writer *writer); /* decompressed bytes in the open frame */
/* Cuts, writes the seek table and commits; frees the writer either way. *bytes (or NULL): size of the file. */
int vb_zst_writer_commit(vb_zst_writer *writer, uint64_t *bytes, vb_error *err);
void vb_zst_writer_abandon(vb_zst_writer *writer); /* NULL is fine */

/* One frame of `size` bytes, in memory: frames behind one another make a .zst file. Free *packed with vb_free. */
int vb_zst_frame(const void *bytes, size_t size, int level, void **packed, size_t *packed_size, vb_error *err);

#endif
