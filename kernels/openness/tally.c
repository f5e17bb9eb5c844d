/* Tallies of judged images: counters, orders of arrival, and what an image adds. */
#include "kernels/openness/tally.h"

#include <assert.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/numpy_rng.h"
#include "kernels/openness/subsets.h"
#include "kernels/openness/tally_internal.h"

enum { VOCABULARIES_MAX = 65535, ORDERS_MAX = 1000000 };

static int orders_new(vb_order_set *set, size_t count, int n, vb_error *err) {
    set->count = (int)count;
    set->place = vb_array(count * (size_t)n, sizeof(int), "orders of the vocabularies", err);
    return set->place ? 0 : -1;
}

/* As the official code draws them: for each target in turn, permutations of the others out of one sequence. */
static void draw_trials(vb_tally *tally, int *order) {
    int n = tally->vocabularies;
    vb_numpy_rng rng;
    vb_numpy_rng_seed(&rng, tally->protocol.seed);
    for (int o = 0; o < tally->trials.count; o++) {
        int target = o / tally->protocol.trials, *place = tally->trials.place + (size_t)o * (size_t)n;
        for (int i = 0; i < n - 1; i++) order[i] = i + (i >= target);
        vb_numpy_rng_permutation(&rng, order, n - 1);
        place[target] = 0;
        for (int i = 0; i < n - 1; i++) place[order[i]] = i + 1;
    }
}

static void draw_unions(vb_tally *tally, int *order) {
    int n = tally->vocabularies;
    vb_numpy_rng rng;
    vb_numpy_rng_seed(&rng, tally->protocol.seed);
    for (int o = 0; o < tally->unions.count; o++) {
        for (int i = 0; i < n; i++) order[i] = i;
        vb_numpy_rng_permutation(&rng, order, n);
        for (int i = 0; i < n; i++) tally->unions.place[(size_t)o * (size_t)n + (size_t)order[i]] = i;
    }
}

/* The sections of the counters, one after the other from `base`; with base NULL only their total size. */
static size_t lay_out(vb_tally *tally, int64_t *base) {
    size_t n = (size_t)tally->vocabularies, classes = (size_t)tally->classes, used = 0;
    size_t sets = tally->sets, entries = sets * (size_t)tally->entries;
    size_t cube = tally->protocol.curve_errors && n <= VB_CURVE_ERRORS_MAX ? n * n * n : 0;
    struct {
        int64_t **section;
        size_t length;
    } sections[] = {{&tally->images, classes},
                    {&tally->unbeaten, 1},
                    {&tally->harm, (size_t)tally->entries * n},
                    {&tally->theft, n * n},
                    {&tally->relief, 2 * (size_t)tally->entries * n},
                    {&tally->sole, n},
                    {&tally->joint, (size_t)tally->pairs[classes] * n},
                    {&tally->ends, cube},
                    {&tally->subsets, n <= VB_SUBSETS_MAX ? (size_t)1 << n : 0},
                    {&tally->unions.changes, (size_t)tally->unions.count * (n + 1)},
                    {&tally->trials.changes, (size_t)tally->trials.count * (n + 1)},
                    {&tally->survived, tally->protocol.sampled ? (size_t)tally->entries : 0},
                    {&tally->of_sets.images, entries},
                    {&tally->of_sets.all, sets},
                    {&tally->of_sets.shared, sets},
                    {&tally->of_sets.kept, entries * n},
                    {&tally->of_sets.rescued, entries * n},
                    {&tally->of_sets.squares_e, entries},
                    {&tally->of_sets.squares_s, entries},
                    {&tally->of_sets.members, sets && n <= VB_SUBSETS_MAX ? (size_t)1 << n : 0},
                    {&tally->of_sets.once, sets * 2 * classes},
                    {&tally->of_sets.left, sets * 2 * n},
                    {&tally->of_sets.rescue_ends, sets * cube},
                    {&tally->of_sets.rescuers, sets * cube},
                    {&tally->unions.arrivals, sets * (size_t)tally->unions.count * n},
                    {&tally->trials.arrivals, sets * (size_t)tally->trials.count * n}};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        *sections[i].section = base && sections[i].length ? base + used : NULL;
        used += sections[i].length;
    }
    return used;
}

static int union_permutations(const vb_protocol *protocol) {
    return protocol->union_permutations ? protocol->union_permutations : VB_UNION_PERMUTATIONS;
}

int vb_tally_bytes(const vb_label_space *space, const vb_protocol *protocol, int64_t *counters, int64_t *orders, vb_error *err) {
    vb_tally tally = {.classes = space->classes, .vocabularies = space->vocabularies, .protocol = *protocol};
    if (vb_label_space_memberships_new(&tally.memberships, space, err)) return -1;
    tally.pairs = vb_label_space_pairs_new(&tally.memberships, space->classes, err);
    vb_label_space_memberships_free(&tally.memberships);
    if (!tally.pairs) return -1;
    tally.sets = space->sets;
    tally.entries = space->offsets[space->vocabularies];
    if (space->vocabularies > VB_SUBSETS_MAX) tally.unions.count = union_permutations(protocol);
    if (protocol->sampled) tally.trials.count = protocol->trials * space->vocabularies;
    *orders = ((int64_t)tally.unions.count + tally.trials.count) * space->vocabularies * (int64_t)sizeof(int);
    *counters = (int64_t)(lay_out(&tally, NULL) * sizeof(int64_t));
    vb_free(tally.pairs);
    return 0;
}

int vb_tally_check(const vb_label_space *space, const vb_protocol *protocol, vb_error *err) {
    const int n = space->vocabularies, permutations = union_permutations(protocol);
    if (n > VOCABULARIES_MAX)
        return vb_errorf(err, VB_EUNSUPPORTED, "%d vocabularies, at most %d are handled", n, VOCABULARIES_MAX);
    if (protocol->sampled && (protocol->trials < 1 || protocol->trials > ORDERS_MAX / (n > 0 ? n : 1)))
        return vb_errorf(err, VB_ECONFIG, "sampled protocol of %d trials for each of %d vocabularies, expected 1 to %d",
                         protocol->trials, n, ORDERS_MAX / (n > 0 ? n : 1));
    if (permutations < 2 || permutations > ORDERS_MAX)
        return vb_errorf(err, VB_ECONFIG, "%d permutations for the union of images, expected 2 to %d", permutations, ORDERS_MAX);
    return 0;
}

int vb_tally_new(vb_tally **out, const vb_label_space *space, const vb_protocol *protocol, vb_error *err) {
    *out = NULL;
    int n = space->vocabularies, status = -1;
    if (vb_tally_check(space, protocol, err)) return -1;
    const int permutations = union_permutations(protocol);
    vb_tally *tally = vb_array(1, sizeof *tally, "tally", err);
    if (!tally) return -1;
    *tally = (vb_tally){.classes = space->classes, .vocabularies = n, .protocol = *protocol, .sets = space->sets};
    if (vb_label_space_memberships_new(&tally->memberships, space, err)) goto done;
    tally->pairs = vb_label_space_pairs_new(&tally->memberships, space->classes, err);
    if (!tally->pairs) goto done;
    tally->offsets = vb_array((size_t)n + 1, sizeof(int), "tally", err);
    if (!tally->offsets) goto done;
    memcpy(tally->offsets, space->offsets, ((size_t)n + 1) * sizeof(int));
    tally->entries = tally->offsets[n];
    tally->beaten = vb_array((size_t)n, sizeof(int), "tally", err);
    if (!tally->beaten) goto done;
    if (tally->sets && !(tally->scratch = vb_array(VB_SET_SCRATCH * (size_t)n, sizeof(int), "tally", err))) goto done;
    if (n > VB_SUBSETS_MAX) {
        if (orders_new(&tally->unions, (size_t)permutations, n, err)) goto done;
        draw_unions(tally, tally->beaten);
    }
    if (protocol->sampled) {
        if (orders_new(&tally->trials, (size_t)protocol->trials * (size_t)n, n, err)) goto done;
        draw_trials(tally, tally->beaten);
    }
    tally->count = lay_out(tally, NULL);
    tally->counters = vb_array(tally->count, sizeof(int64_t), "tally", err);
    if (!tally->counters) goto done;
    lay_out(tally, tally->counters);
    *out = tally;
    status = 0;
done:
    if (status) vb_tally_free(tally);
    return status;
}

void vb_tally_clear(vb_tally *tally) {
    memset(tally->counters, 0, tally->count * sizeof *tally->counters);
    vb_harm_sets_free(&tally->harm_sets);
}

void vb_tally_free(vb_tally *tally) {
    if (!tally) return;
    vb_label_space_memberships_free(&tally->memberships);
    vb_free(tally->pairs);
    vb_free(tally->offsets);
    vb_free(tally->beaten);
    vb_free(tally->scratch);
    vb_free(tally->unions.place);
    vb_free(tally->trials.place);
    vb_free(tally->counters);
    vb_harm_sets_free(&tally->harm_sets);
    vb_free(tally);
}

int64_t vb_tally_images(const vb_tally *tally, int vocabulary) {
    assert(vocabulary >= 0 && vocabulary < tally->vocabularies);
    int64_t images = 0;
    for (int c = 0; c < tally->classes; c++)
        for (int h = tally->memberships.offsets[c]; h < tally->memberships.offsets[c + 1]; h++)
            if (tally->memberships.vocabularies[h] == vocabulary)
                images += vb_tally_entry_images(tally, c, tally->memberships.slots[h]);
    return images;
}

int64_t *vb_tally_counters(vb_tally *tally, size_t *count) {
    *count = tally->count;
    return tally->counters;
}

vb_harm_sets *vb_tally_harm_sets(vb_tally *tally) { return vb_tally_has_harm_sets(tally) ? &tally->harm_sets : NULL; }

/* An image is right from the arrival of its first vocabulary until that of the first one that beats it. */
static void orders_add(vb_order_set *set, int n, const int *memberships, int membership_count, const int *beaten,
                       int beaten_count) {
    for (int o = 0; o < set->count; o++) {
        const int *place = set->place + (size_t)o * (size_t)n;
        int from = vb_tally_earliest(place, memberships, membership_count, n),
            until = vb_tally_earliest(place, beaten, beaten_count, n);
        if (from >= until) continue;
        int64_t *changes = set->changes + (size_t)o * ((size_t)n + 1);
        changes[from]++;
        changes[until]--;
    }
}

void vb_tally_add(vb_tally *tally, int label, const uint8_t *beaten) {
    assert(!tally->sets && label >= 0 && label < tally->classes);
    int n = tally->vocabularies, first = tally->memberships.offsets[label],
        membership_count = tally->memberships.offsets[label + 1] - first;
    if (!membership_count) return;
    const int *memberships = tally->memberships.vocabularies + first, *slots = tally->memberships.slots + first;
    int b = 0;
    for (int u = 0; u < n; u++)
        if (beaten[u]) tally->beaten[b++] = u;
    tally->images[label]++;
    *tally->unbeaten += !b;
    if (b == 1) tally->sole[tally->beaten[0]] += membership_count > 1 || memberships[0] != tally->beaten[0];
    for (int h = 0; h < membership_count; h++) {
        int t = memberships[h];
        if (beaten[t]) continue;
        tally->harm[(size_t)slots[h] * (size_t)n + (size_t)b]++;
        for (int i = 0; i < b; i++) tally->theft[(size_t)t * (size_t)n + (size_t)tally->beaten[i]]++;
        vb_tally_add_relief(tally, slots[h], tally->beaten, b);
        for (int i = 0; tally->ends && i < b; i++) ++*vb_tally_ends(tally->ends, tally, t, tally->beaten[i], b);
        for (int i = 0; i < h; i++)
            if (!beaten[memberships[i]]) vb_tally_joint(tally, label, i, h)[b]++;
        for (int k = 0; tally->survived && k < tally->protocol.trials; k++) {
            size_t order = (size_t)t * (size_t)tally->protocol.trials + (size_t)k;
            tally->survived[slots[h]] += vb_tally_earliest(tally->trials.place + order * (size_t)n, tally->beaten, b, n) - 1;
        }
    }
    if (tally->subsets) {
        size_t beaten_set = 0, own_set = 0;
        for (int i = 0; i < b; i++) beaten_set |= (size_t)1 << tally->beaten[i];
        for (int h = 0; h < membership_count; h++) own_set |= (size_t)1 << memberships[h];
        tally->subsets[beaten_set]++;
        tally->subsets[beaten_set | own_set]--;
        if (vb_tally_has_harm_sets(tally)) {
            const uint32_t sets[] = {(uint32_t)beaten_set, (uint32_t)(beaten_set | own_set)};
            vb_harm_sets_add(&tally->harm_sets, &(vb_harm_kind){label, (uint32_t)own_set, sets, 1, 1});
        }
    }
    orders_add(&tally->unions, n, memberships, membership_count, tally->beaten, b);
    orders_add(&tally->trials, n, memberships, membership_count, tally->beaten, b);
}
