/* Tests of UTF-8: characters counted, texts cut between them, bytes that are none. */
#include "kernels/base/utf8.h"
#include "tests/unit/vb_test.h"

static void characters_are_counted_and_cut(void **state) {
    (void)state;
    static const char text[] = "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb1"; /* naive with a diaeresis, a euro, a cat */
    size_t bad;
    assert_int_equal(vb_utf8_count(""), 0);
    assert_int_equal(vb_utf8_count(text), 9);
    assert_int_equal(vb_utf8_cut(text, 2), 2);
    assert_int_equal(vb_utf8_cut(text, 3), 2);
    assert_int_equal(vb_utf8_cut(text, 4), 4);
    assert_int_equal(vb_utf8_cut(text, sizeof text - 2), sizeof text - 5);
    assert_int_equal(vb_utf8_cut(text, 100), sizeof text - 1);
    assert_true(vb_utf8_is_text(text, sizeof text - 1, &bad));
    assert_int_equal(bad, sizeof text - 1);
    assert_false(vb_utf8_is_text(text, sizeof text, &bad)); /* its NUL */
    assert_int_equal(bad, sizeof text - 1);
    assert_false(vb_utf8_is_text(text, 3, &bad)); /* half a character */
    assert_int_equal(bad, 2);
    assert_true(vb_utf8_is_text("", 0, NULL));
    /* RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF; and their neighbours, which are characters. */
    static const char *const none[] = {"\xc0\xaf",         "\xc1\xbf",         "\xe0\x80\x80", "\xe0\x9f\xbf",
                                       "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
                                       "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"};
    static const char *const some[] = {"\xc2\x80",     "\xe0\xa0\x80", "\xf0\x90\x80\x80",
                                       "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(vb_utf8_is_text(none[i], strlen(none[i]), &bad));
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) assert_true(vb_utf8_is_text(some[i], strlen(some[i]), &bad));
}

static void what_is_no_name_is_found(void **state) {
    (void)state;
    assert_null(vb_utf8_find_control(""));
    assert_null(
        vb_utf8_find_control("na\xc3\xafve \xe2\x82\xac \xd7\xa9\xe2\x80\x8f\xc2\xa0")); /* a mark of direction turns nothing */
    static const char *const bad[] = {"ab\x1b[2J",
                                      "ab\ncd",
                                      "ab\x7f",
                                      "ab\xc2\x9b"
                                      "2J",
                                      "ab\xe2\x80\xae"
                                      "cd",
                                      "ab\xe2\x80\xa8",
                                      "ab\xe2\x81\xa7",
                                      "ab\xe2\x81\xa9",
                                      "ab\xff",
                                      "ab\xe2\x82"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_ptr_equal(vb_utf8_find_control(bad[i]), bad[i] + 2);
    char text[] = "a\xe2\x80\xae"
                  "b\n\xc2\x9b\xc3\xa9";
    vb_utf8_one_line(text);
    assert_string_equal(text, "a???b???\xc3\xa9");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(characters_are_counted_and_cut),
                                       cmocka_unit_test(what_is_no_name_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
