/* Leads, by `compare`'s tests where there are records. */
#include "mpi/report/lead.h"

#include <math.h>

#include "kernels/openness/student.h"
#include "mpi/base/json.h"
#include "mpi/results/compare_runs.h"
#include "mpi/results/tables.h"

enum { TRIALS = 1000 }; /* a page is made in seconds; compare draws ten times as many */
static const double level = 0.05;

static bool pair(vb_lead *lead, const vb_section_result *first, const vb_section_result *second) {
    vb_error none = {0};
    vb_compare_runs runs;
    const vb_section_result *of[2] = {second, first}; /* differences are B - A */
    vb_compare_request request = {.allow = "prompts,preprocessing", .trials = TRIALS};
    for (int i = 0; i < 2; i++) {
        request.paths[i] = of[i]->path;
        request.models[i] = vb_json_text(of[i]->entry, "model");
        request.datasets[i] = vb_json_text(of[i]->entry, "dataset");
    }
    lead->paired = !vb_compare_runs_open(&runs, &request, &none);
    lead->failed = none.code == VB_EMEMORY;
    lead->unpaired = none.code == VB_EUNSUPPORTED;
    if (lead->paired) {
        const vb_compared *figure = &runs.result.figure[VB_ACC_E];
        lead->difference = figure->mean.difference;
        lead->error = figure->error[VB_SPREAD_CLASSES];
        lead->by_images = figure->p;
        lead->by_classes = figure->by_class.p;
        lead->on_images = lead->by_images < level;
        lead->on_classes = lead->on_images && lead->by_classes < level;
    }
    vb_compare_runs_close(&runs);
    return lead->paired;
}

vb_lead vb_lead_find(const vb_section_result *first, const vb_section_result *second) {
    vb_lead lead = {.by_images = NAN, .by_classes = NAN};
    if (pair(&lead, first, second)) return lead;
    lead.difference = vb_json_number(first->entry, "acc_e") - vb_json_number(second->entry, "acc_e");
    lead.error = hypot(vb_tables_error(first->entry, "acc_e"), vb_tables_error(second->entry, "acc_e"));
    lead.on_images = lead.on_classes = isfinite(lead.error) && fabs(lead.difference) > VB_STUDENT_NORMAL * lead.error;
    return lead;
}
