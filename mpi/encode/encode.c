/* Decode, preprocess, encode: one rank's part of the work, in batches of bounded memory. */
#include "mpi/encode/encode.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/ranks/comm.h"
#include "shards/images/image.h"

/* `key` is "reason" of a broken sample, "remark" of one that was read although something was wrong with it. */
static int note_sample(json_t **skipped, const char *name, int row, const char *key, const char *text, vb_error *err) {
    char number[64]; /* a name that is not UTF-8 is still listed */
    snprintf(number, sizeof number, "sample %d of the unit (its name is not UTF-8)", row);
    vb_json json = {0};
    if (!*skipped) *skipped = vb_json_array(&json);
    json_t *entry = vb_json_object(&json);
    vb_json_set(&json, entry, "sample", vb_json_text_or(&json, name, number));
    vb_json_set_integer(&json, entry, "row", row);
    vb_json_set(&json, entry, key, vb_json_text_or(&json, text, "broken (the reason is not UTF-8)"));
    if (!strcmp(key, "reason")) vb_json_set_integer(&json, entry, "decoders", VB_IMAGE_DECODERS);
    vb_json_append(&json, *skipped, entry);
    return vb_json_end(&json, "the list of skipped samples", err);
}

const json_t *vb_encode_broken(const json_t *skipped, int64_t *count, bool *current) {
    size_t i;
    json_t *entry;
    const json_t *first = NULL;
    *count = 0;
    *current = true;
    json_array_foreach((json_t *)skipped, i, entry) {
        if (!json_object_get(entry, "reason")) continue;
        if (!first) first = entry;
        ++*count;
        if (vb_json_integer(entry, "decoders") != VB_IMAGE_DECODERS) *current = false;
    }
    return first;
}

int vb_encode_cached(const vb_cache *cache, const vb_digest *unit, int n, int dim, float *rows, bool *found, json_t **skipped,
                     vb_error *err) {
    int64_t broken;
    bool current;
    if (vb_cache_load(cache, unit, n, dim, rows, found, skipped, err)) return -1;
    vb_encode_broken(*skipped, &broken, &current);
    if (!*found || current) return 0;
    json_decref(*skipped);
    *skipped = NULL;
    *found = false;
    return 0;
}

int vb_encode_allow(const vb_encoding *how, const json_t *skipped, vb_error *err) {
    int64_t broken;
    bool current;
    const json_t *first = vb_encode_broken(skipped, &broken, &current);
    if (!first || how->skip_broken) return 0;
    return vb_errorf(err, VB_EDATA, "%s", vb_json_text(first, "reason"));
}

/* The entry of an image's outcome, if it needs one. */
static int note_outcome(json_t **skipped, const vb_pipeline_outcome *outcome, const char *name, int row, vb_error *err) {
    if (outcome->failed) return note_sample(skipped, name, row, "reason", outcome->error.text, err);
    return outcome->remark[0] ? note_sample(skipped, name, row, "remark", outcome->remark, err) : 0;
}

int vb_encode_note_outcomes(const vb_pipeline_unit *unit, int row_of_first, json_t **skipped, vb_error *err) {
    int status = 0;
    for (int i = 0; i < unit->count && !status; i++)
        status = note_outcome(skipped, &unit->outcomes[i], unit->names[i], row_of_first + i, err);
    return status;
}

/* ---- pixels alone ---- */

static void preprocess_sample(const vb_sample_decoder *decoder, const vb_sample *sample, const vb_encode_pixels *to, int index,
                              vb_pipeline_outcome *outcome) {
    const vb_preprocess *spec = decoder->spec;
    const size_t size = vb_preprocess_floats(spec);
    float *pixels = to->pixels + (size_t)index * size;
    vb_sample_pixels made;
    outcome->failed = to->broken[index] = vb_sample_pixels_make(decoder, sample, &made, &outcome->error) != 0;
    if (outcome->failed) memset(pixels, 0, size * sizeof *pixels);
    else vb_preprocess_normalise(spec, &made.square, pixels);
    if (spec->max_patches) to->grids[index] = outcome->failed ? (vb_patch_grid){1, 1} : made.grid;
    memcpy(outcome->remark, made.remark, sizeof outcome->remark);
    if (!outcome->failed) vb_free(made.square.pixels);
}

int vb_encode_preprocess(const vb_encoding *how, const vb_preprocess *spec, const vb_encode_batch *batch,
                         const vb_encode_pixels *to, json_t **skipped, vb_error *err) {
    const vb_sample *samples = batch->data->samples;
    const int *picked = batch->picked, n = batch->count;
    vb_pipeline_outcome *outcomes = vb_array((size_t)n, sizeof *outcomes, "decoding", err);
    if (!outcomes) return -1;
    vb_decode_budget budget;
    vb_decode_budget_open(&budget, how->decode_memory);
    const vb_sample_decoder decoder = {.spec = spec, .budget = &budget};
#pragma omp parallel for num_threads(how->threads) schedule(dynamic) if (how->threads > 1)
    for (int i = 0; i < n; i++) preprocess_sample(&decoder, &samples[picked[i]], to, i, &outcomes[i]);
    vb_decode_budget_close(&budget);
    int status = 0;
    for (int i = 0; i < n && !status; i++) {
        const bool stops = outcomes[i].failed && (!how->skip_broken || !vb_sample_pixels_is_broken(&outcomes[i].error));
        if (!stops) status = note_outcome(skipped, &outcomes[i], samples[picked[i]].name, batch->row_of_first + i, err);
        else {
            if (err) *err = outcomes[i].error;
            status = -1;
        }
    }
    vb_free(outcomes);
    return status;
}

/* ---- embeddings ---- */

static int encode_pictures(void *context, const float *pixels, const vb_patch_grid *grids, int n, float *out, vb_error *err) {
    const vb_encoding *how = context;
    return vb_clip_encode_pictures(how->model->clip, pixels, grids, n, out, err);
}

static int encode_bytes(void *context, const uint8_t *bytes, int n, float *out, vb_error *err) {
    const vb_encoding *how = context;
    float values[VB_PREPROCESS_VALUES];
    vb_preprocess_values(&how->model->facts.preprocess, values);
    return vb_clip_encode_bytes(how->model->clip, bytes, values, n, out, err);
}

/* Lets MPI serve other ranks, and looks whether to stop. */
static int look(void *context, vb_error *err) {
    const vb_encoding *how = context;
    vb_comm_progress();
    return vb_context_check_stop(how->context, err);
}

vb_pipeline_options vb_encode_pipeline_options(const vb_encoding *how, int64_t images) {
    const vb_preprocess *spec = &how->model->facts.preprocess;
    void *context = (void *)(uintptr_t)how; /* only read */
    const bool takes_bytes = vb_clip_takes_bytes(how->model->clip);
    const int batch = vb_model_batch(how->model, how->context, how->batch);
    return (vb_pipeline_options){.engine = {.encode = encode_pictures,
                                            .encode_bytes = takes_bytes ? encode_bytes : NULL,
                                            .context = context,
                                            .floats = vb_preprocess_floats(spec),
                                            .dim = vb_clip_describe(how->model->clip)->embed_dim},
                                 .spec = spec,
                                 .batch = images < 1     ? 1 :
                                          images < batch ? (int)images :
                                                           batch,
                                 .threads =
                                     how->threads + (vb_model_is_lent_to(how->model, how->context) ? how->context->lent : 0),
                                 .decode_memory = how->decode_memory,
                                 .look = look,
                                 .look_context = context};
}

/* The only unit of a pipeline is there already. */
static int prepare_lone(void *context, int64_t number, vb_pipeline_unit *unit, vb_error *err) {
    (void)number;
    (void)err;
    *unit = *(const vb_pipeline_unit *)context;
    return 0;
}

static void keep_lone(void *context, vb_pipeline_unit *unit) {
    (void)context;
    (void)unit;
}

int vb_encode_unit(const vb_encoding *how, vb_pipeline_unit *unit, vb_error *err) {
    const vb_pipeline_options options = vb_encode_pipeline_options(how, unit->count);
    const vb_pipeline_source source = {
        .units = 1, .prepare = prepare_lone, .release = keep_lone, .drop = keep_lone, .context = unit};
    vb_pipeline_unit passed = {0};
    vb_pipeline *pipeline;
    int status = vb_pipeline_open(&pipeline, &options, &source, err);
    if (!status) status = vb_pipeline_next(pipeline, &passed, err);
    vb_pipeline_close(pipeline, NULL);
    unit->outcomes = passed.outcomes;
    return vb_model_check(how->model, status, err);
}

int vb_encode_samples(const vb_encoding *how, const vb_encode_batch *batch, float *out, json_t **skipped, vb_error *err) {
    const char **names = vb_array((size_t)batch->count, sizeof *names, "names of a batch", err);
    if (!names) return -1;
    for (int i = 0; i < batch->count; i++) names[i] = batch->data->samples[batch->picked[i]].name;
    vb_pipeline_unit unit = {.samples = batch->data->samples,
                             .picked = batch->picked,
                             .names = names,
                             .count = batch->count,
                             .skip_broken = how->skip_broken,
                             .images = batch->count,
                             .rows = out};
    int status = vb_encode_unit(how, &unit, err);
    if (!status) status = vb_encode_note_outcomes(&unit, batch->row_of_first, skipped, err);
    vb_free(unit.outcomes);
    vb_free(names);
    return status;
}

int vb_encode_tokenize(const vb_tokenizer *tokenizer, const char *const *texts, int64_t n, int context_length, int threads,
                       int32_t *tokens, vb_error *err) {
    int failed = 0;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1 && n > 64)
    for (int64_t i = 0; i < n; i++) {
        vb_error local;
        if (vb_tokenizer_encode(tokenizer, texts[i], strlen(texts[i]), context_length, tokens + i * context_length, NULL,
                                &local)) {
#pragma omp critical
            {
                if (!failed && err) *err = local;
                failed = 1;
            }
        }
    }
    return failed ? -1 : 0;
}

int vb_encode_is_cut(const vb_tokenizer *tokenizer, const char *text, int context_length, bool *cut, vb_error *err) {
    enum { AROUND = 4 }; /* ASCII has no more tokens than characters, but for those around it: most texts need no look */
    bool fits = true;
    size_t n = 0;
    while (text[n] && (unsigned char)text[n] < 0x80) n++;
    if (text[n] || n + AROUND > (size_t)context_length) {
        if (vb_tokenizer_fits(tokenizer, text, strlen(text), context_length, &fits, err)) return -1;
    }
    *cut = !fits;
    return 0;
}

int vb_encode_note_cut(const vb_tokenizer *tokenizer, const char *const *texts, int64_t n, int context_length, const char *source,
                       vb_error *err) {
    int64_t count = 0, first = 0;
    for (int64_t i = 0; i < n; i++) {
        bool cut;
        if (vb_encode_is_cut(tokenizer, texts[i], context_length, &cut, err)) return -1;
        if (cut && !count++) first = i;
    }
    if (count)
        fprintf(stderr,
                "vocabench: note: %lld of %lld texts of %s are longer than the context of %d tokens and were cut; the first is "
                "number %lld\n",
                (long long)count, (long long)n, source, context_length, (long long)first + 1);
    return 0;
}
