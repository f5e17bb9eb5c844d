/* A model as a whole: finding its towers, checking that they fit, and dispatch of the encoders. */
#include "kernels/towers/binder.h"

#include <math.h>

#include "kernels/base/memory.h"

static int bind_image(vb_binder *binder, int *embed) {
    vb_clip *clip = binder->clip;
    vb_clip_info *info = &clip->info;
    if (!vb_bind_has_prefix(binder, "visual.")) return 0;
    if (vb_bind_has_prefix(binder, "visual.layer1.") || vb_bind_has_prefix(binder, "visual.attnpool.")) {
        info->tower = VB_TOWER_RESNET;
        if (!binder->options->family->resnets)
            return vb_errorf(binder->err, VB_EMISMATCH,
                             "tensor visual.layer1.0.conv1.weight makes this a ModifiedResNet, which family %s does not have",
                             binder->options->family->name);
        if (vb_resnet_bind(binder, &clip->resnet, embed)) return -1;
        info->resolution = clip->resnet.resolution;
        info->image_width = clip->resnet.width;
        for (int i = 0; i < 4; i++) info->image_layers[i] = clip->resnet.layers[i];
        info->image_heads = clip->resnet.heads;
        return 0;
    }
    info->tower = VB_TOWER_VIT;
    if (vb_vit_bind(binder, &clip->vit, embed)) return -1;
    info->resolution = clip->vit.resolution;
    info->patch = clip->vit.patch;
    info->image_width = clip->vit.width;
    info->image_layers[0] = clip->vit.transformer.layers;
    info->image_heads = clip->vit.transformer.heads;
    return 0;
}

static int bind_text(vb_binder *binder, int *embed) {
    vb_clip *clip = binder->clip;
    if (!vb_bind_has_prefix(binder, "token_embedding.") && !vb_bind_has_prefix(binder, "transformer.") &&
        !vb_bind_has_prefix(binder, "text_projection") && !vb_bind_has_prefix(binder, "ln_final."))
        return 0;
    if (vb_text_bind(binder, &clip->text, embed)) return -1;
    clip->info.context_length = clip->text.context_length;
    clip->info.vocabulary_size = clip->text.vocabulary_size;
    clip->info.text_width = clip->text.width;
    clip->info.text_layers = clip->text.transformer.layers;
    clip->info.text_heads = clip->text.transformer.heads;
    return 0;
}

/* A scalar, or a vector of one. */
static int bind_logit_scale(vb_binder *binder) {
    const vb_tensor *scale = vb_tensor_find(binder->set, "logit_scale");
    if (!scale) return 0;
    if (vb_tensor_count(scale) != 1)
        return vb_errorf(binder->err, VB_EMISMATCH, "tensor logit_scale has %lld elements, expected 1",
                         (long long)vb_tensor_count(scale));
    binder->clip->info.logit_scale = expf(vb_tensor_at(scale, 0));
    binder->clip->info.parameters++;
    return 0;
}

static int bind_all(vb_binder *binder) {
    int image_embed = 0, text_embed = 0;
    if (bind_image(binder, &image_embed) || bind_text(binder, &text_embed) || bind_logit_scale(binder)) return -1;
    if (!image_embed && !text_embed)
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "no CLIP tower among the %zu tensors (no visual.*, no token_embedding.weight)", binder->set->count);
    if (image_embed && text_embed && image_embed != text_embed)
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "tensor text_projection gives embeddings of %d, the image tower's projection of %d", text_embed,
                         image_embed);
    binder->clip->info.embed_dim = image_embed ? image_embed : text_embed;
    return vb_bind_check_unused(binder);
}

int vb_clip_open(vb_clip **clip, const vb_tensor_set *weights, const vb_clip_options *options, vb_error *err) {
    *clip = NULL;
    if (!options->family) return vb_errorf(err, VB_EINTERNAL, "no family stated for the weights");
    vb_clip *model = vb_array(1, sizeof *model, "model", err);
    bool *used = vb_array(weights->count, sizeof *used, "marks of the tensors", err);
    int status = -1;
    if (model && used) {
        model->threads = options->threads > 1 ? options->threads : 1;
        model->watch = options->watch;
        vb_binder binder = {.clip = model, .set = weights, .options = options, .used = used, .err = err};
        status = bind_all(&binder);
    }
    vb_free(used);
    if (status) {
        vb_clip_close(model);
        return -1;
    }
    *clip = model;
    return 0;
}

int vb_watch_check(const vb_watch *watch, vb_error *err) { return watch->look && watch->look(watch->context, err) ? -1 : 0; }

const vb_clip_info *vb_clip_describe(const vb_clip *clip) { return &clip->info; }

void vb_clip_close(vb_clip *clip) {
    if (!clip) return;
    for (size_t i = 0; i < clip->owned_count; i++) vb_free(clip->owned[i]);
    vb_free(clip->owned);
    vb_free(clip);
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

static size_t image_floats(const vb_clip *clip, int64_t n) {
    return clip->info.tower == VB_TOWER_VIT ? vb_vit_floats(&clip->vit, n) : vb_resnet_floats(&clip->resnet, n);
}

static int64_t images_at_once(const vb_clip *clip, int64_t n) {
    int64_t most = (int64_t)(VB_WORK_FLOATS / image_floats(clip, 1));
    if (most < 1) most = 1;
    return n < most ? n : most;
}

size_t vb_clip_image_workspace(const vb_clip *clip, int64_t n) {
    if (clip->info.tower == VB_TOWER_NONE || n < 1) return 0;
    return image_floats(clip, images_at_once(clip, n)) * sizeof(float);
}

int vb_clip_encode_images(const vb_clip *clip, const float *pixels, int64_t n, float *out, vb_error *err) {
    if (clip->info.tower == VB_TOWER_NONE) return vb_errorf(err, VB_EUNSUPPORTED, "the weights hold no image tower");
    if (n < 1) return 0;
    int64_t piece = images_at_once(clip, n), size = 3LL * clip->info.resolution * clip->info.resolution;
    float *work = vb_array(image_floats(clip, piece), sizeof *work, "image encoder's work space", err);
    int status = work ? 0 : -1;
    for (int64_t i = 0; !status && i < n; i += piece) {
        int64_t count = n - i < piece ? n - i : piece;
        float *rows = out + i * clip->info.embed_dim;
        status = clip->info.tower == VB_TOWER_VIT ?
                     vb_vit_run(&clip->vit, pixels + i * size, count, rows, work, clip->threads, err) :
                     vb_resnet_run(&clip->resnet, pixels + i * size, count, rows, work, clip->threads, err);
    }
    vb_free(work);
    return status ? -1 : check_finite(clip, out, n, "image", err);
}

size_t vb_clip_text_workspace(const vb_clip *clip, int64_t n) {
    return clip->info.text_width && n > 0 ? vb_text_bytes(&clip->text, n) : 0;
}

static int encode_tokens(const vb_clip *clip, const int32_t *tokens, const vb_prompt_context *context, int64_t n, float *out,
                         vb_error *err) {
    if (!clip->info.text_width) return vb_errorf(err, VB_EUNSUPPORTED, "the weights hold no text tower");
    if (n < 1) return 0;
    if (vb_text_run(&clip->text, tokens, context, n, out, clip->threads, err)) return -1;
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
