/* Tests of how towers are bound to tensors: what is missing, left over or of another shape is named, and so is the family. */
#include "tests/unit/clip_reference.h"

/* Opens after one change to the tensor `name`; NULL removes it. */
typedef struct damage {
    const ref_sizes *sizes;
    const char *family, *name;
    enum { REMOVE, WIDEN, FLATTEN, INTEGERS, RENAME, EMPTY, ONE } change;
    const char *argument, *fragment; /* of the message; NULL: the model opens */
} damage;

static void wrong_tensors_are_named(void **state) {
    (void)state;
    ref_sizes slip = ref_small_vit, declip = ref_small_vit, texts = ref_small_vit;
    texts.width = 0;
    slip.family = "slip";
    declip.family = "declip";
    const damage cases[] = {
        {&ref_small_vit, "clip", "visual.conv1.weight", REMOVE, NULL, "tensor visual.conv1.weight is missing"},
        {&ref_small_vit, "clip", "visual.class_embedding", REMOVE, NULL, "tensor visual.class_embedding is missing"},
        {&ref_small_vit, "clip", "visual.proj", REMOVE, NULL, "tensor visual.proj is missing"},
        {&ref_small_vit, "clip", "text_projection", REMOVE, NULL, "tensor text_projection is missing"},
        {&ref_small_vit, "clip", "ln_final.bias", REMOVE, NULL, "tensor ln_final.bias is missing"},
        {&ref_small_vit, "clip", "token_embedding.weight", REMOVE, NULL, "tensor token_embedding.weight is missing"},
        {&ref_small_vit, "clip", "positional_embedding", REMOVE, NULL, "tensor positional_embedding is missing"},
        {&ref_small_vit, "clip", "transformer.resblocks.1.mlp.c_fc.bias", REMOVE, NULL,
         "tensor transformer.resblocks.1.mlp.c_fc.bias is missing"},
        {&ref_small_vit, "clip", "transformer.resblocks.0.ln_1.weight", REMOVE, NULL,
         "tensor transformer.resblocks.0.ln_1.weight is missing"},
        {&ref_small_vit, "clip", "transformer.resblocks.1.ln_1.weight", REMOVE, NULL, "tensor transformer.resblocks.1"},
        {&ref_small_vit, "clip", "visual.positional_embedding", WIDEN, NULL, "visual.positional_embedding has 11 rows"},
        {&ref_small_vit, "clip", "visual.transformer.resblocks.0.attn.in_proj_weight", WIDEN, NULL,
         "has shape [289, 96], expected [288, 96]"},
        {&ref_small_vit, "clip", "visual.transformer.resblocks.1.mlp.c_proj.weight", WIDEN, NULL,
         "has shape [97, 200], expected [96, 200]"},
        {&ref_small_vit, "clip", "visual.ln_post.weight", WIDEN, NULL,
         "tensor visual.ln_post.weight has shape [97], expected [96]"},
        {&ref_small_vit, "clip", "text_projection", WIDEN, NULL,
         "tensor text_projection has shape [129, 20], expected [128, 20]"},
        {&ref_small_vit, "clip", "text_projection", FLATTEN, NULL,
         "tensor text_projection has shape [2560], expected 2 dimensions"},
        {&ref_small_vit, "clip", "token_embedding.weight", EMPTY, NULL,
         "tensor token_embedding.weight has shape [0, 128], expected sizes from 1"},
        {&ref_small_vit, "clip", "visual.conv1.weight", INTEGERS, NULL,
         "tensor visual.conv1.weight holds int32, expected fp32, fp16 or bf16"},
        {&ref_small_vit, "clip", "ln_final.weight", INTEGERS, NULL, "tensor ln_final.weight holds int32"},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "visual.transformer.resblocks.0.ls_1.gamma",
         "ls_1.gamma is not part of a ViT model"},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "visual.transformer.resblocks.7.ln_1.bias",
         "resblocks.7.ln_1.bias is not part"},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "text.transformer.resblocks.0.ls_1.gamma",
         "tensor text.transformer.resblocks.0.ls_1.gamma"},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "vision_model.encoder.layers.0.scale",
         "tensor vision_model.encoder.layers.0.scale is not"},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "text.cls_emb", "tensor text.cls_emb is not part"},
        /* Heads, optimiser state and the buffers of frameworks change no embedding. */
        {&ref_small_vit, "clip", "logit_scale", RENAME, "visual_head.weight", NULL},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "optimizer.step", NULL},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "attn_mask", NULL},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "transformer.resblocks.0.attn_mask", NULL},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "vision_model.embeddings.position_ids", NULL},
        {&ref_small_vit, "clip", "logit_scale", RENAME, "encode_text.text_label_predictor.weight", NULL},
        {&ref_small_resnet, "clip", "logit_scale", RENAME, "visual.bn1.num_batches_tracked", NULL},
        {&ref_small_vit, "slip", "logit_scale", REMOVE, NULL,
         "tensor visual.conv1.bias is missing, but family slip has a bias of the patch embedding"},
        {&ref_small_vit, "declip", "logit_scale", REMOVE, NULL,
         "tensor text_projection.bias is missing, but family declip has a bias of the text "
         "projection; these look like weights of family clip"},
        {&slip, "clip", "logit_scale", REMOVE, NULL,
         "tensor visual.conv1.bias is present, but family clip has no bias of the patch "
         "embedding; these look like weights of family slip"},
        {&slip, "declip", "logit_scale", REMOVE, NULL, "tensor visual.conv1.bias is present, but family declip"},
        {&declip, "clip", "logit_scale", REMOVE, NULL, "tensor text_projection.bias is present, but family clip"},
        {&slip, "slip", "visual.conv1.bias", REMOVE, NULL, "tensor visual.conv1.bias is missing, but family slip has"},
        {&ref_small_vit, "clip", "visual.ln_pre.weight", REMOVE, NULL,
         "tensor visual.ln_pre.weight is missing, but family clip has"},
        {&ref_small_resnet, "slip", "logit_scale", REMOVE, NULL, "ModifiedResNet, which family slip does not have"},
        {&ref_small_resnet, "clip", "visual.conv2.weight", REMOVE, NULL, "tensor visual.conv2.weight is missing"},
        {&ref_small_resnet, "clip", "visual.layer3.0.conv1.weight", REMOVE, NULL,
         "tensor visual.layer3.0.conv1.weight is missing"},
        {&ref_small_resnet, "clip", "visual.layer2.1.bn2.running_var", REMOVE, NULL,
         "tensor visual.layer2.1.bn2.running_var is missing"},
        {&ref_small_resnet, "clip", "visual.layer2.0.downsample.0.weight", WIDEN, NULL,
         "has shape [49, 24, 1, 1], expected [48, 24, 1, 1]"},
        {&ref_small_resnet, "clip", "visual.attnpool.positional_embedding", WIDEN, NULL,
         "has 6 rows, expected 1 and a square's cells"},
        {&ref_small_resnet, "clip", "visual.layer1.0.conv1.weight", ONE, NULL,
         "tensor visual.layer1.0.conv1.weight has 1 rows, expected 2 to 16384"},
        {&texts, "coca", "positional_embedding", ONE, NULL,
         "tensor positional_embedding has one row, for the class row: no text has tokens"},
        {&ref_small_vit, "clip", "logit_scale", WIDEN, NULL, "tensor logit_scale has 2 elements, expected 1"},
        {&ref_small_resnet, "clip", "visual.attnpool.c_proj.bias", REMOVE, NULL, "tensor visual.attnpool.c_proj.bias is missing"},
        {&ref_small_resnet, "clip", "visual.layer1.0.conv2.weight", INTEGERS, NULL, "visual.layer1.0.conv2.weight holds int32"},
        {&ref_small_resnet, "clip", "logit_scale", RENAME, "visual.layer4.9.bn1.bias",
         "visual.layer4.9.bn1.bias is not part of a ModifiedResNet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const damage *d = &cases[i];
        vb_error err = {0};
        ref_model m;
        ref_make_typed(&m, d->sizes, VB_F32, VB_F32, VB_F32, false);
        vb_tensor *t = ref_find(&m, d->name);
        vb_tensor saved = *t;
        if (d->change == WIDEN && !t->ndim) t->shape[t->ndim++] = 1;
        if (d->change == WIDEN) t->shape[0]++;
        if (d->change == EMPTY || d->change == ONE) t->shape[0] = d->change == ONE;
        if (d->change == INTEGERS) t->dtype = VB_I32;
        if (d->change == FLATTEN) {
            t->shape[0] = vb_tensor_count(t);
            t->ndim = 1;
        }
        vb_named_tensor items[REF_TENSORS];
        size_t count = 0;
        for (size_t k = 0; k < m.set.count; k++) {
            vb_named_tensor item = m.items[k];
            if (!strcmp(item.name, d->name) && d->change == REMOVE) continue;
            if (!strcmp(item.name, d->name) && d->change == RENAME) item.name = d->argument;
            size_t at = count++;
            for (; at && strcmp(items[at - 1].name, item.name) > 0; at--) items[at] = items[at - 1];
            items[at] = item;
        }
        const vb_tensor_set set = {count, items};
        const vb_clip_options options = {.family = vb_family_find(d->family), .threads = 1};
        vb_clip *clip;
        if (d->fragment) {
            assert_fails(vb_clip_open(&clip, &set, &options, &err), VB_EMISMATCH, d->fragment);
            assert_null(clip);
        } else assert_ok(vb_clip_open(&clip, &set, &options, &err));
        vb_clip_close(clip);
        *t = saved;
        ref_free(&m);
    }
}

/* What the tensors do not tell, and what is stated of them. */
static void wrong_statements_are_named(void **state) {
    (void)state;
    ref_sizes wide = ref_small_vit;
    wide.width = 1152;
    wide.layers[0] = 0;
    const struct {
        const ref_sizes *sizes;
        vb_tower_options stated;
        const char *says;
    } cases[] = {{&wide,
                  {.resolution = 0},
                  "image tower: models of width 1152 were published with heads of several widths, and no file beside the weights "
                  "tells: state image_heads"},
                 {&ref_small_vit, {.end_token = 50}, "texts end with token 50, but token_embedding.weight has 50 rows"},
                 {&ref_small_vit,
                  {.text_pooling = VB_POOLING_FIRST},
                  "texts are causal and pooled at their first row, which sees no other: all would have one embedding"},
                 {&ref_small_resnet,
                  {.resolution = 63},
                  "a resolution of 63, but tensor visual.attnpool.positional_embedding has rows for 2 x 2 cells of 32: "
                  "expected 64"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        ref_model m = {.hollow = true};
        vb_clip *clip;
        ref_make(&m, cases[i].sizes);
        const vb_clip_options options = {.family = vb_family_find("clip"), .stated = cases[i].stated, .threads = 1};
        assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH, cases[i].says);
        ref_free(&m);
    }
}

/* Heads of a fixed number or width: of CoCa's pooling, of FastViT's attention. */
static void widths_that_do_not_split_are_named(void **state) {
    (void)state;
    ref_sizes sizes = ref_small_vit;
    sizes.text_width = 0;
    vb_error err = {0};
    ref_model m = {.hollow = true};
    vb_clip *clip;
    ref_make(&m, &sizes);
    ref_add(&m, "visual.attn_pool.query", 0, 0, REF_SHAPE(3, 12));
    ref_add_norm(&m, "visual.attn_pool.ln_q", 12);
    ref_add_norm(&m, "visual.attn_pool.ln_k", 96);
    ref_add(&m, "visual.attn_pool.attn.q_proj_weight", 0, 0, REF_SHAPE(12, 12));
    ref_add(&m, "visual.attn_pool.attn.k_proj_weight", 0, 0, REF_SHAPE(12, 96));
    ref_add(&m, "visual.attn_pool.attn.v_proj_weight", 0, 0, REF_SHAPE(12, 96));
    ref_add(&m, "visual.attn_pool.attn.in_proj_bias", 0, 0, REF_SHAPE(36));
    ref_add_linear(&m, "visual.attn_pool.attn.out_proj", 12, 12);
    vb_clip_options options = {.family = vb_family_find("coca"), .threads = 1};
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                 "tensor visual.attn_pool.query has 12 columns, expected a multiple of its 8 heads");
    ref_free(&m);
    m = (ref_model){.hollow = true};
    static const int inputs[] = {3, 1, 16};
    for (int i = 0; i < 3; i++) {
        ref_addf(&m, 0, 0, REF_SHAPE(16, inputs[i], i < 2 ? 3 : 1, i < 2 ? 3 : 1), "visual.trunk.stem.%d.reparam_conv.weight", i);
        ref_addf(&m, 0, 0, REF_SHAPE(16), "visual.trunk.stem.%d.reparam_conv.bias", i);
    }
    ref_add(&m, "visual.trunk.stages.0.blocks.0.token_mixer.qkv.weight", 0, 0, REF_SHAPE(48, 16));
    options.family = vb_family_find("mobileclip_s");
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                 "tensor visual.trunk.stages.0.blocks.0.token_mixer.qkv.weight: width 16 does not split into heads of 32");
    ref_free(&m);
}

static void sets_that_fit_no_model_are_refused(void **state) {
    (void)state;
    vb_error err = {0};
    vb_clip *clip;
    const vb_clip_options options = {.family = vb_family_find("clip"), .threads = 1};
    const vb_tensor_set none = {0};
    assert_fails(vb_clip_open(&clip, &none, &options, &err), VB_EMISMATCH, "no CLIP tower among the 0 tensors");
    assert_null(vb_family_find("blip"));
    assert_fails(vb_clip_open(&clip, &none, &(vb_clip_options){.family = vb_family_find("blip")}, &err), VB_EINTERNAL,
                 "no family stated for the weights");

    ref_model m, other;
    ref_sizes sizes = ref_small_vit;
    ref_make_typed(&m, &ref_small_vit, VB_F32, VB_F32, VB_F32, false);
    sizes.embed = 24;
    ref_make_typed(&other, &sizes, VB_F32, VB_F32, VB_F32, false);
    vb_tensor *t = ref_find(&m, "text_projection"), saved = *t;
    *t = *ref_find(&other, "text_projection");
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                 "text_projection gives embeddings of 24, the image tower's projection of 20");
    *t = saved;
    ref_free(&m);
    ref_free(&other);
}

/* Filters cut out of larger ones: rows, channels or columns are missing between those that are used. */
static void filters_that_are_cut_out_keep_their_taps(void **state) {
    (void)state;
    enum { OUT = 2, IN = 3, KERNEL = 2, LARGE = 4 };
    static const int64_t larger[][4] = {{OUT, IN, KERNEL, KERNEL},
                                        {OUT, LARGE, KERNEL, KERNEL},
                                        {OUT, IN, LARGE, KERNEL},
                                        {OUT, IN, KERNEL, LARGE},
                                        {LARGE, LARGE, LARGE, LARGE}};
    static float values[LARGE * LARGE * LARGE * LARGE];
    for (int i = 0; i < (int)(sizeof values / sizeof *values); i++) values[i] = (float)i;
    for (size_t c = 0; c < sizeof larger / sizeof *larger; c++) {
        vb_named_tensor item = {"f", {.dtype = VB_F32, .ndim = 4, .data = values}};
        memcpy(item.tensor.shape, larger[c], sizeof larger[c]);
        vb_tensor_pack_strides(&item.tensor);
        memcpy(item.tensor.shape, (const int64_t[]){OUT, IN, KERNEL, KERNEL}, 4 * sizeof(int64_t));
        const vb_tensor_set set = {1, &item};
        vb_program program = {0};
        vb_error err = {0};
        vb_matrix matrix;
        bool used = false;
        vb_binder binder = {.set = &set, .used = &used, .program = &program, .family = "clip", .err = &err};
        assert_ok(vb_binder_filter(&binder, &matrix, OUT, IN, KERNEL, "f"));
        for (int64_t i = 0; i < OUT * IN * KERNEL * KERNEL; i++)
            assert_true(vb_matrix_at(&matrix, i / (IN * KERNEL * KERNEL), i % (IN * KERNEL * KERNEL)) ==
                        vb_tensor_at(&item.tensor, i));
        vb_program_close(&program);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_tensors_are_named), cmocka_unit_test(wrong_statements_are_named),
                                       cmocka_unit_test(widths_that_do_not_split_are_named),
                                       cmocka_unit_test(filters_that_are_cut_out_keep_their_taps),
                                       cmocka_unit_test(sets_that_fit_no_model_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
