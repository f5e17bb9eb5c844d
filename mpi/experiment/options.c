/* The option table's reader, printer and JSON form. */
#include "mpi/experiment/options.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/resolve.h"
#include "mpi/base/terminal.h"
#include "shards/files/path.h"
#include "shards/text/did_you_mean.h"

static void *field_of(const vb_option *option, void *fields) {
    assert(option->kind != VB_OPTION_CUSTOM); /* it has no field */
    return (char *)fields + option->offset;
}

int vb_options_wrong(const char *key, const vb_yaml *node, const char *name, vb_error *err) {
    const char *reason = err ? strstr(err->text, ": expected ") : NULL;
    return reason ? vb_yaml_errorf(node, name, err, "%s%s", key, reason) : -1;
}

static int wrong(const vb_option *option, const vb_yaml *node, const char *name, vb_error *err) {
    return vb_options_wrong(option->key, node, name, err);
}

/* A list of three numbers, or one number for all three. */
static int read_triple(const vb_option *option, double *field, const vb_yaml *node, const char *name, vb_error *err) {
    if (node->kind == VB_YAML_MAP || (node->kind == VB_YAML_LIST && node->count != 3))
        return vb_yaml_errorf(node, name, err, "%s: expected three numbers, or one", option->key);
    for (size_t i = 0; i < 3; i++) {
        const vb_yaml *item = node->kind == VB_YAML_LIST ? node->items[i] : node;
        if (vb_yaml_real(item, name, option->low, option->high, &field[i], err)) return wrong(option, item, name, err);
    }
    return 0;
}

static int read_value(const vb_option *option, void *fields, const vb_yaml *node, const char *name, vb_error *err) {
    if (option->kind == VB_OPTION_CUSTOM) return 0; /* the caller's */
    void *field = field_of(option, fields);
    switch (option->kind) {
    case VB_OPTION_TEXT:
    case VB_OPTION_PATH:
        if (node->kind != VB_YAML_SCALAR)
            return vb_yaml_errorf(node, name, err, "%s: expected text, found a %s", option->key,
                                  node->kind == VB_YAML_LIST ? "list" : "map");
        if (vb_yaml_is_null(node)) /* an explicit null leaves it as it is: unset, or the fallback */
            return option->required ? vb_yaml_errorf(node, name, err, "%s: expected text, found nothing", option->key) : 0;
        if (!node->text[0]) return vb_yaml_errorf(node, name, err, "%s: is empty", option->key);
        vb_free(*(char **)field);
        return (*(char **)field = vb_strdup(node->text, err)) ? 0 : -1;
    case VB_OPTION_INTEGER:
        if (vb_yaml_integer(node, name, (int64_t)option->low, (int64_t)option->high, field, err))
            return wrong(option, node, name, err);
        return 0;
    case VB_OPTION_REAL:
        if (vb_yaml_real(node, name, option->low, option->high, field, err)) return wrong(option, node, name, err);
        return 0;
    case VB_OPTION_BOOLEAN:
        if (vb_yaml_bool(node, name, field, err)) return wrong(option, node, name, err);
        return 0;
    case VB_OPTION_CHOICE: {
        const char *text = node->kind == VB_YAML_SCALAR ? node->text : "a list or map";
        for (int i = 0; option->choices[i]; i++)
            if (!strcmp(text, option->choices[i])) {
                *(int *)field = i;
                return 0;
            }
        char all[256] = "";
        for (int i = 0, n = 0; option->choices[i] && n < (int)sizeof all - 40; i++)
            n += snprintf(all + n, sizeof all - (size_t)n, "%s%s", i ? ", " : "", option->choices[i]);
        char hint[VB_DID_YOU_MEAN_HINT];
        return vb_yaml_errorf(node, name, err, "%s: expected one of %s, found '%s'%s", option->key, all, text,
                              vb_did_you_mean_hint(hint, text, option->choices));
    }
    case VB_OPTION_TRIPLE: return read_triple(option, field, node, name, err);
    case VB_OPTION_CUSTOM: return 0;
    }
    return 0;
}

int vb_options_defaults(const vb_option *table, void *fields, vb_error *err) {
    for (const vb_option *option = table; option->key; option++) {
        if (option->kind == VB_OPTION_CUSTOM) continue;
        void *field = field_of(option, fields);
        if (option->kind == VB_OPTION_TEXT || option->kind == VB_OPTION_PATH) *(char **)field = NULL;
        else if (option->kind == VB_OPTION_TRIPLE) ((double *)field)[0] = ((double *)field)[1] = ((double *)field)[2] = NAN;
        else if (option->kind == VB_OPTION_INTEGER) *(int64_t *)field = option->unset ? VB_OPTION_NONE : (int64_t)option->low;
        else if (option->kind == VB_OPTION_REAL) *(double *)field = option->unset ? NAN : option->low;
        else if (option->kind == VB_OPTION_BOOLEAN) *(bool *)field = false;
        else *(int *)field = option->unset ? -1 : 0;
        if (!option->fallback) continue;
        vb_yaml node = {.kind = VB_YAML_SCALAR, .text = (char *)(uintptr_t)option->fallback};
        if (read_value(option, fields, &node, "default", err)) return -1;
    }
    return 0;
}

const vb_option *vb_options_find(const vb_option *table, const char *key) {
    while (table->key && strcmp(table->key, key)) table++;
    return table->key ? table : NULL;
}

bool vb_options_unset(const vb_yaml *value) {
    return value->kind == VB_YAML_SCALAR && !value->quoted && !value->text[0] && !value->line;
}

int vb_options_read(const vb_option *table, void *fields, const vb_yaml *map, const char *name, const char *where,
                    vb_error *err) {
    if (map->kind != VB_YAML_MAP)
        return vb_yaml_errorf(map, name, err, "%s: expected a map of keys, found a %s", where,
                              map->kind == VB_YAML_LIST ? "list" : "scalar");
    if (vb_options_defaults(table, fields, err)) return -1;
    for (size_t i = 0; i < map->count; i++) {
        const vb_option *option = table;
        while (option->key && strcmp(option->key, map->keys[i]->text)) option++;
        if (!option->key) {
            const char *keys[64];
            int n = 0;
            for (option = table; option->key && n < 63; option++) keys[n++] = option->key;
            keys[n] = NULL;
            char hint[VB_DID_YOU_MEAN_HINT];
            return vb_yaml_errorf(map->keys[i], name, err, "unknown key '%s' in %s%s", map->keys[i]->text, where,
                                  vb_did_you_mean_hint(hint, map->keys[i]->text, keys));
        }
        if (vb_options_unset(map->items[i]) && !option->required) continue;
        if (read_value(option, fields, map->items[i], name, err)) return -1;
    }
    for (const vb_option *option = table; option->key; option++)
        if (option->required && !vb_yaml_get(map, option->key))
            return vb_yaml_errorf(map, name, err, "%s: the key '%s' is missing (%s)", where, option->key, option->help);
    return 0;
}

int vb_options_resolve(const vb_option *table, void *fields, const char *beside, vb_error *err) {
    for (const vb_option *option = table; option->key; option++) {
        char **field = option->kind == VB_OPTION_PATH ? field_of(option, fields) : NULL;
        if (!field || !*field) continue;
        char *found = option->machine ? vb_path_expand(*field, err) : vb_resolve(*field, beside, err);
        if (!found) return vb_error_prefix(err, "%s: %s", beside, option->key);
        vb_free(*field);
        *field = found;
    }
    return 0;
}

void vb_options_free(const vb_option *table, void *fields) {
    for (const vb_option *option = table; option->key; option++)
        if (option->kind == VB_OPTION_TEXT || option->kind == VB_OPTION_PATH) {
            vb_free(*(char **)field_of(option, fields));
            *(char **)field_of(option, fields) = NULL;
        }
}

/* Whether the field of an option without a default is as it was before anything was given. */
static bool is_unset(const vb_option *option, const void *field) {
    if (!option->unset) return false;
    if (option->kind == VB_OPTION_CHOICE) return *(const int *)field < 0;
    if (option->kind == VB_OPTION_INTEGER) return *(const int64_t *)field == VB_OPTION_NONE;
    return (option->kind == VB_OPTION_REAL || option->kind == VB_OPTION_TRIPLE) && isnan(*(const double *)field);
}

json_t *vb_options_json(vb_json *json, const vb_option *table, const void *fields, bool machine) {
    json_t *object = vb_json_object(json);
    for (const vb_option *option = table; option->key; option++) {
        if (option->kind == VB_OPTION_CUSTOM || option->machine != machine) continue;
        const void *field = (const char *)fields + option->offset;
        if (is_unset(option, field)) continue;
        switch (option->kind) {
        case VB_OPTION_TEXT:
        case VB_OPTION_PATH: {
            const char *text = *(char *const *)field;
            if (text) vb_json_set_text(json, object, option->key, text);
            break;
        }
        case VB_OPTION_INTEGER: vb_json_set_integer(json, object, option->key, *(const int64_t *)field); break;
        case VB_OPTION_REAL: vb_json_set_real(json, object, option->key, *(const double *)field); break;
        case VB_OPTION_BOOLEAN: vb_json_set_bool(json, object, option->key, *(const bool *)field); break;
        case VB_OPTION_CHOICE: vb_json_set_text(json, object, option->key, option->choices[*(const int *)field]); break;
        case VB_OPTION_TRIPLE: vb_json_set(json, object, option->key, vb_json_real_list(json, field, 3)); break;
        case VB_OPTION_CUSTOM: continue;
        }
    }
    return object;
}

void vb_options_remark(const vb_option *option, char *text, int size) {
    int n = 0;
    text[0] = 0;
    for (int i = 0; option->kind == VB_OPTION_CHOICE && option->choices[i] && n < size; i++)
        n += snprintf(text + n, (size_t)(size - n), "%s%s", i ? "|" : " (", option->choices[i]);
    if (option->kind == VB_OPTION_CHOICE && n < size) n += snprintf(text + n, (size_t)(size - n), ")");
    if (option->kind == VB_OPTION_INTEGER && option->high < 9e15 && n < size)
        n += snprintf(text + n, (size_t)(size - n), " %.0f..%.0f", option->low, option->high);
    if ((option->kind == VB_OPTION_REAL || option->kind == VB_OPTION_TRIPLE) && n < size)
        n += snprintf(text + n, (size_t)(size - n), " %g..%g", option->low, option->high);
    if (option->unit && n < size) n += snprintf(text + n, (size_t)(size - n), " %s", option->unit);
    if (option->fallback && n < size) n += snprintf(text + n, (size_t)(size - n), " [%s]", option->fallback);
    if (option->required && n < size) snprintf(text + n, (size_t)(size - n), " (required)");
}

void vb_options_help(const vb_option *table) {
    const int width = vb_terminal_width(), indent = vb_terminal_indent(25, width);
    for (const vb_option *option = table; option->key; option++) {
        char name[64], remark[256], text[768];
        snprintf(name, sizeof name, "%s:", option->key);
        vb_options_remark(option, remark, sizeof remark);
        snprintf(text, sizeof text, "%s%s", option->help, remark);
        vb_terminal_row(name, text, indent, width);
    }
}

int vb_options_parse_size(const char *text, int64_t *bytes, vb_error *err) {
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"", 1},     {"B", 1},    {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776.0},
                 {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},   {"TB", 1e12}};
    char *end;
    double value = strtod(text, &end);
    while (*end == ' ') end++;
    for (size_t i = 0; end != text && i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].unit) && value * units[i].factor >= 1 && value * units[i].factor < 0x1p62) {
            *bytes = (int64_t)(value * units[i].factor);
            return 0;
        }
    return vb_errorf(err, VB_ECONFIG, "memory: expected a size such as 512MiB or 2GiB, found '%s'", text);
}
