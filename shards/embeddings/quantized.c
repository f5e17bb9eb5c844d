/* The 8-bit copy of a corpus on disk: its manifest, its files, and whether it belongs to a corpus. */
#include "shards/embeddings/quantized.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/embeddings/npy.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"

static const char SCHEMA[] = "vocabench.quantized/2", BEFORE[] = "vocabench.quantized/1", MAGIC[8] = "VBQINT8";
enum { VERSION = 2, HEADER = 64, LARGEST_MANIFEST = 1 << 28, SUMS = 256 /* that are read at once */ };
static const int64_t MOST_ROWS = (int64_t)1 << 40; /* of all parts: bytes of 65,536 dimensions, and sums, fit into 63 bits */

typedef struct part_header {
    char magic[8];
    int64_t version, width, rows, groups, reserved[3];
} part_header;
static_assert(sizeof(part_header) == HEADER, "written as it lies in memory");

static int64_t groups_of(int64_t rows) { return (rows + VB_CODER_GROUP - 1) / VB_CODER_GROUP; }

/* Where the groups end and their checksums begin. */
static uint64_t sums_at(int64_t rows, int width) { return HEADER + (uint64_t)groups_of(rows) * vb_coder_group_bytes(width); }

uint64_t vb_quantized_file_bytes(int64_t rows, int width) {
    return sums_at(rows, width) + (uint64_t)groups_of(rows) * sizeof(uint64_t);
}

/* Codes are offsets from the mean, rotated by what the seed draws, of rows or of their directions: under another of these, or in
 * another part, they would exclude other rows. */
static uint64_t key_of(const vb_quantized *copy, size_t part) {
    const uint64_t facts[] = {vb_digest_checksum(copy->mean, (size_t)copy->dim * sizeof *copy->mean, 0), copy->seed,
                              copy->similarity == VB_COSINE, (uint64_t)copy->dim, part};
    return vb_digest_checksum(facts, sizeof facts, 0);
}

static uint64_t sum_of(uint64_t key, int64_t group, const void *bytes, int width) {
    return vb_digest_checksum(bytes, vb_coder_group_bytes(width), key + (uint64_t)group);
}

static char *path_in(const char *folder, const char *name, vb_error *err) { return vb_format(err, "%s/%s", folder, name); }

/* ---- the manifest ---- */

static int dtype_of(const char *name, vb_dtype *dtype) {
    for (int i = 0; i <= VB_BF16; i++)
        if (!strcmp(vb_dtype_name((vb_dtype)i), name)) {
            *dtype = (vb_dtype)i;
            return 0;
        }
    return -1;
}

/* JSON_STRICT is not asked for: without memory it would say that keys are left over. */
static vb_code why_not_unpacked(const json_error_t *where) {
    return json_error_code(where) == json_error_out_of_memory ? VB_EMEMORY : VB_EDATA;
}

static int read_part(vb_quantized *copy, const json_t *json, const char *path, vb_error *err) {
    vb_quantized_part *part = &copy->parts[copy->part_count];
    const char *file, *source, *type, *digest;
    json_int_t rows, bytes, file_bytes;
    json_error_t where;
    if (json_unpack_ex((json_t *)(uintptr_t)json, &where, 0, "{s:s, s:s, s:I, s:s, s:I, s:s, s:I}", "file", &file, "source",
                       &source, "rows", &rows, "type", &type, "bytes", &bytes, "xxh3_128", &digest, "file_bytes", &file_bytes))
        return vb_errorf(err, why_not_unpacked(&where), "%s: parts[%zu]: %s", path, copy->part_count, where.text);
    if (json_object_size(json) != 7 || rows < 0 || rows > MOST_ROWS - copy->rows || bytes < 0 || strlen(digest) != 32 ||
        dtype_of(type, &part->dtype) || strchr(file, '/') || !*file ||
        file_bytes != (json_int_t)vb_quantized_file_bytes(rows, copy->width))
        return vb_errorf(err, VB_EDATA, "%s: parts[%zu]: numbers or names that cannot be", path, copy->part_count);
    copy->part_count++;
    part->rows = rows;
    part->bytes = (uint64_t)bytes;
    part->file_bytes = (uint64_t)file_bytes;
    memcpy(part->digest.hex, digest, sizeof part->digest.hex);
    part->file = vb_strdup(file, err);
    part->source = vb_strdup(source, err);
    return part->file && part->source ? 0 : -1;
}

static int read_coded_manifest(vb_quantized *copy, const json_t *json, const char *path, vb_error *err) {
    const char *schema, *similarity;
    json_int_t rows, dim, width, seed, not_finite, zero;
    json_t *parts;
    json_error_t where;
    schema = json_string_value(json_object_get(json, "schema"));
    if (schema && !strcmp(schema, BEFORE))
        return vb_errorf(err, VB_EDATA, "%s: schema %s, whose codes have no checksums, expected %s: make the copy again", path,
                         BEFORE, SCHEMA);
    if (!schema || strcmp(schema, SCHEMA))
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: not the manifest of a quantised corpus (schema %s)", path, SCHEMA);
    if (json_unpack_ex((json_t *)(uintptr_t)json, &where, 0, "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "schema", &schema,
                       "similarity", &similarity, "rows", &rows, "dimensions", &dim, "width", &width, "seed", &seed,
                       "rows_not_finite", &not_finite, "rows_zero", &zero, "parts", &parts))
        return vb_errorf(err, why_not_unpacked(&where), "%s: %s", path, where.text);
    bool cosine = !strcmp(similarity, "cosine");
    if (json_object_size(json) != 9 || dim < 1 || dim > 65536 || width != (dim + 63) / 64 * 64 || seed < 0 || not_finite < 0 ||
        zero < 0 || !json_is_array(parts) || (!cosine && strcmp(similarity, "dot")))
        return vb_errorf(err, VB_EDATA, "%s: numbers or names that cannot be", path);
    copy->dim = (int)dim;
    copy->width = (int)width;
    copy->similarity = cosine ? VB_COSINE : VB_DOT;
    copy->seed = (uint64_t)seed;
    copy->not_finite = not_finite;
    copy->zero = zero;
    if (!(copy->parts = vb_array(json_array_size(parts), sizeof *copy->parts, "parts of a quantised corpus", err))) return -1;
    for (size_t i = 0; i < json_array_size(parts); i++) {
        if (read_part(copy, json_array_get(parts, i), path, err)) return -1;
        copy->rows += copy->parts[i].rows;
    }
    if (copy->rows != rows || not_finite > rows || zero > rows - not_finite)
        return vb_errorf(err, VB_EDATA, "%s: %" PRId64 " rows in its parts, %lld stated", path, copy->rows, (long long)rows);
    return 0;
}

static int read_mean(vb_quantized *copy, vb_error *err) {
    char *path = path_in(copy->folder, "mean.npy", err);
    vb_npy npy;
    if (!path) return -1;
    int status = vb_npy_open(&npy, path, err);
    if (!status) {
        const vb_tensor *tensor = &npy.tensor;
        if (tensor->dtype != VB_F32 || tensor->ndim != 1 || tensor->shape[0] != copy->dim)
            status = vb_errorf(err, VB_EDATA, "%s: expected %d values of type fp32", path, copy->dim);
        else if (!(copy->mean = vb_array((size_t)copy->dim, sizeof *copy->mean, "mean of a corpus", err))) status = -1;
        else memcpy(copy->mean, tensor->data, (size_t)copy->dim * sizeof *copy->mean);
        vb_npy_close(&npy);
    }
    vb_free(path);
    return status;
}

static int check_files(const vb_quantized *copy, vb_error *err) {
    for (size_t i = 0; i < copy->part_count; i++) {
        const vb_quantized_part *part = &copy->parts[i];
        char *path = path_in(copy->folder, part->file, err);
        vb_file file;
        int status = path ? vb_file_open(&file, path, err) : -1;
        if (!status) {
            if (file.size != part->file_bytes)
                status = vb_errorf(err, VB_EDATA, "%s: %s: %" PRIu64 " bytes, the manifest states %" PRIu64, path,
                                   file.size < part->file_bytes ? "truncated" : "too long", file.size, part->file_bytes);
            vb_file_close(&file);
        }
        vb_free(path);
        if (status) return -1;
    }
    return 0;
}

int vb_quantized_open(vb_quantized *copy, const char *folder, bool files, vb_error *err) {
    *copy = (vb_quantized){0};
    uint8_t *text = NULL;
    size_t size;
    json_t *json = NULL;
    json_error_t where;
    int status = -1;
    char *path = path_in(folder, "manifest.json", err);
    if (!path || !(copy->folder = vb_strdup(folder, err))) goto done;
    if (vb_file_read_whole(path, LARGEST_MANIFEST, &text, &size, err)) goto done;
    if (!(json = vb_json_parse_bare((char *)text, size, JSON_REJECT_DUPLICATES, &where, err))) {
        vb_error_prefix(err, "%s:%d", path, where.line);
        goto done;
    }
    if (!read_coded_manifest(copy, json, path, err) && !read_mean(copy, err)) status = files ? check_files(copy, err) : 0;
done:
    json_decref(json);
    vb_free(text);
    vb_free(path);
    if (status) vb_quantized_close(copy);
    return status;
}

void vb_quantized_close(vb_quantized *copy) {
    for (size_t i = 0; i < copy->part_count; i++) {
        vb_free(copy->parts[i].file);
        vb_free(copy->parts[i].source);
    }
    vb_free(copy->parts);
    vb_free(copy->mean);
    vb_free(copy->folder);
    *copy = (vb_quantized){0};
}

int vb_quantized_matches(const vb_quantized *copy, const vb_corpus *corpus, vb_error *err) {
    if (copy->dim != corpus->dim || copy->part_count != corpus->part_count)
        return vb_errorf(err, VB_EMISMATCH, "%s: a copy of %zu parts of %d dimensions, %s has %zu parts of %d", copy->folder,
                         copy->part_count, copy->dim, corpus->name, corpus->part_count, corpus->dim);
    for (size_t i = 0; i < corpus->part_count; i++) {
        const vb_quantized_part *part = &copy->parts[i];
        const vb_corpus_part *from = &corpus->parts[i];
        if (strcmp(part->source, vb_path_base_name(from->path)) || part->rows != from->rows || part->dtype != from->dtype ||
            part->bytes != from->bytes)
            return vb_errorf(err, VB_EMISMATCH,
                             "%s: part %zu is a copy of %s (%" PRId64 " rows, %s, %" PRIu64 " bytes), found %s (%" PRId64
                             " rows, %s, %" PRIu64 " bytes)",
                             copy->folder, i, part->source, part->rows, vb_dtype_name(part->dtype), part->bytes, from->path,
                             from->rows, vb_dtype_name(from->dtype), from->bytes);
    }
    return 0;
}

int vb_quantized_write(const vb_quantized *copy, vb_error *err) {
    json_t *parts = json_array(), *json = NULL;
    char *text = NULL, *path = path_in(copy->folder, "mean.npy", err);
    int64_t shape[1] = {copy->dim};
    int status = -1;
    if (!path || vb_npy_write(path, VB_F32, 1, shape, copy->mean, err)) goto done;
    for (size_t i = 0; i < copy->part_count; i++) {
        const vb_quantized_part *part = &copy->parts[i];
        if (!vb_utf8_is_text(part->source, strlen(part->source), NULL)) {
            vb_errorf(err, VB_EUNSUPPORTED, "part %s: its name is not UTF-8", part->source);
            goto done;
        }
        json_t *entry = json_pack("{s:s, s:s, s:I, s:s, s:I, s:s, s:I}", "file", part->file, "source", part->source, "rows",
                                  (json_int_t)part->rows, "type", vb_dtype_name(part->dtype), "bytes", (json_int_t)part->bytes,
                                  "xxh3_128", part->digest.hex, "file_bytes", (json_int_t)part->file_bytes);
        if (json_array_append_new(parts, entry)) {
            vb_errorf(err, VB_EMEMORY, "no memory for a manifest");
            goto done;
        }
    }
    json = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "schema", SCHEMA, "similarity",
                     copy->similarity == VB_COSINE ? "cosine" : "dot", "rows", (json_int_t)copy->rows, "dimensions",
                     (json_int_t)copy->dim, "width", (json_int_t)copy->width, "seed", (json_int_t)copy->seed, "rows_not_finite",
                     (json_int_t)copy->not_finite, "rows_zero", (json_int_t)copy->zero, "parts", parts);
    vb_free(path);
    path = path_in(copy->folder, "manifest.json", err);
    text = json ? vb_json_parse_text(json, JSON_INDENT(1)) : NULL;
    if (!text) vb_errorf(err, VB_EMEMORY, "no memory for a manifest");
    else if (path) status = vb_writer_write_whole(path, text, strlen(text), err);
done:
    vb_free(text);
    json_decref(json);
    json_decref(parts);
    vb_free(path);
    return status;
}

/* ---- files ---- */

int vb_quantized_part_begin(vb_quantized_writer *writer, const vb_quantized *copy, size_t part, const char *path, int64_t rows,
                            vb_error *err) {
    part_header header = {.version = VERSION, .width = copy->width, .rows = rows, .groups = groups_of(rows)};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    *writer = (vb_quantized_writer){.width = copy->width, .key = key_of(copy, part), .groups = header.groups};
    if (!(writer->sums = vb_array((size_t)header.groups, sizeof *writer->sums, "checksums of codes", err))) return -1;
    int status = vb_writer_open(&writer->out, path, err);
    if (!status) status = vb_writer_write(writer->out, &header, sizeof header, err);
    return status ? vb_quantized_part_end(writer, status, err) : 0;
}

int vb_quantized_part_add(vb_quantized_writer *writer, const void *groups, int64_t count, vb_error *err) {
    const size_t bytes = vb_coder_group_bytes(writer->width);
    const unsigned char *group = groups;
    assert(count <= writer->groups - writer->count);
    for (int64_t g = 0; g < count; g++, writer->count++)
        writer->sums[writer->count] = sum_of(writer->key, writer->count, group + (size_t)g * bytes, writer->width);
    return vb_writer_write(writer->out, groups, (size_t)count * bytes, err);
}

int vb_quantized_part_end(vb_quantized_writer *writer, int status, vb_error *err) {
    if (!status) status = vb_writer_write(writer->out, writer->sums, (size_t)writer->count * sizeof *writer->sums, err);
    if (!status) status = vb_writer_commit(writer->out, err);
    else if (writer->out) vb_writer_abandon(writer->out);
    vb_free(writer->sums);
    *writer = (vb_quantized_writer){0};
    return status;
}

void vb_quantized_reader_open(vb_quantized_reader *reader, const vb_quantized *copy) {
    *reader = (vb_quantized_reader){.copy = copy, .part = copy->part_count, .file = {.fd = -1}};
}

void vb_quantized_reader_close(vb_quantized_reader *reader) {
    if (reader->part < reader->copy->part_count) vb_file_close(&reader->file);
    reader->part = reader->copy->part_count;
}

static int open_coded_part(vb_quantized_reader *reader, size_t part, vb_error *err) {
    const vb_quantized_part *from = &reader->copy->parts[part];
    part_header header;
    vb_quantized_reader_close(reader);
    char *path = path_in(reader->copy->folder, from->file, err);
    int status = path ? vb_file_open(&reader->file, path, err) : -1;
    if (!status) reader->part = part;
    reader->key = key_of(reader->copy, part);
    if (!status) status = vb_file_read(&reader->file, 0, &header, sizeof header, err);
    if (!status &&
        (memcmp(header.magic, MAGIC, sizeof MAGIC) || header.version != VERSION || header.width != reader->copy->width ||
         header.rows != from->rows || header.groups != groups_of(from->rows) || reader->file.size != from->file_bytes))
        status = vb_errorf(err, VB_EDATA, "%s: its header is not that of %" PRId64 " rows of width %d", path, from->rows,
                           reader->copy->width);
    vb_free(path);
    return status;
}

static int check_groups(const vb_quantized_reader *reader, int64_t first, int64_t count, const unsigned char *groups,
                        vb_error *err) {
    const vb_quantized_part *from = &reader->copy->parts[reader->part];
    const int width = reader->copy->width;
    const size_t bytes = vb_coder_group_bytes(width);
    uint64_t sums[SUMS];
    for (int64_t at = 0; at < count; at += SUMS) {
        const int64_t n = count - at < SUMS ? count - at : SUMS;
        const uint64_t place = sums_at(from->rows, width) + (uint64_t)(first + at) * sizeof *sums;
        if (vb_file_read(&reader->file, place, sums, (size_t)n * sizeof *sums, err)) return -1;
        for (int64_t g = 0; g < n; g++)
            if (sum_of(reader->key, first + at + g, groups + (size_t)(at + g) * bytes, width) != sums[g])
                return vb_errorf(err, VB_EDATA,
                                 "%s/%s: the codes of rows %" PRId64 " to %" PRId64
                                 " have another checksum than was written: they, mean.npy or manifest.json have changed; "
                                 "make the copy again",
                                 reader->copy->folder, from->file, (first + at + g) * VB_CODER_GROUP,
                                 (first + at + g + 1) * VB_CODER_GROUP - 1);
    }
    return 0;
}

int vb_quantized_read(vb_quantized_reader *reader, size_t part, int64_t first, int64_t count, void *out, vb_error *err) {
    size_t bytes = vb_coder_group_bytes(reader->copy->width);
    if (reader->part != part && open_coded_part(reader, part, err)) return -1;
    if (vb_file_read(&reader->file, HEADER + (uint64_t)first * bytes, out, (size_t)count * bytes, err)) return -1;
    return check_groups(reader, first, count, out, err);
}

void vb_quantized_expect(const vb_quantized_reader *reader, int64_t first, int64_t count) {
    const vb_quantized *copy = reader->copy;
    const size_t bytes = vb_coder_group_bytes(copy->width), sum = sizeof(uint64_t);
    if (reader->part == copy->part_count) return;
    vb_file_prefetch(&reader->file, HEADER + (uint64_t)first * bytes, (uint64_t)count * bytes);
    vb_file_prefetch(&reader->file, sums_at(copy->parts[reader->part].rows, copy->width) + (uint64_t)first * sum,
                     (uint64_t)count * sum);
}
