/* open_clip_config.json: model_cfg and preprocess_cfg with the defaults of open_clip 3.3 model.py (CLIPVisionCfg, CLIPTextCfg)
 * and transform.py (PreprocessCfg). What changes a plain CLIP into another architecture is refused by its key. */
#include "shards/weights/side_open_clip.h"

#include <stdio.h>
#include <string.h>

enum { LARGEST_NUMBER = 1 << 24, STAGES = 4, COCA_POOL_HEADS = 8 };

/* Keys of a tower that must be what a plain CLIP has: false, unless `plain` is a word. */
typedef struct plain_key {
    const char *key, *plain;
} plain_key;

static void check_plain(vb_fields *tower, const plain_key *keys) {
    char reason[160];
    for (; keys->key; keys++) {
        const json_t *value = vb_fields_get(tower, keys->key);
        const char *text = json_string_value(value);
        if (!value || json_is_false(value) || (text && !*text) || (json_is_object(value) && !json_object_size(value))) continue;
        if (keys->plain && text && !strcmp(text, keys->plain)) continue;
        snprintf(reason, sizeof reason, "%s%s%smakes this another architecture than CLIP's, which is not encoded here",
                 text ? "\"" : "", text ? text : "", text ? "\" " : "");
        vb_fields_refuse(tower, VB_EUNSUPPORTED, keys->key, reason);
    }
}

static vb_activation read_activation(vb_fields *tower, bool quick, const char *place) {
    static const char *const words[] = {"none", "tanh", NULL};
    vb_fields kwargs = vb_fields_object(tower, "act_kwargs", place);
    const bool tanh = vb_fields_choice(&kwargs, "approximate", words, 0);
    return quick ? VB_QUICK_GELU : tanh ? VB_GELU_TANH : VB_GELU;
}

static float read_epsilon(vb_fields *tower, const char *place) {
    vb_fields kwargs = vb_fields_object(tower, "norm_kwargs", place);
    return (float)vb_fields_real(&kwargs, "eps", 1e-20, 1, 1e-5);
}

/* Image towers of timm's by the beginning of their names, and a part of them (NULL: none is asked): what the tensors do not tell.
 * The first row that fits. */
static const struct {
    const char *name, *part, *family;
    vb_activation activation;
    float epsilon; /* of LayerNorm; 0: the family's */
} timm_models[] = {{"vit_giantopt_", "siglip", "siglip", VB_GELU_TANH, 0},
                   {"vit_so400m_patch16_", "siglip", "siglip", VB_GELU_TANH, 0},
                   {"vit_large_patch16_siglip_512", NULL, "siglip", VB_GELU_TANH, 0},
                   {"vit_base_patch32_", "siglip", "siglip", VB_GELU_TANH, 0},
                   {"vit_", "siglip", "siglip", VB_GELU, 0},
                   {"vit_pe_core_", NULL, "pe", VB_GELU, 0},
                   {"vit_large_patch14_clip_224", NULL, "mobileclip_l", VB_GELU, 0},
                   {"eva", NULL, "eva", VB_GELU, 0},
                   {"convnext_xxlarge", NULL, "convnext", VB_GELU, 1e-5f},
                   {"convnext_", NULL, "convnext", VB_GELU, 0},
                   {"vit_base_mci_", NULL, "mobileclip_b", VB_GELU, 0},
                   {"fastvit_mci", NULL, "mobileclip_s", VB_GELU, 0},
                   {"vitamin_", NULL, "vitamin", VB_GELU, 0}};

static void read_timm(vb_fields *tower, const char *name, vb_side_facts *facts) {
    check_plain(tower, (const plain_key[]){{"timm_model_kwargs", NULL}, {NULL, NULL}}); /* of open_clip 4 */
    for (size_t i = 0; i < sizeof timm_models / sizeof *timm_models; i++) {
        const char *start = timm_models[i].name, *part = timm_models[i].part;
        if (strncmp(name, start, strlen(start)) || (part && !strstr(name, part))) continue;
        facts->family = timm_models[i].family;
        facts->image = (vb_side_tower){.told = true, .activation = timm_models[i].activation, .epsilon = timm_models[i].epsilon};
        facts->image_size = vb_fields_side(tower, "image_size", 224);
        return;
    }
    check_plain(tower, (const plain_key[]){{"timm_model_name", NULL}, {NULL, NULL}});
}

static void read_image(vb_fields *tower, bool quick, vb_side_facts *facts) {
    static const plain_key keys[] = {{"no_ln_pre", NULL}, {"final_ln_after_pool", NULL}, {"pool_type", "tok"}, {NULL, NULL}};
    static const plain_key other_keys[] = {{"pos_embed_type", "learnable"}, {"ls_init_value", NULL},
                                           {"input_patchnorm", NULL},       {"qk_norm", NULL},
                                           {"global_average_pool", NULL},   {NULL, NULL}};
    const char *timm = vb_fields_text(tower, "timm_model_name", "");
    if (*timm) {
        read_timm(tower, timm, facts);
        return;
    }
    /* CLIPA and OpenVision have all three, others none. */
    const bool mean = vb_fields_bool(tower, "no_ln_pre", false) && vb_fields_bool(tower, "final_ln_after_pool", false) &&
                      !strcmp(vb_fields_text(tower, "pool_type", "tok"), "avg");
    if (!mean) check_plain(tower, keys);
    check_plain(tower, other_keys);
    const bool query = json_is_true(vb_fields_get(tower, "attentional_pool"));
    if (!query) check_plain(tower, (const plain_key[]){{"attentional_pool", NULL}, {NULL, NULL}});
    else if (mean) check_plain(tower, keys);
    else vb_fields_integer(tower, "attn_pooler_heads", COCA_POOL_HEADS, COCA_POOL_HEADS, COCA_POOL_HEADS);
    facts->family = query ? "coca" : mean ? "clipa" : "clip";
    const json_t *layers = vb_fields_get(tower, "layers");
    const bool resnet = json_is_array(layers);
    if (resnet && json_array_size(layers) != STAGES) vb_fields_expected(tower, "layers", "a whole number, or a list of four");
    const int width = (int)vb_fields_integer(tower, "width", 1, 1 << 20, resnet ? 64 : 768);
    const int channels = resnet ? 32 * width : width, head = (int)vb_fields_integer(tower, "head_width", 1, 1 << 20, 64);
    if (channels % head) vb_fields_expected(tower, "head_width", "a divisor of the width");
    facts->image = (vb_side_tower){.told = true,
                                   .activation = read_activation(tower, quick, "model_cfg.vision_cfg.act_kwargs."),
                                   .heads = channels / head,
                                   .width = width,
                                   .layers = resnet ? 0 : (int)vb_fields_integer(tower, "layers", 1, LARGEST_NUMBER, 12),
                                   .epsilon = read_epsilon(tower, "model_cfg.vision_cfg.norm_kwargs.")};
    facts->image_size = vb_fields_side(tower, "image_size", 224);
    facts->patch = resnet ? 0 : vb_fields_side(tower, "patch_size", 16);
}

/* Texts of another library's model (HFTextEncoder): the file names it, and its sizes are the tensors'. */
static const struct {
    const char *part;                   /* of the name */
    const char *family, *beside_siglip; /* and where the images are SigLIP's */
} text_models[] = {{"roberta", "roberta", "roberta"}, {"nllb", "nllb", "nllb_siglip"}};

static void read_text_model(vb_fields *tower, const char *name, vb_side_facts *facts) {
    static const char *const poolers[] = {"mean_pooler", "cls_pooler", NULL};
    check_plain(tower, (const plain_key[]){{"hf_model_config", NULL}, {NULL, NULL}}); /* of open_clip 4 */
    size_t i = 0, models = sizeof text_models / sizeof *text_models;
    while (i < models && !strstr(name, text_models[i].part)) i++;
    if (i == models) check_plain(tower, (const plain_key[]){{"hf_model_name", NULL}, {NULL, NULL}});
    else {
        const bool siglip = facts->family && !strcmp(facts->family, "siglip");
        facts->family = siglip ? text_models[i].beside_siglip : text_models[i].family;
    }
    facts->text_mask = VB_MASK_PADDING;
    facts->text_pooling = vb_fields_choice(tower, "hf_pooler_type", poolers, 0) ? VB_POOLING_FIRST : VB_POOLING_MEAN;
    facts->context = (int)vb_fields_integer(tower, "context_length", 1, LARGEST_NUMBER, 77);
}

static void read_text(vb_fields *tower, bool quick, vb_side_facts *facts) {
    static const plain_key keys[] = {{"final_ln_after_pool", NULL}, {"ls_init_value", NULL}, {"qk_norm", NULL}, {NULL, NULL}};
    static const char *const projections[] = {"linear", "none", NULL};
    static const char *const pools[] = {"argmax", "eos", "last", "first", NULL};
    const char *model = vb_fields_text(tower, "hf_model_name", "");
    if (*model) {
        read_text_model(tower, model, facts);
        return;
    }
    check_plain(tower, keys);
    (void)vb_fields_choice(tower, "proj_type", projections, 0); /* the tensors tell whether there is one */
    facts->text_mask = vb_fields_bool(tower, "no_causal_mask", false) ? VB_MASK_NONE : VB_MASK_CAUSAL;
    facts->text = (vb_side_tower){.told = true,
                                  .activation = read_activation(tower, quick, "model_cfg.text_cfg.act_kwargs."),
                                  .heads = (int)vb_fields_integer(tower, "heads", 1, LARGEST_NUMBER, 8),
                                  .width = (int)vb_fields_integer(tower, "width", 1, LARGEST_NUMBER, 512),
                                  .layers = (int)vb_fields_integer(tower, "layers", 1, LARGEST_NUMBER, 12),
                                  .epsilon = read_epsilon(tower, "model_cfg.text_cfg.norm_kwargs.")};
    facts->context = (int)vb_fields_integer(tower, "context_length", 1, LARGEST_NUMBER, 77);
    facts->vocabulary = (int)vb_fields_integer(tower, "vocab_size", 1, LARGEST_NUMBER, 49408);
    const int pool = vb_fields_choice(tower, "pool_type", pools, 0);
    const bool class_row = vb_fields_bool(tower, "embed_cls", false); /* which is pooled, whatever pool_type says */
    facts->text_pooling = class_row || pool == 2 ? VB_POOLING_LAST : pool == 3 ? VB_POOLING_FIRST : VB_POOLING_END;
    if (class_row) vb_fields_integer(tower, "pad_id", 0, 0, 0); /* the padding that the class row does not see */
    if (pool == 1 && !class_row) facts->end_token = (int)vb_fields_integer(tower, "eos_id", 1, LARGEST_NUMBER, 2);
}

/* HFTokenizer cleans white space only, and its end tokens stay, unless tokenizer_kwargs say otherwise; SimpleTokenizer's texts
 * are in lower case, which is its convention. */
static void read_tokenizer(vb_fields *text, vb_side_facts *facts) {
    vb_fields kwargs = vb_fields_object(text, "tokenizer_kwargs", "model_cfg.text_cfg.tokenizer_kwargs.");
    const char *mode = vb_fields_text(text, "tokenizer_mode", ""), *language = vb_fields_text(&kwargs, "language", "");
    if (*mode) vb_fields_refuse(text, VB_EUNSUPPORTED, "tokenizer_mode", "ids are laid around texts by a convention here");
    if (strlen(language) < sizeof facts->language) strcpy(facts->language, language);
    else vb_fields_expected(&kwargs, "language", "a language such as eng_Latn");
    const bool other = vb_fields_get(text, "hf_tokenizer_name");
    facts->cleaning_told = other || vb_fields_get(&kwargs, "clean");
    facts->cleaning =
        (vb_cleaning)vb_fields_choice(&kwargs, "clean", vb_text_cleanup_names, other ? VB_CLEAN_WHITESPACE : VB_CLEAN_LOWER);
    facts->strip_end_told = other;
    facts->strip_end = vb_fields_bool(&kwargs, "strip_sep_token", false);
    const char *mask = vb_fields_text(&kwargs, "reduction_mask", "");
    if (*mask && strcmp(mask, "simple"))
        vb_fields_refuse(&kwargs, VB_EUNSUPPORTED, "reduction_mask", "texts are cut at the context's end here");
}

static void read_preprocess(vb_fields *fields, vb_side_facts *facts) {
    vb_preprocess *spec = &facts->preprocess, openai = vb_preprocess_clip(1);
    *spec = (vb_preprocess){.resolution = vb_fields_side(fields, "size", 0),
                            .resize = (vb_resize_mode)vb_fields_choice(fields, "resize_mode", vb_preprocess_resizes, 0),
                            .filter = (vb_filter)vb_fields_choice(fields, "interpolation", vb_preprocess_filters, 0),
                            .crop = VB_CROP_ROUND};
    vb_fields_triple(fields, "mean", -1e3, 1e3, openai.mean, spec->mean);
    vb_fields_triple(fields, "std", 1e-6, 1e3, openai.std, spec->std);
    if (strcmp(vb_fields_text(fields, "mode", "RGB"), "RGB"))
        vb_fields_refuse(fields, VB_EUNSUPPORTED, "mode", "images are RGB here");
    if (spec->resize == VB_RESIZE_LONGEST && vb_fields_integer(fields, "fill_color", 0, 255, 0))
        vb_fields_refuse(fields, VB_EUNSUPPORTED, "fill_color", "frames are of zeros here");
    facts->pixels_from = "open_clip_config.json";
}

void vb_side_open_clip_fields(vb_fields *root, vb_side_facts *facts) {
    if (!vb_fields_get(root, "model_cfg")) {
        vb_fields_expected(root, "model_cfg", "an object");
        return;
    }
    vb_fields model = vb_fields_object(root, "model_cfg", "model_cfg.");
    vb_fields image = vb_fields_object(&model, "vision_cfg", "model_cfg.vision_cfg.");
    vb_fields text = vb_fields_object(&model, "text_cfg", "model_cfg.text_cfg.");
    vb_fields preprocess = vb_fields_object(root, "preprocess_cfg", "preprocess_cfg.");
    const bool quick = vb_fields_bool(&model, "quick_gelu", false);
    read_image(&image, quick, facts);
    read_text(&text, quick, facts);
    read_tokenizer(&text, facts);
    read_preprocess(&preprocess, facts);
    facts->embed = (int)vb_fields_integer(&model, "embed_dim", 1, LARGEST_NUMBER, 0);
    facts->towers_from = "open_clip_config.json";
}
