/* Tests of caption files of every form, and of the shared corpora. */
#include "tests/unit/vb_test.h"
#include "tests/unit/scratch.h"
#include "shards/text/captions.h"
#include "shards/files/zst.h"

static void write_zst(const char *name, const char *text) {
    vb_error err;
    vb_zst_writer *writer;
    assert_ok(vb_zst_writer_open(&writer, scratch_path(name), 3, &err));
    for (size_t i = 0; i < strlen(text); i += 7) {
        size_t n = strlen(text) - i < 7 ? strlen(text) - i : 7;
        assert_ok(vb_zst_writer_write(writer, text + i, n, &err));
        if (i % 2) assert_ok(vb_zst_writer_cut(writer, &err));
    }
    assert_ok(vb_zst_writer_commit(writer, NULL, &err));
}

/* All captions of a file, joined by '|'. */
static void expect(const char *name, const char *column, const char *joined) {
    vb_error err = {0};
    vb_captions *captions;
    char all[4096] = "";
    const char *text;
    assert_ok(vb_captions_open(&captions, scratch_path(name), column, &err));
    for (int i = 0;; i++) {
        assert_ok(vb_captions_next(captions, &text, &err));
        if (!text) break;
        if (i) strcat(all, "|");
        strcat(all, text);
    }
    vb_captions_close(captions);
    assert_string_equal(all, joined);
}

static void refuse(const char *name, const char *column, int code, const char *fragment) {
    vb_error err = {0};
    vb_captions *captions = NULL;
    const char *text = "";
    int status = vb_captions_open(&captions, scratch_path(name), column, &err);
    while (!status && text) status = vb_captions_next(captions, &text, &err);
    if (!status || err.code != code || !strstr(err.text, fragment))
        fail_msg("%s: status %d code %d: %s", name, status, err.code, err.text);
    vb_captions_close(captions);
}

static void every_form_is_read(void **state) {
    (void)state;
    put_text("a.txt", "one\r\n\ntwo words\nlast");
    expect("a.txt", NULL, "one||two words|last");
    put_text("b.txt", "one\n");
    expect("b.txt", NULL, "one");
    put_text("empty.txt", "");
    expect("empty.txt", NULL, "");
    static const char lines[] =
        "{\"caption\": \"caf\\u00e9\", \"url\": \"x\"}\n{\"caption\": null}\n{\"url\": 3}\n{\"caption\": \"b\"}\n";
    put_text("a.jsonl", lines);
    expect("a.jsonl", NULL, "café|||b");
    write_zst("a.jsonl.zst", lines);
    expect("a.jsonl.zst", NULL, "café|||b");
    put_text("t.jsonl", "{\"TEXT\": \"x\"}\n");
    expect("t.jsonl", "TEXT", "x");
    put_text("a.tsv", "url\tcaption\nu1\tc1\nu2\tc2 c3\n");
    expect("a.tsv", NULL, "c1|c2 c3");
    expect("a.tsv", "url", "u1|u2");
    expect("a.tsv", "2", "caption|c1|c2 c3");
    put_text("a.json", "[\"p\", {\"caption\": \"q\"}, null]");
    expect("a.json", NULL, "p|q|");
    put_text("coco.json", "{\"info\": {}, \"annotations\": [{\"id\": 1, \"caption\": \"A dog.\"}]}");
    expect("coco.json", NULL, "A dog.");
}

static void bad_files_are_refused(void **state) {
    (void)state;
    put_text("bad.jsonl", "{\"caption\": \"a\"}\n{\"caption\": \n");
    refuse("bad.jsonl", NULL, VB_EDATA, "bad.jsonl:2:");
    put_text("list.jsonl", "[1]\n");
    refuse("list.jsonl", NULL, VB_EDATA, "expected a JSON object");
    put_text("number.jsonl", "{\"caption\": 5}\n");
    refuse("number.jsonl", NULL, VB_EDATA, "expected a text");
    put_text("latin.txt", "ok\ncaf\xe9\n");
    refuse("latin.txt", NULL, VB_EDATA, "latin.txt:2: invalid UTF-8");
    put_text("none.tsv", "url\ttitle\nu\tt\n");
    refuse("none.tsv", NULL, VB_EMISMATCH, "no column 'caption'");
    put_text("short.tsv", "url\tcaption\nu1\n");
    refuse("short.tsv", NULL, VB_EDATA, "short.tsv:2:");
    put_text("x.parquet", "PAR1");
    refuse("x.parquet", NULL, VB_EUNSUPPORTED, "pandas.read_parquet");
    put_text("x.csv", "a");
    refuse("x.csv", NULL, VB_EUNSUPPORTED, ".jsonl");
    put_text("half.json", "[\"a\",");
    refuse("half.json", NULL, VB_EDATA, "half.json:1");
    put_text("map.json", "{\"a\": 1}");
    refuse("map.json", NULL, VB_EDATA, "annotations");
    refuse("missing.txt", NULL, VB_EMISSING, "missing.txt");
}

static void rows_are_picked_and_counted(void **state) {
    (void)state;
    vb_error err = {0};
    char *texts[3];
    put_text("p.txt", "r0\nr1\nr2\nr3\n");
    static const int64_t rows[] = {0, 2, 3}, beyond[] = {1, 4};
    assert_ok(vb_captions_pick(scratch_path("p.txt"), NULL, rows, 3, 4, texts, &err));
    assert_string_equal(texts[1], "r2");
    for (int i = 0; i < 3; i++) vb_free(texts[i]);
    assert_fails(vb_captions_pick(scratch_path("p.txt"), NULL, rows, 3, 5, texts, &err), VB_EMISMATCH, "4 captions for 5 rows");
    assert_fails(vb_captions_pick(scratch_path("p.txt"), NULL, rows, 3, 3, texts, &err), VB_EMISMATCH, "4 captions for 3 rows");
    assert_fails(vb_captions_pick(scratch_path("p.txt"), NULL, beyond, 2, -1, texts, &err), VB_EMISMATCH, "row 4 is wanted");
}

static void long_lines_cross_blocks(void **state) {
    (void)state;
    vb_error err = {0};
    size_t n = 700000;
    char *text = vb_array(n + 8, 1, "test", &err);
    memset(text, 'a', n);
    memcpy(text + n, "\nend\n", 6);
    put_text("long.txt", text);
    char *picked[2];
    static const int64_t rows[] = {0, 1};
    assert_ok(vb_captions_pick(scratch_path("long.txt"), NULL, rows, 2, 2, picked, &err));
    assert_int_equal(strlen(picked[0]), n);
    assert_string_equal(picked[1], "end");
    vb_free(picked[0]);
    vb_free(picked[1]);
    vb_free(text);
}

static void shared_captions_are_read(void **state) {
    (void)state;
    vb_error err = {0};
    char path[1024];
    static const struct {
        const char *name, *column;
        int64_t rows;
    } files[] = {{"data/captions/cc3m-validation.tsv", "1", 15833},
                 {"data/captions/coco-captions-val2017.json", NULL, 25014},
                 {"data/clip-vit-b32-flickr8k/flickr8k1000_captions.tsv", "2", 1000}};
    for (int i = 0; i < 3; i++) {
        shared_path(path, files[i].name);
        assert_ok(vb_captions_pick(path, files[i].column, NULL, 0, files[i].rows, NULL, &err));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_form_is_read), cmocka_unit_test(bad_files_are_refused),
                                       cmocka_unit_test(rows_are_picked_and_counted), cmocka_unit_test(long_lines_cross_blocks),
                                       cmocka_unit_test(shared_captions_are_read)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
