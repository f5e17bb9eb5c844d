/* Tests of caption files of every form, and of the shared corpora. */
#include "tests/unit/vb_test.h"
#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/files/json_parse.h"
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
    const char *text, *odd;
    assert_ok(vb_captions_open(&captions, scratch_path(name), column, &err));
    for (int i = 0;; i++) {
        assert_ok(vb_captions_next(captions, &text, &odd, &err));
        if (!text) break;
        if (i) strcat(all, "|");
        if (odd) assert_string_equal(text, "");
        strcat(all, odd ? odd : text);
    }
    vb_captions_close(captions);
    assert_string_equal(all, joined);
}

static void refuse(const char *name, const char *column, int code, const char *fragment) {
    vb_error err = {0};
    vb_captions *captions = NULL;
    const char *text = "", *odd;
    int status = vb_captions_open(&captions, scratch_path(name), column, &err);
    while (!status && text) status = vb_captions_next(captions, &text, &odd, &err);
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
    refuse("b.txt", "caption", VB_EMISMATCH, "b.txt: lines of text have no column 'caption'");
    put_text("empty.txt", "");
    expect("empty.txt", NULL, "");
    static const char lines[] = "{\"caption\": \"caf\\u00e9\", \"url\": \"x\"}\n{\"caption\": null}\n{\"caption\": \"b\"}\n";
    put_text("a.jsonl", lines);
    expect("a.jsonl", NULL, "café||b");
    write_zst("a.jsonl.zst", lines);
    expect("a.jsonl.zst", NULL, "café||b");
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
    put_text("none.tsv", "url\ttitle\nu\tt\n");
    refuse("none.tsv", NULL, VB_EMISMATCH, "no column 'caption'");
    put_file("nul.tsv", "url\tcaption\0\nu\tt\n", 17);
    refuse("nul.tsv", NULL, VB_EDATA, "nul.tsv:1: a NUL character in the header line");
    put_text("mac.txt", "one\rtwo\rthree\r");
    refuse("mac.txt", NULL, VB_EDATA, "mac.txt: one line with carriage returns in it");
    put_file("wide.txt",
             "\xff\xfe"
             "a\0\n\0",
             6);
    refuse("wide.txt", NULL, VB_EDATA, "wide.txt: text in UTF-16 (save it as UTF-8), expected captions");
    put_text("lfs.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n");
    refuse("lfs.jsonl", NULL, VB_EDATA, "lfs.jsonl: a Git LFS pointer");
    put_text("lfs.jsonl.zst", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n");
    refuse("lfs.jsonl.zst", NULL, VB_EDATA, "a Git LFS pointer, not the file it points to");
    put_text("page.json", "\n<!DOCTYPE HTML><html></html>");
    refuse("page.json", NULL, VB_EDATA, "a web page (HTML)");
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

/* What Python's json module reads is read; what has no caption that can be used is a row, and says why. */
static void odd_lines_are_rows(void **state) {
    (void)state;
    put_text("nan.jsonl", "{\"caption\": \"NaN, \\\"Infinity\\\"\", \"similarity\": NaN, \"x\": [-Infinity, Infinity]}\n");
    expect("nan.jsonl", NULL, "NaN, \"Infinity\"");
    put_text("nan.json", "[\"a\", {\"caption\": \"b\", \"s\": NaN}]");
    expect("nan.json", NULL, "a|b");
    put_text("hash.jsonl", "{\"caption\": \"a\", \"hash\": 18446744073709551615, \"id\": 7, \"similarity\": NaN}\n"
                           "{\"hash\": -100000000000000000000, \"caption\": \"b\"}\n{\"caption\": 18446744073709551615}\n");
    expect("hash.jsonl", NULL, "a|b|hash.jsonl:3: expected a text as caption");
    put_text("hash.json", "[{\"caption\": \"a\", \"hash\": 18446744073709551615}, \"b\"]");
    expect("hash.json", NULL, "a|b");
    put_text("odd.jsonl", "{\"caption\": \"a\"}\n{\"caption\": \n{\"caption\": 1984}\n[1]\n{\"caption\": \"\\ud83d\"}\n"
                          "{\"caption\": \"\\u0000\"}\n\xff{}\n{\"caption\": NaN}\n{\"url\": 3}\n{\"caption\": \"b\"}\n");
    vb_error err = {0};
    vb_captions *captions;
    static const char *const why[] = {NULL,
                                      "odd.jsonl:2: ",
                                      "odd.jsonl:3: expected a text as caption",
                                      "odd.jsonl:4: expected a JSON object",
                                      "odd.jsonl:5: ",
                                      "odd.jsonl:6: ",
                                      "odd.jsonl:7: invalid UTF-8",
                                      "odd.jsonl:8: expected a text as caption",
                                      "odd.jsonl:9: no key 'caption'",
                                      NULL};
    const char *text, *odd;
    assert_ok(vb_captions_open(&captions, scratch_path("odd.jsonl"), NULL, &err));
    for (size_t i = 0; i < sizeof why / sizeof *why; i++) {
        assert_ok(vb_captions_next(captions, &text, &odd, &err));
        if (why[i]) assert_memory_equal(odd, why[i], strlen(why[i]));
        else assert_null(odd);
        assert_string_equal(text, why[i] ? "" : i ? "b" : "a");
    }
    assert_ok(vb_captions_next(captions, &text, &odd, &err));
    assert_null(text);
    vb_captions_close(captions);
    put_text("latin.txt", "ok\ncaf\xe9\nok");
    expect("latin.txt", NULL, "ok|latin.txt:2: invalid UTF-8|ok");
    put_file("nul.txt", "a\0b\nc\n", 6);
    expect("nul.txt", NULL, "nul.txt:1: a NUL character in the text|c");
    put_file("end.txt", "a \0\nb\n\0\0", 8);
    expect("end.txt", NULL, "end.txt:1: a NUL character in the text|b|end.txt:3: a NUL character in the text");
    put_file("end.jsonl", "{\"caption\": \"a\"}\n\0\n", 19);
    expect("end.jsonl", NULL, "a|end.jsonl:2: a NUL character in the text"); /* no blank line */
    put_text("short.tsv", "url\tcaption\nu1\nu2\tc2\n");
    expect("short.tsv", NULL, "short.tsv:2: fewer columns than the captions' column|c2");
}

/* Blank lines between JSON lines are rows without a caption; those that end the file are none. */
static void blank_lines_are_rows(void **state) {
    (void)state;
    static const char a[] = "{\"caption\": \"a\"}", b[] = "{\"caption\": \"b\"}";
    char text[256];
    snprintf(text, sizeof text, "%s\n \t\r\n\n%s\n\n \n", a, b);
    put_text("blank.jsonl", text);
    expect("blank.jsonl", NULL,
           "a|blank.jsonl:2: an empty line, expected a JSON object|blank.jsonl:3: an empty line, expected a JSON object|b");
    vb_error err = {0};
    char *texts[4], *odd[4];
    static const int64_t all[] = {0, 1, 2, 3}, some[] = {2, 3};
    assert_ok(vb_captions_pick(scratch_path("blank.jsonl"), NULL, all, 4, 4, texts, odd, &err));
    assert_true(!odd[0] && odd[1] && odd[2] && !odd[3]);
    assert_string_equal(texts[3], "b");
    for (int i = 0; i < 4; i++) vb_free(texts[i]), vb_free(odd[i]);
    assert_ok(vb_captions_pick(scratch_path("blank.jsonl"), NULL, some, 2, 4, texts, odd, &err));
    assert_true(odd[0] && !odd[1]);
    assert_string_equal(texts[1], "b");
    for (int i = 0; i < 2; i++) vb_free(texts[i]), vb_free(odd[i]);
    put_text("none.jsonl", "\n\n");
    expect("none.jsonl", NULL, "");
}

/* Byte order marks, line ends, blanks that no editor shows, quotes of spreadsheets. */
static void editors_make_no_difference(void **state) {
    (void)state;
    put_text("m.txt", "\xef\xbb\xbfone \t\r\ntwo\r\n");
    expect("m.txt", NULL, "one|two");
    put_text("m.jsonl", "\xef\xbb\xbf{\"caption\": \"a \"}\r\n{\"caption\": \"b\"}");
    expect("m.jsonl", NULL, "a |b");
    write_zst("m.jsonl.zst", "\xef\xbb\xbf{\"caption\": \"a\"}\r\n");
    expect("m.jsonl.zst", NULL, "a");
    put_text("m.json", "\xef\xbb\xbf[\"a\"]\r\n");
    expect("m.json", NULL, "a");
    put_text("m.tsv", "\xef\xbb\xbf"
                      "caption \turl\r\nc1 \tu1\r\n\"c\t\"\"2\"\"\"\tu2\r\n\"c\" 3\tu3\n\"c4\"\n");
    expect("m.tsv", NULL, "c1|c\t\"2\"|\"c\" 3|c4");
    put_text("q.tsv", "\"url\"\t\"caption\"\n\"u\t1\"\t\"\"\nu2\t\"open\n");
    expect("q.tsv", NULL, "|\"open");
}

/* What Python's csv writes, quoted where it must be and everywhere: the same texts, but for blanks at their end. */
static void quotes_are_those_of_csv(void **state) {
    (void)state;
    vb_error err = {0};
    if (!have("python3")) skip();
    char folder[1024];
    in_scratch(folder, "csv/");
    if (run_command("cd '%s' && python3 -c '"
                    "import csv, random\n"
                    "random.seed(3)\n"
                    "rows = [(str(i), \"\".join(random.choice(\"ab \\t\\x22,;\") for _ in range(random.randrange(9)))) "
                    "for i in range(400)]\n"
                    "for name, quoting in ((\"some\", csv.QUOTE_MINIMAL), (\"all\", csv.QUOTE_ALL)):\n"
                    "    with open(name + \".tsv\", \"w\", newline=\"\") as file:\n"
                    "        out = csv.writer(file, \"excel-tab\", quoting=quoting)\n"
                    "        out.writerow((\"id\", \"caption\"))\n"
                    "        out.writerows(rows)\n"
                    "    with open(name + \".tsv\", newline=\"\") as file:\n"
                    "        assert list(csv.reader(file, \"excel-tab\"))[1:] == [list(row) for row in rows]\n"
                    "open(\"texts\", \"w\").writelines(text + \"\\n\" for _, text in rows)\n'",
                    folder))
        skip();
    for (int all = 0; all < 2; all++) {
        FILE *expected = fopen(scratch_path("csv/texts"), "r");
        vb_captions *captions;
        const char *text, *odd;
        char line[64];
        assert_non_null(expected);
        assert_ok(vb_captions_open(&captions, scratch_path(all ? "csv/all.tsv" : "csv/some.tsv"), NULL, &err));
        while (fgets(line, sizeof line, expected)) {
            size_t n = strcspn(line, "\n");
            assert_ok(vb_captions_next(captions, &text, &odd, &err));
            if (!text || odd) fail_msg("'%s': %s", line, odd ? odd : "the end");
            size_t blanks = n;
            while (blanks && strchr(" \t", line[blanks - 1])) blanks--;
            line[n] = 0;
            if (strcmp(text, line) && (strncmp(text, line, blanks) || strlen(text) != blanks))
                fail_msg("'%s' instead of '%s'", text, line);
        }
        assert_ok(vb_captions_next(captions, &text, &odd, &err));
        assert_null(text);
        vb_captions_close(captions);
        fclose(expected);
    }
}

static void rows_are_picked_and_counted(void **state) {
    (void)state;
    vb_error err = {0};
    char *texts[3], *odd[3];
    put_text("p.txt", "r0\nr1\nr2\nr3\n");
    static const int64_t rows[] = {0, 2, 3}, beyond[] = {1, 4};
    assert_ok(vb_captions_pick(scratch_path("p.txt"), NULL, rows, 3, 4, texts, odd, &err));
    assert_string_equal(texts[1], "r2");
    for (int i = 0; i < 3; i++) vb_free(texts[i]);
    assert_fails(vb_captions_pick(scratch_path("p.txt"), NULL, rows, 3, 5, texts, odd, &err), VB_EMISMATCH,
                 "4 captions for 5 rows");
    assert_fails(vb_captions_pick(scratch_path("p.txt"), NULL, rows, 3, 3, texts, odd, &err), VB_EMISMATCH,
                 "4 captions for 3 rows");
    assert_fails(vb_captions_pick(scratch_path("p.txt"), NULL, beyond, 2, -1, texts, odd, &err), VB_EMISMATCH, "row 4 is wanted");
}

static void long_lines_cross_blocks(void **state) {
    (void)state;
    vb_error err = {0};
    size_t n = 700000;
    char *text = vb_array(n + 8, 1, "test", &err);
    memset(text, 'a', n);
    memcpy(text + n, "\nend\n", 6);
    put_text("long.txt", text);
    char *picked[2], *odd[2];
    static const int64_t rows[] = {0, 1};
    assert_ok(vb_captions_pick(scratch_path("long.txt"), NULL, rows, 2, 2, picked, odd, &err));
    assert_int_equal(strlen(picked[0]), n);
    assert_string_equal(picked[1], "end");
    vb_free(picked[0]);
    vb_free(picked[1]);
    vb_free(text);
    /* Over the limit: odd where it is wanted, of no concern where it is not. */
    n = (size_t)17 << 20;
    text = vb_array(n + 8, 1, "test", &err);
    memset(text, 'a', n);
    memcpy(text + n, "\nend\n", 6);
    put_text("long.txt", text);
    assert_ok(vb_captions_pick(scratch_path("long.txt"), NULL, rows, 2, 2, picked, odd, &err));
    assert_string_equal(odd[0], "long.txt:1: a line of over 16 MiB");
    assert_string_equal(picked[1], "end");
    for (int i = 0; i < 2; i++) vb_free(picked[i]), vb_free(odd[i]);
    assert_ok(vb_captions_pick(scratch_path("long.txt"), NULL, rows + 1, 1, 2, picked, odd, &err));
    assert_null(odd[0]);
    vb_free(picked[0]);
    vb_free(text);
}

/* Every allocation fails once, jansson's too: never a document that is taken for a broken one. */
static void documents_without_memory(void **state) {
    (void)state;
    vb_error err = {0};
    char fault[32];
    bool told = false;
    vb_captions *captions;
    const char *path = scratch_path("memory.json");
    put_text("memory.json", "[\"one\", {\"caption\": \"two\"}]");
    for (int n = 1;; n++) {
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_error_clear(&err);
        vb_fault_setup(fault, 0);
        int failed = vb_captions_open(&captions, path, NULL, &err);
        vb_fault_setup(NULL, 0);
        if (!failed) break;
        assert_int_equal(err.code, VB_EMEMORY);
        told |= vb_path_ends_with(err.text, "memory.json: no memory for the JSON");
    }
    vb_captions_close(captions);
    assert_true(told);
    expect("memory.json", NULL, "one|two");
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
        assert_ok(vb_captions_pick(path, files[i].column, NULL, 0, files[i].rows, NULL, NULL, &err));
    }
}

int main(void) {
    vb_json_parse_setup();
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_form_is_read),          cmocka_unit_test(bad_files_are_refused),
                                       cmocka_unit_test(odd_lines_are_rows),          cmocka_unit_test(blank_lines_are_rows),
                                       cmocka_unit_test(editors_make_no_difference),  cmocka_unit_test(quotes_are_those_of_csv),
                                       cmocka_unit_test(rows_are_picked_and_counted), cmocka_unit_test(long_lines_cross_blocks),
                                       cmocka_unit_test(documents_without_memory),    cmocka_unit_test(shared_captions_are_read)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
