/* Acc-C and Acc-E over the wordings of each model: a table, and a point a wording. */
#include "mpi/analyse/prompt_spread_section.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/evaluate/pair_json.h"

extern const char vb_prompt_spread_gp[]; /* prompt_spread.gp, by make */

static const char *const parts[] = {"templates", "synonyms"};
static const char *const kinds[] = {"template", "synonyms"};

/* NULL: nothing was varied. */
static const json_t *spread_of(const vb_section_result *result) {
    const json_t *spread = json_object_get(json_object_get(result->entry, "analyses"), "prompt_spread");
    for (int p = 0; p < 2; p++)
        if (json_is_object(json_object_get(spread, parts[p]))) return spread;
    return NULL;
}

static int fill_table(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    static const char *const heads[] = {"model", "over",          "wordings",  "Acc-C, as run", "mean ± sd", "least",
                                        "most",  "Acc-E, as run", "mean ± sd", "least",         "most"};
    static const char *const keys[] = {"acc_c", "acc_e"};
    (void)err;
    grid->columns = sizeof heads / sizeof *heads;
    grid->left = 3;
    grid->caption =
        "Accuracy (%) over prompt templates, each alone, and over random choices of the classes' names among WordNet's "
        "synonyms, with the standard deviation over them; all by the exact protocol";
    vb_grid_heads(grid, heads);
    for (int m = 0; m < subject->count; m++)
        for (int p = 0; p < 2; p++) {
            const json_t *part = json_object_get(spread_of(&subject->results[m]), parts[p]);
            if (!json_is_object(part)) continue;
            vb_grid_cell(grid, "%s", subject->results[m].label);
            vb_grid_cell(grid, "%s", parts[p]);
            vb_grid_cell(grid, "%zu", json_array_size(json_object_get(part, "list")));
            for (int k = 0; k < 2; k++) {
                const json_t *figure = json_object_get(part, keys[k]);
                vb_grid_percent(grid, vb_pair_json_exact(subject->results[m].entry, keys[k]), NAN);
                vb_grid_percent(grid, vb_json_number(figure, "mean"), vb_json_number(figure, "sd"));
                vb_grid_percent(grid, vb_json_number(figure, "min"), NAN);
                vb_grid_percent(grid, vb_json_number(figure, "max"), NAN);
            }
        }
    return 0;
}

static void add_row(vb_plot *plot, int model, const char *kind, size_t number, const json_t *figures) {
    static const char *const keys[] = {"acc_c", "acc_e", "acc_s", "top1_all"};
    vb_strbuf_format(&plot->csv, "%d,%s,%zu", model, kind, number);
    for (int k = 0; k < 4; k++) {
        vb_strbuf_add(&plot->csv, ",");
        vb_plot_add_number(&plot->csv, 100 * vb_pair_json_exact(figures, keys[k]));
    }
    vb_strbuf_add(&plot->csv, "\n");
}

static int plot_spread(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    vb_plot plot;
    int count = 0;
    for (int m = 0; m < subject->count; m++) count += spread_of(&subject->results[m]) != NULL;
    if (!count) return 0;
    const char **names = vb_array((size_t)count, sizeof *names, "names of models", err);
    if (!names || vb_plot_begin(&plot, plotter, figure, "prompt-spread", subject->title, 370, err)) {
        vb_free(names);
        return -1;
    }
    vb_strbuf_add(&plot.csv, "model,wording,number,acc_c,acc_e,acc_s,top1_all\n");
    int model = 0;
    for (int m = 0; m < subject->count; m++) {
        const json_t *spread = spread_of(&subject->results[m]);
        if (!spread) continue;
        names[model++] = subject->results[m].label;
        add_row(&plot, model, "as run", 0, subject->results[m].entry);
        for (int p = 0; p < 2; p++) {
            size_t i;
            json_t *entry;
            json_array_foreach(json_object_get(json_object_get(spread, parts[p]), "list"), i, entry) {
                add_row(&plot, model, kinds[p], i + 1, entry);
            }
            const json_t *found = json_object_get(json_object_get(spread, parts[p]), "acc_e");
            if (found)
                vb_strbuf_format(&plot.description, "%s%s over %s: %.1f to %.1f.", plot.description.bytes ? " " : "",
                                 subject->results[m].label, parts[p], 100 * vb_json_number(found, "min"),
                                 100 * vb_json_number(found, "max"));
        }
    }
    vb_plot_set(&plot, "LAST", "%g", count - 0.4);
    vb_plot_add_tics(vb_plot_slot(&plot, "TICS"), names, count);
    vb_plot_set(&plot, "FIRST", "%s", vb_palette_hex(vb_palette_series(0)));
    vb_plot_set(&plot, "SECOND", "%s", vb_palette_hex(vb_palette_series(1)));
    vb_strbuf_format(&plot.title, "%s: Acc-E by the wording of the prompts", subject->title);
    vb_free(names);
    return vb_plot_end(&plot, vb_plot_script(&plot, vb_prompt_spread_gp, "prompt_spread.gp", err), err);
}

const vb_section vb_prompt_spread_section = {
    .scope = VB_SECTION_OF_GROUP, .place = 18, .latex = true, .table = fill_table, .plot = plot_spread};
