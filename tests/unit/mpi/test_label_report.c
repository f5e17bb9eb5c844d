/* Tests of what is said of labels: which differences are faults, and that notes and faults name labels and classes. */
#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "mpi/encode/label_report.h"

static vb_error err;

/* labels: "name count" pairs, up to 8. */
typedef struct labelled {
    const char *label;
    int64_t images;
} labelled;

static char path[1024];

static void put_classes(const char *classes) {
    char text[1024];
    snprintf(text, sizeof text, "name: v\nvocabularies: {all: [%s]}\n", classes);
    put_text("v.yaml", text);
    in_scratch(path, "v.yaml");
}

static int make(vb_label_report *report, const labelled labels[8], int64_t unlabelled) {
    const char *names[8];
    int64_t images[8];
    int count = 0;
    vb_vocabularies v;
    vb_label_match match = {0};
    *report = (vb_label_report){0};
    int status = vb_vocabularies_read(&v, path, &err);
    for (; count < 8 && labels[count].label; count++) {
        names[count] = labels[count].label;
        images[count] = labels[count].images;
    }
    if (!status) status = vb_label_match_find(&match, &v, names, count, &err);
    const vb_label_survey survey = {&v, &match, names, images, unlabelled};
    if (!status) status = vb_label_report_make(report, &survey, &err);
    vb_label_match_free(&match);
    vb_vocabularies_free(&v);
    return status;
}

static void assert_fault(const char *classes, const labelled labels[8], int64_t unlabelled, const char *fault) {
    vb_label_report report;
    put_classes(classes);
    assert_ok(make(&report, labels, unlabelled));
    if (!fault && report.fault) fail_msg("fault: %s", report.fault);
    if (fault && (!report.fault || !strstr(report.fault, fault))) fail_msg("fault: %s", report.fault ? report.fault : "none");
    vb_label_report_free(&report);
}

static void what_is_a_fault(void **state) {
    (void)state;
    /* A vocabulary smaller than the data, and data smaller than the vocabulary. */
    assert_fault("cat, dog", (const labelled[8]){{"cat", 2}, {"dog", 3}, {"cow", 50}, {"emu", 70}}, 0, NULL);
    assert_fault("cat, dog, cow", (const labelled[8]){{"cat", 2}, {"dog", 3}}, 0, NULL);
    /* Names of the data's list of classes that no image has are nothing. */
    assert_fault("cat, dog, cow", (const labelled[8]){{"cat", 2}, {"dog", 3}, {"Cow", 0}}, 0, NULL);
    /* Both at once: the one may be the other. */
    assert_fault(
        "airplane, face, tick, bonsai", (const labelled[8]){{"airplanes", 800}, {"Faces", 435}, {"bonsai", 1}, {"leg", 3}}, 0,
        "3 classes have no images: 'airplane' (label 'airplanes'?), 'face' (label 'Faces'?), 'tick'; 3 labels (1238 "
        "images) match no class: 'airplanes' (800 images; class 'airplane'?), 'Faces' (435 images; class 'face'?), 'leg' "
        "(3 images); aliases in the vocabulary file, or on_unmatched: skip to leave them out");
    /* But for case, blanks and punctuation a class, although that one has images. */
    assert_fault("t-shirt, dog", (const labelled[8]){{"t-shirt", 2}, {"dog", 3}, {"T Shirt", 1}}, 0,
                 "1 label (1 image) matches no class: 'T Shirt' (1 image; class 't-shirt'?)");
    /* And but for the case of other letters, and for how they are composed: macOS hands out names decomposed. */
    assert_fault("caf\u00e9, dog", (const labelled[8]){{"caf\u00e9", 2}, {"dog", 3}, {"cafe\u0301", 1}}, 0,
                 "1 label (1 image) matches no class: 'cafe\u0301' (1 image; class 'caf\u00e9'?)");
    assert_fault("\u00e9t\u00e9, dog", (const labelled[8]){{"\u00e9t\u00e9", 2}, {"dog", 3}, {"\u00c9T\u00c9", 1}}, 0,
                 "(1 image; class '\u00e9t\u00e9'?)");
    assert_fault("caf\u00e9, dog", (const labelled[8]){{"caf\u00e9", 2}, {"dog", 3}, {"cafe", 1}}, 0, NULL);
    assert_fault("c++, c", (const labelled[8]){{"c++", 2}, {"c", 3}, {"c#", 1}}, 0, NULL);
    /* Integers beside names; a name beside integers that are ids. */
    assert_fault("cat, dog", (const labelled[8]){{"cat", 2}, {"dog", 3}, {"0", 4}, {"1", 5}}, 0,
                 "2 of them are integers beside names");
    assert_fault("{id: 1, name: cat}", (const labelled[8]){{"1", 2}, {"2", 3}, {"other", 4}}, 0, NULL);
    /* Images without a label. */
    assert_fault("cat", (const labelled[8]){{"cat", 2}}, 3,
                 "3 images have no label (.cls, or a text or an integer at a key such as label in .json); mend the data, or "
                 "on_unmatched: skip to leave them out");
    assert_fault("cat", (const labelled[8]){{NULL, 0}}, 3, NULL);
    /* Places that may count from 1, in a vocabulary file longer than the labels, and at its end; not where 0 is named. */
    const char *from_one = "labels are places in the vocabulary file and no label is 0, 'cat': do they count from 1? state "
                           "class_names (a precomputed model's label_names), or on_unmatched: skip";
    assert_fault("cat, dog, fox", (const labelled[8]){{"1", 2}, {"2", 3}}, 0, from_one);
    assert_fault("cat, dog, fox, owl", (const labelled[8]){{"1", 2}, {"2", 3}}, 0, from_one);
    assert_fault("cat, dog, fox", (const labelled[8]){{"1", 1}, {"2", 2}}, 1, "on_unmatched: skip; 1 image has no label (.cls");
    assert_fault("cat, dog, fox", (const labelled[8]){{"2", 2}}, 0, NULL); /* a class between has no images either */
    assert_fault("cat, dog, fox", (const labelled[8]){{"0", 2}, {"2", 3}}, 0, NULL);
    assert_fault("cat, dog, fox", (const labelled[8]){{"0", 0}, {"1", 2}}, 0, NULL);
    assert_fault("{id: 1, name: cat}, {id: 2, name: dog}, {id: 0, name: fox}", (const labelled[8]){{"2", 2}}, 0, NULL);
}

static void notes_and_counts(void **state) {
    (void)state;
    vb_label_report report;
    put_classes("{id: 1, name: one}, {id: 0, name: zero}, {id: 2, name: two}, three");
    assert_ok(make(&report, (const labelled[8]){{"0", 1}, {"1", 1}, {"2", 1}, {"three", 1}, {"xy\nz", 9}, {"w", 0}}, 0));
    assert_int_equal(report.counts.by[VB_LABEL_BY_ID], 3);
    assert_int_equal(report.counts.by[VB_LABEL_BY_NAME], 1);
    assert_int_equal(report.counts.by[VB_LABEL_UNMATCHED], 1);
    assert_int_equal(report.counts.ambiguous, 2);
    assert_int_equal(report.unmatched_images, 9);
    assert_int_equal(report.unmatched_count, 1);
    assert_int_equal(report.unmatched[0], 4);
    assert_int_equal(report.notes.count, 3);
    assert_string_equal(report.notes.items[0], "labels of two kinds: 3 are ids, 1 are names");
    assert_string_equal(report.notes.items[1],
                        "2 labels could mean two classes, by id, name or place, in this order: '0' is 'zero', not 'one'");
    assert_string_equal(report.notes.items[2], "1 label (9 images) matches no class: 'xy?z' (9 images)");
    vb_label_report_free(&report);
    put_classes("a, b, c, d, e, f, g, h");
    assert_ok(make(&report, (const labelled[8]){{"0", 1}, {"1", 1}}, 0));
    assert_int_equal(report.counts.by[VB_LABEL_BY_POSITION], 2);
    assert_int_equal(report.empty_count, 6);
    assert_string_equal(report.notes.items[0],
                        "2 labels are integers and no class' id or name: they are places in the vocabulary file, from 0");
    assert_string_equal(report.notes.items[1], "6 classes have no images: 'c', 'd', 'e', 'f', 'g', ...");
    assert_false(report.from_one);
    assert_null(report.nearest);
    vb_label_report_free(&report);
    assert_ok(make(&report, (const labelled[8]){{"1", 1}, {"2", 1}}, 0));
    assert_true(report.from_one);
    assert_string_equal(report.notes.items[0],
                        "2 labels are integers and no class' id or name: they are places in the vocabulary "
                        "file, from 0; no label is 0: do they count from 1?");
    vb_label_report_free(&report);
    put_classes("dog, cat, fox");
    assert_ok(make(&report, (const labelled[8]){{"cat", 5}, {"zebra", 9}, {"dgo", 2}, {"Fox", 1}}, 0));
    assert_string_equal(report.nearest, "label 'dgo': class 'dog'?, label 'Fox': class 'fox'?");
    vb_label_report_free(&report);
    vb_label_report_free(&report); /* twice is fine */
}

static void lack_of_memory(void **state) {
    (void)state;
    int n = 1;
    put_classes("a, b");
    for (int status = -1; status; n++) {
        char fault[32];
        vb_label_report report;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        vb_error_clear(&err);
        status = make(&report, (const labelled[8]){{"a", 1}, {"B", 1}}, 0);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        vb_label_report_free(&report);
    }
    assert_true(n > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_a_fault), cmocka_unit_test(notes_and_counts),
                                       cmocka_unit_test(lack_of_memory)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
