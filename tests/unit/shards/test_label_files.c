/* Tests of sets of labels and of names by id: what is read, what is refused with its place, and lack of memory. */
#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/files/json_parse.h"
#include "shards/files/writer.h"
#include "shards/text/label_sets.h"
#include "shards/text/names_by_id.h"

static char json[1024], tsv[1024], yaml[1024];
static vb_error err;

static int setup(void **state) {
    if (make_scratch(state)) return -1;
    vb_json_parse_setup();
    in_scratch(json, "t.json");
    in_scratch(tsv, "t.tsv");
    in_scratch(yaml, "v.yaml");
    return 0;
}

/* Sets as "NAME:a,b|c|": labels by ',', sets by '|'. */
static void expect_sets(const char *text, const char *joined) {
    vb_label_sets sets;
    bool known;
    char found[1024] = "";
    assert_ok(vb_writer_write_whole(json, text, strlen(text), &err));
    assert_ok(vb_label_sets_read(&sets, &known, json, &err));
    assert_true(known);
    for (size_t i = 0; i < sets.count; i++) {
        if (sets.names.count) strcat(strcat(found, sets.names.items[i]), ":");
        for (size_t k = sets.offsets[i]; k < sets.offsets[i + 1]; k++) {
            if (k > sets.offsets[i]) strcat(found, ",");
            strcat(found, sets.distinct.items[sets.of[k]]);
        }
        strcat(found, "|");
    }
    vb_label_sets_free(&sets);
    assert_string_equal(found, joined);
}

static void sets_are_read(void **state) {
    (void)state;
    expect_sets("[[], [970, 795], [230, 231]]", "|970,795|230,231|");
    expect_sets("\xef\xbb\xbf[[\" alp\\t\", \"ski\"], [\"na\\u00efve\"]]", "alp,ski|na\xc3\xafve|");
    expect_sets("[[2, \"2.0\", 10]]", "2,2.0,10|");
    expect_sets("[[0], [0, 1]]", "0|0,1|");
    expect_sets("{\"b.png\": [1], \"a/c\": []}", "b.png:1|a/c:|");
    vb_label_sets sets;
    bool known = true;
    static const char *const others[] = {"[\"a\", \"b\"]", "[1]", "[]", "3"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) { /* lists of single labels are another reader's */
        assert_ok(vb_writer_write_whole(json, others[i], strlen(others[i]), &err));
        assert_ok(vb_label_sets_read(&sets, &known, json, &err));
        assert_false(known);
        vb_label_sets_free(&sets);
    }
}

static void refuse_sets(const char *text, int code, const char *message) {
    vb_label_sets sets;
    bool known;
    assert_ok(vb_writer_write_whole(json, text, strlen(text), &err));
    assert_fails(vb_label_sets_read(&sets, &known, json, &err), code, message);
    vb_label_sets_free(&sets);
}

static void bad_sets_are_named(void **state) {
    (void)state;
    refuse_sets("[[1], [2, 2]]", VB_EDATA, "image 1 (from 0): the label '2' stands twice in its set");
    refuse_sets("[[1], [2, \"2\"]]", VB_EDATA, "image 1 (from 0): the label '2' stands twice in its set");
    refuse_sets("[[1], [-1]]", VB_EDATA, "image 1 (from 0): found the label -1, expected 0 or more");
    refuse_sets("[[1], [1.0]]", VB_EDATA, "image 1 (from 0): a label is a real number");
    refuse_sets("[[1], [null]]", VB_EDATA, "image 1 (from 0): a label is null");
    refuse_sets("[[1], [\" \"]]", VB_EDATA, "image 1 (from 0): a label is an empty text");
    refuse_sets("[[1], 2]", VB_EDATA, "image 1 (from 0): an integer, expected a list of labels");
    refuse_sets("{\"a.png\": [1], \"b.png\": {}}", VB_EDATA, "image 'b.png': an object, expected a list of labels");
    refuse_sets("{}", VB_EMISSING, "no images");
    refuse_sets("[[1], [2]", VB_EDATA, "t.json:1:");
    refuse_sets("{\"a\": [1], \"a\": [2]}", VB_EDATA, "t.json:1:");
    refuse_sets("[[\"\xff\"]]", VB_EDATA, "t.json:1:");
    static char many[6 * VB_LABEL_SETS_MOST + 16] = "[[";
    for (int i = 0; i <= VB_LABEL_SETS_MOST; i++) sprintf(many + strlen(many), "%s%d", i ? "," : "", i);
    refuse_sets(strcat(many, "]]"), VB_EUNSUPPORTED, "4097 labels, at most 4096 are handled");
}

static void expect_names(const char *path, const char *text, const char *joined) {
    vb_names_by_id names;
    char found[1024] = "";
    assert_ok(vb_writer_write_whole(path, text, strlen(text), &err));
    assert_ok(vb_names_by_id_read(&names, path, &err));
    for (size_t i = 0; i < names.count; i++) sprintf(found + strlen(found), "%s=%s|", names.items[i].id, names.items[i].name);
    vb_names_by_id_free(&names);
    assert_string_equal(found, joined);
}

static void names_are_read(void **state) {
    (void)state;
    expect_names(tsv, "n2\tGoldfisch\nn1\tSchleie", "n1=Schleie|n2=Goldfisch|");
    expect_names(tsv, "\xef\xbb\xbfn1 \t \xe9\x87\x91 \xe9\xad\x9a \r\n\r\n \nn0\tx\r\n", "n0=x|n1=\xe9\x87\x91 \xe9\xad\x9a|");
    expect_names(json, "{\"n2\": \"Goldfisch\", \"n1\": \" Schleie\"}", "n1=Schleie|n2=Goldfisch|");
}

static void refuse_names(const char *path, const char *text, int code, const char *message) {
    vb_names_by_id names;
    assert_ok(vb_writer_write_whole(path, text, strlen(text), &err));
    assert_fails(vb_names_by_id_read(&names, path, &err), code, message);
    vb_names_by_id_free(&names);
}

static void bad_names_are_named(void **state) {
    (void)state;
    refuse_names(tsv, "n1\tx\nn2 y\n", VB_EDATA, "t.tsv: line 2: expected an id, a tab and a name, found 'n2 y'");
    refuse_names(tsv, "n1\tx\ty\n", VB_EDATA, "line 1: expected an id, a tab and a name");
    refuse_names(tsv, "n1\tx\n\n\ty\n", VB_EDATA, "line 3: expected an id, found an empty text");
    refuse_names(tsv, "n1\t \n", VB_EDATA, "line 1: expected a name, found an empty text");
    refuse_names(tsv, "n1\tx\nn2\ty\nn1\tz\n", VB_EDATA, "lines 1 and 3: the id 'n1' stands there twice");
    refuse_names(tsv, "n1\tx\x01y\n", VB_EDATA, "line 1: a name holds a control character");
    refuse_names(tsv, "n1\t\xff\n", VB_EDATA, "not UTF-8");
    refuse_names(tsv, "\n \n", VB_EMISSING, "no names");
    refuse_names(json, "[\"x\"]", VB_EDATA, "expected an object of names by id");
    refuse_names(json, "{\"n1\": 2}", VB_EDATA, "id 'n1': expected a name, a text");
    refuse_names(json, "{\"n1\": \"x\", \" n1\": \"y\"}", VB_EDATA, "items 1 and 2: the id 'n1' stands there twice");
}

static const char vocabulary[] = "name: v\nvocabularies:\n  a: [{id: n1, name: tench}, {id: n2, name: goldfish}]\n  b: [cat]\n";

static void classes_get_names(void **state) {
    (void)state;
    vb_names_by_id names;
    vb_vocabularies v;
    int64_t unused;
    static const char whole[] = "n1\tSchleie\nn2\tGoldfisch\ncat\tKatze\nn9\tHund\n", part[] = "n1\tSchleie\ngoldfish\tx\n";
    assert_ok(vb_writer_write_whole(yaml, vocabulary, sizeof vocabulary - 1, &err));
    assert_ok(vb_writer_write_whole(tsv, whole, sizeof whole - 1, &err));
    assert_ok(vb_vocabularies_read(&v, yaml, &err));
    assert_string_equal(vb_vocabularies_called(&v.class[0]), "tench");
    assert_ok(vb_names_by_id_read(&names, tsv, &err));
    assert_ok(vb_names_by_id_call(&v, &unused, &names, tsv, &err));
    assert_string_equal(vb_vocabularies_called(&v.class[0]), "Schleie");
    assert_string_equal(vb_vocabularies_called(&v.class[1]), "Goldfisch");
    assert_string_equal(vb_vocabularies_called(&v.class[2]), "Katze"); /* it has no id */
    assert_string_equal(v.class[2].name, "cat");
    assert_int_equal(unused, 1);
    const vb_digest digest = names.digest;
    vb_names_by_id_free(&names);
    static const char other[] = "n1\tSchleie\nn2\tGoldfisch\ncat\tKater\nn9\tHund\n";
    assert_ok(vb_writer_write_whole(tsv, other, sizeof other - 1, &err));
    assert_ok(vb_names_by_id_read(&names, tsv, &err));
    assert_string_not_equal(names.digest.hex, digest.hex);
    vb_names_by_id_free(&names);
    /* the same names in the same order, of other ids */
    static const char moved[] = "n0\tSchleie\nn1\tGoldfisch\ncat\tKatze\nn9\tHund\n";
    assert_ok(vb_writer_write_whole(tsv, moved, sizeof moved - 1, &err));
    assert_ok(vb_names_by_id_read(&names, tsv, &err));
    assert_string_not_equal(names.digest.hex, digest.hex);
    vb_names_by_id_free(&names);
    assert_ok(vb_writer_write_whole(tsv, part, sizeof part - 1, &err));
    assert_ok(vb_names_by_id_read(&names, tsv, &err));
    assert_fails(vb_names_by_id_call(&v, &unused, &names, tsv, &err), VB_EMISMATCH,
                 "no name for the id 'n2', class 'goldfish' (2 of 3 classes have none)");
    vb_names_by_id_free(&names);
    vb_vocabularies_free(&v);
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    static const char sets[] = "{\"a.png\": [1, \"x\"], \"b.png\": [3]}", named[] = "n1\tx\nn2\ty\ncat\tz\n";
    assert_ok(vb_writer_write_whole(json, sets, sizeof sets - 1, &err));
    assert_ok(vb_writer_write_whole(tsv, named, sizeof named - 1, &err));
    assert_ok(vb_writer_write_whole(yaml, vocabulary, sizeof vocabulary - 1, &err));
    for (int kind = 0; kind < 2; kind++) {
        int n = 0, status;
        do {
            char fault[32];
            vb_label_sets labels = {0};
            vb_names_by_id names = {0};
            vb_vocabularies v;
            bool known;
            int64_t unused;
            assert_ok(vb_vocabularies_read(&v, yaml, &err));
            snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", ++n);
            vb_fault_setup(fault, 0);
            if (kind) status = vb_label_sets_read(&labels, &known, json, &err);
            else status = vb_names_by_id_read(&names, tsv, &err) || vb_names_by_id_call(&v, &unused, &names, tsv, &err);
            vb_fault_setup(NULL, 0);
            if (status) assert_int_equal(err.code, VB_EMEMORY);
            vb_label_sets_free(&labels);
            vb_names_by_id_free(&names);
            vb_vocabularies_free(&v);
        } while (status);
        assert_true(n > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets_are_read),     cmocka_unit_test(bad_sets_are_named),
                                       cmocka_unit_test(names_are_read),    cmocka_unit_test(bad_names_are_named),
                                       cmocka_unit_test(classes_get_names), cmocka_unit_test(lack_of_memory_is_an_error)};
    return cmocka_run_group_tests(tests, setup, remove_scratch);
}
