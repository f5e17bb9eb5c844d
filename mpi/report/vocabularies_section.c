/* The accuracies of each vocabulary: bars and a table. */
#include "mpi/report/vocabularies_section.h"

#include <math.h>
#include <stdlib.h>

#include "kernels/base/memory.h"
#include "mpi/figures/bars.h"
#include "mpi/base/json.h"
#include "mpi/results/tables.h"

enum { DRAWN = 30 }; /* so many bars at most */

/* Vocabularies with fewer images are marked: a picture more or less is three points there, or more. */
#define LEAST_IMAGES 30
#define AS_TEXT(number) #number
#define MARKED_BELOW(number) "*: fewer than " AS_TEXT(number) " images"

typedef struct lost {
    const json_t *vocabulary;
    double loss;
    size_t place;
} lost;

static int order_of_loss(const void *a, const void *b) {
    const lost *x = a, *y = b;
    if (x->loss != y->loss) return x->loss > y->loss ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* The vocabularies of a result, those first that lose most between Acc-C and Acc-S. Free with vb_free. */
static lost *sort_by_loss(const json_t *entry, int *count, vb_error *err) {
    const json_t *list = json_object_get(entry, "vocabularies"), *vocabulary;
    size_t v;
    *count = (int)json_array_size(list);
    lost *all = vb_array((size_t)*count, sizeof *all, "vocabularies", err);
    if (!all) return NULL;
    json_array_foreach(list, v, vocabulary) {
        double loss = vb_json_number(vocabulary, "acc_c") - vb_json_number(vocabulary, "acc_s");
        all[v] = (lost){vocabulary, isnan(loss) ? -INFINITY : loss, v};
    }
    qsort(all, (size_t)*count, sizeof *all, order_of_loss);
    return all;
}

static int plot_vocabularies(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    int all, status = -1;
    lost *sorted = sort_by_loss(subject->results->entry, &all, err);
    if (!sorted) return -1;
    if (!isfinite(sorted->loss)) { /* of one vocabulary, which loses to none */
        vb_free(sorted);
        return 0;
    }
    const int count = all < DRAWN ? all : DRAWN;
    vb_plot plot;
    vb_bar *bars = vb_array((size_t)count, sizeof *bars, "bars", err);
    if (!bars || vb_plot_begin(&plot, plotter, figure, "vocabularies", subject->title, vb_bars_height(count), err)) goto done;
    for (int v = 0; v < count; v++) {
        const json_t *vocabulary = sorted[v].vocabulary;
        bars[v] =
            (vb_bar){vb_json_text(vocabulary, "name"), vb_json_number(vocabulary, "acc_c"), vb_json_number(vocabulary, "acc_s")};
    }
    const vb_bar *worst = vb_bars_worst(bars, count);
    vb_strbuf_format(&plot.title, "%s: accuracy among its own classes (Acc-C) and with foreign vocabularies added (Acc-S)",
                     subject->title);
    if (count < all) vb_strbuf_format(&plot.title, ", of the %d of %d vocabularies that lose most", count, all);
    vb_strbuf_format(&plot.description, "Two bars for each of %d vocabularies. Most is lost by %s: from %.1f to %.1f percent.",
                     count, worst->name, 100 * worst->first, 100 * worst->second);
    status = vb_bars_add(&plot, bars, count, (const char *const[]){"Acc-C", "Acc-S"}, err);
    status = vb_plot_end(&plot, status, err);
done:
    vb_free(bars);
    vb_free(sorted);
    return status;
}

static int list_vocabularies(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    int count;
    lost *sorted = sort_by_loss(subject->results->entry, &count, err);
    if (!sorted) return -1;
    *grid =
        (vb_grid){.columns = 8,
                  .left = 1,
                  .caption = "By vocabulary, in percent, the largest loss to foreign names first; " MARKED_BELOW(LEAST_IMAGES),
                  .note = vb_tables_note};
    vb_grid_heads(grid, (const char *const[]){"vocabulary", "classes", "images", "Acc-C", "Acc-E", "E-C", "Acc-S", "S-C"});
    for (int v = 0; v < count; v++) {
        const json_t *vocabulary = sorted[v].vocabulary;
        const double images = vb_json_number(vocabulary, "images");
        vb_grid_cell(grid, "%s%s", vb_json_text(vocabulary, "name"), images < LEAST_IMAGES ? " *" : "");
        vb_grid_cell(grid, "%zu", json_array_size(json_object_get(vocabulary, "classes")));
        vb_grid_number(grid, images, 0);
        vb_tables_add_accuracies(grid, vocabulary);
    }
    vb_free(sorted);
    return 0;
}

const vb_section vb_vocabularies_section = {.scope = VB_SECTION_OF_RESULT,
                                            .place = 40,
                                            .folded = "Numbers by vocabulary",
                                            .latex = true,
                                            .plot = plot_vocabularies,
                                            .table = list_vocabularies};
