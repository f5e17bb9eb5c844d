/* Tests of the rule by which labels become classes: id, name or alias, place. */
#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/text/label_match.h"

static vb_error err;

static vb_vocabularies written(const char *classes) {
    char text[1024], path[1024];
    vb_vocabularies v;
    snprintf(text, sizeof text, "name: v\nvocabularies: {all: [%s]}\n", classes);
    put_text("v.yaml", text);
    assert_ok(vb_vocabularies_read(&v, in_scratch(path, "v.yaml"), &err));
    return v;
}

/* labels: up to 8; expected: class of each, rule of each as a letter (i, n, p, -). */
static void assert_matches(const char *classes, const char *const labels[8], const int expected[8], const char *rules) {
    static const char letters[] = "-inp";
    vb_vocabularies v = written(classes);
    vb_label_match match;
    int count = 0;
    while (count < 8 && labels[count]) count++;
    assert_ok(vb_label_match_find(&match, &v, labels, count, &err));
    assert_int_equal(match.labels, count);
    for (int i = 0; i < count; i++) {
        if (match.class_of[i] != expected[i] || letters[match.rule[i]] != rules[i])
            fail_msg("[%s] '%s': class %d by %c", classes, labels[i], match.class_of[i], letters[match.rule[i]]);
    }
    vb_label_match_free(&match);
    vb_label_match_free(&match); /* twice is fine */
    vb_vocabularies_free(&v);
}

static void id_then_name_then_place(void **state) {
    (void)state;
    /* Ids that are numbers go before the places that those numbers would be. */
    assert_matches("{id: 7, name: seven}, {id: 1, name: one}, {id: 0, name: zero}", (const char *const[8]){"0", "1", "7", "2"},
                   (const int[8]){2, 1, 0, -1}, "iii-");
    /* An id of one class that is the name of another; an underscore is a space in names, not in ids. */
    assert_matches("{id: a_b, name: c}, a b, {id: c, name: d}", (const char *const[8]){"a_b", "a b", "c", "d"},
                   (const int[8]){0, 1, 2, 2}, "inin");
    /* Names that are numbers. */
    assert_matches("3, 5, 1", (const char *const[8]){"1", "3", "5"}, (const int[8]){2, 0, 1}, "nnn");
    /* Integers that are nothing else are places. */
    assert_matches("cat, dog, cow", (const char *const[8]){"0", "2"}, (const int[8]){0, 2}, "pp");
    /* A single name among them, or a single integer that is a name, and none is. */
    assert_matches("cat, dog, cow", (const char *const[8]){"0", "2", "x"}, (const int[8]){-1, -1, -1}, "---");
    assert_matches("cat, dog, 7", (const char *const[8]){"0", "7"}, (const int[8]){-1, 2}, "-n");
    assert_matches("{name: beaver, aliases: [4, Castor]}, {name: apple, aliases: [0]}",
                   (const char *const[8]){"4", "0", "Castor", "1", "beaver"}, (const int[8]){0, 1, 0, -1, 0}, "nnn-n");
    assert_matches("cat", (const char *const[8]){NULL}, (const int[8]){0}, "");
}

static void integers_however_written(void **state) {
    (void)state;
    assert_matches("{id: 2, name: two}, {id: 007, name: seven}, {id: 2.0, name: version}",
                   (const char *const[8]){"2", "2.00", "2.0", "7", "7.0", "007", "2.5"}, (const int[8]){0, -1, 2, 1, 1, 1, -1},
                   "i-iiii-"); /* "2.00" could be the id 2 or 2.0 */
    assert_matches("{id: 2, name: two}", (const char *const[8]){"2.0", "02", "2."}, (const int[8]){0, 0, 0}, "iii");
    assert_matches("3, 5", (const char *const[8]){"3.0", "05"}, (const int[8]){0, 1}, "nn");
    assert_matches("a, b, c", (const char *const[8]){"2.0", "01"}, (const int[8]){2, 1}, "pp");
    static const struct {
        const char *text;
        bool is;
        int64_t value;
    } cases[] = {{"0", true, 0},     {"12", true, 12},    {"007", true, 7},       {"7.", true, 7},
                 {"7.000", true, 7}, {"", false, 0},      {".0", false, 0},       {"-1", false, 0},
                 {"+1", false, 0},   {"7.5", false, 0},   {"1e3", false, 0},      {"7 ", false, 0},
                 {"0x1", false, 0},  {"1_000", false, 0}, {"\xd9\xa3", false, 0}, {"99999999999999999999", true, INT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value;
        assert_int_equal(vb_label_match_integer(cases[i].text, &value), cases[i].is);
        if (cases[i].is) assert_true(value == cases[i].value);
    }
}

static void beyond_the_last_place(void **state) {
    (void)state;
    vb_vocabularies v = written("cat, dog");
    vb_label_match match;
    assert_ok(vb_label_match_find(&match, &v, (const char *const[]){"1", "2", "99999999999999999999"}, 3, &err));
    assert_int_equal(match.beyond, 1);
    assert_int_equal(match.class_of[0], 1);
    assert_false(match.from_one);
    vb_label_match_free(&match);
    assert_ok(vb_label_match_find(&match, &v, (const char *const[]){"1", "x"}, 2, &err));
    assert_int_equal(match.beyond, -1);
    vb_label_match_free(&match);
    assert_ok(vb_label_match_find(&match, &v, (const char *const[]){"1", "2"}, 2, &err));
    assert_int_equal(match.beyond, 1);
    assert_true(match.from_one);
    vb_label_match_free(&match);
    assert_int_equal(vb_label_match_place(&v, "1.0"), 1);
    assert_int_equal(vb_label_match_place(&v, "2"), -1);
    assert_int_equal(vb_label_match_place(&v, "cat"), -1);
    vb_vocabularies_free(&v);
}

static void lack_of_memory(void **state) {
    (void)state;
    vb_vocabularies v = written("{id: 1, name: cat}, 2");
    int n = 1;
    for (int status = -1; status; n++) {
        char fault[32];
        vb_label_match match;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        vb_error_clear(&err);
        status = vb_label_match_find(&match, &v, (const char *const[]){"1", "2"}, 2, &err);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        vb_label_match_free(&match);
    }
    assert_int_equal(n, 6);
    vb_vocabularies_free(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(id_then_name_then_place), cmocka_unit_test(integers_however_written),
                                       cmocka_unit_test(beyond_the_last_place), cmocka_unit_test(lack_of_memory)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
