/* Tests of lines of zstd files: of every length around a block's end, cut files, lines that are too long. */
#include "kernels/base/memory.h"
#include "tests/unit/random.h"
#include "tests/unit/scratch.h"
#include "shards/files/zst_lines.h"

enum { BLOCK = 1 << 18, MOST = 1 << 24 };
static vb_error err;

static const char *write_text(char path[1024], const char *text, size_t size) {
    vb_zst_writer *writer;
    assert_ok(vb_zst_writer_open(&writer, in_scratch(path, "l.zst"), 1, &err));
    assert_ok(vb_zst_writer_write(writer, text, size, &err));
    assert_ok(vb_zst_writer_commit(writer, NULL, &err));
    return path;
}

/* Lines of these lengths, each of its own letter, come as they were written. */
static void check_lines(const size_t *lengths, int count) {
    size_t size = 0, at = 0, length;
    char path[1024];
    const char *line;
    vb_zst_lines lines;
    for (int i = 0; i < count; i++) size += lengths[i] + 1;
    char *text = vb_array(size + 1, 1, "text", &err);
    for (int i = 0; i < count; at += lengths[i++] + 1) {
        memset(text + at, 'a' + i % 26, lengths[i]);
        text[at + lengths[i]] = '\n';
    }
    assert_ok(vb_zst_lines_open(&lines, write_text(path, text, size), &err));
    for (int i = at = 0; i < count; at += lengths[i++] + 1) {
        assert_ok(vb_zst_lines_next(&lines, &line, &length, &err));
        assert_non_null(line);
        assert_int_equal(length, lengths[i]);
        assert_memory_equal(line, text + at, length);
        assert_int_equal(lines.number, i + 1);
    }
    for (int again = 0; again < 2; again++) {
        assert_ok(vb_zst_lines_next(&lines, &line, &length, &err));
        assert_null(line);
    }
    vb_zst_lines_close(&lines);
    vb_free(text);
}

static void lines_come_whole(void **state) {
    (void)state;
    uint32_t random = 5;
    size_t lengths[200] = {0};
    check_lines(lengths, 0);
    for (int off = -2; off <= 2; off++)
        check_lines((const size_t[]){(size_t)(BLOCK + off), 0, (size_t)(2 * BLOCK + off), 3, 0}, 5);
    for (int i = 0; i < 200; i++) lengths[i] = random_next24(&random) % (i % 9 ? 5000 : 400000);
    check_lines(lengths, 200);
    check_lines((const size_t[]){1, MOST, 1}, 3);
}

static void what_is_no_line_is_refused(void **state) {
    (void)state;
    char path[1024];
    const char *line;
    size_t length;
    vb_zst_lines lines;
    assert_ok(vb_zst_lines_open(&lines, write_text(path, "one\ntwo", 7), &err));
    assert_ok(vb_zst_lines_next(&lines, &line, &length, &err));
    assert_int_equal(length, 3);
    assert_fails(vb_zst_lines_next(&lines, &line, &length, &err), VB_EDATA, "l.zst: line 2: the file ends within it");
    vb_zst_lines_close(&lines);
    assert_ok(vb_zst_lines_open(&lines, write_text(path, "2", 1), &err)); /* nor of one character */
    assert_fails(vb_zst_lines_next(&lines, &line, &length, &err), VB_EDATA, "l.zst: line 1: the file ends within it");
    assert_null(line);
    vb_zst_lines_close(&lines);
    char *text = vb_array(MOST + 2 * BLOCK, 1, "text", &err);
    memset(text, 'x', MOST + 2 * BLOCK);
    text[1] = '\n';
    assert_ok(vb_zst_lines_open(&lines, write_text(path, text, MOST + 2 * BLOCK), &err));
    assert_ok(vb_zst_lines_next(&lines, &line, &length, &err));
    assert_fails(vb_zst_lines_next(&lines, &line, &length, &err), VB_EDATA, "l.zst: line 2: longer than 16 MiB");
    vb_zst_lines_close(&lines);
    text[1 + MOST + 2] = '\n'; /* one byte too many, and its end in the block that was read with it */
    assert_ok(vb_zst_lines_open(&lines, write_text(path, text, MOST + 2 * BLOCK), &err));
    assert_ok(vb_zst_lines_next(&lines, &line, &length, &err));
    assert_fails(vb_zst_lines_next(&lines, &line, &length, &err), VB_EDATA, "l.zst: line 2: longer than 16 MiB");
    assert_null(line);
    vb_zst_lines_close(&lines);
    vb_free(text);
    assert_fails(vb_zst_lines_open(&lines, in_scratch(path, "none.zst"), &err), VB_EMISSING, "none.zst");
    vb_zst_lines_close(&lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_come_whole), cmocka_unit_test(what_is_no_line_is_refused)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
