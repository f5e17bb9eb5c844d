/* Pickles written by Python (tests/fuzz/make_corpus.py) and hostile ones: what is understood, what is refused, and that nothing
 * runs. */
#include <errno.h>

#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "shards/files/file.h"
#include "shards/weights/pickle.h"
#include "shards/weights/pickle_memory.h"

/* ---- values as text, nearly as Python's repr ---- */

typedef struct text {
    char bytes[4096];
    size_t size;
} text;

static void add(text *out, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out->bytes + out->size, sizeof out->bytes - out->size, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof out->bytes - out->size);
    out->size += (size_t)n;
}

static void show(text *out, const vb_value *value);

static void show_items(text *out, const vb_value *value, const char *open, const char *close) {
    add(out, "%s", open);
    for (size_t i = 0; i < value->count; i++) {
        show(out, value->items[i]);
        if (i + 1 < value->count) add(out, value->pairs && i % 2 == 0 ? ": " : ", ");
    }
    add(out, "%s", close);
}

static void show(text *out, const vb_value *value) {
    switch (value->kind) {
    case VB_VALUE_NONE: add(out, "None"); break;
    case VB_VALUE_BOOL: add(out, value->integer ? "True" : "False"); break;
    case VB_VALUE_INT: add(out, "%lld", (long long)value->integer); break;
    case VB_VALUE_BIG: add(out, "big"); break;
    case VB_VALUE_FLOAT: add(out, "%g", value->real); break;
    case VB_VALUE_TEXT: add(out, "'%.*s'", (int)value->size, value->text); break;
    case VB_VALUE_BYTES:
        add(out, "b'");
        for (size_t i = 0; i < value->size; i++) add(out, "%02x", (unsigned char)value->text[i]);
        add(out, "'");
        break;
    case VB_VALUE_TUPLE: show_items(out, value, "(", ")"); break;
    case VB_VALUE_LIST: show_items(out, value, "[", "]"); break;
    case VB_VALUE_DICT: show_items(out, value, "{", "}"); break;
    case VB_VALUE_SET: show_items(out, value, "<", ">"); break;
    case VB_VALUE_GLOBAL:
        add(out, "%.*s.%.*s", (int)value->class->size, value->class->text, (int)value->args->size, value->args->text);
        break;
    case VB_VALUE_OBJECT:
        show(out, value->class);
        show(out, value->args);
        if (value->count) show_items(out, value, "+", "");
        if (value->state) {
            add(out, "|");
            show(out, value->state);
        }
        break;
    case VB_VALUE_PERSISTENT:
        add(out, "@");
        show(out, value->args);
        break;
    case VB_VALUE_KINDS: fail();
    }
}

static void reads_as(const void *bytes, size_t size, const char *expected) {
    vb_error err = {0};
    vb_pickle *pickle;
    size_t used = 0;
    assert_ok(vb_pickle_parse(&pickle, bytes, size, "test", &used, &err));
    assert_int_equal(used, size);
    text *out = calloc(1, sizeof *out);
    show(out, vb_pickle_root(pickle));
    assert_string_equal(out->bytes, expected);
    free(out);
    vb_pickle_free(pickle);
}

static void file_reads_as(const char *name, const char *expected) {
    vb_error err = {0};
    char path[256];
    uint8_t *bytes;
    size_t size;
    snprintf(path, sizeof path, "tests/fuzz/corpus/pickle/%s", name);
    assert_ok(vb_file_read_whole(path, 1 << 16, &bytes, &size, &err));
    reads_as(bytes, size, expected);
    vb_free(bytes);
}

/* ---- tests ---- */

static void every_protocol_reads_the_same(void **state) {
    (void)state;
    static const char expected[] =
        "{'none': None, 'flags': (True, False), 'ints': [0, 1, 255, 256, 65536, -1, -2147483649, 9223372036854775807, "
        "-9223372036854775808, big], 'floats': [0.5, -1e+300], 'text': 'gr\303\274n\n\\u20ac \342\202\254 \360\237\230\200 '\"', "
        "'nest': {'a': [(), [], {}], "
        "'b': (1, (2, (3)))}, 'ordered': collections.OrderedDict()+'k': 1, 'l': [2], 'again': {'a': [(), [], {}], 'b': (1, (2, "
        "(3)))}}";
    for (int protocol = 0; protocol <= 5; protocol++) {
        char name[16];
        snprintf(name, sizeof name, "plain%d", protocol);
        file_reads_as(name, expected);
    }
    file_reads_as("binary5", "{'bytes': b'00ff', 'array': b'7879', 'set': <7>, 'frozen': <'z'>}");
    file_reads_as("strings0", "('aAA\n\\'\\q', '\342\202\254\360\237\230\200\303\251', True, -5, 12, 2.5, @'17')");
}

static void objects_stay_opaque(void **state) {
    (void)state;
    file_reads_as("object4", "some.module.Thing((1), {'key': 2})|(None, {'x': 5})");
    file_reads_as("object2", "types.SimpleNamespace()|{'a': 1}");
    file_reads_as("os_system", "os.system('touch hostile-pickle-was-here')");
    file_reads_as("os_system_stack", "os.system('touch hostile-pickle-was-here\n')");
    file_reads_as("os_system_inst", "os.system('touch hostile-pickle-was-here')");
    file_reads_as("os_system_obj", "os.system('touch hostile-pickle-was-here')");
    assert_int_not_equal(access("hostile-pickle-was-here", F_OK), 0);
}

static void what_follows_is_not_read(void **state) {
    (void)state;
    vb_error err = {0};
    vb_pickle *pickle;
    size_t used = 0;
    assert_ok(vb_pickle_parse(&pickle, (const uint8_t *)"K\005.\377\377", 5, "test", &used, &err));
    assert_int_equal(used, 3);
    assert_int_equal(vb_pickle_root(pickle)->integer, 5);
    vb_pickle_free(pickle);
}

static void bad_pickles_say_where(void **state) {
    (void)state;
    static const struct {
        const char *name;
        vb_code code;
        const char *fragment;
    } cases[] = {{"huge_bytes8", VB_EDATA, "18446744073709551615 bytes wanted, 1 left"},
                 {"huge_unicode", VB_EDATA, "4294967295 bytes wanted"},
                 {"negative_string", VB_EDATA, "a length of -1"},
                 {"huge_long4", VB_EDATA, "2147483647 bytes wanted"},
                 {"negative_long4", VB_EDATA, "a length of -2147483648"},
                 {"huge_frame", VB_EDATA, "a frame of"},
                 {"memo_get", VB_EDATA, "nothing was memoized under 5"},
                 {"memo_put", VB_EDATA, "memo index 4294967295 is out of range"},
                 {"memo_line", VB_EDATA, "memo index out of range"},
                 {"empty", VB_EDATA, "ends at byte 0"},
                 {"stop", VB_EDATA, "the stack is empty"},
                 {"pop", VB_EDATA, "the stack is empty"},
                 {"no_mark", VB_EDATA, "no mark"},
                 {"below_mark", VB_EDATA, "byte 3, opcode 0x61: the stack"},
                 {"odd_pairs", VB_EDATA, "3 keys and values"},
                 {"append_to_none", VB_EDATA, "a None cannot be given the items of a list"},
                 {"build_list", VB_EDATA, "a list cannot be given a state"},
                 {"build_twice", VB_EDATA, "a state twice"},
                 {"call_without_tuple", VB_EDATA, "the arguments are a list"},
                 {"protocol6", VB_EUNSUPPORTED, "pickle protocol 6"},
                 {"extension", VB_EUNSUPPORTED, "extension codes"},
                 {"buffer", VB_EUNSUPPORTED, "out-of-band buffers"},
                 {"no_opcode", VB_EDATA, "byte 0, opcode 0xff: no such opcode"},
                 {"no_newline", VB_EDATA, "no end of line"},
                 {"not_a_number", VB_EDATA, "'abc' is not a number"},
                 {"no_digits", VB_EDATA, "a number of 0 characters"},
                 {"unquoted", VB_EDATA, "not a quoted string"},
                 {"backslash", VB_EDATA, "not a quoted string, or a broken escape"},
                 {"mixed", VB_EDATA, "both items and keys"},
                 {"surrogate_escape", VB_EDATA, "a broken \\u escape"},
                 {"stack_global", VB_EDATA, "None and None, not text"},
                 {"tuple3", VB_EDATA, "a tuple of 3, but 2 values"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        vb_pickle *pickle;
        char path[256];
        uint8_t *bytes;
        size_t size;
        snprintf(path, sizeof path, "tests/fuzz/corpus/pickle/bad_%s", cases[i].name);
        assert_ok(vb_file_read_whole(path, 1 << 16, &bytes, &size, &err));
        assert_fails(vb_pickle_parse(&pickle, bytes, size, path, NULL, &err), cases[i].code, cases[i].fragment);
        assert_null(pickle);
        assert_true(!strncmp(err.text, path, strlen(path)));
        vb_free(bytes);
    }
}

/* A pickle of `n` times `repeated`, then `tail`. */
static uint8_t *many(size_t n, const char *repeated, const char *tail, size_t *size) {
    size_t length = strlen(repeated), rest = strlen(tail);
    uint8_t *bytes = malloc(n * length + rest);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) memcpy(bytes + i * length, repeated, length);
    memcpy(bytes + n * length, tail, rest);
    *size = n * length + rest;
    return bytes;
}

static void bounds_hold(void **state) {
    (void)state;
    vb_error err = {0};
    vb_pickle *pickle;
    size_t size;
    /* A million levels deep: read, and freed, without recursion. */
    uint8_t *bytes = many(1000000, "]", "", &size), *closed = malloc(2 * size);
    memcpy(closed, bytes, size);
    memset(closed + size, 'a', size - 1);
    closed[2 * size - 1] = '.';
    assert_ok(vb_pickle_parse(&pickle, closed, 2 * size, "deep", NULL, &err));
    vb_pickle_free(pickle);
    free(closed);
    free(bytes);
    bytes = many(VB_PICKLE_VALUES + 1, "N", ".", &size);
    assert_fails(vb_pickle_parse(&pickle, bytes, size, "wide", NULL, &err), VB_EDATA, "more than 4194304 values");
    memset(bytes, '(', size);
    assert_fails(vb_pickle_parse(&pickle, bytes, size, "marks", NULL, &err), VB_EDATA, "more than 4194304 marks");
    memset(bytes, '2', size);
    bytes[0] = 'N';
    assert_fails(vb_pickle_parse(&pickle, bytes, size, "copies", NULL, &err), VB_EDATA, "more than 4194304 values on the stack");
    free(bytes);
    vb_pickle_memory memory = {.bytes = VB_PICKLE_MEMORY_BYTES - 100}; /* which the values above do not take */
    assert_fails(!vb_pickle_memory_get(&memory, 8, &err), VB_EDATA, "the pickle asks for more than 512 MiB of values");
    memory.bytes = 0;
    assert_non_null(vb_pickle_memory_get(&memory, 8, &err));
    vb_pickle_memory_free(&memory);
    /* Billion laughs: each list holds the one before eight times, by reference. */
    uint8_t laughs[8192], *at = laughs;
    *at++ = ']';
    for (int level = 0; level < 200; level++) {
        static const char more[] = "q\0000](h\0h\0h\0h\0h\0h\0h\0h\0e"; /* memoize, drop, a new list of eight references */
        memcpy(at, more, sizeof more - 1);
        at += sizeof more - 1;
    }
    *at++ = '.';
    assert_ok(vb_pickle_parse(&pickle, laughs, (size_t)(at - laughs), "laughs", NULL, &err));
    assert_int_equal(vb_pickle_root(pickle)->count, 8);
    vb_pickle_free(pickle);
    /* A list in itself. */
    assert_ok(vb_pickle_parse(&pickle, (const uint8_t *)"]q\0h\0a.", 7, "itself", NULL, &err));
    assert_ptr_equal(vb_pickle_root(pickle)->items[0], vb_pickle_root(pickle));
    vb_pickle_free(pickle);
}

static void lookups(void **state) {
    (void)state;
    vb_error err = {0};
    vb_pickle *pickle;
    static const char bytes[] =
        "}(X\1\0\0\0aK\1X\1\0\0\0bNK\7K\10X\1\0\0\0aK\2u."; /* "a" occurs twice: the last counts, as in Python */
    assert_ok(vb_pickle_parse(&pickle, (const uint8_t *)bytes, sizeof bytes - 1, "dict", NULL, &err));
    const vb_value *dict = vb_pickle_root(pickle);
    assert_int_equal(vb_pickle_value_get(dict, "a")->integer, 2);
    assert_int_equal(vb_pickle_value_get(dict, "b")->kind, VB_VALUE_NONE);
    assert_null(vb_pickle_value_get(dict, "c"));
    assert_null(vb_pickle_value_get(dict->items[1], "a"));
    assert_null(vb_pickle_value_get(NULL, "a"));
    vb_pickle_free(pickle);
}

static void lack_of_memory_leaks_nothing(void **state) {
    (void)state;
    char path[] = "tests/fuzz/corpus/pickle/plain0", fault[32];
    vb_error err = {0};
    uint8_t *bytes;
    size_t size;
    assert_ok(vb_file_read_whole(path, 1 << 16, &bytes, &size, &err));
    int failures = 0;
    for (int n = 1;; n++) {
        vb_pickle *pickle;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        int status = vb_pickle_parse(&pickle, bytes, size, path, NULL, &err);
        vb_fault_setup(NULL, 0);
        if (!status) {
            vb_pickle_free(pickle);
            break;
        }
        assert_int_equal(err.code, VB_EMEMORY);
        assert_null(pickle);
        failures++;
    }
    assert_true(failures >= 4);
    vb_free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_protocol_reads_the_same),
                                       cmocka_unit_test(objects_stay_opaque),
                                       cmocka_unit_test(what_follows_is_not_read),
                                       cmocka_unit_test(bad_pickles_say_where),
                                       cmocka_unit_test(bounds_hold),
                                       cmocka_unit_test(lookups),
                                       cmocka_unit_test(lack_of_memory_leaks_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
