/* Extremes over sets of vocabularies: by transform, or greedily with bounds. */
#include "kernels/openness/envelope.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/subsets.h"

static int by_subsets(const vb_envelope *e, const uint64_t *masks, int64_t images, int n, int own_vocabulary, vb_error *err) {
    size_t sets = (size_t)1 << n;
    int64_t *right = vb_array(sets, sizeof *right, "sets of vocabularies", err);
    if (!right) return -1;
    for (int64_t i = 0; i < images; i++) right[masks[i]]++;
    vb_subsets_sums(right, n); /* right[C]: images that only vocabularies within C beat */
    for (int i = 0; i < n; i++) {
        e->worst[i] = images;
        e->best[i] = 0;
    }
    for (size_t arrived = 0; arrived < sets; arrived++) {
        if (arrived >> own_vocabulary & 1) continue;
        int size = __builtin_popcountll(arrived);
        int64_t stay = right[~arrived & (sets - 1)];
        if (stay < e->worst[size]) e->worst[size] = stay;
        if (stay > e->best[size]) e->best[size] = stay;
    }
    memcpy(e->least, e->worst, (size_t)n * sizeof *e->least);
    memcpy(e->most, e->best, (size_t)n * sizeof *e->most);
    vb_free(right);
    return 0;
}

static int ascending_counts(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* State of the greedy choices: sets[u] are the images that vocabulary u beats. */
typedef struct greedy {
    int n, own_vocabulary;
    int64_t words, images;
    uint64_t *sets, *taken;
    uint8_t *arrived;
    int64_t *gains; /* of those that have not arrived, in no order */
} greedy;

static int64_t gain_of(const greedy *g, int u) {
    const uint64_t *set = g->sets + u * g->words;
    int64_t gain = 0;
    for (int64_t w = 0; w < g->words; w++) gain += __builtin_popcountll(set[w] & ~g->taken[w]);
    return gain;
}

/* One vocabulary after the other, each with the largest (or smallest) gain; stay[i] images are right after i of them. With
 * `least` (and largest): no i vocabularies take more than what j of the choice take and the i largest gains after them. */
static void choose(greedy *g, bool largest, int64_t *stay, int64_t *least) {
    int64_t covered = 0;
    memset(g->taken, 0, (size_t)g->words * sizeof *g->taken);
    memset(g->arrived, 0, (size_t)g->n);
    g->arrived[g->own_vocabulary] = 1;
    stay[0] = g->images;
    for (int step = 1; step < g->n; step++) {
        int best = -1, left = 0;
        int64_t best_gain = 0;
        for (int u = 0; u < g->n; u++) {
            if (g->arrived[u]) continue;
            int64_t gain = g->gains[left++] = gain_of(g, u);
            if (best < 0 || (largest ? gain > best_gain : gain < best_gain)) {
                best = u;
                best_gain = gain;
            }
        }
        if (least) {
            qsort(g->gains, (size_t)left, sizeof *g->gains, ascending_counts);
            int64_t sum = covered;
            for (int i = 1; i <= left; i++) {
                sum += g->gains[left - i];
                if (g->images - sum > least[i]) least[i] = g->images - sum;
            }
        }
        g->arrived[best] = 1;
        covered += best_gain;
        for (int64_t w = 0; w < g->words; w++) g->taken[w] |= g->sets[best * g->words + w];
        stay[step] = g->images - covered;
    }
}

/* i vocabularies take at least as much as the one of them that takes most alone, and so does the i-th smallest. */
static void bound_best(greedy *g, int64_t *most) {
    int left = 0;
    memset(g->taken, 0, (size_t)g->words * sizeof *g->taken);
    for (int u = 0; u < g->n; u++)
        if (u != g->own_vocabulary) g->gains[left++] = gain_of(g, u);
    qsort(g->gains, (size_t)left, sizeof *g->gains, ascending_counts);
    most[0] = g->images;
    for (int i = 1; i <= left; i++) most[i] = g->images - g->gains[i - 1];
}

static int greedily(const vb_envelope *e, const uint64_t *masks, int64_t images, int n, int own_vocabulary, vb_error *err) {
    greedy g = {.n = n, .own_vocabulary = own_vocabulary, .words = (images + 63) / 64, .images = images};
    size_t row = ((size_t)n + 63) / 64;
    g.sets = vb_array((size_t)n * (size_t)g.words, sizeof *g.sets, "sets of images", err);
    g.taken = vb_array((size_t)g.words, sizeof *g.taken, "sets of images", err);
    g.arrived = vb_array((size_t)n, 1, "vocabularies", err);
    g.gains = vb_array((size_t)n, sizeof *g.gains, "vocabularies", err);
    int status = g.sets && g.taken && g.arrived && g.gains ? 0 : -1;
    if (!status) {
        for (int64_t i = 0; i < images; i++)
            for (size_t w = 0; w < row; w++)
                for (uint64_t rest = masks[(size_t)i * row + w]; rest; rest &= rest - 1)
                    g.sets[(int64_t)(w * 64 + (size_t)__builtin_ctzll(rest)) * g.words + i / 64] |= (uint64_t)1 << i % 64;
        memset(e->least, 0, (size_t)n * sizeof *e->least);
        e->least[0] = images;
        choose(&g, true, e->worst, e->least);
        choose(&g, false, e->best, NULL);
        bound_best(&g, e->most);
        /* When all have arrived there is no choice left. */
        e->least[n - 1] = e->most[n - 1] = e->best[n - 1] = e->worst[n - 1];
        for (int i = n - 2; i >= 0; i--) /* nor do fewer arrivals leave fewer images */
            if (e->least[i] < e->least[i + 1]) e->least[i] = e->least[i + 1];
    }
    vb_free(g.sets);
    vb_free(g.taken);
    vb_free(g.arrived);
    vb_free(g.gains);
    return status;
}

int vb_envelope_of_orders(const vb_envelope *envelope, const uint64_t *masks, int64_t images, int vocabularies,
                          int own_vocabulary, vb_error *err) {
    assert(vocabularies >= 1 && images >= 0 && own_vocabulary >= 0 && own_vocabulary < vocabularies);
    return (vocabularies <= VB_SUBSETS_MAX ? by_subsets : greedily)(envelope, masks, images, vocabularies, own_vocabulary, err);
}
