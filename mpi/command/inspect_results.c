/* Results, records, comparisons, pages and their data, told by their schema, their keys and what lies beside them. */
#include "mpi/command/inspect_results.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/base/script.h"
#include "mpi/results/record_set.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/zst.h"

enum { HEAD = 4096 };

/* The first bytes of a file, unpacked where it is zstd; an empty text of what is called so and is none, which others tell. */
static int read_head(const char *path, char head[HEAD + 1], vb_error *err) {
    vb_file file;
    vb_zst *zst;
    if (vb_file_open(&file, path, err)) return -1;
    size_t got = file.size < HEAD ? (size_t)file.size : HEAD;
    int status = vb_file_read(&file, 0, head, got, err);
    vb_file_close(&file);
    if (!status && vb_path_ends_with(path, ".zst")) {
        const bool packed = vb_zst_magic((const uint8_t *)head, got);
        got = 0;
        if (packed && !(status = vb_zst_open(&zst, path, err))) {
            status = vb_zst_read(zst, 0, head, HEAD, &got, err);
            vb_zst_close(zst);
        }
    }
    head[status ? 0 : got] = 0;
    return status;
}

static bool has_file(const char *folder, const char *name) {
    vb_error none;
    char *path = vb_path_join(folder, name, &none);
    const bool there = path && vb_path_exists(path);
    vb_free(path);
    return there;
}

/* ---- results ---- */

static int inspect_folder(const char *path, vb_error *err) {
    vb_result_folder folder;
    if (vb_result_folder_open(&folder, path, err)) {
        vb_result_folder_close(&folder);
        return -1;
    }
    const json_t *run = json_object_get(folder.document, "run"), *results = json_object_get(folder.document, "results"), *entry;
    int records = 0;
    size_t i;
    printf("results of experiment '%s': %zu result%s, finished %s by vocabench %s (%s)\n",
           vb_json_text(folder.document, "experiment"), json_array_size(results), json_array_size(results) == 1 ? "" : "s",
           vb_json_text(run, "finished"), vb_json_text(run, "version"), vb_json_text(run, "revision"));
    json_array_foreach((json_t *)(uintptr_t)results, i, entry) {
        const int64_t limit = vb_json_integer(entry, "limit");
        vb_error none;
        char *file = vb_result_folder_file(&folder, "records", entry, ".jsonl.zst", &none);
        const bool recorded = file && vb_path_exists(file);
        records += recorded;
        if (i < 40) {
            printf("  %-24s on %-20s %7lld images", vb_json_text(entry, "model"), vb_json_text(entry, "dataset"),
                   (long long)vb_json_integer(entry, "images"));
            if (limit) printf(" (the first %lld a class)", (long long)limit);
            printf("  Acc-C %.2f  Acc-E %.2f%s\n", 100 * vb_json_number(entry, "acc_c"), 100 * vb_json_number(entry, "acc_e"),
                   recorded ? "" : "  no records");
        }
        vb_free(file);
    }
    if (json_array_size(results) > 40) printf("  ... and %zu more\n", json_array_size(results) - 40);
    printf("to use them:\n  ");
    vb_script_print_command("report", folder.folder);
    printf(" --output page.html\n");
    if (records) {
        printf("  ");
        vb_script_print_command("compare", folder.folder);
        printf(" OTHER\n");
    }
    vb_result_folder_close(&folder);
    return 0;
}

static int inspect_comparison(const char *path, vb_error *err) {
    json_t *document = vb_json_parse_file(path, err);
    if (!document) return -1;
    const json_t *a = json_object_get(document, "a"), *b = json_object_get(document, "b"),
                 *overall = json_object_get(document, "overall");
    static const char *const keys[] = {"acc_c", "acc_e", "acc_s", "top1_all"};
    printf("comparison of '%s' on '%s' (%s) with '%s' on '%s' (%s): %lld images\n", vb_json_text(a, "model"),
           vb_json_text(a, "dataset"), vb_json_text(a, "results"), vb_json_text(b, "model"), vb_json_text(b, "dataset"),
           vb_json_text(b, "results"), (long long)vb_json_integer(document, "images"));
    for (int k = 0; k < 4; k++) {
        const json_t *figure = json_object_get(overall, keys[k]);
        printf("  %-9s B - A %+.2f points, p = %.3g\n", keys[k], 100 * vb_json_number(figure, "difference"),
               vb_json_number(figure, "p"));
    }
    json_decref(document);
    return 0;
}

static int inspect_comparisons(const char *path, vb_error *err) {
    json_t *document = vb_json_parse_file(path, err), *pair;
    if (!document) return -1;
    const json_t *pairs = json_object_get(document, "pairs");
    size_t i;
    printf("comparison of %zu pairs of models, p by Holm over them\n", json_array_size(pairs));
    json_array_foreach((json_t *)(uintptr_t)pairs, i, pair) {
        const json_t *figure = json_object_get(pair, "acc_e"), *classes = json_object_get(figure, "by_class");
        printf("  '%s' less '%s' on '%s': acc_e %+.2f points, p by images %.3g, by classes %.3g\n", vb_json_text(pair, "b"),
               vb_json_text(pair, "a"), vb_json_text(pair, "dataset"), 100 * vb_json_number(figure, "difference"),
               vb_json_number(figure, "p_holm"), vb_json_number(classes, "p_holm"));
    }
    json_decref(document);
    return 0;
}

static int inspect_pair(const char *path, vb_error *err) {
    json_t *document = vb_json_parse_file(path, err);
    if (!document) return -1;
    const json_t *entry = json_object_get(document, "result");
    printf("finished result of '%s' on '%s', for run --resume: %lld images, Acc-C %.2f, Acc-E %.2f\n",
           vb_json_text(entry, "model"), vb_json_text(entry, "dataset"), (long long)vb_json_integer(entry, "images"),
           100 * vb_json_number(entry, "acc_c"), 100 * vb_json_number(entry, "acc_e"));
    json_decref(document);
    return 0;
}

static int inspect_state(const char *path, vb_error *err) {
    json_t *document = vb_json_parse_file(path, err);
    if (!document) return -1;
    const size_t n = strlen(path) - strlen(vb_path_base_name(path));
    char *folder = n ? vb_strndup(path, n, err) : vb_strdup(".", err);
    if (folder) {
        printf("state of a run of experiment '%s'\nto read it:\n  ", vb_json_text(document, "experiment"));
        vb_script_print_command("status", folder);
        printf("\n");
    }
    json_decref(document);
    vb_free(folder);
    return folder ? 0 : -1;
}

/* ---- lists of JSON lines ---- */

/* The folder above the one that holds the file: of FOLDER/records/NAME, FOLDER. Free with vb_free. */
static char *folder_above(const char *path, vb_error *err) {
    char *whole = vb_path_absolute(path, err);
    for (int parts = 0; whole && parts < 2; parts++) {
        char *slash = strrchr(whole, '/');
        if (slash) *slash = 0;
    }
    return whole;
}

/* The result to which a file of records belongs, and whether the records are its. */
static int inspect_records(const char *path, vb_error *err) {
    vb_result_folder folder = {0};
    vb_record_set set = {0};
    const char *name = vb_path_base_name(path);
    char *above = folder_above(path, err);
    int status = above ? 0 : -1;
    size_t i;
    json_t *entry, *its = NULL;
    if (!status && has_file(above, "results.json")) status = vb_result_folder_open(&folder, above, err);
    json_array_foreach(json_object_get(folder.document, "results"), i, entry) {
        char *file = status ? NULL : vb_result_folder_file(&folder, "records", entry, ".jsonl.zst", err);
        if (file && !strcmp(vb_path_base_name(file), name)) its = entry;
        vb_free(file);
    }
    if (!status && !its) {
        printf("records of images, one a line; no results.json of theirs lies in %s\n", above);
    } else if (!status && !(status = vb_record_set_open(&set, &folder, its, err))) {
        int64_t right = 0;
        for (int64_t r = 0; r < set.count; r++) right += set.right[r];
        printf("records of '%s' on '%s': %lld images, %lld right among all %d classes; they give the figures of %s\n",
               vb_json_text(its, "model"), vb_json_text(its, "dataset"), (long long)set.count, (long long)right,
               set.space.classes, folder.path);
    }
    vb_record_set_close(&set);
    vb_result_folder_close(&folder);
    vb_free(above);
    return status;
}

/* ---- pages ---- */

static int inspect_page(const char *path, vb_error *err) {
    const char *dot = strrchr(path, '.');
    char *data = vb_format(err, "%.*s-data", dot ? (int)(dot - path) : (int)strlen(path), path);
    if (!data) return -1;
    printf("page of results, made by vocabench report; it needs no other file\n");
    if (vb_path_is_folder(data)) printf("its figures' numbers, scripts and pictures: %s\n", data);
    vb_free(data);
    return 0;
}

/* "NAME.csv" for the script NAME.gp or the picture NAME.svg. */
static int is_figure_file(const char *path, bool *is, vb_error *err) {
    const char *dot = strrchr(path, '.');
    char head[HEAD + 1] = "";
    *is = false;
    if (!dot || (strcmp(dot, ".csv") && strcmp(dot, ".gp") && strcmp(dot, ".svg"))) return 0;
    char *script = vb_format(err, "%.*s.gp", (int)(dot - path), path);
    int status = !script ? -1 : vb_path_exists(script) ? read_head(script, head, err) : 0;
    *is = !strncmp(head, "# gnuplot -d ", 13);
    vb_free(script);
    return status;
}

static int inspect_figure_file(const char *path, vb_error *err) {
    const char *dot = strrchr(path, '.'), *base = vb_path_base_name(path);
    const int stem = (int)(dot - base);
    printf("%s of figure '%.*s' of a page; to draw it again: gnuplot -d %.*s.gp\n",
           !strcmp(dot, ".csv") ? "numbers" :
           !strcmp(dot, ".gp")  ? "gnuplot script" :
                                  "picture",
           stem, base, stem, base);
    if (!strcmp(dot, ".csv")) {
        char head[HEAD + 1];
        if (read_head(path, head, err)) return -1;
        printf("columns: %.*s\n", (int)strcspn(head, "\n"), head);
    }
    return 0;
}

/* How many figures of a page a folder holds. */
static int count_figures(const char *path, int *count, vb_error *err) {
    vb_strings names;
    *count = 0;
    if (vb_path_list_folder(&names, path, err)) return -1;
    int status = 0;
    for (size_t i = 0; i < names.count && !status; i++) {
        bool is = false;
        char *file = vb_path_ends_with(names.items[i], ".gp") ? vb_path_join(path, names.items[i], err) : NULL;
        if (vb_path_ends_with(names.items[i], ".gp")) status = file ? is_figure_file(file, &is, err) : -1;
        *count += is;
        vb_free(file);
    }
    vb_strings_free(&names);
    return status;
}

/* ---- which it is ---- */

typedef enum kind {
    FAILED,
    NONE,
    FOLDER,
    RESULTS,
    COMPARISON,
    COMPARISONS,
    PAIR,
    STATE,
    RECORDS,
    PAGE,
    FIGURE_FILE,
    PAGE_DATA
} kind;

static kind kind_of_folder(const char *path, int *figures, vb_error *err) {
    char *results = vb_path_join(path, "results.json", err);
    const bool there = results && vb_path_exists(results);
    vb_free(results);
    if (!results) return FAILED;
    if (there) return FOLDER;
    if (!vb_path_ends_with(path, "-data")) return NONE;
    if (count_figures(path, figures, err)) return FAILED;
    return *figures ? PAGE_DATA : NONE;
}

/* `figures`: of PAGE_DATA, how many. */
static kind kind_of(const char *path, int *figures, vb_error *err) {
    char head[HEAD + 1];
    bool figure;
    if (vb_path_is_folder(path)) return kind_of_folder(path, figures, err);
    if (is_figure_file(path, &figure, err)) return FAILED;
    if (figure) return FIGURE_FILE;
    if (!vb_path_ends_with(path, ".json") && !vb_path_ends_with(path, ".jsonl.zst") && !vb_path_ends_with(path, ".html"))
        return NONE;
    if (read_head(path, head, err)) return FAILED;
    if (vb_path_ends_with(path, ".html")) return strstr(head, "vocabench</title>") ? PAGE : NONE;
    if (vb_path_ends_with(path, ".zst"))
        return !strncmp(head, "{\"image\":", 9) && strstr(head, "\"predicted_all\":") && strstr(head, "\"own\":") ? RECORDS :
                                                                                                                    NONE;
    const char *begin = head + strspn(head, "{ \n\r\t");
    if (!strncmp(begin, "\"key\"", 5) && strstr(head, "\"result\"")) return PAIR;
    if (strncmp(begin, "\"schema\"", 8)) return NONE;
    return strstr(head, "\"vocabench.results/1\"")       ? RESULTS :
           strstr(head, "\"vocabench.compare/1\"")       ? COMPARISON :
           strstr(head, "\"vocabench.compare_pairs/1\"") ? COMPARISONS :
           strstr(head, "\"vocabench.state/1\"")         ? STATE :
                                                           NONE;
}

int vb_inspect_results(const char *path, bool *recognised, vb_error *err) {
    int figures = 0;
    const kind its = kind_of(path, &figures, err);
    *recognised = its != NONE;
    switch (its) {
    case NONE: return 0;
    case FAILED: return -1;
    case FOLDER:
    case RESULTS: return inspect_folder(path, err);
    case COMPARISON: return inspect_comparison(path, err);
    case COMPARISONS: return inspect_comparisons(path, err);
    case PAIR: return inspect_pair(path, err);
    case STATE: return inspect_state(path, err);
    case RECORDS: return inspect_records(path, err);
    case PAGE: return inspect_page(path, err);
    case FIGURE_FILE: return inspect_figure_file(path, err);
    case PAGE_DATA: break;
    }
    printf("data of a page: %d figures, each with its numbers (.csv), gnuplot script (.gp) and picture (.svg)\n", figures);
    return 0;
}
