/* The tables of a report, in whatever form they are written. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/report/report.h"
#include "shards/files/path.h"
#include "shards/files/zst.h"

enum { CAPTION_CLASSES = 24, CAPTIONS = 3, LINE_LIMIT = 1 << 24 };

static void heads(vb_grid *grid, const char *const *names) {
    for (int c = 0; c < grid->columns; c++) vb_grid_cell(grid, "%s", names[c]);
}

/* "71.79 ± 0.44": percent, with the standard error where there is one. */
static void percent(vb_grid *grid, double value, double error) {
    if (!isfinite(value)) vb_grid_cell(grid, "–");
    else if (isfinite(error)) vb_grid_cell(grid, "%.2f ± %.2f", 100 * value, 100 * error);
    else vb_grid_cell(grid, "%.2f", 100 * value);
}

static void points(vb_grid *grid, double difference) {
    if (isfinite(difference)) vb_grid_cell(grid, "%+.2f", 100 * difference);
    else vb_grid_cell(grid, "–");
}

static void number(vb_grid *grid, const json_t *object, const char *key, int decimals) {
    double value = vb_json_number(object, key);
    if (isfinite(value)) vb_grid_cell(grid, "%.*f", decimals, value);
    else vb_grid_cell(grid, "–");
}

/* ---- accuracies ---- */

static void accuracy_cells(vb_grid *grid, const json_t *figures) {
    double c = vb_json_number(figures, "acc_c"), e = vb_json_number(figures, "acc_e"), s = vb_json_number(figures, "acc_s");
    percent(grid, c, vb_json_number(figures, "acc_c_se"));
    percent(grid, e, vb_json_number(figures, "acc_e_se"));
    points(grid, e - c);
    percent(grid, s, vb_json_number(figures, "acc_s_se"));
    points(grid, s - c);
}

vb_grid vb_report_main_table(const vb_report *report) {
    vb_grid grid = {.columns = 9,
                    .left = 3,
                    .caption = "Accuracy in percent with standard errors; E-C and S-C are differences from Acc-C in points"};
    heads(&grid, (const char *const[]){"model", "dataset", "images", "Acc-C", "Acc-E", "E-C", "Acc-S", "S-C", "all classes"});
    for (int g = 0; g < report->group_count; g++)
        for (int i = 0; i < report->groups[g].count; i++) {
            const vb_reported *it = &report->groups[g].entries[i];
            const json_t *settings = json_object_get(json_object_get(it->entry, "retrieval"), "results"), *setting;
            vb_grid_cell(&grid, "%s", it->label);
            vb_grid_cell(&grid, "%s", report->groups[g].title);
            number(&grid, it->entry, "images", 0);
            accuracy_cells(&grid, it->entry);
            percent(&grid, vb_json_number(it->entry, "top1_all"), vb_json_number(it->entry, "top1_all_se"));
            size_t k;
            json_array_foreach(settings, k, setting) {
                vb_grid_cell(&grid, "%s + REPE, k = %.0f, λ = %g%s", it->label, vb_json_number(setting, "top_k"),
                             vb_json_number(setting, "lambda"), json_is_true(json_object_get(setting, "best")) ? " (best)" : "");
                vb_grid_cell(&grid, "%s", report->groups[g].title);
                number(&grid, it->entry, "images", 0);
                accuracy_cells(&grid, setting);
                percent(&grid, vb_json_number(setting, "top1_all"), vb_json_number(setting, "top1_all_se"));
            }
        }
    return grid;
}

vb_grid vb_report_vocabulary_table(const vb_reported *it) {
    vb_grid grid = {.columns = 8, .left = 1, .caption = "By vocabulary, in percent"};
    heads(&grid, (const char *const[]){"vocabulary", "classes", "images", "Acc-C", "Acc-E", "E-C", "Acc-S", "S-C"});
    size_t v;
    json_t *vocabulary;
    json_array_foreach(json_object_get(it->entry, "vocabularies"), v, vocabulary) {
        vb_grid_cell(&grid, "%s", vb_json_text(vocabulary, "name"));
        vb_grid_cell(&grid, "%zu", json_array_size(json_object_get(vocabulary, "classes")));
        number(&grid, vocabulary, "images", 0);
        accuracy_cells(&grid, vocabulary);
    }
    return grid;
}

/* ---- adversarial vocabularies ---- */

typedef struct taken {
    const char *class;
    json_int_t images;
} taken;

static int most_first(const void *left, const void *right) {
    const taken *a = left, *b = right;
    return a->images != b->images ? (a->images < b->images ? 1 : -1) : strcmp(a->class, b->class);
}

/* "axolotl takes 5 salamander, 2 newt, ...": the three classes it takes most of. */
static void describe_takes(vb_strbuf *text, const char *name, const json_t *takes) {
    taken most[64];
    int n = 0;
    const char *class;
    json_t *images;
    json_object_foreach((json_t *)takes, class, images) {
        if (n == 64) break;
        most[n++] = (taken){class, json_integer_value(images)};
    }
    qsort(most, (size_t)n, sizeof *most, most_first);
    vb_strbuf_format(text, "%s%s:", text->filled ? "; " : "", name);
    for (int i = 0; i < n && i < 3; i++)
        vb_strbuf_format(text, "%s %lld %s", i ? "," : "", (long long)most[i].images, most[i].class);
    if (!n) vb_strbuf_add(text, " nothing more");
    if (n > 3) vb_strbuf_add(text, " …");
}

vb_grid vb_report_adversarial_table(const vb_reported *it) {
    vb_grid grid = {
        .columns = 6,
        .left = 1 | 2 | 32,
        .caption = "Adversarial vocabularies: the names that take most images from a vocabulary, and which images they take"};
    heads(&grid, (const char *const[]){"target", "names added", "before", "after", "at best for the attacker", "images taken"});
    size_t t, i;
    json_t *attack, *name;
    json_array_foreach(json_object_get(it->entry, "adversarial"), t, attack) {
        const json_t *names = json_object_get(attack, "names"), *accuracy = json_object_get(attack, "accuracy"),
                     *takes = json_object_get(attack, "takes");
        vb_strbuf list = {0}, taken_text = {0};
        json_array_foreach(names, i, name) {
            const char *text = json_string_value(name) ? json_string_value(name) : "";
            vb_strbuf_format(&list, "%s%s", i ? ", " : "", text);
            describe_takes(&taken_text, text, json_array_get(takes, i));
        }
        const json_t *last = json_array_get(accuracy, json_array_size(accuracy) - 1);
        vb_grid_cell(&grid, "%s", vb_json_text(attack, "target"));
        vb_grid_cell(&grid, "%s", list.bytes ? list.bytes : "–");
        percent(&grid, vb_json_number(attack, "accuracy_before"), NAN);
        percent(&grid, json_is_number(last) ? json_number_value(last) : NAN, NAN);
        vb_grid_cell(&grid, "%.2f%s", 100 * vb_json_number(attack, "accuracy_bound"),
                     json_is_true(json_object_get(attack, "proven")) ? " (reached, proven)" : " (bound)");
        vb_grid_cell(&grid, "%s", taken_text.bytes ? taken_text.bytes : "–");
        grid.failed = grid.failed || list.failed || taken_text.failed;
        vb_strbuf_free(&list);
        vb_strbuf_free(&taken_text);
    }
    return grid;
}

/* ---- the feature space ---- */

vb_grid vb_report_analyses_table(const vb_report_group *group) {
    static const char *const keys[] = {"margin_median", "positive_mean", "negative_mean",   "overlap",
                                       "alignment",     "modality_gap",  "uniformity_text", "uniformity_image"};
    vb_grid grid = {.columns = 9, .left = 1, .caption = "Feature space"};
    heads(&grid, (const char *const[]){"model", "median margin", "similarity to own class", "to other classes", "overlap",
                                       "alignment", "modality gap", "uniformity of texts", "of images"});
    for (int i = 0; i < group->count; i++) {
        const json_t *figures = json_object_get(group->entries[i].entry, "analyses");
        if (!figures) continue;
        vb_grid_cell(&grid, "%s", group->entries[i].label);
        for (int k = 0; k < 8; k++) number(&grid, figures, keys[k], 4);
    }
    return grid;
}

/* ---- retrieved captions ---- */

/* One line of the list: the class, how many of its captions are kept, the first kept ones. */
static void caption_row(vb_grid *grid, const json_t *line) {
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

int vb_report_caption_table(const vb_reported *it, vb_grid *grid, vb_error *err) {
    *grid = (vb_grid){.columns = 3,
                      .left = 7,
                      .caption = "Retrieved captions, the most similar ones that were kept, with their similarity"};
    heads(grid, (const char *const[]){"class", "kept", "captions"});
    char *path = vb_result_folder_file(it->folder, "retrieval", it->entry, ".jsonl.zst", err), *text = NULL;
    if (!path) return -1;
    vb_zst *zst = NULL;
    size_t filled = 0, capacity = 0, got = 1;
    uint64_t offset = 0;
    int status = 0, classes = 0;
    if (!json_object_get(it->entry, "retrieval") || !vb_path_exists(path) || (status = vb_zst_open(&zst, path, err))) goto done;
    while (!status && classes < CAPTION_CLASSES) {
        char *end = memchr(text ? text : "", '\n', filled);
        if (!end) {
            if (!got) break;
            if (filled > LINE_LIMIT) status = vb_errorf(err, VB_EDATA, "%s: line %d: longer than 16 MiB", path, classes + 1);
            if (!status) status = vb_grow((void **)&text, &capacity, filled + 65536, 1, "captions", err);
            if (!status) status = vb_zst_read(zst, offset, text + filled, 65536, &got, err);
            if (!status) filled += got, offset += got;
            continue;
        }
        json_error_t where;
        json_t *line = json_loadb(text, (size_t)(end - text), 0, &where);
        classes++;
        if (!json_is_array(json_object_get(line, "results")))
            status = vb_errorf(err, VB_EDATA, "%s: line %d: expected a class with results%s%s", path, classes, line ? "" : ": ",
                               line ? "" : where.text);
        else caption_row(grid, line);
        json_decref(line);
        filled -= (size_t)(end + 1 - text);
        memmove(text, end + 1, filled);
    }
done:
    vb_zst_close(zst);
    vb_free(text);
    vb_free(path);
    return status;
}

/* ---- where it comes from ---- */

static void fact(vb_grid *grid, const char *name, const json_t *value) {
    if (!value) return;
    char *text = NULL;
    vb_grid_cell(grid, "%s", name);
    if (json_is_string(value)) vb_grid_cell(grid, "%s", json_string_value(value));
    else if (json_is_integer(value)) vb_grid_cell(grid, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value)) vb_grid_cell(grid, "%.6g", json_real_value(value));
    else if ((text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY))) vb_grid_cell(grid, "%s", text);
    else grid->failed = true;
    free(text); /* jansson's */
}

/* Hosts once each, with the number of ranks there. */
static void fact_hosts(vb_grid *grid, const json_t *hosts) {
    vb_strbuf text = {0};
    for (size_t i = 0; i < json_array_size(hosts); i++) {
        const char *host = json_string_value(json_array_get(hosts, i));
        int before = 0, all = 0;
        for (size_t k = 0; host && k < json_array_size(hosts); k++) {
            const char *other = json_string_value(json_array_get(hosts, k));
            all += other && !strcmp(host, other);
            before += k < i && other && !strcmp(host, other);
        }
        if (host && !before) vb_strbuf_format(&text, "%s%s (%d)", text.filled ? ", " : "", host, all);
    }
    if (text.filled) {
        vb_grid_cell(grid, "hosts (ranks)");
        vb_grid_cell(grid, "%s", text.bytes);
    }
    grid->failed = grid->failed || text.failed;
    vb_strbuf_free(&text);
}

vb_grid vb_report_run_table(const vb_result_folder *folder) {
    vb_grid grid = {.columns = 2, .left = 3, .caption = "Run"};
    const json_t *run = json_object_get(folder->document, "run");
    heads(&grid, (const char *const[]){"what", "value"});
    fact(&grid, "experiment", json_object_get(folder->document, "experiment"));
    fact(&grid, "configuration_digest", json_object_get(folder->document, "configuration_digest"));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)run, key, value) {
        if (!strcmp(key, "hosts")) fact_hosts(&grid, value);
        else if (strcmp(key, "pairs") && strcmp(key, "sources")) fact(&grid, key, value);
    }
    return grid;
}

vb_grid vb_report_input_table(const vb_reported *it) {
    vb_grid grid = {.columns = 2, .left = 3, .caption = "Data, model and what was checked"};
    static const char *const parts[] = {"data", "embedding", "adversarial_pool", "validation"};
    heads(&grid, (const char *const[]){"what", "value"});
    fact(&grid, "protocol", json_object_get(it->entry, "protocol"));
    fact(&grid, "acc_e_union", json_object_get(it->entry, "acc_e_union"));
    fact(&grid, "acc_e_union_method", json_object_get(it->entry, "acc_e_union_method"));
    const char *key;
    json_t *value;
    for (int p = 0; p < 4; p++) {
        json_object_foreach(json_object_get(it->entry, parts[p]), key, value) {
            if (!json_is_array(value) || json_array_size(value)) fact(&grid, key, value);
        }
    }
    return grid;
}
