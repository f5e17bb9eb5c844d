/* Embedding corpora: parts in name order, read window by window, never whole.
 *
 * A corpus is a folder (its img_emb/ when it has one, as clip-retrieval writes, else the folder itself), a glob, or one file.
 * Parts are .npy files (fp32 or fp16, rows x dimensions, C order) or .safetensors files with one tensor of two dimensions (fp32,
 * fp16 or bf16); in a folder all files of these names are parts. Rows are numbered over the parts in the byte order of their
 * paths. Parts may differ in rows and in element type, not in dimensions. */
#ifndef VB_CORPUS_H
#define VB_CORPUS_H

#include "kernels/base/tensor.h"
#include "shards/files/digest.h"
#include "shards/files/file.h"
#include "shards/files/identity.h"

typedef struct vb_corpus_part {
    char *path;
    int64_t first, rows; /* global number of its first row */
    vb_dtype dtype;
    uint64_t offset, bytes; /* where its rows begin; size of the file */
    vb_identity identity;   /* of the file whose header was read */
} vb_corpus_part;

typedef struct vb_corpus {
    char *name; /* as it was asked for */
    int64_t rows;
    int dim;
    size_t part_count;
    vb_corpus_part *parts;
} vb_corpus;

/* Reads the headers of all parts. VB_EMISSING: nothing there; VB_EDATA: a part that is cut off or none; VB_EMISMATCH: parts of
 * different dimensions (both are named); VB_EUNSUPPORTED: other element types or orders. Thread-safe. */
int vb_corpus_open(vb_corpus *corpus, const char *name, vb_error *err);
/* The same of stated files in the stated order. */
int vb_corpus_open_files(vb_corpus *corpus, const char *name, const char *const *paths, size_t count, vb_error *err);
void vb_corpus_close(vb_corpus *corpus); /* {0} is fine */

/* The part table as bytes (free with vb_free) and back, so that one rank can read the headers for all. */
int vb_corpus_pack(const vb_corpus *corpus, void **bytes, size_t *size, vb_error *err);
int vb_corpus_unpack(vb_corpus *corpus, const void *bytes, size_t size, vb_error *err);

/* The part that holds the row. */
size_t vb_corpus_find(const vb_corpus *corpus, int64_t row);

/* Fixed pieces of work: consecutive rows of one part, at most `rows` each; a function of the part table alone. */
typedef struct vb_corpus_block {
    size_t part;
    int64_t first, rows; /* `first` counts from the part's first row */
} vb_corpus_block;
/* All of them in order, in a new array (vb_free). */
int vb_corpus_blocks(const vb_corpus *corpus, int64_t rows, vb_corpus_block **blocks, int64_t *count, vb_error *err);

/* One thread's place in a corpus: keeps one part open. */
typedef struct vb_corpus_reader {
    const vb_corpus *corpus;
    size_t part; /* the open one; corpus->part_count when there is none */
    vb_file file;
} vb_corpus_reader;
void vb_corpus_reader_open(vb_corpus_reader *reader, const vb_corpus *corpus); /* opens no file yet; the corpus must outlive it */
void vb_corpus_reader_close(vb_corpus_reader *reader);

/* Rows first .. first + rows - 1 of a part, as they are stored, into `out`. A file that has changed its size since the table was
 * made is VB_EDATA. */
int vb_corpus_read_rows(vb_corpus_reader *reader, size_t part, int64_t first, int64_t rows, void *out, vb_error *err);
/* A hint that those rows of the part that was read last will be read soon. */
void vb_corpus_expect_rows(const vb_corpus_reader *reader, int64_t first, int64_t rows);

/* Identifies the corpus for checkpoints: paths' last parts, shapes, element types, and which files they were in what state, which
 * stands for the bytes. */
int vb_corpus_digest(const vb_corpus *corpus, vb_digest *digest, vb_error *err);

#endif
