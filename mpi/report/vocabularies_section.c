/* The accuracies of each vocabulary: bars and a table. */
#include "mpi/report/vocabularies_section.h"

#include "kernels/base/memory.h"
#include "mpi/figures/bars.h"
#include "mpi/base/json.h"
#include "mpi/results/tables.h"

static int plot_vocabularies(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    const json_t *list = json_object_get(subject->results->entry, "vocabularies"), *vocabulary;
    int count = (int)json_array_size(list), status = -1;
    vb_plot plot;
    vb_bar *bars = vb_array((size_t)count, sizeof *bars, "bars", err);
    size_t v;
    if (!bars || vb_plot_begin(&plot, plotter, figure, "vocabularies", subject->title, vb_bars_height(count), err)) goto done;
    json_array_foreach(list, v, vocabulary) {
        bars[v] =
            (vb_bar){vb_json_text(vocabulary, "name"), vb_json_number(vocabulary, "acc_c"), vb_json_number(vocabulary, "acc_s")};
    }
    const vb_bar *worst = vb_bars_worst(bars, count);
    vb_strbuf_format(&plot.title, "%s: accuracy among its own classes (Acc-C) and with foreign vocabularies added (Acc-S)",
                     subject->title);
    vb_strbuf_format(&plot.description, "Two bars for each of %d vocabularies. Most is lost by %s: from %.1f to %.1f percent.",
                     count, worst->name, 100 * worst->first, 100 * worst->second);
    status = vb_bars_add(&plot, bars, count, (const char *const[]){"Acc-C", "Acc-S"}, err);
    status = vb_plot_end(&plot, status, err);
done:
    vb_free(bars);
    return status;
}

static int list_vocabularies(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    (void)err;
    *grid = (vb_grid){.columns = 8, .left = 1, .caption = "By vocabulary, in percent", .note = vb_tables_note};
    vb_grid_heads(grid, (const char *const[]){"vocabulary", "classes", "images", "Acc-C", "Acc-E", "E-C", "Acc-S", "S-C"});
    size_t v;
    json_t *vocabulary;
    json_array_foreach(json_object_get(subject->results->entry, "vocabularies"), v, vocabulary) {
        vb_grid_cell(grid, "%s", vb_json_text(vocabulary, "name"));
        vb_grid_cell(grid, "%zu", json_array_size(json_object_get(vocabulary, "classes")));
        vb_grid_number(grid, vb_json_number(vocabulary, "images"), 0);
        vb_tables_add_accuracies(grid, vocabulary);
    }
    return 0;
}

const vb_section vb_vocabularies_section = {.scope = VB_SECTION_OF_RESULT,
                                            .place = 40,
                                            .folded = "Numbers by vocabulary",
                                            .latex = true,
                                            .plot = plot_vocabularies,
                                            .table = list_vocabularies};
