/* Tests of attention: against loops in double, and bit for bit against loops in float, at each level, thread count, batch. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/matrix/attention.h"
#include "kernels/matrix/attention_reference.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"

static uint32_t noise_state = 1;
static float noise_float(void) { return random_short_float(&noise_state); }

/* Sequences of these lengths, keys and queries; queries, keys and values side by side in one row where their numbers agree. */
typedef struct trial {
    const char *name;
    int64_t lengths[6], queries[6];
    int64_t sequences;
    int heads, head_dim;
    bool causal, hides;
} trial;

static const trial trials[] = {
    {"images", {50, 50, 50}, {50, 50, 50}, 3, 3, 64, false, false},
    {"texts", {7, 77, 1, 16, 0, 33}, {7, 77, 1, 16, 0, 33}, 6, 2, 64, true, false},
    {"long", {300, 258}, {300, 258}, 2, 1, 40, false, false},
    {"long causal", {300}, {300}, 1, 2, 17, true, false},
    {"wide heads", {20, 9}, {20, 9}, 2, 2, 300, true, false},
    {"pool", {50, 17, 90}, {1, 1, 1}, 3, 4, 64, false, false},
    {"few queries", {50, 17}, {5, 14}, 2, 2, 33, true, false},
    {"more queries than keys", {5, 2}, {20, 13}, 2, 1, 8, true, false},
    {"more queries than keys, all seeing", {5, 0}, {20, 3}, 2, 1, 8, false, false},
    {"hidden keys", {50, 17, 33}, {50, 17, 33}, 3, 2, 64, true, true},
    {"hidden keys of a pool", {90, 9}, {1, 1}, 2, 1, 40, false, true},
};

typedef struct data {
    float *query, *key_value;
    uint8_t *hidden; /* every third key but a sequence's first */
    int64_t offsets[7], query_offsets[7];
    int64_t width, rows, query_rows;
    vb_attention_batch batch;
} data;

static void open_data(data *d, const trial *t) {
    vb_error err = {0};
    d->width = (int64_t)t->heads * t->head_dim;
    d->offsets[0] = d->query_offsets[0] = 0;
    for (int64_t s = 0; s < t->sequences; s++) {
        d->offsets[s + 1] = d->offsets[s] + t->lengths[s];
        d->query_offsets[s + 1] = d->query_offsets[s] + t->queries[s];
    }
    d->rows = d->offsets[t->sequences], d->query_rows = d->query_offsets[t->sequences];
    d->query = vb_array((size_t)(d->query_rows * (d->width + 3)), 4, "queries", &err);
    d->key_value = vb_array((size_t)(d->rows * d->width * 2), 4, "keys and values", &err);
    d->hidden = vb_array((size_t)d->rows + 1, 1, "marks", &err);
    assert_true(d->query && d->key_value && d->hidden);
    for (int64_t q = 0; q < t->sequences; q++)
        for (int64_t i = 1; i < t->lengths[q]; i++) d->hidden[d->offsets[q] + i] = t->hides && i % 3 == 1;
    for (int64_t i = 0; i < d->query_rows * (d->width + 3); i++) d->query[i] = noise_float();
    for (int64_t i = 0; i < d->rows * d->width * 2; i++) d->key_value[i] = noise_float();
    d->batch = (vb_attention_batch){d->query,
                                    d->key_value,
                                    d->key_value + d->width,
                                    d->width + 3,
                                    2 * d->width,
                                    2 * d->width,
                                    t->sequences,
                                    d->offsets,
                                    d->query_offsets,
                                    NULL,
                                    t->heads,
                                    t->head_dim,
                                    t->causal,
                                    t->hides ? d->hidden : NULL,
                                    1 / sqrtf((float)t->head_dim),
                                    NULL};
}

static void close_data(data *d) { vb_free(d->query), vb_free(d->key_value), vb_free(d->hidden); }

/* One output row of one head, and in *size the sum of the values' magnitudes under the same weights. */
static void truth(const data *d, const trial *t, int64_t s, int64_t query, int head, double *out, double *size) {
    int64_t keys = t->lengths[s], seen = t->causal ? keys - (t->queries[s] - 1 - query) : keys;
    const float *q = d->query + (d->query_offsets[s] + query) * d->batch.ld_query + head * t->head_dim;
    double scores[512], most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < seen; j++) {
        const float *k = d->batch.key + (d->offsets[s] + j) * d->batch.ld_key + head * t->head_dim;
        scores[j] = 0;
        for (int c = 0; c < t->head_dim; c++) scores[j] += (double)q[c] * (double)k[c];
        scores[j] *= (double)d->batch.scale;
        if (d->batch.hidden && d->batch.hidden[d->offsets[s] + j]) scores[j] = -INFINITY;
        most = fmax(most, scores[j]);
    }
    for (int64_t j = 0; j < seen; j++) sum += scores[j] = exp(scores[j] - most);
    for (int c = 0; c < t->head_dim; c++) {
        out[c] = size[c] = 0;
        for (int64_t j = 0; j < seen; j++) {
            double v = (double)d->batch.value[(d->offsets[s] + j) * d->batch.ld_value + head * t->head_dim + c];
            out[c] += scores[j] / sum * v;
            size[c] += scores[j] / sum * fabs(v);
        }
    }
}

static void attention_follows_its_definition(void **state) {
    (void)state;
    vb_error err = {0};
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        const trial *t = trials + i;
        data d;
        open_data(&d, t);
        int64_t ld = d.width + 1, count = d.query_rows * ld;
        float *out = vb_array((size_t)count, 4, "out", &err), *first = vb_array((size_t)count, 4, "out", &err);
        assert_true(out && first);
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 3; threads++) {
                vb_isa_limit((vb_isa)level);
                for (int64_t j = 0; j < count; j++) out[j] = 77;
                assert_ok(vb_attention(&d.batch, out, ld, threads, &err));
                if (level == VB_SCALAR && threads == 1) {
                    memcpy(first, out, (size_t)count * 4);
                    assert_ok(vb_attention_reference(&d.batch, out, ld, &err));
                }
                if (memcmp(first, out, (size_t)count * 4))
                    fail_msg("%s: other bits at %s, %d threads", t->name, vb_isa_name((vb_isa)level), threads);
            }
        for (int64_t s = 0; s < t->sequences; s++)
            for (int64_t q = 0; q < t->queries[s]; q++) {
                const float *row = first + (d.query_offsets[s] + q) * ld;
                assert_true(row[d.width] == 77);
                for (int head = 0; head < t->heads; head++) {
                    double expected[512], size[512];
                    truth(&d, t, s, q, head, expected, size);
                    for (int c = 0; c < t->head_dim; c++) {
                        double x = (double)row[head * t->head_dim + c];
                        if (!(fabs(x - expected[c]) <= 1e-5 * size[c]))
                            fail_msg("%s: sequence %d, query %d, head %d, entry %d: %.9g instead of %.9g", t->name, (int)s,
                                     (int)q, head, c, x, expected[c]);
                    }
                }
            }
        vb_free(out), vb_free(first);
        close_data(&d);
    }
    vb_isa_limit(VB_VNNI);
}

/* Scales that let weights fall through the subnormal numbers to zero: the loops' bits at every level. */
static void small_weights_have_the_same_bits(void **state) {
    (void)state;
    vb_error err = {0};
    static const float scales[] = {0.5f, 2, 3, 5, 40};
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        data d;
        open_data(&d, trials + i);
        const size_t count = (size_t)(d.query_rows * d.width);
        float *out = vb_array(count, 4, "out", &err), *expected = vb_array(count, 4, "out", &err);
        assert_true(out && expected);
        for (size_t c = 0; c < sizeof scales / sizeof *scales; c++) {
            d.batch.scale = scales[c];
            assert_ok(vb_attention_reference(&d.batch, expected, d.width, &err));
            for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
                vb_isa_limit((vb_isa)level);
                assert_ok(vb_attention(&d.batch, out, d.width, 1, &err));
                if (memcmp(out, expected, count * 4))
                    fail_msg("%s, scale %g: other bits at %s", trials[i].name, (double)scales[c], vb_isa_name((vb_isa)level));
            }
        }
        vb_free(out), vb_free(expected);
        close_data(&d);
    }
    vb_isa_limit(VB_VNNI);
}

static void sequences_do_not_know_their_batch(void **state) {
    (void)state;
    vb_error err = {0};
    for (size_t i = 0; i < 2; i++) {
        const trial *t = trials + i;
        data d;
        open_data(&d, t);
        float *all = vb_array((size_t)(d.query_rows * d.width), 4, "out", &err);
        float *one = vb_array((size_t)(d.query_rows * d.width), 4, "out", &err);
        assert_true(all && one);
        assert_ok(vb_attention(&d.batch, all, d.width, 2, &err));
        for (int64_t s = 0; s < t->sequences; s++) {
            vb_attention_batch alone = d.batch;
            alone.sequences = 1;
            alone.offsets = d.offsets + s;
            alone.query_offsets = t->lengths[s] == t->queries[s] ? NULL : d.query_offsets + s; /* NULL: the keys' own offsets */
            assert_ok(vb_attention(&alone, one, d.width, 1, &err));
        }
        assert_memory_equal(all, one, (size_t)(d.query_rows * d.width) * 4);
        vb_free(all), vb_free(one);
        close_data(&d);
    }
}

/* A causal row does not change when the sequence ends earlier: texts are computed up to their end token only. */
static void causal_rows_do_not_know_what_follows(void **state) {
    (void)state;
    vb_error err = {0};
    static const trial t = {"text", {77}, {77}, 1, 2, 64, true, false};
    data d;
    open_data(&d, &t);
    float *all = vb_array(77 * 128, 4, "out", &err), *some = vb_array(77 * 128, 4, "out", &err);
    assert_true(all && some);
    assert_ok(vb_attention(&d.batch, all, 128, 1, &err));
    for (int64_t length = 1; length <= 77; length += 5) {
        int64_t offsets[] = {0, length};
        vb_attention_batch shorter = d.batch;
        shorter.offsets = shorter.query_offsets = offsets;
        assert_ok(vb_attention(&shorter, some, 128, 1, &err));
        assert_memory_equal(all, some, (size_t)length * 128 * 4);
    }
    vb_free(all), vb_free(some);
    close_data(&d);
}

/* Sequences that share rows, in any order, give what copies of these rows give. */
static void keys_may_be_gathered(void **state) {
    (void)state;
    enum { ROWS = 40, WIDTH = 2 * 24 };
    vb_error err = {0};
    static const int64_t lengths[] = {31, 1, 17, 40}, queries[] = {5, 1, 17, 3};
    float *all = vb_array(ROWS * 2 * WIDTH, 4, "rows", &err), *copies = vb_array(89 * 2 * WIDTH, 4, "rows", &err);
    float *query = vb_array(26 * WIDTH, 4, "queries", &err), *out = vb_array(2 * 26 * WIDTH, 4, "out", &err);
    assert_true(all && copies && query && out);
    int64_t rows[89], offsets[5] = {0}, query_offsets[5] = {0};
    for (int i = 0; i < ROWS * 2 * WIDTH; i++) all[i] = noise_float();
    for (int i = 0; i < 26 * WIDTH; i++) query[i] = noise_float();
    for (int s = 0; s < 4; s++) {
        offsets[s + 1] = offsets[s] + lengths[s];
        query_offsets[s + 1] = query_offsets[s] + queries[s];
        for (int64_t j = 0; j < lengths[s]; j++) rows[offsets[s] + j] = (j * 7 + s) % ROWS;
    }
    for (int i = 0; i < 89; i++) memcpy(copies + i * 2 * WIDTH, all + rows[i] * 2 * WIDTH, 2 * WIDTH * 4);
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
        for (int causal = 0; causal < 2; causal++) {
            vb_isa_limit((vb_isa)level);
            vb_attention_batch batch = {query,  copies,  copies + WIDTH, WIDTH, 2 * WIDTH, 2 * WIDTH,
                                        4,      offsets, query_offsets,  NULL,  2,         24,
                                        causal, NULL,    0.2f,           NULL};
            assert_ok(vb_attention(&batch, out, WIDTH, 2, &err));
            batch.key = all, batch.value = all + WIDTH, batch.rows = rows;
            assert_ok(vb_attention(&batch, out + 26 * WIDTH, WIDTH, 2, &err));
            assert_memory_equal(out, out + 26 * WIDTH, 26 * WIDTH * 4);
            assert_ok(vb_attention_reference(&batch, out, WIDTH, &err));
            assert_memory_equal(out, out + 26 * WIDTH, 26 * WIDTH * 4);
        }
    vb_isa_limit(VB_VNNI);
    vb_free(all), vb_free(copies), vb_free(query), vb_free(out);
}

/* What a row does not see leaves no trace in it: neither an infinity nor, where a sum underflows to -0, a sign. */
static void unseen_values_leave_no_trace(void **state) {
    (void)state;
    vb_error err = {0};
    static const trial t = {"text", {30}, {30}, 1, 1, 16, true, false};
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        data d;
        open_data(&d, &t);
        float out[30 * 16];
        float *value = d.key_value + d.width;
        memset(d.query, 0, (size_t)(d.query_rows * d.batch.ld_query) * sizeof *d.query); /* equal weights */
        for (int i = 0; i < 30; i++) value[i * 2 * d.width] = i < 20 ? -0x1p-149f : i == 20 ? 1 : INFINITY;
        assert_ok(vb_attention(&d.batch, out, 16, 1, &err));
        for (int i = 5; i < 20; i++) assert_true(out[i * 16] == 0 && signbit(out[i * 16]));
        assert_true(out[20 * 16] > 0 && out[20 * 16] < 1 && isinf(out[29 * 16]));
        close_data(&d);
    }
    vb_isa_limit(VB_VNNI);
}

static void broken_values_reach_the_output(void **state) {
    (void)state;
    vb_error err = {0};
    static const trial t = {"image", {30}, {30}, 1, 1, 16, false, false};
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        data d;
        open_data(&d, &t);
        float out[30 * 16];
        d.query[4 * d.batch.ld_query] = NAN;
        assert_ok(vb_attention(&d.batch, out, 16, 1, &err));
        for (int i = 0; i < 30; i++)
            for (int c = 0; c < 16; c++) assert_int_equal(isnan(out[i * 16 + c]) != 0, i == 4);
        close_data(&d);
    }
    vb_isa_limit(VB_VNNI);
}

static void nothing_to_do_and_no_memory(void **state) {
    (void)state;
    vb_error err = {0};
    data d;
    open_data(&d, trials);
    float out[1];
    vb_attention_batch none = d.batch;
    none.sequences = 0;
    assert_ok(vb_attention(&none, out, 1, 2, &err));
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_attention(&d.batch, out, 1, 2, &err), VB_EMEMORY, "attention");
    vb_fault_setup(NULL, 0);
    close_data(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(attention_follows_its_definition),
                                       cmocka_unit_test(small_weights_have_the_same_bits),
                                       cmocka_unit_test(sequences_do_not_know_their_batch),
                                       cmocka_unit_test(causal_rows_do_not_know_what_follows),
                                       cmocka_unit_test(keys_may_be_gathered),
                                       cmocka_unit_test(unseen_values_leave_no_trace),
                                       cmocka_unit_test(broken_values_reach_the_output),
                                       cmocka_unit_test(nothing_to_do_and_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
