/* The safetensors container: a length, a JSON table of tensors, and their bytes without gaps.
 *
 * Written from the format's public description (github.com/huggingface/safetensors, "Format"): eight bytes of little-endian
 * header length, the header, the data; offsets count from the end of the header; the data is covered exactly once. */
#include "shards/weights/safetensors.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/json_parse.h"

enum { PREFIX = 8, LARGEST_HEADER = 100000000 }; /* the format's own limit */

/* One tensor while the table is being checked. The name belongs to the JSON tree. */
typedef struct entry {
    const char *name;
    uint64_t begin, end;
    vb_tensor tensor;
} entry;

/* What is not in the list is passed on: the model may not need it. */
static vb_dtype dtype_of_name(const char *text) {
    static const struct {
        const char *text;
        vb_dtype dtype;
    } known[] = {{"F32", VB_F32}, {"F16", VB_F16}, {"BF16", VB_BF16}, {"F64", VB_F64}, {"I8", VB_I8},
                 {"U8", VB_U8},   {"I16", VB_I16}, {"I32", VB_I32},   {"I64", VB_I64}, {"BOOL", VB_BOOL}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!strcmp(text, known[i].text)) return known[i].dtype;
    }
    return VB_OPAQUE;
}

/* Dimensions and the bytes they ask for. */
static int read_shape_list(const json_t *shape, entry *e, uint64_t *bytes, const char *path, vb_error *err) {
    if (!json_is_array(shape)) return vb_errorf(err, VB_EDATA, "%s: tensor %s: no \"shape\" list", path, e->name);
    size_t ndim = json_array_size(shape);
    if (ndim > VB_MAX_DIMS)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: tensor %s has %zu dimensions, at most %d are handled", path, e->name, ndim,
                         VB_MAX_DIMS);
    e->tensor.ndim = (int)ndim;
    for (size_t i = 0; i < ndim; i++) {
        const json_t *item = json_array_get(shape, i);
        json_int_t size = json_is_integer(item) ? json_integer_value(item) : -1;
        if (size < 0)
            return vb_errorf(err, VB_EDATA, "%s: tensor %s: dimension %zu is not a whole number >= 0", path, e->name, i);
        e->tensor.shape[i] = size;
    }
    const size_t element = e->tensor.dtype == VB_OPAQUE ? 1 : vb_dtype_size(e->tensor.dtype);
    if (!vb_tensor_shape_bytes(e->tensor.shape, e->tensor.ndim, element, bytes))
        return vb_errorf(err, VB_EDATA, "%s: tensor %s: the size of its shape overflows", path, e->name);
    vb_tensor_pack_strides(&e->tensor);
    return 0;
}

static int read_tensor_entry(const json_t *table, entry *e, const uint8_t *data, uint64_t size, const char *path, vb_error *err) {
    if (vb_utf8_find_control(e->name))
        return vb_errorf(err, VB_EDATA, "%s: control characters in the name of tensor '%s'", path, e->name);
    if (!json_is_object(table)) return vb_errorf(err, VB_EDATA, "%s: tensor %s is not described by a JSON object", path, e->name);
    const char *dtype = json_string_value(json_object_get(table, "dtype"));
    if (!dtype) return vb_errorf(err, VB_EDATA, "%s: tensor %s: no \"dtype\" string", path, e->name);
    if (!*dtype) return vb_errorf(err, VB_EDATA, "%s: tensor %s: an empty \"dtype\"", path, e->name);
    e->tensor.dtype = dtype_of_name(dtype);
    uint64_t bytes = 0;
    if (read_shape_list(json_object_get(table, "shape"), e, &bytes, path, err)) return -1;

    const json_t *offsets = json_object_get(table, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last) || json_integer_value(first) < 0 ||
        json_integer_value(last) < json_integer_value(first))
        return vb_errorf(err, VB_EDATA, "%s: tensor %s: \"data_offsets\" is not [begin, end] with 0 <= begin <= end", path,
                         e->name);
    e->begin = (uint64_t)json_integer_value(first);
    e->end = (uint64_t)json_integer_value(last);
    if (e->end > size)
        return vb_errorf(err, VB_EDATA,
                         "%s: tensor %s ends at byte %" PRIu64 " of the data, but the file holds %" PRIu64 " (cut short?)", path,
                         e->name, e->end, size);
    if (e->tensor.dtype != VB_OPAQUE && e->end - e->begin != bytes)
        return vb_errorf(err, VB_EDATA, "%s: tensor %s has %" PRIu64 " bytes, its dtype and shape ask for %" PRIu64, path,
                         e->name, e->end - e->begin, bytes);
    e->tensor.data = data + e->begin;
    return 0;
}

static int entry_offset_order(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int entry_name_order(const void *a, const void *b) { return strcmp(((const entry *)a)->name, ((const entry *)b)->name); }

/* The tensors, in order of their offsets, must follow one another without gap or overlap to the file's last byte. */
static int check_cover(const entry *entries, size_t count, uint64_t size, const char *path, vb_error *err) {
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].begin < at)
            return vb_errorf(err, VB_EDATA, "%s: tensors %s and %s overlap at byte %" PRIu64 " of the data", path,
                             entries[i - 1].name, entries[i].name, entries[i].begin);
        if (entries[i].begin > at)
            return vb_errorf(err, VB_EDATA,
                             "%s: bytes %" PRIu64 " to %" PRIu64 " of the data, before tensor %s, belong to no tensor", path, at,
                             entries[i].begin, entries[i].name);
        at = entries[i].end;
    }
    if (at != size)
        return vb_errorf(err, VB_EDATA, "%s: the data has %" PRIu64 " bytes, the tensors take %" PRIu64, path, size, at);
    return 0;
}

/* One block for the items and their names, so that there is one thing to free. */
static int keep_tensors(vb_tensor_set *set, void **storage, const entry *entries, size_t count, vb_error *err) {
    size_t names = 0;
    for (size_t i = 0; i < count; i++) names += strlen(entries[i].name) + 1;
    char *block = vb_array(count * sizeof(vb_named_tensor) + names, 1, "table of tensors", err);
    if (!block) return -1;
    set->count = count;
    set->items = (vb_named_tensor *)(void *)block;
    char *name = block + count * sizeof(vb_named_tensor);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(entries[i].name) + 1;
        memcpy(name, entries[i].name, length);
        set->items[i] = (vb_named_tensor){.name = name, .tensor = entries[i].tensor};
        name += length;
    }
    *storage = block;
    return 0;
}

static json_t *read_table(const vb_map *map, uint64_t *data_at, const char *path, vb_error *err) {
    if (map->size < PREFIX) {
        vb_errorf(err, VB_EDATA, "%s: %zu bytes are too few for a safetensors file", path, map->size);
        return NULL;
    }
    uint64_t length = 0;
    for (int i = PREFIX - 1; i >= 0; i--) length = length << 8 | map->data[i];
    if (length > LARGEST_HEADER || length > map->size - PREFIX) {
        vb_errorf(err, VB_EDATA,
                  "%s: the header claims %" PRIu64 " bytes, the file holds %zu after the length (not safetensors, or cut short)",
                  path, length, map->size - PREFIX);
        return NULL;
    }
    if (!length || map->data[PREFIX] != '{') {
        vb_errorf(err, VB_EDATA, "%s: the header at byte %d does not begin with '{'", path, PREFIX);
        return NULL;
    }
    json_error_t why;
    json_t *header = vb_json_parse_bare((const char *)map->data + PREFIX, length, JSON_REJECT_DUPLICATES, &why, err);
    if (!header) vb_error_prefix(err, "%s: header, byte %d", path, PREFIX + why.position);
    *data_at = PREFIX + length;
    return header;
}

int vb_safetensors_parse(vb_tensor_set *set, void **storage, const vb_map *map, const char *path, vb_error *err) {
    int status = -1;
    entry *entries = NULL;
    size_t count = 0;
    uint64_t data_at;
    *set = (vb_tensor_set){0};
    *storage = NULL;
    json_t *header = read_table(map, &data_at, path, err);
    if (!header) return -1;

    entries = vb_array(json_object_size(header), sizeof *entries, "table of tensors", err);
    if (!entries) goto done;
    const char *name;
    json_t *table;
    json_object_foreach(header, name, table) {
        if (!strcmp(name, "__metadata__")) {
            if (!json_is_object(table)) {
                vb_errorf(err, VB_EDATA, "%s: \"__metadata__\" is not a JSON object", path);
                goto done;
            }
            continue;
        }
        entries[count].name = name;
        if (read_tensor_entry(table, &entries[count], map->data + data_at, map->size - data_at, path, err)) goto done;
        count++;
    }
    qsort(entries, count, sizeof *entries, entry_offset_order);
    if (check_cover(entries, count, map->size - data_at, path, err)) goto done;
    qsort(entries, count, sizeof *entries, entry_name_order);
    status = keep_tensors(set, storage, entries, count, err);
done:
    vb_free(entries);
    json_decref(header);
    return status;
}
