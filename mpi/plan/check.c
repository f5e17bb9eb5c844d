/* A run's inputs, opened without running. Each step leaves a finding; only what later steps need is kept. */
#include "mpi/plan/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/adversarial/adversarial.h"
#include "mpi/evaluate/candidates.h"
#include "mpi/base/output_lock.h"
#include "mpi/encode/classifier.h"
#include "mpi/encode/image_limit.h"
#include "mpi/encode/image_source.h"
#include "mpi/plan/check_corpus.h"
#include "mpi/plan/check_pair.h"
#include "mpi/plan/plan.h"
#include "shards/files/path.h"

typedef struct check {
    const vb_experiment *experiment;
    const vb_check_machine *machine;
    vb_findings *findings;
    vb_context *alone;
    vb_dataset_state *datasets; /* `spec` NULL: could not be opened */
} check;

enum { WHERE = 160 };

static void name_thing(char where[WHERE], const char *kind, const char *name) { snprintf(where, WHERE, "%s '%s'", kind, name); }

/* ---- the output folder ---- */

/* The folder itself, or what is nearest above it and exists. */
static char *nearest_folder(const char *path, vb_error *err) {
    char *folder = vb_format(err, "%s", path);
    while (folder && !vb_path_exists(folder)) {
        char *slash = strrchr(folder, '/');
        if (!slash) {
            vb_free(folder);
            return vb_format(err, ".");
        }
        if (slash == folder) slash++;
        *slash = 0;
    }
    return folder;
}

static void check_folder(check *all, const char *where, const char *path) {
    vb_error err = {0};
    char *folder = nearest_folder(path, &err);
    if (!folder) vb_findings_take(all->findings, where, &err);
    else if (!vb_path_is_folder(folder)) {
        vb_errorf(&err, VB_EOUTPUT, "%s: expected a folder, or nothing yet; %s is another kind of file", path, folder);
        vb_findings_take(all->findings, where, &err);
    } else if (access(folder, W_OK | X_OK)) {
        vb_errorf(&err, VB_EOUTPUT, "%s: nothing can be written into %s", path, folder);
        vb_findings_take(all->findings, where, &err);
    } else vb_findings_add(all->findings, VB_FINDING_OK, where, "%s can be written", path);
    vb_free(folder);
}

static void check_output(check *all) {
    const vb_experiment *experiment = all->experiment;
    vb_error err = {0};
    char *results = vb_format(&err, "%s/results.json", experiment->output);
    check_folder(all, "output", experiment->output);
    if (vb_output_lock_look(experiment->output, all->machine->environment, &err)) vb_findings_take(all->findings, "output", &err);
    if (results && vb_path_exists(results))
        vb_findings_add(
            all->findings, VB_FINDING_NOTE, "output",
            "%s is there already; a run replaces it, or keeps it under another name when its configuration is another", results);
    size_t n = strlen(experiment->output);
    bool inside = !strncmp(experiment->cache, experiment->output, n) && experiment->cache[n] == '/';
    if (!inside) check_folder(all, "cache", experiment->cache);
    vb_free(results);
}

/* ---- datasets ---- */

/* Decodes some images of the first, the middle and the last unit, of those that have a class and are not beyond the limit: a run
 * reads no others. Says what it would stop at: the first that is broken, and how many more of those that were tried. */
static void check_images(check *all, const char *where, const vb_dataset_state *state) {
    enum { TRIED = 16 };
    const int64_t units = vb_dataset_units(state->dataset), chosen[3] = {0, units / 2, units - 1};
    int broken = 0, tried = 0, read[VB_UNIT_SAMPLES];
    vb_error first = {0};
    for (int u = 0; u < 3; u++) {
        vb_unit_data data = {0};
        vb_error err = {0};
        if (u && chosen[u] == chosen[u - 1]) continue;
        if (vb_dataset_read_unit(state->dataset, chosen[u], &data, &err)) {
            vb_findings_take(all->findings, where, &err);
            continue;
        }
        const int64_t start = vb_dataset_unit(state->dataset, chosen[u]).first;
        int count = 0;
        for (int i = 0; i < data.count; i++)
            if (vb_dataset_state_class(state, start + i, data.samples[i].label) >= 0 && (!state->kept || state->kept[start + i]))
                read[count++] = i;
        const int step = count > TRIED ? count / TRIED : 1;
        for (int i = 0; i < count; i += step) {
            vb_image image = {0};
            tried++;
            if (vb_dataset_sample_decode(&data.samples[read[i]], &image, &err) && !broken++) first = err;
            vb_free(image.pixels);
        }
        vb_dataset_unit_free(&data);
    }
    if (!broken) vb_findings_add(all->findings, VB_FINDING_OK, where, "%d images were decoded", tried);
    else if (state->spec->on_error == VB_ON_ERROR_SKIP)
        vb_findings_add(all->findings, VB_FINDING_NOTE, where,
                        "%d of %d images that were tried cannot be decoded (on_error: skip): %s", broken, tried, first.text);
    else {
        vb_error_prefix(&first, "%d of %d images that were tried cannot be decoded (on_error: skip would leave them out)", broken,
                        tried);
        vb_findings_take(all->findings, where, &first);
    }
}

/* How the labels were resolved, what of them matches no class, and whether a run would stop at that. */
static void check_labels(check *all, const char *where, const vb_dataset_state *state) {
    const int64_t *by = state->labels.counts.by;
    vb_error err = {0};
    vb_findings_add(all->findings, VB_FINDING_OK, where, "labels: %lld are ids, %lld names, %lld places in the vocabulary file",
                    (long long)by[VB_LABEL_BY_ID], (long long)by[VB_LABEL_BY_NAME], (long long)by[VB_LABEL_BY_POSITION]);
    vb_strings notes = {0};
    if (vb_dataset_state_notes(state, &notes, &err)) vb_findings_take(all->findings, where, &err);
    for (size_t i = 0; i < notes.count; i++) vb_findings_add(all->findings, VB_FINDING_NOTE, where, "%s", notes.items[i]);
    vb_strings_free(&notes);
    if (vb_dataset_state_judge(state, &err)) vb_findings_take(all->findings, where, &err);
}

static void check_dataset(check *all, int d, bool images) {
    const vb_dataset_spec *spec = &all->experiment->datasets[d];
    vb_dataset_state *state = &all->datasets[d];
    char where[WHERE];
    vb_error err = {0};
    name_thing(where, spec->part_count ? "expansion" : "dataset", spec->name);
    int status;
    if (spec->part_count) {
        for (int p = 0; p < spec->part_count; p++)
            if (!all->datasets[spec->parts[p]].spec) return; /* which has been said */
        status = vb_dataset_state_expand(state, all->datasets, spec, images, &err);
    } else {
        status = vb_dataset_state_open(state, all->alone, spec, images, &err);
        if (!status && images) status = vb_dataset_state_survey(state, all->alone, &err);
        if (!status) status = vb_image_limit_apply(state, all->alone, all->experiment->limit, &err);
    }
    if (status) {
        vb_findings_take(all->findings, where, &err);
        vb_dataset_state_close(state);
        return;
    }
    vb_dataset_sizes sizes = vb_dataset_state_measure(state);
    if (!images)
        vb_findings_add(all->findings, VB_FINDING_OK, where, "%d classes in %d vocabularies", state->space.classes,
                        state->space.vocabularies);
    else
        vb_findings_add(all->findings, VB_FINDING_OK, where, "%lld images%s of %d classes in %d vocabularies%s%s",
                        (long long)(sizes.images - state->outside), state->limit ? " (limit)" : "", state->space.classes,
                        state->space.vocabularies, spec->part_count ? "" : "; ",
                        spec->part_count ? "" : vb_dataset_kind(state->dataset));
    if (!images || spec->part_count) return;
    vb_error none;
    char *passed = vb_dataset_ignored(state->dataset) ? vb_dataset_ignored_text(state->dataset, &none) : NULL;
    if (passed) vb_findings_add(all->findings, VB_FINDING_NOTE, where, "%s", passed);
    vb_free(passed);
    check_labels(all, where, state);
    check_images(all, where, state);
}

static void check_datasets(check *all) {
    const bool images = vb_experiment_encodes(all->experiment);
    for (int d = 0; d < all->experiment->dataset_count; d++) check_dataset(all, d, images);
}

/* ---- models ---- */

/* "resize squash (config.json), ...": what did not follow from the tensors or the family alone. */
static void list_facts(const vb_model *model, char *text, size_t size) {
    size_t n = 0;
    text[0] = 0;
    for (int f = 0; f < VB_FACTS; f++) {
        const char *source = model->facts.source[f];
        char value[120];
        if (!source || !strcmp(source, "family") || !strcmp(source, "tensors")) continue;
        vb_facts_print(&model->facts, vb_clip_describe(model->clip), (vb_fact)f, value, sizeof value);
        if (n < size)
            n += (size_t)snprintf(text + n, size - n, "%s%s %s (%s)", n ? ", " : "; ", vb_facts_name((vb_fact)f), value, source);
    }
}

static void check_model(check *all, const vb_model_spec *spec) {
    char where[WHERE], facts[700];
    vb_model model = {0};
    vb_error err = {0};
    name_thing(where, "model", spec->name);
    const bool encoded = spec->family != VB_PRECOMPUTED;
    if (encoded) {
        if (vb_model_open(&model, all->alone, spec, true, 1, NULL, &err)) {
            vb_findings_take(all->findings, where, &err);
            return;
        }
        const vb_clip_info *info = vb_clip_describe(model.clip);
        list_facts(&model, facts, sizeof facts);
        char sees[48];
        if (info->max_patches) snprintf(sees, sizeof sees, "up to %d patches", info->max_patches);
        else snprintf(sees, sizeof sees, "%d", info->resolution);
        vb_findings_add(all->findings, VB_FINDING_OK, where, "%s: %s at %s, %d dimensions, context %d%s", model.family->name,
                        info->tower, sees, info->embed_dim, info->context_length, facts);
    }
    for (int d = 0; d < all->experiment->dataset_count; d++) {
        const vb_dataset_state *data = &all->datasets[d];
        if (data->spec && vb_experiment_covers(all->experiment, spec, data->spec))
            vb_check_pair(all->experiment, spec, encoded ? &model : NULL, data, all->alone, all->findings);
    }
    if (encoded) vb_model_close(&model);
}

/* ---- corpora, candidates, ranks, memory, disk ---- */

/* *pool: of the names; close it with vb_candidates_free. Whether there is one. */
static bool check_names(check *all, const char *where, const vb_names_spec *spec, int64_t least, vb_candidates *pool) {
    vb_error err = {0};
    *pool = (vb_candidates){0};
    if (!spec->asked) return false;
    if (vb_candidates_open(pool, spec, least, &err)) {
        vb_findings_take(all->findings, where, &err);
        return false;
    }
    vb_findings_add(all->findings, VB_FINDING_OK, where, "%d names, excluded by %s", pool->count, pool->excluded_by);
    return true;
}

static void check_open_curve(check *all) {
    vb_candidates pool;
    check_names(all, "open_curve", &all->experiment->open_curve.pool, 1, &pool);
    vb_candidates_free(&pool);
}

static void check_synonyms(check *all) {
    const vb_prompt_spread_spec *spec = &all->experiment->prompt_spread;
    vb_wordnet *wordnet;
    vb_error err = {0};
    if (!spec->synonyms) return;
    if (vb_wordnet_open(&wordnet, spec->wordnet, &err)) vb_findings_take(all->findings, "prompt_spread", &err);
    else
        vb_findings_add(all->findings, VB_FINDING_OK, "prompt_spread", "%s: %zu nouns", spec->wordnet,
                        vb_wordnet_lemmas(wordnet));
    vb_wordnet_close(wordnet);
}

/* Of a dataset the vocabularies that are attacked. pool: NULL where there is none. */
static void check_targets(check *all, const vb_dataset_state *state, const vb_candidates *pool) {
    const vb_adversarial_spec *spec = &all->experiment->adversarial;
    const vb_vocabularies *vocabularies = &state->vocabularies;
    const int wanted = spec->target_count;
    for (int t = 0; t < (wanted ? wanted : vocabularies->count); t++) {
        vb_error err = {0};
        const int v = wanted ? vb_adversarial_target(spec, t, vocabularies, state->spec->vocabularies, &err) : t;
        if (v < 0 || (pool && vb_adversarial_check_target(spec, pool, vocabularies, v, &err)))
            vb_findings_take(all->findings, "adversarial", &err);
    }
}

static void check_adversarial(check *all) {
    const vb_adversarial_spec *spec = &all->experiment->adversarial;
    vb_candidates pool;
    const bool open = check_names(all, "adversarial", &spec->pool, spec->k, &pool);
    for (int d = 0; d < all->experiment->dataset_count && spec->pool.asked; d++) {
        const vb_dataset_state *state = &all->datasets[d];
        if (state->spec && !state->part_count && !state->spec->left_out) check_targets(all, state, open ? &pool : NULL);
    }
    vb_candidates_free(&pool);
}

static void check_sizes(check *all) {
    const vb_check_machine *machine = all->machine;
    vb_plan_sizes sizes;
    vb_error err = {0};
    if (vb_plan(all->experiment, machine->ranks, machine->ranks_a_node, false, &sizes, &err)) {
        vb_findings_take(all->findings, "plan", &err);
        return;
    }
    double node = (double)sizes.node_weights + (double)machine->ranks_a_node * (double)sizes.memory_a_rank,
           memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    vb_findings_add(all->findings, node > memory ? VB_FINDING_NOTE : VB_FINDING_OK, "memory",
                    "%d rank%s a node take about %.2f GB; this machine has %.2f GB", machine->ranks_a_node,
                    machine->ranks_a_node == 1 ? "" : "s", node * 1e-9, memory * 1e-9);
    if (sizes.units < machine->ranks)
        vb_findings_add(all->findings, VB_FINDING_NOTE, "ranks",
                        "%d rank%s for %lld units of images: some have nothing to encode", machine->ranks,
                        machine->ranks == 1 ? "" : "s", (long long)sizes.units);
    char *folder = nearest_folder(all->experiment->cache, &err);
    int64_t space;
    if (!folder || vb_path_free_space(folder, &space, &err)) vb_findings_take(all->findings, "disk", &err);
    else if ((double)sizes.write_bytes > (double)space) {
        vb_errorf(&err, VB_EOUTPUT, "%s: embeddings take about %.2f GB, but %.2f GB are free", all->experiment->cache,
                  (double)sizes.write_bytes * 1e-9, (double)space * 1e-9);
        vb_findings_take(all->findings, "disk", &err);
    } else
        vb_findings_add(all->findings, VB_FINDING_OK, "disk", "embeddings take about %.2f GB of the %.2f GB that are free",
                        (double)sizes.write_bytes * 1e-9, (double)space * 1e-9);
    vb_free(folder);
}

/* Whether a model retrieves from the corpus: a run opens no other. */
static bool is_used(const vb_experiment *experiment, const vb_corpus_spec *corpus) {
    for (int m = 0; m < experiment->model_count; m++) {
        const vb_retrieval_spec *retrieval = vb_experiment_retrieval(experiment, &experiment->models[m]);
        if (!experiment->models[m].left_out && retrieval && vb_experiment_find_corpus(experiment, retrieval->corpus) == corpus)
            return true;
    }
    return false;
}

int vb_check(const vb_experiment *experiment, const vb_check_machine *machine, vb_findings *findings, vb_error *err) {
    vb_context alone = {.started = vb_live_now()};
    check all = {.experiment = experiment, .machine = machine, .findings = findings, .alone = &alone};
    if (vb_comm_open_alone(&alone.comm, err)) return -1;
    all.datasets = vb_array((size_t)experiment->dataset_count, sizeof *all.datasets, "datasets", err);
    int status = all.datasets ? 0 : -1;
    if (!status) {
        if (!machine->inputs_alone) check_output(&all);
        check_datasets(&all);
        for (int m = 0; m < experiment->model_count; m++)
            if (!experiment->models[m].left_out) check_model(&all, &experiment->models[m]);
        for (int c = 0; c < experiment->corpus_count; c++)
            if (is_used(experiment, &experiment->corpora[c]))
                vb_check_corpus(experiment, &experiment->corpora[c], &alone, findings);
        check_adversarial(&all);
        check_open_curve(&all);
        check_synonyms(&all);
        if (!findings->count[VB_FINDING_ERROR] && !machine->inputs_alone) check_sizes(&all);
    }
    vb_dataset_state_close_all(all.datasets, experiment);
    vb_comm_close(&alone.comm);
    return status;
}
