/* Tests of text towers of BERT's kind against their definition in double, with padding masked there and left out here. */
#include "tests/unit/clip_reference.h"
#include "kernels/base/isa_internal.h"

enum { WIDTH = 24, HEADS = 3, HIDDEN = 40, LAYERS = 2, EMBED = 12, GAP = 20, TOKENS = 30, ROWS = 12, CONTEXT = 9, TEXTS = 3 };

/* How a family differs: what test and code both say, in words of their own. */
typedef struct bert_case {
    const char *family;
    int pad, first;
    bool relu, pre_norm, mean, alt, hidden, bias;
} bert_case;

static double epsilon_of(const bert_case *c) {
    return !strcmp(c->family, "chinese_clip") || !strcmp(c->family, "align") ? 1e-12 : 1e-5;
}

static const bert_case cases[] = {{"roberta", 1, 2, false, false, true, false, true, false},
                                  {"roberta", 1, 2, false, false, true, false, false, false},
                                  {"altclip", 1, 2, false, false, false, true, true, false},
                                  {"chinese_clip", 0, 0, false, false, false, false, false, false},
                                  {"align", 0, 0, false, false, false, false, false, true},
                                  {"nllb", 1, 2, true, true, false, false, false, false},
                                  {"nllb_siglip", 1, 2, true, true, false, false, false, false}};
enum { CASES = sizeof cases / sizeof *cases };

static void make(ref_model *m, const bert_case *c) {
    *m = (ref_model){.dtypes = {VB_F32, VB_F16, VB_F32}, .random = 7};
    ref_add(m, "token_embedding.weight", 0, 1, REF_SHAPE(TOKENS, WIDTH));
    if (!c->pre_norm) {
        ref_add(m, "positional_embedding", 0, 0.5, REF_SHAPE(ROWS, WIDTH));
        ref_add(m, "token_type_embedding", 0, 0.5, REF_SHAPE(2, WIDTH));
        ref_add_norm(m, "ln_embedding", WIDTH);
    }
    ref_add_blocks(m, "transformer", WIDTH, LAYERS, HIDDEN, true);
    if (c->pre_norm || c->alt) ref_add_norm(m, c->alt ? "ln_final" : "ln_encoder", WIDTH);
    if (c->hidden) ref_add(m, "text_hidden.weight", 0, 0.3, REF_SHAPE(GAP, WIDTH));
    if (c->alt) ref_add(m, "text_hidden.bias", 0, 0.3, REF_SHAPE(GAP));
    ref_add_projection(m, "text_projection", c->hidden ? GAP : WIDTH, EMBED, true);
    if (c->bias) ref_add(m, "text_projection.bias", 0, 0.3, REF_SHAPE(EMBED));
}

static double gelu(double x) { return x * 0.5 * (1 + erf(x / sqrt(2))); }

/* The whole context with an explicit mask: minus infinity on keys of padding. */
static void masked_attention(const double *q, const double *k, const double *v, const bool *valid, double *out) {
    enum { DIM = WIDTH / HEADS };
    memset(out, 0, CONTEXT * WIDTH * sizeof *out);
    for (int h = 0; h < HEADS; h++)
        for (int i = 0; i < CONTEXT; i++) {
            double p[CONTEXT], sum = 0;
            for (int j = 0; j < CONTEXT; j++) {
                p[j] = 0;
                for (int d = 0; d < DIM; d++) p[j] += q[i * WIDTH + h * DIM + d] * k[j * WIDTH + h * DIM + d] / sqrt(DIM);
                sum += p[j] = valid[j] ? exp(p[j]) : 0;
            }
            for (int j = 0; j < CONTEXT; j++)
                for (int d = 0; d < DIM; d++) out[i * WIDTH + h * DIM + d] += p[j] / sum * v[j * WIDTH + h * DIM + d];
        }
}

static void block(ref_model *m, const bert_case *c, int layer, const bool *valid, double *x) {
    char name[80], part[100];
    double h[CONTEXT * WIDTH], attended[CONTEXT * WIDTH], *qkv[3], *y;
    const double epsilon = epsilon_of(c);
    snprintf(name, sizeof name, "transformer.resblocks.%d", layer);
#define PART(suffix) (snprintf(part, sizeof part, "%s" suffix, name), part)
    memcpy(h, x, sizeof h);
    if (c->pre_norm) ref_norm(m, PART(".ln_1"), h, CONTEXT, WIDTH, epsilon);
    qkv[0] = ref_linear(m, PART(".attn.q_proj"), h, CONTEXT, WIDTH, WIDTH);
    qkv[1] = ref_linear(m, PART(".attn.k_proj"), h, CONTEXT, WIDTH, WIDTH);
    qkv[2] = ref_linear(m, PART(".attn.v_proj"), h, CONTEXT, WIDTH, WIDTH);
    masked_attention(qkv[0], qkv[1], qkv[2], valid, attended);
    for (int i = 0; i < 3; i++) free(qkv[i]);
    y = ref_linear(m, PART(".attn.out_proj"), attended, CONTEXT, WIDTH, WIDTH);
    for (int i = 0; i < CONTEXT * WIDTH; i++) x[i] += y[i];
    free(y);
    if (!c->pre_norm) ref_norm(m, PART(".ln_1"), x, CONTEXT, WIDTH, epsilon);
    memcpy(h, x, sizeof h);
    if (c->pre_norm) ref_norm(m, PART(".ln_2"), h, CONTEXT, WIDTH, epsilon);
    double *wide = ref_linear(m, PART(".mlp.c_fc"), h, CONTEXT, WIDTH, HIDDEN);
    for (int i = 0; i < CONTEXT * HIDDEN; i++) wide[i] = !c->relu ? gelu(wide[i]) : wide[i] > 0 ? wide[i] : 0;
    y = ref_linear(m, PART(".mlp.c_proj"), wide, CONTEXT, HIDDEN, WIDTH);
    for (int i = 0; i < CONTEXT * WIDTH; i++) x[i] += y[i];
    free(wide);
    free(y);
    if (!c->pre_norm) ref_norm(m, PART(".ln_2"), x, CONTEXT, WIDTH, epsilon);
#undef PART
}

/* Position p counts tokens that are not padding, from `first` on; padding itself keeps what does not matter. */
static void embed(ref_model *m, const bert_case *c, const int32_t *tokens, const bool *valid, double *x) {
    double *table = ref_values(m, "token_embedding.weight"), *positions = NULL, *types = NULL;
    if (!c->pre_norm) {
        positions = ref_values(m, "positional_embedding");
        types = ref_values(m, "token_type_embedding");
    }
    int p = c->first - 1;
    for (int i = 0; i < CONTEXT; i++) {
        p += valid[i];
        for (int j = 0; j < WIDTH; j++) {
            const int half = WIDTH / 2, k = j % half;
            const double angle = p * exp(-k * log(10000) / (half - 1)), token = table[tokens[i] * WIDTH + j];
            x[i * WIDTH + j] = c->pre_norm ? token * sqrt(WIDTH) + (j < half ? sin(angle) : cos(angle)) :
                                             token + positions[p * WIDTH + j] + types[j];
        }
    }
    if (!c->pre_norm) ref_norm(m, "ln_embedding", x, CONTEXT, WIDTH, epsilon_of(c));
    free(table);
    free(positions);
    free(types);
}

static void reference(ref_model *m, const bert_case *c, const int32_t *tokens, double *out) {
    double x[CONTEXT * WIDTH], pooled[WIDTH] = {0};
    bool valid[CONTEXT];
    int count = 0;
    for (int i = 0; i < CONTEXT; i++) count += valid[i] = tokens[i] != c->pad;
    embed(m, c, tokens, valid, x);
    for (int l = 0; l < LAYERS; l++) block(m, c, l, valid, x);
    for (int i = 0; i < (c->mean ? CONTEXT : 1); i++)
        for (int j = 0; valid[i] && j < WIDTH; j++) pooled[j] += x[i * WIDTH + j] / (c->mean ? count : 1);
    if (c->pre_norm || c->alt) ref_norm(m, c->alt ? "ln_final" : "ln_encoder", pooled, 1, WIDTH, 1e-5);
    double *hidden = pooled, *weight = NULL, *bias = NULL;
    if (c->hidden) {
        weight = ref_values(m, "text_hidden.weight");
        if (c->alt) bias = ref_values(m, "text_hidden.bias");
        hidden = ref_matmul(pooled, 1, WIDTH, GAP, weight, bias, false);
        for (int j = 0; j < GAP && !c->alt; j++) hidden[j] = gelu(hidden[j]);
    }
    ref_project(m, "text_projection", hidden, c->hidden ? GAP : WIDTH, EMBED, out);
    if (c->hidden) free(hidden);
    free(weight);
    free(bias);
}

static vb_clip *open_case(ref_model *m, const bert_case *c, int threads) {
    vb_error err = {0};
    vb_clip *clip;
    const vb_clip_options options = {.family = vb_family_find(c->family),
                                     .stated = {.text.heads = HEADS, .context = CONTEXT},
                                     .threads = threads};
    assert_ok(vb_clip_open(&clip, &m->set, &options, &err));
    assert_int_equal(vb_clip_describe(clip)->context_length, CONTEXT);
    return clip;
}

static void texts_are_those_of_the_definition(void **state) {
    (void)state;
    vb_error err = {0};
    for (int k = 0; k < CASES; k++) {
        const bert_case *c = &cases[k];
        ref_model m;
        make(&m, c);
        int32_t tokens[TEXTS * CONTEXT];
        const int lengths[TEXTS] = {4, CONTEXT, 1};
        for (int i = 0; i < TEXTS * CONTEXT; i++)
            tokens[i] = i % CONTEXT < lengths[i / CONTEXT] ? 2 + (i * 7) % (TOKENS - 2) : c->pad;
        float first[TEXTS * EMBED], found[TEXTS * EMBED];
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
            vb_isa_limit((vb_isa)level);
            vb_clip *clip = open_case(&m, c, 1 + level % 2);
            assert_ok(vb_clip_encode_texts(clip, tokens, TEXTS, found, &err));
            if (level == VB_SCALAR) memcpy(first, found, sizeof first);
            assert_memory_equal(found, first, sizeof first);
            for (int i = 0; i < TEXTS; i++) { /* alone as among others */
                assert_ok(vb_clip_encode_texts(clip, tokens + i * CONTEXT, 1, found, &err));
                assert_memory_equal(found, first + i * EMBED, EMBED * sizeof *found);
            }
            vb_clip_close(clip);
        }
        vb_isa_limit(VB_VNNI);
        for (int i = 0; i < TEXTS; i++) {
            double truth[EMBED];
            reference(&m, c, tokens + i * CONTEXT, truth);
            assert_close(first + i * EMBED, truth, EMBED, 2e-5, c->family);
        }
        ref_free(&m);
    }
}

static void what_is_wrong_is_told(void **state) {
    (void)state;
    vb_error err = {0};
    ref_model m;
    make(&m, &cases[0]);
    vb_clip *clip = open_case(&m, &cases[0], 1);
    float out[EMBED];
    int32_t tokens[CONTEXT] = {2, 3, 1, 4, 1, 1, 1, 1, 1};
    assert_fails(vb_clip_encode_texts(clip, tokens, 1, out, &err), VB_EMISMATCH, "token 4 at position 3 stands behind padding");
    tokens[0] = tokens[1] = tokens[3] = 1;
    assert_fails(vb_clip_encode_texts(clip, tokens, 1, out, &err), VB_EMISMATCH, "no token before its padding (id 1)");
    vb_clip_close(clip);
    vb_clip_options options = {.family = vb_family_find("roberta"), .stated = {.text.heads = HEADS}, .threads = 1};
    options.stated.text_mask = VB_MASK_CAUSAL;
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EUNSUPPORTED, "another mask of texts than RoBERTa has");
    options.stated.text_mask = VB_MASK_PADDING;
    options.stated.text_pooling = VB_POOLING_FIRST;
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EUNSUPPORTED, "another pooling of texts than RoBERTa has");
    options.stated.text_pooling = VB_POOLING_MEAN;
    assert_ok(vb_clip_open(&clip, &m.set, &options, &err));
    assert_int_equal(vb_clip_describe(clip)->context_length, ROWS - 2); /* the family's 77 are more than there are */
    vb_clip_close(clip);
    options.stated.context = ROWS - 1;
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                 "texts of 11 tokens are told, but there are positions for 10");
    options.stated.context = 0;
    vb_tensor *tokens_of = ref_find(&m, "token_embedding.weight");
    tokens_of->shape[0] = 1; /* the padding's id is 1 */
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                 "tensors of 12 positions, 1 tokens and width 24: too few for a tower of RoBERTa");
    tokens_of->shape[0] = TOKENS;
    options.family = vb_family_find("clip");
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EUNSUPPORTED, "only towers of BERT's kind have");
    ref_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_those_of_the_definition),
                                       cmocka_unit_test(what_is_wrong_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
