/* A stack machine for pickles whose every effect is a node in memory. */
#include "shards/weights/pickle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/weights/pickle_memory.h"
#include "shards/weights/pickle_opcodes.h"
#include "shards/weights/pickle_text.h"

enum { NEWEST_PROTOCOL = 5, LONGEST_LINE = 64 << 10, LONGEST_NUMBER = 64 };

struct vb_pickle {
    vb_pickle_memory memory; /* of the values and their items */
    size_t values;
    vb_value *root;
    vb_value **persistents;
    size_t persistent_count, persistent_capacity;
};

typedef struct machine {
    vb_pickle *pickle;
    const uint8_t *bytes;
    size_t size, at, opcode_at;
    const char *name;
    vb_value **stack;
    size_t depth, capacity;
    size_t *marks; /* stack depths */
    size_t mark_count, mark_capacity;
    vb_value **memo;
    size_t memo_used, memo_capacity;
    vb_error *err;
} machine;

#define BAD(m, ...) (vb_errorf((m)->err, VB_EDATA, __VA_ARGS__), locate_opcode(m))

static int locate_opcode(const machine *m) {
    return vb_error_prefix(m->err, "%s: byte %zu, opcode 0x%02x", m->name, m->opcode_at, m->bytes[m->opcode_at]);
}

/* ---- memory ---- */

static vb_value *new_value(machine *m, vb_value_kind kind) {
    if (m->pickle->values == VB_PICKLE_VALUES) {
        BAD(m, "more than %d values", VB_PICKLE_VALUES);
        return NULL;
    }
    vb_value *value = vb_pickle_memory_get(&m->pickle->memory, sizeof *value, m->err);
    if (!value) return NULL;
    m->pickle->values++;
    value->kind = kind;
    value->pairs = kind == VB_VALUE_DICT;
    return value;
}

static int add_items(machine *m, vb_value *value, vb_value *const *items, size_t count) {
    if (!count) return 0;
    if (count > value->capacity - value->count) {
        size_t capacity = value->capacity * 2 > value->count + count ? value->capacity * 2 : value->count + count;
        vb_value **larger = vb_pickle_memory_get(&m->pickle->memory, capacity * sizeof(vb_value *), m->err);
        if (!larger) return -1;
        if (value->count) memcpy(larger, value->items, value->count * sizeof(vb_value *));
        value->items = larger;
        value->capacity = capacity;
    }
    memcpy(value->items + value->count, items, count * sizeof(vb_value *));
    value->count += count;
    return 0;
}

/* ---- the stack ---- */

static size_t ground(const machine *m) { return m->mark_count ? m->marks[m->mark_count - 1] : 0; }

static int push(machine *m, vb_value *value) {
    if (!value) return -1;
    if (m->depth == VB_PICKLE_VALUES) return BAD(m, "more than %d values on the stack", VB_PICKLE_VALUES);
    if (vb_grow((void **)&m->stack, &m->capacity, m->depth + 1, sizeof *m->stack, "pickle stack", m->err)) return -1;
    m->stack[m->depth++] = value;
    return 0;
}

static vb_value *pop(machine *m) {
    if (m->depth <= ground(m)) {
        BAD(m, "the stack is empty");
        return NULL;
    }
    return m->stack[--m->depth];
}

/* The value that an opcode works on in place. */
static vb_value *top(machine *m) {
    vb_value *value = pop(m);
    if (value) m->depth++;
    return value;
}

static int push_mark(machine *m) {
    if (m->mark_count == VB_PICKLE_VALUES) return BAD(m, "more than %d marks", VB_PICKLE_VALUES);
    if (vb_grow((void **)&m->marks, &m->mark_capacity, m->mark_count + 1, sizeof *m->marks, "pickle marks", m->err)) return -1;
    m->marks[m->mark_count++] = m->depth;
    return 0;
}

/* Takes what lies above the last mark off the stack; *items stays valid until the next push. */
static int pop_mark(machine *m, vb_value ***items, size_t *count) {
    if (!m->mark_count) return BAD(m, "no mark on the stack");
    size_t first = m->marks[--m->mark_count];
    *items = m->stack ? m->stack + first : NULL;
    *count = m->depth - first;
    m->depth = first;
    return 0;
}

static vb_value *collect_items(machine *m, vb_value_kind kind, vb_value *const *items, size_t count) {
    if (kind == VB_VALUE_DICT && count % 2) {
        BAD(m, "%zu keys and values cannot be paired", count);
        return NULL;
    }
    vb_value *value = new_value(m, kind);
    return value && !add_items(m, value, items, count) ? value : NULL;
}

/* ---- arguments in the byte stream ---- */

static const uint8_t *take(machine *m, uint64_t count) {
    if (count > m->size - m->at) {
        BAD(m, "%" PRIu64 " bytes wanted, %zu left", count, m->size - m->at);
        return NULL;
    }
    const uint8_t *bytes = m->bytes + m->at;
    m->at += (size_t)count;
    return bytes;
}

/* A little-endian unsigned number of `count` <= 8 bytes. */
static int take_number(machine *m, int count, uint64_t *number) {
    const uint8_t *bytes = take(m, (uint64_t)count);
    if (!bytes) return -1;
    *number = 0;
    for (int i = count - 1; i >= 0; i--) *number = *number << 8 | bytes[i];
    return 0;
}

/* A line without its newline. */
static int take_text_line(machine *m, const char **line, size_t *length) {
    size_t left = m->size - m->at, limit = left < LONGEST_LINE ? left : LONGEST_LINE;
    const uint8_t *end = limit ? memchr(m->bytes + m->at, '\n', limit) : NULL;
    if (!end) return BAD(m, "no end of line within %zu bytes", limit);
    *line = (const char *)m->bytes + m->at;
    *length = (size_t)(end - (m->bytes + m->at));
    m->at += *length + 1;
    return 0;
}

static vb_value *new_text(machine *m, vb_value_kind kind, const void *text, size_t size) {
    vb_value *value = new_value(m, kind);
    if (!value) return NULL;
    value->text = text;
    value->size = size;
    return value;
}

static vb_value *new_integer(machine *m, vb_value_kind kind, int64_t integer) {
    vb_value *value = new_value(m, kind);
    if (value) value->integer = integer;
    return value;
}

/* Length of `width` bytes, then that many bytes. Lengths of 4 bytes are signed where protocol 1 and 2 wrote them so. */
static int push_counted(machine *m, vb_value_kind kind, int width, bool is_signed) {
    uint64_t size;
    if (take_number(m, width, &size)) return -1;
    if (is_signed && size > INT32_MAX) return BAD(m, "a length of %d", (int)(int32_t)size);
    const uint8_t *bytes = take(m, size);
    return bytes ? push(m, new_text(m, kind, bytes, (size_t)size)) : -1;
}

/* Two's complement, little-endian, any length. */
static int push_long(machine *m, int width) {
    uint64_t size;
    if (take_number(m, width, &size)) return -1;
    if (width == 4 && size > INT32_MAX) return BAD(m, "a length of %d", (int)(int32_t)size);
    const uint8_t *bytes = take(m, size);
    if (!bytes) return -1;
    if (size > 8) return push(m, new_text(m, VB_VALUE_BIG, bytes, (size_t)size));
    uint64_t number = size && bytes[size - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = (size_t)size; i-- > 0;) number = number << 8 | bytes[i];
    return push(m, new_integer(m, VB_VALUE_INT, (int64_t)number));
}

/* Decimal digits; a key of the memo when `unsigned_only`. 1 when the number is beyond 64 bits. */
static int parse_decimal(machine *m, const char *line, size_t length, bool unsigned_only, int64_t *number) {
    size_t i = !unsigned_only && length && (line[0] == '-' || line[0] == '+');
    bool negative = i && line[0] == '-', over = false;
    if (i == length) return BAD(m, "no digits in a number");
    int64_t sum = 0;
    for (; i < length; i++) {
        if (line[i] < '0' || line[i] > '9') return BAD(m, "'%.*s' is not a number", length < 40 ? (int)length : 40, line);
        over |= __builtin_mul_overflow(sum, 10, &sum);
        over |= negative ? __builtin_sub_overflow(sum, line[i] - '0', &sum) : __builtin_add_overflow(sum, line[i] - '0', &sum);
    }
    *number = sum;
    return over;
}

static int push_decimal(machine *m, bool is_long) {
    const char *line;
    size_t length;
    int64_t number;
    if (take_text_line(m, &line, &length)) return -1;
    if (is_long && length && line[length - 1] == 'L') length--;
    if (!is_long && length == 2 && line[0] == '0' && (line[1] == '0' || line[1] == '1'))
        return push(m, new_integer(m, VB_VALUE_BOOL, line[1] - '0'));
    int over = parse_decimal(m, line, length, false, &number);
    if (over < 0) return -1;
    return push(m, over ? new_text(m, VB_VALUE_BIG, line, length) : new_integer(m, VB_VALUE_INT, number));
}

static int push_real(machine *m, bool binary) {
    double real;
    if (binary) { /* big-endian, alone among pickle's numbers */
        const uint8_t *bytes = take(m, 8);
        if (!bytes) return -1;
        uint64_t bits = 0;
        for (int i = 0; i < 8; i++) bits = bits << 8 | bytes[i];
        memcpy(&real, &bits, sizeof real);
    } else {
        const char *line;
        char copy[LONGEST_NUMBER], *end;
        size_t length;
        if (take_text_line(m, &line, &length)) return -1;
        if (!length || length >= sizeof copy) return BAD(m, "a number of %zu characters", length);
        memcpy(copy, line, length);
        copy[length] = 0;
        real = strtod(copy, &end);
        if (end != copy + length) return BAD(m, "'%s' is not a number", copy);
    }
    vb_value *value = new_value(m, VB_VALUE_FLOAT);
    if (value) value->real = real;
    return push(m, value);
}

/* ---- text of protocol 0 ---- */

static int push_escaped(machine *m, size_t growth, int64_t decode(const char *text, size_t size, char *out), const char *fault) {
    const char *line;
    size_t length;
    if (take_text_line(m, &line, &length)) return -1;
    char *text = vb_pickle_memory_get(&m->pickle->memory, growth * length + 1, m->err);
    if (!text) return -1;
    int64_t size = decode(line, length, text);
    return size < 0 ? BAD(m, "%s", fault) : push(m, new_text(m, VB_VALUE_TEXT, text, (size_t)size));
}

/* ---- the memo ---- */

static int memo_put(machine *m, uint64_t index) {
    vb_value *value = top(m);
    if (!value) return -1;
    /* Picklers number densely, so that an index beyond the opcodes read so far is no pickler's. */
    if (index >= m->at || index >= VB_PICKLE_VALUES) return BAD(m, "memo index %" PRIu64 " is out of range", index);
    if (vb_grow((void **)&m->memo, &m->memo_capacity, (size_t)index + 1, sizeof *m->memo, "pickle memo", m->err)) return -1;
    if (!m->memo[index]) m->memo_used++;
    m->memo[index] = value;
    return 0;
}

static int memo_get(machine *m, uint64_t index) {
    if (index >= m->memo_capacity || !m->memo[index]) return BAD(m, "nothing was memoized under %" PRIu64, index);
    return push(m, m->memo[index]);
}

static int memo_line(machine *m, bool put) {
    const char *line;
    size_t length;
    int64_t index;
    if (take_text_line(m, &line, &length)) return -1;
    int over = parse_decimal(m, line, length, true, &index);
    if (over) return over < 0 ? -1 : BAD(m, "memo index out of range");
    return put ? memo_put(m, (uint64_t)index) : memo_get(m, (uint64_t)index);
}

static int memo_binary(machine *m, int width, bool put) {
    uint64_t index;
    if (take_number(m, width, &index)) return -1;
    return put ? memo_put(m, index) : memo_get(m, index);
}

/* ---- what Python would import, call and construct ---- */

static vb_value *new_global(machine *m, vb_value *module, vb_value *name) {
    if (!module || !name) return NULL;
    if (module->kind != VB_VALUE_TEXT || name->kind != VB_VALUE_TEXT) {
        BAD(m, "module and name are %s and %s, not text", vb_pickle_value_kind_name(module->kind),
            vb_pickle_value_kind_name(name->kind));
        return NULL;
    }
    vb_value *value = new_value(m, VB_VALUE_GLOBAL);
    if (!value) return NULL;
    value->class = module;
    value->args = name;
    return value;
}

static vb_value *take_global(machine *m) {
    const char *module, *name;
    size_t module_length, name_length;
    if (take_text_line(m, &module, &module_length) || take_text_line(m, &name, &name_length)) return NULL;
    vb_value *first = new_text(m, VB_VALUE_TEXT, module, module_length);
    return new_global(m, first, first ? new_text(m, VB_VALUE_TEXT, name, name_length) : NULL);
}

static vb_value *new_object(machine *m, vb_value *class, vb_value *args) {
    if (!class || !args) return NULL;
    if (args->kind != VB_VALUE_TUPLE) {
        BAD(m, "the arguments are a %s, not a tuple", vb_pickle_value_kind_name(args->kind));
        return NULL;
    }
    vb_value *value = new_value(m, VB_VALUE_OBJECT);
    if (!value) return NULL;
    value->class = class;
    value->args = args;
    return value;
}

static int call(machine *m) { /* REDUCE and NEWOBJ */
    vb_value *args = pop(m), *class = args ? pop(m) : NULL;
    return push(m, new_object(m, class, args));
}

static int call_with_keywords(machine *m) { /* NEWOBJ_EX */
    vb_value *both[2];
    if (!(both[1] = pop(m)) || !(both[0] = pop(m))) return -1;
    vb_value *class = pop(m), *args = class ? collect_items(m, VB_VALUE_TUPLE, both, 2) : NULL;
    return push(m, new_object(m, class, args));
}

static int call_marked(machine *m, bool class_on_stack) { /* OBJ and INST */
    vb_value **items, *class = class_on_stack ? NULL : take_global(m);
    size_t count;
    if ((!class && !class_on_stack) || pop_mark(m, &items, &count)) return -1;
    if (class_on_stack && !count) return BAD(m, "no class above the mark");
    if (class_on_stack) class = *items++, count--;
    return push(m, new_object(m, class, collect_items(m, VB_VALUE_TUPLE, items, count)));
}

static int give_state(machine *m) {
    vb_value *state = pop(m), *object = state ? top(m) : NULL;
    if (!object) return -1;
    if (object->kind != VB_VALUE_OBJECT) return BAD(m, "a %s cannot be given a state", vb_pickle_value_kind_name(object->kind));
    if (object->state) return BAD(m, "an object is given a state twice");
    object->state = state;
    return 0;
}

/* Appends to a list, set, dict, or to an object that Python would ask to append. */
static int extend_value(machine *m, vb_value_kind kind, vb_value *const *items, size_t count) {
    vb_value *value = top(m);
    if (!value) return -1;
    bool pairs = kind == VB_VALUE_DICT;
    if (value->kind != kind && value->kind != VB_VALUE_OBJECT)
        return BAD(m, "a %s cannot be given the items of a %s", vb_pickle_value_kind_name(value->kind),
                   vb_pickle_value_kind_name(kind));
    if (pairs && count % 2) return BAD(m, "%zu keys and values cannot be paired", count);
    if (value->kind == VB_VALUE_OBJECT && value->count && value->pairs != pairs)
        return BAD(m, "an object is given both items and keys");
    value->pairs = pairs;
    return add_items(m, value, items, count);
}

static int extend_marked(machine *m, vb_value_kind kind) {
    vb_value **items = NULL;
    size_t count = 0;
    return pop_mark(m, &items, &count) ? -1 : extend_value(m, kind, items, count);
}

static int extend_by_one(machine *m, vb_value_kind kind) {
    vb_value *items[2], *value = pop(m), *key = value && kind == VB_VALUE_DICT ? pop(m) : value;
    if (!key) return -1;
    items[0] = key;
    items[1] = value;
    return extend_value(m, kind, items, kind == VB_VALUE_DICT ? 2 : 1);
}

static int push_collected(machine *m, vb_value_kind kind) {
    vb_value **items = NULL;
    size_t count = 0;
    return pop_mark(m, &items, &count) ? -1 : push(m, collect_items(m, kind, items, count));
}

static int push_tuple(machine *m, size_t count) {
    if (m->depth - ground(m) < count) return BAD(m, "a tuple of %zu, but %zu values on the stack", count, m->depth - ground(m));
    m->depth -= count;
    return push(m, collect_items(m, VB_VALUE_TUPLE, m->stack ? m->stack + m->depth : NULL, count));
}

static int push_persistent(machine *m, vb_value *id) {
    vb_pickle *pickle = m->pickle;
    vb_value *value = id ? new_value(m, VB_VALUE_PERSISTENT) : NULL;
    if (!value) return -1;
    value->args = id;
    if (vb_grow((void **)&pickle->persistents, &pickle->persistent_capacity, pickle->persistent_count + 1, sizeof(vb_value *),
                "persistent ids", m->err))
        return -1;
    pickle->persistents[pickle->persistent_count++] = value;
    return push(m, value);
}

static int push_persistent_line(machine *m) {
    const char *line;
    size_t length;
    return take_text_line(m, &line, &length) ? -1 : push_persistent(m, new_text(m, VB_VALUE_TEXT, line, length));
}

static int push_stack_global(machine *m) {
    vb_value *name = pop(m), *module = name ? pop(m) : NULL;
    return push(m, new_global(m, module, name));
}

/* ---- the opcodes ---- */

static int push_fixed(machine *m, int width) { /* BININT1, BININT2 unsigned; BININT signed */
    uint64_t number;
    if (take_number(m, width, &number)) return -1;
    return push(m, new_integer(m, VB_VALUE_INT, width == 4 ? (int64_t)(int32_t)number : (int64_t)number));
}

static int discard(machine *m) { /* POP: a mark, when it is on top */
    if (m->depth > ground(m)) m->depth--;
    else if (m->mark_count) m->mark_count--;
    else return BAD(m, "the stack is empty");
    return 0;
}

static int step(machine *m, uint8_t opcode) {
    vb_value **items;
    size_t count;
    uint64_t number;
    switch (opcode) {
    case PROTO:
        if (take_number(m, 1, &number)) return -1;
        if (number <= NEWEST_PROTOCOL) return 0;
        vb_errorf(m->err, VB_EUNSUPPORTED, "pickle protocol %d; up to %d expected", (int)number, NEWEST_PROTOCOL);
        return locate_opcode(m);
    case FRAME: /* nothing follows from it but that the bytes are there */
        if (take_number(m, 8, &number)) return -1;
        return number > m->size - m->at ? BAD(m, "a frame of %" PRIu64 " bytes, %zu left", number, m->size - m->at) : 0;

    case NONE: return push(m, new_value(m, VB_VALUE_NONE));
    case NEWTRUE:
    case NEWFALSE: return push(m, new_integer(m, VB_VALUE_BOOL, opcode == NEWTRUE));
    case INT: return push_decimal(m, false);
    case LONG: return push_decimal(m, true);
    case BININT1: return push_fixed(m, 1);
    case BININT2: return push_fixed(m, 2);
    case BININT: return push_fixed(m, 4);
    case LONG1: return push_long(m, 1);
    case LONG4: return push_long(m, 4);
    case FLOAT: return push_real(m, false);
    case BINFLOAT: return push_real(m, true);

    case STRING: return push_escaped(m, 1, vb_pickle_text_unquote, "not a quoted string, or a broken escape in it");
    case UNICODE: return push_escaped(m, 2, vb_pickle_text_raw_unicode_escape, "a broken \\u escape");
    case SHORT_BINSTRING: return push_counted(m, VB_VALUE_TEXT, 1, false);
    case BINSTRING: return push_counted(m, VB_VALUE_TEXT, 4, true);
    case BINUNICODE: return push_counted(m, VB_VALUE_TEXT, 4, false);
    case SHORT_BINUNICODE: return push_counted(m, VB_VALUE_TEXT, 1, false);
    case BINUNICODE8: return push_counted(m, VB_VALUE_TEXT, 8, false);
    case SHORT_BINBYTES: return push_counted(m, VB_VALUE_BYTES, 1, false);
    case BINBYTES: return push_counted(m, VB_VALUE_BYTES, 4, false);
    case BINBYTES8:
    case BYTEARRAY8: return push_counted(m, VB_VALUE_BYTES, 8, false);

    case EMPTY_TUPLE: return push(m, new_value(m, VB_VALUE_TUPLE));
    case EMPTY_LIST: return push(m, new_value(m, VB_VALUE_LIST));
    case EMPTY_DICT: return push(m, new_value(m, VB_VALUE_DICT));
    case EMPTY_SET: return push(m, new_value(m, VB_VALUE_SET));
    case TUPLE: return push_collected(m, VB_VALUE_TUPLE);
    case LIST: return push_collected(m, VB_VALUE_LIST);
    case DICT: return push_collected(m, VB_VALUE_DICT);
    case FROZENSET: return push_collected(m, VB_VALUE_SET);
    case TUPLE1: return push_tuple(m, 1);
    case TUPLE2: return push_tuple(m, 2);
    case TUPLE3: return push_tuple(m, 3);
    case APPEND: return extend_by_one(m, VB_VALUE_LIST);
    case SETITEM: return extend_by_one(m, VB_VALUE_DICT);
    case APPENDS: return extend_marked(m, VB_VALUE_LIST);
    case SETITEMS: return extend_marked(m, VB_VALUE_DICT);
    case ADDITEMS: return extend_marked(m, VB_VALUE_SET);

    case MARK: return push_mark(m);
    case POP: return discard(m);
    case POP_MARK: return pop_mark(m, &items, &count);
    case DUP: return push(m, top(m));
    case PUT: return memo_line(m, true);
    case GET: return memo_line(m, false);
    case BINPUT: return memo_binary(m, 1, true);
    case BINGET: return memo_binary(m, 1, false);
    case LONG_BINPUT: return memo_binary(m, 4, true);
    case LONG_BINGET: return memo_binary(m, 4, false);
    case MEMOIZE: return memo_put(m, m->memo_used);

    case GLOBAL: return push(m, take_global(m));
    case STACK_GLOBAL: return push_stack_global(m);
    case REDUCE:
    case NEWOBJ: return call(m);
    case NEWOBJ_EX: return call_with_keywords(m);
    case INST: return call_marked(m, false);
    case OBJ: return call_marked(m, true);
    case BUILD: return give_state(m);
    case PERSID: return push_persistent_line(m);
    case BINPERSID: return push_persistent(m, pop(m));

    case EXT1:
    case EXT2:
    case EXT4:
    case NEXT_BUFFER:
    case READONLY_BUFFER:
        vb_errorf(m->err, VB_EUNSUPPORTED, "%s are not in the file",
                  opcode <= EXT4 ? "extension codes' classes" : "out-of-band buffers");
        return locate_opcode(m);
    default: return BAD(m, "no such opcode");
    }
}

bool vb_pickle_begins(const uint8_t *bytes, size_t size) { return size > 1 && bytes[0] == PROTO && bytes[1] <= NEWEST_PROTOCOL; }

int vb_pickle_parse(vb_pickle **pickle, const uint8_t *bytes, size_t size, const char *name, size_t *used, vb_error *err) {
    int status = -1;
    machine m = {.bytes = bytes, .size = size, .name = name, .err = err};
    *pickle = NULL;
    if (!(m.pickle = vb_array(1, sizeof *m.pickle, "pickle", err))) return -1;
    for (;;) {
        if (m.at == size) {
            vb_errorf(err, VB_EDATA, "%s: the pickle ends at byte %zu without a STOP opcode (cut short?)", name, m.at);
            goto done;
        }
        m.opcode_at = m.at;
        uint8_t opcode = bytes[m.at++];
        if (opcode == STOP) break;
        if (step(&m, opcode)) goto done;
    }
    if (!(m.pickle->root = pop(&m))) goto done;
    if (used) *used = m.at;
    *pickle = m.pickle;
    status = 0;
done:
    if (status) vb_pickle_free(m.pickle);
    vb_free(m.stack);
    vb_free(m.marks);
    vb_free(m.memo);
    return status;
}

const vb_value *vb_pickle_root(const vb_pickle *pickle) { return pickle->root; }

const vb_value *const *vb_pickle_persistents(const vb_pickle *pickle, size_t *count) {
    *count = pickle->persistent_count;
    return (const vb_value *const *)pickle->persistents;
}

void vb_pickle_free(vb_pickle *pickle) {
    if (!pickle) return;
    vb_pickle_memory_free(&pickle->memory);
    vb_free(pickle->persistents);
    vb_free(pickle);
}
