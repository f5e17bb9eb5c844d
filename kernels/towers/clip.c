/* A model as a whole: writing its towers' programs, checking that they fit, and encoding. */
#include "kernels/towers/clip.h"

#include <math.h>
#include <stdio.h>

#include "kernels/base/memory.h"
#include "kernels/towers/kept_weights.h"

struct vb_clip {
    vb_clip_info info;
    vb_engine_options engine;
    vb_engine_works *works;
    vb_program image, text;
};

/* ---- opening ---- */

static int emit_image(vb_binder *binder, vb_clip *clip, const vb_clip_options *options, int *embed) {
    if (!vb_binder_has_prefix(binder, "visual.")) return 0;
    binder->program = &clip->image;
    if (options->family->image(binder, options->family, &options->stated, &clip->info, embed)) return -1;
    clip->info.tower = clip->image.name;
    return 0;
}

static int emit_text(vb_binder *binder, vb_clip *clip, const vb_clip_options *options, int *embed) {
    if (!vb_binder_has_prefix(binder, "token_embedding.") && !vb_binder_has_prefix(binder, "transformer.") &&
        !vb_binder_has_prefix(binder, "text_projection") && !vb_binder_has_prefix(binder, "ln_final."))
        return 0;
    binder->program = &clip->text;
    return options->family->text(binder, options->family, &options->stated, &clip->info, embed);
}

/* A scalar, or a vector of one; *value stays when there is none. */
static int read_scalar(const vb_binder *binder, const char *name, vb_clip_info *info, float *value) {
    const vb_tensor *scalar = vb_tensor_find(binder->set, name);
    if (!scalar) return 0;
    if (vb_tensor_count(scalar) != 1)
        return vb_errorf(binder->err, VB_EMISMATCH, "tensor %s has %lld elements, expected 1", name,
                         (long long)vb_tensor_count(scalar));
    *value = vb_tensor_at(scalar, 0);
    info->parameters++;
    return 0;
}

/* They change no rank: for people. */
static int read_logits(const vb_binder *binder, vb_clip_info *info) {
    float scale = -INFINITY;
    if (read_scalar(binder, "logit_scale", info, &scale) || read_scalar(binder, "logit_bias", info, &info->logit_bias)) return -1;
    info->logit_scale = expf(scale);
    return 0;
}

static int emit_all(vb_binder *binder, vb_clip *clip, const vb_clip_options *options) {
    int image_embed = 0, text_embed = 0;
    if (emit_image(binder, clip, options, &image_embed) || emit_text(binder, clip, options, &text_embed) ||
        read_logits(binder, &clip->info))
        return -1;
    if (!image_embed && !text_embed)
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "no CLIP tower among the %zu tensors (no visual.*, no token_embedding.weight)", binder->set->count);
    if (image_embed && text_embed && image_embed != text_embed)
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "tensor text_projection gives embeddings of %d, the image tower's projection of %d", text_embed,
                         image_embed);
    clip->info.embed_dim = image_embed ? image_embed : text_embed;
    clip->info.parameters += clip->image.parameters + clip->text.parameters;
    return vb_binder_check_unused(binder, clip->image.name ? clip->image.name : clip->text.name);
}

/* Says which family the weights look like, where a tensor told that they are not of the stated one. */
static void add_hint(const vb_binder *binder) {
    const vb_family *guess = binder->misfit ? vb_family_guess(binder->set) : NULL;
    if (!guess || guess == vb_family_find(binder->family)) return;
    vb_error *err = binder->err;
    char text[VB_ERROR_TEXT];
    snprintf(text, sizeof text, "%s", err->text);
    vb_errorf(err, (vb_code)err->code, "%s; these look like weights of family %s", text, guess->name);
}

int vb_clip_open(vb_clip **clip, const vb_tensor_set *weights, const vb_clip_options *options, vb_error *err) {
    *clip = NULL;
    if (!options->family) return vb_errorf(err, VB_EINTERNAL, "no family stated for the weights");
    vb_clip *model = vb_array(1, sizeof *model, "model", err);
    bool *used = vb_array(weights->count, sizeof *used, "marks of the tensors", err);
    int status = -1;
    if (model && used) {
        model->engine = (vb_engine_options){.threads = options->threads > 1 ? options->threads : 1,
                                            .watch = options->watch,
                                            .device = options->device};
        vb_binder binder = {.set = weights, .used = used, .family = options->family->name, .err = err};
        status = vb_engine_work_open(&model->works, err);
        if (!status) status = emit_all(&binder, model, options);
        if (status) add_hint(&binder);
    }
    vb_free(used);
    if (status) {
        vb_clip_close(model);
        return -1;
    }
    *clip = model;
    return 0;
}

void vb_clip_close(vb_clip *clip) {
    if (!clip) return;
    vb_program_close(&clip->image);
    vb_program_close(&clip->text);
    vb_engine_work_close(clip->works);
    vb_free(clip);
}

void vb_clip_multiply_by(vb_clip *clip, const struct vb_bf16x3_kernel *bf16x3) { clip->engine.bf16x3 = bf16x3; }

/* Devices have their own, and products of bf16 are another method. */
static int64_t kept_batch(const vb_clip *clip, int64_t batch) {
    return clip->engine.device || clip->engine.bf16x3 ? INT64_MAX : batch;
}

size_t vb_clip_kept_floats(const vb_clip *clip, int64_t batch) {
    return vb_kept_weights_floats(&clip->image, kept_batch(clip, batch));
}

int vb_clip_fill_kept(const vb_clip *clip, int64_t batch, float *floats, int part, int parts, vb_error *err) {
    const vb_kept_share share = {part, parts, clip->engine.threads};
    return vb_kept_weights_fill(&clip->image, kept_batch(clip, batch), floats, &share, err);
}

void vb_clip_use_kept(vb_clip *clip, int64_t batch, const float *floats) {
    vb_kept_weights_use(&clip->image, kept_batch(clip, batch), floats);
}

const vb_clip_info *vb_clip_describe(const vb_clip *clip) { return &clip->info; }
const vb_program *vb_clip_image_program(const vb_clip *clip) { return &clip->image; }
const vb_program *vb_clip_text_program(const vb_clip *clip) { return &clip->text; }
size_t vb_clip_image_workspace(const vb_clip *clip, int64_t n) { return vb_engine_workspace(&clip->image, n); }
size_t vb_clip_text_workspace(const vb_clip *clip, int64_t n) { return vb_engine_workspace(&clip->text, n); }

/* ---- encoding ---- */

void vb_clip_rest(const vb_clip *clip) {
    if (clip) vb_engine_work_rest(clip->works);
}

static int run(const vb_clip *clip, const vb_program *program, const vb_engine_input *input, int64_t n, float *out,
               vb_error *err) {
    vb_engine_options options = clip->engine;
    options.work = vb_engine_work_take(clip->works, err);
    if (!options.work) return -1;
    const int status = vb_engine_run(program, input, n, out, &options, err);
    vb_engine_work_give(clip->works, options.work);
    return status;
}

static int check_finite(const vb_clip *clip, const float *out, int64_t n, const char *what, vb_error *err) {
    int width = clip->info.embed_dim;
    for (int64_t i = 0; i < n * width; i++)
        if (!isfinite(out[i]))
            return vb_errorf(
                err, VB_EDATA,
                "the embedding of %s %lld is not finite (%g in column %lld): weights or input hold NaN or infinity, or overflow",
                what, (long long)(i / width), (double)out[i], (long long)(i % width));
    return 0;
}

static int check_grids(const vb_clip *clip, const vb_patch_grid *grids, int64_t n, vb_error *err) {
    const int most = clip->image.most_patches;
    if (!most == !grids) {
        for (int64_t i = 0; grids && i < n; i++)
            if (grids[i].rows < 1 || grids[i].columns < 1 || grids[i].rows > most / grids[i].columns)
                return vb_errorf(err, VB_EMISMATCH, "image %lld has %d x %d patches, expected 1 to %d in all", (long long)i,
                                 grids[i].rows, grids[i].columns, most);
        return 0;
    }
    return vb_errorf(err, VB_EMISMATCH,
                     most ? "images without their grids, for a tower that sees any shape" :
                            "images of any shape, for a tower that sees squares");
}

int vb_clip_encode_images(const vb_clip *clip, const float *pixels, int64_t n, float *out, vb_error *err) {
    return vb_clip_encode_pictures(clip, pixels, NULL, n, out, err);
}

int vb_clip_encode_pictures(const vb_clip *clip, const float *pixels, const vb_patch_grid *grids, int64_t n, float *out,
                            vb_error *err) {
    if (!clip->image.name) return vb_errorf(err, VB_EUNSUPPORTED, "the weights hold no image tower");
    if (check_grids(clip, grids, n, err)) return -1;
    const vb_engine_input input = {.pixels = pixels, .grids = grids};
    if (run(clip, &clip->image, &input, n, out, err)) return -1;
    return check_finite(clip, out, n, "image", err);
}

bool vb_clip_takes_bytes(const vb_clip *clip) {
    return clip->engine.device && !clip->engine.bf16x3 && clip->image.name && !clip->image.most_patches;
}

int vb_clip_encode_bytes(const vb_clip *clip, const uint8_t *bytes, const float *values, int64_t n, float *out, vb_error *err) {
    const vb_engine_input input = {.bytes = bytes, .values = values};
    if (run(clip, &clip->image, &input, n, out, err)) return -1;
    return check_finite(clip, out, n, "image", err);
}

static int encode_tokens(const vb_clip *clip, const int32_t *tokens, const vb_prompt_context *context, int64_t n, float *out,
                         vb_error *err) {
    if (!clip->text.name) return vb_errorf(err, VB_EUNSUPPORTED, "the weights hold no text tower");
    const vb_text_input texts = {.tokens = tokens,
                                 .context = context,
                                 .context_length = clip->text.context_length,
                                 .vocabulary_size = clip->text.vocabulary_size,
                                 .end_token = clip->info.end_token,
                                 .whole = clip->text.whole_texts,
                                 .padded = clip->text.padded_texts,
                                 .pad_token = clip->text.pad_token,
                                 .class_row = clip->text.text_rows > clip->text.context_length};
    const vb_engine_input input = {.texts = &texts};
    if (vb_text_input_check(&texts, n, err) || run(clip, &clip->text, &input, n, out, err)) return -1;
    return check_finite(clip, out, n, "text", err);
}

int vb_clip_encode_texts(const vb_clip *clip, const int32_t *tokens, int64_t n, float *out, vb_error *err) {
    return encode_tokens(clip, tokens, NULL, n, out, err);
}

int vb_clip_encode_prompts(const vb_clip *clip, const int32_t *tokens, const vb_prompt_context *context, int64_t n, float *out,
                           vb_error *err) {
    if (context->width != clip->info.text_width)
        return vb_errorf(err, VB_EMISMATCH, "context vectors have width %d, the text tower has width %d", context->width,
                         clip->info.text_width);
    return encode_tokens(clip, tokens, context, n, out, err);
}
