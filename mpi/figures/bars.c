/* Horizontal bars. */
#include "mpi/figures/bars.h"

#include "kernels/base/memory.h"

enum { NUMBERED = 60 }; /* more bars are too close for numbers at their ends */

extern const char vb_bars_gp[]; /* bars.gp, by make */

int vb_bars_height(int count) { return 70 + 30 * count; }

int vb_bars_add(vb_plot *plot, const vb_bar *bars, int count, const char *const series[2], vb_error *err) {
    const char **names = vb_array((size_t)count, sizeof *names, "bars", err);
    if (!names) return -1;
    vb_strbuf_format(&plot->csv, "place,%s,%s,name\n", series[0], series[1]);
    for (int i = 0; i < count; i++) {
        names[i] = bars[i].name;
        vb_strbuf_format(&plot->csv, "%d,", i);
        vb_plot_add_number(&plot->csv, 100 * bars[i].first);
        vb_strbuf_add(&plot->csv, ",");
        vb_plot_add_number(&plot->csv, 100 * bars[i].second);
        vb_strbuf_add(&plot->csv, ",");
        vb_plot_value(plot, 0, 100 * bars[i].first, i - 0.2, "%s: %s %.2f %%", bars[i].name, series[0], 100 * bars[i].first);
        vb_plot_value(plot, 0, 100 * bars[i].second, i + 0.2, "%s: %s %.2f %%", bars[i].name, series[1], 100 * bars[i].second);
        vb_strbuf_add_csv(&plot->csv, bars[i].name);
        vb_strbuf_add(&plot->csv, "\n");
    }
    vb_plot_set(plot, "MARGIN", "%d", vb_plot_tics_width(names, count) + 1);
    vb_plot_set(plot, "BOTTOM", "%g", count - 0.4);
    vb_plot_add_tics(vb_plot_slot(plot, "NAMES"), names, count);
    vb_plot_add_name(vb_plot_slot(plot, "FIRST"), series[0], 64, false);
    vb_plot_add_name(vb_plot_slot(plot, "SECOND"), series[1], 64, false);
    vb_plot_set(plot, "MORE", "%s", count <= NUMBERED ? ", \\" : "");
    vb_plot_keep(plot, "NUMBERED", count <= NUMBERED);
    vb_free(names);
    return vb_plot_script(plot, vb_bars_gp, "bars.gp", err);
}

const vb_bar *vb_bars_worst(const vb_bar *bars, int count) {
    const vb_bar *worst = bars;
    for (int i = 1; i < count; i++)
        if (bars[i].first - bars[i].second > worst->first - worst->second) worst = &bars[i];
    return worst;
}
