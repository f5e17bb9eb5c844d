/* Figures: templates and their slots, names as gnuplot wants them, files, and what goes wrong. */
#include "kernels/base/fault.h"
#include "mpi/figures/bars.h"
#include "mpi/figures/histogram.h"
#include "mpi/figures/panels.h"
#include "tests/unit/scratch.h"

static void templates_are_filled(void **state) {
    (void)state;
    vb_error err = {0};
    vb_plotter plotter = {.folder = scratch, .count = 8};
    vb_figure figure = {0};
    vb_plot plot;
    assert_ok(vb_plot_begin(&plot, &plotter, &figure, "kind", "--Ünder & Über!--", 300, &err));
    assert_string_equal(figure.name, "09-kind-nder-ber");
    assert_non_null(strstr(plot.script.bytes, "set terminal svg size 640,300 "));
    assert_non_null(strstr(plot.script.bytes, "set output '09-kind-nder-ber.svg'\n"));
    assert_null(strchr(plot.script.bytes, '@'));
    size_t before = plot.script.filled;
    vb_plot_set(&plot, "X", "%d", 1);
    vb_plot_set(&plot, "X", "%d", 2); /* takes the place of the first */
    vb_strbuf_add(vb_plot_slot(&plot, "LIST"), "a");
    vb_strbuf_add(vb_plot_slot(&plot, "LIST"), "b@X@"); /* values are not looked through */
    vb_plot_slot(&plot, "EMPTY");
    vb_plot_keep(&plot, "SHOWN", true);
    vb_plot_keep(&plot, "HIDDEN", false);
    assert_ok(vb_plot_script(&plot, "@X@ @LIST@ [@EMPTY@] @INK@ @FILE@\nyes@SHOWN@\nno@HIDDEN@\n", "t.gp", &err));
    assert_string_equal(plot.script.bytes + before, "2 ab@X@ [] #1b1f24 09-kind-nder-ber\nyes\n");
    assert_fails(vb_plot_script(&plot, "\n@WHAT@\n", "t.gp", &err), VB_ECONFIG, "t.gp:2: unknown placeholder @WHAT@");
    assert_int_equal(vb_plot_end(&plot, -1, &err), -1); /* and frees all that there is */
    vb_plot_figure_free(&figure);
    assert_null(figure.name);
}

static void names_are_quoted_and_cut(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int width;
        bool tic;
        const char *quoted;
    } cases[] = {{"plain", 10, false, "'plain'"},
                 {"it's \\ \"q\" `x` $(y) {z}_1^2 @w", 99, false, "'it''s \\ \"q\" `x` $(y) {z}_1^2 @w'"},
                 {"50 %", 10, false, "'50 %'"},
                 {"50 %", 10, true, "'50 %%'"},
                 {"a\nb\tc", 10, false, "'a b c'"},
                 {"日本語です", 3, false, "'日本語…'"},
                 {"abc", 3, true, "'abc'"},
                 {"", 3, true, "''"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_strbuf text = {0};
        vb_plot_add_name(&text, cases[i].name, cases[i].width, cases[i].tic);
        assert_string_equal(text.bytes, cases[i].quoted);
        vb_strbuf_free(&text);
    }
    static const char *const names[] = {"é", "abcdefgh", "a name that is longer than the axis is wide"};
    assert_int_equal(vb_plot_tics_width(names, 1), 4);
    assert_int_equal(vb_plot_tics_width(names, 2), 8);
    assert_int_equal(vb_plot_tics_width(names, 3), VB_PLOT_NAME_WIDTH + 1);
}

static void bars_are_numbered_while_there_is_room(void **state) {
    (void)state;
    vb_error err = {0};
    vb_bar bars[61];
    for (int i = 0; i < 61; i++) bars[i] = (vb_bar){"name", 0.5, i == 7 ? 0.25 : 0.5};
    assert_ptr_equal(vb_bars_worst(bars, 61), &bars[7]);
    bars[9].second = 0.25;
    assert_ptr_equal(vb_bars_worst(bars, 61), &bars[7]); /* of equal ones the first */
    bars[9].second = 0.5;
    for (int count = 60; count <= 61; count++) {
        vb_plotter plotter = {.folder = scratch};
        vb_figure figure = {0};
        vb_plot plot;
        assert_ok(vb_plot_begin(&plot, &plotter, &figure, "bars", "x", vb_bars_height(count), &err));
        assert_ok(vb_bars_add(&plot, bars, count, (const char *const[]){"one", "the other's"}, &err));
        assert_int_equal(strstr(plot.script.bytes, "with labels left") != NULL, count == 60);
        assert_non_null(strstr(plot.script.bytes, "title 'the other''s'"));
        assert_non_null(strstr(plot.csv.bytes, "\n7,50,25,\"name\"\n"));
        size_t n = plot.script.filled;
        assert_int_equal(plot.script.bytes[n - 2] == '\\', 0); /* the script does not end in the middle of a command */
        vb_plot_end(&plot, -1, &err);
        vb_plot_figure_free(&figure);
    }
}

static void histograms_are_shares_within_bounds(void **state) {
    (void)state;
    vb_error err = {0};
    json_t *histograms = json_pack("{s:i,s:i,s:[i,i,i,i],s:[i,i,i,i]}", "low", 0, "high", 4, "a", 0, 1, 3, 0, "b", 0, 2, 0, 0);
    assert_non_null(histograms);
    vb_plotter plotter = {.folder = scratch};
    vb_figure figure = {0};
    vb_plot plot;
    assert_ok(vb_plot_begin(&plot, &plotter, &figure, "histogram", "x", VB_HISTOGRAM_HEIGHT, &err));
    assert_true(vb_histogram_given(histograms, "a"));
    assert_false(vb_histogram_given(histograms, "c"));
    assert_ok(vb_histogram_add(&plot, histograms, (const char *const[]){"a", "b"}, 2, &err));
    assert_string_equal(plot.csv.bytes, "middle,a_percent,a_count,b_percent,b_count\n1.5,25,1,100,2\n2.5,75,3,0,0\n");
    assert_non_null(strstr(plot.script.bytes, "set boxwidth 1\nset xrange [0:4]\n"));
    vb_plot_end(&plot, -1, &err);
    vb_plot_figure_free(&figure);
    json_decref(histograms);
    /* The bounds are of both, whichever reaches further. */
    histograms = json_pack("{s:f,s:f,s:[i,i,i,i,i,i],s:[i,i,i,i,i,i]}", "low", 0.0, "high", 3.0, "a", 0, 0, 0, 5, 0, 0, "b", 0, 3,
                           0, 0, 1, 0);
    assert_non_null(histograms);
    assert_ok(vb_plot_begin(&plot, &plotter, &figure, "histogram", "x", VB_HISTOGRAM_HEIGHT, &err));
    assert_ok(vb_histogram_add(&plot, histograms, (const char *const[]){"a", "b"}, 2, &err));
    assert_string_equal(plot.csv.bytes,
                        "middle,a_percent,a_count,b_percent,b_count\n0.75,0,0,75,3\n1.25,0,0,0,0\n1.75,100,5,0,0\n"
                        "2.25,0,0,25,1\n");
    assert_non_null(strstr(plot.script.bytes, "set boxwidth 0.5\nset xrange [0:3]\n"));
    vb_plot_end(&plot, -1, &err);
    vb_plot_figure_free(&figure);
    json_decref(histograms);
}

/* Four panels a row: numbers stand left of the first of a row, and below a panel that has none below it. */
static void panels_share_their_axes(void **state) {
    (void)state;
    enum { PANELS = 6 };
    vb_error err = {0};
    vb_panel panels[PANELS];
    vb_plotter plotter = {.folder = scratch};
    vb_figure figure = {0};
    vb_plot plot;
    for (int p = 0; p < PANELS; p++) {
        panels[p] = (vb_panel){.label = "name"};
        snprintf(panels[p].line, sizeof panels[p].line, "1:%d", p + 2);
    }
    assert_ok(vb_plot_begin(&plot, &plotter, &figure, "panels", "x", vb_panels_height(PANELS), &err));
    const vb_panels_axes axes = {"axis", 0, 8, 0, 100, false};
    assert_ok(vb_panels_add(&plot, panels, PANELS, &axes, &err));
    const char *at = plot.script.bytes;
    for (int p = 0; p < PANELS; p++) {
        char formats[80], own[80];
        snprintf(formats, sizeof formats, "set format y '%s'\nset format x '%s'\nplot ", p % 4 ? "" : "%.0f",
                 p < 2 ? "" : "%.0f");
        snprintf(own, sizeof own, "using 1:%d with lines lw 2.5 ", p + 2);
        at = strstr(at, "set format y ");
        assert_non_null(at);
        assert_memory_equal(at, formats, strlen(formats));
        at = strstr(at, " lw 2.5 ") - (strlen(own) - strlen(" lw 2.5 "));
        assert_memory_equal(at, own, strlen(own));
    }
    assert_non_null(strstr(plot.script.bytes, "set multiplot layout 2,4 "));
    vb_plot_end(&plot, -1, &err);
    vb_plot_figure_free(&figure);
}

static void memory_can_run_out_anywhere(void **state) {
    (void)state;
    vb_error err = {0};
    const vb_bar bars[] = {{"a", 1, 0.5}, {"b", 0.5, 0.25}};
    int n = 1;
    for (int status = -1; status; n++) {
        char fault[32];
        vb_plotter plotter = {.folder = scratch};
        vb_figure figure = {0};
        vb_plot plot;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        vb_error_clear(&err);
        status = vb_plot_begin(&plot, &plotter, &figure, "bars", "x", vb_bars_height(2), &err);
        if (!status) {
            status = vb_bars_add(&plot, bars, 2, (const char *const[]){"one", "two"}, &err);
            vb_plot_end(&plot, -1, &err);
        }
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
        vb_plot_figure_free(&figure);
        assert_in_range(n, 1, 200);
    }
    assert_in_range(n, 8, 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(templates_are_filled),
                                       cmocka_unit_test(names_are_quoted_and_cut),
                                       cmocka_unit_test(bars_are_numbered_while_there_is_room),
                                       cmocka_unit_test(histograms_are_shares_within_bounds),
                                       cmocka_unit_test(panels_share_their_axes),
                                       cmocka_unit_test(memory_can_run_out_anywhere)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
