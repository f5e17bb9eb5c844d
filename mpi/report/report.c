/* The entries of several results, grouped by what they were evaluated on. */
#include "mpi/report/report.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/base/strbuf.h"
#include "mpi/results/tables.h"
#include "shards/files/path.h"

static const char *vocabularies_of(const json_t *entry) {
    return vb_json_text(json_object_get(entry, "data"), "vocabularies_digest");
}

/* Of the same data and classes: figures of a quick look, or of drawn orders, are others than the whole's exact ones. */
static bool are_alike(const json_t *a, const json_t *b) {
    return vb_json_integer(a, "limit") == vb_json_integer(b, "limit") &&
           !strcmp(vb_json_text(a, "protocol"), vb_json_text(b, "protocol"));
}

/* Of the same vocabularies; and of what names that datasets of an expansion share are, which no digest has. */
static bool same_classes(const json_t *a, const json_t *b) { return !strcmp(vocabularies_of(a), vocabularies_of(b)); }
static bool same_rule(const json_t *a, const json_t *b) { return !strcmp(vb_tables_shared_names(a), vb_tables_shared_names(b)); }

static vb_report_group *group_of(vb_report *report, const json_t *entry) {
    for (int g = 0; g < report->group_count; g++) {
        const json_t *first = report->groups[g].results[0].entry;
        if (!strcmp(vb_json_text(first, "dataset"), vb_json_text(entry, "dataset")) && same_classes(first, entry) &&
            same_rule(first, entry) && are_alike(first, entry))
            return &report->groups[g];
    }
    return NULL;
}

static int add_entry(vb_report *report, const vb_result_folder *folder, const json_t *entry, vb_error *err) {
    vb_report_group *group = group_of(report, entry);
    if (!group) {
        group = &report->groups[report->group_count];
        group->results = vb_array((size_t)report->result_count, sizeof *group->results, "report", err);
        if (!group->results) return -1;
        report->group_count++;
    }
    group->results[group->count++] =
        (vb_section_result){.entry = entry, .document = folder->document, .folder = folder->folder, .path = folder->path};
    return 0;
}

/* Where results come from, said ever longer: the folder's name, the folder, the file. */
typedef enum source { FOLDER_NAME, FOLDER, FILE_PATH } source;

static char *name_source(const vb_section_result *it, source how, vb_error *err) {
    if (how == FILE_PATH) return vb_strdup(it->path, err);
    size_t n = strlen(it->folder);
    while (n > 1 && it->folder[n - 1] == '/') n--;
    char *folder = vb_strndup(it->folder, n, err);
    if (!folder || how == FOLDER) return folder;
    char *name = vb_strdup(vb_path_base_name(folder), err);
    vb_free(folder);
    return name;
}

/* Whether results of the same model from another file are called the same; -1 without memory. */
static int is_shared(const vb_report *report, const vb_section_result *it, source how, const char *name, vb_error *err) {
    const char *model = vb_json_text(it->entry, "model");
    for (int g = 0; g < report->group_count; g++)
        for (int i = 0; i < report->groups[g].count; i++) {
            const vb_section_result *other = &report->groups[g].results[i];
            if (other->document == it->document || strcmp(model, vb_json_text(other->entry, "model"))) continue;
            char *its = name_source(other, how, err);
            if (!its) return -1;
            const bool same = !strcmp(its, name);
            vb_free(its);
            if (same) return 1;
        }
    return 0;
}

/* A model that two results of one group have is told by where they come from, on every dataset: what has one label is one
 * model. */
static bool is_repeated(const vb_report *report, const char *model) {
    for (int g = 0; g < report->group_count; g++) {
        int times = 0;
        for (int i = 0; i < report->groups[g].count; i++)
            times += !strcmp(model, vb_json_text(report->groups[g].results[i].entry, "model"));
        if (times > 1) return true;
    }
    return false;
}

static char *label_of(const vb_report *report, const vb_section_result *it, vb_error *err) {
    const char *model = vb_json_text(it->entry, "model");
    if (!is_repeated(report, model)) return vb_strdup(model, err);
    char *name = NULL, *label = NULL;
    int shared = 1;
    for (source how = FOLDER_NAME; how <= FILE_PATH && shared > 0; how++) {
        vb_free(name);
        name = name_source(it, how, err);
        shared = name ? is_shared(report, it, how, name, err) : -1;
    }
    if (shared >= 0) label = vb_format(err, "%s (%s)", model, name);
    vb_free(name);
    return label;
}

/* "pics", and of groups of one dataset what they differ in. */
static char *title_of(const vb_report *report, int g, vb_error *err) {
    const json_t *first = report->groups[g].results[0].entry;
    bool other_classes = false, other_rule = false;
    vb_strbuf title = {0};
    for (int h = 0; h < report->group_count; h++) {
        const json_t *other = report->groups[h].results[0].entry;
        if (h == g || strcmp(vb_json_text(first, "dataset"), vb_json_text(other, "dataset")) || !are_alike(first, other))
            continue;
        if (same_classes(first, other)) other_rule = true;
        else other_classes = true;
    }
    char *dataset = vb_tables_dataset(first, err);
    if (!dataset) return NULL;
    vb_strbuf_add(&title, dataset);
    vb_free(dataset);
    if (!strcmp(vb_json_text(first, "protocol"), "sampled")) vb_strbuf_add(&title, " (protocol: sampled)");
    if (other_classes) vb_strbuf_format(&title, " (vocabularies %.8s)", vocabularies_of(first));
    if (other_rule) vb_strbuf_format(&title, " (shared_names: %s)", vb_tables_shared_names(first));
    if (!vb_strbuf_end(&title, "the report", err)) return title.bytes;
    vb_strbuf_free(&title);
    return NULL;
}

/* Names by which the reader can tell entries and groups apart. */
static int add_names(vb_report *report, vb_error *err) {
    for (int g = 0; g < report->group_count; g++) {
        vb_report_group *group = &report->groups[g];
        if (!(group->title = title_of(report, g, err))) return -1;
        for (int i = 0; i < group->count; i++)
            if (!(group->results[i].label = label_of(report, &group->results[i], err))) return -1;
    }
    return 0;
}

/* Results that are given twice would be two models. */
static int check_once(const vb_report *report, int f, vb_error *err) {
    for (int e = 0; e < f; e++)
        if (vb_path_is_same(report->folders[e].path, report->folders[f].path))
            return vb_errorf(err, VB_EUSAGE, "report: %s and %s are the same file: expected each results once",
                             report->folders[e].path, report->folders[f].path);
    return 0;
}

int vb_report_open(vb_report *report, const char *const *given, int count, vb_error *err) {
    *report = (vb_report){0};
    report->folders = vb_array((size_t)count, sizeof *report->folders, "report", err);
    if (!report->folders) return -1;
    for (int f = 0; f < count; f++) {
        report->folder_count++;
        if (vb_result_folder_open(&report->folders[f], given[f], err) || check_once(report, f, err)) return -1;
        report->result_count += (int)json_array_size(json_object_get(report->folders[f].document, "results"));
    }
    report->groups = vb_array((size_t)report->result_count, sizeof *report->groups, "report", err);
    if (!report->groups) return -1;
    for (int f = 0; f < count; f++) {
        json_t *results = json_object_get(report->folders[f].document, "results"), *entry;
        size_t i;
        json_array_foreach(results, i, entry) {
            if (add_entry(report, &report->folders[f], entry, err)) return -1;
        }
    }
    return add_names(report, err);
}

void vb_report_close(vb_report *report) {
    for (int f = 0; f < report->folder_count; f++) vb_result_folder_close(&report->folders[f]);
    for (int g = 0; g < report->group_count; g++) {
        for (int i = 0; i < report->groups[g].count; i++) vb_free(report->groups[g].results[i].label);
        vb_free(report->groups[g].results);
        vb_free(report->groups[g].title);
    }
    vb_free(report->folders);
    vb_free(report->groups);
    *report = (vb_report){0};
}
