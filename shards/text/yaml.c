/* The YAML reader: libyaml's events become a tree; whatever a configuration has no use for is refused with its place. */
#include "shards/text/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/text_file.h"

enum { DEPTH_LIMIT = 64, NODE_LIMIT = 1 << 20, BYTES_LIMIT = 64 << 20 };

typedef struct reader {
    yaml_parser_t parser;
    const char *name;
    const char *bytes;
    size_t size;
    size_t nodes;
    vb_error *err;
} reader;

/* ---- messages ---- */

__attribute__((format(printf, 3, 4))) static int fail(const reader *r, yaml_mark_t mark, const char *format, ...) {
    char text[VB_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return vb_errorf(r->err, VB_ECONFIG, "%s:%zu:%zu: %s", r->name, mark.line + 1, mark.column + 1, text);
}

/* Line and column (from 0, in characters) of a byte offset: libyaml gives only the offset when the bytes are no UTF-8. */
static yaml_mark_t mark_of_offset(const reader *r, size_t offset) {
    yaml_mark_t mark = {0, 0, 0};
    for (size_t i = 0; i < offset && i < r->size; i++) {
        if (r->bytes[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (vb_utf8_begins(r->bytes[i])) {
            mark.column++;
        }
    }
    return mark;
}

/* The byte at a mark, 0 beyond the end. */
static char byte_at_mark(const reader *r, yaml_mark_t mark) {
    size_t i = 0;
    for (size_t line = 0; line < mark.line && i < r->size; i++)
        if (r->bytes[i] == '\n') line++;
    for (size_t column = 0; column < mark.column && i < r->size; column++)
        for (i++; i < r->size && !vb_utf8_begins(r->bytes[i]); i++) {}
    return i < r->size ? r->bytes[i] : 0;
}

/* libyaml's complaint, with a hint where its words do not help the person who made a frequent slip. */
static int syntax_error(const reader *r) {
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "broken YAML";
    if (p->error == YAML_MEMORY_ERROR) return vb_errorf(r->err, VB_EMEMORY, "%s: no memory for reading YAML", r->name);
    if (p->error == YAML_READER_ERROR) {
        yaml_mark_t mark = mark_of_offset(r, p->problem_offset);
        if (p->problem_value < 0) return fail(r, mark, "expected UTF-8 text: %s", problem);
        return fail(r, mark, "expected UTF-8 text: %s (0x%02x)", problem, (unsigned)p->problem_value);
    }
    char found = byte_at_mark(r, p->problem_mark);
    if (found == '\t') return fail(r, p->problem_mark, "found a tab: YAML is indented with spaces");
    if (!strcmp(problem, "mapping values are not allowed in this context"))
        return fail(r, p->problem_mark, "found a second ':' where a value is expected (a text with ': ' in it needs quotes)");
    if (!strcmp(problem, "found character that cannot start any token"))
        return fail(r, p->problem_mark, "found '%c', which cannot start a value (a text that begins with it needs quotes)",
                    found);
    if (p->context) return fail(r, p->problem_mark, "%s %s at line %zu", problem, p->context, p->context_mark.line + 1);
    return fail(r, p->problem_mark, "%s", problem);
}

/* ---- the grammar of plain scalars: YAML 1.2's core schema, where 'yes', 'no', 'on' and 'off' are text ---- */

static const char *digits(const char *text, const char *of) { return text + strspn(text, of); }

static bool is_integer(const char *text) {
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
        const char *end = digits(text + 2, text[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567");
        return end > text + 2 && !*end;
    }
    if (*text == '+' || *text == '-') text++;
    const char *end = digits(text, "0123456789");
    return end > text && !*end;
}

static bool is_infinity(const char *text) {
    if (*text == '+' || *text == '-') text++;
    return !strcmp(text, ".inf") || !strcmp(text, ".Inf") || !strcmp(text, ".INF");
}

static bool is_real(const char *text) {
    if (is_infinity(text)) return true;
    if (*text == '+' || *text == '-') text++;
    const char *end = digits(text, "0123456789");
    size_t count = (size_t)(end - text);
    if (*end == '.') {
        const char *fraction = end + 1;
        end = digits(fraction, "0123456789");
        count += (size_t)(end - fraction);
    }
    if (!count) return false;
    if (*end == 'e' || *end == 'E') {
        end++;
        if (*end == '+' || *end == '-') end++;
        const char *exponent = end;
        end = digits(exponent, "0123456789");
        if (end == exponent) return false;
    }
    return !*end;
}

static bool is_bool(const char *text) { return !strcmp(text, "true") || !strcmp(text, "false"); }
static bool is_null(const char *text) { return !*text || !strcmp(text, "~") || !strcmp(text, "null"); }

/* ---- events to nodes ---- */

/* A core tag states what the value must be; any other would mean a type that this program does not have. */
static int apply_tag(const reader *r, yaml_mark_t mark, const char *tag, vb_yaml *node) {
    static const char core[] = "tag:yaml.org,2002:";
    if (!tag || !*tag) return 0;
    const char *type = strncmp(tag, core, sizeof core - 1) ? "" : tag + sizeof core - 1;
    if (node->kind == VB_YAML_LIST && !strcmp(type, "seq")) return 0;
    if (node->kind == VB_YAML_MAP && !strcmp(type, "map")) return 0;
    if (node->kind == VB_YAML_SCALAR && !strcmp(type, "str")) {
        node->quoted = true;
        return 0;
    }
    static const struct {
        const char *type;
        bool (*fits)(const char *);
    } scalars[] = {{"int", is_integer}, {"float", is_real}, {"bool", is_bool}, {"null", is_null}};
    for (size_t i = 0; node->kind == VB_YAML_SCALAR && i < sizeof scalars / sizeof *scalars; i++) {
        if (strcmp(type, scalars[i].type)) continue;
        if (!scalars[i].fits(node->text))
            return fail(r, mark, "'%.80s' is not of the type that its tag !!%s states", node->text, type);
        node->quoted = false;
        return 0;
    }
    return fail(r, mark, "found the tag '%.80s': only !!str, !!int, !!float, !!bool, !!null, !!seq and !!map mean something here",
                tag);
}

/* The node that an event starts; the event stays the caller's. */
static int start_node(reader *r, const yaml_event_t *event, int depth, vb_yaml **result) {
    yaml_mark_t mark = event->start_mark;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return fail(r, mark, "found the alias '*%.80s': write the value out (a text that begins with '*' needs quotes)",
                    (const char *)event->data.alias.anchor);
    if (++r->nodes > NODE_LIMIT) return fail(r, mark, "more than %d values in one file", NODE_LIMIT);
    vb_yaml *node = *result = vb_array(1, sizeof *node, "YAML value", r->err);
    if (!node) return -1;
    node->line = (int)mark.line + 1;
    node->column = (int)mark.column + 1;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
            return fail(r, mark, "found the character \\0 in a text");
        node->kind = VB_YAML_SCALAR;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = vb_strndup((const char *)event->data.scalar.value, event->data.scalar.length, r->err);
        if (!node->text) return -1;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        node->kind = VB_YAML_LIST;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        node->kind = VB_YAML_MAP;
        break;
    default: return vb_errorf(r->err, VB_EINTERNAL, "%s: unexpected YAML event %d", r->name, (int)event->type);
    }
    if (node->kind != VB_YAML_SCALAR && depth >= DEPTH_LIMIT)
        return fail(r, mark, "nested more than %d levels deep", DEPTH_LIMIT);
    if (anchor)
        return fail(
            r, mark,
            "found the anchor '&%.80s': write the value out where it is needed (a text that begins with '&' needs quotes)",
            (const char *)anchor);
    return apply_tag(r, mark, (const char *)tag, node);
}

static int read_key(reader *r, const yaml_event_t *event, vb_yaml **key) {
    if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
        return fail(r, event->start_mark, "found a %s as a key: expected a name",
                    event->type == YAML_MAPPING_START_EVENT ? "map" : "list");
    if (start_node(r, event, 0, key)) return -1;
    if (vb_yaml_is_null(*key))
        return fail(r, event->start_mark, "found no key before ':' (a key that reads as null needs quotes)");
    if (!(*key)->quoted && !strcmp((*key)->text, "<<"))
        return fail(r, event->start_mark, "found the merge key '<<': write the values out where they are needed");
    return 0;
}

static int by_text_then_place(const void *a, const void *b) {
    const vb_yaml *x = *(vb_yaml *const *)a, *y = *(vb_yaml *const *)b;
    int order = strcmp(x->text, y->text);
    if (order) return order;
    return x->line != y->line ? (x->line < y->line ? -1 : 1) : (x->column > y->column) - (x->column < y->column);
}

/* By sorting, so that a file of a million keys is not a million million comparisons. */
static int refuse_duplicate_keys(const reader *r, const vb_yaml *map) {
    vb_yaml **sorted = vb_array(map->count, sizeof *sorted, "YAML keys", r->err);
    if (!sorted) return -1;
    const vb_yaml *first = NULL, *again = NULL;
    if (map->count) memcpy(sorted, map->keys, map->count * sizeof *sorted);
    qsort(sorted, map->count, sizeof *sorted, by_text_then_place);
    for (size_t i = 1; i < map->count; i++) {
        if (strcmp(sorted[i - 1]->text, sorted[i]->text)) continue;
        if (again && (again->line < sorted[i]->line || (again->line == sorted[i]->line && again->column < sorted[i]->column)))
            continue;
        first = sorted[i - 1];
        again = sorted[i];
    }
    vb_free(sorted);
    if (!again) return 0;
    return vb_errorf(r->err, VB_ECONFIG, "%s:%d:%d: the key '%.80s' is given a second time (first at line %d)", r->name,
                     again->line, again->column, again->text, first->line);
}

/* Consumes the event. Whatever was read hangs in *result, also on failure. */
static int read_node(reader *r, yaml_event_t *event, int depth, vb_yaml **result) {
    int status = start_node(r, event, depth, result);
    yaml_event_delete(event);
    vb_yaml *node = *result;
    if (status || node->kind == VB_YAML_SCALAR) return status;
    size_t items_capacity = 0, keys_capacity = 0;
    for (;;) {
        yaml_event_t next;
        if (!yaml_parser_parse(&r->parser, &next)) return syntax_error(r);
        if (next.type == YAML_SEQUENCE_END_EVENT || next.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&next);
            break;
        }
        size_t place = node->count;
        if (vb_grow((void **)&node->items, &items_capacity, place + 1, sizeof *node->items, "YAML values", r->err) ||
            (node->kind == VB_YAML_MAP &&
             vb_grow((void **)&node->keys, &keys_capacity, place + 1, sizeof *node->keys, "YAML keys", r->err))) {
            yaml_event_delete(&next);
            return -1;
        }
        node->count = place + 1;
        if (node->kind == VB_YAML_MAP) {
            status = read_key(r, &next, &node->keys[place]);
            yaml_event_delete(&next);
            if (status) return -1;
            if (!yaml_parser_parse(&r->parser, &next)) return syntax_error(r);
        }
        if (read_node(r, &next, depth + 1, &node->items[place])) return -1;
    }
    return node->kind == VB_YAML_MAP ? refuse_duplicate_keys(r, node) : 0;
}

static int read_document(reader *r, vb_yaml **root) {
    yaml_event_t event;
    do { /* the start of the stream, then that of the document */
        if (!yaml_parser_parse(&r->parser, &event)) return syntax_error(r);
        yaml_event_type_t type = event.type;
        yaml_mark_t mark = event.start_mark;
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT) return fail(r, mark, "found nothing: expected YAML");
        if (type == YAML_DOCUMENT_START_EVENT) break;
    } while (true);
    if (!yaml_parser_parse(&r->parser, &event)) return syntax_error(r);
    if (read_node(r, &event, 0, root)) return -1;
    do { /* the end of the document, then that of the stream */
        if (!yaml_parser_parse(&r->parser, &event)) return syntax_error(r);
        yaml_event_type_t type = event.type;
        yaml_mark_t mark = event.start_mark;
        yaml_event_delete(&event);
        if (type == YAML_DOCUMENT_START_EVENT) return fail(r, mark, "found a second document: a file holds one");
        if (type == YAML_STREAM_END_EVENT) return 0;
    } while (true);
}

int vb_yaml_parse(vb_yaml **root, const char *bytes, size_t size, const char *name, vb_error *err) {
    *root = NULL;
    if (size > BYTES_LIMIT)
        return vb_errorf(err, VB_ECONFIG, "%s: %zu bytes of YAML, expected at most %d", name, size, BYTES_LIMIT);
    const size_t mark = vb_text_file_mark(bytes, size);
    bytes += mark;
    size -= mark;
    reader r = {.name = name, .bytes = bytes, .size = size, .err = err};
    if (!yaml_parser_initialize(&r.parser)) return vb_errorf(err, VB_EMEMORY, "%s: no memory for reading YAML", name);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, size);
    int status = read_document(&r, root);
    yaml_parser_delete(&r.parser);
    if (status) {
        vb_yaml_free(*root);
        *root = NULL;
    }
    return status;
}

int vb_yaml_read(vb_yaml **root, const char *path, vb_error *err) {
    *root = NULL;
    char *bytes;
    size_t size;
    if (vb_text_file_read(path, BYTES_LIMIT, "YAML", &bytes, &size, err)) return -1;
    int status = vb_yaml_parse(root, bytes, size, path, err);
    vb_free(bytes);
    return status;
}

void vb_yaml_free(vb_yaml *node) {
    if (!node) return;
    for (size_t i = 0; i < node->count; i++) {
        vb_yaml_free(node->items[i]);
        if (node->keys) vb_yaml_free(node->keys[i]);
    }
    vb_free(node->items);
    vb_free(node->keys);
    vb_free(node->text);
    vb_free(node);
}

vb_yaml *vb_yaml_get(const vb_yaml *map, const char *key) {
    if (!map || map->kind != VB_YAML_MAP) return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (!strcmp(map->keys[i]->text, key)) return map->items[i];
    return NULL;
}

/* ---- typed reads ---- */

int vb_yaml_errorf(const vb_yaml *node, const char *name, vb_error *err, const char *format, ...) {
    char text[VB_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (node->line > 0) return vb_errorf(err, VB_ECONFIG, "%s:%d:%d: %s", name, node->line, node->column, text);
    return vb_errorf(err, VB_ECONFIG, "%s: command line: %s", name, text);
}

int vb_yaml_expected(const vb_yaml *node, const char *name, const char *expected, vb_error *err) {
    if (node->kind != VB_YAML_SCALAR)
        return vb_yaml_errorf(node, name, err, "expected %s, found a %s", expected, node->kind == VB_YAML_LIST ? "list" : "map");
    if (vb_yaml_is_null(node)) return vb_yaml_errorf(node, name, err, "expected %s, found nothing", expected);
    size_t shown = vb_utf8_cut(node->text, 60);
    const char *more = node->text[shown] ? "..." : "";
    return vb_yaml_errorf(node, name, err, "expected %s, found %s'%.*s%s'", expected, node->quoted ? "the quoted text " : "",
                          (int)shown, node->text, more);
}

bool vb_yaml_is_null(const vb_yaml *node) {
    return !node || (node->kind == VB_YAML_SCALAR && !node->quoted && is_null(node->text));
}

int vb_yaml_text(const vb_yaml *node, const char *name, const char **text, vb_error *err) {
    if (node->kind != VB_YAML_SCALAR || vb_yaml_is_null(node)) return vb_yaml_expected(node, name, "a text", err);
    *text = node->text;
    return 0;
}

int vb_yaml_integer(const vb_yaml *node, const char *name, int64_t low, int64_t high, int64_t *value, vb_error *err) {
    char expected[96] = "an integer";
    if (low > INT64_MIN && high < INT64_MAX)
        snprintf(expected, sizeof expected, "an integer from %lld to %lld", (long long)low, (long long)high);
    else if (low > INT64_MIN) snprintf(expected, sizeof expected, "an integer of at least %lld", (long long)low);
    else if (high < INT64_MAX) snprintf(expected, sizeof expected, "an integer of at most %lld", (long long)high);
    if (node->kind != VB_YAML_SCALAR || node->quoted || !is_integer(node->text))
        return vb_yaml_expected(node, name, expected, err);
    bool other_base = node->text[0] == '0' && (node->text[1] == 'x' || node->text[1] == 'o');
    errno = 0;
    long long number = strtoll(node->text + (other_base ? 2 : 0), NULL, !other_base ? 10 : node->text[1] == 'x' ? 16 : 8);
    if (errno || number < low || number > high) return vb_yaml_expected(node, name, expected, err);
    *value = number;
    return 0;
}

int vb_yaml_real(const vb_yaml *node, const char *name, double low, double high, double *value, vb_error *err) {
    char expected[96] = "a number";
    if (isfinite(low) && isfinite(high)) snprintf(expected, sizeof expected, "a number from %.15g to %.15g", low, high);
    else if (isfinite(low)) snprintf(expected, sizeof expected, "a number of at least %.15g", low);
    else if (isfinite(high)) snprintf(expected, sizeof expected, "a number of at most %.15g", high);
    if (node->kind != VB_YAML_SCALAR || node->quoted || !is_real(node->text)) return vb_yaml_expected(node, name, expected, err);
    char *end = node->text;
    bool infinite = is_infinity(node->text);
    double number = infinite ? (*node->text == '-' ? -INFINITY : INFINITY) : strtod(node->text, &end);
    /* *end: a locale with another decimal sign would stop strtod early. */
    if (!infinite && (*end || isinf(number))) return vb_yaml_expected(node, name, expected, err);
    if (number < low || number > high) return vb_yaml_expected(node, name, expected, err);
    *value = number;
    return 0;
}

int vb_yaml_bool(const vb_yaml *node, const char *name, bool *value, vb_error *err) {
    if (node->kind != VB_YAML_SCALAR || node->quoted || !is_bool(node->text))
        return vb_yaml_expected(node, name, "true or false", err);
    *value = *node->text == 't';
    return 0;
}
