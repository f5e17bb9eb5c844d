/* Pairs: shapes and labels of precomputed embeddings, prompts of encoded ones. */
#include "mpi/plan/check_pair.h"

#include <stdio.h>

#include "mpi/adversarial/adversarial.h"
#include "mpi/analyse/analyses.h"
#include "mpi/encode/classifier.h"
#include "mpi/encode/pair_inputs.h"

/* What the engine, the analyses and adversarial names need; whether it is there. */
static bool check_needs(const char *where, const vb_analysis_subject *its, vb_findings *findings) {
    vb_error engine = {0}, analyses = {0}, adversarial = {0};
    const bool judged = !vb_evaluate_check(its->experiment, its->spec, its->data, its->sets, &engine),
               fit = !vb_analyses_check(its, &analyses),
               taken = !vb_adversarial_check(its->experiment, its->spec, its->model, its->dim, its->data, &adversarial);
    if (!judged) vb_findings_take(findings, where, &engine);
    if (!fit) vb_findings_take(findings, where, &analyses);
    if (!taken) vb_findings_take(findings, where, &adversarial);
    return judged && fit && taken;
}

static void check_precomputed(const char *where, const vb_experiment *experiment, const vb_model_spec *spec,
                              const vb_dataset_state *data, vb_context *alone, vb_findings *findings) {
    vb_pair_inputs inputs;
    vb_error err = {0};
    const vb_encoding how = {.context = alone,
                             .batch = (int)experiment->batch,
                             .threads = 1,
                             .text_rules = experiment->text_rules};
    const int status = vb_pair_inputs_open(&inputs, &how, experiment, spec, data, false, &err);
    const vb_analysis_subject subject = {
        experiment,           spec, NULL, inputs.classifier.dim, data, status ? NULL : vb_image_source_sets(&inputs.source),
        inputs.source.classes};
    if (status) vb_findings_take(findings, where, &err);
    else if (check_needs(where, &subject, findings))
        vb_findings_add(findings, inputs.classifier.faults.equal ? VB_FINDING_NOTE : VB_FINDING_OK, where,
                        "%lld images and %d classes of %d dimensions; %lld classes are the same as another one%s%s",
                        (long long)inputs.source.images, inputs.classifier.classes, inputs.source.dim,
                        (long long)inputs.classifier.faults.equal, inputs.classifier.faults.equal ? ", such as " : "",
                        inputs.classifier.faults.equal_example);
    vb_pair_inputs_close(&inputs);
}

/* Of an expansion: whether classes of different parts have the same texts; each part's own texts have been looked at. */
static void check_encoded(const char *where, const vb_experiment *experiment, const vb_model *model, const vb_dataset_state *data,
                          vb_context *alone, vb_findings *findings) {
    const bool joined = data->part_count;
    vb_text_faults faults;
    vb_error err = {0};
    vb_encoding how = {.context = alone, .model = model, .threads = 1, .text_rules = experiment->text_rules};
    if (joined) how.text_rules.cut = VB_ON_FAULT_ALLOW;
    if (vb_classifier_look(&how, data, &faults, &err)) {
        vb_findings_take(findings, where, &err);
        return;
    }
    if (faults.cut && !joined)
        vb_findings_add(findings, VB_FINDING_NOTE, where, "%lld of %lld texts are cut by the context of %d, such as %s",
                        (long long)faults.cut, (long long)faults.texts, vb_clip_describe(model->clip)->context_length,
                        faults.cut_example);
    if (faults.equal)
        vb_findings_add(findings, VB_FINDING_NOTE, where, "%lld classes have the same texts as another one, such as %s",
                        (long long)faults.equal, faults.equal_example);
    if (joined && !faults.equal) vb_findings_add(findings, VB_FINDING_OK, where, "no two classes the same");
    else if (!faults.cut && !faults.equal)
        vb_findings_add(findings, VB_FINDING_OK, where, "%lld texts, none cut, no two classes the same", (long long)faults.texts);
}

void vb_check_pair(const vb_experiment *experiment, const vb_model_spec *spec, const vb_model *model,
                   const vb_dataset_state *data, vb_context *alone, vb_findings *findings) {
    char where[256];
    snprintf(where, sizeof where, "'%s' on '%s'", spec->name, data->spec->name);
    const vb_class_sets *sets = data->sets.offsets ? &data->sets : NULL; /* of images that are encoded */
    if (model) check_needs(where, &(vb_analysis_subject){experiment, spec, model, 0, data, sets, NULL}, findings);
    if (!model) check_precomputed(where, experiment, spec, data, alone, findings);
    else if (!data->part_count || (spec->prompts.count && !spec->coop)) /* or the parts' prompts may differ */
        check_encoded(where, experiment, model, data, alone, findings);
}
