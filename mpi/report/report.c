/* The entries of several results, grouped by what they were evaluated on. */
#include "mpi/report/report.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/results/tables.h"
#include "shards/files/path.h"

static const char *vocabularies_of(const json_t *entry) {
    return vb_json_text(json_object_get(entry, "data"), "vocabularies_digest");
}

static vb_report_group *group_of(vb_report *report, const json_t *entry) {
    for (int g = 0; g < report->group_count; g++) {
        const json_t *first = report->groups[g].results[0].entry;
        if (!strcmp(vb_json_text(first, "dataset"), vb_json_text(entry, "dataset")) &&
            !strcmp(vocabularies_of(first), vocabularies_of(entry)) &&
            vb_json_integer(first, "limit") == vb_json_integer(entry, "limit"))
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
    group->results[group->count++] = (vb_section_result){.entry = entry, .document = folder->document, .folder = folder->folder};
    return 0;
}

/* Names by which the reader can tell entries and groups apart. */
static int add_names(vb_report *report, vb_error *err) {
    for (int g = 0; g < report->group_count; g++) {
        vb_report_group *group = &report->groups[g];
        const json_t *first = group->results[0].entry;
        bool alone = true;
        for (int h = 0; h < report->group_count; h++) {
            const json_t *other = report->groups[h].results[0].entry;
            alone = alone && (h == g || strcmp(vb_json_text(first, "dataset"), vb_json_text(other, "dataset")) ||
                              vb_json_integer(first, "limit") != vb_json_integer(other, "limit"));
        }
        char *dataset = vb_tables_dataset(first, err);
        if (!dataset) return -1;
        group->title = alone ? dataset : vb_format(err, "%s (vocabularies %.8s)", dataset, vocabularies_of(first));
        if (!alone) vb_free(dataset);
        if (!group->title) return -1;
        for (int i = 0; i < group->count; i++) {
            vb_section_result *it = &group->results[i];
            const char *model = vb_json_text(it->entry, "model");
            bool only = true;
            for (int k = 0; k < group->count; k++)
                only = only && (k == i || strcmp(model, vb_json_text(group->results[k].entry, "model")));
            it->label = only ? vb_strdup(model, err) : vb_format(err, "%s (%s)", model, vb_path_base_name(it->folder));
            if (!it->label) return -1;
        }
    }
    return 0;
}

int vb_report_open(vb_report *report, const char *const *given, int count, vb_error *err) {
    *report = (vb_report){0};
    report->folders = vb_array((size_t)count, sizeof *report->folders, "report", err);
    if (!report->folders) return -1;
    for (int f = 0; f < count; f++) {
        report->folder_count++;
        if (vb_result_folder_open(&report->folders[f], given[f], err)) return -1;
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
