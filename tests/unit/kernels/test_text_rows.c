/* Tests of which rows of a text see which, and which one is pooled, as it may be stated: against a double-precision reference. */
#include "tests/unit/clip_reference.h"

/* All that may be stated of which rows of a text see which, and which one is pooled; where texts end at a stated id, too. */
static void stated_masks_and_poolings_count(void **state) {
    (void)state;
    const ref_sizes *s = &ref_small_vit;
    enum { TEXTS = 3, CONTEXT = 11, END = 7 };
    static const struct {
        vb_text_mask mask;
        vb_text_pooling pooling;
    } cases[] = {{VB_MASK_CAUSAL, VB_POOLING_END},
                 {VB_MASK_CAUSAL, VB_POOLING_LAST},
                 {VB_MASK_NONE, VB_POOLING_END},
                 {VB_MASK_NONE, VB_POOLING_LAST},
                 {VB_MASK_NONE, VB_POOLING_FIRST}};
    vb_error err = {0};
    ref_model m;
    ref_make_typed(&m, s, VB_F32, VB_F32, VB_F32, false);
    static const int ends[TEXTS] = {1, 6, CONTEXT - 1};
    int32_t tokens[TEXTS * CONTEXT];
    assert_int_equal(s->context, CONTEXT);
    for (int i = 0; i < TEXTS * CONTEXT; i++) {
        const int from = i % CONTEXT - ends[i / CONTEXT];
        tokens[i] = from && from != 2 ? END + 1 + i : END; /* the first one counts */
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const vb_clip_options options = {.family = vb_family_find("clip"),
                                         .stated = {.text_mask = cases[i].mask,
                                                    .text_pooling = cases[i].pooling,
                                                    .end_token = END},
                                         .threads = 1};
        vb_clip *clip;
        float out[TEXTS * 64];
        double expected[64];
        assert_ok(vb_clip_open(&clip, &m.set, &options, &err));
        assert_ok(vb_clip_encode_texts(clip, tokens, TEXTS, out, &err));
        const int heads = vb_clip_describe(clip)->text_heads, w = s->text_width;
        const ref_ctx c = {&m, s, heads, -1};
        for (int t = 0; t < TEXTS; t++) {
            double *rows = ref_token_rows(&c, tokens + t * CONTEXT), *positions = ref_values(&m, "positional_embedding");
            for (int k = 0; k < CONTEXT * w; k++) rows[k] += positions[k];
            ref_blocks(&m, "transformer", rows, CONTEXT, w, heads, s->text_layers, s->text_hidden,
                       cases[i].mask == VB_MASK_CAUSAL, false, 1e-5);
            ref_norm(&m, "ln_final", rows, CONTEXT, w, 1e-5);
            const int pooled = cases[i].pooling == VB_POOLING_END  ? ends[t] :
                               cases[i].pooling == VB_POOLING_LAST ? CONTEXT - 1 :
                                                                     0;
            ref_project(&m, "text_projection", rows + pooled * w, w, s->embed, expected);
            assert_close(out + t * s->embed, expected, s->embed, 2e-6, vb_family_text_poolings[cases[i].pooling]);
            free(rows);
            free(positions);
        }
        vb_clip_close(clip);
    }
    ref_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(stated_masks_and_poolings_count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
