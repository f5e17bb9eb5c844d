/* Weights of every container: the fixtures' values by NumPy, small archives by Python's zipfile, and what must be
 * refused. */
#include <errno.h>
#include <math.h>

#include "tests/unit/shards/tensor_files.h"
#include "kernels/base/fault.h"
#include "shards/weights/coop.h"
#include "shards/weights/learned_parts.h"
#include "shards/weights/weights.h"
#include "shards/files/zip.h"
#include "shards/files/writer.h"

#define CORPUS "tests/fuzz/corpus/"

static double sum(const vb_tensor *tensor) {
    double total = 0;
    for (int64_t i = 0, n = vb_tensor_count(tensor); i < n; i++) total += (double)vb_tensor_at(tensor, i);
    return total;
}

static double weighted_sum(const vb_tensor *tensor) { /* that a wrong order changes */
    double total = 0;
    for (int64_t i = 0, n = vb_tensor_count(tensor); i < n; i++) total += (double)vb_tensor_at(tensor, i) * (double)i;
    return total;
}

static const vb_tensor *get(const vb_tensor_set *set, const char *name) {
    const vb_tensor *tensor = vb_tensor_find(set, name);
    if (!tensor) fail_msg("no tensor %s", name);
    return tensor;
}

static void assert_shape(const vb_tensor *tensor, int ndim, int64_t first, int64_t last) {
    assert_int_equal(tensor->ndim, ndim);
    if (ndim) assert_int_equal(tensor->shape[0], first);
    if (ndim) assert_int_equal(tensor->shape[ndim - 1], last);
}

/* Element by element, whatever the containers' element types (fp16 values are exact in fp32). */
static void assert_same(const vb_tensor *a, const vb_tensor *b, const char *name) {
    if (a->ndim != b->ndim || vb_tensor_count(a) != vb_tensor_count(b)) fail_msg("%s: shapes differ", name);
    for (int64_t i = 0, n = vb_tensor_count(a); i < n; i++)
        if (vb_tensor_at(a, i) != vb_tensor_at(b, i)) fail_msg("%s: element %lld differs", name, (long long)i);
}

/* ---- the fixtures ---- */

static void open_shared(vb_weights *weights, const char *name, const char *container, const char *naming, const char *family) {
    char path[1024];
    vb_error err = {0};
    assert_ok(vb_weights_open(weights, shared_path(path, name), false, &err));
    assert_string_equal(weights->container, container);
    assert_string_equal(weights->naming, naming);
    assert_string_equal(weights->family_hint, family);
    assert_string_equal(weights->digest.hex, "");
}

static void containers_hold_the_same_tensors(void **state) {
    (void)state;
    vb_weights truth, other;
    open_shared(&truth, "fixtures/clip-vit/model.safetensors", "safetensors", "OpenAI", "clip");
    assert_int_equal(truth.set.count, 62);
    static const char *const files[][2] = {{"fixtures/clip-vit/state_dict.pt", "torch zip"},
                                           {"fixtures/clip-vit/torchscript.pt", "TorchScript"}};
    for (int f = 0; f < 2; f++) {
        open_shared(&other, files[f][0], files[f][1], "OpenAI", "clip");
        assert_int_equal(other.set.count, truth.set.count);
        assert_int_equal(other.unused.count, 0);
        for (size_t i = 0; i < truth.set.count; i++)
            assert_same(&truth.set.items[i].tensor, get(&other.set, truth.set.items[i].name), truth.set.items[i].name);
        vb_weights_close(&other);
    }
    vb_weights_close(&truth);
}

static void hugging_face_holds_the_same_tensors(void **state) {
    (void)state;
    vb_weights truth, other;
    open_shared(&truth, "fixtures/clip-vit/model.safetensors", "safetensors", "OpenAI", "clip");
    open_shared(&other, "fixtures/clip-vit/huggingface.safetensors", "safetensors", "Hugging Face", "clip");
    size_t same = 0, split = 0;
    for (size_t i = 0; i < truth.set.count; i++) {
        const char *name = truth.set.items[i].name, *in = strstr(name, ".in_proj_");
        const vb_tensor *tensor = &truth.set.items[i].tensor;
        bool projection = !strcmp(name, "visual.proj") || !strcmp(name, "text_projection");
        if (!in && !projection) {
            assert_same(tensor, get(&other.set, name), name);
            same++;
            continue;
        }
        char part[256];
        if (projection) { /* transposed */
            snprintf(part, sizeof part, "%s.weight", name);
            vb_tensor turned = *get(&other.set, part);
            assert_shape(&turned, 2, tensor->shape[1], tensor->shape[0]);
            for (int d = 0; d < 2; d++) turned.shape[d] = tensor->shape[d];
            int64_t stride = turned.stride[0];
            turned.stride[0] = turned.stride[1];
            turned.stride[1] = stride;
            assert_same(tensor, &turned, name);
            split++;
            continue;
        }
        for (int p = 0; p < 3; p++) { /* a third of the rows each */
            snprintf(part, sizeof part, "%.*s.%c_proj.%s", (int)(in - name), name, "qkv"[p], in + strlen(".in_proj_"));
            vb_tensor third = *tensor;
            third.shape[0] /= 3;
            third.data = (const char *)third.data + (size_t)(p * third.shape[0] * third.stride[0]) * vb_dtype_size(third.dtype);
            assert_same(&third, get(&other.set, part), part);
            split++;
        }
    }
    assert_int_equal(same, 62 - 8 - 2);
    assert_int_equal(split, 8 * 3 + 2);
    assert_int_equal(other.set.count, same + split);
    vb_weights_close(&truth);
    vb_weights_close(&other);
}

typedef struct golden {
    const char *name;
    int ndim;
    int64_t first, last;
    double sum, weighted;
} golden;

static void assert_golden(const vb_weights *weights, const golden *g, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const vb_tensor *tensor = get(&weights->set, g[i].name);
        assert_shape(tensor, g[i].ndim, g[i].first, g[i].last);
        if (fabs(sum(tensor) - g[i].sum) > 1e-9 * (1 + fabs(g[i].sum)) ||
            fabs(weighted_sum(tensor) - g[i].weighted) > 1e-9 * (1 + fabs(g[i].weighted)))
            fail_msg("%s: sums %.17g and %.17g", g[i].name, sum(tensor), weighted_sum(tensor));
    }
}

static void slip_has_openai_names(void **state) {
    (void)state;
    static const golden sums[] = {
        {"visual.class_embedding", 1, 128, 128, 0.09410345554351807, 9.161662697792053},
        {"visual.positional_embedding", 2, 17, 128, -0.8963674306869507, -1243.9726377725601},
        {"visual.transformer.resblocks.1.attn.in_proj_weight", 2, 384, 128, -1.8903932571411133, -169490.58003991842},
        {"visual.transformer.resblocks.0.attn.out_proj.bias", 1, 128, 128, 0.8139839172363281, 29.87811279296875},
        {"visual.transformer.resblocks.0.ln_2.bias", 1, 128, 128, 0.3729705810546875, -7.7251739501953125},
        {"visual.transformer.resblocks.0.mlp.c_fc.weight", 2, 512, 128, -4.966049492359161, -119116.65479046106},
        {"visual.transformer.resblocks.1.mlp.c_proj.weight", 2, 128, 512, 2.4765250086784363, 231579.0022520423},
        {"visual.conv1.bias", 1, 128, 128, -2.1333961486816406, -139.06349277496338},
        {"visual.ln_post.weight", 1, 128, 128, 129.00244140625, 8190.1259765625},
        {"visual.proj", 2, 128, 32, -13.288026750087738, -20779.1730787158},
        {"text_projection", 2, 64, 32, 2.543803632259369, -40.232721865177155},
        {"transformer.resblocks.1.mlp.c_proj.weight", 2, 64, 256, -3.2505698204040527, -2782.3352813720703}};
    vb_weights weights;
    open_shared(&weights, "fixtures/slip-vit/checkpoint.pt", "torch zip", "SLIP", "slip");
    assert_golden(&weights, sums, sizeof sums / sizeof *sums);
    assert_int_equal(weights.set.count, 61);
    assert_int_equal(weights.unused.count, 0);
    vb_weights_close(&weights);
}

static void declip_has_openai_names(void **state) {
    (void)state;
    static const golden sums[] = {{"visual.proj", 2, 128, 32, 4.500063359737396, 10094.636222541332},
                                  {"positional_embedding", 2, 77, 64, 0.3557627201080322, 2310.5315165519714},
                                  {"text_projection.weight", 2, 32, 64, 6.063887298107147, 5834.550577819347},
                                  {"text_projection.bias", 1, 32, 32, 0.6109046936035156, 24.954952239990234},
                                  {"token_embedding.weight", 2, 49409, 64, 45.13853454589844, 127235629.81053162},
                                  {"logit_scale", 0, 0, 0, 2.658203125, 0}};
    vb_weights weights;
    open_shared(&weights, "fixtures/declip-vit/checkpoint.pth.tar", "legacy pickle", "DeCLIP", "declip");
    assert_golden(&weights, sums, sizeof sums / sizeof *sums);
    assert_int_equal(weights.set.count, 63);
    vb_weights_close(&weights);
}

static void resnets_keep_their_names(void **state) {
    (void)state;
    vb_weights weights;
    open_shared(&weights, "fixtures/clip-rn/model.safetensors", "safetensors", "OpenAI", "clip");
    assert_int_equal(weights.set.count, 171);
    assert_int_equal(weights.unused.count, 0);
    assert_shape(get(&weights.set, "visual.layer2.1.bn3.running_var"), 1, 128, 128);
    vb_weights_close(&weights);
}

/* Contexts are those of CoOp alone: what another method learns with them is never passed over. */
static void learned_parts_are_refused(void **state) {
    (void)state;
    vb_coop coop;
    vb_error err = {0};
    static const char *const fine[] = {"ctx", "state_dict.ctx state_dict.token_prefix state_dict.token_suffix",
                                       "prompt_learner.ctx prompt_learner.token_midfix",
                                       "state_dict.ctx optimizer.state.0.momentum_buffer lr_scheduler.x"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        assert_ok(vb_coop_read(&coop, put_tensors("fine.safetensors", fine[i]), &err));
        assert_int_equal(coop.contexts, 2);
        vb_coop_free(&coop);
    }
    static const char *const bad[][2] = {{"state_dict.ctx state_dict.meta_net.linear1.weight",
                                          "holds learned parts of CoCoOp (its meta net), such as the tensor state_dict.meta"},
                                         {"ctx compound_prompts_text.0 proj.weight", "learned parts of MaPLe (its deep prompts)"},
                                         {"prompt_learner.ctx text_encoder.transformer.resblocks.1.VPT_shallow",
                                          "learned parts of IVLP, MaPLe or PromptSRC"},
                                         {"ctx image_adapter.fc.0.weight", "learned parts of an adapter"},
                                         {"ctx w_lora_A", "learned parts of LoRA"},
                                         {"ctx gate", "1 tensors beside 'ctx', such as gate: of another method than CoOp"},
                                         {"prompt_learner.ctx image_encoder.conv1.weight text_encoder.ln_final.weight",
                                          "2 tensors beside 'prompt_learner.ctx', such as image"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(vb_coop_read(&coop, put_tensors("bad.safetensors", bad[i][0]), &err), VB_EUNSUPPORTED, bad[i][1]);
    vb_weights weights;
    assert_ok(vb_weights_open(&weights, put_tensors("lora.safetensors", "base_model.model.vision_model.q_proj.lora_A.weight x"),
                              false, &err));
    assert_fails(
        vb_learned_parts_refuse(&weights.unused, false, "lora.safetensors", &err), VB_EUNSUPPORTED,
        "lora.safetensors: holds learned parts of LoRA, such as the tensor base_model.model.vision_model.q_proj.lora_A.weight");
    vb_weights_close(&weights);
    assert_ok(
        vb_weights_open(&weights, put_tensors("plain.safetensors", "visual.proj prompt_learner.ctx explorations"), false, &err));
    assert_ok(vb_learned_parts_refuse(&weights.unused, true, "plain", &err));
    assert_fails(vb_learned_parts_refuse(&weights.unused, false, "plain", &err), VB_EUNSUPPORTED, "learned prompts");
    vb_weights_close(&weights);
}

static void coop_context_is_read(void **state) {
    (void)state;
    char path[1024];
    vb_coop coop;
    vb_error err = {0};
    assert_ok(vb_coop_read(&coop, shared_path(path, "fixtures/coop/model.pth.tar-50"), &err));
    assert_int_equal(coop.classes, 0);
    assert_int_equal(coop.contexts, 4);
    assert_int_equal(coop.width, 64);
    double total = 0, weighted = 0;
    for (int i = 0; i < 4 * 64; i++) total += (double)coop.context[i], weighted += (double)coop.context[i] * i;
    assert_true(fabs(total - -0.08785823681682814) < 1e-12 && fabs(weighted - 14.907054753726698) < 1e-9);
    vb_coop_free(&coop);
    assert_fails(vb_coop_read(&coop, shared_path(path, "fixtures/clip-vit/model.safetensors"), &err), VB_EMISMATCH,
                 "no tensor 'ctx' among 62");
    assert_null(coop.context);
}

/* ---- small files of our own ---- */

static void archives_of_torch(void **state) {
    (void)state;
    static const char *const files[][2] = {{CORPUS "zip/state_dict.pt", "torch zip"},
                                           {CORPUS "zip/deflated.pt", "torch zip"},
                                           {CORPUS "zip/protocol4.pt", "torch zip"},
                                           {CORPUS "pickle/legacy.pt", "legacy pickle"}};
    for (int f = 0; f < 4; f++) {
        vb_weights weights;
        vb_error err = {0};
        assert_ok(vb_weights_open_raw(&weights, files[f][0], true, &err));
        assert_string_equal(weights.container, files[f][1]);
        assert_int_equal(strlen(weights.digest.hex), 32);
        assert_int_equal(weights.set.count, 7);
        const vb_tensor *a = get(&weights.set, "state_dict.module.a.weight"),
                        *turned = get(&weights.set, "state_dict.module.a.transposed");
        const vb_tensor *b = get(&weights.set, "state_dict.module.b"), *half = get(&weights.set, "state_dict.module.half");
        const vb_tensor *bf16 = get(&weights.set, "state_dict.module.bf16"),
                        *steps = get(&weights.set, "state_dict.module.steps");
        assert_shape(a, 2, 3, 4);
        assert_ptr_equal(a->data, turned->data); /* views, not copies */
        for (int row = 0; row < 3; row++)
            for (int col = 0; col < 4; col++) {
                assert_true(vb_tensor_at(a, row * 4 + col) == (float)(row * 4 + col));
                assert_true(vb_tensor_at(turned, col * 3 + row) == (float)(row * 4 + col));
            }
        assert_true(vb_tensor_at(b, 0) == 5 && vb_tensor_at(b, 1) == 6 && vb_tensor_at(b, 2) == 9 && vb_tensor_at(b, 3) == 10);
        assert_int_equal(half->dtype, VB_F16);
        assert_true(vb_tensor_at(half, 0) == 0.5f && vb_tensor_at(half, 1) == -2);
        assert_int_equal(bf16->dtype, VB_BF16);
        assert_true(vb_tensor_at(bf16, 0) == 1 && vb_tensor_at(bf16, 1) == -2);
        assert_int_equal(steps->dtype, VB_I64);
        assert_int_equal(steps->ndim, 0);
        assert_true(vb_tensor_at(steps, 0) == -7);
        assert_int_equal(vb_tensor_count(get(&weights.set, "state_dict.module.none")), 0);
        vb_weights_close(&weights);
    }
    vb_weights weights;
    vb_error err = {0};
    assert_ok(vb_weights_open_raw(&weights, CORPUS "zip/torchscript.pt", false, &err));
    assert_string_equal(weights.container, "TorchScript");
    assert_int_equal(weights.set.count, 2);
    assert_true(vb_tensor_at(get(&weights.set, "weight"), 11) == 11 && vb_tensor_at(get(&weights.set, "0.bias"), 0) == 9);
    vb_weights_close(&weights);
    assert_ok(vb_weights_open_raw(&weights, CORPUS "pickle/legacy_view.pt", false, &err));
    assert_true(vb_tensor_at(get(&weights.set, "v"), 0) == 2 && vb_tensor_at(get(&weights.set, "v"), 1) == 3);
    vb_weights_close(&weights);
    assert_ok(vb_weights_open(&weights, CORPUS "zip/state_dict.pt", false, &err)); /* no CLIP at all */
    assert_string_equal(weights.naming, "unknown");
    assert_null(weights.family_hint);
    assert_int_equal(weights.set.count, 0);
    assert_int_equal(weights.unused.count, 7);
    assert_string_equal(weights.unused.items[0].name, "state_dict.module.a.transposed");
    vb_weights_close(&weights);
}

static void hostile_archives_stay_data(void **state) {
    (void)state;
    vb_weights weights;
    vb_error err = {0};
    assert_ok(vb_weights_open(&weights, CORPUS "zip/os_system.pt", false, &err));
    assert_int_equal(weights.set.count + weights.unused.count, 0);
    vb_weights_close(&weights);
    assert_int_not_equal(access("hostile-pickle-was-here", F_OK), 0);
    assert_fails(vb_weights_open(&weights, CORPUS "pickle/os_system", false, &err), VB_EUNSUPPORTED,
                 "begins with the bytes 63 6f 73 0a");
    assert_fails(vb_weights_open(&weights, CORPUS "pickle/os_system_stack", false, &err), VB_EUNSUPPORTED,
                 "without PyTorch's magic number");
}

/* Of kinds that are not read here a tensor is known by name and, where it is told, by shape. */
static void opaque_tensors_are_passed_on(void **state) {
    (void)state;
    vb_weights weights;
    vb_error err = {0};
    assert_ok(vb_weights_open_raw(&weights, CORPUS "zip/bad_quantised.pt", false, &err));
    assert_int_equal(weights.set.count, 1);
    assert_int_equal(weights.set.items[0].tensor.dtype, VB_OPAQUE);
    assert_true(isnan(vb_tensor_at(&weights.set.items[0].tensor, 0)));
    vb_weights_close(&weights);
}

static void bad_files_say_why(void **state) {
    (void)state;
    static const struct {
        const char *name;
        vb_code code;
        const char *fragment;
    } cases[] = {{"zip/bad_beyond.pt", VB_EDATA, "tensor 't' reaches beyond the 12 elements of its storage '0'"},
                 {"zip/bad_stride.pt", VB_EDATA, "reaches beyond the 12 elements"},
                 {"zip/bad_negative.pt", VB_EDATA, "size or stride 0"},
                 {"zip/bad_product.pt", VB_EDATA, "reaches beyond"},
                 {"zip/bad_empty.pt", VB_EDATA, "reaches beyond"},
                 {"zip/bad_repeats.pt", VB_EUNSUPPORTED, "repeats elements: 1099511627776"},
                 {"zip/bad_offset.pt", VB_EDATA, "reaches beyond"},
                 {"zip/bad_dimensions.pt", VB_EUNSUPPORTED, "9 dimensions"},
                 {"zip/bad_claims.pt", VB_EDATA, "2305843009213693952 fp32 elements, but the file holds 4 bytes"},
                 {"zip/bad_no_storage.pt", VB_EDATA, "its storage is not"},
                 {"zip/bad_sizes.pt", VB_EDATA, "is not (storage, offset, sizes, strides)"},
                 {"zip/bad_control.pt", VB_EDATA, "tensor 'a?b'"},
                 {"zip/bad_twice.pt", VB_EDATA, "'a.b' is there twice"},
                 {"zip/bad_cycle.pt", VB_EDATA, "more than 64 levels"},
                 {"zip/bad_aliases.pt", VB_EDATA, "more than"},
                 {"zip/bad_deep.pt", VB_EDATA, "more than 64 levels"},
                 {"zip/bad_missing_storage.pt", VB_EDATA, "no entry 'net/data/0'"},
                 {"zip/bad_long_name.pt", VB_EDATA, "a name of more than 510 characters under 'a'"},
                 {"zip/bad_long_root.pt", VB_EDATA, "a folder name of 257 characters"},
                 {"zip/bad_roots.pt", VB_EDATA, "both 'a/data.pkl' and 'b/data.pkl' in the archive"},
                 {"pickle/legacy_unlisted.pt", VB_EDATA, "tensor 'a': no storage '0' of 1 fp32 elements in the file"},
                 {"pickle/legacy_no_list.pt", VB_EDATA, "no list of storage keys before byte "},
                 {"zip/big_endian.pt", VB_EUNSUPPORTED, "'net/byteorder' says 'big'"},
                 {"zip/plain.zip", VB_EUNSUPPORTED, "without a data.pkl"},
                 {"zip/none.zip", VB_EUNSUPPORTED, "without a data.pkl"},
                 {"pickle/legacy_big_endian.pt", VB_EUNSUPPORTED, "little-endian"},
                 {"pickle/legacy_claims.pt", VB_EDATA, "1099511627776 fp32 elements"},
                 {"pickle/plain2", VB_EUNSUPPORTED, "without PyTorch's magic number"},
                 {"pickle/plain0", VB_EUNSUPPORTED, "begins with the bytes"},
                 {"pickle/bad_empty", VB_EDATA, "an empty file, expected safetensors"},
                 {"pickle/no_such_file", VB_EMISSING, "cannot open"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[256];
        vb_weights weights;
        vb_error err = {0};
        snprintf(path, sizeof path, CORPUS "%s", cases[i].name);
        assert_fails(vb_weights_open(&weights, path, true, &err), cases[i].code, cases[i].fragment);
        assert_true(!strncmp(err.text, path, strlen(path)));
        assert_null(weights.storage);
        assert_null(weights.set.items);
    }
}

static void zip_directories_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *name;
        vb_code code;
        const char *fragment;
    } cases[] = {{"plain", VB_OK, ""},
                 {"deflated", VB_OK, ""},
                 {"comment", VB_OK, ""},
                 {"zip64", VB_OK, ""},
                 {"bad_twice", VB_EDATA, "lists 'bbb' twice"},
                 {"bad_count", VB_EDATA, "directory of 3 entries in 96 bytes"},
                 {"bad_entry", VB_EDATA, "no directory entry at byte 90, where number 1 of 2"},
                 {"bad_offset", VB_EDATA, "does not fit the file's"},
                 {"bad_disks", VB_EUNSUPPORTED, "several disks"},
                 {"bad_header", VB_EDATA, "'a' has no header at byte 2147483647"},
                 {"bad_size", VB_EDATA, "'a' at byte 0 has 4096 bytes, the file has 177 left"},
                 {"bad_sizes", VB_EDATA, "'a' is stored, but has 12 bytes in the file and 5"},
                 {"bad_name", VB_EDATA, "is not that of 'z'"},
                 {"bad_method", VB_EUNSUPPORTED, "method 12"},
                 {"bad_encrypted", VB_EUNSUPPORTED, "encrypted"},
                 {"bad_nul", VB_EDATA, "NUL"},
                 {"bad_beyond", VB_EDATA, "the directory entry at byte 137 runs over the directory's end"},
                 {"bad_crc", VB_EDATA, "with CRC 00000000"},
                 {"bad_inflate", VB_EDATA, "does not inflate"},
                 {"bad_bomb", VB_EUNSUPPORTED, "is compressed (2147483647 bytes)"},
                 {"bad_zip64_locator", VB_EDATA, "no ZIP64 end record"},
                 {"bad_zip64_extra", VB_EDATA, "a broken extra field"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[256];
        vb_map map;
        vb_zip zip;
        vb_error err = {0};
        snprintf(path, sizeof path, CORPUS "zip/%s.zip", cases[i].name);
        assert_ok(vb_map_open(&map, path, &err));
        const uint8_t *bytes;
        int status = vb_zip_open(&zip, map.data, map.size, path, &err);
        for (size_t e = 0; !status && e < zip.count; e++) status = vb_zip_content(&zip, &zip.entries[e], &bytes, path, &err);
        if (err.code != (int)cases[i].code || !strstr(err.text, cases[i].fragment))
            fail_msg("%s: code %d, text: %s", path, err.code, err.text);
        if (!cases[i].code) {
            vb_zip_entry *entry = vb_zip_find(&zip, "b/c");
            assert_non_null(entry);
            assert_ok(vb_zip_content(&zip, entry, &bytes, path, &err));
            assert_int_equal(entry->size, 14);
            assert_memory_equal(bytes, "content of b/c", 14);
            bool in_place = bytes >= map.data && bytes < map.data + map.size;
            assert_int_equal(in_place, !!strcmp(cases[i].name, "deflated"));
            assert_null(vb_zip_find(&zip, "b"));
        }
        vb_zip_close(&zip);
        vb_map_close(&map);
    }
}

/* ---- CoOp, and faults ---- */

static void write_safetensors(const char *path, const char *header, const void *data, size_t size) {
    uint8_t bytes[1024];
    vb_error err = {0};
    size_t length = strlen(header);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)length >> 8 * i);
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, data, size);
    assert_ok(vb_writer_write_whole(path, bytes, 8 + length + size, &err));
}

static void class_specific_contexts(void **state) {
    (void)state;
    const char *path = scratch_path("ctx.safetensors");
    const float values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, broken[2] = {1, NAN};
    vb_coop coop;
    vb_error err = {0};
    write_safetensors(path, "{\"prompt_learner.ctx\":{\"dtype\":\"F32\",\"shape\":[2,3,2],\"data_offsets\":[0,48]}}", values,
                      sizeof values);
    assert_ok(vb_coop_read(&coop, path, &err));
    assert_int_equal(coop.classes, 2);
    assert_int_equal(coop.contexts, 3);
    assert_int_equal(coop.width, 2);
    assert_memory_equal(coop.context, values, sizeof values);
    vb_coop_free(&coop);
    write_safetensors(path, "{\"ctx\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", broken, sizeof broken);
    assert_fails(vb_coop_read(&coop, path, &err), VB_EDATA, "element 1 is not finite");
    write_safetensors(path, "{\"ctx\":{\"dtype\":\"F32\",\"shape\":[12],\"data_offsets\":[0,48]}}", values, sizeof values);
    assert_fails(vb_coop_read(&coop, path, &err), VB_EDATA, "has 1 dimensions");
    write_safetensors(path, "{\"ctx\":{\"dtype\":\"F32\",\"shape\":[0,12],\"data_offsets\":[0,0]}}", values, 0);
    assert_fails(vb_coop_read(&coop, path, &err), VB_EDATA, "dimension 0 is 0");
    write_safetensors(path, "{\"ctx\":{\"dtype\":\"I32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", values, 8);
    assert_fails(vb_coop_read(&coop, path, &err), VB_EDATA, "is int32");
    write_safetensors(
        path,
        "{\"a.ctx\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]},\"b.ctx\":{\"dtype\":\"F32\",\"shape\":[1,1],"
        "\"data_offsets\":[4,8]}}",
        values, 8);
    assert_fails(vb_coop_read(&coop, path, &err), VB_EDATA, "both 'a.ctx' and 'b.ctx'");
    vb_writer_write_whole(path, "version https://git-lfs.github.com/spec/v1\n", 43, &err);
    assert_fails(vb_coop_read(&coop, path, &err), VB_EDATA, "Git LFS pointer");
    unlink(path);
    assert_fails(vb_coop_read(&coop, CORPUS "zip/state_dict.pt", &err), VB_EMISMATCH, "no tensor 'ctx' among 7");
}

static void faults_leak_nothing(void **state) {
    (void)state;
    static const char *const files[] = {CORPUS "zip/state_dict.pt", CORPUS "zip/deflated.pt", CORPUS "pickle/legacy.pt",
                                        CORPUS "safetensors/clip"};
    static const char *const sites[] = {"alloc", "open", "mmap"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (size_t s = 0; s < sizeof sites / sizeof *sites; s++) {
            int failures = 0;
            for (int n = 1;; n++) {
                char fault[32];
                vb_weights weights;
                vb_error err = {0};
                snprintf(fault, sizeof fault, "%s:%d:ENOMEM", sites[s], n);
                vb_fault_setup(fault, 0);
                int status = vb_weights_open(&weights, files[f], true, &err);
                vb_fault_setup(NULL, 0);
                vb_weights_close(&weights); /* also fine after a failure */
                if (!status) break;
                assert_int_equal(err.code, strcmp(sites[s], "open") ? VB_EMEMORY : VB_EMISSING);
                failures++;
            }
            assert_true(failures >= 1);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(containers_hold_the_same_tensors),
                                       cmocka_unit_test(hugging_face_holds_the_same_tensors),
                                       cmocka_unit_test(slip_has_openai_names),
                                       cmocka_unit_test(declip_has_openai_names),
                                       cmocka_unit_test(resnets_keep_their_names),
                                       cmocka_unit_test(coop_context_is_read),
                                       cmocka_unit_test(learned_parts_are_refused),
                                       cmocka_unit_test(archives_of_torch),
                                       cmocka_unit_test(hostile_archives_stay_data),
                                       cmocka_unit_test(bad_files_say_why),
                                       cmocka_unit_test(opaque_tensors_are_passed_on),
                                       cmocka_unit_test(zip_directories_are_checked),
                                       cmocka_unit_test(class_specific_contexts),
                                       cmocka_unit_test(faults_leak_nothing)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
