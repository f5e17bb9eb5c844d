/* Growing text: base64, escapes for HTML, CSV and LaTeX, and memory that runs out. */
#include "kernels/base/fault.h"
#include "mpi/base/strbuf.h"
#include "tests/unit/vb_test.h"

static void base64_is_rfc_4648s(void **state) {
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        vb_strbuf text = {0};
        vb_strbuf_add_base64(&text, vectors[i][0], strlen(vectors[i][0]));
        assert_string_equal(text.bytes ? text.bytes : "", vectors[i][1]);
        vb_strbuf_free(&text);
    }
    vb_strbuf text = {0};
    vb_strbuf_add_base64(&text, "\xff\xfe\xfd\xfb\xef\xbe", 6); /* the last two digits of the alphabet */
    assert_string_equal(text.bytes, "//79++++");
    vb_strbuf_free(&text);
}

static char *escaped(void (*add)(vb_strbuf *, const char *), const char *piece) {
    vb_strbuf text = {0};
    vb_error err = {0};
    add(&text, piece);
    assert_ok(vb_strbuf_end(&text, "test", &err));
    return text.bytes;
}

static void add_latex(vb_strbuf *text, const char *piece) { vb_strbuf_add_latex_n(text, piece, strlen(piece)); }

static void what_is_special_is_escaped(void **state) {
    (void)state;
    static const struct {
        void (*add)(vb_strbuf *, const char *);
        const char *piece, *expected;
    } cases[] = {{vb_strbuf_add_html, "<a href=\"x\">it's & co</a>\n",
                  "&lt;a href=&quot;x&quot;&gt;it&#39;s &amp; co&lt;/a&gt;\n"},
                 {vb_strbuf_add_html, "a\x01z\x7f", "a\xef\xbf\xbdz\xef\xbf\xbd"},
                 {vb_strbuf_add_csv, "a \"b\", c\nd", "\"a \"\"b\"\", c d\""},
                 {vb_strbuf_add_csv, "=1+1", "\"'=1+1\""},
                 {vb_strbuf_add_csv, "a=-1", "\"a=-1\""},
                 {add_latex, "50 % & {x}_1", "50 \\% \\& \\{x\\}\\_1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = escaped(cases[i].add, cases[i].piece);
        assert_string_equal(text, cases[i].expected);
        vb_free(text);
    }
}

static void a_failure_is_kept_until_the_end(void **state) {
    (void)state;
    vb_strbuf text = {0};
    vb_error err = {0};
    vb_fault_setup("alloc:1:ENOMEM", 0);
    vb_strbuf_add(&text, "lost");
    vb_fault_setup(NULL, 0);
    vb_strbuf_add(&text, "and more");
    vb_strbuf_format(&text, "%d", 3);
    assert_fails(vb_strbuf_end(&text, "the test", &err), VB_EMEMORY, "the test");
    vb_strbuf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(base64_is_rfc_4648s), cmocka_unit_test(what_is_special_is_escaped),
                                       cmocka_unit_test(a_failure_is_kept_until_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
