/* Tests of allocation: sizes that overflow, failure, alignment. */
#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "kernels/base/scratch.h"
#include "tests/unit/vb_test.h"

static void allocation_checks_overflow(void **state) {
    (void)state;
    vb_error err = {0};
    assert_null(vb_array(SIZE_MAX / 2, 3, "rows", &err));
    assert_int_equal(err.code, VB_EMEMORY);
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_null(vb_array(1, 1, "rows", &err));
    vb_fault_setup(NULL, 0);
    void *items = NULL;
    size_t capacity = 0;
    assert_ok(vb_grow(&items, &capacity, 100, 8, "items", &err));
    assert_true(capacity >= 100);
    assert_int_equal((uintptr_t)items % 64, 0);
    vb_free(items);
}

/* Large buffers ask for huge pages inside of them: sizes around whole pages, all of it written, neighbours unharmed. */
static void large_buffers_are_whole(void **state) {
    (void)state;
    static const size_t sizes[] = {(4 << 20) - 1, 4 << 20, (4 << 20) + 1, (6 << 20) + 64, (33 << 20) + 5};
    vb_error err = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *before = vb_buffer(sizes[i], 1, "bytes", &err), *bytes = vb_buffer(sizes[i], 1, "bytes", &err);
        assert_true(before && bytes);
        assert_int_equal((uintptr_t)bytes % 64, 0);
        memset(before, 1, sizes[i]);
        memset(bytes, 2, sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            if (before[at] != 1 || bytes[at] != 2) fail_msg("%zu bytes: byte %zu is another's", sizes[i], at);
        vb_free(before), vb_free(bytes);
    }
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(!vb_buffer(8 << 20, 1, "work space", &err), VB_EMEMORY, "work space");
    vb_fault_setup(NULL, 0);
}

/* What is kept serves what fits, is replaced by what does not, and is gone when that fails. */
static void scratch_is_kept(void **state) {
    (void)state;
    vb_error err = {0};
    vb_scratch kept = {0};
    char *first = vb_scratch_take(&kept, 100, 8, "work space", &err);
    assert_non_null(first);
    memset(first, 1, 800);
    vb_scratch_give(&kept, first);
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_ptr_equal(vb_scratch_take(&kept, 800, 1, "work space", &err), first);
    vb_scratch_give(&kept, first);
    assert_ptr_equal(vb_scratch_take(&kept, 0, 4, "work space", &err), first);
    vb_scratch_give(&kept, first);
    assert_fails(!vb_scratch_take(&kept, 801, 1, "work space", &err), VB_EMEMORY, "work space");
    vb_fault_setup(NULL, 0);
    assert_true(!kept.data && !kept.bytes && !kept.taken);
    vb_scratch_give(&kept, NULL);
    assert_fails(!vb_scratch_take(&kept, SIZE_MAX / 2, 3, "work space", &err), VB_EMEMORY, "overflow");
    char *second = vb_scratch_take(&kept, 801, 1, "work space", &err);
    assert_true(second && kept.bytes == 801);
    memset(second, 2, 801);
    vb_scratch_give(&kept, second);
    vb_scratch_free(&kept);
    char *alone = vb_scratch_take(NULL, 3, 5, "work space", &err);
    assert_non_null(alone);
    vb_scratch_give(NULL, alone);
}

static void formats_that_cannot_be_made(void **state) {
    (void)state;
    vb_error err = {0};
    /* a character that the C locale has no bytes for */
    assert_fails(!vb_format(&err, "%ls", L"\u20ac"), VB_EINTERNAL, "cannot format '%ls'");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(allocation_checks_overflow), cmocka_unit_test(large_buffers_are_whole),
                                       cmocka_unit_test(scratch_is_kept), cmocka_unit_test(formats_that_cannot_be_made)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
