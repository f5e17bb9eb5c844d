/* Opening a dataset on all ranks, and the survey of its labels. */
#include "mpi/encode/dataset_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/strbuf.h"
#include "mpi/encode/dataset_sets.h"
#include "mpi/encode/image_limit.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/ranks/progress.h"
#include "shards/text/names_by_id.h"

int vb_dataset_state_open_shared(vb_dataset **dataset, vb_comm *comm, const char *images, const char *class_names,
                                 vb_error *err) {
    void *block = NULL;
    size_t size = 0;
    int status = 0;
    *dataset = NULL;
    if (!comm->rank) {
        status = vb_dataset_open(dataset, images, class_names, err);
        if (!status && comm->size > 1) status = vb_dataset_export(*dataset, &block, &size, err);
    }
    status = vb_comm_agree(comm, status, err);
    if (!status && comm->size > 1) {
        status = vb_comm_broadcast_block(comm, &block, &size, err);
        if (!status && comm->rank) status = vb_dataset_import(dataset, block, size, err);
        status = vb_comm_agree(comm, status, err);
    }
    vb_free(block);
    if (status) {
        vb_dataset_close(*dataset);
        *dataset = NULL;
    }
    return status;
}

/* The texts of the labels: an array that the caller frees. */
static const char **label_texts(const vb_dataset_state *state, vb_error *err) {
    int labels = vb_dataset_labels(state->dataset);
    const char **texts = vb_array((size_t)labels, sizeof *texts, "labels", err);
    for (int i = 0; texts && i < labels; i++) texts[i] = vb_dataset_label(state->dataset, i);
    return texts;
}

static int match_labels(vb_dataset_state *state, vb_error *err) {
    const char **texts = label_texts(state, err);
    vb_label_match *match = &state->match;
    int status = texts ? vb_label_match_find(match, &state->vocabularies, texts, vb_dataset_labels(state->dataset), err) : -1;
    if (!status && match->beyond >= 0)
        status =
            vb_errorf(err, VB_EMISMATCH,
                      "dataset '%s': label %s, but '%s' has %d classes (places from 0), and no label is a class' id or name; "
                      "name the labels with class_names%s",
                      state->spec->name, texts[match->beyond], state->spec->vocabularies, state->vocabularies.classes,
                      match->from_one ? "; do they count from 1?" : "");
    vb_free(texts);
    return status;
}

/* The classes' names by id, as every rank reads them. */
static int read_class_names(vb_dataset_state *state, vb_comm *comm, vb_error *err) {
    vb_names_by_id names;
    const char *path = state->spec->names;
    int status = vb_names_by_id_read(&names, path, err);
    if (!status) status = vb_names_by_id_call(&state->vocabularies, &state->names_unused, &names, path, err);
    if (status) vb_missing_path_key("names", err);
    if (status) vb_error_prefix(err, "dataset '%s'", state->spec->name);
    state->names_digest = names.digest;
    vb_names_by_id_free(&names);
    return vb_comm_agree_same(comm, status, state->names_digest.hex, path, err);
}

/* Every rank reads them. */
static int read_sets(vb_dataset_state *state, vb_comm *comm, vb_error *err) {
    int status = vb_dataset_sets_read(&state->sets, &state->labels, state->class_images, &state->sets_digest, state->dataset,
                                      state->spec, &state->vocabularies, err);
    for (int64_t i = 0; i < state->sets.images && !status; i++) state->outside += !vb_class_sets_at(&state->sets, i).count;
    if (status) vb_missing_path_key("labels", err);
    if (status) vb_error_prefix(err, "dataset '%s'", state->spec->name);
    return vb_comm_agree_same(comm, status, vb_class_sets_digest(&state->sets).hex, state->spec->labels, err);
}

int vb_dataset_state_open(vb_dataset_state *state, vb_context *context, const vb_dataset_spec *spec, bool images, vb_error *err) {
    *state = (vb_dataset_state){.spec = spec};
    int status = vb_vocabularies_read(&state->vocabularies, spec->vocabularies, err);
    if (status) vb_missing_path_key("vocabularies", err);
    status = vb_comm_agree_same(&context->comm, status, state->vocabularies.digest.hex, spec->vocabularies, err);
    if (!status && spec->names) status = read_class_names(state, &context->comm, err);
    if (status) goto done;
    state->space = (vb_label_space){.classes = state->vocabularies.classes,
                                    .vocabularies = state->vocabularies.count,
                                    .offsets = state->vocabularies.offsets,
                                    .members = state->vocabularies.members};
    if (images) {
        status = vb_dataset_state_open_shared(&state->dataset, &context->comm, spec->images, spec->class_names, err);
        if (status) vb_error_prefix(err, "dataset '%s'", spec->name);
        if (!status && !spec->labels) status = vb_comm_agree(&context->comm, match_labels(state, err), err);
        if (status) goto done;
    }
    state->class_images = vb_array((size_t)state->space.classes, sizeof *state->class_images, "class counts", err);
    status = vb_comm_agree(&context->comm, state->class_images ? 0 : -1, err);
    if (!status && images && spec->labels) status = read_sets(state, &context->comm, err);
done:
    if (status) vb_dataset_state_close(state);
    return status;
}

void vb_dataset_state_close(vb_dataset_state *state) {
    vb_dataset_close(state->dataset);
    if (state->part_count) vb_vocabularies_joined_free(&state->joined); /* vocabularies is its copy */
    else vb_vocabularies_free(&state->vocabularies);
    vb_free(state->parts);
    vb_label_match_free(&state->match);
    vb_class_sets_free(&state->sets);
    vb_label_report_free(&state->labels);
    vb_free(state->class_images);
    vb_free(state->kept);
    *state = (vb_dataset_state){0};
}

/* What the images are of that no vocabulary has. */
static void describe_outside(vb_strbuf *text, const vb_label_report *labels, int64_t outside) {
    if (!labels) {
        vb_strbuf_format(text, "; %lld images are of other classes", (long long)outside);
        return;
    }
    long long unmatched = labels->unmatched_images, bare = outside - unmatched;
    if (unmatched) vb_strbuf_format(text, "; %lld image%s no class", unmatched, unmatched == 1 ? " matches" : "s match");
    if (labels->nearest) vb_strbuf_format(text, ": %s", labels->nearest);
    if (bare) vb_strbuf_format(text, "; %lld image%s no label", bare, bare == 1 ? " has" : "s have");
    if (labels->from_one) vb_strbuf_add(text, "; no label is 0: do they count from 1?");
}

static int no_images(const vb_dataset_state *state, int v, const vb_label_report *labels, int64_t outside, vb_error *err) {
    const vb_vocabularies *vocabularies = &state->vocabularies;
    const vb_class *first = &vocabularies->class[vocabularies->members[vocabularies->offsets[v]]];
    vb_strbuf text = {0};
    vb_strbuf_format(&text, "dataset '%s': vocabulary '%s' has no images (its first class: '%s'%s%s", state->spec->name,
                     vocabularies->names[v], first->name, first->id ? ", id " : "", first->id ? first->id : "");
    if (state->dataset && !vb_dataset_labels(state->dataset))
        vb_strbuf_format(&text, "; none of the %lld images has a label (.cls, or a key such as label in .json)",
                         (long long)vb_dataset_samples(state->dataset));
    else describe_outside(&text, labels, outside);
    for (int i = 0; state->dataset && i < vb_dataset_labels(state->dataset) && i < 5; i++)
        vb_strbuf_format(&text, "%s'%.30s'", i ? ", " : "; labels of the data: ", vb_dataset_label(state->dataset, i));
    int status = vb_strbuf_end(&text, "a message", err);
    if (!status) status = vb_errorf(err, VB_EMISMATCH, "%s)", text.bytes);
    vb_strbuf_free(&text);
    return status;
}

int vb_dataset_state_check_images(const vb_dataset_state *state, const int64_t *class_images, const vb_label_report *labels,
                                  int64_t outside, vb_error *err) {
    const vb_vocabularies *vocabularies = &state->vocabularies;
    for (int v = 0; v < vocabularies->count; v++) {
        int64_t images = 0;
        for (int i = vocabularies->offsets[v]; i < vocabularies->offsets[v + 1]; i++)
            images += class_images[vocabularies->members[i]];
        if (!images) return no_images(state, v, labels, outside, err);
    }
    return 0;
}

int vb_dataset_state_check_labels(const vb_dataset_state *state, const vb_label_report *labels, vb_error *err) {
    if (!labels->fault || state->spec->on_unmatched == VB_ON_UNMATCHED_SKIP) return 0;
    return vb_errorf(err, VB_EMISMATCH, "dataset '%s' and %s: %s", state->spec->name, state->spec->vocabularies, labels->fault);
}

int vb_dataset_state_judge(const vb_dataset_state *state, vb_error *err) {
    if (vb_dataset_state_check_images(state, state->class_images, &state->labels, state->outside, err)) return -1;
    return vb_dataset_state_check_labels(state, &state->labels, err);
}

static int survey_unit(const vb_dataset_state *state, int64_t unit, int64_t *counts, vb_error *err) {
    vb_unit_data data = {0};
    if (vb_dataset_read_unit_labels(state->dataset, unit, &data, err)) return -1;
    for (int i = 0; i < data.count; i++) {
        int label = data.samples[i].label;
        counts[label < 0 ? state->match.labels : label]++;
    }
    vb_dataset_unit_free(&data);
    return 0;
}

/* images: of every label, then those without one. */
static int report_labels(vb_dataset_state *state, const int64_t *images, vb_error *err) {
    const vb_label_match *match = &state->match;
    state->outside = images[match->labels];
    for (int i = 0; i < match->labels; i++)
        *(match->class_of[i] < 0 ? &state->outside : &state->class_images[match->class_of[i]]) += images[i];
    const char **texts = label_texts(state, err);
    const vb_label_survey survey = {&state->vocabularies, match, texts, images, images[match->labels]};
    int status = texts ? vb_label_report_make(&state->labels, &survey, err) : -1;
    vb_free(texts);
    return status;
}

int vb_dataset_state_survey(vb_dataset_state *state, vb_context *context, vb_error *err) {
    vb_comm *comm = &context->comm;
    if (state->sets.offsets) return 0; /* counted as they were read */
    size_t count = (size_t)state->match.labels + 1;
    int64_t *counts = vb_array(count, sizeof *counts, "label counts", err);
    int status = counts ? 0 : -1;
    vb_progress progress;
    vb_progress_start(&progress, context, "labels", state->spec->name, "units", vb_dataset_units(state->dataset));
    for (int64_t u = comm->rank; !status && u < vb_dataset_units(state->dataset); u += comm->size) {
        if ((status = vb_context_check_stop(context, err))) break;
        if ((status = survey_unit(state, u, counts, err))) vb_error_prefix(err, "dataset '%s'", state->spec->name);
        vb_progress_step(&progress, 1);
    }
    vb_progress_end(&progress);
    status = vb_context_barrier(context, status, err);
    if (!status) status = vb_comm_sum_to_root(comm, counts, count, err);
    if (!status) status = vb_comm_broadcast(comm, counts, count * sizeof *counts, err);
    if (!status) status = vb_comm_agree(comm, report_labels(state, counts, err), err);
    vb_free(counts);
    return status;
}

/* ---- expansions, and all together ---- */

/* Of those of its datasets in order; none where no dataset has any. */
static int join_names(vb_dataset_state *state, vb_error *err) {
    vb_digester *digester;
    bool some = false;
    if (vb_digest_new(&digester, err)) return -1;
    for (int p = 0; p < state->part_count; p++) {
        vb_digest_add_text(digester, state->parts[p]->names_digest.hex);
        some = some || *state->parts[p]->names_digest.hex;
    }
    const vb_digest digest = vb_digest_finish(digester);
    if (some) state->names_digest = digest;
    return 0;
}

int vb_dataset_state_expand(vb_dataset_state *state, const vb_dataset_state *datasets, const vb_dataset_spec *spec, bool images,
                            vb_error *err) {
    int count = spec->part_count, status = -1;
    *state = (vb_dataset_state){.spec = spec, .part_count = count};
    const vb_vocabularies **vocabularies = vb_array((size_t)count, sizeof *vocabularies, "expansion", err);
    const char **names = vb_array((size_t)count, sizeof *names, "expansion", err);
    if (!vocabularies || !names || !(state->parts = vb_array((size_t)count, sizeof *state->parts, "expansion", err))) goto done;
    for (int p = 0; p < count; p++) {
        state->parts[p] = &datasets[spec->parts[p]];
        if (state->parts[p]->sets.offsets) {
            vb_errorf(err, VB_EUNSUPPORTED,
                      "expansion '%s': the labels of dataset '%s' are sets, and expansions take images of one class each",
                      spec->name, state->parts[p]->spec->name);
            goto done;
        }
        vocabularies[p] = &state->parts[p]->vocabularies;
        names[p] = state->parts[p]->spec->name;
    }
    vb_joined *joined = &state->joined;
    if (vb_vocabularies_join(joined, spec->name, vocabularies, names, count, spec->shared_names, err)) {
        vb_error_prefix(err, "expansion '%s'", spec->name);
        goto done;
    }
    state->vocabularies = joined->vocabularies;
    state->space = (vb_label_space){.classes = state->vocabularies.classes,
                                    .vocabularies = count,
                                    .offsets = state->vocabularies.offsets,
                                    .members = state->vocabularies.members,
                                    .equivalence = joined->equivalence};
    if (!(state->class_images = vb_array((size_t)state->space.classes, sizeof *state->class_images, "class counts", err)))
        goto done;
    for (int p = 0; p < count; p++) {
        state->outside += state->parts[p]->outside;
        state->beyond += state->parts[p]->beyond;
        state->names_unused += state->parts[p]->names_unused;
        state->limit = state->parts[p]->limit;
        for (int c = 0; c < state->parts[p]->space.classes; c++) {
            int class = joined->class_of[p][c];
            *(class < 0 ? &state->outside : &state->class_images[class]) += state->parts[p]->class_images[c];
        }
    }
    status = join_names(state, err);
    if (!status && images) status = vb_dataset_state_check_images(state, state->class_images, NULL, state->outside, err);
done:
    vb_free(vocabularies);
    vb_free(names);
    return status;
}

int vb_dataset_state_open_all(vb_dataset_state **out, vb_context *context, const vb_experiment *experiment, vb_error *err) {
    const bool encoded = vb_experiment_encodes(experiment);
    vb_dataset_state *datasets = *out = vb_array((size_t)experiment->dataset_count, sizeof *datasets, "datasets", err);
    if (vb_comm_agree(&context->comm, datasets ? 0 : -1, err)) return -1;
    for (int d = 0; d < experiment->dataset_count; d++) {
        const vb_dataset_spec *spec = &experiment->datasets[d];
        if (spec->part_count) {
            if (vb_comm_agree(&context->comm, vb_dataset_state_expand(&datasets[d], datasets, spec, encoded, err), err))
                return -1;
        } else if (vb_dataset_state_open(&datasets[d], context, spec, encoded, err) ||
                   (encoded && (vb_dataset_state_survey(&datasets[d], context, err) ||
                                vb_comm_agree(&context->comm, vb_dataset_state_judge(&datasets[d], err), err))) ||
                   vb_image_limit_apply(&datasets[d], context, experiment->limit, err))
            return -1;
    }
    return 0;
}

void vb_dataset_state_close_all(vb_dataset_state *datasets, const vb_experiment *experiment) {
    for (int d = 0; datasets && d < experiment->dataset_count; d++)
        if (datasets[d].spec) vb_dataset_state_close(&datasets[d]);
    vb_free(datasets);
}

int vb_dataset_state_notes(const vb_dataset_state *state, vb_strings *notes, vb_error *err) {
    enum { MOST = 5 };
    const vb_vocabularies *vocabularies = &state->vocabularies;
    int status = 0;
    for (int i = 0; i < vocabularies->duplicates && i < MOST && !status; i++)
        status = vb_strings_add(notes, vocabularies->duplicate_notes[i], err);
    if (!status && vocabularies->duplicates > MOST)
        status = vb_strings_take(notes, vb_format(err, "%d more class names occur twice", vocabularies->duplicates - MOST), err);
    for (size_t i = 0; i < state->labels.notes.count && !status; i++)
        status = vb_strings_add(notes, state->labels.notes.items[i], err);
    return status;
}

vb_dataset_sizes vb_dataset_state_measure(const vb_dataset_state *state) {
    vb_dataset_sizes sizes = {0};
    const vb_dataset_state *const *parts = state->part_count ? state->parts : (const vb_dataset_state *const[]){state};
    for (int p = 0; p < (state->part_count ? state->part_count : 1); p++) {
        const vb_dataset *dataset = parts[p]->dataset;
        if (!dataset) continue;
        sizes.images += vb_dataset_samples(dataset) - parts[p]->beyond;
        sizes.units += vb_dataset_units(dataset);
        sizes.bytes += (int64_t)vb_dataset_bytes(dataset);
        if (vb_dataset_unit_samples(dataset) > sizes.unit_images) sizes.unit_images = vb_dataset_unit_samples(dataset);
    }
    return sizes;
}
