/* Tables of names: one row a tensor of each naming scheme. */
#include "shards/weights/weight_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/towers/family.h"
#include "shards/weights/apple_names.h"
#include "shards/weights/bert_names.h"

/* In patterns, # stands for a decimal number; at the end, $ stands for "weight" or "bias", @ for those and BatchNorm's
 * statistics, and * for anything.
 * `canonical` takes them over in their order; NULL means the same name. */
typedef vb_bert_names_rule rule;

static const rule openai_image[] = {{"visual.class_embedding", NULL},
                                    {"visual.positional_embedding", NULL},
                                    {"visual.proj", NULL},
                                    {"visual.conv1.$", NULL},
                                    {"visual.ln_pre.$", NULL},
                                    {"visual.ln_post.$", NULL},
                                    {"visual.transformer.resblocks.#.attn.in_proj_weight", NULL},
                                    {"visual.transformer.resblocks.#.attn.in_proj_bias", NULL},
                                    {"visual.transformer.resblocks.#.attn.out_proj.$", NULL},
                                    {"visual.transformer.resblocks.#.ln_1.$", NULL},
                                    {"visual.transformer.resblocks.#.ln_2.$", NULL},
                                    {"visual.transformer.resblocks.#.mlp.c_fc.$", NULL},
                                    {"visual.transformer.resblocks.#.mlp.c_proj.$", NULL},
                                    /* Meta's PE */
                                    {"visual.attn_pool.probe", NULL},
                                    {"visual.attn_pool.attn.in_proj_weight", NULL},
                                    {"visual.attn_pool.attn.in_proj_bias", NULL},
                                    {"visual.attn_pool.attn.out_proj.$", NULL},
                                    {"visual.attn_pool.layernorm.$", NULL},
                                    {"visual.attn_pool.mlp.c_fc.$", NULL},
                                    {"visual.attn_pool.mlp.c_proj.$", NULL},
                                    /* CoCa */
                                    {"visual.attn_pool.query", NULL},
                                    {"visual.attn_pool.ln_q.$", NULL},
                                    {"visual.attn_pool.ln_k.$", NULL},
                                    {"visual.attn_pool.attn.q_proj_weight", NULL},
                                    {"visual.attn_pool.attn.k_proj_weight", NULL},
                                    {"visual.attn_pool.attn.v_proj_weight", NULL},
                                    /* ModifiedResNet */
                                    {"visual.conv#.weight", NULL},
                                    {"visual.bn#.@", NULL},
                                    {"visual.layer#.#.conv#.weight", NULL},
                                    {"visual.layer#.#.bn#.@", NULL},
                                    {"visual.layer#.#.downsample.#.@", NULL},
                                    {"visual.attnpool.positional_embedding", NULL},
                                    {"visual.attnpool.q_proj.$", NULL},
                                    {"visual.attnpool.k_proj.$", NULL},
                                    {"visual.attnpool.v_proj.$", NULL},
                                    {"visual.attnpool.c_proj.$", NULL},
                                    {0}};

static const rule openai_text[] = {{"token_embedding.weight", NULL},
                                   {"positional_embedding", NULL},
                                   {"ln_final.$", NULL},
                                   {"cls_emb", NULL}, /* CoCa */
                                   {"text_projection", NULL},
                                   {"text_projection.$", NULL},
                                   {"transformer.resblocks.#.attn.in_proj_weight", NULL},
                                   {"transformer.resblocks.#.attn.in_proj_bias", NULL},
                                   {"transformer.resblocks.#.attn.out_proj.$", NULL},
                                   {"transformer.resblocks.#.ln_1.$", NULL},
                                   {"transformer.resblocks.#.ln_2.$", NULL},
                                   {"transformer.resblocks.#.mlp.c_fc.$", NULL},
                                   {"transformer.resblocks.#.mlp.c_proj.$", NULL},
                                   {0}};

/* Beside the towers; the three sizes are tensors of OpenAI's TorchScript files. */
static const rule openai_both[] = {{"logit_scale", NULL},
                                   {"logit_bias", NULL},
                                   {"_logit_scale.logit_scale", "logit_scale"}, /* TinyCLIP */
                                   {"_logit_scale.module.logit_scale", "logit_scale"},
                                   {"input_resolution", NULL},
                                   {"context_length", NULL},
                                   {"vocab_size", NULL},
                                   {0}};

static const rule timm_image[] = {{"visual.cls_token", "visual.class_embedding"},
                                  {"visual.pos_embed", "visual.positional_embedding"},
                                  {"image_projection", "visual.proj"},
                                  {"visual.patch_embed.proj.$", "visual.conv1.$"},
                                  {"visual.norm.$", "visual.ln_post.$"},
                                  {"visual.blocks.#.attn.qkv.weight", "visual.transformer.resblocks.#.attn.in_proj_weight"},
                                  {"visual.blocks.#.attn.qkv.bias", "visual.transformer.resblocks.#.attn.in_proj_bias"},
                                  {"visual.blocks.#.attn.proj.$", "visual.transformer.resblocks.#.attn.out_proj.$"},
                                  {"visual.blocks.#.norm1.$", "visual.transformer.resblocks.#.ln_1.$"},
                                  {"visual.blocks.#.norm2.$", "visual.transformer.resblocks.#.ln_2.$"},
                                  {"visual.blocks.#.mlp.fc1.$", "visual.transformer.resblocks.#.mlp.c_fc.$"},
                                  {"visual.blocks.#.mlp.fc2.$", "visual.transformer.resblocks.#.mlp.c_proj.$"},
                                  {0}};

/* timm's VisionTransformers and EVA inside of open_clip's models, and EVA in its publishers' names (BAAI). */
#define TIMM_BLOCKS(tower)                                                                                                       \
    {tower "cls_token", "visual.class_embedding"}, {tower "pos_embed", "visual.positional_embedding"},                           \
        {tower "patch_embed.proj.$", "visual.conv1.$"}, {tower "norm.$", "visual.ln_post.$"}, {tower "head.$", "visual.proj.$"}, \
        {tower "blocks.#.norm1.$", "visual.transformer.resblocks.#.ln_1.$"},                                                     \
        {tower "blocks.#.norm2.$", "visual.transformer.resblocks.#.ln_2.$"},                                                     \
        {tower "blocks.#.attn.qkv.weight", "visual.transformer.resblocks.#.attn.in_proj_weight"},                                \
        {tower "blocks.#.attn.qkv.bias", "visual.transformer.resblocks.#.attn.in_proj_bias"},                                    \
        {tower "blocks.#.attn.q_proj.$", "visual.transformer.resblocks.#.attn.q_proj.$"},                                        \
        {tower "blocks.#.attn.k_proj.$", "visual.transformer.resblocks.#.attn.k_proj.$"},                                        \
        {tower "blocks.#.attn.v_proj.$", "visual.transformer.resblocks.#.attn.v_proj.$"},                                        \
        {tower "blocks.#.attn.q_bias", "visual.transformer.resblocks.#.attn.q_proj.bias"},                                       \
        {tower "blocks.#.attn.v_bias", "visual.transformer.resblocks.#.attn.v_proj.bias"},                                       \
        {tower "blocks.#.attn.proj.$", "visual.transformer.resblocks.#.attn.out_proj.$"},                                        \
        {tower "blocks.#.mlp.fc1.$", "visual.transformer.resblocks.#.mlp.c_fc.$"}, {                                             \
        tower "blocks.#.mlp.fc2.$", "visual.transformer.resblocks.#.mlp.c_proj.$"                                                \
    }
static const rule timm_trunk[] = {TIMM_BLOCKS("visual.trunk."),
                                  {"visual.trunk.norm_pre.$", "visual.ln_pre.$"},
                                  {"visual.trunk.attn_pool.latent", "visual.attn_pool.probe"},
                                  {"visual.trunk.attn_pool.q.$", "visual.attn_pool.attn.q.$"},
                                  {"visual.trunk.attn_pool.kv.$", "visual.attn_pool.attn.kv.$"},
                                  {"visual.trunk.attn_pool.proj.$", "visual.attn_pool.attn.out_proj.$"},
                                  {"visual.trunk.attn_pool.norm.$", "visual.attn_pool.layernorm.$"},
                                  {"visual.trunk.attn_pool.mlp.fc1.$", "visual.attn_pool.mlp.c_fc.$"},
                                  {"visual.trunk.attn_pool.mlp.fc2.$", "visual.attn_pool.mlp.c_proj.$"}, /* EVA */
                                  {"visual.trunk.blocks.#.attn.norm.$", "visual.transformer.resblocks.#.attn.norm.$"},
                                  {"visual.trunk.blocks.#.mlp.fc1_g.$", "visual.transformer.resblocks.#.mlp.c_gate.$"},
                                  {"visual.trunk.blocks.#.mlp.fc1_x.$", "visual.transformer.resblocks.#.mlp.c_fc.$"},
                                  {"visual.trunk.blocks.#.mlp.norm.$", "visual.transformer.resblocks.#.mlp.norm.$"},
                                  {0}};
static const rule eva_baai[] = {TIMM_BLOCKS("visual."),
                                {"visual.blocks.#.attn.inner_attn_ln.$", "visual.transformer.resblocks.#.attn.norm.$"},
                                {"visual.blocks.#.mlp.w1.$", "visual.transformer.resblocks.#.mlp.c_gate.$"},
                                {"visual.blocks.#.mlp.w2.$", "visual.transformer.resblocks.#.mlp.c_fc.$"},
                                {"visual.blocks.#.mlp.w3.$", "visual.transformer.resblocks.#.mlp.c_proj.$"},
                                {"visual.blocks.#.mlp.ffn_ln.$", "visual.transformer.resblocks.#.mlp.norm.$"},
                                {0}};
/* MobileCLIP-B: the stem in front of the transformer keeps its names. */
static const rule hybrid_timm[] = {TIMM_BLOCKS("visual.trunk."), {"visual.trunk.patch_embed.backbone.*", NULL}, {0}};
static const rule vitamin_timm[] = {TIMM_BLOCKS("visual.trunk."),
                                    {"visual.trunk.blocks.#.mlp.norm.$", "visual.transformer.resblocks.#.mlp.norm.$"},
                                    {"visual.trunk.blocks.#.mlp.w0.$", "visual.transformer.resblocks.#.mlp.c_gate.$"},
                                    {"visual.trunk.blocks.#.mlp.w1.$", "visual.transformer.resblocks.#.mlp.c_fc.$"},
                                    {"visual.trunk.blocks.#.mlp.w2.$", "visual.transformer.resblocks.#.mlp.c_proj.$"},
                                    {"visual.trunk.fc_norm.$", "visual.ln_post.$"},
                                    {"visual.head.proj.$", "visual.proj.$"},
                                    {"visual.trunk.patch_embed.backbone.*", NULL},
                                    {0}};
#undef TIMM_BLOCKS

/* Towers whose names are kept: their families ask for timm's (and open_clip's for what follows the trunk). */
static const rule timm_own[] = {{"visual.trunk.*", NULL}, {"visual.head.*", NULL}, {0}};

/* Hugging Face's attention of four matrices. */
#define SELF_ATTENTION(from, to)                                                                                                 \
    {from ".q_proj.$", to ".q_proj.$"}, {from ".k_proj.$", to ".k_proj.$"}, {from ".v_proj.$", to ".v_proj.$"}, {                \
        from ".out_proj.$", to ".out_proj.$"                                                                                     \
    }
static const rule hugging_face[] = {{"vision_model.embeddings.class_embedding", "visual.class_embedding"},
                                    {"vision_model.embeddings.patch_embedding.$", "visual.conv1.$"},
                                    {"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
                                    {"vision_model.pre_layrnorm.$", "visual.ln_pre.$"}, /* sic */
                                    {"vision_model.post_layernorm.$", "visual.ln_post.$"},
                                    SELF_ATTENTION("vision_model.encoder.layers.#.self_attn",
                                                   "visual.transformer.resblocks.#.attn"),
                                    {"vision_model.encoder.layers.#.layer_norm1.$", "visual.transformer.resblocks.#.ln_1.$"},
                                    {"vision_model.encoder.layers.#.layer_norm2.$", "visual.transformer.resblocks.#.ln_2.$"},
                                    {"vision_model.encoder.layers.#.mlp.fc1.$", "visual.transformer.resblocks.#.mlp.c_fc.$"},
                                    {"vision_model.encoder.layers.#.mlp.fc2.$", "visual.transformer.resblocks.#.mlp.c_proj.$"},
                                    {"vision_model.head.probe", "visual.attn_pool.probe"},
                                    {"vision_model.head.attention.in_proj_weight", "visual.attn_pool.attn.in_proj_weight"},
                                    {"vision_model.head.attention.in_proj_bias", "visual.attn_pool.attn.in_proj_bias"},
                                    {"vision_model.head.attention.out_proj.$", "visual.attn_pool.attn.out_proj.$"},
                                    {"vision_model.head.layernorm.$", "visual.attn_pool.layernorm.$"},
                                    {"vision_model.head.mlp.fc1.$", "visual.attn_pool.mlp.c_fc.$"},
                                    {"vision_model.head.mlp.fc2.$", "visual.attn_pool.mlp.c_proj.$"},
                                    {"visual_projection.weight", "visual.proj.weight"},
                                    {"text_model.embeddings.token_embedding.weight", "token_embedding.weight"},
                                    {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
                                    {"text_model.final_layer_norm.$", "ln_final.$"},
                                    SELF_ATTENTION("text_model.encoder.layers.#.self_attn", "transformer.resblocks.#.attn"),
                                    {"text_model.encoder.layers.#.layer_norm1.$", "transformer.resblocks.#.ln_1.$"},
                                    {"text_model.encoder.layers.#.layer_norm2.$", "transformer.resblocks.#.ln_2.$"},
                                    {"text_model.encoder.layers.#.mlp.fc1.$", "transformer.resblocks.#.mlp.c_fc.$"},
                                    {"text_model.encoder.layers.#.mlp.fc2.$", "transformer.resblocks.#.mlp.c_proj.$"},
                                    {"text_projection.weight", NULL},
                                    {"text_model.head.$", "text_projection.$"},
                                    {"logit_scale", NULL},
                                    {"logit_bias", NULL},
                                    {0}};

/* ALIGN: the names inside of a block stay. */
static const rule align[] = {{"vision_model.embeddings.convolution.weight", "visual.stem.conv.weight"},
                             {"vision_model.embeddings.batchnorm.@", "visual.stem.norm.@"},
                             {"vision_model.encoder.blocks.*", "visual.blocks.*"},
                             {"text_projection.$", NULL},
                             {0}};

/* A scheme is known by the presence of one of its anchors; the first row wins where several are present. `text` precedes the text
 * tower's names; what precedes "visual." in the first anchor does so in all of the image tower's. Where several families have the
 * names, their signs (kernels/towers/family.h) go before `family`. */
typedef struct scheme {
    const char *name, *family; /* NULL: the signs alone tell */
    bool signs;
    const char *image_anchors[2], *text_anchor;
    const rule *image;
    const char *text;
    const rule *texts; /* behind it; NULL: OpenAI's */
} scheme;

/* The name of a family of the registry: one that is not in it does not compile. */
#define FAMILY(name) (sizeof(vb_family_##name) ? #name : NULL)

#define WORDS VB_BERT_NAMES_WORDS
static const scheme schemes[] = {
    {"TinyCLIP",
     FAMILY(clip),
     false,
     {"_image_encoder.module.visual.class_embedding", "_image_encoder.module.visual.conv1.weight"},
     "_text_encoder.module.token_embedding.weight",
     openai_image,
     "_text_encoder.module.",
     NULL},
    {"Hugging Face",
     FAMILY(align),
     false,
     {"vision_model.embeddings.convolution.weight", "vision_model.embeddings.batchnorm.weight"},
     NULL,
     align,
     "text_model.",
     vb_bert_names_align},
    {"Hugging Face", FAMILY(altclip), false, {NULL}, "text_model.roberta." WORDS, hugging_face, "text_model.", vb_bert_names_alt},
    {"Hugging Face", FAMILY(chinese_clip), false, {NULL}, "text_model." WORDS, hugging_face, "text_model.", vb_bert_names_bert},
    {"open_clip", FAMILY(roberta), false, {NULL}, "text.transformer." WORDS, openai_image, "text.", vb_bert_names_roberta},
    {"open_clip", FAMILY(nllb), true, {NULL}, "text.transformer.embed_tokens.weight", openai_image, "text.", vb_bert_names_m2m},
    {"Hugging Face",
     FAMILY(clip),
     true,
     {"vision_model.embeddings.class_embedding", "vision_model.embeddings.patch_embedding.weight"},
     "text_model.embeddings.token_embedding.weight",
     hugging_face,
     NULL,
     NULL},
    {"timm", NULL, true, {"visual.trunk.patch_embed.proj.weight", "visual.trunk.cls_token"}, NULL, timm_trunk, "text.", NULL},
    {"timm",
     FAMILY(convnext),
     true,
     {"visual.trunk.stages.0.blocks.0.conv_dw.weight", "visual.trunk.stages.0.blocks.0.conv_dw.bias"},
     NULL,
     timm_own,
     "",
     NULL},
    {"timm",
     FAMILY(mobileclip_s),
     false,
     {"visual.trunk.stages.0.blocks.0.token_mixer.reparam_conv.weight",
      "visual.trunk.stages.0.blocks.0.token_mixer.norm.identity.weight"},
     NULL,
     timm_own,
     "text.",
     NULL},
    {"timm", FAMILY(mobileclip_b), false, {"visual.trunk.patch_embed.backbone.0.bn.weight"}, NULL, hybrid_timm, "text.", NULL},
    {"timm", FAMILY(vitamin), false, {"visual.trunk.patch_embed.backbone.stem.conv1.weight"}, NULL, vitamin_timm, "text.", NULL},
    {"Apple",
     FAMILY(mobileclip_s),
     false,
     {"image_encoder.model.patch_embed.0.rbr_conv.0.conv.weight", "image_encoder.model.patch_embed.0.reparam_conv.weight"},
     NULL,
     vb_apple_names_s,
     NULL,
     NULL},
    {"Apple",
     FAMILY(mobileclip_b),
     false,
     {"image_encoder.model.patch_emb.0.block.conv.weight"},
     "text_encoder.embedding_layer.weight",
     vb_apple_names_b,
     NULL,
     NULL},
    {"BAAI", FAMILY(eva), false, {"visual.blocks.0.attn.q_bias"}, NULL, eva_baai, "text.", NULL},
    {"SLIP", FAMILY(slip), false, {"visual.cls_token"}, NULL, timm_image, "", NULL},
    {"DeCLIP", FAMILY(declip), false, {NULL}, "encode_text.token_embedding.weight", openai_image, "encode_text.", NULL},
    {"open_clip", FAMILY(clip), true, {NULL}, "text.token_embedding.weight", openai_image, "text.", NULL},
    {"OpenAI",
     FAMILY(clip),
     true,
     {"visual.class_embedding", "visual.conv1.weight"},
     "token_embedding.weight",
     openai_image,
     "",
     NULL}};
enum { SCHEMES = sizeof schemes / sizeof *schemes };

/* Where a file's OpenAI names have fewer dimensions than other schemes' names. */
static const struct {
    const char *name;
    int ndim;
} dimensions[] = {{"visual.class_embedding", 1},
                  {"visual.positional_embedding", 2},
                  {"positional_embedding", 2},
                  {"visual.attn_pool.probe", 1},
                  {"logit_scale", 0},
                  {"logit_bias", 0}};

/* ---- matching ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *const *endings(char wildcard) {
    static const char *const affine[] = {"weight", "bias", NULL};
    static const char *const norm[] = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked", NULL};
    return wildcard == '$' ? affine : wildcard == '@' ? norm : NULL;
}

/* Whether the text fits the pattern; then *parts are what its wildcards stand for. */
typedef struct span {
    const char *text;
    size_t size;
} span;
static bool matches(const char *pattern, const char *text, span *parts) {
    for (; *pattern; pattern++) {
        const char *const *ending = endings(*pattern);
        *parts = (span){text, 0};
        if (*pattern == '#') {
            while (is_digit(*text)) text++;
            parts->size = (size_t)(text - parts->text);
            if (!parts++->size) return false;
        } else if (*pattern == '*') {
            parts->size = strlen(text);
            return true;
        } else if (ending) {
            while (*ending && strcmp(*ending, text)) ending++;
            parts->size = strlen(text);
            return *ending != NULL;
        } else if (*pattern != *text++) return false;
    }
    return !*text;
}

static bool is_wildcard(char c) { return c == '#' || c == '*' || endings(c); }

/* The canonical name in `out`, by the first rule that fits; false when none does. */
static bool rename_by(const rule *rules, const char *name, char *out, size_t size) {
    span parts[8], *part = parts;
    const rule *r = rules;
    while (r->pattern && !matches(r->pattern, name, parts)) r++;
    if (!r->pattern) return false;
    size_t n = 0;
    for (const char *c = r->canonical ? r->canonical : r->pattern; *c && n < size - 1; c++) {
        if (!is_wildcard(*c)) out[n++] = *c;
        else {
            size_t length = part->size < size - 1 - n ? part->size : size - 1 - n;
            memcpy(out + n, part->text, length);
            n += length;
            part++;
        }
    }
    out[n] = 0;
    return n < size - 1;
}

static bool canonical_name(const scheme *s, const char *name, char *out, size_t size) {
    const char *anchor = s->image_anchors[0], *visual = anchor ? strstr(anchor, "visual.") : NULL;
    const size_t before = visual ? (size_t)(visual - anchor) : 0;
    if (!strncmp(name, anchor ? anchor : "", before) && rename_by(s->image, name + before, out, size)) return true;
    if (!s->text) return false;
    if (s->texts && rename_by(timm_trunk, name, out, size)) return true; /* beside texts of another kind images are of either */
    size_t skip = strlen(s->text);
    return rename_by(openai_both, name, out, size) ||
           (!strncmp(name, s->text, skip) && rename_by(s->texts ? s->texts : openai_text, name + skip, out, size));
}

/* ---- finding the model ---- */

/* A place in the file's names where a model may begin. */
typedef struct candidate {
    const char *name;
    size_t prefix; /* characters of `name` before the model's own names */
    int scheme;
    bool image, wrapped; /* image: an image tower was seen; wrapped: the prefix is made of known wrappers only */
} candidate;

static bool ends_in(const char *name, const char *anchor, size_t *prefix) {
    size_t length = strlen(name), tail = anchor ? strlen(anchor) : 0;
    if (!anchor || tail > length || strcmp(name + length - tail, anchor) || (length > tail && name[length - tail - 1] != '.'))
        return false;
    *prefix = length - tail;
    return true;
}

static bool is_wrapper(const char *prefix, size_t size) {
    static const char *const words[] = {"state_dict", "model_state_dict", "model", "module", "net", "network", "_orig_mod"};
    while (size) {
        size_t length = (size_t)((const char *)memchr(prefix, '.', size) - prefix), i = 0;
        while (i < sizeof words / sizeof *words && (strlen(words[i]) != length || memcmp(words[i], prefix, length))) i++;
        if (i == sizeof words / sizeof *words) return false;
        prefix += length + 1;
        size -= length + 1;
    }
    return true;
}

static bool find_anchor(const char *name, candidate *found) {
    for (int s = 0; s < SCHEMES; s++) {
        *found = (candidate){.name = name, .scheme = s};
        found->image = ends_in(name, schemes[s].image_anchors[0], &found->prefix) ||
                       ends_in(name, schemes[s].image_anchors[1], &found->prefix);
        if (!found->image && !ends_in(name, schemes[s].text_anchor, &found->prefix)) continue;
        found->wrapped = is_wrapper(name, found->prefix);
        return true;
    }
    return false;
}

/* Image towers inside of known wrappers come first, then any tower inside of wrappers, then the rest. */
static int preference(const candidate *c) { return c->wrapped * 2 + c->image; }

enum { MOST_MODELS = 64 };

static int find_model(const vb_tensor_set *file, candidate *model, const char *path, vb_error *err) {
    candidate *list = NULL, found;
    size_t count = 0, capacity = 0, best = 0;
    int status = 0;
    for (size_t i = 0; i < file->count; i++) {
        if (!find_anchor(file->items[i].name, &found)) continue;
        size_t at = 0;
        while (at < count && (list[at].prefix != found.prefix || memcmp(list[at].name, found.name, found.prefix))) at++;
        if (at == count) {
            if (count == MOST_MODELS) {
                status = vb_errorf(err, VB_EUNSUPPORTED, "%s: more than %d models in the file; one expected", path, MOST_MODELS);
                break;
            }
            if (vb_grow((void **)&list, &capacity, count + 1, sizeof *list, "models in the file", err)) {
                vb_free(list);
                return -1;
            }
            list[count++] = found;
        } else {
            if (found.scheme < list[at].scheme) list[at].scheme = found.scheme;
            list[at].image |= found.image;
        }
    }
    *model = (candidate){.scheme = -1};
    for (size_t i = 1; i < count; i++)
        if (preference(&list[i]) > preference(&list[best])) best = i;
    for (size_t i = 0; i < count && !status; i++)
        if (i != best && preference(&list[i]) == preference(&list[best]))
            status = vb_errorf(err, VB_EUNSUPPORTED, "%s: two models in the file, under '%.*s' and '%.*s'; one expected", path,
                               (int)list[best].prefix, list[best].name, (int)list[i].prefix, list[i].name);
    if (count) *model = list[best];
    vb_free(list);
    return status;
}

/* ---- the map ---- */

/* [1, 1, W] class tokens, [1, N, W] positions and [1] scales are one tensor with OpenAI's. */
static void drop_leading_ones(const char *name, vb_tensor *tensor) {
    for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
        if (strcmp(name, dimensions[i].name)) continue;
        while (tensor->ndim > dimensions[i].ndim && tensor->shape[0] == 1) {
            tensor->ndim--;
            memmove(tensor->shape, tensor->shape + 1, (size_t)tensor->ndim * sizeof *tensor->shape);
            memmove(tensor->stride, tensor->stride + 1, (size_t)tensor->ndim * sizeof *tensor->stride);
        }
    }
}

enum { LONGEST_NAME = 256, GROWTH = 64 };

static int by_name(const void *a, const void *b) {
    return strcmp(((const vb_named_tensor *)a)->name, ((const vb_named_tensor *)b)->name);
}

/* A stray tensor under a name that only the scheme's own may have, for instance a second text tower beside DeCLIP's. */
static bool is_impostor(const char *name) {
    char unneeded[LONGEST_NAME];
    return rename_by(openai_image, name, unneeded, sizeof unneeded) || rename_by(openai_text, name, unneeded, sizeof unneeded) ||
           rename_by(openai_both, name, unneeded, sizeof unneeded);
}

/* Whether families fit that no sign tells apart: the image tower of one that is told by its texts. */
static bool signs_differ(const vb_tensor_set *set) {
    if (!vb_tensor_find(set, "visual.conv1.weight")) return false;
    for (int i = 0; i < VB_FAMILY_COUNT; i++)
        if (vb_family_fits(vb_family_at(i), set)) return true;
    return false;
}

/* One block: items of the set, unused items, canonical names. No canonical name is longer by GROWTH than the name it is made
 * from. */

int vb_weight_names_map(vb_weight_names *names, const vb_tensor_set *file, const char *path, vb_error *err) {
    *names = (vb_weight_names){.naming = "unknown"};
    candidate model;
    if (find_model(file, &model, path, err)) return -1;
    size_t text_size = 0;
    for (size_t i = 0; i < file->count; i++) text_size += strlen(file->items[i].name) + GROWTH;
    char *block = vb_array(2 * file->count * sizeof(vb_named_tensor) + text_size, 1, "table of tensors", err);
    if (!block) return -1;
    names->storage = block;
    names->set.items = (vb_named_tensor *)(void *)block;
    names->unused.items = names->set.items + file->count;
    char *text = (char *)(names->unused.items + file->count);
    const scheme *s = model.scheme < 0 ? NULL : &schemes[model.scheme];
    if (s) {
        names->naming = s->name;
        names->family = s->family;
    }
    for (size_t i = 0; i < file->count; i++) {
        const vb_named_tensor *item = &file->items[i];
        char name[LONGEST_NAME];
        const char *own = s && !strncmp(item->name, model.name, model.prefix) ? item->name + model.prefix : NULL;
        if (own && canonical_name(s, own, name, sizeof name)) {
            vb_named_tensor *known = &names->set.items[names->set.count++];
            *known = (vb_named_tensor){text, item->tensor};
            drop_leading_ones(name, &known->tensor);
            strcpy(text, name);
            text += strlen(name) + 1;
            continue;
        }
        names->unused.items[names->unused.count++] = *item;
        if (own && !is_impostor(own)) names->set.items[names->set.count++] = (vb_named_tensor){own, item->tensor};
    }
    qsort(names->set.items, names->set.count, sizeof(vb_named_tensor), by_name);
    const vb_family *told = s && s->signs ? vb_family_by_signs(&names->set) : NULL;
    if (told) names->family = told->name;
    else if (s && s->signs && signs_differ(&names->set)) names->family = NULL;
    for (size_t i = 1; i < names->set.count; i++)
        if (!strcmp(names->set.items[i - 1].name, names->set.items[i].name)) {
            vb_errorf(err, VB_EDATA, "%s: two tensors of the file are '%s'", path, names->set.items[i].name);
            vb_weight_names_free(names);
            return -1;
        }
    return 0;
}

void vb_weight_names_free(vb_weight_names *names) {
    vb_free(names->storage);
    *names = (vb_weight_names){0};
}

/* ---- the namings of a family ---- */

static bool rules_make(const rule *rules, const char *name) {
    span parts[8];
    for (; rules->pattern; rules++)
        if (matches(rules->canonical ? rules->canonical : rules->pattern, name, parts)) return true;
    return false;
}

/* Whether tensors under the scheme's names can have what the sign asks for: names, some with a first dimension ("name[32]") or
 * their number ("name(2)"). */
static bool can_show(const scheme *s, const vb_family_sign *sign) {
    for (int i = 0; i < 4 && sign->has[i]; i++) {
        char name[LONGEST_NAME];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(sign->has[i], "[("), sign->has[i]);
        if (!rules_make(s->image, name) && !(s->texts && rules_make(timm_trunk, name)) &&
            !(s->text && rules_make(s->texts ? s->texts : openai_text, name)))
            return false;
    }
    return true;
}

static bool leads_to(const scheme *s, const vb_family *family) {
    if (s->family && !strcmp(s->family, family->name)) return true;
    for (const vb_family_sign *sign = s->signs ? family->signs : NULL; sign && sign->has[0]; sign++)
        if (can_show(s, sign)) return true;
    return false;
}

const char *vb_weight_names_of(const vb_family *family, char *text, size_t size) {
    size_t used = 0;
    *text = 0;
    for (int s = SCHEMES; s-- && used < size;)
        if (leads_to(&schemes[s], family) && !strstr(text, schemes[s].name))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", schemes[s].name);
    return text;
}
