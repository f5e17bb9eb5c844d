/* Reads names by id, and gives them to classes. */
#include "shards/text/names_by_id.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/files/text_file.h"

static const size_t LARGEST_FILE = (size_t)1 << 28;

/* Blanks around both are dropped, in copies. */
static int add_name(vb_names_by_id *names, const char *id, const char *name, size_t place, vb_error *err) {
    if (vb_grow((void **)&names->items, &names->capacity, names->count + 1, sizeof *names->items, "names of classes", err))
        return -1;
    vb_named_id *item = &names->items[names->count];
    *item = (vb_named_id){vb_strdup(id, err), vb_strdup(name, err), place};
    names->count++;
    if (!item->id || !item->name) return -1;
    char **const texts[] = {&item->id, &item->name};
    for (int t = 0; t < 2; t++) {
        char *text = *texts[t];
        size_t n = strlen(text);
        vb_text_file_trim(&text, &n);
        memmove(*texts[t], text, n + 1);
        if (!n) return vb_errorf(err, VB_EDATA, "expected %s, found an empty text", t ? "a name" : "an id");
        if (vb_utf8_find_control(*texts[t]))
            return vb_errorf(err, VB_EDATA, "%s holds a control character", t ? "a name" : "an id");
    }
    return 0;
}

static int read_lines(vb_names_by_id *names, char *text, size_t size, const char *path, vb_error *err) {
    char *at = text, *line;
    size_t n;
    for (size_t number = 1; vb_text_file_next_line(&at, text + size, &line, &n); number++) {
        if (vb_text_file_check_line(line, n, path, number, err)) return -1;
        char *tab = memchr(line, '\t', n);
        if (!line[strspn(line, " \t")]) continue;
        if (!tab || strchr(tab + 1, '\t'))
            return vb_errorf(err, VB_EDATA, "%s: line %zu: expected an id, a tab and a name, found '%.80s'", path, number, line);
        *tab = 0;
        if (add_name(names, line, tab + 1, number, err)) return vb_error_prefix(err, "%s: line %zu", path, number);
    }
    return 0;
}

static int read_object(vb_names_by_id *names, const char *text, size_t size, const char *path, vb_error *err) {
    json_t *value = vb_json_parse(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, path, err), *name;
    const char *id;
    int status = value ? 0 : -1;
    if (value && !json_is_object(value)) status = vb_errorf(err, VB_EDATA, "%s: expected an object of names by id", path);
    size_t place = 1;
    void *at = status ? NULL : json_object_iter(value);
    for (; at && !status; at = json_object_iter_next(value, at), place++) {
        id = json_object_iter_key(at);
        name = json_object_iter_value(at);
        if (!json_is_string(name)) status = vb_errorf(err, VB_EDATA, "%s: id '%.80s': expected a name, a text", path, id);
        else if ((status = add_name(names, id, json_string_value(name), place, err)))
            vb_error_prefix(err, "%s: id '%.80s'", path, id);
    }
    json_decref(value);
    return status;
}

static int by_id(const void *a, const void *b) {
    const vb_named_id *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static int by_id_alone(const void *a, const void *b) {
    return strcmp(((const vb_named_id *)a)->id, ((const vb_named_id *)b)->id);
}

static int sort_names(vb_names_by_id *names, bool lines, const char *path, vb_error *err) {
    vb_digester *digester;
    if (names->count) qsort(names->items, names->count, sizeof *names->items, by_id);
    for (size_t i = 1; i < names->count; i++)
        if (!by_id_alone(&names->items[i - 1], &names->items[i]))
            return vb_errorf(err, VB_EDATA, "%s: %s %zu and %zu: the id '%.80s' stands there twice", path,
                             lines ? "lines" : "items", names->items[i - 1].place, names->items[i].place, names->items[i].id);
    if (vb_digest_new(&digester, err)) return -1;
    for (size_t i = 0; i < names->count; i++) {
        vb_digest_add_text(digester, names->items[i].id);
        vb_digest_add_text(digester, names->items[i].name);
    }
    names->digest = vb_digest_finish(digester);
    return 0;
}

int vb_names_by_id_read(vb_names_by_id *names, const char *path, vb_error *err) {
    const bool lines = !vb_path_ends_with(path, ".json");
    char *text;
    size_t size;
    *names = (vb_names_by_id){0};
    if (vb_text_file_read(path, LARGEST_FILE, "names of classes by id: an id, a tab and a name a line", &text, &size, err))
        return -1;
    int status = lines ? read_lines(names, text, size, path, err) : read_object(names, text, size, path, err);
    vb_free(text);
    if (!status && !names->count) status = vb_errorf(err, VB_EMISSING, "%s: no names", path);
    return status ? -1 : sort_names(names, lines, path, err);
}

void vb_names_by_id_free(vb_names_by_id *names) {
    for (size_t i = 0; i < names->count; i++) {
        vb_free(names->items[i].id);
        vb_free(names->items[i].name);
    }
    vb_free(names->items);
    *names = (vb_names_by_id){0};
}

int vb_names_by_id_call(vb_vocabularies *vocabularies, int64_t *unused, const vb_names_by_id *names, const char *path,
                        vb_error *err) {
    int missing = 0, first = -1;
    uint8_t *used = vb_array(names->count, 1, "names of classes", err);
    if (!used) return -1;
    int status = 0;
    for (int c = 0; c < vocabularies->classes && !status; c++) {
        vb_class *class = &vocabularies->class[c];
        const vb_named_id wanted = {.id = class->id ? class->id : class->name};
        const vb_named_id *found = bsearch(&wanted, names->items, names->count, sizeof *names->items, by_id_alone);
        if (!found) {
            if (!missing++) first = c;
            continue;
        }
        used[found - names->items] = 1;
        vb_free(class->called);
        if (!(class->called = vb_strdup(found->name, err))) status = -1;
    }
    *unused = (int64_t)names->count;
    for (size_t i = 0; i < names->count; i++) *unused -= used[i];
    vb_free(used);
    if (status || !missing) return status;
    const vb_class *class = &vocabularies->class[first];
    return vb_errorf(err, VB_EMISMATCH, "%s: no name for %s '%s'%s%s%s%s (%d of %d classes have none)", path,
                     class->id ? "the id" : "the class", class->id ? class->id : class->name, class->id ? ", class '" : "",
                     class->id ? class->name : "", class->id ? "'" : "", class->id ? "" : ", which has no id", missing,
                     vocabularies->classes);
}
