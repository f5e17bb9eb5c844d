/* The three-stage comparison of similarities: fp32 product with its error bound, fp64, integers. */
#include "kernels/openness/similarity.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/exact/exact.h"
#include "kernels/exact/round_outward.h"
#include "kernels/matrix/gemm.h"
#include "kernels/base/memory.h"

/* Bounds are computed in fp64, whose own rounding (relative 1e-11 at the very worst here) is covered by widening them a
 * little. */
static const double WIDEN = 1 + 0x1p-10;
/* Below this norm no sum of products in fp32 can overflow, so that the bound on its error holds. */
static const double SCREENABLE = 0x1p60;
enum {
    BLOCK_SCORES = 1 << 23, /* 32 MiB of scores at once, whatever the number of classes, */
    BLOCK_ROWS = 4096,      /* of so many images at most, more than any tile needs, */
    LEAST_ROWS = 8          /* and of so many at least: below, packing the texts would cost more than multiplying them */
};

struct vb_text_bank {
    const float *texts;
    const int *ids; /* the class of each row, ascending; NULL: row c is class c's */
    int classes, dim;
    vb_similarity similarity;
    double *norm;   /* of each text */
    float *inverse; /* VB_COSINE: 1 / norm, which the product's epilogue applies; else NULL */
    int *equal_to;  /* lowest class whose text has the same bits; NULL with ids */
    bool screened;  /* whether the norms allow the fp32 product at all */
    /* |fp32 score - x . t (/ |t| for VB_COSINE)| <= |x| * radius + floor. With u = 2^-24, a chain or tree of n fused or unfused
     * products is off by gamma_n |x||t| at most, gamma_n = n u / (1 - n u) (Higham, Accuracy and Stability, ch. 3), and scaling
     * by a rounded inverse adds three more roundings; `floor` is what 2 n roundings to subnormal numbers can add. */
    double radius, floor;
    const vb_similarity_products *products; /* NULL: vb_gemm */
    double radius64;                        /* the same for the fp64 score, times |t| for VB_DOT; fp64 cannot underflow here */
};

static double gamma_of(int roundings, double unit) { return roundings * unit / (1 - roundings * unit); }

/* Eight interleaved partial sums joined as a tree: products of floats are exact in fp64, so that neither vector width nor fused
 * multiply-add can change a bit of it. */
static double dot64(const float *a, const float *b, int n) {
    double lane[8] = {0};
    int k = 0;
    for (; k + 8 <= n; k += 8)
        for (int j = 0; j < 8; j++) lane[j] += (double)a[k + j] * b[k + j];
    for (int j = 0; k + j < n; j++) lane[j] += (double)a[k + j] * b[k + j];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* The norm of a row; -1 with a message when an element is not finite. fp64 neither overflows nor underflows on squares of
 * floats. */
static double norm_of(const float *row, int dim, const char *kind, int64_t index, vb_error *err) {
    double square = dot64(row, row, dim);
    if (isfinite(square)) return sqrt(square);
    int k = 0;
    while (k < dim - 1 && isfinite(row[k])) k++;
    vb_errorf(err, VB_EDATA, "%s embedding, row %lld: element %d is %s, expected a finite number", kind, (long long)index, k,
              isnan(row[k]) ? "NaN" : "infinite");
    return -1;
}

static int row_order(const void *a, const void *b, void *context) {
    const vb_text_bank *bank = context;
    int i = *(const int *)a, j = *(const int *)b;
    size_t dim = (size_t)bank->dim;
    int order = memcmp(bank->texts + (size_t)i * dim, bank->texts + (size_t)j * dim, dim * sizeof(float));
    return order ? order : i - j;
}

static int find_equal_texts(vb_text_bank *bank, vb_error *err) {
    int *order = vb_array((size_t)bank->classes, sizeof(int), "order of the texts", err);
    bank->equal_to = order ? vb_array((size_t)bank->classes, sizeof(int), "equal texts", err) : NULL;
    if (!bank->equal_to) {
        vb_free(order);
        return -1;
    }
    for (int c = 0; c < bank->classes; c++) order[c] = c;
    qsort_r(order, (size_t)bank->classes, sizeof(int), row_order, bank);
    size_t dim = (size_t)bank->dim;
    for (int i = 0; i < bank->classes; i++) {
        int c = order[i], before = i ? order[i - 1] : -1;
        bool same = i && !memcmp(bank->texts + (size_t)c * dim, bank->texts + (size_t)before * dim, dim * sizeof(float));
        bank->equal_to[c] = same ? bank->equal_to[before] : c;
    }
    vb_free(order);
    return 0;
}

int vb_similarity_bank_new(vb_text_bank **bank, const float *texts, int classes, int dim, vb_similarity similarity,
                           vb_error *err) {
    return vb_similarity_bank_part(bank, texts, NULL, classes, dim, similarity, err);
}

int vb_similarity_bank_part(vb_text_bank **out, const float *texts, const int *ids, int classes, int dim,
                            vb_similarity similarity, vb_error *err) {
    *out = NULL;
    if (classes < 1 || dim < 1)
        return vb_errorf(err, VB_EMISMATCH, "text embeddings of shape %d x %d, expected at least one row and column", classes,
                         dim);
    if (dim > VB_EXACT_TERMS)
        return vb_errorf(err, VB_EUNSUPPORTED, "embeddings of %d dimensions, at most %d are handled", dim, VB_EXACT_TERMS);
    int status = -1;
    vb_text_bank *bank = vb_array(1, sizeof *bank, "text bank", err);
    if (!bank) return -1;
    *bank = (vb_text_bank){.texts = texts, .ids = ids, .classes = classes, .dim = dim, .similarity = similarity};
    bank->norm = vb_array((size_t)classes, sizeof(double), "norms of the texts", err);
    if (!bank->norm) goto done;
    if (similarity == VB_COSINE) {
        bank->inverse = vb_array((size_t)classes, sizeof(float), "norms of the texts", err);
        if (!bank->inverse) goto done;
    }
    double smallest = INFINITY, largest = 0;
    for (int c = 0; c < classes; c++) {
        int id = ids ? ids[c] : c;
        double norm = norm_of(texts + (size_t)c * (size_t)dim, dim, "text", id, err);
        if (norm < 0) goto done;
        if (similarity == VB_COSINE) {
            if (norm == 0) {
                vb_errorf(err, VB_EDATA, "text embedding, row %d: all elements are zero, a cosine needs a direction", id);
                goto done;
            }
            bank->inverse[c] = (float)(1 / norm);
        }
        bank->norm[c] = norm;
        if (norm < smallest) smallest = norm;
        if (norm > largest) largest = norm;
    }
    if (!ids && find_equal_texts(bank, err)) goto done;
    double cosine = similarity == VB_COSINE;
    bank->screened = largest <= SCREENABLE && (similarity == VB_DOT || smallest >= 1 / SCREENABLE);
    bank->radius = gamma_of(dim + 4, 0x1p-24) * (cosine ? 1 : largest) * WIDEN;
    bank->floor = (2.0 * dim + 2) * 0x1p-149 * (cosine && smallest < 1 ? 1 / smallest : 1) * WIDEN;
    /* fp64: dim roundings of the product, half as many of the norm, root and quotient */
    bank->radius64 = gamma_of(2 * dim + 8, 0x1p-53) * WIDEN;
    *out = bank;
    status = 0;
done:
    if (status) vb_similarity_bank_free(bank);
    return status;
}

void vb_similarity_bank_use(vb_text_bank *bank, const vb_similarity_products *products) { bank->products = products; }
const float *vb_similarity_bank_scale(const vb_text_bank *bank) { return bank->inverse; }

void vb_similarity_bank_free(vb_text_bank *bank) {
    if (!bank) return;
    vb_free(bank->norm);
    vb_free(bank->inverse);
    vb_free(bank->equal_to);
    vb_free(bank);
}

/* One image, and its fp32 scores against all classes. Scores further apart than `slack` are ordered as the true ones. */
typedef struct image_view {
    const vb_text_bank *bank;
    const int *equivalence; /* of the label space */
    vb_class_set set;       /* other classes that are no rivals */
    int own;                /* the vocabulary that is meant; -1: the first that holds its class */
    const float *x, *scores;
    double norm, slack;
} image_view;

/* Whether class c is not wrong for the image, y being its class. */
static bool is_right(const image_view *image, int c, int y) {
    return vb_label_space_same(image->equivalence, c, y) || (image->set.count && vb_label_space_holds(&image->set, c));
}

static const float *text_row(const vb_text_bank *bank, int c) { return bank->texts + (size_t)c * (size_t)bank->dim; }

/* |x| s(x, c) in fp64 */
static double score64(const image_view *image, int c) {
    const vb_text_bank *bank = image->bank;
    double dot = dot64(image->x, text_row(bank, c), bank->dim);
    return bank->similarity == VB_COSINE ? dot / bank->norm[c] : dot;
}

/* Sign of s(x, a) - s(x, b). */
static int exact_order(vb_similarity similarity, const float *x, const float *text_a, const float *text_b, int dim) {
    vb_exact a, b, a_square, b_square;
    vb_exact_dot(&a, x, text_a, dim);
    vb_exact_dot(&b, x, text_b, dim);
    if (similarity == VB_DOT) return vb_exact_compare(&a, &b);
    vb_exact_dot(&a_square, text_a, text_a, dim);
    vb_exact_dot(&b_square, text_b, text_b, dim);
    return vb_exact_compare_ratio(&a, &a_square, &b, &b_square);
}

/* A class by its text, with its norm and its fp64 score for the image at hand. */
typedef struct scored_text {
    const float *text;
    double norm, score;
} scored_text;

/* Sign of s(x, a) - s(x, b), their texts being different; x_norm is the image's. */
static int order_of(const vb_text_bank *bank, const float *x, double x_norm, const scored_text *a, const scored_text *b) {
    double scale = bank->similarity == VB_COSINE ? 2 : a->norm + b->norm;
    double bound = x_norm * scale * bank->radius64;
    double difference = a->score - b->score;
    if (difference > bound) return 1;
    if (difference < -bound) return -1;
    return exact_order(bank->similarity, x, a->text, b->text, bank->dim);
}

/* Sign of s(x, c) - s(x, d), the fp64 scores of both given. */
static int order_of_classes(const image_view *image, int c, double c_score, int d, double d_score) {
    const vb_text_bank *bank = image->bank;
    if (bank->equal_to[c] == bank->equal_to[d]) return 0;
    return order_of(bank, image->x, image->norm, &(scored_text){text_row(bank, c), bank->norm[c], c_score},
                    &(scored_text){text_row(bank, d), bank->norm[d], d_score});
}

/* Whether class c is ranked before class d. */
static bool before(const image_view *image, int c, double c_score, int d, double d_score) {
    int order = order_of_classes(image, c, c_score, d, d_score);
    return order > 0 || (!order && c < d);
}

/* The first-ranked class other than y and its equivalents among list[0..count-1] (list NULL: all classes), its fp64 score in
 * *score; -1: none. */
static int best_other(const image_view *image, int y, const int *list, int count, double *score) {
    const float *scores = image->scores;
    float top = -INFINITY;
    for (int i = 0; i < count; i++) {
        int c = list ? list[i] : i;
        if (scores[c] > top && !is_right(image, c, y)) top = scores[c];
    }
    float threshold = isinf(image->slack) ? -INFINITY : vb_round_outward_down(top - image->slack);
    int best = -1;
    for (int i = 0; i < count; i++) {
        int c = list ? list[i] : i;
        if (scores[c] < threshold || is_right(image, c, y)) continue;
        double value = score64(image, c);
        if (best >= 0 && !before(image, c, value, best, *score)) continue;
        best = c;
        *score = value;
    }
    return best;
}

/* Bit c - from for every class c >= from that is ranked before y. */
static void find_pool(const image_view *image, int from, int y, uint64_t *pool) {
    const float *scores = image->scores;
    double score = score64(image, y);
    int classes = image->bank->classes;
    float above = INFINITY, below = -INFINITY;
    if (!isinf(image->slack)) {
        above = vb_round_outward_up(scores[y] + image->slack);
        below = vb_round_outward_down(scores[y] - image->slack);
    }
    memset(pool, 0, vb_similarity_pool_words(classes - from) * sizeof *pool);
    for (int c = from; c < classes; c++) {
        if (scores[c] < below || is_right(image, c, y)) continue;
        if (!(scores[c] > above) && !before(image, c, score64(image, c), y, score)) continue;
        pool[(c - from) / 64] |= (uint64_t)1 << (c - from) % 64;
    }
}

/* takers (or NULL): of every vocabulary; *tied (or NULL) is set when a class of a vocabulary is exactly as similar as y. */
static void judge_row(const image_view *image, const vb_label_space *space, const vb_memberships *memberships, int y,
                      uint8_t *beaten, uint8_t *tied, int *takers, vb_verdict *verdict) {
    const float *scores = image->scores;
    double score = score64(image, y), other_score = 0;
    memset(beaten, 0, (size_t)space->vocabularies);
    float above = INFINITY, below = -INFINITY; /* without a screen every class lies between */
    if (!isinf(image->slack)) {
        above = vb_round_outward_up(scores[y] + image->slack);
        below = vb_round_outward_down(scores[y] - image->slack);
    }
    for (int c = 0; c < space->classes; c++) {
        if (scores[c] < below || is_right(image, c, y) || memberships->offsets[c] == memberships->offsets[c + 1]) continue;
        int order = scores[c] > above ? 1 : order_of_classes(image, c, score64(image, c), y, score);
        if (!order && tied) *tied = 1;
        if (order < 0 || (!order && c > y)) continue;
        for (int i = memberships->offsets[c]; i < memberships->offsets[c + 1]; i++) beaten[memberships->vocabularies[i]] = 1;
    }
    for (int u = 0; takers && u < space->vocabularies; u++)
        takers[u] = beaten[u] ? best_other(image, y, space->members + space->offsets[u],
                                           space->offsets[u + 1] - space->offsets[u], &other_score) :
                                -1;
    if (!verdict) return;
    int other = best_other(image, y, NULL, space->classes, &other_score);
    verdict->label = y;
    verdict->predicted_all = other >= 0 && before(image, other, other_score, y, score) ? other : y;
    verdict->similarity = score / image->norm;
    verdict->margin = other < 0 ? NAN : verdict->similarity - other_score / image->norm;
    verdict->predicted_own = -1;
    if (memberships->offsets[y] == memberships->offsets[y + 1]) return;
    int own_vocabulary = image->own >= 0 ? image->own : memberships->vocabularies[memberships->offsets[y]],
        start = space->offsets[own_vocabulary];
    other = best_other(image, y, space->members + start, space->offsets[own_vocabulary + 1] - start, &other_score);
    verdict->predicted_own = other >= 0 && before(image, other, other_score, y, score) ? other : y;
}

static int check_images(const vb_text_bank *bank, const float *images, int64_t first, int64_t rows, const int *labels,
                        double *norms, vb_error *err) {
    for (int64_t i = 0; i < rows; i++) {
        long long row = (long long)(first + i);
        if (labels[i] < 0 || labels[i] >= bank->classes)
            return vb_errorf(err, VB_EMISMATCH, "image row %lld: label %d, expected 0 to %d", row, labels[i], bank->classes - 1);
        norms[i] = norm_of(images + i * bank->dim, bank->dim, "image", row, err);
        if (norms[i] < 0) return -1;
        if (norms[i] == 0) return vb_errorf(err, VB_EDATA, "image embedding, row %lld: all elements are zero", row);
    }
    return 0;
}

int vb_similarity_rank(const vb_text_bank *bank, const float *x, int64_t row, int *classes, int count, vb_error *err) {
    image_view image = {.bank = bank, .x = x};
    for (int i = 0; i < count; i++)
        if (check_images(bank, x, row, 1, &classes[i], &image.norm, err)) return -1;
    for (int i = 1; i < count; i++) { /* sets are small */
        int class = classes[i], at = i;
        double score = score64(&image, class);
        for (; at && before(&image, class, score, classes[at - 1], score64(&image, classes[at - 1])); at--)
            classes[at] = classes[at - 1];
        classes[at] = class;
    }
    return 0;
}

static int64_t rows_at_once(int64_t classes, int64_t rows) {
    int64_t block = BLOCK_SCORES / classes;
    if (block > BLOCK_ROWS) block = BLOCK_ROWS;
    if (block < LEAST_ROWS) block = LEAST_ROWS;
    return block < rows ? block : rows;
}

/* A text takes its norm, the inverse, the number of its first equal and what lies around them. */
int64_t vb_similarity_judge_bytes(int64_t classes, int64_t rows) {
    return classes > 0 ? rows_at_once(classes, rows) * 4 * classes + 36 * classes : 0;
}

/* What a judgement gives; NULL: not wanted. */
typedef struct outcome {
    uint8_t *beaten, *tied;
    int *takers;
    vb_verdict *verdicts;
    int from; /* the pool's first class */
    uint64_t *pool;
} outcome;

/* Row i of the block, whose scores are at hand. */
static void judge_image(const image_view *image, const vb_label_space *space, const vb_memberships *memberships, int label,
                        int64_t i, const outcome *out) {
    if (out->tied) out->tied[i] = 0;
    judge_row(image, space, memberships, label, out->beaten + i * space->vocabularies, out->tied ? out->tied + i : NULL,
              out->takers ? out->takers + i * space->vocabularies : NULL, out->verdicts ? out->verdicts + i : NULL);
    if (out->pool)
        find_pool(image, out->from, label, out->pool + (size_t)i * vb_similarity_pool_words(image->bank->classes - out->from));
}

static int judge_block(const vb_text_bank *bank, const vb_label_space *space, const vb_image_block *block, const outcome *out,
                       int threads, vb_error *err) {
    assert(threads >= 1 && block->rows >= 0 && !bank->ids);
    if (space->classes != bank->classes)
        return vb_errorf(err, VB_EMISMATCH, "label space of %d classes for %d text embeddings", space->classes, bank->classes);
    vb_memberships memberships;
    if (vb_label_space_memberships_new(&memberships, space, err)) return -1;
    int64_t most = rows_at_once(bank->classes, block->rows);
    int status = -1;
    double *norms = NULL;
    float *scores = vb_array((size_t)most * (size_t)bank->classes, sizeof(float), "similarity block", err);
    if (!scores) goto done;
    norms = vb_array((size_t)most, sizeof(double), "norms of the images", err);
    if (!norms) goto done;
    vb_matrix texts = {bank->texts, VB_F32, bank->classes, bank->dim, bank->dim, 1};
    vb_epilogue epilogue = {.scale = bank->inverse};
    for (int64_t first = 0; first < block->rows; first += most) {
        int64_t n = block->rows - first < most ? block->rows - first : most;
        const float *x = block->images + first * bank->dim;
        const int *labels = block->labels + first;
        if (check_images(bank, x, first, n, labels, norms, err)) goto done;
        const vb_gemm_a a = {.data = x, .ld = bank->dim};
        const bool done = bank->products && !bank->products->multiply(bank->products->state, x, n, scores);
        if (!done && vb_gemm(n, &a, &texts, scores, bank->classes, &epilogue, threads, err)) goto done;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16) if (threads > 1)
        for (int64_t i = 0; i < n; i++) {
            bool screened = bank->screened && norms[i] <= SCREENABLE;
            image_view image = {.bank = bank,
                                .equivalence = space->equivalence,
                                .set = block->sets ? block->sets[first + i] : (vb_class_set){0},
                                .own = block->own ? block->own[first + i] : -1,
                                .x = x + i * bank->dim,
                                .scores = scores + i * bank->classes,
                                .norm = norms[i],
                                .slack = screened ? 2 * (norms[i] * bank->radius + bank->floor) * WIDEN : INFINITY};
            judge_image(&image, space, &memberships, labels[i], first + i, out);
        }
    }
    status = 0;
done:
    vb_free(scores);
    vb_free(norms);
    vb_label_space_memberships_free(&memberships);
    return status;
}

int vb_similarity_judge(const vb_text_bank *bank, const vb_label_space *space, const vb_image_block *block, uint8_t *beaten,
                        vb_verdict *verdicts, int threads, vb_error *err) {
    return judge_block(bank, space, block,
                       &(outcome){.beaten = beaten, .tied = block->tied, .takers = block->takers, .verdicts = verdicts}, threads,
                       err);
}

int vb_similarity_judge_pool(const vb_text_bank *bank, const vb_label_space *space, const vb_image_block *block, int from,
                             uint8_t *beaten, uint64_t *pool, int threads, vb_error *err) {
    assert(from >= 0 && from <= bank->classes);
    return judge_block(bank, space, block, &(outcome){.beaten = beaten, .from = from, .pool = pool}, threads, err);
}

/* ---- a part of the classes against images whose own classes may lie elsewhere ---- */

/* One image: its class, and the fp32 scores that leave no doubt. */
typedef struct own_score {
    scored_text own;
    double norm;
    float above, below;
} own_score;

static int score_own(own_score *image, const vb_text_bank *part, const vb_image_block *block, int64_t i, vb_error *err) {
    const float *x = block->images + i * part->dim, *text = block->texts + i * part->dim;
    *image = (own_score){.above = INFINITY, .below = INFINITY};
    if (block->labels[i] < 0) return 0; /* no image: no score is as large as that */
    double text_norm = norm_of(text, part->dim, "text", block->labels[i], err), score;
    image->norm = norm_of(x, part->dim, "image", i, err);
    if (text_norm < 0 || image->norm < 0) return -1;
    score = dot64(x, text, part->dim);
    if (part->similarity == VB_COSINE) score /= text_norm;
    image->own = (scored_text){text, text_norm, score};
    image->below = -INFINITY;
    if (!part->screened || image->norm > SCREENABLE) return 0;
    /* The products may come from a library that sets subnormal numbers to zero: the floor in units of the least normal number. */
    double fp32 = image->norm * part->radius + part->floor * 0x1p23,
           fp64 = image->norm * part->radius64 * (part->similarity == VB_COSINE ? 1 : text_norm);
    image->above = vb_round_outward_up(score + (fp32 + fp64) * WIDEN);
    image->below = vb_round_outward_down(score - (fp32 + fp64) * WIDEN);
    return 0;
}

/* Sign of the similarity with row c of the part less that with the image's class, by the exact route. */
static int order_exactly(const vb_text_bank *part, const float *x, const own_score *image, int c) {
    scored_text other = {text_row(part, c), part->norm[c], dot64(x, text_row(part, c), part->dim)};
    if (part->similarity == VB_COSINE) other.score /= other.norm;
    if (!memcmp(other.text, image->own.text, (size_t)part->dim * sizeof(float))) return 0;
    return order_of(part, x, image->norm, &other, &image->own);
}

/* Images first..last-1 against all rows of the part; how many comparisons the exact route decided. */
static int64_t compare_part(const vb_text_bank *part, const vb_memberships *memberships, const vb_image_block *block,
                            const own_score *own, const float *products, int64_t first, int64_t last, uint8_t *beaten) {
    int64_t rescored = 0;
    for (int c = 0; c < part->classes; c++) {
        const int *own_vocabulary = memberships->vocabularies + memberships->offsets[part->ids[c]];
        int its_vocabularies = memberships->offsets[part->ids[c] + 1] - memberships->offsets[part->ids[c]];
        const float *product = products + (int64_t)c * block->rows;
        float scale = part->inverse ? part->inverse[c] : 1;
        if (!its_vocabularies) continue;
        for (int64_t i = first; i < last; i++) {
            float score = product[i] * scale;
            if (score < own[i].below || block->labels[i] < 0 ||
                vb_label_space_same(memberships->equivalence, part->ids[c], block->labels[i]))
                continue;
            if (!(score > own[i].above)) {
                rescored++;
                int order = order_exactly(part, block->images + i * part->dim, &own[i], c);
                if (!order && block->tied) block->tied[i] = 1;
                if (order < 0 || (!order && part->ids[c] > block->labels[i])) continue;
            }
            for (int h = 0; h < its_vocabularies; h++) beaten[i * memberships->count + own_vocabulary[h]] = 1;
        }
    }
    return rescored;
}

int vb_similarity_judge_part(const vb_text_bank *part, const vb_memberships *memberships, const vb_image_block *block,
                             const float *products, uint8_t *beaten, int64_t *rescored, int threads, vb_error *err) {
    assert(threads >= 1 && part->ids && block->texts);
    int64_t rows = block->rows, count = 0;
    own_score *own = vb_array((size_t)rows, sizeof *own, "similarity block", err);
    int status = own ? 0 : -1;
    for (int64_t i = 0; i < rows && !status; i++) status = score_own(&own[i], part, block, i, err);
    if (!status) {
#pragma omp parallel for num_threads(threads) reduction(+ : count) if (threads > 1)
        for (int t = 0; t < threads; t++)
            count += compare_part(part, memberships, block, own, products, rows * t / threads, rows * (t + 1) / threads, beaten);
        *rescored += count;
    }
    vb_free(own);
    return status;
}
