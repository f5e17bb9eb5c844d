/* Tests of overrides: what a path reaches in a YAML tree, what it cannot reach, and trees left as they were. */
#include "kernels/base/fault.h"
#include "shards/text/yaml.h"
#include "shards/text/yaml_set.h"
#include "tests/unit/vb_test.h"

static vb_error err;

static vb_yaml *parse(const char *text) {
    vb_yaml *root = NULL;
    assert_ok(vb_yaml_parse(&root, text, strlen(text), "f", &err));
    assert_non_null(root);
    return root;
}

static char *show(const vb_yaml *node, char *out) {
    if (node->kind == VB_YAML_SCALAR) return out + sprintf(out, node->quoted ? "'%s'" : "%s", node->text);
    *out++ = node->kind == VB_YAML_MAP ? '{' : '[';
    for (size_t i = 0; i < node->count; i++) {
        if (i) *out++ = ' ';
        if (node->keys) out += sprintf(out, "%s:", node->keys[i]->text);
        out = show(node->items[i], out);
    }
    *out++ = node->kind == VB_YAML_MAP ? '}' : ']';
    *out = 0;
    return out;
}

static const char base[] =
    "{seed: 1, options: , datasets: [{name: a, images: x}, {name: b.2, images: y}, {name: twin}, {name: twin}, 5], "
    "empty: [], v1.5: {q: 1}}";

static void assert_set(const char *path, const char *value, const char *expected) {
    vb_yaml *root = parse(base);
    assert_ok(vb_yaml_set(root, path, value, &err));
    char shown[1024];
    show(root, shown);
    assert_string_equal(shown, expected);
    vb_yaml_free(root);
}

static void assert_no_set(const char *path, const char *value, const char *whole_message) {
    vb_yaml *root = parse(base);
    char before[1024], after[1024];
    show(root, before);
    assert_fails(vb_yaml_set(root, path, value, &err), VB_ECONFIG, "");
    assert_string_equal(err.text, whole_message);
    show(root, after);
    assert_string_equal(before, after);
    vb_yaml_free(root);
}

static void overrides(void **state) {
    (void)state;
#define TWINS "{name:twin} {name:twin} 5] empty:[] "
#define ITEMS "datasets:[{name:a images:x} {name:b.2 images:y} " TWINS
#define REST ITEMS "v1.5:{q:1}}"
    assert_set("seed", "42", "{seed:42 options: " REST);
    assert_set("seed", "", "{seed: options: " REST);
    assert_set("seed", "'42'", "{seed:'42' options: " REST);
    assert_set("seed", "[1, {a: no}]", "{seed:[1 {a:no}] options: " REST);
    assert_set("options", "x", "{seed:1 options:x " REST);
    assert_set("options.fast", "true", "{seed:1 options:{fast:true} " REST);
    assert_set("options.a.b.c", "1", "{seed:1 options:{a:{b:{c:1}}} " REST);
    assert_set("new", "1", "{seed:1 options: " ITEMS "v1.5:{q:1} new:1}");
    assert_set("new.er", "1", "{seed:1 options: " ITEMS "v1.5:{q:1} new:{er:1}}");
    assert_set("datasets.0.images", "z", "{seed:1 options: datasets:[{name:a images:z} {name:b.2 images:y} " TWINS "v1.5:{q:1}}");
    assert_set("datasets.a.images", "z", "{seed:1 options: datasets:[{name:a images:z} {name:b.2 images:y} " TWINS "v1.5:{q:1}}");
    assert_set("datasets.b.2.images", "z",
               "{seed:1 options: datasets:[{name:a images:x} {name:b.2 images:z} " TWINS "v1.5:{q:1}}");
    assert_set("datasets.2", "z",
               "{seed:1 options: datasets:[{name:a images:x} {name:b.2 images:y} z {name:twin} 5] empty:[] v1.5:{q:1}}");
    assert_set("datasets.a.labels", "l",
               "{seed:1 options: datasets:[{name:a images:x labels:l} {name:b.2 images:y} " TWINS "v1.5:{q:1}}");
    assert_set("v1.5.q", "2", "{seed:1 options: " ITEMS "v1.5:{q:2}}");
#undef REST
#undef ITEMS
#undef TWINS
    assert_no_set("datasets.5.images", "z", "datasets.5.images: no item 5: the list 'datasets' holds 5 (0 to 4)");
    assert_no_set("datasets.99999999999999999999", "z",
                  "datasets.99999999999999999999: no item 99999999999999999999: the list 'datasets' holds 5 (0 to 4)");
    assert_no_set("empty.0", "z", "empty.0: no item 0: the list 'empty' is empty");
    assert_no_set("datasets.none.images", "z",
                  "datasets.none.images: none of the 5 items of the list 'datasets' is named 'none', and it is no index");
    assert_no_set("datasets.-1", "z",
                  "datasets.-1: none of the 5 items of the list 'datasets' is named '-1', and it is no index");
    assert_no_set("datasets.twin.images", "z", "datasets.twin.images: 2 items of 'datasets' are named 'twin': expected an index");
    assert_no_set("datasets.4.images", "z", "datasets.4.images: 'datasets.4' is a plain value and holds no 'images'");
    assert_no_set("seed.x", "z", "seed.x: 'seed' is a plain value and holds no 'x'");
    assert_no_set("options.0.x", "z", "options.0.x: no item 0: there is no list 'options'");
    assert_no_set("models.0.x", "z", "models.0.x: no item 0: there is no list 'models'");
    assert_no_set("", "z", "'': expected a path such as models.0.weights");
    assert_no_set(".a", "z", "'.a': expected a path such as models.0.weights");
    assert_no_set("a.", "z", "'a.': expected a path such as models.0.weights");
    assert_no_set("a..b", "z", "'a..b': expected a path such as models.0.weights");
    assert_no_set("seed", "[1", "value of 'seed':2:1: did not find expected ',' or ']' while parsing a flow sequence at line 1");
    assert_no_set("seed", "a: 1\na: 2", "value of 'seed':2:1: the key 'a' is given a second time (first at line 1)");
    char deep[512] = "a";
    for (int i = 0; i < 64; i++) strcat(deep, ".a");
    vb_yaml *root = parse("{}");
    assert_fails(vb_yaml_set(root, deep, "1", &err), VB_ECONFIG, "65 steps, expected at most 64");
    deep[strlen(deep) - 2] = 0;
    assert_ok(vb_yaml_set(root, deep, "1", &err));
    vb_yaml_free(root);
    root = parse("5");
    assert_fails(vb_yaml_set(root, "a", "1", &err), VB_ECONFIG, "a: 'the top level' is a plain value and holds no 'a'");
    vb_yaml_free(root);
}

static void overrides_have_no_position(void **state) {
    (void)state;
    vb_yaml *root = parse(base);
    int64_t value;
    assert_ok(vb_yaml_set(root, "new.seed", "[{deep: abc}]", &err));
    const vb_yaml *node = vb_yaml_get(vb_yaml_get(vb_yaml_get(root, "new"), "seed")->items[0], "deep");
    assert_int_equal(node->line, 0);
    assert_fails(vb_yaml_integer(node, "e.yaml", 0, 9, &value, &err), VB_ECONFIG,
                 "e.yaml: command line: expected an integer from 0 to 9, found 'abc'");
    vb_yaml_free(root);
}

static void texts_are_no_yaml(void **state) {
    (void)state;
    static const char *const texts[] = {"null", "", "run #1", "a: b", "[x]", "'q'", "&x", "!x", " x ", "- x", "{a}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        vb_yaml *root = parse(base);
        assert_ok(vb_yaml_set_text(root, "seed", texts[i], &err));
        const vb_yaml *set = vb_yaml_get(root, "seed");
        assert_true(set->kind == VB_YAML_SCALAR && !vb_yaml_is_null(set));
        assert_string_equal(set->text, texts[i]);
        assert_fails(vb_yaml_set_text(root, "seed", "caf\xe9", &err), VB_ECONFIG, "seed: 'caf");
        assert_fails(vb_yaml_set_text(root, "seed.x", "y", &err), VB_ECONFIG, "'seed' is a plain value");
        vb_yaml_free(root);
    }
}

static void lack_of_memory(void **state) {
    (void)state;
    int n = 1;
    for (bool done = false; !done; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        vb_yaml *root = NULL;
        vb_error_clear(&err);
        int status = vb_yaml_parse(&root, base, strlen(base), "f", &err);
        if (!status) status = vb_yaml_set(root, "options.a.b", "[1, {c: 2}]", &err);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        else done = true;
        vb_yaml_free(root);
    }
    vb_fault_setup(NULL, 0);
    assert_true(n > 80);
}

static void places_of_two_digits(void **state) {
    (void)state;
    char shown[256];
    vb_yaml *root = parse("{l: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ten, 11]}");
    assert_ok(vb_yaml_set(root, "l.10", "x", &err));
    show(root, shown);
    assert_string_equal(shown, "{l:[0 1 2 3 4 5 6 7 8 9 x 11]}");
    assert_fails(vb_yaml_set(root, "l.12", "x", &err), VB_ECONFIG, "l.12: no item 12: the list 'l' holds 12 (0 to 11)");
    vb_yaml_free(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(overrides), cmocka_unit_test(places_of_two_digits),
                                       cmocka_unit_test(overrides_have_no_position), cmocka_unit_test(texts_are_no_yaml),
                                       cmocka_unit_test(lack_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
