/* config.json and preprocessor_config.json (or processor_config.json) of transformers, read with the defaults of their classes;
 * which files are read. Sources: transformers 5.24 models/clip/configuration_clip.py and modeling_clip.py (pooling),
 * image_processing_clip.py, image_processing_chinese_clip.py, image_processing_siglip.py, image_processing_vit.py,
 * image_processing_efficientnet.py, image_processing_base.py (which file goes first). open_clip_config.json: side_open_clip.c. */
#include "shards/weights/side_files.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/weights/fields.h"
#include "shards/weights/side_open_clip.h"

enum { LARGEST_FILE = 1 << 24, LARGEST_NUMBER = 1 << 24 };

/* ---- config.json ---- */

/* Model types that are known, and refused by name until their family comes. */
static const struct {
    const char *type, *name;
} other_types[] = {{"flava", "FLAVA"},     {"blip", "BLIP"},
                   {"clipseg", "CLIPSeg"}, {"groupvit", "GroupViT"},
                   {"owlvit", "OWL-ViT"},  {"vision-text-dual-encoder", "a dual encoder of two other models"},
                   {"xclip", "X-CLIP"}};

static void refuse_type(vb_fields *root, const char *type) {
    char reason[160];
    for (size_t i = 0; i < sizeof other_types / sizeof *other_types; i++)
        if (!strcmp(type, other_types[i].type)) {
            snprintf(reason, sizeof reason, "%s is %s, which is not encoded here", type, other_types[i].name);
            vb_fields_refuse(root, VB_EUNSUPPORTED, "model_type", reason);
            return;
        }
    vb_fields_expected(
        root, "model_type",
        "clip, metaclip_2, siglip, siglip2, altclip, chinese_clip, align, or one of their towers (clip_vision_model, ...)");
}

/* A model_type whose towers are encoded: what a configuration leaves out. `vision` and `text`: model_types of the towers
 * alone. */
typedef struct model_type {
    const char *type, *vision, *text;
    const char *family;
    int activation; /* index of hidden_act's words */
    double epsilon;
    int patch, text_width, text_heads, vocabulary, context, embed;
    bool end_token, two_is_old; /* texts are pooled at eos_token_id; but not where that is 2 */
    int text_activation, text_layers;
    double text_epsilon;
    bool efficient; /* the image tower is an EfficientNet */
    int positions;  /* of models whose images have any shape; 0: they have an image_size */
} model_type;

enum { QUICK_GELU, GELU, GELU_TANH };
#define TYPE(name) .type = name, .vision = name "_vision_model", .text = name "_text_model"
#define CLIPS .patch = 32, .text_width = 512, .text_heads = 8, .vocabulary = 49408, .context = 77, .embed = 512, .end_token = true
#define SIGLIPS                                                                                                                  \
    .activation = GELU_TANH, .text_activation = GELU_TANH, .epsilon = 1e-6, .text_epsilon = 1e-6, .patch = 16,                   \
    .text_width = 768, .text_heads = 12, .text_layers = 12, .vocabulary = 32000, .context = 64
static const model_type model_types[] = {
    {TYPE("clip"), .family = "clip", CLIPS, .epsilon = 1e-5, .text_epsilon = 1e-5, .text_layers = 12, .two_is_old = true},
    {TYPE("metaclip_2"), .family = "clip", CLIPS, .epsilon = 1e-5, .text_epsilon = 1e-5, .text_layers = 12},
    {TYPE("siglip"), .family = "siglip", SIGLIPS},
    {TYPE("siglip2"), .family = "naflex", SIGLIPS, .positions = 256},
    {TYPE("altclip"), .family = "altclip", .epsilon = 1e-5, .patch = 32, .text_width = 1024, .text_heads = 16,
     .vocabulary = 250002, .embed = 768, .text_activation = GELU, .text_layers = 24, .text_epsilon = 1e-5},
    {TYPE("chinese_clip"), .family = "chinese_clip", .epsilon = 1e-5, .patch = 32, .text_width = 768, .text_heads = 12,
     .vocabulary = 30522, .embed = 512, .text_activation = GELU, .text_layers = 12, .text_epsilon = 1e-12},
    {TYPE("align"), .family = "align", .efficient = true, .text_width = 768, .text_heads = 12, .vocabulary = 30522, .embed = 640,
     .text_activation = GELU, .text_layers = 12, .text_epsilon = 1e-12}};
#undef TYPE
#undef CLIPS
#undef SIGLIPS

/* hidden_act's words and what they are. */
static vb_activation read_activation(vb_fields *tower, int otherwise) {
    static const char *const words[] = {"quick_gelu", "gelu", "gelu_pytorch_tanh", "gelu_new", NULL};
    static const vb_activation activations[] = {VB_QUICK_GELU, VB_GELU, VB_GELU_TANH, VB_GELU_TANH};
    return activations[vb_fields_choice(tower, "hidden_act", words, otherwise)];
}

/* `text`: with the defaults of texts. */
static void read_tower(vb_fields *fields, vb_side_tower *tower, const model_type *type, bool text) {
    const int width = text ? type->text_width : 768, heads = text ? type->text_heads : 12, layers = text ? type->text_layers : 12;
    *tower = (vb_side_tower){.told = true,
                             .activation = read_activation(fields, text ? type->text_activation : type->activation),
                             .heads = (int)vb_fields_integer(fields, "num_attention_heads", 1, LARGEST_NUMBER, heads),
                             .width = (int)vb_fields_integer(fields, "hidden_size", 1, LARGEST_NUMBER, width),
                             .layers = (int)vb_fields_integer(fields, "num_hidden_layers", 1, LARGEST_NUMBER, layers),
                             .epsilon = (float)vb_fields_real(fields, "layer_norm_eps", 1e-20, 1,
                                                              text ? type->text_epsilon : type->epsilon)};
}

/* A list of whole numbers under a key must be this one: nothing else tells what is another architecture. */
static void expect_list(vb_fields *fields, const char *key, const int *expected, size_t count) {
    const json_t *list = vb_fields_get(fields, key);
    bool same = !list || (json_is_array(list) && json_array_size(list) == count);
    for (size_t i = 0; list && same && i < count; i++) {
        const json_t *item = json_array_get(list, i);
        same = json_is_integer(item) && json_integer_value(item) == expected[i];
    }
    if (!same) vb_fields_refuse(fields, VB_EUNSUPPORTED, key, "other values than EfficientNet's own are not computed here");
}

/* ALIGN's: most of it is in the tensors. */
static void read_efficientnet(vb_fields *fields, vb_side_facts *facts) {
    static const int strides[] = {1, 2, 2, 2, 1, 2, 1};
    static const char *const swish[] = {"swish", "silu", NULL}, *const mean[] = {"mean", NULL};
    facts->image = (vb_side_tower){.told = true, .activation = VB_SILU};
    facts->image_size = vb_fields_side(fields, "image_size", 600);
    expect_list(fields, "strides", strides, sizeof strides / sizeof *strides);
    expect_list(fields, "depthwise_padding", NULL, 0);
    vb_fields_choice(fields, "hidden_act", swish, 0);
    vb_fields_choice(fields, "pooling_type", mean, 0);
    const double epsilon = vb_fields_real(fields, "batch_norm_eps", 0, 1, 0.001);
    if (epsilon < 0.000999 || epsilon > 0.001001) vb_fields_expected(fields, "batch_norm_eps", "0.001");
}

static void read_image_tower(vb_fields *fields, const model_type *type, vb_side_facts *facts) {
    if (type->efficient) {
        read_efficientnet(fields, facts);
        return;
    }
    read_tower(fields, &facts->image, type, false);
    if (type->positions) facts->positions = (int)vb_fields_integer(fields, "num_patches", 1, LARGEST_NUMBER, type->positions);
    else facts->image_size = vb_fields_side(fields, "image_size", 224);
    facts->patch = vb_fields_side(fields, "patch_size", type->patch);
}

/* In files of `clip`, eos_token_id 2 is of older ones, whose texts are pooled at the highest id (CLIPTextTransformer.forward). */
static void read_text_tower(vb_fields *fields, const model_type *type, vb_side_facts *facts) {
    enum { OF_OLDER_FILES = 2 };
    read_tower(fields, &facts->text, type, true);
    if (type->context) /* else more positions than the context has tokens */
        facts->context = (int)vb_fields_integer(fields, "max_position_embeddings", 1, LARGEST_NUMBER, type->context);
    facts->vocabulary = (int)vb_fields_integer(fields, "vocab_size", 1, LARGEST_NUMBER, type->vocabulary);
    if (!type->end_token) return;
    facts->end_token = (int)vb_fields_integer(fields, "eos_token_id", 1, LARGEST_NUMBER, 49407);
    if (type->two_is_old && facts->end_token == OF_OLDER_FILES) facts->end_token = 0;
}

/* A tower's object; older files have it under another key, which comes first in CLIPConfig.__init__. */
static vb_fields tower_object(vb_fields *root, const char *older, const char *older_place, const char *key, const char *place) {
    return vb_fields_get(root, older) ? vb_fields_object(root, older, older_place) : vb_fields_object(root, key, place);
}

static void read_config(vb_fields *root, vb_side_facts *facts) {
    enum { TYPES = sizeof model_types / sizeof *model_types };
    const char *name = vb_fields_text(root, "model_type", "");
    const model_type *type = model_types, *last = model_types + TYPES - 1;
    while (type < last && strcmp(name, type->type) && strcmp(name, type->vision) && strcmp(name, type->text)) type++;
    if (!strcmp(name, type->vision)) read_image_tower(root, type, facts);
    else if (!strcmp(name, type->text)) read_text_tower(root, type, facts);
    else if (!strcmp(name, type->type)) {
        vb_fields image = tower_object(root, "vision_config_dict", "vision_config_dict.", "vision_config", "vision_config.");
        vb_fields text = tower_object(root, "text_config_dict", "text_config_dict.", "text_config", "text_config.");
        read_image_tower(&image, type, facts);
        read_text_tower(&text, type, facts);
    } else refuse_type(root, name);
    if (type->embed) facts->embed = (int)vb_fields_integer(root, "projection_dim", 1, LARGEST_NUMBER, type->embed);
    facts->family = type->family;
    facts->towers_from = "config.json";
}

/* ---- preprocessor_config.json ---- */

/* Classes of image processors with their defaults. A size that is one number is the short side's, or both sides'. */
typedef struct processor {
    const char *name;
    bool square, crops;
    vb_filter filter;
    float mean[3], std[3];
    bool rgb, shapes; /* shapes: images keep theirs, in patches */
    int side, crop;   /* where the file tells none; 0: it has none */
    bool offset;      /* values may begin at -1, and be divided by the deviation once more */
} processor;

#define OPENAI_MEAN                                                                                                              \
    { 0.48145466f, 0.4578275f, 0.40821073f }
#define OPENAI_STD                                                                                                               \
    { 0.26862954f, 0.26130258f, 0.27577711f }
#define HALF                                                                                                                     \
    { 0.5f, 0.5f, 0.5f }
#define CLIP_PROCESSOR                                                                                                           \
    .crops = true, .filter = VB_FILTER_BICUBIC, .mean = OPENAI_MEAN, .std = OPENAI_STD, .rgb = true, .side = 224, .crop = 224
static const processor processors[] = {
    {.name = "CLIPImageProcessor", CLIP_PROCESSOR},
    {.name = "CLIPFeatureExtractor", CLIP_PROCESSOR},
    {.name = "ChineseCLIPImageProcessor", CLIP_PROCESSOR},
    {.name = "ChineseCLIPFeatureExtractor", CLIP_PROCESSOR},
    {.name = "ViTImageProcessor", .square = true, .filter = VB_FILTER_BILINEAR, .mean = HALF, .std = HALF, .side = 224},
    {.name = "ViTFeatureExtractor", .square = true, .filter = VB_FILTER_BILINEAR, .mean = HALF, .std = HALF, .side = 224},
    {.name = "SiglipImageProcessor",
     .square = true,
     .filter = VB_FILTER_BICUBIC,
     .mean = HALF,
     .std = HALF,
     .rgb = true,
     .side = 224},
    {.name = "EfficientNetImageProcessor",
     .square = true,
     .filter = VB_FILTER_BICUBIC,
     .mean = HALF,
     .std = HALF,
     .rgb = true,
     .side = 346,
     .crop = 289,
     .offset = true},
    /* It converts nothing where the file does not say so, and then fails on images of other modes. */
    {.name = "Siglip2ImageProcessor", .filter = VB_FILTER_BILINEAR, .mean = HALF, .std = HALF, .rgb = true, .shapes = true},
};

static const processor *find_processor(vb_fields *root) {
    const char *key = vb_fields_get(root, "image_processor_type") ? "image_processor_type" : "feature_extractor_type";
    const char *name = vb_fields_text(root, key, "CLIPImageProcessor");
    size_t n = strlen(name);
    if (n > 4 && !strcmp(name + n - 4, "Fast")) n -= 4; /* the same of torchvision's operations */
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++)
        if (strlen(processors[i].name) == n && !memcmp(processors[i].name, name, n)) return &processors[i];
    vb_fields_expected(root, key,
                       "CLIPImageProcessor, ChineseCLIPImageProcessor, ViTImageProcessor, SiglipImageProcessor, "
                       "Siglip2ImageProcessor or EfficientNetImageProcessor");
    return &processors[0];
}

/* The object of a size, in a file of its own or within a processor's. */
static vb_fields size_object(vb_fields *root, bool crop) {
    static const char *const places[][2] = {{"size.", "crop_size."}, {"image_processor.size.", "image_processor.crop_size."}};
    return vb_fields_object(root, crop ? "crop_size" : "size", places[*root->place != 0][crop]);
}

/* {"height": H, "width": H}, or a number; 0 when it is neither. */
static int read_square(vb_fields *root, bool crop) {
    const char *key = crop ? "crop_size" : "size";
    if (!json_is_object(vb_fields_get(root, key))) return vb_fields_side(root, key, 0);
    vb_fields size = size_object(root, crop);
    int height = vb_fields_side(&size, "height", 0), width = vb_fields_side(&size, "width", 0);
    if (height != width) vb_fields_expected(&size, "width", "the height, for models see squares");
    return height;
}

/* Which resize it is, and to which size. */
static void read_sizes(vb_fields *root, const processor *kind, vb_preprocess *spec) {
    const json_t *size = vb_fields_get(root, "size");
    const bool crops = vb_fields_bool(root, "do_center_crop", kind->crops);
    int crop = crops ? read_square(root, true) : 0;
    if (crops && !crop) crop = kind->crop;
    int side;
    bool square = kind->square;
    vb_fields edge = json_is_object(size) ? size_object(root, false) : (vb_fields){0};
    if (vb_fields_get(&edge, "shortest_edge")) { /* which may be null beside height and width */
        side = vb_fields_side(&edge, "shortest_edge", 0);
        square = false;
    } else {
        side = read_square(root, false);
        if (!size) side = kind->side;
        if (json_is_object(size)) square = true;
        if (json_is_object(size) && !side) vb_fields_expected(root, "size", "shortest_edge, or height and width");
    }
    if (!square && !crops) vb_fields_refuse(root, VB_EUNSUPPORTED, "do_center_crop", "without a crop images would not be square");
    if (crop && side && crop > side)
        vb_fields_refuse(root, VB_EUNSUPPORTED, "crop_size",
                         "it is more than the size to which images are resized: the frame of zeros is not computed here");
    spec->resolution = crop ? crop : side;
    spec->resize_to = crop && side > crop ? side : 0;
    spec->resize = square ? VB_RESIZE_SQUASH : VB_RESIZE_SHORTEST;
    spec->crop = VB_CROP_FLOOR;
}

static void read_filter(vb_fields *root, const processor *kind, vb_preprocess *spec) {
    enum { BILINEAR = 2, BICUBIC = 3 }; /* Pillow's numbers */
    int64_t filter = vb_fields_integer(root, "resample", 0, 5, kind->filter == VB_FILTER_BICUBIC ? BICUBIC : BILINEAR);
    if (filter != BILINEAR && filter != BICUBIC) vb_fields_expected(root, "resample", "2 (bilinear) or 3 (bicubic)");
    spec->filter = filter == BICUBIC ? VB_FILTER_BICUBIC : VB_FILTER_BILINEAR;
}

/* Mean and deviation of values from 0 to 1. EfficientNet's are (value * factor - offset - mean) / deviation, and that divided by
 * the deviation again where the file says so (include_top). */
static void read_values(vb_fields *root, const processor *kind, vb_preprocess *spec) {
    static const float zero[3] = {0, 0, 0}, one[3] = {1, 1, 1};
    float deviation[3];
    const double factor = vb_fields_real(root, "rescale_factor", 0, 1, 1 / 255.0);
    vb_fields_triple(root, "image_mean", -1e3, 1e3, kind->mean, spec->mean);
    vb_fields_triple(root, "image_std", 1e-6, 1e3, kind->std, spec->std);
    memcpy(deviation, spec->std, sizeof deviation);
    if (!vb_fields_bool(root, "do_normalize", true)) {
        memcpy(spec->mean, zero, sizeof zero);
        memcpy(spec->std, one, sizeof one);
    }
    if (!kind->offset) {
        if (factor < 0.0039215 || factor > 0.0039216) vb_fields_expected(root, "rescale_factor", "1 / 255");
        return;
    }
    if (factor < 1e-4) vb_fields_expected(root, "rescale_factor", "1 / 255, 1 / 127.5, or another that is not less than 0.0001");
    const double range = 255 * fmax(factor, 1e-4), offset = vb_fields_bool(root, "rescale_offset", false);
    const bool again = vb_fields_bool(root, "include_top", true);
    for (int c = 0; c < 3; c++) {
        spec->mean[c] = (float)((offset + (double)spec->mean[c]) / range);
        spec->std[c] = (float)((double)spec->std[c] * (again ? (double)deviation[c] : 1) / range);
    }
}

static void read_preprocessor(vb_fields *root, vb_side_facts *facts) {
    const processor *kind = find_processor(root);
    vb_preprocess *spec = &facts->preprocess;
    *spec = (vb_preprocess){.rgb_first = vb_fields_bool(root, "do_convert_rgb", kind->rgb)};
    if (!vb_fields_bool(root, "do_resize", true))
        vb_fields_refuse(root, VB_EUNSUPPORTED, "do_resize", "images are always resized here");
    if (!vb_fields_bool(root, "do_rescale", true))
        vb_fields_refuse(root, VB_EUNSUPPORTED, "do_rescale", "values are always divided by 255 here");
    if (vb_fields_bool(root, "do_pad", false)) vb_fields_refuse(root, VB_EUNSUPPORTED, "do_pad", "padding is not computed here");
    if (kind->shapes) {
        spec->max_patches = (int)vb_fields_integer(root, "max_num_patches", 1, 4096, 256);
        spec->patch = vb_fields_side(root, "patch_size", 16);
    } else read_sizes(root, kind, spec);
    read_filter(root, kind, spec);
    read_values(root, kind, spec);
    facts->pixels_from = "preprocessor_config.json";
}

/* processor_config.json: since transformers 5 an image processor lies in the processor's file, and goes before one in a file of
 * its own; older such files have none. */
static void read_processor(vb_fields *root, vb_side_facts *facts) {
    vb_fields own = vb_fields_object(root, "image_processor", "image_processor.");
    if (!own.object) return;
    read_preprocessor(&own, facts);
    facts->pixels_from = "processor_config.json";
}

/* ---- files ---- */

static int read_text(vb_side_facts *facts, const char *text, size_t n, const char *path,
                     void (*read)(vb_fields *root, vb_side_facts *facts), vb_error *err) {
    json_t *json = vb_json_parse(text, n, JSON_REJECT_DUPLICATES, path, err);
    bool failed = false;
    if (!json) return -1;
    vb_fields root = {.object = json, .path = path, .place = "", .failed = &failed, .err = err};
    int status = json_is_object(json) ? 0 : vb_errorf(err, VB_EDATA, "%s: expected an object, found a list", path);
    if (!status) read(&root, facts);
    json_decref(json);
    return status || failed ? -1 : 0;
}

int vb_side_files_config(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err) {
    return read_text(facts, text, n, path, read_config, err);
}

int vb_side_files_preprocessor(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err) {
    return read_text(facts, text, n, path, read_preprocessor, err);
}

int vb_side_files_processor(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err) {
    return read_text(facts, text, n, path, read_processor, err);
}

int vb_side_files_open_clip(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err) {
    return read_text(facts, text, n, path, vb_side_open_clip_fields, err);
}

typedef int reader(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err);

static int read_file(vb_side_facts *facts, const char *folder, const char *name, reader *read, vb_error *err) {
    char *path = vb_path_join(folder, name, err);
    uint8_t *bytes = NULL;
    size_t size;
    int status = path ? 0 : -1;
    if (!status && vb_path_exists(path)) {
        status = vb_file_read_whole(path, LARGEST_FILE, &bytes, &size, err);
        if (!status) status = read(facts, (const char *)bytes, size, path, err);
    }
    vb_free(bytes);
    vb_free(path);
    return status;
}

int vb_side_files_read(vb_side_facts *facts, const vb_repository *where, const char *naming, vb_error *err) {
    *facts = (vb_side_facts){0};
    if (strcmp(naming, "Hugging Face"))
        return read_file(facts, where->folder, "open_clip_config.json", vb_side_files_open_clip, err);
    if (read_file(facts, where->folder, "config.json", vb_side_files_config, err)) return -1;
    if (read_file(facts, where->folder, "processor_config.json", vb_side_files_processor, err)) return -1;
    if (facts->pixels_from) return 0;
    return read_file(facts, where->folder, "preprocessor_config.json", vb_side_files_preprocessor, err);
}
