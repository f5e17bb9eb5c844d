/* Tests of lists of texts: lines, JSON, and what is refused. */
#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/files/writer.h"
#include "shards/text/texts.h"

static char txt[1024], json[1024];
static vb_error err;

static int setup(void **state) {
    if (make_scratch(state)) return -1;
    in_scratch(txt, "t.txt");
    in_scratch(json, "t.json");
    return 0;
}

/* Reads `bytes` from a file and compares with the texts, which are joined by '|'. */
static void expect(const char *path, const char *bytes, size_t n, const char *joined) {
    vb_texts texts;
    char found[1024] = "";
    assert_ok(vb_writer_write_whole(path, bytes, n, &err));
    assert_ok(vb_texts_read(&texts, path, &err));
    for (size_t i = 0; i < texts.count; i++) {
        if (i) strcat(found, "|");
        strcat(found, texts.items[i]);
    }
    vb_texts_free(&texts);
    assert_null(texts.items);
    assert_string_equal(found, joined);
}

static void refuse(const char *path, const char *bytes, size_t n, int code, const char *message) {
    vb_texts texts;
    assert_ok(vb_writer_write_whole(path, bytes, n, &err));
    assert_fails(vb_texts_read(&texts, path, &err), code, message);
    assert_int_equal(texts.count, 0);
}

#define LITERAL(text) text, sizeof text - 1

static void lines_are_texts(void **state) {
    (void)state;
    expect(txt, LITERAL("one\ntwo"), "one|two");
    expect(txt, LITERAL("one\ntwo\n"), "one|two");
    expect(txt, LITERAL("one\r\n\r\ntwo\r\n"), "one||two");
    expect(txt, LITERAL("\n"), "");
    expect(txt, LITERAL("\n\n"), "|");
    expect(txt, LITERAL("\n\none\n\n"), "||one|");
    expect(txt,
           LITERAL("a b\xe2\x80\xa8"
                   "c\r"),
           "a b\xe2\x80\xa8"
           "c"); /* only the line feed ends a line */
    expect(txt,
           LITERAL("\xef\xbb\xbf"
                   "na\xc3\xafve \xf0\x9f\x97\xbc\n  two  "),
           "na\xc3\xafve \xf0\x9f\x97\xbc|  two  ");
}

static void bad_lines_are_named(void **state) {
    (void)state;
    refuse(txt, LITERAL(""), VB_EMISSING, "no texts");
    refuse(txt, LITERAL("\xef\xbb\xbf"), VB_EMISSING, "no texts");
    refuse(txt, LITERAL("one\ntw\xff\n"), VB_EDATA, "t.txt:2: byte 0xff in column 3 is not UTF-8");
    refuse(txt, LITERAL("\xe2\x82\n"), VB_EDATA, "t.txt:1: byte 0xe2 in column 1");
    refuse(txt, LITERAL("a\n\nb\xed\xa0\x80"), VB_EDATA, "t.txt:3: byte 0xed in column 2");
    refuse(txt, LITERAL("a\nb\0c\n"), VB_EDATA, "t.txt:2: a NUL character in column 2");
    refuse(txt, LITERAL("a\rb\rc\r"), VB_EDATA, "t.txt:1: a carriage return in column 2 that ends no line");
    refuse(txt, LITERAL("a\r\r\n"), VB_EDATA, "t.txt:1: a carriage return in column 2");
    refuse(txt,
           LITERAL("\xff\xfe"
                   "a\0"),
           VB_EDATA, "t.txt: text in UTF-16 (save it as UTF-8), expected texts, one a line");
    vb_texts texts;
    unlink(txt);
    assert_fails(vb_texts_read(&texts, txt, &err), VB_EMISSING, "t.txt");
}

static void json_lists_are_texts(void **state) {
    (void)state;
    expect(json, LITERAL("[\"one\", \"\", \"two\\nlines\", \"\\u65e5 \xe6\x97\xa5\"]"),
           "one||two\nlines|\xe6\x97\xa5 \xe6\x97\xa5");
    refuse(json, LITERAL("[]"), VB_EMISSING, "no texts");
    refuse(json, LITERAL("[\"a\", 3]"), VB_EDATA, "item 1 is an integer");
    refuse(json, LITERAL("[\"a\", \"b\", null]"), VB_EDATA, "item 2 is null");
    refuse(json, LITERAL("[[\"a\"]]"), VB_EDATA, "item 0 is a list");
    refuse(json, LITERAL("{\"a\": \"b\"}"), VB_EDATA, "found an object");
    refuse(json, LITERAL("\"a\""), VB_EDATA, "found a string");
    refuse(json, LITERAL("[\"a\",\n \"b\""), VB_EDATA, "t.json:2:");
    refuse(json, LITERAL("[\"a\xff\"]"), VB_EDATA, "t.json:1:");
    refuse(json, LITERAL("[\"a\\u0000b\"]"), VB_EDATA, "t.json:1:");
    refuse(json, LITERAL(""), VB_EDATA, "t.json:");
}

static void expect_names(const char *path, const char *bytes, size_t n, const char *joined) {
    vb_texts names;
    char found[1024] = "";
    assert_ok(vb_writer_write_whole(path, bytes, n, &err));
    assert_ok(vb_texts_read_names(&names, path, &err));
    for (size_t i = 0; i < names.count; i++) strcat(strcat(found, i ? "|" : ""), names.items[i]);
    vb_texts_free(&names);
    assert_string_equal(found, joined);
}

static void names_have_no_blanks_around_them(void **state) {
    (void)state;
    vb_texts names;
    expect_names(txt,
                 LITERAL("\xef\xbb\xbf"
                         "zero \r\none\t\n\ttwo words\r\n\r\n \n"),
                 "zero|one|two words");
    expect_names(txt, LITERAL("a"), "a");
    expect_names(json, LITERAL("\xef\xbb\xbf[\"a \", \" b\"]\r\n"), "a|b");
    assert_ok(vb_writer_write_whole(txt, "a\n \nb\n", 6, &err));
    assert_fails(vb_texts_read_names(&names, txt, &err), VB_EDATA, "t.txt: line 2: expected a name, found an empty line");
    assert_ok(vb_writer_write_whole(txt, " \r\n", 3, &err));
    assert_fails(vb_texts_read_names(&names, txt, &err), VB_EMISSING, "t.txt: no names, expected one a line");
    static const char *const nul[] = {"a\n\0\0\0", "a\0\n\n\0", "a\nb \0\n"}; /* files that were filled up with zeros, too */
    static const char *const says[] = {"t.txt:2: a NUL character in column 1", "t.txt:1: a NUL character in column 2",
                                       "t.txt:2: a NUL character in column 3"};
    for (size_t i = 0; i < sizeof nul / sizeof *nul; i++) {
        assert_ok(vb_writer_write_whole(txt, nul[i], i < 2 ? 5 : 6, &err));
        assert_fails(vb_texts_read_names(&names, txt, &err), VB_EDATA, says[i]);
    }
    assert_ok(vb_writer_write_whole(json, "[\"a\", \" \"]", 10, &err));
    assert_fails(vb_texts_read_names(&names, json, &err), VB_EDATA, "item 1: expected a name, found an empty text");
    assert_ok(vb_writer_write_whole(txt, "a \n\n\tb", 6, &err));
    assert_ok(vb_texts_read(&names, txt, &err));
    vb_texts_trim(&names);
    assert_string_equal(names.items[0], "a");
    assert_string_equal(names.items[1], "");
    assert_string_equal(names.items[2], "b");
    vb_texts_free(&names);
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    assert_ok(vb_writer_write_whole(txt, "a\nb\n", 4, &err));
    assert_ok(vb_writer_write_whole(json, "[\"a\"]", 5, &err));
    for (int kind = 0; kind < 2; kind++) {
        int n = 0, status;
        do {
            char fault[32];
            vb_texts texts;
            snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", ++n);
            vb_fault_setup(fault, 0);
            status = vb_texts_read(&texts, kind ? json : txt, &err);
            vb_fault_setup(NULL, 0);
            if (status) assert_int_equal(err.code, VB_EMEMORY);
            else vb_texts_free(&texts);
        } while (status);
        assert_true(n > 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_texts), cmocka_unit_test(bad_lines_are_named),
                                       cmocka_unit_test(json_lists_are_texts), cmocka_unit_test(names_have_no_blanks_around_them),
                                       cmocka_unit_test(lack_of_memory_is_an_error)};
    return cmocka_run_group_tests(tests, setup, remove_scratch);
}
