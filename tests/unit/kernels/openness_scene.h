/* Images by the vocabularies that beat them, drawn at random: what tests of tallies and figures are made of. */
#ifndef VB_OPENNESS_SCENE_H
#define VB_OPENNESS_SCENE_H

#include "kernels/openness/openness.h"
#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"

static uint64_t random_state;

static inline int random_int(int low, int high) { return low + (int)random_below(&random_state, (uint32_t)(high - low + 1)); }

/* ---- images by their beaten patterns, and the definitions spelled out ------------------------------------------ */

enum { MAX_N = 24, MAX_CLASSES = 64, MAX_IMAGES = 400 };

typedef struct scene {
    int offsets[MAX_N + 1], members[3 * MAX_CLASSES];
    vb_label_space space;
    int images, label[MAX_IMAGES];
    uint8_t beaten[MAX_IMAGES][MAX_N];
} scene;

static inline int holds(const scene *s, int v, int c) {
    for (int i = s->offsets[v]; i < s->offsets[v + 1]; i++)
        if (s->members[i] == c) return 1;
    return 0;
}

static inline int own_vocabulary(const scene *s, int c) {
    for (int v = 0; v < s->space.vocabularies; v++)
        if (holds(s, v, c)) return v;
    return -1;
}

/* n vocabularies of one to three classes; `shared`: some classes in several; `equal`: one class each, as many images each. One
 * class more is in no vocabulary, and some images are of it. */
static inline void make_scene(scene *s, int n, int images, int shared, int equal) {
    memset(s, 0, sizeof *s);
    int used = 0, classes = 0;
    for (int v = 0; v < n; v++) {
        int own = equal ? 1 : random_int(1, 3);
        for (int i = 0; i < own; i++) s->members[used++] = classes++;
        s->offsets[v + 1] = used;
        int guest = shared && v ? random_int(0, s->members[s->offsets[v]] - 1) : 0; /* a class of an earlier vocabulary */
        if (shared && v && random_int(0, 1)) {
            s->members[used++] = guest;
            s->offsets[v + 1] = used;
        }
    }
    s->space = (vb_label_space){classes + 1, n, s->offsets, s->members, NULL, false};
    for (int v = 0; v < n; v++) /* every vocabulary gets at least two images */
        for (int i = 0; i < (equal ? images / n : 2); i++)
            s->label[s->images++] = s->members[random_int(s->offsets[v], equal ? s->offsets[v] : s->offsets[v + 1] - 1)];
    while (!equal && s->images < images) s->label[s->images++] = random_int(0, classes);
    for (int x = 0; x < s->images; x++) {
        int rate = random_int(1, 6);
        for (int v = 0; v < n; v++) s->beaten[x][v] = random_int(0, rate) == 0 && random_int(0, 1);
    }
}

static inline vb_tally *tally_of(const scene *s, const vb_protocol *protocol) {
    vb_error err = {0};
    vb_tally *tally;
    assert_ok(vb_tally_new(&tally, &s->space, protocol, &err));
    for (int x = 0; x < s->images; x++) vb_tally_add(tally, s->label[x], s->beaten[x]);
    return tally;
}

/* Of docs/protocol.md, by hand: vocabulary a has c0 with two images, one right, and c1 with one, right; b has c2 with two, one of
 * which a harms. */
static inline void make_by_hand(scene *s) {
    *s = (scene){.offsets = {0, 2, 3}, .members = {0, 1, 2}, .images = 5, .label = {0, 0, 1, 2, 2}};
    s->beaten[1][0] = s->beaten[4][0] = 1;
    s->space = (vb_label_space){3, 2, s->offsets, s->members, NULL, false};
}

#endif
