/* Decode, preprocess, encode: one rank's part of the work, in batches of bounded memory. */
#include "mpi/encode/encode.h"

#include <math.h>
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

/* What becomes of a sample of a batch. */
typedef struct outcome {
    vb_error error;
    char remark[VB_IMAGE_REMARK];
    bool later; /* too large to be decoded beside others */
} outcome;

/* Pixels of one sample; of one of more than `most` pixels (0: none is too large) none, and out->later. */
static void preprocess_sample(const vb_preprocess *spec, const vb_sample *sample, int64_t most, const vb_encode_pixels *to,
                              int index, outcome *out) {
    const size_t size = vb_preprocess_floats(spec);
    float *pixels = to->pixels + (size_t)index * size;
    bool *broken = &to->broken[index];
    vb_image image = {0};
    *broken = vb_dataset_sample_decode_within(sample, most, &image, &out->error) != 0;
    out->later = *broken && image.larger;
    if (!*broken && ((spec->max_patches && vb_preprocess_grid(spec, image.width, image.height, &to->grids[index], &out->error)) ||
                     vb_preprocess_image(spec, &image, pixels, &out->error))) {
        vb_error_prefix(&out->error, "%s", sample->name);
        *broken = true;
    }
    if (*broken) memset(pixels, 0, size * sizeof *pixels);
    if (*broken && spec->max_patches) to->grids[index] = (vb_patch_grid){1, 1};
    if (!*broken) memcpy(out->remark, image.remark, sizeof out->remark);
    vb_free(image.pixels);
}

int vb_encode_preprocess(const vb_encoding *how, const vb_preprocess *spec, const vb_encode_batch *batch,
                         const vb_encode_pixels *to, json_t **skipped, vb_error *err) {
    const vb_sample *samples = batch->data->samples;
    const int *picked = batch->picked, n = batch->count;
    const bool *broken = to->broken;
    outcome *outcomes = vb_array((size_t)n, sizeof *outcomes, "decoding", err);
    if (!outcomes) return -1;
#pragma omp parallel for num_threads(how->threads) schedule(dynamic) if (how->threads > 1)
    for (int i = 0; i < n; i++)
        preprocess_sample(spec, &samples[picked[i]], how->threads > 1 ? VB_ENCODE_PIXELS : 0, to, i, &outcomes[i]);
    for (int i = 0; i < n; i++)
        if (outcomes[i].later) preprocess_sample(spec, &samples[picked[i]], 0, to, i, &outcomes[i]);
    int status = 0;
    for (int i = 0; i < n && !status; i++) {
        const char *name = samples[picked[i]].name;
        const int row = batch->row_of_first + i;
        if (!broken[i]) {
            if (outcomes[i].remark[0]) status = note_sample(skipped, name, row, "remark", outcomes[i].remark, err);
            continue;
        }
        /* Lack of memory is not the image's fault. */
        if (how->skip_broken && outcomes[i].error.code != VB_EMEMORY)
            status = note_sample(skipped, name, row, "reason", outcomes[i].error.text, err);
        else {
            if (err) *err = outcomes[i].error;
            status = -1;
        }
    }
    vb_free(outcomes);
    return status;
}

int vb_encode_samples(const vb_encoding *how, const vb_encode_batch *batch, float *out, json_t **skipped, vb_error *err) {
    const vb_model *model = how->model;
    const vb_clip_info *info = vb_clip_describe(model->clip);
    int n = batch->count, at_once = n < how->batch ? n : how->batch, status = -1;
    const size_t size = vb_preprocess_floats(&model->facts.preprocess), dim = (size_t)info->embed_dim;
    float *pixels = vb_array((size_t)at_once * size, sizeof *pixels, "pixels of a batch", err);
    bool *broken = vb_array((size_t)at_once, sizeof *broken, "batch", err);
    vb_patch_grid *grids = vb_array((size_t)at_once, sizeof *grids, "shapes of a batch", err);
    const vb_encode_pixels to = {pixels, grids, broken};
    if (!pixels || !broken || !grids) goto done;
    for (int at = 0; at < n; at += at_once) {
        int count = n - at < at_once ? n - at : at_once;
        const vb_encode_batch some = {batch->data, batch->picked + at, count, batch->row_of_first + at};
        vb_comm_progress();
        if (vb_encode_preprocess(how, &model->facts.preprocess, &some, &to, skipped, err)) goto done;
        if (vb_clip_encode_pictures(model->clip, pixels, info->max_patches ? grids : NULL, count, out + (size_t)at * dim, err)) {
            vb_error_prefix(err, "%s", batch->data->samples[batch->picked[at]].name);
            goto done;
        }
        for (int i = 0; i < count; i++)
            for (size_t k = 0; broken[i] && k < dim; k++) out[(size_t)(at + i) * dim + k] = NAN;
    }
    status = 0;
done:
    vb_free(pixels);
    vb_free(broken);
    vb_free(grids);
    return vb_model_check(model, status, err);
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
