/* What an image with a set of right classes adds to a tally.
 *
 * The first-ranked class of a union of vocabularies is right, and comes from vocabulary v, when v is there, none of the
 * vocabularies whose best right class is ranked before v's, and none with a wrong class before it. These events exclude each
 * other; each is "v has come, and none of a list", which is what the figures of a single class are made of. */
#include <assert.h>
#include <math.h>

#include "kernels/openness/tally_internal.h"

/* The image at hand. Scratch of the tally: N integers each. */
typedef struct set_image {
    vb_tally *tally;
    const uint8_t *beaten;
    int n, views;
    int *slot; /* of every vocabulary that holds a class of the set: its entry of the first one listed; else -1 */
    int *view; /* likewise: the view of its first-ranked one */
    int *its;  /* the vocabularies that hold a class, in the order of their views and of their numbers; of_set of them */
    int of_set;
    int *list; /* a list of vocabularies; `listed` of them */
    int listed;
    uint32_t *sets; /* room for 2 N words */
    int class;      /* the first one listed that is in a vocabulary; -1: none is */
} set_image;

static bool beats(const set_image *image, int view, int u) { return image->beaten[(size_t)view * (size_t)image->n + (size_t)u]; }

static void find_vocabularies(set_image *image, const vb_class_set *set, const int *labels) {
    const vb_memberships *memberships = &image->tally->memberships;
    for (int u = 0; u < image->n; u++) image->slot[u] = image->view[u] = -1;
    image->class = -1;
    for (int i = 0; i < set->count; i++) {
        if (image->class < 0 && memberships->offsets[set->classes[i]] < memberships->offsets[set->classes[i] + 1])
            image->class = set->classes[i];
        for (int h = memberships->offsets[set->classes[i]]; h < memberships->offsets[set->classes[i] + 1]; h++)
            if (image->slot[memberships->vocabularies[h]] < 0) image->slot[memberships->vocabularies[h]] = memberships->slots[h];
    }
    image->of_set = 0;
    for (int k = 0; k < image->views; k++)
        for (int h = memberships->offsets[labels[k]]; h < memberships->offsets[labels[k] + 1]; h++) {
            int u = memberships->vocabularies[h];
            if (image->view[u] >= 0) continue;
            image->view[u] = k;
            image->its[image->of_set++] = u;
        }
}

/* The list of vocabularies that end the event "right by the right class of `its[at]`": with a wrong class before it, and those
 * that come before it in `its`. Of vocabularies of the same view as `aside` none ends it for being right itself (-1: no such
 * view). */
static void list_ends(set_image *image, int at, int aside) {
    int v = image->its[at];
    image->listed = 0;
    for (int u = 0; u < image->n; u++) {
        bool before = false;
        for (int i = 0; i < at && !before; i++) before = image->its[i] == u && image->view[u] != aside;
        if (u != v && (before || beats(image, image->view[v], u))) image->list[image->listed++] = u;
    }
}

static bool is_listed(const set_image *image, int u) {
    for (int i = 0; i < image->listed; i++)
        if (image->list[i] == u) return true;
    return false;
}

/* Foreign vocabularies that all of the trials' orders which begin with t have seen while the image was right for `v`: from its
 * place until that of the first of the list. */
static int64_t survived(const set_image *image, int t, int v) {
    const vb_tally *tally = image->tally;
    int64_t sum = 0;
    for (int k = 0; k < tally->protocol.trials; k++) {
        const int *place = tally->trials.place + ((size_t)t * (size_t)tally->protocol.trials + (size_t)k) * (size_t)image->n;
        int from = v == t ? 1 : place[v], until = vb_tally_earliest(place, image->list, image->listed, image->n);
        if (until > from) sum += until - from;
    }
    return sum;
}

static int64_t in_units(double difference) { return llround(ldexp(difference, VB_SET_SQUARE_BITS)); }

/* What t gains when one of the list, which end the event of `v`, goes, and loses when v does (docs/protocol.md). */
static void add_deletions(set_image *image, int t, int v) {
    vb_tally *tally = image->tally;
    const int f = image->listed, entry = image->slot[t];
    const uint64_t until = (uint64_t)f * ((uint64_t)f + 1), rescue = ((uint64_t)f + 1) * ((uint64_t)f + 2);
    for (int i = 0; i < f; i++) {
        vb_tally_add_gain(tally, entry, image->list[i], 1, until);
        if (v != t) vb_tally_add_gain(tally, entry, image->list[i], -1, rescue);
        if (tally->ends) ++*vb_tally_ends(v == t ? tally->ends : tally->of_sets.rescue_ends, tally, t, image->list[i], f);
    }
    if (v != t) vb_tally_add_gain(tally, entry, v, -1, rescue);
    if (v != t && tally->ends) ++*vb_tally_ends(tally->of_sets.rescuers, tally, t, v, f);
}

/* Vocabulary t = its[at] as the target. Its own right class, and `harm`: without the others' right classes an image is lost
 * with u when u has a wrong class before both t's and u's right ones. */
static void add_target(set_image *image, int at) {
    vb_tally *tally = image->tally;
    vb_set_counts *counts = &tally->of_sets;
    int n = image->n, m = n - 1, t = image->its[at], k = image->view[t];
    size_t entry = (size_t)image->slot[t], row = entry * (size_t)n;
    bool own = !beats(image, k, t);
    int harmful = 0;
    image->listed = 0;
    for (int u = 0; u < n && own; u++)
        if (u != t && beats(image, k, u) && (image->view[u] < 0 || beats(image, image->view[u], u))) {
            image->list[image->listed++] = u;
            tally->theft[(size_t)t * (size_t)n + (size_t)u]++;
        }
    harmful = image->listed;
    counts->images[entry]++;
    if (own) tally->harm[row + (size_t)harmful]++;
    if (!at || image->view[image->its[0]] == k) { /* no other vocabulary has a better one */
        if (own) add_deletions(image, t, t);
        if (own && tally->survived) tally->survived[entry] += survived(image, t, t);
        return;
    }
    double plain = own ? 1.0 / (harmful + 1) : 0, share = 0;
    if (own) {
        list_ends(image, at, k);
        counts->kept[row + (size_t)harmful]--;
        counts->kept[row + (size_t)image->listed]++;
        add_deletions(image, t, t);
        share += 1.0 / (image->listed + 1);
        if (tally->survived) tally->survived[entry] += survived(image, t, t);
    }
    for (int i = 0; i < at && image->view[image->its[i]] < k; i++) {
        int v = image->its[i];
        list_ends(image, i, -1);
        if (beats(image, image->view[v], v) || is_listed(image, t)) continue;
        counts->rescued[row + (size_t)image->listed]++;
        add_deletions(image, t, v);
        share += 1.0 / ((image->listed + 1.0) * (image->listed + 2));
        if (tally->survived) tally->survived[entry] += survived(image, t, v);
    }
    counts->squares_e[entry] += in_units(share * share - plain * plain);
    if (!m) return;
    double stable = (n * share - own) / m, plain_stable = (n * plain - own) / m;
    counts->squares_s[entry] += in_units(stable * stable - plain_stable * plain_stable);
}

static void add_to_order(const set_image *image, vb_order_set *set, int v) {
    for (int o = 0; o < set->count; o++) {
        const int *place = set->place + (size_t)o * (size_t)image->n;
        int from = place[v], until = vb_tally_earliest(place, image->list, image->listed, image->n);
        if (from >= until) continue;
        int64_t *changes = set->changes + (size_t)o * ((size_t)image->n + 1);
        changes[from]++;
        changes[until]--;
    }
}

static void add_arrivals(const set_image *image, vb_order_set *set) {
    for (int o = 0; o < set->count; o++) {
        const int *place = set->place + (size_t)o * (size_t)image->n;
        set->arrivals[(size_t)o * (size_t)image->n + (size_t)vb_tally_earliest(place, image->its, image->of_set, image->n)]++;
    }
}

/* The image, right by `v`, among all vocabularies but u, for each u: when nothing but u ends the event. */
static void add_left(const set_image *image, int v) {
    for (int u = 0; u < image->n; u++)
        image->tally->of_sets.left[2 * u + 1] += image->listed ? image->listed == 1 && image->list[0] == u : u != v;
}

/* Over the union of images: the event of each vocabulary. */
static void add_to_unions(set_image *image) {
    vb_tally *tally = image->tally;
    size_t members = 0;
    int words = 0;
    for (int u = 0; u < image->n; u++) tally->of_sets.left[2 * u] += image->of_set > 1 || image->its[0] != u;
    for (int i = 0; i < image->of_set; i++) {
        int v = image->its[i];
        if (tally->subsets) members |= (size_t)1 << v;
        if (beats(image, image->view[v], v)) continue;
        list_ends(image, i, -1);
        add_left(image, v);
        if (tally->subsets) {
            size_t ends = 0;
            for (int e = 0; e < image->listed; e++) ends |= (size_t)1 << image->list[e];
            tally->subsets[ends]++;
            tally->subsets[ends | (size_t)1 << v]--;
            image->sets[words++] = (uint32_t)ends;
            image->sets[words++] = (uint32_t)(ends | (size_t)1 << v);
        }
        add_to_order(image, &tally->unions, v);
        add_to_order(image, &tally->trials, v);
    }
    if (tally->subsets) tally->of_sets.members[members]++;
    if (vb_tally_has_harm_sets(tally))
        vb_harm_sets_add(&tally->harm_sets, &(vb_harm_kind){image->class, (uint32_t)members, image->sets, words / 2, 1});
    add_arrivals(image, &tally->unions);
    add_arrivals(image, &tally->trials);
}

void vb_tally_add_set(vb_tally *tally, const vb_class_set *set, const int *labels, int views, const uint8_t *beaten) {
    assert(tally->sets && views > 0);
    int n = tally->vocabularies;
    set_image image = {.tally = tally, .beaten = beaten, .n = n, .views = views};
    int **const parts[] = {&image.slot, &image.view, &image.its, &image.list};
    enum { PARTS = sizeof parts / sizeof *parts };
    static_assert(PARTS + 2 == VB_SET_SCRATCH, "the tally has room for them, and for the sets");
    for (int p = 0; p < PARTS; p++) *parts[p] = tally->scratch + (size_t)p * (size_t)n;
    image.sets = (uint32_t *)tally->scratch + (size_t)PARTS * (size_t)n;
    find_vocabularies(&image, set, labels);
    if (!image.of_set) return;
    bool right = true;
    for (int u = 0; u < n && right; u++) right = !beats(&image, 0, u);
    *tally->unbeaten += right;
    *tally->of_sets.all += 1;
    tally->of_sets.once[2 * image.class]++;
    tally->of_sets.once[2 * image.class + 1] += right;
    *tally->of_sets.shared += image.of_set > 1;
    for (int at = 0; at < image.of_set; at++) add_target(&image, at);
    add_to_unions(&image);
}
