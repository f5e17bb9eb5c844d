/* Embedding corpora: finding parts, reading their headers, reading their rows. */
#include "shards/embeddings/corpus.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/embeddings/npy.h"
#include "shards/files/path.h"
#include "shards/weights/safetensors.h"
#include "shards/weights/weights.h"

/* ---- which files ---- */

static bool is_part(const char *path) { return vb_path_ends_with(path, ".npy") || vb_path_ends_with(path, ".safetensors"); }

static int list_parts(vb_strings *paths, const char *name, vb_error *err) {
    char *inner = vb_format(err, "%s/img_emb", name);
    if (!inner) return -1;
    const char *folder = vb_path_is_folder(inner) ? inner : name;
    vb_strings names;
    int status = vb_path_list_folder(&names, folder, err);
    *paths = (vb_strings){0};
    for (size_t i = 0; !status && i < names.count; i++) {
        if (!is_part(names.items[i])) continue;
        status = vb_strings_take(paths, vb_format(err, "%s/%s", folder, names.items[i]), err);
    }
    if (!status && !paths->count)
        status = vb_errorf(err, VB_EMISSING, "%s: no embedding parts (.npy or .safetensors) in this folder", folder);
    if (status) vb_strings_free(paths);
    vb_strings_free(&names);
    vb_free(inner);
    return status;
}

/* ---- headers ---- */

static int take_tensor(vb_corpus_part *part, const vb_tensor *tensor, const vb_map *map, int *dim, vb_error *err) {
    if (tensor->ndim != 2)
        return vb_errorf(err, VB_EDATA, "%s: an array of %d dimension%s, expected embeddings of 2: rows x dimensions", part->path,
                         tensor->ndim, tensor->ndim == 1 ? "" : "s");
    if (tensor->dtype != VB_F32 && tensor->dtype != VB_F16 && tensor->dtype != VB_BF16)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: elements of type %s, expected fp32, fp16 or bf16", part->path,
                         vb_dtype_name(tensor->dtype));
    if (tensor->shape[1] < 1 || tensor->shape[1] > 65536 || (tensor->shape[0] > 1 && tensor->stride[0] != tensor->shape[1]))
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: rows of %" PRId64 " elements, expected 1 to 65536, row after row", part->path,
                         tensor->shape[1]);
    part->rows = tensor->shape[0];
    part->dtype = tensor->dtype;
    part->offset = (uint64_t)((const uint8_t *)tensor->data - map->data);
    part->bytes = map->size;
    part->identity = map->identity;
    *dim = (int)tensor->shape[1];
    return 0;
}

static int read_safetensors(vb_corpus_part *part, int *dim, vb_error *err) {
    vb_map map;
    vb_tensor_set set;
    void *storage = NULL;
    if (vb_map_open(&map, part->path, err)) return -1;
    int status = vb_safetensors_parse(&set, &storage, &map, part->path, err);
    if (!status && set.count != 1)
        status = vb_errorf(err, VB_EDATA, "%s: %zu tensors, expected one, the embeddings", part->path, set.count);
    if (!status) status = take_tensor(part, &set.items[0].tensor, &map, dim, err);
    vb_free(storage);
    vb_map_close(&map);
    return status;
}

static int read_part_header(vb_corpus_part *part, int *dim, vb_error *err) {
    if (vb_path_ends_with(part->path, ".safetensors")) return read_safetensors(part, dim, err);
    vb_npy npy;
    if (vb_npy_open(&npy, part->path, err)) return -1;
    int status = take_tensor(part, &npy.tensor, &npy.map, dim, err);
    vb_npy_close(&npy);
    return status;
}

int vb_corpus_open_files(vb_corpus *corpus, const char *name, const char *const *paths, size_t count, vb_error *err) {
    *corpus = (vb_corpus){0};
    int status = -1;
    if (!(corpus->name = vb_strdup(name, err))) goto done;
    if (!(corpus->parts = vb_array(count, sizeof *corpus->parts, "parts of a corpus", err))) goto done;
    for (size_t i = 0; i < count; i++) {
        vb_corpus_part *part = &corpus->parts[i];
        int dim;
        if (!(part->path = vb_strdup(paths[i], err))) goto done;
        corpus->part_count++;
        part->first = corpus->rows;
        if (read_part_header(part, &dim, err)) goto done;
        if (i && dim != corpus->dim) {
            vb_errorf(err, VB_EMISMATCH, "%s: rows of %d dimensions, those of %s have %d", part->path, dim, corpus->parts[0].path,
                      corpus->dim);
            goto done;
        }
        corpus->dim = dim;
        corpus->rows += part->rows;
    }
    status = 0;
done:
    if (status) vb_corpus_close(corpus);
    return status;
}

int vb_corpus_open(vb_corpus *corpus, const char *name, vb_error *err) {
    *corpus = (vb_corpus){0};
    vb_strings paths = {0};
    if (vb_path_is_folder(name) ? list_parts(&paths, name, err) : vb_path_glob(&paths, name, err)) return -1;
    int status = vb_corpus_open_files(corpus, name, (const char *const *)paths.items, paths.count, err);
    vb_strings_free(&paths);
    return status;
}

void vb_corpus_close(vb_corpus *corpus) {
    for (size_t i = 0; i < corpus->part_count; i++) vb_free(corpus->parts[i].path);
    vb_free(corpus->parts);
    vb_free(corpus->name);
    *corpus = (vb_corpus){0};
}

/* ---- the table as bytes: numbers of the corpus, numbers of the parts, then all names ---- */

typedef struct packed_part {
    int64_t rows, dtype;
    uint64_t offset, bytes, name;
    vb_identity identity;
} packed_part;
static_assert(sizeof(packed_part) == 72, "sent as it lies in memory");
typedef struct packed_corpus {
    int64_t dim;
    uint64_t part_count, name;
} packed_corpus;
static_assert(sizeof(packed_corpus) == 24, "sent as it lies in memory");

int vb_corpus_pack(const vb_corpus *corpus, void **bytes, size_t *size, vb_error *err) {
    packed_corpus head = {corpus->dim, corpus->part_count, strlen(corpus->name)};
    *size = sizeof head + corpus->part_count * sizeof(packed_part) + head.name;
    for (size_t i = 0; i < corpus->part_count; i++) *size += strlen(corpus->parts[i].path);
    char *block = vb_array(*size, 1, "parts of a corpus", err), *names;
    if (!(*bytes = block)) return -1;
    memcpy(block, &head, sizeof head);
    names = block + sizeof head + corpus->part_count * sizeof(packed_part);
    memcpy(names, corpus->name, head.name);
    names += head.name;
    for (size_t i = 0; i < corpus->part_count; i++) {
        const vb_corpus_part *part = &corpus->parts[i];
        packed_part packed = {part->rows, part->dtype, part->offset, part->bytes, strlen(part->path), part->identity};
        memcpy(block + sizeof head + i * sizeof packed, &packed, sizeof packed);
        memcpy(names, part->path, packed.name);
        names += packed.name;
    }
    return 0;
}

/* Fills an empty corpus. *whole says whether the table is as long as it states; what is missing then is no lack of memory. */
static int unpack_parts(vb_corpus *corpus, const char *block, size_t size, bool *whole, vb_error *err) {
    packed_corpus head;
    const char *end = block + size;
    *whole = false;
    if (size < sizeof head) return -1;
    memcpy(&head, block, sizeof head);
    if (head.part_count > (size - sizeof head) / sizeof(packed_part)) return -1;
    const char *names = block + sizeof head + head.part_count * sizeof(packed_part);
    if (head.name > (size_t)(end - names)) return -1;
    *whole = true;
    corpus->dim = (int)head.dim;
    if (!(corpus->name = vb_strndup(names, head.name, err))) return -1;
    if (!(corpus->parts = vb_array(head.part_count, sizeof *corpus->parts, "parts of a corpus", err))) return -1;
    names += head.name;
    for (size_t i = 0; i < head.part_count; i++) {
        packed_part packed;
        memcpy(&packed, block + sizeof head + i * sizeof packed, sizeof packed);
        int64_t rows;
        *whole =
            packed.name <= (size_t)(end - names) && packed.rows >= 0 && !__builtin_add_overflow(corpus->rows, packed.rows, &rows);
        if (!*whole) return -1;
        char *path = vb_strndup(names, packed.name, err);
        if (!path) return -1;
        names += packed.name;
        corpus->parts[i] = (vb_corpus_part){path,          corpus->rows, packed.rows,    (vb_dtype)packed.dtype,
                                            packed.offset, packed.bytes, packed.identity};
        corpus->part_count++;
        corpus->rows = rows;
    }
    *whole = names == end;
    return *whole ? 0 : -1;
}

int vb_corpus_unpack(vb_corpus *corpus, const void *bytes, size_t size, vb_error *err) {
    *corpus = (vb_corpus){0};
    bool whole;
    if (!unpack_parts(corpus, bytes, size, &whole, err)) return 0;
    if (!whole) vb_errorf(err, VB_EINTERNAL, "the part table did not arrive whole");
    vb_corpus_close(corpus);
    return -1;
}

int vb_corpus_digest(const vb_corpus *corpus, vb_digest *digest, vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    for (size_t i = 0; i < corpus->part_count; i++) {
        const vb_corpus_part *part = &corpus->parts[i];
        int64_t numbers[] = {part->rows, corpus->dim, part->dtype, (int64_t)part->offset, (int64_t)part->bytes};
        vb_digest_add_text(digester, vb_path_base_name(part->path));
        vb_digest_add(digester, numbers, sizeof numbers);
        vb_digest_add(digester, &part->identity, sizeof part->identity);
    }
    *digest = vb_digest_finish(digester);
    return 0;
}

/* ---- pieces and rows ---- */

size_t vb_corpus_find(const vb_corpus *corpus, int64_t row) {
    size_t low = 0, high = corpus->part_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (corpus->parts[middle].first <= row) low = middle;
        else high = middle;
    }
    return low; /* the last of those that begin at or before it: empty parts before it are passed over */
}

int vb_corpus_blocks(const vb_corpus *corpus, int64_t rows, vb_corpus_block **blocks, int64_t *count, vb_error *err) {
    assert(rows > 0);
    *count = 0;
    for (size_t i = 0; i < corpus->part_count; i++) *count += (corpus->parts[i].rows + rows - 1) / rows;
    vb_corpus_block *block = *blocks = vb_array((size_t)*count, sizeof *block, "blocks of a corpus", err);
    if (!block) return -1;
    for (size_t i = 0; i < corpus->part_count; i++)
        for (int64_t at = 0, all = corpus->parts[i].rows; at < all; at += rows)
            *block++ = (vb_corpus_block){i, at, all - at < rows ? all - at : rows};
    return 0;
}

void vb_corpus_reader_open(vb_corpus_reader *reader, const vb_corpus *corpus) {
    *reader = (vb_corpus_reader){.corpus = corpus, .part = corpus->part_count, .file = {.fd = -1}};
}

void vb_corpus_reader_close(vb_corpus_reader *reader) {
    if (reader->part < reader->corpus->part_count) vb_file_close(&reader->file);
    reader->part = reader->corpus->part_count;
}

int vb_corpus_read_rows(vb_corpus_reader *reader, size_t part, int64_t first, int64_t rows, void *out, vb_error *err) {
    assert(part < reader->corpus->part_count && first >= 0 && rows >= 0);
    const vb_corpus_part *from = &reader->corpus->parts[part];
    if (reader->part != part) {
        vb_corpus_reader_close(reader);
        if (vb_file_open(&reader->file, from->path, err)) return -1;
        reader->part = part;
        if (reader->file.size != from->bytes)
            return vb_errorf(err, VB_EDATA, "%s: %" PRIu64 " bytes, %" PRIu64 " when the scan began: the file has changed",
                             from->path, reader->file.size, from->bytes);
    }
    uint64_t row_bytes = (uint64_t)reader->corpus->dim * vb_dtype_size(from->dtype);
    return vb_file_read(&reader->file, from->offset + (uint64_t)first * row_bytes, out, (size_t)((uint64_t)rows * row_bytes),
                        err);
}

void vb_corpus_expect_rows(const vb_corpus_reader *reader, int64_t first, int64_t rows) {
    if (reader->part >= reader->corpus->part_count) return;
    const vb_corpus_part *from = &reader->corpus->parts[reader->part];
    uint64_t row_bytes = (uint64_t)reader->corpus->dim * vb_dtype_size(from->dtype);
    vb_file_prefetch(&reader->file, from->offset + (uint64_t)first * row_bytes, (uint64_t)rows * row_bytes);
}
