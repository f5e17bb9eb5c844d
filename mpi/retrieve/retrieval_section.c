/* What retrieved captions change: bars for the stated setting, a table of all of them, and the captions of the first classes. */
#include "mpi/retrieve/retrieval_section.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/figures/bars.h"
#include "mpi/results/document.h"
#include "mpi/results/tables.h"
#include "mpi/base/json.h"
#include "shards/files/zst_lines.h"

enum { CAPTION_CLASSES = 24, CAPTIONS = 3 };

static int plot_retrieval(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    const json_t *entry = subject->results->entry, *setting, *stated = NULL;
    size_t k;
    json_array_foreach(json_object_get(json_object_get(entry, "retrieval"), "results"), k, setting) {
        if (!stated || json_is_true(json_object_get(setting, "stated"))) stated = setting;
    }
    if (!stated) return 0;
    static const char *const keys[] = {"acc_c", "acc_e", "acc_s", "top1_all"}, *const names[] = {"Acc-C", "Acc-E", "Acc-S",
                                                                                                 "all classes"};
    vb_bar bars[4];
    for (int f = 0; f < 4; f++) bars[f] = (vb_bar){names[f], vb_json_number(entry, keys[f]), vb_json_number(stated, keys[f])};
    vb_plot plot;
    if (vb_plot_begin(&plot, plotter, figure, "retrieval", subject->title, vb_bars_height(4), err)) return -1;
    vb_strbuf_format(&plot.title, "%s: before and after REPE (k = %.0f, λ = %g, the stated setting)", subject->title,
                     vb_json_number(stated, "top_k"), vb_json_number(stated, "lambda"));
    vb_strbuf_format(&plot.description, "Acc-E goes from %.1f to %.1f percent, Acc-C from %.1f to %.1f.", 100 * bars[1].first,
                     100 * bars[1].second, 100 * bars[0].first, 100 * bars[0].second);
    int status = vb_bars_add(&plot, bars, 4, (const char *const[]){"prompts alone", "with retrieved captions"}, err);
    return vb_plot_end(&plot, status, err);
}

/* One line of the list: the class, how many of its captions are kept, the first kept ones. */
static void add_captions(vb_grid *grid, const json_t *line) {
    const json_t *results = json_object_get(line, "results"), *result;
    vb_strbuf text = {0};
    size_t i;
    int kept = 0;
    json_array_foreach(results, i, result) {
        if (!json_is_true(json_object_get(result, "kept"))) continue;
        if (kept++ < CAPTIONS)
            vb_strbuf_format(&text, "%s“%s” (%.3f)", text.filled ? "  " : "", vb_json_text(result, "caption"),
                             vb_json_number(result, "score"));
    }
    vb_grid_cell(grid, "%s", vb_json_text(line, "class"));
    vb_grid_cell(grid, "%d of %zu", kept, json_array_size(results));
    vb_grid_cell(grid, "%s", text.bytes ? text.bytes : "none: the prompt stays as it is");
    grid->failed = grid->failed || text.failed;
    vb_strbuf_free(&text);
}

static int list_lines(const char *path, vb_grid *grid, vb_error *err) {
    vb_zst_lines lines;
    const char *line;
    size_t length;
    int status = vb_zst_lines_open(&lines, path, err);
    while (!status && lines.number < CAPTION_CLASSES && !(status = vb_zst_lines_next(&lines, &line, &length, err)) && line) {
        json_error_t where;
        json_t *record = vb_json_parse_bare(line, length, 0, &where, err);
        if (!record) status = vb_error_prefix(err, "%s: line %d: expected a class with results", path, (int)lines.number);
        else if (!json_is_array(json_object_get(record, "results")))
            status = vb_errorf(err, VB_EDATA, "%s: line %d: expected a class with results", path, (int)lines.number);
        else add_captions(grid, record);
        json_decref(record);
    }
    vb_zst_lines_close(&lines);
    return status;
}

/* From retrieval/MODEL--DATASET.jsonl.zst; only heads where there is no such file, or another run's. */
static int list_captions(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    const vb_section_result *result = subject->results;
    *grid = (vb_grid){.columns = 3,
                      .left = 7,
                      .caption = "Retrieved captions, the most similar ones that were kept, with their similarity"};
    vb_grid_heads(grid, (const char *const[]){"class", "kept", "captions"});
    char *path;
    vb_file_owner owner;
    int status = vb_document_find_file(result->folder, "retrieval", result->entry, ".jsonl.zst", &path, &owner, err);
    if (!status && owner == VB_FILE_OWN && json_object_get(result->entry, "retrieval")) status = list_lines(path, grid, err);
    vb_free(path);
    return status;
}

const vb_section vb_retrieval_section = {
    .scope = VB_SECTION_OF_RESULT, .place = 90, .folded = "Retrieved captions", .plot = plot_retrieval, .table = list_captions};

/* ---- all settings ---- */

static void add_row(vb_grid *grid, const json_t *row, const char *what) {
    const json_t *top_k = json_object_get(row, "top_k");
    vb_grid_cell(grid, "%s", what);
    if (top_k) vb_grid_cell(grid, "%.0f", vb_json_number(row, "top_k"));
    else vb_grid_cell(grid, "–");
    if (top_k) vb_grid_cell(grid, "%g", vb_json_number(row, "lambda"));
    else vb_grid_cell(grid, "–");
    vb_tables_add_accuracies(grid, row);
    vb_grid_points(grid, vb_json_number(row, "gain"));
    vb_grid_number(grid, vb_json_number(row, "classes_without_captions"), 0);
}

static int list_settings(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    const json_t *retrieval = json_object_get(subject->results->entry, "retrieval"), *row;
    const json_t *cross = json_object_get(retrieval, "cross");
    (void)err;
    *grid = (vb_grid){.columns = 10,
                      .left = 1,
                      .caption =
                          "REPE: every setting. The stated one counts; the best one was chosen by these images, and is an upper "
                          "bound; cross-fitted: each image under the setting that is best on the images of the other folds. "
                          "Gain: of Acc-E over the prompts alone, in points; bare: classes without captions, which keep "
                          "their prompts"};
    vb_grid_heads(grid, (const char *const[]){"setting", "k", "λ", "Acc-C", "Acc-E", "E-C", "Acc-S", "S-C", "gain", "bare"});
    size_t k;
    json_array_foreach(json_object_get(retrieval, "results"), k, row) {
        bool stated = json_is_true(json_object_get(row, "stated")), best = json_is_true(json_object_get(row, "best"));
        add_row(grid, row, stated ? best ? "stated, best" : "stated" : best ? "best" : "");
    }
    if (cross) add_row(grid, cross, "cross-fitted");
    return 0;
}

const vb_section vb_retrieval_settings_section = {
    .scope = VB_SECTION_OF_RESULT, .place = 89, .folded = "Every setting of REPE", .latex = true, .table = list_settings};
