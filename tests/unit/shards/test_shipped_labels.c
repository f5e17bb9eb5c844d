/* The shipped vocabularies against the labels that datasets have (tests/golden/dataset_labels.txt): folders, published lists, the
 * order of their numbers. */
#include "kernels/base/strings.h"
#include "shards/text/label_match.h"
#include "tests/unit/vb_test.h"

static vb_error err;

/* "FILE FORM" and then its labels, a block; blocks are divided by empty lines. */
typedef struct block {
    char file[64], form[32];
    vb_strings labels;
} block;

static bool next_block(FILE *list, block *its) {
    char line[256];
    bool begun = false;
    vb_strings_free(&its->labels);
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        if (*line == '#') continue;
        if (!*line && begun) return true;
        if (!*line) continue;
        if (begun) assert_ok(vb_strings_add(&its->labels, line, &err));
        else assert_int_equal(sscanf(line, "%63s %31s", its->file, its->form), 2);
        begun = true;
    }
    return begun;
}

static void read_shipped(vb_vocabularies *v, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "configs/vocabularies/%s.yaml", name);
    assert_ok(vb_vocabularies_read(v, path, &err));
}

static void match_block(vb_label_match *match, const vb_vocabularies *v, const block *its) {
    assert_ok(vb_label_match_find(match, v, (const char *const *)its->labels.items, (int)its->labels.count, &err));
    for (int i = 0; i < match->labels; i++)
        if (match->class_of[i] < 0) fail_msg("%s, %s: '%s' is no class", v->name, its->form, its->labels.items[i]);
}

/* Every label is a class, every class has a label, and in files of one vocabulary the order is that of the labels' numbers. */
static void labels_are_classes(void **state) {
    (void)state;
    static const char *const joined[][4] = {{"cifar100_caltech101_sun397", "cifar100", "caltech101", "sun397"},
                                            {"flowers_pets_cars", "flowers102", "oxford_pets", "stanford_cars"}};
    FILE *list = fopen("tests/golden/dataset_labels.txt", "r");
    assert_non_null(list);
    block its = {.labels = {0}};
    int blocks = 0;
    while (next_block(list, &its)) {
        vb_vocabularies v;
        vb_label_match match;
        read_shipped(&v, its.file);
        match_block(&match, &v, &its);
        assert_int_equal(its.labels.count, v.classes);
        char seen[1024] = {0};
        for (int i = 0; i < match.labels; i++) {
            if (v.count == 1) assert_int_equal(match.class_of[i], i);
            assert_false(seen[match.class_of[i]]++);
        }
        vb_label_match_free(&match);
        vb_vocabularies_free(&v);
        for (size_t j = 0; j < sizeof joined / sizeof *joined; j++)
            for (int part = 1; part < 4; part++) {
                if (strcmp(joined[j][part], its.file) || !strcmp(its.form, "numbers")) continue;
                read_shipped(&v, joined[j][0]);
                match_block(&match, &v, &its);
                vb_label_match_free(&match);
                vb_vocabularies_free(&v);
            }
        blocks++;
    }
    vb_strings_free(&its.labels);
    fclose(list);
    assert_int_equal(blocks, 25);
}

/* CIFAR-100's numbers are its names' and not the file's order; ImageNet's are its folders', two of which are left out. */
static void numbers_are_names(void **state) {
    (void)state;
    enum { FOLDERS = 1000 };
    static char text[FOLDERS][8];
    static const char *numbers[FOLDERS];
    vb_vocabularies v;
    vb_label_match match;
    for (int i = 0; i < FOLDERS; i++) {
        snprintf(text[i], sizeof text[i], "%d", i);
        numbers[i] = text[i];
    }
    read_shipped(&v, "cifar100");
    assert_ok(vb_label_match_find(&match, &v, numbers, 100, &err));
    assert_string_equal(v.class[match.class_of[0]].name, "apple");
    assert_string_equal(v.class[match.class_of[4]].name, "beaver");
    assert_string_equal(v.class[match.class_of[99]].name, "worm");
    vb_label_match_free(&match);
    vb_vocabularies_free(&v);
    read_shipped(&v, "imagenet");
    assert_ok(vb_label_match_find(&match, &v, numbers, FOLDERS, &err));
    for (int i = 0, class = 0; i < FOLDERS; i++) {
        bool left_out = i == 744 || i == 837; /* the second missile, the second sunglasses */
        assert_int_equal(match.class_of[i], left_out ? -1 : class);
        class += !left_out;
    }
    assert_string_equal(v.class[match.class_of[388]].id, "n02510455"); /* giant panda */
    assert_string_equal(v.class[match.class_of[999]].id, "n15075141"); /* toilet tissue */
    vb_label_match_free(&match);
    vb_vocabularies_free(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(labels_are_classes), cmocka_unit_test(numbers_are_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
