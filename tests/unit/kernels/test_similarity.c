/* Tests of the verdicts on images: against integers, on ties, near ties and extreme scales. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"
#include "kernels/openness/similarity.h"

#define BLOCK(images_, rows_, labels_) (&(vb_image_block){.rows = rows_, .images = images_, .labels = labels_})

static uint64_t random_state;

static uint32_t random_bits(void) { return (uint32_t)(random_next64(&random_state) >> 40); } /* 24 bits */

static int random_int(int low, int high) { return low + (int)(random_bits() % (uint32_t)(high - low + 1)); }
static float random_float(void) { return random_unit_float(&random_state); }

/* ---- verdicts against a comparison of classes that the test makes itself ------------------------------------------------ */

enum { CLASSES = 12, VOCABULARIES = 4, DIM = 48 };
/* class 3 is in two vocabularies, 10 in three, 7 in none */
static const int offsets[] = {0, 4, 7, 12, 14}, members[] = {0, 1, 2, 3, 10, 4, 5, 9, 8, 3, 6, 10, 10, 11};
static const vb_label_space space = {CLASSES, VOCABULARIES, offsets, members, NULL, false};

typedef int class_order(const void *context, int c, int d); /* sign of s(c) - s(d) */

static int ranked_first(const int *list, int count, class_order *order, const void *context) {
    int best = list[0];
    for (int i = 1; i < count; i++) {
        int sign = order(context, list[i], best);
        if (sign > 0 || (sign == 0 && list[i] < best)) best = list[i];
    }
    return best;
}

/* Some classes are equivalents of others, of their own vocabulary and of another. */
static const int equivalence[] = {0, 1, 2, 3, 1, 5, 3, 7, 8, 9, 1, 11};
static const vb_label_space related = {CLASSES, VOCABULARIES, offsets, members, equivalence, false};

/* The list less the equivalents of y. */
static int rivals(int *out, const int *list, int count, int y, const vb_label_space *of) {
    int n = 0;
    for (int i = 0; i < count; i++)
        if (list[i] == y || !of->equivalence || of->equivalence[list[i]] != of->equivalence[y]) out[n++] = list[i];
    return n;
}

static void expect(const uint8_t *beaten, const vb_verdict *verdict, int y, const vb_label_space *of, class_order *order,
                   const void *context) {
    static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, own_vocabulary_of[] = {0, 0, 0, 0, 1, 1, 2, -1, 2, 2, 1, 3};
    int list[CLASSES], n;
    for (int v = 0; v < VOCABULARIES; v++) {
        int beats = 0;
        n = rivals(list, members + offsets[v], offsets[v + 1] - offsets[v], y, of);
        for (int i = 0; i < n; i++) {
            int c = list[i], sign = c == y ? -1 : order(context, c, y);
            if (sign > 0 || (sign == 0 && c < y)) beats = 1;
        }
        assert_int_equal(beaten[v], beats);
    }
    assert_int_equal(verdict->label, y);
    n = rivals(list, all, CLASSES, y, of);
    assert_int_equal(verdict->predicted_all, ranked_first(list, n, order, context));
    int own_vocabulary = own_vocabulary_of[y];
    n = own_vocabulary < 0 ?
            0 :
            rivals(list, members + offsets[own_vocabulary], offsets[own_vocabulary + 1] - offsets[own_vocabulary], y, of);
    assert_int_equal(verdict->predicted_own, n ? ranked_first(list, n, order, context) : -1);
}

/* Whether a class of a vocabulary, y and its equivalents aside, is neither before nor behind y. */
static bool is_tied(int y, const vb_label_space *of, class_order *order, const void *context) {
    for (int i = 0; i < offsets[VOCABULARIES]; i++)
        if (!vb_label_space_same(of->equivalence, members[i], y) && !order(context, members[i], y)) return true;
    return false;
}

typedef struct integer_case {
    vb_similarity similarity;
    int64_t dot[CLASSES], square[CLASSES];
} integer_case;

static int integer_order(const void *context, int c, int d) {
    const integer_case *f = context;
    if (f->similarity == VB_DOT) return (f->dot[c] > f->dot[d]) - (f->dot[c] < f->dot[d]);
    __int128 a = (__int128)f->dot[c] * f->dot[c] * f->square[d], b = (__int128)f->dot[d] * f->dot[d] * f->square[c];
    if (f->dot[c] < 0) a = -a;
    if (f->dot[d] < 0) b = -b;
    return (a > b) - (a < b);
}

/* Small integers, so that 128 bits decide; power of two scales per image, and per text for cosines, from subnormal to huge. */
static void integers_are_judged_right(void **state) {
    (void)state;
    vb_error err = {0};
    static const int scales[] = {0, 0, -149, -100, -60, 61, 80, 115};
    enum { ROWS = 24 };
    random_state = 1;
    int ties = 0, wrong = 0;
    for (int round = 0; round < 400; round++) {
        integer_case f = {.similarity = round % 2 ? VB_DOT : VB_COSINE};
        int dim = random_int(1, DIM), range = round % 3 == 0 ? 1 : round % 3 == 1 ? 3 : 2047, scaled = round % 5 == 0;
        int text[CLASSES][DIM], image[DIM];
        float texts[CLASSES * DIM], images[ROWS * DIM];
        int dots_scale = scaled ? scales[random_int(0, 7)] : 0;
        for (int c = 0; c < CLASSES; c++) {
            for (int k = 0; k < dim; k++) text[c][k] = random_int(-range, range);
            if (c && random_int(0, 3) == 0) { /* a multiple of an earlier row */
                int d = random_int(0, c - 1), factor = random_int(1, 3);
                for (int k = 0; k < dim; k++) text[c][k] = abs(factor * text[d][k]) > 4095 ? text[d][k] : factor * text[d][k];
            }
            text[c][random_int(0, dim - 1)] |= 1; /* not zero */
            int scale = f.similarity == VB_DOT ? dots_scale : scaled ? scales[random_int(0, 7)] : 0;
            f.square[c] = 0;
            for (int k = 0; k < dim; k++) {
                texts[c * dim + k] = ldexpf((float)text[c][k], scale);
                f.square[c] += text[c][k] * text[c][k];
            }
        }
        int labels[ROWS], picture[ROWS][DIM];
        for (int x = 0; x < ROWS; x++) {
            int scale = scaled ? scales[random_int(0, 7)] : 0;
            for (int k = 0; k < dim; k++) image[k] = random_int(-range, range);
            image[random_int(0, dim - 1)] |= 1;
            memcpy(picture[x], image, sizeof image);
            labels[x] = random_int(0, CLASSES - 1);
            for (int k = 0; k < dim; k++) images[x * dim + k] = ldexpf((float)image[k], scale);
        }
        vb_text_bank *bank;
        uint8_t beaten[ROWS * VOCABULARIES], tied[ROWS];
        vb_verdict verdicts[ROWS];
        assert_ok(vb_similarity_bank_new(&bank, texts, CLASSES, dim, f.similarity, &err));
        const vb_label_space *of = round % 7 < 2 ? &related : &space;
        const vb_image_block block = {.rows = ROWS, .images = images, .labels = labels, .tied = tied};
        assert_ok(vb_similarity_judge(bank, of, &block, beaten, verdicts, 1, &err));
        vb_similarity_bank_free(bank);
        for (int x = 0; x < ROWS; x++) {
            int64_t length = 0;
            for (int k = 0; k < dim; k++) length += picture[x][k] * picture[x][k];
            for (int c = 0; c < CLASSES; c++) {
                f.dot[c] = 0;
                for (int k = 0; k < dim; k++) f.dot[c] += picture[x][k] * text[c][k];
            }
            int y = labels[x];
            expect(beaten + x * VOCABULARIES, &verdicts[x], y, of, integer_order, &f);
            double similarity[CLASSES], best = -INFINITY;
            for (int c = 0; c < CLASSES; c++) {
                double scale = f.similarity == VB_COSINE ? 1 / sqrt((double)f.square[c]) : ldexp(1, dots_scale);
                similarity[c] = (double)f.dot[c] / sqrt((double)length) * scale;
                if (c != y && similarity[c] > best && !(of->equivalence && equivalence[c] == equivalence[y]))
                    best = similarity[c];
            }
            assert_int_equal(tied[x], is_tied(y, of, integer_order, &f));
            ties += tied[x];
            double unit = 1e-13 * (f.similarity == VB_COSINE ? 1 : ldexp(DIM * 4095.0, dots_scale));
            assert_true(fabs(verdicts[x].similarity - similarity[y]) <= unit);
            assert_true(fabs(verdicts[x].margin - (similarity[y] - best)) <= 2 * unit);
            wrong += verdicts[x].predicted_all != y;
        }
    }
    assert_true(ties > 1000);
    assert_true(wrong > 1000);
}

/* Texts that are one another with two coordinates exchanged: equal norms, and s(c) - s(0) has the sign of a product known
 * exactly, however far below the resolution of fp32 and fp64 it lies. */
static int double_order(const void *context, int c, int d) {
    const double *value = context;
    return (value[c] > value[d]) - (value[c] < value[d]);
}

static void exchanged_coordinates_decide(void **state) {
    (void)state;
    vb_error err = {0};
    random_state = 2;
    for (int round = 0; round < 300; round++) {
        vb_similarity similarity = round % 2 ? VB_DOT : VB_COSINE;
        float texts[CLASSES * DIM], x[DIM], t[DIM];
        double value[CLASSES] = {0};
        for (int k = 0; k < DIM; k++) t[k] = random_float();
        int depth = round % 3 ? 0 : -140; /* a subnormal image: its products with short texts underflow in part */
        for (int k = 0; k < DIM; k++) x[k] = ldexpf(random_float(), depth);
        for (int c = 0; c < CLASSES; c++) {
            float *row = texts + c * DIM;
            memcpy(row, t, sizeof t);
            if (!c) continue;
            int tiny = depth ? depth : random_int(-140, -1);
            x[2 * c] = ldexpf(random_float(), tiny); /* rounded where subnormal: still what is stored */
            int near = random_int(0, 3);
            x[2 * c + 1] = near <= 1 ? x[2 * c] : near == 2 ? nextafterf(x[2 * c], 1) : ldexpf(random_float(), tiny);
            row[2 * c] = t[2 * c + 1];
            row[2 * c + 1] = t[2 * c];
            value[c] = ((double)x[2 * c] - x[2 * c + 1]) * ((double)t[2 * c + 1] - t[2 * c]);
            if (similarity == VB_COSINE) { /* a power of two changes no cosine */
                float scale = ldexpf(1, random_int(-12, 3));
                for (int k = 0; k < DIM; k++) row[k] *= scale;
            }
        }
        vb_text_bank *bank;
        assert_ok(vb_similarity_bank_new(&bank, texts, CLASSES, DIM, similarity, &err));
        for (int y = 0; y < CLASSES; y++) {
            uint8_t beaten[VOCABULARIES];
            vb_verdict verdict;
            assert_ok(vb_similarity_judge(bank, &space, BLOCK(x, 1, &y), beaten, &verdict, 1, &err));
            expect(beaten, &verdict, y, &space, double_order, value);
        }
        vb_similarity_bank_free(bank);
    }
}

/* Images of ever larger scale keep their verdicts, in fp32's range and at its ends; one ulp in one coordinate decides. */
static void one_ulp_decides(void **state) {
    (void)state;
    vb_error err = {0};
    random_state = 3;
    static const int pair_offsets[] = {0, 1, 2}, pair_members[] = {0, 1};
    const vb_label_space pair = {2, 2, pair_offsets, pair_members, NULL, false};
    for (int round = 0; round < 200; round++) {
        float texts[2 * 512], x[512];
        for (int k = 0; k < 512; k++) texts[k] = texts[512 + k] = random_float();
        for (int k = 0; k < 512; k++) x[k] = random_float();
        int k = random_int(0, 511);
        texts[512 + k] = nextafterf(texts[512 + k], random_int(0, 1) ? 2 : -2);
        int order = ((double)texts[512 + k] - texts[k]) * x[k] > 0 ? 1 : x[k] == 0 ? 0 : -1; /* of class 1 against class 0 */
        vb_text_bank *bank;
        assert_ok(vb_similarity_bank_new(&bank, texts, 2, 512, VB_DOT, &err));
        for (int scale = -120; scale <= 120; scale += 60) {
            float scaled[512];
            for (int i = 0; i < 512; i++) scaled[i] = ldexpf(x[i], scale);
            for (int y = 0; y < 2; y++) {
                uint8_t beaten[2];
                vb_verdict verdict;
                assert_ok(vb_similarity_judge(bank, &pair, BLOCK(scaled, 1, &y), beaten, &verdict, 1, &err));
                assert_int_equal(verdict.predicted_all, order > 0);
                assert_int_equal(beaten[y], 0);
                assert_int_equal(beaten[!y], (order > 0) != y);
            }
        }
        vb_similarity_bank_free(bank);
    }
}

static void equal_texts_go_to_the_lowest_index(void **state) {
    (void)state;
    vb_error err = {0};
    float texts[CLASSES * 3], x[3] = {0.3f, -0.7f, 0.1f};
    for (int c = 0; c < CLASSES; c++) { /* a text, its twin, its multiples */
        texts[c * 3] = 0.1f;
        texts[c * 3 + 1] = -0.2f;
        texts[c * 3 + 2] = c == 5 ? -0.0f : 0.0f;
        for (int k = 0; c % 3 == 2 && k < 3; k++) texts[c * 3 + k] *= 4;
    }
    vb_text_bank *bank;
    assert_ok(vb_similarity_bank_new(&bank, texts, CLASSES, 3, VB_COSINE, &err));
    for (int y = 0; y < CLASSES; y++) {
        uint8_t beaten[VOCABULARIES];
        vb_verdict verdict;
        assert_ok(vb_similarity_judge(bank, &space, BLOCK(x, 1, &y), beaten, &verdict, 1, &err));
        assert_int_equal(verdict.predicted_all, 0);
        assert_true(fabs(verdict.margin) < 1e-15);
        for (int v = 0; v < VOCABULARIES; v++) {
            int lowest = CLASSES;
            for (int i = offsets[v]; i < offsets[v + 1]; i++)
                if (members[i] < lowest) lowest = members[i];
            assert_int_equal(beaten[v], lowest < y);
        }
    }
    vb_similarity_bank_free(bank);
}

static void blocks_threads_and_levels_change_nothing(void **state) {
    (void)state;
    vb_error err = {0};
    enum { ROWS = 4100, WIDTH = 20 }; /* more rows than one block */
    random_state = 4;
    float *images = vb_array(ROWS * WIDTH, sizeof(float), "images", &err), texts[CLASSES * WIDTH];
    int *labels = vb_array(ROWS, sizeof(int), "labels", &err);
    uint8_t *first = vb_array(ROWS, VOCABULARIES, "beaten", &err), *again = vb_array(ROWS, VOCABULARIES, "beaten", &err);
    vb_verdict *verdict = vb_array(ROWS, sizeof *verdict, "verdicts", &err);
    vb_verdict *repeated = vb_array(ROWS, sizeof *verdict, "verdicts", &err);
    assert_true(images && labels && first && again && verdict && repeated);
    for (int i = 0; i < ROWS * WIDTH; i++) images[i] = random_float();
    for (int i = 0; i < CLASSES * WIDTH; i++) texts[i] = random_float();
    for (int i = 0; i < ROWS; i++) labels[i] = random_int(0, CLASSES - 1);
    vb_text_bank *bank;
    assert_ok(vb_similarity_bank_new(&bank, texts, CLASSES, WIDTH, VB_COSINE, &err));
    assert_ok(vb_similarity_judge(bank, &space, BLOCK(images, ROWS, labels), first, verdict, 1, &err));
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        for (int threads = 1; threads <= 3; threads++) {
            memset(again, 9, ROWS * VOCABULARIES);
            memset(repeated, 9, ROWS * sizeof *verdict);
            int step = threads == 1 ? ROWS : threads == 2 ? 7 : 1111;
            for (int i = 0; i < ROWS; i += step) {
                int rows = ROWS - i < step ? ROWS - i : step;
                assert_ok(vb_similarity_judge(bank, &space, BLOCK(images + i * WIDTH, rows, labels + i), again + i * VOCABULARIES,
                                              repeated + i, threads, &err));
            }
            assert_memory_equal(first, again, ROWS * VOCABULARIES);
            for (int i = 0; i < ROWS; i++) {
                assert_int_equal(verdict[i].label, repeated[i].label);
                assert_int_equal(verdict[i].predicted_all, repeated[i].predicted_all);
                assert_int_equal(verdict[i].predicted_own, repeated[i].predicted_own);
                assert_true(verdict[i].similarity == repeated[i].similarity && verdict[i].margin == repeated[i].margin);
            }
        }
    }
    vb_isa_limit(VB_ISA_LEVELS - 1);
    assert_ok(vb_similarity_judge(bank, &space, BLOCK(images, ROWS, labels), again, NULL, 2, &err));
    assert_memory_equal(first, again, ROWS * VOCABULARIES);
    assert_ok(vb_similarity_judge(bank, &space, BLOCK(NULL, 0, NULL), NULL, NULL, 2, &err));
    vb_similarity_bank_free(bank);
    vb_free(images);
    vb_free(labels);
    vb_free(first);
    vb_free(again);
    vb_free(verdict);
    vb_free(repeated);
}

/* The classes in two parts, every third and the others; products in fp32 summed from the end, or in pairs. */
static void parts_are_judged_as_the_whole(void **state) {
    (void)state;
    enum { ROWS = 300, WIDTH = 6 };
    vb_error err = {0};
    static float images[ROWS * WIDTH], own[ROWS * WIDTH], texts[CLASSES * WIDTH], some[CLASSES * WIDTH], products[CLASSES * ROWS];
    static uint8_t whole[ROWS * VOCABULARIES], joined[ROWS * VOCABULARIES], tied[ROWS], tied_joined[ROWS];
    int labels[ROWS], ids[CLASSES];
    int64_t rescored = 0;
    vb_memberships both[2]; /* every class a thing of its own, or not */
    random_state = 77;
    assert_ok(vb_label_space_memberships_new(&both[0], &space, &err));
    assert_ok(vb_label_space_memberships_new(&both[1], &related, &err));
    for (int round = 0; round < 60; round++) {
        vb_similarity similarity = round % 2 ? VB_DOT : VB_COSINE;
        const bool relations = round / 2 % 2;
        /* Small integers tie often; floats a bit or two apart; norms beyond what the fp32 product is trusted with. */
        float scale = round % 5 == 4 ? 0x1p62f : round % 5 == 3 ? 0x1p-70f : 1;
        for (int i = 0; i < ROWS * WIDTH; i++) images[i] = round % 3 ? (float)random_int(-3, 3) : random_float();
        for (int i = 0; i < CLASSES * WIDTH; i++) texts[i] = (round % 3 ? (float)random_int(-2, 2) : random_float()) * scale;
        for (int c = 0; c < CLASSES; c++) texts[c * WIDTH] = scale * (1 + (float)(c % 2));
        for (int k = 0; k < WIDTH; k++) texts[5 * WIDTH + k] = texts[9 * WIDTH + k] = texts[k];
        texts[9 * WIDTH + 1] = nextafterf(texts[9 * WIDTH + 1], 9);
        for (int i = 0; i < ROWS; i++) {
            images[i * WIDTH] += 4;
            labels[i] = random_int(0, CLASSES - 1);
            memcpy(own + i * WIDTH, texts + labels[i] * WIDTH, WIDTH * sizeof(float));
        }
        vb_text_bank *bank;
        assert_ok(vb_similarity_bank_new(&bank, texts, CLASSES, WIDTH, similarity, &err));
        const vb_image_block all = {.rows = ROWS, .images = images, .labels = labels, .tied = tied};
        assert_ok(vb_similarity_judge(bank, relations ? &related : &space, &all, whole, NULL, 1, &err));
        vb_similarity_bank_free(bank);
        memset(joined, 0, sizeof joined);
        memset(tied_joined, 0, sizeof tied_joined);
        int absent = labels[7];
        labels[7] = -1; /* a place without an image */
        for (int part = 0; part < 2; part++) {
            int n = 0;
            for (int c = 0; c < CLASSES; c++)
                if ((c % 3 == 0) == part) {
                    memcpy(some + n * WIDTH, texts + c * WIDTH, WIDTH * sizeof(float));
                    ids[n++] = c;
                }
            for (int c = 0; c < n; c++)
                for (int i = 0; i < ROWS; i++) {
                    float term[WIDTH], sum = 0;
                    for (int k = 0; k < WIDTH; k++) term[k] = images[i * WIDTH + k] * some[c * WIDTH + k];
                    for (int k = WIDTH - 1; k >= 0; k--) sum += term[k];
                    products[c * ROWS + i] =
                        round % 4 < 2 ? sum : (term[0] + term[3]) + (term[1] + term[5]) + (term[2] + term[4]);
                }
            vb_image_block block = {.rows = ROWS, .images = images, .labels = labels, .texts = own, .tied = tied_joined};
            assert_ok(vb_similarity_bank_part(&bank, some, ids, n, WIDTH, similarity, &err));
            assert_ok(vb_similarity_judge_part(bank, &both[relations], &block, products, joined, &rescored, 1 + round % 3, &err));
            vb_similarity_bank_free(bank);
        }
        for (int u = 0; u < VOCABULARIES; u++) assert_int_equal(joined[7 * VOCABULARIES + u], 0);
        assert_int_equal(tied_joined[7], 0);
        memcpy(joined + 7 * VOCABULARIES, whole + 7 * VOCABULARIES, VOCABULARIES);
        tied_joined[7] = tied[7];
        labels[7] = absent;
        assert_memory_equal(joined, whole, sizeof whole);
        assert_memory_equal(tied_joined, tied, sizeof tied);
    }
    assert_true(rescored > 1000);
    images[5] = NAN;
    vb_image_block block = {.rows = 1, .images = images, .labels = labels, .texts = own};
    vb_text_bank *bank;
    assert_ok(vb_similarity_bank_part(&bank, some, ids, 2, WIDTH, VB_DOT, &err));
    assert_fails(vb_similarity_judge_part(bank, &both[0], &block, products, joined, &rescored, 1, &err), VB_EDATA,
                 "image embedding, row 0: element 5 is NaN");
    vb_similarity_bank_free(bank);
    some[WIDTH] = INFINITY;
    assert_fails(vb_similarity_bank_part(&bank, some, ids, 2, WIDTH, VB_DOT, &err), VB_EDATA,
                 "text embedding, row 3: element 0 is infinite");
    for (int i = 0; i < 2; i++) vb_label_space_memberships_free(&both[i]);
}

/* The chain that loses nearly half a unit of the last place in each step, and the one that gains it: scores in fp32 that are off
 * by nearly all that the bound allows, one down and one up, of products whose true order is the other one. */
static void errors_as_large_as_the_bound(void **state) {
    (void)state;
    enum { WIDTH = 200, LESS = 191, DOWN = 251, UP = 261 };
    assert_true(LESS * UP < (WIDTH - 1) * DOWN);
    vb_error err = {0};
    static float x[3 * WIDTH], texts[3 * WIDTH], own[3 * WIDTH];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < WIDTH; k++) x[i * WIDTH + k] = k ? 0x1p-12f : 1;
    texts[0] = texts[WIDTH] = 1, texts[2 * WIDTH] = 0.5f;
    for (int k = 1; k < WIDTH; k++) texts[k] = DOWN * 0x1p-20f;       /* a product of 251/512 units */
    for (int k = 1; k <= LESS; k++) texts[WIDTH + k] = UP * 0x1p-20f; /* 261/512, but not of all */
    float chain[2] = {0};
    for (int k = 0; k < WIDTH; k++)
        for (int c = 0; c < 2; c++) chain[c] = fmaf(x[k], texts[c * WIDTH + k], chain[c]);
    assert_true(chain[0] == 1 && chain[1] == 1 + LESS * 0x1p-23f);
    static const int two_offsets[] = {0, 1, 3}, two_members[] = {0, 1, 2}, labels[] = {0, 1, 2};
    const vb_label_space two = {3, 2, two_offsets, two_members, NULL, false};
    vb_memberships memberships;
    assert_ok(vb_label_space_memberships_new(&memberships, &two, &err));
    for (int s = 0; s < 2; s++) {
        const vb_similarity similarity = s ? VB_COSINE : VB_DOT;
        vb_text_bank *bank;
        uint8_t beaten[6];
        vb_verdict verdicts[3];
        assert_ok(vb_similarity_bank_new(&bank, texts, 3, WIDTH, similarity, &err));
        assert_ok(vb_similarity_judge(bank, &two, BLOCK(x, 3, labels), beaten, verdicts, 1, &err));
        vb_similarity_bank_free(bank);
        static const uint8_t expected[] = {0, 0, 1, 0, 1, 1};
        assert_memory_equal(beaten, expected, sizeof expected);
        for (int i = 0; i < 3; i++) assert_int_equal(verdicts[i].predicted_all, 0);
        assert_int_equal(verdicts[1].predicted_own, 1);
        assert_int_equal(verdicts[2].predicted_own, 1);
        /* By parts one of the two scores is exact, the other is the chain's. */
        for (int c = 0; c < 2; c++) {
            uint8_t joined[6] = {0};
            int64_t rescored = 0;
            const int none[] = {c ? 0 : -1, c ? -1 : 1, 2};
            const float products[] = {chain[c], chain[c], chain[c]};
            memcpy(own, texts, sizeof own);
            const vb_image_block block = {.rows = 3, .images = x, .labels = none, .texts = own};
            assert_ok(vb_similarity_bank_part(&bank, texts + c * WIDTH, &c, 1, WIDTH, similarity, &err));
            assert_ok(vb_similarity_judge_part(bank, &memberships, &block, products, joined, &rescored, 1, &err));
            vb_similarity_bank_free(bank);
            assert_int_equal(joined[c ? 1 : 2], !c);
            assert_int_equal(joined[4 + c], 1);
        }
    }
    vb_label_space_memberships_free(&memberships);
}

static void a_lone_class_has_no_margin(void **state) {
    (void)state;
    vb_error err = {0};
    const float text[] = {3, 4}, x[] = {4, 3};
    const int one_offsets[] = {0, 1}, one_member[] = {0}, label = 0;
    const vb_label_space one = {1, 1, one_offsets, one_member, NULL, false};
    vb_text_bank *bank;
    uint8_t beaten;
    vb_verdict verdict;
    assert_ok(vb_similarity_bank_new(&bank, text, 1, 2, VB_COSINE, &err));
    assert_ok(vb_similarity_judge(bank, &one, BLOCK(x, 1, &label), &beaten, &verdict, 1, &err));
    assert_int_equal(beaten, 0);
    assert_int_equal(verdict.predicted_all, 0);
    assert_int_equal(verdict.predicted_own, 0);
    assert_true(fabs(verdict.similarity - 0.96) < 1e-15);
    assert_true(isnan(verdict.margin));
    vb_similarity_bank_free(bank);
    assert_ok(vb_similarity_bank_new(&bank, text, 1, 2, VB_DOT, &err));
    assert_ok(vb_similarity_judge(bank, &one, BLOCK(x, 1, &label), &beaten, &verdict, 1, &err));
    assert_true(fabs(verdict.similarity - 4.8) < 1e-14);
    vb_similarity_bank_free(bank);
}

/* ---- bad input ------------------------------------------------------------------------------------------------------- */

static void bad_rows_are_named(void **state) {
    (void)state;
    vb_error err = {0};
    float texts[CLASSES * 4], images[3 * 4];
    int labels[] = {0, 1, 2};
    uint8_t beaten[3 * VOCABULARIES];
#define judge(space_, threads) vb_similarity_judge(bank, &(space_), BLOCK(images, 3, labels), beaten, NULL, threads, &err)
    for (int i = 0; i < CLASSES * 4; i++) texts[i] = (float)(i + 1);
    for (int i = 0; i < 12; i++) images[i] = (float)(i - 30);
    vb_text_bank *bank;
    texts[4 * 7 + 2] = NAN;
    assert_fails(vb_similarity_bank_new(&bank, texts, CLASSES, 4, VB_DOT, &err), VB_EDATA,
                 "text embedding, row 7: element 2 is NaN");
    assert_null(bank);
    texts[4 * 7 + 2] = -INFINITY;
    assert_fails(vb_similarity_bank_new(&bank, texts, CLASSES, 4, VB_COSINE, &err), VB_EDATA,
                 "text embedding, row 7: element 2 is infinite");
    memset(texts + 4 * 7, 0, 4 * sizeof(float));
    assert_fails(vb_similarity_bank_new(&bank, texts, CLASSES, 4, VB_COSINE, &err), VB_EDATA,
                 "text embedding, row 7: all elements are zero");
    assert_fails(vb_similarity_bank_new(&bank, texts, CLASSES, 65537, VB_COSINE, &err), VB_EUNSUPPORTED, "65537 dimensions");
    assert_fails(vb_similarity_bank_new(&bank, texts, 0, 4, VB_COSINE, &err), VB_EMISMATCH, "0 x 4");
    assert_ok(vb_similarity_bank_new(&bank, texts, CLASSES, 4, VB_DOT, &err)); /* a zero text has a dot product */
    images[4 + 1] = NAN;
    assert_fails(judge(space, 1), VB_EDATA, "image embedding, row 1: element 1 is NaN");
    images[4 + 1] = INFINITY;
    assert_fails(judge(space, 2), VB_EDATA, "image embedding, row 1: element 1 is infinite");
    images[4 + 1] = 1;
    memset(images + 8, 0, 4 * sizeof(float));
    assert_fails(judge(space, 1), VB_EDATA, "image embedding, row 2: all elements are zero");
    images[8] = 0x1p-149f; /* the least of floats is a direction */
    assert_ok(vb_similarity_judge(bank, &space, BLOCK(images, 3, labels), beaten, NULL, 1, &err));
    labels[2] = CLASSES;
    assert_fails(judge(space, 1), VB_EMISMATCH, "image row 2: label 12, expected 0 to 11");
    labels[2] = -1;
    assert_fails(judge(space, 1), VB_EMISMATCH, "image row 2: label -1");
    labels[2] = 0;
    vb_label_space other = space;
    other.classes = CLASSES + 1;
    assert_fails(judge(other, 1), VB_EMISMATCH, "13 classes for 12 text");
    const int twice[] = {0, 1, 2, 3, 10, 4, 5, 9, 8, 3, 6, 9, 10, 11}, outside[] = {0, 1, 2, 3, 10, 4, 5, 9, 8, 3, 6, 12, 10, 11};
    const int hole[] = {0, 4, 4, 12, 14};
    other = (vb_label_space){CLASSES, VOCABULARIES, offsets, twice, NULL, false};
    assert_fails(judge(other, 1), VB_EMISMATCH, "vocabulary 2 lists class 9 twice");
    other.members = outside;
    assert_fails(judge(other, 1), VB_EMISMATCH, "vocabulary 2, entry 4: class 12");
    other = (vb_label_space){CLASSES, VOCABULARIES, hole, members, NULL, false};
    assert_fails(judge(other, 1), VB_EMISMATCH, "vocabulary 1 has no classes");
    vb_similarity_bank_free(bank);
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    vb_error err = {0};
    float texts[CLASSES * 4], images[3 * 4];
    const int labels[] = {0, 1, 2};
    uint8_t beaten[3 * VOCABULARIES];
    for (int i = 0; i < CLASSES * 4; i++) texts[i] = (float)(i + 1);
    for (int i = 0; i < 12; i++) images[i] = (float)(i - 30);
    int failures = 0, done = 0;
    for (int n = 1; !done; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        vb_text_bank *bank = NULL;
        done = !vb_similarity_bank_new(&bank, texts, CLASSES, 4, VB_COSINE, &err) &&
               !vb_similarity_judge(bank, &space, BLOCK(images, 3, labels), beaten, NULL, 1, &err);
        vb_fault_setup(NULL, 0);
        vb_similarity_bank_free(bank);
        if (!done) assert_int_equal(err.code, VB_EMEMORY);
        failures += !done;
    }
    assert_true(failures >= 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(integers_are_judged_right),
                                       cmocka_unit_test(exchanged_coordinates_decide),
                                       cmocka_unit_test(one_ulp_decides),
                                       cmocka_unit_test(equal_texts_go_to_the_lowest_index),
                                       cmocka_unit_test(blocks_threads_and_levels_change_nothing),
                                       cmocka_unit_test(parts_are_judged_as_the_whole),
                                       cmocka_unit_test(errors_as_large_as_the_bound),
                                       cmocka_unit_test(a_lone_class_has_no_margin),
                                       cmocka_unit_test(bad_rows_are_named),
                                       cmocka_unit_test(lack_of_memory_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
