/* Captions as they lie beside embedding parts or alone: JSON lines, TSV, text and JSON, plain or .zst, read as a stream of
 * rows. */
#ifndef VB_CAPTIONS_H
#define VB_CAPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_captions vb_captions;

/* The form is told by the suffix (before .zst):
 *   .jsonl .ndjson   one object a line, the caption under `column` ["caption"];
 *   .tsv             `column` is a number from 1, or a name in the header line; without it the header must name "caption";
 *   .txt             one caption a line; a column is VB_EMISMATCH;
 *   .json            a list of texts or of objects, or COCO's {"annotations": [...]} with the caption under `column` ["caption"].
 * A field of a TSV that is quoted as pandas and spreadsheets write it is unquoted; JSON may hold Python's NaN and Infinity. A
 * byte order mark is dropped, lines end in LF or CR LF. VB_EUNSUPPORTED for other suffixes; Parquet's message carries the
 * one-line recipe. Memory: one line (at most 16 MiB), a .json file whole. */
int vb_captions_open(vb_captions **captions, const char *path, const char *column, vb_error *err);
void vb_captions_close(vb_captions *captions); /* NULL is fine */

/* The next row's caption, NUL-terminated, valid until the next call; *text is NULL at the end. A null caption is "".
 * *odd is NULL, or "NAME:LINE: why" (the name of the file) when the row's caption cannot be used, which is no error: broken JSON,
 * a caption that is no text, invalid UTF-8 or a NUL in it, an empty line between JSON lines, no such column, a line of over 16
 * MiB. Not thread-safe. */
int vb_captions_next(vb_captions *captions, const char **text, const char **odd, vb_error *err);
/* Passes over the next row, whatever is in it; *found is false at the end. */
int vb_captions_skip(vb_captions *captions, bool *found, vb_error *err);

/* The rows of a file that `rows` (ascending, distinct) names: texts[i] is a new string (vb_free), odd[i] another one or NULL.
 * When expected_rows >= 0 the whole file is counted: another number is VB_EMISMATCH. A row beyond the end is VB_EMISMATCH too. On
 * failure no text is left allocated. */
int vb_captions_pick(const char *path, const char *column, const int64_t *rows, size_t count, int64_t expected_rows, char **texts,
                     char **odd, vb_error *err);

#endif
