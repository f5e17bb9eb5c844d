/* What is expected of gnuplot's SVG, and what becomes of it on a page; the palette whose colours are found again there. */
#include "mpi/figures/plot.h"
#include "mpi/figures/svg.h"
#include "tests/unit/scratch.h"

/* gnuplot 5.4's own, shortened: one of each construct that is changed. */
static const char drawn[] = "<?xml version=\"1.0\" encoding=\"utf-8\"  standalone=\"no\"?>\n"
                            "<svg \n"
                            " viewBox=\"0 0 640 290\"\n"
                            " xmlns=\"http://www.w3.org/2000/svg\"\n"
                            " xmlns:xlink=\"http://www.w3.org/1999/xlink\"\n"
                            ">\n"
                            "\n"
                            "<title>Gnuplot</title>\n"
                            "<desc>Produced by GNUPLOT 5.4 patchlevel 4 </desc>\n"
                            "<g id=\"gnuplot_canvas\">\n"
                            "<rect x=\"0\" y=\"0\" width=\"640\" height=\"290\" fill=\"none\"/>\n"
                            "<defs>\n"
                            "\t<circle id='gpDot' r='0.5' stroke-width='0.5' stroke='currentColor'/>\n"
                            "\t<path id='gpPt0' stroke-width='0.205' stroke='currentColor' d='M-1,0 h2 M0,-1 v2'/>\n"
                            "\t<filter id='textbox' filterUnits='objectBoundingBox' x='0' y='0' height='1' width='1'>\n"
                            "\t  <feFlood flood-color='white' flood-opacity='1' result='bgnd'/>\n"
                            "\t</filter>\n"
                            "</defs>\n"
                            "<g fill=\"none\" color=\"white\" stroke=\"currentColor\" stroke-width=\"1.00\">\n"
                            "</g>\n"
                            "<g fill=\"none\" color=\"black\" stroke=\"black\" stroke-width=\"1.00\">\n"
                            "\t<path stroke='rgb(222, 226, 231)' d='M1,1 L2,2'/>\n"
                            "\t<path stroke='black' d='M1,1 L2,2'/></g>\n"
                            "\t<g id=\"gnuplot_plot_1\" ><title>of whom</title>\n"
                            "<g fill=\"none\" color=\"gray\" stroke=\"rgb( 37,  99, 174)\" stroke-width=\"2.00\">\n"
                            "\t<g transform=\"translate(1,2)\" stroke=\"none\" fill=\"rgb(27,31,36)\" font-family=\"sans-serif\" "
                            "font-size=\"13.00\"  text-anchor=\"start\">\n"
                            "\t\t<text><tspan font-family=\"sans-serif\" >rgb(27,31,36) 'black' gnuplot_plot_1</tspan></text>\n"
                            "\t</g>%s\n"
                            "</g>\n\t</g>\n</g>\n</svg>\n\n";

static char *inlined(const char *points, vb_error *err) {
    char text[4096], title[] = "A & B", description[] = "what <it> shows", values[] = "none\n<b>: 1 & 2\n";
    vb_strbuf out = {0};
    snprintf(text, sizeof text, drawn, points);
    assert_int_equal(vb_svg_inline(&(vb_figure){.svg = text, .title = title, .description = description, .values = values},
                                   "fig-1", &out, err),
                     0);
    assert_int_equal(vb_strbuf_end(&out, "svg", err), 0);
    return out.bytes;
}

static void every_construct_is_rewritten(void **state) {
    (void)state;
    vb_error err = {0};
    char *page = inlined("", &err);
    assert_string_equal(
        page,
        "<svg role=\"img\" aria-labelledby=\"fig-1-t fig-1-d\" viewBox=\"0 0 640 290\" preserveAspectRatio=\"xMidYMin meet\">\n"
        "<title id=\"fig-1-t\">A &amp; B</title>\n<desc id=\"fig-1-d\">what &lt;it&gt; shows</desc>\n"
        "<g>\n<rect x=\"0\" y=\"0\" width=\"640\" height=\"290\" fill=\"none\"/>\n\n"
        "<g fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.00\">\n"
        "\t<path stroke='var(--line)' d='M1,1 L2,2'/>\n\t<path stroke='currentColor' d='M1,1 L2,2'/></g>\n"
        "\t<g id=\"fig-1-plot_1\" >\n"
        "<g fill=\"none\" stroke=\"var(--s1)\" stroke-width=\"2.00\">\n"
        "\t<g transform=\"translate(1,2)\" stroke=\"none\" fill=\"var(--ink)\" font-size=\"13.00\"  text-anchor=\"start\">\n"
        "\t\t<text><tspan >rgb(27,31,36) 'black' gnuplot_plot_1</tspan></text>\n"
        "\t</g>\n</g>\n\t</g>\n</g>\n</svg>\n");
    vb_free(page);
    /* With points their shapes are kept, under the figure's own names. */
    page = inlined("<use xlink:href='#gpPt0' color='rgb( 37,  99, 174)'/>", &err);
    assert_non_null(strstr(page, "<path id='fig-1-gpPt0' "));
    assert_non_null(strstr(page, "<use xlink:href='#fig-1-gpPt0' color='var(--s1)'/>"));
    assert_non_null(strstr(page, "<circle id='fig-1-gpDot' "));
    assert_null(strstr(page, "<filter"));
    vb_free(page);
    /* Values are told by circles, whose texts are escaped; shapes are not kept for them. */
    page = inlined(
        "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'1')\" onmouseout=\"gnuplot_svg.hideHypertext()\"><title> </title>\n"
        "\t<use xlink:href='#gpPt5' transform='translate(155.30,64.44) scale(0.49)' color='black'/></g>",
        &err);
    assert_non_null(
        strstr(page, "<circle class=\"mark\" cx=\"155.3\" cy=\"64.4\" r=\"6\"><title>&lt;b&gt;: 1 &amp; 2</title></circle>\n"));
    assert_null(strstr(page, "gpPt"));
    assert_null(strstr(page, "onmouse"));
    vb_free(page);
}

static void what_is_no_whole_svg_is_refused(void **state) {
    (void)state;
    vb_error err = {0};
    static const char *const broken[] = {"",
                                         "<svg",
                                         "<svg viewBox=\"0 0 1 1\"><desc></desc>",
                                         "<svg><desc></desc></svg>",
                                         "<svg viewBox=\"0 0 1 1\"></svg>",
                                         "</svg><svg viewBox=\"0 0 1 1\"><desc></desc>",
                                         "<desc></desc><svg viewBox=\"0 0 1 1\"></svg>",
                                         "<svg viewBox=\"0 0 1 1><desc></desc></svg>"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        vb_strbuf out = {0};
        char title[] = "t", text[64];
        snprintf(text, sizeof text, "%s", broken[i]);
        const vb_figure figure = {.svg = text, .title = title, .description = title};
        assert_fails(vb_svg_inline(&figure, "fig-7", &out, &err), VB_EDATA, "fig-7: gnuplot's SVG is not whole");
        vb_strbuf_free(&out);
    }
}

static void colours_are_found_again(void **state) {
    (void)state;
    char name[32];
    for (vb_colour c = 0; c < VB_PALETTE_COUNT; c++) {
        const char *variable = vb_palette_variable(vb_palette_rgb(c));
        snprintf(name, sizeof name, "#%06x", (unsigned)vb_palette_rgb(c));
        assert_string_equal(name, vb_palette_hex(c));
        assert_true(variable || c == VB_PALETTE_ARROW);
        for (vb_colour other = 0; other < c; other++) assert_int_not_equal(vb_palette_rgb(c), vb_palette_rgb(other));
    }
    assert_null(vb_palette_variable(0x010203));
    assert_int_equal(vb_palette_series(0), VB_PALETTE_SERIES);
    assert_int_equal(vb_palette_series(VB_PALETTE_SERIES_COUNT + 2), VB_PALETTE_SERIES + 2);
    vb_strbuf light = {0}, dark = {0};
    vb_palette_css(&light, false);
    vb_palette_css(&dark, true);
    assert_non_null(strstr(light.bytes, "--ink:#1b1f24;"));
    assert_non_null(strstr(dark.bytes, "--ink:#e6e9ee;"));
    vb_strbuf_free(&light);
    vb_strbuf_free(&dark);
}

/* ---- what the installed gnuplot writes ---- */

static const char template[] = "set label 'inside' at 0,1 textcolor rgb '@MUTED@'\nset xtics @TICS@\n"
                               "$values << END\n@VALUES@END\nset datafile separator ','\n"
                               "plot '@FILE@.csv' using 1:2 with lines lc rgb '@BLUE@' title 'one', \\\n"
                               "  $values using 1:2:3 with labels hypertext point pt 6 ps 0.1 notitle, \\\n"
                               "  '' using 1:2:(@RGB@) with points pt 7 lc rgb variable title 'two'\n";

static void the_installed_gnuplot_writes_what_is_expected(void **state) {
    (void)state;
    vb_error err = {0};
    if (!have("gnuplot")) skip();
    vb_plotter plotter = {.folder = scratch};
    vb_figure figure = {0};
    vb_plot plot;
    assert_ok(vb_plot_begin(&plot, &plotter, &figure, "kind", "A name, of 'many' things", 200, &err));
    assert_string_equal(figure.name, "01-kind-a-name-of-many-things");
    vb_strbuf_add(&plot.csv, "0,0\n1,1\n2,0\n");
    vb_strbuf_add(&plot.title, "title");
    vb_strbuf_add(&plot.description, "description");
    vb_plot_set(&plot, "RGB", "%d", vb_palette_rgb(VB_PALETTE_HEAT));
    vb_plot_value(&plot, 0, 1, 1, "one: %d < 2\n", 1);
    vb_strbuf *tics = vb_plot_slot(&plot, "TICS");
    vb_strbuf_add(tics, "(");
    vb_plot_add_tics(tics, (const char *const[]){"50 % <&>", "it's"}, 2);
    vb_strbuf_add(tics, ")");
    assert_ok(vb_plot_end(&plot, vb_plot_script(&plot, template, "test.gp", &err), &err));
    /* The frame that a page's own takes the place of, colours as decimal numbers, and no names but those that are replaced. */
    assert_non_null(strstr(figure.svg, "viewBox=\"0 0 640 200\""));
    assert_non_null(strstr(figure.svg, "</desc>"));
    vb_strbuf page = {0};
    assert_ok(vb_svg_inline(&figure, "fig-1", &page, &err));
    static const char *const wanted[] = {"var(--s1)",       "var(--muted)",
                                         "var(--h0)",       "fig-1-gpPt6",
                                         "50 % &lt;&amp;>", "it's",
                                         "inside",          "><title>one: 1 &lt; 2?</title></circle>"},
                             *const gone[] = {"gnuplot", "black", "white", "rgb(", "<filter", "'#gp", "id='gp", "Gnuplot"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(page.bytes, wanted[i])) fail_msg("no %s in %s", wanted[i], page.bytes);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (strstr(page.bytes, gone[i])) fail_msg("%s is left in %s", gone[i], page.bytes);
    /* Every id is the figure's own. */
    for (const char *at = page.bytes; (at = strstr(at, " id=")); at++) assert_memory_equal(at + 5, "fig-1", 5);
    vb_strbuf_free(&page);
    vb_plot_figure_free(&figure);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_construct_is_rewritten),
                                       cmocka_unit_test(what_is_no_whole_svg_is_refused),
                                       cmocka_unit_test(colours_are_found_again),
                                       cmocka_unit_test(the_installed_gnuplot_writes_what_is_expected)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
