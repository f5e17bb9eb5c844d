/* Tests of the YAML reader and its typed reads; the oracle for structure is jansson, JSON being YAML. */
#include <math.h>

#include <jansson.h>

#include "tests/unit/random.h"
#include "tests/unit/scratch.h"
#include "shards/files/path.h"
#include "shards/text/yaml.h"

static vb_error err;

static vb_yaml *parse(const char *text) {
    vb_yaml *root = NULL;
    assert_ok(vb_yaml_parse(&root, text, strlen(text), "f", &err));
    assert_non_null(root);
    return root;
}

static void assert_refused_bytes(const char *text, size_t size, const char *whole_message) {
    vb_yaml *root = NULL;
    vb_error_clear(&err);
    if (!vb_yaml_parse(&root, text, size, "f", &err)) fail_msg("accepted: %s", text);
    assert_null(root);
    assert_int_equal(err.code, VB_ECONFIG);
    assert_string_equal(err.text, whole_message);
}
static void assert_refused(const char *text, const char *whole_message) {
    assert_refused_bytes(text, strlen(text), whole_message);
}

/* ---- structure ---- */

static void assert_same_tree(const vb_yaml *node, const json_t *json) {
    switch (json_typeof(json)) {
    case JSON_OBJECT: {
        assert_int_equal(node->kind, VB_YAML_MAP);
        assert_int_equal(node->count, json_object_size(json));
        size_t i = 0;
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)json, key, value) {
            assert_string_equal(node->keys[i]->text, key);
            assert_ptr_equal(vb_yaml_get(node, key), node->items[i]);
            assert_same_tree(node->items[i++], value);
        }
        break;
    }
    case JSON_ARRAY:
        assert_int_equal(node->kind, VB_YAML_LIST);
        assert_int_equal(node->count, json_array_size(json));
        for (size_t i = 0; i < node->count; i++) assert_same_tree(node->items[i], json_array_get(json, i));
        break;
    case JSON_STRING:
        assert_int_equal(node->kind, VB_YAML_SCALAR);
        assert_true(node->quoted);
        assert_string_equal(node->text, json_string_value(json));
        break;
    case JSON_INTEGER: {
        int64_t value;
        assert_ok(vb_yaml_integer(node, "f", INT64_MIN, INT64_MAX, &value, &err));
        assert_true(value == json_integer_value(json));
        break;
    }
    case JSON_REAL: {
        double value;
        assert_ok(vb_yaml_real(node, "f", -INFINITY, INFINITY, &value, &err));
        assert_true(value == json_real_value(json));
        break;
    }
    case JSON_NULL: assert_true(vb_yaml_is_null(node)); break;
    default: {
        bool value;
        assert_ok(vb_yaml_bool(node, "f", &value, &err));
        assert_int_equal(value, json_is_true(json));
    }
    }
}

static uint32_t random_state = 1;
static uint32_t rnd(uint32_t n) { return random_next24(&random_state) % n; }

static json_t *random_json(int depth) {
    static const char *const texts[] = {"",    "no",          "3",
                                        "a b", "x: y # z",    "it's",
                                        "\"",  "caf\xc3\xa9", "\xf0\x9f\x98\x80",
                                        "*",   "&a",          "- b",
                                        "{}",  "tab\there",   "two\nlines"};
    switch (rnd(depth > 0 ? 8 : 6)) {
    case 0: return json_null();
    case 1: return json_boolean(rnd(2));
    case 2: return json_integer((json_int_t)(rnd(1u << 24) * 1099511627ull) * (rnd(2) ? 1 : -1));
    case 3: return json_real((rnd(1u << 24) - 8388608.0) * pow(10, (int)rnd(40) - 20));
    case 4:
    case 5: return json_string(texts[rnd(sizeof texts / sizeof *texts)]);
    case 6: {
        json_t *list = json_array();
        for (uint32_t n = rnd(5); n; n--) json_array_append_new(list, random_json(depth - 1));
        return list;
    }
    default: {
        json_t *map = json_object();
        char key[32];
        for (uint32_t n = rnd(5); n; n--) {
            snprintf(key, sizeof key, "%s%u", rnd(2) ? "key " : "k", (unsigned)rnd(1000));
            json_object_set_new(map, key, random_json(depth - 1));
        }
        return map;
    }
    }
}

static void json_is_yaml(void **state) {
    (void)state;
    for (int i = 0; i < 400; i++) {
        json_t *json = random_json(6);
        char *text = json_dumps(json, JSON_ENCODE_ANY | (i % 2 ? JSON_INDENT(2) : 0));
        vb_yaml *root = parse(text);
        assert_same_tree(root, json);
        vb_yaml_free(root);
        free(text);
        json_decref(json);
    }
}

static void shared_json_is_yaml(void **state) {
    (void)state;
    static const char *const files[] = {"reference/prompt_templates.json", "reference/living17-clip-vit-b32.expected.json",
                                        "reference/entity30.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[1024];
        json_error_t why;
        json_t *json = json_load_file(shared_path(path, files[i]), 0, &why);
        assert_non_null(json);
        vb_yaml *root = NULL;
        assert_ok(vb_yaml_read(&root, path, &err));
        assert_same_tree(root, json);
        vb_yaml_free(root);
        json_decref(json);
    }
}

static void block_style_and_positions(void **state) {
    (void)state;
    vb_yaml *root = parse("# a comment\n"
                          "experiment: first   # another\n"
                          "models:\n"
                          "  - name: tiny\n"
                          "    prompts: [\"a photo of a {}.\",\n"
                          "              'it''s a {}']\n"
                          "  -   name: |\n"
                          "        two\n"
                          "        lines\n"
                          "caf\xc3\xa9: \xc3\xa9t\xc3\xa9\n"
                          "folded: >-\n"
                          "  one\n"
                          "  text\n"
                          "none:\n"
                          "number: 12\n");
    assert_int_equal(root->count, 6);
    const vb_yaml *first = vb_yaml_get(root, "experiment");
    assert_string_equal(first->text, "first");
    assert_int_equal(first->line, 2);
    assert_int_equal(first->column, 13);
    assert_false(first->quoted);
    const vb_yaml *models = vb_yaml_get(root, "models");
    assert_int_equal(models->count, 2);
    const vb_yaml *prompt = vb_yaml_get(models->items[0], "prompts")->items[1];
    assert_string_equal(prompt->text, "it's a {}");
    assert_true(prompt->quoted);
    assert_int_equal(prompt->line, 6);
    assert_int_equal(prompt->column, 15);
    assert_string_equal(vb_yaml_get(models->items[1], "name")->text, "two\nlines\n");
    assert_string_equal(vb_yaml_get(root, "caf\xc3\xa9")->text, "\xc3\xa9t\xc3\xa9");
    assert_int_equal(vb_yaml_get(root, "caf\xc3\xa9")->column, 7); /* characters, not bytes */
    assert_string_equal(vb_yaml_get(root, "folded")->text, "one text");
    assert_true(vb_yaml_get(root, "folded")->quoted);
    assert_true(vb_yaml_is_null(vb_yaml_get(root, "none")));
    assert_null(vb_yaml_get(root, "absent"));
    assert_null(vb_yaml_get(first, "absent"));
    assert_null(vb_yaml_get(NULL, "absent"));
    vb_yaml_free(root);
}

static void framing(void **state) {
    (void)state;
    static const char *const same[] = {"a: 1",
                                       "a: 1\n",
                                       "\xef\xbb\xbf"
                                       "a: 1\n",
                                       "%YAML 1.2\n---\na: 1\n...\n",
                                       "--- # one\na: 1\n",
                                       "a: 1\r\n",
                                       "{a: 1}",
                                       "{\"a\": 1}"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        vb_yaml *root = parse(same[i]);
        assert_int_equal(root->count, 1);
        assert_string_equal(root->keys[0]->text, "a");
        assert_string_equal(root->items[0]->text, "1");
        vb_yaml_free(root);
    }
    vb_yaml_free(NULL);
    assert_refused("", "f:1:1: found nothing: expected YAML");
    assert_refused("# only a comment\n", "f:2:1: found nothing: expected YAML");
    assert_refused("a: 1\n---\nb: 2\n", "f:2:1: found a second document: a file holds one");
    assert_refused("a: 1\n...\nb\n", "f:3:1: did not find expected <document start>");
}

#define CORE_TAGS "only !!str, !!int, !!float, !!bool, !!null, !!seq and !!map mean something here"
#define NO_ANCHORS "write the value out where it is needed (a text that begins with '&' needs quotes)"

static void refusals(void **state) {
    (void)state;
    assert_refused("a: 1\nb: 2\na: 3\n", "f:3:1: the key 'a' is given a second time (first at line 1)");
    assert_refused("z: {x: 1, y: 2, \"x\": 1}\n", "f:1:17: the key 'x' is given a second time (first at line 1)");
    assert_refused("b: 1\na: 1\nb: 1\na: 1\nb: 1\n", "f:3:1: the key 'b' is given a second time (first at line 1)");
    assert_refused("a: &x 1\nb: *x\n", "f:1:4: found the anchor '&x': " NO_ANCHORS);
    assert_refused("a: &x [1]\n", "f:1:4: found the anchor '&x': " NO_ANCHORS);
    assert_refused("&x {}", "f:1:1: found the anchor '&x': " NO_ANCHORS);
    assert_refused("a: [*x]\n", "f:1:5: found the alias '*x': write the value out (a text that begins with '*' needs quotes)");
    assert_refused("a:\n  <<: {b: 1}\n", "f:2:3: found the merge key '<<': write the values out where they are needed");
    assert_refused("[a, b]: 1\n", "f:1:1: found a list as a key: expected a name");
    assert_refused("? {a: b}\n: 1\n", "f:1:3: found a map as a key: expected a name");
    assert_refused("? \n: 2\n", "f:1:2: found no key before ':' (a key that reads as null needs quotes)");
    assert_refused("null: 2\n", "f:1:1: found no key before ':' (a key that reads as null needs quotes)");
    assert_refused("*x : 1\n", "f:1:1: found the alias '*x': write the value out (a text that begins with '*' needs quotes)");
    assert_refused("a: !thing 1\n", "f:1:4: found the tag '!thing': " CORE_TAGS);
    assert_refused("a: !!python/object:os.system [x]\n",
                   "f:1:4: found the tag 'tag:yaml.org,2002:python/object:os.system': " CORE_TAGS);
    assert_refused("a: !!seq {}\n", "f:1:4: found the tag 'tag:yaml.org,2002:seq': " CORE_TAGS);
    assert_refused("a: !!int x\n", "f:1:4: 'x' is not of the type that its tag !!int states");
    assert_refused("a: \"x\\0y\"\n", "f:1:4: found the character \\0 in a text");
    assert_refused("a:\n\tb: 1\n", "f:2:1: found a tab: YAML is indented with spaces");
    assert_refused("a: b: c\n", "f:1:5: found a second ':' where a value is expected (a text with ': ' in it needs quotes)");
    assert_refused("a: @b\n", "f:1:4: found '@', which cannot start a value (a text that begins with it needs quotes)");
    assert_refused("a: [1, 2\nb: 3\n", "f:2:2: did not find expected ',' or ']' while parsing a flow sequence at line 1");
    assert_refused("a: \"open\n", "f:2:1: found unexpected end of stream while scanning a quoted scalar at line 1");
    assert_refused("a:\n  - 1\n b: 2\n", "f:3:2: did not find expected key while parsing a block mapping at line 1");
    assert_refused("a: 1\nb: \xff\n", "f:2:4: expected UTF-8 text: invalid leading UTF-8 octet (0xff)");
    assert_refused("\xc3\xa9\xc3\xa9: \xe9t\n", "f:1:6: expected UTF-8 text: invalid trailing UTF-8 octet (0x74)");
    assert_refused("\xc3", "f:1:1: expected UTF-8 text: incomplete UTF-8 octet sequence");
    assert_refused("a: \xed\xa0\x80\n", "f:1:4: expected UTF-8 text: invalid Unicode character (0xd800)");
    assert_refused("a: \x01\n", "f:1:4: expected UTF-8 text: control characters are not allowed (0x01)");
    assert_refused_bytes("a: b\0c\n", 7, "f:1:5: expected UTF-8 text: control characters are not allowed (0x00)");
    assert_refused_bytes("\xff\xfe"
                         "a\0",
                         4, "f:1:1: expected UTF-8 text: invalid leading UTF-8 octet (0xff)");
}

static void bounds_on_size(void **state) {
    (void)state;
    char text[2048] = "";
    for (int i = 0; i < 64; i++) text[i] = '[', text[127 - i] = ']';
    vb_yaml *root = parse(text);
    vb_yaml_free(root);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_refused(text, "f:1:65: nested more than 64 levels deep");
    text[0] = 0;
    for (int i = 0; i < 65; i++) strcat(text, i % 2 ? "{a: " : "[");
    assert_refused(text, "f:1:161: nested more than 64 levels deep");
    size_t size = (64u << 20) + 1;
    char *large = vb_array(size + 1, 1, "test", &err);
    memset(large, ' ', size);
    assert_refused_bytes(large, size, "f: 67108865 bytes of YAML, expected at most 67108864");
    /* A million values and more of three bytes each. */
    for (size_t i = 1; i + 2 < 3300000; i += 3) memcpy(large + i, "1,\n", 3);
    large[0] = '[';
    vb_yaml *many = NULL;
    assert_fails(vb_yaml_parse(&many, large, 3300000, "f", &err), VB_ECONFIG, "more than 1048576 values in one file");
    vb_free(large);
}

static void many_keys_are_quick(void **state) {
    (void)state;
    enum { KEYS = 50000 };
    char *text = vb_array(KEYS, 16, "test", &err), *at = text;
    for (int i = 0; i < KEYS; i++) at += sprintf(at, "k%d: 1\n", (int)((i * 7919LL) % KEYS));
    vb_yaml *root = parse(text);
    assert_int_equal(root->count, KEYS);
    vb_yaml_free(root);
    at += sprintf(at, "k17: 2\n");
    vb_yaml *again = NULL;
    assert_fails(vb_yaml_parse(&again, text, (size_t)(at - text), "f", &err), VB_ECONFIG,
                 "f:50001:1: the key 'k17' is given a second time");
    vb_free(text);
}

/* ---- typed reads ---- */

static void integers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"12", 12},
                {"-12", -12},
                {"+12", 12},
                {"010", 10},
                {"0x1F", 31},
                {"0o17", 15},
                {"!!int 3", 3},
                {"!!int \"3\"", 3},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        vb_yaml *node = parse(good[i].text);
        int64_t value = 99;
        assert_ok(vb_yaml_integer(node, "f", INT64_MIN, INT64_MAX, &value, &err));
        assert_true(value == good[i].value);
        vb_yaml_free(node);
    }
    static const char *const bad[] = {"abc",
                                      "1.0",
                                      "1e3",
                                      "\"12\"",
                                      "'12'",
                                      "!!str 12",
                                      "1_000",
                                      "0x",
                                      "0o8",
                                      "-0x1",
                                      "12 34",
                                      "~",
                                      "",
                                      "+",
                                      "true",
                                      "[1]",
                                      "{a: 1}",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "0xfffffffffffffffff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, "k: %s", bad[i]);
        vb_yaml *root = parse(text);
        int64_t value = 99;
        assert_fails(vb_yaml_integer(root->items[0], "f", INT64_MIN, INT64_MAX, &value, &err), VB_ECONFIG,
                     "expected an integer, found ");
        assert_int_equal(value, 99);
        vb_yaml_free(root);
    }
    vb_yaml *root = parse("a: 5\nb: '5'\nc:\nd: [5]\ne: abc\n");
    int64_t value;
    assert_ok(vb_yaml_integer(root->items[0], "f", 5, 5, &value, &err));
    assert_fails(vb_yaml_integer(root->items[0], "f", 6, 9, &value, &err), VB_ECONFIG,
                 "f:1:4: expected an integer from 6 to 9, found '5'");
    assert_fails(vb_yaml_integer(root->items[0], "f", 6, INT64_MAX, &value, &err), VB_ECONFIG,
                 "expected an integer of at least 6, found '5'");
    assert_fails(vb_yaml_integer(root->items[0], "f", INT64_MIN, 4, &value, &err), VB_ECONFIG,
                 "expected an integer of at most 4, found '5'");
    assert_fails(vb_yaml_integer(root->items[1], "f", 0, 9, &value, &err), VB_ECONFIG,
                 "f:2:4: expected an integer from 0 to 9, found the quoted text '5'");
    assert_fails(vb_yaml_integer(root->items[2], "f", 0, 9, &value, &err), VB_ECONFIG, "found nothing");
    assert_fails(vb_yaml_integer(root->items[3], "f", 0, 9, &value, &err), VB_ECONFIG,
                 "f:4:4: expected an integer from 0 to 9, found a list");
    assert_fails(vb_yaml_integer(root->items[4], "f", 0, 9, &value, &err), VB_ECONFIG,
                 "f:5:4: expected an integer from 0 to 9, found 'abc'");
    vb_yaml_free(root);
}

static void reals(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},        {"1.5", 1.5},     {"-.5", -0.5},  {"1.", 1},          {"1e3", 1000},
                {"1E-3", 0.001}, {"+2.5e+2", 250}, {"0.25", 0.25}, {".inf", INFINITY}, {"-.INF", -INFINITY},
                {"1e-999", 0},   {"!!float 3", 3}, {"0.1", 0.1}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        vb_yaml *node = parse(good[i].text);
        double value = 99;
        assert_ok(vb_yaml_real(node, "f", -INFINITY, INFINITY, &value, &err));
        assert_true(value == good[i].value);
        vb_yaml_free(node);
    }
    static const char *const bad[] = {"abc", "\"1.5\"",  ".",    "-+1",   "e3",   "1e", "1e+",   "1.5.2", "1,5", ".nan", "nan",
                                      "inf", "infinity", "0x10", "1e999", "1 ms", "~",  "[1.5]", "5%",    "1d3", "0x1p3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, "k: %s", bad[i]);
        vb_yaml *root = parse(text);
        double value = 99;
        assert_fails(vb_yaml_real(root->items[0], "f", -INFINITY, INFINITY, &value, &err), VB_ECONFIG,
                     "f:1:4: expected a number, found ");
        assert_true(value == 99);
        vb_yaml_free(root);
    }
    vb_yaml *root = parse("a: 1.5\nb: .inf\n");
    double value;
    assert_ok(vb_yaml_real(root->items[0], "f", 1.5, 1.5, &value, &err));
    assert_fails(vb_yaml_real(root->items[0], "f", 0, 1, &value, &err), VB_ECONFIG,
                 "f:1:4: expected a number from 0 to 1, found '1.5'");
    assert_fails(vb_yaml_real(root->items[0], "f", 1.75, INFINITY, &value, &err), VB_ECONFIG,
                 "expected a number of at least 1.75, found '1.5'");
    assert_fails(vb_yaml_real(root->items[0], "f", -INFINITY, 1, &value, &err), VB_ECONFIG,
                 "expected a number of at most 1, found '1.5'");
    assert_fails(vb_yaml_real(root->items[1], "f", 0, 1, &value, &err), VB_ECONFIG,
                 "f:2:4: expected a number from 0 to 1, found '.inf'");
    vb_yaml_free(root);
}

static void booleans_nulls_texts(void **state) {
    (void)state;
    vb_yaml *root = parse("[true, false, yes, no, on, off, y, n, True, FALSE, 1, 'true', !!bool true, ~]");
    for (size_t i = 0; i < root->count; i++) {
        bool value = false, wanted = i == 0 || i == 12;
        if (wanted || i == 1) {
            assert_ok(vb_yaml_bool(root->items[i], "f", &value, &err));
            assert_int_equal(value, wanted);
        } else {
            assert_fails(vb_yaml_bool(root->items[i], "f", &value, &err), VB_ECONFIG, "expected true or false, found ");
        }
    }
    assert_fails(vb_yaml_bool(root->items[3], "f", &(bool){0}, &err), VB_ECONFIG, "f:1:20: expected true or false, found 'no'");
    const char *text;
    assert_ok(vb_yaml_text(root->items[3], "f", &text, &err));
    assert_string_equal(text, "no");
    assert_fails(vb_yaml_text(root->items[13], "f", &text, &err), VB_ECONFIG, "expected a text, found nothing");
    assert_fails(vb_yaml_text(root, "f", &text, &err), VB_ECONFIG, "f:1:1: expected a text, found a list");
    vb_yaml_free(root);
    root = parse("[~, null, '', \"~\", 'null', Null, none, !!str , !!null ~, []]");
    static const bool nulls[] = {true, true, false, false, false, false, false, false, true, false};
    static const char *const shown[] = {"~", "null", "", "~", "null", "Null", "none", "", "~"};
    assert_int_equal(root->count, 10);
    for (size_t i = 0; i < root->count; i++) {
        assert_int_equal(vb_yaml_is_null(root->items[i]), nulls[i]);
        if (i < 9) assert_string_equal(root->items[i]->text, shown[i]);
    }
    vb_yaml_free(root);
    assert_true(vb_yaml_is_null(NULL));
    char long_text[256] = "k: ";
    for (int i = 0; i < 60; i++) strcat(long_text, i == 58 ? "\xe2\x82\xac" : "x"); /* a sign of three bytes across the cut */
    strcat(long_text, "yyy");
    root = parse(long_text);
    assert_fails(vb_yaml_bool(root->items[0], "f", &(bool){0}, &err), VB_ECONFIG, "xxx...'");
    assert_null(strstr(err.text, "\xe2"));
    vb_yaml_free(root);
}

/* ---- files ---- */

static void files(void **state) {
    (void)state;
    const char *path = scratch_path("twice.yaml");
    put_text("twice.yaml", "a: 1\na: 2\n");
    vb_yaml *root = NULL;
    char expected[VB_ERROR_TEXT];
    snprintf(expected, sizeof expected, "%s:2:1: the key 'a' is given a second time", path);
    assert_fails(vb_yaml_read(&root, path, &err), VB_ECONFIG, expected);
    unlink(path);
    assert_fails(vb_yaml_read(&root, path, &err), VB_EMISSING, path);
    assert_null(root);
}

/* Every YAML file of the house passes the reader. */
static void committed_files_parse(void **state) {
    (void)state;
    vb_strings paths;
    assert_ok(vb_path_glob(&paths, "configs/*/*.yaml", &err));
    assert_true(paths.count >= 26);
    for (size_t i = 0; i < paths.count; i++) {
        vb_yaml *root;
        assert_ok(vb_yaml_read(&root, paths.items[i], &err));
        assert_int_equal(root->kind, VB_YAML_MAP);
        vb_yaml_free(root);
    }
    vb_strings_free(&paths);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(json_is_yaml),
                                       cmocka_unit_test(shared_json_is_yaml),
                                       cmocka_unit_test(block_style_and_positions),
                                       cmocka_unit_test(framing),
                                       cmocka_unit_test(refusals),
                                       cmocka_unit_test(bounds_on_size),
                                       cmocka_unit_test(many_keys_are_quick),
                                       cmocka_unit_test(integers),
                                       cmocka_unit_test(reals),
                                       cmocka_unit_test(booleans_nulls_texts),
                                       cmocka_unit_test(files),
                                       cmocka_unit_test(committed_files_parse)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
