/* Tests of the files beside weights: defaults of each library, every key, what is refused and how; of repositories' files. */
#include "tests/unit/vb_test.h"
#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/weights/architecture.h"
#include "shards/text/tokenizer_file.h"
#include "shards/weights/side_files.h"

typedef int reader(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err);

static vb_side_facts read_by(reader *read, const char *text) {
    vb_side_facts facts = {0};
    vb_error err = {0};
    assert_ok(read(&facts, text, strlen(text), "f.json", &err));
    return facts;
}

static void refused_by(reader *read, const char *text, vb_code code, const char *says) {
    vb_side_facts facts = {0};
    vb_error err = {0};
    assert_fails(read(&facts, text, strlen(text), "f.json", &err), code, says);
}

static void config_has_the_defaults_of_its_type(void **state) {
    (void)state;
    vb_side_facts facts = read_by(vb_side_files_config, "{\"model_type\": \"clip\"}");
    assert_string_equal(facts.towers_from, "config.json");
    assert_null(facts.pixels_from);
    assert_true(facts.image.told && facts.text.told);
    assert_int_equal(facts.image.activation, VB_QUICK_GELU);
    assert_int_equal(facts.image.width, 768);
    assert_int_equal(facts.image.heads, 12);
    assert_int_equal(facts.text.width, 512);
    assert_int_equal(facts.text.heads, 8);
    assert_int_equal(facts.image_size, 224);
    assert_int_equal(facts.patch, 32);
    assert_int_equal(facts.context, 77);
    assert_int_equal(facts.vocabulary, 49408);
    assert_int_equal(facts.end_token, 49407);
    assert_int_equal(facts.embed, 512);
    assert_true(facts.image.epsilon == 1e-5f);
    facts = read_by(vb_side_files_config,
                    "{\"model_type\": \"clip\", \"vision_config\": {\"hidden_act\": \"gelu\", \"num_attention_heads\": 4, "
                    "\"layer_norm_eps\": 1e-6, \"image_size\": null}, \"text_config\": {\"eos_token_id\": 2}, "
                    "\"text_config_dict\": {\"hidden_act\": \"gelu\", \"eos_token_id\": 2}}");
    assert_int_equal(facts.image.activation, VB_GELU);
    assert_int_equal(facts.image.heads, 4);
    assert_int_equal(facts.image_size, 224);
    assert_true(facts.image.epsilon == 1e-6f);
    assert_int_equal(facts.text.activation, VB_GELU);
    assert_int_equal(facts.end_token, 0);
    facts =
        read_by(vb_side_files_config, "{\"model_type\": \"clip_vision_model\", \"hidden_size\": 1024, \"projection_dim\": 768}");
    assert_true(facts.image.told && !facts.text.told);
    assert_int_equal(facts.image.width, 1024);
    assert_int_equal(facts.embed, 768);
    assert_string_equal(facts.family, "clip");
    facts = read_by(vb_side_files_config, "{\"model_type\": \"siglip\", \"text_config\": {\"hidden_act\": \"gelu\"}}");
    assert_string_equal(facts.family, "siglip");
    assert_int_equal(facts.image.activation, VB_GELU_TANH);
    assert_int_equal(facts.text.activation, VB_GELU);
    /* transformers' NewGELUActivation is the approximation by tanh */
    assert_int_equal(read_by(vb_side_files_config, "{\"model_type\": \"clip\", \"text_config\": {\"hidden_act\": \"gelu_new\"}}")
                         .text.activation,
                     VB_GELU_TANH);
    assert_true(facts.image.epsilon == 1e-6f && facts.text.epsilon == 1e-6f);
    assert_int_equal(facts.patch, 16);
    assert_int_equal(facts.text.width, 768);
    assert_int_equal(facts.context, 64);
    assert_int_equal(facts.vocabulary, 32000);
    assert_int_equal(facts.end_token, 0);
    assert_int_equal(facts.embed, 0);
    facts = read_by(vb_side_files_config, "{\"model_type\": \"siglip_text_model\", \"hidden_size\": 1152}");
    assert_true(facts.text.told && !facts.image.told);
    assert_int_equal(facts.text.width, 1152);
    /* MetaCLIP 2's texts are pooled at their end token, 2 included */
    facts = read_by(vb_side_files_config, "{\"model_type\": \"metaclip_2\", \"text_config\": {\"eos_token_id\": 2}}");
    assert_true(facts.image.told && facts.text.told);
    assert_int_equal(facts.image.activation, VB_QUICK_GELU);
    assert_int_equal(facts.end_token, 2);
    facts = read_by(vb_side_files_config, "{\"model_type\": \"altclip\", \"text_config\": {\"max_position_embeddings\": 514}}");
    assert_string_equal(facts.family, "altclip");
    assert_true(facts.image.activation == VB_QUICK_GELU && facts.text.activation == VB_GELU && facts.text.layers == 24);
    assert_true(facts.text.width == 1024 && facts.context == 0 && facts.embed == 768);
    facts = read_by(vb_side_files_config, "{\"model_type\": \"chinese_clip\"}");
    assert_true(facts.text.epsilon < 2e-12f && facts.image.epsilon > 9e-6f && facts.vocabulary == 30522);
    facts = read_by(vb_side_files_config, "{\"model_type\": \"align\", \"vision_config\": {\"image_size\": 289, "
                                          "\"strides\": [1, 2, 2, 2, 1, 2, 1], \"depthwise_padding\": []}}");
    assert_string_equal(facts.family, "align");
    assert_true(facts.image.told && facts.image_size == 289 && facts.image.width == 0 && facts.embed == 640);
    assert_true(facts.text.epsilon < 2e-12f && facts.text.activation == VB_GELU && facts.vocabulary == 30522 && !facts.context);
    facts = read_by(vb_side_files_config, "{\"model_type\": \"siglip2\"}");
    assert_string_equal(facts.family, "naflex");
    assert_true(facts.image.activation == VB_GELU_TANH && facts.text.activation == VB_GELU_TANH && facts.context == 64);
    assert_true(facts.positions == 256 && facts.image_size == 0 && facts.patch == 16);
    facts = read_by(vb_side_files_config, "{\"model_type\": \"siglip2_vision_model\", \"num_patches\": 9, \"patch_size\": 14}");
    assert_true(facts.positions == 9 && facts.patch == 14 && !facts.text.told);
    facts = read_by(vb_side_files_config, "{\"model_type\": \"metaclip_2_text_model\"}");
    assert_true(!facts.image.told && facts.text.told);
    assert_int_equal(facts.end_token, 49407);
}

static void config_says_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
        vb_code code;
    } cases[] = {
        {"{}",
         "f.json: model_type: expected clip, metaclip_2, siglip, siglip2, altclip, chinese_clip, align, or one of their towers "
         "(clip_vision_model, ...), found null",
         VB_EDATA},
        {"{\"model_type\": 7}", "model_type: expected text, found 7", VB_EDATA},
        {"[1]", "f.json: expected an object, found a list", VB_EDATA},
        {"{\"model_type\": \"flava\"}", "model_type: flava is FLAVA, which is not encoded here", VB_EUNSUPPORTED},
        {"{\"model_type\": \"align\", \"vision_config\": {\"strides\": [1, 2, 2, 2, 2, 1, 1]}}",
         "vision_config.strides: other values than EfficientNet's own are not computed here", VB_EUNSUPPORTED},
        {"{\"model_type\": \"align\", \"vision_config\": {\"depthwise_padding\": [16]}}",
         "vision_config.depthwise_padding: other", VB_EUNSUPPORTED},
        {"{\"model_type\": \"align\", \"vision_config\": {\"hidden_act\": \"gelu\"}}",
         "vision_config.hidden_act: expected one of swish, silu, found \"gelu\"", VB_EDATA},
        {"{\"model_type\": \"align\", \"vision_config\": {\"pooling_type\": \"max\"}}",
         "vision_config.pooling_type: expected one of mean", VB_EDATA},
        {"{\"model_type\": \"align\", \"vision_config\": {\"batch_norm_eps\": 1e-05}}", "batch_norm_eps: expected 0.001",
         VB_EDATA},
        {"{\"model_type\": \"siglip2\", \"vision_config\": {\"num_patches\": 0}}",
         "vision_config.num_patches: expected a whole number from 1", VB_EDATA},
        {"{\"model_type\": \"clip\", \"vision_config\": []}", "vision_config: expected an object, found a list of 0", VB_EDATA},
        {"{\"model_type\": \"clip\", \"vision_config\": {\"hidden_act\": \"relu\"}}",
         "vision_config.hidden_act: expected one of quick_gelu, gelu, gelu_pytorch_tanh, gelu_new, found \"relu\"", VB_EDATA},
        {"{\"model_type\": \"clip\", \"vision_config\": {\"num_attention_heads\": 0}}",
         "num_attention_heads: expected a whole number from 1", VB_EDATA},
        {"{\"model_type\": \"clip\", \"vision_config\": {\"num_attention_heads\": 12.0}}", "found 12", VB_EDATA},
        {"{\"model_type\": \"clip\", \"vision_config\": {\"layer_norm_eps\": -1}}", "expected a number from 1e-20 to 1, found -1",
         VB_EDATA},
        {"{\"model_type\": \"clip\", \"vision_config\": {\"image_size\": [224, 196]}}", "a whole number, or two equal ones",
         VB_EDATA},
        {"{\"model_type\": \"clip\", \"model_type\": \"clip\"}", "f.json:1:", VB_EDATA},
        {"{\"model_type\"", "f.json:1:", VB_EDATA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_by(vb_side_files_config, cases[i].text, cases[i].code, cases[i].says);
}

static void preprocessor_is_read_by_its_class(void **state) {
    (void)state;
    vb_preprocess spec = read_by(vb_side_files_preprocessor, "{\"size\": {\"shortest_edge\": 47}, \"crop_size\": 47}").preprocess;
    assert_int_equal(spec.resolution, 47);
    assert_int_equal(spec.resize, VB_RESIZE_SHORTEST);
    assert_int_equal(spec.filter, VB_FILTER_BICUBIC);
    assert_int_equal(spec.crop, VB_CROP_FLOOR);
    assert_true(spec.rgb_first);
    assert_true(spec.mean[0] == 0.48145466f && spec.std[2] == 0.27577711f);
    spec =
        read_by(vb_side_files_preprocessor, "{\"feature_extractor_type\": \"CLIPFeatureExtractor\", \"size\": 224, "
                                            "\"crop_size\": 224, \"resample\": 2, \"image_mean\": 0.5, \"image_std\": [1, 2, 3]}")
            .preprocess;
    assert_int_equal(spec.resize, VB_RESIZE_SHORTEST);
    assert_int_equal(spec.filter, VB_FILTER_BILINEAR);
    assert_true(spec.mean[2] == 0.5f && spec.std[1] == 2);
    spec = read_by(vb_side_files_preprocessor,
                   "{\"image_processor_type\": \"SiglipImageProcessorFast\", \"size\": {\"height\": 256, "
                   "\"width\": 256}, \"do_normalize\": false}")
               .preprocess;
    assert_int_equal(spec.resize, VB_RESIZE_SQUASH);
    assert_int_equal(spec.resolution, 256);
    assert_true(spec.mean[0] == 0 && spec.std[0] == 1);
    spec = read_by(vb_side_files_preprocessor, "{\"image_processor_type\": \"Siglip2ImageProcessor\", \"do_convert_rgb\": null}")
               .preprocess;
    assert_true(spec.max_patches == 256 && spec.patch == 16 && spec.resolution == 0 && spec.rgb_first);
    assert_true(spec.filter == VB_FILTER_BILINEAR && spec.mean[0] == 0.5f && spec.std[2] == 0.5f);
    /* as convert_align_tf_to_hf.py writes it: value / 127.5 - 1 */
    spec = read_by(vb_side_files_preprocessor,
                   "{\"image_processor_type\": \"EfficientNetImageProcessor\", \"do_center_crop\": true, "
                   "\"rescale_factor\": 0.00784313725490196, \"rescale_offset\": true, "
                   "\"do_normalize\": false, \"include_top\": false, \"resample\": 2}")
               .preprocess;
    assert_true(spec.resolution == 289 && spec.resize_to == 346 && spec.resize == VB_RESIZE_SQUASH && spec.rgb_first);
    assert_true(spec.filter == VB_FILTER_BILINEAR && spec.mean[0] == 0.5f && spec.std[2] == 0.5f);
    /* EfficientNet's own, IMAGENET_STANDARD_MEAN and _STD of transformers: divided by the deviation twice */
    spec = read_by(vb_side_files_preprocessor, "{\"image_processor_type\": \"EfficientNetImageProcessor\", \"size\": 224}")
               .preprocess;
    assert_true(spec.resolution == 224 && spec.resize_to == 0 && spec.filter == VB_FILTER_BICUBIC);
    assert_true(spec.mean[1] == 0.5f && spec.std[0] == 0.25f);
    spec = read_by(vb_side_files_preprocessor, "{\"image_processor_type\": \"EfficientNetImageProcessor\", \"image_mean\": [0.1, "
                                               "0.2, 0.3], \"image_std\": [0.5, 0.25, 0.125]}")
               .preprocess;
    assert_true(spec.resolution == 346 && spec.mean[1] == 0.2f && spec.std[1] == 0.0625f && spec.std[2] == 0.015625f);
    /* as Chinese-CLIP was published, and its class's defaults */
    spec =
        read_by(vb_side_files_preprocessor, "{\"feature_extractor_type\": \"ChineseCLIPFeatureExtractor\", \"do_center_crop\": "
                                            "false, \"size\": {\"height\": 224, \"width\": 224}}")
            .preprocess;
    assert_true(spec.resolution == 224 && spec.resize == VB_RESIZE_SQUASH && spec.filter == VB_FILTER_BICUBIC && spec.rgb_first);
    assert_true(spec.mean[0] == 0.48145466f && spec.std[2] == 0.27577711f);
    spec = read_by(vb_side_files_preprocessor, "{\"image_processor_type\": \"ChineseCLIPImageProcessorFast\", \"size\": "
                                               "{\"shortest_edge\": 256}, \"crop_size\": 224}")
               .preprocess;
    assert_true(spec.resolution == 224 && spec.resize_to == 256 && spec.resize == VB_RESIZE_SHORTEST);
    /* ViT's, under both its names: no conversion, bilinear, both sides, the half */
    static const char *const vits[] = {"{\"image_processor_type\": \"ViTImageProcessor\", \"size\": 256}",
                                       "{\"feature_extractor_type\": \"ViTFeatureExtractor\", \"size\": 256}"};
    for (int i = 0; i < 2; i++) {
        spec = read_by(vb_side_files_preprocessor, vits[i]).preprocess;
        assert_true(spec.resolution == 256 && spec.resize_to == 0 && spec.resize == VB_RESIZE_SQUASH && !spec.rgb_first);
        assert_true(spec.filter == VB_FILTER_BILINEAR && spec.mean[1] == 0.5f && spec.std[2] == 0.5f);
    }
    static const struct {
        const char *text;
        int resize_to, resolution;
        vb_resize_mode resize;
    } sides[] = {{"{\"size\": {\"shortest_edge\": 256}, \"crop_size\": {\"height\": 224, \"width\": 224}}", 256, 224,
                  VB_RESIZE_SHORTEST},
                 {"{\"size\": 256, \"crop_size\": 224}", 256, 224, VB_RESIZE_SHORTEST},
                 {"{\"size\": {\"height\": 256, \"width\": 256}, \"crop_size\": 224}", 256, 224, VB_RESIZE_SQUASH},
                 {"{\"size\": {\"height\": 224, \"shortest_edge\": null, \"width\": 224}, \"do_center_crop\": false}", 0, 224,
                  VB_RESIZE_SQUASH},
                 {"{\"size\": 256, \"crop_size\": 256}", 0, 256, VB_RESIZE_SHORTEST},
                 {"{\"crop_size\": 224}", 0, 224, VB_RESIZE_SHORTEST},
                 /* what a file leaves out is 224, whatever the rest of it tells */
                 {"{\"size\": {\"shortest_edge\": 256}}", 256, 224, VB_RESIZE_SHORTEST},
                 {"{\"crop_size\": 196}", 224, 196, VB_RESIZE_SHORTEST},
                 {"{}", 0, 224, VB_RESIZE_SHORTEST},
                 {"{\"image_processor_type\": \"SiglipImageProcessor\"}", 0, 224, VB_RESIZE_SQUASH},
                 {"{\"image_processor_type\": \"ViTImageProcessor\"}", 0, 224, VB_RESIZE_SQUASH},
                 {"{\"image_processor_type\": \"ChineseCLIPImageProcessor\", \"size\": 256}", 256, 224, VB_RESIZE_SHORTEST}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        spec = read_by(vb_side_files_preprocessor, sides[i].text).preprocess;
        assert_int_equal(spec.resize_to, sides[i].resize_to);
        assert_int_equal(spec.resolution, sides[i].resolution);
        assert_int_equal(spec.resize, sides[i].resize);
    }
    static const struct {
        const char *text, *says;
        vb_code code;
    } cases[] = {
        {"{\"image_processor_type\": \"OwlImageProcessor\"}", "image_processor_type: expected CLIPImageProcessor", VB_EDATA},
        {"{\"size\": {\"height\": 2, \"width\": 3}}", "size.width: expected the height", VB_EDATA},
        {"{\"image_processor_type\": \"Siglip2ImageProcessor\", \"max_num_patches\": 0}",
         "max_num_patches: expected a whole number from 1 to 4096, found 0", VB_EDATA},
        {"{\"image_processor_type\": \"EfficientNetImageProcessor\", \"do_center_crop\": true, \"rescale_factor\": 0}",
         "rescale_factor: expected 1 / 255, 1 / 127.5, or another", VB_EDATA},
        {"{\"size\": {\"longest_edge\": 2}}", "size: expected shortest_edge, or height and width", VB_EDATA},
        {"{\"size\": 224, \"crop_size\": 256}", "crop_size: it is more than the size", VB_EUNSUPPORTED},
        {"{\"size\": 256, \"do_center_crop\": false}", "would not be square", VB_EUNSUPPORTED},
        {"{\"resample\": 1}", "resample: expected 2 (bilinear) or 3 (bicubic), found 1", VB_EDATA},
        {"{\"do_resize\": false}", "do_resize: images are always resized here", VB_EUNSUPPORTED},
        {"{\"do_rescale\": false}", "do_rescale", VB_EUNSUPPORTED},
        {"{\"do_pad\": true}", "do_pad", VB_EUNSUPPORTED},
        {"{\"do_pad\": 1}", "do_pad: expected true or false, found 1", VB_EDATA},
        {"{\"rescale_factor\": 0.01}", "rescale_factor: expected 1 / 255", VB_EDATA},
        {"{\"image_mean\": [1, 2]}", "image_mean: expected three numbers", VB_EDATA},
        {"{\"image_std\": [1, 0, 1]}", "image_std: expected three numbers from 1e-06 to 1000, or one, found a list of 3",
         VB_EDATA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_by(vb_side_files_preprocessor, cases[i].text, cases[i].code, cases[i].says);
}

static void a_processor_s_file_may_hold_the_images_one(void **state) {
    (void)state;
    vb_side_facts facts = read_by(vb_side_files_processor,
                                  "{\"processor_class\": \"SiglipProcessor\", \"image_processor\": {\"image_processor_type\": "
                                  "\"SiglipImageProcessor\", \"size\": {\"height\": 256, \"width\": 256}, \"resample\": 2}}");
    assert_string_equal(facts.pixels_from, "processor_config.json");
    assert_int_equal(facts.preprocess.resolution, 256);
    assert_int_equal(facts.preprocess.resize, VB_RESIZE_SQUASH);
    assert_int_equal(facts.preprocess.filter, VB_FILTER_BILINEAR);
    facts = read_by(vb_side_files_processor, "{\"processor_class\": \"CLIPProcessor\"}"); /* before transformers 5 */
    assert_null(facts.pixels_from);
    refused_by(vb_side_files_processor, "{\"image_processor\": 1}", VB_EDATA,
               "f.json: image_processor: expected an object, found 1");
    refused_by(vb_side_files_processor, "{\"image_processor\": {\"do_resize\": false}}", VB_EUNSUPPORTED,
               "f.json: image_processor.do_resize: images are always resized here");
    refused_by(vb_side_files_processor, "{\"image_processor\": {\"size\": {\"height\": 2, \"width\": 3}}}", VB_EDATA,
               "f.json: image_processor.size.width: expected the height");

    vb_repository repository;
    vb_strings paths;
    vb_error err = {0};
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/five", scratch);
    put_text("five/model.safetensors", "w");
    put_text("five/preprocessor_config.json", "{\"size\": 224}");
    put_text("five/processor_config.json", "{\"processor_class\": \"CLIPProcessor\"}");
    assert_ok(vb_repository_open(&repository, folder, &err));
    assert_ok(vb_side_files_read(&facts, &repository, "Hugging Face", &err));
    assert_string_equal(facts.pixels_from, "preprocessor_config.json");
    put_text("five/processor_config.json", "{\"image_processor\": {\"size\": 336, \"crop_size\": 336}}");
    assert_ok(vb_side_files_read(&facts, &repository, "Hugging Face", &err));
    assert_string_equal(facts.pixels_from, "processor_config.json");
    assert_int_equal(facts.preprocess.resolution, 336);
    assert_ok(vb_side_files_read(&facts, &repository, "OpenAI", &err));
    assert_null(facts.pixels_from);
    vb_repository_close(&repository);
    assert_ok(vb_repository_list(&paths, folder, &err)); /* what --resume looks at */
    assert_int_equal(paths.count, 3);
    vb_strings_free(&paths);
}

static void open_clip_has_its_own_defaults(void **state) {
    (void)state;
    vb_side_facts facts = read_by(vb_side_files_open_clip, "{\"model_cfg\": {}}");
    assert_string_equal(facts.towers_from, "open_clip_config.json");
    assert_string_equal(facts.pixels_from, "open_clip_config.json");
    assert_int_equal(facts.image.activation, VB_GELU);
    assert_int_equal(facts.image.heads, 12);
    assert_int_equal(facts.patch, 16);
    assert_int_equal(facts.text.heads, 8);
    assert_int_equal(facts.end_token, 0);
    assert_int_equal(facts.embed, 0);
    assert_int_equal(facts.preprocess.resolution, 0);
    assert_int_equal(facts.preprocess.crop, VB_CROP_ROUND);
    assert_true(!facts.preprocess.rgb_first && facts.preprocess.std[0] == 0.26862954f);
    facts =
        read_by(vb_side_files_open_clip,
                "{\"model_cfg\": {\"quick_gelu\": true, \"vision_cfg\": {\"width\": 1280, \"head_width\": 80, \"norm_kwargs\": "
                "{\"eps\": 1e-6}}, \"text_cfg\": {\"pool_type\": \"eos\"}}, \"preprocess_cfg\": {\"resize_mode\": \"squash\"}}");
    assert_int_equal(facts.image.activation, VB_QUICK_GELU);
    assert_int_equal(facts.image.heads, 16);
    assert_true(facts.image.epsilon == 1e-6f);
    assert_int_equal(facts.end_token, 2);
    assert_int_equal(facts.preprocess.resize, VB_RESIZE_SQUASH);
    /* ViT-e's and ResNets' heads: 1792 / 112, and 32 x 64 / 64. */
    facts =
        read_by(vb_side_files_open_clip,
                "{\"model_cfg\": {\"text_cfg\": {\"tokenizer_kwargs\": {\"reduction_mask\": \"simple\"}}}, \"preprocess_cfg\": "
                "{\"mode\": \"RGB\", \"resize_mode\": \"squash\", \"fill_color\": 3}}");
    assert_int_equal(facts.preprocess.resize, VB_RESIZE_SQUASH); /* which frames nothing */
    facts = read_by(vb_side_files_open_clip, "{\"model_cfg\": {\"vision_cfg\": {\"width\": 1792, \"head_width\": 112}}}");
    assert_int_equal(facts.image.heads, 16);
    facts = read_by(vb_side_files_open_clip, "{\"model_cfg\": {\"vision_cfg\": {\"layers\": [3, 4, 6, 3], \"width\": 64}}}");
    assert_int_equal(facts.image.heads, 32);
    facts =
        read_by(vb_side_files_open_clip,
                "{\"model_cfg\": {\"vision_cfg\": {\"timm_model_name\": \"vit_so400m_patch14_siglip_384\", \"image_size\": 384}, "
                "\"text_cfg\": {\"no_causal_mask\": true, \"proj_bias\": true, \"pool_type\": \"last\", \"act_kwargs\": "
                "{\"approximate\": \"tanh\"}}}}");
    assert_string_equal(facts.family, "siglip");
    assert_true(facts.image.told && !facts.image.heads && !facts.image.width && !facts.patch);
    assert_int_equal(facts.image_size, 384);
    assert_int_equal(facts.image.activation, VB_GELU);
    assert_int_equal(facts.text.activation, VB_GELU_TANH);
    assert_int_equal(facts.text_mask, VB_MASK_NONE);
    assert_int_equal(facts.text_pooling, VB_POOLING_LAST);
    facts = read_by(vb_side_files_open_clip, "{\"model_cfg\": {\"vision_cfg\": {\"attentional_pool\": true}, \"multimodal_cfg\": "
                                             "{}, \"text_cfg\": {\"embed_cls\": true, \"context_length\": 76}}}");
    assert_string_equal(facts.family, "coca");
    assert_int_equal(facts.text_pooling, VB_POOLING_LAST);
    assert_int_equal(facts.text_mask, VB_MASK_CAUSAL);
    assert_int_equal(facts.context, 76);
    /* the class row is pooled, whatever pool_type says: no token ends a text */
    facts = read_by(vb_side_files_open_clip,
                    "{\"model_cfg\": {\"vision_cfg\": {\"attentional_pool\": true}, \"text_cfg\": {\"embed_cls\": true, "
                    "\"pool_type\": \"eos\"}}}");
    assert_true(facts.text_pooling == VB_POOLING_LAST && !facts.end_token);
    /* SimpleTokenizer has a cleaning, too: get_tokenizer passes tokenizer_kwargs on */
    facts = read_by(vb_side_files_open_clip,
                    "{\"model_cfg\": {\"text_cfg\": {\"tokenizer_kwargs\": {\"clean\": \"canonicalize\"}}}}");
    assert_true(facts.cleaning_told && facts.cleaning == VB_CLEAN_CANONICALIZE && !facts.strip_end_told);
    facts = read_by(vb_side_files_open_clip, "{\"model_cfg\": {\"text_cfg\": {\"tokenizer_kwargs\": {}}}}");
    assert_true(!facts.cleaning_told);
    facts = read_by(vb_side_files_open_clip, "{\"model_cfg\": {\"vision_cfg\": {\"no_ln_pre\": true, \"pool_type\": \"avg\", "
                                             "\"final_ln_after_pool\": true}}}");
    assert_string_equal(facts.family, "clipa");
    /* timm 1.0.31, vision_transformer.py: act_layer of each */
    static const struct {
        const char *name;
        vb_activation activation;
    } siglips[] = {{"vit_base_patch16_siglip_512", VB_GELU},         {"vit_base_patch32_siglip_256", VB_GELU_TANH},
                   {"vit_large_patch16_siglip_384", VB_GELU},        {"vit_large_patch16_siglip_512", VB_GELU_TANH},
                   {"vit_so400m_patch14_siglip_378", VB_GELU},       {"vit_so400m_patch16_siglip_256", VB_GELU_TANH},
                   {"vit_giantopt_patch16_siglip_256", VB_GELU_TANH}};
    for (size_t i = 0; i < sizeof siglips / sizeof *siglips; i++) {
        char text[240];
        snprintf(text, sizeof text,
                 "{\"model_cfg\": {\"vision_cfg\": {\"timm_model_name\": \"%s\"}, \"text_cfg\": {\"proj_type\": \"none\"}}}",
                 siglips[i].name);
        facts = read_by(vb_side_files_open_clip, text);
        assert_string_equal(facts.family, "siglip");
        assert_int_equal(facts.image.activation, siglips[i].activation);
    }
    static const char *const timm[][2] = {{"convnext_base_w", "convnext"},
                                          {"convnext_xxlarge", "convnext"},
                                          {"vit_base_mci_224", "mobileclip_b"},
                                          {"fastvit_mci2", "mobileclip_s"},
                                          {"vitamin_xlarge_384", "vitamin"}};
    for (size_t i = 0; i < sizeof timm / sizeof *timm; i++) {
        char text[160];
        snprintf(text, sizeof text, "{\"model_cfg\": {\"vision_cfg\": {\"timm_model_name\": \"%s\", \"image_size\": 320}}}",
                 timm[i][0]);
        facts = read_by(vb_side_files_open_clip, text);
        assert_string_equal(facts.family, timm[i][1]);
        assert_int_equal(facts.image_size, 320);
        assert_int_equal(facts.text_mask, VB_MASK_CAUSAL);
        assert_true(facts.image.epsilon == (strstr(timm[i][0], "xxlarge") ? 1e-5f : 0.0f));
    }
    facts = read_by(vb_side_files_open_clip,
                    "{\"model_cfg\": {\"vision_cfg\": {\"timm_model_name\": \"convnext_base\", \"timm_model_kwargs\": {}}, "
                    "\"text_cfg\": {\"pad_id\": 1, \"tokenizer_kwargs\": {\"language\": \"deu_Latn\"}}}}");
    assert_string_equal(facts.language, "deu_Latn");
    static const struct {
        const char *text, *says;
        vb_code code;
    } cases[] = {
        {"{\"model_cfg\": {\"vision_cfg\": {\"layers\": [3]}}}", "layers: expected a whole number, or a list of four", VB_EDATA},
        {"{\"model_cfg\": {\"vision_cfg\": {\"head_width\": 100}}}", "head_width: expected a divisor of the width", VB_EDATA},
        {"{\"model_cfg\": {\"vision_cfg\": {\"timm_model_name\": \"vit\"}}}", "timm_model_name: \"vit\" makes this another",
         VB_EUNSUPPORTED},
        {"{\"model_cfg\": {\"vision_cfg\": {\"no_ln_pre\": true}}}", "no_ln_pre: makes this another architecture",
         VB_EUNSUPPORTED},
        {"{\"model_cfg\": {\"text_cfg\": {\"pool_type\": \"none\"}}}", "pool_type: expected one of argmax, eos, last, first",
         VB_EDATA},
        {"{\"model_cfg\": {\"text_cfg\": {\"no_causal_mask\": 1}}}", "no_causal_mask: expected true or false, found 1", VB_EDATA},
        {"{\"model_cfg\": {\"text_cfg\": {\"act_kwargs\": {\"approximate\": \"erf\"}}}}",
         "approximate: expected one of none, tanh", VB_EDATA},
        {"{\"model_cfg\": {\"vision_cfg\": {\"attentional_pool\": \"parallel\"}}}", "attentional_pool: \"parallel\" makes",
         VB_EUNSUPPORTED},
        {"{\"model_cfg\": {\"vision_cfg\": {\"attentional_pool\": true, \"attn_pooler_heads\": 4}}}",
         "attn_pooler_heads: expected a whole number from 8 to 8, found 4", VB_EDATA},
        {"{\"model_cfg\": {}, \"preprocess_cfg\": {\"interpolation\": \"random\"}}",
         "interpolation: expected one of bicubic, bilinear", VB_EDATA},
        {"{\"model_cfg\": {}, \"preprocess_cfg\": {\"fill_color\": 3, \"resize_mode\": \"longest\"}}", "fill_color",
         VB_EUNSUPPORTED},
        {"{\"model_cfg\": {}, \"preprocess_cfg\": {\"mode\": \"L\"}}", "mode: images are RGB here", VB_EUNSUPPORTED},
        {"{\"model_cfg\": {\"text_cfg\": {\"tokenizer_kwargs\": {\"reduction_mask\": \"random\"}}}}",
         "reduction_mask: texts are cut", VB_EUNSUPPORTED},
        {"{\"model_cfg\": {\"text_cfg\": {\"tokenizer_mode\": \"clips\"}}}", "text_cfg.tokenizer_mode: ids are laid around texts",
         VB_EUNSUPPORTED},
        {"{\"model_cfg\": {\"text_cfg\": {\"tokenizer_kwargs\": {\"language\": \"a language of many letters\"}}}}",
         "tokenizer_kwargs.language: expected a language such as eng_Latn", VB_EDATA},
        {"{\"model_cfg\": {\"text_cfg\": {\"embed_cls\": true, \"pad_id\": 1}}}", "pad_id: expected a whole number from 0 to 0",
         VB_EDATA},
        {"{\"model_cfg\": {\"vision_cfg\": {\"timm_model_name\": \"vit_base_patch16_siglip_224\", \"timm_model_kwargs\": "
         "{\"act_layer\": \"gelu_tanh\"}}}}",
         "timm_model_kwargs: makes this another architecture", VB_EUNSUPPORTED},
        {"{\"model_cfg\": {\"text_cfg\": {\"hf_model_name\": \"xlm-roberta-base\", \"hf_model_config\": {\"hidden_act\": "
         "\"relu\"}}}}",
         "hf_model_config: makes this another architecture", VB_EUNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_by(vb_side_files_open_clip, cases[i].text, cases[i].code, cases[i].says);
}

static const char *chosen(const char *folder) {
    static char name[256];
    vb_repository repository;
    vb_error err = {0};
    assert_ok(vb_repository_open(&repository, folder, &err));
    snprintf(name, sizeof name, "%s", strrchr(repository.file, '/') + 1);
    vb_repository_close(&repository);
    return name;
}

/* The names of what vb_tokenizer_file_list adds, in its order. */
static void expect_list(const char *path, const char *names) {
    char found[512] = "";
    vb_error err;
    vb_strings paths = {0};
    assert_ok(vb_tokenizer_file_list(&paths, path, &err));
    for (size_t i = 0; i < paths.count; i++) {
        if (i) strcat(found, " ");
        strcat(found, strrchr(paths.items[i], '/') + 1);
    }
    assert_string_equal(found, names);
    vb_strings_free(&paths);
}

static void of_both_layouts_open_clip_s_is_read(void **state) {
    (void)state;
    char folder[1024];
    vb_repository repository;
    vb_side_facts facts;
    vb_error err = {0};
    snprintf(folder, sizeof folder, "%s", scratch);
    assert_false(vb_repository_recognises(folder));
    assert_fails(vb_repository_open(&repository, folder, &err), VB_EMISSING,
                 "a folder without weights: expected one of open_clip_model");
    put_text("pytorch_model.bin", "w");
    assert_true(vb_repository_recognises(folder));
    assert_string_equal(chosen(folder), "pytorch_model.bin");
    /* shards of safetensors before one pickle, and one file before them: from_pretrained of transformers' modeling_utils.py */
    put_text("model.safetensors.index.json", "{\"weight_map\": {\"a\": \"pytorch_model.bin\"}}");
    assert_string_equal(chosen(folder), "model.safetensors.index.json");
    put_text("model.safetensors", "w");
    assert_string_equal(chosen(folder), "model.safetensors");
    put_text("open_clip_pytorch_model.bin", "w");
    assert_string_equal(chosen(folder), "open_clip_pytorch_model.bin");
    put_text("open_clip_model.safetensors", "w");
    assert_string_equal(chosen(folder), "open_clip_model.safetensors");
    put_text("config.json", "{\"model_type\": \"clip\"}");
    put_text("open_clip_config.json", "{\"model_cfg\": {}}");
    assert_ok(vb_repository_open(&repository, folder, &err));
    assert_ok(vb_side_files_read(&facts, &repository, "OpenAI", &err));
    assert_string_equal(facts.towers_from, "open_clip_config.json");
    assert_ok(vb_side_files_read(&facts, &repository, "Hugging Face", &err));
    assert_string_equal(facts.towers_from, "config.json");
    assert_null(facts.pixels_from);
    vb_strings paths;
    assert_null(vb_tokenizer_file_in(folder, &err));
    assert_int_equal(err.code, VB_EMISSING);
    /* Which of several is taken. */
    static const char *const tokenizers[] = {"tokenizer.json", "bpe_simple_vocab_16e6.txt.gz", "vocab.txt", "tokenizer.model",
                                             "vocab.json"};
    for (int i = 0; i < 5; i++) {
        put_text(tokenizers[i], "{}");
        char *tokenizer = vb_tokenizer_file_in(folder, &err);
        assert_string_equal(strrchr(tokenizer, '/') + 1, tokenizers[i]);
        vb_free(tokenizer);
    }
    assert_ok(vb_repository_list(&paths, folder, &err));
    assert_int_equal(paths.count, 3);
    assert_ok(vb_tokenizer_file_list(&paths, folder, &err));
    assert_int_equal(paths.count, 8);
    vb_strings_free(&paths);
    expect_list(folder, "vocab.json tokenizer.model vocab.txt bpe_simple_vocab_16e6.txt.gz tokenizer.json");
    put_text("merges.txt", "");
    put_text("tokenizer_config.json", "{}");
    expect_list(folder, "vocab.json merges.txt tokenizer.model vocab.txt tokenizer_config.json bpe_simple_vocab_16e6.txt.gz "
                        "tokenizer.json");
    expect_list(scratch_path("vocab.json"), "vocab.json merges.txt");
    expect_list(scratch_path("merges.txt"), "merges.txt vocab.json");
    expect_list(scratch_path("vocab.txt"), "vocab.txt tokenizer_config.json");
    expect_list(scratch_path("bpe_simple_vocab_16e6.txt.gz"), "bpe_simple_vocab_16e6.txt.gz");
    expect_list(scratch_path("none.txt"), "none.txt");
    vb_repository_close(&repository);
    for (int n = 1; n < 12; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        err.code = 0;
        int status = vb_repository_open(&repository, folder, &err);
        vb_fault_setup(NULL, 0);
        assert_int_equal(err.code, status ? VB_EMEMORY : VB_OK);
        if (!status) vb_repository_close(&repository);
    }
}

static void names_tell_architectures(void **state) {
    (void)state;
    static const struct {
        const char *names[3], *is;
        int ndim;
    } cases[] = {{{"module.visual.trunk.attn_pool.latent"}, "a CLIP with an image tower of timm's", 3},
                 {{"visual.trunk.attn_pool.latent", "visual.trunk.norm_pre.weight"}, "a CLIP with an image tower of timm's", 3},
                 {{"vision_model.embeddings.patch_embedding.weight", "vision_model.head.probe"}, NULL, 4},
                 {{"vision_model.embeddings.patch_embedding.weight", "vision_model.head.probe"}, NULL, 2},
                 {{"visual.class_embedding", "visual.transformer.resblocks.0.ln_1.weight"}, NULL, 1},
                 {{"visual.class_embedding", "visual.ln_pre.weight", "visual.transformer.resblocks.0.ln_1.weight"}, NULL, 1},
                 {{"token_embedding.weight"}, NULL, 2},
                 {{"myvisual.attn_pool.query"}, NULL, 2},
                 {{"image_encoder.model.patch_embed.0.rbr_conv.0.conv.weight"}, NULL, 4},
                 {{"visual.attn_pool.query"}, NULL, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_named_tensor items[3] = {{0}};
        vb_tensor_set set = {0, items};
        for (; set.count < 3 && cases[i].names[set.count]; set.count++)
            items[set.count] = (vb_named_tensor){cases[i].names[set.count], {.ndim = cases[i].ndim}};
        const vb_architecture *found = vb_architecture_find(&set, false);
        if (cases[i].is) assert_string_equal(found->name, cases[i].is);
        else assert_null(found);
        if (!i) assert_null(vb_architecture_find(&set, true));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(config_has_the_defaults_of_its_type),
                                       cmocka_unit_test(config_says_what_is_wrong),
                                       cmocka_unit_test(preprocessor_is_read_by_its_class),
                                       cmocka_unit_test(a_processor_s_file_may_hold_the_images_one),
                                       cmocka_unit_test(open_clip_has_its_own_defaults),
                                       cmocka_unit_test(of_both_layouts_open_clip_s_is_read),
                                       cmocka_unit_test(names_tell_architectures)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
