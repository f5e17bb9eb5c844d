/* What files are told to be by their first bytes, and the texts that are read whatever editor wrote them. */
#include "shards/files/content.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/text_file.h"
#include "shards/text/yaml.h"
#include "tests/unit/scratch.h"

#define BYTES(text) text, sizeof(text) - 1

static void is_called(const void *bytes, size_t n, const char *name) {
    const char *found = vb_content_name(bytes, n);
    if (!name) assert_null(found);
    else if (!found || strncmp(found, name, strlen(name))) fail_msg("%s instead of %s", found ? found : "nothing", name);
}

static void contents_have_names(void **state) {
    (void)state;
    char tar[512] = "a.png";
    memcpy(tar + 257, "ustar", 5);
    is_called(tar, sizeof tar, "a tar archive");
    is_called("", 0, "an empty file");
    is_called(BYTES("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer");
    is_called(BYTES("/annex/objects/SHA256E-s1--0\n"), "a pointer of git-annex");
    is_called(BYTES("outs:\n- md5: 0\n"), "a DVC pointer");
    is_called(BYTES("\x1f\x8b\x08"), "gzip data");
    is_called(BYTES("\x28\xb5\x2f\xfd"), "zstd data");
    is_called(BYTES("PK\x03\x04"), "a zip archive");
    is_called(BYTES("\xff\xfe"
                    "a\0"),
              "text in UTF-16");
    is_called(BYTES("\xff\xfe\0\0"), "text in UTF-32");
    is_called(BYTES("a\0b\0\n\0c\0"), "text in UTF-16");
    is_called(BYTES("\0a\0b"), "text in UTF-16");
    is_called(BYTES("\xef\xbb\xbf \r\n<!docTYPE html>"), "a web page (HTML)");
    is_called(BYTES("<HTML lang=en>"), "a web page (HTML)");
    is_called(BYTES("<?xml version='1.0'?><Error>"), "XML");
    is_called(BYTES("{\"error\":\"Unauthorized\"}"), "JSON");
    is_called("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, "nothing but zeros");
    is_called(BYTES("plain text"), NULL);
    is_called(BYTES("\x01\x02\x03"), NULL);
    for (size_t n = 0; n < sizeof tar; n++) vb_content_name(tar + sizeof tar - n, n); /* reads nothing behind the end */
}

static void texts_are_told_from_the_rest(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        bool text;
    } cases[] = {{BYTES("version https://git-lfs.github.com/spec/v1\n"), false},
                 {BYTES("<html>"), false},
                 {BYTES("\x1f\x8b\x08"), false},
                 {BYTES("\xff\xfe"
                        "a\0"),
                  false},
                 {BYTES("a\0b\0"), false},
                 {BYTES("a\0b\0c"), false}, /* cut in a character */
                 {BYTES("GIF89a\x01\0"), false},
                 /* words that are the beginnings of formats too */
                 {BYTES("GIF89a is a format\n"), true},
                 {BYTES("BZhang\nWang\n"), true},
                 {BYTES("PAR1\n"), true},
                 {BYTES("PAR1 \xf0\x9f\x98"), true}, /* the head ends in a character */
                 {BYTES("{\"a\": 1}"), true},
                 {BYTES("caf\xc3\xa9\n"), true},
                 {BYTES("caf\xe9\n"), true}, /* its reader names the line */
                 {"", 0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (vb_content_is_no_text(cases[i].bytes, cases[i].n) == cases[i].text) fail_msg("case %zu", i);
    assert_true(vb_content_is_no_file(BYTES("<html>")));
    assert_false(vb_content_is_no_file(BYTES("\x1f\x8b\x08")));
}

static void refusals_say_what_was_found(void **state) {
    (void)state;
    vb_error err;
    assert_fails(vb_content_refuse("x.tar", BYTES("\x1f\x8b"), "a tar archive", VB_EDATA, &err), VB_EDATA,
                 "x.tar: gzip data, expected a tar archive");
    assert_fails(vb_content_refuse("x", BYTES("\x01\x02 bytes and more"), "a tar archive", VB_EUNSUPPORTED, &err),
                 VB_EUNSUPPORTED, "x: begins with the bytes 01 02 20 62 79 74 65 73, expected a tar archive");
}

static void marks_are_dropped(void **state) {
    (void)state;
    vb_error err;
    char *text;
    size_t n;
    put_text("m.yaml", "\xef\xbb\xbf"
                       "a: 1\r\nb: [x] \r\n");
    assert_ok(vb_text_file_read(scratch_path("m.yaml"), 100, "YAML", &text, &n, &err));
    assert_string_equal(text, "a: 1\r\nb: [x] \r\n");
    assert_int_equal(n, strlen(text));
    vb_free(text);
    vb_yaml *root;
    assert_ok(vb_yaml_read(&root, scratch_path("m.yaml"), &err));
    assert_string_equal(vb_yaml_get(root, "b")->items[0]->text, "x");
    vb_yaml_free(root);
    json_t *value = vb_json_parse(BYTES("\xef\xbb\xbf{\"a\": 1}\r\n"), 0, "m.json", &err);
    assert_non_null(value);
    json_decref(value);
    put_file("w.yaml", BYTES("\xff\xfe"
                             "a\0:\0 \0001\0"));
    assert_fails(vb_yaml_read(&root, scratch_path("w.yaml"), &err), VB_EDATA,
                 "w.yaml: text in UTF-16 (save it as UTF-8), expected YAML");
    assert_null(vb_json_parse(BYTES("<html></html>"), 0, "config.json", &err));
    assert_string_equal(err.text, "config.json: a web page (HTML), saved in the place of the file, expected JSON");
    put_text("long", "0123456789");
    assert_fails(vb_text_file_read(scratch_path("long"), 9, "texts", &text, &n, &err), VB_EDATA, "at most 9");
}

static void lines_are_cut_and_checked(void **state) {
    (void)state;
    vb_error err;
    char text[] = "one\r\n\n two\t \nlast", *at = text, *line;
    size_t n;
    static const char *const lines[] = {"one", "", " two\t ", "last"};
    for (int i = 0; i < 4; i++) {
        assert_true(vb_text_file_next_line(&at, text + sizeof text - 1, &line, &n));
        assert_string_equal(line, lines[i]);
        assert_int_equal(n, strlen(lines[i]));
        if (i == 2) vb_text_file_trim(&line, &n);
        if (i == 2) assert_string_equal(line, "two");
    }
    assert_false(vb_text_file_next_line(&at, text + sizeof text - 1, &line, &n));
    assert_ok(vb_text_file_check_line(BYTES("caf\xc3\xa9"), "f", 3, &err));
    assert_fails(vb_text_file_check_line(BYTES("a\0b"), "f", 3, &err), VB_EDATA, "f:3: a NUL character in column 2");
    assert_fails(vb_text_file_check_line(BYTES("\xe9"), "f", 3, &err), VB_EDATA, "f:3: byte 0xe9 in column 1 is not UTF-8");
    assert_fails(vb_text_file_check_line(BYTES("a\rb"), "f", 3, &err), VB_EDATA,
                 "f:3: a carriage return in column 2 that ends no line");
}

static void special_files_have_names(void **state) {
    (void)state;
    vb_error err;
    vb_file file;
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    assert_fails(vb_file_open(&file, scratch_path("pipe"), &err), VB_EMISSING,
                 "expected a file, found a pipe, which can be read only once");
    assert_fails(vb_file_open(&file, "/dev/null", &err), VB_EMISSING, "found a character device");
    assert_fails(vb_file_open(&file, scratch, &err), VB_EMISSING, "found a folder");
}

int main(void) {
    vb_json_parse_setup();
    const struct CMUnitTest tests[] = {cmocka_unit_test(contents_have_names),
                                       cmocka_unit_test(texts_are_told_from_the_rest),
                                       cmocka_unit_test(refusals_say_what_was_found),
                                       cmocka_unit_test(marks_are_dropped),
                                       cmocka_unit_test(lines_are_cut_and_checked),
                                       cmocka_unit_test(special_files_have_names)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
