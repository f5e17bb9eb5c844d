/* Reads sets of labels. */
#include "shards/text/label_sets.h"

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/files/text_file.h"

static const size_t LARGEST_FILE = (size_t)1 << 30;

/* While reading: every label with its place. */
typedef struct placed_label {
    char *text;
    size_t place;
} placed_label;

typedef struct set_reader {
    vb_label_sets *sets;
    const char *path;
    placed_label *labels;
    size_t filled, capacity;
} set_reader;

static const char *type_of(const json_t *value) {
    static const char *const types[] = {"an object", "a list", "a text", "an integer", "a real number", "true", "false", "null"};
    return types[json_typeof(value)];
}

/* "PATH: image 3" or "PATH: image 'NAME'", in front. */
static int at_image(const set_reader *work, vb_error *err) {
    const vb_label_sets *sets = work->sets;
    if (sets->names.count) return vb_error_prefix(err, "%s: image '%.80s'", work->path, sets->names.items[sets->count]);
    return vb_error_prefix(err, "%s: image %zu (from 0)", work->path, sets->count);
}

static char *label_text(const json_t *label, vb_error *err) {
    if (json_is_integer(label) && json_integer_value(label) >= 0)
        return vb_format(err, "%lld", (long long)json_integer_value(label));
    if (json_is_integer(label)) {
        vb_errorf(err, VB_EDATA, "found the label %lld, expected 0 or more (an image without a right class has an empty list)",
                  (long long)json_integer_value(label));
        return NULL;
    }
    if (!json_is_string(label)) {
        vb_errorf(err, VB_EDATA, "a label is %s, expected a text or an integer", type_of(label));
        return NULL;
    }
    char *text = vb_strdup(json_string_value(label), err), *at = text;
    if (!text) return NULL;
    size_t n = strlen(text);
    vb_text_file_trim(&at, &n);
    if (!n) {
        vb_free(text);
        vb_errorf(err, VB_EDATA, "a label is an empty text");
        return NULL;
    }
    memmove(text, at, n + 1);
    return text;
}

static int add_label(set_reader *work, const json_t *label, size_t first, vb_error *err) {
    char *text = label_text(label, err);
    if (!text) return -1;
    for (size_t i = first; i < work->filled; i++)
        if (!strcmp(work->labels[i].text, text)) {
            vb_errorf(err, VB_EDATA, "the label '%.80s' stands twice in its set", text);
            vb_free(text);
            return -1;
        }
    if (vb_grow((void **)&work->labels, &work->capacity, work->filled + 1, sizeof *work->labels, "labels", err)) {
        vb_free(text);
        return -1;
    }
    work->labels[work->filled] = (placed_label){text, work->filled};
    work->filled++;
    return 0;
}

static int add_set(set_reader *work, const json_t *set, vb_error *err) {
    size_t first = work->filled;
    int status = 0;
    if (!json_is_array(set)) status = vb_errorf(err, VB_EDATA, "%s, expected a list of labels", type_of(set));
    else if (json_array_size(set) > VB_LABEL_SETS_MOST)
        status = vb_errorf(err, VB_EUNSUPPORTED, "%zu labels, at most %d are handled", json_array_size(set), VB_LABEL_SETS_MOST);
    for (size_t i = 0; i < json_array_size(set) && !status; i++) status = add_label(work, json_array_get(set, i), first, err);
    if (status) return at_image(work, err);
    work->sets->offsets[++work->sets->count] = work->filled;
    return 0;
}

static int by_text(const void *a, const void *b) {
    const placed_label *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static int number_labels(set_reader *work, vb_error *err) {
    vb_label_sets *sets = work->sets;
    assert(work->filled <= LARGEST_FILE); /* a label takes a byte at least: the numbers of them are ints */
    if (!(sets->of = vb_array(work->filled, sizeof *sets->of, "labels", err))) return -1;
    if (work->filled) qsort(work->labels, work->filled, sizeof *work->labels, by_text);
    for (size_t i = 0; i < work->filled; i++) {
        const bool again = i && !strcmp(work->labels[i].text, sets->distinct.items[sets->distinct.count - 1]);
        if (!again && vb_strings_add(&sets->distinct, work->labels[i].text, err)) return -1;
        sets->of[work->labels[i].place] = (int)sets->distinct.count - 1;
    }
    return 0;
}

static int read_sets(set_reader *work, const json_t *value, vb_error *err) {
    vb_label_sets *sets = work->sets;
    const size_t count = json_is_object(value) ? json_object_size(value) : json_array_size(value);
    const char *name;
    json_t *set;
    if (!count) return vb_errorf(err, VB_EMISSING, "%s: no images, expected lists of labels", work->path);
    if (!(sets->offsets = vb_array(count + 1, sizeof *sets->offsets, "labels", err))) return -1;
    json_object_foreach((json_t *)(uintptr_t)value, name, set) if (vb_strings_add(&sets->names, name, err)) return -1;
    for (size_t i = 0; i < count; i++)
        if (add_set(work, sets->names.count ? json_object_get(value, sets->names.items[i]) : json_array_get(value, i), err))
            return -1;
    return number_labels(work, err);
}

int vb_label_sets_read(vb_label_sets *sets, bool *known, const char *path, vb_error *err) {
    set_reader work = {.sets = sets, .path = path};
    char *bytes;
    size_t size;
    *sets = (vb_label_sets){0};
    *known = false;
    if (!vb_path_ends_with(path, ".json")) return 0;
    if (vb_text_file_read(path, LARGEST_FILE, "a JSON list of labels, or of lists of labels", &bytes, &size, err)) return -1;
    json_t *value = vb_json_parse(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, path, err);
    int status = value ? 0 : -1;
    vb_free(bytes);
    *known = value && (json_is_object(value) || json_is_array(json_array_get(value, 0)));
    if (*known) status = read_sets(&work, value, err);
    for (size_t i = 0; i < work.filled; i++) vb_free(work.labels[i].text);
    vb_free(work.labels);
    json_decref(value);
    return status;
}

void vb_label_sets_free(vb_label_sets *sets) {
    vb_free(sets->offsets);
    vb_free(sets->of);
    vb_strings_free(&sets->distinct);
    vb_strings_free(&sets->names);
    *sets = (vb_label_sets){0};
}
