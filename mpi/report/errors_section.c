/* Every figure of a result with its three standard errors and their intervals. */
#include "mpi/report/errors_section.h"

#include <math.h>

#include "kernels/openness/spread.h"
#include "mpi/base/json.h"

static const struct {
    const char *key, *name;
} figures[] = {{"acc_c", "Acc-C"},
               {"acc_e", "Acc-E"},
               {"acc_e_union", "Acc-E, union of images"},
               {"acc_s", "Acc-S"},
               {"top1_all", "all classes"}};

static void interval_cell(vb_grid *grid, const json_t *bounds) {
    if (json_is_number(json_array_get(bounds, 0)))
        vb_grid_cell(grid, "%.1f to %.1f", 100 * json_number_value(json_array_get(bounds, 0)),
                     100 * json_number_value(json_array_get(bounds, 1)));
    else vb_grid_points(grid, NAN);
}

static int list_errors(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    (void)err;
    const json_t *entry = subject->results->entry, *exact = json_object_get(entry, "exact");
    *grid =
        (vb_grid){.columns = 2 + 2 * VB_SPREAD_KINDS,
                  .left = 1,
                  .caption = "Standard errors and 95 % intervals in percent: had other images of these classes, other classes, "
                             "or other vocabularies been drawn"};
    vb_grid_heads(grid, (const char *const[]){"figure", "percent", "± by images", "by classes", "by vocabularies",
                                              "95 % by images", "by classes", "by vocabularies"});
    for (size_t f = 0; f < sizeof figures / sizeof *figures; f++) {
        const char *key = figures[f].key;
        const json_t *errors = json_object_get(json_object_get(entry, "errors"), key), *from = entry;
        if (!errors) { /* what the sampled protocol draws has none: the exact one's */
            errors = json_object_get(json_object_get(exact, "errors"), key);
            from = exact;
        }
        if (!errors) continue;
        vb_grid_cell(grid, "%s%s", figures[f].name, from == exact ? ", exact" : "");
        vb_grid_percent(grid, vb_json_number(from, key), NAN);
        for (int k = 0; k < VB_SPREAD_KINDS; k++) {
            double error = vb_json_number(errors, vb_spread_names[k]);
            vb_grid_number(grid, 100 * error, 2);
        }
        for (int k = 0; k < VB_SPREAD_KINDS; k++)
            interval_cell(grid, json_object_get(json_object_get(errors, "interval"), vb_spread_names[k]));
    }
    return 0;
}

const vb_section vb_errors_section = {
    .scope = VB_SECTION_OF_RESULT, .place = 38, .folded = "Standard errors and intervals", .latex = true, .table = list_errors};
