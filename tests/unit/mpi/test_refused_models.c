/* Tests of models that are not whole: of each model of the zoo each tensor, missing or of a shape that is one longer in one
 * dimension, is refused by a message that says what was found, but for those that a model may do without and for dimensions that
 * only the tensor itself tells. */
#include "mpi/encode/facts.h"
#include "mpi/encode/model.h"
#include "mpi/experiment/experiment_tables.h"
#include "tests/unit/vb_test.h"

static const struct {
    const char *file; /* below zoo/fixtures/ */
    int resolution;   /* where nothing beside the weights tells it */
} models[] = {{"altclip/model.safetensors", 0},
              {"chinese-clip/model.safetensors", 0},
              {"clipa/model.safetensors", 0},
              {"coca/model.safetensors", 0},
              {"convnext-d/model.safetensors", 64},
              {"convnext-w/model.safetensors", 64},
              {"eva01-g/model.safetensors", 0},
              {"eva02-b-baai/model.pt", 0},
              {"eva02-b/model.safetensors", 0},
              {"eva02-e/model.safetensors", 0},
              {"long-clip/model.safetensors", 0},
              {"metaclip2/model.safetensors", 0},
              {"mobileclip-b/model.safetensors", 0},
              {"mobileclip-s1-reparam/model.safetensors", 0},
              {"mobileclip-s1/model.safetensors", 0},
              {"mobileclip2-l/model.safetensors", 0},
              {"mobileclip2-s3/model.safetensors", 0},
              {"nllb/model.safetensors", 0},
              {"openvision/model.safetensors", 0},
              {"pe-core-b/model.safetensors", 0},
              {"pe-core-g/model.safetensors", 0},
              {"pe-core-meta/model.pt", 0},
              {"siglip-384-floor/model.safetensors", 40},
              {"siglip-hf/model.safetensors", 0},
              {"siglip/model.safetensors", 0},
              {"siglip2-gopt/model.safetensors", 64},
              {"siglip2-naflex/model.safetensors", 0},
              {"siglip2/model.safetensors", 0},
              {"vit-dfn5b-squash/model.safetensors", 0},
              {"vit-mean05/model.safetensors", 0},
              {"vitamin/model.safetensors", 0},
              {"xlm-roberta/model.safetensors", 0}};

/* Texts are compared by cosine, so that no model needs its scale; Long-CLIP's second table is added to the first where there is
 * one, PE has a bias in open_clip's files alone, and batches are counted for training. */
static bool may_be_missing(const char *name) {
    const char *end = strrchr(name, '.');
    return !strcmp(name, "logit_scale") || !strcmp(name, "logit_bias") || !strcmp(name, "positional_embedding_res") ||
           !strcmp(name, "visual.proj.bias") || (end && !strcmp(end, ".num_batches_tracked"));
}

/* Longer contexts, larger vocabularies, further kinds of texts, more queries of a pool. */
static bool may_be_longer(const char *name, int dimension) {
    static const char *const names[] = {"positional_embedding", "token_embedding.weight", "token_type_embedding",
                                        "visual.attn_pool.query"};
    for (int i = 0; i < 4; i++)
        if (!dimension && !strcmp(name, names[i])) return true;
    return false;
}

static void judge(const char *file, const char *name, int dimension, const vb_tensor_set *set, const vb_clip_options *options) {
    vb_error err = {0};
    vb_clip *clip = NULL;
    const bool fits = dimension < 0 ? may_be_missing(name) : may_be_longer(name, dimension);
    if (!vb_clip_open(&clip, set, options, &err)) {
        vb_clip_close(clip);
        if (!fits)
            fail_msg("%s is taken, %s %s (dimension %d)", file, dimension < 0 ? "without" : "with another", name, dimension);
        return;
    }
    assert_null(clip);
    const bool says = strstr(err.text, "tensor") || strstr(err.text, "image tower: ");
    if (err.code != VB_EMISMATCH || !says)
        fail_msg("%s, %s (dimension %d): code %d, %s", file, name, dimension, err.code, err.text);
}

static void check_model(const char *file, int resolution) {
    char part[256], path[1024];
    vb_error err = {0};
    vb_weights weights;
    const vb_family *family;
    vb_stated_facts stated;
    vb_facts facts;
    vb_clip *clip;
    snprintf(part, sizeof part, "zoo/fixtures/%s", file);
    assert_ok(vb_weights_open(&weights, shared_path(path, part), false, &err));
    assert_ok(vb_model_family(&weights, VB_FAMILY_FOUND, &family, &err));
    assert_ok(vb_options_defaults(vb_experiment_tables_facts(), &stated, &err));
    if (vb_facts_of_towers(&facts, &stated, &weights, family, &err)) { /* nothing beside the weights tells */
        stated.image_activation = stated.text_activation = VB_ACTIVATION_GELU;
        if (resolution) stated.resolution = resolution;
        assert_ok(vb_facts_of_towers(&facts, &stated, &weights, family, &err));
    }
    const vb_clip_options options = {.family = family, .stated = facts.towers, .threads = 1};
    assert_ok(vb_clip_open(&clip, &weights.set, &options, &err));
    vb_clip_close(clip);
    const size_t n = weights.set.count;
    vb_named_tensor *items = test_malloc(n * sizeof *items);
    for (size_t k = 0; k < n; k++) {
        const char *name = weights.set.items[k].name;
        vb_tensor_set set = {n - 1, items};
        for (size_t i = 0, at = 0; i < n; i++)
            if (i != k) items[at++] = weights.set.items[i];
        judge(file, name, -1, &set, &options);
        set.count = n;
        for (int d = 0; d < weights.set.items[k].tensor.ndim; d++) {
            memcpy(items, weights.set.items, n * sizeof *items);
            vb_tensor *tensor = &items[k].tensor;
            tensor->shape[d]++;
            memset(tensor->stride, 0, sizeof tensor->stride); /* one element stands for all: none lies behind the file */
            judge(file, name, d, &set, &options);
        }
    }
    test_free(items);
    vb_weights_close(&weights);
}

static void a_tensor_that_does_not_fit_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) check_model(models[i].file, models[i].resolution);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_tensor_that_does_not_fit_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
