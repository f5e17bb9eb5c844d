/* Results, and stated settings that have the analysis. */
#include "mpi/analyse/shown_rows.h"

#include <stdint.h>

#include "kernels/base/memory.h"

/* The setting that was stated beforehand, when it has the analysis; else NULL. */
static const json_t *stated_setting(const json_t *entry, const char *analysis) {
    const json_t *setting, *list = json_object_get(json_object_get(entry, "retrieval"), "results");
    for (size_t i = 0; (setting = json_array_get(list, i)); i++)
        if (json_is_true(json_object_get(setting, "stated")))
            return json_object_get(json_object_get(setting, "analyses"), analysis) ? setting : NULL;
    return NULL;
}

int vb_shown_rows_open(vb_section_subject *rows, const vb_section_subject *subject, const char *analysis, vb_error *err) {
    vb_section_result *list = vb_array(2 * (size_t)subject->count, sizeof *list, "rows of a section", err);
    *rows = (vb_section_subject){.title = subject->title, .results = list};
    if (!list) return -1;
    for (int m = 0; m < subject->count; m++) {
        const vb_section_result *its = &subject->results[m];
        const json_t *setting = stated_setting(its->entry, analysis);
        list[rows->count] = *its;
        if (!(list[rows->count++].label = vb_strdup(its->label, err))) return -1;
        if (!setting) continue;
        list[rows->count] = *its;
        list[rows->count].entry = setting;
        if (!(list[rows->count++].label = vb_format(err, "%s + REPE", its->label))) return -1;
    }
    return 0;
}

void vb_shown_rows_close(vb_section_subject *rows) {
    for (int m = 0; m < rows->count; m++) vb_free(rows->results[m].label);
    vb_free((void *)(uintptr_t)rows->results);
    *rows = (vb_section_subject){.count = 0};
}
