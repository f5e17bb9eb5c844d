/* Tensors of PyTorch's files: storages found in the container, views on them found in the pickled object. */
#include "shards/weights/torch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/weights/pickle.h"
#include "shards/files/zip.h"

enum {
    DEEPEST = 64,
    MOST_VISITS = 1 << 20,
    MOST_TENSORS = 1 << 16, /* against nesting and aliases without end */
    LONGEST_NAME = 512,
    LONGEST_KEY = 200,
    LEGACY_VERSION = 1001
};

/* A storage as persistent ids tell it: ("storage", torch.FloatStorage, key, device, elements[, view]). */
typedef struct storage {
    const char *key; /* not NUL-terminated */
    size_t key_size;
    vb_dtype dtype;
    size_t element;                  /* bytes of one; 0: not known */
    int64_t count;                   /* elements */
    int64_t view_offset, view_count; /* of a legacy view on a storage; the whole of it otherwise */
    const uint8_t *data;
} storage;

struct vb_torch {
    const char *path;
    vb_error *err;
    vb_zip zip;
    char *root; /* "archive/", the folder in the zip; NULL in the legacy format */
    vb_pickle *object;
    storage *storages; /* legacy: sorted by key */
    size_t storage_count;
    vb_named_tensor *items;
    size_t count, capacity, visits;
    char name[LONGEST_NAME]; /* of what is being visited */
};

/* ---- storages ---- */

/* The type and the size of a storage's elements. Of what is not in the list the model may need nothing. */
static int dtype_of_class(const vb_value *class, storage *s) {
    static const struct {
        const char *name;
        vb_dtype dtype;
        size_t element; /* of opaque ones, where it is known */
    } known[] = {{"FloatStorage", VB_F32, 0},
                 {"HalfStorage", VB_F16, 0},
                 {"BFloat16Storage", VB_BF16, 0},
                 {"DoubleStorage", VB_F64, 0},
                 {"LongStorage", VB_I64, 0},
                 {"IntStorage", VB_I32, 0},
                 {"ShortStorage", VB_I16, 0},
                 {"CharStorage", VB_I8, 0},
                 {"ByteStorage", VB_U8, 0},
                 {"BoolStorage", VB_BOOL, 0},
                 {"ComplexFloatStorage", VB_OPAQUE, 8},
                 {"ComplexDoubleStorage", VB_OPAQUE, 16},
                 {"QInt8Storage", VB_OPAQUE, 1},
                 {"QUInt8Storage", VB_OPAQUE, 1},
                 {"QInt32Storage", VB_OPAQUE, 4}};
    static const char ending[] = "Storage";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (vb_pickle_value_is_global(class, "torch", known[i].name) ||
            vb_pickle_value_is_global(class, "torch.cuda", known[i].name)) {
            s->dtype = known[i].dtype;
            s->element = known[i].element ? known[i].element : vb_dtype_size(s->dtype);
            return 0;
        }
    const bool of_torch = vb_pickle_value_is_text(class->class, "torch") || vb_pickle_value_is_text(class->class, "torch.cuda") ||
                          vb_pickle_value_is_text(class->class, "torch.storage");
    const size_t tail = sizeof ending - 1, size = class->args->size;
    if (!of_torch || size < tail || memcmp(class->args->text + size - tail, ending, tail)) return -1;
    s->dtype = VB_OPAQUE;
    return 0;
}

static int shown(size_t size) { return size < LONGEST_KEY ? (int)size : LONGEST_KEY; } /* characters of a message */

static bool is_count(const vb_value *value) { return value->kind == VB_VALUE_INT && value->integer >= 0; }

static int read_storage(vb_torch *t, const vb_value *persistent, storage *s) {
    const vb_value *id = persistent->kind == VB_VALUE_PERSISTENT ? persistent->args : NULL;
    if (!id || id->kind != VB_VALUE_TUPLE || id->count < 5 || !vb_pickle_value_is_text(id->items[0], "storage") ||
        id->items[1]->kind != VB_VALUE_GLOBAL || id->items[2]->kind != VB_VALUE_TEXT || id->items[2]->size > LONGEST_KEY ||
        !is_count(id->items[4]))
        return vb_errorf(t->err, VB_EDATA, "%s: tensor '%s': its storage is not (\"storage\", type, key, device, elements)",
                         t->path, t->name);
    const vb_value *class = id->items[1];
    *s = (storage){.key = id->items[2]->text, .key_size = id->items[2]->size, .count = id->items[4]->integer};
    s->view_count = s->count;
    if (dtype_of_class(class, s))
        return vb_errorf(t->err, VB_EUNSUPPORTED, "%s: tensor '%s': storage of type %.*s.%.*s", t->path, t->name,
                         shown(class->class->size), class->class->text, shown(class->args->size), class->args->text);
    if (id->count == 5 || id->items[5]->kind == VB_VALUE_NONE) return 0;
    const vb_value *view = id->items[5];
    if (view->kind != VB_VALUE_TUPLE || view->count != 3 || !is_count(view->items[1]) || !is_count(view->items[2]) ||
        view->items[1]->integer > s->count || view->items[2]->integer > s->count - view->items[1]->integer)
        return vb_errorf(t->err, VB_EDATA, "%s: tensor '%s': a view on a storage of %" PRId64 " elements that does not fit it",
                         t->path, t->name, s->count);
    s->view_offset = view->items[1]->integer;
    s->view_count = view->items[2]->integer;
    return 0;
}

static int check_bytes(vb_torch *t, const storage *s, uint64_t available) {
    if (s->element && (uint64_t)s->count <= available / s->element) return 0;
    if (!s->element)
        return vb_errorf(t->err, VB_EUNSUPPORTED,
                         "%s: storage '%.*s' is of a type whose size is not known, in a file of the old format", t->path,
                         shown(s->key_size), s->key);
    return vb_errorf(t->err, VB_EDATA,
                     "%s: storage '%.*s' has %" PRId64 " %s elements, but the file holds %" PRIu64 " bytes of it (cut short?)",
                     t->path, shown(s->key_size), s->key, s->count, vb_dtype_name(s->dtype), available);
}

static int by_key(const void *a, const void *b) {
    const storage *x = a, *y = b;
    size_t shorter = x->key_size < y->key_size ? x->key_size : y->key_size;
    int order = shorter ? memcmp(x->key, y->key, shorter) : 0;
    return order ? order : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

static storage *find_legacy(const vb_torch *t, const char *key, size_t key_size) {
    storage wanted = {.key = key, .key_size = key_size};
    return t->storage_count ? bsearch(&wanted, t->storages, t->storage_count, sizeof wanted, by_key) : NULL;
}

static int locate_storage(vb_torch *t, storage *s) {
    if (!t->root) {
        const storage *found = find_legacy(t, s->key, s->key_size);
        if (!found || !found->data || found->dtype != s->dtype || found->count != s->count)
            return vb_errorf(t->err, VB_EDATA, "%s: tensor '%s': no storage '%.*s' of %" PRId64 " %s elements in the file",
                             t->path, t->name, shown(s->key_size), s->key, s->count, vb_dtype_name(s->dtype));
        s->data = found->data;
        return 0;
    }
    char entry_name[LONGEST_NAME];
    snprintf(entry_name, sizeof entry_name, "%sdata/%.*s", t->root, shown(s->key_size), s->key);
    vb_zip_entry *entry = vb_zip_find(&t->zip, entry_name);
    if (!entry) return vb_errorf(t->err, VB_EDATA, "%s: tensor '%s': no entry '%s' in the archive", t->path, t->name, entry_name);
    if (vb_zip_content(&t->zip, entry, &s->data, t->path, t->err)) return -1;
    return check_bytes(t, s, entry->size);
}

/* ---- tensors ---- */

/* The arguments of the call that rebuilds a tensor; NULL when the object is none. Parameters and tensors with attributes wrap
 * one. */
static const vb_value *rebuild_arguments(const vb_value *object, const vb_value **function) {
    const vb_value *class = object->class, *args = object->args;
    for (int wrappers = 0; wrappers < 8; wrappers++) {
        if (args->kind != VB_VALUE_TUPLE) return NULL;
        if (vb_pickle_value_is_global(class, "torch._utils", "_rebuild_parameter") ||
            vb_pickle_value_is_global(class, "torch._utils", "_rebuild_parameter_with_state")) {
            if (!args->count || args->items[0]->kind != VB_VALUE_OBJECT) return NULL;
            object = args->items[0];
            class = object->class;
            args = object->args;
        } else if (vb_pickle_value_is_global(class, "torch._tensor", "_rebuild_from_type_v2")) {
            if (args->count < 3) return NULL;
            class = args->items[0];
            args = args->items[2];
        } else {
            *function = class;
            return args;
        }
    }
    return NULL;
}

static int read_view(vb_torch *t, const vb_value *args, vb_tensor *tensor) {
    if (args->count < 4 || !is_count(args->items[1]) || args->items[2]->kind != VB_VALUE_TUPLE ||
        args->items[3]->kind != VB_VALUE_TUPLE || args->items[2]->count != args->items[3]->count)
        return vb_errorf(t->err, VB_EDATA, "%s: tensor '%s' is not (storage, offset, sizes, strides)", t->path, t->name);
    const vb_value *sizes = args->items[2], *strides = args->items[3];
    if (sizes->count > VB_MAX_DIMS)
        return vb_errorf(t->err, VB_EUNSUPPORTED, "%s: tensor '%s' has %zu dimensions; at most %d expected", t->path, t->name,
                         sizes->count, VB_MAX_DIMS);
    storage s;
    if (read_storage(t, args->items[0], &s) || (s.dtype != VB_OPAQUE && locate_storage(t, &s))) return -1;

    int64_t count = 1, last = args->items[1]->integer; /* last: the farthest element that is touched */
    bool empty = false, overflow = false;
    *tensor = (vb_tensor){.dtype = s.dtype, .ndim = (int)sizes->count};
    for (size_t i = 0; i < sizes->count; i++) {
        if (!is_count(sizes->items[i]) || !is_count(strides->items[i]))
            return vb_errorf(t->err, VB_EDATA, "%s: tensor '%s': size or stride %zu is not a whole number >= 0", t->path, t->name,
                             i);
        int64_t size = tensor->shape[i] = sizes->items[i]->integer, stride = tensor->stride[i] = strides->items[i]->integer,
                reach;
        if (!size) empty = true;
        else
            overflow |= __builtin_mul_overflow(count, size, &count) || __builtin_mul_overflow(size - 1, stride, &reach) ||
                        __builtin_add_overflow(last, reach, &last);
    }
    if (args->items[1]->integer > s.view_count || overflow || (!empty && last >= s.view_count))
        return vb_errorf(t->err, VB_EDATA, "%s: tensor '%s' reaches beyond the %" PRId64 " elements of its storage '%.*s'",
                         t->path, t->name, s.view_count, shown(s.key_size), s.key);
    if (!empty && count > s.view_count)
        return vb_errorf(t->err, VB_EUNSUPPORTED,
                         "%s: tensor '%s' repeats elements: %" PRId64 " of them from a storage of %" PRId64, t->path, t->name,
                         count, s.view_count);
    tensor->data = ""; /* of an opaque one nothing is read */
    if (s.dtype == VB_OPAQUE) return 0;
    int64_t first = empty ? 0 : s.view_offset + args->items[1]->integer;
    tensor->data = s.data + (size_t)first * vb_dtype_size(s.dtype);
    return 0;
}

/* args NULL: of a kind that only PyTorch can rebuild. */
static int add_tensor(vb_torch *t, const vb_value *args) {
    vb_tensor tensor = {.dtype = VB_OPAQUE, .data = ""};
    if (vb_utf8_find_control(t->name))
        return vb_errorf(t->err, VB_EDATA, "%s: control characters in the name of tensor '%s'", t->path, t->name);
    if (args && read_view(t, args, &tensor)) return -1;
    if (t->count == MOST_TENSORS) return vb_errorf(t->err, VB_EDATA, "%s: more than %d tensors", t->path, MOST_TENSORS);
    if (vb_grow((void **)&t->items, &t->capacity, t->count + 1, sizeof *t->items, "tensors", t->err)) return -1;
    const char *name = vb_strdup(t->name, t->err);
    if (!name) return -1;
    t->items[t->count++] = (vb_named_tensor){name, tensor};
    return 0;
}

static bool is_tensor_maker(const vb_value *function) {
    return vb_pickle_value_is_global(function, "torch._utils", "_rebuild_tensor_v2") ||
           vb_pickle_value_is_global(function, "torch._utils", "_rebuild_tensor");
}

static bool is_other_tensor_maker(const vb_value *function) {
    static const char start[] = "_rebuild_";
    return function->kind == VB_VALUE_GLOBAL && vb_pickle_value_is_text(function->class, "torch._utils") &&
           function->args->size >= sizeof start - 1 && !memcmp(function->args->text, start, sizeof start - 1);
}

/* ---- the walk from the root ---- */

static int visit(vb_torch *t, const vb_value *value, size_t length, int depth);

/* Pickled modules keep their tensors in three dicts, which are no part of a parameter's name. */
static bool is_transparent(const vb_value *key) {
    return vb_pickle_value_is_text(key, "_parameters") || vb_pickle_value_is_text(key, "_buffers") ||
           vb_pickle_value_is_text(key, "_modules");
}

static int visit_pairs(vb_torch *t, const vb_value *value, size_t length, int depth) {
    for (size_t i = 0; value->pairs && i + 1 < value->count; i += 2) {
        const vb_value *key = value->items[i], *item = value->items[i + 1];
        if (++t->visits > MOST_VISITS)
            return vb_errorf(t->err, VB_EDATA,
                             "%s: more than %d entries to visit: the pickle refers to itself or to parts of it too often",
                             t->path, MOST_VISITS);
        if (key->kind != VB_VALUE_TEXT || (item->kind != VB_VALUE_DICT && item->kind != VB_VALUE_OBJECT)) continue;
        size_t longer = length;
        if (!is_transparent(key)) {
            if (key->size >= LONGEST_NAME - length - 1)
                return vb_errorf(t->err, VB_EDATA, "%s: a name of more than %d characters under '%s'", t->path, LONGEST_NAME - 2,
                                 t->name);
            if (length) t->name[longer++] = '.';
            for (size_t c = 0; c < key->size; c++)
                t->name[longer++] = key->text[c] ? key->text[c] : '\x01'; /* refused, if a tensor's */
        }
        t->name[longer] = 0;
        if (visit(t, item, longer, depth + 1)) return -1;
        t->name[length] = 0;
    }
    return 0;
}

static int visit(vb_torch *t, const vb_value *value, size_t length, int depth) {
    if (depth > DEEPEST)
        return vb_errorf(t->err, VB_EDATA, "%s: '%.80s' nests more than %d levels deep", t->path, t->name, DEEPEST);
    if (value->kind != VB_VALUE_DICT && value->kind != VB_VALUE_OBJECT) return 0;
    if (value->kind == VB_VALUE_OBJECT) {
        const vb_value *function = NULL, *args = rebuild_arguments(value, &function);
        if (args && is_tensor_maker(function)) return add_tensor(t, args);
        if (args && is_other_tensor_maker(function)) return add_tensor(t, NULL); /* quantised, sparse, ... */
        if (value->state && value->state->kind == VB_VALUE_DICT && visit_pairs(t, value->state, length, depth)) return -1;
    }
    return visit_pairs(t, value, length, depth);
}

/* ---- containers ---- */

static int open_zip(vb_torch *t, const vb_map *map, const char **container) {
    static const char pickle_name[] = "data.pkl";
    if (vb_zip_open(&t->zip, map->data, map->size, t->path, t->err)) return -1;
    vb_zip_entry *object = NULL;
    for (size_t i = 0; i < t->zip.count; i++) { /* "data.pkl" in the one folder that everything lies in, or in none */
        const char *name = t->zip.entries[i].name, *slash = strchr(name, '/');
        if (strcmp(slash ? slash + 1 : name, pickle_name)) continue;
        if (object) return vb_errorf(t->err, VB_EDATA, "%s: both '%s' and '%s' in the archive", t->path, object->name, name);
        object = &t->zip.entries[i];
    }
    if (!object)
        return vb_errorf(t->err, VB_EUNSUPPORTED, "%s: a zip archive without a %s, not one of torch.save", t->path, pickle_name);
    size_t root_size = strlen(object->name) - (sizeof pickle_name - 1);
    if (root_size > LONGEST_NAME / 2)
        return vb_errorf(t->err, VB_EDATA, "%s: a folder name of %zu characters", t->path, root_size);
    if (!(t->root = vb_strndup(object->name, root_size, t->err))) return -1;

    char name[LONGEST_NAME];
    snprintf(name, sizeof name, "%sbyteorder", t->root);
    vb_zip_entry *order = vb_zip_find(&t->zip, name);
    const uint8_t *bytes;
    if (order) {
        if (vb_zip_content(&t->zip, order, &bytes, t->path, t->err)) return -1;
        if (order->size != 6 || memcmp(bytes, "little", 6))
            return vb_errorf(t->err, VB_EUNSUPPORTED, "%s: '%s' says '%.*s'; 'little' expected", t->path, name,
                             order->size < 16 ? (int)order->size : 16, (const char *)bytes);
    }
    snprintf(name, sizeof name, "%sconstants.pkl", t->root);
    *container = vb_zip_find(&t->zip, name) ? "TorchScript" : "torch zip";
    if (vb_zip_content(&t->zip, object, &bytes, t->path, t->err)) return -1;
    if (!vb_pickle_parse(&t->object, bytes, (size_t)object->size, object->name, NULL, t->err)) return 0;
    return vb_error_prefix(t->err, "%s", t->path);
}

/* The next pickle of the stream; the caller frees it. */
static int next_pickle(vb_torch *t, const vb_map *map, size_t *at, vb_pickle **pickle) {
    size_t used;
    if (vb_pickle_parse(pickle, map->data + *at, map->size - *at, t->path, &used, t->err))
        return *at ? vb_error_prefix(t->err, "pickle at byte %zu of", *at) : -1;
    *at += used;
    return 0;
}

/* Before the object: magic number, version, and facts on the machine that wrote it. */
static int read_preamble(vb_torch *t, const vb_map *map, size_t *at) {
    static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    vb_pickle *pickle;
    if (next_pickle(t, map, at, &pickle)) return -1;
    const vb_value *value = vb_pickle_root(pickle);
    bool fits = value->kind == VB_VALUE_BIG && value->size == sizeof magic && !memcmp(value->text, magic, sizeof magic);
    vb_pickle_free(pickle);
    if (!fits)
        return vb_errorf(t->err, VB_EUNSUPPORTED, "%s: a pickle without PyTorch's magic number, not one of torch.save", t->path);

    if (next_pickle(t, map, at, &pickle)) return -1;
    value = vb_pickle_root(pickle);
    fits = value->kind == VB_VALUE_INT && value->integer == LEGACY_VERSION;
    vb_pickle_free(pickle);
    if (!fits)
        return vb_errorf(t->err, VB_EUNSUPPORTED, "%s: not version %d of PyTorch's pickle format", t->path, LEGACY_VERSION);

    if (next_pickle(t, map, at, &pickle)) return -1;
    value = vb_pickle_value_get(vb_pickle_root(pickle), "little_endian");
    fits = value && value->kind == VB_VALUE_BOOL && value->integer;
    vb_pickle_free(pickle);
    return fits ? 0 : vb_errorf(t->err, VB_EUNSUPPORTED, "%s: the file does not say that it is little-endian", t->path);
}

/* Types and sizes of the storages, which only the persistent ids tell. */
static int list_storages(vb_torch *t) {
    size_t count;
    const vb_value *const *ids = vb_pickle_persistents(t->object, &count);
    if (!(t->storages = vb_array(count, sizeof *t->storages, "storages", t->err))) return -1;
    for (size_t i = 0; i < count; i++)
        if (read_storage(t, ids[i], &t->storages[i])) return -1;
    qsort(t->storages, count, sizeof *t->storages, by_key);
    for (size_t i = 0; i < count; i++) {
        const storage *s = &t->storages[i], *kept = t->storage_count ? &t->storages[t->storage_count - 1] : NULL;
        if (!kept || by_key(kept, s)) t->storages[t->storage_count++] = *s;
        else if (kept->dtype != s->dtype || kept->count != s->count)
            return vb_errorf(t->err, VB_EDATA, "%s: storage '%.*s' is given two types or sizes", t->path, shown(s->key_size),
                             s->key);
    }
    return 0;
}

/* After the object: the list of keys, then each storage's element count and bytes in that order. */
static int place_storages(vb_torch *t, const vb_map *map, size_t at) {
    vb_pickle *pickle;
    if (next_pickle(t, map, &at, &pickle)) return -1;
    const vb_value *keys = vb_pickle_root(pickle);
    int status =
        keys->kind == VB_VALUE_LIST ? 0 : vb_errorf(t->err, VB_EDATA, "%s: no list of storage keys before byte %zu", t->path, at);
    for (size_t i = 0; !status && i < keys->count; i++) {
        const vb_value *key = keys->items[i];
        storage *s = key->kind == VB_VALUE_TEXT ? find_legacy(t, key->text, key->size) : NULL;
        if (!s || s->data) {
            status = vb_errorf(t->err, VB_EDATA, "%s: storage key %zu of the list is unknown or listed twice", t->path, i);
            break;
        }
        uint64_t count = 0;
        size_t left = map->size - at;
        for (int b = 7; left >= 8 && b >= 0; b--) count = count << 8 | map->data[at + (size_t)b];
        if (left < 8 || count != (uint64_t)s->count)
            status =
                vb_errorf(t->err, VB_EDATA,
                          "%s: byte %zu: the element count %" PRId64 " of storage '%.*s' expected, found %" PRIu64 "%s", t->path,
                          at, s->count, shown(s->key_size), s->key, count, left < 8 ? " at the file's end (cut short?)" : "");
        else if (!(status = check_bytes(t, s, left - 8))) {
            s->data = map->data + at + 8;
            at += 8 + (size_t)s->count * s->element;
        }
    }
    vb_pickle_free(pickle);
    return status;
}

static int open_legacy(vb_torch *t, const vb_map *map) {
    size_t at = 0;
    if (read_preamble(t, map, &at) || next_pickle(t, map, &at, &t->object) || list_storages(t)) return -1;
    return place_storages(t, map, at);
}

static int tensor_name_order(const void *a, const void *b) {
    return strcmp(((const vb_named_tensor *)a)->name, ((const vb_named_tensor *)b)->name);
}

bool vb_torch_begins(const uint8_t *bytes, size_t size) { return vb_zip_begins(bytes, size) || vb_pickle_begins(bytes, size); }

int vb_torch_parse(vb_tensor_set *set, vb_torch **torch, const char **container, const vb_map *map, const char *path,
                   vb_error *err) {
    *set = (vb_tensor_set){0};
    *torch = NULL;
    vb_torch *t = vb_array(1, sizeof *t, "torch file", err);
    int status = -1;
    if (!t) return -1;
    t->path = path;
    t->err = err;
    *container = "legacy pickle";
    if (vb_zip_begins(map->data, map->size) ? open_zip(t, map, container) : open_legacy(t, map)) goto done;
    if (visit(t, vb_pickle_root(t->object), 0, 0)) goto done;
    if (t->count) qsort(t->items, t->count, sizeof *t->items, tensor_name_order);
    for (size_t i = 1; i < t->count; i++)
        if (!strcmp(t->items[i - 1].name, t->items[i].name)) {
            vb_errorf(err, VB_EDATA, "%s: tensor '%s' is there twice", path, t->items[i].name);
            goto done;
        }
    vb_pickle_free(t->object); /* the tensors need the map alone from here on */
    t->object = NULL;
    t->path = NULL;
    t->err = NULL;
    *set = (vb_tensor_set){t->count, t->items};
    *torch = t;
    status = 0;
done:
    if (status) vb_torch_free(t);
    return status;
}

void vb_torch_free(vb_torch *torch) {
    if (!torch) return;
    for (size_t i = 0; i < torch->count; i++) vb_free((void *)(uintptr_t)torch->items[i].name);
    vb_free(torch->items);
    vb_free(torch->storages);
    vb_free(torch->root);
    vb_pickle_free(torch->object);
    vb_zip_close(&torch->zip);
    vb_free(torch);
}
