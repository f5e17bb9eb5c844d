/* Bit sets of taken images, gains, and branch and bound for maximum coverage. */
#include "kernels/openness/cover.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"

/* ---- counting bits: written once, compiled with and without the instruction ------------------------------------------- */

#define COUNTERS(suffix, attributes)                                                                                             \
    attributes static int64_t gain_##suffix(const uint64_t *set, const uint64_t *taken, int64_t words) {                         \
        int64_t gain = 0;                                                                                                        \
        for (int64_t w = 0; w < words; w++) gain += __builtin_popcountll(set[w] & ~taken[w]);                                    \
        return gain;                                                                                                             \
    }                                                                                                                            \
    attributes static void gains_##suffix(const uint64_t *words, uint64_t taken, int64_t first, int64_t last, int64_t *gains) {  \
        for (int64_t c = first; c < last; c++) gains[c] += __builtin_popcountll(words[c] & ~taken);                              \
    }
COUNTERS(plain, )
#if defined(__x86_64__)
COUNTERS(popcnt, __attribute__((target("popcnt"))))
static bool has_popcnt(void) { return vb_isa_level() >= VB_AVX2; }
#else
#define gain_popcnt gain_plain
#define gains_popcnt gains_plain
static bool has_popcnt(void) { return false; }
#endif

/* ---- covers ------------------------------------------------------------------------------------------------------------ */

int vb_cover_add(vb_cover *cover, const uint64_t *pool, int class, vb_error *err) {
    assert(cover->candidates >= 1);
    size_t candidates = (size_t)cover->candidates, image = (size_t)cover->images, block = image / 64;
    if (vb_grow((void **)&cover->words, &cover->word_capacity, (block + 1) * candidates, sizeof *cover->words, "taken images",
                err))
        return -1;
    if (vb_grow((void **)&cover->classes, &cover->class_capacity, image + 1, sizeof *cover->classes, "taken images", err))
        return -1;
    uint64_t *words = cover->words + block * candidates, bit = (uint64_t)1 << image % 64;
    for (size_t w = 0; w * 64 < candidates; w++)
        for (uint64_t rest = pool[w]; rest; rest &= rest - 1) words[w * 64 + (size_t)__builtin_ctzll(rest)] |= bit;
    cover->classes[image] = class;
    cover->images++;
    return 0;
}

void vb_cover_free(vb_cover *cover) {
    vb_free(cover->words);
    vb_free(cover->classes);
    *cover = (vb_cover){0};
}

void vb_cover_gains(const vb_cover *cover, const uint64_t *taken, int64_t *gains, int threads) {
    enum { SLICE = 4096 }; /* candidates whose gains stay in the first-level cache over all blocks of images */
    bool fast = has_popcnt();
    int64_t n = cover->candidates, blocks = vb_cover_blocks(cover);
#pragma omp parallel for num_threads(threads < 1 ? 1 : threads) schedule(static) if (threads > 1 && n > SLICE)
    for (int64_t first = 0; first < n; first += SLICE) {
        int64_t last = first + SLICE < n ? first + SLICE : n;
        for (int64_t b = 0; b < blocks; b++)
            (fast ? gains_popcnt : gains_plain)(cover->words + b * n, taken[b], first, last, gains);
    }
}

int vb_cover_takers(const vb_cover *cover, const uint8_t *excluded, int64_t *counts, vb_error *err) {
    int *takers = vb_array((size_t)cover->images, sizeof *takers, "candidates that take images", err);
    if (!takers) return -1;
    for (int64_t b = 0; b < vb_cover_blocks(cover); b++)
        for (int c = 0; c < cover->candidates; c++) {
            uint64_t word = excluded && excluded[c] ? 0 : cover->words[(size_t)b * (size_t)cover->candidates + (size_t)c];
            for (; word; word &= word - 1) takers[64 * b + __builtin_ctzll(word)]++;
        }
    for (int64_t i = 0; i < cover->images; i++) counts[takers[i]]++;
    vb_free(takers);
    return 0;
}

void vb_cover_take(const vb_cover *cover, int candidate, uint64_t *taken, int64_t *by_class) {
    assert(candidate >= 0 && candidate < cover->candidates);
    for (int64_t b = 0; b < vb_cover_blocks(cover); b++) {
        uint64_t fresh = cover->words[b * cover->candidates + candidate] & ~taken[b];
        taken[b] |= fresh;
        for (; fresh; fresh &= fresh - 1) by_class[cover->classes[b * 64 + __builtin_ctzll(fresh)]]++;
    }
}

void vb_cover_sets(const vb_cover *cover, const int *chosen, int n, uint64_t *out) {
    int64_t blocks = vb_cover_blocks(cover);
    for (int64_t b = 0; b < blocks; b++)
        for (int i = 0; i < n; i++) out[i * blocks + b] = cover->words[b * cover->candidates + chosen[i]];
}

int vb_cover_largest_gain(const int64_t *gains, int candidates, const uint8_t *excluded, const uint8_t *gone) {
    int best = -1;
    for (int c = 0; c < candidates; c++)
        if (!(excluded && excluded[c]) && !(gone && gone[c]) && (best < 0 || gains[c] > gains[best])) best = c;
    return best;
}

/* ---- branch and bound -------------------------------------------------------------------------------------------------- */

typedef struct choice {
    int set;
    int64_t gain;
} choice;

typedef struct branching {
    const vb_coverage *problem;
    vb_coverage_result *best;
    int64_t (*gain)(const uint64_t *set, const uint64_t *taken, int64_t words);
    int path[VB_ADVERSARIES];
    choice *lists[VB_ADVERSARIES];   /* of every depth: sets by descending gain */
    uint64_t *taken[VB_ADVERSARIES]; /* by the path's first sets */
    int64_t open;                    /* bound of what was not looked at */
    double deadline;
    bool stopped;
} branching;

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_gain(const void *a, const void *b) {
    const choice *x = a, *y = b;
    if (x->gain != y->gain) return x->gain < y->gain ? 1 : -1;
    return (x->set > y->set) - (x->set < y->set);
}

static const uint64_t *set_of(const branching *s, int set) { return s->problem->sets + set * s->problem->words; }

static void spend(branching *s, int64_t evaluations) {
    s->best->evaluations += evaluations;
    if (s->best->evaluations >= s->problem->evaluations) s->stopped = true;
    if (s->deadline > 0 && seconds_now() > s->deadline) {
        s->stopped = true;
        s->best->out_of_time = true;
    }
}

static void keep_best(branching *s, int depth, int64_t taken) {
    if (taken <= s->best->taken && s->best->n) return;
    s->best->taken = taken;
    s->best->n = depth;
    memcpy(s->best->chosen, s->path, (size_t)depth * sizeof *s->path);
}

/* What `left` more choices from list[i] on can add at most. */
static int64_t reach(const choice *list, int n, int i, int left) {
    int64_t sum = 0;
    for (; left && i < n; left--, i++) sum += list[i].gain;
    return sum;
}

/* All choices that continue the path of `depth` sets, which take `count` elements, with sets from its list. */
static void extend_path(branching *s, int depth, int n, int64_t count) {
    const choice *list = s->lists[depth];
    int left = s->problem->k - depth;
    for (int i = 0; i < n; i++) {
        int64_t bound = count + reach(list, n, i, left);
        if (s->best->n && bound <= s->best->taken) return; /* and so are the bounds of all that follow */
        if (s->stopped) {
            if (bound > s->open) s->open = bound;
            return;
        }
        int64_t with = count + list[i].gain;
        s->path[depth] = list[i].set;
        keep_best(s, depth + 1, with);
        if (left == 1) return; /* the others add no more */
        /* A set whose gain here is already too small cannot help one step later, when gains have shrunk further. */
        const uint64_t *set = set_of(s, list[i].set), *taken = s->taken[depth];
        uint64_t *union_of = s->taken[depth + 1];
        for (int64_t w = 0; w < s->problem->words; w++) union_of[w] = taken[w] | set[w];
        choice *next = s->lists[depth + 1];
        int m = 0, j = i + 1;
        int64_t most = left > 2 && j < n ? list[j].gain * (left - 2) : 0, largest = 0;
        for (; j < n && with + most + list[j].gain > s->best->taken; j++) {
            if (left == 2 && list[j].gain <= largest) break;
            next[m] = (choice){list[j].set, s->gain(set_of(s, list[j].set), union_of, s->problem->words)};
            if (next[m].gain > largest) largest = next[m].gain;
            if (next[m].gain) m++;
        }
        spend(s, j - i);
        qsort(next, (size_t)m, sizeof *next, by_gain);
        extend_path(s, depth + 1, m, with);
    }
}

/* Whether all of a lies within b. */
static bool within(const uint64_t *a, const uint64_t *b, int64_t words) {
    for (int64_t w = 0; w < words; w++)
        if (a[w] & ~b[w]) return false;
    return true;
}

/* Sorted sets less those that lie within one of the larger ones before them. */
static int put_aside(const branching *s, choice *list, int n) {
    enum { LOOK_BACK = 2048 }; /* a bound on the time of this; a contained set that stays costs time, nothing else */
    int kept = 0;
    for (int i = 0; i < n; i++) {
        bool contained = !list[i].gain;
        for (int j = 0; j < kept && j < LOOK_BACK && !contained; j++)
            contained = within(set_of(s, list[i].set), set_of(s, list[j].set), s->problem->words);
        if (!contained) list[kept++] = list[i];
    }
    return kept;
}

/* The first incumbent. */
static void greedy(branching *s, const choice *list, int n) {
    uint64_t *taken = s->taken[0];
    int64_t count = 0;
    for (int depth = 0; depth < s->problem->k && depth < n; depth++) {
        int best = -1;
        int64_t most = 0;
        for (int i = 0; i < n && list[i].gain > most; i++) {
            int64_t gain = s->gain(set_of(s, list[i].set), taken, s->problem->words);
            if (gain > most || (gain == most && best >= 0 && gain && list[i].set < best)) most = gain, best = list[i].set;
        }
        if (best < 0) break;
        s->path[depth] = best;
        count += most;
        for (int64_t w = 0; w < s->problem->words; w++) taken[w] |= set_of(s, best)[w];
        keep_best(s, depth + 1, count);
    }
    memset(taken, 0, (size_t)s->problem->words * sizeof *taken);
}

/* Puts the chosen sets in the order of what each adds to those before it. */
static void order_chosen(branching *s) {
    vb_coverage_result *best = s->best;
    uint64_t *taken = s->taken[0];
    memset(taken, 0, (size_t)s->problem->words * sizeof *taken);
    for (int i = 0; i < best->n; i++) {
        int first = i;
        int64_t most = -1;
        for (int j = i; j < best->n; j++) {
            int64_t gain = s->gain(set_of(s, best->chosen[j]), taken, s->problem->words);
            if (gain > most || (gain == most && best->chosen[j] < best->chosen[first])) most = gain, first = j;
        }
        int set = best->chosen[first];
        best->chosen[first] = best->chosen[i];
        best->chosen[i] = set;
        for (int64_t w = 0; w < s->problem->words; w++) taken[w] |= set_of(s, set)[w];
    }
}

int vb_cover_most(const vb_coverage *problem, vb_coverage_result *result, vb_error *err) {
    *result = (vb_coverage_result){.n = 0};
    if (problem->k < 1 || problem->k > VB_ADVERSARIES)
        return vb_errorf(err, VB_ECONFIG, "%d adversarial names, expected 1 to %d", problem->k, VB_ADVERSARIES);
    branching s = {.problem = problem, .best = result, .gain = has_popcnt() ? gain_popcnt : gain_plain};
    int status = -1, n = 0;
    for (int d = 0; d < problem->k; d++) {
        s.lists[d] = vb_array((size_t)problem->count, sizeof(choice), "candidates", err);
        s.taken[d] = vb_array((size_t)problem->words, sizeof(uint64_t), "taken images", err);
        if (!s.lists[d] || !s.taken[d]) goto done;
    }
    if (problem->seconds > 0) s.deadline = seconds_now() + problem->seconds;
    for (int c = 0; c < problem->count; c++) s.lists[0][n++] = (choice){c, s.gain(set_of(&s, c), s.taken[0], problem->words)};
    qsort(s.lists[0], (size_t)n, sizeof(choice), by_gain);
    n = put_aside(&s, s.lists[0], n);
    greedy(&s, s.lists[0], n);
    spend(&s, 0);
    extend_path(&s, 0, n, 0);
    result->bound = s.open > result->taken ? s.open : result->taken;
    order_chosen(&s);
    status = 0;
done:
    for (int d = 0; d < problem->k; d++) {
        vb_free(s.lists[d]);
        vb_free(s.taken[d]);
    }
    return status;
}
