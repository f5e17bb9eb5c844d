/* Tables in four forms: alignment, what is special to each, what is no number. */
#include <math.h>

#include "kernels/base/fault.h"
#include "mpi/figures/grid.h"
#include "tests/unit/vb_test.h"

static void expect(const vb_grid *grid, vb_grid_form form, const char *expected) {
    vb_strbuf text = {0};
    vb_error err = {0};
    vb_grid_put(grid, form, &text);
    assert_ok(vb_strbuf_end(&text, "test", &err));
    assert_string_equal(text.bytes, expected);
    vb_strbuf_free(&text);
}

static void a_table_has_four_forms(void **state) {
    (void)state;
    vb_grid grid = {.columns = 3, .left = 1, .caption = "A & B"};
    vb_grid_heads(&grid, (const char *const[]){"name", "percent", "points"});
    vb_grid_cell(&grid, "%s|%d", "é_<x>", 1);
    vb_grid_percent(&grid, 0.717951, 0.004351); /* to the nearest, up and down */
    vb_grid_points(&grid, -0.012451);
    vb_grid_cell(&grid, "b");
    vb_grid_percent(&grid, 0.499951, NAN);
    vb_grid_points(&grid, 0.250049);
    assert_int_equal(vb_grid_rows(&grid), 2);
    expect(&grid, VB_GRID_TERMINAL,
           "name          percent  points\n"
           "é_<x>|1  71.80 ± 0.44   -1.25\n"
           "b               50.00  +25.00\n");
    expect(&grid, VB_GRID_MARKDOWN,
           "| name    |      percent | points |\n"
           "|---|---:|---:|\n"
           "| é\\_\\<x>\\|1 | 71.80 ± 0.44 |  -1.25 |\n"
           "| b       |        50.00 | +25.00 |\n");
    expect(&grid, VB_GRID_LATEX,
           "% A & B\n\\begin{tabular}{lrr}\n\\toprule\nname & percent & points \\\\\n\\midrule\n"
           "é\\_<x>|1 & 71.80 $\\pm$ 0.44 & $-$1.25 \\\\\n"
           "b & 50.00 & $+$25.00 \\\\\n\\bottomrule\n\\end{tabular}\n");
    expect(&grid, VB_GRID_HTML,
           "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"A &amp; B\">\n<table>\n"
           "<caption><span>A &amp; B</span></caption>\n<thead>\n"
           "<tr><th scope=\"col\" class=\"word\">name</th><th scope=\"col\">percent</th><th scope=\"col\">points</th></tr>\n"
           "</thead>\n<tbody>\n"
           "<tr><th scope=\"row\" class=\"word\">é_&lt;x&gt;|1</th><td>71.80 ± 0.44</td><td>-1.25</td></tr>\n"
           "<tr><th scope=\"row\" class=\"word\">b</th><td>50.00</td><td>+25.00</td></tr>\n"
           "</tbody>\n</table>\n</div>\n");
    vb_grid_free(&grid);
    assert_int_equal(vb_grid_rows(&grid), 0);
}

static void columns_are_chosen_and_arranged(void **state) {
    (void)state;
    vb_grid grid = {.columns = 3, .left = 1 | 4};
    vb_grid_heads(&grid, (const char *const[]){"a", "b", "c"});
    vb_grid_heads(&grid, (const char *const[]){"1", "22", "3"});
    vb_grid_arrange(&grid, (const int[]){2, 1}, 2);
    assert_int_equal(vb_grid_rows(&grid), 1);
    expect(&grid, VB_GRID_TERMINAL, "c   b\n3  22\n");
    vb_grid_cell(&grid, "%s", "more");
    vb_grid_cell(&grid, "%s", "7");
    expect(&grid, VB_GRID_TERMINAL, "c      b\n3     22\nmore   7\n");
    vb_grid_free(&grid);
}

/* One for each dataset of a report, say. */
static void there_may_be_many_columns(void **state) {
    (void)state;
    enum { MANY = 200 };
    vb_grid grid = {.columns = MANY, .left = 1};
    vb_strbuf terminal = {0}, markdown = {0};
    for (int row = 0; row < 2; row++) {
        for (int c = 0; c < MANY; c++) {
            char cell[32];
            vb_grid_cell(&grid, row ? "%d" : "%04d", c % 10);
            snprintf(cell, sizeof cell, !row ? "%04d" : c ? "%4d" : "%-4d", c % 10);
            vb_strbuf_format(&terminal, "%s%s", c ? "  " : "", cell);
            vb_strbuf_format(&markdown, "%s%s", c ? " | " : "| ", cell);
        }
        vb_strbuf_add(&terminal, "\n");
        vb_strbuf_add(&markdown, " |\n");
        for (int c = 0; c < MANY && !row; c++) vb_strbuf_add(&markdown, c ? "|---:" : "|---");
        vb_strbuf_add(&markdown, row ? "" : "|\n");
    }
    expect(&grid, VB_GRID_TERMINAL, terminal.bytes);
    expect(&grid, VB_GRID_MARKDOWN, markdown.bytes);
    vb_strbuf_free(&terminal);
    vb_strbuf_free(&markdown);
    vb_grid_free(&grid);
}

static void latex_holds_what_pdflatex_can_set(void **state) {
    (void)state;
    vb_grid grid = {.columns = 1, .left = 1};
    vb_grid_cell(&grid, "λ ≤ “é” Ħ 日 \xff");
    vb_grid_cell(&grid, "[1] a");
    vb_grid_cell(&grid, "* b"); /* the line's end takes both for its own */
    expect(&grid, VB_GRID_LATEX,
           "\\begin{tabular}{l}\n\\toprule\n$\\lambda$ $\\leq$ “é” \\texttt{U+0126} \\texttt{U+65E5} \\texttt{U+FFFD} \\\\\n"
           "\\midrule\n{}[1] a \\\\\n{}* b \\\\\n\\bottomrule\n\\end{tabular}\n");
    vb_grid_free(&grid);
}

static void what_is_no_number_is_a_dash(void **state) {
    (void)state;
    for (int own = 0; own < 2; own++) {
        vb_grid grid = {.columns = 3, .missing = own ? "none" : NULL};
        vb_grid_percent(&grid, NAN, 0.1);
        vb_grid_points(&grid, INFINITY);
        vb_grid_number(&grid, NAN, 2);
        vb_grid_number(&grid, 1.005, 1);
        vb_grid_number(&grid, 7, 0);
        vb_grid_number(&grid, -0.25, 2);
        expect(&grid, VB_GRID_TERMINAL, own ? "none  none   none\n 1.0     7  -0.25\n" : "  –  –      –\n1.0  7  -0.25\n");
        vb_grid_free(&grid);
    }
}

static void a_cell_without_memory_is_told_at_the_end(void **state) {
    (void)state;
    vb_error err = {0};
    for (int n = 1; n <= 3; n++) {
        char fault[32];
        vb_grid grid = {.columns = 1};
        vb_strbuf text = {0};
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        for (int i = 0; i < 3; i++) vb_grid_cell(&grid, "cell %d", i);
        vb_fault_setup(NULL, 0);
        assert_true(grid.failed);
        vb_grid_put(&grid, VB_GRID_TERMINAL, &text);
        assert_fails(vb_strbuf_end(&text, "the table", &err), VB_EMEMORY, "the table");
        vb_strbuf_free(&text);
        vb_grid_free(&grid);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_table_has_four_forms),
                                       cmocka_unit_test(columns_are_chosen_and_arranged),
                                       cmocka_unit_test(there_may_be_many_columns),
                                       cmocka_unit_test(latex_holds_what_pdflatex_can_set),
                                       cmocka_unit_test(what_is_no_number_is_a_dash),
                                       cmocka_unit_test(a_cell_without_memory_is_told_at_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
