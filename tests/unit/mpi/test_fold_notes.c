/* Notes that models share: one line from three models on, in the first one's place; all else as it was. */
#include <string.h>

#include "kernels/base/fault.h"
#include "mpi/run/fold_notes.h"
#include "tests/unit/vb_test.h"

static void folds(const char *from, const char *to) {
    vb_strbuf notes = {0};
    vb_error err = {0};
    vb_strbuf_add(&notes, from);
    vb_fold_notes(&notes);
    assert_ok(vb_strbuf_end(&notes, "notes", &err));
    assert_string_equal(notes.bytes ? notes.bytes : "", to);
    vb_strbuf_free(&notes);
}

static void shared_notes(void **state) {
    (void)state;
    folds("note: a / d: x: 1\nnote: b / d: x: 1\nnote: c / d: x: 1\n", "note: a, b and 1 more model / d: x: 1\n");
    folds("note: a / d: x\nnote: a / e: y\nnote: b / d: x\nwarning: b / d: x\nnote: c / d: x\nnote: d: x\nnote: d / d: x\n",
          "note: a, b and 2 more models / d: x\nnote: a / e: y\nwarning: b / d: x\nnote: d: x\n");
    folds("note: a / d: x\nnote: b / d: x\nnote: c / d: x", "note: a, b and 1 more model / d: x\n");
}

static void other_notes(void **state) {
    (void)state;
    static const char *const same[] = {
        "",
        "\n",
        "note: a / d: x\n",
        "note: a / d: x\nnote: b / d: x\n",                             /* two */
        "note: a / d: x: 1\nnote: b / d: x: 2\nnote: c / d: x: 3\n",    /* other counts */
        "note: a / d: x\nnote: b / e: x\nnote: c / f: x\n",             /* other datasets */
        "note: d: passed over\nnote: d: passed over\nnote: d: twice\n", /* of no model */
        "no colon / here\nno colon / here\nno colon / here\n",
        "note: a\nb / d: x\nnote: c / d\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) folds(same[i], same[i]);
    vb_strbuf nothing = {0};
    vb_fold_notes(&nothing);
    assert_null(nothing.bytes);
}

static void memory(void **state) {
    (void)state;
    vb_strbuf notes = {0};
    vb_error err = {0};
    vb_strbuf_add(&notes, "note: a / d: x\nnote: b / d: x\n");
    vb_fault_setup("alloc:1:ENOMEM", 0);
    vb_fold_notes(&notes);
    vb_fault_setup(NULL, 0);
    assert_int_equal(vb_strbuf_end(&notes, "notes", &err), -1);
    assert_int_equal(err.code, VB_EMEMORY);
    vb_strbuf_free(&notes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shared_notes), cmocka_unit_test(other_notes), cmocka_unit_test(memory)};
    return cmocka_run_group_tests_name("fold_notes", tests, NULL, NULL);
}
