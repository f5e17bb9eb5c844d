/* Names of tensors in every naming: what they are here, whose family they tell, what is left over, and what is ambiguous. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vb_test.h"
#include "shards/weights/weight_names.h"

static int by_name(const void *a, const void *b) {
    return strcmp(((const vb_named_tensor *)a)->name, ((const vb_named_tensor *)b)->name);
}

/* A set of tensors of shape [1, 2] under these names, with more dimensions for a patch embedding that is a convolution. */
static vb_tensor_set named(vb_named_tensor *items, const char *const *names) {
    static const float data[2] = {1, 2};
    vb_tensor_set set = {0, items};
    for (; names[set.count]; set.count++) {
        const char *name = names[set.count];
        const bool patches = strstr(name, "patch_embedding.weight") || strstr(name, "patch_embed.proj.weight") ||
                             strstr(name, "conv1.weight"),
                   filter = patches && !strstr(name, "linear.");
        items[set.count] =
            (vb_named_tensor){names[set.count],
                              {.ndim = filter ? 4 : 2, .shape = {1, 2, 1, 1}, .stride = {2, 1, 1, 1}, .data = data}};
    }
    qsort(items, set.count, sizeof *items, by_name);
    return set;
}

static void names_are_found(void **state) {
    (void)state;
    static const struct {
        const char *naming, *family, *names[9], *expected[9];
        size_t unused;
    } cases[] = {
        {"OpenAI",
         "clip",
         {"model.module.visual.conv1.weight", "model.module.ln_final.bias", "optimizer.exp_avg", "model.module.extra"},
         {"extra", "ln_final.bias", "visual.conv1.weight"},
         2},
        {"OpenAI",
         "clip",
         {"state_dict.visual.conv1.weight", "ema.visual.conv1.weight", "state_dict.visual.layer10.0.bn1.running_var"},
         {"visual.conv1.weight", "visual.layer10.0.bn1.running_var"},
         1},
        {"OpenAI",
         "clip",
         {"student.visual.class_embedding", "student.transformer.resblocks.12.mlp.c_fc.bias",
          "transformer.resblocks.x.ln_1.bias"},
         {"transformer.resblocks.12.mlp.c_fc.bias", "visual.class_embedding"},
         1},
        {"open_clip",
         "clip",
         {"text.token_embedding.weight", "text.transformer.resblocks.0.ln_1.weight", "visual.class_embedding", "logit_bias",
          "logit_scale"},
         {"logit_bias", "logit_scale", "token_embedding.weight", "transformer.resblocks.0.ln_1.weight", "visual.class_embedding"},
         0},
        {"timm",
         "siglip",
         {"text.token_embedding.weight", "text.text_projection.bias", "visual.trunk.attn_pool.latent",
          "visual.trunk.attn_pool.kv.bias", "visual.trunk.patch_embed.proj.weight", "visual.trunk.norm.bias",
          "visual.trunk.fc_norm.bias"},
         {"text_projection.bias", "token_embedding.weight", "visual.attn_pool.attn.kv.bias", "visual.attn_pool.probe",
          "visual.conv1.weight", "visual.ln_post.bias", "visual.trunk.fc_norm.bias"},
         1},
        {"OpenAI",
         NULL,
         {"visual.class_embedding", "visual.conv1.weight", "visual.transformer.resblocks.0.ln_1.weight"},
         {"visual.class_embedding", "visual.conv1.weight", "visual.transformer.resblocks.0.ln_1.weight"},
         0},
        {"timm", NULL, {"visual.trunk.patch_embed.proj.weight"}, {"visual.conv1.weight"}, 0},
        {"timm",
         "vitamin",
         {"visual.trunk.patch_embed.backbone.stem.conv1.weight", "visual.trunk.blocks.3.mlp.w0.bias", "text.ln_final.bias",
          "visual.head.proj.weight"},
         {"ln_final.bias", "visual.proj.weight", "visual.transformer.resblocks.3.mlp.c_gate.bias",
          "visual.trunk.patch_embed.backbone.stem.conv1.weight"},
         0},
        {"Apple",
         "mobileclip_b",
         {"image_encoder.model.patch_emb.0.block.conv.weight", "image_encoder.model.patch_emb.1.block.norm.running_var",
          "image_encoder.model.transformer.11.pre_norm_ffn.4.weight", "image_encoder.model.classifier.proj",
          "text_encoder.transformer.2.pre_norm_mha.1.qkv_proj.bias", "text_encoder.projection_layer",
          "image_encoder.model.pos_embed.pos_embed.pos_embed"},
         {"text_projection", "transformer.resblocks.2.attn.in_proj_bias", "visual.positional_embedding", "visual.proj",
          "visual.transformer.resblocks.11.mlp.c_proj.weight", "visual.trunk.patch_embed.backbone.0.conv.weight",
          "visual.trunk.patch_embed.backbone.1.bn.running_var"},
         0},
        {"Hugging Face",
         "siglip",
         {"vision_model.embeddings.patch_embedding.weight", "vision_model.head.probe", "vision_model.head.mlp.fc1.bias",
          "vision_model.head.attention.in_proj_weight"},
         {"visual.attn_pool.attn.in_proj_weight", "visual.attn_pool.mlp.c_fc.bias", "visual.attn_pool.probe",
          "visual.conv1.weight"},
         0},
        {"Hugging Face",
         "naflex",
         {"linear.vision_model.embeddings.patch_embedding.weight", "linear.vision_model.head.probe"},
         {"visual.attn_pool.probe", "visual.conv1.weight"},
         0},
        {"Hugging Face",
         "align",
         {"vision_model.embeddings.convolution.weight", "vision_model.encoder.blocks.11.projection.project_bn.running_var",
          "text_model.embeddings.word_embeddings.weight", "text_model.encoder.layer.3.output.dense.bias", "text_projection.bias",
          "text_model.pooler.dense.bias", "temperature"},
         {"temperature", "text_projection.bias", "token_embedding.weight", "transformer.resblocks.3.mlp.c_proj.bias",
          "unused.pooler.dense.bias", "visual.blocks.11.projection.project_bn.running_var", "visual.stem.conv.weight"},
         1},
        {"Apple",
         "mobileclip_s",
         {"image_encoder.model.patch_embed.0.rbr_conv.0.conv.weight", "text_encoder.embedding_layer.weight",
          "image_encoder.model.network.3.proj.0.lkb_origin.bn.running_var", "image_encoder.model.network.6.pe.bias",
          "image_encoder.model.network.7.1.layer_scale_2", "image_encoder.model.conv_exp.se.reduce.weight",
          "text_encoder.transformer.5.token_mixer.norm.rbr_skip.bias", "text_encoder.transformer.4.pre_norm_mha.0.bias"},
         {"token_embedding.weight", "transformer.mixers.5.token_mixer.norm.identity.bias", "transformer.resblocks.4.ln_1.bias",
          "visual.trunk.final_conv.se.fc1.weight", "visual.trunk.stages.2.downsample.proj.0.large_conv.bn.running_var",
          "visual.trunk.stages.3.blocks.1.layer_scale_2.gamma", "visual.trunk.stages.3.pos_emb.pos_enc.bias",
          "visual.trunk.stem.0.conv_kxk.0.conv.weight"},
         0},
        {"Hugging Face",
         "siglip",
         {"text_model.embeddings.token_embedding.weight", "text_model.head.bias"},
         {"text_projection.bias", "token_embedding.weight"},
         0},
        {"DeCLIP",
         "declip",
         {"model.module.encode_text.token_embedding.weight", "model.module.visual.class_embedding",
          "model.module.encode_text.text_projection.bias", "model.module.predictor.bias", "model.module.ln_final.bias"},
         {"predictor.bias", "text_projection.bias", "token_embedding.weight", "visual.class_embedding"},
         2},
        {"SLIP",
         "slip",
         {"state_dict.module.visual.cls_token", "state_dict.module.visual.blocks.11.norm1.bias",
          "state_dict.module.image_mlp.bias", "state_dict.module.visual.blocks.3.ls1.gamma",
          "state_dict.module.token_embedding.weight"},
         {"image_mlp.bias", "token_embedding.weight", "visual.blocks.3.ls1.gamma", "visual.class_embedding",
          "visual.transformer.resblocks.11.ln_1.bias"},
         2},
        {"Hugging Face",
         "clip",
         {"vision_model.embeddings.class_embedding", "vision_model.encoder.layers.23.mlp.fc2.weight",
          "text_model.embeddings.position_ids"},
         {"text_model.embeddings.position_ids", "visual.class_embedding", "visual.transformer.resblocks.23.mlp.c_proj.weight"},
         1},
        {"OpenAI",
         "clip",
         {"token_embedding.weight", "positional_embedding"},
         {"positional_embedding", "token_embedding.weight"},
         0},
        {"TinyCLIP",
         "clip",
         {"_image_encoder.module.visual.class_embedding", "_image_encoder.module.visual.transformer.resblocks.9.ln_1.bias",
          "_text_encoder.module.token_embedding.weight", "_text_encoder.module.ln_final.weight",
          "_logit_scale.module.logit_scale", "visual.conv1.weight"},
         {"ln_final.weight", "logit_scale", "token_embedding.weight", "visual.class_embedding",
          "visual.transformer.resblocks.9.ln_1.bias"},
         1},
        {"timm",
         "eva",
         {"module.visual.trunk.cls_token", "module.visual.trunk.blocks.0.attn.q_bias",
          "module.visual.trunk.blocks.9.mlp.fc1_g.bias", "module.visual.trunk.blocks.9.mlp.norm.bias",
          "module.text.token_embedding.weight"},
         {"token_embedding.weight", "visual.class_embedding", "visual.transformer.resblocks.0.attn.q_proj.bias",
          "visual.transformer.resblocks.9.mlp.c_gate.bias", "visual.transformer.resblocks.9.mlp.norm.bias"},
         0},
        {"BAAI",
         "eva",
         {"visual.cls_token", "visual.blocks.0.attn.q_bias", "visual.blocks.0.mlp.w3.weight",
          "visual.blocks.0.attn.rope.freqs_cos", "text.ln_final.bias"},
         {"ln_final.bias", "visual.blocks.0.attn.rope.freqs_cos", "visual.class_embedding",
          "visual.transformer.resblocks.0.attn.q_proj.bias", "visual.transformer.resblocks.0.mlp.c_proj.weight"},
         1},
        {"unknown", NULL, {"conv1.weight", "xvisual.conv1.weight", "visual.conv1.weights"}, {NULL}, 3}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        vb_named_tensor items[9];
        vb_tensor_set file = named(items, cases[c].names);
        vb_weight_names names;
        vb_error err = {0};
        assert_ok(vb_weight_names_map(&names, &file, "file", &err));
        assert_string_equal(names.naming, cases[c].naming);
        if (cases[c].family) assert_string_equal(names.family, cases[c].family);
        else assert_null(names.family);
        for (size_t i = 0; i < names.set.count; i++)
            if (!cases[c].expected[i] || strcmp(names.set.items[i].name, cases[c].expected[i]))
                fail_msg("case %zu: tensor %zu is %s", c, i, names.set.items[i].name);
        assert_null(cases[c].expected[names.set.count]);
        assert_int_equal(names.unused.count, cases[c].unused);
        for (size_t i = 0; i < names.set.count; i++) {
            const char *name = names.set.items[i].name;
            bool shorter = !strcmp(name, "visual.class_embedding") || !strcmp(name, "logit_scale") ||
                           !strcmp(name, "logit_bias") || !strcmp(name, "visual.attn_pool.probe"); /* the leading 1 goes */
            const int ndim = names.set.items[i].tensor.ndim;
            assert_true(ndim == (shorter ? 1 : 2) || (ndim == 4 && strstr(name, "conv1.weight")));
        }
        vb_weight_names_free(&names);
    }
}

static void ambiguous_names_are_refused(void **state) {
    (void)state;
    vb_named_tensor items[65];
    vb_weight_names names;
    vb_error err = {0};
    char text[65][32];
    const char *many[66] = {NULL};
    for (int i = 0; i < 65; i++) {
        snprintf(text[i], sizeof text[i], "m%02d.visual.conv1.weight", i);
        many[i] = text[i];
    }
    vb_tensor_set file = named(items, many);
    assert_fails(vb_weight_names_map(&names, &file, "file", &err), VB_EUNSUPPORTED,
                 "file: more than 64 models in the file; one expected");
    file = named(items, (const char *const[]){"a.visual.conv1.weight", "b.visual.conv1.weight", NULL});
    assert_fails(vb_weight_names_map(&names, &file, "file", &err), VB_EUNSUPPORTED,
                 "file: two models in the file, under 'a.' and 'b.'");
    /* a tower within the known wrappers goes before one beside them, and there an image tower before a text tower */
    file = named(items, (const char *const[]){"module.token_embedding.weight", "module.logit_scale",
                                              "teacher.visual.conv1.weight", NULL});
    assert_ok(vb_weight_names_map(&names, &file, "file", &err));
    assert_non_null(vb_tensor_find(&names.set, "token_embedding.weight"));
    assert_null(vb_tensor_find(&names.set, "visual.conv1.weight"));
    vb_weight_names_free(&names);
    file = named(items, (const char *const[]){"model.token_embedding.weight", "module.visual.conv1.weight", NULL});
    assert_ok(vb_weight_names_map(&names, &file, "file", &err));
    assert_null(vb_tensor_find(&names.set, "token_embedding.weight"));
    assert_non_null(vb_tensor_find(&names.set, "visual.conv1.weight"));
    vb_weight_names_free(&names);
    file = named(items, (const char *const[]){"vision_model.embeddings.class_embedding", "visual_projection.weight",
                                              "visual.proj.weight", NULL});
    assert_fails(vb_weight_names_map(&names, &file, "file", &err), VB_EDATA, "two tensors of the file are 'visual.proj.weight'");
    assert_null(names.storage);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_found), cmocka_unit_test(ambiguous_names_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
