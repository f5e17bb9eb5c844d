/* The order of trust among the experiment, the files beside the weights, the weights themselves and the family. */
#include "mpi/encode/facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shards/weights/side_files.h"

static const char of_experiment[] = "experiment", of_family[] = "family", of_tensors[] = "tensors";
static const char *const names[VB_FACTS] = {[VB_FACT_IMAGE_ACTIVATION] = "image_activation",
                                            [VB_FACT_TEXT_ACTIVATION] = "text_activation",
                                            [VB_FACT_IMAGE_HEADS] = "image_heads",
                                            [VB_FACT_TEXT_HEADS] = "text_heads",
                                            [VB_FACT_IMAGE_EPSILON] = "image_epsilon",
                                            [VB_FACT_TEXT_EPSILON] = "text_epsilon",
                                            [VB_FACT_CONVENTION] = "convention",
                                            [VB_FACT_CLEANING] = "cleaning",
                                            [VB_FACT_START_TOKEN] = "start_token",
                                            [VB_FACT_PAD_TOKEN] = "pad_token",
                                            [VB_FACT_END_IDS] = "end_ids",
                                            [VB_FACT_CONTEXT] = "context",
                                            [VB_FACT_TEXT_MASK] = "text_mask",
                                            [VB_FACT_TEXT_POOLING] = "text_pooling",
                                            [VB_FACT_END_TOKEN] = "end_token",
                                            [VB_FACT_RESOLUTION] = "resolution",
                                            [VB_FACT_MAX_PATCHES] = "max_patches",
                                            [VB_FACT_PRECISION] = "precision",
                                            [VB_FACT_RESIZE] = "resize",
                                            [VB_FACT_RESIZE_TO] = "resize_to",
                                            [VB_FACT_INTERPOLATION] = "interpolation",
                                            [VB_FACT_CROP] = "crop",
                                            [VB_FACT_PREPROCESSING] = "preprocessing",
                                            [VB_FACT_MEAN] = "mean",
                                            [VB_FACT_STD] = "std"};

const char *vb_facts_name(vb_fact fact) { return names[fact]; }

/* ---- towers ---- */

static vb_activation activation_of(int stated) {
    static const vb_activation activations[] = {
        [VB_ACTIVATION_QUICK_GELU] = VB_QUICK_GELU, [VB_ACTIVATION_GELU] = VB_GELU, [VB_ACTIVATION_GELU_TANH] = VB_GELU_TANH};
    return activations[stated];
}

/* That the activation is the one of the family's row. OpenAI's own files are TorchScript archives, and all of QuickGELU; so is
 * Long-CLIP, which was trained from them. Other families vary by the naming. */
static const char *told_by_weights(const vb_weights *weights, const vb_family *family) {
    if (!family->activation_guess) return of_family;
    if (family->activation_naming && !strcmp(family->activation_naming, weights->naming)) return of_family;
    if (strcmp(family->name, "clip")) return NULL;
    if (!strcmp(weights->container, "TorchScript") && !strcmp(weights->naming, "OpenAI")) return "TorchScript archive";
    return vb_tensor_find(&weights->set, "positional_embedding_res") ? of_tensors : NULL;
}

static int find_activation(vb_tower_facts *tower, const char **source, int of_both, int of_it, const vb_side_tower *side,
                           const char *side_name, const char *from_weights, vb_activation of_family_row) {
    *tower = (vb_tower_facts){.activation_known = true};
    if (of_it >= 0 || of_both >= 0) {
        tower->activation = activation_of(of_it >= 0 ? of_it : of_both);
        *source = of_experiment;
    } else if (side_name && side->told) {
        tower->activation = side->activation;
        *source = side_name;
    } else if (from_weights) {
        tower->activation = of_family_row;
        *source = from_weights;
    } else return -1;
    return 0;
}

static int refuse_activation(const vb_weights *weights, const vb_family *family, const char *tower, vb_error *err) {
    return vb_errorf(
        err, VB_ECONFIG,
        "%s: nothing tells the activation of the %s tower: no %s lies beside the weights, and tensors under %s's names do "
        "not tell; state %s",
        weights->where.file, tower, strcmp(weights->naming, "Hugging Face") ? "open_clip_config.json" : "config.json",
        weights->naming, family->activation_hint);
}

static void find_heads(int *heads, const char **source, int64_t stated, const vb_side_tower *side, const char *side_name) {
    *source = of_family;
    *heads = 0;
    if (stated != VB_OPTION_NONE) {
        *heads = (int)stated;
        *source = of_experiment;
    } else if (side_name && side->heads) {
        *heads = side->heads;
        *source = side_name;
    }
}

static void find_epsilon(float *epsilon, const char **source, double stated, const vb_side_tower *side, const char *side_name) {
    *source = of_family;
    *epsilon = 0;
    if (!isnan(stated)) {
        *epsilon = (float)stated;
        *source = of_experiment;
    } else if (side_name && side->epsilon > 0) {
        *epsilon = side->epsilon;
        *source = side_name;
    }
}

/* Which rows of a text see which, and which one is pooled. */
static void find_text_rows(vb_facts *facts, const vb_stated_facts *stated) {
    const vb_side_facts *side = &facts->side;
    vb_tower_options *towers = &facts->towers;
    facts->source[VB_FACT_TEXT_MASK] = facts->source[VB_FACT_TEXT_POOLING] = of_family;
    if (stated->text_mask >= 0) {
        towers->text_mask = (vb_text_mask)(stated->text_mask + 1);
        facts->source[VB_FACT_TEXT_MASK] = of_experiment;
    } else if (side->text_mask) {
        towers->text_mask = side->text_mask;
        facts->source[VB_FACT_TEXT_MASK] = side->towers_from;
    }
    if (stated->text_pooling >= 0) {
        towers->text_pooling = (vb_text_pooling)(stated->text_pooling + 1);
        facts->source[VB_FACT_TEXT_POOLING] = of_experiment;
    } else if (side->text_pooling) {
        towers->text_pooling = side->text_pooling;
        facts->source[VB_FACT_TEXT_POOLING] = side->towers_from;
    }
}

/* Those that every plain CLIP has are not listed. */
static void leave_out_plain_rows(vb_facts *facts, const vb_clip_info *info) {
    if (info->text_mask == VB_MASK_CAUSAL) facts->source[VB_FACT_TEXT_MASK] = NULL;
    if (info->text_pooling == VB_POOLING_END) facts->source[VB_FACT_TEXT_POOLING] = NULL;
    else facts->source[VB_FACT_END_TOKEN] = NULL;
}

/* MetaCLIP 2's vocabularies: XLM-V's, whose texts end with 2, and mT5's, with 1. Sources: open_clip's ViT-H-14-worldwide
 * configuration; facebookresearch/MetaCLIP, ViT-B-32-mT5-worldwide.json, and mT5CLIP of model_worldwide.py. */
static const struct { int rows, end; } multilingual[] = {{901629, 2}, {250000, 1}};

static int end_of_vocabulary(const vb_family *family, const vb_tensor *table) {
    if (strcmp(family->name, "clip") || table->ndim != 2) return 0;
    for (size_t i = 0; i < sizeof multilingual / sizeof *multilingual; i++)
        if (table->shape[0] == multilingual[i].rows) return multilingual[i].end;
    return 0;
}

static void find_end_token(vb_facts *facts, int64_t stated, const vb_family *family, const vb_tensor *table) {
    const vb_side_facts *side = &facts->side;
    facts->source[VB_FACT_CONTEXT] = family->context ? of_family : of_tensors;
    if (family->context && side->towers_from && side->context) {
        facts->towers.context = side->context;
        facts->source[VB_FACT_CONTEXT] = side->towers_from;
    }
    facts->source[VB_FACT_END_TOKEN] = of_family;
    if (stated != VB_OPTION_NONE) {
        facts->towers.end_token = (int)stated;
        facts->source[VB_FACT_END_TOKEN] = of_experiment;
    } else if (side->towers_from && side->text.told) {
        facts->towers.end_token = side->end_token;
        facts->source[VB_FACT_END_TOKEN] = side->towers_from;
    } else if (end_of_vocabulary(family, table)) {
        facts->towers.end_token = end_of_vocabulary(family, table);
        facts->source[VB_FACT_END_TOKEN] = of_tensors;
    }
}

/* Of images of any shape. */
static void find_max_patches(vb_facts *facts, int64_t stated) {
    const vb_side_facts *side = &facts->side;
    facts->source[VB_FACT_MAX_PATCHES] = of_family;
    if (stated != VB_OPTION_NONE) {
        facts->towers.max_patches = (int)stated;
        facts->source[VB_FACT_MAX_PATCHES] = of_experiment;
    } else if (side->pixels_from && side->preprocess.max_patches) {
        facts->towers.max_patches = side->preprocess.max_patches;
        facts->source[VB_FACT_MAX_PATCHES] = side->pixels_from;
    }
}

static int find_resolution(vb_facts *facts, int64_t stated, const vb_family *family, const vb_weights *weights) {
    const vb_side_facts *side = &facts->side;
    const bool table = vb_tensor_find(&weights->set, "visual.positional_embedding");
    facts->source[VB_FACT_RESOLUTION] = family->resolution && !table ? of_family : of_tensors;
    if (stated > VB_FACTS_NO_IMAGES) {
        facts->towers.resolution = (int)stated;
        facts->source[VB_FACT_RESOLUTION] = of_experiment;
    } else if (side->towers_from && side->image.told) {
        facts->towers.resolution = side->image_size;
        facts->source[VB_FACT_RESOLUTION] = side->towers_from;
    } else if (side->pixels_from && side->preprocess.resolution) {
        facts->towers.resolution = side->preprocess.resolution;
        facts->source[VB_FACT_RESOLUTION] = side->pixels_from;
    } else if (vb_family_needs_side(family, &weights->set) && stated != VB_FACTS_NO_IMAGES) return -1;
    return 0;
}

static int refuse_resolution(const vb_weights *weights, const vb_family *family, vb_error *err) {
    return vb_errorf(err, VB_ECONFIG,
                     "%s: nothing tells the side of the images: no open_clip_config.json lies beside the weights, and models of "
                     "family %s were published with several under the same names; state resolution: %d, or as it was published",
                     weights->where.file, family->name, family->resolution);
}

int vb_facts_of_towers(vb_facts *facts, const vb_stated_facts *stated, const vb_weights *weights, const vb_family *family,
                       vb_error *err) {
    *facts = (vb_facts){0};
    vb_side_facts *side = &facts->side;
    vb_tower_options *towers = &facts->towers;
    const char **source = facts->source, *from_weights = told_by_weights(weights, family);
    if (vb_side_files_read(side, &weights->where, weights->naming, err)) return -1;
    const vb_family *described = side->family ? vb_family_find(side->family) : NULL;
    if (described && described != family && !vb_family_fits(described, &weights->set))
        return vb_errorf(err, VB_EMISMATCH,
                         "%s/%s describes a model of family %s, but the tensors of %s are of family %s: does it belong to these "
                         "weights?",
                         weights->where.folder, side->towers_from, side->family, weights->where.file, family->name);
    const vb_tensor *table = vb_tensor_find(&weights->set, "token_embedding.weight");
    const bool quick = family->quick_gelu_vocabulary && table && table->ndim && table->shape[0] == family->quick_gelu_vocabulary;
    if (vb_tensor_has_prefix(&weights->set, "visual.")) {
        const bool resnet = vb_tensor_has_prefix(&weights->set, "visual.layer1."); /* of ReLU, and without LayerNorm */
        if (find_activation(&towers->image, &source[VB_FACT_IMAGE_ACTIVATION], stated->activation, stated->image_activation,
                            &side->image, side->towers_from, quick ? of_tensors : from_weights,
                            quick ? VB_QUICK_GELU : family->image_activation) &&
            !resnet)
            return refuse_activation(weights, family, "image", err);
        if (family->fixed_heads && stated->image_heads != VB_OPTION_NONE)
            return vb_errorf(err, VB_ECONFIG, "image_heads is stated, but the image towers of family %s do not leave it open",
                             family->name);
        find_heads(&towers->image.heads, &source[VB_FACT_IMAGE_HEADS], stated->image_heads, &side->image,
                   family->fixed_heads ? NULL : side->towers_from);
        find_epsilon(&towers->image.epsilon, &source[VB_FACT_IMAGE_EPSILON], stated->image_epsilon, &side->image,
                     side->towers_from);
        if (resnet) source[VB_FACT_IMAGE_ACTIVATION] = source[VB_FACT_IMAGE_EPSILON] = NULL;
        if (family->max_patches) find_max_patches(facts, stated->max_patches);
        else if (find_resolution(facts, stated->resolution, family, weights)) return refuse_resolution(weights, family, err);
    }
    if (table) {
        if (find_activation(&towers->text, &source[VB_FACT_TEXT_ACTIVATION], stated->activation, stated->text_activation,
                            &side->text, side->towers_from, from_weights, family->text_activation))
            return refuse_activation(weights, family, "text", err);
        find_heads(&towers->text.heads, &source[VB_FACT_TEXT_HEADS], stated->text_heads, &side->text, side->towers_from);
        find_epsilon(&towers->text.epsilon, &source[VB_FACT_TEXT_EPSILON], stated->text_epsilon, &side->text, side->towers_from);
        find_text_rows(facts, stated);
        find_end_token(facts, stated->end_token, family, table);
    }
    return 0;
}

/* ---- pixels ---- */

/* Sizes that a file tells (0: it does not) beside those of the tensors. */
static int check_sizes(const vb_side_facts *side, const vb_weights *weights, const vb_clip_info *info, vb_error *err) {
    const bool image = info->tower && side->image.told, text = info->context_length && side->text.told, vit = info->patch;
    const struct {
        const char *what;
        bool there;
        int told, found;
    } sizes[] = {{"an image tower of width", image, side->image.width, info->image_width},
                 {"image layers", image && vit, side->image.layers, info->image_layers[0]},
                 {"patches of side", image && vit, side->patch, info->patch},
                 {"positions of patches", image && info->max_patches, side->positions, info->positions},
                 {"a text tower of width", text, side->text.width, info->text_width},
                 {"text layers", text, side->text.layers, info->text_layers},
                 {"a context of tokens", text, side->context, info->context_length},
                 {"a vocabulary of tokens", text, side->vocabulary, info->vocabulary_size},
                 {"an embedding of dimensions", image || text, side->embed, info->embed_dim}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].there && sizes[i].told && sizes[i].told != sizes[i].found)
            return vb_errorf(err, VB_EMISMATCH,
                             "%s/%s tells %s: %d, but the tensors of %s have %d: does it belong to these weights?",
                             weights->where.folder, side->towers_from, sizes[i].what, sizes[i].told, weights->where.file,
                             sizes[i].found);
    return 0;
}

static void state_triple(float value[3], const double stated[3]) {
    for (int i = 0; i < 3; i++) value[i] = (float)stated[i];
}

void vb_facts_state_pixels(vb_preprocess *spec, const vb_stated_facts *stated, const char **source) {
    const bool given[VB_FACTS] = {[VB_FACT_RESIZE] = stated->resize >= 0,
                                  [VB_FACT_RESIZE_TO] = stated->resize_to != VB_OPTION_NONE,
                                  [VB_FACT_INTERPOLATION] = stated->interpolation >= 0,
                                  [VB_FACT_CROP] = stated->crop >= 0,
                                  [VB_FACT_PREPROCESSING] = stated->preprocessing >= 0,
                                  [VB_FACT_MEAN] = !isnan(stated->mean[0]),
                                  [VB_FACT_STD] = !isnan(stated->std[0])};
    for (int f = 0; source && f < VB_FACTS; f++)
        if (given[f]) source[f] = of_experiment;
    if (given[VB_FACT_RESIZE]) spec->resize = (vb_resize_mode)stated->resize;
    if (given[VB_FACT_RESIZE_TO]) spec->resize_to = (int)stated->resize_to;
    if (given[VB_FACT_INTERPOLATION]) spec->filter = (vb_filter)stated->interpolation;
    if (given[VB_FACT_CROP]) spec->crop = (vb_crop_offset)stated->crop;
    if (given[VB_FACT_PREPROCESSING]) spec->rgb_first = stated->preprocessing == VB_PREPROCESSING_RGB_FIRST;
    if (given[VB_FACT_MEAN]) state_triple(spec->mean, stated->mean);
    if (given[VB_FACT_STD]) state_triple(spec->std, stated->std);
}

int vb_facts_check_crop(const vb_preprocess *spec, const vb_stated_facts *stated, vb_error *err) {
    if (stated->crop < 0 || spec->resize == VB_RESIZE_SHORTEST || spec->resize_to) return 0;
    return vb_errorf(err, VB_ECONFIG, "crop is stated, but resize is %s, which leaves nothing to crop",
                     vb_preprocess_resizes[spec->resize]);
}

/* As a family was published; NULL: as OpenAI's models. */
static vb_preprocess pixels_of(const vb_family_pixels *own) {
    vb_preprocess spec = vb_preprocess_clip(0);
    if (!own) return spec;
    memcpy(spec.mean, own->mean, sizeof own->mean);
    memcpy(spec.std, own->std, sizeof own->std);
    if (own->squash) spec.resize = VB_RESIZE_SQUASH;
    if (own->bilinear) spec.filter = VB_FILTER_BILINEAR;
    spec.resize_to = own->resize_to;
    return spec;
}

/* What a tower has no use for must not be stated: it would be in no fact. ResNets have ReLU, gates SiLU. */
static int refuse_unused(const vb_stated_facts *stated, const vb_weights *weights, const vb_clip_info *info, vb_error *err) {
    const bool image = info->tower, text = info->context_length, any = image && info->max_patches;
    static const char squares[] = "the model sees squares", shapes[] = "the model sees images in their own shape";
    const struct {
        const char *key, *reason;
        bool unused;
    } keys[] = {{"image_activation", "the image tower has one of its own",
                 image && stated->image_activation >= 0 && (info->image_gated || !info->patch)},
                {"image_epsilon", "the image tower has no LayerNorm",
                 image && !isnan(stated->image_epsilon) && !(info->image_epsilon > 0)},
                {"max_patches", squares, image && !any && stated->max_patches != VB_OPTION_NONE},
                {"resolution", shapes, any && stated->resolution > VB_FACTS_NO_IMAGES},
                {"resize", shapes, any && stated->resize >= 0},
                {"resize_to", shapes, any && stated->resize_to != VB_OPTION_NONE},
                {"crop", shapes, any && stated->crop >= 0},
                {"end_token", "texts are not pooled at an end token",
                 text && stated->end_token != VB_OPTION_NONE && info->end_token == VB_NO_END_TOKEN}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].unused)
            return vb_errorf(err, VB_ECONFIG, "%s: %s is stated, but %s", weights->where.file, keys[i].key, keys[i].reason);
    return 0;
}

/* Of models that see images in their own shape, and files that say so of others. */
static int use_shapes(vb_facts *facts, const vb_stated_facts *stated, const vb_weights *weights, const vb_clip_info *info,
                      vb_error *err) {
    static const vb_fact of_squares[] = {VB_FACT_RESOLUTION, VB_FACT_RESIZE, VB_FACT_RESIZE_TO, VB_FACT_CROP};
    vb_preprocess *spec = &facts->preprocess;
    const char *file = facts->side.pixels_from;
    if (file && !spec->max_patches != !info->max_patches)
        return vb_errorf(err, VB_EMISMATCH,
                         "%s/%s makes %s of images, but the model of %s sees %s: does it belong to these weights?",
                         weights->where.folder, file, info->max_patches ? "squares" : "patches in their own shape",
                         weights->where.file, info->max_patches ? "their own shape" : "squares");
    if (file && spec->patch != info->patch)
        return vb_errorf(err, VB_EMISMATCH, "%s/%s tells patches of side: %d, but the tensors of %s have %d",
                         weights->where.folder, file, spec->patch, weights->where.file, info->patch);
    spec->max_patches = info->max_patches;
    spec->patch = info->patch;
    vb_facts_state_pixels(spec, stated, facts->source);
    for (size_t i = 0; i < sizeof of_squares / sizeof *of_squares; i++) facts->source[of_squares[i]] = NULL;
    return 0;
}

int vb_facts_of_pixels(vb_facts *facts, const vb_stated_facts *stated, const vb_weights *weights, const vb_family *family,
                       const vb_clip_info *info, vb_error *err) {
    const vb_side_facts *side = &facts->side;
    vb_preprocess *spec = &facts->preprocess;
    const char **source = facts->source;
    if ((side->towers_from && check_sizes(side, weights, info, err)) || refuse_unused(stated, weights, info, err)) return -1;
    if (info->context_length) leave_out_plain_rows(facts, info);
    if (!info->tower) return 0;
    if (info->image_gated) source[VB_FACT_IMAGE_ACTIVATION] = NULL; /* the gates' SiLU */
    if (!info->image_heads) source[VB_FACT_IMAGE_HEADS] = NULL;
    if (!(info->image_epsilon > 0)) source[VB_FACT_IMAGE_EPSILON] = NULL;
    *spec = side->pixels_from ? side->preprocess : pixels_of(info->pixels ? info->pixels : family->pixels);
    for (int f = VB_FACT_RESIZE; f < VB_FACTS; f++) source[f] = side->pixels_from ? side->pixels_from : of_family;
    if (info->max_patches || spec->max_patches) return use_shapes(facts, stated, weights, info, err);
    const bool differs = spec->resolution && spec->resolution != info->resolution;
    if (differs && source[VB_FACT_RESOLUTION] == of_experiment && spec->resize_to && stated->resize_to == VB_OPTION_NONE)
        return vb_errorf(err, VB_EMISMATCH,
                         "%s/%s resizes images to %d and crops them to %d, but resolution %d is stated: state resize_to",
                         weights->where.folder, side->pixels_from, spec->resize_to, spec->resolution, info->resolution);
    if (differs && source[VB_FACT_RESOLUTION] != of_experiment)
        return vb_errorf(err, VB_EMISMATCH, "%s/%s resizes images to %d, but the model's side is %d by %s: state resolution",
                         weights->where.folder, side->pixels_from, spec->resolution, info->resolution,
                         source[VB_FACT_RESOLUTION]);
    spec->resolution = info->resolution;
    vb_facts_state_pixels(spec, stated, source);
    if (spec->resize_to == spec->resolution) spec->resize_to = 0;
    if (spec->resize_to && (spec->resize_to < spec->resolution || spec->resize == VB_RESIZE_LONGEST))
        return vb_errorf(err, VB_EMISMATCH, "resize_to %d (%s): expected %s", spec->resize_to, source[VB_FACT_RESIZE_TO],
                         spec->resize == VB_RESIZE_LONGEST ? "none, with resize longest" : "the images' side or more");
    if (!spec->resize_to) source[VB_FACT_RESIZE_TO] = NULL;
    if (vb_facts_check_crop(spec, stated, err)) return vb_error_prefix(err, "%s", weights->where.file);
    if (spec->resize != VB_RESIZE_SHORTEST && !spec->resize_to) source[VB_FACT_CROP] = NULL;
    return 0;
}

/* ---- keys and reports ---- */

static float epsilon_of(float known, float of_that_family) { return known > 0 ? known : of_that_family; }

/* What the family fixes is not said, so that units which were cached before such things could be stated are found. */
void vb_facts_key(const vb_facts *facts, const vb_family *family, const vb_clip_info *info, bool text, char *key, size_t size) {
    const vb_tower_facts *tower = text ? &facts->towers.text : &facts->towers.image;
    const vb_activation usual = text ? family->text_activation : family->image_activation;
    const float usual_epsilon = text ? family->text_epsilon : family->image_epsilon,
                epsilon = epsilon_of(text ? info->text_epsilon : info->image_epsilon, usual_epsilon);
    const bool relu = !text && !info->patch;
    static const int keys[] = {[VB_QUICK_GELU] = 1, [VB_GELU] = 2, [VB_GELU_TANH] = 3};
    const bool fixed = relu || (!text && info->image_gated) || !tower->activation_known || tower->activation == usual;
    const int activation = fixed ? 0 : keys[tower->activation];
    const int width = text || info->patch ? (text ? info->text_width : info->image_width) : 32 * info->image_width;
    const int heads = text ? info->text_heads : info->image_heads;
    const int usual_heads = vb_family_heads(text ? family->text_head_widths : relu ? NULL : family->head_widths, width);
    int n = snprintf(key, size, "family %d activation %d", family->cache_key, activation);
    if (heads && heads != usual_heads) n += snprintf(key + n, size - (size_t)n, " heads %d", heads);
    if (epsilon < usual_epsilon || epsilon > usual_epsilon)
        n += snprintf(key + n, size - (size_t)n, " epsilon %.9g", (double)epsilon);
    if (text && info->text_mask != (family->text_mask ? family->text_mask : VB_MASK_CAUSAL))
        n += snprintf(key + n, size - (size_t)n, " mask %d", info->text_mask);
    if (text && info->text_pooling != (family->text_pooling ? family->text_pooling : VB_POOLING_END))
        n += snprintf(key + n, size - (size_t)n, " pooling %d", info->text_pooling);
    if (text && info->end_token >= 0 && info->end_token != info->vocabulary_size - 1)
        n += snprintf(key + n, size - (size_t)n, " end %d", info->end_token);
    if (text && info->long_positions) n += snprintf(key + n, size - (size_t)n, " two tables of positions");
    if (facts->bf16x3) snprintf(key + n, size - (size_t)n, " bf16x3 1"); /* to be raised when its chain changes */
}

static const char *activation_word(vb_activation activation) {
    static const char *const words[] = {
        [VB_QUICK_GELU] = "quick_gelu", [VB_GELU] = "gelu", [VB_GELU_TANH] = "gelu_tanh", [VB_SILU] = "silu", [VB_RELU] = "relu"};
    return words[activation];
}

/* A float with the fewest digits that give it back: 1e-05, not 9.99999975e-06. */
static double written(float value) {
    char text[32];
    double real = value;
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        real = strtod(text, NULL);
        const float back = (float)real;
        if (!memcmp(&back, &value, sizeof value)) break;
    }
    return real;
}

static void print_triple(const float value[3], char *text, size_t size) {
    snprintf(text, size, "[%.9g, %.9g, %.9g]", written(value[0]), written(value[1]), written(value[2]));
}

/* Of a fact that is a number; NaN for the others. */
static double number_of(const vb_facts *facts, const vb_clip_info *info, vb_fact fact) {
    switch (fact) {
    case VB_FACT_IMAGE_HEADS: return info->image_heads;
    case VB_FACT_TEXT_HEADS: return info->text_heads;
    case VB_FACT_IMAGE_EPSILON: return written(info->image_epsilon);
    case VB_FACT_TEXT_EPSILON: return written(info->text_epsilon);
    case VB_FACT_START_TOKEN: return facts->start_token;
    case VB_FACT_PAD_TOKEN: return facts->pad_token;
    case VB_FACT_CONTEXT: return info->context_length;
    case VB_FACT_END_TOKEN: return facts->towers.end_token;
    case VB_FACT_RESOLUTION: return info->resolution;
    case VB_FACT_MAX_PATCHES: return info->max_patches;
    case VB_FACT_RESIZE_TO: return facts->preprocess.resize_to;
    default: return NAN;
    }
}

static const char *word_of(const vb_facts *facts, const vb_clip_info *info, vb_fact fact) {
    const vb_preprocess *spec = &facts->preprocess;
    switch (fact) {
    case VB_FACT_IMAGE_ACTIVATION: return activation_word(facts->towers.image.activation);
    case VB_FACT_TEXT_ACTIVATION: return activation_word(facts->towers.text.activation);
    case VB_FACT_CONVENTION: return facts->convention;
    case VB_FACT_CLEANING: return vb_text_cleanup_names[facts->cleaning];
    case VB_FACT_END_IDS: return facts->strip_end ? "zero" : "kept";
    case VB_FACT_TEXT_MASK: return vb_family_text_masks[info->text_mask];
    case VB_FACT_TEXT_POOLING: return vb_family_text_poolings[info->text_pooling];
    case VB_FACT_RESIZE: return vb_preprocess_resizes[spec->resize];
    case VB_FACT_INTERPOLATION: return vb_preprocess_filters[spec->filter];
    case VB_FACT_CROP: return vb_preprocess_crops[spec->crop];
    case VB_FACT_PRECISION: return facts->bf16x3 ? "bf16x3" : "fp32";
    case VB_FACT_PREPROCESSING: return spec->rgb_first ? "rgb_first" : "openai";
    default: return NULL;
    }
}

void vb_facts_print(const vb_facts *facts, const vb_clip_info *info, vb_fact fact, char *text, size_t size) {
    const char *word = word_of(facts, info, fact);
    if (word) snprintf(text, size, "%s", word);
    else if (fact == VB_FACT_MEAN || fact == VB_FACT_STD)
        print_triple(fact == VB_FACT_MEAN ? facts->preprocess.mean : facts->preprocess.std, text, size);
    else snprintf(text, size, "%.9g", number_of(facts, info, fact));
}

static void set_value(vb_json *json, json_t *entry, const vb_facts *facts, const vb_clip_info *info, vb_fact fact) {
    const char *word = word_of(facts, info, fact);
    if (word) vb_json_set_text(json, entry, "value", word);
    else if (fact == VB_FACT_MEAN || fact == VB_FACT_STD) {
        const float *three = fact == VB_FACT_MEAN ? facts->preprocess.mean : facts->preprocess.std;
        const double rounded[3] = {written(three[0]), written(three[1]), written(three[2])};
        vb_json_set(json, entry, "value", vb_json_real_list(json, rounded, 3));
    } else if (fact == VB_FACT_IMAGE_EPSILON || fact == VB_FACT_TEXT_EPSILON)
        vb_json_set_real(json, entry, "value", number_of(facts, info, fact));
    else vb_json_set_integer(json, entry, "value", (int64_t)number_of(facts, info, fact));
}

json_t *vb_facts_json(vb_json *json, const vb_facts *facts, const vb_clip_info *info) {
    json_t *object = vb_json_object(json);
    for (int f = 0; f < VB_FACTS; f++) {
        if (!facts->source[f]) continue;
        json_t *entry = vb_json_set_object(json, object, names[f]);
        set_value(json, entry, facts, info, (vb_fact)f);
        vb_json_set_text(json, entry, "source", facts->source[f]);
    }
    return object;
}
