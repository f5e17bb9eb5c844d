/* The certified 8-bit copy of an embedding corpus: a folder with manifest.json, mean.npy and one .vbq file for each part.
 * docs/formats.md has the layout. Groups of codes have checksums, seeded by all that codes mean something with, so that none is
 * read that was changed, moved, or made with another mean. */
#ifndef VB_QUANTIZED_H
#define VB_QUANTIZED_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/search/coder.h"
#include "shards/embeddings/corpus.h"
#include "shards/files/writer.h"

typedef struct vb_quantized_part {
    char *file, *source; /* names without folders */
    int64_t rows;
    vb_dtype dtype;
    uint64_t bytes, file_bytes;
    vb_digest digest; /* of the source */
} vb_quantized_part;

typedef struct vb_quantized {
    char *folder;
    int dim, width;
    vb_similarity similarity;
    uint64_t seed; /* below 2^63 */
    float *mean;
    int64_t rows, not_finite, zero;
    size_t part_count;
    vb_quantized_part *parts;
} vb_quantized;

/* Reads the manifest and the mean; `files`: and checks every .vbq file's size. VB_EMISSING, VB_EDATA (strict: unknown or missing
 * keys, numbers that contradict each other), VB_EUNSUPPORTED (other schemas). Local. */
int vb_quantized_open(vb_quantized *copy, const char *folder, bool files, vb_error *err);
void vb_quantized_close(vb_quantized *copy); /* {0} is fine */

/* Whether it is a copy of this corpus: part by part names, rows, element types and sizes. VB_EMISMATCH names the first that
 * differs. */
int vb_quantized_matches(const vb_quantized *copy, const vb_corpus *corpus, vb_error *err);

/* Writes manifest.json and mean.npy: the last step of making a copy. */
int vb_quantized_write(const vb_quantized *copy, vb_error *err);

/* The size of a .vbq file. */
uint64_t vb_quantized_file_bytes(int64_t rows, int width);

/* A .vbq file while it is written. */
typedef struct vb_quantized_writer {
    vb_writer *out;
    int width;
    uint64_t key, *sums; /* of the groups so far */
    int64_t groups, count;
} vb_quantized_writer;
/* Part `part` of the copy, whose dim, width, similarity, seed and mean are set. */
int vb_quantized_part_begin(vb_quantized_writer *writer, const vb_quantized *copy, size_t part, const char *path, int64_t rows,
                            vb_error *err);
/* The next groups: not more in all than the rows make. */
int vb_quantized_part_add(vb_quantized_writer *writer, const void *groups, int64_t count, vb_error *err);
/* Commits the file when status is 0, else removes it; returns status, or -1. After a begin that succeeded, once. */
int vb_quantized_part_end(vb_quantized_writer *writer, int status, vb_error *err);

/* One thread's place in a copy: keeps one file open. */
typedef struct vb_quantized_reader {
    const vb_quantized *copy;
    size_t part; /* the open one; copy->part_count when there is none */
    uint64_t key;
    vb_file file;
} vb_quantized_reader;
void vb_quantized_reader_open(vb_quantized_reader *reader,
                              const vb_quantized *copy); /* opens no file yet; the copy must outlive it */
void vb_quantized_reader_close(vb_quantized_reader *reader);
/* Groups first .. first + count - 1 of a part. The header is checked when a part is opened, checksums always: VB_EDATA. */
int vb_quantized_read(vb_quantized_reader *reader, size_t part, int64_t first, int64_t count, void *out, vb_error *err);
/* A hint that those groups of the part that was read last will be read soon. */
void vb_quantized_expect(const vb_quantized_reader *reader, int64_t first, int64_t count);

#endif
