/* Command-line overrides of a YAML tree: a dotted path, and a value that is itself YAML, or a text. */
#include "shards/text/yaml_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"

enum { STEP_LIMIT = 64 };

static void forget_positions(vb_yaml *node) {
    node->line = node->column = 0;
    for (size_t i = 0; i < node->count; i++) {
        forget_positions(node->items[i]);
        if (node->keys) forget_positions(node->keys[i]);
    }
}

static vb_yaml *new_node(vb_yaml_kind kind, const char *text, size_t length, vb_error *err) {
    vb_yaml *node = vb_array(1, sizeof *node, "YAML value", err);
    if (!node) return NULL;
    node->kind = kind;
    if (kind != VB_YAML_SCALAR || (node->text = vb_strndup(text, length, err))) return node;
    vb_free(node);
    return NULL;
}

static int parse_value(vb_yaml **node, const char *path, const char *value, vb_error *err) {
    if (!value[strspn(value, " ")]) return (*node = new_node(VB_YAML_SCALAR, "", 0, err)) ? 0 : -1;
    char *name = vb_format(err, "value of '%.200s'", path);
    if (!name) return -1;
    int status = vb_yaml_parse(node, value, strlen(value), name, err);
    vb_free(name);
    if (!status) forget_positions(*node);
    return status;
}

/* Adds key: value to a map. Takes the value on success only. */
static int append_entry(vb_yaml *map, const char *key, size_t length, vb_yaml *value, vb_error *err) {
    vb_yaml **items = vb_array(map->count + 1, sizeof *items, "YAML values", err);
    vb_yaml **keys = vb_array(map->count + 1, sizeof *keys, "YAML keys", err);
    vb_yaml *name = new_node(VB_YAML_SCALAR, key, length, err);
    if (!items || !keys || !name) {
        vb_free(items);
        vb_free(keys);
        vb_yaml_free(name);
        return -1;
    }
    name->quoted = true; /* a key is a text, whatever it looks like */
    if (map->count) {
        memcpy(items, map->items, map->count * sizeof *items);
        memcpy(keys, map->keys, map->count * sizeof *keys);
    }
    items[map->count] = value;
    keys[map->count] = name;
    vb_free(map->items);
    vb_free(map->keys);
    map->items = items;
    map->keys = keys;
    map->count++;
    return 0;
}

/* Length of `name` when the rest of the path begins with it, as a whole step or several; else 0. */
static size_t leads(const char *rest, const char *name) {
    size_t length = strlen(name);
    return length && !strncmp(rest, name, length) && (rest[length] == '.' || !rest[length]) ? length : 0;
}

static bool is_index(const char *step, size_t length) { return length && strspn(step, "0123456789") >= length; }

/* The child that the next step of the path names, its place in *index and the step's length in *taken. A map without it gives
 * count. */
static int find_step(const vb_yaml *node, const char *path, const char *rest, size_t *index, size_t *taken, vb_error *err) {
    size_t step = strcspn(rest, ".");
    int before = (int)(rest - path) - (rest > path); /* the path walked so far, without its last dot */
    const char *so_far = before ? path : "the top level";
    if (!before) before = (int)strlen(so_far);
    *taken = 0;
    *index = node->count;
    if (node->kind == VB_YAML_LIST && is_index(rest, step)) {
        *taken = step;
        *index = step < 10 ? strtoul(rest, NULL, 10) : node->count;
        if (*index < node->count) return 0;
        if (!node->count)
            return vb_errorf(err, VB_ECONFIG, "%s: no item %.*s: the list '%.*s' is empty", path, (int)step, rest, before,
                             so_far);
        return vb_errorf(err, VB_ECONFIG, "%s: no item %.*s: the list '%.*s' holds %zu (0 to %zu)", path, (int)step, rest, before,
                         so_far, node->count, node->count - 1);
    }
    int found = 0;
    for (size_t i = 0; i < node->count; i++) {
        const vb_yaml *name = node->kind == VB_YAML_MAP ? node->keys[i] : vb_yaml_get(node->items[i], "name");
        size_t length = name && name->kind == VB_YAML_SCALAR ? leads(rest, name->text) : 0;
        if (!length || length < *taken) continue;
        found = length > *taken ? 1 : found + 1;
        *taken = length;
        *index = i;
    }
    if (found > 1)
        return vb_errorf(err, VB_ECONFIG, "%s: %d items of '%.*s' are named '%.*s': expected an index", path, found, before,
                         so_far, (int)*taken, rest);
    if (found) return 0;
    if (node->kind == VB_YAML_LIST)
        return vb_errorf(err, VB_ECONFIG, "%s: none of the %zu items of the list '%.*s' is named '%.*s', and it is no index",
                         path, node->count, before, so_far, (int)step, rest);
    if (node->kind == VB_YAML_SCALAR && !vb_yaml_is_null(node))
        return vb_errorf(err, VB_ECONFIG, "%s: '%.*s' is a plain value and holds no '%.*s'", path, before, so_far, (int)step,
                         rest);
    if (node->kind == VB_YAML_SCALAR && is_index(rest, step))
        return vb_errorf(err, VB_ECONFIG, "%s: no item %.*s: there is no list '%.*s'", path, (int)step, rest, before, so_far);
    *taken = step;
    return 0;
}

/* Wraps *value in maps for every step after the first. */
static int wrap(vb_yaml **value, const char *path, const char *rest, vb_error *err) {
    const char *end = path + strlen(path);
    while (end > rest) {
        const char *step = end;
        while (step > rest && step[-1] != '.') step--;
        if (step == rest) return 0;
        if (is_index(step, (size_t)(end - step)))
            return vb_errorf(err, VB_ECONFIG, "%s: no item %.*s: there is no list '%.*s'", path, (int)(end - step), step,
                             (int)(step - 1 - path), path);
        vb_yaml *map = new_node(VB_YAML_MAP, NULL, 0, err);
        if (!map || append_entry(map, step, (size_t)(end - step), *value, err)) {
            vb_yaml_free(map);
            return -1;
        }
        *value = map;
        end = step - 1;
    }
    return 0;
}

static int check_path(const char *path, vb_error *err) {
    size_t steps = 1, length = strlen(path);
    for (const char *c = path; *c; c++) steps += *c == '.';
    if (!length || path[0] == '.' || path[length - 1] == '.' || strstr(path, ".."))
        return vb_errorf(err, VB_ECONFIG, "'%s': expected a path such as models.0.weights", path);
    if (steps > STEP_LIMIT)
        return vb_errorf(err, VB_ECONFIG, "'%.80s...': %zu steps, expected at most %d", path, steps, STEP_LIMIT);
    return 0;
}

/* Takes the node, also on failure. */
static int put(vb_yaml *root, const char *path, vb_yaml *node, vb_error *err) {
    vb_yaml *at = root;
    for (const char *rest = path;;) {
        size_t index, taken;
        if (find_step(at, path, rest, &index, &taken, err)) break;
        if (index < at->count && !rest[taken]) {
            vb_yaml_free(at->items[index]);
            at->items[index] = node;
            return 0;
        }
        if (index < at->count) {
            at = at->items[index];
            rest += taken + 1;
            continue;
        }
        if (wrap(&node, path, rest, err) || append_entry(at, rest, taken, node, err)) break;
        if (at->kind == VB_YAML_SCALAR) { /* "options:" with nothing behind it becomes the map that it was meant to be */
            vb_free(at->text);
            at->text = NULL;
            at->kind = VB_YAML_MAP;
        }
        return 0;
    }
    vb_yaml_free(node);
    return -1;
}

int vb_yaml_set(vb_yaml *root, const char *path, const char *value, vb_error *err) {
    vb_yaml *node = NULL;
    return check_path(path, err) || parse_value(&node, path, value, err) ? -1 : put(root, path, node, err);
}

int vb_yaml_set_text(vb_yaml *root, const char *path, const char *text, vb_error *err) {
    if (check_path(path, err)) return -1;
    if (!vb_utf8_is_text(text, strlen(text), NULL)) return vb_errorf(err, VB_ECONFIG, "%s: '%s' is no UTF-8", path, text);
    vb_yaml *node = new_node(VB_YAML_SCALAR, text, strlen(text), err);
    if (!node) return -1;
    node->quoted = true;
    return put(root, path, node, err);
}
